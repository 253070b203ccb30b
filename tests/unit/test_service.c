/* Services: kept, found, and which countries they allow. */

#include "test.h"

#include "store.h"

static struct service
sample(const char *name)
{
	struct service service = {
		.countries = "DE FR",
		.ttl_default_s = 11,
		.ttl_max_s = 12,
		.hold_s = 13,
		.call_limit_s = 14,
		.webhook_url = "https://app.example/hook",
	};

	snprintf(service.name, sizeof service.name, "%s", name);
	return service;
}

static void
check_same(const struct service *a, const struct service *b)
{
	assert_string_equal(a->id, b->id);
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->countries, b->countries);
	assert_int_equal(a->ttl_default_s, b->ttl_default_s);
	assert_int_equal(a->ttl_max_s, b->ttl_max_s);
	assert_int_equal(a->hold_s, b->hold_s);
	assert_int_equal(a->call_limit_s, b->call_limit_s);
}

static void
test_insert_stores_all(void **state)
{
	struct store *s = *state;
	struct service service = sample("rides"), found;

	must(service_insert(s->db, &service, NOW * 1000 + 999));
	assert_true(id_valid(service.id, "svc"));
	must(service_find(s->db, &found, service.id));
	check_same(&found, &service);
	assert_string_equal(found.name, "rides");
	assert_string_equal(found.countries, "DE FR");
	assert_int_equal(found.ttl_default_s, 11);
	assert_int_equal(found.ttl_max_s, 12);
	assert_int_equal(found.hold_s, 13);
	assert_int_equal(found.call_limit_s, 14);
	store_check(s, "SELECT webhook_url FROM service WHERE name = 'rides'",
	    "https://app.example/hook");
	assert_int_equal(store_int(s, "SELECT event_seq FROM service "
				      "WHERE name = 'rides'"),
	    0);
	assert_int_equal(store_int(s, "SELECT created_at FROM service "
				      "WHERE name = 'rides'"),
	    NOW);
}

static void
test_insert_without_webhook_stores_null(void **state)
{
	struct store *s = *state;

	store_check(s, "SELECT webhook_url FROM service", "(null)");
}

static void
test_insert_refuses_a_taken_name(void **state)
{
	struct store *s = *state;
	struct service service = sample("taxi"), found;

	assert_int_equal(
	    service_insert(s->db, &service, NOW * 1000), RC_EXISTS);
	must(service_find_name(s->db, &found, "taxi"));
	check_same(&found, &s->service);
	assert_int_equal(store_int(s, "SELECT count(*) FROM service"), 1);
}

/* The database keeps settings within reason, whoever writes them. */
static void
test_insert_refuses_bounds(void **state)
{
	struct store *s = *state;
	struct service service[5];
	size_t i;

	for (i = 0; i < LENGTH(service); i++)
		service[i] = sample("rides");
	service[0].ttl_default_s = 0;
	service[1].ttl_default_s = service[1].ttl_max_s + 1;
	service[2].hold_s = -1;
	service[3].call_limit_s = 0;
	service[4].ttl_default_s = -1;
	for (i = 0; i < LENGTH(service); i++)
		assert_int_equal(
		    service_insert(s->db, &service[i], NOW * 1000), RC_RETRY);
	assert_int_equal(store_int(s, "SELECT count(*) FROM service"), 1);
	service[0] = sample("rides");
	service[0].ttl_default_s = service[0].ttl_max_s;
	service[0].hold_s = 0;
	must(service_insert(s->db, &service[0], NOW * 1000));
}

static void
test_find_refuses_unknown_ids(void **state)
{
	struct store *s = *state;
	struct service found = sample("untouched");

	assert_int_equal(service_find(s->db, &found, ""), RC_NOT_FOUND);
	assert_int_equal(service_find(s->db, &found, "taxi"), RC_NOT_FOUND);
	assert_int_equal(
	    service_find(s->db, &found, "svc_00000000000000000000000000"),
	    RC_NOT_FOUND);
	assert_string_equal(found.name, "untouched");
}

