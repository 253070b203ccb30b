#ifndef EXPORT_H
#define EXPORT_H

/*
 * What is stored about a person, for whoever has a right to know it; or about
 * all who were in a session. A person is named by the hash of the real number
 * (session_person), NULL means everybody. What is erased is not there, and the
 * other's real number is in nothing of it.
 *
 * Each function calls each with one row after another; what it is given is good
 * for the call only. If it returns anything but RC_OK, that ends the list and
 * is returned.
 */

#include "call.h"
#include "crypto.h"
#include "db.h"
#include "message.h"
#include "rc.h"
#include "recording.h"
#include "session.h"

/* Somebody in a session. */
struct export_party {
	char id[ID_SIZE];
	char role[SESSION_ROLE_SIZE];
	char number[PHONE_SIZE]; /* masked */
	char code[SESSION_CODE_SIZE];
	int64_t since;       /* epoch seconds */
	int64_t replaced_at; /* epoch seconds; 0: not */
	int64_t disputed_at; /* epoch seconds; 0: not */
};

/* A masked number that connects somebody, or is held for them. */
struct export_leg {
	char number[PHONE_SIZE];
	char session_id[ID_SIZE];
	int64_t live_until;       /* epoch seconds */
	int64_t held_until;       /* epoch seconds */
	char erasure_id[ID_SIZE]; /* the session was erased; "": not */
};

/* The sessions of a service that a person is or was in, oldest first. */
enum rc export_sessions(struct db *db, const char *service_id,
    const uint8_t *person, enum rc (*each)(void *cookie, const char *id),
    void *cookie);

/* As whom a person was in a session. */
enum rc export_parties(struct db *db, const char *session_id,
    const uint8_t *person,
    enum rc (*each)(void *cookie, const struct export_party *party),
    void *cookie);

/* The calls of a session that a person made, or that rang them. */
enum rc export_calls(struct db *db, const char *session_id,
    const uint8_t *person,
    enum rc (*each)(void *cookie, const struct call_summary *call),
    void *cookie);

/* The texts of a session that a person wrote (own) or got. */
enum rc export_messages(struct db *db, const char *session_id,
    const uint8_t *person,
    enum rc (*each)(void *cookie, const struct message *message, bool own),
    void *cookie);

/* The recordings of a call. */
enum rc export_recordings(struct db *db, const char *call_id,
    enum rc (*each)(void *cookie, const struct recording *recording),
    void *cookie);

/* The legs of a person in sessions of a service, also in those erased. */
enum rc export_legs(struct db *db, const char *service_id,
    const uint8_t *person,
    enum rc (*each)(void *cookie, const struct export_leg *leg), void *cookie);

#endif
