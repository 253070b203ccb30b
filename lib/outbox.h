#ifndef OUTBOX_H
#define OUTBOX_H

/*
 * The outbox: what must leave the system, written in the transaction of the
 * change that causes it, carried by the worker (outboxd).
 *
 * Several workers may run. One that takes a delivery has it on lease: the
 * next try is put off until the lease ends, and so it is tried again if the
 * worker dies. A result is written only by whoever holds the newest lease.
 * Deliveries leave in the order they came, as far as there is room to their
 * receiver; those of one lane strictly one after another.
 */

#include <stdbool.h>
#include <stdint.h>

#include "db.h"
#include "id.h"
#include "rc.h"

/* How long a worker has a delivery to itself, milliseconds. Longer than any
 * request may take (HTTP_TIMEOUT_MS and what is waited for connections). */
#define OUTBOX_LEASE_MS 60000

/* No delivery is put off for longer, milliseconds: two days. */
#define OUTBOX_WAIT_MAX_MS (2 * 86400 * INT64_C(1000))

/* Bytes of a delivery's subject: an id, or 'Recordings/' and 34. */
#define OUTBOX_SUBJECT_SIZE 64

/* What is delivered. */
enum outbox_kind {
	OUTBOX_EVENT,        /* an event, to the app */
	OUTBOX_CALL,         /* a call to be placed */
	OUTBOX_HANG_UP,      /* a call to be ended */
	OUTBOX_MESSAGE,      /* a text to be sent */
	OUTBOX_ERASE,        /* something Twilio is to delete */
	OUTBOX_NUMBER_CHECK, /* a masked number to be looked up at Twilio */
	OUTBOX_NUMBER_SET,   /* and what differs there to be set */
	OUTBOX__MAX
};

/* To whom. */
enum outbox_channel {
	OUTBOX_APP,
	OUTBOX_TWILIO,
	OUTBOX_CHANNEL__MAX
};

/* Something to be delivered. Strings borrowed. */
struct outbox_item {
	const char *service_id;
	enum outbox_kind kind;
	const char *subject_id; /* event, call, text, number, Twilio's name */
	const char *lane; /* one after another with others of it; NULL: alone */
	int64_t due_ms;   /* epoch milliseconds, at most two days off; 0: now */
};

/* A delivery on lease. */
struct outbox_delivery {
	char id[ID_SIZE];
	char service_id[ID_SIZE];
	enum outbox_kind kind;
	char subject_id[OUTBOX_SUBJECT_SIZE];
	int64_t attempts;   /* this one included */
	int64_t lease;      /* its number */
	int64_t created_ms; /* epoch milliseconds */
	bool doubt; /* an earlier try may have arrived: look before repeating */
};

/* How a try went. */
struct outbox_result {
	enum {
		OUTBOX_DONE,
		OUTBOX_RETRY, /* later, by the schedule */
		OUTBOX_AGAIN, /* at once: more is known now */
		OUTBOX_PARK   /* trying again is of no use */
	} verdict;
	bool doubt;         /* it may have arrived all the same */
	int64_t retry_s;    /* not sooner than in so many seconds; 0 */
	int64_t wait_ms;    /* in place of the schedule's wait; 0: that */
	int64_t started_ms; /* epoch milliseconds */
	int64_t took_ms;    /* milliseconds */
	int status;         /* of the answer; 0: none came */
	const char *error;  /* in words, without personal data; "": none */
	char words[80];     /* room for error */
};

/* Puts something into the outbox. */
enum rc outbox_put(
    struct db *db, const struct outbox_item *item, int64_t now_ms);

/* Whether something is due for a service on a channel: RC_OK, or RC_NONE with
 * *due_ms telling when the next will be (INT64_MAX: nothing waits). */
enum rc outbox_due(struct db *db, const char *service_id,
    enum outbox_channel channel, int64_t now_ms, int64_t *due_ms);

/*
 * Takes up to max deliveries of a service that are due on a channel, into out,
 * and stores how many in *len. In a write transaction.
 */
enum rc outbox_claim(struct db *db, const char *service_id,
    enum outbox_channel channel, int max, struct outbox_delivery *out, int *len,
    int64_t now_ms);

/*
 * Writes down how a try went: done, or when it is tried next, or parked when
 * the schedule is exhausted. Call while it is ours (outbox_mine). *parked
 * tells whether this was the last try.
 */
enum rc outbox_finish(struct db *db, const struct outbox_delivery *delivery,
    const struct outbox_result *result, int64_t now_ms, bool *parked);

