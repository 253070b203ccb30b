/*
 * POST /twilio/voice: someone dialled a masked number, and Twilio asks what to
 * do. Connects a known person to the one they are in a session with; says a
 * sentence to everyone else. What cannot be decided is apologised for.
 */

#include "log.h"
#include "serve.h"
#include "twiml.h"

/* How long a caller waits for the record of their call, in milliseconds. */
#define RECORD_WAIT_MS 1000

/* What is written down about a call. */
struct record {
	const struct mask *mask;
	const struct mask_dialled *dialled;
	const struct mask_route *route;
};

static enum rc
record(struct db *db, void *cookie)
{
	const struct record *r = cookie;

	(void)db;
	return mask_record(r->mask, r->dialled, r->route);
}

/* Appends the TwiML for a decision to the answer. */
static enum rc
write_twiml(struct exchange *x, const struct mask_route *route)
{
	char action[400], status[400];

	x->answer.type = TWIML_TYPE;
	if (route->reason != POLICY_CONNECTED)
		return twiml_say(
		    &x->answer.body, policy_sentence(route->reason));
	serve_url(x->app, "/twilio/voice/ended", action, sizeof action);
	serve_url(x->app, "/twilio/status", status, sizeof status);
	return twiml_dial(
	    &x->answer.body, &(struct twiml_dial){ .to = route->to,
				 .caller_id = route->caller_id,
				 .limit_s = (int)route->limit_s,
				 .action_url = action,
				 .status_url = status });
}

static enum rc
answer_call(struct exchange *x)
{
	struct mask_dialled dialled = {
		.sid = form_get(&x->form, "CallSid"),
		.from = form_get(&x->form, "From"),
		.to = form_get(&x->form, "To"),
	};
	struct metrics *metrics = x->app->metrics;
	struct mask_route route;
	enum rc rc;

	if (!call_sid_valid(dialled.sid))
		return rc_fault(
		    &x->fault, RC_INVALID, "CallSid", "is not a CallSid");

	/* Fail closed: whom to connect is known or nobody is connected. */
	if ((rc = mask_route(&x->mask, &dialled, &route)) != RC_OK)
		return rc;
	rc = write_twiml(x, &route);

	/* Fail open: a missing record keeps nobody from talking. */
	if (rc == RC_OK &&
	    (rc = app_record(x->app, RECORD_WAIT_MS, record,
		 &(struct record){ &x->mask, &dialled, &route })) != RC_OK) {
		log_error("call_unrecorded", "call %s (%s): %s", dialled.sid,
		    policy_reason_name(route.reason), rc_name(rc));
		metrics_count(metrics, METRICS_CALLS_UNRECORDED);
		rc = RC_OK;
	}
	metrics_count(metrics, route.reason == POLICY_CONNECTED
				   ? METRICS_CALLS_CONNECTED
				   : METRICS_CALLS_REFUSED);
	crypto_wipe(&route, sizeof route);
	return rc;
}

static const struct endpoint endpoints[] = {
	{ .method = "POST",
	    .path = "/twilio/voice",
	    .allow = "POST",
	    .auth = SERVE_TWILIO,
	    .sorry = SERVE_APOLOGY,
	    .type = "application/x-www-form-urlencoded",
	    .body_max = 65536,
	    .act = answer_call },
	{ .method = NULL },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "voice-inbound", endpoints);
}
