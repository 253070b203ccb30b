/* The decision, over all that it depends on. */

#include "test.h"

#include <string.h>

#include "policy.h"
#include "say.h"

/* How many values each fact has. */
enum {
	CALLERS = 3,
	COMBINATIONS = 2 * CALLERS * 2 * POLICY_PROOF__MAX * POLICY_LEG__MAX *
		       POLICY_SESSION__MAX * 2 * 2 * POLICY_LIMIT__MAX * 2 * 2
};

/* Takes the next digit, below base, off *number. */
static int
digit(int *number, int base)
{
	int value = *number % base;

	*number /= base;
	return value;
}

/* The facts of one combination. */
static struct policy_facts
facts_of(int i)
{
	struct policy_facts facts;

	facts.number_in_use = digit(&i, 2) != 0;
	facts.caller = (enum phone_caller)digit(&i, CALLERS);
	facts.attestation_failed = digit(&i, 2) != 0;
	facts.proof = (enum policy_proof)digit(&i, POLICY_PROOF__MAX);
	facts.leg = (enum policy_leg)digit(&i, POLICY_LEG__MAX);
	facts.session = (enum policy_session)digit(&i, POLICY_SESSION__MAX);
	facts.disputed = digit(&i, 2) != 0;
	facts.may_call = digit(&i, 2) != 0;
	facts.limit = (enum policy_limit)digit(&i, POLICY_LIMIT__MAX);
	facts.ask_code = digit(&i, 2) != 0;
	facts.support_line = digit(&i, 2) != 0;
	assert_int_equal(i, 0);
	return facts;
}

/* What makes a caller known, for a leg of a session, by caller and proof:
 * a number that shows and holds, or a proof. */
static const char known[CALLERS][POLICY_PROOF__MAX + 1] = {
	[PHONE_CALLER_NUMBER] = "nkk", /* by number; a proof needs none */
	[PHONE_CALLER_WITHHELD] = "wkk",
	[PHONE_CALLER_OTHER] = "ukk",
};

/* What a leg means in each session: live or held, in the order none, open,
 * lingering, closed, expired. c: goes on; l: the same, unless it lingers for
 * the other only; e: expired; x: closed; r: replaced; R: replaced, or closed
 * where it lingers for the other only; u: nobody. */
static const char *const ends[POLICY_LEG__MAX] = {
	[POLICY_LEG_NONE] = "uuuuu",
	[POLICY_LEG_LIVE] = "uclxe",
	[POLICY_LEG_HELD] = "urRxe",
};

/*
 * What must come out, once more and in another form: by tables of letters
 * and from the end, where each thing found overrides those before it.
 */
static struct policy_decision
expect(const struct policy_facts *f)
{
	static const enum policy_reason over[POLICY_LIMIT__MAX] = {
		POLICY_CONNECTED, POLICY_SESSION_LIMIT, POLICY_PERSON_LIMIT,
		POLICY_SERVICE_LIMIT, POLICY_COUNTRY_LIMIT
	};
	struct policy_decision d = { POLICY_CONNECT, POLICY_CONNECTED };
	char who = known[f->caller][f->proof], end = ends[f->leg][f->session];
	bool late = strchr("exrR", end) != NULL || (end == 'l' && !f->may_call);

	if (f->proof == POLICY_PROOF_CODE)
		d.reason = POLICY_CONNECTED_BY_CODE;
	if (f->proof == POLICY_PROOF_INTENT)
		d.reason = POLICY_CONNECTED_BY_INTENT;
	if (f->limit != POLICY_LIMIT_NONE)
		d = (struct policy_decision){ POLICY_REFUSE, over[f->limit] };
	if (!f->may_call)
		d = (struct policy_decision){ POLICY_REFUSE, POLICY_VOICE_OFF };
	if (f->disputed)
		d = (struct policy_decision){ POLICY_REFUSE,
			POLICY_PARTY_DISPUTED };
	if (late) {
		d.action = f->support_line ? POLICY_FORWARD : POLICY_REFUSE;
		d.reason = end == 'e' ? POLICY_SESSION_IS_EXPIRED
			   : end == 'r' || (end == 'R' && f->may_call)
			       ? POLICY_PARTY_REPLACED
			       : POLICY_SESSION_IS_CLOSED;
	}
	if (end == 'u' || who == 'w' || who == 'u' ||
	    (who == 'n' && f->attestation_failed)) {
		d.action = f->ask_code ? POLICY_ASK : POLICY_REFUSE;
		d.reason = who == 'w' ? POLICY_CALLER_WITHHELD
			   : end == 'u' || who == 'u'
			       ? POLICY_CALLER_UNKNOWN
			       : POLICY_ATTESTATION_FAILED;
	}
	if (!f->number_in_use)
		d = (struct policy_decision){ POLICY_REFUSE,
			POLICY_NUMBER_UNKNOWN };
	return d;
}

