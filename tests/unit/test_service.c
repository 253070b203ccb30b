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
		.language = "de",
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

/* Sets one setting of a service that has all defaults, and checks what it
 * then shows. */
static void
check_set(const char *name, const char *value, const char *shown)
{
	const struct service_setting *setting = service_settings;
	struct service service, before;
	struct fault fault = { .field = "" };
	char out[512];

	service_init(&service);
	before = service;
	if (service_set(&service, name, value, &fault) != RC_OK)
		fail_msg("%s=%s: %s", name, value, fault.detail);
	while (strcmp(setting->name, name) != 0)
		setting++;
	service_show(&service, setting, out, sizeof out);
	assert_string_equal(out, shown);
	/* Nothing else was changed. */
	for (setting = service_settings; setting->name != NULL; setting++) {
		char was[512];

		if (strcmp(setting->name, name) == 0)
			continue;
		service_show(&service, setting, out, sizeof out);
		service_show(&before, setting, was, sizeof was);
		assert_string_equal(out, was);
	}
}

static void
check_set_refused(const char *name, const char *value, enum rc rc)
{
	struct service service, before;
	struct fault fault = { .field = "" };

	service_init(&service);
	before = service;
	if (service_set(&service, name, value, &fault) != rc)
		fail_msg("%s=\"%s\"", name, value);
	assert_true(fault.detail[0] != '\0');
	assert_string_equal(fault.field, rc == RC_INVALID ? name : "");
	assert_memory_equal(&service, &before, sizeof service);
	assert_int_equal(service_set(&service, name, value, NULL), rc);
}

/* Every number, at its bounds and beyond. */
static void
test_set_numbers_within_bounds(void **state)
{
	static const char *const bad[] = { "", " ", "x", "1x", "1.5", "0x1",
		"1e3", "--1", "1 2", "9223372036854775808",
		"-9223372036854775809", "99999999999999999999999" };
	static const struct {
		const char *name, *least, *below, *most, *above, *standard;
	} rows[] = {
		{ "ttl-default", "1", "0", "31622400", "31622401", "7200" },
		{ "ttl-max", "1", "0", "31622400", "31622401", "2592000" },
		{ "hold", "0", "-1", "31622400", "31622401", "2592000" },
		{ "reuse-after", "0", "-1", "31622400", "31622401", "0" },
		{ "sticky", "0", "-1", "1", "2", "1" },
		{ "call-limit", "1", "0", "86400", "86401", "14400" },
		{ "ask-code", "0", "-1", "1", "2", "1" },
		{ "attestation", "0", "-1", "1", "2", "0" },
		{ "intents", "0", "-1", "1", "2", "0" },
		{ "screening", "0", "-1", "1", "2", "0" },
		{ "session-calls", "0", "-1", "1000000", "1000001", "0" },
		{ "person-calls", "0", "-1", "1000", "1001", "0" },
		{ "daily-minutes", "0", "-1", "100000000", "100000001", "0" },
		{ "expiring-notice", "0", "-1", "86400", "86401", "300" },
		{ "redact", "0", "-1", "1", "2", "0" },
		{ "record", "0", "-1", "1", "2", "0" },
		{ "keep-texts", "0", "-1", "3660", "3661", "0" },
		{ "keep-recordings", "1", "0", "3660", "3661", "30" },
		{ "keep", "0", "-1", "3660", "3661", "90" },
	};
	const struct service_setting *setting;
	struct service service;
	char out[32];
	size_t i, j, numbers = 0;

	(void)state;
	service_init(&service);
	for (setting = service_settings; setting->name != NULL; setting++)
		if (setting->kind == SERVICE_NUMBER)
			numbers++;
	assert_int_equal(numbers, LENGTH(rows));
	for (i = 0; i < LENGTH(rows); i++) {
		for (setting = service_settings;
		     strcmp(setting->name, rows[i].name) != 0; setting++)
			;
		service_show(&service, setting, out, sizeof out);
		assert_string_equal(out, rows[i].standard);
		check_set(rows[i].name, rows[i].least, rows[i].least);
		check_set(rows[i].name, rows[i].most, rows[i].most);
		check_set_refused(rows[i].name, rows[i].below, RC_INVALID);
		check_set_refused(rows[i].name, rows[i].above, RC_INVALID);
		for (j = 0; j < LENGTH(bad); j++)
			check_set_refused(rows[i].name, bad[j], RC_INVALID);
	}
}

