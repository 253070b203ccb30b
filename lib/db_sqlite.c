/*
 * The SQLite driver: the only file that sees sqlite3.h.
 *
 * Several processes write and checkpoint one WAL file here, which SQLite
 * before 3.51.3 (Debian 12 ships 3.40.1) can answer with a corrupt database:
 * a checkpointer that does not notice another process resetting the log marks
 * pages as copied that were not (sqlite.org/wal.html#walresetbug). So nobody
 * writes and nobody checkpoints but under one lock, taken with flock(2) on a
 * file beside the database, and SQLite's own checkpoints, after a commit and
 * at close, are off. The lock is also fair where SQLite's busy handler is
 * not: with it writers wait for their turn, without it some starve for
 * seconds.
 *
 * The log is folded back by the worker from time to time, and by the writer
 * that finds it long all the same, before it gives the lock away.
 */

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "db_driver.h"
#include "log.h"

/* Pages of the log from which on a writer folds it back: 4 MB. */
#define WAL_PAGES 1000
/* Length of the log from which on the worker does, so that writers need not:
 * bytes. */
#define FOLD_BYTES (1024 * 1024)
/* ... and how often, milliseconds: the file stays long when it is folded. */
#define FOLD_MS 1000
/* How long a reader waits for a lock that is not ours, milliseconds. */
#define BUSY_MS 1000
/* How long whoever makes a database waits for others who do, milliseconds. */
#define CREATE_WAIT_MS 10000
/* Pages that are copied at once,: 4 MB. */
#define COPY_PAGES 1000
/* RETURNING came with 3.35. */
#define OLDEST 3035000

struct sqlite {
	struct db db;                  /* first, so that it can be cast */
	sqlite3 *handle;               /* the connection */
	sqlite3_stmt *stmts[SQL__MAX]; /* prepared at first use */
	char path[256];                /* of the database */
	char lock_path[264];           /* of the lock file */
	int lock;                      /* descriptor of the lock file, or -1 */
	bool writing;                  /* in a write transaction */
	int wal_pages;                 /* length of the log after a commit */
	int64_t folded_ms;             /* when we folded it last (clock_ms) */
	dev_t device;                  /* which file path named when opened */
	ino_t inode;
	char engine[200]; /* for db_engine */
};

static struct sqlite *
sqlite(struct db *db)
{
	return (struct sqlite *)db;
}

/* Logs what SQLite says of code and returns what it means for the caller. */
static enum rc
failed(struct sqlite *s, int code, const char *what)
{
	/* Errors name tables and columns, never values. */
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		log_warn("db_busy", "%s: %s", what, sqlite3_errmsg(s->handle));
		return RC_BUSY;
	case SQLITE_CONSTRAINT:
		log_warn(
		    "db_conflict", "%s: %s", what, sqlite3_errmsg(s->handle));
		return RC_RETRY;
	case SQLITE_NOMEM:
		return RC_MEMORY;
	default:
		log_error("db_failed", "%s: %s (%d)", what,
		    sqlite3_errmsg(s->handle), code);
		return RC_UNAVAILABLE;
	}
}

static enum rc
execute(struct sqlite *s, const char *text)
{
	int code;

	code = sqlite3_exec(s->handle, text, NULL, NULL, NULL);
	return code == SQLITE_OK ? RC_OK : failed(s, code, text);
}

/* Reads the one value a pragma returns into out. */
static enum rc
query(struct sqlite *s, const char *text, char *out, size_t size)
{
	sqlite3_stmt *stmt;
	const unsigned char *value;
	int code;

	code = sqlite3_prepare_v2(s->handle, text, -1, &stmt, NULL);
	if (code != SQLITE_OK)
		return failed(s, code, text);
	code = sqlite3_step(stmt);
	value = code == SQLITE_ROW ? sqlite3_column_text(stmt, 0) : NULL;
	snprintf(out, size, "%s", value != NULL ? (const char *)value : "");
	sqlite3_finalize(stmt);
	return code == SQLITE_ROW || code == SQLITE_DONE
		   ? RC_OK
		   : failed(s, code, text);
}

