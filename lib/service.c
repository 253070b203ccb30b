/* A service: one app's settings. */

#include "service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "say.h"
#include "utf8.h"

#define DAY_S 86400
#define LOW_EVERY_S 3600
#define YEAR_S (366LL * DAY_S)

#define AT(field) offsetof(struct service, field)

const struct service_setting service_settings[] = {
	{ "countries", "ISO codes of the countries parties may be in",
	    SERVICE_COUNTRIES, AT(countries), 0, 0 },
	{ "ttl-default", "life of a session that names none, seconds",
	    SERVICE_NUMBER, AT(ttl_default_s), 1, YEAR_S },
	{ "ttl-max", "longest life of a session, seconds", SERVICE_NUMBER,
	    AT(ttl_max_s), 1, YEAR_S },
	{ "hold", "seconds a number stays held for a person after a session",
	    SERVICE_NUMBER, AT(hold_s), 0, YEAR_S },
	{ "reuse-after",
	    "seconds after which a held number may be given away if none is "
	    "free; 0: never",
	    SERVICE_NUMBER, AT(reuse_after_s), 0, YEAR_S },
	{ "sticky", "1: two people get the number they had last",
	    SERVICE_NUMBER, AT(sticky), 0, 1 },
	{ "call-limit", "longest call, seconds", SERVICE_NUMBER,
	    AT(call_limit_s), 1, DAY_S },
	{ "ask-code", "1: unknown callers are asked for the session's code",
	    SERVICE_NUMBER, AT(ask_code), 0, 1 },
	{ "attestation",
	    "1: a caller ID the carrier marks as failed counts as unknown",
	    SERVICE_NUMBER, AT(attestation), 0, 1 },
	{ "intents", "1: the app may announce a caller who hides the number",
	    SERVICE_NUMBER, AT(intents), 0, 1 },
	{ "screening", "1: whoever is rung presses a key to accept",
	    SERVICE_NUMBER, AT(screening), 0, 1 },
	{ "session-calls", "most calls in a session; 0: any number",
	    SERVICE_NUMBER, AT(session_calls), 0, 1000000 },
	{ "person-calls", "most calls of one person in a minute; 0: any",
	    SERVICE_NUMBER, AT(person_calls), 0, 1000 },
	{ "daily-minutes", "most minutes of calls in 24 hours; 0: any",
	    SERVICE_NUMBER, AT(daily_minutes), 0, 100000000 },
	{ "support-number", "late callers are put through to it; empty: none",
	    SERVICE_PHONE, AT(support_number), 0, 0 },
	{ "language", "what people hear is in: en, de or fr", SERVICE_LANGUAGE,
	    AT(language), 0, 0 },
	{ "announce-caller",
	    "said to callers before the other phone rings; empty: they hear "
	    "ringing at once",
	    SERVICE_TEXT, AT(announce_caller), 0, 0 },
	{ "announce-callee",
	    "said to callees before they are connected; empty: nothing",
	    SERVICE_TEXT, AT(announce_callee), 0, 0 },
	{ "expiring-notice",
	    "seconds before a session's end that session.expiring is told; "
	    "0: it is not",
	    SERVICE_NUMBER, AT(expiring_s), 0, DAY_S },
	{ "redact",
	    "1: phone numbers, e-mail addresses and links are taken out of "
	    "texts",
	    SERVICE_NUMBER, AT(redact), 0, 1 },
	{ "record", "1: calls are recorded; takes both announcements",
	    SERVICE_NUMBER, AT(record), 0, 1 },
	{ "keep-texts",
	    "days that texts are kept, sealed; 0: until they are sent",
	    SERVICE_NUMBER, AT(keep_texts_days), 0, 3660 },
	{ "keep-recordings", "days that recordings are kept", SERVICE_NUMBER,
	    AT(keep_recordings_days), 1, 3660 },
	{ "keep",
	    "days that ended sessions are kept, with their calls, texts and "
	    "events; 0: for ever",
	    SERVICE_NUMBER, AT(keep_days), 0, 3660 },
	{ "webhook-url", "where events go; empty: nowhere", SERVICE_URL,
	    AT(webhook_url), 0, 0 },
	{ .name = NULL },
};

