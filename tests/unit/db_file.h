#ifndef DB_FILE_H
#define DB_FILE_H

/*
 * For tests of the database itself: real files in a directory of their own,
 * removed after each test, a connection that knows nothing of our rules, and
 * other processes, which never outlive their test.
 *
 * Nothing here needs the disk, so syncing is only counted. A child opens the
 * database for itself: SQLite does not survive a fork.
 */

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "db.h"
#include "log.h"

#define LENGTH(array) (sizeof array / sizeof array[0])
#define OK(call) assert_int_equal(call, RC_OK)
#define SERVICE "svc_1"
#define NOW 1795363200

static char dir[] = "/tmp/callmask-db-XXXXXX";
static char path[64];      /* of the database */
static char lock_path[64]; /* of its lock file */
static char extra[64];     /* of whatever a test needs besides */
static int syncs;          /* calls of fsync and fdatasync */
static pid_t children[16]; /* other processes; 0: none */

/* These take the place of the C library's, for SQLite as well. */
int
fsync(int fd)
{
	(void)fd;
	syncs++;
	return 0;
}

int
fdatasync(int fd)
{
	return fsync(fd);
}

static inline int
make_dir(void **state)
{
	(void)state;
	log_open("test", (enum log_level)(LOG_ERROR + 1));
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/db", dir);
	snprintf(lock_path, sizeof lock_path, "%s/db-lock", dir);
	snprintf(extra, sizeof extra, "%s/extra", dir);
	return 0;
}

static inline int
remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

/* Kills what still runs and removes all files. */
static inline int
clean_up(void **state)
{
	static const char *const names[] = { "db", "db-wal", "db-shm",
		"db-lock", "db-journal", "extra" };
	char name[96];
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(children); i++) {
		if (children[i] != 0) {
			kill(children[i], SIGKILL);
			waitpid(children[i], NULL, 0);
			children[i] = 0;
		}
	}
	for (i = 0; i < LENGTH(names); i++) {
		snprintf(name, sizeof name, "%s/%s", dir, names[i]);
		remove(name);
	}
	return 0;
}

/* fork(2), for one that ends with its test at the latest. */
static inline pid_t
fork_child(void)
{
	size_t i = 0;
	pid_t pid;

	while (children[i] != 0)
		i++;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	else
		children[i] = pid;
	return pid;
}

/* Runs work in another process, whose exit status its result will be. */
static inline pid_t
start(int (*work)(void *cookie), void *cookie)
{
	pid_t pid;

	if ((pid = fork_child()) == 0)
		_exit(work(cookie));
	return pid;
}

/* The same for work on the database, opened for it; 99 if it cannot be. */
static inline pid_t
start_on_db(int (*work)(struct db *db, void *cookie), void *cookie)
{
	int result = 99;
	struct db *db;
	pid_t pid;

	if ((pid = fork_child()) == 0) {
		if (db_open(&db, path, DB_USE) == RC_OK) {
			result = work(db, cookie);
			db_close(db);
		}
		_exit(result);
	}
	return pid;
}

/* Waits for a process and returns its exit status, -1 if it was killed. */
static inline int
finish(pid_t pid)
{
	int status;
	size_t i;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	for (i = 0; i < LENGTH(children); i++)
		if (children[i] == pid)
			children[i] = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline int
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int)(now.tv_sec % 1000000 * 1000 + now.tv_nsec / 1000000);
}

static inline void
sleep_ms(int ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000L }, NULL);
}

/* A connection past the library, that does not tidy up at close either. */
static inline sqlite3 *
raw_open(void)
{
	sqlite3 *raw;

	assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
	sqlite3_busy_timeout(raw, 2000);
	sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	return raw;
}

