/*
 * POST /v1/sessions: opens a session between two people and answers with the
 * masked number each of them dials and sees.
 */

#include <string.h>

#include "serve.h"
#include "view.h"

static enum rc
read_request(struct exchange *x)
{
	enum rc rc;

	rc = view_read_session(
	    &x->in.session, buf_text(&x->body), x->body.len, &x->fault);
	return rc == RC_OK ? session_check(&x->in.session, &x->fault) : rc;
}

static enum rc
open_session(struct exchange *x)
{
	struct session session;
	enum rc rc;

	rc = mask_open(
	    &x->mask, x->key.service_id, &x->in.session, &session, &x->fault);
	if (rc != RC_OK)
		return rc;
	strcpy(x->subject, session.id);
	x->answer.status = 201;
	x->answer.type = VIEW_JSON;
	buf_printf(
	    &x->answer.headers, "Location: /v1/sessions/%s\r\n", session.id);
	return view_session(&x->answer.body, &session, x->mask.now_ms / 1000);
}

static const struct endpoint endpoints[] = {
	{ .method = "POST",
	    .path = "/v1/sessions",
	    .allow = "GET, HEAD, POST",
	    .auth = SERVE_KEY,
	    .type = "application/json",
	    .body_max = 16384,
	    .write = true,
	    .read = read_request,
	    .act = open_session },
	{ .method = NULL },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "session-create", endpoints);
}
