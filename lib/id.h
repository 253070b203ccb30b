#ifndef ID_H
#define ID_H

/*
 * Names of rows: a prefix that says what it is, then 26 characters of 48 bits
 * of time (milliseconds) and 80 random ones, so that ids sort by age and
 * cannot be guessed. The alphabet is Crockford's base 32 in lower case.
 */

#include <stdbool.h>
#include <stdint.h>

/* Bytes of an id: "ses_", 26 characters, NUL. */
#define ID_SIZE 31

/* Writes a new id to out. prefix is three letters, e.g. "ses". */
void id_make(char out[ID_SIZE], const char *prefix, int64_t now_ms);

/* Returns whether text has the form of an id with this prefix. */
bool id_valid(const char *text, const char *prefix);

#endif
