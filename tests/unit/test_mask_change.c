/* The deeds: open sessions changed, parties replaced. */

#include "test.h"

#include "deeds.h"

/* Changes a session; what is not named stays. */
static enum rc
try_change(struct store *s, const char *id, const struct session_change *change,
    struct session *out, struct fault *fault)
{
	struct deed d = { CHANGE, .s = s, .text = id, .change = change,
		.session = out };
	enum rc rc = transact(&d);

	if (fault != NULL)
		*fault = d.fault;
	return rc;
}

static struct session
change(struct store *s, const char *id, const struct session_change *change)
{
	struct session out;

	must(try_change(s, id, change, &out, NULL));
	return out;
}

/* Everything in the database that a session consists of, as text. */
static void
picture(struct store *s, char out[4000])
{
	store_text(s,
	    "SELECT (SELECT group_concat(id || expires_at || voice || text ||"
	    " coalesce(closed_at, '-') || coalesce(linger_until, '-')) FROM"
	    " session) || (SELECT group_concat(id || role || number || code ||"
	    " coalesce(replaced_at, '-') || coalesce(disputed_at, '-')) FROM"
	    " party) || (SELECT group_concat(number || hex(person) || hex(peer)"
	    " || party_id || live_until || held_until) FROM leg) || (SELECT"
	    " group_concat(number || last_used_at) FROM number) || (SELECT"
	    " count(*) FROM event)",
	    out, 4000);
}

/* Checks that a change is refused, because of which field, and that nothing
 * of it is left. */
static void
check_refused(struct store *s, const char *id,
    const struct session_change *change, enum rc rc, const char *field)
{
	struct session session = { .reference = "untouched" };
	char before[4000], after[4000];
	struct fault fault;

	picture(s, before);
	assert_int_equal(try_change(s, id, change, &session, &fault), rc);
	assert_string_equal(fault.field, field);
	assert_null(strstr(fault.detail, "555"));
	assert_string_equal(session.reference, "untouched");
	picture(s, after);
	assert_string_equal(after, before);
}

/* A change that puts phone in the place of role. */
static struct session_change
replacing(const char *role, const char *phone)
{
	struct session_change out = { .ttl_s = 0 };

	strcpy(out.parties[0].role, role);
	strcpy(out.parties[0].phone, phone);
	return out;
}

/* Replaces a party. */
static struct session
replace(struct store *s, const char *id, const char *role, const char *phone)
{
	struct session_change wish = replacing(role, phone);

	return change(s, id, &wish);
}

static void
test_ttl_counts_from_now(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);

	at(s, NOW + 60);
	session =
	    change(s, session.id, &(struct session_change){ .ttl_s = 9000 });
	assert_int_equal(session.expires_at, NOW + 60 + 9000);
	assert_int_equal(
	    store_int(s, "SELECT min(live_until) FROM leg"), NOW + 9060);
	assert_int_equal(
	    store_int(s, "SELECT max(held_until) FROM leg"), NOW + 9060 + HOLD);
	at(s, NOW + 9059);
	check_connected(s, ANNA, MASK_1, BORIS, 1);
	check_connected(s, BORIS, MASK_1, ANNA, 1);
	at(s, NOW + 9060);
	route(s, ANNA, MASK_1, POLICY_SESSION_IS_EXPIRED);
	check_events(s, "1 session.opened, 2 session.updated");
}

static void
test_ttl_shortens(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);

	session = change(s, session.id, &(struct session_change){ .ttl_s = 1 });
	assert_int_equal(session.expires_at, NOW + 1);
	check_connected(s, ANNA, MASK_1, BORIS, 1);
	at(s, NOW + 1);
	route(s, ANNA, MASK_1, POLICY_SESSION_IS_EXPIRED);
	route(s, BORIS, MASK_1, POLICY_SESSION_IS_EXPIRED);
}

