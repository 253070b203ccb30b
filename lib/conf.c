/* Configuration files: the only file that sees inih. */

#include "conf.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ini.h>

#define KEYS_MAX 16

/* What is being read, and the first thing found wrong with it. */
struct reading {
	const struct key *keys; /* the keys this file may have */
	void *into;             /* struct conf or struct secrets */
	FILE *file;             /* where it comes from */
	int line;               /* number of the line just read */
	bool seen[KEYS_MAX];    /* keys met so far, by place in keys */
	int wrong_line;         /* line of the first error, 0 for none */
	char wrong[300];        /* what is wrong with it */
};

/* A key: how its value is stored, whether it must be there. */
struct key {
	const char *name;
	bool (*store)(struct reading *, const char *value);
	bool required;
	bool list; /* may be given again, to append */
};

/* Keeps the first error's words; returns false for the caller to pass on. */
static bool __attribute__((format(printf, 2, 3)))
refuse(struct reading *reading, const char *format, ...)
{
	va_list ap;

	if (reading->wrong_line == 0) {
		reading->wrong_line = reading->line;
		va_start(ap, format);
		vsnprintf(reading->wrong, sizeof reading->wrong, format, ap);
		va_end(ap);
	}
	return false;
}

static bool
store_text(struct reading *reading, char *out, size_t size, const char *value)
{
	if (strlen(value) >= size)
		return refuse(reading, "longer than %zu bytes", size - 1);
	strcpy(out, value);
	return true;
}

static bool
store_path(struct reading *reading, char *out, size_t size, const char *value)
{
	if (value[0] != '/')
		return refuse(reading, "must be an absolute path");
	return store_text(reading, out, size, value);
}

/* Stores the URL of a host: scheme, name and port. */
static bool
store_host_url(
    struct reading *reading, char *out, size_t size, const char *value)
{
	const char *host = value;

	if (strncmp(value, "https://", 8) == 0)
		host += 8;
	else if (strncmp(value, "http://", 7) == 0)
		host += 7;
	if (host == value || host[0] == '\0' ||
	    host[strcspn(host, "/?#@ ")] != '\0')
		return refuse(reading,
		    "must be https:// and a host, with nothing behind it");
	return store_text(reading, out, size, value);
}

static bool
store_public_url(struct reading *reading, const char *value)
{
	struct conf *conf = reading->into;

	return store_host_url(
	    reading, conf->public_url, sizeof conf->public_url, value);
}

static bool
store_database(struct reading *reading, const char *value)
{
	struct conf *conf = reading->into;

	return store_path(
	    reading, conf->database, sizeof conf->database, value);
}

static bool
store_secrets(struct reading *reading, const char *value)
{
	struct conf *conf = reading->into;

	return store_path(reading, conf->secrets, sizeof conf->secrets, value);
}

static bool
store_metrics(struct reading *reading, const char *value)
{
	struct conf *conf = reading->into;

	return store_path(reading, conf->metrics, sizeof conf->metrics, value);
}

static bool
store_url_overrides(struct reading *reading, const char *value)
{
	struct conf *conf = reading->into;

	if (value[strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789=&,-")] !=
	    '\0')
		return refuse(reading, "must look like rc=2&rt=4500");
	return store_text(
	    reading, conf->url_overrides, sizeof conf->url_overrides, value);
}

static bool
store_log_level(struct reading *reading, const char *value)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };
	struct conf *conf = reading->into;
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (strcmp(value, names[i]) == 0) {
			conf->log_level = (enum log_level)i;
			return true;
		}
	}
	return refuse(reading, "must be debug, info, warn or error");
}

/* Some that speak Twilio's API have it below a path. */
static bool
store_twilio_api_url(struct reading *reading, const char *value)
{
	struct conf *conf = reading->into;
	char host[sizeof conf->twilio_api_url];
	const char *path = strstr(value, "://");

	path = path != NULL ? strchr(path + 3, '/') : NULL;
	if (path != NULL &&
	    (path[strcspn(path, "?#@ ")] != '\0' || strstr(path, "//") ||
		path[strlen(path) - 1] == '/'))
		return refuse(
		    reading, "the path must be plain and not end with a slash");
	snprintf(host, sizeof host, "%.*s",
	    path != NULL ? (int)(path - value) : -1, value);
	return store_host_url(reading, conf->twilio_api_url,
		   sizeof conf->twilio_api_url, host) &&
	       store_text(reading, conf->twilio_api_url,
		   sizeof conf->twilio_api_url, value);
}

static bool
store_ca_file(struct reading *reading, const char *value)
{
	struct conf *conf = reading->into;

	return store_path(reading, conf->ca_file, sizeof conf->ca_file, value);
}

static bool
store_private_webhooks(struct reading *reading, const char *value)
{
	struct conf *conf = reading->into;

	conf->private_webhooks = strcmp(value, "yes") == 0;
	return conf->private_webhooks || strcmp(value, "no") == 0
		   ? true
		   : refuse(reading, "must be yes or no");
}

