#ifndef TWILIO_SIGN_H
#define TWILIO_SIGN_H

/*
 * Twilio's request signature (docs:usage/security): base64 of HMAC-SHA1,
 * under the account's auth token, of the URL that Twilio requested and the
 * form's fields, sorted and joined without delimiters.
 *
 * The URL is the configured public one plus the path and the query as they
 * were sent; Host and X-Forwarded headers have no say. Twilio drops the port
 * in some cases and keeps it in others, so three forms of it are accepted: as
 * configured, without a port, with the scheme's default port.
 *
 * A right signature proves the joined text and nothing about where one field
 * ends and the next begins, nor when it was made. So act on known fields of
 * strict syntax only, and so that a replay changes nothing.
 */

#include <stddef.h>

#include "form.h"
#include "rc.h"

/* A request whose signature is in question. All borrowed for the call. */
struct twilio_request {
	const char *path;        /* of the URL, as sent */
	const char *query;       /* of the URL, as sent; "": none */
	const struct form *form; /* the body if it is a form, else NULL */
	const char *body;        /* the body if it is not a form, else NULL */
	size_t body_len;         /* bytes of body */
	const char *signature;   /* X-Twilio-Signature; "": none */
};

/* Tokens and URL made ready for checking; opaque. */
struct twilio_sign;

/*
 * Makes *sign ready: base_url is scheme and host (and port), tokens are the
 * auth tokens any of which may have signed. Returns RC_MEMORY. Free with
 * twilio_sign_free.
 */
enum rc twilio_sign_open(struct twilio_sign **sign, const char *base_url,
    const char *const *tokens, size_t tokens_len);

/*
 * Returns RC_OK if the signature is right, RC_UNSIGNED if it is not, RC_MEMORY
 * or RC_SYSTEM. A body that is not a form must match the bodySHA256 in the
 * query.
 */
enum rc twilio_sign_check(
    struct twilio_sign *sign, const struct twilio_request *request);

/* Wipes and releases sign; NULL is fine. */
void twilio_sign_free(struct twilio_sign *sign);

#endif
