/* What the service does: one function a deed. */

#include "mask.h"

#include <stdio.h>
#include <string.h>

#include "event.h"
#include "leg.h"
#include "number.h"
#include "service.h"

static int64_t
now_s(const struct mask *mask)
{
	return mask->now_ms / 1000;
}

/* Appends an event about a session or a call, "" for none. */
static enum rc
tell(const struct mask *mask, const char *service_id, enum event_type type,
    const char *session_id, const char *call_id, const char *detail)
{
	return event_put(mask->db,
	    &(struct event){ .service_id = service_id,
		.type = type,
		.session_id = session_id,
		.call_id = call_id,
		.detail = detail },
	    mask->now_ms);
}

/* Checks a request against the service's settings and numbers. */
static enum rc
check_request(const struct mask *mask, const struct service *service,
    const struct session_request *request, struct fault *fault)
{
	struct number own;
	char field[32];
	enum rc rc;
	int i;

	if (request->ttl_s > service->ttl_max_s)
		return rc_fault(fault, RC_INVALID, "ttl",
		    "must be at most %lld seconds",
		    (long long)service->ttl_max_s);
	for (i = 0; i < SESSION_PARTIES; i++) {
		const char *phone = request->parties[i].phone;

		snprintf(field, sizeof field, "parties[%d].phone", i);
		rc = number_find(mask->db, &own, phone);
		if (rc == RC_OK)
			return rc_fault(fault, RC_OWN_NUMBER, field,
			    "is a masked number; a party has a real one");
		if (rc != RC_NOT_FOUND)
			return rc;
		if (service_allows(service, phone_country(phone)) != RC_OK)
			return rc_fault(fault, RC_COUNTRY, field,
			    "is of a country this service does not allow");
	}
	return RC_OK;
}

/* Makes sure that no open session has this reference; one that has expired
 * gives it up. */
static enum rc
free_reference(const struct mask *mask, const char *service_id,
    const char *reference, struct fault *fault)
{
	char id[ID_SIZE];
	int64_t expires_at;
	enum rc rc;

	if (reference[0] == '\0')
		return RC_OK;
	rc = session_find_reference(
	    mask->db, service_id, id, &expires_at, reference);
	if (rc == RC_NOT_FOUND)
		return RC_OK;
	if (rc != RC_OK)
		return rc;
	if (expires_at > now_s(mask))
		return rc_fault(
		    fault, RC_REFERENCE, "reference", "an open session has it");
	if ((rc = session_close(mask->db, service_id, id, expires_at, true)) !=
	    RC_OK)
		return rc;
	return tell(mask, service_id, EVENT_SESSION_EXPIRED, id, NULL, NULL);
}

/* Claims the session's masked number for both parties. */
static enum rc
claim_legs(const struct mask *mask, const struct service *service,
    const struct session *session,
    const uint8_t person[SESSION_PARTIES][CRYPTO_HASH_SIZE])
{
	enum rc rc = RC_OK;
	int i;

	for (i = 0; i < SESSION_PARTIES && rc == RC_OK; i++)
		rc = leg_claim(mask->db,
		    &(struct leg){ .number = session->parties[i].number,
			.person = person[i],
			.peer = person[1 - i],
			.session_id = session->id,
			.party_id = session->parties[i].id,
			.live_until = session->expires_at,
			.held_until = session->expires_at + service->hold_s },
		    now_s(mask));
	return rc;
}

enum rc
mask_open(const struct mask *mask, const char *service_id,
    const struct session_request *request, struct session *session,
    struct fault *fault)
{
	uint8_t person[SESSION_PARTIES][CRYPTO_HASH_SIZE];
	struct session made = { .created_at = now_s(mask) };
	struct service service;
	char number[PHONE_SIZE];
	enum rc rc;
	int i;

	if ((rc = service_find(mask->db, &service, service_id)) != RC_OK ||
	    (rc = check_request(mask, &service, request, fault)) != RC_OK ||
	    (rc = free_reference(
		 mask, service_id, request->reference, fault)) != RC_OK)
		return rc;

