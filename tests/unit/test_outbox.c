/* The outbox: leases and who may write, lanes, the schedule, what is given up
 * and tried anew. */

#include "test.h"

#include "event.h"
#include "outbox.h"
#include "store.h"

#define NOW_MS (NOW * 1000)
#define MAX 8

/* Puts something to Twilio into the outbox at NOW and some milliseconds. */
static void
put(struct store *s, enum outbox_kind kind, const char *subject,
    const char *lane, int64_t ms)
{
	must(outbox_put(s->db,
	    &(struct outbox_item){ .service_id = s->service.id,
		.kind = kind,
		.subject_id = subject,
		.lane = lane },
	    NOW_MS + ms));
}

/* Takes what is due to Twilio at NOW and some milliseconds; how many. */
static int
claim(struct store *s, struct outbox_delivery *out, int64_t ms)
{
	int len;

	must(outbox_claim(
	    s->db, s->service.id, OUTBOX_TWILIO, MAX, out, &len, NOW_MS + ms));
	return len;
}

/* The same for exactly one thing. */
static struct outbox_delivery
claim_one(struct store *s, const char *subject, int64_t ms)
{
	struct outbox_delivery out[MAX];

	assert_int_equal(claim(s, out, ms), 1);
	assert_string_equal(out[0].subject_id, subject);
	return out[0];
}

/* Writes down how a try went; whether it was given up. */
static bool
finish(struct store *s, const struct outbox_delivery *delivery,
    const struct outbox_result *result, int64_t ms)
{
	bool parked;

	must(outbox_mine(s->db, delivery));
	must(outbox_finish(s->db, delivery, result, NOW_MS + ms, &parked));
	return parked;
}

static const struct outbox_result done = { .verdict = OUTBOX_DONE };
static const struct outbox_result again = { .verdict = OUTBOX_AGAIN };
static const struct outbox_result failed = { .verdict = OUTBOX_RETRY,
	.doubt = true,
	.started_ms = NOW_MS,
	.took_ms = 17,
	.status = 503,
	.error = "no" };

/* When the next is due, in milliseconds from NOW; INT64_MAX: never. */
static int64_t
next_due(struct store *s, enum outbox_channel channel)
{
	int64_t due_ms;

	assert_int_equal(
	    outbox_due(s->db, s->service.id, channel, 0, &due_ms), RC_NONE);
	return due_ms == INT64_MAX ? due_ms : due_ms - NOW_MS;
}

/* Putting and taking. */

static void
test_put_and_claim(void **state)
{
	struct store *s = *state;
	struct outbox_delivery out[MAX];

	put(s, OUTBOX_CALL, "cal_1", NULL, 0);
	assert_int_equal(claim(s, out, -1), 0);
	assert_int_equal(claim(s, out, 0), 1);
	assert_true(id_valid(out[0].id, "dlv"));
	assert_string_equal(out[0].service_id, s->service.id);
	assert_int_equal(out[0].kind, OUTBOX_CALL);
	assert_string_equal(out[0].subject_id, "cal_1");
	assert_int_equal(out[0].attempts, 1);
	assert_int_equal(out[0].created_ms, NOW_MS);
	assert_false(out[0].doubt);
}

static void
test_every_kind_goes_to_its_channel(void **state)
{
	struct store *s = *state;
	struct outbox_delivery out[MAX];
	int kind, len;

	for (kind = 0; kind < OUTBOX__MAX; kind++)
		put(s, (enum outbox_kind)kind,
		    outbox_kind_name((enum outbox_kind)kind), NULL, kind);
	assert_int_equal(claim(s, out, 10), OUTBOX__MAX - 1);
	for (kind = 1; kind < OUTBOX__MAX; kind++) {
		assert_int_equal(out[kind - 1].kind, kind);
		assert_string_equal(out[kind - 1].subject_id,
		    outbox_kind_name((enum outbox_kind)kind));
	}
	must(outbox_claim(
	    s->db, s->service.id, OUTBOX_APP, MAX, out, &len, NOW_MS + 10));
	assert_int_equal(len, 1);
	assert_int_equal(out[0].kind, OUTBOX_EVENT);
}

