/*
 * Twilio's request signature: vectors made with Twilio's own libraries, then
 * everything around a right one. signature-vectors.json stands beside this
 * file; the environment variable CALLMASK_SIGNATURE_VECTORS names more such
 * files, between colons or blanks.
 */

#include "test.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "buf.h"
#include "crypto.h"
#include "form.h"
#include "twilio_sign.h"

#define LENGTH(array) (sizeof array / sizeof array[0])

#define OWN "tests/unit/signature-vectors.json"
#define SHARED "../shared/twilio/signature-vectors.json"

#define TOKEN "0123456789abcdef0123456789abcdef"
#define OTHER_TOKEN "fedcba9876543210fedcba9876543210"
#define BASE "https://mask.example.net"

/* A URL in the parts that the frame hands over. */
struct url {
	char base[200], path[200], query[1000];
};

static void
split(struct url *url, const char *text)
{
	const char *host = strstr(text, "://"), *query = strchr(text, '?');
	size_t base_len, path_len;

	assert_non_null(host);
	base_len = (size_t)(host - text) + 3;
	base_len += strcspn(text + base_len, "/?");
	path_len = strcspn(text + base_len, "?");
	snprintf(url->base, sizeof url->base, "%.*s", (int)base_len, text);
	snprintf(url->path, sizeof url->path, "%.*s", (int)path_len,
	    text + base_len);
	snprintf(url->query, sizeof url->query, "%s",
	    query != NULL ? query + 1 : "");
}

/* Appends text, every byte of it escaped. */
static void
encode(struct buf *body, const char *text)
{
	for (; *text != '\0'; text++)
		if (*text == ' ')
			buf_puts(body, "+");
		else
			buf_printf(body, "%%%02x", (unsigned char)*text);
}

static void
encode_pair(struct buf *body, const char *name, const char *value)
{
	if (body->len != 0)
		buf_puts(body, "&");
	encode(body, name);
	buf_puts(body, "=");
	encode(body, value);
}

/* Makes form of an object of strings and arrays of strings. */
static void
parse_params(struct form *form, json_t *params)
{
	const char *name;
	json_t *value, *one;
	struct buf body;
	size_t i;

	buf_init(&body, 0);
	json_object_foreach(params, name, value)
	{
		if (json_is_string(value))
			encode_pair(&body, name, json_string_value(value));
		json_array_foreach(value, i, one)
		    encode_pair(&body, name, json_string_value(one));
	}
	assert_int_equal(form_parse(form, buf_text(&body), body.len), RC_OK);
	buf_free(&body);
}

/* Checks request under one token, behind base. */
static enum rc
check(const char *base, const char *token, const struct twilio_request *request)
{
	struct twilio_sign *sign;
	enum rc rc;

	assert_int_equal(twilio_sign_open(&sign, base, &token, 1), RC_OK);
	rc = twilio_sign_check(sign, request);
	twilio_sign_free(sign);
	return rc;
}

/* Returns whether the verdict on a vector is the one it names. */
static bool
judge(json_t *vector)
{
	const char *body = json_string_value(json_object_get(vector, "body"));
	json_t *valid = json_object_get(vector, "valid");
	struct twilio_request request = { .body = body };
	struct form form;
	struct url url;
	enum rc rc;

	split(&url, json_string_value(json_object_get(vector, "url")));
	form_init(&form);
	if (body == NULL)
		parse_params(&form, json_object_get(vector, "params"));
	request.path = url.path;
	request.query = url.query;
	request.form = body == NULL ? &form : NULL;
	request.body_len = body != NULL ? strlen(body) : 0;
	request.signature =
	    json_string_value(json_object_get(vector, "signature"));
	rc = check(url.base,
	    json_string_value(json_object_get(vector, "auth_token")), &request);
	form_free(&form);
	assert_true(rc == RC_OK || rc == RC_UNSIGNED);
	return json_is_null(valid) || json_is_true(valid) == (rc == RC_OK);
}