/* SQLite tells the length of the log after each commit. Having a hook of our
 * own also replaces the one that would checkpoint. */
static int
note_wal_pages(void *cookie, sqlite3 *handle, const char *name, int pages)
{
	struct sqlite *s = cookie;

	(void)handle;
	(void)name;
	s->wal_pages = pages;
	return SQLITE_OK;
}

/* Whether this SQLite has the WAL-reset bug; see the head of the file. */
static bool
has_reset_bug(int version)
{
	if (version >= 3051003)
		return false;
	if (version >= 3050007 && version < 3051000)
		return false;
	return !(version >= 3044006 && version < 3045000);
}

/* Puts the rules in force that keep the file safe, and makes sure of them. */
static enum rc
configure(struct sqlite *s, bool create)
{
	char journal[16], checkpoint[16];
	int off = 0;
	enum rc rc;

	sqlite3_busy_timeout(s->handle, BUSY_MS);
	sqlite3_extended_result_codes(s->handle, 1);
	if (create && (rc = query(s, "PRAGMA journal_mode=WAL", journal,
			   sizeof journal)) != RC_OK)
		return rc;
	if ((rc = execute(s,
		 "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
		 "PRAGMA wal_autocheckpoint=0; PRAGMA trusted_schema=OFF")) !=
	    RC_OK)
		return rc;
	sqlite3_db_config(s->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, &off);
	if ((rc = query(s, "PRAGMA journal_mode", journal, sizeof journal)) !=
		RC_OK ||
	    (rc = query(s, "PRAGMA wal_autocheckpoint", checkpoint,
		 sizeof checkpoint)) != RC_OK)
		return rc;
	if (strcmp(journal, "wal") != 0 || strcmp(checkpoint, "0") != 0 ||
	    off != 1) {
		log_error("db_unsafe",
		    "%s: journal %s, auto-checkpoint %s, checkpoint at close "
		    "%s; will not use it",
		    s->path, journal, checkpoint, off == 1 ? "off" : "on");
		return RC_UNAVAILABLE;
	}
	sqlite3_wal_hook(s->handle, note_wal_pages, s);
	snprintf(s->engine, sizeof s->engine,
	    "SQLite %s, WAL, synchronous=FULL, writes and checkpoints under "
	    "one lock (%s)",
	    sqlite3_libversion(),
	    has_reset_bug(sqlite3_libversion_number())
		? "needed: this version has the WAL-reset bug"
		: "this version is free of the WAL-reset bug");
	return RC_OK;
}

/* Opens the lock file, with the rights of the database. */
static enum rc
open_lock(struct sqlite *s, mode_t mode)
{
	s->lock = open(s->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, mode);
	if (s->lock >= 0)
		return RC_OK;
	log_error("db_lock", "%s: %s", s->lock_path, strerror(errno));
	return RC_UNAVAILABLE;
}

/* SIGALRM has nothing to do but to interrupt flock(2). */
static void
on_alarm(int signal)
{
	(void)signal;
}

static void
set_timer(int first_ms, int then_ms)
{
	struct itimerval timer = {
		.it_value = { first_ms / 1000, first_ms % 1000 * 1000 },
		.it_interval = { then_ms / 1000, then_ms % 1000 * 1000 },
	};

	setitimer(ITIMER_REAL, &timer, NULL);
}

/* Milliseconds of a clock that nobody sets. */
static int64_t
clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * Waits for the lock, in the order of arrival, until the deadline. flock(2)
 * has no time limit of its own, so a timer interrupts it; it fires again and
 * again, lest the first time falls before the wait begins. Other signals
 * interrupt it as well and mean nothing here.
 */
