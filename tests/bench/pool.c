/*
 * How long it takes to open a session, by the size of the pool, by how many
 * sessions are open, and for people who hold much of the pool already.
 *
 *	pool DIRECTORY [OPENS [POOL…]]
 *
 * First the plans by which SQLite runs the statements that choose a number;
 * one that reads a table from end to end, or sorts, fails. Then two times for
 * each case, OPENS of each (200), for pools of so many numbers (10 1000
 * 100000):
 *
 *	take	number_take alone, in microseconds
 *	open	mask_open as session-create runs it, a whole transaction with
 *		its lock and its fsync, in milliseconds
 *
 * The database, in DIRECTORY, is filled behind the library's back, as fast as
 * SQLite can, but measured through the library alone. After each session that
 * was opened everything is put back, so that all of them find the same.
 */

#include <err.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "bench.h"
#include "fill.h"
#include "mask.h"
#include "number.h"

#define WARM_UP 5            /* not counted: they prepare the statements */
#define STRANGER DRIVER__MAX /* has never been here */
#define CASE_S 4             /* seconds after which a case has run enough */

/* Who opens a session, how, and what is to come of it. */
struct deal {
	const char *name;
	enum driver a, b;
	const char *country; /* of the masked number; "": any */
	bool again;          /* b is a customer whom a has had before */
	int64_t reuse_after; /* the service's setting, seconds */
	enum rc expected;
	bool apart; /* a number for each, as none is free for both */
};

/* clang-format off */
static const struct deal deals[] = {
	{ .name = "two new people", .a = STRANGER, .b = STRANGER },
	{ .name = "… of a country", .a = STRANGER, .b = STRANGER,
	    .country = "CA" },
	{ .name = "driver holds 50 %", .a = DRIVER_HALF, .b = STRANGER },
	{ .name = "driver holds 90 %", .a = DRIVER_MOST, .b = STRANGER },
	{ .name = "… of a country", .a = DRIVER_MOST, .b = STRANGER,
	    .country = "CA" },
	{ .name = "… all that is longest unused", .a = DRIVER_OLDEST,
	    .b = STRANGER },
	{ .name = "… the same two again", .a = DRIVER_MOST, .again = true },
	{ .name = "driver holds 99 %", .a = DRIVER_NEARLY, .b = STRANGER },
	{ .name = "driver holds all: refused", .a = DRIVER_ALL, .b = STRANGER,
	    .expected = RC_POOL },
	{ .name = "… the same two again", .a = DRIVER_ALL, .again = true },
	{ .name = "… the longest held is reused", .a = DRIVER_ALL,
	    .b = STRANGER, .reuse_after = BENCH_DAY_S, .apart = true },
	{ .name = "50 % and the other 50 %: one each", .a = DRIVER_HALF,
	    .b = DRIVER_OTHER_HALF, .apart = true },
};
/* clang-format on */
#define DEALS (sizeof deals / sizeof deals[0])

/* What is measured in. */
struct bench {
	struct fill fill;
	sqlite3 *handle;                /* behind the library's back */
	struct mask mask;               /* through the library */
	struct session_request request; /* to be opened next */
	struct session opened;
	double us; /* what number_take took */
};

/* --- Plans */

/* Prints the plan of a statement. Returns whether it is as it should be: rows
 * are sought or come sorted from an index; only a subquery, which is limited,
 * may be read from end to end. */
static bool
show_plan(sqlite3 *handle, enum sql sql)
{
	char query[4096], word[64], sub[64] = "";
	sqlite3_stmt *stmt;
	bool good = true;

	snprintf(query, sizeof query, "EXPLAIN QUERY PLAN %s", sql_texts[sql]);
	stmt = bench_prepare(handle, query);
	printf("\n%s\n", sql_names[sql]);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		const char *step = (const char *)sqlite3_column_text(stmt, 3);
		bool bad = strstr(step, "TEMP B-TREE") != NULL;

		if (sscanf(step, "CO-ROUTINE %63s", word) == 1)
			strcpy(sub, word);
		if (sscanf(step, "SCAN %63s", word) == 1)
			bad = strcmp(word, sub) != 0 &&
			      strcmp(word, "CONSTANT") != 0;
		printf("    %s%s\n", step, bad ? "   <-- FAILED" : "");
		good = good && !bad;
	}
	sqlite3_finalize(stmt);
	return good;
}

/* Shows the plans of all statements that choose and claim a number. */
static bool
show_plans(void)
{
	static const enum sql statements[] = { SQL_NUMBER_STICKY,
		SQL_NUMBER_OLDEST, SQL_NUMBER_OLDEST_COUNTRY, SQL_NUMBER_GAP,
		SQL_NUMBER_GAP_COUNTRY, SQL_NUMBER_LONGEST_HELD,
		SQL_NUMBER_WANTED, SQL_NUMBER_ROOM, SQL_NUMBER_TOUCH,
		SQL_LEG_CLAIM };
	sqlite3 *handle;
	bool good = true;
	size_t i;

	if (sqlite3_open(":memory:", &handle) != SQLITE_OK)
		errx(1, "no memory");
	for (i = 0; i < SQL_VERSION; i++)
		bench_execute(handle, sql_migrations[i]);
	for (i = 0; i < sizeof statements / sizeof statements[0]; i++)
		good = show_plan(handle, statements[i]) && good;
	sqlite3_close(handle);
	return good;
}

