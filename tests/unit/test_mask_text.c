/* The deeds: texts relayed, refused, sent for the app, and what became of
 * them. */

#include "test.h"

#include "say.h"
#include "texts.h"

/* Brings a text from somebody to MASK_1 that is refused, and for what; returns
 * what is answered. */
static const char *
refused(struct store *s, const char *sid, const char *from,
    enum policy_reason reason)
{
	struct mask_texted text = texted(sid, from, MASK_1, "Secret");
	struct message message;
	const char *answer = bring(s, &text);

	must(message_find_sid(s->db, &message, sid));
	assert_string_equal(message.reason, policy_reason_name(reason));
	assert_int_equal(message.status, MESSAGE_REFUSED);
	assert_string_equal(message.to_party, "");
	assert_int_equal(store_int(s, "SELECT count(*) FROM outbox"), 0);
	assert_int_equal(store_int(s, "SELECT count(*) FROM message "
				      "WHERE body_sealed IS NOT NULL"),
	    0);
	return answer;
}

static void
check_written(
    struct store *s, const struct message *message, const char *body, int media)
{
	struct message_text text;

	must(message_read(s->db, &s->keys, message, &text));
	assert_string_equal(text.content.body, body);
	assert_int_equal(text.content.media_len, media);
}

static void
test_relay(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct message message;
	char expected[200];

	anna_texts(s, SM("1"), "I am here", &message);
	assert_string_equal(message.session_id, session.id);
	assert_string_equal(message.from_party, session.parties[0].id);
	assert_string_equal(message.to_party, session.parties[1].id);
	assert_string_equal(message.from, "customer");
	assert_string_equal(message.to, "driver");
	assert_string_equal(message.number, MASK_1);
	assert_string_equal(message.reason, "relayed");
	assert_int_equal(message.status, MESSAGE_WAITING);
	check_written(s, &message, "I am here", 0);
	snprintf(expected, sizeof expected, "message %s %s", message.id,
	    session.parties[1].id);
	store_check(s,
	    "SELECT kind || ' ' || subject_id || ' ' || lane FROM outbox",
	    expected);
	check_events(s, "1 session.opened, 2 message.relayed");
	store_check(
	    s, "SELECT subject_id FROM event WHERE seq = 2", message.id);
	store_lacks(s, ANNA);
	store_lacks(s, "I am here");
}

static void
test_the_same_sid_is_one_text(void **state)
{
	struct store *s = *state;
	struct message message;

	open_session(s, "", ANNA, BORIS);
	anna_texts(s, SM("1"), "one", &message);
	anna_texts(s, SM("1"), "one", &message);
	assert_int_equal(store_int(s, "SELECT count(*) FROM outbox"), 1);
	check_events(s, "1 session.opened, 2 message.relayed");
}

static void
test_strangers_are_refused_without_a_word(void **state)
{
	struct store *s = *state;

	open_session(s, "", ANNA, BORIS);
	assert_string_equal(
	    refused(s, SM("1"), CLARA, POLICY_CALLER_UNKNOWN), "");
	assert_string_equal(
	    refused(s, SM("2"), "ACME", POLICY_CALLER_UNKNOWN), "");
	assert_string_equal(
	    refused(s, SM("3"), "72345", POLICY_CALLER_UNKNOWN), "");
	assert_string_equal(
	    refused(s, SM("4"), "anonymous", POLICY_CALLER_WITHHELD), "");
	assert_string_equal(
	    refused(s, SM("5"), "+266696687", POLICY_CALLER_WITHHELD), "");
	check_events(s, "1 session.opened, 2 message.refused caller_unknown, "
			"3 message.refused caller_unknown, "
			"4 message.refused caller_unknown, "
			"5 message.refused caller_withheld, "
			"6 message.refused caller_withheld");
}

static void
test_numbers_that_are_none_of_ours(void **state)
{
	struct store *s = *state;
	struct mask_texted text = texted(SM("1"), ANNA, MASK_3, "x");
	struct message message;

	open_session(s, "", ANNA, BORIS);
	assert_string_equal(bring(s, &text), "");
	must(message_find_sid(s->db, &message, SM("1")));
	assert_string_equal(message.reason, "number_unknown");
	assert_string_equal(message.service_id, "");
	assert_string_equal(message.number, "");
	store_run(s, "UPDATE number SET state = 'retired'");
	assert_string_equal(
	    refused(s, SM("2"), ANNA, POLICY_NUMBER_UNKNOWN), "");
	check_events(s, "1 session.opened, 2 message.refused number_unknown");
}

