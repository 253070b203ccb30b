/* Rows of texts: states, what was written, what is forgotten. */

#include "test.h"

#include "texts.h"

/* A message of the service to be written. */
static struct message
waiting(struct store *s, const char *sid)
{
	struct message message = { .reason = "relayed" };

	strcpy(message.service_id, s->service.id);
	strcpy(message.sid, sid);
	return message;
}

static void
test_statuses(void **state)
{
	static const struct {
		const char *word;
		enum message_status status;
	} words[] = { { "queued", MESSAGE_QUEUED },
		{ "accepted", MESSAGE_QUEUED }, { "scheduled", MESSAGE_QUEUED },
		{ "sending", MESSAGE_SENDING }, { "sent", MESSAGE_SENT },
		{ "delivered", MESSAGE_DELIVERED },
		{ "read", MESSAGE_DELIVERED },
		{ "undelivered", MESSAGE_UNDELIVERED },
		{ "failed", MESSAGE_FAILED }, { "canceled", MESSAGE_FAILED } };
	static const char *const others[] = { "", "waiting", "refused", "Sent",
		"received", "sent " };
	enum message_status status;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(words); i++) {
		must(message_parse_status(&status, words[i].word));
		assert_int_equal(status, words[i].status);
	}
	for (i = 0; i < LENGTH(others); i++)
		assert_int_equal(
		    message_parse_status(&status, others[i]), RC_INVALID);
}

/* From any state, by any report: forward only, and a final one stays. */
static void
test_apply_over_all_states(void **state)
{
	struct message message;
	bool ahead, moved;
	int from, to;

	(void)state;
	for (from = 0; from < MESSAGE__MAX; from++) {
		for (to = MESSAGE_QUEUED; to < MESSAGE_REFUSED; to++) {
			message =
			    (struct message){ .status =
						  (enum message_status)from };
			moved = message_apply(
			    &message, (enum message_status)to, 30003, NOW);
			ahead = from < MESSAGE_DELIVERED && to > from;
			assert_int_equal(moved, ahead);
			assert_int_equal(message.status, ahead ? to : from);
			assert_int_equal(message.error, ahead ? 30003 : 0);
			assert_int_equal(message.ended_at,
			    ahead && to >= MESSAGE_DELIVERED ? NOW : 0);
		}
	}
}

static void
test_sids_and_urls(void **state)
{
	static const char *const good[] = { SM("1"),
		"MM0123456789abcdefABCDEF0123456789" };
	static const char *const bad[] = { "", "SM",
		"CA"
		"0000000000000000000000"
		"0000000001",
		"SM0000000000000000000000000000000", SM("11"), SM("g"),
		"ss00000000000000000000000000000001" };
	static const char *const urls[] = { "https://api.twilio.com/x?y=z",
		"http://127.0.0.1/x" };
	static const char *const others[] = { "", "x", "ftp://x/y", "file:///x",
		"https://x/ y", "https://x/\n", "https://x/ü", " https://x/" };
	char url[MESSAGE_URL_SIZE + 1] = "https://x/";
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(good); i++)
		assert_true(message_sid_valid(good[i]));
	for (i = 0; i < LENGTH(bad); i++)
		assert_false(message_sid_valid(bad[i]));
	for (i = 0; i < LENGTH(urls); i++)
		assert_true(message_url_valid(urls[i]));
	for (i = 0; i < LENGTH(others); i++)
		assert_false(message_url_valid(others[i]));
	memset(url + 10, 'x', MESSAGE_URL_SIZE - 11);
	assert_true(message_url_valid(url));
	url[MESSAGE_URL_SIZE - 1] = 'x';
	assert_false(message_url_valid(url));
}

static void
test_what_was_written_comes_back(void **state)
{
	static const struct message_content contents[] = { { "Hello\nyou",
							       { 0 }, 0 },
		{ "", { "https://x/1", "https://x/2" }, 2 },
		{ "\n", { "https://x/1" }, 1 }, { "", { 0 }, 0 } };
	struct store *s = *state;
	struct message_text text;
	struct message message;
	char id[ID_SIZE];
	size_t i;
	int k;

	for (i = 0; i < LENGTH(contents); i++) {
		message = waiting(s, "");
		message.media = contents[i].media_len;
		must(message_insert(
		    s->db, &s->keys, &message, &contents[i], NOW * 1000));
		strcpy(id, message.id);
		must(message_find(s->db, &message, id));
		assert_int_equal(message.created_at, NOW);
		must(message_read(s->db, &s->keys, &message, &text));
		assert_string_equal(text.content.body, contents[i].body);
		assert_int_equal(text.content.media_len, contents[i].media_len);
		for (k = 0; k < contents[i].media_len; k++)
			assert_string_equal(
			    text.content.media[k], contents[i].media[k]);
		must(message_wipe(s->db, message.id));
		assert_int_equal(message_read(s->db, &s->keys, &message, &text),
		    RC_NOT_FOUND);
	}
	store_lacks(s, "Hello");
	store_lacks(s, "https://x/");
}

