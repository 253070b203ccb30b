#ifndef OUTBOXD_H
#define OUTBOXD_H

/*
 * What the files of the worker share: outboxd.c runs it, outboxd_pace.c says
 * who is served when, outboxd_carry.c takes, sends and writes down.
 */

#include "app.h"
#include "deliver.h"

/* Deliveries under way in all. */
#define ROOM_ALL 512
/* Longest sleep: for what nobody woke us for, milliseconds. */
#define SLEEP_MS 30000
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

/* Milliseconds of a clock that nobody sets. */
int64_t clock_ms(void);

/* Marks who has something in the outbox, and is to be known from here on. */
enum rc pace_find_waiting(struct worker *w);

/*
 * Marks who is to be served now, and stores in *wait_ms how long nobody else
 * will be: 0 if somebody is now. Those without room are not: whoever finishes
 * makes room, and we look again.
 */
enum rc pace_find_due(struct worker *w, int *wait_ms);

/*
 * Learns from an answer how much a receiver can take: it begins with one
 * delivery at a time; each success adds one, each failure halves them. At the
 * bottom it is tried once in a while, and what waits for it waits untried. One
 * that says how long it wants to be left alone is, within reason.
 */
void pace_learn(struct receiver *r, const struct http_answer *answer);

/* Whoever was served first is served last the next time. */
void pace_rotate(struct worker *w);

/*
 * Writes down what is finished, takes what is due and starts it. What could
 * not be written down for want of the database stays finished until it can be.
 */
enum rc carry(struct worker *w);

/* At the end: writes each finished one down, and gives back what is under
 * way. Each may be called again if that fails. */
enum rc carry_settle(struct worker *w);
enum rc carry_release(struct worker *w);

/* Lets go of all of them; the requests must have ended (http_close). */
void carry_free(struct worker *w);

#endif
