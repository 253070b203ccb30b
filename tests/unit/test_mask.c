/* The deeds: sessions opened and closed, calls routed, recorded, reported. */

#include "test.h"

#include "leg.h"
#include "store.h"

/* Arguments of a deed, for the transaction it runs in. */
struct deed {
	enum {
		OPEN,
		CLOSE,
		ADD,
		RECORD,
		REPORT
	} kind;
	struct store *s;
	const char *service_id, *text;
	const struct session_request *request;
	struct session *session;
	struct fault fault;
	const struct mask_dialled *dialled;
	const struct mask_route *route;
	const struct mask_report *report;
};

static enum rc
act(struct db *db, void *cookie)
{
	struct deed *d = cookie;
	const struct mask *mask = &d->s->mask;

	(void)db;
	switch (d->kind) {
	case OPEN:
		return mask_open(
		    mask, d->service_id, d->request, d->session, &d->fault);
	case CLOSE:
		return mask_close(mask, d->service_id, d->text, d->session);
	case ADD:
		return mask_add_number(mask, d->service_id, d->text, &d->fault);
	case RECORD:
		return mask_record(mask, d->dialled, d->route);
	default:
		return mask_report(mask, d->report);
	}
}

static enum rc
transact(struct deed *d)
{
	if (d->service_id == NULL)
		d->service_id = d->s->service.id;
	return db_transact(d->s->db, DB_WAIT_MS, act, d);
}

/* Sets the time of the deeds that follow, late in that second. */
static void
at(struct store *s, int64_t now)
{
	s->mask.now_ms = now * 1000 + 999;
}

static struct session_request
ask(const char *reference, const char *a, const char *b)
{
	struct session_request request = { .parties = { { .role = "customer" },
					       { .role = "driver" } } };

	strcpy(request.reference, reference);
	strcpy(request.parties[0].phone, a);
	strcpy(request.parties[1].phone, b);
	return request;
}

static enum rc
try_open(
    struct store *s, const struct session_request *request, struct session *out)
{
	return transact(
	    &(struct deed){ OPEN, .s = s, .request = request, .session = out });
}

/* Opens a session that must open. */
static struct session
open_session(
    struct store *s, const char *reference, const char *a, const char *b)
{
	struct session_request request = ask(reference, a, b);
	struct session session;

	must(try_open(s, &request, &session));
	return session;
}

/* Checks that a session is refused, for what and because of which field, and
 * that nothing but an event is left of it. */
static void
check_open_refused(struct store *s, const char *service_id,
    const struct session_request *request, enum rc rc, const char *field)
{
	struct session session = { .reference = "untouched" };
	struct deed d = { OPEN, .s = s, .service_id = service_id,
		.request = request, .session = &session };
	static const char count[] =
	    "SELECT (SELECT count(*) FROM session) +"
	    " (SELECT count(*) FROM party) + (SELECT count(*) FROM leg)";
	int64_t rows = store_int(s, count);

	assert_int_equal(transact(&d), rc);
	assert_string_equal(d.fault.field, field);
	assert_true(d.fault.detail[0] != '\0');
	assert_null(strstr(d.fault.detail, "555"));
	assert_string_equal(session.reference, "untouched");
	assert_int_equal(store_int(s, count), rows);
}

static enum rc
close_session(struct store *s, const char *id, struct session *session)
{
	return transact(
	    &(struct deed){ CLOSE, .s = s, .text = id, .session = session });
}

static enum rc
add_number(struct store *s, const char *number, const char *field)
{
	struct deed d = { ADD, .s = s, .text = number };
	enum rc rc = transact(&d);

	assert_string_equal(d.fault.field, field);
	return rc;
}

/* Routes a call and checks why it is connected or not; it goes nowhere unless
 * it is. */
static struct mask_route
route(struct store *s, const char *from, const char *to,
    enum policy_reason reason)
{
	struct mask_dialled dialled = { SID_1, from, to };
	struct mask_route out;

	memset(&out, 'x', sizeof out);
	must(mask_route(&s->mask, &dialled, &out));
	assert_string_equal(
	    policy_reason_name(out.reason), policy_reason_name(reason));
	if (reason != POLICY_CONNECTED) {
		assert_string_equal(out.to, "");
		assert_string_equal(out.caller_id, "");
		assert_int_equal(out.limit_s, 0);
	}
	return out;
}

