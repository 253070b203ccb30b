/* How many masked numbers a service needs. */

#include "test.h"

#include "deeds.h"
#include "plan.h"

/* What plan_history told, by country. */
struct told {
	struct plan_need needs[4];
	int len;
};

static void
take(void *cookie, const struct plan_need *need)
{
	struct told *told = cookie;

	assert_in_range(told->len, 0, 3);
	told->needs[told->len++] = *need;
}

static struct told
plan(struct store *s, int64_t hold_s, int64_t since)
{
	struct told told = { .len = 0 };

	must(plan_history(s->db, s->service.id, hold_s, since, take, &told));
	return told;
}

static void
add_numbers(struct store *s)
{
	must(number_insert(s->db, s->service.id, MASK_1, "US", NOW));
	must(number_insert(s->db, s->service.id, MASK_2, "US", NOW));
	must(number_insert(s->db, s->service.id, MASK_3, "US", NOW));
}

static void
test_no_sessions_need_nothing(void **state)
{
	struct store *s = *state;

	add_numbers(s);
	assert_int_equal(plan(s, HOLD, 0).len, 0);
}

/* Boris drives three, one after the other; only the holds overlap. */
static void
test_the_busiest_person_counts(void **state)
{
	static const char *const riders[] = { ANNA, CLARA, DORA };
	struct session session, closed;
	struct store *s = *state;
	struct told told;
	size_t i;

	add_numbers(s);
	for (i = 0; i < LENGTH(riders); i++) {
		at(s, NOW + (int64_t)i * 600);
		session = open_session(s, "", riders[i], BORIS);
		at(s, NOW + (int64_t)i * 600 + 300);
		must(close_session(s, session.id, &closed));
	}
	told = plan(s, HOLD, 0);
	assert_int_equal(told.len, 1);
	assert_string_equal(told.needs[0].country, "US");
	assert_int_equal(told.needs[0].needed, 3);
	assert_int_equal(told.needs[0].have, 3);
	assert_int_equal(told.needs[0].people, 4);
	assert_int_equal(told.needs[0].sessions, 6);

	/* A hold that ends in the second the next trip begins. */
	assert_int_equal(plan(s, 300, 0).needs[0].needed, 1);
	assert_int_equal(plan(s, 301, 0).needs[0].needed, 2);
	assert_int_equal(plan(s, 900, 0).needs[0].needed, 2);
	assert_int_equal(plan(s, 901, 0).needs[0].needed, 3);
}

static void
test_older_sessions_do_not_count(void **state)
{
	struct store *s = *state;

	add_numbers(s);
	open_session(s, "", ANNA, BORIS);
	assert_int_equal(plan(s, HOLD, NOW - 1).len, 1);
	assert_int_equal(plan(s, HOLD, NOW).len, 0);
}

static void
test_other_services_do_not_count(void **state)
{
	struct service other;
	struct store *s = *state;
	struct told told = { .len = 0 };

	add_numbers(s);
	store_service(s, &other, "other", "");
	open_session(s, "", ANNA, BORIS);
	must(plan_history(s->db, other.id, HOLD, 0, take, &told));
	assert_int_equal(told.len, 0);
}

static void
test_estimate_follows_the_busiest(void **state)
{
	(void)state;
	/* 40 trips a day, each in the way for a day and a bit. */
	assert_int_equal(plan_estimate(1000, 40, 0, 86400), 40);
	assert_int_equal(plan_estimate(1000, 40, 1200, 86400), 41);
	assert_int_equal(plan_estimate(1, 1, 60, 0), 1);
	/* The day of tests/bench/day.c, whose busiest needed 63. */
	assert_int_equal(plan_estimate(100000, 211, 2100, 7200), 67);
	/* Never more than there are, and none is lost at midnight. */
	assert_int_equal(plan_estimate(100, 4, 2100, 7200), 4);
	assert_int_equal(plan_estimate(1000, 40, 0, 86399), 40);
}

static void
test_estimate_follows_the_load(void **state)
{
	(void)state;
	/* A thousand sessions at a time, a hundred for each number. */
	assert_int_equal(plan_estimate(86400 * 1000LL, 1, 1, 0), 10);
	assert_int_equal(plan_estimate(86400 * 1001LL, 1, 1, 0), 11);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_no_sessions_need_nothing),
		STORE_TEST(test_the_busiest_person_counts),
		STORE_TEST(test_older_sessions_do_not_count),
		STORE_TEST(test_other_services_do_not_count),
		cmocka_unit_test(test_estimate_follows_the_busiest),
		cmocka_unit_test(test_estimate_follows_the_load),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
