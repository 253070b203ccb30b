/*
 * outboxd: the worker that carries what must leave the system. It sleeps until
 * something is due or somebody wakes it, takes deliveries on lease, sends many
 * at once, and writes down how each went. Several may run; each may be killed
 * at any time.
 *
 * To each receiver (a service's app; Twilio, for a service) only so many are
 * under way at a time, so that one that is slow or dead holds up nobody but
 * itself.
 *
 * SIGTERM and SIGINT end it: what is under way may finish for a few seconds,
 * the rest is given back.
 */

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "deliver.h"
#include "log.h"
#include "version.h"
#include "wake.h"

/* Deliveries under way to one receiver, and in all. */
#define ROOM_EACH 16
#define ROOM_ALL 512
/* Services looked at in one round. */
#define SERVICES_MAX 64
/* Longest sleep: for what nobody woke us for, milliseconds. */
#define SLEEP_MS 30000
/* Pause after a failure of our own, milliseconds. */
#define PAUSE_MS 1000
/* How long deliveries under way may take to finish at the end, and how long
 * those on a dead worker's lease would wait at most. */
#define END_MS 5000
/* How long we wait for the turn to write, milliseconds. */
#define WAIT_MS 10000

/* A delivery under way, or finished and to be written down. */
struct job {
	struct job *next;
	struct worker *worker;
	struct deliver_job deliver;
	bool needed;               /* a request was made */
	struct http_answer answer; /* its body is ours */
	struct buf body;
	char error[HTTP_ERROR_SIZE];
};

struct worker {
	struct app app;
	struct http *http;
	int wake;
	struct job *sending;  /* under way */
	struct job *finished; /* to be written down */
	int jobs;             /* in both lists */
};

static volatile sig_atomic_t stopping;
static int stop_fd = -1;

static void
on_stop(int signal)
{
	(void)signal;
	stopping = 1;
	/* Ends the sleep that may just begin. */
	if (write(stop_fd, "", 1) < 0)
		return;
}

static struct deliver
deliver_now(struct worker *w)
{
	return (struct deliver){ .mask = app_mask(&w->app),
		.conf = &w->app.conf,
		.secrets = &w->app.secrets };
}

static void
free_job(struct job *job)
{
	job->worker->jobs--;
	deliver_free(&job->deliver);
	if (job->body.data != NULL)
		crypto_wipe(job->body.data, job->body.size);
	buf_free(&job->body);
	free(job);
}

/* Takes a job from one list to the front of another. */
static void
move_job(struct job *job, struct job **from, struct job **to)
{
	while (*from != job)
		from = &(*from)->next;
	*from = job->next;
	job->next = *to;
	*to = job;
}

/* --- Answers */

/* An answer came, or none: keeps it until it is written down. */
static void
on_answer(void *cookie, const struct http_answer *answer)
{
	struct job *job = cookie;
	struct worker *w = job->worker;

	job->answer = *answer;
	buf_add(&job->body, answer->body, answer->body_len);
	job->answer.body = buf_text(&job->body);
	job->answer.body_len = job->body.len;
	snprintf(job->error, sizeof job->error, "%s", answer->error);
	job->answer.error = job->error;
	move_job(job, &w->sending, &w->finished);
}

/* Writes down how the finished ones of *cookie went: all, or just the first. */
struct writing {
	struct worker *worker;
	bool all;
};

static enum rc
write_finished(struct db *db, void *cookie)
{
	const struct writing *writing = cookie;
	struct deliver deliver = deliver_now(writing->worker);
	struct job *job;
	enum rc rc;

	(void)db;
	for (job = writing->worker->finished; job != NULL; job = job->next) {
		rc = deliver_conclude(
		    &deliver, &job->deliver, job->needed ? &job->answer : NULL);
		if (rc == RC_NONE)
			log_warn("delivery_lost", "%s: its lease ran out",
			    job->deliver.delivery.id);
		else if (rc != RC_OK)
			return rc;
		if (!writing->all)
			break;
	}
	return RC_OK;
}

/* Counts and logs how one went, once it is written down. */
static void
tell(const struct job *job)
{
	const struct outbox_delivery *delivery = &job->deliver.delivery;
	const struct http_answer *answer = &job->answer;
	struct metrics *metrics = job->worker->app.metrics;

	if (!job->needed || (answer->status >= 200 && answer->status < 300)) {
		metrics_count(metrics, METRICS_DELIVERIES_DONE);
		return;
	}
	metrics_count(metrics, METRICS_DELIVERIES_FAILED);
	if (answer->status != 0)
		log_warn("delivery_failed", "%s %s, try %lld: status %d",
		    outbox_kind_name(delivery->kind), delivery->id,
		    (long long)delivery->attempts, answer->status);
	else
		log_warn("delivery_failed", "%s %s, try %lld: %s",
		    outbox_kind_name(delivery->kind), delivery->id,
		    (long long)delivery->attempts, answer->error);
}

