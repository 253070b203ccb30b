/* Twilio's REST API: requests and answers. */

#include "twilio_rest.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "crypto.h"
#include "timestamp.h"

void
twilio_rest_begin(struct twilio_rest *rest, const struct conf *conf,
    const struct secrets *secrets, const char *method, const char *path)
{
	bool has_key = secrets->api_key[0] != '\0';
	int len;

	*rest = (struct twilio_rest){ .url = "" };
	buf_init(&rest->body, 0);
	/* Room for all but long texts: what grows leaves a copy behind. */
	buf_reserve(&rest->body, 8000);
	rest->http.method = method;
	/* What it makes, calls and texts, is not to be made twice. */
	rest->http.once = strcmp(method, "POST") == 0;
	rest->http.user = has_key ? secrets->api_key : secrets->account_sid;
	rest->http.password =
	    has_key ? secrets->api_secret : secrets->tokens[0];
	len = path[0] == '/'
		  ? snprintf(rest->url, sizeof rest->url, "%s%s",
			conf->twilio_api_url, path)
		  : snprintf(rest->url, sizeof rest->url,
			"%s/2010-04-01/Accounts/%s/%s", conf->twilio_api_url,
			secrets->account_sid, path);
	rest->cut = len < 0 || (size_t)len >= sizeof rest->url;
}

/* Appends text with all but unreserved characters escaped (RFC 3986). */
static void
escape(struct buf *out, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	for (; *p != '\0'; p++) {
		if ((*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') ||
		    (*p >= 'a' && *p <= 'z') || strchr("-._~", *p) != NULL)
			buf_add(out, p, 1);
		else
			buf_printf(out, "%%%02X", *p);
	}
}

void
twilio_rest_field(struct twilio_rest *rest, const char *name, const char *value)
{
	if (rest->body.len != 0)
		buf_puts(&rest->body, "&");
	buf_puts(&rest->body, name);
	buf_puts(&rest->body, "=");
	escape(&rest->body, value);
}

enum rc
twilio_rest_end(struct twilio_rest *rest)
{
	size_t len = strlen(rest->url);
	struct http_request *http = &rest->http;

	if (rest->cut || !buf_ok(&rest->body))
		return RC_MEMORY;
	http->url = rest->url;
	if (strcmp(http->method, "POST") == 0) {
		http->headers[0] =
		    "Content-Type: application/x-www-form-urlencoded";
		http->body = buf_text(&rest->body);
		http->body_len = rest->body.len;
	} else if (rest->body.len != 0) {
		if (len + 1 + rest->body.len >= sizeof rest->url)
			return RC_MEMORY;
		rest->url[len] = strchr(rest->url, '?') != NULL ? '&' : '?';
		memcpy(
		    rest->url + len + 1, rest->body.data, rest->body.len + 1);
	}
	return RC_OK;
}

void
twilio_rest_free(struct twilio_rest *rest)
{
	if (rest->body.data != NULL)
		crypto_wipe(rest->body.data, rest->body.size);
	buf_free(&rest->body);
	crypto_wipe(rest->url, sizeof rest->url);
}

/* Copies a text of a document; one that is too long is none of Twilio's. */
static void
read_text(json_t *root, const char *key, char *out, size_t size)
{
	json_t *value = json_object_get(root, key);

	if (json_is_string(value) && json_string_length(value) < size)
		strcpy(out, json_string_value(value));
}

/* Reads what a document says of one thing; what is missing stays empty.
 * Returns whether there is a document. */
static bool
read_reply(const struct http_answer *answer, struct twilio_reply *reply)
{
	json_t *root, *code;
	bool is_object;

	*reply = (struct twilio_reply){ .sid = "" };
	root = json_loadb(answer->body, answer->body_len, 0, NULL);
	is_object = json_is_object(root);
	read_text(root, "sid", reply->sid, sizeof reply->sid);
	read_text(root, "status", reply->status, sizeof reply->status);
	code = json_object_get(root, "code");
	if (json_is_integer(code) && json_integer_value(code) > 0 &&
	    json_integer_value(code) < INT_MAX)
		reply->code = (int)json_integer_value(code);
	json_decref(root);
	return is_object;
}

enum twilio_verdict
twilio_rest_verdict(
    const struct http_answer *answer, struct twilio_reply *reply)
{
	bool is_object = read_reply(answer, reply);

	/* What says 200 without a word of JSON may be some proxy. */
	if (answer->status >= 200 && answer->status < 300)
		return is_object || answer->body_len == 0 ? TWILIO_YES
							  : TWILIO_UNSURE;
	/* Not processed: docs:usage/api/concurrency, error 20429. */
	if (answer->status == 429 || (answer->status == 0 && !answer->sent))
		return TWILIO_BUSY;
	if (answer->status == 0 || answer->status >= 500 ||
	    answer->status == 408)
		return TWILIO_UNSURE;
	if (answer->status == 401 || reply->code == 20003)
		return TWILIO_BUSY;
	return TWILIO_NO;
}

/* A text of an object, "" if there is none. */
static const char *
text_of(json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

enum rc
twilio_rest_list(const struct http_answer *answer, const char *name,
    void (*each)(void *cookie, const struct twilio_item *item), void *cookie)
{
	json_t *root, *list, *thing;
	size_t i;

	root = json_loadb(answer->body, answer->body_len, 0, NULL);
	list = json_object_get(root, name);
	json_array_foreach(list, i, thing)
	{
		struct twilio_item item = {
			.sid = text_of(thing, "sid"),
			.direction = text_of(thing, "direction"),
			.status = text_of(thing, "status"),
			.body = text_of(thing, "body"),
		};

		if (timestamp_parse(&item.created_at,
			text_of(thing, "date_created")) != RC_OK)
			item.created_at = 0;
		each(cookie, &item);
	}
	i = json_is_array(list);
	json_decref(root);
	return i != 0 ? RC_OK : RC_SYNTAX;
}

const char *
twilio_rest_refusal(char *out, size_t size, const struct http_answer *answer,
    const struct twilio_reply *reply)
{
	static const struct {
		int code;
		const char *words;
	} known[] = { /* docs:api/errors */
		{ 21210, "the number shown is not one of the account" },
		{ 21211, "the number called is none" },
		{ 21212, "the number shown is none" },
		{ 21214, "the number called cannot be reached" },
		{ 21215, "calls to that country are not permitted" },
		{ 21216, "calls to that number are not permitted" }
	};
	const char *words = "";
	size_t i;

	for (i = 0; i < sizeof known / sizeof known[0]; i++)
		if (known[i].code == reply->code)
			words = known[i].words;
	if (reply->code == 0)
		snprintf(
		    out, size, "Twilio refuses, status %d", answer->status);
	else
		snprintf(out, size, "Twilio refuses, error %d%s%s", reply->code,
		    words[0] != '\0' ? ": " : "", words);
	return out;
}

bool
twilio_sid_valid(const char *text, const char *prefix)
{
	return strlen(text) == TWILIO_SID_SIZE - 1 &&
	       strncmp(text, prefix, 2) == 0 &&
	       strspn(text + 2, "0123456789abcdef") == 32;
}
