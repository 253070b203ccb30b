/*
 * For those who watch over an installation, whom nginx knows by their address:
 *
 *	GET /metrics  what was counted and how things stand, for Prometheus
 *	GET /healthz  200 while this process answers
 *	GET /readyz   200 while calls can be connected, written down, and what
 *	              must leave does; else 503 and a problem document
 */

#include <string.h>

#include "log.h"
#include "serve.h"
#include "version.h"
#include "view.h"
#include "wake.h"

/* How long the turn to write may be waited for, milliseconds. */
#define TURN_MS 1000
/* How long something for Twilio may be due, milliseconds. What an app does not
 * take is not our failure: see callmask_outbox_lag_seconds. */
#define LAG_MS (5 * 60 * 1000)

#define PLAIN "text/plain; charset=utf-8"
#define PROMETHEUS "text/plain; version=0.0.4; charset=utf-8"

static void
tell_flag(struct buf *out, const char *name, const char *help, bool flag)
{
	metrics_family(out, name, "gauge", help);
	buf_printf(out, "%s %d\n", name, flag ? 1 : 0);
}

/* Counters are told whatever has become of the database. */
static enum rc
tell_all(struct exchange *x)
{
	struct app *app = x->app;
	struct buf gauges, *out = &x->answer.body;
	enum rc rc;

	buf_init(&gauges, 0);
	rc = app_ready(app);
	if (rc == RC_OK) {
		rc = metrics_gauges(&gauges, app->db, app_now_ms());
		if (rc == RC_OK && !buf_ok(&gauges))
			rc = RC_MEMORY;
		if (rc != RC_OK) {
			log_error("metrics_failed", "%s", rc_name(rc));
			app_unready(app);
		}
	}
	x->answer.type = PROMETHEUS;
	metrics_text(out, app->metrics);
	tell_flag(out, "callmask_database_up",
	    "Whether the database can be read.", rc == RC_OK);
	tell_flag(out, "callmask_worker_up", "Whether outboxd runs.",
	    wake_heard(app->wake));
	metrics_family(out, "callmask_build_info", "gauge", "The version.");
	buf_puts(out, "callmask_build_info{version=\"" VERSION "\"} 1\n");
	if (rc == RC_OK)
		buf_add(out, gauges.data, gauges.len);
	buf_free(&gauges);
	return RC_OK;
}

static enum rc
say_ok(struct exchange *x)
{
	x->answer.type = PLAIN;
	buf_puts(&x->answer.body, "ok\n");
	return RC_OK;
}

static enum rc
do_nothing(struct db *db, void *cookie)
{
	(void)db;
	(void)cookie;
	return RC_OK;
}

/* Returns what is missing, in words; NULL if nothing is. */
static const char *
find_trouble(struct app *app)
{
	int64_t version, lag_ms;

	if (app_ready(app) != RC_OK)
		return "keys or database are not there";
	if (db_version(app->db, &version) != RC_OK ||
	    metrics_lag(app->db, app_now_ms(), &lag_ms) != RC_OK) {
		app_unready(app);
		return "the database cannot be read";
	}
	if (version != SQL_VERSION)
		return "the database has another schema version";
	if (db_transact(app->db, TURN_MS, do_nothing, NULL) != RC_OK)
		return "the database cannot be written";
	if (!wake_heard(app->wake))
		return "outboxd does not run";
	if (lag_ms > LAG_MS)
		return "what is for Twilio has been due for 5 minutes";
	return NULL;
}

static enum rc
say_ready(struct exchange *x)
{
	const char *trouble = find_trouble(x->app);
	struct answer *answer = &x->answer;

	if (trouble == NULL)
		return say_ok(x);
	answer->status = 503;
	answer->type = VIEW_PROBLEM;
	return view_problem(
	    &answer->body, &(struct view_problem){ .status = answer->status,
			       .code = "not_ready",
			       .title = answer_reason(answer->status),
			       .detail = trouble,
			       .field = "",
			       .request = "" });
}

static const struct endpoint endpoints[] = {
	{ .method = "GET",
	    .path = "/metrics",
	    .allow = "GET, HEAD",
	    .auth = SERVE_OPEN,
	    .act = tell_all },
	{ .method = "GET",
	    .path = "/healthz",
	    .allow = "GET, HEAD",
	    .auth = SERVE_OPEN,
	    .act = say_ok },
	{ .method = "GET",
	    .path = "/readyz",
	    .allow = "GET, HEAD",
	    .auth = SERVE_OPEN,
	    .act = say_ready },
	{ .method = NULL },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "metrics", endpoints);
}