static void
test_claim_in_the_order_they_came(void **state)
{
	struct store *s = *state;
	struct outbox_delivery out[MAX];
	int len;

	put(s, OUTBOX_CALL, "cal_2", NULL, 2);
	put(s, OUTBOX_CALL, "cal_1", NULL, 1);
	put(s, OUTBOX_CALL, "cal_3", NULL, 3);
	must(outbox_claim(
	    s->db, s->service.id, OUTBOX_TWILIO, 2, out, &len, NOW_MS + 10));
	assert_int_equal(len, 2);
	assert_string_equal(out[0].subject_id, "cal_1");
	assert_string_equal(out[1].subject_id, "cal_2");
	claim_one(s, "cal_3", 10);
}

static void
test_what_is_put_for_later_waits(void **state)
{
	struct store *s = *state;
	struct outbox_delivery out[MAX];

	must(outbox_put(s->db,
	    &(struct outbox_item){ .service_id = s->service.id,
		.kind = OUTBOX_HANG_UP,
		.subject_id = "cal_1",
		.due_ms = NOW_MS + 5000 },
	    NOW_MS));
	assert_int_equal(claim(s, out, 4999), 0);
	assert_int_equal(next_due(s, OUTBOX_TWILIO), 5000);
	claim_one(s, "cal_1", 5000);
}

static void
test_due(void **state)
{
	struct store *s = *state;
	struct service other;
	int64_t due_ms;

	assert_int_equal(next_due(s, OUTBOX_TWILIO), INT64_MAX);
	put(s, OUTBOX_CALL, "cal_1", NULL, 30);
	put(s, OUTBOX_CALL, "cal_2", NULL, 20);
	assert_int_equal(next_due(s, OUTBOX_TWILIO), 20);
	assert_int_equal(next_due(s, OUTBOX_APP), INT64_MAX);
	assert_int_equal(outbox_due(s->db, s->service.id, OUTBOX_TWILIO,
			     NOW_MS + 19, &due_ms),
	    RC_NONE);
	assert_int_equal(due_ms, NOW_MS + 20);
	must(outbox_due(
	    s->db, s->service.id, OUTBOX_TWILIO, NOW_MS + 20, &due_ms));
	store_service(s, &other, "rides", "");
	assert_int_equal(
	    outbox_due(s->db, other.id, OUTBOX_TWILIO, NOW_MS + 99, &due_ms),
	    RC_NONE);
}

/* What a clock that was ahead has put off too far, and nothing else. */
static void
test_mend(void **state)
{
	const int64_t day = 86400 * 1000;
	struct store *s = *state;
	struct outbox_delivery out[MAX];

	put(s, OUTBOX_CALL, "cal_1", NULL, 2 * day);
	put(s, OUTBOX_CALL, "cal_2", NULL, 2 * day + 1);
	must(outbox_mend(s->db, NOW_MS));
	assert_int_equal(claim(s, out, 0), 1);
	assert_string_equal(out[0].subject_id, "cal_2");
	assert_int_equal(claim(s, out, 2 * day - 1), 1);
	assert_string_equal(out[0].subject_id, "cal_2");
	assert_int_equal(claim(s, out, 2 * day), 1);
	assert_string_equal(out[0].subject_id, "cal_1");
}

static void
test_services_that_have_something_waiting(void **state)
{
	struct store *s = *state;
	char ids[2][ID_SIZE];
	struct service others[3];
	struct outbox_delivery delivery;
	int len, i;

	for (i = 0; i < 3; i++)
		store_service(s, &others[i],
		    i == 0   ? "a"
		    : i == 1 ? "b"
			     : "c",
		    "");
	must(outbox_services(s->db, "", 2, ids, &len));
	assert_int_equal(len, 0);
	for (i = 0; i < 3; i++)
		must(outbox_put(s->db,
		    &(struct outbox_item){ .service_id = others[i].id,
			.kind = OUTBOX_CALL,
			.subject_id = "cal_1" },
		    NOW_MS));
	must(outbox_services(s->db, "", 2, ids, &len));
	assert_int_equal(len, 2);
	assert_true(strcmp(ids[0], ids[1]) < 0);
	must(outbox_services(s->db, ids[1], 2, ids, &len));
	assert_int_equal(len, 1);
	/* What is done does not wait. */
	must(outbox_claim(
	    s->db, ids[0], OUTBOX_TWILIO, 1, &delivery, &len, NOW_MS));
	finish(s, &delivery, &done, 0);
	must(outbox_services(s->db, "", 2, ids, &len));
	assert_int_equal(len, 2);
	must(outbox_services(s->db, ids[1], 2, ids, &len));
	assert_int_equal(len, 0);
}

