/*
 * POST /twilio/voice/screen: the callee has answered, and hears before being
 * connected what the service announces, what the call is and which key accepts
 * it, so that a voicemail box never answers as the person.
 * POST /twilio/voice/screened: the key. 1 connects; 9 says that this is not
 * the phone of the person the call is for, and cuts it off for good.
 */

#include <string.h>

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

static enum rc
take_key(struct exchange *x)
{
	if (strcmp(form_get(&x->form, "Digits"), "1") != 0)
		return voice_decline(x, masked_number(x));
	x->answer.type = TWIML_TYPE;
	return twiml_nothing(&x->answer.body);
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
