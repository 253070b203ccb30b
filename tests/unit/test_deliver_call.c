/* Calls on their way to Twilio: what is asked of it, what its answers mean. */

#include "test.h"

#include <inttypes.h>

#include "deeds.h"
#include "deliver.h"

#define API "https://api.example"
#define ACCOUNT "AC00000000000000000000000000000001"
#define CALLS API "/2010-04-01/Accounts/" ACCOUNT "/Calls"

static const struct conf conf = {
	.public_url = "https://mask.example:8443",
	.url_overrides = "rc=2&rp=ct,5xx",
	.twilio_api_url = API,
};

static const struct secrets secrets = {
	.account_sid = ACCOUNT,
	.tokens = { "token" },
	.tokens_len = 1,
};

/* A call placed to Boris, and its delivery. */
struct stage {
	struct store *s;
	struct session session;
	struct call_summary call;
	struct deliver deliver;
	struct deliver_job job;
};

static enum rc
claim(struct db *db, void *cookie)
{
	struct stage *g = cookie;
	int len;
	enum rc rc;

	rc = outbox_claim(db, g->s->service.id, OUTBOX_TWILIO, 1,
	    &g->job.delivery, &len, g->s->mask.now_ms);
	assert_int_equal(len, 1);
	return rc;
}

static enum rc
prepare(struct db *db, void *cookie)
{
	struct stage *g = cookie;

	(void)db;
	return deliver_prepare(&g->deliver, &g->job);
}

/* Takes what is due and makes its request. */
static enum rc
next(struct stage *g)
{
	g->job = (struct deliver_job){ .look = false };
	g->deliver.mask = g->s->mask;
	must(db_transact(g->s->db, DB_WAIT_MS, claim, g));
	return db_snapshot(g->s->db, prepare, g);
}

static void
stage(struct stage *g, struct store *s)
{
	*g = (struct stage){ .s = s,
		.session = open_session(s, "", ANNA, BORIS),
		.deliver = { .conf = &conf, .secrets = &secrets } };
	must(transact(&(struct deed){ PLACE, .s = s, .text = g->session.id,
	    .role = "driver", .call = &g->call }));
}

struct concluding {
	struct stage *g;
	const struct http_answer *answer;
};

static enum rc
conclude_job(struct db *db, void *cookie)
{
	struct concluding *c = cookie;

	(void)db;
	return deliver_conclude(&c->g->deliver, &c->g->job, c->answer);
}

/* Writes down how it went; status -1: it need not be sent. */
static void
conclude(struct stage *g, int status, const char *body)
{
	struct http_answer answer = { .status = status,
		.sent = true,
		.body = body,
		.body_len = strlen(body),
		.error = status == 0 ? "Timeout was reached" : "" };
	struct concluding c = { g, status >= 0 ? &answer : NULL };

	g->deliver.mask = g->s->mask;
	must(db_transact(g->s->db, DB_WAIT_MS, conclude_job, &c));
	deliver_free(&g->job);
}

/* Takes it, sends it, is answered. */
static void
send_it(struct stage *g, int status, const char *body)
{
	must(next(g));
	conclude(g, status, body);
}

/* The deliveries of a kind: state, and whether there is doubt. */
static void
check_delivery(struct store *s, const char *kind, const char *expected)
{
	char sql[160];

	snprintf(sql, sizeof sql,
	    "SELECT coalesce(group_concat(state || ' ' || doubt), '')"
	    " FROM outbox WHERE kind = '%s'",
	    kind);
	store_check(s, sql, expected);
}

static void
check_error(struct store *s, const char *expected)
{
	store_check(s, "SELECT error FROM attempt ORDER BY rowid DESC LIMIT 1",
	    expected);
}

static void
check_call(struct stage *g, const char *status, const char *events)
{
	struct call_summary call;

	must(call_show(g->s->db, &call, g->s->service.id, g->call.id));
	assert_string_equal(call.status, status);
	check_events(g->s, events);
}

