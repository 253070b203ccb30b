#ifndef LEG_H
#define LEG_H

/*
 * Legs: the claim of one person on one masked number. This is where right
 * person or nobody is kept; see the comment over the table in sql/.
 */

#include <stdbool.h>
#include <stdint.h>

#include "crypto.h"
#include "db.h"
#include "id.h"
#include "phone.h"
#include "rc.h"

/* Most bytes of a sealed phone number. */
#define LEG_SEALED_MAX (PHONE_SIZE + CRYPTO_SEAL_EXTRA)

/* A claim to be made. */
struct leg {
	const char *number;     /* masked number */
	const uint8_t *person;  /* whose claim, CRYPTO_HASH_SIZE bytes */
	const uint8_t *peer;    /* the other party, the same */
	const char *session_id; /* for which session */
	const char *party_id;   /* as which party */
	int64_t live_until;     /* epoch seconds */
	int64_t held_until;     /* epoch seconds */
};

/* What stands behind (masked number, person): the session and the peer. */
struct leg_route {
	char session_id[ID_SIZE];
	char party_id[ID_SIZE];              /* the person asked about */
	int64_t live_until;                  /* epoch seconds */
	int64_t held_until;                  /* epoch seconds */
	int64_t expires_at;                  /* of the session, epoch seconds */
	bool closed;                         /* the session was closed */
	bool expired;                        /* … because it had expired */
	char peer_id[ID_SIZE];               /* the other party */
	char peer_number[PHONE_SIZE];        /* masked number the peer sees */
	uint8_t peer_sealed[LEG_SEALED_MAX]; /* the peer's real number */
	size_t peer_sealed_len;
};

/*
 * Claims leg. Returns RC_RETRY if the claim is another session's, live or
 * held: the number has to be chosen again.
 */
enum rc leg_claim(struct db *db, const struct leg *leg, int64_t now);

/* Ends the legs of a session at `at`, held until held_until. */
enum rc leg_end(
    struct db *db, const char *session_id, int64_t at, int64_t held_until);

/* Reads what stands behind (number, person) into *route. RC_NOT_FOUND. */
enum rc leg_route(struct db *db, struct leg_route *route, const char *number,
    const uint8_t person[CRYPTO_HASH_SIZE]);

#endif
