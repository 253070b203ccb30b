/*
 * GET /v1/routes?from=&to=: what would happen if `from` dialled `to` now (or
 * at `at`), by the same code that decides calls, without placing one. POST asks
 * the same in a body: no real number stands in a URL then. For admin keys: it
 * tells whether two numbers know each other.
 */

#include <stdio.h>
#include <string.h>

#include "serve.h"
#include "timestamp.h"
#include "view.h"

/* Says for the audit log what was asked, so that another question is another
 * look. */
static void
note(struct exchange *x, const struct mask_dialled *dialled,
    const struct mask_route *route)
{
	char caller[PHONE_REDACTED_SIZE], tag[SERVE_TAG_SIZE];

	phone_redact(dialled->from, caller);
	serve_tag(x, dialled->from, tag);
	snprintf(x->detail, sizeof x->detail, "from %s %s to %s", caller, tag,
	    dialled->to);
	if (route->session_id[0] != '\0')
		strcpy(x->subject, route->session_id);
	else
		snprintf(x->subject, sizeof x->subject, "%s from %s",
		    dialled->to, caller);
}

/* Answers what would be done with a call at a moment, "" for now. */
static enum rc
explain(struct exchange *x, const struct mask_dialled *dialled, const char *at)
{
	struct mask_route route;
	struct mask mask = x->mask;
	int64_t moment;
	enum rc rc;

	if (!phone_valid(dialled->to))
		return rc_fault(
		    &x->fault, RC_INVALID, "to", "must be an E.164 number");
	if (at[0] != '\0') {
		if (timestamp_parse_rfc3339(&moment, at) != RC_OK)
			return rc_fault(&x->fault, RC_INVALID, "at",
			    "must be a time like 2026-11-22T16:00:00Z");
		mask.now_ms = moment * 1000;
	}
	if ((rc = mask_route(&mask, dialled, &route)) != RC_OK)
		return rc;
	/* What another service does is none of this key's business. */
	if (strcmp(route.service_id, x->key.service_id) != 0)
		rc = rc_fault(&x->fault, RC_NOT_FOUND, "to",
		    "is no masked number of this service");
	else
		rc = view_route(&x->answer.body, &route);
	x->answer.type = VIEW_JSON;
	note(x, dialled, &route);
	crypto_wipe(&route, sizeof route);
	return rc;
}

static enum rc
explain_query(struct exchange *x)
{
	struct mask_dialled dialled = {
		.sid = "",
		.from = form_get(&x->form, "from"),
		.to = form_get(&x->form, "to"),
		.attestation = form_get(&x->form, "attestation"),
		.code = "",
	};

	return explain(x, &dialled, form_get(&x->form, "at"));
}

static enum rc
explain_body(struct exchange *x)
{
	struct view_question question;
	struct mask_dialled dialled = {
		.sid = "",
		.from = question.from,
		.to = question.to,
		.attestation = question.attestation,
		.code = "",
	};
	enum rc rc;

	rc = view_read_question(
	    &question, buf_text(&x->body), x->body.len, &x->fault);
	if (rc == RC_OK)
		rc = explain(x, &dialled, question.at);
	crypto_wipe(&question, sizeof question);
	return rc;
}

static const struct endpoint endpoints[] = {
	{ .method = "GET",
	    .path = "/v1/routes",
	    .allow = "GET, HEAD, POST",
	    .auth = SERVE_KEY,
	    .right = SERVE_ADMIN,
	    .look = true,
	    .act = explain_query },
	{ .method = "POST",
	    .path = "/v1/routes",
	    .allow = "GET, HEAD, POST",
	    .auth = SERVE_KEY,
	    .right = SERVE_ADMIN,
	    .type = "application/json",
	    .body_max = 1024,
	    .look = true,
	    .act = explain_body },
	{ .method = NULL },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "routes", endpoints);
}
