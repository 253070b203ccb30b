/* UTF-8: what is well-formed, and above all what is not. */

#include "test.h"

#include <stdio.h>
#include <string.h>

#include "utf8.h"

#define LENGTH(array) (sizeof array / sizeof array[0])

static void
check_next(const char *text, size_t len)
{
	if (utf8_next(text) != len)
		fail_msg("\"%s\" begins with %zu, not %zu bytes", text,
		    utf8_next(text), len);
}

/* Encodes c in len bytes, whether that is right or not. */
static void
encode(char out[5], unsigned long c, size_t len)
{
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t i;

	memset(out, 0, 5);
	for (i = len - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	out[0] = (char)(lead[len] | c);
}

static void
test_next_at_the_edges_of_each_length(void **state)
{
	(void)state;
	check_next("\x01", 1);
	check_next("\x7f", 1);
	check_next("\xc2\x80", 2);
	check_next("\xdf\xbf", 2);
	check_next("\xe0\xa0\x80", 3);
	check_next("\xed\x9f\xbf", 3);
	check_next("\xee\x80\x80", 3);
	check_next("\xef\xbf\xbf", 3);
	check_next("\xf0\x90\x80\x80", 4);
	check_next("\xf4\x8f\xbf\xbf", 4);
}

static void
test_next_takes_one_of_many(void **state)
{
	(void)state;
	check_next("abc", 1);
	check_next("éa", 2);
	check_next("…é", 3);
	check_next("😀😀", 4);
	/* What is wrong behind it does not matter. */
	check_next("a\xff", 1);
	check_next("\xc3\xa9\xc3", 2);
}

static void
test_next_finds_none_at_the_end(void **state)
{
	(void)state;
	check_next("", 0);
}

/* Every code point there is, and that its text ends where it should. */
static void
test_every_code_point_is_valid(void **state)
{
	unsigned long c;
	size_t len;
	char text[5];

	(void)state;
	for (c = 1; c <= 0x10ffff; c++) {
		if (c >= 0xd800 && c <= 0xdfff)
			continue;
		len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
		encode(text, c, len);
		if (utf8_next(text) != len || !utf8_valid(text))
			fail_msg("U+%lX", c);
	}
}

static void
test_overlong_forms_are_refused(void **state)
{
	unsigned long c;
	char text[5];

	(void)state;
	for (c = 0; c < 0x10000; c++) {
		encode(text, c, 4);
		assert_int_equal(utf8_next(text), 0);
		if (c < 0x800) {
			encode(text, c, 3);
			assert_int_equal(utf8_next(text), 0);
		}
		if (c < 0x80) {
			encode(text, c, 2);
			assert_int_equal(utf8_next(text), 0);
		}
	}
}

static void
test_surrogates_are_refused(void **state)
{
	unsigned long c;
	char text[5];

	(void)state;
	for (c = 0xd800; c <= 0xdfff; c++) {
		encode(text, c, 3);
		assert_int_equal(utf8_next(text), 0);
		assert_false(utf8_valid(text));
	}
}

static void
test_beyond_unicode_is_refused(void **state)
{
	unsigned long c;
	char text[5];

	(void)state;
	for (c = 0x110000; c <= 0x1fffff; c++) {
		encode(text, c, 4);
		if (utf8_next(text) != 0)
			fail_msg("U+%lX", c);
	}
	check_next("\xf8\x88\x80\x80\x80", 0);
	check_next("\xfc\x84\x80\x80\x80\x80", 0);
}

/* A lead byte wants bytes of 80 to BF behind it, and nothing else has them. */
static void
test_bytes_out_of_place_are_refused(void **state)
{
	static const char *const whole[] = { "\xc3\xa9", "\xe2\x80\xa6",
		"\xf0\x9f\x98\x80" };
	char text[8];
	size_t i, at;
	int byte;

	(void)state;
	for (byte = 0x80; byte <= 0xff; byte++) {
		snprintf(text, sizeof text, "%c", byte);
		check_next(text, 0);
		if (byte < 0xc2 || byte > 0xf4) {
			snprintf(text, sizeof text, "%c\x80\x80\x80", byte);
			check_next(text, 0);
		}
	}
	for (i = 0; i < LENGTH(whole); i++) {
		for (at = 1; at < strlen(whole[i]); at++) {
			for (byte = 0; byte <= 0xff; byte++) {
				strcpy(text, whole[i]);
				text[at] = (char)byte;
				assert_int_equal(utf8_next(text) != 0,
				    byte >= (i == 2 && at == 1 ? 0x90 : 0x80) &&
					byte <= 0xbf);
			}
		}
	}
}

/* The bytes behind the end are there to tempt it. */
static void
test_cut_characters_are_refused(void **state)
{
	(void)state;
	check_next("\xc3\0\xa9", 0);
	check_next("\xe2\0\x80\xa6", 0);
	check_next("\xe2\x80\0\xa6", 0);
	check_next("\xf0\0\x9f\x98\x80", 0);
	check_next("\xf0\x9f\0\x98\x80", 0);
	check_next("\xf0\x9f\x98\0\x80", 0);
}

static void
test_valid_looks_at_all_of_it(void **state)
{
	(void)state;
	assert_true(utf8_valid(""));
	assert_true(utf8_valid("plain"));
	assert_true(utf8_valid("zażółć gęślą jaźń, 電話 😀\n\x01"));
	assert_false(utf8_valid("\xff"));
	assert_false(utf8_valid("plain\x80"));
	assert_false(utf8_valid("é\xc3"));
	assert_false(utf8_valid("a\xed\xa0\x80z"));
	assert_false(utf8_valid("a\xc0\xafz"));
	assert_false(utf8_valid("😀\xf0\x9f\x98"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next_at_the_edges_of_each_length),
		cmocka_unit_test(test_next_takes_one_of_many),
		cmocka_unit_test(test_next_finds_none_at_the_end),
		cmocka_unit_test(test_every_code_point_is_valid),
		cmocka_unit_test(test_overlong_forms_are_refused),
		cmocka_unit_test(test_surrogates_are_refused),
		cmocka_unit_test(test_beyond_unicode_is_refused),
		cmocka_unit_test(test_bytes_out_of_place_are_refused),
		cmocka_unit_test(test_cut_characters_are_refused),
		cmocka_unit_test(test_valid_looks_at_all_of_it),
	};

	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
