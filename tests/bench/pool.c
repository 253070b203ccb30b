/*
 * How long choosing a number takes, and what it gives away in a day.
 *
 *	pool plans		prints how SQLite runs number.sql and leg.sql
 *	pool fill FILE POOL SESSIONS	makes a database of that size
 *	pool pick FILE [PICKS [SECONDS]]	times choosing in it
 *	pool day FILE POOL HOLD STOP	opens and closes what stdin says
 *
 * A filled database has the real schema and indexes, POOL numbers, half of
 * them American and half Canadian, SESSIONS open sessions, and some drivers
 * who hold much of the pool from sessions that are over. It is filled behind
 * the library's back, as fast as SQLite can, but measured through the library
 * alone. tests/bench/pool and tests/bench/day call this and draw the tables.
 */

#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "crypto.h"
#include "leg.h"
#include "mask.h"
#include "number.h"
#include "service.h"

#define NOW 1800000000LL /* epoch seconds at which everything happens */
#define DAY_S 86400
#define HOLD_S (30 * DAY_S)
#define WARM_UP 5         /* picks not counted: they prepare the statements */
#define DRIVER_SESSIONS 5 /* open at a time with an ordinary driver */
#define BATCH 500         /* events of a day in one transaction */
#define PHONE_MAX 1000000
#define SERVICE_NAME "bench"

/* Drivers who hold much of the pool, all of it held, nothing live. */
enum driver {
	DRIVER_HALF,       /* 50 %, spread at random */
	DRIVER_OTHER_HALF, /* just those that the one above does not hold */
	DRIVER_MOST,       /* 90 %, spread at random */
	DRIVER_OLDEST,     /* 90 %, just those longest unused */
	DRIVER_NEARLY,     /* 99 %, spread at random */
	DRIVER_ALL,        /* 100 % */
	DRIVER_COUNTRY,    /* all that are Canadian */
	DRIVER__MAX
};

/* Kinds of people, so that no two get the same hash. */
enum kind {
	KIND_DRIVER,   /* by enum driver */
	KIND_HELD,     /* their customers, DRIVER__MAX * number + driver */
	KIND_CUSTOMER, /* of open sessions, by session */
	KIND_ORDINARY, /* drivers of open sessions */
	KIND_STRANGER  /* has never been here */
};

/* The numbers of a pool, by index. */
struct pool {
	int64_t len;
	int64_t *rank;  /* its place among the longest unused */
	int64_t *place; /* a random place */
};

/* A database while it is filled. */
struct fill {
	sqlite3 *handle;
	sqlite3_stmt *session, *party, *leg;
	char service_id[ID_SIZE];
	struct pool pool;
	int64_t sessions;     /* open ones wanted */
	int64_t rows;         /* sessions written, of any kind */
	struct claim *claims; /* legs to be written, two for each session */
	size_t claims_len;
};

/* A leg to be written. */
struct claim {
	int64_t number;                   /* index in the pool */
	int64_t session;                  /* row */
	int64_t live_until;               /* epoch seconds */
	uint8_t person[CRYPTO_HASH_SIZE]; /* whose */
	uint8_t peer[CRYPTO_HASH_SIZE];   /* with whom */
	int position;                     /* 0 or 1 */
};

/* Numbers that look random and are the same in every run. */
static uint64_t
mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

/* Stands for the keyed hash of somebody's number. */
static void
make_person(uint8_t out[CRYPTO_HASH_SIZE], enum kind kind, int64_t i)
{
	uint64_t half[2];

	half[0] = mix(((uint64_t)kind << 56) + (uint64_t)i);
	half[1] = mix(half[0]);
	memcpy(out, half, CRYPTO_HASH_SIZE);
}

/* The masked number at a place of the pool: American if even. */
static void
make_number(char out[PHONE_SIZE], int64_t i)
{
	snprintf(out, PHONE_SIZE, "+1%s%07u", i % 2 == 0 ? "202" : "416",
	    (unsigned)i % 10000000U);
}

static int64_t
whole(const char *text)
{
	char *end;
	long long value = strtoll(text, &end, 10);

	if (*end != '\0' || value < 0)
		errx(2, "%s is no number", text);
	return value;
}

static double
clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void
must(enum rc rc, const char *what)
{
	if (rc != RC_OK)
		errx(1, "%s: %s", what, rc_name(rc));
}

/* --- Plans */

