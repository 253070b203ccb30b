/* Recordings: what reports change, and the rows. */

#include "test.h"

#include "recording.h"
#include "store.h"

#define RE_1 "RE00000000000000000000000000000001"
#define RE_2 "RE00000000000000000000000000000002"

static void
test_words(void **state)
{
	static const char *const words[RECORDING__MAX] = { "in-progress",
		"completed", "absent", "failed", "deleting", "deleted" };
	enum recording_status status;
	int i;

	(void)state;
	for (i = 0; i < RECORDING__MAX; i++)
		assert_string_equal(
		    recording_status_name((enum recording_status)i), words[i]);
	for (i = 0; i <= RECORDING_FAILED; i++) {
		must(recording_parse_status(&status, words[i]));
		assert_int_equal(status, i);
	}
	/* These are our words, not Twilio's. */
	assert_int_equal(
	    recording_parse_status(&status, "deleted"), RC_INVALID);
	assert_int_equal(
	    recording_parse_status(&status, "deleting"), RC_INVALID);
	assert_int_equal(recording_parse_status(&status, ""), RC_INVALID);
	assert_int_equal(
	    recording_parse_status(&status, "Completed"), RC_INVALID);
}

/* Every report on every state: the last word is said once. */
static void
test_final_stays_final(void **state)
{
	struct recording recording;
	int from, to;

	(void)state;
	for (from = 0; from < RECORDING__MAX; from++) {
		for (to = 0; to <= RECORDING_FAILED; to++) {
			bool moves = from == RECORDING_IN_PROGRESS &&
				     to != RECORDING_IN_PROGRESS;

			recording = (struct recording){
				.status = (enum recording_status)from,
				.duration_s = -1,
				.channels = -1,
			};
			assert_int_equal(
			    recording_apply(&recording,
				&(struct recording_progress){
				    (enum recording_status)to, 5, 2 }),
			    moves);
			assert_int_equal(recording.status, moves ? to : from);
			assert_int_equal(recording.duration_s,
			    to == RECORDING_IN_PROGRESS ? -1 : 5);
			assert_int_equal(recording.channels,
			    to == RECORDING_IN_PROGRESS ? -1 : 2);
		}
	}
}

static void
test_what_is_known_is_not_changed(void **state)
{
	struct recording recording = {
		.status = RECORDING_COMPLETED, .duration_s = 5, .channels = 2
	};

	(void)state;
	assert_false(recording_apply(&recording,
	    &(struct recording_progress){ RECORDING_FAILED, 9, 1 }));
	assert_int_equal(recording.duration_s, 5);
	assert_int_equal(recording.channels, 2);
}

static void
put(struct store *s, const char *sid, const char *session_id,
    struct recording *recording)
{
	*recording = (struct recording){ .status = RECORDING_IN_PROGRESS,
		.duration_s = -1,
		.channels = -1 };
	strcpy(recording->sid, sid);
	strcpy(recording->session_id, session_id);
	strcpy(recording->service_id, s->service.id);
	must(recording_insert(s->db, recording, NOW * 1000 + 999));
}

static void
test_rows(void **state)
{
	struct recording one, two, found, list[3];
	struct store *s = *state;
	struct session session;
	int len;

	store_number(s, s->service.id, MASK_1);
	store_session(s, &session, MASK_1, ANNA, BORIS, NOW);
	put(s, RE_1, session.id, &one);
	put(s, RE_2, session.id, &two);
	assert_int_equal(recording_insert(s->db, &one, NOW * 1000), RC_EXISTS);
	must(recording_find_sid(s->db, &found, RE_2));
	assert_string_equal(found.id, two.id);
	assert_string_equal(found.call_id, "");
	assert_int_equal(found.duration_s, -1);
	assert_int_equal(found.channels, -1);
	assert_int_equal(found.created_at, NOW);
	assert_int_equal(found.deleted_at, 0);
	found.status = RECORDING_COMPLETED;
	found.duration_s = 0;
	found.channels = 2;
	must(recording_update(s->db, &found));
	must(recording_find(s->db, s->service.id, &found, two.id));
	assert_int_equal(found.status, RECORDING_COMPLETED);
	assert_int_equal(found.duration_s, 0);
	assert_string_equal(found.session_id, session.id);
	assert_int_equal(
	    recording_find(s->db, "svc_other", &found, two.id), RC_NOT_FOUND);
	assert_int_equal(
	    recording_find_sid(s->db, &found, SID_1), RC_NOT_FOUND);
	must(recording_list(s->db, session.id, list, 3, &len));
	assert_int_equal(len, 2);
	must(recording_list(s->db, session.id, list, 1, &len));
	assert_int_equal(len, 1);
	must(recording_list(s->db, "ses_other", list, 3, &len));
	assert_int_equal(len, 0);
}

static void
test_deleted_is_told_once(void **state)
{
	struct recording one, gone;
	struct store *s = *state;

	put(s, RE_1, "", &one);
	must(recording_deleted(s->db, &gone, RE_1, NOW + 7));
	assert_string_equal(gone.id, one.id);
	assert_string_equal(gone.service_id, s->service.id);
	must(recording_find(s->db, s->service.id, &gone, one.id));
	assert_int_equal(gone.status, RECORDING_DELETED);
	assert_int_equal(gone.deleted_at, NOW + 7);
	assert_int_equal(
	    recording_deleted(s->db, &gone, RE_1, NOW + 8), RC_NONE);
	assert_int_equal(
	    recording_deleted(s->db, &gone, RE_2, NOW + 8), RC_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_final_stays_final),
		cmocka_unit_test(test_what_is_known_is_not_changed),
		STORE_TEST(test_rows),
		STORE_TEST(test_deleted_is_told_once),
	};

	return cmocka_run_group_tests_name("recording", tests, NULL, NULL);
}
