/* TwiML: the only file that sees libxml2. */

#include "twiml.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

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

static int
say(xmlTextWriter *writer, const void *sentence)
{
	if (!is_xml(sentence) ||
	    xmlTextWriterWriteElement(writer, ELEMENT("Say"), sentence) < 0)
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
dial(xmlTextWriter *writer, const void *cookie)
{
	const struct twiml_dial *d = cookie;
	char limit[16];

	snprintf(limit, sizeof limit, "%d", d->limit_s);
	if (xmlTextWriterStartElement(writer, ELEMENT("Dial")) < 0 ||
	    attribute(writer, "callerId", d->caller_id) < 0 ||
	    attribute(writer, "answerOnBridge", "true") < 0 ||
	    attribute(writer, "timeLimit", limit) < 0 ||
	    attribute(writer, "action", d->action_url) < 0 ||
	    attribute(writer, "method", "POST") < 0 ||
	    xmlTextWriterStartElement(writer, ELEMENT("Number")) < 0 ||
	    attribute(writer, "statusCallback", d->status_url) < 0 ||
	    attribute(writer, "statusCallbackMethod", "POST") < 0 ||
	    attribute(writer, "statusCallbackEvent",
		"initiated ringing answered completed") < 0 ||
	    !is_xml(d->to) ||
	    xmlTextWriterWriteString(writer, ELEMENT(d->to)) < 0)
		return -1;
	return 0;
}

enum rc
twiml_say(struct buf *out, const char *sentence)
{
	return document(out, say, sentence);
}

enum rc
twiml_dial(struct buf *out, const struct twiml_dial *d)
{
	return document(out, dial, d);
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
