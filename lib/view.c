/* The API's JSON: the only file that sees jansson. */

#include "view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "say.h"
#include "timestamp.h"
#include "utf8.h"

/* Parses body; refuses repeated keys, bad UTF-8 and NUL. */
static enum rc
parse(json_t **out, const char *body, size_t len, struct fault *fault)
{
	json_error_t error;
	const char *near;
	char key[32];
	int end = 0;

	*out = json_loadb(body, len, JSON_REJECT_DUPLICATES, &error);
	if (*out == NULL) {
		if (json_error_code(&error) != json_error_duplicate_key)
			return rc_fault(fault, RC_SYNTAX, "",
			    "not valid JSON at line %d, column %d", error.line,
			    error.column);
		/* The message ends in near '"key"'; the key is a word of ours
		 * or it is not repeated to anyone. */
		if ((near = strstr(error.text, "near '\"")) != NULL)
			sscanf(near, "near '\"%31[a-z_]\"%n", key, &end);
		return rc_fault(fault, RC_SYNTAX, end > 0 ? key : "",
		    "a key is there twice");
	}
	if (!json_is_object(*out)) {
		json_decref(*out);
		return rc_fault(fault, RC_SYNTAX, "", "must be a JSON object");
	}
	return RC_OK;
}

/* Writes the path of key below prefix to out: parties[0] and role. */
static void
make_path(char out[64], const char *prefix, const char *key)
{
	snprintf(
	    out, 64, "%s%s%.40s", prefix, prefix[0] != '\0' ? "." : "", key);
}

/* Refuses keys of object that are not in the NULL-terminated list. */
static enum rc
refuse_unknown(json_t *object, const char *prefix, const char *const *known,
    struct fault *fault)
{
	const char *key, *p;
	char path[64];
	json_t *value;
	size_t i;

	json_object_foreach(object, key, value)
	{
		for (i = 0; known[i] != NULL; i++)
			if (strcmp(key, known[i]) == 0)
				break;
		if (known[i] != NULL)
			continue;
		/* Its name is told unless it could be a value gone astray. */
		for (p = key; *p == '_' || (*p >= 'a' && *p <= 'z') ||
			      (*p >= 'A' && *p <= 'Z');
		     p++)
			;
		make_path(path, prefix, *p == '\0' ? key : "?");
		return rc_fault(fault, RC_INVALID, path, "unknown field");
	}
	return RC_OK;
}

/*
 * Copies the text field key of object to out of size bytes. An optional one
 * that is not there or null leaves "".
 */
static enum rc
read_text(json_t *object, const char *prefix, const char *key, char *out,
    size_t size, bool required, struct fault *fault)
{
	json_t *value = json_object_get(object, key);
	char path[64];

	out[0] = '\0';
	make_path(path, prefix, key);
	if (value == NULL || json_is_null(value))
		return required
			   ? rc_fault(fault, RC_INVALID, path, "is missing")
			   : RC_OK;
	if (!json_is_string(value))
		return rc_fault(fault, RC_INVALID, path, "must be a string");
	if (json_string_length(value) == 0)
		return rc_fault(fault, RC_INVALID, path, "must not be empty");
	if (json_string_length(value) >= size)
		return rc_fault(fault, RC_INVALID, path,
		    "must be at most %zu bytes", size - 1);
	strcpy(out, json_string_value(value));
	return RC_OK;
}

/* Reads a number of seconds, 0 if it is not there. */
static enum rc
read_seconds(
    json_t *object, const char *key, int64_t *seconds, struct fault *fault)
{
	json_t *value = json_object_get(object, key);

	*seconds = 0;
	if (value == NULL || json_is_null(value))
		return RC_OK;
	if (!json_is_integer(value))
		return rc_fault(fault, RC_INVALID, key,
		    "must be a whole number of seconds");
	if (json_integer_value(value) < 1)
		return rc_fault(
		    fault, RC_INVALID, key, "must be at least 1 second");
	*seconds = json_integer_value(value);
	return RC_OK;
}

