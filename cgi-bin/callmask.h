#ifndef CALLMASK_H
#define CALLMASK_H

/* The command line tool: what its commands share. */

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <termios.h>

#include "app.h"
#include "buf.h"
#include "hook.h"
#include "http.h"
#include "number.h"
#include "service.h"
#include "twilio_number.h"
#include "twilio_rest.h"

/* What a command runs with. */
struct cli {
	uid_t user; /* who runs it, for the audit log */
	const char *conf_path;
	struct conf conf;
	struct secrets secrets;   /* wiped at the end */
	struct db *db;            /* NULL for commands that open none */
	struct service service;   /* the one --service names, or the only one */
	const char *service_name; /* what -s named; NULL: nothing */
	const struct command *command; /* the one that runs */
	bool json;                     /* --json was said */
	int argc;                      /* arguments of the command */
	char **argv;
	char *noted;         /* argc bytes: what of them is in the audit log */
	const char *subject; /* for the audit log: the id of what is made */
};

/* An argument is in the audit log; it is if this transaction is committed. */
enum {
	CLI_NOTED = 1,
	CLI_NOTING
};

/* How much a command needs before it runs. */
enum cli_needs {
	CLI_NEEDS_NOTHING,
	CLI_NEEDS_CONF,     /* the configuration */
	CLI_NEEDS_DB,       /* … and database and keys */
	CLI_NEEDS_SERVICE,  /* … and one service */
	CLI_CHANGES_SERVICE /* … which it changes: goes into the audit log */
};

#define CLI_NAME_SIZE 32 /* bytes of a command's name, with NUL */

/* A row of the table of commands. */
struct command {
	const char *noun; /* NULL: help is a heading */
	const char *verb; /* NULL: the noun says it all */
	enum cli_needs needs;
	/* Runs it; argv[0] is its last word. Returns the exit status. */
	int (*run)(struct cli *cli, int argc, char **argv);
	const char *usage; /* what follows the name; a line for each way */
	const char *help;  /* what it does; NULL ends the table */
};

extern const struct command cli_commands[];

/* Whether a command knows --json: all but those that say nothing about an
 * installation. */
bool cli_has_json(const struct command *command);

/* Prints all commands; those of a noun, if there are any; how one is
 * called. */
void cli_help(FILE *to);
bool cli_help_noun(FILE *to, const char *noun);
void cli_help_command(const struct command *command);

/* Returns what deeds need, for a deed now. */
struct mask cli_mask(const struct cli *cli);

/* Runs a deed in a write transaction, notes it in the audit log if the command
 * is one that changes the service, and wakes the worker for what it may have
 * left to do. */
enum rc cli_transact(struct cli *cli, db_deed deed, void *cookie);

/* Notes a command in the audit log before what it does elsewhere, or before it
 * shows personal data. Returns 0, or 1 after saying what went wrong. */
int cli_note_first(struct cli *cli);

/*
 * Notes in the audit log that the command has changed something: for each id
 * and masked number among its arguments once, or for what cli->subject says. In
 * a write transaction.
 */
enum rc cli_note_change(struct cli *cli, struct db *db);

/* Notes that the command was run on something of a service; subject is an id or
 * "". In a write transaction. */
enum rc cli_note(const struct cli *cli, struct db *db, const char *service_id,
    const char *subject);

/* Says how the command is called and returns 2. */
int cli_usage(const struct cli *cli);

/* Says what went wrong and returns 1. */
int cli_fail(enum rc rc, const struct fault *fault, const char *what);

/* A member of an object that is printed for --json; made by the macros
 * below. */
struct cli_field {
	const char *name; /* NULL ends the list */
	enum {
		CLI_FIELD_TEXT,
		CLI_FIELD_INT,
		CLI_FIELD_TIME,
		CLI_FIELD_BOOL,
		CLI_FIELD_JSON,
		CLI_FIELD_LIST
	} kind;
	const char *text;
	int64_t number;
};

/* clang-format off */
#define CLI_FIELDS(...) ((const struct cli_field[]){ __VA_ARGS__, { .name = NULL } })
/* "" becomes null. */
#define CLI_TEXT(key, value) \
	{ .name = (key), .kind = CLI_FIELD_TEXT, .text = (value) }
#define CLI_INT(key, value) \
	{ .name = (key), .kind = CLI_FIELD_INT, .number = (value) }
/* Epoch seconds; 0 becomes null. */
#define CLI_TIME(key, value) \
	{ .name = (key), .kind = CLI_FIELD_TIME, .number = (value) }
#define CLI_BOOL(key, value) \
	{ .name = (key), .kind = CLI_FIELD_BOOL, .number = (value) }
/* What cli_json_add has made one after the other, as a list. */
#define CLI_LIST(key, value) \
	{ .name = (key), .kind = CLI_FIELD_LIST, .text = buf_text(value) }
/* What is JSON already. */
#define CLI_VALUE(key, value) \
	{ .name = (key), .kind = CLI_FIELD_JSON, .text = (value) }
/* clang-format on */

/* Most bytes of an object that is printed. */
#define CLI_JSON_MAX ((size_t)256 * 1024 * 1024)

/* Prints an object on a line of its own. */
void cli_json(const struct cli_field *fields);

/* Appends an object, behind a comma unless it is the first. */
void cli_json_add(struct buf *out, const struct cli_field *fields);

/* Prints a secret that events are signed with, if there is one, and wipes
 * it. */
void cli_print_secret(struct hook_secret *secret);