static enum rc
wait_for_lock(struct sqlite *s, int64_t deadline_ms)
{
	struct sigaction action = { .sa_handler = on_alarm }, before;
	int64_t left = deadline_ms - clock_ms();
	int result;

	sigaction(SIGALRM, &action, &before);
	set_timer(left > 0 ? (int)left : 1, 10);
	do {
		result = flock(s->lock, LOCK_EX);
	} while (result != 0 && errno == EINTR && clock_ms() < deadline_ms);
	set_timer(0, 0);
	sigaction(SIGALRM, &before, NULL);
	if (result == 0)
		return RC_OK;
	return errno == EINTR ? RC_BUSY : RC_UNAVAILABLE;
}

/* Takes the lock, on the file that others see under its name: a lock on any
 * other keeps nobody out. */
static enum rc
take_lock(struct sqlite *s, int64_t deadline_ms)
{
	struct stat held, named;
	enum rc rc;
	int tries;

	for (tries = 0; tries < 3; tries++) {
		if (s->lock < 0 && (rc = open_lock(s, 0660)) != RC_OK)
			return rc;
		if ((rc = wait_for_lock(s, deadline_ms)) != RC_OK) {
			log_warn("db_busy", "no turn to write in time");
			return rc;
		}
		if (fstat(s->lock, &held) == 0 &&
		    stat(s->lock_path, &named) == 0 &&
		    held.st_ino == named.st_ino && held.st_dev == named.st_dev)
			return RC_OK;
		close(s->lock);
		s->lock = -1;
	}
	log_error("db_lock", "%s: replaced again and again", s->lock_path);
	return RC_UNAVAILABLE;
}

static void
release_lock(struct sqlite *s)
{
	flock(s->lock, LOCK_UN);
}

/* Folds the log back into the database. Call with the lock held only. */
static void
checkpoint(struct sqlite *s)
{
	int code;

	code = sqlite3_wal_checkpoint_v2(
	    s->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	if (code != SQLITE_OK && code != SQLITE_BUSY)
		failed(s, code, "checkpoint");
	s->wal_pages = 0;
}

static void
sqlite_close(struct db *db)
{
	struct sqlite *s = sqlite(db);
	size_t i;

	for (i = 0; i < SQL__MAX; i++)
		sqlite3_finalize(s->stmts[i]);
	sqlite3_close(s->handle);
	if (s->lock >= 0)
		close(s->lock);
	free(s);
}

static enum rc
sqlite_open(struct db **out, const char *path, bool create)
{
	int flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0);
	struct sqlite *s;
	struct stat st;
	enum rc rc = RC_UNAVAILABLE;
	int code;

	if ((s = calloc(1, sizeof *s)) == NULL)
		return RC_MEMORY;
	s->db.driver = &db_sqlite;
	s->lock = -1;
	snprintf(s->path, sizeof s->path, "%s", path);
	snprintf(s->lock_path, sizeof s->lock_path, "%s-lock", s->path);
	if (sqlite3_libversion_number() < OLDEST) {
		log_error("db_unsafe", "SQLite %s is too old; 3.35 is needed",
		    sqlite3_libversion());
		goto out;
	}
	code = sqlite3_open_v2(path, &s->handle, flags, NULL);
	if (code != SQLITE_OK) {
		log_error("db_open", "%s: %s", path, sqlite3_errstr(code));
		goto out;
	}
	if (stat(path, &st) != 0) {
		log_error("db_open", "%s: %s", path, strerror(errno));
		goto out;
	}
	/* SQLite takes the log of an empty database for a left-over and wipes
	 * it. It would be that of the real one, put aside. */
	if (!create && st.st_size == 0) {
		log_error("db_open", "%s is empty", path);
		goto out;
	}
	s->device = st.st_dev;
	s->inode = st.st_ino;
	if ((rc = open_lock(s, st.st_mode & 0777)) != RC_OK)
		goto out;
	/* Making a log of a database is a write, too. */
	if (create && (rc = take_lock(s, clock_ms() + CREATE_WAIT_MS)) != RC_OK)
		goto out;
	rc = configure(s, create);
	if (create)
		release_lock(s);
	if (rc != RC_OK)
		goto out;
	*out = &s->db;
	return RC_OK;
out:
	sqlite_close(&s->db);
	return rc;
}

