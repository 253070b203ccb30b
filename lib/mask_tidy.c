/*
 * What the service does from time to time: tells of sessions that expire, and
 * forgets what is past its time of keeping. All in small steps, for whoever
 * writes keeps others waiting.
 *
 * Nothing is forgotten that something else still needs: legs stay until they
 * are held no longer (leg.h), a session as long as its legs and as long as
 * Twilio has a recording of it.
 */

#include "mask.h"

#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "code.h"
#include "event.h"
#include "outbox.h"
#include "tally.h"

#define HOUR_S 3600
#define DAY_S 86400

/* Rows that one step changes at most, more or less. */
#define STEP 200

/* How long is kept what no setting rules, seconds: deliveries that are done,
 * calls on none of our numbers, minutes of talk. */
#define DONE_KEPT_S (7 * DAY_S)
#define FOREIGN_KEPT_S (30 * DAY_S)
#define USAGE_KEPT_DAYS 400
/* Longer than anything is tried to be delivered: no event is forgotten on its
 * way. */
#define DELIVERY_S (2 * DAY_S)

/* A service and how long it keeps things. */
struct keeping {
	char id[ID_SIZE];
	int64_t expiring_s;
	int64_t texts_s;      /* 0: until sent */
	int64_t recordings_s; /* at least a day */
	int64_t all_s;        /* 0: for ever */
};

/* A step under way. */
struct sweep {
	const struct mask *mask;
	struct db *db;
	int64_t now; /* epoch seconds */
	int left;    /* rows that may still be changed */
};

/* --- Sessions that expire */

enum rc
mask_expire(const struct mask *mask, const char *service_id, const char *id,
    int64_t expires_at)
{
	enum rc rc;

	rc = session_close(mask->db, service_id, id, expires_at, true);
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	return event_put(mask->db,
	    &(struct event){ .service_id = service_id,
		.type = EVENT_SESSION_EXPIRED,
		.session_id = id },
	    mask->now_ms);
}

/* A session that was found. */
struct found {
	char id[ID_SIZE];
	char service_id[ID_SIZE];
	int64_t expires_at;
};

static enum rc
close_expired(struct sweep *sweep)
{
	const enum sql sql = SQL_TIDY_EXPIRED;
	struct found found[STEP];
	int len = 0, i;
	enum rc rc;

	rc = db_first(
	    sweep->db, sql, DB_ARGS(DB_INT(sweep->now), DB_INT(sweep->left)));
	for (; rc == RC_OK && len < STEP; rc = db_next(sweep->db, sql), len++) {
		db_column_copy(sweep->db, sql, 0, found[len].id, ID_SIZE);
		db_column_copy(
		    sweep->db, sql, 1, found[len].service_id, ID_SIZE);
		found[len].expires_at = db_column_int(sweep->db, sql, 2);
	}
	db_done(sweep->db, sql);
	for (i = 0; i < len && (rc == RC_OK || rc == RC_NONE); i++)
		rc = mask_expire(sweep->mask, found[i].service_id, found[i].id,
		    found[i].expires_at);
	sweep->left -= len;
	return rc == RC_NONE ? RC_OK : rc;
}

/* Tells of the sessions of a service that will soon expire; those that have
 * are closed by now. */
static enum rc
tell_expiring(struct sweep *sweep, const struct keeping *keeping)
{
	const enum sql sql = SQL_TIDY_EXPIRING;
	char ids[STEP][ID_SIZE];
	int len = 0, i;
	enum rc rc;

	rc = db_first(sweep->db, sql,
	    DB_ARGS(DB_TEXT(keeping->id),
		DB_INT(sweep->now + keeping->expiring_s), DB_INT(sweep->left)));
	for (; rc == RC_OK && len < STEP; rc = db_next(sweep->db, sql))
		db_column_copy(sweep->db, sql, 0, ids[len++], ID_SIZE);
	db_done(sweep->db, sql);
	for (i = 0; i < len && (rc == RC_OK || rc == RC_NONE); i++) {
		rc = db_run(sweep->db, SQL_TIDY_TELL_EXPIRING,
		    DB_ARGS(DB_TEXT(ids[i]), DB_INT(sweep->now)));
		if (rc == RC_OK)
			rc = event_put(sweep->db,
			    &(struct event){ .service_id = keeping->id,
				.type = EVENT_SESSION_EXPIRING,
				.session_id = ids[i] },
			    sweep->mask->now_ms);
	}
	sweep->left -= len;
	return rc == RC_NONE ? RC_OK : rc;
}

