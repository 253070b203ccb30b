/* Deliveries on their way: taken from the outbox, sent, written down. */

#include "outboxd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

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
	pace_learn(job->receiver, answer);
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

/* By itself, so that one that cannot be written keeps no other back: its lease
 * runs out, and it is tried again. */
enum rc
carry_settle(struct worker *w)
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
		pace_learn(receiver, &job->answer);
	}
	end_job(job);
}

enum rc
carry(struct worker *w)
{
	enum rc rc;
	int i;

	rc = db_transact(w->app.db, WAIT_MS, write_and_claim, w);
	if (rc != RC_OK) {
		if (rc != RC_BUSY && rc != RC_UNAVAILABLE)
			carry_settle(w);
		return rc;
	}
	while (w->finished != NULL) {
		tell(w->finished);
		drop_first(w);
	}
	for (i = 0; i < w->taken_len; i++)
		start(w, &w->taken[i], w->taken_for[i]);
	pace_rotate(w);
	return RC_OK;
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

enum rc
carry_release(struct worker *w)
{
	return w->sending != NULL ? db_transact(w->app.db, WAIT_MS, release, w)
				  : RC_OK;
}

void
carry_free(struct worker *w)
{
	struct receiver *r;
	struct job *job;

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
