/*
 * Legs: right person or nobody. Whoever dials, one masked number and one
 * person name one session at most, and a claim is nobody else's before its
 * hold has passed.
 */

#include "test.h"

#include "leg.h"
#include "store.h"

/* The people as the table knows them. */
struct people {
	uint8_t anna[CRYPTO_HASH_SIZE];
	uint8_t boris[CRYPTO_HASH_SIZE];
	uint8_t clara[CRYPTO_HASH_SIZE];
};

/* Sessions that may claim, in order: Anna and Boris twice, Anna and Clara. */
struct pool {
	struct store *store;
	struct people people;
	struct session first, second, other;
};

static int
setup(void **state)
{
	struct pool *pool = calloc(1, sizeof *pool);
	void *store;

	assert_non_null(pool);
	store_setup(&store);
	pool->store = store;
	store_number(store, pool->store->service.id, MASK_1);
	store_number(store, pool->store->service.id, MASK_2);
	session_person(pool->people.anna, &pool->store->keys, ANNA);
	session_person(pool->people.boris, &pool->store->keys, BORIS);
	session_person(pool->people.clara, &pool->store->keys, CLARA);
	store_session(store, &pool->first, MASK_1, ANNA, BORIS, NOW);
	store_session(store, &pool->second, MASK_1, ANNA, BORIS, NOW);
	store_session(store, &pool->other, MASK_1, ANNA, CLARA, NOW);
	*state = pool;
	return 0;
}

static int
teardown(void **state)
{
	struct pool *pool = *state;
	void *store = pool->store;

	free(pool);
	return store_teardown(&store);
}

#define LEG_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* Claims number for a party of a session that lasts from now for TTL. */
static enum rc
claim(struct pool *pool, const char *number, const struct session *session,
    int party, int64_t now)
{
	const uint8_t *people[2];

	people[0] = pool->people.anna;
	people[1] =
	    session == &pool->other ? pool->people.clara : pool->people.boris;
	return leg_claim(pool->store->db,
	    &(struct leg){ .number = number,
		.person = people[party],
		.peer = people[1 - party],
		.session_id = session->id,
		.party_id = session->parties[party].id,
		.live_until = now + TTL,
		.held_until = now + TTL + HOLD },
	    now);
}

/* Checks who has Anna's claim on MASK_1 and until when it lives and holds. */
static void
check_claim(struct pool *pool, const struct session *session,
    int64_t live_until, int64_t held_until)
{
	struct leg_route route;

	must(leg_route(pool->store->db, &route, MASK_1, pool->people.anna));
	assert_string_equal(route.session_id, session->id);
	assert_string_equal(route.party_id, session->parties[0].id);
	assert_string_equal(route.peer_id, session->parties[1].id);
	assert_int_equal(route.live_until, live_until);
	assert_int_equal(route.held_until, held_until);
}

static void
test_claim_takes_what_is_free(void **state)
{
	struct pool *pool = *state;

	must(claim(pool, MASK_1, &pool->first, 0, NOW));
	must(claim(pool, MASK_1, &pool->first, 1, NOW));
	check_claim(pool, &pool->first, NOW + TTL, NOW + TTL + HOLD);
	/* Another person on this number, this person on another. */
	must(claim(pool, MASK_1, &pool->other, 1, NOW));
	must(claim(pool, MASK_2, &pool->other, 0, NOW));
	check_claim(pool, &pool->first, NOW + TTL, NOW + TTL + HOLD);
	assert_int_equal(store_int(pool->store, "SELECT count(*) FROM leg"), 4);
}

static void
test_claim_refuses_a_live_leg_to_the_second(void **state)
{
	struct pool *pool = *state;
	int64_t now;

	must(claim(pool, MASK_1, &pool->first, 0, NOW));
	for (now = NOW; now < NOW + TTL; now += 1 + (TTL - 3) / 2) {
		assert_int_equal(
		    claim(pool, MASK_1, &pool->other, 0, now), RC_RETRY);
		/* Nor may the same two people, nor the session itself. */
		assert_int_equal(
		    claim(pool, MASK_1, &pool->second, 0, now), RC_RETRY);
		assert_int_equal(
		    claim(pool, MASK_1, &pool->first, 0, now), RC_RETRY);
	}
	assert_int_equal(
	    claim(pool, MASK_1, &pool->second, 0, NOW + TTL - 1), RC_RETRY);
	check_claim(pool, &pool->first, NOW + TTL, NOW + TTL + HOLD);
}