/* Reads true or false; false if it is not there. */
static enum rc
read_flag(json_t *object, const char *key, bool *flag, struct fault *fault)
{
	json_t *value = json_object_get(object, key);

	*flag = json_is_true(value);
	if (value == NULL || json_is_boolean(value) || json_is_null(value))
		return RC_OK;
	return rc_fault(fault, RC_INVALID, key, "must be true or false");
}

static enum rc
read_country(json_t *object, char country[3], struct fault *fault)
{
	enum rc rc;

	rc = read_text(object, "", "country", country, 3, false, fault);
	if (rc == RC_OK && country[0] != '\0' && !phone_country_valid(country))
		rc = rc_fault(fault, RC_INVALID, "country",
		    "must be an ISO 3166 code like US");
	return rc;
}

/* A reference is shown to people and put into logs: no control characters. */
static enum rc
read_reference(json_t *object, char *reference, struct fault *fault)
{
	const char *p;
	enum rc rc;

	rc = read_text(object, "", "reference", reference,
	    SESSION_REFERENCE_SIZE, false, fault);
	for (p = reference; rc == RC_OK && *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			rc = rc_fault(fault, RC_INVALID, "reference",
			    "must not hold control characters");
	return rc;
}

/* Reads one party: its role and its real number. */
static enum rc
read_party(json_t *party, size_t position, char role[SESSION_ROLE_SIZE],
    char phone[PHONE_SIZE], struct fault *fault)
{
	static const char *const known[] = { "role", "phone", NULL };
	char path[32];
	enum rc rc;

	snprintf(path, sizeof path, "parties[%zu]", position);
	if (!json_is_object(party))
		return rc_fault(fault, RC_INVALID, path, "must be an object");
	if ((rc = refuse_unknown(party, path, known, fault)) != RC_OK ||
	    (rc = read_text(party, path, "role", role, SESSION_ROLE_SIZE, true,
		 fault)) != RC_OK)
		return rc;
	return read_text(party, path, "phone", phone, PHONE_SIZE, true, fault);
}

static enum rc
read_parties(
    json_t *object, struct session_request *request, struct fault *fault)
{
	json_t *parties = json_object_get(object, "parties");
	enum rc rc = RC_OK;
	size_t i;

	if (!json_is_array(parties) ||
	    json_array_size(parties) != SESSION_PARTIES)
		return rc_fault(fault, RC_INVALID, "parties",
		    "must be an array of two parties");
	for (i = 0; i < SESSION_PARTIES && rc == RC_OK; i++)
		rc = read_party(json_array_get(parties, i), i,
		    request->parties[i].role, request->parties[i].phone, fault);
	return rc;
}

/* Reads who may call or text: "both" if it is not there and a default is
 * wanted. Whether it is a role is the session's to say. */
static enum rc
read_mode(json_t *object, const char *key, char mode[SESSION_ROLE_SIZE],
    bool standard, struct fault *fault)
{
	enum rc rc;

	rc = read_text(object, "", key, mode, SESSION_ROLE_SIZE, false, fault);
	if (rc == RC_OK && mode[0] == '\0' && standard)
		strcpy(mode, "both");
	return rc;
}

/* Reads the masked number asked for. */
static enum rc
read_number(json_t *object, char number[PHONE_SIZE], struct fault *fault)
{
	enum rc rc;

	rc = read_text(
	    object, "", "masked_number", number, PHONE_SIZE, false, fault);
	if (rc == RC_OK && number[0] != '\0' && !phone_valid(number))
		rc = rc_fault(fault, RC_INVALID, "masked_number",
		    "must be an E.164 number");
	return rc;
}

enum rc
view_read_session(struct session_request *request, const char *body, size_t len,
    struct fault *fault)
{
	static const char *const known[] = { "reference", "ttl", "country",
		"masked_number", "voice", "text", "parties", NULL };
	json_t *object;
	enum rc rc;

	if ((rc = parse(&object, body, len, fault)) != RC_OK)
		return rc;
	if ((rc = refuse_unknown(object, "", known, fault)) != RC_OK ||
	    (rc = read_reference(object, request->reference, fault)) != RC_OK ||
	    (rc = read_seconds(object, "ttl", &request->ttl_s, fault)) !=
		RC_OK ||
	    (rc = read_country(object, request->country, fault)) != RC_OK ||
	    (rc = read_number(object, request->number, fault)) != RC_OK ||
	    (rc = read_mode(object, "voice", request->voice, true, fault)) !=
		RC_OK ||
	    (rc = read_mode(object, "text", request->text, true, fault)) !=
		RC_OK)
		goto out;
	rc = read_parties(object, request, fault);
out:
	json_decref(object);
	return rc;
}

/* Reads a moment as RFC 3339 in UTC, 0 if it is not there. */
static enum rc
read_moment(json_t *object, const char *key, int64_t *at, struct fault *fault)
{
	char text[TIMESTAMP_SIZE];
	enum rc rc;

	*at = 0;
	rc = read_text(object, "", key, text, sizeof text, false, fault);
	if (rc != RC_OK || text[0] == '\0')
		return rc;
	if (timestamp_parse_rfc3339(at, text) != RC_OK || *at <= 0)
		return rc_fault(fault, RC_INVALID, key,
		    "must be a time like 2026-11-22T16:00:00Z");
	return RC_OK;
}

/* Reads the parties that are to be replaced. */
static enum rc
read_replacements(
    json_t *object, struct session_change *change, struct fault *fault)
{
	json_t *parties = json_object_get(object, "parties");
	enum rc rc = RC_OK;
	size_t i;

	if (parties == NULL || json_is_null(parties))
		return RC_OK;
	if (!json_is_array(parties) || json_array_size(parties) == 0 ||
	    json_array_size(parties) > SESSION_PARTIES)
		return rc_fault(fault, RC_INVALID, "parties",
		    "must be an array of one or two parties");
	for (i = 0; i < json_array_size(parties) && rc == RC_OK; i++)
		rc = read_party(json_array_get(parties, i), i,
		    change->parties[i].role, change->parties[i].phone, fault);
	return rc;
}

enum rc
view_read_change(struct session_change *change, const char *body, size_t len,
    struct fault *fault)
{
	static const char *const known[] = { "ttl", "expires_at", "voice",
		"text", "parties", NULL };
	json_t *object;
	enum rc rc;

	if ((rc = parse(&object, body, len, fault)) != RC_OK)
		return rc;
	if ((rc = refuse_unknown(object, "", known, fault)) != RC_OK ||
	    (rc = read_seconds(object, "ttl", &change->ttl_s, fault)) !=
		RC_OK ||
	    (rc = read_moment(
		 object, "expires_at", &change->expires_at, fault)) != RC_OK ||
	    (rc = read_mode(object, "voice", change->voice, false, fault)) !=
		RC_OK ||
	    (rc = read_mode(object, "text", change->text, false, fault)) !=
		RC_OK)
		goto out;
	rc = read_replacements(object, change, fault);
out:
	json_decref(object);
	return rc;
}

enum rc
view_read_closing(struct session_closing *closing, const char *body, size_t len,
    struct fault *fault)
{
	static const char *const known[] = { "linger", "voice", "end_calls",
		NULL };
	json_t *object;
	enum rc rc;

	if (len == 0)
		return RC_OK;
	if ((rc = parse(&object, body, len, fault)) != RC_OK)
		return rc;
	if ((rc = refuse_unknown(object, "", known, fault)) == RC_OK &&
	    (rc = read_seconds(object, "linger", &closing->linger_s, fault)) ==
		RC_OK &&
	    (rc = read_flag(object, "end_calls", &closing->end_calls, fault)) ==
		RC_OK)
		rc = read_mode(object, "voice", closing->voice, false, fault);
	json_decref(object);
	return rc;
}

/* Reads an object that holds a role under key and nothing else. */
static enum rc
read_role(char role[SESSION_ROLE_SIZE], const char *key, const char *body,
    size_t len, struct fault *fault)
{
	const char *const known[] = { key, NULL };
	json_t *object;
	enum rc rc;

	if ((rc = parse(&object, body, len, fault)) != RC_OK)
		return rc;
	if ((rc = refuse_unknown(object, "", known, fault)) == RC_OK)
		rc = read_text(
		    object, "", key, role, SESSION_ROLE_SIZE, true, fault);
	json_decref(object);
	return rc;
}

enum rc
view_read_role(char role[SESSION_ROLE_SIZE], const char *body, size_t len,
    struct fault *fault)
{
	return read_role(role, "role", body, len, fault);
}

enum rc
view_read_call(char role[SESSION_ROLE_SIZE], const char *body, size_t len,
    struct fault *fault)
{
	return read_role(role, "from", body, len, fault);
}

/* Reads what the app writes to a party: 1 to 1600 characters. */
static enum rc
read_note_text(
    json_t *object, char body[MESSAGE_BODY_SIZE], struct fault *fault)
{
	size_t chars = 0, len;
	const char *p;
	enum rc rc;

	rc =
	    read_text(object, "", "text", body, MESSAGE_BODY_SIZE, true, fault);
	for (p = body; (len = utf8_next(p)) != 0; p += len)
		chars++;
	if (rc == RC_OK && chars > MESSAGE_CHARS_MAX)
		rc = rc_fault(fault, RC_INVALID, "text",
		    "must be at most %d characters", MESSAGE_CHARS_MAX);
	return rc;
}

enum rc
view_read_note(
    struct mask_note *note, const char *body, size_t len, struct fault *fault)
{
	static const char *const known[] = { "to", "text", NULL };
	json_t *object;
	enum rc rc;

	if ((rc = parse(&object, body, len, fault)) != RC_OK)
		return rc;
	if ((rc = refuse_unknown(object, "", known, fault)) == RC_OK &&
	    (rc = read_text(object, "", "to", note->to, SESSION_ROLE_SIZE,
		 false, fault)) == RC_OK)
		rc = read_note_text(object, note->body, fault);
	json_decref(object);
	return rc;
}

/* Appends json as compact text and releases it; NULL: out of memory. */
static enum rc
dump(struct buf *out, json_t *json, size_t flags)
{
	char *text = NULL;

	if (json != NULL)
		text = json_dumps(json, JSON_COMPACT | flags);
	json_decref(json);
	if (text == NULL) {
		out->failed = true;
		return RC_MEMORY;
	}
	buf_puts(out, text);
	free(text);
	return buf_ok(out) ? RC_OK : RC_MEMORY;
}

enum rc
view_canonical(struct buf *out, const char *body, size_t len)
{
	json_t *object;
	enum rc rc;

	if (len == 0)
		return RC_OK;
	if ((rc = parse(&object, body, len, NULL)) != RC_OK)
		return rc;
	return dump(out, object, JSON_SORT_KEYS);
}

/* A string, null for "". */
static json_t *
text(const char *value)
{
	return value[0] != '\0' ? json_string(value) : json_null();
}

/* A time as RFC 3339, null for 0. */
static json_t *
moment(int64_t at)
{
	char stamp[TIMESTAMP_SIZE];

	return at != 0 ? json_string(timestamp_format(stamp, at)) : json_null();
}

static json_t *
party_json(const struct session_party *party)
{
	char dial[PHONE_SIZE + SESSION_CODE_SIZE + 3];

	/* Two commas: a phone waits some seconds before it sends the code. An
	 * erased party has none. */
	snprintf(dial, sizeof dial, "%s%s%s%s", party->number,
	    party->code[0] != '\0' ? ",," : "", party->code,
	    party->code[0] != '\0' ? "#" : "");
	return json_pack("{s:s, s:s, s:s, s:o, s:s, s:b}", "id", party->id,
	    "role", party->role, "masked_number", party->number, "code",
	    text(party->code), "dial", dial, "disputed", party->disputed);
}

static json_t *
session_json(const struct session *session, int64_t now)
{
	enum session_status status = session_status(session, now);
	int64_t closed_at = session->closed_at;

	/* Whether or not anybody has noticed yet. */
	if (status == SESSION_EXPIRED)
		closed_at = session->expires_at;
	return json_pack(
	    "{s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:s, s:s, s:[o, o]}", "id",
	    session->id, "reference", text(session->reference), "status",
	    session_status_name(status), "created_at",
	    moment(session->created_at), "expires_at",
	    moment(session->expires_at), "closed_at", moment(closed_at),
	    "linger_until", moment(session->linger_until), "voice",
	    session->voice, "text", session->text, "parties",
	    party_json(&session->parties[0]), party_json(&session->parties[1]));
}

static json_t *
call_json(const struct call_summary *call)
{
	return json_pack("{s:s, s:o, s:b, s:o, s:s, s:o, s:o, s:o, s:o, s:I}",
	    "id", call->id, "from", text(call->from), "placed", call->placed,
	    "reason", text(call->reason), "status", call->status, "started_at",
	    moment(call->started_at), "ringing_at", moment(call->ringing_at),
	    "answered_at", moment(call->answered_at), "ended_at",
	    moment(call->ended_at), "duration", (json_int_t)call->duration_s);
}

static json_t *
message_json(const struct message *message)
{
	json_t *error =
	    message->error != 0 ? json_integer(message->error) : json_null();

	return json_pack("{s:s, s:o, s:o, s:s, s:s, s:o, s:I, s:o, s:o, s:o}",
	    "id", message->id, "from", text(message->from), "to",
	    text(message->to), "reason", message->reason, "status",
	    message_status_name(message->status), "error", error, "media",
	    (json_int_t)message->media, "created_at",
	    moment(message->created_at), "sent_at", moment(message->sent_at),
	    "ended_at", moment(message->ended_at));
}

static json_t *
calls_json(const struct call_summary *calls, int len)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < len; i++)
		json_array_append_new(list, call_json(&calls[i]));
	return list;
}

