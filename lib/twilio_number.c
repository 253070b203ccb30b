/* The numbers of a Twilio account. Sees jansson because these lists are
 * Twilio's JSON, as twilio_rest's answers are. */

#include "twilio_number.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "utf8.h"

/* How Twilio names the settings, in JSON and in forms. */
static const struct setting {
	const char *json;
	const char *form; /* NULL: never set by us */
	enum twilio_number_kind kind;
} settings[TWILIO_NUMBER__MAX] = {
	[TWILIO_NUMBER_VOICE_URL] = { "voice_url", "VoiceUrl",
	    TWILIO_NUMBER_SET },
	[TWILIO_NUMBER_VOICE_METHOD] = { "voice_method", "VoiceMethod",
	    TWILIO_NUMBER_SET },
	[TWILIO_NUMBER_STATUS_CALLBACK] = { "status_callback", "StatusCallback",
	    TWILIO_NUMBER_SET },
	[TWILIO_NUMBER_STATUS_CALLBACK_METHOD] = { "status_callback_method",
	    "StatusCallbackMethod", TWILIO_NUMBER_SET },
	[TWILIO_NUMBER_SMS_URL] = { "sms_url", "SmsUrl", TWILIO_NUMBER_SET },
	[TWILIO_NUMBER_SMS_METHOD] = { "sms_method", "SmsMethod",
	    TWILIO_NUMBER_SET },
	[TWILIO_NUMBER_TRUNK] = { "trunk_sid", "TrunkSid", TWILIO_NUMBER_TAKE },
	[TWILIO_NUMBER_VOICE_APPLICATION] = { "voice_application_sid",
	    "VoiceApplicationSid", TWILIO_NUMBER_TAKE },
	[TWILIO_NUMBER_SMS_APPLICATION] = { "sms_application_sid",
	    "SmsApplicationSid", TWILIO_NUMBER_TAKE },
	[TWILIO_NUMBER_VOICE_FALLBACK] = { "voice_fallback_url", NULL,
	    TWILIO_NUMBER_NOTE },
	[TWILIO_NUMBER_SMS_FALLBACK] = { "sms_fallback_url", NULL,
	    TWILIO_NUMBER_NOTE },
};

void
twilio_number_wanted(struct twilio_number *wanted, const struct conf *conf)
{
	*wanted = (struct twilio_number){ .voice = true, .text = true };
	conf_url(conf, "/twilio/voice", wanted->is[TWILIO_NUMBER_VOICE_URL],
	    TWILIO_NUMBER_VALUE_SIZE);
	snprintf(wanted->is[TWILIO_NUMBER_STATUS_CALLBACK],
	    TWILIO_NUMBER_VALUE_SIZE, "%s/twilio/status", conf->public_url);
	snprintf(wanted->is[TWILIO_NUMBER_SMS_URL], TWILIO_NUMBER_VALUE_SIZE,
	    "%s/twilio/message", conf->public_url);
	strcpy(wanted->is[TWILIO_NUMBER_VOICE_METHOD], "POST");
	strcpy(wanted->is[TWILIO_NUMBER_STATUS_CALLBACK_METHOD], "POST");
	strcpy(wanted->is[TWILIO_NUMBER_SMS_METHOD], "POST");
}

/* Whether a setting is not as wanted. What a number without texts does with
 * texts is of no interest. */
static bool
differs(const struct twilio_number *is, const struct twilio_number *wanted,
    size_t i)
{
	bool of_texts = strncmp(settings[i].json, "sms_", 4) == 0;

	return (is->text || !of_texts) && strcmp(is->is[i], wanted->is[i]) != 0;
}

