/* Sessions: states to the second, sealed numbers and references. */

#include "test.h"

#include "sessions.h"

static void
test_status_to_the_second(void **state)
{
	struct session session = { .expires_at = NOW };

	(void)state;
	assert_int_equal(session_status(&session, NOW - 1), SESSION_OPEN);
	assert_int_equal(session_status(&session, NOW), SESSION_EXPIRED);
	assert_int_equal(session_status(&session, NOW + 1), SESSION_EXPIRED);
	/* Once closed, by whatever, time changes nothing. */
	session.closed_at = NOW - 9;
	assert_int_equal(session_status(&session, NOW - 1), SESSION_CLOSED);
	assert_int_equal(session_status(&session, NOW), SESSION_CLOSED);
	session.closed_by_expiry = true;
	assert_int_equal(session_status(&session, NOW - 1), SESSION_EXPIRED);
	assert_int_equal(session_status(&session, NOW), SESSION_EXPIRED);
}

static void
test_status_names(void **state)
{
	(void)state;
	assert_string_equal(session_status_name(SESSION_OPEN), "open");
	assert_string_equal(
	    session_status_name(SESSION_LINGERING), "lingering");
	assert_string_equal(session_status_name(SESSION_CLOSED), "closed");
	assert_string_equal(session_status_name(SESSION_EXPIRED), "expired");
}

static void
test_check_accepts_two_people(void **state)
{
	static const char *const roles[] = { "a", "driver-2", "x_1", "z-_09" };
	struct session_request request = good;
	struct fault fault;
	size_t i;

	(void)state;
	must(session_check(&request, &fault));
	for (i = 0; i < LENGTH(roles); i++) {
		strcpy(request.parties[1].role, roles[i]);
		must(session_check(&request, &fault));
	}
}

static void
check_refused(const struct session_request *request, enum rc rc,
    const char *field, const char *sent)
{
	struct fault fault = { .field = "" };

	assert_int_equal(session_check(request, &fault), rc);
	assert_string_equal(fault.field, field);
	assert_true(fault.detail[0] != '\0');
	if (sent[0] != '\0')
		assert_null(strstr(fault.detail, sent));
	assert_int_equal(session_check(request, NULL), rc);
}

static void
test_check_refuses_roles(void **state)
{
	static const char *const roles[] = { "", "Driver", "driveR", "9lives",
		"-x", "_x", "two words", "driver ", "dri\nver", "dri.ver",
		"fahrg\303\244st", "\"",
		/* They mean other things where a role may stand. */
		"both", "none" };
	struct session_request request;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(roles); i++) {
		request = good;
		strcpy(request.parties[0].role, roles[i]);
		check_refused(
		    &request, RC_INVALID, "parties[0].role", roles[i]);
		request = good;
		strcpy(request.parties[1].role, roles[i]);
		check_refused(
		    &request, RC_INVALID, "parties[1].role", roles[i]);
	}
}

static void
test_check_refuses_phones(void **state)
{
	static const char *const phones[] = { "", "12025550147", "+120255",
		"+1202555014x", "+1 2025550147", "+02025550147", "anonymous" };
	struct session_request request;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(phones); i++) {
		request = good;
		strcpy(request.parties[0].phone, phones[i]);
		check_refused(
		    &request, RC_INVALID, "parties[0].phone", phones[i]);
		request = good;
		strcpy(request.parties[1].phone, phones[i]);
		check_refused(
		    &request, RC_INVALID, "parties[1].phone", phones[i]);
	}
}

static void
test_check_refuses_one_person_twice(void **state)
{
	struct session_request request = good;

	(void)state;
	strcpy(request.parties[1].phone, ANNA);
	check_refused(&request, RC_SAME_PARTY, "parties[1].phone", ANNA);
	request = good;
	strcpy(request.parties[1].role, "customer");
	check_refused(&request, RC_INVALID, "parties[1].role", "customer");
}

