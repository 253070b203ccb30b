/* The numbers of a Twilio account: what they must be set to, requests and
 * lists. */

#include "test.h"

#include <stdio.h>
#include <string.h>

#include "twilio_number.h"

#define LENGTH(array) (sizeof array / sizeof array[0])
#define ACCOUNT "AC0123456789abcdef0123456789abcdef"
#define SID "PN0123456789abcdef0123456789abcdef"
#define TRUNK "TK0123456789abcdef0123456789abcdef"
#define BASE "https://api.example.com"
#define PATH "/2010-04-01/Accounts/" ACCOUNT "/IncomingPhoneNumbers.json"
#define ONE                                                                    \
	BASE "/2010-04-01/Accounts/" ACCOUNT "/IncomingPhoneNumbers/" SID      \
	     ".json"

static const struct conf conf = { .public_url = "https://mask.example.net",
	.url_overrides = "rc=2&rt=4500",
	.twilio_api_url = BASE };
static const struct secrets secrets = {
	.account_sid = ACCOUNT, .tokens = { "token" }, .tokens_len = 1
};

/* A number set as it must be. */
static struct twilio_number
right(void)
{
	struct twilio_number number;

	twilio_number_wanted(&number, &conf);
	strcpy(number.sid, SID);
	strcpy(number.number, "+12025550199");
	return number;
}

static void
test_what_is_wanted(void **state)
{
	struct conf longest = { .public_url = "" };
	struct twilio_number n = right();

	(void)state;
	assert_string_equal(n.is[TWILIO_NUMBER_VOICE_URL],
	    "https://mask.example.net/twilio/voice#rc=2&rt=4500");
	assert_string_equal(n.is[TWILIO_NUMBER_VOICE_METHOD], "POST");
	assert_string_equal(n.is[TWILIO_NUMBER_STATUS_CALLBACK],
	    "https://mask.example.net/twilio/status");
	assert_string_equal(n.is[TWILIO_NUMBER_STATUS_CALLBACK_METHOD], "POST");
	assert_string_equal(n.is[TWILIO_NUMBER_SMS_URL],
	    "https://mask.example.net/twilio/message");
	assert_string_equal(n.is[TWILIO_NUMBER_SMS_METHOD], "POST");
	assert_string_equal(n.is[TWILIO_NUMBER_TRUNK], "");
	assert_string_equal(n.is[TWILIO_NUMBER_VOICE_FALLBACK], "");

	/* Nothing is cut. */
	memset(longest.public_url, 'x', sizeof longest.public_url - 1);
	memset(longest.url_overrides, 'y', sizeof longest.url_overrides - 1);
	twilio_number_wanted(&n, &longest);
	assert_int_equal(strlen(n.is[TWILIO_NUMBER_VOICE_URL]),
	    199 + strlen("/twilio/voice#") + 99);
	longest.url_overrides[0] = '\0';
	twilio_number_wanted(&n, &longest);
	assert_null(strchr(n.is[TWILIO_NUMBER_VOICE_URL], '#'));
}

/* Notes findings as "kind setting is>wanted". */
static void
note(void *cookie, const struct twilio_number_finding *f)
{
	char *out = cookie;

	snprintf(out + strlen(out), 1000 - strlen(out), "%d %s %s>%s\n",
	    (int)f->kind, f->setting, f->is, f->wanted);
}

static void
check_findings(const struct twilio_number *is, const char *expected)
{
	struct twilio_number wanted = right();
	char found[1000] = "";

	twilio_number_compare(is, &wanted, note, found);
	assert_string_equal(found, expected);
}

