#ifndef POLICY_H
#define POLICY_H

/*
 * The decision: what to do with a call. A pure function of what is known, so
 * that it can be tested over all its inputs and explained without placing a
 * call. It connects in one case only and refuses in every other.
 */

#include <stdbool.h>

#include "phone.h"

/* The caller's leg on the number dialled, at the time of the call. */
enum policy_leg {
	POLICY_LEG_NONE, /* no leg, or one held no longer */
	POLICY_LEG_LIVE,
	POLICY_LEG_HELD, /* kept from others, connects nobody */
	POLICY_LEG__MAX
};

/* The session behind that leg, at the time of the call. */
enum policy_session {
	POLICY_SESSION_NONE,
	POLICY_SESSION_OPEN,
	POLICY_SESSION_CLOSED,
	POLICY_SESSION_EXPIRED,
	POLICY_SESSION__MAX
};

/* All that the decision depends on. */
struct policy_facts {
	bool number_in_use; /* dialled: a masked number, not retired */
	enum phone_caller caller;
	enum policy_leg leg;
	enum policy_session session;
};

/* Why a call was connected or refused; kept with the call. */
enum policy_reason {
	POLICY_CONNECTED,
	POLICY_NUMBER_UNKNOWN,
	POLICY_CALLER_WITHHELD,
	POLICY_CALLER_UNKNOWN,
	POLICY_SESSION_IS_CLOSED,
	POLICY_SESSION_IS_EXPIRED,
	POLICY__MAX
};

/* Decides; POLICY_CONNECTED means connect, all else refuse. */
enum policy_reason policy_decide(const struct policy_facts *facts);

/* Returns the word for a reason as events and the API show it. */
const char *policy_reason_name(enum policy_reason reason);

/* Returns what the caller hears when refused; "" for POLICY_CONNECTED. */
const char *policy_sentence(enum policy_reason reason);

#endif
