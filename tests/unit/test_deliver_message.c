/* Texts on their way to Twilio: what is sent, what an answer means, and that
 * nobody gets one twice. */

#include "test.h"

#include "deliver.h"
#include "texts.h"

#define ACCOUNT "AC00000000000000000000000000000001"
#define BASE "http://twilio.test/2010-04-01/Accounts/" ACCOUNT

static const struct conf conf = { .public_url = "https://mask.example",
	.url_overrides = "rc=2",
	.twilio_api_url = "http://twilio.test" };
static const struct secrets secrets = {
	.account_sid = ACCOUNT, .tokens = { "token" }, .tokens_len = 1
};

/* A text of Anna's to Boris, and its delivery on lease. */
struct stage {
	struct store *s;
	struct deliver deliver;
	struct deliver_job job;
	struct message message;
	struct session session;
};

/* Takes the delivery that is due. */
static void
lease(struct stage *g)
{
	int len;

	g->deliver.mask = g->s->mask;
	g->job = (struct deliver_job){ .look = false };
	must(outbox_claim(g->s->db, g->s->service.id, OUTBOX_TWILIO, 1,
	    &g->job.delivery, &len, g->s->mask.now_ms));
	assert_int_equal(len, 1);
}

static void
stage(struct stage *g, struct store *s, const char *body)
{
	*g = (struct stage){ .s = s,
		.deliver = { .conf = &conf, .secrets = &secrets } };
	g->session = open_session(s, "", ANNA, BORIS);
	anna_texts(s, SM("1"), body, &g->message);
	lease(g);
}

/* Prepares and concludes, with an answer of this status and body; status 0:
 * none came, of a request that was sent. */
struct conclusion {
	struct stage *g;
	const struct http_answer *answer;
};

static enum rc
conclude(struct db *db, void *cookie)
{
	const struct conclusion *c = cookie;

	(void)db;
	return deliver_conclude(&c->g->deliver, &c->g->job, c->answer);
}

static void
answer(struct stage *g, const struct http_answer *answer)
{
	must(db_transact(
	    g->s->db, DB_WAIT_MS, conclude, &(struct conclusion){ g, answer }));
	must(message_find_sid(g->s->db, &g->message, SM("1")));
	deliver_free(&g->job);
}

static void
step(struct stage *g, const char *method, int status, const char *body)
{
	must(deliver_prepare(&g->deliver, &g->job));
	assert_string_equal(g->job.rest.http.method, method);
	assert_int_equal(g->job.look, strcmp(method, "GET") == 0);
	answer(g, &(struct http_answer){ .status = status,
		      .sent = true,
		      .body = body,
		      .body_len = strlen(body),
		      .error = status == 0 ? "lost" : "" });
}

/* The same for what need not be sent. */
static void
step_unsent(struct stage *g)
{
	assert_int_equal(deliver_prepare(&g->deliver, &g->job), RC_NONE);
	answer(g, NULL);
}

static void
check(struct stage *g, enum message_status status, const char *outbox)
{
	assert_string_equal(message_status_name(g->message.status),
	    message_status_name(status));
	store_check(g->s,
	    "SELECT state || ' ' || attempts || ' ' || doubt FROM outbox "
	    "WHERE kind = 'message'",
	    outbox);
}

/* A list as Twilio answers it, of one message. */
static const char *
listed(const char *sid, const char *direction, const char *body,
    const char *created)
{
	static char text[512];

	snprintf(text, sizeof text,
	    "{\"messages\":[{\"sid\":\"%s\",\"direction\":\"%s\","
	    "\"body\":\"%s\",\"date_created\":\"%s\",\"status\":\"sent\"}]}",
	    sid, direction, body, created);
	return text;
}

#define AT_NOW "Fri, 15 Jan 2027 08:00:00 +0000"
#define ONE_MINUTE_OFF "Fri, 15 Jan 2027 07:58:59 +0000"