static enum rc
sqlite_check(struct db *db)
{
	struct sqlite *s = sqlite(db);
	struct stat st;

	if (stat(s->path, &st) == 0 && st.st_dev == s->device &&
	    st.st_ino == s->inode)
		return RC_OK;
	log_error("db_gone", "%s was deleted or replaced", s->path);
	return RC_UNAVAILABLE;
}

static const char *
sqlite_engine(const struct db *db)
{
	return ((const struct sqlite *)db)->engine;
}

static enum rc
sqlite_begin(struct db *db, bool write, int wait_ms)
{
	struct sqlite *s = sqlite(db);
	int64_t deadline_ms, left;
	enum rc rc;

	if (!write)
		return execute(s, "BEGIN");
	deadline_ms = clock_ms() + wait_ms;
	if ((rc = take_lock(s, deadline_ms)) != RC_OK)
		return rc;
	/* Somebody without our lock may hold SQLite's: what is left of the
	 * time is for that. */
	left = deadline_ms - clock_ms();
	sqlite3_busy_timeout(s->handle, left > 0 ? (int)left : 0);
	rc = execute(s, "BEGIN IMMEDIATE");
	sqlite3_busy_timeout(s->handle, BUSY_MS);
	if (rc != RC_OK) {
		release_lock(s);
		return rc;
	}
	s->writing = true;
	return RC_OK;
}

/* Lets every statement go, so that a transaction can end. */
static void
reset_all(struct sqlite *s)
{
	size_t i;

	for (i = 0; i < SQL__MAX; i++)
		if (s->stmts[i] != NULL && sqlite3_stmt_busy(s->stmts[i]))
			sqlite3_reset(s->stmts[i]);
}

static void
sqlite_rollback(struct db *db)
{
	struct sqlite *s = sqlite(db);

	reset_all(s);
	/* Some errors have rolled back already. */
	if (!sqlite3_get_autocommit(s->handle))
		execute(s, "ROLLBACK");
	if (s->writing) {
		s->writing = false;
		release_lock(s);
	}
}

static enum rc
sqlite_commit(struct db *db)
{
	struct sqlite *s = sqlite(db);
	enum rc rc;

	reset_all(s);
	if ((rc = execute(s, "COMMIT")) != RC_OK) {
		sqlite_rollback(db);
		return rc;
	}
	if (s->wal_pages >= WAL_PAGES)
		checkpoint(s);
	s->writing = false;
	release_lock(s);
	return RC_OK;
}

static enum rc
sqlite_fold(struct db *db, int wait_ms)
{
	struct sqlite *s = sqlite(db);
	struct stat log;
	char path[sizeof s->path + 4];
	enum rc rc;

	if (clock_ms() - s->folded_ms < FOLD_MS)
		return RC_OK;
	snprintf(path, sizeof path, "%s-wal", s->path);
	if (stat(path, &log) != 0 || log.st_size < FOLD_BYTES)
		return RC_OK;
	if ((rc = take_lock(s, clock_ms() + wait_ms)) != RC_OK)
		return rc;
	/* The lock goes with the name: not for a database moved away. */
	if ((rc = sqlite_check(db)) == RC_OK)
		checkpoint(s);
	release_lock(s);
	s->folded_ms = clock_ms();
	return rc;
}

static enum rc
sqlite_has_table(struct db *db, const char *name, bool *has)
{
	struct sqlite *s = sqlite(db);
	sqlite3_stmt *stmt;
	int code;

	/* Asked of the file: what SQLite remembers may be out of date. */
	code = sqlite3_prepare_v2(s->handle,
	    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1",
	    -1, &stmt, NULL);
	if (code != SQLITE_OK)
		return failed(s, code, name);
	sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	code = sqlite3_step(stmt);
	sqlite3_finalize(stmt);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return failed(s, code, name);
	*has = code == SQLITE_ROW;
	return RC_OK;
}

