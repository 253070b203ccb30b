/* What the programs that answer calls share. */

#include "voice.h"

#include <stdio.h>
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
write_dial(
    struct buf *out, const struct app *app, const struct mask_route *route)
{
	char action[400], status[400], screen[400], recording[400];

	serve_url(app, "/twilio/voice/ended", action, sizeof action);
	serve_url(app, "/twilio/status", status, sizeof status);
	serve_url(app, "/twilio/voice/screen", screen, sizeof screen);
	serve_url(app, "/twilio/recording", recording, sizeof recording);
	return twiml_dial(out,
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
voice_twiml(struct buf *out, const struct app *app,
    const struct mask_route *route, bool again)
{
	char code[400];

	switch (route->decision.action) {
	case POLICY_CONNECT:
	case POLICY_FORWARD:
		return write_dial(out, app, route);
	case POLICY_ASK:
		serve_url(app, "/twilio/voice/code", code, sizeof code);
		return twiml_gather(
		    out, &(struct twiml_gather){
			     .sentence = say(SAY_ASK_CODE, route->language),
			     .language = voice_tag(route->language),
			     .digits = CODE_SIZE - 1,
			     .action_url = code,
			     .missed = say_reason(
				 route->decision.reason, route->language) });
	default:
		/* One sentence for all that a code can be refused for. */
		return twiml_say(out,
		    again ? say(SAY_NO_CODE, route->language)
			  : say_reason(route->decision.reason, route->language),
		    voice_tag(route->language));
	}
}

enum rc
voice_write(struct exchange *x, const struct mask_route *route, bool again)
{
	x->answer.type = TWIML_TYPE;
	return voice_twiml(&x->answer.body, x->app, route, again);
}

void
voice_place(struct mask_route *route)
{
	/* Nobody knows why their phone rang until they are told. */
	if (route->decision.action == POLICY_CONNECT &&
	    route->announcement[0] == '\0')
		snprintf(route->announcement, sizeof route->announcement, "%s",
		    say(SAY_CONNECTING, route->language));
}

/* Appends the question whether somebody takes the call. announcement: said
 * first, NULL for nothing. */
static enum rc
ask_to_accept(struct buf *out, const struct app *app,
    const struct service *service, const char *announcement, const char *path)
{
	char action[400];

	serve_url(app, path, action, sizeof action);
	return twiml_gather(
	    out, &(struct twiml_gather){ .announcement = announcement,
		     .sentence = say(SAY_SCREEN, service->language),
		     .language = voice_tag(service->language),
		     .digits = 1,
		     .action_url = action,
		     .missed = NULL });
}

enum rc
voice_screen(
    struct buf *out, const struct app *app, const struct service *service)
{
	const char *announcement = service->announce_callee;

	if (service->screening == 0)
		return twiml_announce(
		    out, announcement, voice_tag(service->language));
	return ask_to_accept(out, app, service,
	    announcement[0] != '\0' ? announcement : NULL,
	    "/twilio/voice/screened");
}

enum rc
voice_screen_first(struct buf *out, const struct app *app,
    const struct service *service, const char *path)
{
	return ask_to_accept(out, app, service, NULL, path);
}

/* Somebody says to be another. */
struct dispute {
	struct exchange *x;
	const char *number;
};

static enum rc
dispute(struct db *db, void *cookie)
{
	const struct dispute *d = cookie;

	(void)db;
	return mask_dispute(
	    &d->x->mask, d->number, form_get(&d->x->form, "To"));
}

enum rc
voice_decline(struct exchange *x, const char *number)
{
	struct service service;
	enum rc rc;

	x->answer.type = TWIML_TYPE;
	if (strcmp(form_get(&x->form, "Digits"), "9") != 0)
		return twiml_hangup(&x->answer.body);
	rc = db_transact(
	    x->app->db, DB_WAIT_MS, dispute, &(struct dispute){ x, number });
	if (rc != RC_OK && rc != RC_NOT_FOUND)
		return rc;
	if (rc == RC_NOT_FOUND)
		log_warn("webhook_unknown", "wrong person on an unknown leg");
	if ((rc = mask_service(&x->mask, number, &service)) != RC_OK)
		return rc;
	return twiml_say(&x->answer.body, say(SAY_THANKS, service.language),
	    voice_tag(service.language));
}

enum rc
voice_ended(struct buf *out, enum call_status status, const char *language)
{
	enum say_sentence sentence;

	switch (status) {
	case CALL_BUSY:
		sentence = SAY_BUSY;
		break;
	case CALL_NO_ANSWER:
		sentence = SAY_NO_ANSWER;
		break;
	case CALL_FAILED:
		sentence = SAY_FAILED;
		break;
	default:
		return twiml_hangup(out);
	}
	return twiml_say(out, say(sentence, language), voice_tag(language));
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
