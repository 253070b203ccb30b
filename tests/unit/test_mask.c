/* The deeds: sessions opened and closed, numbers added. */

#include "test.h"

#include "deeds.h"

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
		assert_int_equal(strlen(session.parties[i].code), 6);
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
	struct metrics *metrics;
	struct store *s = *state;
	char path[300];

	snprintf(path, sizeof path, "%s/db-lock", s->dir);
	s->mask.metrics = metrics = metrics_open(path);
	open_session(s, "", ANNA, BORIS);
	assert_int_equal(metrics_value(metrics, METRICS_POOL_LOW), 0);
	open_session(s, "", ANNA, CLARA);
	assert_int_equal(metrics_value(metrics, METRICS_POOL_LOW), 1);
	check_open_refused(s, NULL, &request, RC_POOL, "");
	strcpy(request.country, "CA");
	check_open_refused(s, NULL, &request, RC_POOL, "");
	check_events(s, "1 session.opened, 2 session.opened,"
			" 3 pool.low, 4 pool.exhausted, 5 pool.exhausted CA");
	assert_int_equal(metrics_value(metrics, METRICS_POOL_LOW), 1);
	assert_int_equal(metrics_value(metrics, METRICS_POOL_EXHAUSTED), 2);
	metrics_close(metrics);
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
	check_events(s, "1 session.opened, 2 session.expired, 3 session.opened,"
			" 4 pool.low");
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

/* What cannot be told is not done either. */
static void
test_deeds_fall_with_their_event(void **state)
{
	struct session_request request = ask("", ANNA, CLARA);
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS), other;
	struct mask_route out = route(s, ANNA, MASK_1, POLICY_CONNECTED);
	struct deed d = { RECORD, .s = s, .route = &out,
		.dialled =
		    &(struct mask_dialled){ SID_1, ANNA, MASK_1, "", "" } };

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
			 " ON e.id = o.subject_id JOIN service v"
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
		MASK_TEST(test_deeds_fall_with_their_event),
		MASK_TEST(test_story_leaves_no_gap_and_no_number),
	};

	return cmocka_run_group_tests_name("mask", tests, NULL, NULL);
}
