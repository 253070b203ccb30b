/* The API's JSON: what changes, closes and announces. */

#include "test.h"

#include <stdio.h>
#include <string.h>

#include "view.h"

#define LENGTH(array) (sizeof array / sizeof array[0])

#define NOW ((int64_t)1800000000) /* 2027-01-15T08:00:00Z */

/* Parts of requests. */
#define CUSTOMER "{\"role\":\"customer\",\"phone\":\"+12025550147\"}"
#define DRIVER "{\"role\":\"driver\",\"phone\":\"+12025550123\"}"
#define PARTIES "\"parties\":[" CUSTOMER "," DRIVER "]"

/* Ten of c. */
#define TEN(c) c c c c c c c c c c

/* What closing and its kin read from bodies. */
static void
test_closing_takes_linger_and_voice(void **state)
{
	static const char *const bodies[] = { "", "{}", " { } ",
		"{\"linger\":null,\"voice\":null,\"end_calls\":null}",
		"{\"end_calls\":false}" };
	static const char full[] = "{\"voice\":\"customer\",\"linger\":86400,"
				   "\"end_calls\":true}";
	struct session_closing closing = { .linger_s = 0 };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(bodies); i++) {
		assert_int_equal(view_read_closing(&closing, bodies[i],
				     strlen(bodies[i]), NULL),
		    RC_OK);
		assert_int_equal(closing.linger_s, 0);
		assert_string_equal(closing.voice, "");
		assert_false(closing.end_calls);
	}
	assert_int_equal(
	    view_read_closing(&closing, full, strlen(full), NULL), RC_OK);
	assert_int_equal(closing.linger_s, 86400);
	assert_string_equal(closing.voice, "customer");
	assert_true(closing.end_calls);
}

/* A body that some reader refuses. */
struct refused {
	const char *body, *field;
	enum rc rc;
};

static void
test_closing_refuses_the_rest(void **state)
{
	static const struct refused rows[] = { { " ", "", RC_SYNTAX },
		{ "[]", "", RC_SYNTAX }, { "null", "", RC_SYNTAX },
		{ "0", "", RC_SYNTAX }, { "{", "", RC_SYNTAX },
		{ "{}}", "", RC_SYNTAX },
		{ "{\"linger\":1,\"linger\":1}", "linger", RC_SYNTAX },
		{ "{\"ttl\":1}", "ttl", RC_INVALID },
		{ "{\"9\":1}", "?", RC_INVALID },
		{ "{\"linger\":0}", "linger", RC_INVALID },
		{ "{\"linger\":-1}", "linger", RC_INVALID },
		{ "{\"linger\":\"1\"}", "linger", RC_INVALID },
		{ "{\"linger\":1.5}", "linger", RC_INVALID },
		{ "{\"linger\":true}", "linger", RC_INVALID },
		{ "{\"voice\":\"\"}", "voice", RC_INVALID },
		{ "{\"voice\":true}", "voice", RC_INVALID },
		{ "{\"end_calls\":1}", "end_calls", RC_INVALID },
		{ "{\"end_calls\":\"true\"}", "end_calls", RC_INVALID },
		{ "{\"voice\":\"" TEN("a") TEN("b") TEN("c") "def\"}", "voice",
		    RC_INVALID } };
	struct session_closing closing;
	struct fault fault;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		strcpy(fault.field, "untouched");
		assert_int_equal(view_read_closing(&closing, rows[i].body,
				     strlen(rows[i].body), &fault),
		    rows[i].rc);
		assert_string_equal(fault.field, rows[i].field);
	}
}

static void
test_role_is_one_word(void **state)
{
	static const struct refused rows[] = { { "", "", RC_SYNTAX },
		{ "{}", "role", RC_INVALID },
		{ "{\"role\":null}", "role", RC_INVALID },
		{ "{\"role\":\"\"}", "role", RC_INVALID },
		{ "{\"role\":[\"a\"]}", "role", RC_INVALID },
		{ "{\"role\":\"a\",\"ttl\":1}", "ttl", RC_INVALID },
		{ "{\"role\":\"a\",\"role\":\"b\"}", "role", RC_SYNTAX } };
	char role[SESSION_ROLE_SIZE];
	struct fault fault;
	size_t i;

	(void)state;
	assert_int_equal(
	    view_read_role(role, "{\"role\":\"driver\"}", 17, NULL), RC_OK);
	assert_string_equal(role, "driver");
	assert_int_equal(
	    view_read_call(role, "{\"from\":\"customer\"}", 19, NULL), RC_OK);
	assert_string_equal(role, "customer");
	assert_int_equal(
	    view_read_call(role, "{\"role\":\"driver\"}", 17, &fault),
	    RC_INVALID);
	assert_string_equal(fault.field, "role");
	for (i = 0; i < LENGTH(rows); i++) {
		fault.field[0] = '\0';
		assert_int_equal(view_read_role(role, rows[i].body,
				     strlen(rows[i].body), &fault),
		    rows[i].rc);
		assert_string_equal(fault.field, rows[i].field);
	}
}

