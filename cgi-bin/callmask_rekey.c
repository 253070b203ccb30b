/*
 * callmask rekey: a new sealing key, without a call that is not connected.
 * Programs read their keys when they start, so a key must be known to all of
 * them before anything is sealed with it: `rekey start` adds it behind the
 * others, `rekey run` puts it in front and seals anew what others sealed. The
 * newest key is the one with the highest number.
 */

#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "callmask.h"
#include "reseal.h"

#define NAME "sealing_keys"
#define BLANKS " \t\r\n"
#define KEY_ID_MAX 255
#define PASSES_MAX 3 /* until nothing is found that is to be sealed anew */
#define BUSY_MAX 10  /* times that the turn to write does not come */

/* A key as the secrets file has it: NUMBER:BASE64. */
typedef char key_text[8 + CRYPTO_BASE64_SIZE(CRYPTO_KEY_SIZE)];

static void
write_key(key_text out, const struct crypto_key *key)
{
	int len = snprintf(out, sizeof(key_text), "%d:", key->id);

	crypto_base64(out + len, sizeof(key_text) - (size_t)len, key->key,
	    sizeof key->key);
}

static const struct crypto_key *
newest_key(const struct crypto_keys *keys)
{
	const struct crypto_key *newest = &keys->sealing[0];
	size_t i;

	for (i = 1; i < keys->sealing_len; i++)
		if (keys->sealing[i].id > newest->id)
			newest = &keys->sealing[i];
	return newest;
}

/* Returns where the values of a line of sealing keys begin, or NULL. */
static const char *
find_values(const char *line)
{
	line += strspn(line, BLANKS);
	if (strncmp(line, NAME, sizeof NAME - 1) != 0)
		return NULL;
	line += sizeof NAME - 1;
	line += strspn(line, BLANKS);
	return *line == '=' ? line + 1 : NULL;
}

/* Copies a line of sealing keys without one of them; nothing of the line stays
 * if that was the only one. */
static void
copy_others(FILE *to, const char *values, const char *without)
{
	bool any = false;
	size_t len;

	for (;; values += len) {
		values += strspn(values, BLANKS);
		if ((len = strcspn(values, BLANKS)) == 0)
			break;
		if (len == strlen(without) &&
		    strncmp(values, without, len) == 0)
			continue;
		fprintf(to, "%s %.*s", any ? "" : NAME " =", (int)len, values);
		any = true;
	}
	if (any)
		putc('\n', to);
}

/* Copies the secrets with a key at its place: in front of all others, or
 * behind all. */
static void
copy_secrets(FILE *from, FILE *to, const char *key, bool in_front)
{
	const char *values;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	bool newline = true, done = false;

	while ((len = getline(&line, &size, from)) > 0) {
		newline = line[len - 1] == '\n';
		values = in_front ? find_values(line) : NULL;
		if (values == NULL) {
			fputs(line, to);
			continue;
		}
		if (!done)
			fprintf(to, "%s = %s\n", NAME, key);
		done = true;
		copy_others(to, values, key);
	}
	if (!done)
		fprintf(to, "%s%s = %s\n", newline ? "" : "\n", NAME, key);
	if (line != NULL)
		crypto_wipe(line, size);
	free(line);
}

/* Whether the secrets at path are those we have, and the key where it is to
 * be. Whoever has written the file in some other way than we know edits it. */
static bool
is_right(const struct cli *cli, const char *path, const struct crypto_key *key,
    bool in_front)
{
	const struct crypto_keys *old = &cli->secrets.keys;
	char error[CONF_ERROR_SIZE];
	struct secrets read = { .tokens_len = 0 };
	struct crypto_keys *new = &read.keys;
	size_t i, found = 0, len = old->sealing_len + (in_front ? 0 : 1);
	bool right;

	right = conf_load_secrets(&read, path, error) == RC_OK &&
		new->sealing_len ==
		    len &&new->sealing[in_front ? 0 : len - 1].id ==
		    key->id &&crypto_equal(
			new->lookup, old->lookup, sizeof new->lookup) &&
		strcmp(read.account_sid, cli->secrets.account_sid) == 0 &&
		read.tokens_len == cli->secrets.tokens_len;
	for (i = 0; right && i < old->sealing_len * len; i++)
		found += new->sealing[i % len].id ==
			 old->sealing[i / len].id &&crypto_equal(
			     new->sealing[i % len].key,
			     old->sealing[i / len].key, CRYPTO_KEY_SIZE);
	crypto_wipe(&read, sizeof read);
	return right && found == old->sealing_len;
}

