/*
 * POST /twilio/message/status/{id}: Twilio reports what became of a text that
 * we sent. The same report may come twice, late, or after the next one; a
 * report about a text we do not know is answered like any other.
 */

#include "serve.h"

static enum rc
take_report(struct exchange *x)
{
	const char *sid = form_get(&x->form, "MessageSid");
	enum message_status status;
	int64_t error;
	enum rc rc;

	if (!message_sid_valid(sid))
		return rc_fault(
		    &x->fault, RC_INVALID, "MessageSid", "is not a MessageSid");
	if (message_parse_status(
		&status, form_get(&x->form, "MessageStatus")) != RC_OK)
		return rc_fault(&x->fault, RC_INVALID, "MessageStatus",
		    "is not a status we know");
	if (form_count(&x->form, "ErrorCode", &error) != RC_OK)
		return rc_fault(
		    &x->fault, RC_INVALID, "ErrorCode", "is not a number");
	rc = mask_report_text(
	    &x->mask, x->id, sid, status, error > 0 ? error : 0);
	return serve_report(x, rc, "status of unknown text", sid);
}

static const struct endpoint endpoints[] = {
	{ .method = "POST",
	    .path = "/twilio/message/status/{id}",
	    .allow = "POST",
	    .auth = SERVE_TWILIO,
	    .type = "application/x-www-form-urlencoded",
	    .body_max = 65536,
	    .write = true,
	    .act = take_report },
	{ .method = NULL },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "message-status", endpoints);
}