static void
test_decide_over_all_facts(void **state)
{
	struct policy_decision is, should;
	struct policy_facts facts;
	int i;

	(void)state;
	assert_int_equal(COMBINATIONS, 2 * 3 * 2 * 3 * 3 * 5 * 2 * 2 * 5 * 4);
	for (i = 0; i < COMBINATIONS; i++) {
		facts = facts_of(i);
		is = policy_decide(&facts);
		should = expect(&facts);
		if (is.action != should.action || is.reason != should.reason)
			fail_msg("%d: %s %s, not %s %s", i,
			    policy_action_name(is.action),
			    policy_reason_name(is.reason),
			    policy_action_name(should.action),
			    policy_reason_name(should.reason));
	}
}

/* Whatever else is the case, who is connected has a live leg of a session
 * that goes on, may call, breaks no limit, and is known. */
static void
test_decide_connects_nobody_else(void **state)
{
	struct policy_decision is;
	struct policy_facts f;
	int i, connected = 0;

	(void)state;
	for (i = 0; i < COMBINATIONS; i++) {
		f = facts_of(i);
		is = policy_decide(&f);
		if (is.action != POLICY_CONNECT)
			continue;
		connected++;
		assert_true(f.number_in_use && f.may_call && !f.disputed);
		assert_int_equal(f.limit, POLICY_LIMIT_NONE);
		assert_int_equal(f.leg, POLICY_LEG_LIVE);
		assert_true(f.session == POLICY_SESSION_OPEN ||
			    f.session == POLICY_SESSION_LINGERING);
		if (f.proof == POLICY_PROOF_NONE) {
			assert_int_equal(f.caller, PHONE_CALLER_NUMBER);
			assert_false(f.attestation_failed);
		}
	}
	/* By number; by each of two proofs, whatever the caller's number. In
	 * two kinds of session, with or without code and support line. */
	assert_int_equal(connected, (1 + 2 * CALLERS * 2) * 2 * 4);
}

/* A reason that says connected goes with connecting and with nothing else;
 * only late callers are forwarded, only the unknown are asked. */
static void
test_decide_action_fits_reason(void **state)
{
	struct policy_decision is;
	struct policy_facts f;
	int i;

	(void)state;
	for (i = 0; i < COMBINATIONS; i++) {
		f = facts_of(i);
		is = policy_decide(&f);
		assert_in_range(is.reason, 0, POLICY__MAX - 1);
		assert_int_equal(is.action == POLICY_CONNECT,
		    is.reason <= POLICY_CONNECTED_BY_INTENT);
		if (is.action == POLICY_FORWARD)
			assert_true(f.support_line &&
				    is.reason >= POLICY_SESSION_IS_CLOSED &&
				    is.reason <= POLICY_PARTY_REPLACED);
		if (is.action == POLICY_ASK)
			assert_true(f.ask_code &&
				    is.reason >= POLICY_CALLER_WITHHELD &&
				    is.reason <= POLICY_ATTESTATION_FAILED);
	}
}

/* Facts that were never filled in connect nobody. */
static void
test_decide_refuses_nothing_known(void **state)
{
	struct policy_facts facts;
	struct policy_decision is;

	(void)state;
	memset(&facts, 0, sizeof facts);
	is = policy_decide(&facts);
	assert_int_equal(is.action, POLICY_REFUSE);
	assert_int_equal(is.reason, POLICY_NUMBER_UNKNOWN);
	facts.number_in_use = true;
	is = policy_decide(&facts);
	assert_int_equal(is.action, POLICY_REFUSE);
	assert_int_equal(is.reason, POLICY_CALLER_UNKNOWN);
	/* A proof of nobody is no proof. */
	facts.proof = POLICY_PROOF_CODE;
	is = policy_decide(&facts);
	assert_int_equal(is.action, POLICY_REFUSE);
	assert_int_equal(is.reason, POLICY_CALLER_UNKNOWN);
}

