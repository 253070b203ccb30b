#ifndef TIMESTAMP_H
#define TIMESTAMP_H

/*
 * Points in time as text. Inside, time is epoch seconds in an int64_t; the
 * API shows RFC 3339 in UTC, and Twilio sends RFC 2822.
 */

#include <stdint.h>

#include "rc.h"

/* Bytes of "2026-11-22T16:00:00Z" and its NUL. */
#define TIMESTAMP_SIZE 21

/* Writes at as RFC 3339 to out and returns out; "" if beyond year 9999. */
const char *timestamp_format(char out[TIMESTAMP_SIZE], int64_t at);

/*
 * Reads an RFC 2822 date as Twilio writes it, "Sun, 22 Nov 2026 16:00:00
 * +0000" (or GMT), into *at. Returns RC_SYNTAX, *at untouched, for all else.
 */
enum rc timestamp_parse(int64_t *at, const char *text);

/* Reads RFC 3339 in UTC, as timestamp_format writes it. Same results. */
enum rc timestamp_parse_rfc3339(int64_t *at, const char *text);

#endif