static void
test_person_is_a_keyed_hash(void **state)
{
	struct crypto_keys keys = { .lookup = { 1 } }, other = keys;
	uint8_t a[CRYPTO_HASH_SIZE], b[CRYPTO_HASH_SIZE];

	(void)state;
	session_person(a, &keys, ANNA);
	session_person(b, &keys, ANNA);
	assert_memory_equal(a, b, sizeof a);
	/* Kept in databases: it must never change. */
	crypto_keyed_hash(b, &keys, "person", ANNA, strlen(ANNA));
	assert_memory_equal(a, b, sizeof a);
	session_person(b, &keys, BORIS);
	assert_memory_not_equal(a, b, sizeof a);
	other.lookup[31] ^= 1;
	session_person(b, &other, ANNA);
	assert_memory_not_equal(a, b, sizeof a);
}

static void
test_insert_and_find_keep_all(void **state)
{
	struct store *s = *state;
	struct session session, found;
	int i;

	must_insert(s, &session, "trip-8731", 0);
	for (i = 0; i < SESSION_PARTIES; i++) {
		assert_int_equal(strlen(session.parties[i].code), 6);
		assert_int_equal(
		    strspn(session.parties[i].code, "0123456789"), 6);
	}
	must(session_find(s->db, s->service.id, &found, session.id));
	check_same(&found, &session);
}

/* Codes are random: twenty of six digits are not all the same. */
static void
test_insert_makes_codes(void **state)
{
	struct store *s = *state;
	struct session session;
	int i;

	for (i = 0; i < 10; i++)
		must_insert(s, &session, "", i);
	assert_in_range(
	    store_int(s, "SELECT count(DISTINCT code) FROM party"), 10, 20);
	assert_int_equal(
	    store_int(s,
		"SELECT count(*) FROM party "
		"WHERE code NOT GLOB '[0-9][0-9][0-9][0-9][0-9][0-9]'"),
	    0);
}

static void
test_find_refuses_other_ids_and_services(void **state)
{
	struct store *s = *state;
	struct session session, found = { .reference = "untouched" };
	struct service other;

	must_insert(s, &session, "", 0);
	store_service(s, &other, "rides", "");
	assert_int_equal(
	    session_find(s->db, other.id, &found, session.id), RC_NOT_FOUND);
	assert_int_equal(session_find(s->db, s->service.id, &found,
			     "ses_00000000000000000000000000"),
	    RC_NOT_FOUND);
	assert_int_equal(
	    session_find(s->db, s->service.id, &found, ""), RC_NOT_FOUND);
	assert_string_equal(found.reference, "untouched");
}

static void
test_insert_refuses_a_number_not_in_the_pool(void **state)
{
	struct store *s = *state;
	struct session session;

	store_run(s, "DELETE FROM number WHERE number = '" MASK_1 "'");
	assert_int_equal(insert(s, s->service.id, &session, "", 0), RC_RETRY);
	store_number(s, s->service.id, MASK_1);
	store_run(s, "DELETE FROM number WHERE number = '" MASK_2 "'");
	assert_int_equal(insert(s, s->service.id, &session, "", 0), RC_RETRY);
}

static void
test_insert_needs_a_sealing_key(void **state)
{
	struct store *s = *state;
	struct session session;

	s->keys.sealing_len = 0;
	assert_int_equal(
	    insert(s, s->service.id, &session, "", 0), RC_UNAVAILABLE);
}

static void
test_insert_leaves_no_number_in_the_open(void **state)
{
	struct store *s = *state;
	struct session session;
	char place[64];

	must_insert(s, &session, "trip-1", 0);
	/* The search itself is to be trusted. */
	assert_true(store_holds(s, "trip-1", place));
	assert_string_equal(place, "session.reference");
	store_lacks(s, &ANNA[2]);
	store_lacks(s, &BORIS[2]);
}

/* Reads a party's sealed number. */
static size_t
read_sealed(struct store *s, const char *party_id, uint8_t out[256])
{
	char sql[128], hex[600];
	size_t i, len;
	unsigned byte;

	snprintf(sql, sizeof sql,
	    "SELECT hex(phone_sealed) FROM party WHERE id = '%s'", party_id);
	store_text(s, sql, hex, sizeof hex);
	len = strlen(hex) / 2;
	assert_in_range(len, 1, 255);
	for (i = 0; i < len; i++) {
		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		out[i] = (uint8_t)byte;
	}
	return len;
}