static void
test_expires_at_is_absolute(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS), found;

	at(s, NOW + 60);
	session = change(
	    s, session.id, &(struct session_change){ .expires_at = NOW + 61 });
	assert_int_equal(session.expires_at, NOW + 61);
	session = change(s, session.id,
	    &(struct session_change){ .expires_at = NOW + 60 + TTL_MAX });
	assert_int_equal(session.expires_at, NOW + 60 + TTL_MAX);
	must(session_find(s->db, s->service.id, &found, session.id));
	assert_int_equal(found.expires_at, NOW + 60 + TTL_MAX);
	at(s, NOW + 59 + TTL_MAX);
	check_connected(s, ANNA, MASK_1, BORIS, 1);
}

static void
test_expiry_refused(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	const char *id = session.id;

	at(s, NOW + 60);
	check_refused(s, id,
	    &(struct session_change){ .ttl_s = 60, .expires_at = NOW + 120 },
	    RC_INVALID, "expires_at");
	check_refused(s, id, &(struct session_change){ .expires_at = NOW + 60 },
	    RC_INVALID, "expires_at");
	check_refused(s, id, &(struct session_change){ .expires_at = 1 },
	    RC_INVALID, "expires_at");
	check_refused(s, id, &(struct session_change){ .expires_at = -1 },
	    RC_INVALID, "expires_at");
	check_refused(s, id,
	    &(struct session_change){ .expires_at = NOW + 61 + TTL_MAX },
	    RC_INVALID, "expires_at");
	check_refused(s, id, &(struct session_change){ .ttl_s = TTL_MAX + 1 },
	    RC_INVALID, "ttl");
	check_refused(s, id, &(struct session_change){ .ttl_s = INT64_MAX },
	    RC_INVALID, "ttl");
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
}

/* A maximum that was lowered since does not refuse other changes. */
static void
test_expiry_untouched_is_not_judged(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);

	store_run(s, "UPDATE service SET ttl_max_s = 60, ttl_default_s = 60");
	session =
	    change(s, session.id, &(struct session_change){ .voice = "none" });
	assert_int_equal(session.expires_at, NOW + TTL);
}

static void
test_modes_one_way_and_off(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS), found;
	const char *id = session.id;

	change(s, id, &(struct session_change){ .voice = "driver" });
	route(s, ANNA, MASK_1, POLICY_VOICE_OFF);
	check_connected(s, BORIS, MASK_1, ANNA, CALL_LIMIT);
	change(s, id, &(struct session_change){ .voice = "customer" });
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	route(s, BORIS, MASK_1, POLICY_VOICE_OFF);
	/* Texting is another matter, and each stays as it is. */
	session = change(s, id, &(struct session_change){ .text = "none" });
	assert_string_equal(session.voice, "customer");
	assert_string_equal(session.text, "none");
	change(s, id, &(struct session_change){ .voice = "none" });
	route(s, ANNA, MASK_1, POLICY_VOICE_OFF);
	route(s, BORIS, MASK_1, POLICY_VOICE_OFF);
	change(s, id, &(struct session_change){ .voice = "both" });
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	must(session_find(s->db, s->service.id, &found, id));
	assert_string_equal(found.voice, "both");
	assert_string_equal(found.text, "none");
	assert_int_equal(found.expires_at, NOW + TTL);
	check_refused(s, id, &(struct session_change){ .voice = "rider" },
	    RC_INVALID, "voice");
	check_refused(s, id, &(struct session_change){ .text = "Both" },
	    RC_INVALID, "text");
}

/* The driver is another: the old one is cut off at once, the customer keeps
 * the number and reaches the new one, who gets the same. */
