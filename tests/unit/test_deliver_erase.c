/* What Twilio is to delete: the request, and what each answer means. */

#include "test.h"

#include "deliver.h"
#include "store.h"

#define RE_1 "RE00000000000000000000000000000001"
#define THING "Recordings/" RE_1

/* A thing on a receipt, and its delivery on lease. */
struct stage {
	struct deliver deliver;
	struct deliver_job job;
	struct conf conf;
	struct secrets secrets;
};

static void
stage(struct stage *g, struct store *s)
{
	int len;

	*g = (struct stage){ .deliver.mask = s->mask };
	strcpy(g->conf.twilio_api_url, "https://api.example");
	strcpy(g->secrets.account_sid, "AC1");
	strcpy(g->secrets.tokens[0], "token");
	g->deliver.conf = &g->conf;
	g->deliver.secrets = &g->secrets;
	must(outbox_put(s->db,
	    &(struct outbox_item){ .service_id = s->service.id,
		.kind = OUTBOX_ERASE,
		.subject_id = THING },
	    NOW * 1000));
	store_run(s,
	    "INSERT INTO recording SELECT 'rec_1', '" RE_1 "', NULL, NULL, id,"
	    " 'deleting', 5, 2, 0, NULL FROM service;"
	    "INSERT INTO erasure SELECT 'era_1', id, 'person', NULL, 0"
	    " FROM service;"
	    "INSERT INTO erasure_item VALUES ('era_1', '" THING "', NULL)");
	must(outbox_claim(s->db, s->service.id, OUTBOX_TWILIO, 1,
	    &g->job.delivery, &len, NOW * 1000));
	assert_int_equal(len, 1);
}

static void
test_prepare_deletes_by_name(void **state)
{
	struct store *s = *state;
	struct stage g;

	stage(&g, s);
	/* In doubt as well: nothing is looked up. */
	g.job.delivery.doubt = true;
	must(deliver_prepare(&g.deliver, &g.job));
	assert_string_equal(g.job.rest.http.method, "DELETE");
	assert_string_equal(g.job.rest.http.url,
	    "https://api.example/2010-04-01/Accounts/AC1/" THING ".json");
	assert_string_equal(g.job.rest.http.user, "AC1");
	assert_null(g.job.rest.http.body);
	assert_false(g.job.look);
	deliver_free(&g.job);
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

/* Checks what is left of a delivery after an answer, and whether the thing
 * counts as erased. */
static void
check_answer(struct store *s, int status, const char *body, bool sent,
    const char *state, bool gone)
{
	const struct http_answer answer = { .status = status,
		.sent = sent,
		.body = body,
		.body_len = strlen(body),
		.started_ms = NOW * 1000,
		.error = status == 0 ? "no answer" : "" };
	struct stage g;

	stage(&g, s);
	must(deliver_prepare(&g.deliver, &g.job));
	must(db_transact(
	    s->db, DB_WAIT_MS, conclude, &(struct concluding){ &g, &answer }));
	deliver_free(&g.job);
	store_check(s, "SELECT state FROM outbox WHERE kind = 'erase'", state);
	store_check(
	    s, "SELECT status FROM recording", gone ? "deleted" : "deleting");
	assert_int_equal(
	    store_int(s, "SELECT count(erased_at) FROM erasure_item"), gone);
	assert_int_equal(store_int(s, "SELECT count(*) FROM event"
				      " WHERE type = 'recording.deleted'"),
	    gone);
	/* For the next one. */
	store_run(s, "DELETE FROM attempt; DELETE FROM outbox;"
		     " DELETE FROM recording; DELETE FROM erasure_item;"
		     " DELETE FROM event WHERE type = 'recording.deleted';"
		     " DELETE FROM erasure");
}

static void
test_what_is_gone_is_done(void **state)
{
	struct store *s = *state;

	check_answer(s, 204, "", true, "done", true);
	/* Deleted before, by us or by somebody else. */
	check_answer(
	    s, 404, "{\"code\":20404,\"status\":404}", true, "done", true);
	check_answer(s, 404, "not JSON", true, "done", true);
}

static void
test_what_is_not_over_is_tried_later(void **state)
{
	struct store *s = *state;

	check_answer(s, 409, "{}", true, "waiting", false);
	check_answer(
	    s, 400, "{\"code\":20009,\"status\":400}", true, "waiting", false);
}

static void
test_failures_are_tried_again(void **state)
{
	struct store *s = *state;

	check_answer(s, 429, "{\"code\":20429}", true, "waiting", false);
	check_answer(s, 500, "", true, "waiting", false);
	check_answer(s, 503, "", true, "waiting", false);
	check_answer(s, 0, "", true, "waiting", false);
	check_answer(s, 0, "", false, "waiting", false);
	check_answer(s, 401, "{\"code\":20003}", true, "waiting", false);
}

static void
test_refusals_are_parked(void **state)
{
	struct store *s = *state;

	check_answer(s, 400, "{\"code\":20001}", true, "parked", false);
	check_answer(s, 403, "{}", true, "parked", false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_prepare_deletes_by_name),
		STORE_TEST(test_what_is_gone_is_done),
		STORE_TEST(test_what_is_not_over_is_tried_later),
		STORE_TEST(test_failures_are_tried_again),
		STORE_TEST(test_refusals_are_parked),
	};

	return cmocka_run_group_tests_name("deliver_erase", tests, NULL, NULL);
}
