/* API keys. */

#include "apikey.h"

#include <stdio.h>
#include <string.h>

#include "crypto.h"
#include "utf8.h"

#define SECRET_SIZE 32
#define ID_AT 3
#define SECRET_AT (ID_AT + 26 + 1)

const char *const apikey_roles[APIKEY__MAX] = {
	[APIKEY_APP] = "app",
	[APIKEY_ADMIN] = "admin",
	[APIKEY_OPERATOR] = "operator",
	[APIKEY_VIEWER] = "viewer",
};

enum rc
apikey_role_parse(enum apikey_role *role, const char *name)
{
	int i;

	for (i = 0; i < APIKEY__MAX; i++)
		if (strcmp(name, apikey_roles[i]) == 0) {
			*role = (enum apikey_role)i;
			return RC_OK;
		}
	return RC_INVALID;
}

enum rc
apikey_check_name(const char *name, struct fault *fault)
{
	const size_t size = sizeof((struct apikey *)0)->name;
	const char *p;

	if (name[0] == '\0' || strlen(name) >= size || !utf8_valid(name))
		return rc_fault(fault, RC_INVALID, "name",
		    "must be 1 to %zu bytes of UTF-8", size - 1);
	for (p = name; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return rc_fault(fault, RC_INVALID, "name",
			    "must not hold control characters");
	return RC_OK;
}

enum rc
apikey_insert(
    struct db *db, struct apikey *key, char text[APIKEY_SIZE], int64_t now_ms)
{
	uint8_t secret[SECRET_SIZE], hash[CRYPTO_SHA256_SIZE];
	char hex[2 * SECRET_SIZE + 1];
	enum rc rc;

	id_make(key->id, "key", now_ms);
	crypto_random(secret, sizeof secret);
	crypto_hex(hex, secret, sizeof secret);
	crypto_sha256(hash, hex, sizeof hex - 1);
	rc = db_run(db, SQL_API_KEY_INSERT,
	    DB_ARGS(DB_TEXT(key->id), DB_TEXT(key->service_id),
		DB_TEXT(key->name), DB_TEXT(apikey_roles[key->role]),
		DB_BLOB(hash, sizeof hash), DB_INT(now_ms / 1000)));
	if (rc == RC_OK)
		snprintf(text, APIKEY_SIZE, "cm_%s_%s", key->id + 4, hex);
	crypto_wipe(secret, sizeof secret);
	crypto_wipe(hex, sizeof hex);
	return rc;
}

enum rc
apikey_check(struct db *db, struct apikey *key, const char *text)
{
	uint8_t hash[CRYPTO_SHA256_SIZE], stored[CRYPTO_SHA256_SIZE] = { 0 };
	struct apikey found = { .role = APIKEY_APP };
	const void *blob;
	size_t len;
	enum rc rc;

	if (strlen(text) != APIKEY_SIZE - 1 || memcmp(text, "cm_", 3) != 0)
		return RC_UNAUTHORIZED;
	snprintf(found.id, sizeof found.id, "key_%.26s", text + ID_AT);
	if (!id_valid(found.id, "key") || text[SECRET_AT - 1] != '_')
		return RC_UNAUTHORIZED;
	rc = db_first(db, SQL_API_KEY_FIND, DB_ARGS(DB_TEXT(found.id)));
	if (rc == RC_OK) {
		db_column_copy(db, SQL_API_KEY_FIND, 0, found.service_id,
		    sizeof found.service_id);
		apikey_role_parse(
		    &found.role, db_column_text(db, SQL_API_KEY_FIND, 1));
		blob = db_column_blob(db, SQL_API_KEY_FIND, 2, &len);
		if (len == sizeof stored)
			memcpy(stored, blob, len);
		db_column_copy(
		    db, SQL_API_KEY_FIND, 3, found.name, sizeof found.name);
		db_done(db, SQL_API_KEY_FIND);
	} else if (rc != RC_NONE) {
		return rc;
	}
	/* Also for an unknown id, against zeros, which nothing hashes to. */
	crypto_sha256(hash, text + SECRET_AT, 2 * SECRET_SIZE);
	if (!crypto_equal(hash, stored, sizeof hash))
		return RC_UNAUTHORIZED;
	*key = found;
	return RC_OK;
}

/* Reads the row at hand. */
static void
read_key(
    struct db *db, enum sql sql, const char *service_id, struct apikey *key)
{
	*key = (struct apikey){
		.created_at = db_column_int(db, sql, 3),
		.revoked_at = db_column_int(db, sql, 4),
	};
	db_column_copy(db, sql, 0, key->id, sizeof key->id);
	db_column_copy(db, sql, 1, key->name, sizeof key->name);
	apikey_role_parse(&key->role, db_column_text(db, sql, 2));
	snprintf(key->service_id, sizeof key->service_id, "%s", service_id);
}

enum rc
apikey_list(struct db *db, const char *service_id,
    void (*each)(void *cookie, const struct apikey *key), void *cookie)
{
	const enum sql sql = SQL_API_KEY_LIST;
	struct apikey key;
	enum rc rc;

	rc = db_first(db, sql, DB_ARGS(DB_TEXT(service_id)));
	for (; rc == RC_OK; rc = db_next(db, sql)) {
		read_key(db, sql, service_id, &key);
		each(cookie, &key);
	}
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
apikey_find(
    struct db *db, const char *service_id, const char *id, struct apikey *key)
{
	const enum sql sql = SQL_API_KEY_SHOW;
	enum rc rc;

	rc = db_first(db, sql, DB_ARGS(DB_TEXT(service_id), DB_TEXT(id)));
	if (rc == RC_OK)
		read_key(db, sql, service_id, key);
	db_done(db, sql);
	return rc == RC_NONE ? RC_NOT_FOUND : rc;
}

enum rc
apikey_revoke(
    struct db *db, const char *service_id, const char *id, int64_t now)
{
	enum rc rc;

	rc = db_first(db, SQL_API_KEY_REVOKE,
	    DB_ARGS(DB_TEXT(service_id), DB_TEXT(id), DB_INT(now)));
	db_done(db, SQL_API_KEY_REVOKE);
	return rc == RC_NONE ? RC_NOT_FOUND : rc;
}
