/* callmask key, service: who may use a service and how it is set. */

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apikey.h"
#include "callmask.h"
#include "timestamp.h"

#define SETTINGS_MAX 48 /* no service has more */

/* A change to be made in a transaction, for each command what it needs. */
struct change {
	const struct cli *cli;
	struct mask mask;
	const char *what;      /* key id */
	char *const *settings; /* each a name, NUL, a value; ends with NULL */
	struct apikey key;
	char key_text[APIKEY_SIZE];
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
	if (cli->json) {
		cli_json(CLI_FIELDS(CLI_TEXT("id", key->id),
		    CLI_TEXT("role", apikey_roles[key->role]),
		    CLI_TEXT("name", key->name),
		    CLI_TEXT("key", change.key_text)));
	} else {
		fprintf(stderr, "%s, shown this once:\n", key->id);
		puts(change.key_text);
	}
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
	if (cli->json)
		cli_json(CLI_FIELDS(CLI_TEXT("id", argv[1]),
		    CLI_TIME("revoked_at", change.mask.now_ms / 1000)));
	else
		printf("%s revoked\n", argv[1]);
	return 0;
}

/* Prints the settings as one object: numbers as numbers. With a secret, if that
 * is not NULL. */
static void
print_settings(const struct service *service, const char *secret)
{
	struct cli_field fields[SETTINGS_MAX + 3] = { CLI_TEXT(
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
	if (secret != NULL)
		fields[i + 1] =
		    (struct cli_field)CLI_TEXT("webhook_secret", secret);
	cli_json(fields);
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
		print_settings(&cli->service, NULL);
	for (; !cli->json && setting->name != NULL; setting++) {
		service_show(&cli->service, setting, value, sizeof value);
		printf(
		    "%-15s %-20s # %s\n", setting->name, value, setting->help);
	}
	return 0;
}

/* Sets what the arguments name, on the settings as they are by now: the panel
 * may have changed others. */
static enum rc
update_service(struct db *db, void *cookie)
{
	struct change *c = cookie;
	struct service *service = &c->service;
	enum rc rc;
	int i;

	rc = service_find(db, service, c->cli->service.id);
	for (i = 0; rc == RC_OK && c->settings[i] != NULL; i++) {
		c->what = c->settings[i];
		rc = service_set(
		    service, c->what, c->what + strlen(c->what) + 1, &c->fault);
	}
	if (rc == RC_OK)
		rc = service_check(
		    service, c->cli->conf.private_webhooks, &c->fault);
	if (rc == RC_OK)
		rc = service_update(db, service);
	if (rc == RC_OK && service->webhook_url[0] != '\0')
		rc = hook_ensure(
		    db, c->mask.keys, service->id, &c->secret, c->mask.now_ms);
	return rc;
}

int
cli_service_set(struct cli *cli, int argc, char **argv)
{
	struct change change = { .settings = argv + 1 };
	char *value;
	enum rc rc;
	int i;

	if (argc < 2)
		return cli_usage(cli);
	for (i = 1; i < argc; i++) {
		if ((value = strchr(argv[i], '=')) == NULL)
			return cli_usage(cli);
		*value = '\0';
	}
	if ((rc = make(cli, update_service, &change)) != RC_OK)
		return cli_fail(rc, &change.fault,
		    change.fault.field[0] != '\0' ? change.fault.field
						  : change.what);
	if (cli->json)
		print_settings(&change.service, change.secret.text);
	else
		cli_print_secret(&change.secret);
	crypto_wipe(&change, sizeof change);
	return 0;
}
