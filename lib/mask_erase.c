/* What the service does to forget people. */

#include "mask.h"

#include <stdio.h>
#include <string.h>

#include "erasure.h"
#include "event.h"
#include "outbox.h"

/* Most of Twilio's records that are asked for in one transaction. */
#define THINGS_MAX 200
/* How long until an erased session is looked at again, for what came late: a
 * call that was still running, its recording. */
#define LOOK_S 3600

static int64_t
now_s(const struct mask *mask)
{
	return mask->now_ms / 1000;
}

/* Has Twilio erase what a receipt does not name yet, up to THINGS_MAX things.
 * *all tells whether that was all. */
static enum rc
ask_twilio(const struct mask *mask, const char *service_id,
    const char *session_id, const char *erasure_id, bool *all)
{
	char things[THINGS_MAX][ERASURE_THING_SIZE];
	enum rc rc;
	int i, len;

	rc = erasure_missing(
	    mask->db, session_id, erasure_id, things, THINGS_MAX, &len);
	for (i = 0; i < len && rc == RC_OK; i++) {
		rc = erasure_note(mask->db, erasure_id, things[i], 0);
		if (rc == RC_OK)
			rc = outbox_put(mask->db,
			    &(struct outbox_item){ .service_id = service_id,
				.kind = OUTBOX_ERASE,
				.subject_id = things[i] },
			    mask->now_ms);
	}
	*all = len < THINGS_MAX;
	return rc;
}

enum rc
mask_erase_again(const struct mask *mask, const char *service_id,
    const char *id, const char *erasure_id, bool *all)
{
	int64_t now = now_s(mask);
	enum rc rc;

	rc = ask_twilio(mask, service_id, id, erasure_id, all);
	if (rc != RC_OK)
		return rc;
	return erasure_wipe(
	    mask->db, id, erasure_id, *all ? now + LOOK_S : now, now);
}

/* Erases a session on a receipt that has been begun. */
static enum rc
erase(const struct mask *mask, const char *service_id, const char *id,
    const char *erasure_id)
{
	const struct session_closing closing = { .end_calls = true };
	struct session session;
	enum rc rc;
	bool all;

	rc = mask_close(mask, service_id, id, &closing, &session, NULL);
	if (rc == RC_OK)
		rc = erasure_note(mask->db, erasure_id, id, now_s(mask));
	if (rc != RC_OK && rc != RC_NONE)
		return rc;
	return mask_erase_again(mask, service_id, id, erasure_id, &all);
}

enum rc
mask_erase_session(const struct mask *mask, const char *service_id,
    const char *id, char erasure_id[ID_SIZE])
{
	enum rc rc;

	if ((rc = erasure_of(mask->db, service_id, id, erasure_id)) != RC_OK)
		return rc;
	if (erasure_id[0] == '\0' &&
	    (rc = erasure_begin(
		 mask->db, erasure_id, service_id, id, mask->now_ms)) != RC_OK)
		return rc;
	return erase(mask, service_id, id, erasure_id);
}

enum rc
mask_erase_person(const struct mask *mask, const char *service_id,
    const char *phone, char erasure_id[ID_SIZE], struct fault *fault)
{
	uint8_t person[CRYPTO_HASH_SIZE];
	char id[ID_SIZE];
	enum rc rc;

	if (!phone_valid(phone))
		return rc_fault(
		    fault, RC_INVALID, "phone", "is not an E.164 number");
	session_person(person, mask->keys, phone);
	if ((rc = erasure_next(mask->db, service_id, person, id)) != RC_OK)
		return rc;
	if (erasure_id[0] == '\0' &&
	    (rc = erasure_begin(mask->db, erasure_id, service_id, NULL,
		 mask->now_ms)) != RC_OK)
		return rc;
	return erase(mask, service_id, id, erasure_id);
}

enum rc
mask_erased(const struct mask *mask, const char *thing)
{
	static const char recordings[] = "Recordings/";
	struct recording recording;
	enum rc rc;

	rc = erasure_done(mask->db, thing, now_s(mask));
	if (rc != RC_OK ||
	    strncmp(thing, recordings, sizeof recordings - 1) != 0)
		return rc;
	rc = recording_deleted(
	    mask->db, &recording, thing + sizeof recordings - 1, now_s(mask));
	if (rc != RC_OK || recording.service_id[0] == '\0')
		return rc == RC_NONE ? RC_OK : rc;
	return event_put(mask->db,
	    &(struct event){ .service_id = recording.service_id,
		.type = EVENT_RECORDING_DELETED,
		.session_id = recording.session_id,
		.subject_id = recording.id },
	    mask->now_ms);
}
