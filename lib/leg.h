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
#include "policy.h"
#include "rc.h"

#define LEG_ROLE_SIZE 33 /* bytes of a party's role with its NUL */

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
	int64_t reuse_before;   /* may take what is held since then; 0: no */
};

/* What stands behind (masked number, person): the session and the peer. */
struct leg_route {
	char session_id[ID_SIZE];
	char party_id[ID_SIZE];       /* the person asked about */
	char role[LEG_ROLE_SIZE];     /* of that person */
	char number[PHONE_SIZE];      /* masked number of the leg */
	bool disputed;                /* that phone is another's */
	bool replaced;                /* another took that person's place */
	int64_t live_until;           /* epoch seconds */
	int64_t held_until;           /* epoch seconds */
	int64_t expires_at;           /* of the session, epoch seconds */
	bool closed;                  /* the session was closed */
	bool expired;                 /* … because it had expired */
	int64_t linger_until;         /* … but connects until; 0: no */
	char voice[LEG_ROLE_SIZE];    /* who may call: both, none, a role */
	char text[LEG_ROLE_SIZE];     /* who may text, the same */
	char peer_id[ID_SIZE];        /* the other party */
	char peer_number[PHONE_SIZE]; /* masked number the peer sees */
	bool peer_disputed;           /* the peer's phone is another's */
	uint8_t peer_sealed[LEG_SEALED_MAX]; /* the peer's real number */
	size_t peer_sealed_len;
};

/*
 * Claims leg. Returns RC_RETRY if the claim is another session's, live or
 * held: the number has to be chosen again.
 */
enum rc leg_claim(struct db *db, const struct leg *leg, int64_t now);

/* Moves the end of a session's legs that are live at now. */
enum rc leg_move(struct db *db, const char *session_id, int64_t live_until,
    int64_t held_until, int64_t now);

/* Ends the leg of one party at `at`, held until held_until. */
enum rc leg_end_party(
    struct db *db, const char *party_id, int64_t at, int64_t held_until);

/* Notes that the party's counterpart is now this person. */
enum rc leg_set_peer(
    struct db *db, const char *party_id, const uint8_t peer[CRYPTO_HASH_SIZE]);

/*
 * Says in *facts what a leg's times and the state of its session mean at now,
 * for whom mode (route->voice or route->text) lets call or text. Leaves them
 * alone if the leg is no longer held.
 */
void leg_state(const struct leg_route *route, const char *mode, int64_t now,
    struct policy_facts *facts);

/* Reads what stands behind (number, person) into *route. RC_NOT_FOUND. */
enum rc leg_route(struct db *db, struct leg_route *route, const char *number,
    const uint8_t person[CRYPTO_HASH_SIZE]);

/* The same for the live leg of the party whose code was typed at number. */
enum rc leg_route_code(struct db *db, struct leg_route *route,
    const char *number, const char *code, int64_t now);

/* The same for the party called party_id. */
enum rc leg_route_party(
    struct db *db, struct leg_route *route, const char *party_id);

#endif
