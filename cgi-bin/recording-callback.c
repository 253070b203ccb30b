/*
 * POST /twilio/recording: Twilio reports on the recording of a call, named by
 * its first leg. The same report may come twice, late, or after the next one; a
 * recording of a call we do not know is written down and answered like any
 * other, so that it is deleted in time.
 */

#include "serve.h"

/* Reads the form into *report. */
static enum rc
read_report(struct exchange *x, struct mask_recording *report)
{
	*report = (struct mask_recording){
		.sid = form_get(&x->form, "RecordingSid"),
		.call_sid = form_get(&x->form, "CallSid"),
	};
	if (!twilio_sid_valid(report->sid, "RE"))
		return rc_fault(&x->fault, RC_INVALID, "RecordingSid",
		    "is not a RecordingSid");
	if (!call_sid_valid(report->call_sid))
		return rc_fault(
		    &x->fault, RC_INVALID, "CallSid", "is not a CallSid");
	if (recording_parse_status(&report->progress.status,
		form_get(&x->form, "RecordingStatus")) != RC_OK)
		return rc_fault(&x->fault, RC_INVALID, "RecordingStatus",
		    "is not a status we know");
	if (form_count(&x->form, "RecordingDuration",
		&report->progress.duration_s) != RC_OK)
		return rc_fault(&x->fault, RC_INVALID, "RecordingDuration",
		    "is not a count");
	if (form_count(&x->form, "RecordingChannels",
		&report->progress.channels) != RC_OK)
		return rc_fault(&x->fault, RC_INVALID, "RecordingChannels",
		    "is not a count");
	return RC_OK;
}

static enum rc
report_recording(struct exchange *x)
{
	struct mask_recording report;
	enum rc rc;

	if ((rc = read_report(x, &report)) != RC_OK)
		return rc;
	rc = mask_recorded(&x->mask, &report);
	return serve_report(
	    x, rc, "recording of unknown call", report.call_sid);
}

static const struct endpoint endpoints[] = {
	{ .method = "POST",
	    .path = "/twilio/recording",
	    .allow = "POST",
	    .auth = SERVE_TWILIO,
	    .type = "application/x-www-form-urlencoded",
	    .body_max = 65536,
	    .write = true,
	    .act = report_recording },
	{ .method = NULL },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "recording-callback", endpoints);
}