/* Statements that are meant to walk a whole pool, or to be run seldom. */
static const char *const walkers[] = { "number_any", "number_any_country",
	"number_list", "number_count_active", "number_count_legs", NULL };

static bool
walks(const char *name)
{
	int i;

	for (i = 0; walkers[i] != NULL; i++)
		if (strcmp(walkers[i], name) == 0)
			return true;
	return false;
}

/* Prints the plan of a statement. Returns whether it reads a table from end to
 * end; a subquery that goes by the same alias (and is limited) is none. */
static bool
show_plan(sqlite3 *handle, const char *name, const char *text)
{
	char query[4096], sub[64] = "", alias[64];
	sqlite3_stmt *stmt;
	bool scans = false;

	snprintf(query, sizeof query, "EXPLAIN QUERY PLAN %s", text);
	if (sqlite3_prepare_v2(handle, query, -1, &stmt, NULL) != SQLITE_OK)
		errx(1, "%s: %s", name, sqlite3_errmsg(handle));
	printf("%s\n", name);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		const char *step = (const char *)sqlite3_column_text(stmt, 3);
		bool scan = false;

		if (sscanf(step, "CO-ROUTINE %63s", alias) == 1 ||
		    sscanf(step, "MATERIALIZE %63s", alias) == 1)
			strcpy(sub, alias);
		if (sscanf(step, "SCAN %63s", alias) == 1)
			scan = strcmp(alias, sub) != 0 &&
			       strcmp(alias, "CONSTANT") != 0;
		printf("\t%s%s\n", step, scan ? "   <-- SCAN" : "");
		scans |= scan;
	}
	sqlite3_finalize(stmt);
	return scans;
}

/* Returns how many statements scan that should not. */
static int
show_plans(void)
{
	sqlite3 *handle;
	int i, bad = 0;

	if (sqlite3_open(":memory:", &handle) != SQLITE_OK)
		errx(1, "no memory");
	for (i = 0; i < SQL_VERSION; i++)
		if (sqlite3_exec(handle, sql_migrations[i], NULL, NULL, NULL) !=
		    SQLITE_OK)
			errx(1, "migration: %s", sqlite3_errmsg(handle));
	for (i = 0; i < SQL__MAX; i++)
		if ((strncmp(sql_names[i], "number_", 7) == 0 ||
			strncmp(sql_names[i], "leg_", 4) == 0) &&
		    show_plan(handle, sql_names[i], sql_texts[i]) &&
		    !walks(sql_names[i])) {
			printf(
			    "FAILED  %s reads a whole table\n", sql_names[i]);
			bad++;
		}
	sqlite3_close(handle);
	return bad;
}

/* --- Filling */

static void
execute(sqlite3 *handle, const char *text)
{
	if (sqlite3_exec(handle, text, NULL, NULL, NULL) != SQLITE_OK)
		errx(1, "%.60s: %s", text, sqlite3_errmsg(handle));
}

static sqlite3_stmt *
prepare(sqlite3 *handle, const char *text)
{
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(handle, text, -1, &stmt, NULL) != SQLITE_OK)
		errx(1, "%.60s: %s", text, sqlite3_errmsg(handle));
	return stmt;
}

/* Runs stmt once and gets it ready for the next row. */
static void
put(sqlite3 *handle, sqlite3_stmt *stmt)
{
	if (sqlite3_step(stmt) != SQLITE_DONE)
		errx(1, "insert: %s", sqlite3_errmsg(handle));
	sqlite3_reset(stmt);
}

static void
bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
	sqlite3_bind_text(stmt, at, text, -1, SQLITE_TRANSIENT);
}

/* Writes the service and lets the library make the schema. */
static void
found(const char *path, char service_id[ID_SIZE], int64_t hold_s)
{
	struct service service;
	struct db *db;

	service_init(&service);
	strcpy(service.name, SERVICE_NAME);
	strcpy(service.countries, "US CA");
	service.hold_s = hold_s;
	must(db_open(&db, path, DB_CREATE), path);
	must(db_migrate(db, NOW), "migrate");
	must(service_insert(db, &service, NOW * 1000), "service");
	db_close(db);
	strcpy(service_id, service.id);
}

/* Makes a random permutation of the numbers below len. */
static int64_t *
permutation(int64_t len, uint64_t seed)
{
	int64_t *out = calloc((size_t)len, sizeof *out), i, j, swap;

	if (out == NULL)
		err(1, NULL);
	for (i = 0; i < len; i++)
		out[i] = i;
	for (i = len - 1; i > 0; i--) {
		j = (int64_t)(mix(seed + (uint64_t)i) % (uint64_t)(i + 1));
		swap = out[i];
		out[i] = out[j];
		out[j] = swap;
	}
	return out;
}