/* An event goes out in the transaction it is written in, if anybody is told. */
static void
test_events_of_a_service_with_a_webhook(void **state)
{
	struct store *s = *state;
	struct outbox_delivery out[MAX];
	struct service told;
	char id[64];
	int len;

	store_service(s, &told, "rides", "https://a.example/");
	must(event_put(s->db,
	    &(struct event){
		.service_id = s->service.id, .type = EVENT_POOL_LOW },
	    NOW_MS));
	must(event_put(s->db,
	    &(struct event){ .service_id = told.id, .type = EVENT_POOL_LOW },
	    NOW_MS));
	must(outbox_claim(
	    s->db, s->service.id, OUTBOX_APP, MAX, out, &len, NOW_MS));
	assert_int_equal(len, 0);
	must(outbox_claim(s->db, told.id, OUTBOX_APP, MAX, out, &len, NOW_MS));
	assert_int_equal(len, 1);
	store_text(s,
	    "SELECT e.id FROM event e JOIN service s ON s.id = e.service_id "
	    "WHERE s.name = 'rides'",
	    id, sizeof id);
	assert_string_equal(out[0].subject_id, id);
}

/* Leases. */

static void
test_a_lease_keeps_others_off_until_it_ends(void **state)
{
	struct store *s = *state;
	struct outbox_delivery first, second, out[MAX];

	put(s, OUTBOX_CALL, "cal_1", NULL, 0);
	first = claim_one(s, "cal_1", 0);
	assert_int_equal(claim(s, out, OUTBOX_LEASE_MS - 1), 0);
	assert_int_equal(next_due(s, OUTBOX_TWILIO), OUTBOX_LEASE_MS);
	second = claim_one(s, "cal_1", OUTBOX_LEASE_MS);
	assert_int_equal(second.attempts, 2);
	/* The first died, perhaps after it had sent it. */
	assert_true(second.doubt);
	assert_int_equal(outbox_mine(s->db, &first), RC_NONE);
	must(outbox_mine(s->db, &second));
}

static void
test_a_lease_that_ended_but_was_not_taken_is_ours(void **state)
{
	struct store *s = *state;
	struct outbox_delivery delivery;

	put(s, OUTBOX_CALL, "cal_1", NULL, 0);
	delivery = claim_one(s, "cal_1", 0);
	assert_false(finish(s, &delivery, &done, 10 * OUTBOX_LEASE_MS));
	store_check(s, "SELECT state FROM outbox", "done");
}

/* However the number of tries moves, an old holder stays one. */
static void
test_an_old_holder_is_known_after_a_release_and_a_retry(void **state)
{
	struct store *s = *state;
	struct outbox_delivery first, second, third;
	const struct outbox_result park = { .verdict = OUTBOX_PARK };
	int64_t count;

	put(s, OUTBOX_CALL, "cal_1", NULL, 0);
	first = claim_one(s, "cal_1", 0);
	must(outbox_release(s->db, &first, false, NOW_MS));
	second = claim_one(s, "cal_1", 0);
	assert_int_equal(second.attempts, 1);
	assert_int_equal(outbox_mine(s->db, &first), RC_NONE);
	must(outbox_mine(s->db, &second));
	assert_true(finish(s, &second, &park, 0));
	assert_int_equal(outbox_mine(s->db, &second), RC_NONE);
	must(outbox_retry(s->db, s->service.id, NULL, NOW_MS, &count));
	third = claim_one(s, "cal_1", 0);
	assert_int_equal(third.attempts, 1);
	assert_int_equal(outbox_mine(s->db, &first), RC_NONE);
	assert_int_equal(outbox_mine(s->db, &second), RC_NONE);
	/* Nor does what the old ones write or give back count. */
	must(outbox_release(s->db, &second, false, NOW_MS));
	must(outbox_mine(s->db, &third));
	assert_int_equal(next_due(s, OUTBOX_TWILIO), OUTBOX_LEASE_MS);
}

static void
test_a_lease_given_back_does_not_count(void **state)
{
	struct store *s = *state;
	struct outbox_delivery delivery;
	int i;

	put(s, OUTBOX_CALL, "cal_1", NULL, 0);
	for (i = 0; i < 20; i++) {
		delivery = claim_one(s, "cal_1", i);
		assert_int_equal(delivery.attempts, 1);
		assert_int_equal(delivery.doubt, i > 10);
		must(outbox_release(s->db, &delivery, i >= 10, NOW_MS + i));
	}
	assert_int_equal(store_int(s, "SELECT count(*) FROM attempt"), 0);
}

