#ifndef BENCH_H
#define BENCH_H

/*
 * What pool.c and day.c share: a database of their own with one service, its
 * masked numbers, numbers that only look random, and time. Whatever fails
 * ends the program.
 */

#include <stdint.h>

#include <sqlite3.h>

#include "crypto.h"
#include "id.h"
#include "phone.h"
#include "rc.h"

#define BENCH_NOW 1800000000LL /* epoch seconds at which all begins */
#define BENCH_DAY_S 86400

/* Keys that hide nothing: no real number is in here. */
extern const struct crypto_keys bench_keys;

/* Path of the database. */
extern char bench_path[];

/* Makes a directory for the database in `under`; it goes when we go. */
void bench_start(const char *under);

/* Makes an empty database with one service, in place of any before it. */
void bench_found(char service_id[ID_SIZE], int64_t hold_s);

/* Ends the program, saying what failed, unless rc is RC_OK. */
void bench_must(enum rc rc, const char *what);

/* The masked number at a place of the pool: American if even, else
 * Canadian. */
void bench_number(char out[PHONE_SIZE], int64_t i);

/* SQLite, past the library: opens the database; runs text; prepares it; runs
 * what is prepared, without rows, and makes it ready for the next time. */
sqlite3 *bench_open(void);
void bench_execute(sqlite3 *handle, const char *text);
sqlite3_stmt *bench_prepare(sqlite3 *handle, const char *text);
void bench_run(sqlite3_stmt *stmt);
void bench_bind_text(sqlite3_stmt *stmt, int at, const char *text);

/* A number that looks random and is the same in every run. */
uint64_t bench_mix(uint64_t seed);

/* Microseconds of a clock that nobody sets. */
double bench_us(void);

#endif
