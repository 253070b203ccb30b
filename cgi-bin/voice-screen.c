/*
 * POST /twilio/voice/screen: the callee has answered, and hears before being
 * connected what the service announces, what the call is and which key accepts
 * it, so that a voicemail box never answers as the person.
 * POST /twilio/voice/screened: the key. 1 connects; 9 says that this is not
 * the phone of the person the call is for, and cuts it off for good.
 */

#include <string.h>

#include "log.h"
#include "say.h"
#include "twiml.h"
#include "voice.h"

/* The callee's leg comes from the masked number. */
static const char *
masked_number(const struct exchange *x)
{
	return form_get(&x->form, "From");
}

static enum rc
ask(struct exchange *x)
{
	struct service service;
	enum rc rc;

	rc = mask_service(&x->mask, masked_number(x), &service);
	if (rc != RC_OK)
		return rc;
	x->answer.type = TWIML_TYPE;
	return voice_screen(&x->answer.body, x->app, &service);
}

/* Somebody says to be another. */
static enum rc
dispute(struct db *db, void *cookie)
{
	struct exchange *x = cookie;

	(void)db;
	return mask_dispute(
	    &x->mask, masked_number(x), form_get(&x->form, "To"));
}

static enum rc
take_key(struct exchange *x)
{
	const char *key = form_get(&x->form, "Digits");
	struct service service;
	enum rc rc;

	x->answer.type = TWIML_TYPE;
	if (strcmp(key, "1") == 0)
		return twiml_nothing(&x->answer.body);
	if (strcmp(key, "9") != 0)
		return twiml_hangup(&x->answer.body);
	rc = db_transact(x->app->db, DB_WAIT_MS, dispute, x);
	if (rc != RC_OK && rc != RC_NOT_FOUND)
		return rc;
	if (rc == RC_NOT_FOUND)
		log_warn("webhook_unknown", "wrong person on an unknown leg");
	rc = mask_service(&x->mask, masked_number(x), &service);
	if (rc != RC_OK)
		return rc;
	return twiml_say(&x->answer.body, say(SAY_THANKS, service.language),
	    voice_tag(service.language));
}

static const struct endpoint endpoints[] = {
	{ .method = "POST",
	    .path = "/twilio/voice/screen",
	    .allow = "POST",
	    .auth = SERVE_TWILIO,
	    .sorry = SERVE_APOLOGY,
	    .type = "application/x-www-form-urlencoded",
	    .body_max = 65536,
	    .act = ask },
	{ .method = "POST",
	    .path = "/twilio/voice/screened",
	    .allow = "POST",
	    .auth = SERVE_TWILIO,
	    .sorry = SERVE_APOLOGY,
	    .type = "application/x-www-form-urlencoded",
	    .body_max = 65536,
	    .act = take_key },
	{ .method = NULL },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "voice-screen", endpoints);
}
