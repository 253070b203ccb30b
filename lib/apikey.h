#ifndef APIKEY_H
#define APIKEY_H

/*
 * API keys: "cm_", the id's 26 characters, "_", and 256 random bits in
 * hexadecimal. Only a SHA-256 of the secret part is stored, which is enough
 * for random secrets; the key itself is shown once.
 */

#include <stdint.h>

#include "db.h"
#include "id.h"
#include "rc.h"

/* Bytes of a key with its NUL. */
#define APIKEY_SIZE (3 + 26 + 1 + 64 + 1)

/*
 * What a key may do. The API takes those of an app, which opens and closes
 * sessions, and of an admin, who may do all. The admin panel takes those of an
 * admin or an operator, who may do the same there, and of a viewer, who may
 * only look.
 */
enum apikey_role {
	APIKEY_APP,
	APIKEY_ADMIN,
	APIKEY_OPERATOR,
	APIKEY_VIEWER,
	APIKEY__MAX
};

/* A key without its secret. */
struct apikey {
	char id[ID_SIZE];
	char service_id[ID_SIZE];
	char name[64];
	enum apikey_role role;
	int64_t created_at; /* epoch seconds */
	int64_t revoked_at; /* epoch seconds; 0: valid */
};

/* Names of the roles, like "app", by enum apikey_role. */
extern const char *const apikey_roles[APIKEY__MAX];

/* Reads a role by its name. RC_INVALID. */
enum rc apikey_role_parse(enum apikey_role *role, const char *name);

/* Checks the name of a holder: 1 to 63 bytes of UTF-8 without control
 * characters. RC_INVALID with the field "name". */
enum rc apikey_check_name(const char *name, struct fault *fault);

/* Makes a key of key's service, name and role, stores its id in *key and the
 * key itself in text. */
enum rc apikey_insert(
    struct db *db, struct apikey *key, char text[APIKEY_SIZE], int64_t now_ms);

/*
 * Reads who holds the key in text into *key (id, service, name, role). Returns
 * RC_UNAUTHORIZED for a key that is malformed, unknown, revoked or wrong,
 * and takes the same time for the last three.
 */
enum rc apikey_check(struct db *db, struct apikey *key, const char *text);

/* Calls each with every key of a service, oldest first. */
enum rc apikey_list(struct db *db, const char *service_id,
    void (*each)(void *cookie, const struct apikey *key), void *cookie);

/* Reads the key of a service called id into *key, all but what checks it.
 * RC_NOT_FOUND. */
enum rc apikey_find(
    struct db *db, const char *service_id, const char *id, struct apikey *key);

/* Revokes a key for good. RC_NOT_FOUND if the service has no such valid key. */
enum rc apikey_revoke(
    struct db *db, const char *service_id, const char *id, int64_t now);

#endif
