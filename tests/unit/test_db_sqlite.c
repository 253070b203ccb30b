/*
 * The database's files under many processes: who may write and who waits,
 * what the killed and the careless leave behind, and how long the log gets.
 */

#include "test.h"

#include <sys/file.h>
#include <sys/resource.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>

#include "db_file.h"

static void
make_db(void)
{
	db_close(new_db());
}

static off_t
size_of(const char *suffix)
{
	char name[96];
	struct stat st;

	snprintf(name, sizeof name, "%s%s", path, suffix);
	return stat(name, &st) == 0 ? st.st_size : -1;
}

/* Another process, in the middle of a transaction until it is let go. */
struct holder {
	pid_t pid;
	int inside[2];        /* it writes here when it is there */
	int door[2];          /* closed to let it go */
	int most_ms;          /* when it goes by itself */
	void (*before)(void); /* done between opening and transaction */
};

static enum rc
hold(struct db *db, void *cookie)
{
	struct holder *holder = cookie;
	int begin = now_ms();
	char byte;

	if (add_pair(db, NULL) != RC_OK ||
	    write(holder->inside[1], "x", 1) != 1)
		return RC_SYSTEM;
	while (read(holder->door[0], &byte, 1) != 0 &&
	       now_ms() - begin < holder->most_ms)
		sleep_ms(5);
	return RC_OK;
}

static int
be_holder(struct db *db, void *cookie)
{
	struct holder *holder = cookie;

	close(holder->door[1]);
	fcntl(holder->door[0], F_SETFL, O_NONBLOCK);
	if (holder->before != NULL)
		holder->before();
	return db_transact(db, 5000, hold, holder) == RC_OK ? 0 : 1;
}

static struct holder
start_holder(int most_ms, void (*before)(void))
{
	struct holder holder = { .most_ms = most_ms, .before = before };
	char byte;

	assert_int_equal(pipe(holder.inside), 0);
	assert_int_equal(pipe(holder.door), 0);
	holder.pid = start_on_db(be_holder, &holder);
	close(holder.inside[1]);
	close(holder.door[0]);
	assert_int_equal(read(holder.inside[0], &byte, 1), 1);
	return holder;
}

/* Lets it go and returns its exit status. */
static int
end_holder(struct holder *holder)
{
	close(holder->door[1]);
	close(holder->inside[0]);
	return finish(holder->pid);
}

static enum rc
count_runs(struct db *db, void *cookie)
{
	(void)db;
	*(int *)cookie += 1;
	return RC_OK;
}

static void
test_second_writer_is_refused_in_time(void **state)
{
	static const int waits[] = { 0, 50, 400 };
	struct holder holder;
	int runs = 0, begin, took;
	struct db *db;
	size_t i;

	(void)state;
	make_db();
	holder = start_holder(20000, NULL);
	db = open_db(DB_USE);
	for (i = 0; i < LENGTH(waits); i++) {
		begin = now_ms();
		assert_int_equal(
		    db_transact(db, waits[i], count_runs, &runs), RC_BUSY);
		took = now_ms() - begin;
		assert_in_range(took + 2, waits[i], waits[i] + 400);
	}
	assert_int_equal(runs, 0);
	assert_int_equal(end_holder(&holder), 0);
	OK(db_transact(db, 0, count_runs, &runs));
	assert_int_equal(runs, 1);
	db_close(db);
}

static void
on_signal(int signal)
{
	(void)signal;
}

static int
send_signals(void *cookie)
{
	while (kill(*(pid_t *)cookie, SIGUSR1) == 0)
		sleep_ms(20);
	return 0;
}

/* Whatever signals come meanwhile. */
static void
test_second_writer_waits_its_turn(void **state)
{
	const struct sigaction action = { .sa_handler = on_signal };
	struct holder holder;
	int begin = now_ms();
	pid_t self = getpid(), pid;
	int64_t seq = 0;
	struct db *db;

	(void)state;
	make_db();
	holder = start_holder(300, NULL);
	db = open_db(DB_USE);
	sigaction(SIGUSR1, &action, NULL);
	pid = start(send_signals, &self);
	OK(db_transact(db, 10000, next_event, &seq));
	assert_in_range(now_ms() - begin, 300, 3000);
	kill(pid, SIGKILL);
	assert_int_equal(finish(pid), -1);
	assert_int_equal(seq, 2);
	assert_int_equal(end_holder(&holder), 0);
	db_close(db);
}

