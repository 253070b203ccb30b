/* What the worker sweeps up: sessions that expire, and what is past its time
 * of keeping. */

#include "test.h"

#include "audit.h"
#include "code.h"
#include "deeds.h"
#include "idempotency.h"
#include "intent.h"
#include "signin.h"
#include "tally.h"

#define DAY 86400

static enum rc
tidy_once(struct db *db, void *cookie)
{
	const struct store *s = cookie;

	(void)db;
	return mask_tidy(&s->mask);
}

static enum rc
step(struct store *s)
{
	return db_transact(s->db, DB_WAIT_MS, tidy_once, s);
}

/* Tidies until nothing is left, and returns how many steps it took. */
static int
tidy(struct store *s)
{
	int steps = 0;
	enum rc rc;

	while ((rc = step(s)) == RC_OK)
		assert_in_range(++steps, 1, 100);
	assert_int_equal(rc, RC_NONE);
	return steps;
}

/* When the next sweep is due, seconds from NOW. */
static int64_t
due(struct store *s)
{
	int64_t due_ms;

	must(mask_tidy_due(&s->mask, &due_ms));
	assert_int_equal(due_ms % 1000, 0);
	return due_ms / 1000 - NOW;
}

static int64_t
count(struct store *s, const char *table)
{
	char sql[64];

	snprintf(sql, sizeof sql, "SELECT count(*) FROM \"%s\"", table);
	return store_int(s, sql);
}

static void
check_count(struct store *s, const char *table, int64_t expected)
{
	int64_t found = count(s, table);

	if (found != expected)
		fail_msg("%s: %lld rows, not %lld", table, (long long)found,
		    (long long)expected);
}

/* --- Expiry */

static void
test_a_session_expires_by_itself_once(void **state)
{
	struct store *s = *state;

	open_session(s, "trip", ANNA, BORIS);
	at(s, NOW + TTL - 1);
	assert_int_equal(tidy(s), 0);
	check_events(s, "1 session.opened");
	at(s, NOW + TTL + 5);
	assert_int_equal(tidy(s), 1);
	check_events(s, "1 session.opened, 2 session.expired");
	store_check(s,
	    "SELECT (closed_at = expires_at) || close_reason FROM session",
	    "1expired");
	assert_int_equal(tidy(s), 0);
	/* Its reference is free, and closing it says what it is. */
	open_session(s, "trip", CLARA, DORA);
	check_events(
	    s, "1 session.opened, 2 session.expired, 3 session.opened");
}

/* Whoever comes first says it: lazily by a request, or the sweep. */
static void
test_expiry_is_told_once_whoever_notices(void **state)
{
	struct store *s = *state;
	struct session session, closed;

	session = open_session(s, "trip", ANNA, BORIS);
	at(s, NOW + TTL);
	must(close_session(s, session.id, &closed));
	assert_int_equal(tidy(s), 0);
	check_events(s, "1 session.opened, 2 session.expired");
	session = open_session(s, "next", ANNA, BORIS);
	at(s, NOW + TTL + TTL);
	assert_int_equal(tidy(s), 1);
	must(close_session(s, session.id, &closed));
	assert_true(closed.closed_by_expiry);
	check_events(s, "1 session.opened, 2 session.expired, 3 "
			"session.opened, 4 session.expired");
}

static void
test_a_closed_session_does_not_expire(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS), closed;

	must(close_session(s, session.id, &closed));
	at(s, NOW + TTL);
	assert_int_equal(tidy(s), 0);
	check_events(s, "1 session.opened, 2 session.closed");
}

