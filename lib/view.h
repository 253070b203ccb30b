#ifndef VIEW_H
#define VIEW_H

/*
 * The API's JSON, in and out: the shapes of requests, answers and problem
 * documents. Strict at the door: one reading of a document or none.
 */

#include "buf.h"
#include "call.h"
#include "erasure.h"
#include "event.h"
#include "mask.h"
#include "rc.h"
#include "recording.h"
#include "session.h"

/* Content types. */
#define VIEW_JSON "application/json"
#define VIEW_PROBLEM "application/problem+json"

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

/* Appends what would be done with a call. Returns RC_MEMORY. */
enum rc view_route(struct buf *out, const struct mask_route *route);

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

/* Appends a problem document. Returns RC_MEMORY. */
enum rc view_problem(struct buf *out, const struct view_problem *problem);

#endif
