/* The API's JSON: one reading of a document or none, and what is answered. */

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "view.h"

#define LENGTH(array) (sizeof array / sizeof array[0])

#define NOW ((int64_t)1800000000) /* 2027-01-15T08:00:00Z */

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

static const struct session sample = {
	.id = "ses_00000000000000000000000001",
	.reference = "trip \"8731\"/ü",
	.created_at = NOW,
	.expires_at = NOW + 7200,
	.voice = "both",
	.text = "driver",
	.parties = {
		{ .id = "pty_00000000000000000000000002",
		    .role = "customer",
		    .number = "+12025550191",
		    .code = "000042" },
		{ .id = "pty_00000000000000000000000003",
		    .role = "driver",
		    .number = "+12025550192",
		    .code = "482117",
		    .disputed = true },
	},
};

#define SAMPLE_PARTIES                                                         \
	"\"parties\":[{\"id\":\"pty_00000000000000000000000002\","             \
	"\"role\":\"customer\",\"masked_number\":\"+12025550191\","            \
	"\"code\":\"000042\",\"dial\":\"+12025550191,,000042#\","              \
	"\"disputed\":false},"                                                 \
	"{\"id\":\"pty_00000000000000000000000003\",\"role\":\"driver\","      \
	"\"masked_number\":\"+12025550192\",\"code\":\"482117\","              \
	"\"dial\":\"+12025550192,,482117#\",\"disputed\":true}]"

#define SAMPLE_MODES "\"voice\":\"both\",\"text\":\"driver\","

#define SAMPLE_OPEN                                                            \
	"{\"id\":\"ses_00000000000000000000000001\","                          \
	"\"reference\":\"trip \\\"8731\\\"/ü\",\"status\":\"open\","          \
	"\"created_at\":\"2027-01-15T08:00:00Z\","                             \
	"\"expires_at\":\"2027-01-15T10:00:00Z\",\"closed_at\":"               \
	"null,\"linger_until\":null," SAMPLE_MODES SAMPLE_PARTIES

#define SAMPLE_CLOSED                                                          \
	"{\"id\":\"ses_00000000000000000000000001\",\"reference\":null,"       \
	"\"status\":\"closed\",\"created_at\":\"2027-01-15T08:00:00Z\","       \
	"\"expires_at\":\"2027-01-15T10:00:00Z\","                             \
	"\"closed_at\":\"2027-01-15T08:00:01Z\",\"linger_until\":"             \
	"null," SAMPLE_MODES SAMPLE_PARTIES

static void
check_session(const struct session *session, int64_t now, const char *expected)
{
	struct buf out;

	buf_init(&out, 0);
	buf_puts(&out, "> ");
	assert_int_equal(view_session(&out, session, now), RC_OK);
	assert_string_equal(buf_text(&out) + 2, expected);
	buf_free(&out);
}

static void
test_session_golden(void **state)
{
	struct session closed = sample;

	(void)state;
	check_session(&sample, NOW, SAMPLE_OPEN "}");
	check_session(&sample, NOW + 7199, SAMPLE_OPEN "}");
	closed.reference[0] = '\0';
	closed.closed_at = NOW + 1;
	check_session(&closed, NOW + 9999, SAMPLE_CLOSED "}");
}

#define RECORDING_JSON                                                         \
	"{\"id\":\"rec_1\",\"session_id\":\"ses_1\",\"call_id\":\"cal_1\","    \
	"\"status\":\"completed\",\"duration\":0,\"channels\":2,"              \
	"\"created_at\":\"2027-01-15T08:00:00Z\",\"deleted_at\":null}"

static void
test_recordings_golden(void **state)
{
	const struct recording recordings[2] = {
		{ "rec_1", "RE1", "cal_1", "ses_1", "svc_1",
		    RECORDING_COMPLETED, 0, 2, NOW, 0 },
		{ "rec_2", "RE2", "", "", "", RECORDING_DELETED, -1, -1, NOW,
		    NOW + 1 },
	};
	struct mask_history history = { .session = sample,
		.recordings_len = 1 };
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(view_recording(&out, &recordings[0]), RC_OK);
	assert_string_equal(buf_text(&out), RECORDING_JSON);
	buf_reset(&out);
	assert_int_equal(view_recording(&out, &recordings[1]), RC_OK);
	assert_string_equal(buf_text(&out),
	    "{\"id\":\"rec_2\",\"session_id\":null,\"call_id\":null,"
	    "\"status\":\"deleted\",\"duration\":null,\"channels\":null,"
	    "\"created_at\":\"2027-01-15T08:00:00Z\","
	    "\"deleted_at\":\"2027-01-15T08:00:01Z\"}");
	buf_reset(&out);
	history.recordings[0] = recordings[0];
	assert_int_equal(view_session_history(&out, &history, NOW), RC_OK);
	assert_string_equal(buf_text(&out),
	    SAMPLE_OPEN ",\"calls\":[],\"messages\":[],"
			"\"recordings\":[" RECORDING_JSON "]}");
	buf_free(&out);
}

