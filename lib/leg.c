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
		DB_INT(leg->held_until), DB_INT(now)));
	db_done(db, SQL_LEG_CLAIM);
	return rc == RC_NONE ? RC_RETRY : rc;
}

enum rc
leg_end(struct db *db, const char *session_id, int64_t at, int64_t held_until)
{
	return db_run(db, SQL_LEG_END,
	    DB_ARGS(DB_TEXT(session_id), DB_INT(at), DB_INT(held_until)));
}

enum rc
leg_route(struct db *db, struct leg_route *route, const char *number,
    const uint8_t person[CRYPTO_HASH_SIZE])
{
	const enum sql sql = SQL_LEG_ROUTE;
	const void *sealed;
	size_t len;
	enum rc rc;

	rc = db_first(db, sql,
	    DB_ARGS(DB_TEXT(number), DB_BLOB(person, CRYPTO_HASH_SIZE)));
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_NOT_FOUND : rc;
	sealed = db_column_blob(db, sql, 8, &len);
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
		.peer_sealed_len = len,
	};
	if (len != 0)
		memcpy(route->peer_sealed, sealed, len);
	db_column_copy(db, sql, 0, route->session_id, sizeof route->session_id);
	db_column_copy(db, sql, 1, route->party_id, sizeof route->party_id);
	db_column_copy(db, sql, 7, route->peer_id, sizeof route->peer_id);
	db_column_copy(
	    db, sql, 9, route->peer_number, sizeof route->peer_number);
	db_done(db, sql);
	return RC_OK;
}
