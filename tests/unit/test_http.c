/* Requests to others: what is sent, what counts as an answer, and where nothing
 * is sent at all. */

#include "test.h"

#include "http_server.h"

#include <time.h>

#include "http.h"
#include "log.h"

#define LENGTH(array) (sizeof array / sizeof array[0])
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nyo"
#define NOT_PUBLIC "the address is not a public one"

/* An answer, kept. */
struct kept {
	struct http_answer answer;
	char error[HTTP_ERROR_SIZE];
	char body[64];
	int times;
};

static void
keep(void *cookie, const struct http_answer *answer)
{
	struct kept *kept = cookie;

	kept->answer = *answer;
	snprintf(kept->error, sizeof kept->error, "%s", answer->error);
	snprintf(kept->body, sizeof kept->body, "%s", answer->body);
	kept->times++;
}

static int
setup(void **state)
{
	static const struct http_options options = { .ca_file = "" };
	struct http *http;

	log_open("test", LOG_ERROR);
	assert_int_equal(http_open(&http, &options), RC_OK);
	*state = http;
	return 0;
}

static int
teardown(void **state)
{
	http_close(*state);
	return 0;
}

/* Makes a request and waits for what comes of it. */
static struct kept
ask(struct http *http, const struct http_request *request)
{
	struct kept kept = { .times = 0 };

	assert_int_equal(http_ask(http, request, keep, &kept), RC_OK);
	assert_int_equal(kept.times, 1);
	assert_int_equal(http_running(http), 0);
	return kept;
}

/* The same for a GET of a path. */
static struct kept
get(struct http *http, const struct server *server, const char *path)
{
	char url[128];

	snprintf(url, sizeof url, "%s%s", server->url, path);
	return ask(http, &(struct http_request){ .method = "GET", .url = url });
}

/* No answer came, and why. */
static void
check_failed(const struct kept *kept, bool sent)
{
	assert_int_equal(kept->answer.status, 0);
	assert_int_equal(kept->answer.sent, sent);
	assert_string_not_equal(kept->error, "");
	/* Words of ours or curl's: nobody's address stands in them. */
	assert_null(strstr(kept->error, "127.0.0.1"));
}

/* --- What is sent */

static void
test_get(void **state)
{
	struct server server;
	struct kept kept;

	server_start(&server, OK);
	kept = get(*state, &server, "/a?b=c");
	assert_int_equal(kept.answer.status, 200);
	assert_string_equal(kept.body, "yo");
	assert_int_equal(kept.answer.body_len, 2);
	assert_string_equal(kept.error, "");
	assert_true(kept.answer.sent);
	assert_int_equal(kept.answer.retry_s, 0);
	assert_true(kept.answer.took_ms >= 0);
	assert_in_range(
	    kept.answer.started_ms / 1000, time(NULL) - 60, time(NULL) + 1);
	assert_memory_equal(server.request, "GET /a?b=c HTTP/1.1\r\n", 21);
	assert_non_null(strstr(server.request, "\r\nUser-Agent: callmask/"));
	assert_null(strstr(server.request, "Authorization"));
	server_stop(&server);
}

static void
test_post_with_headers_and_a_key(void **state)
{
	struct server server;
	struct http_request request = { .method = "POST",
		.user = "user",
		.password = "pass:word",
		.headers = { "Content-Type: application/json",
		    "webhook-id: x" },
		.body = "{\"a\":\0}",
		.body_len = 7 };

	server_start(&server, OK);
	request.url = server.url;
	assert_int_equal(ask(*state, &request).answer.status, 200);
	assert_memory_equal(server.request, "POST / HTTP/1.1\r\n", 17);
	assert_non_null(strstr(server.request,
	    "\r\nAuthorization: Basic dXNlcjpwYXNzOndvcmQ=\r\n"));
	assert_non_null(
	    strstr(server.request, "\r\nContent-Type: application/json\r\n"));
	assert_null(strstr(server.request, "x-www-form-urlencoded"));
	assert_non_null(strstr(server.request, "\r\nwebhook-id: x\r\n"));
	assert_non_null(strstr(server.request, "\r\nContent-Length: 7\r\n"));
	assert_null(strstr(server.request, "Expect"));
	assert_memory_equal(strstr(server.request, "\r\n\r\n") + 4,
	    request.body, request.body_len);
	server_stop(&server);
}

