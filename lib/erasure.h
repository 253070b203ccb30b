#ifndef ERASURE_H
#define ERASURE_H

/*
 * Receipts of erasures: what was erased for whom, and when. An item is either
 * a session of ours, gone at once, or a record of Twilio's, which is gone when
 * Twilio has said so. They hold ids, never personal data.
 */

#include <stdint.h>

#include "crypto.h"
#include "db.h"
#include "id.h"
#include "outbox.h"
#include "rc.h"

/* Bytes of an item's name, as Twilio's API and the outbox call it. */
#define ERASURE_THING_SIZE OUTBOX_SUBJECT_SIZE

/* A receipt. */
struct erasure {
	char id[ID_SIZE];
	char subject[8];          /* session or person */
	char subject_id[ID_SIZE]; /* of a session; "" for a person */
	int64_t requested_at;     /* epoch seconds */
};

/* An item of it. */
struct erasure_item {
	char thing[ERASURE_THING_SIZE];
	int64_t erased_at; /* epoch seconds; 0: Twilio still has it */
};

/* Begins a receipt: of the session session_id, or, if that is NULL, of a
 * person. Stores its id. */
enum rc erasure_begin(struct db *db, char id[ID_SIZE], const char *service_id,
    const char *session_id, int64_t now_ms);

/* Reads a receipt of a service. RC_NOT_FOUND. */
enum rc erasure_find(struct db *db, const char *service_id,
    struct erasure *erasure, const char *id);

/* Reads up to max items of a receipt from the one after `after` ("": the
 * first), by name, into out, and stores how many in *len. */
enum rc erasure_items(struct db *db, const char *id, const char *after,
    struct erasure_item *out, int max, int *len);

/* Notes a thing on a receipt, erased_at 0: Twilio has it still. Returns RC_NONE
 * if it is there already. */
enum rc erasure_note(
    struct db *db, const char *id, const char *thing, int64_t erased_at);

/* Writes that Twilio has erased a thing, on every receipt it is on. */
enum rc erasure_done(struct db *db, const char *thing, int64_t now);

/* Reads up to max records that Twilio has of a session and that a receipt does
 * not name yet. */
enum rc erasure_missing(struct db *db, const char *session_id, const char *id,
    char (*out)[ERASURE_THING_SIZE], int max, int *len);

/*
 * Takes out of the database whatever of a session is personal: real numbers
 * and their hashes, codes, texts, the app's name for it. Texts that wait are
 * not sent any more. What stays is said in README. The worker looks at it again
 * at look_at.
 */
enum rc erasure_wipe(struct db *db, const char *session_id, const char *id,
    int64_t look_at, int64_t now);

/* Stores the receipt of a session, "" if it was not erased. RC_NOT_FOUND. */
enum rc erasure_of(struct db *db, const char *service_id,
    const char *session_id, char id[ID_SIZE]);

/* Finds a session that this person is or was in. RC_NONE if there is none. */
enum rc erasure_next(struct db *db, const char *service_id,
    const uint8_t person[CRYPTO_HASH_SIZE], char session_id[ID_SIZE]);

#endif
