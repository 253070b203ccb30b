#ifndef TWIML_H
#define TWIML_H

/*
 * TwiML: what Twilio is told to do with a call. Written with libxml2's writer
 * and never parsed. Each function appends one whole document to out and
 * returns RC_MEMORY, with out marked as failed, if it cannot.
 */

#include "buf.h"
#include "rc.h"

/* Content type of all these documents. */
#define TWIML_TYPE "text/xml"

/* A call to be connected. All strings borrowed for the call. */
struct twiml_dial {
	const char *to;         /* real number, E.164 */
	const char *caller_id;  /* masked number the callee sees, E.164 */
	int limit_s;            /* most seconds of the call, at least 1 */
	const char *action_url; /* asked what to do when it ends */
	const char *status_url; /* told of the callee's leg */
};

/* Says sentence and hangs up. */
enum rc twiml_say(struct buf *out, const char *sentence);

/*
 * Connects a call. The caller hears ringing and is not answered before the
 * other answers (answerOnBridge, docs:voice/twiml/dial), so it works only as
 * a document's first verb.
 */
enum rc twiml_dial(struct buf *out, const struct twiml_dial *dial);

/* Hangs up. */
enum rc twiml_hangup(struct buf *out);

/* Does nothing: for callbacks that want no instructions. */
enum rc twiml_nothing(struct buf *out);

/* A document that apologises, ready made for when nothing else works. */
extern const char twiml_sorry[];

#endif
