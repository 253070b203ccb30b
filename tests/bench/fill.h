#ifndef FILL_H
#define FILL_H

/*
 * Fills the database of pool.c behind the library's back, as fast as SQLite
 * can: a pool, half of it American and half Canadian, drivers who hold much of
 * it from sessions that are over, and open sessions of many others.
 */

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "id.h"
#include "phone.h"

/* The drivers who hold part of the pool, each number from another customer. */
enum driver {
	DRIVER_HALF,
	DRIVER_OTHER_HALF, /* what the one above does not hold */
	DRIVER_MOST,       /* 90 %, anywhere */
	DRIVER_OLDEST,     /* 90 %, those longest unused */
	DRIVER_NEARLY,     /* 99 %, anywhere */
	DRIVER_ALL,
	DRIVER__MAX
};

struct fill {
	int64_t pool;     /* numbers, a power of ten */
	int64_t sessions; /* open ones */
	int64_t rows;     /* sessions written, of any kind */
	char service_id[ID_SIZE];
	sqlite3 *handle; /* while it is filled */
	sqlite3_stmt *session, *party, *leg;
};

/* Makes a new database without numbers. */
void fill_start(struct fill *fill, int64_t pool);

/* Writes what is missing to have the pool and so many open sessions. Nobody
 * may have the database open. */
void fill_up(struct fill *fill, int64_t sessions);

/* Whether a driver holds the number at this place of the pool. */
bool fill_holds(const struct fill *fill, enum driver driver, int64_t number);

/* Real numbers: of a driver, of the customer from whom a driver holds a
 * number, and of people who have never been here. */
void fill_driver(char out[PHONE_SIZE], enum driver driver);
void fill_customer(char out[PHONE_SIZE], enum driver driver, int64_t number);
void fill_stranger(char out[PHONE_SIZE], int64_t i);

#endif