/* --- Measuring */

/* Opens the database twice: through the library, and behind its back with
 * copies of what is to be put back. */
static void
open_both(struct bench *b)
{
	b->mask =
	    (struct mask){ .keys = &bench_keys, .now_ms = BENCH_NOW * 1000 };
	bench_must(db_open(&b->mask.db, bench_path, DB_USE), bench_path);
	b->handle = bench_open();
	bench_execute(b->handle,
	    "PRAGMA wal_autocheckpoint=0; PRAGMA synchronous=FULL;"
	    "PRAGMA temp_store=MEMORY;"
	    "CREATE TEMP TABLE number_then AS SELECT * FROM number;"
	    "CREATE INDEX temp.number_key ON number_then (number);"
	    "CREATE TEMP TABLE leg_then AS SELECT * FROM leg "
	    "    WHERE live_until <= 1800000000;"
	    "CREATE INDEX temp.leg_key ON leg_then (number, person)");
}

static void
close_both(struct bench *b)
{
	sqlite3_close(b->handle);
	db_close(b->mask.db);
}

/* Puts everything back to where it was before the session was opened: ?1 and
 * ?2 are its parties, ?3 is itself. */
static void
put_back(struct bench *b)
{
	static const char *const texts[] = {
		"REPLACE INTO leg SELECT t.* FROM leg l "
		"CROSS JOIN temp.leg_then t "
		"ON t.number = l.number AND t.person = l.person "
		"WHERE l.party_id IN (?1, ?2)",
		"DELETE FROM leg WHERE party_id IN (?1, ?2)",
		"UPDATE number SET last_used_at = "
		"(SELECT last_used_at FROM temp.number_then t "
		"WHERE t.number = number.number) WHERE number IN "
		"(SELECT number FROM party WHERE id IN (?1, ?2))",
		"DELETE FROM party WHERE id IN (?1, ?2)",
		"DELETE FROM event WHERE session_id = ?3",
		"DELETE FROM session WHERE id = ?3",
	};
	sqlite3_stmt *stmt;
	size_t i;

	bench_execute(b->handle, "BEGIN");
	for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		stmt = bench_prepare(b->handle, texts[i]);
		bench_bind_text(stmt, 1, b->opened.parties[0].id);
		bench_bind_text(stmt, 2, b->opened.parties[1].id);
		bench_bind_text(stmt, 3, b->opened.id);
		bench_run(stmt);
		sqlite3_finalize(stmt);
	}
	bench_execute(b->handle, "COMMIT");
}

/* Says who opens the next session, and how. */
static void
make_request(struct bench *b, const struct deal *deal, int64_t turn)
{
	struct session_request *r = &b->request;
	const enum driver who[2] = { deal->a, deal->b };
	int64_t number = turn * 7 % b->fill.pool;
	int i;

	*r = (struct session_request){ .voice = "both", .text = "both" };
	strcpy(r->parties[0].role, "driver");
	strcpy(r->parties[1].role, "customer");
	if (deal->country != NULL)
		strcpy(r->country, deal->country);
	for (i = 0; i < 2; i++)
		if (who[i] == STRANGER)
			fill_stranger(r->parties[i].phone, 2 * turn + i);
		else
			fill_driver(r->parties[i].phone, who[i]);
	if (!deal->again)
		return;
	while (!fill_holds(&b->fill, deal->a, number))
		number = (number + 1) % b->fill.pool;
	fill_customer(r->parties[1].phone, deal->a, number);
}

/* Opens a session for good. */
static enum rc
open_deed(struct db *db, void *cookie)
{
	struct bench *b = cookie;
	struct fault fault;

	(void)db;
	return mask_open(
	    &b->mask, b->fill.service_id, &b->request, &b->opened, &fault);
}

/* Takes numbers and lets them go again. */
static enum rc
take_deed(struct db *db, void *cookie)
{
	struct bench *b = cookie;
	uint8_t persons[2][CRYPTO_HASH_SIZE];
	char numbers[2][PHONE_SIZE];
	struct service service;
	struct number_wish wish;
	enum rc rc;
	int i;

	db_undo(db);
	for (i = 0; i < 2; i++)
		session_person(
		    persons[i], &bench_keys, b->request.parties[i].phone);
	bench_must(service_find(db, &service, b->fill.service_id), "service");
	wish = (struct number_wish){ .service_id = b->fill.service_id,
		.persons = { persons[0], persons[1] },
		.country = b->request.country,
		.number = "",
		.reuse_before = service.reuse_after_s != 0
				    ? BENCH_NOW - service.reuse_after_s
				    : 0,
		.now = BENCH_NOW };
	b->us = -bench_us();
	rc = number_take(db, numbers, &wish);
	b->us += bench_us();
	return rc;
}

