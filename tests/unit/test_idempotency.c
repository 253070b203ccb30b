/* Answers kept under an Idempotency-Key. */

#include "test.h"

#include "idempotency.h"
#include "store.h"

/* A question of the service whose fingerprint is made of one byte. */
static struct idempotency
ask(struct store *s, const char *key, int what)
{
	struct idempotency question = { s->service.id, key, { 0 } };

	memset(question.fingerprint, what, CRYPTO_HASH_SIZE);
	return question;
}

static void
answer(struct store *s, const struct idempotency *question, int status,
    const char *text, int64_t now)
{
	struct buf body;

	buf_init(&body, 0);
	buf_puts(&body, text);
	must(idempotency_insert(s->db, question, status, &body, now));
	buf_free(&body);
}

/* Checks what comes back for a question: an answer only with RC_OK. */
static void
check_find(struct store *s, const struct idempotency *question, enum rc rc,
    int status, const char *text)
{
	struct buf body;
	int got = 7;

	buf_init(&body, 0);
	assert_int_equal(idempotency_find(s->db, question, &got, &body), rc);
	assert_int_equal(got, rc == RC_OK ? status : 7);
	assert_string_equal(buf_text(&body), rc == RC_OK ? text : "");
	buf_free(&body);
}

static void
test_find_gives_the_first_answer(void **state)
{
	struct store *s = *state;
	struct idempotency question = ask(s, "k-1", 1);
	struct idempotency empty = ask(s, "k-2", 1);

	answer(s, &question, 201, "{\"id\":\"gr\303\274n\"}\n", NOW);
	answer(s, &empty, 204, "", NOW);
	check_find(s, &question, RC_OK, 201, "{\"id\":\"gr\303\274n\"}\n");
	check_find(s, &question, RC_OK, 201, "{\"id\":\"gr\303\274n\"}\n");
	check_find(s, &empty, RC_OK, 204, "");
}

static void
test_find_has_nothing_for_a_new_key(void **state)
{
	struct store *s = *state;
	struct idempotency kept = ask(s, "key", 1), question;

	question = kept;
	check_find(s, &question, RC_NONE, 0, "");
	answer(s, &kept, 201, "{}", NOW);
	question.key = "Key";
	check_find(s, &question, RC_NONE, 0, "");
	question.key = "key ";
	check_find(s, &question, RC_NONE, 0, "");
	question.key = "ke";
	check_find(s, &question, RC_NONE, 0, "");
	question.key = "";
	check_find(s, &question, RC_NONE, 0, "");
}

static void
test_keys_are_each_services_own(void **state)
{
	struct store *s = *state;
	struct idempotency ours = ask(s, "key", 1), theirs = ask(s, "key", 2);
	struct service other;

	store_service(s, &other, "rides", "");
	theirs.service_id = other.id;
	answer(s, &ours, 201, "ours", NOW);
	check_find(s, &theirs, RC_NONE, 0, "");
	answer(s, &theirs, 200, "theirs", NOW);
	check_find(s, &ours, RC_OK, 201, "ours");
	check_find(s, &theirs, RC_OK, 200, "theirs");
}

/* Another question, if only by a bit, and then the right one again. */
static void
test_find_refuses_another_question(void **state)
{
	struct store *s = *state;
	struct idempotency question = ask(s, "key", 1);
	int i;

	answer(s, &question, 201, "{}", NOW);
	for (i = 0; i < CRYPTO_HASH_SIZE; i++) {
		question.fingerprint[i] ^= 0x80;
		check_find(s, &question, RC_KEY_REUSED, 0, "");
		question.fingerprint[i] ^= 0x80;
	}
	check_find(s, &question, RC_OK, 201, "{}");
	/* A fingerprint that was cut does not match by its beginning. */
	store_run(s, "UPDATE idempotency SET fingerprint = x'0101'");
	check_find(s, &question, RC_KEY_REUSED, 0, "");
	store_run(s, "UPDATE idempotency SET fingerprint = x''");
	check_find(s, &question, RC_KEY_REUSED, 0, "");
}

static void
test_find_appends_to_what_is_there(void **state)
{
	struct store *s = *state;
	struct idempotency question = ask(s, "key", 1);
	struct buf body;
	int status;

	answer(s, &question, 201, "0123456789", NOW);
	buf_init(&body, 12);
	buf_puts(&body, "> ");
	must(idempotency_find(s->db, &question, &status, &body));
	assert_string_equal(buf_text(&body), "> 0123456789");
	assert_int_equal(
	    idempotency_find(s->db, &question, &status, &body), RC_MEMORY);
	buf_free(&body);
	check_find(s, &question, RC_OK, 201, "0123456789");
}

static void
test_insert_keeps_the_first_answer(void **state)
{
	struct store *s = *state;
	struct idempotency question = ask(s, "key", 1);
	struct buf body;

	answer(s, &question, 201, "first", NOW);
	buf_init(&body, 0);
	buf_puts(&body, "second");
	assert_int_equal(
	    idempotency_insert(s->db, &question, 500, &body, NOW), RC_RETRY);
	buf_free(&body);
	check_find(s, &question, RC_OK, 201, "first");
}