void
twilio_number_compare(const struct twilio_number *is,
    const struct twilio_number *wanted,
    void (*each)(void *cookie, const struct twilio_number_finding *finding),
    void *cookie)
{
	size_t i;

	if (!is->voice)
		each(
		    cookie, &(struct twilio_number_finding){ TWILIO_NUMBER_LACK,
				"capabilities.voice", "false", "true" });
	for (i = 0; i < TWILIO_NUMBER__MAX; i++)
		if (differs(is, wanted, i))
			each(cookie,
			    &(struct twilio_number_finding){ settings[i].kind,
				settings[i].json, is->is[i], wanted->is[i] });
	if (!is->text)
		each(
		    cookie, &(struct twilio_number_finding){ TWILIO_NUMBER_NOTE,
				"capabilities.sms", "false", "true" });
}

/* Where findings are put into words. */
struct words {
	char *out;
	size_t left; /* bytes, the NUL's included */
	bool right;
};

/* Copies a value without what may be a secret in a URL: user and password, and
 * the query. */
static void
copy_plain(char *out, const char *value)
{
	const char *host = strstr(value, "://"), *at;
	size_t end = strcspn(value, "?#");

	if (host == NULL) {
		strcpy(out, value);
		return;
	}
	host += strlen("://");
	at = memchr(host, '@', strcspn(host, "/?#"));
	sprintf(out, "%.*s", (int)(host - value), value);
	if (at != NULL)
		host = at + 1;
	strncat(out, host, (size_t)(value + end - host));
}

static void
add_words(void *cookie, const struct twilio_number_finding *finding)
{
	char text[2 * TWILIO_NUMBER_VALUE_SIZE + 80];
	char is[TWILIO_NUMBER_VALUE_SIZE];
	struct words *words = cookie;
	size_t len;

	if (finding->kind == TWILIO_NUMBER_NOTE)
		return;
	copy_plain(is, finding->is);
	snprintf(text, sizeof text, "%s%s is %s%s%s", words->right ? "" : "; ",
	    finding->setting, is[0] != '\0' ? is : "not set",
	    finding->wanted[0] != '\0' ? ", should be " : "", finding->wanted);
	words->right = false;
	/* Whole, so that no character is cut. */
	if ((len = strlen(text)) >= words->left)
		return;
	strcpy(words->out, text);
	words->out += len;
	words->left -= len;
}

bool
twilio_number_words(const struct twilio_number *is,
    const struct twilio_number *wanted, char *out, size_t size)
{
	struct words words = { .out = out, .left = size, .right = true };

	out[0] = '\0';
	twilio_number_compare(is, wanted, add_words, &words);
	return words.right;
}

int64_t
twilio_number_differs(
    const struct twilio_number *is, const struct twilio_number *wanted)
{
	int64_t bits = 0;
	size_t i;

	for (i = 0; i < TWILIO_NUMBER__MAX; i++)
		if (settings[i].kind == TWILIO_NUMBER_SET &&
		    differs(is, wanted, i))
			bits |= INT64_C(1) << i;
	return bits;
}

void
twilio_number_bend(struct twilio_number *is, const struct twilio_number *wanted,
    const char *sid, int64_t bits)
{
	size_t i;

	*is = *wanted;
	snprintf(is->sid, sizeof is->sid, "%s", sid);
	for (i = 0; i < TWILIO_NUMBER__MAX; i++)
		if (bits & INT64_C(1) << i)
			is->is[i][0] = '\0';
}

void
twilio_number_list(struct twilio_rest *rest, const struct conf *conf,
    const struct secrets *secrets, const char *next)
{
	char size[16];

	if (next[0] != '\0') {
		twilio_rest_begin(rest, conf, secrets, "GET", next);
		return;
	}
	twilio_rest_begin(
	    rest, conf, secrets, "GET", "IncomingPhoneNumbers.json");
	snprintf(size, sizeof size, "%d", TWILIO_NUMBER_PAGE);
	twilio_rest_field(rest, "PageSize", size);
}

void
twilio_number_find(struct twilio_rest *rest, const struct conf *conf,
    const struct secrets *secrets, const char *number)
{
	twilio_rest_begin(
	    rest, conf, secrets, "GET", "IncomingPhoneNumbers.json");
	twilio_rest_field(rest, "PhoneNumber", number);
}

/* Copies a text of an object, cut to fit; it may be shown on a terminal, so
 * control characters become question marks. */
