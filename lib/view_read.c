/* Requests: from JSON to what deeds work with. */

#include "view.h"

#include <stdio.h>
#include <string.h>

#include "timestamp.h"
#include "utf8.h"
#include "view_json.h"

static enum rc
read_country(json_t *object, char country[3], struct fault *fault)
{
	enum rc rc;

	rc = view_read_text(object, "", "country", country, 3, false, fault);
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

	rc = view_read_text(object, "", "reference", reference,
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
	if ((rc = view_refuse_unknown(party, path, known, fault)) != RC_OK ||
	    (rc = view_read_text(party, path, "role", role, SESSION_ROLE_SIZE,
		 true, fault)) != RC_OK)
		return rc;
	return view_read_text(
	    party, path, "phone", phone, PHONE_SIZE, true, fault);
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

	rc = view_read_text(
	    object, "", key, mode, SESSION_ROLE_SIZE, false, fault);
	if (rc == RC_OK && mode[0] == '\0' && standard)
		strcpy(mode, "both");
	return rc;
}

/* Reads the masked number asked for. */
static enum rc
read_number(json_t *object, char number[PHONE_SIZE], struct fault *fault)
{
	enum rc rc;

	rc = view_read_text(
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

	if ((rc = view_parse(&object, body, len, fault)) != RC_OK)
		return rc;
	if ((rc = view_refuse_unknown(object, "", known, fault)) != RC_OK ||
	    (rc = read_reference(object, request->reference, fault)) != RC_OK ||
	    (rc = view_read_seconds(object, "ttl", &request->ttl_s, fault)) !=
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
	rc = view_read_text(object, "", key, text, sizeof text, false, fault);
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

	if ((rc = view_parse(&object, body, len, fault)) != RC_OK)
		return rc;
	if ((rc = view_refuse_unknown(object, "", known, fault)) != RC_OK ||
	    (rc = view_read_seconds(object, "ttl", &change->ttl_s, fault)) !=
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
	if ((rc = view_parse(&object, body, len, fault)) != RC_OK)
		return rc;
	if ((rc = view_refuse_unknown(object, "", known, fault)) == RC_OK &&
	    (rc = view_read_seconds(
		 object, "linger", &closing->linger_s, fault)) == RC_OK &&
	    (rc = view_read_flag(
		 object, "end_calls", &closing->end_calls, fault)) == RC_OK)
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

	if ((rc = view_parse(&object, body, len, fault)) != RC_OK)
		return rc;
	if ((rc = view_refuse_unknown(object, "", known, fault)) == RC_OK)
		rc = view_read_text(
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

	rc = view_read_text(
	    object, "", "text", body, MESSAGE_BODY_SIZE, true, fault);
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

	if ((rc = view_parse(&object, body, len, fault)) != RC_OK)
		return rc;
	if ((rc = view_refuse_unknown(object, "", known, fault)) == RC_OK &&
	    (rc = view_read_text(object, "", "to", note->to, SESSION_ROLE_SIZE,
		 false, fault)) == RC_OK)
		rc = read_note_text(object, note->body, fault);
	json_decref(object);
	return rc;
}

enum rc
view_read_key(
    char key[APIKEY_SIZE], const char *body, size_t len, struct fault *fault)
{
	static const char *const known[] = { "key", NULL };
	json_t *object;
	enum rc rc;

	if ((rc = view_parse(&object, body, len, fault)) != RC_OK)
		return rc;
	if ((rc = view_refuse_unknown(object, "", known, fault)) == RC_OK)
		rc = view_read_text(
		    object, "", "key", key, APIKEY_SIZE, true, fault);
	json_decref(object);
	return rc;
}
