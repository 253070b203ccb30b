#ifndef HTTP_H
#define HTTP_H

/*
 * Requests to others, many at once (libcurl's multi interface): connections
 * are kept, redirects are not followed, certificates are checked, answers are
 * bounded, no proxy is taken from the environment.
 *
 * An address that somebody else named (an app's webhook) is checked after
 * resolution: nothing goes to this machine or to a private network, unless
 * allowed for development (CWE-918, and standardwebhooks.com on SSRF).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "rc.h"

#define HTTP_CONNECT_MS 5000        /* longest wait for a connection */
#define HTTP_TIMEOUT_MS 15000       /* longest request, connecting included */
#define HTTP_BODY_MAX (1024 * 1024) /* bytes of an answer that are read */
#define HTTP_HEADERS_MAX 8
#define HTTP_ERROR_SIZE 160
#define HTTP_FDS_MAX 4

/* A request. Everything borrowed for the call that takes it. */
struct http_request {
	const char *method; /* GET, POST, DELETE */
	const char *url;    /* absolute */
	const char *user;   /* for Basic authentication; NULL: none */
	const char *password;
	const char *headers[HTTP_HEADERS_MAX]; /* "Name: value"; NULL ends */
	const char *body;                      /* NULL: none */
	size_t body_len;
	bool foreign; /* the address is somebody else's choice: check it */
	bool once;    /* on a connection of its own: libcurl sends a request
			 again, a POST as well, when one that was kept dies */
};

/* What came of it. Borrowed for the call. */
struct http_answer {
	int status;       /* 0: no whole answer came; see error and sent */
	bool sent;        /* the request may have arrived */
	const char *body; /* NUL-terminated; "" if foreign */
	size_t body_len;
	int64_t retry_s; /* Retry-After, seconds, at most a day; 0: none */
	int64_t date_s;  /* Date, epoch seconds; 0: none */
	int64_t started_ms, took_ms; /* epoch milliseconds; milliseconds */
	const char *error;           /* why no answer came; "": one did */
};

/* Called once for each request, from http_run or http_ask. */
typedef void (*http_done)(void *cookie, const struct http_answer *answer);

/* How requests are made. Strings borrowed until http_close. */
struct http_options {
	const char *ca_file; /* certificates to trust; "": the system's */
	bool allow_private;  /* development: foreign addresses may be private */
	int timeout_ms;      /* longest request; 0: HTTP_TIMEOUT_MS */
};

/* The requests under way and the connections kept; opaque. */
struct http;

/* RC_MEMORY, RC_SYSTEM. Close with http_close. */
enum rc http_open(struct http **http, const struct http_options *options);

/* Drops what is under way, without calling anybody. NULL is fine. */
void http_close(struct http *http);

/* Starts a request; done is told how it went, cookie is the caller's.
 * RC_MEMORY, RC_SYSTEM: done is not called. */
enum rc http_start(struct http *http, const struct http_request *request,
    http_done done, void *cookie);

/* Returns how many requests are under way. */
int http_running(const struct http *http);

/*
 * Carries on with all requests until something happened on one of them, one of
 * len descriptors (at most HTTP_FDS_MAX) can be read, or wait_ms milliseconds
 * passed.
 */
enum rc http_run(struct http *http, const int *fds, int len, int wait_ms);

/* Makes one request and waits for its answer, which done is told. */
enum rc http_ask(struct http *http, const struct http_request *request,
    http_done done, void *cookie);

#endif
