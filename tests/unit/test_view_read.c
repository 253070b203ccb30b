/* The API's JSON as it comes in: one reading of a document or none. */

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "view.h"

#define LENGTH(array) (sizeof array / sizeof array[0])

/* Parts of requests. */
#define CUSTOMER "{\"role\":\"customer\",\"phone\":\"+12025550147\"}"
#define DRIVER "{\"role\":\"driver\",\"phone\":\"+12025550123\"}"
#define PARTIES "\"parties\":[" CUSTOMER "," DRIVER "]"
#define FIRST(party) "{\"parties\":[" party "," DRIVER "]}"
#define SECOND(party) "{\"parties\":[" CUSTOMER "," party "]}"

/* Ten of c, a hundred. */
#define TEN(c) c c c c c c c c c c
#define HUNDRED(c) TEN(TEN(c))

/* Reads len bytes from the heap, so that reading past them would be seen. */
static enum rc
read_bytes(struct session_request *request, const char *body, size_t len,
    struct fault *fault)
{
	char *copy = malloc(len + 1);
	enum rc rc;

	assert_non_null(copy);
	copy = realloc(memcpy(copy, body, len), len != 0 ? len : 1);
	rc = view_read_session(request, copy, len, fault);
	free(copy);
	return rc;
}

static void
must_read(struct session_request *request, const char *body)
{
	struct fault fault = { .field = "" };

	memset(request, 'x', sizeof *request);
	if (read_bytes(request, body, strlen(body), &fault) != RC_OK)
		fail_msg("%s: %s %s", body, fault.field, fault.detail);
}

static void
check_refused(const char *body, size_t len, enum rc rc, const char *field)
{
	struct session_request request;
	struct fault fault = { .field = "" };

	if (read_bytes(&request, body, len, &fault) != rc ||
	    strcmp(fault.field, field) != 0)
		fail_msg("%s: field %s, %s", body, fault.field, fault.detail);
	assert_true(fault.detail[0] != '\0');
	assert_int_equal(read_bytes(&request, body, len, NULL), rc);
}

static void
test_read_takes_all_fields(void **state)
{
	struct session_request request;

	(void)state;
	must_read(&request, " {\"reference\": \"trip-8731\",\n\t\"ttl\": 7200,"
			    " \"country\": \"CA\", " PARTIES "}\r\n");
	assert_string_equal(request.reference, "trip-8731");
	assert_int_equal(request.ttl_s, 7200);
	assert_string_equal(request.country, "CA");
	assert_string_equal(request.parties[0].role, "customer");
	assert_string_equal(request.parties[0].phone, "+12025550147");
	assert_string_equal(request.parties[1].role, "driver");
	assert_string_equal(request.parties[1].phone, "+12025550123");
}

static void
test_read_leaves_out_what_is_optional(void **state)
{
	static const char *const bodies[] = { "{" PARTIES "}",
		"{\"reference\":null,\"ttl\":null,\"country\":null," PARTIES
		"}" };
	struct session_request request;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(bodies); i++) {
		must_read(&request, bodies[i]);
		assert_string_equal(request.reference, "");
		assert_int_equal(request.ttl_s, 0);
		assert_string_equal(request.country, "");
	}
}

static void
test_read_takes_modes_and_a_number(void **state)
{
	struct session_request request;

	(void)state;
	must_read(&request, "{" PARTIES "}");
	assert_string_equal(request.voice, "both");
	assert_string_equal(request.text, "both");
	assert_string_equal(request.number, "");
	must_read(&request, "{\"voice\":\"driver\",\"text\":\"none\","
			    "\"masked_number\":\"+12025550191\"," PARTIES "}");
	assert_string_equal(request.voice, "driver");
	assert_string_equal(request.text, "none");
	assert_string_equal(request.number, "+12025550191");
}

static void
test_read_takes_the_longest(void **state)
{
	struct session_request request;

	(void)state;
	must_read(&request,
	    "{\"ttl\":9223372036854775807,"
	    "\"reference\":\"" HUNDRED("r") TEN("s")
		TEN("t") "uvwxyz\303\274"
			 "\",\"parties\":[{\"role\":\"" TEN("a") TEN("b")
			     TEN("c") "de\","
				      "\"phone\":\"+123456789012345\"}," DRIVER
				      "]}");
	assert_int_equal(strlen(request.reference), 128);
	assert_int_equal(strlen(request.parties[0].role), 32);
	assert_string_equal(request.parties[0].phone, "+123456789012345");
	assert_int_equal(request.ttl_s, INT64_MAX);
	must_read(&request, "{\"ttl\":1," PARTIES "}");
	assert_int_equal(request.ttl_s, 1);
}