#define STARTED "1 session.opened, 2 call.started connected"
#define CREATED "{\"sid\":\"" SID_1 "\",\"status\":\"queued\"}"

/* A call in a list of Twilio's. */
#define ITEM(sid, direction, created)                                          \
	"{\"sid\":\"" sid "\",\"direction\":\"" direction                      \
	"\",\"date_created\":\"" created "\"}"
#define LIST(items) "{\"calls\":[" items "],\"page\":0}"
#define NOW_TEXT "Fri, 15 Jan 2027 08:00:00 +0000"
#define EARLIER "Fri, 15 Jan 2027 07:58:59 +0000"
#define SKEWED "Fri, 15 Jan 2027 07:59:00 +0000"

static void
test_prepare_makes_the_request(void **state)
{
	struct store *s = *state;
	const struct http_request *http;
	char expected[1024];
	struct stage g;

	stage(&g, s);
	must(next(&g));
	http = &g.job.rest.http;
	assert_string_equal(http->method, "POST");
	assert_string_equal(http->url, CALLS ".json");
	assert_string_equal(http->user, ACCOUNT);
	assert_string_equal(http->password, "token");
	assert_string_equal(http->headers[0],
	    "Content-Type: application/x-www-form-urlencoded");
	assert_null(http->headers[1]);
	assert_false(http->foreign);
	assert_true(http->once);
	assert_false(g.job.look);
	snprintf(expected, sizeof expected,
	    "To=%%2B12025550123&From=%%2B12025550191"
	    "&Url=https%%3A%%2F%%2Fmask.example%%3A8443%%2Ftwilio%%2Fvoice"
	    "%%2Fplaced%%2F%s%%23rc%%3D2%%26rp%%3Dct%%2C5xx&Method=POST"
	    "&StatusCallback=https%%3A%%2F%%2Fmask.example%%3A8443%%2Ftwilio"
	    "%%2Fstatus%%2F%s%%23rc%%3D2%%26rp%%3Dct%%2C5xx"
	    "&StatusCallbackMethod=POST"
	    "&StatusCallbackEvent=initiated&StatusCallbackEvent=ringing"
	    "&StatusCallbackEvent=answered&StatusCallbackEvent=completed"
	    "&Timeout=30&TimeLimit=%d",
	    g.call.id, g.call.id, CALL_LIMIT + 60);
	assert_string_equal(http->body, expected);
	assert_int_equal(http->body_len, strlen(expected));
	deliver_free(&g.job);
}

static void
test_placed_is_done(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage(&g, s);
	send_it(&g, 201, CREATED);
	check_delivery(s, "call", "done 0");
	store_check(s, "SELECT sid FROM call", SID_1);
	check_call(&g, "queued", STARTED);
}

/* The webhook was quicker than the answer. */
static void
test_placed_and_learned_already(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage(&g, s);
	must(next(&g));
	must(transact(
	    &(struct deed){ LEARN, .s = s, .text = g.call.id, .role = SID_1 }));
	conclude(&g, 201, CREATED);
	check_delivery(s, "call", "done 0");
	check_delivery(s, "hang_up", "");
	store_check(s, "SELECT sid FROM call", SID_1);
}

/* Two of them for one call: one has to go. */
static void
test_placed_twice_is_ended_once(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage(&g, s);
	must(next(&g));
	must(transact(
	    &(struct deed){ LEARN, .s = s, .text = g.call.id, .role = SID_2 }));
	conclude(&g, 201, CREATED);
	check_delivery(s, "call", "done 0");
	store_check(
	    s, "SELECT subject_id FROM outbox WHERE kind = 'hang_up'", SID_1);
	must(next(&g));
	assert_string_equal(g.job.rest.http.url, CALLS "/" SID_1 ".json");
	conclude(&g, 200, "{}");
	check_delivery(s, "hang_up", "done 0");
}

