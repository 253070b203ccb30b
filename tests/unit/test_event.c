/* Events: numbered per service without gaps, delivered where wanted. */

#include "test.h"

#include "event.h"
#include "store.h"

static enum rc
put(struct store *s, const char *service_id, enum event_type type)
{
	return event_put(s->db,
	    &(struct event){ .service_id = service_id, .type = type },
	    NOW * 1000 + 999);
}

static void
test_names(void **state)
{
	static const char *const names[EVENT__MAX] = { "session.opened",
		"session.updated", "session.closed", "session.expired",
		"call.started", "call.ringing", "call.answered", "call.ended",
		"call.refused", "party.disputed", "pool.low", "pool.exhausted",
		"session.expiring", "message.relayed", "message.refused",
		"message.delivered", "message.failed", "recording.completed",
		"recording.failed", "recording.deleted", "delivery.exhausted",
		"webhook.test" };
	int i;

	(void)state;
	for (i = 0; i < EVENT__MAX; i++)
		assert_string_equal(event_name((enum event_type)i), names[i]);
}

static void
test_put_writes_all(void **state)
{
	const struct event event = { .type = EVENT_CALL_ENDED,
		.session_id = "ses_1",
		.subject_id = "cal_1",
		.detail = "busy" };
	struct event mine = event;
	struct store *s = *state;
	char id[64];

	mine.service_id = s->service.id;
	must(event_put(s->db, &mine, NOW * 1000 + 999));
	store_check(s,
	    "SELECT seq || ' ' || type || ' ' || session_id || ' ' || "
	    "subject_id"
	    " || ' ' || detail || ' ' || created_at FROM event",
	    "1 call.ended ses_1 cal_1 busy 1800000000");
	store_check(s, "SELECT service_id FROM event", s->service.id);
	store_text(s, "SELECT id FROM event", id, sizeof id);
	assert_true(id_valid(id, "evt"));
}

static void
test_put_writes_null_for_nothing(void **state)
{
	struct event event = { .type = EVENT_POOL_EXHAUSTED,
		.session_id = "",
		.subject_id = "",
		.detail = "" };
	struct store *s = *state;

	event.service_id = s->service.id;
	must(event_put(s->db, &event, NOW * 1000));
	must(put(s, s->service.id, EVENT_POOL_EXHAUSTED));
	assert_int_equal(
	    store_int(s, "SELECT count(*) FROM event WHERE"
			 " coalesce(session_id, subject_id, detail) IS NULL"),
	    2);
}

static void
test_put_names_every_type(void **state)
{
	struct store *s = *state;
	char sql[128];
	int i;

	for (i = 0; i < EVENT__MAX; i++) {
		must(put(s, s->service.id, (enum event_type)i));
		snprintf(sql, sizeof sql,
		    "SELECT type FROM event WHERE seq = %d", i + 1);
		store_check(s, sql, event_name((enum event_type)i));
	}
}

/* Each service counts for itself. */
static void
test_put_numbers_each_service_from_one(void **state)
{
	struct store *s = *state;
	struct service other;
	int i;

	store_service(s, &other, "rides", "");
	for (i = 0; i < 5; i++) {
		must(put(s, s->service.id, EVENT_SESSION_OPENED));
		if (i < 2)
			must(put(s, other.id, EVENT_SESSION_CLOSED));
	}
	store_check(s,
	    "SELECT group_concat(seq, ' ') FROM (SELECT seq FROM event"
	    " WHERE type = 'session.opened' ORDER BY seq)",
	    "1 2 3 4 5");
	store_check(s,
	    "SELECT group_concat(seq, ' ') FROM (SELECT seq FROM event"
	    " WHERE type = 'session.closed' ORDER BY seq)",
	    "1 2");
	assert_int_equal(store_int(s, "SELECT sum(event_seq) FROM service"), 7);
}

static enum rc
put_and_fail(struct db *db, void *cookie)
{
	struct store *s = cookie;

	(void)db;
	must(put(s, s->service.id, EVENT_CALL_STARTED));
	return RC_UNAVAILABLE;
}

