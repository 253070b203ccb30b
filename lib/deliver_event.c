/* Events to the app: signed requests by the Standard Webhooks convention. */

#include "deliver.h"

#include <inttypes.h>
#include <stdio.h>

#include "event.h"
#include "hook.h"
#include "log.h"
#include "view.h"

/*
 * Writes the headers of an event for job->rest.body. Each time anew: the
 * timestamp is that of the try, and a secret may have come or gone.
 */
static enum rc
make_headers(const struct deliver *deliver, struct deliver_job *job)
{
	const struct mask *mask = &deliver->mask;
	struct hook_secret secrets[HOOK_SECRETS_MAX] = { { .id = "" } };
	struct http_request *http = &job->rest.http;
	const struct hook_message message = { .id = job->delivery.subject_id,
		.timestamp = mask->now_ms / 1000,
		.body = job->rest.body.data,
		.body_len = job->rest.body.len };
	char signature[HOOK_SIGNATURE_SIZE];
	int len;
	enum rc rc;

	rc = hook_list(mask->db, mask->keys, job->delivery.service_id,
	    message.timestamp, secrets, &len);
	if (rc == RC_OK && len == 0) {
		log_error("webhook_secret_missing",
		    "service %s: run callmask webhook rotate",
		    job->delivery.service_id);
		rc = RC_CORRUPT;
	}
	if (rc == RC_OK)
		rc = hook_sign(signature, secrets, len, &message);
	crypto_wipe(secrets, sizeof secrets);
	if (rc != RC_OK)
		return rc;
	snprintf(job->headers[0], sizeof job->headers[0], "webhook-id: %s",
	    message.id);
	snprintf(job->headers[1], sizeof job->headers[1],
	    "webhook-timestamp: %" PRId64, message.timestamp);
	snprintf(job->headers[2], sizeof job->headers[2],
	    "webhook-signature: %s", signature);
	http->headers[0] = "Content-Type: " VIEW_JSON;
	http->headers[1] = job->headers[0];
	http->headers[2] = job->headers[1];
	http->headers[3] = job->headers[2];
	return RC_OK;
}

static enum rc
prepare(const struct deliver *deliver, struct deliver_job *job)
{
	struct twilio_rest *rest = &job->rest;
	struct db *db = deliver->mask.db;
	struct event_record event;
	struct service service;
	enum rc rc;

	*rest = (struct twilio_rest){ .url = "" };
	buf_init(&rest->body, 0);
	if ((rc = service_find(db, &service, job->delivery.service_id)) ==
	    RC_OK)
		rc = event_find(db, &event, job->delivery.subject_id);
	/* It may be past its time of keeping, or not wanted any more. */
	if (rc == RC_NOT_FOUND || (rc == RC_OK && service.webhook_url[0] == 0))
		return RC_NONE;
	if (rc != RC_OK || (rc = view_event(&rest->body, &event)) != RC_OK ||
	    (rc = make_headers(deliver, job)) != RC_OK)
		return rc;
	snprintf(rest->url, sizeof rest->url, "%s", service.webhook_url);
	rest->http.method = "POST";
	rest->http.url = rest->url;
	rest->http.body = rest->body.data;
	rest->http.body_len = rest->body.len;
	rest->http.foreign = true;
	return RC_OK;
}

/*
 * Any 2xx is taken as received, and all else is tried again by the schedule:
 * a receiver that refuses today may be mended tomorrow. But 410 says that it
 * wants none of this any more.
 */
static enum rc
conclude(const struct deliver *deliver, const struct deliver_job *job,
    const struct http_answer *answer, struct outbox_result *result)
{
	int status = answer != NULL ? answer->status : 204;

	(void)deliver;
	if (status >= 200 && status < 300)
		return RC_OK;
	result->verdict = OUTBOX_RETRY;
	if (status == 410) {
		result->verdict = OUTBOX_PARK;
		result->error = "the receiver is gone for good";
		log_warn("webhook_gone",
		    "service %s: the receiver answers 410; take webhook-url "
		    "away or mend it",
		    job->delivery.service_id);
	} else if (status >= 300 && status < 400) {
		result->error = "redirects are not followed";
	}
	return RC_OK;
}

const struct deliver_kind deliver_event = {
	.prepare = prepare,
	.conclude = conclude,
};
