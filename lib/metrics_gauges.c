/*
 * What the database says of the moment. Each family is written by itself, for
 * its samples must stand together.
 */

#include "metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "number.h"

/* What a family tells of a service. */
typedef enum rc (*tell_service)(struct buf *out, struct db *db, const char *id,
    const char *name, int64_t now_ms);

/* Calls tell for each service. */
static enum rc
each_service(struct buf *out, struct db *db, int64_t now_ms, tell_service tell)
{
	const enum sql sql = SQL_METRICS_SERVICES;
	char id[ID_SIZE] = "", name[64];
	enum rc rc;

	while ((rc = db_first(db, sql, DB_ARGS(DB_TEXT(id)))) == RC_OK) {
		db_column_copy(db, sql, 0, id, sizeof id);
		db_column_copy(db, sql, 1, name, sizeof name);
		db_done(db, sql);
		if ((rc = tell(out, db, id, name, now_ms)) != RC_OK)
			return rc;
	}
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
tell_numbers(struct buf *out, struct db *db, const char *id, const char *name,
    int64_t now_ms)
{
	const enum sql sql = SQL_METRICS_NUMBERS;
	enum rc rc;

	(void)now_ms;
	for (rc = db_first(db, sql, DB_ARGS(DB_TEXT(id))); rc == RC_OK;
	     rc = db_next(db, sql)) {
		buf_puts(out, "callmask_numbers{");
		metrics_label(out, "service", name);
		buf_printf(out, ",country=\"%s\",state=\"%s\"} %" PRId64 "\n",
		    db_column_text(db, sql, 1), db_column_text(db, sql, 0),
		    db_column_int(db, sql, 2));
	}
	return rc == RC_NONE ? RC_OK : rc;
}

/* The people of the newest sessions: two hashes each. */
struct pairs {
	uint8_t persons[16][2][CRYPTO_HASH_SIZE];
	int len;
};

static enum rc
read_pairs(struct db *db, const char *id, struct pairs *pairs)
{
	const enum sql sql = SQL_METRICS_PAIRS;
	const void *person;
	size_t len;
	enum rc rc;
	int i;

	pairs->len = 0;
	for (rc = db_first(db, sql, DB_ARGS(DB_TEXT(id))); rc == RC_OK;
	     rc = db_next(db, sql)) {
		for (i = 0; i < 2; i++) {
			person = db_column_blob(db, sql, i, &len);
			if (len != CRYPTO_HASH_SIZE) {
				db_done(db, sql);
				return RC_CORRUPT;
			}
			memcpy(pairs->persons[pairs->len][i], person, len);
		}
		pairs->len++;
	}
	return rc == RC_NONE ? RC_OK : rc;
}

/* How much of the pool is free depends on who asks: the least that those who
 * met last have. */
static enum rc
tell_room(struct buf *out, struct db *db, const char *id, const char *name,
    int64_t now_ms)
{
	struct number_wish wish = { .service_id = id, .now = now_ms / 1000 };
	int64_t numbers, free;
	struct pairs pairs;
	double least = 1;
	enum rc rc;
	int i;

	if ((rc = read_pairs(db, id, &pairs)) != RC_OK)
		return rc;
	for (i = 0; i < pairs.len; i++) {
		wish.persons[0] = pairs.persons[i][0];
		wish.persons[1] = pairs.persons[i][1];
		if ((rc = number_room(db, &wish, &numbers, &free)) != RC_OK)
			return rc;
		if (numbers == 0)
			least = 0;
		else if ((double)free / (double)numbers < least)
			least = (double)free / (double)numbers;
	}
	buf_puts(out, "callmask_pool_free_ratio{");
	metrics_label(out, "service", name);
	buf_printf(out, "} %.3f\n", least);
	return RC_OK;
}

/* For how long something has been due, milliseconds; due_ms 0: nothing is. */
static int64_t
lag_of(int64_t due_ms, int64_t now_ms)
{
	return due_ms > 0 && due_ms < now_ms ? now_ms - due_ms : 0;
}

/* Writes one sample for each channel: how much waits, or how late it is. */
static enum rc
tell_outbox(struct buf *out, struct db *db, const char *id, const char *name,
    int64_t now_ms, bool lag)
{
	static const char *const channels[] = { "app", "twilio" };
	const enum sql sql = SQL_METRICS_WAITING;
	enum rc rc;
	int i;

	for (i = 0; i < 2; i++) {
		rc = db_first(
		    db, sql, DB_ARGS(DB_TEXT(id), DB_TEXT(channels[i])));
		if (rc != RC_OK)
			return rc;
		buf_printf(out, "callmask_outbox_%s{",
		    lag ? "lag_seconds" : "waiting");
		metrics_label(out, "service", name);
		buf_printf(out, ",channel=\"%s\"} ", channels[i]);
		if (lag)
			buf_printf(out, "%.3f\n",
			    (double)lag_of(db_column_int(db, sql, 1), now_ms) /
				1000);
		else
			buf_printf(
			    out, "%" PRId64 "\n", db_column_int(db, sql, 0));
		db_done(db, sql);
	}
	return RC_OK;
}

static enum rc
tell_waiting(struct buf *out, struct db *db, const char *id, const char *name,
    int64_t now_ms)
{
	return tell_outbox(out, db, id, name, now_ms, false);
}

static enum rc
tell_lag(struct buf *out, struct db *db, const char *id, const char *name,
    int64_t now_ms)
{
	return tell_outbox(out, db, id, name, now_ms, true);
}

enum rc
metrics_lag(struct db *db, int64_t now_ms, int64_t *lag_ms)
{
	const enum sql sql = SQL_METRICS_LAG;
	enum rc rc;

	if ((rc = db_first(db, sql, DB_ARGS(DB_TEXT("twilio")))) != RC_OK)
		return rc;
	*lag_ms = lag_of(db_column_int(db, sql, 0), now_ms);
	db_done(db, sql);
	return RC_OK;
}

/* A family of one number. */
static enum rc
tell_count(struct buf *out, struct db *db, enum sql sql,
    const struct db_arg *args, const char *name, const char *help)
{
	enum rc rc;

	if ((rc = db_first(db, sql, args)) != RC_OK)
		return rc;
	metrics_family(out, name, "gauge", help);
	buf_printf(out, "%s %" PRId64 "\n", name, db_column_int(db, sql, 0));
	db_done(db, sql);
	return RC_OK;
}

enum rc
metrics_gauges(struct buf *out, struct db *db, int64_t now_ms)
{
	static const struct {
		tell_service tell;
		const char *name, *help;
	} families[] = {
		{ tell_numbers, "callmask_numbers", "Masked numbers." },
		{ tell_room, "callmask_pool_free_ratio",
		    "How much of the pool is free for two people: the least "
		    "among those of the 16 newest sessions." },
		{ tell_waiting, "callmask_outbox_waiting",
		    "Deliveries that wait, up to 10000." },
		{ tell_lag, "callmask_outbox_lag_seconds",
		    "For how long the oldest delivery that is due has been." },
	};
	size_t i;
	enum rc rc;

	rc = tell_count(out, db, SQL_METRICS_OPEN,
	    DB_ARGS(DB_INT(now_ms / 1000)), "callmask_sessions_open",
	    "Open sessions, up to 100000.");
	if (rc == RC_OK)
		rc = tell_count(out, db, SQL_METRICS_PARKED, NULL,
		    "callmask_outbox_parked",
		    "Deliveries given up and not tried anew, up to 10000.");
	for (i = 0; i < sizeof families / sizeof families[0] && rc == RC_OK;
	     i++) {
		metrics_family(
		    out, families[i].name, "gauge", families[i].help);
		rc = each_service(out, db, now_ms, families[i].tell);
	}
	return rc;
}
