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
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app.h"
#include "deliver.h"
#include "log.h"
#include "version.h"
#include "wake.h"

/* Deliveries under way to one receiver, and in all. */
#define ROOM_EACH 16
#define ROOM_ALL 512
/* Services looked up at a time. */
#define SERVICES_MAX 64
/* Longest sleep: for what nobody woke us for, milliseconds. */
#define SLEEP_MS 30000
/* Pause after a failure of our own, at first and at most, milliseconds. */
#define PAUSE_MS 1000
#define PAUSE_MAX_MS 5000
/* Pause between tries of a receiver that fails each, milliseconds. */
#define PROBE_MS 1000
/* Longest we leave a receiver alone because it asks for it: seconds. */
#define RESPITE_MAX_S 300
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
/* How long we wait for the turn to write, milliseconds. Meanwhile no answer is
 * read. */
#define WAIT_MS DB_WAIT_MS

/* To whom something is sent: an app, or Twilio for a service. */
struct receiver {
	struct receiver *next;
	char service_id[ID_SIZE];
	enum outbox_channel channel;
	bool waiting;      /* has something in the outbox, due or not */
	bool due;          /* is to be served in this round */
	int sending;       /* deliveries under way */
	int room;          /* how many may be: fewer while it fails */
	int64_t resume_ms; /* nothing is sent before (clock_ms) */
};

/* A delivery under way, or finished and to be written down. */
struct job {
	struct job *next;
	struct worker *worker;
	struct receiver *receiver;
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
	struct receiver *receivers;
	struct job *sending;     /* under way */
	struct job *finished;    /* to be written down */
	int under_way;           /* how many are */
	int pause_ms;            /* after the next failure of our own */
	int64_t sweep_ms;        /* when to sweep next, epoch milliseconds */
	int64_t sweep_failed_ms; /* by clock_ms; 0: it did not */
	int64_t ahead_ms; /* of the clock before clock_ms; 0: not known */
	/* What one transaction took, and for whom. */
	struct outbox_delivery taken[ROOM_ALL];
	struct receiver *taken_for[ROOM_ALL];
	int taken_len;
};

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

/* Milliseconds of a clock that nobody sets. */
static int64_t
clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
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

/* --- Receivers */

/* Finds a receiver, or makes one. NULL: no memory. */
static struct receiver *
find_receiver(
    struct worker *w, const char *service_id, enum outbox_channel channel)
{
	struct receiver **at, *r;

	for (at = &w->receivers; (r = *at) != NULL; at = &r->next)
		if (r->channel == channel &&
		    strcmp(r->service_id, service_id) == 0)
			return r;
	if ((r = calloc(1, sizeof *r)) == NULL)
		return NULL;
	snprintf(r->service_id, sizeof r->service_id, "%s", service_id);
	r->channel = channel;
	r->room = 1;
	*at = r;
	return r;
}

/* Whoever was served first is served last the next time. */
static void
rotate_receivers(struct worker *w)
{
	struct receiver *first = w->receivers, **at;

	if (first == NULL || first->next == NULL)
		return;
	w->receivers = first->next;
	for (at = &w->receivers; *at != NULL; at = &(*at)->next)
		;
	*at = first;
	first->next = NULL;
}

/*
 * Learns from an answer how much a receiver can take: it begins with one
 * delivery at a time; each success adds one, each failure halves them. At the
 * bottom it is tried once in a while, and what waits for it waits untried. One
 * that says how long it wants to be left alone is, within reason.
 */
static void
learn(struct receiver *r, const struct http_answer *answer)
{
	int64_t respite_s =
	    answer->retry_s < RESPITE_MAX_S ? answer->retry_s : RESPITE_MAX_S;
	int64_t resume_ms = clock_ms();

	if (answer->status >= 200 && answer->status < 500 &&
	    answer->status != 429) {
		r->resume_ms = 0;
		if (r->room < ROOM_EACH)
			r->room++;
		return;
	}
	if (respite_s > 0)
		resume_ms += respite_s * 1000;
	else if (r->room == 1)
		resume_ms += PROBE_MS;
	if (r->room > 1)
		r->room /= 2;
	if (resume_ms > r->resume_ms)
		r->resume_ms = resume_ms;
}

/* --- Answers */

/* A delivery is under way no more. */
static void
end_job(struct job *job)
{
	struct worker *w = job->worker;

	move_job(job, &w->sending, &w->finished);
	job->receiver->sending--;
	w->under_way--;
}

