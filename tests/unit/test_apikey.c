/* API keys: made once, checked by a hash, revoked for good. */

#include "test.h"

#include "apikey.h"
#include "store.h"

#define HEX "0123456789abcdef"

/* Makes a key of the service. */
static void
make(struct store *s, struct apikey *key, enum apikey_role role,
    char text[APIKEY_SIZE])
{
	*key = (struct apikey){ .name = "app one", .role = role };
	strcpy(key->service_id, s->service.id);
	must(apikey_insert(s->db, key, text, NOW * 1000));
}

static void
check_refused(struct store *s, const char *text)
{
	struct apikey found = { .name = "untouched" };

	if (apikey_check(s->db, &found, text) != RC_UNAUTHORIZED)
		fail_msg("\"%s\" passed", text);
	assert_string_equal(found.name, "untouched");
	assert_string_equal(found.service_id, "");
}

static void
test_insert_makes_a_key_of_its_form(void **state)
{
	struct store *s = *state;
	char text[APIKEY_SIZE], again[APIKEY_SIZE];
	struct apikey key, other;

	make(s, &key, APIKEY_APP, text);
	assert_true(id_valid(key.id, "key"));
	assert_int_equal(strlen(text), 94);
	assert_memory_equal(text, "cm_", 3);
	assert_memory_equal(text + 3, key.id + 4, 26);
	assert_int_equal(text[29], '_');
	assert_int_equal(strspn(text + 30, HEX), 64);
	make(s, &other, APIKEY_APP, again);
	assert_string_not_equal(key.id, other.id);
	assert_memory_not_equal(text + 30, again + 30, 64);
}

/* Only the SHA-256 of the secret part stays. */
static void
test_insert_keeps_no_secret(void **state)
{
	struct store *s = *state;
	uint8_t hash[CRYPTO_SHA256_SIZE];
	char text[APIKEY_SIZE], hex[65];
	struct apikey key;

	make(s, &key, APIKEY_APP, text);
	crypto_sha256(hash, text + 30, 64);
	crypto_hex(hex, hash, sizeof hash);
	store_check(s, "SELECT lower(hex(secret_hash)) FROM api_key", hex);
	store_lacks(s, text + 30);
	text[62] = '\0';
	store_lacks(s, text + 30);
	store_check(s, "SELECT id || name || role || created_at FROM api_key",
	    strcat(strcpy(text, key.id), "app oneapp1800000000"));
}

static void
test_insert_refuses_an_unknown_service(void **state)
{
	struct store *s = *state;
	struct apikey key = { .service_id = "svc_", .name = "x" };
	char text[APIKEY_SIZE] = "untouched";

	assert_int_equal(
	    apikey_insert(s->db, &key, text, NOW * 1000), RC_RETRY);
	assert_string_equal(text, "untouched");
}

static void
test_check_says_who_holds_it(void **state)
{
	struct store *s = *state;
	char app[APIKEY_SIZE], admin[APIKEY_SIZE], theirs[APIKEY_SIZE];
	struct apikey app_key, admin_key, their_key, found;
	struct service other;

	make(s, &app_key, APIKEY_APP, app);
	make(s, &admin_key, APIKEY_ADMIN, admin);
	store_service(s, &other, "rides", "");
	their_key = (struct apikey){ .name = "theirs" };
	strcpy(their_key.service_id, other.id);
	must(apikey_insert(s->db, &their_key, theirs, NOW * 1000));
	must(apikey_check(s->db, &found, app));
	assert_string_equal(found.id, app_key.id);
	assert_string_equal(found.service_id, s->service.id);
	assert_int_equal(found.role, APIKEY_APP);
	must(apikey_check(s->db, &found, admin));
	assert_string_equal(found.id, admin_key.id);
	assert_int_equal(found.role, APIKEY_ADMIN);
	must(apikey_check(s->db, &found, theirs));
	assert_string_equal(found.id, their_key.id);
	assert_string_equal(found.service_id, other.id);
}

