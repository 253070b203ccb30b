/* The deeds: callers who hide their number, announced by the app. */

#include "test.h"

#include "deeds.h"

static enum rc
announce(struct store *s, const char *id, const char *role, struct fault *fault)
{
	struct deed d = { ANNOUNCE, .s = s, .text = id, .role = role };
	enum rc rc = transact(&d);

	if (rc == RC_OK)
		assert_int_equal(d.expires_at, s->mask.now_ms / 1000 + 30);
	if (fault != NULL)
		*fault = d.fault;
	return rc;
}

/* Routes a call of a caller who may have been announced. */
static struct mask_route
route_intent(struct store *s, const char *sid, const char *from, const char *to,
    enum policy_reason reason)
{
	struct mask_dialled call = dialled(sid, from, to);
	struct mask_route out;

	memset(&out, 'x', sizeof out);
	must(transact(&(struct deed){
	    ROUTE_INTENT, .s = s, .dialled = &call, .route = &out }));
	check_route(&out,
	    reason == POLICY_CONNECTED_BY_INTENT ? POLICY_CONNECT
						 : POLICY_REFUSE,
	    reason);
	return out;
}

static int
setup_intents(void **state)
{
	setup(state);
	set(*state, "intents = 1");
	return 0;
}

#define INTENT_TEST(test)                                                      \
	cmocka_unit_test_setup_teardown(test, setup_intents, store_teardown)

static void
test_intent_lets_the_next_withheld_through_once(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct mask_route out;

	out = route(s, "anonymous", MASK_1, POLICY_CALLER_WITHHELD);
	assert_true(out.intents);
	must(announce(s, session.id, "driver", NULL));
	/* Asking what would be done takes nothing. */
	route(s, "anonymous", MASK_1, POLICY_CALLER_WITHHELD);
	out = route_intent(
	    s, SID_1, "anonymous", MASK_1, POLICY_CONNECTED_BY_INTENT);
	assert_string_equal(out.to, ANNA);
	assert_string_equal(out.caller_id, MASK_1);
	assert_string_equal(out.party_id, session.parties[1].id);
	assert_string_equal(out.peer_id, session.parties[0].id);
	assert_string_equal(out.session_id, session.id);
	route_intent(s, SID_2, "anonymous", MASK_1, POLICY_CALLER_WITHHELD);
}

/* The same call asked about again is answered alike; another is not. */
static void
test_intent_said_twice(void **state)
{
	struct mask_dialled call = dialled(SID_1, "anonymous", MASK_1);
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct mask_route out;

	must(announce(s, session.id, "driver", NULL));
	out = route_intent(
	    s, SID_1, "anonymous", MASK_1, POLICY_CONNECTED_BY_INTENT);
	record(s, &call, &out);
	out = route_intent(
	    s, SID_1, "anonymous", MASK_1, POLICY_CONNECTED_BY_INTENT);
	assert_string_equal(out.to, ANNA);
	route_intent(s, SID_2, "anonymous", MASK_1, POLICY_CALLER_WITHHELD);
	check_events(s, "1 session.opened, 2 call.started connected_by_intent");
	/* Its end is told although no second leg was heard of. */
	must(report(s, SID_1, "", "anonymous", CALL_CANCELED, 2));
	check_events(s, "1 session.opened, 2 call.started connected_by_intent,"
			" 3 call.ended canceled");
	/* Nor does the session's end connect it again. */
	must(close_session(s, session.id, &session));
	route_intent(s, SID_1, "anonymous", MASK_1, POLICY_SESSION_IS_CLOSED);
}

/* Refused before it was announced: the same call stays refused and takes
 * nothing from the one that was announced. */
static void
test_intent_is_not_for_a_call_before_it(void **state)
{
	struct mask_dialled call = dialled(SID_1, "anonymous", MASK_1);
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct mask_route out;

	out =
	    route_intent(s, SID_1, "anonymous", MASK_1, POLICY_CALLER_WITHHELD);
	record(s, &call, &out);
	must(announce(s, session.id, "driver", NULL));
	route_intent(s, SID_1, "anonymous", MASK_1, POLICY_CALLER_WITHHELD);
	route_intent(s, SID_2, "anonymous", MASK_1, POLICY_CONNECTED_BY_INTENT);
}

static void
test_intent_waits_thirty_seconds(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);

	must(announce(s, session.id, "customer", NULL));
	at(s, NOW + 30);
	route_intent(s, SID_1, "anonymous", MASK_1, POLICY_CALLER_WITHHELD);
	at(s, NOW + 31);
	must(announce(s, session.id, "customer", NULL));
	at(s, NOW + 60);
	route_intent(s, SID_1, "anonymous", MASK_1, POLICY_CONNECTED_BY_INTENT);
}

