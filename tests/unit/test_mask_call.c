/* The deeds: calls routed, recorded, reported. */

#include "test.h"

#include "deeds.h"

static void
test_route_connects_both_ways(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct mask_route out;

	out = route(s, ANNA, MASK_1, POLICY_CONNECTED);
	assert_string_equal(out.to, BORIS);
	assert_string_equal(out.caller_id, MASK_1);
	assert_string_equal(out.service_id, s->service.id);
	assert_string_equal(out.session_id, session.id);
	assert_string_equal(out.party_id, session.parties[0].id);
	out = route(s, BORIS, MASK_1, POLICY_CONNECTED);
	assert_string_equal(out.to, ANNA);
	assert_string_equal(out.party_id, session.parties[1].id);
	/* The peer sees its own masked number, if it has another. */
	store_run(s, "UPDATE party SET number = '" MASK_2 "'"
		     " WHERE role = 'driver'");
	out = route(s, ANNA, MASK_1, POLICY_CONNECTED);
	assert_string_equal(out.caller_id, MASK_2);
	check_events(s, "1 session.opened");
}

/* What is imagined is what is decided where the same holds. */
static void
test_imagined_calls_are_decided_like_others(void **state)
{
	const struct policy_facts known = { .number_in_use = true,
		.leg = POLICY_LEG_LIVE,
		.session = POLICY_SESSION_OPEN,
		.may_call = true };
	struct policy_facts facts = { .number_in_use = true };
	struct store *s = *state;
	struct mask_route out, real;
	struct service service = s->service;

	store_run(s, "UPDATE service SET ask_code = 1, screening = 1,"
		     " announce_caller = 'Hello', language = 'de'");
	must(service_find(s->db, &service, s->service.id));
	open_session(s, "", ANNA, BORIS);
	real = route(s, ANNA, MASK_1, POLICY_CONNECTED);
	mask_imagine(&service, &known, MASK_1, BORIS, &out);
	assert_int_equal(out.decision.reason, POLICY_CONNECTED);
	assert_string_equal(out.to, real.to);
	assert_string_equal(out.caller_id, real.caller_id);
	assert_string_equal(out.announcement, "Hello");
	assert_string_equal(out.language, "de");
	assert_int_equal(out.limit_s, real.limit_s);
	assert_true(out.screen);
	real = route_as(s, EMIL, MASK_1, POLICY_ASK, POLICY_CALLER_UNKNOWN);
	mask_imagine(&service, &facts, MASK_1, BORIS, &out);
	assert_int_equal(out.decision.action, real.decision.action);
	assert_int_equal(out.decision.action, POLICY_ASK);
	service.ask_code = 0;
	mask_imagine(&service, &facts, MASK_1, BORIS, &out);
	assert_int_equal(out.decision.action, POLICY_REFUSE);
	/* Nobody minds until the service does. */
	facts = known;
	facts.attestation_failed = true;
	mask_imagine(&service, &facts, MASK_1, BORIS, &out);
	assert_int_equal(out.decision.reason, POLICY_CONNECTED);
	service.attestation = 1;
	mask_imagine(&service, &facts, MASK_1, BORIS, &out);
	assert_int_equal(out.decision.reason, POLICY_ATTESTATION_FAILED);
	facts = known;
	facts.session = POLICY_SESSION_CLOSED;
	strcpy(service.support_number, DORA);
	mask_imagine(&service, &facts, MASK_1, BORIS, &out);
	assert_int_equal(out.decision.action, POLICY_FORWARD);
	assert_string_equal(out.to, DORA);
	assert_string_equal(out.caller_id, MASK_1);
}

