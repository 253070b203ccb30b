#ifndef MASK_H
#define MASK_H

/*
 * What the service does: one function a deed, called alike by the web
 * programs, the worker and the CLI. It knows no HTTP and no clock; handles,
 * keys and time come in as struct mask.
 *
 * Deeds that change something run inside a transaction of the caller's
 * (db_transact), so that an answer kept under an Idempotency-Key stands or
 * falls with the change. A refusal leaves nothing behind but events about it;
 * a failure must be rolled back.
 */

#include <stdint.h>

#include "call.h"
#include "crypto.h"
#include "db.h"
#include "phone.h"
#include "policy.h"
#include "session.h"

/* What every deed works with. */
struct mask {
	struct db *db;
	const struct crypto_keys *keys;
	int64_t now_ms; /* epoch milliseconds: the time of the deed */
};

/* Someone dialled a masked number. Strings borrowed. */
struct mask_dialled {
	const char *sid;  /* CallSid */
	const char *from; /* caller as Twilio gives it */
	const char *to;   /* number dialled */
};

/* What to do with the call. Wiped by the caller: it holds a real number. */
struct mask_route {
	enum policy_reason reason;  /* POLICY_CONNECTED: connect */
	char service_id[ID_SIZE];   /* "": not one of our numbers */
	char session_id[ID_SIZE];   /* "": none */
	char party_id[ID_SIZE];     /* who called; "": not known */
	char to[PHONE_SIZE];        /* real number to ring, if connected */
	char caller_id[PHONE_SIZE]; /* masked number it is shown */
	int64_t limit_s;            /* most seconds of the call */
};

/* A report on a call leg. Strings borrowed. */
struct mask_report {
	const char *sid;        /* CallSid of the leg */
	const char *parent_sid; /* of the leg that dialled it; "": none */
	const char *number;     /* masked number on it */
	const char *person;     /* real number on it; "": not known */
	struct call_progress progress;
};

/*
 * Opens a session between the two people of request and gives them a masked
 * number. Refuses with RC_INVALID (ttl), RC_OWN_NUMBER, RC_COUNTRY,
 * RC_REFERENCE or RC_POOL, the field in *fault.
 */
enum rc mask_open(const struct mask *mask, const char *service_id,
    const struct session_request *request, struct session *session,
    struct fault *fault);

/*
 * Closes a session: from now_ms on it connects nobody. Closing it again
 * changes nothing. *session is then as it stands. RC_NOT_FOUND.
 */
enum rc mask_close(const struct mask *mask, const char *service_id,
    const char *id, struct session *session);

/*
 * Adds a masked number to a service's pool. Refuses with RC_INVALID (not
 * E.164), RC_COUNTRY (of no country), RC_EXISTS, or RC_OWN_NUMBER if it is
 * the real number of someone in an open session.
 */
enum rc mask_add_number(const struct mask *mask, const char *service_id,
    const char *number, struct fault *fault);

/*
 * Decides what to do with a call. Reads one moment of the database and
 * changes nothing. Failures mean that it cannot be decided: connect nobody.
 */
enum rc mask_route(const struct mask *mask, const struct mask_dialled *dialled,
    struct mask_route *route);

/*
 * Writes down a call and what was decided. The same CallSid again changes
 * nothing.
 */
enum rc mask_record(const struct mask *mask, const struct mask_dialled *dialled,
    const struct mask_route *route);

/*
 * Writes down a report on a leg. Late, repeated and unordered reports do no
 * harm (call_apply). Returns RC_NONE for a leg that belongs to no session of
 * ours; it is written down all the same.
 */
enum rc mask_report(const struct mask *mask, const struct mask_report *report);

#endif
