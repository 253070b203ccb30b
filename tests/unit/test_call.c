/* Calls: reports in every order leave one row; rows are kept and listed. */

#include "test.h"

#include "call.h"
#include "store.h"

/* Twilio's words, docs:voice/twiml. */
static const char *const words[CALL__MAX] = {
	[CALL_QUEUED] = "queued",
	[CALL_INITIATED] = "initiated",
	[CALL_RINGING] = "ringing",
	[CALL_IN_PROGRESS] = "in-progress",
	[CALL_COMPLETED] = "completed",
	[CALL_BUSY] = "busy",
	[CALL_FAILED] = "failed",
	[CALL_NO_ANSWER] = "no-answer",
	[CALL_CANCELED] = "canceled",
};

/* A leg nothing was reported of. */
static const struct call fresh = {
	.sid = SID_1,
	.status = CALL_QUEUED,
	.sequence = -1,
	.duration_s = -1,
};

static bool
report(struct call *call, enum call_status status, int64_t sequence, int64_t at,
    int64_t duration_s)
{
	return call_apply(
	    call, &(struct call_progress){ status, sequence, at, duration_s });
}

static void
check_same(const struct call *a, const struct call *b)
{
	assert_string_equal(a->id, b->id);
	assert_string_equal(a->sid, b->sid);
	assert_string_equal(a->parent_sid, b->parent_sid);
	assert_string_equal(a->service_id, b->service_id);
	assert_string_equal(a->session_id, b->session_id);
	assert_string_equal(a->party_id, b->party_id);
	assert_string_equal(a->number, b->number);
	assert_string_equal(a->reason, b->reason);
	assert_int_equal(a->status, b->status);
	assert_int_equal(a->sequence, b->sequence);
	assert_int_equal(a->created_at, b->created_at);
	assert_int_equal(a->ringing_at, b->ringing_at);
	assert_int_equal(a->answered_at, b->answered_at);
	assert_int_equal(a->ended_at, b->ended_at);
	assert_int_equal(a->duration_s, b->duration_s);
}

static void
test_parse_status_reads_all_words(void **state)
{
	enum call_status status;
	int i;

	(void)state;
	for (i = 0; i < CALL__MAX; i++) {
		status = CALL__MAX;
		must(call_parse_status(&status, words[i]));
		assert_int_equal(status, i);
		assert_string_equal(call_status_name(status), words[i]);
	}
}

static void
test_parse_status_refuses_the_rest(void **state)
{
	static const char *const others[] = { "", " ", "Completed", "COMPLETED",
		"completed ", " completed", "complete", "answered",
		"in_progress", "in-progres", "in-progressing", "noanswer",
		"no_answer", "cancelled", "ring", "0", "completed\n" };
	enum call_status status = CALL_FAILED;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(others); i++)
		if (call_parse_status(&status, others[i]) != RC_INVALID)
			fail_msg("\"%s\" passed", others[i]);
	assert_int_equal(status, CALL_FAILED);
}

static void
test_is_final_from_completed_on(void **state)
{
	(void)state;
	assert_false(call_is_final(CALL_QUEUED));
	assert_false(call_is_final(CALL_INITIATED));
	assert_false(call_is_final(CALL_RINGING));
	assert_false(call_is_final(CALL_IN_PROGRESS));
	assert_true(call_is_final(CALL_COMPLETED));
	assert_true(call_is_final(CALL_BUSY));
	assert_true(call_is_final(CALL_FAILED));
	assert_true(call_is_final(CALL_NO_ANSWER));
	assert_true(call_is_final(CALL_CANCELED));
}

static void
test_sid_accepts_its_form(void **state)
{
	(void)state;
	assert_true(call_sid_valid(SID_1));
	assert_true(call_sid_valid("CA0123456789abcdef0123456789abcdef"));
	assert_true(call_sid_valid("CA0123456789ABCDEF0123456789ABCDEF"));
}