/* Judges every vector of a file; returns how many there were. */
static size_t
judge_file(const char *path)
{
	json_t *file = json_load_file(path, 0, NULL), *vector;
	size_t i, bad = 0, len;

	if (file == NULL)
		fail_msg("%s: cannot be read", path);
	json_array_foreach(json_object_get(file, "vectors"), i, vector)
	{
		if (judge(vector))
			continue;
		print_error("%s: %s\n", path,
		    json_string_value(json_object_get(vector, "id")));
		bad++;
	}
	assert_int_equal(bad, 0);
	len = i;
	json_decref(file);
	return len;
}

static void
test_vectors_of_our_own(void **state)
{
	(void)state;
	assert_int_equal(judge_file(OWN), 32);
}

static void
test_vectors_of_the_sdks(void **state)
{
	FILE *file = fopen(SHARED, "r");

	(void)state;
	if (file == NULL) {
		print_message("no %s\n", SHARED);
		skip();
	}
	fclose(file);
	assert_in_range(judge_file(SHARED), 60, 1000);
}

static void
test_vectors_named_by_the_environment(void **state)
{
	const char *list = getenv("CALLMASK_SIGNATURE_VECTORS");
	char path[1024];
	size_t len;

	(void)state;
	if (list == NULL || list[0] == '\0') {
		print_message("no CALLMASK_SIGNATURE_VECTORS\n");
		skip();
	}
	for (; list[0] != '\0'; list += len + strspn(list + len, ": \n")) {
		len = strcspn(list, ": \n");
		snprintf(path, sizeof path, "%.*s", (int)len, list);
		if (len != 0)
			assert_in_range(judge_file(path), 1, 100000);
	}
}

/* Signs what the parts make, by the steps of docs:usage/security. */
static void
sign_text(char out[29], const char *token, const char *text)
{
	uint8_t mac[CRYPTO_SHA1_SIZE];
	struct crypto_mac *m;

	assert_int_equal(crypto_mac_open(&m, token), RC_OK);
	assert_int_equal(crypto_mac_sha1(m, mac, text, strlen(text)), RC_OK);
	crypto_mac_free(m);
	crypto_base64(out, 29, mac, sizeof mac);
}

/* A form without its text, for fields that stand elsewhere. */
static struct form
make_form(const char *const (*pairs)[2], size_t len)
{
	struct form form = { .len = len };
	size_t i;

	for (i = 0; i < len; i++)
		form.fields[i] =
		    (struct form_field){ pairs[i][0], pairs[i][1] };
	return form;
}

/* The request that the tests below vary: everything in buffers. */
struct sample {
	char base[40], token[40], path[40], query[40], signature[40];
	char names[3][16], values[3][24];
	struct form form;
	struct twilio_request request;
};

static void
init_sample(struct sample *s)
{
	size_t i;

	*s = (struct sample){
		.base = BASE,
		.token = TOKEN,
		.path = "/twilio/voice",
		.query = "a=1&b=%2F",
		.names = { "To", "CallSid", "From" },
		.values = { "+12025550191", "CA7", "+12025550147" },
	};
	sign_text(s->signature, TOKEN,
	    BASE "/twilio/voice?a=1&b=%2FCallSidCA7From+12025550147"
		 "To+12025550191");
	s->form.len = LENGTH(s->names);
	for (i = 0; i < s->form.len; i++)
		s->form.fields[i] =
		    (struct form_field){ s->names[i], s->values[i] };
	s->request = (struct twilio_request){
		.path = s->path,
		.query = s->query,
		.form = &s->form,
		.signature = s->signature,
	};
}

static enum rc
check_sample(const struct sample *s)
{
	return check(s->base, s->token, &s->request);
}

static void
test_check_accepts_the_right_signature(void **state)
{
	struct sample s;

	(void)state;
	init_sample(&s);
	assert_int_equal(check_sample(&s), RC_OK);
}

