#ifndef MESSAGE_H
/* What was written is sealed for this place, with the message's id. */
#define MESSAGE_SEALED "message.body"

#define MESSAGE_H

/*
 * Texts: what a party sent to a masked number, or the app to a party, and
 * what became of it. Twilio reports the states of what went out late, twice,
 * or out of order; message_apply is the one place that says what such a report
 * changes.
 *
 * What was written is kept sealed until it is sent, and longer only if the
 * service wants that.
 */

#include <stdbool.h>
#include <stdint.h>

#include "crypto.h"
#include "db.h"
#include "id.h"
#include "phone.h"
#include "rc.h"

#define MESSAGE_SID_SIZE 35 /* two letters, 32 hexadecimal digits, NUL */
#define MESSAGE_REASON_SIZE 32
#define MESSAGE_ROLE_SIZE 33
#define MESSAGE_CHARS_MAX 1600 /* characters of a text (docs:messaging) */
#define MESSAGE_BODY_SIZE (4 * MESSAGE_CHARS_MAX + 1) /* bytes, with NUL */
#define MESSAGE_MEDIA_MAX 10                          /* of one message */
#define MESSAGE_URL_SIZE 512 /* bytes of a medium's URL, with NUL */

/* What became of a text; those from MESSAGE_QUEUED on are Twilio's words. */
enum message_status {
	MESSAGE_WAITING, /* in our outbox */
	MESSAGE_QUEUED,
	MESSAGE_SENDING,
	MESSAGE_SENT,
	MESSAGE_DELIVERED, /* this and the following are final */
	MESSAGE_UNDELIVERED,
	MESSAGE_FAILED,
	MESSAGE_REFUSED, /* by us: it never went out */
	MESSAGE__MAX
};

/* A text, without what was written. */
struct message {
	char id[ID_SIZE];
	char sid[MESSAGE_SID_SIZE];      /* as it came in; "": from the app */
	char sent_sid[MESSAGE_SID_SIZE]; /* as it went out; "": not yet */
	char service_id[ID_SIZE];        /* "": not one of our numbers */
	char session_id[ID_SIZE];        /* "": of no session we know */
	char from_party[ID_SIZE];        /* "": the app, or not known */
	char to_party[ID_SIZE];          /* "": nobody gets it */
	char from[MESSAGE_ROLE_SIZE];    /* role of from_party */
	char to[MESSAGE_ROLE_SIZE];      /* role of to_party */
	char number[PHONE_SIZE]; /* masked, that it came to; "": none of ours */
	char reason[MESSAGE_REASON_SIZE]; /* why relayed or refused */
	enum message_status status;
	int64_t error;      /* Twilio's ErrorCode; 0: none */
	int64_t media;      /* how many pictures and the like */
	int64_t created_at; /* epoch seconds we got it */
	int64_t sent_at;    /* epoch seconds Twilio took it; 0: not */
	int64_t ended_at;   /* epoch seconds of its final state; 0: none */
};

/* What was written. Strings borrowed. */
struct message_content {
	const char *body;                     /* "": nothing but media */
	const char *media[MESSAGE_MEDIA_MAX]; /* URLs */
	int media_len;
};

/* What was written, as it is read back. Wiped by the caller. */
struct message_text {
	struct message_content content; /* points into text */
	char text[MESSAGE_BODY_SIZE + MESSAGE_MEDIA_MAX * MESSAGE_URL_SIZE];
};

/* Reads a MessageStatus of Twilio's into *status. RC_INVALID for any other
 * word. */
enum rc message_parse_status(enum message_status *status, const char *text);

/* Returns the word for status; static storage. */
const char *message_status_name(enum message_status status);

/* Returns whether a message with this status is done with. */
bool message_is_final(enum message_status status);

/* Returns whether text has the form of a MessageSid: of an SMS or an MMS. */
bool message_sid_valid(const char *text);

/* Returns whether text can be the URL of a medium. */
bool message_url_valid(const char *text);

/*
 * Applies a report of Twilio's that what went out is in this status, at `at`,
 * and returns whether that moved it. States only go forward, a final one never
 * changes. error: ErrorCode, or 0.
 */
bool message_apply(struct message *message, enum message_status status,
    int64_t error, int64_t at);

/*
 * Writes a new message and stores its id there. content NULL: what was written
 * is not kept. RC_EXISTS if its sid is known.
 */
enum rc message_insert(struct db *db, const struct crypto_keys *keys,
    struct message *message, const struct message_content *content,
    int64_t now_ms);

/* Reads the message called id, or the one that came in as sid, into *message.
 * RC_NOT_FOUND. */
enum rc message_find(struct db *db, struct message *message, const char *id);
enum rc message_find_sid(
    struct db *db, struct message *message, const char *sid);

/* Stores in id which message went out as sid. RC_NOT_FOUND. */
enum rc message_find_sent(struct db *db, char id[ID_SIZE], const char *sid);

/* Writes sent_sid, status, error and times. */
enum rc message_update(struct db *db, const struct message *message);

/* Reads what was written. RC_NOT_FOUND if it is not kept any more, RC_CORRUPT.
 */
enum rc message_read(struct db *db, const struct crypto_keys *keys,
    const struct message *message, struct message_text *out);

/* Forgets what was written. */
enum rc message_wipe(struct db *db, const char *id);

/*
 * Forgets what was written before `before` in up to limit messages of a
 * service, but for those not sent yet. Stores how many.
 */
enum rc message_forget(struct db *db, const char *service_id, int64_t before,
    int limit, int64_t *count);

/* Stores how many texts of a party were relayed after `since`. The one that
 * came in as sid, which may be asked about again, does not count. */
enum rc message_count_relayed(struct db *db, int64_t *count,
    const char *party_id, int64_t since, const char *sid);

/* Stores how many texts of the sender of message were refused for the same
 * reason before it, and after `since`. */
enum rc message_count_refused(struct db *db, int64_t *count,
    const struct message *message, int64_t since);

/* Calls each with up to limit messages of a session, newest first. */
enum rc message_list(struct db *db, const char *session_id, int limit,
    void (*each)(void *cookie, const struct message *message), void *cookie);

/* Reads the row at hand of a statement that has the columns of message_list in
 * front. */
void message_read_row(struct db *db, enum sql sql, struct message *message);

#endif
