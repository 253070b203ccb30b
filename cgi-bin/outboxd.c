/*
 * outboxd: the worker that carries what must leave the system. It sleeps until
 * something is due or somebody wakes it, takes deliveries on lease, sends many
 * at once, and writes down how each went. Several may run; each may be killed
 * at any time. Between deliveries it sweeps up (mask_tidy).
 *
 * To each receiver (a service's app; Twilio, for a service) only so many are
 * under way at a time, and fewer while it fails, so that one that is slow or
 * dead holds up nobody but itself.
 *
 * SIGTERM, SIGINT and SIGUSR1 end it: what is under way may finish for a few
 * seconds, the rest is given back.
 */

#include <sys/eventfd.h>

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "log.h"
#include "outboxd.h"
#include "version.h"
#include "wake.h"

/* Pause after a failure of our own, at first and at most, milliseconds. */
#define PAUSE_MS 1000
#define PAUSE_MAX_MS 5000
/* A clock set back by more than this is one that was wrong: milliseconds. */
#define STEP_MS 60000
/* How long after it failed sweeping is tried again, milliseconds. */
#define SWEEP_AGAIN_MS 60000
/* How long we wait for another answer to write down with those we have, and for
 * all of them: milliseconds. */
#define GATHER_MS 1
#define GATHER_MAX_MS 10
/* How long deliveries under way may take to finish at the end. */
#define END_MS 5000

static volatile sig_atomic_t stopping;
static int stop_fd = -1;

static void
on_stop(int signal)
{
	const uint64_t one = 1;

	(void)signal;
	stopping = 1;
	/* Ends the sleep that may just begin. */
	if (write(stop_fd, &one, sizeof one) < 0)
		return;
}

static enum rc
mend(struct db *db, void *cookie)
{
	(void)cookie;
	return outbox_mend(db, app_now_ms());
}

/* What was written while the clock was ahead, before we started or before it
 * was set back, must not wait until it is there again. */
static enum rc
watch_clock(struct worker *w)
{
	int64_t ahead_ms = app_now_ms() - clock_ms();
	bool back = w->ahead_ms == 0 || ahead_ms < w->ahead_ms - STEP_MS;
	enum rc rc = RC_OK;

	if (back)
		rc = db_transact(w->app.db, WAIT_MS, mend, NULL);
	if (rc == RC_OK)
		w->ahead_ms = ahead_ms;
	return rc;
}

/* Does what there is to do; *wait_ms: how long there is nothing then. */
static enum rc
serve_all(struct worker *w, int *wait_ms)
{
	enum rc rc;

	if ((rc = watch_clock(w)) != RC_OK ||
	    (rc = pace_find_waiting(w)) != RC_OK ||
	    (rc = pace_find_due(w, wait_ms)) != RC_OK ||
	    (*wait_ms > 0 && w->finished == NULL))
		return rc;
	if ((rc = carry(w)) != RC_OK ||
	    (rc = pace_find_due(w, wait_ms)) != RC_OK)
		return rc;
	/* What could not be sent is to be written down. */
	if (w->finished != NULL)
		*wait_ms = 0;
	return RC_OK;
}

/* --- Sweeping */

static enum rc
tidy(struct db *db, void *cookie)
{
	struct mask mask = app_mask(cookie);

	(void)db;
	return mask_tidy(&mask);
}

/*
 * Takes a step of what is to be swept up, and lowers *wait_ms to when there is
 * more to sweep. If that fails, deliveries go on, and it is tried again later.
 */
static enum rc
sweep(struct worker *w, int *wait_ms)
{
	struct mask mask = app_mask(&w->app);
	int64_t due_ms;
	enum rc rc;

	if (w->sweep_failed_ms != 0 &&
	    clock_ms() - w->sweep_failed_ms < SWEEP_AGAIN_MS)
		return RC_OK;
	w->sweep_failed_ms = 0;
	if (w->sweep_ms <= mask.now_ms) {
		rc = db_transact(w->app.db, WAIT_MS, tidy, &w->app);
		if (rc == RC_NONE) {
			w->sweep_ms = INT64_MAX;
		} else if (rc != RC_OK) {
			log_error("sweep_failed", "%s", rc_name(rc));
			w->sweep_failed_ms = clock_ms();
			return rc == RC_UNAVAILABLE ? rc : RC_OK;
		}
	}
	/* Sessions that were opened meanwhile may expire sooner. */
	if ((rc = mask_tidy_due(&mask, &due_ms)) != RC_OK)
		return rc;
	if (due_ms < w->sweep_ms)
		w->sweep_ms = due_ms;
	due_ms = w->sweep_ms - mask.now_ms;
	if (due_ms < *wait_ms)
		*wait_ms = due_ms > 0 ? (int)due_ms : 0;
	return RC_OK;
}