static json_t *
messages_json(const struct message *messages, int len)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < len; i++)
		json_array_append_new(list, message_json(&messages[i]));
	return list;
}

/* A count, null for -1. */
static json_t *
count(int64_t value)
{
	return value >= 0 ? json_integer(value) : json_null();
}

static json_t *
recording_json(const struct recording *recording)
{
	return json_pack("{s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "id",
	    recording->id, "session_id", text(recording->session_id), "call_id",
	    text(recording->call_id), "status",
	    recording_status_name(recording->status), "duration",
	    count(recording->duration_s), "channels",
	    count(recording->channels), "created_at",
	    moment(recording->created_at), "deleted_at",
	    moment(recording->deleted_at));
}

static json_t *
recordings_json(const struct recording *recordings, int len)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < len; i++)
		json_array_append_new(list, recording_json(&recordings[i]));
	return list;
}

enum rc
view_recording(struct buf *out, const struct recording *recording)
{
	return dump(out, recording_json(recording), 0);
}

enum rc
view_session_history(
    struct buf *out, const struct mask_history *history, int64_t now)
{
	json_t *json = session_json(&history->session, now);

	json_object_set_new(
	    json, "calls", calls_json(history->calls, history->calls_len));
	json_object_set_new(json, "messages",
	    messages_json(history->messages, history->messages_len));
	json_object_set_new(json, "recordings",
	    recordings_json(history->recordings, history->recordings_len));
	return dump(out, json, 0);
}

