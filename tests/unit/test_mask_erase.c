/* Recordings and erasures: what is written down, what Twilio is asked to
 * delete, and what of a person is left. */

#include "test.h"

#include "deeds.h"
#include "erasure.h"
#include "outbox.h"

#define RE_1 "RE00000000000000000000000000000001"
#define SM_1 "SM00000000000000000000000000000001"
#define SM_2 "SM00000000000000000000000000000002"

/* Deeds of these files, for the transaction they run in. */
struct order {
	enum {
		RECORDED,
		DELETE,
		ERASE_SESSION,
		ERASE_PERSON,
		ERASED,
		PLACE_CALL,
		ANSWER_CALL,
		TIDY
	} is;
	struct store *s;
	const char *text;
	const struct mask_recording *report;
	struct recording recording;
	char erasure_id[ID_SIZE];
	struct call_summary call;
	struct mask_route route;
	struct fault fault;
};

static enum rc
carry_out(struct db *db, void *cookie)
{
	struct order *o = cookie;
	const struct mask *mask = &o->s->mask;
	const char *service = o->s->service.id;

	(void)db;
	switch (o->is) {
	case RECORDED:
		return mask_recorded(mask, o->report);
	case DELETE:
		return mask_delete_recording(
		    mask, service, o->text, &o->recording);
	case ERASE_SESSION:
		return mask_erase_session(
		    mask, service, o->text, o->erasure_id);
	case ERASE_PERSON:
		return mask_erase_person(
		    mask, service, o->text, o->erasure_id, &o->fault);
	case ERASED:
		return mask_erased(mask, o->text);
	case PLACE_CALL:
		return mask_place(
		    mask, service, o->text, "driver", &o->call, &o->fault);
	case ANSWER_CALL:
		return mask_answer(mask, o->text, SID_1, &o->route);
	default:
		return mask_tidy(mask);
	}
}

static enum rc
order(struct order *o)
{
	return db_transact(o->s->db, DB_WAIT_MS, carry_out, o);
}

static enum rc
recorded(struct store *s, const char *sid, const char *call_sid,
    enum recording_status status)
{
	bool last = status != RECORDING_IN_PROGRESS;

	return order(&(struct order){ RECORDED, .s = s,
	    .report = &(struct mask_recording){
		sid, call_sid, { status, last ? 5 : -1, last ? 2 : -1 } } });
}

static enum rc delete (struct store *s, const char *id) {
	return order(&(struct order){ DELETE, .s = s, .text = id });
}

static void
erased(struct store *s, const char *thing)
{
	must(order(&(struct order){ ERASED, .s = s, .text = thing }));
}

static void
tidy(struct store *s)
{
	struct order o = { TIDY, .s = s };
	enum rc rc;

	while ((rc = order(&o)) == RC_OK)
		;
	assert_int_equal(rc, RC_NONE);
}

/* What waits to be erased at Twilio, in order. */
static void
check_asked(struct store *s, const char *expected)
{
	store_check(s,
	    "SELECT coalesce(group_concat(subject_id, ' '), '') FROM (SELECT"
	    " subject_id FROM outbox WHERE kind = 'erase'"
	    " AND state = 'waiting' ORDER BY subject_id)",
	    expected);
}

/* --- Recordings */

/* A call between Anna and Boris. */
static struct session
talk(struct store *s)
{
	struct session session = open_session(s, "trip", ANNA, BORIS);

	dial(s, SID_1, ANNA, MASK_1, POLICY_CONNECTED);
	ring(s, CALL_COMPLETED, 9);
	return session;
}