/* --- From start to end */

/*
 * Sleeps until something happens, at most wait_ms. Answers that come on each
 * other's heels are gathered: writing them down takes the disk as long for many
 * as for one.
 */
static enum rc
run(struct worker *w, int wait_ms)
{
	const int fds[] = { stop_fd, w->wake };
	const int len = w->wake >= 0 ? 2 : 1;
	int64_t end_ms;
	enum rc rc;
	int before;

	rc = http_run(w->http, fds, len, wait_ms);
	end_ms = clock_ms() + GATHER_MAX_MS;
	while (rc == RC_OK && w->finished != NULL && clock_ms() < end_ms) {
		before = w->under_way;
		rc = http_run(w->http, NULL, 0, GATHER_MS);
		if (w->under_way == before)
			break;
	}
	if (w->wake >= 0)
		wake_drain(w->wake);
	return rc;
}

/* One round: what is due is sent, what is finished is written down, then
 * sleeps until there is something to do. */
static void
round_of(struct worker *w)
{
	bool can_wake;
	int wait_ms;
	enum rc rc;

	/* Before looking: what is put from here on wakes us. */
	can_wake = wake_ready(&w->wake, w->app.wake) == RC_OK;
	if ((rc = app_ready(&w->app)) == RC_OK &&
	    (rc = serve_all(w, &wait_ms)) == RC_OK &&
	    (rc = sweep(w, &wait_ms)) == RC_OK)
		rc = db_fold(w->app.db, WAIT_MS);
	if (rc == RC_OK) {
		w->pause_ms = PAUSE_MS;
	} else {
		log_error("round_failed", "%s", rc_name(rc));
		if (rc != RC_BUSY)
			app_unready(&w->app);
		wait_ms = w->pause_ms;
		if (w->pause_ms < PAUSE_MAX_MS)
			w->pause_ms += PAUSE_MS;
	}
	if (!can_wake && wait_ms > PAUSE_MS)
		wait_ms = PAUSE_MS;
	if (!stopping && run(w, wait_ms) != RC_OK)
		sleep(1);
}

/* Lets what is under way finish, for a while, and gives back the rest. */
static void
finish(struct worker *w)
{
	int64_t end_ms = clock_ms() + END_MS;
	enum rc rc;

	while (w->under_way != 0 && clock_ms() < end_ms)
		if (http_run(w->http, NULL, 0, 100) != RC_OK)
			break;
	do {
		if ((rc = app_ready(&w->app)) == RC_OK)
			rc = carry_settle(w);
	} while (rc == RC_BUSY && clock_ms() < end_ms);
	if (rc == RC_OK)
		rc = carry_release(w);
	if (rc != RC_OK)
		log_warn("delivery_kept",
		    "what was under way waits for its lease to end");
	/* Before the jobs: requests under way point to them. */
	http_close(w->http);
	carry_free(w);
}

static void
catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_stop };

	/* Not the pipe that wakes: another worker might take the byte. */
	if ((stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
		err(1, "eventfd");
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGUSR1, &action, NULL); /* multiwatch(1) says it so */
	signal(SIGPIPE, SIG_IGN);
}

int
main(int argc, char **argv)
{
	static struct worker worker;
	char error[CONF_ERROR_SIZE];
	const char *path = CONF_PATH;
	struct http_options options;
	int c;

	while ((c = getopt(argc, argv, "c:V")) != -1) {
		switch (c) {
		case 'c':
			path = optarg;
			break;
		case 'V':
			printf("outboxd %s\n", VERSION);
			return 0;
		default:
			fprintf(stderr, "usage: outboxd [-V] [-c file]\n");
			return 2;
		}
	}
	if (app_open(&worker.app, "outboxd", path, error) != RC_OK)
		errx(1, "%s", error);
	options = (struct http_options){
		.ca_file = worker.app.conf.ca_file,
		.allow_private = worker.app.conf.private_webhooks,
	};
	if (http_open(&worker.http, &options) != RC_OK)
		errx(1, "libcurl cannot be used");
	worker.wake = -1;
	worker.pause_ms = PAUSE_MS;
	catch_signals();
	log_info("started", "outboxd %s", VERSION);
	while (!stopping)
		round_of(&worker);
	finish(&worker);
	if (worker.wake >= 0)
		close(worker.wake);
	app_close(&worker.app);
	log_info("stopped", "outboxd");
	return 0;
}
