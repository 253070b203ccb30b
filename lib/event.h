#ifndef EVENT_H
#define EVENT_H

/*
 * Events: the append-only record of what happened, numbered per service
 * without gaps, written in the transaction of the change itself. They hold
 * ids and words, never a real number.
 */

#include <stdint.h>

#include "db.h"
#include "id.h"
#include "rc.h"
#include "session.h"

enum event_type {
	EVENT_SESSION_OPENED,
	EVENT_SESSION_UPDATED,
	EVENT_SESSION_CLOSED,
	EVENT_SESSION_EXPIRED,
	EVENT_CALL_STARTED,
	EVENT_CALL_RINGING,
	EVENT_CALL_ANSWERED,
	EVENT_CALL_ENDED,
	EVENT_CALL_REFUSED,
	EVENT_PARTY_DISPUTED,
	EVENT_POOL_LOW,
	EVENT_POOL_EXHAUSTED,
	EVENT_SESSION_EXPIRING,
	EVENT_MESSAGE_RELAYED,
	EVENT_MESSAGE_REFUSED,
	EVENT_MESSAGE_DELIVERED,
	EVENT_MESSAGE_FAILED,
	EVENT_RECORDING_COMPLETED,
	EVENT_RECORDING_FAILED,
	EVENT_RECORDING_DELETED,
	EVENT_DELIVERY_EXHAUSTED,
	EVENT_WEBHOOK_TEST,
	EVENT__MAX
};

/* What happened. Strings borrowed for the call; NULL or "": none. */
struct event {
	const char *service_id;
	enum event_type type;
	const char *session_id;
	const char *subject_id; /* call, message, recording, delivery */
	const char *detail;     /* reason or status, one word */
};

/* An event as it was written. "" where there is none. */
struct event_record {
	char id[ID_SIZE];
	int64_t seq;
	char type[32];
	char service[64]; /* the service's name */
	char session_id[ID_SIZE];
	char reference[SESSION_REFERENCE_SIZE]; /* of the session */
	char subject_id[ID_SIZE];
	char detail[SESSION_ROLE_SIZE]; /* longest word: a role */
	int64_t created_at;             /* epoch seconds */
	/* Its delivery to the app: only from event_list_session, "" if there is
	 * none, or none any more. */
	char delivery_id[ID_SIZE];
	char delivery_state[8]; /* waiting, done, parked */
	int64_t attempts;
};

/* Returns a type's name, e.g. "call.ended"; static storage. */
const char *event_name(enum event_type type);

/* Appends event, counts it (tally.h) and, if its service has a webhook, appends
 * the delivery of it. */
enum rc event_put(struct db *db, const struct event *event, int64_t now_ms);

/* Reads the event called id. RC_NOT_FOUND. */
enum rc event_find(struct db *db, struct event_record *event, const char *id);

/*
 * Reads up to max events of a service numbered above after, in order, into
 * out, and stores how many in *len.
 */
enum rc event_list(struct db *db, const char *service_id, int64_t after,
    struct event_record *out, int max, int *len);

/* The same for one session of a service, with the delivery of each. */
enum rc event_list_session(struct db *db, const char *service_id,
    const char *session_id, int64_t after, struct event_record *out, int max,
    int *len);

#endif
