/* Sessions: one pairing of two parties. */

#include "session.h"

#include <stdio.h>
#include <string.h>

#include "code.h"

static const char *const names[SESSION__MAX] = {
	[SESSION_OPEN] = "open",
	[SESSION_LINGERING] = "lingering",
	[SESSION_CLOSED] = "closed",
	[SESSION_EXPIRED] = "expired",
};

const struct session_party *
session_party(const struct session *session, const char *role)
{
	int i;

	for (i = 0; i < SESSION_PARTIES; i++)
		if (strcmp(session->parties[i].role, role) == 0)
			return &session->parties[i];
	return NULL;
}

enum rc
session_parse_status(int *status, const char *text)
{
	int i;

	for (i = 0; i < SESSION__MAX; i++)
		if (strcmp(text, names[i]) == 0) {
			*status = i;
			return RC_OK;
		}
	return RC_INVALID;
}

enum session_status
session_status(const struct session *session, int64_t now)
{
	if (session->closed_at != 0) {
		if (session->closed_by_expiry)
			return SESSION_EXPIRED;
		return session->linger_until > now ? SESSION_LINGERING
						   : SESSION_CLOSED;
	}
	return session->expires_at > now ? SESSION_OPEN : SESSION_EXPIRED;
}

const char *
session_status_name(enum session_status status)
{
	return names[status];
}

/* Whether role is a lower-case word of letters, digits, - and _. */
static bool
role_valid(const char *role)
{
	/* These are modes, and mean something else than a party. */
	if (strcmp(role, "both") == 0 || strcmp(role, "none") == 0)
		return false;
	return role[0] >= 'a' && role[0] <= 'z' &&
	       role[strspn(role, "abcdefghijklmnopqrstuvwxyz0123456789_-")] ==
		   '\0';
}

enum rc
session_check(const struct session_request *request, struct fault *fault)
{
	char field[32];
	int i;

	for (i = 0; i < SESSION_PARTIES; i++) {
		snprintf(field, sizeof field, "parties[%d].role", i);
		if (!role_valid(request->parties[i].role))
			return rc_fault(fault, RC_INVALID, field,
			    "must be a lower-case word like customer");
		snprintf(field, sizeof field, "parties[%d].phone", i);
		if (!phone_valid(request->parties[i].phone))
			return rc_fault(fault, RC_INVALID, field,
			    "must be E.164: plus, country code, number, 7 to "
			    "15 digits");
	}
	if (strcmp(request->parties[0].role, request->parties[1].role) == 0)
		return rc_fault(fault, RC_INVALID, "parties[1].role",
		    "must differ from the other party's");
	if (strcmp(request->parties[0].phone, request->parties[1].phone) == 0)
		return rc_fault(fault, RC_SAME_PARTY, "parties[1].phone",
		    "must differ from the other party's");
	return RC_OK;
}

enum rc
session_check_mode(const struct session *session, const char *mode,
    const char *field, struct fault *fault)
{
	if (strcmp(mode, "both") == 0 || strcmp(mode, "none") == 0 ||
	    strcmp(mode, session->parties[0].role) == 0 ||
	    strcmp(mode, session->parties[1].role) == 0)
		return RC_OK;
	return rc_fault(fault, RC_INVALID, field,
	    "must be both, none, or the role of one of the parties");
}

/* Returns the position of the party with this role, or -1. */
static int
position_of(const struct session *session, const char *role)
{
	int i;

	for (i = 0; i < SESSION_PARTIES; i++)
		if (strcmp(session->parties[i].role, role) == 0)
			return i;
	return -1;
}

enum rc
session_check_change(const struct session *session,
    const struct session_change *change, struct fault *fault)
{
	char field[32];
	enum rc rc;
	int i;

	if (change->ttl_s != 0 && change->expires_at != 0)
		return rc_fault(fault, RC_INVALID, "expires_at",
		    "cannot be given together with ttl");
	if (change->voice[0] != '\0' &&
	    (rc = session_check_mode(session, change->voice, "voice", fault)) !=
		RC_OK)
		return rc;
	if (change->text[0] != '\0' &&
	    (rc = session_check_mode(session, change->text, "text", fault)) !=
		RC_OK)
		return rc;
	for (i = 0; i < SESSION_PARTIES; i++) {
		if (change->parties[i].role[0] == '\0')
			continue;
		snprintf(field, sizeof field, "parties[%d].role", i);
		if (position_of(session, change->parties[i].role) < 0)
			return rc_fault(fault, RC_INVALID, field,
			    "is the role of none of the parties");
		snprintf(field, sizeof field, "parties[%d].phone", i);
		if (!phone_valid(change->parties[i].phone))
			return rc_fault(fault, RC_INVALID, field,
			    "must be E.164: plus, country code, number, 7 to "
			    "15 digits");
	}
	if (change->parties[1].role[0] != '\0' &&
	    strcmp(change->parties[0].role, change->parties[1].role) == 0)
		return rc_fault(fault, RC_INVALID, "parties[1].role",
		    "must differ from the other one");
	if (change->parties[1].role[0] != '\0' &&
	    strcmp(change->parties[0].phone, change->parties[1].phone) == 0)
		return rc_fault(fault, RC_SAME_PARTY, "parties[1].phone",
		    "must differ from the other party's");
	return RC_OK;
}

