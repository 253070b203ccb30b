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
say_ready(struct exchange *x)
{
	struct answer *answer = &x->answer;
	struct app_health health;

	app_health(x->app, &health);
	if (health.trouble == NULL)
		return say_ok(x);
	answer->status = 503;
	answer->type = VIEW_PROBLEM;
	return view_problem(
	    &answer->body, &(struct view_problem){ .status = answer->status,
			       .code = "not_ready",
			       .title = answer_reason(answer->status),
			       .detail = health.trouble,
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
