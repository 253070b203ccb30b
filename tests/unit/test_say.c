/* What people hear: every sentence in every language. */

#include "test.h"

#include <string.h>

#include "say.h"
#include "utf8.h"

#define LENGTH(array) (sizeof array / sizeof array[0])

static const struct {
	const char *name, *tag, *bye;
} languages[] = { { "en", "en-US", " Goodbye." },
	{ "de", "de-DE", " Auf Wiederhören." },
	{ "fr", "fr-FR", " Au revoir." } };

static const char *const others[] = { "", "EN", "e", "eng", "en-US", "xx" };

static void
test_tags(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(languages); i++)
		assert_string_equal(
		    say_tag(languages[i].name), languages[i].tag);
	for (i = 0; i < LENGTH(others); i++)
		assert_null(say_tag(others[i]));
}

/* Nothing that could be a number but the keys to press, nothing that XML
 * would have to escape but the apostrophe, and no two languages alike. */
static void
test_every_sentence_is_there(void **state)
{
	const char *text;
	size_t i, j;
	int k;

	(void)state;
	for (i = 0; i < LENGTH(languages); i++) {
		for (k = 0; k < SAY__MAX; k++) {
			text = say((enum say_sentence)k, languages[i].name);
			assert_non_null(text);
			assert_in_range(strlen(text), 20, 220);
			assert_true(utf8_valid(text));
			assert_null(strpbrk(text, "+<>&\"{}_%"));
			if (k != SAY_SCREEN)
				assert_null(strpbrk(text, "0123456789"));
			for (j = 0; j < i; j++)
				assert_string_not_equal(
				    text, say((enum say_sentence)k,
					      languages[j].name));
		}
		text = say(SAY_SCREEN, languages[i].name);
		assert_non_null(strchr(text, '1'));
		assert_non_null(strchr(text, '9'));
	}
}

static void
test_other_languages_are_english(void **state)
{
	size_t i;
	int k;

	(void)state;
	for (i = 0; i < LENGTH(others); i++)
		for (k = 0; k < SAY__MAX; k++)
			assert_ptr_equal(say((enum say_sentence)k, others[i]),
			    say((enum say_sentence)k, "en"));
}

/* A refusal is said, and ends with a good-bye; a connection is not. */
static void
test_reasons(void **state)
{
	const char *text, *bye;
	size_t i;
	int k;

	(void)state;
	for (i = 0; i < LENGTH(languages); i++) {
		bye = languages[i].bye;
		for (k = 0; k < POLICY__MAX; k++) {
			text = say_reason(
			    (enum policy_reason)k, languages[i].name);
			if (k <= POLICY_RELAYED) {
				assert_string_equal(text, "");
				continue;
			}
			assert_in_range(strlen(text), 20, 220);
			assert_string_equal(
			    text + strlen(text) - strlen(bye), bye);
		}
	}
	assert_ptr_equal(say_reason(POLICY_NUMBER_UNKNOWN, "en"),
	    say(SAY_NUMBER_UNKNOWN, "en"));
	assert_ptr_equal(
	    say_reason(POLICY_CALLER_WITHHELD, "en"), say(SAY_WITHHELD, "en"));
	assert_ptr_equal(
	    say_reason(POLICY_PARTY_DISPUTED, "en"), say(SAY_DISPUTED, "en"));
	assert_ptr_equal(
	    say_reason(POLICY_VOICE_OFF, "en"), say(SAY_VOICE_OFF, "en"));
	assert_ptr_equal(say_reason(POLICY_COUNTRY_LIMIT, "en"),
	    say(SAY_NOT_FROM_HERE, "en"));
}

/* The words give away neither that a forged number is a party's, nor how a
 * session ended, nor which limit there is. */
static void
test_reasons_that_sound_alike(void **state)
{
	static const enum policy_reason late[] = { POLICY_SESSION_IS_CLOSED,
		POLICY_SESSION_IS_EXPIRED, POLICY_PARTY_REPLACED };
	static const enum policy_reason limits[] = { POLICY_SESSION_LIMIT,
		POLICY_PERSON_LIMIT, POLICY_SERVICE_LIMIT };
	size_t i;

	(void)state;
	assert_ptr_equal(say_reason(POLICY_ATTESTATION_FAILED, "en"),
	    say_reason(POLICY_CALLER_UNKNOWN, "en"));
	for (i = 0; i < LENGTH(late); i++)
		assert_ptr_equal(
		    say_reason(late[i], "de"), say(SAY_ENDED, "de"));
	for (i = 0; i < LENGTH(limits); i++)
		assert_ptr_equal(
		    say_reason(limits[i], "fr"), say(SAY_TOO_MANY, "fr"));
}

/* A text is answered if its sender is known and it was refused; in one SMS of
 * the 7 bit alphabet, in which é and ü are letters and ô is not. */
static void
test_answers_to_texts(void **state)
{
	static const enum policy_reason answered[] = { POLICY_SESSION_IS_CLOSED,
		POLICY_SESSION_IS_EXPIRED, POLICY_PARTY_REPLACED,
		POLICY_PARTY_DISPUTED, POLICY_TEXT_OFF, POLICY_PERSON_LIMIT,
		POLICY_COUNTRY_LIMIT };
	const char *text, *p;
	size_t i, j;
	int k;

	(void)state;
	for (i = 0; i < LENGTH(languages); i++) {
		for (k = 0; k < POLICY__MAX; k++) {
			for (j = 0; j < LENGTH(answered); j++)
				if (answered[j] == (enum policy_reason)k)
					break;
			text =
			    say_text((enum policy_reason)k, languages[i].name);
			assert_int_equal(text[0] != '\0', j < LENGTH(answered));
			assert_in_range(strlen(text), 0, 160);
			for (p = text; *p != '\0'; p += utf8_next(p))
				if ((signed char)*p < 0)
					assert_non_null(strstr("ä ö ü é è à",
					    (char[]){ p[0], p[1], '\0' }));
		}
	}
	assert_ptr_equal(
	    say_text(POLICY_PARTY_REPLACED, "fr"), say(SAY_TEXT_ENDED, "fr"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_every_sentence_is_there),
		cmocka_unit_test(test_other_languages_are_english),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_reasons_that_sound_alike),
		cmocka_unit_test(test_answers_to_texts),
	};

	return cmocka_run_group_tests_name("say", tests, NULL, NULL);
}