void
service_init(struct service *service)
{
	*service = (struct service){
		.ttl_default_s = 2 * 3600,
		.ttl_max_s = 30 * DAY_S,
		.hold_s = 30 * DAY_S,
		.call_limit_s = 4 * 3600,
		.sticky = 1,
		.ask_code = 1,
		.language = "en",
		.expiring_s = 300,
		.keep_recordings_days = 30,
		.keep_days = 90,
	};
}

/* Rewrites a list like us,CA as "US CA". */
static enum rc
set_countries(struct service *service, const char *list, struct fault *fault)
{
	char out[sizeof service->countries] = "", code[3];
	size_t len = 0, i;

	for (list += strspn(list, ", "); *list != '\0';
	     list += strspn(list, ", ")) {
		size_t code_len = strcspn(list, ", ");

		snprintf(code, sizeof code, "%.2s", list);
		for (i = 0; code[i] != '\0'; i++)
			if (code[i] >= 'a' && code[i] <= 'z')
				code[i] = (char)(code[i] - 'a' + 'A');
		if (code_len != 2 || !phone_country_valid(code))
			return rc_fault(fault, RC_INVALID, "countries",
			    "must be ISO 3166 codes like US,CA");
		if (len + 4 > sizeof out)
			return rc_fault(fault, RC_INVALID, "countries",
			    "must be fewer countries");
		len += (size_t)snprintf(out + len, sizeof out - len, "%s%s",
		    len != 0 ? " " : "", code);
		list += code_len;
	}
	if (len == 0)
		return rc_fault(fault, RC_INVALID, "countries",
		    "must name at least one country");
	strcpy(service->countries, out);
	return RC_OK;
}

static enum rc
set_number(struct service *service, const struct service_setting *setting,
    const char *value, struct fault *fault)
{
	int64_t *field = (void *)((char *)service + setting->offset);
	char *end;
	long long number;

	errno = 0;
	number = strtoll(value, &end, 10);
	if (errno != 0 || value[0] < '0' || value[0] > '9' || *end != '\0' ||
	    number < setting->least || number > setting->most)
		return rc_fault(fault, RC_INVALID, setting->name,
		    "must be a number from %lld to %lld",
		    (long long)setting->least, (long long)setting->most);
	*field = number;
	return RC_OK;
}

/* Sets a sentence: UTF-8 without control characters, nor U+FFFE and U+FFFF,
 * which XML, and so TwiML, cannot hold. */
static enum rc
set_text(struct service *service, const struct service_setting *setting,
    const char *value, struct fault *fault)
{
	const char *p;

	if (strlen(value) >= sizeof service->announce_caller ||
	    !utf8_valid(value))
		return rc_fault(fault, RC_INVALID, setting->name,
		    "must be at most %zu bytes of UTF-8",
		    sizeof service->announce_caller - 1);
	for (p = value; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 ||
		    strncmp(p, "\xef\xbf\xbe", 3) == 0 ||
		    strncmp(p, "\xef\xbf\xbf", 3) == 0)
			return rc_fault(fault, RC_INVALID, setting->name,
			    "must not hold control characters");
	strcpy((char *)service + setting->offset, value);
	return RC_OK;
}

/* Sets the webhook's URL by its form; service_check says whether it may be
 * asked. */
static enum rc
set_url(struct service *service, const char *value, const char *name,
    struct fault *fault)
{
	enum rc rc = RC_OK;

	if (strlen(value) >= sizeof service->webhook_url)
		return rc_fault(fault, RC_INVALID, name,
		    "must be at most %zu bytes",
		    sizeof service->webhook_url - 1);
	if (value[0] != '\0')
		rc = address_check_url(value, true, name, fault);
	if (rc == RC_OK)
		strcpy(service->webhook_url, value);
	return rc;
}

enum rc
service_set(struct service *service, const char *name, const char *value,
    struct fault *fault)
{
	const struct service_setting *setting = service_settings;

