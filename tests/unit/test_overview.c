/* How a service stands. */

#include "test.h"

#include "deeds.h"
#include "overview.h"

#define SID_5 "CA00000000000000000000000000000005"

/* Too large for some stacks. */
static struct overview o;

static void
look(struct store *s, int64_t now)
{
	must(overview_read(s->db, s->service.id, now * 1000, &o));
}

static void
test_nothing_yet(void **state)
{
	struct store *s = *state;

	look(s, NOW + 5);
	assert_int_equal(o.now, NOW + 5);
	assert_int_equal(o.sessions_open, 0);
	assert_int_equal(o.calls_now, 0);
	assert_int_equal(o.reasons_len, 0);
	assert_false(o.met);
	assert_int_equal(o.days_left, -1);
	assert_int_equal(o.countries_len, 1);
	assert_int_equal(
	    overview_read(s->db, "svc_nobody", NOW * 1000, &o), RC_CORRUPT);
}

/* What another service has does not count. */
static void
open_elsewhere(struct store *s)
{
	struct session_request request = ask("", CLARA, DORA);
	struct service other;
	struct session session;

	store_service(s, &other, "rides", "");
	must(number_insert(s->db, other.id, "+12025550110", "US", NOW));
	must(transact(&(struct deed){ OPEN, .s = s, .service_id = other.id,
	    .request = &request, .session = &session }));
}

static void
test_open_sessions_to_the_second(void **state)
{
	struct store *s = *state;
	struct session session, closed;

	open_session(s, "", ANNA, BORIS);
	session = open_session(s, "", ANNA, CLARA);
	open_elsewhere(s);
	look(s, NOW + TTL - 1);
	assert_int_equal(o.sessions_open, 2);
	look(s, NOW + TTL);
	assert_int_equal(o.sessions_open, 0);
	must(close_session(s, session.id, &closed));
	look(s, NOW);
	assert_int_equal(o.sessions_open, 1);
	assert_true(o.met);
}

static void
test_calls_now(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS), closed;
	struct mask_dialled stranger = dialled(SID_5, DORA, MASK_1);
	struct mask_route out;

	dial(s, SID_1, ANNA, MASK_1, POLICY_CONNECTED);
	/* One who is refused is not on the line. */
	dial(s, SID_3, CLARA, MASK_1, POLICY_CALLER_UNKNOWN);
	look(s, NOW);
	assert_int_equal(o.calls_now, 1);
	/* The leg that rings the other is the same call. */
	ring(s, CALL_IN_PROGRESS, 1);
	look(s, NOW + 1);
	assert_int_equal(o.calls_now, 1);
	/* Nobody told us of its end; it cannot last that long. */
	look(s, NOW + CALL_LIMIT + 599);
	assert_int_equal(o.calls_now, 1);
	look(s, NOW + CALL_LIMIT + 600);
	assert_int_equal(o.calls_now, 0);
	must(report(s, SID_1, "", ANNA, CALL_COMPLETED, 9));
	look(s, NOW + 9);
	assert_int_equal(o.calls_now, 0);
	assert_int_equal(o.today[TALLY_CALLS_REFUSED], 1);
	/* Nor is one who is asked for a code, though on the line. */
	set(s, "ask_code = 1");
	out = route_as(s, DORA, MASK_1, POLICY_ASK, POLICY_CALLER_UNKNOWN);
	record(s, &stranger, &out);
	look(s, NOW + 9);
	assert_int_equal(o.calls_now, 0);
	set(s, "ask_code = 0");
	/* A late caller is not connected. */
	must(close_session(s, session.id, &closed));
	dial(s, SID_4, ANNA, MASK_1, POLICY_SESSION_IS_CLOSED);
	look(s, NOW + 9);
	assert_int_equal(o.calls_now, 0);
}

static int64_t
reason(enum tally_what what, const char *detail)
{
	int64_t count = 0;
	int i;

	for (i = 0; i < o.reasons_len; i++)
		if (o.reasons[i].what == what &&
		    strcmp(o.reasons[i].detail, detail) == 0) {
			assert_int_equal(count, 0);
			count = o.reasons[i].count;
		}
	return count;
}

