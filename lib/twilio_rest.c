/* Twilio's REST API: requests and answers. */

#include "twilio_rest.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "crypto.h"

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

bool
twilio_sid_valid(const char *text, const char *prefix)
{
	return strlen(text) == TWILIO_SID_SIZE - 1 &&
	       strncmp(text, prefix, 2) == 0 &&
	       strspn(text + 2, "0123456789abcdef") == 32;
}
