#ifndef METRICS_H
#define METRICS_H

/*
 * Counters shared by all processes of an installation: a small file mapped
 * into each, one 64-bit number a counter, counted up atomically. They survive
 * a restart. Counting never fails and costs next to nothing: without the file
 * it counts for itself.
 *
 * They are told as text in the format of Prometheus, version 0.0.4, together
 * with what the database says of the moment. No person, number, session or key
 * is in there.
 */

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "db.h"
#include "id.h"
#include "outbox.h"
#include "policy.h"
#include "rc.h"

/* What is counted. The file stores them by place: append, never reorder. */
enum metrics_counter {
	METRICS_CALLS_CONNECTED,  /* calls answered with a Dial */
	METRICS_CALLS_REFUSED,    /* calls answered with a sentence */
	METRICS_CALLS_APOLOGISED, /* calls not connected for a failure of ours
				   */
	METRICS_CALLS_UNRECORDED, /* calls connected but not written down */
	METRICS_WEBHOOKS_FORGED,  /* requests without a right signature */
	METRICS_WEBHOOKS_UNKNOWN, /* callbacks about calls we do not know */
	METRICS_KEYS_REFUSED,     /* requests without a right API key */
	METRICS_REQUESTS_FAILED,  /* requests not answered for a failure of ours
				   */
	METRICS_POOL_LOW,         /* sessions opened that left the pool low */
	METRICS_POOL_EXHAUSTED,   /* sessions refused for want of a number */
	METRICS_DELIVERIES_DONE,  /* deliveries that arrived */
	METRICS_DELIVERIES_FAILED, /* tries of deliveries that did not */
	METRICS_DELIVERIES_PARKED, /* deliveries given up */
	METRICS__MAX
};

/* What people wanted and were refused. Append only, as policy_reason. */
enum metrics_refused {
	METRICS_CALL,
	METRICS_TEXT,
	METRICS_REFUSED__MAX
};

/* How long answers took, of one program. */
#define METRICS_BUCKETS 13
struct metrics_times {
	uint64_t counts[METRICS_BUCKETS]; /* by metrics_bounds_ms */
	uint64_t sum_us;                  /* of all, microseconds */
};

/* Up to how long an answer of each bucket took, milliseconds; any longer ones
 * are in the last. */
extern const int metrics_bounds_ms[METRICS_BUCKETS - 1];

/* Numbers in the file, of 64 bits each; there is room for more of all kinds. */
#define METRICS_SLOTS 1280

/* The mapped counters; opaque. */
struct metrics;

/* Maps the file at path, making it if needed; never NULL. */
struct metrics *metrics_open(const char *path);

/* Unmaps; NULL is fine. */
void metrics_close(struct metrics *metrics);

/* Counts one; nothing if metrics is NULL. */
void metrics_count(struct metrics *metrics, enum metrics_counter counter);

/* Returns a counter's value. */
uint64_t metrics_value(
    const struct metrics *metrics, enum metrics_counter counter);

/* Counts a refusal; nothing if metrics is NULL. */
void metrics_refuse(struct metrics *metrics, enum metrics_refused what,
    enum policy_reason reason);

/* Returns how often that was refused for this reason. */
uint64_t metrics_refusals(const struct metrics *metrics,
    enum metrics_refused what, enum policy_reason reason);

/* Returns the place of a program's times by its name; that of all others for
 * one that has none. */
int metrics_program(const char *name);

/* Returns the name of the program at a place, NULL behind the last. */
const char *metrics_program_name(int program);

/* Counts an answer that took so long, microseconds; nothing if metrics is
 * NULL. */
void metrics_observe(struct metrics *metrics, int program, int64_t took_us);

/* Reads the times of a program. */
void metrics_times(
    const struct metrics *metrics, int program, struct metrics_times *times);

/* Returns a counter's name, e.g. "calls_connected"; static storage. */
const char *metrics_name(enum metrics_counter counter);

/* Begins a family of samples; type is counter, gauge or histogram. */
void metrics_family(
    struct buf *out, const char *name, const char *type, const char *help);

/* Appends name="value", whatever value holds. */
void metrics_label(struct buf *out, const char *name, const char *value);

/* Appends all that is counted as text. */
void metrics_text(struct buf *out, const struct metrics *metrics);

/*
 * Appends what the database says of the moment: numbers, room in the pool,
 * sessions, deliveries. Takes a bounded time however many sessions there are.
 * Fails as db_first does, with out unfinished.
 */
enum rc metrics_gauges(struct buf *out, struct db *db, int64_t now_ms);

/* Moves on to the service behind the one called id, "" for the first, and
 * stores its name. RC_NONE: there is none. */
enum rc metrics_next_service(struct db *db, char id[ID_SIZE], char name[64]);

/*
 * How a service stands, in parts. How much of the pool is free depends on who
 * asks: metrics_room stores the least share that the people of the 16 newest
 * sessions have; RC_NONE, with 1 stored, if nobody has met yet. Deliveries that
 * wait, and those given up, are counted to 10,000; metrics_late stores for how
 * long the oldest that is due has been, milliseconds.
 */
enum rc metrics_room(
    struct db *db, const char *service_id, int64_t now_ms, double *free);
enum rc metrics_waiting(struct db *db, const char *service_id,
    enum outbox_channel channel, int64_t *count);
enum rc metrics_parked(struct db *db, const char *service_id, int64_t *count);
enum rc metrics_late(struct db *db, const char *service_id,
    enum outbox_channel channel, int64_t now_ms, int64_t *late_ms);

/* Stores for how long something for Twilio has been due, milliseconds; 0 if
 * nothing is. */
enum rc metrics_lag(struct db *db, int64_t now_ms, int64_t *lag_ms);

#endif
