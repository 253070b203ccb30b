/* What the service does with sessions and numbers: one function a deed. */

#include "mask.h"

#include <stdio.h>
#include <string.h>

#include "event.h"
#include "intent.h"
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
		.subject_id = call_id,
		.detail = detail },
	    mask->now_ms);
}

/* Checks a real number against the service's countries and all masked
 * numbers; field names it in *fault. */
static enum rc
check_phone(const struct mask *mask, const struct service *service,
    const char *phone, int position, struct fault *fault)
{
	struct number own;
	char field[32];
	enum rc rc;

	snprintf(field, sizeof field, "parties[%d].phone", position);
	rc = number_find(mask->db, &own, phone);
	if (rc == RC_OK)
		return rc_fault(fault, RC_OWN_NUMBER, field,
		    "is a masked number; a party has a real one");
	if (rc != RC_NOT_FOUND)
		return rc;
	if (service_allows(service, phone_country(phone)) != RC_OK)
		return rc_fault(fault, RC_COUNTRY, field,
		    "is of a country this service does not allow");
	return RC_OK;
}

/* Checks how long a session is to live. */
static enum rc
check_ttl(const struct service *service, int64_t ttl_s, const char *field,
    struct fault *fault)
{
	if (ttl_s <= service->ttl_max_s)
		return RC_OK;
	return rc_fault(fault, RC_INVALID, field,
	    "must be at most %lld seconds from now",
	    (long long)service->ttl_max_s);
}

/* Checks a request against the service's settings and numbers. */
static enum rc
check_request(const struct mask *mask, const struct service *service,
    const struct session_request *request, struct fault *fault)
{
	enum rc rc;
	int i;

	rc = check_ttl(service, request->ttl_s, "ttl", fault);
	for (i = 0; i < SESSION_PARTIES && rc == RC_OK; i++)
		rc = check_phone(
		    mask, service, request->parties[i].phone, i, fault);
	return rc;
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
	return mask_expire(mask, service_id, id, expires_at);
}

/* The time since which a held leg may be given away early; 0: never. */
static int64_t
reuse_before(const struct mask *mask, const struct service *service)
{
	return service->reuse_after_s != 0
		   ? now_s(mask) - service->reuse_after_s
		   : 0;
}

/* Refuses a session for which there is no masked number, and says so to the
 * app. */
static enum rc
refuse_for_pool(const struct mask *mask, const char *service_id,
    const struct session_request *request, struct fault *fault)
{
	enum rc rc;

	if (request->number[0] != '\0')
		return rc_fault(fault, RC_POOL, "masked_number",
		    "is not in the pool, or not free for both parties");
	metrics_count(mask->metrics, METRICS_POOL_EXHAUSTED);
	rc = tell(mask, service_id, EVENT_POOL_EXHAUSTED, NULL, NULL,
	    request->country);
	if (rc != RC_OK)
		return rc;
	return rc_fault(fault, RC_POOL, "",
	    "no masked number is free; one more%s%s would do",
	    request->country[0] != '\0' ? " of " : "", request->country);
}

/* Tells the app that soon there may be no number left for these two, or for
 * people like them: an eighth or less of what was longest unused is free. */
static enum rc
warn_of_pool(const struct mask *mask, const struct number_wish *wish)
{
	int64_t numbers, free;
	enum rc rc;

	rc = number_room(mask->db, wish, &numbers, &free);
	if (rc != RC_OK || free * 8 > numbers)
		return rc;
	metrics_count(mask->metrics, METRICS_POOL_LOW);
	rc = service_tell_low(mask->db, wish->service_id, wish->now);
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	return tell(mask, wish->service_id, EVENT_POOL_LOW, NULL, NULL, NULL);
}

/* Claims a party's masked number for it, against the person peer. */
static enum rc
claim_leg(const struct mask *mask, const struct service *service,
    const struct session *session, const struct session_party *party,
    const uint8_t peer[CRYPTO_HASH_SIZE])
{
	return leg_claim(mask->db,
	    &(struct leg){ .number = party->number,
		.person = party->person,
		.peer = peer,
		.session_id = session->id,
		.party_id = party->id,
		.live_until = session->expires_at,
		.held_until = session->expires_at + service->hold_s,
		.reuse_before = reuse_before(mask, service) },
	    now_s(mask));
}

