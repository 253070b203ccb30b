#ifndef APP_H
#define APP_H

/*
 * What a program works with from start to end: configuration, keys, database,
 * counters. A program starts when its configuration is right. Keys and
 * database may be missing then, or go and come back while it runs: app_ready
 * tells, and until it says yes every request is refused or apologised for.
 */

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "db.h"
#include "mask.h"
#include "metrics.h"
#include "rc.h"
#include "twilio_sign.h"

struct app {
	struct conf conf;
	struct metrics *metrics;
	struct secrets secrets;   /* empty while not ready */
	struct twilio_sign *sign; /* NULL while not ready */
	int64_t
	    hurry_until_ms; /* writing was hopeless: hardly wait till then */
	struct db *db;      /* NULL while not ready */
	char wake[300];     /* path of the worker's pipe */
};

/*
 * Reads the configuration at path, opens log and counters under the name
 * program. Returns RC_INVALID or RC_UNAVAILABLE with error saying why the
 * program cannot start. End with app_close.
 */
enum rc app_open(struct app *app, const char *program, const char *path,
    char error[CONF_ERROR_SIZE]);

/* Releases everything; keys are wiped. */
void app_close(struct app *app);

/*
 * Makes sure that keys and database are there, opening them if need be.
 * Returns RC_UNAVAILABLE (logged) if they are not.
 */
enum rc app_ready(struct app *app);

/* Lets go of keys and database, to be opened anew by app_ready. */
void app_unready(struct app *app);

/* Returns what deeds need, for a deed now. Call when ready. */
struct mask app_mask(const struct app *app);

/*
 * Keeps keys and numbers inside the process: no core dump, no tracing by
 * others, no gaining of privileges.
 */
void app_harden(void);

/*
 * Runs a deed that must not keep a caller waiting, as db_transact does: waits
 * at most wait_ms for its turn, and hardly at all in the second after that has
 * failed, lest a crowd of callers waits in a row.
 */
enum rc app_record(struct app *app, int wait_ms, db_deed deed, void *cookie);

/* What keeps an installation from doing its work, if anything does. */
struct app_health {
	bool database;       /* can be read and written */
	bool worker;         /* outboxd runs */
	const char *trouble; /* what is missing, in words, the worst first;
				NULL: nothing. Static storage */
};

/*
 * Finds out how things stand. Waits up to a second for its turn to write. If
 * the database cannot be read it is let go (app_unready): what was taken from
 * app before is then gone.
 */
void app_health(struct app *app, struct app_health *health);

/* Wakes the worker, after a commit that may have left it something to do. */
void app_wake(const struct app *app);

/* Returns the time, epoch milliseconds. */
int64_t app_now_ms(void);

#endif