/* Routes a call, which must be connected to whom, for limit seconds. */
static void
check_connected(struct store *s, const char *from, const char *to,
    const char *whom, int64_t limit_s)
{
	struct mask_route out = route(s, from, to, POLICY_CONNECTED);

	assert_string_equal(out.to, whom);
	assert_string_equal(out.caller_id, to);
	assert_int_equal(out.limit_s, limit_s);
}

/* Routes and records a call. */
static void
dial(struct store *s, const char *sid, const char *from, const char *to,
    enum policy_reason reason)
{
	struct mask_route out = route(s, from, to, reason);

	must(transact(&(struct deed){ RECORD, .s = s,
	    .dialled = &(struct mask_dialled){ sid, from, to },
	    .route = &out }));
}

static enum rc
report_leg(struct store *s, const struct mask_report *report)
{
	return transact(&(struct deed){ REPORT, .s = s, .report = report });
}

/* Reports on a leg between MASK_1 and a person, in second sequence. */
static enum rc
report(struct store *s, const char *sid, const char *parent_sid,
    const char *person, enum call_status status, int64_t sequence)
{
	return report_leg(
	    s, &(struct mask_report){ sid, parent_sid, MASK_1, person,
		   { status, sequence, NOW + sequence,
		       call_is_final(status) ? 5 : -1 } });
}

/* Reports on the leg that rings Boris. */
static void
ring(struct store *s, enum call_status status, int64_t sequence)
{
	must(report(s, SID_2, SID_1, BORIS, status, sequence));
}

/* Checks the numbers, types and details of the service's events. */
static void
check_events(struct store *s, const char *expected)
{
	store_check(s,
	    "SELECT coalesce(group_concat(seq || ' ' || type"
	    " || coalesce(' ' || detail, ''), ', '), '')"
	    " FROM (SELECT * FROM event JOIN service ON service_id = service.id"
	    " WHERE name = 'taxi' ORDER BY seq)",
	    expected);
}

static int
setup(void **state)
{
	struct store *s;

	store_setup(state);
	s = *state;
	store_number(s, s->service.id, MASK_1);
	store_number(s, s->service.id, MASK_2);
	at(s, NOW);
	return 0;
}

#define MASK_TEST(test)                                                        \
	cmocka_unit_test_setup_teardown(test, setup, store_teardown)

static void
test_open_gives_both_a_number(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "trip-1", ANNA, BORIS), found;
	struct leg_route leg;
	uint8_t person[CRYPTO_HASH_SIZE];
	int i;

	assert_true(id_valid(session.id, "ses"));
	assert_string_equal(session.reference, "trip-1");
	assert_int_equal(session.created_at, NOW);
	assert_int_equal(session.expires_at, NOW + TTL);
	assert_int_equal(session.closed_at, 0);
	assert_string_equal(session.parties[0].role, "customer");
	assert_string_equal(session.parties[1].role, "driver");
	for (i = 0; i < SESSION_PARTIES; i++) {
		assert_true(id_valid(session.parties[i].id, "pty"));
		assert_string_equal(session.parties[i].number, MASK_1);
		assert_int_equal(strlen(session.parties[i].code), 4);
		session_person(person, &s->keys, i == 0 ? ANNA : BORIS);
		must(leg_route(s->db, &leg, MASK_1, person));
		assert_string_equal(leg.party_id, session.parties[i].id);
		assert_int_equal(leg.live_until, NOW + TTL);
		assert_int_equal(leg.held_until, NOW + TTL + HOLD);
	}
	must(session_find(s->db, s->service.id, &found, session.id));
	assert_memory_equal(&found, &session, sizeof found);
	check_events(s, "1 session.opened");
	store_check(s, "SELECT session_id FROM event", session.id);
}

