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

/* How the service stands, and how it went. */
enum rc admin_overview(struct exchange *x);
enum rc admin_tallies(struct exchange *x);

/* Looking for sessions, and at what happened in one. */
enum rc admin_search(struct exchange *x);
enum rc admin_session_events(struct exchange *x);

#endif