static void
test_a_recording_is_written_down_and_told(void **state)
{
	struct store *s = *state;

	talk(s);
	must(recorded(s, RE_1, SID_1, RECORDING_IN_PROGRESS));
	store_check(s, "SELECT status FROM recording", "in-progress");
	check_events(s, "1 session.opened, 2 call.started connected, 3 "
			"call.ended completed");
	must(recorded(s, RE_1, SID_1, RECORDING_COMPLETED));
	/* Twice, and one that comes late. */
	must(recorded(s, RE_1, SID_1, RECORDING_COMPLETED));
	must(recorded(s, RE_1, SID_1, RECORDING_IN_PROGRESS));
	must(recorded(s, RE_1, SID_1, RECORDING_FAILED));
	check_events(s,
	    "1 session.opened, 2 call.started connected, 3 "
	    "call.ended completed, 4 recording.completed completed");
	store_check(s,
	    "SELECT r.status || ' ' || r.duration_s || ' ' || r.channels || ' '"
	    " || (c.sid = '" SID_1 "') || (r.session_id = c.session_id)"
	    " || (r.service_id = c.service_id)"
	    " FROM recording r JOIN call c ON c.id = r.call_id",
	    "completed 5 2 111");
	store_check(s,
	    "SELECT (e.subject_id = r.id) || (e.session_id = r.session_id)"
	    " FROM event e, recording r WHERE e.type = 'recording.completed'",
	    "11");
}

static void
test_a_recording_that_failed_is_told(void **state)
{
	struct store *s = *state;

	talk(s);
	must(recorded(s, RE_1, SID_1, RECORDING_ABSENT));
	store_check(s, "SELECT type || ' ' || detail FROM event WHERE seq = 4",
	    "recording.failed absent");
}

/* Nobody is told, but it is kept to be deleted; and once the call is known,
 * it is of that. */
static void
test_a_recording_of_an_unknown_call_is_kept(void **state)
{
	struct store *s = *state;

	assert_int_equal(
	    recorded(s, RE_1, SID_1, RECORDING_COMPLETED), RC_NONE);
	store_check(s,
	    "SELECT status || (call_id IS NULL) || (service_id IS NULL)"
	    " FROM recording",
	    "completed11");
	check_events(s, "");
	talk(s);
	must(recorded(s, RE_1, SID_1, RECORDING_COMPLETED));
	assert_int_equal(
	    store_int(s, "SELECT count(session_id) FROM recording"), 1);
}

static void
test_a_recording_is_deleted_when_twilio_says_so(void **state)
{
	struct store *s = *state;
	char id[ID_SIZE];

	talk(s);
	must(recorded(s, RE_1, SID_1, RECORDING_COMPLETED));
	store_text(s, "SELECT id FROM recording", id, sizeof id);
	assert_int_equal(delete (s, "rec_none"), RC_NOT_FOUND);
	must(delete (s, id));
	must(delete (s, id));
	check_asked(s, "Recordings/" RE_1);
	store_check(s, "SELECT status FROM recording", "deleting");
	/* A report that was on its way. */
	must(recorded(s, RE_1, SID_1, RECORDING_COMPLETED));
	store_check(s, "SELECT status FROM recording", "deleting");
	at(s, NOW + 60);
	erased(s, "Recordings/" RE_1);
	erased(s, "Recordings/" RE_1);
	store_check(s, "SELECT status || deleted_at FROM recording",
	    "deleted1800000060");
	check_events(s,
	    "1 session.opened, 2 call.started connected, 3 call.ended "
	    "completed, 4 recording.completed completed, 5 recording.deleted");
	must(delete (s, id));
	check_asked(s, "Recordings/" RE_1);
}

static void
test_another_services_recording_is_not_found(void **state)
{
	struct store *s = *state;
	struct service other, mine = s->service;
	char id[ID_SIZE];

	talk(s);
	must(recorded(s, RE_1, SID_1, RECORDING_COMPLETED));
	store_text(s, "SELECT id FROM recording", id, sizeof id);
	store_service(s, &other, "other", "");
	s->service = other;
	assert_int_equal(delete (s, id), RC_NOT_FOUND);
	s->service = mine;
	check_asked(s, "");
}

/* --- Erasing */

