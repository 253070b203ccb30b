/* The pool of a service beside the numbers of the account, for commands that
 * compare them. */

#include <stdlib.h>
#include <string.h>

#include "callmask.h"

/* Bytes that the numbers of an account may take: some 60,000 numbers. */
#define POOL_MAX ((size_t)256 * 1024 * 1024)

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
