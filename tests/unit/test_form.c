/* Forms: what Twilio sends is read byte for byte, all else is refused. */

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "form.h"

#define LENGTH(array) (sizeof array / sizeof array[0])

/* Parses len bytes of body from memory that ends where the body does. */
static enum rc
parse(struct form *form, const char *body, size_t len)
{
	char *copy;
	enum rc rc;

	copy = malloc(len + (len == 0));
	assert_non_null(copy);
	memcpy(copy, body, len);
	form_init(form);
	rc = form_parse(form, copy, len);
	/* The form must not point into the body. */
	memset(copy, '!', len);
	free(copy);
	return rc;
}

/* body gives just one field, name with value. */
static void
check_field(const char *body, const char *name, const char *value)
{
	struct form form;

	if (parse(&form, body, strlen(body)) != RC_OK)
		fail_msg("\"%s\" is refused", body);
	assert_int_equal(form.len, 1);
	assert_string_equal(form.fields[0].name, name);
	assert_string_equal(form.fields[0].value, value);
	form_free(&form);
}

static void
check_refused_bytes(const char *body, size_t len, enum rc expected)
{
	struct form form;
	enum rc rc;

	rc = parse(&form, body, len);
	if (rc != expected)
		fail_msg("\"%.60s\" is %s", body, rc_name(rc));
	assert_int_equal(form.len, 0);
	assert_null(form.text.data);
	assert_string_equal(form_get(&form, "a"), "");
	/* It can be used again. */
	assert_int_equal(form_parse(&form, "a=1", 3), RC_OK);
	assert_string_equal(form_get(&form, "a"), "1");
	form_free(&form);
}

static void
check_refused(const char *body)
{
	check_refused_bytes(body, strlen(body), RC_SYNTAX);
}

/* Refused as name, as value, and beside fields that are right. */
static void
check_refused_text(const char *text)
{
	char body[256];

	snprintf(body, sizeof body, "a=%s", text);
	check_refused(body);
	snprintf(body, sizeof body, "%s=a", text);
	check_refused(body);
	check_refused(text);
	snprintf(body, sizeof body, "a=1&b=%s&c=3", text);
	check_refused(body);
}

static void
check_count(const char *body, enum rc expected, int64_t expected_count)
{
	struct form form;
	int64_t count = -77;
	enum rc rc;

	assert_int_equal(parse(&form, body, strlen(body)), RC_OK);
	rc = form_count(&form, "n", &count);
	if (rc != expected || count != expected_count)
		fail_msg(
		    "\"%s\" is %s, %lld", body, rc_name(rc), (long long)count);
	form_free(&form);
}

static void
test_pairs_in_their_order(void **state)
{
	static const char body[] =
	    "CallSid=CA0&From=%2B12025550147&To=%2B12025550199&CallStatus="
	    "in-progress&Caller=%2B12025550147&FromCity=NEW+YORK";
	static const char *const pairs[][2] = { { "CallSid", "CA0" },
		{ "From", "+12025550147" }, { "To", "+12025550199" },
		{ "CallStatus", "in-progress" }, { "Caller", "+12025550147" },
		{ "FromCity", "NEW YORK" } };
	struct form form;
	size_t i;

	(void)state;
	assert_int_equal(parse(&form, body, strlen(body)), RC_OK);
	assert_int_equal(form.len, LENGTH(pairs));
	for (i = 0; i < LENGTH(pairs); i++) {
		assert_string_equal(form.fields[i].name, pairs[i][0]);
		assert_string_equal(form.fields[i].value, pairs[i][1]);
		assert_string_equal(form_get(&form, pairs[i][0]), pairs[i][1]);
	}
	form_free(&form);
}

static void
test_empty_body_has_no_fields(void **state)
{
	struct form form;

	(void)state;
	assert_int_equal(parse(&form, "", 0), RC_OK);
	assert_int_equal(form.len, 0);
	assert_string_equal(form_get(&form, "a"), "");
	assert_string_equal(form_get(&form, ""), "");
	form_free(&form);
}

static void
test_values_may_be_empty_or_missing(void **state)
{
	(void)state;
	check_field("a=", "a", "");
	check_field("a", "a", "");
	check_field("=", "", "");
	check_field("=a", "", "a");
	check_field("a==", "a", "=");
	check_field("a=b=c", "a", "b=c");
}

static void
test_empty_pairs_are_no_fields(void **state)
{
	(void)state;
	check_field("&a=1", "a", "1");
	check_field("a=1&", "a", "1");
	check_field("&&&a=1&&", "a", "1");
}

static void
test_plus_and_escapes_are_decoded(void **state)
{
	(void)state;
	check_field("a=b+c", "a", "b c");
	check_field("a+b=c", "a b", "c");
	check_field("a=+", "a", " ");
	check_field("a=%2B%2b", "a", "++");
	check_field("%61=%3d%26%25%2B", "a", "=&%+");
	check_field("a%3Db=c", "a=b", "c");
	check_field("a=%0D%0A%09%01%7f", "a", "\r\n\t\x01\x7f");
	check_field("a=%C3%A9%e2%80%a6%F0%9F%98%80", "a", "é…😀");
	check_field("é=…", "é", "…");
	check_field("a=b;c=d", "a", "b;c=d");
}