static bool
store_account_sid(struct reading *reading, const char *value)
{
	struct secrets *secrets = reading->into;

	if (strncmp(value, "AC", 2) != 0 || strlen(value) != 34 ||
	    strspn(value + 2, "0123456789abcdef") != 32)
		return refuse(reading, "must be AC and 32 hexadecimal digits");
	return store_text(
	    reading, secrets->account_sid, sizeof secrets->account_sid, value);
}

static bool
store_api_key(struct reading *reading, const char *value)
{
	struct secrets *secrets = reading->into;

	if (strncmp(value, "SK", 2) != 0 || strlen(value) != 34 ||
	    strspn(value + 2, "0123456789abcdef") != 32)
		return refuse(reading, "must be SK and 32 hexadecimal digits");
	return store_text(
	    reading, secrets->api_key, sizeof secrets->api_key, value);
}

static bool
store_api_secret(struct reading *reading, const char *value)
{
	struct secrets *secrets = reading->into;

	return store_text(
	    reading, secrets->api_secret, sizeof secrets->api_secret, value);
}

static bool
store_tokens(struct reading *reading, const char *value)
{
	struct secrets *secrets = reading->into;
	size_t len;

	for (; *value != '\0'; value += len) {
		value += strspn(value, " \t");
		if ((len = strcspn(value, " \t")) == 0)
			break;
		if (secrets->tokens_len == CONF_TOKENS_MAX)
			return refuse(
			    reading, "more than %d tokens", CONF_TOKENS_MAX);
		if (len >= sizeof secrets->tokens[0])
			return refuse(reading, "a token is too long");
		memcpy(secrets->tokens[secrets->tokens_len], value, len);
		secrets->tokens[secrets->tokens_len++][len] = '\0';
	}
	return true;
}

static bool
store_sealing_keys(struct reading *reading, const char *value)
{
	struct secrets *secrets = reading->into;
	struct crypto_keys *keys = &secrets->keys;
	char text[CRYPTO_BASE64_SIZE(CRYPTO_KEY_SIZE)];
	struct crypto_key *key;
	size_t len, i;
	char *end;
	long id;

	for (; *value != '\0'; value += len) {
		value += strspn(value, " \t");
		if ((len = strcspn(value, " \t")) == 0)
			break;
		if (keys->sealing_len == CRYPTO_KEYS_MAX)
			return refuse(
			    reading, "more than %d keys", CRYPTO_KEYS_MAX);
		id = strtol(value, &end, 10);
		if (*end != ':' || id < 1 || id > 255 ||
		    len - (size_t)(end + 1 - value) != sizeof text - 1)
			return refuse(reading,
			    "must be NUMBER:BASE64, numbers from 1 to 255");
		for (i = 0; i < keys->sealing_len; i++)
			if (keys->sealing[i].id == id)
				return refuse(
				    reading, "key %ld is there twice", id);
		key = &keys->sealing[keys->sealing_len];
		memcpy(text, end + 1, sizeof text - 1);
		text[sizeof text - 1] = '\0';
		if (crypto_unbase64(key->key, sizeof key->key, text) != RC_OK)
			return refuse(
			    reading, "key %ld is not 32 bytes of base64", id);
		crypto_wipe(text, sizeof text);
		key->id = (uint8_t)id;
		keys->sealing_len++;
	}
	return true;
}

static bool
store_lookup_key(struct reading *reading, const char *value)
{
	struct secrets *secrets = reading->into;

	if (crypto_unbase64(secrets->keys.lookup, sizeof secrets->keys.lookup,
		value) != RC_OK)
		return refuse(reading, "must be 32 bytes of base64");
	return true;
}

static const struct key conf_keys[] = {
	{ .name = "public_url", .store = store_public_url, .required = true },
	{ .name = "database", .store = store_database, .required = true },
	{ .name = "secrets", .store = store_secrets, .required = true },
	{ .name = "metrics", .store = store_metrics, .required = true },
	{ .name = "url_overrides", .store = store_url_overrides },
	{ .name = "log_level", .store = store_log_level },
	{ .name = "twilio_api_url", .store = store_twilio_api_url },
	{ .name = "ca_file", .store = store_ca_file },
	{ .name = "private_webhooks", .store = store_private_webhooks },
	{ .name = NULL },
};

static const struct key secrets_keys[] = {
	{ .name = "twilio_account_sid", .store = store_account_sid },
	{ .name = "twilio_auth_tokens", .store = store_tokens, .list = true },
	{ .name = "twilio_api_key", .store = store_api_key },
	{ .name = "twilio_api_secret", .store = store_api_secret },
	{ .name = "sealing_keys", .store = store_sealing_keys, .list = true },
	{ .name = "lookup_key", .store = store_lookup_key },
	{ .name = NULL },
};

