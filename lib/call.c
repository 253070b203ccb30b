/* Calls: the legs Twilio reports on. */

#include "call.h"

#include <stdio.h>
#include <string.h>

static const char *const names[CALL__MAX] = {
	[CALL_QUEUED] = "queued",
	[CALL_INITIATED] = "initiated",
	[CALL_RINGING] = "ringing",
	[CALL_IN_PROGRESS] = "in-progress",
	[CALL_COMPLETED] = "completed",
	[CALL_BUSY] = "busy",
	[CALL_FAILED] = "failed",
	[CALL_NO_ANSWER] = "no-answer",
	[CALL_CANCELED] = "canceled",
};

enum rc
call_parse_status(enum call_status *status, const char *text)
{
	int i;

	for (i = 0; i < CALL__MAX; i++) {
		if (strcmp(text, names[i]) == 0) {
			*status = (enum call_status)i;
			return RC_OK;
		}
	}
	return RC_INVALID;
}

const char *
call_status_name(enum call_status status)
{
	return names[status];
}

bool
call_is_final(enum call_status status)
{
	return status >= CALL_COMPLETED;
}

bool
call_sid_valid(const char *text)
{
	return strlen(text) == CALL_SID_SIZE - 1 &&
	       strncmp(text, "CA", 2) == 0 &&
	       strspn(text + 2, "0123456789abcdefABCDEF") == CALL_SID_SIZE - 3;
}

bool
call_apply(struct call *call, const struct call_progress *progress)
{
	bool ahead;

	if (progress->status == CALL_RINGING && call->ringing_at == 0)
		call->ringing_at = progress->at;
	if (progress->status == CALL_IN_PROGRESS && call->answered_at == 0)
		call->answered_at = progress->at;
	if (call_is_final(progress->status)) {
		if (call->ended_at == 0)
			call->ended_at = progress->at;
		if (call->duration_s < 0)
			call->duration_s = progress->duration_s;
	}
	if (call_is_final(call->status))
		ahead = false;
	else if (call_is_final(progress->status))
		ahead = true;
	else if (progress->sequence >= 0)
		ahead = progress->sequence > call->sequence;
	else
		ahead = progress->status > call->status;
	if (progress->sequence > call->sequence)
		call->sequence = progress->sequence;
	if (!ahead || progress->status == call->status)
		return false;
	call->status = progress->status;
	return true;
}

/* NULL for an empty text, so that the column is NULL as well. */
static const char *
text_or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

enum rc
call_insert(struct db *db, struct call *call, int64_t now_ms)
{
	enum rc rc;

	id_make(call->id, "cal", now_ms);
	call->created_at = now_ms / 1000;
	rc = db_first(db, SQL_CALL_INSERT,
	    DB_ARGS(DB_TEXT(call->id), DB_TEXT(text_or_null(call->sid)),
		DB_TEXT(text_or_null(call->parent_sid)),
		DB_TEXT(text_or_null(call->service_id)),
		DB_TEXT(text_or_null(call->session_id)),
		DB_TEXT(text_or_null(call->party_id)),
		DB_TEXT(text_or_null(call->number)),
		DB_TEXT(text_or_null(call->reason)),
		DB_TEXT(names[call->status]), DB_INT(call->sequence),
		DB_INT(call->created_at), DB_INT(call->placed)));
	db_done(db, SQL_CALL_INSERT);
	return rc == RC_NONE ? RC_EXISTS : rc;
}

/* Reads the row that a statement finds by a key. */
static enum rc
read_call(struct db *db, enum sql sql, struct call *call, const char *key)
{
	enum call_status status;
	enum rc rc;

	if ((rc = db_first(db, sql, DB_ARGS(DB_TEXT(key)))) != RC_OK)
		return rc == RC_NONE ? RC_NOT_FOUND : rc;
	rc = call_parse_status(&status, db_column_text(db, sql, 7));
	if (rc != RC_OK) {
		db_done(db, sql);
		return RC_CORRUPT;
	}
	*call = (struct call){
		.status = status,
		.sequence = db_column_int(db, sql, 8),
		.created_at = db_column_int(db, sql, 9),
		.ringing_at = db_column_int(db, sql, 10),
		.answered_at = db_column_int(db, sql, 11),
		.ended_at = db_column_int(db, sql, 12),
		.duration_s = db_column_text(db, sql, 13)[0] != '\0'
				  ? db_column_int(db, sql, 13)
				  : -1,
		.told = db_column_int(db, sql, 14) != 0,
		.placed = db_column_int(db, sql, 16) != 0,
	};
	db_column_copy(db, sql, 0, call->id, sizeof call->id);
	db_column_copy(db, sql, 1, call->parent_sid, sizeof call->parent_sid);
	db_column_copy(db, sql, 2, call->service_id, sizeof call->service_id);
	db_column_copy(db, sql, 3, call->session_id, sizeof call->session_id);
	db_column_copy(db, sql, 4, call->party_id, sizeof call->party_id);
	db_column_copy(db, sql, 5, call->number, sizeof call->number);
	db_column_copy(db, sql, 6, call->reason, sizeof call->reason);
	db_column_copy(db, sql, 15, call->sid, sizeof call->sid);
	db_done(db, sql);
	return RC_OK;
}

enum rc
call_find(struct db *db, struct call *call, const char *sid)
{
	return read_call(db, SQL_CALL_FIND, call, sid);
}

enum rc
call_find_id(struct db *db, struct call *call, const char *id)
{
	return read_call(db, SQL_CALL_FIND_ID, call, id);
}

enum rc
call_learn(struct db *db, const char *id, const char *sid)
{
	enum rc rc;

	rc = db_first(db, SQL_CALL_LEARN, DB_ARGS(DB_TEXT(id), DB_TEXT(sid)));
	db_done(db, SQL_CALL_LEARN);
	return rc;
}

