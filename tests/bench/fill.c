/* Fills the database of pool.c. */

#include "fill.h"

#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "session.h"

#define HOLD_S (30 * BENCH_DAY_S)
#define DRIVER_SESSIONS 5 /* open at a time with an ordinary driver */

/* Areas of real numbers, so that no two people get the same. */
enum area {
	AREA_DRIVER = 303,   /* those of the table above */
	AREA_HELD = 415,     /* their customers */
	AREA_ORDINARY = 718, /* drivers in open sessions */
	AREA_CUSTOMER = 212, /* their customers */
	AREA_STRANGER = 917
};

static void
make_phone(char out[PHONE_SIZE], enum area area, int64_t i)
{
	snprintf(out, PHONE_SIZE, "+1%d%07d", (int)area, (int)(i % 10000000));
}

void
fill_driver(char out[PHONE_SIZE], enum driver driver)
{
	make_phone(out, AREA_DRIVER, (int)driver);
}

void
fill_customer(char out[PHONE_SIZE], enum driver driver, int64_t number)
{
	make_phone(out, AREA_HELD, number * DRIVER__MAX + (int)driver);
}

void
fill_stranger(char out[PHONE_SIZE], int64_t i)
{
	make_phone(out, AREA_STRANGER, i);
}

/* The place of a number among those longest unused. The factor shares no
 * divisor with a power of ten, so no place is taken twice. */
static int64_t
rank(const struct fill *f, int64_t number)
{
	return number * 61803 % f->pool;
}

bool
fill_holds(const struct fill *f, enum driver driver, int64_t number)
{
	switch (driver) {
	case DRIVER_HALF:
		return number < f->pool / 2;
	case DRIVER_OTHER_HALF:
		return number >= f->pool / 2;
	case DRIVER_MOST:
		return number < f->pool * 90 / 100;
	case DRIVER_OLDEST:
		return rank(f, number) < f->pool * 90 / 100;
	case DRIVER_NEARLY:
		return number < f->pool * 99 / 100;
	default:
		return driver == DRIVER_ALL;
	}
}

static void
put_numbers(struct fill *f)
{
	sqlite3_stmt *stmt = bench_prepare(f->handle,
	    "INSERT INTO number (number, service_id, country, state, "
	    "last_used_at, created_at, place) "
	    "VALUES (?, ?, ?, 'active', ?, ?, ?)");
	char number[PHONE_SIZE];
	int64_t i;

	for (i = 0; i < f->pool; i++) {
		bench_number(number, i);
		bench_bind_text(stmt, 1, number);
		bench_bind_text(stmt, 2, f->service_id);
		bench_bind_text(stmt, 3, phone_country(number));
		sqlite3_bind_int64(
		    stmt, 4, BENCH_NOW - BENCH_DAY_S - f->pool + rank(f, i));
		sqlite3_bind_int64(stmt, 5, BENCH_NOW - 2 * HOLD_S);
		sqlite3_bind_int64(
		    stmt, 6, (int64_t)(bench_mix((uint64_t)i) >> 1));
		bench_run(stmt);
	}
	sqlite3_finalize(stmt);
}

/* Writes a session of two people on a number: open, or over since ended_at. */
static void
put_session(struct fill *f, int64_t number, char phones[2][PHONE_SIZE],
    int64_t ended_at)
{
	int64_t row = f->rows++, until = ended_at;
	uint8_t persons[2][CRYPTO_HASH_SIZE];
	char id[ID_SIZE], party[ID_SIZE], masked[PHONE_SIZE], code[CODE_SIZE];
	int i;

	if (ended_at == 0)
		until = BENCH_NOW + 7200 - row % 3600;
	snprintf(id, sizeof id, "ses_%026" PRId64, row);
	bench_bind_text(f->session, 1, id);
	bench_bind_text(f->session, 2, f->service_id);
	sqlite3_bind_int64(f->session, 3, until - 7200);
	sqlite3_bind_int64(f->session, 4, until);
	if (ended_at != 0) {
		sqlite3_bind_int64(f->session, 5, ended_at);
		bench_bind_text(f->session, 6, "closed");
	} else {
		sqlite3_bind_null(f->session, 5);
		sqlite3_bind_null(f->session, 6);
	}
	bench_run(f->session);

	bench_number(masked, number);
	for (i = 0; i < 2; i++)
		session_person(persons[i], &bench_keys, phones[i]);
	for (i = 0; i < 2; i++) {
		snprintf(party, sizeof party, "pty_%026" PRId64, 2 * row + i);
		snprintf(code, sizeof code, "%06d",
		    (int)(bench_mix((uint64_t)(2 * row + i)) % 1000000));
		bench_bind_text(f->party, 1, party);
		bench_bind_text(f->party, 2, id);
		sqlite3_bind_int(f->party, 3, i);
		bench_bind_text(f->party, 4, i == 0 ? "driver" : "customer");
		sqlite3_bind_blob(f->party, 5, persons[i], CRYPTO_HASH_SIZE,
		    SQLITE_TRANSIENT);
		sqlite3_bind_zeroblob(f->party, 6, 12 + CRYPTO_SEAL_EXTRA);
		bench_bind_text(f->party, 7, masked);
		bench_bind_text(f->party, 8, code);
		bench_run(f->party);

		bench_bind_text(f->leg, 1, masked);
		sqlite3_bind_blob(
		    f->leg, 2, persons[i], CRYPTO_HASH_SIZE, SQLITE_TRANSIENT);
		sqlite3_bind_blob(f->leg, 3, persons[1 - i], CRYPTO_HASH_SIZE,
		    SQLITE_TRANSIENT);
		bench_bind_text(f->leg, 4, id);
		bench_bind_text(f->leg, 5, party);
		sqlite3_bind_int64(f->leg, 6, until);
		sqlite3_bind_int64(f->leg, 7, until + HOLD_S);
		bench_run(f->leg);
	}
}