/* A call that was recorded and two texts, one of which still waits. */
static struct session
fill(struct store *s)
{
	struct session session = talk(s);
	char sql[1024];

	must(recorded(s, RE_1, SID_1, RECORDING_COMPLETED));
	snprintf(sql, sizeof sql,
	    "INSERT INTO message SELECT 'msg_1', '" SM_1 "', '" SM_2 "',"
	    " service_id, id, '%s', '%s', '" MASK_1 "', 'relayed', 'delivered',"
	    " NULL, 0, x'01', %lld, NULL, NULL FROM session WHERE id = '%s';"
	    "INSERT INTO message SELECT 'msg_2', NULL, NULL, service_id,"
	    " session_id, NULL, to_party, NULL, 'app', 'waiting', NULL, 0,"
	    " x'02', %lld, NULL, NULL FROM message WHERE id = 'msg_1';"
	    "INSERT INTO outbox (id, service_id, channel, kind, subject_id,"
	    " state, attempts, lease, doubt, due_at_ms, created_at_ms)"
	    " SELECT 'dlv_2', service_id, 'twilio', 'message', 'msg_2',"
	    " 'waiting', 0, 0, 0, 0, 0 FROM message WHERE id = 'msg_2';"
	    "INSERT INTO intent VALUES ('%s', '" MASK_1 "', %lld)",
	    session.parties[0].id, session.parties[1].id, (long long)NOW,
	    session.id, (long long)NOW, session.parties[0].id,
	    (long long)NOW + 30);
	store_run(s, sql);
	return session;
}

/* The hash of a number as a literal of SQL. */
static void
hash_of(struct store *s, const char *phone, char out[64])
{
	uint8_t person[CRYPTO_HASH_SIZE];

	session_person(person, &s->keys, phone);
	strcpy(out, "x'");
	crypto_hex(out + 2, person, sizeof person);
	strcat(out, "'");
}

/* How often the hash of a number stands in a column. */
static int64_t
count_hash(
    struct store *s, const char *table, const char *column, const char *phone)
{
	char hash[64], sql[192];

	hash_of(s, phone, hash);
	snprintf(sql, sizeof sql, "SELECT count(*) FROM %s WHERE %s = %s",
	    table, column, hash);
	return store_int(s, sql);
}

static struct order
erase(struct store *s, const char *session_id)
{
	struct order o = { ERASE_SESSION, .s = s, .text = session_id };

	must(order(&o));
	return o;
}

/* The app has the driver rung. */
static void
place_call(struct store *s, const char *session_id)
{
	must(order(&(struct order){ PLACE_CALL, .s = s, .text = session_id }));
}

/* Whoever was rung has answered. */
static enum rc
answer_call(struct store *s, const char *id, struct mask_route *out)
{
	struct order o = { ANSWER_CALL, .s = s, .text = id };
	enum rc rc = order(&o);

	*out = o.route;
	return rc;
}

#define ALL                                                                    \
	"Calls/" SID_1 " Calls/" SID_2 " Messages/" SM_1 " Messages/" SM_2     \
	" Recordings/" RE_1

static void
test_a_session_is_erased_here_and_asked_for_there(void **state)
{
	struct store *s = *state;
	struct session session = fill(s);
	struct order o = erase(s, session.id);

	check_asked(s, ALL);
	store_check(s,
	    "SELECT max(length(person) + length(phone_sealed) +"
	    " length(code)) FROM party",
	    "0");
	store_check(s,
	    "SELECT count(body_sealed) || group_concat(status, ' ')"
	    " FROM message",
	    "0delivered failed");
	store_check(s,
	    "SELECT close_reason || coalesce(reference, ' none')"
	    " || ' ' || (erasure_id IS NOT NULL) FROM session",
	    "closed none 1");
	assert_int_equal(store_int(s, "SELECT count(*) FROM intent"), 0);
	store_check(s, "SELECT subject || ' ' || requested_at FROM erasure",
	    "session 1800000000");
	store_check(s, "SELECT subject_id FROM erasure", session.id);
	store_check(s, "SELECT id FROM erasure", o.erasure_id);
	store_check(s,
	    "SELECT count(*) || ' ' || count(erased_at) FROM erasure_item",
	    "6 1");
	store_check(s,
	    "SELECT thing FROM erasure_item WHERE erased_at IS NOT NULL",
	    session.id);
	store_check(s, "SELECT status FROM recording", "deleting");
}

