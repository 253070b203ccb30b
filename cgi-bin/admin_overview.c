/*
 * GET /v1/overview: how the service of the key stands, and the installation.
 * GET /v1/tallies?span=hour|day|month: what was counted, step by step.
 */

#include "admin.h"

#include <stdlib.h>
#include <string.h>

#include "overview.h"
#include "view.h"

static enum rc
write_overview(struct exchange *x, const struct overview *overview)
{
	const struct metrics *metrics = x->app->metrics;
	struct app_health health;

	app_health(x->app, &health);
	x->answer.type = VIEW_JSON;
	return view_overview(&x->answer.body, overview,
	    &(struct view_health){
		.database = health.database,
		.worker = health.worker,
		.trouble = health.trouble,
		.requests_failed =
		    metrics_value(metrics, METRICS_REQUESTS_FAILED),
		.calls_unrecorded =
		    metrics_value(metrics, METRICS_CALLS_UNRECORDED),
		.calls_apologised =
		    metrics_value(metrics, METRICS_CALLS_APOLOGISED),
	    });
}

enum rc
admin_overview(struct exchange *x)
{
	struct overview *overview;
	enum rc rc;

	if ((overview = calloc(1, sizeof *overview)) == NULL)
		return RC_MEMORY;
	rc = overview_read(
	    x->app->db, x->key.service_id, x->mask.now_ms, overview);
	if (rc == RC_OK)
		rc = write_overview(x, overview);
	free(overview);
	return rc;
}

enum rc
admin_tallies(struct exchange *x)
{
	static const char *const known[] = { "span", NULL };
	const char *text = form_get(&x->form, "span");
	struct tally_series series;
	int span = 0;
	enum rc rc;

	if ((rc = serve_check_query(x, known)) != RC_OK)
		return rc;
	while (span < TALLY_SPAN__MAX && text[0] != '\0' &&
	       strcmp(text, tally_span_name((enum tally_span)span)) != 0)
		span++;
	if (span == TALLY_SPAN__MAX)
		return rc_fault(&x->fault, RC_INVALID, "span",
		    "must be hour, day or month");
	rc = tally_read(x->app->db, x->key.service_id, (enum tally_span)span,
	    x->mask.now_ms / 1000, &series);
	if (rc != RC_OK)
		return rc;
	x->answer.type = VIEW_JSON;
	return view_tallies(&x->answer.body, &series);
}
