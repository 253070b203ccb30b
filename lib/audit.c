/* The audit log. */

#include "audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"

#define PAGE 100 /* rows read at a time to verify */

/* Appends a text so that no two lists of texts look alike. */
static void
add_text(struct buf *out, const char *text)
{
	buf_printf(out, "%zu:", strlen(text));
	buf_puts(out, text);
}

/* Writes the hash of a row that stands behind one with the hash before. */
static enum rc
hash_row(uint8_t hash[CRYPTO_HASH_SIZE], const struct crypto_keys *keys,
    const char *service_id, const struct audit_record *row,
    const uint8_t before[CRYPTO_HASH_SIZE])
{
	struct buf text;
	enum rc rc = RC_MEMORY;

	buf_init(&text, 0);
	buf_add(&text, before, CRYPTO_HASH_SIZE);
	add_text(&text, service_id);
	buf_printf(&text, "%" PRId64 " %" PRId64 " ", row->seq, row->at);
	add_text(&text, row->key_id);
	add_text(&text, row->name);
	add_text(&text, row->action);
	add_text(&text, row->subject);
	add_text(&text, row->detail);
	add_text(&text, row->request_id);
	if (buf_ok(&text)) {
		crypto_keyed_hash(hash, keys, "audit", text.data, text.len);
		rc = RC_OK;
	}
	buf_free(&text);
	return rc;
}

/* Copies a text, cut between characters if it is too long. */
static void
cut(char *out, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len >= size) {
		len = size - 1;
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(out, text, len);
	out[len] = '\0';
}

/* Reads the newest row's number, time and hash; 0 and zeros if there is
 * none. */
static enum rc
read_last(struct db *db, const char *service_id, int64_t *seq, int64_t *at,
    uint8_t hash[CRYPTO_HASH_SIZE])
{
	const enum sql sql = SQL_AUDIT_LAST;
	const void *blob;
	size_t len;
	enum rc rc;

	*seq = 0;
	*at = 0;
	memset(hash, 0, CRYPTO_HASH_SIZE);
	rc = db_first(db, sql, DB_ARGS(DB_TEXT(service_id)));
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	*seq = db_column_int(db, sql, 0);
	*at = db_column_int(db, sql, 1);
	blob = db_column_blob(db, sql, 2, &len);
	if (len == CRYPTO_HASH_SIZE)
		memcpy(hash, blob, len);
	db_done(db, sql);
	return RC_OK;
}

enum rc
audit_put(struct db *db, const struct crypto_keys *keys,
    const struct audit *audit, int64_t now)
{
	struct audit_record row;
	uint8_t before[CRYPTO_HASH_SIZE];
	enum rc rc;

	rc = read_last(db, audit->service_id, &row.seq, &row.at, before);
	if (rc != RC_OK)
		return rc;
	row.seq++;
	/* Times run with the numbers, whatever the clock does: what is purged
	 * by its age must not leave a hole. */
	if (row.at < now)
		row.at = now;
	cut(row.key_id, sizeof row.key_id, audit->key_id);
	cut(row.name, sizeof row.name, audit->name);
	cut(row.action, sizeof row.action, audit->action);
	cut(row.subject, sizeof row.subject, audit->subject);
	cut(row.detail, sizeof row.detail, audit->detail);
	cut(row.request_id, sizeof row.request_id, audit->request_id);
	rc = hash_row(row.hash, keys, audit->service_id, &row, before);
	if (rc != RC_OK)
		return rc;
	return db_run(db, SQL_AUDIT_INSERT,
	    DB_ARGS(DB_TEXT(audit->service_id), DB_INT(row.seq), DB_INT(row.at),
		DB_TEXT(row.key_id), DB_TEXT(row.name), DB_TEXT(row.action),
		DB_TEXT(row.subject), DB_TEXT(row.detail),
		DB_TEXT(row.request_id), DB_BLOB(row.hash, sizeof row.hash)));
}

enum rc
audit_looked(struct db *db, const struct audit *audit, int64_t now)
{
	enum rc rc;

	rc = db_first(db, SQL_AUDIT_LOOKED,
	    DB_ARGS(DB_TEXT(audit->service_id), DB_TEXT(audit->key_id),
		DB_TEXT(audit->subject), DB_TEXT(audit->action),
		DB_INT(now - AUDIT_LOOK_S), DB_TEXT(audit->detail)));
	db_done(db, SQL_AUDIT_LOOKED);
	return rc;
}

/* Reads rows into out, at most max. */
static enum rc
read_rows(struct db *db, enum sql sql, const char *service_id, int64_t from,
    struct audit_record *out, int max, int *len)
{
	const void *blob;
	size_t size;
	enum rc rc;

	*len = 0;
	rc = db_first(
	    db, sql, DB_ARGS(DB_TEXT(service_id), DB_INT(from), DB_INT(max)));
	for (; rc == RC_OK; rc = db_next(db, sql)) {
		struct audit_record *row = &out[(*len)++];

		*row = (struct audit_record){ .seq = db_column_int(db, sql, 0),
			.at = db_column_int(db, sql, 1) };
		db_column_copy(db, sql, 2, row->key_id, sizeof row->key_id);
		db_column_copy(db, sql, 3, row->name, sizeof row->name);
		db_column_copy(db, sql, 4, row->action, sizeof row->action);
		db_column_copy(db, sql, 5, row->subject, sizeof row->subject);
		db_column_copy(db, sql, 6, row->detail, sizeof row->detail);
		db_column_copy(
		    db, sql, 7, row->request_id, sizeof row->request_id);
		blob = db_column_blob(db, sql, 8, &size);
		if (size == CRYPTO_HASH_SIZE)
			memcpy(row->hash, blob, size);
	}
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
audit_list(struct db *db, const char *service_id, int64_t below,
    struct audit_record *out, int max, int *len)
{
	return read_rows(db, SQL_AUDIT_LIST, service_id, below, out, max, len);
}

/* Checks that row is as it was written and stands behind the one before. */
static enum rc
check_row(const struct crypto_keys *keys, const char *service_id,
    const struct audit_record *row, const struct audit_record *before)
{
	uint8_t hash[CRYPTO_HASH_SIZE];
	enum rc rc;

	if ((rc = hash_row(hash, keys, service_id, row, before->hash)) != RC_OK)
		return rc;
	return crypto_equal(hash, row->hash, sizeof hash) ? RC_OK : RC_CORRUPT;
}

enum rc
audit_verify(struct db *db, const struct crypto_keys *keys,
    const char *service_id, int64_t *count, struct audit_record *last)
{
	struct audit_record rows[PAGE], before = { .seq = INT64_MIN };
	int len, i;
	enum rc rc;

	*count = 0;
	do {
		rc = read_rows(db, SQL_AUDIT_WALK, service_id, before.seq, rows,
		    PAGE, &len);
		for (i = 0; i < len && rc == RC_OK; i++) {
			if (*count > 0 || rows[i].seq == 1)
				rc = check_row(
				    keys, service_id, &rows[i], &before);
			before = rows[i];
			++*count;
		}
	} while (rc == RC_OK && len == PAGE);
	*last = before;
	return rc;
}
