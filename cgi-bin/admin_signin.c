/*
 * POST /admin/sign-in {"key": "cm_…"}: exchanges an operator's key for a
 * cookie. POST /admin/sign-out: makes it worthless. GET /v1/keys/self: whose
 * key or cookie this is.
 */

#include "admin.h"

#include <string.h>

#include "log.h"
#include "view.h"

/* Signs in, in the same transaction as the note of it. */
struct entry {
	struct exchange *x;
	char token[SIGNIN_SIZE];
};

static enum rc
begin(struct db *db, void *cookie)
{
	struct entry *entry = cookie;
	struct exchange *x = entry->x;
	enum rc rc;

	rc = signin_begin(db, x->key.id, entry->token, x->mask.now_ms / 1000);
	return rc == RC_OK ? serve_audit(x, "sign in") : rc;
}

/* Makes ready what the frame leaves to endpoints that are open to all. */
static enum rc
prepare(struct exchange *x)
{
	enum rc rc;

	if ((rc = app_ready(x->app)) == RC_OK)
		x->mask = app_mask(x->app);
	return rc;
}

enum rc
admin_sign_in(struct exchange *x)
{
	struct entry entry = { .x = x };
	char text[APIKEY_SIZE];
	enum rc rc;

	/* Also that the browser says it comes from our page. */
	if ((rc = serve_token(x, entry.token)) != RC_OK ||
	    (rc = view_read_key(
		 text, buf_text(&x->body), x->body.len, &x->fault)) != RC_OK ||
	    (rc = prepare(x)) != RC_OK)
		return rc;
	rc = apikey_check(x->app->db, &x->key, text);
	crypto_wipe(text, sizeof text);
	if (rc == RC_UNAUTHORIZED) {
		metrics_count(x->app->metrics, METRICS_KEYS_REFUSED);
		log_warn("sign_in_refused", "not a valid key");
	}
	if (rc != RC_OK)
		return rc;
	if (!signin_allows(x->key.role))
		return rc_fault(&x->fault, RC_FORBIDDEN, "key",
		    "is an app's; the panel takes an operator's or viewer's");
	rc = db_transact(x->app->db, DB_WAIT_MS, begin, &entry);
	if (rc == RC_OK) {
		x->ends_at = x->mask.now_ms / 1000 + SIGNIN_LASTS_S;
		serve_set_token(x, entry.token);
		rc = admin_self(x);
	}
	crypto_wipe(&entry, sizeof entry);
	return rc;
}

static enum rc
end(struct db *db, void *cookie)
{
	struct entry *entry = cookie;
	enum rc rc;

	rc = signin_end(db, entry->token);
	return rc == RC_OK ? serve_audit(entry->x, "sign out") : rc;
}

enum rc
admin_sign_out(struct exchange *x)
{
	struct entry entry = { .x = x };
	struct signin signin;
	enum rc rc;

	if ((rc = serve_token(x, entry.token)) != RC_OK ||
	    (rc = prepare(x)) != RC_OK)
		return rc;
	rc = signin_check(
	    x->app->db, &signin, entry.token, x->mask.now_ms / 1000);
	if (rc == RC_OK) {
		x->key = signin.key;
		rc = db_transact(x->app->db, DB_WAIT_MS, end, &entry);
	}
	crypto_wipe(&entry, sizeof entry);
	/* Who is not signed in is signed out. */
	if (rc != RC_OK && rc != RC_UNAUTHORIZED)
		return rc;
	serve_set_token(x, "");
	x->answer.status = 204;
	return RC_OK;
}

enum rc
admin_self(struct exchange *x)
{
	struct service service;
	enum rc rc;

	rc = service_find(x->app->db, &service, x->key.service_id);
	if (rc != RC_OK)
		return rc;
	x->answer.type = VIEW_JSON;
	return view_self(&x->answer.body, &x->key, service.name, x->ends_at);
}