/*
 * Gives a lease back: it is due at once, and the try does not count. doubt:
 * whether it may have arrived.
 */
enum rc outbox_release(struct db *db, const struct outbox_delivery *delivery,
    bool doubt, int64_t now_ms);

/* Stores from when on further numbers may be looked up, so that they do not
 * stand between calls and texts: now, or behind the last that waits. */
enum rc outbox_numbers_end(
    struct db *db, const char *service_id, int64_t now_ms, int64_t *from_ms);

/* Returns RC_OK while the lease on a delivery is ours, RC_NONE once another
 * worker has it. In a write transaction that stays so until its end. */
enum rc outbox_mine(struct db *db, const struct outbox_delivery *delivery);

/* Reads the ids of the services that have something waiting into out, at most
 * max, from the one after `after` on ("": from the first). */
enum rc outbox_services(
    struct db *db, const char *after, int max, char (*out)[ID_SIZE], int *len);

/* Makes due at once what waits for longer than anything may: the clock went
 * wrong for a while, and is right again. In a write transaction. */
enum rc outbox_mend(struct db *db, int64_t now_ms);

/* Marks what waits for a subject as done: it need not be sent any more.
 * Returns RC_NONE if nothing waited that no worker has on lease. */
enum rc outbox_cancel(struct db *db, enum outbox_kind kind,
    const char *subject_id, int64_t now_ms);

/* Returns RC_OK if something of a kind waits for a subject, else RC_NONE. */
enum rc outbox_waits(
    struct db *db, enum outbox_kind kind, const char *subject_id);

/* Lets a parked delivery, or, if id is NULL, up to OUTBOX_RETRY_MAX of a
 * service be tried anew. Stores how many. */
#define OUTBOX_RETRY_MAX 1000
enum rc outbox_retry(struct db *db, const char *service_id, const char *id,
    int64_t now_ms, int64_t *count);

/*
 * How long to wait after a failed try, milliseconds: 5 s, 5 min, 30 min, 2 h,
 * 5 h, 10 h, 10 h (the schedule of Svix, docs.svix.com/retries), up to a fifth
 * more by chance; -1 after the eighth.
 */
int64_t outbox_wait_ms(int64_t attempts);

/* The word for a kind; static storage. */
const char *outbox_kind_name(enum outbox_kind kind);

/* How much is in the outbox of all services. */
struct outbox_backlog {
	int64_t waiting;   /* deliveries */
	int64_t oldest_ms; /* epoch milliseconds since when one waits that was
			      due before now; 0: none was */
	int64_t parked;    /* given up */
};

enum rc outbox_backlog(
    struct db *db, struct outbox_backlog *backlog, int64_t now_ms);

/* A delivery as operators see it. */
struct outbox_view {
	char id[ID_SIZE];
	char kind[16];
	char channel[8]; /* app, twilio */
	char subject_id[OUTBOX_SUBJECT_SIZE];
	char state[8]; /* waiting, done, parked */
	int64_t attempts;
	int64_t due_ms;     /* epoch milliseconds */
	int64_t created_ms; /* epoch milliseconds */
	int64_t ended_at;   /* epoch seconds; 0: it waits */
	int64_t status;     /* of the last answer; 0: none */
	char error[160];    /* of the last try; "": none */
};

/* Most deliveries that are listed at a time. */
#define OUTBOX_PAGE_MAX 100

/*
 * Calls each with up to limit deliveries of a service, newest first, from the
 * one before the one called before on; "": from the newest. Only those in the
 * states that are named in states, by blanks: "waiting parked". Costs the same
 * whatever there is. limit: at most OUTBOX_PAGE_MAX.
 */
enum rc outbox_list(struct db *db, const char *service_id, const char *states,
    const char *before, int limit,
    void (*each)(void *cookie, const struct outbox_view *view), void *cookie);

/* Reads one into *view. RC_NOT_FOUND. */
enum rc outbox_find(struct db *db, const char *service_id, const char *id,
    struct outbox_view *view);

/* A try of a delivery. */
struct outbox_attempt {
	int64_t number;
	int64_t started_ms; /* epoch milliseconds */
	int64_t took_ms;    /* milliseconds */
	int64_t status;     /* of the answer; 0: none */
	char error[160];    /* "": none */
};

/* Calls each with all tries of a delivery, oldest first. */
enum rc outbox_attempts(struct db *db, const char *id,
    void (*each)(void *cookie, const struct outbox_attempt *attempt),
    void *cookie);

#endif