static void
test_claim_refuses_a_held_leg_to_the_second(void **state)
{
	struct pool *pool = *state;
	int64_t free_at = NOW + TTL + HOLD;

	must(claim(pool, MASK_1, &pool->first, 0, NOW));
	assert_int_equal(
	    claim(pool, MASK_1, &pool->other, 0, NOW + TTL), RC_RETRY);
	assert_int_equal(
	    claim(pool, MASK_1, &pool->other, 0, free_at - 1), RC_RETRY);
	check_claim(pool, &pool->first, NOW + TTL, free_at);
	must(claim(pool, MASK_1, &pool->other, 0, free_at));
	check_claim(pool, &pool->other, free_at + TTL, free_at + TTL + HOLD);
	assert_int_equal(store_int(pool->store, "SELECT count(*) FROM leg"), 1);
}

/* What two people hold is theirs to take again, from its end on. */
static void
test_claim_gives_the_same_two_their_held_leg(void **state)
{
	struct pool *pool = *state;

	must(claim(pool, MASK_1, &pool->first, 0, NOW));
	must(claim(pool, MASK_1, &pool->second, 0, NOW + TTL));
	check_claim(pool, &pool->second, NOW + 2 * TTL, NOW + 2 * TTL + HOLD);
	/* It is live again, and then held against others again. */
	assert_int_equal(
	    claim(pool, MASK_1, &pool->first, 0, NOW + 2 * TTL - 1), RC_RETRY);
	assert_int_equal(
	    claim(pool, MASK_1, &pool->other, 0, NOW + 2 * TTL + HOLD - 1),
	    RC_RETRY);
	check_claim(pool, &pool->second, NOW + 2 * TTL, NOW + 2 * TTL + HOLD);
}

/* Once Clara has had it, Boris holds nothing any more. */
static void
test_claim_forgets_the_peer_before(void **state)
{
	struct pool *pool = *state;
	int64_t free_at = NOW + TTL + HOLD;

	must(claim(pool, MASK_1, &pool->first, 0, NOW));
	must(claim(pool, MASK_1, &pool->other, 0, free_at));
	assert_int_equal(
	    claim(pool, MASK_1, &pool->second, 0, free_at + TTL), RC_RETRY);
	check_claim(pool, &pool->other, free_at + TTL, free_at + TTL + HOLD);
}

/* The table itself refuses what no code should ask for. */
static void
test_table_keeps_one_session_a_leg(void **state)
{
	struct pool *pool = *state;
	sqlite3 *raw;

	must(claim(pool, MASK_1, &pool->first, 0, NOW));
	raw = store_open(pool->store);
	assert_int_equal(sqlite3_exec(raw,
			     "INSERT INTO leg SELECT number, person, peer,"
			     " 'ses_x', party_id, live_until, held_until,"
			     " place FROM leg",
			     NULL, NULL, NULL),
	    SQLITE_CONSTRAINT);
	sqlite3_close(raw);
}

static void
test_claim_refuses_what_is_not_there(void **state)
{
	struct pool *pool = *state;
	struct session absent = pool->first;
	struct leg leg = {
		.number = MASK_1,
		.person = pool->people.anna,
		.peer = pool->people.boris,
		.session_id = pool->first.id,
		.party_id = pool->first.parties[0].id,
		.live_until = NOW + 2,
		.held_until = NOW + 1,
	};

	assert_int_equal(claim(pool, MASK_3, &pool->first, 0, NOW), RC_RETRY);
	id_make(absent.id, "ses", NOW * 1000);
	assert_int_equal(claim(pool, MASK_1, &absent, 0, NOW), RC_RETRY);
	absent = pool->first;
	id_make(absent.parties[0].id, "pty", NOW * 1000);
	assert_int_equal(claim(pool, MASK_1, &absent, 0, NOW), RC_RETRY);
	/* Live longer than it is held. */
	assert_int_equal(leg_claim(pool->store->db, &leg, NOW), RC_RETRY);
	leg.held_until = NOW + 2;
	must(leg_claim(pool->store->db, &leg, NOW));
}

