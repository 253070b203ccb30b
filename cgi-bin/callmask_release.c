/*
 * callmask number release: a number goes back to Twilio. Can be broken off and
 * run again: it is retired before it is given back.
 */

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "callmask.h"

/* A number to be retired in a transaction. */
struct retiring {
	const struct cli *cli;
	const char *number;
};

static enum rc
retire(struct db *db, void *cookie)
{
	struct retiring *r = cookie;

	return number_retire(
	    db, r->cli->service.id, r->number, cli_mask(r->cli).now_ms / 1000);
}

/* Says what became of a number: how as a word, and in words. */
static void
tell(const struct cli *cli, const char *number, const char *how,
    const char *words)
{
	if (cli->json)
		cli_json(CLI_FIELDS(
		    CLI_TEXT("number", number), CLI_TEXT("result", how)));
	else
		printf("%s %s\n", number, words);
}

/*
 * Releases one number: retired first, so that no session takes it meanwhile.
 * It stays in the database for what was said over it; a number that Twilio has
 * given to somebody else must not come back by a slip either.
 */
static int
release(struct cli_twilio *twilio, struct cli *cli, const char *number)
{
	struct retiring retiring = { .cli = cli, .number = number };
	struct twilio_rest rest;
	char sid[TWILIO_SID_SIZE];
	enum rc rc;

	rc = cli_transact(cli, retire, &retiring);
	if (rc == RC_NONE) {
		warnx("%s: somebody's session lives on it or holds it; "
		      "`callmask number set draining %s` lets it run dry",
		    number, number);
		return 1;
	}
	if (rc != RC_OK)
		return cli_fail(rc, NULL, number);
	if (cli_twilio_find(twilio, number, sid) != 0)
		goto still_there;
	if (sid[0] == '\0') {
		tell(cli, number, "retired",
		    "is not in the account, and retired");
		return 0;
	}
	twilio_number_release(&rest, &cli->conf, &cli->secrets, sid);
	if (cli_twilio_ask(twilio, &rest) != TWILIO_YES &&
	    twilio->status != 404) {
		cli_twilio_fail(twilio, number);
		goto still_there;
	}
	tell(cli, number, "released",
	    "released; it stays in the list as retired");
	return 0;
still_there:
	warnx("%s: is retired here, but Twilio may still have it: run this "
	      "again",
	    number);
	return 1;
}

int
cli_number_release(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "yes", no_argument, NULL, 'y' },
		{ NULL, 0, NULL, 0 },
	};
	struct cli_twilio twilio;
	bool yes = false;
	int c, i, status;

	while ((c = getopt_long(argc, argv, "", options, NULL)) == 'y')
		yes = true;
	if (c != -1 || optind == argc)
		return cli_usage(cli);
	for (i = optind; !yes && i < argc; i++)
		fprintf(stderr, "%s\n", argv[i]);
	status =
	    cli_confirm("Give these numbers back to Twilio, for good?", yes);
	if (status != 0)
		return status;
	if (cli_twilio_open(&twilio, cli) != 0)
		return 1;
	for (i = optind; i < argc; i++)
		if (release(&twilio, cli, argv[i]) != 0)
			status = 1;
	cli_twilio_close(&twilio);
	return status;
}
