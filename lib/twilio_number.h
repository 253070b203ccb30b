#ifndef TWILIO_NUMBER_H
#define TWILIO_NUMBER_H

/*
 * The numbers of a Twilio account: what one must be set to so that callers
 * reach us, what it is set to, and the requests that list, set, look for, buy
 * and release numbers (docs:phone-numbers/api). Nothing here sends anything.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "phone.h"
#include "rc.h"
#include "twilio_rest.h"

#define TWILIO_NUMBER_VALUE_SIZE 320 /* holds every URL of ours */
#define TWILIO_NUMBER_NEXT_SIZE 512  /* bytes of a further page's path */
#define TWILIO_NUMBER_PAGE 200       /* numbers asked for at once */

/* The settings that decide what a call or text to a number does. */
enum twilio_number_setting {
	/* Ours to set. */
	TWILIO_NUMBER_VOICE_URL,
	TWILIO_NUMBER_VOICE_METHOD,
	TWILIO_NUMBER_STATUS_CALLBACK,
	TWILIO_NUMBER_STATUS_CALLBACK_METHOD,
	TWILIO_NUMBER_SMS_URL,
	TWILIO_NUMBER_SMS_METHOD,
	/* Each makes URLs ineffective while it is there. */
	TWILIO_NUMBER_TRUNK,
	TWILIO_NUMBER_VOICE_APPLICATION,
	TWILIO_NUMBER_SMS_APPLICATION,
	/* The operator's choice. */
	TWILIO_NUMBER_VOICE_FALLBACK,
	TWILIO_NUMBER_SMS_FALLBACK,
	TWILIO_NUMBER__MAX
};

/* A number of the account. */
struct twilio_number {
	char sid[TWILIO_SID_SIZE];
	char number[PHONE_SIZE];
	/* What is set, "" for nothing, cut to fit: then it is none of ours. */
	char is[TWILIO_NUMBER__MAX][TWILIO_NUMBER_VALUE_SIZE];
	bool voice, text; /* able to take calls, texts */
};

/* Something about a number that is not as it should be. */
struct twilio_number_finding {
	enum twilio_number_kind {
		TWILIO_NUMBER_SET,  /* can be set */
		TWILIO_NUMBER_TAKE, /* takes the number away from others */
		TWILIO_NUMBER_LACK, /* cannot be mended by settings */
		TWILIO_NUMBER_NOTE  /* may stay so */
	} kind;
	const char *setting; /* as Twilio names it: voice_url */
	const char *is;      /* "": nothing */
	const char *wanted;  /* "": nothing */
};

/* Stores what every masked number must be set to. */
void twilio_number_wanted(
    struct twilio_number *wanted, const struct conf *conf);

/* Calls each with every finding about a number; strings last as long as the
 * two numbers. */
void twilio_number_compare(const struct twilio_number *is,
    const struct twilio_number *wanted,
    void (*each)(void *cookie, const struct twilio_number_finding *finding),
    void *cookie);

/* Writes what is not as it should be into out of size bytes, in words, as much
 * of it as fits; "": nothing, notes aside. Returns whether that is so. */
bool twilio_number_words(const struct twilio_number *is,
    const struct twilio_number *wanted, char *out, size_t size);

/* Returns the settings that differ and are ours to set, a bit each; 0: none. */
int64_t twilio_number_differs(
    const struct twilio_number *is, const struct twilio_number *wanted);

/* Makes *is a number called sid of which just these settings differ. */
void twilio_number_bend(struct twilio_number *is,
    const struct twilio_number *wanted, const char *sid, int64_t differs);

/* Begins a request for the account's numbers: the first page, or the one
 * whose path is next. */
void twilio_number_list(struct twilio_rest *rest, const struct conf *conf,
    const struct secrets *secrets, const char *next);

/* Begins a request for one number, answered by a page that may hold others as
 * well. */
void twilio_number_find(struct twilio_rest *rest, const struct conf *conf,
    const struct secrets *secrets, const char *number);

/*
 * Reads a page of the account's numbers, or one number by itself: calls each
 * with every number and stores in next the path of the page behind it, "" if
 * it was the last. A page elsewhere than in this account at the configured base
 * is not gone to. Returns RC_SYNTAX if that is not a page, or names such a one.
 */
enum rc twilio_number_read(const struct conf *conf,
    const struct secrets *secrets, const char *body, size_t len,
    void (*each)(void *cookie, const struct twilio_number *number),
    void *cookie, char next[TWILIO_NUMBER_NEXT_SIZE]);

/*
 * Begins a request that sets what differs and is ours to set; with take_over
 * also takes the number from the trunk or application that has it. Returns
 * false, with nothing begun, if there is nothing to set.
 */
bool twilio_number_set(struct twilio_rest *rest, const struct conf *conf,
    const struct secrets *secrets, const struct twilio_number *is,
    const struct twilio_number *wanted, bool take_over);

/* Begins a request that buys a number, set as wanted. */
void twilio_number_buy(struct twilio_rest *rest, const struct conf *conf,
    const struct secrets *secrets, const char *number,
    const struct twilio_number *wanted);

/* Begins a request that gives a number back. */
void twilio_number_release(struct twilio_rest *rest, const struct conf *conf,
    const struct secrets *secrets, const char *sid);

/* What to look for among the numbers to be had. Strings borrowed, "": any. */
struct twilio_number_search {
	const char *country;   /* ISO code; required */
	const char *area_code; /* three digits, North America */
	const char *contains;  /* digits, * for any one */
	bool mobile;           /* mobile numbers rather than local ones */
	int limit;             /* how many, 1 to 1000 */
};

/* A number to be had. */
struct twilio_number_offer {
	char number[PHONE_SIZE];
	char place[80]; /* in words, "" if not known */
	bool voice, sms, mms;
	bool address; /* only for those who have given Twilio an address */
};

/* Begins a request for numbers to be had. */
void twilio_number_search(struct twilio_rest *rest, const struct conf *conf,
    const struct secrets *secrets, const struct twilio_number_search *search);

/* Reads the answer: calls each with every offer. RC_SYNTAX. */
enum rc twilio_number_read_offers(const char *body, size_t len,
    void (*each)(void *cookie, const struct twilio_number_offer *offer),
    void *cookie);

#endif
