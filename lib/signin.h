#ifndef SIGNIN_H
#define SIGNIN_H

/*
 * Who is signed in to the admin panel. Signing in exchanges an operator's key
 * for a token of 256 random bits that a browser keeps as a cookie; only a
 * SHA-256 of it is stored. It is worth something for eight hours at most, until
 * 15 minutes have passed without a request, until its owner signs out, or until
 * the key is revoked, whichever comes first (OWASP Session Management Cheat
 * Sheet). A page that refreshes itself keeps it alive: the panel does so only
 * while it is seen.
 */

#include <stdbool.h>
#include <stdint.h>

#include "apikey.h"
#include "db.h"
#include "rc.h"

/* Bytes of a token, in hexadecimal, with its NUL. */
#define SIGNIN_SIZE (64 + 1)

/* How long it lasts, and for how long unused, seconds. */
#define SIGNIN_LASTS_S (8 * 3600)
#define SIGNIN_IDLE_S (15 * 60)

/* How a sign-in stands. */
struct signin {
	struct apikey key; /* id, service, name, role */
	int64_t ends_at;   /* epoch seconds */
	bool unseen;       /* signin_seen is to be called */
};

/* Whether keys of this role open the panel. */
bool signin_allows(enum apikey_role role);

/* Signs the holder of the key called key_id in and stores the token in
 * text. Forgets a few that have ended. */
enum rc signin_begin(
    struct db *db, const char *key_id, char text[SIGNIN_SIZE], int64_t now);

/* Reads whom a token belongs to into *signin. RC_UNAUTHORIZED if it is
 * malformed, unknown or worth nothing any more. */
enum rc signin_check(
    struct db *db, struct signin *signin, const char *text, int64_t now);

/* Writes down that the token was used now; once a minute is enough. */
enum rc signin_seen(struct db *db, const char *text, int64_t now);

/* Makes a token worthless; one that is so already is fine. */
enum rc signin_end(struct db *db, const char *text);

#endif
