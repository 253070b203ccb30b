/* The frame around every endpoint. */

#include "serve.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audit.h"
#include "idempotency.h"
#include "log.h"
#include "twiml.h"
#include "version.h"
#include "view.h"

/* The admin panel: below it is the API once more, opened by a cookie. */
#define PANEL "/admin"
#define COOKIE "__Host-callmask"
/* How long to wait to write down that it was used, milliseconds. */
#define SEEN_WAIT_MS 50

/* How each result is told: the API's stable codes. */
static const struct {
	int status;
	const char *code;
} problems[RC__MAX] = {
	[RC_METHOD] = { 405, "method_not_allowed" },
	[RC_PATH] = { 404, "not_found" },
	[RC_TYPE] = { 415, "unsupported_type" },
	[RC_TOO_LARGE] = { 413, "too_large" },
	[RC_INCOMPLETE] = { 400, "incomplete_body" },
	[RC_UNSIGNED] = { 403, "signature_invalid" },
	[RC_UNAUTHORIZED] = { 401, "unauthorized" },
	[RC_FORBIDDEN] = { 403, "forbidden" },
	[RC_SYNTAX] = { 400, "invalid_json" },
	[RC_INVALID] = { 422, "invalid_field" },
	[RC_NOT_FOUND] = { 404, "not_found" },
	[RC_SAME_PARTY] = { 422, "same_party" },
	[RC_OWN_NUMBER] = { 422, "own_number" },
	[RC_COUNTRY] = { 422, "country_not_allowed" },
	[RC_REFERENCE] = { 409, "reference_in_use" },
	[RC_POOL] = { 409, "pool_exhausted" },
	[RC_KEY_REUSED] = { 422, "idempotency_key_reused" },
	[RC_EXISTS] = { 409, "exists" },
	[RC_LIMIT] = { 429, "limit" },
	[RC_ENDED] = { 409, "session_ended" },
	[RC_OFF] = { 409, "not_enabled" },
	[RC_REFUSED] = { 409, "refused" },
	[RC_BUSY] = { 503, "busy" },
	[RC_RETRY] = { 503, "busy" },
	[RC_UNAVAILABLE] = { 503, "unavailable" },
	[RC_VERSION] = { 503, "unavailable" },
	[RC_CORRUPT] = { 500, "internal" },
	[RC_MEMORY] = { 503, "unavailable" },
	[RC_SYSTEM] = { 500, "internal" },
};

/* A request on its way through the checks. */
struct turn {
	struct req *req;
	const struct endpoint *endpoints;
	const struct endpoint *endpoint; /* NULL until found */
	int program;                     /* where its times are counted */
	bool panel; /* below /admin/: a cookie is what opens it */
	struct exchange x;
};

/* Whether path fits pattern; what stands for {id} goes to id. */
static bool
path_matches(const char *pattern, const char *path, char id[ID_SIZE])
{
	const char *hole = strstr(pattern, "{id}");
	size_t len;

	id[0] = '\0';
	if (hole == NULL)
		return strcmp(pattern, path) == 0;
	if (strncmp(pattern, path, (size_t)(hole - pattern)) != 0)
		return false;
	path += hole - pattern;
	len = strcspn(path, "/");
	if (len == 0 || len >= ID_SIZE || strcmp(hole + 4, path + len) != 0)
		return false;
	memcpy(id, path, len);
	id[len] = '\0';
	return true;
}

/* Finds the endpoint of a request. RC_PATH, RC_METHOD. */
static enum rc
find_endpoint(struct turn *turn)
{
	const char *method = req_param(turn->req, "REQUEST_METHOD");
	const struct endpoint *e;
	char path[REQ_PATH_SIZE];
	enum rc rc = RC_PATH;

	if (req_path(turn->req, path) != RC_OK)
		return RC_PATH;
	turn->panel = strncmp(path, PANEL "/v1/", strlen(PANEL "/v1/")) == 0;
	if (strcmp(method, "HEAD") == 0)
		method = "GET";
	for (e = turn->endpoints; e->method != NULL; e++) {
		if (!path_matches(e->path,
			turn->panel && e->auth == SERVE_KEY
			    ? path + strlen(PANEL)
			    : path,
			turn->x.id))
			continue;
		turn->endpoint = e;
		if (strcmp(e->method, method) == 0)
			return RC_OK;
		rc = RC_METHOD;
	}
	return rc;
}