static void
test_refused_by_twilio_has_failed(void **state)
{
	static const struct {
		int status;
		const char *body, *error;
	} rows[] = {
		{ 400, "{\"code\":21215,\"message\":\"+12025550123\"}",
		    "Twilio refuses, error 21215: calls to that country are"
		    " not permitted" },
		{ 400, "{\"code\":21217}", "Twilio refuses, error 21217" },
		{ 404, "", "Twilio refuses, status 404" },
	};
	struct store *s = *state;
	struct stage g;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		stage(&g, s);
		send_it(&g, rows[i].status, rows[i].body);
		check_delivery(s, "call", "done 0");
		check_error(s, rows[i].error);
		check_call(&g, "failed", STARTED ", 3 call.ended failed");
		store_run(s, "DELETE FROM attempt; DELETE FROM outbox;"
			     "DELETE FROM call; DELETE FROM event;"
			     "DELETE FROM leg; DELETE FROM party;"
			     "DELETE FROM session;"
			     "UPDATE service SET event_seq = 0");
	}
}

/* What surely was not done is asked for again, soon; what may have been done
 * is looked for. */
static void
test_no_answer_leaves_doubt(void **state)
{
	static const struct {
		int status;
		const char *body;
		bool doubt;
	} rows[] = {
		{ 429, "{\"code\":20429}", false },
		{ 401, "{\"code\":20003}", false },
		{ 0, "", true },
		{ 500, "", true },
		{ 503, "{\"code\":20503}", true },
		{ 201, "", true },
		{ 201, "{\"sid\":\"PN1\"}", true },
		{ 201, "{\"sid\":\"" SID_1, true },
	};
	struct store *s = *state;
	int64_t wait;
	struct stage g;
	size_t i;

	stage(&g, s);
	for (i = 0; i < LENGTH(rows); i++) {
		send_it(&g, rows[i].status, rows[i].body);
		check_delivery(
		    s, "call", rows[i].doubt ? "waiting 1" : "waiting 0");
		wait = store_int(s, "SELECT due_at_ms FROM outbox") -
		       s->mask.now_ms;
		assert_in_range(wait, 5000, 6000);
		store_run(s, "UPDATE outbox SET attempts = 0, doubt = 0,"
			     " due_at_ms = 0");
	}
	check_call(&g, "queued", STARTED);
}

/* Stages a call that may have been placed, and takes it once more. */
static void
stage_doubt(struct stage *g, struct store *s)
{
	stage(g, s);
	send_it(g, 0, "");
	at(s, NOW + 6);
	must(next(g));
	assert_true(g->job.look);
}

static void
test_look_makes_the_request(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage_doubt(&g, s);
	assert_string_equal(g.job.rest.http.method, "GET");
	assert_string_equal(g.job.rest.http.url,
	    CALLS ".json?To=%2B12025550123&From=%2B12025550191&PageSize=50");
	assert_null(g.job.rest.http.body);
	assert_false(g.job.rest.http.once);
	deliver_free(&g.job);
}

static void
test_look_finds_it(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage_doubt(&g, s);
	/* A leg that was dialled, one of another call, and it. */
	must(report(s, SID_4, "", ANNA, CALL_RINGING, 0));
	conclude(&g, 200,
	    LIST(ITEM(SID_2, "outbound-dial", NOW_TEXT) "," ITEM(SID_4,
		"outbound-api",
		NOW_TEXT) "," ITEM(SID_1, "outbound-api", SKEWED)));
	check_delivery(s, "call", "done 0");
	store_check(s, "SELECT sid FROM call WHERE placed = 1", SID_1);
	check_call(&g, "queued", STARTED);
}

