/*
 * POST /v1/sessions/{id}/intents: the app says that a party who hides their
 * number is about to dial, so that the next withheld caller is taken for them.
 */

#include "serve.h"
#include "view.h"

static enum rc
read_request(struct exchange *x)
{
	return view_read_role(
	    x->in.role, buf_text(&x->body), x->body.len, &x->fault);
}

static enum rc
announce(struct exchange *x)
{
	int64_t expires_at;
	enum rc rc;

	rc = mask_announce(&x->mask, x->key.service_id, x->id, x->in.role,
	    &expires_at, &x->fault);
	if (rc != RC_OK)
		return rc;
	x->answer.status = 201;
	x->answer.type = VIEW_JSON;
	return view_intent(&x->answer.body, expires_at);
}

static const struct endpoint endpoints[] = {
	{ .method = "POST",
	    .path = "/v1/sessions/{id}/intents",
	    .allow = "POST",
	    .auth = SERVE_KEY,
	    .type = "application/json",
	    .body_max = 4096,
	    .write = true,
	    .read = read_request,
	    .act = announce },
	{ .method = NULL },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "session-intent", endpoints);
}