/* Every bit of every byte of everything that is signed. */
static void
test_check_refuses_any_flipped_bit(void **state)
{
	struct sample s;
	char *parts[11];
	size_t i, j, bit, tried = 0;

	(void)state;
	init_sample(&s);
	parts[0] = s.base;
	parts[1] = s.token;
	parts[2] = s.path;
	parts[3] = s.query;
	parts[4] = s.signature;
	for (i = 0; i < 3; i++) {
		parts[5 + i] = s.names[i];
		parts[8 + i] = s.values[i];
	}
	for (i = 0; i < LENGTH(parts); i++) {
		for (j = 0; parts[i][j] != '\0'; j++) {
			for (bit = 0; bit < 8; bit++, tried++) {
				parts[i][j] ^= (char)(1 << bit);
				if (check_sample(&s) != RC_UNSIGNED)
					fail_msg("part %zu, byte %zu, bit %zu "
						 "passed",
					    i, j, bit);
				parts[i][j] ^= (char)(1 << bit);
			}
		}
	}
	assert_int_equal(tried, 8 * (24 + 32 + 13 + 9 + 28 + 13 + 27));
	assert_int_equal(check_sample(&s), RC_OK);
}

static void
test_check_refuses_other_signatures(void **state)
{
	struct sample s;
	char right[29], twice[64];
	size_t len;

	(void)state;
	init_sample(&s);
	strcpy(right, s.signature);
	for (len = 0; len < 28; len++) {
		snprintf(
		    s.signature, sizeof s.signature, "%.*s", (int)len, right);
		assert_int_equal(check_sample(&s), RC_UNSIGNED);
		/* Cut at the front instead, and cut but filled up again. */
		strcpy(s.signature, right + 28 - len);
		assert_int_equal(check_sample(&s), RC_UNSIGNED);
		memset(s.signature, 'A', 28);
		memcpy(s.signature, right, len);
		assert_int_equal(check_sample(&s), RC_UNSIGNED);
	}
	snprintf(s.signature, sizeof s.signature, "%s ", right);
	assert_int_equal(check_sample(&s), RC_UNSIGNED);
	snprintf(s.signature, sizeof s.signature, " %s", right);
	assert_int_equal(check_sample(&s), RC_UNSIGNED);
	snprintf(s.signature, sizeof s.signature, "%s\n", right);
	assert_int_equal(check_sample(&s), RC_UNSIGNED);
	snprintf(s.signature, sizeof s.signature, "%s=", right);
	assert_int_equal(check_sample(&s), RC_UNSIGNED);
	snprintf(twice, sizeof twice, "%s,%s", right, right);
	s.request.signature = twice;
	assert_int_equal(check_sample(&s), RC_UNSIGNED);
	snprintf(twice, sizeof twice, "%s%s", right, right);
	assert_int_equal(check_sample(&s), RC_UNSIGNED);
	s.request.signature = right;
	assert_int_equal(check_sample(&s), RC_OK);
}

static void
test_check_takes_fields_in_any_order(void **state)
{
	struct form_field first;
	struct sample s;
	int i;

	(void)state;
	init_sample(&s);
	for (i = 0; i < 6; i++) {
		first = s.form.fields[i % 2];
		s.form.fields[i % 2] = s.form.fields[i % 2 + 1];
		s.form.fields[i % 2 + 1] = first;
		assert_int_equal(check_sample(&s), RC_OK);
	}
}

static void
test_check_refuses_fields_added_or_removed(void **state)
{
	static const char *const more[][2] = { { "Extra", "1" }, { "a", "1" },
		{ "To", "" }, { "", "x" }, { "From", "+12025550166" } };
	struct sample s;
	size_t i;

	(void)state;
	init_sample(&s);
	s.form.len = 4;
	for (i = 0; i < LENGTH(more); i++) {
		s.form.fields[3] =
		    (struct form_field){ more[i][0], more[i][1] };
		if (check_sample(&s) != RC_UNSIGNED)
			fail_msg("%s passed", more[i][0]);
	}
	s.form.len = 2;
	assert_int_equal(check_sample(&s), RC_UNSIGNED);
	s.form.len = 0;
	assert_int_equal(check_sample(&s), RC_UNSIGNED);
	s.request.form = NULL;
	assert_int_equal(check_sample(&s), RC_UNSIGNED);
}

