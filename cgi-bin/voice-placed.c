/*
 * POST /twilio/voice/placed/{id}: somebody has answered a call that the app
 * had placed to them. Decides anew whether they are connected to the other
 * party, and rings that one. Not connected without being written down: another
 * leg that was placed for the same call must not be connected as well.
 * A service that screens has them asked first whether they take it, or the
 * other party would be put through to a voicemail box.
 * POST /twilio/voice/placed/{id}/accepted: the key, as in voice-screen.c.
 */

#include "voice.h"

#include <stdio.h>
#include <string.h>

#include "log.h"
#include "say.h"
#include "twiml.h"

/* A placed call to be decided. */
struct answering {
	const struct mask *mask;
	const char *id, *sid;
	struct mask_route *route;
};

static enum rc
decide(struct db *db, void *cookie)
{
	const struct answering *a = cookie;

	(void)db;
	return mask_answer(a->mask, a->id, a->sid, a->route);
}

/* Appends the TwiML for what was decided. */
static enum rc
write_twiml(struct exchange *x, struct mask_route *route)
{
	voice_count(x->app, route->decision);
	voice_place(route);
	return voice_write(x, route, false);
}

/* Decides and answers. */
static enum rc
connect_placed(struct exchange *x)
{
	struct mask_route route;
	struct answering answering = { .mask = &x->mask,
		.id = x->id,
		.sid = form_get(&x->form, "CallSid"),
		.route = &route };
	enum rc rc;

	if (!call_sid_valid(answering.sid))
		return rc_fault(
		    &x->fault, RC_INVALID, "CallSid", "is not a CallSid");
	rc = app_record(x->app, VOICE_RECORD_WAIT_MS, decide, &answering);
	if (rc == RC_OK) {
		rc = write_twiml(x, &route);
	} else if (rc == RC_NONE) {
		log_info("call_over", "answered too late: %s", answering.sid);
		x->answer.type = TWIML_TYPE;
		rc = twiml_say(&x->answer.body, say(SAY_FAILED, route.language),
		    voice_tag(route.language));
	}
	crypto_wipe(&route, sizeof route);
	return rc;
}

static enum rc
answer_placed(struct exchange *x)
{
	struct service service;
	char path[64];
	enum rc rc;

	if (!id_valid(x->id, "cal"))
		return RC_PATH;
	/* Our number shows on the leg. */
	rc = mask_service(&x->mask, form_get(&x->form, "From"), &service);
	if (rc != RC_OK && rc != RC_NOT_FOUND)
		return rc;
	if (rc == RC_NOT_FOUND || service.screening == 0)
		return connect_placed(x);
	snprintf(path, sizeof path, "/twilio/voice/placed/%s/accepted", x->id);
	x->answer.type = TWIML_TYPE;
	return voice_screen_first(&x->answer.body, x->app, &service, path);
}

static enum rc
take_key(struct exchange *x)
{
	if (!id_valid(x->id, "cal"))
		return RC_PATH;
	return strcmp(form_get(&x->form, "Digits"), "1") == 0
		   ? connect_placed(x)
		   : voice_decline(x, form_get(&x->form, "From"));
}

static const struct endpoint endpoints[] = {
	{ .method = "POST",
	    .path = "/twilio/voice/placed/{id}/accepted",
	    .allow = "POST",
	    .auth = SERVE_TWILIO,
	    .sorry = SERVE_APOLOGY,
	    .type = "application/x-www-form-urlencoded",
	    .body_max = 65536,
	    .act = take_key },
	{ .method = "POST",
	    .path = "/twilio/voice/placed/{id}",
	    .allow = "POST",
	    .auth = SERVE_TWILIO,
	    .sorry = SERVE_APOLOGY,
	    .type = "application/x-www-form-urlencoded",
	    .body_max = 65536,
	    .act = answer_placed },
	{ .method = NULL },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "voice-placed", endpoints);
}