/* Whether the request's content type is the wanted one, parameters aside. */
static enum rc
check_type(const struct turn *turn)
{
	const char *wanted = turn->endpoint->type;
	const char *type = req_param(turn->req, "CONTENT_TYPE");
	const char *length = req_param(turn->req, "CONTENT_LENGTH");
	size_t len = strcspn(type, "; \t");

	/* Nothing was sent, so nothing has a type. */
	if (type[0] == '\0' && (length[0] == '\0' || atol(length) == 0) &&
	    turn->endpoint->auth == SERVE_KEY)
		return RC_OK;
	if (wanted == NULL)
		return RC_OK;
	return strlen(wanted) == len && strncasecmp(type, wanted, len) == 0
		   ? RC_OK
		   : RC_TYPE;
}

/* Checks the API key. */
static enum rc
check_bearer(struct exchange *x)
{
	const char *text = req_param(x->req, "HTTP_AUTHORIZATION");
	enum rc rc;

	if (strncasecmp(text, "Bearer ", 7) != 0)
		return RC_UNAUTHORIZED;
	rc = apikey_check(x->app->db, &x->key, text + 7);
	if (rc == RC_OK && x->key.role != APIKEY_APP &&
	    x->key.role != APIKEY_ADMIN)
		return rc_fault(&x->fault, RC_FORBIDDEN, "",
		    "this key opens the admin panel only");
	return rc;
}

static enum rc
note_seen(struct db *db, void *cookie)
{
	return signin_seen(db, cookie, app_now_ms() / 1000);
}

/* Checks the cookie of an operator. */
static enum rc
check_cookie(struct exchange *x)
{
	struct signin signin;
	char token[SIGNIN_SIZE];
	enum rc rc;

	if ((rc = serve_token(x, token)) != RC_OK)
		return rc;
	rc = signin_check(x->app->db, &signin, token, x->mask.now_ms / 1000);
	if (rc == RC_OK) {
		x->key = signin.key;
		x->ends_at = signin.ends_at;
		/* Failing that they are signed out a little sooner, nothing
		 * more. */
		if (signin.unseen)
			db_transact(x->app->db, SEEN_WAIT_MS, note_seen, token);
	}
	crypto_wipe(token, sizeof token);
	return rc;
}

/* Checks who asks and whether they may. */
static enum rc
check_key(struct turn *turn)
{
	struct exchange *x = &turn->x;
	const struct endpoint *e = turn->endpoint;
	enum rc rc;

	rc = turn->panel ? check_cookie(x) : check_bearer(x);
	if (rc == RC_UNAUTHORIZED)
		metrics_count(x->app->metrics, METRICS_KEYS_REFUSED);
	if (rc != RC_OK)
		return rc;
	if (e->right == SERVE_ADMIN && x->key.role == APIKEY_APP)
		return rc_fault(
		    &x->fault, RC_FORBIDDEN, "", "takes an admin key");
	if (e->write && x->key.role == APIKEY_VIEWER)
		return rc_fault(
		    &x->fault, RC_FORBIDDEN, "", "a viewer may only look");
	return RC_OK;
}

/* Checks Twilio's signature over the body, a form. */
static enum rc
check_signature(struct turn *turn)
{
	struct exchange *x = &turn->x;
	char path[REQ_PATH_SIZE];
	enum rc rc = RC_UNSIGNED;

	if (req_path(turn->req, path) == RC_OK &&
	    form_parse(&x->form, buf_text(&x->body), x->body.len) == RC_OK)
		rc = twilio_sign_check(x->app->sign,
		    &(struct twilio_request){ .path = path,
			.query = req_param(turn->req, "QUERY_STRING"),
			.form = &x->form,
			.signature =
			    req_param(turn->req, "HTTP_X_TWILIO_SIGNATURE") });
	if (rc == RC_UNSIGNED) {
		metrics_count(x->app->metrics, METRICS_WEBHOOKS_FORGED);
		log_warn("webhook_forged", "%s", turn->endpoint->path);
	}
	return rc;
}

