/*
 * GET /v1/sessions/{id}: one session with its calls, texts and recordings.
 * GET /v1/sessions: a page of them, newest first, by status and reference.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve.h"
#include "view.h"

#define PAGE_DEFAULT 50 /* sessions in a page that names no limit */

static enum rc
get_session(struct exchange *x)
{
	struct mask_history history;
	enum rc rc;

	rc = mask_history(&x->mask, x->key.service_id, x->id, &history);
	if (rc != RC_OK)
		return rc;
	x->answer.type = VIEW_JSON;
	return view_session_history(
	    &x->answer.body, &history, x->mask.now_ms / 1000);
}

/* Says for the audit log what is looked for: another page is another look. */
static void
note_filter(struct exchange *x, const char *reference, const char *cursor)
{
	char tag[SERVE_TAG_SIZE];

	serve_tag(x, reference, tag);
	snprintf(x->detail, sizeof x->detail, "%s%s%s%s",
	    reference[0] != '\0' ? "reference " : "",
	    reference[0] != '\0' ? tag : "",
	    cursor[0] != '\0' ? " behind " : "", cursor);
}

/* Reads limit=, status=, reference= and cursor= from the query. */
static enum rc
read_filter(struct exchange *x)
{
	static const char *const known[] = { "limit", "status", "reference",
		"cursor", NULL };
	struct session_filter *filter = &x->in.filter;
	int64_t limit;
	enum rc rc;
	const char *status = form_get(&x->form, "status");
	const char *reference = form_get(&x->form, "reference");
	const char *cursor = form_get(&x->form, "cursor");

	if ((rc = serve_check_query(x, known)) != RC_OK)
		return rc;
	if (form_count(&x->form, "limit", &limit) != RC_OK || limit == 0 ||
	    limit > SESSION_PAGE_MAX)
		return rc_fault(&x->fault, RC_INVALID, "limit",
		    "must be from 1 to %d", SESSION_PAGE_MAX);
	filter->limit = limit > 0 ? (int)limit : PAGE_DEFAULT;
	filter->status = SESSION__MAX;
	if (status[0] != '\0' &&
	    session_parse_status(&filter->status, status) != RC_OK)
		return rc_fault(&x->fault, RC_INVALID, "status",
		    "must be open, lingering, closed or expired");
	if (strlen(reference) >= sizeof filter->reference)
		return rc_fault(
		    &x->fault, RC_INVALID, "reference", "is too long");
	strcpy(filter->reference, reference);
	if (cursor[0] != '\0' && !id_valid(cursor, "ses"))
		return rc_fault(&x->fault, RC_INVALID, "cursor",
		    "must be the next of an earlier page");
	strcpy(filter->after, cursor);
	note_filter(x, reference, cursor);
	return RC_OK;
}

/* A page of sessions, of one moment. */
struct page {
	struct exchange *x;
	struct session *sessions;
	int len;
	char next[ID_SIZE];
};

static enum rc
list_page(struct db *db, void *cookie)
{
	struct page *page = cookie;
	const struct exchange *x = page->x;

	return session_list(db, x->key.service_id, &x->in.filter,
	    x->mask.now_ms / 1000, page->sessions, &page->len, page->next);
}

static enum rc
list_sessions(struct exchange *x)
{
	struct page page = { .x = x };
	enum rc rc;

	page.sessions =
	    calloc((size_t)x->in.filter.limit, sizeof page.sessions[0]);
	if (page.sessions == NULL)
		return RC_MEMORY;
	if ((rc = db_snapshot(x->app->db, list_page, &page)) == RC_OK) {
		x->answer.type = VIEW_JSON;
		rc = view_sessions(&x->answer.body, page.sessions, page.len,
		    x->mask.now_ms / 1000, page.next);
	}
	free(page.sessions);
	return rc;
}

static const struct endpoint endpoints[] = {
	{ .method = "GET",
	    .path = "/v1/sessions",
	    .allow = "GET, HEAD, POST",
	    .auth = SERVE_KEY,
	    .look = true,
	    .read = read_filter,
	    .act = list_sessions },
	{ .method = "GET",
	    .path = "/v1/sessions/{id}",
	    .allow = "GET, HEAD, PATCH",
	    .auth = SERVE_KEY,
	    .look = true,
	    .act = get_session },
	{ .method = NULL },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "session-get", endpoints);
}