static void
test_expiring_is_told_once_in_time(void **state)
{
	struct store *s = *state;

	set(s, "expiring_s = 300");
	open_session(s, "", ANNA, BORIS);
	at(s, NOW + TTL - 301);
	assert_int_equal(tidy(s), 0);
	at(s, NOW + TTL - 300);
	assert_int_equal(tidy(s), 1);
	assert_int_equal(tidy(s), 0);
	at(s, NOW + TTL - 1);
	assert_int_equal(tidy(s), 0);
	check_events(s, "1 session.opened, 2 session.expiring");
	at(s, NOW + TTL);
	assert_int_equal(tidy(s), 1);
	check_events(
	    s, "1 session.opened, 2 session.expiring, 3 session.expired");
}

/* What has expired already is not about to. */
static void
test_expiring_is_not_told_too_late(void **state)
{
	struct store *s = *state;

	set(s, "expiring_s = 300");
	open_session(s, "", ANNA, BORIS);
	at(s, NOW + TTL);
	tidy(s);
	check_events(s, "1 session.opened, 2 session.expired");
}

static void
test_expiring_is_off_with_0(void **state)
{
	struct store *s = *state;

	open_session(s, "", ANNA, BORIS);
	at(s, NOW + TTL - 1);
	assert_int_equal(tidy(s), 0);
	assert_int_equal(due(s), TTL);
}

static void
extend(struct store *s, const char *id, int64_t expires_at)
{
	struct session_change change = { .expires_at = expires_at };
	struct session session;

	must(transact(&(struct deed){ CHANGE, .s = s, .text = id,
	    .change = &change, .session = &session }));
}

/* The app knows of an end that it has just set itself. */
static void
test_an_end_nearer_than_the_notice_is_not_told(void **state)
{
	struct store *s = *state;
	struct session session;

	set(s, "expiring_s = 7200");
	open_session(s, "", ANNA, BORIS);
	assert_int_equal(tidy(s), 0);
	set(s, "expiring_s = 7199");
	session = open_session(s, "", CLARA, DORA);
	extend(s, session.id, NOW + 60);
	assert_int_equal(tidy(s), 0);
	extend(s, session.id, NOW + 7201);
	at(s, NOW + 2);
	assert_int_equal(tidy(s), 1);
	check_events(s, "1 session.opened, 2 session.opened, 3 "
			"session.updated, 4 session.updated, 5 "
			"session.expiring");
}

/* A change of something else takes no notice away. */
static void
test_a_change_of_modes_leaves_the_notice(void **state)
{
	struct session_change change = { .voice = "none" };
	struct store *s = *state;
	struct session session;

	set(s, "expiring_s = 300");
	session = open_session(s, "", ANNA, BORIS);
	at(s, NOW + TTL - 100);
	must(transact(&(struct deed){ CHANGE, .s = s, .text = session.id,
	    .change = &change, .session = &session }));
	assert_int_equal(tidy(s), 1);
	check_events(s, "1 session.opened, 2 session.updated, 3 "
			"session.expiring");
}

static void
test_extending_beyond_the_notice_tells_anew(void **state)
{
	struct store *s = *state;
	struct session session;

	set(s, "expiring_s = 300");
	session = open_session(s, "", ANNA, BORIS);
	at(s, NOW + TTL - 300);
	tidy(s);
	/* A little longer: it has been told. */
	extend(s, session.id, NOW + TTL + 60);
	assert_int_equal(tidy(s), 0);
	/* So long that it is not about to expire any more. */
	extend(s, session.id, NOW + TTL + 600);
	assert_int_equal(due(s), TTL + 300);
	at(s, NOW + TTL + 299);
	assert_int_equal(tidy(s), 0);
	at(s, NOW + TTL + 300);
	assert_int_equal(tidy(s), 1);
	check_events(s, "1 session.opened, 2 session.expiring, 3 "
			"session.updated, 4 session.updated, 5 "
			"session.expiring");
}

