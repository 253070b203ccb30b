/* Takes phone numbers, addresses and links out of a text: the text made plain,
 * and put together again. */

#include "redact.h"

#include <stdint.h>

#include "crypto.h"
#include "redact_text.h"
#include "utf8.h"

/* Characters in a row that stand for other characters in a row. */
static const struct range {
	uint32_t first, last;
	char plain;      /* of the first */
	uint32_t period; /* after so many it begins again; 1: all are one */
} ranges[] = {
	/* Digits: superscript, subscript, circled and the like. */
	{ 0x2070, 0x2070, '0', 1 },
	{ 0x2074, 0x2079, '4', 6 },
	{ 0x2080, 0x2089, '0', 10 },
	{ 0x2460, 0x2468, '1', 9 },
	{ 0x2474, 0x247c, '1', 9 },
	{ 0x2488, 0x2490, '1', 9 },
	{ 0x24ea, 0x24ea, '0', 1 },
	{ 0x24f5, 0x24fd, '1', 9 },
	{ 0x24ff, 0x24ff, '0', 1 },
	{ 0x2776, 0x277e, '1', 9 },
	{ 0x2780, 0x2788, '1', 9 },
	{ 0x278a, 0x2792, '1', 9 },
	/* Digits of other scripts (Unicode's category Nd). */
	{ 0x0660, 0x0669, '0', 10 },
	{ 0x06f0, 0x06f9, '0', 10 },
	{ 0x07c0, 0x07c9, '0', 10 },
	{ 0x0966, 0x096f, '0', 10 },
	{ 0x09e6, 0x09ef, '0', 10 },
	{ 0x0a66, 0x0a6f, '0', 10 },
	{ 0x0ae6, 0x0aef, '0', 10 },
	{ 0x0b66, 0x0b6f, '0', 10 },
	{ 0x0be6, 0x0bef, '0', 10 },
	{ 0x0c66, 0x0c6f, '0', 10 },
	{ 0x0ce6, 0x0cef, '0', 10 },
	{ 0x0d66, 0x0d6f, '0', 10 },
	{ 0x0e50, 0x0e59, '0', 10 },
	{ 0x0ed0, 0x0ed9, '0', 10 },
	{ 0x0f20, 0x0f29, '0', 10 },
	{ 0x1040, 0x1049, '0', 10 },
	{ 0x17e0, 0x17e9, '0', 10 },
	{ 0x1810, 0x1819, '0', 10 },
	{ 0x1d7ce, 0x1d7ff, '0', 10 },
	{ 0x1fbf0, 0x1fbf9, '0', 10 },
	/* Chinese ones. */
	{ 0x3007, 0x3007, '0', 1 },
	{ 0x4e00, 0x4e00, '1', 1 },
	{ 0x4e8c, 0x4e8c, '2', 1 },
	{ 0x4e09, 0x4e09, '3', 1 },
	{ 0x56db, 0x56db, '4', 1 },
	{ 0x4e94, 0x4e94, '5', 1 },
	{ 0x516d, 0x516d, '6', 1 },
	{ 0x4e03, 0x4e03, '7', 1 },
	{ 0x516b, 0x516b, '8', 1 },
	{ 0x4e5d, 0x4e5d, '9', 1 },
	/* Letters: circled, bold, squared and the like. */
	{ 0x24b6, 0x24e9, 'a', 26 },
	{ 0x1d400, 0x1d6a3, 'a', 26 },
	{ 0x1f130, 0x1f149, 'a', 26 },
	{ 0x1f150, 0x1f169, 'a', 26 },
	{ 0x1f170, 0x1f189, 'a', 26 },
	/* Invisible: joiners, marks, variations, directions, skin tones. */
	{ 0x00ad, 0x00ad, '\0', 1 },
	{ 0x0300, 0x036f, '\0', 1 },
	{ 0x061c, 0x061c, '\0', 1 },
	{ 0x180e, 0x180e, '\0', 1 },
	{ 0x200b, 0x200f, '\0', 1 },
	{ 0x202a, 0x202e, '\0', 1 },
	{ 0x2060, 0x206f, '\0', 1 },
	{ 0x20d0, 0x20ff, '\0', 1 },
	{ 0xfe00, 0xfe0f, '\0', 1 },
	{ 0xfeff, 0xfeff, '\0', 1 },
	{ 0x1f3fb, 0x1f3ff, '\0', 1 },
	{ 0xe0000, 0xe0fff, '\0', 1 },
	/* Spaces. */
	{ 0x00a0, 0x00a0, ' ', 1 },
	{ 0x1680, 0x1680, ' ', 1 },
	{ 0x2000, 0x200a, ' ', 1 },
	{ 0x2028, 0x2029, ' ', 1 },
	{ 0x202f, 0x202f, ' ', 1 },
	{ 0x205f, 0x205f, ' ', 1 },
	{ 0x3000, 0x3000, ' ', 1 },
	/* Dashes, dots, strokes, the at sign. */
	{ 0x2010, 0x2015, '-', 1 },
	{ 0x2043, 0x2043, '-', 1 },
	{ 0x2212, 0x2212, '-', 1 },
	{ 0xfe58, 0xfe58, '-', 1 },
	{ 0xfe63, 0xfe63, '-', 1 },
	{ 0x00b7, 0x00b7, '.', 1 },
	{ 0x2022, 0x2027, '.', 1 },
	{ 0x2219, 0x2219, '.', 1 },
	{ 0x22c5, 0x22c5, '.', 1 },
	{ 0x3002, 0x3002, '.', 1 },
	{ 0x30fb, 0x30fb, '.', 1 },
	{ 0xfe52, 0xfe52, '.', 1 },
	{ 0xff61, 0xff61, '.', 1 },
	{ 0xff65, 0xff65, '.', 1 },
	{ 0x2044, 0x2044, '/', 1 },
	{ 0x2215, 0x2215, '/', 1 },
	{ 0x2236, 0x2236, ':', 1 },
	{ 0xfe6b, 0xfe6b, '@', 1 },
	/* Money; degrees and fractions. */
	{ 0x00a2, 0x00a5, '$', 1 },
	{ 0x0e3f, 0x0e3f, '$', 1 },
	{ 0x20a0, 0x20cf, '$', 1 },
	{ 0x00b0, 0x00b0, '%', 1 },
	{ 0x00bc, 0x00be, '%', 1 },
	{ 0x2030, 0x2031, '%', 1 },
	/* Single ones of Latin 1. */
	{ 0x00aa, 0x00aa, 'a', 1 },
	{ 0x00b2, 0x00b3, '2', 2 },
	{ 0x00b9, 0x00b9, '1', 1 },
	{ 0x00ba, 0x00ba, 'o', 1 },
	/* All other signs: quotes, arrows, pictures. */
	{ 0x00a1, 0x00bf, '\'', 1 },
	{ 0x2016, 0x205e, '\'', 1 },
	{ 0x2100, 0x214f, '|', 1 },
	{ 0x2190, 0x2bff, '|', 1 },
	{ 0x3001, 0x3020, ',', 1 },
	{ 0x1f000, 0x1faff, '|', 1 },
};

