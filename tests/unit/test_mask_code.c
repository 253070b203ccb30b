/* The deeds: callers whose number does not tell, and the codes they type. */

#include "test.h"

#include "deeds.h"

static enum rc
route_code(struct store *s, const char *sid, const char *from, const char *to,
    const char *code, struct mask_route *out)
{
	struct mask_dialled call = { sid, from, to, "", code };

	memset(out, 'x', sizeof *out);
	return transact(&(struct deed){
	    ROUTE_CODE, .s = s, .dialled = &call, .route = out });
}

/* Types a code at MASK_1 and checks what is decided. */
static struct mask_route
type(struct store *s, const char *sid, const char *code,
    enum policy_action action, enum policy_reason reason)
{
	struct mask_route out;

	must(route_code(s, sid, DORA, MASK_1, code, &out));
	check_route(&out, action, reason);
	return out;
}

/* A code that none of a session's parties has. */
static const char *
wrong_code(const struct session *session)
{
	static const char *const codes[] = { "000000", "000001", "000002" };
	size_t i;

	for (i = 0; i < LENGTH(codes) - 1; i++)
		if (strcmp(session->parties[0].code, codes[i]) != 0 &&
		    strcmp(session->parties[1].code, codes[i]) != 0)
			break;
	return codes[i];
}

/* What a caller could tell refusals apart by. */
static void
check_same_route(const struct mask_route *a, const struct mask_route *b)
{
	assert_memory_equal(a, b, sizeof *a);
}

static int64_t
tries(struct store *s)
{
	return store_int(s, "SELECT count(*) FROM code_try");
}

static int
setup_asking(void **state)
{
	setup(state);
	set(*state, "ask_code = 1");
	return 0;
}

#define CODE_TEST(test)                                                        \
	cmocka_unit_test_setup_teardown(test, setup_asking, store_teardown)

static void
test_unknown_callers_are_asked(void **state)
{
	static const char *const callers[] = { DORA, "anonymous", "",
		"client:alice", "sip:x@example.com" };
	struct store *s = *state;
	size_t i;

	open_session(s, "", ANNA, BORIS);
	for (i = 0; i < LENGTH(callers); i++)
		route_as(s, callers[i], MASK_1, POLICY_ASK,
		    i == 1 || i == 2 ? POLICY_CALLER_WITHHELD
				     : POLICY_CALLER_UNKNOWN);
	/* Not at a number that is not in use. */
	route(s, DORA, MASK_3, POLICY_NUMBER_UNKNOWN);
	must(number_set_state(s->db, s->service.id, MASK_1, "retired"));
	route(s, DORA, MASK_1, POLICY_NUMBER_UNKNOWN);
	route(s, ANNA, MASK_1, POLICY_NUMBER_UNKNOWN);
}

/* The late are known: they are told, not asked. */
static void
test_late_callers_are_not_asked(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);

	must(close_session(s, session.id, &session));
	route(s, ANNA, MASK_1, POLICY_SESSION_IS_CLOSED);
}

static void
test_right_code_connects(void **state)
{
	static const char *const callers[] = { DORA, "anonymous", "",
		"client:alice" };
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct mask_route out;
	size_t i;
	int p;

	for (i = 0; i < LENGTH(callers); i++) {
		for (p = 0; p < SESSION_PARTIES; p++) {
			must(route_code(s, SID_1, callers[i], MASK_1,
			    session.parties[p].code, &out));
			check_route(
			    &out, POLICY_CONNECT, POLICY_CONNECTED_BY_CODE);
			assert_string_equal(out.to, p == 0 ? BORIS : ANNA);
			assert_string_equal(out.caller_id, MASK_1);
			assert_string_equal(out.session_id, session.id);
			assert_string_equal(
			    out.party_id, session.parties[p].id);
			assert_string_equal(
			    out.peer_id, session.parties[1 - p].id);
			assert_int_equal(out.limit_s, CALL_LIMIT);
		}
	}
	assert_int_equal(tries(s), 0);
	at(s, NOW + TTL - 1);
	out = type(s, SID_1, session.parties[0].code, POLICY_CONNECT,
	    POLICY_CONNECTED_BY_CODE);
	assert_int_equal(out.limit_s, 1);
}

