#ifndef IDEMPOTENCY_H
#define IDEMPOTENCY_H

/*
 * Answers given under an Idempotency-Key, by Stripe's contract
 * (docs.stripe.com/idempotency): the first answer is kept and given again; the
 * same key with another question is an error; a question that failed before
 * anything was done keeps nothing.
 */

#include "buf.h"
#include "crypto.h"
#include "db.h"
#include "rc.h"

#define IDEMPOTENCY_KEY_MAX 255   /* bytes of a key */
#define IDEMPOTENCY_KEPT_S 172800 /* how long an answer is kept: two days */
/* … to a request without a key of its client's: long enough for nginx, which
 * hands it to another worker when one dies. Such keys begin with a blank. */
#define IDEMPOTENCY_TAG_KEPT_S 86400

/* A question asked under a key. */
struct idempotency {
	const char *service_id;                /* who asks; borrowed */
	const char *key;                       /* the header; borrowed */
	uint8_t fingerprint[CRYPTO_HASH_SIZE]; /* of what is asked */
};

/*
 * Looks for the answer to question. Returns RC_OK with its status and body,
 * RC_NONE if it was not asked before, RC_KEY_REUSED if the key was used for
 * something else.
 */
enum rc idempotency_find(struct db *db, const struct idempotency *question,
    int *status, struct buf *body);

/* Keeps the answer, in the transaction that made it. */
enum rc idempotency_insert(struct db *db, const struct idempotency *question,
    int status, const struct buf *body, int64_t now);

#endif