static void
test_move_turns_live_into_held(void **state)
{
	struct pool *pool = *state;
	struct db *db = pool->store->db;
	struct leg_route route;

	must(claim(pool, MASK_1, &pool->first, 0, NOW));
	must(claim(pool, MASK_1, &pool->first, 1, NOW));
	must(claim(pool, MASK_2, &pool->other, 0, NOW));
	must(leg_move(db, pool->first.id, NOW + 60, NOW + 90, NOW + 60));
	check_claim(pool, &pool->first, NOW + 60, NOW + 90);
	must(leg_route(db, &route, MASK_1, pool->people.boris));
	assert_int_equal(route.live_until, NOW + 60);
	assert_int_equal(route.held_until, NOW + 90);
	/* Not those of another session. */
	must(leg_route(db, &route, MASK_2, pool->people.anna));
	assert_int_equal(route.live_until, NOW + TTL);
	assert_int_equal(route.held_until, NOW + TTL + HOLD);
	must(leg_move(db, "ses_", NOW, NOW, NOW));
	check_claim(pool, &pool->first, NOW + 60, NOW + 90);
}

/* What is over stays over, to the second; what lives is moved either way. */
static void
test_move_wakes_no_held_leg(void **state)
{
	struct pool *pool = *state;
	struct db *db = pool->store->db;
	int64_t end = NOW + TTL;

	must(claim(pool, MASK_1, &pool->first, 0, NOW));
	must(leg_move(db, pool->first.id, end + 9, end + 9 * HOLD, end));
	check_claim(pool, &pool->first, end, end + HOLD);
	must(leg_move(db, pool->first.id, end + 9, end + 9 * HOLD, end + 1));
	check_claim(pool, &pool->first, end, end + HOLD);
	must(leg_move(db, pool->first.id, end + 9, end + 9 * HOLD, end - 1));
	check_claim(pool, &pool->first, end + 9, end + 9 * HOLD);
	must(leg_move(db, pool->first.id, end - 9, end - 8, end - 20));
	check_claim(pool, &pool->first, end - 9, end - 8);
}

/* Who was replaced is not brought back by a later end of the session. */
static void
test_move_leaves_the_replaced(void **state)
{
	struct pool *pool = *state;
	char sql[128];

	must(claim(pool, MASK_1, &pool->first, 0, NOW));
	snprintf(sql, sizeof sql,
	    "UPDATE party SET replaced_at = 1 WHERE id = '%s'",
	    pool->first.parties[0].id);
	store_run(pool->store, sql);
	must(leg_move(pool->store->db, pool->first.id, NOW + 9 * TTL,
	    NOW + 9 * TTL, NOW));
	check_claim(pool, &pool->first, NOW + TTL, NOW + TTL + HOLD);
}

static void
test_end_party_ends_one_leg(void **state)
{
	struct pool *pool = *state;
	struct db *db = pool->store->db;
	const char *anna = pool->first.parties[0].id;
	struct leg_route route;

	must(claim(pool, MASK_1, &pool->first, 0, NOW));
	must(claim(pool, MASK_1, &pool->first, 1, NOW));
	must(leg_end_party(db, anna, NOW + 60, NOW + 90));
	check_claim(pool, &pool->first, NOW + 60, NOW + 90);
	must(leg_route(db, &route, MASK_1, pool->people.boris));
	assert_int_equal(route.live_until, NOW + TTL);
	assert_int_equal(route.held_until, NOW + TTL + HOLD);
	/* Never lengthened. */
	must(leg_end_party(db, anna, NOW + 60, NOW + 900));
	must(leg_end_party(db, anna, NOW + 61, NOW + 900));
	must(leg_end_party(db, "pty_", NOW, NOW));
	check_claim(pool, &pool->first, NOW + 60, NOW + 90);
}

