/* Masked numbers looked up and set at Twilio: the requests, and what each
 * answer means. */

#include "test.h"

#include "deliver.h"
#include "number.h"
#include "store.h"

#define SID "PN00000000000000000000000000000001"
#define RIGHT                                                                  \
	"\"voice_url\":\"https://mask.example/twilio/voice\","                 \
	"\"status_callback\":\"https://mask.example/twilio/status\","          \
	"\"sms_url\":\"https://mask.example/twilio/message\""
#define NUMBER(settings)                                                       \
	"{\"sid\":\"" SID "\",\"phone_number\":\"" MASK_1                      \
	"\",\"capabilities\":{\"voice\":true,\"sms\":true}," settings "}"
#define LIST(numbers)                                                          \
	"{\"incoming_phone_numbers\":[" numbers "],\"next_page_uri\":null}"

/* A number's delivery on lease. */
struct stage {
	struct deliver deliver;
	struct deliver_job job;
	struct conf conf;
	struct secrets secrets;
};

static void
claim(struct stage *g, struct store *s)
{
	int len;

	must(outbox_claim(s->db, s->service.id, OUTBOX_TWILIO, 1,
	    &g->job.delivery, &len, g->deliver.mask.now_ms));
	assert_int_equal(len, 1);
	must(deliver_prepare(&g->deliver, &g->job));
}

static void
stage(struct stage *g, struct store *s, enum outbox_kind kind)
{
	*g = (struct stage){ .deliver.mask = s->mask };
	strcpy(g->conf.twilio_api_url, "https://api.example");
	strcpy(g->conf.public_url, "https://mask.example");
	strcpy(g->secrets.account_sid, "AC1");
	strcpy(g->secrets.tokens[0], "token");
	g->deliver.conf = &g->conf;
	g->deliver.secrets = &g->secrets;
	assert_in_range(number_insert(s->db, s->service.id, MASK_1, "US", NOW),
	    RC_OK, RC_EXISTS);
	store_run(s,
	    "DELETE FROM attempt; DELETE FROM outbox;"
	    " UPDATE number SET twilio_state = 'unknown', twilio_detail = '',"
	    " twilio_checked_at = NULL, twilio_differs = 0");
	must(outbox_put(s->db,
	    &(struct outbox_item){ .service_id = s->service.id,
		.kind = kind,
		.subject_id = MASK_1 },
	    NOW * 1000));
	claim(g, s);
}

/* Writes down an answer. */
struct concluding {
	struct stage *stage;
	const struct http_answer *answer;
};

static enum rc
conclude(struct db *db, void *cookie)
{
	const struct concluding *c = cookie;

	(void)db;
	return deliver_conclude(&c->stage->deliver, &c->stage->job, c->answer);
}

static void
answer(struct stage *g, struct store *s, int status, const char *body)
{
	const struct http_answer answer = { .status = status,
		.sent = true,
		.body = body,
		.body_len = strlen(body),
		.started_ms = NOW * 1000,
		.error = status == 0 ? "no route" : "" };

	must(db_transact(
	    s->db, DB_WAIT_MS, conclude, &(struct concluding){ g, &answer }));
	deliver_free(&g->job);
}

/* Checks the state of the delivery, and what is kept of the number. */
static void
check(struct store *s, const char *delivery, const char *state,
    const char *detail)
{
	store_check(
	    s, "SELECT state FROM outbox WHERE channel = 'twilio'", delivery);
	store_check(s,
	    "SELECT twilio_state FROM number WHERE number = '" MASK_1 "'",
	    state);
	store_check(s,
	    "SELECT twilio_detail FROM number WHERE number = '" MASK_1 "'",
	    detail);
	assert_int_equal(store_int(s, "SELECT twilio_checked_at FROM number"
				      " WHERE number = '" MASK_1 "'"),
	    NOW);
}

static void
check_look(const struct stage *g)
{
	assert_string_equal(g->job.rest.http.method, "GET");
	assert_string_equal(g->job.rest.http.url,
	    "https://api.example/2010-04-01/Accounts/AC1/"
	    "IncomingPhoneNumbers.json?PhoneNumber=%2B12025550191");
}

static void
test_a_look_sets_nothing(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage(&g, s, OUTBOX_NUMBER_CHECK);
	check_look(&g);
	answer(&g, s, 200, LIST(NUMBER(RIGHT)));
	check(s, "done", "right", "");
	stage(&g, s, OUTBOX_NUMBER_CHECK);
	answer(&g, s, 200, LIST(NUMBER(RIGHT ",\"sms_method\":\"GET\"")));
	check(s, "done", "wrong", "sms_method is GET, should be POST");
	assert_int_equal(
	    store_int(s, "SELECT sum(twilio_differs) FROM number"), 0);
	stage(&g, s, OUTBOX_NUMBER_CHECK);
	answer(&g, s, 200, LIST(""));
	check(s, "done", "missing", "it is not in the account");
	/* Also where something was about to be set. */
	store_run(
	    s, "UPDATE number SET twilio_differs = 1, twilio_sid = '" SID "'");
	must(outbox_put(s->db,
	    &(struct outbox_item){ .service_id = s->service.id,
		.kind = OUTBOX_NUMBER_CHECK,
		.subject_id = MASK_1 },
	    NOW * 1000));
	claim(&g, s);
	check_look(&g);
	deliver_free(&g.job);
	/* One with the same digits in it is another. */
	stage(&g, s, OUTBOX_NUMBER_CHECK);
	answer(&g, s, 200,
	    LIST("{\"sid\":\"" SID "\",\"phone_number\":\"" MASK_1 "9\"}"));
	check(s, "done", "missing", "it is not in the account");
}

