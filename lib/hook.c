/* What events to the app are signed with. */

#include "hook.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "whsec_"
#define PREFIX_LEN (sizeof PREFIX - 1)
#define KEY_SIZE 32

/* What a sealed secret is bound to: the row it stands in. */
static void
seal_context(char out[64], const char *id)
{
	snprintf(out, 64, "%s:%s", HOOK_SEALED, id);
}

/* Writes a new secret as the app is given it. */
static void
make_text(char text[HOOK_SECRET_SIZE])
{
	uint8_t key[KEY_SIZE];

	crypto_random(key, sizeof key);
	memcpy(text, PREFIX, PREFIX_LEN);
	crypto_base64(
	    text + PREFIX_LEN, HOOK_SECRET_SIZE - PREFIX_LEN, key, sizeof key);
	crypto_wipe(key, sizeof key);
}

enum rc
hook_add(struct db *db, const struct crypto_keys *keys, const char *service_id,
    struct hook_secret *secret, int64_t now_ms)
{
	char context[64];
	struct buf sealed;
	enum rc rc;

	*secret = (struct hook_secret){ .created_at = now_ms / 1000 };
	id_make(secret->id, "whs", now_ms);
	make_text(secret->text);
	buf_init(&sealed, 0);
	seal_context(context, secret->id);
	rc = crypto_seal(&sealed, keys, context, secret->text);
	if (rc == RC_OK)
		rc = db_run(db, SQL_WEBHOOK_SECRET_INSERT,
		    DB_ARGS(DB_TEXT(secret->id), DB_TEXT(service_id),
			DB_BLOB(sealed.data, sealed.len),
			DB_INT(secret->created_at)));
	if (rc != RC_OK)
		crypto_wipe(secret, sizeof *secret);
	buf_free(&sealed);
	return rc;
}

enum rc
hook_retire(struct db *db, const char *service_id, int64_t retires_at)
{
	return db_run(db, SQL_WEBHOOK_SECRET_RETIRE,
	    DB_ARGS(DB_TEXT(service_id), DB_INT(retires_at)));
}

enum rc
hook_list(struct db *db, const struct crypto_keys *keys, const char *service_id,
    int64_t now, struct hook_secret out[HOOK_SECRETS_MAX], int *len)
{
	const enum sql sql = SQL_WEBHOOK_SECRET_LIST;
	char context[64];
	const void *sealed;
	size_t sealed_len;
	enum rc rc;

	*len = 0;
	rc = db_first(db, sql,
	    DB_ARGS(
		DB_TEXT(service_id), DB_INT(now), DB_INT(HOOK_SECRETS_MAX)));
	for (; rc == RC_OK; rc = db_next(db, sql)) {
		struct hook_secret *s = &out[(*len)++];

		*s = (struct hook_secret){
			.created_at = db_column_int(db, sql, 2),
			.retires_at = db_column_int(db, sql, 3),
		};
		db_column_copy(db, sql, 0, s->id, sizeof s->id);
		sealed = db_column_blob(db, sql, 1, &sealed_len);
		seal_context(context, s->id);
		rc = crypto_unseal(
		    s->text, sizeof s->text, keys, context, sealed, sealed_len);
		if (rc != RC_OK)
			break;
	}
	db_done(db, sql);
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
hook_ensure(struct db *db, const struct crypto_keys *keys,
    const char *service_id, struct hook_secret *secret, int64_t now_ms)
{
	struct hook_secret known[HOOK_SECRETS_MAX];
	enum rc rc;
	int len;

	*secret = (struct hook_secret){ .id = "" };
	rc = hook_list(db, keys, service_id, now_ms / 1000, known, &len);
	crypto_wipe(known, sizeof known);
	if (rc == RC_OK && len == 0)
		rc = hook_add(db, keys, service_id, secret, now_ms);
	return rc;
}

/* Writes the signature of data by one secret as base64 to out. */
static enum rc
sign(char *out, size_t size, const struct hook_secret *secret,
    const struct buf *data)
{
	uint8_t key[KEY_SIZE], mac[CRYPTO_SHA256_SIZE];
	enum rc rc;

	if (strncmp(secret->text, PREFIX, PREFIX_LEN) != 0)
		return RC_CORRUPT;
	rc = crypto_unbase64(key, sizeof key, secret->text + PREFIX_LEN);
	if (rc == RC_OK) {
		crypto_hmac_sha256(mac, key, sizeof key, data->data, data->len);
		crypto_base64(out, size, mac, sizeof mac);
	}
	crypto_wipe(key, sizeof key);
	return rc == RC_OK ? RC_OK : RC_CORRUPT;
}

enum rc
hook_sign(char out[HOOK_SIGNATURE_SIZE], const struct hook_secret *secrets,
    int len, const struct hook_message *message)
{
	char base64[CRYPTO_BASE64_SIZE(CRYPTO_SHA256_SIZE)];
	enum rc rc = RC_OK;
	struct buf data;
	size_t used = 0;
	int i;

	out[0] = '\0';
	buf_init(&data, 0);
	buf_printf(&data, "%s.%" PRId64 ".", message->id, message->timestamp);
	buf_add(&data, message->body, message->body_len);
	if (!buf_ok(&data))
		rc = RC_MEMORY;
	for (i = 0; i < len && i < HOOK_SECRETS_MAX && rc == RC_OK; i++) {
		rc = sign(base64, sizeof base64, &secrets[i], &data);
		if (rc == RC_OK)
			used += (size_t)snprintf(out + used,
			    HOOK_SIGNATURE_SIZE - used, "%sv1,%s",
			    used != 0 ? " " : "", base64);
	}
	buf_free(&data);
	return rc;
}