static void
test_due_is_the_next_notice_or_expiry(void **state)
{
	struct store *s = *state;
	struct session session, closed;

	assert_int_equal(due(s), 3600);
	session = open_session(s, "", ANNA, BORIS);
	assert_int_equal(due(s), 3600);
	at(s, NOW + TTL - 600);
	assert_int_equal(due(s), TTL);
	set(s, "expiring_s = 300");
	assert_int_equal(due(s), TTL - 300);
	at(s, NOW + TTL - 300);
	tidy(s);
	assert_int_equal(due(s), TTL);
	/* Late: at once. */
	at(s, NOW + TTL + 9);
	assert_int_equal(due(s), TTL);
	must(close_session(s, session.id, &closed));
	assert_int_equal(due(s), TTL + 9 + 3600);
}

/* --- Forgetting */

/* A session that ended, with all that can hang on it. Sets the clock to when
 * it ended. */
static struct session
fill(struct store *s)
{
	struct session session = open_session(s, "trip", ANNA, BORIS), closed;
	char sql[1024];

	dial(s, SID_1, ANNA, MASK_1, POLICY_CONNECTED);
	ring(s, CALL_COMPLETED, 9);
	snprintf(sql, sizeof sql,
	    "INSERT INTO message SELECT 'msg_1', 'SM1', 'SM2', service_id, id,"
	    " '%s', '%s', '" MASK_1 "', 'relayed', 'delivered', NULL, 0, x'01',"
	    " %lld, NULL, NULL FROM session WHERE id = '%s';"
	    "INSERT INTO recording SELECT 'rec_1', 'RE1', id, session_id,"
	    " service_id, 'completed', 5, 2, %lld, NULL FROM call"
	    " WHERE sid = '" SID_1 "';"
	    "INSERT INTO intent VALUES ('%s', '" MASK_1 "', %lld)",
	    session.parties[0].id, session.parties[1].id, (long long)NOW,
	    session.id, (long long)NOW, session.parties[0].id,
	    (long long)NOW + 30);
	store_run(s, sql);
	must(close_session(s, session.id, &closed));
	return session;
}

/* Twilio has deleted the recording. */
static void
delete_recording(struct store *s)
{
	store_run(s, "UPDATE recording SET status = 'deleted', deleted_at = 1");
}

static void
test_a_session_is_forgotten_with_all_its_parts(void **state)
{
	static const char *const tables[] = { "session", "party", "leg", "call",
		"message", "recording", "intent", "event" };
	struct store *s = *state;
	size_t i;

	set(s, "keep_days = 30, keep_recordings_days = 30");
	fill(s);
	delete_recording(s);
	at(s, NOW + 30 * DAY);
	tidy(s);
	check_count(s, "session", 1);
	at(s, NOW + 30 * DAY + 1);
	assert_in_range(tidy(s), 1, 9);
	for (i = 0; i < LENGTH(tables); i++)
		check_count(s, tables[i], 0);
	assert_int_equal(store_int(s, "SELECT count(*) FROM number"), 2);
	/* The numbers of events go on. */
	open_session(s, "", ANNA, BORIS);
	assert_int_equal(store_int(s, "SELECT seq FROM event"), 5);
}

static void
test_nothing_is_forgotten_with_keep_0(void **state)
{
	struct store *s = *state;

	set(s, "keep_recordings_days = 3660, keep_texts_days = 3660");
	fill(s);
	at(s, NOW + 3000 * DAY);
	tidy(s);
	check_count(s, "session", 1);
	check_count(s, "event", 4);
	check_count(s, "leg", 2);
}

static void
test_what_is_open_or_young_stays(void **state)
{
	struct store *s = *state;
	struct session old, young, closed;

	set(s, "keep_days = 30, ttl_max_s = 31622400");
	old = open_session(s, "", ANNA, BORIS);
	young = open_session(s, "", CLARA, DORA);
	extend(s, old.id, NOW + 200 * DAY);
	at(s, NOW + 1000);
	must(close_session(s, young.id, &closed));
	at(s, NOW + 30 * DAY + 1000);
	tidy(s);
	check_count(s, "session", 2);
	at(s, NOW + 30 * DAY + 1001);
	tidy(s);
	store_check(s, "SELECT id FROM session", old.id);
	check_connected(s, ANNA, MASK_1, BORIS, CALL_LIMIT);
}