/*
 * Opens the database at path for a copy, with a transaction open on it: the
 * copy is of one moment, and is not begun anew whenever somebody writes. It
 * only reads, so it needs no lock; it must not checkpoint at close, which
 * would be a write.
 */
static enum rc
open_original(struct sqlite *s, const char *path)
{
	int code, off = 0;

	code = sqlite3_open_v2(path, &s->handle, SQLITE_OPEN_READONLY, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_db_config(
		    s->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, &off);
	if (code != SQLITE_OK) {
		log_error("db_copy", "%s: %s", path, sqlite3_errstr(code));
		return RC_UNAVAILABLE;
	}
	sqlite3_busy_timeout(s->handle, BUSY_MS);
	return execute(s, "BEGIN; SELECT count(*) FROM sqlite_schema");
}

/* Copies all pages of one open database to another. */
static enum rc
copy_pages(
    struct sqlite *from, struct sqlite *to, db_progress progress, void *cookie)
{
	sqlite3_backup *backup;
	int code;

	backup = sqlite3_backup_init(to->handle, "main", from->handle, "main");
	if (backup == NULL)
		return failed(to, sqlite3_errcode(to->handle), "copy");
	do {
		code = sqlite3_backup_step(backup, COPY_PAGES);
		progress(cookie,
		    (size_t)(sqlite3_backup_pagecount(backup) -
			     sqlite3_backup_remaining(backup)),
		    (size_t)sqlite3_backup_pagecount(backup));
	} while (code == SQLITE_OK);
	code = sqlite3_backup_finish(backup);
	return code == SQLITE_OK ? RC_OK : failed(to, code, "copy");
}

/* Makes one plain file of a copy, with no log beside it, and looks at all of
 * it. */
static enum rc
check_copy(struct sqlite *s)
{
	char answer[100];
	bool ours = false;
	enum rc rc;

	if ((rc = query(s, "PRAGMA journal_mode=DELETE", answer,
		 sizeof answer)) != RC_OK ||
	    (rc = query(s, "PRAGMA integrity_check(1)", answer,
		 sizeof answer)) != RC_OK)
		return rc;
	if (strcmp(answer, "ok") != 0) {
		log_error("db_copy", "not sound: %s", answer);
		return RC_INVALID;
	}
	rc = sqlite_has_table(&s->db, "schema_version", &ours);
	if (rc == RC_OK && !ours) {
		log_error("db_copy", "not a database of callmask");
		return RC_INVALID;
	}
	return rc;
}

static enum rc
sqlite_copy(
    const char *from, const char *to, db_progress progress, void *cookie)
{
	struct sqlite original = { .lock = -1 }, copy = { .lock = -1 };
	enum rc rc;
	int fd;

	if ((fd = open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640)) < 0) {
		log_error("db_copy", "%s: %s", to, strerror(errno));
		return errno == EEXIST ? RC_EXISTS : RC_UNAVAILABLE;
	}
	rc = open_original(&original, from);
	if (rc == RC_OK && sqlite3_open_v2(to, &copy.handle,
			       SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		rc = RC_UNAVAILABLE;
	/* Until it is whole nobody wants it, and then it goes to the disk. */
	if (rc == RC_OK)
		rc = execute(
		    &copy, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF");
	if (rc == RC_OK)
		rc = copy_pages(&original, &copy, progress, cookie);
	if (rc == RC_OK)
		rc = check_copy(&copy);
	sqlite3_close(original.handle);
	if (sqlite3_close(copy.handle) != SQLITE_OK && rc == RC_OK)
		rc = RC_UNAVAILABLE;
	if (rc == RC_OK && fsync(fd) != 0) {
		log_error("db_copy", "%s: %s", to, strerror(errno));
		rc = RC_UNAVAILABLE;
	}
	close(fd);
	if (rc != RC_OK)
		unlink(to);
	return rc;
}

static enum rc
sqlite_script(struct db *db, const char *text)
{
	return execute(sqlite(db), text);
}

/* Binds args to $1, $2, …: by name, for SQLite numbers parameters in the
 * order in which they first appear in the text. */
static int
bind(sqlite3_stmt *stmt, const struct db_arg *args)
{
	char name[16];
	int i, at, code = SQLITE_OK;

	for (i = 0; args != NULL && args[i].kind != DB_ARG_END; i++) {
		snprintf(name, sizeof name, "$%d", i + 1);
		if ((at = sqlite3_bind_parameter_index(stmt, name)) == 0)
			return SQLITE_RANGE;
		switch (args[i].kind) {
		case DB_ARG_INT:
			code = sqlite3_bind_int64(stmt, at, args[i].number);
			break;
		case DB_ARG_TEXT:
			code = sqlite3_bind_text(
			    stmt, at, args[i].data, -1, SQLITE_TRANSIENT);
			break;
		case DB_ARG_BLOB:
			code = sqlite3_bind_blob64(stmt, at, args[i].data,
			    args[i].len, SQLITE_TRANSIENT);
			break;
		default:
			code = sqlite3_bind_null(stmt, at);
		}
		if (code != SQLITE_OK)
			return code;
	}
	return i == sqlite3_bind_parameter_count(stmt) ? SQLITE_OK
						       : SQLITE_RANGE;
}

static enum rc
sqlite_next(struct db *db, enum sql sql)
{
	struct sqlite *s = sqlite(db);
	int code;

	code = sqlite3_step(s->stmts[sql]);
	if (code == SQLITE_ROW)
		return RC_OK;
	if (code == SQLITE_DONE) {
		sqlite3_reset(s->stmts[sql]);
		return RC_NONE;
	}
	sqlite3_reset(s->stmts[sql]);
	return failed(s, code, sql_names[sql]);
}

static enum rc
sqlite_first(struct db *db, enum sql sql, const struct db_arg *args)
{
	struct sqlite *s = sqlite(db);
	int code;

	if (s->stmts[sql] == NULL) {
		code = sqlite3_prepare_v3(s->handle, sql_texts[sql], -1,
		    SQLITE_PREPARE_PERSISTENT, &s->stmts[sql], NULL);
		if (code != SQLITE_OK)
			return failed(s, code, sql_names[sql]);
	}
	if ((code = bind(s->stmts[sql], args)) != SQLITE_OK)
		return failed(s, code, sql_names[sql]);
	return sqlite_next(db, sql);
}

static void
sqlite_done(struct db *db, enum sql sql)
{
	sqlite3_reset(sqlite(db)->stmts[sql]);
}

static int64_t
sqlite_column_int(struct db *db, enum sql sql, int column)
{
	return sqlite3_column_int64(sqlite(db)->stmts[sql], column);
}

static const char *
sqlite_column_text(struct db *db, enum sql sql, int column)
{
	const unsigned char *text;

	text = sqlite3_column_text(sqlite(db)->stmts[sql], column);
	return text != NULL ? (const char *)text : "";
}

static const void *
sqlite_column_blob(struct db *db, enum sql sql, int column, size_t *len)
{
	sqlite3_stmt *stmt = sqlite(db)->stmts[sql];
	const void *blob = sqlite3_column_blob(stmt, column);

	*len = (size_t)sqlite3_column_bytes(stmt, column);
	return blob;
}

const struct db_driver db_sqlite = {
	.open = sqlite_open,
	.close = sqlite_close,
	.check = sqlite_check,
	.engine = sqlite_engine,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.fold = sqlite_fold,
	.copy = sqlite_copy,
	.script = sqlite_script,
	.has_table = sqlite_has_table,
	.first = sqlite_first,
	.next = sqlite_next,
	.done = sqlite_done,
	.column_int = sqlite_column_int,
	.column_text = sqlite_column_text,
	.column_blob = sqlite_column_blob,
};