/* Outcomes. */

static void
test_done_is_done(void **state)
{
	struct store *s = *state;
	struct outbox_delivery delivery, out[MAX];

	put(s, OUTBOX_CALL, "cal_1", NULL, 0);
	delivery = claim_one(s, "cal_1", 0);
	assert_false(finish(s, &delivery,
	    &(struct outbox_result){ .verdict = OUTBOX_DONE,
		.started_ms = NOW_MS + 3,
		.took_ms = 42,
		.status = 201,
		.error = "" },
	    45));
	assert_int_equal(outbox_mine(s->db, &delivery), RC_NONE);
	assert_int_equal(claim(s, out, 10 * OUTBOX_LEASE_MS), 0);
	assert_int_equal(next_due(s, OUTBOX_TWILIO), INT64_MAX);
	store_check(s,
	    "SELECT number || ' ' || (started_at_ms - 1800000000000) || ' ' || "
	    "took_ms || ' ' || status || ' ' || coalesce(error, '-') "
	    "FROM attempt",
	    "1 3 42 201 -");
	store_check(
	    s, "SELECT state || ended_at FROM outbox", "done1800000000");
}

/* The schedule: when a failed one is tried next, and when no more. */
static void
test_retry_by_the_schedule_until_parked(void **state)
{
	static const int64_t waits_s[] = { 5, 300, 1800, 7200, 18000, 36000,
		36000 };
	struct store *s = *state;
	struct outbox_delivery delivery;
	int64_t ms = 0, wait_ms;
	size_t i;

	put(s, OUTBOX_CALL, "cal_1", NULL, 0);
	for (i = 0; i < LENGTH(waits_s); i++) {
		delivery = claim_one(s, "cal_1", ms);
		assert_int_equal(delivery.attempts, i + 1);
		assert_int_equal(delivery.doubt, i != 0);
		assert_false(finish(s, &delivery, &failed, ms));
		wait_ms = next_due(s, OUTBOX_TWILIO) - ms;
		assert_in_range(wait_ms, waits_s[i] * 1000, waits_s[i] * 1200);
		ms += wait_ms;
	}
	delivery = claim_one(s, "cal_1", ms);
	assert_true(finish(s, &delivery, &failed, ms));
	store_check(s, "SELECT state FROM outbox", "parked");
	assert_int_equal(next_due(s, OUTBOX_TWILIO), INT64_MAX);
	assert_int_equal(
	    store_int(s, "SELECT count(*) FROM attempt WHERE status = 503 "
			 "AND error = 'no' AND took_ms = 17"),
	    8);
}

static void
test_waits_are_spread(void **state)
{
	static const int64_t waits_s[] = { 5, 300, 1800, 7200, 18000, 36000,
		36000 };
	int64_t wait_ms, least, most, i;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(waits_s); k++) {
		least = INT64_MAX;
		most = 0;
		for (i = 0; i < 1000; i++) {
			wait_ms = outbox_wait_ms((int64_t)k + 1);
			assert_in_range(
			    wait_ms, waits_s[k] * 1000, waits_s[k] * 1200);
			least = wait_ms < least ? wait_ms : least;
			most = wait_ms > most ? wait_ms : most;
		}
		/* A thousand in a row all in one half: never. */
		assert_true(least < waits_s[k] * 1100);
		assert_true(most > waits_s[k] * 1100);
	}
	assert_int_equal(outbox_wait_ms(8), -1);
	assert_int_equal(outbox_wait_ms(INT64_MAX), -1);
	assert_int_equal(outbox_wait_ms(0), -1);
}

static void
test_retry_not_sooner_than_the_receiver_says(void **state)
{
	struct store *s = *state;
	struct outbox_delivery delivery;
	struct outbox_result result = failed;

	put(s, OUTBOX_CALL, "cal_1", NULL, 0);
	delivery = claim_one(s, "cal_1", 0);
	result.retry_s = 86400;
	assert_false(finish(s, &delivery, &result, 0));
	assert_int_equal(next_due(s, OUTBOX_TWILIO), 86400 * 1000);
	/* Sooner than the schedule is not sooner. */
	delivery = claim_one(s, "cal_1", 86400 * 1000);
	result.retry_s = 1;
	assert_false(finish(s, &delivery, &result, 0));
	assert_in_range(next_due(s, OUTBOX_TWILIO), 300 * 1000, 360 * 1000);
}