static void
test_what_differs(void **state)
{
	struct twilio_number n = right();

	(void)state;
	check_findings(&n, "");
	strcpy(n.is[TWILIO_NUMBER_VOICE_METHOD], "GET");
	strcpy(n.is[TWILIO_NUMBER_STATUS_CALLBACK], "");
	strcpy(n.is[TWILIO_NUMBER_TRUNK], TRUNK);
	strcpy(n.is[TWILIO_NUMBER_VOICE_FALLBACK], "https://other.example");
	check_findings(&n,
	    "0 voice_method GET>POST\n"
	    "0 status_callback >https://mask.example.net/twilio/status\n"
	    "1 trunk_sid " TRUNK ">\n"
	    "3 voice_fallback_url https://other.example>\n");
	/* Without the overrides it is not retried as it should be. */
	n = right();
	*strchr(n.is[TWILIO_NUMBER_VOICE_URL], '#') = '\0';
	check_findings(&n,
	    "0 voice_url https://mask.example.net/twilio/voice>"
	    "https://mask.example.net/twilio/voice#rc=2&rt=4500\n");
}

static void
test_what_it_cannot_do(void **state)
{
	struct twilio_number n = right();

	(void)state;
	n.voice = false;
	check_findings(&n, "2 capabilities.voice false>true\n");
	/* Of a number without texts, what texts do is of no interest. */
	n = right();
	n.text = false;
	strcpy(n.is[TWILIO_NUMBER_SMS_URL], "");
	strcpy(n.is[TWILIO_NUMBER_SMS_APPLICATION], "AP");
	check_findings(&n, "3 capabilities.sms false>true\n");
}

static void
test_setting(void **state)
{
	struct twilio_number n = right(), wanted = right();
	struct twilio_rest rest;

	(void)state;
	strcpy(n.is[TWILIO_NUMBER_VOICE_FALLBACK], "https://other.example");
	assert_false(
	    twilio_number_set(&rest, &conf, &secrets, &n, &wanted, true));

	strcpy(n.is[TWILIO_NUMBER_VOICE_URL], "https://old.example/");
	strcpy(n.is[TWILIO_NUMBER_SMS_METHOD], "GET");
	strcpy(n.is[TWILIO_NUMBER_TRUNK], TRUNK);
	assert_true(
	    twilio_number_set(&rest, &conf, &secrets, &n, &wanted, false));
	assert_int_equal(twilio_rest_end(&rest), RC_OK);
	assert_string_equal(rest.http.method, "POST");
	assert_string_equal(rest.http.url, ONE);
	assert_string_equal(rest.http.body,
	    "VoiceUrl=https%3A%2F%2Fmask.example.net%2Ftwilio%2Fvoice"
	    "%23rc%3D2%26rt%3D4500&SmsMethod=POST");
	twilio_rest_free(&rest);

	assert_true(
	    twilio_number_set(&rest, &conf, &secrets, &n, &wanted, true));
	assert_int_equal(twilio_rest_end(&rest), RC_OK);
	assert_non_null(strstr(rest.http.body, "&SmsMethod=POST&TrunkSid="));
	twilio_rest_free(&rest);

	/* Only what others have. */
	n = right();
	strcpy(n.is[TWILIO_NUMBER_VOICE_APPLICATION], "AP");
	assert_false(
	    twilio_number_set(&rest, &conf, &secrets, &n, &wanted, false));
	assert_true(
	    twilio_number_set(&rest, &conf, &secrets, &n, &wanted, true));
	assert_int_equal(twilio_rest_end(&rest), RC_OK);
	assert_string_equal(rest.http.body, "VoiceApplicationSid=");
	twilio_rest_free(&rest);
}

static void
test_buying_and_releasing(void **state)
{
	struct twilio_number wanted = right();
	struct twilio_rest rest;

	(void)state;
	twilio_number_buy(&rest, &conf, &secrets, "+12025550142", &wanted);
	assert_int_equal(twilio_rest_end(&rest), RC_OK);
	assert_string_equal(rest.http.url, BASE PATH);
	assert_string_equal(rest.http.body,
	    "PhoneNumber=%2B12025550142"
	    "&VoiceUrl=https%3A%2F%2Fmask.example.net%2Ftwilio%2Fvoice"
	    "%23rc%3D2%26rt%3D4500&VoiceMethod=POST"
	    "&StatusCallback=https%3A%2F%2Fmask.example.net%2Ftwilio%2Fstatus"
	    "&StatusCallbackMethod=POST"
	    "&SmsUrl=https%3A%2F%2Fmask.example.net%2Ftwilio%2Fmessage"
	    "&SmsMethod=POST");
	twilio_rest_free(&rest);
	twilio_number_release(&rest, &conf, &secrets, SID);
	assert_int_equal(twilio_rest_end(&rest), RC_OK);
	assert_string_equal(rest.http.method, "DELETE");
	assert_string_equal(rest.http.url, ONE);
	twilio_rest_free(&rest);
}