/* A leg that is held keeps its session, however long ago that ended: nobody
 * else may be given the number meanwhile. */
static void
test_a_held_leg_is_never_forgotten(void **state)
{
	struct store *s = *state;

	set(s, "keep_days = 1, hold_s = 2592000, keep_recordings_days = 1");
	fill(s);
	delete_recording(s);
	at(s, NOW + 30 * DAY - 1);
	tidy(s);
	check_count(s, "leg", 2);
	check_count(s, "session", 1);
	route(s, ANNA, MASK_1, POLICY_SESSION_IS_CLOSED);
	assert_int_equal(due(s), 30 * DAY);
	at(s, NOW + 30 * DAY);
	tidy(s);
	check_count(s, "leg", 0);
	check_count(s, "session", 0);
}

/* The leg of an earlier session is a later one's by now. */
static void
test_a_leg_that_was_taken_over_stays(void **state)
{
	struct store *s = *state;
	struct session first = open_session(s, "", ANNA, BORIS), closed, second;

	set(s, "keep_days = 1, ttl_max_s = 31622400");
	must(close_session(s, first.id, &closed));
	second = open_session(s, "", ANNA, BORIS);
	extend(s, second.id, NOW + 90 * DAY);
	at(s, NOW + 2 * DAY);
	tidy(s);
	store_check(s, "SELECT id FROM session", second.id);
	check_count(s, "leg", 2);
	check_connected(s, BORIS, MASK_1, ANNA, CALL_LIMIT);
}

/* Twilio still has the sound: the row is what it is deleted by. */
static void
test_a_session_outlives_its_recordings(void **state)
{
	struct store *s = *state;

	set(s, "keep_days = 1, keep_recordings_days = 10");
	fill(s);
	at(s, NOW + 5 * DAY);
	tidy(s);
	check_count(s, "session", 1);
	check_count(s, "recording", 1);
	at(s, NOW + 10 * DAY + 1);
	tidy(s);
	store_check(s, "SELECT status FROM recording", "deleting");
	store_check(s,
	    "SELECT kind || ' ' || subject_id || ' ' || channel FROM outbox"
	    " WHERE state = 'waiting'",
	    "erase Recordings/RE1 twilio");
	/* Asked for once, and waited for. */
	at(s, NOW + 20 * DAY);
	tidy(s);
	check_count(s, "session", 1);
	check_count(s, "outbox", 1);
	delete_recording(s);
	at(s, NOW + 22 * DAY);
	tidy(s);
	check_count(s, "session", 0);
	check_count(s, "recording", 0);
}

/* keep made longer while a session was put off. */
static void
test_a_longer_time_of_keeping_counts(void **state)
{
	struct store *s = *state;

	set(s, "keep_days = 1, hold_s = 864000");
	fill(s);
	delete_recording(s);
	at(s, NOW + 2 * DAY);
	tidy(s);
	set(s, "keep_days = 30");
	at(s, NOW + 10 * DAY);
	tidy(s);
	check_count(s, "session", 1);
	set(s, "keep_days = 9");
	tidy(s);
	check_count(s, "session", 0);
}

/* Many calls are forgotten a step at a time, each of them bounded. */
static void
test_a_step_is_bounded(void **state)
{
	struct store *s = *state;
	int64_t before, after;

	set(s, "keep_days = 1");
	fill(s);
	delete_recording(s);
	store_run(s,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
	    " WHERE i < 1000) INSERT INTO call (id, sid, placed, service_id,"
	    " session_id, status, sequence, created_at) SELECT 'cal_' || i,"
	    " 'CA' || i, 0, service_id, id, 'completed', 0, 0"
	    " FROM session JOIN n");
	at(s, NOW + 40 * DAY);
	before = count(s, "call");
	must(step(s));
	after = count(s, "call");
	assert_in_range(before - after, 100, 200);
	check_count(s, "session", 1);
	assert_in_range(tidy(s), 5, 12);
	check_count(s, "call", 0);
	check_count(s, "session", 0);
}

