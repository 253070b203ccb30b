/* Tallies: what was counted by the minute and by the hour. */

#include "test.h"

#include "event.h"
#include "store.h"
#include "tally.h"

/* All rows as text, oldest first. */
#define ROWS                                                                   \
	"SELECT coalesce(group_concat(step_s || ' ' || (at - 1800000000)"      \
	" || ' ' || what || ' ' || count, ', '), '') FROM"                     \
	" (SELECT * FROM tally ORDER BY step_s, at, what)"

static enum rc
add(struct store *s, enum tally_what what, const char *detail, int64_t now)
{
	return tally_add(s->db, s->service.id, what, detail, now);
}

static void
test_one_is_counted_in_its_minute_and_its_hour(void **state)
{
	struct store *s = *state;

	must(add(s, TALLY_CALLS_ANSWERED, NULL, NOW + 59));
	must(add(s, TALLY_CALLS_ANSWERED, "", NOW));
	must(add(s, TALLY_CALLS_ANSWERED, NULL, NOW + 60));
	must(add(s, TALLY_CALLS_MISSED, "busy", NOW + 3599));
	must(add(s, TALLY_CALLS_MISSED, "no-answer", NOW + 3600));
	store_check(s, ROWS,
	    "60 0 calls_answered 2, 60 60 calls_answered 1, "
	    "60 3540 calls_missed busy 1, 60 3600 calls_missed no-answer 1, "
	    "3600 0 calls_answered 3, 3600 0 calls_missed busy 1, "
	    "3600 3600 calls_missed no-answer 1");
}

/* What each event counts as. */
static void
test_events_are_counted(void **state)
{
	static const struct {
		enum event_type type;
		const char *detail, *what;
	} cases[] = {
		{ EVENT_SESSION_OPENED, NULL, "sessions_opened" },
		{ EVENT_CALL_ENDED, "completed", "calls_answered" },
		{ EVENT_CALL_ENDED, "busy", "calls_missed busy" },
		{ EVENT_CALL_ENDED, "no-answer", "calls_missed no-answer" },
		{ EVENT_CALL_ENDED, "canceled", "calls_missed canceled" },
		{ EVENT_CALL_ENDED, "failed", "calls_failed" },
		{ EVENT_CALL_REFUSED, "voice_off", "calls_refused voice_off" },
		{ EVENT_MESSAGE_RELAYED, NULL, "texts_relayed" },
		{ EVENT_MESSAGE_REFUSED, "text_off", "texts_refused text_off" },
	};
	struct store *s = *state;
	bool counted[EVENT__MAX] = { false };
	char expected[80];
	size_t i;
	int type;

	for (i = 0; i < LENGTH(cases); i++) {
		must(event_put(s->db,
		    &(struct event){ .service_id = s->service.id,
			.type = cases[i].type,
			.detail = cases[i].detail },
		    NOW * 1000 + 999));
		snprintf(expected, sizeof expected, "60 0 %s 1, 3600 0 %s 1",
		    cases[i].what, cases[i].what);
		store_check(s, ROWS, expected);
		store_run(s, "DELETE FROM tally");
		counted[cases[i].type] = true;
	}
	for (type = 0; type < EVENT__MAX; type++)
		if (!counted[type])
			must(event_put(s->db,
			    &(struct event){ .service_id = s->service.id,
				.type = (enum event_type)type,
				.detail = "completed" },
			    NOW * 1000));
	store_check(s, ROWS, "");
}

static enum rc
put_and_fail(struct db *db, void *cookie)
{
	struct store *s = cookie;

	must(event_put(db,
	    &(struct event){
		.service_id = s->service.id, .type = EVENT_SESSION_OPENED },
	    NOW * 1000));
	return RC_UNAVAILABLE;
}

static void
test_what_is_rolled_back_is_not_counted(void **state)
{
	struct store *s = *state;

	assert_int_equal(
	    db_transact(s->db, DB_WAIT_MS, put_and_fail, s), RC_UNAVAILABLE);
	store_check(s, ROWS, "");
}

/* Notes the rows it is called with. */
static void
note(void *cookie, const struct tally *tally)
{
	char *text = cookie;

	sprintf(text + strlen(text), "%lld %s/%s %lld, ",
	    (long long)(tally->at - NOW), tally_name(tally->what),
	    tally->detail, (long long)tally->count);
}

