#ifndef MASK_H
#define MASK_H

/*
 * What the service does: one function a deed, called alike by the web
 * programs, the worker and the CLI. It knows no HTTP and no clock; handles,
 * keys and time come in as struct mask.
 *
 * Deeds that change something run inside a transaction of the caller's
 * (db_transact), so that an answer kept under an Idempotency-Key stands or
 * falls with the change. A refusal leaves nothing behind but events about it
 * (and the note of what had expired meanwhile); a failure must be rolled back.
 */

#include <stdbool.h>
#include <stdint.h>

#include "call.h"
#include "crypto.h"
#include "db.h"
#include "event.h"
#include "message.h"
#include "metrics.h"
#include "phone.h"
#include "policy.h"
#include "recording.h"
#include "service.h"
#include "session.h"

/* What every deed works with. */
struct mask {
	struct db *db;
	const struct crypto_keys *keys;
	int64_t now_ms;          /* epoch milliseconds: the time of the deed */
	struct metrics *metrics; /* counted in; NULL: nowhere */
};

/* Someone dialled a masked number. Strings borrowed. */
struct mask_dialled {
	const char *sid;         /* CallSid */
	const char *from;        /* caller as Twilio gives it */
	const char *to;          /* number dialled */
	const char *attestation; /* StirVerstat; "": none */
	const char *code;        /* digits typed; "": none yet */
};

/* What to do with the call. Wiped by the caller: it holds a real number. */
struct mask_route {
	struct policy_decision decision;
	char service_id[ID_SIZE];   /* "": not one of our numbers */
	char session_id[ID_SIZE];   /* "": none */
	char party_id[ID_SIZE];     /* who called; "": not known */
	char peer_id[ID_SIZE];      /* who is rung; "": nobody */
	char to[PHONE_SIZE];        /* number to ring, to connect or forward */
	char caller_id[PHONE_SIZE]; /* masked number it is shown */
	int64_t limit_s;            /* most seconds of the call */
	bool screen;                /* the callee hears something first */
	bool record;                /* both are told, and it is recorded */
	char language[4];           /* of what people hear */
	char announcement[256];     /* said to the caller first; "": nothing */
	bool intents; /* withheld, and the service has intents: see below */
};

/* A report on a call leg. Strings borrowed. */
struct mask_report {
	const char *sid;        /* CallSid of the leg */
	const char *parent_sid; /* of the leg that dialled it; "": none */
	const char *number;     /* masked number on it */
	const char *person;     /* real number on it; "": not known */
	struct call_progress progress;
	const char *call_id; /* of our call it was placed for; NULL: none */
};

/* How long after it was asked for a call may still be placed: nobody wants a
 * phone to ring when the reason is forgotten. */
#define MASK_PLACE_S 120

/* A call on its way to Twilio. Wiped by the caller: it holds real numbers. */
struct mask_placing {
	enum {
		MASK_PLACE,  /* is to be placed */
		MASK_KNOWN,  /* Twilio has it */
		MASK_OVER,   /* was ended before */
		MASK_LATE,   /* was asked for too long ago */
		MASK_REFUSED /* would not be connected any more */
	} state;
	struct call call;
	char phone[PHONE_SIZE];  /* real number of who is rung first */
	struct mask_route route; /* what answering it would lead to now */
};

/* A text came to a masked number. Strings borrowed. */
struct mask_texted {
	const char *sid;  /* MessageSid */
	const char *from; /* sender as Twilio gives it */
	const char *to;   /* number it was sent to */
	struct message_content content;
	const char *types[MESSAGE_MEDIA_MAX]; /* content types of the media */
};

/* A text from the app. Wiped by the caller. */
struct mask_note {
	char to[SESSION_ROLE_SIZE]; /* a role; "" or "both": both parties */
	char body[MESSAGE_BODY_SIZE];
};

/* Where a text that waits goes now. Wiped by the caller: it holds a real
 * number. */
struct mask_errand {
	enum policy_reason reason; /* POLICY_RELAYED, or why it may not go */
	char to[PHONE_SIZE];       /* real number; "": not known any more */
	char from[PHONE_SIZE];     /* masked number that the receiver sees */
};

/* A report on a recording. Strings borrowed. */
struct mask_recording {
	const char *sid;      /* RecordingSid */
	const char *call_sid; /* CallSid of the leg that was dialled first */
	struct recording_progress progress;
};

