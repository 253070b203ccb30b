/*
 * GET /v1/routes?from=&to=: what would happen if `from` dialled `to` now (or
 * at `at`), by the same code that decides calls, without placing one. For
 * admin keys: it tells whether two numbers know each other.
 */

#include <stdio.h>
#include <string.h>

#include "serve.h"
#include "timestamp.h"
#include "view.h"

static enum rc
explain(struct exchange *x)
{
	struct mask_dialled dialled = {
		.sid = "",
		.from = form_get(&x->form, "from"),
		.to = form_get(&x->form, "to"),
		.attestation = form_get(&x->form, "attestation"),
		.code = "",
	};
	char caller[PHONE_REDACTED_SIZE];
	const char *at = form_get(&x->form, "at");
	struct mask_route route;
	struct mask mask = x->mask;
	int64_t moment;
	enum rc rc;

	if (!phone_valid(dialled.to))
		return rc_fault(
		    &x->fault, RC_INVALID, "to", "must be an E.164 number");
	if (at[0] != '\0') {
		if (timestamp_parse_rfc3339(&moment, at) != RC_OK)
			return rc_fault(&x->fault, RC_INVALID, "at",
			    "must be a time like 2026-11-22T16:00:00Z");
		mask.now_ms = moment * 1000;
	}
	if ((rc = mask_route(&mask, &dialled, &route)) != RC_OK)
		return rc;
	/* What another service does is none of this key's business. */
	if (strcmp(route.service_id, x->key.service_id) != 0)
		rc = rc_fault(&x->fault, RC_NOT_FOUND, "to",
		    "is no masked number of this service");
	else
		rc = view_route(&x->answer.body, &route);
	x->answer.type = VIEW_JSON;
	phone_redact(dialled.from, caller);
	snprintf(x->subject, sizeof x->subject, "%s", caller);
	snprintf(x->detail, sizeof x->detail, "to %s", dialled.to);
	crypto_wipe(&route, sizeof route);
	return rc;
}

static const struct endpoint endpoints[] = {
	{ .method = "GET",
	    .path = "/v1/routes",
	    .allow = "GET, HEAD",
	    .auth = SERVE_KEY,
	    .right = SERVE_ADMIN,
	    .look = true,
	    .act = explain },
	{ .method = NULL },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "routes", endpoints);
}