static void
test_request(void **state)
{
	struct store *s = *state;
	struct mask_texted text = texted(SM("1"), ANNA, MASK_1, "a&b=c\nü");
	const struct http_request *http;
	char expected[512];
	struct stage g = { .s = s,
		.deliver = { .conf = &conf, .secrets = &secrets } };

	open_session(s, "", ANNA, BORIS);
	text.content.media[0] = "https://x/1?y";
	text.content.media[1] = "https://x/2";
	text.content.media_len = 2;
	bring(s, &text);
	must(message_find_sid(s->db, &g.message, SM("1")));
	lease(&g);
	must(deliver_prepare(&g.deliver, &g.job));
	http = &g.job.rest.http;
	assert_string_equal(http->method, "POST");
	assert_string_equal(http->url, BASE "/Messages.json");
	assert_string_equal(http->user, ACCOUNT);
	assert_false(http->foreign);
	assert_true(http->once);
	assert_false(g.job.look);
	snprintf(expected, sizeof expected,
	    "To=%%2B12025550123&From=%%2B12025550191&Body=a%%26b%%3Dc%%0A%%C3%%"
	    "BC"
	    "&MediaUrl=https%%3A%%2F%%2Fx%%2F1%%3Fy"
	    "&MediaUrl=https%%3A%%2F%%2Fx%%2F2"
	    "&StatusCallback=https%%3A%%2F%%2Fmask.example%%2Ftwilio%%2F"
	    "message%%2Fstatus%%2F%s%%23rc%%3D2",
	    g.message.id);
	assert_string_equal(http->body, expected);
	deliver_free(&g.job);
}

static void
test_taken(void **state)
{
	struct store *s = *state;
	struct message_text text;
	struct stage g;

	stage(&g, s, "x");
	step(
	    &g, "POST", 201, "{\"sid\":\"" SM("2") "\",\"status\":\"queued\"}");
	check(&g, MESSAGE_QUEUED, "done 1 0");
	assert_string_equal(g.message.sent_sid, SM("2"));
	assert_int_equal(g.message.sent_at, NOW);
	assert_int_equal(
	    message_read(s->db, &s->keys, &g.message, &text), RC_NOT_FOUND);
}

static void
test_refused_for_good(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage(&g, s, "x");
	step(&g, "POST", 400, "{\"code\":21610,\"message\":\"" BORIS "\"}");
	check(&g, MESSAGE_FAILED, "done 1 0");
	assert_int_equal(g.message.error, 21610);
	check_events(s, "1 session.opened, 2 message.relayed, "
			"3 message.failed 21610");
	store_lacks(s, BORIS);
}

static void
test_refused_without_a_code(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage(&g, s, "x");
	step(&g, "POST", 404, "<html>");
	check(&g, MESSAGE_FAILED, "done 1 0");
	check_events(s, "1 session.opened, 2 message.relayed, "
			"3 message.failed refused");
}

/* Too many requests: it has not gone out, and goes out later. */
static void
test_busy(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage(&g, s, "x");
	step(&g, "POST", 429, "{\"code\":20429}");
	check(&g, MESSAGE_WAITING, "waiting 1 0");
	at(s, NOW + 10);
	lease(&g);
	step(&g, "POST", 201, "{\"sid\":\"" SM("2") "\"}");
	check(&g, MESSAGE_QUEUED, "done 2 0");
}

/* The answer was lost: it looks, and finds it. */
static void
test_doubt_and_it_had_arrived(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage(&g, s, "x");
	step(&g, "POST", 0, "");
	check(&g, MESSAGE_WAITING, "waiting 1 1");
	at(s, NOW + 10);
	lease(&g);
	must(deliver_prepare(&g.deliver, &g.job));
	assert_string_equal(g.job.rest.http.url,
	    BASE "/Messages.json?To=%2B12025550123&From=%2B12025550191"
		 "&PageSize=50");
	deliver_free(&g.job);
	step(&g, "GET", 200, listed(SM("2"), "outbound-api", "x", AT_NOW));
	check(&g, MESSAGE_SENT, "done 2 0");
	assert_string_equal(g.message.sent_sid, SM("2"));
}

