#ifndef RECORDING_H
#define RECORDING_H

/*
 * Recordings of calls. The sound is Twilio's; we know that there is one, of
 * which call, and what became of it. Twilio reports on a recording twice, late
 * or out of order; recording_apply says what such a report changes.
 */

#include <stdbool.h>
#include <stdint.h>

#include "db.h"
#include "id.h"
#include "rc.h"
#include "twilio_rest.h"

enum recording_status {
	RECORDING_IN_PROGRESS,
	RECORDING_COMPLETED, /* this and the following two: Twilio's last word
			      */
	RECORDING_ABSENT,    /* nothing was said */
	RECORDING_FAILED,
	RECORDING_DELETING, /* Twilio is to delete it */
	RECORDING_DELETED,  /* … and has */
	RECORDING__MAX
};

/* A recording. */
struct recording {
	char id[ID_SIZE];
	char sid[TWILIO_SID_SIZE];
	char call_id[ID_SIZE];    /* "": of no call we know */
	char session_id[ID_SIZE]; /* "": of no session we know */
	char service_id[ID_SIZE]; /* "": not known whose */
	enum recording_status status;
	int64_t duration_s; /* -1: not known */
	int64_t channels;   /* 2: one for each party; -1: not known */
	int64_t created_at; /* epoch seconds we first heard of it */
	int64_t deleted_at; /* epoch seconds; 0: is not */
};

/* A report about a recording. */
struct recording_progress {
	enum recording_status status; /* up to RECORDING_FAILED */
	int64_t duration_s;           /* -1: not told */
	int64_t channels;             /* -1: not told */
};

/* Reads a RecordingStatus, a word of Twilio's. RC_INVALID for all others. */
enum rc recording_parse_status(enum recording_status *status, const char *text);

/* Returns the word for a status; static storage. */
const char *recording_status_name(enum recording_status status);

/* Applies a report and returns whether that moved the status: it does once,
 * from in-progress to Twilio's last word. */
bool recording_apply(
    struct recording *recording, const struct recording_progress *progress);

/* Writes a new recording and stores id and time there. RC_EXISTS. */
enum rc recording_insert(
    struct db *db, struct recording *recording, int64_t now_ms);

/* Reads the recording that Twilio calls sid. RC_NOT_FOUND. */
enum rc recording_find_sid(
    struct db *db, struct recording *recording, const char *sid);

/* Reads a service's recording called id. RC_NOT_FOUND. */
enum rc recording_find(struct db *db, const char *service_id,
    struct recording *recording, const char *id);

/* Writes what may have changed: all but sid and times. */
enum rc recording_update(struct db *db, const struct recording *recording);

/*
 * Writes that Twilio has deleted the recording it calls sid, and stores whose
 * it was in *recording: id, session, service. RC_NONE if that was known, or
 * there is no such recording.
 */
enum rc recording_deleted(
    struct db *db, struct recording *recording, const char *sid, int64_t now);

/* Reads up to max recordings of a session, newest first, into out, and stores
 * how many in *len. */
enum rc recording_list(struct db *db, const char *session_id,
    struct recording *out, int max, int *len);

/* Reads the row at hand of a statement that has the columns of recording_list
 * in front. RC_CORRUPT. */
enum rc recording_read_row(
    struct db *db, enum sql sql, struct recording *recording);

#endif
