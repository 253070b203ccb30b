#ifndef CALLMASK_H
#define CALLMASK_H

/* The command line tool: what its commands share. */

#include "app.h"
#include "hook.h"
#include "service.h"

/* What a command runs with. */
struct cli {
	const char *conf_path;
	struct conf conf;
	struct secrets secrets; /* wiped at the end */
	struct db *db;          /* NULL for commands that open none */
	struct service service; /* the one --service names, or the only one */
};

/* A command: argv[0] is its last word. Returns the exit status. */
typedef int (*cli_command)(struct cli *cli, int argc, char **argv);

/* Returns what deeds need, for a deed now. */
struct mask cli_mask(const struct cli *cli);

/* Runs a deed in a write transaction and wakes the worker for what it may have
 * left to do. */
enum rc cli_transact(struct cli *cli, db_deed deed, void *cookie);

/* Says how a command is called and returns 2. */
int cli_usage(const char *usage);

/* Says what went wrong and returns 1. */
int cli_fail(enum rc rc, const struct fault *fault, const char *what);

/* Prints a secret that events are signed with, if there is one, and wipes
 * it. */
void cli_print_secret(struct hook_secret *secret);

int cli_init(struct cli *cli, int argc, char **argv);
int cli_migrate(struct cli *cli, int argc, char **argv);
int cli_doctor(struct cli *cli, int argc, char **argv);
int cli_key_add(struct cli *cli, int argc, char **argv);
int cli_key_list(struct cli *cli, int argc, char **argv);
int cli_key_revoke(struct cli *cli, int argc, char **argv);
int cli_number_add(struct cli *cli, int argc, char **argv);
int cli_number_list(struct cli *cli, int argc, char **argv);
int cli_number_set(struct cli *cli, int argc, char **argv);
int cli_service_show(struct cli *cli, int argc, char **argv);
int cli_service_set(struct cli *cli, int argc, char **argv);
int cli_plan(struct cli *cli, int argc, char **argv);
int cli_route_explain(struct cli *cli, int argc, char **argv);
int cli_session_list(struct cli *cli, int argc, char **argv);
int cli_session_show(struct cli *cli, int argc, char **argv);
int cli_webhook_show(struct cli *cli, int argc, char **argv);
int cli_webhook_rotate(struct cli *cli, int argc, char **argv);
int cli_webhook_test(struct cli *cli, int argc, char **argv);
int cli_outbox_list(struct cli *cli, int argc, char **argv);
int cli_outbox_show(struct cli *cli, int argc, char **argv);
int cli_outbox_retry(struct cli *cli, int argc, char **argv);
int cli_session_close(struct cli *cli, int argc, char **argv);

#endif