static void
test_unseal_opens_for_its_party_only(void **state)
{
	struct store *s = *state;
	char phone[PHONE_SIZE] = "untouched";
	const struct session_party *party;
	struct session session, other;
	uint8_t sealed[256];
	size_t len;

	must_insert(s, &session, "", 1);
	must_insert(s, &other, "", 0);
	party = session.parties;
	len = read_sealed(s, party[0].id, sealed);
	assert_int_equal(
	    session_unseal(phone, &s->keys, party[1].id, sealed, len),
	    RC_CORRUPT);
	/* The same person, in another session. */
	assert_int_equal(
	    session_unseal(phone, &s->keys, other.parties[0].id, sealed, len),
	    RC_CORRUPT);
	assert_int_equal(
	    session_unseal(phone, &s->keys, "", sealed, len), RC_CORRUPT);
	assert_string_equal(phone, "untouched");
	must(session_unseal(phone, &s->keys, party[0].id, sealed, len));
	assert_string_equal(phone, ANNA);
	len = read_sealed(s, party[1].id, sealed);
	must(session_unseal(phone, &s->keys, party[1].id, sealed, len));
	assert_string_equal(phone, BORIS);
}

static void
test_phone_of_a_party(void **state)
{
	char phone[PHONE_SIZE] = "untouched";
	struct store *s = *state;
	struct session session;

	store_session(s, &session, MASK_1, ANNA, BORIS, NOW);
	assert_int_equal(
	    session_phone(s->db, &s->keys, "pty_none", phone), RC_NOT_FOUND);
	assert_string_equal(phone, "untouched");
	must(session_phone(s->db, &s->keys, session.parties[1].id, phone));
	assert_string_equal(phone, BORIS);
	store_run(s, "UPDATE party SET phone_sealed = x''");
	assert_int_equal(
	    session_phone(s->db, &s->keys, session.parties[1].id, phone),
	    RC_NOT_FOUND);
	store_run(s, "UPDATE party SET phone_sealed = x'01'");
	assert_int_equal(
	    session_phone(s->db, &s->keys, session.parties[1].id, phone),
	    RC_CORRUPT);
	assert_string_equal(
	    session_party(&session, "driver")->id, session.parties[1].id);
	assert_null(session_party(&session, "Driver"));
}

static void
test_unseal_refuses_what_was_changed(void **state)
{
	struct store *s = *state;
	char phone[PHONE_SIZE] = "untouched";
	struct session session;
	uint8_t sealed[256];
	const char *id;
	size_t i, len;

	must_insert(s, &session, "", 0);
	id = session.parties[0].id;
	len = read_sealed(s, id, sealed);
	for (i = 0; i < len; i++) {
		sealed[i] ^= 1;
		assert_int_equal(
		    session_unseal(phone, &s->keys, id, sealed, len),
		    RC_CORRUPT);
		sealed[i] ^= 1;
		assert_int_equal(
		    session_unseal(phone, &s->keys, id, sealed, i), RC_CORRUPT);
	}
	s->keys.sealing[0].key[0] ^= 1;
	assert_int_equal(
	    session_unseal(phone, &s->keys, id, sealed, len), RC_CORRUPT);
	assert_string_equal(phone, "untouched");
}

static void
test_reference_is_one_open_sessions(void **state)
{
	struct store *s = *state;
	struct session session, again;
	struct service other;

	store_service(s, &other, "rides", "");
	must_insert(s, &session, "trip-1", 9);
	assert_int_equal(
	    insert(s, s->service.id, &again, "trip-1", 8), RC_RETRY);
	must_insert(s, &again, "trip-2", 7);
	must_insert(s, &again, "Trip-1", 6);
	must(insert(s, other.id, &again, "trip-1", 5));
	/* Many may have none, and a closed one gives its up. */
	must_insert(s, &again, "", 4);
	must_insert(s, &again, "", 3);
	must(session_close(s->db, s->service.id, session.id, NOW, false));
	must_insert(s, &again, "trip-1", 2);
}