static void
test_replace_cuts_off_the_old_one(void **state)
{
	struct store *s = *state;
	struct session before = open_session(s, "", ANNA, BORIS), after, found;

	at(s, NOW + 60);
	after = replace(s, before.id, "driver", CLARA);
	assert_string_equal(after.parties[0].id, before.parties[0].id);
	assert_string_equal(after.parties[0].number, MASK_1);
	assert_string_equal(after.parties[0].code, before.parties[0].code);
	assert_string_not_equal(after.parties[1].id, before.parties[1].id);
	assert_string_equal(after.parties[1].role, "driver");
	assert_string_equal(after.parties[1].number, MASK_1);
	assert_int_equal(after.expires_at, before.expires_at);
	must(session_find(s->db, s->service.id, &found, before.id));
	assert_memory_equal(&found, &after, sizeof found);

	check_connected(s, ANNA, MASK_1, CLARA, CALL_LIMIT);
	check_connected(s, CLARA, MASK_1, ANNA, CALL_LIMIT);
	route(s, BORIS, MASK_1, POLICY_PARTY_REPLACED);
	/* Held from then on. */
	at(s, NOW + 60 + HOLD - 1);
	route(s, BORIS, MASK_1, POLICY_PARTY_REPLACED);
	at(s, NOW + 60 + HOLD);
	route(s, BORIS, MASK_1, POLICY_CALLER_UNKNOWN);
	check_events(s, "1 session.opened, 2 session.updated");
	store_lacks(s, &CLARA[2]);
}

/* Neither a later end nor the close brings the old one back. */
static void
test_replaced_stays_replaced(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct deed d = { CLOSE, .s = s, .text = session.id,
		.closing = { .linger_s = 600 }, .session = &session };

	at(s, NOW + 60);
	replace(s, session.id, "driver", CLARA);
	change(s, session.id, &(struct session_change){ .ttl_s = TTL_MAX });
	route(s, BORIS, MASK_1, POLICY_PARTY_REPLACED);
	must(transact(&d));
	check_connected(s, ANNA, MASK_1, CLARA, 600);
	route(s, BORIS, MASK_1, POLICY_PARTY_REPLACED);
	assert_int_equal(store_int(s, "SELECT count(*) FROM leg"
				      " WHERE live_until = 1800000060"),
	    1);
}

/* In one second: what the clock cannot tell apart is told apart. */
static void
test_replaced_within_the_same_second(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);

	replace(s, session.id, "driver", CLARA);
	route(s, BORIS, MASK_1, POLICY_PARTY_REPLACED);
	replace(s, session.id, "driver", DORA);
	route(s, CLARA, MASK_1, POLICY_PARTY_REPLACED);
	change(s, session.id, &(struct session_change){ .ttl_s = 60 });
	route(s, BORIS, MASK_1, POLICY_PARTY_REPLACED);
	route(s, CLARA, MASK_1, POLICY_PARTY_REPLACED);
	check_connected(s, ANNA, MASK_1, DORA, 60);
	check_connected(s, DORA, MASK_1, ANNA, 60);
}

/* Whatever the clocks of two machines say: a leg that still lives connects
 * nobody who was replaced. */
static void
test_replaced_with_a_live_leg(void **state)
{
	struct store *s = *state;

	open_session(s, "", ANNA, BORIS);
	store_run(s, "UPDATE party SET replaced_at = 1900000000"
		     " WHERE role = 'driver'");
	route(s, BORIS, MASK_1, POLICY_PARTY_REPLACED);
	/* Nor is he rung: there is nobody in his place. */
	route(s, ANNA, MASK_1, POLICY_CALLER_UNKNOWN);
}

/* There and back: nobody is left connected who was replaced. */
static void
test_replaced_back_again(void **state)
{
	struct store *s = *state;
	struct session first = open_session(s, "", ANNA, BORIS), last;

	replace(s, first.id, "driver", CLARA);
	at(s, NOW + 60);
	last = replace(s, first.id, "driver", BORIS);
	assert_string_not_equal(last.parties[1].id, first.parties[1].id);
	assert_string_equal(last.parties[1].number, MASK_1);
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	check_connected(s, BORIS, MASK_1, ANNA, CALL_LIMIT);
	route(s, CLARA, MASK_1, POLICY_PARTY_REPLACED);
	assert_int_equal(store_int(s, "SELECT count(*) FROM leg"), 3);
}

/* From then on the customer holds the number for the new one, and not for the
 * old. */
