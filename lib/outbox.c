/* The outbox: what must leave the system. */

#include "outbox.h"

#include <stdio.h>
#include <string.h>

#include "crypto.h"

static const char *const kinds[OUTBOX__MAX] = {
	[OUTBOX_EVENT] = "event",
	[OUTBOX_CALL] = "call",
	[OUTBOX_HANG_UP] = "hang_up",
	[OUTBOX_MESSAGE] = "message",
	[OUTBOX_ERASE] = "erase",
	[OUTBOX_NUMBER_CHECK] = "number_check",
	[OUTBOX_NUMBER_SET] = "number_set",
};

static const char *const channels[OUTBOX_CHANNEL__MAX] = {
	[OUTBOX_APP] = "app",
	[OUTBOX_TWILIO] = "twilio",
};

const char *
outbox_kind_name(enum outbox_kind kind)
{
	return kinds[kind];
}

/* Reads the word for a kind; a row has none but these. */
static enum outbox_kind
parse_kind(const char *word)
{
	int kind;

	for (kind = 0; kind < OUTBOX__MAX - 1; kind++)
		if (strcmp(kinds[kind], word) == 0)
			break;
	return (enum outbox_kind)kind;
}

enum rc
outbox_put(struct db *db, const struct outbox_item *item, int64_t now_ms)
{
	char id[ID_SIZE];

	id_make(id, "dlv", now_ms);
	return db_run(db, SQL_OUTBOX_PUT,
	    DB_ARGS(DB_TEXT(id), DB_TEXT(item->service_id),
		DB_TEXT(channels[item->kind == OUTBOX_EVENT ? OUTBOX_APP
							    : OUTBOX_TWILIO]),
		DB_TEXT(kinds[item->kind]), DB_TEXT(item->subject_id),
		DB_TEXT(item->lane),
		DB_INT(item->due_ms != 0 ? item->due_ms : now_ms),
		DB_INT(now_ms)));
}

enum rc
outbox_due(struct db *db, const char *service_id, enum outbox_channel channel,
    int64_t now_ms, int64_t *due_ms)
{
	enum rc rc;

	*due_ms = INT64_MAX;
	rc = db_first(db, SQL_OUTBOX_NEXT,
	    DB_ARGS(DB_TEXT(service_id), DB_TEXT(channels[channel])));
	if (rc == RC_OK)
		*due_ms = db_column_int(db, SQL_OUTBOX_NEXT, 0);
	db_done(db, SQL_OUTBOX_NEXT);
	return rc == RC_OK && *due_ms > now_ms ? RC_NONE : rc;
}

enum rc
outbox_claim(struct db *db, const char *service_id, enum outbox_channel channel,
    int max, struct outbox_delivery *out, int *len, int64_t now_ms)
{
	const enum sql sql = SQL_OUTBOX_LIST_DUE;
	int found = 0, i;
	enum rc rc;

	*len = 0;
	rc = db_first(db, sql,
	    DB_ARGS(DB_TEXT(service_id), DB_TEXT(channels[channel]),
		DB_INT(now_ms), DB_INT(max)));
	for (; rc == RC_OK; rc = db_next(db, sql)) {
		struct outbox_delivery *d = &out[found++];

		*d = (struct outbox_delivery){
			.kind = parse_kind(db_column_text(db, sql, 1)),
			.attempts = db_column_int(db, sql, 3),
			.lease = db_column_int(db, sql, 4),
			.doubt = db_column_int(db, sql, 5) != 0,
			.created_ms = db_column_int(db, sql, 6),
		};
		db_column_copy(db, sql, 0, d->id, sizeof d->id);
		db_column_copy(db, sql, 2, d->subject_id, sizeof d->subject_id);
		snprintf(d->service_id, sizeof d->service_id, "%s", service_id);
	}
	for (i = 0; i < found && rc == RC_NONE; i++) {
		rc = db_first(db, SQL_OUTBOX_LEASE,
		    DB_ARGS(DB_TEXT(out[i].id), DB_INT(out[i].lease),
			DB_INT(now_ms + OUTBOX_LEASE_MS)));
		db_done(db, SQL_OUTBOX_LEASE);
		if (rc == RC_OK) {
			out[i].attempts++;
			out[i].lease++;
			out[(*len)++] = out[i];
			rc = RC_NONE;
		}
	}
	return rc == RC_NONE ? RC_OK : rc;
}

int64_t
outbox_wait_ms(int64_t attempts)
{
	static const int32_t waits_s[] = { 5, 300, 1800, 7200, 18000, 36000,
		36000 };
	int64_t wait_ms;

	if (attempts < 1 || attempts > (int64_t)(sizeof waits_s / 4))
		return -1;
	wait_ms = (int64_t)waits_s[attempts - 1] * 1000;
	return wait_ms + crypto_random_below((uint32_t)(wait_ms / 5) + 1);
}

