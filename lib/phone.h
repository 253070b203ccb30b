#ifndef PHONE_H
#define PHONE_H

/*
 * Phone numbers: what one looks like, which country it is of, and how to
 * print one without giving it away.
 *
 * Inside callmask a number is text in the form of ITU-T E.164, from the plus
 * to the last digit, "+12025550147", and never anything else: whoever takes
 * one from outside passes it through phone_valid or phone_caller first.
 * Whether the number is in use, or has as many digits as its country wants,
 * only Twilio knows; nothing here looks at it.
 */

#include <stdbool.h>

/* Bytes of the longest number: plus, 15 digits, NUL. */
#define PHONE_SIZE 17

/* Bytes that phone_redact writes at most: "(not a number)" and its NUL. */
#define PHONE_REDACTED_SIZE 15

/* What Twilio's From says about who is calling. */
enum phone_caller {
	PHONE_CALLER_NUMBER,   /* a number, fit to be looked up */
	PHONE_CALLER_WITHHELD, /* none: the caller or a carrier hid it */
	PHONE_CALLER_OTHER     /* a client, a SIP address, garbage */
};

/*
 * Returns whether text is a number in strict E.164: a plus, a first digit of
 * 1 to 9, 7 to 15 digits in all, and not a byte more. NULL is not. (15 is
 * E.164's limit; 7 have the shortest numbers in use, those of Niue.)
 */
bool phone_valid(const char *text);

/*
 * Writes to out what may be shown of phone, and returns out: the country
 * calling code, an ellipsis (UTF-8) and the last two digits, "+1…47". No
 * number at all, NULL or "", gives "(none)"; any other text "(not a number)",
 * as it could be a number with a slip. This is the only way to print a real
 * number. out may not overlap phone.
 */
const char *phone_redact(const char *phone, char out[PHONE_REDACTED_SIZE]);

/*
 * Returns the country of phone as an ISO 3166-1 alpha-2 code, "US", or "XK"
 * for Kosovo; static, never NULL. Returns "" if phone is not a number or is
 * of no country: satellites, the freephone, personal and premium codes of the
 * whole world or of all of +1, or a code that nobody has. A territory with a
 * code of its own is not its mother country: +1787 is "PR", +441534 "JE".
 * Freephone and premium numbers inside a country's own plan are that
 * country's: this alone is no guard against costly numbers.
 */
const char *phone_country(const char *phone);

/*
 * Returns whether code is one that phone_country can return, in capitals and
 * not "", so that a misspelt list of allowed countries is refused instead of
 * locking everybody out. NULL is not.
 */
bool phone_country_valid(const char *code);

/*
 * Sorts the From of a Twilio webhook. Withheld is NULL, "", one of Twilio's
 * words for it in any case ("anonymous"), or such a word typed on a keypad
 * ("+266696687"), although that has the form of a number: ask phone_caller,
 * not phone_valid, before taking From for a person. The lists are gathered
 * from Twilio's documentation and from code that meets these callers.
 */
enum phone_caller phone_caller(const char *from);

#endif
