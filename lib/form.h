#ifndef FORM_H
#define FORM_H

/*
 * Bodies of type application/x-www-form-urlencoded, as Twilio sends them.
 *
 * Written by hand because the signature needs every raw pair with its exact
 * bytes, and the libraries at hand end values at a NUL or drop empty ones.
 * It is strict where a browser would guess: a bad escape, an escaped NUL, or
 * text that is not UTF-8 refuses the whole body, so that no two readers can
 * see two different forms.
 */

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "rc.h"

/* Most fields a form may have. Twilio's voice webhook has about 30. */
#define FORM_MAX 128

/* One field: decoded, NUL-terminated; borrowed from its form. */
struct form_field {
	const char *name;
	const char *value;
};

/* A parsed form. */
struct form {
	struct form_field fields[FORM_MAX]; /* in the order they came */
	size_t len;                         /* fields in use */
	struct buf text;                    /* what the fields point into */
};

/* An empty form, nothing to free. */
void form_init(struct form *form);

/*
 * Parses len bytes of body into form, which was init'ed or freed. Returns
 * RC_SYNTAX if it is not strictly such a form, RC_TOO_LARGE beyond FORM_MAX
 * fields, RC_MEMORY; form is then empty.
 */
enum rc form_parse(struct form *form, const char *body, size_t len);

/*
 * Returns the value of the field called name, or "" if there is none or more
 * than one: a repeated field is a question with two answers, which Twilio
 * never asks. Borrowed until form_free.
 */
const char *form_get(const struct form *form, const char *name);

/*
 * Reads the field called name, a count of at most nine digits, into *count;
 * -1 if form_get has nothing for it. Returns RC_INVALID, *count untouched, for
 * anything else.
 */
enum rc form_count(const struct form *form, const char *name, int64_t *count);

/* Releases the memory; form is then empty. NULL is fine. */
void form_free(struct form *form);

#endif
