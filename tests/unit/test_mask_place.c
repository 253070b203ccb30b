/* The deeds: calls placed for the app, and calls ended. */

#include "test.h"

#include "deeds.h"
#include "outbox.h"

static enum rc
try_place(struct store *s, const char *session_id, const char *role,
    struct call_summary *call, struct fault *fault)
{
	struct deed d = { PLACE, .s = s, .text = session_id, .role = role,
		.call = call };
	enum rc rc = transact(&d);

	if (fault != NULL)
		*fault = d.fault;
	return rc;
}

/* Places a call to the driver, Boris, which must be possible. */
static struct call_summary
place(struct store *s, const struct session *session)
{
	struct call_summary call;

	must(try_place(s, session->id, "driver", &call, NULL));
	return call;
}

static enum rc
try_answer(
    struct store *s, const char *id, const char *sid, struct mask_route *route)
{
	return transact(&(struct deed){
	    ANSWER, .s = s, .text = id, .role = sid, .route = route });
}

static struct mask_route
answer(
    struct store *s, const char *id, const char *sid, enum policy_reason reason)
{
	struct mask_route route;

	must(try_answer(s, id, sid, &route));
	check_route(&route,
	    reason == POLICY_CONNECTED ? POLICY_CONNECT : POLICY_REFUSE,
	    reason);
	return route;
}

/* The same for one who is told that the call is over. */
static void
answer_late(struct store *s, const char *id, const char *sid)
{
	struct mask_route route;

	assert_int_equal(try_answer(s, id, sid, &route), RC_NONE);
	assert_string_equal(route.to, "");
}

static enum rc
learn(struct store *s, const char *id, const char *sid)
{
	return transact(
	    &(struct deed){ LEARN, .s = s, .text = id, .role = sid });
}

static struct call_summary
hang_up(struct store *s, const char *id)
{
	struct call_summary call;

	must(transact(
	    &(struct deed){ HANG_UP, .s = s, .text = id, .call = &call }));
	return call;
}

/* Reports on the leg that was placed for a call. */
static enum rc
tell_of(struct store *s, const char *id, const char *sid,
    enum call_status status, int64_t sequence)
{
	return report_leg(s, &(struct mask_report){ sid, "", MASK_1, BORIS,
				 { status, sequence, NOW + 10 + sequence,
				     call_is_final(status) ? 0 : -1 },
				 id });
}

static void
check_outbox(struct store *s, const char *expected)
{
	store_check(s,
	    "SELECT coalesce(group_concat(kind || ' ' || state, ', '), '')"
	    " FROM (SELECT * FROM outbox ORDER BY rowid)",
	    expected);
}

static void
check_status(struct store *s, const char *id, const char *expected)
{
	struct call_summary call;

	must(call_show(s->db, &call, s->service.id, id));
	assert_string_equal(call.status, expected);
}

/* Has a worker take what waits. */
static struct outbox_delivery
claim(struct store *s)
{
	struct outbox_delivery delivery;
	int len;

	must(outbox_claim(s->db, s->service.id, OUTBOX_TWILIO, 1, &delivery,
	    &len, s->mask.now_ms));
	assert_int_equal(len, 1);
	return delivery;
}

static void
test_place_leaves_it_to_the_worker(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct call_summary call = place(s, &session);
	struct call row;

	assert_true(id_valid(call.id, "cal"));
	assert_string_equal(call.session_id, session.id);
	assert_string_equal(call.from, "driver");
	assert_string_equal(call.reason, "connected");
	assert_string_equal(call.status, "queued");
	assert_int_equal(call.started_at, NOW);
	assert_int_equal(call.ended_at, 0);
	assert_true(call.placed);
	must(call_find_id(s->db, &row, call.id));
	assert_string_equal(row.sid, "");
	assert_string_equal(row.party_id, session.parties[1].id);
	assert_string_equal(row.number, MASK_1);
	store_check(s,
	    "SELECT kind || channel || (subject_id = lane) ||"
	    " (subject_id = (SELECT id FROM call)) FROM outbox",
	    "calltwilio11");
	check_events(s, "1 session.opened, 2 call.started connected");
	store_check(s,
	    "SELECT count(*) FROM event, call WHERE subject_id = call.id", "1");
}