/* Talking to Twilio's REST API, and what it answered last. */
struct cli_twilio {
	const struct cli *cli;
	struct http *http;
	enum twilio_verdict verdict;
	int status;                /* 0: no answer came; see error */
	int64_t date_s;            /* its clock, by the second; 0: not said */
	int64_t retry_s;           /* not sooner than in so many seconds */
	struct twilio_reply reply; /* what it said */
	struct buf body;           /* all of it */
	char error[HTTP_ERROR_SIZE];
};

/* Returns 0, or 1 after saying what is missing. */
int cli_twilio_open(struct cli_twilio *twilio, const struct cli *cli);

/* Releases it. */
void cli_twilio_close(struct cli_twilio *twilio);

/* Sends a request that was begun, a few times if Twilio has too much to do,
 * and releases it. */
enum twilio_verdict cli_twilio_ask(
    struct cli_twilio *twilio, struct twilio_rest *rest);

/* Writes why the last request was not answered by yes. */
void cli_twilio_why(const struct cli_twilio *twilio, char *out, size_t size);

/* Says so and returns 1. */
int cli_twilio_fail(const struct cli_twilio *twilio, const char *what);

/* Looks for a number in the account. Returns 0 with its SID, "" if it is not
 * there, or 1 after saying what went wrong. */
int cli_twilio_find(
    struct cli_twilio *twilio, const char *number, char sid[TWILIO_SID_SIZE]);

/* Adds a number to the pool, or with trial looks whether it could be. Returns
 * 0, or 1 after saying why not. */
int cli_number_put(struct cli *cli, const char *number, bool trial);

/* Reads masked numbers from a file, "-" for standard input: PHONE_SIZE bytes
 * each, to be freed in any case. Returns 0, or 1 after saying which lines are
 * wrong. */
int cli_list_read(const char *path, struct buf *numbers);

/* Reads a real number from the command line, or from standard input for "-",
 * and keeps it from being shown by ps(1) any longer. */
void cli_read_phone(char phone[PHONE_SIZE + 1], char *argument);

/* Has the operator agree; yes: they have. Returns 0, else the status to exit
 * with. */
int cli_confirm(const char *question, bool yes);

/* Puts on stable storage which files the directory of path has. Returns 0, or
 * -1 with errno. */
int cli_sync_directory(const char *path);

/* Shows on a terminal how far something is; total 0 clears it away. */
void cli_progress(const char *what, size_t done, size_t total);

/* A terminal, standard input and output, that is redrawn in place. */
struct cli_screen {
	struct termios before; /* as it was */
	sigset_t mask;         /* the same for signals */
	int signals;           /* where they are read */
};

/* Takes the terminal. Returns 0, or 1 after saying why not. */
int cli_screen_open(struct cli_screen *screen);

/* Gives it back as it was. */
void cli_screen_close(struct cli_screen *screen);

/* Shows lines, as much of them as there is room for. Returns false if the
 * terminal is gone. */
bool cli_screen_draw(const char *text);

/* Waits for so long, or until a key or a change of the window's size. Returns
 * false if it is to end: by q, Ctrl-C or a signal. */
bool cli_screen_wait(const struct cli_screen *screen, int64_t ms);

/* A number of the service's pool, and what Twilio says of it. */
struct cli_member {
	struct number pool;
	bool found; /* the account has it */
	struct twilio_number at_twilio;
};

/* The pool of the service beside the numbers of the account. */
struct cli_pool {
	struct buf memory;          /* of members */
	struct cli_member *members; /* in order of their numbers */
	size_t len;
	struct buf strangers; /* numbers in no pool, PHONE_SIZE bytes each */
	char why[300];        /* it could not be read; "": it was */
};

/* Reads both into *pool, to be freed in any case. Returns 0, or 1 with
 * pool->why. */
int cli_pool_read(struct cli_twilio *twilio, struct cli_pool *pool);

/* Releases it. */
void cli_pool_free(struct cli_pool *pool);

/* Returns whether callers of a number reach us. One that is retired need not be
 * in the account. */
bool cli_member_right(
    const struct cli_member *member, const struct twilio_number *wanted);

int cli_completion(struct cli *cli, int argc, char **argv);
int cli_init(struct cli *cli, int argc, char **argv);
int cli_audit_list(struct cli *cli, int argc, char **argv);
int cli_audit_verify(struct cli *cli, int argc, char **argv);
int cli_migrate(struct cli *cli, int argc, char **argv);
int cli_backup(struct cli *cli, int argc, char **argv);
int cli_restore(struct cli *cli, int argc, char **argv);
int cli_rekey_start(struct cli *cli, int argc, char **argv);
int cli_rekey_run(struct cli *cli, int argc, char **argv);
int cli_top(struct cli *cli, int argc, char **argv);
int cli_doctor(struct cli *cli, int argc, char **argv);
int cli_key_add(struct cli *cli, int argc, char **argv);
int cli_key_list(struct cli *cli, int argc, char **argv);
int cli_key_revoke(struct cli *cli, int argc, char **argv);
int cli_number_add(struct cli *cli, int argc, char **argv);
int cli_number_list(struct cli *cli, int argc, char **argv);
int cli_number_set(struct cli *cli, int argc, char **argv);
int cli_number_sync(struct cli *cli, int argc, char **argv);
int cli_number_search(struct cli *cli, int argc, char **argv);
int cli_number_buy(struct cli *cli, int argc, char **argv);
int cli_number_release(struct cli *cli, int argc, char **argv);
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
int cli_erase_session(struct cli *cli, int argc, char **argv);
int cli_erase_person(struct cli *cli, int argc, char **argv);
int cli_export_person(struct cli *cli, int argc, char **argv);
int cli_export_session(struct cli *cli, int argc, char **argv);
int cli_erase_show(struct cli *cli, int argc, char **argv);

#endif
