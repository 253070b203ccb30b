/* Twilio's REST API: requests as they are made, answers as they are taken. */

#include "test.h"

#include <stdio.h>
#include <string.h>

#include "twilio_rest.h"

#define LENGTH(array) (sizeof array / sizeof array[0])
#define ACCOUNT "AC0123456789abcdef0123456789abcdef"
#define KEY "SK0123456789abcdef0123456789abcdef"
#define SID "CA0123456789abcdef0123456789abcdef"
#define BASE "https://api.example.com"
#define ROOT BASE "/2010-04-01/Accounts/" ACCOUNT

static const struct conf conf = { .twilio_api_url = BASE };
static const struct secrets secrets = {
	.account_sid = ACCOUNT, .tokens = { "first", "second" }, .tokens_len = 2
};

/* Begins a request of the account. */
static struct twilio_rest
begin(const char *method, const char *path)
{
	struct twilio_rest rest;

	twilio_rest_begin(&rest, &conf, &secrets, method, path);
	return rest;
}

static void
test_post(void **state)
{
	struct twilio_rest rest = begin("POST", "Calls.json");

	(void)state;
	twilio_rest_field(&rest, "To", "+12025550147");
	twilio_rest_field(&rest, "StatusCallbackEvent", "initiated");
	twilio_rest_field(&rest, "StatusCallbackEvent", "answered");
	twilio_rest_field(&rest, "Empty", "");
	assert_int_equal(twilio_rest_end(&rest), RC_OK);
	assert_string_equal(rest.http.method, "POST");
	assert_string_equal(rest.http.url, ROOT "/Calls.json");
	assert_string_equal(rest.http.body,
	    "To=%2B12025550147&StatusCallbackEvent=initiated"
	    "&StatusCallbackEvent=answered&Empty=");
	assert_int_equal(rest.http.body_len, strlen(rest.http.body));
	assert_string_equal(rest.http.headers[0],
	    "Content-Type: application/x-www-form-urlencoded");
	assert_null(rest.http.headers[1]);
	assert_false(rest.http.foreign);
	twilio_rest_free(&rest);
}

static void
test_post_without_fields(void **state)
{
	struct twilio_rest rest = begin("POST", "Messages/" SID ".json");

	(void)state;
	assert_int_equal(twilio_rest_end(&rest), RC_OK);
	assert_string_equal(rest.http.body, "");
	assert_int_equal(rest.http.body_len, 0);
	twilio_rest_free(&rest);
}

static void
test_fields_of_a_get_go_into_the_query(void **state)
{
	static const char *const paths[][2] = {
		{ "Calls.json", ROOT "/Calls.json?" },
		{ "Calls.json?Page=1", ROOT "/Calls.json?Page=1&" },
	};
	char expected[256];
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(paths); i++) {
		struct twilio_rest rest = begin("GET", paths[i][0]);

		twilio_rest_field(&rest, "To", "+12025550147");
		twilio_rest_field(&rest, "PageSize", "50");
		assert_int_equal(twilio_rest_end(&rest), RC_OK);
		snprintf(expected, sizeof expected,
		    "%sTo=%%2B12025550147"
		    "&PageSize=50",
		    paths[i][1]);
		assert_string_equal(rest.http.url, expected);
		assert_null(rest.http.body);
		assert_null(rest.http.headers[0]);
		twilio_rest_free(&rest);
	}
}

static void
test_delete_has_no_body(void **state)
{
	struct twilio_rest rest = begin("DELETE", "Calls/" SID ".json");

	(void)state;
	assert_int_equal(twilio_rest_end(&rest), RC_OK);
	assert_string_equal(rest.http.method, "DELETE");
	assert_string_equal(rest.http.url, ROOT "/Calls/" SID ".json");
	assert_null(rest.http.body);
	twilio_rest_free(&rest);
}

static void
test_a_path_from_the_root(void **state)
{
	struct twilio_rest rest = begin("GET", "/2010-04-01/x.json?Page=1");

	(void)state;
	assert_int_equal(twilio_rest_end(&rest), RC_OK);
	assert_string_equal(rest.http.url, BASE "/2010-04-01/x.json?Page=1");
	twilio_rest_free(&rest);
}