static int
kill_soon(void *cookie)
{
	sleep_ms(200);
	return kill(*(pid_t *)cookie, SIGKILL);
}

/* Who waits meanwhile gets in, and finds nothing done. */
static void
test_killed_writer_lets_the_next_in(void **state)
{
	struct holder holder;
	int begin = now_ms();
	int64_t seq = 0;
	struct db *db;
	pid_t pid;

	(void)state;
	make_db();
	holder = start_holder(20000, NULL);
	pid = start(kill_soon, &holder.pid);
	db = open_db(DB_USE);
	OK(db_transact(db, 10000, next_event, &seq));
	assert_in_range(now_ms() - begin, 200, 3000);
	assert_int_equal(seq, 1);
	assert_int_equal(count_numbers(db), 0);
	assert_int_equal(finish(pid), 0);
	assert_int_equal(end_holder(&holder), -1);
	db_close(db);
}

static int
write_for_ever(struct db *db, void *cookie)
{
	(void)cookie;
	while (db_transact(db, 1000, add_pair, NULL) == RC_OK)
		;
	return 1;
}

/* Twenty times, at any moment: each transaction is whole or not there. */
static void
test_writers_killed_leave_nothing_half_done(void **state)
{
	int i, before = 0;
	pid_t pid;

	(void)state;
	make_db();
	for (i = 0; i < 20; i++) {
		pid = start_on_db(write_for_ever, NULL);
		while (events() == before)
			sleep_ms(1);
		sleep_ms(i % 7);
		kill(pid, SIGKILL);
		assert_int_equal(finish(pid), -1);
		before = events();
		assert_int_equal(numbers(), before);
	}
	assert_int_equal(raw_int("SELECT integrity_check = 'ok' "
				 "FROM pragma_integrity_check"),
	    1);
}

/* Waits for its turn, and returns which it was. */
static int
take_turn(struct db *db, void *cookie)
{
	const int *opened = cookie;
	int64_t seq;

	if (write(opened[1], "x", 1) != 1 ||
	    db_transact(db, 20000, next_event, &seq) != RC_OK)
		return 98;
	return (int)seq;
}

static void
test_writers_queue_in_order_of_arrival(void **state)
{
	struct holder holder;
	int opened[2];
	pid_t pids[5];
	char byte;
	int i;

	(void)state;
	make_db();
	assert_int_equal(pipe(opened), 0);
	holder = start_holder(20000, NULL);
	for (i = 0; i < 5; i++) {
		pids[i] = start_on_db(take_turn, opened);
		assert_int_equal(read(opened[0], &byte, 1), 1);
		sleep_ms(100);
	}
	/* The others have a copy of the door, so it closes only in time. */
	kill(holder.pid, SIGKILL);
	for (i = 0; i < 5; i++)
		assert_int_equal(finish(pids[i]), 1 + i);
	end_holder(&holder);
	close(opened[0]);
	close(opened[1]);
}

/* One of many that write at once; 0 if it never waited for long. */
static int
write_often(struct db *db, void *cookie)
{
	int i, begin;

	(void)cookie;
	for (i = 0; i < 50; i++) {
		begin = now_ms();
		if (db_transact(db, 5000, add_pair, NULL) != RC_OK)
			return 2;
		if (now_ms() - begin > 2000)
			return 3;
	}
	return 0;
}

static void
test_eight_writers_all_get_their_turns(void **state)
{
	pid_t pids[8];
	size_t i;

	(void)state;
	make_db();
	for (i = 0; i < LENGTH(pids); i++)
		pids[i] = start_on_db(write_often, NULL);
	for (i = 0; i < LENGTH(pids); i++)
		assert_int_equal(finish(pids[i]), 0);
	assert_int_equal(events(), 400);
	assert_int_equal(numbers(), 400);
}

static enum rc
add_big_service(struct db *db, void *cookie)
{
	return add_service(db, "svc_2", cookie, 60);
}