static void
make_pool(struct pool *pool, int64_t len)
{
	pool->len = len;
	pool->rank = permutation(len, 1);
	pool->place = permutation(len, 1000003);
}

static void
free_pool(struct pool *pool)
{
	free(pool->rank);
	free(pool->place);
}

static void
fill_numbers(struct fill *f)
{
	sqlite3_stmt *stmt = prepare(f->handle,
	    "INSERT INTO number (number, service_id, country, state, "
	    "last_used_at, created_at, shuffle) "
	    "VALUES ($1, $2, $3, 'active', $4, $5, $6)");
	char number[PHONE_SIZE];
	int64_t i;

	for (i = 0; i < f->pool.len; i++) {
		make_number(number, i);
		bind_text(stmt, 1, number);
		bind_text(stmt, 2, f->service_id);
		bind_text(stmt, 3, phone_country(number));
		sqlite3_bind_int64(
		    stmt, 4, NOW - 2 * f->pool.len + f->pool.rank[i]);
		sqlite3_bind_int64(stmt, 5, NOW - 2 * HOLD_S);
		sqlite3_bind_int64(
		    stmt, 6, (int64_t)(mix((uint64_t)i) & UINT32_MAX));
		put(f->handle, stmt);
	}
	sqlite3_finalize(stmt);
}

/* Names of rows, in the order in which they are made. */
static void
make_id(char out[ID_SIZE], const char *prefix, int64_t i)
{
	snprintf(out, ID_SIZE, "%s_%026" PRId64, prefix, i);
}

/* Writes a session, its parties, and notes its legs. closed_at: 0: open. */
static void
fill_session(struct fill *f, int64_t number, const uint8_t *persons[2],
    int64_t closed_at)
{
	int64_t row = f->rows++, expires_at = NOW + 7200 - row % 3600;
	char id[ID_SIZE], phone[PHONE_SIZE], code[8];
	int i;

	make_id(id, "ses", row);
	bind_text(f->session, 1, id);
	bind_text(f->session, 2, f->service_id);
	sqlite3_bind_int64(f->session, 3, NOW - 3600);
	sqlite3_bind_int64(
	    f->session, 4, closed_at != 0 ? closed_at : expires_at);
	sqlite3_bind_null(f->session, 5);
	sqlite3_bind_null(f->session, 6);
	if (closed_at != 0) {
		sqlite3_bind_int64(f->session, 5, closed_at);
		bind_text(f->session, 6, "closed");
	}
	put(f->handle, f->session);

	make_number(phone, number);
	for (i = 0; i < 2; i++) {
		struct claim *claim = &f->claims[f->claims_len++];

		make_id(id, "pty", 2 * row + i);
		bind_text(f->party, 1, id);
		make_id(id, "ses", row);
		bind_text(f->party, 2, id);
		sqlite3_bind_int(f->party, 3, i);
		bind_text(f->party, 4, i == 0 ? "driver" : "customer");
		sqlite3_bind_blob(f->party, 5, persons[i], CRYPTO_HASH_SIZE,
		    SQLITE_TRANSIENT);
		sqlite3_bind_zeroblob(f->party, 6, 12 + CRYPTO_SEAL_EXTRA);
		bind_text(f->party, 7, phone);
		snprintf(code, sizeof code, "%06d",
		    (int)(mix((uint64_t)(2 * row + i)) % 1000000));
		bind_text(f->party, 8, code);
		put(f->handle, f->party);

		*claim = (struct claim){ .number = number,
			.session = row,
			.live_until = closed_at != 0 ? closed_at : expires_at,
			.position = i };
		memcpy(claim->person, persons[i], CRYPTO_HASH_SIZE);
		memcpy(claim->peer, persons[1 - i], CRYPTO_HASH_SIZE);
	}
}

/* Whether a driver holds the number at a place of the pool. */
static bool
holds(const struct pool *pool, enum driver driver, int64_t number)
{
	switch (driver) {
	case DRIVER_HALF:
		return pool->place[number] < pool->len / 2;
	case DRIVER_OTHER_HALF:
		return pool->place[number] >= pool->len / 2;
	case DRIVER_MOST:
		return pool->place[number] < pool->len * 9 / 10;
	case DRIVER_OLDEST:
		return pool->rank[number] < pool->len * 9 / 10;
	case DRIVER_NEARLY:
		return pool->place[number] < pool->len * 99 / 100;
	case DRIVER_COUNTRY:
		return number % 2 != 0;
	default:
		return true;
	}
}