/* NOW is 8:00. */
static void
test_today_begins_at_midnight(void **state)
{
	static const struct {
		enum tally_what what;
		const char *detail;
		int64_t at;
	} cases[] = {
		{ TALLY_CALLS_ANSWERED, NULL, -28800 - 1 },
		{ TALLY_CALLS_ANSWERED, NULL, -28800 },
		{ TALLY_CALLS_ANSWERED, NULL, 0 },
		{ TALLY_CALLS_REFUSED, "voice_off", -28801 },
		{ TALLY_CALLS_REFUSED, "voice_off", -3600 },
		{ TALLY_CALLS_REFUSED, "voice_off", 0 },
		{ TALLY_CALLS_REFUSED, "session_closed", 0 },
		{ TALLY_TEXTS_REFUSED, "session_closed", 0 },
		{ TALLY_TEXTS_RELAYED, NULL, 0 },
		{ TALLY_CALLS_FAILED, NULL, 0 },
		{ TALLY_CALLS_MISSED, "busy", 0 },
	};
	struct store *s = *state;
	size_t i;

	for (i = 0; i < LENGTH(cases); i++)
		must(tally_add(s->db, s->service.id, cases[i].what,
		    cases[i].detail, NOW + cases[i].at));
	look(s, NOW);
	assert_int_equal(o.today[TALLY_CALLS_ANSWERED], 2);
	assert_int_equal(o.today[TALLY_CALLS_REFUSED], 3);
	assert_int_equal(reason(TALLY_CALLS_REFUSED, "voice_off"), 2);
	assert_int_equal(reason(TALLY_CALLS_REFUSED, "session_closed"), 1);
	assert_int_equal(reason(TALLY_TEXTS_REFUSED, "session_closed"), 1);
	assert_int_equal(reason(TALLY_CALLS_MISSED, "busy"), 1);
	assert_int_equal(o.reasons_len, 4);
	assert_int_equal(o.today[TALLY_CALLS_FAILED], 1);
	assert_int_equal(o.today[TALLY_CALLS_MISSED], 1);
	assert_int_equal(o.today[TALLY_TEXTS_RELAYED], 1);
	look(s, NOW + 16 * 3600 - 1);
	assert_int_equal(o.today[TALLY_CALLS_ANSWERED], 2);
	look(s, NOW + 16 * 3600);
	assert_int_equal(o.today[TALLY_CALLS_ANSWERED], 0);
}

static void
test_numbers_by_country_and_state(void **state)
{
	static const char *const words[OVERVIEW_STATE__MAX] = { "active",
		"reserved", "draining", "retired" };
	struct store *s = *state;
	int i;

	must(number_insert(s->db, s->service.id, MASK_CA, "CA", NOW));
	must(number_insert(s->db, s->service.id, MASK_3, "US", NOW));
	for (i = 0; i < OVERVIEW_STATE__MAX; i++) {
		assert_string_equal(
		    overview_state_name((enum overview_state)i), words[i]);
		must(number_set_state(s->db, s->service.id, MASK_3, words[i]));
		look(s, NOW);
		assert_int_equal(o.countries_len, 2);
		assert_string_equal(o.countries[0].country, "CA");
		assert_string_equal(o.countries[1].country, "US");
		assert_int_equal(o.countries[0].counts[OVERVIEW_ACTIVE], 1);
		assert_int_equal(o.countries[1].counts[OVERVIEW_ACTIVE],
		    i == OVERVIEW_ACTIVE ? 3 : 2);
		if (i != OVERVIEW_ACTIVE)
			assert_int_equal(o.countries[1].counts[i], 1);
	}
}