static void
test_open_takes_ttl_and_country(void **state)
{
	struct store *s = *state;
	struct session_request request = ask("", ANNA, CLARA);
	struct session session;

	store_number(s, s->service.id, MASK_CA);
	request.ttl_s = TTL_MAX;
	strcpy(request.country, "CA");
	must(try_open(s, &request, &session));
	assert_int_equal(session.expires_at, NOW + TTL_MAX);
	assert_string_equal(session.parties[0].number, MASK_CA);
	assert_string_equal(session.reference, "");
}

static void
test_open_refuses_a_request_out_of_bounds(void **state)
{
	struct session_request request = ask("", ANNA, BORIS);
	struct store *s = *state;
	struct service other;

	request.ttl_s = TTL_MAX + 1;
	check_open_refused(s, NULL, &request, RC_INVALID, "ttl");
	request.ttl_s = INT64_MAX;
	check_open_refused(s, NULL, &request, RC_INVALID, "ttl");
	/* A masked number as a party's own, in use or not, anybody's. */
	request = ask("", MASK_2, BORIS);
	check_open_refused(
	    s, NULL, &request, RC_OWN_NUMBER, "parties[0].phone");
	store_service(s, &other, "rides", "");
	store_number(s, other.id, MASK_3);
	store_run(s, "UPDATE number SET state = 'retired'"
		     " WHERE number = '" MASK_3 "'");
	request = ask("", ANNA, MASK_3);
	check_open_refused(
	    s, NULL, &request, RC_OWN_NUMBER, "parties[1].phone");
	/* Jamaica, and the freephone of no country. */
	request = ask("", "+18765550123", BORIS);
	check_open_refused(s, NULL, &request, RC_COUNTRY, "parties[0].phone");
	request = ask("", ANNA, "+18005550123");
	check_open_refused(s, NULL, &request, RC_COUNTRY, "parties[1].phone");
	check_events(s, "");
}

static void
test_open_refuses_an_empty_pool_and_tells(void **state)
{
	struct session_request request = ask("", ANNA, DORA);
	struct store *s = *state;

	open_session(s, "", ANNA, BORIS);
	open_session(s, "", ANNA, CLARA);
	check_open_refused(s, NULL, &request, RC_POOL, "");
	strcpy(request.country, "CA");
	check_open_refused(s, NULL, &request, RC_POOL, "");
	check_events(s, "1 session.opened, 2 session.opened,"
			" 3 pool.exhausted, 4 pool.exhausted CA");
}

static void
test_open_refuses_a_reference_in_use_to_the_second(void **state)
{
	struct session_request request = ask("trip-1", ANNA, CLARA);
	struct store *s = *state;
	struct session first, second, found;

	first = open_session(s, "trip-1", ANNA, BORIS);
	check_open_refused(s, NULL, &request, RC_REFERENCE, "reference");
	at(s, NOW + TTL - 1);
	check_open_refused(s, NULL, &request, RC_REFERENCE, "reference");
	check_events(s, "1 session.opened");
	/* What has expired gives it up, and is told of. */
	at(s, NOW + TTL);
	second = open_session(s, "trip-1", ANNA, CLARA);
	check_events(
	    s, "1 session.opened, 2 session.expired, 3 session.opened");
	must(session_find(s->db, s->service.id, &found, first.id));
	assert_int_equal(found.closed_at, NOW + TTL);
	assert_true(found.closed_by_expiry);
	store_check(s, "SELECT session_id FROM event WHERE seq = 2", first.id);
	/* What was closed as well. */
	must(close_session(s, second.id, &found));
	open_session(s, "trip-1", ANNA, CLARA);
}

/* One leg that cannot be had is enough, the first as well as the second. */
static void
test_open_fails_without_both_legs(void **state)
{
	struct session_request request = ask("", ANNA, BORIS);
	struct store *s = *state;
	struct session session;
	char sql[300];
	int i;

	for (i = 0; i < SESSION_PARTIES; i++) {
		snprintf(sql, sizeof sql,
		    "CREATE TRIGGER no%d BEFORE INSERT ON leg WHEN (SELECT"
		    " position FROM party WHERE id = NEW.party_id) = %d BEGIN"
		    " SELECT RAISE(IGNORE); END;"
		    " UPDATE service SET name = name",
		    i, i);
		store_run(s, sql);
		assert_int_equal(try_open(s, &request, &session), RC_RETRY);
		assert_int_equal(
		    store_int(s, "SELECT count(*) FROM session"), 0);
		assert_int_equal(store_int(s, "SELECT count(*) FROM leg"), 0);
		snprintf(sql, sizeof sql,
		    "DROP TRIGGER no%d; UPDATE service SET name = name", i);
		store_run(s, sql);
	}
	must(try_open(s, &request, &session));
	check_events(s, "1 session.opened");
}