/* Anna in two sessions: each number leads to its own. */
static void
test_route_keeps_sessions_apart(void **state)
{
	struct store *s = *state;

	open_session(s, "", ANNA, BORIS);
	open_session(s, "", CLARA, ANNA);
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	check_connected(s, ANNA, MASK_2, CLARA, CALL_LIMIT);
	check_connected(s, BORIS, MASK_1, ANNA, CALL_LIMIT);
	check_connected(s, CLARA, MASK_2, ANNA, CALL_LIMIT);
	route(s, BORIS, MASK_2, POLICY_CALLER_UNKNOWN);
	route(s, CLARA, MASK_1, POLICY_CALLER_UNKNOWN);
}

static void
test_route_ends_with_the_session_to_the_second(void **state)
{
	struct store *s = *state;

	open_session(s, "", ANNA, BORIS);
	at(s, NOW + TTL - CALL_LIMIT - 1);
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	at(s, NOW + TTL - CALL_LIMIT + 1);
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT - 1);
	at(s, NOW + TTL - 1);
	check_connected(s, ANNA, MASK_1, BORIS, 1);
	at(s, NOW + TTL);
	route(s, ANNA, MASK_1, POLICY_SESSION_IS_EXPIRED);
	route(s, BORIS, MASK_1, POLICY_SESSION_IS_EXPIRED);
	at(s, NOW + TTL + HOLD - 1);
	route(s, ANNA, MASK_1, POLICY_SESSION_IS_EXPIRED);
	at(s, NOW + TTL + HOLD);
	route(s, ANNA, MASK_1, POLICY_CALLER_UNKNOWN);
}

/* Leg and session must agree: either of them is enough to refuse. */
static void
test_route_believes_the_stricter_table(void **state)
{
	struct store *s = *state;

	open_session(s, "", ANNA, BORIS);
	store_run(s, "UPDATE leg SET live_until = 1800000000");
	route(s, ANNA, MASK_1, POLICY_PARTY_REPLACED);
	store_run(s, "UPDATE leg SET live_until = held_until");
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	store_run(s, "UPDATE session SET expires_at = 1800000000");
	route(s, ANNA, MASK_1, POLICY_SESSION_IS_EXPIRED);
	store_run(s, "UPDATE session SET expires_at = 1900000000,"
		     " closed_at = 1800000000, close_reason = 'closed'");
	route(s, ANNA, MASK_1, POLICY_SESSION_IS_CLOSED);
	store_run(s, "UPDATE session SET close_reason = 'expired'");
	route(s, ANNA, MASK_1, POLICY_SESSION_IS_EXPIRED);
}

static void
test_route_refuses_everybody_else(void **state)
{
	static const char *const withheld[] = { "", "anonymous", "+266696687" };
	static const char *const others[] = { DORA, "client:alice",
		"sip:+12025550147@example.com", "12025550147", "+1 2025550147",
		MASK_1 };
	struct store *s = *state;
	struct mask_route out;
	size_t i;

	open_session(s, "", ANNA, BORIS);
	for (i = 0; i < LENGTH(withheld); i++) {
		out = route(s, withheld[i], MASK_1, POLICY_CALLER_WITHHELD);
		assert_string_equal(out.service_id, s->service.id);
		assert_string_equal(out.session_id, "");
		assert_string_equal(out.party_id, "");
	}
	for (i = 0; i < LENGTH(others); i++) {
		out = route(s, others[i], MASK_1, POLICY_CALLER_UNKNOWN);
		assert_string_equal(out.service_id, s->service.id);
		assert_string_equal(out.session_id, "");
		assert_string_equal(out.party_id, "");
	}
	/* Also if someone's number is what a keypad makes of a word. */
	store_run(s, "UPDATE service SET countries = 'LS US'");
	open_session(s, "", "+266696687", BORIS);
	out = route(s, "+266696687", MASK_2, POLICY_CALLER_WITHHELD);
	assert_string_equal(out.session_id, "");
	/* Known, but on a number of ours that is not hers. */
	out = route(s, ANNA, MASK_2, POLICY_CALLER_UNKNOWN);
	assert_string_equal(out.session_id, "");
}

