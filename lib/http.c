/* Requests to others: the only file that sees libcurl. */

#include "http.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#include "address.h"
#include "log.h"
#include "version.h"

#define RETRY_MAX_S 86400
#define CONNECTIONS_KEPT 64

struct http {
	CURLM *multi;
	struct http_options options;
	int running;
	struct transfer *transfers; /* under way */
};

/* A request under way. */
struct transfer {
	struct http *http;
	struct transfer *next, **link; /* in http->transfers */
	CURL *easy;
	struct curl_slist *headers;
	struct buf body; /* of the answer */
	bool foreign, refused;
	bool headed; /* the answer's head came to its end */
	http_done done;
	void *cookie;
	int64_t started_ms;
	char error[CURL_ERROR_SIZE];
};

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Makes the socket for a connection, or does not. */
static curl_socket_t
open_socket(void *cookie, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *t = cookie;
	bool ok = false;

	(void)purpose;
	if (!t->foreign || t->http->options.allow_private) {
		ok = true;
	} else if (address->family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, &address->addr, sizeof in);
		ok = address_public_ipv4(ntohl(in.sin_addr.s_addr));
	} else if (address->family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, &address->addr, sizeof in6);
		ok = address_public_ipv6(in6.sin6_addr.s6_addr);
	}
	if (!ok) {
		t->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC,
	    address->protocol);
}

/* Looks once more before sending: the connection may be a kept one. */
static int
before_sending(void *cookie, char *primary_ip, char *local_ip, int primary_port,
    int local_port)
{
	struct transfer *t = cookie;

	(void)local_ip;
	(void)primary_port;
	(void)local_port;
	if (!t->foreign || t->http->options.allow_private ||
	    address_public(primary_ip))
		return CURL_PREREQFUNC_OK;
	t->refused = true;
	return CURL_PREREQFUNC_ABORT;
}

/* Takes a line of a head; an empty one ends it. There may be a preliminary head
 * before, and fields behind the body. */
static size_t
take_header(char *line, size_t one, size_t len, void *cookie)
{
	struct transfer *t = cookie;

	if (one * len >= 5 && memcmp(line, "HTTP/", 5) == 0)
		t->headed = false;
	else if (one * len > 0 && (line[0] == '\r' || line[0] == '\n'))
		t->headed = true;
	return one * len;
}

/* Takes a piece of the answer's body; less than all of it ends the request.
 * What a foreign receiver has to say is of no use to us, however long it is. */
static size_t
take_body(char *data, size_t one, size_t len, void *cookie)
{
	struct transfer *t = cookie;

	if (t->foreign)
		return one * len;
	buf_add(&t->body, data, one * len);
	return buf_ok(&t->body) ? one * len : 0;
}

enum rc
http_open(struct http **out, const struct http_options *options)
{
	struct http *http;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return RC_SYSTEM;
	if ((http = calloc(1, sizeof *http)) == NULL)
		return RC_MEMORY;
	http->options = *options;
	if ((http->multi = curl_multi_init()) == NULL) {
		free(http);
		return RC_MEMORY;
	}
	curl_multi_setopt(
	    http->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
	*out = http;
	return RC_OK;
}

/* Releases a transfer, which is under way no more. */
static void
drop(struct transfer *t)
{
	if (t->link != NULL) {
		*t->link = t->next;
		if (t->next != NULL)
			t->next->link = t->link;
		curl_multi_remove_handle(t->http->multi, t->easy);
		t->http->running--;
	}
	curl_easy_cleanup(t->easy);
	curl_slist_free_all(t->headers);
	buf_free(&t->body);
	free(t);
}

void
http_close(struct http *http)
{
	if (http == NULL)
		return;
	while (http->transfers != NULL)
		drop(http->transfers);
	curl_multi_cleanup(http->multi);
	free(http);
	curl_global_cleanup();
}

/* Sets what holds for every request. */
static bool
set_rules(struct transfer *t)
{
	const char *ca_file = t->http->options.ca_file;
	CURL *e = t->easy;
	bool ok = true;

#define SET(option, value)                                                     \
	(ok = curl_easy_setopt(e, option, value) == CURLE_OK && ok)
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_MS);
	SET(CURLOPT_TIMEOUT_MS, t->http->options.timeout_ms != 0
				    ? (long)t->http->options.timeout_ms
				    : (long)HTTP_TIMEOUT_MS);
	SET(CURLOPT_USERAGENT, "callmask/" VERSION);
	SET(CURLOPT_ERRORBUFFER, t->error);
	SET(CURLOPT_HEADERFUNCTION, take_header);
	SET(CURLOPT_HEADERDATA, t);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, t);
	SET(CURLOPT_PREREQFUNCTION, before_sending);
	SET(CURLOPT_PREREQDATA, t);
	SET(CURLOPT_PRIVATE, t);
	if (ca_file != NULL && ca_file[0] != '\0')
		SET(CURLOPT_CAINFO, ca_file);
	return ok;
}

