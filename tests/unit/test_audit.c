/* The audit log: rows in a chain that shows what was done to it. */

#include "test.h"

#include "audit.h"
#include "store.h"
#include "utf8.h"

/* A row like all others. */
static struct audit
sample(struct store *s)
{
	return (struct audit){ .service_id = s->service.id,
		.key_id = "key_01m821vx6j3y7mycw7bw9vqs6s",
		.name = "Zoë",
		.action = "POST /v1/sessions/{id}/close",
		.subject = "ses_01m821vx6j3y7mycw7bw9vqs6s",
		.detail = "",
		.request_id = "9ffc218b08ac59c6e33d6cc3a04709fd" };
}

static void
put(struct store *s, const struct audit *audit, int64_t now)
{
	must(audit_put(s->db, &s->keys, audit, now));
}

/* Writes rows, a second apart. */
static void
fill(struct store *s, int count)
{
	struct audit audit = sample(s);
	int i;

	for (i = 0; i < count; i++)
		put(s, &audit, NOW + i);
}

/* The row that verifying stops at; 0: all is well, with so many rows. */
static int64_t
broken(struct store *s, int64_t rows)
{
	struct audit_record last;
	int64_t count;
	enum rc rc;

	rc = audit_verify(s->db, &s->keys, s->service.id, &count, &last);
	if (rc == RC_CORRUPT)
		return last.seq;
	must(rc);
	assert_int_equal(count, rows);
	return 0;
}

static void
test_a_row_is_kept_as_it_is(void **state)
{
	struct store *s = *state;
	struct audit audit = sample(s);
	struct audit_record row[2];
	int len;

	audit.detail = "hold=1";
	put(s, &audit, NOW);
	must(audit_list(s->db, s->service.id, INT64_MAX, row, 2, &len));
	assert_int_equal(len, 1);
	assert_int_equal(row->seq, 1);
	assert_int_equal(row->at, NOW);
	assert_string_equal(row->key_id, audit.key_id);
	assert_string_equal(row->name, audit.name);
	assert_string_equal(row->action, audit.action);
	assert_string_equal(row->subject, audit.subject);
	assert_string_equal(row->detail, audit.detail);
	assert_string_equal(row->request_id, audit.request_id);
}

static void
test_it_is_listed_from_the_newest(void **state)
{
	struct store *s = *state;
	struct audit_record rows[3];
	struct service other;
	int len;

	store_service(s, &other, "bikes", "");
	fill(s, 5);
	must(audit_list(s->db, s->service.id, INT64_MAX, rows, 3, &len));
	assert_int_equal(len, 3);
	assert_int_equal(rows[0].seq, 5);
	assert_int_equal(rows[2].seq, 3);
	must(audit_list(s->db, s->service.id, 3, rows, 3, &len));
	assert_int_equal(len, 2);
	assert_int_equal(rows[0].seq, 2);
	assert_int_equal(rows[1].seq, 1);
	must(audit_list(s->db, other.id, INT64_MAX, rows, 3, &len));
	assert_int_equal(len, 0);
}

static void
test_what_was_written_is_right(void **state)
{
	struct store *s = *state;
	struct audit_record last;
	int64_t count;

	assert_int_equal(broken(s, 0), 0);
	fill(s, 1);
	assert_int_equal(broken(s, 1), 0);
	fill(s, 249); /* more than are read at a time, and not a whole page */
	assert_int_equal(broken(s, 250), 0);
	must(audit_verify(s->db, &s->keys, s->service.id, &count, &last));
	assert_int_equal(last.seq, 250);
}

static void
test_every_change_of_a_row_is_found(void **state)
{
	static const char *const changes[] = { "at = at + 1",
		"key_id = 'key_01m821vx6j3y7mycw7bw9vqs6t'", "name = 'Zoe'",
		"action = 'POST /v1/sessions/{id}/calls'",
		"subject = 'ses_01m821vx6j3y7mycw7bw9vqs6t'", "detail = 'x'",
		"request_id = ''",
		/* What moves from one field to the next is a change, too. */
		"name = name || substr(action, 1, 1), action = substr(action, "
		"2)",
		"hash = zeroblob(16)", "hash = zeroblob(0)",
		"hash = (SELECT hash FROM audit WHERE seq = 2)" };
	struct store *s = *state;
	char sql[256];
	size_t i;

	fill(s, 5);
	store_run(s, "CREATE TABLE kept AS SELECT * FROM audit; "
		     "UPDATE service SET name = name");
	for (i = 0; i < LENGTH(changes); i++) {
		snprintf(sql, sizeof sql, "UPDATE audit SET %s WHERE seq = 3",
		    changes[i]);
		store_run(s, sql);
		if (broken(s, 5) != 3)
			fail_msg("%s is not found", changes[i]);
		store_run(s, "DELETE FROM audit");
		store_run(s, "INSERT INTO audit SELECT * FROM kept");
		assert_int_equal(broken(s, 5), 0);
	}
}

