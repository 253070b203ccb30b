/* callmask number add, list, set: the pool of a service. */

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "callmask.h"
#include "timestamp.h"

/* A change of one number in a transaction. */
struct change {
	const struct cli *cli;
	const char *number;
	const char *state; /* to be set */
	bool trial;        /* see only whether it could be added */
	struct fault fault;
};

static enum rc
add_number(struct db *db, void *cookie)
{
	struct change *c = cookie;
	struct mask mask = cli_mask(c->cli);

	if (c->trial)
		db_undo(db);
	return mask_add_number(&mask, c->cli->service.id, c->number, &c->fault);
}

int
cli_number_put(struct cli *cli, const char *number, bool trial)
{
	struct change change = { .cli = cli, .number = number, .trial = trial };
	char redacted[PHONE_REDACTED_SIZE];
	enum rc rc = cli_transact(cli, add_number, &change);

	if (rc == RC_OK)
		return 0;
	cli_progress("", 0, 0);
	/* A person's is not repeated, wherever it came from. */
	return cli_fail(rc, &change.fault,
	    rc == RC_OWN_NUMBER ? phone_redact(number, redacted) : number);
}

static void
tell_added(const struct cli *cli, const char *number, const char *result)
{
	cli_progress("", 0, 0);
	if (cli->json)
		cli_json(CLI_FIELDS(CLI_TEXT("number", number),
		    CLI_TEXT("country", phone_country(number)),
		    CLI_TEXT("result", result)));
	else
		printf("%s %s (%s)\n", number, result, phone_country(number));
}

/* Whether a number is in the pool of our service. */
static bool
is_ours(const struct cli *cli, const char *number)
{
	struct number found;

	return number_find(cli->db, &found, number) == RC_OK &&
	       strcmp(found.service_id, cli->service.id) == 0;
}

/* Adds the numbers of a file, each by itself, so that nobody waits long for
 * the turn; those that are in the pool stay there. Returns the exit status. */
static int
add_list(struct cli *cli, const char *path)
{
	size_t i, total, added = 0, there = 0;
	const char *number;
	struct buf list;

	if (cli_list_read(path, &list) != 0) {
		warnx("nothing was added");
		buf_free(&list);
		return 1;
	}
	total = list.len / PHONE_SIZE;
	for (i = 0; i < total; i++) {
		number = list.data + i * PHONE_SIZE;
		cli_progress("adding numbers", i, total);
		if (is_ours(cli, number)) {
			there++;
			if (cli->json)
				tell_added(cli, number, "was there");
		} else if (cli_number_put(cli, number, false) == 0) {
			added++;
			if (cli->json)
				tell_added(cli, number, "added");
		}
	}
	cli_progress("", 0, 0);
	if (!cli->json)
		printf("%zu added, %zu were there, %zu refused\n", added, there,
		    total - added - there);
	buf_free(&list);
	return added + there == total ? 0 : 1;
}

int
cli_number_add(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "file", required_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	const char *file = NULL;
	int c, i, status = 0;

	while ((c = getopt_long(argc, argv, "", options, NULL)) == 'f')
		file = optarg;
	if (c != -1 || (file == NULL) == (optind == argc))
		return cli_usage(cli);
	if (file != NULL)
		return add_list(cli, file);
	for (i = optind; i < argc; i++) {
		cli_progress("adding numbers", (size_t)(i - optind),
		    (size_t)(argc - optind));
		if (cli_number_put(cli, argv[i], false) != 0)
			status = 1;
		else
			tell_added(cli, argv[i], "added");
	}
	cli_progress("", 0, 0);
	return status;
}

static void
print_number(void *cookie, const struct number *number)
{
	const struct cli *cli = cookie;
	char used[TIMESTAMP_SIZE] = "never";

	if (cli->json) {
		cli_json(CLI_FIELDS(CLI_TEXT("number", number->number),
		    CLI_TEXT("country", number->country),
		    CLI_TEXT("state", number->state),
		    CLI_INT("live", number->live),
		    CLI_INT("held", number->held),
		    CLI_TIME("last_used_at", number->last_used_at)));
		return;
	}
	if (number->last_used_at != 0)
		timestamp_format(used, number->last_used_at);
	printf("%-16s  %s  %-8s  %6lld live  %6lld held  last used %s\n",
	    number->number, number->country, number->state,
	    (long long)number->live, (long long)number->held, used);
}

int
cli_number_list(struct cli *cli, int argc, char **argv)
{
	enum rc rc;

	(void)argv;
	if (argc != 1)
		return cli_usage(cli);
	rc = number_list(
	    cli->db, cli->service.id, app_now_ms() / 1000, print_number, cli);
	return rc == RC_OK ? 0 : cli_fail(rc, NULL, "numbers");
}

static enum rc
set_number_state(struct db *db, void *cookie)
{
	struct change *c = cookie;

	return number_set_state(db, c->cli->service.id, c->number, c->state);
}

int
cli_number_set(struct cli *cli, int argc, char **argv)
{
	static const char *const states[] = { "active", "reserved", "draining",
		"retired", NULL };
	int i, status = 0;
	enum rc rc;

	for (i = 0; argc > 1 && states[i] != NULL; i++)
		if (strcmp(argv[1], states[i]) == 0)
			break;
	if (argc < 3 || states[i] == NULL)
		return cli_usage(cli);
	for (i = 2; i < argc; i++) {
		struct change change = {
			.cli = cli, .number = argv[i], .state = argv[1]
		};

		rc = cli_transact(cli, set_number_state, &change);
		if (rc != RC_OK)
			status = cli_fail(rc, NULL, argv[i]);
		else if (cli->json)
			cli_json(CLI_FIELDS(CLI_TEXT("number", argv[i]),
			    CLI_TEXT("state", argv[1])));
		else
			printf("%s is %s\n", argv[i], argv[1]);
	}
	return status;
}
