/*
 * callmask number search, buy: numbers that Twilio sells. Can be broken off and
 * run again: a number is in the pool only once it is bought.
 */

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Buys one number and adds it to the pool. Returns 0 or 1. */
static int
buy(struct cli_twilio *twilio, struct cli *cli, const char *number)
{
	struct twilio_number wanted;
	struct twilio_rest rest;
	char sid[TWILIO_SID_SIZE];

	twilio_number_wanted(&wanted, &cli->conf);
	twilio_number_buy(&rest, &cli->conf, &cli->secrets, number, &wanted);
	cli_twilio_ask(twilio, &rest);
	cli_progress("", 0, 0);
	switch (twilio->verdict) {
	case TWILIO_YES:
		break;
	case TWILIO_UNSURE:
		/* It may be ours all the same. */
		cli_twilio_fail(twilio, number);
		if (cli_twilio_find(twilio, number, sid) != 0) {
			warnx("%s: whether it was bought is not known; "
			      "`callmask number sync` shows it as in no pool "
			      "if it was",
			    number);
			return 1;
		}
		if (sid[0] == '\0') {
			warnx("%s: was not bought", number);
			return 1;
		}
		break;
	default:
		return cli_twilio_fail(twilio, number);
	}
	if (cli_number_put(cli, number, false) != 0) {
		warnx("%s: is bought but not in the pool, and costs; put it "
		      "there with `callmask -s %s number add %s`, or give it "
		      "back in Twilio's console",
		    number, cli->service.name, number);
		return 1;
	}
	if (cli->json)
		cli_json(CLI_FIELDS(CLI_TEXT("number", number),
		    CLI_TEXT("country", phone_country(number)),
		    CLI_TEXT("result", "bought")));
	else
		printf("%s bought and added (%s)\n", number,
		    phone_country(number));
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
		if (cli_number_put(cli, basket->numbers[i], true) != 0)
			status = 1;
	if (status != 0)
		return status;
	for (i = 0; !yes && i < basket->len; i++)
		fprintf(stderr, "%s (%s)\n", basket->numbers[i],
		    phone_country(basket->numbers[i]));
	snprintf(question, sizeof question,
	    "Buy %d number%s, which cost%s money every month?", basket->len,
	    basket->len == 1 ? "" : "s", basket->len == 1 ? "s" : "");
	if ((status = cli_confirm(question, yes)) != 0)
		return status;
	for (i = 0; i < basket->len; i++) {
		cli_progress("buying numbers", (size_t)i, (size_t)basket->len);
		if (buy(twilio, cli, basket->numbers[i]) != 0)
			status = 1;
	}
	cli_progress("", 0, 0);
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