void
session_person(uint8_t out[CRYPTO_HASH_SIZE], const struct crypto_keys *keys,
    const char *phone)
{
	crypto_keyed_hash(out, keys, "person", phone, strlen(phone));
}

/* What a sealed number is bound to: the row it stands in. */
static void
seal_context(char out[64], const char *party_id)
{
	snprintf(out, 64, "%s:%s", SESSION_SEALED, party_id);
}

static enum rc
insert_party(struct db *db, const struct crypto_keys *keys,
    const char *session_id, int position, struct session_party *party,
    const char *phone, int64_t now)
{
	char context[64];
	struct buf sealed;
	enum rc rc;

	if ((rc = code_make(db, party->code, party->number, now)) != RC_OK)
		return rc;
	buf_init(&sealed, 0);
	seal_context(context, party->id);
	session_person(party->person, keys, phone);
	if ((rc = crypto_seal(&sealed, keys, context, phone)) == RC_OK)
		rc = db_run(db, SQL_PARTY_INSERT,
		    DB_ARGS(DB_TEXT(party->id), DB_TEXT(session_id),
			DB_INT(position), DB_TEXT(party->role),
			DB_BLOB(party->person, CRYPTO_HASH_SIZE),
			DB_BLOB(sealed.data, sealed.len),
			DB_TEXT(party->number), DB_TEXT(party->code)));
	buf_free(&sealed);
	return rc;
}

enum rc
session_insert(struct db *db, const struct crypto_keys *keys,
    const char *service_id, struct session *session,
    const struct session_request *request)
{
	enum rc rc;
	int i;

	rc = db_run(db, SQL_SESSION_INSERT,
	    DB_ARGS(DB_TEXT(session->id), DB_TEXT(service_id),
		DB_TEXT(
		    session->reference[0] != '\0' ? session->reference : NULL),
		DB_INT(session->created_at), DB_INT(session->expires_at),
		DB_TEXT(session->voice), DB_TEXT(session->text)));
	for (i = 0; i < SESSION_PARTIES && rc == RC_OK; i++)
		rc =
		    insert_party(db, keys, session->id, i, &session->parties[i],
			request->parties[i].phone, session->created_at);
	return rc;
}

enum rc
session_replace(struct db *db, const struct crypto_keys *keys,
    const struct session *session, int position, struct session_party *party,
    const char *phone, int64_t now)
{
	enum rc rc;

	rc = db_run(db, SQL_PARTY_REPLACE,
	    DB_ARGS(DB_TEXT(session->parties[position].id), DB_INT(now)));
	if (rc != RC_OK)
		return rc;
	return insert_party(db, keys, session->id, position, party, phone, now);
}

enum rc
session_update(struct db *db, const char *service_id,
    const struct session *session, int64_t now)
{
	enum rc rc;

	rc = db_first(db, SQL_SESSION_UPDATE,
	    DB_ARGS(DB_TEXT(service_id), DB_TEXT(session->id),
		DB_INT(session->expires_at), DB_TEXT(session->voice),
		DB_TEXT(session->text), DB_INT(now)));
	db_done(db, SQL_SESSION_UPDATE);
	return rc == RC_NONE ? RC_NOT_FOUND : rc;
}

enum rc
session_linger(
    struct db *db, const char *service_id, const struct session *session)
{
	const struct db_arg null = DB_NULL;
	struct db_arg until = DB_INT(session->linger_until);

	return db_run(db, SQL_SESSION_LINGER,
	    DB_ARGS(DB_TEXT(service_id), DB_TEXT(session->id),
		session->linger_until != 0 ? until : null,
		DB_TEXT(session->voice)));
}

enum rc
session_dispute(struct db *db, const char *party_id, int64_t now)
{
	enum rc rc;

	rc = db_first(
	    db, SQL_PARTY_DISPUTE, DB_ARGS(DB_TEXT(party_id), DB_INT(now)));
	db_done(db, SQL_PARTY_DISPUTE);
	return rc;
}