/* What the busy drivers hold: each number with a customer of its own, ended
 * between an hour and 29 days ago. */
static void
fill_held(struct fill *f)
{
	uint8_t driver[CRYPTO_HASH_SIZE], customer[CRYPTO_HASH_SIZE];
	const uint8_t *persons[2] = { driver, customer };
	int64_t i, ago;
	int d;

	for (d = 0; d < DRIVER__MAX; d++) {
		make_person(driver, KIND_DRIVER, d);
		for (i = 0; i < f->pool.len; i++) {
			if (!holds(&f->pool, (enum driver)d, i))
				continue;
			make_person(customer, KIND_HELD, DRIVER__MAX * i + d);
			ago = 3600 +
			      (int64_t)(mix((uint64_t)f->rows) % (28 * DAY_S));
			fill_session(f, i, persons, NOW - ago);
		}
	}
}

/* The person at a position of an open session. */
static void
open_person(uint8_t out[CRYPTO_HASH_SIZE], int64_t i, int position)
{
	if (position == 0)
		make_person(out, KIND_ORDINARY, i / DRIVER_SESSIONS);
	else
		make_person(out, KIND_CUSTOMER, i);
}

/* The number of an open session: a driver's are next to each other. */
static int64_t
open_number(int64_t pool, int64_t i)
{
	uint64_t first = mix((uint64_t)(i / DRIVER_SESSIONS)) >> 1;

	return (int64_t)(first + (uint64_t)(i % DRIVER_SESSIONS)) % pool;
}

static int
compare_claims(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return memcmp(x->person, y->person, CRYPTO_HASH_SIZE);
}

/* Writes all legs, in the order of their key. */
static void
fill_legs(struct fill *f)
{
	char number[PHONE_SIZE], id[ID_SIZE];
	size_t i;

	qsort(f->claims, f->claims_len, sizeof *f->claims, compare_claims);
	for (i = 0; i < f->claims_len; i++) {
		const struct claim *claim = &f->claims[i];

		make_number(number, claim->number);
		bind_text(f->leg, 1, number);
		sqlite3_bind_blob(
		    f->leg, 2, claim->person, CRYPTO_HASH_SIZE, SQLITE_STATIC);
		sqlite3_bind_blob(
		    f->leg, 3, claim->peer, CRYPTO_HASH_SIZE, SQLITE_STATIC);
		make_id(id, "ses", claim->session);
		bind_text(f->leg, 4, id);
		make_id(id, "pty", 2 * claim->session + claim->position);
		bind_text(f->leg, 5, id);
		sqlite3_bind_int64(f->leg, 6, claim->live_until);
		sqlite3_bind_int64(f->leg, 7, claim->live_until + HOLD_S);
		put(f->handle, f->leg);
	}
}

/* Drops the indexes and returns the statements that make them again. */
static char *
drop_indexes(sqlite3 *handle)
{
	sqlite3_stmt *stmt =
	    prepare(handle, "SELECT group_concat('DROP INDEX ' || name, ';'), "
			    "group_concat(sql, ';') FROM sqlite_schema "
			    "WHERE type = 'index' AND sql IS NOT NULL");
	char *drop, *make;

	if (sqlite3_step(stmt) != SQLITE_ROW)
		errx(1, "no indexes");
	drop = strdup((const char *)sqlite3_column_text(stmt, 0));
	make = strdup((const char *)sqlite3_column_text(stmt, 1));
	sqlite3_finalize(stmt);
	if (drop == NULL || make == NULL)
		err(1, NULL);
	execute(handle, drop);
	free(drop);
	return make;
}