/* An erased party has no code to type. */
static void
test_session_golden_erased(void **state)
{
	struct session session = sample;
	struct buf out;

	(void)state;
	session.parties[0].code[0] = '\0';
	buf_init(&out, 0);
	assert_int_equal(view_session(&out, &session, NOW), RC_OK);
	assert_non_null(strstr(buf_text(&out), "\"code\":null,\"dial\":\"+"));
	assert_null(strstr(buf_text(&out), ",,#"));
	buf_free(&out);
}

static void
test_erasure_golden(void **state)
{
	const struct erasure erasure = { "era_1", "session", "ses_1", NOW };
	const struct erasure_item items[] = { { "Calls/CA1", 0 },
		{ "ses_1", NOW + 1 } };
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(view_erasure(&out, &erasure, items, 2), RC_OK);
	assert_string_equal(buf_text(&out),
	    "{\"id\":\"era_1\",\"subject\":\"session\","
	    "\"subject_id\":\"ses_1\","
	    "\"requested_at\":\"2027-01-15T08:00:00Z\",\"waiting\":1,"
	    "\"items\":[{\"thing\":\"Calls/CA1\",\"erased_at\":null},"
	    "{\"thing\":\"ses_1\",\"erased_at\":\"2027-01-15T08:00:01Z\"}]}");
	buf_free(&out);
}

static void
test_session_golden_lingering(void **state)
{
	struct session session = sample;
	struct buf out;

	(void)state;
	session.reference[0] = '\0';
	session.closed_at = NOW + 1;
	session.linger_until = NOW + 60;
	check_session(&session, NOW + 59,
	    "{\"id\":\"ses_00000000000000000000000001\",\"reference\":null,"
	    "\"status\":\"lingering\","
	    "\"created_at\":\"2027-01-15T08:00:00Z\","
	    "\"expires_at\":\"2027-01-15T10:00:00Z\","
	    "\"closed_at\":\"2027-01-15T08:00:01Z\","
	    "\"linger_until\":\"2027-01-15T08:01:00Z\"," SAMPLE_MODES
		SAMPLE_PARTIES "}");
	buf_init(&out, 0);
	assert_int_equal(view_session(&out, &session, NOW + 60), RC_OK);
	assert_non_null(strstr(buf_text(&out), "\"status\":\"closed\""));
	buf_free(&out);
}

/* Explained without the real number. */
static void
test_route_golden(void **state)
{
	const struct mask_route connected = {
		.decision = { POLICY_CONNECT, POLICY_CONNECTED_BY_CODE },
		.service_id = "svc_0",
		.session_id = "ses_1",
		.party_id = "pty_2",
		.peer_id = "pty_3",
		.to = "+12025550147",
		.caller_id = "+12025550191",
		.limit_s = 1800,
	};
	const struct mask_route refused = {
		.decision = { POLICY_REFUSE, POLICY_NUMBER_UNKNOWN },
	};
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(view_route(&out, &connected), RC_OK);
	assert_string_equal(buf_text(&out),
	    "{\"action\":\"connect\",\"reason\":\"connected_by_code\","
	    "\"sentence\":null,\"session\":\"ses_1\",\"caller\":\"pty_2\","
	    "\"callee\":\"pty_3\",\"shown\":\"+12025550191\","
	    "\"limit\":1800}");
	buf_reset(&out);
	assert_int_equal(view_route(&out, &refused), RC_OK);
	assert_string_equal(buf_text(&out),
	    "{\"action\":\"refuse\",\"reason\":\"number_unknown\","
	    "\"sentence\":\"This number is not in service. Goodbye.\","
	    "\"session\":null,\"caller\":null,\"callee\":null,"
	    "\"shown\":null,\"limit\":0}");
	buf_reset(&out);
	assert_int_equal(view_intent(&out, NOW), RC_OK);
	assert_string_equal(
	    buf_text(&out), "{\"expires_at\":\"2027-01-15T08:00:00Z\"}");
	buf_free(&out);
}