static void
test_the_first_row_is_checked_as_well(void **state)
{
	struct store *s = *state;

	fill(s, 2);
	store_run(s, "UPDATE audit SET name = 'Zoe' WHERE seq = 1");
	assert_int_equal(broken(s, 2), 1);
}

static void
test_a_row_that_was_taken_out_is_found(void **state)
{
	struct store *s = *state;

	fill(s, 5);
	store_run(s, "DELETE FROM audit WHERE seq = 3");
	assert_int_equal(broken(s, 4), 4);
	/* Also if those behind it are numbered anew. */
	store_run(s, "UPDATE audit SET seq = seq - 1 WHERE seq = 4");
	assert_int_equal(broken(s, 4), 3);
}

static void
test_a_row_that_was_put_in_is_found(void **state)
{
	/* Before the first as well, and which is found then. */
	static const int rows[][2] = { { -5, 1 }, { 0, 1 }, { 6, 6 } };
	struct store *s = *state;
	char sql[256];
	size_t i;

	fill(s, 5);
	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(sql, sizeof sql,
		    "INSERT INTO audit SELECT service_id, %d, at, key_id, name,"
		    " action, subject, detail, request_id, hash FROM audit"
		    " WHERE seq = 5",
		    rows[i][0]);
		store_run(s, sql);
		assert_int_equal(broken(s, 6), rows[i][1]);
		snprintf(sql, sizeof sql, "DELETE FROM audit WHERE seq = %d",
		    rows[i][0]);
		store_run(s, sql);
		assert_int_equal(broken(s, 5), 0);
	}
}

static void
test_rows_that_changed_places_are_found(void **state)
{
	struct store *s = *state;

	fill(s, 5);
	store_run(s, "UPDATE audit SET seq = 9 WHERE seq = 3");
	store_run(s, "UPDATE audit SET seq = 3 WHERE seq = 4");
	store_run(s, "UPDATE audit SET seq = 4 WHERE seq = 9");
	assert_int_equal(broken(s, 5), 3);
}

static void
test_a_row_of_another_service_is_found(void **state)
{
	struct store *s = *state;
	struct audit audit = sample(s);
	struct service other;
	char sql[256];

	store_service(s, &other, "bikes", "");
	audit.service_id = other.id;
	fill(s, 1);
	put(s, &audit, NOW);
	assert_int_equal(broken(s, 1), 0);
	store_run(s, "DELETE FROM audit WHERE rowid = 1");
	snprintf(sql, sizeof sql, "UPDATE audit SET service_id = '%s'",
	    s->service.id);
	store_run(s, sql);
	assert_int_equal(broken(s, 1), 1);
}

/* Nobody makes such rows without the keys. */
static void
test_a_row_by_another_key_is_found(void **state)
{
	struct store *s = *state;
	struct audit audit = sample(s);

	fill(s, 2);
	s->keys.lookup[0] ^= 1;
	put(s, &audit, NOW + 2);
	s->keys.lookup[0] ^= 1;
	assert_int_equal(broken(s, 3), 3);
	/* The key that seals has no part in it: it may be changed. */
	store_run(s, "DELETE FROM audit WHERE seq = 3");
	s->keys.sealing[0].key[0] ^= 1;
	assert_int_equal(broken(s, 2), 0);
}

static void
test_what_is_forgotten_at_the_beginning_is_not_missed(void **state)
{
	struct store *s = *state;

	fill(s, 120);
	store_run(s, "DELETE FROM audit WHERE seq <= 7");
	assert_int_equal(broken(s, 113), 0);
	store_run(s, "UPDATE audit SET detail = 'x' WHERE seq = 9");
	assert_int_equal(broken(s, 113), 9);
}