static void
check_url(struct twilio_rest *rest, const char *expected)
{
	assert_int_equal(twilio_rest_end(rest), RC_OK);
	assert_string_equal(rest->http.method, "GET");
	assert_string_equal(rest->http.url, expected);
	twilio_rest_free(rest);
}

static void
test_listing_and_searching(void **state)
{
	struct twilio_number_search search = { "US", "", "", false, 20 };
	struct twilio_rest rest;

	(void)state;
	twilio_number_list(&rest, &conf, &secrets, "");
	check_url(&rest, BASE PATH "?PageSize=200");
	twilio_number_list(&rest, &conf, &secrets, PATH "?Page=1");
	check_url(&rest, BASE PATH "?Page=1");
	twilio_number_find(&rest, &conf, &secrets, "+12025550199");
	check_url(&rest, BASE PATH "?PhoneNumber=%2B12025550199");
	twilio_number_search(&rest, &conf, &secrets, &search);
	check_url(&rest, BASE "/2010-04-01/Accounts/" ACCOUNT
			      "/AvailablePhoneNumbers/US/Local.json"
			      "?VoiceEnabled=true&PageSize=20");
	search = (struct twilio_number_search){ "GB", "202", "55*0", true, 1 };
	twilio_number_search(&rest, &conf, &secrets, &search);
	check_url(&rest,
	    BASE "/2010-04-01/Accounts/" ACCOUNT
		 "/AvailablePhoneNumbers/GB/Mobile.json"
		 "?AreaCode=202&Contains=55%2A0&VoiceEnabled=true&PageSize=1");
}

/* Keeps the last number read and counts them. */
struct kept {
	int len;
	struct twilio_number last;
};

static void
keep(void *cookie, const struct twilio_number *number)
{
	struct kept *kept = cookie;

	kept->len++;
	kept->last = *number;
}

static enum rc
read_page(struct kept *kept, const char *body, char *next)
{
	*kept = (struct kept){ .len = 0 };
	return twilio_number_read(
	    &conf, &secrets, body, strlen(body), keep, kept, next);
}

static void
test_a_page(void **state)
{
	char next[TWILIO_NUMBER_NEXT_SIZE];
	struct kept kept;

	(void)state;
	assert_int_equal(
	    read_page(&kept,
		"{\"incoming_phone_numbers\":["
		"{\"sid\":\"" SID "\",\"phone_number\":\"+12025550199\","
		"\"voice_url\":\"https://a/b#c\",\"voice_method\":\"POST\","
		"\"status_callback\":null,\"sms_url\":\"\",\"trunk_sid\":"
		"\"" TRUNK "\",\"sms_method\":7,"
		"\"voice_fallback_url\":\"a\\u001b[2Jb\","
		"\"capabilities\":{\"voice\":true,\"SMS\":true,\"fax\":false}},"
		/* Not a number: nothing could be asked about it. */
		"{\"sid\":\"PN../../x\",\"phone_number\":\"+12025550111\"},"
		"null,[]],\"next_page_uri\":\"" PATH "?Page=1&PageToken=x\"}",
		next),
	    RC_OK);
	assert_string_equal(next, PATH "?Page=1&PageToken=x");
	assert_int_equal(kept.len, 1);
	assert_string_equal(kept.last.sid, SID);
	assert_string_equal(kept.last.number, "+12025550199");
	assert_string_equal(
	    kept.last.is[TWILIO_NUMBER_VOICE_URL], "https://a/b#c");
	assert_string_equal(kept.last.is[TWILIO_NUMBER_VOICE_METHOD], "POST");
	assert_string_equal(kept.last.is[TWILIO_NUMBER_STATUS_CALLBACK], "");
	/* Of methods nobody chose, the one that Twilio takes. */
	assert_string_equal(kept.last.is[TWILIO_NUMBER_SMS_METHOD], "POST");
	assert_string_equal(
	    kept.last.is[TWILIO_NUMBER_STATUS_CALLBACK_METHOD], "POST");
	assert_string_equal(kept.last.is[TWILIO_NUMBER_TRUNK], TRUNK);
	assert_string_equal(
	    kept.last.is[TWILIO_NUMBER_VOICE_FALLBACK], "a?[2Jb");
	assert_true(kept.last.voice);
	assert_true(kept.last.text);
}

