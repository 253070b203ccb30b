/*
 * GET /v1/recordings/{id}: what became of a recording; the sound is Twilio's.
 * DELETE /v1/recordings/{id}: has Twilio delete it. Asking again changes
 * nothing; the event recording.deleted tells when it is gone.
 */

#include "serve.h"
#include "view.h"

/* A recording looked for in a moment of the database. */
struct lookup {
	const struct exchange *x;
	struct recording recording;
};

static enum rc
look_up(struct db *db, void *cookie)
{
	struct lookup *lookup = cookie;

	return recording_find(
	    db, lookup->x->key.service_id, &lookup->recording, lookup->x->id);
}

static enum rc
get_recording(struct exchange *x)
{
	struct lookup lookup = { .x = x };
	enum rc rc;

	if ((rc = db_snapshot(x->app->db, look_up, &lookup)) != RC_OK)
		return rc;
	x->answer.type = VIEW_JSON;
	return view_recording(&x->answer.body, &lookup.recording);
}

static enum rc
delete_recording(struct exchange *x)
{
	struct recording recording;
	enum rc rc;

	rc = mask_delete_recording(
	    &x->mask, x->key.service_id, x->id, &recording);
	if (rc != RC_OK)
		return rc;
	x->answer.status = 202;
	x->answer.type = VIEW_JSON;
	return view_recording(&x->answer.body, &recording);
}

static const struct endpoint endpoints[] = {
	{ .method = "GET",
	    .path = "/v1/recordings/{id}",
	    .allow = "GET, HEAD, DELETE",
	    .auth = SERVE_KEY,
	    .look = true,
	    .act = get_recording },
	{ .method = "DELETE",
	    .path = "/v1/recordings/{id}",
	    .allow = "GET, HEAD, DELETE",
	    .auth = SERVE_KEY,
	    .write = true,
	    .act = delete_recording },
	{ .method = NULL },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "recording", endpoints);
}
