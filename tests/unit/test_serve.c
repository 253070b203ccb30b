/* The cookie of the admin panel, as it comes with a request and as it is set.
 */

#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "serve.h"

#define TOKEN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define COOKIE "__Host-callmask="

static int
set_up(void **state)
{
	struct exchange *x = calloc(1, sizeof *x);

	*state = x;
	setenv("GATEWAY_INTERFACE", "CGI/1.1", 1);
	setenv("REQUEST_METHOD", "GET", 1);
	answer_init(&x->answer);
	return x != NULL && req_open(&x->req) == RC_OK &&
		       req_next(x->req) == RC_OK
		   ? 0
		   : -1;
}

static int
tear_down(void **state)
{
	struct exchange *x = *state;

	req_close(x->req);
	answer_free(&x->answer);
	free(x);
	return 0;
}

/* Reads the token of a cookie that one of our pages sends. */
static void
check_cookie(struct exchange *x, const char *cookie, const char *expected)
{
	char text[SIGNIN_SIZE] = "untouched";

	setenv("HTTP_SEC_FETCH_SITE", "same-origin", 1);
	setenv("HTTP_COOKIE", cookie, 1);
	assert_int_equal(serve_token(x, text), RC_OK);
	if (strcmp(text, expected) != 0)
		fail_msg("\"%s\" gives \"%s\"", cookie, text);
}

static void
test_the_token_of_a_cookie(void **state)
{
	static const char *const good[] = { COOKIE TOKEN, COOKIE TOKEN ";",
		"a=b; " COOKIE TOKEN, COOKIE TOKEN "; a=b",
		";;; " COOKIE TOKEN ";;; ", "a;" COOKIE TOKEN ";b" };
	static const char *const bad[] = { "", ";", "; ", "=", COOKIE,
		COOKIE TOKEN "0", COOKIE " " TOKEN, "x" COOKIE TOKEN,
		"__host-callmask=" TOKEN, "__Host-callmask" TOKEN,
		"__Host-callmaskx=" TOKEN, "a=" COOKIE TOKEN,
		COOKIE TOKEN "; " COOKIE TOKEN, COOKIE TOKEN ";" COOKIE,
		COOKIE "; " COOKIE TOKEN, COOKIE TOKEN "," COOKIE TOKEN };
	struct exchange *x = *state;
	size_t i;

	for (i = 0; i < sizeof good / sizeof good[0]; i++)
		check_cookie(x, good[i], TOKEN);
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		check_cookie(x, bad[i], "");
}

static void
test_a_long_cookie_is_read_to_its_end(void **state)
{
	struct exchange *x = *state;
	char *text = calloc(1, 110000);

	assert_non_null(text);
	memset(text, ';', 50000);
	memset(text + 50000, 'x', 50000);
	check_cookie(x, text, "");
	strcat(text, ";" COOKIE TOKEN);
	check_cookie(x, text, TOKEN);
	free(text);
}

static void
test_only_our_pages_have_one(void **state)
{
	static const char *const sites[] = { "", "none", "same-site",
		"cross-site", "Same-Origin", "same-origin ", " same-origin" };
	char text[SIGNIN_SIZE] = "untouched";
	struct exchange *x = *state;
	size_t i;

	setenv("HTTP_COOKIE", COOKIE TOKEN, 1);
	for (i = 0; i < sizeof sites / sizeof sites[0]; i++) {
		setenv("HTTP_SEC_FETCH_SITE", sites[i], 1);
		if (serve_token(x, text) != RC_FORBIDDEN || text[0] != '\0')
			fail_msg("\"%s\" passed", sites[i]);
	}
	unsetenv("HTTP_SEC_FETCH_SITE");
	assert_int_equal(serve_token(x, text), RC_FORBIDDEN);
	assert_string_equal(text, "");
}

static void
test_setting_it_and_taking_it_away(void **state)
{
	struct exchange *x = *state;

	serve_set_token(x, TOKEN);
	assert_string_equal(buf_text(&x->answer.headers),
	    "Set-Cookie: " COOKIE TOKEN "; Path=/; Max-Age=28800; Secure; "
	    "HttpOnly; SameSite=Strict\r\n");
	answer_reset(&x->answer);
	serve_set_token(x, "");
	assert_string_equal(buf_text(&x->answer.headers),
	    "Set-Cookie: " COOKIE "; Path=/; Max-Age=0; Secure; "
	    "HttpOnly; SameSite=Strict\r\n");
}

#define SERVE_TEST(test)                                                       \
	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SERVE_TEST(test_the_token_of_a_cookie),
		SERVE_TEST(test_a_long_cookie_is_read_to_its_end),
		SERVE_TEST(test_only_our_pages_have_one),
		SERVE_TEST(test_setting_it_and_taking_it_away),
	};

	return cmocka_run_group_tests_name("serve", tests, NULL, NULL);
}
