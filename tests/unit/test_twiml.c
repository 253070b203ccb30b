/* TwiML: whole documents, byte for byte, and text that tries to be more. */

#include "test.h"

#include <sys/wait.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "twiml.h"

#define LENGTH(array) (sizeof array / sizeof array[0])
#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

static const struct twiml_dial call = {
	.to = "+12025550147",
	.caller_id = "+12125550199",
	.limit_s = 14400,
	.action_url = "https://mask.example.com/v1/voice-ended#rc=2&rt=4500",
	.status_url = "https://mask.example.com/v1/status-callback",
};

/* Parses what out holds; it must be well-formed. */
static xmlDoc *
parse(const struct buf *out)
{
	xmlDoc *doc;

	doc = xmlReadMemory(out->data, (int)out->len, NULL, NULL,
	    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (doc == NULL)
		fail_msg("not well-formed: %s", buf_text(out));
	return doc;
}

/* The element of this name, which is there once; NULL if it is not. */
static xmlNode *
find(xmlNode *node, const char *name)
{
	xmlNode *child, *found = NULL, *inner;

	if (strcmp((const char *)node->name, name) == 0)
		return node;
	for (child = node->children; child != NULL; child = child->next)
		if ((inner = find(child, name)) != NULL) {
			assert_null(found);
			found = inner;
		}
	return found;
}

static void
check_content(xmlNode *node, const char *text)
{
	xmlChar *content;

	assert_non_null(node);
	content = xmlNodeGetContent(node);
	assert_string_equal((const char *)content, text);
	xmlFree(content);
}

static void
check_attribute(xmlNode *node, const char *name, const char *text)
{
	xmlChar *value;

	assert_non_null(node);
	value = xmlGetProp(node, (const xmlChar *)name);
	assert_non_null(value);
	assert_string_equal((const char *)value, text);
	xmlFree(value);
}

static size_t
count_children(const xmlNode *node)
{
	size_t count = 0;

	for (node = node->children; node != NULL; node = node->next)
		count++;
	return count;
}

static void
test_say(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(
	    twiml_say(&out, "This number is no longer in use.", "en-US"),
	    RC_OK);
	assert_string_equal(buf_text(&out),
	    HEAD "<Response><Say language=\"en-US\">This number is no longer "
		 "in use.</Say>"
		 "<Hangup/></Response>\n");
	buf_free(&out);
}

static void
test_dial(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(twiml_dial(&out, &call), RC_OK);
	assert_string_equal(buf_text(&out), HEAD
	    "<Response><Dial callerId=\"+12125550199\" answerOnBridge=\"true\" "
	    "timeLimit=\"14400\" "
	    "action=\"https://mask.example.com/v1/voice-ended"
	    "#rc=2&amp;rt=4500\" method=\"POST\">"
	    "<Number "
	    "statusCallback=\"https://mask.example.com/v1/status-callback\" "
	    "statusCallbackMethod=\"POST\" "
	    "statusCallbackEvent=\"initiated ringing answered completed\">"
	    "+12025550147</Number></Dial></Response>\n");
	buf_free(&out);
}

static void
test_dial_limits(void **state)
{
	struct twiml_dial dial = call;
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	dial.limit_s = 1;
	assert_int_equal(twiml_dial(&out, &dial), RC_OK);
	assert_non_null(strstr(buf_text(&out), " timeLimit=\"1\" "));
	dial.limit_s = 2147483647;
	assert_int_equal(twiml_dial(&out, &dial), RC_OK);
	assert_non_null(strstr(buf_text(&out), " timeLimit=\"2147483647\" "));
	buf_free(&out);
}

static void
test_hangup_and_nothing(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(twiml_hangup(&out), RC_OK);
	assert_string_equal(
	    buf_text(&out), HEAD "<Response><Hangup/></Response>\n");
	buf_reset(&out);
	assert_int_equal(twiml_nothing(&out), RC_OK);
	assert_string_equal(buf_text(&out), HEAD "<Response/>\n");
	buf_free(&out);
}

static void
test_sorry(void **state)
{
	struct buf out;
	xmlDoc *doc;

	(void)state;
	buf_init(&out, 0);
	buf_puts(&out, twiml_sorry);
	doc = parse(&out);
	assert_non_null(find(xmlDocGetRootElement(doc), "Say"));
	assert_non_null(find(xmlDocGetRootElement(doc), "Hangup"));
	xmlFreeDoc(doc);
	buf_free(&out);
	assert_string_equal(TWIML_TYPE, "text/xml");
}

static void
test_documents_are_appended(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	buf_puts(&out, "before ");
	assert_int_equal(twiml_nothing(&out), RC_OK);
	assert_string_equal(buf_text(&out), "before " HEAD "<Response/>\n");
	buf_free(&out);
}

static const char *const hostile[] = { "&", "<", "\"'", "]]>",
	"</Say><Dial>+12025550147</Dial><Say language=\"en-US\">", "<!-- x",
	"<?xml?>", "<![CDATA[x]]>", "&amp;&lt;&#60;", "&bomb;",
	"\" action=\"//evil", "a\nb\tc", "a\rb", "  blanks  ",
	"zażółć 電話 😀" };

static void
test_hostile_sentence_stays_text(void **state)
{
	struct buf out;
	xmlNode *root;
	xmlDoc *doc;
	size_t i;

	(void)state;
	buf_init(&out, 0);
	for (i = 0; i < LENGTH(hostile); i++) {
		buf_reset(&out);
		assert_int_equal(twiml_say(&out, hostile[i], "en-US"), RC_OK);
		doc = parse(&out);
		root = xmlDocGetRootElement(doc);
		assert_int_equal(count_children(root), 2);
		assert_null(find(root, "Dial"));
		check_content(find(root, "Say"), hostile[i]);
		xmlFreeDoc(doc);
	}
	buf_free(&out);
}

static void
test_hostile_call_stays_one_call(void **state)
{
	struct twiml_dial dial = call;
	xmlNode *root, *node;
	struct buf out;
	xmlDoc *doc;
	size_t i;

	(void)state;
	buf_init(&out, 0);
	for (i = 0; i < LENGTH(hostile); i++) {
		dial.to = dial.caller_id = hostile[i];
		dial.action_url = dial.status_url = hostile[i];
		buf_reset(&out);
		assert_int_equal(twiml_dial(&out, &dial), RC_OK);
		doc = parse(&out);
		root = xmlDocGetRootElement(doc);
		assert_int_equal(count_children(root), 1);
		node = find(root, "Dial");
		check_attribute(node, "callerId", hostile[i]);
		check_attribute(node, "action", hostile[i]);
		check_attribute(node, "answerOnBridge", "true");
		assert_int_equal(count_children(node), 1);
		node = find(root, "Number");
		check_attribute(node, "statusCallback", hostile[i]);
		check_content(node, hostile[i]);
		xmlFreeDoc(doc);
	}
	buf_free(&out);
}

/* What XML cannot hold at all would make a document that nobody reads. */
static void
test_text_that_is_no_xml_is_refused(void **state)
{
	static const char *const texts[] = { "\x01", "a\x1b[b", "\x7f\x08",
		"\xff", "a\xc3", "\xed\xa0\x80", "\xef\xbf\xbe",
		"\xef\xbf\xbf" };
	struct twiml_dial dials[4];
	struct buf out;
	size_t i, j;

	(void)state;
	buf_init(&out, 0);
	for (i = 0; i < LENGTH(texts); i++) {
		buf_reset(&out);
		assert_int_equal(twiml_say(&out, texts[i], "en-US"), RC_MEMORY);
		assert_false(buf_ok(&out));
		assert_int_equal(out.len, 0);
		for (j = 0; j < 4; j++)
			dials[j] = call;
		dials[0].to = dials[1].caller_id = texts[i];
		dials[2].action_url = dials[3].status_url = texts[i];
		for (j = 0; j < 4; j++) {
			buf_reset(&out);
			assert_int_equal(
			    twiml_dial(&out, &dials[j]), RC_MEMORY);
			assert_false(buf_ok(&out));
			assert_int_equal(out.len, 0);
		}
	}
	buf_free(&out);
}

/* Nothing is left of a document that does not fit. */
static void
test_full_buffer_is_refused(void **state)
{
	struct buf out;
	size_t len;

	(void)state;
	len = strlen(HEAD "<Response/>\n");
	buf_init(&out, len);
	assert_int_equal(twiml_nothing(&out), RC_OK);
	buf_free(&out);
	buf_init(&out, len - 1);
	assert_int_equal(twiml_nothing(&out), RC_MEMORY);
	assert_false(buf_ok(&out));
	assert_int_equal(out.len, 0);
	buf_reset(&out);
	assert_int_equal(twiml_say(&out, "x", "en-US"), RC_MEMORY);
	assert_false(buf_ok(&out));
	/* Nor of one that would fit behind another that failed. */
	out.max = 0;
	assert_int_equal(twiml_hangup(&out), RC_MEMORY);
	assert_int_equal(twiml_dial(&out, &call), RC_MEMORY);
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

/* Runs xmllint on text with the grammar at rng; returns its exit status. */
static int
validate(const char *rng, const char *text)
{
	char path[] = "/tmp/callmask-twiml-XXXXXX";
	int fd, status;
	pid_t pid;

	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	pid = fork();
	if (pid == 0) {
		execlp("timeout", "timeout", "20", "xmllint", "--noout",
		    "--relaxng", rng, path, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	unlink(path);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The grammar lies outside of the repository: CALLMASK_TWIML_RNG names it. */
static void
test_documents_follow_the_grammar(void **state)
{
	const char *rng = getenv("CALLMASK_TWIML_RNG");
	const struct twiml_gather gather = { .language = "en-US",
		.announcement = "You are recorded.",
		.sentence = "Press 1.",
		.digits = 1,
		.action_url = "https://mask.example.com/x" };
	struct twiml_dial recorded = call;
	struct buf out;

	(void)state;
	if (rng == NULL)
		rng = "../shared/twilio/twiml.rng";
	if (access(rng, R_OK) != 0)
		skip();
	buf_init(&out, 0);
	assert_int_equal(twiml_say(&out, "Sorry & good-bye.", "en-US"), RC_OK);
	assert_int_equal(validate(rng, buf_text(&out)), 0);
	buf_reset(&out);
	assert_int_equal(twiml_dial(&out, &call), RC_OK);
	assert_int_equal(validate(rng, buf_text(&out)), 0);
	buf_reset(&out);
	recorded.announcement = "You are recorded.";
	recorded.language = "en-US";
	recorded.record_url = "https://mask.example.com/twilio/recording";
	assert_int_equal(twiml_dial(&out, &recorded), RC_OK);
	assert_int_equal(validate(rng, buf_text(&out)), 0);
	buf_reset(&out);
	assert_int_equal(twiml_gather(&out, &gather), RC_OK);
	assert_int_equal(validate(rng, buf_text(&out)), 0);
	buf_reset(&out);
	assert_int_equal(twiml_hangup(&out), RC_OK);
	assert_int_equal(validate(rng, buf_text(&out)), 0);
	buf_reset(&out);
	assert_int_equal(twiml_nothing(&out), RC_OK);
	assert_int_equal(validate(rng, buf_text(&out)), 0);
	assert_int_equal(validate(rng, twiml_sorry), 0);
	/* It would have noticed: 3 says "not valid". */
	assert_int_equal(validate(rng, "<Response><Hangup/><Say "
				       "language=\"en-US\">x</Say></Response>"),
	    3);
	buf_free(&out);
}

static void
test_announce(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(twiml_announce(&out, "Guten Tag.", "de-DE"), RC_OK);
	assert_string_equal(buf_text(&out),
	    HEAD "<Response><Say language=\"de-DE\">Guten Tag.</Say>"
		 "</Response>\n");
	buf_free(&out);
}

static void
test_message(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(twiml_message(&out, "Trip & all: vôtre"), RC_OK);
	assert_string_equal(buf_text(&out),
	    HEAD "<Response><Message>Trip &amp; all: vôtre</Message>"
		 "</Response>\n");
	buf_reset(&out);
	assert_int_equal(twiml_message(&out, ""), RC_OK);
	assert_string_equal(buf_text(&out), HEAD "<Response/>\n");
	buf_reset(&out);
	assert_int_equal(twiml_message(&out, "\001"), RC_MEMORY);
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

static void
add_line(void *cookie, const char *sentence)
{
	buf_printf(cookie, "%s|", sentence);
}

/* Checks what is said in a document, and empties it. */
static void
check_sentences(struct buf *document, const char *expected)
{
	struct buf said;

	buf_init(&said, 0);
	assert_int_equal(
	    twiml_sentences(buf_text(document), add_line, &said), RC_OK);
	assert_string_equal(buf_text(&said), expected);
	buf_free(&said);
	buf_reset(document);
}

static void
test_sentences(void **state)
{
	const struct twiml_gather question = { .announcement = "A & B",
		.sentence = "<C>?",
		.language = "en-US",
		.digits = 1,
		.action_url = "https://x/",
		.missed = "D" };
	const struct twiml_dial ringing = { .announcement = "Ö",
		.to = "+12025550147",
		.caller_id = "+12025550199",
		.language = "en-US",
		.limit_s = 1,
		.action_url = "https://x/" };
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(twiml_gather(&out, &question), RC_OK);
	check_sentences(&out, "A & B|<C>?|D|");
	assert_int_equal(twiml_dial(&out, &ringing), RC_OK);
	check_sentences(&out, "Ö|");
	assert_int_equal(twiml_message(&out, "E"), RC_OK);
	check_sentences(&out, "E|");
	assert_int_equal(twiml_nothing(&out), RC_OK);
	check_sentences(&out, "");
	buf_puts(&out, twiml_sorry);
	check_sentences(&out, "Sorry, calls cannot be connected right now. "
			      "Please try again in a few minutes.|");
	assert_int_equal(twiml_sentences("", add_line, &out), RC_SYNTAX);
	assert_int_equal(twiml_sentences("<Say>", add_line, &out), RC_SYNTAX);
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

static void
test_gather(void **state)
{
	struct twiml_gather gather = { .sentence = "Code & key?",
		.language = "en-US",
		.digits = 6,
		.action_url = "https://mask.example.com/twilio/voice/code" };
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(twiml_gather(&out, &gather), RC_OK);
	assert_string_equal(buf_text(&out),
	    HEAD "<Response><Gather numDigits=\"6\" timeout=\"10\" "
		 "action=\"https://mask.example.com/twilio/voice/code\" "
		 "method=\"POST\"><Say language=\"en-US\">Code &amp; key?"
		 "</Say></Gather><Hangup/></Response>\n");
	buf_reset(&out);
	gather.missed = "Nothing.";
	assert_int_equal(twiml_gather(&out, &gather), RC_OK);
	assert_non_null(strstr(buf_text(&out),
	    "</Gather><Say language=\"en-US\">Nothing.</Say><Hangup/>"));
	buf_reset(&out);
	/* Said before the question, so that no key cuts it short. */
	gather.announcement = "We <record>.";
	assert_int_equal(twiml_gather(&out, &gather), RC_OK);
	assert_non_null(strstr(buf_text(&out),
	    "<Response><Say language=\"en-US\">We &lt;record&gt;.</Say>"
	    "<Gather "));
	buf_reset(&out);
	gather.announcement = "\001";
	assert_int_equal(twiml_gather(&out, &gather), RC_MEMORY);
	buf_reset(&out);
	gather.announcement = NULL;
	gather.missed = "\001";
	assert_int_equal(twiml_gather(&out, &gather), RC_MEMORY);
	buf_reset(&out);
	gather.missed = NULL;
	gather.sentence = "\377";
	assert_int_equal(twiml_gather(&out, &gather), RC_MEMORY);
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

static void
test_dial_with_announcement_and_screening(void **state)
{
	struct twiml_dial dial = call;
	struct buf out;

	(void)state;
	dial.announcement = "One moment, <please>.";
	dial.language = "en-US";
	dial.screen_url = "https://mask.example.com/twilio/voice/screen?a=1&b";
	buf_init(&out, 0);
	assert_int_equal(twiml_dial(&out, &dial), RC_OK);
	assert_string_equal(buf_text(&out), HEAD
	    "<Response><Say language=\"en-US\">One moment, &lt;please&gt;."
	    "</Say><Dial callerId=\"+12125550199\" answerOnBridge=\"true\" "
	    "timeLimit=\"14400\" "
	    "action=\"https://mask.example.com/v1/voice-ended"
	    "#rc=2&amp;rt=4500\" method=\"POST\">"
	    "<Number url=\"https://mask.example.com/twilio/voice/screen?a=1"
	    "&amp;b\" method=\"POST\" "
	    "statusCallback=\"https://mask.example.com/v1/status-callback\" "
	    "statusCallbackMethod=\"POST\" "
	    "statusCallbackEvent=\"initiated ringing answered completed\">"
	    "+12025550147</Number></Dial></Response>\n");
	buf_reset(&out);
	dial.announcement = "\001";
	assert_int_equal(twiml_dial(&out, &dial), RC_MEMORY);
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

static void
test_dial_with_recording(void **state)
{
	struct twiml_dial dial = call;
	struct buf out;

	(void)state;
	dial.status_url = NULL;
	dial.record_url = "https://mask.example.com/twilio/recording#rc=2&x";
	buf_init(&out, 0);
	assert_int_equal(twiml_dial(&out, &dial), RC_OK);
	assert_string_equal(buf_text(&out), HEAD
	    "<Response><Dial callerId=\"+12125550199\" answerOnBridge=\"true\" "
	    "timeLimit=\"14400\" "
	    "action=\"https://mask.example.com/v1/voice-ended"
	    "#rc=2&amp;rt=4500\" method=\"POST\" "
	    "record=\"record-from-answer-dual\" "
	    "recordingStatusCallback=\"https://mask.example.com/twilio/"
	    "recording#rc=2&amp;x\" recordingStatusCallbackMethod=\"POST\" "
	    "recordingStatusCallbackEvent=\"in-progress completed absent\">"
	    "<Number>+12025550147</Number></Dial></Response>\n");
	buf_reset(&out);
	dial.record_url = "\001";
	assert_int_equal(twiml_dial(&out, &dial), RC_MEMORY);
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_say),
		cmocka_unit_test(test_dial),
		cmocka_unit_test(test_dial_limits),
		cmocka_unit_test(test_hangup_and_nothing),
		cmocka_unit_test(test_sorry),
		cmocka_unit_test(test_documents_are_appended),
		cmocka_unit_test(test_hostile_sentence_stays_text),
		cmocka_unit_test(test_hostile_call_stays_one_call),
		cmocka_unit_test(test_text_that_is_no_xml_is_refused),
		cmocka_unit_test(test_full_buffer_is_refused),
		cmocka_unit_test(test_documents_follow_the_grammar),
		cmocka_unit_test(test_announce),
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_gather),
		cmocka_unit_test(test_dial_with_announcement_and_screening),
		cmocka_unit_test(test_dial_with_recording),
	};

	return cmocka_run_group_tests_name("twiml", tests, NULL, NULL);
}