/*
 * Opens a session between the two people of request and gives them a masked
 * number. Refuses with RC_INVALID (ttl), RC_OWN_NUMBER, RC_COUNTRY,
 * RC_REFERENCE or RC_POOL, the field in *fault.
 */
enum rc mask_open(const struct mask *mask, const char *service_id,
    const struct session_request *request, struct session *session,
    struct fault *fault);

/*
 * Closes a session: from now_ms on it connects nobody, or, if it is to linger,
 * whom closing says for as long as it says. Calls under way may finish, unless
 * they are to be ended. Closing a closed session changes
 * nothing, but that closing without linger ends a lingering. *session is then
 * as it stands. RC_NOT_FOUND; RC_INVALID with the field in *fault.
 */
enum rc mask_close(const struct mask *mask, const char *service_id,
    const char *id, const struct session_closing *closing,
    struct session *session, struct fault *fault);

/*
 * Changes an open session: its end, who may call and text, who its parties
 * are. Who is replaced is cut off at once and held; who stays keeps the
 * masked number, and the new one gets the same if it is free for both, else
 * another. Refuses as mask_open does, and with RC_ENDED a session that is not
 * open. *session is then as it stands.
 */
enum rc mask_change(const struct mask *mask, const char *service_id,
    const char *id, const struct session_change *change,
    struct session *session, struct fault *fault);

/*
 * Announces that the party with this role is about to call and hides its
 * number (intent.h). Refuses with RC_OFF where the service does not want it,
 * RC_NOT_FOUND, RC_ENDED, RC_INVALID. Stores until when it waits.
 */
enum rc mask_announce(const struct mask *mask, const char *service_id,
    const char *id, const char *role, int64_t *expires_at, struct fault *fault);

/*
 * Adds a masked number to a service's pool. Refuses with RC_INVALID (not
 * E.164), RC_COUNTRY (of no country), RC_EXISTS, or RC_OWN_NUMBER if it is
 * the real number of someone in an open session.
 */
enum rc mask_add_number(const struct mask *mask, const char *service_id,
    const char *number, struct fault *fault);

/* Numbers that are named in a request. */
#define MASK_NUMBERS_MAX 100
struct mask_numbers {
	char numbers[MASK_NUMBERS_MAX][PHONE_SIZE]; /* as sent; "": too long */
	int len;
};

/* What became of one of them. */
struct mask_added {
	enum {
		MASK_NUMBER_ADDED,
		MASK_NUMBER_EXISTS, /* it is in the service's pool already */
		MASK_NUMBER_REFUSED /* the fault says why */
	} result;
	struct fault fault;
};

/* Adds several, each by itself. Tells nothing of other services: who has a
 * number, and whether as a masked one. */
enum rc mask_add_numbers(const struct mask *mask, const char *service_id,
    const struct mask_numbers *numbers,
    struct mask_added added[MASK_NUMBERS_MAX]);

/* Numbers that are looked up at a time, and how long one waits for the one
 * before, milliseconds: calls and texts must not wait for them. */
#define MASK_SYNC_MAX 1000
#define MASK_SYNC_PACE_MS 50

/* Which numbers are looked up at Twilio. */
struct mask_sync {
	struct mask_numbers numbers; /* none: all */
	char after[PHONE_SIZE];      /* of all: those behind this one; "" */
	bool apply;                  /* what differs is set */
};

/*
 * Has the worker look numbers of the pool up at Twilio (deliver_number): those
 * named, or the first MASK_SYNC_MAX of all. One that waits for that already
 * goes on waiting. Stores how many there are to do, and in next the last of
 * them if there may be more, else "". RC_INVALID for one that is not the
 * service's; then nothing is done.
 */
enum rc mask_sync_numbers(const struct mask *mask, const char *service_id,
    const struct mask_sync *sync, int64_t *queued, char next[PHONE_SIZE],
    struct fault *fault);

/*
 * Decides what to do with a call by the caller's number. Reads one moment of
 * the database and changes nothing. Failures mean that it cannot be decided:
 * connect nobody.
 */
enum rc mask_route(const struct mask *mask, const struct mask_dialled *dialled,
    struct mask_route *route);

/*
 * The same for a call that nobody makes: what is done under these settings
 * where facts hold, but for those that the settings make. number stands for the
 * masked number, phone for the other party's.
 */
void mask_imagine(const struct service *service,
    const struct policy_facts *facts, const char *number, const char *phone,
    struct mask_route *route);