static void
test_late_senders_get_an_answer(void **state)
{
	struct store *s = *state;
	struct session session;

	set(s, "language = 'de', hold_s = 86400");
	session = open_session(s, "", ANNA, BORIS);
	must(close_session(s, session.id, &session));
	assert_ptr_equal(refused(s, SM("1"), ANNA, POLICY_SESSION_IS_CLOSED),
	    say(SAY_TEXT_ENDED, "de"));
	/* Twilio asks again: the same answer. */
	assert_ptr_equal(refused(s, SM("1"), ANNA, POLICY_SESSION_IS_CLOSED),
	    say(SAY_TEXT_ENDED, "de"));
	/* A phone that answers by itself gets no further one for an hour. */
	at(s, NOW + 3599);
	assert_string_equal(
	    refused(s, SM("2"), ANNA, POLICY_SESSION_IS_CLOSED), "");
	assert_string_not_equal(
	    refused(s, SM("3"), BORIS, POLICY_SESSION_IS_CLOSED), "");
	store_run(s, "DELETE FROM message WHERE sid = '" SM("2") "'");
	at(s, NOW + 3600);
	assert_string_not_equal(
	    refused(s, SM("4"), ANNA, POLICY_SESSION_IS_CLOSED), "");
	check_events(s, "1 session.opened, 2 session.closed, "
			"3 message.refused session_closed, "
			"4 message.refused session_closed, "
			"5 message.refused session_closed, "
			"6 message.refused session_closed");
}

static void
test_each_reason_is_answered(void **state)
{
	struct store *s = *state;

	open_session(s, "", ANNA, BORIS);
	store_run(s, "UPDATE session SET text = 'driver'");
	assert_ptr_equal(refused(s, SM("1"), ANNA, POLICY_TEXT_OFF),
	    say(SAY_TEXT_OFF, "en"));
	store_run(s, "UPDATE session SET text = 'both'");
	set(s, "countries = 'CA'");
	assert_ptr_equal(refused(s, SM("2"), ANNA, POLICY_COUNTRY_LIMIT),
	    say(SAY_TEXT_NOT_FROM_HERE, "en"));
	set(s, "countries = 'US CA'");
	store_run(s, "UPDATE party SET disputed_at = 1 WHERE position = 1");
	assert_ptr_equal(refused(s, SM("3"), ANNA, POLICY_PARTY_DISPUTED),
	    say(SAY_TEXT_DISPUTED, "en"));
	at(s, NOW + TTL);
	assert_ptr_equal(refused(s, SM("4"), ANNA, POLICY_SESSION_IS_EXPIRED),
	    say(SAY_TEXT_ENDED, "en"));
	/* The leg is there, but says nothing any more. */
	at(s, NOW + TTL + HOLD);
	assert_string_equal(
	    refused(s, SM("5"), ANNA, POLICY_CALLER_UNKNOWN), "");
	store_check(s,
	    "SELECT session_id IS NULL AND from_party IS NULL FROM message "
	    "WHERE sid = '" SM("5") "'",
	    "1");
}

/* Thirty a minute; the thirtieth may be asked about again. */
static void
test_a_phone_gone_wild(void **state)
{
	struct store *s = *state;
	char sid[] = SM("0");
	struct message message;
	struct mask_texted text;
	int i;

	open_session(s, "", ANNA, BORIS);
	for (i = 0; i < 31; i++) {
		sid[32] = (char)('0' + i / 10);
		sid[33] = (char)('0' + i % 10);
		text = texted(sid, ANNA, MASK_1, "x");
		assert_string_equal(bring(s, &text),
		    i < 30 ? "" : say(SAY_TEXT_TOO_MANY, "en"));
	}
	must(message_find_sid(s->db, &message, sid));
	assert_string_equal(message.reason, "person_limit");
	assert_int_equal(store_int(s, "SELECT count(*) FROM outbox"), 30);
	at(s, NOW + 60);
	anna_texts(s, SM("a"), "x", &message);
	assert_int_equal(message.status, MESSAGE_WAITING);
}

