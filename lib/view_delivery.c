/* Deliveries as JSON. */

#include <string.h>

#include "view.h"
#include "view_json.h"

static json_t *
delivery_json(const struct outbox_view *view)
{
	bool waits = strcmp(view->state, "waiting") == 0;

	return json_pack(
	    "{s:s, s:s, s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o}", "id",
	    view->id, "kind", view->kind, "channel", view->channel,
	    "subject_id", view->subject_id, "state", view->state, "attempts",
	    (json_int_t)view->attempts, "due_at",
	    view_moment(waits ? view->due_ms / 1000 : 0), "created_at",
	    view_moment(view->created_ms / 1000), "ended_at",
	    view_moment(view->ended_at), "status",
	    view_count(view->status != 0 ? view->status : -1), "error",
	    view_text(view->error));
}

enum rc
view_delivery(struct buf *out, const struct outbox_view *view)
{
	return view_dump(out, delivery_json(view), 0);
}

enum rc
view_delivery_tries(struct buf *out, const struct outbox_view *view,
    const struct outbox_attempt *attempts, int len)
{
	json_t *json = delivery_json(view), *list = json_array();
	int i;

	for (i = 0; i < len; i++) {
		const struct outbox_attempt *a = &attempts[i];

		json_array_append_new(
		    list, json_pack("{s:I, s:o, s:I, s:o, s:o}", "number",
			      (json_int_t)a->number, "started_at",
			      view_moment(a->started_ms / 1000), "took_ms",
			      (json_int_t)a->took_ms, "status",
			      view_count(a->status != 0 ? a->status : -1),
			      "error", view_text(a->error)));
	}
	json_object_set_new(json, "tries", list);
	return view_dump(out, json, 0);
}

enum rc
view_deliveries(
    struct buf *out, const struct outbox_view *views, int len, const char *next)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < len; i++)
		json_array_append_new(list, delivery_json(&views[i]));
	return view_dump(out,
	    json_pack(
		"{s:o, s:o}", "deliveries", list, "next", view_text(next)),
	    0);
}

enum rc
view_retried(struct buf *out, int64_t count, bool more)
{
	return view_dump(out,
	    json_pack("{s:I, s:b}", "retried", (json_int_t)count, "more", more),
	    0);
}
