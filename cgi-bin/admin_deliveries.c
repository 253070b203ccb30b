/*
 * GET /v1/deliveries, /v1/deliveries/{id}: what leaves the system, how it went.
 * POST /v1/deliveries/{id}/retry, /v1/deliveries/retry: what was given up is
 * tried anew.
 */

#include "admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outbox.h"
#include "view.h"

/* Newest tries of a delivery that are told of. */
#define TRIES_MAX 100

/* A page of deliveries, of one moment. */
struct page {
	struct exchange *x;
	const char *states;
	int limit;
	struct outbox_view *views;
	int len;
};

/* Reads state=, limit= and cursor= from the query. */
static enum rc
read_filter(struct exchange *x, struct page *page)
{
	static const char *const known[] = { "state", "limit", "cursor", NULL };
	static const char *const states[] = { "waiting", "parked", "done" };
	const char *state = form_get(&x->form, "state");
	const char *cursor = form_get(&x->form, "cursor");
	enum rc rc;
	size_t i;

	if ((rc = serve_check_query(x, known)) != RC_OK ||
	    (rc = admin_read_limit(x, &page->limit)) != RC_OK)
		return rc;
	if (cursor[0] != '\0' && !id_valid(cursor, "dlv"))
		return rc_fault(&x->fault, RC_INVALID, "cursor",
		    "must be the next of an earlier page");
	page->states = "waiting parked done";
	if (state[0] == '\0')
		return RC_OK;
	for (i = 0; i < sizeof states / sizeof states[0]; i++)
		if (strcmp(states[i], state) == 0) {
			page->states = states[i];
			return RC_OK;
		}
	return rc_fault(
	    &x->fault, RC_INVALID, "state", "must be waiting, parked or done");
}

static void
add_view(void *cookie, const struct outbox_view *view)
{
	struct page *page = cookie;

	page->views[page->len++] = *view;
}

static enum rc
list_page(struct db *db, void *cookie)
{
	struct page *page = cookie;
	const struct exchange *x = page->x;

	return outbox_list(db, x->key.service_id, page->states,
	    form_get(&x->form, "cursor"), page->limit, add_view, page);
}

enum rc
admin_deliveries_list(struct exchange *x)
{
	struct page page = { .x = x };
	const char *next = "";
	enum rc rc;

	if ((rc = read_filter(x, &page)) != RC_OK)
		return rc;
	page.views = calloc((size_t)page.limit, sizeof page.views[0]);
	if (page.views == NULL)
		return RC_MEMORY;
	if ((rc = db_snapshot(x->app->db, list_page, &page)) == RC_OK) {
		if (page.len == page.limit)
			next = page.views[page.len - 1].id;
		x->answer.type = VIEW_JSON;
		rc = view_deliveries(
		    &x->answer.body, page.views, page.len, next);
	}
	free(page.views);
	return rc;
}

/* A delivery and how its tries went, of one moment. */
struct history {
	struct exchange *x;
	struct outbox_view view;
	struct outbox_attempt tries[TRIES_MAX];
	int len;
};

static void
add_try(void *cookie, const struct outbox_attempt *attempt)
{
	struct history *history = cookie;

	/* The oldest make room. */
	if (history->len == TRIES_MAX) {
		history->len--;
		memmove(history->tries, history->tries + 1,
		    sizeof history->tries - sizeof history->tries[0]);
	}
	history->tries[history->len++] = *attempt;
}

static enum rc
read_history(struct db *db, void *cookie)
{
	struct history *history = cookie;
	const struct exchange *x = history->x;
	enum rc rc;

	rc = outbox_find(db, x->key.service_id, x->id, &history->view);
	return rc == RC_OK ? outbox_attempts(db, x->id, add_try, history) : rc;
}

enum rc
admin_delivery_get(struct exchange *x)
{
	struct history history = { .x = x };
	enum rc rc;

	if ((rc = db_snapshot(x->app->db, read_history, &history)) != RC_OK)
		return rc;
	x->answer.type = VIEW_JSON;
	return view_delivery_tries(
	    &x->answer.body, &history.view, history.tries, history.len);
}

enum rc
admin_delivery_retry(struct exchange *x)
{
	const char *service_id = x->key.service_id;
	struct outbox_view view;
	int64_t count;
	enum rc rc;

	rc =
	    outbox_retry(x->app->db, service_id, x->id, x->mask.now_ms, &count);
	if (rc == RC_OK)
		rc = outbox_find(x->app->db, service_id, x->id, &view);
	if (rc != RC_OK)
		return rc;
	if (strcmp(view.state, "done") == 0)
		return rc_fault(
		    &x->fault, RC_REFUSED, "", "it is done already");
	x->answer.type = VIEW_JSON;
	return view_delivery(&x->answer.body, &view);
}

enum rc
admin_deliveries_retry(struct exchange *x)
{
	int64_t count;
	enum rc rc;

	rc = outbox_retry(
	    x->app->db, x->key.service_id, NULL, x->mask.now_ms, &count);
	if (rc != RC_OK)
		return rc;
	snprintf(x->detail, sizeof x->detail, "%d", (int)count);
	x->answer.type = VIEW_JSON;
	return view_retried(&x->answer.body, count, count == OUTBOX_RETRY_MAX);
}
