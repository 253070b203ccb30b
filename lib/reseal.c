/* Sealing anew what older keys have sealed. */

#include "reseal.h"

#include <stdio.h>
#include <string.h>

#include "hook.h"
#include "id.h"
#include "message.h"
#include "session.h"

/* Rows that are changed in one transaction. */
#define BATCH 100

/* Where sealed things stand. */
static const struct place {
	const char *context; /* what they are bound to, with their row's id */
	enum sql count, list, change;
} places[] = {
	{ SESSION_SEALED, SQL_RESEAL_PARTY_COUNT, SQL_RESEAL_PARTY_LIST,
	    SQL_RESEAL_PARTY },
	{ HOOK_SEALED, SQL_RESEAL_WEBHOOK_SECRET_COUNT,
	    SQL_RESEAL_WEBHOOK_SECRET_LIST, SQL_RESEAL_WEBHOOK_SECRET },
	{ MESSAGE_SEALED, SQL_RESEAL_MESSAGE_COUNT, SQL_RESEAL_MESSAGE_LIST,
	    SQL_RESEAL_MESSAGE },
};

#define PLACES (sizeof places / sizeof places[0])

/* A row, as it is read and as it shall be. */
struct row {
	char id[ID_SIZE];
	struct buf before;
	struct buf after; /* empty: it may stay */
};

/* A pass, and the rows it has at hand. */
struct pass {
	const struct place *place;
	const struct crypto_keys *keys;
	struct reseal_report *report;
	struct row rows[BATCH];
	int len;
};

static enum rc
count(struct db *db, void *cookie)
{
	struct reseal_report *report = cookie;
	enum rc rc = RC_OK;
	size_t i;

	for (i = 0; rc == RC_OK && i < PLACES; i++) {
		rc = db_first(db, places[i].count, NULL);
		if (rc == RC_OK)
			report->total += db_column_int(db, places[i].count, 0);
		db_done(db, places[i].count);
	}
	return rc;
}

/* Reads the rows behind the one called after. */
static enum rc
read_rows(struct db *db, struct pass *pass, const char *after)
{
	const enum sql sql = pass->place->list;
	struct row *row = pass->rows;
	const void *sealed;
	size_t len;
	enum rc rc;

	rc = db_first(db, sql, DB_ARGS(DB_TEXT(after), DB_INT(BATCH)));
	for (pass->len = 0; rc == RC_OK; rc = db_next(db, sql), row++) {
		db_column_copy(db, sql, 0, row->id, sizeof row->id);
		sealed = db_column_blob(db, sql, 1, &len);
		buf_reset(&row->before);
		buf_reset(&row->after);
		buf_add(&row->before, sealed, len);
		if (!buf_ok(&row->before))
			rc = RC_MEMORY;
		if (++pass->len == BATCH || rc != RC_OK)
			break;
	}
	db_done(db, sql);
	return rc == RC_NONE ? RC_OK : rc;
}

/* Seals a row anew, if it needs that. */
static enum rc
seal_row(struct pass *pass, struct row *row)
{
	uint8_t id = (uint8_t)buf_text(&row->before)[0];
	char context[64];
	enum rc rc;

	if (id == pass->keys->sealing[0].id) {
		pass->report->used[id] = true;
		return RC_OK;
	}
	snprintf(
	    context, sizeof context, "%s:%s", pass->place->context, row->id);
	rc = crypto_reseal(&row->after, pass->keys, context, row->before.data,
	    row->before.len);
	if (rc != RC_CORRUPT)
		return rc;
	pass->report->unreadable++;
	pass->report->used[id] = true;
	return RC_OK;
}

/* How far the changes of a transaction got; the deed may run again. */
struct changes {
	struct pass *pass;
	int64_t changed, missed;
};

static enum rc
change_rows(struct db *db, void *cookie)
{
	struct changes *c = cookie;
	const enum sql sql = c->pass->place->change;
	const struct row *row = c->pass->rows;
	enum rc rc;
	int i;

	c->changed = c->missed = 0;
	for (i = 0; i < c->pass->len; i++, row++) {
		if (row->after.len == 0)
			continue;
		rc = db_first(db, sql,
		    DB_ARGS(DB_TEXT(row->id),
			DB_BLOB(row->before.data, row->before.len),
			DB_BLOB(row->after.data, row->after.len)));
		db_done(db, sql);
		if (rc != RC_OK && rc != RC_NONE)
			return rc;
		c->changed += rc == RC_OK;
		c->missed += rc == RC_NONE;
	}
	return RC_OK;
}

/* Seals the rows at hand anew and writes those that have changed. */
static enum rc
seal_rows(struct db *db, struct pass *pass)
{
	struct changes changes = { .pass = pass };
	struct reseal_report *report = pass->report;
	bool any = false;
	enum rc rc = RC_OK;
	int i;

	for (i = 0; rc == RC_OK && i < pass->len; i++) {
		rc = seal_row(pass, &pass->rows[i]);
		any = any || pass->rows[i].after.len != 0;
	}
	if (rc != RC_OK || !any)
		return rc;
	rc = db_transact(db, DB_WAIT_MS, change_rows, &changes);
	if (rc != RC_OK)
		return rc;
	report->resealed += changes.changed;
	report->missed += changes.missed;
	if (changes.changed != 0)
		report->used[pass->keys->sealing[0].id] = true;
	return RC_OK;
}

enum rc
reseal_pass(struct db *db, const struct crypto_keys *keys,
    struct reseal_report *report, db_progress progress, void *cookie)
{
	struct pass pass = { .keys = keys, .report = report };
	char after[ID_SIZE];
	int64_t done = 0;
	enum rc rc;
	size_t i;

	*report = (struct reseal_report){ .total = 0 };
	for (i = 0; i < BATCH; i++) {
		buf_init(&pass.rows[i].before, 0);
		buf_init(&pass.rows[i].after, 0);
	}
	rc = db_snapshot(db, count, report);
	for (i = 0; rc == RC_OK && i < PLACES; i++) {
		pass.place = &places[i];
		after[0] = '\0';
		do {
			if ((rc = read_rows(db, &pass, after)) != RC_OK ||
			    pass.len == 0 ||
			    (rc = seal_rows(db, &pass)) != RC_OK)
				break;
			strcpy(after, pass.rows[pass.len - 1].id);
			done += pass.len;
			if (done <= report->total)
				progress(cookie, (size_t)done,
				    (size_t)report->total);
		} while (pass.len == BATCH);
	}
	for (i = 0; i < BATCH; i++) {
		buf_free(&pass.rows[i].before);
		buf_free(&pass.rows[i].after);
	}
	return rc;
}