/* After the end the hold counts, to the second of the new time. */
static void
test_claim_after_end(void **state)
{
	struct pool *pool = *state;
	struct db *db = pool->store->db;

	must(claim(pool, MASK_1, &pool->first, 0, NOW));
	must(leg_move(db, pool->first.id, NOW + 60, NOW + 90, NOW + 60));
	assert_int_equal(
	    claim(pool, MASK_1, &pool->second, 0, NOW + 59), RC_RETRY);
	assert_int_equal(
	    claim(pool, MASK_1, &pool->other, 0, NOW + 89), RC_RETRY);
	must(claim(pool, MASK_1, &pool->other, 0, NOW + 90));
}

/* Held since then or longer: to be had early, but never while it lives. */
static void
test_claim_reuses_what_was_held_long_enough(void **state)
{
	struct pool *pool = *state;
	int64_t end = NOW + TTL;
	struct leg leg = {
		.number = MASK_1,
		.person = pool->people.anna,
		.peer = pool->people.clara,
		.session_id = pool->other.id,
		.party_id = pool->other.parties[0].id,
		.live_until = end + TTL,
		.held_until = end + TTL + HOLD,
	};

	must(claim(pool, MASK_1, &pool->first, 0, NOW));
	assert_int_equal(leg_claim(pool->store->db, &leg, end + 9), RC_RETRY);
	leg.reuse_before = end - 1;
	assert_int_equal(leg_claim(pool->store->db, &leg, end + 9), RC_RETRY);
	leg.reuse_before = end + 99;
	assert_int_equal(leg_claim(pool->store->db, &leg, end - 1), RC_RETRY);
	check_claim(pool, &pool->first, end, end + HOLD);
	leg.reuse_before = end;
	must(leg_claim(pool->store->db, &leg, end + 9));
	check_claim(pool, &pool->other, end + TTL, end + TTL + HOLD);
}

/* The counterpart changed: now Clara may take what Anna held for Boris, and
 * Boris may not. */
static void
test_set_peer_moves_the_hold(void **state)
{
	struct pool *pool = *state;
	struct db *db = pool->store->db;

	must(claim(pool, MASK_1, &pool->first, 0, NOW));
	must(leg_set_peer(db, "pty_", pool->people.clara));
	assert_int_equal(
	    claim(pool, MASK_1, &pool->other, 0, NOW + TTL), RC_RETRY);
	must(leg_set_peer(db, pool->first.parties[0].id, pool->people.clara));
	assert_int_equal(
	    claim(pool, MASK_1, &pool->second, 0, NOW + TTL), RC_RETRY);
	must(claim(pool, MASK_1, &pool->other, 0, NOW + TTL));
}

static void
test_route_names_the_peer(void **state)
{
	struct pool *pool = *state;
	struct store *s = pool->store;
	const struct session_party *party = pool->first.parties;
	char phone[PHONE_SIZE], sql[128];
	struct leg_route route;

	/* The peer sees another number than the one that was dialled. */
	snprintf(sql, sizeof sql,
	    "UPDATE party SET number = '" MASK_2 "' WHERE id = '%s'",
	    party[1].id);
	store_run(s, sql);
	must(claim(pool, MASK_1, &pool->first, 0, NOW));
	must(claim(pool, MASK_2, &pool->first, 1, NOW));
	must(leg_route(s->db, &route, MASK_1, pool->people.anna));
	assert_string_equal(route.session_id, pool->first.id);
	assert_string_equal(route.party_id, party[0].id);
	assert_string_equal(route.peer_id, party[1].id);
	assert_string_equal(route.peer_number, MASK_2);
	assert_int_equal(route.expires_at, pool->first.expires_at);
	assert_int_equal(route.live_until, NOW + TTL);
	assert_int_equal(route.held_until, NOW + TTL + HOLD);
	assert_false(route.closed);
	assert_false(route.expired);
	must(session_unseal(phone, &s->keys, route.peer_id, route.peer_sealed,
	    route.peer_sealed_len));
	assert_string_equal(phone, BORIS);
	/* And the other way. */
	must(leg_route(s->db, &route, MASK_2, pool->people.boris));
	assert_string_equal(route.party_id, party[1].id);
	assert_string_equal(route.peer_number, MASK_1);
	must(session_unseal(phone, &s->keys, route.peer_id, route.peer_sealed,
	    route.peer_sealed_len));
	assert_string_equal(phone, ANNA);
}