static void
test_wrong_codes_ask_again_then_refuse(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	const char *right = session.parties[0].code;

	/* Digits that nobody's code can be. */
	type(s, SID_1, "", POLICY_ASK, POLICY_CALLER_UNKNOWN);
	type(s, SID_1, "12345", POLICY_ASK, POLICY_CALLER_UNKNOWN);
	type(s, SID_1, wrong_code(&session), POLICY_REFUSE,
	    POLICY_CALLER_UNKNOWN);
	assert_int_equal(tries(s), 3);
	/* Now even the right one is too late, in this call. */
	type(s, SID_1, right, POLICY_REFUSE, POLICY_CALLER_UNKNOWN);
	assert_int_equal(tries(s), 3);
	type(s, SID_2, right, POLICY_CONNECT, POLICY_CONNECTED_BY_CODE);
}

/* Twilio may ask twice: the same digits in the same call are one try. */
static void
test_wrong_code_said_twice_is_one_try(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	const char *wrong = wrong_code(&session);
	int i;

	for (i = 0; i < 5; i++)
		type(s, SID_1, wrong, POLICY_ASK, POLICY_CALLER_UNKNOWN);
	assert_int_equal(tries(s), 1);
	type(s, SID_2, wrong, POLICY_ASK, POLICY_CALLER_UNKNOWN);
	assert_int_equal(tries(s), 2);
}

/* Malformed, and what differs from the right one by little. */
static void
test_code_is_six_digits_and_nothing_else(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	const char *right = session.parties[0].code;
	char codes[9][20], sid[CALL_SID_SIZE];
	struct mask_route out;
	size_t i;

	snprintf(codes[0], 20, "%s0", right);
	snprintf(codes[1], 20, "0%s", right);
	snprintf(codes[2], 20, "%s#", right);
	snprintf(codes[3], 20, " %s", right);
	snprintf(codes[4], 20, "%.5s", right);
	snprintf(codes[5], 20, "%.5s%%", right);
	snprintf(codes[6], 20, "%.5s_", right);
	snprintf(codes[7], 20, "%.5s*", right);
	snprintf(codes[8], 20, "%s%s", right, right);
	for (i = 0; i < LENGTH(codes); i++) {
		snprintf(sid, sizeof sid, "CA%032zu", 100 + i);
		must(route_code(s, sid, DORA, MASK_1, codes[i], &out));
		check_route(&out, POLICY_ASK, POLICY_CALLER_UNKNOWN);
	}
	assert_int_equal(tries(s), LENGTH(codes));
}

/* Nobody learns from a refusal whether a code was right once, or is right
 * elsewhere. */
static void
test_refusals_are_all_alike(void **state)
{
	struct store *s = *state;
	struct session closed = open_session(s, "", ANNA, CLARA);
	struct session expired, session, other;
	struct session_request request = ask("", ANNA, EMIL);
	struct mask_route wrong, out;

	/* On MASK_1, one after the other; then one that is open, and one on
	 * MASK_2. */
	must(close_session(s, closed.id, &closed));
	strcpy(request.number, MASK_1);
	at(s, NOW + HOLD);
	request.ttl_s = 60;
	must(try_open(s, &request, &expired));
	at(s, NOW + HOLD + 60);
	request = ask("", DORA, BORIS);
	strcpy(request.number, MASK_1);
	must(try_open(s, &request, &session));
	strcpy(request.number, MASK_2);
	must(try_open(s, &request, &other));

	must(route_code(s, SID_1, EMIL, MASK_2, "999x99", &wrong));
	(void)wrong;
	must(route_code(
	    s, SID_1, "anonymous", MASK_1, wrong_code(&session), &wrong));
	check_route(&wrong, POLICY_ASK, POLICY_CALLER_WITHHELD);
	assert_string_equal(wrong.session_id, "");
	assert_string_equal(wrong.party_id, "");
	must(route_code(
	    s, SID_2, "anonymous", MASK_1, closed.parties[0].code, &out));
	check_same_route(&out, &wrong);
	must(route_code(
	    s, SID_3, "anonymous", MASK_1, expired.parties[1].code, &out));
	check_same_route(&out, &wrong);
	must(route_code(
	    s, SID_4, "anonymous", MASK_1, other.parties[0].code, &out));
	check_same_route(&out, &wrong);
	must(route_code(s, SID_4, "anonymous", MASK_1, "nonsense", &out));
	check_same_route(&out, &wrong);
	assert_int_equal(
	    store_int(
		s, "SELECT count(*) FROM code_try WHERE number = '" MASK_1 "'"),
	    5);
}

