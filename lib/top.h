#ifndef TOP_H
#define TOP_H

/*
 * How an installation is doing this moment, for an operator who watches it.
 * Reads nothing of persons, and takes a bounded time however much there is.
 */

#include <stdbool.h>
#include <stdint.h>

#include "call.h"
#include "db.h"
#include "id.h"
#include "outbox.h"
#include "rc.h"

/* States of a number. */
#define TOP_STATES 4
extern const char *const top_states[TOP_STATES];

/* What is due to a receiver. */
struct top_receiver {
	int64_t waiting; /* deliveries, up to 10,000 */
	int64_t late;    /* of them, due for a minute or more */
	int64_t parked;  /* given up */
	int64_t lag_ms;  /* for how long the oldest that is due has been */
};

struct top_service {
	char id[ID_SIZE];
	char name[64];
	int64_t numbers[TOP_STATES];
	double free_ratio; /* of the pool, for those who met last: 0 to 1 */
	int64_t talk_s;    /* seconds of talk today (UTC) */
	struct top_receiver receivers[OUTBOX_CHANNEL__MAX];
};

#define TOP_SERVICES_MAX 32 /* that are told of */

struct top {
	int64_t sessions;         /* open, up to 100,000 */
	int64_t calls[CALL__MAX]; /* that are not over, by state */
	struct top_service services[TOP_SERVICES_MAX];
	int services_len;
	bool more; /* services that are not told of */
};

/* Reads all that of one moment into *top: of the service called service_id, or
 * of all if that is "". */
enum rc top_read(
    struct db *db, const char *service_id, int64_t now_ms, struct top *top);

#endif