/* Two wait at one number: whose call it is nobody can say. */
static void
test_intent_must_be_the_only_one(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct session other = open_session(s, "", CLARA, DORA);

	assert_string_equal(other.parties[0].number, MASK_2);
	must(announce(s, session.id, "driver", NULL));
	at(s, NOW + 20);
	must(announce(s, session.id, "customer", NULL));
	route_intent(s, SID_1, "anonymous", MASK_1, POLICY_CALLER_WITHHELD);
	route_intent(s, SID_2, "anonymous", MASK_1, POLICY_CALLER_WITHHELD);
	/* At another number that is no matter. */
	must(announce(s, other.id, "driver", NULL));
	route_intent(s, SID_3, "anonymous", MASK_2, POLICY_CONNECTED_BY_INTENT);
	/* Until the first is over. */
	at(s, NOW + 30);
	assert_string_equal(route_intent(s, SID_4, "anonymous", MASK_1,
				POLICY_CONNECTED_BY_INTENT)
				.to,
	    BORIS);
}

/* Said again by the same party it is still one. */
static void
test_intent_again_is_one(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);

	must(announce(s, session.id, "driver", NULL));
	must(announce(s, session.id, "driver", NULL));
	route_intent(s, SID_1, "anonymous", MASK_1, POLICY_CONNECTED_BY_INTENT);
	route_intent(s, SID_2, "anonymous", MASK_1, POLICY_CALLER_WITHHELD);
}

static void
test_intent_is_for_the_withheld_only(void **state)
{
	static const char *const callers[] = { DORA, "client:alice",
		"sip:x@example.com" };
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	size_t i;

	must(announce(s, session.id, "driver", NULL));
	for (i = 0; i < LENGTH(callers); i++) {
		assert_false(route(s, callers[i], MASK_1, POLICY_CALLER_UNKNOWN)
				 .intents);
		route_intent(
		    s, SID_1, callers[i], MASK_1, POLICY_CALLER_UNKNOWN);
	}
	route_intent(s, SID_1, "anonymous", MASK_2, POLICY_CALLER_WITHHELD);
	route_intent(s, SID_1, "anonymous", MASK_3, POLICY_NUMBER_UNKNOWN);
	route_intent(s, SID_2, "anonymous", MASK_1, POLICY_CONNECTED_BY_INTENT);
}

static void
test_intent_of_the_replaced_or_ended_connects_nobody(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct session_change wish = { .parties = { { "driver", CLARA } } };
	struct deed d = { CHANGE, .s = s, .text = session.id, .change = &wish,
		.session = &session };

	must(announce(s, session.id, "driver", NULL));
	must(transact(&d));
	route_intent(s, SID_1, "anonymous", MASK_1, POLICY_PARTY_REPLACED);
	/* Back again: he has to be announced anew. */
	must(announce(s, session.id, "driver", NULL));
	strcpy(wish.parties[0].phone, BORIS);
	must(transact(&d));
	route_intent(s, SID_2, "anonymous", MASK_1, POLICY_PARTY_REPLACED);
	must(announce(s, session.id, "driver", NULL));
	store_run(s, "UPDATE session SET voice = 'customer'");
	route_intent(s, SID_3, "anonymous", MASK_1, POLICY_VOICE_OFF);
	must(announce(s, session.id, "customer", NULL));
	must(close_session(s, session.id, &session));
	route_intent(s, SID_4, "anonymous", MASK_1, POLICY_SESSION_IS_CLOSED);
}

static void
test_announce_refused(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct service other;
	struct fault fault;

	assert_int_equal(announce(s, "ses_", "driver", &fault), RC_NOT_FOUND);
	assert_int_equal(announce(s, session.id, "rider", &fault), RC_INVALID);
	assert_string_equal(fault.field, "role");
	store_service(s, &other, "rides", "");
	assert_int_equal(
	    transact(&(struct deed){ ANNOUNCE, .s = s, .service_id = other.id,
		.text = session.id, .role = "driver" }),
	    RC_NOT_FOUND);
	at(s, NOW + TTL);
	assert_int_equal(announce(s, session.id, "driver", &fault), RC_ENDED);
	at(s, NOW);
	must(close_session(s, session.id, &session));
	assert_int_equal(announce(s, session.id, "driver", &fault), RC_ENDED);
	set(s, "intents = 0");
	session = open_session(s, "", ANNA, BORIS);
	assert_int_equal(announce(s, session.id, "driver", &fault), RC_OFF);
	assert_int_equal(store_int(s, "SELECT count(*) FROM intent"), 0);
}

/* Switched off after it was announced. */
static void
test_intent_is_off(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);

	must(announce(s, session.id, "driver", NULL));
	set(s, "intents = 0");
	assert_false(
	    route(s, "anonymous", MASK_1, POLICY_CALLER_WITHHELD).intents);
	route_intent(s, SID_1, "anonymous", MASK_1, POLICY_CALLER_WITHHELD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		INTENT_TEST(test_intent_lets_the_next_withheld_through_once),
		INTENT_TEST(test_intent_said_twice),
		INTENT_TEST(test_intent_is_not_for_a_call_before_it),
		INTENT_TEST(test_intent_waits_thirty_seconds),
		INTENT_TEST(test_intent_must_be_the_only_one),
		INTENT_TEST(test_intent_again_is_one),
		INTENT_TEST(test_intent_is_for_the_withheld_only),
		INTENT_TEST(
		    test_intent_of_the_replaced_or_ended_connects_nobody),
		INTENT_TEST(test_announce_refused),
		INTENT_TEST(test_intent_is_off),
	};

	return cmocka_run_group_tests_name("mask_intent", tests, NULL, NULL);
}
