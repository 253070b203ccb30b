/*
 * POST /twilio/message: a text came to a masked number. It is taken to be
 * relayed, or refused; a party who is refused is told why, once. Twilio says
 * the same text again if our answer was lost.
 */

#include <stdio.h>

#include "serve.h"
#include "twiml.h"
#include "utf8.h"

/* Reads the media of a text into *texted. */
static enum rc
read_media(struct exchange *x, struct mask_texted *texted)
{
	struct message_content *content = &texted->content;
	char field[32];
	const char *url;
	int64_t count;

	if (form_count(&x->form, "NumMedia", &count) != RC_OK)
		return rc_fault(
		    &x->fault, RC_INVALID, "NumMedia", "is not a count");
	for (; content->media_len < count &&
	       content->media_len < MESSAGE_MEDIA_MAX;
	     content->media_len++) {
		snprintf(field, sizeof field, "MediaUrl%d", content->media_len);
		url = form_get(&x->form, field);
		if (!message_url_valid(url))
			return rc_fault(
			    &x->fault, RC_INVALID, field, "is not a URL");
		content->media[content->media_len] = url;
		snprintf(field, sizeof field, "MediaContentType%d",
		    content->media_len);
		texted->types[content->media_len] = form_get(&x->form, field);
	}
	return RC_OK;
}

/* Reads the form into *texted. */
static enum rc
read_text(struct exchange *x, struct mask_texted *texted)
{
	size_t chars = 0, len;
	const char *p;

	*texted = (struct mask_texted){
		.sid = form_get(&x->form, "MessageSid"),
		.from = form_get(&x->form, "From"),
		.to = form_get(&x->form, "To"),
		.content = { .body = form_get(&x->form, "Body") },
	};
	if (!message_sid_valid(texted->sid))
		return rc_fault(
		    &x->fault, RC_INVALID, "MessageSid", "is not a MessageSid");
	for (p = texted->content.body; (len = utf8_next(p)) != 0; p += len)
		chars++;
	if (chars > MESSAGE_CHARS_MAX)
		return rc_fault(&x->fault, RC_INVALID, "Body",
		    "must be at most %d characters", MESSAGE_CHARS_MAX);
	return read_media(x, texted);
}

static enum rc
take_text(struct exchange *x)
{
	struct mask_texted texted;
	const char *answer;
	enum rc rc;

	if ((rc = read_text(x, &texted)) != RC_OK ||
	    (rc = mask_relay(&x->mask, &texted, &answer)) != RC_OK)
		return rc;
	x->answer.type = TWIML_TYPE;
	return twiml_message(&x->answer.body, answer);
}

static const struct endpoint endpoints[] = {
	{ .method = "POST",
	    .path = "/twilio/message",
	    .allow = "POST",
	    .auth = SERVE_TWILIO,
	    .type = "application/x-www-form-urlencoded",
	    .body_max = 65536,
	    .write = true,
	    .act = take_text },
	{ .method = NULL },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "message-inbound", endpoints);
}