/* A kind that cannot wait for the schedule, or that is never exhausted. */
static void
test_retry_when_the_result_says(void **state)
{
	struct store *s = *state;
	struct outbox_delivery delivery;
	struct outbox_result soon = failed;
	int i;

	soon.wait_ms = 7000;
	put(s, OUTBOX_CALL, "cal_1", NULL, 0);
	for (i = 0; i < 12; i++) {
		delivery = claim_one(s, "cal_1", i * 7000);
		assert_false(finish(s, &delivery, &soon, i * 7000));
		assert_int_equal(next_due(s, OUTBOX_TWILIO), (i + 1) * 7000);
	}
}

static void
test_waits_for_a_subject(void **state)
{
	struct store *s = *state;
	struct outbox_delivery delivery;

	put(s, OUTBOX_CALL, "cal_1", NULL, 0);
	must(outbox_waits(s->db, OUTBOX_CALL, "cal_1"));
	assert_int_equal(outbox_waits(s->db, OUTBOX_HANG_UP, "cal_1"), RC_NONE);
	assert_int_equal(outbox_waits(s->db, OUTBOX_CALL, "cal_2"), RC_NONE);
	delivery = claim_one(s, "cal_1", 0);
	must(outbox_waits(s->db, OUTBOX_CALL, "cal_1"));
	finish(s, &delivery, &done, 1);
	assert_int_equal(outbox_waits(s->db, OUTBOX_CALL, "cal_1"), RC_NONE);
}

static void
test_again_is_at_once(void **state)
{
	struct store *s = *state;
	struct outbox_delivery delivery;

	put(s, OUTBOX_CALL, "cal_1", NULL, 0);
	delivery = claim_one(s, "cal_1", 0);
	assert_false(finish(s, &delivery, &again, 7));
	assert_int_equal(next_due(s, OUTBOX_TWILIO), 7);
	delivery = claim_one(s, "cal_1", 7);
	assert_false(delivery.doubt);
}

static void
test_doubt_is_what_the_last_try_says(void **state)
{
	struct store *s = *state;
	struct outbox_delivery delivery;
	struct outbox_result result = failed;
	int64_t ms;

	put(s, OUTBOX_CALL, "cal_1", NULL, 0);
	delivery = claim_one(s, "cal_1", 0);
	finish(s, &delivery, &result, 0);
	ms = next_due(s, OUTBOX_TWILIO);
	delivery = claim_one(s, "cal_1", ms);
	assert_true(delivery.doubt);
	result.doubt = false;
	finish(s, &delivery, &result, ms);
	delivery = claim_one(s, "cal_1", next_due(s, OUTBOX_TWILIO));
	assert_false(delivery.doubt);
}

static void
test_park_at_once(void **state)
{
	struct store *s = *state;
	struct outbox_delivery delivery;

	put(s, OUTBOX_CALL, "cal_1", NULL, 0);
	delivery = claim_one(s, "cal_1", 0);
	assert_true(finish(s, &delivery,
	    &(struct outbox_result){
		.verdict = OUTBOX_PARK, .status = 400, .retry_s = 60 },
	    0));
	store_check(
	    s, "SELECT state || ended_at FROM outbox", "parked1800000000");
	assert_int_equal(next_due(s, OUTBOX_TWILIO), INT64_MAX);
}

/* Lanes. */

static void
test_a_lane_goes_one_after_another(void **state)
{
	struct store *s = *state;
	struct outbox_delivery first, other, out[MAX];
	struct outbox_result result = failed;

	put(s, OUTBOX_MESSAGE, "msg_1", "ses_1", 1);
	put(s, OUTBOX_MESSAGE, "msg_2", "ses_1", 2);
	put(s, OUTBOX_MESSAGE, "msg_3", "ses_2", 3);
	put(s, OUTBOX_MESSAGE, "msg_4", NULL, 4);
	assert_int_equal(claim(s, out, 5), 3);
	assert_string_equal(out[0].subject_id, "msg_1");
	assert_string_equal(out[1].subject_id, "msg_3");
	assert_string_equal(out[2].subject_id, "msg_4");
	first = out[0];
	/* It waits while the first is under way, and while it is to be tried
	 * again. */
	assert_int_equal(claim(s, out, 6), 0);
	finish(s, &out[1], &done, 6);
	finish(s, &out[2], &done, 6);
	result.retry_s = 7200;
	finish(s, &first, &result, 6);
	assert_int_equal(claim(s, out, 3600 * 1000), 0);
	assert_int_equal(next_due(s, OUTBOX_TWILIO), 7200 * 1000 + 6);
	first = claim_one(s, "msg_1", 7200 * 1000 + 6);
	finish(s, &first, &done, 7200 * 1000 + 6);
	other = claim_one(s, "msg_2", 7200 * 1000 + 6);
	finish(s, &other, &done, 7200 * 1000 + 7);
}

