/* What pool.c and day.c share. */

#include "bench.h"

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "db.h"
#include "log.h"
#include "service.h"

const struct crypto_keys bench_keys = { .sealing = { { .id = 1 } },
	.sealing_len = 1 };

static char directory[200];
char bench_path[208];

/* Removes the database; does nothing that a signal handler may not. */
static void
clear(void)
{
	static const char *const tails[] = { "", "-wal", "-shm", "-lock" };
	char path[216];
	size_t i;

	for (i = 0; i < sizeof tails / sizeof tails[0]; i++) {
		strcpy(path, bench_path);
		strcat(path, tails[i]);
		unlink(path);
	}
}

static void
leave(void)
{
	clear();
	rmdir(directory);
}

static void
on_signal(int number)
{
	leave();
	_exit(128 + number);
}

void
bench_start(const char *under)
{
	if (snprintf(directory, sizeof directory, "%s/bench.XXXXXX", under) >=
	    (int)sizeof directory)
		errx(2, "%s: too long", under);
	if (mkdtemp(directory) == NULL)
		err(2, "%s", directory);
	strcpy(bench_path, directory);
	strcat(bench_path, "/db");
	atexit(leave);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	signal(SIGHUP, on_signal);
	log_open("bench", LOG_ERROR);
	bench_must(crypto_open(), "crypto");
}

void
bench_found(char service_id[ID_SIZE], int64_t hold_s)
{
	struct service service;
	struct db *db;

	clear();
	service_init(&service);
	strcpy(service.name, "bench");
	strcpy(service.countries, "US CA");
	service.hold_s = hold_s;
	bench_must(db_open(&db, bench_path, DB_CREATE), bench_path);
	bench_must(db_migrate(db, BENCH_NOW), "migrate");
	bench_must(service_insert(db, &service, BENCH_NOW * 1000), "service");
	db_close(db);
	strcpy(service_id, service.id);
}

void
bench_must(enum rc rc, const char *what)
{
	if (rc != RC_OK)
		errx(1, "%s: %s", what, rc_name(rc));
}

void
bench_number(char out[PHONE_SIZE], int64_t i)
{
	snprintf(out, PHONE_SIZE, "+1%s%07d", i % 2 == 0 ? "202" : "416",
	    (int)(i % 10000000));
}

sqlite3 *
bench_open(void)
{
	sqlite3 *handle;

	if (sqlite3_open(bench_path, &handle) != SQLITE_OK)
		errx(1, "%s: %s", bench_path, sqlite3_errmsg(handle));
	return handle;
}

void
bench_execute(sqlite3 *handle, const char *text)
{
	if (sqlite3_exec(handle, text, NULL, NULL, NULL) != SQLITE_OK)
		errx(1, "%.60s: %s", text, sqlite3_errmsg(handle));
}

sqlite3_stmt *
bench_prepare(sqlite3 *handle, const char *text)
{
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(handle, text, -1, &stmt, NULL) != SQLITE_OK)
		errx(1, "%.60s: %s", text, sqlite3_errmsg(handle));
	return stmt;
}

void
bench_run(sqlite3_stmt *stmt)
{
	if (sqlite3_step(stmt) != SQLITE_DONE)
		errx(1, "%.60s: %s", sqlite3_sql(stmt),
		    sqlite3_errmsg(sqlite3_db_handle(stmt)));
	sqlite3_reset(stmt);
}

void
bench_bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
	sqlite3_bind_text(stmt, at, text, -1, SQLITE_TRANSIENT);
}

uint64_t
bench_mix(uint64_t seed)
{
	seed += 0x9e3779b97f4a7c15;
	seed = (seed ^ seed >> 30) * 0xbf58476d1ce4e5b9;
	seed = (seed ^ seed >> 27) * 0x94d049bb133111eb;
	return seed ^ seed >> 31;
}

double
bench_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}
