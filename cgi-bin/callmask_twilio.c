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
#include <unistd.h>

#include "callmask.h"

/* Tries when Twilio says that it is too much at once. */
#define BUSY_TRIES 5
#define BUSY_WAIT_MS 250
/* Longest wait that is asked of us and granted, in seconds. */
#define RETRY_MAX_S 30

/* Bytes that the numbers of an account may take: some 60,000 numbers. */
#define POOL_MAX ((size_t)256 * 1024 * 1024)

#define BAR_SIZE 30

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

void
cli_progress(const char *what, size_t done, size_t total)
{
	static const char bar[BAR_SIZE + 1] = "##############################";
	int full;

	if (!isatty(STDERR_FILENO))
		return;
	if (total == 0) {
		fprintf(stderr, "\r\033[K");
		return;
	}
	full = (int)(BAR_SIZE * done / total);
	fprintf(stderr, "\r%s [%.*s%*s] %zu of %zu", what, full, bar,
	    BAR_SIZE - full, "", done, total);
}

static int
by_number(const void *number, const void *member)
{
	return strcmp(number, ((const struct cli_member *)member)->pool.number);
}

static struct cli_member *
find_member(const struct cli_pool *pool, const char *number)
{
	if (pool->len == 0)
		return NULL;
	return bsearch(
	    number, pool->members, pool->len, sizeof *pool->members, by_number);
}

static void
add_member(void *cookie, const struct number *number)
{
	struct cli_pool *pool = cookie;
	struct cli_member member = { .pool = *number };

	buf_add(&pool->memory, &member, sizeof member);
	if (buf_ok(&pool->memory))
		pool->len++;
}

/* Where a page of the account's numbers is being read to. */
struct reading {
	const struct cli *cli;
	struct cli_pool *pool;
	size_t found; /* of the pool */
	enum rc rc;
};

/* Puts a number of the account where it belongs. */
static void
place(void *cookie, const struct twilio_number *number)
{
	struct reading *r = cookie;
	struct cli_member *member = find_member(r->pool, number->number);
	struct number other;
	enum rc rc;

	if (member != NULL) {
		r->found += !member->found;
		member->found = true;
		member->at_twilio = *number;
		return;
	}
	rc = number_find(r->cli->db, &other, number->number);
	if (rc == RC_NOT_FOUND)
		buf_add(&r->pool->strangers, number->number, PHONE_SIZE);
	else if (rc != RC_OK)
		r->rc = rc;
}

int
cli_pool_read(struct cli_twilio *twilio, struct cli_pool *pool)
{
	const struct cli *cli = twilio->cli;
	struct reading r = { .cli = cli, .pool = pool };
	char next[TWILIO_NUMBER_NEXT_SIZE] = "";
	struct twilio_rest rest;
	enum rc rc;

	*pool = (struct cli_pool){ .why = "" };
	buf_init(&pool->memory, POOL_MAX);
	buf_init(&pool->strangers, POOL_MAX);
	rc = number_list(
	    cli->db, cli->service.id, app_now_ms() / 1000, add_member, pool);
	pool->members = (struct cli_member *)(void *)pool->memory.data;
	twilio->verdict = TWILIO_YES;
	do {
		if (rc != RC_OK)
			break;
		cli_progress("reading numbers", r.found, pool->len);
		twilio_number_list(&rest, &cli->conf, &cli->secrets, next);
		if (cli_twilio_ask(twilio, &rest) != TWILIO_YES)
			break;
		rc = twilio_number_read(&cli->conf, &cli->secrets,
		    buf_text(&twilio->body), twilio->body.len, place, &r, next);
		if (rc == RC_OK)
			rc = r.rc;
	} while (next[0] != '\0');
	cli_progress("", 0, 0);
	if (!buf_ok(&pool->memory) || !buf_ok(&pool->strangers))
		rc = RC_MEMORY;
	if (twilio->verdict != TWILIO_YES)
		cli_twilio_why(twilio, pool->why, sizeof pool->why);
	else if (rc == RC_SYNTAX)
		strcpy(pool->why, "what Twilio answered is not a list of them");
	else if (rc != RC_OK)
		strcpy(pool->why, rc_name(rc));
	return pool->why[0] == '\0' ? 0 : 1;
}

void
cli_pool_free(struct cli_pool *pool)
{
	buf_free(&pool->memory);
	buf_free(&pool->strangers);
}

static void
count_finding(void *cookie, const struct twilio_number_finding *finding)
{
	int *count = cookie;

	if (finding->kind != TWILIO_NUMBER_NOTE)
		++*count;
}

bool
cli_member_right(
    const struct cli_member *member, const struct twilio_number *wanted)
{
	int count = 0;

	if (!member->found)
		return strcmp(member->pool.state, "retired") == 0;
	twilio_number_compare(
	    &member->at_twilio, wanted, count_finding, &count);
	return count == 0;
}
