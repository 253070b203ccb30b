/* Call intents. */

#include "intent.h"

enum rc
intent_put(struct db *db, const char *party_id, const char *number, int64_t now)
{
	enum rc rc;

	rc = db_run(db, SQL_INTENT_PURGE, DB_ARGS(DB_INT(now)));
	if (rc != RC_OK)
		return rc;
	return db_run(db, SQL_INTENT_PUT,
	    DB_ARGS(DB_TEXT(party_id), DB_TEXT(number),
		DB_INT(now + INTENT_LIFE_S)));
}

enum rc
intent_take(
    struct db *db, char party_id[ID_SIZE], const char *number, int64_t now)
{
	enum rc rc;

	rc = db_first(
	    db, SQL_INTENT_TAKE, DB_ARGS(DB_TEXT(number), DB_INT(now)));
	if (rc == RC_OK)
		db_column_copy(db, SQL_INTENT_TAKE, 0, party_id, ID_SIZE);
	db_done(db, SQL_INTENT_TAKE);
	return rc;
}