static void
test_strays_are_forgotten_by_age(void **state)
{
	struct store *s = *state;

	set(s, "keep_days = 10, keep_recordings_days = 3660");
	/* One at a number of ours, one at none, one that is recorded. */
	must(report(s, SID_1, "", EMIL, CALL_COMPLETED, 1));
	must(report(s, SID_3, "", EMIL, CALL_COMPLETED, 1));
	report_leg(s, &(struct mask_report){ .sid = SID_2,
			  .parent_sid = "",
			  .number = "+12025550100",
			  .person = EMIL,
			  .progress = { CALL_COMPLETED, 1, NOW, 5 } });
	store_run(s,
	    "INSERT INTO recording SELECT 'rec_1', 'RE1', id, NULL, NULL,"
	    " 'completed', 5, 2, created_at, NULL FROM call"
	    " WHERE sid = '" SID_3 "';"
	    "INSERT INTO message SELECT 'msg_1', 'SM1', NULL, id, NULL, NULL,"
	    " NULL, NULL, 'x', 'refused', NULL, 0, NULL, 1800000000, NULL, NULL"
	    " FROM service WHERE name = 'taxi';"
	    "INSERT INTO message VALUES ('msg_2', 'SM2', NULL, NULL, NULL,"
	    " NULL, NULL, NULL, 'x', 'refused', NULL, 0, NULL, 1800000000,"
	    " NULL, NULL)");
	at(s, NOW + 10 * DAY);
	tidy(s);
	check_count(s, "call", 3);
	check_count(s, "message", 2);
	at(s, NOW + 10 * DAY + 1);
	tidy(s);
	check_count(s, "call", 2);
	check_count(s, "message", 1);
	at(s, NOW + 30 * DAY + 1);
	tidy(s);
	store_check(s, "SELECT sid FROM call", SID_3);
	check_count(s, "message", 0);
	/* The recording of nobody we know is deleted all the same. */
	store_check(s, "SELECT status FROM recording", "deleting");
	store_check(s, "SELECT subject_id FROM outbox", "Recordings/RE1");
	delete_recording(s);
	tidy(s);
	check_count(s, "recording", 0);
	check_count(s, "call", 0);
}

static void
test_texts_are_forgotten_in_time(void **state)
{
	struct store *s = *state;
	static const char kept[] = "SELECT count(*) FROM message"
				   " WHERE body_sealed IS NOT NULL";

	set(s, "keep_texts_days = 1");
	fill(s);
	store_run(s,
	    "INSERT INTO message SELECT 'msg_2', 'SM3', NULL, service_id,"
	    " session_id, NULL, NULL, NULL, 'x', 'waiting', NULL, 0, x'01',"
	    " 1800000000, NULL, NULL FROM message");
	at(s, NOW + DAY);
	tidy(s);
	assert_int_equal(store_int(s, kept), 2);
	at(s, NOW + DAY + 1);
	tidy(s);
	/* What waits to be sent is needed for that. */
	store_check(
	    s, "SELECT id FROM message WHERE body_sealed IS NOT NULL", "msg_2");
	store_run(s, "UPDATE message SET status = 'failed'");
	tidy(s);
	assert_int_equal(store_int(s, kept), 0);
	check_count(s, "message", 2);
}

/* Texts that are not to be kept: as soon as they need not be sent. */
static void
test_texts_are_not_kept_with_keep_texts_0(void **state)
{
	struct store *s = *state;

	fill(s);
	store_run(s, "UPDATE message SET status = 'waiting'");
	at(s, NOW + 2 * DAY);
	tidy(s);
	store_check(s, "SELECT count(body_sealed) FROM message", "1");
	store_run(s, "UPDATE message SET status = 'delivered'");
	tidy(s);
	store_check(s, "SELECT count(body_sealed) FROM message", "0");
}

