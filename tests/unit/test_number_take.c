/* Masked numbers: one each, wishes, early reuse, large pools. */

#include "test.h"

#include "pool.h"

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

/* Gives the service len numbers of a country, numbered from `first`, their
 * places spread over all there are. Beyond a hundred they are no telephone
 * numbers any more, which nobody here minds. */
static void
fill_pool(struct store *s, const char *country, int first, int len)
{
	sqlite3 *raw = store_open(s);
	char sql[600];

	snprintf(sql, sizeof sql,
	    "WITH RECURSIVE i(n) AS (SELECT %d UNION ALL SELECT n + 1 FROM i"
	    " WHERE n < %d) INSERT INTO number (number, service_id, country,"
	    " state, last_used_at, created_at, place) SELECT"
	    " printf('+120255501%%04d', n), '%s', '%s', 'active', n, 0,"
	    " n * 40000000000000000 FROM i",
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
		" ?3, place FROM number WHERE number <> ?4",
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
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
		STORE_TEST(test_room_counts_what_is_free_for_both),
	};

	return cmocka_run_group_tests_name("number_take", tests, NULL, NULL);
}
