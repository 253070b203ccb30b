/* The database: versions, statements, transactions. */

#include "test.h"

#include <stdbool.h>

#include "db_file.h"

/* --- Versions */

static void
test_migrate_from_empty(void **state)
{
	struct db *db = open_db(DB_CREATE);
	int64_t version = -1;

	(void)state;
	OK(db_version(db, &version));
	assert_int_equal(version, 0);
	OK(db_migrate(db, NOW));
	OK(db_version(db, &version));
	assert_int_equal(version, SQL_VERSION);
	/* Once is enough. */
	OK(db_migrate(db, NOW + 1));
	assert_int_equal(
	    raw_int("SELECT count(*) FROM schema_version"), SQL_VERSION);
	assert_int_equal(
	    raw_int("SELECT max(applied_at) FROM schema_version"), NOW);
	db_close(db);
	db_close(open_db(DB_USE));
	db_close(NULL);
}

/* Both have seen that there is nothing yet; only one finds it so. */
static void
test_migrate_behind_another(void **state)
{
	struct db *first = open_db(DB_CREATE), *second = open_db(DB_CREATE);
	int64_t version;

	(void)state;
	OK(db_version(second, &version));
	OK(db_migrate(first, NOW));
	OK(db_version(second, &version));
	assert_int_equal(version, SQL_VERSION);
	OK(db_migrate(second, NOW));
	assert_int_equal(
	    raw_int("SELECT count(*) FROM schema_version"), SQL_VERSION);
	db_close(first);
	db_close(second);
}

static int
migrate(void *cookie)
{
	struct db *db;
	enum rc rc;

	(void)cookie;
	if ((rc = db_open(&db, path, DB_CREATE)) != RC_OK)
		return 100 + (int)rc;
	rc = db_migrate(db, NOW);
	db_close(db);
	return (int)rc;
}

static void
test_migrate_by_many_at_once(void **state)
{
	pid_t pids[4];
	size_t i;
	int round;

	(void)state;
	for (round = 0; round < 20; round++) {
		for (i = 0; i < LENGTH(pids); i++)
			pids[i] = start(migrate, NULL);
		for (i = 0; i < LENGTH(pids); i++)
			assert_int_equal(finish(pids[i]), 0);
		assert_int_equal(raw_int("SELECT count(*) FROM schema_version"),
		    SQL_VERSION);
		clean_up(NULL);
	}
}

static void
test_failed_migration_leaves_nothing(void **state)
{
	struct db *db = open_db(DB_CREATE);
	int64_t version = -1;

	(void)state;
	/* In the way of a table that comes late. */
	raw_run("CREATE TABLE idempotency (x)");
	assert_int_equal(db_migrate(db, NOW), RC_UNAVAILABLE);
	OK(db_version(db, &version));
	assert_int_equal(version, 0);
	assert_int_equal(raw_int("SELECT count(*) FROM sqlite_master"), 1);
	raw_run("DROP TABLE idempotency");
	OK(db_migrate(db, NOW));
	db_close(db);
}

/* Older, by being empty, and newer. */
static void
test_other_versions_are_refused(void **state)
{
	struct db *db = open_db(DB_CREATE), *none = NULL;
	int64_t version;

	(void)state;
	assert_int_equal(db_open(&none, path, DB_USE), RC_VERSION);
	OK(db_migrate(db, NOW));
	raw_run("INSERT INTO schema_version SELECT max(version) + 1, 0 "
		"FROM schema_version");
	assert_int_equal(db_open(&none, path, DB_USE), RC_VERSION);
	assert_null(none);
	assert_int_equal(db_migrate(db, NOW), RC_VERSION);
	db_close(db);
	db = open_db(DB_INSPECT);
	OK(db_version(db, &version));
	assert_int_equal(version, SQL_VERSION + 1);
	db_close(db);
	db_close(open_db(DB_CREATE));
}

static void
check_unavailable(const char *place, bool to_create)
{
	struct db *db = NULL;

	assert_int_equal(db_open(&db, place, DB_USE), RC_UNAVAILABLE);
	assert_int_equal(db_open(&db, place, DB_INSPECT), RC_UNAVAILABLE);
	if (to_create)
		assert_int_equal(
		    db_open(&db, place, DB_CREATE), RC_UNAVAILABLE);
	assert_null(db);
}

