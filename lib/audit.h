#ifndef AUDIT_H
#define AUDIT_H

/*
 * The audit log: what operators did, and which personal data they looked at.
 * Append-only; each row carries a keyed hash over itself and the hash before
 * it, so that nobody without the keys can change a row, or take one out of the
 * middle, unseen. (Whoever cuts off the newest rows is seen by who has kept the
 * hash of the newest, which audit_verify tells.) Rows hold ids and words, and
 * never a real number.
 */

#include <stdint.h>

#include "crypto.h"
#include "db.h"
#include "id.h"
#include "rc.h"

/* How long a look at the same thing is not noted again, seconds: a page that
 * refreshes itself is one look. */
#define AUDIT_LOOK_S 600

/* How long rows are kept, seconds: 400 days. */
#define AUDIT_KEPT_S (400 * INT64_C(86400))

/* Bytes of an action's name with its NUL. */
#define AUDIT_ACTION_SIZE 64

/* Somebody did something. Strings borrowed; "" for none. */
struct audit {
	const char *service_id;
	const char *key_id;     /* by which key; "": on the command line */
	const char *name;       /* who */
	const char *action;     /* like "POST /v1/keys", or a command */
	const char *subject;    /* to what: an id */
	const char *detail;     /* in words */
	const char *request_id; /* as in the logs */
};

/* A row as it was written. */
struct audit_record {
	int64_t seq;
	int64_t at; /* epoch seconds */
	char key_id[ID_SIZE];
	char name[64];
	char action[AUDIT_ACTION_SIZE];
	char subject[64];
	char detail[200];
	char request_id[48];
	uint8_t hash[CRYPTO_HASH_SIZE];
};

/* Appends a row; texts longer than struct audit_record has room for are cut.
 * In the write transaction of what was done. Its time is now, or that of the
 * row before if the clock was put back. RC_MEMORY. */
enum rc audit_put(struct db *db, const struct crypto_keys *keys,
    const struct audit *audit, int64_t now);

/* Returns RC_OK if the same look was noted within AUDIT_LOOK_S, else
 * RC_NONE. */
enum rc audit_looked(struct db *db, const struct audit *audit, int64_t now);

/* Reads up to max rows of a service below seq (INT64_MAX: the newest), newest
 * first, into out, and stores how many in *len. */
enum rc audit_list(struct db *db, const char *service_id, int64_t below,
    struct audit_record *out, int max, int *len);

/*
 * Goes through the rows of a service and checks their hashes. The oldest is
 * taken as it is, as what was before it may have been forgotten. Stores how
 * many there are, and the newest, if there is one, in *last. RC_CORRUPT: *last
 * is the first that is not as it was written, or that comes after one that is
 * missing.
 */
enum rc audit_verify(struct db *db, const struct crypto_keys *keys,
    const char *service_id, int64_t *count, struct audit_record *last);

#endif
