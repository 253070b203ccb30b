/* Masked numbers: who has them and which one two people get. */

#include "test.h"

#include "store.h"

/* Writes a leg past the library: what a session would leave. Times are
 * seconds from NOW; legs of the same times are of one session. */
static void
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
		" 'pty', ?4, ?5)",
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
static void
put_pair(struct store *s, const char *number, const char *a, const char *b,
    int live_until, int held_until)
{
	put_leg(s, number, a, b, live_until, held_until);
	put_leg(s, number, b, a, live_until, held_until);
}

/* Gives the service numbers, each last used a second after the one before. */
static void
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

static void
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
static void
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
static void
check_used(struct store *s, const char *number, int64_t at)
{
	char sql[128];

	snprintf(sql, sizeof sql,
	    "SELECT last_used_at FROM number WHERE number = '%s'", number);
	assert_int_equal(store_int(s, sql), at);
}

/* Takes what two wish, whoever of them is named first, and checks what each
 * gets; NULL: none. Forgets that it was taken. */
static void
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
static void
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
static void
check_apart(struct store *s, const char *anna, const char *boris)
{
	struct two two;

	make_wish(s, &two);
	check_wish(s, &two.wish, anna, boris);
}

static void
test_insert_and_find(void **state)
{
	struct store *s = *state;
	struct number number;

	must(number_insert(s->db, s->service.id, MASK_CA, "CA", NOW));
	must(number_find(s->db, &number, MASK_CA));
	assert_string_equal(number.number, MASK_CA);
	assert_string_equal(number.service_id, s->service.id);
	assert_string_equal(number.state, "active");
	store_check(s,
	    "SELECT country || ' ' || last_used_at || ' ' || created_at"
	    " FROM number",
	    "CA 0 1800000000");
	store_run(s, "UPDATE number SET state = 'retired'");
	must(number_find(s->db, &number, MASK_CA));
	assert_string_equal(number.state, "retired");
}

static void
test_insert_refuses_a_number_of_any_service(void **state)
{
	struct store *s = *state;
	struct service other;
	struct number number;

	store_service(s, &other, "rides", "");
	store_number(s, s->service.id, MASK_1);
	assert_int_equal(
	    number_insert(s->db, s->service.id, MASK_1, "CA", NOW), RC_EXISTS);
	assert_int_equal(
	    number_insert(s->db, other.id, MASK_1, "CA", NOW), RC_EXISTS);
	must(number_find(s->db, &number, MASK_1));
	assert_string_equal(number.service_id, s->service.id);
	store_check(s, "SELECT country FROM number", "US");
}

static void
test_find_refuses_the_rest(void **state)
{
	struct store *s = *state;
	struct number number = { .state = "untouched" };

	store_number(s, s->service.id, MASK_1);
	assert_int_equal(number_find(s->db, &number, MASK_2), RC_NOT_FOUND);
	assert_int_equal(number_find(s->db, &number, MASK_1 "0"), RC_NOT_FOUND);
	assert_int_equal(number_find(s->db, &number, &MASK_1[1]), RC_NOT_FOUND);
	assert_int_equal(number_find(s->db, &number, ""), RC_NOT_FOUND);
	assert_int_equal(number_find(s->db, &number, "%"), RC_NOT_FOUND);
	assert_string_equal(number.state, "untouched");
}

/* What number_list gave. */
struct listed {
	struct number numbers[4];
	int len;
};

static void
keep(void *cookie, const struct number *number)
{
	struct listed *listed = cookie;

	assert_in_range(listed->len, 0, 3);
	listed->numbers[listed->len++] = *number;
}