/* Within a millisecond, and when the clock is set back. */
static void
test_a_lane_keeps_the_order_of_putting(void **state)
{
	struct store *s = *state;
	struct outbox_delivery delivery;
	char subject[16];
	int i;

	for (i = 0; i < 12; i++) {
		snprintf(subject, sizeof subject, "msg_%d", i);
		put(s, OUTBOX_MESSAGE, subject, "ses_1", i < 6 ? 0 : -i);
	}
	for (i = 0; i < 12; i++) {
		snprintf(subject, sizeof subject, "msg_%d", i);
		delivery = claim_one(s, subject, 1);
		finish(s, &delivery, &done, 1);
	}
}

static void
test_a_lane_goes_on_when_one_is_given_up(void **state)
{
	struct store *s = *state;
	struct outbox_delivery delivery;

	put(s, OUTBOX_MESSAGE, "msg_1", "ses_1", 1);
	put(s, OUTBOX_MESSAGE, "msg_2", "ses_1", 2);
	delivery = claim_one(s, "msg_1", 5);
	finish(
	    s, &delivery, &(struct outbox_result){ .verdict = OUTBOX_PARK }, 5);
	claim_one(s, "msg_2", 5);
}

/* A crowd in one lane must not hide what is due behind it. */
static void
test_a_full_lane_holds_up_nobody_else(void **state)
{
	struct store *s = *state;
	struct outbox_delivery out[MAX];
	char subject[16];
	int i;

	for (i = 0; i < 3 * MAX; i++) {
		snprintf(subject, sizeof subject, "msg_%d", i);
		put(s, OUTBOX_MESSAGE, subject, "ses_1", i);
	}
	put(s, OUTBOX_CALL, "cal_1", NULL, i);
	assert_int_equal(claim(s, out, 1000), 2);
	assert_string_equal(out[0].subject_id, "msg_0");
	assert_string_equal(out[1].subject_id, "cal_1");
	assert_int_equal(next_due(s, OUTBOX_TWILIO), 1000 + OUTBOX_LEASE_MS);
}

/* Taking back. */

static void
test_cancel_what_no_worker_has(void **state)
{
	struct store *s = *state;
	struct outbox_delivery delivery, out[MAX];

	put(s, OUTBOX_CALL, "cal_1", NULL, 0);
	assert_int_equal(
	    outbox_cancel(s->db, OUTBOX_HANG_UP, "cal_1", NOW_MS), RC_NONE);
	assert_int_equal(
	    outbox_cancel(s->db, OUTBOX_CALL, "cal_2", NOW_MS), RC_NONE);
	must(outbox_cancel(s->db, OUTBOX_CALL, "cal_1", NOW_MS));
	assert_int_equal(claim(s, out, 0), 0);
	store_check(s, "SELECT state FROM outbox", "done");
	assert_int_equal(
	    outbox_cancel(s->db, OUTBOX_CALL, "cal_1", NOW_MS), RC_NONE);
	/* Nor one that is on lease, or in doubt. */
	put(s, OUTBOX_CALL, "cal_3", NULL, 0);
	delivery = claim_one(s, "cal_3", 0);
	assert_int_equal(
	    outbox_cancel(s->db, OUTBOX_CALL, "cal_3", NOW_MS), RC_NONE);
	finish(s, &delivery, &failed, 0);
	assert_int_equal(
	    outbox_cancel(s->db, OUTBOX_CALL, "cal_3", NOW_MS), RC_NONE);
	/* But one that surely has not arrived. */
	put(s, OUTBOX_CALL, "cal_4", NULL, 0);
	delivery = claim_one(s, "cal_4", 0);
	finish(s, &delivery, &(struct outbox_result){ .verdict = OUTBOX_RETRY },
	    0);
	must(outbox_cancel(s->db, OUTBOX_CALL, "cal_4", NOW_MS));
}