enum rc
session_unseal(char phone[PHONE_SIZE], const struct crypto_keys *keys,
    const char *party_id, const uint8_t *sealed, size_t len)
{
	char context[64];

	seal_context(context, party_id);
	return crypto_unseal(phone, PHONE_SIZE, keys, context, sealed, len);
}

enum rc
session_phone(struct db *db, const struct crypto_keys *keys,
    const char *party_id, char phone[PHONE_SIZE])
{
	const enum sql sql = SQL_PARTY_PHONE;
	const void *sealed;
	size_t len;
	enum rc rc;

	if ((rc = db_first(db, sql, DB_ARGS(DB_TEXT(party_id)))) != RC_OK)
		return rc == RC_NONE ? RC_NOT_FOUND : rc;
	sealed = db_column_blob(db, sql, 0, &len);
	rc = len != 0 ? session_unseal(phone, keys, party_id, sealed, len)
		      : RC_NOT_FOUND;
	db_done(db, sql);
	return rc;
}

/* Reads the columns that find and list share. */
static void
read_row(struct db *db, enum sql sql, struct session *session)
{
	*session = (struct session){
		.created_at = db_column_int(db, sql, 2),
		.expires_at = db_column_int(db, sql, 3),
		.closed_at = db_column_int(db, sql, 4),
		.closed_by_expiry =
		    strcmp(db_column_text(db, sql, 5), "expired") == 0,
	};
	db_column_copy(db, sql, 0, session->id, sizeof session->id);
	db_column_copy(
	    db, sql, 1, session->reference, sizeof session->reference);
	session->linger_until = db_column_int(db, sql, 6);
	db_column_copy(db, sql, 7, session->voice, sizeof session->voice);
	db_column_copy(db, sql, 8, session->text, sizeof session->text);
}

