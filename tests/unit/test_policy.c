/* The decision, over all that it depends on. */

#include "test.h"

#include <string.h>

#include "policy.h"

#define LENGTH(array) (sizeof array / sizeof array[0])

/*
 * What must come out, once more and in another form: a row for a leg, a
 * letter for the session behind it, in the order none, open, closed, expired.
 */
static const struct {
	bool number_in_use;
	enum phone_caller caller;
	const char *by_leg[POLICY_LEG__MAX]; /* none, live, held */
} expected[] = {
	{ false, PHONE_CALLER_NUMBER, { "NNNN", "NNNN", "NNNN" } },
	{ false, PHONE_CALLER_WITHHELD, { "NNNN", "NNNN", "NNNN" } },
	{ false, PHONE_CALLER_OTHER, { "NNNN", "NNNN", "NNNN" } },
	{ true, PHONE_CALLER_NUMBER, { "UUUU", "U*CX", "UCCX" } },
	{ true, PHONE_CALLER_WITHHELD, { "WWWW", "WWWW", "WWWW" } },
	{ true, PHONE_CALLER_OTHER, { "UUUU", "UUUU", "UUUU" } },
};

static const char letters[] = {
	[POLICY_CONNECTED] = '*',
	[POLICY_NUMBER_UNKNOWN] = 'N',
	[POLICY_CALLER_WITHHELD] = 'W',
	[POLICY_CALLER_UNKNOWN] = 'U',
	[POLICY_SESSION_IS_CLOSED] = 'C',
	[POLICY_SESSION_IS_EXPIRED] = 'X',
};

static enum policy_reason
decide(int in_use, int caller, int leg, int session)
{
	return policy_decide(
	    &(struct policy_facts){ in_use != 0, (enum phone_caller)caller,
		(enum policy_leg)leg, (enum policy_session)session });
}

static void
test_decide_over_all_facts(void **state)
{
	enum policy_reason reason;
	int leg, session, seen = 0;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(expected); i++) {
		for (leg = 0; leg < POLICY_LEG__MAX; leg++) {
			for (session = 0; session < POLICY_SESSION__MAX;
			     session++) {
				reason = decide(expected[i].number_in_use,
				    expected[i].caller, leg, session);
				assert_in_range(reason, 0, POLICY__MAX - 1);
				assert_int_equal(letters[reason],
				    expected[i].by_leg[leg][session]);
				seen++;
			}
		}
	}
	assert_int_equal(seen, 2 * 3 * 3 * 4);
}

/* Also beyond the values there are: one of all these connects. */
static void
test_decide_connects_once(void **state)
{
	int i, connected = 0;

	(void)state;
	for (i = 0; i < 2 * 8 * 8 * 8; i++)
		if (decide(i & 1, i >> 1 & 7, i >> 4 & 7, i >> 7) ==
		    POLICY_CONNECTED)
			connected++;
	assert_int_equal(connected, 1);
	assert_int_equal(decide(true, PHONE_CALLER_NUMBER, POLICY_LEG_LIVE,
			     POLICY_SESSION_OPEN),
	    POLICY_CONNECTED);
}

/* Facts that were never filled in connect nobody. */
static void
test_decide_refuses_nothing_known(void **state)
{
	struct policy_facts facts;

	(void)state;
	memset(&facts, 0, sizeof facts);
	assert_int_equal(policy_decide(&facts), POLICY_NUMBER_UNKNOWN);
	facts.number_in_use = true;
	assert_int_equal(policy_decide(&facts), POLICY_CALLER_UNKNOWN);
}

static void
test_reason_names(void **state)
{
	static const char *const names[POLICY__MAX] = { "connected",
		"number_unknown", "caller_withheld", "caller_unknown",
		"session_closed", "session_expired" };
	int i;

	(void)state;
	for (i = 0; i < POLICY__MAX; i++)
		assert_string_equal(
		    policy_reason_name((enum policy_reason)i), names[i]);
}

static void
test_sentence_for_each_refusal(void **state)
{
	const char *text;
	int i;

	(void)state;
	for (i = 0; i < POLICY__MAX; i++) {
		text = policy_sentence((enum policy_reason)i);
		assert_non_null(text);
		if (i == POLICY_CONNECTED)
			assert_string_equal(text, "");
		else
			assert_in_range(strlen(text), 20, 200);
	}
}

/* Nothing that could be a number, and nothing that XML would have to escape
 * or a voice would stumble over. */
static void
test_sentence_is_plain_words(void **state)
{
	const char *text, *word;
	int i;

	(void)state;
	for (i = 1; i < POLICY__MAX; i++) {
		text = policy_sentence((enum policy_reason)i);
		assert_true(strpbrk(text, "0123456789+<>&\"{}_%") == NULL);
		word = strrchr(text, ' ');
		assert_non_null(word);
		assert_string_equal(word, " Goodbye.");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decide_over_all_facts),
		cmocka_unit_test(test_decide_connects_once),
		cmocka_unit_test(test_decide_refuses_nothing_known),
		cmocka_unit_test(test_reason_names),
		cmocka_unit_test(test_sentence_for_each_refusal),
		cmocka_unit_test(test_sentence_is_plain_words),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