static void
test_sid_refuses_the_rest(void **state)
{
	static const char *const others[] = { "", "CA",
		"CA0123456789abcdef0123456789abcde",
		"CA0123456789abcdef0123456789abcdef0",
		"CA0123456789abcdef0123456789abcdefg", SID_1 " ",
		"CA0123456789abcdef0123456789abcdeg",
		"CAg123456789abcdef0123456789abcdef",
		"CA0123456789abcdef 123456789abcdef",
		"CA0123456789abcdef0123456789abcde\n",
		"ca0123456789abcdef0123456789abcdef",
		"Ca0123456789abcdef0123456789abcdef",
		"SM0123456789abcdef0123456789abcdef",
		"CB0123456789abcdef0123456789abcdef",
		"AC0123456789abcdef0123456789abcdef",
		"000123456789abcdef0123456789abcdef",
		"CA-123456789abcdef0123456789abcdef" };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(others); i++)
		if (call_sid_valid(others[i]))
			fail_msg("\"%s\" passed", others[i]);
}

/* Applies len reports in every order and checks that the row is the same. */
static void
check_orders(
    const struct call_progress *reports, int len, const struct call *expected)
{
	struct call_progress order[8], swap;
	int count[8] = { 0 }, i = 0;
	struct call call = fresh;

	memcpy(order, reports, (size_t)len * sizeof order[0]);
	/* Heap's algorithm, without recursion. */
	for (;;) {
		struct call got = call;
		int j;

		for (j = 0; j < len; j++)
			call_apply(&got, &order[j]);
		check_same(&got, expected);
		for (; i < len && count[i] >= i; i++)
			count[i] = 0;
		if (i == len)
			return;
		j = i % 2 == 0 ? 0 : count[i];
		swap = order[j];
		order[j] = order[i];
		order[i] = swap;
		count[i]++;
		i = 0;
	}
}

/*
 * The reports of a call that is answered or not and ends in some way, or is
 * still going on (end: CALL_IN_PROGRESS), in all orders, also with each of
 * them coming twice. missing: bits of the reports without SequenceNumber.
 */
static void
check_call(enum call_status end, bool answered, int missing)
{
	struct call_progress reports[5] = {
		{ CALL_INITIATED, 0, NOW, -1 },
		{ CALL_RINGING, 1, NOW + 1, -1 },
	};
	struct call expected = fresh;
	int i, len = 2;

	expected.status = CALL_RINGING;
	expected.ringing_at = NOW + 1;
	if (answered) {
		reports[len++] =
		    (struct call_progress){ CALL_IN_PROGRESS, 2, NOW + 5, -1 };
		expected.status = CALL_IN_PROGRESS;
		expected.answered_at = NOW + 5;
	}
	if (call_is_final(end)) {
		reports[len++] = (struct call_progress){ end, 3, NOW + 9, 4 };
		expected.status = end;
		expected.ended_at = NOW + 9;
		expected.duration_s = 4;
	}
	for (i = 0; i < len; i++) {
		if ((missing >> reports[i].sequence & 1) != 0)
			reports[i].sequence = -1;
		if (reports[i].sequence > expected.sequence)
			expected.sequence = reports[i].sequence;
	}
	check_orders(reports, len, &expected);
	for (i = 0; i < len; i++) {
		reports[len] = reports[i];
		check_orders(reports, len + 1, &expected);
	}
}

/* Calls with every end from first on. */
static void
check_calls(enum call_status first, int missing)
{
	int end;

	for (end = first; end < CALL__MAX; end++) {
		check_call((enum call_status)end, false, missing);
		check_call((enum call_status)end, true, missing);
	}
}

static void
test_apply_all_orders_with_sequence(void **state)
{
	(void)state;
	check_calls(CALL_IN_PROGRESS, 0);
}

static void
test_apply_all_orders_without_sequence(void **state)
{
	(void)state;
	check_calls(CALL_IN_PROGRESS, 0xf);
}

/* The Dial's action tells the end without a number, for example. */
static void
test_apply_all_orders_some_without_sequence(void **state)
{
	int missing;

	(void)state;
	for (missing = 1; missing < 0xf; missing++)
		check_calls(CALL_COMPLETED, missing);
}

