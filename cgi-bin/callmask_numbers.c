/*
 * callmask number search, buy, release: numbers come and go. Each can be
 * broken off and run again: a number is in the pool only once it is bought,
 * and retired before it is given back.
 */

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "callmask.h"

#define SEARCH_LIMIT 20
#define SEARCH_MAX 1000 /* Twilio's largest page */

/* What the options say. */
struct wish {
	bool yes;
	struct twilio_number_search search;
};

/* Reads a number of at least 1; exits if it is none. */
static int
read_count(const char *name, const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (*end != '\0' || value < 1 || value > SEARCH_MAX)
		errx(2, "--%s: must be from 1 to %d", name, SEARCH_MAX);
	return (int)value;
}

/* Reads the options of a command, of those that are listed by letter. Returns
 * false if there is another. */
static bool
read_options(struct wish *wish, const char *allowed, int argc, char **argv)
{
	static const struct option options[] = {
		{ "yes", no_argument, NULL, 'y' },
		{ "country", required_argument, NULL, 'c' },
		{ "area-code", required_argument, NULL, 'r' },
		{ "contains", required_argument, NULL, 'o' },
		{ "mobile", no_argument, NULL, 'm' },
		{ "limit", required_argument, NULL, 'l' },
		{ "count", required_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 },
	};
	int at = 0, c;

	*wish = (struct wish){ .search = { "", "", "", false, 0 } };
	while ((c = getopt_long(argc, argv, "", options, &at)) != -1) {
		if (strchr(allowed, c) == NULL)
			return false;
		switch (c) {
		case 'y':
			wish->yes = true;
			break;
		case 'c':
			if (!phone_country_valid(optarg))
				errx(2, "--country: not an ISO 3166 code "
					"like US");
			wish->search.country = optarg;
			break;
		case 'r':
			wish->search.area_code = optarg;
			break;
		case 'o':
			wish->search.contains = optarg;
			break;
		case 'm':
			wish->search.mobile = true;
			break;
		default:
			wish->search.limit =
			    read_count(options[at].name, optarg);
		}
	}
	return true;
}

/* Asks for numbers to be had and tells each. Returns 0, or 1 after saying why
 * not. */
static int
look(struct cli_twilio *twilio, const struct twilio_number_search *search,
    void (*each)(void *cookie, const struct twilio_number_offer *offer),
    void *cookie)
{
	const struct cli *cli = twilio->cli;
	struct twilio_rest rest;

	twilio_number_search(&rest, &cli->conf, &cli->secrets, search);
	if (cli_twilio_ask(twilio, &rest) != TWILIO_YES)
		return cli_twilio_fail(twilio, "search");
	if (twilio_number_read_offers(buf_text(&twilio->body), twilio->body.len,
		each, cookie) != RC_OK) {
		warnx("search: what Twilio answered is not a list of numbers");
		return 1;
	}
	return 0;
}

static void
print_offer(void *cookie, const struct twilio_number_offer *offer)
{
	const struct cli *cli = cookie;

	if (cli->json) {
		cli_json(CLI_FIELDS(CLI_TEXT("number", offer->number),
		    CLI_BOOL("voice", offer->voice),
		    CLI_BOOL("sms", offer->sms), CLI_BOOL("mms", offer->mms),
		    CLI_TEXT("place", offer->place),
		    CLI_BOOL("address_wanted", offer->address)));
		return;
	}
	printf("%-16s %s%s%s  %s%s\n", offer->number,
	    offer->voice ? " voice" : "", offer->sms ? " sms" : "",
	    offer->mms ? " mms" : "", offer->place,
	    offer->address ? "  (Twilio wants an address first)" : "");
}

int
cli_number_search(struct cli *cli, int argc, char **argv)
{
	struct cli_twilio twilio;
	struct wish wish;
	int status;

	if (!read_options(&wish, "croml", argc, argv) || optind != argc ||
	    wish.search.country[0] == '\0')
		return cli_usage(cli);
	if (wish.search.limit == 0)
		wish.search.limit = SEARCH_LIMIT;
	if (cli_twilio_open(&twilio, cli) != 0)
		return 1;
	status = look(&twilio, &wish.search, print_offer, cli);
	cli_twilio_close(&twilio);
	return status;
}