/* Every byte but the unreserved ones of RFC 3986 is escaped. */
static void
test_escaping(void **state)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
				    "qrstuvwxyz0123456789-._~";
	char value[2] = "", expected[16];
	int c;

	(void)state;
	for (c = 1; c < 256; c++) {
		struct twilio_rest rest = begin("POST", "x");

		value[0] = (char)c;
		snprintf(expected, sizeof expected,
		    strchr(plain, c) != NULL ? "Body=%c" : "Body=%%%02X", c);
		twilio_rest_field(&rest, "Body", value);
		assert_int_equal(twilio_rest_end(&rest), RC_OK);
		assert_string_equal(rest.http.body, expected);
		twilio_rest_free(&rest);
	}
}

static void
test_account_and_first_token_open_it(void **state)
{
	struct twilio_rest rest = begin("GET", "Calls.json");

	(void)state;
	assert_string_equal(rest.http.user, ACCOUNT);
	assert_string_equal(rest.http.password, "first");
	twilio_rest_free(&rest);
}

static void
test_an_api_key_opens_it_if_there_is_one(void **state)
{
	struct secrets with_key = secrets;
	struct twilio_rest rest;

	(void)state;
	strcpy(with_key.api_key, KEY);
	strcpy(with_key.api_secret, "secret");
	twilio_rest_begin(&rest, &conf, &with_key, "GET", "Calls.json");
	assert_int_equal(twilio_rest_end(&rest), RC_OK);
	assert_string_equal(rest.http.user, KEY);
	assert_string_equal(rest.http.password, "secret");
	/* The path stays the account's. */
	assert_string_equal(rest.http.url, ROOT "/Calls.json");
	twilio_rest_free(&rest);
}

static void
test_what_does_not_fit(void **state)
{
	char text[2000];
	struct twilio_rest rest;

	(void)state;
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	rest = begin("POST", text);
	assert_int_equal(twilio_rest_end(&rest), RC_MEMORY);
	twilio_rest_free(&rest);
	rest = begin("GET", "Calls.json");
	twilio_rest_field(&rest, "To", text);
	assert_int_equal(twilio_rest_end(&rest), RC_MEMORY);
	twilio_rest_free(&rest);

	/* To the byte. */
	rest = begin("GET", "x");
	text[sizeof rest.url - 1 - strlen(ROOT "/x?To=")] = '\0';
	twilio_rest_field(&rest, "To", text);
	assert_int_equal(twilio_rest_end(&rest), RC_OK);
	assert_int_equal(strlen(rest.http.url), sizeof rest.url - 1);
	twilio_rest_free(&rest);
	rest = begin("GET", "x");
	strcat(text, "x");
	twilio_rest_field(&rest, "To", text);
	assert_int_equal(twilio_rest_end(&rest), RC_MEMORY);
	twilio_rest_free(&rest);
}

static void
test_a_number_is_wiped(void **state)
{
	struct twilio_rest rest = begin("GET", "Calls.json");
	char zeros[sizeof rest.url] = "";

	(void)state;
	twilio_rest_field(&rest, "To", "+12025550147");
	assert_int_equal(twilio_rest_end(&rest), RC_OK);
	twilio_rest_free(&rest);
	assert_memory_equal(rest.url, zeros, sizeof zeros);
	twilio_rest_free(&rest);
}

/* The verdict on an answer, and what it says. */
static enum twilio_verdict
verdict(int status, const char *body, struct twilio_reply *reply)
{
	struct http_answer answer = { .status = status,
		.sent = true,
		.body = body,
		.body_len = strlen(body),
		.error = "" };

	memset(reply, '#', sizeof *reply);
	return twilio_rest_verdict(&answer, reply);
}

