/* Events on their way to the app: what is sent, what an answer means. */

#include "test.h"

#include "deliver.h"
#include "event.h"
#include "hook.h"
#include "store.h"

#define URL "https://app.example/hooks?to=us"

/* A service that is told, one event of it, and its delivery on lease. */
struct stage {
	struct deliver deliver;
	struct deliver_job job;
	struct service service;
	struct hook_secret secret;
};

static void
stage(struct stage *g, struct store *s, const struct event *event)
{
	struct event mine = *event;
	int len;

	*g = (struct stage){ .deliver.mask = s->mask };
	store_service(s, &g->service, "rides", URL);
	must(hook_add(s->db, &s->keys, g->service.id, &g->secret, NOW * 1000));
	mine.service_id = g->service.id;
	must(event_put(s->db, &mine, NOW * 1000));
	must(outbox_claim(s->db, g->service.id, OUTBOX_APP, 1, &g->job.delivery,
	    &len, NOW * 1000));
	assert_int_equal(len, 1);
}

static const struct event ended = { .type = EVENT_CALL_ENDED,
	.session_id = "ses_1",
	.subject_id = "cal_1",
	.detail = "busy" };

static void
test_prepare_makes_a_signed_request(void **state)
{
	struct store *s = *state;
	const struct http_request *http;
	char expected[512], id[64];
	struct hook_message message;
	struct stage g;
	size_t len;

	stage(&g, s, &ended);
	g.deliver.mask.now_ms = (NOW + 77) * 1000 + 999;
	must(deliver_prepare(&g.deliver, &g.job));
	http = &g.job.rest.http;
	assert_string_equal(http->method, "POST");
	assert_string_equal(http->url, URL);
	assert_null(http->user);
	assert_true(http->foreign);
	assert_false(g.job.look);
	store_text(s, "SELECT id FROM event", id, sizeof id);
	snprintf(expected, sizeof expected,
	    "{\"id\":\"%s\",\"type\":\"call.ended\","
	    "\"timestamp\":\"2027-01-15T08:00:00Z\",\"data\":{\"seq\":1,"
	    "\"service\":\"rides\",\"session_id\":\"ses_1\","
	    "\"reference\":null,\"call_id\":\"cal_1\",\"detail\":\"busy\"}}",
	    id);
	assert_int_equal(http->body_len, strlen(expected));
	assert_string_equal(http->body, expected);
	assert_string_equal(http->headers[0], "Content-Type: application/json");
	snprintf(expected, sizeof expected, "webhook-id: %s", id);
	assert_string_equal(http->headers[1], expected);
	assert_string_equal(http->headers[2], "webhook-timestamp: 1800000077");
	message =
	    (struct hook_message){ id, NOW + 77, http->body, http->body_len };
	len =
	    (size_t)snprintf(expected, sizeof expected, "webhook-signature: ");
	must(hook_sign(expected + len, &g.secret, 1, &message));
	assert_string_equal(http->headers[3], expected);
	assert_null(http->headers[4]);
	deliver_free(&g.job);
}

static void
test_prepare_signs_with_all_secrets(void **state)
{
	struct hook_secret secrets[HOOK_SECRETS_MAX];
	struct store *s = *state;
	struct stage g;
	size_t i, blanks = 0;

	stage(&g, s, &ended);
	for (i = 1; i < HOOK_SECRETS_MAX; i++)
		must(hook_add(s->db, &s->keys, g.service.id, &secrets[i],
		    NOW * 1000 + (int64_t)i));
	must(deliver_prepare(&g.deliver, &g.job));
	for (i = 0; g.job.rest.http.headers[3][i] != '\0'; i++)
		blanks += g.job.rest.http.headers[3][i] == ' ';
	assert_int_equal(blanks, HOOK_SECRETS_MAX);
	assert_int_equal(
	    i, strlen("webhook-signature: ") + HOOK_SIGNATURE_SIZE - 1);
	deliver_free(&g.job);
}

static void
test_prepare_names_the_subject_by_its_kind(void **state)
{
	static const char *const subjects[][2] = { { "msg_1", "\"message_id\":"
							      "\"msg_1\"" },
		{ "rec_1", "\"recording_id\":\"rec_1\"" },
		{ "dlv_1", "\"delivery_id\":\"dlv_1\"" } };
	struct store *s = *state;
	struct event event = ended;
	struct stage g;
	size_t i;

	for (i = 0; i < LENGTH(subjects); i++) {
		if (i != 0)
			store_run(s, "UPDATE service SET name = id "
				     "WHERE name = 'rides'");
		event.subject_id = subjects[i][0];
		stage(&g, s, &event);
		must(deliver_prepare(&g.deliver, &g.job));
		assert_non_null(strstr(g.job.rest.http.body, subjects[i][1]));
		assert_null(strstr(g.job.rest.http.body, "call_id"));
		deliver_free(&g.job);
	}
}

