/* What Twilio is to delete: records of calls and texts, and recordings. The
 * subject names it as the REST API does, like "Recordings/RE…". */

#include "deliver.h"

#include <stdio.h>

/* Twilio's error for what is not over yet: a call that is running, a text on
 * its way (docs:api/errors/20009). */
#define NOT_OVER 20009

static enum rc
prepare(const struct deliver *deliver, struct deliver_job *job)
{
	char path[OUTBOX_SUBJECT_SIZE + 8];

	snprintf(path, sizeof path, "%s.json", job->delivery.subject_id);
	twilio_rest_begin(
	    &job->rest, deliver->conf, deliver->secrets, "DELETE", path);
	return twilio_rest_end(&job->rest);
}

/* Deleting twice does no harm, so nothing is ever looked up: what is not there
 * is gone. */
static enum rc
conclude(const struct deliver *deliver, const struct deliver_job *job,
    const struct http_answer *answer, struct outbox_result *result)
{
	struct twilio_reply reply;

	switch (twilio_rest_verdict(answer, &reply)) {
	case TWILIO_YES:
		break;
	case TWILIO_NO:
		if (answer->status == 404)
			break;
		if (answer->status == 409 || reply.code == NOT_OVER) {
			result->verdict = OUTBOX_RETRY;
			result->error = "not over yet";
		} else {
			result->verdict = OUTBOX_PARK;
			result->error = "refused";
		}
		return RC_OK;
	default:
		result->verdict = OUTBOX_RETRY;
		return RC_OK;
	}
	return mask_erased(&deliver->mask, job->delivery.subject_id);
}

const struct deliver_kind deliver_erase = {
	.prepare = prepare,
	.conclude = conclude,
};
