/* Points in time: RFC 3339 out, Twilio's RFC 2822 in. */

#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "timestamp.h"

#define LENGTH(array) (sizeof array / sizeof array[0])

static void
check_format(int64_t at, const char *text)
{
	char out[TIMESTAMP_SIZE];

	memset(out, '#', sizeof out);
	assert_ptr_equal(timestamp_format(out, at), out);
	assert_string_equal(out, text);
}

static void
check_parse(const char *text, int64_t at)
{
	int64_t got = -77;

	if (timestamp_parse(&got, text) != RC_OK || got != at)
		fail_msg("\"%s\" is %lld", text, (long long)got);
}

static void
check_refused(const char *text)
{
	int64_t got = -77;

	if (timestamp_parse(&got, text) != RC_SYNTAX)
		fail_msg("\"%s\" passed", text);
	assert_int_equal(got, -77);
}

static void
test_format_is_rfc_3339(void **state)
{
	(void)state;
	check_format(0, "1970-01-01T00:00:00Z");
	check_format(1795363200, "2026-11-22T16:00:00Z");
	check_format(951782399, "2000-02-28T23:59:59Z");
	check_format(951782400, "2000-02-29T00:00:00Z");
	check_format(4107542399, "2100-02-28T23:59:59Z");
	check_format(4107542400, "2100-03-01T00:00:00Z");
	check_format(-1, "1969-12-31T23:59:59Z");
}

static void
test_format_ends_with_year_9999(void **state)
{
	(void)state;
	check_format(253402300799, "9999-12-31T23:59:59Z");
	check_format(253402300800, "");
	check_format(INT64_C(1) << 40, "");
	check_format(INT64_MAX, "");
	check_format(INT64_MIN, "");
}

/* Whatever the machine's own time is. */
static void
test_time_zone_does_not_matter(void **state)
{
	(void)state;
	setenv("TZ", "America/New_York", 1);
	tzset();
	check_format(1795363200, "2026-11-22T16:00:00Z");
	check_parse("Sun, 22 Nov 2026 16:00:00 +0000", 1795363200);
	unsetenv("TZ");
	tzset();
}

static void
test_parse_reads_what_twilio_writes(void **state)
{
	(void)state;
	check_parse("Sun, 22 Nov 2026 16:00:00 +0000", 1795363200);
	check_parse("Sun, 22 Nov 2026 16:00:00 GMT", 1795363200);
	check_parse("Thu, 01 Jan 1970 00:00:00 +0000", 0);
	check_parse("Tue, 29 Feb 2028 23:59:59 +0000", 1835481599);
	check_parse("Mon, 01 Mar 2100 00:00:00 +0000", 4107542400);
}

static void
test_parse_reads_every_month_and_day(void **state)
{
	char text[64];
	struct tm tm;
	int64_t at;
	time_t seconds;

	(void)state;
	for (at = 1767225600 + 43200; at < 1767225600 + 366 * 86400;
	     at += 86400) {
		seconds = (time_t)at;
		gmtime_r(&seconds, &tm);
		assert_true(strftime(text, sizeof text,
				"%a, %d %b %Y %H:%M:%S +0000", &tm) > 0);
		check_parse(text, at);
	}
}

static void
test_parse_refuses_other_zones(void **state)
{
	static const char *const texts[] = { "Sun, 22 Nov 2026 16:00:00",
		"Sun, 22 Nov 2026 16:00:00 ", "Sun, 22 Nov 2026 16:00:00 +0100",
		"Sun, 22 Nov 2026 16:00:00 -0000",
		"Sun, 22 Nov 2026 16:00:00 +00:00",
		"Sun, 22 Nov 2026 16:00:00 UTC",
		"Sun, 22 Nov 2026 16:00:00 EST", "Sun, 22 Nov 2026 16:00:00 Z",
		"Sun, 22 Nov 2026 16:00:00 gmt",
		"Sun, 22 Nov 2026 16:00:00+0000",
		"Sun, 22 Nov 2026 16:00:00  GMT",
		"Sun, 22 Nov 2026 16:00:00 GMT ",
		"Sun, 22 Nov 2026 16:00:00 +00000" };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(texts); i++)
		check_refused(texts[i]);
}

static void
test_parse_refuses_other_forms(void **state)
{
	static const char *const texts[] = { "", " ", "now", "1795363200",
		"2026-11-22T16:00:00Z", "2026-11-22 16:00:00",
		"22 Nov 2026 16:00:00 +0000", "Sun 22 Nov 2026 16:00:00 +0000",
		"Sun, Nov 22 2026 16:00:00 +0000",
		"Sun, 22-Nov-2026 16:00:00 +0000",
		"Sun, 22 11 2026 16:00:00 +0000",
		"Sun, 22 Nov 26 16:00:00 +0000", "Sun, 22 Nov 2026 16:00 +0000",
		"Sun, 22 Nov 2026 160000 +0000",
		"Sun, 22 Nov 2026 16:00:00.5 +0000",
		"Sonntag, 22 Nov 2026 16:00:00 +0000",
		"Son, 22 Dez 2026 16:00:00 +0000" };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(texts); i++)
		check_refused(texts[i]);
}

static void
test_parse_refuses_numbers_out_of_bounds(void **state)
{
	static const char *const texts[] = { "Sun, 00 Nov 2026 16:00:00 +0000",
		"Sun, 32 Nov 2026 16:00:00 +0000",
		"Sun, 22 Nov 2026 24:00:00 +0000",
		"Sun, 22 Nov 2026 16:60:00 +0000",
		"Sun, 22 Nov 2026 16:00:62 +0000",
		"Sun, -1 Nov 2026 16:00:00 +0000",
		"Sun, 22 Nov 12026 16:00:00 +0000" };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(texts); i++)
		check_refused(texts[i]);
}

