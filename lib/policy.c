/* The decision: what to do with a call, or a text. */

#include "policy.h"

static const char *const actions[POLICY_ACTION__MAX] = {
	[POLICY_CONNECT] = "connect",
	[POLICY_FORWARD] = "forward",
	[POLICY_ASK] = "ask_code",
	[POLICY_REFUSE] = "refuse",
};

static const char *const reasons[POLICY__MAX] = {
	[POLICY_CONNECTED] = "connected",
	[POLICY_CONNECTED_BY_CODE] = "connected_by_code",
	[POLICY_CONNECTED_BY_INTENT] = "connected_by_intent",
	[POLICY_RELAYED] = "relayed",
	[POLICY_NUMBER_UNKNOWN] = "number_unknown",
	[POLICY_CALLER_WITHHELD] = "caller_withheld",
	[POLICY_CALLER_UNKNOWN] = "caller_unknown",
	[POLICY_ATTESTATION_FAILED] = "attestation_failed",
	[POLICY_SESSION_IS_CLOSED] = "session_closed",
	[POLICY_SESSION_IS_EXPIRED] = "session_expired",
	[POLICY_PARTY_REPLACED] = "party_replaced",
	[POLICY_PARTY_DISPUTED] = "party_disputed",
	[POLICY_VOICE_OFF] = "voice_off",
	[POLICY_TEXT_OFF] = "text_off",
	[POLICY_SESSION_LIMIT] = "session_limit",
	[POLICY_PERSON_LIMIT] = "person_limit",
	[POLICY_SERVICE_LIMIT] = "service_limit",
	[POLICY_COUNTRY_LIMIT] = "country_limit",
};

/* Returns why a caller is nobody we know; POLICY_CONNECTED if we know. */
static enum policy_reason
doubt(const struct policy_facts *facts)
{
	if (facts->proof == POLICY_PROOF_NONE) {
		if (facts->caller == PHONE_CALLER_WITHHELD)
			return POLICY_CALLER_WITHHELD;
		if (facts->caller != PHONE_CALLER_NUMBER)
			return POLICY_CALLER_UNKNOWN;
	}
	if (facts->leg == POLICY_LEG_NONE ||
	    facts->session == POLICY_SESSION_NONE)
		return POLICY_CALLER_UNKNOWN;
	if (facts->proof == POLICY_PROOF_NONE && facts->attestation_failed)
		return POLICY_ATTESTATION_FAILED;
	return POLICY_CONNECTED;
}

/* Returns why a session connects this party no more, or POLICY_CONNECTED. */
static enum policy_reason
end_of(const struct policy_facts *facts)
{
	if (facts->session == POLICY_SESSION_EXPIRED)
		return POLICY_SESSION_IS_EXPIRED;
	if (facts->session == POLICY_SESSION_CLOSED)
		return POLICY_SESSION_IS_CLOSED;
	/* What lingers for the one is over for the other. */
	if (facts->session == POLICY_SESSION_LINGERING && !facts->may_call)
		return POLICY_SESSION_IS_CLOSED;
	/* The session goes on without this person. */
	if (facts->leg != POLICY_LEG_LIVE)
		return POLICY_PARTY_REPLACED;
	return POLICY_CONNECTED;
}

static struct policy_decision
decision(enum policy_action action, enum policy_reason reason)
{
	return (struct policy_decision){ action, reason };
}

struct policy_decision
policy_decide(const struct policy_facts *facts)
{
	static const enum policy_reason limits[POLICY_LIMIT__MAX] = {
		[POLICY_LIMIT_SESSION] = POLICY_SESSION_LIMIT,
		[POLICY_LIMIT_PERSON] = POLICY_PERSON_LIMIT,
		[POLICY_LIMIT_SERVICE] = POLICY_SERVICE_LIMIT,
		[POLICY_LIMIT_COUNTRY] = POLICY_COUNTRY_LIMIT,
	};
	static const enum policy_reason proofs[POLICY_PROOF__MAX] = {
		[POLICY_PROOF_NONE] = POLICY_CONNECTED,
		[POLICY_PROOF_CODE] = POLICY_CONNECTED_BY_CODE,
		[POLICY_PROOF_INTENT] = POLICY_CONNECTED_BY_INTENT,
	};
	enum policy_reason reason;

	if (!facts->number_in_use)
		return decision(POLICY_REFUSE, POLICY_NUMBER_UNKNOWN);
	if ((reason = doubt(facts)) != POLICY_CONNECTED)
		return decision(
		    facts->ask_code ? POLICY_ASK : POLICY_REFUSE, reason);
	if ((reason = end_of(facts)) != POLICY_CONNECTED)
		return decision(
		    facts->support_line ? POLICY_FORWARD : POLICY_REFUSE,
		    reason);
	if (facts->disputed)
		return decision(POLICY_REFUSE, POLICY_PARTY_DISPUTED);
	if (!facts->may_call)
		return decision(POLICY_REFUSE, POLICY_VOICE_OFF);
	if (facts->limit != POLICY_LIMIT_NONE)
		return decision(POLICY_REFUSE, limits[facts->limit]);
	return decision(POLICY_CONNECT, proofs[facts->proof]);
}

enum policy_reason
policy_decide_text(const struct policy_facts *facts)
{
	struct policy_facts text = *facts;
	enum policy_reason reason;

	text.proof = POLICY_PROOF_NONE;
	reason = policy_decide(&text).reason;
	if (reason == POLICY_CONNECTED)
		return POLICY_RELAYED;
	return reason == POLICY_VOICE_OFF ? POLICY_TEXT_OFF : reason;
}

const char *
policy_action_name(enum policy_action action)
{
	return actions[action];
}

const char *
policy_reason_name(enum policy_reason reason)
{
	return reasons[reason];
}