/* What a request that sets or buys one is answered by. */
static void
test_one_number(void **state)
{
	char next[TWILIO_NUMBER_NEXT_SIZE] = "x";
	struct kept kept;

	(void)state;
	assert_int_equal(
	    read_page(
		&kept, "{\"sid\":\"" SID "\",\"sms_method\":\"GET\"}", next),
	    RC_OK);
	assert_int_equal(kept.len, 1);
	assert_string_equal(kept.last.is[TWILIO_NUMBER_SMS_METHOD], "GET");
	assert_string_equal(next, "");
}

static void
test_what_is_no_page(void **state)
{
	static const char *const bodies[] = { "", "{", "[]", "{}", "null",
		"{\"sid\":\"PN\"}", "{\"incoming_phone_numbers\":{}}",
		"{\"incoming_phone_numbers\":[],\"next_page_uri\":7}" };
	char next[TWILIO_NUMBER_NEXT_SIZE];
	struct kept kept;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(bodies); i++)
		assert_int_equal(read_page(&kept, bodies[i], next), RC_SYNTAX);
	assert_int_equal(
	    read_page(&kept, "{\"incoming_phone_numbers\":[]}", next), RC_OK);
	assert_string_equal(next, "");
	assert_int_equal(read_page(&kept,
			     "{\"incoming_phone_numbers\":[],"
			     "\"next_page_uri\":\"\"}",
			     next),
	    RC_OK);
	assert_string_equal(next, "");
}

/* Our credentials go nowhere else. */
static void
test_pages_elsewhere_are_not_gone_to(void **state)
{
	static const char *const good[] = { PATH "?Page=1",
		BASE PATH "?Page=1" };
	static const char *const bad[] = { "https://evil.example" PATH,
		BASE "@evil.example" PATH, "@evil.example" PATH,
		".evil.example" PATH, "//evil.example" PATH,
		"/2010-04-01/Accounts/ACffffffffffffffffffffffffffffffff/x",
		"/2010-04-01/Accounts.json" };
	char body[256], next[TWILIO_NUMBER_NEXT_SIZE];
	struct kept kept;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(good) + LENGTH(bad); i++) {
		snprintf(body, sizeof body,
		    "{\"incoming_phone_numbers\":[],\"next_page_uri\":\"%s\"}",
		    i < LENGTH(good) ? good[i] : bad[i - LENGTH(good)]);
		assert_int_equal(read_page(&kept, body, next),
		    i < LENGTH(good) ? RC_OK : RC_SYNTAX);
		assert_string_equal(
		    next, i < LENGTH(good) ? PATH "?Page=1" : "");
	}
}

/* A provider whose API is below a path names pages with it. */
static void
test_pages_below_a_path(void **state)
{
	static const struct conf below = {
		.twilio_api_url = "https://api.example.com/api/laml"
	};
	static const char body[] =
	    "{\"incoming_phone_numbers\":[],\"next_page_uri\":"
	    "\"/api/laml" PATH "?Page=1\"}";
	char next[TWILIO_NUMBER_NEXT_SIZE];
	struct twilio_rest rest;
	struct kept kept;

	(void)state;
	assert_int_equal(twilio_number_read(&below, &secrets, body,
			     strlen(body), keep, &kept, next),
	    RC_OK);
	twilio_number_list(&rest, &below, &secrets, next);
	check_url(&rest, "https://api.example.com/api/laml" PATH "?Page=1");
}

