#ifndef DELIVER_H
#define DELIVER_H

/*
 * Deliveries: for each kind the request that carries it, and what the answer
 * to it means. What is common to all (leases, retries, time-outs) is outbox's
 * and outboxd's.
 *
 * A delivery may have arrived though no answer came. A kind that must not
 * happen twice sends a look-up instead when there is doubt, and concludes from
 * its answer whether to send (OUTBOX_AGAIN, without doubt) or that it is done.
 */

#include "conf.h"
#include "http.h"
#include "mask.h"
#include "outbox.h"
#include "twilio_rest.h"

/* What deliveries are made with. */
struct deliver {
	struct mask mask; /* now_ms: of the deed at hand */
	const struct conf *conf;
	const struct secrets *secrets;
};

/* A delivery being carried. Release with deliver_free. */
struct deliver_job {
	struct outbox_delivery delivery;
	struct twilio_rest rest; /* what carries it; rest.http for all kinds */
	char headers[4][256];    /* what rest.http.headers may point to */
	bool look; /* the request only looks whether it has arrived */
};

/* A kind of delivery. */
struct deliver_kind {
	/*
	 * Makes job->rest for job->delivery, reading the database: in a read
	 * transaction. RC_OK; RC_NONE: it need not be sent any more, and
	 * conclude is then called with answer NULL; a failure: later again.
	 */
	enum rc (*prepare)(
	    const struct deliver *deliver, struct deliver_job *job);

	/*
	 * Says in *result what the answer means (verdict, doubt, error) and
	 * writes down what follows from it: in the write transaction in which
	 * the outcome is written. Times and status are filled in already.
	 */
	enum rc (*conclude)(const struct deliver *deliver,
	    const struct deliver_job *job, const struct http_answer *answer,
	    struct outbox_result *result);

	/* It was given up: writes down what follows. Same transaction. NULL:
	 * nothing does. */
	enum rc (*give_up)(
	    const struct deliver *deliver, const struct deliver_job *job);
};

extern const struct deliver_kind deliver_event;
extern const struct deliver_kind deliver_call;
extern const struct deliver_kind deliver_hang_up;
extern const struct deliver_kind deliver_message;
extern const struct deliver_kind deliver_erase;
extern const struct deliver_kind deliver_number;

/* As above, for job->delivery.kind. */
enum rc deliver_prepare(const struct deliver *deliver, struct deliver_job *job);

/*
 * Writes down how a try went and what follows from it; answer NULL: it need
 * not be sent. In a write transaction. RC_NONE, with nothing written: another
 * worker has it by now. A delivery that was given up is told to the app as
 * delivery.exhausted, unless it was itself an event.
 */
enum rc deliver_conclude(const struct deliver *deliver,
    const struct deliver_job *job, const struct http_answer *answer);

/*
 * For conclude: tries again after a wait that grows by 5 s each time, or, after
 * life_s seconds since it was put into the outbox, not at all. What is of no
 * use later keeps to this rather than to the schedule of events.
 */
void deliver_later(const struct deliver *deliver, const struct deliver_job *job,
    struct outbox_result *result, int64_t life_s);

/* Wipes and releases. */
void deliver_free(struct deliver_job *job);

#endif
