/* Answers: from what deeds tell to JSON. */

#include "view.h"

#include <string.h>

#include "timestamp.h"
#include "view_json.h"

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
	    view_text(party->code), "dial", dial, "disputed", party->disputed);
}

json_t *
view_session_json(const struct session *session, int64_t now)
{
	enum session_status status = session_status(session, now);
	int64_t closed_at = session->closed_at;

	/* Whether or not anybody has noticed yet. */
	if (status == SESSION_EXPIRED)
		closed_at = session->expires_at;
	return json_pack(
	    "{s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:s, s:s, s:[o, o]}", "id",
	    session->id, "reference", view_text(session->reference), "status",
	    session_status_name(status), "created_at",
	    view_moment(session->created_at), "expires_at",
	    view_moment(session->expires_at), "closed_at",
	    view_moment(closed_at), "linger_until",
	    view_moment(session->linger_until), "voice", session->voice, "text",
	    session->text, "parties", party_json(&session->parties[0]),
	    party_json(&session->parties[1]));
}

static json_t *
call_json(const struct call_summary *call)
{
	return json_pack("{s:s, s:o, s:b, s:o, s:s, s:o, s:o, s:o, s:o, s:I}",
	    "id", call->id, "from", view_text(call->from), "placed",
	    call->placed, "reason", view_text(call->reason), "status",
	    call->status, "started_at", view_moment(call->started_at),
	    "ringing_at", view_moment(call->ringing_at), "answered_at",
	    view_moment(call->answered_at), "ended_at",
	    view_moment(call->ended_at), "duration",
	    (json_int_t)call->duration_s);
}

static json_t *
message_json(const struct message *message)
{
	json_t *error =
	    message->error != 0 ? json_integer(message->error) : json_null();

	return json_pack("{s:s, s:o, s:o, s:s, s:s, s:o, s:I, s:o, s:o, s:o}",
	    "id", message->id, "from", view_text(message->from), "to",
	    view_text(message->to), "reason", message->reason, "status",
	    message_status_name(message->status), "error", error, "media",
	    (json_int_t)message->media, "created_at",
	    view_moment(message->created_at), "sent_at",
	    view_moment(message->sent_at), "ended_at",
	    view_moment(message->ended_at));
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

static json_t *
recording_json(const struct recording *recording)
{
	return json_pack("{s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "id",
	    recording->id, "session_id", view_text(recording->session_id),
	    "call_id", view_text(recording->call_id), "status",
	    recording_status_name(recording->status), "duration",
	    view_count(recording->duration_s), "channels",
	    view_count(recording->channels), "created_at",
	    view_moment(recording->created_at), "deleted_at",
	    view_moment(recording->deleted_at));
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
	return view_dump(out, recording_json(recording), 0);
}

enum rc
view_session_history(
    struct buf *out, const struct mask_history *history, int64_t now)
{
	json_t *json = view_session_json(&history->session, now);

	json_object_set_new(
	    json, "calls", calls_json(history->calls, history->calls_len));
	json_object_set_new(json, "messages",
	    messages_json(history->messages, history->messages_len));
	json_object_set_new(json, "recordings",
	    recordings_json(history->recordings, history->recordings_len));
	return view_dump(out, json, 0);
}

enum rc
view_session(struct buf *out, const struct session *session, int64_t now)
{
	return view_dump(out, view_session_json(session, now), 0);
}

enum rc
view_message(struct buf *out, const struct message *message)
{
	return view_dump(out, message_json(message), 0);
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
	return view_dump(out, json, 0);
}

enum rc
view_messages(struct buf *out, const struct message *messages, int len)
{
	return view_dump(out,
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
			      "erased_at", view_moment(items[i].erased_at)));
	}
	return view_dump(out,
	    json_pack("{s:s, s:s, s:o, s:o, s:i, s:o}", "id", erasure->id,
		"subject", erasure->subject, "subject_id",
		view_text(erasure->subject_id), "requested_at",
		view_moment(erasure->requested_at), "waiting", waiting, "items",
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
		json_array_append_new(
		    list, view_session_json(&sessions[i], now));
	return view_dump(out,
	    json_pack("{s:o, s:o}", "sessions", list, "next", view_text(next)),
	    0);
}

enum rc
view_call(struct buf *out, const struct call_summary *call)
{
	json_t *json = call_json(call);

	json_object_set_new(json, "session_id", view_text(call->session_id));
	return view_dump(out, json, 0);
}

enum rc
view_intent(struct buf *out, int64_t expires_at)
{
	return view_dump(
	    out, json_pack("{s:o}", "expires_at", view_moment(expires_at)), 0);
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

json_t *
view_event_json(const struct event_record *event)
{
	const char *key = subject_key(event->subject_id);
	json_t *data;

	data = json_pack("{s:I, s:s, s:o, s:o}", "seq", (json_int_t)event->seq,
	    "service", event->service, "session_id",
	    view_text(event->session_id), "reference",
	    view_text(event->reference));
	if (key != NULL)
		json_object_set_new(data, key, view_text(event->subject_id));
	json_object_set_new(data, "detail", view_text(event->detail));
	return json_pack("{s:s, s:s, s:o, s:o}", "id", event->id, "type",
	    event->type, "timestamp", view_moment(event->created_at), "data",
	    data);
}

enum rc
view_event(struct buf *out, const struct event_record *event)
{
	return view_dump(out, view_event_json(event), 0);
}

enum rc
view_events(
    struct buf *out, const struct event_record *events, int len, int64_t next)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < len; i++)
		json_array_append_new(list, view_event_json(&events[i]));
	return view_dump(out,
	    json_pack("{s:o, s:I}", "events", list, "next", (json_int_t)next),
	    0);
}

enum rc
view_self(struct buf *out, const struct apikey *key, const char *service,
    int64_t ends_at)
{
	return view_dump(out,
	    json_pack("{s:s, s:s, s:s, s:s, s:o}", "id", key->id, "name",
		key->name, "role", apikey_roles[key->role], "service", service,
		"ends_at", view_moment(ends_at)),
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
	return view_dump(out, json, 0);
}
