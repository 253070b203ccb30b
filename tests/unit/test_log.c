/* The log: whatever is said, one line of valid JSON without a number in it. */

#include "test.h"

#include <sys/wait.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "log.h"

#define LENGTH(array) (sizeof array / sizeof array[0])

static int err = -1; /* where standard error went meanwhile */
static int pipe_end = -1;

/* From here on standard error is a pipe. Nothing may fail before read_log. */
static void
catch_log(void)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	err = dup(STDERR_FILENO);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	pipe_end = fds[0];
}

/* Reads what was written since, as a string. */
static const char *
read_log(void)
{
	static char text[16384];
	size_t len = 0;
	ssize_t n;

	dup2(err, STDERR_FILENO);
	close(err);
	while ((n = read(pipe_end, text + len, sizeof text - 1 - len)) > 0)
		len += (size_t)n;
	close(pipe_end);
	text[len] = '\0';
	return text;
}

/* Logs detail and returns the line as JSON, having made sure that it is. */
static json_t *
line_of(const char *event, const char *detail)
{
	const char *text;
	json_error_t error;
	json_t *line;

	catch_log();
	log_info(event, "%s", detail);
	text = read_log();
	if (text[0] == '\0' || strchr(text, '\n') != strrchr(text, '\n') ||
	    text[strlen(text) - 1] != '\n')
		fail_msg("not one line: %s", text);
	line = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (line == NULL)
		fail_msg("%s: %s", error.text, text);
	return line;
}

static const char *
text_of(const json_t *line, const char *key)
{
	const char *text = json_string_value(json_object_get(line, key));

	return text != NULL ? text : "(none)";
}

static void
check_detail(const char *detail, const char *logged)
{
	json_t *line = line_of("test", detail);

	assert_string_equal(text_of(line, "detail"), logged);
	json_decref(line);
}

static void
check_request(const char *id, const char *logged)
{
	json_t *line;

	log_request(id);
	line = line_of("test", "x");
	assert_string_equal(text_of(line, "request"), logged);
	json_decref(line);
	log_request(NULL);
}

static int
open_log(void **state)
{
	(void)state;
	log_open("test-log", LOG_DEBUG);
	log_request(NULL);
	return 0;
}

static void
test_line_says_who_when_and_what(void **state)
{
	const char *stamp, *end;
	struct tm tm = { 0 };
	json_t *line;

	(void)state;
	setenv("TZ", "America/New_York", 1); /* the time is UTC */
	tzset();
	line = line_of("some_event", "the detail");
	stamp = text_of(line, "time");
	assert_int_equal(json_object_size(line), 6);
	assert_string_equal(text_of(line, "level"), "info");
	assert_string_equal(text_of(line, "program"), "test-log");
	assert_string_equal(text_of(line, "event"), "some_event");
	assert_string_equal(text_of(line, "detail"), "the detail");
	assert_true(
	    json_integer_value(json_object_get(line, "pid")) == getpid());
	assert_int_equal(strlen(stamp), strlen("2026-11-22T16:00:00.000Z"));
	end = strptime(stamp, "%Y-%m-%dT%H:%M:%S", &tm);
	assert_non_null(end);
	assert_true(end[0] == '.' && end[4] == 'Z');
	assert_int_equal(strspn(end + 1, "0123456789"), 3);
	/* time(2) may be a tick behind the clock that log lines go by. */
	assert_in_range(timegm(&tm), time(NULL) - 60, time(NULL) + 1);
	json_decref(line);
}

static void
test_detail_is_formatted(void **state)
{
	const char *text;

	(void)state;
	catch_log();
	log_error("e", "%d %s %%", 7, "seven");
	text = read_log();
	assert_non_null(strstr(text, "\"detail\":\"7 seven %\""));
}

static void
test_level_is_named(void **state)
{
	static const char *const names[] = { "\"debug\"", "\"info\"",
		"\"warn\"", "\"error\"" };
	const char *text;
	size_t i;

	(void)state;
	catch_log();
	log_debug("e", "x");
	log_info("e", "x");
	log_warn("e", "x");
	log_error("e", "x");
	text = read_log();
	for (i = 0; i < LENGTH(names); i++) {
		text = strstr(text, names[i]);
		assert_non_null(text);
	}
}

