/* What the service does with calls: decides, records, reports. */

#include "mask.h"

#include <stdio.h>
#include <string.h>

#include "intent.h"
#include "leg.h"
#include "number.h"
#include "service.h"

#define MINUTE_S 60
#define DAY_S 86400

static int64_t
now_s(const struct mask *mask)
{
	return mask->now_ms / 1000;
}

enum rc
mask_tell_call(const struct mask *mask, const struct call *call,
    enum event_type type, const char *call_id, const char *detail)
{
	return event_put(mask->db,
	    &(struct event){ .service_id = call->service_id,
		.type = type,
		.session_id = call->session_id,
		.subject_id = call_id,
		.detail = detail },
	    mask->now_ms);
}

/* What is found out about a call on the way to its decision. */
struct inquiry {
	struct service service;
	struct policy_facts facts;
	struct leg_route leg;  /* of the caller, if facts.leg says so */
	char peer[PHONE_SIZE]; /* the real number behind it */
};

/* Finds the first limit that a call by this leg would break. */
static enum rc
limit_facts(const struct mask *mask, const struct mask_dialled *dialled,
    struct inquiry *inquiry)
{
	const struct service *service = &inquiry->service;
	const struct leg_route *leg = &inquiry->leg;
	struct policy_facts *facts = &inquiry->facts;
	int64_t count;
	enum rc rc;

	if (service_allows(service, phone_country(inquiry->peer)) != RC_OK)
		facts->limit = POLICY_LIMIT_COUNTRY;
	if (service->session_calls != 0) {
		rc = call_count_session(
		    mask->db, &count, leg->session_id, dialled->sid);
		if (rc != RC_OK)
			return rc;
		if (count >= service->session_calls)
			facts->limit = POLICY_LIMIT_SESSION;
	}
	if (service->person_calls != 0) {
		rc = call_count_party(mask->db, &count, leg->party_id,
		    now_s(mask) - MINUTE_S, dialled->sid);
		if (rc != RC_OK)
			return rc;
		if (count >= service->person_calls)
			facts->limit = POLICY_LIMIT_PERSON;
	}
	if (service->daily_minutes != 0) {
		rc = call_usage(
		    mask->db, &count, service->id, now_s(mask) / DAY_S);
		if (rc != RC_OK)
			return rc;
		if (count >= service->daily_minutes * MINUTE_S)
			facts->limit = POLICY_LIMIT_SERVICE;
	}
	return RC_OK;
}

/* Takes the facts from the leg that was found. */
static enum rc
leg_facts(const struct mask *mask, const struct mask_dialled *dialled,
    struct inquiry *inquiry)
{
	const struct leg_route *leg = &inquiry->leg;
	enum rc rc;

	leg_state(leg, leg->voice, now_s(mask), &inquiry->facts);
	if (inquiry->facts.leg != POLICY_LEG_LIVE)
		return RC_OK;
	rc = session_unseal(inquiry->peer, mask->keys, leg->peer_id,
	    leg->peer_sealed, leg->peer_sealed_len);
	return rc == RC_OK ? limit_facts(mask, dialled, inquiry) : rc;
}

/* Whether the carrier says that the caller ID is not to be believed. */
static bool
attestation_failed(const char *attestation)
{
	return strstr(attestation, "TN-Validation-Failed") != NULL;
}

/* Takes the facts that the service settles. */
static void
service_facts(struct inquiry *inquiry)
{
	const struct service *service = &inquiry->service;
	struct policy_facts *facts = &inquiry->facts;

	facts->ask_code = service->ask_code != 0;
	facts->support_line = service->support_number[0] != '\0';
	if (service->attestation == 0)
		facts->attestation_failed = false;
}

/* Finds out about number and service. */
static enum rc
begin(const struct mask *mask, const struct mask_dialled *dialled,
    struct inquiry *inquiry)
{
	struct policy_facts *facts = &inquiry->facts;
	struct number number;
	enum rc rc;

	*inquiry = (struct inquiry){ .facts = { .caller = phone_caller(
						    dialled->from) } };
	rc = number_find(mask->db, &number, dialled->to);
	if (rc != RC_OK)
		return rc == RC_NOT_FOUND ? RC_OK : rc;
	rc = service_find(mask->db, &inquiry->service, number.service_id);
	if (rc != RC_OK)
		return rc;
	facts->number_in_use = strcmp(number.state, "retired") != 0;
	facts->attestation_failed = attestation_failed(dialled->attestation);
	service_facts(inquiry);
	return RC_OK;
}