/* Reads the query of a request that has no form for a body. */
static enum rc
read_query(struct turn *turn)
{
	const char *query = req_param(turn->req, "QUERY_STRING");

	if (form_parse(&turn->x.form, query, strlen(query)) != RC_OK)
		return rc_fault(&turn->x.fault, RC_INVALID, "query",
		    "is not a well-formed query");
	return RC_OK;
}

/* Appends the problem document for rc to the answer. */
static void
write_problem(struct turn *turn, enum rc rc)
{
	struct answer *answer = &turn->x.answer;
	struct view_problem problem = {
		.status = problems[rc].status != 0 ? problems[rc].status : 500,
		.code =
		    problems[rc].code != NULL ? problems[rc].code : "internal",
		.detail = turn->x.fault.detail,
		.field = turn->x.fault.field,
		.request = "",
	};

	answer_reset(answer);
	if (turn->x.fault.code[0] != '\0')
		problem.code = turn->x.fault.code;
	if (!rc_final(rc))
		problem.request = req_param(turn->req, "REQUEST_ID");
	problem.title = answer_reason(problem.status);
	answer->status = problem.status;
	answer->type = VIEW_PROBLEM;
	view_problem(&answer->body, &problem);
	if (rc == RC_METHOD)
		answer_header(answer, "Allow", turn->endpoint->allow);
	if (rc == RC_UNAUTHORIZED && !turn->panel)
		answer_header(answer, "WWW-Authenticate", "Bearer");
	if (problem.status == 503)
		answer_header(answer, "Retry-After", "1");
}

/* Whether rc is an answer to the deed itself rather than to how it was asked
 * for, so that it is kept under an Idempotency-Key. */
static bool
is_outcome(enum rc rc)
{
	return rc == RC_OK || rc == RC_POOL || rc == RC_REFERENCE ||
	       rc == RC_REFUSED;
}

/* The action of an endpoint, as the audit log calls it. */
static void
name_action(const struct endpoint *e, char action[AUDIT_ACTION_SIZE])
{
	snprintf(action, AUDIT_ACTION_SIZE, "%s %s", e->method, e->path);
}

/* Notes a change in the audit log. What an app does is in the events. */
static enum rc
note_change(struct turn *turn)
{
	char action[AUDIT_ACTION_SIZE];

	if (turn->endpoint->auth != SERVE_KEY || turn->x.key.role == APIKEY_APP)
		return RC_OK;
	name_action(turn->endpoint, action);
	return serve_audit(&turn->x, action);
}

static enum rc
note_look(struct db *db, void *cookie)
{
	struct turn *turn = cookie;

	(void)db;
	return note_change(turn);
}

/* Notes a look at personal data, unless it is the same as a moment ago. Fails
 * closed: what cannot be noted is not shown. */
static enum rc
check_look(struct turn *turn)
{
	struct exchange *x = &turn->x;
	char action[AUDIT_ACTION_SIZE];
	enum rc rc;

	if (x->key.role == APIKEY_APP)
		return RC_OK;
	name_action(turn->endpoint, action);
	rc = audit_looked(x->app->db,
	    &(struct audit){ .service_id = x->key.service_id,
		.key_id = x->key.id,
		.action = action,
		.subject = x->subject,
		.detail = x->detail },
	    x->mask.now_ms / 1000);
	if (rc == RC_NONE)
		rc = db_transact(x->app->db, DB_WAIT_MS, note_look, turn);
	return rc;
}

/* What a deed runs with. */
struct writing {
	struct turn *turn;
	struct idempotency question; /* key NULL: asked without any */
	char tag[48];                /* key of a request without its own */
};

/* Does the deed, or gives the answer it had the first time; in a write
 * transaction. The answer is complete when it returns a final result. */
