#ifndef HOOK_H
/* A secret is sealed for this place, with its id. */
#define HOOK_SEALED "webhook_secret.secret_sealed"

#define HOOK_H

/*
 * What events to the app are signed with, by the Standard Webhooks convention
 * (standardwebhooks.com, 1.0.0). A service has one secret, and for a while two
 * or more while a new one comes into use: every event is then signed with each,
 * so that the receiver may know either.
 */

#include "buf.h"
#include "crypto.h"
#include "db.h"
#include "id.h"
#include "rc.h"

#define HOOK_SECRETS_MAX 4 /* most that sign at once: the newest */

/* Bytes of a secret: 'whsec_', base64 of 32 bytes, NUL. */
#define HOOK_SECRET_SIZE (6 + CRYPTO_BASE64_SIZE(32))

/* Bytes of a signature of each: 'v1,', base64, blank or NUL. */
#define HOOK_SIGNATURE_SIZE                                                    \
	(HOOK_SECRETS_MAX * (3 + CRYPTO_BASE64_SIZE(CRYPTO_SHA256_SIZE)))

/* A secret. Wipe it after use. */
struct hook_secret {
	char id[ID_SIZE];
	char text[HOOK_SECRET_SIZE]; /* as the app is given it: whsec_… */
	int64_t created_at;          /* epoch seconds */
	int64_t retires_at; /* epoch seconds from which it signs no more; 0 */
};

/* What an event's signature is made over. Strings borrowed. */
struct hook_message {
	const char *id;    /* webhook-id: the event's */
	int64_t timestamp; /* webhook-timestamp: epoch seconds of the try */
	const char *body;
	size_t body_len;
};

/*
 * Makes a secret for a service and keeps it sealed; *secret is the only copy in
 * clear. RC_UNAVAILABLE if there is no sealing key, RC_MEMORY.
 */
enum rc hook_add(struct db *db, const struct crypto_keys *keys,
    const char *service_id, struct hook_secret *secret, int64_t now_ms);

/* The same for a service that has none yet; for others, *secret is empty. */
enum rc hook_ensure(struct db *db, const struct crypto_keys *keys,
    const char *service_id, struct hook_secret *secret, int64_t now_ms);

/* Has all secrets of a service but the newest sign no longer than until
 * retires_at, epoch seconds. */
enum rc hook_retire(struct db *db, const char *service_id, int64_t retires_at);

/*
 * Reads the secrets that sign for a service at now, newest first, and stores
 * how many in *len. RC_CORRUPT if one does not unseal. out is to be wiped.
 */
enum rc hook_list(struct db *db, const struct crypto_keys *keys,
    const char *service_id, int64_t now,
    struct hook_secret out[HOOK_SECRETS_MAX], int *len);

/*
 * Writes the value of webhook-signature to out: the signature by each of len
 * secrets, with blanks between. RC_CORRUPT if a secret is none, RC_MEMORY.
 */
enum rc hook_sign(char out[HOOK_SIGNATURE_SIZE],
    const struct hook_secret *secrets, int len,
    const struct hook_message *message);

#endif
