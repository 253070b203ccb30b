/*
 * POST /twilio/voice: someone dialled a masked number, and Twilio asks what to
 * do. Connects a known person to the one they are in a session with, asks an
 * unknown one for a code, says a sentence to everyone else. What cannot be
 * decided is apologised for.
 */

#include "voice.h"

/* An intent to be taken. */
struct taking {
	const struct mask *mask;
	const struct mask_dialled *dialled;
	struct mask_route *route;
};

static enum rc
take_intent(struct db *db, void *cookie)
{
	const struct taking *t = cookie;

	(void)db;
	return mask_route_intent(t->mask, t->dialled, t->route);
}

/* Decides. A withheld caller may have been announced by the app, which is
 * settled by a write: that fails closed. */
static enum rc
decide(struct exchange *x, const struct mask_dialled *dialled,
    struct mask_route *route)
{
	struct taking taking = { &x->mask, dialled, route };
	enum rc rc;

	if ((rc = mask_route(&x->mask, dialled, route)) != RC_OK ||
	    !route->intents)
		return rc;
	return app_record(x->app, VOICE_RECORD_WAIT_MS, take_intent, &taking);
}

static enum rc
answer_call(struct exchange *x)
{
	struct mask_dialled dialled;
	struct mask_route route;
	enum rc rc;

	if ((rc = voice_read(x, &dialled)) != RC_OK ||
	    (rc = decide(x, &dialled, &route)) != RC_OK)
		return rc;
	if ((rc = voice_write(x, &route, false)) == RC_OK)
		voice_record(x, &dialled, &route);
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
