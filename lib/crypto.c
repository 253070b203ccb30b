/* Every use of cryptography: the only file that sees libcrypto or libsodium. */

#include "crypto.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <sodium.h>

#define NONCE_SIZE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_SIZE crypto_aead_xchacha20poly1305_ietf_ABYTES

_Static_assert(CRYPTO_SEAL_EXTRA == 1 + NONCE_SIZE + TAG_SIZE, "sealed size");
_Static_assert(
    CRYPTO_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key size");

struct crypto_mac {
	EVP_MAC *mac;
	EVP_MAC_CTX *ctx;
};

enum rc
crypto_open(void)
{
	return sodium_init() < 0 ? RC_SYSTEM : RC_OK;
}

void
crypto_random(void *out, size_t len)
{
	randombytes_buf(out, len);
}

uint32_t
crypto_random_below(uint32_t bound)
{
	return randombytes_uniform(bound);
}

bool
crypto_equal(const void *a, const void *b, size_t len)
{
	return sodium_memcmp(a, b, len) == 0;
}

void
crypto_wipe(void *data, size_t len)
{
	sodium_memzero(data, len);
}

void
crypto_sha256(uint8_t out[CRYPTO_SHA256_SIZE], const void *data, size_t len)
{
	crypto_hash_sha256(out, data, len);
}

void
crypto_keyed_hash(uint8_t out[CRYPTO_HASH_SIZE], const struct crypto_keys *keys,
    const char *domain, const void *data, size_t len)
{
	crypto_generichash_state state;

	/* The NUL keeps domain and data apart. */
	crypto_generichash_init(
	    &state, keys->lookup, CRYPTO_KEY_SIZE, CRYPTO_HASH_SIZE);
	crypto_generichash_update(
	    &state, (const uint8_t *)domain, strlen(domain) + 1);
	crypto_generichash_update(&state, data, len);
	crypto_generichash_final(&state, out, CRYPTO_HASH_SIZE);
	sodium_memzero(&state, sizeof state);
}

enum rc
crypto_seal(struct buf *out, const struct crypto_keys *keys,
    const char *context, const char *text)
{
	size_t len = strlen(text);
	unsigned long long cipher_len;
	uint8_t *sealed;

	if (keys->sealing_len == 0)
		return RC_UNAVAILABLE;
	if (buf_reserve(out, len + CRYPTO_SEAL_EXTRA) != RC_OK)
		return RC_MEMORY;
	sealed = (uint8_t *)out->data + out->len;
	sealed[0] = keys->sealing[0].id;
	randombytes_buf(sealed + 1, NONCE_SIZE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + 1 + NONCE_SIZE,
	    &cipher_len, (const uint8_t *)text, len, (const uint8_t *)context,
	    strlen(context), NULL, sealed + 1, keys->sealing[0].key);
	out->len += 1 + NONCE_SIZE + (size_t)cipher_len;
	out->data[out->len] = '\0';
	return RC_OK;
}

enum rc
crypto_unseal(char *text, size_t size, const struct crypto_keys *keys,
    const char *context, const void *sealed, size_t len)
{
	const uint8_t *bytes = sealed, *key = NULL;
	unsigned long long plain_len = 0;
	uint8_t *plain;
	enum rc rc = RC_CORRUPT;
	size_t i;

	if (len < CRYPTO_SEAL_EXTRA || len - CRYPTO_SEAL_EXTRA >= size)
		return RC_CORRUPT;
	for (i = 0; i < keys->sealing_len; i++)
		if (keys->sealing[i].id == bytes[0])
			key = keys->sealing[i].key;
	if (key == NULL)
		return RC_CORRUPT;
	if ((plain = malloc(len)) == NULL)
		return RC_MEMORY;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, &plain_len, NULL,
		bytes + 1 + NONCE_SIZE, len - 1 - NONCE_SIZE,
		(const uint8_t *)context, strlen(context), bytes + 1,
		key) == 0) {
		memcpy(text, plain, (size_t)plain_len);
		text[plain_len] = '\0';
		rc = RC_OK;
	}
	sodium_memzero(plain, len);
	free(plain);
	return rc;
}

enum rc
crypto_reseal(struct buf *out, const struct crypto_keys *keys,
    const char *context, const void *sealed, size_t len)
{
	char *text;
	enum rc rc;

	/* No text is longer than what it was sealed to. */
	if ((text = malloc(len + 1)) == NULL)
		return RC_MEMORY;
	rc = crypto_unseal(text, len + 1, keys, context, sealed, len);
	if (rc == RC_OK)
		rc = crypto_seal(out, keys, context, text);
	sodium_memzero(text, len + 1);
	free(text);
	return rc;
}

enum rc
crypto_mac_open(struct crypto_mac **out, const char *key)
{
	char digest[] = "SHA1";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(
		    OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	struct crypto_mac *mac;

	if ((mac = calloc(1, sizeof *mac)) == NULL)
		return RC_MEMORY;
	if ((mac->mac = EVP_MAC_fetch(NULL, "HMAC", NULL)) == NULL ||
	    (mac->ctx = EVP_MAC_CTX_new(mac->mac)) == NULL ||
	    EVP_MAC_init(mac->ctx, (const unsigned char *)key, strlen(key),
		params) != 1) {
		crypto_mac_free(mac);
		return RC_MEMORY;
	}
	*out = mac;
	return RC_OK;
}

enum rc
crypto_mac_sha1(struct crypto_mac *mac, uint8_t out[CRYPTO_SHA1_SIZE],
    const void *data, size_t len)
{
	size_t out_len;

	/* A null key starts again with the one that was set up. */
	if (EVP_MAC_init(mac->ctx, NULL, 0, NULL) != 1 ||
	    EVP_MAC_update(mac->ctx, data, len) != 1 ||
	    EVP_MAC_final(mac->ctx, out, &out_len, CRYPTO_SHA1_SIZE) != 1)
		return RC_SYSTEM;
	return RC_OK;
}

void
crypto_mac_free(struct crypto_mac *mac)
{
	if (mac == NULL)
		return;
	EVP_MAC_CTX_free(mac->ctx);
	EVP_MAC_free(mac->mac);
	free(mac);
}

void
crypto_hmac_sha256(uint8_t out[CRYPTO_SHA256_SIZE], const void *key,
    size_t key_len, const void *data, size_t len)
{
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, key, key_len);
	crypto_auth_hmacsha256_update(&state, data, len);
	crypto_auth_hmacsha256_final(&state, out);
	sodium_memzero(&state, sizeof state);
}

void
crypto_base64(char *out, size_t size, const void *data, size_t len)
{
	sodium_bin2base64(out, size, data, len, sodium_base64_VARIANT_ORIGINAL);
}

enum rc
crypto_unbase64(void *out, size_t len, const char *text)
{
	size_t got;

	if (sodium_base642bin(out, len, text, strlen(text), NULL, &got, NULL,
		sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    got != len)
		return RC_SYNTAX;
	return RC_OK;
}

void
crypto_hex(char *out, const void *data, size_t len)
{
	sodium_bin2hex(out, 2 * len + 1, data, len);
}