/* Nothing there that can be it: it is placed now. */
static void
test_look_finds_nothing(void **state)
{
	static const char *const lists[] = { LIST(""),
		LIST(ITEM(SID_1, "outbound-dial", NOW_TEXT)),
		LIST(ITEM(SID_1, "inbound", NOW_TEXT)),
		LIST(ITEM(SID_1, "outbound-api", EARLIER)),
		LIST(ITEM(SID_1, "outbound-api", "")),
		LIST(ITEM("PN1", "outbound-api", NOW_TEXT)), LIST("{},7") };
	struct store *s = *state;
	struct stage g;
	size_t i;

	stage_doubt(&g, s);
	for (i = 0; i < LENGTH(lists); i++) {
		if (i != 0)
			must(next(&g));
		assert_true(g.job.look);
		conclude(&g, 200, lists[i]);
		check_delivery(s, "call", "waiting 0");
		assert_int_equal(store_int(s, "SELECT due_at_ms FROM outbox"),
		    s->mask.now_ms);
		store_run(s, "UPDATE outbox SET doubt = 1");
	}
	store_run(s, "UPDATE outbox SET doubt = 0");
	must(next(&g));
	assert_false(g.job.look);
	assert_string_equal(g.job.rest.http.method, "POST");
	conclude(&g, 201, CREATED);
	check_delivery(s, "call", "done 0");
}

/* What does not say whether it is there leaves the doubt. */
static void
test_look_that_fails(void **state)
{
	static const struct {
		int status;
		const char *body;
	} rows[] = { { 0, "" }, { 500, "" }, { 429, "" }, { 404, "" },
		{ 200, "" }, { 200, "{\"calls\":null}" }, { 200, "[]" },
		{ 200, "{\"calls\":[" } };
	struct store *s = *state;
	struct stage g;
	size_t i;

	stage_doubt(&g, s);
	for (i = 0; i < LENGTH(rows); i++) {
		if (i != 0)
			must(next(&g));
		conclude(&g, rows[i].status, rows[i].body);
		check_delivery(s, "call", "waiting 1");
		assert_true(store_int(s, "SELECT due_at_ms FROM outbox") >
			    s->mask.now_ms);
		store_run(s, "UPDATE outbox SET attempts = 1, due_at_ms = 0");
	}
	check_call(&g, "queued", STARTED);
}

/* The webhook tells while we look. */
static void
test_look_is_overtaken(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage_doubt(&g, s);
	must(transact(
	    &(struct deed){ LEARN, .s = s, .text = g.call.id, .role = SID_1 }));
	conclude(&g, 200, LIST(ITEM(SID_2, "outbound-api", NOW_TEXT)));
	check_delivery(s, "call", "done 0");
	check_delivery(s, "hang_up", "");
	store_check(s, "SELECT sid FROM call", SID_1);
}

/* And before we look it is known: nothing is sent. */
static void
test_nothing_is_sent_that_is_known(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage(&g, s);
	send_it(&g, 0, "");
	must(transact(
	    &(struct deed){ LEARN, .s = s, .text = g.call.id, .role = SID_1 }));
	at(s, NOW + 6);
	assert_int_equal(next(&g), RC_NONE);
	conclude(&g, -1, "");
	check_delivery(s, "call", "done 0");
	check_call(&g, "queued", STARTED);
}

/* A call cancelled while it was sent is looked for, too, and ended. */
static void
test_cancelled_in_doubt_is_found_and_ended(void **state)
{
	struct store *s = *state;
	struct call_summary call;
	struct stage g;

	stage(&g, s);
	must(next(&g));
	at(s, NOW + 1);
	must(transact(&(struct deed){
	    HANG_UP, .s = s, .text = g.call.id, .call = &call }));
	conclude(&g, 0, "");
	at(s, NOW + 7);
	must(next(&g));
	assert_true(g.job.look);
	conclude(&g, 200, LIST(ITEM(SID_1, "outbound-api", NOW_TEXT)));
	check_delivery(s, "hang_up", "waiting 0");
	must(next(&g));
	assert_string_equal(g.job.rest.http.url, CALLS "/" SID_1 ".json");
	deliver_free(&g.job);
	check_call(&g, "canceled", STARTED ", 3 call.ended canceled");
}

