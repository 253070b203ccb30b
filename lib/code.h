#ifndef CODE_H
#define CODE_H

/*
 * Codes: six digits that a party types when its phone is not the one we know,
 * or hides its number. A code means one party on one masked number. Whoever
 * guesses has a few tries in a call and a few dozen in an hour at a number,
 * all callers together, and cannot tell one refusal from another.
 */

#include <stdbool.h>

#include "db.h"
#include "leg.h"
#include "phone.h"
#include "rc.h"

#define CODE_SIZE 7          /* bytes of a code with its NUL */
#define CODE_CALL_TRIES 3    /* in one call */
#define CODE_NUMBER_TRIES 30 /* in an hour at one number */

/* Makes a code that means nobody on number yet. RC_RETRY if luck is
 * against it. */
enum rc code_make(
    struct db *db, char out[CODE_SIZE], const char *number, int64_t now);

/* Returns RC_OK while more tries are left at number in the call call_sid, else
 * RC_LIMIT. */
enum rc code_may_try(
    struct db *db, const char *number, const char *call_sid, int64_t now);

/* Notes a code typed in vain, once for each call; forgets those of more than
 * an hour ago. */
enum rc code_failed(struct db *db, const char *number, const char *call_sid,
    const char *code, int64_t now_ms);

/* Reads whose live leg the code typed at number means. RC_NOT_FOUND. */
enum rc code_find(struct db *db, struct leg_route *route, const char *number,
    const char *code, int64_t now);

#endif
