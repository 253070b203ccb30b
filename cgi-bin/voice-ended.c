/*
 * POST /twilio/voice/ended: the callee's phone was rung or talked to, and
 * Twilio asks what to do with the caller now (the Dial's action). Writes down
 * how it ended; a caller who reached nobody hears why.
 */

#include "log.h"
#include "twiml.h"
#include "voice.h"

#define WAIT_MS 1000

/* Both legs end: the callee's as Twilio says, the caller's by our hangup. */
struct ending {
	const struct mask *mask;
	struct mask_report callee;
	struct mask_report caller;
};

static enum rc
record(struct db *db, void *cookie)
{
	const struct ending *ending = cookie;
	enum rc rc = RC_OK;

	(void)db;
	if (ending->callee.sid[0] != '\0')
		rc = mask_report(ending->mask, &ending->callee);
	if (!rc_final(rc))
		return rc;
	return mask_report(ending->mask, &ending->caller);
}

/* Appends what a caller to a masked number hears who reached nobody, else just
 * hangs up. */
static enum rc
write_twiml(struct exchange *x, enum call_status status, const char *number)
{
	struct service service = { .language = "en" };
	enum rc rc;

	x->answer.type = TWIML_TYPE;
	rc = mask_service(&x->mask, number, &service);
	if (rc != RC_OK && rc != RC_NOT_FOUND)
		return rc;
	return voice_ended(&x->answer.body, status, service.language);
}

static enum rc
end_call(struct exchange *x)
{
	const char *sid = form_get(&x->form, "CallSid");
	const char *dial_sid = form_get(&x->form, "DialCallSid");
	enum call_status status;
	struct ending ending = {
		.mask = &x->mask,
		.caller = { .sid = sid,
		    .parent_sid = "",
		    .progress = { .status = CALL_COMPLETED,
			.sequence = -1,
			.at = x->mask.now_ms / 1000,
			.duration_s = -1 } },
	};
	enum rc rc;

	if (!call_sid_valid(sid))
		return rc_fault(
		    &x->fault, RC_INVALID, "CallSid", "is not a CallSid");
	if (call_parse_status(&status, form_get(&x->form, "DialCallStatus")) !=
		RC_OK ||
	    !call_is_final(status))
		return rc_fault(&x->fault, RC_INVALID, "DialCallStatus",
		    "is not a final status");
	voice_leg(x, &ending.caller.number, &ending.caller.person);
	ending.callee = ending.caller;
	ending.callee.parent_sid = sid;
	ending.callee.sid = call_sid_valid(dial_sid) ? dial_sid : "";
	ending.callee.person = "";
	ending.callee.progress.status = status;
	ending.callee.progress.at = 0; /* its own report tells when */
	if (form_count(&x->form, "DialCallDuration",
		&ending.callee.progress.duration_s) != RC_OK)
		return rc_fault(&x->fault, RC_INVALID, "DialCallDuration",
		    "is not a count");

	rc = app_record(x->app, WAIT_MS, record, &ending);
	if (!rc_final(rc)) {
		log_error("call_unrecorded", "end of %s: %s", sid, rc_name(rc));
		metrics_count(x->app->metrics, METRICS_CALLS_UNRECORDED);
	} else if (rc == RC_NONE) {
		log_warn("webhook_unknown", "end of unknown call %s", sid);
		metrics_count(x->app->metrics, METRICS_WEBHOOKS_UNKNOWN);
	}
	return write_twiml(x, status, ending.caller.number);
}

static const struct endpoint endpoints[] = {
	{ .method = "POST",
	    .path = "/twilio/voice/ended",
	    .allow = "POST",
	    .auth = SERVE_TWILIO,
	    .sorry = SERVE_APOLOGY,
	    .type = "application/x-www-form-urlencoded",
	    .body_max = 65536,
	    .act = end_call },
	{ .method = NULL },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "voice-ended", endpoints);
}