/*
 * inih reads by this instead of fgets(3), for it neither tells the handler
 * the line's number nor notices a line longer than its buffer. And it would
 * take an indented line, as copied from a manual, for more of the one before.
 */
static char *
read_line(char *line, int size, void *cookie)
{
	struct reading *reading = cookie;
	size_t blanks;

	if (fgets(line, size, reading->file) == NULL)
		return NULL;
	reading->line++;
	if (strchr(line, '\n') == NULL && !feof(reading->file))
		refuse(reading, "line longer than %d bytes", size - 2);
	blanks = strspn(line, " \t");
	memmove(line, line + blanks, strlen(line + blanks) + 1);
	return line;
}

/* inih calls this for each key; 0 marks the line as wrong. */
static int
take_line(
    void *cookie, const char *section, const char *name, const char *value)
{
	struct reading *reading = cookie;
	const struct key *key;
	char why[sizeof reading->wrong];
	size_t i;

	if (reading->wrong_line != 0)
		return 0;
	if (section[0] != '\0')
		return refuse(
		    reading, "[%.60s]: sections are not used", section);
	for (i = 0; reading->keys[i].name != NULL; i++)
		if (strcmp(reading->keys[i].name, name) == 0)
			break;
	key = &reading->keys[i];
	if (key->name == NULL)
		return refuse(reading, "%.60s: unknown key", name);
	if (reading->seen[i] && !key->list)
		return refuse(reading, "%s: given twice", name);
	reading->seen[i] = true;
	if (value == NULL || value[0] == '\0')
		return refuse(reading, "%s: no value", name);
	if (!key->store(reading, value)) {
		strcpy(why, reading->wrong);
		snprintf(reading->wrong, sizeof reading->wrong, "%s: %.200s",
		    name, why);
		return 0;
	}
	return 1;
}

/* Reads the file at path as a list of keys into the struct at into. */
static enum rc
load(const struct key *keys, void *into, const char *path,
    char error[CONF_ERROR_SIZE])
{
	struct reading reading = { .keys = keys, .into = into };
	int line;
	size_t i;

	if ((reading.file = fopen(path, "re")) == NULL) {
		snprintf(error, CONF_ERROR_SIZE, "%.250s: %s", path,
		    strerror(errno));
		return RC_UNAVAILABLE;
	}
	line = ini_parse_stream(read_line, &reading, take_line, &reading);
	if (ferror(reading.file)) {
		snprintf(error, CONF_ERROR_SIZE, "%.250s: %s", path,
		    strerror(errno));
		fclose(reading.file);
		return RC_UNAVAILABLE;
	}
	fclose(reading.file);
	if (line == 0 || (reading.wrong_line != 0 && reading.wrong_line < line))
		line = reading.wrong_line;
	if (line != 0) {
		snprintf(error, CONF_ERROR_SIZE, "%.150s:%d: %s", path, line,
		    line == reading.wrong_line ? reading.wrong
					       : "not a `key = value` line");
		return RC_INVALID;
	}
	for (i = 0; keys[i].name != NULL; i++) {
		if (keys[i].required && !reading.seen[i]) {
			snprintf(error, CONF_ERROR_SIZE,
			    "%.150s: %s is missing", path, keys[i].name);
			return RC_INVALID;
		}
	}
	return RC_OK;
}

enum rc
conf_load(struct conf *conf, const char *path, char error[CONF_ERROR_SIZE])
{
	struct conf read = { .log_level = LOG_INFO,
		.twilio_api_url = "https://api.twilio.com" };
	enum rc rc;

	if ((rc = load(conf_keys, &read, path, error)) == RC_OK)
		*conf = read;
	return rc;
}

enum rc
conf_load_secrets(
    struct secrets *secrets, const char *path, char error[CONF_ERROR_SIZE])
{
	struct secrets read = { .tokens_len = 0 };
	struct stat st;
	enum rc rc;

	if (stat(path, &st) == 0 && (st.st_mode & S_IRWXO) != 0) {
		snprintf(error, CONF_ERROR_SIZE,
		    "%.200s: others may read it; try chmod 0640", path);
		return RC_INVALID;
	}
	rc = load(secrets_keys, &read, path, error);
	if (rc == RC_OK &&
	    (read.api_key[0] == '\0') != (read.api_secret[0] == '\0')) {
		snprintf(error, CONF_ERROR_SIZE,
		    "%.150s: twilio_api_%s is missing; key and secret go "
		    "together",
		    path, read.api_key[0] == '\0' ? "key" : "secret");
		rc = RC_INVALID;
	}
	if (rc == RC_OK)
		*secrets = read;
	crypto_wipe(&read, sizeof read);
	return rc;
}

void
conf_url(const struct conf *conf, const char *path, char *out, size_t size)
{
	const char *overrides = conf->url_overrides;

	snprintf(out, size, "%s%s%s%s", conf->public_url, path,
	    overrides[0] != '\0' ? "#" : "", overrides);
}