/* When all tries of the hour are used up, right and wrong are alike too. */
static void
test_exhausted_number_refuses_all(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS), other;
	struct mask_route out, wrong;
	char sid[CALL_SID_SIZE], code[8];
	int i;

	other = open_session(s, "", ANNA, CLARA);
	for (i = 0; i < CODE_NUMBER_TRIES; i++) {
		snprintf(sid, sizeof sid, "CA%032d", 100 + i / 2);
		snprintf(code, sizeof code, "x%d", i);
		must(route_code(s, sid, DORA, MASK_1, code, &out));
		check_route(&out,
		    i < CODE_NUMBER_TRIES - 1 ? POLICY_ASK : POLICY_REFUSE,
		    POLICY_CALLER_UNKNOWN);
	}
	wrong = type(s, SID_1, wrong_code(&session), POLICY_REFUSE,
	    POLICY_CALLER_UNKNOWN);
	out = type(s, SID_2, session.parties[0].code, POLICY_REFUSE,
	    POLICY_CALLER_UNKNOWN);
	check_same_route(&out, &wrong);
	assert_int_equal(tries(s), CODE_NUMBER_TRIES);
	/* Another number is not affected, nor is who is known. */
	must(route_code(s, SID_3, DORA, MASK_2, other.parties[0].code, &out));
	check_route(&out, POLICY_CONNECT, POLICY_CONNECTED_BY_CODE);
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	/* An hour later all is forgotten, to the second. */
	at(s, NOW + 3599);
	type(s, SID_2, session.parties[0].code, POLICY_REFUSE,
	    POLICY_CALLER_UNKNOWN);
	at(s, NOW + 3600);
	type(s, SID_2, session.parties[0].code, POLICY_CONNECT,
	    POLICY_CONNECTED_BY_CODE);
}

/* The code of who was replaced is worth nothing; the new one's is. */
static void
test_code_of_the_replaced_is_wrong(void **state)
{
	struct store *s = *state;
	struct session before = open_session(s, "", ANNA, BORIS), after;
	struct session_change wish = { .parties = { { "driver", CLARA } } };
	struct mask_route out;

	must(transact(&(struct deed){ CHANGE, .s = s, .text = before.id,
	    .change = &wish, .session = &after }));
	type(s, SID_1, before.parties[1].code, POLICY_ASK,
	    POLICY_CALLER_UNKNOWN);
	out = type(s, SID_1, after.parties[1].code, POLICY_CONNECT,
	    POLICY_CONNECTED_BY_CODE);
	assert_string_equal(out.to, ANNA);
	out = type(s, SID_1, before.parties[0].code, POLICY_CONNECT,
	    POLICY_CONNECTED_BY_CODE);
	assert_string_equal(out.to, CLARA);
}

/* A code opens no more than the number would: modes, disputes and limits hold
 * for it as well. */
static void
test_code_is_bound_by_the_session(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	const char *code = session.parties[0].code;

	store_run(s, "UPDATE session SET voice = 'driver'");
	type(s, SID_1, code, POLICY_REFUSE, POLICY_VOICE_OFF);
	store_run(s, "UPDATE session SET voice = 'both'");
	store_run(s, "UPDATE party SET disputed_at = 1 WHERE position = 1");
	type(s, SID_1, code, POLICY_REFUSE, POLICY_PARTY_DISPUTED);
	store_run(s, "UPDATE party SET disputed_at = NULL");
	set(s, "countries = 'CA'");
	type(s, SID_1, code, POLICY_REFUSE, POLICY_COUNTRY_LIMIT);
	set(s, "countries = 'US'");
	must(number_set_state(s->db, s->service.id, MASK_1, "retired"));
	type(s, SID_1, code, POLICY_REFUSE, POLICY_NUMBER_UNKNOWN);
}

static void
test_code_is_off(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);

	set(s, "ask_code = 0");
	route(s, DORA, MASK_1, POLICY_CALLER_UNKNOWN);
	type(s, SID_1, session.parties[0].code, POLICY_REFUSE,
	    POLICY_CALLER_UNKNOWN);
}

/* What fails is rolled back and counts for nothing. */
static void
test_failure_counts_no_try(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct mask_route out;

	store_run(s,
	    "CREATE TRIGGER no AFTER INSERT ON code_try BEGIN SELECT"
	    " RAISE(ABORT, 'no'); END; UPDATE service SET name = name");
	log_open("test", (enum log_level)(LOG_ERROR + 1));
	assert_int_not_equal(
	    route_code(s, SID_1, DORA, MASK_1, wrong_code(&session), &out),
	    RC_OK);
	assert_int_equal(out.to[0], 'x');
	assert_int_equal(tries(s), 0);
	store_run(s, "DROP TRIGGER no; UPDATE service SET name = name");
	/* A number that does not unseal: nobody, and no try either. */
	store_run(s, "UPDATE party SET phone_sealed = x'00'");
	assert_int_equal(
	    route_code(s, SID_1, DORA, MASK_1, session.parties[0].code, &out),
	    RC_CORRUPT);
	assert_int_equal(tries(s), 0);
}

