/* Codes: unique at their number, few tries, all refusals alike. */

#include "test.h"

#include "code.h"
#include "store.h"

/* Two numbers, and an open session on the first with its legs. */
static int
setup(void **state)
{
	struct store *s;

	store_setup(state);
	s = *state;
	store_number(s, s->service.id, MASK_1);
	store_number(s, s->service.id, MASK_2);
	return 0;
}

#define CODE_TEST(test)                                                        \
	cmocka_unit_test_setup_teardown(test, setup, store_teardown)

/* Claims the legs of a session on MASK_1. */
static void
claim(struct store *s, const struct session *session, const char *a,
    const char *b)
{
	uint8_t persons[2][CRYPTO_HASH_SIZE];
	int i;

	session_person(persons[0], &s->keys, a);
	session_person(persons[1], &s->keys, b);
	for (i = 0; i < SESSION_PARTIES; i++)
		must(leg_claim(s->db,
		    &(struct leg){ .number = MASK_1,
			.person = persons[i],
			.peer = persons[1 - i],
			.session_id = session->id,
			.party_id = session->parties[i].id,
			.live_until = session->expires_at,
			.held_until = session->expires_at + HOLD },
		    session->created_at));
}

/* Fails, or not, n times in a call at a number. */
static void
fail_times(
    struct store *s, const char *number, const char *sid, int n, int64_t now)
{
	char code[16];
	int i;

	for (i = 0; i < n; i++) {
		snprintf(code, sizeof code, "%05d", i);
		must(code_failed(s->db, number, sid, code, now * 1000 + 999));
	}
}

static void
test_make_gives_six_digits(void **state)
{
	char codes[50][CODE_SIZE + 1];
	struct store *s = *state;
	int i, j, same = 0;

	for (i = 0; i < 50; i++) {
		codes[i][CODE_SIZE] = '#';
		must(code_make(s->db, codes[i], MASK_1, NOW));
		assert_int_equal(strlen(codes[i]), 6);
		assert_int_equal(strspn(codes[i], "0123456789"), 6);
		assert_int_equal(codes[i][CODE_SIZE], '#');
		for (j = 0; j < i; j++)
			same += strcmp(codes[i], codes[j]) == 0;
	}
	assert_in_range(same, 0, 2);
}

/* Gives the codes from `first` to `last` to parties of a session on MASK_1. */
static void
use_up_codes(
    struct store *s, const struct session *session, int first, int last)
{
	char sql[700];

	snprintf(sql, sizeof sql,
	    "DROP INDEX IF EXISTS party_position; WITH RECURSIVE i(n) AS"
	    " (SELECT %d UNION ALL SELECT n + 1 FROM i WHERE n < %d) INSERT "
	    "INTO"
	    " party (id, session_id, position, role, person, phone_sealed,"
	    " number, code) SELECT 'x' || n, '%s', 0, '', x'', x'', '" MASK_1
	    "', printf('%%06d', n) FROM i",
	    first, last, session->id);
	store_run(s, sql);
}

/* What means somebody already is not given again; when nothing is left, luck
 * gives up instead of giving what it should not. */
static void
test_make_gives_no_code_twice(void **state)
{
	struct store *s = *state;
	struct session session;
	char code[CODE_SIZE];
	int i, used = 0;

	store_session(s, &session, MASK_1, ANNA, BORIS, NOW);
	/* A third is free, and found in a few draws. */
	use_up_codes(s, &session, 333333, 999999);
	for (i = 0; i < 60; i++) {
		must(code_make(s->db, code, MASK_1, NOW));
		if (strcmp(code, "333333") >= 0)
			fail_msg("%s is in use", code);
	}
	/* At the other number all are free, and here when it is over. */
	for (i = 0; i < 20; i++) {
		must(code_make(s->db, code, MASK_2, NOW));
		used += strcmp(code, "333333") >= 0;
		must(code_make(s->db, code, MASK_1, NOW + TTL));
		used += strcmp(code, "333333") >= 0;
	}
	assert_in_range(used, 15, 40);
	/* Not before that is over, to the second; and a lingering one is not.
	 */
	must(code_make(s->db, code, MASK_1, NOW + TTL - 1));
	use_up_codes(s, &session, 0, 333332);
	strcpy(code, "-");
	assert_int_equal(
	    code_make(s->db, code, MASK_1, NOW + TTL - 1), RC_RETRY);
	store_run(s,
	    "UPDATE session SET closed_at = 1, close_reason = 'closed',"
	    " linger_until = 1800000009");
	assert_int_equal(code_make(s->db, code, MASK_1, NOW + 8), RC_RETRY);
	assert_string_equal(code, "-");
	must(code_make(s->db, code, MASK_1, NOW + 9));
}

static void
test_find_whose_leg_lives(void **state)
{
	struct leg_route route = { .live_until = 7 };
	struct store *s = *state;
	struct session session;
	const char *code = session.parties[1].code;

	store_session(s, &session, MASK_1, ANNA, BORIS, NOW);
	/* No leg yet. */
	assert_int_equal(
	    code_find(s->db, &route, MASK_1, code, NOW), RC_NOT_FOUND);
	claim(s, &session, ANNA, BORIS);
	must(code_find(s->db, &route, MASK_1, code, NOW + TTL - 1));
	assert_string_equal(route.party_id, session.parties[1].id);
	assert_string_equal(route.role, "driver");
	route.live_until = 7;
	assert_int_equal(
	    code_find(s->db, &route, MASK_2, code, NOW), RC_NOT_FOUND);
	assert_int_equal(code_find(s->db, &route, "", code, NOW), RC_NOT_FOUND);
	/* Held, then free: never. */
	assert_int_equal(
	    code_find(s->db, &route, MASK_1, code, NOW + TTL), RC_NOT_FOUND);
	assert_int_equal(
	    code_find(s->db, &route, MASK_1, code, NOW + TTL + HOLD),
	    RC_NOT_FOUND);
	store_run(s, "UPDATE party SET replaced_at = 1 WHERE position = 1");
	assert_int_equal(
	    code_find(s->db, &route, MASK_1, code, NOW), RC_NOT_FOUND);
	assert_int_equal(route.live_until, 7);
}

