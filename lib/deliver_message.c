/*
 * Texts to be sent, by Twilio's REST API.
 *
 * Twilio knows no idempotency key, and nobody is to get a text twice. So where
 * an answer was lost we look before we repeat: for a message with this text
 * between the same two numbers, made since, that is none of ours yet.
 */

#include "deliver.h"

#include <stdio.h>
#include <string.h>

/* A text that is this late is of no use any more, seconds. */
#define LATE_S 3600
/* How far Twilio's clock may be behind ours, seconds. */
#define SKEW_S 60
/* Messages we look through. Between one number and one person few were sent
 * since: while one waits those behind it wait, too. */
#define LOOK_PAGE "50"

/* A text on its way: what is found out about it at each step. */
struct errand {
	struct message message;
	struct mask_errand to;
	bool late;
};

/* Finds out whether a text is still to be sent, and where. RC_NONE if Twilio
 * has it, or it is gone. */
static enum rc
find(const struct deliver *deliver, const struct deliver_job *job,
    struct errand *errand)
{
	const struct mask *mask = &deliver->mask;
	struct message *message = &errand->message;
	enum rc rc;

	rc = message_find(mask->db, message, job->delivery.subject_id);
	if (rc != RC_OK)
		return rc == RC_NOT_FOUND ? RC_NONE : rc;
	if (message->status != MESSAGE_WAITING)
		return RC_NONE;
	errand->late = mask->now_ms / 1000 - message->created_at > LATE_S;
	return mask_errand(mask, message, &errand->to);
}

/* Begins a request about messages between the two numbers. */
static void
begin(const struct deliver *deliver, struct deliver_job *job,
    const struct mask_errand *to, const char *method)
{
	struct twilio_rest *rest = &job->rest;

	twilio_rest_begin(
	    rest, deliver->conf, deliver->secrets, method, "Messages.json");
	twilio_rest_field(rest, "To", to->to);
	twilio_rest_field(rest, "From", to->from);
}

/* Makes the request that looks for the text. Not by DateSent: a message that
 * waits in Twilio's queue has none. */
static enum rc
make_look(const struct deliver *deliver, struct deliver_job *job,
    const struct mask_errand *to)
{
	begin(deliver, job, to, "GET");
	twilio_rest_field(&job->rest, "PageSize", LOOK_PAGE);
	return twilio_rest_end(&job->rest);
}

/* Makes the request that sends the text. */
static enum rc
make_message(const struct deliver *deliver, struct deliver_job *job,
    const struct errand *errand)
{
	struct message_text text = { .text = "" };
	char path[64], url[400];
	enum rc rc;
	int i;

	rc = message_read(
	    deliver->mask.db, deliver->mask.keys, &errand->message, &text);
	if (rc == RC_OK) {
		begin(deliver, job, &errand->to, "POST");
		job->rest.http.once = true;
		if (text.content.body[0] != '\0')
			twilio_rest_field(
			    &job->rest, "Body", text.content.body);
		for (i = 0; i < text.content.media_len; i++)
			twilio_rest_field(
			    &job->rest, "MediaUrl", text.content.media[i]);
		snprintf(path, sizeof path, "/twilio/message/status/%s",
		    errand->message.id);
		conf_url(deliver->conf, path, url, sizeof url);
		twilio_rest_field(&job->rest, "StatusCallback", url);
		rc = twilio_rest_end(&job->rest);
	}
	crypto_wipe(&text, sizeof text);
	return rc == RC_NOT_FOUND ? RC_CORRUPT : rc;
}

static enum rc
prepare(const struct deliver *deliver, struct deliver_job *job)
{
	struct errand errand;
	enum rc rc;

	job->look = job->delivery.doubt;
	if ((rc = find(deliver, job, &errand)) != RC_OK)
		return rc;
	if (job->look && errand.to.to[0] != '\0')
		rc = make_look(deliver, job, &errand.to);
	else if (errand.late || errand.to.reason != POLICY_RELAYED)
		rc = RC_NONE;
	else
		rc = make_message(deliver, job, &errand);
	crypto_wipe(&errand, sizeof errand);
	return rc;
}

/* It need not be sent: says why, if it never was. */
static enum rc
conclude_unsent(const struct deliver *deliver, const struct deliver_job *job,
    struct outbox_result *result)
{
	struct errand errand = { .late = false };
	enum rc rc;

	rc = find(deliver, job, &errand);
	if (rc == RC_NONE)
		/* Twilio told us before its answer could. */
		rc = errand.message.sent_sid[0] != '\0'
			 ? mask_sent(&deliver->mask, &errand.message,
			       errand.message.sent_sid, MESSAGE_QUEUED)
			 : RC_OK;
	else if (rc == RC_OK && errand.late)
		rc = mask_unsent(&deliver->mask, &errand.message, 0, "late");
	else if (rc == RC_OK && errand.to.reason != POLICY_RELAYED)
		rc = mask_unsent(&deliver->mask, &errand.message, 0,
		    policy_reason_name(errand.to.reason));
	else if (rc == RC_OK)
		result->verdict = OUTBOX_AGAIN; /* it changed meanwhile */
	crypto_wipe(&errand.to, sizeof errand.to);
	return rc;
}

