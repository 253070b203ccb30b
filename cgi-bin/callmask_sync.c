/*
 * callmask number sync: what the numbers of the pool are set to at Twilio, and
 * what they must be set to. Can be broken off and run again: it sets what
 * still differs.
 */

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "callmask.h"

/* Prints findings about a number. */
struct printer {
	const char *number;
	bool json;
	int left; /* findings that are not mere notes */
};

static void
print_finding(void *cookie, const struct twilio_number_finding *finding)
{
	static const char *const remedies[] = {
		[TWILIO_NUMBER_SET] = "",
		[TWILIO_NUMBER_TAKE] =
		    ": it wins over our URLs; try --take-over",
		[TWILIO_NUMBER_LACK] = ": cannot be set",
		[TWILIO_NUMBER_NOTE] = " (may stay)",
	};
	static const char *const kinds[] = {
		[TWILIO_NUMBER_SET] = "set",
		[TWILIO_NUMBER_TAKE] = "take_over",
		[TWILIO_NUMBER_LACK] = "lack",
		[TWILIO_NUMBER_NOTE] = "note",
	};
	struct printer *printer = cookie;

	if (finding->kind != TWILIO_NUMBER_NOTE)
		printer->left++;
	if (printer->json) {
		cli_json(CLI_FIELDS(CLI_TEXT("number", printer->number),
		    CLI_TEXT("kind", kinds[finding->kind]),
		    CLI_TEXT("setting", finding->setting),
		    CLI_TEXT("is", finding->is),
		    CLI_TEXT("wanted", finding->wanted)));
		return;
	}
	printf("%-16s  %s is %s", printer->number, finding->setting,
	    finding->is[0] != '\0' ? finding->is : "not set");
	if (finding->kind != TWILIO_NUMBER_NOTE && finding->wanted[0] != '\0')
		printf(", should be %s", finding->wanted);
	printf("%s\n", remedies[finding->kind]);
}

/* Prints all findings about a number of the pool. */
static void
print_member(struct printer *printer, const struct cli_member *member,
    const struct twilio_number *wanted)
{
	printer->number = member->pool.number;
	if (member->found)
		twilio_number_compare(
		    &member->at_twilio, wanted, print_finding, printer);
	else if (!cli_member_right(member, wanted))
		print_finding(printer,
		    &(struct twilio_number_finding){ TWILIO_NUMBER_LACK,
			"account", "another's or nobody's", "ours" });
}

static void
take_back(void *cookie, const struct twilio_number *number)
{
	*(struct twilio_number *)cookie = *number;
}

/* Sets what differs, number by number, and keeps what Twilio says is set then.
 * Returns 0, or 1 after saying what went wrong. */
static int
apply(struct cli_twilio *twilio, struct cli_pool *pool,
    const struct twilio_number *wanted, bool take_over)
{
	const struct cli *cli = twilio->cli;
	char next[TWILIO_NUMBER_NEXT_SIZE];
	struct cli_member *m;
	struct twilio_rest rest;
	int status = 0;

	for (m = pool->members; m < pool->members + pool->len; m++) {
		cli_progress(
		    "setting numbers", (size_t)(m - pool->members), pool->len);
		if (!m->found ||
		    !twilio_number_set(&rest, &cli->conf, &cli->secrets,
			&m->at_twilio, wanted, take_over))
			continue;
		if (cli_twilio_ask(twilio, &rest) != TWILIO_YES) {
			cli_progress("", 0, 0);
			status = cli_twilio_fail(twilio, m->pool.number);
			/* No other number would fare better. */
			if (twilio->verdict != TWILIO_NO)
				break;
			continue;
		}
		twilio_number_read(&cli->conf, &cli->secrets,
		    buf_text(&twilio->body), twilio->body.len, take_back,
		    &m->at_twilio, next);
		cli_progress("", 0, 0);
		if (cli->json)
			cli_json(CLI_FIELDS(CLI_TEXT("number", m->pool.number),
			    CLI_TEXT("kind", "done")));
		else
			printf("%-16s  set\n", m->pool.number);
	}
	cli_progress("", 0, 0);
	return status;
}

