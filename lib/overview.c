/* How a service stands. */

#include "overview.h"

#include <string.h>

#include "call.h"
#include "metrics.h"
#include "service.h"
#include "session.h"

#define DAY_S 86400
#define WEEK_S (7 * DAY_S)
/* How much longer than its limit a call is on the line: it rings before. */
#define RINGING_S 600
/* An estimate goes no farther, days. */
#define DAYS_MAX 365

static const char *const states[OVERVIEW_STATE__MAX] = {
	[OVERVIEW_ACTIVE] = "active",
	[OVERVIEW_RESERVED] = "reserved",
	[OVERVIEW_DRAINING] = "draining",
	[OVERVIEW_RETIRED] = "retired",
};

static const char *const channels[OUTBOX_CHANNEL__MAX] = {
	[OUTBOX_APP] = "app",
	[OUTBOX_TWILIO] = "twilio",
};

const char *
overview_state_name(enum overview_state state)
{
	return states[state];
}

const char *
overview_channel_name(enum outbox_channel channel)
{
	return channels[channel];
}

/* Adds an hour of today. */
static void
add_tally(void *cookie, const struct tally *tally)
{
	struct overview *o = cookie;
	struct tally *reason = o->reasons;
	struct tally *end = o->reasons + o->reasons_len;

	o->today[tally->what] += tally->count;
	if (tally->detail[0] == '\0')
		return;
	while (reason < end && (reason->what != tally->what ||
				   strcmp(reason->detail, tally->detail) != 0))
		reason++;
	if (reason == end) {
		if (o->reasons_len == OVERVIEW_REASONS_MAX)
			return;
		*reason = *tally;
		reason->at = 0;
		o->reasons_len++;
	} else {
		reason->count += tally->count;
	}
}

/* Returns the row of a country, a new one if it has none; NULL if there is no
 * room. */
static struct overview_country *
find_country(struct overview *o, const char *country)
{
	int i;

	for (i = 0; i < o->countries_len; i++)
		if (strcmp(o->countries[i].country, country) == 0)
			return &o->countries[i];
	if (i == OVERVIEW_COUNTRIES_MAX)
		return NULL;
	o->countries_len++;
	strcpy(o->countries[i].country, country);
	return &o->countries[i];
}

static enum rc
read_numbers(struct db *db, const char *service_id, struct overview *o)
{
	const enum sql sql = SQL_METRICS_NUMBERS;
	struct overview_country *row;
	char country[3];
	enum rc rc;
	int i;

	for (rc = db_first(db, sql, DB_ARGS(DB_TEXT(service_id))); rc == RC_OK;
	     rc = db_next(db, sql)) {
		db_column_copy(db, sql, 1, country, sizeof country);
		row = find_country(o, country);
		for (i = 0; i < OVERVIEW_STATE__MAX && row != NULL; i++)
			if (strcmp(states[i], db_column_text(db, sql, 0)) == 0)
				row->counts[i] = db_column_int(db, sql, 2);
	}
	return rc == RC_NONE ? RC_OK : rc;
}

int
overview_days_left(double free, int64_t last_week, int64_t week_before)
{
	double days;

	if (free <= 0)
		return 0;
	if (free >= 1 || week_before <= 0 || last_week <= week_before)
		return -1;
	days = 7 * free / (1 - free) * (double)last_week /
	       (double)(last_week - week_before);
	return days <= DAYS_MAX ? (int)days : -1;
}

static enum rc
read_days_left(struct db *db, const char *service_id, struct overview *o)
{
	/* Whole hours only. */
	int64_t until = o->now - o->now % TALLY_HOUR_S;
	int64_t first, last_week, week_before;
	enum rc rc;

	o->days_left = -1;
	rc = tally_first(db, &first, service_id);
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	if (first > until - 2 * WEEK_S && o->free > 0)
		return RC_OK;
	if ((rc = tally_sum(db, &last_week, service_id, TALLY_SESSIONS_OPENED,
		 until - WEEK_S, until)) != RC_OK ||
	    (rc = tally_sum(db, &week_before, service_id, TALLY_SESSIONS_OPENED,
		 until - 2 * WEEK_S, until - WEEK_S)) != RC_OK)
		return rc;
	o->days_left = overview_days_left(o->free, last_week, week_before);
	return RC_OK;
}

static enum rc
read_pool(struct db *db, const char *service_id, struct overview *o)
{
	enum rc rc;

	if ((rc = read_numbers(db, service_id, o)) != RC_OK)
		return rc;
	rc = metrics_room(db, service_id, o->now * 1000, &o->free);
	if (rc != RC_OK && rc != RC_NONE)
		return rc;
	o->met = rc == RC_OK;
	return read_days_left(db, service_id, o);
}

static enum rc
read_deliveries(
    struct db *db, const char *service_id, int64_t now_ms, struct overview *o)
{
	enum rc rc;
	int i;

	for (i = 0; i < OUTBOX_CHANNEL__MAX; i++) {
		enum outbox_channel channel = (enum outbox_channel)i;

		if ((rc = metrics_waiting(
			 db, service_id, channel, &o->waiting[i])) != RC_OK ||
		    (rc = metrics_late(db, service_id, channel, now_ms,
			 &o->late_ms[i])) != RC_OK)
			return rc;
	}
	return metrics_parked(db, service_id, &o->parked);
}

/* What is read, of one moment. */
struct reading {
	const char *service_id;
	int64_t now_ms;
	struct overview *overview;
};

static enum rc
read_all(struct db *db, void *cookie)
{
	const struct reading *r = cookie;
	struct overview *o = r->overview;
	struct service service;
	enum rc rc;

	*o = (struct overview){ .now = r->now_ms / 1000 };
	if ((rc = service_find(db, &service, r->service_id)) != RC_OK)
		return rc == RC_NOT_FOUND ? RC_CORRUPT : rc;
	/* A call whose end nobody told us of is not counted for ever. */
	if ((rc = session_count_open(
		 db, r->service_id, o->now, &o->sessions_open)) != RC_OK ||
	    (rc = call_count_running(db, &o->calls_now, r->service_id,
		 o->now - service.call_limit_s - RINGING_S)) != RC_OK ||
	    (rc = tally_list(db, r->service_id, TALLY_HOUR_S,
		 o->now - o->now % DAY_S, add_tally, o)) != RC_OK ||
	    (rc = read_pool(db, r->service_id, o)) != RC_OK)
		return rc;
	return read_deliveries(db, r->service_id, r->now_ms, o);
}

enum rc
overview_read(struct db *db, const char *service_id, int64_t now_ms,
    struct overview *overview)
{
	struct reading reading = { service_id, now_ms, overview };

	return db_snapshot(db, read_all, &reading);
}