enum rc
mask_open(const struct mask *mask, const char *service_id,
    const struct session_request *request, struct session *session,
    struct fault *fault)
{
	uint8_t person[SESSION_PARTIES][CRYPTO_HASH_SIZE];
	struct session made = { .created_at = now_s(mask) };
	char numbers[SESSION_PARTIES][PHONE_SIZE];
	struct number_wish wish;
	struct service service;
	enum rc rc;
	int i;

	if ((rc = service_find(mask->db, &service, service_id)) != RC_OK ||
	    (rc = check_request(mask, &service, request, fault)) != RC_OK)
		return rc;

	strcpy(made.reference, request->reference);
	strcpy(made.voice, request->voice);
	strcpy(made.text, request->text);
	for (i = 0; i < SESSION_PARTIES; i++) {
		strcpy(made.parties[i].role, request->parties[i].role);
		session_person(
		    person[i], mask->keys, request->parties[i].phone);
	}
	if ((rc = session_check_mode(&made, made.voice, "voice", fault)) !=
		RC_OK ||
	    (rc = session_check_mode(&made, made.text, "text", fault)) !=
		RC_OK ||
	    (rc = free_reference(
		 mask, service_id, request->reference, fault)) != RC_OK)
		return rc;

	wish = (struct number_wish){ .service_id = service_id,
		.persons = { person[0], person[1] },
		.country = request->country,
		.number = request->number,
		.avoid_last = service.sticky == 0,
		.reuse_before = reuse_before(mask, &service),
		.now = made.created_at };
	rc = number_take(mask->db, numbers, &wish);
	if (rc == RC_POOL)
		return refuse_for_pool(mask, service_id, request, fault);
	if (rc != RC_OK)
		return rc;

	id_make(made.id, "ses", mask->now_ms);
	made.expires_at =
	    made.created_at +
	    (request->ttl_s != 0 ? request->ttl_s : service.ttl_default_s);
	for (i = 0; i < SESSION_PARTIES; i++) {
		id_make(made.parties[i].id, "pty", mask->now_ms);
		strcpy(made.parties[i].number, numbers[i]);
	}
	if ((rc = session_insert(
		 mask->db, mask->keys, service_id, &made, request)) != RC_OK)
		return rc;
	for (i = 0; i < SESSION_PARTIES && rc == RC_OK; i++)
		rc = claim_leg(
		    mask, &service, &made, &made.parties[i], person[1 - i]);
	if (rc == RC_OK)
		rc = tell(mask, service_id, EVENT_SESSION_OPENED, made.id, NULL,
		    NULL);
	if (rc == RC_OK)
		rc = warn_of_pool(mask, &wish);
	if (rc == RC_OK)
		*session = made;
	return rc;
}

/* Lets a closed session go on until linger_until, or, if that is not ahead,
 * connect nobody from now on. */
static enum rc
end_legs(const struct mask *mask, const struct service *service,
    const struct session *session)
{
	int64_t end = session->linger_until > now_s(mask)
			  ? session->linger_until
			  : now_s(mask);

	return leg_move(
	    mask->db, session->id, end, end + service->hold_s, now_s(mask));
}

/* Closes a session; its calls go on. */
static enum rc
close_session(const struct mask *mask, const char *service_id, const char *id,
    const struct session_closing *closing, struct session *session,
    struct fault *fault)
{
	struct service service;
	enum session_status status;
	enum rc rc;

	if ((rc = service_find(mask->db, &service, service_id)) != RC_OK ||
	    (rc = session_find(mask->db, service_id, session, id)) != RC_OK ||
	    (rc = check_ttl(&service, closing->linger_s, "linger", fault)) !=
		RC_OK)
		return rc;
	if (closing->voice[0] != '\0') {
		rc =
		    session_check_mode(session, closing->voice, "voice", fault);
		if (rc != RC_OK)
			return rc;
	}

	status = session_status(session, now_s(mask));
	if (status == SESSION_EXPIRED && session->closed_at == 0) {
		session->closed_at = session->expires_at;
		session->closed_by_expiry = true;
		return mask_expire(mask, service_id, id, session->closed_at);
	}
	if (status == SESSION_CLOSED || status == SESSION_EXPIRED ||
	    (status == SESSION_LINGERING && closing->linger_s != 0))
		return RC_OK;