	while (setting->name != NULL && strcmp(setting->name, name) != 0)
		setting++;
	if (setting->name == NULL)
		return rc_fault(
		    fault, RC_NOT_FOUND, "", "there is no such setting");
	switch (setting->kind) {
	case SERVICE_COUNTRIES:
		return set_countries(service, value, fault);
	case SERVICE_PHONE:
		if (value[0] != '\0' && !phone_valid(value))
			return rc_fault(fault, RC_INVALID, name,
			    "must be an E.164 number or nothing");
		strcpy(service->support_number, value);
		return RC_OK;
	case SERVICE_LANGUAGE:
		if (say_tag(value) == NULL)
			return rc_fault(
			    fault, RC_INVALID, name, "must be en, de or fr");
		strcpy(service->language, value);
		return RC_OK;
	case SERVICE_TEXT:
		return set_text(service, setting, value, fault);
	case SERVICE_URL:
		return set_url(service, value, name, fault);
	default:
		return set_number(service, setting, value, fault);
	}
}

enum rc
service_check(
    const struct service *service, bool private_webhooks, struct fault *fault)
{
	if (service->ttl_default_s > service->ttl_max_s)
		return rc_fault(fault, RC_INVALID, "ttl-default",
		    "must not be longer than ttl-max");
	if (service->record != 0 && (service->announce_caller[0] == '\0' ||
					service->announce_callee[0] == '\0'))
		return rc_fault(fault, RC_INVALID, "record",
		    "takes announce-caller and announce-callee: both are told "
		    "before they are recorded");
	if (service->webhook_url[0] == '\0')
		return RC_OK;
	return address_check_url(
	    service->webhook_url, private_webhooks, "webhook-url", fault);
}

void
service_show(const struct service *service,
    const struct service_setting *setting, char *out, size_t size)
{
	const char *field = (const char *)service + setting->offset;

	if (setting->kind == SERVICE_NUMBER)
		snprintf(out, size, "%lld",
		    (long long)*(const int64_t *)(const void *)field);
	else
		snprintf(out, size, "%s", field);
}

/* NULL for an empty text, so that the column is NULL as well. */
static const char *
text_or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

static void
read_row(struct db *db, enum sql sql, struct service *service)
{
	*service = (struct service){
		.ttl_default_s = db_column_int(db, sql, 3),
		.ttl_max_s = db_column_int(db, sql, 4),
		.hold_s = db_column_int(db, sql, 5),
		.call_limit_s = db_column_int(db, sql, 6),
		.sticky = db_column_int(db, sql, 7),
		.reuse_after_s = db_column_int(db, sql, 8),
		.ask_code = db_column_int(db, sql, 10),
		.attestation = db_column_int(db, sql, 11),
		.intents = db_column_int(db, sql, 12),
		.screening = db_column_int(db, sql, 13),
		.session_calls = db_column_int(db, sql, 14),
		.person_calls = db_column_int(db, sql, 15),
		.daily_minutes = db_column_int(db, sql, 16),
		.expiring_s = db_column_int(db, sql, 21),
		.redact = db_column_int(db, sql, 22),
		.record = db_column_int(db, sql, 23),
		.keep_texts_days = db_column_int(db, sql, 24),
		.keep_recordings_days = db_column_int(db, sql, 25),
		.keep_days = db_column_int(db, sql, 26),
	};
	db_column_copy(db, sql, 0, service->id, sizeof service->id);
	db_column_copy(db, sql, 1, service->name, sizeof service->name);
	db_column_copy(
	    db, sql, 2, service->countries, sizeof service->countries);
	db_column_copy(db, sql, 9, service->support_number,
	    sizeof service->support_number);
	db_column_copy(
	    db, sql, 17, service->webhook_url, sizeof service->webhook_url);
	db_column_copy(
	    db, sql, 18, service->language, sizeof service->language);
	db_column_copy(db, sql, 19, service->announce_caller,
	    sizeof service->announce_caller);
	db_column_copy(db, sql, 20, service->announce_callee,
	    sizeof service->announce_callee);
	db_done(db, sql);
}