static inline void
raw_exec(sqlite3 *raw, const char *text)
{
	if (sqlite3_exec(raw, text, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", text, sqlite3_errmsg(raw));
}

static inline void
raw_run(const char *text)
{
	sqlite3 *raw = raw_open();

	raw_exec(raw, text);
	sqlite3_close(raw);
}

static inline int
raw_int(const char *text)
{
	sqlite3 *raw = raw_open();
	sqlite3_stmt *stmt;
	int value;

	if (sqlite3_prepare_v2(raw, text, -1, &stmt, NULL) != SQLITE_OK ||
	    sqlite3_step(stmt) != SQLITE_ROW)
		fail_msg("%s: %s", text, sqlite3_errmsg(raw));
	value = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(raw);
	return value;
}

/* How many numbers there are, and events have been counted. */
static inline int
numbers(void)
{
	return raw_int("SELECT count(*) FROM number");
}

static inline int
events(void)
{
	return raw_int("SELECT event_seq FROM service");
}

static inline struct db *
open_db(enum db_mode mode)
{
	struct db *db = NULL;

	OK(db_open(&db, path, mode));
	assert_non_null(db);
	return db;
}

static inline enum rc
add_service(struct db *db, const char *id, const char *name, int ttl_s)
{
	return db_run(db, SQL_SERVICE_INSERT,
	    DB_ARGS(DB_TEXT(id), DB_TEXT(name), DB_TEXT("US"), DB_INT(ttl_s),
		DB_INT(60), DB_INT(60), DB_INT(60), DB_INT(1), DB_INT(0),
		DB_NULL, DB_INT(1), DB_INT(0), DB_INT(0), DB_INT(0), DB_INT(0),
		DB_INT(0), DB_INT(0), DB_NULL, DB_INT(NOW), DB_TEXT("en"),
		DB_NULL, DB_NULL, DB_INT(0), DB_INT(0), DB_INT(0), DB_INT(0),
		DB_INT(30), DB_INT(90)));
}

/* The i-th number is like +12025550107-7. */
static inline enum rc
add_number(struct db *db, int i)
{
	char number[24];

	snprintf(number, sizeof number, "+120255501%02d-%d", i % 100, i);
	return db_run(db, SQL_NUMBER_INSERT,
	    DB_ARGS(DB_TEXT(number), DB_TEXT(SERVICE), DB_TEXT("US"),
		DB_INT(NOW), DB_INT(i)));
}

static inline int
count_numbers(struct db *db)
{
	const enum sql sql = SQL_NUMBER_LIST;
	int count = 0;
	enum rc rc;

	rc = db_first(db, sql, DB_ARGS(DB_TEXT(SERVICE), DB_INT(0)));
	for (; rc == RC_OK; rc = db_next(db, sql))
		count++;
	assert_int_equal(rc, RC_NONE);
	return count;
}

/* A deed: takes the next event number into *cookie, if that is not NULL. */
static inline enum rc
next_event(struct db *db, void *cookie)
{
	const enum sql sql = SQL_SERVICE_NEXT_EVENT;
	enum rc rc;

	rc = db_first(db, sql, DB_ARGS(DB_TEXT(SERVICE)));
	if (rc == RC_OK && cookie != NULL)
		*(int64_t *)cookie = db_column_int(db, sql, 0);
	db_done(db, sql);
	return rc;
}

/* A deed: the same, and a number for the event. */
static inline enum rc
add_pair(struct db *db, void *cookie)
{
	int64_t seq;
	enum rc rc;

	(void)cookie;
	if ((rc = next_event(db, &seq)) != RC_OK)
		return rc;
	return add_number(db, (int)seq);
}

static inline enum rc
first_service(struct db *db, void *cookie)
{
	(void)cookie;
	return add_service(db, SERVICE, "one", 60);
}

/* A new database, with the one service that the above are about. */
static inline struct db *
new_db(void)
{
	struct db *db = open_db(DB_CREATE);

	OK(db_migrate(db, NOW));
	OK(db_transact(db, 1000, first_service, NULL));
	return db;
}

#endif
