/* A service's settings, read and shown, and what they have people hear. */

#include "view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "twiml.h"
#include "view_json.h"

#define VALUE_SIZE 300 /* bytes of a setting as text */

static const char *const kinds[] = {
	[SERVICE_NUMBER] = "number",
	[SERVICE_COUNTRIES] = "countries",
	[SERVICE_PHONE] = "phone",
	[SERVICE_LANGUAGE] = "language",
	[SERVICE_TEXT] = "text",
	[SERVICE_URL] = "url",
};

/* The setting of this name; NULL if there is none. */
static const struct service_setting *
find_setting(const char *name)
{
	const struct service_setting *setting = service_settings;

	for (; setting->name != NULL; setting++)
		if (strcmp(setting->name, name) == 0)
			return setting;
	return NULL;
}

/* Sets one setting to what stands in the document. */
static enum rc
set_setting(struct service *service, const struct service_setting *setting,
    json_t *value, struct fault *fault)
{
	bool number = setting->kind == SERVICE_NUMBER;
	char path[sizeof fault->field], digits[24] = "";
	const char *text = "";
	enum rc rc;

	snprintf(path, sizeof path, "settings.%s", setting->name);
	if (!number && json_is_string(value)) {
		text = json_string_value(value);
	} else if (number && json_is_integer(value)) {
		snprintf(digits, sizeof digits, "%" PRId64,
		    (int64_t)json_integer_value(value));
		text = digits;
	} else if (!number && !json_is_null(value)) {
		return rc_fault(
		    fault, RC_INVALID, path, "must be a string or null");
	}
	/* No number at all is refused like one out of bounds. */
	rc = service_set(service, setting->name, text, fault);
	if (rc != RC_OK)
		snprintf(fault->field, sizeof fault->field, "%s", path);
	return rc;
}

/* Sets all that the object names. */
static enum rc
set_settings(struct service *service, json_t *settings, struct fault *fault)
{
	const struct service_setting *setting;
	const char *name;
	json_t *value;
	enum rc rc = RC_OK;

	json_object_foreach(settings, name, value)
	{
		setting = find_setting(name);
		/* What is no setting is not repeated: it could be a value. */
		if (setting == NULL)
			return rc_fault(fault, RC_INVALID, "settings.?",
			    "there is no such setting");
		rc = set_setting(service, setting, value, fault);
		if (rc != RC_OK)
			break;
	}
	return rc;
}

enum rc
view_read_settings(struct service *service, const char *body, size_t len,
    bool required, struct fault *fault)
{
	static const char *const known[] = { "settings", NULL };
	json_t *object, *settings;
	enum rc rc;

	if (len == 0 && !required)
		return RC_OK;
	if ((rc = view_parse(&object, body, len, fault)) != RC_OK)
		return rc;
	settings = json_object_get(object, "settings");
	if ((rc = view_refuse_unknown(object, "", known, fault)) != RC_OK)
		;
	else if (json_is_object(settings))
		rc = set_settings(service, settings, fault);
	else if (required || settings != NULL)
		rc = rc_fault(
		    fault, RC_INVALID, "settings", "must be an object");
	json_decref(object);
	return rc;
}

/* The value of a setting. */
static json_t *
value_json(const struct service *service, const struct service_setting *setting)
{
	char text[VALUE_SIZE], *blank;
	int64_t number;

	service_show(service, setting, text, sizeof text);
	if (setting->kind == SERVICE_NUMBER &&
	    sscanf(text, "%" SCNd64, &number))
		return json_integer(number);
	if (setting->kind == SERVICE_COUNTRIES)
		while ((blank = strchr(text, ' ')) != NULL)
			*blank = ',';
	return view_text(text);
}

static json_t *
setting_json(const struct service *service, const struct service *standard,
    const struct service_setting *setting)
{
	json_t *json = json_pack("{s:s, s:s, s:s, s:o, s:o}", "name",
	    setting->name, "help", setting->help, "kind", kinds[setting->kind],
	    "value", value_json(service, setting), "default",
	    value_json(standard, setting));

	if (setting->kind == SERVICE_NUMBER) {
		json_object_set_new(
		    json, "least", json_integer(setting->least));
		json_object_set_new(json, "most", json_integer(setting->most));
	}
	return json;
}

enum rc
view_service(struct buf *out, const struct service *service,
    const struct hook_secret *secrets, int len, const char *fresh)
{
	const struct service_setting *setting = service_settings;
	json_t *settings = json_array(), *list = json_array(), *json;
	struct service standard;
	int i;

	service_init(&standard);
	for (; setting->name != NULL; setting++)
		json_array_append_new(
		    settings, setting_json(service, &standard, setting));
	for (i = 0; i < len; i++)
		json_array_append_new(list,
		    json_pack("{s:s, s:o, s:o}", "id", secrets[i].id,
			"created_at", view_moment(secrets[i].created_at),
			"retires_at", view_moment(secrets[i].retires_at)));
	json = json_pack("{s:s, s:s, s:o, s:o}", "id", service->id, "name",
	    service->name, "settings", settings, "webhook_secrets", list);
	if (fresh[0] != '\0')
		json_object_set_new(json, "webhook_secret", json_string(fresh));
	return view_dump(out, json, 0);
}

static void
add_sentence(void *cookie, const char *sentence)
{
	json_array_append_new(cookie, json_string(sentence));
}

enum rc
view_previews(struct buf *out, const struct view_preview *previews, int len)
{
	json_t *list = json_array(), *sentences;
	enum rc rc = RC_OK;
	int i;

	for (i = 0; i < len && rc == RC_OK; i++) {
		sentences = json_array();
		rc =
		    twiml_sentences(previews[i].twiml, add_sentence, sentences);
		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:o, s:s}", "situation",
			previews[i].situation, "title", previews[i].title,
			"sentences", sentences, "twiml", previews[i].twiml));
	}
	if (rc == RC_OK)
		return view_dump(out, json_pack("{s:o}", "previews", list), 0);
	json_decref(list);
	return rc;
}