static void
test_replace_moves_the_hold(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);

	replace(s, session.id, "driver", CLARA);
	must(close_session(s, session.id, &session));
	session = open_session(s, "", ANNA, CLARA);
	assert_string_equal(session.parties[0].number, MASK_1);
	assert_string_equal(session.parties[1].number, MASK_1);
	must(close_session(s, session.id, &session));
	session = open_session(s, "", ANNA, BORIS);
	assert_string_equal(session.parties[0].number, MASK_2);
	assert_string_equal(session.parties[1].number, MASK_2);
}

/* The customer may be the one. */
static void
test_replace_the_customer(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);

	session = replace(s, session.id, "customer", CLARA);
	assert_string_equal(session.parties[0].role, "customer");
	check_connected(s, CLARA, MASK_1, BORIS, CALL_LIMIT);
	check_connected(s, BORIS, MASK_1, CLARA, CALL_LIMIT);
	route(s, ANNA, MASK_1, POLICY_PARTY_REPLACED);
}

static void
test_replace_both(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct session_change wish = replacing("driver", CLARA);

	strcpy(wish.parties[1].role, "customer");
	strcpy(wish.parties[1].phone, DORA);
	session = change(s, session.id, &wish);
	assert_string_equal(session.parties[0].role, "customer");
	assert_string_equal(session.parties[1].role, "driver");
	check_connected(s, DORA, MASK_1, CLARA, CALL_LIMIT);
	check_connected(s, CLARA, MASK_1, DORA, CALL_LIMIT);
	route(s, ANNA, MASK_1, POLICY_PARTY_REPLACED);
	route(s, BORIS, MASK_1, POLICY_PARTY_REPLACED);
}

/* The new one is busy on that number: gets another, and each sees and dials
 * the own. */
static void
test_replace_gives_another_number_if_it_must(void **state)
{
	struct store *s = *state;
	struct session session;
	struct mask_route out;

	/* MASK_1 is the only one at first. */
	must(number_set_state(s->db, s->service.id, MASK_2, "reserved"));
	session = open_session(s, "", ANNA, BORIS);
	open_session(s, "", CLARA, DORA);
	must(number_set_state(s->db, s->service.id, MASK_2, "active"));
	session = replace(s, session.id, "driver", CLARA);
	assert_string_equal(session.parties[0].number, MASK_1);
	assert_string_equal(session.parties[1].number, MASK_2);
	out = route(s, ANNA, MASK_1, POLICY_CONNECTED);
	assert_string_equal(out.to, CLARA);
	assert_string_equal(out.caller_id, MASK_2);
	out = route(s, CLARA, MASK_2, POLICY_CONNECTED);
	assert_string_equal(out.to, ANNA);
	assert_string_equal(out.caller_id, MASK_1);
	/* Her other session goes on. */
	check_connected(s, CLARA, MASK_1, DORA, CALL_LIMIT);
	route(s, BORIS, MASK_1, POLICY_PARTY_REPLACED);
	route(s, BORIS, MASK_2, POLICY_CALLER_UNKNOWN);
}

/* A number that takes nothing new is not given to the new one either. */
static void
test_replace_spares_a_draining_number(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);

	must(number_set_state(s->db, s->service.id, MASK_1, "draining"));
	session = replace(s, session.id, "driver", CLARA);
	assert_string_equal(session.parties[0].number, MASK_1);
	assert_string_equal(session.parties[1].number, MASK_2);
}

/* The same person again is nobody new. */
static void
test_replace_by_the_same_person(void **state)
{
	struct store *s = *state;
	struct session before = open_session(s, "", ANNA, BORIS), after;

	after = replace(s, before.id, "driver", BORIS);
	assert_memory_equal(&after, &before, sizeof after);
	check_connected(s, BORIS, MASK_1, ANNA, CALL_LIMIT);
	assert_int_equal(store_int(s, "SELECT count(*) FROM party"), 2);
}