static void
test_insert_takes_the_longest_key(void **state)
{
	char key[IDEMPOTENCY_KEY_MAX + 1] = "";
	struct store *s = *state;
	struct idempotency question, shorter;

	memset(key, 'k', IDEMPOTENCY_KEY_MAX);
	question = ask(s, key, 1);
	shorter = ask(s, key + 1, 1);
	answer(s, &question, 201, "{}", NOW);
	check_find(s, &question, RC_OK, 201, "{}");
	check_find(s, &shorter, RC_NONE, 0, "");
}

static void
test_insert_forgets_after_two_days_to_the_second(void **state)
{
	struct store *s = *state;
	struct idempotency old = ask(s, "old", 1), young = ask(s, "young", 1);
	struct idempotency a = ask(s, "a", 1), b = ask(s, "b", 1);

	answer(s, &old, 201, "old", NOW);
	answer(s, &young, 201, "young", NOW + 1);
	answer(s, &a, 201, "a", NOW + 172800);
	check_find(s, &old, RC_OK, 201, "old");
	answer(s, &b, 201, "b", NOW + 172801);
	check_find(s, &old, RC_NONE, 0, "");
	check_find(s, &young, RC_OK, 201, "young");
	check_find(s, &a, RC_OK, 201, "a");
	/* What was forgotten may be asked anew. */
	answer(s, &old, 200, "anew", NOW + 172801);
	check_find(s, &old, RC_OK, 200, "anew");
}

/* Each new answer pays for some old ones, the oldest, and not for all. */
static void
test_insert_forgets_a_few_at_a_time(void **state)
{
	struct store *s = *state;
	struct idempotency question;
	int64_t left;
	char key[16];
	int i;

	for (i = 0; i < 60; i++) {
		snprintf(key, sizeof key, "old-%d", i);
		question = ask(s, key, 1);
		answer(s, &question, 201, "{}", NOW + i);
	}
	question = ask(s, "new-1", 1);
	answer(s, &question, 201, "{}", NOW + 200000);
	left = store_int(
	    s, "SELECT count(*) FROM idempotency WHERE key LIKE 'old-%'");
	assert_in_range(left, 20, 58);
	assert_int_equal(
	    store_int(s, "SELECT min(kept_until) FROM idempotency"),
	    NOW + IDEMPOTENCY_KEPT_S + 60 - left);
	for (i = 2; i < 40; i++) {
		snprintf(key, sizeof key, "new-%d", i);
		question = ask(s, key, 1);
		answer(s, &question, 201, "{}", NOW + 200000);
	}
	assert_int_equal(store_int(s, "SELECT count(*) FROM idempotency"
				      " WHERE key LIKE 'old-%'"),
	    0);
	assert_int_equal(store_int(s, "SELECT count(*) FROM idempotency"), 39);
}

/* The transaction that made the answer, and kept it, fails after all. */
static enum rc
answer_and_fail(struct db *db, void *cookie)
{
	struct store *s = cookie;
	struct idempotency question = ask(s, "key", 1);

	(void)db;
	answer(s, &question, 201, "{}", NOW);
	return RC_UNAVAILABLE;
}

static void
test_insert_falls_with_its_transaction(void **state)
{
	struct store *s = *state;
	struct idempotency question = ask(s, "key", 1);

	assert_int_equal(
	    db_transact(s->db, DB_WAIT_MS, answer_and_fail, s), RC_UNAVAILABLE);
	check_find(s, &question, RC_NONE, 0, "");
}

static void
test_insert_refuses_an_unknown_service(void **state)
{
	struct store *s = *state;
	struct idempotency question = ask(s, "key", 1);
	struct buf body;

	question.service_id = "svc_";
	buf_init(&body, 0);
	assert_int_equal(
	    idempotency_insert(s->db, &question, 201, &body, NOW), RC_RETRY);
	buf_free(&body);
	assert_int_equal(store_int(s, "SELECT count(*) FROM idempotency"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_find_gives_the_first_answer),
		STORE_TEST(test_find_has_nothing_for_a_new_key),
		STORE_TEST(test_keys_are_each_services_own),
		STORE_TEST(test_find_refuses_another_question),
		STORE_TEST(test_find_appends_to_what_is_there),
		STORE_TEST(test_insert_keeps_the_first_answer),
		STORE_TEST(test_insert_takes_the_longest_key),
		STORE_TEST(test_insert_forgets_after_two_days_to_the_second),
		STORE_TEST(test_insert_forgets_a_few_at_a_time),
		STORE_TEST(test_insert_falls_with_its_transaction),
		STORE_TEST(test_insert_refuses_an_unknown_service),
	};

	return cmocka_run_group_tests_name("idempotency", tests, NULL, NULL);
}
