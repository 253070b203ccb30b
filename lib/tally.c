/* Tallies: what was counted by the minute and by the hour. */

#include "tally.h"

#include <stdio.h>
#include <string.h>

static const char *const names[TALLY__MAX] = {
	[TALLY_SESSIONS_OPENED] = "sessions_opened",
	[TALLY_CALLS_ANSWERED] = "calls_answered",
	[TALLY_CALLS_MISSED] = "calls_missed",
	[TALLY_CALLS_FAILED] = "calls_failed",
	[TALLY_CALLS_REFUSED] = "calls_refused",
	[TALLY_TEXTS_RELAYED] = "texts_relayed",
	[TALLY_TEXTS_REFUSED] = "texts_refused",
};

/* The steps of a span, and the rows that they are made of. */
static const struct {
	const char *name;
	int64_t step_s, row_s;
	int len;
} spans[TALLY_SPAN__MAX] = {
	[TALLY_HOUR] = { "hour", 60, TALLY_MINUTE_S, 60 },
	[TALLY_DAY] = { "day", 900, TALLY_MINUTE_S, 96 },
	[TALLY_MONTH] = { "month", 21600, TALLY_HOUR_S, 120 },
};

const char *
tally_name(enum tally_what what)
{
	return names[what];
}

const char *
tally_span_name(enum tally_span span)
{
	return spans[span].name;
}

enum rc
tally_add(struct db *db, const char *service_id, enum tally_what what,
    const char *detail, int64_t now)
{
	char text[64];

	if (detail != NULL && detail[0] != '\0')
		snprintf(text, sizeof text, "%s %s", names[what], detail);
	else
		snprintf(text, sizeof text, "%s", names[what]);
	return db_run(db, SQL_TALLY_ADD,
	    DB_ARGS(DB_TEXT(service_id), DB_INT(now - now % TALLY_MINUTE_S),
		DB_INT(now - now % TALLY_HOUR_S), DB_TEXT(text)));
}

/* Takes a row's words apart. Returns whether they are known. */
static bool
read_what(const char *text, struct tally *tally)
{
	size_t len = strcspn(text, " ");
	int i;

	for (i = 0; i < TALLY__MAX; i++)
		if (strlen(names[i]) == len &&
		    strncmp(names[i], text, len) == 0)
			break;
	if (i == TALLY__MAX)
		return false;
	tally->what = (enum tally_what)i;
	snprintf(tally->detail, sizeof tally->detail, "%s",
	    text[len] != '\0' ? text + len + 1 : "");
	return true;
}

enum rc
tally_list(struct db *db, const char *service_id, int64_t step_s, int64_t since,
    void (*each)(void *cookie, const struct tally *tally), void *cookie)
{
	const enum sql sql = SQL_TALLY_LIST;
	struct tally tally;
	enum rc rc;

	rc = db_first(db, sql,
	    DB_ARGS(DB_TEXT(service_id), DB_INT(step_s), DB_INT(since)));
	for (; rc == RC_OK; rc = db_next(db, sql)) {
		tally.at = db_column_int(db, sql, 0);
		tally.count = db_column_int(db, sql, 2);
		if (read_what(db_column_text(db, sql, 1), &tally))
			each(cookie, &tally);
	}
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
tally_sum(struct db *db, int64_t *sum, const char *service_id,
    enum tally_what what, int64_t since, int64_t until)
{
	const enum sql sql = SQL_TALLY_SUM;
	enum rc rc;

	rc = db_first(db, sql,
	    DB_ARGS(DB_TEXT(service_id), DB_TEXT(names[what]), DB_INT(since),
		DB_INT(until)));
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_CORRUPT : rc;
	*sum = db_column_int(db, sql, 0);
	db_done(db, sql);
	return RC_OK;
}

enum rc
tally_first(struct db *db, int64_t *at, const char *service_id)
{
	const enum sql sql = SQL_TALLY_FIRST;
	enum rc rc;

	if ((rc = db_first(db, sql, DB_ARGS(DB_TEXT(service_id)))) != RC_OK)
		return rc;
	*at = db_column_int(db, sql, 0);
	db_done(db, sql);
	return RC_OK;
}

/* Adds a row to its step. One from after now, when the clock was ahead, has
 * none. */
static void
add_row(void *cookie, const struct tally *tally)
{
	struct tally_series *series = cookie;
	int64_t step = (tally->at - series->from) / series->step_s;

	if (step < series->len)
		series->counts[tally->what][step] += tally->count;
}

enum rc
tally_read(struct db *db, const char *service_id, enum tally_span span,
    int64_t now, struct tally_series *series)
{
	int64_t step_s = spans[span].step_s;

	*series = (struct tally_series){
		.span = span,
		.step_s = step_s,
		.from = now - now % step_s - (spans[span].len - 1) * step_s,
		.len = spans[span].len,
	};
	return tally_list(
	    db, service_id, spans[span].row_s, series->from, add_row, series);
}