static void
test_apply_says_what_moved(void **state)
{
	struct call call = fresh;

	(void)state;
	assert_true(report(&call, CALL_INITIATED, 0, NOW, -1));
	assert_false(report(&call, CALL_INITIATED, 0, NOW, -1));
	assert_true(report(&call, CALL_IN_PROGRESS, 2, NOW + 2, -1));
	assert_false(report(&call, CALL_RINGING, 1, NOW + 1, -1));
	assert_false(report(&call, CALL_IN_PROGRESS, 2, NOW + 2, -1));
	assert_true(report(&call, CALL_COMPLETED, 3, NOW + 3, 1));
	assert_false(report(&call, CALL_COMPLETED, 3, NOW + 3, 1));
	assert_false(report(&call, CALL_BUSY, 4, NOW + 4, 1));
	assert_int_equal(call.status, CALL_COMPLETED);
}

/* A higher number wins even where the natural order says otherwise. */
static void
test_apply_follows_the_sequence(void **state)
{
	struct call call = fresh;

	(void)state;
	assert_true(report(&call, CALL_IN_PROGRESS, 1, NOW, -1));
	assert_true(report(&call, CALL_RINGING, 2, NOW, -1));
	assert_int_equal(call.status, CALL_RINGING);
	assert_int_equal(call.sequence, 2);
	assert_false(report(&call, CALL_IN_PROGRESS, 2, NOW, -1));
	assert_false(report(&call, CALL_IN_PROGRESS, 0, NOW, -1));
	/* The same again, though with a higher number, has moved nothing. */
	assert_false(report(&call, CALL_RINGING, 3, NOW, -1));
	assert_int_equal(call.status, CALL_RINGING);
	assert_int_equal(call.sequence, 3);
}

static void
test_apply_keeps_the_first_end(void **state)
{
	int first, second;

	(void)state;
	for (first = CALL_COMPLETED; first < CALL__MAX; first++) {
		for (second = 0; second < CALL__MAX; second++) {
			struct call call = fresh;

			report(&call, (enum call_status)first, 3, NOW, 7);
			assert_false(report(
			    &call, (enum call_status)second, 9, NOW + 1, 8));
			assert_int_equal(call.status, first);
			assert_int_equal(call.ended_at, NOW);
			assert_int_equal(call.duration_s, 7);
		}
	}
}

/* The end is believed whatever its number. */
static void
test_apply_ends_with_a_lower_sequence(void **state)
{
	struct call call = fresh;

	(void)state;
	report(&call, CALL_RINGING, 5, NOW, -1);
	assert_true(report(&call, CALL_NO_ANSWER, 1, NOW + 1, -1));
	assert_int_equal(call.status, CALL_NO_ANSWER);
	assert_int_equal(call.sequence, 5);
}

/* The Dial's action tells the end without its time; the leg's own report
 * comes later and has it. */
static void
test_apply_fills_in_what_was_not_known(void **state)
{
	struct call call = fresh;

	(void)state;
	assert_true(report(&call, CALL_COMPLETED, -1, 0, -1));
	assert_int_equal(call.ended_at, 0);
	assert_int_equal(call.duration_s, -1);
	assert_false(report(&call, CALL_COMPLETED, 3, NOW + 9, 0));
	assert_int_equal(call.ended_at, NOW + 9);
	assert_int_equal(call.duration_s, 0);
	assert_false(report(&call, CALL_RINGING, 1, NOW + 1, -1));
	assert_false(report(&call, CALL_IN_PROGRESS, 2, NOW + 2, -1));
	assert_int_equal(call.ringing_at, NOW + 1);
	assert_int_equal(call.answered_at, NOW + 2);
	/* And what is known stays. */
	report(&call, CALL_RINGING, 1, NOW + 8, -1);
	report(&call, CALL_IN_PROGRESS, 2, NOW + 8, -1);
	report(&call, CALL_COMPLETED, 3, NOW + 8, 8);
	assert_int_equal(call.ringing_at, NOW + 1);
	assert_int_equal(call.answered_at, NOW + 2);
	assert_int_equal(call.ended_at, NOW + 9);
	assert_int_equal(call.duration_s, 0);
}

