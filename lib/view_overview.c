/* How a service stands, and how it went: to JSON. */

#include "view.h"

#include "view_json.h"

/* What was counted of a kind, by detail. */
static json_t *
reasons_json(const struct overview *o, enum tally_what what)
{
	json_t *by = json_object();
	int i;

	for (i = 0; i < o->reasons_len; i++)
		if (o->reasons[i].what == what)
			json_object_set_new(by, o->reasons[i].detail,
			    json_integer(o->reasons[i].count));
	return by;
}

static json_t *
calls_json(const struct overview *o)
{
	return json_pack("{s:I, s:{s:I, s:I, s:I, s:I, s:o, s:o}}", "now",
	    (json_int_t)o->calls_now, "today", "answered",
	    (json_int_t)o->today[TALLY_CALLS_ANSWERED], "missed",
	    (json_int_t)o->today[TALLY_CALLS_MISSED], "refused",
	    (json_int_t)o->today[TALLY_CALLS_REFUSED], "failed",
	    (json_int_t)o->today[TALLY_CALLS_FAILED], "refused_by",
	    reasons_json(o, TALLY_CALLS_REFUSED), "missed_by",
	    reasons_json(o, TALLY_CALLS_MISSED));
}

static json_t *
texts_json(const struct overview *o)
{
	return json_pack("{s:{s:I, s:I, s:o}}", "today", "relayed",
	    (json_int_t)o->today[TALLY_TEXTS_RELAYED], "refused",
	    (json_int_t)o->today[TALLY_TEXTS_REFUSED], "refused_by",
	    reasons_json(o, TALLY_TEXTS_REFUSED));
}

static json_t *
pool_json(const struct overview *o)
{
	json_t *numbers = json_array(), *row;
	int i, state;

	for (i = 0; i < o->countries_len; i++) {
		row = json_pack("{s:s}", "country", o->countries[i].country);
		for (state = 0; state < OVERVIEW_STATE__MAX; state++)
			json_object_set_new(row,
			    overview_state_name((enum overview_state)state),
			    json_integer(o->countries[i].counts[state]));
		json_array_append_new(numbers, row);
	}
	return json_pack("{s:o, s:o, s:o}", "numbers", numbers, "free",
	    o->met ? json_real(o->free) : json_null(), "days_left",
	    view_count(o->days_left));
}

static json_t *
deliveries_json(const struct overview *o)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < OUTBOX_CHANNEL__MAX; i++)
		json_array_append_new(
		    list, json_pack("{s:s, s:I, s:I}", "channel",
			      overview_channel_name((enum outbox_channel)i),
			      "waiting", (json_int_t)o->waiting[i], "late",
			      (json_int_t)(o->late_ms[i] / 1000)));
	return list;
}

enum rc
view_overview(
    struct buf *out, const struct overview *o, const struct view_health *health)
{
	json_t *said;

	said = json_pack("{s:b, s:b, s:s?, s:I, s:I, s:I}", "database",
	    health->database, "worker", health->worker, "trouble",
	    health->trouble, "requests_failed",
	    (json_int_t)health->requests_failed, "calls_unrecorded",
	    (json_int_t)health->calls_unrecorded, "calls_apologised",
	    (json_int_t)health->calls_apologised);
	return view_dump(out,
	    json_pack("{s:o, s:{s:I, s:b}, s:o, s:o, s:o, s:o, s:I, s:o}",
		"now", view_moment(o->now), "sessions", "open",
		(json_int_t)o->sessions_open, "capped",
		o->sessions_open >= OVERVIEW_SESSIONS_MAX, "calls",
		calls_json(o), "texts", texts_json(o), "pool", pool_json(o),
		"deliveries", deliveries_json(o), "parked",
		(json_int_t)o->parked, "health", said),
	    JSON_REAL_PRECISION(4));
}

enum rc
view_tallies(struct buf *out, const struct tally_series *series)
{
	json_t *all = json_object(), *list;
	int what, i;

	for (what = 0; what < TALLY__MAX; what++) {
		list = json_array();
		for (i = 0; i < series->len; i++)
			json_array_append_new(
			    list, json_integer(series->counts[what][i]));
		json_object_set_new(
		    all, tally_name((enum tally_what)what), list);
	}
	return view_dump(out,
	    json_pack("{s:s, s:I, s:o, s:o}", "span",
		tally_span_name(series->span), "step",
		(json_int_t)series->step_s, "from", view_moment(series->from),
		"series", all),
	    0);
}
