/* Recordings of calls. */

#include "recording.h"

#include <string.h>

static const char *const names[RECORDING__MAX] = {
	[RECORDING_IN_PROGRESS] = "in-progress",
	[RECORDING_COMPLETED] = "completed",
	[RECORDING_ABSENT] = "absent",
	[RECORDING_FAILED] = "failed",
	[RECORDING_DELETING] = "deleting",
	[RECORDING_DELETED] = "deleted",
};

/* Reads the first count of the words there are. */
static enum rc
parse(enum recording_status *status, const char *text, int count)
{
	int i;

	for (i = 0; i < count; i++) {
		if (strcmp(text, names[i]) == 0) {
			*status = (enum recording_status)i;
			return RC_OK;
		}
	}
	return RC_INVALID;
}

enum rc
recording_parse_status(enum recording_status *status, const char *text)
{
	return parse(status, text, RECORDING_FAILED + 1);
}

const char *
recording_status_name(enum recording_status status)
{
	return names[status];
}

bool
recording_apply(
    struct recording *recording, const struct recording_progress *progress)
{
	/* What a recording in progress has of these is not the last word. */
	if (progress->status == RECORDING_IN_PROGRESS)
		return false;
	if (recording->duration_s < 0)
		recording->duration_s = progress->duration_s;
	if (recording->channels < 0)
		recording->channels = progress->channels;
	if (recording->status != RECORDING_IN_PROGRESS)
		return false;
	recording->status = progress->status;
	return true;
}

/* NULL for an empty text, so that the column is NULL as well. */
static const char *
text_or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

/* NULL for a number that is not known. */
static struct db_arg
count_or_null(int64_t count)
{
	const struct db_arg null = DB_NULL, known = DB_INT(count);

	return count >= 0 ? known : null;
}

enum rc
recording_insert(struct db *db, struct recording *recording, int64_t now_ms)
{
	enum rc rc;

	id_make(recording->id, "rec", now_ms);
	recording->created_at = now_ms / 1000;
	rc = db_first(db, SQL_RECORDING_INSERT,
	    DB_ARGS(DB_TEXT(recording->id), DB_TEXT(recording->sid),
		DB_TEXT(text_or_null(recording->call_id)),
		DB_TEXT(text_or_null(recording->session_id)),
		DB_TEXT(text_or_null(recording->service_id)),
		DB_TEXT(names[recording->status]),
		count_or_null(recording->duration_s),
		count_or_null(recording->channels),
		DB_INT(recording->created_at)));
	db_done(db, SQL_RECORDING_INSERT);
	return rc == RC_NONE ? RC_EXISTS : rc;
}

/* A count, -1 where the column is NULL. */
static int64_t
read_count(struct db *db, enum sql sql, int column)
{
	return db_column_text(db, sql, column)[0] != '\0'
		   ? db_column_int(db, sql, column)
		   : -1;
}

enum rc
recording_read_row(struct db *db, enum sql sql, struct recording *recording)
{
	enum recording_status status;

	if (parse(&status, db_column_text(db, sql, 5), RECORDING__MAX) != RC_OK)
		return RC_CORRUPT;
	*recording = (struct recording){
		.status = status,
		.duration_s = read_count(db, sql, 6),
		.channels = read_count(db, sql, 7),
		.created_at = db_column_int(db, sql, 8),
		.deleted_at = db_column_int(db, sql, 9),
	};
	db_column_copy(db, sql, 0, recording->id, sizeof recording->id);
	db_column_copy(db, sql, 1, recording->sid, sizeof recording->sid);
	db_column_copy(
	    db, sql, 2, recording->call_id, sizeof recording->call_id);
	db_column_copy(
	    db, sql, 3, recording->session_id, sizeof recording->session_id);
	db_column_copy(
	    db, sql, 4, recording->service_id, sizeof recording->service_id);
	return RC_OK;
}

/* Reads the one row that a statement finds. */
static enum rc
find(struct db *db, enum sql sql, struct recording *recording,
    const struct db_arg *args)
{
	enum rc rc;

	if ((rc = db_first(db, sql, args)) != RC_OK)
		return rc == RC_NONE ? RC_NOT_FOUND : rc;
	rc = recording_read_row(db, sql, recording);
	db_done(db, sql);
	return rc;
}

enum rc
recording_find_sid(struct db *db, struct recording *recording, const char *sid)
{
	return find(
	    db, SQL_RECORDING_FIND_SID, recording, DB_ARGS(DB_TEXT(sid)));
}

enum rc
recording_find(struct db *db, const char *service_id,
    struct recording *recording, const char *id)
{
	return find(db, SQL_RECORDING_FIND, recording,
	    DB_ARGS(DB_TEXT(service_id), DB_TEXT(id)));
}

enum rc
recording_update(struct db *db, const struct recording *recording)
{
	return db_run(db, SQL_RECORDING_UPDATE,
	    DB_ARGS(DB_TEXT(recording->id),
		DB_TEXT(text_or_null(recording->call_id)),
		DB_TEXT(text_or_null(recording->session_id)),
		DB_TEXT(text_or_null(recording->service_id)),
		DB_TEXT(names[recording->status]),
		count_or_null(recording->duration_s),
		count_or_null(recording->channels)));
}

enum rc
recording_deleted(
    struct db *db, struct recording *recording, const char *sid, int64_t now)
{
	const enum sql sql = SQL_RECORDING_DELETED;
	enum rc rc;

	rc = db_first(db, sql, DB_ARGS(DB_TEXT(sid), DB_INT(now)));
	if (rc == RC_OK) {
		*recording = (struct recording){ .status = RECORDING_DELETED,
			.deleted_at = now };
		db_column_copy(db, sql, 0, recording->id, sizeof recording->id);
		db_column_copy(db, sql, 1, recording->session_id,
		    sizeof recording->session_id);
		db_column_copy(db, sql, 2, recording->service_id,
		    sizeof recording->service_id);
	}
	db_done(db, sql);
	return rc;
}

enum rc
recording_list(struct db *db, const char *session_id, struct recording *out,
    int max, int *len)
{
	const enum sql sql = SQL_RECORDING_LIST;
	enum rc rc;
	int count = 0;

	rc = db_first(db, sql, DB_ARGS(DB_TEXT(session_id), DB_INT(max)));
	for (; rc == RC_OK && count < max; rc = db_next(db, sql))
		if ((rc = recording_read_row(db, sql, &out[count++])) != RC_OK)
			break;
	db_done(db, sql);
	if (rc != RC_OK && rc != RC_NONE)
		return rc;
	*len = count;
	return RC_OK;
}