/* Cancelled, and never arrived: nothing is placed, nothing to be ended. */
static void
test_cancelled_in_doubt_is_not_placed(void **state)
{
	struct store *s = *state;
	struct call_summary call;
	struct stage g;

	stage(&g, s);
	must(next(&g));
	at(s, NOW + 1);
	must(transact(&(struct deed){
	    HANG_UP, .s = s, .text = g.call.id, .call = &call }));
	conclude(&g, 0, "");
	at(s, NOW + 7);
	send_it(&g, 200, LIST(""));
	assert_int_equal(next(&g), RC_NONE);
	assert_int_equal(g.job.delivery.kind, OUTBOX_CALL);
	conclude(&g, -1, "");
	assert_int_equal(next(&g), RC_NONE);
	assert_int_equal(g.job.delivery.kind, OUTBOX_HANG_UP);
	conclude(&g, -1, "");
	check_delivery(s, "call", "done 0");
	check_delivery(s, "hang_up", "done 0");
	check_call(&g, "canceled", STARTED ", 3 call.ended canceled");
}

static void
test_closed_meanwhile_is_refused(void **state)
{
	struct store *s = *state;
	struct session closed;
	struct stage g;

	stage(&g, s);
	must(close_session(s, g.session.id, &closed));
	assert_int_equal(next(&g), RC_NONE);
	conclude(&g, -1, "");
	check_delivery(s, "call", "done 0");
	check_error(s, "not needed any more");
	check_call(&g, "completed",
	    STARTED ", 3 session.closed, 4 call.refused session_closed");
}

/* It was off when we looked, and is on when we say so. */
static void
test_allowed_again_is_placed(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage(&g, s);
	store_run(s, "UPDATE session SET voice = 'none'");
	assert_int_equal(next(&g), RC_NONE);
	store_run(s, "UPDATE session SET voice = 'both'");
	conclude(&g, -1, "");
	check_delivery(s, "call", "waiting 0");
	send_it(&g, 201, CREATED);
	check_delivery(s, "call", "done 0");
}

static void
test_late_is_not_placed(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage(&g, s);
	at(s, NOW + MASK_PLACE_S + 1);
	assert_int_equal(next(&g), RC_NONE);
	conclude(&g, -1, "");
	check_delivery(s, "call", "done 0");
	check_call(&g, "failed", STARTED ", 3 call.ended failed");
}

/* Twilio is away: tries go on for two minutes and no longer. */
static void
test_given_up_after_two_minutes(void **state)
{
	struct store *s = *state;
	struct stage g;
	int64_t due_ms;
	int tries = 0;

	stage(&g, s);
	for (;;) {
		send_it(&g, 429, "");
		tries++;
		if (store_int(s, "SELECT state = 'parked' FROM outbox") != 0)
			break;
		due_ms = store_int(s, "SELECT due_at_ms FROM outbox");
		assert_in_range(
		    due_ms, s->mask.now_ms, (NOW + MASK_PLACE_S) * 1000 + 999);
		s->mask.now_ms = due_ms;
	}
	assert_in_range(tries, 5, 8);
	check_call(&g, "failed",
	    STARTED ", 3 call.ended failed, 4 delivery.exhausted call");
	/* An operator's wish does not bring it back. */
	store_run(s, "UPDATE outbox SET state = 'waiting', ended_at = NULL,"
		     " due_at_ms = 0");
	assert_int_equal(next(&g), RC_NONE);
	conclude(&g, -1, "");
	check_call(&g, "failed",
	    STARTED ", 3 call.ended failed, 4 delivery.exhausted call");
}

/* A receiver who asks for more patience than there is. */
static void
test_given_up_when_told_to_wait_too_long(void **state)
{
	const struct http_answer answer = { .status = 429,
		.sent = true,
		.body = "",
		.error = "",
		.retry_s = 121 };
	struct store *s = *state;
	struct stage g;
	struct concluding c = { &g, &answer };

	stage(&g, s);
	must(next(&g));
	must(db_transact(s->db, DB_WAIT_MS, conclude_job, &c));
	deliver_free(&g.job);
	check_delivery(s, "call", "parked 0");
}

