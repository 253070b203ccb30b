/* Events: the append-only record of what happened. */

#include "event.h"

#include <string.h>

#include "tally.h"

static const char *const names[EVENT__MAX] = {
	[EVENT_SESSION_OPENED] = "session.opened",
	[EVENT_SESSION_UPDATED] = "session.updated",
	[EVENT_SESSION_CLOSED] = "session.closed",
	[EVENT_SESSION_EXPIRED] = "session.expired",
	[EVENT_CALL_STARTED] = "call.started",
	[EVENT_CALL_RINGING] = "call.ringing",
	[EVENT_CALL_ANSWERED] = "call.answered",
	[EVENT_CALL_ENDED] = "call.ended",
	[EVENT_CALL_REFUSED] = "call.refused",
	[EVENT_PARTY_DISPUTED] = "party.disputed",
	[EVENT_POOL_LOW] = "pool.low",
	[EVENT_POOL_EXHAUSTED] = "pool.exhausted",
	[EVENT_SESSION_EXPIRING] = "session.expiring",
	[EVENT_MESSAGE_RELAYED] = "message.relayed",
	[EVENT_MESSAGE_REFUSED] = "message.refused",
	[EVENT_MESSAGE_DELIVERED] = "message.delivered",
	[EVENT_MESSAGE_FAILED] = "message.failed",
	[EVENT_RECORDING_COMPLETED] = "recording.completed",
	[EVENT_RECORDING_FAILED] = "recording.failed",
	[EVENT_RECORDING_DELETED] = "recording.deleted",
	[EVENT_DELIVERY_EXHAUSTED] = "delivery.exhausted",
	[EVENT_WEBHOOK_TEST] = "webhook.test",
};

const char *
event_name(enum event_type type)
{
	return names[type];
}

/* NULL for no text, so that the column is NULL as well. */
static const char *
text_or_null(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

/* Counts an event that is of those that are counted. */
static enum rc
count(struct db *db, const struct event *event, int64_t now)
{
	const char *detail = event->detail != NULL ? event->detail : "";
	enum tally_what what;

	switch (event->type) {
	case EVENT_SESSION_OPENED:
		what = TALLY_SESSIONS_OPENED;
		break;
	case EVENT_CALL_ENDED:
		what = TALLY_CALLS_MISSED;
		if (strcmp(detail, "completed") == 0)
			what = TALLY_CALLS_ANSWERED;
		else if (strcmp(detail, "failed") == 0)
			what = TALLY_CALLS_FAILED;
		if (what != TALLY_CALLS_MISSED)
			detail = "";
		break;
	case EVENT_CALL_REFUSED:
		what = TALLY_CALLS_REFUSED;
		break;
	case EVENT_MESSAGE_RELAYED:
		what = TALLY_TEXTS_RELAYED;
		break;
	case EVENT_MESSAGE_REFUSED:
		what = TALLY_TEXTS_REFUSED;
		break;
	default:
		return RC_OK;
	}
	return tally_add(db, event->service_id, what, detail, now);
}

enum rc
event_put(struct db *db, const struct event *event, int64_t now_ms)
{
	char id[ID_SIZE], delivery[ID_SIZE];
	int64_t seq, now = now_ms / 1000;
	enum rc rc;

	rc = db_first(
	    db, SQL_SERVICE_NEXT_EVENT, DB_ARGS(DB_TEXT(event->service_id)));
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_CORRUPT : rc;
	seq = db_column_int(db, SQL_SERVICE_NEXT_EVENT, 0);
	db_done(db, SQL_SERVICE_NEXT_EVENT);
	id_make(id, "evt", now_ms);
	rc = db_run(db, SQL_EVENT_INSERT,
	    DB_ARGS(DB_TEXT(event->service_id), DB_INT(seq), DB_TEXT(id),
		DB_TEXT(names[event->type]),
		DB_TEXT(text_or_null(event->session_id)),
		DB_TEXT(text_or_null(event->subject_id)),
		DB_TEXT(text_or_null(event->detail)), DB_INT(now)));
	if (rc != RC_OK || (rc = count(db, event, now)) != RC_OK)
		return rc;
	id_make(delivery, "dlv", now_ms);
	return db_run(db, SQL_OUTBOX_PUT_EVENT,
	    DB_ARGS(DB_TEXT(delivery), DB_TEXT(event->service_id), DB_TEXT(id),
		DB_INT(now_ms)));
}

static void
read_row(struct db *db, enum sql sql, struct event_record *event)
{
	*event = (struct event_record){
		.seq = db_column_int(db, sql, 1),
		.created_at = db_column_int(db, sql, 8),
	};
	db_column_copy(db, sql, 0, event->id, sizeof event->id);
	db_column_copy(db, sql, 2, event->type, sizeof event->type);
	db_column_copy(db, sql, 3, event->service, sizeof event->service);
	db_column_copy(db, sql, 4, event->session_id, sizeof event->session_id);
	db_column_copy(db, sql, 5, event->reference, sizeof event->reference);
	db_column_copy(db, sql, 6, event->subject_id, sizeof event->subject_id);
	db_column_copy(db, sql, 7, event->detail, sizeof event->detail);
}

enum rc
event_find(struct db *db, struct event_record *event, const char *id)
{
	enum rc rc;

	rc = db_first(db, SQL_EVENT_FIND, DB_ARGS(DB_TEXT(id)));
	if (rc == RC_OK)
		read_row(db, SQL_EVENT_FIND, event);
	db_done(db, SQL_EVENT_FIND);
	return rc == RC_NONE ? RC_NOT_FOUND : rc;
}

enum rc
event_list(struct db *db, const char *service_id, int64_t after,
    struct event_record *out, int max, int *len)
{
	const enum sql sql = SQL_EVENT_LIST;
	enum rc rc;

	*len = 0;
	rc = db_first(
	    db, sql, DB_ARGS(DB_TEXT(service_id), DB_INT(after), DB_INT(max)));
	for (; rc == RC_OK; rc = db_next(db, sql))
		read_row(db, sql, &out[(*len)++]);
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
event_list_session(struct db *db, const char *service_id,
    const char *session_id, int64_t after, struct event_record *out, int max,
    int *len)
{
	const enum sql sql = SQL_EVENT_LIST_SESSION;
	struct event_record *event = out;
	enum rc rc;

	*len = 0;
	rc = db_first(db, sql,
	    DB_ARGS(DB_TEXT(service_id), DB_TEXT(session_id), DB_INT(after),
		DB_INT(max)));
	for (; rc == RC_OK; rc = db_next(db, sql), event++) {
		read_row(db, sql, event);
		db_column_copy(
		    db, sql, 9, event->delivery_id, sizeof event->delivery_id);
		db_column_copy(db, sql, 10, event->delivery_state,
		    sizeof event->delivery_state);
		event->attempts = db_column_int(db, sql, 11);
		(*len)++;
	}
	return rc == RC_NONE ? RC_OK : rc;
}
