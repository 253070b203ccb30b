/* Looking for sessions, and at what happened in one: JSON in and out. */

#include "view.h"

#include <string.h>

#include "view_json.h"

/* Reads a whole number from 1 to most; what it is if it is not there. */
static enum rc
read_limit(
    json_t *object, int most, int standard, int *limit, struct fault *fault)
{
	json_t *value = json_object_get(object, "limit");

	*limit = standard;
	if (value == NULL || json_is_null(value))
		return RC_OK;
	if (!json_is_integer(value) || json_integer_value(value) < 1 ||
	    json_integer_value(value) > most)
		return rc_fault(fault, RC_INVALID, "limit",
		    "must be a whole number from 1 to %d", most);
	*limit = (int)json_integer_value(value);
	return RC_OK;
}

static enum rc
read_status(json_t *object, int *status, struct fault *fault)
{
	char text[16];
	enum rc rc;

	*status = SESSION__MAX;
	rc = view_read_text(
	    object, "", "status", text, sizeof text, false, fault);
	if (rc == RC_OK && text[0] != '\0' &&
	    session_parse_status(status, text) != RC_OK)
		rc = rc_fault(fault, RC_INVALID, "status",
		    "must be open, lingering, closed or expired");
	return rc;
}

static enum rc
read_cursor(json_t *object, char cursor[ID_SIZE], struct fault *fault)
{
	enum rc rc;

	rc =
	    view_read_text(object, "", "cursor", cursor, ID_SIZE, false, fault);
	if (rc == RC_OK && cursor[0] != '\0' && !id_valid(cursor, "ses"))
		rc = rc_fault(fault, RC_INVALID, "cursor",
		    "must be the next of an earlier page");
	return rc;
}

enum rc
view_read_search(struct view_search *search, const char *body, size_t len,
    struct fault *fault)
{
	static const char *const known[] = { "text", "status", "limit",
		"cursor", NULL };
	json_t *object;
	enum rc rc;

	if ((rc = view_parse(&object, body, len, fault)) != RC_OK)
		return rc;
	if ((rc = view_refuse_unknown(object, "", known, fault)) == RC_OK &&
	    (rc = view_read_text(object, "", "text", search->text,
		 sizeof search->text, true, fault)) == RC_OK &&
	    (rc = read_status(object, &search->status, fault)) == RC_OK &&
	    (rc = read_limit(object, VIEW_SEARCH_MAX, VIEW_SEARCH_DEFAULT,
		 &search->limit, fault)) == RC_OK)
		rc = read_cursor(object, search->cursor, fault);
	json_decref(object);
	return rc;
}

enum rc
view_found(struct buf *out, const char *matched, const struct session *sessions,
    int len, int64_t now, const char *next)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < len; i++)
		json_array_append_new(
		    list, view_session_json(&sessions[i], now));
	return view_dump(out,
	    json_pack("{s:s, s:o, s:o}", "matched", matched, "sessions", list,
		"next", view_text(next)),
	    0);
}

enum rc
view_history_events(
    struct buf *out, const struct event_record *events, int len, bool next)
{
	json_t *list = json_array(), *json, *delivery;
	int i;

	for (i = 0; i < len; i++) {
		json = view_event_json(&events[i]);
		delivery = json_null();
		if (events[i].delivery_id[0] != '\0')
			delivery = json_pack("{s:s, s:s, s:I}", "id",
			    events[i].delivery_id, "state",
			    events[i].delivery_state, "attempts",
			    (json_int_t)events[i].attempts);
		json_object_set_new(json, "delivery", delivery);
		json_array_append_new(list, json);
	}
	return view_dump(out,
	    json_pack("{s:o, s:o}", "events", list, "next",
		next ? json_integer(events[len - 1].seq) : json_null()),
	    0);
}