/* An answer came, or none: keeps it until it is written down. */
static void
on_answer(void *cookie, const struct http_answer *answer)
{
	struct job *job = cookie;

	job->answer = *answer;
	buf_add(&job->body, answer->body, answer->body_len);
	job->answer.body = buf_text(&job->body);
	job->answer.body_len = job->body.len;
	snprintf(job->error, sizeof job->error, "%s", answer->error);
	job->answer.error = job->error;
	learn(job->receiver, answer);
	end_job(job);
}

/* Writes down how a finished one went. */
static enum rc
write_one(struct worker *w, const struct job *job)
{
	struct deliver deliver = deliver_now(w);
	enum rc rc;

	rc = deliver_conclude(
	    &deliver, &job->deliver, job->needed ? &job->answer : NULL);
	if (rc != RC_NONE)
		return rc;
	log_warn("delivery_lost", "%s: another worker has it by now",
	    job->deliver.delivery.id);
	return RC_OK;
}

/* Writes down how the first finished one went. */
static enum rc
write_first(struct db *db, void *cookie)
{
	struct worker *w = cookie;

	(void)db;
	return write_one(w, w->finished);
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

/* Lets the first finished one go. */
static void
drop_first(struct worker *w)
{
	struct job *job = w->finished;

	w->finished = job->next;
	free_job(job);
}

/*
 * Writes each finished one down by itself, so that one that cannot be written
 * keeps no other back: its lease runs out, and it is tried again.
 */
static enum rc
settle_each(struct worker *w)
{
	enum rc rc;

	while (w->finished != NULL) {
		rc = db_transact(w->app.db, WAIT_MS, write_first, w);
		if (rc == RC_BUSY || rc == RC_UNAVAILABLE)
			return rc;
		if (rc == RC_OK)
			tell(w->finished);
		else
			log_error("delivery_unwritten", "%s: %s",
			    w->finished->deliver.delivery.id, rc_name(rc));
		drop_first(w);
	}
	return RC_OK;
}

/* --- Taking and sending */

/* Takes what is due to those who are to be served. */
static enum rc
claim(struct worker *w, struct db *db)
{
	struct receiver *r;
	int room, len, i;
	enum rc rc;

	for (r = w->receivers; r != NULL; r = r->next) {
		room = ROOM_ALL - w->under_way - w->taken_len;
		if (room > r->room - r->sending)
			room = r->room - r->sending;
		if (!r->due || room <= 0)
			continue;
		rc = outbox_claim(db, r->service_id, r->channel, room,
		    w->taken + w->taken_len, &len, app_now_ms());
		if (rc != RC_OK)
			return rc;
		for (i = 0; i < len; i++)
			w->taken_for[w->taken_len++] = r;
	}
	return RC_OK;
}

/* What is done in one transaction, for each waits for the disk: writes down
 * what is finished and takes what is due. */
static enum rc
write_and_claim(struct db *db, void *cookie)
{
	struct worker *w = cookie;
	struct job *job;
	enum rc rc;

	w->taken_len = 0;
	for (job = w->finished; job != NULL; job = job->next)
		if ((rc = write_one(w, job)) != RC_OK)
			return rc;
	return claim(w, db);
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
start(struct worker *w, const struct outbox_delivery *delivery,
    struct receiver *receiver)
{
	struct deliver deliver = deliver_now(w);
	struct preparing preparing = { .deliver = &deliver };
	struct job *job;
	enum rc rc;

	/* Without memory its lease runs out. */
	if ((job = calloc(1, sizeof *job)) == NULL)
		return;
	job->worker = w;
	job->receiver = receiver;
	job->deliver.delivery = *delivery;
	job->answer.started_ms = deliver.mask.now_ms;
	buf_init(&job->body, HTTP_BODY_MAX);
	job->next = w->sending;
	w->sending = job;
	receiver->sending++;
	w->under_way++;

	preparing.job = &job->deliver;
	rc = db_snapshot(w->app.db, prepare, &preparing);
	job->needed = rc != RC_NONE;
	if (rc == RC_OK)
		rc = http_start(
		    w->http, &job->deliver.rest.http, on_answer, job);
	if (rc == RC_OK)
		return;
	job->answer.body = "";
	job->answer.error = job->error;
	if (rc != RC_NONE) {
		log_error(
		    "delivery_unmade", "%s: %s", delivery->id, rc_name(rc));
		snprintf(job->error, sizeof job->error, "cannot be made: %s",
		    rc_name(rc));
		learn(receiver, &job->answer);
	}
	end_job(job);
}

/* Marks who has something in the outbox. */
static enum rc
find_waiting(struct worker *w)
{
	char services[SERVICES_MAX][ID_SIZE], after[ID_SIZE] = "";
	struct receiver *r;
	int len, channel, i;
	enum rc rc;

	for (r = w->receivers; r != NULL; r = r->next)
		r->waiting = false;
	do {
		rc = outbox_services(
		    w->app.db, after, SERVICES_MAX, services, &len);
		for (i = 0; i < len * OUTBOX_CHANNEL__MAX && rc == RC_OK; i++) {
			channel = i % OUTBOX_CHANNEL__MAX;
			r = find_receiver(w, services[i / OUTBOX_CHANNEL__MAX],
			    (enum outbox_channel)channel);
			if (r == NULL)
				return RC_MEMORY;
			r->waiting = true;
		}
		if (len > 0)
			strcpy(after, services[len - 1]);
	} while (rc == RC_OK && len == SERVICES_MAX);
	return rc;
}

/*
 * Marks who is to be served now, and stores in *wait_ms how long nobody else
 * will be: 0 if somebody is now. Those without room are not: whoever finishes
 * makes room, and we look again.
 */
static enum rc
find_due(struct worker *w, int *wait_ms)
{
	int64_t now_ms = app_now_ms(), steady_ms = clock_ms(), due_ms, in_ms;
	struct receiver *r;
	enum rc rc;

	*wait_ms = SLEEP_MS;
	for (r = w->receivers; r != NULL; r = r->next) {
		r->due = false;
		if (!r->waiting || r->sending >= r->room ||
		    w->under_way >= ROOM_ALL)
			continue;
		rc = outbox_due(
		    w->app.db, r->service_id, r->channel, now_ms, &due_ms);
		if (rc != RC_OK && rc != RC_NONE)
			return rc;
		in_ms = rc == RC_OK ? 0 : due_ms - now_ms;
		if (in_ms < r->resume_ms - steady_ms)
			in_ms = r->resume_ms - steady_ms;
		r->due = in_ms <= 0;
		if (in_ms < *wait_ms)
			*wait_ms = in_ms > 0 ? (int)in_ms : 0;
	}
	return RC_OK;
}

/*
 * Writes down what is finished, takes what is due and starts it. What could
 * not be written down for want of the database stays finished until it can be.
 */
static enum rc
exchange(struct worker *w)
{
	enum rc rc;
	int i;

	rc = db_transact(w->app.db, WAIT_MS, write_and_claim, w);
	if (rc != RC_OK) {
		if (rc != RC_BUSY && rc != RC_UNAVAILABLE)
			settle_each(w);
		return rc;
	}
	while (w->finished != NULL) {
		tell(w->finished);
		drop_first(w);
	}
	for (i = 0; i < w->taken_len; i++)
		start(w, &w->taken[i], w->taken_for[i]);
	rotate_receivers(w);
	return RC_OK;
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

	if ((rc = watch_clock(w)) != RC_OK || (rc = find_waiting(w)) != RC_OK ||
	    (rc = find_due(w, wait_ms)) != RC_OK ||
	    (*wait_ms > 0 && w->finished == NULL))
		return rc;
	if ((rc = exchange(w)) != RC_OK || (rc = find_due(w, wait_ms)) != RC_OK)
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
	int64_t end_ms = clock_ms() + END_MS;
	struct receiver *r;
	struct job *job;
	enum rc rc;

	while (w->under_way != 0 && clock_ms() < end_ms)
		if (http_run(w->http, NULL, 0, 100) != RC_OK)
			break;
	do {
		if ((rc = app_ready(&w->app)) == RC_OK)
			rc = settle_each(w);
	} while (rc == RC_BUSY && clock_ms() < end_ms);
	if (rc == RC_OK && w->sending != NULL)
		rc = db_transact(w->app.db, WAIT_MS, release, w);
	if (rc != RC_OK)
		log_warn("delivery_kept",
		    "what was under way waits for its lease to end");
	/* Before the jobs: requests under way point to them. */
	http_close(w->http);
	while (w->finished != NULL)
		drop_first(w);
	while ((job = w->sending) != NULL) {
		w->sending = job->next;
		free_job(job);
	}
	while ((r = w->receivers) != NULL) {
		w->receivers = r->next;
		free(r);
	}
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