static void
test_route_refuses_what_was_not_claimed(void **state)
{
	struct pool *pool = *state;
	struct db *db = pool->store->db;
	struct leg_route route = { .live_until = 7 };
	uint8_t person[CRYPTO_HASH_SIZE];

	must(claim(pool, MASK_1, &pool->first, 0, NOW));
	must(claim(pool, MASK_2, &pool->other, 1, NOW));
	assert_int_equal(
	    leg_route(db, &route, MASK_1, pool->people.boris), RC_NOT_FOUND);
	assert_int_equal(
	    leg_route(db, &route, MASK_1, pool->people.clara), RC_NOT_FOUND);
	assert_int_equal(
	    leg_route(db, &route, MASK_2, pool->people.anna), RC_NOT_FOUND);
	assert_int_equal(
	    leg_route(db, &route, "", pool->people.anna), RC_NOT_FOUND);
	memcpy(person, pool->people.anna, sizeof person);
	person[CRYPTO_HASH_SIZE - 1] ^= 1;
	assert_int_equal(leg_route(db, &route, MASK_1, person), RC_NOT_FOUND);
	assert_int_equal(route.live_until, 7);
}

static void
test_route_says_how_the_session_ended(void **state)
{
	struct pool *pool = *state;
	struct db *db = pool->store->db;
	const char *service = pool->store->service.id;
	struct leg_route route;

	must(claim(pool, MASK_1, &pool->first, 0, NOW));
	must(claim(pool, MASK_2, &pool->other, 0, NOW));
	must(session_close(db, service, pool->first.id, NOW, false));
	must(session_close(db, service, pool->other.id, NOW, true));
	must(leg_route(db, &route, MASK_1, pool->people.anna));
	assert_true(route.closed);
	assert_false(route.expired);
	must(leg_route(db, &route, MASK_2, pool->people.anna));
	assert_true(route.closed);
	assert_true(route.expired);
}

/* A code means the party it was made for, at its number, while its leg lives
 * and it is not replaced. */
static void
test_route_code_finds_the_live_party(void **state)
{
	struct pool *pool = *state;
	struct store *s = pool->store;
	const char *code = pool->first.parties[0].code;
	struct leg_route route = { .live_until = 7 };

	assert_int_equal(
	    leg_route_code(s->db, &route, MASK_1, code, NOW), RC_NOT_FOUND);
	must(claim(pool, MASK_1, &pool->first, 0, NOW));
	assert_int_equal(
	    leg_route_code(s->db, &route, MASK_2, code, NOW), RC_NOT_FOUND);
	assert_int_equal(
	    leg_route_code(s->db, &route, MASK_1, "", NOW), RC_NOT_FOUND);
	assert_int_equal(leg_route_code(s->db, &route, MASK_1, code, NOW + TTL),
	    RC_NOT_FOUND);
	assert_int_equal(route.live_until, 7);
	must(leg_route_code(s->db, &route, MASK_1, code, NOW + TTL - 1));
	assert_string_equal(route.party_id, pool->first.parties[0].id);
	assert_string_equal(route.peer_id, pool->first.parties[1].id);
	store_run(s, "UPDATE party SET replaced_at = 1 WHERE position = 0");
	assert_int_equal(
	    leg_route_code(s->db, &route, MASK_1, code, NOW), RC_NOT_FOUND);
}

static void
test_route_party_finds_by_party(void **state)
{
	struct pool *pool = *state;
	struct leg_route route = { .live_until = 7 };
	struct db *db = pool->store->db;

	must(claim(pool, MASK_1, &pool->first, 0, NOW));
	assert_int_equal(leg_route_party(db, &route, pool->first.parties[1].id),
	    RC_NOT_FOUND);
	assert_int_equal(leg_route_party(db, &route, ""), RC_NOT_FOUND);
	assert_int_equal(route.live_until, 7);
	must(leg_route_party(db, &route, pool->first.parties[0].id));
	assert_string_equal(route.session_id, pool->first.id);
	assert_string_equal(route.number, MASK_1);
	assert_string_equal(route.role, "customer");
}