static void
test_prepare_tells_the_reference(void **state)
{
	struct store *s = *state;
	struct session session;
	struct event event = { .type = EVENT_SESSION_OPENED };
	struct stage g;

	store_number(s, s->service.id, MASK_1);
	store_session(s, &session, MASK_1, ANNA, BORIS, NOW);
	store_run(s, "UPDATE session SET reference = 'trip \"8731\"'");
	event.session_id = session.id;
	stage(&g, s, &event);
	must(deliver_prepare(&g.deliver, &g.job));
	assert_non_null(strstr(g.job.rest.http.body,
	    "\"reference\":\"trip \\\"8731\\\"\",\"detail\":null"));
	assert_null(strstr(g.job.rest.http.body, "+1"));
	deliver_free(&g.job);
}

/* Nobody wants to know any more, or there is nothing left to know. */
static void
test_prepare_of_what_need_not_go(void **state)
{
	static const char *const changes[] = {
		"UPDATE service SET webhook_url = NULL WHERE name = 'rides'",
		"DELETE FROM event",
	};
	struct store *s = *state;
	struct stage g;
	size_t i;

	for (i = 0; i < LENGTH(changes); i++) {
		if (i != 0)
			store_run(s, "UPDATE service SET name = id "
				     "WHERE name = 'rides'");
		stage(&g, s, &ended);
		store_run(s, changes[i]);
		assert_int_equal(deliver_prepare(&g.deliver, &g.job), RC_NONE);
		must(deliver_conclude(&g.deliver, &g.job, NULL));
		deliver_free(&g.job);
	}
	assert_int_equal(
	    store_int(s, "SELECT count(*) FROM outbox WHERE state = 'done'"),
	    LENGTH(changes));
}

static void
test_prepare_without_a_secret_fails(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage(&g, s, &ended);
	store_run(s, "DELETE FROM webhook_secret");
	log_open("test", (enum log_level)(LOG_ERROR + 1));
	assert_int_equal(deliver_prepare(&g.deliver, &g.job), RC_CORRUPT);
	deliver_free(&g.job);
}

static void
test_conclude(void **state)
{
	static const struct {
		struct http_answer answer;
		const char *state, *error;
		int64_t wait_least, wait_most; /* milliseconds */
	} cases[] = {
		{ { .status = 200, .error = "" }, "done", "(null)", 0, 0 },
		{ { .status = 204, .error = "" }, "done", "(null)", 0, 0 },
		{ { .status = 299, .error = "" }, "done", "(null)", 0, 0 },
		{ { .status = 300, .error = "" }, "waiting",
		    "redirects are not followed", 5000, 6000 },
		{ { .status = 307, .error = "" }, "waiting",
		    "redirects are not followed", 5000, 6000 },
		{ { .status = 400, .error = "" }, "waiting", "(null)", 5000,
		    6000 },
		{ { .status = 429, .retry_s = 120, .error = "" }, "waiting",
		    "(null)", 120000, 120000 },
		{ { .status = 503, .retry_s = 1, .error = "" }, "waiting",
		    "(null)", 5000, 6000 },
		{ { .status = 410, .error = "" }, "parked",
		    "the receiver is gone for good", 0, 0 },
		{ { .status = 199, .error = "" }, "waiting", "(null)", 5000,
		    6000 },
		{ { .status = 0, .error = "Timeout was reached" }, "waiting",
		    "Timeout was reached", 5000, 6000 },
	};
	struct store *s = *state;
	struct stage g;
	int64_t wait;
	size_t i;

	log_open("test", (enum log_level)(LOG_ERROR + 1));
	for (i = 0; i < LENGTH(cases); i++) {
		if (i != 0)
			store_run(s, "UPDATE service SET name = id "
				     "WHERE name = 'rides';"
				     "DELETE FROM attempt; DELETE FROM outbox");
		stage(&g, s, &ended);
		must(deliver_conclude(&g.deliver, &g.job, &cases[i].answer));
		store_check(s, "SELECT state FROM outbox", cases[i].state);
		store_check(s, "SELECT error FROM attempt", cases[i].error);
		if (cases[i].wait_most == 0)
			continue;
		wait =
		    store_int(s, "SELECT due_at_ms FROM outbox") - NOW * 1000;
		assert_in_range(wait, cases[i].wait_least, cases[i].wait_most);
	}
	/* An event that does not get through is not told by events. */
	assert_int_equal(store_int(s, "SELECT count(*) FROM event WHERE "
				      "type = 'delivery.exhausted'"),
	    0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_prepare_makes_a_signed_request),
		STORE_TEST(test_prepare_signs_with_all_secrets),
		STORE_TEST(test_prepare_names_the_subject_by_its_kind),
		STORE_TEST(test_prepare_tells_the_reference),
		STORE_TEST(test_prepare_of_what_need_not_go),
		STORE_TEST(test_prepare_without_a_secret_fails),
		STORE_TEST(test_conclude),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