static void
test_read_decodes_escapes(void **state)
{
	struct session_request request;

	(void)state;
	must_read(&request,
	    "{\"r\\u0065ference\":\"\\u00fc\\ud83d\\ude00\\\"\"," PARTIES "}");
	assert_string_equal(request.reference, "ü\xf0\x9f\x98\x80\"");
}

/* What stands where a field wants something else. */
static void
test_read_refuses_every_wrong_type(void **state)
{
	static const char *const values[] = { "\"US\"", "17", "1.5", "true",
		"false", "null", "[]", "{}", "[\"US\"]", "{\"a\":1}" };
	static const struct {
		const char *body, *field;
		const char *refused; /* a letter for each of values */
	} rows[] = {
		{ "{\"reference\":%s," PARTIES "}", "reference", ".xxxx.xxxx" },
		{ "{\"ttl\":%s," PARTIES "}", "ttl", "x.xxx.xxxx" },
		{ "{\"country\":%s," PARTIES "}", "country", ".xxxx.xxxx" },
		{ "{\"voice\":%s," PARTIES "}", "voice", ".xxxx.xxxx" },
		{ "{\"text\":%s," PARTIES "}", "text", ".xxxx.xxxx" },
		{ "{\"masked_number\":%s," PARTIES "}", "masked_number",
		    "xxxxx.xxxx" },
		{ "{\"parties\":%s}", "parties", "xxxxxxxxxx" },
		{ FIRST("%s"), "parties[0]", "xxxxxxx.x." },
		{ SECOND("%s"), "parties[1]", "xxxxxxx.x." },
		{ FIRST("{\"role\":%s,\"phone\":\"1\"}"), "parties[0].role",
		    ".xxxxxxxxx" },
		{ SECOND("{\"role\":%s,\"phone\":\"1\"}"), "parties[1].role",
		    ".xxxxxxxxx" },
		{ FIRST("{\"role\":\"a\",\"phone\":%s}"), "parties[0].phone",
		    ".xxxxxxxxx" },
		{ SECOND("{\"role\":\"a\",\"phone\":%s}"), "parties[1].phone",
		    ".xxxxxxxxx" },
	};
	struct session_request request;
	char body[300];
	const char *at;
	size_t i, j;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		at = strstr(rows[i].body, "%s");
		for (j = 0; j < LENGTH(values); j++) {
			snprintf(body, sizeof body, "%.*s%s%s",
			    (int)(at - rows[i].body), rows[i].body, values[j],
			    at + 2);
			if (rows[i].refused[j] == 'x')
				check_refused(body, strlen(body), RC_INVALID,
				    rows[i].field);
			else if (rows[i].field[0] != 'p' ||
				 strchr(rows[i].field, '.') != NULL)
				must_read(&request, body);
		}
	}
}