/* Nothing has run, and yet it has expired. */
static void
test_session_shows_expiry_to_the_second(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(view_session(&out, &sample, NOW + 7200), RC_OK);
	assert_non_null(strstr(buf_text(&out), "\"status\":\"expired\""));
	assert_non_null(
	    strstr(buf_text(&out), "\"closed_at\":\"2027-01-15T10:00:00Z\""));
	buf_free(&out);
}

static void
test_session_golden_with_calls(void **state)
{
	static const struct call_summary calls[] = {
		{ "cal_00000000000000000000000005",
		    "ses_00000000000000000000000001", "driver", "connected",
		    "completed", NOW + 60, NOW + 61, NOW + 65, NOW + 125, 60,
		    true },
		{ "cal_00000000000000000000000004", "", "", "", "ringing",
		    NOW + 1, 0, 0, 0, 0, false },
	};

	static struct mask_history history = { .calls_len = 2 };
	struct buf out;

	(void)state;
	history.session = sample;
	memcpy(history.calls, calls, sizeof calls);
	buf_init(&out, 0);
	assert_int_equal(view_session_history(&out, &history, NOW), RC_OK);
	assert_string_equal(buf_text(&out), SAMPLE_OPEN
	    ",\"calls\":[{\"id\":\"cal_00000000000000000000000005\","
	    "\"from\":\"driver\",\"placed\":true,\"reason\":\"connected\","
	    "\"status\":\"completed\",\"started_at\":\"2027-01-15T08:01:00Z\","
	    "\"ringing_at\":\"2027-01-15T08:01:01Z\","
	    "\"answered_at\":\"2027-01-15T08:01:05Z\","
	    "\"ended_at\":\"2027-01-15T08:02:05Z\",\"duration\":60},"
	    "{\"id\":\"cal_00000000000000000000000004\",\"from\":null,"
	    "\"placed\":false,\"reason\":null,\"status\":\"ringing\","
	    "\"started_at\":\"2027-01-15T08:00:01Z\",\"ringing_at\":null,"
	    "\"answered_at\":null,\"ended_at\":null,\"duration\":0}],"
	    "\"messages\":[],\"recordings\":[]}");
	buf_free(&out);
}

static void
test_call_golden(void **state)
{
	struct call_summary call = { .id = "cal_00000000000000000000000005",
		.session_id = "ses_00000000000000000000000001",
		.from = "driver",
		.reason = "connected",
		.status = "queued",
		.started_at = NOW,
		.placed = true };
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(view_call(&out, &call), RC_OK);
	assert_string_equal(buf_text(&out),
	    "{\"id\":\"cal_00000000000000000000000005\","
	    "\"from\":\"driver\",\"placed\":true,\"reason\":\"connected\","
	    "\"status\":\"queued\",\"started_at\":\"2027-01-15T08:00:00Z\","
	    "\"ringing_at\":null,\"answered_at\":null,\"ended_at\":null,"
	    "\"duration\":0,"
	    "\"session_id\":\"ses_00000000000000000000000001\"}");
	buf_free(&out);
}

static void
check_sessions(const struct session *sessions, int len, const char *next,
    const char *expected)
{
	struct buf out;

	buf_init(&out, 0);
	assert_int_equal(
	    view_sessions(&out, sessions, len, NOW + 2, next), RC_OK);
	assert_string_equal(buf_text(&out), expected);
	buf_free(&out);
}

static void
test_sessions_golden(void **state)
{
	struct session both[2] = { sample, sample };

	(void)state;
	both[1].reference[0] = '\0';
	both[1].closed_at = NOW + 1;
	check_sessions(both, 0, "", "{\"sessions\":[],\"next\":null}");
	check_sessions(both, 2, sample.id,
	    "{\"sessions\":[" SAMPLE_OPEN "}," SAMPLE_CLOSED
	    "}],\"next\":\"ses_00000000000000000000000001\"}");
}

static void
check_problem(const struct view_problem *problem, const char *expected)
{
	struct buf out;

	buf_init(&out, 0);
	assert_int_equal(view_problem(&out, problem), RC_OK);
	assert_string_equal(buf_text(&out), expected);
	buf_free(&out);
}