static void
test_list_counts_legs_to_the_second(void **state)
{
	static const struct {
		int now, live[2], held[2];
	} rows[] = { { 9, { 3, 1 }, { 0, 0 } }, { 10, { 1, 1 }, { 2, 0 } },
		{ 19, { 1, 1 }, { 2, 0 } }, { 20, { 0, 1 }, { 1, 0 } },
		{ 29, { 0, 1 }, { 1, 0 } }, { 30, { 0, 1 }, { 0, 0 } } };
	struct store *s = *state;
	struct listed listed;
	struct service other;
	size_t i;
	int j;

	store_service(s, &other, "rides", "");
	store_number(s, other.id, MASK_3);
	put_two(s);
	store_run(s, "UPDATE number SET state = 'draining', country = 'GU'"
		     " WHERE number = '" MASK_2 "'");
	put_pair(s, MASK_1, ANNA, BORIS, 10, 20);
	put_leg(s, MASK_1, CLARA, ANNA, 20, 30);
	put_leg(s, MASK_2, CLARA, ANNA, 100, 100);
	put_leg(s, MASK_3, CLARA, ANNA, 100, 100);
	for (i = 0; i < LENGTH(rows); i++) {
		listed.len = 0;
		must(number_list(
		    s->db, s->service.id, NOW + rows[i].now, keep, &listed));
		assert_int_equal(listed.len, 2);
		for (j = 0; j < 2; j++) {
			assert_int_equal(
			    listed.numbers[j].live, rows[i].live[j]);
			assert_int_equal(
			    listed.numbers[j].held, rows[i].held[j]);
		}
	}
	assert_string_equal(listed.numbers[0].number, MASK_1);
	assert_string_equal(listed.numbers[0].country, "US");
	assert_string_equal(listed.numbers[0].state, "active");
	assert_int_equal(listed.numbers[0].last_used_at, 1000);
	assert_string_equal(listed.numbers[1].number, MASK_2);
	assert_string_equal(listed.numbers[1].country, "GU");
	assert_string_equal(listed.numbers[1].state, "draining");
	assert_int_equal(listed.numbers[1].last_used_at, 1001);
}

static void
test_party_counts_open_sessions_to_the_second(void **state)
{
	struct store *s = *state;
	uint8_t anna[CRYPTO_HASH_SIZE], dora[CRYPTO_HASH_SIZE];
	int64_t count = 7;

	session_person(anna, &s->keys, ANNA);
	session_person(dora, &s->keys, DORA);
	put_two(s);
	put_pair(s, MASK_1, ANNA, BORIS, 10, 30);
	put_pair(s, MASK_2, ANNA, CLARA, 20, 30);
	must(number_party(s->db, &count, anna, NOW + 9));
	assert_int_equal(count, 2);
	must(number_party(s->db, &count, anna, NOW + 10));
	assert_int_equal(count, 1);
	must(number_party(s->db, &count, anna, NOW + 20));
	assert_int_equal(count, 0);
	count = 7;
	must(number_party(s->db, &count, dora, NOW));
	assert_int_equal(count, 0);
}

static void
test_take_the_longest_unused(void **state)
{
	struct store *s = *state;

	put_numbers(s, 3, (const char *const[]){ MASK_2, MASK_3, MASK_1 });
	check_take(s, "", NOW, MASK_2);
	store_run(s,
	    "UPDATE number SET last_used_at = 5 WHERE number = '" MASK_3 "'");
	check_take(s, "", NOW, MASK_3);
	check_take(s, "US", NOW, MASK_3);
	/* All alike: the lowest. */
	store_run(s, "UPDATE number SET last_used_at = 5");
	check_take(s, "", NOW, MASK_1);
	check_take(s, "US", NOW, MASK_1);
}

static void
test_take_refuses_an_empty_pool(void **state)
{
	struct store *s = *state;
	struct service other;

	check_take(s, "", NOW, NULL);
	store_service(s, &other, "rides", "");
	store_number(s, other.id, MASK_1);
	check_take(s, "", NOW, NULL);
	check_take(s, "US", NOW, NULL);
}