/* Makes sure that what came of it is what the table says. */
static void
check(const struct bench *b, const struct deal *deal, enum rc rc)
{
	const struct session_party *parties = b->opened.parties;
	bool apart = strcmp(parties[0].number, parties[1].number) != 0;

	if (rc != deal->expected)
		errx(1, "%s: %s, not %s", deal->name, rc_name(rc),
		    rc_name(deal->expected));
	if (rc == RC_OK && apart != deal->apart && deal->reuse_after == 0)
		errx(1, "%s: %s", deal->name,
		    apart ? "a number each" : "one for both");
	if (rc == RC_OK && deal->country != NULL &&
	    strcmp(phone_country(parties[0].number), deal->country) != 0)
		errx(1, "%s: of another country", deal->name);
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Prints median, 99th percentile and worst of times in units of `unit` µs. */
static void
print_times(double *us, size_t len, double unit)
{
	qsort(us, len, sizeof *us, compare);
	printf("%10.*f%9.*f%9.*f", unit > 1 ? 2 : 0, us[len / 2] / unit,
	    unit > 1 ? 2 : 0, us[len * 99 / 100] / unit, unit > 1 ? 2 : 0,
	    us[len - 1] / unit);
}

/* Runs a case again and again: whole sessions, or number_take alone. */
static void
run(struct bench *b, const struct deal *deal, int opens, bool whole)
{
	double *us = calloc((size_t)opens, sizeof *us), start = bench_us(), t;
	size_t len = 0;
	enum rc rc;
	int i;

	if (us == NULL)
		err(1, NULL);
	for (i = 0; i < opens + WARM_UP; i++) {
		if (len >= 10 && bench_us() - start > CASE_S * 1e6)
			break;
		make_request(b, deal, i);
		t = bench_us();
		rc = db_transact(
		    b->mask.db, DB_WAIT_MS, whole ? open_deed : take_deed, b);
		t = whole ? bench_us() - t : b->us;
		if (rc != deal->expected || whole)
			check(b, deal, rc);
		if (whole && rc == RC_OK)
			put_back(b);
		if (i >= WARM_UP)
			us[len++] = t;
	}
	print_times(us, len, whole ? 1000 : 1);
	free(us);
}

/* Whether a pool is large enough for a case to be what it is called. */
static bool
makes_sense(const struct bench *b, const struct deal *deal)
{
	return b->fill.pool >= 100 ||
	       (deal->a != DRIVER_NEARLY &&
		   (deal->a != DRIVER_MOST || deal->country == NULL));
}

static void
measure(struct bench *b, int opens)
{
	char text[80];
	size_t i;

	open_both(b);
	printf("\n%" PRId64 " numbers, %" PRId64 " open sessions\n"
	       "%-36s%10s%9s%9s%10s%9s%9s\n",
	    b->fill.pool, b->fill.sessions, "", "take: p50", "p99", "max µs",
	    " open: p50", "p99", "max ms");
	for (i = 0; i < DEALS; i++) {
		if (!makes_sense(b, &deals[i]))
			continue;
		snprintf(text, sizeof text,
		    "UPDATE service SET reuse_after_s = %" PRId64,
		    deals[i].reuse_after);
		bench_execute(b->handle, text);
		/* Letters of more than a byte do not count as columns. */
		printf("%-*s",
		    36 + (strncmp(deals[i].name, "…", 3) == 0 ? 2 : 0),
		    deals[i].name);
		run(b, &deals[i], opens, false);
		run(b, &deals[i], opens, true);
		printf("\n");
		fflush(stdout);
	}
	close_both(b);
}

int
main(int argc, char **argv)
{
	static const int64_t pools[] = { 10, 1000, 100000 };
	static const int64_t sessions[] = { 1000, 100000, 1000000 };
	int opens = argc > 2 ? atoi(argv[2]) : 200, i, j;
	bool good;

	if (argc < 2 || opens < 1)
		errx(2, "usage: pool DIRECTORY [OPENS [POOL…]]");
	bench_start(argv[1]);
	good = show_plans();
	for (i = 0; i < (argc > 3 ? argc - 3 : 3); i++) {
		int64_t pool = argc > 3 ? atoi(argv[3 + i]) : pools[i];
		struct bench b;

		if (pool < 10)
			errx(2, "%s: too small a pool", argv[3 + i]);
		fill_start(&b.fill, pool);
		for (j = 0; j < 3; j++) {
			fill_up(&b.fill, sessions[j]);
			measure(&b, opens);
		}
	}
	if (!good)
		errx(1, "a plan is not as it should be");
	return 0;
}