/* Only an end has an end and a duration. */
static void
test_apply_takes_no_end_from_the_way(void **state)
{
	struct call call = fresh;

	(void)state;
	report(&call, CALL_INITIATED, 0, NOW, 5);
	assert_int_equal(call.ringing_at, 0);
	report(&call, CALL_RINGING, 1, NOW + 1, 5);
	assert_int_equal(call.answered_at, 0);
	report(&call, CALL_IN_PROGRESS, 2, NOW + 2, 5);
	assert_int_equal(call.ringing_at, NOW + 1);
	assert_int_equal(call.ended_at, 0);
	assert_int_equal(call.duration_s, -1);
}

/* Writes a session and a leg that Anna dialled in it. */
static void
insert(struct store *s, struct session *session, struct call *call)
{
	store_number(s, s->service.id, MASK_1);
	store_session(s, session, MASK_1, ANNA, BORIS, NOW);
	*call = fresh;
	strcpy(call->service_id, s->service.id);
	strcpy(call->session_id, session->id);
	strcpy(call->party_id, session->parties[0].id);
	strcpy(call->number, MASK_1);
	strcpy(call->reason, "connected");
	must(call_insert(s->db, call, NOW * 1000 + 999));
}

static void
test_insert_and_find_keep_all(void **state)
{
	struct store *s = *state;
	struct session session;
	struct call call, found;

	insert(s, &session, &call);
	assert_true(id_valid(call.id, "cal"));
	assert_int_equal(call.created_at, NOW);
	must(call_find(s->db, &found, SID_1));
	check_same(&found, &call);
	call.status = CALL_RINGING;
	call.sequence = 7;
	strcpy(call.sid, SID_2);
	strcpy(call.parent_sid, SID_1);
	must(call_insert(s->db, &call, NOW * 1000));
	must(call_find(s->db, &found, SID_2));
	check_same(&found, &call);
}

static void
test_insert_stores_null_for_unknown(void **state)
{
	struct store *s = *state;
	struct call call = fresh, found;

	must(call_insert(s->db, &call, NOW * 1000));
	must(call_find(s->db, &found, SID_1));
	check_same(&found, &call);
	assert_int_equal(
	    store_int(s,
		"SELECT coalesce(parent_sid, service_id, session_id, party_id,"
		" number, reason, ringing_at, answered_at, ended_at,"
		" duration_s, told_at) IS NULL FROM call"),
	    1);
}

static void
test_insert_refuses_a_known_sid(void **state)
{
	struct store *s = *state;
	struct call call, again, found;
	struct session session;

	insert(s, &session, &call);
	again = fresh;
	again.status = CALL_BUSY;
	assert_int_equal(call_insert(s->db, &again, NOW * 1000), RC_EXISTS);
	must(call_find(s->db, &found, SID_1));
	check_same(&found, &call);
}

static void
test_find_refuses_unknown_sids(void **state)
{
	struct store *s = *state;
	struct call call, found = { .status = CALL_BUSY };
	struct session session;

	insert(s, &session, &call);
	assert_int_equal(call_find(s->db, &found, SID_2), RC_NOT_FOUND);
	assert_int_equal(call_find(s->db, &found, ""), RC_NOT_FOUND);
	assert_int_equal(call_find(s->db, &found, call.id), RC_NOT_FOUND);
	assert_int_equal(found.status, CALL_BUSY);
	store_run(s, "UPDATE call SET status = 'strange'");
	assert_int_equal(call_find(s->db, &found, SID_1), RC_CORRUPT);
	assert_int_equal(found.status, CALL_BUSY);
}

