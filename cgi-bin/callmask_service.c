/* callmask key, number, service: what a service has and how it is set. */

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apikey.h"
#include "callmask.h"
#include "number.h"
#include "timestamp.h"

#define SETTINGS_MAX 48 /* no service has more */

/* A change to be made in a transaction, for each command what it needs. */
struct change {
	const struct cli *cli;
	struct mask mask;
	const char *what; /* key id, number */
	struct apikey key;
	char key_text[APIKEY_SIZE];
	const char *state; /* of a number */
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
				return cli_usage(cli);
			break;
		case 'n':
			rc = apikey_check_name(optarg, &change.fault);
			if (rc != RC_OK)
				return cli_fail(rc, &change.fault, "--name");
			strcpy(key->name, optarg);
			break;
		default:
			return cli_usage(cli);
		}
	}
	if (key->name[0] == '\0' || optind != argc)
		return cli_usage(cli);
	strcpy(key->service_id, cli->service.id);
	cli->subject = key->id;
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
	const struct cli *cli = cookie;
	char made[TIMESTAMP_SIZE];

	if (cli->json) {
		cli_json(CLI_FIELDS(CLI_TEXT("id", key->id),
		    CLI_TEXT("role", apikey_roles[key->role]),
		    CLI_TEXT("name", key->name),
		    CLI_TIME("created_at", key->created_at),
		    CLI_TIME("revoked_at", key->revoked_at)));
		return;
	}
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
		return cli_usage(cli);
	rc = apikey_list(cli->db, cli->service.id, print_key, cli);
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
		return cli_usage(cli);
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
		return cli_usage(cli);
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
		return cli_usage(cli);
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

/* Prints the settings as one object: numbers as numbers. */
static int
print_settings(const struct service *service)
{
	struct cli_field fields[SETTINGS_MAX + 2] = { CLI_TEXT(
	    "name", service->name) };
	char values[SETTINGS_MAX][256];
	const struct service_setting *setting;
	int i;

	for (i = 0; i < SETTINGS_MAX; i++) {
		setting = &service_settings[i];
		if (setting->name == NULL)
			break;
		service_show(service, setting, values[i], sizeof values[i]);
		fields[i + 1] =
		    (struct cli_field)CLI_TEXT(setting->name, values[i]);
		if (setting->kind == SERVICE_NUMBER)
			fields[i + 1] = (struct cli_field)CLI_INT(
			    setting->name, strtoll(values[i], NULL, 10));
	}
	cli_json(fields);
	return 0;
}

int
cli_service_show(struct cli *cli, int argc, char **argv)
{
	const struct service_setting *setting = service_settings;
	char value[256];

	(void)argv;
	if (argc != 1)
		return cli_usage(cli);
	if (cli->json)
		return print_settings(&cli->service);
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
		return cli_usage(cli);
	for (i = 1; i < argc; i++) {
		if ((value = strchr(argv[i], '=')) == NULL)
			return cli_usage(cli);
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