static void
test_what_cannot_be_opened_or_kept_safe(void **state)
{
	char place[96];

	(void)state;
	check_unavailable(path, false);
	assert_int_equal(access(path, F_OK), -1); /* nor was it made */
	check_unavailable(dir, true);
	snprintf(place, sizeof place, "%s/nowhere/db", dir);
	check_unavailable(place, true);
	/* Another journal than WAL. */
	raw_run("PRAGMA journal_mode=DELETE; CREATE TABLE t (x)");
	check_unavailable(path, false);
	/* No database at all. */
	assert_int_equal(truncate(path, 100), 0);
	check_unavailable(path, true);
	unlink(path);
	/* No place for a lock file. */
	raw_run("PRAGMA journal_mode=WAL; CREATE TABLE t (x)");
	unlink(lock_path);
	assert_int_equal(mkdir(lock_path, 0700), 0);
	check_unavailable(path, true);
}

static void
test_engine_is_described_in_a_line(void **state)
{
	struct db *db = new_db();

	(void)state;
	assert_non_null(strstr(db_engine(db), sqlite3_libversion()));
	assert_null(strchr(db_engine(db), '\n'));
	db_close(db);
}

/* --- Statements */

/* Fills args with NULLs for text's $1 to $N, which must all be there. */
static void
fill(struct db_arg *args, const char *text)
{
	const char *dollar = text;
	unsigned seen = 0;
	int most = 0, n;

	for (n = 0; n < 31; n++)
		args[n] = (struct db_arg)DB_NULL;
	while ((dollar = strchr(dollar, '$')) != NULL) {
		n = atoi(dollar + 1);
		assert_in_range(n, 1, 30);
		/* The one place where a NULL is an error. */
		if (dollar - text > 6 && memcmp(dollar - 6, "LIMIT ", 6) == 0)
			args[n - 1] = (struct db_arg)DB_INT(9);
		seen |= 1u << n;
		most = n > most ? n : most;
		dollar++;
	}
	assert_int_equal(seen, ((1u << most) - 1) << 1);
	args[most] = (struct db_arg)DB_END;
}

static enum rc
run_every_statement(struct db *db, void *cookie)
{
	struct db_arg args[32];
	int *ran = cookie, i;
	enum rc rc;

	for (i = 0; i < SQL__MAX; i++) {
		fill(args, sql_texts[i]);
		rc = db_run(db, (enum sql)i, args);
		/* NOT NULL may refuse it. */
		if (rc != RC_OK && rc != RC_RETRY)
			fail_msg("%s: %s", sql_names[i], rc_name(rc));
		*ran += rc == RC_OK;
	}
	return RC_SYSTEM;
}

static void
test_every_statement_runs(void **state)
{
	struct db *db = open_db(DB_CREATE);
	int ran = 0;

	(void)state;
	OK(db_migrate(db, NOW));
	assert_int_equal(
	    db_transact(db, 1000, run_every_statement, &ran), RC_SYSTEM);
	assert_in_range(ran, SQL__MAX / 2, SQL__MAX);
	db_close(db);
}

static enum rc
list_numbers(struct db *db, void *cookie)
{
	const struct db_arg *args = DB_ARGS(DB_TEXT(SERVICE), DB_INT(0));
	const enum sql sql = SQL_NUMBER_LIST;
	char cut[6];
	int i;

	(void)cookie;
	assert_int_equal(db_first(db, sql, args), RC_NONE);
	for (i = 0; i < 3; i++)
		OK(add_number(db, i));
	OK(db_first(db, sql, args));
	assert_string_equal(db_column_text(db, sql, 0), "+12025550100-0");
	db_column_copy(db, sql, 0, cut, sizeof cut);
	assert_string_equal(cut, "+1202");
	assert_string_equal(db_column_text(db, sql, 2), "active");
	assert_int_equal(db_column_int(db, sql, 3), 0);
	OK(db_next(db, sql));
	assert_string_equal(db_column_text(db, sql, 0), "+12025550101-1");
	/* In use, it is not started again, nor disturbed. */
	assert_false(rc_final(db_first(db, sql, args)));
	OK(db_next(db, sql));
	assert_string_equal(db_column_text(db, sql, 0), "+12025550102-2");
	assert_int_equal(db_next(db, sql), RC_NONE);
	/* Done by itself or on demand, it can be. */
	OK(db_first(db, sql, args));
	db_done(db, sql);
	OK(db_first(db, sql, args));
	assert_string_equal(db_column_text(db, sql, 0), "+12025550100-0");
	db_done(db, sql);
	db_done(db, sql);
	db_done(db, SQL_CALL_FIND); /* never started */
	return RC_OK;
}