static void
test_what_differs_is_set(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage(&g, s, OUTBOX_NUMBER_SET);
	check_look(&g);
	answer(&g, s, 200,
	    LIST(NUMBER(RIGHT ",\"sms_method\":\"GET\","
			      "\"trunk_sid\":\"TK1\"")));
	check(s, "waiting", "wrong",
	    "sms_method is GET, should be POST; trunk_sid is TK1");
	claim(&g, s);
	assert_string_equal(g.job.rest.http.method, "POST");
	assert_string_equal(g.job.rest.http.url,
	    "https://api.example/2010-04-01/Accounts/AC1/"
	    "IncomingPhoneNumbers/" SID ".json");
	assert_string_equal(g.job.rest.http.body, "SmsMethod=POST");
	answer(&g, s, 200, NUMBER(RIGHT ",\"trunk_sid\":\"TK1\""));
	check(s, "done", "wrong", "trunk_sid is TK1");
	/* Nothing of ours differs: nothing is set. */
	stage(&g, s, OUTBOX_NUMBER_SET);
	check_look(&g);
	answer(&g, s, 200, LIST(NUMBER(RIGHT ",\"trunk_sid\":\"TK1\"")));
	check(s, "done", "wrong", "trunk_sid is TK1");
}

/* What Twilio does not take is not sent for ever. */
static void
test_a_setting_that_does_not_take(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage(&g, s, OUTBOX_NUMBER_SET);
	answer(&g, s, 200, LIST(NUMBER(RIGHT ",\"sms_method\":\"GET\"")));
	claim(&g, s);
	answer(&g, s, 200, NUMBER(RIGHT ",\"sms_method\":\"GET\""));
	check(s, "done", "wrong", "sms_method is GET, should be POST");
}

/* Whatever happened to the request, it is looked up again first. */
static void
test_a_lost_answer_is_looked_up(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage(&g, s, OUTBOX_NUMBER_SET);
	answer(&g, s, 200, LIST(NUMBER(RIGHT ",\"sms_method\":\"GET\"")));
	claim(&g, s);
	answer(&g, s, 0, "");
	check(s, "waiting", "failed", "no answer from Twilio: no route");
	g.deliver.mask.now_ms += 60000;
	claim(&g, s);
	check_look(&g);
	g.deliver.mask.now_ms = NOW * 1000;
	answer(&g, s, 200, LIST(NUMBER(RIGHT)));
	check(s, "done", "right", "");
}

static void
test_failures_are_told_and_tried_again(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage(&g, s, OUTBOX_NUMBER_CHECK);
	answer(&g, s, 401, "{\"code\":20003}");
	store_check(s, "SELECT state FROM outbox", "waiting");
	store_check(s,
	    "SELECT twilio_state FROM number WHERE number = '" MASK_1 "'",
	    "failed");
	stage(&g, s, OUTBOX_NUMBER_CHECK);
	answer(&g, s, 503, "");
	store_check(s, "SELECT state FROM outbox", "waiting");
	stage(&g, s, OUTBOX_NUMBER_CHECK);
	answer(&g, s, 200, "{}");
	check(s, "waiting", "failed",
	    "Twilio did not tell: not a list of numbers");
	/* Not for ever: somebody waits for it. */
	stage(&g, s, OUTBOX_NUMBER_CHECK);
	g.deliver.mask.now_ms += 600 * 1000;
	answer(&g, s, 0, "");
	store_check(
	    s, "SELECT state FROM outbox WHERE channel = 'twilio'", "parked");
	store_check(s,
	    "SELECT twilio_state FROM number WHERE number = '" MASK_1 "'",
	    "failed");
}

static void
test_a_refusal_is_parked(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage(&g, s, OUTBOX_NUMBER_CHECK);
	answer(&g, s, 403, "{\"code\":20403}");
	store_check(
	    s, "SELECT state FROM outbox WHERE channel = 'twilio'", "parked");
	store_check(s,
	    "SELECT twilio_state FROM number WHERE number = '" MASK_1 "'",
	    "failed");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_a_look_sets_nothing),
		STORE_TEST(test_what_differs_is_set),
		STORE_TEST(test_a_setting_that_does_not_take),
		STORE_TEST(test_a_lost_answer_is_looked_up),
		STORE_TEST(test_failures_are_told_and_tried_again),
		STORE_TEST(test_a_refusal_is_parked),
	};

	return cmocka_run_group_tests_name("deliver_number", tests, NULL, NULL);
}
