/* Answers given under an Idempotency-Key. */

#include "idempotency.h"

#include <string.h>

enum rc
idempotency_find(struct db *db, const struct idempotency *question, int *status,
    struct buf *body)
{
	const enum sql sql = SQL_IDEMPOTENCY_FIND;
	const void *fingerprint;
	size_t len;
	enum rc rc;

	rc = db_first(db, sql,
	    DB_ARGS(DB_TEXT(question->service_id), DB_TEXT(question->key)));
	if (rc != RC_OK)
		return rc;
	fingerprint = db_column_blob(db, sql, 0, &len);
	if (len != CRYPTO_HASH_SIZE ||
	    memcmp(fingerprint, question->fingerprint, len) != 0) {
		rc = RC_KEY_REUSED;
	} else {
		*status = (int)db_column_int(db, sql, 1);
		buf_puts(body, db_column_text(db, sql, 2));
		rc = buf_ok(body) ? RC_OK : RC_MEMORY;
	}
	db_done(db, sql);
	return rc;
}

enum rc
idempotency_insert(struct db *db, const struct idempotency *question,
    int status, const struct buf *body, int64_t now)
{
	int64_t kept_s = question->key[0] == ' ' ? IDEMPOTENCY_TAG_KEPT_S
						 : IDEMPOTENCY_KEPT_S;
	enum rc rc;

	/* Each new one pays for some old ones. */
	rc =
	    db_run(db, SQL_IDEMPOTENCY_PURGE, DB_ARGS(DB_INT(now), DB_INT(16)));
	if (rc != RC_OK)
		return rc;
	return db_run(db, SQL_IDEMPOTENCY_INSERT,
	    DB_ARGS(DB_TEXT(question->service_id), DB_TEXT(question->key),
		DB_BLOB(question->fingerprint, CRYPTO_HASH_SIZE),
		DB_INT(status), DB_TEXT(buf_text(body)), DB_INT(now + kept_s)));
}
