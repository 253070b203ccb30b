#ifndef SESSION_H
/* A real number is sealed for this place, with the party's id. */
#define SESSION_SEALED "party.phone_sealed"

#define SESSION_H

/*
 * Sessions: one pairing of two parties. A session is open until it is closed
 * or its expiry has come; nothing has to run for that to take effect.
 */

#include <stdbool.h>
#include <stdint.h>

#include "code.h"
#include "crypto.h"
#include "db.h"
#include "id.h"
#include "phone.h"
#include "rc.h"

#define SESSION_PARTIES 2
#define SESSION_ROLE_SIZE 33       /* bytes of a role with its NUL */
#define SESSION_REFERENCE_SIZE 129 /* bytes of a reference with its NUL */
#define SESSION_CODE_SIZE CODE_SIZE
#define SESSION_PAGE_MAX 200 /* most sessions in a page of a list */

/* What an app asks for. Wiped by the caller: it holds real numbers. */
struct session_request {
	char reference[SESSION_REFERENCE_SIZE]; /* "": none */
	int64_t ttl_s;                          /* 0: the service's default */
	char country[3];         /* of the masked number, ISO 3166; "": any */
	char number[PHONE_SIZE]; /* this masked number; "": any */
	char voice[SESSION_ROLE_SIZE]; /* who may call: both, none, a role */
	char text[SESSION_ROLE_SIZE];  /* who may text, the same */
	struct {
		char role[SESSION_ROLE_SIZE];
		char phone[PHONE_SIZE]; /* real number */
	} parties[SESSION_PARTIES];
};

/* What an app wants changed; what is "" or 0 stays. Wiped by the caller. */
struct session_change {
	int64_t ttl_s;      /* ends so many seconds from now */
	int64_t expires_at; /* ends then, epoch seconds */
	char voice[SESSION_ROLE_SIZE];
	char text[SESSION_ROLE_SIZE];
	struct {
		char role[SESSION_ROLE_SIZE]; /* who is replaced */
		char phone[PHONE_SIZE];       /* by whom: a real number */
	} parties[SESSION_PARTIES];
};

/* How an app wants a session closed. */
struct session_closing {
	int64_t linger_s; /* goes on connecting for so long; 0: not */
	char voice[SESSION_ROLE_SIZE]; /* who may call then; "": as before */
	bool end_calls;                /* calls under way are ended */
};

/* A party as the API shows it: without the real number. */
struct session_party {
	char id[ID_SIZE];
	char role[SESSION_ROLE_SIZE];
	char number[PHONE_SIZE]; /* masked: what it dials and sees */
	char code[SESSION_CODE_SIZE];
	bool disputed; /* somebody at that phone says to be another */
	uint8_t person[CRYPTO_HASH_SIZE]; /* not shown: hash of the number */
};

/* A session as the API shows it. */
struct session {
	char id[ID_SIZE];
	char reference[SESSION_REFERENCE_SIZE]; /* "": none */
	int64_t created_at;                     /* epoch seconds */
	int64_t expires_at;                     /* epoch seconds */
	int64_t closed_at;                      /* epoch seconds; 0: not */
	bool closed_by_expiry;                  /* closed because it expired */
	int64_t linger_until;          /* closed, connects until; 0: does not */
	char voice[SESSION_ROLE_SIZE]; /* who may call: both, none, a role */
	char text[SESSION_ROLE_SIZE];  /* who may text, the same */
	struct session_party parties[SESSION_PARTIES];
};

enum session_status {
	SESSION_OPEN,
	SESSION_LINGERING, /* closed, but still connecting for a while */
	SESSION_CLOSED,
	SESSION_EXPIRED,
	SESSION__MAX
};

/* Which sessions a list wants. */
struct session_filter {
	char after[ID_SIZE]; /* older than this one; "": from the newest */
	char reference[SESSION_REFERENCE_SIZE]; /* "": any */
	int status;              /* enum session_status; SESSION__MAX: any */
	int limit;               /* at most SESSION_PAGE_MAX */
	char number[PHONE_SIZE]; /* masked number of a party, also of one that
				    was replaced; "": any */
	bool of_person;          /* of this person only: a party, also one that
				    was replaced */
	uint8_t person[CRYPTO_HASH_SIZE];
};

/* Most sessions that are looked at for a page. */
#define SESSION_SCAN_MAX 10000

/* Returns the party with this role, NULL if there is none. */
const struct session_party *session_party(
    const struct session *session, const char *role);

/* Reads a state by its word. RC_INVALID. */
enum rc session_parse_status(int *status, const char *text);

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

/*
 * Checks what can be said of a change, for the session it is for. Returns
 * RC_INVALID or RC_SAME_PARTY with the field in *fault.
 */
enum rc session_check_change(const struct session *session,
    const struct session_change *change, struct fault *fault);

/* Checks that mode is both, none or the role of one of the parties; field
 * names it in *fault. RC_INVALID. */
enum rc session_check_mode(const struct session *session, const char *mode,
    const char *field, struct fault *fault);

/* The keyed hash by which a real number is found. */
void session_person(uint8_t out[CRYPTO_HASH_SIZE],
    const struct crypto_keys *keys, const char *phone);

/*
 * Writes the session and its parties, real numbers sealed. ids, times and
 * masked numbers and modes are those of session; codes are made here.
 */
enum rc session_insert(struct db *db, const struct crypto_keys *keys,
    const char *service_id, struct session *session,
    const struct session_request *request);

/*
 * Puts another person in the place of a party: party, with its new id, role
 * and masked number, is the new one; its code is made here.
 */
enum rc session_replace(struct db *db, const struct crypto_keys *keys,
    const struct session *session, int position, struct session_party *party,
    const char *phone, int64_t now);

/* Writes the expiry and modes of an open session. RC_NOT_FOUND. */
enum rc session_update(struct db *db, const char *service_id,
    const struct session *session, int64_t now);

/* Writes until when a closed session goes on and who may call. */
enum rc session_linger(
    struct db *db, const char *service_id, const struct session *session);

/* Marks a party as disputed. RC_NONE if it was. */
enum rc session_dispute(struct db *db, const char *party_id, int64_t now);

/* Unseals the real number of the party called id. RC_CORRUPT. */
enum rc session_unseal(char phone[PHONE_SIZE], const struct crypto_keys *keys,
    const char *party_id, const uint8_t *sealed, size_t len);

/* Reads and unseals the real number of the party called id, which the caller
 * wipes. RC_NOT_FOUND, also if it was erased; RC_CORRUPT. */
enum rc session_phone(struct db *db, const struct crypto_keys *keys,
    const char *party_id, char phone[PHONE_SIZE]);

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
 * room for filter->limit, and stores their number. At most one of reference,
 * number and person may be given. next is what the page behind this one comes
 * after, "" if there is none.
 *
 * However many sessions there are, no more than SESSION_SCAN_MAX are looked
 * at: where hardly any has the wanted state, a page comes back short, or
 * empty, and with a next.
 */
enum rc session_list(struct db *db, const char *service_id,
    const struct session_filter *filter, int64_t now, struct session *out,
    int *len, char next[ID_SIZE]);

/* Stores how many sessions of a service are open; counts to 100,000. */
enum rc session_count_open(
    struct db *db, const char *service_id, int64_t now, int64_t *count);

#endif