/* Numbers that are fine, of days that are not in the calendar. */
static void
test_parse_refuses_days_that_are_none(void **state)
{
	(void)state;
	check_refused("Tue, 31 Nov 2026 16:00:00 +0000");
	check_refused("Sun, 29 Feb 2026 16:00:00 +0000");
	check_refused("Mon, 29 Feb 2100 16:00:00 +0000");
	/* The 22nd is a Sunday. */
	check_refused("Mon, 22 Nov 2026 16:00:00 +0000");
}

static void
test_parse_refuses_liberties(void **state)
{
	(void)state;
	check_refused("sun, 22 nov 2026 16:00:00 +0000");
	check_refused("Sunday, 22 November 2026 16:00:00 +0000");
	check_refused(" Sun, 22 Nov 2026 16:00:00 +0000");
	check_refused("Sun,22Nov2026 16:00:00 +0000");
	check_refused("Sun,\n22 Nov 2026 16:00:00 +0000");
	check_refused("Sun, 22  Nov 2026 16:00:00 +0000");
	check_refused("Sun, 22 Nov 2026 9:0:0 +0000");
}

/* Reads RFC 3339 and must be refused. */
static void
check_refused_rfc3339(const char *text)
{
	int64_t got = -77;

	if (timestamp_parse_rfc3339(&got, text) != RC_SYNTAX)
		fail_msg("\"%s\" passed", text);
	assert_int_equal(got, -77);
}

static void
test_rfc3339_reads_what_format_writes(void **state)
{
	char text[TIMESTAMP_SIZE];
	int64_t at, got;

	(void)state;
	for (at = -86400 * 400; at < 253402300800; at += 86399 * 173) {
		got = -77;
		assert_int_equal(
		    timestamp_parse_rfc3339(&got, timestamp_format(text, at)),
		    RC_OK);
		assert_int_equal(got, at);
	}
	assert_int_equal(
	    timestamp_parse_rfc3339(&got, "9999-12-31T23:59:59Z"), RC_OK);
	assert_int_equal(got, 253402300799);
	assert_int_equal(
	    timestamp_parse_rfc3339(&got, "2028-02-29T00:00:00Z"), RC_OK);
	assert_string_equal(
	    timestamp_format(text, got), "2028-02-29T00:00:00Z");
}

static void
test_rfc3339_refuses_other_forms(void **state)
{
	static const char *const texts[] = { "", " ", "now", "1795363200",
		"2026-11-22", "2026-11-22T16:00:00", "2026-11-22T16:00Z",
		"2026-11-22 16:00:00Z", "2026-11-22t16:00:00Z",
		"2026-11-22T16:00:00z", "2026-11-22T16:00:00+00:00",
		"2026-11-22T16:00:00-00:00", "2026-11-22T16:00:00+01:00",
		"2026-11-22T16:00:00.5Z", "2026-11-22T16:00:00ZZ",
		"2026-11-22T16:00:00Z ", " 2026-11-22T16:00:00Z",
		"2026-11-22T 16:00:00Z", "2026-11-22T16:00:00Z\n",
		"2026-1-22T16:00:00Z", "2026-11-2T16:00:00Z",
		"2026-11-22T6:00:00Z", "2026-11-22T16:0:00Z",
		"26-11-22T16:00:00Z", "+2026-11-22T16:00:00Z",
		"-2026-11-22T16:00:00Z", "12026-11-22T16:00:00Z",
		"20261122T160000Z", "Sun, 22 Nov 2026 16:00:00 GMT" };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(texts); i++)
		check_refused_rfc3339(texts[i]);
}

static void
test_rfc3339_refuses_moments_that_are_none(void **state)
{
	static const char *const texts[] = { "2026-00-22T16:00:00Z",
		"2026-13-22T16:00:00Z", "2026-11-00T16:00:00Z",
		"2026-11-31T16:00:00Z", "2026-02-29T16:00:00Z",
		"2100-02-29T16:00:00Z", "2026-11-22T24:00:00Z",
		"2026-11-22T16:60:00Z", "2026-11-22T16:00:60Z",
		"2026-11-22T23:59:60Z", "2026-11-22T16:00:61Z" };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(texts); i++)
		check_refused_rfc3339(texts[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format_is_rfc_3339),
		cmocka_unit_test(test_format_ends_with_year_9999),
		cmocka_unit_test(test_time_zone_does_not_matter),
		cmocka_unit_test(test_parse_reads_what_twilio_writes),
		cmocka_unit_test(test_parse_reads_every_month_and_day),
		cmocka_unit_test(test_parse_refuses_other_zones),
		cmocka_unit_test(test_parse_refuses_other_forms),
		cmocka_unit_test(test_parse_refuses_numbers_out_of_bounds),
		cmocka_unit_test(test_parse_refuses_days_that_are_none),
		cmocka_unit_test(test_parse_refuses_liberties),
		cmocka_unit_test(test_rfc3339_reads_what_format_writes),
		cmocka_unit_test(test_rfc3339_refuses_other_forms),
		cmocka_unit_test(test_rfc3339_refuses_moments_that_are_none),
	};

	return cmocka_run_group_tests_name("timestamp", tests, NULL, NULL);
}
