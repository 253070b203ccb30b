/* callmask webhook, outbox: events to the app, and what else must go out. */

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "callmask.h"
#include "event.h"
#include "outbox.h"
#include "timestamp.h"

#define LIST_MAX 50
/* How long an old secret signs beside a new one, seconds: default and most. */
#define KEEP_S 86400
#define KEEP_MAX_S (30 * 86400)

void
cli_print_secret(struct hook_secret *secret)
{
	if (secret->text[0] == '\0')
		return;
	fflush(stdout);
	fprintf(stderr, "events are signed with this secret, shown once:\n");
	puts(secret->text);
	crypto_wipe(secret, sizeof *secret);
}

int
cli_webhook_show(struct cli *cli, int argc, char **argv)
{
	struct hook_secret secrets[HOOK_SECRETS_MAX];
	char since[TIMESTAMP_SIZE], until[TIMESTAMP_SIZE];
	const char *url = cli->service.webhook_url;
	int len, i;
	enum rc rc;

	(void)argv;
	if (argc != 1)
		return cli_usage(cli);
	rc = hook_list(cli->db, &cli->secrets.keys, cli->service.id,
	    app_now_ms() / 1000, secrets, &len);
	if (rc != RC_OK)
		return cli_fail(rc, NULL, "secrets");
	if (cli->json)
		cli_json(CLI_FIELDS(CLI_TEXT("webhook_url", url)));
	for (i = 0; cli->json && i < len; i++)
		cli_json(CLI_FIELDS(CLI_TEXT("secret", secrets[i].id),
		    CLI_TIME("signs_since", secrets[i].created_at),
		    CLI_TIME("signs_until", secrets[i].retires_at)));
	if (cli->json)
		goto out;
	printf("events go %s%s\n", url[0] != '\0' ? "to " : "nowhere", url);
	for (i = 0; i < len; i++)
		printf("%s  signs since %s%s%s\n", secrets[i].id,
		    timestamp_format(since, secrets[i].created_at),
		    secrets[i].retires_at != 0 ? " until " : "",
		    secrets[i].retires_at != 0
			? timestamp_format(until, secrets[i].retires_at)
			: "");
out:
	crypto_wipe(secrets, sizeof secrets);
	return 0;
}

/* What a new secret is made with. */
struct rotation {
	struct mask mask;
	const char *service_id;
	int64_t keep_s;
	struct hook_secret secret;
};

static enum rc
rotate(struct db *db, void *cookie)
{
	struct rotation *r = cookie;
	int64_t now_ms = r->mask.now_ms;
	enum rc rc;

	rc = hook_add(db, r->mask.keys, r->service_id, &r->secret, now_ms);
	return rc == RC_OK
		   ? hook_retire(db, r->service_id, now_ms / 1000 + r->keep_s)
		   : rc;
}

int
cli_webhook_rotate(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "keep", required_argument, NULL, 'k' },
		{ NULL, 0, NULL, 0 },
	};
	struct rotation r = { .mask = cli_mask(cli),
		.service_id = cli->service.id,
		.keep_s = KEEP_S };
	char *end = "";
	enum rc rc;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) == 'k')
		r.keep_s = strtoll(optarg, &end, 10);
	if (c != -1 || optind != argc)
		return cli_usage(cli);
	if (*end != '\0' || r.keep_s < 0 || r.keep_s > KEEP_MAX_S)
		errx(2, "--keep: must be from 0 to %d seconds", KEEP_MAX_S);
	if ((rc = cli_transact(cli, rotate, &r)) != RC_OK)
		return cli_fail(rc, NULL, "secret");
	if (cli->json)
		cli_json(CLI_FIELDS(CLI_TEXT("id", r.secret.id),
		    CLI_TEXT("webhook_secret", r.secret.text),
		    CLI_TIME(
			"others_sign_until", r.mask.now_ms / 1000 + r.keep_s)));
	else
		cli_print_secret(&r.secret);
	crypto_wipe(&r.secret, sizeof r.secret);
	return 0;
}

static enum rc
put_test(struct db *db, void *cookie)
{
	const struct cli *cli = cookie;

	return event_put(db,
	    &(struct event){
		.service_id = cli->service.id, .type = EVENT_WEBHOOK_TEST },
	    app_now_ms());
}

int
cli_webhook_test(struct cli *cli, int argc, char **argv)
{
	enum rc rc;

	(void)argv;
	if (argc != 1)
		return cli_usage(cli);
	if (cli->service.webhook_url[0] == '\0')
		errx(1, "there is no webhook-url to send it to");
	if ((rc = cli_transact(cli, put_test, cli)) != RC_OK)
		return cli_fail(rc, NULL, "event");
	if (cli->json)
		cli_json(CLI_FIELDS(CLI_TEXT("type", "webhook.test"),
		    CLI_TEXT("webhook_url", cli->service.webhook_url)));
	else
		puts("webhook.test is on its way; see callmask outbox list");
	return 0;
}