/* A text goes the way of a call from a number that shows, but for the two
 * words that differ, and for what only calls are offered. */
static void
test_decide_text_over_all_facts(void **state)
{
	enum policy_reason is, should;
	struct policy_facts f, call;
	int i, relayed = 0;

	(void)state;
	for (i = 0; i < COMBINATIONS; i++) {
		f = facts_of(i);
		is = policy_decide_text(&f);
		call = f;
		call.proof = POLICY_PROOF_NONE;
		should = expect(&call).reason;
		if (should == POLICY_CONNECTED)
			should = POLICY_RELAYED;
		if (should == POLICY_VOICE_OFF)
			should = POLICY_TEXT_OFF;
		assert_string_equal(
		    policy_reason_name(is), policy_reason_name(should));
		if (is != POLICY_RELAYED)
			continue;
		relayed++;
		assert_true(f.number_in_use && f.may_call && !f.disputed &&
			    !f.attestation_failed);
		assert_int_equal(f.caller, PHONE_CALLER_NUMBER);
		assert_int_equal(f.leg, POLICY_LEG_LIVE);
		assert_int_equal(f.limit, POLICY_LIMIT_NONE);
		assert_true(f.session == POLICY_SESSION_OPEN ||
			    f.session == POLICY_SESSION_LINGERING);
	}
	/* In two kinds of session; proof, code and support line are nothing to
	 * a text. */
	assert_int_equal(relayed, 2 * POLICY_PROOF__MAX * 4);
}

static void
test_names(void **state)
{
	static const char *const reasons[POLICY__MAX] = { "connected",
		"connected_by_code", "connected_by_intent", "relayed",
		"number_unknown", "caller_withheld", "caller_unknown",
		"attestation_failed", "session_closed", "session_expired",
		"party_replaced", "party_disputed", "voice_off", "text_off",
		"session_limit", "person_limit", "service_limit",
		"country_limit" };
	static const char *const actions[POLICY_ACTION__MAX] = { "connect",
		"forward", "ask_code", "refuse" };
	int i;

	(void)state;
	for (i = 0; i < POLICY__MAX; i++)
		assert_string_equal(
		    policy_reason_name((enum policy_reason)i), reasons[i]);
	for (i = 0; i < POLICY_ACTION__MAX; i++)
		assert_string_equal(
		    policy_action_name((enum policy_action)i), actions[i]);
}

static void
test_sentence_for_each_refusal(void **state)
{
	const char *text;
	int i;

	(void)state;
	for (i = 0; i < POLICY__MAX; i++) {
		text = say_reason((enum policy_reason)i, "en");
		assert_non_null(text);
		if (i <= POLICY_RELAYED)
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
	for (i = POLICY_NUMBER_UNKNOWN; i < POLICY__MAX; i++) {
		text = say_reason((enum policy_reason)i, "en");
		assert_true(strpbrk(text, "0123456789+<>&\"{}_%") == NULL);
		word = strrchr(text, ' ');
		assert_non_null(word);
		assert_string_equal(word, " Goodbye.");
	}
}

/* Nobody learns by the words whether a number is a party's. */
static void
test_sentence_tells_a_forger_nothing(void **state)
{
	(void)state;
	assert_string_equal(say_reason(POLICY_ATTESTATION_FAILED, "en"),
	    say_reason(POLICY_CALLER_UNKNOWN, "en"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decide_over_all_facts),
		cmocka_unit_test(test_decide_connects_nobody_else),
		cmocka_unit_test(test_decide_action_fits_reason),
		cmocka_unit_test(test_decide_refuses_nothing_known),
		cmocka_unit_test(test_decide_text_over_all_facts),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_sentence_for_each_refusal),
		cmocka_unit_test(test_sentence_is_plain_words),
		cmocka_unit_test(test_sentence_tells_a_forger_nothing),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