	for (i = 0; i < SESSION_PARTIES; i++)
		session_person(
		    person[i], mask->keys, request->parties[i].phone);
	rc = number_take(mask->db, number, service_id, person[0], person[1],
	    request->country, made.created_at);
	if (rc == RC_POOL) {
		rc = tell(mask, service_id, EVENT_POOL_EXHAUSTED, NULL, NULL,
		    request->country);
		return rc != RC_OK ? rc
				   : rc_fault(fault, RC_POOL, "",
					 "no masked number is free for both "
					 "parties; one "
					 "more is needed");
	}
	if (rc != RC_OK)
		return rc;

	id_make(made.id, "ses", mask->now_ms);
	strcpy(made.reference, request->reference);
	made.expires_at =
	    made.created_at +
	    (request->ttl_s != 0 ? request->ttl_s : service.ttl_default_s);
	for (i = 0; i < SESSION_PARTIES; i++) {
		id_make(made.parties[i].id, "pty", mask->now_ms);
		strcpy(made.parties[i].role, request->parties[i].role);
		strcpy(made.parties[i].number, number);
	}
	if ((rc = session_insert(
		 mask->db, mask->keys, service_id, &made, request)) != RC_OK ||
	    (rc = claim_legs(mask, &service, &made,
		 (const uint8_t(*)[CRYPTO_HASH_SIZE])person)) != RC_OK ||
	    (rc = tell(mask, service_id, EVENT_SESSION_OPENED, made.id, NULL,
		 NULL)) != RC_OK)
		return rc;
	*session = made;
	return RC_OK;
}

enum rc
mask_close(const struct mask *mask, const char *service_id, const char *id,
    struct session *session)
{
	struct service service;
	int64_t at = now_s(mask);
	bool expired;
	enum rc rc;

	if ((rc = service_find(mask->db, &service, service_id)) != RC_OK ||
	    (rc = session_find(mask->db, service_id, session, id)) != RC_OK ||
	    session->closed_at != 0)
		return rc;
	expired = session->expires_at <= at;
	if (expired)
		at = session->expires_at;
	if ((rc = session_close(mask->db, service_id, id, at, expired)) !=
		RC_OK ||
	    (rc = leg_end(mask->db, id, at, at + service.hold_s)) != RC_OK)
		return rc;
	session->closed_at = at;
	session->closed_by_expiry = expired;
	return tell(mask, service_id,
	    expired ? EVENT_SESSION_EXPIRED : EVENT_SESSION_CLOSED, id, NULL,
	    NULL);
}

enum rc
mask_add_number(const struct mask *mask, const char *service_id,
    const char *number, struct fault *fault)
{
	uint8_t person[CRYPTO_HASH_SIZE];
	int64_t parties;
	enum rc rc;

	if (!phone_valid(number))
		return rc_fault(
		    fault, RC_INVALID, "number", "is not an E.164 number");
	if (phone_country(number)[0] == '\0')
		return rc_fault(
		    fault, RC_COUNTRY, "number", "belongs to no country");
	session_person(person, mask->keys, number);
	rc = number_party(mask->db, &parties, person, now_s(mask));
	if (rc != RC_OK)
		return rc;
	if (parties != 0)
		return rc_fault(fault, RC_OWN_NUMBER, "number",
		    "is the real number of someone in an open session");
	rc = number_insert(
	    mask->db, service_id, number, phone_country(number), now_s(mask));
	if (rc == RC_EXISTS)
		rc_fault(fault, rc, "number", "is in a pool already");
	return rc;
}

/* Says what a leg's times and its session's state mean at now. */
static void
state_facts(
    const struct leg_route *leg, int64_t now, struct policy_facts *facts)
{
	if (leg->held_until <= now && leg->live_until <= now)
		return;
	facts->leg = leg->live_until > now ? POLICY_LEG_LIVE : POLICY_LEG_HELD;
	if (leg->closed)
		facts->session = leg->expired ? POLICY_SESSION_EXPIRED
					      : POLICY_SESSION_CLOSED;
	else
		facts->session = leg->expires_at > now ? POLICY_SESSION_OPEN
						       : POLICY_SESSION_EXPIRED;
}

/* A call to be routed, for the read transaction that does it. */
struct routing {
	const struct mask *mask;
	const struct mask_dialled *dialled;
	struct mask_route *route;
};