int
cli_confirm(const char *question, bool yes)
{
	char answer[8] = "";

	if (yes)
		return 0;
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		warnx("not at a terminal, so nobody can be asked: say --yes");
		return 2;
	}
	fprintf(stderr, "%s [y/N] ", question);
	if (fgets(answer, sizeof answer, stdin) != NULL &&
	    (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0))
		return 0;
	warnx("nothing was done");
	return 1;
}

/* A change of one number in a transaction. */
struct change {
	struct cli *cli;
	const char *number;
	bool trial; /* see only whether it would do */
	struct fault fault;
};

static enum rc
add_number(struct db *db, void *cookie)
{
	struct change *c = cookie;
	struct mask mask = cli_mask(c->cli);

	if (c->trial)
		db_undo(db);
	return mask_add_number(&mask, c->cli->service.id, c->number, &c->fault);
}

/* Adds a number to the pool, or with trial looks whether it could be. Returns
 * 0, or 1 after saying why not. */
static int
add(struct cli *cli, const char *number, bool trial)
{
	struct change change = { .cli = cli, .number = number, .trial = trial };
	enum rc rc = cli_transact(cli, add_number, &change);

	return rc == RC_OK ? 0 : cli_fail(rc, &change.fault, number);
}

/* A number of the account that is looked for by name. */
struct sought {
	const char *number;
	char sid[TWILIO_SID_SIZE]; /* "": not there */
};

static void
seek(void *cookie, const struct twilio_number *number)
{
	struct sought *sought = cookie;

	if (strcmp(number->number, sought->number) == 0)
		strcpy(sought->sid, number->sid);
}

/* Looks for a number in the account. Returns 0 with its SID or "", or 1 after
 * saying what went wrong. */
static int
find(struct cli_twilio *twilio, const char *number, struct sought *sought)
{
	const struct cli *cli = twilio->cli;
	char next[TWILIO_NUMBER_NEXT_SIZE];
	struct twilio_rest rest;

	*sought = (struct sought){ .number = number };
	twilio_number_find(&rest, &cli->conf, &cli->secrets, number);
	if (cli_twilio_ask(twilio, &rest) != TWILIO_YES)
		return cli_twilio_fail(twilio, number);
	if (twilio_number_read(&cli->conf, &cli->secrets,
		buf_text(&twilio->body), twilio->body.len, seek, sought,
		next) != RC_OK) {
		warnx("%s: what Twilio answered is not a list of numbers",
		    number);
		return 1;
	}
	return 0;
}

/* Buys one number and adds it to the pool. Returns 0 or 1. */
static int
buy(struct cli_twilio *twilio, struct cli *cli, const char *number)
{
	struct twilio_number wanted;
	struct twilio_rest rest;
	struct sought sought;

	twilio_number_wanted(&wanted, &cli->conf);
	twilio_number_buy(&rest, &cli->conf, &cli->secrets, number, &wanted);
	switch (cli_twilio_ask(twilio, &rest)) {
	case TWILIO_YES:
		break;
	case TWILIO_UNSURE:
		/* It may be ours all the same. */
		cli_twilio_fail(twilio, number);
		if (find(twilio, number, &sought) != 0) {
			warnx("%s: whether it was bought is not known; "
			      "`callmask number sync` shows it as in no pool "
			      "if it was",
			    number);
			return 1;
		}
		if (sought.sid[0] == '\0') {
			warnx("%s: was not bought", number);
			return 1;
		}
		break;
	default:
		return cli_twilio_fail(twilio, number);
	}
	if (add(cli, number, false) != 0) {
		warnx("%s: is bought but not in the pool, and costs; put it "
		      "there with `callmask -s %s number add %s`, or give it "
		      "back in Twilio's console",
		    number, cli->service.name, number);
		return 1;
	}
	printf("%s bought and added (%s)\n", number, phone_country(number));
	return 0;
}

/* Numbers to be bought: the words of the command line, or what a search
 * found. */
struct basket {
	char (*numbers)[PHONE_SIZE];
	int len;
	int max; /* as many as are looked for */
};

static void
put_into(void *cookie, const struct twilio_number_offer *offer)
{
	struct basket *basket = cookie;

	if (basket->len < basket->max && offer->voice)
		strcpy(basket->numbers[basket->len++], offer->number);
}