/* --- Forgetting */

/* Runs a statement that changes rows and returns each. */
static enum rc
drop(struct sweep *sweep, enum sql sql, const struct db_arg *args)
{
	enum rc rc;

	if (sweep->left <= 0)
		return RC_OK;
	rc = db_first(sweep->db, sql, args);
	for (; rc == RC_OK; rc = db_next(sweep->db, sql))
		sweep->left--;
	return rc == RC_NONE ? RC_OK : rc;
}

/* A session that is due to be forgotten. */
struct due {
	char id[ID_SIZE];
	char erasure_id[ID_SIZE]; /* "": it was not erased */
	int64_t closed_at;
};

/* Deletes all of a session, or as much as a step allows. */
static enum rc
forget_session(struct sweep *sweep, const char *id)
{
	const struct db_arg session = DB_TEXT(id);
	static const enum sql parts[] = { SQL_TIDY_SESSION_MESSAGES,
		SQL_TIDY_SESSION_RECORDINGS, SQL_TIDY_SESSION_CALLS };
	enum rc rc;
	size_t i;

	for (i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		rc = drop(
		    sweep, parts[i], DB_ARGS(session, DB_INT(sweep->left)));
		/* With nothing left there may be more of it. */
		if (rc != RC_OK || sweep->left <= 0)
			return rc;
	}
	if ((rc = drop(sweep, SQL_TIDY_SESSION_INTENTS, DB_ARGS(session))) !=
		RC_OK ||
	    (rc = db_run(sweep->db, SQL_TIDY_SESSION_LEGS,
		 DB_ARGS(session, DB_INT(sweep->now)))) != RC_OK ||
	    (rc = db_run(sweep->db, SQL_TIDY_SESSION_PARTIES,
		 DB_ARGS(session))) != RC_OK)
		return rc;
	sweep->left--;
	return db_run(sweep->db, SQL_TIDY_SESSION, DB_ARGS(session));
}

/* Stores until when a session that is due is needed all the same; 0: it is
 * not. */
static enum rc
needed_until(struct sweep *sweep, const struct keeping *keeping,
    const struct due *due, int64_t *until)
{
	const enum sql sql = SQL_TIDY_NEEDED;
	int64_t held_until, recorded_at;
	enum rc rc;

	*until = 0;
	if ((rc = db_first(sweep->db, sql, DB_ARGS(DB_TEXT(due->id)))) != RC_OK)
		return rc == RC_NONE ? RC_CORRUPT : rc;
	held_until = db_column_int(sweep->db, sql, 0);
	recorded_at = db_column_int(sweep->db, sql, 1);
	db_done(sweep->db, sql);
	if (held_until > sweep->now)
		*until = held_until;
	if (recorded_at == 0)
		return RC_OK;
	/* Until the recording is due; then Twilio is waited for. */
	recorded_at += keeping->recordings_s + HOUR_S;
	if (recorded_at <= sweep->now)
		recorded_at = sweep->now + DAY_S;
	if (recorded_at > *until)
		*until = recorded_at;
	return RC_OK;
}

/* Puts a session off: it is looked at again then. */
static enum rc
put_off(struct sweep *sweep, const struct due *due, int64_t until)
{
	sweep->left--;
	return db_run(
	    sweep->db, SQL_TIDY_KEEP, DB_ARGS(DB_TEXT(due->id), DB_INT(until)));
}

/* Forgets a session that is due, or puts it off while something needs it. */
static enum rc
settle(
    struct sweep *sweep, const struct keeping *keeping, const struct due *due)
{
	int64_t until;
	enum rc rc;

	rc = needed_until(sweep, keeping, due, &until);
	if (rc != RC_OK)
		return rc;
	return until == 0 ? forget_session(sweep, due->id)
			  : put_off(sweep, due, until);
}

/* The same for an erased one, whatever the time of keeping. In its first day
 * there may be calls and recordings that end late. */
static enum rc
settle_erased(
    struct sweep *sweep, const struct keeping *keeping, const struct due *due)
{
	int64_t day_over = due->closed_at + DAY_S, until;
	enum rc rc;
	bool all;

	rc = mask_erase_again(
	    sweep->mask, keeping->id, due->id, due->erasure_id, &all);
	if (rc != RC_OK || !all) {
		sweep->left = 0;
		return rc;
	}
	if ((rc = needed_until(sweep, keeping, due, &until)) != RC_OK)
		return rc;
	if (until == 0 && day_over <= sweep->now)
		return forget_session(sweep, due->id);
	return put_off(
	    sweep, due, sweep->now + (day_over > sweep->now ? HOUR_S : DAY_S));
}