static void
test_days_left_is_said_only_where_it_can_be(void **state)
{
	(void)state;
	/* Half is in use; a seventh of that is added each day. */
	assert_int_equal(overview_days_left(0.5, 200, 100), 14);
	assert_int_equal(overview_days_left(0.75, 200, 100), 42);
	assert_int_equal(overview_days_left(0.5, 110, 100), 77);
	/* Used up. */
	assert_int_equal(overview_days_left(0, 100, 200), 0);
	/* Nothing in use; not growing; nothing to compare with; too far. */
	assert_int_equal(overview_days_left(1, 200, 100), -1);
	assert_int_equal(overview_days_left(0.5, 100, 100), -1);
	assert_int_equal(overview_days_left(0.5, 99, 100), -1);
	assert_int_equal(overview_days_left(0.5, 200, 0), -1);
	assert_int_equal(overview_days_left(0.5, 0, 0), -1);
	assert_int_equal(overview_days_left(0.5, 10100, 10000), -1);
}

/* Opened sessions are counted, so many at a time. */
static void
count_sessions(struct store *s, int64_t at, int count)
{
	while (count-- > 0)
		must(tally_add(
		    s->db, s->service.id, TALLY_SESSIONS_OPENED, NULL, at));
}

static void
test_days_left_compares_two_whole_weeks(void **state)
{
	const int64_t week = 7 * 86400;
	struct store *s = *state;

	open_session(s, "", ANNA, BORIS);
	store_run(s, "DELETE FROM tally");
	count_sessions(s, NOW - week, 4);
	count_sessions(s, NOW - 1, 4);
	count_sessions(s, NOW - week - 1, 4);
	/* Counting began an hour too late. */
	look(s, NOW);
	assert_true(o.free == 0.5);
	assert_int_equal(o.days_left, -1);
	count_sessions(s, NOW - 2 * week, 1);
	/* 8 sessions after 5; the hour that runs is left out. */
	count_sessions(s, NOW, 100);
	look(s, NOW + 3599);
	assert_int_equal(o.days_left, 18);
	/* Whoever has used up all need not look back. */
	open_session(s, "", ANNA, CLARA);
	store_run(s, "DELETE FROM tally WHERE at < 1800000000");
	look(s, NOW + 3599);
	assert_int_equal(o.days_left, 0);
}

static enum rc
put(struct db *db, void *cookie)
{
	return outbox_put(db, cookie, NOW * 1000);
}

static void
test_deliveries(void **state)
{
	struct store *s = *state;
	struct outbox_item event = { .service_id = s->service.id,
		.kind = OUTBOX_EVENT,
		.subject_id = "evt_1" };
	struct outbox_item call = { .service_id = s->service.id,
		.kind = OUTBOX_CALL,
		.subject_id = "cal_1" };

	must(db_transact(s->db, DB_WAIT_MS, put, &event));
	must(db_transact(s->db, DB_WAIT_MS, put, &event));
	must(db_transact(s->db, DB_WAIT_MS, put, &call));
	store_run(s, "UPDATE outbox SET state = 'parked', ended_at = 1 "
		     "WHERE kind = 'call'");
	must(db_transact(s->db, DB_WAIT_MS, put, &call));
	look(s, NOW + 7);
	assert_int_equal(o.waiting[OUTBOX_APP], 2);
	assert_int_equal(o.waiting[OUTBOX_TWILIO], 1);
	assert_int_equal(o.late_ms[OUTBOX_APP], 7000);
	assert_int_equal(o.parked, 1);
	assert_string_equal(overview_channel_name(OUTBOX_APP), "app");
	assert_string_equal(overview_channel_name(OUTBOX_TWILIO), "twilio");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		MASK_TEST(test_nothing_yet),
		MASK_TEST(test_open_sessions_to_the_second),
		MASK_TEST(test_calls_now),
		MASK_TEST(test_today_begins_at_midnight),
		MASK_TEST(test_numbers_by_country_and_state),
		cmocka_unit_test(test_days_left_is_said_only_where_it_can_be),
		MASK_TEST(test_days_left_compares_two_whole_weeks),
		MASK_TEST(test_deliveries),
	};

	return cmocka_run_group_tests_name("overview", tests, NULL, NULL);
}
