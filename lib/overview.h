#ifndef OVERVIEW_H
#define OVERVIEW_H

/*
 * How a service stands at this moment, for whoever looks after it. Put together
 * from what is kept anyway; each part costs as much as is counted, up to a
 * bound, however much else there is.
 */

#include <stdbool.h>
#include <stdint.h>

#include "db.h"
#include "outbox.h"
#include "rc.h"
#include "tally.h"

/* Where counting stops. */
#define OVERVIEW_SESSIONS_MAX 100000

/* More than there are countries, and than there are reasons to refuse. */
#define OVERVIEW_COUNTRIES_MAX 256
#define OVERVIEW_REASONS_MAX 64

/* The states of a masked number, in the order they are told. */
enum overview_state {
	OVERVIEW_ACTIVE,
	OVERVIEW_RESERVED,
	OVERVIEW_DRAINING,
	OVERVIEW_RETIRED,
	OVERVIEW_STATE__MAX
};

/* Masked numbers of a country. */
struct overview_country {
	char country[3];
	int64_t counts[OVERVIEW_STATE__MAX];
};

struct overview {
	int64_t now;           /* epoch seconds */
	int64_t sessions_open; /* up to OVERVIEW_SESSIONS_MAX */
	int64_t calls_now;     /* calls that connect two people and are not
				  over, up to 10,000 */
	/* Since midnight, UTC. */
	int64_t today[TALLY__MAX];
	struct tally reasons[OVERVIEW_REASONS_MAX]; /* of it; at is 0 */
	int reasons_len;
	struct overview_country countries[OVERVIEW_COUNTRIES_MAX];
	int countries_len;
	bool met;      /* there are sessions to take pool_free from */
	double free;   /* share of the pool: metrics_room */
	int days_left; /* overview_days_left */
	int64_t waiting[OUTBOX_CHANNEL__MAX]; /* up to 10,000 each */
	int64_t late_ms[OUTBOX_CHANNEL__MAX]; /* the oldest that is due */
	int64_t parked;                       /* up to 10,000 */
};

/* The word for a state of a number, and for a receiver; static storage. */
const char *overview_state_name(enum overview_state state);
const char *overview_channel_name(enum outbox_channel channel);

/*
 * Estimates in how many days a pool of which the share `free` is left runs dry,
 * from the sessions opened in the last seven days and in the seven before: what
 * is in use is taken to grow by as many sessions each week. -1 where nothing
 * can be said: nothing is in use or was opened in either week, it does not
 * grow, or the day is more than a year off.
 */
int overview_days_left(double free, int64_t last_week, int64_t week_before);

/*
 * Reads how a service stands, all of one moment. days_left is -1 also for a
 * service that has not counted for two whole weeks. RC_CORRUPT if there is no
 * such service.
 */
enum rc overview_read(struct db *db, const char *service_id, int64_t now_ms,
    struct overview *overview);

#endif
