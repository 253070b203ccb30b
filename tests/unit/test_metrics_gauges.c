/* What the database says of the moment. */

#include "test.h"

#include "deeds.h"
#include "metrics.h"
#include "outbox.h"

/* Whether the gauges at now have this line. */
static bool
told(struct store *s, int64_t now, const char *line)
{
	char wanted[200];
	struct buf text;
	bool has;

	buf_init(&text, 0);
	buf_puts(&text, "\n");
	must(metrics_gauges(&text, s->db, now * 1000));
	snprintf(wanted, sizeof wanted, "\n%s\n", line);
	has = strstr(buf_text(&text), wanted) != NULL;
	if (!has)
		print_error("%s\n", buf_text(&text));
	buf_free(&text);
	return has;
}

static void
test_numbers_by_state_and_country(void **state)
{
	struct store *s = *state;
	struct service other;

	must(number_insert(s->db, s->service.id, MASK_3, "US", NOW));
	must(number_insert(s->db, s->service.id, MASK_CA, "CA", NOW));
	must(number_set_state(s->db, s->service.id, MASK_3, "draining"));
	store_service(s, &other, "a \"b\"", "");
	must(number_insert(s->db, other.id, "+12025550110", "US", NOW));
#define NUMBERS "callmask_numbers{service="
	assert_true(told(
	    s, NOW, NUMBERS "\"taxi\",country=\"US\",state=\"active\"} 2"));
	assert_true(told(
	    s, NOW, NUMBERS "\"taxi\",country=\"US\",state=\"draining\"} 1"));
	assert_true(told(
	    s, NOW, NUMBERS "\"taxi\",country=\"CA\",state=\"active\"} 1"));
	assert_true(told(s, NOW,
	    NUMBERS "\"a \\\"b\\\"\",country=\"US\",state=\"active\"} 1"));
}

static void
test_sessions_and_room(void **state)
{
	struct store *s = *state;

	assert_true(told(s, NOW, "callmask_sessions_open 0"));
	assert_true(
	    told(s, NOW, "callmask_pool_free_ratio{service=\"taxi\"} 1.000"));
	open_session(s, "r1", ANNA, BORIS);
	assert_true(told(s, NOW, "callmask_sessions_open 1"));
	assert_true(told(s, NOW + TTL - 1, "callmask_sessions_open 1"));
	assert_true(told(s, NOW + TTL, "callmask_sessions_open 0"));
	/* Each has one of two numbers. */
	assert_true(
	    told(s, NOW, "callmask_pool_free_ratio{service=\"taxi\"} 0.500"));
	/* Boris has both by now; that Clara has one does not count. */
	open_session(s, "r2", CLARA, BORIS);
	assert_true(
	    told(s, NOW, "callmask_pool_free_ratio{service=\"taxi\"} 0.000"));
	/* Who is erased is not asked about; Boris still has both. */
	store_run(s,
	    "INSERT INTO erasure (id, service_id, subject, subject_id,"
	    " requested_at) SELECT 'era_1', id, 'session', '', 1 FROM service");
	store_run(s, "UPDATE session SET erasure_id = 'era_1'"
		     " WHERE reference = 'r2'");
	store_run(s, "UPDATE party SET person = x'' WHERE session_id ="
		     " (SELECT id FROM session WHERE reference = 'r2')");
	assert_true(
	    told(s, NOW, "callmask_pool_free_ratio{service=\"taxi\"} 0.000"));
	/* Nothing is held any more. */
	assert_true(told(s, NOW + TTL + HOLD,
	    "callmask_pool_free_ratio{service=\"taxi\"} 1.000"));
}

static enum rc
put(struct db *db, void *cookie)
{
	const struct outbox_item *item = cookie;

	return outbox_put(db, item, NOW * 1000);
}

static void
test_outbox(void **state)
{
	struct store *s = *state;
	struct outbox_item event = { .service_id = s->service.id,
		.kind = OUTBOX_EVENT,
		.subject_id = "evt_1" };
	struct outbox_item call = { .service_id = s->service.id,
		.kind = OUTBOX_CALL,
		.subject_id = "cal_1",
		.due_ms = (NOW + 10) * 1000 };
	int64_t lag_ms;

	must(metrics_lag(s->db, NOW * 1000, &lag_ms));
	assert_int_equal(lag_ms, 0);
	must(db_transact(s->db, DB_WAIT_MS, put, &event));
	must(db_transact(s->db, DB_WAIT_MS, put, &event));
	must(db_transact(s->db, DB_WAIT_MS, put, &call));
#define OUTBOX "callmask_outbox_"
	assert_true(
	    told(s, NOW, OUTBOX "waiting{service=\"taxi\",channel=\"app\"} 2"));
	assert_true(told(
	    s, NOW, OUTBOX "waiting{service=\"taxi\",channel=\"twilio\"} 1"));
	assert_true(told(s, NOW + 7,
	    OUTBOX "lag_seconds{service=\"taxi\",channel=\"app\"} 7.000"));
	assert_true(told(s, NOW + 7,
	    OUTBOX "lag_seconds{service=\"taxi\",channel=\"twilio\"} 0.000"));
	assert_true(told(s, NOW + 12,
	    OUTBOX "lag_seconds{service=\"taxi\",channel=\"twilio\"} 2.000"));
	/* An app that takes nothing is not Twilio. */
	must(metrics_lag(s->db, (NOW + 7) * 1000, &lag_ms));
	assert_int_equal(lag_ms, 0);
	must(metrics_lag(s->db, (NOW + 12) * 1000, &lag_ms));
	assert_int_equal(lag_ms, 2000);
	/* What waits behind another is not late, its turn has not come. */
	store_run(s, "UPDATE outbox SET lane = 'pty_1', due_at_ms = CASE id "
		     "WHEN (SELECT min(id) FROM outbox WHERE kind = 'event') "
		     "THEN 9000000000000 "
		     "ELSE due_at_ms END WHERE kind = 'event'");
	assert_true(told(s, NOW + 7,
	    OUTBOX "lag_seconds{service=\"taxi\",channel=\"app\"} 0.000"));
	assert_true(told(s, NOW, OUTBOX "parked{service=\"taxi\"} 0"));
	store_run(s, "UPDATE outbox SET state = 'parked', ended_at = 1 "
		     "WHERE kind = 'event'");
	assert_true(told(s, NOW, OUTBOX "parked{service=\"taxi\"} 2"));
	assert_true(told(s, NOW + 7,
	    OUTBOX "lag_seconds{service=\"taxi\",channel=\"app\"} 0.000"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		MASK_TEST(test_numbers_by_state_and_country),
		MASK_TEST(test_sessions_and_room),
		MASK_TEST(test_outbox),
	};

	return cmocka_run_group_tests_name("metrics_gauges", tests, NULL, NULL);
}