static void
test_find_reference_of_what_is_not_closed(void **state)
{
	struct store *s = *state;
	char id[ID_SIZE] = "untouched";
	struct session session;
	struct service other;
	int64_t expires_at = 7;

	store_service(s, &other, "rides", "");
	must_insert(s, &session, "trip-1", 0);
	assert_int_equal(session_find_reference(
			     s->db, s->service.id, id, &expires_at, "trip-2"),
	    RC_NOT_FOUND);
	assert_int_equal(
	    session_find_reference(s->db, other.id, id, &expires_at, "trip-1"),
	    RC_NOT_FOUND);
	assert_string_equal(id, "untouched");
	assert_int_equal(expires_at, 7);
	must(session_find_reference(
	    s->db, s->service.id, id, &expires_at, "trip-1"));
	assert_string_equal(id, session.id);
	assert_int_equal(expires_at, session.expires_at);
	must(session_close(s->db, s->service.id, session.id, NOW, false));
	assert_int_equal(session_find_reference(
			     s->db, s->service.id, id, &expires_at, "trip-1"),
	    RC_NOT_FOUND);
}

static void
test_close_for_good(void **state)
{
	struct store *s = *state;
	const char *service = s->service.id;
	struct session closed, expired, open, found;

	must_insert(s, &closed, "", 3);
	must_insert(s, &expired, "", 2);
	must_insert(s, &open, "", 1);
	must(session_close(s->db, service, closed.id, NOW, false));
	assert_int_equal(
	    session_close(s->db, service, closed.id, NOW + 1, true), RC_NONE);
	must(session_close(s->db, service, expired.id, NOW + 2, true));
	must(session_find(s->db, service, &found, closed.id));
	closed.closed_at = NOW;
	check_same(&found, &closed);
	must(session_find(s->db, service, &found, expired.id));
	expired.closed_at = NOW + 2;
	expired.closed_by_expiry = true;
	check_same(&found, &expired);
	must(session_find(s->db, service, &found, open.id));
	check_same(&found, &open);
}

static void
test_close_refuses_other_ids_and_services(void **state)
{
	struct store *s = *state;
	struct session session, found;
	struct service other;

	must_insert(s, &session, "", 0);
	store_service(s, &other, "rides", "");
	assert_int_equal(
	    session_close(s->db, other.id, session.id, NOW, false), RC_NONE);
	assert_int_equal(
	    session_close(s->db, s->service.id, "ses_", NOW, false), RC_NONE);
	must(session_find(s->db, s->service.id, &found, session.id));
	assert_int_equal(found.closed_at, 0);
}

static void
test_status_lingers_to_the_second(void **state)
{
	struct session session = {
		.expires_at = NOW, .closed_at = NOW - 9, .linger_until = NOW + 9
	};

	(void)state;
	assert_int_equal(session_status(&session, NOW + 8), SESSION_LINGERING);
	assert_int_equal(session_status(&session, NOW + 9), SESSION_CLOSED);
	/* What was never closed, or has expired, does not. */
	session.closed_by_expiry = true;
	assert_int_equal(session_status(&session, NOW), SESSION_EXPIRED);
	session.closed_at = 0;
	assert_int_equal(session_status(&session, NOW - 1), SESSION_OPEN);
	assert_int_equal(session_status(&session, NOW), SESSION_EXPIRED);
}

static void
test_parse_status(void **state)
{
	int i, status;

	(void)state;
	for (i = 0; i < SESSION__MAX; i++) {
		must(session_parse_status(
		    &status, session_status_name((enum session_status)i)));
		assert_int_equal(status, i);
	}
	assert_int_equal(session_parse_status(&status, ""), RC_INVALID);
	assert_int_equal(session_parse_status(&status, "Open"), RC_INVALID);
}

static void
test_mode_is_both_none_or_a_role(void **state)
{
	const struct session session = { .parties = { { .role = "customer" },
					     { .role = "driver" } } };
	static const char *const others[] = { "", "Both", "any", "customers",
		"drive", "customer driver" };
	struct fault fault;
	size_t i;

	(void)state;
	must(session_check_mode(&session, "both", "voice", &fault));
	must(session_check_mode(&session, "none", "voice", &fault));
	must(session_check_mode(&session, "customer", "voice", &fault));
	must(session_check_mode(&session, "driver", "voice", &fault));
	for (i = 0; i < LENGTH(others); i++) {
		fault.field[0] = '\0';
		assert_int_equal(
		    session_check_mode(&session, others[i], "text", &fault),
		    RC_INVALID);
		assert_string_equal(fault.field, "text");
	}
}