static void
test_retry_what_was_given_up(void **state)
{
	const struct outbox_result park = { .verdict = OUTBOX_PARK,
		.doubt = true };
	struct store *s = *state;
	struct outbox_delivery out[MAX], anew;
	struct service other;
	char id[ID_SIZE];
	int64_t count;
	int i;

	store_service(s, &other, "rides", "");
	for (i = 0; i < 4; i++)
		put(s, OUTBOX_CALL, "cal_1", NULL, i);
	assert_int_equal(claim(s, out, 4), 4);
	for (i = 0; i < 3; i++)
		finish(s, &out[i], &park, 4);
	finish(s, &out[3], &done, 4);
	strcpy(id, out[1].id);
	must(outbox_retry(s->db, other.id, NULL, NOW_MS, &count));
	assert_int_equal(count, 0);
	must(outbox_retry(s->db, other.id, id, NOW_MS, &count));
	assert_int_equal(count, 0);
	must(outbox_retry(s->db, s->service.id, out[3].id, NOW_MS, &count));
	assert_int_equal(count, 0);
	must(outbox_retry(s->db, s->service.id, id, NOW_MS + 9, &count));
	assert_int_equal(count, 1);
	assert_int_equal(next_due(s, OUTBOX_TWILIO), 9);
	anew = claim_one(s, "cal_1", 9);
	assert_string_equal(anew.id, id);
	assert_int_equal(anew.attempts, 1);
	assert_true(anew.doubt);
	/* Its tries are counted on. */
	finish(s, &anew, &failed, 9);
	assert_int_equal(store_int(s, "SELECT max(number) FROM attempt"), 2);
	must(outbox_retry(s->db, s->service.id, NULL, NOW_MS + 9, &count));
	assert_int_equal(count, 2);
	assert_int_equal(claim(s, out, 9), 2);
}

/* Nobody else can write meanwhile: not too many at a time. */
static void
test_retry_a_thousand_at_a_time(void **state)
{
	struct store *s = *state;
	int64_t count;

	store_run(s,
	    "WITH n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 1001)"
	    " INSERT INTO outbox SELECT 'dlv_' || i, id, 'app', 'event', 'e',"
	    " NULL, 0, 'parked', 8, 8, 0, 0, 0, 0 FROM n, service");
	must(outbox_retry(s->db, s->service.id, NULL, NOW_MS, &count));
	assert_int_equal(count, OUTBOX_RETRY_MAX);
	must(outbox_retry(s->db, s->service.id, NULL, NOW_MS, &count));
	assert_int_equal(count, 1);
	must(outbox_retry(s->db, s->service.id, NULL, NOW_MS, &count));
	assert_int_equal(count, 0);
}

/* Seen by operators. */

struct seen {
	struct outbox_view views[MAX];
	struct outbox_attempt attempts[MAX];
	int len;
};

static void
see_view(void *cookie, const struct outbox_view *view)
{
	struct seen *seen = cookie;

	seen->views[seen->len++] = *view;
}

static void
see_attempt(void *cookie, const struct outbox_attempt *attempt)
{
	struct seen *seen = cookie;

	seen->attempts[seen->len++] = *attempt;
}

/* Ids of a list in a state, as far as subjects tell. */
static void
check_list(struct store *s, const char *wanted, int limit, const char *subjects)
{
	struct seen seen = { .len = 0 };
	char text[100] = "";
	int i;

	must(outbox_list(s->db, s->service.id,
	    wanted[0] != '\0' ? wanted : "waiting parked", "", limit, see_view,
	    &seen));
	for (i = 0; i < seen.len; i++)
		strcat(strcat(text, seen.views[i].subject_id), " ");
	assert_string_equal(text, subjects);
}

