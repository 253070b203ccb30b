/*
 * POST /twilio/voice/placed/{id}: somebody has answered a call that the app
 * had placed to them. Decides anew whether they are connected to the other
 * party, and rings that one. Not connected without being written down: another
 * leg that was placed for the same call must not be connected as well.
 */

#include "voice.h"

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

static enum rc
answer_placed(struct exchange *x)
{
	struct mask_route route;
	struct answering answering = { .mask = &x->mask,
		.id = x->id,
		.sid = form_get(&x->form, "CallSid"),
		.route = &route };
	enum rc rc;

	if (!id_valid(x->id, "cal"))
		return RC_PATH;
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

static const struct endpoint endpoints[] = {
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