/* From À on, without accents. */
static const char latin[] = "aaaaaaaceeeeiiiidnooooo*ouuuuyts"
			    "aaaaaaaceeeeiiiidnooooo/ouuuuyty";

/* Returns the plain form of a character, NUL if there is nothing of it. */
static char
plain_of(uint32_t c)
{
	size_t i;

	if (c >= 0xff01 && c <= 0xff5e) /* full-width */
		c -= 0xff01 - '!';
	if (c == '\t' || c == '\n' || c == '\r')
		return ' ';
	if (c < 0x20 || c == 0x7f)
		return '\0';
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	if (c < 0x80)
		return (char)c;
	if (c >= 0xc0 && c <= 0xff)
		return latin[c - 0xc0];
	for (i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
		const struct range *r = &ranges[i];

		if (c < r->first || c > r->last)
			continue;
		return (char)(r->plain + (int)((c - r->first) % r->period));
	}
	return REDACT_LETTER;
}

/* Returns the character of len well-formed bytes. */
static uint32_t
decode(const char *text, size_t len)
{
	static const uint8_t lead[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t c = (uint8_t)text[0] & lead[len];
	size_t i;

	for (i = 1; i < len; i++)
		c = c << 6 | ((uint8_t)text[i] & 0x3f);
	return c;
}

/* Appends the plain form of text, to plain. RC_MEMORY. */
static enum rc
make_plain(struct buf *plain, const char *text)
{
	size_t len;
	char c;

	for (; (len = utf8_next(text)) != 0; text += len)
		if ((c = plain_of(decode(text, len))) != '\0')
			buf_add(plain, &c, 1);
	return buf_ok(plain) ? RC_OK : RC_MEMORY;
}

/* Appends text but for what is hidden. What is invisible goes with what stands
 * before it. */
static void
put_together(struct buf *out, const char *text, const char *hide)
{
	bool hidden = false, was_hidden = false;
	size_t len;

	for (; (len = utf8_next(text)) != 0; text += len) {
		if (plain_of(decode(text, len)) != '\0')
			hidden = *hide++ != 0;
		if (!hidden)
			buf_add(out, text, len);
		else if (!was_hidden)
			buf_puts(out, REDACT_MARK);
		was_hidden = hidden;
	}
}

enum rc
redact(struct buf *out, const char *text)
{
	struct buf plain, hide;
	enum rc rc = RC_MEMORY;

	buf_init(&plain, 0);
	buf_init(&hide, 0);
	if (make_plain(&plain, text) == RC_OK &&
	    buf_reserve(&hide, plain.len + 1) == RC_OK) {
		struct redact_text found = { .plain = buf_text(&plain),
			.len = plain.len,
			.hide = hide.data };

		memset(hide.data, 0, plain.len + 1);
		redact_numbers(&found);
		redact_addresses(&found);
		put_together(out, text, hide.data);
		rc = buf_ok(out) ? RC_OK : RC_MEMORY;
	}
	if (plain.data != NULL)
		crypto_wipe(plain.data, plain.size);
	buf_free(&hide);
	buf_free(&plain);
	return rc;
}