/*
 * Writes down how all that is finished went, together. If that fails, each by
 * itself, so that one that cannot be written keeps no other back; its lease
 * runs out, and it is tried again.
 */
static void
settle(struct worker *w)
{
	struct writing writing = { .worker = w, .all = true };
	struct job *job;
	enum rc rc;

	if (w->finished == NULL)
		return;
	rc = db_transact(w->app.db, WAIT_MS, write_finished, &writing);
	writing.all = rc == RC_OK;
	while ((job = w->finished) != NULL) {
		if (!writing.all)
			rc = db_transact(
			    w->app.db, WAIT_MS, write_finished, &writing);
		if (rc == RC_OK)
			tell(job);
		else
			log_error("delivery_unwritten", "%s: %s",
			    job->deliver.delivery.id, rc_name(rc));
		w->finished = job->next;
		free_job(job);
	}
}

/* --- Taking and sending */

/* What is taken in one transaction. */
struct claiming {
	const char *service_id;
	enum outbox_channel channel;
	struct outbox_delivery taken[ROOM_EACH];
	int room, len;
};

static enum rc
claim(struct db *db, void *cookie)
{
	struct claiming *c = cookie;

	return outbox_claim(db, c->service_id, c->channel, c->room, c->taken,
	    &c->len, app_now_ms());
}

/* Makes a request of a delivery. */
struct preparing {
	const struct deliver *deliver;
	struct deliver_job *job;
};

static enum rc
prepare(struct db *db, void *cookie)
{
	const struct preparing *p = cookie;

	(void)db;
	return deliver_prepare(p->deliver, p->job);
}

/* Starts a delivery. What cannot be made or sent is finished at once. */
static void
start(struct worker *w, const struct outbox_delivery *delivery)
{
	struct deliver deliver = deliver_now(w);
	struct preparing preparing = { .deliver = &deliver };
	struct job *job;
	enum rc rc;

	/* Without memory its lease runs out. */
	if ((job = calloc(1, sizeof *job)) == NULL)
		return;
	job->worker = w;
	job->deliver.delivery = *delivery;
	job->answer.started_ms = deliver.mask.now_ms;
	buf_init(&job->body, HTTP_BODY_MAX);
	job->next = w->sending;
	w->sending = job;
	w->jobs++;

	preparing.job = &job->deliver;
	rc = db_snapshot(w->app.db, prepare, &preparing);
	job->needed = rc != RC_NONE;
	if (rc == RC_OK)
		rc = http_start(
		    w->http, &job->deliver.rest.http, on_answer, job);
	if (rc == RC_OK)
		return;
	if (rc != RC_NONE) {
		log_error(
		    "delivery_unmade", "%s: %s", delivery->id, rc_name(rc));
		snprintf(job->error, sizeof job->error, "cannot be made: %s",
		    rc_name(rc));
	}
	job->answer.body = "";
	job->answer.error = job->error;
	move_job(job, &w->sending, &w->finished);
}

/* How many more may be sent to a receiver. */
static int
room_for(
    const struct worker *w, const char *service_id, enum outbox_channel channel)
{
	const struct job *job;
	int room = ROOM_EACH;

	for (job = w->sending; job != NULL; job = job->next)
		if ((job->deliver.delivery.kind == OUTBOX_EVENT) ==
			(channel == OUTBOX_APP) &&
		    strcmp(job->deliver.delivery.service_id, service_id) == 0)
			room--;
	return room < ROOM_ALL - w->jobs ? room : ROOM_ALL - w->jobs;
}

/* Takes and starts what is due to one receiver, and lowers *next_ms to when
 * more will be. */
static enum rc
serve_receiver(struct worker *w, const char *service_id,
    enum outbox_channel channel, int64_t *next_ms)
{
	struct claiming claiming = { .service_id = service_id,
		.channel = channel,
		.room = room_for(w, service_id, channel) };
	int64_t due_ms;
	enum rc rc;
	int i;