/* The index alone stays, as long as it keeps the promise of the hold. */
static void
test_an_erased_person_is_held_and_never_connected(void **state)
{
	struct store *s = *state;
	struct session session = fill(s), other;
	struct session_request request = ask("", ANNA, CLARA);

	erase(s, session.id);
	assert_int_equal(count_hash(s, "leg", "person", ANNA), 1);
	assert_int_equal(count_hash(s, "party", "person", ANNA), 0);
	route(s, ANNA, MASK_1, POLICY_SESSION_IS_CLOSED);
	route(s, BORIS, MASK_1, POLICY_SESSION_IS_CLOSED);
	/* Nobody else is behind that number for Anna. */
	must(try_open(s, &request, &other));
	assert_string_equal(other.parties[0].number, MASK_2);
	at(s, NOW + HOLD - 1);
	route(s, ANNA, MASK_1, POLICY_SESSION_IS_CLOSED);
	/* Then it is gone with the session, whatever is kept of others. */
	erased(s, "Recordings/" RE_1);
	at(s, NOW + 86400);
	tidy(s);
	assert_int_equal(count_hash(s, "leg", "person", BORIS), 0);
	assert_int_equal(store_int(s, "SELECT count(*) FROM session"), 1);
	assert_int_equal(store_int(s, "SELECT count(*) FROM erasure_item"), 6);
}

/* A call that is to be placed, and may have been already: nobody is rung, and
 * whoever answers is not connected. */
static void
test_a_placed_call_of_an_erased_session_comes_to_nothing(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct mask_placing placing;
	struct mask_route out;
	char id[ID_SIZE];
	place_call(s, session.id);
	store_text(s, "SELECT id FROM call", id, sizeof id);
	store_run(s, "UPDATE outbox SET doubt = 1");
	erase(s, session.id);
	store_check(s, "SELECT status FROM call", "canceled");
	assert_int_equal(mask_placing(&s->mask, id, &placing), RC_NOT_FOUND);
	assert_int_equal(answer_call(s, id, &out), RC_NONE);
	assert_string_equal(out.to, "");
	/* Its CallSid is known now. */
	at(s, NOW + 3600);
	tidy(s);
	check_asked(s, "Calls/" SID_1);
}

/* Even if a leg of it were live: there is no number to ring. */
static void
test_an_erased_peer_cannot_be_rung(void **state)
{
	struct store *s = *state;
	struct session session = fill(s);
	struct mask_dialled call = dialled(SID_3, ANNA, MASK_1);
	struct mask_route out;

	erase(s, session.id);
	store_run(s, "UPDATE leg SET live_until = 1900000000,"
		     " held_until = 1900000000; UPDATE session SET"
		     " closed_at = NULL, close_reason = NULL");
	log_open("test", (enum log_level)(LOG_ERROR + 1));
	assert_int_equal(mask_route(&s->mask, &call, &out), RC_CORRUPT);
}

static void
test_erasing_again_adds_to_the_same_receipt(void **state)
{
	struct store *s = *state;
	struct session session = fill(s);
	struct order first = erase(s, session.id), again;

	again = erase(s, session.id);
	assert_string_equal(again.erasure_id, first.erasure_id);
	check_asked(s, ALL);
	assert_int_equal(store_int(s, "SELECT count(*) FROM erasure"), 1);
	check_events(s, "1 session.opened, 2 call.started connected, 3 "
			"call.ended completed, 4 recording.completed "
			"completed, 5 session.closed");
}

static void
test_a_session_that_is_not_there_is_not_erased(void **state)
{
	struct store *s = *state;
	struct order o = { ERASE_SESSION, .s = s, .text = "ses_none" };

	fill(s);
	assert_int_equal(order(&o), RC_NOT_FOUND);
	check_asked(s, "");
	assert_int_equal(store_int(s, "SELECT count(*) FROM erasure"), 0);
}

