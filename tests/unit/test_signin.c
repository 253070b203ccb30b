/* Signing in: a token that is worth something for a while. */

#include "test.h"

#include "signin.h"
#include "store.h"

/* Makes a key of the service. */
static void
make_key(struct store *s, struct apikey *key, enum apikey_role role)
{
	char text[APIKEY_SIZE];

	*key = (struct apikey){ .name = "Zoë", .role = role };
	strcpy(key->service_id, s->service.id);
	must(apikey_insert(s->db, key, text, NOW * 1000));
}

/* Makes an operator's key and signs in with it at NOW. */
static void
sign_in(struct store *s, struct apikey *key, char token[SIGNIN_SIZE])
{
	make_key(s, key, APIKEY_OPERATOR);
	must(signin_begin(s->db, key->id, token, NOW));
}

static enum rc
check(struct store *s, const char *token, int64_t at)
{
	struct signin signin;

	return signin_check(s->db, &signin, token, at);
}

static void
test_who_may_sign_in(void **state)
{
	(void)state;
	assert_false(signin_allows(APIKEY_APP));
	assert_true(signin_allows(APIKEY_ADMIN));
	assert_true(signin_allows(APIKEY_OPERATOR));
	assert_true(signin_allows(APIKEY_VIEWER));
}

static void
test_a_token_tells_whose_it_is(void **state)
{
	struct store *s = *state;
	char token[SIGNIN_SIZE], other[SIGNIN_SIZE];
	struct signin signin;
	struct apikey key;

	sign_in(s, &key, token);
	assert_int_equal(strspn(token, "0123456789abcdef"), 64);
	must(signin_check(s->db, &signin, token, NOW));
	assert_string_equal(signin.key.id, key.id);
	assert_string_equal(signin.key.name, "Zoë");
	assert_string_equal(signin.key.service_id, s->service.id);
	assert_int_equal(signin.key.role, APIKEY_OPERATOR);
	assert_int_equal(signin.ends_at, NOW + 8 * 3600);
	assert_false(signin.unseen);
	must(signin_begin(s->db, key.id, other, NOW));
	assert_string_not_equal(token, other);
	must(check(s, token, NOW));
}

static void
test_only_a_hash_is_kept(void **state)
{
	struct store *s = *state;
	char token[SIGNIN_SIZE], hex[65];
	uint8_t hash[CRYPTO_SHA256_SIZE];
	struct apikey key;

	sign_in(s, &key, token);
	crypto_sha256(hash, token, 64);
	crypto_hex(hex, hash, sizeof hash);
	store_check(s, "SELECT lower(hex(token_hash)) FROM sign_in", hex);
	store_lacks(s, token);
	token[32] = '\0';
	store_lacks(s, token);
}

static void
test_what_is_no_token_is_refused(void **state)
{
	struct store *s = *state;
	char token[SIGNIN_SIZE], bent[SIGNIN_SIZE + 1];
	struct apikey key;
	size_t i;

	sign_in(s, &key, token);
	assert_int_equal(check(s, "", NOW), RC_UNAUTHORIZED);
	for (i = 0; i < SIGNIN_SIZE - 1; i++) {
		strcpy(bent, token);
		bent[i] = bent[i] == '0' ? '1' : '0';
		assert_int_equal(check(s, bent, NOW), RC_UNAUTHORIZED);
	}
	strcpy(bent, token);
	strcat(bent, "0");
	assert_int_equal(check(s, bent, NOW), RC_UNAUTHORIZED);
	bent[SIGNIN_SIZE - 2] = '\0';
	assert_int_equal(check(s, bent, NOW), RC_UNAUTHORIZED);
	assert_int_equal(signin_seen(s->db, "", NOW), RC_UNAUTHORIZED);
	must(check(s, token, NOW));
}

