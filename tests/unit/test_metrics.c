/* Counters: shared by processes, kept in a file, never a reason to fail. */

#include "test.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "metrics.h"

static char dir[] = "/tmp/callmask-metrics-XXXXXX";
static char path[64];

static int
make_dir(void **state)
{
	(void)state;
	log_open("test", (enum log_level)(LOG_ERROR + 1));
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/metrics", dir);
	return 0;
}

static int
remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

static int
remove_file(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static off_t
size_of_file(void)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static void
write_slots(const uint64_t *slots, size_t len)
{
	FILE *file;

	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(slots, sizeof *slots, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void
test_new_file_starts_at_zero(void **state)
{
	struct metrics *metrics;
	int i;

	(void)state;
	metrics = metrics_open(path);
	assert_int_equal(size_of_file(), METRICS_SLOTS * sizeof(uint64_t));
	for (i = 0; i < METRICS__MAX; i++)
		assert_int_equal(
		    metrics_value(metrics, (enum metrics_counter)i), 0);
	metrics_close(metrics);
	metrics_close(NULL);
}

/* Each counts for itself, and is stored at its place. */
static void
test_counters_are_apart_and_in_place(void **state)
{
	uint64_t slots[METRICS__MAX];
	struct metrics *metrics;
	FILE *file;
	int i, j;

	(void)state;
	metrics = metrics_open(path);
	for (i = 0; i < METRICS__MAX; i++)
		for (j = 0; j <= i; j++)
			metrics_count(metrics, (enum metrics_counter)i);
	for (i = 0; i < METRICS__MAX; i++)
		assert_int_equal(
		    metrics_value(metrics, (enum metrics_counter)i), i + 1);
	metrics_close(metrics);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(
	    fread(slots, sizeof slots[0], METRICS__MAX, file), METRICS__MAX);
	fclose(file);
	for (i = 0; i < METRICS__MAX; i++)
		assert_int_equal(slots[i], i + 1);
}

/* The file of an installation tells what its places mean for good. */
static void
test_places_are_not_reordered(void **state)
{
	static const char *const names[] = { "calls_connected", "calls_refused",
		"calls_apologised", "calls_unrecorded", "webhooks_forged",
		"webhooks_unknown", "keys_refused", "requests_failed",
		"pool_low", "pool_exhausted", "deliveries_done",
		"deliveries_failed", "deliveries_parked" };
	int i, j;

	(void)state;
	assert_true(METRICS__MAX >= sizeof names / sizeof names[0]);
	for (i = 0; i < (int)(sizeof names / sizeof names[0]); i++)
		assert_string_equal(
		    metrics_name((enum metrics_counter)i), names[i]);
	for (i = 0; i < METRICS__MAX; i++) {
		assert_non_null(metrics_name((enum metrics_counter)i));
		for (j = 0; j < i; j++)
			assert_string_not_equal(
			    metrics_name((enum metrics_counter)i),
			    metrics_name((enum metrics_counter)j));
	}
}

static void
test_counters_survive_a_restart(void **state)
{
	struct metrics *metrics;
	int i;

	(void)state;
	for (i = 1; i <= 3; i++) {
		metrics = metrics_open(path);
		metrics_count(metrics, METRICS_KEYS_REFUSED);
		assert_int_equal(
		    metrics_value(metrics, METRICS_KEYS_REFUSED), i);
		metrics_close(metrics);
	}
}

static void
test_numbers_have_64_bits(void **state)
{
	uint64_t slots[METRICS__MAX] = { UINT32_MAX, UINT64_MAX - 1 };
	struct metrics *metrics;

	(void)state;
	write_slots(slots, METRICS__MAX);
	metrics = metrics_open(path);
	metrics_count(metrics, (enum metrics_counter)0);
	metrics_count(metrics, (enum metrics_counter)1);
	assert_true(metrics_value(metrics, (enum metrics_counter)0) ==
		    (uint64_t)UINT32_MAX + 1);
	assert_true(
	    metrics_value(metrics, (enum metrics_counter)1) == UINT64_MAX);
	metrics_close(metrics);
}

/* Four processes at once, each with a mapping of its own: none is lost. */
static void
test_processes_count_together(void **state)
{
	const int processes = 4, times = 1000000;
	struct metrics *metrics;
	int i, n, status, ready[2];
	char byte;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	for (i = 0; i < processes; i++) {
		if (fork() == 0) {
			close(ready[1]);
			metrics = metrics_open(path);
			/* All start when the pipe closes. */
			while (read(ready[0], &byte, 1) > 0)
				;
			for (n = 0; n < times; n++)
				metrics_count(metrics, METRICS_CALLS_CONNECTED);
			metrics_close(metrics);
			_exit(0);
		}
	}
	close(ready[0]);
	close(ready[1]);
	for (i = 0; i < processes; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	metrics = metrics_open(path);
	assert_int_equal(
	    metrics_value(metrics, METRICS_CALLS_CONNECTED), processes * times);
	metrics_close(metrics);
}

/* One sees what the other counts while both have it open. */
static void
test_counts_are_seen_at_once(void **state)
{
	struct metrics *a, *b;

	(void)state;
	a = metrics_open(path);
	b = metrics_open(path);
	metrics_count(a, METRICS_WEBHOOKS_FORGED);
	assert_int_equal(metrics_value(b, METRICS_WEBHOOKS_FORGED), 1);
	metrics_count(b, METRICS_WEBHOOKS_FORGED);
	assert_int_equal(metrics_value(a, METRICS_WEBHOOKS_FORGED), 2);
	metrics_close(a);
	metrics_count(b, METRICS_WEBHOOKS_FORGED);
	assert_int_equal(metrics_value(b, METRICS_WEBHOOKS_FORGED), 3);
	metrics_close(b);
}

/* A file of an older version, with fewer counters. */
static void
test_short_file_grows(void **state)
{
	uint64_t slots[2] = { 11, 22 };
	struct metrics *metrics;

	(void)state;
	write_slots(slots, 2);
	metrics = metrics_open(path);
	assert_int_equal(size_of_file(), METRICS_SLOTS * sizeof(uint64_t));
	assert_int_equal(metrics_value(metrics, (enum metrics_counter)0), 11);
	assert_int_equal(metrics_value(metrics, (enum metrics_counter)1), 22);
	assert_int_equal(metrics_value(metrics, (enum metrics_counter)2), 0);
	metrics_count(metrics, (enum metrics_counter)(METRICS__MAX - 1));
	assert_int_equal(
	    metrics_value(metrics, (enum metrics_counter)(METRICS__MAX - 1)),
	    1);
	metrics_close(metrics);
}

/* A file of a newer version, with more: its other programs still use it. */
static void
test_long_file_is_not_cut(void **state)
{
	uint64_t slots[METRICS_SLOTS + 3] = { [METRICS_SLOTS + 2] = 33 };
	struct metrics *metrics;
	FILE *file;

	(void)state;
	write_slots(slots, METRICS_SLOTS + 3);
	metrics = metrics_open(path);
	metrics_count(metrics, METRICS_CALLS_REFUSED);
	metrics_close(metrics);
	assert_int_equal(size_of_file(), sizeof slots);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fread(slots, sizeof slots[0], METRICS_SLOTS + 3, file),
	    METRICS_SLOTS + 3);
	fclose(file);
	assert_int_equal(slots[METRICS_CALLS_REFUSED], 1);
	assert_int_equal(slots[METRICS_SLOTS + 2], 33);
}

/* Without the file it counts for itself, from zero. */
static void
check_counts_alone(const char *place)
{
	struct metrics *a, *b;
	int i;

	a = metrics_open(place);
	b = metrics_open(place);
	assert_non_null(a);
	assert_non_null(b);
	for (i = 0; i < METRICS__MAX; i++) {
		metrics_count(a, (enum metrics_counter)i);
		metrics_count(a, (enum metrics_counter)i);
		assert_int_equal(metrics_value(a, (enum metrics_counter)i), 2);
		assert_int_equal(metrics_value(b, (enum metrics_counter)i), 0);
	}
	metrics_close(a);
	metrics_close(b);
}

static void
test_path_that_cannot_be_opened(void **state)
{
	char place[96];

	(void)state;
	snprintf(place, sizeof place, "%s/nowhere/metrics", dir);
	check_counts_alone(place);
	check_counts_alone(dir);
	check_counts_alone("");
}

/* What opens but has no room: a write to the mapping would kill. */
static void
test_path_that_is_no_file(void **state)
{
	(void)state;
	check_counts_alone("/dev/full");
	assert_int_equal(mkfifo(path, 0600), 0);
	check_counts_alone(path);
}

/* A program's times and a reason's refusals tell what their places mean for
 * good, as counters do. */
static void
test_places_of_programs_and_reasons(void **state)
{
	static const char *const programs[] = { "other", "voice-inbound",
		"voice-code", "voice-screen", "voice-placed", "voice-ended",
		"status-callback", "message-inbound", "message-status",
		"session-create", "session-get", "session-update",
		"session-intent", "session-call", "session-message",
		"session-close", "routes", "events", "metrics",
		"recording-callback", "recording", "admin" };
	static const char *const reasons[] = { "connected", "connected_by_code",
		"connected_by_intent", "relayed", "number_unknown",
		"caller_withheld", "caller_unknown", "attestation_failed",
		"session_closed", "session_expired", "party_replaced",
		"party_disputed", "voice_off", "text_off", "session_limit",
		"person_limit", "service_limit", "country_limit" };
	int i;

	(void)state;
	for (i = 0; i < (int)(sizeof programs / sizeof programs[0]); i++) {
		assert_string_equal(metrics_program_name(i), programs[i]);
		assert_int_equal(metrics_program(programs[i]), i);
	}
	assert_int_equal(metrics_program("some-program"), 0);
	while (metrics_program_name(i) != NULL)
		i++;
	assert_int_equal(metrics_program(metrics_program_name(i - 1)), i - 1);
	for (i = 0; i < (int)(sizeof reasons / sizeof reasons[0]); i++)
		assert_string_equal(
		    policy_reason_name((enum policy_reason)i), reasons[i]);
}

/* Each answer is in the first bucket that holds it, and in no other's. */
static void
test_times_are_sorted_into_buckets(void **state)
{
	struct metrics *metrics = metrics_open(path);
	int program = metrics_program("session-get"), i, other;
	struct metrics_times times;
	uint64_t sum_us = 0;

	(void)state;
	for (i = 0; i < METRICS_BUCKETS; i++) {
		int64_t bound_us = i < METRICS_BUCKETS - 1
				       ? metrics_bounds_ms[i] * INT64_C(1000)
				       : INT64_C(86400000000);

		metrics_observe(metrics, program, bound_us);
		metrics_observe(metrics, program,
		    i > 0 ? metrics_bounds_ms[i - 1] * INT64_C(1000) + 1 : 0);
		sum_us += (uint64_t)bound_us;
		if (i > 0)
			sum_us += (uint64_t)metrics_bounds_ms[i - 1] * 1000 + 1;
	}
	metrics_observe(NULL, program, 1);
	metrics_times(metrics, program, &times);
	for (i = 0; i < METRICS_BUCKETS; i++)
		assert_int_equal(times.counts[i], 2);
	assert_true(times.sum_us == sum_us);
	for (other = 0; metrics_program_name(other) != NULL; other++) {
		if (other == program)
			continue;
		metrics_times(metrics, other, &times);
		assert_int_equal(times.sum_us, 0);
	}
	for (i = 0; i < METRICS__MAX; i++)
		assert_int_equal(
		    metrics_value(metrics, (enum metrics_counter)i), 0);
	metrics_close(metrics);
}

static void
test_refusals_are_apart(void **state)
{
	struct metrics *metrics = metrics_open(path);
	struct metrics_times times;
	int what, i;

	(void)state;
	metrics_refuse(NULL, METRICS_CALL, POLICY_VOICE_OFF);
	for (what = 0; what < METRICS_REFUSED__MAX; what++)
		for (i = 0; i < POLICY__MAX; i++)
			metrics_refuse(metrics, (enum metrics_refused)what,
			    (enum policy_reason)i);
	metrics_refuse(metrics, METRICS_TEXT, POLICY_TEXT_OFF);
	for (what = 0; what < METRICS_REFUSED__MAX; what++)
		for (i = 0; i < POLICY__MAX; i++)
			assert_int_equal(metrics_refusals(metrics,
					     (enum metrics_refused)what,
					     (enum policy_reason)i),
			    what == METRICS_TEXT && i == POLICY_TEXT_OFF ? 2
									 : 1);
	metrics_times(metrics, 0, &times);
	assert_int_equal(times.counts[0], 0);
	metrics_close(metrics);
}

static void
test_text(void **state)
{
	struct metrics *metrics = metrics_open(path);
	int program = metrics_program("session-get"), i;
	struct buf text;

	(void)state;
	metrics_count(metrics, METRICS_POOL_LOW);
	metrics_refuse(metrics, METRICS_CALL, POLICY_SESSION_IS_CLOSED);
	metrics_observe(metrics, program, 1500);
	metrics_observe(metrics, program, 1500);
	metrics_observe(metrics, program, 7000001);
	buf_init(&text, 0);
	metrics_text(&text, metrics);
	assert_true(buf_ok(&text));
#define HAS(line) assert_non_null(strstr(buf_text(&text), "\n" line "\n"))
	HAS("# TYPE callmask_pool_low_total counter\ncallmask_pool_low_total "
	    "1");
	HAS("callmask_pool_exhausted_total 0");
	HAS("callmask_refusals_total{kind=\"call\",reason=\"session_closed\"} "
	    "1");
	HAS("callmask_refusals_total{kind=\"text\",reason=\"session_closed\"} "
	    "0");
	HAS("# TYPE callmask_request_duration_seconds histogram");
#define TIMES "callmask_request_duration_seconds"
#define OF "{program=\"session-get\""
	HAS(TIMES "_bucket" OF ",le=\"0.001\"} 0");
	HAS(TIMES "_bucket" OF ",le=\"0.002\"} 2");
	HAS(TIMES "_bucket" OF ",le=\"5\"} 2");
	HAS(TIMES "_bucket" OF ",le=\"+Inf\"} 3");
	HAS(TIMES "_sum" OF "} 7.003001");
	HAS(TIMES "_count" OF "} 3");
	for (i = 0; i < METRICS__MAX; i++) {
		char help[80];

		/* In words of its own. */
		snprintf(help, sizeof help, "_total %s\n",
		    metrics_name((enum metrics_counter)i));
		assert_null(strstr(buf_text(&text), help));
	}
	buf_reset(&text);
	metrics_label(&text, "service", "a\"b\\c\nd");
	assert_string_equal(buf_text(&text), "service=\"a\\\"b\\\\c\\nd\"");
	buf_free(&text);
	metrics_close(metrics);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places_of_programs_and_reasons),
		cmocka_unit_test_teardown(
		    test_times_are_sorted_into_buckets, remove_file),
		cmocka_unit_test_teardown(test_refusals_are_apart, remove_file),
		cmocka_unit_test_teardown(test_text, remove_file),
		cmocka_unit_test_teardown(
		    test_new_file_starts_at_zero, remove_file),
		cmocka_unit_test_teardown(
		    test_counters_are_apart_and_in_place, remove_file),
		cmocka_unit_test(test_places_are_not_reordered),
		cmocka_unit_test_teardown(
		    test_counters_survive_a_restart, remove_file),
		cmocka_unit_test_teardown(
		    test_numbers_have_64_bits, remove_file),
		cmocka_unit_test_teardown(
		    test_processes_count_together, remove_file),
		cmocka_unit_test_teardown(
		    test_counts_are_seen_at_once, remove_file),
		cmocka_unit_test_teardown(test_short_file_grows, remove_file),
		cmocka_unit_test_teardown(
		    test_long_file_is_not_cut, remove_file),
		cmocka_unit_test(test_path_that_cannot_be_opened),
		cmocka_unit_test_teardown(
		    test_path_that_is_no_file, remove_file),
	};

	return cmocka_run_group_tests_name(
	    "metrics", tests, make_dir, remove_dir);
}
