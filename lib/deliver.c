/* Deliveries: what all kinds have in common. */

#include "deliver.h"

#include "event.h"

/* Waits between tries grow by this, milliseconds. */
#define WAIT_MS 5000

static const struct deliver_kind *const kinds[OUTBOX__MAX] = {
	[OUTBOX_EVENT] = &deliver_event,
	[OUTBOX_CALL] = &deliver_call,
	[OUTBOX_HANG_UP] = &deliver_hang_up,
	[OUTBOX_MESSAGE] = &deliver_message,
	[OUTBOX_ERASE] = &deliver_erase,
	[OUTBOX_NUMBER_CHECK] = &deliver_number,
	[OUTBOX_NUMBER_SET] = &deliver_number,
};

enum rc
deliver_prepare(const struct deliver *deliver, struct deliver_job *job)
{
	job->look = false;
	return kinds[job->delivery.kind]->prepare(deliver, job);
}

/* Tells the app that something did not go out. */
static enum rc
tell_exhausted(
    const struct deliver *deliver, const struct outbox_delivery *delivery)
{
	if (delivery->kind == OUTBOX_EVENT)
		return RC_OK;
	return event_put(deliver->mask.db,
	    &(struct event){ .service_id = delivery->service_id,
		.type = EVENT_DELIVERY_EXHAUSTED,
		.subject_id = delivery->id,
		.detail = outbox_kind_name(delivery->kind) },
	    deliver->mask.now_ms);
}

enum rc
deliver_conclude(const struct deliver *deliver, const struct deliver_job *job,
    const struct http_answer *answer)
{
	const struct deliver_kind *kind = kinds[job->delivery.kind];
	struct outbox_result result = { .verdict = OUTBOX_DONE,
		.started_ms = deliver->mask.now_ms,
		.error = "not needed any more" };
	bool parked;
	enum rc rc;

	if (answer != NULL) {
		result.error = answer->error;
		result.started_ms = answer->started_ms;
		result.took_ms = answer->took_ms;
		result.status = answer->status;
		result.retry_s = answer->retry_s;
	}
	if ((rc = outbox_mine(deliver->mask.db, &job->delivery)) != RC_OK ||
	    (rc = kind->conclude(deliver, job, answer, &result)) != RC_OK ||
	    (rc = outbox_finish(deliver->mask.db, &job->delivery, &result,
		 deliver->mask.now_ms, &parked)) != RC_OK ||
	    !parked)
		return rc;
	metrics_count(deliver->mask.metrics, METRICS_DELIVERIES_PARKED);
	if (kind->give_up != NULL &&
	    (rc = kind->give_up(deliver, job)) != RC_OK)
		return rc;
	return tell_exhausted(deliver, &job->delivery);
}

void
deliver_later(const struct deliver *deliver, const struct deliver_job *job,
    struct outbox_result *result, int64_t life_s)
{
	int64_t wait_ms = WAIT_MS * job->delivery.attempts;

	wait_ms += crypto_random_below((uint32_t)(wait_ms / 5) + 1);
	if (wait_ms < result->retry_s * 1000)
		wait_ms = result->retry_s * 1000;
	result->verdict = OUTBOX_RETRY;
	result->wait_ms = wait_ms;
	if (deliver->mask.now_ms + wait_ms >
	    job->delivery.created_ms + life_s * 1000)
		result->verdict = OUTBOX_PARK;
}

void
deliver_free(struct deliver_job *job)
{
	twilio_rest_free(&job->rest);
}
