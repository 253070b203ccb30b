/* The pool of a service: numbers are added. */

#include "mask.h"

#include <string.h>

#include "number.h"

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