static enum rc
write_once(struct db *db, void *cookie)
{
	struct writing *w = cookie;
	struct exchange *x = &w->turn->x;
	struct answer *answer = &x->answer;
	enum rc rc;

	answer_reset(answer);
	x->fault = (struct fault){ .field = "" };
	/* The deed's time is that of its turn: times run with the commits. */
	x->mask.now_ms = app_now_ms();
	if (w->question.key != NULL) {
		rc = idempotency_find(
		    db, &w->question, &answer->status, &answer->body);
		if (rc == RC_OK) {
			answer->type =
			    answer->status < 400 ? VIEW_JSON : VIEW_PROBLEM;
			if (w->question.key != w->tag)
				answer_header(
				    answer, "Idempotent-Replayed", "true");
			return RC_OK;
		}
		if (rc == RC_KEY_REUSED)
			rc_fault(&x->fault, rc, "Idempotency-Key",
			    "was used for another request");
		if (rc != RC_NONE) {
			write_problem(w->turn, rc);
			return rc;
		}
	}
	rc = w->turn->endpoint->act(x);
	if (rc == RC_OK)
		rc = note_change(w->turn);
	if (!rc_final(rc))
		return rc;
	if (rc != RC_OK)
		write_problem(w->turn, rc);
	if (!buf_ok(&answer->body))
		return RC_MEMORY;
	if (w->question.key != NULL && is_outcome(rc)) {
		enum rc kept;

		kept = idempotency_insert(db, &w->question, answer->status,
		    &answer->body, x->mask.now_ms / 1000);
		if (kept != RC_OK)
			return kept;
	}
	return rc;
}

/*
 * Stores the key under which the answer is kept: the client's, or else the id
 * nginx gave to the request. nginx hands a request to another worker when one
 * dies, perhaps just after its commit; the id tells that it is the same one.
 * A blank in front keeps such keys apart from all that clients can send.
 */
static enum rc
choose_key(struct turn *turn, struct writing *writing)
{
	const char *key = req_param(turn->req, "HTTP_IDEMPOTENCY_KEY"), *p;
	const char *id = req_param(turn->req, "REQUEST_ID");

	for (p = key; *p > ' ' && *p < 0x7f; p++)
		;
	if (*p != '\0' || p - key > IDEMPOTENCY_KEY_MAX ||
	    req_param_repeated(turn->req, "HTTP_IDEMPOTENCY_KEY"))
		return rc_fault(&turn->x.fault, RC_INVALID, "Idempotency-Key",
		    "must be one, of 1 to %d printable ASCII characters",
		    IDEMPOTENCY_KEY_MAX);
	if (key[0] == '\0' && id[0] != '\0') {
		snprintf(writing->tag, sizeof writing->tag, " %.40s", id);
		key = writing->tag;
	}
	writing->question.key = key[0] != '\0' ? key : NULL;
	return RC_OK;
}

/* Fills in what identifies a question, so that it is answered once. */
static enum rc
read_question(struct turn *turn, struct writing *writing)
{
	struct exchange *x = &turn->x;
	char path[REQ_PATH_SIZE];
	struct buf text;
	enum rc rc;

	if ((rc = choose_key(turn, writing)) != RC_OK ||
	    writing->question.key == NULL ||
	    (rc = req_path(turn->req, path)) != RC_OK)
		return rc;
	buf_init(&text, 0);
	buf_printf(&text, "%s %s\n", turn->endpoint->method, path);
	rc = view_canonical(&text, buf_text(&x->body), x->body.len);
	if (rc == RC_OK) {
		writing->question.service_id = x->key.service_id;
		crypto_keyed_hash(writing->question.fingerprint, x->mask.keys,
		    "idempotency", buf_text(&text), text.len);
	}
	if (text.data != NULL)
		crypto_wipe(text.data, text.size);
	buf_free(&text);
	return rc;
}

/* Does what the endpoint is for. */
static enum rc
act(struct turn *turn)
{
	const struct endpoint *e = turn->endpoint;
	struct exchange *x = &turn->x;
	struct writing writing = { .turn = turn };
	enum rc rc;

	snprintf(x->subject, sizeof x->subject, "%s", x->id);
	if (e->read != NULL && (rc = e->read(x)) != RC_OK)
		return rc;
	if (!e->write) {
		rc = e->act(x);
		return rc == RC_OK && e->look ? check_look(turn) : rc;
	}
	if (e->auth == SERVE_KEY && !e->secret &&
	    (rc = read_question(turn, &writing)) != RC_OK)
		return rc;
	rc = db_transact(x->app->db, DB_WAIT_MS, write_once, &writing);
	if (rc_final(rc))
		app_wake(x->app);
	return rc;
}

