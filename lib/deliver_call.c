/*
 * Calls to be placed, and calls to be ended, by Twilio's REST API.
 *
 * A call that was placed twice would ring a phone twice, and Twilio knows no
 * idempotency key. So where an answer was lost we look before we repeat: for
 * a call between the same two numbers, made since, that is none of ours yet.
 */

#include "deliver.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* How long the first phone rings, and what the call may last longer than the
 * talk itself: the announcement, and the other phone ringing; seconds. */
#define RING_S 30
#define EXTRA_S 60
/* How far Twilio's clock may be behind ours, seconds. */
#define SKEW_S 60
/* How long we go on trying to end a call, seconds: its limit ends it too. */
#define HANG_UP_S 3600
/* No such call, or it is over (docs:api/errors). */
#define ERROR_NOT_IN_PROGRESS 21220

/* Appends a URL of ours with the call's id at its end. */
static void
add_url(const struct deliver *deliver, struct twilio_rest *rest,
    const char *name, const char *path, const char *id)
{
	char whole[128], url[400];

	snprintf(whole, sizeof whole, "%s%s", path, id);
	conf_url(deliver->conf, whole, url, sizeof url);
	twilio_rest_field(rest, name, url);
}

/* Makes the request that places the call. */
static enum rc
make_call(const struct deliver *deliver, struct deliver_job *job,
    const struct mask_placing *placing)
{
	static const char *const events[] = { "initiated", "ringing",
		"answered", "completed" };
	const char *id = placing->call.id;
	struct twilio_rest *rest = &job->rest;
	char limit[24];
	size_t i;

	twilio_rest_begin(
	    rest, deliver->conf, deliver->secrets, "POST", "Calls.json");
	twilio_rest_field(rest, "To", placing->phone);
	twilio_rest_field(rest, "From", placing->call.number);
	add_url(deliver, rest, "Url", "/twilio/voice/placed/", id);
	twilio_rest_field(rest, "Method", "POST");
	add_url(deliver, rest, "StatusCallback", "/twilio/status/", id);
	twilio_rest_field(rest, "StatusCallbackMethod", "POST");
	for (i = 0; i < sizeof events / sizeof events[0]; i++)
		twilio_rest_field(rest, "StatusCallbackEvent", events[i]);
	snprintf(limit, sizeof limit, "%d", RING_S);
	twilio_rest_field(rest, "Timeout", limit);
	snprintf(
	    limit, sizeof limit, "%" PRId64, placing->route.limit_s + EXTRA_S);
	twilio_rest_field(rest, "TimeLimit", limit);
	return twilio_rest_end(rest);
}

/* Makes the request that looks for the call. Not by StartTime: a call that
 * waits in Twilio's queue has none. */
static enum rc
make_look(const struct deliver *deliver, struct deliver_job *job,
    const struct mask_placing *placing)
{
	struct twilio_rest *rest = &job->rest;

	twilio_rest_begin(
	    rest, deliver->conf, deliver->secrets, "GET", "Calls.json");
	twilio_rest_field(rest, "To", placing->phone);
	twilio_rest_field(rest, "From", placing->call.number);
	twilio_rest_field(rest, "PageSize", "50");
	job->look = true;
	return twilio_rest_end(rest);
}

static enum rc
prepare_call(const struct deliver *deliver, struct deliver_job *job)
{
	struct mask_placing placing;
	enum rc rc;

	rc = mask_placing(&deliver->mask, job->delivery.subject_id, &placing);
	if (rc == RC_NOT_FOUND || (rc == RC_OK && placing.state == MASK_KNOWN))
		rc = RC_NONE;
	else if (rc == RC_OK && job->delivery.doubt)
		rc = make_look(deliver, job, &placing);
	else if (rc == RC_OK)
		rc = placing.state == MASK_PLACE
			 ? make_call(deliver, job, &placing)
			 : RC_NONE;
	crypto_wipe(&placing, sizeof placing);
	return rc;
}

/* It need not be sent: writes down why. */
static enum rc
conclude_unsent(const struct deliver *deliver, const struct deliver_job *job,
    struct outbox_result *result)
{
	struct mask_placing placing;
	enum rc rc;