/* May not write files of more than 512 kB: the disk is full. */
static int
commit_too_much(struct db *db, void *cookie)
{
	const struct rlimit limit = { 512 * 1024, RLIM_INFINITY };
	static char name[800 * 1024];
	struct db *other;

	(void)cookie;
	memset(name, 'x', sizeof name - 1);
	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 1;
	if (db_transact(db, 1000, add_big_service, name) != RC_UNAVAILABLE)
		return 2;
	/* And there it does not end, neither for itself nor for others. */
	if (db_open(&other, path, DB_USE) != RC_OK ||
	    db_transact(other, 0, next_event, NULL) != RC_OK)
		return 3;
	db_close(other);
	return db_transact(db, 1000, next_event, NULL) == RC_OK ? 0 : 4;
}

static void
test_failed_commit_leaves_nothing(void **state)
{
	(void)state;
	make_db();
	assert_int_equal(finish(start_on_db(commit_too_much, NULL)), 0);
	assert_int_equal(raw_int("SELECT count(*) FROM service"), 1);
	assert_int_equal(events(), 2);
}

/* --- What others do to the files */

static void
test_lost_database_is_noticed(void **state)
{
	struct db *db = new_db();

	(void)state;
	OK(db_check(db));
	assert_int_equal(rename(path, extra), 0);
	assert_int_equal(db_check(db), RC_UNAVAILABLE);
	/* Another in its place. */
	raw_run("CREATE TABLE t (x)");
	assert_int_equal(db_check(db), RC_UNAVAILABLE);
	assert_int_equal(rename(extra, path), 0);
	OK(db_check(db));
	db_close(db);
}

static void
do_nothing(void)
{
}

static void
delete_lock(void)
{
	unlink(lock_path);
}

static void
replace_lock(void)
{
	close(open(extra, O_RDWR | O_CREAT, 0600));
	rename(extra, lock_path);
}

/* Whether somebody holds the lock that newcomers will ask for. */
static bool
locked(void)
{
	bool held;
	int fd;

	fd = open(lock_path, O_RDWR);
	assert_true(fd >= 0);
	held = flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	close(fd);
	return held;
}

/* Two have the lock file open, then it goes: both change to the new one. */
static void
check_lock_lost(void (*lose)(void))
{
	struct holder holder;
	int64_t seq = 0;
	struct db *db;

	make_db();
	db = open_db(DB_USE);
	holder = start_holder(300, lose);
	assert_true(locked());
	OK(db_transact(db, 10000, next_event, &seq));
	assert_int_equal(seq, 2);
	assert_int_equal(end_holder(&holder), 0);
	assert_false(locked());
	db_close(db);
	clean_up(NULL);
}

static void
test_lost_lock_file_keeps_the_order(void **state)
{
	(void)state;
	check_lock_lost(do_nothing);
	check_lock_lost(delete_lock);
	check_lock_lost(replace_lock);
}