/* Takes a request through the checks to its handler. */
static enum rc
run(struct turn *turn)
{
	struct exchange *x = &turn->x;
	const struct endpoint *e;
	enum rc rc;

	if ((rc = find_endpoint(turn)) != RC_OK)
		return rc;
	e = turn->endpoint;
	if ((rc = check_type(turn)) != RC_OK ||
	    (rc = req_size(turn->req, e->body_max)) != RC_OK)
		return rc;
	if (e->auth != SERVE_OPEN) {
		if ((rc = app_ready(x->app)) != RC_OK)
			return rc;
		x->mask = app_mask(x->app);
	}
	if (e->auth == SERVE_KEY && (rc = check_key(turn)) != RC_OK)
		return rc;
	if ((rc = req_body(turn->req, &x->body, e->body_max)) != RC_OK)
		return rc;
	rc = e->auth == SERVE_TWILIO ? check_signature(turn) : read_query(turn);
	return rc == RC_OK ? act(turn) : rc;
}

/* A caller is on the line and we cannot help: say so. */
static void
apologise(struct turn *turn)
{
	struct answer *answer = &turn->x.answer;

	metrics_count(turn->x.app->metrics, METRICS_CALLS_APOLOGISED);
	answer_reset(answer);
	answer->type = TWIML_TYPE;
	buf_puts(&answer->body, twiml_sorry);
}

/* Microseconds of a clock that nobody sets. */
static int64_t
clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Answers one request. */
static void
handle(struct turn *turn)
{
	struct exchange *x = &turn->x;
	int64_t began_us = clock_us();
	enum rc rc;

	log_request(req_param(turn->req, "REQUEST_ID"));
	rc = run(turn);
	if (rc == RC_OK &&
	    !(buf_ok(&x->answer.body) && buf_ok(&x->answer.headers)))
		rc = RC_MEMORY;
	if (!rc_final(rc)) {
		log_error("request_failed", "%s: %s",
		    turn->endpoint != NULL ? turn->endpoint->path : "?",
		    rc_name(rc));
		metrics_count(x->app->metrics, METRICS_REQUESTS_FAILED);
		/* What failed may be broken: the next one opens it anew. */
		if (rc != RC_BUSY && rc != RC_RETRY)
			app_unready(x->app);
	}
	if (!rc_final(rc) && turn->endpoint != NULL &&
	    turn->endpoint->sorry == SERVE_APOLOGY)
		apologise(turn);
	else if (rc != RC_OK)
		write_problem(turn, rc);
	metrics_observe(x->app->metrics, turn->program, clock_us() - began_us);
	req_answer(turn->req, &x->answer);
}

/* Empties what one request filled, wiping real numbers. */
static void
clear(struct turn *turn)
{
	struct exchange *x = &turn->x;

	if (x->body.data != NULL)
		crypto_wipe(x->body.data, x->body.size);
	if (x->form.text.data != NULL)
		crypto_wipe(x->form.text.data, x->form.text.size);
	form_free(&x->form);
	buf_free(&x->body);
	answer_reset(&x->answer);
	crypto_wipe(&x->in, sizeof x->in);
	crypto_wipe(&x->key, sizeof x->key);
	x->ends_at = 0;
	x->subject[0] = '\0';
	x->detail[0] = '\0';
	x->fault = (struct fault){ .field = "" };
	x->id[0] = '\0';
	turn->endpoint = NULL;
	log_request(NULL);
}

int
serve(int argc, char **argv, const char *program,
    const struct endpoint *endpoints)
{
	const char *path = CONF_PATH;
	char error[CONF_ERROR_SIZE];
	struct turn *turn;
	struct app app;
	int c;

	while ((c = getopt(argc, argv, "c:V")) != -1) {
		switch (c) {
		case 'c':
			path = optarg;
			break;
		case 'V':
			printf("%s %s\n", program, VERSION);
			return 0;
		default:
			fprintf(stderr, "usage: %s [-V] [-c file]\n", program);
			return 2;
		}
	}
	if (app_open(&app, program, path, error) != RC_OK)
		errx(1, "%s", error);
	if ((turn = calloc(1, sizeof *turn)) == NULL ||
	    req_open(&turn->req) != RC_OK)
		errx(1, "cannot serve: is standard input a socket?");
	turn->endpoints = endpoints;
	turn->program = metrics_program(program);
	turn->x.app = &app;
	turn->x.req = turn->req;
	form_init(&turn->x.form);
	buf_init(&turn->x.body, 0);
	answer_init(&turn->x.answer);

	/* Said now rather than at the first request. */
	if (app_ready(&app) == RC_OK)
		log_debug("ready", "%s", db_engine(app.db));
	while (req_next(turn->req) == RC_OK) {
		handle(turn);
		clear(turn);
	}
	answer_free(&turn->x.answer);
	req_close(turn->req);
	free(turn);
	app_close(&app);
	return 0;
}

