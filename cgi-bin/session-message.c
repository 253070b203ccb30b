/*
 * POST /v1/sessions/{id}/messages: the app texts one party of a session, or
 * both, from the masked number that party knows.
 * GET /v1/messages/{id}: what became of a text, the app's or a party's.
 */

#include <string.h>

#include "serve.h"
#include "view.h"

static enum rc
read_request(struct exchange *x)
{
	return view_read_note(
	    &x->in.note, buf_text(&x->body), x->body.len, &x->fault);
}

static enum rc
send_text(struct exchange *x)
{
	struct message messages[SESSION_PARTIES];
	int len;
	enum rc rc;

	rc = mask_send(&x->mask, x->key.service_id, x->id, &x->in.note,
	    messages, &len, &x->fault);
	if (rc != RC_OK)
		return rc;
	x->answer.status = 202;
	x->answer.type = VIEW_JSON;
	return view_messages(&x->answer.body, messages, len);
}

static enum rc
get_text(struct exchange *x)
{
	struct message message;
	enum rc rc;

	rc = message_find(x->app->db, &message, x->id);
	if (rc != RC_OK)
		return rc;
	if (strcmp(message.service_id, x->key.service_id) != 0)
		return RC_NOT_FOUND;
	x->answer.type = VIEW_JSON;
	return view_message(&x->answer.body, &message);
}

static const struct endpoint endpoints[] = {
	{ .method = "POST",
	    .path = "/v1/sessions/{id}/messages",
	    .allow = "POST",
	    .auth = SERVE_KEY,
	    .type = "application/json",
	    .body_max = 32768,
	    .write = true,
	    .read = read_request,
	    .act = send_text },
	{ .method = "GET",
	    .path = "/v1/messages/{id}",
	    .allow = "GET, HEAD",
	    .auth = SERVE_KEY,
	    .look = true,
	    .act = get_text },
	{ .method = NULL },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "session-message", endpoints);
}
