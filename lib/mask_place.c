/* What the service does with calls that the app asks for, and to end calls. */

#include "mask.h"

#include <stdio.h>
#include <string.h>

#include "outbox.h"

static int64_t
now_s(const struct mask *mask)
{
	return mask->now_ms / 1000;
}

/* Finds out what calling a party first would lead to, and its real number;
 * sid as for mask_route_party. RC_NOT_FOUND if that is erased. */
static enum rc
decide(const struct mask *mask, const char *party_id, const char *sid,
    char phone[PHONE_SIZE], struct mask_route *route)
{
	enum rc rc;

	rc = session_phone(mask->db, mask->keys, party_id, phone);
	if (rc != RC_OK)
		return rc;
	return mask_route_party(mask, party_id, phone, sid, route);
}

/* Tells the app why a call is not placed. */
static enum rc
refuse_to_place(enum policy_reason reason, struct fault *fault)
{
	if (reason == POLICY_SESSION_IS_CLOSED ||
	    reason == POLICY_SESSION_IS_EXPIRED)
		return rc_fault(fault, RC_ENDED, "", "the session is over");
	rc_fault(fault, RC_REFUSED, "", "a call by this party is refused now");
	snprintf(
	    fault->code, sizeof fault->code, "%s", policy_reason_name(reason));
	return RC_REFUSED;
}

enum rc
mask_place(const struct mask *mask, const char *service_id,
    const char *session_id, const char *role, struct call_summary *summary,
    struct fault *fault)
{
	struct call call = { .status = CALL_QUEUED,
		.sequence = -1,
		.duration_s = -1,
		.placed = true };
	const struct session_party *party;
	enum policy_reason reason;
	char phone[PHONE_SIZE];
	struct session session;
	struct mask_route route;
	bool connect;
	enum rc rc;

	rc = session_find(mask->db, service_id, &session, session_id);
	if (rc != RC_OK)
		return rc;
	if ((party = session_party(&session, role)) == NULL)
		return rc_fault(fault, RC_INVALID, "from",
		    "is the role of none of the parties");
	rc = decide(mask, party->id, "", phone, &route);
	reason = route.decision.reason;
	connect = route.decision.action == POLICY_CONNECT;
	crypto_wipe(phone, sizeof phone);
	crypto_wipe(&route, sizeof route);
	if (rc != RC_OK)
		return rc;
	if (!connect)
		return refuse_to_place(reason, fault);

	strcpy(call.service_id, service_id);
	strcpy(call.session_id, session.id);
	strcpy(call.party_id, party->id);
	strcpy(call.number, party->number);
	snprintf(
	    call.reason, sizeof call.reason, "%s", policy_reason_name(reason));
	if ((rc = call_insert(mask->db, &call, mask->now_ms)) != RC_OK ||
	    (rc = mask_tell_call(mask, &call, EVENT_CALL_STARTED, call.id,
		 call.reason)) != RC_OK ||
	    (rc = outbox_put(mask->db,
		 &(struct outbox_item){ .service_id = service_id,
		     .kind = OUTBOX_CALL,
		     .subject_id = call.id,
		     .lane = call.id },
		 mask->now_ms)) != RC_OK)
		return rc;
	return call_show(mask->db, summary, service_id, call.id);
}

/* Leaves it to the worker to end a call, given by our id, or one that is none
 * of ours by its CallSid. After its placing, if that is still under way. */
static enum rc
put_hang_up(const struct mask *mask, const struct call *call, const char *what)
{
	enum rc rc;

	rc = outbox_waits(mask->db, OUTBOX_HANG_UP, what);
	if (rc != RC_NONE)
		return rc;
	return outbox_put(mask->db,
	    &(struct outbox_item){ .service_id = call->service_id,
		.kind = OUTBOX_HANG_UP,
		.subject_id = what,
		.lane = call->id },
	    mask->now_ms);
}