/* Sets what this request is. */
static bool
set_request(struct transfer *t, const struct http_request *request)
{
	struct curl_slist *headers;
	CURL *e = t->easy;
	bool ok = true;
	int i;

	SET(CURLOPT_URL, request->url);
	if (request->body != NULL) {
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
		SET(CURLOPT_COPYPOSTFIELDS, request->body);
	}
	SET(CURLOPT_CUSTOMREQUEST, request->method);
	SET(CURLOPT_FRESH_CONNECT, request->once ? 1L : 0L);
	if (request->user != NULL) {
		SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		SET(CURLOPT_USERNAME, request->user);
		SET(CURLOPT_PASSWORD, request->password);
	}
	for (i = 0; i < HTTP_HEADERS_MAX && request->headers[i] != NULL; i++) {
		headers = curl_slist_append(t->headers, request->headers[i]);
		if (headers == NULL)
			return false;
		t->headers = headers;
	}
	/* A body of 1 MB would wait for leave to be sent. */
	headers = curl_slist_append(t->headers, "Expect:");
	if (headers == NULL)
		return false;
	t->headers = headers;
	SET(CURLOPT_HTTPHEADER, t->headers);
#undef SET
	return ok;
}

enum rc
http_start(struct http *http, const struct http_request *request,
    http_done done, void *cookie)
{
	struct transfer *t;

	if ((t = calloc(1, sizeof *t)) == NULL)
		return RC_MEMORY;
	t->http = http;
	t->foreign = request->foreign;
	t->done = done;
	t->cookie = cookie;
	t->started_ms = now_ms();
	buf_init(&t->body, HTTP_BODY_MAX);
	if ((t->easy = curl_easy_init()) == NULL || !set_rules(t) ||
	    !set_request(t, request) ||
	    curl_multi_add_handle(http->multi, t->easy) != CURLM_OK) {
		drop(t);
		return RC_MEMORY;
	}
	t->next = http->transfers;
	t->link = &http->transfers;
	if (t->next != NULL)
		t->next->link = &t->next;
	http->transfers = t;
	http->running++;
	return RC_OK;
}

int
http_running(const struct http *http)
{
	return http->running;
}

/* Tells how a request went. */
static void
tell(struct transfer *t, CURLcode code)
{
	struct http_answer answer = { .error = "" };
	struct curl_header *date;
	curl_off_t retry_s = 0;
	long status = 0, sent = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent);
	curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &retry_s);
	answer.body = buf_text(&t->body);
	answer.body_len = t->body.len;
	answer.sent = sent > 0;
	answer.started_ms = t->started_ms;
	answer.took_ms = now_ms() - t->started_ms;
	if (answer.took_ms < 0)
		answer.took_ms = 0;
	/* libcurl takes a head that breaks off for one that ends. */
	if (code == CURLE_OK && !t->headed)
		code = CURLE_PARTIAL_FILE;
	if (code == CURLE_OK) {
		answer.status = (int)status;
		if (curl_easy_header(t->easy, "Date", 0, CURLH_HEADER, -1,
			&date) == CURLHE_OK)
			answer.date_s = curl_getdate(date->value, NULL);
		answer.retry_s = retry_s < 0             ? 0
				 : retry_s > RETRY_MAX_S ? RETRY_MAX_S
							 : (int64_t)retry_s;
	} else if (t->refused) {
		answer.error = "the address is not a public one";
	} else {
		/* Without curl's details, which may repeat the URL. */
		answer.error = curl_easy_strerror(code);
	}
	t->done(t->cookie, &answer);
}

enum rc
http_run(struct http *http, const int *fds, int len, int wait_ms)
{
	struct curl_waitfd extra[HTTP_FDS_MAX];
	struct transfer *t;
	CURLMsg *message;
	int running, left, happened, i;

	for (i = 0; i < len; i++)
		extra[i] = (struct curl_waitfd){ .fd = fds[i],
			.events = CURL_WAIT_POLLIN };
	if (curl_multi_perform(http->multi, &running) != CURLM_OK)
		return RC_SYSTEM;
	/* What is finished already is told before waiting. */
	if (running == http->running &&
	    (curl_multi_poll(http->multi, extra, (unsigned)len, wait_ms,
		 &happened) != CURLM_OK ||
		curl_multi_perform(http->multi, &running) != CURLM_OK))
		return RC_SYSTEM;
	while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(
		    message->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		tell(t, code);
		drop(t);
	}
	return RC_OK;
}

enum rc
http_ask(struct http *http, const struct http_request *request, http_done done,
    void *cookie)
{
	enum rc rc;

	if ((rc = http_start(http, request, done, cookie)) != RC_OK)
		return rc;
	while (rc == RC_OK && http->running != 0)
		rc = http_run(http, NULL, 0, 1000);
	return rc;
}