/* Refusals leave nothing, and say why. */
static void
check_refused(struct store *s, const char *session_id, const char *role,
    enum rc rc, const char *field, const char *code)
{
	struct call_summary call = { .id = "untouched" };
	struct fault fault;
	int64_t events = store_int(s, "SELECT count(*) FROM event");

	assert_int_equal(try_place(s, session_id, role, &call, &fault), rc);
	assert_string_equal(fault.field, field);
	assert_string_equal(fault.code, code);
	assert_string_equal(call.id, "untouched");
	assert_int_equal(
	    store_int(s, "SELECT count(*) FROM call WHERE sid IS NULL"), 0);
	assert_int_equal(store_int(s, "SELECT count(*) FROM outbox"), 0);
	assert_int_equal(store_int(s, "SELECT count(*) FROM event"), events);
}

static void
test_place_refuses(void **state)
{
	static const struct {
		const char *change, *back, *code;
	} rows[] = {
		{ "UPDATE session SET voice = 'none'",
		    "UPDATE session SET voice = 'both'", "voice_off" },
		{ "UPDATE session SET voice = 'customer'",
		    "UPDATE session SET voice = 'both'", "voice_off" },
		{ "UPDATE party SET disputed_at = 1 WHERE position = 0",
		    "UPDATE party SET disputed_at = NULL", "party_disputed" },
		{ "UPDATE party SET disputed_at = 1 WHERE position = 1",
		    "UPDATE party SET disputed_at = NULL", "party_disputed" },
		{ "UPDATE service SET countries = 'CA'",
		    "UPDATE service SET countries = 'US CA'", "country_limit" },
		{ "UPDATE number SET state = 'retired'",
		    "UPDATE number SET state = 'active'", "number_unknown" },
	};
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct deed d = { PLACE, .s = s, .text = session.id, .role = "driver",
		.service_id = "svc_other" };
	size_t i;

	check_refused(s, "ses_none", "driver", RC_NOT_FOUND, "", "");
	assert_int_equal(transact(&d), RC_NOT_FOUND);
	check_refused(s, session.id, "nobody", RC_INVALID, "from", "");
	for (i = 0; i < LENGTH(rows); i++) {
		store_run(s, rows[i].change);
		check_refused(
		    s, session.id, "driver", RC_REFUSED, "", rows[i].code);
		store_run(s, rows[i].back);
	}
	place(s, &session);
}

/* Each of the two phones is called, so each must be of a country. */
static void
test_place_minds_the_country_of_both(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", CLARA, BORIS);

	set(s, "countries = 'US'");
	check_refused(
	    s, session.id, "customer", RC_REFUSED, "", "country_limit");
	check_refused(s, session.id, "driver", RC_REFUSED, "", "country_limit");
	set(s, "countries = 'CA'");
	check_refused(
	    s, session.id, "customer", RC_REFUSED, "", "country_limit");
	check_refused(s, session.id, "driver", RC_REFUSED, "", "country_limit");
}

static void
test_place_refuses_when_the_session_is_over(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS), closed;

	/* Late callers are put through, but nobody is called for that. */
	set(s, "support_number = '+12025550100', ask_code = 1");
	at(s, NOW + TTL);
	check_refused(s, session.id, "driver", RC_ENDED, "", "");
	at(s, NOW);
	must(close_session(s, session.id, &closed));
	check_refused(s, session.id, "driver", RC_ENDED, "", "");
	/* Even when others have the legs. */
	store_run(s, "DELETE FROM leg");
	check_refused(s, session.id, "driver", RC_ENDED, "", "");
}

static void
test_place_counts_for_the_limits(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct call_summary call, other;
	struct mask_placing placing;
	struct fault fault;

	set(s, "session_calls = 1, person_calls = 1");
	call = place(s, &session);
	assert_int_equal(
	    try_place(s, session.id, "driver", &other, &fault), RC_REFUSED);
	assert_string_equal(fault.code, "person_limit");
	set(s, "person_calls = 0");
	assert_int_equal(
	    try_place(s, session.id, "customer", &other, &fault), RC_REFUSED);
	assert_string_equal(fault.code, "session_limit");
	/* The call itself does not count when it is sent and answered. */
	set(s, "person_calls = 1");
	must(mask_placing(&s->mask, call.id, &placing));
	assert_int_equal(placing.state, MASK_PLACE);
	answer(s, call.id, SID_1, POLICY_CONNECTED);
	answer(s, call.id, SID_1, POLICY_CONNECTED);
}

