#ifndef EVENT_H
#define EVENT_H

/*
 * Events: the append-only record of what happened, numbered per service
 * without gaps, written in the transaction of the change itself. They hold
 * ids and words, never a real number.
 */

#include <stdint.h>

#include "db.h"
#include "rc.h"

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

/* Returns a type's name, e.g. "call.ended"; static storage. */
const char *event_name(enum event_type type);

/* Appends event and, if its service has a webhook, the delivery of it. */
enum rc event_put(struct db *db, const struct event *event, int64_t now_ms);

#endif
