/* The deeds: limits, the support line, attestation, and what a decision says
 * besides yes and no. */

#include "test.h"

#include "deeds.h"

static void
test_session_limit_counts_connected_calls(void **state)
{
	struct store *s = *state;

	set(s, "session_calls = 2");
	open_session(s, "", ANNA, BORIS);
	open_session(s, "", CLARA, ANNA);
	dial(s, SID_1, ANNA, MASK_1, POLICY_CONNECTED);
	/* Refused calls do not count, nor does the leg that rings. */
	dial(s, SID_4, DORA, MASK_1, POLICY_CALLER_UNKNOWN);
	ring(s, CALL_RINGING, 1);
	dial(s, SID_3, BORIS, MASK_1, POLICY_CONNECTED);
	route_as(s, ANNA, MASK_1, POLICY_CONNECT, POLICY_CONNECTED);
	dial(s, "CA00000000000000000000000000000009", CLARA, MASK_2,
	    POLICY_CONNECTED);
	/* Both parties together; other sessions are not concerned. */
	{
		struct mask_dialled call = dialled(SID_2, BORIS, MASK_1);
		struct mask_route out;

		must(mask_route(&s->mask, &call, &out));
		check_route(&out, POLICY_REFUSE, POLICY_SESSION_LIMIT);
		call.from = ANNA;
		must(mask_route(&s->mask, &call, &out));
		check_route(&out, POLICY_REFUSE, POLICY_SESSION_LIMIT);
		call.to = MASK_2;
		must(mask_route(&s->mask, &call, &out));
		check_route(&out, POLICY_CONNECT, POLICY_CONNECTED);
	}
	/* The calls at hand, asked about again, are answered alike. */
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
}

/* A call of one, at a time, in a minute. */
static void
test_person_limit_in_a_minute(void **state)
{
	struct mask_dialled call = dialled(SID_4, ANNA, MASK_1);
	struct store *s = *state;
	struct mask_route out;

	set(s, "person_calls = 2");
	open_session(s, "", ANNA, BORIS);
	dial(s, SID_1, ANNA, MASK_1, POLICY_CONNECTED);
	at(s, NOW + 30);
	must(mask_route(&s->mask, &call, &out));
	check_route(&out, POLICY_CONNECT, POLICY_CONNECTED);
	call.sid = SID_2;
	record(s, &call, &out);
	call.sid = SID_4;
	must(mask_route(&s->mask, &call, &out));
	check_route(&out, POLICY_REFUSE, POLICY_PERSON_LIMIT);
	/* The same call again is the same call. */
	call.sid = SID_2;
	must(mask_route(&s->mask, &call, &out));
	check_route(&out, POLICY_CONNECT, POLICY_CONNECTED);
	call.sid = SID_4;
	/* The other is free to call. */
	check_connected(s, BORIS, MASK_1, ANNA, CALL_LIMIT);
	at(s, NOW + 59);
	must(mask_route(&s->mask, &call, &out));
	check_route(&out, POLICY_REFUSE, POLICY_PERSON_LIMIT);
	at(s, NOW + 60);
	must(mask_route(&s->mask, &call, &out));
	check_route(&out, POLICY_CONNECT, POLICY_CONNECTED);
	/* Being rung is not calling. */
	must(report(s, "CA00000000000000000000000000000009", SID_1, ANNA,
	    CALL_RINGING, 0));
	must(mask_route(&s->mask, &call, &out));
	check_route(&out, POLICY_CONNECT, POLICY_CONNECTED);
}

/* Reports that the leg which rings Boris has ended after so many seconds. */
static void
end_call(struct store *s, const char *sid, const char *parent_sid,
    int64_t duration_s)
{
	must(report_leg(
	    s, &(struct mask_report){ sid, parent_sid, MASK_1, BORIS,
		   { CALL_COMPLETED, 3, s->mask.now_ms / 1000, duration_s },
		   NULL }));
}

