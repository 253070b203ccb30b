/* The database: what is the same for every engine. */

#include "db.h"

#include <stdio.h>
#include <string.h>

#include "db_driver.h"
#include "log.h"

/* How often a deed that lost a race is run in all. */
#define TRIES 4

enum rc
db_open(struct db **out, const char *path, enum db_mode mode)
{
	struct db *db;
	int64_t version;
	enum rc rc;

	if ((rc = db_sqlite.open(&db, path, mode == DB_CREATE)) != RC_OK)
		return rc;
	if (mode == DB_USE) {
		if ((rc = db_version(db, &version)) != RC_OK)
			goto out;
		if (version != SQL_VERSION) {
			log_error("db_version",
			    "%s is at schema version %lld, this program needs "
			    "%d; %s",
			    path, (long long)version, SQL_VERSION,
			    version < SQL_VERSION ? "run `callmask migrate`"
						  : "install a newer callmask");
			rc = RC_VERSION;
			goto out;
		}
	}
	*out = db;
	return RC_OK;
out:
	db_close(db);
	return rc;
}

void
db_close(struct db *db)
{
	if (db != NULL)
		db->driver->close(db);
}

enum rc
db_check(struct db *db)
{
	return db->driver->check(db);
}

const char *
db_engine(const struct db *db)
{
	return db->driver->engine(db);
}

enum rc
db_version(struct db *db, int64_t *version)
{
	bool has;
	enum rc rc;

	if ((rc = db->driver->has_table(db, "schema_version", &has)) != RC_OK)
		return rc;
	if (!has) {
		*version = 0;
		return RC_OK;
	}
	if ((rc = db_first(db, SQL_SCHEMA_VERSION, NULL)) != RC_OK)
		return rc;
	*version = db_column_int(db, SQL_SCHEMA_VERSION, 0);
	db_done(db, SQL_SCHEMA_VERSION);
	return RC_OK;
}

/* One step of db_migrate: from any version to the next. */
static enum rc
migrate_step(struct db *db, void *cookie)
{
	const int64_t *now = cookie;
	int64_t version;
	enum rc rc;

	/* Asked inside the transaction: another migrate may have run. */
	if ((rc = db_version(db, &version)) != RC_OK)
		return rc;
	if (version == SQL_VERSION)
		return RC_NONE;
	if (version > SQL_VERSION)
		return RC_VERSION;
	if ((rc = db->driver->script(db, sql_migrations[version])) != RC_OK)
		return rc;
	return db_run(
	    db, SQL_SCHEMA_APPLIED, DB_ARGS(DB_INT(version + 1), DB_INT(*now)));
}

enum rc
db_migrate(struct db *db, int64_t now)
{
	enum rc rc;

	do {
		rc = db_transact(db, DB_WAIT_MS, migrate_step, &now);
	} while (rc == RC_OK);
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
db_transact(struct db *db, int wait_ms, db_deed deed, void *cookie)
{
	enum rc rc = RC_RETRY, committed;
	int i;

	for (i = 0; i < TRIES && rc == RC_RETRY; i++) {
		if ((rc = db->driver->begin(db, true, wait_ms)) != RC_OK)
			return rc;
		db->undo = false;
		rc = deed(db, cookie);
		if (!rc_final(rc) || db->undo)
			db->driver->rollback(db);
		else if ((committed = db->driver->commit(db)) != RC_OK)
			return committed;
	}
	return rc;
}

bool
db_can_write(struct db *db, int wait_ms)
{
	if (db->driver->begin(db, true, wait_ms) != RC_OK)
		return false;
	return db->driver->commit(db) == RC_OK;
}

void
db_undo(struct db *db)
{
	db->undo = true;
}

enum rc
db_fold(struct db *db, int wait_ms)
{
	return db->driver->fold(db, wait_ms);
}

enum rc
db_copy(const char *from, const char *to, db_progress progress, void *cookie)
{
	return db_sqlite.copy(from, to, progress, cookie);
}

enum rc
db_snapshot(struct db *db, db_deed deed, void *cookie)
{
	enum rc rc;

	if ((rc = db->driver->begin(db, false, 0)) != RC_OK)
		return rc;
	rc = deed(db, cookie);
	db->driver->rollback(db);
	return rc;
}

enum rc
db_run(struct db *db, enum sql sql, const struct db_arg *args)
{
	enum rc rc;

	rc = db_first(db, sql, args);
	while (rc == RC_OK)
		rc = db_next(db, sql);
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
db_first(struct db *db, enum sql sql, const struct db_arg *args)
{
	return db->driver->first(db, sql, args);
}

enum rc
db_next(struct db *db, enum sql sql)
{
	return db->driver->next(db, sql);
}

void
db_done(struct db *db, enum sql sql)
{
	db->driver->done(db, sql);
}

int64_t
db_column_int(struct db *db, enum sql sql, int column)
{
	return db->driver->column_int(db, sql, column);
}

const char *
db_column_text(struct db *db, enum sql sql, int column)
{
	return db->driver->column_text(db, sql, column);
}

const void *
db_column_blob(struct db *db, enum sql sql, int column, size_t *len)
{
	return db->driver->column_blob(db, sql, column, len);
}

void
db_column_copy(struct db *db, enum sql sql, int column, char *out, size_t size)
{
	snprintf(out, size, "%s", db_column_text(db, sql, column));
}
