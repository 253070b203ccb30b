#ifndef TWILIO_REST_H
#define TWILIO_REST_H

/*
 * Twilio's REST API (docs:usage/api): requests as we make them and answers as
 * we understand them. Nothing here sends anything.
 *
 * Requests go to the configured base URL (regions, compatible providers, the
 * sandbox), open with the API key or else the account and its first auth
 * token, and hold form fields named as in Twilio's OpenAPI description.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "conf.h"
#include "http.h"
#include "rc.h"

#define TWILIO_SID_SIZE 35 /* two letters, 32 hexadecimal digits, NUL */

/* A request being made. Wipe and free with twilio_rest_free: it may hold real
 * numbers. */
struct twilio_rest {
	struct http_request http; /* points into the rest */
	char url[1024];
	bool cut; /* the URL did not fit */
	struct buf body;
};

/* What Twilio says of one thing, or of an error. */
struct twilio_reply {
	char sid[TWILIO_SID_SIZE]; /* "": none */
	char status[20];           /* of a call, message, recording; "" */
	int code; /* of an error (docs:api/errors); 0: none was given */
};

/* A call or message in a list. Borrowed for the call. */
struct twilio_item {
	const char *sid;
	const char *direction; /* outbound-api, …; "" */
	const char *status;    /* as in struct twilio_reply */
	const char *body;      /* of a message; "" */
	int64_t created_at;    /* epoch seconds; 0: not told */
};

/* What an answer means for the one who asked. */
enum twilio_verdict {
	TWILIO_YES,    /* done as asked */
	TWILIO_BUSY,   /* not done: too many requests, or our key is wrong until
			  an operator mends it; again later */
	TWILIO_UNSURE, /* perhaps done: no answer, one that is not Twilio's, or
			  a failure of theirs */
	TWILIO_NO      /* refused for good */
};

/*
 * Begins a request for a resource of the account: method, and path as in
 * "Calls.json" or "Calls/CA….json", which may have a query. A path with a
 * slash in front is taken as it is, from the root of the API.
 */
void twilio_rest_begin(struct twilio_rest *rest, const struct conf *conf,
    const struct secrets *secrets, const char *method, const char *path);

/* Appends a form field, escaped. A GET takes it into the query. */
void twilio_rest_field(
    struct twilio_rest *rest, const char *name, const char *value);

/* Completes rest->http. RC_MEMORY if something did not fit. */
enum rc twilio_rest_end(struct twilio_rest *rest);

/* Wipes and releases. */
void twilio_rest_free(struct twilio_rest *rest);

/* Says what an answer means, and what it says, in *reply. */
enum twilio_verdict twilio_rest_verdict(
    const struct http_answer *answer, struct twilio_reply *reply);

/*
 * Calls each with the items of a list, newest first, which is called "calls"
 * or "messages" in the answer. RC_SYNTAX if there is no such list.
 */
enum rc twilio_rest_list(const struct http_answer *answer, const char *name,
    void (*each)(void *cookie, const struct twilio_item *item), void *cookie);

/* Writes why Twilio refused something into out of size bytes, without its own
 * words, which may hold numbers. Returns out. */
const char *twilio_rest_refusal(char *out, size_t size,
    const struct http_answer *answer, const struct twilio_reply *reply);

/* Returns whether text is a SID with this prefix, e.g. "CA". */
bool twilio_sid_valid(const char *text, const char *prefix);

#endif
