/* Twilio's request signature. */

#include "twilio_sign.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "crypto.h"

#define TOKENS_MAX 8
#define BASES 3
#define SIGNATURE_SIZE CRYPTO_BASE64_SIZE(CRYPTO_SHA1_SIZE)

struct twilio_sign {
	struct crypto_mac *macs[TOKENS_MAX]; /* one a token */
	size_t macs_len;
	struct buf bases[BASES]; /* forms of the base URL */
	size_t bases_len;
	struct buf text; /* what is signed; kept for its memory */
};

/* Adds the forms of base_url: as it is, without a port, with the default. */
static void
add_bases(struct twilio_sign *sign, const char *base_url)
{
	const char *host = strstr(base_url, "://"), *port, *user;
	size_t len = strlen(base_url);

	buf_puts(&sign->bases[sign->bases_len++], base_url);
	host = host != NULL ? host + 3 : base_url;
	if ((user = strrchr(host, '@')) != NULL)
		host = user + 1;
	/* The colons inside [::1] are no port. */
	if ((port = strrchr(host, ':')) != NULL && strchr(port, ']') == NULL) {
		len = (size_t)(port - base_url);
		buf_add(&sign->bases[sign->bases_len++], base_url, len);
	}
	buf_add(&sign->bases[sign->bases_len], base_url, len);
	buf_puts(&sign->bases[sign->bases_len++],
	    strncmp(base_url, "https:", 6) == 0 ? ":443" : ":80");
}

enum rc
twilio_sign_open(struct twilio_sign **out, const char *base_url,
    const char *const *tokens, size_t tokens_len)
{
	struct twilio_sign *sign;
	enum rc rc = RC_OK;
	size_t i;

	if (tokens_len > TOKENS_MAX || (sign = calloc(1, sizeof *sign)) == NULL)
		return RC_MEMORY;
	add_bases(sign, base_url);
	for (i = 0; i < sign->bases_len; i++)
		if (!buf_ok(&sign->bases[i]))
			rc = RC_MEMORY;
	for (i = 0; i < tokens_len && rc == RC_OK; i++) {
		rc = crypto_mac_open(&sign->macs[i], tokens[i]);
		if (rc == RC_OK)
			sign->macs_len++;
	}
	if (rc != RC_OK) {
		twilio_sign_free(sign);
		return rc;
	}
	*out = sign;
	return RC_OK;
}

/* By name, then by value. Byte order: names are ASCII in practice. */
static int
compare_fields(const void *a, const void *b)
{
	const struct form_field *left = a, *right = b;
	int order;

	order = strcmp(left->name, right->name);
	return order != 0 ? order : strcmp(left->value, right->value);
}

/* Appends the fields as they are signed: sorted, equal pairs once. */
static void
add_fields(struct buf *text, const struct form *form)
{
	struct form_field sorted[FORM_MAX];
	size_t i;

	memcpy(sorted, form->fields, form->len * sizeof sorted[0]);
	qsort(sorted, form->len, sizeof sorted[0], compare_fields);
	for (i = 0; i < form->len; i++) {
		if (i > 0 && compare_fields(&sorted[i], &sorted[i - 1]) == 0)
			continue;
		buf_puts(text, sorted[i].name);
		buf_puts(text, sorted[i].value);
	}
}

/* Whether the query's first bodySHA256 is the hash of the body. */
static bool
body_matches(const struct twilio_request *request)
{
	static const char name[] = "bodySHA256=";
	uint8_t hash[CRYPTO_SHA256_SIZE];
	char hex[2 * CRYPTO_SHA256_SIZE + 1];
	const char *p = request->query;

	while (strncmp(p, name, sizeof name - 1) != 0) {
		if ((p = strchr(p, '&')) == NULL)
			return false;
		p++;
	}
	p += sizeof name - 1;
	crypto_sha256(hash, request->body, request->body_len);
	crypto_hex(hex, hash, sizeof hash);
	return strcspn(p, "&") == sizeof hex - 1 &&
	       crypto_equal(p, hex, sizeof hex - 1);
}

/* Checks the text behind one form of the base URL under every token. */
static enum rc
check_base(struct twilio_sign *sign, const struct buf *base,
    const struct twilio_request *request)
{
	uint8_t mac[CRYPTO_SHA1_SIZE];
	char expected[SIGNATURE_SIZE];
	struct buf *text = &sign->text;
	enum rc rc;
	size_t i;

	buf_reset(text);
	buf_puts(text, buf_text(base));
	buf_puts(text, request->path);
	if (request->query[0] != '\0') {
		buf_puts(text, "?");
		buf_puts(text, request->query);
	}
	if (request->form != NULL)
		add_fields(text, request->form);
	if (!buf_ok(text))
		return RC_MEMORY;
	for (i = 0; i < sign->macs_len; i++) {
		rc = crypto_mac_sha1(sign->macs[i], mac, text->data, text->len);
		if (rc != RC_OK)
			return rc;
		crypto_base64(expected, sizeof expected, mac, sizeof mac);
		if (crypto_equal(
			expected, request->signature, sizeof expected - 1))
			return RC_OK;
	}
	return RC_UNSIGNED;
}

enum rc
twilio_sign_check(
    struct twilio_sign *sign, const struct twilio_request *request)
{
	enum rc rc = RC_UNSIGNED;
	size_t i;

	if (strlen(request->signature) != SIGNATURE_SIZE - 1)
		return RC_UNSIGNED;
	if (request->body != NULL && !body_matches(request))
		return RC_UNSIGNED;
	for (i = 0; i < sign->bases_len && rc == RC_UNSIGNED; i++)
		rc = check_base(sign, &sign->bases[i], request);
	return rc;
}

void
twilio_sign_free(struct twilio_sign *sign)
{
	size_t i;

	if (sign == NULL)
		return;
	for (i = 0; i < sign->macs_len; i++)
		crypto_mac_free(sign->macs[i]);
	for (i = 0; i < sign->bases_len; i++)
		buf_free(&sign->bases[i]);
	buf_free(&sign->text);
	free(sign);
}
