/* The deeds: closed sessions that go on connecting for a while. */

#include "test.h"

#include "deeds.h"

static enum rc
close_with(struct store *s, const char *id, int64_t linger_s, const char *voice,
    struct session *out, struct fault *fault)
{
	struct deed d = { CLOSE, .s = s, .text = id,
		.closing = { .linger_s = linger_s }, .session = out };
	enum rc rc;

	strcpy(d.closing.voice, voice);
	rc = transact(&d);
	if (fault != NULL)
		*fault = d.fault;
	return rc;
}

/* Lost property: goes on for a while, to the second, and is then held. */
static void
test_linger_to_the_second(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS), found;

	at(s, NOW + 60);
	must(close_with(s, session.id, TTL_MAX, "", &session, NULL));
	assert_int_equal(session.closed_at, NOW + 60);
	assert_int_equal(session.linger_until, NOW + 60 + TTL_MAX);
	must(session_find(s->db, s->service.id, &found, session.id));
	assert_memory_equal(&found, &session, sizeof found);
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	/* Beyond what would have been its end. */
	at(s, NOW + 60 + TTL_MAX - 1);
	check_connected(s, ANNA, MASK_1, BORIS, 1);
	check_connected(s, BORIS, MASK_1, ANNA, 1);
	at(s, NOW + 60 + TTL_MAX);
	route(s, ANNA, MASK_1, POLICY_SESSION_IS_CLOSED);
	route(s, BORIS, MASK_1, POLICY_SESSION_IS_CLOSED);
	at(s, NOW + 60 + TTL_MAX + HOLD - 1);
	route(s, ANNA, MASK_1, POLICY_SESSION_IS_CLOSED);
	at(s, NOW + 60 + TTL_MAX + HOLD);
	route(s, ANNA, MASK_1, POLICY_CALLER_UNKNOWN);
	check_events(s, "1 session.opened, 2 session.closed lingering");
}

/* Shorter than the session would have been. */
static void
test_linger_shortens(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);

	must(close_with(s, session.id, 10, "", &session, NULL));
	at(s, NOW + 9);
	check_connected(s, ANNA, MASK_1, BORIS, 1);
	at(s, NOW + 10);
	route(s, ANNA, MASK_1, POLICY_SESSION_IS_CLOSED);
	assert_int_equal(
	    store_int(s, "SELECT max(held_until) FROM leg"), NOW + 10 + HOLD);
}

static void
test_linger_one_way(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);

	must(close_with(s, session.id, 600, "customer", &session, NULL));
	assert_string_equal(session.voice, "customer");
	check_connected(s, ANNA, MASK_1, BORIS, 600);
	/* For the other it is over. */
	route(s, BORIS, MASK_1, POLICY_SESSION_IS_CLOSED);
}

static void
test_linger_ends_with_a_second_close(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS), again;

	must(close_with(s, session.id, 600, "", &session, NULL));
	/* Said twice changes nothing, also if it is said otherwise. */
	at(s, NOW + 10);
	must(close_with(s, session.id, 600, "", &again, NULL));
	assert_memory_equal(&again, &session, sizeof again);
	must(close_with(s, session.id, 6000, "driver", &again, NULL));
	assert_memory_equal(&again, &session, sizeof again);
	check_connected(s, ANNA, MASK_1, BORIS, 590);
	must(close_with(s, session.id, 0, "", &again, NULL));
	assert_int_equal(again.linger_until, 0);
	assert_int_equal(again.closed_at, NOW);
	route(s, ANNA, MASK_1, POLICY_SESSION_IS_CLOSED);
	route(s, BORIS, MASK_1, POLICY_SESSION_IS_CLOSED);
	assert_int_equal(
	    store_int(s, "SELECT max(held_until) FROM leg"), NOW + 10 + HOLD);
	/* And not again. */
	must(close_with(s, session.id, 600, "", &again, NULL));
	route(s, ANNA, MASK_1, POLICY_SESSION_IS_CLOSED);
	check_events(s, "1 session.opened, 2 session.closed lingering,"
			" 3 session.closed");
}

static void
test_linger_refused(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS), out;
	struct fault fault;

	assert_int_equal(
	    close_with(s, session.id, TTL_MAX + 1, "", &out, &fault),
	    RC_INVALID);
	assert_string_equal(fault.field, "linger");
	assert_int_equal(
	    close_with(s, session.id, INT64_MAX, "", &out, &fault), RC_INVALID);
	assert_int_equal(
	    close_with(s, session.id, 60, "rider", &out, &fault), RC_INVALID);
	assert_string_equal(fault.field, "voice");
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	check_events(s, "1 session.opened");
	/* What has expired does not begin anew. */
	at(s, NOW + TTL);
	must(close_with(s, session.id, 600, "", &out, &fault));
	assert_int_equal(out.linger_until, 0);
	assert_true(out.closed_by_expiry);
	route(s, ANNA, MASK_1, POLICY_SESSION_IS_EXPIRED);
}

/* The reference is free while it lingers; its legs are not. */
static void
test_linger_keeps_legs_and_frees_the_reference(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "trip-1", ANNA, BORIS);

	must(close_with(s, session.id, 600, "", &session, NULL));
	session = open_session(s, "trip-1", ANNA, BORIS);
	assert_string_equal(session.parties[0].number, MASK_2);
	check_connected(s, ANNA, MASK_2, BORIS, CALL_LIMIT);
	check_connected(s, ANNA, MASK_1, BORIS, 600);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		MASK_TEST(test_linger_to_the_second),
		MASK_TEST(test_linger_shortens),
		MASK_TEST(test_linger_one_way),
		MASK_TEST(test_linger_ends_with_a_second_close),
		MASK_TEST(test_linger_refused),
		MASK_TEST(test_linger_keeps_legs_and_frees_the_reference),
	};

	return cmocka_run_group_tests_name("mask_linger", tests, NULL, NULL);
}
