/*
 * What commands that ask Twilio share. They ask by themselves and not through
 * the outbox, because somebody waits for the answer and decides by it; nothing
 * here answers a request from outside.
 */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "callmask.h"

/* Tries when Twilio says that it is too much at once. */
#define BUSY_TRIES 5
#define BUSY_WAIT_MS 250
/* Longest wait that is asked of us and granted, in seconds. */
#define RETRY_MAX_S 30

int
cli_twilio_open(struct cli_twilio *twilio, const struct cli *cli)
{
	const struct secrets *secrets = &cli->secrets;
	struct http_options options = { .ca_file = cli->conf.ca_file };
	enum rc rc;

	*twilio = (struct cli_twilio){ .cli = cli };
	buf_init(&twilio->body, HTTP_BODY_MAX);
	if (secrets->account_sid[0] == '\0' ||
	    (secrets->tokens_len == 0 && secrets->api_key[0] == '\0')) {
		warnx("%s: twilio_account_sid and a key or token are needed",
		    cli->conf.secrets);
		return 1;
	}
	if ((rc = http_open(&twilio->http, &options)) != RC_OK)
		return cli_fail(rc, NULL, "Twilio");
	return 0;
}

void
cli_twilio_close(struct cli_twilio *twilio)
{
	http_close(twilio->http);
	buf_free(&twilio->body);
}

/* Keeps an answer. */
static void
keep(void *cookie, const struct http_answer *answer)
{
	struct cli_twilio *twilio = cookie;

	twilio->status = answer->status;
	twilio->retry_s = answer->retry_s;
	twilio->date_s = answer->date_s;
	twilio->verdict = twilio_rest_verdict(answer, &twilio->reply);
	snprintf(twilio->error, sizeof twilio->error, "%s", answer->error);
	buf_reset(&twilio->body);
	buf_add(&twilio->body, answer->body, answer->body_len);
}

/* Waits before try number tries of what was too much at once. */
static void
wait_turn(const struct cli_twilio *twilio, int tries)
{
	int64_t ms = (int64_t)BUSY_WAIT_MS << tries;

	if (twilio->retry_s > 0)
		ms = 1000 * (twilio->retry_s < RETRY_MAX_S ? twilio->retry_s
							   : RETRY_MAX_S);
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

enum twilio_verdict
cli_twilio_ask(struct cli_twilio *twilio, struct twilio_rest *rest)
{
	enum rc rc;
	int tries;

	twilio->status = 0;
	twilio->verdict = TWILIO_NO;
	rc = twilio_rest_end(rest);
	for (tries = 0; rc == RC_OK && tries < BUSY_TRIES; tries++) {
		if (tries != 0)
			wait_turn(twilio, tries - 1);
		rc = http_ask(twilio->http, &rest->http, keep, twilio);
		if (twilio->status != 429)
			break;
	}
	if (rc != RC_OK)
		snprintf(
		    twilio->error, sizeof twilio->error, "%s", rc_name(rc));
	twilio_rest_free(rest);
	return twilio->verdict;
}

void
cli_twilio_why(const struct cli_twilio *twilio, char *out, size_t size)
{
	if (twilio->status == 0)
		snprintf(out, size, "no answer from %s: %s",
		    twilio->cli->conf.twilio_api_url, twilio->error);
	else if (twilio->status == 401)
		snprintf(out, size,
		    "Twilio does not accept %s (error 20003): see %s",
		    twilio->cli->secrets.api_key[0] != '\0'
			? "account and API key"
			: "account and first auth token",
		    twilio->cli->conf.secrets);
	else if (twilio->reply.code != 0)
		snprintf(out, size,
		    "Twilio says no (error %d): see "
		    "https://www.twilio.com/docs/errors/%d",
		    twilio->reply.code, twilio->reply.code);
	else
		snprintf(out, size, "Twilio answered %d, which says nothing",
		    twilio->status);
}

int
cli_twilio_fail(const struct cli_twilio *twilio, const char *what)
{
	char why[300];

	cli_twilio_why(twilio, why, sizeof why);
	warnx("%s: %s", what, why);
	return 1;
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

int
cli_twilio_find(
    struct cli_twilio *twilio, const char *number, char sid[TWILIO_SID_SIZE])
{
	const struct cli *cli = twilio->cli;
	struct sought sought = { .number = number };
	char next[TWILIO_NUMBER_NEXT_SIZE];
	struct twilio_rest rest;

	twilio_number_find(&rest, &cli->conf, &cli->secrets, number);
	if (cli_twilio_ask(twilio, &rest) != TWILIO_YES)
		return cli_twilio_fail(twilio, number);
	if (twilio_number_read(&cli->conf, &cli->secrets,
		buf_text(&twilio->body), twilio->body.len, seek, &sought,
		next) != RC_OK) {
		warnx("%s: what Twilio answered is not a list of numbers",
		    number);
		return 1;
	}
	strcpy(sid, sought.sid);
	return 0;
}
