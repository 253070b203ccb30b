/* Lists of sessions: what is in them, in what order, page by page. */

#include "test.h"

#include "sessions.h"

/* Lists and checks that it gives these sessions, named by their place in
 * sessions: "210". */
static void
check_list(struct store *s, const struct session *sessions,
    const struct session_filter *filter, int64_t now, const char *places)
{
	struct session out[SESSION_PAGE_MAX];
	char next[ID_SIZE];
	int i, len = -1;

	must(session_list(s->db, s->service.id, filter, now, out, &len, next));
	assert_int_equal(len, strlen(places));
	for (i = 0; i < len; i++)
		check_same(&out[i], &sessions[places[i] - '0']);
}

/* Six sessions: open, closed, closed by expiry, expiring at NOW + 1, and two
 * of one reference of which the older is closed. Then one of another
 * service. */
static void
insert_list(struct store *s, struct session sessions[6])
{
	static const char *const references[] = { "", "a", "b", "c", "d", "d" };
	struct session stranger;
	struct service other;
	char sql[200];
	int i;

	for (i = 0; i < 6; i++) {
		must_insert(s, &sessions[i], references[i], 100 - i);
		if (i != 1 && i != 2 && i != 4)
			continue;
		sessions[i].closed_at = NOW;
		sessions[i].closed_by_expiry = i == 2;
		must(session_close(
		    s->db, s->service.id, sessions[i].id, NOW, i == 2));
	}
	sessions[3].expires_at = NOW + 1;
	snprintf(sql, sizeof sql,
	    "UPDATE session SET expires_at = %lld WHERE id = '%s'",
	    (long long)NOW + 1, sessions[3].id);
	store_run(s, sql);
	store_service(s, &other, "rides", "");
	must(insert(s, other.id, &stranger, "a", 50));
	must(insert(s, other.id, &stranger, "", 50));
}

static void
test_list_by_status_to_the_second(void **state)
{
	struct session_filter filter = { .status = SESSION__MAX, .limit = 200 };
	struct session sessions[6];
	struct store *s = *state;

	insert_list(s, sessions);
	check_list(s, sessions, &filter, NOW, "543210");
	filter.status = SESSION_OPEN;
	check_list(s, sessions, &filter, NOW, "530");
	check_list(s, sessions, &filter, NOW + 1, "50");
	check_list(s, sessions, &filter, NOW + 9, "");
	filter.status = SESSION_EXPIRED;
	check_list(s, sessions, &filter, NOW, "2");
	check_list(s, sessions, &filter, NOW + 1, "32");
	check_list(s, sessions, &filter, NOW + 9, "5320");
	filter.status = SESSION_CLOSED;
	check_list(s, sessions, &filter, NOW, "41");
	check_list(s, sessions, &filter, NOW + 9, "41");
}

static void
test_list_by_reference(void **state)
{
	struct session_filter filter = { .status = SESSION__MAX, .limit = 200 };
	struct session sessions[6];
	struct store *s = *state;

	insert_list(s, sessions);
	strcpy(filter.reference, "d");
	check_list(s, sessions, &filter, NOW, "54");
	filter.limit = 1;
	check_list(s, sessions, &filter, NOW, "5");
	strcpy(filter.after, sessions[5].id);
	check_list(s, sessions, &filter, NOW, "4");
	strcpy(filter.after, sessions[4].id);
	check_list(s, sessions, &filter, NOW, "");
	filter = (struct session_filter){
		.reference = "d", .status = SESSION_OPEN, .limit = 200
	};
	check_list(s, sessions, &filter, NOW, "5");
	check_list(s, sessions, &filter, NOW + 9, "");
	filter.status = SESSION_CLOSED;
	check_list(s, sessions, &filter, NOW, "4");
	strcpy(filter.reference, "b");
	check_list(s, sessions, &filter, NOW, "");
	strcpy(filter.reference, "a");
	check_list(s, sessions, &filter, NOW, "1");
	filter.status = SESSION__MAX;
	check_list(s, sessions, &filter, NOW, "1");
	filter.status = SESSION_EXPIRED;
	check_list(s, sessions, &filter, NOW, "");
	strcpy(filter.reference, "b");
	check_list(s, sessions, &filter, NOW, "2");
	strcpy(filter.reference, "c");
	check_list(s, sessions, &filter, NOW, "");
	check_list(s, sessions, &filter, NOW + 1, "3");
	strcpy(filter.reference, "nobody's");
	check_list(s, sessions, &filter, NOW, "");
}

