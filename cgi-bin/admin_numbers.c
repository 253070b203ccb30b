/*
 * GET /v1/numbers, /v1/numbers/{digits}: the pool. POST /v1/numbers: more of
 * them. PATCH /v1/numbers/{digits}: what one is for. POST /v1/numbers/sync: the
 * worker is to look them up at Twilio.
 */

#include "admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "view.h"

/* Makes a number of its digits. RC_NOT_FOUND if they are none. */
static enum rc
read_digits(const char *digits, char number[PHONE_SIZE])
{
	if (strlen(digits) >= PHONE_SIZE - 1)
		return RC_NOT_FOUND;
	snprintf(number, PHONE_SIZE, "+%s", digits);
	return phone_valid(number) ? RC_OK : RC_NOT_FOUND;
}

/* Reads state=, country=, limit= and cursor= from the query. */
static enum rc
read_filter(struct exchange *x, struct number_filter *filter)
{
	static const char *const known[] = { "state", "country", "limit",
		"cursor", NULL };
	const char *state = form_get(&x->form, "state");
	const char *country = form_get(&x->form, "country");
	const char *cursor = form_get(&x->form, "cursor");
	enum rc rc;

	*filter = (struct number_filter){ .state = "" };
	if ((rc = serve_check_query(x, known)) != RC_OK ||
	    (rc = admin_read_limit(x, &filter->limit)) != RC_OK)
		return rc;
	if (state[0] != '\0' && !number_state_valid(state))
		return rc_fault(&x->fault, RC_INVALID, "state",
		    "must be active, reserved, draining or retired");
	if (country[0] != '\0' && !phone_country_valid(country))
		return rc_fault(&x->fault, RC_INVALID, "country",
		    "must be an ISO 3166 code like US");
	if (cursor[0] != '\0' && (read_digits(cursor, filter->after) != RC_OK ||
				     phone_country(filter->after)[0] == '\0'))
		return rc_fault(&x->fault, RC_INVALID, "cursor",
		    "must be the next of an earlier page");
	strcpy(filter->state, state);
	strcpy(filter->country, country);
	return RC_OK;
}

/* A page of numbers, of one moment. */
struct page {
	struct exchange *x;
	struct number_filter filter;
	struct number *numbers;
	int len;
};

static enum rc
list_page(struct db *db, void *cookie)
{
	struct page *page = cookie;
	const struct exchange *x = page->x;

	return number_page(db, x->key.service_id, &page->filter,
	    x->mask.now_ms / 1000, page->numbers, &page->len);
}

enum rc
admin_numbers_list(struct exchange *x)
{
	struct page page = { .x = x };
	const char *next = "";
	enum rc rc;

	if ((rc = read_filter(x, &page.filter)) != RC_OK)
		return rc;
	page.numbers =
	    calloc((size_t)page.filter.limit, sizeof page.numbers[0]);
	if (page.numbers == NULL)
		return RC_MEMORY;
	if ((rc = db_snapshot(x->app->db, list_page, &page)) == RC_OK) {
		if (page.len == page.filter.limit)
			next = page.numbers[page.len - 1].number + 1;
		x->answer.type = VIEW_JSON;
		rc =
		    view_numbers(&x->answer.body, page.numbers, page.len, next);
	}
	free(page.numbers);
	return rc;
}

/* Answers with a number as it stands. */
static enum rc
show(struct exchange *x, const char *text)
{
	struct number number;
	enum rc rc;

	rc = number_read(x->app->db, &number, x->key.service_id, text,
	    x->mask.now_ms / 1000);
	if (rc != RC_OK)
		return rc;
	x->answer.type = VIEW_JSON;
	return view_number(&x->answer.body, &number);
}

enum rc
admin_number_get(struct exchange *x)
{
	char number[PHONE_SIZE];
	enum rc rc;

	rc = read_digits(x->id, number);
	return rc == RC_OK ? show(x, number) : rc;
}

enum rc
admin_numbers_read(struct exchange *x)
{
	return view_read_numbers(
	    &x->in.numbers, buf_text(&x->body), x->body.len, &x->fault);
}

enum rc
admin_numbers_add(struct exchange *x)
{
	struct mask_added added[MASK_NUMBERS_MAX];
	const struct mask_numbers *numbers = &x->in.numbers;
	int count[MASK_NUMBER_REFUSED + 1] = { 0 }, i;
	enum rc rc;

	rc = mask_add_numbers(&x->mask, x->key.service_id, numbers, added);
	if (rc != RC_OK)
		return rc;
	for (i = 0; i < numbers->len; i++) {
		count[added[i].result]++;
		if (added[i].result == MASK_NUMBER_ADDED)
			snprintf(x->subject, sizeof x->subject, "%s",
			    numbers->numbers[i]);
	}
	if (count[MASK_NUMBER_ADDED] != 1)
		x->subject[0] = '\0';
	snprintf(x->detail, sizeof x->detail, "%d added, %d refused",
	    count[MASK_NUMBER_ADDED], count[MASK_NUMBER_REFUSED]);
	x->answer.type = VIEW_JSON;
	return view_numbers_added(&x->answer.body, numbers, added);
}

enum rc
admin_numbers_read_sync(struct exchange *x)
{
	return view_read_sync(
	    &x->in.sync, buf_text(&x->body), x->body.len, &x->fault);
}

enum rc
admin_numbers_sync(struct exchange *x)
{
	const struct mask_sync *sync = &x->in.sync;
	char next[PHONE_SIZE];
	int64_t queued;
	enum rc rc;

	rc = mask_sync_numbers(
	    &x->mask, x->key.service_id, sync, &queued, next, &x->fault);
	if (rc != RC_OK)
		return rc;
	if (sync->numbers.len == 1)
		snprintf(x->subject, sizeof x->subject, "%s",
		    sync->numbers.numbers[0]);
	snprintf(x->detail, sizeof x->detail, "%s %d",
	    sync->apply ? "set" : "check", (int)queued);
	x->answer.status = 202;
	x->answer.type = VIEW_JSON;
	return view_queued(
	    &x->answer.body, queued, next[0] != '\0' ? next + 1 : "");
}

enum rc
admin_number_read_state(struct exchange *x)
{
	return view_read_number_state(x->in.state, sizeof x->in.state,
	    buf_text(&x->body), x->body.len, &x->fault);
}

enum rc
admin_number_set(struct exchange *x)
{
	char number[PHONE_SIZE];
	enum rc rc;

	if ((rc = read_digits(x->id, number)) != RC_OK)
		return rc;
	rc = number_set_state(
	    x->app->db, x->key.service_id, number, x->in.state);
	if (rc != RC_OK)
		return rc;
	snprintf(x->subject, sizeof x->subject, "%s", number);
	snprintf(x->detail, sizeof x->detail, "%s", x->in.state);
	return show(x, number);
}