/* All 256 by two digits: a character of its own, or refused. */
static void
test_every_escape(void **state)
{
	char body[8], value[2];
	int byte;

	(void)state;
	for (byte = 0; byte < 256; byte++) {
		snprintf(body, sizeof body, byte % 2 ? "a=%%%02x" : "a=%%%02X",
		    (unsigned)byte);
		snprintf(value, sizeof value, "%c", byte);
		if (byte >= 1 && byte < 0x80)
			check_field(body, "a", value);
		else
			check_refused(body);
	}
}

static void
test_bad_escapes_are_refused(void **state)
{
	static const char *const texts[] = { "%", "%%", "%4", "%4g", "%g4",
		"%zz", "%%41", "%+1", "%1+", "%-1", "%0x", "%u0041", "b%",
		"b%4", "%41%", "%/0", "%:0", "%@0", "%`0", "%G0", "%4@",
		"%4:", "%4/", "%4`", "%4G", "%0 ", "%\xc3\xa9" };
	struct form form;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(texts); i++)
		check_refused_text(texts[i]);
	/* An escape ends with its name or value. */
	form_init(&form);
	assert_int_equal(form_parse(&form, "a=%41", 4), RC_SYNTAX);
	assert_int_equal(form_parse(&form, "a=%41", 3), RC_SYNTAX);
	check_refused("a=%4&1=b");
	check_refused("a=%&41=b");
	check_refused("a%4=1");
	check_refused("a%=41");
}

static void
test_nul_is_refused(void **state)
{
	(void)state;
	check_refused_text("%00");
	check_refused_text("b%00c");
	check_refused_bytes("a=\0", 3, RC_SYNTAX);
	check_refused_bytes("a\0=1", 4, RC_SYNTAX);
	check_refused_bytes("a=1\0&b=2", 8, RC_SYNTAX);
}

static void
test_bad_utf8_is_refused(void **state)
{
	static const char *const texts[] = { "%80", "%FF", "\xff", "%C3",
		"\xc3", "%C3b", "%E2%80", "%F0%9F%98", "%C3%C3", "b%A9",
		/* overlong: NUL, slash, euro */
		"%C0%80", "%C0%AF", "%E0%80%AF", "%F0%82%82%AC",
		/* surrogates, alone and as a pair */
		"%ED%A0%80", "%ED%BF%BF", "%ED%A0%BD%ED%B8%80",
		/* beyond Unicode */
		"%F4%90%80%80", "%F8%88%80%80%80" };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(texts); i++)
		check_refused_text(texts[i]);
	/* Two halves do not make one, and there is no other charset. */
	check_refused("a=%C3&%A9=b");
	check_refused("%C3=%A9");
}

static void
test_get_of_missing_or_repeated(void **state)
{
	struct form form;

	(void)state;
	assert_int_equal(parse(&form, "a=1&b=2&a=3&c=&c=&d=4", 21), RC_OK);
	assert_int_equal(form.len, 6);
	assert_string_equal(form_get(&form, "a"), "");
	assert_string_equal(form_get(&form, "b"), "2");
	assert_string_equal(form_get(&form, "c"), "");
	assert_string_equal(form_get(&form, "d"), "4");
	assert_string_equal(form_get(&form, "e"), "");
	assert_string_equal(form_get(&form, "B"), "");
	assert_string_equal(form_get(&form, "b="), "");
	form_free(&form);
	/* The same name, however it is written; even if the value is, too. */
	assert_int_equal(parse(&form, "From=1&%46rom=1", 15), RC_OK);
	assert_string_equal(form_get(&form, "From"), "");
	form_free(&form);
}

/* Writes count fields f0=v0&f1=v1… to body and returns its length. */
static size_t
many(char *body, size_t size, int count)
{
	size_t len = 0;
	int i;

	for (i = 0; i < count; i++)
		len += (size_t)snprintf(body + len, size - len, "%sf%d=v%%%02x",
		    i > 0 ? "&" : "", i, 0x21 + (unsigned)i % 64);
	return len;
}

/* Fields read early must not be left behind when the text grows. */
static void
test_fields_stay_valid_up_to_the_most(void **state)
{
	char body[4096], name[16], value[3] = "v";
	struct form form;
	int i;

	(void)state;
	assert_int_equal(
	    parse(&form, body, many(body, sizeof body, FORM_MAX)), RC_OK);
	assert_int_equal(form.len, 128);
	for (i = 0; i < FORM_MAX; i++) {
		snprintf(name, sizeof name, "f%d", i);
		value[1] = (char)(0x21 + i % 64);
		assert_string_equal(form.fields[i].name, name);
		assert_string_equal(form.fields[i].value, value);
		assert_string_equal(form_get(&form, name), value);
	}
	form_free(&form);
}

