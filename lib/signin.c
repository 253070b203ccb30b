/* Who is signed in to the admin panel. */

#include "signin.h"

#include <string.h>

#include "crypto.h"

#define TOKEN_SIZE 32
#define SEEN_EVERY_S 60

/* A token's hash; RC_UNAUTHORIZED for what cannot be one. */
static enum rc
hash_token(uint8_t hash[CRYPTO_SHA256_SIZE], const char *text)
{
	if (strlen(text) != SIGNIN_SIZE - 1)
		return RC_UNAUTHORIZED;
	crypto_sha256(hash, text, SIGNIN_SIZE - 1);
	return RC_OK;
}

bool
signin_allows(enum apikey_role role)
{
	return role != APIKEY_APP;
}

enum rc
signin_begin(
    struct db *db, const char *key_id, char text[SIGNIN_SIZE], int64_t now)
{
	uint8_t token[TOKEN_SIZE], hash[CRYPTO_SHA256_SIZE];
	enum rc rc;

	rc = db_run(db, SQL_SIGN_IN_PURGE, DB_ARGS(DB_INT(now), DB_INT(16)));
	if (rc != RC_OK)
		return rc;
	crypto_random(token, sizeof token);
	crypto_hex(text, token, sizeof token);
	crypto_wipe(token, sizeof token);
	crypto_sha256(hash, text, SIGNIN_SIZE - 1);
	return db_run(db, SQL_SIGN_IN_INSERT,
	    DB_ARGS(DB_BLOB(hash, sizeof hash), DB_TEXT(key_id), DB_INT(now),
		DB_INT(now + SIGNIN_LASTS_S)));
}

enum rc
signin_check(
    struct db *db, struct signin *signin, const char *text, int64_t now)
{
	const enum sql sql = SQL_SIGN_IN_FIND;
	uint8_t hash[CRYPTO_SHA256_SIZE];
	struct apikey *key = &signin->key;
	enum rc rc;

	if ((rc = hash_token(hash, text)) != RC_OK)
		return rc;
	*signin = (struct signin){ .unseen = false };
	/* Found by its hash: how long that takes tells nothing of the token. */
	rc = db_first(db, sql,
	    DB_ARGS(DB_BLOB(hash, sizeof hash), DB_INT(now),
		DB_INT(now - SIGNIN_IDLE_S)));
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_UNAUTHORIZED : rc;
	db_column_copy(db, sql, 0, key->id, sizeof key->id);
	db_column_copy(db, sql, 1, key->service_id, sizeof key->service_id);
	db_column_copy(db, sql, 2, key->name, sizeof key->name);
	if (apikey_role_parse(&key->role, db_column_text(db, sql, 3)) !=
		RC_OK ||
	    !signin_allows(key->role))
		rc = RC_UNAUTHORIZED;
	signin->unseen = db_column_int(db, sql, 4) <= now - SEEN_EVERY_S;
	signin->ends_at = db_column_int(db, sql, 5);
	db_done(db, sql);
	return rc;
}

enum rc
signin_seen(struct db *db, const char *text, int64_t now)
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	enum rc rc;

	if ((rc = hash_token(hash, text)) != RC_OK)
		return rc;
	return db_run(db, SQL_SIGN_IN_SEEN,
	    DB_ARGS(DB_BLOB(hash, sizeof hash), DB_INT(now)));
}

enum rc
signin_end(struct db *db, const char *text)
{
	uint8_t hash[CRYPTO_SHA256_SIZE];

	if (hash_token(hash, text) != RC_OK)
		return RC_OK;
	return db_run(db, SQL_SIGN_IN_END, DB_ARGS(DB_BLOB(hash, sizeof hash)));
}