static void
test_rows_come_one_by_one(void **state)
{
	struct db *db = new_db();

	(void)state;
	OK(db_transact(db, 1000, list_numbers, NULL));
	db_close(db);
}

static enum rc
touch_number(struct db *db, void *cookie)
{
	(void)cookie;
	OK(add_number(db, 1));
	OK(db_run(db, SQL_NUMBER_TOUCH,
	    DB_ARGS(DB_TEXT("+12025550101-1"), DB_INT(77))));
	return RC_OK;
}

/* SQLite numbers them by appearance, and here $2 comes before $1. */
static void
test_parameters_are_bound_by_name(void **state)
{
	const char *text = sql_texts[SQL_NUMBER_TOUCH];
	struct db *db = new_db();

	(void)state;
	assert_true(strstr(text, "$2") < strstr(text, "$1"));
	OK(db_transact(db, 1000, touch_number, NULL));
	assert_int_equal(raw_int("SELECT last_used_at FROM number"), 77);
	db_close(db);
}

static enum rc
add_key(struct db *db, const char *id, const void *hash, size_t len)
{
	return db_run(db, SQL_API_KEY_INSERT,
	    DB_ARGS(DB_TEXT(id), DB_TEXT(SERVICE), DB_TEXT("n"), DB_TEXT("app"),
		DB_BLOB(hash, len), DB_INT(INT64_MAX)));
}

static enum rc
store_values(struct db *db, void *cookie)
{
	const enum sql find = SQL_API_KEY_FIND, list = SQL_API_KEY_LIST;
	const void *blob;
	size_t len = 77;

	(void)cookie;
	OK(add_key(db, "key_1", "a\0\xff", 3));
	OK(add_key(db, "key_2", "", 0));
	assert_int_equal(add_key(db, "key_3", NULL, 0), RC_RETRY);
	OK(db_first(db, find, DB_ARGS(DB_TEXT("key_1"))));
	blob = db_column_blob(db, find, 2, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(blob, "a\0\xff", 3);
	db_done(db, find);
	OK(db_first(db, find, DB_ARGS(DB_TEXT("key_2"))));
	db_column_blob(db, find, 2, &len);
	assert_int_equal(len, 0);
	db_done(db, find);
	/* revoked_at is NULL. */
	OK(db_first(db, list, DB_ARGS(DB_TEXT(SERVICE))));
	assert_true(db_column_int(db, list, 3) == INT64_MAX);
	assert_int_equal(db_column_int(db, list, 4), 0);
	assert_string_equal(db_column_text(db, list, 4), "");
	len = 77;
	db_column_blob(db, list, 4, &len);
	assert_int_equal(len, 0);
	db_done(db, list);
	/* A NULL text is one as well: it equals nothing. */
	assert_int_equal(db_first(db, find, DB_ARGS(DB_TEXT(NULL))), RC_NONE);
	return RC_OK;
}

static void
test_values_of_every_kind(void **state)
{
	struct db *db = new_db();

	(void)state;
	OK(db_transact(db, 1000, store_values, NULL));
	assert_int_equal(
	    raw_int("SELECT count(*) FROM service WHERE webhook_url IS NULL"),
	    1);
	db_close(db);
}

/* Too few or too many: never run with what there is. */
static void
test_wrong_number_of_values_is_refused(void **state)
{
	const enum sql sql = SQL_SERVICE_FIND;
	struct db *db = new_db();

	(void)state;
	assert_int_equal(db_first(db, sql, NULL), RC_UNAVAILABLE);
	assert_int_equal(db_first(db, sql, DB_ARGS(DB_END)), RC_UNAVAILABLE);
	assert_int_equal(
	    db_first(db, sql, DB_ARGS(DB_TEXT(SERVICE), DB_INT(1))),
	    RC_UNAVAILABLE);
	OK(db_first(db, sql, DB_ARGS(DB_TEXT(SERVICE))));
	db_close(db);
}

static enum rc
break_constraints(struct db *db, void *cookie)
{
	(void)cookie;
	/* Unique, foreign key, check, not null. */
	assert_int_equal(add_service(db, SERVICE, "two", 60), RC_RETRY);
	assert_int_equal(db_run(db, SQL_NUMBER_INSERT,
			     DB_ARGS(DB_TEXT("+12025550100"), DB_TEXT("svc_0"),
				 DB_TEXT("US"), DB_INT(NOW), DB_INT(0))),
	    RC_RETRY);
	assert_int_equal(add_service(db, "svc_2", "two", 0), RC_RETRY);
	assert_int_equal(add_service(db, "svc_2", NULL, 60), RC_RETRY);
	return add_service(db, "svc_2", "two", 60);
}

static void
test_broken_constraints_are_lost_races(void **state)
{
	struct db *db = new_db();

	(void)state;
	OK(db_transact(db, 1000, break_constraints, NULL));
	assert_int_equal(raw_int("SELECT count(*) FROM service"), 2);
	assert_int_equal(numbers(), 0);
	db_close(db);
}

/* --- Transactions */

/* A deed that adds a number each time it runs, and ends as it was told. */
struct work {
	enum rc ends[8]; /* results, run by run; RC_OK behind the last */
	int runs;
};

static enum rc
do_work(struct db *db, void *cookie)
{
	struct work *work = cookie;

	OK(add_number(db, work->runs));
	return work->ends[work->runs++ % 8];
}

static void
test_final_results_are_committed(void **state)
{
	static const enum rc ends[] = { RC_OK, RC_NONE, RC_POOL, RC_EXISTS };
	struct db *db = new_db();
	struct work work;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(ends); i++) {
		work = (struct work){ .ends = { ends[i] } };
		raw_run("DELETE FROM number");
		assert_int_equal(
		    db_transact(db, 1000, do_work, &work), ends[i]);
		assert_int_equal(work.runs, 1);
		assert_int_equal(numbers(), 1);
	}
	db_close(db);
}