/* Forgets the sessions of a service that ended long ago. */
static enum rc
forget_ended(struct sweep *sweep, const struct keeping *keeping)
{
	const enum sql sql = SQL_TIDY_ENDED;
	struct due due = { .erasure_id = "" };
	enum rc rc = RC_OK;

	while (rc == RC_OK && sweep->left > 0) {
		rc = db_first(sweep->db, sql,
		    DB_ARGS(DB_TEXT(keeping->id),
			DB_INT(sweep->now - keeping->all_s)));
		if (rc != RC_OK)
			break;
		db_column_copy(sweep->db, sql, 0, due.id, sizeof due.id);
		due.closed_at = db_column_int(sweep->db, sql, 1);
		db_done(sweep->db, sql);
		rc = settle(sweep, keeping, &due);
	}
	return rc == RC_NONE ? RC_OK : rc;
}

/* Reads what a service keeps from the first columns of a row. */
static void
read_keeping(struct db *db, enum sql sql, struct keeping *keeping)
{
	*keeping = (struct keeping){
		.expiring_s = db_column_int(db, sql, 1),
		.texts_s = db_column_int(db, sql, 2) * DAY_S,
		.recordings_s = db_column_int(db, sql, 3) * DAY_S,
		.all_s = db_column_int(db, sql, 4) * DAY_S,
	};
	db_column_copy(db, sql, 0, keeping->id, sizeof keeping->id);
}

/* Reads the service after the one called after. RC_NONE. */
static enum rc
next_service(struct db *db, const char *after, struct keeping *keeping)
{
	const enum sql sql = SQL_TIDY_SERVICES;
	enum rc rc;

	rc = db_first(db, sql, DB_ARGS(DB_TEXT(after)));
	if (rc == RC_OK)
		read_keeping(db, sql, keeping);
	db_done(db, sql);
	return rc;
}

/* Looks again at sessions that were put off. The time of keeping may have been
 * made longer meanwhile. */
static enum rc
look_again(struct sweep *sweep)
{
	const enum sql sql = SQL_TIDY_KEPT;
	struct keeping keeping;
	struct due due;
	enum rc rc = RC_OK;

	while (rc == RC_OK && sweep->left > 0) {
		rc = db_first(sweep->db, sql, DB_ARGS(DB_INT(sweep->now)));
		if (rc != RC_OK)
			break;
		read_keeping(sweep->db, sql, &keeping);
		db_column_copy(sweep->db, sql, 5, due.id, sizeof due.id);
		due.closed_at = db_column_int(sweep->db, sql, 6);
		db_column_copy(
		    sweep->db, sql, 7, due.erasure_id, sizeof due.erasure_id);
		db_done(sweep->db, sql);
		if (due.erasure_id[0] != '\0') {
			rc = settle_erased(sweep, &keeping, &due);
		} else if (keeping.all_s != 0 &&
			   due.closed_at < sweep->now - keeping.all_s) {
			rc = settle(sweep, &keeping, &due);
		} else {
			sweep->left--;
			rc = db_run(sweep->db, SQL_TIDY_KEEP,
			    DB_ARGS(DB_TEXT(due.id), DB_NULL));
		}
	}
	return rc == RC_NONE ? RC_OK : rc;
}

/* Has Twilio delete recordings that sql finds; service_id NULL: the row says
 * whose account it is on. */
static enum rc
delete_recordings(struct sweep *sweep, enum sql sql, const char *service_id,
    const struct db_arg *args)
{
	struct {
		char id[ID_SIZE], service_id[ID_SIZE];
		char thing[OUTBOX_SUBJECT_SIZE];
	} found[STEP];
	int len = 0, i;
	enum rc rc;

	if (sweep->left <= 0)
		return RC_OK;
	rc = db_first(sweep->db, sql, args);
	for (; rc == RC_OK && len < STEP; rc = db_next(sweep->db, sql), len++) {
		db_column_copy(sweep->db, sql, 0, found[len].id, ID_SIZE);
		snprintf(found[len].thing, sizeof found[len].thing,
		    "Recordings/%s", db_column_text(sweep->db, sql, 1));
		snprintf(found[len].service_id, ID_SIZE, "%s",
		    service_id != NULL ? service_id
				       : db_column_text(sweep->db, sql, 2));
	}
	db_done(sweep->db, sql);
	for (i = 0; i < len && (rc == RC_OK || rc == RC_NONE); i++) {
		rc = db_run(sweep->db, SQL_TIDY_RECORDING_DELETING,
		    DB_ARGS(DB_TEXT(found[i].id)));
		if (rc == RC_OK)
			rc = outbox_put(sweep->db,
			    &(struct outbox_item){
				.service_id = found[i].service_id,
				.kind = OUTBOX_ERASE,
				.subject_id = found[i].thing },
			    sweep->mask->now_ms);
	}
	sweep->left -= len;
	return rc == RC_NONE ? RC_OK : rc;
}