	rc = mask_placing(&deliver->mask, job->delivery.subject_id, &placing);
	if (rc == RC_OK && placing.state == MASK_PLACE)
		result->verdict = OUTBOX_AGAIN; /* it changed meanwhile */
	else if (rc == RC_OK && placing.state >= MASK_LATE)
		rc = mask_drop(&deliver->mask, &placing);
	crypto_wipe(&placing, sizeof placing);
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* A call of ours that is looked for. */
struct search {
	const struct mask *mask;
	int64_t since; /* epoch seconds */
	char sid[TWILIO_SID_SIZE];
	enum rc rc;
};

static void
try_item(void *cookie, const struct twilio_item *item)
{
	struct search *search = cookie;
	struct call known;

	if (search->rc != RC_NOT_FOUND || !call_sid_valid(item->sid) ||
	    strcmp(item->direction, "outbound-api") != 0 ||
	    item->created_at < search->since)
		return;
	if ((search->rc = call_find(search->mask->db, &known, item->sid)) ==
	    RC_NOT_FOUND) {
		snprintf(search->sid, sizeof search->sid, "%s", item->sid);
		search->rc = RC_NONE;
	} else if (search->rc == RC_OK) {
		search->rc = RC_NOT_FOUND;
	}
}

/* What was found decides whether it is placed anew. */
static enum rc
conclude_look(const struct deliver *deliver, const struct deliver_job *job,
    const struct http_answer *answer, struct outbox_result *result)
{
	struct search search = { .mask = &deliver->mask,
		.since = job->delivery.created_ms / 1000 - SKEW_S,
		.rc = RC_NOT_FOUND };
	struct call call;
	enum rc rc;

	rc = call_find_id(deliver->mask.db, &call, job->delivery.subject_id);
	if (rc != RC_OK || call.sid[0] != '\0')
		return rc == RC_NOT_FOUND ? RC_OK : rc;
	if (twilio_rest_list(answer, "calls", try_item, &search) != RC_OK) {
		result->doubt = true;
		deliver_later(deliver, job, result, MASK_PLACE_S);
		return RC_OK;
	}
	if (search.rc == RC_NOT_FOUND) {
		result->verdict = OUTBOX_AGAIN;
		return RC_OK;
	}
	if (search.rc != RC_NONE)
		return search.rc;
	rc = mask_learn(&deliver->mask, call.id, search.sid, &call);
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
conclude_call(const struct deliver *deliver, const struct deliver_job *job,
    const struct http_answer *answer, struct outbox_result *result)
{
	const char *id = job->delivery.subject_id;
	enum twilio_verdict verdict;
	struct twilio_reply reply;
	struct call call;
	enum rc rc;

	if (answer == NULL)
		return conclude_unsent(deliver, job, result);
	verdict = twilio_rest_verdict(answer, &reply);
	if (job->look && verdict == TWILIO_YES)
		return conclude_look(deliver, job, answer, result);
	if (!job->look && verdict == TWILIO_YES && call_sid_valid(reply.sid)) {
		rc = mask_learn(&deliver->mask, id, reply.sid, &call);
		return rc == RC_NONE ? RC_OK : rc;
	}
	if (verdict == TWILIO_NO)
		result->error = twilio_rest_refusal(
		    result->words, sizeof result->words, answer, &reply);
	if (!job->look && verdict == TWILIO_NO)
		return mask_fail(&deliver->mask, id);
	result->doubt = job->look || verdict != TWILIO_BUSY;
	deliver_later(deliver, job, result, MASK_PLACE_S);
	return RC_OK;
}

static enum rc
give_up_call(const struct deliver *deliver, const struct deliver_job *job)
{
	return mask_fail(&deliver->mask, job->delivery.subject_id);
}

static enum rc
prepare_hang_up(const struct deliver *deliver, struct deliver_job *job)
{
	const char *subject = job->delivery.subject_id;
	struct call call = { .sid = "" };
	char path[64];
	enum rc rc = RC_OK;

	if (call_sid_valid(subject))
		memcpy(call.sid, subject, sizeof call.sid);
	else
		rc = call_find_id(deliver->mask.db, &call, subject);
	/* It was never placed: its placing is over, by the lane. */
	if (rc == RC_NOT_FOUND || (rc == RC_OK && call.sid[0] == '\0'))
		return RC_NONE;
	if (rc != RC_OK)
		return rc;
	snprintf(path, sizeof path, "Calls/%s.json", call.sid);
	twilio_rest_begin(
	    &job->rest, deliver->conf, deliver->secrets, "POST", path);
	twilio_rest_field(&job->rest, "Status", "completed");
	return twilio_rest_end(&job->rest);
}

static enum rc
conclude_hang_up(const struct deliver *deliver, const struct deliver_job *job,
    const struct http_answer *answer, struct outbox_result *result)
{
	enum twilio_verdict verdict = TWILIO_YES;
	struct twilio_reply reply;

	if (answer != NULL)
		verdict = twilio_rest_verdict(answer, &reply);
	if (verdict == TWILIO_YES)
		return RC_OK;
	if (verdict != TWILIO_NO) {
		deliver_later(deliver, job, result, HANG_UP_S);
		return RC_OK;
	}
	result->error = twilio_rest_refusal(
	    result->words, sizeof result->words, answer, &reply);
	if (answer->status != 404 && reply.code != ERROR_NOT_IN_PROGRESS)
		result->verdict = OUTBOX_PARK;
	return RC_OK;
}

const struct deliver_kind deliver_call = {
	.prepare = prepare_call,
	.conclude = conclude_call,
	.give_up = give_up_call,
};

const struct deliver_kind deliver_hang_up = {
	.prepare = prepare_hang_up,
	.conclude = conclude_hang_up,
};
