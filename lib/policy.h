#ifndef POLICY_H
#define POLICY_H

/*
 * The decision: what to do with a call, or a text. A pure function of what is
 * known, so that it can be tested over all its inputs and explained without
 * placing a call. It connects in one case only.
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
	POLICY_SESSION_LINGERING, /* closed, but still connecting for a while */
	POLICY_SESSION_CLOSED,
	POLICY_SESSION_EXPIRED,
	POLICY_SESSION__MAX
};

/* A limit that the call would break. */
enum policy_limit {
	POLICY_LIMIT_NONE,
	POLICY_LIMIT_SESSION, /* calls in the session */
	POLICY_LIMIT_PERSON,  /* calls, or texts, of the caller in a minute */
	POLICY_LIMIT_SERVICE, /* minutes of the service in a day */
	POLICY_LIMIT_COUNTRY, /* where the callee's number is */
	POLICY_LIMIT__MAX
};

/* How the caller was made out, if not by the number alone. */
enum policy_proof {
	POLICY_PROOF_NONE,
	POLICY_PROOF_CODE,   /* typed the code of a party */
	POLICY_PROOF_INTENT, /* the app announced this very caller */
	POLICY_PROOF__MAX
};

/* All that the decision depends on. */
struct policy_facts {
	bool number_in_use;       /* dialled: a masked number, not retired */
	enum phone_caller caller; /* what Twilio says of the caller's number */
	bool attestation_failed;  /* the carrier doubts it, and we mind */
	enum policy_proof proof;
	enum policy_leg leg; /* of the caller, by number or proof */
	enum policy_session session;
	bool disputed; /* one of the phones is said to be another person's */
	bool may_call; /* the session lets this party call; or text */
	enum policy_limit limit; /* that the call would break */
	bool ask_code;           /* unknown callers are asked for a code */
	bool support_line;       /* there is one for late callers */
};

enum policy_action {
	POLICY_CONNECT,
	POLICY_FORWARD, /* put through to the support line */
	POLICY_ASK,     /* ask for the code */
	POLICY_REFUSE,
	POLICY_ACTION__MAX
};

/* Why; kept with the call or the text. Counted by place (metrics.h): append,
 * never reorder. */
enum policy_reason {
	POLICY_CONNECTED,
	POLICY_CONNECTED_BY_CODE,
	POLICY_CONNECTED_BY_INTENT,
	POLICY_RELAYED, /* a text */
	POLICY_NUMBER_UNKNOWN,
	POLICY_CALLER_WITHHELD,
	POLICY_CALLER_UNKNOWN,
	POLICY_ATTESTATION_FAILED,
	POLICY_SESSION_IS_CLOSED,
	POLICY_SESSION_IS_EXPIRED,
	POLICY_PARTY_REPLACED,
	POLICY_PARTY_DISPUTED,
	POLICY_VOICE_OFF,
	POLICY_TEXT_OFF,
	POLICY_SESSION_LIMIT,
	POLICY_PERSON_LIMIT,
	POLICY_SERVICE_LIMIT,
	POLICY_COUNTRY_LIMIT,
	POLICY__MAX
};

struct policy_decision {
	enum policy_action action;
	enum policy_reason reason;
};

/* Decides about a call. */
struct policy_decision policy_decide(const struct policy_facts *facts);

/*
 * Decides about a text: POLICY_RELAYED, or why not. It goes by the number of
 * the sender alone; nobody is asked for a code, or put through elsewhere.
 */
enum policy_reason policy_decide_text(const struct policy_facts *facts);

/* Returns the word for an action or a reason as the API shows it. */
const char *policy_action_name(enum policy_action action);
const char *policy_reason_name(enum policy_reason reason);

#endif