static enum rc
read_parties(struct db *db, struct session *session)
{
	const enum sql sql = SQL_PARTY_LIST;
	struct session_party *party = session->parties;
	const void *person;
	size_t len;
	enum rc rc;

	rc = db_first(db, sql, DB_ARGS(DB_TEXT(session->id)));
	for (; rc == RC_OK && party < session->parties + SESSION_PARTIES;
	     rc = db_next(db, sql), party++) {
		db_column_copy(db, sql, 0, party->id, sizeof party->id);
		db_column_copy(db, sql, 1, party->role, sizeof party->role);
		db_column_copy(db, sql, 2, party->number, sizeof party->number);
		db_column_copy(db, sql, 3, party->code, sizeof party->code);
		party->disputed = db_column_int(db, sql, 4) != 0;
		person = db_column_blob(db, sql, 5, &len);
		if (len == sizeof party->person)
			memcpy(party->person, person, len);
	}
	db_done(db, sql);
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
session_find(struct db *db, const char *service_id, struct session *session,
    const char *id)
{
	struct session found;
	enum rc rc;

	rc = db_first(
	    db, SQL_SESSION_FIND, DB_ARGS(DB_TEXT(service_id), DB_TEXT(id)));
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_NOT_FOUND : rc;
	read_row(db, SQL_SESSION_FIND, &found);
	db_done(db, SQL_SESSION_FIND);
	if ((rc = read_parties(db, &found)) == RC_OK)
		*session = found;
	return rc;
}

enum rc
session_find_reference(struct db *db, const char *service_id, char id[ID_SIZE],
    int64_t *expires_at, const char *reference)
{
	const enum sql sql = SQL_SESSION_FIND_REFERENCE;
	enum rc rc;

	rc =
	    db_first(db, sql, DB_ARGS(DB_TEXT(service_id), DB_TEXT(reference)));
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_NOT_FOUND : rc;
	db_column_copy(db, sql, 0, id, ID_SIZE);
	*expires_at = db_column_int(db, sql, 1);
	db_done(db, sql);
	return RC_OK;
}

enum rc
session_close(struct db *db, const char *service_id, const char *id, int64_t at,
    bool expired)
{
	enum rc rc;

	rc = db_first(db, SQL_SESSION_CLOSE,
	    DB_ARGS(DB_TEXT(service_id), DB_TEXT(id), DB_INT(at),
		DB_TEXT(expired ? "expired" : "closed")));
	db_done(db, SQL_SESSION_CLOSE);
	return rc;
}

/* Stores whether a session of some service has expired without being closed
 * yet. Mostly none has: the worker closes them. */
static enum rc
find_unclosed(struct db *db, int64_t now, bool *found)
{
	const enum sql sql = SQL_TIDY_NEXT_EXPIRY;
	enum rc rc;

	rc = db_first(db, sql, NULL);
	*found = rc == RC_OK && db_column_int(db, sql, 0) <= now;
	db_done(db, sql);
	return rc == RC_NONE ? RC_OK : rc;
}

/* Begins a list by state. */
static enum rc
begin_state(struct db *db, const char *service_id,
    const struct session_filter *filter, const char *below, int64_t now)
{
	const char *closed = "closed";
	bool unclosed = false;
	enum rc rc;

	if (filter->status == SESSION_OPEN) {
		closed = "";
		unclosed = true;
	} else if (filter->status == SESSION_EXPIRED) {
		closed = "expired";
		if ((rc = find_unclosed(db, now, &unclosed)) != RC_OK)
			return rc;
	}
	return db_first(db, SQL_SESSION_LIST_STATE,
	    DB_ARGS(DB_TEXT(service_id), DB_TEXT(below), DB_TEXT(closed),
		DB_INT(unclosed), DB_INT(SESSION_SCAN_MAX)));
}

/* Begins the list that filter asks for; *sql is then what runs. */
static enum rc
begin_list(struct db *db, const char *service_id,
    const struct session_filter *filter, int64_t now, enum sql *sql)
{
	/* Behind all ids, in whatever order a database sorts. */
	const char *below = filter->after[0] != '\0' ? filter->after : "sez";
	struct db_arg value = DB_NULL;

	if (filter->of_person) {
		*sql = SQL_SESSION_LIST_PERSON;
		value =
		    (struct db_arg)DB_BLOB(filter->person, CRYPTO_HASH_SIZE);
	} else if (filter->number[0] != '\0') {
		*sql = SQL_SESSION_LIST_NUMBER;
		value = (struct db_arg)DB_TEXT(filter->number);
	} else if (filter->reference[0] != '\0') {
		*sql = SQL_SESSION_LIST_REFERENCE;
		value = (struct db_arg)DB_TEXT(filter->reference);
	} else if (filter->status != SESSION__MAX) {
		*sql = SQL_SESSION_LIST_STATE;
		return begin_state(db, service_id, filter, below, now);
	} else {
		*sql = SQL_SESSION_LIST;
		return db_first(db, *sql,
		    DB_ARGS(DB_TEXT(service_id), DB_TEXT(below),
			DB_INT(SESSION_SCAN_MAX)));
	}
	return db_first(db, *sql,
	    DB_ARGS(DB_TEXT(service_id), DB_TEXT(below), value,
		DB_INT(SESSION_SCAN_MAX)));
}

/* Reads the sessions of a list into out, until it is full. */
static enum rc
read_list(struct db *db, const char *service_id,
    const struct session_filter *filter, int64_t now, struct session *out,
    int *len, char next[ID_SIZE])
{
	struct session row = { .id = "" };
	char last[ID_SIZE] = "";
	int scanned = 0, count = 0;
	enum sql sql;
	enum rc rc;

	next[0] = '\0';
	rc = begin_list(db, service_id, filter, now, &sql);
	for (; rc == RC_OK && count < filter->limit; rc = db_next(db, sql)) {
		scanned++;
		read_row(db, sql, &row);
		/* Both parties may be what is looked for. */
		if (strcmp(row.id, last) != 0 &&
		    (filter->status == SESSION__MAX ||
			(int)session_status(&row, now) == filter->status))
			out[count++] = row;
		strcpy(last, row.id);
	}
	db_done(db, sql);
	if (rc != RC_OK && rc != RC_NONE)
		return rc;
	if (count == filter->limit || scanned == SESSION_SCAN_MAX)
		strcpy(next, last);
	*len = count;
	return RC_OK;
}

enum rc
session_list(struct db *db, const char *service_id,
    const struct session_filter *filter, int64_t now, struct session *out,
    int *len, char next[ID_SIZE])
{
	char behind[ID_SIZE];
	int i, count = 0;
	enum rc rc;

	rc = read_list(db, service_id, filter, now, out, &count, behind);
	for (i = 0; i < count && rc == RC_OK; i++)
		rc = read_parties(db, &out[i]);
	if (rc != RC_OK)
		return rc;
	*len = count;
	strcpy(next, behind);
	return RC_OK;
}

enum rc
session_count_open(
    struct db *db, const char *service_id, int64_t now, int64_t *count)
{
	const enum sql sql = SQL_SESSION_COUNT_OPEN;
	enum rc rc;

	rc = db_first(db, sql, DB_ARGS(DB_TEXT(service_id), DB_INT(now)));
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_CORRUPT : rc;
	*count = db_column_int(db, sql, 0);
	db_done(db, sql);
	return RC_OK;
}