/* Live or held, of the one or the other: not free for both. */
static void
test_take_skips_legs_to_the_second(void **state)
{
	struct store *s = *state;

	put_two(s);
	put_leg(s, MASK_1, ANNA, CLARA, 10, 20);
	put_leg(s, MASK_1, CLARA, ANNA, 10, 99);
	check_take(s, "", NOW, MASK_2);
	check_take(s, "US", NOW, MASK_2);
	check_take(s, "", NOW + 10, MASK_2);
	check_take(s, "", NOW + 19, MASK_2);
	check_take(s, "US", NOW + 19, MASK_2);
	check_take(s, "", NOW + 20, MASK_1);
	check_take(s, "US", NOW + 20, MASK_1);
	put_leg(s, MASK_2, ANNA, DORA, 0, 30);
	check_take(s, "", NOW + 19, NULL);
	check_take(s, "US", NOW + 19, NULL);
	store_run(s, "UPDATE leg SET held_until = held_until + 100");
	check_take(s, "", NOW + 119, NULL);
	check_take(s, "US", NOW + 119, NULL);
	check_take(s, "", NOW + 120, MASK_1);
	check_take(s, "", NOW + 130, MASK_1);
}

/* A reserved, draining or retired number takes nothing new, also not for
 * those who had it. */
static void
test_take_skips_numbers_out_of_use(void **state)
{
	static const char *const states[] = { "reserved", "draining",
		"retired" };
	struct store *s = *state;
	char sql[128];
	size_t i;

	put_two(s);
	put_pair(s, MASK_1, ANNA, BORIS, -10, 50);
	check_take(s, "", NOW, MASK_1);
	for (i = 0; i < LENGTH(states); i++) {
		snprintf(sql, sizeof sql,
		    "UPDATE number SET state = '%s' WHERE number = '" MASK_1
		    "'",
		    states[i]);
		store_run(s, sql);
		check_take(s, "", NOW, MASK_2);
		check_take(s, "US", NOW, MASK_2);
		/* Free for both, and the longest unused. */
		check_take(s, "", NOW + 50, MASK_2);
		check_take(s, "US", NOW + 50, MASK_2);
	}
	store_run(s, "UPDATE number SET state = 'draining'");
	check_take(s, "", NOW, NULL);
}

static void
test_take_of_the_country_asked_for(void **state)
{
	struct store *s = *state;

	put_numbers(s, 3, (const char *const[]){ MASK_1, MASK_2, MASK_CA });
	check_take(s, "", NOW, MASK_1);
	check_take(s, "CA", NOW, MASK_CA);
	check_take(s, "US", NOW, MASK_1);
	check_take(s, "GB", NOW, NULL);
	put_leg(s, MASK_CA, ANNA, CLARA, 10, 20);
	check_take(s, "CA", NOW, NULL);
}

/* What both still hold for each other, though another was unused longer. */
static void
test_take_sticks_to_the_number_they_had(void **state)
{
	struct store *s = *state;

	put_two(s);
	put_pair(s, MASK_2, ANNA, BORIS, 0, 50);
	check_take(s, "", NOW, MASK_2);
	check_take(s, "US", NOW, MASK_2);
	check_take(s, "", NOW + 49, MASK_2);
}

static void
test_take_sticks_to_the_last_of_several(void **state)
{
	struct store *s = *state;

	put_numbers(s, 3, (const char *const[]){ MASK_1, MASK_2, MASK_3 });
	put_pair(s, MASK_1, ANNA, BORIS, -30, 20);
	put_pair(s, MASK_3, ANNA, BORIS, -10, 40);
	put_pair(s, MASK_2, ANNA, BORIS, -20, 30);
	check_take(s, "", NOW, MASK_3);
}

/* While their session lives they need a second number. */
static void
test_take_does_not_stick_to_a_live_leg(void **state)
{
	struct store *s = *state;

	put_two(s);
	put_pair(s, MASK_1, ANNA, BORIS, 10, 50);
	check_take(s, "", NOW + 9, MASK_2);
	check_take(s, "", NOW + 10, MASK_1);
	/* One of the two is enough. */
	store_run(s, "DELETE FROM leg");
	put_leg(s, MASK_1, ANNA, BORIS, -10, 50);
	put_leg(s, MASK_1, BORIS, ANNA, 10, 50);
	check_take(s, "", NOW, MASK_2);
}

/* One of them has been given the number with someone else since, or has
 * nothing left of it. */
