/* What the service does with recordings. */

#include "mask.h"

#include <stdio.h>
#include <string.h>

#include "event.h"
#include "outbox.h"

/* Says of which call a recording is. RC_NONE if we do not know that call. */
static enum rc
link_call(
    const struct mask *mask, const char *call_sid, struct recording *recording)
{
	struct call call;
	enum rc rc;

	if (recording->call_id[0] != '\0')
		return RC_OK;
	if ((rc = call_find(mask->db, &call, call_sid)) != RC_OK)
		return rc == RC_NOT_FOUND ? RC_NONE : rc;
	strcpy(recording->call_id, call.id);
	strcpy(recording->session_id, call.session_id);
	strcpy(recording->service_id, call.service_id);
	return RC_OK;
}

/* Reads the row of a recording, or makes one if we have not heard of it. */
static enum rc
find_or_make(const struct mask *mask, const struct mask_recording *report,
    struct recording *recording)
{
	enum rc rc;

	rc = recording_find_sid(mask->db, recording, report->sid);
	if (rc != RC_NOT_FOUND)
		return rc;
	*recording = (struct recording){
		.status = RECORDING_IN_PROGRESS,
		.duration_s = -1,
		.channels = -1,
	};
	snprintf(recording->sid, sizeof recording->sid, "%s", report->sid);
	return recording_insert(mask->db, recording, mask->now_ms);
}

enum rc
mask_recorded(const struct mask *mask, const struct mask_recording *report)
{
	struct recording recording;
	enum rc rc, known;
	bool moved;

	if ((rc = find_or_make(mask, report, &recording)) != RC_OK)
		return rc;
	known = link_call(mask, report->call_sid, &recording);
	if (known != RC_OK && known != RC_NONE)
		return known;
	moved = recording_apply(&recording, &report->progress);
	if ((rc = recording_update(mask->db, &recording)) != RC_OK ||
	    known == RC_NONE)
		return rc == RC_OK ? known : rc;
	if (!moved || recording.service_id[0] == '\0')
		return RC_OK;
	return event_put(mask->db,
	    &(struct event){ .service_id = recording.service_id,
		.type = recording.status == RECORDING_COMPLETED
			    ? EVENT_RECORDING_COMPLETED
			    : EVENT_RECORDING_FAILED,
		.session_id = recording.session_id,
		.subject_id = recording.id,
		.detail = recording_status_name(recording.status) },
	    mask->now_ms);
}

enum rc
mask_delete_recording(const struct mask *mask, const char *service_id,
    const char *id, struct recording *recording)
{
	char thing[OUTBOX_SUBJECT_SIZE];
	enum rc rc;

	rc = recording_find(mask->db, service_id, recording, id);
	if (rc != RC_OK || recording->status >= RECORDING_DELETING)
		return rc;
	recording->status = RECORDING_DELETING;
	snprintf(thing, sizeof thing, "Recordings/%s", recording->sid);
	if ((rc = recording_update(mask->db, recording)) != RC_OK)
		return rc;
	return outbox_put(mask->db,
	    &(struct outbox_item){ .service_id = service_id,
		.kind = OUTBOX_ERASE,
		.subject_id = thing },
	    mask->now_ms);
}