/* The tables refuse two of one person, if all else let it pass. */
static void
test_open_fails_for_one_person_twice(void **state)
{
	struct session_request request = ask("", ANNA, ANNA);
	struct store *s = *state;
	struct session session;

	assert_int_equal(try_open(s, &request, &session), RC_RETRY);
	assert_int_equal(store_int(s, "SELECT count(*) FROM session"), 0);
	assert_int_equal(store_int(s, "SELECT count(*) FROM leg"), 0);
	assert_int_equal(
	    transact(&(struct deed){ OPEN, .s = s, .service_id = "svc_",
		.request = &request, .session = &session }),
	    RC_NOT_FOUND);
}

static void
test_close_connects_nobody_from_now_on(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS), closed;

	at(s, NOW + 60);
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	must(close_session(s, session.id, &closed));
	assert_string_equal(closed.id, session.id);
	assert_int_equal(closed.closed_at, NOW + 60);
	assert_false(closed.closed_by_expiry);
	route(s, ANNA, MASK_1, POLICY_SESSION_IS_CLOSED);
	route(s, BORIS, MASK_1, POLICY_SESSION_IS_CLOSED);
	at(s, NOW + 60 + HOLD - 1);
	route(s, ANNA, MASK_1, POLICY_SESSION_IS_CLOSED);
	at(s, NOW + 60 + HOLD);
	route(s, ANNA, MASK_1, POLICY_CALLER_UNKNOWN);
	check_events(s, "1 session.opened, 2 session.closed");
}

static void
test_close_twice_changes_nothing(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS), first, again;

	at(s, NOW + 60);
	must(close_session(s, session.id, &first));
	at(s, NOW + 90);
	must(close_session(s, session.id, &again));
	assert_memory_equal(&again, &first, sizeof again);
	assert_int_equal(
	    store_int(s, "SELECT max(held_until) FROM leg"), NOW + 60 + HOLD);
	at(s, NOW + TTL + 1);
	must(close_session(s, session.id, &again));
	assert_memory_equal(&again, &first, sizeof again);
	check_events(s, "1 session.opened, 2 session.closed");
}

/* It has ended by itself: that is what it says, and when. */
static void
test_close_after_expiry_reports_expired(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS), closed;

	at(s, NOW + TTL + 60);
	must(close_session(s, session.id, &closed));
	assert_int_equal(closed.closed_at, NOW + TTL);
	assert_true(closed.closed_by_expiry);
	assert_int_equal(
	    store_int(s, "SELECT max(held_until) FROM leg"), NOW + TTL + HOLD);
	check_events(s, "1 session.opened, 2 session.expired");
	route(s, ANNA, MASK_1, POLICY_SESSION_IS_EXPIRED);
	/* To the second. */
	session = open_session(s, "", ANNA, BORIS);
	at(s, session.expires_at - 1);
	must(close_session(s, session.id, &closed));
	assert_false(closed.closed_by_expiry);
	session = open_session(s, "", ANNA, BORIS);
	at(s, session.expires_at);
	must(close_session(s, session.id, &closed));
	assert_true(closed.closed_by_expiry);
}

static void
test_close_refuses_other_ids_and_services(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS), closed;
	struct service other;

	store_service(s, &other, "rides", "");
	assert_int_equal(close_session(s, "ses_", &closed), RC_NOT_FOUND);
	assert_int_equal(
	    transact(&(struct deed){ CLOSE, .s = s, .service_id = other.id,
		.text = session.id, .session = &closed }),
	    RC_NOT_FOUND);
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	check_events(s, "1 session.opened");
}

static void
test_add_number_to_the_pool(void **state)
{
	struct store *s = *state;
	struct number number;

	must(add_number(s, MASK_CA, ""));
	must(number_find(s->db, &number, MASK_CA));
	assert_string_equal(number.service_id, s->service.id);
	store_check(s,
	    "SELECT country || created_at FROM number WHERE number = '" MASK_CA
	    "'",
	    "CA1800000000");
}