static void
test_redaction(void **state)
{
	struct store *s = *state;
	struct mask_texted text =
	    texted(SM("2"), ANNA, MASK_1, "me: " ANNA ", a@example.com");
	struct message message;

	open_session(s, "", ANNA, BORIS);
	text.content.media[0] = "https://x/1";
	text.content.media[1] = "https://x/2";
	text.content.media[2] = "https://x/3";
	text.content.media_len = 3;
	text.types[0] = "image/png";
	text.types[1] = "text/vcard";
	text.types[2] = "video/mp4";
	bring(s, &text);
	must(message_find_sid(s->db, &message, SM("2")));
	check_written(s, &message, "me: " ANNA ", a@example.com", 3);
	set(s, "redact = 1");
	text.sid = SM("3");
	bring(s, &text);
	must(message_find_sid(s->db, &message, SM("3")));
	check_written(s, &message, "me: ***, *** ***", 2);
	text.sid = SM("4");
	text.content.body = "";
	bring(s, &text);
	must(message_find_sid(s->db, &message, SM("4")));
	check_written(s, &message, "***", 2);
}

static enum rc
send_note(struct store *s, const char *id, const char *to,
    struct message out[SESSION_PARTIES], struct text_deed *d)
{
	struct mask_note note = { .body = "Gate 5" };

	strcpy(note.to, to);
	*d = (struct text_deed){ SEND, .s = s, .id = id, .note = &note,
		.out = out };
	return transact_text(d);
}

static void
test_send(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct message out[SESSION_PARTIES], found;
	struct text_deed d;

	must(send_note(s, session.id, "driver", out, &d));
	assert_int_equal(d.len, 1);
	must(message_find(s->db, &found, out[0].id));
	assert_string_equal(found.to_party, session.parties[1].id);
	assert_string_equal(found.from_party, "");
	assert_string_equal(found.reason, "from_app");
	assert_string_equal(found.number, "");
	check_written(s, &found, "Gate 5", 0);
	must(send_note(s, session.id, "both", out, &d));
	assert_int_equal(d.len, 2);
	must(send_note(s, session.id, "", out, &d));
	assert_int_equal(d.len, 2);
	assert_string_equal(out[0].to, "customer");
	assert_string_equal(out[1].to, "driver");
	assert_int_equal(store_int(s, "SELECT count(*) FROM outbox"), 5);
	check_events(s, "1 session.opened");
}

static void
test_send_is_refused(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct message out[SESSION_PARTIES];
	struct text_deed d;

	assert_int_equal(
	    send_note(s, session.id, "other", out, &d), RC_INVALID);
	assert_string_equal(d.fault.field, "to");
	assert_int_equal(
	    send_note(s, "ses_none", "driver", out, &d), RC_NOT_FOUND);
	store_run(s, "UPDATE party SET disputed_at = 1 WHERE position = 1");
	assert_int_equal(send_note(s, session.id, "", out, &d), RC_INVALID);
	assert_string_equal(d.fault.field, "to");
	must(send_note(s, session.id, "customer", out, &d));
	must(close_session(s, session.id, &session));
	assert_int_equal(
	    send_note(s, session.id, "customer", out, &d), RC_ENDED);
	assert_int_equal(store_int(s, "SELECT count(*) FROM message"), 1);
}

static struct mask_errand
errand_of(struct store *s, const struct message *message)
{
	struct mask_errand errand;

	must(mask_errand(&s->mask, message, &errand));
	return errand;
}

static void
check_errand(struct store *s, const struct message *message,
    enum policy_reason reason, const char *to)
{
	struct mask_errand errand = errand_of(s, message);

	assert_string_equal(
	    policy_reason_name(errand.reason), policy_reason_name(reason));
	assert_string_equal(errand.to, to);
	assert_string_equal(errand.from, to[0] != '\0' ? MASK_1 : "");
}

/* A relayed text goes where it would go were it brought now. */
static void
test_errand_of_a_party(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct message message;

	anna_texts(s, SM("1"), "x", &message);
	check_errand(s, &message, POLICY_RELAYED, BORIS);
	store_run(s, "UPDATE session SET text = 'none'");
	check_errand(s, &message, POLICY_TEXT_OFF, BORIS);
	store_run(s, "UPDATE session SET text = 'both'");
	set(s, "countries = 'CA'");
	check_errand(s, &message, POLICY_COUNTRY_LIMIT, BORIS);
	set(s, "countries = 'US CA'");
	store_run(s, "UPDATE party SET disputed_at = 1 WHERE position = 0");
	check_errand(s, &message, POLICY_PARTY_DISPUTED, BORIS);
	store_run(s, "UPDATE party SET disputed_at = NULL");
	must(close_session(s, session.id, &session));
	check_errand(s, &message, POLICY_SESSION_IS_CLOSED, BORIS);
	/* Another session of theirs does not revive it. */
	at(s, NOW + 1);
	open_session(s, "", ANNA, BORIS);
	check_errand(s, &message, POLICY_SESSION_IS_CLOSED, "");
}

