/* The statements: none reads a table from end to end, or sorts, unawares. */

#include "test.h"

#include <stdio.h>
#include <string.h>

#include "store.h"

/* What may: asked by operators, over a handful of rows, or once at the start.
 */
static const char *const may[] = { "api_key_list", "export_legs",
	"export_parties", "export_recordings", "export_sessions",
	"intent_purge", "number_list", "outbox_backlog", "outbox_mend",
	"party_spans", "reseal_message_count", "reseal_party_count",
	"reseal_webhook_secret_count", "service_only" };

/* Whether a step of a plan reads all there is. The rows of a subquery, called
 * `sub` in the plan, are few. */
static bool
reads_all(const char *step, char sub[64])
{
	char name[64];

	if (sscanf(step, "CO-ROUTINE %63s", name) == 1)
		strcpy(sub, name);
	if (sscanf(step, "SCAN %63s", name) == 1)
		return strcmp(name, sub) != 0 &&
		       strstr(step, " CONSTANT ROW") == NULL;
	return strstr(step, "TEMP B-TREE") != NULL;
}

/* Asks how SQLite goes about a statement. */
static sqlite3_stmt *
explain(sqlite3 *raw, size_t i)
{
	char text[4096];
	sqlite3_stmt *stmt;

	snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", sql_texts[i]);
	assert_int_equal(
	    sqlite3_prepare_v2(raw, text, -1, &stmt, NULL), SQLITE_OK);
	return stmt;
}

/* Pages begin where the cursor is, whatever is before, and nothing goes through
 * all sessions to find those of somebody.
 */
static void
test_seeks(void **state)
{
	static const struct {
		enum sql sql;
		const char *step;
	} cases[] = {
		{ SQL_SESSION_LIST, "session_list (service_id=? AND id<?)" },
		{ SQL_SESSION_LIST_STATE, "session_state (service_id=? AND "
					  "close_reason=? AND id<?)" },
		{ SQL_SESSION_LIST_REFERENCE,
		    "session_by_reference (service_id=? AND reference=? AND "
		    "id<?)" },
		{ SQL_SESSION_LIST_PERSON,
		    "party_person (person=? AND session_id<?)" },
		{ SQL_SESSION_LIST_NUMBER,
		    "party_number (number=? AND session_id<?)" },
		{ SQL_SESSION_COUNT_OPEN,
		    "COVERING INDEX session_state (service_id=? AND "
		    "close_reason=?)" },
		{ SQL_ERASURE_PERSON_NEXT, "party_person (person=?)" },
		{ SQL_CALL_COUNT_RUNNING,
		    "call_running (service_id=? AND created_at>?)" },
		{ SQL_EVENT_LIST_SESSION,
		    "event_session (session_id=? AND seq>?)" },
		{ SQL_TALLY_LIST, "(service_id=? AND step_s=? AND at>?)" },
		{ SQL_TALLY_SUM,
		    "(service_id=? AND step_s=? AND at>? AND at<?)" },
		{ SQL_TALLY_PURGE, "(service_id=? AND step_s=? AND at<?)" },
	};
	sqlite3 *raw = store_open(*state);
	const char *step;
	sqlite3_stmt *stmt;
	size_t i, bad = 0;
	bool found;

	for (i = 0; i < LENGTH(cases); i++) {
		stmt = explain(raw, cases[i].sql);
		found = false;
		while (sqlite3_step(stmt) == SQLITE_ROW) {
			step = (const char *)sqlite3_column_text(stmt, 3);
			found = found || strstr(step, cases[i].step) != NULL;
		}
		sqlite3_finalize(stmt);
		if (found)
			continue;
		print_error(
		    "%s: not %s\n", sql_names[cases[i].sql], cases[i].step);
		bad++;
	}
	sqlite3_close(raw);
	assert_int_equal(bad, 0);
}

static void
test_plans(void **state)
{
	sqlite3 *raw = store_open(*state);
	char sub[64];
	sqlite3_stmt *stmt;
	size_t i, j, bad = 0;

	for (i = 0; i < SQL__MAX; i++) {
		for (j = 0; j < LENGTH(may); j++)
			if (strcmp(may[j], sql_names[i]) == 0)
				break;
		if (j < LENGTH(may))
			continue;
		stmt = explain(raw, i);
		sub[0] = '\0';
		while (sqlite3_step(stmt) == SQLITE_ROW) {
			const char *step =
			    (const char *)sqlite3_column_text(stmt, 3);

			if (!reads_all(step, sub))
				continue;
			print_error("%s: %s\n", sql_names[i], step);
			bad++;
		}
		sqlite3_finalize(stmt);
	}
	sqlite3_close(raw);
	assert_int_equal(bad, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { STORE_TEST(test_plans),
		STORE_TEST(test_seeks) };

	return cmocka_run_group_tests_name("sql", tests, NULL, NULL);
}
