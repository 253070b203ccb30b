/* What is stored about a person. */

#include "export.h"

#include <string.h>

/* Runs a statement for one thing, $1, and a person, $2. */
static enum rc
first(struct db *db, enum sql sql, const char *of, const uint8_t *person)
{
	return db_first(db, sql,
	    DB_ARGS(
		DB_TEXT(of), DB_BLOB(person != NULL ? (const void *)person : "",
				 person != NULL ? CRYPTO_HASH_SIZE : 0)));
}

/* Moves on to the next row, if rc lets it. */
static enum rc
next(struct db *db, enum sql sql, enum rc rc)
{
	return rc == RC_OK ? db_next(db, sql) : rc;
}

/* Ends a list. */
static enum rc
done(struct db *db, enum sql sql, enum rc rc)
{
	db_done(db, sql);
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
export_sessions(struct db *db, const char *service_id, const uint8_t *person,
    enum rc (*each)(void *cookie, const char *id), void *cookie)
{
	const enum sql sql = SQL_EXPORT_SESSIONS;
	char id[ID_SIZE];
	enum rc rc;

	rc = first(db, sql, service_id, person);
	while (rc == RC_OK) {
		db_column_copy(db, sql, 0, id, sizeof id);
		rc = next(db, sql, each(cookie, id));
	}
	return done(db, sql, rc);
}

enum rc
export_parties(struct db *db, const char *session_id, const uint8_t *person,
    enum rc (*each)(void *cookie, const struct export_party *party),
    void *cookie)
{
	const enum sql sql = SQL_EXPORT_PARTIES;
	struct export_party party;
	enum rc rc;

	rc = first(db, sql, session_id, person);
	while (rc == RC_OK) {
		party = (struct export_party){
			.since = db_column_int(db, sql, 4),
			.replaced_at = db_column_int(db, sql, 5),
			.disputed_at = db_column_int(db, sql, 6),
		};
		db_column_copy(db, sql, 0, party.id, sizeof party.id);
		db_column_copy(db, sql, 1, party.role, sizeof party.role);
		db_column_copy(db, sql, 2, party.number, sizeof party.number);
		db_column_copy(db, sql, 3, party.code, sizeof party.code);
		rc = next(db, sql, each(cookie, &party));
	}
	return done(db, sql, rc);
}

enum rc
export_calls(struct db *db, const char *session_id, const uint8_t *person,
    enum rc (*each)(void *cookie, const struct call_summary *call),
    void *cookie)
{
	const enum sql sql = SQL_EXPORT_CALLS;
	struct call_summary call;
	enum rc rc;

	rc = first(db, sql, session_id, person);
	while (rc == RC_OK) {
		call_read_summary(db, sql, &call);
		rc = next(db, sql, each(cookie, &call));
	}
	return done(db, sql, rc);
}

enum rc
export_messages(struct db *db, const char *session_id, const uint8_t *person,
    enum rc (*each)(void *cookie, const struct message *message, bool own),
    void *cookie)
{
	const enum sql sql = SQL_EXPORT_MESSAGES;
	struct message message;
	enum rc rc;

	rc = first(db, sql, session_id, person);
	while (rc == RC_OK) {
		message_read_row(db, sql, &message);
		rc = next(db, sql,
		    each(cookie, &message,
			person != NULL && db_column_int(db, sql, 17) != 0));
	}
	return done(db, sql, rc);
}

enum rc
export_recordings(struct db *db, const char *call_id,
    enum rc (*each)(void *cookie, const struct recording *recording),
    void *cookie)
{
	const enum sql sql = SQL_EXPORT_RECORDINGS;
	struct recording recording;
	enum rc rc;

	rc = db_first(db, sql, DB_ARGS(DB_TEXT(call_id)));
	while (rc == RC_OK) {
		rc = recording_read_row(db, sql, &recording);
		if (rc == RC_OK)
			rc = next(db, sql, each(cookie, &recording));
	}
	return done(db, sql, rc);
}

enum rc
export_legs(struct db *db, const char *service_id, const uint8_t *person,
    enum rc (*each)(void *cookie, const struct export_leg *leg), void *cookie)
{
	const enum sql sql = SQL_EXPORT_LEGS;
	struct export_leg leg;
	enum rc rc;

	rc = first(db, sql, service_id, person);
	while (rc == RC_OK) {
		leg = (struct export_leg){
			.live_until = db_column_int(db, sql, 2),
			.held_until = db_column_int(db, sql, 3),
		};
		db_column_copy(db, sql, 0, leg.number, sizeof leg.number);
		db_column_copy(
		    db, sql, 1, leg.session_id, sizeof leg.session_id);
		db_column_copy(
		    db, sql, 4, leg.erasure_id, sizeof leg.erasure_id);
		rc = next(db, sql, each(cookie, &leg));
	}
	return done(db, sql, rc);
}