static void
test_delete(void **state)
{
	struct server server;
	struct http_request request = { .method = "DELETE" };

	server_start(&server, "HTTP/1.1 204 No Content\r\n\r\n");
	request.url = server.url;
	assert_int_equal(ask(*state, &request).answer.status, 204);
	assert_memory_equal(server.request, "DELETE / HTTP/1.1\r\n", 19);
	server_stop(&server);
}

static void
test_no_proxy_is_taken_from_the_environment(void **state)
{
	static const char *const names[] = { "http_proxy", "https_proxy",
		"ALL_PROXY", "all_proxy" };
	struct server server, proxy;
	size_t i;

	server_start(&server, OK);
	server_start(&proxy, OK);
	unsetenv("no_proxy");
	for (i = 0; i < LENGTH(names); i++)
		setenv(names[i], proxy.url, 1);
	assert_int_equal(get(*state, &server, "/").answer.status, 200);
	for (i = 0; i < LENGTH(names); i++)
		unsetenv(names[i]);
	assert_int_equal(server_requests(&server), 1);
	assert_int_equal(server_connections(&proxy), 0);
	server_stop(&server);
	server_stop(&proxy);
}

static void
test_connections_are_kept(void **state)
{
	struct server server;
	int i;

	server_start(&server, OK);
	for (i = 0; i < 5; i++)
		assert_int_equal(get(*state, &server, "/").answer.status, 200);
	assert_int_equal(server_requests(&server), 5);
	assert_int_equal(server_connections(&server), 1);
	server_stop(&server);
}

/* libcurl sends a request anew, even a POST, when a connection that it has
 * kept dies: not one that must not come twice. */
static void
test_once_is_sent_once(void **state)
{
	struct server server;
	struct http_request request = {
		.method = "POST", .body = "a=1", .body_len = 3
	};
	struct kept kept;
	int once;

	for (once = 1; once >= 0; once--) {
		server_start(&server, OK);
		server.answers = 1;
		request.url = server.url;
		request.once = once != 0;
		assert_int_equal(get(*state, &server, "/").answer.status, 200);
		kept = ask(*state, &request);
		assert_int_equal(kept.answer.status, 0);
		assert_true(kept.answer.sent);
		assert_int_equal(server_requests(&server), once != 0 ? 2 : 3);
		server_stop(&server);
	}
}

/* --- What counts as an answer */

static void
test_every_status_is_an_answer(void **state)
{
	static const int statuses[] = { 200, 201, 204, 299, 304, 400, 401, 404,
		410, 429, 500, 503, 599 };
	char reply[100] = "";
	struct server server;
	struct kept kept;
	size_t i;

	server_start(&server, reply);
	for (i = 0; i < LENGTH(statuses); i++) {
		snprintf(reply, sizeof reply,
		    "HTTP/1.1 %d Word\r\nContent-Length: 0\r\n\r\n",
		    statuses[i]);
		kept = get(*state, &server, "/");
		assert_int_equal(kept.answer.status, statuses[i]);
		assert_string_equal(kept.error, "");
		assert_string_equal(kept.body, "");
	}
	server_stop(&server);
}

static void
test_answers_in_other_forms(void **state)
{
	static const char *const replies[] = {
		"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		"1\r\ny\r\n1\r\no\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
		"Trailer: A\r\n\r\n2\r\nyo\r\n0\r\nA: b\r\n\r\n",
		"HTTP/1.0 200 OK\r\n\r\nyo",
	};
	struct server server;
	struct kept kept;
	size_t i;

	for (i = 0; i < LENGTH(replies); i++) {
		server_start(&server, replies[i]);
		server.then = SERVER_CLOSE;
		kept = get(*state, &server, "/");
		assert_int_equal(kept.answer.status, 200);
		assert_string_equal(kept.body, "yo");
		server_stop(&server);
	}
}

