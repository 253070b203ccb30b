/*
 * GET /v1/service: the settings of the service. PATCH /v1/service
 * {"settings": {…}}: changes them.
 */

#include "admin.h"

#include <stdio.h>
#include <string.h>

#include "hook.h"
#include "view.h"

enum rc
admin_read_settings(struct exchange *x, struct service *service, bool required)
{
	char field[sizeof x->fault.field];
	enum rc rc;

	rc = service_find(x->app->db, service, x->key.service_id);
	if (rc != RC_OK)
		return rc;
	rc = view_read_settings(
	    service, buf_text(&x->body), x->body.len, required, &x->fault);
	if (rc != RC_OK)
		return rc;
	rc = service_check(service, x->app->conf.private_webhooks, &x->fault);
	if (rc != RC_OK) {
		snprintf(field, sizeof field, "settings.%.50s", x->fault.field);
		strcpy(x->fault.field, field);
	}
	return rc;
}

/* Answers with the service as it stands; fresh: a secret just made, or "". */
static enum rc
show(struct exchange *x, const struct service *service, const char *fresh)
{
	struct hook_secret secrets[HOOK_SECRETS_MAX];
	enum rc rc;
	int len;

	x->answer.type = VIEW_JSON;
	rc = hook_list(x->app->db, x->mask.keys, service->id,
	    x->mask.now_ms / 1000, secrets, &len);
	if (rc == RC_OK)
		rc =
		    view_service(&x->answer.body, service, secrets, len, fresh);
	crypto_wipe(secrets, sizeof secrets);
	return rc;
}

static enum rc
show_service(struct db *db, void *cookie)
{
	struct exchange *x = cookie;
	struct service service;
	enum rc rc;

	rc = service_find(db, &service, x->key.service_id);
	return rc == RC_OK ? show(x, &service, "") : rc;
}

enum rc
admin_service(struct exchange *x)
{
	return db_snapshot(x->app->db, show_service, x);
}

/* Says for the audit log which settings have changed, and to what if that is
 * a number or a word of ours. */
static void
note_changes(struct exchange *x, const struct service *before,
    const struct service *after)
{
	const struct service_setting *setting = service_settings;
	char old[300], new[300];
	size_t used = 0;

	x->detail[0] = '\0';
	for (; setting->name != NULL; setting++) {
		bool told = setting->kind == SERVICE_NUMBER ||
			    setting->kind == SERVICE_LANGUAGE;

		service_show(before, setting, old, sizeof old);
		service_show(after, setting, new, sizeof new);
		if (strcmp(old, new) == 0 || used >= sizeof x->detail)
			continue;
		used += (size_t)snprintf(x->detail + used,
		    sizeof x->detail - used, "%s%s%s%s", used != 0 ? " " : "",
		    setting->name, told ? "=" : "", told ? new : "");
	}
}

enum rc
admin_set_service(struct exchange *x)
{
	struct hook_secret fresh = { .text = "" };
	struct service before, service;
	enum rc rc;

	rc = service_find(x->app->db, &before, x->key.service_id);
	if (rc != RC_OK ||
	    (rc = admin_read_settings(x, &service, true)) != RC_OK ||
	    (rc = service_update(x->app->db, &service)) != RC_OK)
		return rc;
	if (service.webhook_url[0] != '\0')
		rc = hook_ensure(x->app->db, x->mask.keys, service.id, &fresh,
		    x->mask.now_ms);
	strcpy(x->subject, service.id);
	note_changes(x, &before, &service);
	if (rc == RC_OK)
		rc = show(x, &service, fresh.text);
	crypto_wipe(&fresh, sizeof fresh);
	return rc;
}