enum rc
serve_check_query(struct exchange *x, const char *const *known)
{
	const struct form_field *field;
	char names[100] = "";
	size_t i, k;

	for (k = 0; known[k] != NULL; k++)
		snprintf(names + strlen(names), sizeof names - strlen(names),
		    "%s%s", k != 0 ? ", " : "", known[k]);
	for (i = 0; i < x->form.len; i++) {
		field = &x->form.fields[i];
		for (k = 0; known[k] != NULL; k++)
			if (strcmp(field->name, known[k]) == 0)
				break;
		if (known[k] == NULL)
			return rc_fault(&x->fault, RC_INVALID, "query",
			    "may hold %s", names);
		if (form_get(&x->form, field->name) != field->value)
			return rc_fault(
			    &x->fault, RC_INVALID, known[k], "is there twice");
	}
	return RC_OK;
}

enum rc
serve_token(struct exchange *x, char text[SIGNIN_SIZE])
{
	const char *cookie = req_param(x->req, "HTTP_COOKIE");
	const char *name = COOKIE "=";
	size_t len, found = 0;

	text[0] = '\0';
	if (strcmp(req_param(x->req, "HTTP_SEC_FETCH_SITE"), "same-origin") !=
	    0)
		return rc_fault(&x->fault, RC_FORBIDDEN, "",
		    "only pages of this site may ask");
	for (; cookie[0] != '\0'; cookie += len + strspn(cookie + len, "; ")) {
		len = strcspn(cookie, ";");
		if (strncmp(cookie, name, strlen(name)) != 0)
			continue;
		found++;
		if (len == strlen(name) + SIGNIN_SIZE - 1)
			snprintf(
			    text, SIGNIN_SIZE, "%s", cookie + strlen(name));
	}
	/* Two are a question with two answers. */
	if (found > 1)
		text[0] = '\0';
	return RC_OK;
}

void
serve_set_token(struct exchange *x, const char *text)
{
	char value[200];

	snprintf(value, sizeof value,
	    COOKIE "=%s; Path=/; Max-Age=%d; Secure; HttpOnly; SameSite=Strict",
	    text, text[0] != '\0' ? SIGNIN_LASTS_S : 0);
	answer_header(&x->answer, "Set-Cookie", value);
	crypto_wipe(value, sizeof value);
}

void
serve_tag(const struct exchange *x, const char *text, char tag[SERVE_TAG_SIZE])
{
	uint8_t hash[CRYPTO_HASH_SIZE];

	crypto_keyed_hash(hash, x->mask.keys, "search", text, strlen(text));
	crypto_hex(tag, hash, (SERVE_TAG_SIZE - 1) / 2);
}

enum rc
serve_audit(struct exchange *x, const char *action)
{
	return audit_put(x->app->db, x->mask.keys,
	    &(struct audit){ .service_id = x->key.service_id,
		.key_id = x->key.id,
		.name = x->key.name,
		.action = action,
		.subject = x->subject,
		.detail = x->detail,
		.request_id = req_param(x->req, "REQUEST_ID") },
	    x->mask.now_ms / 1000);
}

void
serve_url(const struct app *app, const char *path, char *out, size_t size)
{
	conf_url(&app->conf, path, out, size);
}

enum rc
serve_report(struct exchange *x, enum rc rc, const char *what, const char *sid)
{
	if (rc == RC_NONE) {
		log_warn("webhook_unknown", "%s %s", what, sid);
		metrics_count(x->app->metrics, METRICS_WEBHOOKS_UNKNOWN);
		rc = RC_OK;
	}
	x->answer.type = TWIML_TYPE;
	return rc == RC_OK ? twiml_nothing(&x->answer.body) : rc;
}