static void
test_daily_minutes_count_each_call_once(void **state)
{
	struct store *s = *state;
	int64_t day = NOW / 86400, seconds = -1, used;

	set(s, "daily_minutes = 2");
	open_session(s, "", ANNA, BORIS);
	dial(s, SID_1, ANNA, MASK_1, POLICY_CONNECTED);
	end_call(s, SID_2, SID_1, 119);
	/* Said again, by both legs, in any order. */
	end_call(s, SID_2, SID_1, 119);
	must(report(s, SID_1, "", ANNA, CALL_COMPLETED, 4));
	ring(s, CALL_RINGING, 1);
	end_call(s, SID_2, SID_1, 119);
	must(call_usage(s->db, &seconds, s->service.id, day));
	assert_int_equal(seconds, 119);
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	dial(s, SID_3, BORIS, MASK_1, POLICY_CONNECTED);
	end_call(s, SID_4, SID_3, 1);
	must(call_usage(s->db, &seconds, s->service.id, day));
	assert_int_equal(seconds, 120);
	route(s, ANNA, MASK_1, POLICY_SERVICE_LIMIT);
	route(s, BORIS, MASK_1, POLICY_SERVICE_LIMIT);
	/* Until the day is over. */
	used = (day + 1) * 86400;
	store_run(s, "UPDATE session SET expires_at = 1900000000");
	store_run(s, "UPDATE leg SET live_until = 1900000000,"
		     " held_until = 1900000000");
	at(s, used - 1);
	route(s, ANNA, MASK_1, POLICY_SERVICE_LIMIT);
	at(s, used);
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	must(call_usage(s->db, &seconds, s->service.id, day + 1));
	assert_int_equal(seconds, 0);
}

static void
test_daily_minutes_are_the_services_own(void **state)
{
	struct store *s = *state;
	struct service other;

	store_service(s, &other, "rides", "");
	set(s, "daily_minutes = 1");
	open_session(s, "", ANNA, BORIS);
	must(call_add_usage(s->db, other.id, NOW / 86400, 6000));
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	must(call_add_usage(s->db, s->service.id, NOW / 86400 - 1, 6000));
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	must(call_add_usage(s->db, s->service.id, NOW / 86400, 60));
	route(s, ANNA, MASK_1, POLICY_SERVICE_LIMIT);
}

/* What was not answered costs nothing. */
static void
test_daily_minutes_of_no_talk(void **state)
{
	struct store *s = *state;

	open_session(s, "", ANNA, BORIS);
	dial(s, SID_1, ANNA, MASK_1, POLICY_CONNECTED);
	end_call(s, SID_2, SID_1, -1);
	dial(s, SID_3, ANNA, MASK_1, POLICY_CONNECTED);
	end_call(s, SID_4, SID_3, 0);
	assert_int_equal(store_int(s, "SELECT count(*) FROM usage"), 0);
}

/* A country that was allowed when the session was opened. */
static void
test_country_limit_at_the_time_of_the_call(void **state)
{
	struct store *s = *state;

	open_session(s, "", ANNA, CLARA);
	check_connected(s, ANNA, MASK_1, CLARA, CALL_LIMIT);
	set(s, "countries = 'US'");
	route(s, ANNA, MASK_1, POLICY_COUNTRY_LIMIT);
	check_connected(s, CLARA, MASK_1, ANNA, CALL_LIMIT);
}

/* The app is told of what a limit kept from being connected. */
static void
test_limit_is_told(void **state)
{
	struct mask_dialled call = dialled(SID_2, ANNA, MASK_1);
	struct store *s = *state;
	struct mask_route out;

	set(s, "session_calls = 1");
	open_session(s, "", ANNA, BORIS);
	dial(s, SID_1, ANNA, MASK_1, POLICY_CONNECTED);
	must(mask_route(&s->mask, &call, &out));
	record(s, &call, &out);
	check_events(s, "1 session.opened, 2 call.started connected,"
			" 3 call.refused session_limit");
}