/* What comes when the session is erased already: found within the hour. */
static void
test_what_comes_late_is_erased_too(void **state)
{
	struct store *s = *state;
	struct session session = talk(s);

	erase(s, session.id);
	check_asked(s, "Calls/" SID_1 " Calls/" SID_2);
	must(report(s, SID_3, SID_1, BORIS, CALL_COMPLETED, 1));
	must(recorded(s, RE_1, SID_1, RECORDING_COMPLETED));
	store_run(s, "INSERT INTO message SELECT 'msg_1', NULL, '" SM_1 "',"
		     " service_id, id, NULL, NULL, NULL, 'app', 'sent', NULL,"
		     " 0, x'01', 0, NULL, NULL FROM session");
	tidy(s);
	check_asked(s, "Calls/" SID_1 " Calls/" SID_2);
	at(s, NOW + 3600);
	tidy(s);
	check_asked(s, "Calls/" SID_1 " Calls/" SID_2 " Calls/" SID_3
		       " Messages/" SM_1 " Recordings/" RE_1);
	store_check(s, "SELECT status FROM recording", "deleting");
	assert_int_equal(
	    store_int(s, "SELECT count(body_sealed) FROM message"), 0);
	/* It stays for a day, lest something comes later still. */
	erased(s, "Recordings/" RE_1);
	at(s, NOW + 86399);
	tidy(s);
	assert_int_equal(store_int(s, "SELECT count(*) FROM session"), 1);
	at(s, NOW + 86400 + 3600);
	tidy(s);
	assert_int_equal(store_int(s, "SELECT count(*) FROM session"), 0);
}

static void
test_a_receipt_fills_up(void **state)
{
	struct store *s = *state;
	struct session session = fill(s);
	struct order o = erase(s, session.id);
	struct erasure_item items[8];
	struct erasure erasure;
	int len;

	at(s, NOW + 9);
	erased(s, "Calls/" SID_1);
	erased(s, "Calls/" SID_4);
	must(erasure_find(s->db, s->service.id, &erasure, o.erasure_id));
	assert_string_equal(erasure.subject, "session");
	assert_string_equal(erasure.subject_id, session.id);
	assert_int_equal(
	    erasure_find(s->db, "svc_other", &erasure, o.erasure_id),
	    RC_NOT_FOUND);
	must(erasure_items(s->db, o.erasure_id, "", items, 8, &len));
	assert_int_equal(len, 6);
	assert_string_equal(items[0].thing, "Calls/" SID_1);
	assert_int_equal(items[0].erased_at, NOW + 9);
	assert_int_equal(items[1].erased_at, 0);
	must(
	    erasure_items(s->db, o.erasure_id, items[0].thing, items, 2, &len));
	assert_int_equal(len, 2);
	assert_string_equal(items[0].thing, "Calls/" SID_2);
	erased(s, "Recordings/" RE_1);
	store_check(s, "SELECT count(erased_at) FROM erasure_item", "3");
	store_check(s, "SELECT status FROM recording", "deleted");
	store_check(
	    s, "SELECT type FROM event WHERE seq = 6", "recording.deleted");
}

static int64_t
count_asked(struct store *s)
{
	return store_int(s, "SELECT count(*) FROM outbox WHERE kind = 'erase'");
}

/* More than one transaction takes: the worker does the rest. */
static void
test_a_long_session_is_erased_in_steps(void **state)
{
	struct store *s = *state;
	struct session session = talk(s);

	store_run(s,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
	    " WHERE i < 500) INSERT INTO call (id, sid, placed, service_id,"
	    " session_id, status, sequence, created_at) SELECT 'cal_' || i,"
	    " 'CA' || i, 0, service_id, id, 'completed', 0, 0"
	    " FROM session JOIN n");
	erase(s, session.id);
	assert_int_equal(count_asked(s), 200);
	tidy(s);
	assert_int_equal(count_asked(s), 502);
	tidy(s);
	assert_int_equal(count_asked(s), 502);
}