static void
test_unused_it_ends_after_15_minutes(void **state)
{
	struct store *s = *state;
	char token[SIGNIN_SIZE];
	struct signin signin;
	struct apikey key;

	sign_in(s, &key, token);
	must(signin_check(s->db, &signin, token, NOW + 59));
	assert_false(signin.unseen);
	must(signin_check(s->db, &signin, token, NOW + 60));
	assert_true(signin.unseen);
	must(check(s, token, NOW + 899));
	assert_int_equal(check(s, token, NOW + 900), RC_UNAUTHORIZED);
	must(signin_seen(s->db, token, NOW + 899));
	must(signin_check(s->db, &signin, token, NOW + 900));
	assert_false(signin.unseen);
	must(check(s, token, NOW + 899 + 899));
	assert_int_equal(check(s, token, NOW + 899 + 900), RC_UNAUTHORIZED);
}

static void
test_used_it_ends_after_8_hours(void **state)
{
	struct store *s = *state;
	char token[SIGNIN_SIZE];
	struct apikey key;

	sign_in(s, &key, token);
	must(signin_seen(s->db, token, NOW + 8 * 3600 - 1));
	must(check(s, token, NOW + 8 * 3600 - 1));
	assert_int_equal(check(s, token, NOW + 8 * 3600), RC_UNAUTHORIZED);
}

static void
test_it_ends_with_its_key(void **state)
{
	struct store *s = *state;
	char token[SIGNIN_SIZE], other[SIGNIN_SIZE];
	struct apikey key, another;

	sign_in(s, &key, token);
	sign_in(s, &another, other);
	must(apikey_revoke(s->db, s->service.id, key.id, NOW));
	assert_int_equal(check(s, token, NOW), RC_UNAUTHORIZED);
	must(check(s, other, NOW));
}

static void
test_signing_out(void **state)
{
	struct store *s = *state;
	char token[SIGNIN_SIZE], other[SIGNIN_SIZE];
	struct apikey key;

	sign_in(s, &key, token);
	must(signin_begin(s->db, key.id, other, NOW));
	must(signin_end(s->db, token));
	assert_int_equal(check(s, token, NOW), RC_UNAUTHORIZED);
	must(signin_seen(s->db, token, NOW));
	assert_int_equal(check(s, token, NOW), RC_UNAUTHORIZED);
	must(check(s, other, NOW));
	must(signin_end(s->db, token));
	must(signin_end(s->db, "nonsense"));
	store_check(s, "SELECT count(*) FROM sign_in", "1");
}

/* However a row with an app's key came about. */
static void
test_a_token_of_an_app_is_worth_nothing(void **state)
{
	struct store *s = *state;
	char token[SIGNIN_SIZE];
	struct apikey key;

	make_key(s, &key, APIKEY_APP);
	must(signin_begin(s->db, key.id, token, NOW));
	assert_int_equal(check(s, token, NOW), RC_UNAUTHORIZED);
}

static void
test_signing_in_forgets_what_has_ended(void **state)
{
	struct store *s = *state;
	char token[SIGNIN_SIZE];
	struct apikey key;
	int i;

	make_key(s, &key, APIKEY_VIEWER);
	for (i = 0; i < 20; i++)
		must(signin_begin(s->db, key.id, token, NOW));
	must(signin_begin(s->db, key.id, token, NOW + 8 * 3600));
	store_check(s, "SELECT count(*) FROM sign_in", "21");
	must(signin_begin(s->db, key.id, token, NOW + 8 * 3600 + 1));
	store_check(s, "SELECT count(*) FROM sign_in", "6");
	must(check(s, token, NOW + 8 * 3600 + 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_may_sign_in),
		STORE_TEST(test_a_token_tells_whose_it_is),
		STORE_TEST(test_only_a_hash_is_kept),
		STORE_TEST(test_what_is_no_token_is_refused),
		STORE_TEST(test_unused_it_ends_after_15_minutes),
		STORE_TEST(test_used_it_ends_after_8_hours),
		STORE_TEST(test_it_ends_with_its_key),
		STORE_TEST(test_signing_out),
		STORE_TEST(test_a_token_of_an_app_is_worth_nothing),
		STORE_TEST(test_signing_in_forgets_what_has_ended),
	};

	return cmocka_run_group_tests_name("signin", tests, NULL, NULL);
}
