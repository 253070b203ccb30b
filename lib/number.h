#ifndef NUMBER_H
#define NUMBER_H

/* The masked numbers: which there are and which one a session gets. */

#include <stdbool.h>
#include <stdint.h>

#include "crypto.h"
#include "db.h"
#include "id.h"
#include "phone.h"
#include "rc.h"
#include "twilio_rest.h"

/* Bytes of what is said of a number's settings at Twilio. */
#define NUMBER_DETAIL_SIZE 1000
/* That of one which is not there. */
#define NUMBER_MISSING "it is not in the account"
/* Numbers in a page, and legs on a number that are counted. */
#define NUMBER_PAGE_MAX 100
#define NUMBER_LEGS_MAX 1000

/* A masked number and what a call to it needs to know. */
struct number {
	char number[PHONE_SIZE];
	char service_id[ID_SIZE];
	char country[3];      /* ISO 3166 */
	char state[12];       /* active, reserved, draining, retired */
	int64_t last_used_at; /* epoch seconds; 0: never */
	int64_t live, held;   /* legs on it; from number_list, number_read */
	/* Only from number_read. */
	int64_t created_at; /* epoch seconds */
	struct number_twilio {
		char state[12]; /* unknown, right, wrong, missing, failed; or
				   checking: to be asked for */
		char detail[NUMBER_DETAIL_SIZE]; /* in words; "": nothing */
		int64_t checked_at;              /* epoch seconds; 0: never */
		char sid[TWILIO_SID_SIZE];       /* Twilio's name of it; "" */
		int64_t differs; /* settings that the worker is about to change,
				    as twilio_number_differs has them; 0: it
				    looks first */
	} twilio;                /* how it is set up at Twilio, as found last */
};

/* Adds an active number to a service's pool. RC_EXISTS if any service has
 * it. */
enum rc number_insert(struct db *db, const char *service_id, const char *number,
    const char *country, int64_t now);

/* Reads a masked number of any service into *out: number, service and state.
 * RC_NOT_FOUND. */
enum rc number_find(struct db *db, struct number *out, const char *number);

/* Calls each with every number of a service. */
enum rc number_list(struct db *db, const char *service_id, int64_t now,
    void (*each)(void *cookie, const struct number *number), void *cookie);

/* Reads a number of a service into *out, with its legs counted up to
 * NUMBER_LEGS_MAX of each kind. RC_NOT_FOUND. */
enum rc number_read(struct db *db, struct number *out, const char *service_id,
    const char *number, int64_t now);

/* Writes down what was found of a service's number at Twilio. */
enum rc number_note_twilio(struct db *db, const char *service_id,
    const char *number, const struct number_twilio *found);

/* Which numbers a page has: of these, sorted by country, those behind one. */
struct number_filter {
	char state[12];         /* "": any */
	char country[3];        /* ISO code; "": any */
	char after[PHONE_SIZE]; /* the last number of the page before; "" */
	int limit;              /* at most NUMBER_PAGE_MAX */
};

/* Lists the names of the numbers of a page, of any limit. */
enum rc number_names(struct db *db, const char *service_id,
    const struct number_filter *filter, char (*out)[PHONE_SIZE], int *len);

/* Reads a page as number_read does. Costs the same whatever the size of the
 * pool. */
enum rc number_page(struct db *db, const char *service_id,
    const struct number_filter *filter, int64_t now, struct number *out,
    int *len);

/* Stores how many open sessions have this person as a party. */
enum rc number_party(struct db *db, int64_t *count,
    const uint8_t person[CRYPTO_HASH_SIZE], int64_t now);

/* For whom numbers are looked for, and by what rules. */
struct number_wish {
	const char *service_id;
	const uint8_t *persons[2]; /* CRYPTO_HASH_SIZE bytes each */
	const char *country;       /* only numbers of this ISO code; "": any */
	const char *number; /* this very one, which may be reserved; "": any */
	bool avoid_last;    /* rather not what the two had last */
	int64_t reuse_before; /* what is held since then may be given away if
				 nothing else is left; 0: nothing may */
	int64_t now;          /* epoch seconds */
};

/*
 * Returns RC_OK if person may have this number of the service, active or
 * reserved, in a session with peer; RC_POOL if not.
 */
enum rc number_free(struct db *db, const char *service_id, const char *number,
    const uint8_t person[CRYPTO_HASH_SIZE],
    const uint8_t peer[CRYPTO_HASH_SIZE], int64_t now);

/*
 * Looks how much room two people still have: stores how many of the numbers
 * longest unused (up to 64) there are, and how many of them are free for both.
 */
enum rc number_room(struct db *db, const struct number_wish *wish,
    int64_t *numbers, int64_t *free);

/* Whether text is active, reserved, draining or retired. */
bool number_state_valid(const char *text);

/* Sets the state of a service's number: active, reserved, draining or retired.
 * RC_NOT_FOUND. */
enum rc number_set_state(struct db *db, const char *service_id,
    const char *number, const char *state);

/* Retires a service's number for good. RC_NONE, with nothing done, if somebody
 * has a leg on it, live or held; RC_NOT_FOUND. */
enum rc number_retire(
    struct db *db, const char *service_id, const char *number, int64_t now);

/*
 * Takes a masked number for each of two people and marks them as used now:
 *
 * 1. what they had in their last session, if both still hold it;
 * 2. else one number on which neither has a leg: the longest unused, or, if
 *    the 64 longest unused are all taken, any;
 * 3. else one for each;
 * 4. else, for who has none, the one held longest, if the rules allow that.
 *
 * Whose number is free for both gets it for both. Claiming them is leg_claim's
 * business. Returns RC_POOL if somebody is left without.
 *
 * How long it takes does not depend on the size of the pool, on how many
 * sessions there are, or on what the two have, up to some 99 % of the pool.
 * Only to find that nothing is left the whole pool is read, in less than a
 * microsecond a number.
 */
enum rc number_take(
    struct db *db, char out[2][PHONE_SIZE], const struct number_wish *wish);

#endif