static void
test_deliveries_are_forgotten_when_done(void **state)
{
	struct store *s = *state;

	set(s, "keep_days = 20");
	store_run(s,
	    "INSERT INTO outbox (id, service_id, channel, kind, subject_id,"
	    " state, attempts, lease, doubt, due_at_ms, created_at_ms,"
	    " ended_at)"
	    " SELECT 'dlv_1', id, 'app', 'event', 'evt_1', 'done', 2, 0, 0, 0,"
	    " 0, 1800000000 FROM service UNION ALL"
	    " SELECT 'dlv_2', id, 'app', 'event', 'evt_2', 'parked', 8, 0, 0,"
	    " 0, 0, 1800000000 FROM service UNION ALL"
	    " SELECT 'dlv_3', id, 'app', 'event', 'evt_3', 'waiting', 1, 0, 0,"
	    " 0, 0, NULL FROM service;"
	    "INSERT INTO attempt SELECT id, 1, 0, 0, 200, NULL FROM outbox;"
	    "INSERT INTO attempt VALUES ('dlv_1', 2, 0, 0, 200, NULL)");
	at(s, NOW + 7 * DAY);
	tidy(s);
	check_count(s, "outbox", 3);
	at(s, NOW + 7 * DAY + 1);
	tidy(s);
	check_count(s, "outbox", 2);
	check_count(s, "attempt", 2);
	at(s, NOW + 20 * DAY + 1);
	tidy(s);
	store_check(s, "SELECT id FROM outbox", "dlv_3");
	store_check(s, "SELECT delivery_id FROM attempt", "dlv_3");
}

/* Events outlive the time in which they are tried to be delivered. */
static void
test_events_are_forgotten_in_order_but_not_on_their_way(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS), closed;

	set(s, "keep_days = 1, hold_s = 0");
	at(s, NOW + 100);
	must(close_session(s, session.id, &closed));
	at(s, NOW + 2 * DAY);
	tidy(s);
	check_count(s, "session", 0);
	check_count(s, "event", 2);
	at(s, NOW + 2 * DAY + 1);
	tidy(s);
	check_events(s, "2 session.closed");
	at(s, NOW + 2 * DAY + 101);
	tidy(s);
	check_count(s, "event", 0);
}

static void
test_small_things_are_forgotten(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct idempotency given = { s->service.id, "key", { 1 } };
	struct idempotency made = { s->service.id, " tag", { 1 } };
	struct buf body;

	buf_init(&body, 0);
	must(idempotency_insert(s->db, &given, 201, &body, NOW));
	must(idempotency_insert(s->db, &made, 201, &body, NOW));
	must(intent_put(s->db, session.parties[0].id, MASK_1, NOW));
	must(code_failed(s->db, MASK_1, SID_1, "123456", NOW * 1000));
	must(call_add_usage(s->db, s->service.id, NOW / DAY, 5));
	tidy(s);
	check_count(s, "intent", 1);
	check_count(s, "code_try", 1);
	at(s, NOW + 3599);
	tidy(s);
	check_count(s, "intent", 0);
	check_count(s, "code_try", 1);
	at(s, NOW + 3600);
	tidy(s);
	check_count(s, "code_try", 0);
	at(s, NOW + DAY);
	tidy(s);
	check_count(s, "idempotency", 2);
	at(s, NOW + DAY + 1);
	tidy(s);
	store_check(s, "SELECT key FROM idempotency", "key");
	at(s, NOW + 2 * DAY + 1);
	tidy(s);
	check_count(s, "idempotency", 0);
	at(s, NOW + 400 * DAY);
	tidy(s);
	check_count(s, "usage", 1);
	at(s, NOW + 401 * DAY);
	tidy(s);
	check_count(s, "usage", 0);
}