/* A time with the second it is in. */
static const char *
moment(char out[TIMESTAMP_SIZE], int64_t at_ms)
{
	return timestamp_format(out, at_ms / 1000);
}

/* Prints how a try ended, if there was one: status or error. */
static void
print_outcome(int64_t status, const char *error)
{
	if (status != 0)
		printf("  status %lld", (long long)status);
	if (error[0] != '\0')
		printf("  %s", error);
	putchar('\n');
}

static void
print_delivery(void *cookie, const struct outbox_view *view)
{
	bool waiting = strcmp(view->state, "waiting") == 0;
	char made[TIMESTAMP_SIZE], due[TIMESTAMP_SIZE];
	const struct cli *cli = cookie;

	if (cli->json) {
		cli_json(CLI_FIELDS(CLI_TEXT("id", view->id),
		    CLI_TEXT("state", view->state),
		    CLI_TEXT("kind", view->kind),
		    CLI_TEXT("subject_id", view->subject_id),
		    CLI_TIME("created_at", view->created_ms / 1000),
		    CLI_INT("tries", view->attempts),
		    CLI_TIME("next_at", waiting ? view->due_ms / 1000 : 0),
		    CLI_INT("status", view->status),
		    CLI_TEXT("error", view->error)));
		return;
	}
	printf("%s  %-7s  %-7s  %s  made %s  %lld tries%s%s", view->id,
	    view->state, view->kind, view->subject_id,
	    moment(made, view->created_ms), (long long)view->attempts,
	    waiting ? ", next " : "", waiting ? moment(due, view->due_ms) : "");
	print_outcome(view->status, view->error);
}

int
cli_outbox_list(struct cli *cli, int argc, char **argv)
{
	static const char *const states[] = { "waiting", "done", "parked" };
	const char *state = argc == 2 ? argv[1] : "";
	size_t i;
	enum rc rc;

	for (i = 0; argc == 2 && i < 3; i++)
		if (strcmp(state, states[i]) == 0)
			break;
	if (argc > 2 || i == 3)
		return cli_usage(cli);
	rc = outbox_list(cli->db, cli->service.id,
	    state[0] != '\0' ? state : "waiting parked", "", LIST_MAX,
	    print_delivery, cli);
	return rc == RC_OK ? 0 : cli_fail(rc, NULL, "outbox");
}

static void
print_attempt(void *cookie, const struct outbox_attempt *attempt)
{
	const struct cli *cli = cookie;
	char started[TIMESTAMP_SIZE];

	if (cli->json) {
		cli_json(CLI_FIELDS(CLI_INT("try", attempt->number),
		    CLI_TIME("started_at", attempt->started_ms / 1000),
		    CLI_INT("took_ms", attempt->took_ms),
		    CLI_INT("status", attempt->status),
		    CLI_TEXT("error", attempt->error)));
		return;
	}
	printf("%4lld  %s  %6lld ms", (long long)attempt->number,
	    moment(started, attempt->started_ms), (long long)attempt->took_ms);
	print_outcome(attempt->status, attempt->error);
}

int
cli_outbox_show(struct cli *cli, int argc, char **argv)
{
	struct outbox_view view;
	enum rc rc;

	if (argc != 2)
		return cli_usage(cli);
	rc = outbox_find(cli->db, cli->service.id, argv[1], &view);
	if (rc != RC_OK)
		return cli_fail(rc, NULL, argv[1]);
	print_delivery(cli, &view);
	rc = outbox_attempts(cli->db, view.id, print_attempt, cli);
	return rc == RC_OK ? 0 : cli_fail(rc, NULL, argv[1]);
}

/* What is tried anew. */
struct retrial {
	const char *service_id;
	const char *id; /* NULL: all */
	int64_t count;
};

static enum rc
retry(struct db *db, void *cookie)
{
	struct retrial *r = cookie;

	return outbox_retry(db, r->service_id, r->id, app_now_ms(), &r->count);
}

int
cli_outbox_retry(struct cli *cli, int argc, char **argv)
{
	struct retrial r = { .service_id = cli->service.id };
	int64_t total = 0;
	enum rc rc;

	if (argc != 2)
		return cli_usage(cli);
	r.id = strcmp(argv[1], "all") == 0 ? NULL : argv[1];
	if (r.id != NULL && !id_valid(r.id, "dlv"))
		return cli_usage(cli);
	do {
		if ((rc = cli_transact(cli, retry, &r)) != RC_OK)
			return cli_fail(rc, NULL, "outbox");
		total += r.count;
	} while (r.count == OUTBOX_RETRY_MAX);
	if (r.id != NULL && r.count == 0)
		errx(1, "%s: no such delivery was given up", r.id);
	if (cli->json)
		cli_json(CLI_FIELDS(CLI_INT("retried", total)));
	else
		printf("%lld to be tried anew\n", (long long)total);
	return 0;
}