enum rc
service_insert(struct db *db, struct service *service, int64_t now_ms)
{
	enum rc rc;

	id_make(service->id, "svc", now_ms);
	rc = db_first(db, SQL_SERVICE_INSERT,
	    DB_ARGS(DB_TEXT(service->id), DB_TEXT(service->name),
		DB_TEXT(service->countries), DB_INT(service->ttl_default_s),
		DB_INT(service->ttl_max_s), DB_INT(service->hold_s),
		DB_INT(service->call_limit_s), DB_INT(service->sticky),
		DB_INT(service->reuse_after_s),
		DB_TEXT(text_or_null(service->support_number)),
		DB_INT(service->ask_code), DB_INT(service->attestation),
		DB_INT(service->intents), DB_INT(service->screening),
		DB_INT(service->session_calls), DB_INT(service->person_calls),
		DB_INT(service->daily_minutes),
		DB_TEXT(text_or_null(service->webhook_url)),
		DB_INT(now_ms / 1000), DB_TEXT(service->language),
		DB_TEXT(text_or_null(service->announce_caller)),
		DB_TEXT(text_or_null(service->announce_callee)),
		DB_INT(service->expiring_s), DB_INT(service->redact),
		DB_INT(service->record), DB_INT(service->keep_texts_days),
		DB_INT(service->keep_recordings_days),
		DB_INT(service->keep_days)));
	db_done(db, SQL_SERVICE_INSERT);
	return rc == RC_NONE ? RC_EXISTS : rc;
}

enum rc
service_update(struct db *db, const struct service *service)
{
	return db_run(db, SQL_SERVICE_UPDATE,
	    DB_ARGS(DB_TEXT(service->id), DB_TEXT(service->countries),
		DB_INT(service->ttl_default_s), DB_INT(service->ttl_max_s),
		DB_INT(service->hold_s), DB_INT(service->call_limit_s),
		DB_INT(service->sticky), DB_INT(service->reuse_after_s),
		DB_TEXT(text_or_null(service->support_number)),
		DB_INT(service->ask_code), DB_INT(service->attestation),
		DB_INT(service->intents), DB_INT(service->screening),
		DB_INT(service->session_calls), DB_INT(service->person_calls),
		DB_INT(service->daily_minutes),
		DB_TEXT(text_or_null(service->webhook_url)),
		DB_TEXT(service->language),
		DB_TEXT(text_or_null(service->announce_caller)),
		DB_TEXT(text_or_null(service->announce_callee)),
		DB_INT(service->expiring_s), DB_INT(service->redact),
		DB_INT(service->record), DB_INT(service->keep_texts_days),
		DB_INT(service->keep_recordings_days),
		DB_INT(service->keep_days)));
}

enum rc
service_tell_low(struct db *db, const char *id, int64_t now)
{
	enum rc rc;

	rc = db_first(db, SQL_SERVICE_TELL_LOW,
	    DB_ARGS(DB_TEXT(id), DB_INT(now), DB_INT(now - LOW_EVERY_S)));
	db_done(db, SQL_SERVICE_TELL_LOW);
	return rc;
}

enum rc
service_find(struct db *db, struct service *service, const char *id)
{
	enum rc rc;

	rc = db_first(db, SQL_SERVICE_FIND, DB_ARGS(DB_TEXT(id)));
	if (rc == RC_OK)
		read_row(db, SQL_SERVICE_FIND, service);
	return rc == RC_NONE ? RC_NOT_FOUND : rc;
}

enum rc
service_find_name(struct db *db, struct service *service, const char *name)
{
	enum sql sql = name != NULL ? SQL_SERVICE_FIND_NAME : SQL_SERVICE_ONLY;
	enum rc rc;

	rc = db_first(db, sql, name != NULL ? DB_ARGS(DB_TEXT(name)) : NULL);
	if (rc == RC_OK)
		read_row(db, sql, service);
	return rc == RC_NONE ? RC_NOT_FOUND : rc;
}

enum rc
service_allows(const struct service *service, const char *country)
{
	const char *p = service->countries;
	size_t len = strlen(country);

	for (; len != 0 && *p != '\0'; p += strspn(p, " ")) {
		if (strcspn(p, " ") == len && memcmp(p, country, len) == 0)
			return RC_OK;
		p += strcspn(p, " ");
	}
	return RC_COUNTRY;
}
