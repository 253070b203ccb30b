/*
 * callmask: what an operator does from a shell. Finds the command, opens what
 * it needs, runs it. The table of commands is in callmask_commands.c, they in
 * callmask_*.c, the deeds in the library.
 */

#include "callmask.h"

#include <sys/stat.h>

#include <err.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "version.h"
#include "wake.h"

struct mask
cli_mask(const struct cli *cli)
{
	return (struct mask){ .db = cli->db,
		.keys = &cli->secrets.keys,
		.now_ms = app_now_ms() };
}

/* A deed that is noted in the audit log. */
struct noting {
	struct cli *cli;
	db_deed deed;
	void *cookie;
};

/* Turns what is noted about the arguments from one state into another. */
static void
mark_noted(struct cli *cli, char from, char to)
{
	int i;

	for (i = 0; i < cli->argc; i++)
		if (cli->noted[i] == from)
			cli->noted[i] = to;
}

static enum rc
do_and_note(struct db *db, void *cookie)
{
	const struct noting *n = cookie;
	enum rc rc = n->deed(db, n->cookie), noted = RC_OK;

	mark_noted(n->cli, CLI_NOTING, 0); /* of a try that was rolled back */
	if ((rc == RC_OK || rc == RC_NONE) &&
	    n->cli->command->needs == CLI_CHANGES_SERVICE)
		noted = cli_note_change(n->cli, db);
	return noted == RC_OK ? rc : noted;
}

enum rc
cli_transact(struct cli *cli, db_deed deed, void *cookie)
{
	struct noting noting = { cli, deed, cookie };
	enum rc rc = db_transact(cli->db, DB_WAIT_MS, do_and_note, &noting);
	char path[300];

	mark_noted(cli, CLI_NOTING, rc_final(rc) ? CLI_NOTED : 0);
	wake_path(path, sizeof path, cli->conf.database);
	if (rc_final(rc))
		wake_send(path);
	return rc;
}

static enum rc
do_nothing(struct db *db, void *cookie)
{
	(void)db;
	(void)cookie;
	return RC_OK;
}

int
cli_note_first(struct cli *cli)
{
	enum rc rc = cli_transact(cli, do_nothing, NULL);

	return rc == RC_OK ? 0 : cli_fail(rc, NULL, "audit log");
}

/* Returns what a result means to an operator. */
static const char *
words(enum rc rc)
{
	switch (rc) {
	case RC_NOT_FOUND:
		return "there is no such thing in this service";
	case RC_EXISTS:
		return "is there already";
	case RC_BUSY:
	case RC_RETRY:
		return "the database is busy, and nothing was done: try again";
	case RC_UNAVAILABLE:
		return "the database, or a key, cannot be used";
	case RC_CORRUPT:
		return "what is stored is damaged, or sealed with a key that "
		       "is missing";
	case RC_MEMORY:
		return "there is no room for so much";
	default:
		return rc_name(rc);
	}
}

int
cli_fail(enum rc rc, const struct fault *fault, const char *what)
{
	if (fault != NULL && fault->detail[0] != '\0')
		warnx("%s: %s", what, fault->detail);
	else
		warnx("%s: %s", what, words(rc));
	return 1;
}

/* Finds the command that argv begins with; *words of it name it. */
static const struct command *
find_command(int argc, char **argv, int *words)
{
	const struct command *c;

	for (c = cli_commands; c->help != NULL; c++) {
		if (c->noun == NULL || strcmp(c->noun, argv[0]) != 0)
			continue;
		*words = c->verb != NULL ? 2 : 1;
		if (*words == 1 || (argc > 1 && strcmp(c->verb, argv[1]) == 0))
			return c;
	}
	return NULL;
}

/* Takes out of argv what any command may be asked: --json, which it gets by
 * cli, and --help, which is answered here. Returns the new argc. */