/* A code of a session that is being made is taken already, or its two parties
 * could get the same. */
static void
test_insert_knows_the_code_just_made(void **state)
{
	struct store *s = *state;
	struct session session;
	int i;

	must_insert(s, &session, "", 0);
	for (i = 0; i < SESSION_PARTIES; i++) {
		assert_int_equal(
		    db_first(s->db, SQL_PARTY_CODE_USED,
			DB_ARGS(DB_TEXT(session.parties[i].number),
			    DB_TEXT(session.parties[i].code), DB_INT(NOW))),
		    RC_OK);
		db_done(s->db, SQL_PARTY_CODE_USED);
	}
}

static void
test_dispute_once(void **state)
{
	struct store *s = *state;
	struct session session, found;

	must_insert(s, &session, "", 0);
	must(session_dispute(s->db, session.parties[1].id, NOW));
	assert_int_equal(
	    session_dispute(s->db, session.parties[1].id, NOW + 1), RC_NONE);
	assert_int_equal(session_dispute(s->db, "pty_", NOW), RC_NONE);
	must(session_find(s->db, s->service.id, &found, session.id));
	assert_false(found.parties[0].disputed);
	assert_true(found.parties[1].disputed);
	assert_int_equal(
	    store_int(s, "SELECT max(disputed_at) FROM party"), NOW);
}

static void
test_update_only_what_is_open(void **state)
{
	struct store *s = *state;
	struct session session, found;
	struct service other;

	store_service(s, &other, "rides", "");
	must_insert(s, &session, "", 0);
	session.expires_at = NOW + 77;
	strcpy(session.voice, "none");
	strcpy(session.text, "driver");
	assert_int_equal(
	    session_update(s->db, other.id, &session, NOW), RC_NOT_FOUND);
	must(session_update(s->db, s->service.id, &session, NOW));
	must(session_find(s->db, s->service.id, &found, session.id));
	assert_memory_equal(&found, &session, sizeof found);
	must(session_close(s->db, s->service.id, session.id, NOW, false));
	assert_int_equal(
	    session_update(s->db, s->service.id, &session, NOW), RC_NOT_FOUND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status_to_the_second),
		cmocka_unit_test(test_status_names),
		cmocka_unit_test(test_check_accepts_two_people),
		cmocka_unit_test(test_check_refuses_roles),
		cmocka_unit_test(test_check_refuses_phones),
		cmocka_unit_test(test_check_refuses_one_person_twice),
		cmocka_unit_test(test_person_is_a_keyed_hash),
		SESSION_TEST(test_insert_and_find_keep_all),
		SESSION_TEST(test_insert_makes_codes),
		SESSION_TEST(test_find_refuses_other_ids_and_services),
		SESSION_TEST(test_insert_refuses_a_number_not_in_the_pool),
		SESSION_TEST(test_insert_needs_a_sealing_key),
		SESSION_TEST(test_insert_leaves_no_number_in_the_open),
		SESSION_TEST(test_unseal_opens_for_its_party_only),
		SESSION_TEST(test_phone_of_a_party),
		SESSION_TEST(test_unseal_refuses_what_was_changed),
		SESSION_TEST(test_reference_is_one_open_sessions),
		SESSION_TEST(test_find_reference_of_what_is_not_closed),
		SESSION_TEST(test_close_for_good),
		SESSION_TEST(test_close_refuses_other_ids_and_services),
		SESSION_TEST(test_status_lingers_to_the_second),
		cmocka_unit_test(test_parse_status),
		SESSION_TEST(test_mode_is_both_none_or_a_role),
		SESSION_TEST(test_insert_knows_the_code_just_made),
		SESSION_TEST(test_dispute_once),
		SESSION_TEST(test_update_only_what_is_open),
	};

	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
