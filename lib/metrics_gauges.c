/*
 * What the database says of the moment. Each family is written by itself, for
 * its samples must stand together.
 */

#include "metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "number.h"
#include "outbox.h"

static const char *const channels[OUTBOX_CHANNEL__MAX] = {
	[OUTBOX_APP] = "app",
	[OUTBOX_TWILIO] = "twilio",
};

/* What a family tells of a service. */
typedef enum rc (*tell_service)(struct buf *out, struct db *db, const char *id,
    const char *name, int64_t now_ms);

enum rc
metrics_next_service(struct db *db, char id[ID_SIZE], char name[64])
{
	const enum sql sql = SQL_METRICS_SERVICES;
	enum rc rc;

	if ((rc = db_first(db, sql, DB_ARGS(DB_TEXT(id)))) != RC_OK)
		return rc;
	db_column_copy(db, sql, 0, id, ID_SIZE);
	db_column_copy(db, sql, 1, name, 64);
	db_done(db, sql);
	return RC_OK;
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

enum rc
metrics_room(
    struct db *db, const char *service_id, int64_t now_ms, double *free)
{
	struct number_wish wish = { .service_id = service_id,
		.now = now_ms / 1000 };
	int64_t numbers, few;
	struct pairs pairs;
	double least = 1;
	enum rc rc;
	int i;

	if ((rc = read_pairs(db, service_id, &pairs)) != RC_OK)
		return rc;
	for (i = 0; i < pairs.len; i++) {
		wish.persons[0] = pairs.persons[i][0];
		wish.persons[1] = pairs.persons[i][1];
		if ((rc = number_room(db, &wish, &numbers, &few)) != RC_OK)
			return rc;
		if (numbers == 0)
			least = 0;
		else if ((double)few / (double)numbers < least)
			least = (double)few / (double)numbers;
	}
	*free = least;
	return pairs.len > 0 ? RC_OK : RC_NONE;
}

static enum rc
tell_room(struct buf *out, struct db *db, const char *id, const char *name,
    int64_t now_ms)
{
	double least = 1;
	enum rc rc;

	rc = metrics_room(db, id, now_ms, &least);
	if (rc != RC_OK && rc != RC_NONE)
		return rc;
	buf_puts(out, "callmask_pool_free_ratio{");
	metrics_label(out, "service", name);
	buf_printf(out, "} %.3f\n", least);
	return RC_OK;
}

/* Runs a statement whose one row is a count. */
static enum rc
read_count(
    struct db *db, enum sql sql, const struct db_arg *args, int64_t *count)
{
	enum rc rc;

	if ((rc = db_first(db, sql, args)) != RC_OK)
		return rc == RC_NONE ? RC_CORRUPT : rc;
	*count = db_column_int(db, sql, 0);
	db_done(db, sql);
	return RC_OK;
}

enum rc
metrics_waiting(struct db *db, const char *service_id,
    enum outbox_channel channel, int64_t *count)
{
	return read_count(db, SQL_METRICS_WAITING,
	    DB_ARGS(DB_TEXT(service_id), DB_TEXT(channels[channel])), count);
}

enum rc
metrics_parked(struct db *db, const char *service_id, int64_t *count)
{
	return read_count(
	    db, SQL_METRICS_PARKED, DB_ARGS(DB_TEXT(service_id)), count);
}

static enum rc
tell_waiting(struct buf *out, struct db *db, const char *id, const char *name,
    int64_t now_ms)
{
	int64_t count;
	enum rc rc;
	int i;

	(void)now_ms;
	for (i = 0; i < OUTBOX_CHANNEL__MAX; i++) {
		rc = metrics_waiting(db, id, (enum outbox_channel)i, &count);
		if (rc != RC_OK)
			return rc;
		buf_puts(out, "callmask_outbox_waiting{");
		metrics_label(out, "service", name);
		buf_printf(
		    out, ",channel=\"%s\"} %" PRId64 "\n", channels[i], count);
	}
	return RC_OK;
}

static enum rc
tell_parked(struct buf *out, struct db *db, const char *id, const char *name,
    int64_t now_ms)
{
	int64_t count;
	enum rc rc;

	(void)now_ms;
	if ((rc = metrics_parked(db, id, &count)) != RC_OK)
		return rc;
	buf_puts(out, "callmask_outbox_parked{");
	metrics_label(out, "service", name);
	buf_printf(out, "} %" PRId64 "\n", count);
	return RC_OK;
}

/* What waits behind another in its lane is not due. */
enum rc
metrics_late(struct db *db, const char *service_id, enum outbox_channel channel,
    int64_t now_ms, int64_t *late_ms)
{
	const enum sql sql = SQL_OUTBOX_NEXT;
	int64_t due_ms;
	enum rc rc;

	*late_ms = 0;
	rc = db_first(
	    db, sql, DB_ARGS(DB_TEXT(service_id), DB_TEXT(channels[channel])));
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	due_ms = db_column_int(db, sql, 0);
	if (due_ms < now_ms)
		*late_ms = now_ms - due_ms;
	db_done(db, sql);
	return RC_OK;
}

static enum rc
tell_lag(struct buf *out, struct db *db, const char *id, const char *name,
    int64_t now_ms)
{
	int64_t lag_ms;
	enum rc rc;
	int i;

	for (i = 0; i < OUTBOX_CHANNEL__MAX; i++) {
		rc = metrics_late(
		    db, id, (enum outbox_channel)i, now_ms, &lag_ms);
		if (rc != RC_OK)
			return rc;
		buf_puts(out, "callmask_outbox_lag_seconds{");
		metrics_label(out, "service", name);
		buf_printf(out, ",channel=\"%s\"} %.3f\n", channels[i],
		    (double)lag_ms / 1000);
	}
	return RC_OK;
}

enum rc
metrics_lag(struct db *db, int64_t now_ms, int64_t *lag_ms)
{
	char id[ID_SIZE] = "", name[64];
	int64_t most_ms = 0, each_ms;
	enum rc rc;

	while ((rc = metrics_next_service(db, id, name)) == RC_OK) {
		rc = metrics_late(db, id, OUTBOX_TWILIO, now_ms, &each_ms);
		if (rc != RC_OK)
			return rc;
		if (each_ms > most_ms)
			most_ms = each_ms;
	}
	if (rc != RC_NONE)
		return rc;
	*lag_ms = most_ms;
	return RC_OK;
}

/* A family of samples of each service. */
struct family {
	tell_service tell;
	const char *name, *help;
};

static enum rc
tell_open(struct buf *out, struct db *db, int64_t now_ms)
{
	const enum sql sql = SQL_METRICS_OPEN;
	enum rc rc;

	if ((rc = db_first(db, sql, DB_ARGS(DB_INT(now_ms / 1000)))) != RC_OK)
		return rc;
	metrics_family(out, "callmask_sessions_open", "gauge",
	    "Open sessions, up to 100000.");
	buf_printf(out, "callmask_sessions_open %" PRId64 "\n",
	    db_column_int(db, sql, 0));
	db_done(db, sql);
	return RC_OK;
}

/* Writes a family of which each service has samples. */
static enum rc
tell_family(
    struct buf *out, struct db *db, int64_t now_ms, const struct family *family)
{
	char id[ID_SIZE] = "", name[64];
	enum rc rc;

	metrics_family(out, family->name, "gauge", family->help);
	while ((rc = metrics_next_service(db, id, name)) == RC_OK)
		if ((rc = family->tell(out, db, id, name, now_ms)) != RC_OK)
			return rc;
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
metrics_gauges(struct buf *out, struct db *db, int64_t now_ms)
{
	static const struct family families[] = {
		{ tell_numbers, "callmask_numbers", "Masked numbers." },
		{ tell_room, "callmask_pool_free_ratio",
		    "How much of the pool is free for two people: the least "
		    "among those of the 16 newest sessions." },
		{ tell_waiting, "callmask_outbox_waiting",
		    "Deliveries that wait, up to 10000." },
		{ tell_parked, "callmask_outbox_parked",
		    "Deliveries given up and not tried anew, up to 10000." },
		{ tell_lag, "callmask_outbox_lag_seconds",
		    "For how long the oldest delivery that is due has been." },
	};
	size_t i;
	enum rc rc;

	rc = tell_open(out, db, now_ms);
	for (i = 0; i < sizeof families / sizeof families[0] && rc == RC_OK;
	     i++)
		rc = tell_family(out, db, now_ms, &families[i]);
	return rc;
}
