/* What the programs that answer calls share. */

#include "voice.h"

#include <string.h>

#include "log.h"
#include "say.h"
#include "twiml.h"

enum rc
voice_read(struct exchange *x, struct mask_dialled *dialled)
{
	*dialled = (struct mask_dialled){
		.sid = form_get(&x->form, "CallSid"),
		.from = form_get(&x->form, "From"),
		.to = form_get(&x->form, "To"),
		.attestation = form_get(&x->form, "StirVerstat"),
		.code = "",
	};
	if (!call_sid_valid(dialled->sid))
		return rc_fault(
		    &x->fault, RC_INVALID, "CallSid", "is not a CallSid");
	return RC_OK;
}

void
voice_leg(const struct exchange *x, const char **number, const char **person)
{
	const char *from = form_get(&x->form, "From");
	const char *to = form_get(&x->form, "To");
	bool made =
	    form_get(&x->form, "ParentCallSid")[0] != '\0' ||
	    strncmp(form_get(&x->form, "Direction"), "outbound", 8) == 0;

	*number = made ? from : to;
	*person = made ? to : from;
}

const char *
voice_tag(const char *language)
{
	const char *tag = say_tag(language);

	return tag != NULL ? tag : say_tag("en");
}

/* Appends the TwiML that rings somebody. */
static enum rc
write_dial(struct exchange *x, const struct mask_route *route)
{
	char action[400], status[400], screen[400], recording[400];

	serve_url(x->app, "/twilio/voice/ended", action, sizeof action);
	serve_url(x->app, "/twilio/status", status, sizeof status);
	serve_url(x->app, "/twilio/voice/screen", screen, sizeof screen);
	serve_url(x->app, "/twilio/recording", recording, sizeof recording);
	return twiml_dial(&x->answer.body,
	    &(struct twiml_dial){ .to = route->to,
		.caller_id = route->caller_id,
		.limit_s = (int)route->limit_s,
		.action_url = action,
		.status_url = status,
		.screen_url = route->screen ? screen : NULL,
		.record_url = route->record ? recording : NULL,
		.announcement =
		    route->announcement[0] != '\0' ? route->announcement : NULL,
		.language = voice_tag(route->language) });
}

enum rc
voice_write(struct exchange *x, const struct mask_route *route, bool again)
{
	char code[400];

	x->answer.type = TWIML_TYPE;
	switch (route->decision.action) {
	case POLICY_CONNECT:
	case POLICY_FORWARD:
		return write_dial(x, route);
	case POLICY_ASK:
		serve_url(x->app, "/twilio/voice/code", code, sizeof code);
		return twiml_gather(&x->answer.body,
		    &(struct twiml_gather){
			.sentence = say(SAY_ASK_CODE, route->language),
			.language = voice_tag(route->language),
			.digits = CODE_SIZE - 1,
			.action_url = code,
			.missed = say_reason(
			    route->decision.reason, route->language) });
	default:
		/* One sentence for all that a code can be refused for. */
		return twiml_say(&x->answer.body,
		    again ? say(SAY_NO_CODE, route->language)
			  : say_reason(route->decision.reason, route->language),
		    voice_tag(route->language));
	}
}

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

void
voice_count(const struct app *app, struct policy_decision decision)
{
	metrics_count(app->metrics, decision.action == POLICY_CONNECT
					? METRICS_CALLS_CONNECTED
					: METRICS_CALLS_REFUSED);
	if (decision.action == POLICY_REFUSE)
		metrics_refuse(app->metrics, METRICS_CALL, decision.reason);
}

void
voice_record(struct exchange *x, const struct mask_dialled *dialled,
    const struct mask_route *route)
{
	struct record r = { &x->mask, dialled, route };
	enum rc rc;

	rc = app_record(x->app, VOICE_RECORD_WAIT_MS, record, &r);
	if (rc != RC_OK) {
		log_error("call_unrecorded", "call %s (%s): %s", dialled->sid,
		    policy_reason_name(route->decision.reason), rc_name(rc));
		metrics_count(x->app->metrics, METRICS_CALLS_UNRECORDED);
	}
	voice_count(x->app, route->decision);
}
