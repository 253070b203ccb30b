#ifndef SERVICE_H
#define SERVICE_H

/*
 * A service: one app's settings. Value structs, nothing to free. service.c
 * has the table of all settings with their bounds; the CLI shows and sets
 * them by name.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db.h"
#include "id.h"
#include "phone.h"
#include "rc.h"

struct service {
	char id[ID_SIZE];
	char name[64];
	char countries[256];   /* ISO 3166 codes between blanks */
	int64_t ttl_default_s; /* life of a session that names none */
	int64_t ttl_max_s;     /* longest life of a session, from now */
	int64_t hold_s;        /* how long legs stay held */
	int64_t call_limit_s;  /* longest call */
	int64_t sticky;        /* 1: a pair gets the number it had last */
	int64_t reuse_after_s; /* held pairs may be given away; 0: never */
	char support_number[PHONE_SIZE]; /* for late callers; "": none */
	int64_t ask_code;      /* 1: unknown callers are asked for a code */
	int64_t attestation;   /* 1: failed attestation means unknown */
	int64_t intents;       /* 1: the app may announce withheld callers */
	int64_t screening;     /* 1: the callee presses a key to accept */
	int64_t session_calls; /* most calls in a session; 0: any number */
	int64_t person_calls;  /* most calls of a person a minute; 0: any */
	int64_t daily_minutes; /* most minutes in 24 hours; 0: any */
	char webhook_url[256]; /* where events go; "": nowhere */
	char language[4];      /* of what people hear: en, de, fr */
	char announce_caller[256]; /* said to the caller first; "": nothing */
	char announce_callee[256]; /* said to the callee first; "": nothing */
	int64_t expiring_s; /* session.expiring so long before the end; 0 */
	int64_t redact; /* 1: numbers and addresses are taken out of texts */
	int64_t record; /* 1: calls are recorded */
	int64_t keep_texts_days; /* how long texts are kept; 0: until sent */
	int64_t keep_recordings_days; /* how long recordings are kept */
	int64_t keep_days; /* how long ended sessions are kept; 0: for ever */
};

/* A setting, as it is shown and set. */
struct service_setting {
	const char *name; /* as the operator says it */
	const char *help; /* what it does */
	enum {
		SERVICE_NUMBER,    /* int64_t between least and most */
		SERVICE_COUNTRIES, /* ISO codes */
		SERVICE_PHONE,     /* E.164 or nothing */
		SERVICE_LANGUAGE,  /* one that say.h has */
		SERVICE_TEXT,      /* a sentence or nothing */
		SERVICE_URL        /* https or nothing */
	} kind;
	size_t offset; /* in struct service */
	int64_t least, most;
};

/* All settings; the last has no name. */
extern const struct service_setting service_settings[];

/* A service with the default of every setting, without name and countries. */
void service_init(struct service *service);

/*
 * Sets one setting from text; service_check when all are set. Returns
 * RC_NOT_FOUND for a name that is none, RC_INVALID for a value that does not
 * fit; *fault says why.
 */
enum rc service_set(struct service *service, const char *name,
    const char *value, struct fault *fault);

/*
 * Checks what settings mean together and for this installation: no session
 * lives longer by default than it may, nobody is recorded who is not told, and
 * private_webhooks allows any webhook-url, else it must be a public one.
 * RC_INVALID; *fault says which setting and why.
 */
enum rc service_check(
    const struct service *service, bool private_webhooks, struct fault *fault);

/* Writes a setting as text to out of size bytes, as service_set reads it. */
void service_show(const struct service *service,
    const struct service_setting *setting, char *out, size_t size);

/* Writes *service with a new id, which it stores there. RC_EXISTS if the name
 * is taken. */
enum rc service_insert(struct db *db, struct service *service, int64_t now_ms);

/* Writes the settings of the service. */
enum rc service_update(struct db *db, const struct service *service);

/* Returns RC_OK if the app is to be told now that the pool is low: once an
 * hour; else RC_NONE. */
enum rc service_tell_low(struct db *db, const char *id, int64_t now);

/* Reads the service called id into *service. RC_NOT_FOUND. */
enum rc service_find(struct db *db, struct service *service, const char *id);

/* Reads the service of this name, or the only one there is if name is NULL.
 * RC_NOT_FOUND. */
enum rc service_find_name(
    struct db *db, struct service *service, const char *name);

/* Returns RC_OK if country, an ISO code, is one of the service's, else
 * RC_COUNTRY. */
enum rc service_allows(const struct service *service, const char *country);

#endif