/* Confirms and buys what is in the basket. */
static int
buy_all(struct cli_twilio *twilio, struct cli *cli, const struct basket *basket,
    bool yes)
{
	char question[80];
	int i, status = 0;

	for (i = 0; i < basket->len; i++)
		if (add(cli, basket->numbers[i], true) != 0)
			status = 1;
	if (status != 0)
		return status;
	for (i = 0; i < basket->len; i++)
		fprintf(stderr, "%s (%s)\n", basket->numbers[i],
		    phone_country(basket->numbers[i]));
	snprintf(question, sizeof question,
	    "Buy %d number%s, which cost%s money every month?", basket->len,
	    basket->len == 1 ? "" : "s", basket->len == 1 ? "s" : "");
	if ((status = cli_confirm(question, yes)) != 0)
		return status;
	for (i = 0; i < basket->len; i++)
		if (buy(twilio, cli, basket->numbers[i]) != 0)
			status = 1;
	return status;
}

/* Fills the basket. Returns 0, or the status to exit with. */
static int
fill(struct cli_twilio *twilio, struct basket *basket,
    const struct twilio_number_search *search, int argc, char **argv)
{
	for (; basket->len < argc; basket->len++) {
		if (!phone_valid(argv[basket->len])) {
			warnx("%s: is not an E.164 number", argv[basket->len]);
			return 1;
		}
		strcpy(basket->numbers[basket->len], argv[basket->len]);
	}
	if (argc != 0)
		return 0;
	basket->max = search->limit;
	if (look(twilio, search, put_into, basket) != 0)
		return 1;
	if (basket->len < basket->max) {
		warnx("only %d such number%s to be had; nothing was done",
		    basket->len, basket->len == 1 ? " is" : "s are");
		return 1;
	}
	return 0;
}

int
cli_number_buy(struct cli *cli, int argc, char **argv)
{
	static char numbers[SEARCH_MAX][PHONE_SIZE];
	struct basket basket = { .numbers = numbers };
	struct cli_twilio twilio;
	struct wish wish;
	bool searching;
	int status;

	if (!read_options(&wish, "ycromn", argc, argv))
		return cli_usage(cli);
	argc -= optind;
	argv += optind;
	searching = wish.search.country[0] != '\0' && wish.search.limit != 0;
	if ((argc == 0) != searching || argc > SEARCH_MAX)
		return cli_usage(cli);
	if (cli_twilio_open(&twilio, cli) != 0)
		return 1;
	status = fill(&twilio, &basket, &wish.search, argc, argv);
	if (status == 0)
		status = buy_all(&twilio, cli, &basket, wish.yes);
	cli_twilio_close(&twilio);
	return status;
}

static enum rc
retire(struct db *db, void *cookie)
{
	struct change *c = cookie;

	return number_retire(
	    db, c->cli->service.id, c->number, cli_mask(c->cli).now_ms / 1000);
}

/*
 * Releases one number: retired first, so that no session takes it meanwhile.
 * It stays in the database for what was said over it; a number that Twilio has
 * given to somebody else must not come back by a slip either.
 */
static int
release(struct cli_twilio *twilio, struct cli *cli, const char *number)
{
	struct change change = { .cli = cli, .number = number };
	struct twilio_rest rest;
	struct sought sought;
	enum rc rc;

	rc = cli_transact(cli, retire, &change);
	if (rc == RC_NONE) {
		warnx("%s: somebody's session lives on it or holds it; "
		      "`callmask number set draining %s` lets it run dry",
		    number, number);
		return 1;
	}
	if (rc != RC_OK)
		return cli_fail(rc, NULL, number);
	if (find(twilio, number, &sought) != 0)
		goto still_there;
	if (sought.sid[0] == '\0') {
		printf("%s is not in the account, and retired\n", number);
		return 0;
	}
	twilio_number_release(&rest, &cli->conf, &cli->secrets, sought.sid);
	if (cli_twilio_ask(twilio, &rest) != TWILIO_YES &&
	    twilio->status != 404) {
		cli_twilio_fail(twilio, number);
		goto still_there;
	}
	printf("%s released; it stays in the list as retired\n", number);
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
	struct cli_twilio twilio;
	struct wish wish;
	int i, status;

	if (!read_options(&wish, "y", argc, argv) || optind == argc)
		return cli_usage(cli);
	for (i = optind; i < argc; i++)
		fprintf(stderr, "%s\n", argv[i]);
	status = cli_confirm(
	    "Give these numbers back to Twilio, for good?", wish.yes);
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
