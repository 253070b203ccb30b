/*
 * POST /twilio/status: Twilio reports the progress of one leg of a call. With
 * the id of a call behind it: of the leg that was placed for it. The same
 * report may come twice, late, or after the next one; a report about a call we
 * do not know is written down and answered like any other.
 */

#include "timestamp.h"
#include "voice.h"

/* Reads the form into *report. */
static enum rc
read_report(struct exchange *x, struct mask_report *report)
{
	const char *timestamp = form_get(&x->form, "Timestamp");

	*report = (struct mask_report){
		.sid = form_get(&x->form, "CallSid"),
		.parent_sid = form_get(&x->form, "ParentCallSid"),
		.call_id = x->id[0] != '\0' ? x->id : NULL,
	};
	if (report->call_id != NULL && !id_valid(x->id, "cal"))
		return RC_PATH;
	if (!call_sid_valid(report->sid))
		return rc_fault(
		    &x->fault, RC_INVALID, "CallSid", "is not a CallSid");
	if (report->parent_sid[0] != '\0' &&
	    !call_sid_valid(report->parent_sid))
		return rc_fault(
		    &x->fault, RC_INVALID, "ParentCallSid", "is not a CallSid");
	if (call_parse_status(&report->progress.status,
		form_get(&x->form, "CallStatus")) != RC_OK)
		return rc_fault(&x->fault, RC_INVALID, "CallStatus",
		    "is not a status we know");
	if (form_count(&x->form, "SequenceNumber",
		&report->progress.sequence) != RC_OK)
		return rc_fault(
		    &x->fault, RC_INVALID, "SequenceNumber", "is not a count");
	if (form_count(&x->form, "CallDuration",
		&report->progress.duration_s) != RC_OK)
		return rc_fault(
		    &x->fault, RC_INVALID, "CallDuration", "is not a count");
	/* Twilio's clock, so that late reports tell when it really was. */
	if (timestamp_parse(&report->progress.at, timestamp) != RC_OK)
		report->progress.at = x->mask.now_ms / 1000;

	voice_leg(x, &report->number, &report->person);
	return RC_OK;
}

static enum rc
report_progress(struct exchange *x)
{
	struct mask_report report;
	enum rc rc;

	if ((rc = read_report(x, &report)) != RC_OK)
		return rc;
	rc = mask_report(&x->mask, &report);
	return serve_report(x, rc, "status of unknown call", report.sid);
}

static const struct endpoint endpoints[] = {
	{ .method = "POST",
	    .path = "/twilio/status",
	    .allow = "POST",
	    .auth = SERVE_TWILIO,
	    .type = "application/x-www-form-urlencoded",
	    .body_max = 65536,
	    .write = true,
	    .act = report_progress },
	{ .method = "POST",
	    .path = "/twilio/status/{id}",
	    .allow = "POST",
	    .auth = SERVE_TWILIO,
	    .type = "application/x-www-form-urlencoded",
	    .body_max = 65536,
	    .write = true,
	    .act = report_progress },
	{ .method = NULL },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "status-callback", endpoints);
}