static void
test_find_reads_a_key_of_the_service(void **state)
{
	struct store *s = *state;
	struct apikey key, found;
	struct service other;
	char text[APIKEY_SIZE];

	make(s, &key, APIKEY_VIEWER, text);
	must(apikey_find(s->db, s->service.id, key.id, &found));
	assert_string_equal(found.id, key.id);
	assert_string_equal(found.name, "app one");
	assert_int_equal(found.role, APIKEY_VIEWER);
	assert_int_equal(found.created_at, NOW);
	assert_int_equal(found.revoked_at, 0);
	must(apikey_revoke(s->db, s->service.id, key.id, NOW + 5));
	must(apikey_find(s->db, s->service.id, key.id, &found));
	assert_int_equal(found.revoked_at, NOW + 5);
	store_service(s, &other, "rides", "");
	assert_int_equal(
	    apikey_find(s->db, other.id, key.id, &found), RC_NOT_FOUND);
	assert_int_equal(
	    apikey_find(s->db, s->service.id, "key_", &found), RC_NOT_FOUND);
}

static void
test_names_of_holders(void **state)
{
	char longest[65];
	static const char *const bad[] = { "", "a\nb", "\x7f", "\xff", "\xc3",
		"\x01" };
	struct fault fault;
	size_t i;

	(void)state;
	memset(longest, 'x', sizeof longest);
	longest[64] = '\0';
	assert_int_equal(apikey_check_name(longest, &fault), RC_INVALID);
	assert_string_equal(fault.field, "name");
	longest[63] = '\0';
	must(apikey_check_name(longest, &fault));
	must(apikey_check_name("Zoë Ward, 2nd", NULL));
	for (i = 0; i < LENGTH(bad); i++)
		if (apikey_check_name(bad[i], NULL) != RC_INVALID)
			fail_msg("name %zu passed", i);
}

static void
test_check_refuses_a_wrong_secret(void **state)
{
	struct store *s = *state;
	char text[APIKEY_SIZE];
	struct apikey key, found;
	int i;

	make(s, &key, APIKEY_APP, text);
	for (i = 30; i < 94; i++) {
		text[i] ^= 1;
		check_refused(s, text);
		text[i] ^= 1;
	}
	must(apikey_check(s->db, &found, text));
}

/* In capitals the secret means the same number; it is another secret. */
static void
test_check_refuses_capitals(void **state)
{
	struct store *s = *state;
	char text[APIKEY_SIZE], *letter;
	struct apikey key;

	make(s, &key, APIKEY_APP, text);
	letter = text + 30 + strcspn(text + 30, "abcdef");
	if (*letter != '\0') {
		*letter ^= 0x20;
		check_refused(s, text);
		*letter ^= 0x20;
	}
	text[0] = 'C';
	check_refused(s, text);
}

static void
test_check_refuses_an_unknown_id(void **state)
{
	struct store *s = *state;
	char text[APIKEY_SIZE], other[APIKEY_SIZE];
	struct apikey key, other_key;
	int i;

	make(s, &key, APIKEY_APP, text);
	make(s, &other_key, APIKEY_APP, other);
	for (i = 3; i < 29; i++) {
		char was = text[i];

		text[i] = was == '0' ? '1' : '0';
		check_refused(s, text);
		text[i] = was;
	}
	/* One key's id with another's secret. */
	memcpy(text + 3, other + 3, 26);
	check_refused(s, text);
}

