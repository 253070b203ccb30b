/* API keys: asked for, and as they are listed. */

#include "view.h"

#include "view_json.h"

/* Reads what the key is to be allowed. */
static enum rc
read_key_role(json_t *object, enum apikey_role *role, struct fault *fault)
{
	char name[16];
	enum rc rc;

	rc = view_read_text(object, "", "role", name, sizeof name, true, fault);
	if (rc != RC_OK || apikey_role_parse(role, name) != RC_OK)
		return rc_fault(fault, RC_INVALID, "role",
		    "must be app, admin, operator or viewer");
	return RC_OK;
}

enum rc
view_read_new_key(
    struct apikey *key, const char *body, size_t len, struct fault *fault)
{
	static const char *const known[] = { "name", "role", NULL };
	json_t *object;
	enum rc rc;

	if ((rc = view_parse(&object, body, len, fault)) != RC_OK)
		return rc;
	if ((rc = view_refuse_unknown(object, "", known, fault)) == RC_OK &&
	    (rc = view_read_text(object, "", "name", key->name,
		 sizeof key->name, true, fault)) == RC_OK &&
	    (rc = apikey_check_name(key->name, fault)) == RC_OK)
		rc = read_key_role(object, &key->role, fault);
	json_decref(object);
	return rc;
}

static json_t *
key_json(const struct apikey *key)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:o}", "id", key->id, "name",
	    key->name, "role", apikey_roles[key->role], "created_at",
	    view_moment(key->created_at), "revoked_at",
	    view_moment(key->revoked_at));
}

enum rc
view_key(struct buf *out, const struct apikey *key, const char *text)
{
	json_t *json = key_json(key);

	if (text != NULL)
		json_object_set_new(json, "key", json_string(text));
	return view_dump(out, json, 0);
}

enum rc
view_keys(struct buf *out, const struct apikey *keys, size_t len)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < len; i++)
		json_array_append_new(list, key_json(&keys[i]));
	return view_dump(out, json_pack("{s:o, s:n}", "keys", list, "next"), 0);
}