/* Writes a try down. */
static enum rc
note_attempt(struct db *db, const struct outbox_delivery *delivery,
    const struct outbox_result *result)
{
	const char *error = result->error;
	struct db_arg status = DB_INT(result->status);

	if (result->status == 0)
		status = (struct db_arg)DB_NULL;
	return db_run(db, SQL_ATTEMPT_INSERT,
	    DB_ARGS(DB_TEXT(delivery->id), DB_INT(result->started_ms),
		DB_INT(result->took_ms), status,
		DB_TEXT(error != NULL && error[0] != '\0' ? error : NULL)));
}

enum rc
outbox_finish(struct db *db, const struct outbox_delivery *delivery,
    const struct outbox_result *result, int64_t now_ms, bool *parked)
{
	int64_t wait_ms = 0;
	const char *state = "waiting";
	struct db_arg ended = DB_NULL;
	enum rc rc;

	*parked = false;
	if (result->verdict == OUTBOX_DONE) {
		state = "done";
	} else if (result->verdict != OUTBOX_AGAIN) {
		wait_ms = result->wait_ms != 0
			      ? result->wait_ms
			      : outbox_wait_ms(delivery->attempts);
		*parked = result->verdict == OUTBOX_PARK || wait_ms < 0;
		if (*parked)
			state = "parked";
		else if (wait_ms < result->retry_s * 1000)
			wait_ms = result->retry_s * 1000;
	}
	if (strcmp(state, "waiting") != 0)
		ended = (struct db_arg)DB_INT(now_ms / 1000);
	if ((rc = note_attempt(db, delivery, result)) != RC_OK)
		return rc;
	return db_run(db, SQL_OUTBOX_FINISH,
	    DB_ARGS(DB_TEXT(delivery->id), DB_INT(delivery->lease),
		DB_TEXT(state), DB_INT(now_ms + (wait_ms > 0 ? wait_ms : 0)),
		DB_INT(result->doubt), ended));
}

enum rc
outbox_numbers_end(
    struct db *db, const char *service_id, int64_t now_ms, int64_t *from_ms)
{
	const enum sql sql = SQL_OUTBOX_NUMBERS_END;
	enum rc rc;

	*from_ms = now_ms;
	rc = db_first(db, sql,
	    DB_ARGS(DB_TEXT(service_id), DB_INT(now_ms + OUTBOX_WAIT_MAX_MS)));
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	if (db_column_int(db, sql, 0) > now_ms)
		*from_ms = db_column_int(db, sql, 0);
	db_done(db, sql);
	return RC_OK;
}

enum rc
outbox_mine(struct db *db, const struct outbox_delivery *delivery)
{
	enum rc rc;

	rc = db_first(db, SQL_OUTBOX_MINE,
	    DB_ARGS(DB_TEXT(delivery->id), DB_INT(delivery->lease)));
	db_done(db, SQL_OUTBOX_MINE);
	return rc;
}

enum rc
outbox_services(
    struct db *db, const char *after, int max, char (*out)[ID_SIZE], int *len)
{
	const enum sql sql = SQL_OUTBOX_SERVICES;
	enum rc rc;

