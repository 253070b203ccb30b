/* TwiML: the only file that sees libxml2. */

#include "twiml.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/xmlwriter.h>

#include "utf8.h"

#define ELEMENT(text) ((const xmlChar *)(text))

const char twiml_sorry[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<Response><Say>Sorry, calls cannot be connected right now. "
    "Please try again in a few minutes.</Say><Hangup/></Response>\n";

/* Writes the verbs of a document; negative if the writer cannot. */
typedef int (*verbs)(xmlTextWriter *writer, const void *cookie);

/* Appends a document of the verbs that write makes. */
static enum rc
document(struct buf *out, verbs write, const void *cookie)
{
	xmlBuffer *xml = NULL;
	xmlTextWriter *writer = NULL;
	enum rc rc = RC_MEMORY;

	if ((xml = xmlBufferCreate()) == NULL ||
	    (writer = xmlNewTextWriterMemory(xml, 0)) == NULL)
		goto out;
	if (xmlTextWriterStartDocument(writer, NULL, "UTF-8", NULL) < 0 ||
	    xmlTextWriterStartElement(writer, ELEMENT("Response")) < 0 ||
	    write(writer, cookie) < 0 || xmlTextWriterEndDocument(writer) < 0)
		goto out;
	buf_add(out, xmlBufferContent(xml), (size_t)xmlBufferLength(xml));
	rc = RC_OK;
out:
	xmlFreeTextWriter(writer);
	xmlBufferFree(xml);
	if (rc != RC_OK)
		out->failed = true;
	return buf_ok(out) ? rc : RC_MEMORY;
}

/* Whether XML 1.0 can hold text (its section 2.2): the writer does not ask. */
static bool
is_xml(const char *text)
{
	if (!utf8_valid(text) || strstr(text, "\xef\xbf\xbe") != NULL ||
	    strstr(text, "\xef\xbf\xbf") != NULL)
		return false;
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 && *text != '\t' &&
		    *text != '\n' && *text != '\r')
			return false;
	return true;
}

static int
attribute(xmlTextWriter *writer, const char *name, const char *value)
{
	if (!is_xml(value))
		return -1;
	return xmlTextWriterWriteAttribute(
	    writer, ELEMENT(name), ELEMENT(value));
}

static int
hangup(xmlTextWriter *writer, const void *cookie)
{
	(void)cookie;
	return xmlTextWriterWriteElement(writer, ELEMENT("Hangup"), NULL);
}

/* A sentence and its language. */
struct speech {
	const char *sentence;
	const char *language;
};

static int
write_say(xmlTextWriter *writer, const char *sentence, const char *language)
{
	if (!is_xml(sentence) ||
	    xmlTextWriterStartElement(writer, ELEMENT("Say")) < 0 ||
	    attribute(writer, "language", language) < 0 ||
	    xmlTextWriterWriteString(writer, ELEMENT(sentence)) < 0)
		return -1;
	return xmlTextWriterEndElement(writer);
}

static int
announce(xmlTextWriter *writer, const void *cookie)
{
	const struct speech *speech = cookie;

	return write_say(writer, speech->sentence, speech->language);
}

static int
say_and_hang_up(xmlTextWriter *writer, const void *cookie)
{
	if (announce(writer, cookie) < 0)
		return -1;
	return hangup(writer, NULL);
}

static int
nothing(xmlTextWriter *writer, const void *cookie)
{
	(void)writer;
	(void)cookie;
	return 0;
}

static int
message(xmlTextWriter *writer, const void *cookie)
{
	if (*(const char *)cookie == '\0')
		return 0;
	if (!is_xml(cookie))
		return -1;
	return xmlTextWriterWriteElement(
	    writer, ELEMENT("Message"), ELEMENT(cookie));
}