static void
test_take_does_not_stick_to_half_a_pair(void **state)
{
	struct store *s = *state;

	put_two(s);
	put_leg(s, MASK_1, ANNA, BORIS, -10, 50);
	put_leg(s, MASK_1, BORIS, CLARA, -10, 50);
	check_take(s, "", NOW, MASK_2);
	put_leg(s, MASK_1, CLARA, ANNA, -20, 40);
	check_take(s, "", NOW, MASK_2);
	store_run(s, "DELETE FROM leg");
	put_leg(s, MASK_1, BORIS, ANNA, -10, 50);
	check_take(s, "", NOW, MASK_2);
	/* Of two different sessions: not what they had last together. */
	put_leg(s, MASK_2, ANNA, BORIS, -10, 51);
	put_numbers(s, 1, (const char *const[]){ MASK_3 });
	check_take(s, "", NOW, MASK_3);
}

static void
test_take_sticks_within_service_and_country(void **state)
{
	struct store *s = *state;
	struct service other;

	store_service(s, &other, "rides", "");
	store_number(s, other.id, MASK_3);
	put_numbers(s, 2, (const char *const[]){ MASK_1, MASK_CA });
	put_pair(s, MASK_3, ANNA, BORIS, -10, 90);
	check_take(s, "", NOW, MASK_1);
	put_pair(s, MASK_CA, ANNA, BORIS, -10, 50);
	check_take(s, "", NOW, MASK_CA);
	check_take(s, "CA", NOW, MASK_CA);
	check_take(s, "US", NOW, MASK_1);
	check_take(s, "GB", NOW, NULL);
}

/* The newest number they hold is of another country, an older one is not. */
static void
test_take_sticks_to_the_last_of_the_country(void **state)
{
	struct store *s = *state;

	put_numbers(s, 2, (const char *const[]){ MASK_1, MASK_CA });
	put_pair(s, MASK_1, ANNA, BORIS, -20, 40);
	put_pair(s, MASK_CA, ANNA, BORIS, -10, 50);
	check_take(s, "CA", NOW, MASK_CA);
	check_take(s, "US", NOW, MASK_1);
}

/* One each, in their last session: each gets the own one again. */
static void
test_take_sticks_to_one_each(void **state)
{
	struct store *s = *state;

	put_numbers(s, 3, (const char *const[]){ MASK_1, MASK_2, MASK_3 });
	put_leg(s, MASK_2, ANNA, BORIS, -10, 50);
	put_leg(s, MASK_3, BORIS, ANNA, -10, 50);
	check_apart(s, MASK_2, MASK_3);
	/* Unless one of them cannot be had. */
	store_run(s, "UPDATE number SET state = 'draining'"
		     " WHERE number = '" MASK_3 "'");
	check_take(s, "", NOW, MASK_1);
}

/* A service may want two people to get another number each time. */
static void
test_take_avoids_what_they_had(void **state)
{
	struct store *s = *state;
	struct two two;

	make_wish(s, &two);
	two.wish.avoid_last = true;
	put_two(s);
	put_pair(s, MASK_1, ANNA, BORIS, -10, 50);
	check_wish(s, &two.wish, MASK_2, MASK_2);
	two.wish.country = "US";
	check_wish(s, &two.wish, MASK_2, MASK_2);
	/* But rather what they had than nothing. */
	two.wish.country = "";
	put_leg(s, MASK_2, BORIS, CLARA, 10, 90);
	check_wish(s, &two.wish, MASK_1, MASK_1);
}

/* Where no number is free for both, each gets the one longest unused that is
 * free for them. */
static void
test_take_one_each(void **state)
{
	struct store *s = *state;
	struct two two;

	put_numbers(
	    s, 4, (const char *const[]){ MASK_1, MASK_2, MASK_3, MASK_CA });
	put_leg(s, MASK_1, ANNA, CLARA, 10, 50);
	put_leg(s, MASK_3, ANNA, CLARA, 10, 50);
	put_leg(s, MASK_2, BORIS, DORA, -10, 50);
	put_leg(s, MASK_CA, BORIS, DORA, -10, 50);
	check_apart(s, MASK_2, MASK_1);
	make_wish(s, &two);
	two.wish.country = "CA";
	check_wish(s, &two.wish, NULL, NULL);
	two.wish.country = "US";
	check_wish(s, &two.wish, MASK_2, MASK_1);
	/* One of them has nothing: neither gets anything. */
	put_leg(s, MASK_1, BORIS, DORA, -10, 50);
	put_leg(s, MASK_3, BORIS, DORA, -10, 50);
	check_apart(s, NULL, NULL);
}