/* With each level as the least: what is below it leaves no trace. */
static void
test_lines_below_the_level_are_dropped(void **state)
{
	const char *text;
	int least, level, lines;

	(void)state;
	for (least = LOG_DEBUG; least <= LOG_ERROR; least++) {
		log_open("test-log", (enum log_level)least);
		catch_log();
		for (level = LOG_DEBUG; level <= LOG_ERROR; level++)
			log_line((enum log_level)level, "e", "x");
		text = read_log();
		for (lines = 0; (text = strchr(text, '\n')) != NULL; lines++)
			text++;
		assert_int_equal(lines, 4 - least);
	}
}

static void
test_hostile_details_stay_one_line(void **state)
{
	char c[2] = "";

	(void)state;
	check_detail("", "");
	check_detail("a\"b", "a\"b");
	check_detail("a\\b", "a\\b");
	check_detail("\\\"\\", "\\\"\\");
	check_detail("\",\"level\":\"debug", "\",\"level\":\"debug");
	check_detail("a\nb", "a\nb");
	check_detail("a\r\n{\"time\":\"x\"}\n", "a\r\n{\"time\":\"x\"}\n");
	check_detail("\x01\t\x1b[31m\x7f", "\x01\t\x1b[31m\x7f");
	check_detail("%s%n%d", "%s%n%d");
	for (c[0] = 1; c[0] < 0x7f; c[0]++)
		check_detail(c, c);
	check_detail("é…😀", "é…😀");
}

static void
test_bytes_that_are_not_utf8(void **state)
{
	(void)state;
	check_detail("a\xff\xfe"
		     "b",
	    "a??b");
	check_detail("\xc3", "?");
	check_detail("\xc3(", "?(");
	check_detail("\xed\xa0\x80", "???");
	check_detail("\xc0\xaf", "??");
	check_detail("\xf0\x9f\x98", "???");
	check_detail("é\x80é", "é?é");
}

static void
test_numbers_are_hidden(void **state)
{
	(void)state;
	check_detail("+12025550147", "+1…47");
	check_detail("from +12025550147.", "from +1…47.");
	check_detail("+12025550147+12025550199", "+1…47+1…99");
	check_detail("tel:+12025550147;ext=1", "tel:+1…47;ext=1");
	check_detail("++12025550147", "++1…47");
	check_detail("\"+12025550147\"\n", "\"+1…47\"\n");
	check_detail("\xff+12025550147\xff", "?+1…47?");
	/* The shortest, and longer than any. */
	check_detail("+2025550", "+2…50");
	check_detail("+120255501471202555014712025550147", "+1…47");
}

static void
test_what_is_no_number_is_kept(void **state)
{
	(void)state;
	check_detail("+", "+");
	check_detail("+202555", "+202555");
	check_detail("12025550147", "12025550147");
	check_detail("1795363200 + 1", "1795363200 + 1");
	check_detail("+ 12025550147", "+ 12025550147");
	check_detail("+1…47", "+1…47");
}

/* Details of 2 kB: cut, and still whole lines, wherever the cut falls. */
static void
test_long_details_are_cut(void **state)
{
	static const char *const units[] = { "x", "é", "…", "😀", "\"", "\n",
		"\x01", "\xff", "+12025550147", "\x01é", "\n😀", "+1…" };
	char detail[2048 + 16];
	const char *logged;
	json_t *line;
	size_t i, shift, len;

	(void)state;
	for (i = 0; i < LENGTH(units); i++) {
		for (shift = 0; shift < 14; shift++) {
			memset(detail, 'y', shift);
			for (len = shift; len < 2048; len += strlen(units[i]))
				strcpy(detail + len, units[i]);
			line = line_of("test", detail);
			logged = text_of(line, "detail");
			assert_in_range(strlen(logged), 100, len - 1);
			assert_null(strstr(logged, "2025550"));
			json_decref(line);
		}
	}
}

