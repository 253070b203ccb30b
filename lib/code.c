/* Codes for phones we do not know. */

#include "code.h"

#include <stdio.h>
#include <string.h>

#include "crypto.h"
#include "id.h"

#define HOUR_S 3600
/* How often a code is drawn before a number counts as full: with 100,000
 * codes in use, a tenth of all, that never happens. */
#define DRAWS 32

enum rc
code_make(struct db *db, char out[CODE_SIZE], const char *number, int64_t now)
{
	const enum sql sql = SQL_PARTY_CODE_USED;
	char code[CODE_SIZE];
	enum rc rc;
	int i;

	for (i = 0; i < DRAWS; i++) {
		snprintf(code, sizeof code, "%06u",
		    (unsigned)crypto_random_below(1000000) % 1000000U);
		rc = db_first(db, sql,
		    DB_ARGS(DB_TEXT(number), DB_TEXT(code), DB_INT(now)));
		db_done(db, sql);
		if (rc == RC_NONE) {
			strcpy(out, code);
			return RC_OK;
		}
		if (rc != RC_OK)
			return rc;
	}
	return RC_RETRY;
}

/* Counts by one of the counting statements. */
static enum rc
count(struct db *db, enum sql sql, int64_t *out, const struct db_arg *args)
{
	enum rc rc;

	if ((rc = db_first(db, sql, args)) != RC_OK)
		return rc;
	*out = db_column_int(db, sql, 0);
	db_done(db, sql);
	return RC_OK;
}

enum rc
code_may_try(
    struct db *db, const char *number, const char *call_sid, int64_t now)
{
	int64_t in_call, in_hour;
	enum rc rc;

	if ((rc = count(db, SQL_CODE_TRY_COUNT_CALL, &in_call,
		 DB_ARGS(DB_TEXT(call_sid)))) != RC_OK ||
	    (rc = count(db, SQL_CODE_TRY_COUNT_NUMBER, &in_hour,
		 DB_ARGS(DB_TEXT(number), DB_INT(now - HOUR_S)))) != RC_OK)
		return rc;
	return in_call < CODE_CALL_TRIES && in_hour < CODE_NUMBER_TRIES
		   ? RC_OK
		   : RC_LIMIT;
}

enum rc
code_failed(struct db *db, const char *number, const char *call_sid,
    const char *code, int64_t now_ms)
{
	char id[ID_SIZE], digits[CODE_SIZE + 1];
	enum rc rc;

	rc = db_run(
	    db, SQL_CODE_TRY_PURGE, DB_ARGS(DB_INT(now_ms / 1000 - HOUR_S)));
	if (rc != RC_OK)
		return rc;
	id_make(id, "try", now_ms);
	snprintf(digits, sizeof digits, "%s", code);
	return db_run(db, SQL_CODE_TRY_INSERT,
	    DB_ARGS(DB_TEXT(id), DB_TEXT(number), DB_TEXT(call_sid),
		DB_TEXT(digits), DB_INT(now_ms / 1000)));
}

enum rc
code_find(struct db *db, struct leg_route *route, const char *number,
    const char *code, int64_t now)
{
	if (strlen(code) != CODE_SIZE - 1 ||
	    strspn(code, "0123456789") != CODE_SIZE - 1)
		return RC_NOT_FOUND;
	return leg_route_code(db, route, number, code, now);
}