static void
test_read_refuses_fields(void **state)
{
	static const struct {
		const char *body, *field;
	} rows[] = {
		/* Missing. */
		{ "{}", "parties" },
		{ "{\"ttl\":1}", "parties" },
		{ FIRST("{}"), "parties[0].role" },
		{ FIRST("{\"phone\":\"+12025550147\"}"), "parties[0].role" },
		{ SECOND("{\"role\":\"a\"}"), "parties[1].phone" },
		{ "{\"parties\":[" CUSTOMER "]}", "parties" },
		{ "{\"parties\":[" CUSTOMER "," DRIVER "," CUSTOMER "]}",
		    "parties" },
		/* Unknown, by name; but not what could be a value. */
		{ "{\"references\":\"x\"," PARTIES "}", "references" },
		{ "{\"Ttl\":1," PARTIES "}", "Ttl" },
		{ "{\"id\":1," PARTIES "}", "id" },
		{ "{\"\":1," PARTIES "}", "" },
		{ "{\"+12025550147\":1," PARTIES "}", "?" },
		{ "{\"ttl \":1," PARTIES "}", "?" },
		{ "{\"tt\\u006c2\":1," PARTIES "}", "?" },
		{ "{\"\303\274\":1," PARTIES "}", "?" },
		{ FIRST("{\"role\":\"a\",\"phone\":\"1\",\"number\":\"2\"}"),
		    "parties[0].number" },
		{ SECOND("{\"role\":\"a\",\"phone\":\"1\",\"2025550147\":1}"),
		    "parties[1].?" },
		{ SECOND("{\"reference\":\"a\"}"), "parties[1].reference" },
		/* Out of bounds. */
		{ "{\"ttl\":0," PARTIES "}", "ttl" },
		{ "{\"ttl\":-1," PARTIES "}", "ttl" },
		{ "{\"ttl\":-0," PARTIES "}", "ttl" },
		{ "{\"ttl\":-9223372036854775808," PARTIES "}", "ttl" },
		{ "{\"ttl\":7200.0," PARTIES "}", "ttl" },
		{ "{\"ttl\":1e3," PARTIES "}", "ttl" },
		{ "{\"reference\":\"\"," PARTIES "}", "reference" },
		{ "{\"reference\":\"a\\nb\"," PARTIES "}", "reference" },
		{ "{\"reference\":\"\\u001f\"," PARTIES "}", "reference" },
		{ "{\"reference\":\"a\\u007f\"," PARTIES "}", "reference" },
		{ "{\"reference\":\"" HUNDRED("r") TEN("s")
			TEN("t") "uvwxyz123\"," PARTIES "}",
		    "reference" },
		{ "{\"country\":\"\"," PARTIES "}", "country" },
		{ "{\"country\":\"us\"," PARTIES "}", "country" },
		{ "{\"country\":\"U\"," PARTIES "}", "country" },
		{ "{\"country\":\"USA\"," PARTIES "}", "country" },
		{ "{\"country\":\"ZZ\"," PARTIES "}", "country" },
		{ "{\"masked_number\":\"12025550191\"," PARTIES "}",
		    "masked_number" },
		{ "{\"masked_number\":\"\"," PARTIES "}", "masked_number" },
		{ "{\"voice\":\"\"," PARTIES "}", "voice" },
		{ "{\"text\":\"" TEN("a") TEN("b") TEN("c") "def\"," PARTIES
							    "}",
		    "text" },
		{ FIRST("{\"role\":\"\",\"phone\":\"1\"}"), "parties[0].role" },
		{ FIRST("{\"role\":\"" TEN("a") TEN("b")
			  TEN("c") "def\",\"phone\":\"1\"}"),
		    "parties[0].role" },
		{ FIRST("{\"role\":\"a\",\"phone\":\"\"}"),
		    "parties[0].phone" },
		{ SECOND("{\"role\":\"a\",\"phone\":\"+1234567890123456\"}"),
		    "parties[1].phone" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++)
		check_refused(rows[i].body, strlen(rows[i].body), RC_INVALID,
		    rows[i].field);
}

static void
test_read_says_what_would_be_right(void **state)
{
	static const struct {
		const char *body, *detail;
	} rows[] = {
		{ "{\"reference\":5," PARTIES "}", "must be a string" },
		{ "{\"reference\":\"\"," PARTIES "}", "must not be empty" },
		{ FIRST("{\"role\":\"a\"}"), "is missing" },
		{ SECOND("{\"role\":\"a\",\"phone\":\"+1234567890123456\"}"),
		    "must be at most 16 bytes" },
		{ "{\"ttl\":7200.0," PARTIES "}",
		    "must be a whole number of seconds" },
		{ "{\"ttl\":0," PARTIES "}", "must be at least 1 second" },
		{ "{\"tll\":1," PARTIES "}", "unknown field" },
		{ "{\n\n x", "not valid JSON at line 3, column 2" },
	};
	struct session_request request;
	struct fault fault;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		assert_int_not_equal(read_bytes(&request, rows[i].body,
					 strlen(rows[i].body), &fault),
		    RC_OK);
		assert_string_equal(fault.detail, rows[i].detail);
	}
}