/* Makes a file that must not be there yet, and removes it on the way out. */
static enum rc
be_alone(struct db *db, void *cookie)
{
	int fd;

	fd = open(extra, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		*(int *)cookie += 1;
	close(fd);
	sleep_ms(1);
	unlink(extra);
	return next_event(db, NULL);
}

static int
be_alone_often(struct db *db, void *cookie)
{
	int done = 0, met = 0;

	(void)cookie;
	/* Some are refused, which is fine; but all that were done, alone. */
	while (done < 40)
		done += db_transact(db, 5000, be_alone, &met) == RC_OK;
	return met == 0 ? 0 : 2;
}

static int
delete_for_ever(void *cookie)
{
	(void)cookie;
	while (unlink(lock_path) == 0 || access(dir, F_OK) == 0)
		sleep_ms(10);
	return 0;
}

static void
test_never_two_inside_while_locks_come_and_go(void **state)
{
	pid_t pids[4], deleter;
	size_t i;

	(void)state;
	make_db();
	deleter = start(delete_for_ever, NULL);
	for (i = 0; i < LENGTH(pids); i++)
		pids[i] = start_on_db(be_alone_often, NULL);
	for (i = 0; i < LENGTH(pids); i++)
		assert_int_equal(finish(pids[i]), 0);
	kill(deleter, SIGKILL);
	finish(deleter);
	assert_int_equal(events(), 160);
}

/* An empty file in its place: with it SQLite would wipe the real one's log. */
static void
test_empty_database_is_refused(void **state)
{
	struct db *db = new_db(), *none = NULL;
	off_t log = size_of("-wal");

	(void)state;
	db_close(db);
	assert_true(log > 0);
	assert_int_equal(rename(path, extra), 0);
	close(open(path, O_RDWR | O_CREAT, 0600));
	assert_int_equal(db_open(&none, path, DB_USE), RC_UNAVAILABLE);
	assert_int_equal(db_open(&none, path, DB_INSPECT), RC_UNAVAILABLE);
	assert_int_equal(size_of("-wal"), log);
	assert_int_equal(rename(extra, path), 0);
	db_close(open_db(DB_USE));
	assert_int_equal(events(), 0);
}

static void
test_lock_file_out_of_reach_for_a_while(void **state)
{
	struct db *db = new_db();

	(void)state;
	unlink(lock_path);
	assert_int_equal(mkdir(lock_path, 0700), 0);
	assert_int_equal(
	    db_transact(db, 1000, next_event, NULL), RC_UNAVAILABLE);
	assert_int_equal(rmdir(lock_path), 0);
	OK(db_transact(db, 1000, next_event, NULL));
	db_close(db);
}

/* Somebody with sqlite3(1) and no idea of our lock: the time is the same. */
static void
test_foreign_writer_is_waited_for_in_time(void **state)
{
	struct db *db = new_db(), *other = open_db(DB_USE);
	sqlite3 *raw = raw_open();
	int begin, runs = 0;

	(void)state;
	raw_exec(raw, "BEGIN IMMEDIATE");
	begin = now_ms();
	assert_int_equal(db_transact(db, 300, count_runs, &runs), RC_BUSY);
	assert_in_range(now_ms() - begin + 50, 300, 950);
	/* Our own lock was given back. */
	assert_false(locked());
	assert_int_equal(db_transact(other, 0, count_runs, &runs), RC_BUSY);
	assert_int_equal(runs, 0);
	raw_exec(raw, "ROLLBACK");
	sqlite3_close(raw);
	OK(db_transact(other, 0, next_event, NULL));
	OK(db_transact(db, 0, next_event, NULL));
	db_close(db);
	db_close(other);
}

/* Neither commits nor closing copy the log back while it is short. */
static void
test_short_log_is_left_alone(void **state)
{
	struct db *db = new_db();
	off_t before = size_of(""), log;
	int i;

	(void)state;
	for (i = 0; i < 20; i++)
		OK(db_transact(db, 1000, add_pair, NULL));
	log = size_of("-wal");
	db_close(db);
	assert_int_equal(size_of(""), before);
	assert_true(log > 20 * 4096);
	assert_int_equal(size_of("-wal"), log);
	db = open_db(DB_USE);
	assert_int_equal(count_numbers(db), 20);
	db_close(db);
}

/* 4 MB and a commit, during 5,000 small ones by two writers in turn. */
static void
test_long_log_is_folded_back(void **state)
{
	struct db *dbs[2] = { new_db(), open_db(DB_USE) };
	off_t most = 0;
	int i;

	(void)state;
	for (i = 0; i < 5000; i++) {
		OK(db_transact(dbs[i / 7 % 2], 1000, add_pair, NULL));
		if (size_of("-wal") > most)
			most = size_of("-wal");
	}
	assert_in_range(most, 3500000, 4500000);
	db_close(dbs[0]);
	db_close(dbs[1]);
	assert_int_equal(numbers(), 5000);
}

#define TEST(name) cmocka_unit_test_teardown(name, clean_up)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_second_writer_is_refused_in_time),
		TEST(test_second_writer_waits_its_turn),
		TEST(test_killed_writer_lets_the_next_in),
		TEST(test_writers_killed_leave_nothing_half_done),
		TEST(test_writers_queue_in_order_of_arrival),
		TEST(test_eight_writers_all_get_their_turns),
		TEST(test_failed_commit_leaves_nothing),
		TEST(test_lost_database_is_noticed),
		TEST(test_lost_lock_file_keeps_the_order),
		TEST(test_never_two_inside_while_locks_come_and_go),
		TEST(test_empty_database_is_refused),
		TEST(test_lock_file_out_of_reach_for_a_while),
		TEST(test_foreign_writer_is_waited_for_in_time),
		TEST(test_short_log_is_left_alone),
		TEST(test_long_log_is_folded_back),
	};

	return cmocka_run_group_tests_name(
	    "db_sqlite", tests, make_dir, remove_dir);
}
