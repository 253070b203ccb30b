/*
 * POST /v1/sessions/{id}/close: ends a session. From that second its masked
 * number connects neither of the two, or, with "linger", goes on for a while
 * for lost property. Closing it again changes nothing.
 */

#include "serve.h"
#include "view.h"

static enum rc
read_request(struct exchange *x)
{
	return view_read_closing(
	    &x->in.closing, buf_text(&x->body), x->body.len, &x->fault);
}

static enum rc
close_session(struct exchange *x)
{
	struct session session;
	enum rc rc;

	rc = mask_close(&x->mask, x->key.service_id, x->id, &x->in.closing,
	    &session, &x->fault);
	if (rc != RC_OK)
		return rc;
	x->answer.type = VIEW_JSON;
	return view_session(&x->answer.body, &session, x->mask.now_ms / 1000);
}

static const struct endpoint endpoints[] = {
	{ .method = "POST",
	    .path = "/v1/sessions/{id}/close",
	    .allow = "POST",
	    .auth = SERVE_KEY,
	    .type = "application/json",
	    .body_max = 4096,
	    .write = true,
	    .read = read_request,
	    .act = close_session },
	{ .method = NULL },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "session-close", endpoints);
}