static void
test_check_refuses_other_lengths(void **state)
{
	struct store *s = *state;
	char text[APIKEY_SIZE], longer[200], *cut;
	struct apikey key;
	size_t i;

	make(s, &key, APIKEY_APP, text);
	for (i = 0; i < 94; i++) {
		/* On the heap, so that reading on would be seen. */
		assert_non_null(cut = strndup(text, i));
		check_refused(s, cut);
		free(cut);
		check_refused(s, text + 94 - i);
	}
	snprintf(longer, sizeof longer, "%s0", text);
	check_refused(s, longer);
	snprintf(longer, sizeof longer, "%s ", text);
	check_refused(s, longer);
	snprintf(longer, sizeof longer, " %s", text);
	check_refused(s, longer);
	snprintf(longer, sizeof longer, "%s%s", text, text);
	check_refused(s, longer);
}

static void
test_check_refuses_other_forms(void **state)
{
	static const struct {
		int at;
		char with;
	} rows[] = { { 0, 'x' }, { 1, 'M' }, { 2, '-' }, { 3, 'U' },
		{ 28, 'i' }, { 28, '\'' }, { 28, '%' }, { 28, '_' },
		{ 29, '-' }, { 29, '0' }, { 30, 'g' }, { 93, '_' },
		{ 93, '\xff' } };
	struct store *s = *state;
	char text[APIKEY_SIZE];
	struct apikey key;
	size_t i;

	make(s, &key, APIKEY_APP, text);
	for (i = 0; i < LENGTH(rows); i++) {
		char was = text[rows[i].at];

		text[rows[i].at] = rows[i].with;
		check_refused(s, text);
		text[rows[i].at] = was;
	}
}

/* A row without a usable hash opens to nobody. */
static void
test_check_refuses_a_broken_hash(void **state)
{
	struct store *s = *state;
	char text[APIKEY_SIZE], hex[65], sql[128];
	uint8_t hash[CRYPTO_SHA256_SIZE];
	struct apikey key, found;
	int i;

	make(s, &key, APIKEY_APP, text);
	/* Wrong in its last byte alone. */
	store_run(s, "UPDATE api_key SET secret_hash ="
		     " substr(secret_hash, 1, 31) || CASE WHEN"
		     " substr(secret_hash, 32) = x'00' THEN x'01'"
		     " ELSE x'00' END");
	check_refused(s, text);
	/* Cut by a byte that is zero. */
	for (i = 0; i == 0 || hash[31] != 0; i++) {
		snprintf(text + 30, 65, "%064d", i);
		crypto_sha256(hash, text + 30, 64);
	}
	crypto_hex(hex, hash, 31);
	snprintf(
	    sql, sizeof sql, "UPDATE api_key SET secret_hash = x'%s00'", hex);
	store_run(s, sql);
	must(apikey_check(s->db, &found, text));
	store_run(
	    s, "UPDATE api_key SET secret_hash = substr(secret_hash, 1, 31)");
	check_refused(s, text);
	store_run(s, "UPDATE api_key SET secret_hash = secret_hash || x'0000'");
	check_refused(s, text);
	store_run(s, "UPDATE api_key SET secret_hash = x''");
	check_refused(s, text);
}

/* Nobody knows whether it is right: that is not a wrong key. */
static void
test_check_fails_without_its_table(void **state)
{
	struct store *s = *state;
	char text[APIKEY_SIZE];
	struct apikey key;

	make(s, &key, APIKEY_APP, text);
	store_drop(s, "api_key");
	assert_int_equal(apikey_check(s->db, &key, text), RC_UNAVAILABLE);
}

static void
test_revoke_for_good(void **state)
{
	struct store *s = *state;
	char text[APIKEY_SIZE], other[APIKEY_SIZE];
	struct apikey key, other_key, found;

	make(s, &key, APIKEY_APP, text);
	make(s, &other_key, APIKEY_APP, other);
	must(apikey_revoke(s->db, s->service.id, key.id, NOW + 5));
	check_refused(s, text);
	must(apikey_check(s->db, &found, other));
	/* Again: not a valid key any more, and the first time stands. */
	assert_int_equal(
	    apikey_revoke(s->db, s->service.id, key.id, NOW + 6), RC_NOT_FOUND);
	assert_int_equal(
	    store_int(s, "SELECT max(revoked_at) FROM api_key"), NOW + 5);
	check_refused(s, text);
}

