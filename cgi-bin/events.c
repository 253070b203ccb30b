/*
 * GET /v1/events?after=N: what happened in the service of the key, in order and
 * without gaps: the same events that its webhook gets. wait= has the answer
 * come when there is something to tell, or when so many seconds are over. That
 * pins this process, so nginx lets only so many wait.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "serve.h"
#include "view.h"

#define LIMIT_MAX 500
#define LIMIT_DEFAULT 100
#define WAIT_MAX_S 20

/* Reads a count of the query; what it is if it is not there. */
static enum rc
read_count(struct exchange *x, const char *name, int64_t least, int64_t most,
    int64_t standard, int64_t *count)
{
	if (form_count(&x->form, name, count) != RC_OK || *count > most ||
	    (*count >= 0 && *count < least))
		return rc_fault(&x->fault, RC_INVALID, name,
		    "must be from %lld to %lld", (long long)least,
		    (long long)most);
	if (*count < 0)
		*count = standard;
	return RC_OK;
}

static enum rc
read_feed(struct exchange *x)
{
	static const char *const known[] = { "after", "limit", "wait", NULL };
	const char *after = form_get(&x->form, "after");
	enum rc rc;

	if ((rc = serve_check_query(x, known)) != RC_OK)
		return rc;
	errno = 0;
	x->in.feed.after = strtoll(after, NULL, 10);
	if (after[strspn(after, "0123456789")] != '\0' || errno != 0)
		return rc_fault(&x->fault, RC_INVALID, "after",
		    "must be the next of an earlier answer, or 0");
	if ((rc = read_count(x, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT,
		 &x->in.feed.limit)) != RC_OK)
		return rc;
	return read_count(x, "wait", 0, WAIT_MAX_S, 0, &x->in.feed.wait_s);
}

/* What was found. */
struct feed {
	const struct exchange *x;
	struct event_record *events;
	int len;
};

static enum rc
look(void *cookie)
{
	struct feed *feed = cookie;
	const struct exchange *x = feed->x;
	enum rc rc;

	rc = event_list(x->app->db, x->key.service_id, x->in.feed.after,
	    feed->events, (int)x->in.feed.limit, &feed->len);
	return rc == RC_OK && feed->len == 0 ? RC_NONE : rc;
}

static enum rc
list_events(struct exchange *x)
{
	struct feed feed = { .x = x };
	int64_t next = x->in.feed.after;
	enum rc rc;

	feed.events = calloc((size_t)x->in.feed.limit, sizeof feed.events[0]);
	if (feed.events == NULL)
		return RC_MEMORY;
	rc = req_wait(x->req, x->in.feed.wait_s * 1000, look, &feed);
	if (rc == RC_OK)
		next = feed.events[feed.len - 1].seq;
	if (rc == RC_OK || rc == RC_NONE) {
		x->answer.type = VIEW_JSON;
		rc = view_events(&x->answer.body, feed.events, feed.len, next);
	}
	free(feed.events);
	return rc;
}

static const struct endpoint endpoints[] = {
	{ .method = "GET",
	    .path = "/v1/events",
	    .allow = "GET, HEAD",
	    .auth = SERVE_KEY,
	    .look = true,
	    .read = read_feed,
	    .act = list_events },
	{ .method = NULL },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "events", endpoints);
}
