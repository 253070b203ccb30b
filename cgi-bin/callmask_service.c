/* callmask key, number, session: what a service has. */

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apikey.h"
#include "callmask.h"
#include "number.h"
#include "timestamp.h"
#include "view.h"

#define LIST_MAX 50

/* A change to be made in a transaction, for each command what it needs. */
struct change {
	const struct cli *cli;
	struct mask mask;
	const char *what; /* key id, number, session id */
	struct apikey key;
	char key_text[APIKEY_SIZE];
	const char *state; /* of a number */
	struct session session;
	struct service service;
	struct hook_secret secret;
	struct fault fault;
};

/* Makes a change. */
static enum rc
make(struct cli *cli, db_deed deed, struct change *change)
{
	change->cli = cli;
	change->mask = cli_mask(cli);
	return cli_transact(cli, deed, change);
}

static enum rc
add_key(struct db *db, void *cookie)
{
	struct change *c = cookie;

	return apikey_insert(db, &c->key, c->key_text, c->mask.now_ms);
}

int
cli_key_add(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "role", required_argument, NULL, 'r' },
		{ "name", required_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 },
	};
	static const char usage[] = "key add [--role app|admin] --name name";
	struct change change = { .key = { .role = APIKEY_APP } };
	struct apikey *key = &change.key;
	enum rc rc;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'r':
			for (key->role = 0; key->role < APIKEY__MAX;
			     key->role++)
				if (strcmp(optarg, apikey_roles[key->role]) ==
				    0)
					break;
			if (key->role == APIKEY__MAX)
				return cli_usage(usage);
			break;
		case 'n':
			snprintf(key->name, sizeof key->name, "%s", optarg);
			break;
		default:
			return cli_usage(usage);
		}
	}
	if (key->name[0] == '\0' || optind != argc)
		return cli_usage(usage);
	strcpy(key->service_id, cli->service.id);
	if ((rc = make(cli, add_key, &change)) != RC_OK)
		return cli_fail(rc, NULL, "key");
	fprintf(stderr, "%s, shown this once:\n", key->id);
	puts(change.key_text);
	crypto_wipe(&change, sizeof change);
	return 0;
}

static void
print_key(void *cookie, const struct apikey *key)
{
	char made[TIMESTAMP_SIZE];

	(void)cookie;
	printf("%s  %-5s  %s  %-8s %s\n", key->id, apikey_roles[key->role],
	    timestamp_format(made, key->created_at),
	    key->revoked_at != 0 ? "revoked" : "valid", key->name);
}

int
cli_key_list(struct cli *cli, int argc, char **argv)
{
	enum rc rc;

	(void)argv;
	if (argc != 1)
		return cli_usage("key list");
	rc = apikey_list(cli->db, cli->service.id, print_key, NULL);
	return rc == RC_OK ? 0 : cli_fail(rc, NULL, "keys");
}

static enum rc
revoke_key(struct db *db, void *cookie)
{
	struct change *c = cookie;

	return apikey_revoke(
	    db, c->cli->service.id, c->what, c->mask.now_ms / 1000);
}

int
cli_key_revoke(struct cli *cli, int argc, char **argv)
{
	struct change change = { .what = argv[1] };
	enum rc rc;

	if (argc != 2)
		return cli_usage("key revoke key_…");
	rc = make(cli, revoke_key, &change);
	if (rc == RC_NOT_FOUND)
		errx(1, "%s: there is no such valid key", argv[1]);
	if (rc != RC_OK)
		return cli_fail(rc, NULL, argv[1]);
	printf("%s revoked\n", argv[1]);
	return 0;
}

static enum rc
add_number(struct db *db, void *cookie)
{
	struct change *c = cookie;

	(void)db;
	return mask_add_number(
	    &c->mask, c->cli->service.id, c->what, &c->fault);
}

int
cli_number_add(struct cli *cli, int argc, char **argv)
{
	int i, status = 0;
	enum rc rc;

	if (argc < 2)
		return cli_usage("number add +12025550199 …");
	for (i = 1; i < argc; i++) {
		struct change change = { .what = argv[i] };

		rc = make(cli, add_number, &change);
		if (rc != RC_OK)
			status = cli_fail(rc, &change.fault, argv[i]);
		else
			printf(
			    "%s added (%s)\n", argv[i], phone_country(argv[i]));
	}
	return status;
}

static void
print_number(void *cookie, const struct number *number)
{
	char used[TIMESTAMP_SIZE] = "never";

	(void)cookie;
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
		return cli_usage("number list");
	rc = number_list(
	    cli->db, cli->service.id, app_now_ms() / 1000, print_number, NULL);
	return rc == RC_OK ? 0 : cli_fail(rc, NULL, "numbers");
}