/* Writes the secrets file anew, with a key in its place: whole, or not.
 * Returns 0, or 1 after saying why not. */
static int
place_key(struct cli *cli, const struct crypto_key *key, bool in_front)
{
	const char *path = cli->conf.secrets;
	char part[sizeof cli->conf.secrets + 8];
	FILE *from = NULL, *to = NULL;
	struct stat st;
	key_text text;
	int fd = -1, status = 1;

	snprintf(part, sizeof part, "%s.part", path);
	unlink(part); /* of one that was broken off */
	write_key(text, key);
	if ((from = fopen(path, "re")) == NULL ||
	    fstat(fileno(from), &st) != 0 ||
	    (fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) <
		0 ||
	    (to = fdopen(fd, "w")) == NULL ||
	    fchown(fd, st.st_uid, st.st_gid) != 0 ||
	    fchmod(fd, st.st_mode & 07777) != 0)
		goto out;
	copy_secrets(from, to, text, in_front);
	if (ferror(from) || fflush(to) != 0 || fsync(fd) != 0)
		goto out;
	if (!is_right(cli, part, key, in_front)) {
		errno = 0;
		goto out;
	}
	if (rename(part, path) == 0 && cli_sync_directory(path) == 0)
		status = 0;
out:
	if (status != 0 && errno != 0)
		warn("%s cannot be written anew", path);
	else if (status != 0)
		warnx("%s is written in a way that is not understood here: "
		      "put key %d %s yourself",
		    path, key->id, in_front ? "in front" : "behind the others");
	if (status != 0)
		unlink(part);
	crypto_wipe(text, sizeof text);
	if (from != NULL)
		fclose(from);
	if (to != NULL)
		fclose(to);
	else if (fd >= 0)
		close(fd);
	return status;
}

/* Reads the secrets; exits with a word about it if it cannot. */
static void
load(struct cli *cli)
{
	char error[CONF_ERROR_SIZE];

	if (conf_load_secrets(&cli->secrets, cli->conf.secrets, error) != RC_OK)
		errx(1, "%s", error);
	if (cli->secrets.keys.sealing_len == 0)
		errx(1, "no sealing keys: run callmask init");
}

int
cli_rekey_start(struct cli *cli, int argc, char **argv)
{
	const struct crypto_keys *keys = &cli->secrets.keys;
	const struct crypto_key *newest;
	struct crypto_key key;
	int status;

	(void)argv;
	if (argc != 1)
		return cli_usage(cli);
	load(cli);
	newest = newest_key(keys);
	if (newest != &keys->sealing[0])
		errx(1, "key %d is there and not used yet: callmask rekey run",
		    newest->id);
	if (keys->sealing_len == CRYPTO_KEYS_MAX || newest->id == KEY_ID_MAX)
		errx(1, "no room in " NAME " for another key: take those out "
			"that are not used");
	key.id = (uint8_t)(newest->id + 1);
	crypto_random(key.key, sizeof key.key);
	status = place_key(cli, &key, false);
	if (status == 0 && cli->json)
		cli_json(CLI_FIELDS(CLI_INT("key", key.id),
		    CLI_TEXT("secrets", cli->conf.secrets)));
	else if (status == 0)
		printf("key %d is made, and seals nothing yet\n"
		       "now: keep a copy of %s\n"
		       "     restart all programs (systemctl restart "
		       "callmask.target)\n"
		       "     callmask rekey run\n",
		    key.id, cli->conf.secrets);
	crypto_wipe(&key, sizeof key);
	return status;
}

static void
show(void *cookie, size_t done, size_t total)
{
	(void)cookie;
	cli_progress("sealing anew", done, total);
}

/* Seals all anew, until there is nothing left, and sums up how much that was;
 * report is of the last pass. Returns 0, or 1 after saying why not. */