static void
fill_rows(struct fill *f)
{
	uint8_t driver[CRYPTO_HASH_SIZE], customer[CRYPTO_HASH_SIZE];
	const uint8_t *persons[2] = { driver, customer };
	int64_t i;

	f->session = prepare(f->handle,
	    "INSERT INTO session (id, service_id, created_at, expires_at, "
	    "closed_at, close_reason, voice, text) "
	    "VALUES ($1, $2, $3, $4, $5, $6, 'both', 'both')");
	f->party = prepare(f->handle,
	    "INSERT INTO party (id, session_id, position, role, person, "
	    "phone_sealed, number, code) "
	    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
	f->leg = prepare(f->handle,
	    "INSERT INTO leg (number, person, peer, session_id, party_id, "
	    "live_until, held_until) VALUES ($1, $2, $3, $4, $5, $6, $7)");
	fill_numbers(f);
	for (i = 0; i < f->sessions; i++) {
		open_person(driver, i, 0);
		open_person(customer, i, 1);
		fill_session(f, open_number(f->pool.len, i), persons, 0);
	}
	fill_held(f);
	fill_legs(f);
	sqlite3_finalize(f->session);
	sqlite3_finalize(f->party);
	sqlite3_finalize(f->leg);
}

static void
fill(const char *path, int64_t pool, int64_t sessions)
{
	struct fill f = { .sessions = sessions };
	char *indexes;

	found(path, f.service_id, HOLD_S);
	make_pool(&f.pool, pool);
	f.claims = calloc(
	    (size_t)(2 * (sessions + DRIVER__MAX * pool)), sizeof *f.claims);
	if (f.claims == NULL)
		err(1, NULL);
	if (sqlite3_open(path, &f.handle) != SQLITE_OK)
		errx(1, "%s: %s", path, sqlite3_errmsg(f.handle));
	execute(f.handle,
	    "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
	    "PRAGMA locking_mode=EXCLUSIVE; PRAGMA cache_size=-400000;"
	    "PRAGMA threads=4; BEGIN");
	indexes = drop_indexes(f.handle);
	fill_rows(&f);
	execute(f.handle, indexes);
	execute(f.handle, "COMMIT; PRAGMA journal_mode=WAL");
	sqlite3_close(f.handle);
	free(indexes);
	free(f.claims);
	free_pool(&f.pool);
}

/* --- Choosing */

/* Who is to get a number, how, and with what result. */
struct choice {
	const char *name;
	const char *country; /* "": any */
	int a, b;            /* enum driver; -1: a stranger */
	bool again;          /* b is the customer a has had a session with */
	int64_t reuse_after; /* seconds; 0: never */
	enum rc expected;
	bool apart; /* a number each, not one for both */
};

/* clang-format off */
static const struct choice choices[] = {
	{ "two strangers", "", -1, -1, false, 0, RC_OK, false },
	{ "driver holds 50 %", "", DRIVER_HALF, -1, false, 0, RC_OK, false },
	{ "90 %, spread", "", DRIVER_MOST, -1, false, 0, RC_OK, false },
	{ "90 %, those longest unused", "", DRIVER_OLDEST, -1, false, 0,
	    RC_OK, false },
	{ "99 %, spread", "", DRIVER_NEARLY, -1, false, 0, RC_OK, false },
	{ "all: refused", "", DRIVER_ALL, -1, false, 0, RC_POOL, false },
	{ "all: oldest held pair reused", "", DRIVER_ALL, -1, false, DAY_S,
	    RC_OK, false },
	{ "50 % each, none free for both", "", DRIVER_HALF, DRIVER_OTHER_HALF,
	    false, 0, RC_OK, true },
	{ "50 %, the same pair again", "", DRIVER_HALF, -1, true, 0, RC_OK,
	    false },
	{ "all, the same pair again", "", DRIVER_ALL, -1, true, 0, RC_OK,
	    false },
	{ "two strangers, country", "CA", -1, -1, false, 0, RC_OK, false },
	{ "50 %, country", "CA", DRIVER_HALF, -1, false, 0, RC_OK, false },
	{ "90 %, country", "CA", DRIVER_MOST, -1, false, 0, RC_OK, false },
	{ "90 % longest unused, country", "CA", DRIVER_OLDEST, -1, false, 0,
	    RC_OK, false },
	{ "99 %, country", "CA", DRIVER_NEARLY, -1, false, 0, RC_OK, false },
	{ "all, country: refused", "CA", DRIVER_ALL, -1, false, 0, RC_POOL,
	    false },
	{ "all of a country: refused", "CA", DRIVER_COUNTRY, -1, false, 0,
	    RC_POOL, false },
	{ "all, country: reused", "CA", DRIVER_ALL, -1, false, DAY_S,
	    RC_OK, false },
};
/* clang-format on */
#define CHOICES (sizeof choices / sizeof choices[0])

/* A database that was filled, as found again. */
struct filled {
	struct db *db;
	char service_id[ID_SIZE];
	struct pool pool;
	int64_t sessions; /* open ones */
};

/* One choosing. */
struct pick {
	const struct filled *filled;
	const struct choice *choice;
	int64_t turn;
	char numbers[2][PHONE_SIZE]; /* chosen */
	double us;                   /* taken */
};

/* Who is meant by an entry of the table above. */
static void
find_persons(const struct pick *pick, uint8_t persons[2][CRYPTO_HASH_SIZE])
{
	const struct choice *choice = pick->choice;
	const struct pool *pool = &pick->filled->pool;
	int64_t number = pick->turn * 2 % pool->len;

	make_person(persons[0], choice->a < 0 ? KIND_STRANGER : KIND_DRIVER,
	    choice->a < 0 ? 2 * pick->turn : choice->a);
	make_person(persons[1], choice->b < 0 ? KIND_STRANGER : KIND_DRIVER,
	    choice->b < 0 ? 2 * pick->turn + 1 : choice->b);
	if (!choice->again)
		return;
	while (!holds(pool, (enum driver)choice->a, number))
		number = (number + 1) % pool->len;
	make_person(persons[1], KIND_HELD, DRIVER__MAX * number + choice->a);
}

/* Chooses, claims, and leaves everything as it was. */
static enum rc
pick_deed(struct db *db, void *cookie)
{
	struct pick *pick = cookie;
	const struct choice *choice = pick->choice;
	int64_t reuse_before =
	    choice->reuse_after != 0 ? NOW - choice->reuse_after : 0;
	uint8_t persons[2][CRYPTO_HASH_SIZE];
	char session_id[ID_SIZE], party_id[ID_SIZE];
	enum rc rc;
	int i;

	db_undo(db);
	find_persons(pick, persons);
	make_id(session_id, "ses", 0);
	pick->us = -clock_us();
	rc = number_take(db, pick->numbers,
	    &(struct number_wish){ .service_id = pick->filled->service_id,
		.persons = { persons[0], persons[1] },
		.country = choice->country,
		.number = "",
		.reuse_before = reuse_before,
		.now = NOW });
	for (i = 0; i < 2 && rc == RC_OK; i++) {
		make_id(party_id, "pty", i);
		rc = leg_claim(db,
		    &(struct leg){ .number = pick->numbers[i],
			.person = persons[i],
			.peer = persons[1 - i],
			.session_id = session_id,
			.party_id = party_id,
			.live_until = NOW + 7200,
			.held_until = NOW + 7200 + HOLD_S,
			.reuse_before = reuse_before },
		    NOW);
	}
	pick->us += clock_us();
	return rc;
}

static int
compare_us(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Prints a line for the table: name, picks, median, p99, max. */
static void
report(const char *name, double *us, size_t len)
{
	qsort(us, len, sizeof *us, compare_us);
	printf("%s\t%zu\t%.1f\t%.1f\t%.1f\n", name, len, us[len / 2],
	    us[len * 99 / 100], us[len - 1]);
	fflush(stdout);
}

/* Makes sure that what was chosen is what the table says. */
static void
check(const struct pick *pick, enum rc rc)
{
	const struct choice *choice = pick->choice;
	int i;

	if (rc != choice->expected)
		errx(1, "%s: %s, not %s", choice->name, rc_name(rc),
		    rc_name(choice->expected));
	if (rc != RC_OK)
		return;
	if ((strcmp(pick->numbers[0], pick->numbers[1]) != 0) !=
		choice->apart &&
	    choice->reuse_after == 0)
		errx(1, "%s: %s", choice->name,
		    choice->apart ? "one number for both" : "a number each");
	for (i = 0; i < 2 && choice->country[0] != '\0'; i++)
		if (strcmp(phone_country(pick->numbers[i]), choice->country) !=
		    0)
			printf("WRONG\t%s: a number of another country\n",
			    choice->name);
}

/* Whether the pool is large enough for the case: the driver holds as many as
 * the name says, and there is a number left if one is to be chosen. */
static bool
makes_sense(const struct pool *pool, const struct choice *choice)
{
	int64_t i, left = 0;

	if (choice->a == DRIVER_NEARLY && pool->len < 100)
		return false;
	if (choice->a < 0 || choice->expected != RC_OK || choice->again ||
	    choice->reuse_after != 0)
		return true;
	for (i = 0; i < pool->len; i++)
		left += !holds(pool, (enum driver)choice->a, i) &&
			(choice->country[0] == '\0' || i % 2 != 0);
	return left != 0;
}

/* Times a choice, as often as wanted, but no longer than so many seconds. */
static void
time_choice(const struct filled *filled, const struct choice *choice,
    size_t picks, double seconds)
{
	struct pick pick = { .filled = filled, .choice = choice };
	double *us = calloc(picks, sizeof *us), start = clock_us();
	size_t len = 0;
	enum rc rc;

	if (us == NULL)
		err(1, NULL);
	while (
	    len < picks && (len < 20 || clock_us() - start < seconds * 1e6)) {
		rc = db_transact(filled->db, DB_WAIT_MS, pick_deed, &pick);
		if (pick.turn == 0)
			check(&pick, rc);
		if (rc != choice->expected)
			errx(1, "%s: %s", choice->name, rc_name(rc));
		if (pick.turn++ >= WARM_UP)
			us[len++] = pick.us;
	}
	report(choice->name, us, len);
	free(us);
}

/* Times the look-up of a call, beside. */
static void
time_route(const struct filled *filled, size_t picks)
{
	double *us = calloc(picks, sizeof *us);
	uint8_t person[CRYPTO_HASH_SIZE];
	char number[PHONE_SIZE];
	struct leg_route route;
	int64_t session;
	size_t i;

	if (us == NULL)
		err(1, NULL);
	for (i = 0; i < picks + WARM_UP; i++) {
		session = (int64_t)(mix(i) % (uint64_t)filled->sessions);
		make_number(number, open_number(filled->pool.len, session));
		open_person(person, session, i % 2 == 0);
		if (i >= WARM_UP)
			us[i - WARM_UP] = -clock_us();
		must(leg_route(filled->db, &route, number, person), "route");
		if (i >= WARM_UP)
			us[i - WARM_UP] += clock_us();
	}
	report("leg_route", us, picks);
	free(us);
}

/* Reads back how a database was filled. */
static void
find_filled(struct filled *filled, const char *path)
{
	struct service service;
	sqlite3_stmt *stmt;
	sqlite3 *handle;

	if (sqlite3_open_v2(path, &handle, SQLITE_OPEN_READONLY, NULL) !=
	    SQLITE_OK)
		errx(1, "%s: %s", path, sqlite3_errmsg(handle));
	stmt = prepare(handle,
	    "SELECT (SELECT count(*) FROM number), "
	    "(SELECT count(*) FROM session WHERE closed_at IS NULL)");
	sqlite3_step(stmt);
	make_pool(&filled->pool, sqlite3_column_int64(stmt, 0));
	filled->sessions = sqlite3_column_int64(stmt, 1);
	sqlite3_finalize(stmt);
	sqlite3_close(handle);
	must(db_open(&filled->db, path, DB_USE), path);
	must(service_find_name(filled->db, &service, SERVICE_NAME), "service");
	strcpy(filled->service_id, service.id);
}

static void
time_all(const char *path, size_t picks, double seconds)
{
	struct filled filled;
	size_t i;

	find_filled(&filled, path);
	for (i = 0; i < CHOICES; i++)
		if (makes_sense(&filled.pool, &choices[i]))
			time_choice(&filled, &choices[i], picks, seconds);
	time_route(&filled, 10 * picks);
	free_pool(&filled.pool);
	db_close(filled.db);
}

/* --- A day */

/* A day being played. */
struct day {
	struct mask mask;
	char service_id[ID_SIZE];
	char (*ids)[ID_SIZE];           /* sessions, by trip */
	int64_t trips;                  /* room in ids */
	int64_t shared, apart, refused; /* sessions by what they were given */
	bool stop_refused, stop_apart;  /* when to stop */
	bool over;
	double open_us, close_us; /* time taken in all */
};

/* Opens the session of a trip. */
static void
day_open(struct day *day, int64_t trip, int64_t driver, int64_t customer)
{
	struct session_request request = { .voice = "both", .text = "both" };
	struct session session;
	struct fault fault;
	enum rc rc;

	if (trip < 0 || trip >= day->trips || driver < 0 ||
	    driver >= PHONE_MAX || customer < 0 || customer >= PHONE_MAX)
		errx(1, "trip %" PRId64 ": out of bounds", trip);
	strcpy(request.parties[0].role, "driver");
	snprintf(
	    request.parties[0].phone, PHONE_SIZE, "+1303%07d", (int)driver);
	strcpy(request.parties[1].role, "customer");
	snprintf(
	    request.parties[1].phone, PHONE_SIZE, "+1212%07d", (int)customer);
	day->open_us -= clock_us();
	rc = mask_open(&day->mask, day->service_id, &request, &session, &fault);
	day->open_us += clock_us();
	if (rc == RC_POOL) {
		day->refused++;
		day->over = day->stop_refused || day->stop_apart;
		return;
	}
	must(rc, "open");
	strcpy(day->ids[trip], session.id);
	if (strcmp(session.parties[0].number, session.parties[1].number) == 0) {
		day->shared++;
		return;
	}
	day->apart++;
	day->over = day->stop_apart;
}

/* Closes it; nothing if it was refused. */
static void
day_close(struct day *day, int64_t trip)
{
	const struct session_closing closing = { .voice = "" };
	struct session session;
	struct fault fault;

	if (day->ids[trip][0] == '\0')
		return;
	day->close_us -= clock_us();
	must(mask_close(&day->mask, day->service_id, day->ids[trip], &closing,
		 &session, &fault),
	    "close");
	day->close_us += clock_us();
}

/* Plays some events, one transaction. */
static enum rc
day_deed(struct db *db, void *cookie)
{
	struct day *day = cookie;
	long long at, trip, driver, customer;
	char line[128];
	int i;

	(void)db;
	for (i = 0; i < BATCH && !day->over; i++) {
		if (fgets(line, sizeof line, stdin) == NULL) {
			day->over = true;
		} else if (sscanf(line, "open %lld %lld %lld %lld", &at, &trip,
			       &driver, &customer) == 4) {
			day->mask.now_ms = (NOW + at) * 1000;
			day_open(day, trip, driver, customer);
		} else if (sscanf(line, "close %lld %lld", &at, &trip) == 2) {
			day->mask.now_ms = (NOW + at) * 1000;
			day_close(day, trip);
		} else {
			errx(1, "no event: %s", line);
		}
	}
	return RC_OK;
}

/* Puts numbers into the pool of a day. */
static void
day_numbers(struct day *day, int64_t pool)
{
	char number[PHONE_SIZE];
	struct fault fault;
	int64_t i;

	for (i = 0; i < pool; i++) {
		make_number(number, i);
		must(mask_add_number(
			 &day->mask, day->service_id, number, &fault),
		    "number");
	}
}

/* Plays the day on stdin. Prints how many sessions got one number for both, a
 * number each, none, and the mean time of opening and closing one. */
static void
play(const char *path, int64_t pool, int64_t hold_s, const char *stop)
{
	static const struct crypto_keys keys = { .sealing = { { .id = 1 } },
		.sealing_len = 1 };
	struct day day = { .trips = PHONE_MAX,
		.mask = { .keys = &keys, .now_ms = NOW * 1000 },
		.stop_refused = strcmp(stop, "refused") == 0,
		.stop_apart = strcmp(stop, "apart") == 0 };
	double opened;

	must(crypto_open(), "crypto");
	found(path, day.service_id, hold_s);
	must(db_open(&day.mask.db, path, DB_USE), path);
	if ((day.ids = calloc((size_t)day.trips, sizeof *day.ids)) == NULL)
		err(1, NULL);
	day_numbers(&day, pool);
	while (!day.over)
		must(db_transact(day.mask.db, DB_WAIT_MS, day_deed, &day),
		    "events");
	opened = (double)(day.shared + day.apart);
	printf("%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%.1f\t%.1f\n",
	    day.shared, day.apart, day.refused,
	    day.open_us / (opened > 0 ? opened : 1),
	    day.close_us / (opened > 0 ? opened : 1));
	db_close(day.mask.db);
	free(day.ids);
}

static int
usage(void)
{
	fputs("usage: pool plans\n"
	      "       pool fill FILE POOL SESSIONS\n"
	      "       pool pick FILE [PICKS [SECONDS]]\n"
	      "       pool day FILE POOL HOLD refused|apart|never <EVENTS\n",
	    stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (strcmp(verb, "plans") == 0 && argc == 2)
		return show_plans() == 0 ? 0 : 1;
	if (strcmp(verb, "fill") == 0 && argc == 5)
		fill(argv[2], whole(argv[3]), whole(argv[4]));
	else if (strcmp(verb, "pick") == 0 && argc >= 3 && argc <= 5)
		time_all(argv[2], argc > 3 ? (size_t)whole(argv[3]) : 500,
		    argc > 4 ? (double)whole(argv[4]) : 5);
	else if (strcmp(verb, "day") == 0 && argc == 6)
		play(argv[2], whole(argv[3]), whole(argv[4]), argv[5]);
	else
		return usage();
	return 0;
}