static int
take_common(struct cli *cli, int argc, char **argv)
{
	int i, kept = 1;
	bool options = true;

	for (i = 1; i < argc; i++) {
		if (options && strcmp(argv[i], "--help") == 0) {
			cli_help_command(cli->command);
			exit(0);
		}
		if (options && strcmp(argv[i], "--json") == 0 &&
		    cli_has_json(cli->command)) {
			cli->json = true;
			continue;
		}
		options = options && strcmp(argv[i], "--") != 0;
		argv[kept++] = argv[i];
	}
	argv[kept] = NULL;
	return kept;
}

/* Root becomes the owner of the folder that the database is in: of what root
 * made there, the programs could open nothing. Exits with a word about it if
 * that fails. */
static void
become_owner(const struct conf *conf)
{
	char folder[sizeof conf->database];
	const struct passwd *user;
	struct stat st;

	strcpy(folder, conf->database);
	strrchr(folder, '/')[1] = '\0';
	if (geteuid() != 0 || stat(folder, &st) != 0 || st.st_uid == 0)
		return;
	user = getpwuid(st.st_uid);
	if ((user != NULL ? initgroups(user->pw_name, st.st_gid)
			  : setgroups(0, NULL)) != 0 ||
	    setgid(st.st_gid) != 0 || setuid(st.st_uid) != 0)
		err(1, "cannot become the owner of %s", folder);
}

/* Whether a command writes where the owner of the database may not. */
static bool
stays_root(const struct command *command)
{
	return command->run == cli_backup || command->run == cli_rekey_start ||
	       command->run == cli_rekey_run;
}

/* Opens what the command needs; exits with a word about it if it cannot. */
static void
prepare(struct cli *cli)
{
	enum cli_needs needs = cli->command->needs;
	const char *service = cli->service_name;
	char error[CONF_ERROR_SIZE];

	if (needs == CLI_NEEDS_NOTHING)
		return;
	if (crypto_open() != RC_OK)
		errx(1, "no randomness to be had");
	if (conf_load(&cli->conf, cli->conf_path, error) != RC_OK)
		errx(1, "%s", error);
	if (!stays_root(cli->command))
		become_owner(&cli->conf);
	if (needs == CLI_NEEDS_CONF)
		return;
	if (conf_load_secrets(&cli->secrets, cli->conf.secrets, error) != RC_OK)
		errx(1, "%s", error);
	if (db_open(&cli->db, cli->conf.database, DB_USE) != RC_OK)
		errx(1, "%s cannot be used", cli->conf.database);
	if (needs == CLI_NEEDS_DB)
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
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	struct cli cli = { .user = getuid(), .conf_path = CONF_PATH };
	int c, words, status;

	log_open("callmask", LOG_WARN);
	log_plain();
	app_harden();
	/* The plus: options behind the command are the command's. */
	while ((c = getopt_long(argc, argv, "+c:s:hV", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			cli.conf_path = optarg;
			break;
		case 's':
			cli.service_name = optarg;
			break;
		case 'h':
			cli_help(stdout);
			return 0;
		case 'V':
			printf("callmask %s\n", VERSION);
			return 0;
		default:
			cli_help(stderr);
			return 2;
		}
	}
	argc -= optind;
	argv += optind;
	if (argc == 1 && strcmp(argv[0], "help") == 0) {
		cli_help(stdout);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--help") == 0 &&
	    find_command(argc, argv, &words) == NULL &&
	    cli_help_noun(stdout, argv[0]))
		return 0;
	if (argc < 1 ||
	    (cli.command = find_command(argc, argv, &words)) == NULL) {
		if (argc < 1 || !cli_help_noun(stderr, argv[0]))
			cli_help(stderr);
		return 2;
	}
	argv += words - 1;
	argc = take_common(&cli, argc - (words - 1), argv);
	prepare(&cli);
	optind = 0;
	cli.argc = argc;
	cli.argv = argv;
	if ((cli.noted = calloc((size_t)argc, 1)) == NULL)
		err(1, "arguments");
	status = cli.command->run(&cli, argc, argv);
	free(cli.noted);
	db_close(cli.db);
	crypto_wipe(&cli.secrets, sizeof cli.secrets);
	if (fflush(stdout) != 0)
		err(1, "standard output");
	return status;
}
