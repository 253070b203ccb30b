#ifndef CALL_H
#define CALL_H

/*
 * Calls: one row for each Twilio call leg, the one a person dialled, or that
 * was placed to a person for the app (these have no parent), and the one that
 * rang the other person. Twilio reports the
 * progress of each leg apart, late, twice, or out of order; call_apply is the
 * one place that says what such a report changes.
 */

#include <stdbool.h>
#include <stdint.h>

#include "db.h"
#include "id.h"
#include "phone.h"
#include "rc.h"

#define CALL_SID_SIZE 35 /* "CA", 32 hexadecimal digits, NUL */
#define CALL_REASON_SIZE 32

/* Twilio's CallStatus (docs:voice/twiml, "CallStatus values"). */
enum call_status {
	CALL_QUEUED,
	CALL_INITIATED,
	CALL_RINGING,
	CALL_IN_PROGRESS,
	CALL_COMPLETED, /* this and the following are final */
	CALL_BUSY,
	CALL_FAILED,
	CALL_NO_ANSWER,
	CALL_CANCELED,
	CALL__MAX
};

/* One leg of a call. */
struct call {
	char id[ID_SIZE];
	char sid[CALL_SID_SIZE];        /* "": placed, not known yet */
	char parent_sid[CALL_SID_SIZE]; /* "": the leg a person dialled */
	char service_id[ID_SIZE];       /* "": not one of our numbers */
	char session_id[ID_SIZE];       /* "": of no session we know */
	char party_id[ID_SIZE];         /* who is on it; "": not known */
	char number[PHONE_SIZE];        /* masked number; "": none of ours */
	char reason[CALL_REASON_SIZE];  /* why connected or refused; "" */
	enum call_status status;
	int64_t sequence;    /* SequenceNumber of status; -1: none yet */
	int64_t created_at;  /* epoch seconds we first heard of it */
	int64_t ringing_at;  /* epoch seconds; 0: not known */
	int64_t answered_at; /* epoch seconds; 0: not known */
	int64_t ended_at;    /* epoch seconds; 0: not known */
	int64_t duration_s;  /* -1: not known */
	bool told;           /* the app knows that it ended */
	bool placed;         /* the app asked for it: party_id is rung first */
};

/* A report about a leg. */
struct call_progress {
	enum call_status status;
	int64_t sequence;   /* SequenceNumber; -1: sent without */
	int64_t at;         /* epoch seconds; 0: not known */
	int64_t duration_s; /* -1: not known */
};

/* A call as the API shows it: both legs in one. */
struct call_summary {
	char id[ID_SIZE];
	char session_id[ID_SIZE];
	char from[33]; /* role of who dialled or is rung first; "": not known */
	char reason[CALL_REASON_SIZE];
	char status[16];
	int64_t started_at;  /* epoch seconds */
	int64_t ringing_at;  /* epoch seconds; 0: did not */
	int64_t answered_at; /* epoch seconds; 0: was not */
	int64_t ended_at;    /* epoch seconds; 0: has not */
	int64_t duration_s;  /* of the conversation; 0 */
	bool placed;         /* the app asked for it */
};

/* Reads a CallStatus into *status. RC_INVALID for any other word. */
enum rc call_parse_status(enum call_status *status, const char *text);

/* Returns Twilio's word for status; static storage. */
const char *call_status_name(enum call_status status);

/* Returns whether a leg with this status is over. */
bool call_is_final(enum call_status status);

/* Returns whether text has the form of a CallSid. */
bool call_sid_valid(const char *text);

/*
 * Applies a report to a leg and returns whether that moved its status. A
 * final status never changes; others follow SequenceNumber, or the natural
 * order where there is none. A late report still fills in its time, so that
 * the same reports leave the same row in whatever order they come.
 */
bool call_apply(struct call *call, const struct call_progress *progress);

/* Writes a new leg and stores its id there. RC_EXISTS if its sid is known. */
enum rc call_insert(struct db *db, struct call *call, int64_t now_ms);

/* Reads the leg with this CallSid, or with this id, into *call.
 * RC_NOT_FOUND. */
enum rc call_find(struct db *db, struct call *call, const char *sid);
enum rc call_find_id(struct db *db, struct call *call, const char *id);

/* Notes the CallSid of a placed call whose CallSid was not known. It must not
 * be another leg's. RC_NONE if it has one. */
enum rc call_learn(struct db *db, const char *id, const char *sid);

/* Writes what call_apply may have changed, by call->id. */
enum rc call_update(struct db *db, const struct call *call);

/* Writes that a call was connected after all, or was not: session, party,
 * reason and status of call, by call->id. */
enum rc call_connect(struct db *db, const struct call *call);

/* Stores how many calls of a session were connected, and how many calls a
 * party made after `since`. The call called sid, or with that id
 * while it has none, may be asked about again and does not count. */
enum rc call_count_session(
    struct db *db, int64_t *count, const char *session_id, const char *sid);
enum rc call_count_party(struct db *db, int64_t *count, const char *party_id,
    int64_t since, const char *sid);

/* Adds to, and reads, the seconds of talk of a service on a day, counted in
 * days since the epoch. */
enum rc call_add_usage(
    struct db *db, const char *service_id, int64_t day, int64_t seconds);
enum rc call_usage(
    struct db *db, int64_t *seconds, const char *service_id, int64_t day);

/* Marks that the app has been told of the end of the call called id. Returns
 * RC_NONE if that was marked before, or there is no such call. */
enum rc call_tell(struct db *db, const char *id, int64_t now);

/* Reads a call of a session of a service. RC_NOT_FOUND. */
enum rc call_show(struct db *db, struct call_summary *call,
    const char *service_id, const char *id);

/* Stores the ids of up to max calls that connected the parties of a session
 * and are not over, from the one after `after` ("") on, and how many. */
enum rc call_list_running(struct db *db, const char *session_id,
    const char *after, int max, char (*out)[ID_SIZE], int *len);

/* Stores how many calls of a service connected two people, began after `since`
 * and are not over; counts to 10,000. */
enum rc call_count_running(
    struct db *db, int64_t *count, const char *service_id, int64_t since);

/* Calls each with up to limit calls of a session, newest first. */
enum rc call_list(struct db *db, const char *session_id, int limit,
    void (*each)(void *cookie, const struct call_summary *call), void *cookie);

/* Reads the row at hand of a statement that has the columns of call_list in
 * front. */
void call_read_summary(struct db *db, enum sql sql, struct call_summary *call);

#endif