/* Sealed for its row: it opens in no other, and not after a change. */
static void
test_what_was_written_is_sealed(void **state)
{
	const struct message_content content = { .body = "Secret words" };
	struct store *s = *state;
	struct message first = waiting(s, ""), second = waiting(s, "");
	struct message_text text;

	must(message_insert(s->db, &s->keys, &first, &content, NOW * 1000));
	must(message_insert(s->db, &s->keys, &second, NULL, NOW * 1000));
	store_lacks(s, "Secret");
	store_run(s, "UPDATE message SET body_sealed = "
		     "(SELECT max(body_sealed) FROM message)");
	must(message_read(s->db, &s->keys, &first, &text));
	assert_int_equal(
	    message_read(s->db, &s->keys, &second, &text), RC_CORRUPT);
	first.media = 1;
	assert_int_equal(
	    message_read(s->db, &s->keys, &first, &text), RC_CORRUPT);
	first.media = MESSAGE_MEDIA_MAX + 1;
	assert_int_equal(
	    message_read(s->db, &s->keys, &first, &text), RC_CORRUPT);
}

static void
test_one_sid_is_one_message(void **state)
{
	struct store *s = *state;
	struct message first = waiting(s, SM("1")), second = first, found;

	must(message_insert(s->db, &s->keys, &first, NULL, NOW * 1000));
	assert_int_equal(
	    message_insert(s->db, &s->keys, &second, NULL, NOW * 1000),
	    RC_EXISTS);
	must(message_find_sid(s->db, &found, SM("1")));
	assert_string_equal(found.id, first.id);
	assert_int_equal(
	    message_find_sid(s->db, &found, SM("2")), RC_NOT_FOUND);
	assert_int_equal(message_find(s->db, &found, "msg_x"), RC_NOT_FOUND);
}

static void
test_update(void **state)
{
	struct store *s = *state;
	struct message message = waiting(s, ""), found;
	char id[ID_SIZE];

	must(message_insert(s->db, &s->keys, &message, NULL, NOW * 1000));
	assert_int_equal(message_find_sent(s->db, id, SM("2")), RC_NOT_FOUND);
	strcpy(message.sent_sid, SM("2"));
	message.sent_at = NOW + 1;
	message_apply(&message, MESSAGE_UNDELIVERED, 30003, NOW + 2);
	must(message_update(s->db, &message));
	must(message_find_sent(s->db, id, SM("2")));
	assert_string_equal(id, message.id);
	must(message_find(s->db, &found, message.id));
	assert_int_equal(found.status, MESSAGE_UNDELIVERED);
	assert_int_equal(found.error, 30003);
	assert_int_equal(found.sent_at, NOW + 1);
	assert_int_equal(found.ended_at, NOW + 2);
}

/* Only what is old, the service's, done with, and as much as was asked for. */
static void
test_forget(void **state)
{
	const struct message_content content = { .body = "x" };
	struct store *s = *state;
	struct service other;
	struct message message;
	int64_t count;
	int i;

	store_service(s, &other, "other", "");
	for (i = 0; i < 6; i++) {
		message = waiting(s, "");
		if (i == 0)
			strcpy(message.service_id, other.id);
		if (i != 1)
			message.status = MESSAGE_SENT;
		must(message_insert(s->db, &s->keys, &message, &content,
		    (NOW + (i == 2 ? 10 : 0)) * 1000));
	}
	must(message_forget(s->db, s->service.id, NOW + 1, 2, &count));
	assert_int_equal(count, 2);
	must(message_forget(s->db, s->service.id, NOW + 1, 2, &count));
	assert_int_equal(count, 1);
	must(message_forget(s->db, s->service.id, NOW + 1, 2, &count));
	assert_int_equal(count, 0);
	assert_int_equal(store_int(s, "SELECT count(*) FROM message "
				      "WHERE body_sealed IS NOT NULL"),
	    3);
	assert_int_equal(store_int(s, "SELECT count(*) FROM message"), 6);
}

static void
test_broken_database(void **state)
{
	struct store *s = *state;
	struct message message = waiting(s, "");
	struct message_text text;
	char id[ID_SIZE];
	int64_t count;

	store_drop(s, "message");
	assert_false(rc_final(
	    message_insert(s->db, &s->keys, &message, NULL, NOW * 1000)));
	assert_false(rc_final(message_find(s->db, &message, "msg_1")));
	assert_false(rc_final(message_find_sent(s->db, id, "SM")));
	assert_false(rc_final(message_read(s->db, &s->keys, &message, &text)));
	assert_false(rc_final(message_update(s->db, &message)));
	assert_false(rc_final(message_wipe(s->db, "msg_1")));
	assert_false(
	    rc_final(message_forget(s->db, s->service.id, NOW, 1, &count)));
	assert_false(
	    rc_final(message_count_relayed(s->db, &count, "pty_1", NOW, "")));
	assert_false(
	    rc_final(message_count_refused(s->db, &count, &message, NOW)));
	assert_false(rc_final(message_list(s->db, "ses_1", 1, NULL, NULL)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_apply_over_all_states),
		cmocka_unit_test(test_sids_and_urls),
		STORE_TEST(test_what_was_written_comes_back),
		STORE_TEST(test_what_was_written_is_sealed),
		STORE_TEST(test_one_sid_is_one_message),
		STORE_TEST(test_update),
		STORE_TEST(test_forget),
		STORE_TEST(test_broken_database),
	};

	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
