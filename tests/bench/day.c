/*
 * How many masked numbers a day in a city takes, beside the least that any
 * way of giving them out could do with.
 *
 *	day DIRECTORY [TRIPS]
 *
 * Plays 100,000 trips of a day through mask_open and mask_close with a clock
 * of its own. There is no such day on record, so it is made up, the same in
 * every run:
 *
 * - Trips begin at random, most of them around 8 and around 18 o'clock, and
 *   take 10 to 60 minutes.
 * - One driver to 20 trips. One driver in 100 is a desk that sends out ten
 *   times as many: its trips overlap.
 * - One customer to 1.5 trips. One customer in 500, a hotel or a hospital,
 *   orders 30 times as many.
 *
 * The pool begins with one number; whenever somebody is refused, one is added
 * and the session is opened again. So it ends with the smallest pool in which
 * nobody is refused. Then the day is played once more in a pool that large
 * from the start. The table has, for a short hold and for one that keeps every
 * number of the day:
 *
 *	least	sessions at a time, until their hold is over, of the person who
 *		has most: no way of giving out numbers needs more, and none
 *		does with less but by giving two people who meet again what
 *		they had, as callmask does
 *	needed	what the day took
 *	apart	how many sessions then had a number each, not one for both
 *	plan	what `callmask plan` says the day after
 *	guess	what it says from trips a day and trips of the busiest, who is
 *		taken to have them evenly; of many such days if the hold is long
 *	naive	for one number to a session, until its hold is over
 */

#include <err.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "mask.h"
#include "plan.h"

#define TRIPS 100000
#define TRIP_S 2100     /* takes a trip on average */
#define PER_DRIVER 20   /* trips */
#define DESK_ONE_IN 100 /* drivers */
#define DESK_WEIGHT 10
#define HEAVY_ONE_IN 500 /* customers */
#define HEAVY_WEIGHT 30
#define BATCH 500 /* deeds in one transaction: the disk is no matter */

/* What happens: a trip begins or ends. */
struct step {
	int64_t at; /* seconds of the day */
	int trip;
	bool begins;
};

struct trip {
	int people[2]; /* driver and customer */
	int64_t from, to;
	char id[ID_SIZE]; /* of its session */
};

/* The day, and what came of playing it. */
struct day {
	struct trip *trips;
	int len;
	struct step *steps; /* two for each trip, in order of time */
	struct mask mask;
	char service_id[ID_SIZE];
	int next;        /* step */
	int64_t pool;    /* numbers */
	int64_t apart;   /* sessions with a number each */
	int64_t planned; /* numbers, by callmask plan */
};

/* Draws from 0 to 1. */
static double
draw(void)
{
	static uint64_t seed = 2026;

	return (double)(bench_mix(seed++) >> 11) / (double)(1LL << 53);
}

/* Draws one of len people, of whom one in `one_in` is so much more likely. */
static int
draw_person(int len, int one_in, int weight)
{
	int many = len / one_in;
	double likely = (double)many * weight;

	if (draw() * (likely + len - many) < likely)
		return (int)(draw() * many);
	return many + (int)(draw() * (len - many));
}

/* Draws a time of day: a third of the trips at any time, the others around
 * the rush hours. */
static int64_t
draw_time(void)
{
	double kind = draw(), bell, hour;

	bell = sqrt(-2 * log(1 - draw())) * cos(2 * acos(-1) * draw());
	if (kind < 1.0 / 3)
		hour = 24 * draw();
	else
		hour = (kind < 2.0 / 3 ? 8 : 18) + 1.5 * bell;
	return (int64_t)(hour * 3600 + BENCH_DAY_S) % BENCH_DAY_S;
}

static int
compare_steps(const void *a, const void *b)
{
	const struct step *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->trip - y->trip;
}

static void
make_day(struct day *day, int len)
{
	int i, drivers = len / PER_DRIVER, customers = len * 2 / 3;

	if (drivers < DESK_ONE_IN || customers < HEAVY_ONE_IN)
		errx(2, "%d trips are too few", len);
	day->len = len;
	day->trips = calloc((size_t)len, sizeof *day->trips);
	day->steps = calloc((size_t)len, 2 * sizeof *day->steps);
	if (day->trips == NULL || day->steps == NULL)
		err(1, NULL);
	for (i = 0; i < len; i++) {
		struct trip *trip = &day->trips[i];

		trip->people[0] =
		    draw_person(drivers, DESK_ONE_IN, DESK_WEIGHT);
		trip->people[1] = drivers + draw_person(customers, HEAVY_ONE_IN,
						HEAVY_WEIGHT);
		trip->from = draw_time();
		trip->to =
		    trip->from + TRIP_S + (int64_t)((draw() - 0.5) * 3000);
		day->steps[2 * i] = (struct step){ trip->from, i, true };
		day->steps[2 * i + 1] = (struct step){ trip->to, i, false };
	}
	qsort(day->steps, 2 * (size_t)len, sizeof *day->steps, compare_steps);
}

/* Most sessions at a time, each held for hold_s: in all, or, if `each`, of the
 * person who has most. Of a session that ends as another begins one is left. */