/* Forgets the oldest events. Their numbers run with time, so that the first
 * one young enough ends it. */
static enum rc
forget_events(struct sweep *sweep, const struct keeping *keeping)
{
	const enum sql sql = SQL_TIDY_EVENTS;
	int64_t kept_s = keeping->all_s, last = 0;
	enum rc rc;

	if (sweep->left <= 0)
		return RC_OK;
	if (kept_s < DELIVERY_S)
		kept_s = DELIVERY_S;
	rc = db_first(
	    sweep->db, sql, DB_ARGS(DB_TEXT(keeping->id), DB_INT(sweep->left)));
	for (; rc == RC_OK; rc = db_next(sweep->db, sql)) {
		if (db_column_int(sweep->db, sql, 1) >= sweep->now - kept_s)
			break;
		last = db_column_int(sweep->db, sql, 0);
		sweep->left--;
	}
	db_done(sweep->db, sql);
	if ((rc != RC_OK && rc != RC_NONE) || last == 0)
		return rc == RC_NONE ? RC_OK : rc;
	return db_run(sweep->db, SQL_TIDY_EVENTS_UNTIL,
	    DB_ARGS(DB_TEXT(keeping->id), DB_INT(last)));
}

/* Forgets of a service what is ruled by its settings. */
static enum rc
forget_of_service(struct sweep *sweep, const struct keeping *keeping)
{
	const struct db_arg id = DB_TEXT(keeping->id);
	const struct db_arg keep_from = DB_INT(sweep->now - keeping->all_s);
	int64_t texts;
	enum rc rc;

	if ((rc = message_forget(sweep->db, keeping->id,
		 sweep->now - keeping->texts_s, sweep->left, &texts)) != RC_OK)
		return rc;
	sweep->left -= (int)texts;
	if ((rc = delete_recordings(sweep, SQL_TIDY_RECORDINGS_DUE, keeping->id,
		 DB_ARGS(id, DB_INT(sweep->now - keeping->recordings_s),
		     DB_INT(sweep->left)))) != RC_OK ||
	    (rc = drop(sweep, SQL_TIDY_OUTBOX,
		 DB_ARGS(id, DB_TEXT("done"), DB_INT(sweep->now - DONE_KEPT_S),
		     DB_INT(sweep->left)))) != RC_OK ||
	    (rc = drop(sweep, SQL_TIDY_USAGE,
		 DB_ARGS(id, DB_INT(sweep->now / DAY_S - USAGE_KEPT_DAYS)))) !=
		RC_OK ||
	    (rc = drop(sweep, SQL_TALLY_PURGE,
		 DB_ARGS(id, DB_INT(TALLY_MINUTE_S),
		     DB_INT(sweep->now - TALLY_MINUTES_KEPT_S),
		     DB_INT(sweep->left)))) != RC_OK ||
	    (rc = drop(sweep, SQL_TALLY_PURGE,
		 DB_ARGS(id, DB_INT(TALLY_HOUR_S),
		     DB_INT(sweep->now - TALLY_HOURS_KEPT_S),
		     DB_INT(sweep->left)))) != RC_OK ||
	    keeping->all_s == 0)
		return rc;
	if ((rc = forget_ended(sweep, keeping)) != RC_OK ||
	    (rc = drop(sweep, SQL_TIDY_CALLS,
		 DB_ARGS(id, keep_from, DB_INT(sweep->left)))) != RC_OK ||
	    (rc = drop(sweep, SQL_TIDY_MESSAGES,
		 DB_ARGS(id, keep_from, DB_INT(sweep->left)))) != RC_OK ||
	    (rc = drop(sweep, SQL_TIDY_OUTBOX,
		 DB_ARGS(id, DB_TEXT("parked"), keep_from,
		     DB_INT(sweep->left)))) != RC_OK)
		return rc;
	return forget_events(sweep, keeping);
}