/* All settings have a word of their own and say what they do. */
static void
test_settings_are_named(void **state)
{
	const struct service_setting *a, *b;

	(void)state;
	for (a = service_settings; a->name != NULL; a++) {
		assert_non_null(a->help);
		assert_in_range(strlen(a->help), 10, 100);
		assert_true(a->least <= a->most);
		for (b = a + 1; b->name != NULL; b++)
			assert_string_not_equal(a->name, b->name);
	}
	assert_int_equal(a - service_settings, 25);
}

static void
test_set_refuses_unknown_names(void **state)
{
	(void)state;
	check_set_refused("", "1", RC_NOT_FOUND);
	check_set_refused("Hold", "1", RC_NOT_FOUND);
	check_set_refused("hold ", "1", RC_NOT_FOUND);
	check_set_refused("hold_s", "1", RC_NOT_FOUND);
	check_set_refused("name", "x", RC_NOT_FOUND);
	check_set_refused("id", "x", RC_NOT_FOUND);
}

static void
test_set_countries(void **state)
{
	char many[400] = "US";
	int i;

	(void)state;
	check_set("countries", "US", "US");
	check_set("countries", "us,Ca  de", "US CA DE");
	check_set("countries", ", GB ,", "GB");
	check_set_refused("countries", "", RC_INVALID);
	check_set_refused("countries", " , ", RC_INVALID);
	check_set_refused("countries", "U", RC_INVALID);
	check_set_refused("countries", "USA", RC_INVALID);
	check_set_refused("countries", "US,ZZ", RC_INVALID);
	check_set_refused("countries", "US;CA", RC_INVALID);
	check_set_refused("countries", "\303\274", RC_INVALID);
	for (i = 0; i < 84; i++)
		strcat(many, " US");
	check_set("countries", many, many);
	strcat(many, " US");
	check_set_refused("countries", many, RC_INVALID);
}

static void
test_set_texts(void **state)
{
	static const char *const announcements[] = { "announce-caller",
		"announce-callee" };
	char text[300];
	size_t i;

	(void)state;
	check_set("support-number", "+12025550150", "+12025550150");
	check_set("support-number", "", "");
	check_set_refused("support-number", "12025550150", RC_INVALID);
	check_set_refused("support-number", "+1202555015000000", RC_INVALID);
	check_set_refused("support-number", "none", RC_INVALID);
	check_set("webhook-url", "https://a.example/x", "https://a.example/x");
	check_set("webhook-url", "", "");
	check_set("webhook-url", "http://localhost:1/", "http://localhost:1/");
	check_set_refused("webhook-url", "HTTPS://a.example/", RC_INVALID);
	check_set_refused("webhook-url", "a.example", RC_INVALID);
	memset(text, 'a', sizeof text);
	memcpy(text, "https://a/", 10);
	text[256] = '\0';
	check_set_refused("webhook-url", text, RC_INVALID);
	text[255] = '\0';
	check_set("webhook-url", text, text);
	check_set("language", "de", "de");
	check_set_refused("language", "", RC_INVALID);
	check_set_refused("language", "DE", RC_INVALID);
	check_set_refused("language", "deu", RC_INVALID);
	check_set_refused("language", "en-US", RC_INVALID);
	for (i = 0; i < LENGTH(announcements); i++) {
		check_set(
		    announcements[i], "F\303\274r Sie.", "F\303\274r Sie.");
		check_set(announcements[i], "", "");
		check_set(announcements[i], text, text);
		check_set_refused(announcements[i], "a\nb", RC_INVALID);
		check_set_refused(announcements[i], "a\033b", RC_INVALID);
		check_set_refused(announcements[i], "a\377", RC_INVALID);
		check_set_refused(
		    announcements[i], "a\357\277\276", RC_INVALID);
		check_set_refused(
		    announcements[i], "\357\277\277b", RC_INVALID);
		text[255] = 'a';
		text[256] = '\0';
		check_set_refused(announcements[i], text, RC_INVALID);
		text[255] = '\0';
	}
}

/* What fits by itself may not fit together, or not on this installation. */
static void
test_check(void **state)
{
	struct service service;
	struct fault fault = { .field = "" };

	(void)state;
	service_init(&service);
	must(service_check(&service, false, &fault));
	service.ttl_default_s = service.ttl_max_s + 1;
	assert_int_equal(service_check(&service, true, &fault), RC_INVALID);
	assert_string_equal(fault.field, "ttl-default");
	service.ttl_default_s = service.ttl_max_s;
	strcpy(service.webhook_url, "https://a.example/");
	must(service_check(&service, false, &fault));
	strcpy(service.webhook_url, "http://127.0.0.1/");
	must(service_check(&service, true, &fault));
	assert_int_equal(service_check(&service, false, &fault), RC_INVALID);
	assert_string_equal(fault.field, "webhook-url");
}