static int
dial(xmlTextWriter *writer, const void *cookie)
{
	const struct twiml_dial *d = cookie;
	char limit[16];

	snprintf(limit, sizeof limit, "%d", d->limit_s);
	if (d->announcement != NULL &&
	    write_say(writer, d->announcement, d->language) < 0)
		return -1;
	if (xmlTextWriterStartElement(writer, ELEMENT("Dial")) < 0 ||
	    attribute(writer, "callerId", d->caller_id) < 0 ||
	    attribute(writer, "answerOnBridge", "true") < 0 ||
	    attribute(writer, "timeLimit", limit) < 0 ||
	    attribute(writer, "action", d->action_url) < 0 ||
	    attribute(writer, "method", "POST") < 0)
		return -1;
	if (d->record_url != NULL &&
	    (attribute(writer, "record", "record-from-answer-dual") < 0 ||
		attribute(writer, "recordingStatusCallback", d->record_url) <
		    0 ||
		attribute(writer, "recordingStatusCallbackMethod", "POST") <
		    0 ||
		attribute(writer, "recordingStatusCallbackEvent",
		    "in-progress completed absent") < 0))
		return -1;
	if (xmlTextWriterStartElement(writer, ELEMENT("Number")) < 0)
		return -1;
	if (d->screen_url != NULL &&
	    (attribute(writer, "url", d->screen_url) < 0 ||
		attribute(writer, "method", "POST") < 0))
		return -1;
	if (d->status_url != NULL &&
	    (attribute(writer, "statusCallback", d->status_url) < 0 ||
		attribute(writer, "statusCallbackMethod", "POST") < 0 ||
		attribute(writer, "statusCallbackEvent",
		    "initiated ringing answered completed") < 0))
		return -1;
	if (!is_xml(d->to))
		return -1;
	return xmlTextWriterWriteString(writer, ELEMENT(d->to));
}

static int
gather(xmlTextWriter *writer, const void *cookie)
{
	const struct twiml_gather *g = cookie;
	char digits[16];

	snprintf(digits, sizeof digits, "%d", g->digits);
	/* Outside of Gather, so that no key cuts it short. */
	if (g->announcement != NULL &&
	    write_say(writer, g->announcement, g->language) < 0)
		return -1;
	if (xmlTextWriterStartElement(writer, ELEMENT("Gather")) < 0 ||
	    attribute(writer, "numDigits", digits) < 0 ||
	    attribute(writer, "timeout", "10") < 0 ||
	    attribute(writer, "action", g->action_url) < 0 ||
	    attribute(writer, "method", "POST") < 0 ||
	    write_say(writer, g->sentence, g->language) < 0 ||
	    xmlTextWriterEndElement(writer) < 0)
		return -1;
	if (g->missed != NULL && write_say(writer, g->missed, g->language) < 0)
		return -1;
	return hangup(writer, NULL);
}

enum rc
twiml_say(struct buf *out, const char *sentence, const char *language)
{
	return document(
	    out, say_and_hang_up, &(struct speech){ sentence, language });
}

enum rc
twiml_announce(struct buf *out, const char *sentence, const char *language)
{
	return document(out, announce, &(struct speech){ sentence, language });
}

enum rc
twiml_dial(struct buf *out, const struct twiml_dial *d)
{
	return document(out, dial, d);
}

enum rc
twiml_gather(struct buf *out, const struct twiml_gather *g)
{
	return document(out, gather, g);
}

enum rc
twiml_message(struct buf *out, const char *sentence)
{
	return document(out, message, sentence);
}

enum rc
twiml_hangup(struct buf *out)
{
	return document(out, hangup, NULL);
}

enum rc
twiml_nothing(struct buf *out)
{
	return document(out, nothing, NULL);
}

/* Tells of the sentences in node and those behind it. */
static enum rc
tell(const xmlNode *node, void (*each)(void *cookie, const char *sentence),
    void *cookie)
{
	enum rc rc = RC_OK;
	xmlChar *text;

	for (; node != NULL && rc == RC_OK; node = node->next) {
		if (xmlStrcmp(node->name, ELEMENT("Say")) != 0 &&
		    xmlStrcmp(node->name, ELEMENT("Message")) != 0) {
			rc = tell(node->children, each, cookie);
			continue;
		}
		if ((text = xmlNodeGetContent(node)) == NULL)
			return RC_MEMORY;
		each(cookie, (const char *)text);
		xmlFree(text);
	}
	return rc;
}

enum rc
twiml_sentences(const char *document,
    void (*each)(void *cookie, const char *sentence), void *cookie)
{
	const int options = XML_PARSE_NONET | XML_PARSE_NOERROR;
	xmlDoc *doc;
	enum rc rc;

	doc =
	    xmlReadMemory(document, (int)strlen(document), NULL, NULL, options);
	if (doc == NULL)
		return RC_SYNTAX;
	rc = tell(xmlDocGetRootElement(doc), each, cookie);
	xmlFreeDoc(doc);
	return rc;
}