static void
test_take_the_number_wished_for(void **state)
{
	struct store *s = *state;
	struct service other;
	struct two two;

	store_service(s, &other, "rides", "");
	store_number(s, other.id, MASK_CA);
	put_numbers(s, 3, (const char *const[]){ MASK_1, MASK_2, MASK_3 });
	make_wish(s, &two);
	two.wish.number = MASK_3;
	check_wish(s, &two.wish, MASK_3, MASK_3);
	/* Reserved is for those who ask. */
	must(number_set_state(s->db, s->service.id, MASK_3, "reserved"));
	check_wish(s, &two.wish, MASK_3, MASK_3);
	/* Theirs from before, but not while it lives. */
	put_pair(s, MASK_3, ANNA, BORIS, 10, 50);
	check_wish(s, &two.wish, NULL, NULL);
	two.wish.now = NOW + 10;
	check_wish(s, &two.wish, MASK_3, MASK_3);
	/* One leg of another pair is enough to refuse, either's. */
	store_run(s, "DELETE FROM leg");
	put_leg(s, MASK_3, ANNA, CLARA, -10, 50);
	check_wish(s, &two.wish, NULL, NULL);
	store_run(s, "DELETE FROM leg");
	put_leg(s, MASK_3, BORIS, CLARA, -10, 50);
	check_wish(s, &two.wish, NULL, NULL);
	two.wish.now = NOW + 49;
	check_wish(s, &two.wish, NULL, NULL);
	two.wish.now = NOW + 50;
	check_wish(s, &two.wish, MASK_3, MASK_3);
	/* Never what is draining or retired, or another's, or not there. */
	must(number_set_state(s->db, s->service.id, MASK_3, "draining"));
	check_wish(s, &two.wish, NULL, NULL);
	must(number_set_state(s->db, s->service.id, MASK_3, "retired"));
	check_wish(s, &two.wish, NULL, NULL);
	two.wish.number = MASK_CA;
	check_wish(s, &two.wish, NULL, NULL);
	two.wish.number = "+12025550100";
	check_wish(s, &two.wish, NULL, NULL);
}

/* Held long enough, and allowed, and nothing else left: the oldest. */
static void
test_take_reuses_the_oldest_held(void **state)
{
	struct store *s = *state;
	struct two two;

	put_numbers(s, 3, (const char *const[]){ MASK_1, MASK_2, MASK_3 });
	put_pair(s, MASK_1, ANNA, CLARA, -100, 900);
	put_pair(s, MASK_2, ANNA, CLARA, -300, 700);
	put_pair(s, MASK_3, ANNA, CLARA, -200, 800);
	make_wish(s, &two);
	/* Not allowed. */
	check_wish(s, &two.wish, NULL, NULL);
	/* The minimum, to the second. */
	two.wish.reuse_before = NOW - 301;
	check_wish(s, &two.wish, NULL, NULL);
	two.wish.reuse_before = NOW - 300;
	check_wish(s, &two.wish, MASK_2, MASK_1);
	two.wish.reuse_before = NOW - 1;
	check_wish(s, &two.wish, MASK_2, MASK_1);
	/* For both. */
	put_pair(s, MASK_1, BORIS, DORA, -400, 600);
	put_pair(s, MASK_2, BORIS, DORA, -150, 850);
	put_pair(s, MASK_3, BORIS, DORA, -50, 950);
	check_wish(s, &two.wish, MASK_2, MASK_1);
	/* Not what lives, and not what is out of use. */
	store_run(s, "UPDATE leg SET live_until = held_until"
		     " WHERE number = '" MASK_2 "'");
	check_wish(s, &two.wish, MASK_3, MASK_1);
	must(number_set_state(s->db, s->service.id, MASK_1, "draining"));
	check_wish(s, &two.wish, MASK_3, MASK_3);
	must(number_set_state(s->db, s->service.id, MASK_3, "reserved"));
	check_wish(s, &two.wish, NULL, NULL);
}

