/*
 * What operators see and do beyond the app's API, for the admin panel and for
 * admin keys: the table of it. The handlers are in admin_*.c.
 */

#include "admin.h"

/* Things in a page: most, and if no limit is named. */
#define LIMIT_MAX 100
#define LIMIT_DEFAULT 50

static const struct endpoint endpoints[] = {
	{ .method = "POST",
	    .path = "/admin/sign-in",
	    .allow = "POST",
	    .auth = SERVE_OPEN,
	    .type = "application/json",
	    .body_max = 1024,
	    .act = admin_sign_in },
	{ .method = "POST",
	    .path = "/admin/sign-out",
	    .allow = "POST",
	    .auth = SERVE_OPEN,
	    .act = admin_sign_out },
	{ .method = "GET",
	    .path = "/v1/keys/self",
	    .allow = "GET, HEAD",
	    .auth = SERVE_KEY,
	    .act = admin_self },
	{ .method = "GET",
	    .path = "/v1/numbers",
	    .allow = "GET, HEAD, POST",
	    .auth = SERVE_KEY,
	    .right = SERVE_ADMIN,
	    .act = admin_numbers_list },
	{ .method = "POST",
	    .path = "/v1/numbers",
	    .allow = "GET, HEAD, POST",
	    .auth = SERVE_KEY,
	    .right = SERVE_ADMIN,
	    .type = "application/json",
	    .body_max = 8192,
	    .write = true,
	    .read = admin_numbers_read,
	    .act = admin_numbers_add },
	{ .method = "GET",
	    .path = "/v1/numbers/{id}",
	    .allow = "GET, HEAD, PATCH",
	    .auth = SERVE_KEY,
	    .right = SERVE_ADMIN,
	    .act = admin_number_get },
	{ .method = "PATCH",
	    .path = "/v1/numbers/{id}",
	    .allow = "GET, HEAD, PATCH",
	    .auth = SERVE_KEY,
	    .right = SERVE_ADMIN,
	    .type = "application/json",
	    .body_max = 1024,
	    .write = true,
	    .read = admin_number_read_state,
	    .act = admin_number_set },
	{ .method = "POST",
	    .path = "/v1/numbers/sync",
	    .allow = "POST",
	    .auth = SERVE_KEY,
	    .right = SERVE_ADMIN,
	    .type = "application/json",
	    .body_max = 8192,
	    .write = true,
	    .read = admin_numbers_read_sync,
	    .act = admin_numbers_sync },
	{ .method = "GET",
	    .path = "/v1/deliveries",
	    .allow = "GET, HEAD",
	    .auth = SERVE_KEY,
	    .right = SERVE_ADMIN,
	    .act = admin_deliveries_list },
	{ .method = "GET",
	    .path = "/v1/deliveries/{id}",
	    .allow = "GET, HEAD",
	    .auth = SERVE_KEY,
	    .right = SERVE_ADMIN,
	    .act = admin_delivery_get },
	{ .method = "POST",
	    .path = "/v1/deliveries/{id}/retry",
	    .allow = "POST",
	    .auth = SERVE_KEY,
	    .right = SERVE_ADMIN,
	    .write = true,
	    .act = admin_delivery_retry },
	{ .method = "POST",
	    .path = "/v1/deliveries/retry",
	    .allow = "POST",
	    .auth = SERVE_KEY,
	    .right = SERVE_ADMIN,
	    .write = true,
	    .act = admin_deliveries_retry },
	{ .method = NULL },
};

enum rc
admin_read_limit(struct exchange *x, int *limit)
{
	int64_t count;

	if (form_count(&x->form, "limit", &count) != RC_OK || count == 0 ||
	    count > LIMIT_MAX)
		return rc_fault(&x->fault, RC_INVALID, "limit",
		    "must be from 1 to %d", LIMIT_MAX);
	*limit = count > 0 ? (int)count : LIMIT_DEFAULT;
	return RC_OK;
}

int
main(int argc, char **argv)
{
	return serve(argc, argv, "admin", endpoints);
}