static void
test_forgotten_is_not_placed(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage(&g, s);
	store_run(s, "DELETE FROM call");
	assert_int_equal(next(&g), RC_NONE);
	conclude(&g, -1, "");
	check_delivery(s, "call", "done 0");
	check_events(s, STARTED);
}

/* Stages a call that Twilio has, to be ended. */
static void
stage_hang_up(struct stage *g, struct store *s)
{
	struct call_summary call;

	stage(g, s);
	send_it(g, 201, CREATED);
	must(transact(&(struct deed){
	    HANG_UP, .s = s, .text = g->call.id, .call = &call }));
}

static void
test_hang_up_makes_the_request(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage_hang_up(&g, s);
	must(next(&g));
	assert_string_equal(g.job.rest.http.method, "POST");
	assert_string_equal(g.job.rest.http.url, CALLS "/" SID_1 ".json");
	assert_string_equal(g.job.rest.http.body, "Status=completed");
	deliver_free(&g.job);
}

static void
test_hang_up_verdicts(void **state)
{
	static const struct {
		int status;
		const char *body, *state;
	} rows[] = {
		{ 200, "{}", "done" },
		{ 400, "{\"code\":21220}", "done" },
		{ 404, "{\"code\":20404}", "done" },
		{ 404, "", "done" },
		{ 400, "{\"code\":20001}", "parked" },
		{ 429, "", "waiting" },
		{ 500, "", "waiting" },
		{ 0, "", "waiting" },
	};
	struct store *s = *state;
	struct stage g;
	size_t i;

	stage_hang_up(&g, s);
	for (i = 0; i < LENGTH(rows); i++) {
		send_it(&g, rows[i].status, rows[i].body);
		store_check(s,
		    "SELECT state FROM outbox WHERE kind = 'hang_up'",
		    rows[i].state);
		store_run(s, "UPDATE outbox SET state = 'waiting',"
			     " ended_at = NULL, attempts = 0, due_at_ms = 0"
			     " WHERE kind = 'hang_up'");
	}
}

/* No real number gets into what is kept of the tries. */
static void
test_attempts_keep_no_real_number(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage_doubt(&g, s);
	conclude(&g, 400, "{\"code\":20001,\"message\":\"To=+12025550123\"}");
	check_error(s, "Twilio refuses, error 20001");
	store_lacks(s, BORIS);
	store_lacks(s, ANNA);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		MASK_TEST(test_prepare_makes_the_request),
		MASK_TEST(test_placed_is_done),
		MASK_TEST(test_placed_and_learned_already),
		MASK_TEST(test_placed_twice_is_ended_once),
		MASK_TEST(test_refused_by_twilio_has_failed),
		MASK_TEST(test_no_answer_leaves_doubt),
		MASK_TEST(test_look_makes_the_request),
		MASK_TEST(test_look_finds_it),
		MASK_TEST(test_look_finds_nothing),
		MASK_TEST(test_look_that_fails),
		MASK_TEST(test_look_is_overtaken),
		MASK_TEST(test_nothing_is_sent_that_is_known),
		MASK_TEST(test_cancelled_in_doubt_is_found_and_ended),
		MASK_TEST(test_cancelled_in_doubt_is_not_placed),
		MASK_TEST(test_closed_meanwhile_is_refused),
		MASK_TEST(test_allowed_again_is_placed),
		MASK_TEST(test_late_is_not_placed),
		MASK_TEST(test_given_up_after_two_minutes),
		MASK_TEST(test_given_up_when_told_to_wait_too_long),
		MASK_TEST(test_forgotten_is_not_placed),
		MASK_TEST(test_hang_up_makes_the_request),
		MASK_TEST(test_hang_up_verdicts),
		MASK_TEST(test_attempts_keep_no_real_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