/* The question is written down silently, the answer told once, and what comes
 * late changes nothing. */
static void
test_record_connects_who_was_asked(void **state)
{
	struct mask_dialled call = dialled(SID_1, DORA, MASK_1);
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct mask_route asked, out, late;
	struct call row;

	asked = route_as(s, DORA, MASK_1, POLICY_ASK, POLICY_CALLER_UNKNOWN);
	record(s, &call, &asked);
	check_events(s, "1 session.opened");
	must(call_find(s->db, &row, SID_1));
	assert_string_equal(row.session_id, "");
	assert_string_equal(row.reason, "caller_unknown");
	assert_int_equal(row.status, CALL_RINGING);
	call.code = wrong_code(&session);
	late = type(s, SID_1, call.code, POLICY_ASK, POLICY_CALLER_UNKNOWN);
	record(s, &call, &late);
	check_events(s, "1 session.opened");
	call.code = session.parties[0].code;
	out =
	    type(s, SID_1, call.code, POLICY_CONNECT, POLICY_CONNECTED_BY_CODE);
	record(s, &call, &out);
	record(s, &call, &out);
	must(call_find(s->db, &row, SID_1));
	assert_string_equal(row.session_id, session.id);
	assert_string_equal(row.party_id, session.parties[0].id);
	assert_string_equal(row.reason, "connected_by_code");
	assert_int_equal(row.status, CALL_RINGING);
	check_events(s, "1 session.opened, 2 call.started connected_by_code");
	/* The first question, and a wrong code, once more. */
	record(s, &call, &late);
	call.code = "";
	record(s, &call, &asked);
	/* The call has ended meanwhile; said again, it has still. */
	must(report(s, SID_1, "", DORA, CALL_COMPLETED, 4));
	call.code = session.parties[0].code;
	record(s, &call, &out);
	record(s, &call, &late);
	must(call_find(s->db, &row, SID_1));
	assert_string_equal(row.reason, "connected_by_code");
	assert_string_equal(row.session_id, session.id);
	assert_int_equal(row.status, CALL_COMPLETED);
	/* Though no second leg was heard of, its end is told. */
	check_events(s, "1 session.opened, 2 call.started connected_by_code,"
			" 3 call.ended completed");
	assert_int_equal(store_int(s, "SELECT count(*) FROM call"), 1);
}

/* Refused in the end: that is told, once. */
static void
test_record_refuses_who_was_asked(void **state)
{
	struct mask_dialled call = dialled(SID_1, DORA, MASK_1);
	struct store *s = *state;
	struct mask_route out;
	struct call row;
	int i;

	open_session(s, "", ANNA, BORIS);
	out = route_as(s, DORA, MASK_1, POLICY_ASK, POLICY_CALLER_UNKNOWN);
	record(s, &call, &out);
	for (i = 0; i < CODE_CALL_TRIES; i++) {
		call.code = (const char *const[]){ "1", "2", "3" }[i];
		out = type(s, SID_1, call.code,
		    i < 2 ? POLICY_ASK : POLICY_REFUSE, POLICY_CALLER_UNKNOWN);
		record(s, &call, &out);
	}
	record(s, &call, &out);
	check_events(s, "1 session.opened, 2 call.refused caller_unknown");
	must(call_find(s->db, &row, SID_1));
	assert_string_equal(row.reason, "caller_unknown");
	assert_int_equal(row.status, CALL_COMPLETED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CODE_TEST(test_unknown_callers_are_asked),
		CODE_TEST(test_late_callers_are_not_asked),
		CODE_TEST(test_right_code_connects),
		CODE_TEST(test_wrong_codes_ask_again_then_refuse),
		CODE_TEST(test_wrong_code_said_twice_is_one_try),
		CODE_TEST(test_code_is_six_digits_and_nothing_else),
		CODE_TEST(test_refusals_are_all_alike),
		CODE_TEST(test_exhausted_number_refuses_all),
		CODE_TEST(test_code_of_the_replaced_is_wrong),
		CODE_TEST(test_code_is_bound_by_the_session),
		CODE_TEST(test_code_is_off),
		CODE_TEST(test_failure_counts_no_try),
		CODE_TEST(test_record_connects_who_was_asked),
		CODE_TEST(test_record_refuses_who_was_asked),
	};

	return cmocka_run_group_tests_name("mask_code", tests, NULL, NULL);
}