static void
test_redirects_are_not_followed(void **state)
{
	char reply[200] = "";
	struct server server, other;

	server_start(&other, OK);
	snprintf(reply, sizeof reply,
	    "HTTP/1.1 307 Over There\r\nLocation: %s/x\r\n"
	    "Content-Length: 0\r\n\r\n",
	    other.url);
	server_start(&server, reply);
	assert_int_equal(get(*state, &server, "/").answer.status, 307);
	assert_int_equal(server_requests(&server), 1);
	assert_int_equal(server_connections(&other), 0);
	server_stop(&server);
	server_stop(&other);
}

/* Sent, but no whole answer: it may have arrived. */
static void
test_half_an_answer_is_none(void **state)
{
	static const char *const replies[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal",
		"HTTP/1.1 200 OK\r\nContent-Le",
		"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n",
		"nonsense\r\n\r\n",
		"",
	};
	struct server server;
	struct kept kept;
	size_t i;

	for (i = 0; i < LENGTH(replies); i++) {
		server_start(&server, replies[i]);
		server.then = SERVER_CLOSE;
		kept = get(*state, &server, "/");
		check_failed(&kept, true);
		server_stop(&server);
	}
}

static void
test_nobody_listens(void **state)
{
	struct server server;
	struct kept kept;

	server_start(&server, OK);
	server_stop(&server);
	kept = get(*state, &server, "/");
	check_failed(&kept, false);
}

static void
test_who_says_nothing_is_given_up(void **state)
{
	static const struct http_options options = { .ca_file = "",
		.timeout_ms = 100 };
	static const char *const replies[] = { NULL,
		"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf" };
	struct server server;
	struct http *http;
	struct kept kept;
	size_t i;

	(void)state;
	assert_int_equal(http_open(&http, &options), RC_OK);
	for (i = 0; i < LENGTH(replies); i++) {
		server_start(&server, replies[i]);
		server.then = SERVER_HANG;
		kept = get(http, &server, "/");
		check_failed(&kept, true);
		assert_true(kept.answer.took_ms >= 100);
		server_stop(&server);
	}
	http_close(http);
}

static void
test_answers_are_bounded(void **state)
{
	const size_t size = HTTP_BODY_MAX + 200;
	char *reply = malloc(size);
	struct server server;
	struct kept kept;
	size_t len, extra;

	for (extra = 0; extra < 2; extra++) {
		memset(reply, 'a', size);
		len = (size_t)sprintf(reply,
		    "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
		    HTTP_BODY_MAX + extra);
		reply[len] = 'a';
		server_start(&server, reply);
		server.reply_len = len + HTTP_BODY_MAX + extra;
		kept = get(*state, &server, "/");
		if (extra == 0) {
			assert_int_equal(kept.answer.status, 200);
			assert_int_equal(kept.answer.body_len, HTTP_BODY_MAX);
		} else {
			check_failed(&kept, true);
		}
		server_stop(&server);
	}
	free(reply);
}

static void
test_retry_after(void **state)
{
	static const struct {
		const char *value;
		int64_t seconds;
	} cases[] = { { "0", 0 }, { "1", 1 }, { "120", 120 },
		{ "86400", 86400 }, { "86401", 86400 }, { "-5", 0 },
		{ "soon", 0 }, { "", 0 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 0 },
		{ "Fri, 31 Dec 2100 23:59:59 GMT", 86400 } };
	char reply[200] = "", date[64];
	struct server server;
	struct kept kept;
	time_t later;
	struct tm tm;
	size_t i;

	server_start(&server, reply);
	for (i = 0; i < LENGTH(cases); i++) {
		snprintf(reply, sizeof reply,
		    "HTTP/1.1 503 No\r\nRetry-After: %s\r\n"
		    "Content-Length: 0\r\n\r\n",
		    cases[i].value);
		kept = get(*state, &server, "/");
		assert_int_equal(kept.answer.status, 503);
		if (kept.answer.retry_s != cases[i].seconds)
			fail_msg("%s: %lld", cases[i].value,
			    (long long)kept.answer.retry_s);
	}
	later = time(NULL) + 3600;
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT",
	    gmtime_r(&later, &tm));
	snprintf(reply, sizeof reply,
	    "HTTP/1.1 429 No\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n",
	    date);
	kept = get(*state, &server, "/");
	assert_in_range(kept.answer.retry_s, 3500, 3600);
	server_stop(&server);
}

