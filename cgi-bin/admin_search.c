/*
 * POST /v1/sessions/search {"text": …}: sessions by id, by masked number, by
 * the real number of somebody who is or was in them, or by reference, from one
 * box. A real number is found by its hash; it comes in a body, so that no URL
 * and no log has it, and goes nowhere.
 *
 * GET /v1/sessions/{id}/events: what happened in a session, and whether the app
 * was told of it.
 */

#include "admin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "number.h"
#include "view.h"

#define EVENTS_MAX 100
#define EVENTS_DEFAULT 50

#define BLANKS " \t\r\n"

/* Cuts blanks off both ends of a text. */
static void
trim(char *text)
{
	size_t skip = strspn(text, BLANKS), len = strlen(text + skip);

	memmove(text, text + skip, len + 1);
	while (len > 0 && strchr(BLANKS, text[len - 1]) != NULL)
		text[--len] = '\0';
}

/* Reads a number as people write it, "+1 (202) 555-0147". Returns whether text
 * is one. */
static bool
read_phone(const char *text, char phone[PHONE_SIZE])
{
	size_t len = 0;

	for (; *text != '\0'; text++) {
		if (strchr(" -()./", *text) != NULL)
			continue;
		if (len == PHONE_SIZE - 1)
			return false;
		phone[len++] = *text;
	}
	phone[len] = '\0';
	return phone_valid(phone);
}

/*
 * Writes a word for what was looked for into the audit log's subject, that does
 * not give it away but differs from that for anything else: two numbers with
 * the same ends are two looks.
 */
static void
name_subject(struct exchange *x, const char *shown, const char *text)
{
	char tag[SERVE_TAG_SIZE];

	serve_tag(x, text, tag);
	snprintf(x->subject, sizeof x->subject, "%s %s", shown, tag);
}

/* Makes a filter of what is looked for, and says by what. */
static enum rc
choose(struct exchange *x, const struct view_search *search,
    struct session_filter *filter, const char **matched)
{
	char phone[PHONE_SIZE], shown[PHONE_REDACTED_SIZE];
	struct number number;
	enum rc rc;

	if (!read_phone(search->text, phone)) {
		*matched = "reference";
		strcpy(filter->reference, search->text);
		name_subject(x, *matched, search->text);
		return RC_OK;
	}
	rc = number_find(x->app->db, &number, phone);
	/* What another service has is none of this key's business. */
	if (rc == RC_OK && strcmp(number.service_id, x->key.service_id) == 0) {
		*matched = "masked_number";
		strcpy(filter->number, phone);
		snprintf(x->subject, sizeof x->subject, "%s", phone);
	} else {
		*matched = "phone";
		filter->of_person = true;
		session_person(filter->person, x->mask.keys, phone);
		name_subject(x, phone_redact(phone, shown), phone);
	}
	crypto_wipe(phone, sizeof phone);
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* A search under way, of one moment. */
struct search {
	struct exchange *x;
	const struct view_search *asked;
	const char *matched;
	struct session *sessions;
	int len;
	char next[ID_SIZE];
};

static enum rc
find_by_id(struct search *s)
{
	const struct exchange *x = s->x;
	int64_t now = x->mask.now_ms / 1000;
	enum rc rc;

	rc = session_find(
	    x->app->db, x->key.service_id, &s->sessions[0], s->asked->text);
	if (rc != RC_OK)
		return rc == RC_NOT_FOUND ? RC_OK : rc;
	if (s->asked->status == SESSION__MAX ||
	    (int)session_status(&s->sessions[0], now) == s->asked->status)
		s->len = 1;
	return RC_OK;
}

static enum rc
find(struct db *db, void *cookie)
{
	struct search *s = cookie;
	struct session_filter filter = { .status = s->asked->status,
		.limit = s->asked->limit };
	struct exchange *x = s->x;
	enum rc rc;

	s->len = 0;
	s->next[0] = '\0';
	strcpy(filter.after, s->asked->cursor);
	if (id_valid(s->asked->text, "ses")) {
		s->matched = "id";
		snprintf(x->subject, sizeof x->subject, "%.*s", ID_SIZE - 1,
		    s->asked->text);
		return find_by_id(s);
	}
	if ((rc = choose(x, s->asked, &filter, &s->matched)) == RC_OK)
		rc = session_list(db, x->key.service_id, &filter,
		    x->mask.now_ms / 1000, s->sessions, &s->len, s->next);
	return rc;
}

static enum rc
search_all(struct exchange *x, const struct view_search *asked)
{
	struct search search = { .x = x, .asked = asked };
	enum rc rc;

	search.sessions =
	    calloc((size_t)asked->limit, sizeof search.sessions[0]);
	if (search.sessions == NULL)
		return RC_MEMORY;
	if ((rc = db_snapshot(x->app->db, find, &search)) == RC_OK) {
		x->answer.type = VIEW_JSON;
		rc =
		    view_found(&x->answer.body, search.matched, search.sessions,
			search.len, x->mask.now_ms / 1000, search.next);
	}
	free(search.sessions);
	return rc;
}

enum rc
admin_search(struct exchange *x)
{
	struct view_search asked;
	enum rc rc;

	rc = view_read_search(
	    &asked, buf_text(&x->body), x->body.len, &x->fault);
	if (rc == RC_OK) {
		trim(asked.text);
		if (asked.text[0] == '\0')
			rc = rc_fault(
			    &x->fault, RC_INVALID, "text", "must not be empty");
		else
			rc = search_all(x, &asked);
	}
	crypto_wipe(&asked, sizeof asked);
	return rc;
}

/* The events of a session, of one moment. */
struct history {
	struct exchange *x;
	int64_t after, limit;
	struct event_record *events;
	int len;
};

static enum rc
list_events(struct db *db, void *cookie)
{
	struct history *h = cookie;
	const struct exchange *x = h->x;
	struct session session;
	enum rc rc;

	rc = session_find(db, x->key.service_id, &session, x->id);
	if (rc != RC_OK)
		return rc;
	return event_list_session(db, x->key.service_id, x->id, h->after,
	    h->events, (int)h->limit, &h->len);
}

/* Reads after= and limit= from the query. */
static enum rc
read_history(struct exchange *x, struct history *h)
{
	static const char *const known[] = { "after", "limit", NULL };
	const char *after = form_get(&x->form, "after");
	enum rc rc;

	if ((rc = serve_check_query(x, known)) != RC_OK)
		return rc;
	errno = 0;
	h->after = strtoll(after, NULL, 10);
	if (after[strspn(after, "0123456789")] != '\0' || errno != 0)
		return rc_fault(&x->fault, RC_INVALID, "after",
		    "must be the next of an earlier answer, or 0");
	if (form_count(&x->form, "limit", &h->limit) != RC_OK ||
	    h->limit == 0 || h->limit > EVENTS_MAX)
		return rc_fault(&x->fault, RC_INVALID, "limit",
		    "must be from 1 to %d", EVENTS_MAX);
	if (h->limit < 0)
		h->limit = EVENTS_DEFAULT;
	return RC_OK;
}

enum rc
admin_session_events(struct exchange *x)
{
	struct history h = { .x = x };
	enum rc rc;

	if ((rc = read_history(x, &h)) != RC_OK)
		return rc;
	if ((h.events = calloc((size_t)h.limit, sizeof h.events[0])) == NULL)
		return RC_MEMORY;
	if ((rc = db_snapshot(x->app->db, list_events, &h)) == RC_OK) {
		x->answer.type = VIEW_JSON;
		rc = view_history_events(
		    &x->answer.body, h.events, h.len, h.len == h.limit);
	}
	free(h.events);
	return rc;
}
