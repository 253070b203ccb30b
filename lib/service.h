#ifndef SERVICE_H
#define SERVICE_H

/* A service: one app's settings. Value structs, nothing to free. */

#include <stdint.h>

#include "db.h"
#include "id.h"
#include "rc.h"

/* Bounds and defaults of settings, in seconds. */
#define SERVICE_TTL_DEFAULT (2 * 3600)
#define SERVICE_TTL_MAX (30 * 86400)
#define SERVICE_HOLD_DEFAULT (30 * 86400)
#define SERVICE_CALL_LIMIT_DEFAULT (4 * 3600)

struct service {
	char id[ID_SIZE];
	char name[64];
	char countries[256];   /* ISO 3166 codes between blanks */
	int64_t ttl_default_s; /* life of a session that names none */
	int64_t ttl_max_s;     /* longest life of a session */
	int64_t hold_s;        /* how long legs stay held */
	int64_t call_limit_s;  /* longest call */
	char webhook_url[256]; /* where events go; only used by insert */
};

/* Writes *service with a new id, which it stores there. RC_EXISTS if the name
 * is taken. */
enum rc service_insert(struct db *db, struct service *service, int64_t now_ms);

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