/* A number that is free is taken before one that is held. */
static void
test_take_reuses_nothing_while_some_is_free(void **state)
{
	struct store *s = *state;
	struct two two;

	put_two(s);
	put_pair(s, MASK_1, ANNA, CLARA, -100, 900);
	make_wish(s, &two);
	two.wish.reuse_before = NOW;
	check_wish(s, &two.wish, MASK_2, MASK_2);
	/* One each before that, too. */
	put_leg(s, MASK_2, BORIS, DORA, -50, 900);
	check_wish(s, &two.wish, MASK_2, MASK_1);
}

static void
test_take_reuses_within_country_and_service(void **state)
{
	struct store *s = *state;
	struct service other;
	struct two two;

	store_service(s, &other, "rides", "");
	store_number(s, other.id, MASK_3);
	put_numbers(s, 2, (const char *const[]){ MASK_1, MASK_CA });
	put_pair(s, MASK_1, ANNA, CLARA, -200, 900);
	put_pair(s, MASK_CA, ANNA, CLARA, -100, 901);
	put_pair(s, MASK_3, ANNA, CLARA, -300, 902);
	make_wish(s, &two);
	two.wish.reuse_before = NOW;
	two.wish.country = "CA";
	check_wish(s, &two.wish, MASK_CA, MASK_CA);
	two.wish.country = "US";
	check_wish(s, &two.wish, MASK_1, MASK_1);
	two.wish.country = "GB";
	check_wish(s, &two.wish, NULL, NULL);
	store_run(s, "DELETE FROM leg WHERE number = '" MASK_1 "'");
	put_leg(s, MASK_1, ANNA, CLARA, 10, 20);
	two.wish.country = "US";
	check_wish(s, &two.wish, NULL, NULL);
}

/* Gives the service len numbers of a country, numbered from `first`. Beyond
 * a hundred they are no telephone numbers any more, which nobody here minds. */