/* Prints what differs, or still does. Returns how many numbers of the pool are
 * not right. */
static int
print_all(
    const struct cli_pool *pool, const struct twilio_number *wanted, bool json)
{
	struct printer printer = { .json = json };
	const char *stranger = pool->strangers.data;
	const struct cli_member *m;
	int wrong = 0;

	for (m = pool->members; m < pool->members + pool->len; m++) {
		printer.left = 0;
		print_member(&printer, m, wanted);
		wrong += printer.left != 0;
	}
	for (; stranger != NULL &&
	       stranger < pool->strangers.data + pool->strangers.len;
	     stranger += PHONE_SIZE) {
		printer.number = stranger;
		print_finding(
		    &printer, &(struct twilio_number_finding){
				  TWILIO_NUMBER_NOTE, "pool", "none", "" });
	}
	if (!json)
		printf("%zu number%s in the pool, %d not right\n", pool->len,
		    pool->len == 1 ? "" : "s", wrong);
	return wrong;
}

/* Some numbers whose state is written down. */
#define WRITE_SOME 500
struct writing {
	const struct cli *cli;
	const struct cli_pool *pool;
	const struct twilio_number *wanted;
	size_t from;
};

static enum rc
write_one(struct db *db, const struct writing *w, const struct cli_member *m)
{
	struct number_twilio found = { .detail = NUMBER_MISSING,
		.checked_at = app_now_ms() / 1000 };
	bool right = false;

	if (m->found) {
		right = twilio_number_words(&m->at_twilio, w->wanted,
		    found.detail, sizeof found.detail);
		strcpy(found.sid, m->at_twilio.sid);
	}
	strcpy(found.state, !m->found ? "missing" : right ? "right" : "wrong");
	return number_note_twilio(
	    db, w->cli->service.id, m->pool.number, &found);
}

static enum rc
write_some(struct db *db, void *cookie)
{
	const struct writing *w = cookie;
	enum rc rc = RC_OK;
	size_t i;

	for (i = w->from;
	     rc == RC_OK && i < w->pool->len && i < w->from + WRITE_SOME; i++)
		rc = write_one(db, w, &w->pool->members[i]);
	return rc;
}

/* Writes down what was found, for whoever looks at the pool. Returns 0, or 1
 * after saying what went wrong. */
static int
write_all(struct cli *cli, const struct cli_pool *pool,
    const struct twilio_number *wanted)
{
	struct writing w = { .cli = cli, .pool = pool, .wanted = wanted };
	enum rc rc = RC_OK;

	for (; rc == RC_OK && w.from < pool->len; w.from += WRITE_SOME)
		rc = cli_transact(cli, write_some, &w);
	return rc == RC_OK ? 0 : cli_fail(rc, NULL, "numbers");
}

int
cli_number_sync(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "apply", no_argument, NULL, 'a' },
		{ "take-over", no_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	bool applying = false, take_over = false, unknown = false;
	bool json = cli->json;
	struct cli_twilio twilio;
	struct cli_pool pool;
	struct twilio_number wanted;
	int c, status;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		applying |= c == 'a';
		take_over |= c == 't';
		unknown |= c == '?';
	}
	if (unknown || optind != argc || (take_over && !applying))
		return cli_usage(cli);
	if (cli_twilio_open(&twilio, cli) != 0)
		return 1;
	twilio_number_wanted(&wanted, &cli->conf);
	if ((status = cli_pool_read(&twilio, &pool)) != 0)
		warnx("numbers of the account: %s", pool.why);
	/* What is done at Twilio is noted here all the same. */
	if (status == 0 && applying)
		status = cli_note_first(cli);
	if (status == 0 && applying)
		status = apply(&twilio, &pool, &wanted, take_over);
	if (pool.why[0] == '\0' && write_all(cli, &pool, &wanted) != 0)
		status = 1;
	if (pool.why[0] == '\0' && print_all(&pool, &wanted, json) != 0)
		status = 1;
	cli_pool_free(&pool);
	cli_twilio_close(&twilio);
	return status;
}