static void
read_text(json_t *object, const char *key, char *out, size_t size)
{
	const char *text = json_string_value(json_object_get(object, key));
	size_t len;

	if (text == NULL)
		text = "";
	for (; (len = utf8_next(text)) != 0 && len < size; text += len) {
		memcpy(out, text, len);
		if ((unsigned char)*out < 0x20 || *out == 0x7f)
			*out = '?';
		out += len;
		size -= len;
	}
	*out = '\0';
}

/* Reads a capability; Twilio's lists write some of them in capitals. */
static bool
able(json_t *object, const char *small, const char *capital)
{
	json_t *abilities = json_object_get(object, "capabilities");

	return json_is_true(json_object_get(abilities, small)) ||
	       json_is_true(json_object_get(abilities, capital));
}

/* Reads where the next page is, as a path that twilio_rest_begin takes. */
static enum rc
read_next(json_t *page, const struct conf *conf, const struct secrets *secrets,
    char next[TWILIO_NUMBER_NEXT_SIZE])
{
	json_t *value = json_object_get(page, "next_page_uri");
	const char *base = conf->twilio_api_url, *path, *uri;
	char account[64];
	size_t len;

	next[0] = '\0';
	if (value == NULL || json_is_null(value))
		return RC_OK;
	if ((uri = json_string_value(value)) == NULL)
		return RC_SYNTAX;
	if (uri[0] == '\0')
		return RC_OK;
	/* With scheme and host, or with the base's path, or without. */
	len = strlen(base);
	path = strchr(strstr(base, "://") + 3, '/');
	if (strncmp(uri, base, len) == 0)
		uri += len;
	else if (path != NULL && strncmp(uri, path, strlen(path)) == 0)
		uri += strlen(path);
	snprintf(account, sizeof account, "/2010-04-01/Accounts/%s/",
	    secrets->account_sid);
	if (strncmp(uri, account, strlen(account)) != 0 ||
	    strlen(uri) >= TWILIO_NUMBER_NEXT_SIZE)
		return RC_SYNTAX;
	strcpy(next, uri);
	return RC_OK;
}

/* Reads a number; one without a SID is none. */
static bool
read_number(json_t *item, struct twilio_number *number)
{
	size_t i;

	*number = (struct twilio_number){ .voice = able(item, "voice", "Voice"),
		.text = able(item, "sms", "SMS") };
	read_text(item, "sid", number->sid, sizeof number->sid);
	read_text(item, "phone_number", number->number, sizeof number->number);
	for (i = 0; i < TWILIO_NUMBER__MAX; i++) {
		read_text(item, settings[i].json, number->is[i],
		    sizeof number->is[i]);
		/* What Twilio takes if nothing was said. */
		if (number->is[i][0] == '\0' &&
		    strstr(settings[i].json, "_method") != NULL)
			strcpy(number->is[i], "POST");
	}
	return twilio_sid_valid(number->sid, "PN");
}

enum rc
twilio_number_read(const struct conf *conf, const struct secrets *secrets,
    const char *body, size_t len,
    void (*each)(void *cookie, const struct twilio_number *number),
    void *cookie, char next[TWILIO_NUMBER_NEXT_SIZE])
{
	struct twilio_number number;
	json_t *page, *list, *item;
	enum rc rc = RC_SYNTAX;
	size_t i;

	page = json_loadb(body, len, 0, NULL);
	list = json_object_get(page, "incoming_phone_numbers");
	if (json_is_array(list)) {
		rc = read_next(page, conf, secrets, next);
		for (i = 0; rc == RC_OK && i < json_array_size(list); i++) {
			item = json_array_get(list, i);
			if (read_number(item, &number))
				each(cookie, &number);
		}
	} else if (read_number(page, &number)) {
		next[0] = '\0';
		each(cookie, &number);
		rc = RC_OK;
	}
	json_decref(page);
	return rc;
}