static void
test_list_in_pages(void **state)
{
	struct session_filter filter = { .status = SESSION__MAX, .limit = 4 };
	struct session sessions[6];
	struct store *s = *state;

	insert_list(s, sessions);
	check_list(s, sessions, &filter, NOW, "5432");
	strcpy(filter.after, sessions[2].id);
	check_list(s, sessions, &filter, NOW, "10");
	strcpy(filter.after, sessions[0].id);
	check_list(s, sessions, &filter, NOW, "");
	filter.limit = 1;
	strcpy(filter.after, "");
	check_list(s, sessions, &filter, NOW, "5");
	filter.status = SESSION_OPEN;
	strcpy(filter.after, sessions[3].id);
	check_list(s, sessions, &filter, NOW, "0");
}

static void
test_list_lingering_to_the_second(void **state)
{
	struct session_filter filter = { .status = SESSION_LINGERING,
		.limit = 200 };
	struct session sessions[6];
	struct store *s = *state;

	insert_list(s, sessions);
	check_list(s, sessions, &filter, NOW, "");
	sessions[1].linger_until = NOW + 5;
	must(session_linger(s->db, s->service.id, &sessions[1]));
	check_list(s, sessions, &filter, NOW + 4, "1");
	check_list(s, sessions, &filter, NOW + 5, "");
	filter.status = SESSION_CLOSED;
	check_list(s, sessions, &filter, NOW + 4, "4");
	check_list(s, sessions, &filter, NOW + 5, "41");
	strcpy(filter.reference, "a");
	check_list(s, sessions, &filter, NOW + 4, "");
	check_list(s, sessions, &filter, NOW + 5, "1");
	filter.status = SESSION_LINGERING;
	check_list(s, sessions, &filter, NOW + 4, "1");
	check_list(s, sessions, &filter, NOW + 5, "");
}

static void
test_list_of_a_person_and_of_a_number(void **state)
{
	struct session_filter filter = { .status = SESSION__MAX, .limit = 200 };
	struct session sessions[4];
	struct session_party back;
	struct store *s = *state;
	struct service other;
	struct session stranger;

	store_session(s, &sessions[0], MASK_1, ANNA, BORIS, NOW - 3);
	store_session(s, &sessions[1], MASK_2, CLARA, ANNA, NOW - 2);
	store_session(s, &sessions[2], MASK_1, CLARA, BORIS, NOW - 1);
	store_session(s, &sessions[3], MASK_2, BORIS, ANNA, NOW);
	store_service(s, &other, "rides", "");
	must(insert(s, other.id, &stranger, "", 0));
	filter.of_person = true;
	session_person(filter.person, &s->keys, ANNA);
	check_list(s, sessions, &filter, NOW, "310");
	filter.limit = 2;
	check_list(s, sessions, &filter, NOW, "31");
	strcpy(filter.after, sessions[1].id);
	check_list(s, sessions, &filter, NOW, "0");
	filter.after[0] = '\0';
	/* Who has left was there; and who came back is there once. */
	back = sessions[0].parties[0];
	id_make(back.id, "pty", NOW * 1000);
	must(session_replace(
	    s->db, &s->keys, &sessions[0], 0, &back, DORA, NOW));
	filter.limit = 200;
	sessions[0].parties[0] = back;
	check_list(s, sessions, &filter, NOW, "310");
	id_make(back.id, "pty", NOW * 1000);
	must(session_replace(
	    s->db, &s->keys, &sessions[0], 0, &back, ANNA, NOW));
	sessions[0].parties[0] = back;
	check_list(s, sessions, &filter, NOW, "310");
	session_person(filter.person, &s->keys, DORA);
	check_list(s, sessions, &filter, NOW, "0");
	session_person(filter.person, &s->keys, EMIL);
	check_list(s, sessions, &filter, NOW, "");
	filter.of_person = false;
	/* Both have it: each session comes once. */
	strcpy(filter.number, MASK_1);
	check_list(s, sessions, &filter, NOW, "20");
	filter.limit = 1;
	check_list(s, sessions, &filter, NOW, "2");
	strcpy(filter.after, sessions[2].id);
	check_list(s, sessions, &filter, NOW, "0");
	strcpy(filter.number, MASK_3);
	filter.after[0] = '\0';
	check_list(s, sessions, &filter, NOW, "");
	strcpy(filter.number, MASK_1);
	filter.limit = 200;
	must(session_close(s->db, s->service.id, sessions[2].id, NOW, false));
	sessions[2].closed_at = NOW;
	filter.status = SESSION_CLOSED;
	check_list(s, sessions, &filter, NOW, "2");
	filter.status = SESSION_OPEN;
	check_list(s, sessions, &filter, NOW, "0");
}

