#ifndef CRYPTO_H
#define CRYPTO_H

/*
 * Every use of cryptography, each by one function over a kept library:
 * libcrypto for Twilio's HMAC-SHA1, libsodium for all else. Secrets are
 * compared in constant time and wiped after use here and nowhere else.
 *
 * Real phone numbers are kept twice: sealed, so that only the holder of the
 * key file can read them, and as a keyed hash, so that they can be found
 * without being read. The hash needs a key of its own and must never be a
 * plain hash: there are few enough phone numbers to try them all.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "rc.h"

#define CRYPTO_KEY_SIZE 32    /* bytes of a sealing or look-up key */
#define CRYPTO_HASH_SIZE 16   /* bytes of a keyed hash */
#define CRYPTO_SHA256_SIZE 32 /* bytes of a SHA-256 */
#define CRYPTO_SHA1_SIZE 20   /* bytes of a HMAC-SHA1 */
#define CRYPTO_KEYS_MAX 8     /* sealing keys known at once */
/* Bytes a sealed text is longer than the text: key id, nonce, tag. */
#define CRYPTO_SEAL_EXTRA (1 + 24 + 16)

/* One sealing key; its id stands in front of what it sealed. */
struct crypto_key {
	uint8_t id; /* 1 to 255 */
	uint8_t key[CRYPTO_KEY_SIZE];
};

/* All keys of an installation. The first sealing key seals, all unseal. */
struct crypto_keys {
	struct crypto_key sealing[CRYPTO_KEYS_MAX];
	size_t sealing_len;              /* keys in use */
	uint8_t lookup[CRYPTO_KEY_SIZE]; /* for crypto_keyed_hash */
};

/* A HMAC-SHA1 made ready with its key, which is dear; opaque. */
struct crypto_mac;

/* Prepares the libraries; call once before all else. Returns RC_SYSTEM if
 * there is no entropy. */
enum rc crypto_open(void);

/* Fills len bytes of out with random ones. */
void crypto_random(void *out, size_t len);

/* Returns a uniform random number below bound. */
uint32_t crypto_random_below(uint32_t bound);

/* Compares len bytes in constant time. */
bool crypto_equal(const void *a, const void *b, size_t len);

/* Wipes len bytes so that the compiler cannot leave it out. */
void crypto_wipe(void *data, size_t len);

/* SHA-256 of len bytes of data. */
void crypto_sha256(
    uint8_t out[CRYPTO_SHA256_SIZE], const void *data, size_t len);

/*
 * Keyed BLAKE2b of len bytes of data under keys->lookup. domain keeps hashes
 * for one purpose from being of use for another, e.g. "person".
 */
void crypto_keyed_hash(uint8_t out[CRYPTO_HASH_SIZE],
    const struct crypto_keys *keys, const char *domain, const void *data,
    size_t len);

/*
 * Seals text (XChaCha20-Poly1305) for the place named by context, e.g.
 * "party.phone:pty_…", and appends it to out: it opens in no other place.
 * Returns RC_UNAVAILABLE if there is no sealing key, RC_MEMORY.
 */
enum rc crypto_seal(struct buf *out, const struct crypto_keys *keys,
    const char *context, const char *text);

/*
 * Opens what crypto_seal made for the same context into text, a string.
 * Returns RC_CORRUPT, text untouched, if the key is unknown, anything was
 * changed, or size bytes do not hold it; RC_MEMORY.
 */
enum rc crypto_unseal(char *text, size_t size, const struct crypto_keys *keys,
    const char *context, const void *sealed, size_t len);

/*
 * Opens what crypto_seal made for a context and appends it to out sealed anew,
 * with the first key. RC_CORRUPT as crypto_unseal, RC_MEMORY.
 */
enum rc crypto_reseal(struct buf *out, const struct crypto_keys *keys,
    const char *context, const void *sealed, size_t len);

/* Makes *mac ready for key. Returns RC_MEMORY. Free with crypto_mac_free. */
enum rc crypto_mac_open(struct crypto_mac **mac, const char *key);

/* HMAC-SHA1 of len bytes of data. Returns RC_SYSTEM if libcrypto refuses. */
enum rc crypto_mac_sha1(struct crypto_mac *mac, uint8_t out[CRYPTO_SHA1_SIZE],
    const void *data, size_t len);

/* HMAC-SHA256 of len bytes of data under key. */
void crypto_hmac_sha256(uint8_t out[CRYPTO_SHA256_SIZE], const void *key,
    size_t key_len, const void *data, size_t len);

/* Wipes and releases mac; NULL is fine. */
void crypto_mac_free(struct crypto_mac *mac);

/*
 * Writes len bytes as base64 (standard alphabet, padded) into the string out
 * of size bytes; crypto_base64_size says how many that takes.
 */
void crypto_base64(char *out, size_t size, const void *data, size_t len);
#define CRYPTO_BASE64_SIZE(len) (((len) + 2) / 3 * 4 + 1)

/*
 * Decodes base64 as crypto_base64 writes it. Returns RC_SYNTAX unless text is
 * exactly len bytes of data.
 */
enum rc crypto_unbase64(void *out, size_t len, const char *text);

/* Writes len bytes as lower-case hexadecimal into out, 2 * len + 1 bytes. */
void crypto_hex(char *out, const void *data, size_t len);

#endif
