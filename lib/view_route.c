/* What would be done with a call: the question, and what becomes of it. */

#include "view.h"

#include "say.h"
#include "timestamp.h"
#include "view_json.h"

/* Reads who would call: a text that may be empty, for a hidden number. */
static enum rc
read_from(json_t *object, char from[VIEW_CALLER_SIZE], struct fault *fault)
{
	json_t *value = json_object_get(object, "from");

	from[0] = '\0';
	if (json_is_string(value) && json_string_length(value) == 0)
		return RC_OK;
	return view_read_text(
	    object, "", "from", from, VIEW_CALLER_SIZE, false, fault);
}

enum rc
view_read_question(struct view_question *question, const char *body, size_t len,
    struct fault *fault)
{
	static const char *const known[] = { "from", "to", "at", "attestation",
		NULL };
	json_t *object;
	enum rc rc;

	if ((rc = view_parse(&object, body, len, fault)) != RC_OK)
		return rc;
	if ((rc = view_refuse_unknown(object, "", known, fault)) == RC_OK &&
	    (rc = read_from(object, question->from, fault)) == RC_OK &&
	    (rc = view_read_text(object, "", "to", question->to,
		 sizeof question->to, true, fault)) == RC_OK &&
	    (rc = view_read_text(object, "", "at", question->at,
		 sizeof question->at, false, fault)) == RC_OK)
		rc = view_read_text(object, "", "attestation",
		    question->attestation, sizeof question->attestation, false,
		    fault);
	json_decref(object);
	return rc;
}

/* What the caller hears first; "" for ringing. */
static const char *
sentence(const struct mask_route *route)
{
	switch (route->decision.action) {
	case POLICY_CONNECT:
		return route->announcement;
	case POLICY_ASK:
		return say(SAY_ASK_CODE, route->language);
	case POLICY_REFUSE:
		return say_reason(route->decision.reason, route->language);
	default:
		return "";
	}
}

enum rc
view_route(struct buf *out, const struct mask_route *route)
{
	const struct policy_decision *decision = &route->decision;

	return view_dump(out,
	    json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:I}", "action",
		policy_action_name(decision->action), "reason",
		policy_reason_name(decision->reason), "sentence",
		view_text(sentence(route)), "session",
		view_text(route->session_id), "caller",
		view_text(route->party_id), "callee", view_text(route->peer_id),
		"shown", view_text(route->caller_id), "limit",
		(json_int_t)route->limit_s),
	    0);
}
