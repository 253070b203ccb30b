#ifndef PLAN_H
#define PLAN_H

/*
 * How many masked numbers a service needs. A person needs a number of their
 * own choosing for each session whose trip and hold overlap, and nobody needs
 * more than the busiest one; how many people there are does not matter.
 */

#include <stdint.h>

#include "db.h"
#include "rc.h"

/* Sessions at a time that one number should carry at most: Twilio advises
 * about so many (docs:proxy/phone-numbers-needed). */
#define PLAN_NUMBER_LOAD 100

/* What a country needs. */
struct plan_need {
	char country[3];  /* ISO 3166 */
	int64_t needed;   /* numbers: the busiest person's sessions at a time */
	int64_t have;     /* active numbers */
	int64_t people;   /* how many had sessions */
	int64_t sessions; /* parties, that is twice the sessions */
};

/*
 * Calls each with what every country of a service needs, by the sessions
 * opened since `since` (epoch seconds), if legs are held for hold_s seconds.
 */
enum rc plan_history(struct db *db, const char *service_id, int64_t hold_s,
    int64_t since, void (*each)(void *cookie, const struct plan_need *need),
    void *cookie);

/*
 * Returns how many numbers are needed for so many sessions a day, of which
 * the busiest person has `busiest`, of trip_s seconds each, held for hold_s.
 * Where trip and hold are shorter than a day, rush hours are allowed for.
 */
int64_t plan_estimate(
    int64_t sessions_per_day, int64_t busiest, int64_t trip_s, int64_t hold_s);

#endif