static void
test_revoke_refuses_other_ids_and_services(void **state)
{
	struct store *s = *state;
	char text[APIKEY_SIZE];
	struct apikey key, found;
	struct service other;

	make(s, &key, APIKEY_APP, text);
	store_service(s, &other, "rides", "");
	assert_int_equal(
	    apikey_revoke(s->db, other.id, key.id, NOW), RC_NOT_FOUND);
	assert_int_equal(
	    apikey_revoke(s->db, s->service.id, "key_", NOW), RC_NOT_FOUND);
	assert_int_equal(
	    apikey_revoke(s->db, s->service.id, text, NOW), RC_NOT_FOUND);
	must(apikey_check(s->db, &found, text));
}

/* What apikey_list gave. */
struct listed {
	struct apikey keys[4];
	int len;
};

static void
keep(void *cookie, const struct apikey *key)
{
	struct listed *listed = cookie;

	assert_in_range(listed->len, 0, 3);
	listed->keys[listed->len++] = *key;
}

static void
test_list_oldest_first(void **state)
{
	struct store *s = *state;
	struct listed listed = { .len = 0 };
	struct apikey keys[2];
	char text[APIKEY_SIZE];
	struct service other;
	int i;

	store_service(s, &other, "rides", "");
	for (i = 1; i >= 0; i--) {
		keys[i] =
		    (struct apikey){ .role = i ? APIKEY_ADMIN : APIKEY_APP };
		strcpy(keys[i].service_id, s->service.id);
		snprintf(keys[i].name, sizeof keys[i].name, "key %d", i);
		must(apikey_insert(
		    s->db, &keys[i], text, (NOW + i) * 1000 + 999));
	}
	must(apikey_revoke(s->db, s->service.id, keys[1].id, NOW + 5));
	must(apikey_list(s->db, other.id, keep, &listed));
	assert_int_equal(listed.len, 0);
	must(apikey_list(s->db, s->service.id, keep, &listed));
	assert_int_equal(listed.len, 2);
	for (i = 0; i < 2; i++) {
		assert_string_equal(listed.keys[i].id, keys[i].id);
		assert_string_equal(listed.keys[i].name, keys[i].name);
		assert_string_equal(listed.keys[i].service_id, s->service.id);
		assert_int_equal(listed.keys[i].role, keys[i].role);
		assert_int_equal(listed.keys[i].created_at, NOW + i);
		assert_int_equal(
		    listed.keys[i].revoked_at, i == 1 ? NOW + 5 : 0);
	}
}

static void
test_role_names(void **state)
{
	(void)state;
	assert_string_equal(apikey_roles[APIKEY_APP], "app");
	assert_string_equal(apikey_roles[APIKEY_ADMIN], "admin");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_insert_makes_a_key_of_its_form),
		STORE_TEST(test_insert_keeps_no_secret),
		STORE_TEST(test_insert_refuses_an_unknown_service),
		STORE_TEST(test_check_says_who_holds_it),
		STORE_TEST(test_find_reads_a_key_of_the_service),
		cmocka_unit_test(test_names_of_holders),
		STORE_TEST(test_check_refuses_a_wrong_secret),
		STORE_TEST(test_check_refuses_capitals),
		STORE_TEST(test_check_refuses_an_unknown_id),
		STORE_TEST(test_check_refuses_other_lengths),
		STORE_TEST(test_check_refuses_other_forms),
		STORE_TEST(test_check_refuses_a_broken_hash),
		STORE_TEST(test_check_fails_without_its_table),
		STORE_TEST(test_revoke_for_good),
		STORE_TEST(test_revoke_refuses_other_ids_and_services),
		STORE_TEST(test_list_oldest_first),
		cmocka_unit_test(test_role_names),
	};

	return cmocka_run_group_tests_name("apikey", tests, NULL, NULL);
}