/* What the drivers hold: each number with a customer of its own, ended
 * between two hours and 28 days ago. */
static void
put_held(struct fill *f)
{
	char phones[2][PHONE_SIZE];
	int64_t i, ago;
	int driver;

	for (driver = 0; driver < DRIVER__MAX; driver++) {
		fill_driver(phones[0], (enum driver)driver);
		for (i = 0; i < f->pool; i++) {
			if (!fill_holds(f, (enum driver)driver, i))
				continue;
			fill_customer(phones[1], (enum driver)driver, i);
			ago = (int64_t)(bench_mix((uint64_t)f->rows) %
					(28 * BENCH_DAY_S));
			put_session(f, i, phones, BENCH_NOW - 7200 - ago);
		}
	}
}

/* Open sessions, up to so many. Those of a driver are on numbers next to each
 * other. */
static void
put_open(struct fill *f, int64_t sessions)
{
	char phones[2][PHONE_SIZE];
	int64_t number;

	for (; f->sessions < sessions; f->sessions++) {
		int64_t i = f->sessions, driver = i / DRIVER_SESSIONS;

		make_phone(phones[0], AREA_ORDINARY, driver);
		make_phone(phones[1], AREA_CUSTOMER, i);
		number = (int64_t)(bench_mix((uint64_t)driver) >> 1) +
			 i % DRIVER_SESSIONS;
		put_session(f, number % f->pool, phones, 0);
	}
}

/* Drops the indexes and returns the statements that make them again. */
static char *
drop_indexes(sqlite3 *handle)
{
	sqlite3_stmt *stmt = bench_prepare(handle,
	    "SELECT group_concat('DROP INDEX ' || name, ';'), "
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
	bench_execute(handle, drop);
	free(drop);
	return make;
}

void
fill_start(struct fill *f, int64_t pool)
{
	*f = (struct fill){ .pool = pool };
	bench_found(f->service_id, HOLD_S);
}

void
fill_up(struct fill *f, int64_t sessions)
{
	char *indexes;

	f->handle = bench_open();
	bench_execute(f->handle,
	    "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
	    "PRAGMA locking_mode=EXCLUSIVE; PRAGMA cache_size=-1000000;"
	    "PRAGMA temp_store=MEMORY; BEGIN");
	indexes = drop_indexes(f->handle);
	f->session = bench_prepare(f->handle,
	    "INSERT INTO session (id, service_id, created_at, expires_at, "
	    "closed_at, close_reason, voice, text) "
	    "VALUES (?, ?, ?, ?, ?, ?, 'both', 'both')");
	f->party = bench_prepare(f->handle,
	    "INSERT INTO party (id, session_id, position, role, person, "
	    "phone_sealed, number, code) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
	f->leg = bench_prepare(f->handle,
	    "INSERT INTO leg (number, person, peer, session_id, party_id, "
	    "live_until, held_until, place) VALUES (?, ?, ?, ?, ?, ?, ?, "
	    "(SELECT place FROM number WHERE number = ?1))");
	if (f->rows == 0) {
		put_numbers(f);
		put_held(f);
	}
	put_open(f, sessions);
	sqlite3_finalize(f->session);
	sqlite3_finalize(f->party);
	sqlite3_finalize(f->leg);
	bench_execute(f->handle, indexes);
	free(indexes);
	bench_execute(f->handle, "COMMIT; PRAGMA journal_mode=WAL");
	sqlite3_close(f->handle);
	/* Lest the first one to be measured waits until all this is written. */
	sync();
}
