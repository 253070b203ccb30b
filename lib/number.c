/* The masked numbers. */

#include "number.h"

#include <stdio.h>
#include <string.h>

/* A random place among all numbers. */
static int64_t
random_place(void)
{
	uint64_t place;

	crypto_random(&place, sizeof place);
	return (int64_t)(place >> 1);
}

enum rc
number_insert(struct db *db, const char *service_id, const char *number,
    const char *country, int64_t now)
{
	enum rc rc;

	rc = db_first(db, SQL_NUMBER_INSERT,
	    DB_ARGS(DB_TEXT(number), DB_TEXT(service_id), DB_TEXT(country),
		DB_INT(now), DB_INT(random_place())));
	db_done(db, SQL_NUMBER_INSERT);
	return rc == RC_NONE ? RC_EXISTS : rc;
}

enum rc
number_find(struct db *db, struct number *out, const char *number)
{
	const enum sql sql = SQL_NUMBER_FIND;
	enum rc rc;

	rc = db_first(db, sql, DB_ARGS(DB_TEXT(number)));
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_NOT_FOUND : rc;
	*out = (struct number){ .state = "" };
	snprintf(out->number, sizeof out->number, "%s", number);
	db_column_copy(db, sql, 0, out->service_id, sizeof out->service_id);
	db_column_copy(db, sql, 1, out->state, sizeof out->state);
	db_done(db, sql);
	return RC_OK;
}

