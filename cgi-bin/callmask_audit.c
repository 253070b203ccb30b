/* callmask audit: what operators did and looked at; and what commands change is
 * noted there, too. */

#include <sys/types.h>

#include <err.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit.h"
#include "callmask.h"
#include "timestamp.h"

#define LIST_MAX 50

enum rc
cli_note(const struct cli *cli, struct db *db, const char *service_id,
    const char *subject)
{
	const struct command *command = cli->command;
	const struct passwd *user = getpwuid(cli->user);
	char action[CLI_NAME_SIZE], name[32];

	snprintf(action, sizeof action, "%s%s%s", command->noun,
	    command->verb != NULL ? " " : "",
	    command->verb != NULL ? command->verb : "");
	snprintf(name, sizeof name, "uid %ld", (long)cli->user);
	return audit_put(db, &cli->secrets.keys,
	    &(struct audit){ .service_id = service_id,
		.key_id = "",
		.name = user != NULL ? user->pw_name : name,
		.action = action,
		.subject = subject,
		.detail = "",
		.request_id = "" },
	    app_now_ms() / 1000);
}

/* Whether an argument may stand in the audit log: an id, or a masked
 * number. Anything else could be a real number. RC_OK, RC_NONE. */
static enum rc
check_subject(struct db *db, const char *text)
{
	struct number number;
	char prefix[4];
	enum rc rc;

	snprintf(prefix, sizeof prefix, "%s", text);
	if (id_valid(text, prefix))
		return RC_OK;
	rc = number_find(db, &number, text);
	return rc == RC_NOT_FOUND ? RC_NONE : rc;
}

/* Notes it for each argument that may stand in the audit log, once. */
static enum rc
note_arguments(struct cli *cli, struct db *db)
{
	enum rc rc;
	int i;

	for (i = 1; i < cli->argc; i++) {
		if (cli->noted[i] == CLI_NOTED)
			continue;
		rc = check_subject(db, cli->argv[i]);
		if (rc == RC_OK)
			rc = cli_note(cli, db, cli->service.id, cli->argv[i]);
		if (rc == RC_OK)
			cli->noted[0] = cli->noted[i] = CLI_NOTING;
		else if (rc != RC_NONE)
			return rc;
	}
	return RC_OK;
}

enum rc
cli_note_change(struct cli *cli, struct db *db)
{
	const char *subject = cli->subject != NULL ? cli->subject : "";
	enum rc rc = RC_OK;

	if (subject[0] == '\0')
		rc = note_arguments(cli, db);
	/* Without any it is noted once what the command makes, or just that it
	 * was run. */
	if (rc != RC_OK || cli->noted[0] != 0)
		return rc;
	cli->noted[0] = CLI_NOTING;
	return cli_note(cli, db, cli->service.id, subject);
}

static void
print_row(const struct cli *cli, const struct audit_record *row)
{
	char at[TIMESTAMP_SIZE];

	if (cli->json) {
		cli_json(CLI_FIELDS(CLI_INT("seq", row->seq),
		    CLI_TIME("at", row->at), CLI_TEXT("key_id", row->key_id),
		    CLI_TEXT("name", row->name),
		    CLI_TEXT("action", row->action),
		    CLI_TEXT("subject", row->subject),
		    CLI_TEXT("detail", row->detail),
		    CLI_TEXT("request_id", row->request_id)));
		return;
	}
	printf("%6" PRId64 "  %s  %s  %s", row->seq,
	    timestamp_format(at, row->at), row->name, row->action);
	if (row->subject[0] != '\0')
		printf("  %s", row->subject);
	if (row->detail[0] != '\0')
		printf("  (%s)", row->detail);
	putchar('\n');
}

int
cli_audit_list(struct cli *cli, int argc, char **argv)
{
	struct audit_record rows[LIST_MAX];
	enum rc rc;
	int len, i;

	(void)argv;
	if (argc != 1)
		return cli_usage(cli);
	rc = audit_list(
	    cli->db, cli->service.id, INT64_MAX, rows, LIST_MAX, &len);
	if (rc != RC_OK)
		return cli_fail(rc, NULL, "audit log");
	for (i = 0; i < len; i++)
		print_row(cli, &rows[i]);
	return 0;
}

/* The audit log as it was found. */
struct inspection {
	const struct cli *cli;
	int64_t count;
	struct audit_record last;
};

static enum rc
inspect(struct db *db, void *cookie)
{
	struct inspection *i = cookie;

	return audit_verify(
	    db, &i->cli->secrets.keys, i->cli->service.id, &i->count, &i->last);
}

int
cli_audit_verify(struct cli *cli, int argc, char **argv)
{
	struct inspection found = { .cli = cli };
	const struct audit_record *last = &found.last;
	char hash[2 * CRYPTO_HASH_SIZE + 1], at[TIMESTAMP_SIZE];
	bool broken;
	enum rc rc;

	(void)argv;
	if (argc != 1)
		return cli_usage(cli);
	rc = db_snapshot(cli->db, inspect, &found);
	if (rc != RC_OK && rc != RC_CORRUPT)
		return cli_fail(rc, NULL, "audit log");
	broken = rc == RC_CORRUPT;
	crypto_hex(hash, last->hash, sizeof last->hash);
	timestamp_format(at, last->at);
	if (cli->json)
		cli_json(CLI_FIELDS(CLI_BOOL("right", !broken),
		    CLI_INT("rows", found.count), CLI_INT("seq", last->seq),
		    CLI_TIME("at", last->at),
		    CLI_TEXT("hash", found.count > 0 ? hash : "")));
	if (broken)
		warnx("row %" PRId64 ", of %s, is not as it was written, or "
		      "the one before it is missing",
		    last->seq, at);
	else if (!cli->json && found.count == 0)
		puts("0 rows");
	else if (!cli->json)
		printf("%" PRId64 " rows, all as they were written; the newest "
		       "is %" PRId64 ", of %s, %s\n",
		    found.count, last->seq, at, hash);
	return broken ? 1 : 0;
}
