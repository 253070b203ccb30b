/* What a program works with from start to end. */

#include "app.h"

#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#include "crypto.h"
#include "log.h"
#include "wake.h"

/* How long nobody waits after one has waited in vain, milliseconds. */
#define HURRY_MS 1000
/* How long they do wait: for the turn of another writer, not for a lock. */
#define HURRY_WAIT_MS 50

/* How long the turn to write may be waited for by who only wants to know that
 * it comes, milliseconds. */
#define TURN_MS 1000
/* How long something for Twilio may be due, milliseconds. What an app does not
 * take is not our failure: see callmask_outbox_lag_seconds. */
#define LAG_MS (5 * 60 * 1000)

void
app_harden(void)
{
	const struct rlimit no_core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#ifndef __SANITIZE_ADDRESS__
	/* The leak check has to look into its own process. */
	prctl(PR_SET_DUMPABLE, 0);
#endif
}

enum rc
app_open(struct app *app, const char *program, const char *path,
    char error[CONF_ERROR_SIZE])
{
	struct secrets secrets;
	enum rc rc;

	*app = (struct app){ .db = NULL };
	log_open(program, LOG_INFO);
	app_harden();

	if ((rc = crypto_open()) != RC_OK) {
		strcpy(error, "no randomness to be had");
		return rc;
	}
	if ((rc = conf_load(&app->conf, path, error)) != RC_OK)
		return rc;
	log_open(program, app->conf.log_level);
	/* Secrets may be missing for now, but not be wrong. */
	rc = conf_load_secrets(&secrets, app->conf.secrets, error);
	crypto_wipe(&secrets, sizeof secrets);
	if (rc == RC_INVALID)
		return rc;
	app->metrics = metrics_open(app->conf.metrics);
	wake_path(app->wake, sizeof app->wake, app->conf.database);
	return RC_OK;
}

void
app_unready(struct app *app)
{
	db_close(app->db);
	app->db = NULL;
	twilio_sign_free(app->sign);
	app->sign = NULL;
	crypto_wipe(&app->secrets, sizeof app->secrets);
}

void
app_close(struct app *app)
{
	app_unready(app);
	metrics_close(app->metrics);
	app->metrics = NULL;
}

/* Reads the keys and makes the signature check ready. */
static enum rc
open_secrets(struct app *app)
{
	const char *tokens[CONF_TOKENS_MAX];
	char error[CONF_ERROR_SIZE];
	static const uint8_t none[CRYPTO_KEY_SIZE];
	struct secrets *secrets = &app->secrets;
	size_t i;

	if (conf_load_secrets(secrets, app->conf.secrets, error) != RC_OK) {
		log_error("secrets_missing", "%s", error);
		return RC_UNAVAILABLE;
	}
	if (secrets->keys.sealing_len == 0 ||
	    crypto_equal(secrets->keys.lookup, none, sizeof none)) {
		log_error("secrets_missing",
		    "%s holds no sealing keys; run `callmask init`",
		    app->conf.secrets);
		return RC_UNAVAILABLE;
	}
	for (i = 0; i < secrets->tokens_len; i++)
		tokens[i] = secrets->tokens[i];
	return twilio_sign_open(
	    &app->sign, app->conf.public_url, tokens, secrets->tokens_len);
}

enum rc
app_ready(struct app *app)
{
	if (app->db != NULL && db_check(app->db) == RC_OK)
		return RC_OK;
	app_unready(app);
	if (open_secrets(app) == RC_OK &&
	    db_open(&app->db, app->conf.database, DB_USE) == RC_OK)
		return RC_OK;
	app_unready(app);
	return RC_UNAVAILABLE;
}

struct mask
app_mask(const struct app *app)
{
	return (struct mask){ .db = app->db,
		.keys = &app->secrets.keys,
		.now_ms = app_now_ms(),
		.metrics = app->metrics };
}

enum rc
app_record(struct app *app, int wait_ms, db_deed deed, void *cookie)
{
	int64_t left_ms = app->hurry_until_ms - app_now_ms();
	bool hurry = left_ms > 0 && left_ms <= HURRY_MS;
	enum rc rc;

	rc =
	    db_transact(app->db, hurry ? HURRY_WAIT_MS : wait_ms, deed, cookie);
	/* Only who has waited knows that waiting is of no use. */
	if (rc_final(rc))
		app_wake(app);
	if (rc == RC_BUSY && !hurry)
		app->hurry_until_ms = app_now_ms() + HURRY_MS;
	return rc;
}

/* Returns what is wrong with keys or database, NULL if nothing is. */
static const char *
find_trouble(struct app *app, int64_t *lag_ms)
{
	int64_t version;

	if (app_ready(app) != RC_OK)
		return "keys or database are not there";
	if (db_version(app->db, &version) != RC_OK ||
	    metrics_lag(app->db, app_now_ms(), lag_ms) != RC_OK) {
		app_unready(app);
		return "the database cannot be read";
	}
	if (version != SQL_VERSION)
		return "the database has another schema version";
	if (!db_can_write(app->db, TURN_MS))
		return "the database cannot be written";
	return NULL;
}

void
app_health(struct app *app, struct app_health *health)
{
	int64_t lag_ms = 0;

	health->trouble = find_trouble(app, &lag_ms);
	health->database = health->trouble == NULL;
	health->worker = wake_heard(app->wake);
	if (health->trouble != NULL)
		return;
	if (!health->worker)
		health->trouble = "outboxd does not run";
	else if (lag_ms > LAG_MS)
		health->trouble =
		    "what is for Twilio has been due for 5 minutes";
}

void
app_wake(const struct app *app)
{
	wake_send(app->wake);
}

int64_t
app_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