static void
test_add_number_refuses(void **state)
{
	struct store *s = *state;
	struct session session;

	assert_int_equal(add_number(s, "12025550193", "number"), RC_INVALID);
	assert_int_equal(add_number(s, "", "number"), RC_INVALID);
	assert_int_equal(add_number(s, "+18005550193", "number"), RC_COUNTRY);
	assert_int_equal(add_number(s, MASK_1, "number"), RC_EXISTS);
	/* Anna's own, as long as she is in an open session. */
	session = open_session(s, "", ANNA, BORIS);
	assert_int_equal(add_number(s, ANNA, "number"), RC_OWN_NUMBER);
	assert_int_equal(add_number(s, BORIS, "number"), RC_OWN_NUMBER);
	at(s, NOW + TTL - 1);
	assert_int_equal(add_number(s, ANNA, "number"), RC_OWN_NUMBER);
	assert_int_equal(store_int(s, "SELECT count(*) FROM number"), 2);
	must(close_session(s, session.id, &session));
	must(add_number(s, ANNA, ""));
}

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
	route(s, ANNA, MASK_1, POLICY_SESSION_IS_CLOSED);
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
	struct mask_dialled dialled = { SID_1, ANNA, MASK_1 };
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
		assert_string_equal(out.to, "");
		assert_null(memmem(&out, sizeof out, "2025550123", 10));
		store_run(s, "UPDATE party SET phone_sealed = code");
	}
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	/* Keys that are not those it was sealed with. */
	s->keys.sealing[0].key[0] ^= 1;
	assert_int_equal(mask_route(&s->mask, &dialled, &out), RC_CORRUPT);
	assert_string_equal(out.to, "");
}

/* What the database cannot say is not taken for a stranger or a number that
 * is not in use. */
static void
check_route_fails_without(struct store *s, const char *table)
{
	struct mask_dialled dialled = { SID_1, ANNA, MASK_1 };
	struct mask_route out;

	open_session(s, "", ANNA, BORIS);
	store_drop(s, table);
	assert_int_equal(mask_route(&s->mask, &dialled, &out), RC_UNAVAILABLE);
	assert_string_equal(out.to, "");
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
	store_check(s, "SELECT session_id || call_id FROM event WHERE seq = 2",
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
	    store_int(s, "SELECT count(DISTINCT call_id || session_id)"
			 " FROM event WHERE call_id IS NOT NULL"),
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
	    "SELECT DISTINCT call_id FROM event WHERE call_id IS NOT NULL",
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
	    .report = &(struct mask_report){
		SID_2, SID_1, "client:x", "", { CALL_BUSY, -1, 0, -1 } } }));
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
		{ CALL_COMPLETED, 0, NOW, 7 } };
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
		{ CALL_BUSY, -1, 0, -1 } };
	struct store *s = *state;

	open_session(s, "", ANNA, BORIS);
	dial(s, SID_1, ANNA, MASK_1, POLICY_CONNECTED);
	store_run(s, "UPDATE call SET status = 'strange'");
	assert_int_equal(report_leg(s, &behind), RC_CORRUPT);
	assert_int_equal(store_int(s, "SELECT count(*) FROM call"), 1);
}

/* What cannot be told is not done either. */
static void
test_deeds_fall_with_their_event(void **state)
{
	struct session_request request = ask("", ANNA, CLARA);
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS), other;
	struct mask_route out = route(s, ANNA, MASK_1, POLICY_CONNECTED);
	struct deed d = { RECORD, .s = s, .route = &out,
		.dialled = &(struct mask_dialled){ SID_1, ANNA, MASK_1 } };

	store_drop(s, "event");
	assert_int_equal(try_open(s, &request, &other), RC_UNAVAILABLE);
	assert_int_equal(store_int(s, "SELECT count(*) FROM session"), 1);
	assert_int_equal(store_int(s, "SELECT count(*) FROM leg"), 2);
	assert_int_equal(close_session(s, session.id, &other), RC_UNAVAILABLE);
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	assert_int_equal(transact(&d), RC_UNAVAILABLE);
	assert_int_equal(store_int(s, "SELECT count(*) FROM call"), 0);
	assert_int_equal(store_int(s, "SELECT event_seq FROM service"), 1);
}

