/* The pipe that wakes the worker. */

#include "test.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "wake.h"

struct place {
	char dir[64];
	char path[96]; /* of the pipe */
};

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof *p);
	const char *tmp = getenv("TMPDIR");
	char database[80];

	log_open("test", (enum log_level)(LOG_ERROR + 1));
	snprintf(p->dir, sizeof p->dir, "%s/callmask-XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(p->dir));
	snprintf(database, sizeof database, "%s/db", p->dir);
	wake_path(p->path, sizeof p->path, database);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;
	int failed;

	unlink(p->path);
	failed = rmdir(p->dir);
	free(p);
	return failed;
}

/* Whether fd is readable now: nobody sleeps on it. */
static bool
is_awake(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_in_range(poll(&p, 1, 0), 0, 1);
	/* An end that says "hung up" would keep the worker from sleeping. */
	assert_int_equal(p.revents & ~POLLIN, 0);
	return p.revents != 0;
}

static void
test_the_path_stands_beside_the_database(void **state)
{
	char path[32], little[8];

	(void)state;
	wake_path(path, sizeof path, "/x/callmask.db");
	assert_string_equal(path, "/x/callmask.db-wake");
	wake_path(little, sizeof little, "/x/callmask.db");
	assert_string_equal(little, "/x/call");
}

static void
test_sent_is_felt_until_drained(void **state)
{
	struct place *p = *state;
	int fd, i;

	assert_int_equal(wake_open(&fd, p->path), RC_OK);
	assert_false(is_awake(fd));
	wake_send(p->path);
	assert_true(is_awake(fd));
	for (i = 0; i < 1000; i++)
		wake_send(p->path);
	wake_drain(fd);
	assert_false(is_awake(fd));
	/* A drained pipe drains again at once. */
	wake_drain(fd);
	wake_send(p->path);
	assert_true(is_awake(fd));
	close(fd);
}

static void
test_nobody_there_is_no_harm(void **state)
{
	struct place *p = *state;
	int fd;

	wake_send(p->path);
	assert_false(wake_heard(p->path));
	assert_int_equal(wake_open(&fd, p->path), RC_OK);
	assert_true(wake_heard(p->path));
	assert_false(is_awake(fd));
	close(fd);
	/* There, but nobody sleeps on it. */
	assert_false(wake_heard(p->path));
	wake_send(p->path);
	assert_int_equal(wake_open(&fd, p->path), RC_OK);
	assert_false(is_awake(fd));
	close(fd);
}

static void
test_a_full_pipe_does_not_hold_up_who_sends(void **state)
{
	struct place *p = *state;
	char bytes[4096] = { 0 };
	int fd;

	assert_int_equal(wake_open(&fd, p->path), RC_OK);
	while (write(fd, bytes, sizeof bytes) > 0)
		;
	while (write(fd, bytes, 1) > 0)
		;
	wake_send(p->path);
	assert_true(is_awake(fd));
	wake_drain(fd);
	assert_false(is_awake(fd));
	close(fd);
}

/* One byte wakes all who sleep there. */
static void
test_several_sleep_on_one_pipe(void **state)
{
	struct place *p = *state;
	int one, other;

	assert_int_equal(wake_open(&one, p->path), RC_OK);
	assert_int_equal(wake_open(&other, p->path), RC_OK);
	wake_send(p->path);
	assert_true(is_awake(one));
	assert_true(is_awake(other));
	/* Who is first takes the byte; the other does not wait for one. */
	wake_drain(one);
	wake_drain(other);
	close(one);
	wake_send(p->path);
	assert_true(is_awake(other));
	close(other);
}

static void
test_what_is_no_pipe_is_refused(void **state)
{
	struct place *p = *state;
	int fd;

	assert_int_not_equal(fd = open(p->path, O_CREAT | O_WRONLY, 0600), -1);
	close(fd);
	assert_int_equal(wake_open(&fd, p->path), RC_SYSTEM);
	unlink(p->path);
	assert_int_equal(wake_open(&fd, "/nowhere/db-wake"), RC_SYSTEM);
}

/* Somebody has taken it away, or put another in its place. */
static void
test_a_pipe_that_is_gone_is_made_again(void **state)
{
	struct place *p = *state;
	int fd = -1, before;

	assert_int_equal(wake_ready(&fd, p->path), RC_OK);
	before = fd;
	assert_int_equal(wake_ready(&fd, p->path), RC_OK);
	assert_int_equal(fd, before);
	unlink(p->path);
	assert_int_equal(wake_ready(&fd, p->path), RC_OK);
	wake_send(p->path);
	assert_true(is_awake(fd));
	unlink(p->path);
	assert_int_equal(mkfifo(p->path, 0600), 0);
	assert_int_equal(wake_ready(&fd, p->path), RC_OK);
	wake_send(p->path);
	assert_true(is_awake(fd));
	unlink(p->path);
	assert_int_equal(mkdir(p->path, 0700), 0);
	assert_int_equal(wake_ready(&fd, p->path), RC_SYSTEM);
	assert_int_equal(fd, -1);
	rmdir(p->path);
	assert_int_equal(wake_ready(&fd, p->path), RC_OK);
	close(fd);
}

/* Written to by our group, by nobody else. */
static void
test_the_pipe_is_ours(void **state)
{
	struct place *p = *state;
	struct stat st;
	mode_t before;
	int fd;

	before = umask(0);
	assert_int_equal(wake_open(&fd, p->path), RC_OK);
	umask(before);
	assert_int_equal(stat(p->path, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(fd);
}

#define PLACE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_path_stands_beside_the_database),
		PLACE_TEST(test_sent_is_felt_until_drained),
		PLACE_TEST(test_nobody_there_is_no_harm),
		PLACE_TEST(test_a_full_pipe_does_not_hold_up_who_sends),
		PLACE_TEST(test_several_sleep_on_one_pipe),
		PLACE_TEST(test_what_is_no_pipe_is_refused),
		PLACE_TEST(test_a_pipe_that_is_gone_is_made_again),
		PLACE_TEST(test_the_pipe_is_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
