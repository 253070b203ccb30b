#ifndef SAY_H
#define SAY_H

/*
 * What people hear and, in answer to a text, read, in the languages there are.
 * The sentences are made for Twilio's <Say>, and those of texts for one SMS
 * in its 7 bit alphabet (GSM 03.38); a service names one language for all.
 */

#include <stdbool.h>

#include "policy.h"

enum say_sentence {
	SAY_NUMBER_UNKNOWN,
	SAY_WITHHELD,      /* the caller hides the number */
	SAY_UNKNOWN,       /* the caller is nobody we know */
	SAY_ENDED,         /* the trip is over */
	SAY_DISPUTED,      /* a phone was said to be another person's */
	SAY_VOICE_OFF,     /* this party may not call */
	SAY_TOO_MANY,      /* a limit is reached */
	SAY_NOT_FROM_HERE, /* the callee's country is not allowed */
	SAY_ASK_CODE,
	SAY_NO_CODE,    /* the code means nobody */
	SAY_SCREEN,     /* the callee is to accept */
	SAY_THANKS,     /* for saying "wrong person" */
	SAY_CONNECTING, /* to who was rung first */
	SAY_BUSY,
	SAY_NO_ANSWER,
	SAY_FAILED,
	SAY_TEXT_ENDED, /* answered to a text: the trip is over */
	SAY_TEXT_DISPUTED,
	SAY_TEXT_OFF, /* this party may not text */
	SAY_TEXT_TOO_MANY,
	SAY_TEXT_NOT_FROM_HERE,
	SAY__MAX
};

/* Returns a sentence in language ("en", "de", …), in English if there is no
 * such language. Static storage. */
const char *say(enum say_sentence sentence, const char *language);

/* Returns what a caller hears who is not connected for reason; "" for the
 * reasons of those who are. */
const char *say_reason(enum policy_reason reason, const char *language);

/* Returns what is answered to a text that was not relayed for reason; "" for
 * nothing: if it was, or if its sender is nobody we know. */
const char *say_text(enum policy_reason reason, const char *language);

/* Returns the tag of language for <Say>, e.g. "en-US" (docs:voice/twiml/say),
 * or NULL if there is no such language. */
const char *say_tag(const char *language);

#endif