/* Decides by what was found out and says what to do. */
static void
conclude(const struct mask *mask, const struct mask_dialled *dialled,
    const struct inquiry *inquiry, struct mask_route *route)
{
	const struct service *service = &inquiry->service;
	const struct leg_route *leg = &inquiry->leg;

	*route = (struct mask_route){
		.decision = policy_decide(&inquiry->facts),
	};
	strcpy(route->service_id, service->id);
	/* Who is asked for a code, or not believed, is nobody. */
	if (inquiry->facts.leg != POLICY_LEG_NONE &&
	    route->decision.action != POLICY_ASK &&
	    route->decision.reason != POLICY_ATTESTATION_FAILED) {
		strcpy(route->session_id, leg->session_id);
		strcpy(route->party_id, leg->party_id);
	}
	route->limit_s = service->call_limit_s;
	strcpy(route->language, service->language);
	route->intents = service->intents != 0 &&
			 inquiry->facts.caller == PHONE_CALLER_WITHHELD &&
			 inquiry->facts.number_in_use;
	switch (route->decision.action) {
	case POLICY_CONNECT:
		strcpy(route->to, inquiry->peer);
		strcpy(route->peer_id, leg->peer_id);
		strcpy(route->caller_id, leg->peer_number);
		route->screen = service->screening != 0 ||
				service->announce_callee[0] != '\0';
		strcpy(route->announcement, service->announce_caller);
		/* The database sees to it that both are told. */
		route->record = service->record != 0;
		if (leg->live_until - now_s(mask) < route->limit_s)
			route->limit_s = leg->live_until - now_s(mask);
		break;
	case POLICY_FORWARD:
		strcpy(route->to, service->support_number);
		snprintf(route->caller_id, sizeof route->caller_id, "%s",
		    dialled->to);
		break;
	default:
		break;
	}
}

void
mask_imagine(const struct service *service, const struct policy_facts *facts,
    const char *number, const char *phone, struct mask_route *out)
{
	const struct mask mask = { .now_ms = 0 };
	const struct mask_dialled dialled = { .to = number };
	struct inquiry inquiry = { .service = *service, .facts = *facts };

	snprintf(inquiry.peer, sizeof inquiry.peer, "%s", phone);
	snprintf(inquiry.leg.peer_number, sizeof inquiry.leg.peer_number, "%s",
	    number);
	inquiry.leg.live_until = INT64_MAX;
	service_facts(&inquiry);
	conclude(&mask, &dialled, &inquiry, out);
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
	uint8_t person[CRYPTO_HASH_SIZE];
	struct inquiry inquiry;
	enum rc rc;

	if ((rc = begin(r->mask, dialled, &inquiry)) != RC_OK)
		return rc;
	if (inquiry.facts.caller == PHONE_CALLER_NUMBER) {
		session_person(person, r->mask->keys, dialled->from);
		rc = leg_route(db, &inquiry.leg, dialled->to, person);
		if (rc == RC_OK)
			rc = leg_facts(r->mask, dialled, &inquiry);
		if (rc != RC_OK && rc != RC_NOT_FOUND)
			return rc;
	}
	conclude(r->mask, dialled, &inquiry, r->route);
	crypto_wipe(&inquiry, sizeof inquiry);
	return RC_OK;
}

enum rc
mask_route(const struct mask *mask, const struct mask_dialled *dialled,
    struct mask_route *out)
{
	struct routing routing = { mask, dialled, out };

	return db_snapshot(mask->db, route, &routing);
}

/* Stores whom the app announced at the number, taking the intent; or, if the
 * call was asked about before, what was found out then. */
static enum rc
find_announced(const struct mask *mask, const struct mask_dialled *dialled,
    char party_id[ID_SIZE])
{
	struct call known;
	enum rc rc;

	rc = call_find(mask->db, &known, dialled->sid);
	if (rc == RC_NOT_FOUND)
		return intent_take(
		    mask->db, party_id, dialled->to, now_s(mask));
	if (rc != RC_OK)
		return rc;
	/* Who hides the number is known by an intent, or by a code; one that
	 * connected is asked for again. */
	if (known.party_id[0] == '\0' ||
	    strcmp(known.reason,
		policy_reason_name(POLICY_CONNECTED_BY_CODE)) == 0)
		return RC_NONE;
	strcpy(party_id, known.party_id);
	return RC_OK;
}

enum rc
mask_route_intent(const struct mask *mask, const struct mask_dialled *dialled,
    struct mask_route *out)
{
	char party_id[ID_SIZE];
	struct inquiry inquiry;
	enum rc rc;