/* Begins a request that changes the number called sid. */
static void
begin_one(struct twilio_rest *rest, const struct conf *conf,
    const struct secrets *secrets, const char *method, const char *sid)
{
	char path[sizeof "IncomingPhoneNumbers/.json" + TWILIO_SID_SIZE];

	snprintf(path, sizeof path, "IncomingPhoneNumbers/%s.json", sid);
	twilio_rest_begin(rest, conf, secrets, method, path);
}

bool
twilio_number_set(struct twilio_rest *rest, const struct conf *conf,
    const struct secrets *secrets, const struct twilio_number *is,
    const struct twilio_number *wanted, bool take_over)
{
	enum twilio_number_kind last =
	    take_over ? TWILIO_NUMBER_TAKE : TWILIO_NUMBER_SET;
	bool begun = false;
	size_t i;

	for (i = 0; i < TWILIO_NUMBER__MAX; i++) {
		if (settings[i].kind > last || !differs(is, wanted, i))
			continue;
		if (!begun)
			begin_one(rest, conf, secrets, "POST", is->sid);
		begun = true;
		twilio_rest_field(rest, settings[i].form, wanted->is[i]);
	}
	return begun;
}

void
twilio_number_buy(struct twilio_rest *rest, const struct conf *conf,
    const struct secrets *secrets, const char *number,
    const struct twilio_number *wanted)
{
	size_t i;

	twilio_rest_begin(
	    rest, conf, secrets, "POST", "IncomingPhoneNumbers.json");
	rest->http.once = true;
	twilio_rest_field(rest, "PhoneNumber", number);
	for (i = 0; i < TWILIO_NUMBER__MAX; i++)
		if (settings[i].kind == TWILIO_NUMBER_SET)
			twilio_rest_field(
			    rest, settings[i].form, wanted->is[i]);
}

void
twilio_number_release(struct twilio_rest *rest, const struct conf *conf,
    const struct secrets *secrets, const char *sid)
{
	begin_one(rest, conf, secrets, "DELETE", sid);
}

void
twilio_number_search(struct twilio_rest *rest, const struct conf *conf,
    const struct secrets *secrets, const struct twilio_number_search *search)
{
	char path[64], limit[16];

	snprintf(path, sizeof path, "AvailablePhoneNumbers/%s/%s.json",
	    search->country, search->mobile ? "Mobile" : "Local");
	twilio_rest_begin(rest, conf, secrets, "GET", path);
	if (search->area_code[0] != '\0')
		twilio_rest_field(rest, "AreaCode", search->area_code);
	if (search->contains[0] != '\0')
		twilio_rest_field(rest, "Contains", search->contains);
	twilio_rest_field(rest, "VoiceEnabled", "true");
	snprintf(limit, sizeof limit, "%d", search->limit);
	twilio_rest_field(rest, "PageSize", limit);
}

enum rc
twilio_number_read_offers(const char *body, size_t len,
    void (*each)(void *cookie, const struct twilio_number_offer *offer),
    void *cookie)
{
	json_t *page, *list, *item;
	enum rc rc = RC_SYNTAX;
	char locality[40], region[32], address[16];
	size_t i;

	page = json_loadb(body, len, 0, NULL);
	list = json_object_get(page, "available_phone_numbers");
	if (json_is_array(list))
		rc = RC_OK;
	json_array_foreach(list, i, item)
	{
		struct twilio_number_offer offer = { .voice = able(item,
							 "voice", "Voice"),
			.sms = able(item, "sms", "SMS"),
			.mms = able(item, "mms", "MMS") };

		read_text(
		    item, "phone_number", offer.number, sizeof offer.number);
		read_text(item, "locality", locality, sizeof locality);
		read_text(item, "region", region, sizeof region);
		snprintf(offer.place, sizeof offer.place, "%s%s%s", locality,
		    locality[0] != '\0' && region[0] != '\0' ? ", " : "",
		    region);
		read_text(
		    item, "address_requirements", address, sizeof address);
		offer.address =
		    address[0] != '\0' && strcmp(address, "none") != 0;
		if (phone_valid(offer.number))
			each(cookie, &offer);
	}
	json_decref(page);
	return rc;
}