/* All deeds, for a service with a webhook and one without. */
static void
test_story_leaves_no_gap_and_no_number(void **state)
{
	static const char *const people[] = { ANNA, BORIS, CLARA, DORA };
	struct store *s = *state;
	struct service hooked;
	struct session_request request = ask("", ANNA, MASK_1);
	struct session session;
	size_t i;

	store_run(s, "UPDATE service SET webhook_url = 'https://a.example/'");
	session = open_session(s, "trip-1", ANNA, BORIS);
	for (i = 0; i < LENGTH(people); i++)
		assert_null(
		    memmem(&session, sizeof session, people[i] + 2, 10));
	check_open_refused(
	    s, NULL, &request, RC_OWN_NUMBER, "parties[1].phone");
	dial(s, SID_1, ANNA, MASK_1, POLICY_CONNECTED);
	ring(s, CALL_RINGING, 1);
	ring(s, CALL_COMPLETED, 2);
	dial(s, SID_3, DORA, MASK_1, POLICY_CALLER_UNKNOWN);
	dial(s, "CA4", CLARA, DORA, POLICY_NUMBER_UNKNOWN);
	report(s, "CA5", "CA6", CLARA, CALL_RINGING, 0);
	request = ask("", ANNA, ANNA);
	assert_int_equal(try_open(s, &request, &session), RC_RETRY);
	must(close_session(s, session.id, &session));
	open_session(s, "", CLARA, BORIS);
	at(s, NOW + 60);
	assert_int_equal(add_number(s, BORIS, "number"), RC_OWN_NUMBER);

	/* A service without a webhook, and without numbers. */
	store_service(s, &hooked, "rides", "");
	request = ask("", ANNA, BORIS);
	check_open_refused(s, hooked.id, &request, RC_POOL, "");

	assert_int_equal(
	    store_int(s, "SELECT count(*) FROM service v WHERE event_seq ="
			 " (SELECT count(*) FROM event e WHERE"
			 " e.service_id = v.id) AND event_seq ="
			 " (SELECT max(seq) FROM event e WHERE"
			 " e.service_id = v.id) AND 1 ="
			 " (SELECT min(seq) FROM event e WHERE"
			 " e.service_id = v.id)"),
	    2);
	assert_int_equal(
	    store_int(s, "SELECT count(*) FROM outbox o JOIN event e"
			 " ON e.id = o.event_id JOIN service v"
			 " ON v.id = e.service_id AND v.name = 'taxi'"),
	    store_int(s, "SELECT count(*) - 1 FROM event"));
	assert_int_equal(store_int(s, "SELECT count(*) FROM outbox"),
	    store_int(s, "SELECT count(*) - 1 FROM event"));
	for (i = 0; i < LENGTH(people); i++)
		store_lacks(s, people[i] + 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		MASK_TEST(test_open_gives_both_a_number),
		MASK_TEST(test_open_takes_ttl_and_country),
		MASK_TEST(test_open_refuses_a_request_out_of_bounds),
		MASK_TEST(test_open_refuses_an_empty_pool_and_tells),
		MASK_TEST(test_open_refuses_a_reference_in_use_to_the_second),
		MASK_TEST(test_open_fails_without_both_legs),
		MASK_TEST(test_open_fails_for_one_person_twice),
		MASK_TEST(test_close_connects_nobody_from_now_on),
		MASK_TEST(test_close_twice_changes_nothing),
		MASK_TEST(test_close_after_expiry_reports_expired),
		MASK_TEST(test_close_refuses_other_ids_and_services),
		MASK_TEST(test_add_number_to_the_pool),
		MASK_TEST(test_add_number_refuses),
		MASK_TEST(test_route_connects_both_ways),
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
		MASK_TEST(test_deeds_fall_with_their_event),
		MASK_TEST(test_story_leaves_no_gap_and_no_number),
	};

	return cmocka_run_group_tests_name("mask", tests, NULL, NULL);
}
