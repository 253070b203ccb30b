/* What events are signed with: secrets, their rotation, signatures. */

#include "test.h"

#include "hook.h"
#include "store.h"

/* Bytes 0 to 31 and 32 to 63, and what HMAC-SHA256 by Python's hmac makes of
 * evt_01.1800000000.BODY. */
#define SECRET_1 "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define SECRET_2 "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
#define BODY "{\"type\":\"call.ended\"}"
#define SIGNATURE_1 "v1,8bjnSbSTzmF0NsSv5BsOtUz8ZPWvV66TDgcCJZbixpY="
#define SIGNATURE_2 "v1,+rH5I+G3babk//eZhsIrr6MubncWdmgKt6aJBvVXbRo="

static const struct hook_message message = { .id = "evt_01",
	.timestamp = NOW,
	.body = BODY,
	.body_len = sizeof BODY - 1 };

/* Makes a secret for the service, at seconds after NOW. */
static void
add(struct store *s, struct hook_secret *secret, int64_t seconds)
{
	must(hook_add(
	    s->db, &s->keys, s->service.id, secret, (NOW + seconds) * 1000));
}

/* Reads what signs at seconds after NOW, and says how many. */
static int
list(struct store *s, int64_t seconds, struct hook_secret *out)
{
	int len;

	must(hook_list(
	    s->db, &s->keys, s->service.id, NOW + seconds, out, &len));
	return len;
}

static void
test_sign_by_one_and_by_two(void **state)
{
	const struct hook_secret secrets[2] = { { .text = SECRET_1 },
		{ .text = SECRET_2 } };
	char signature[HOOK_SIGNATURE_SIZE];

	(void)state;
	must(hook_sign(signature, secrets, 1, &message));
	assert_string_equal(signature, SIGNATURE_1);
	must(hook_sign(signature, secrets, 2, &message));
	assert_string_equal(signature, SIGNATURE_1 " " SIGNATURE_2);
}

static void
test_sign_by_the_most_there_may_be(void **state)
{
	struct hook_secret secrets[HOOK_SECRETS_MAX + 1];
	char signature[HOOK_SIGNATURE_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(secrets); i++)
		secrets[i] = (struct hook_secret){ .text = SECRET_1 };
	must(hook_sign(signature, secrets, LENGTH(secrets), &message));
	assert_int_equal(strlen(signature), HOOK_SIGNATURE_SIZE - 1);
}

/* The signature is over all three. */
static void
test_sign_changes_with_everything(void **state)
{
	const struct hook_secret secret = { .text = SECRET_1 };
	const struct hook_message others[] = {
		{ "evt_02", NOW, BODY, sizeof BODY - 1 },
		{ "evt_01", NOW + 1, BODY, sizeof BODY - 1 },
		{ "evt_01", NOW, BODY, sizeof BODY - 2 },
	};
	char signature[HOOK_SIGNATURE_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(others); i++) {
		must(hook_sign(signature, &secret, 1, &others[i]));
		assert_string_not_equal(signature, SIGNATURE_1);
	}
}

static void
test_sign_refuses_what_is_no_secret(void **state)
{
	static const char *const texts[] = { "", "whsec_", "whsec_AAEC",
		"whsek_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
		"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8?" };
	char signature[HOOK_SIGNATURE_SIZE];
	struct hook_secret secret;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(texts); i++) {
		secret = (struct hook_secret){ .id = "" };
		strcpy(secret.text, texts[i]);
		assert_int_equal(
		    hook_sign(signature, &secret, 1, &message), RC_CORRUPT);
	}
}

static void
test_add_makes_a_secret_of_its_form(void **state)
{
	struct store *s = *state;
	struct hook_secret secret, other, found[HOOK_SECRETS_MAX];
	uint8_t key[32];

	add(s, &secret, 0);
	assert_true(id_valid(secret.id, "whs"));
	assert_memory_equal(secret.text, "whsec_", 6);
	must(crypto_unbase64(key, sizeof key, secret.text + 6));
	add(s, &other, 1);
	assert_string_not_equal(secret.text, other.text);
	assert_int_equal(list(s, 2, found), 2);
	assert_string_equal(found[0].id, other.id);
	assert_string_equal(found[0].text, other.text);
	assert_string_equal(found[1].text, secret.text);
	assert_int_equal(found[1].created_at, NOW);
	assert_int_equal(found[1].retires_at, 0);
}

static void
test_add_keeps_it_sealed(void **state)
{
	struct store *s = *state;
	struct hook_secret secret;

	add(s, &secret, 0);
	store_lacks(s, secret.text + 6);
}

