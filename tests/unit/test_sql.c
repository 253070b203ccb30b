/* The statements: none reads a table from end to end, or sorts, unawares. */

#include "test.h"

#include <stdio.h>
#include <string.h>

#include "store.h"

/* What may: asked by operators, over a handful of rows, or once at the start.
 */
static const char *const may[] = { "api_key_list", "export_legs",
	"export_parties", "export_recordings", "export_sessions",
	"intent_purge", "number_list", "outbox_backlog", "outbox_list",
	"outbox_mend", "outbox_retry", "party_spans", "reseal_message_count",
	"reseal_party_count", "reseal_webhook_secret_count", "service_only" };

/* Whether a step of a plan reads all there is. The rows of a subquery, called
 * `sub` in the plan, are few. */
static bool
reads_all(const char *step, char sub[64])
{
	char name[64];

	if (sscanf(step, "CO-ROUTINE %63s", name) == 1)
		strcpy(sub, name);
	if (sscanf(step, "SCAN %63s", name) == 1)
		return strcmp(name, sub) != 0 && strcmp(name, "CONSTANT") != 0;
	return strstr(step, "TEMP B-TREE") != NULL;
}

static void
test_plans(void **state)
{
	sqlite3 *raw = store_open(*state);
	char text[4096], sub[64];
	sqlite3_stmt *stmt;
	size_t i, j, bad = 0;

	for (i = 0; i < SQL__MAX; i++) {
		for (j = 0; j < LENGTH(may); j++)
			if (strcmp(may[j], sql_names[i]) == 0)
				break;
		if (j < LENGTH(may))
			continue;
		snprintf(
		    text, sizeof text, "EXPLAIN QUERY PLAN %s", sql_texts[i]);
		assert_int_equal(
		    sqlite3_prepare_v2(raw, text, -1, &stmt, NULL), SQLITE_OK);
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
	const struct CMUnitTest tests[] = { STORE_TEST(test_plans) };

	return cmocka_run_group_tests_name("sql", tests, NULL, NULL);
}