static void
fill_pool(struct store *s, const char *country, int first, int len)
{
	sqlite3 *raw = store_open(s);
	char sql[600];

	snprintf(sql, sizeof sql,
	    "WITH RECURSIVE i(n) AS (SELECT %d UNION ALL SELECT n + 1 FROM i"
	    " WHERE n < %d) INSERT INTO number (number, service_id, country,"
	    " state, last_used_at, created_at, shuffle) SELECT"
	    " printf('+120255501%%04d', n), '%s', '%s', 'active', n, 0,"
	    " n * 20000000 FROM i",
	    first, first + len - 1, s->service.id, country);
	assert_int_equal(sqlite3_exec(raw, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(raw);
}

/* Gives a person a held leg on every number but one. */
static void
hold_all_but(struct store *s, const char *person, const char *number)
{
	sqlite3 *raw = store_open(s);
	uint8_t hash[CRYPTO_HASH_SIZE];
	sqlite3_stmt *stmt;

	session_person(hash, &s->keys, person);
	assert_int_equal(
	    sqlite3_prepare_v2(raw,
		"INSERT INTO leg SELECT number, ?1, x'00', 'ses', 'pty', ?2,"
		" ?3 FROM number WHERE number <> ?4",
		-1, &stmt, NULL),
	    SQLITE_OK);
	sqlite3_bind_blob(stmt, 1, hash, CRYPTO_HASH_SIZE, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, NOW);
	sqlite3_bind_int64(stmt, 3, NOW + 900);
	sqlite3_bind_text(stmt, 4, number, -1, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
	sqlite3_finalize(stmt);
	sqlite3_close(raw);
}

/* The only free number is found wherever it stands: among the longest unused
 * as behind them. */
static void
test_take_finds_the_last_free_of_many(void **state)
{
	static const int sizes[] = { 64, 65, 200 };
	static const int places[] = { 0, 1, 62, 63, 64, 65, 127, 128, 199 };
	struct store *s = *state;
	char number[32];
	size_t i, j;

	for (i = 0; i < LENGTH(sizes); i++) {
		fill_pool(s, "US", 0, sizes[i]);
		for (j = 0; j < LENGTH(places) && places[j] < sizes[i]; j++) {
			snprintf(
			    number, sizeof number, "+120255501%04d", places[j]);
			hold_all_but(s, j % 2 == 0 ? ANNA : BORIS, number);
			check_take(s, "", NOW, number);
			check_take(s, "US", NOW, number);
			check_take(s, "CA", NOW, NULL);
			hold_all_but(s, j % 2 == 0 ? BORIS : ANNA, number);
			check_take(s, "", NOW, number);
			check_take(s, "US", NOW, number);
			store_run(s, "DELETE FROM leg");
		}
		hold_all_but(s, ANNA, "");
		check_take(s, "", NOW, NULL);
		check_take(s, "US", NOW, NULL);
		store_run(s, "DELETE FROM leg");
		store_run(s, "DELETE FROM number");
	}
}

/* Nothing is free for both among many: one each. */
static void
test_take_one_each_of_many(void **state)
{
	struct store *s = *state;

	fill_pool(s, "US", 0, 130);
	hold_all_but(s, ANNA, "+1202555010129");
	hold_all_but(s, BORIS, "+1202555010077");
	check_apart(s, "+1202555010129", "+1202555010077");
}

/* A person with a leg on as many numbers as there are, but of which some are
 * of another country or out of use, still gets the free one. */
static void
test_take_counts_what_is_in_use(void **state)
{
	struct store *s = *state;

	fill_pool(s, "US", 0, 100);
	fill_pool(s, "CA", 100, 100);
	hold_all_but(s, ANNA, "+1202555010090");
	check_take(s, "", NOW, "+1202555010090");
	check_take(s, "US", NOW, "+1202555010090");
	check_take(s, "CA", NOW, NULL);
	store_run(s, "UPDATE number SET state = 'draining'"
		     " WHERE number < '+1202555010050'");
	check_take(s, "", NOW, "+1202555010090");
	/* Legs whose hold is over count for nothing. */
	store_run(s, "UPDATE leg SET held_until = live_until");
	check_take(s, "CA", NOW, "+1202555010100");
}

/* While there is plenty, the one longest unused; not a random one. */
static void
test_take_the_longest_unused_of_many(void **state)
{
	struct store *s = *state;

	fill_pool(s, "US", 0, 200);
	check_take(s, "", NOW, "+1202555010000");
	put_leg(s, "+1202555010000", ANNA, CLARA, 10, 20);
	check_take(s, "", NOW, "+1202555010001");
	put_leg(s, "+1202555010001", BORIS, CLARA, 10, 20);
	check_take(s, "US", NOW, "+1202555010002");
}

static void
test_free_for_whom(void **state)
{
	struct store *s = *state;
	struct two two;

	make_wish(s, &two);
	put_two(s);
	must(number_free(
	    s->db, s->service.id, MASK_1, two.anna, two.boris, NOW));
	assert_int_equal(
	    number_free(s->db, s->service.id, MASK_3, two.anna, two.boris, NOW),
	    RC_POOL);
	assert_int_equal(
	    number_free(s->db, "svc_", MASK_1, two.anna, two.boris, NOW),
	    RC_POOL);
	put_leg(s, MASK_1, ANNA, BORIS, 10, 50);
	assert_int_equal(number_free(s->db, s->service.id, MASK_1, two.anna,
			     two.boris, NOW + 9),
	    RC_POOL);
	must(number_free(
	    s->db, s->service.id, MASK_1, two.anna, two.boris, NOW + 10));
	/* The hold is against others; Boris has none. */
	assert_int_equal(number_free(s->db, s->service.id, MASK_1, two.anna,
			     two.anna, NOW + 49),
	    RC_POOL);
	must(number_free(
	    s->db, s->service.id, MASK_1, two.anna, two.anna, NOW + 50));
	must(number_free(
	    s->db, s->service.id, MASK_1, two.boris, two.anna, NOW));
}

static void
test_room_counts_what_is_free_for_both(void **state)
{
	int64_t numbers = -1, free_numbers = -1;
	struct store *s = *state;
	struct two two;

	make_wish(s, &two);
	must(number_room(s->db, &two.wish, &numbers, &free_numbers));
	assert_int_equal(numbers, 0);
	assert_int_equal(free_numbers, 0);
	fill_pool(s, "US", 0, 10);
	put_leg(s, "+1202555010003", ANNA, CLARA, 10, 20);
	put_leg(s, "+1202555010003", BORIS, CLARA, 10, 20);
	put_leg(s, "+1202555010004", BORIS, CLARA, -10, 20);
	must(number_room(s->db, &two.wish, &numbers, &free_numbers));
	assert_int_equal(numbers, 10);
	assert_int_equal(free_numbers, 8);
	two.wish.now = NOW + 20;
	must(number_room(s->db, &two.wish, &numbers, &free_numbers));
	assert_int_equal(free_numbers, 10);
	store_run(s, "UPDATE number SET state = 'reserved'"
		     " WHERE number < '+1202555010003'");
	must(number_room(s->db, &two.wish, &numbers, &free_numbers));
	assert_int_equal(numbers, 7);
	fill_pool(s, "US", 10, 100);
	must(number_room(s->db, &two.wish, &numbers, &free_numbers));
	assert_int_equal(numbers, 64);
}

static void
test_set_state_of_its_own_numbers(void **state)
{
	struct store *s = *state;
	struct service other;
	struct number number;

	store_service(s, &other, "rides", "");
	put_two(s);
	must(number_set_state(s->db, s->service.id, MASK_1, "draining"));
	must(number_find(s->db, &number, MASK_1));
	assert_string_equal(number.state, "draining");
	must(number_find(s->db, &number, MASK_2));
	assert_string_equal(number.state, "active");
	assert_int_equal(
	    number_set_state(s->db, other.id, MASK_1, "retired"), RC_NOT_FOUND);
	assert_int_equal(
	    number_set_state(s->db, s->service.id, MASK_3, "retired"),
	    RC_NOT_FOUND);
	/* The table knows four states. */
	assert_int_equal(
	    number_set_state(s->db, s->service.id, MASK_1, "gone"), RC_RETRY);
	must(number_find(s->db, &number, MASK_1));
	assert_string_equal(number.state, "draining");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_insert_and_find),
		STORE_TEST(test_insert_refuses_a_number_of_any_service),
		STORE_TEST(test_find_refuses_the_rest),
		STORE_TEST(test_list_counts_legs_to_the_second),
		STORE_TEST(test_party_counts_open_sessions_to_the_second),
		STORE_TEST(test_take_the_longest_unused),
		STORE_TEST(test_take_refuses_an_empty_pool),
		STORE_TEST(test_take_skips_legs_to_the_second),
		STORE_TEST(test_take_skips_numbers_out_of_use),
		STORE_TEST(test_take_of_the_country_asked_for),
		STORE_TEST(test_take_sticks_to_the_number_they_had),
		STORE_TEST(test_take_sticks_to_the_last_of_several),
		STORE_TEST(test_take_does_not_stick_to_a_live_leg),
		STORE_TEST(test_take_does_not_stick_to_half_a_pair),
		STORE_TEST(test_take_sticks_within_service_and_country),
		STORE_TEST(test_take_sticks_to_the_last_of_the_country),
		STORE_TEST(test_take_sticks_to_one_each),
		STORE_TEST(test_take_avoids_what_they_had),
		STORE_TEST(test_take_one_each),
		STORE_TEST(test_take_the_number_wished_for),
		STORE_TEST(test_take_reuses_the_oldest_held),
		STORE_TEST(test_take_reuses_nothing_while_some_is_free),
		STORE_TEST(test_take_reuses_within_country_and_service),
		STORE_TEST(test_take_finds_the_last_free_of_many),
		STORE_TEST(test_take_one_each_of_many),
		STORE_TEST(test_take_counts_what_is_in_use),
		STORE_TEST(test_take_the_longest_unused_of_many),
		STORE_TEST(test_free_for_whom),
		STORE_TEST(test_room_counts_what_is_free_for_both),
		STORE_TEST(test_set_state_of_its_own_numbers),
	};

	return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