/* What is rolled back takes its number with it. */
static void
test_put_rolled_back_leaves_no_gap(void **state)
{
	struct store *s = *state;

	must(put(s, s->service.id, EVENT_SESSION_OPENED));
	assert_int_equal(
	    db_transact(s->db, DB_WAIT_MS, put_and_fail, s), RC_UNAVAILABLE);
	must(put(s, s->service.id, EVENT_SESSION_CLOSED));
	store_check(s,
	    "SELECT group_concat(seq || type, ' ')"
	    " FROM (SELECT seq, type FROM event ORDER BY seq)",
	    "1session.opened 2session.closed");
}

static void
test_put_refuses_an_unknown_service(void **state)
{
	struct store *s = *state;

	assert_int_equal(put(s, "", EVENT_SESSION_OPENED), RC_CORRUPT);
	assert_int_equal(
	    put(s, "svc_00000000000000000000000000", EVENT_SESSION_OPENED),
	    RC_CORRUPT);
	assert_int_equal(store_int(s, "SELECT count(*) FROM event"), 0);
	assert_int_equal(store_int(s, "SELECT count(*) FROM outbox"), 0);
	assert_int_equal(store_int(s, "SELECT event_seq FROM service"), 0);
}

static void
test_put_delivers_to_a_webhook(void **state)
{
	struct store *s = *state;
	struct service hooked;
	char id[64];

	store_service(s, &hooked, "rides", "https://app.example/hook");
	must(put(s, hooked.id, EVENT_SESSION_OPENED));
	must(put(s, hooked.id, EVENT_SESSION_CLOSED));
	assert_int_equal(store_int(s, "SELECT count(*) FROM outbox o"
				      " JOIN event e ON e.id = o.subject_id"
				      " AND e.service_id = o.service_id"
				      " JOIN service s ON s.id = o.service_id"
				      " AND s.name = 'rides'"),
	    2);
	store_check(s,
	    "SELECT DISTINCT channel || ' ' || kind || ' ' || attempts || ' '"
	    " || due_at_ms || ' ' || created_at_ms || ' ' || state FROM outbox",
	    "app event 0 1800000000999 1800000000999 waiting");
	store_text(s, "SELECT max(id) FROM outbox", id, sizeof id);
	assert_true(id_valid(id, "dlv"));
}

static void
test_put_delivers_nothing_without_a_webhook(void **state)
{
	struct store *s = *state;
	struct service hooked;

	/* Another service's webhook is not ours. */
	store_service(s, &hooked, "rides", "https://app.example/hook");
	must(put(s, s->service.id, EVENT_SESSION_OPENED));
	assert_int_equal(store_int(s, "SELECT count(*) FROM event"), 1);
	assert_int_equal(store_int(s, "SELECT count(*) FROM outbox"), 0);
}

/* Puts an event of each kind of field; reads them back. */
static void
test_find_and_list(void **state)
{
	struct store *s = *state;
	struct event_record found[4], one;
	struct session session;
	struct service other;
	char id[64];
	int len, i;

	store_service(s, &other, "rides", "");
	store_number(s, s->service.id, MASK_1);
	store_session(s, &session, MASK_1, ANNA, BORIS, NOW);
	store_run(s, "UPDATE session SET reference = 'trip'");
	for (i = 0; i < 3; i++) {
		must(put(s, s->service.id, EVENT_POOL_LOW));
		must(put(s, other.id, EVENT_POOL_EXHAUSTED));
	}
	must(event_put(s->db,
	    &(struct event){ .service_id = s->service.id,
		.type = EVENT_PARTY_DISPUTED,
		.session_id = session.id,
		.subject_id = "cal_1",
		.detail = "abcdefghijklmnopqrstuvwxyzabcdef" },
	    NOW * 1000));
	must(event_list(s->db, s->service.id, 0, found, 4, &len));
	assert_int_equal(len, 4);
	for (i = 0; i < 4; i++)
		assert_int_equal(found[i].seq, i + 1);
	assert_string_equal(found[0].type, "pool.low");
	assert_string_equal(found[0].service, "taxi");
	assert_string_equal(found[0].session_id, "");
	assert_string_equal(found[0].reference, "");
	assert_string_equal(found[0].subject_id, "");
	assert_string_equal(found[0].detail, "");
	assert_string_equal(found[3].session_id, session.id);
	assert_string_equal(found[3].reference, "trip");
	assert_string_equal(found[3].subject_id, "cal_1");
	assert_string_equal(
	    found[3].detail, "abcdefghijklmnopqrstuvwxyzabcdef");
	assert_int_equal(found[3].created_at, NOW);
	store_text(s, "SELECT id FROM event WHERE seq = 4", id, sizeof id);
	assert_string_equal(found[3].id, id);
	must(event_find(s->db, &one, id));
	assert_memory_equal(&one, &found[3], sizeof one);
	assert_int_equal(event_find(s->db, &one, "evt_none"), RC_NOT_FOUND);
	/* From there on, and no more than wanted. */
	must(event_list(s->db, s->service.id, 1, found, 2, &len));
	assert_int_equal(len, 2);
	assert_int_equal(found[0].seq, 2);
	must(event_list(s->db, s->service.id, 4, found, 4, &len));
	assert_int_equal(len, 0);
	must(event_list(s->db, "svc_none", 0, found, 4, &len));
	assert_int_equal(len, 0);
}