enum rc
view_session(struct buf *out, const struct session *session, int64_t now)
{
	return dump(out, session_json(session, now), 0);
}

enum rc
view_message(struct buf *out, const struct message *message)
{
	return dump(out, message_json(message), 0);
}

enum rc
view_message_text(struct buf *out, const struct message *message,
    const struct message_content *content)
{
	json_t *json = message_json(message), *urls = json_array();
	int i;

	for (i = 0; content != NULL && i < content->media_len; i++)
		json_array_append_new(urls, json_string(content->media[i]));
	json_object_set_new(json, "text",
	    content != NULL ? json_string(content->body) : json_null());
	json_object_set_new(json, "media_urls", urls);
	return dump(out, json, 0);
}

enum rc
view_messages(struct buf *out, const struct message *messages, int len)
{
	return dump(out,
	    json_pack("{s:o}", "messages", messages_json(messages, len)), 0);
}

enum rc
view_erasure(struct buf *out, const struct erasure *erasure,
    const struct erasure_item *items, int len)
{
	json_t *list = json_array();
	int i, waiting = 0;

	for (i = 0; i < len; i++) {
		if (items[i].erased_at == 0)
			waiting++;
		json_array_append_new(
		    list, json_pack("{s:s, s:o}", "thing", items[i].thing,
			      "erased_at", moment(items[i].erased_at)));
	}
	return dump(out,
	    json_pack("{s:s, s:s, s:o, s:o, s:i, s:o}", "id", erasure->id,
		"subject", erasure->subject, "subject_id",
		text(erasure->subject_id), "requested_at",
		moment(erasure->requested_at), "waiting", waiting, "items",
		list),
	    0);
}