static void
test_list_find_and_attempts(void **state)
{
	struct store *s = *state;
	struct outbox_delivery out[MAX];
	struct outbox_result result = failed;
	struct seen seen = { .len = 0 };
	struct outbox_view view;

	put(s, OUTBOX_CALL, "a", NULL, 1);
	put(s, OUTBOX_HANG_UP, "b", NULL, 2);
	put(s, OUTBOX_ERASE, "c", NULL, 3);
	put(s, OUTBOX_CALL, "d", NULL, 4);
	assert_int_equal(claim(s, out, 3), 3);
	finish(s, &out[0], &done, 3);
	result.verdict = OUTBOX_PARK;
	finish(s, &out[1], &result, 3);
	finish(
	    s, &out[2], &(struct outbox_result){ .verdict = OUTBOX_AGAIN }, 3);
	check_list(s, "", MAX, "d c b ");
	check_list(s, "", 2, "d c ");
	check_list(s, "waiting", MAX, "d c ");
	check_list(s, "parked", MAX, "b ");
	check_list(s, "done", MAX, "a ");
	/* Behind the newest. */
	must(outbox_list(s->db, s->service.id, "waiting parked done", out[2].id,
	    MAX, see_view, &seen));
	assert_int_equal(seen.len, 2);
	assert_string_equal(seen.views[0].id, out[1].id);
	assert_string_equal(seen.views[0].channel, "twilio");
	assert_int_equal(seen.views[0].ended_at, (NOW_MS + 3) / 1000);
	assert_string_equal(seen.views[1].id, out[0].id);
	seen.len = 0;
	must(outbox_find(s->db, s->service.id, out[1].id, &view));
	assert_string_equal(view.id, out[1].id);
	assert_string_equal(view.kind, "hang_up");
	assert_string_equal(view.subject_id, "b");
	assert_string_equal(view.state, "parked");
	assert_int_equal(view.attempts, 1);
	assert_int_equal(view.created_ms, NOW_MS + 2);
	assert_int_equal(view.status, 503);
	assert_string_equal(view.error, "no");
	assert_int_equal(
	    outbox_find(s->db, "svc_none", out[1].id, &view), RC_NOT_FOUND);
	assert_int_equal(
	    outbox_find(s->db, s->service.id, "dlv_none", &view), RC_NOT_FOUND);
	/* The newest try is the one shown. */
	assert_int_equal(claim(s, out, 4), 2);
	assert_string_equal(out[0].subject_id, "c");
	finish(s, &out[0], &result, 4);
	must(outbox_find(s->db, s->service.id, out[0].id, &view));
	assert_int_equal(view.status, 503);
	must(outbox_attempts(s->db, out[0].id, see_attempt, &seen));
	assert_int_equal(seen.len, 2);
	assert_int_equal(seen.attempts[0].number, 1);
	assert_int_equal(seen.attempts[0].status, 0);
	assert_string_equal(seen.attempts[0].error, "");
	assert_int_equal(seen.attempts[1].number, 2);
	assert_int_equal(seen.attempts[1].status, 503);
	assert_int_equal(seen.attempts[1].took_ms, 17);
	assert_int_equal(seen.attempts[1].started_ms, NOW_MS);
	assert_string_equal(seen.attempts[1].error, "no");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_put_and_claim),
		STORE_TEST(test_every_kind_goes_to_its_channel),
		STORE_TEST(test_claim_in_the_order_they_came),
		STORE_TEST(test_what_is_put_for_later_waits),
		STORE_TEST(test_due),
		STORE_TEST(test_mend),
		STORE_TEST(test_services_that_have_something_waiting),
		STORE_TEST(test_events_of_a_service_with_a_webhook),
		STORE_TEST(test_a_lease_keeps_others_off_until_it_ends),
		STORE_TEST(test_a_lease_that_ended_but_was_not_taken_is_ours),
		STORE_TEST(
		    test_an_old_holder_is_known_after_a_release_and_a_retry),
		STORE_TEST(test_a_lease_given_back_does_not_count),
		STORE_TEST(test_done_is_done),
		STORE_TEST(test_retry_by_the_schedule_until_parked),
		cmocka_unit_test(test_waits_are_spread),
		STORE_TEST(test_retry_not_sooner_than_the_receiver_says),
		STORE_TEST(test_retry_when_the_result_says),
		STORE_TEST(test_waits_for_a_subject),
		STORE_TEST(test_again_is_at_once),
		STORE_TEST(test_doubt_is_what_the_last_try_says),
		STORE_TEST(test_park_at_once),
		STORE_TEST(test_a_lane_goes_one_after_another),
		STORE_TEST(test_a_lane_keeps_the_order_of_putting),
		STORE_TEST(test_a_lane_goes_on_when_one_is_given_up),
		STORE_TEST(test_a_full_lane_holds_up_nobody_else),
		STORE_TEST(test_cancel_what_no_worker_has),
		STORE_TEST(test_retry_what_was_given_up),
		STORE_TEST(test_list_find_and_attempts),
		STORE_TEST(test_retry_a_thousand_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