/* Which of two values would be meant nobody can say. */
static void
test_read_refuses_repeated_keys_by_name(void **state)
{
	static const struct {
		const char *body, *field;
	} rows[] = {
		{ "{\"ttl\":1,\"ttl\":1," PARTIES "}", "ttl" },
		{ "{" PARTIES "," PARTIES "}", "parties" },
		{ FIRST("{\"role\":\"a\",\"role\":\"b\"}"), "role" },
		{ SECOND("{\"phone\":\"1\",\"role\":\"a\",\"phone\":\"2\"}"),
		    "phone" },
		{ "{\"tt\\u006c\":1,\"ttl\":1," PARTIES "}", "ttl" },
		{ "{\"ttl\":1,\"tt\\u006c\":1," PARTIES "}", "" },
		/* Not in part either. */
		{ "{\"ttl9\":1,\"ttl9\":1," PARTIES "}", "" },
		{ "{\"+12025550147\":1,\"+12025550147\":1}", "" },
		{ "{\"" TEN("a") TEN("b") TEN("c") TEN("d") "\":1,\"" TEN("a")
			TEN("b") TEN("c") TEN("d") "\":1}",
		    "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++)
		check_refused(rows[i].body, strlen(rows[i].body), RC_SYNTAX,
		    rows[i].field);
}

static void
test_read_refuses_what_is_no_object(void **state)
{
	static const char *const bodies[] = { "", " ", "[]", "null", "true",
		"1", "\"x\"", "[{" PARTIES "}]", "x", "{", "}",
		"\xef\xbb\xbf{" PARTIES "}", "{" PARTIES "}x",
		"{" PARTIES "}{}", "{" PARTIES "},", "{" PARTIES ",}",
		"{'ttl':1," PARTIES "}", "{ttl:1," PARTIES "}",
		"{\"ttl\":01," PARTIES "}", "{\"ttl\":+1," PARTIES "}",
		"{\"ttl\":0x10," PARTIES "}", "{\"ttl\":NaN," PARTIES "}",
		"{\"ttl\":1,/**/" PARTIES "}", "{\"ttl\":True," PARTIES "}",
		"{\"ttl\":1 2," PARTIES "}",
		"{\"ttl\":9223372036854775808," PARTIES "}",
		"{\"ttl\":" HUNDRED("9") "," PARTIES "}",
		"{\"ttl\":1e999," PARTIES "}" };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(bodies); i++)
		check_refused(bodies[i], strlen(bodies[i]), RC_SYNTAX, "");
}

static void
test_read_refuses_bad_text(void **state)
{
	static const char *const texts[] = { "\xff", "\x80", "\xc3", "\xc0\x80",
		"\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\\ud800",
		"\\udc00", "\\ud800\\u0041", "\\u0000", "a\\u0000b", "\\u12",
		"\\x41", "\n", "\x01", "\t" };
	char body[200];
	size_t i, len;

	(void)state;
	for (i = 0; i < LENGTH(texts); i++) {
		len = (size_t)snprintf(body, sizeof body,
		    "{\"reference\":\"%s\"," PARTIES "}", texts[i]);
		check_refused(body, len, RC_SYNTAX, "");
		len = (size_t)snprintf(
		    body, sizeof body, "{\"%s\":1," PARTIES "}", texts[i]);
		check_refused(body, len, RC_SYNTAX, "");
	}
	/* A real NUL ends nothing. */
	len = (size_t)snprintf(
	    body, sizeof body, "{\"reference\":\"ab\"," PARTIES "}");
	body[14] = '\0';
	check_refused(body, len, RC_SYNTAX, "");
	len = (size_t)snprintf(body, sizeof body, "{" PARTIES "}") + 1;
	check_refused(body, len, RC_SYNTAX, "");
}

static void
test_read_refuses_every_truncation(void **state)
{
	static const char body[] =
	    "{\"reference\":\"t\",\"ttl\":7200," PARTIES "}";
	size_t len;

	(void)state;
	for (len = 0; len < sizeof body - 1; len++)
		check_refused(body, len, RC_SYNTAX, "");
}

static void
test_read_refuses_deep_nesting(void **state)
{
	static const int depths[] = { 100000, 3000 };
	static const char ends[] = "[]";
	char *body;
	size_t i, len;

	(void)state;
	for (i = 0; i < LENGTH(depths); i++) {
		len = 2 * (size_t)depths[i];
		assert_non_null(body = malloc(len + 16));
		strcpy(body, "{\"ttl\":");
		memset(body + 7, ends[0], len / 2);
		memset(body + 7 + len / 2, ends[1], len / 2);
		strcpy(body + 7 + len, "}");
		check_refused(body, len + 8, RC_SYNTAX, "");
		check_refused(body, len / 2, RC_SYNTAX, "");
		free(body);
	}
}

/* Wherever a value stands, the fault does not repeat it. */
static void
test_read_repeats_no_value(void **state)
{
	static const char *const bodies[] = { "{\"reference\":\"s3cret\\n\"}",
		"{\"reference\":[\"s3cret\"]," PARTIES "}", "\"s3cret\"",
		"{\"ttl\":\"s3cret\"," PARTIES "}", "{\"s3cret\":1}", "s3cret",
		"{\"s3cret\":1,\"s3cret\":2}", "{\"ttl\":s3cret}",
		"{\"country\":\"s3cret\"," PARTIES "}",
		"{\"country\":\"s3\"," PARTIES "}", "{\"parties\":\"s3cret\"}",
		FIRST("\"s3cret\""), FIRST("{\"s3cret\":\"s3cret\"}"),
		FIRST("{\"role\":\"" TEN("s3cret") "\",\"phone\":\"1\"}"),
		FIRST("{\"role\":\"a\",\"phone\":\"" TEN("s3cret") "\"}"),
		FIRST("{\"role\":\"a\",\"phone\":[\"s3cret\"]}"),
		"{" PARTIES "}s3cret", "{\"reference\":\"s3cret\xff\"}" };
	struct session_request request;
	struct fault fault;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(bodies); i++) {
		fault.field[0] = '\0';
		assert_int_not_equal(
		    read_bytes(&request, bodies[i], strlen(bodies[i]), &fault),
		    RC_OK);
		if (strstr(fault.field, "s3") != NULL ||
		    strstr(fault.detail, "s3") != NULL)
			fail_msg(
			    "%s: %s, %s", bodies[i], fault.field, fault.detail);
	}
}

