#ifndef TWIML_H
#define TWIML_H

/*
 * TwiML: what Twilio is told to do with a call or a text. Written with
 * libxml2's writer, and parsed only to tell what is said in our own. Each
 * function appends one whole document to out and returns RC_MEMORY, with out
 * marked as failed, if it cannot.
 */

#include "buf.h"
#include "rc.h"

/* Content type of all these documents. */
#define TWIML_TYPE "text/xml"

/* A call to be connected. All strings borrowed for the call. */
struct twiml_dial {
	const char *announcement; /* said to the caller first; NULL: nothing */
	const char *language;     /* of the announcement, e.g. en-US */
	const char *to;           /* real number, E.164 */
	const char *caller_id;    /* masked number the callee sees, E.164 */
	int limit_s;              /* most seconds of the call, at least 1 */
	const char *action_url;   /* asked what to do when it ends */
	const char *status_url;   /* told of the callee's leg; NULL: nobody */
	const char *screen_url;   /* asked what the callee hears first; NULL */
	const char *record_url; /* told of the recording; NULL: none is made */
};

/* A question answered by keys. Strings borrowed for the call. */
struct twiml_gather {
	const char *language; /* of the sentences, e.g. en-US */
	const char
	    *announcement;      /* said first, and to the end; NULL: nothing */
	const char *sentence;   /* what is asked */
	int digits;             /* how many keys are waited for */
	const char *action_url; /* told of the keys */
	const char *missed;     /* said if none come; NULL: nothing */
};

/* Says sentence in language, e.g. en-US, and hangs up. */
enum rc twiml_say(struct buf *out, const char *sentence, const char *language);

/* Says sentence and does no more: what a callee hears before being
 * connected. */
enum rc twiml_announce(
    struct buf *out, const char *sentence, const char *language);

/*
 * Connects a call. The caller hears ringing and is not answered before the
 * other answers (answerOnBridge, docs:voice/twiml/dial); an announcement
 * answers the call before that. A recording begins when the other has
 * answered, with a channel for each (record-from-answer-dual).
 */
enum rc twiml_dial(struct buf *out, const struct twiml_dial *dial);

/* Asks a question; hangs up if no answer comes. */
enum rc twiml_gather(struct buf *out, const struct twiml_gather *gather);

/* Sends sentence back to the sender of a text; "": nothing. */
enum rc twiml_message(struct buf *out, const char *sentence);

/* Hangs up. */
enum rc twiml_hangup(struct buf *out);

/* Does nothing: for callbacks that want no instructions. */
enum rc twiml_nothing(struct buf *out);

/* Calls each with every sentence that a document of ours has said or sent, in
 * order. RC_SYNTAX, RC_MEMORY. */
enum rc twiml_sentences(const char *document,
    void (*each)(void *cookie, const char *sentence), void *cookie);

/* A document that apologises, ready made for when nothing else works. */
extern const char twiml_sorry[];

#endif
