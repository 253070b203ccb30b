/* The pool of a service: numbers are added, and looked up at Twilio. */

#include "mask.h"

#include <stdio.h>
#include <string.h>

#include "number.h"
#include "outbox.h"

enum rc
mask_add_number(const struct mask *mask, const char *service_id,
    const char *number, struct fault *fault)
{
	int64_t parties, now = mask->now_ms / 1000;
	uint8_t person[CRYPTO_HASH_SIZE];
	enum rc rc;

	if (!phone_valid(number))
		return rc_fault(
		    fault, RC_INVALID, "number", "is not an E.164 number");
	if (phone_country(number)[0] == '\0')
		return rc_fault(
		    fault, RC_COUNTRY, "number", "belongs to no country");
	session_person(person, mask->keys, number);
	if ((rc = number_party(mask->db, &parties, person, now)) != RC_OK)
		return rc;
	if (parties != 0)
		return rc_fault(fault, RC_OWN_NUMBER, "number",
		    "is the real number of someone in an open session");
	rc = number_insert(
	    mask->db, service_id, number, phone_country(number), now);
	if (rc == RC_EXISTS)
		rc_fault(fault, rc, "number", "is in a pool already");
	return rc;
}

/* Adds one of several. What others have, and who is in a session of theirs,
 * is nobody's business: they are told by the same words. */
static enum rc
add_one(const struct mask *mask, const char *service_id, const char *number,
    struct mask_added *added)
{
	struct number found;
	enum rc rc;

	*added = (struct mask_added){ .result = MASK_NUMBER_REFUSED };
	rc = mask_add_number(mask, service_id, number, &added->fault);
	if (rc == RC_OK) {
		added->result = MASK_NUMBER_ADDED;
		return RC_OK;
	}
	if (!rc_final(rc))
		return rc;
	if (rc == RC_EXISTS || rc == RC_OWN_NUMBER)
		rc_fault(&added->fault, rc, "number",
		    "is in use: in another pool, or as somebody's own");
	if (rc == RC_EXISTS) {
		if ((rc = number_find(mask->db, &found, number)) != RC_OK)
			return rc;
		if (strcmp(found.service_id, service_id) == 0)
			*added =
			    (struct mask_added){ .result = MASK_NUMBER_EXISTS };
	}
	return RC_OK;
}

enum rc
mask_add_numbers(const struct mask *mask, const char *service_id,
    const struct mask_numbers *numbers,
    struct mask_added added[MASK_NUMBERS_MAX])
{
	enum rc rc = RC_OK;
	int i;

	for (i = 0; i < numbers->len && rc == RC_OK; i++)
		rc = add_one(mask, service_id, numbers->numbers[i], &added[i]);
	return rc;
}

/* Puts one into the outbox, unless it is there for as much. from_ms: when the
 * first of all is due. */
static enum rc
queue(const struct mask *mask, const char *service_id, const char *number,
    bool apply, int64_t from_ms, int64_t *queued)
{
	enum outbox_kind kind = apply ? OUTBOX_NUMBER_SET : OUTBOX_NUMBER_CHECK;
	struct outbox_item item = { .service_id = service_id,
		.kind = kind,
		.subject_id = number,
		.due_ms = from_ms + *queued * MASK_SYNC_PACE_MS };
	enum rc rc;

	rc = outbox_waits(mask->db, OUTBOX_NUMBER_SET, number);
	if (rc == RC_NONE && !apply)
		rc = outbox_waits(mask->db, OUTBOX_NUMBER_CHECK, number);
	if (rc != RC_NONE)
		return rc;
	/* Setting looks as well. */
	if (apply) {
		rc = outbox_cancel(
		    mask->db, OUTBOX_NUMBER_CHECK, number, mask->now_ms);
		if (rc != RC_OK && rc != RC_NONE)
			return rc;
	}
	++*queued;
	return outbox_put(mask->db, &item, mask->now_ms);
}

/* Makes sure that all are the service's. */
static enum rc
check_numbers(const struct mask *mask, const char *service_id,
    const struct mask_numbers *numbers, struct fault *fault)
{
	struct number found;
	char field[32];
	enum rc rc;
	int i;

	for (i = 0; i < numbers->len; i++) {
		rc = number_find(mask->db, &found, numbers->numbers[i]);
		if (rc == RC_OK && strcmp(found.service_id, service_id) == 0)
			continue;
		if (rc != RC_OK && rc != RC_NOT_FOUND)
			return rc;
		snprintf(field, sizeof field, "numbers[%d]", i);
		return rc_fault(fault, RC_INVALID, field,
		    "is no masked number of this service");
	}
	return RC_OK;
}

/* Queues the first of all behind one. */
static enum rc
queue_all(const struct mask *mask, const char *service_id,
    const struct mask_sync *sync, int64_t from_ms, int64_t *queued,
    char next[PHONE_SIZE])
{
	struct number_filter filter = { .limit = MASK_SYNC_MAX };
	char numbers[MASK_SYNC_MAX][PHONE_SIZE];
	enum rc rc;
	int len, i;

	strcpy(filter.after, sync->after);
	rc = number_names(mask->db, service_id, &filter, numbers, &len);
	for (i = 0; rc == RC_OK && i < len; i++)
		rc = queue(
		    mask, service_id, numbers[i], sync->apply, from_ms, queued);
	if (rc == RC_OK && len == MASK_SYNC_MAX)
		strcpy(next, numbers[len - 1]);
	return rc;
}

enum rc
mask_sync_numbers(const struct mask *mask, const char *service_id,
    const struct mask_sync *sync, int64_t *queued, char next[PHONE_SIZE],
    struct fault *fault)
{
	const struct mask_numbers *numbers = &sync->numbers;
	int64_t from_ms;
	enum rc rc;
	int i;

	*queued = 0;
	next[0] = '\0';
	/* Behind those that wait already, however many were asked for. */
	rc = outbox_numbers_end(mask->db, service_id, mask->now_ms, &from_ms);
	if (rc != RC_OK)
		return rc;
	if (numbers->len == 0)
		return queue_all(mask, service_id, sync, from_ms, queued, next);
	rc = check_numbers(mask, service_id, numbers, fault);
	for (i = 0; rc == RC_OK && i < numbers->len; i++)
		rc = queue(mask, service_id, numbers->numbers[i], sync->apply,
		    from_ms, queued);
	return rc;
}
