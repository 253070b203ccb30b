#ifndef SESSION_H
#define SESSION_H

/*
 * Sessions: one pairing of two parties. A session is open until it is closed
 * or its expiry has come; nothing has to run for that to take effect.
 */

#include <stdbool.h>
#include <stdint.h>

#include "crypto.h"
#include "db.h"
#include "id.h"
#include "phone.h"
#include "rc.h"

#define SESSION_PARTIES 2
#define SESSION_ROLE_SIZE 33       /* bytes of a role with its NUL */
#define SESSION_REFERENCE_SIZE 129 /* bytes of a reference with its NUL */
#define SESSION_CODE_SIZE 5        /* four digits and NUL */
#define SESSION_PAGE_MAX 200       /* most sessions in a page of a list */

/* What an app asks for. Wiped by the caller: it holds real numbers. */
struct session_request {
	char reference[SESSION_REFERENCE_SIZE]; /* "": none */
	int64_t ttl_s;                          /* 0: the service's default */
	char country[3]; /* of the masked number, ISO 3166; "": any */
	struct {
		char role[SESSION_ROLE_SIZE];
		char phone[PHONE_SIZE]; /* real number */
	} parties[SESSION_PARTIES];
};

/* A party as the API shows it: without the real number. */
struct session_party {
	char id[ID_SIZE];
	char role[SESSION_ROLE_SIZE];
	char number[PHONE_SIZE]; /* masked: what it dials and sees */
	char code[SESSION_CODE_SIZE];
};

/* A session as the API shows it. */
struct session {
	char id[ID_SIZE];
	char reference[SESSION_REFERENCE_SIZE]; /* "": none */
	int64_t created_at;                     /* epoch seconds */
	int64_t expires_at;                     /* epoch seconds */
	int64_t closed_at;                      /* epoch seconds; 0: not */
	bool closed_by_expiry;                  /* closed because it expired */
	struct session_party parties[SESSION_PARTIES];
};

enum session_status {
	SESSION_OPEN,
	SESSION_CLOSED,
	SESSION_EXPIRED,
	SESSION__MAX
};

/* Which sessions a list wants. */
struct session_filter {
	char after[ID_SIZE]; /* older than this one; "": from the newest */
	char reference[SESSION_REFERENCE_SIZE]; /* "": any */
	int status; /* enum session_status; SESSION__MAX: any */
	int limit;  /* at most SESSION_PAGE_MAX */
};

/* Returns the state of a session at now. */
enum session_status session_status(const struct session *session, int64_t now);

/* Returns the word for a status; static storage. */
const char *session_status_name(enum session_status status);

/*
 * Checks what can be said of a request without the database. Returns
 * RC_INVALID or RC_SAME_PARTY with the field in *fault.
 */
enum rc session_check(
    const struct session_request *request, struct fault *fault);

/* The keyed hash by which a real number is found. */
void session_person(uint8_t out[CRYPTO_HASH_SIZE],
    const struct crypto_keys *keys, const char *phone);

/*
 * Writes the session and its parties, real numbers sealed. ids, times and
 * masked numbers are those of session; codes are made here.
 */
enum rc session_insert(struct db *db, const struct crypto_keys *keys,
    const char *service_id, struct session *session,
    const struct session_request *request);

/* Unseals the real number of the party called id. RC_CORRUPT. */
enum rc session_unseal(char phone[PHONE_SIZE], const struct crypto_keys *keys,
    const char *party_id, const uint8_t *sealed, size_t len);

/* Reads the session called id into *session. RC_NOT_FOUND. */
enum rc session_find(struct db *db, const char *service_id,
    struct session *session, const char *id);

/*
 * Finds the session of this reference that was not closed, though it may have
 * expired: stores its id and expiry. RC_NOT_FOUND.
 */
enum rc session_find_reference(struct db *db, const char *service_id,
    char id[ID_SIZE], int64_t *expires_at, const char *reference);

/*
 * Closes the session called id at `at`, for good. Returns RC_NONE if it was
 * closed before, or is not there.
 */
enum rc session_close(struct db *db, const char *service_id, const char *id,
    int64_t at, bool expired);

/*
 * Reads the sessions that filter wants, newest first, into out, which has
 * room for filter->limit, and stores their number.
 */
enum rc session_list(struct db *db, const char *service_id,
    const struct session_filter *filter, int64_t now, struct session *out,
    int *len);

#endif
