/* The masked numbers. */

#include "number.h"

#include <stdio.h>
#include <string.h>

enum rc
number_insert(struct db *db, const char *service_id, const char *number,
    const char *country, int64_t now)
{
	enum rc rc;

	rc = db_first(db, SQL_NUMBER_INSERT,
	    DB_ARGS(DB_TEXT(number), DB_TEXT(service_id), DB_TEXT(country),
		DB_INT(now)));
	db_done(db, SQL_NUMBER_INSERT);
	return rc == RC_NONE ? RC_EXISTS : rc;
}

enum rc
number_find(struct db *db, struct number *out, const char *number)
{
	const enum sql sql = SQL_NUMBER_FIND;
	enum rc rc;

	rc = db_first(db, sql, DB_ARGS(DB_TEXT(number)));
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_NOT_FOUND : rc;
	*out = (struct number){ .call_limit_s = db_column_int(db, sql, 2) };
	snprintf(out->number, sizeof out->number, "%s", number);
	db_column_copy(db, sql, 0, out->service_id, sizeof out->service_id);
	db_column_copy(db, sql, 1, out->state, sizeof out->state);
	db_done(db, sql);
	return RC_OK;
}

enum rc
number_list(struct db *db, const char *service_id, int64_t now,
    void (*each)(void *cookie, const struct number *number), void *cookie)
{
	const enum sql sql = SQL_NUMBER_LIST;
	enum rc rc;

	rc = db_first(db, sql, DB_ARGS(DB_TEXT(service_id), DB_INT(now)));
	for (; rc == RC_OK; rc = db_next(db, sql)) {
		struct number number = {
			.last_used_at = db_column_int(db, sql, 3),
			.live = db_column_int(db, sql, 4),
			.held = db_column_int(db, sql, 5),
		};

		db_column_copy(db, sql, 0, number.number, sizeof number.number);
		db_column_copy(
		    db, sql, 1, number.country, sizeof number.country);
		db_column_copy(db, sql, 2, number.state, sizeof number.state);
		each(cookie, &number);
	}
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
number_party(struct db *db, int64_t *count,
    const uint8_t person[CRYPTO_HASH_SIZE], int64_t now)
{
	enum rc rc;

	rc = db_first(db, SQL_NUMBER_PARTY,
	    DB_ARGS(DB_BLOB(person, CRYPTO_HASH_SIZE), DB_INT(now)));
	if (rc != RC_OK)
		return rc;
	*count = db_column_int(db, SQL_NUMBER_PARTY, 0);
	db_done(db, SQL_NUMBER_PARTY);
	return RC_OK;
}

/* Runs one of the choosing statements. */
static enum rc
pick(struct db *db, enum sql sql, char out[PHONE_SIZE],
    const struct db_arg *args)
{
	enum rc rc;

	if ((rc = db_first(db, sql, args)) == RC_OK)
		db_column_copy(db, sql, 0, out, PHONE_SIZE);
	db_done(db, sql);
	return rc == RC_NONE ? RC_POOL : rc;
}

enum rc
number_take(struct db *db, char out[PHONE_SIZE], const char *service_id,
    const uint8_t a[CRYPTO_HASH_SIZE], const uint8_t b[CRYPTO_HASH_SIZE],
    const char *country, int64_t now)
{
	char number[PHONE_SIZE];
	enum rc rc;

	rc = pick(db, SQL_NUMBER_STICKY, number,
	    DB_ARGS(DB_TEXT(service_id), DB_BLOB(a, CRYPTO_HASH_SIZE),
		DB_BLOB(b, CRYPTO_HASH_SIZE), DB_INT(now), DB_TEXT(country)));
	if (rc == RC_POOL && country[0] == '\0')
		rc = pick(db, SQL_NUMBER_PICK, number,
		    DB_ARGS(DB_TEXT(service_id), DB_BLOB(a, CRYPTO_HASH_SIZE),
			DB_BLOB(b, CRYPTO_HASH_SIZE), DB_INT(now)));
	else if (rc == RC_POOL)
		rc = pick(db, SQL_NUMBER_PICK_COUNTRY, number,
		    DB_ARGS(DB_TEXT(service_id), DB_BLOB(a, CRYPTO_HASH_SIZE),
			DB_BLOB(b, CRYPTO_HASH_SIZE), DB_INT(now),
			DB_TEXT(country)));
	if (rc != RC_OK)
		return rc;
	rc =
	    db_run(db, SQL_NUMBER_TOUCH, DB_ARGS(DB_TEXT(number), DB_INT(now)));
	if (rc == RC_OK)
		strcpy(out, number);
	return rc;
}
