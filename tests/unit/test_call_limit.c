/* Calls: what limits count, and calls connected after all. */

#include "test.h"

#include "call.h"
#include "store.h"

/* A call of a session, or a leg it dialled, or one that was refused. */
static void
put_call(struct store *s, const char *sid, const char *parent_sid,
    const struct session *session, const char *reason, int64_t at)
{
	struct call call = {
		.status = CALL_RINGING, .sequence = -1, .duration_s = -1
	};

	strcpy(call.sid, sid);
	strcpy(call.parent_sid, parent_sid);
	strcpy(call.service_id, s->service.id);
	strcpy(call.session_id, session->id);
	strcpy(call.party_id, session->parties[0].id);
	strcpy(call.reason, reason);
	must(call_insert(s->db, &call, at * 1000));
}

static void
test_counts_for_limits(void **state)
{
	struct store *s = *state;
	struct session session, other;
	int64_t count = -1;

	store_number(s, s->service.id, MASK_1);
	store_session(s, &session, MASK_1, ANNA, BORIS, NOW);
	store_session(s, &other, MASK_1, CLARA, DORA, NOW);
	must(call_count_session(s->db, &count, session.id, SID_1));
	assert_int_equal(count, 0);
	put_call(s, SID_1, "", &session, "connected", NOW);
	put_call(s, SID_2, "", &session, "connected_by_code", NOW + 10);
	put_call(s, SID_3, "", &session, "session_limit", NOW + 20);
	put_call(s, SID_4, SID_1, &session, "", NOW + 20);
	must(call_count_session(s->db, &count, session.id, ""));
	assert_int_equal(count, 2);
	must(call_count_session(s->db, &count, session.id, SID_1));
	assert_int_equal(count, 1);
	must(call_count_session(s->db, &count, other.id, ""));
	assert_int_equal(count, 0);
	/* Since, not from then on; refused ones as well. */
	must(call_count_party(
	    s->db, &count, session.parties[0].id, NOW - 1, ""));
	assert_int_equal(count, 3);
	must(call_count_party(s->db, &count, session.parties[0].id, NOW, ""));
	assert_int_equal(count, 2);
	must(
	    call_count_party(s->db, &count, session.parties[0].id, NOW, SID_3));
	assert_int_equal(count, 1);
	must(call_count_party(
	    s->db, &count, session.parties[1].id, NOW - 1, ""));
	assert_int_equal(count, 0);
}

static void
test_usage_adds_up_by_day(void **state)
{
	struct store *s = *state;
	int64_t seconds = -1;

	must(call_usage(s->db, &seconds, s->service.id, 20000));
	assert_int_equal(seconds, 0);
	must(call_add_usage(s->db, s->service.id, 20000, 61));
	must(call_add_usage(s->db, s->service.id, 20000, 1));
	must(call_add_usage(s->db, s->service.id, 20001, 5));
	must(call_usage(s->db, &seconds, s->service.id, 20000));
	assert_int_equal(seconds, 62);
	must(call_usage(s->db, &seconds, s->service.id, 20001));
	assert_int_equal(seconds, 5);
	assert_int_equal(call_add_usage(s->db, "svc_", 20000, 1), RC_RETRY);
}

static void
test_connect_after_all(void **state)
{
	struct store *s = *state;
	struct session session;
	struct call call = { .status = CALL_RINGING,
		.sequence = -1,
		.duration_s = -1,
		.sid = SID_1,
		.reason = "caller_unknown" };

	store_number(s, s->service.id, MASK_1);
	store_session(s, &session, MASK_1, ANNA, BORIS, NOW);
	strcpy(call.service_id, s->service.id);
	must(call_insert(s->db, &call, NOW * 1000));
	strcpy(call.session_id, session.id);
	strcpy(call.party_id, session.parties[1].id);
	strcpy(call.reason, "connected_by_code");
	must(call_connect(s->db, &call));
	call.created_at = NOW;
	{
		struct call found;

		must(call_find(s->db, &found, SID_1));
		assert_string_equal(found.id, call.id);
		assert_string_equal(found.session_id, session.id);
		assert_string_equal(found.party_id, session.parties[1].id);
		assert_string_equal(found.reason, "connected_by_code");
		assert_int_equal(found.status, CALL_RINGING);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_counts_for_limits),
		STORE_TEST(test_usage_adds_up_by_day),
		STORE_TEST(test_connect_after_all),
	};

	return cmocka_run_group_tests_name("call_limit", tests, NULL, NULL);
}
