/*
 * GET /v1/keys: the keys of the service. POST /v1/keys {"name", "role"}: a new
 * one, shown this once. POST /v1/keys/{id}/revoke: worthless from now on, and
 * whoever is signed in with it is signed out.
 */

#include "admin.h"

#include <stdio.h>
#include <string.h>

#include "view.h"

static void
gather(void *cookie, const struct apikey *key)
{
	buf_add(cookie, key, sizeof *key);
}

enum rc
admin_keys(struct exchange *x)
{
	struct buf keys;
	enum rc rc;

	buf_init(&keys, 0);
	rc = apikey_list(x->app->db, x->key.service_id, gather, &keys);
	if (rc == RC_OK && !buf_ok(&keys))
		rc = RC_MEMORY;
	x->answer.type = VIEW_JSON;
	if (rc == RC_OK)
		rc = view_keys(&x->answer.body, (const void *)keys.data,
		    keys.len / sizeof(struct apikey));
	buf_free(&keys);
	return rc;
}

enum rc
admin_read_key(struct exchange *x)
{
	return view_read_new_key(
	    &x->in.key, buf_text(&x->body), x->body.len, &x->fault);
}

enum rc
admin_add_key(struct exchange *x)
{
	struct apikey *key = &x->in.key;
	char text[APIKEY_SIZE];
	enum rc rc;

	strcpy(key->service_id, x->key.service_id);
	rc = apikey_insert(x->app->db, key, text, x->mask.now_ms);
	if (rc != RC_OK)
		return rc;
	key->created_at = x->mask.now_ms / 1000;
	strcpy(x->subject, key->id);
	snprintf(x->detail, sizeof x->detail, "%s for %s",
	    apikey_roles[key->role], key->name);
	x->answer.status = 201;
	x->answer.type = VIEW_JSON;
	rc = view_key(&x->answer.body, key, text);
	crypto_wipe(text, sizeof text);
	return rc;
}

enum rc
admin_revoke_key(struct exchange *x)
{
	struct db *db = x->app->db;
	const char *service_id = x->key.service_id;
	struct apikey key;
	enum rc rc;

	if (strcmp(x->id, x->key.id) == 0)
		return rc_fault(&x->fault, RC_REFUSED, "",
		    "is the key you are signed in with");
	rc = apikey_revoke(db, service_id, x->id, x->mask.now_ms / 1000);
	/* One that is revoked already stays so. */
	if ((rc != RC_OK && rc != RC_NOT_FOUND) ||
	    (rc = apikey_find(db, service_id, x->id, &key)) != RC_OK)
		return rc;
	snprintf(x->detail, sizeof x->detail, "%s for %s",
	    apikey_roles[key.role], key.name);
	x->answer.type = VIEW_JSON;
	return view_key(&x->answer.body, &key, NULL);
}
