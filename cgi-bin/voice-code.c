/*
 * POST /twilio/voice/code: a caller we do not know has typed a code. The one
 * it means is connected like any other; a code that means nobody is asked for
 * again while tries are left.
 */

#include "voice.h"

/* A code to be tried. */
struct trial {
	const struct mask *mask;
	const struct mask_dialled *dialled;
	struct mask_route *route;
};

/* Tries the code; the note of a failure stands or there is no answer. */
static enum rc
try_code(struct db *db, void *cookie)
{
	const struct trial *t = cookie;

	(void)db;
	return mask_route_code(t->mask, t->dialled, t->route);
}

static enum rc
answer_code(struct exchange *x)
{
	struct mask_dialled dialled;
	struct mask_route route;
	struct trial trial = { &x->mask, &dialled, &route };
	enum rc rc;

	if ((rc = voice_read(x, &dialled)) != RC_OK)
		return rc;
	dialled.code = form_get(&x->form, "Digits");
	if (dialled.code[0] == '\0')
		return rc_fault(&x->fault, RC_INVALID, "Digits", "is missing");
	rc = db_transact(x->app->db, DB_WAIT_MS, try_code, &trial);
	if (rc != RC_OK)
		return rc;
	if ((rc = voice_write(x, &route, true)) == RC_OK &&
	    route.decision.action != POLICY_ASK)
		voice_record(x, &dialled, &route);
	crypto_wipe(&route, sizeof route);
	return rc;
}

static const struct endpoint endpoints[] = {
	{ .method = "POST",
	    .path = "/twilio/voice/code",
	    .allow = "POST",
	    .auth = SERVE_TWILIO,
	    .sorry = SERVE_APOLOGY,
	    .type = "application/x-www-form-urlencoded",
	    .body_max = 65536,
	    .act = answer_code },
	{ .method = NULL },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "voice-code", endpoints);
}
