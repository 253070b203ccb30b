#ifndef REDACT_TEXT_H
#define REDACT_TEXT_H

/*
 * Between redact's parts: a text made plain, one byte for each character, in
 * which they look for what must go.
 */

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* A letter that has no plain form. */
#define REDACT_LETTER '\x01'

/*
 * plain has a to z in place of capitals, accented and fancy letters, 0 to 9 of
 * all digits, a blank of each space, one of - . ' | % $ of their kind of signs,
 * and nothing of what is invisible.
 */
struct redact_text {
	const char *plain; /* NUL-terminated */
	size_t len;
	char *hide; /* for each of plain: 1 if it must go */
};

/* Marks phone numbers. */
void redact_numbers(const struct redact_text *text);

/* Marks e-mail addresses and links. */
void redact_addresses(const struct redact_text *text);

static inline bool
redact_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
redact_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || c == REDACT_LETTER;
}

/* Returns where the letters that begin at p end. */
static inline size_t
redact_word_end(const char *plain, size_t p)
{
	while (redact_is_letter(plain[p]))
		p++;
	return p;
}

/* Returns whether the bytes from p to end are one of the NULL-terminated
 * words. */
static inline bool
redact_is_one_of(
    const char *plain, size_t p, size_t end, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strlen(*words) == end - p &&
		    memcmp(*words, plain + p, end - p) == 0)
			return true;
	return false;
}

/* Marks from p to end. */
static inline void
redact_hide(const struct redact_text *text, size_t p, size_t end)
{
	memset(text->hide + p, 1, end - p);
}

#endif