static void
test_failures_are_rolled_back(void **state)
{
	static const enum rc ends[] = { RC_BUSY, RC_UNAVAILABLE, RC_VERSION,
		RC_CORRUPT, RC_MEMORY, RC_SYSTEM };
	struct db *db = new_db(), *other = open_db(DB_USE);
	struct work work;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(ends); i++) {
		work = (struct work){ .ends = { ends[i] } };
		assert_int_equal(
		    db_transact(db, 1000, do_work, &work), ends[i]);
		assert_int_equal(work.runs, 1);
		assert_int_equal(numbers(), 0);
		OK(db_transact(other, 0, next_event, NULL));
	}
	db_close(db);
	db_close(other);
}

/* Ends with rows at hand, as it was told. */
static enum rc
leave_rows(struct db *db, void *cookie)
{
	OK(db_first(db, SQL_SERVICE_FIND, DB_ARGS(DB_TEXT(SERVICE))));
	OK(add_number(db, 1));
	return *(enum rc *)cookie;
}

static void
test_transactions_let_statements_go(void **state)
{
	const struct db_arg *args = DB_ARGS(DB_TEXT(SERVICE));
	enum rc ends[] = { RC_SYSTEM, RC_OK };
	struct db *db = new_db();
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(ends); i++) {
		assert_int_equal(
		    db_transact(db, 1000, leave_rows, &ends[i]), ends[i]);
		assert_int_equal(numbers(), i);
		OK(db_first(db, SQL_SERVICE_FIND, args));
		db_done(db, SQL_SERVICE_FIND);
	}
	db_close(db);
}

/* What an earlier run wrote is gone before the next. */
static void
test_lost_races_are_run_again(void **state)
{
	struct work work = { .ends = { RC_RETRY, RC_RETRY, RC_POOL } };
	struct db *db = new_db();

	(void)state;
	assert_int_equal(db_transact(db, 1000, do_work, &work), RC_POOL);
	assert_int_equal(work.runs, 3);
	assert_int_equal(numbers(), 1);
	assert_int_equal(raw_int("SELECT count(*) FROM number "
				 "WHERE number = '+12025550102-2'"),
	    1);
	db_close(db);
}