static void
test_tallies_are_forgotten(void **state)
{
	struct store *s = *state;
	struct service other;
	int i;

	/* More than a step forgets, and one of another service. */
	for (i = 0; i < 250; i++)
		must(tally_add(s->db, s->service.id, TALLY_CALLS_ANSWERED, NULL,
		    NOW - i * 60));
	store_service(s, &other, "rides", "");
	must(tally_add(s->db, other.id, TALLY_CALLS_ANSWERED, NULL, NOW));
	tidy(s);
	check_count(s, "tally", 251 + 7);
	at(s, NOW + 2 * DAY);
	tidy(s);
	store_check(s, "SELECT count(*) FROM tally WHERE step_s = 60", "2");
	at(s, NOW + 2 * DAY + 1);
	tidy(s);
	store_check(s, "SELECT count(*) FROM tally WHERE step_s = 60", "0");
	check_count(s, "tally", 7);
	at(s, NOW + 400 * DAY);
	tidy(s);
	check_count(s, "tally", 2);
	at(s, NOW + 400 * DAY + 1);
	tidy(s);
	check_count(s, "tally", 0);
}

static void
test_sign_ins_are_forgotten_when_they_end(void **state)
{
	struct store *s = *state;
	struct apikey key = { .name = "Zoë", .role = APIKEY_VIEWER };
	char text[APIKEY_SIZE], token[SIGNIN_SIZE];

	strcpy(key.service_id, s->service.id);
	must(apikey_insert(s->db, &key, text, NOW * 1000));
	must(signin_begin(s->db, key.id, token, NOW));
	must(signin_begin(s->db, key.id, token, NOW + 10));
	at(s, NOW + SIGNIN_LASTS_S);
	tidy(s);
	check_count(s, "sign_in", 2);
	at(s, NOW + SIGNIN_LASTS_S + 1);
	tidy(s);
	check_count(s, "sign_in", 1);
	at(s, NOW + SIGNIN_LASTS_S + 11);
	tidy(s);
	check_count(s, "sign_in", 0);
}

static void
note(struct store *s, const char *service_id, int64_t at)
{
	must(audit_put(s->db, &s->keys,
	    &(struct audit){ .service_id = service_id,
		.key_id = "",
		.name = "root",
		.action = "service set",
		.subject = "",
		.detail = "",
		.request_id = "" },
	    at));
}

/* From the oldest on, so that what is left is still right; the newest stays,
 * for the next to stand behind. */
static void
test_the_audit_log_is_forgotten_after_400_days(void **state)
{
	struct store *s = *state;
	struct audit_record last;
	struct service other;
	int64_t rows;
	int i;

	store_service(s, &other, "bikes", "");
	for (i = 0; i < 250; i++)
		note(s, s->service.id, NOW + i);
	note(s, s->service.id, NOW + 1000);
	note(s, s->service.id, NOW); /* the clock was put back */
	note(s, s->service.id, NOW + 1);
	note(s, other.id, NOW);
	at(s, NOW + 400 * DAY);
	tidy(s);
	check_count(s, "audit", 254);
	at(s, NOW + 400 * DAY + 100);
	tidy(s);
	store_check(s,
	    "SELECT count(*) || ' ' || min(seq) FROM audit"
	    " WHERE seq > 1",
	    "153 101");
	must(audit_verify(s->db, &s->keys, s->service.id, &rows, &last));
	assert_int_equal(rows, 153);
	at(s, NOW + 1000 * DAY);
	tidy(s);
	store_check(s,
	    "SELECT group_concat(seq) FROM (SELECT seq FROM audit"
	    " ORDER BY seq)",
	    "1,253");
	note(s, s->service.id, NOW + 1000 * DAY);
	must(audit_verify(s->db, &s->keys, s->service.id, &rows, &last));
	assert_int_equal(rows, 2);
	assert_int_equal(last.seq, 254);
}

