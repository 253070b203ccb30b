#ifndef NUMBER_H
#define NUMBER_H

/* The masked numbers: which there are and which one a session gets. */

#include <stdint.h>

#include "crypto.h"
#include "db.h"
#include "id.h"
#include "phone.h"
#include "rc.h"

/* A masked number and what a call to it needs to know. */
struct number {
	char number[PHONE_SIZE];
	char service_id[ID_SIZE];
	char country[3]; /* ISO 3166 */
	char state[12];  /* active, reserved, draining, retired */
	int64_t call_limit_s;
	int64_t last_used_at; /* epoch seconds; 0: never */
	int64_t live, held;   /* legs on it; only from number_list */
};

/* Adds an active number to a service's pool. RC_EXISTS if any service has
 * it. */
enum rc number_insert(struct db *db, const char *service_id, const char *number,
    const char *country, int64_t now);

/* Reads a masked number of any service into *out: number, service, state and
 * call limit. RC_NOT_FOUND. */
enum rc number_find(struct db *db, struct number *out, const char *number);

/* Calls each with every number of a service. */
enum rc number_list(struct db *db, const char *service_id, int64_t now,
    void (*each)(void *cookie, const struct number *number), void *cookie);

/* Stores how many open sessions have this person as a party. */
enum rc number_party(struct db *db, int64_t *count,
    const uint8_t person[CRYPTO_HASH_SIZE], int64_t now);

/*
 * Picks the masked number for two people and marks it as used now: the one
 * they had together last if both still hold it, else the one longest unused
 * of those neither has a leg on. country: only numbers of this ISO code, ""
 * for any. Claiming it is leg_claim's business. Returns RC_POOL if no number
 * is free for both.
 */
enum rc number_take(struct db *db, char out[PHONE_SIZE], const char *service_id,
    const uint8_t a[CRYPTO_HASH_SIZE], const uint8_t b[CRYPTO_HASH_SIZE],
    const char *country, int64_t now);

#endif
