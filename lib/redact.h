#ifndef REDACT_H
#define REDACT_H

/*
 * Takes phone numbers, e-mail addresses and links out of a text, so that two
 * people do not swap by text what the masked number keeps from them.
 *
 * A phone number is a run of seven or more digits, however they are written
 * (other scripts, circled, as English, German or French words, "double five")
 * and whatever stands between them but letters and a few signs. Dates, times,
 * amounts of money and a house number before a postcode stay. An address or
 * link is known by its @, its scheme, or a top-level domain in common use,
 * also with "at" and "dot" spelled out. Some domains are words as well ("it",
 * "me", "in"): bare hosts of theirs stay unless something else gives them
 * away.
 *
 * It is a fence, not a wall: who is bent on it will find words for a number
 * that no table has. In doubt it takes out.
 */

#include "buf.h"
#include "rc.h"

/* What stands in place of each. Plain SMS characters, of no language, and
 * never longer than what it replaces. */
#define REDACT_MARK "***"

/* Appends text, well-formed UTF-8, to out without all that. RC_MEMORY. */
enum rc redact(struct buf *out, const char *text);

#endif