static enum rc
route(struct db *db, void *cookie)
{
	const struct routing *r = cookie;
	const struct mask_dialled *dialled = r->dialled;
	struct mask_route *out = r->route;
	uint8_t person[CRYPTO_HASH_SIZE];
	struct policy_facts facts = { .caller = phone_caller(dialled->from) };
	struct number number = { .state = "" };
	struct leg_route leg;
	int64_t now = now_s(r->mask);
	enum rc rc;

	*out = (struct mask_route){ .reason = POLICY_NUMBER_UNKNOWN };
	rc = number_find(db, &number, dialled->to);
	if (rc != RC_OK && rc != RC_NOT_FOUND)
		return rc;
	facts.number_in_use =
	    rc == RC_OK && strcmp(number.state, "retired") != 0;
	strcpy(out->service_id, number.service_id);

	rc = RC_NOT_FOUND;
	if (facts.caller == PHONE_CALLER_NUMBER) {
		session_person(person, r->mask->keys, dialled->from);
		rc = leg_route(db, &leg, dialled->to, person);
		if (rc != RC_OK && rc != RC_NOT_FOUND)
			return rc;
	}
	if (rc == RC_OK) {
		state_facts(&leg, now, &facts);
		strcpy(out->session_id, leg.session_id);
		strcpy(out->party_id, leg.party_id);
	}

	out->reason = policy_decide(&facts);
	if (out->reason != POLICY_CONNECTED)
		return RC_OK;
	rc = session_unseal(out->to, r->mask->keys, leg.peer_id,
	    leg.peer_sealed, leg.peer_sealed_len);
	if (rc != RC_OK)
		return rc;
	strcpy(out->caller_id, leg.peer_number);
	out->limit_s = leg.live_until - now;
	if (out->limit_s > number.call_limit_s)
		out->limit_s = number.call_limit_s;
	return RC_OK;
}

enum rc
mask_route(const struct mask *mask, const struct mask_dialled *dialled,
    struct mask_route *out)
{
	struct routing routing = { mask, dialled, out };

	return db_snapshot(mask->db, route, &routing);
}

enum rc
mask_record(const struct mask *mask, const struct mask_dialled *dialled,
    const struct mask_route *route)
{
	bool connected = route->reason == POLICY_CONNECTED;
	const char *reason = policy_reason_name(route->reason);
	struct call call = {
		/* Nothing more comes of a call that was refused. */
		.status = connected ? CALL_RINGING : CALL_COMPLETED,
		.sequence = -1,
		.duration_s = -1,
	};
	enum rc rc;

	snprintf(call.sid, sizeof call.sid, "%s", dialled->sid);
	snprintf(call.reason, sizeof call.reason, "%s", reason);
	strcpy(call.service_id, route->service_id);
	strcpy(call.session_id, route->session_id);
	strcpy(call.party_id, route->party_id);
	if (route->service_id[0] != '\0')
		snprintf(call.number, sizeof call.number, "%s", dialled->to);
	rc = call_insert(mask->db, &call, mask->now_ms);
	if (rc != RC_OK || call.service_id[0] == '\0')
		return rc == RC_EXISTS ? RC_OK : rc;
	return tell(mask, call.service_id,
	    connected ? EVENT_CALL_STARTED : EVENT_CALL_REFUSED,
	    call.session_id, call.id, reason);
}

/* Finds out to which service and session a leg we have not heard of belongs:
 * from the leg that dialled it, else from the number and person on it. */
static enum rc
identify(const struct mask *mask, const struct mask_report *report,
    struct call *call)
{
	uint8_t person[CRYPTO_HASH_SIZE];
	struct leg_route leg;
	struct number number;
	struct call parent;
	enum rc rc;

	rc = number_find(mask->db, &number, report->number);
	if (rc == RC_OK) {
		strcpy(call->service_id, number.service_id);
		strcpy(call->number, number.number);
	} else if (rc != RC_NOT_FOUND) {
		return rc;
	}
	if (phone_caller(report->person) == PHONE_CALLER_NUMBER) {
		session_person(person, mask->keys, report->person);
		rc = leg_route(mask->db, &leg, report->number, person);
		if (rc == RC_OK) {
			strcpy(call->session_id, leg.session_id);
			strcpy(call->party_id, leg.party_id);
		} else if (rc != RC_NOT_FOUND) {
			return rc;
		}
	}
	if (report->parent_sid[0] == '\0')
		return RC_OK;
	rc = call_find(mask->db, &parent, report->parent_sid);
	if (rc == RC_OK) {
		strcpy(call->service_id, parent.service_id);
		strcpy(call->session_id, parent.session_id);
	}
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* Reads the row of a leg, or makes one if we have not heard of it. */
static enum rc
find_or_make(const struct mask *mask, const struct mask_report *report,
    struct call *call)
{
	enum rc rc;