enum rc
number_list(struct db *db, const char *service_id, int64_t now,
    void (*each)(void *cookie, const struct number *number), void *cookie)
{
	const enum sql sql = SQL_NUMBER_LIST;
	enum rc rc;

	rc = db_first(db, sql, DB_ARGS(DB_TEXT(service_id), DB_INT(now)));
	for (; rc == RC_OK; rc = db_next(db, sql)) {
		struct number number = {
			.last_used_at = db_column_int(db, sql, 3),
			.live = db_column_int(db, sql, 4),
			.held = db_column_int(db, sql, 5),
		};

		db_column_copy(db, sql, 0, number.number, sizeof number.number);
		db_column_copy(
		    db, sql, 1, number.country, sizeof number.country);
		db_column_copy(db, sql, 2, number.state, sizeof number.state);
		each(cookie, &number);
	}
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
number_read(struct db *db, struct number *out, const char *service_id,
    const char *number, int64_t now)
{
	const enum sql sql = SQL_NUMBER_READ;
	struct number_twilio *twilio = &out->twilio;
	enum rc rc;

	rc = db_first(db, sql,
	    DB_ARGS(DB_TEXT(service_id), DB_TEXT(number), DB_INT(now),
		DB_INT(NUMBER_LEGS_MAX)));
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_NOT_FOUND : rc;
	*out = (struct number){ .last_used_at = db_column_int(db, sql, 2),
		.created_at = db_column_int(db, sql, 3),
		.live = db_column_int(db, sql, 4),
		.held = db_column_int(db, sql, 5),
		.twilio.checked_at = db_column_int(db, sql, 8),
		.twilio.differs = db_column_int(db, sql, 10) };
	snprintf(out->number, sizeof out->number, "%s", number);
	snprintf(out->service_id, sizeof out->service_id, "%s", service_id);
	db_column_copy(db, sql, 0, out->country, sizeof out->country);
	db_column_copy(db, sql, 1, out->state, sizeof out->state);
	db_column_copy(db, sql, 6, twilio->state, sizeof twilio->state);
	db_column_copy(db, sql, 7, twilio->detail, sizeof twilio->detail);
	db_column_copy(db, sql, 9, twilio->sid, sizeof twilio->sid);
	db_done(db, sql);
	return RC_OK;
}

enum rc
number_note_twilio(struct db *db, const char *service_id, const char *number,
    const struct number_twilio *found)
{
	return db_run(db, SQL_NUMBER_NOTE_TWILIO,
	    DB_ARGS(DB_TEXT(service_id), DB_TEXT(number), DB_TEXT(found->state),
		DB_TEXT(found->detail), DB_INT(found->checked_at),
		DB_TEXT(found->sid[0] != '\0' ? found->sid : NULL),
		DB_INT(found->differs)));
}

enum rc
number_names(struct db *db, const char *service_id,
    const struct number_filter *filter, char (*out)[PHONE_SIZE], int *len)
{
	const char *country = filter->country;
	enum sql sql = SQL_NUMBER_PAGE;
	char found[3];
	enum rc rc;

	*len = 0;
	if (country[0] == '\0')
		country = phone_country(filter->after);
	if (filter->state[0] == '\0') {
		rc = db_first(db, sql,
		    DB_ARGS(DB_TEXT(service_id), DB_TEXT(country),
			DB_TEXT(filter->after), DB_INT(filter->limit)));
	} else {
		sql = SQL_NUMBER_PAGE_STATE;
		rc = db_first(db, sql,
		    DB_ARGS(DB_TEXT(service_id), DB_TEXT(country),
			DB_TEXT(filter->after), DB_INT(filter->limit),
			DB_TEXT(filter->state)));
	}
	for (; rc == RC_OK; rc = db_next(db, sql)) {
		db_column_copy(db, sql, 1, found, sizeof found);
		/* Sorted by it: behind this one is none of that country. */
		if (filter->country[0] != '\0' &&
		    strcmp(found, filter->country) != 0)
			break;
		db_column_copy(db, sql, 0, out[(*len)++], PHONE_SIZE);
	}
	db_done(db, sql);
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
number_page(struct db *db, const char *service_id,
    const struct number_filter *filter, int64_t now, struct number *out,
    int *len)
{
	char numbers[NUMBER_PAGE_MAX][PHONE_SIZE];
	enum rc rc;
	int i;

	rc = number_names(db, service_id, filter, numbers, len);
	for (i = 0; rc == RC_OK && i < *len; i++)
		rc = number_read(db, &out[i], service_id, numbers[i], now);
	return rc;
}

enum rc
number_party(struct db *db, int64_t *count,
    const uint8_t person[CRYPTO_HASH_SIZE], int64_t now)
{
	enum rc rc;

	rc = db_first(db, SQL_NUMBER_PARTY,
	    DB_ARGS(DB_BLOB(person, CRYPTO_HASH_SIZE), DB_INT(now)));
	if (rc != RC_OK)
		return rc;
	*count = db_column_int(db, SQL_NUMBER_PARTY, 0);
	db_done(db, SQL_NUMBER_PARTY);
	return RC_OK;
}

bool
number_state_valid(const char *text)
{
	static const char *const states[] = { "active", "reserved", "draining",
		"retired" };
	size_t i;

	for (i = 0; i < sizeof states / sizeof states[0]; i++)
		if (strcmp(states[i], text) == 0)
			return true;
	return false;
}

enum rc
number_set_state(struct db *db, const char *service_id, const char *number,
    const char *state)
{
	enum rc rc;

	rc = db_first(db, SQL_NUMBER_SET_STATE,
	    DB_ARGS(DB_TEXT(service_id), DB_TEXT(number), DB_TEXT(state)));
	db_done(db, SQL_NUMBER_SET_STATE);
	return rc == RC_NONE ? RC_NOT_FOUND : rc;
}

enum rc
number_retire(
    struct db *db, const char *service_id, const char *number, int64_t now)
{
	struct number found;
	enum rc rc;

	if ((rc = number_find(db, &found, number)) != RC_OK)
		return rc;
	if (strcmp(found.service_id, service_id) != 0)
		return RC_NOT_FOUND;
	rc = db_first(db, SQL_NUMBER_RETIRE,
	    DB_ARGS(DB_TEXT(service_id), DB_TEXT(number), DB_INT(now)));
	db_done(db, SQL_NUMBER_RETIRE);
	return rc;
}

/* Runs one of the choosing statements. RC_POOL if it chooses none. */
static enum rc
pick(struct db *db, enum sql sql, char out[PHONE_SIZE],
    const struct db_arg *args)
{
	enum rc rc;

	if ((rc = db_first(db, sql, args)) == RC_OK)
		db_column_copy(db, sql, 0, out, PHONE_SIZE);
	db_done(db, sql);
	return rc == RC_NONE ? RC_POOL : rc;
}

/* Finds the first number that is free for a and b among those longest
 * unused. */
static enum rc
pick_oldest(struct db *db, char out[PHONE_SIZE], const struct number_wish *wish,
    const uint8_t *a, const uint8_t *b)
{
	enum sql sql = SQL_NUMBER_OLDEST;
	enum rc rc;

	if (wish->country[0] == '\0') {
		rc = db_first(db, sql,
		    DB_ARGS(DB_TEXT(wish->service_id),
			DB_BLOB(a, CRYPTO_HASH_SIZE),
			DB_BLOB(b, CRYPTO_HASH_SIZE), DB_INT(wish->now)));
	} else {
		sql = SQL_NUMBER_OLDEST_COUNTRY;
		rc = db_first(db, sql,
		    DB_ARGS(DB_TEXT(wish->service_id),
			DB_BLOB(a, CRYPTO_HASH_SIZE),
			DB_BLOB(b, CRYPTO_HASH_SIZE), DB_INT(wish->now),
			DB_TEXT(wish->country)));
	}
	while (rc == RC_OK && db_column_int(db, sql, 1) != 0)
		rc = db_next(db, sql);
	if (rc == RC_OK)
		db_column_copy(db, sql, 0, out, PHONE_SIZE);
	db_done(db, sql);
	return rc == RC_NONE ? RC_POOL : rc;
}

/* Finds the first number that is free for a and b between two places. */
static enum rc
pick_between(struct db *db, char out[PHONE_SIZE],
    const struct number_wish *wish, const uint8_t *a, const uint8_t *b,
    int64_t from, int64_t to)
{
	if (wish->country[0] == '\0')
		return pick(db, SQL_NUMBER_GAP, out,
		    DB_ARGS(DB_TEXT(wish->service_id),
			DB_BLOB(a, CRYPTO_HASH_SIZE),
			DB_BLOB(b, CRYPTO_HASH_SIZE), DB_INT(wish->now),
			DB_INT(from), DB_INT(to)));
	return pick(db, SQL_NUMBER_GAP_COUNTRY, out,
	    DB_ARGS(DB_TEXT(wish->service_id), DB_BLOB(a, CRYPTO_HASH_SIZE),
		DB_BLOB(b, CRYPTO_HASH_SIZE), DB_INT(wish->now), DB_INT(from),
		DB_INT(to), DB_TEXT(wish->country)));
}

/* Finds a number on which neither a nor b has a leg: among those longest
 * unused, else from a random place on, once around. */
static enum rc
find_free(struct db *db, char out[PHONE_SIZE], const struct number_wish *wish,
    const uint8_t *a, const uint8_t *b)
{
	int64_t place = random_place();
	enum rc rc;

	rc = pick_oldest(db, out, wish, a, b);
	if (rc == RC_POOL)
		rc = pick_between(db, out, wish, a, b, place, INT64_MAX);
	if (rc == RC_POOL)
		rc = pick_between(db, out, wish, a, b, 0, place);
	return rc;
}

/* Finds what the two had in their last session. */
static enum rc
find_last(
    struct db *db, char out[2][PHONE_SIZE], const struct number_wish *wish)
{
	const enum sql sql = SQL_NUMBER_STICKY;
	enum rc rc;

	rc = db_first(db, sql,
	    DB_ARGS(DB_TEXT(wish->service_id),
		DB_BLOB(wish->persons[0], CRYPTO_HASH_SIZE),
		DB_BLOB(wish->persons[1], CRYPTO_HASH_SIZE), DB_INT(wish->now),
		DB_TEXT(wish->country)));
	if (rc == RC_OK) {
		db_column_copy(db, sql, 0, out[0], PHONE_SIZE);
		db_column_copy(db, sql, 1, out[1], PHONE_SIZE);
	}
	db_done(db, sql);
	return rc == RC_NONE ? RC_POOL : rc;
}

/* Finds a number for each of the two: a free one, else, if the rules allow,
 * the one that person has held longest. */
static enum rc
find_apart(
    struct db *db, char out[2][PHONE_SIZE], const struct number_wish *wish)
{
	enum rc rc = RC_OK;
	int i;

	for (i = 0; i < 2 && rc == RC_OK; i++) {
		const uint8_t *person = wish->persons[i];

		rc = find_free(db, out[i], wish, person, person);
		if (rc == RC_POOL && wish->reuse_before > 0)
			rc = pick(db, SQL_NUMBER_LONGEST_HELD, out[i],
			    DB_ARGS(DB_TEXT(wish->service_id),
				DB_BLOB(person, CRYPTO_HASH_SIZE),
				DB_INT(wish->reuse_before),
				DB_TEXT(wish->country)));
	}
	return rc;
}

enum rc
number_free(struct db *db, const char *service_id, const char *number,
    const uint8_t person[CRYPTO_HASH_SIZE],
    const uint8_t peer[CRYPTO_HASH_SIZE], int64_t now)
{
	char found[PHONE_SIZE];

	return pick(db, SQL_NUMBER_WANTED, found,
	    DB_ARGS(DB_TEXT(service_id), DB_BLOB(person, CRYPTO_HASH_SIZE),
		DB_BLOB(peer, CRYPTO_HASH_SIZE), DB_TEXT(number), DB_INT(now)));
}

enum rc
number_room(struct db *db, const struct number_wish *wish, int64_t *numbers,
    int64_t *free)
{
	enum rc rc;

	rc = db_first(db, SQL_NUMBER_ROOM,
	    DB_ARGS(DB_TEXT(wish->service_id),
		DB_BLOB(wish->persons[0], CRYPTO_HASH_SIZE),
		DB_BLOB(wish->persons[1], CRYPTO_HASH_SIZE),
		DB_INT(wish->now)));
	if (rc != RC_OK)
		return rc;
	*numbers = db_column_int(db, SQL_NUMBER_ROOM, 0);
	*free = db_column_int(db, SQL_NUMBER_ROOM, 1);
	db_done(db, SQL_NUMBER_ROOM);
	return RC_OK;
}

/* Finds the numbers without marking them. */
static enum rc
find(struct db *db, char out[2][PHONE_SIZE], const struct number_wish *wish)
{
	const uint8_t *a = wish->persons[0], *b = wish->persons[1];
	enum rc rc = RC_POOL;

	if (wish->number[0] != '\0') {
		rc = number_free(
		    db, wish->service_id, wish->number, a, b, wish->now);
		if (rc == RC_OK)
			rc = number_free(db, wish->service_id, wish->number, b,
			    a, wish->now);
		strcpy(out[0], wish->number);
		strcpy(out[1], wish->number);
		return rc;
	}
	if (!wish->avoid_last)
		rc = find_last(db, out, wish);
	if (rc == RC_POOL) {
		rc = find_free(db, out[0], wish, a, b);
		strcpy(out[1], out[0]);
	}
	if (rc == RC_POOL && wish->avoid_last)
		rc = find_last(db, out, wish);
	return rc == RC_POOL ? find_apart(db, out, wish) : rc;
}

enum rc
number_take(
    struct db *db, char out[2][PHONE_SIZE], const struct number_wish *wish)
{
	char found[2][PHONE_SIZE] = { "", "" };
	enum rc rc;
	int i;

	rc = find(db, found, wish);
	for (i = 0; i < 2 && rc == RC_OK; i++)
		rc = db_run(db, SQL_NUMBER_TOUCH,
		    DB_ARGS(DB_TEXT(found[i]), DB_INT(wish->now)));
	if (rc == RC_OK)
		memcpy(out, found, sizeof found);
	return rc;
}