static enum rc
set_number_state(struct db *db, void *cookie)
{
	struct change *c = cookie;

	return number_set_state(db, c->cli->service.id, c->what, c->state);
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
		return cli_usage(
		    "number set active|reserved|draining|retired +1… …");
	for (i = 2; i < argc; i++) {
		struct change change = { .what = argv[i], .state = argv[1] };

		rc = make(cli, set_number_state, &change);
		if (rc != RC_OK)
			status = cli_fail(rc, NULL, argv[i]);
		else
			printf("%s is %s\n", argv[i], argv[1]);
	}
	return status;
}

int
cli_service_show(struct cli *cli, int argc, char **argv)
{
	const struct service_setting *setting = service_settings;
	char value[256];

	(void)argv;
	if (argc != 1)
		return cli_usage("service show");
	for (; setting->name != NULL; setting++) {
		service_show(&cli->service, setting, value, sizeof value);
		printf(
		    "%-15s %-20s # %s\n", setting->name, value, setting->help);
	}
	return 0;
}

static enum rc
update_service(struct db *db, void *cookie)
{
	struct change *c = cookie;
	enum rc rc;

	rc = service_update(db, &c->service);
	if (rc == RC_OK && c->service.webhook_url[0] != '\0')
		rc = hook_ensure(db, c->mask.keys, c->service.id, &c->secret,
		    c->mask.now_ms);
	return rc;
}

int
cli_service_set(struct cli *cli, int argc, char **argv)
{
	struct change change = { .service = cli->service };
	enum rc rc;
	char *value;
	int i;

	if (argc < 2)
		return cli_usage("service set setting=value …");
	for (i = 1; i < argc; i++) {
		if ((value = strchr(argv[i], '=')) == NULL)
			return cli_usage("service set setting=value …");
		*value++ = '\0';
		rc =
		    service_set(&change.service, argv[i], value, &change.fault);
		if (rc != RC_OK)
			return cli_fail(rc, &change.fault, argv[i]);
	}
	rc = service_check(
	    &change.service, cli->conf.private_webhooks, &change.fault);
	if (rc != RC_OK)
		return cli_fail(rc, &change.fault, change.fault.field);
	if ((rc = make(cli, update_service, &change)) != RC_OK)
		return cli_fail(rc, NULL, "service");
	cli_print_secret(&change.secret);
	return 0;
}

int
cli_session_list(struct cli *cli, int argc, char **argv)
{
	static const char usage[] =
	    "session list [open|lingering|closed|expired]";
	struct session_filter filter = { .limit = LIST_MAX,
		.status = SESSION__MAX };
	struct session sessions[LIST_MAX], *s;
	int64_t now = app_now_ms() / 1000;
	char expires[TIMESTAMP_SIZE];
	enum rc rc;
	int len;

	if (argc > 2)
		return cli_usage(usage);
	if (argc == 2) {
		for (filter.status = 0; filter.status < SESSION__MAX;
		     filter.status++)
			if (strcmp(argv[1],
				session_status_name(
				    (enum session_status)filter.status)) == 0)
				break;
		if (filter.status == SESSION__MAX)
			return cli_usage(usage);
	}
	rc = session_list(
	    cli->db, cli->service.id, &filter, now, sessions, &len);
	if (rc != RC_OK)
		return cli_fail(rc, NULL, "sessions");
	for (s = sessions; s < sessions + len; s++)
		printf("%s  %-7s  until %s  %s  %s\n", s->id,
		    session_status_name(session_status(s, now)),
		    timestamp_format(expires, s->expires_at),
		    s->parties[0].number, s->reference);
	return 0;
}

/* The calls of a session as they are read. */
int
cli_session_show(struct cli *cli, int argc, char **argv)
{
	struct mask mask = cli_mask(cli);
	struct mask_history history;
	struct buf json;
	enum rc rc;

	if (argc != 2)
		return cli_usage("session show ses_…");
	rc = mask_history(&mask, cli->service.id, argv[1], &history);
	if (rc != RC_OK)
		return cli_fail(rc, NULL, argv[1]);
	buf_init(&json, 0);
	if (view_session_history(&json, &history, mask.now_ms / 1000) == RC_OK)
		puts(buf_text(&json));
	buf_free(&json);
	return 0;
}

static enum rc
close_session(struct db *db, void *cookie)
{
	struct change *c = cookie;

	(void)db;
	return mask_close(&c->mask, c->cli->service.id, c->what,
	    &(struct session_closing){ .linger_s = 0 }, &c->session, &c->fault);
}

int
cli_session_close(struct cli *cli, int argc, char **argv)
{
	struct change change = { .what = argv[1] };
	struct buf json;
	enum rc rc;

	if (argc != 2)
		return cli_usage("session close ses_…");
	if ((rc = make(cli, close_session, &change)) != RC_OK)
		return cli_fail(rc, NULL, argv[1]);
	buf_init(&json, 0);
	if (view_session(&json, &change.session, change.mask.now_ms / 1000) ==
	    RC_OK)
		puts(buf_text(&json));
	buf_free(&json);
	return 0;
}