static void
test_find_name_picks_the_named(void **state)
{
	struct store *s = *state;
	struct service rides = sample("rides"), found;

	must(service_insert(s->db, &rides, NOW * 1000));
	must(service_find_name(s->db, &found, "rides"));
	check_same(&found, &rides);
	must(service_find_name(s->db, &found, "taxi"));
	check_same(&found, &s->service);
}

static void
test_find_name_refuses_others(void **state)
{
	struct store *s = *state;
	struct service found = sample("untouched");

	assert_int_equal(service_find_name(s->db, &found, ""), RC_NOT_FOUND);
	assert_int_equal(
	    service_find_name(s->db, &found, "Taxi"), RC_NOT_FOUND);
	assert_int_equal(
	    service_find_name(s->db, &found, "taxi "), RC_NOT_FOUND);
	assert_int_equal(service_find_name(s->db, &found, "ta%"), RC_NOT_FOUND);
	assert_int_equal(
	    service_find_name(s->db, &found, s->service.id), RC_NOT_FOUND);
	assert_string_equal(found.name, "untouched");
}

static void
test_find_without_name_gives_the_only_one(void **state)
{
	struct store *s = *state;
	struct service found;

	must(service_find_name(s->db, &found, NULL));
	check_same(&found, &s->service);
}

static void
test_find_without_name_refuses_to_choose(void **state)
{
	struct store *s = *state;
	struct service rides = sample("rides"), found = sample("untouched");

	must(service_insert(s->db, &rides, NOW * 1000));
	assert_int_equal(service_find_name(s->db, &found, NULL), RC_NOT_FOUND);
	store_run(s, "DELETE FROM service");
	assert_int_equal(service_find_name(s->db, &found, NULL), RC_NOT_FOUND);
	assert_string_equal(found.name, "untouched");
}

static void
test_allows_listed_countries(void **state)
{
	const struct service one = { .countries = "US" };
	const struct service three = { .countries = "US CA DE" };
	const struct service blanks = { .countries = "  US   CA " };

	(void)state;
	must(service_allows(&one, "US"));
	must(service_allows(&three, "US"));
	must(service_allows(&three, "CA"));
	must(service_allows(&three, "DE"));
	must(service_allows(&blanks, "US"));
	must(service_allows(&blanks, "CA"));
}

static void
test_allows_refuses_the_rest(void **state)
{
	static const char *const others[] = { "", " ", "U", "S", "C", "us",
		"Us", "USA", "US CA", "SC", "S C", "GB", "FR", "A" };
	const struct service none = { .countries = "" };
	const struct service some = { .countries = "US CA DE" };
	const struct service blanks = { .countries = "   " };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(others); i++) {
		if (service_allows(&some, others[i]) != RC_COUNTRY)
			fail_msg("\"%s\" is allowed", others[i]);
		assert_int_equal(service_allows(&none, others[i]), RC_COUNTRY);
		assert_int_equal(
		    service_allows(&blanks, others[i]), RC_COUNTRY);
	}
	assert_int_equal(service_allows(&none, "US"), RC_COUNTRY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_insert_stores_all),
		STORE_TEST(test_insert_without_webhook_stores_null),
		STORE_TEST(test_insert_refuses_a_taken_name),
		STORE_TEST(test_insert_refuses_bounds),
		STORE_TEST(test_find_refuses_unknown_ids),
		STORE_TEST(test_find_name_picks_the_named),
		STORE_TEST(test_find_name_refuses_others),
		STORE_TEST(test_find_without_name_gives_the_only_one),
		STORE_TEST(test_find_without_name_refuses_to_choose),
		cmocka_unit_test(test_allows_listed_countries),
		cmocka_unit_test(test_allows_refuses_the_rest),
	};

	return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
