/* Masked numbers as JSON. */

#include <stdio.h>
#include <string.h>

#include "view.h"
#include "view_json.h"

/* Reads the array at key, which must have a number at least. A text that is
 * too long for a number becomes "", which is none. */
static enum rc
read_list(json_t *object, const char *key, struct mask_numbers *numbers,
    struct fault *fault)
{
	json_t *list = json_object_get(object, key), *item;
	char path[32];
	size_t i;

	if (!json_is_array(list) || json_array_size(list) == 0 ||
	    json_array_size(list) > MASK_NUMBERS_MAX)
		return rc_fault(fault, RC_INVALID, key,
		    "must be an array of 1 to %d numbers", MASK_NUMBERS_MAX);
	json_array_foreach(list, i, item)
	{
		snprintf(path, sizeof path, "%s[%zu]", key, i);
		if (!json_is_string(item))
			return rc_fault(
			    fault, RC_INVALID, path, "must be a string");
		if (json_string_length(item) < PHONE_SIZE)
			strcpy(numbers->numbers[i], json_string_value(item));
		else
			numbers->numbers[i][0] = '\0';
	}
	numbers->len = (int)i;
	return RC_OK;
}

enum rc
view_read_numbers(struct mask_numbers *numbers, const char *body, size_t len,
    struct fault *fault)
{
	static const char *const known[] = { "numbers", NULL };
	json_t *object;
	enum rc rc;

	*numbers = (struct mask_numbers){ .len = 0 };
	if ((rc = view_parse(&object, body, len, fault)) != RC_OK)
		return rc;
	if ((rc = view_refuse_unknown(object, "", known, fault)) == RC_OK)
		rc = read_list(object, "numbers", numbers, fault);
	json_decref(object);
	return rc;
}

enum rc
view_read_sync(
    struct mask_sync *sync, const char *body, size_t len, struct fault *fault)
{
	static const char *const known[] = { "apply", "numbers", "cursor",
		NULL };
	char digits[PHONE_SIZE - 1];
	json_t *object, *numbers;
	enum rc rc;

	*sync = (struct mask_sync){ .apply = false };
	if ((rc = view_parse(&object, body, len, fault)) != RC_OK)
		return rc;
	if ((rc = view_refuse_unknown(object, "", known, fault)) == RC_OK)
		rc = view_read_flag(object, "apply", &sync->apply, fault);
	numbers = json_object_get(object, "numbers");
	if (rc == RC_OK && numbers != NULL && !json_is_null(numbers))
		rc = read_list(object, "numbers", &sync->numbers, fault);
	if (rc == RC_OK)
		rc = view_read_text(
		    object, "", "cursor", digits, sizeof digits, false, fault);
	json_decref(object);
	if (rc != RC_OK || digits[0] == '\0')
		return rc;
	snprintf(sync->after, sizeof sync->after, "+%s", digits);
	if (sync->numbers.len != 0)
		return rc_fault(
		    fault, RC_INVALID, "cursor", "goes only without numbers");
	if (phone_country(sync->after)[0] == '\0')
		return rc_fault(fault, RC_INVALID, "cursor",
		    "must be the next of an earlier answer");
	return RC_OK;
}

enum rc
view_queued(struct buf *out, int64_t queued, const char *next)
{
	return view_dump(out,
	    json_pack("{s:I, s:o}", "queued", (json_int_t)queued, "next",
		view_text(next)),
	    0);
}

enum rc
view_read_number_state(
    char *state, size_t size, const char *body, size_t len, struct fault *fault)
{
	static const char *const known[] = { "state", NULL };
	json_t *object;
	enum rc rc;

	if ((rc = view_parse(&object, body, len, fault)) != RC_OK)
		return rc;
	if ((rc = view_refuse_unknown(object, "", known, fault)) == RC_OK)
		rc = view_read_text(
		    object, "", "state", state, size, true, fault);
	json_decref(object);
	if (rc == RC_OK && !number_state_valid(state))
		rc = rc_fault(fault, RC_INVALID, "state",
		    "must be active, reserved, draining or retired");
	return rc;
}

static json_t *
number_json(const struct number *number)
{
	const struct number_twilio *twilio = &number->twilio;

	return json_pack(
	    "{s:s, s:s, s:s, s:I, s:I, s:o, s:o, s:{s:s, s:o, s:o}}", "number",
	    number->number, "country", number->country, "state", number->state,
	    "live", (json_int_t)number->live, "held", (json_int_t)number->held,
	    "last_used_at", view_moment(number->last_used_at), "created_at",
	    view_moment(number->created_at), "twilio", "state", twilio->state,
	    "detail", view_text(twilio->detail), "checked_at",
	    view_moment(twilio->checked_at));
}

enum rc
view_number(struct buf *out, const struct number *number)
{
	return view_dump(out, number_json(number), 0);
}

enum rc
view_numbers(
    struct buf *out, const struct number *numbers, int len, const char *next)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < len; i++)
		json_array_append_new(list, number_json(&numbers[i]));
	return view_dump(out,
	    json_pack("{s:o, s:o}", "numbers", list, "next", view_text(next)),
	    0);
}

enum rc
view_numbers_added(struct buf *out, const struct mask_numbers *numbers,
    const struct mask_added *added)
{
	static const char *const results[] = {
		[MASK_NUMBER_ADDED] = "added",
		[MASK_NUMBER_EXISTS] = "exists",
		[MASK_NUMBER_REFUSED] = "refused",
	};
	char redacted[PHONE_REDACTED_SIZE];
	json_t *list = json_array();
	int i;

	for (i = 0; i < numbers->len; i++) {
		const char *number = numbers->numbers[i];

		/* It may be somebody's own. */
		if (added[i].result == MASK_NUMBER_REFUSED)
			number = phone_redact(number, redacted);
		json_array_append_new(
		    list, json_pack("{s:s, s:s, s:o}", "number", number,
			      "result", results[added[i].result], "detail",
			      view_text(added[i].fault.detail)));
	}
	return view_dump(out, json_pack("{s:o}", "results", list), 0);
}