static void
test_verdicts(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum twilio_verdict verdict;
		int code;
	} cases[] = {
		{ 200, "{}", TWILIO_YES, 0 },
		{ 201, "{\"sid\":\"" SID "\"}", TWILIO_YES, 0 },
		{ 204, "", TWILIO_YES, 0 },
		/* Somebody who is not Twilio. */
		{ 200, "<html>Welcome to our hotel</html>", TWILIO_UNSURE, 0 },
		{ 200, "{\"sid\":", TWILIO_UNSURE, 0 },
		{ 200, "[]", TWILIO_UNSURE, 0 },
		{ 301, "", TWILIO_NO, 0 },
		{ 400, "{\"code\":21211}", TWILIO_NO, 21211 },
		{ 400, "", TWILIO_NO, 0 },
		{ 400, "{\"code\":", TWILIO_NO, 0 },
		{ 400, "{\"code\":\"21211\"}", TWILIO_NO, 0 },
		{ 400, "{\"code\":-1}", TWILIO_NO, 0 },
		{ 400, "{\"code\":4294988507}", TWILIO_NO, 0 },
		{ 401, "{\"code\":20003}", TWILIO_BUSY, 20003 },
		{ 401, "", TWILIO_BUSY, 0 },
		{ 403, "{\"code\":20003}", TWILIO_BUSY, 20003 },
		{ 403, "{\"code\":20403}", TWILIO_NO, 20403 },
		{ 404, "{\"code\":20404}", TWILIO_NO, 20404 },
		{ 408, "", TWILIO_UNSURE, 0 },
		{ 429, "{\"code\":20429}", TWILIO_BUSY, 20429 },
		{ 500, "{\"code\":20500}", TWILIO_UNSURE, 20500 },
		{ 503, "", TWILIO_UNSURE, 0 },
	};
	struct twilio_reply reply;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(cases); i++) {
		if (verdict(cases[i].status, cases[i].body, &reply) !=
			cases[i].verdict ||
		    reply.code != cases[i].code)
			fail_msg("%d %s", cases[i].status, cases[i].body);
	}
}

static void
test_no_answer(void **state)
{
	struct http_answer answer = {
		.sent = true, .body = "", .error = "Timeout was reached"
	};
	struct twilio_reply reply;

	(void)state;
	assert_int_equal(twilio_rest_verdict(&answer, &reply), TWILIO_UNSURE);
	answer.sent = false;
	assert_int_equal(twilio_rest_verdict(&answer, &reply), TWILIO_BUSY);
	assert_string_equal(reply.sid, "");
	assert_int_equal(reply.code, 0);
}

static void
test_what_a_reply_says(void **state)
{
	struct twilio_reply reply;

	(void)state;
	verdict(201,
	    "{\"sid\":\"" SID "\",\"status\":\"queued\",\"code\":null}",
	    &reply);
	assert_string_equal(reply.sid, SID);
	assert_string_equal(reply.status, "queued");
	assert_int_equal(reply.code, 0);
	verdict(400,
	    "{\"code\":21211,\"message\":\"m\",\"more_info\":\"i\","
	    "\"status\":400}",
	    &reply);
	assert_string_equal(reply.sid, "");
	assert_string_equal(reply.status, "");
	assert_int_equal(reply.code, 21211);
	/* Cut to fit it would pass as another's. */
	verdict(201,
	    "{\"sid\":\"" SID "0\",\"status\":\"a status of over 20 bytes\"}",
	    &reply);
	assert_string_equal(reply.sid, "");
	assert_string_equal(reply.status, "");
	verdict(200, "{\"sid\":7,\"status\":{}}", &reply);
	assert_string_equal(reply.sid, "");
}

static void
test_sids(void **state)
{
	(void)state;
	assert_true(twilio_sid_valid(SID, "CA"));
	assert_false(twilio_sid_valid(SID, "SM"));
	assert_false(twilio_sid_valid("", "CA"));
	assert_false(twilio_sid_valid(SID "0", "CA"));
	assert_false(
	    twilio_sid_valid("CA0123456789abcdef0123456789abcde", "CA"));
	assert_false(
	    twilio_sid_valid("CA0123456789ABCDEF0123456789abcdef", "CA"));
	assert_false(
	    twilio_sid_valid("CA0123456789abcdef0123456789abcde/", "CA"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_post),
		cmocka_unit_test(test_post_without_fields),
		cmocka_unit_test(test_fields_of_a_get_go_into_the_query),
		cmocka_unit_test(test_delete_has_no_body),
		cmocka_unit_test(test_a_path_from_the_root),
		cmocka_unit_test(test_escaping),
		cmocka_unit_test(test_account_and_first_token_open_it),
		cmocka_unit_test(test_an_api_key_opens_it_if_there_is_one),
		cmocka_unit_test(test_what_does_not_fit),
		cmocka_unit_test(test_a_number_is_wiped),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_what_a_reply_says),
		cmocka_unit_test(test_sids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