static void
test_times_run_with_the_numbers(void **state)
{
	struct store *s = *state;
	struct audit audit = sample(s);

	put(s, &audit, NOW);
	put(s, &audit, NOW - 3600);
	put(s, &audit, NOW + 1);
	store_check(
	    s, "SELECT group_concat(at - 1800000000) FROM audit", "0,0,1");
	assert_int_equal(broken(s, 3), 0);
}

static void
test_long_texts_are_cut_between_characters(void **state)
{
	struct store *s = *state;
	struct audit audit = sample(s);
	struct audit_record row;
	char text[400] = "xx";
	int i, len;

	for (i = 0; i < 90; i++)
		strcat(text, "€"); /* 3 bytes */
	/* With none, one and two bytes before the first of three. */
	for (i = 2; i >= 0; i--) {
		audit.name = audit.action = audit.subject = text + i;
		audit.detail = audit.request_id = audit.key_id = text + i;
		put(s, &audit, NOW);
		must(
		    audit_list(s->db, s->service.id, INT64_MAX, &row, 1, &len));
		assert_true(utf8_valid(row.name) && utf8_valid(row.action));
		assert_true(utf8_valid(row.subject) && utf8_valid(row.detail));
		assert_true(utf8_valid(row.request_id));
		assert_true(utf8_valid(row.key_id));
		assert_in_range(strlen(row.name), 61, 63);
		assert_in_range(strlen(row.detail), 197, 199);
	}
	assert_int_equal(broken(s, 3), 0);
}

static void
test_a_look_is_noted_once_in_ten_minutes(void **state)
{
	struct store *s = *state;
	struct audit audit = sample(s), other;
	struct service bikes;

	store_service(s, &bikes, "bikes", "");
	assert_int_equal(audit_looked(s->db, &audit, NOW), RC_NONE);
	put(s, &audit, NOW);
	must(audit_looked(s->db, &audit, NOW));
	must(audit_looked(s->db, &audit, NOW + 599));
	assert_int_equal(audit_looked(s->db, &audit, NOW + 600), RC_NONE);
	other = audit;
	other.subject = "ses_01m821vx6j3y7mycw7bw9vqs6t";
	assert_int_equal(audit_looked(s->db, &other, NOW), RC_NONE);
	other = audit;
	other.action = "GET /v1/sessions/{id}";
	assert_int_equal(audit_looked(s->db, &other, NOW), RC_NONE);
	other = audit;
	other.key_id = "key_01m821vx6j3y7mycw7bw9vqs6t";
	assert_int_equal(audit_looked(s->db, &other, NOW), RC_NONE);
	other = audit;
	other.service_id = bikes.id;
	assert_int_equal(audit_looked(s->db, &other, NOW), RC_NONE);
	other = audit;
	other.detail = "from +1…47 0a1b2c3d to +12025550199";
	assert_int_equal(audit_looked(s->db, &other, NOW), RC_NONE);
}

static void
test_failures_are_told(void **state)
{
	struct store *s = *state;
	struct audit audit = sample(s);
	struct audit_record last;
	int64_t count;
	int len;

	store_drop(s, "audit");
	assert_false(rc_final(audit_put(s->db, &s->keys, &audit, NOW)));
	assert_false(rc_final(audit_looked(s->db, &audit, NOW)));
	assert_false(
	    rc_final(audit_list(s->db, s->service.id, 9, &last, 1, &len)));
	assert_false(rc_final(
	    audit_verify(s->db, &s->keys, s->service.id, &count, &last)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_a_row_is_kept_as_it_is),
		STORE_TEST(test_it_is_listed_from_the_newest),
		STORE_TEST(test_what_was_written_is_right),
		STORE_TEST(test_every_change_of_a_row_is_found),
		STORE_TEST(test_the_first_row_is_checked_as_well),
		STORE_TEST(test_a_row_that_was_taken_out_is_found),
		STORE_TEST(test_a_row_that_was_put_in_is_found),
		STORE_TEST(test_rows_that_changed_places_are_found),
		STORE_TEST(test_a_row_of_another_service_is_found),
		STORE_TEST(test_a_row_by_another_key_is_found),
		STORE_TEST(
		    test_what_is_forgotten_at_the_beginning_is_not_missed),
		STORE_TEST(test_times_run_with_the_numbers),
		STORE_TEST(test_long_texts_are_cut_between_characters),
		STORE_TEST(test_a_look_is_noted_once_in_ten_minutes),
		STORE_TEST(test_failures_are_told),
	};

	return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