	if (status == SESSION_OPEN) {
		session->closed_at = now_s(mask);
		rc = session_close(
		    mask->db, service_id, id, session->closed_at, false);
		if (rc != RC_OK)
			return rc;
	}
	session->linger_until =
	    closing->linger_s != 0 ? now_s(mask) + closing->linger_s : 0;
	if (closing->voice[0] != '\0')
		strcpy(session->voice, closing->voice);
	if ((rc = session_linger(mask->db, service_id, session)) != RC_OK ||
	    (rc = end_legs(mask, &service, session)) != RC_OK)
		return rc;
	return tell(mask, service_id, EVENT_SESSION_CLOSED, id, NULL,
	    session->linger_until != 0 ? "lingering" : NULL);
}

enum rc
mask_close(const struct mask *mask, const char *service_id, const char *id,
    const struct session_closing *closing, struct session *session,
    struct fault *fault)
{
	enum rc rc;

	rc = close_session(mask, service_id, id, closing, session, fault);
	if (rc != RC_OK || !closing->end_calls)
		return rc;
	return mask_hang_up_all(mask, id);
}

/* Puts the person behind phone in the place of the party at position. */
static enum rc
replace_party(const struct mask *mask, const struct service *service,
    struct session *session, int position, const char *phone)
{
	struct session_party old = session->parties[position], made = old;
	const struct session_party *other = &session->parties[1 - position];
	char numbers[2][PHONE_SIZE];
	int64_t now = now_s(mask);
	enum rc rc;

	session_person(made.person, mask->keys, phone);
	id_make(made.id, "pty", mask->now_ms);
	made.disputed = false;

	/* The old one is cut off first: one person may come for itself. */
	rc = leg_end_party(mask->db, old.id, now, now + service->hold_s);
	if (rc != RC_OK)
		return rc;
	/* The same number if it is free for the new one, else any other. */
	strcpy(made.number, other->number);
	rc = number_free(mask->db, service->id, made.number, made.person,
	    other->person, now);
	if (rc == RC_POOL) {
		rc = number_take(mask->db, numbers,
		    &(struct number_wish){ .service_id = service->id,
			.persons = { made.person, made.person },
			.country = "",
			.number = "",
			.avoid_last = true,
			.reuse_before = reuse_before(mask, service),
			.now = now });
		if (rc == RC_OK)
			strcpy(made.number, numbers[0]);
	}
	if (rc != RC_OK)
		return rc;
	if ((rc = session_replace(mask->db, mask->keys, session, position,
		 &made, phone, now)) != RC_OK ||
	    (rc = claim_leg(mask, service, session, &made, other->person)) !=
		RC_OK ||
	    (rc = leg_set_peer(mask->db, other->id, made.person)) != RC_OK)
		return rc;
	session->parties[position] = made;
	return RC_OK;
}

/* Replaces the parties that a change names. */
static enum rc
replace_parties(const struct mask *mask, const struct service *service,
    const struct session_change *change, struct session *session,
    struct fault *fault)
{
	uint8_t person[CRYPTO_HASH_SIZE];
	char field[32];
	enum rc rc;
	int i, position;

