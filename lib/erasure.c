/* Receipts of erasures, and what is erased here. */

#include "erasure.h"

#include <stdio.h>

enum rc
erasure_begin(struct db *db, char id[ID_SIZE], const char *service_id,
    const char *session_id, int64_t now_ms)
{
	id_make(id, "era", now_ms);
	return db_run(db, SQL_ERASURE_INSERT,
	    DB_ARGS(DB_TEXT(id), DB_TEXT(service_id),
		DB_TEXT(session_id != NULL ? "session" : "person"),
		DB_TEXT(session_id), DB_INT(now_ms / 1000)));
}

enum rc
erasure_find(struct db *db, const char *service_id, struct erasure *erasure,
    const char *id)
{
	const enum sql sql = SQL_ERASURE_FIND;
	enum rc rc;

	rc = db_first(db, sql, DB_ARGS(DB_TEXT(service_id), DB_TEXT(id)));
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_NOT_FOUND : rc;
	*erasure =
	    (struct erasure){ .requested_at = db_column_int(db, sql, 3) };
	db_column_copy(db, sql, 0, erasure->id, sizeof erasure->id);
	db_column_copy(db, sql, 1, erasure->subject, sizeof erasure->subject);
	db_column_copy(
	    db, sql, 2, erasure->subject_id, sizeof erasure->subject_id);
	db_done(db, sql);
	return RC_OK;
}

enum rc
erasure_items(struct db *db, const char *id, const char *after,
    struct erasure_item *out, int max, int *len)
{
	const enum sql sql = SQL_ERASURE_ITEM_LIST;
	int count = 0;
	enum rc rc;

	rc = db_first(
	    db, sql, DB_ARGS(DB_TEXT(id), DB_TEXT(after), DB_INT(max)));
	for (; rc == RC_OK && count < max; rc = db_next(db, sql), count++) {
		db_column_copy(
		    db, sql, 0, out[count].thing, sizeof out[count].thing);
		out[count].erased_at = db_column_int(db, sql, 1);
	}
	db_done(db, sql);
	*len = count;
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
erasure_note(
    struct db *db, const char *id, const char *thing, int64_t erased_at)
{
	const struct db_arg null = DB_NULL;
	struct db_arg at = DB_INT(erased_at);
	enum rc rc;

	rc = db_first(db, SQL_ERASURE_ITEM_PUT,
	    DB_ARGS(DB_TEXT(id), DB_TEXT(thing), erased_at != 0 ? at : null));
	db_done(db, SQL_ERASURE_ITEM_PUT);
	return rc;
}

enum rc
erasure_done(struct db *db, const char *thing, int64_t now)
{
	return db_run(
	    db, SQL_ERASURE_ITEM_DONE, DB_ARGS(DB_TEXT(thing), DB_INT(now)));
}

enum rc
erasure_missing(struct db *db, const char *session_id, const char *id,
    char (*out)[ERASURE_THING_SIZE], int max, int *len)
{
	const enum sql sql = SQL_ERASURE_MISSING;
	int count = 0;
	enum rc rc;

	rc = db_first(
	    db, sql, DB_ARGS(DB_TEXT(session_id), DB_TEXT(id), DB_INT(max)));
	for (; rc == RC_OK && count < max; rc = db_next(db, sql))
		db_column_copy(db, sql, 0, out[count++], ERASURE_THING_SIZE);
	db_done(db, sql);
	*len = count;
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
erasure_wipe(struct db *db, const char *session_id, const char *id,
    int64_t look_at, int64_t now)
{
	/* Those that want nothing but the session. */
	static const enum sql wipes[] = { SQL_ERASURE_INTENTS,
		SQL_ERASURE_TEXTS, SQL_ERASURE_RECORDINGS };
	enum rc rc;
	size_t i;

	if ((rc = db_run(db, SQL_ERASURE_MESSAGES,
		 DB_ARGS(DB_TEXT(session_id), DB_INT(now)))) != RC_OK ||
	    (rc = db_run(db, SQL_ERASURE_PARTIES,
		 DB_ARGS(DB_TEXT(session_id), DB_BLOB("", 0)))) != RC_OK)
		return rc;
	for (i = 0; i < sizeof wipes / sizeof wipes[0]; i++)
		if ((rc = db_run(db, wipes[i], DB_ARGS(DB_TEXT(session_id)))) !=
		    RC_OK)
			return rc;
	return db_run(db, SQL_ERASURE_SESSION,
	    DB_ARGS(DB_TEXT(session_id), DB_TEXT(id), DB_INT(look_at)));
}

enum rc
erasure_of(struct db *db, const char *service_id, const char *session_id,
    char id[ID_SIZE])
{
	const enum sql sql = SQL_ERASURE_SESSION_FIND;
	enum rc rc;

	rc = db_first(
	    db, sql, DB_ARGS(DB_TEXT(service_id), DB_TEXT(session_id)));
	if (rc == RC_OK)
		db_column_copy(db, sql, 0, id, ID_SIZE);
	db_done(db, sql);
	return rc == RC_NONE ? RC_NOT_FOUND : rc;
}

enum rc
erasure_next(struct db *db, const char *service_id,
    const uint8_t person[CRYPTO_HASH_SIZE], char session_id[ID_SIZE])
{
	const enum sql sql = SQL_ERASURE_PERSON_NEXT;
	enum rc rc;

	rc = db_first(db, sql,
	    DB_ARGS(DB_TEXT(service_id), DB_BLOB(person, CRYPTO_HASH_SIZE)));
	if (rc == RC_OK)
		db_column_copy(db, sql, 0, session_id, ID_SIZE);
	db_done(db, sql);
	return rc;
}