	*len = 0;
	rc = db_first(db, sql, DB_ARGS(DB_TEXT(after), DB_INT(max)));
	for (; rc == RC_OK; rc = db_next(db, sql))
		db_column_copy(db, sql, 0, out[(*len)++], ID_SIZE);
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
outbox_release(struct db *db, const struct outbox_delivery *delivery,
    bool doubt, int64_t now_ms)
{
	return db_run(db, SQL_OUTBOX_RELEASE,
	    DB_ARGS(DB_TEXT(delivery->id), DB_INT(delivery->lease),
		DB_INT(now_ms), DB_INT(doubt)));
}

enum rc
outbox_mend(struct db *db, int64_t now_ms)
{
	return db_run(db, SQL_OUTBOX_MEND,
	    DB_ARGS(DB_INT(now_ms), DB_INT(now_ms + OUTBOX_WAIT_MAX_MS)));
}

enum rc
outbox_cancel(struct db *db, enum outbox_kind kind, const char *subject_id,
    int64_t now_ms)
{
	enum rc rc;

	rc = db_first(db, SQL_OUTBOX_CANCEL,
	    DB_ARGS(DB_TEXT(kinds[kind]), DB_TEXT(subject_id),
		DB_INT(now_ms / 1000)));
	db_done(db, SQL_OUTBOX_CANCEL);
	return rc;
}

enum rc
outbox_waits(struct db *db, enum outbox_kind kind, const char *subject_id)
{
	enum rc rc;

	rc = db_first(db, SQL_OUTBOX_WAITS,
	    DB_ARGS(DB_TEXT(kinds[kind]), DB_TEXT(subject_id)));
	db_done(db, SQL_OUTBOX_WAITS);
	return rc;
}

enum rc
outbox_retry(struct db *db, const char *service_id, const char *id,
    int64_t now_ms, int64_t *count)
{
	const enum sql sql =
	    id != NULL ? SQL_OUTBOX_RETRY : SQL_OUTBOX_RETRY_ALL;
	enum rc rc;

	*count = 0;
	if (id != NULL)
		rc = db_first(db, sql,
		    DB_ARGS(DB_TEXT(service_id), DB_TEXT(id), DB_INT(now_ms)));
	else
		rc = db_first(db, sql,
		    DB_ARGS(DB_TEXT(service_id), DB_INT(now_ms),
			DB_INT(OUTBOX_RETRY_MAX)));
	for (; rc == RC_OK; rc = db_next(db, sql))
		++*count;
	return rc == RC_NONE ? RC_OK : rc;
}

static void
read_view(struct db *db, enum sql sql, struct outbox_view *view)
{
	*view = (struct outbox_view){
		.attempts = db_column_int(db, sql, 4),
		.due_ms = db_column_int(db, sql, 5),
		.created_ms = db_column_int(db, sql, 6),
		.status = db_column_int(db, sql, 7),
		.ended_at = db_column_int(db, sql, 10),
	};
	db_column_copy(db, sql, 9, view->channel, sizeof view->channel);
	db_column_copy(db, sql, 0, view->id, sizeof view->id);
	db_column_copy(db, sql, 1, view->kind, sizeof view->kind);
	db_column_copy(db, sql, 2, view->subject_id, sizeof view->subject_id);
	db_column_copy(db, sql, 3, view->state, sizeof view->state);
	db_column_copy(db, sql, 8, view->error, sizeof view->error);
}

enum rc
outbox_find(struct db *db, const char *service_id, const char *id,
    struct outbox_view *view)
{
	enum rc rc;

	rc = db_first(
	    db, SQL_OUTBOX_FIND, DB_ARGS(DB_TEXT(service_id), DB_TEXT(id)));
	if (rc == RC_OK)
		read_view(db, SQL_OUTBOX_FIND, view);
	db_done(db, SQL_OUTBOX_FIND);
	return rc == RC_NONE ? RC_NOT_FOUND : rc;
}

enum rc
outbox_list(struct db *db, const char *service_id, const char *states,
    const char *before, int limit,
    void (*each)(void *cookie, const struct outbox_view *view), void *cookie)
{
	const enum sql sql = SQL_OUTBOX_LIST;
	char ids[OUTBOX_PAGE_MAX][ID_SIZE];
	struct outbox_view view;
	int len = 0, i;
	enum rc rc;

	/* '~' stands behind all ids. */
	rc = db_first(db, sql,
	    DB_ARGS(DB_TEXT(service_id),
		DB_TEXT(before[0] != '\0' ? before : "~"), DB_TEXT(states),
		DB_INT(limit)));
	for (; rc == RC_OK; rc = db_next(db, sql))
		db_column_copy(db, sql, 0, ids[len++], ID_SIZE);
	for (i = 0; rc == RC_NONE && i < len; i++) {
		rc = outbox_find(db, service_id, ids[i], &view);
		if (rc == RC_OK)
			each(cookie, &view);
		/* It may have been forgotten meanwhile. */
		if (rc == RC_OK || rc == RC_NOT_FOUND)
			rc = RC_NONE;
	}
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
outbox_attempts(struct db *db, const char *id,
    void (*each)(void *cookie, const struct outbox_attempt *attempt),
    void *cookie)
{
	const enum sql sql = SQL_ATTEMPT_LIST;
	struct outbox_attempt attempt;
	enum rc rc;

	rc = db_first(db, sql, DB_ARGS(DB_TEXT(id)));
	for (; rc == RC_OK; rc = db_next(db, sql)) {
		attempt = (struct outbox_attempt){
			.number = db_column_int(db, sql, 0),
			.started_ms = db_column_int(db, sql, 1),
			.took_ms = db_column_int(db, sql, 2),
			.status = db_column_int(db, sql, 3),
		};
		db_column_copy(db, sql, 4, attempt.error, sizeof attempt.error);
		each(cookie, &attempt);
	}
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
outbox_backlog(struct db *db, struct outbox_backlog *backlog, int64_t now_ms)
{
	const enum sql sql = SQL_OUTBOX_BACKLOG;
	enum rc rc;

	if ((rc = db_first(db, sql, DB_ARGS(DB_INT(now_ms)))) != RC_OK)
		return rc;
	*backlog = (struct outbox_backlog){
		.waiting = db_column_int(db, sql, 0),
		.oldest_ms = db_column_int(db, sql, 1),
		.parked = db_column_int(db, sql, 2),
	};
	db_done(db, sql);
	return RC_OK;
}