static void
check_canonical(const char *body, const char *expected)
{
	struct buf out;

	buf_init(&out, 0);
	buf_puts(&out, "> ");
	assert_int_equal(view_canonical(&out, body, strlen(body)), RC_OK);
	assert_string_equal(buf_text(&out) + 2, expected);
	buf_free(&out);
}

static void
test_canonical_is_one_for_the_same_meaning(void **state)
{
	static const char *const same[] = {
		"{\"a\":1,\"b\":{\"c\":[1,2],\"d\":\"x\"}}",
		"{\"b\":{\"d\":\"x\",\"c\":[1,2]},\"a\":1}",
		" {\n\"b\" : {\"d\" :\t\"x\",\"c\": [1 , 2]},\r\n\"a\" : 1 } ",
		"{\"\\u0061\":1,\"b\":{\"c\":[1,2],\"\\u0064\":\"\\u0078\"}}",
	};
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(same); i++)
		check_canonical(same[i], same[0]);
	check_canonical("", "");
	check_canonical(" { } ", "{}");
	check_canonical("{\"a\":\"\\u00fc\\/\"}", "{\"a\":\"ü/\"}");
}

static void
test_canonical_differs_with_the_meaning(void **state)
{
	static const char *const others[] = { "{}", "{\"a\":1}", "{\"a\":2}",
		"{\"a\":-1}", "{\"a\":1.5}", "{\"a\":\"1\"}", "{\"a\":null}",
		"{\"a\":[1]}", "{\"a\":[1,2]}", "{\"a\":[2,1]}", "{\"b\":1}",
		"{\"A\":1}", "{\"a\":true}", "{\"a\":false}", "{\"a\":{}}",
		"{\"a\":[]}", "{\"a\":\"\"}", "{\"a\":1,\"b\":null}",
		"{\"a\":\" 1\"}" };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(others); i++)
		check_canonical(others[i], others[i]);
}

static void
test_canonical_refuses_bad_json(void **state)
{
	static const char *const bodies[] = { " ", "{", "[]", "1", "null",
		"{\"a\":1,\"a\":1}", "{\"a\":\"\xff\"}", "{}x" };
	struct buf out;
	size_t i;

	(void)state;
	buf_init(&out, 0);
	for (i = 0; i < LENGTH(bodies); i++)
		assert_int_equal(
		    view_canonical(&out, bodies[i], strlen(bodies[i])),
		    RC_SYNTAX);
	assert_int_equal(view_canonical(&out, "{}\0", 3), RC_SYNTAX);
	assert_string_equal(buf_text(&out), "");
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_takes_all_fields),
		cmocka_unit_test(test_read_leaves_out_what_is_optional),
		cmocka_unit_test(test_read_takes_the_longest),
		cmocka_unit_test(test_read_decodes_escapes),
		cmocka_unit_test(test_read_refuses_every_wrong_type),
		cmocka_unit_test(test_read_refuses_fields),
		cmocka_unit_test(test_read_says_what_would_be_right),
		cmocka_unit_test(test_read_refuses_repeated_keys_by_name),
		cmocka_unit_test(test_read_refuses_what_is_no_object),
		cmocka_unit_test(test_read_refuses_bad_text),
		cmocka_unit_test(test_read_refuses_every_truncation),
		cmocka_unit_test(test_read_refuses_deep_nesting),
		cmocka_unit_test(test_read_repeats_no_value),
		cmocka_unit_test(test_read_takes_modes_and_a_number),
		cmocka_unit_test(test_canonical_is_one_for_the_same_meaning),
		cmocka_unit_test(test_canonical_differs_with_the_meaning),
		cmocka_unit_test(test_canonical_refuses_bad_json),
	};

	return cmocka_run_group_tests_name("view_read", tests, NULL, NULL);
}