static void
test_change_takes_all_fields(void **state)
{
	static const char body[] =
	    "{\"ttl\":60,\"voice\":\"none\",\"text\":\"driver\"," PARTIES "}";
	static const char one[] =
	    "{\"expires_at\":\"2027-01-15T08:00:00Z\",\"parties\":[" DRIVER
	    "]}";
	static const char nothing[] =
	    "{\"ttl\":null,\"expires_at\":null,\"voice\":null,"
	    "\"text\":null,\"parties\":null}";
	const struct session_change none = { .ttl_s = 0 };
	struct session_change change = none;

	(void)state;
	assert_int_equal(
	    view_read_change(&change, body, strlen(body), NULL), RC_OK);
	assert_int_equal(change.ttl_s, 60);
	assert_int_equal(change.expires_at, 0);
	assert_string_equal(change.voice, "none");
	assert_string_equal(change.text, "driver");
	assert_string_equal(change.parties[0].role, "customer");
	assert_string_equal(change.parties[0].phone, "+12025550147");
	assert_string_equal(change.parties[1].role, "driver");
	assert_string_equal(change.parties[1].phone, "+12025550123");
	change = none;
	assert_int_equal(
	    view_read_change(&change, one, strlen(one), NULL), RC_OK);
	assert_int_equal(change.expires_at, NOW);
	assert_string_equal(change.voice, "");
	assert_string_equal(change.parties[0].role, "driver");
	assert_string_equal(change.parties[1].role, "");
	change = none;
	assert_int_equal(
	    view_read_change(&change, nothing, strlen(nothing), NULL), RC_OK);
	assert_memory_equal(&change, &none, sizeof change);
	assert_int_equal(view_read_change(&change, "{}", 2, NULL), RC_OK);
	assert_memory_equal(&change, &none, sizeof change);
}

static void
test_change_refuses_the_rest(void **state)
{
	static const struct refused rows[] = { { "", "", RC_SYNTAX },
		{ "[]", "", RC_SYNTAX },
		{ "{\"ttl\":1,\"ttl\":2}", "ttl", RC_SYNTAX },
		{ "{\"reference\":\"x\"}", "reference", RC_INVALID },
		{ "{\"country\":\"US\"}", "country", RC_INVALID },
		{ "{\"masked_number\":\"+12025550191\"}", "masked_number",
		    RC_INVALID },
		{ "{\"ttl\":0}", "ttl", RC_INVALID },
		{ "{\"ttl\":-5}", "ttl", RC_INVALID },
		{ "{\"expires_at\":1800000000}", "expires_at", RC_INVALID },
		{ "{\"expires_at\":\"\"}", "expires_at", RC_INVALID },
		{ "{\"expires_at\":\"soon\"}", "expires_at", RC_INVALID },
		{ "{\"expires_at\":\"2027-01-15T08:00:00\"}", "expires_at",
		    RC_INVALID },
		{ "{\"expires_at\":\"2027-01-15T08:00:00+00:00\"}",
		    "expires_at", RC_INVALID },
		{ "{\"expires_at\":\"2027-02-30T08:00:00Z\"}", "expires_at",
		    RC_INVALID },
		/* Not to be taken for nothing. */
		{ "{\"expires_at\":\"1970-01-01T00:00:00Z\"}", "expires_at",
		    RC_INVALID },
		{ "{\"voice\":\"\"}", "voice", RC_INVALID },
		{ "{\"text\":false}", "text", RC_INVALID },
		{ "{\"parties\":[]}", "parties", RC_INVALID },
		{ "{\"parties\":{}}", "parties", RC_INVALID },
		{ "{\"parties\":[" DRIVER "," DRIVER "," DRIVER "]}", "parties",
		    RC_INVALID },
		{ "{\"parties\":[null]}", "parties[0]", RC_INVALID },
		{ "{\"parties\":[{\"role\":\"a\"}]}", "parties[0].phone",
		    RC_INVALID },
		{ "{\"parties\":[" DRIVER ",{\"phone\":\"1\"}]}",
		    "parties[1].role", RC_INVALID },
		{ "{\"parties\":[{\"role\":\"a\",\"phone\":\"1\","
		  "\"code\":\"1\"}]}",
		    "parties[0].code", RC_INVALID } };
	struct session_change change;
	struct fault fault;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		memset(&change, 0, sizeof change);
		fault.field[0] = '\0';
		if (view_read_change(&change, rows[i].body,
			strlen(rows[i].body), &fault) != rows[i].rc ||
		    strcmp(fault.field, rows[i].field) != 0)
			fail_msg("%s: field %s, %s", rows[i].body, fault.field,
			    fault.detail);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closing_takes_linger_and_voice),
		cmocka_unit_test(test_closing_refuses_the_rest),
		cmocka_unit_test(test_role_is_one_word),
		cmocka_unit_test(test_change_takes_all_fields),
		cmocka_unit_test(test_change_refuses_the_rest),
	};

	return cmocka_run_group_tests_name("view_change", tests, NULL, NULL);
}