/* Makes many closed ones without parties that are older than all others. */
static void
insert_many(struct store *s, int count)
{
	char sql[500];

	snprintf(sql, sizeof sql,
	    "WITH RECURSIVE c (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c"
	    " WHERE i < %d) INSERT INTO session (id, service_id, created_at,"
	    " expires_at, closed_at, close_reason, voice, text)"
	    " SELECT printf('ses_%%026d', i), '%s', 1, 2, 2, 'closed', 'both',"
	    " 'both' FROM c",
	    count, s->service.id);
	store_run(s, sql);
}

/* No more than so many are looked at; the rest is behind the next. */
static void
test_list_comes_back_short_rather_than_late(void **state)
{
	struct session_filter filter = { .status = SESSION_LINGERING,
		.limit = 2 };
	struct store *s = *state;
	struct session sessions[3], out[2];
	char next[ID_SIZE];
	int i, len;

	insert_many(s, SESSION_SCAN_MAX + 5);
	for (i = 0; i < 3; i++) {
		must_insert(s, &sessions[i], "", 3 - i);
		sessions[i].linger_until = NOW + 9;
		must(session_close(
		    s->db, s->service.id, sessions[i].id, NOW, false));
		must(session_linger(s->db, s->service.id, &sessions[i]));
	}
	must(session_list(s->db, s->service.id, &filter, NOW, out, &len, next));
	assert_int_equal(len, 2);
	assert_string_equal(next, sessions[1].id);
	strcpy(filter.after, next);
	must(session_list(s->db, s->service.id, &filter, NOW, out, &len, next));
	assert_int_equal(len, 1);
	assert_string_equal(out[0].id, sessions[0].id);
	/* That one, and all but six of the others. */
	assert_string_equal(next, "ses_00000000000000000000000007");
	strcpy(filter.after, next);
	must(session_list(s->db, s->service.id, &filter, NOW, out, &len, next));
	assert_int_equal(len, 0);
	assert_string_equal(next, "");
	/* Open ones are not gone through for expired ones, unless one that has
	 * expired is not closed yet. */
	store_run(s,
	    "UPDATE session SET closed_at = 2, close_reason = 'expired'"
	    " WHERE id = 'ses_00000000000000000000000001'");
	store_run(s, "UPDATE session SET closed_at = NULL, close_reason = NULL,"
		     " expires_at = 1800000009 WHERE close_reason = 'closed'");
	filter =
	    (struct session_filter){ .status = SESSION_EXPIRED, .limit = 2 };
	must(session_list(s->db, s->service.id, &filter, NOW, out, &len, next));
	assert_int_equal(len, 1);
	assert_string_equal(next, "");
	store_run(s, "UPDATE session SET expires_at = 1800000000 WHERE id ="
		     " (SELECT max(id) FROM session)");
	must(session_list(s->db, s->service.id, &filter, NOW, out, &len, next));
	assert_int_equal(len, 1);
	assert_string_equal(out[0].id, sessions[2].id);
	assert_true(next[0] != '\0');
}

static void
test_count_open(void **state)
{
	struct store *s = *state;
	struct session sessions[6];
	int64_t count;

	insert_list(s, sessions);
	must(session_count_open(s->db, s->service.id, NOW, &count));
	assert_int_equal(count, 3);
	must(session_count_open(s->db, s->service.id, NOW + 1, &count));
	assert_int_equal(count, 2);
	must(session_count_open(s->db, s->service.id, NOW + 9, &count));
	assert_int_equal(count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SESSION_TEST(test_list_by_status_to_the_second),
		SESSION_TEST(test_list_by_reference),
		SESSION_TEST(test_list_in_pages),
		SESSION_TEST(test_list_lingering_to_the_second),
		SESSION_TEST(test_list_of_a_person_and_of_a_number),
		SESSION_TEST(test_list_comes_back_short_rather_than_late),
		SESSION_TEST(test_count_open),
	};

	return cmocka_run_group_tests_name("session_list", tests, NULL, NULL);
}