/* The app's goes also after the end, but to the right person or nobody. */
static void
test_errand_of_the_app(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct message out[SESSION_PARTIES], found;
	struct text_deed d;

	must(send_note(s, session.id, "driver", out, &d));
	must(message_find(s->db, &found, out[0].id));
	check_errand(s, &found, POLICY_RELAYED, BORIS);
	store_run(s, "UPDATE session SET text = 'none'");
	must(close_session(s, session.id, &session));
	check_errand(s, &found, POLICY_RELAYED, BORIS);
	store_run(s, "UPDATE party SET disputed_at = 1 WHERE position = 1");
	check_errand(s, &found, POLICY_PARTY_DISPUTED, BORIS);
	store_run(s, "UPDATE party SET disputed_at = NULL");
	set(s, "countries = 'CA'");
	check_errand(s, &found, POLICY_COUNTRY_LIMIT, BORIS);
}

static void
replace_driver(struct store *s, const char *id, const char *phone)
{
	struct session_change change = { .parties = { { .role = "driver" } } };
	struct session session;

	strcpy(change.parties[0].phone, phone);
	must(transact(&(struct deed){ CHANGE, .s = s, .text = id,
	    .change = &change, .session = &session }));
}

/* What was written for one is not read by who came in their place. */
static void
test_errand_to_a_replaced_party(void **state)
{
	struct store *s = *state;
	struct session session = open_session(s, "", ANNA, BORIS);
	struct message relayed, from_app[SESSION_PARTIES], by_boris;
	struct mask_texted text = texted(SM("2"), BORIS, MASK_1, "x");
	struct text_deed d;

	anna_texts(s, SM("1"), "x", &relayed);
	bring(s, &text);
	must(message_find_sid(s->db, &by_boris, SM("2")));
	must(send_note(s, session.id, "driver", from_app, &d));
	replace_driver(s, session.id, DORA);
	check_errand(s, &relayed, POLICY_PARTY_REPLACED, "");
	check_errand(s, &from_app[0], POLICY_PARTY_REPLACED, "");
	check_errand(s, &by_boris, POLICY_PARTY_REPLACED, ANNA);
}

static enum rc
sent(struct store *s, struct message *message, const char *sid,
    enum message_status status)
{
	return transact_text(&(struct text_deed){
	    SENT, .s = s, .message = message, .sid = sid, .status = status });
}

static enum rc
report_text(struct store *s, const char *id, const char *sid,
    enum message_status status, int64_t error)
{
	return transact_text(&(struct text_deed){ REPORT_TEXT, .s = s, .id = id,
	    .sid = sid, .status = status, .error = error });
}

static void
test_from_sent_to_delivered(void **state)
{
	struct store *s = *state;
	struct message_text text;
	struct message message;

	open_session(s, "", ANNA, BORIS);
	anna_texts(s, SM("1"), "x", &message);
	at(s, NOW + 1);
	must(sent(s, &message, SM("2"), MESSAGE_QUEUED));
	assert_int_equal(
	    message_read(s->db, &s->keys, &message, &text), RC_NOT_FOUND);
	must(report_text(s, message.id, SM("2"), MESSAGE_SENT, 0));
	must(report_text(s, message.id, SM("2"), MESSAGE_QUEUED, 0));
	at(s, NOW + 2);
	must(report_text(s, message.id, SM("2"), MESSAGE_DELIVERED, 0));
	must(report_text(s, message.id, SM("2"), MESSAGE_DELIVERED, 0));
	must(report_text(s, message.id, SM("2"), MESSAGE_FAILED, 30003));
	must(message_find_sid(s->db, &message, SM("1")));
	assert_int_equal(message.status, MESSAGE_DELIVERED);
	assert_int_equal(message.error, 0);
	assert_int_equal(message.sent_at, NOW + 1);
	assert_int_equal(message.ended_at, NOW + 2);
	check_events(s, "1 session.opened, 2 message.relayed, "
			"3 message.delivered");
}