/* Forgets what belongs to no service or is kept alike for all. */
static enum rc
forget_common(struct sweep *sweep)
{
	const struct db_arg now = DB_INT(sweep->now);
	const struct db_arg long_ago = DB_INT(sweep->now - FOREIGN_KEPT_S);
	enum rc rc;

	if ((rc = drop(sweep, SQL_IDEMPOTENCY_PURGE,
		 DB_ARGS(now, DB_INT(sweep->left)))) != RC_OK ||
	    (rc = drop(sweep, SQL_TIDY_CODE_TRIES,
		 DB_ARGS(DB_INT(sweep->now - HOUR_S), DB_INT(sweep->left)))) !=
		RC_OK ||
	    (rc = drop(sweep, SQL_TIDY_INTENTS,
		 DB_ARGS(now, DB_INT(sweep->left)))) != RC_OK ||
	    (rc = delete_recordings(sweep, SQL_TIDY_RECORDINGS_DUE_STRAY, NULL,
		 DB_ARGS(long_ago, DB_INT(sweep->left)))) != RC_OK ||
	    (rc = drop(sweep, SQL_TIDY_RECORDINGS,
		 DB_ARGS(long_ago, DB_INT(sweep->left)))) != RC_OK ||
	    (rc = drop(sweep, SQL_TIDY_CALLS_FOREIGN,
		 DB_ARGS(long_ago, DB_INT(sweep->left)))) != RC_OK ||
	    (rc = drop(sweep, SQL_SIGN_IN_PURGE,
		 DB_ARGS(now, DB_INT(sweep->left)))) != RC_OK ||
	    (rc = drop(sweep, SQL_AUDIT_PURGE,
		 DB_ARGS(DB_INT(sweep->now - AUDIT_KEPT_S),
		     DB_INT(sweep->left)))) != RC_OK)
		return rc;
	return drop(sweep, SQL_TIDY_MESSAGES_FOREIGN,
	    DB_ARGS(long_ago, DB_INT(sweep->left)));
}

/* --- Steps */

enum rc
mask_tidy(const struct mask *mask)
{
	struct sweep sweep = { .mask = mask,
		.db = mask->db,
		.now = mask->now_ms / 1000,
		.left = STEP };
	struct keeping keeping = { .id = "" };
	enum rc rc;

	/* What somebody waits for comes first. */
	if ((rc = close_expired(&sweep)) != RC_OK)
		return rc;
	while (sweep.left > 0 &&
	       (rc = next_service(mask->db, keeping.id, &keeping)) == RC_OK) {
		if ((rc = tell_expiring(&sweep, &keeping)) != RC_OK)
			return rc;
	}
	if (rc != RC_OK && rc != RC_NONE)
		return rc;
	keeping.id[0] = '\0';
	if ((rc = look_again(&sweep)) != RC_OK ||
	    (rc = forget_common(&sweep)) != RC_OK)
		return rc;
	while (sweep.left > 0 &&
	       (rc = next_service(mask->db, keeping.id, &keeping)) == RC_OK) {
		if ((rc = forget_of_service(&sweep, &keeping)) != RC_OK)
			return rc;
	}
	if (rc != RC_OK && rc != RC_NONE)
		return rc;
	return sweep.left < STEP ? RC_OK : RC_NONE;
}

/* Lowers *due to the first column of the row that a statement finds, less
 * early. */
static enum rc
look_ahead(struct db *db, enum sql sql, const struct db_arg *args,
    int64_t early, int64_t *due)
{
	enum rc rc;

	rc = db_first(db, sql, args);
	if (rc == RC_OK && db_column_int(db, sql, 0) - early < *due)
		*due = db_column_int(db, sql, 0) - early;
	db_done(db, sql);
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
mask_tidy_due(const struct mask *mask, int64_t *due_ms)
{
	int64_t now = mask->now_ms / 1000, due = now + HOUR_S;
	struct keeping keeping = { .id = "" };
	enum rc rc;

	if ((rc = look_ahead(mask->db, SQL_TIDY_NEXT_EXPIRY, NULL, 0, &due)) !=
		RC_OK ||
	    (rc = look_ahead(mask->db, SQL_TIDY_NEXT_LOOK, NULL, 0, &due)) !=
		RC_OK)
		return rc;
	while ((rc = next_service(mask->db, keeping.id, &keeping)) == RC_OK) {
		rc = look_ahead(mask->db, SQL_TIDY_NEXT_NOTICE,
		    DB_ARGS(DB_TEXT(keeping.id)), keeping.expiring_s, &due);
		if (rc != RC_OK)
			return rc;
	}
	if (rc != RC_NONE)
		return rc;
	*due_ms = due * 1000;
	return RC_OK;
}