static int
seal_all(struct cli *cli, struct reseal_report *report, int64_t *resealed)
{
	int passes = 0, busy = 0;
	enum rc rc;

	do {
		rc = reseal_pass(
		    cli->db, &cli->secrets.keys, report, show, NULL);
		*resealed += report->resealed;
		busy += rc == RC_BUSY;
	} while ((rc == RC_BUSY && busy < BUSY_MAX) ||
		 (rc == RC_OK && report->resealed + report->missed != 0 &&
		     ++passes < PASSES_MAX));
	cli_progress("", 0, 0);
	if (rc != RC_OK) {
		cli_fail(rc, NULL, "rekey");
		warnx("what is done is done: run this again");
		return 1;
	}
	return 0;
}

/* Whether a key may be used after a pass: by what it found, or by programs
 * that go on with it. */
static bool
in_use(const struct reseal_report *report, int id)
{
	return report->used[id] || report->resealed + report->missed != 0;
}

/* Says what was done, and which keys can go, as an object. */
static void
tell_json(const struct cli *cli, const struct reseal_report *report,
    int64_t resealed, bool promoted)
{
	const struct crypto_keys *keys = &cli->secrets.keys;
	struct buf unused;
	size_t i;

	buf_init(&unused, 0);
	for (i = 1; !promoted && i < keys->sealing_len; i++)
		if (!in_use(report, keys->sealing[i].id))
			buf_printf(&unused, "%s%d", unused.len != 0 ? ", " : "",
			    keys->sealing[i].id);
	cli_json(CLI_FIELDS(CLI_INT("key", keys->sealing[0].id),
	    CLI_BOOL("put_in_front", promoted), CLI_INT("resealed", resealed),
	    CLI_INT("unreadable", report->unreadable),
	    CLI_LIST("unused_keys", &unused)));
	buf_free(&unused);
}

/* Says which keys can go, by a last pass. */
static void
tell_unused(const struct cli *cli, const struct reseal_report *report)
{
	const struct crypto_keys *keys = &cli->secrets.keys;
	size_t i;

	if (report->resealed + report->missed != 0) {
		printf("programs go on to seal with an older key: restart "
		       "them, then callmask rekey run\n");
		return;
	}
	for (i = 1; i < keys->sealing_len; i++) {
		if (report->used[keys->sealing[i].id])
			printf("key %d is still used\n", keys->sealing[i].id);
		else
			printf("nothing is sealed with key %d any more: if "
			       "all programs were restarted since key %d came "
			       "in front, take it out of " NAME " in %s; keep "
			       "it for as long as you keep older backups\n",
			    keys->sealing[i].id, keys->sealing[0].id,
			    cli->conf.secrets);
	}
}

/* Says what was done, and what is to be done. */
static void
tell(const struct cli *cli, const struct reseal_report *report,
    int64_t resealed, bool promoted)
{
	if (cli->json) {
		tell_json(cli, report, resealed, promoted);
		return;
	}
	printf("%lld sealed anew with key %d\n", (long long)resealed,
	    cli->secrets.keys.sealing[0].id);
	if (promoted)
		printf("programs seal with it when they start: restart them "
		       "(systemctl restart callmask.target), then callmask "
		       "rekey run\n");
	else
		tell_unused(cli, report);
}

int
cli_rekey_run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "yes", no_argument, NULL, 'y' },
		{ NULL, 0, NULL, 0 },
	};
	const struct crypto_key *newest;
	struct reseal_report report;
	bool yes = false, promoted;
	int64_t resealed = 0;
	char question[100];
	int c, id, status;

	while ((c = getopt_long(argc, argv, "", options, NULL)) == 'y')
		yes = true;
	if (c != -1 || optind != argc)
		return cli_usage(cli);
	load(cli);
	newest = newest_key(&cli->secrets.keys);
	id = newest->id;
	promoted = newest != &cli->secrets.keys.sealing[0];
	if (promoted) {
		snprintf(question, sizeof question,
		    "Have all programs been restarted since key %d was made?",
		    id);
		if ((status = cli_confirm(question, yes)) != 0 ||
		    (status = place_key(cli, newest, true)) != 0)
			return status;
		load(cli);
	}
	if (seal_all(cli, &report, &resealed) != 0)
		return 1;
	tell(cli, &report, resealed, promoted);
	if (report.unreadable != 0)
		warnx("%lld cannot be read with any of our keys, and stay as "
		      "they are",
		    (long long)report.unreadable);
	return report.unreadable != 0 ? 1 : 0;
}