/* --- Where nothing is sent */

static void
test_who_cannot_say_who_it_is_gets_nothing(void **state)
{
	struct server server;
	struct kept kept;
	char url[64];

	server_start(&server, OK);
	server.then = SERVER_CLOSE;
	snprintf(url, sizeof url, "https://127.0.0.1:%d/", server.port);
	kept = ask(*state, &(struct http_request){ .method = "POST",
			       .url = url,
			       .user = "user",
			       .password = "word",
			       .body = "secret",
			       .body_len = 6 });
	check_failed(&kept, false);
	assert_null(strstr(server.request, "secret"));
	server_stop(&server);
}

static void
test_other_schemes_are_refused(void **state)
{
	static const char *const urls[] = { "file:///etc/hostname",
		"ftp://127.0.0.1/", "gopher://127.0.0.1/",
		"telnet://127.0.0.1/", "dict://127.0.0.1/",
		"ldap://127.0.0.1/" };
	struct kept kept;
	size_t i;

	for (i = 0; i < LENGTH(urls); i++) {
		kept = ask(*state,
		    &(struct http_request){ .method = "GET", .url = urls[i] });
		check_failed(&kept, false);
		assert_string_equal(kept.error, "Unsupported protocol");
	}
	kept =
	    ask(*state, &(struct http_request){ .method = "GET", .url = "" });
	check_failed(&kept, false);
}

/* An address that somebody else chose leads nowhere inside. */
static void
test_foreign_addresses_must_be_public(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost", "[::1]",
		"0.0.0.0", "[::]", "[::ffff:127.0.0.1]", "127.1", "0x7f.0.0.1",
		"2130706433", "017700000001", "169.254.169.254", "10.0.0.1",
		"192.168.0.1", "172.16.0.1", "100.64.0.1", "[fe80::1]",
		"[fc00::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
		"255.255.255.255" };
	struct server server;
	struct kept kept;
	char url[100];
	size_t i;

	server_start(&server, OK);
	for (i = 0; i < LENGTH(hosts); i++) {
		snprintf(
		    url, sizeof url, "http://%s:%d/", hosts[i], server.port);
		kept = ask(
		    *state, &(struct http_request){
				.method = "GET", .url = url, .foreign = true });
		check_failed(&kept, false);
		if (strcmp(kept.error, NOT_PUBLIC) != 0)
			fail_msg("%s: %s", hosts[i], kept.error);
	}
	assert_int_equal(server_connections(&server), 0);
	server_stop(&server);
}

/* A connection kept from a request of ours is none for a stranger's. */
static void
test_foreign_requests_take_no_kept_connection(void **state)
{
	struct server server;
	struct http_request request = { .method = "GET" };
	struct kept kept;

	server_start(&server, OK);
	request.url = server.url;
	assert_int_equal(ask(*state, &request).answer.status, 200);
	request.foreign = true;
	kept = ask(*state, &request);
	assert_int_equal(kept.answer.status, 0);
	assert_string_equal(kept.error, NOT_PUBLIC);
	assert_int_equal(server_requests(&server), 1);
	server_stop(&server);
}

static void
test_foreign_addresses_may_be_private_in_development(void **state)
{
	static const struct http_options options = { .ca_file = "",
		.allow_private = true };
	struct http_request request = { .method = "GET", .foreign = true };
	struct server server;
	struct http *http;

	(void)state;
	assert_int_equal(http_open(&http, &options), RC_OK);
	server_start(&server, OK);
	request.url = server.url;
	assert_int_equal(ask(http, &request).answer.status, 200);
	assert_int_equal(ask(http, &request).answer.status, 200);
	server_stop(&server);
	http_close(http);
}

/* --- Many at once */

