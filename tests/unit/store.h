#ifndef STORE_H
#define STORE_H

/*
 * For tests of what keeps things in the database: a fresh, migrated one in a
 * directory of its own, with keys, a service and a struct mask on it. Give
 * store_setup and store_teardown to cmocka; *state is then a struct store.
 * The store_ functions that take SQL use a connection of their own, without
 * foreign keys, to see and to bend what the library keeps to itself.
 */

#include <sys/stat.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "crypto.h"
#include "db.h"
#include "log.h"
#include "mask.h"
#include "number.h"
#include "service.h"
#include "session.h"

#define LENGTH(array) (sizeof array / sizeof array[0])

/* The time of most tests, epoch seconds: 2027-01-15T08:00:00Z. */
#define NOW ((int64_t)1800000000)

/* Settings of the service, in seconds, all different. */
#define TTL 7200
#define TTL_MAX 86400
#define HOLD 3600
#define CALL_LIMIT 1800

/* Real numbers, and masked ones. */
#define ANNA "+12025550147"
#define BORIS "+12025550123"
#define CLARA "+14165550123"
#define DORA "+12025550166"
#define EMIL "+12025550177"
#define MASK_1 "+12025550191"
#define MASK_2 "+12025550192"
#define MASK_3 "+12025550193"
#define MASK_CA "+14165550194"

#define SID_1 "CA00000000000000000000000000000001"
#define SID_2 "CA00000000000000000000000000000002"
#define SID_3 "CA00000000000000000000000000000003"
#define SID_4 "CA00000000000000000000000000000004"

/* What must succeed. */
#define must(result) assert_int_equal(result, RC_OK)

struct store {
	char dir[64];
	char path[80];
	struct db *db;
	struct crypto_keys keys;
	struct service service; /* "taxi", for US and CA, without a webhook */
	struct mask mask;       /* at NOW */
};

/* Inserts a service called name, with the settings above, into *service. */
static inline void
store_service(struct store *s, struct service *service, const char *name,
    const char *webhook_url)
{
	*service = (struct service){
		.countries = "US CA",
		.ttl_default_s = TTL,
		.ttl_max_s = TTL_MAX,
		.hold_s = HOLD,
		.call_limit_s = CALL_LIMIT,
		.sticky = 1,
		.language = "en",
	};
	snprintf(service->name, sizeof service->name, "%s", name);
	snprintf(service->webhook_url, sizeof service->webhook_url, "%s",
	    webhook_url);
	must(service_insert(s->db, service, NOW * 1000));
}

