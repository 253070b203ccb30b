/* callmask session: what the sessions of a service are. */

#include <stdio.h>
#include <string.h>

#include "callmask.h"
#include "timestamp.h"
#include "view.h"

#define LIST_MAX 50

/* Prints a session as a line. */
static void
print_line(const struct cli *cli, const struct session *s, int64_t now)
{
	const char *status = session_status_name(session_status(s, now));
	char expires[TIMESTAMP_SIZE];

	if (cli->json)
		cli_json(CLI_FIELDS(CLI_TEXT("id", s->id),
		    CLI_TEXT("status", status),
		    CLI_TIME("expires_at", s->expires_at),
		    CLI_TEXT("masked_number", s->parties[0].number),
		    CLI_TEXT("reference", s->reference)));
	else
		printf("%s  %-7s  until %s  %s  %s\n", s->id, status,
		    timestamp_format(expires, s->expires_at),
		    s->parties[0].number, s->reference);
}

int
cli_session_list(struct cli *cli, int argc, char **argv)
{
	struct session_filter filter = { .limit = LIST_MAX,
		.status = SESSION__MAX };
	struct session sessions[LIST_MAX], *s;
	int64_t now = app_now_ms() / 1000;
	enum rc rc;
	int len;

	if (argc > 2)
		return cli_usage(cli);
	if (argc == 2 && session_parse_status(&filter.status, argv[1]) != RC_OK)
		return cli_usage(cli);
	/* A page may be short though there are more. */
	do {
		rc = session_list(cli->db, cli->service.id, &filter, now,
		    sessions, &len, filter.after);
		if (rc != RC_OK)
			return cli_fail(rc, NULL, "sessions");
		for (s = sessions; s < sessions + len; s++)
			print_line(cli, s, now);
		filter.limit -= len;
	} while (filter.limit > 0 && filter.after[0] != '\0');
	return 0;
}

/* Prints a document that was made with rc, and releases it. Returns the exit
 * status. */
static int
print_document(struct buf *json, enum rc rc, const char *what)
{
	if (rc == RC_OK)
		puts(buf_text(json));
	buf_free(json);
	return rc == RC_OK ? 0 : cli_fail(rc, NULL, what);
}

int
cli_session_show(struct cli *cli, int argc, char **argv)
{
	struct mask mask = cli_mask(cli);
	struct mask_history history;
	struct buf json;
	enum rc rc;

	if (argc != 2)
		return cli_usage(cli);
	rc = mask_history(&mask, cli->service.id, argv[1], &history);
	if (rc != RC_OK)
		return cli_fail(rc, NULL, argv[1]);
	buf_init(&json, 0);
	rc = view_session_history(&json, &history, mask.now_ms / 1000);
	return print_document(&json, rc, argv[1]);
}

/* A session to be closed. */
struct closing {
	struct mask mask;
	const char *service_id;
	const char *id;
	struct session session;
	struct fault fault;
};

static enum rc
close_session(struct db *db, void *cookie)
{
	struct closing *c = cookie;

	(void)db;
	return mask_close(&c->mask, c->service_id, c->id,
	    &(struct session_closing){ .linger_s = 0 }, &c->session, &c->fault);
}

int
cli_session_close(struct cli *cli, int argc, char **argv)
{
	struct closing closing = { .mask = cli_mask(cli),
		.service_id = cli->service.id };
	struct buf json;
	enum rc rc;

	if (argc != 2)
		return cli_usage(cli);
	closing.id = argv[1];
	if ((rc = cli_transact(cli, close_session, &closing)) != RC_OK)
		return cli_fail(rc, NULL, argv[1]);
	buf_init(&json, 0);
	rc = view_session(&json, &closing.session, closing.mask.now_ms / 1000);
	return print_document(&json, rc, argv[1]);
}