/* The same pair twice counts once; a name with two values has both. */
static void
test_check_joins_repeated_fields(void **state)
{
	static const char *const pairs[][2] = { { "k", "2" }, { "k", "10" },
		{ "a", "" }, { "k", "2" } };
	struct form form = make_form(pairs, LENGTH(pairs));
	char signature[29];
	struct twilio_request request = {
		.path = "/p", .query = "", .form = &form, .signature = signature
	};

	(void)state;
	sign_text(signature, TOKEN, BASE "/pak10k2");
	assert_int_equal(check(BASE, TOKEN, &request), RC_OK);
	sign_text(signature, TOKEN, BASE "/pak10k2k2");
	assert_int_equal(check(BASE, TOKEN, &request), RC_UNSIGNED);
	sign_text(signature, TOKEN, BASE "/pak2k10");
	assert_int_equal(check(BASE, TOKEN, &request), RC_UNSIGNED);
	sign_text(signature, TOKEN, BASE "/pak102");
	assert_int_equal(check(BASE, TOKEN, &request), RC_UNSIGNED);
}

/* As many fields as a form may have. */
static void
test_check_takes_the_largest_form(void **state)
{
	static char names[FORM_MAX][8];
	char text[64 + 8 * FORM_MAX] = BASE "/p", signature[29];
	struct form form = { .len = FORM_MAX };
	struct twilio_request request = {
		.path = "/p", .query = "", .form = &form, .signature = signature
	};
	int i;

	(void)state;
	for (i = 0; i < FORM_MAX; i++) {
		snprintf(names[i], sizeof names[i], "f%03d", i);
		strcat(text, names[i]);
		form.fields[FORM_MAX - 1 - i] =
		    (struct form_field){ names[i], "" };
	}
	sign_text(signature, TOKEN, text);
	assert_int_equal(check(BASE, TOKEN, &request), RC_OK);
	form.len--;
	assert_int_equal(check(BASE, TOKEN, &request), RC_UNSIGNED);
}

/* Which forms of the URL may have been signed when base is configured. */
static void
test_check_takes_three_forms_of_the_port(void **state)
{
	static const struct {
		const char *base, *right[3], *wrong[3];
	} rows[] = {
		{ "https://h.example",
		    { "https://h.example", "https://h.example:443", NULL },
		    { "https://h.example:80", "https://h.example:8443",
			"http://h.example" } },
		{ "http://h.example",
		    { "http://h.example", "http://h.example:80", NULL },
		    { "http://h.example:443", "http://h.example:8080",
			"https://h.example" } },
		{ "https://h.example:8443",
		    { "https://h.example:8443", "https://h.example",
			"https://h.example:443" },
		    { "https://h.example:8443:443", "https://h.example:844",
			"https://h.example:80" } },
		{ "http://h.example:8080",
		    { "http://h.example:8080", "http://h.example",
			"http://h.example:80" },
		    { "http://h.example:443", "http://h.example:808",
			"http" } },
		{ "https://h.example:443",
		    { "https://h.example:443", "https://h.example", NULL },
		    { "https://h.example:443:443", "http://h.example:443",
			"https://H.example" } },
		{ "https://[::1]",
		    { "https://[::1]", "https://[::1]:443", NULL },
		    { "https://[:", "https://[::", "https://[:443" } },
		{ "http://[::1]:8080",
		    { "http://[::1]:8080", "http://[::1]", "http://[::1]:80" },
		    { "http://[:", "http://[::1", "http://[:80" } },
		{ "https://user:pass@h.example",
		    { "https://user:pass@h.example",
			"https://user:pass@h.example:443", NULL },
		    { "https://user", "https://user:443",
			"https://h.example" } },
	};
	struct twilio_request request = { .path = "/p", .query = "" };
	char text[80], signature[29];
	size_t i, j;

	(void)state;
	request.signature = signature;
	for (i = 0; i < LENGTH(rows); i++) {
		for (j = 0; j < 3; j++) {
			snprintf(text, sizeof text, "%s/p", rows[i].wrong[j]);
			sign_text(signature, TOKEN, text);
			if (check(rows[i].base, TOKEN, &request) != RC_UNSIGNED)
				fail_msg("%s: %s passed", rows[i].base, text);
			if (rows[i].right[j] == NULL)
				continue;
			snprintf(text, sizeof text, "%s/p", rows[i].right[j]);
			sign_text(signature, TOKEN, text);
			if (check(rows[i].base, TOKEN, &request) != RC_OK)
				fail_msg("%s: %s refused", rows[i].base, text);
		}
	}
}

