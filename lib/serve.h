#ifndef SERVE_H
#define SERVE_H

/*
 * The frame around every endpoint: start-up, request loop, and all that is
 * checked before a handler runs. A program is a constant table of endpoints
 * and their handlers:
 *
 *	int
 *	main(int argc, char **argv)
 *	{
 *		return serve(argc, argv, "session-close", endpoints);
 *	}
 *
 * Checks come cheapest first: path, method, content type, announced size,
 * API key; then the body is read; then Twilio's signature. Whoever fails one
 * changes nothing and learns nothing but which check it was.
 *
 * Whatever a key opens below /v1/ an operator's cookie opens below /admin/v1/
 * (signin.h), for the admin panel and for nothing else: requests that a browser
 * does not mark as coming from our own pages are refused (Fetch Metadata; the
 * cookie is SameSite=Strict as well). What operators and admins change is noted
 * in the audit log in the same transaction; what they look at, before they are
 * told.
 *
 * Acknowledged means durable: the answer leaves after the commit.
 */

#include "apikey.h"
#include "app.h"
#include "form.h"
#include "req.h"
#include "session.h"
#include "signin.h"
#include "twilio_rest.h"

/* Who may ask. */
enum serve_auth {
	SERVE_TWILIO, /* a form with a right X-Twilio-Signature */
	SERVE_KEY,    /* a right API key of the service, or a cookie */
	SERVE_OPEN    /* whom nginx lets through, also while keys or database
			 are not there: act calls app_ready if it needs them */
};

/* Whose keys. */
enum serve_right {
	SERVE_APP,  /* everybody's: app, admin, operators */
	SERVE_ADMIN /* not an app's */
};

/* What a failure of ours is answered with. */
enum serve_sorry {
	SERVE_PROBLEM, /* a problem document */
	SERVE_APOLOGY  /* TwiML: a caller is on the line */
};

/* A request as handlers see it. All of it ends with the answer. */
struct exchange {
	struct app *app;
	struct req *req;   /* for req_wait */
	struct mask mask;  /* for deeds at the time of the request */
	struct apikey key; /* SERVE_KEY: who asks */
	int64_t ends_at;   /* SERVE_KEY: until when, epoch seconds; 0: no end */
	struct form form;  /* SERVE_TWILIO: the body; else the query */
	struct buf body;   /* as it came */
	char id[ID_SIZE];  /* what stood for {id} in the path */
	char subject[64];  /* for the audit log: id, or what the handler says */
	char detail[200];  /* for the audit log: more in words; "": nothing */
	struct fault fault;   /* to be filled by who refuses */
	struct answer answer; /* to be filled by who succeeds */
	union {
		struct session_request session;
		struct session_filter filter;
		struct session_change change;
		struct session_closing closing;
		struct mask_note note;
		char role[SESSION_ROLE_SIZE];
		struct apikey key; /* to be made */
		struct mask_numbers numbers;
		struct mask_sync sync;
		char state[12];
		struct {
			int64_t after; /* the seq where to go on */
			int64_t limit; /* most events wanted */
			int64_t wait_s;
		} feed;
	} in; /* what read made of the request */
};

/* RC_OK sends exchange->answer; anything else becomes a problem document. */
typedef enum rc (*serve_handler)(struct exchange *x);

/* One endpoint. A table of them ends with a row without a method. */
struct endpoint {
	const char *method;
	const char *path;  /* exact; {id} stands for one id */
	const char *allow; /* all methods served at path, for 405 */
	enum serve_auth auth;
	enum serve_right right;
	enum serve_sorry sorry;
	const char *type; /* content type a body must have; NULL: no body */
	size_t body_max;  /* most bytes of a body */
	/*
	 * The deed is done in a write transaction, and repeated under an
	 * Idempotency-Key it is not done again.
	 */
	bool write;
	bool secret; /* the answer holds one: it is not kept to be repeated */
	bool look;   /* personal data is looked at: goes into the audit log */
	serve_handler read; /* understands the request; no database; or NULL */
	serve_handler act;  /* does it */
};

/*
 * Serves endpoints until there is nothing more to serve; main's result.
 * Options: -c FILE for another configuration, -V for the version.
 */
int serve(int argc, char **argv, const char *program,
    const struct endpoint *endpoints);

/* Refuses a query with a field that is not in the NULL-terminated list, or one
 * that is there twice. */
enum rc serve_check_query(struct exchange *x, const char *const *known);

/*
 * Returns the token of the cookie that came with the request, "" if there is
 * not exactly one; RC_FORBIDDEN if the request does not come from a page of
 * ours.
 */
enum rc serve_token(struct exchange *x, char text[SIGNIN_SIZE]);

/* Adds the header that sets the cookie to a token, or, if text is "", removes
 * it. */
void serve_set_token(struct exchange *x, const char *text);

/*
 * Writes a tag for the audit log that differs for another text and does not
 * give this one away, so that two numbers of which the same is shown are two
 * looks.
 */
#define SERVE_TAG_SIZE (8 + 1)
void serve_tag(
    const struct exchange *x, const char *text, char tag[SERVE_TAG_SIZE]);

/* Appends to the audit log that the holder of x->key did something. In a write
 * transaction. */
enum rc serve_audit(struct exchange *x, const char *action);

/* Writes the URL that Twilio shall call for path into out (conf_url). */
void serve_url(const struct app *app, const char *path, char *out, size_t size);

/*
 * Answers a report of Twilio's, which wants no instructions. rc: what writing
 * it down came to; RC_NONE, about something we do not know (what, sid), is
 * logged and counted and answered like any other.
 */
enum rc serve_report(
    struct exchange *x, enum rc rc, const char *what, const char *sid);

#endif
