/* The JSON of texts: what the app writes, and what it is shown. */

#include "test.h"

#include <string.h>

#include "view.h"

#define LENGTH(array) (sizeof array / sizeof array[0])

static enum rc
read_note(struct mask_note *note, const char *body, struct fault *fault)
{
	*note = (struct mask_note){ .to = "untouched" };
	return view_read_note(note, body, strlen(body), fault);
}

/* Reads a note of count characters and stores how many bytes are read. */
static enum rc
read_many(const char *character, int count, size_t *len)
{
	struct mask_note note;
	struct buf body;
	enum rc rc;

	buf_init(&body, 0);
	buf_puts(&body, "{\"text\":\"");
	while (count-- > 0)
		buf_puts(&body, character);
	buf_puts(&body, "\"}");
	rc = read_note(&note, buf_text(&body), NULL);
	*len = strlen(note.body);
	buf_free(&body);
	return rc;
}

static void
test_notes(void **state)
{
	static const char *const longest[] = { "x", "ü", "☺", "👋",
		"\\ud83d\\udc4b" };
	static const size_t bytes[] = { 1, 2, 3, 4, 4 };
	struct mask_note note;
	size_t i, len;

	(void)state;
	assert_int_equal(
	    read_note(&note, "{\"to\":\"driver\",\"text\":\"Hi\\n☺\"}", NULL),
	    RC_OK);
	assert_string_equal(note.to, "driver");
	assert_string_equal(note.body, "Hi\n☺");
	assert_int_equal(
	    read_note(&note, "{\"to\":null,\"text\":\"x\"}", NULL), RC_OK);
	assert_string_equal(note.to, "");
	for (i = 0; i < LENGTH(longest); i++) {
		assert_int_equal(read_many(longest[i], 1600, &len), RC_OK);
		assert_int_equal(len, 1600 * bytes[i]);
		assert_int_equal(read_many(longest[i], 1601, &len), RC_INVALID);
	}
}

static void
test_notes_that_are_refused(void **state)
{
	static const struct {
		const char *body;
		enum rc rc;
		const char *field;
	} rows[] = { { "", RC_SYNTAX, "" }, { "[]", RC_SYNTAX, "" },
		{ "{}", RC_INVALID, "text" },
		{ "{\"text\":null}", RC_INVALID, "text" },
		{ "{\"text\":\"\"}", RC_INVALID, "text" },
		{ "{\"text\":[\"x\"]}", RC_INVALID, "text" },
		{ "{\"text\":\"x\\u0000y\"}", RC_SYNTAX, "" },
		{ "{\"text\":\"x\xff\"}", RC_SYNTAX, "" },
		{ "{\"text\":\"x\",\"to\":\"\"}", RC_INVALID, "to" },
		{ "{\"text\":\"x\",\"to\":1}", RC_INVALID, "to" },
		{ "{\"text\":\"x\",\"body\":\"y\"}", RC_INVALID, "body" },
		{ "{\"text\":\"x\",\"text\":\"y\"}", RC_SYNTAX, "text" } };
	struct mask_note note;
	struct fault fault;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		fault = (struct fault){ .field = "" };
		assert_int_equal(
		    read_note(&note, rows[i].body, &fault), rows[i].rc);
		assert_string_equal(fault.field, rows[i].field);
		assert_true(fault.detail[0] != '\0');
	}
}

static const struct message waiting = { .id = "msg_1",
	.to = "driver",
	.reason = "from_app",
	.created_at = 1800000000 };

#define WAITING                                                                \
	"{\"id\":\"msg_1\",\"from\":null,\"to\":\"driver\","                   \
	"\"reason\":\"from_app\",\"status\":\"waiting\",\"error\":null,"       \
	"\"media\":0,\"created_at\":\"2027-01-15T08:00:00Z\","                 \
	"\"sent_at\":null,\"ended_at\":null}"

static void
test_message_golden(void **state)
{
	struct message failed = { .id = "msg_2",
		.sid = "SM1",
		.sent_sid = "SM2",
		.from = "driver",
		.to = "customer",
		.number = "+12025550191",
		.reason = "relayed",
		.status = MESSAGE_UNDELIVERED,
		.error = 30003,
		.media = 2,
		.created_at = 1800000000,
		.sent_at = 1800000001,
		.ended_at = 1800000002 };
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(view_message(&out, &waiting), RC_OK);
	assert_string_equal(buf_text(&out), WAITING);
	buf_reset(&out);
	assert_int_equal(view_message(&out, &failed), RC_OK);
	assert_string_equal(buf_text(&out),
	    "{\"id\":\"msg_2\",\"from\":\"driver\",\"to\":\"customer\","
	    "\"reason\":\"relayed\",\"status\":\"undelivered\","
	    "\"error\":30003,\"media\":2,"
	    "\"created_at\":\"2027-01-15T08:00:00Z\","
	    "\"sent_at\":\"2027-01-15T08:00:01Z\","
	    "\"ended_at\":\"2027-01-15T08:00:02Z\"}");
	buf_free(&out);
}

static void
test_lists(void **state)
{
	const struct message two[] = { waiting, waiting };
	const struct session session = { .id = "ses_1",
		.expires_at = 2000000000,
		.voice = "both",
		.text = "both" };
	static struct mask_history history = { .messages_len = 1 };
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(view_messages(&out, two, 2), RC_OK);
	assert_string_equal(
	    buf_text(&out), "{\"messages\":[" WAITING "," WAITING "]}");
	buf_reset(&out);
	history.session = session;
	history.messages[0] = two[0];
	assert_int_equal(
	    view_session_history(&out, &history, 1800000000), RC_OK);
	assert_non_null(strstr(buf_text(&out), ",\"calls\":[]"));
	assert_non_null(strstr(buf_text(&out), ",\"messages\":[" WAITING "]"));
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_notes_that_are_refused),
		cmocka_unit_test(test_message_golden),
		cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests_name("view_message", tests, NULL, NULL);
}