/* While tokens are rotated, either may have signed. */
static void
test_check_takes_any_of_the_tokens(void **state)
{
	static const char *const tokens[] = { OTHER_TOKEN, TOKEN };
	struct twilio_sign *sign;
	struct sample s;

	(void)state;
	init_sample(&s);
	assert_int_equal(twilio_sign_open(&sign, BASE, tokens, 2), RC_OK);
	assert_int_equal(twilio_sign_check(sign, &s.request), RC_OK);
	sign_text(s.signature, OTHER_TOKEN,
	    BASE "/twilio/voice?a=1&b=%2FCallSidCA7From+12025550147"
		 "To+12025550191");
	assert_int_equal(twilio_sign_check(sign, &s.request), RC_OK);
	/* And again, and after a refusal: nothing is left from before. */
	assert_int_equal(twilio_sign_check(sign, &s.request), RC_OK);
	s.path[1] = 'T';
	assert_int_equal(twilio_sign_check(sign, &s.request), RC_UNSIGNED);
	s.path[1] = 't';
	assert_int_equal(twilio_sign_check(sign, &s.request), RC_OK);
	twilio_sign_free(sign);
	assert_int_equal(check(BASE, TOKEN, &s.request), RC_UNSIGNED);
}

static void
test_check_without_tokens_refuses_all(void **state)
{
	struct twilio_sign *sign;
	struct sample s;

	(void)state;
	init_sample(&s);
	assert_int_equal(twilio_sign_open(&sign, BASE, NULL, 0), RC_OK);
	assert_int_equal(twilio_sign_check(sign, &s.request), RC_UNSIGNED);
	strcpy(s.signature, "");
	assert_int_equal(twilio_sign_check(sign, &s.request), RC_UNSIGNED);
	sign_text(s.signature, "",
	    BASE "/twilio/voice?a=1&b=%2FCallSidCA7From+12025550147"
		 "To+12025550191");
	assert_int_equal(twilio_sign_check(sign, &s.request), RC_UNSIGNED);
	twilio_sign_free(sign);
	twilio_sign_free(NULL);
}

/* A body that is no form: its hash, the text of it, stands in the query. */
static void
test_check_wants_the_hash_of_other_bodies(void **state)
{
	static const char body[] = "{\"a\":1}";
	char hash[65], upper[65], other[65], query[300], text[400],
	    signature[29];
	struct twilio_request request = { .path = "/p",
		.query = query,
		.body = body,
		.body_len = sizeof body - 1,
		.signature = signature };
	const struct {
		const char *before, *hash, *behind;
		enum rc rc;
	} rows[] = {
		{ "bodySHA256=", hash, "", RC_OK },
		{ "x=1&bodySHA256=", hash, "&y=2", RC_OK },
		{ "bodySHA256=", hash, "&bodySHA256=0", RC_OK },
		{ "bodySHA256=0&bodySHA256=", hash, "", RC_UNSIGNED },
		{ "bodySHA256=", upper, "", RC_UNSIGNED },
		{ "bodySHA256=", other, "", RC_UNSIGNED },
		{ "bodySHA256=", hash, "0", RC_UNSIGNED },
		{ "bodySHA256=", "", "", RC_UNSIGNED },
		{ "bodysha256=", hash, "", RC_UNSIGNED },
		{ "xbodySHA256=", hash, "", RC_UNSIGNED },
		{ "bodySHA256", hash, "", RC_UNSIGNED },
		{ "", "", "", RC_UNSIGNED },
	};
	uint8_t raw[CRYPTO_SHA256_SIZE];
	size_t i;

	(void)state;
	crypto_sha256(raw, body, sizeof body - 1);
	crypto_hex(hash, raw, sizeof raw);
	for (i = 0; i < sizeof hash; i++)
		upper[i] = (char)(hash[i] >= 'a' ? hash[i] - 32 : hash[i]);
	strcpy(other, hash);
	other[63] = other[63] == '0' ? '1' : '0';
	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(query, sizeof query, "%s%s%s", rows[i].before,
		    rows[i].hash, rows[i].behind);
		snprintf(text, sizeof text, BASE "/p%s%s",
		    query[0] != '\0' ? "?" : "", query);
		sign_text(signature, TOKEN, text);
		if (check(BASE, TOKEN, &request) != rows[i].rc)
			fail_msg("%s: not %s", query, rc_name(rows[i].rc));
	}
}

