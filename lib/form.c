/* Bodies of type application/x-www-form-urlencoded. */

#include "form.h"

#include <stdlib.h>
#include <string.h>

#include "utf8.h"

/* Returns the value of the hexadecimal digit c, or -1. */
static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Appends len encoded bytes to out, decoded and with a NUL behind them. */
static enum rc
decode(struct buf *out, const char *text, size_t len)
{
	size_t i;
	int high, low;
	char c;

	for (i = 0; i < len; i++) {
		c = text[i];
		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			if (len - i < 3 ||
			    (high = hex_digit(text[i + 1])) < 0 ||
			    (low = hex_digit(text[i + 2])) < 0)
				return RC_SYNTAX;
			c = (char)(high * 16 + low);
			i += 2;
		}
		if (c == '\0')
			return RC_SYNTAX;
		buf_add(out, &c, 1);
	}
	buf_add(out, "", 1);
	return buf_ok(out) ? RC_OK : RC_MEMORY;
}

/* Parses one name=value pair into *field. */
static enum rc
parse_field(
    struct form *form, struct form_field *field, const char *pair, size_t len)
{
	const char *equals = memchr(pair, '=', len);
	size_t name_len = equals != NULL ? (size_t)(equals - pair) : len;
	size_t name_at = form->text.len, value_at;
	enum rc rc;

	if ((rc = decode(&form->text, pair, name_len)) != RC_OK)
		return rc;
	value_at = form->text.len;
	if (equals != NULL)
		rc = decode(&form->text, equals + 1, len - name_len - 1);
	else
		rc = decode(&form->text, "", 0);
	if (rc != RC_OK)
		return rc;
	field->name = form->text.data + name_at;
	field->value = form->text.data + value_at;
	if (!utf8_valid(field->name) || !utf8_valid(field->value))
		return RC_SYNTAX;
	return RC_OK;
}

void
form_init(struct form *form)
{
	form->len = 0;
	buf_init(&form->text, 0);
}

enum rc
form_parse(struct form *form, const char *body, size_t len)
{
	const char *end = body + len, *amp;
	enum rc rc;

	/*
	 * Decoding never lengthens, and a pair takes two NULs. Room for all of
	 * it is made first, so that the text does not move under the fields
	 * that point into it.
	 */
	form->text.max = 2 * len + 2;
	if ((rc = buf_reserve(&form->text, 2 * len + 2)) != RC_OK)
		return rc;
	while (body < end && rc == RC_OK) {
		if ((amp = memchr(body, '&', (size_t)(end - body))) == NULL)
			amp = end;
		if (amp > body && form->len == FORM_MAX)
			rc = RC_TOO_LARGE;
		else if (amp > body)
			rc = parse_field(form, &form->fields[form->len++], body,
			    (size_t)(amp - body));
		body = amp + 1;
	}
	if (rc != RC_OK)
		form_free(form);
	return rc;
}

const char *
form_get(const struct form *form, const char *name)
{
	const char *value = NULL;
	size_t i;

	for (i = 0; i < form->len; i++) {
		if (strcmp(form->fields[i].name, name) != 0)
			continue;
		if (value != NULL)
			return "";
		value = form->fields[i].value;
	}
	return value != NULL ? value : "";
}

enum rc
form_count(const struct form *form, const char *name, int64_t *count)
{
	const char *text = form_get(form, name);

	if (strlen(text) > 9 || text[strspn(text, "0123456789")] != '\0')
		return RC_INVALID;
	*count = text[0] != '\0' ? strtol(text, NULL, 10) : -1;
	return RC_OK;
}

void
form_free(struct form *form)
{
	if (form == NULL)
		return;
	buf_free(&form->text);
	form->len = 0;
}
