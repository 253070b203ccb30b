/*
 * Masked numbers that are looked up at Twilio, and set there as they must be.
 *
 * To set one is two requests: what the first one finds is kept with the number
 * until the second. Both may be repeated. Whatever goes wrong, it is looked up
 * again first.
 */

#include "deliver.h"

#include <stdio.h>
#include <string.h>

#include "number.h"
#include "twilio_number.h"

/* How long we go on trying, seconds: somebody waits for it. */
#define TRY_S 600

static enum rc
prepare(const struct deliver *deliver, struct deliver_job *job)
{
	const struct outbox_delivery *delivery = &job->delivery;
	struct twilio_number is, wanted;
	struct number number;
	enum rc rc;

	rc = number_read(deliver->mask.db, &number, delivery->service_id,
	    delivery->subject_id, deliver->mask.now_ms / 1000);
	if (rc != RC_OK)
		return rc == RC_NOT_FOUND ? RC_NONE : rc;
	twilio_number_wanted(&wanted, deliver->conf);
	twilio_number_bend(
	    &is, &wanted, number.twilio.sid, number.twilio.differs);
	job->look = delivery->kind != OUTBOX_NUMBER_SET ||
		    !twilio_number_set(&job->rest, deliver->conf,
			deliver->secrets, &is, &wanted, false);
	if (job->look)
		twilio_number_find(
		    &job->rest, deliver->conf, deliver->secrets, number.number);
	return twilio_rest_end(&job->rest);
}

/* Writes down what was found. */
static enum rc
note(const struct deliver *deliver, const struct deliver_job *job,
    const char *state, struct number_twilio *found)
{
	snprintf(found->state, sizeof found->state, "%s", state);
	found->checked_at = deliver->mask.now_ms / 1000;
	return number_note_twilio(deliver->mask.db, job->delivery.service_id,
	    job->delivery.subject_id, found);
}

/* Not now: says why, and tries again if that may help. */
static enum rc
conclude_failed(const struct deliver *deliver, const struct deliver_job *job,
    const struct http_answer *answer, struct outbox_result *result)
{
	struct number_twilio found = { .detail = "" };
	enum twilio_verdict verdict;
	struct twilio_reply reply;

	verdict = twilio_rest_verdict(answer, &reply);
	if (verdict == TWILIO_YES)
		result->error = "not a list of numbers";
	else if (answer->status != 0)
		result->error = twilio_rest_refusal(
		    result->words, sizeof result->words, answer, &reply);
	snprintf(found.detail, sizeof found.detail, "%s: %s",
	    answer->status == 0 ? "no answer from Twilio"
	    : job->look         ? "Twilio did not tell"
				: "Twilio did not set it",
	    result->error);
	if (verdict == TWILIO_NO)
		result->verdict = OUTBOX_PARK;
	else
		deliver_later(deliver, job, result, TRY_S);
	return note(deliver, job, "failed", &found);
}

/* The number among those of an answer. */
struct search {
	const char *number;
	struct twilio_number found; /* number "": it is not there */
};

static void
try_number(void *cookie, const struct twilio_number *number)
{
	struct search *search = cookie;

	if (strcmp(number->number, search->number) == 0)
		search->found = *number;
}

static enum rc
conclude(const struct deliver *deliver, const struct deliver_job *job,
    const struct http_answer *answer, struct outbox_result *result)
{
	struct search search = { .number = job->delivery.subject_id };
	struct number_twilio found = { .detail = "" };
	char next[TWILIO_NUMBER_NEXT_SIZE];
	struct twilio_number wanted;
	struct twilio_reply reply;
	bool right;

	if (answer == NULL)
		return RC_OK;
	if (twilio_rest_verdict(answer, &reply) != TWILIO_YES ||
	    twilio_number_read(deliver->conf, deliver->secrets, answer->body,
		answer->body_len, try_number, &search, next) != RC_OK)
		return conclude_failed(deliver, job, answer, result);
	if (search.found.number[0] == '\0') {
		strcpy(found.detail, NUMBER_MISSING);
		return note(deliver, job, "missing", &found);
	}
	twilio_number_wanted(&wanted, deliver->conf);
	right = twilio_number_words(
	    &search.found, &wanted, found.detail, sizeof found.detail);
	strcpy(found.sid, search.found.sid);
	if (job->look && job->delivery.kind == OUTBOX_NUMBER_SET)
		found.differs = twilio_number_differs(&search.found, &wanted);
	if (found.differs != 0)
		result->verdict = OUTBOX_AGAIN;
	return note(deliver, job, right ? "right" : "wrong", &found);
}

const struct deliver_kind deliver_number = {
	.prepare = prepare,
	.conclude = conclude,
};