static void
test_problem_golden(void **state)
{
	(void)state;
	check_problem(
	    &(struct view_problem){ 422, "invalid", "Invalid \"field\"",
		"must be a string", "parties[0].role", "8f3b" },
	    "{\"type\":\"about:blank\",\"title\":\"Invalid \\\"field\\\"\","
	    "\"status\":422,\"code\":\"invalid\","
	    "\"detail\":\"must be a string\",\"field\":\"parties[0].role\","
	    "\"request_id\":\"8f3b\"}");
	check_problem(&(struct view_problem){ 503, "busy", "Busy", "", "", "" },
	    "{\"type\":\"about:blank\",\"title\":\"Busy\",\"status\":503,"
	    "\"code\":\"busy\"}");
}

static void
test_events_golden(void **state)
{
	static const struct event_record events[] = {
		{ .id = "evt_1",
		    .seq = 7,
		    .type = "pool.low",
		    .service = "rides",
		    .created_at = NOW },
		{ .id = "evt_2",
		    .seq = 8,
		    .type = "call.ended",
		    .service = "rides",
		    .session_id = "ses_1",
		    .reference = "trip \"1\"",
		    .subject_id = "cal_1",
		    .detail = "busy",
		    .created_at = NOW },
	};
	static const char expected[] =
	    "{\"events\":[{\"id\":\"evt_1\",\"type\":\"pool.low\","
	    "\"timestamp\":\"2027-01-15T08:00:00Z\",\"data\":{\"seq\":7,"
	    "\"service\":\"rides\",\"session_id\":null,"
	    "\"reference\":null,\"detail\":null}},"
	    "{\"id\":\"evt_2\",\"type\":\"call.ended\","
	    "\"timestamp\":\"2027-01-15T08:00:00Z\",\"data\":{\"seq\":8,"
	    "\"service\":\"rides\",\"session_id\":\"ses_1\","
	    "\"reference\":\"trip \\\"1\\\"\",\"call_id\":\"cal_1\","
	    "\"detail\":\"busy\"}}],\"next\":8}";
	struct buf out, one;

	(void)state;
	buf_init(&out, 0);
	buf_init(&one, 0);
	assert_int_equal(view_events(&out, events, 2, 8), RC_OK);
	assert_string_equal(buf_text(&out), expected);
	/* One by itself is the same. */
	assert_int_equal(view_event(&one, &events[1]), RC_OK);
	assert_non_null(strstr(expected, buf_text(&one)));
	buf_reset(&out);
	assert_int_equal(view_events(&out, NULL, 0, 9), RC_OK);
	assert_string_equal(buf_text(&out), "{\"events\":[],\"next\":9}");
	buf_free(&out);
	buf_free(&one);
}

/* A full buffer is told, and nothing of the answer stands in it. */
static void
test_output_that_does_not_fit_fails(void **state)
{
	const struct view_problem problem = { 503, "busy", "Busy", "", "", "" };
	struct buf out;

	(void)state;
	buf_init(&out, 20);
	assert_int_equal(view_session(&out, &sample, NOW), RC_MEMORY);
	assert_false(buf_ok(&out));
	assert_string_equal(buf_text(&out), "");
	buf_reset(&out);
	assert_int_equal(view_sessions(&out, &sample, 1, NOW, ""), RC_MEMORY);
	buf_reset(&out);
	assert_int_equal(view_problem(&out, &problem), RC_MEMORY);
	buf_reset(&out);
	assert_int_equal(
	    view_canonical(&out, "{\"a\":\"" TEN("b") TEN("c") "\"}", 28),
	    RC_MEMORY);
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
		cmocka_unit_test(test_session_golden),
		cmocka_unit_test(test_recordings_golden),
		cmocka_unit_test(test_session_golden_erased),
		cmocka_unit_test(test_erasure_golden),
		cmocka_unit_test(test_session_golden_lingering),
		cmocka_unit_test(test_route_golden),
		cmocka_unit_test(test_session_shows_expiry_to_the_second),
		cmocka_unit_test(test_session_golden_with_calls),
		cmocka_unit_test(test_call_golden),
		cmocka_unit_test(test_sessions_golden),
		cmocka_unit_test(test_events_golden),
		cmocka_unit_test(test_problem_golden),
		cmocka_unit_test(test_output_that_does_not_fit_fails),
	};

	return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
