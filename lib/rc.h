#ifndef RC_H
#define RC_H

/*
 * Results. Every function that can fail for a reason its caller must tell
 * apart returns one; its contract names the two or three it expects. RC_OK is
 * 0, so `if ((rc = f()) != RC_OK)` reads as "if f failed".
 *
 * Refusals are the asker's doing and final until the question changes; what
 * was written while refusing (an event) stands. Failures are ours: everything
 * is rolled back and the same question may be asked again.
 */

#include <stdbool.h>

enum rc {
	RC_OK = 0,

	/* Not a failure: there is nothing (more) to return. */
	RC_NONE,

	/* Refusals. */
	RC_METHOD,       /* method not served at this path */
	RC_PATH,         /* no such path */
	RC_TYPE,         /* content type not accepted */
	RC_TOO_LARGE,    /* body over the endpoint's limit */
	RC_INCOMPLETE,   /* body shorter than announced */
	RC_UNSIGNED,     /* no right X-Twilio-Signature */
	RC_UNAUTHORIZED, /* no right API key */
	RC_FORBIDDEN,    /* this key may not */
	RC_SYNTAX,       /* not the format it says it is */
	RC_INVALID,      /* a field is missing, unknown, or out of bounds */
	RC_NOT_FOUND,    /* no such thing in this service */
	RC_SAME_PARTY,   /* both parties have one number */
	RC_OWN_NUMBER,   /* a party's number is a masked number */
	RC_COUNTRY,      /* a party's country is not allowed */
	RC_REFERENCE,    /* an open session has this reference */
	RC_POOL,         /* no masked number is free for both */
	RC_KEY_REUSED,   /* Idempotency-Key used with another request */
	RC_EXISTS,       /* a thing of this name is there already */
	RC_LIMIT,        /* no more tries are left */
	RC_ENDED,        /* the session is over */
	RC_OFF,          /* the service does not do this */
	RC_REFUSED,      /* by the session's or the service's rules */

	/* Failures. */
	RC_BUSY,        /* lock not had in time; nothing was done */
	RC_RETRY,       /* lost a race in the database; nothing was done */
	RC_UNAVAILABLE, /* database or keys cannot be opened */
	RC_VERSION,     /* database has another schema version */
	RC_CORRUPT,     /* stored data does not unseal or parse */
	RC_MEMORY,      /* out of memory, or a bounded buffer is full */
	RC_SYSTEM,      /* the system refused something it should not */

	RC__MAX
};

/*
 * What is wrong with a request, in words for the one who sent it. Both stay
 * empty where there is nothing to add. Never holds a value that was sent.
 */
struct fault {
	char field[64];   /* path of the field: parties[0].phone */
	char detail[160]; /* what is wrong with it and what would be right */
	char code[32];    /* stable word for it; "": the one for the result */
};

/* Returns the name of rc as logs show it, e.g. "pool"; static storage. */
const char *rc_name(enum rc rc);

/*
 * Returns whether rc settles the question it answers, so that what was
 * written on the way stands: true for RC_OK, RC_NONE and refusals, false for
 * failures.
 */
bool rc_final(enum rc rc);

/*
 * Fills fault with field and a detail formatted as by printf(3), cut to fit,
 * and returns rc. fault may be NULL.
 */
enum rc rc_fault(struct fault *fault, enum rc rc, const char *field,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