/* Every setting comes back from the database as it was, by every way. */
static void
test_update_keeps_all_settings(void **state)
{
	static const char *const values[] = { "DE FR", "601", "602", "603",
		"604", "0", "606", "0", "1", "1", "1", "607", "608", "609",
		"+12025550150", "fr", "Bonjour", "Salut", "610", "1", "1",
		"611", "612", "613", "https://a.example/hook" };
	const struct service_setting *setting;
	struct store *s = *state;
	struct service service = s->service, found;
	struct fault fault;
	char out[300];
	size_t i = 0;

	for (setting = service_settings; setting->name != NULL; setting++) {
		assert_in_range(i, 0, LENGTH(values) - 1);
		must(service_set(&service, setting->name, values[i++], &fault));
	}
	assert_int_equal(setting - service_settings, i);
	must(service_update(s->db, &service));
	must(service_find(s->db, &found, service.id));
	assert_memory_equal(&found, &service, sizeof found);
	must(service_find_name(s->db, &found, "taxi"));
	assert_memory_equal(&found, &service, sizeof found);
	must(service_find_name(s->db, &found, NULL));
	assert_memory_equal(&found, &service, sizeof found);
	for (i = 0, setting = service_settings; i < LENGTH(values);
	     i++, setting++) {
		service_show(&found, setting, out, sizeof out);
		assert_string_equal(out, values[i]);
	}
	/* Nothing is NULL again. */
	must(service_set(&service, "support-number", "", &fault));
	must(service_set(&service, "webhook-url", "", &fault));
	must(service_update(s->db, &service));
	store_check(s,
	    "SELECT coalesce(support_number, '-') ||"
	    " coalesce(webhook_url, '-') FROM service",
	    "--");
	/* And another service is not touched. */
	service = sample("rides");
	must(service_insert(s->db, &service, NOW * 1000));
	must(service_find(s->db, &found, service.id));
	assert_memory_equal(&found, &service, sizeof found);
	service.ttl_default_s = service.ttl_max_s + 1;
	assert_int_equal(service_update(s->db, &service), RC_RETRY);
}

/* Who is recorded is told: no setting and no row says otherwise. */
static void
test_record_takes_both_announcements(void **state)
{
	struct store *s = *state;
	struct service service = s->service;
	struct fault fault;

	must(service_check(&service, false, &fault));
	service.record = 1;
	assert_int_equal(service_check(&service, false, &fault), RC_INVALID);
	assert_string_equal(fault.field, "record");
	assert_int_equal(service_update(s->db, &service), RC_RETRY);
	strcpy(service.announce_caller, "We record.");
	assert_int_equal(service_check(&service, false, &fault), RC_INVALID);
	assert_int_equal(service_update(s->db, &service), RC_RETRY);
	strcpy(service.announce_callee, "We record.");
	must(service_check(&service, false, &fault));
	must(service_update(s->db, &service));
	service.announce_caller[0] = '\0';
	assert_int_equal(service_check(&service, false, &fault), RC_INVALID);
	assert_int_equal(service_update(s->db, &service), RC_RETRY);
	service.record = 0;
	must(service_check(&service, false, &fault));
	service.ttl_default_s = service.ttl_max_s + 1;
	assert_int_equal(service_check(&service, false, &fault), RC_INVALID);
	assert_string_equal(fault.field, "ttl-default");
}

static void
test_tell_low_once_an_hour(void **state)
{
	struct store *s = *state;
	struct service other;

	store_service(s, &other, "rides", "");
	must(service_tell_low(s->db, s->service.id, NOW));
	assert_int_equal(service_tell_low(s->db, s->service.id, NOW), RC_NONE);
	assert_int_equal(
	    service_tell_low(s->db, s->service.id, NOW + 3599), RC_NONE);
	must(service_tell_low(s->db, other.id, NOW + 3599));
	must(service_tell_low(s->db, s->service.id, NOW + 3600));
	assert_int_equal(service_tell_low(s->db, "svc_", NOW), RC_NONE);
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
		STORE_TEST(test_set_numbers_within_bounds),
		STORE_TEST(test_settings_are_named),
		STORE_TEST(test_set_refuses_unknown_names),
		STORE_TEST(test_set_countries),
		STORE_TEST(test_set_texts),
		cmocka_unit_test(test_check),
		STORE_TEST(test_update_keeps_all_settings),
		STORE_TEST(test_record_takes_both_announcements),
		STORE_TEST(test_tell_low_once_an_hour),
	};

	return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