/* Each takes a byte of body and two NULs: the most the text ever grows. */
static void
test_fields_of_one_byte(void **state)
{
	char body[2 * FORM_MAX];
	struct form form;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof body; i++)
		body[i] = i % 2 == 0 ? 'x' : '&';
	assert_int_equal(parse(&form, body, sizeof body - 1), RC_OK);
	assert_int_equal(form.len, FORM_MAX);
	for (i = 0; i < form.len; i++) {
		assert_string_equal(form.fields[i].name, "x");
		assert_string_equal(form.fields[i].value, "");
	}
	form_free(&form);
}

static void
test_one_field_too_many_is_refused(void **state)
{
	char body[4096];
	size_t len;

	(void)state;
	len = many(body, sizeof body, FORM_MAX + 1);
	check_refused_bytes(body, len, RC_TOO_LARGE);
	len = many(body, sizeof body, 2 * FORM_MAX);
	check_refused_bytes(body, len, RC_TOO_LARGE);
}

static void
test_empty_pairs_do_not_count(void **state)
{
	char body[4096];
	struct form form;
	size_t len;

	(void)state;
	len = many(body, sizeof body, FORM_MAX);
	memcpy(body + len, "&&&", 3);
	assert_int_equal(parse(&form, body, len + 3), RC_OK);
	assert_int_equal(form.len, FORM_MAX);
	form_free(&form);
}

static void
test_long_values_are_kept_whole(void **state)
{
	static char body[100000];
	struct form form;

	(void)state;
	memset(body, 'x', sizeof body);
	memcpy(body, "a=1&b=", 6);
	assert_int_equal(parse(&form, body, sizeof body), RC_OK);
	assert_int_equal(strlen(form_get(&form, "b")), sizeof body - 6);
	assert_string_equal(form_get(&form, "a"), "1");
	form_free(&form);
}

static void
test_count_reads_up_to_nine_digits(void **state)
{
	(void)state;
	check_count("n=0", RC_OK, 0);
	check_count("n=7", RC_OK, 7);
	check_count("n=010", RC_OK, 10);
	check_count("n=999999999", RC_OK, 999999999);
	check_count("n=000000000", RC_OK, 0);
}

static void
test_count_of_no_field(void **state)
{
	(void)state;
	check_count("", RC_OK, -1);
	check_count("m=1&N=2", RC_OK, -1);
}

static void
test_count_refuses_the_rest(void **state)
{
	static const char *const bodies[] = { "n=1000000000", "n=0000000001",
		"n=99999999999999999999", "n=-1", "n=%2B1", "n=+1", "n=1+",
		"n=1.0", "n=1e3", "n=0x1", "n=1a", "n=a", "n=1%0A",
		"n=%D9%A1" };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(bodies); i++)
		check_count(bodies[i], RC_INVALID, -77);
}

/* As form_get has nothing for them. */
static void
test_count_of_empty_and_repeated_is_not_known(void **state)
{
	(void)state;
	check_count("n=", RC_OK, -1);
	check_count("n", RC_OK, -1);
	check_count("n=1&n=2", RC_OK, -1);
	check_count("n=1&n=1", RC_OK, -1);
}

static void
test_free_twice_and_of_nothing(void **state)
{
	struct form form;

	(void)state;
	form_free(NULL);
	form_init(&form);
	form_free(&form);
	assert_int_equal(form_parse(&form, "a=1", 3), RC_OK);
	form_free(&form);
	assert_int_equal(form.len, 0);
	assert_string_equal(form_get(&form, "a"), "");
	form_free(&form);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs_in_their_order),
		cmocka_unit_test(test_empty_body_has_no_fields),
		cmocka_unit_test(test_values_may_be_empty_or_missing),
		cmocka_unit_test(test_empty_pairs_are_no_fields),
		cmocka_unit_test(test_plus_and_escapes_are_decoded),
		cmocka_unit_test(test_every_escape),
		cmocka_unit_test(test_bad_escapes_are_refused),
		cmocka_unit_test(test_nul_is_refused),
		cmocka_unit_test(test_bad_utf8_is_refused),
		cmocka_unit_test(test_get_of_missing_or_repeated),
		cmocka_unit_test(test_fields_stay_valid_up_to_the_most),
		cmocka_unit_test(test_fields_of_one_byte),
		cmocka_unit_test(test_one_field_too_many_is_refused),
		cmocka_unit_test(test_empty_pairs_do_not_count),
		cmocka_unit_test(test_long_values_are_kept_whole),
		cmocka_unit_test(test_count_reads_up_to_nine_digits),
		cmocka_unit_test(test_count_of_no_field),
		cmocka_unit_test(test_count_refuses_the_rest),
		cmocka_unit_test(test_count_of_empty_and_repeated_is_not_known),
		cmocka_unit_test(test_free_twice_and_of_nothing),
	};

	return cmocka_run_group_tests_name("form", tests, NULL, NULL);
}
