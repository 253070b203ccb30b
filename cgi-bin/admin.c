/*
 * What operators see and do beyond the app's API, for the admin panel and for
 * admin keys: the table of it. The handlers are in admin_*.c.
 */

#include "admin.h"

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
	    .path = "/v1/overview",
	    .allow = "GET, HEAD",
	    .auth = SERVE_KEY,
	    .right = SERVE_ADMIN,
	    .act = admin_overview },
	{ .method = "GET",
	    .path = "/v1/tallies",
	    .allow = "GET, HEAD",
	    .auth = SERVE_KEY,
	    .right = SERVE_ADMIN,
	    .act = admin_tallies },
	{ .method = "POST",
	    .path = "/v1/sessions/search",
	    .allow = "POST",
	    .auth = SERVE_KEY,
	    .right = SERVE_ADMIN,
	    .type = "application/json",
	    .body_max = 2048,
	    .look = true,
	    .act = admin_search },
	{ .method = "GET",
	    .path = "/v1/sessions/{id}/events",
	    .allow = "GET, HEAD",
	    .auth = SERVE_KEY,
	    .right = SERVE_ADMIN,
	    .look = true,
	    .act = admin_session_events },
	{ .method = NULL },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "admin", endpoints);
}
