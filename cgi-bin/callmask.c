/*
 * callmask: what an operator does from a shell. Finds the command, opens what
 * it needs, runs it. The commands are in callmask_*.c, the deeds in the
 * library.
 */

#include "callmask.h"

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "version.h"
#include "wake.h"

/* How much a command needs before it runs. */
enum needs {
	NEEDS_CONF,   /* the configuration */
	NEEDS_DB,     /* … and database and keys */
	NEEDS_SERVICE /* … and one service */
};

static const struct command {
	const char *noun;
	const char *verb; /* NULL: the noun says it all */
	enum needs needs;
	cli_command run;
	const char *help;
} commands[] = {
	{ "init", NULL, NEEDS_CONF, cli_init,
	    "make keys, database, a service and its admin key" },
	{ "migrate", NULL, NEEDS_CONF, cli_migrate,
	    "bring the database to this version" },
	{ "doctor", NULL, NEEDS_CONF, cli_doctor,
	    "look for what would keep a call from being connected" },
	{ "key", "add", NEEDS_SERVICE, cli_key_add,
	    "make an API key and show it, once" },
	{ "key", "list", NEEDS_SERVICE, cli_key_list, "show the API keys" },
	{ "key", "revoke", NEEDS_SERVICE, cli_key_revoke,
	    "make an API key worthless" },
	{ "number", "add", NEEDS_SERVICE, cli_number_add,
	    "put masked numbers into the pool" },
	{ "number", "list", NEEDS_SERVICE, cli_number_list,
	    "show the masked numbers and their use" },
	{ "number", "set", NEEDS_SERVICE, cli_number_set,
	    "reserve, drain, retire or reactivate masked numbers" },
	{ "number", "sync", NEEDS_SERVICE, cli_number_sync,
	    "compare the masked numbers with Twilio, and set them there" },
	{ "number", "search", NEEDS_SERVICE, cli_number_search,
	    "look for numbers that Twilio sells" },
	{ "number", "buy", NEEDS_SERVICE, cli_number_buy,
	    "buy numbers, set them and put them into the pool" },
	{ "number", "release", NEEDS_SERVICE, cli_number_release,
	    "give numbers that nobody has or holds back to Twilio" },
	{ "service", "show", NEEDS_SERVICE, cli_service_show,
	    "show the settings of the service" },
	{ "service", "set", NEEDS_SERVICE, cli_service_set,
	    "change settings of the service" },
	{ "plan", NULL, NEEDS_SERVICE, cli_plan,
	    "say how many masked numbers the service needs" },
	{ "route", "explain", NEEDS_SERVICE, cli_route_explain,
	    "say what would happen to a call, without placing one" },
	{ "webhook", "show", NEEDS_SERVICE, cli_webhook_show,
	    "show where events go and what signs them" },
	{ "webhook", "rotate", NEEDS_SERVICE, cli_webhook_rotate,
	    "make a new secret for events and show it, once" },
	{ "webhook", "test", NEEDS_SERVICE, cli_webhook_test,
	    "send the app an event to try" },
	{ "outbox", "list", NEEDS_SERVICE, cli_outbox_list,
	    "show what waits to be delivered and what is given up" },
	{ "outbox", "show", NEEDS_SERVICE, cli_outbox_show,
	    "show the tries of a delivery" },
	{ "outbox", "retry", NEEDS_SERVICE, cli_outbox_retry,
	    "try anew what was given up" },
	{ "session", "list", NEEDS_SERVICE, cli_session_list,
	    "show the newest sessions" },
	{ "session", "show", NEEDS_SERVICE, cli_session_show,
	    "show a session and its calls" },
	{ "session", "close", NEEDS_SERVICE, cli_session_close,
	    "close a session" },
	{ "erase", "session", NEEDS_SERVICE, cli_erase_session,
	    "forget a session, here and at Twilio; prints the receipt" },
	{ "erase", "person", NEEDS_SERVICE, cli_erase_person,
	    "forget all sessions of a person, by the real number" },
	{ "erase", "show", NEEDS_SERVICE, cli_erase_show,
	    "show what of an erasure is done" },
};

#define COMMANDS (sizeof commands / sizeof commands[0])

