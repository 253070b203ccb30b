/*
 * POST /v1/sessions/{id}/calls: has one party rung, and then connected to the
 * other. GET /v1/calls/{id}: how a call goes. DELETE: ends it, or has it not
 * placed.
 */

#include <string.h>

#include "serve.h"
#include "view.h"

static enum rc
read_request(struct exchange *x)
{
	return view_read_call(
	    x->in.role, buf_text(&x->body), x->body.len, &x->fault);
}

/* Answers with a call. */
static enum rc
show(struct exchange *x, int status, const struct call_summary *call)
{
	x->answer.status = status;
	x->answer.type = VIEW_JSON;
	return view_call(&x->answer.body, call);
}

static enum rc
place(struct exchange *x)
{
	struct call_summary call;
	enum rc rc;

	rc = mask_place(
	    &x->mask, x->key.service_id, x->id, x->in.role, &call, &x->fault);
	if (rc != RC_OK)
		return rc;
	buf_printf(&x->answer.headers, "Location: /v1/calls/%s\r\n", call.id);
	return show(x, 202, &call);
}

/* A call that is asked for. */
struct lookup {
	const struct exchange *x;
	struct call_summary call;
};

static enum rc
look_up(struct db *db, void *cookie)
{
	struct lookup *lookup = cookie;
	const struct exchange *x = lookup->x;

	return call_show(db, &lookup->call, x->key.service_id, x->id);
}

static enum rc
get(struct exchange *x)
{
	struct lookup lookup = { .x = x };
	enum rc rc;

	rc = db_snapshot(x->app->db, look_up, &lookup);
	return rc == RC_OK ? show(x, 200, &lookup.call) : rc;
}

static enum rc
hang_up(struct exchange *x)
{
	struct call_summary call;
	enum call_status status;
	enum rc rc;

	rc = mask_hang_up(&x->mask, x->key.service_id, x->id, &call);
	if (rc != RC_OK)
		return rc;
	/* Of one that is being ended Twilio tells when it is over. */
	if ((rc = call_parse_status(&status, call.status)) != RC_OK)
		return RC_CORRUPT;
	return show(x, call_is_final(status) ? 200 : 202, &call);
}

static const struct endpoint endpoints[] = {
	{ .method = "POST",
	    .path = "/v1/sessions/{id}/calls",
	    .allow = "POST",
	    .auth = SERVE_KEY,
	    .type = "application/json",
	    .body_max = 4096,
	    .write = true,
	    .read = read_request,
	    .act = place },
	{ .method = "GET",
	    .path = "/v1/calls/{id}",
	    .allow = "GET, HEAD, DELETE",
	    .auth = SERVE_KEY,
	    .look = true,
	    .act = get },
	{ .method = "DELETE",
	    .path = "/v1/calls/{id}",
	    .allow = "GET, HEAD, DELETE",
	    .auth = SERVE_KEY,
	    .write = true,
	    .act = hang_up },
	{ .method = NULL },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "session-call", endpoints);
}