static void
test_late_callers_reach_the_support_line(void **state)
{
	struct mask_dialled call = dialled(SID_1, ANNA, MASK_1);
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct mask_route out;

	set(s, "support_number = '+12025550150'");
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	must(close_session(s, session.id, &session));
	out =
	    route_as(s, ANNA, MASK_1, POLICY_FORWARD, POLICY_SESSION_IS_CLOSED);
	assert_string_equal(out.to, "+12025550150");
	assert_string_equal(out.caller_id, MASK_1);
	assert_string_equal(out.session_id, session.id);
	assert_string_equal(out.party_id, session.parties[0].id);
	assert_int_equal(out.limit_s, CALL_LIMIT);
	record(s, &call, &out);
	check_events(s, "1 session.opened, 2 session.closed,"
			" 3 call.started session_closed");
	/* Nobody else does. */
	route(s, DORA, MASK_1, POLICY_CALLER_UNKNOWN);
	route(s, "anonymous", MASK_1, POLICY_CALLER_WITHHELD);
	at(s, NOW + HOLD);
	route(s, ANNA, MASK_1, POLICY_CALLER_UNKNOWN);
}

/* The forwarded call's end is told like any other's, with its other leg or
 * without. */
static void
test_forwarded_calls_end(void **state)
{
	struct mask_dialled call = dialled(SID_1, ANNA, MASK_1);
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct mask_route out;

	set(s, "support_number = '+12025550150'");
	must(close_session(s, session.id, &session));
	out =
	    route_as(s, ANNA, MASK_1, POLICY_FORWARD, POLICY_SESSION_IS_CLOSED);
	record(s, &call, &out);
	must(report(s, SID_1, "", ANNA, CALL_CANCELED, 3));
	check_events(s,
	    "1 session.opened, 2 session.closed,"
	    " 3 call.started session_closed, 4 call.ended canceled");
	call.sid = SID_3;
	record(s, &call, &out);
	must(report(s, SID_4, SID_3, "+12025550150", CALL_COMPLETED, 3));
	check_events(s, "1 session.opened, 2 session.closed,"
			" 3 call.started session_closed, 4 call.ended canceled,"
			" 5 call.started session_closed,"
			" 6 call.ended completed");
}

static void
test_failed_attestation_makes_unknown(void **state)
{
	static const char *const failed[] = { "TN-Validation-Failed-A",
		"TN-Validation-Failed-B", "TN-Validation-Failed-C",
		"TN-Validation-Failed-B-Diverted" };
	static const char *const good[] = { "", "TN-Validation-Passed-A",
		"TN-Validation-Passed-C", "No-TN-Validation" };
	struct mask_dialled call = dialled(SID_1, ANNA, MASK_1);
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct mask_route out;
	size_t i;

	for (i = 0; i < LENGTH(failed); i++) {
		call.attestation = failed[i];
		set(s, "attestation = 0, ask_code = 0");
		must(mask_route(&s->mask, &call, &out));
		check_route(&out, POLICY_CONNECT, POLICY_CONNECTED);
		set(s, "attestation = 1");
		must(mask_route(&s->mask, &call, &out));
		check_route(&out, POLICY_REFUSE, POLICY_ATTESTATION_FAILED);
		set(s, "ask_code = 1");
		must(mask_route(&s->mask, &call, &out));
		check_route(&out, POLICY_ASK, POLICY_ATTESTATION_FAILED);
		/* Who is asked is nobody yet. */
		assert_string_equal(out.session_id, "");
		assert_string_equal(out.party_id, "");
	}
	for (i = 0; i < LENGTH(good); i++) {
		call.attestation = good[i];
		must(mask_route(&s->mask, &call, &out));
		check_route(&out, POLICY_CONNECT, POLICY_CONNECTED);
	}
	/* A code helps. */
	call.attestation = failed[0];
	call.code = session.parties[0].code;
	must(transact(&(struct deed){
	    ROUTE_CODE, .s = s, .dialled = &call, .route = &out }));
	check_route(&out, POLICY_CONNECT, POLICY_CONNECTED_BY_CODE);
}