static void
test_update_writes_what_apply_changes(void **state)
{
	struct store *s = *state;
	struct call call, other, found;
	struct session session;

	insert(s, &session, &call);
	other = fresh;
	strcpy(other.sid, SID_2);
	must(call_insert(s->db, &other, NOW * 1000));
	report(&call, CALL_RINGING, 1, NOW + 1, -1);
	report(&call, CALL_IN_PROGRESS, 2, NOW + 2, -1);
	report(&call, CALL_COMPLETED, 3, NOW + 3, 0);
	must(call_update(s->db, &call));
	must(call_find(s->db, &found, SID_1));
	check_same(&found, &call);
	must(call_find(s->db, &found, SID_2));
	check_same(&found, &other);
}

/* Unknown times and durations do not become 0 on the way. */
static void
test_update_keeps_the_unknown_unknown(void **state)
{
	struct store *s = *state;
	struct session session;
	struct call call, found;

	insert(s, &session, &call);
	report(&call, CALL_CANCELED, -1, 0, -1);
	must(call_update(s->db, &call));
	must(call_find(s->db, &found, SID_1));
	check_same(&found, &call);
	assert_int_equal(
	    store_int(s, "SELECT coalesce(ringing_at, answered_at,"
			 " ended_at, duration_s) IS NULL FROM call"),
	    1);
}

static void
test_tell_once(void **state)
{
	struct store *s = *state;
	struct session session;
	struct call call, other;

	insert(s, &session, &call);
	other = call;
	strcpy(other.sid, SID_2);
	must(call_insert(s->db, &other, NOW * 1000));
	must(call_find(s->db, &call, SID_1));
	assert_false(call.told);
	must(call_tell(s->db, call.id, NOW + 1));
	must(call_find(s->db, &call, SID_1));
	assert_true(call.told);
	assert_int_equal(call_tell(s->db, call.id, NOW + 2), RC_NONE);
	assert_int_equal(
	    store_int(s, "SELECT told_at FROM call WHERE sid = '" SID_1 "'"),
	    NOW + 1);
	must(call_tell(s->db, other.id, NOW + 3));
	assert_int_equal(call_tell(s->db, SID_1, NOW + 3), RC_NONE);
	must(call_find(s->db, &call, SID_2));
	assert_true(call.told);
}

/* What call_list gave. */
struct listed {
	struct call_summary calls[8];
	int len;
};

static void
keep(void *cookie, const struct call_summary *call)
{
	struct listed *listed = cookie;

	assert_in_range(listed->len, 0, 7);
	listed->calls[listed->len++] = *call;
}

static void
test_list_shows_both_legs_as_one(void **state)
{
	struct store *s = *state;
	struct listed listed = { .len = 0 };
	const struct call_summary *shown = listed.calls;
	struct call call, ring;
	struct session session;

	insert(s, &session, &call);
	ring = call;
	strcpy(ring.sid, SID_2);
	strcpy(ring.parent_sid, SID_1);
	strcpy(ring.party_id, session.parties[1].id);
	must(call_insert(s->db, &ring, NOW * 1000));
	report(&ring, CALL_RINGING, 1, NOW + 1, -1);
	report(&ring, CALL_IN_PROGRESS, 2, NOW + 2, -1);
	report(&ring, CALL_COMPLETED, 3, NOW + 33, 31);
	must(call_update(s->db, &ring));
	must(call_list(s->db, session.id, 8, keep, &listed));
	assert_int_equal(listed.len, 1);
	assert_string_equal(shown->id, call.id);
	assert_string_equal(shown->from, "customer");
	assert_string_equal(shown->reason, "connected");
	assert_string_equal(shown->status, "completed");
	assert_int_equal(shown->started_at, NOW);
	assert_int_equal(shown->ringing_at, NOW + 1);
	assert_int_equal(shown->answered_at, NOW + 2);
	assert_int_equal(shown->ended_at, NOW + 33);
	assert_int_equal(shown->duration_s, 31);
}

/* A call that rang nobody: nothing of the leg that was dialled is taken for
 * ringing, answering or talking. */