static void
test_answer_connects_to_the_other(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct call_summary call = place(s, &session);
	struct mask_route route;

	store_run(s,
	    "UPDATE party SET number = '" MASK_2 "' WHERE role = 'customer'");
	set(s, "announce_caller = 'Hello.'");
	route = answer(s, call.id, SID_1, POLICY_CONNECTED);
	assert_string_equal(route.to, ANNA);
	assert_string_equal(route.caller_id, MASK_2);
	assert_string_equal(route.peer_id, session.parties[0].id);
	assert_string_equal(route.announcement, "Hello.");
	assert_int_equal(route.limit_s, CALL_LIMIT);
	/* Asked again, it is the same; another leg is none of ours. */
	answer(s, call.id, SID_1, POLICY_CONNECTED);
	answer_late(s, call.id, SID_2);
	check_outbox(s, "call waiting, hang_up waiting");
	store_check(
	    s, "SELECT subject_id FROM outbox WHERE kind = 'hang_up'", SID_2);
	answer_late(s, "cal_00000000000000000000000001", SID_3);
	check_events(s, "1 session.opened, 2 call.started connected");
}

/* Whatever changes between the asking and the answer. */
static void
test_answer_decides_anew(void **state)
{
	static const struct {
		const char *change;
		enum policy_reason reason;
	} rows[] = {
		{ "UPDATE session SET closed_at = 1, close_reason = 'closed'",
		    POLICY_SESSION_IS_CLOSED },
		{ "UPDATE session SET expires_at = created_at",
		    POLICY_SESSION_IS_EXPIRED },
		{ "UPDATE session SET voice = 'none'", POLICY_VOICE_OFF },
		{ "UPDATE party SET disputed_at = 1", POLICY_PARTY_DISPUTED },
		{ "DELETE FROM leg", POLICY_SESSION_IS_CLOSED },
	};
	struct store *s = *state;
	char events[128];
	size_t i;

	set(s, "support_number = '+12025550100', ask_code = 1");
	for (i = 0; i < LENGTH(rows); i++) {
		struct session session = open_session(s, "", ANNA, BORIS);
		struct call_summary call = place(s, &session);

		store_run(s, rows[i].change);
		answer(s, call.id, SID_1, rows[i].reason);
		answer(s, call.id, SID_1, rows[i].reason);
		check_status(s, call.id, "completed");
		must(tell_of(s, call.id, SID_1, CALL_COMPLETED, 3));
		snprintf(events, sizeof events,
		    "1 session.opened, 2 call.started connected,"
		    " 3 call.refused %s",
		    policy_reason_name(rows[i].reason));
		check_events(s, events);
		store_run(s, "DELETE FROM call; DELETE FROM event;"
			     "DELETE FROM outbox; DELETE FROM leg;"
			     "DELETE FROM party; DELETE FROM session;"
			     "UPDATE service SET event_seq = 0");
	}
}

static void
test_answer_of_a_replaced_party_connects_nobody(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct call_summary call = place(s, &session);
	struct session_change change = {
		.parties = { { .role = "driver", .phone = DORA } }
	};

	must(transact(&(struct deed){ CHANGE, .s = s, .text = session.id,
	    .change = &change, .session = &session }));
	answer(s, call.id, SID_1, POLICY_PARTY_REPLACED);
}

/* The first leg is busy, rings in vain, or cannot be reached. */
static void
test_report_of_the_first_leg(void **state)
{
	static const enum call_status ends[] = { CALL_BUSY, CALL_NO_ANSWER,
		CALL_FAILED, CALL_CANCELED };
	struct store *s = *state;
	char events[128];
	size_t i;

	for (i = 0; i < LENGTH(ends); i++) {
		struct session session = open_session(s, "", ANNA, BORIS);
		struct call_summary call = place(s, &session);

		must(tell_of(s, call.id, SID_1, CALL_RINGING, 1));
		check_status(s, call.id, "ringing");
		must(tell_of(s, call.id, SID_1, ends[i], 2));
		must(tell_of(s, call.id, SID_1, ends[i], 2));
		check_status(s, call.id, call_status_name(ends[i]));
		snprintf(events, sizeof events,
		    "1 session.opened, 2 call.started connected,"
		    " 3 call.ended %s",
		    call_status_name(ends[i]));
		check_events(s, events);
		answer_late(s, call.id, SID_1);
		store_run(s, "DELETE FROM call; DELETE FROM event;"
			     "DELETE FROM outbox; DELETE FROM leg;"
			     "DELETE FROM party; DELETE FROM session;"
			     "UPDATE service SET event_seq = 0");
	}
}