static void
test_one_that_is_slow_holds_up_nobody(void **state)
{
	struct http *http = *state;
	struct server slow, quick;
	struct kept lost = { .times = 0 }, kept[20] = { { .times = 0 } };
	struct http_request request = { .method = "GET" };
	size_t i;

	server_start(&slow, NULL);
	server_start(&quick, OK);
	request.url = slow.url;
	assert_int_equal(http_start(http, &request, keep, &lost), RC_OK);
	request.url = quick.url;
	for (i = 0; i < LENGTH(kept); i++)
		assert_int_equal(
		    http_start(http, &request, keep, &kept[i]), RC_OK);
	assert_int_equal(http_running(http), LENGTH(kept) + 1);
	while (http_running(http) > 1)
		assert_int_equal(http_run(http, NULL, 0, 1000), RC_OK);
	for (i = 0; i < LENGTH(kept); i++) {
		assert_int_equal(kept[i].times, 1);
		assert_int_equal(kept[i].answer.status, 200);
	}
	assert_int_equal(lost.times, 0);
	/* Dropped at the end, without a word. */
	http_close(http);
	assert_int_equal(lost.times, 0);
	*state = NULL;
	server_stop(&slow);
	server_stop(&quick);
}

/* A request may be started from within the answer to another. */
struct chain {
	struct http *http;
	const struct http_request *request;
	int left;
};

static void
start_next(void *cookie, const struct http_answer *answer)
{
	struct chain *chain = cookie;

	assert_int_equal(answer->status, 200);
	if (--chain->left > 0)
		assert_int_equal(
		    http_start(chain->http, chain->request, start_next, chain),
		    RC_OK);
}

static void
test_an_answer_may_lead_to_the_next_request(void **state)
{
	struct server server;
	struct http_request request = { .method = "GET" };
	struct chain chain = { *state, &request, 4 };

	server_start(&server, OK);
	request.url = server.url;
	assert_int_equal(http_ask(*state, &request, start_next, &chain), RC_OK);
	assert_int_equal(chain.left, 0);
	assert_int_equal(server_requests(&server), 4);
	server_stop(&server);
}

static void
test_run_ends_when_a_descriptor_is_readable(void **state)
{
	struct server server;
	struct http_request request = { .method = "GET" };
	struct kept kept = { .times = 0 };
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	/* With nothing under way, and with a request that gets no answer. */
	assert_int_equal(write(ends[1], "", 1), 1);
	assert_int_equal(http_run(*state, ends, 1, 600000), RC_OK);
	server_start(&server, NULL);
	request.url = server.url;
	assert_int_equal(http_start(*state, &request, keep, &kept), RC_OK);
	while (server_requests(&server) == 0)
		assert_int_equal(http_run(*state, NULL, 0, 10), RC_OK);
	assert_int_equal(http_run(*state, ends, 1, 600000), RC_OK);
	assert_int_equal(kept.times, 0);
	/* And by itself when time is over. */
	assert_int_equal(http_run(*state, NULL, 0, 1), RC_OK);
	http_close(*state);
	*state = NULL;
	server_stop(&server);
	close(ends[0]);
	close(ends[1]);
}

#define HTTP_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HTTP_TEST(test_get),
		HTTP_TEST(test_post_with_headers_and_a_key),
		HTTP_TEST(test_delete),
		HTTP_TEST(test_no_proxy_is_taken_from_the_environment),
		HTTP_TEST(test_connections_are_kept),
		HTTP_TEST(test_once_is_sent_once),
		HTTP_TEST(test_every_status_is_an_answer),
		HTTP_TEST(test_answers_in_other_forms),
		HTTP_TEST(test_redirects_are_not_followed),
		HTTP_TEST(test_half_an_answer_is_none),
		HTTP_TEST(test_nobody_listens),
		cmocka_unit_test(test_who_says_nothing_is_given_up),
		HTTP_TEST(test_answers_are_bounded),
		HTTP_TEST(test_retry_after),
		HTTP_TEST(test_who_cannot_say_who_it_is_gets_nothing),
		HTTP_TEST(test_other_schemes_are_refused),
		HTTP_TEST(test_foreign_addresses_must_be_public),
		HTTP_TEST(test_foreign_requests_take_no_kept_connection),
		cmocka_unit_test(
		    test_foreign_addresses_may_be_private_in_development),
		HTTP_TEST(test_one_that_is_slow_holds_up_nobody),
		HTTP_TEST(test_an_answer_may_lead_to_the_next_request),
		HTTP_TEST(test_run_ends_when_a_descriptor_is_readable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