static int64_t
most(const struct day *day, int64_t hold_s, bool each)
{
	int people = day->len / PER_DRIVER + day->len * 2 / 3, i, j, who;
	int64_t *now = calloc((size_t)people, sizeof *now), max = 0;
	int ended = 0;

	if (now == NULL)
		err(1, NULL);
	/* Ends come in the order of the steps, hold_s later. */
	for (i = 0; i < 2 * day->len; i++) {
		if (!day->steps[i].begins)
			continue;
		for (; day->steps[ended].begins ||
		       day->steps[ended].at + hold_s <= day->steps[i].at;
		     ended++)
			for (j = 0; j < 2 && !day->steps[ended].begins; j++) {
				who = day->trips[day->steps[ended].trip]
					  .people[j];
				now[each ? who : 0]--;
			}
		for (j = 0; j < 2; j++) {
			who = day->trips[day->steps[i].trip].people[j];
			now[each ? who : 0]++;
			if (now[each ? who : 0] > max)
				max = now[each ? who : 0];
		}
	}
	free(now);
	return each ? max : max / 2;
}

/* --- Playing */

static void
add_number(struct day *day)
{
	char number[PHONE_SIZE];
	struct fault fault;

	/* Even ones only: all of one country. */
	bench_number(number, 2 * day->pool++);
	bench_must(mask_add_number(&day->mask, day->service_id, number, &fault),
	    "number");
}

static void
begin(struct day *day, struct trip *trip)
{
	struct session_request request = { .voice = "both", .text = "both" };
	struct session session;
	struct fault fault;
	enum rc rc;
	int i;

	strcpy(request.parties[0].role, "driver");
	strcpy(request.parties[1].role, "customer");
	for (i = 0; i < 2; i++)
		snprintf(request.parties[i].phone, PHONE_SIZE, "+1303%07d",
		    trip->people[i]);
	while ((rc = mask_open(&day->mask, day->service_id, &request, &session,
		    &fault)) == RC_POOL)
		add_number(day);
	bench_must(rc, "open");
	strcpy(trip->id, session.id);
	if (strcmp(session.parties[0].number, session.parties[1].number) != 0)
		day->apart++;
}

static void
end(struct day *day, const struct trip *trip)
{
	const struct session_closing closing = { .voice = "" };
	struct session session;
	struct fault fault;

	bench_must(mask_close(&day->mask, day->service_id, trip->id, &closing,
		       &session, &fault),
	    "close");
}

/* Plays some steps. */
static enum rc
play_deed(struct db *db, void *cookie)
{
	struct day *day = cookie;
	int i;

	(void)db;
	for (i = 0; i < BATCH && day->next < 2 * day->len; i++, day->next++) {
		const struct step *step = &day->steps[day->next];

		day->mask.now_ms = (BENCH_NOW + step->at) * 1000;
		if (step->begins)
			begin(day, &day->trips[step->trip]);
		else
			end(day, &day->trips[step->trip]);
	}
	return RC_OK;
}

/* What callmask plan says the day after. */
static void
keep_plan(void *cookie, const struct plan_need *need)
{
	struct day *day = cookie;

	day->planned = need->needed;
}

/* Plays the day in a pool of so many numbers, which grows if it has to. */
static void
play(struct day *day, int64_t pool, int64_t hold_s)
{
	day->next = 0;
	day->pool = day->apart = 0;
	bench_found(day->service_id, hold_s);
	day->mask =
	    (struct mask){ .keys = &bench_keys, .now_ms = BENCH_NOW * 1000 };
	bench_must(db_open(&day->mask.db, bench_path, DB_USE), bench_path);
	while (day->pool < pool)
		add_number(day);
	while (day->next < 2 * day->len)
		bench_must(
		    db_transact(day->mask.db, DB_WAIT_MS, play_deed, day),
		    "play");
	bench_must(plan_history(day->mask.db, day->service_id, hold_s,
		       BENCH_NOW - 1, keep_plan, day),
	    "plan");
	db_close(day->mask.db);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int64_t hold_s;
	} holds[] = { { "2 hours", 7200 }, { "30 days", 30 * BENCH_DAY_S } };
	int trips = argc > 2 ? atoi(argv[2]) : TRIPS;
	struct day day = { .len = 0 };
	int64_t least, busiest;
	size_t i;

	if (argc < 2)
		errx(2, "usage: day DIRECTORY [TRIPS]");
	bench_start(argv[1]);
	make_day(&day, trips);
	busiest = most(&day, BENCH_DAY_S, true);
	printf("%d trips, %" PRId64 " at a time; the busiest has %" PRId64
	       "\n\n%-10s%8s%8s%8s%8s%8s%8s\n",
	    trips, most(&day, 0, false), busiest, "hold", "least", "needed",
	    "apart", "plan", "guess", "naive");
	for (i = 0; i < sizeof holds / sizeof holds[0]; i++) {
		int64_t hold_s = holds[i].hold_s;

		least = most(&day, hold_s, true);
		play(&day, 1, hold_s);
		play(&day, day.pool, hold_s);
		printf("%-10s%8" PRId64 "%8" PRId64 "%8" PRId64 "%8" PRId64
		       "%8" PRId64 "%8" PRId64 "\n",
		    holds[i].name, least, day.pool, day.apart, day.planned,
		    plan_estimate(trips, busiest, TRIP_S, hold_s),
		    most(&day, hold_s, false));
		fflush(stdout);
	}
	free(day.trips);
	free(day.steps);
	return 0;
}