/* Notes that Twilio has a text, in the state it tells. */
static enum rc
note_sent(const struct deliver *deliver, struct message *message,
    const char *sid, const char *word)
{
	enum message_status status;

	if (message_parse_status(&status, word) != RC_OK)
		status = MESSAGE_QUEUED;
	return mask_sent(
	    &deliver->mask, message, message_sid_valid(sid) ? sid : "", status);
}

/* A text of ours that is looked for. */
struct search {
	const struct mask *mask;
	int64_t since; /* epoch seconds */
	const char *body;
	char sid[MESSAGE_SID_SIZE];
	char status[20];
	enum rc rc; /* RC_NOT_FOUND until it is found */
};

static void
try_item(void *cookie, const struct twilio_item *item)
{
	struct search *search = cookie;
	char id[ID_SIZE];
	enum rc rc;

	if (search->rc != RC_NOT_FOUND || !message_sid_valid(item->sid) ||
	    strcmp(item->direction, "outbound-api") != 0 ||
	    item->created_at < search->since ||
	    strcmp(item->body, search->body) != 0)
		return;
	rc = message_find_sent(search->mask->db, id, item->sid);
	if (rc == RC_OK)
		return;
	search->rc = rc == RC_NOT_FOUND ? RC_OK : rc;
	snprintf(search->sid, sizeof search->sid, "%s", item->sid);
	snprintf(search->status, sizeof search->status, "%s", item->status);
}

/* What was found decides whether it is sent anew. */
static enum rc
conclude_look(const struct deliver *deliver, const struct deliver_job *job,
    struct message *message, const struct http_answer *answer,
    struct outbox_result *result)
{
	struct message_text text = { .text = "" };
	struct search search = { .mask = &deliver->mask,
		.since = message->created_at - SKEW_S,
		.rc = RC_NOT_FOUND };
	enum rc rc;

	rc = message_read(deliver->mask.db, deliver->mask.keys, message, &text);
	if (rc == RC_OK) {
		search.body = text.content.body;
		rc = twilio_rest_list(answer, "messages", try_item, &search);
	}
	crypto_wipe(&text, sizeof text);
	if (rc == RC_SYNTAX) {
		result->doubt = true;
		result->error = "not a list of messages";
		deliver_later(deliver, job, result, LATE_S);
		return RC_OK;
	}
	if (rc != RC_OK)
		return rc;
	if (search.rc == RC_NOT_FOUND) {
		result->verdict = OUTBOX_AGAIN;
		return RC_OK;
	}
	return search.rc == RC_OK
		   ? note_sent(deliver, message, search.sid, search.status)
		   : search.rc;
}

static enum rc
conclude(const struct deliver *deliver, const struct deliver_job *job,
    const struct http_answer *answer, struct outbox_result *result)
{
	enum twilio_verdict verdict;
	struct twilio_reply reply;
	struct message message;
	enum rc rc;

	if (answer == NULL)
		return conclude_unsent(deliver, job, result);
	rc = message_find(deliver->mask.db, &message, job->delivery.subject_id);
	if (rc != RC_OK)
		return rc == RC_NOT_FOUND ? RC_OK : rc;
	if (job->look && message.status != MESSAGE_WAITING)
		return conclude_unsent(deliver, job, result);
	verdict = twilio_rest_verdict(answer, &reply);
	if (job->look && verdict == TWILIO_YES)
		return conclude_look(deliver, job, &message, answer, result);
	if (verdict == TWILIO_YES)
		return note_sent(deliver, &message, reply.sid, reply.status);
	if (!job->look && verdict == TWILIO_NO) {
		result->error = twilio_rest_refusal(
		    result->words, sizeof result->words, answer, &reply);
		return mask_unsent(
		    &deliver->mask, &message, reply.code, "refused");
	}
	result->doubt = job->look || verdict == TWILIO_UNSURE;
	deliver_later(deliver, job, result, LATE_S);
	return RC_OK;
}

static enum rc
give_up(const struct deliver *deliver, const struct deliver_job *job)
{
	struct message message;
	enum rc rc;

	rc = message_find(deliver->mask.db, &message, job->delivery.subject_id);
	if (rc == RC_OK)
		rc = mask_unsent(&deliver->mask, &message, 0, "exhausted");
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

const struct deliver_kind deliver_message = {
	.prepare = prepare,
	.conclude = conclude,
	.give_up = give_up,
};