static inline int
store_setup(void **state)
{
	struct store *s = calloc(1, sizeof *s);
	const char *tmp = getenv("TMPDIR");

	assert_non_null(s);
	*state = s;
	log_open("test", LOG_ERROR);
	must(crypto_open());
	snprintf(s->dir, sizeof s->dir, "%s/callmask-XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->path, sizeof s->path, "%s/db", s->dir);
	must(db_open(&s->db, s->path, DB_CREATE));
	must(db_migrate(s->db, NOW));
	s->keys.sealing_len = 1;
	s->keys.sealing[0].id = 1;
	memset(s->keys.sealing[0].key, 0xa5, CRYPTO_KEY_SIZE);
	memset(s->keys.lookup, 0x5a, CRYPTO_KEY_SIZE);
	store_service(s, &s->service, "taxi", "");
	s->mask = (struct mask){
		.db = s->db, .keys = &s->keys, .now_ms = NOW * 1000
	};
	return 0;
}

static inline int
store_teardown(void **state)
{
	static const char *const names[] = { "db", "db-wal", "db-shm",
		"db-lock" };
	struct store *s = *state;
	char path[96];
	size_t i;

	db_close(s->db);
	for (i = 0; i < LENGTH(names); i++) {
		snprintf(path, sizeof path, "%s/%s", s->dir, names[i]);
		unlink(path);
	}
	i = rmdir(s->dir) == 0 ? 0 : 1;
	free(s);
	return (int)i;
}

/* An entry of cmocka's table: a test that gets a store of its own. */
#define STORE_TEST(test)                                                       \
	cmocka_unit_test_setup_teardown(test, store_setup, store_teardown)

/* Opens a connection past the library. */
static inline sqlite3 *
store_open(struct store *s)
{
	sqlite3 *raw;

	assert_int_equal(sqlite3_open(s->path, &raw), SQLITE_OK);
	sqlite3_busy_timeout(raw, 1000);
	sqlite3_exec(raw, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
	return raw;
}

/* Runs SQL that must work and must change something. */
static inline void
store_run(struct store *s, const char *sql)
{
	sqlite3 *raw = store_open(s);
	int code, changed;

	code = sqlite3_exec(raw, sql, NULL, NULL, NULL);
	changed = sqlite3_changes(raw);
	sqlite3_close(raw);
	if (code != SQLITE_OK || changed == 0)
		fail_msg("%s: code %d, %d rows", sql, code, changed);
}

/* Takes a table away: from now on the database fails, and says so. */
static inline void
store_drop(struct store *s, const char *table)
{
	char sql[128];

	log_open("test", (enum log_level)(LOG_ERROR + 1));
	snprintf(sql, sizeof sql,
	    "DROP TABLE \"%s\"; UPDATE schema_version SET version = version",
	    table);
	store_run(s, sql);
}

/* Reads the first column of the one row of sql as text, "(null)" for NULL. */
static inline void
store_text(struct store *s, const char *sql, char *out, size_t size)
{
	sqlite3 *raw = store_open(s);
	const unsigned char *text;
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(raw, sql, -1, &stmt, NULL) != SQLITE_OK ||
	    sqlite3_step(stmt) != SQLITE_ROW)
		fail_msg("%s: %s", sql, sqlite3_errmsg(raw));
	text = sqlite3_column_text(stmt, 0);
	snprintf(out, size, "%s", text != NULL ? (const char *)text : "(null)");
	assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
	sqlite3_finalize(stmt);
	sqlite3_close(raw);
}

/* The same as a number; fails for NULL. */
static inline int64_t
store_int(struct store *s, const char *sql)
{
	char text[32], *end;
	int64_t value;

	store_text(s, sql, text, sizeof text);
	value = strtoll(text, &end, 10);
	if (end == text || *end != '\0')
		fail_msg("%s: %s", sql, text);
	return value;
}

/* Checks that the first column of the one row of sql is expected. */
static inline void
store_check(struct store *s, const char *sql, const char *expected)
{
	char text[512];

	store_text(s, sql, text, sizeof text);
	if (strcmp(text, expected) != 0)
		fail_msg("%s: %s, not %s", sql, text, expected);
}

/* Looks for text in every column of a table; says in place where it is. */
static inline void
store_search_table(
    sqlite3 *raw, const char *table, const char *text, char place[64])
{
	sqlite3_stmt *stmt;
	char sql[128];
	const void *data;
	int i;

	snprintf(sql, sizeof sql, "SELECT * FROM \"%s\"", table);
	assert_int_equal(
	    sqlite3_prepare_v2(raw, sql, -1, &stmt, NULL), SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		for (i = 0; i < sqlite3_column_count(stmt); i++) {
			data = sqlite3_column_blob(stmt, i);
			if (data != NULL &&
			    memmem(data, (size_t)sqlite3_column_bytes(stmt, i),
				text, strlen(text)) != NULL)
				snprintf(place, 64, "%.20s.%.40s", table,
				    sqlite3_column_name(stmt, i));
		}
	}
	sqlite3_finalize(stmt);
}

/*
 * Returns whether text stands anywhere in the database: in any column of any
 * table, text or bytes, or in the bytes of its files. place says where.
 */
static inline bool
store_holds(struct store *s, const char *text, char place[64])
{
	static const char *const ends[] = { "", "-wal" };
	sqlite3 *raw = store_open(s);
	sqlite3_stmt *stmt;
	struct stat st;
	char path[96], *bytes;
	FILE *file;
	size_t i, len;

	place[0] = '\0';
	for (i = 0; i < LENGTH(ends); i++) {
		snprintf(path, sizeof path, "%s%s", s->path, ends[i]);
		assert_non_null(file = fopen(path, "r"));
		assert_int_equal(fstat(fileno(file), &st), 0);
		len = (size_t)st.st_size;
		assert_non_null(bytes = malloc(len + 1));
		assert_int_equal(fread(bytes, 1, len, file), len);
		if (memmem(bytes, len, text, strlen(text)) != NULL)
			strcpy(place, "a file");
		free(bytes);
		fclose(file);
	}
	assert_int_equal(sqlite3_prepare_v2(raw,
			     "SELECT name FROM sqlite_master "
			     "WHERE type = 'table'",
			     -1, &stmt, NULL),
	    SQLITE_OK);
	for (i = 0; sqlite3_step(stmt) == SQLITE_ROW; i++)
		store_search_table(raw,
		    (const char *)sqlite3_column_text(stmt, 0), text, place);
	assert_in_range(i, 10, 99);
	sqlite3_finalize(stmt);
	sqlite3_close(raw);
	return place[0] != '\0';
}

/* Fails if text stands anywhere in the database. */
static inline void
store_lacks(struct store *s, const char *text)
{
	char place[64];

	if (store_holds(s, text, place))
		fail_msg("%s stands in %s", text, place);
}

/* Adds an active masked number to a service. */
static inline void
store_number(struct store *s, const char *service_id, const char *number)
{
	must(number_insert(
	    s->db, service_id, number, phone_country(number), NOW));
}

/* Inserts an open session of two people on a masked number; no legs yet. */
static inline void
store_session(struct store *s, struct session *session, const char *number,
    const char *a, const char *b, int64_t created_at)
{
	struct session_request request = { .parties = { { .role = "customer" },
					       { .role = "driver" } } };
	int i;

	*session = (struct session){
		.created_at = created_at,
		.expires_at = created_at + TTL,
		.voice = "both",
		.text = "both",
	};
	strcpy(request.parties[0].phone, a);
	strcpy(request.parties[1].phone, b);
	id_make(session->id, "ses", created_at * 1000);
	for (i = 0; i < SESSION_PARTIES; i++) {
		id_make(session->parties[i].id, "pty", created_at * 1000);
		strcpy(session->parties[i].role, request.parties[i].role);
		strcpy(session->parties[i].number, number);
	}
	must(session_insert(s->db, &s->keys, s->service.id, session, &request));
}

#endif