static void
test_add_needs_a_key(void **state)
{
	struct store *s = *state;
	const struct crypto_keys none = { .sealing_len = 0 };
	struct hook_secret secret;

	assert_int_equal(
	    hook_add(s->db, &none, s->service.id, &secret, NOW * 1000),
	    RC_UNAVAILABLE);
	assert_string_equal(secret.text, "");
	assert_int_equal(
	    store_int(s, "SELECT count(*) FROM webhook_secret"), 0);
}

static void
test_list_knows_services_apart(void **state)
{
	struct store *s = *state;
	struct hook_secret secret, found[HOOK_SECRETS_MAX];
	struct service other;
	int len;

	store_service(s, &other, "food", "");
	must(hook_add(s->db, &s->keys, other.id, &secret, NOW * 1000));
	assert_int_equal(list(s, 0, found), 0);
	must(hook_list(s->db, &s->keys, other.id, NOW, found, &len));
	assert_int_equal(len, 1);
}

static void
test_retire_ends_all_but_the_newest(void **state)
{
	struct store *s = *state;
	struct hook_secret first, second, third, found[HOOK_SECRETS_MAX];

	add(s, &first, 0);
	add(s, &second, 1);
	must(hook_retire(s->db, s->service.id, NOW + 100));
	assert_int_equal(list(s, 99, found), 2);
	assert_int_equal(found[0].retires_at, 0);
	assert_int_equal(found[1].retires_at, NOW + 100);
	assert_int_equal(list(s, 100, found), 1);
	assert_string_equal(found[0].text, second.text);
	/* What is to end sooner stays so. */
	add(s, &third, 2);
	must(hook_retire(s->db, s->service.id, NOW + 200));
	assert_int_equal(list(s, 99, found), 3);
	assert_int_equal(found[1].retires_at, NOW + 200);
	assert_int_equal(found[2].retires_at, NOW + 100);
	/* What is to end later does not. */
	must(hook_retire(s->db, s->service.id, NOW + 50));
	assert_int_equal(list(s, 50, found), 1);
	assert_string_equal(found[0].text, third.text);
}

static void
test_ensure_makes_one_for_who_has_none(void **state)
{
	struct store *s = *state;
	struct hook_secret secret, again, found[HOOK_SECRETS_MAX];

	must(hook_ensure(s->db, &s->keys, s->service.id, &secret, NOW * 1000));
	assert_int_equal(strlen(secret.text), HOOK_SECRET_SIZE - 1);
	must(hook_ensure(
	    s->db, &s->keys, s->service.id, &again, (NOW + 1) * 1000));
	assert_string_equal(again.text, "");
	assert_int_equal(list(s, 1, found), 1);
	assert_string_equal(found[0].text, secret.text);
}

static void
test_list_has_the_newest_when_there_are_many(void **state)
{
	struct store *s = *state;
	struct hook_secret secret, found[HOOK_SECRETS_MAX];
	int i;

	for (i = 0; i <= HOOK_SECRETS_MAX; i++)
		add(s, &secret, i);
	assert_int_equal(list(s, 10, found), HOOK_SECRETS_MAX);
	assert_string_equal(found[0].text, secret.text);
	assert_int_equal(found[HOOK_SECRETS_MAX - 1].created_at, NOW + 1);
}

/* A secret opens in its own row only. */
static void
test_list_tells_corruption(void **state)
{
	struct store *s = *state;
	struct hook_secret secret, found[HOOK_SECRETS_MAX];
	int len;

	add(s, &secret, 0);
	store_run(s, "UPDATE webhook_secret SET id = 'whs_other'");
	assert_int_equal(
	    hook_list(s->db, &s->keys, s->service.id, NOW, found, &len),
	    RC_CORRUPT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sign_by_one_and_by_two),
		cmocka_unit_test(test_sign_by_the_most_there_may_be),
		cmocka_unit_test(test_sign_changes_with_everything),
		cmocka_unit_test(test_sign_refuses_what_is_no_secret),
		STORE_TEST(test_add_makes_a_secret_of_its_form),
		STORE_TEST(test_add_keeps_it_sealed),
		STORE_TEST(test_add_needs_a_key),
		STORE_TEST(test_list_knows_services_apart),
		STORE_TEST(test_retire_ends_all_but_the_newest),
		STORE_TEST(test_ensure_makes_one_for_who_has_none),
		STORE_TEST(test_list_has_the_newest_when_there_are_many),
		STORE_TEST(test_list_tells_corruption),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