static void
test_replace_refused(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	const char *id = session.id;
	struct session_change wish;

	wish = replacing("rider", CLARA);
	check_refused(s, id, &wish, RC_INVALID, "parties[0].role");
	wish = replacing("driver", "12025550166");
	check_refused(s, id, &wish, RC_INVALID, "parties[0].phone");
	wish = replacing("driver", MASK_2);
	check_refused(s, id, &wish, RC_OWN_NUMBER, "parties[0].phone");
	wish = replacing("driver", "+18765550123");
	check_refused(s, id, &wish, RC_COUNTRY, "parties[0].phone");
	/* With oneself. */
	wish = replacing("driver", ANNA);
	check_refused(s, id, &wish, RC_SAME_PARTY, "parties[0].phone");
	wish = replacing("customer", BORIS);
	check_refused(s, id, &wish, RC_SAME_PARTY, "parties[0].phone");
	/* Twice the same, by role or by phone. */
	wish = replacing("driver", CLARA);
	wish.parties[1] = wish.parties[0];
	strcpy(wish.parties[1].phone, DORA);
	check_refused(s, id, &wish, RC_INVALID, "parties[1].role");
	strcpy(wish.parties[1].role, "customer");
	strcpy(wish.parties[1].phone, CLARA);
	check_refused(s, id, &wish, RC_SAME_PARTY, "parties[1].phone");
	/* Each in the other's place. */
	wish = replacing("driver", ANNA);
	strcpy(wish.parties[1].role, "customer");
	strcpy(wish.parties[1].phone, BORIS);
	check_refused(s, id, &wish, RC_SAME_PARTY, "parties[0].phone");
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	check_connected(s, BORIS, MASK_1, ANNA, CALL_LIMIT);
}

/* What is refused last leaves nothing of what was done before. */
static void
test_refused_late_leaves_nothing(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct session_change wish = replacing("driver", CLARA);

	wish.ttl_s = 60;
	strcpy(wish.voice, "none");
	strcpy(wish.parties[1].role, "customer");
	strcpy(wish.parties[1].phone, MASK_2);
	at(s, NOW + 60);
	check_refused(s, session.id, &wish, RC_OWN_NUMBER, "parties[1].phone");
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	check_connected(s, BORIS, MASK_1, ANNA, CALL_LIMIT);
	route(s, CLARA, MASK_1, POLICY_CALLER_UNKNOWN);
	check_events(s, "1 session.opened");
	/* No number for the new one. */
	open_session(s, "", CLARA, DORA);
	open_session(s, "", CLARA, EMIL);
	wish.parties[1].role[0] = '\0';
	check_refused(s, session.id, &wish, RC_POOL, "parties[0].phone");
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	check_connected(s, BORIS, MASK_1, ANNA, CALL_LIMIT);
}

static void
test_change_needs_an_open_session(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS), closed;
	struct session_change wish = replacing("driver", CLARA);
	struct service other;
	struct deed d = { CLOSE, .s = s, .text = session.id,
		.closing = { .linger_s = 600 }, .session = &closed };

	store_service(s, &other, "rides", "");
	assert_int_equal(
	    try_change(s, "ses_", &wish, &closed, NULL), RC_NOT_FOUND);
	assert_int_equal(
	    transact(&(struct deed){ CHANGE, .s = s, .service_id = other.id,
		.text = session.id, .change = &wish, .session = &closed }),
	    RC_NOT_FOUND);
	at(s, NOW + TTL);
	check_refused(s, session.id, &wish, RC_ENDED, "");
	at(s, NOW + TTL - 1);
	must(transact(&d));
	check_refused(s, session.id, &wish, RC_ENDED, "");
	d.closing.linger_s = 0;
	must(transact(&d));
	check_refused(s, session.id, &wish, RC_ENDED, "");
}

static void
test_change_of_nothing(void **state)
{
	struct store *s = *state;
	struct session before = open_session(s, "trip-1", ANNA, BORIS), after;

	at(s, NOW + 60);
	after = change(s, before.id, &(struct session_change){ .ttl_s = 0 });
	assert_memory_equal(&after, &before, sizeof after);
}

