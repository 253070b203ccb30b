#ifndef DB_H
#define DB_H

/*
 * The database, a statement at a time. Statements are known beforehand, by
 * name (sql/, made into sql.h); nothing is put together at run time. Behind
 * it stands one driver per engine (db_driver.h).
 *
 * What it promises: a transaction is whole or not there, and when db_transact
 * says RC_OK its changes are on stable storage. Writers queue in order of
 * arrival for one lock; readers wait for nobody.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rc.h"
#include "sql.h"

/* How long a request waits for its turn to write, in milliseconds. */
#define DB_WAIT_MS 2000

struct db;

/* What db_open may do beyond opening what is there at the right version. */
enum db_mode {
	DB_USE,     /* must exist and have this program's schema version */
	DB_INSPECT, /* must exist, may have another version */
	DB_CREATE   /* may be new, may have another version */
};

/* A value for a statement's parameter; made by the macros below. */
struct db_arg {
	enum {
		DB_ARG_END,
		DB_ARG_NULL,
		DB_ARG_INT,
		DB_ARG_TEXT,
		DB_ARG_BLOB
	} kind;
	int64_t number;   /* DB_ARG_INT */
	const void *data; /* DB_ARG_TEXT, DB_ARG_BLOB: borrowed for the call */
	size_t len;       /* DB_ARG_BLOB: bytes */
};

/* Values for $1, $2, … in order. A NULL text is SQL's NULL. */
/* clang-format off */
#define DB_ARGS(...) ((const struct db_arg[]){ __VA_ARGS__, DB_END })
#define DB_END { .kind = DB_ARG_END }
#define DB_NULL { .kind = DB_ARG_NULL }
#define DB_INT(value) { .kind = DB_ARG_INT, .number = (value) }
#define DB_TEXT(value) { .kind = DB_ARG_TEXT, .data = (value) }
#define DB_BLOB(value, size) \
	{ .kind = DB_ARG_BLOB, .data = (value), .len = (size) }
/* clang-format on */

/* Work done in a transaction; cookie is the caller's. */
typedef enum rc (*db_deed)(struct db *db, void *cookie);

/*
 * Opens the database at path into *db. Returns RC_UNAVAILABLE if it cannot be
 * opened or kept safe, RC_VERSION if the mode asks for another schema
 * version; both are logged with what helps. Close with db_close.
 */
enum rc db_open(struct db **db, const char *path, enum db_mode mode);

/* Closes db; NULL is fine. */
void db_close(struct db *db);

/*
 * Returns RC_OK while db is still the database its path names, RC_UNAVAILABLE
 * once it was deleted or replaced: what is written then would be lost.
 */
enum rc db_check(struct db *db);

/* Stores the schema version, 0 for an empty database, in *version. */
enum rc db_version(struct db *db, int64_t *version);

/*
 * Runs the migrations that db lacks, each in a transaction. now: epoch
 * seconds. Returns RC_VERSION if db is newer than this program.
 */
enum rc db_migrate(struct db *db, int64_t now);

/*
 * Runs deed in a write transaction, waiting at most wait_ms for the turn.
 * Commits if its result is final (rc_final), else rolls back; runs it again,
 * a few times, if it lost a race (RC_RETRY), so a deed must not keep anything
 * from an earlier run. Returns the deed's result once committed, RC_BUSY if
 * the turn did not come, RC_UNAVAILABLE if committing failed.
 */
enum rc db_transact(struct db *db, int wait_ms, db_deed deed, void *cookie);

/* Returns whether db can be written: takes its turn, changes nothing. */
bool db_can_write(struct db *db, int wait_ms);

/*
 * Within a deed: has db_transact roll back whatever the deed returns. For a
 * refusal that is found out after something was written.
 */
void db_undo(struct db *db);

/*
 * Tidies what the engine leaves behind while it writes, outside transactions:
 * the worker's business from time to time. Waits at most wait_ms for the turn:
 * RC_BUSY.
 */
enum rc db_fold(struct db *db, int wait_ms);

/* Told how far something is, in parts of total. */
typedef void (*db_progress)(void *cookie, size_t done, size_t total);

/*
 * Copies the database at path `from` as it is at one moment, also while
 * others write it, to a new file `to`, and checks the copy from end to end:
 * its pages, and that it is a database of ours, of whatever version. Returns
 * RC_EXISTS if there is a file `to`, RC_INVALID if `from` is no sound database
 * of ours, RC_UNAVAILABLE; logged. The copy is on stable storage when it
 * returns RC_OK, and not there if not. progress is told the pages copied.
 */
enum rc db_copy(
    const char *from, const char *to, db_progress progress, void *cookie);

/* Runs deed in a read transaction: all it reads is of one moment. */
enum rc db_snapshot(struct db *db, db_deed deed, void *cookie);

/*
 * Runs a statement and drops its rows. Returns RC_RETRY if a constraint
 * refused it, RC_BUSY, RC_UNAVAILABLE.
 */
enum rc db_run(struct db *db, enum sql sql, const struct db_arg *args);

/*
 * Runs a statement up to its first row. Returns RC_OK if there is one, to be
 * read by the db_column functions and let go by db_done; RC_NONE if there is
 * none; else as db_run. A statement in use cannot be started again.
 */
enum rc db_first(struct db *db, enum sql sql, const struct db_arg *args);

/* Moves to the next row. RC_OK, RC_NONE (then done already), or a failure. */
enum rc db_next(struct db *db, enum sql sql);

/* Lets go of the rows of a statement; fine if there are none. */
void db_done(struct db *db, enum sql sql);

/*
 * A column of the row at hand, from 0. Text and bytes are borrowed until the
 * next db_next or db_done; NULL reads as 0, "" and no bytes.
 */
int64_t db_column_int(struct db *db, enum sql sql, int column);
const char *db_column_text(struct db *db, enum sql sql, int column);
const void *db_column_blob(
    struct db *db, enum sql sql, int column, size_t *len);

/* Copies a text column into out of size bytes, cut to fit. */
void db_column_copy(
    struct db *db, enum sql sql, int column, char *out, size_t size);

/*
 * Describes the engine in a line for `callmask doctor`: its version and the
 * rules in force. Borrowed until db_close.
 */
const char *db_engine(const struct db *db);

#endif
