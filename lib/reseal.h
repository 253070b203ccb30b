#ifndef RESEAL_H
#define RESEAL_H

/*
 * Seals anew, with the first of the sealing keys, what others of them have
 * sealed: all columns there are, while programs go on reading and writing.
 * It writes a few rows at a time, seals outside the turn to write, and leaves
 * a row alone that somebody has changed meanwhile. Broken off, it is begun
 * again and passes over what is done.
 */

#include <stdbool.h>
#include <stdint.h>

#include "crypto.h"
#include "db.h"

/* What a pass has found and done. */
struct reseal_report {
	int64_t total;      /* sealed things, when it began */
	int64_t resealed;   /* by this pass */
	int64_t missed;     /* changed by others while they were sealed */
	int64_t unreadable; /* under no known key, or spoilt: left alone */
	bool used[256];     /* keys, by id, that things are sealed with now */
};

/*
 * Goes over everything once; what is put meanwhile may be passed over. A pass
 * that neither resealed nor missed anything has shown that only the keys in
 * report->used are in use. RC_BUSY, RC_MEMORY, RC_UNAVAILABLE: call it again.
 */
enum rc reseal_pass(struct db *db, const struct crypto_keys *keys,
    struct reseal_report *report, db_progress progress, void *cookie);

#endif