static void
test_a_value_too_long_is_none_of_ours(void **state)
{
	struct twilio_number wanted = right();
	char url[400], body[1000], next[TWILIO_NUMBER_NEXT_SIZE];
	struct kept kept;

	(void)state;
	/* In the middle of a character. */
	memset(url, 'x', sizeof url);
	strcpy(url + TWILIO_NUMBER_VALUE_SIZE - 2, "\xc3\xbc");
	snprintf(body, sizeof body,
	    "{\"incoming_phone_numbers\":[{\"sid\":\"" SID "\","
	    "\"voice_url\":\"%s\"}]}",
	    url);
	assert_int_equal(read_page(&kept, body, next), RC_OK);
	assert_int_equal(strlen(kept.last.is[TWILIO_NUMBER_VOICE_URL]),
	    TWILIO_NUMBER_VALUE_SIZE - 2);
	assert_string_not_equal(kept.last.is[TWILIO_NUMBER_VOICE_URL],
	    wanted.is[TWILIO_NUMBER_VOICE_URL]);
}

static void
print_offer(void *cookie, const struct twilio_number_offer *offer)
{
	char *out = cookie;

	snprintf(out + strlen(out), 500 - strlen(out), "%s (%s)%s%s%s%s\n",
	    offer->number, offer->place, offer->voice ? " voice" : "",
	    offer->sms ? " sms" : "", offer->mms ? " mms" : "",
	    offer->address ? " address" : "");
}

static void
test_offers(void **state)
{
	static const char body[] =
	    "{\"available_phone_numbers\":["
	    "{\"phone_number\":\"+12025550142\",\"locality\":\"Washington\","
	    "\"region\":\"DC\",\"address_requirements\":\"none\","
	    "\"capabilities\":{\"voice\":true,\"SMS\":true,\"MMS\":false}},"
	    "{\"phone_number\":\"+12025550143\",\"locality\":null,"
	    "\"region\":\"DC\",\"address_requirements\":\"local\","
	    "\"capabilities\":{\"voice\":true,\"sms\":false}},"
	    "{\"phone_number\":\"x\"},null]}";
	char found[500] = "";

	(void)state;
	assert_int_equal(
	    twilio_number_read_offers(body, strlen(body), print_offer, found),
	    RC_OK);
	assert_string_equal(found, "+12025550142 (Washington, DC) voice sms\n"
				   "+12025550143 (DC) voice address\n");
	assert_int_equal(
	    twilio_number_read_offers("{}", 2, print_offer, found), RC_SYNTAX);
}

/* The panel shows them to whoever may look. */
static void
test_words_tell_no_secret_of_a_url(void **state)
{
	static const char *const urls[][2] = {
		{ "https://user:pass@else.example/voice?token=1",
		    "https://else.example/voice," },
		{ "https://else.example/a@b", "https://else.example/a@b," },
		{ "https://else.example?a@b", "https://else.example," },
		{ "https://u@else.example", "https://else.example," },
	};
	struct twilio_number wanted = right(), is = right();
	char words[400];
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(urls); i++) {
		strcpy(is.is[TWILIO_NUMBER_VOICE_URL], urls[i][0]);
		assert_false(
		    twilio_number_words(&is, &wanted, words, sizeof words));
		assert_non_null(strstr(words, urls[i][1]));
		assert_null(strstr(words, "pass"));
		assert_null(strstr(words, "token"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_wanted),
		cmocka_unit_test(test_what_differs),
		cmocka_unit_test(test_what_it_cannot_do),
		cmocka_unit_test(test_setting),
		cmocka_unit_test(test_buying_and_releasing),
		cmocka_unit_test(test_listing_and_searching),
		cmocka_unit_test(test_a_page),
		cmocka_unit_test(test_one_number),
		cmocka_unit_test(test_what_is_no_page),
		cmocka_unit_test(test_pages_elsewhere_are_not_gone_to),
		cmocka_unit_test(test_pages_below_a_path),
		cmocka_unit_test(test_a_value_too_long_is_none_of_ours),
		cmocka_unit_test(test_offers),
		cmocka_unit_test(test_words_tell_no_secret_of_a_url),
	};

	return cmocka_run_group_tests_name("twilio_number", tests, NULL, NULL);
}
