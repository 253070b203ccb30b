/* What the service does with texts: relays or refuses, sends the app's, keeps
 * account of what became of them. */

#include "mask.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "event.h"
#include "leg.h"
#include "number.h"
#include "outbox.h"
#include "redact.h"
#include "say.h"
#include "service.h"

#define MINUTE_S 60
#define HOUR_S 3600
/* Texts of one person that are relayed in a minute: more than anybody types,
 * few enough that a phone gone wild does no great harm. */
#define TEXTS_PER_MINUTE 30
/* Why a text of the app goes out. */
#define FROM_APP "from_app"

static int64_t
now_s(const struct mask *mask)
{
	return mask->now_ms / 1000;
}

/* Appends an event about a text. */
static enum rc
tell(const struct mask *mask, const struct message *message,
    enum event_type type, const char *detail)
{
	return event_put(mask->db,
	    &(struct event){ .service_id = message->service_id,
		.type = type,
		.session_id = message->session_id,
		.subject_id = message->id,
		.detail = detail },
	    mask->now_ms);
}

/* What is found out about a text on the way to its decision. */
struct inquiry {
	struct service service;
	struct policy_facts facts;
	struct leg_route leg; /* of the sender, if facts.leg says so */
};

/* Stores whether the service may text the peer of a leg, and the real number,
 * "" if it is erased. */
static enum rc
find_peer(const struct mask *mask, const struct leg_route *leg,
    const struct service *service, char phone[PHONE_SIZE],
    struct policy_facts *facts)
{
	enum rc rc = RC_OK;

	phone[0] = '\0';
	if (leg->peer_sealed_len != 0)
		rc = session_unseal(phone, mask->keys, leg->peer_id,
		    leg->peer_sealed, leg->peer_sealed_len);
	if (rc == RC_OK &&
	    service_allows(service, phone_country(phone)) != RC_OK)
		facts->limit = POLICY_LIMIT_COUNTRY;
	return rc;
}

/* Takes the facts from the sender's leg. */
static enum rc
find_facts(const struct mask *mask, const struct mask_texted *texted,
    struct inquiry *inquiry)
{
	const struct leg_route *leg = &inquiry->leg;
	char phone[PHONE_SIZE];
	int64_t count;
	enum rc rc;

	leg_state(leg, leg->text, now_s(mask), &inquiry->facts);
	rc = find_peer(mask, leg, &inquiry->service, phone, &inquiry->facts);
	crypto_wipe(phone, sizeof phone);
	if (rc != RC_OK)
		return rc;
	rc = message_count_relayed(mask->db, &count, leg->party_id,
	    now_s(mask) - MINUTE_S, texted->sid);
	if (rc == RC_OK && count >= TEXTS_PER_MINUTE)
		inquiry->facts.limit = POLICY_LIMIT_PERSON;
	return rc;
}

/* Finds out who texted whom. */
static enum rc
inquire(const struct mask *mask, const struct mask_texted *texted,
    struct inquiry *inquiry)
{
	uint8_t person[CRYPTO_HASH_SIZE];
	struct number number;
	enum rc rc;

	*inquiry = (struct inquiry){ .facts = { .caller = phone_caller(
						    texted->from) } };
	rc = number_find(mask->db, &number, texted->to);
	if (rc != RC_OK)
		return rc == RC_NOT_FOUND ? RC_OK : rc;
	rc = service_find(mask->db, &inquiry->service, number.service_id);
	if (rc != RC_OK)
		return rc;
	inquiry->facts.number_in_use = strcmp(number.state, "retired") != 0;
	if (inquiry->facts.caller != PHONE_CALLER_NUMBER)
		return RC_OK;
	session_person(person, mask->keys, texted->from);
	rc = leg_route(mask->db, &inquiry->leg, texted->to, person);
	if (rc == RC_OK)
		rc = find_facts(mask, texted, inquiry);
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* Takes what must not be passed on out of a text; body then holds it. Media
 * that are not seen or heard, contact cards above all, go as well. */
static enum rc
clean(const struct mask_texted *texted, struct message_content *content,
    struct buf *body)
{
	const struct message_content *all = &texted->content;
	enum rc rc;
	int i;

