#ifndef ADMIN_H
#define ADMIN_H

/*
 * What is below the API for operators only, by resource: the handlers of the
 * table in admin.c. Each reads (read) or does (act) one request; see serve.h.
 */

#include "serve.h"

/* Signing in and out; who is signed in. */
enum rc admin_sign_in(struct exchange *x);
enum rc admin_sign_out(struct exchange *x);
enum rc admin_self(struct exchange *x);

/* Keys. */
enum rc admin_keys(struct exchange *x);
enum rc admin_read_key(struct exchange *x);
enum rc admin_add_key(struct exchange *x);
enum rc admin_revoke_key(struct exchange *x);

/* The service and its settings, and what these have people hear. */
enum rc admin_service(struct exchange *x);
enum rc admin_set_service(struct exchange *x);
enum rc admin_preview(struct exchange *x);

/* Reads the service of who asks, and into it what the body sets, if it sets
 * anything or has to. RC_SYNTAX, RC_INVALID. */
enum rc admin_read_settings(
    struct exchange *x, struct service *service, bool required);

/* The audit log. */
enum rc admin_read_audit(struct exchange *x);
enum rc admin_audit(struct exchange *x);

/* The number pool. */
enum rc admin_numbers_list(struct exchange *x);
enum rc admin_numbers_read(struct exchange *x);
enum rc admin_numbers_add(struct exchange *x);
enum rc admin_numbers_read_sync(struct exchange *x);
enum rc admin_numbers_sync(struct exchange *x);
enum rc admin_number_get(struct exchange *x);
enum rc admin_number_read_state(struct exchange *x);
enum rc admin_number_set(struct exchange *x);

/* What leaves the system. */
enum rc admin_deliveries_list(struct exchange *x);
enum rc admin_deliveries_retry(struct exchange *x);
enum rc admin_delivery_get(struct exchange *x);
enum rc admin_delivery_retry(struct exchange *x);

/* Reads limit= of a list from the query. RC_INVALID. */
enum rc admin_read_limit(struct exchange *x, int *limit);

/* How the service stands, and how it went. */
enum rc admin_overview(struct exchange *x);
enum rc admin_tallies(struct exchange *x);

/* Looking for sessions, and at what happened in one. */
enum rc admin_search(struct exchange *x);
enum rc admin_session_events(struct exchange *x);

#endif
