/* The decision: what to do with a call. */

#include "policy.h"

static const char *const names[POLICY__MAX] = {
	[POLICY_CONNECTED] = "connected",
	[POLICY_NUMBER_UNKNOWN] = "number_unknown",
	[POLICY_CALLER_WITHHELD] = "caller_withheld",
	[POLICY_CALLER_UNKNOWN] = "caller_unknown",
	[POLICY_SESSION_IS_CLOSED] = "session_closed",
	[POLICY_SESSION_IS_EXPIRED] = "session_expired",
};

static const char *const sentences[POLICY__MAX] = {
	[POLICY_CONNECTED] = "",
	[POLICY_NUMBER_UNKNOWN] = "This number is not in service. Goodbye.",
	[POLICY_CALLER_WITHHELD] =
	    "We cannot see the number you are calling from. Please call again "
	    "with your number shown. Goodbye.",
	[POLICY_CALLER_UNKNOWN] =
	    "There is no trip for the phone you are calling from. Please call "
	    "from the phone number you gave in the app. Goodbye.",
	[POLICY_SESSION_IS_CLOSED] =
	    "Your trip has ended, so this number no longer connects you. "
	    "Goodbye.",
	[POLICY_SESSION_IS_EXPIRED] =
	    "Your trip has ended, so this number no longer connects you. "
	    "Goodbye.",
};

enum policy_reason
policy_decide(const struct policy_facts *facts)
{
	if (!facts->number_in_use)
		return POLICY_NUMBER_UNKNOWN;
	if (facts->caller == PHONE_CALLER_WITHHELD)
		return POLICY_CALLER_WITHHELD;
	if (facts->caller != PHONE_CALLER_NUMBER ||
	    facts->leg == POLICY_LEG_NONE ||
	    facts->session == POLICY_SESSION_NONE)
		return POLICY_CALLER_UNKNOWN;
	if (facts->session == POLICY_SESSION_EXPIRED)
		return POLICY_SESSION_IS_EXPIRED;
	/* Both must agree; a held leg of an open session connects nobody. */
	if (facts->leg != POLICY_LEG_LIVE ||
	    facts->session != POLICY_SESSION_OPEN)
		return POLICY_SESSION_IS_CLOSED;
	return POLICY_CONNECTED;
}

const char *
policy_reason_name(enum policy_reason reason)
{
	return names[reason];
}

const char *
policy_sentence(enum policy_reason reason)
{
	return sentences[reason];
}