	if ((rc = redact(body, all->body)) != RC_OK)
		return rc;
	content->media_len = 0;
	for (i = 0; i < all->media_len; i++)
		if (strncmp(texted->types[i], "image/", 6) == 0 ||
		    strncmp(texted->types[i], "audio/", 6) == 0 ||
		    strncmp(texted->types[i], "video/", 6) == 0)
			content->media[content->media_len++] = all->media[i];
	if (content->media_len < all->media_len &&
	    body->len + sizeof " " REDACT_MARK <= MESSAGE_CHARS_MAX)
		buf_puts(body, body->len != 0 ? " " REDACT_MARK : REDACT_MARK);
	content->body = buf_text(body);
	return buf_ok(body) ? RC_OK : RC_MEMORY;
}

/* Writes down a text that is relayed, and lets it out: to each receiver one
 * after another. */
static enum rc
put_out(const struct mask *mask, struct message *message,
    const struct message_content *content)
{
	enum rc rc;

	message->status = MESSAGE_WAITING;
	message->media = content->media_len;
	rc = message_insert(
	    mask->db, mask->keys, message, content, mask->now_ms);
	if (rc != RC_OK)
		return rc;
	return outbox_put(mask->db,
	    &(struct outbox_item){ .service_id = message->service_id,
		.kind = OUTBOX_MESSAGE,
		.subject_id = message->id,
		.lane = message->to_party },
	    mask->now_ms);
}

static enum rc
relay(const struct mask *mask, const struct mask_texted *texted,
    const struct service *service, struct message *message)
{
	struct message_content content = texted->content;
	struct buf body;
	enum rc rc = RC_OK;

	buf_init(&body, 0);
	if (service->redact != 0)
		rc = clean(texted, &content, &body);
	if (rc == RC_OK)
		rc = put_out(mask, message, &content);
	if (rc == RC_OK)
		rc = tell(mask, message, EVENT_MESSAGE_RELAYED, NULL);
	if (body.data != NULL)
		crypto_wipe(body.data, body.size);
	buf_free(&body);
	return rc;
}

/* Decides about a text we have not heard of, and writes it down. */
static enum rc
take(const struct mask *mask, const struct mask_texted *texted,
    struct message *message)
{
	enum policy_reason reason;
	struct inquiry inquiry;
	enum rc rc;