/* As many tries as there are wrong ends would be seven. */
static void
test_races_lost_for_ever_are_given_up(void **state)
{
	struct work work = { .ends = { RC_RETRY, RC_RETRY, RC_RETRY, RC_RETRY,
				 RC_RETRY, RC_RETRY, RC_RETRY } };
	struct db *db = new_db();

	(void)state;
	assert_int_equal(db_transact(db, 1000, do_work, &work), RC_RETRY);
	assert_in_range(work.runs, 2, 7);
	assert_int_equal(numbers(), 0);
	db_close(db);
}

static void
test_commit_is_on_stable_storage(void **state)
{
	struct db *db = new_db();
	int i, before;

	(void)state;
	for (i = 0; i < 5; i++) {
		before = syncs;
		OK(db_transact(db, 1000, next_event, NULL));
		assert_true(syncs > before);
	}
	db_close(db);
}

/* Another connection commits while a snapshot is looked at. */
static enum rc
look_twice(struct db *db, void *cookie)
{
	assert_int_equal(count_numbers(db), 0);
	OK(db_transact(cookie, 1000, add_pair, NULL));
	assert_int_equal(numbers(), 1);
	assert_int_equal(count_numbers(db), 0);
	return RC_NOT_FOUND;
}

static void
test_snapshot_is_of_one_moment(void **state)
{
	struct db *reader = new_db(), *writer = open_db(DB_USE);

	(void)state;
	assert_int_equal(db_snapshot(reader, look_twice, writer), RC_NOT_FOUND);
	assert_int_equal(count_numbers(reader), 1);
	db_close(reader);
	db_close(writer);
}

/* Another connection reads in the middle of a transaction. */
static enum rc
read_elsewhere(struct db *db, void *cookie)
{
	int begin = now_ms();

	OK(add_number(db, 1));
	assert_int_equal(count_numbers(cookie), 0);
	assert_true(now_ms() - begin < 500);
	return RC_OK;
}

static void
test_readers_wait_for_nobody(void **state)
{
	struct db *writer = new_db(), *reader = open_db(DB_USE);

	(void)state;
	OK(db_transact(writer, 1000, read_elsewhere, reader));
	assert_int_equal(count_numbers(reader), 1);
	db_close(reader);
	db_close(writer);
}

/* A deed that is refused after it has written. */
static enum rc
undone_work(struct db *db, void *cookie)
{
	enum rc rc = do_work(db, cookie);

	db_undo(db);
	return rc;
}

/* What was written is rolled back whatever the deed returns, and only that
 * deed's. */
static void
test_undone_work_is_rolled_back(void **state)
{
	static const enum rc ends[] = { RC_OK, RC_NONE, RC_INVALID, RC_POOL,
		RC_BUSY };
	struct db *db = new_db();
	struct work work;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		work = (struct work){ { ends[i] }, 0 };
		assert_int_equal(
		    db_transact(db, 1000, undone_work, &work), ends[i]);
		assert_int_equal(work.runs, 1);
		assert_int_equal(numbers(), 0);
	}
	/* The next is not undone. */
	work = (struct work){ { RC_POOL }, 0 };
	assert_int_equal(db_transact(db, 1000, do_work, &work), RC_POOL);
	assert_int_equal(numbers(), 1);
	/* Nor does one that is run again carry it along. */
	db_close(db);
}

#define TEST(name) cmocka_unit_test_teardown(name, clean_up)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_migrate_from_empty),
		TEST(test_migrate_behind_another),
		TEST(test_migrate_by_many_at_once),
		TEST(test_failed_migration_leaves_nothing),
		TEST(test_other_versions_are_refused),
		TEST(test_what_cannot_be_opened_or_kept_safe),
		TEST(test_engine_is_described_in_a_line),
		TEST(test_every_statement_runs),
		TEST(test_rows_come_one_by_one),
		TEST(test_parameters_are_bound_by_name),
		TEST(test_values_of_every_kind),
		TEST(test_wrong_number_of_values_is_refused),
		TEST(test_broken_constraints_are_lost_races),
		TEST(test_final_results_are_committed),
		TEST(test_failures_are_rolled_back),
		TEST(test_transactions_let_statements_go),
		TEST(test_lost_races_are_run_again),
		TEST(test_races_lost_for_ever_are_given_up),
		TEST(test_commit_is_on_stable_storage),
		TEST(test_snapshot_is_of_one_moment),
		TEST(test_readers_wait_for_nobody),
		TEST(test_undone_work_is_rolled_back),
	};

	return cmocka_run_group_tests_name("db", tests, make_dir, remove_dir);
}