/*
 * The same for a withheld caller of a service with intents: takes the intent
 * that waits at the number, if one does. Changes the database: only in a
 * write transaction.
 */
enum rc mask_route_intent(const struct mask *mask,
    const struct mask_dialled *dialled, struct mask_route *route);

/*
 * The same for a caller who typed a code. One that means nobody is noted;
 * the decision is then to ask again, while tries are left, or to refuse.
 * Changes the database: only in a write transaction.
 */
enum rc mask_route_code(const struct mask *mask,
    const struct mask_dialled *dialled, struct mask_route *route);

/*
 * The same for a call that the app has placed to the party called party_id at
 * `phone`. sid is its CallSid, or its id while it has none, or "" before there
 * is a call. Nobody is asked for a
 * code or put through to the support line: it is connected or refused.
 */
enum rc mask_route_party(const struct mask *mask, const char *party_id,
    const char *phone, const char *sid, struct mask_route *route);

/*
 * Writes down a call and what was decided. The same CallSid again changes
 * nothing, but that a call of which only a question was known is connected.
 */
enum rc mask_record(const struct mask *mask, const struct mask_dialled *dialled,
    const struct mask_route *route);

/* Reads the settings of the service that a masked number belongs to.
 * RC_NOT_FOUND. */
enum rc mask_service(
    const struct mask *mask, const char *number, struct service *service);

/*
 * Someone says at the phone `person`, rung from masked number `number`, that
 * they are not whom the call is for: nobody is connected to that party any
 * more until it is replaced, and the app is told. RC_NOT_FOUND.
 */
enum rc mask_dispute(
    const struct mask *mask, const char *number, const char *person);

/*
 * Writes down a report on a leg. Late, repeated and unordered reports do no
 * harm (call_apply). Returns RC_NONE for a leg on none of our numbers, or
 * dialled for no session we know; it is written down all the same.
 */
enum rc mask_report(const struct mask *mask, const struct mask_report *report);

/* Appends an event about a call; detail may be NULL. */
enum rc mask_tell_call(const struct mask *mask, const struct call *call,
    enum event_type type, const char *call_id, const char *detail);

/*
 * Has the party with this role rung, and then connected to the other: writes
 * the call down and leaves it to the worker. Refuses with RC_NOT_FOUND,
 * RC_INVALID (field "from"), RC_ENDED, or RC_REFUSED where a call by that
 * party would be refused; the reason is then the fault's code.
 */
enum rc mask_place(const struct mask *mask, const char *service_id,
    const char *session_id, const char *role, struct call_summary *call,
    struct fault *fault);

/*
 * Ends a call of the service, or has it not placed at all. One that nobody has
 * answered is over from now on; of others Twilio tells when they are. A call
 * that is over stays as it is. *call is then as it stands. RC_NOT_FOUND.
 */
enum rc mask_hang_up(const struct mask *mask, const char *service_id,
    const char *id, struct call_summary *call);

/* The same for all calls of a session that connect its parties. */
enum rc mask_hang_up_all(const struct mask *mask, const char *session_id);

/* Reads how it stands with the placed call called id. RC_NOT_FOUND. */
enum rc mask_placing(
    const struct mask *mask, const char *id, struct mask_placing *placing);

/* Writes down that a call is not placed: refused if that is its state, else
 * failed. */
enum rc mask_drop(const struct mask *mask, struct mask_placing *placing);

/* Writes down that the placed call called id failed, if it is not over. */
enum rc mask_fail(const struct mask *mask, const char *id);

/*
 * Twilio says that the placed call called id has this CallSid. Reads it into
 * *call; one that was given up meanwhile is ended. Returns RC_NONE if there is
 * no such call, or if it has another CallSid: this one is then ended, as one
 * too many.
 */
enum rc mask_learn(const struct mask *mask, const char *id, const char *sid,
    struct call *call);

/*
 * Who was rung first for the placed call called id has answered, on the leg
 * called sid: decides anew whether they are connected, and to whom. Returns
 * RC_NONE, with nothing but a language in *route, for a call that is over or
 * that we do not know.
 */
enum rc mask_answer(const struct mask *mask, const char *id, const char *sid,
    struct mask_route *route);
/*
 * Takes a text to be relayed, or refuses it, and writes that down; the same
 * MessageSid again changes nothing. Stores in *answer what is answered to its
 * sender, static: "" for nothing, as to all but a party who was refused, and
 * to them once an hour for one reason.
 */
enum rc mask_relay(const struct mask *mask, const struct mask_texted *texted,
    const char **answer);