	for (i = 0; i < SESSION_PARTIES; i++) {
		const char *phone = change->parties[i].phone;

		if (change->parties[i].role[0] == '\0')
			continue;
		position = strcmp(change->parties[i].role,
			       session->parties[0].role) == 0
			       ? 0
			       : 1;
		rc = check_phone(mask, service, phone, i, fault);
		if (rc != RC_OK)
			return rc;
		session_person(person, mask->keys, phone);
		snprintf(field, sizeof field, "parties[%d].phone", i);
		if (memcmp(person, session->parties[1 - position].person,
			sizeof person) == 0)
			return rc_fault(fault, RC_SAME_PARTY, field,
			    "must differ from the other party's");
		if (memcmp(person, session->parties[position].person,
			sizeof person) == 0)
			continue;
		rc = replace_party(mask, service, session, position, phone);
		if (rc == RC_POOL)
			return rc_fault(fault, RC_POOL, field,
			    "has a leg on every masked number");
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

enum rc
mask_change(const struct mask *mask, const char *service_id, const char *id,
    const struct session_change *change, struct session *session,
    struct fault *fault)
{
	struct session changed;
	struct service service;
	int64_t now = now_s(mask), expires_at;
	enum rc rc;

	if ((rc = service_find(mask->db, &service, service_id)) != RC_OK ||
	    (rc = session_find(mask->db, service_id, &changed, id)) != RC_OK)
		return rc;
	if (session_status(&changed, now) != SESSION_OPEN)
		return rc_fault(
		    fault, RC_ENDED, "", "only an open session can be changed");
	rc = check_ttl(&service, change->ttl_s, "ttl", fault);
	if (rc != RC_OK)
		return rc;
	expires_at = changed.expires_at;
	if (change->ttl_s != 0)
		expires_at = now + change->ttl_s;
	if (change->expires_at != 0)
		expires_at = change->expires_at;
	if ((rc = session_check_change(&changed, change, fault)) != RC_OK)
		return rc;
	if (expires_at <= now)
		return rc_fault(fault, RC_INVALID, "expires_at",
		    "must lie ahead; to end a session, close it");
	if (expires_at != changed.expires_at &&
	    (rc = check_ttl(&service, expires_at - now,
		 change->ttl_s != 0 ? "ttl" : "expires_at", fault)) != RC_OK)
		return rc;

	changed.expires_at = expires_at;
	if (change->voice[0] != '\0')
		strcpy(changed.voice, change->voice);
	if (change->text[0] != '\0')
		strcpy(changed.text, change->text);
	if ((rc = session_update(mask->db, service_id, &changed, now)) !=
		RC_OK ||
	    (rc = leg_move(mask->db, id, expires_at,
		 expires_at + service.hold_s, now)) != RC_OK ||
	    (rc = replace_parties(mask, &service, change, &changed, fault)) !=
		RC_OK ||
	    (rc = tell(mask, service_id, EVENT_SESSION_UPDATED, id, NULL,
		 NULL)) != RC_OK) {
		/* Of a change that is refused nothing may stand. */
		db_undo(mask->db);
		return rc;
	}
	*session = changed;
	return RC_OK;
}

/* What is read, for the read transaction that does it. */
struct reading {
	const struct mask *mask;
	const char *service_id, *id;
	struct mask_history *history;
};

static void
add_call(void *cookie, const struct call_summary *call)
{
	struct mask_history *history = cookie;

	if (history->calls_len < MASK_HISTORY_MAX)
		history->calls[history->calls_len++] = *call;
}

static void
add_message(void *cookie, const struct message *message)
{
	struct mask_history *history = cookie;

	if (history->messages_len < MASK_HISTORY_MAX)
		history->messages[history->messages_len++] = *message;
}

static enum rc
read_history(struct db *db, void *cookie)
{
	const struct reading *r = cookie;
	struct mask_history *history = r->history;
	enum rc rc;

	if ((rc = session_find(db, r->service_id, &history->session, r->id)) !=
		RC_OK ||
	    (rc = call_list(db, r->id, MASK_HISTORY_MAX, add_call, history)) !=
		RC_OK ||
	    (rc = message_list(
		 db, r->id, MASK_HISTORY_MAX, add_message, history)) != RC_OK)
		return rc;
	return recording_list(db, r->id, history->recordings, MASK_HISTORY_MAX,
	    &history->recordings_len);
}

enum rc
mask_history(const struct mask *mask, const char *service_id, const char *id,
    struct mask_history *history)
{
	struct reading reading = { mask, service_id, id, history };

	*history = (struct mask_history){ .calls_len = 0 };
	return db_snapshot(mask->db, read_history, &reading);
}

enum rc
mask_announce(const struct mask *mask, const char *service_id, const char *id,
    const char *role, int64_t *expires_at, struct fault *fault)
{
	const struct session_party *party;
	struct session session;
	struct service service;
	int64_t now = now_s(mask);
	enum session_status status;
	enum rc rc;

	if ((rc = service_find(mask->db, &service, service_id)) != RC_OK ||
	    (rc = session_find(mask->db, service_id, &session, id)) != RC_OK)
		return rc;
	if (service.intents == 0)
		return rc_fault(fault, RC_OFF, "",
		    "intents are off; see callmask service set intents=1");
	status = session_status(&session, now);
	if (status != SESSION_OPEN && status != SESSION_LINGERING)
		return rc_fault(fault, RC_ENDED, "", "the session is over");
	if ((party = session_party(&session, role)) == NULL)
		return rc_fault(fault, RC_INVALID, "role",
		    "is the role of none of the parties");
	*expires_at = now + INTENT_LIFE_S;
	return intent_put(mask->db, party->id, party->number, now);
}
