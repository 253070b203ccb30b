#ifndef REQ_H
#define REQ_H

/*
 * One request and its answer, over FastCGI or plain CGI: which of them is
 * found out from descriptor 0, as libfcgi does. As CGI there is one request,
 * in environment and standard input; as FastCGI they come one after another
 * on the socket that is descriptor 0.
 *
 * Every answer leaves through req_answer, which sets the headers that all of
 * them carry.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "rc.h"

/* Most bytes of a path. */
#define REQ_PATH_SIZE 256

/* The request loop and the request in hand; opaque. */
struct req;

/* An answer in the making. */
struct answer {
	int status;         /* HTTP status */
	const char *type;   /* content type of body; borrowed */
	struct buf body;    /* empty: no body */
	struct buf headers; /* further header lines, by answer_header */
};

/* Prepares the loop. Returns RC_MEMORY or RC_SYSTEM. End with req_close. */
enum rc req_open(struct req **req);

/* Ends the loop; NULL is fine. */
void req_close(struct req *req);

/*
 * Waits for the next request. Returns RC_NONE when there will be none: the
 * one CGI request is done, or a signal asked to stop.
 */
enum rc req_next(struct req *req);

/*
 * Returns a CGI variable (REQUEST_METHOD, HTTP_AUTHORIZATION, …) or "" if it
 * is not set, or set twice: a header sent twice with two values is a question
 * with two answers. Borrowed until the next req_next.
 */
const char *req_param(const struct req *req, const char *name);

/* Returns whether a CGI variable is there more than once. */
bool req_param_repeated(const struct req *req, const char *name);

/*
 * Copies the path as it was sent, without the query, to out. Returns RC_PATH
 * if it does not fit.
 */
enum rc req_path(const struct req *req, char out[REQ_PATH_SIZE]);

/*
 * Checks the announced length of the body: RC_TOO_LARGE if it is more than
 * max bytes, RC_INCOMPLETE if it is no number.
 */
enum rc req_size(const struct req *req, size_t max);

/*
 * Reads the body into body. Returns what req_size returns, RC_INCOMPLETE if
 * less than announced comes, RC_MEMORY.
 */
enum rc req_body(struct req *req, struct buf *body, size_t max);

/*
 * Asks look again and again, every 100 ms, as long as it returns RC_NONE, but
 * for no more than wait_ms milliseconds, nor when the one who asks has left or
 * a signal asks to stop. Returns what look returned last.
 */
enum rc req_wait(struct req *req, int64_t wait_ms,
    enum rc (*look)(void *cookie), void *cookie);

/* Sends answer and ends the request. A client that left is no error. */
void req_answer(struct req *req, const struct answer *answer);

/* Returns what RFC 9110 calls an HTTP status, e.g. "Not Found". */
const char *answer_reason(int status);

/* An empty answer: status 200, no body. */
void answer_init(struct answer *answer);

/* Adds a header line; name and value hold no line breaks. */
void answer_header(struct answer *answer, const char *name, const char *value);

/* Empties answer for another try; keeps its memory. */
void answer_reset(struct answer *answer);

/* Releases the memory; NULL is fine. */
void answer_free(struct answer *answer);

#endif