	/* Whoever finishes makes room, and we look again. */
	if (claiming.room <= 0)
		return RC_OK;
	rc = outbox_due(w->app.db, service_id, channel, app_now_ms(), &due_ms);
	if (rc == RC_OK)
		rc = db_transact(w->app.db, WAIT_MS, claim, &claiming);
	for (i = 0; i < claiming.len && rc == RC_OK; i++)
		start(w, &claiming.taken[i]);
	/* A full load: there may be more. */
	if (claiming.len == claiming.room)
		due_ms = room_for(w, service_id, channel) > 0 ? 0 : INT64_MAX;
	else if (claiming.len > 0 && outbox_due(w->app.db, service_id, channel,
					 app_now_ms(), &due_ms) == RC_OK)
		due_ms = 0;
	if (due_ms < *next_ms)
		*next_ms = due_ms;
	return rc == RC_NONE ? RC_OK : rc;
}

/* Looks after every receiver once; *next_ms: when to look again. */
static enum rc
serve_all(struct worker *w, int64_t *next_ms)
{
	char services[SERVICES_MAX][ID_SIZE], after[ID_SIZE] = "";
	int len, channel, i;
	enum rc rc;

	*next_ms = INT64_MAX;
	do {
		rc = outbox_services(
		    w->app.db, after, SERVICES_MAX, services, &len);
		for (i = 0; i < len && rc == RC_OK; i++)
			for (channel = 0;
			     channel < OUTBOX_CHANNEL__MAX && rc == RC_OK;
			     channel++)
				rc = serve_receiver(w, services[i],
				    (enum outbox_channel)channel, next_ms);
		if (len > 0)
			strcpy(after, services[len - 1]);
	} while (rc == RC_OK && len == SERVICES_MAX);
	return rc;
}

/* --- From start to end */

/* One round: what is due is sent, what is finished is written down, then
 * sleeps until there is something to do. */
static void
round_of(struct worker *w)
{
	int64_t next_ms, now_ms;
	int wait_ms = PAUSE_MS;
	enum rc rc;

	if ((rc = app_ready(&w->app)) == RC_OK) {
		settle(w);
		rc = serve_all(w, &next_ms);
		settle(w);
		if (rc == RC_OK)
			rc = db_fold(w->app.db, WAIT_MS);
	}
	if (rc == RC_OK) {
		now_ms = app_now_ms();
		wait_ms = next_ms <= now_ms ? 0
			  : next_ms - now_ms > SLEEP_MS
			      ? SLEEP_MS
			      : (int)(next_ms - now_ms);
	} else {
		log_error("round_failed", "%s", rc_name(rc));
		if (rc != RC_BUSY)
			app_unready(&w->app);
	}
	if (stopping)
		return;
	if (http_run(w->http, w->wake, wait_ms) != RC_OK)
		sleep(1);
	wake_drain(w->wake);
}

/* What is given back at the end. */
static enum rc
release(struct db *db, void *cookie)
{
	struct worker *w = cookie;
	struct job *job;
	enum rc rc = RC_OK;

	for (job = w->sending; job != NULL && rc == RC_OK; job = job->next)
		rc = outbox_release(
		    db, &job->deliver.delivery, true, app_now_ms());
	return rc;
}

/* Lets what is under way finish, for a while, and gives back the rest. */
static void
finish(struct worker *w)
{
	int64_t end_ms = app_now_ms() + END_MS;

	while (http_running(w->http) != 0 && app_now_ms() < end_ms)
		if (http_run(w->http, -1, 100) != RC_OK)
			break;
	if (app_ready(&w->app) == RC_OK) {
		settle(w);
		if (w->sending != NULL &&
		    db_transact(w->app.db, WAIT_MS, release, w) != RC_OK)
			log_warn("delivery_kept",
			    "what was under way waits for its lease to end");
	}
	/* Before the jobs: requests under way point to them. */
	http_close(w->http);
	while (w->sending != NULL) {
		struct job *job = w->sending;

		w->sending = job->next;
		free_job(job);
	}
}

static void
catch_signals(int fd)
{
	struct sigaction action = { .sa_handler = on_stop };

	stop_fd = fd;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
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
	if (wake_open(&worker.wake, worker.app.wake) != RC_OK)
		errx(1, "%s cannot be used", worker.app.wake);
	catch_signals(worker.wake);
	log_info("started", "outboxd %s", VERSION);
	while (!stopping)
		round_of(&worker);
	finish(&worker);
	close(worker.wake);
	app_close(&worker.app);
	log_info("stopped", "outboxd");
	return 0;
}