/* Ends a call in our books and tells the app. */
static enum rc
finish(
    const struct mask *mask, struct call *call, const struct call_progress *end)
{
	enum rc rc;

	call_apply(call, end);
	if ((rc = call_update(mask->db, call)) != RC_OK ||
	    (rc = call_tell(mask->db, call->id, now_s(mask))) != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	return mask_tell_call(mask, call, EVENT_CALL_ENDED, call->id,
	    call_status_name(end->status));
}

/* Ends a call that is not over. */
static enum rc
end_call(const struct mask *mask, struct call *call)
{
	const struct call_progress canceled = { CALL_CANCELED, -1, now_s(mask),
		-1 };
	bool answered = call->answered_at != 0 || !call->placed;
	enum rc rc = RC_NONE;

	/* What nobody has begun to send need not be ended. */
	if (!answered)
		rc = outbox_cancel(
		    mask->db, OUTBOX_CALL, call->id, mask->now_ms);
	if (rc == RC_NONE)
		rc = put_hang_up(mask, call, call->id);
	if (rc != RC_OK || answered)
		return rc;
	/* Whoever answers it now is not connected. */
	return finish(mask, call, &canceled);
}

enum rc
mask_hang_up(const struct mask *mask, const char *service_id, const char *id,
    struct call_summary *summary)
{
	struct call call;
	enum rc rc;

	if ((rc = call_show(mask->db, summary, service_id, id)) != RC_OK ||
	    (rc = call_find_id(mask->db, &call, id)) != RC_OK)
		return rc;
	if (call_is_final(call.status))
		return RC_OK;
	if ((rc = end_call(mask, &call)) != RC_OK)
		return rc;
	return call_show(mask->db, summary, service_id, id);
}

enum rc
mask_hang_up_all(const struct mask *mask, const char *session_id)
{
	char ids[16][ID_SIZE], after[ID_SIZE] = "";
	struct call call;
	int i, len;
	enum rc rc;

	do {
		rc = call_list_running(
		    mask->db, session_id, after, 16, ids, &len);
		for (i = 0; i < len && rc == RC_OK; i++) {
			strcpy(after, ids[i]);
			rc = call_find_id(mask->db, &call, ids[i]);
			if (rc == RC_OK)
				rc = end_call(mask, &call);
		}
	} while (rc == RC_OK && len == 16);
	return rc;
}

/* Writes down that a placed call is not connected after all, and why. */
static enum rc
refuse(const struct mask *mask, struct call *call, enum policy_reason reason)
{
	enum rc rc;

	/* Nothing more comes of a call that was refused. */
	call->status = CALL_COMPLETED;
	snprintf(call->reason, sizeof call->reason, "%s",
	    policy_reason_name(reason));
	if ((rc = call_connect(mask->db, call)) != RC_OK ||
	    (rc = call_tell(mask->db, call->id, now_s(mask))) != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	return mask_tell_call(
	    mask, call, EVENT_CALL_REFUSED, call->id, call->reason);
}

enum rc
mask_placing(
    const struct mask *mask, const char *id, struct mask_placing *placing)
{
	struct call *call = &placing->call;
	enum rc rc;

	*placing = (struct mask_placing){ .state = MASK_PLACE };
	if ((rc = call_find_id(mask->db, call, id)) != RC_OK ||
	    (rc = decide(mask, call->party_id,
		 call->sid[0] != '\0' ? call->sid : id, placing->phone,
		 &placing->route)) != RC_OK)
		return rc;
	if (call->sid[0] != '\0')
		placing->state = MASK_KNOWN;
	else if (call_is_final(call->status))
		placing->state = MASK_OVER;
	else if (now_s(mask) - call->created_at > MASK_PLACE_S)
		placing->state = MASK_LATE;
	else if (placing->route.decision.action != POLICY_CONNECT)
		placing->state = MASK_REFUSED;
	return RC_OK;
}

enum rc
mask_drop(const struct mask *mask, struct mask_placing *placing)
{
	if (placing->state == MASK_REFUSED)
		return refuse(
		    mask, &placing->call, placing->route.decision.reason);
	return mask_fail(mask, placing->call.id);
}

enum rc
mask_fail(const struct mask *mask, const char *id)
{
	const struct call_progress failed = { CALL_FAILED, -1, now_s(mask),
		-1 };
	struct call call;
	enum rc rc;

	rc = call_find_id(mask->db, &call, id);
	if (rc != RC_OK || call_is_final(call.status))
		return rc == RC_NOT_FOUND ? RC_OK : rc;
	return finish(mask, &call, &failed);
}

enum rc
mask_learn(
    const struct mask *mask, const char *id, const char *sid, struct call *call)
{
	struct call other;
	enum rc rc;

	rc = call_find_id(mask->db, call, id);
	if (rc == RC_NOT_FOUND || (rc == RC_OK && !call->placed))
		return RC_NONE;
	if (rc != RC_OK || strcmp(call->sid, sid) == 0)
		return rc;
	rc = call_find(mask->db, &other, sid);
	if (rc == RC_OK)
		return RC_NONE;
	if (rc != RC_NOT_FOUND)
		return rc;
	if (call->sid[0] != '\0') {
		/* It was placed twice: nobody's phone is to ring twice. */
		rc = put_hang_up(mask, call, sid);
		return rc == RC_OK ? RC_NONE : rc;
	}
	if ((rc = call_learn(mask->db, id, sid)) != RC_OK)
		return rc;
	snprintf(call->sid, sizeof call->sid, "%s", sid);
	return call_is_final(call->status) ? put_hang_up(mask, call, call->id)
					   : RC_OK;
}

/* Returns RC_NONE for a call that is over or about to be ended, though its
 * parties could be connected; else notes that it was answered. */
static enum rc
take_answer(const struct mask *mask, struct call *call)
{
	enum rc rc;

	if (call_is_final(call->status))
		return RC_NONE;
	rc = outbox_waits(mask->db, OUTBOX_HANG_UP, call->id);
	if (rc != RC_NONE)
		return rc == RC_OK ? RC_NONE : rc;
	if (call->answered_at != 0)
		return RC_OK;
	call->answered_at = now_s(mask);
	return call_update(mask->db, call);
}

enum rc
mask_answer(const struct mask *mask, const char *id, const char *sid,
    struct mask_route *route)
{
	struct mask_route nobody = { .language = "en" };
	char phone[PHONE_SIZE];
	struct call call;
	enum rc rc;

	*route = nobody;
	if ((rc = mask_learn(mask, id, sid, &call)) != RC_OK)
		return rc;
	rc = decide(mask, call.party_id, call.sid, phone, route);
	crypto_wipe(phone, sizeof phone);
	if (rc != RC_OK)
		return rc == RC_NOT_FOUND ? RC_NONE : rc;
	if (route->decision.action != POLICY_CONNECT)
		return call_is_final(call.status)
			   ? RC_OK
			   : refuse(mask, &call, route->decision.reason);
	if ((rc = take_answer(mask, &call)) == RC_NONE) {
		strcpy(nobody.language, route->language);
		crypto_wipe(route, sizeof *route);
		*route = nobody;
	}
	return rc;
}
