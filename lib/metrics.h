#ifndef METRICS_H
#define METRICS_H

/*
 * Counters shared by all processes of an installation: a small file mapped
 * into each, one 64-bit number a counter, counted up atomically. They survive
 * a restart. Counting never fails: without the file it counts for itself.
 */

#include <stdint.h>

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

/* Returns a counter's name, e.g. "calls_connected"; static storage. */
const char *metrics_name(enum metrics_counter counter);

#endif
