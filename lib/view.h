#ifndef VIEW_H
#define VIEW_H

/*
 * The API's JSON, in and out: the shapes of requests, answers and problem
 * documents. Strict at the door: one reading of a document or none.
 */

#include "apikey.h"
#include "audit.h"
#include "buf.h"
#include "call.h"
#include "erasure.h"
#include "event.h"
#include "hook.h"
#include "mask.h"
#include "number.h"
#include "outbox.h"

#include "overview.h"
#include "rc.h"
#include "recording.h"
#include "service.h"
#include "session.h"
#include "timestamp.h"

#include "tally.h"

/* Content types. */
#define VIEW_JSON "application/json"
#define VIEW_PROBLEM "application/problem+json"

/* Bytes of what is searched for with its NUL, most sessions of its page, and
 * how many if nobody says. */
#define VIEW_SEARCH_SIZE SESSION_REFERENCE_SIZE
#define VIEW_SEARCH_MAX 100
#define VIEW_SEARCH_DEFAULT 50

/* What a problem document says (RFC 9457). */
struct view_problem {
	int status;          /* HTTP status */
	const char *code;    /* stable word for programs */
	const char *title;   /* the same for people */
	const char *detail;  /* of this case; "": none */
	const char *field;   /* which field is wrong; "": none */
	const char *request; /* request id; "": none */
};

/*
 * Reads the body of POST /v1/sessions into *request. Returns RC_SYNTAX if it
 * is not JSON of one reading, RC_INVALID for fields that are missing, unknown
 * or of the wrong type; *fault says which.
 */
enum rc view_read_session(struct session_request *request, const char *body,
    size_t len, struct fault *fault);

/* Reads the body of PATCH /v1/sessions/{id} into *change. Same results. */
enum rc view_read_change(struct session_change *change, const char *body,
    size_t len, struct fault *fault);

/* Reads the body of POST …/close, which may be empty. Same results. */
enum rc view_read_closing(struct session_closing *closing, const char *body,
    size_t len, struct fault *fault);

/* Reads the body of POST …/intents, a role. Same results. */
enum rc view_read_role(char role[SESSION_ROLE_SIZE], const char *body,
    size_t len, struct fault *fault);

/* Reads the body of POST …/calls: the role of who is rung first. Same
 * results. */
enum rc view_read_call(char role[SESSION_ROLE_SIZE], const char *body,
    size_t len, struct fault *fault);
/* Reads the body of POST …/messages. Same results. */
enum rc view_read_note(
    struct mask_note *note, const char *body, size_t len, struct fault *fault);

/* Reads the body of POST /admin/sign-in, a key. Same results. */
enum rc view_read_key(
    char key[APIKEY_SIZE], const char *body, size_t len, struct fault *fault);

/*
 * Appends body in a form that is the same for all documents that mean the
 * same: keys sorted, no blanks. RC_SYNTAX.
 */
enum rc view_canonical(struct buf *out, const char *body, size_t len);

/* Appends a session as it stands at now. RC_MEMORY. */
enum rc view_session(
    struct buf *out, const struct session *session, int64_t now);

/* The same with what passed through it, newest first. */
enum rc view_session_history(
    struct buf *out, const struct mask_history *history, int64_t now);

/*
 * Appends a page of sessions; next is the cursor of the page behind it, "" if
 * there is none. Returns RC_MEMORY.
 */
enum rc view_sessions(struct buf *out, const struct session *sessions, int len,
    int64_t now, const char *next);

/* Appends a call by itself. Returns RC_MEMORY. */
enum rc view_call(struct buf *out, const struct call_summary *call);

/* Appends a message with what was written, if content is not NULL; what stands
 * in place of that is null then. Returns RC_MEMORY. */
enum rc view_message_text(struct buf *out, const struct message *message,
    const struct message_content *content);

/* Appends a message, or those made of one note. Returns RC_MEMORY. */
enum rc view_message(struct buf *out, const struct message *message);
enum rc view_messages(struct buf *out, const struct message *messages, int len);

/* Appends an intent that waits until expires_at. Returns RC_MEMORY. */
enum rc view_intent(struct buf *out, int64_t expires_at);

/* Appends a recording. Returns RC_MEMORY. */
enum rc view_recording(struct buf *out, const struct recording *recording);

/* Appends a receipt with its items. Returns RC_MEMORY. */
enum rc view_erasure(struct buf *out, const struct erasure *erasure,
    const struct erasure_item *items, int len);

/* Appends an event, as it is delivered and listed. Returns RC_MEMORY. */
enum rc view_event(struct buf *out, const struct event_record *event);

/* Appends a list of events; next is where the one behind it begins: the seq of
 * the last, or else what was asked for. Returns RC_MEMORY. */
enum rc view_events(
    struct buf *out, const struct event_record *events, int len, int64_t next);

/* Appends who asks: a key, its service's name, and until when it is worth
 * something; 0: for good. Returns RC_MEMORY. */
enum rc view_self(struct buf *out, const struct apikey *key,
    const char *service, int64_t ends_at);

/* A call that is asked about. */
#define VIEW_CALLER_SIZE 64
struct view_question {
	char from[VIEW_CALLER_SIZE]; /* who would call; "": hides the number */
	char to[PHONE_SIZE];         /* the masked number dialled */
	char at[TIMESTAMP_SIZE];     /* when, RFC 3339; "": now */
	char attestation[VIEW_CALLER_SIZE]; /* StirVerstat; "": none */
};

