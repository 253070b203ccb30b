/* Legs: the claim of one person on one masked number. */

#include "leg.h"

#include <string.h>

enum rc
leg_claim(struct db *db, const struct leg *leg, int64_t now)
{
	enum rc rc;

	rc = db_first(db, SQL_LEG_CLAIM,
	    DB_ARGS(DB_TEXT(leg->number),
		DB_BLOB(leg->person, CRYPTO_HASH_SIZE),
		DB_BLOB(leg->peer, CRYPTO_HASH_SIZE), DB_TEXT(leg->session_id),
		DB_TEXT(leg->party_id), DB_INT(leg->live_until),
		DB_INT(leg->held_until), DB_INT(now),
		DB_INT(leg->reuse_before)));
	db_done(db, SQL_LEG_CLAIM);
	return rc == RC_NONE ? RC_RETRY : rc;
}

enum rc
leg_move(struct db *db, const char *session_id, int64_t live_until,
    int64_t held_until, int64_t now)
{
	return db_run(db, SQL_LEG_MOVE,
	    DB_ARGS(DB_TEXT(session_id), DB_INT(live_until), DB_INT(held_until),
		DB_INT(now)));
}

enum rc
leg_end_party(
    struct db *db, const char *party_id, int64_t at, int64_t held_until)
{
	return db_run(db, SQL_LEG_END_PARTY,
	    DB_ARGS(DB_TEXT(party_id), DB_INT(at), DB_INT(held_until)));
}

enum rc
leg_set_peer(
    struct db *db, const char *party_id, const uint8_t peer[CRYPTO_HASH_SIZE])
{
	return db_run(db, SQL_LEG_PEER,
	    DB_ARGS(DB_TEXT(party_id), DB_BLOB(peer, CRYPTO_HASH_SIZE)));
}

void
leg_state(const struct leg_route *leg, const char *mode, int64_t now,
    struct policy_facts *facts)
{
	if (leg->held_until <= now && leg->live_until <= now)
		return;
	/* Replaced is replaced, whatever the clock says. */
	facts->leg = leg->live_until > now && !leg->replaced ? POLICY_LEG_LIVE
							     : POLICY_LEG_HELD;
	facts->disputed = leg->disputed || leg->peer_disputed;
	facts->may_call =
	    strcmp(mode, "both") == 0 || strcmp(mode, leg->role) == 0;
	if (leg->closed && leg->expired)
		facts->session = POLICY_SESSION_EXPIRED;
	else if (leg->closed)
		facts->session = leg->linger_until > now
				     ? POLICY_SESSION_LINGERING
				     : POLICY_SESSION_CLOSED;
	else
		facts->session = leg->expires_at > now ? POLICY_SESSION_OPEN
						       : POLICY_SESSION_EXPIRED;
}

/* Runs one of the routing statements and reads its row into *route. */
static enum rc
read_route(struct db *db, enum sql sql, struct leg_route *route,
    const struct db_arg *args)
{
	const void *sealed;
	size_t len;
	enum rc rc;

	if ((rc = db_first(db, sql, args)) != RC_OK)
		return rc == RC_NONE ? RC_NOT_FOUND : rc;
	sealed = db_column_blob(db, sql, 12, &len);
	if (len > LEG_SEALED_MAX) {
		db_done(db, sql);
		return RC_CORRUPT;
	}
	*route = (struct leg_route){
		.live_until = db_column_int(db, sql, 2),
		.held_until = db_column_int(db, sql, 3),
		.expires_at = db_column_int(db, sql, 4),
		.closed = db_column_int(db, sql, 5) != 0,
		.expired = strcmp(db_column_text(db, sql, 6), "expired") == 0,
		.linger_until = db_column_int(db, sql, 7),
		.disputed = db_column_int(db, sql, 10) != 0,
		.replaced = db_column_int(db, sql, 16) != 0,
		.peer_sealed_len = len,
		.peer_disputed = db_column_int(db, sql, 14) != 0,
	};
	if (len != 0)
		memcpy(route->peer_sealed, sealed, len);
	db_column_copy(db, sql, 0, route->session_id, sizeof route->session_id);
	db_column_copy(db, sql, 1, route->party_id, sizeof route->party_id);
	db_column_copy(db, sql, 8, route->voice, sizeof route->voice);
	db_column_copy(db, sql, 9, route->role, sizeof route->role);
	db_column_copy(db, sql, 17, route->text, sizeof route->text);
	db_column_copy(db, sql, 11, route->peer_id, sizeof route->peer_id);
	db_column_copy(
	    db, sql, 13, route->peer_number, sizeof route->peer_number);
	db_column_copy(db, sql, 15, route->number, sizeof route->number);
	db_done(db, sql);
	return RC_OK;
}

enum rc
leg_route(struct db *db, struct leg_route *route, const char *number,
    const uint8_t person[CRYPTO_HASH_SIZE])
{
	return read_route(db, SQL_LEG_ROUTE, route,
	    DB_ARGS(DB_TEXT(number), DB_BLOB(person, CRYPTO_HASH_SIZE)));
}

enum rc
leg_route_code(struct db *db, struct leg_route *route, const char *number,
    const char *code, int64_t now)
{
	return read_route(db, SQL_LEG_ROUTE_CODE, route,
	    DB_ARGS(DB_TEXT(number), DB_TEXT(code), DB_INT(now)));
}

enum rc
leg_route_party(struct db *db, struct leg_route *route, const char *party_id)
{
	return read_route(
	    db, SQL_LEG_ROUTE_PARTY, route, DB_ARGS(DB_TEXT(party_id)));
}