/* All that the decision needs of session and parties. */
static void
test_route_tells_modes_and_marks(void **state)
{
	struct pool *pool = *state;
	struct store *s = pool->store;
	struct leg_route route;

	must(claim(pool, MASK_1, &pool->first, 0, NOW));
	must(leg_route(s->db, &route, MASK_1, pool->people.anna));
	assert_string_equal(route.voice, "both");
	assert_string_equal(route.role, "customer");
	assert_int_equal(route.linger_until, 0);
	assert_false(route.disputed);
	assert_false(route.peer_disputed);
	assert_false(route.replaced);
	store_run(s, "UPDATE party SET disputed_at = 5 WHERE position = 1");
	assert_string_equal(route.text, "both");
	store_run(s, "UPDATE session SET voice = 'driver', text = 'none',"
		     " linger_until = 9");
	must(leg_route(s->db, &route, MASK_1, pool->people.anna));
	assert_string_equal(route.voice, "driver");
	assert_string_equal(route.text, "none");
	assert_int_equal(route.linger_until, 9);
	assert_false(route.disputed);
	assert_true(route.peer_disputed);
	store_run(s, "UPDATE party SET disputed_at = 1 - position,"
		     " replaced_at = CASE position WHEN 0 THEN 5 END");
	must(leg_route(s->db, &route, MASK_1, pool->people.anna));
	assert_true(route.disputed);
	assert_true(route.replaced);
}

/* A sealed number that cannot be one does not run over. */
static void
test_route_refuses_too_long_a_number(void **state)
{
	struct pool *pool = *state;
	struct db *db = pool->store->db;
	struct leg_route route = { .live_until = 7 };

	must(claim(pool, MASK_1, &pool->first, 0, NOW));
	store_run(pool->store, "UPDATE party SET phone_sealed = zeroblob(59)");
	assert_int_equal(
	    leg_route(db, &route, MASK_1, pool->people.anna), RC_CORRUPT);
	assert_int_equal(route.live_until, 7);
	store_run(pool->store, "UPDATE party SET phone_sealed = zeroblob(58)");
	must(leg_route(db, &route, MASK_1, pool->people.anna));
	assert_int_equal(route.peer_sealed_len, LEG_SEALED_MAX);
	store_run(pool->store, "UPDATE party SET phone_sealed = x''");
	must(leg_route(db, &route, MASK_1, pool->people.anna));
	assert_int_equal(route.peer_sealed_len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LEG_TEST(test_claim_takes_what_is_free),
		LEG_TEST(test_claim_refuses_a_live_leg_to_the_second),
		LEG_TEST(test_claim_refuses_a_held_leg_to_the_second),
		LEG_TEST(test_claim_gives_the_same_two_their_held_leg),
		LEG_TEST(test_claim_forgets_the_peer_before),
		LEG_TEST(test_table_keeps_one_session_a_leg),
		LEG_TEST(test_claim_refuses_what_is_not_there),
		LEG_TEST(test_move_turns_live_into_held),
		LEG_TEST(test_move_wakes_no_held_leg),
		LEG_TEST(test_move_leaves_the_replaced),
		LEG_TEST(test_end_party_ends_one_leg),
		LEG_TEST(test_claim_after_end),
		LEG_TEST(test_claim_reuses_what_was_held_long_enough),
		LEG_TEST(test_set_peer_moves_the_hold),
		LEG_TEST(test_route_names_the_peer),
		LEG_TEST(test_route_refuses_what_was_not_claimed),
		LEG_TEST(test_route_says_how_the_session_ended),
		LEG_TEST(test_route_code_finds_the_live_party),
		LEG_TEST(test_route_party_finds_by_party),
		LEG_TEST(test_route_tells_modes_and_marks),
		LEG_TEST(test_route_refuses_too_long_a_number),
	};

	return cmocka_run_group_tests_name("leg", tests, NULL, NULL);
}