/* Reads the body of POST /v1/routes. RC_SYNTAX, RC_INVALID. */
enum rc view_read_question(struct view_question *question, const char *body,
    size_t len, struct fault *fault);

/* Appends what would be done with a call. Returns RC_MEMORY. */
enum rc view_route(struct buf *out, const struct mask_route *route);

/* Reads the body of POST /v1/keys, a name and a role. RC_SYNTAX, RC_INVALID. */
enum rc view_read_new_key(
    struct apikey *key, const char *body, size_t len, struct fault *fault);

/* Appends a key, with what opens it if text is not NULL. Returns RC_MEMORY. */
enum rc view_key(struct buf *out, const struct apikey *key, const char *text);

/* Appends a list of keys. Returns RC_MEMORY. */
enum rc view_keys(struct buf *out, const struct apikey *keys, size_t len);

/*
 * Sets those settings of *service that body, {"settings": {…}}, names, each as
 * service_set does; unless required, there may be none, nor a body. RC_SYNTAX,
 * RC_INVALID with the field "settings.<name>".
 */
enum rc view_read_settings(struct service *service, const char *body,
    size_t len, bool required, struct fault *fault);

/* Appends a service, its settings and what signs its events; and a secret that
 * was just made, unless fresh is "". Returns RC_MEMORY. */
enum rc view_service(struct buf *out, const struct service *service,
    const struct hook_secret *secrets, int len, const char *fresh);

/* What somebody hears or reads. Strings borrowed. */
struct view_preview {
	const char *situation; /* stable word for it */
	const char *title;     /* the same for people */
	const char *twiml;     /* what Twilio is told */
};

/* Appends previews, each with the sentences in its TwiML. RC_MEMORY. */
enum rc view_previews(
    struct buf *out, const struct view_preview *previews, int len);

/* Appends a page of the audit log; next is the cursor of the page behind it, 0
 * if there is none. Returns RC_MEMORY. */
enum rc view_audit(
    struct buf *out, const struct audit_record *rows, int len, int64_t next);

/* Reads the body of POST /v1/numbers. Same results as above. */
enum rc view_read_numbers(struct mask_numbers *numbers, const char *body,
    size_t len, struct fault *fault);

/* Reads the body of POST /v1/numbers/sync. Same results. */
enum rc view_read_sync(
    struct mask_sync *sync, const char *body, size_t len, struct fault *fault);

/* Reads the body of PATCH /v1/numbers/{id}, a state. Same results. */
enum rc view_read_number_state(char *state, size_t size, const char *body,
    size_t len, struct fault *fault);

/* Appends a masked number; a page of them, next as above; what became of
 * those to be added. RC_MEMORY. */
enum rc view_number(struct buf *out, const struct number *number);
enum rc view_numbers(
    struct buf *out, const struct number *numbers, int len, const char *next);
enum rc view_numbers_added(struct buf *out, const struct mask_numbers *numbers,
    const struct mask_added *added);

/* Appends how many numbers are to be looked up, next as above. RC_MEMORY. */
enum rc view_queued(struct buf *out, int64_t queued, const char *next);

/* Appends a delivery; the same with its tries; a page of them; how many are
 * tried anew, and whether others may wait for that. RC_MEMORY. */
enum rc view_delivery(struct buf *out, const struct outbox_view *view);
enum rc view_delivery_tries(struct buf *out, const struct outbox_view *view,
    const struct outbox_attempt *attempts, int len);
enum rc view_deliveries(struct buf *out, const struct outbox_view *views,
    int len, const char *next);
enum rc view_retried(struct buf *out, int64_t count, bool more);

/* How the installation is. */
struct view_health {
	bool database;       /* can be read and written */
	bool worker;         /* outboxd runs */
	const char *trouble; /* in words; NULL: none */
	/* Counted since its beginning (metrics.h). */
	uint64_t requests_failed, calls_unrecorded, calls_apologised;
};

/* Appends how a service stands. Returns RC_MEMORY. */
enum rc view_overview(struct buf *out, const struct overview *overview,
    const struct view_health *health);

/* Appends what was counted, step by step. Returns RC_MEMORY. */
enum rc view_tallies(struct buf *out, const struct tally_series *series);

/* What somebody looks for. Wiped by the caller: it may be a real number. */
struct view_search {
	char text[VIEW_SEARCH_SIZE];
	int status;           /* enum session_status; SESSION__MAX: any */
	int limit;            /* at most VIEW_SEARCH_MAX */
	char cursor[ID_SIZE]; /* "": from the newest */
};

/* Reads the body of POST /v1/sessions/search. Results as view_read_session. */
enum rc view_read_search(struct view_search *search, const char *body,
    size_t len, struct fault *fault);

/* Appends what a search found; matched is the word for by what, next the cursor
 * of the page behind it, "" if there is none. Returns RC_MEMORY. */
enum rc view_found(struct buf *out, const char *matched,
    const struct session *sessions, int len, int64_t now, const char *next);

/* Appends the events of a session; next: there may be more behind them.
 * Returns RC_MEMORY. */
enum rc view_history_events(
    struct buf *out, const struct event_record *events, int len, bool next);

/* Appends a problem document. Returns RC_MEMORY. */
enum rc view_problem(struct buf *out, const struct view_problem *problem);

#endif