static void
test_list_of_a_session_with_deliveries(void **state)
{
	struct event_record found[4];
	struct session session, next;
	struct store *s = *state;
	struct event event = { .type = EVENT_SESSION_OPENED };
	int len, i;

	store_number(s, s->service.id, MASK_1);
	store_session(s, &session, MASK_1, ANNA, BORIS, NOW);
	store_session(s, &next, MASK_1, CLARA, DORA, NOW);
	event.service_id = s->service.id;
	for (i = 0; i < 3; i++) {
		/* The first is not delivered. */
		event.session_id = session.id;
		must(event_put(s->db, &event, NOW * 1000));
		event.session_id = next.id;
		must(event_put(s->db, &event, NOW * 1000));
		if (i == 0)
			store_run(s, "UPDATE service SET webhook_url = 'x'");
	}
	store_run(s, "UPDATE outbox SET state = 'parked', attempts = 8,"
		     " ended_at = 1 WHERE subject_id ="
		     " (SELECT id FROM event WHERE seq = 5)");
	/* Something else about it is no delivery of it. */
	store_run(s, "UPDATE outbox SET kind = 'message' WHERE subject_id ="
		     " (SELECT id FROM event WHERE seq = 4)");
	must(event_list_session(
	    s->db, s->service.id, session.id, 0, found, 4, &len));
	assert_int_equal(len, 3);
	for (i = 0; i < 3; i++)
		assert_int_equal(found[i].seq, 1 + 2 * i);
	assert_string_equal(found[0].type, "session.opened");
	assert_string_equal(found[0].session_id, session.id);
	assert_string_equal(found[0].delivery_id, "");
	assert_true(id_valid(found[1].delivery_id, "dlv"));
	assert_string_equal(found[1].delivery_state, "waiting");
	assert_int_equal(found[1].attempts, 0);
	assert_string_equal(found[2].delivery_state, "parked");
	assert_int_equal(found[2].attempts, 8);
	must(event_list_session(
	    s->db, s->service.id, session.id, 1, found, 1, &len));
	assert_int_equal(len, 1);
	assert_int_equal(found[0].seq, 3);
	must(event_list_session(
	    s->db, s->service.id, next.id, 2, found, 4, &len));
	assert_int_equal(len, 2);
	assert_string_equal(found[0].delivery_id, "");
	must(event_list_session(
	    s->db, "svc_none", session.id, 0, found, 4, &len));
	assert_int_equal(len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		STORE_TEST(test_put_writes_all),
		STORE_TEST(test_put_writes_null_for_nothing),
		STORE_TEST(test_put_names_every_type),
		STORE_TEST(test_put_numbers_each_service_from_one),
		STORE_TEST(test_put_rolled_back_leaves_no_gap),
		STORE_TEST(test_put_refuses_an_unknown_service),
		STORE_TEST(test_put_delivers_to_a_webhook),
		STORE_TEST(test_put_delivers_nothing_without_a_webhook),
		STORE_TEST(test_find_and_list),
		STORE_TEST(test_list_of_a_session_with_deliveries),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