enum rc
call_update(struct db *db, const struct call *call)
{
	const struct db_arg null = DB_NULL;
	struct db_arg ringing = DB_INT(call->ringing_at);
	struct db_arg answered = DB_INT(call->answered_at);
	struct db_arg ended = DB_INT(call->ended_at);
	struct db_arg duration = DB_INT(call->duration_s);

	return db_run(db, SQL_CALL_UPDATE,
	    DB_ARGS(DB_TEXT(call->id), DB_TEXT(names[call->status]),
		DB_INT(call->sequence), call->ringing_at != 0 ? ringing : null,
		call->answered_at != 0 ? answered : null,
		call->ended_at != 0 ? ended : null,
		call->duration_s >= 0 ? duration : null));
}

enum rc
call_connect(struct db *db, const struct call *call)
{
	return db_run(db, SQL_CALL_CONNECT,
	    DB_ARGS(DB_TEXT(call->id), DB_TEXT(text_or_null(call->session_id)),
		DB_TEXT(text_or_null(call->party_id)), DB_TEXT(call->reason),
		DB_TEXT(names[call->status])));
}

/* Reads the one number that a statement returns; 0 if it returns none. */
static enum rc
read_number(
    struct db *db, enum sql sql, int64_t *out, const struct db_arg *args)
{
	enum rc rc;

	rc = db_first(db, sql, args);
	if (rc == RC_OK || rc == RC_NONE)
		*out = rc == RC_OK ? db_column_int(db, sql, 0) : 0;
	db_done(db, sql);
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
call_count_session(
    struct db *db, int64_t *count, const char *session_id, const char *sid)
{
	return read_number(db, SQL_CALL_COUNT_SESSION, count,
	    DB_ARGS(DB_TEXT(session_id), DB_TEXT(sid)));
}

enum rc
call_count_party(struct db *db, int64_t *count, const char *party_id,
    int64_t since, const char *sid)
{
	return read_number(db, SQL_CALL_COUNT_PERSON, count,
	    DB_ARGS(DB_TEXT(party_id), DB_INT(since), DB_TEXT(sid)));
}

enum rc
call_count_running(
    struct db *db, int64_t *count, const char *service_id, int64_t since)
{
	return read_number(db, SQL_CALL_COUNT_RUNNING, count,
	    DB_ARGS(DB_TEXT(service_id), DB_INT(since)));
}

enum rc
call_add_usage(
    struct db *db, const char *service_id, int64_t day, int64_t seconds)
{
	return db_run(db, SQL_USAGE_ADD,
	    DB_ARGS(DB_TEXT(service_id), DB_INT(day), DB_INT(seconds)));
}

enum rc
call_usage(struct db *db, int64_t *seconds, const char *service_id, int64_t day)
{
	return read_number(db, SQL_USAGE_FIND, seconds,
	    DB_ARGS(DB_TEXT(service_id), DB_INT(day)));
}

enum rc
call_tell(struct db *db, const char *id, int64_t now)
{
	enum rc rc;

	rc = db_first(db, SQL_CALL_TELL, DB_ARGS(DB_TEXT(id), DB_INT(now)));
	db_done(db, SQL_CALL_TELL);
	return rc;
}

/* Reads a call as the API shows it from the row at hand. */
void
call_read_summary(struct db *db, enum sql sql, struct call_summary *call)
{
	*call = (struct call_summary){
		.started_at = db_column_int(db, sql, 4),
		.ringing_at = db_column_int(db, sql, 5),
		.answered_at = db_column_int(db, sql, 6),
		.ended_at = db_column_int(db, sql, 7),
		.duration_s = db_column_int(db, sql, 8),
		.placed = db_column_int(db, sql, 9) != 0,
	};
	db_column_copy(db, sql, 0, call->id, sizeof call->id);
	db_column_copy(db, sql, 1, call->from, sizeof call->from);
	db_column_copy(db, sql, 2, call->reason, sizeof call->reason);
	db_column_copy(db, sql, 3, call->status, sizeof call->status);
	db_column_copy(db, sql, 10, call->session_id, sizeof call->session_id);
}

enum rc
call_show(struct db *db, struct call_summary *call, const char *service_id,
    const char *id)
{
	const enum sql sql = SQL_CALL_SHOW;
	enum rc rc;

	rc = db_first(db, sql, DB_ARGS(DB_TEXT(id), DB_TEXT(service_id)));
	if (rc == RC_OK)
		call_read_summary(db, sql, call);
	db_done(db, sql);
	return rc == RC_NONE ? RC_NOT_FOUND : rc;
}

enum rc
call_list(struct db *db, const char *session_id, int limit,
    void (*each)(void *cookie, const struct call_summary *call), void *cookie)
{
	const enum sql sql = SQL_CALL_LIST;
	struct call_summary call;
	enum rc rc;

	rc = db_first(db, sql, DB_ARGS(DB_TEXT(session_id), DB_INT(limit)));
	for (; rc == RC_OK; rc = db_next(db, sql)) {
		call_read_summary(db, sql, &call);
		each(cookie, &call);
	}
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
call_list_running(struct db *db, const char *session_id, const char *after,
    int max, char (*out)[ID_SIZE], int *len)
{
	const enum sql sql = SQL_CALL_LIST_RUNNING;
	enum rc rc;

	*len = 0;
	rc = db_first(
	    db, sql, DB_ARGS(DB_TEXT(session_id), DB_TEXT(after), DB_INT(max)));
	for (; rc == RC_OK; rc = db_next(db, sql))
		db_column_copy(db, sql, 0, out[(*len)++], ID_SIZE);
	return rc == RC_NONE ? RC_OK : rc;
}
