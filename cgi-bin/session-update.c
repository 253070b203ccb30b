/*
 * PATCH /v1/sessions/{id}: moves the end of an open session, says who may
 * call and text, puts another person in the place of a party.
 */

#include "serve.h"
#include "view.h"

static enum rc
read_request(struct exchange *x)
{
	return view_read_change(
	    &x->in.change, buf_text(&x->body), x->body.len, &x->fault);
}

static enum rc
change_session(struct exchange *x)
{
	struct session session;
	enum rc rc;

	rc = mask_change(&x->mask, x->key.service_id, x->id, &x->in.change,
	    &session, &x->fault);
	if (rc != RC_OK)
		return rc;
	x->answer.type = VIEW_JSON;
	return view_session(&x->answer.body, &session, x->mask.now_ms / 1000);
}

static const struct endpoint endpoints[] = {
	{ .method = "PATCH",
	    .path = "/v1/sessions/{id}",
	    .allow = "GET, HEAD, PATCH",
	    .auth = SERVE_KEY,
	    .type = "application/json",
	    .body_max = 16384,
	    .write = true,
	    .read = read_request,
	    .act = change_session },
	{ .method = NULL },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "session-update", endpoints);
}
