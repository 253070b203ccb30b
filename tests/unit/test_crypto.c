/* Cryptography: known answers, and everything that must not open. */

#include "test.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "crypto.h"

#define LENGTH(array) (sizeof array / sizeof array[0])
#define CONTEXT "party.phone:pty_x"
#define PHONE "+12025550147"

/* Keys that are easy to tell apart: key id i is filled with byte i. */
static struct crypto_keys
make_keys(uint8_t first, uint8_t second)
{
	struct crypto_keys keys = { .sealing_len = second != 0 ? 2 : 1 };

	keys.sealing[0].id = first;
	memset(keys.sealing[0].key, first, CRYPTO_KEY_SIZE);
	keys.sealing[1].id = second;
	memset(keys.sealing[1].key, second, CRYPTO_KEY_SIZE);
	memset(keys.lookup, 0x77, sizeof keys.lookup);
	return keys;
}

static void
check_hex(const void *data, size_t len, const char *hex)
{
	char out[2 * 64 + 1];

	crypto_hex(out, data, len);
	assert_string_equal(out, hex);
}

/* Unsealing is refused, and not a byte of the result is touched. */
static void
check_corrupt(const struct crypto_keys *keys, const char *context,
    const void *sealed, size_t len)
{
	char text[64], before[64];

	memset(text, '#', sizeof text);
	memset(before, '#', sizeof before);
	assert_int_equal(
	    crypto_unseal(text, sizeof text, keys, context, sealed, len),
	    RC_CORRUPT);
	assert_memory_equal(text, before, sizeof text);
}

static void
test_random_differs(void **state)
{
	uint8_t a[32] = { 0 }, b[32] = { 0 }, none[32] = { 0 };

	(void)state;
	crypto_random(a, sizeof a);
	crypto_random(b, sizeof b);
	assert_memory_not_equal(a, none, sizeof a);
	assert_memory_not_equal(a, b, sizeof a);
	/* Both ends are filled, and no more than that. */
	memset(a, 0, sizeof a);
	while (a[0] == 0 || a[15] == 0)
		crypto_random(a, 16);
	assert_memory_equal(a + 16, none, 16);
}

static void
test_random_below_stays_below(void **state)
{
	uint32_t seen[5] = { 0 }, value;
	size_t i;

	(void)state;
	assert_int_equal(crypto_random_below(1), 0);
	for (i = 0; i < 5000; i++) {
		value = crypto_random_below(5);
		assert_true(value < 5);
		seen[value]++;
	}
	/* 1000 each is expected, with a deviation of 28. */
	for (i = 0; i < 5; i++)
		assert_in_range(seen[i], 700, 1300);
}