static void
test_list_shows_a_lone_leg(void **state)
{
	struct store *s = *state;
	struct listed listed = { .len = 0 };
	struct session session;
	struct call call;

	insert(s, &session, &call);
	report(&call, CALL_RINGING, 1, NOW + 1, -1);
	report(&call, CALL_IN_PROGRESS, 2, NOW + 2, -1);
	report(&call, CALL_COMPLETED, 3, NOW + 3, 1);
	must(call_update(s->db, &call));
	store_run(s, "UPDATE call SET party_id = NULL, reason = NULL");
	must(call_list(s->db, session.id, 8, keep, &listed));
	assert_int_equal(listed.len, 1);
	assert_string_equal(listed.calls[0].from, "");
	assert_string_equal(listed.calls[0].reason, "");
	assert_string_equal(listed.calls[0].status, "completed");
	assert_int_equal(listed.calls[0].ringing_at, 0);
	assert_int_equal(listed.calls[0].answered_at, 0);
	assert_int_equal(listed.calls[0].ended_at, NOW + 3);
	assert_int_equal(listed.calls[0].duration_s, 0);
}

static void
test_list_newest_first_up_to_limit(void **state)
{
	struct store *s = *state;
	struct listed listed = { .len = 0 };
	struct call call, other;
	struct session session;

	insert(s, &session, &call);
	other = call;
	strcpy(other.sid, SID_2);
	must(call_insert(s->db, &other, (NOW + 60) * 1000));
	must(call_list(s->db, session.id, 8, keep, &listed));
	assert_int_equal(listed.len, 2);
	assert_string_equal(listed.calls[0].id, other.id);
	assert_string_equal(listed.calls[1].id, call.id);
	listed.len = 0;
	must(call_list(s->db, session.id, 1, keep, &listed));
	assert_int_equal(listed.len, 1);
	assert_string_equal(listed.calls[0].id, other.id);
}

static void
test_list_leaves_out_other_sessions(void **state)
{
	struct store *s = *state;
	struct listed listed = { .len = 0 };
	struct session session, other;
	struct call call;

	insert(s, &session, &call);
	store_session(s, &other, MASK_1, ANNA, CLARA, NOW);
	must(call_list(s->db, other.id, 8, keep, &listed));
	must(call_list(s->db, "", 8, keep, &listed));
	assert_int_equal(listed.len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_status_reads_all_words),
		cmocka_unit_test(test_parse_status_refuses_the_rest),
		cmocka_unit_test(test_is_final_from_completed_on),
		cmocka_unit_test(test_sid_accepts_its_form),
		cmocka_unit_test(test_sid_refuses_the_rest),
		cmocka_unit_test(test_apply_all_orders_with_sequence),
		cmocka_unit_test(test_apply_all_orders_without_sequence),
		cmocka_unit_test(test_apply_all_orders_some_without_sequence),
		cmocka_unit_test(test_apply_says_what_moved),
		cmocka_unit_test(test_apply_follows_the_sequence),
		cmocka_unit_test(test_apply_keeps_the_first_end),
		cmocka_unit_test(test_apply_ends_with_a_lower_sequence),
		cmocka_unit_test(test_apply_fills_in_what_was_not_known),
		cmocka_unit_test(test_apply_takes_no_end_from_the_way),
		STORE_TEST(test_insert_and_find_keep_all),
		STORE_TEST(test_insert_stores_null_for_unknown),
		STORE_TEST(test_insert_refuses_a_known_sid),
		STORE_TEST(test_find_refuses_unknown_sids),
		STORE_TEST(test_update_writes_what_apply_changes),
		STORE_TEST(test_update_keeps_the_unknown_unknown),
		STORE_TEST(test_tell_once),
		STORE_TEST(test_list_shows_both_legs_as_one),
		STORE_TEST(test_list_shows_a_lone_leg),
		STORE_TEST(test_list_newest_first_up_to_limit),
		STORE_TEST(test_list_leaves_out_other_sessions),
	};

	return cmocka_run_group_tests_name("call", tests, NULL, NULL);
}