/* A report is faster than the answer that it was taken. */
static void
test_report_before_the_answer(void **state)
{
	struct store *s = *state;
	struct message_text text;
	struct message message;

	open_session(s, "", ANNA, BORIS);
	anna_texts(s, SM("1"), "x", &message);
	must(report_text(s, message.id, SM("2"), MESSAGE_DELIVERED, 0));
	must(message_find_sid(s->db, &message, SM("1")));
	assert_string_equal(message.sent_sid, SM("2"));
	must(sent(s, &message, "", MESSAGE_QUEUED));
	assert_string_equal(message.sent_sid, SM("2"));
	assert_int_equal(message.status, MESSAGE_DELIVERED);
	assert_int_equal(
	    message_read(s->db, &s->keys, &message, &text), RC_NOT_FOUND);
	check_events(s, "1 session.opened, 2 message.relayed, "
			"3 message.delivered");
}

static void
test_failures_say_why(void **state)
{
	struct store *s = *state;
	struct message message;

	open_session(s, "", ANNA, BORIS);
	anna_texts(s, SM("1"), "x", &message);
	must(transact_text(&(struct text_deed){
	    UNSENT, .s = s, .message = &message, .id = "late" }));
	anna_texts(s, SM("2"), "x", &message);
	must(transact_text(&(struct text_deed){ UNSENT, .s = s,
	    .message = &message, .error = 21610, .id = "refused" }));
	assert_int_equal(message.error, 21610);
	anna_texts(s, SM("3"), "x", &message);
	must(report_text(s, message.id, SM("4"), MESSAGE_UNDELIVERED, 0));
	check_events(s, "1 session.opened, 2 message.relayed, "
			"3 message.failed late, 4 message.relayed, "
			"5 message.failed 21610, 6 message.relayed, "
			"7 message.failed undelivered");
	assert_int_equal(store_int(s, "SELECT count(*) FROM message "
				      "WHERE body_sealed IS NOT NULL"),
	    1);
}

static void
test_texts_are_kept_if_asked_for(void **state)
{
	struct store *s = *state;
	struct message message;

	set(s, "keep_texts_days = 1");
	open_session(s, "", ANNA, BORIS);
	anna_texts(s, SM("1"), "kept", &message);
	must(sent(s, &message, SM("2"), MESSAGE_QUEUED));
	check_written(s, &message, "kept", 0);
}

static void
test_reports_on_other_texts(void **state)
{
	struct store *s = *state;
	struct message message;

	open_session(s, "", ANNA, BORIS);
	refused(s, SM("1"), CLARA, POLICY_CALLER_UNKNOWN);
	must(message_find_sid(s->db, &message, SM("1")));
	assert_int_equal(
	    report_text(s, message.id, SM("2"), MESSAGE_DELIVERED, 0), RC_NONE);
	assert_int_equal(
	    report_text(s, "msg_none", SM("2"), MESSAGE_DELIVERED, 0), RC_NONE);
	anna_texts(s, SM("3"), "x", &message);
	must(sent(s, &message, SM("4"), MESSAGE_QUEUED));
	assert_int_equal(
	    report_text(s, message.id, SM("5"), MESSAGE_DELIVERED, 0), RC_NONE);
	must(message_find_sid(s->db, &message, SM("3")));
	assert_int_equal(message.status, MESSAGE_QUEUED);
}

static void
test_broken_database(void **state)
{
	struct store *s = *state;
	struct mask_texted text = texted(SM("1"), ANNA, MASK_1, "x");
	struct text_deed d = { RELAY, .s = s, .texted = &text };

	open_session(s, "", ANNA, BORIS);
	store_drop(s, "outbox");
	assert_false(rc_final(transact_text(&d)));
	assert_int_equal(store_int(s, "SELECT count(*) FROM message"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		MASK_TEST(test_relay),
		MASK_TEST(test_the_same_sid_is_one_text),
		MASK_TEST(test_strangers_are_refused_without_a_word),
		MASK_TEST(test_numbers_that_are_none_of_ours),
		MASK_TEST(test_late_senders_get_an_answer),
		MASK_TEST(test_each_reason_is_answered),
		MASK_TEST(test_a_phone_gone_wild),
		MASK_TEST(test_redaction),
		MASK_TEST(test_send),
		MASK_TEST(test_send_is_refused),
		MASK_TEST(test_errand_of_a_party),
		MASK_TEST(test_errand_of_the_app),
		MASK_TEST(test_errand_to_a_replaced_party),
		MASK_TEST(test_from_sent_to_delivered),
		MASK_TEST(test_report_before_the_answer),
		MASK_TEST(test_failures_say_why),
		MASK_TEST(test_texts_are_kept_if_asked_for),
		MASK_TEST(test_reports_on_other_texts),
		MASK_TEST(test_broken_database),
	};

	return cmocka_run_group_tests_name("mask_text", tests, NULL, NULL);
}