/*
 * Takes a text of the app to one or both parties of a session that is open or
 * lingers; stores the messages made of it, and how many. RC_NOT_FOUND,
 * RC_ENDED, RC_INVALID with the field in *fault.
 */
enum rc mask_send(const struct mask *mask, const char *service_id,
    const char *id, const struct mask_note *note,
    struct message out[SESSION_PARTIES], int *len, struct fault *fault);

/* A session and what passed through it: the newest of each. */
#define MASK_HISTORY_MAX 100
struct mask_history {
	struct session session;
	struct call_summary calls[MASK_HISTORY_MAX];
	int calls_len;
	struct message messages[MASK_HISTORY_MAX];
	int messages_len;
	struct recording recordings[MASK_HISTORY_MAX];
	int recordings_len;
};

/* Reads the history of a session, all of one moment. RC_NOT_FOUND. */
enum rc mask_history(const struct mask *mask, const char *service_id,
    const char *id, struct mask_history *history);

/* Decides again about a text that waits to be sent: since it was taken the
 * session may be over, or somebody else in the place of a party. */
enum rc mask_errand(const struct mask *mask, const struct message *message,
    struct mask_errand *errand);

/* Writes down that Twilio took a text, as sid, with this status; what was
 * written is then forgotten, unless the service keeps it. */
enum rc mask_sent(const struct mask *mask, struct message *message,
    const char *sid, enum message_status status);

/* The same for one that is never sent: Twilio's error, or 0 and why in a
 * word. */
enum rc mask_unsent(const struct mask *mask, struct message *message,
    int64_t error, const char *why);

/*
 * Writes down a report of Twilio's on the text called id, which went out as
 * sid. Late, repeated and unordered reports do no harm. RC_NONE if no such
 * text went out.
 */
enum rc mask_report_text(const struct mask *mask, const char *id,
    const char *sid, enum message_status status, int64_t error);

/*
 * Writes down a report on a recording and tells the app of its end, once.
 * Returns RC_NONE for a call we do not know; it is written down all the same,
 * so that it is deleted in time.
 */
enum rc mask_recorded(
    const struct mask *mask, const struct mask_recording *report);

/* Has Twilio delete a recording; asking again changes nothing. *recording is
 * then as it stands. RC_NOT_FOUND. */
enum rc mask_delete_recording(const struct mask *mask, const char *service_id,
    const char *id, struct recording *recording);

/*
 * Erases a session: closes it, ends its calls, takes out of the database
 * whatever of it is personal (erasure.h), and has Twilio delete its records of
 * the calls, texts and recordings. The hashes in its legs stay while these are
 * held: they keep its number from connecting somebody else. Stores the id of
 * the receipt; erasing again adds to the same one. RC_NOT_FOUND.
 */
enum rc mask_erase_session(const struct mask *mask, const char *service_id,
    const char *id, char erasure_id[ID_SIZE]);

/*
 * Erases one more session that the person with this real number is or was in,
 * on the receipt erasure_id, begun here if that is "". Call until it returns
 * RC_NONE: each time in a transaction of its own. RC_INVALID.
 */
enum rc mask_erase_person(const struct mask *mask, const char *service_id,
    const char *phone, char erasure_id[ID_SIZE], struct fault *fault);

/* Looks at an erased session again: what has come late is erased, too. *all
 * tells whether that was all; if not, the worker goes on. */
enum rc mask_erase_again(const struct mask *mask, const char *service_id,
    const char *id, const char *erasure_id, bool *all);

/* Twilio has erased a thing, like 'Recordings/RE…': writes it down and tells
 * the app of a recording, once. */
enum rc mask_erased(const struct mask *mask, const char *thing);

/* Writes down that a session expired at expires_at and tells the app, unless
 * it was closed before. */
enum rc mask_expire(const struct mask *mask, const char *service_id,
    const char *id, int64_t expires_at);

/*
 * What the worker does between deliveries, in a write transaction each time:
 * sessions that have expired are closed, those about to are told of, and what
 * is past its time of keeping is forgotten. Does a little and returns RC_OK if
 * there may be more, RC_NONE if there is not.
 */
enum rc mask_tidy(const struct mask *mask);

/* Stores when mask_tidy is to be called next, epoch milliseconds: when the next
 * session expires or is to be told of, in an hour at the latest. */
enum rc mask_tidy_due(const struct mask *mask, int64_t *due_ms);

#endif