	if ((rc = call_find(mask->db, call, report->sid)) != RC_NOT_FOUND)
		return rc;
	*call = (struct call){
		.status = CALL_QUEUED,
		.sequence = -1,
		.duration_s = -1,
	};
	snprintf(call->sid, sizeof call->sid, "%s", report->sid);
	snprintf(call->parent_sid, sizeof call->parent_sid, "%s",
	    report->parent_sid);
	if ((rc = identify(mask, report, call)) != RC_OK)
		return rc;
	return call_insert(mask->db, call, mask->now_ms);
}

/*
 * Reads the row of the leg that dialled this one into *parent. If recording
 * that call failed when it came, the row is made up for now: the leg it
 * dialled proves that it was connected.
 */
static enum rc
find_or_adopt(
    const struct mask *mask, const struct call *call, struct call *parent)
{
	enum rc rc;

	rc = call_find(mask->db, parent, call->parent_sid);
	if (rc != RC_NOT_FOUND)
		return rc;
	*parent = (struct call){
		.status = CALL_IN_PROGRESS,
		.sequence = -1,
		.duration_s = -1,
	};
	strcpy(parent->sid, call->parent_sid);
	strcpy(parent->service_id, call->service_id);
	strcpy(parent->session_id, call->session_id);
	strcpy(parent->number, call->number);
	snprintf(parent->reason, sizeof parent->reason, "%s",
	    policy_reason_name(POLICY_CONNECTED));
	return call_insert(mask->db, parent, mask->now_ms);
}

/* Tells the app of the progress of the leg that rings the other party. */
static enum rc
tell_progress(
    const struct mask *mask, const struct call *call, const char *call_id)
{
	const char *status = call_status_name(call->status);
	enum event_type type = EVENT_CALL_ENDED;
	enum rc rc;

	if (call->status == CALL_RINGING)
		type = EVENT_CALL_RINGING;
	else if (call->status == CALL_IN_PROGRESS)
		type = EVENT_CALL_ANSWERED;
	else if (!call_is_final(call->status))
		return RC_OK;
	if (type == EVENT_CALL_ENDED) {
		rc = call_tell(mask->db, call->parent_sid, now_s(mask));
		if (rc != RC_OK)
			return rc == RC_NONE ? RC_OK : rc;
	}
	return tell(
	    mask, call->service_id, type, call->session_id, call_id, status);
}

/* Tells of the end of a connected call from the leg that was dialled, if no
 * other leg was ever heard of that could tell it better. */
static enum rc
tell_lonely_end(const struct mask *mask, const struct call *call)
{
	enum rc rc;

	if (!call_is_final(call->status) ||
	    strcmp(call->reason, policy_reason_name(POLICY_CONNECTED)) != 0)
		return RC_OK;
	rc = db_first(mask->db, SQL_CALL_CHILD, DB_ARGS(DB_TEXT(call->sid)));
	db_done(mask->db, SQL_CALL_CHILD);
	if (rc == RC_NONE)
		rc = call_tell(mask->db, call->sid, now_s(mask));
	else if (rc == RC_OK)
		return RC_OK;
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	return tell(mask, call->service_id, EVENT_CALL_ENDED, call->session_id,
	    call->id, call_status_name(call->status));
}

enum rc
mask_report(const struct mask *mask, const struct mask_report *report)
{
	struct call call, parent;
	bool moved;
	enum rc rc;

	if ((rc = find_or_make(mask, report, &call)) != RC_OK)
		return rc;
	moved = call_apply(&call, &report->progress);
	if ((rc = call_update(mask->db, &call)) != RC_OK)
		return rc;
	if (call.service_id[0] == '\0')
		return RC_NONE;
	if (call.parent_sid[0] == '\0')
		return moved ? tell_lonely_end(mask, &call) : RC_OK;
	if ((rc = find_or_adopt(mask, &call, &parent)) != RC_OK)
		return rc;
	/* Nothing is told of a call after its end. */
	if (!moved || parent.told)
		return RC_OK;
	return tell_progress(mask, &call, parent.id);
}