/* Characters that grow when escaped, then others that must not be split. */
static void
test_cut_never_splits_a_character(void **state)
{
	static const char *const units[] = { "é", "…", "😀" };
	char detail[600];
	size_t i, controls, len;

	(void)state;
	for (i = 0; i < LENGTH(units); i++) {
		for (controls = 120; controls < 170; controls++) {
			memset(detail, '\x01', controls);
			for (len = controls; len < 500; len += strlen(units[i]))
				strcpy(detail + len, units[i]);
			json_decref(line_of("test", detail));
		}
	}
}

/* Anything made of what is dangerous. */
static void
test_any_detail_stays_one_line(void **state)
{
	static const char *const words[] = { "+", "+1", "1", "20255501",
		"+12025550147", "\"", "\\", "\n", "\x01", "\x7f", "é", "😀",
		"\xc3", "\x80", "\xf0\x9f", "x" };
	char detail[2048];
	const char *logged;
	json_t *line;
	int i;

	(void)state;
	srandom(1);
	for (i = 0; i < 2000; i++) {
		detail[0] = '\0';
		while (random() % 60 != 0 && strlen(detail) < 2000)
			strcat(detail, words[(size_t)random() % LENGTH(words)]);
		line = line_of("test", detail);
		logged = text_of(line, "detail");
		while ((logged = strchr(logged, '+')) != NULL) {
			logged++;
			assert_true(strspn(logged, "0123456789") < 7);
		}
		json_decref(line);
	}
}

static void
test_request_ties_lines_together(void **state)
{
	char id[] = "0a1b2c";
	json_t *line;

	(void)state;
	log_request(id);
	strcpy(id, "xxxxxx"); /* it was copied */
	line = line_of("test", "x");
	assert_int_equal(json_object_size(line), 7);
	assert_string_equal(text_of(line, "request"), "0a1b2c");
	assert_string_equal(text_of(line, "detail"), "x");
	json_decref(line);
	check_request("abc-DEF-123", "abc-DEF-123");
	check_request("next", "next");
	check_request("", "(none)");
	check_request(NULL, "(none)");
}

static void
test_hostile_request_is_filtered(void **state)
{
	char id[200];

	(void)state;
	check_request("a\"b\\c\nd e{f}", "abcdef");
	check_request("\",\"level\":\"debug", "leveldebug");
	check_request("\xff\xc3\xa9\x01\x7f", "(none)");
	check_request("+12025550147", "12025550147");
	memset(id, 'a', sizeof id - 1);
	id[sizeof id - 1] = '\0';
	check_request(id, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}

/* In a process of its own, for there is no way back. */
static void
test_plain_lines_for_people(void **state)
{
	const char *text;
	int status;

	(void)state;
	catch_log();
	if (fork() == 0) {
		log_open("callmask", LOG_WARN);
		log_request("abc");
		log_plain();
		log_info("dropped", "x");
		log_warn("number", "took %s\xff", "+12025550147");
		_exit(0);
	}
	wait(&status);
	text = read_log();
	assert_string_equal(text, "callmask: number: took +1…47?\n");
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    test_line_says_who_when_and_what, open_log),
		cmocka_unit_test_setup(test_detail_is_formatted, open_log),
		cmocka_unit_test_setup(test_level_is_named, open_log),
		cmocka_unit_test(test_lines_below_the_level_are_dropped),
		cmocka_unit_test_setup(
		    test_hostile_details_stay_one_line, open_log),
		cmocka_unit_test_setup(test_bytes_that_are_not_utf8, open_log),
		cmocka_unit_test_setup(test_numbers_are_hidden, open_log),
		cmocka_unit_test_setup(
		    test_what_is_no_number_is_kept, open_log),
		cmocka_unit_test_setup(test_long_details_are_cut, open_log),
		cmocka_unit_test_setup(
		    test_cut_never_splits_a_character, open_log),
		cmocka_unit_test_setup(
		    test_any_detail_stays_one_line, open_log),
		cmocka_unit_test_setup(
		    test_request_ties_lines_together, open_log),
		cmocka_unit_test_setup(
		    test_hostile_request_is_filtered, open_log),
		cmocka_unit_test(test_plain_lines_for_people),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