	if ((rc = begin(mask, dialled, &inquiry)) != RC_OK)
		return rc;
	rc = RC_NONE;
	if (inquiry.service.intents != 0 &&
	    inquiry.facts.caller == PHONE_CALLER_WITHHELD)
		rc = find_announced(mask, dialled, party_id);
	if (rc == RC_OK)
		rc = leg_route_party(mask->db, &inquiry.leg, party_id);
	if (rc == RC_OK) {
		inquiry.facts.proof = POLICY_PROOF_INTENT;
		rc = leg_facts(mask, dialled, &inquiry);
	}
	if (rc != RC_OK && rc != RC_NONE && rc != RC_NOT_FOUND)
		return rc;
	conclude(mask, dialled, &inquiry, out);
	crypto_wipe(&inquiry, sizeof inquiry);
	return RC_OK;
}

enum rc
mask_route_party(const struct mask *mask, const char *party_id,
    const char *phone, const char *sid, struct mask_route *out)
{
	struct mask_dialled dialled = { sid, phone, "", "", "" };
	struct inquiry inquiry;
	struct leg_route leg;
	enum rc rc;

	rc = leg_route_party(mask->db, &leg, party_id);
	if (rc == RC_NOT_FOUND) {
		/* So long over that another session has the leg. */
		*out = (struct mask_route){ .language = "en",
			.decision = {
			    POLICY_REFUSE, POLICY_SESSION_IS_CLOSED } };
		return RC_OK;
	}
	dialled.to = leg.number;
	if (rc != RC_OK || (rc = begin(mask, &dialled, &inquiry)) != RC_OK)
		return rc;
	inquiry.leg = leg;
	inquiry.facts.caller = PHONE_CALLER_NUMBER;
	inquiry.facts.ask_code = false;
	inquiry.facts.support_line = false;
	rc = leg_facts(mask, &dialled, &inquiry);
	if (service_allows(&inquiry.service, phone_country(phone)) != RC_OK)
		inquiry.facts.limit = POLICY_LIMIT_COUNTRY;
	if (rc == RC_OK)
		conclude(mask, &dialled, &inquiry, out);
	crypto_wipe(&inquiry, sizeof inquiry);
	return rc;
}

enum rc
mask_route_code(const struct mask *mask, const struct mask_dialled *dialled,
    struct mask_route *out)
{
	struct inquiry inquiry;
	enum rc rc, may_try;

	if ((rc = begin(mask, dialled, &inquiry)) != RC_OK)
		return rc;
	may_try =
	    code_may_try(mask->db, dialled->to, dialled->sid, now_s(mask));
	rc = may_try;
	if (rc == RC_OK && inquiry.facts.ask_code)
		rc = code_find(mask->db, &inquiry.leg, dialled->to,
		    dialled->code, now_s(mask));
	else if (rc == RC_OK)
		rc = RC_NOT_FOUND;
	if (rc == RC_OK) {
		inquiry.facts.proof = POLICY_PROOF_CODE;
		rc = leg_facts(mask, dialled, &inquiry);
	} else if (rc == RC_NOT_FOUND) {
		rc = code_failed(mask->db, dialled->to, dialled->sid,
		    dialled->code, mask->now_ms);
		if (rc == RC_OK)
			may_try = code_may_try(
			    mask->db, dialled->to, dialled->sid, now_s(mask));
	}
	if (rc != RC_OK && rc != RC_LIMIT)
		return rc;
	if (may_try != RC_OK && may_try != RC_LIMIT)
		return may_try;
	if (may_try == RC_LIMIT)
		inquiry.facts.ask_code = false;
	conclude(mask, dialled, &inquiry, out);
	crypto_wipe(&inquiry, sizeof inquiry);
	return RC_OK;
}

/* Whether a call was connected, however the caller was made out. */
static bool
was_connected(const struct call *call)
{
	return strncmp(call->reason, "connected", 9) == 0;
}

enum rc
mask_record(const struct mask *mask, const struct mask_dialled *dialled,
    const struct mask_route *route)
{
	const char *reason = policy_reason_name(route->decision.reason);
	enum policy_action action = route->decision.action;
	struct call call = { .sequence = -1, .duration_s = -1 }, known;
	enum rc rc;

	/* Nothing more comes of a call that was refused. */
	call.status = action == POLICY_REFUSE ? CALL_COMPLETED : CALL_RINGING;
	snprintf(call.sid, sizeof call.sid, "%s", dialled->sid);
	snprintf(call.reason, sizeof call.reason, "%s", reason);
	strcpy(call.service_id, route->service_id);
	strcpy(call.session_id, route->session_id);
	strcpy(call.party_id, route->party_id);
	if (route->service_id[0] != '\0')
		snprintf(call.number, sizeof call.number, "%s", dialled->to);
	rc = call_insert(mask->db, &call, mask->now_ms);
	if (rc == RC_EXISTS) {
		rc = call_find(mask->db, &known, dialled->sid);
		/* Said twice; or the question was answered. */
		if (rc != RC_OK || dialled->code[0] == '\0' ||
		    was_connected(&known) || call_is_final(known.status))
			return rc;
		strcpy(call.id, known.id);
		rc = call_connect(mask->db, &call);
	}
	if (rc != RC_OK || call.service_id[0] == '\0' || action == POLICY_ASK)
		return rc;
	return mask_tell_call(mask, &call,
	    action == POLICY_REFUSE ? EVENT_CALL_REFUSED : EVENT_CALL_STARTED,
	    call.id, reason);
}

