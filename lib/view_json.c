/* Reading and writing JSON (jansson). */

#include "view_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "timestamp.h"
#include "view.h"

enum rc
view_parse(json_t **out, const char *body, size_t len, struct fault *fault)
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
view_path(char out[64], const char *prefix, const char *key)
{
	snprintf(
	    out, 64, "%s%s%.40s", prefix, prefix[0] != '\0' ? "." : "", key);
}

enum rc
view_refuse_unknown(json_t *object, const char *prefix,
    const char *const *known, struct fault *fault)
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
		view_path(path, prefix, *p == '\0' ? key : "?");
		return rc_fault(fault, RC_INVALID, path, "unknown field");
	}
	return RC_OK;
}

enum rc
view_read_text(json_t *object, const char *prefix, const char *key, char *out,
    size_t size, bool required, struct fault *fault)
{
	json_t *value = json_object_get(object, key);
	char path[64];

	out[0] = '\0';
	view_path(path, prefix, key);
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

enum rc
view_read_seconds(
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

enum rc
view_read_flag(json_t *object, const char *key, bool *flag, struct fault *fault)
{
	json_t *value = json_object_get(object, key);

	*flag = json_is_true(value);
	if (value == NULL || json_is_boolean(value) || json_is_null(value))
		return RC_OK;
	return rc_fault(fault, RC_INVALID, key, "must be true or false");
}

enum rc
view_dump(struct buf *out, json_t *json, size_t flags)
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

json_t *
view_text(const char *value)
{
	return value[0] != '\0' ? json_string(value) : json_null();
}

json_t *
view_moment(int64_t at)
{
	char stamp[TIMESTAMP_SIZE];

	return at != 0 ? json_string(timestamp_format(stamp, at)) : json_null();
}

json_t *
view_count(int64_t value)
{
	return value >= 0 ? json_integer(value) : json_null();
}

enum rc
view_canonical(struct buf *out, const char *body, size_t len)
{
	json_t *object;
	enum rc rc;

	if (len == 0)
		return RC_OK;
	if ((rc = view_parse(&object, body, len, NULL)) != RC_OK)
		return rc;
	return view_dump(out, object, JSON_SORT_KEYS);
}