static void
test_find_refuses_what_is_no_code(void **state)
{
	static const char *const codes[] = { "", "1", "12345", "1234567",
		"123456x", "123456#", "12345x", "x12345", " 12345", "12345 ",
		"12345\n", "12345#", "%%%%%%", "______", "'or'1'",
		"\357\274\221\357\274\222", "-12345", "+12345" };
	struct leg_route route;
	struct store *s = *state;
	struct session session;
	char sql[128];
	size_t i;

	store_session(s, &session, MASK_1, ANNA, BORIS, NOW);
	claim(s, &session, ANNA, BORIS);
	for (i = 0; i < LENGTH(codes); i++) {
		/* Even if that stood in the database. */
		if (strchr(codes[i], '\'') == NULL) {
			snprintf(sql, sizeof sql,
			    "UPDATE party SET code = '%s'", codes[i]);
			store_run(s, sql);
		}
		assert_int_equal(
		    code_find(s->db, &route, MASK_1, codes[i], NOW),
		    RC_NOT_FOUND);
	}
}

static void
test_three_tries_a_call(void **state)
{
	struct store *s = *state;

	must(code_may_try(s->db, MASK_1, SID_1, NOW));
	fail_times(s, MASK_1, SID_1, 2, NOW);
	must(code_may_try(s->db, MASK_1, SID_1, NOW));
	fail_times(s, MASK_1, SID_1, 3, NOW);
	assert_int_equal(code_may_try(s->db, MASK_1, SID_1, NOW), RC_LIMIT);
	/* In that call, whatever the number; another call may. */
	assert_int_equal(code_may_try(s->db, MASK_2, SID_1, NOW), RC_LIMIT);
	must(code_may_try(s->db, MASK_1, SID_2, NOW));
}

static void
test_thirty_tries_an_hour_at_a_number(void **state)
{
	struct store *s = *state;
	char sid[CALL_SID_SIZE];
	int i;

	for (i = 0; i < 10; i++) {
		must(code_may_try(s->db, MASK_1, SID_1, NOW + i));
		snprintf(sid, sizeof sid, "CA%032d", 100 + i);
		fail_times(s, MASK_1, sid, 3, NOW + i);
	}
	assert_int_equal(code_may_try(s->db, MASK_1, SID_1, NOW + 9), RC_LIMIT);
	must(code_may_try(s->db, MASK_2, SID_1, NOW + 9));
	/* One by one they are forgotten, an hour after they were made. */
	assert_int_equal(
	    code_may_try(s->db, MASK_1, SID_1, NOW + 3599), RC_LIMIT);
	must(code_may_try(s->db, MASK_1, SID_1, NOW + 3600));
	fail_times(s, MASK_1, SID_1, 3, NOW + 3600);
	assert_int_equal(
	    code_may_try(s->db, MASK_1, SID_2, NOW + 3600), RC_LIMIT);
	/* Those are gone from the table, the others not. */
	assert_int_equal(store_int(s, "SELECT count(*) FROM code_try"), 30);
	fail_times(s, MASK_2, SID_2, 1, NOW + 9000);
	assert_int_equal(store_int(s, "SELECT count(*) FROM code_try"), 1);
}

/* The same digits in the same call are one try; no real number is kept. */
static void
test_failed_twice_is_once(void **state)
{
	struct store *s = *state;
	int i;

	for (i = 0; i < 9; i++)
		must(code_failed(s->db, MASK_1, SID_1, "123456", NOW * 1000));
	must(code_may_try(s->db, MASK_1, SID_1, NOW));
	assert_int_equal(store_int(s, "SELECT count(*) FROM code_try"), 1);
	must(code_failed(s->db, MASK_1, SID_2, "123456", NOW * 1000));
	assert_int_equal(store_int(s, "SELECT count(*) FROM code_try"), 2);
	/* Nor does saying it again put off when it is forgotten. */
	must(code_failed(s->db, MASK_1, SID_1, "123456", NOW * 1000 + 9000));
	assert_int_equal(
	    store_int(s, "SELECT max(tried_at) FROM code_try"), NOW);
	/* Whatever somebody types, no telephone number is kept of it. */
	must(code_failed(s->db, MASK_1, SID_2, "2025550147", NOW * 1000));
	store_lacks(s, "2025550147");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CODE_TEST(test_make_gives_six_digits),
		CODE_TEST(test_make_gives_no_code_twice),
		CODE_TEST(test_find_whose_leg_lives),
		CODE_TEST(test_find_refuses_what_is_no_code),
		CODE_TEST(test_three_tries_a_call),
		CODE_TEST(test_thirty_tries_an_hour_at_a_number),
		CODE_TEST(test_failed_twice_is_once),
	};

	return cmocka_run_group_tests_name("code", tests, NULL, NULL);
}