static void
test_route_refuses_numbers_not_in_use(void **state)
{
	static const char *const others[] = { MASK_3, ANNA, BORIS, "",
		"client:bob" };
	struct store *s = *state;
	size_t i;

	open_session(s, "", ANNA, BORIS);
	for (i = 0; i < LENGTH(others); i++)
		assert_string_equal(
		    route(s, ANNA, others[i], POLICY_NUMBER_UNKNOWN).service_id,
		    "");
	/* A number that takes nothing new serves what it has. */
	store_run(s, "UPDATE number SET state = 'draining'");
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	store_run(s, "UPDATE number SET state = 'reserved'");
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	store_run(s, "UPDATE number SET state = 'retired'");
	route(s, ANNA, MASK_1, POLICY_NUMBER_UNKNOWN);
}

#define SWAP_SEALED                                                            \
	"UPDATE party AS p SET phone_sealed ="                                 \
	" (SELECT code FROM party WHERE position <> p.position)"

/* What does not unseal connects nobody, and shows no number. */
static void
test_route_fails_for_what_was_changed(void **state)
{
	static const char *const changes[] = {
		"UPDATE party SET phone_sealed = x''",
		"UPDATE party SET phone_sealed = zeroblob(53)",
		"UPDATE party SET phone_sealed = phone_sealed || x'00'",
		"UPDATE party SET phone_sealed = '+12025550123'",
		/* Each the other's: Anna would talk to herself. */
		SWAP_SEALED,
	};
	struct mask_dialled dialled = { SID_1, ANNA, MASK_1, "", "" };
	struct store *s = *state;
	struct mask_route out;
	size_t i;

	open_session(s, "", ANNA, BORIS);
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	store_run(s, "UPDATE party SET code = phone_sealed");
	for (i = 0; i < LENGTH(changes); i++) {
		store_run(s, changes[i]);
		memset(&out, 'x', sizeof out);
		assert_int_equal(
		    mask_route(&s->mask, &dialled, &out), RC_CORRUPT);
		assert_int_equal(out.to[0], 'x');
		assert_null(memmem(&out, sizeof out, "2025550123", 10));
		store_run(s, "UPDATE party SET phone_sealed = code");
	}
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	/* Keys that are not those it was sealed with. */
	s->keys.sealing[0].key[0] ^= 1;
	memset(&out, 'x', sizeof out);
	assert_int_equal(mask_route(&s->mask, &dialled, &out), RC_CORRUPT);
	assert_int_equal(out.to[0], 'x');
}

/* What the database cannot say is not taken for a stranger or a number that
 * is not in use. */
static void
check_route_fails_without(struct store *s, const char *table)
{
	struct mask_dialled dialled = { SID_1, ANNA, MASK_1, "", "" };
	struct mask_route out = { .to = "untouched" };

	open_session(s, "", ANNA, BORIS);
	store_drop(s, table);
	assert_int_equal(mask_route(&s->mask, &dialled, &out), RC_UNAVAILABLE);
	assert_string_equal(out.to, "untouched");
}

static void
test_route_fails_without_the_numbers(void **state)
{
	struct store *s = *state;

	check_route_fails_without(s, "number");
}

static void
test_route_fails_without_the_legs(void **state)
{
	struct store *s = *state;

	check_route_fails_without(s, "leg");
}

static void
test_record_twice_is_once(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct call call;

	dial(s, SID_1, ANNA, MASK_1, POLICY_CONNECTED);
	must(call_find(s->db, &call, SID_1));
	assert_string_equal(call.parent_sid, "");
	assert_string_equal(call.service_id, s->service.id);
	assert_string_equal(call.session_id, session.id);
	assert_string_equal(call.party_id, session.parties[0].id);
	assert_string_equal(call.number, MASK_1);
	assert_string_equal(call.reason, "connected");
	assert_int_equal(call.status, CALL_RINGING);
	assert_int_equal(call.sequence, -1);
	assert_int_equal(call.created_at, NOW);
	check_events(s, "1 session.opened, 2 call.started connected");
	store_check(s,
	    "SELECT session_id || subject_id FROM event WHERE seq = 2",
	    strcat(strcpy((char[80]){ 0 }, session.id), call.id));
	/* Also if it would be decided otherwise by now. */
	dial(s, SID_1, ANNA, MASK_1, POLICY_CONNECTED);
	dial(s, SID_1, DORA, MASK_1, POLICY_CALLER_UNKNOWN);
	assert_int_equal(store_int(s, "SELECT count(*) FROM call"), 1);
	store_check(s, "SELECT reason FROM call", "connected");
	check_events(s, "1 session.opened, 2 call.started connected");
}