static void
test_check_refuses_a_changed_body(void **state)
{
	char body[] = "{\"a\":1}", query[80] = "bodySHA256=", text[200];
	char signature[29];
	struct twilio_request request = { .path = "/p",
		.query = query,
		.body = body,
		.body_len = 7,
		.signature = signature };
	uint8_t raw[CRYPTO_SHA256_SIZE];
	size_t i;

	(void)state;
	crypto_sha256(raw, body, 7);
	crypto_hex(query + 11, raw, sizeof raw);
	snprintf(text, sizeof text, BASE "/p?%s", query);
	sign_text(signature, TOKEN, text);
	assert_int_equal(check(BASE, TOKEN, &request), RC_OK);
	for (i = 0; i < 7; i++) {
		body[i] ^= 1;
		assert_int_equal(check(BASE, TOKEN, &request), RC_UNSIGNED);
		body[i] ^= 1;
	}
	for (i = 0; i < 7; i++) {
		request.body_len = i;
		assert_int_equal(check(BASE, TOKEN, &request), RC_UNSIGNED);
	}
	/* The hash is right, but nobody signed it. */
	request.body_len = 7;
	signature[0] ^= 1;
	assert_int_equal(check(BASE, TOKEN, &request), RC_UNSIGNED);
}

static void
test_open_refuses_more_tokens_than_it_holds(void **state)
{
	const char *tokens[100];
	struct twilio_sign *sign = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(tokens); i++)
		tokens[i] = TOKEN;
	assert_int_equal(
	    twilio_sign_open(&sign, BASE, tokens, LENGTH(tokens)), RC_MEMORY);
	assert_null(sign);
}

static int
prepare(void **state)
{
	(void)state;
	return crypto_open() == RC_OK ? 0 : 1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors_of_our_own),
		cmocka_unit_test(test_vectors_of_the_sdks),
		cmocka_unit_test(test_vectors_named_by_the_environment),
		cmocka_unit_test(test_check_accepts_the_right_signature),
		cmocka_unit_test(test_check_refuses_any_flipped_bit),
		cmocka_unit_test(test_check_refuses_other_signatures),
		cmocka_unit_test(test_check_takes_fields_in_any_order),
		cmocka_unit_test(test_check_refuses_fields_added_or_removed),
		cmocka_unit_test(test_check_joins_repeated_fields),
		cmocka_unit_test(test_check_takes_the_largest_form),
		cmocka_unit_test(test_check_takes_three_forms_of_the_port),
		cmocka_unit_test(test_check_takes_any_of_the_tokens),
		cmocka_unit_test(test_check_without_tokens_refuses_all),
		cmocka_unit_test(test_check_wants_the_hash_of_other_bodies),
		cmocka_unit_test(test_check_refuses_a_changed_body),
		cmocka_unit_test(test_open_refuses_more_tokens_than_it_holds),
	};

	return cmocka_run_group_tests_name("twilio_sign", tests, prepare, NULL);
}