struct mask
cli_mask(const struct cli *cli)
{
	return (struct mask){ .db = cli->db,
		.keys = &cli->secrets.keys,
		.now_ms = app_now_ms() };
}

enum rc
cli_transact(struct cli *cli, db_deed deed, void *cookie)
{
	enum rc rc = db_transact(cli->db, DB_WAIT_MS, deed, cookie);
	char path[300];

	wake_path(path, sizeof path, cli->conf.database);
	if (rc_final(rc))
		wake_send(path);
	return rc;
}

int
cli_usage(const char *usage)
{
	fprintf(stderr, "usage: callmask [-c file] [-s service] %s\n", usage);
	return 2;
}

int
cli_fail(enum rc rc, const struct fault *fault, const char *what)
{
	if (fault != NULL && fault->detail[0] != '\0')
		warnx("%s: %s", what, fault->detail);
	else
		warnx("%s: %s", what, rc_name(rc));
	return 1;
}

static void
help(FILE *to)
{
	char name[32];
	size_t i;

	fprintf(to, "usage: callmask [-c file] [-s service] command …\n\n");
	for (i = 0; i < COMMANDS; i++) {
		snprintf(name, sizeof name, "%s %s", commands[i].noun,
		    commands[i].verb != NULL ? commands[i].verb : "");
		fprintf(to, "  %-16s %s\n", name, commands[i].help);
	}
	fprintf(to,
	    "\n  -c file     configuration, else %s\n"
	    "  -s service  which service, if there are several\n",
	    CONF_PATH);
}

/* Finds the command that argv begins with; *words of it name it. */
static const struct command *
find_command(int argc, char **argv, int *words)
{
	size_t i;

	for (i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].noun, argv[0]) != 0)
			continue;
		*words = commands[i].verb != NULL ? 2 : 1;
		if (*words == 1 ||
		    (argc > 1 && strcmp(commands[i].verb, argv[1]) == 0))
			return &commands[i];
	}
	return NULL;
}

/* Opens what the command needs; exits with a word about it if it cannot. */
static void
prepare(struct cli *cli, enum needs needs)
{
	const char *service = cli->service_name;
	char error[CONF_ERROR_SIZE];

	if (crypto_open() != RC_OK)
		errx(1, "no randomness to be had");
	if (conf_load(&cli->conf, cli->conf_path, error) != RC_OK)
		errx(1, "%s", error);
	if (needs == NEEDS_CONF)
		return;
	if (conf_load_secrets(&cli->secrets, cli->conf.secrets, error) != RC_OK)
		errx(1, "%s", error);
	if (db_open(&cli->db, cli->conf.database, DB_USE) != RC_OK)
		errx(1, "%s cannot be used", cli->conf.database);
	if (needs == NEEDS_DB)
		return;
	if (service_find_name(cli->db, &cli->service, service) != RC_OK) {
		if (service != NULL)
			errx(1, "there is no service %s", service);
		errx(1, "there is not exactly one service; say -s NAME");
	}
}

int
main(int argc, char **argv)
{
	struct cli cli = { .conf_path = CONF_PATH };
	const struct command *command;
	int c, words, status;

	log_open("callmask", LOG_WARN);
	log_plain();
	app_harden();
	/* The plus: options behind the command are the command's. */
	while ((c = getopt(argc, argv, "+c:s:hV")) != -1) {
		switch (c) {
		case 'c':
			cli.conf_path = optarg;
			break;
		case 's':
			cli.service_name = optarg;
			break;
		case 'h':
			help(stdout);
			return 0;
		case 'V':
			printf("callmask %s\n", VERSION);
			return 0;
		default:
			help(stderr);
			return 2;
		}
	}
	argc -= optind;
	argv += optind;
	if (argc == 1 && strcmp(argv[0], "help") == 0) {
		help(stdout);
		return 0;
	}
	if (argc < 1 || (command = find_command(argc, argv, &words)) == NULL) {
		help(stderr);
		return 2;
	}
	prepare(&cli, command->needs);
	optind = 0;
	status = command->run(&cli, argc - (words - 1), argv + (words - 1));
	db_close(cli.db);
	crypto_wipe(&cli.secrets, sizeof cli.secrets);
	if (fflush(stdout) != 0)
		err(1, "standard output");
	return status;
}