/* From the first phone to the second, and to the end. */
static void
test_report_of_both_legs(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct call_summary call = place(s, &session);

	must(tell_of(s, call.id, SID_1, CALL_RINGING, 1));
	answer(s, call.id, SID_1, POLICY_CONNECTED);
	must(tell_of(s, call.id, SID_1, CALL_IN_PROGRESS, 2));
	must(report(s, SID_2, SID_1, ANNA, CALL_RINGING, 1));
	check_status(s, call.id, "ringing");
	must(report(s, SID_2, SID_1, ANNA, CALL_IN_PROGRESS, 2));
	must(report(s, SID_2, SID_1, ANNA, CALL_COMPLETED, 3));
	must(tell_of(s, call.id, SID_1, CALL_COMPLETED, 3));
	must(call_show(s->db, &call, s->service.id, call.id));
	assert_string_equal(call.status, "completed");
	assert_int_equal(call.answered_at, NOW + 2);
	assert_int_equal(call.duration_s, 5);
	check_events(s, "1 session.opened, 2 call.started connected,"
			" 3 call.ringing ringing, 4 call.answered in-progress,"
			" 5 call.ended completed");
	store_check(s, "SELECT count(DISTINCT subject_id) FROM event", "1");
}

static void
test_report_of_nothing_we_placed(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct call incoming;

	dial(s, SID_1, ANNA, MASK_1, POLICY_CONNECTED);
	must(call_find(s->db, &incoming, SID_1));
	assert_int_equal(
	    tell_of(s, "cal_00000000000000000000000001", SID_2, CALL_BUSY, 3),
	    RC_NONE);
	assert_int_equal(tell_of(s, incoming.id, SID_1, CALL_BUSY, 3), RC_NONE);
	check_status(s, incoming.id, "ringing");
	/* Nor is the CallSid of another taken. */
	assert_int_equal(
	    tell_of(s, place(s, &session).id, SID_1, CALL_BUSY, 3), RC_NONE);
	check_status(s, incoming.id, "ringing");
	check_outbox(s, "call waiting");
}

static void
test_hang_up_before_anybody_sent_it(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct call_summary call = place(s, &session);
	struct deed d = { HANG_UP, .s = s, .text = call.id, .call = &call,
		.service_id = "svc_other" };

	assert_int_equal(transact(&d), RC_NOT_FOUND);
	at(s, NOW + 2);
	call = hang_up(s, call.id);
	assert_string_equal(call.status, "canceled");
	assert_int_equal(call.ended_at, NOW + 2);
	check_outbox(s, "call done");
	check_events(s, "1 session.opened, 2 call.started connected,"
			" 3 call.ended canceled");
	/* Once more changes nothing. */
	at(s, NOW + 3);
	call = hang_up(s, call.id);
	assert_int_equal(call.ended_at, NOW + 2);
	check_outbox(s, "call done");
	check_events(s, "1 session.opened, 2 call.started connected,"
			" 3 call.ended canceled");
}

/* A worker has it: it may be with Twilio, and is ended there if it is. */
static void
test_hang_up_while_it_is_sent(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct call_summary call = place(s, &session);

	claim(s);
	assert_string_equal(hang_up(s, call.id).status, "canceled");
	check_outbox(s, "call waiting, hang_up waiting");
	must(learn(s, call.id, SID_1));
	check_outbox(s, "call waiting, hang_up waiting");
	answer_late(s, call.id, SID_1);
	check_events(s, "1 session.opened, 2 call.started connected,"
			" 3 call.ended canceled");
}

/* It was given up, but Twilio has it after all. */
static void
test_learn_ends_what_was_given_up(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct call_summary call = place(s, &session);

	hang_up(s, call.id);
	check_outbox(s, "call done");
	must(tell_of(s, call.id, SID_1, CALL_INITIATED, 0));
	must(tell_of(s, call.id, SID_1, CALL_RINGING, 1));
	check_outbox(s, "call done, hang_up waiting");
	store_check(s,
	    "SELECT subject_id = (SELECT id FROM call) FROM outbox"
	    " WHERE kind = 'hang_up'",
	    "1");
	check_status(s, call.id, "canceled");
}