/* What looks like it but is not: it is sent again, once. */
static void
test_doubt_and_it_had_not_arrived(void **state)
{
	struct store *s = *state;
	const char *const lists[] = { "{\"messages\":[]}",
		strdup(listed(SM("2"), "outbound-api", "y", AT_NOW)),
		strdup(listed(SM("2"), "outbound-reply", "x", AT_NOW)),
		strdup(listed(SM("2"), "outbound-api", "x", ONE_MINUTE_OFF)),
		strdup(listed("SM2", "outbound-api", "x", AT_NOW)),
		strdup(listed(SM("2"), "outbound-api", "x", "")) };
	struct stage g;
	size_t i;

	stage(&g, s, "x");
	for (i = 0; i < LENGTH(lists); i++) {
		store_run(s, "UPDATE outbox SET doubt = 1");
		g.job.delivery.doubt = true;
		step(&g, "GET", 200, lists[i]);
		if (i != 0)
			free((char *)(uintptr_t)lists[i]);
		store_check(s,
		    "SELECT state || ' ' || doubt FROM outbox "
		    "WHERE kind = 'message'",
		    "waiting 0");
		lease(&g);
	}
	assert_false(g.job.delivery.doubt);
	step(&g, "POST", 201, "{\"sid\":\"" SM("3") "\"}");
	assert_int_equal(g.message.status, MESSAGE_QUEUED);
}

/* The same words before: that message is another's. */
static void
test_doubt_and_the_same_words_before(void **state)
{
	struct store *s = *state;
	struct message other;
	struct stage g;

	stage(&g, s, "x");
	anna_texts(s, SM("5"), "x", &other);
	strcpy(other.sent_sid, SM("2"));
	must(message_update(s->db, &other));
	store_run(s, "DELETE FROM outbox WHERE attempts = 0");
	g.job.delivery.doubt = true;
	step(&g, "GET", 200, listed(SM("2"), "outbound-api", "x", AT_NOW));
	check(&g, MESSAGE_WAITING, "waiting 1 0");
	assert_string_equal(g.message.sent_sid, "");
}

/* As long as it cannot look it does not send. */
static void
test_doubt_stays(void **state)
{
	static const struct {
		int status;
		const char *body;
	} answers[] = { { 0, "" }, { 500, "" }, { 429, "" }, { 404, "{}" },
		{ 200, "{}" }, { 200, "{\"messages\":{}}" },
		{ 200, "<html>" } };
	struct store *s = *state;
	struct stage g;
	size_t i;

	for (i = 0; i < LENGTH(answers); i++) {
		if (i == 0)
			stage(&g, s, "x");
		store_run(s, "UPDATE outbox SET attempts = 1, doubt = 1");
		g.job.delivery.attempts = 1;
		g.job.delivery.doubt = true;
		step(&g, "GET", answers[i].status, answers[i].body);
		check(&g, MESSAGE_WAITING, "waiting 1 1");
	}
}

/* A report told us meanwhile. */
static void
test_doubt_and_a_report_came(void **state)
{
	struct store *s = *state;
	struct text_deed report = { REPORT_TEXT, .s = s, .sid = SM("2"),
		.status = MESSAGE_DELIVERED };
	struct message_text text;
	struct stage g;

	stage(&g, s, "x");
	report.id = g.message.id;
	g.job.delivery.doubt = true;
	must(deliver_prepare(&g.deliver, &g.job));
	must(transact_text(&report));
	answer(&g, &(struct http_answer){ .status = 200,
		       .body = "{\"messages\":[]}",
		       .body_len = 15,
		       .error = "" });
	check(&g, MESSAGE_DELIVERED, "done 1 0");
	assert_int_equal(
	    message_read(s->db, &s->keys, &g.message, &text), RC_NOT_FOUND);
}

static void
test_report_before_it_is_sent_again(void **state)
{
	struct store *s = *state;
	struct text_deed report = { REPORT_TEXT, .s = s, .sid = SM("2"),
		.status = MESSAGE_SENT };
	struct message_text text;
	struct stage g;

	stage(&g, s, "x");
	report.id = g.message.id;
	must(transact_text(&report));
	step_unsent(&g);
	check(&g, MESSAGE_SENT, "done 1 0");
	assert_int_equal(
	    message_read(s->db, &s->keys, &g.message, &text), RC_NOT_FOUND);
}