/* All that is explained of a call, connected and refused. */
static void
test_route_explains(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct mask_route out;

	out = route(s, BORIS, MASK_1, POLICY_CONNECTED);
	assert_string_equal(out.service_id, s->service.id);
	assert_string_equal(out.session_id, session.id);
	assert_string_equal(out.party_id, session.parties[1].id);
	assert_string_equal(out.peer_id, session.parties[0].id);
	assert_string_equal(out.caller_id, MASK_1);
	assert_false(out.screen);
	assert_false(out.intents);
	set(s, "screening = 1");
	assert_true(route(s, BORIS, MASK_1, POLICY_CONNECTED).screen);
	assert_false(route(s, BORIS, MASK_1, POLICY_CONNECTED).record);
	set(s, "screening = 0, record = 1, announce_caller = 'We record.',"
	       " announce_callee = 'Recorded.'");
	out = route(s, BORIS, MASK_1, POLICY_CONNECTED);
	assert_true(out.record);
	assert_true(out.screen);
	assert_string_equal(out.announcement, "We record.");
	must(close_session(s, session.id, &session));
	out = route(s, BORIS, MASK_1, POLICY_SESSION_IS_CLOSED);
	assert_string_equal(out.session_id, session.id);
	assert_string_equal(out.party_id, session.parties[1].id);
	assert_string_equal(out.peer_id, "");
	/* Explaining leaves no trace. */
	assert_int_equal(store_int(s, "SELECT count(*) FROM call"), 0);
	check_events(s, "1 session.opened, 2 session.closed");
}

/* The length comes late, after the end was told, or from a leg heard of too
 * late to be told: it counts all the same, once. */
static void
test_daily_minutes_that_come_late(void **state)
{
	int64_t seconds = -1;
	struct store *s = *state;

	open_session(s, "", ANNA, BORIS);
	dial(s, SID_1, ANNA, MASK_1, POLICY_CONNECTED);
	end_call(s, SID_2, SID_1, -1);
	end_call(s, SID_2, SID_1, 60);
	end_call(s, SID_2, SID_1, 60);
	end_call(s, SID_2, SID_1, 90);
	must(call_usage(s->db, &seconds, s->service.id, NOW / 86400));
	assert_int_equal(seconds, 60);
	dial(s, SID_3, ANNA, MASK_1, POLICY_CONNECTED);
	must(report(s, SID_3, "", ANNA, CALL_COMPLETED, 4));
	end_call(s, SID_4, SID_3, 7);
	must(call_usage(s->db, &seconds, s->service.id, NOW / 86400));
	assert_int_equal(seconds, 67);
	/* The dialled leg's own length is not talk. */
	assert_int_equal(store_int(s, "SELECT count(*) FROM usage"), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		MASK_TEST(test_session_limit_counts_connected_calls),
		MASK_TEST(test_person_limit_in_a_minute),
		MASK_TEST(test_daily_minutes_count_each_call_once),
		MASK_TEST(test_daily_minutes_are_the_services_own),
		MASK_TEST(test_daily_minutes_of_no_talk),
		MASK_TEST(test_country_limit_at_the_time_of_the_call),
		MASK_TEST(test_limit_is_told),
		MASK_TEST(test_late_callers_reach_the_support_line),
		MASK_TEST(test_forwarded_calls_end),
		MASK_TEST(test_failed_attestation_makes_unknown),
		MASK_TEST(test_route_explains),
		MASK_TEST(test_daily_minutes_that_come_late),
	};

	return cmocka_run_group_tests_name("mask_limit", tests, NULL, NULL);
}
