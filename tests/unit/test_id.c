/* Names of rows: form, order, chance. */

#include "test.h"

#include <string.h>

#include "crypto.h"
#include "id.h"

#define LENGTH(array) (sizeof array / sizeof array[0])
#define ALPHABET "0123456789abcdefghjkmnpqrstvwxyz"
#define NOW_MS INT64_C(1795363200000)

static void
test_make_has_prefix_and_26_characters(void **state)
{
	struct {
		char id[ID_SIZE];
		char guard;
	} s;

	(void)state;
	memset(&s, '#', sizeof s);
	id_make(s.id, "ses", NOW_MS);
	assert_int_equal(s.guard, '#');
	assert_int_equal(strlen(s.id), ID_SIZE - 1);
	assert_memory_equal(s.id, "ses_", 4);
	assert_int_equal(strspn(s.id + 4, ALPHABET), 26);
	assert_true(id_valid(s.id, "ses"));
}

/* The time that the first ten characters tell, to the millisecond. */
static void
test_make_begins_with_the_time(void **state)
{
	static const int64_t times[] = { 0, 1, 31, 32, NOW_MS, NOW_MS + 1,
		(INT64_C(1) << 48) - 1 };
	char id[ID_SIZE];
	int64_t ms;
	size_t i, j;

	(void)state;
	for (i = 0; i < LENGTH(times); i++) {
		id_make(id, "cal", times[i]);
		ms = 0;
		for (j = 4; j < 14; j++)
			ms = ms * 32 + (strchr(ALPHABET, id[j]) - ALPHABET);
		assert_true(ms == times[i]);
	}
}

static void
test_make_sorts_by_age(void **state)
{
	char before[ID_SIZE], after[ID_SIZE];
	int64_t ms, step;

	(void)state;
	ms = 1;
	id_make(before, "evt", ms);
	for (step = 1; ms + step < INT64_C(1) << 48; step = step * 3 / 2 + 1) {
		ms += step;
		id_make(after, "evt", ms);
		assert_true(strcmp(before, after) < 0);
		memcpy(before, after, sizeof before);
	}
}

/* At one moment, 1000 different ones; and no place of the random part stands
 * still, each shows all 32 characters (one missing: once in 10^11 runs). */
static void
test_make_is_random(void **state)
{
	static char ids[1000][ID_SIZE];
	uint32_t seen[26] = { 0 };
	size_t i, j;

	(void)state;
	for (i = 0; i < LENGTH(ids); i++) {
		id_make(ids[i], "ses", NOW_MS);
		for (j = 0; j < i; j++)
			assert_string_not_equal(ids[i], ids[j]);
		for (j = 10; j < 26; j++)
			seen[j] |=
			    UINT32_C(1)
			    << (strchr(ALPHABET, ids[i][4 + j]) - ALPHABET);
	}
	for (j = 10; j < 26; j++)
		assert_int_equal(seen[j], UINT32_MAX);
}

static void
test_valid_accepts_the_form(void **state)
{
	(void)state;
	assert_true(id_valid("ses_01knsf1m00abcdefghjkmnpqrs", "ses"));
	assert_true(id_valid("key_00000000000000000000000000", "key"));
	assert_true(id_valid("pty_zzzzzzzzzzzzzzzzzzzzzzzzzz", "pty"));
}

static void
test_valid_refuses_other_prefixes(void **state)
{
	(void)state;
	assert_false(id_valid("ses_01knsf1m00abcdefghjkmnpqrs", "cal"));
	assert_false(id_valid("sex_01knsf1m00abcdefghjkmnpqrs", "ses"));
	assert_false(id_valid("SES_01knsf1m00abcdefghjkmnpqrs", "ses"));
	assert_false(id_valid("ses-01knsf1m00abcdefghjkmnpqrs", "ses"));
	assert_false(id_valid("ses001knsf1m00abcdefghjkmnpqrs", "ses"));
	assert_false(id_valid("01knsf1m00abcdefghjkmnpqrs", "ses"));
}

/* Each start of an id, and one character more. */
static void
test_valid_refuses_lengths(void **state)
{
	const char *id = "ses_01knsf1m00abcdefghjkmnpqrs";
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < strlen(id); i++) {
		memcpy(text, id, i);
		text[i] = '\0';
		assert_false(id_valid(text, "ses"));
	}
	strcat(strcpy(text, id), "0");
	assert_false(id_valid(text, "ses"));
	strcat(strcpy(text, id), "\n");
	assert_false(id_valid(text, "ses"));
}

/* Every byte that is not in the alphabet, at either end and inside. */
static void
test_valid_refuses_other_characters(void **state)
{
	static const size_t places[] = { 4, 17, 29 };
	char text[ID_SIZE];
	size_t i;
	int byte;

	(void)state;
	for (byte = 1; byte < 256; byte++) {
		for (i = 0; i < LENGTH(places); i++) {
			strcpy(text, "ses_01knsf1m00abcdefghjkmnpqrs");
			text[places[i]] = (char)byte;
			if (id_valid(text, "ses") !=
			    (strchr(ALPHABET, byte) != NULL))
				fail_msg("byte %d", byte);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_make_has_prefix_and_26_characters),
		cmocka_unit_test(test_make_begins_with_the_time),
		cmocka_unit_test(test_make_sorts_by_age),
		cmocka_unit_test(test_make_is_random),
		cmocka_unit_test(test_valid_accepts_the_form),
		cmocka_unit_test(test_valid_refuses_other_prefixes),
		cmocka_unit_test(test_valid_refuses_lengths),
		cmocka_unit_test(test_valid_refuses_other_characters),
	};

	if (crypto_open() != RC_OK)
		return 1;
	return cmocka_run_group_tests_name("id", tests, NULL, NULL);
}
