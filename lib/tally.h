#ifndef TALLY_H
#define TALLY_H

/*
 * Tallies: how many calls, texts and sessions a service had in each minute and
 * in each hour, counted in the transaction of the event that tells of them
 * (event.h). Words and numbers only. What was not written down was not
 * counted either: a call that was connected although its record could not be
 * written counts when its end is reported.
 *
 * Minutes are kept for two days, hours for 400.
 */

#include <stdbool.h>
#include <stdint.h>

#include "db.h"
#include "rc.h"

/* What is counted. */
enum tally_what {
	TALLY_SESSIONS_OPENED,
	TALLY_CALLS_ANSWERED, /* both talked */
	TALLY_CALLS_MISSED,   /* it rang in vain; detail: Twilio's CallStatus */
	TALLY_CALLS_FAILED,   /* Twilio could not connect it */
	TALLY_CALLS_REFUSED,  /* by us; detail: the reason (policy.h) */
	TALLY_TEXTS_RELAYED,
	TALLY_TEXTS_REFUSED, /* detail: the reason */
	TALLY__MAX
};

#define TALLY_MINUTE_S 60
#define TALLY_HOUR_S 3600

/* How long the rows of either are kept, seconds. */
#define TALLY_MINUTES_KEPT_S (2 * INT64_C(86400))
#define TALLY_HOURS_KEPT_S (400 * INT64_C(86400))

/* Bytes of a detail with its NUL. */
#define TALLY_DETAIL_SIZE 32

/* What was counted in one step. */
struct tally {
	int64_t at; /* epoch seconds: the beginning of the step */
	enum tally_what what;
	char detail[TALLY_DETAIL_SIZE]; /* "": none */
	int64_t count;
};

/* Returns the word for what is counted: "calls_answered"; static storage. */
const char *tally_name(enum tally_what what);

/* Counts one at now, in its minute and its hour; detail may be NULL. In the
 * write transaction of what is counted. */
enum rc tally_add(struct db *db, const char *service_id, enum tally_what what,
    const char *detail, int64_t now);

/* Calls each with every row of the minutes or hours (step_s) of a service that
 * begin at since or later, oldest first. */
enum rc tally_list(struct db *db, const char *service_id, int64_t step_s,
    int64_t since, void (*each)(void *cookie, const struct tally *tally),
    void *cookie);

/* Stores how much of one thing the hours had that begin from since on and
 * before until. */
enum rc tally_sum(struct db *db, int64_t *sum, const char *service_id,
    enum tally_what what, int64_t since, int64_t until);

/* Stores when the oldest hour begins. RC_NONE if nothing was counted. */
enum rc tally_first(struct db *db, int64_t *at, const char *service_id);

/* How far back a series of tallies goes. */
enum tally_span {
	TALLY_HOUR,  /* 60 steps of a minute */
	TALLY_DAY,   /* 96 steps of a quarter of an hour */
	TALLY_MONTH, /* 120 steps of 6 hours */
	TALLY_SPAN__MAX
};

#define TALLY_STEPS_MAX 120

/* Counts step by step; the last step is the one that runs. */
struct tally_series {
	enum tally_span span;
	int64_t step_s;
	int64_t from; /* epoch seconds: when the first step begins */
	int len;      /* steps */
	int64_t counts[TALLY__MAX][TALLY_STEPS_MAX];
};

/* Returns the word for a span: "hour"; static storage. */
const char *tally_span_name(enum tally_span span);

/* Reads the series of a service up to now. Takes as much as there are rows of
 * that span, however much is older. */
enum rc tally_read(struct db *db, const char *service_id, enum tally_span span,
    int64_t now, struct tally_series *series);

#endif