static void
test_late(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage(&g, s, "x");
	at(s, NOW + 3600);
	g.deliver.mask = s->mask;
	must(deliver_prepare(&g.deliver, &g.job));
	deliver_free(&g.job);
	at(s, NOW + 3601);
	g.deliver.mask = s->mask;
	step_unsent(&g);
	check(&g, MESSAGE_FAILED, "done 1 0");
	check_events(
	    s, "1 session.opened, 2 message.relayed, 3 message.failed late");
}

/* In doubt it looks all the same, so that we know; and sends it no more. */
static void
test_late_in_doubt(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage(&g, s, "x");
	g.job.delivery.doubt = true;
	at(s, NOW + 3601);
	g.deliver.mask = s->mask;
	step(&g, "GET", 200, "{\"messages\":[]}");
	check(&g, MESSAGE_WAITING, "waiting 1 0");
	lease(&g);
	step_unsent(&g);
	check(&g, MESSAGE_FAILED, "done 2 0");
}

static void
test_session_over(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage(&g, s, "x");
	must(close_session(s, g.session.id, &g.session));
	step_unsent(&g);
	check(&g, MESSAGE_FAILED, "done 1 0");
	check_events(s, "1 session.opened, 2 message.relayed, "
			"3 session.closed, 4 message.failed session_closed");
}

/* Nobody knows any more where to look. */
static void
test_doubt_and_the_leg_is_gone(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage(&g, s, "x");
	g.job.delivery.doubt = true;
	store_run(s, "DELETE FROM leg");
	step_unsent(&g);
	check(&g, MESSAGE_FAILED, "done 1 0");
}

/* It was not to go when it was prepared, and is now: it goes. */
static void
test_changed_meanwhile(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage(&g, s, "x");
	store_run(s, "UPDATE session SET text = 'none'");
	assert_int_equal(deliver_prepare(&g.deliver, &g.job), RC_NONE);
	store_run(s, "UPDATE session SET text = 'both'");
	answer(&g, NULL);
	check(&g, MESSAGE_WAITING, "waiting 1 0");
}

static void
test_gone(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage(&g, s, "x");
	store_run(s, "DELETE FROM message");
	assert_int_equal(deliver_prepare(&g.deliver, &g.job), RC_NONE);
	must(db_transact(
	    s->db, DB_WAIT_MS, conclude, &(struct conclusion){ &g, NULL }));
	store_check(s, "SELECT state FROM outbox", "done");
}

static void
test_given_up(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage(&g, s, "x");
	at(s, NOW + 3594);
	g.deliver.mask = s->mask;
	step(&g, "POST", 429, "");
	check(&g, MESSAGE_WAITING, "waiting 1 0");
	at(s, NOW + 3600);
	lease(&g);
	step(&g, "POST", 503, "");
	check(&g, MESSAGE_FAILED, "parked 2 1");
	check_events(s, "1 session.opened, 2 message.relayed, "
			"3 message.failed exhausted, "
			"4 delivery.exhausted message");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		MASK_TEST(test_request),
		MASK_TEST(test_taken),
		MASK_TEST(test_refused_for_good),
		MASK_TEST(test_refused_without_a_code),
		MASK_TEST(test_busy),
		MASK_TEST(test_doubt_and_it_had_arrived),
		MASK_TEST(test_doubt_and_it_had_not_arrived),
		MASK_TEST(test_doubt_and_the_same_words_before),
		MASK_TEST(test_doubt_stays),
		MASK_TEST(test_doubt_and_a_report_came),
		MASK_TEST(test_report_before_it_is_sent_again),
		MASK_TEST(test_late),
		MASK_TEST(test_late_in_doubt),
		MASK_TEST(test_session_over),
		MASK_TEST(test_doubt_and_the_leg_is_gone),
		MASK_TEST(test_changed_meanwhile),
		MASK_TEST(test_gone),
		MASK_TEST(test_given_up),
	};

	return cmocka_run_group_tests_name(
	    "deliver_message", tests, NULL, NULL);
}