enum rc
mask_service(
    const struct mask *mask, const char *number, struct service *service)
{
	struct number found;
	enum rc rc;

	if ((rc = number_find(mask->db, &found, number)) != RC_OK)
		return rc;
	return service_find(mask->db, service, found.service_id);
}

enum rc
mask_dispute(const struct mask *mask, const char *number, const char *person)
{
	uint8_t hash[CRYPTO_HASH_SIZE];
	struct leg_route leg;
	struct number found;
	enum rc rc;

	session_person(hash, mask->keys, person);
	if ((rc = number_find(mask->db, &found, number)) != RC_OK ||
	    (rc = leg_route(mask->db, &leg, number, hash)) != RC_OK ||
	    (rc = session_dispute(mask->db, leg.party_id, now_s(mask))) !=
		RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	return event_put(mask->db,
	    &(struct event){ .service_id = found.service_id,
		.type = EVENT_PARTY_DISPUTED,
		.session_id = leg.session_id,
		.detail = leg.role },
	    mask->now_ms);
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
		/* The person may be in another session by now. */
		if (strcmp(call->session_id, parent.session_id) != 0)
			call->party_id[0] = '\0';
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

	if (report->call_id != NULL)
		return mask_learn(mask, report->call_id, report->sid, call);
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
		rc = call_tell(mask->db, call_id, now_s(mask));
		if (rc != RC_OK)
			return rc == RC_NONE ? RC_OK : rc;
	}
	return mask_tell_call(mask, call, type, call_id, status);
}

/* Tells of the end of a connected call from the leg that was dialled, if no
 * other leg was ever heard of that could tell it better. Who was rung first for
 * the app and did not get as far as having the other rung is not reached. */
static enum rc
tell_lonely_end(const struct mask *mask, struct call *call)
{
	enum rc rc;

	/* A refused call is over when it begins, and one asked for a code is of
	 * no session. */
	if (!call_is_final(call->status) || call->session_id[0] == '\0' ||
	    call->reason[0] == '\0')
		return RC_OK;
	rc = db_first(mask->db, SQL_CALL_CHILD, DB_ARGS(DB_TEXT(call->sid)));
	db_done(mask->db, SQL_CALL_CHILD);
	if (rc == RC_NONE)
		rc = call_tell(mask->db, call->id, now_s(mask));
	else if (rc == RC_OK)
		return RC_OK;
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	if (call->placed && call->status == CALL_COMPLETED) {
		call->status = CALL_NO_ANSWER;
		if ((rc = call_update(mask->db, call)) != RC_OK)
			return rc;
	}
	return mask_tell_call(mask, call, EVENT_CALL_ENDED, call->id,
	    call_status_name(call->status));
}

enum rc
mask_report(const struct mask *mask, const struct mask_report *report)
{
	struct call call, parent;
	int64_t counted;
	bool moved;
	enum rc rc;

	if ((rc = find_or_make(mask, report, &call)) != RC_OK)
		return rc;
	counted = call.duration_s;
	moved = call_apply(&call, &report->progress);
	if ((rc = call_update(mask->db, &call)) != RC_OK)
		return rc;
	if (call.service_id[0] == '\0' ||
	    (call.parent_sid[0] != '\0' && call.session_id[0] == '\0'))
		return RC_NONE;
	if (call.parent_sid[0] == '\0')
		return moved ? tell_lonely_end(mask, &call) : RC_OK;
	/* Talk is counted when its length is first known. */
	if (counted < 0 && call.duration_s > 0 &&
	    (rc = call_add_usage(mask->db, call.service_id, now_s(mask) / DAY_S,
		 call.duration_s)) != RC_OK)
		return rc;
	if ((rc = find_or_adopt(mask, &call, &parent)) != RC_OK)
		return rc;
	/* Nothing is told of a call after its end. */
	if (!moved || parent.told)
		return RC_OK;
	return tell_progress(mask, &call, parent.id);
}