	if ((rc = inquire(mask, texted, &inquiry)) != RC_OK)
		return rc;
	reason = policy_decide_text(&inquiry.facts);
	*message = (struct message){ .status = MESSAGE_REFUSED,
		.media = texted->content.media_len };
	snprintf(message->sid, sizeof message->sid, "%s", texted->sid);
	snprintf(message->reason, sizeof message->reason, "%s",
	    policy_reason_name(reason));
	strcpy(message->service_id, inquiry.service.id);
	if (message->service_id[0] != '\0')
		snprintf(
		    message->number, sizeof message->number, "%s", texted->to);
	if (inquiry.facts.leg != POLICY_LEG_NONE) {
		strcpy(message->session_id, inquiry.leg.session_id);
		strcpy(message->from_party, inquiry.leg.party_id);
	}
	if (reason == POLICY_RELAYED) {
		strcpy(message->to_party, inquiry.leg.peer_id);
		return relay(mask, texted, &inquiry.service, message);
	}
	rc = message_insert(mask->db, mask->keys, message, NULL, mask->now_ms);
	if (rc != RC_OK)
		return rc;
	metrics_refuse(mask->metrics, METRICS_TEXT, reason);
	if (message->service_id[0] == '\0')
		return RC_OK;
	return tell(mask, message, EVENT_MESSAGE_REFUSED, message->reason);
}

/* Returns what is answered to a text that was refused for a reason. */
static const char *
sentence(const char *reason, const char *language)
{
	int i;

	for (i = 0; i < POLICY__MAX; i++)
		if (strcmp(reason, policy_reason_name((enum policy_reason)i)) ==
		    0)
			return say_text((enum policy_reason)i, language);
	return "";
}

/* Chooses what is answered: nothing to strangers, and not to every text of
 * somebody whose phone may answer by itself. */
static enum rc
choose_answer(
    const struct mask *mask, const struct message *message, const char **answer)
{
	struct service service;
	int64_t count;
	enum rc rc;

	*answer = "";
	if (message->status != MESSAGE_REFUSED ||
	    message->from_party[0] == '\0')
		return RC_OK;
	rc = message_count_refused(
	    mask->db, &count, message, now_s(mask) - HOUR_S);
	if (rc != RC_OK || count != 0)
		return rc;
	rc = service_find(mask->db, &service, message->service_id);
	if (rc == RC_OK)
		*answer = sentence(message->reason, service.language);
	return rc;
}

enum rc
mask_relay(const struct mask *mask, const struct mask_texted *texted,
    const char **answer)
{
	struct message message;
	enum rc rc;

	rc = message_find_sid(mask->db, &message, texted->sid);
	if (rc == RC_NOT_FOUND)
		rc = take(mask, texted, &message);
	return rc == RC_OK ? choose_answer(mask, &message, answer) : rc;
}

/* Whether a note is for this party; an empty wish or "both" is for all. */
static bool
is_for(const struct mask_note *note, const struct session_party *party)
{
	return note->to[0] == '\0' || strcmp(note->to, "both") == 0 ||
	       strcmp(note->to, party->role) == 0;
}

enum rc
mask_send(const struct mask *mask, const char *service_id, const char *id,
    const struct mask_note *note, struct message out[SESSION_PARTIES], int *len,
    struct fault *fault)
{
	enum session_status status;
	struct session session;
	int i, made = 0;
	enum rc rc;

	rc = session_find(mask->db, service_id, &session, id);
	if (rc != RC_OK)
		return rc;
	status = session_status(&session, now_s(mask));
	if (status != SESSION_OPEN && status != SESSION_LINGERING)
		return rc_fault(fault, RC_ENDED, "", "the session is over");
	for (i = 0; i < SESSION_PARTIES; i++) {
		const struct session_party *party = &session.parties[i];

		if (!is_for(note, party))
			continue;
		if (party->disputed)
			return rc_fault(fault, RC_INVALID, "to",
			    "is a party whose phone is said to be another's");
		out[made] = (struct message){ .reason = FROM_APP };
		strcpy(out[made].service_id, service_id);
		strcpy(out[made].session_id, id);
		strcpy(out[made].to_party, party->id);
		strcpy(out[made++].to, party->role);
	}
	if (made == 0)
		return rc_fault(fault, RC_INVALID, "to",
		    "must be both or the role of one of the parties");
	for (i = 0; i < made; i++)
		if ((rc = put_out(mask, &out[i],
			 &(struct message_content){ .body = note->body })) !=
		    RC_OK)
			return rc;
	*len = made;
	return RC_OK;
}

/* Reads the leg whose peer is the receiver of a text, if nobody took their
 * place: the sender's, or for the app's the other party's. */
static enum rc
find_leg(const struct mask *mask, const struct message *message,
    struct leg_route *leg)
{
	enum rc rc;

	if (message->from_party[0] != '\0')
		return leg_route_party(mask->db, leg, message->from_party);
	rc = leg_route_party(mask->db, leg, message->to_party);
	return rc == RC_OK ? leg_route_party(mask->db, leg, leg->peer_id) : rc;
}

enum rc
mask_errand(const struct mask *mask, const struct message *message,
    struct mask_errand *errand)
{
	struct policy_facts facts = { .number_in_use = true,
		.caller = PHONE_CALLER_NUMBER };
	struct service service;
	struct leg_route leg;
	enum rc rc;