static void
test_each_service_keeps_what_it_says(void **state)
{
	struct store *s = *state;
	struct service other;

	store_service(s, &other, "other", "");
	set(s, "keep_days = 1, keep_recordings_days = 1");
	fill(s);
	delete_recording(s);
	store_run(s, "UPDATE session SET service_id ="
		     " (SELECT id FROM service WHERE name = 'other')");
	at(s, NOW + 100 * DAY);
	tidy(s);
	check_count(s, "session", 1);
	store_run(s, "UPDATE session SET service_id ="
		     " (SELECT id FROM service WHERE name = 'taxi')");
	tidy(s);
	check_count(s, "session", 0);
}

/* Whatever is deleted, SQLite looks for what refers to it: by an index on the
 * column that does. */
static void
test_every_reference_to_what_is_deleted_has_an_index(void **state)
{
	static const char sql[] =
	    "SELECT m.name || '.' || f.\"from\" FROM sqlite_schema m"
	    " JOIN pragma_foreign_key_list(m.name) f"
	    " WHERE m.type = 'table' AND f.seq = 0 AND f.\"table\" IN"
	    " ('session', 'party', 'call', 'outbox') AND NOT EXISTS"
	    " (SELECT 1 FROM pragma_index_list(m.name) i"
	    " JOIN pragma_index_info(i.name) c"
	    " WHERE i.partial = 0 AND c.seqno = 0 AND c.name = f.\"from\")";
	struct store *s = *state;
	char counted[640];

	snprintf(counted, sizeof counted,
	    "WITH t(r) AS (%s) SELECT coalesce(group_concat(r), 'none') FROM t",
	    sql);
	store_check(s, counted, "none");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		MASK_TEST(test_a_session_expires_by_itself_once),
		MASK_TEST(test_expiry_is_told_once_whoever_notices),
		MASK_TEST(test_a_closed_session_does_not_expire),
		MASK_TEST(test_expiring_is_told_once_in_time),
		MASK_TEST(test_expiring_is_not_told_too_late),
		MASK_TEST(test_expiring_is_off_with_0),
		MASK_TEST(test_an_end_nearer_than_the_notice_is_not_told),
		MASK_TEST(test_a_change_of_modes_leaves_the_notice),
		MASK_TEST(test_extending_beyond_the_notice_tells_anew),
		MASK_TEST(test_due_is_the_next_notice_or_expiry),
		MASK_TEST(test_a_session_is_forgotten_with_all_its_parts),
		MASK_TEST(test_nothing_is_forgotten_with_keep_0),
		MASK_TEST(test_what_is_open_or_young_stays),
		MASK_TEST(test_a_held_leg_is_never_forgotten),
		MASK_TEST(test_a_leg_that_was_taken_over_stays),
		MASK_TEST(test_a_session_outlives_its_recordings),
		MASK_TEST(test_a_longer_time_of_keeping_counts),
		MASK_TEST(test_a_step_is_bounded),
		MASK_TEST(test_strays_are_forgotten_by_age),
		MASK_TEST(test_texts_are_forgotten_in_time),
		MASK_TEST(test_texts_are_not_kept_with_keep_texts_0),
		MASK_TEST(test_deliveries_are_forgotten_when_done),
		MASK_TEST(
		    test_events_are_forgotten_in_order_but_not_on_their_way),
		MASK_TEST(test_small_things_are_forgotten),
		MASK_TEST(test_tallies_are_forgotten),
		MASK_TEST(test_sign_ins_are_forgotten_when_they_end),
		MASK_TEST(test_the_audit_log_is_forgotten_after_400_days),
		MASK_TEST(test_each_service_keeps_what_it_says),
		MASK_TEST(test_every_reference_to_what_is_deleted_has_an_index),
	};

	return cmocka_run_group_tests_name("mask_tidy", tests, NULL, NULL);
}