enum rc
view_sessions(struct buf *out, const struct session *sessions, int len,
    int64_t now, const char *next)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < len; i++)
		json_array_append_new(list, session_json(&sessions[i], now));
	return dump(out,
	    json_pack("{s:o, s:o}", "sessions", list, "next", text(next)), 0);
}

enum rc
view_call(struct buf *out, const struct call_summary *call)
{
	json_t *json = call_json(call);

	json_object_set_new(json, "session_id", text(call->session_id));
	return dump(out, json, 0);
}

enum rc
view_route(struct buf *out, const struct mask_route *route)
{
	const struct policy_decision *decision = &route->decision;

	return dump(out,
	    json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:I}", "action",
		policy_action_name(decision->action), "reason",
		policy_reason_name(decision->reason), "sentence",
		text(say_reason(decision->reason, route->language)), "session",
		text(route->session_id), "caller", text(route->party_id),
		"callee", text(route->peer_id), "shown", text(route->caller_id),
		"limit", (json_int_t)route->limit_s),
	    0);
}

enum rc
view_intent(struct buf *out, int64_t expires_at)
{
	return dump(
	    out, json_pack("{s:o}", "expires_at", moment(expires_at)), 0);
}

/* What an id names, by its prefix. */
static const char *
subject_key(const char *id)
{
	static const char *const keys[][2] = { { "cal_", "call_id" },
		{ "msg_", "message_id" }, { "rec_", "recording_id" },
		{ "dlv_", "delivery_id" } };
	size_t i;

	for (i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (strncmp(id, keys[i][0], 4) == 0)
			return keys[i][1];
	return NULL;
}

static json_t *
event_json(const struct event_record *event)
{
	const char *key = subject_key(event->subject_id);
	json_t *data;

	data = json_pack("{s:I, s:s, s:o, s:o}", "seq", (json_int_t)event->seq,
	    "service", event->service, "session_id", text(event->session_id),
	    "reference", text(event->reference));
	if (key != NULL)
		json_object_set_new(data, key, text(event->subject_id));
	json_object_set_new(data, "detail", text(event->detail));
	return json_pack("{s:s, s:s, s:o, s:o}", "id", event->id, "type",
	    event->type, "timestamp", moment(event->created_at), "data", data);
}

enum rc
view_event(struct buf *out, const struct event_record *event)
{
	return dump(out, event_json(event), 0);
}

enum rc
view_events(
    struct buf *out, const struct event_record *events, int len, int64_t next)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < len; i++)
		json_array_append_new(list, event_json(&events[i]));
	return dump(out,
	    json_pack("{s:o, s:I}", "events", list, "next", (json_int_t)next),
	    0);
}

enum rc
view_problem(struct buf *out, const struct view_problem *problem)
{
	json_t *json;

	json = json_pack("{s:s, s:s, s:i, s:s}", "type", "about:blank", "title",
	    problem->title, "status", problem->status, "code", problem->code);
	if (problem->detail[0] != '\0')
		json_object_set_new(
		    json, "detail", json_string(problem->detail));
	if (problem->field[0] != '\0')
		json_object_set_new(json, "field", json_string(problem->field));
	if (problem->request[0] != '\0')
		json_object_set_new(
		    json, "request_id", json_string(problem->request));
	return dump(out, json, 0);
}