/* Whatever comes after its end, it ended as it did. */
static void
test_over_is_over(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct call_summary call = place(s, &session);

	hang_up(s, call.id);
	must(close_session(s, session.id, &session));
	answer(s, call.id, SID_1, POLICY_SESSION_IS_CLOSED);
	must(mask_fail(&s->mask, call.id));
	must(call_show(s->db, &call, s->service.id, call.id));
	assert_string_equal(call.status, "canceled");
	assert_string_equal(call.reason, "connected");
	/* Also where its end is still to be told, by the other leg. */
	store_run(s, "UPDATE call SET status = 'completed', told_at = NULL");
	must(mask_fail(&s->mask, call.id));
	check_events(s, "1 session.opened, 2 call.started connected,"
			" 3 call.ended canceled, 4 session.closed");
}

/* A real number that a keypad would make of the word for a hidden one. */
static void
test_place_takes_every_number_for_one(void **state)
{
	struct store *s = *state;
	struct session session;
	struct call_summary call;

	set(s, "countries = 'LS US'");
	session = open_session(s, "", ANNA, "+266696687");
	call = place(s, &session);
	assert_string_equal(
	    answer(s, call.id, SID_1, POLICY_CONNECTED).to, ANNA);
}

static void
test_hang_up_what_was_answered(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct call_summary call = place(s, &session);

	answer(s, call.id, SID_1, POLICY_CONNECTED);
	call = hang_up(s, call.id);
	assert_string_equal(call.status, "queued");
	hang_up(s, call.id);
	check_outbox(s, "call waiting, hang_up waiting");
	/* Nobody is rung any more, though it is not over yet. */
	answer_late(s, call.id, SID_1);
	must(tell_of(s, call.id, SID_1, CALL_COMPLETED, 3));
	check_events(s, "1 session.opened, 2 call.started connected,"
			" 3 call.ended no-answer");
}

static void
test_hang_up_a_call_that_came_in(void **state)
{
	struct store *s = *state;
	struct call call;

	open_session(s, "", ANNA, BORIS);
	dial(s, SID_1, ANNA, MASK_1, POLICY_CONNECTED);
	must(call_find(s->db, &call, SID_1));
	ring(s, CALL_IN_PROGRESS, 2);
	assert_string_equal(hang_up(s, call.id).status, "in-progress");
	check_outbox(s, "hang_up waiting");
	check_events(s, "1 session.opened, 2 call.started connected,"
			" 3 call.answered in-progress");
}

/* A leg that rings the other is no call by itself, nor is a stranger's. */
static void
test_hang_up_knows_calls_alone(void **state)
{
	struct store *s = *state;
	struct call_summary summary;
	struct call call;
	struct deed d = { HANG_UP, .s = s, .text = call.id, .call = &summary };

	open_session(s, "", ANNA, BORIS);
	dial(s, SID_1, ANNA, MASK_1, POLICY_CONNECTED);
	ring(s, CALL_RINGING, 1);
	must(call_find(s->db, &call, SID_2));
	assert_int_equal(transact(&d), RC_NOT_FOUND);
	dial(s, SID_3, DORA, MASK_1, POLICY_CALLER_UNKNOWN);
	must(call_find(s->db, &call, SID_3));
	assert_int_equal(transact(&d), RC_NOT_FOUND);
	check_outbox(s, "");
}

/* Closes the session and ends its calls, or not. */
static void
close_calls(struct store *s, struct session *session, bool end_calls)
{
	must(transact(&(struct deed){ CLOSE, .s = s, .text = session->id,
	    .closing = { .end_calls = end_calls }, .session = session }));
}

