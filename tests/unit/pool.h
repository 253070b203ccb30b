#ifndef POOL_H
#define POOL_H

/*
 * For tests of which masked number two people get: legs put into the
 * database past the library, and wishes of Anna and Boris.
 */

#include "store.h"

/* Writes a leg past the library: what a session would leave. Times are
 * seconds from NOW; legs of the same times are of one session. */
static inline void
put_leg(struct store *s, const char *number, const char *person,
    const char *peer, int live_until, int held_until)
{
	sqlite3 *raw = store_open(s);
	uint8_t hash[2][CRYPTO_HASH_SIZE];
	sqlite3_stmt *stmt;

	session_person(hash[0], &s->keys, person);
	session_person(hash[1], &s->keys, peer);
	assert_int_equal(
	    sqlite3_prepare_v2(raw,
		"INSERT INTO leg VALUES (?1, ?2, ?3, 'ses_' || ?4 || '_' || ?5,"
		" 'pty', ?4, ?5,"
		" (SELECT place FROM number WHERE number = ?1))",
		-1, &stmt, NULL),
	    SQLITE_OK);
	sqlite3_bind_text(stmt, 1, number, -1, SQLITE_STATIC);
	sqlite3_bind_blob(stmt, 2, hash[0], CRYPTO_HASH_SIZE, SQLITE_STATIC);
	sqlite3_bind_blob(stmt, 3, hash[1], CRYPTO_HASH_SIZE, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 4, NOW + live_until);
	sqlite3_bind_int64(stmt, 5, NOW + held_until);
	assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
	sqlite3_finalize(stmt);
	sqlite3_close(raw);
}

/* The legs of two people on a number, ended an hour ago unless live. */
static inline void
put_pair(struct store *s, const char *number, const char *a, const char *b,
    int live_until, int held_until)
{
	put_leg(s, number, a, b, live_until, held_until);
	put_leg(s, number, b, a, live_until, held_until);
}

/* Gives the service numbers, each last used a second after the one before. */
static inline void
put_numbers(struct store *s, int len, const char *const *numbers)
{
	char sql[128];
	int i;

	for (i = 0; i < len; i++) {
		store_number(s, s->service.id, numbers[i]);
		snprintf(sql, sizeof sql,
		    "UPDATE number SET last_used_at = %d WHERE number = '%s'",
		    1000 + i, numbers[i]);
		store_run(s, sql);
	}
}

static inline void
put_two(struct store *s)
{
	put_numbers(s, 2, (const char *const[]){ MASK_1, MASK_2 });
}

/* A wish, and the two people it is for. */
struct two {
	uint8_t anna[CRYPTO_HASH_SIZE];
	uint8_t boris[CRYPTO_HASH_SIZE];
	struct number_wish wish;
};

/* A wish for Anna and Boris at NOW, for any number. */
static inline void
make_wish(struct store *s, struct two *two)
{
	session_person(two->anna, &s->keys, ANNA);
	session_person(two->boris, &s->keys, BORIS);
	two->wish = (struct number_wish){
		.service_id = s->service.id,
		.persons = { two->anna, two->boris },
		.country = "",
		.number = "",
		.now = NOW,
	};
}

/* Checks that a number was used when. */
static inline void
check_used(struct store *s, const char *number, int64_t at)
{
	char sql[128];

	snprintf(sql, sizeof sql,
	    "SELECT last_used_at FROM number WHERE number = '%s'", number);
	assert_int_equal(store_int(s, sql), at);
}

/* Takes what two wish, whoever of them is named first, and checks what each
 * gets; NULL: none. Forgets that it was taken. */
static inline void
check_wish(struct store *s, const struct number_wish *wish, const char *first,
    const char *second)
{
	struct number_wish mine = *wish;
	char out[2][PHONE_SIZE];
	enum rc rc;
	int i;

	for (i = 0; i < 2; i++) {
		mine.persons[i] = wish->persons[0];
		mine.persons[1 - i] = wish->persons[1];
		strcpy(out[0], "untouched");
		strcpy(out[1], "untouched");
		store_run(s, "UPDATE service SET low_told_at = 0;"
			     " CREATE TABLE kept AS SELECT * FROM number");
		rc = number_take(s->db, out, &mine);
		if (first == NULL) {
			assert_int_equal(rc, RC_POOL);
			assert_string_equal(out[0], "untouched");
			assert_string_equal(out[1], "untouched");
		} else {
			assert_int_equal(rc, RC_OK);
			assert_string_equal(out[i], first);
			assert_string_equal(out[1 - i], second);
			check_used(s, first, mine.now);
			check_used(s, second, mine.now);
		}
		/* Nothing else was marked. */
		assert_in_range(
		    store_int(s, "SELECT count(*) FROM number n JOIN kept k"
				 " ON k.number = n.number"
				 " WHERE k.last_used_at <> n.last_used_at"),
		    0, first == NULL ? 0 : 2);
		store_run(s, "UPDATE number SET last_used_at = (SELECT"
			     " last_used_at FROM kept WHERE"
			     " kept.number = number.number); DROP TABLE kept;"
			     " UPDATE service SET low_told_at = 0");
	}
}

/* Takes a number of a country for Anna and Boris at a time; they must get one
 * for both. */
static inline void
check_take(
    struct store *s, const char *country, int64_t now, const char *expected)
{
	struct two two;

	make_wish(s, &two);
	two.wish.country = country;
	two.wish.now = now;
	check_wish(s, &two.wish, expected, expected);
}

/* The same at NOW, where each gets another. */
static inline void
check_apart(struct store *s, const char *anna, const char *boris)
{
	struct two two;

	make_wish(s, &two);
	check_wish(s, &two.wish, anna, boris);
}

#endif
