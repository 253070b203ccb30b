#ifndef UTF8_H
#define UTF8_H

/* Well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates. */

#include <stdbool.h>
#include <stddef.h>

/*
 * Returns the bytes of the well-formed character that the string text begins
 * with, 1 to 4, or 0 if it begins with none (at its end as well).
 */
size_t utf8_next(const char *text);

/* Returns whether all of text is well-formed. */
bool utf8_valid(const char *text);

#endif