static void
test_close_ends_what_runs(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct session other = open_session(s, "", CLARA, DORA);
	struct call_summary waiting = place(s, &session), rings;

	rings = place(s, &session);
	must(learn(s, rings.id, SID_1));
	place(s, &other);
	dial(s, SID_2, ANNA, MASK_1, POLICY_CONNECTED);
	dial(s, SID_3, ANNA, MASK_1, POLICY_CONNECTED);
	must(report(s, SID_3, "", ANNA, CALL_COMPLETED, 0));
	store_run(s,
	    "UPDATE outbox SET state = 'done', ended_at = 1"
	    " WHERE subject_id = (SELECT id FROM call WHERE sid = '" SID_1
	    "')");
	close_calls(s, &session, false);
	check_outbox(s, "call waiting, call done, call waiting");
	/* Closing once more can still end them. */
	close_calls(s, &session, true);
	check_status(s, waiting.id, "canceled");
	check_status(s, rings.id, "canceled");
	check_outbox(s, "call done, call done, call waiting,"
			" hang_up waiting, hang_up waiting");
	store_check(s,
	    "SELECT group_concat(sid) FROM (SELECT sid FROM outbox"
	    " JOIN call ON call.id = subject_id WHERE kind = 'hang_up'"
	    " ORDER BY sid)",
	    SID_1 "," SID_2);
	close_calls(s, &session, true);
	check_outbox(s, "call done, call done, call waiting,"
			" hang_up waiting, hang_up waiting");
}

/* More than are read at a time. */
static void
test_close_ends_all(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	int i;

	for (i = 0; i < 33; i++)
		place(s, &session);
	close_calls(s, &session, true);
	assert_int_equal(store_int(s, "SELECT count(*) FROM call"
				      " WHERE status = 'canceled'"),
	    33);
}

static void
test_placing_says_how_it_stands(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct call_summary call = place(s, &session);
	struct mask_placing placing;

	at(s, NOW + MASK_PLACE_S);
	must(mask_placing(&s->mask, call.id, &placing));
	assert_int_equal(placing.state, MASK_PLACE);
	assert_string_equal(placing.phone, BORIS);
	assert_string_equal(placing.call.number, MASK_1);
	assert_string_equal(placing.route.to, ANNA);
	at(s, NOW + MASK_PLACE_S + 1);
	must(mask_placing(&s->mask, call.id, &placing));
	assert_int_equal(placing.state, MASK_LATE);
	at(s, NOW);
	close_calls(s, &session, false);
	must(mask_placing(&s->mask, call.id, &placing));
	assert_int_equal(placing.state, MASK_REFUSED);
	hang_up(s, call.id);
	must(mask_placing(&s->mask, call.id, &placing));
	assert_int_equal(placing.state, MASK_OVER);
	must(learn(s, call.id, SID_1));
	must(mask_placing(&s->mask, call.id, &placing));
	assert_int_equal(placing.state, MASK_KNOWN);
	assert_int_equal(
	    mask_placing(&s->mask, "cal_none", &placing), RC_NOT_FOUND);
}

/* What is kept of a placed call holds nobody's number. */
static void
test_place_keeps_no_real_number(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct call_summary call = place(s, &session);

	answer(s, call.id, SID_1, POLICY_CONNECTED);
	must(tell_of(s, call.id, SID_1, CALL_BUSY, 3));
	store_lacks(s, ANNA);
	store_lacks(s, BORIS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		MASK_TEST(test_place_leaves_it_to_the_worker),
		MASK_TEST(test_place_refuses),
		MASK_TEST(test_place_minds_the_country_of_both),
		MASK_TEST(test_place_refuses_when_the_session_is_over),
		MASK_TEST(test_place_counts_for_the_limits),
		MASK_TEST(test_answer_connects_to_the_other),
		MASK_TEST(test_answer_decides_anew),
		MASK_TEST(test_answer_of_a_replaced_party_connects_nobody),
		MASK_TEST(test_report_of_the_first_leg),
		MASK_TEST(test_report_of_both_legs),
		MASK_TEST(test_report_of_nothing_we_placed),
		MASK_TEST(test_hang_up_before_anybody_sent_it),
		MASK_TEST(test_hang_up_while_it_is_sent),
		MASK_TEST(test_learn_ends_what_was_given_up),
		MASK_TEST(test_over_is_over),
		MASK_TEST(test_place_takes_every_number_for_one),
		MASK_TEST(test_hang_up_what_was_answered),
		MASK_TEST(test_hang_up_a_call_that_came_in),
		MASK_TEST(test_hang_up_knows_calls_alone),
		MASK_TEST(test_close_ends_what_runs),
		MASK_TEST(test_close_ends_all),
		MASK_TEST(test_placing_says_how_it_stands),
		MASK_TEST(test_place_keeps_no_real_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