static void
test_record_refused_calls(void **state)
{
	struct store *s = *state;
	struct call call;

	dial(s, SID_1, DORA, MASK_1, POLICY_CALLER_UNKNOWN);
	dial(s, SID_2, "anonymous", MASK_1, POLICY_CALLER_WITHHELD);
	must(call_find(s->db, &call, SID_1));
	assert_string_equal(call.service_id, s->service.id);
	assert_string_equal(call.session_id, "");
	assert_string_equal(call.number, MASK_1);
	assert_string_equal(call.reason, "caller_unknown");
	assert_int_equal(call.status, CALL_COMPLETED);
	check_events(
	    s, "1 call.refused caller_unknown, 2 call.refused caller_withheld");
	/* Not our number: nobody to tell, and its digits are not kept. */
	dial(s, SID_3, ANNA, DORA, POLICY_NUMBER_UNKNOWN);
	must(call_find(s->db, &call, SID_3));
	assert_string_equal(call.service_id, "");
	assert_string_equal(call.number, "");
	assert_string_equal(call.reason, "number_unknown");
	assert_int_equal(store_int(s, "SELECT count(*) FROM event"), 2);
	/* What Twilio reports of them later tells nothing new. */
	report(s, SID_1, "", DORA, CALL_COMPLETED, 0);
	assert_int_equal(store_int(s, "SELECT count(*) FROM event"), 2);
}

static void
test_report_tells_the_story_once(void **state)
{
	static const enum call_status statuses[] = { CALL_INITIATED,
		CALL_RINGING, CALL_IN_PROGRESS, CALL_COMPLETED };
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct call call;
	int i;

	dial(s, SID_1, ANNA, MASK_1, POLICY_CONNECTED);
	for (i = 0; i < 16; i++)
		ring(s, statuses[i / 2 % 4], i / 2 % 4);
	must(report(s, SID_1, "", ANNA, CALL_COMPLETED, 4));
	must(report(s, SID_1, "", ANNA, CALL_COMPLETED, 4));
	ring(s, CALL_BUSY, 5);
	check_events(s, "1 session.opened, 2 call.started connected,"
			" 3 call.ringing ringing, 4 call.answered in-progress,"
			" 5 call.ended completed");
	assert_int_equal(
	    store_int(s, "SELECT count(DISTINCT subject_id || session_id)"
			 " FROM event WHERE subject_id IS NOT NULL"),
	    1);
	must(call_find(s->db, &call, SID_2));
	assert_string_equal(call.parent_sid, SID_1);
	assert_string_equal(call.session_id, session.id);
	assert_string_equal(call.party_id, session.parties[1].id);
	assert_string_equal(call.number, MASK_1);
	assert_int_equal(call.status, CALL_COMPLETED);
	assert_int_equal(call.ringing_at, NOW + 1);
	assert_int_equal(call.answered_at, NOW + 2);
	assert_int_equal(call.ended_at, NOW + 3);
	assert_int_equal(call.duration_s, 5);
}