/* What cannot be told is not done either. */
static void
test_change_falls_with_its_event(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct session_change wish = replacing("driver", CLARA);

	store_drop(s, "event");
	assert_int_equal(
	    try_change(s, session.id, &wish, &session, NULL), RC_UNAVAILABLE);
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	route(s, CLARA, MASK_1, POLICY_CALLER_UNKNOWN);
}

/* Somebody says they are not whom the call is for: nobody reaches that party
 * or is reached by it, until it is replaced. */
static void
test_dispute_until_replaced(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS), found;
	struct deed d = { DISPUTE, .s = s, .text = MASK_1, .role = BORIS };

	must(transact(&d));
	must(transact(&d));
	check_events(s, "1 session.opened, 2 party.disputed driver");
	store_check(
	    s, "SELECT session_id FROM event WHERE seq = 2", session.id);
	route(s, ANNA, MASK_1, POLICY_PARTY_DISPUTED);
	route(s, BORIS, MASK_1, POLICY_PARTY_DISPUTED);
	must(session_find(s->db, s->service.id, &found, session.id));
	assert_true(found.parties[1].disputed);
	assert_false(found.parties[0].disputed);
	/* That the app says so again proves nothing. */
	found = replace(s, session.id, "driver", BORIS);
	assert_true(found.parties[1].disputed);
	route(s, ANNA, MASK_1, POLICY_PARTY_DISPUTED);
	found = replace(s, session.id, "customer", DORA);
	route(s, DORA, MASK_1, POLICY_PARTY_DISPUTED);
	found = replace(s, session.id, "driver", CLARA);
	assert_false(found.parties[1].disputed);
	check_connected(s, DORA, MASK_1, CLARA, CALL_LIMIT);
	check_connected(s, CLARA, MASK_1, DORA, CALL_LIMIT);
}

static void
test_dispute_refuses_strangers(void **state)
{
	struct store *s = *state;
	static const char *const rows[][2] = { { MASK_1, DORA },
		{ MASK_2, BORIS }, { MASK_3, BORIS }, { DORA, BORIS },
		{ MASK_1, "" }, { MASK_1, "client:x" } };
	size_t i;

	open_session(s, "", ANNA, BORIS);
	for (i = 0; i < LENGTH(rows); i++)
		assert_int_equal(transact(&(struct deed){ DISPUTE, .s = s,
				     .text = rows[i][0], .role = rows[i][1] }),
		    RC_NOT_FOUND);
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
	check_events(s, "1 session.opened");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		MASK_TEST(test_ttl_counts_from_now),
		MASK_TEST(test_ttl_shortens),
		MASK_TEST(test_expires_at_is_absolute),
		MASK_TEST(test_expiry_refused),
		MASK_TEST(test_expiry_untouched_is_not_judged),
		MASK_TEST(test_modes_one_way_and_off),
		MASK_TEST(test_replace_cuts_off_the_old_one),
		MASK_TEST(test_replaced_stays_replaced),
		MASK_TEST(test_replaced_within_the_same_second),
		MASK_TEST(test_replaced_with_a_live_leg),
		MASK_TEST(test_replaced_back_again),
		MASK_TEST(test_replace_moves_the_hold),
		MASK_TEST(test_replace_the_customer),
		MASK_TEST(test_replace_both),
		MASK_TEST(test_replace_gives_another_number_if_it_must),
		MASK_TEST(test_replace_spares_a_draining_number),
		MASK_TEST(test_replace_by_the_same_person),
		MASK_TEST(test_replace_refused),
		MASK_TEST(test_refused_late_leaves_nothing),
		MASK_TEST(test_change_needs_an_open_session),
		MASK_TEST(test_change_of_nothing),
		MASK_TEST(test_change_falls_with_its_event),
		MASK_TEST(test_dispute_until_replaced),
		MASK_TEST(test_dispute_refuses_strangers),
	};

	return cmocka_run_group_tests_name("mask_change", tests, NULL, NULL);
}
