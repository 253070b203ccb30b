/* callmask erase: forgets a session or a person, here and at Twilio, and shows
 * the receipt. */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "callmask.h"
#include "erasure.h"
#include "timestamp.h"
#include "view.h"

/* Items of a receipt that are read at once. */
#define PAGE 256

/* An erasure to be made in a transaction. */
struct erasing {
	const struct cli *cli;
	struct mask mask;
	const char *what;      /* session's id, or real number */
	char begun[ID_SIZE];   /* the receipt, once that is committed; "" */
	char receipt[ID_SIZE]; /* … and as the transaction has it */
	struct fault fault;
};

static enum rc
erase_session(struct db *db, void *cookie)
{
	struct erasing *e = cookie;

	(void)db;
	return mask_erase_session(
	    &e->mask, e->cli->service.id, e->what, e->receipt);
}

static enum rc
erase_person(struct db *db, void *cookie)
{
	struct erasing *e = cookie;

	(void)db;
	strcpy(e->receipt, e->begun);
	return mask_erase_person(
	    &e->mask, e->cli->service.id, e->what, e->receipt, &e->fault);
}

/* Makes an erasure. */
static enum rc
make(struct cli *cli, db_deed deed, struct erasing *erasing)
{
	enum rc rc;

	erasing->cli = cli;
	erasing->mask = cli_mask(cli);
	if ((rc = cli_transact(cli, deed, erasing)) == RC_OK)
		strcpy(erasing->begun, erasing->receipt);
	return rc;
}

/* A receipt as it is read. */
struct receipt {
	const struct cli *cli;
	const char *id;
	struct erasure erasure;
	struct erasure_item *items; /* freed by show */
	int len;
};

static enum rc
read_receipt(struct db *db, void *cookie)
{
	struct receipt *r = cookie;
	struct erasure_item *more;
	int got = PAGE;
	enum rc rc;

	rc = erasure_find(db, r->cli->service.id, &r->erasure, r->id);
	while (rc == RC_OK && got == PAGE) {
		more = realloc(
		    r->items, (size_t)(r->len + PAGE) * sizeof r->items[0]);
		if (more == NULL)
			return RC_MEMORY;
		r->items = more;
		rc = erasure_items(db, r->id,
		    r->len > 0 ? r->items[r->len - 1].thing : "",
		    r->items + r->len, PAGE, &got);
		r->len += got;
	}
	return rc;
}

static void
print_text(const struct receipt *r)
{
	char at[TIMESTAMP_SIZE];
	int i, waiting = 0;

	printf("%s  %s %s  asked for %s\n", r->erasure.id, r->erasure.subject,
	    r->erasure.subject_id,
	    timestamp_format(at, r->erasure.requested_at));
	for (i = 0; i < r->len; i++) {
		const struct erasure_item *item = &r->items[i];

		if (item->erased_at == 0)
			waiting++;
		printf("  %-48s %s\n", item->thing,
		    item->erased_at != 0 ? timestamp_format(at, item->erased_at)
					 : "Twilio still has it");
	}
	printf("%d of %d erased\n", r->len - waiting, r->len);
}

static void
print_json(const struct receipt *r)
{
	struct buf json;

	buf_init(&json, (size_t)r->len * 256 + BUF_MAX);
	if (view_erasure(&json, &r->erasure, r->items, r->len) == RC_OK)
		puts(buf_text(&json));
	buf_free(&json);
}

/* Prints the receipt called id. Returns the exit status. */
static int
show(struct cli *cli, const char *id)
{
	struct receipt receipt = { .cli = cli, .id = id };
	enum rc rc;

	rc = db_snapshot(cli->db, read_receipt, &receipt);
	if (rc == RC_OK && cli->json)
		print_json(&receipt);
	else if (rc == RC_OK)
		print_text(&receipt);
	free(receipt.items);
	return rc == RC_OK ? 0 : cli_fail(rc, NULL, id);
}

int
cli_erase_session(struct cli *cli, int argc, char **argv)
{
	struct erasing erasing = { .begun = "" };
	enum rc rc;

	if (argc != 2)
		return cli_usage(cli);
	erasing.what = argv[1];
	if ((rc = make(cli, erase_session, &erasing)) != RC_OK)
		return cli_fail(rc, NULL, argv[1]);
	return show(cli, erasing.begun);
}

void
cli_read_phone(char phone[PHONE_SIZE + 1], char *argument)
{
	if (strcmp(argument, "-") == 0) {
		if (fgets(phone, PHONE_SIZE + 1, stdin) == NULL)
			errx(1, "no number on standard input");
		phone[strcspn(phone, "\r\n")] = '\0';
		return;
	}
	snprintf(phone, PHONE_SIZE + 1, "%s", argument);
	memset(argument, '*', strlen(argument));
}

int
cli_erase_person(struct cli *cli, int argc, char **argv)
{
	struct erasing erasing = { .begun = "" };
	char phone[PHONE_SIZE + 1];
	int sessions = 0;
	enum rc rc;

	if (argc != 2)
		return cli_usage(cli);
	cli_read_phone(phone, argv[1]);
	erasing.what = phone;
	cli->subject = erasing.receipt;
	/* Each session by itself, so that nobody waits long for the turn. */
	while ((rc = make(cli, erase_person, &erasing)) == RC_OK)
		sessions++;
	crypto_wipe(phone, sizeof phone);
	if (rc != RC_NONE)
		return cli_fail(rc, &erasing.fault, "person");
	if (sessions == 0) {
		warnx("there is nothing about this person");
		return 1;
	}
	return show(cli, erasing.begun);
}

int
cli_erase_show(struct cli *cli, int argc, char **argv)
{
	if (argc != 2)
		return cli_usage(cli);
	return show(cli, argv[1]);
}