/* The end comes first: what was before is written down but not told. */
static void
test_report_out_of_order(void **state)
{
	struct store *s = *state;
	struct call call;

	open_session(s, "", ANNA, BORIS);
	dial(s, SID_1, ANNA, MASK_1, POLICY_CONNECTED);
	ring(s, CALL_NO_ANSWER, 2);
	ring(s, CALL_RINGING, 1);
	ring(s, CALL_INITIATED, 0);
	check_events(s, "1 session.opened, 2 call.started connected,"
			" 3 call.ended no-answer");
	must(call_find(s->db, &call, SID_2));
	assert_int_equal(call.status, CALL_NO_ANSWER);
	assert_int_equal(call.ringing_at, NOW + 1);
}

/* The dialled leg is over first: how it ended the other leg knows better. */
static void
test_report_leaves_the_end_to_the_leg_that_rang(void **state)
{
	struct store *s = *state;

	open_session(s, "", ANNA, BORIS);
	dial(s, SID_1, ANNA, MASK_1, POLICY_CONNECTED);
	ring(s, CALL_RINGING, 1);
	must(report(s, SID_1, "", ANNA, CALL_COMPLETED, 4));
	check_events(s, "1 session.opened, 2 call.started connected,"
			" 3 call.ringing ringing");
	ring(s, CALL_NO_ANSWER, 2);
	check_events(s, "1 session.opened, 2 call.started connected,"
			" 3 call.ringing ringing, 4 call.ended no-answer");
}

/* No second leg was ever heard of: the dialled one tells the end. */
static void
test_report_lonely_end(void **state)
{
	struct store *s = *state;

	open_session(s, "", ANNA, BORIS);
	dial(s, SID_1, ANNA, MASK_1, POLICY_CONNECTED);
	must(report(s, SID_1, "", ANNA, CALL_IN_PROGRESS, 1));
	check_events(s, "1 session.opened, 2 call.started connected");
	must(report(s, SID_1, "", ANNA, CALL_CANCELED, 2));
	must(report(s, SID_1, "", ANNA, CALL_CANCELED, 2));
	/* The other leg's end, much later, is not a second end. */
	ring(s, CALL_COMPLETED, 3);
	check_events(s, "1 session.opened, 2 call.started connected,"
			" 3 call.ended canceled");
}

/* The app was told that it is over, and hears nothing else of it. */
static void
test_report_tells_nothing_after_the_end(void **state)
{
	struct store *s = *state;

	open_session(s, "", ANNA, BORIS);
	dial(s, SID_1, ANNA, MASK_1, POLICY_CONNECTED);
	must(report(s, SID_1, "", ANNA, CALL_COMPLETED, 4));
	ring(s, CALL_RINGING, 1);
	ring(s, CALL_IN_PROGRESS, 2);
	ring(s, CALL_COMPLETED, 3);
	check_events(s, "1 session.opened, 2 call.started connected,"
			" 3 call.ended completed");
}

static void
test_report_adopts_an_unrecorded_call(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct call call;

	ring(s, CALL_RINGING, 1);
	ring(s, CALL_COMPLETED, 3);
	must(call_find(s->db, &call, SID_1));
	assert_string_equal(call.parent_sid, "");
	assert_string_equal(call.service_id, s->service.id);
	assert_string_equal(call.session_id, session.id);
	assert_string_equal(call.number, MASK_1);
	assert_string_equal(call.reason, "connected");
	assert_int_equal(call.status, CALL_IN_PROGRESS);
	store_check(s,
	    "SELECT DISTINCT subject_id FROM event WHERE subject_id IS NOT "
	    "NULL",
	    call.id);
	must(report(s, SID_1, "", ANNA, CALL_COMPLETED, 4));
	check_events(s, "1 session.opened, 2 call.ringing ringing,"
			" 3 call.ended completed");
	must(call_find(s->db, &call, SID_1));
	assert_int_equal(call.status, CALL_COMPLETED);
}

