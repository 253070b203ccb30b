/* Form, redaction and withheld forms of phone numbers. */

#include "phone.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DIGITS_MIN 7
#define DIGITS_MAX 15

static_assert(PHONE_SIZE == 1 + DIGITS_MAX + 1, "a number fits PHONE_SIZE");
static_assert(PHONE_REDACTED_SIZE == sizeof "(not a number)", "longest text");

/* What Twilio says for a caller ID that it did not get. */
static const char *const withheld_words[] = { "anonymous", "restricted",
	"private", "unknown", "unavailable", "blocked", "withheld" };

/* The same words as somebody's gateway typed them on a keypad: nobody's
 * numbers, and never dialled. */
static const char *const withheld_digits[] = {
	"266696687",   /* ANONYMOUS */
	"7378742833",  /* RESTRICTED */
	"7378742883",  /* RESTRICTED, a misprint that is copied a lot */
	"2562533",     /* BLOCKED */
	"8656696",     /* UNKNOWN */
	"86282452253", /* UNAVAILABLE */
};

/*
 * Second digits that end a country calling code, by the first; all other
 * codes have three digits, but for 1 and 7. ITU gives codes out so that this
 * also holds for those nobody has yet.
 */
static const char *const second_digits[] = {
	[2] = "07",
	[3] = "0123469",
	[4] = "013456789",
	[5] = "12345678",
	[6] = "0123456",
	[8] = "1246",
	[9] = "0123458",
};

/* Returns how many digits the calling code has that digits begin with. */
static int
calling_code_len(const char *digits)
{
	const char *seconds;

	if (digits[0] == '1' || digits[0] == '7')
		return 1;
	seconds = second_digits[digits[0] - '0'];
	return strchr(seconds, digits[1]) != NULL ? 2 : 3;
}

static bool
is_withheld(const char *from)
{
	const char *digits;
	size_t i;

	if (from == NULL || from[0] == '\0')
		return true;
	for (i = 0; i < sizeof withheld_words / sizeof withheld_words[0]; i++)
		if (strcasecmp(from, withheld_words[i]) == 0)
			return true;
	digits = from[0] == '+' ? from + 1 : from;
	for (i = 0; i < sizeof withheld_digits / sizeof withheld_digits[0]; i++)
		if (strcmp(digits, withheld_digits[i]) == 0)
			return true;
	return false;
}

bool
phone_valid(const char *text)
{
	size_t digits;

	if (text == NULL || text[0] != '+' || text[1] == '0')
		return false;
	digits = strspn(text + 1, "0123456789");
	if (digits < DIGITS_MIN || digits > DIGITS_MAX)
		return false;
	return text[1 + digits] == '\0';
}

const char *
phone_redact(const char *phone, char out[PHONE_REDACTED_SIZE])
{
	if (phone == NULL || phone[0] == '\0')
		snprintf(out, PHONE_REDACTED_SIZE, "(none)");
	else if (!phone_valid(phone))
		snprintf(out, PHONE_REDACTED_SIZE, "(not a number)");
	else
		snprintf(out, PHONE_REDACTED_SIZE, "%.*s…%.2s",
		    1 + calling_code_len(phone + 1), phone,
		    phone + strlen(phone) - 2);
	return out;
}

enum phone_caller
phone_caller(const char *from)
{
	/*
	 * First, because the keypad forms are valid E.164: taken for numbers,
	 * all who withhold theirs would be one and the same person, and could
	 * claim each other's sessions. No real number is lost by it; in the
	 * plans of Lesotho, Russia, Uganda and China they are too short.
	 */
	if (is_withheld(from))
		return PHONE_CALLER_WITHHELD;
	if (phone_valid(from))
		return PHONE_CALLER_NUMBER;
	return PHONE_CALLER_OTHER;
}
