/* Masked numbers: who has them and which one two people get. */

#include "test.h"

#include "pool.h"

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
	store_run(s, "UPDATE leg SET session_id = 'ses'");
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

/* While nobody can be reached by it, or could be. */
static void
test_retire_what_nobody_has(void **state)
{
	struct store *s = *state;
	struct service other;
	struct number number;

	store_service(s, &other, "rides", "");
	put_two(s);
	put_leg(s, MASK_1, ANNA, BORIS, 10, 20);
	assert_int_equal(
	    number_retire(s->db, s->service.id, MASK_1, NOW + 9), RC_NONE);
	assert_int_equal(
	    number_retire(s->db, s->service.id, MASK_1, NOW + 19), RC_NONE);
	must(number_find(s->db, &number, MASK_1));
	assert_string_equal(number.state, "active");
	assert_int_equal(
	    number_retire(s->db, other.id, MASK_1, NOW + 20), RC_NOT_FOUND);
	assert_int_equal(number_retire(s->db, s->service.id, MASK_3, NOW + 20),
	    RC_NOT_FOUND);
	must(number_retire(s->db, s->service.id, MASK_1, NOW + 20));
	must(number_find(s->db, &number, MASK_1));
	assert_string_equal(number.state, "retired");
	must(number_find(s->db, &number, MASK_2));
	assert_string_equal(number.state, "active");
	/* Once more does no harm. */
	must(number_retire(s->db, s->service.id, MASK_1, NOW + 20));
}

/* Legs of people who are nobody; times are seconds from NOW. */
static void
put_crowd(struct store *s, int from, int len, int live_until, int held_until)
{
	char sql[500];

	snprintf(sql, sizeof sql,
	    "WITH n(i) AS (SELECT %d UNION ALL SELECT i + 1 FROM n LIMIT %d)"
	    " INSERT INTO leg SELECT number, CAST(printf('%%032d', i) AS BLOB),"
	    " x'00', 'ses', 'pty', %lld, %lld, place FROM n, number"
	    " WHERE number = '" MASK_1 "'",
	    from, len, (long long)NOW + live_until,
	    (long long)NOW + held_until);
	store_run(s, sql);
}

static void
check_legs(struct store *s, int live, int held)
{
	struct number number;

	must(number_read(s->db, &number, s->service.id, MASK_1, NOW));
	assert_int_equal(number.live, live);
	assert_int_equal(number.held, held);
}

static void
test_read_counts_legs_up_to_a_thousand(void **state)
{
	struct store *s = *state;
	struct number number;

	store_number(s, s->service.id, MASK_1);
	store_number(s, s->service.id, MASK_2);
	check_legs(s, 0, 0);
	put_crowd(s, 0, 3, 1, 9);        /* live by a second */
	put_crowd(s, 1000, 5, 0, 1);     /* held by a second */
	put_crowd(s, 2000, 2000, -9, 0); /* neither any more */
	check_legs(s, 3, 5);
	put_crowd(s, 5000, 994, -1, 1);
	check_legs(s, 3, 999);
	put_crowd(s, 6000, 1000, -1, 1);
	put_crowd(s, 8000, 996, 9, 9);
	check_legs(s, 999, 1000);
	put_crowd(s, 9000, 1000, 9, 9);
	check_legs(s, 1000, 1000);
	must(number_read(s->db, &number, s->service.id, MASK_2, NOW));
	assert_int_equal(number.live + number.held, 0);
	assert_int_equal(
	    number_read(s->db, &number, "svc_none", MASK_1, NOW), RC_NOT_FOUND);
}

/* Counts in a page of a state and country behind a number. */
static void
check_page(struct store *s, const char *states, const char *country,
    const char *after, int limit, const char *wanted)
{
	struct number numbers[NUMBER_PAGE_MAX];
	struct number_filter filter = { .limit = limit };
	char text[200] = "";
	int len, i;

	strcpy(filter.state, states);
	strcpy(filter.country, country);
	strcpy(filter.after, after);
	must(number_page(s->db, s->service.id, &filter, NOW, numbers, &len));
	for (i = 0; i < len; i++)
		strcat(strcat(text, numbers[i].number), " ");
	assert_string_equal(text, wanted);
}

static void
test_page_by_country(void **state)
{
	const char *abroad = "+442079460101";
	struct store *s = *state;
	struct service other;

	store_service(s, &other, "rides", "");
	store_number(s, other.id, MASK_3);
	store_number(s, s->service.id, MASK_2);
	store_number(s, s->service.id, MASK_1);
	store_number(s, s->service.id, abroad);
	must(number_set_state(s->db, s->service.id, MASK_2, "retired"));
	check_page(s, "", "", "", 9, "+442079460101 " MASK_1 " " MASK_2 " ");
	check_page(s, "", "", "", 2, "+442079460101 " MASK_1 " ");
	check_page(s, "", "", MASK_1, 2, MASK_2 " ");
	check_page(s, "", "", MASK_2, 2, "");
	check_page(s, "", "GB", "", 9, "+442079460101 ");
	check_page(s, "", "US", "", 9, MASK_1 " " MASK_2 " ");
	check_page(s, "active", "", "", 9, "+442079460101 " MASK_1 " ");
	check_page(s, "active", "US", "", 9, MASK_1 " ");
	check_page(s, "retired", "US", MASK_1, 9, MASK_2 " ");
	check_page(s, "retired", "GB", "", 9, "");
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
		STORE_TEST(test_free_for_whom),
		STORE_TEST(test_set_state_of_its_own_numbers),
		STORE_TEST(test_retire_what_nobody_has),
		STORE_TEST(test_read_counts_legs_up_to_a_thousand),
		STORE_TEST(test_page_by_country),
	};

	return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