/* The Dial's action names neither number nor person of ours. */
static void
test_report_knows_a_leg_by_the_one_that_dialled_it(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct call call;

	dial(s, SID_1, ANNA, MASK_1, POLICY_CONNECTED);
	must(transact(&(struct deed){ REPORT, .s = s,
	    .report = &(struct mask_report){ SID_2, SID_1, "client:x", "",
		{ CALL_BUSY, -1, 0, -1 }, NULL } }));
	must(call_find(s->db, &call, SID_2));
	assert_string_equal(call.service_id, s->service.id);
	assert_string_equal(call.session_id, session.id);
	assert_string_equal(call.party_id, "");
	assert_string_equal(call.number, "");
	check_events(s, "1 session.opened, 2 call.started connected,"
			" 3 call.ended busy");
}

/* A dialled leg whose recording failed, known by number and person. */
static void
test_report_identifies_an_unrecorded_leg(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct call call;

	must(report(s, SID_1, "", ANNA, CALL_COMPLETED, 0));
	must(call_find(s->db, &call, SID_1));
	assert_string_equal(call.session_id, session.id);
	assert_string_equal(call.party_id, session.parties[0].id);
	assert_int_equal(call.status, CALL_COMPLETED);
	check_events(s, "1 session.opened");
}

static void
test_unknown_an_unknown_call_is_written(void **state)
{
	struct store *s = *state;
	const struct mask_report unknown = { SID_1, "", DORA, ANNA,
		{ CALL_COMPLETED, 0, NOW, 7 }, NULL };
	struct call call;

	open_session(s, "", ANNA, BORIS);
	assert_int_equal(report_leg(s, &unknown), RC_NONE);
	assert_int_equal(report_leg(s, &unknown), RC_NONE);
	must(call_find(s->db, &call, SID_1));
	assert_int_equal(call.status, CALL_COMPLETED);
	assert_int_equal(call.duration_s, 7);
	assert_string_equal(call.service_id, "");
	assert_string_equal(call.session_id, "");
	assert_string_equal(call.number, "");
	check_events(s, "1 session.opened");
}

/* The leg that dialled is there but cannot be read: nothing is written. */
static void
test_report_fails_behind_a_broken_leg(void **state)
{
	const struct mask_report behind = { SID_2, SID_1, "client:x", "",
		{ CALL_BUSY, -1, 0, -1 }, NULL };
	struct store *s = *state;

	open_session(s, "", ANNA, BORIS);
	dial(s, SID_1, ANNA, MASK_1, POLICY_CONNECTED);
	store_run(s, "UPDATE call SET status = 'strange'");
	assert_int_equal(report_leg(s, &behind), RC_CORRUPT);
	assert_int_equal(store_int(s, "SELECT count(*) FROM call"), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		MASK_TEST(test_route_connects_both_ways),
		MASK_TEST(test_imagined_calls_are_decided_like_others),
		MASK_TEST(test_route_keeps_sessions_apart),
		MASK_TEST(test_route_ends_with_the_session_to_the_second),
		MASK_TEST(test_route_believes_the_stricter_table),
		MASK_TEST(test_route_refuses_everybody_else),
		MASK_TEST(test_route_refuses_numbers_not_in_use),
		MASK_TEST(test_route_fails_for_what_was_changed),
		MASK_TEST(test_route_fails_without_the_numbers),
		MASK_TEST(test_route_fails_without_the_legs),
		MASK_TEST(test_record_twice_is_once),
		MASK_TEST(test_record_refused_calls),
		MASK_TEST(test_report_tells_the_story_once),
		MASK_TEST(test_report_out_of_order),
		MASK_TEST(test_report_leaves_the_end_to_the_leg_that_rang),
		MASK_TEST(test_report_lonely_end),
		MASK_TEST(test_report_tells_nothing_after_the_end),
		MASK_TEST(test_report_adopts_an_unrecorded_call),
		MASK_TEST(test_report_knows_a_leg_by_the_one_that_dialled_it),
		MASK_TEST(test_report_identifies_an_unrecorded_leg),
		MASK_TEST(test_unknown_an_unknown_call_is_written),
		MASK_TEST(test_report_fails_behind_a_broken_leg),
	};

	return cmocka_run_group_tests_name("mask_call", tests, NULL, NULL);
}
