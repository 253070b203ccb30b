/* callmask init, migrate: setting up. */

#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apikey.h"
#include "callmask.h"

/* Appends fresh keys to the secrets file, which it makes if need be, unless
 * there are some; *made tells. Returns 0, or 1 after saying why not. */
static int
make_keys(struct cli *cli, bool *made)
{
	const char *path = cli->conf.secrets;
	char error[CONF_ERROR_SIZE], sealing[CRYPTO_BASE64_SIZE(32)],
	    lookup[CRYPTO_BASE64_SIZE(32)];
	uint8_t key[CRYPTO_KEY_SIZE];
	FILE *file;
	enum rc rc;
	int fd;

	*made = false;
	rc = conf_load_secrets(&cli->secrets, path, error);
	if (rc == RC_OK && cli->secrets.keys.sealing_len != 0)
		return 0;
	if (rc != RC_OK && !(rc == RC_UNAVAILABLE && errno == ENOENT)) {
		warnx("%s", error);
		return 1;
	}
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0 || (file = fdopen(fd, "a")) == NULL) {
		warn("%s", path);
		return 1;
	}
	crypto_random(key, sizeof key);
	crypto_base64(sealing, sizeof sealing, key, sizeof key);
	crypto_random(key, sizeof key);
	crypto_base64(lookup, sizeof lookup, key, sizeof key);
	fprintf(file,
	    "# Without these keys the phone numbers in the database are lost.\n"
	    "sealing_keys = 1:%s\nlookup_key = %s\n",
	    sealing, lookup);
	crypto_wipe(key, sizeof key);
	crypto_wipe(sealing, sizeof sealing);
	crypto_wipe(lookup, sizeof lookup);
	if (fflush(file) != 0 || fsync(fd) != 0 || fclose(file) != 0) {
		warn("%s", path);
		return 1;
	}
	*made = true;
	if (!cli->json)
		fprintf(stderr,
		    "keys written to %s: keep a copy in a safe place\n", path);
	if ((rc = conf_load_secrets(&cli->secrets, path, error)) != RC_OK) {
		warnx("%s", error);
		return 1;
	}
	return 0;
}

/* What init writes in one transaction. */
struct founding {
	const struct cli *cli;
	int64_t now_ms;
	const struct crypto_keys *keys;
	struct service service;
	struct hook_secret secret;
	char key[APIKEY_SIZE];
};

static enum rc
found_service(struct db *db, void *cookie)
{
	struct founding *f = cookie;
	struct apikey key = { .role = APIKEY_ADMIN, .name = "admin" };
	enum rc rc;

	rc = service_insert(db, &f->service, f->now_ms);
	if (rc != RC_OK)
		return rc;
	strcpy(key.service_id, f->service.id);
	rc = apikey_insert(db, &key, f->key, f->now_ms);
	if (rc == RC_OK && f->service.webhook_url[0] != '\0')
		rc =
		    hook_add(db, f->keys, f->service.id, &f->secret, f->now_ms);
	return rc == RC_OK ? cli_note(f->cli, db, f->service.id, key.id) : rc;
}

/* Reads init's options: --service, and any setting by its name. Returns 0, or
 * 2 after saying what is wrong. */
static int
read_options(struct service *service, int argc, char **argv)
{
	struct option options[32] = {
		{ "service", required_argument, NULL, 's' },
	};
	struct fault fault;
	size_t i;
	int c, at = 0;

	for (i = 0; service_settings[i].name != NULL; i++)
		options[i + 1] = (struct option){ service_settings[i].name,
			required_argument, NULL, 'o' };
	while ((c = getopt_long(argc, argv, "", options, &at)) != -1) {
		if (c == 's') {
			snprintf(
			    service->name, sizeof service->name, "%s", optarg);
		} else if (c != 'o') {
			return 2;
		} else if (service_set(service, options[at].name, optarg,
			       &fault) != RC_OK) {
			warnx("--%s: %s", options[at].name, fault.detail);
			return 2;
		}
	}
	return optind == argc ? 0 : 2;
}

/* Says what was made. */
static void
tell_founded(const struct cli *cli, struct founding *f, bool keys_made)
{
	if (cli->json) {
		cli_json(CLI_FIELDS(CLI_TEXT("service", f->service.name),
		    CLI_TEXT("service_id", f->service.id),
		    CLI_TEXT("admin_key", f->key),
		    CLI_TEXT("webhook_secret", f->secret.text),
		    CLI_TEXT("database", cli->conf.database),
		    CLI_TEXT("secrets", cli->conf.secrets),
		    CLI_BOOL("keys_made", keys_made)));
		return;
	}
	fprintf(stderr,
	    "service %s made; its admin key, shown this once, is:\n",
	    f->service.name);
	puts(f->key);
	cli_print_secret(&f->secret);
}

int
cli_init(struct cli *cli, int argc, char **argv)
{
	struct founding f = {
		.cli = cli, .now_ms = app_now_ms(), .keys = &cli->secrets.keys
	};
	struct service *service = &f.service;
	struct fault fault;
	bool keys_made;
	enum rc rc;

	service_init(service);
	if (read_options(service, argc, argv) != 0 ||
	    service->name[0] == '\0' || service->countries[0] == '\0')
		return cli_usage(cli);
	if (service->ttl_default_s > service->ttl_max_s)
		service->ttl_default_s = service->ttl_max_s;
	rc = service_check(service, cli->conf.private_webhooks, &fault);
	if (rc != RC_OK)
		return cli_fail(rc, &fault, fault.field);

	umask(0007);
	if (make_keys(cli, &keys_made) != 0)
		return 1;
	if (db_open(&cli->db, cli->conf.database, DB_CREATE) != RC_OK)
		return 1;
	if ((rc = db_migrate(cli->db, f.now_ms / 1000)) != RC_OK)
		return cli_fail(rc, NULL, "database");
	rc = db_transact(cli->db, DB_WAIT_MS, found_service, &f);
	if (rc == RC_EXISTS) {
		warnx("there is a service %s already", service->name);
		return 1;
	}
	if (rc != RC_OK)
		return cli_fail(rc, NULL, "service");
	tell_founded(cli, &f, keys_made);
	crypto_wipe(&f, sizeof f);
	return 0;
}

int
cli_migrate(struct cli *cli, int argc, char **argv)
{
	int64_t before, after;
	enum rc rc;

	(void)argv;
	if (argc != 1)
		return cli_usage(cli);
	if ((rc = db_open(&cli->db, cli->conf.database, DB_INSPECT)) != RC_OK ||
	    (rc = db_version(cli->db, &before)) != RC_OK ||
	    (rc = db_migrate(cli->db, app_now_ms() / 1000)) != RC_OK ||
	    (rc = db_version(cli->db, &after)) != RC_OK)
		return cli_fail(rc, NULL, cli->conf.database);
	if (cli->json)
		cli_json(CLI_FIELDS(CLI_TEXT("database", cli->conf.database),
		    CLI_INT("version_before", before),
		    CLI_INT("version", after)));
	else if (before == after)
		printf("%s is at version %lld already\n", cli->conf.database,
		    (long long)after);
	else
		printf("%s brought from version %lld to %lld\n",
		    cli->conf.database, (long long)before, (long long)after);
	return 0;
}