static void
test_a_person_is_erased_from_all_sessions(void **state)
{
	struct order o = { ERASE_PERSON, .text = BORIS };
	struct store *s = *state;
	struct session kept;
	int sessions = 0;
	enum rc rc;

	fill(s);
	open_session(s, "next", BORIS, CLARA);
	kept = open_session(s, "other", DORA, EMIL);
	o.s = s;
	while ((rc = order(&o)) == RC_OK)
		sessions++;
	assert_int_equal(rc, RC_NONE);
	assert_int_equal(sessions, 2);
	check_asked(s, ALL);
	assert_int_equal(count_hash(s, "party", "person", BORIS), 0);
	assert_int_equal(count_hash(s, "party", "person", CLARA), 0);
	store_check(
	    s, "SELECT id FROM session WHERE closed_at IS NULL", kept.id);
	check_connected(s, DORA, kept.parties[0].number, EMIL, CALL_LIMIT);
	/* One receipt, without any name. */
	store_check(s,
	    "SELECT count(*) || subject || (subject_id IS NULL) FROM erasure",
	    "1person1");
	store_check(s,
	    "SELECT count(*) FROM erasure_item WHERE thing LIKE 'ses_%'", "2");
	/* Nothing is left to erase. */
	o.erasure_id[0] = '\0';
	assert_int_equal(order(&o), RC_NONE);
	assert_string_equal(o.erasure_id, "");
}

static void
test_nobody_is_erased_by_a_wrong_number(void **state)
{
	struct store *s = *state;
	struct order o = { ERASE_PERSON, .s = s, .text = "555" };

	fill(s);
	assert_int_equal(order(&o), RC_INVALID);
	assert_true(o.fault.detail[0] != '\0');
	o.text = EMIL;
	assert_int_equal(order(&o), RC_NONE);
	check_asked(s, "");
}

static void
test_another_services_sessions_stay(void **state)
{
	struct store *s = *state;
	struct service other;
	struct session session = fill(s);
	struct order o = { ERASE_PERSON, .s = s, .text = BORIS };

	store_service(s, &other, "other", "");
	s->service = other;
	assert_int_equal(order(&o), RC_NONE);
	o = (struct order){ ERASE_SESSION, .s = s, .text = session.id };
	assert_int_equal(order(&o), RC_NOT_FOUND);
	assert_int_equal(count_hash(s, "party", "person", BORIS), 1);
}

/* A party that was replaced is a person, too. */
static void
test_a_replaced_party_is_erased(void **state)
{
	struct session_change change = { .parties = { { .role = "driver" } } };
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);

	strcpy(change.parties[0].phone, CLARA);
	must(transact(&(struct deed){ CHANGE, .s = s, .text = session.id,
	    .change = &change, .session = &session }));
	must(order(&(struct order){ ERASE_PERSON, .s = s, .text = BORIS }));
	store_check(s,
	    "SELECT count(*) || ' ' || sum(length(person)) FROM"
	    " party",
	    "3 0");
	assert_int_equal(count_hash(s, "leg", "person", BORIS), 1);
	route(s, ANNA, MASK_1, POLICY_SESSION_IS_CLOSED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		MASK_TEST(test_a_recording_is_written_down_and_told),
		MASK_TEST(test_a_recording_that_failed_is_told),
		MASK_TEST(test_a_recording_of_an_unknown_call_is_kept),
		MASK_TEST(test_a_recording_is_deleted_when_twilio_says_so),
		MASK_TEST(test_another_services_recording_is_not_found),
		MASK_TEST(test_a_session_is_erased_here_and_asked_for_there),
		MASK_TEST(test_an_erased_person_is_held_and_never_connected),
		MASK_TEST(
		    test_a_placed_call_of_an_erased_session_comes_to_nothing),
		MASK_TEST(test_an_erased_peer_cannot_be_rung),
		MASK_TEST(test_erasing_again_adds_to_the_same_receipt),
		MASK_TEST(test_a_session_that_is_not_there_is_not_erased),
		MASK_TEST(test_what_comes_late_is_erased_too),
		MASK_TEST(test_a_receipt_fills_up),
		MASK_TEST(test_a_long_session_is_erased_in_steps),
		MASK_TEST(test_a_person_is_erased_from_all_sessions),
		MASK_TEST(test_nobody_is_erased_by_a_wrong_number),
		MASK_TEST(test_another_services_sessions_stay),
		MASK_TEST(test_a_replaced_party_is_erased),
	};

	return cmocka_run_group_tests_name("mask_erase", tests, NULL, NULL);
}
