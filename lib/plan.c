/* How many masked numbers a service needs. */

#include "plan.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "crypto.h"

#define DAY_S 86400

/* The ends of one person's sessions that are not over: a heap, the earliest
 * end on top. */
struct ends {
	int64_t *at;
	size_t len, size;
};

/* Adds an end. */
static enum rc
push(struct ends *ends, int64_t at)
{
	size_t i, size;
	int64_t *more;

	if (ends->len == ends->size) {
		size = ends->size != 0 ? 2 * ends->size : 64;
		more = realloc(ends->at, size * sizeof *more);
		if (more == NULL)
			return RC_MEMORY;
		ends->at = more;
		ends->size = size;
	}
	for (i = ends->len++; i > 0 && ends->at[(i - 1) / 2] > at;
	     i = (i - 1) / 2)
		ends->at[i] = ends->at[(i - 1) / 2];
	ends->at[i] = at;
	return RC_OK;
}

/* Removes the earliest end. */
static void
pop(struct ends *ends)
{
	int64_t last = ends->at[--ends->len];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < ends->len) {
		if (child + 1 < ends->len &&
		    ends->at[child + 1] < ends->at[child])
			child++;
		if (ends->at[child] >= last)
			break;
		ends->at[i] = ends->at[child];
		i = child;
	}
	ends->at[i] = last;
}

/* Stores how many active numbers of the country a service has. */
static enum rc
count_numbers(struct db *db, const char *service_id, struct plan_need *need)
{
	const enum sql sql = SQL_NUMBER_COUNT_COUNTRY;
	enum rc rc;

	rc = db_first(
	    db, sql, DB_ARGS(DB_TEXT(service_id), DB_TEXT(need->country)));
	if (rc != RC_OK)
		return rc;
	need->have = db_column_int(db, sql, 0);
	db_done(db, sql);
	return RC_OK;
}

/* What plan_history carries from row to row. */
struct survey {
	struct plan_need need;
	uint8_t person[CRYPTO_HASH_SIZE];
	struct ends ends;
};

/* Takes one row: a session of one person, by country, person and age. Returns
 * whether it begins another country, which it then leaves for the next. */
static bool
other_country(struct survey *survey, struct db *db)
{
	const char *country = db_column_text(db, SQL_PARTY_SPANS, 0);

	return survey->need.country[0] != '\0' &&
	       strcmp(country, survey->need.country) != 0;
}

static enum rc
take_row(struct survey *survey, struct db *db, int64_t hold_s)
{
	const enum sql sql = SQL_PARTY_SPANS;
	struct plan_need *need = &survey->need;
	struct ends *ends = &survey->ends;
	int64_t from = db_column_int(db, sql, 2);
	const void *person;
	size_t len;
	enum rc rc;

	db_column_copy(db, sql, 0, need->country, sizeof need->country);
	person = db_column_blob(db, sql, 1, &len);
	if (len != sizeof survey->person)
		return RC_CORRUPT;
	if (need->people == 0 || memcmp(person, survey->person, len) != 0) {
		memcpy(survey->person, person, len);
		need->people++;
		ends->len = 0;
	}
	while (ends->len > 0 && ends->at[0] <= from)
		pop(ends);
	if ((rc = push(ends, db_column_int(db, sql, 3) + hold_s)) != RC_OK)
		return rc;
	need->sessions++;
	if ((int64_t)ends->len > need->needed)
		need->needed = (int64_t)ends->len;
	return RC_OK;
}

enum rc
plan_history(struct db *db, const char *service_id, int64_t hold_s,
    int64_t since, void (*each)(void *cookie, const struct plan_need *need),
    void *cookie)
{
	const enum sql sql = SQL_PARTY_SPANS;
	struct survey survey = { .need = { .country = "" } };
	enum rc rc;

	rc = db_first(db, sql, DB_ARGS(DB_TEXT(service_id), DB_INT(since)));
	while (rc == RC_OK) {
		if (other_country(&survey, db)) {
			if ((rc = count_numbers(
				 db, service_id, &survey.need)) != RC_OK)
				break;
			each(cookie, &survey.need);
			survey.need = (struct plan_need){ .country = "" };
		}
		if ((rc = take_row(&survey, db, hold_s)) == RC_OK)
			rc = db_next(db, sql);
	}
	if (rc == RC_NONE && survey.need.country[0] != '\0') {
		rc = count_numbers(db, service_id, &survey.need);
		if (rc == RC_OK)
			each(cookie, &survey.need);
	}
	db_done(db, sql);
	free(survey.ends.at);
	return rc == RC_NONE ? RC_OK : rc;
}

/* Division that rounds up. */
static int64_t
ceiling(int64_t a, int64_t b)
{
	return (a + b - 1) / b;
}

int64_t
plan_estimate(
    int64_t sessions_per_day, int64_t busiest, int64_t trip_s, int64_t hold_s)
{
	int64_t window_s = trip_s + hold_s, by_person, by_load, deviation = 0;

	by_person = ceiling(busiest * window_s, DAY_S);
	/* A day has rush hours, and chance: twice the mean, and three standard
	 * deviations of that, but no more than there are. */
	if (window_s < DAY_S) {
		by_person *= 2;
		while (deviation * deviation < by_person)
			deviation++;
		by_person += 3 * deviation;
		if (by_person > busiest)
			by_person = busiest;
	}
	by_load = ceiling(
	    sessions_per_day * trip_s, (int64_t)DAY_S * PLAN_NUMBER_LOAD);
	if (by_person < 1)
		by_person = 1;
	return by_person > by_load ? by_person : by_load;
}