	*errand = (struct mask_errand){ .reason = POLICY_SESSION_IS_CLOSED };
	if ((rc = service_find(mask->db, &service, message->service_id)) ==
	    RC_OK)
		rc = find_leg(mask, message, &leg);
	if (rc != RC_OK)
		return rc == RC_NOT_FOUND ? RC_OK : rc;
	if (strcmp(leg.peer_id, message->to_party) != 0) {
		errand->reason = POLICY_PARTY_REPLACED;
		return RC_OK;
	}
	if (message->from_party[0] != '\0') {
		leg_state(&leg, leg.text, now_s(mask), &facts);
	} else {
		/* What the app wrote before it closed the session still goes.
		 */
		facts.leg = POLICY_LEG_LIVE;
		facts.session = POLICY_SESSION_OPEN;
		facts.disputed = leg.peer_disputed;
		facts.may_call = true;
	}
	rc = find_peer(mask, &leg, &service, errand->to, &facts);
	if (rc != RC_OK || errand->to[0] == '\0')
		return rc;
	strcpy(errand->from, leg.peer_number);
	errand->reason = policy_decide_text(&facts);
	return RC_OK;
}

/* Applies a state to a text, and tells the app of a final one; why: of a
 * failure of which there is no ErrorCode. */
static enum rc
move(const struct mask *mask, struct message *message,
    enum message_status status, int64_t error, const char *why)
{
	char code[24];
	bool moved;
	enum rc rc;

	moved = message_apply(message, status, error, now_s(mask));
	if ((rc = message_update(mask->db, message)) != RC_OK || !moved ||
	    !message_is_final(status))
		return rc;
	if (status == MESSAGE_DELIVERED)
		return tell(mask, message, EVENT_MESSAGE_DELIVERED, NULL);
	snprintf(code, sizeof code, "%" PRId64, error);
	return tell(
	    mask, message, EVENT_MESSAGE_FAILED, error != 0 ? code : why);
}

/* Forgets what was written, unless the service keeps it. */
static enum rc
forget(const struct mask *mask, const struct message *message)
{
	struct service service;
	enum rc rc;

	rc = service_find(mask->db, &service, message->service_id);
	if (rc == RC_OK && service.keep_texts_days == 0)
		rc = message_wipe(mask->db, message->id);
	return rc;
}

/* Notes that Twilio has a text, as sid. */
static void
note_sent(const struct mask *mask, struct message *message, const char *sid)
{
	if (message->sent_sid[0] == '\0')
		snprintf(
		    message->sent_sid, sizeof message->sent_sid, "%s", sid);
	if (message->sent_at == 0)
		message->sent_at = now_s(mask);
}

enum rc
mask_sent(const struct mask *mask, struct message *message, const char *sid,
    enum message_status status)
{
	enum rc rc;

	note_sent(mask, message, sid);
	rc = move(mask, message, status, 0, message_status_name(status));
	return rc == RC_OK ? forget(mask, message) : rc;
}

enum rc
mask_unsent(const struct mask *mask, struct message *message, int64_t error,
    const char *why)
{
	enum rc rc;

	rc = move(mask, message, MESSAGE_FAILED, error, why);
	return rc == RC_OK ? forget(mask, message) : rc;
}

enum rc
mask_report_text(const struct mask *mask, const char *id, const char *sid,
    enum message_status status, int64_t error)
{
	struct message message;
	enum rc rc;

	rc = message_find(mask->db, &message, id);
	if (rc != RC_OK)
		return rc == RC_NOT_FOUND ? RC_NONE : rc;
	/* A report may be faster than the answer that tells the sid. */
	if (message.status == MESSAGE_REFUSED ||
	    (message.sent_sid[0] != '\0' && strcmp(message.sent_sid, sid) != 0))
		return RC_NONE;
	note_sent(mask, &message, sid);
	return move(mask, &message, status, error, message_status_name(status));
}