static void
test_equal_compares_every_bit(void **state)
{
	uint8_t a[20] = { 1, 2, 3 }, b[20] = { 1, 2, 3 };
	size_t i;

	(void)state;
	assert_true(crypto_equal(a, b, sizeof a));
	assert_true(crypto_equal("a", "b", 0));
	for (i = 0; i < sizeof a * 8; i++) {
		b[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_false(crypto_equal(a, b, sizeof a));
		b[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	b[19] = 1;
	assert_true(crypto_equal(a, b, 19));
}

static void
test_wipe_leaves_zeros(void **state)
{
	char data[] = "secret!";

	(void)state;
	crypto_wipe(data, 6);
	assert_memory_equal(data, "\0\0\0\0\0\0!", 7);
}

static void
test_sha256_known_answers(void **state)
{
	uint8_t out[CRYPTO_SHA256_SIZE];

	(void)state;
	crypto_sha256(out, "", 0);
	check_hex(out, sizeof out,
	    "e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855");
	crypto_sha256(out, "abc", 3);
	check_hex(out, sizeof out,
	    "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad");
}

/* What is stored is found by it: it must never come out differently. The
 * answer is Python's hashlib.blake2b(b"person\0" + phone, key=…). */
static void
test_keyed_hash_known_answer(void **state)
{
	struct crypto_keys keys = make_keys(1, 0);
	uint8_t out[CRYPTO_HASH_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < CRYPTO_KEY_SIZE; i++)
		keys.lookup[i] = (uint8_t)i;
	crypto_keyed_hash(out, &keys, "person", PHONE, strlen(PHONE));
	check_hex(out, sizeof out, "c1d10d1a0e2ac78eac9a169c2f114f87");
}

static void
test_keyed_hash_differs_by_all_that_goes_in(void **state)
{
	struct crypto_keys keys = make_keys(1, 0), other = make_keys(1, 0);
	uint8_t hash[6][CRYPTO_HASH_SIZE];
	size_t i, j;

	(void)state;
	other.lookup[CRYPTO_KEY_SIZE - 1] ^= 1;
	crypto_keyed_hash(hash[0], &keys, "person", "abc", 3);
	crypto_keyed_hash(hash[1], &other, "person", "abc", 3);
	crypto_keyed_hash(hash[2], &keys, "request", "abc", 3);
	crypto_keyed_hash(hash[3], &keys, "person", "abd", 3);
	crypto_keyed_hash(hash[4], &keys, "person", "abc", 2);
	/* The border between domain and data counts. */
	crypto_keyed_hash(hash[5], &keys, "persona", "bc", 2);
	for (i = 0; i < LENGTH(hash); i++)
		for (j = 0; j < i; j++)
			assert_memory_not_equal(
			    hash[i], hash[j], CRYPTO_HASH_SIZE);
	/* And the sealing keys do not. */
	other = make_keys(9, 8);
	crypto_keyed_hash(hash[1], &other, "person", "abc", 3);
	assert_memory_equal(hash[0], hash[1], CRYPTO_HASH_SIZE);
}

static void
test_seal_opens_again(void **state)
{
	struct crypto_keys keys = make_keys(1, 2);
	struct buf out;
	char longest[257], text[257];

	(void)state;
	memset(longest, 'x', 256);
	longest[256] = '\0';
	buf_init(&out, 0);
	memset(text, '#', sizeof text);
	assert_int_equal(crypto_seal(&out, &keys, CONTEXT, PHONE), RC_OK);
	assert_int_equal(out.len, strlen(PHONE) + CRYPTO_SEAL_EXTRA);
	assert_int_equal(
	    crypto_unseal(text, sizeof text, &keys, CONTEXT, out.data, out.len),
	    RC_OK);
	assert_string_equal(text, PHONE);
	assert_int_equal(text[strlen(PHONE) + 1], '#'); /* no more than that */
	assert_int_equal(crypto_unseal(text, strlen(PHONE) + 1, &keys, CONTEXT,
			     out.data, out.len),
	    RC_OK);
	assert_string_equal(text, PHONE);
	buf_reset(&out);
	assert_int_equal(crypto_seal(&out, &keys, CONTEXT, ""), RC_OK);
	assert_int_equal(
	    crypto_unseal(text, 1, &keys, CONTEXT, out.data, out.len), RC_OK);
	assert_string_equal(text, "");
	buf_reset(&out);
	assert_int_equal(crypto_seal(&out, &keys, CONTEXT, longest), RC_OK);
	assert_int_equal(
	    crypto_unseal(text, 257, &keys, CONTEXT, out.data, out.len), RC_OK);
	assert_string_equal(text, longest);
	buf_free(&out);
}

/* Twice the same looks different, and neither shows what is inside. */
static void
test_seal_hides_and_never_repeats(void **state)
{
	struct crypto_keys keys = make_keys(1, 2);
	struct buf out;
	size_t len;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(crypto_seal(&out, &keys, CONTEXT, PHONE), RC_OK);
	len = out.len;
	assert_int_equal(crypto_seal(&out, &keys, CONTEXT, PHONE), RC_OK);
	assert_int_equal(out.len, 2 * len); /* appended */
	assert_int_equal((uint8_t)out.data[0], 1);
	assert_int_equal((uint8_t)out.data[len], 1);
	assert_memory_not_equal(out.data + 1, out.data + len + 1, 24);
	assert_memory_not_equal(out.data + 25, out.data + len + 25, len - 25);
	assert_null(memmem(out.data, out.len, "12025", 5));
	buf_free(&out);
}

static void
test_seal_refuses(void **state)
{
	struct crypto_keys keys = make_keys(1, 0), none = { .sealing_len = 0 };
	struct buf out;

	(void)state;
	buf_init(&out, strlen(PHONE) + CRYPTO_SEAL_EXTRA);
	assert_int_equal(
	    crypto_seal(&out, &none, CONTEXT, PHONE), RC_UNAVAILABLE);
	assert_int_equal(out.len, 0);
	assert_int_equal(
	    crypto_seal(&out, &keys, CONTEXT, PHONE "0"), RC_MEMORY);
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

/* Made with libsodium from Python: what is stored today opens tomorrow. */
static void
test_unseal_known_answer(void **state)
{
	static const uint8_t sealed[] = { 0x07, 0x64, 0x65, 0x66, 0x67, 0x68,
		0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x70, 0x71, 0x72,
		0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x7b, 0x57,
		0x42, 0xcb, 0x80, 0xcd, 0x1b, 0xbc, 0xb7, 0xb7, 0x01, 0xa9,
		0x08, 0x58, 0x20, 0xc0, 0x0f, 0x3c, 0xb0, 0x9f, 0xa1, 0xbf,
		0x4a, 0xa2, 0x57, 0xef, 0x13, 0x05, 0xf6 };
	struct crypto_keys keys = { .sealing_len = 1 };
	char text[16];
	size_t i;

	(void)state;
	keys.sealing[0].id = 7;
	for (i = 0; i < CRYPTO_KEY_SIZE; i++)
		keys.sealing[0].key[i] = (uint8_t)i;
	assert_int_equal(crypto_unseal(text, sizeof text, &keys, CONTEXT,
			     sealed, sizeof sealed),
	    RC_OK);
	assert_string_equal(text, PHONE);
}

static void
test_unseal_after_rotation(void **state)
{
	struct crypto_keys old = make_keys(1, 0), both = make_keys(2, 1);
	struct crypto_keys new = make_keys(2, 0);
	struct buf out;
	char text[64];

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(crypto_seal(&out, &old, CONTEXT, PHONE), RC_OK);
	assert_int_equal(
	    crypto_unseal(text, sizeof text, &both, CONTEXT, out.data, out.len),
	    RC_OK);
	assert_string_equal(text, PHONE);
	check_corrupt(&new, CONTEXT, out.data, out.len);
	/* The first key seals from now on. */
	buf_reset(&out);
	assert_int_equal(crypto_seal(&out, &both, CONTEXT, PHONE), RC_OK);
	assert_int_equal(
	    crypto_unseal(text, sizeof text, &new, CONTEXT, out.data, out.len),
	    RC_OK);
	assert_string_equal(text, PHONE);
	check_corrupt(&old, CONTEXT, out.data, out.len);
	buf_free(&out);
}

static void
test_unseal_refuses_other_places_and_keys(void **state)
{
	struct crypto_keys keys = make_keys(1, 0), other = make_keys(1, 0);
	struct crypto_keys none = { .sealing_len = 0 };
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(crypto_seal(&out, &keys, CONTEXT, PHONE), RC_OK);
	check_corrupt(&keys, "", out.data, out.len);
	check_corrupt(&keys, CONTEXT "x", out.data, out.len);
	check_corrupt(&keys, "party.phone:pty_", out.data, out.len);
	check_corrupt(&keys, "party.phone:pty_y", out.data, out.len);
	check_corrupt(&none, CONTEXT, out.data, out.len);
	other.sealing[0].key[31] ^= 1;
	check_corrupt(&other, CONTEXT, out.data, out.len);
	other = make_keys(2, 0);
	check_corrupt(&other, CONTEXT, out.data, out.len);
	buf_free(&out);
}

/* Every byte changed, key id, nonce, text and tag; every length but its own. */
static void
test_unseal_refuses_every_change(void **state)
{
	struct crypto_keys keys = make_keys(1, 2);
	struct buf out;
	size_t i;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(crypto_seal(&out, &keys, CONTEXT, PHONE), RC_OK);
	for (i = 0; i < out.len * 8; i++) {
		out.data[i / 8] ^= (char)(1 << i % 8);
		check_corrupt(&keys, CONTEXT, out.data, out.len);
		out.data[i / 8] ^= (char)(1 << i % 8);
	}
	/* Key 2 for what key 1 sealed: known, but not the one. */
	out.data[0] = 2;
	check_corrupt(&keys, CONTEXT, out.data, out.len);
	out.data[0] = 1;
	for (i = 0; i < out.len; i++) {
		check_corrupt(&keys, CONTEXT, out.data, i);
		check_corrupt(&keys, CONTEXT, out.data + out.len - i, i);
	}
	buf_add(&out, "\0", 1);
	check_corrupt(&keys, CONTEXT, out.data, out.len);
	buf_free(&out);
}

static void
test_unseal_refuses_what_does_not_fit(void **state)
{
	struct crypto_keys keys = make_keys(1, 0);
	char text[512];
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(crypto_seal(&out, &keys, CONTEXT, PHONE), RC_OK);
	memset(text, '#', sizeof text);
	assert_int_equal(crypto_unseal(text, strlen(PHONE), &keys, CONTEXT,
			     out.data, out.len),
	    RC_CORRUPT);
	assert_int_equal(
	    crypto_unseal(text, 0, &keys, CONTEXT, out.data, out.len),
	    RC_CORRUPT);
	assert_memory_equal(text, "################", 16);
	buf_free(&out);
}

/* Copies text to out; "X*20" stands for 20 times X. */
static void
spell_out(char *out, const char *text)
{
	int count;

	strcpy(out, text);
	if (sscanf(text + 1, "*%d", &count) != 1)
		return;
	memset(out, text[0], (size_t)count);
	out[count] = '\0';
}

/* RFC 2202, section 3: all seven. One mac serves many times. */
static void
test_mac_sha1_rfc_2202(void **state)
{
	static const struct {
		const char *key, *data, *digest;
	} rows[] = {
		{ "\v\v\v\v\v\v\v\v\v\v\v\v\v\v\v\v\v\v\v\v", "Hi There",
		    "b617318655057264e28bc0b6fb378c8ef146be00" },
		{ "Jefe", "what do ya want for nothing?",
		    "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
		{ "\xaa*20", "\xdd*50",
		    "125d7342b9ac11cd91a39af48aa17b4f63f175d3" },
		{ "\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\21\22\23\24\25"
		  "\26\27\30\31",
		    "\xcd*50", "4c9007f4026250c6bc8414f9bf50c86c2d7235da" },
		{ "\f\f\f\f\f\f\f\f\f\f\f\f\f\f\f\f\f\f\f\f",
		    "Test With Truncation",
		    "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04" },
		{ "\xaa*80",
		    "Test Using Larger Than Block-Size Key - Hash Key First",
		    "aa4ae5e15272d00e95705637ce8a3b55ed402112" },
		{ "\xaa*80",
		    "Test Using Larger Than Block-Size Key and Larger Than "
		    "One Block-Size Data",
		    "e8e99d0f45237d786d6bbaa7965c7808bbff1a91" },
	};
	char key[100], data[100];
	uint8_t out[CRYPTO_SHA1_SIZE];
	struct crypto_mac *mac;
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		spell_out(key, rows[i].key);
		spell_out(data, rows[i].data);
		assert_int_equal(crypto_mac_open(&mac, key), RC_OK);
		for (n = 0; n < 2; n++) {
			assert_int_equal(
			    crypto_mac_sha1(mac, out, "other data", 10), RC_OK);
			assert_int_equal(
			    crypto_mac_sha1(mac, out, data, strlen(data)),
			    RC_OK);
			check_hex(out, sizeof out, rows[i].digest);
		}
		crypto_mac_free(mac);
	}
}

static void
test_mac_sha1_of_nothing(void **state)
{
	uint8_t out[CRYPTO_SHA1_SIZE];
	struct crypto_mac *mac;

	(void)state;
	assert_int_equal(crypto_mac_open(&mac, ""), RC_OK);
	assert_int_equal(crypto_mac_sha1(mac, out, "", 0), RC_OK);
	check_hex(out, sizeof out, "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d");
	crypto_mac_free(mac);
	crypto_mac_free(NULL);
}

/* RFC 4648, section 10. */
static void
test_base64_known_answers(void **state)
{
	static const char *const rows[][2] = { { "", "" }, { "f", "Zg==" },
		{ "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xbf", "+/+/" } };
	char out[16];
	uint8_t back[16];
	size_t i, len;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		len = strlen(rows[i][0]);
		assert_int_equal(
		    CRYPTO_BASE64_SIZE(len), strlen(rows[i][1]) + 1);
		crypto_base64(out, CRYPTO_BASE64_SIZE(len), rows[i][0], len);
		assert_string_equal(out, rows[i][1]);
		assert_int_equal(crypto_unbase64(back, len, out), RC_OK);
		assert_memory_equal(back, rows[i][0], len);
	}
}

static void
test_unbase64_is_strict(void **state)
{
	static const char *const texts[] = { "", "Zm9vYg",
		"Zm9vYg=", "Zm9vYg===", "Zm9vYg==\n",
		" Zm9vYg==", "Zm9v Yg==", "Zm9v\nYg==", "Zm9vYg==Zm9v",
		"Zm9vYh==", "Zm9vYn==", "Zm9v", "Zm9vYmE=", "Zm9vYmFy",
		"Zm9vYg!=", "Zm9v====", "Zm-vYg==", "Zm_vYg==", "=Zm9vYg=", "Z",
		"\xff" };
	uint8_t out[8];
	size_t i;

	(void)state;
	memset(out, '#', sizeof out);
	assert_int_equal(crypto_unbase64(out, 4, "Zm9vYg=="), RC_OK);
	assert_memory_equal(out, "foob####", 8);
	for (i = 0; i < LENGTH(texts); i++) {
		if (crypto_unbase64(out, 4, texts[i]) != RC_SYNTAX)
			fail_msg("\"%s\" passed", texts[i]);
		assert_memory_equal(out + 4, "####", 4);
	}
}

static void
test_hex_is_lower_case(void **state)
{
	char out[9];

	(void)state;
	memset(out, '#', sizeof out);
	crypto_hex(out, "\x00\x0f\xab", 3);
	assert_memory_equal(out, "000fab\0##", 9);
	crypto_hex(out, "", 0);
	assert_string_equal(out, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_differs),
		cmocka_unit_test(test_random_below_stays_below),
		cmocka_unit_test(test_equal_compares_every_bit),
		cmocka_unit_test(test_wipe_leaves_zeros),
		cmocka_unit_test(test_sha256_known_answers),
		cmocka_unit_test(test_keyed_hash_known_answer),
		cmocka_unit_test(test_keyed_hash_differs_by_all_that_goes_in),
		cmocka_unit_test(test_seal_opens_again),
		cmocka_unit_test(test_seal_hides_and_never_repeats),
		cmocka_unit_test(test_seal_refuses),
		cmocka_unit_test(test_unseal_known_answer),
		cmocka_unit_test(test_unseal_after_rotation),
		cmocka_unit_test(test_unseal_refuses_other_places_and_keys),
		cmocka_unit_test(test_unseal_refuses_every_change),
		cmocka_unit_test(test_unseal_refuses_what_does_not_fit),
		cmocka_unit_test(test_mac_sha1_rfc_2202),
		cmocka_unit_test(test_mac_sha1_of_nothing),
		cmocka_unit_test(test_base64_known_answers),
		cmocka_unit_test(test_unbase64_is_strict),
		cmocka_unit_test(test_hex_is_lower_case),
	};

	if (crypto_open() != RC_OK)
		return 1;
	return cmocka_run_group_tests_name("crypto", tests, NULL, NULL);
}