static void
test_list_is_of_one_service_and_step_since(void **state)
{
	struct store *s = *state;
	struct service other;
	char text[400] = "";

	store_service(s, &other, "rides", "");
	must(tally_add(s->db, other.id, TALLY_SESSIONS_OPENED, NULL, NOW));
	must(add(s, TALLY_SESSIONS_OPENED, NULL, NOW - 1));
	must(add(s, TALLY_SESSIONS_OPENED, NULL, NOW));
	must(add(s, TALLY_CALLS_REFUSED, "voice_off", NOW));
	/* A word of a later version is passed over. */
	must(add(s, TALLY_TEXTS_RELAYED, NULL, NOW));
	store_run(s, "UPDATE tally SET what = 'texts' "
		     "WHERE what = 'texts_relayed'");
	must(tally_list(s->db, s->service.id, TALLY_MINUTE_S, NOW, note, text));
	assert_string_equal(
	    text, "0 calls_refused/voice_off 1, 0 sessions_opened/ 1, ");
	text[0] = '\0';
	must(tally_list(
	    s->db, s->service.id, TALLY_HOUR_S, NOW - 3600, note, text));
	assert_string_equal(text,
	    "-3600 sessions_opened/ 1, 0 calls_refused/voice_off 1, "
	    "0 sessions_opened/ 1, ");
}

static void
test_sum_is_of_hours_from_one_to_before_another(void **state)
{
	struct store *s = *state;
	int64_t sum = -1, at = -1;

	assert_int_equal(tally_first(s->db, &at, s->service.id), RC_NONE);
	must(tally_sum(
	    s->db, &sum, s->service.id, TALLY_SESSIONS_OPENED, 0, NOW + 9999));
	assert_int_equal(sum, 0);
	must(add(s, TALLY_SESSIONS_OPENED, NULL, NOW));
	must(add(s, TALLY_SESSIONS_OPENED, NULL, NOW + 3599));
	must(add(s, TALLY_SESSIONS_OPENED, NULL, NOW + 3600));
	must(add(s, TALLY_CALLS_FAILED, NULL, NOW + 3600));
	must(add(s, TALLY_SESSIONS_OPENED, NULL, NOW + 7200));
	must(tally_sum(s->db, &sum, s->service.id, TALLY_SESSIONS_OPENED, NOW,
	    NOW + 7200));
	assert_int_equal(sum, 3);
	must(tally_sum(s->db, &sum, s->service.id, TALLY_SESSIONS_OPENED,
	    NOW + 3600, NOW + 7200));
	assert_int_equal(sum, 1);
	must(tally_first(s->db, &at, s->service.id));
	assert_int_equal(at, NOW);
}

/* NOW is 8:00, so a step of six hours began two hours ago. */
static void
test_series_end_with_the_step_that_runs(void **state)
{
	static const struct {
		enum tally_span span;
		const char *name;
		int64_t step_s, begun; /* before NOW */
		int len;
	} spans[] = {
		{ TALLY_HOUR, "hour", 60, 0, 60 },
		{ TALLY_DAY, "day", 900, 0, 96 },
		{ TALLY_MONTH, "month", 21600, 7200, 120 },
	};
	struct tally_series series;
	struct store *s = *state;
	int64_t last, from;
	size_t i;
	int k;

	for (i = 0; i < LENGTH(spans); i++) {
		last = NOW - spans[i].begun;
		from = last - (spans[i].len - 1) * spans[i].step_s;
		must(add(s, TALLY_SESSIONS_OPENED, NULL, from - 1));
		must(add(s, TALLY_SESSIONS_OPENED, NULL, from));
		must(add(s, TALLY_SESSIONS_OPENED, NULL,
		    from + spans[i].step_s - 1));
		must(add(s, TALLY_CALLS_MISSED, "busy", last - 1));
		must(add(s, TALLY_CALLS_MISSED, "busy", last));
		must(add(s, TALLY_CALLS_MISSED, "canceled", last));
		/* The clock was ahead. */
		must(
		    add(s, TALLY_CALLS_MISSED, "busy", last + spans[i].step_s));
		must(tally_read(
		    s->db, s->service.id, spans[i].span, NOW + 59, &series));
		assert_string_equal(
		    tally_span_name(series.span), spans[i].name);
		assert_int_equal(series.step_s, spans[i].step_s);
		assert_int_equal(series.from, from);
		assert_int_equal(series.len, spans[i].len);
		k = series.len - 1;
		assert_int_equal(series.counts[TALLY_SESSIONS_OPENED][0], 2);
		assert_int_equal(series.counts[TALLY_SESSIONS_OPENED][1], 0);
		assert_int_equal(series.counts[TALLY_CALLS_MISSED][k], 2);
		assert_int_equal(series.counts[TALLY_CALLS_MISSED][k - 1], 1);
		assert_int_equal(series.counts[TALLY_CALLS_ANSWERED][k], 0);
		assert_int_equal(series.counts[TALLY_CALLS_FAILED][0], 0);
		store_run(s, "DELETE FROM tally");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_one_is_counted_in_its_minute_and_its_hour),
		STORE_TEST(test_events_are_counted),
		STORE_TEST(test_what_is_rolled_back_is_not_counted),
		STORE_TEST(test_list_is_of_one_service_and_step_since),
		STORE_TEST(test_sum_is_of_hours_from_one_to_before_another),
		STORE_TEST(test_series_end_with_the_step_that_runs),
	};

	return cmocka_run_group_tests_name("tally", tests, NULL, NULL);
}
