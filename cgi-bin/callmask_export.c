/*
 * callmask export: what is stored about a person, or a session, as one document
 * for whoever has a right to know. The other's real number is in nothing of it:
 * what others wrote is given as `redact` would have passed it on.
 */

#include <err.h>
#include <stdio.h>
#include <string.h>

#include "callmask.h"
#include "erasure.h"
#include "export.h"
#include "redact.h"
#include "view.h"

/* A document that is being made. */
struct document {
	const struct cli *cli;
	struct db *db;
	const uint8_t *person; /* of whom it is; NULL: of a session */
	const char *what;      /* that session's id */
	int64_t now;           /* epoch seconds */
	/* Lists, as JSON, without the brackets; of one session the latter. */
	struct buf sessions, holds, erasures;
	struct buf parties, calls, messages, recordings;
};

/* Separates what follows in a list. */
static struct buf *
another(struct buf *list)
{
	buf_puts(list, list->len != 0 ? ", " : "");
	return list;
}

static enum rc
add_party(void *cookie, const struct export_party *party)
{
	struct document *d = cookie;

	cli_json_add(&d->parties,
	    CLI_FIELDS(CLI_TEXT("id", party->id), CLI_TEXT("role", party->role),
		CLI_TEXT("masked_number", party->number),
		CLI_TEXT("code", party->code), CLI_TIME("since", party->since),
		CLI_TIME("replaced_at", party->replaced_at),
		CLI_TIME("disputed_at", party->disputed_at)));
	return buf_ok(&d->parties) ? RC_OK : RC_MEMORY;
}

static enum rc
add_recording(void *cookie, const struct recording *recording)
{
	struct document *d = cookie;

	return view_recording(another(&d->recordings), recording);
}

static enum rc
add_call(void *cookie, const struct call_summary *call)
{
	struct document *d = cookie;
	enum rc rc;

	rc = view_call(another(&d->calls), call);
	return rc == RC_OK
		   ? export_recordings(d->db, call->id, add_recording, d)
		   : rc;
}

static enum rc
add_message(void *cookie, const struct message *message, bool own)
{
	struct document *d = cookie;
	struct message_text text;
	struct buf clean;
	enum rc rc;

	another(&d->messages);
	rc = message_read(d->db, &d->cli->secrets.keys, message, &text);
	if (rc == RC_NOT_FOUND)
		return view_message_text(&d->messages, message, NULL);
	if (rc != RC_OK)
		return rc;
	buf_init(&clean, 0);
	if (!own) {
		rc = redact(&clean, text.content.body);
		text.content.body = buf_text(&clean);
	}
	if (rc == RC_OK)
		rc = view_message_text(&d->messages, message, &text.content);
	buf_free(&clean);
	crypto_wipe(&text, sizeof text);
	return rc;
}

/* Adds a session with what the document tells of it. */
static enum rc
add_session(void *cookie, const char *id)
{
	struct document *d = cookie;
	struct session s;
	enum rc rc;

	buf_reset(&d->parties);
	buf_reset(&d->calls);
	buf_reset(&d->messages);
	buf_reset(&d->recordings);
	if ((rc = session_find(d->db, d->cli->service.id, &s, id)) != RC_OK ||
	    (rc = export_parties(d->db, id, d->person, add_party, d)) !=
		RC_OK ||
	    (rc = export_calls(d->db, id, d->person, add_call, d)) != RC_OK ||
	    (rc = export_messages(d->db, id, d->person, add_message, d)) !=
		RC_OK)
		return rc;
	cli_json_add(&d->sessions,
	    CLI_FIELDS(CLI_TEXT("id", s.id), CLI_TEXT("reference", s.reference),
		CLI_TEXT(
		    "status", session_status_name(session_status(&s, d->now))),
		CLI_TIME("created_at", s.created_at),
		CLI_TIME("expires_at", s.expires_at),
		CLI_TIME("closed_at", s.closed_at),
		CLI_TIME("linger_until", s.linger_until),
		CLI_TEXT("voice", s.voice), CLI_TEXT("text", s.text),
		CLI_LIST("parties", &d->parties), CLI_LIST("calls", &d->calls),
		CLI_LIST("messages", &d->messages),
		CLI_LIST("recordings", &d->recordings)));
	return buf_ok(&d->sessions) ? RC_OK : RC_MEMORY;
}

/* Adds the receipt of a session that is erased. */
static enum rc
add_erasure(struct document *d, const char *id, const char *session_id)
{
	struct erasure erasure;
	enum rc rc;

	rc = erasure_find(d->db, d->cli->service.id, &erasure, id);
	if (rc != RC_OK)
		return rc;
	cli_json_add(
	    &d->erasures, CLI_FIELDS(CLI_TEXT("id", erasure.id),
			      CLI_TEXT("subject", erasure.subject),
			      CLI_TEXT("session_id", session_id),
			      CLI_TIME("requested_at", erasure.requested_at)));
	return buf_ok(&d->erasures) ? RC_OK : RC_MEMORY;
}

static enum rc
add_leg(void *cookie, const struct export_leg *leg)
{
	struct document *d = cookie;

	cli_json_add(
	    &d->holds, CLI_FIELDS(CLI_TEXT("masked_number", leg->number),
			   CLI_TEXT("session_id", leg->session_id),
			   CLI_TIME("live_until", leg->live_until),
			   CLI_TIME("held_until", leg->held_until)));
	if (!buf_ok(&d->holds))
		return RC_MEMORY;
	return leg->erasure_id[0] != '\0'
		   ? add_erasure(d, leg->erasure_id, leg->session_id)
		   : RC_OK;
}

static enum rc
read_person(struct db *db, void *cookie)
{
	struct document *d = cookie;
	const char *service_id = d->cli->service.id;
	enum rc rc;

	d->db = db;
	rc = export_sessions(db, service_id, d->person, add_session, d);
	return rc == RC_OK ? export_legs(db, service_id, d->person, add_leg, d)
			   : rc;
}

static enum rc
read_session(struct db *db, void *cookie)
{
	struct document *d = cookie;
	char erasure_id[ID_SIZE];
	enum rc rc;

	d->db = db;
	rc = erasure_of(db, d->cli->service.id, d->what, erasure_id);
	if (rc == RC_OK && erasure_id[0] != '\0')
		rc = add_erasure(d, erasure_id, d->what);
	return rc == RC_OK ? add_session(d, d->what) : rc;
}

/* The lists of a document, to be run over. */
#define LISTS(d)                                                               \
	{                                                                      \
		&(d)->sessions, &(d)->holds, &(d)->erasures, &(d)->parties,    \
		    &(d)->calls, &(d)->messages, &(d)->recordings              \
	}

static void
begin(struct document *d, struct cli *cli)
{
	struct buf *lists[] = LISTS(d);
	size_t i;

	*d = (struct document){ .cli = cli, .now = app_now_ms() / 1000 };
	for (i = 0; i < sizeof lists / sizeof lists[0]; i++)
		buf_init(lists[i], CLI_JSON_MAX);
}

/* Prints a document; phone NULL: of a session. */
static void
print(struct document *d, const char *phone)
{
	const struct cli_field service =
				   CLI_TEXT("service", d->cli->service.name),
			       at = CLI_TIME("exported_at", d->now),
			       erasures = CLI_LIST("erasures", &d->erasures);

	if (phone != NULL)
		cli_json(CLI_FIELDS(CLI_TEXT("person", phone), service, at,
		    CLI_LIST("sessions", &d->sessions),
		    CLI_LIST("holds", &d->holds), erasures));
	else
		cli_json(CLI_FIELDS(service, at,
		    CLI_VALUE("session", buf_text(&d->sessions)), erasures));
}

static void
end(struct document *d)
{
	struct buf *lists[] = LISTS(d);
	size_t i;

	for (i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		crypto_wipe(lists[i]->data, lists[i]->size);
		buf_free(lists[i]);
	}
}

int
cli_export_person(struct cli *cli, int argc, char **argv)
{
	uint8_t person[CRYPTO_HASH_SIZE];
	char phone[PHONE_SIZE + 1];
	struct document d;
	enum rc rc;

	if (argc != 2)
		return cli_usage(cli);
	cli_read_phone(phone, argv[1]);
	if (!phone_valid(phone))
		errx(1, "person: is not an E.164 number");
	if (cli_note_first(cli) != 0)
		return 1;
	begin(&d, cli);
	session_person(person, &cli->secrets.keys, phone);
	d.person = person;
	rc = db_snapshot(cli->db, read_person, &d);
	if (rc == RC_OK && d.sessions.len == 0 && d.holds.len == 0) {
		warnx("there is nothing about this person");
		rc = RC_NOT_FOUND;
	} else if (rc == RC_OK) {
		print(&d, phone);
	} else {
		cli_fail(rc, NULL, "person");
	}
	crypto_wipe(phone, sizeof phone);
	end(&d);
	return rc == RC_OK ? 0 : 1;
}

int
cli_export_session(struct cli *cli, int argc, char **argv)
{
	struct document d;
	enum rc rc;

	if (argc != 2)
		return cli_usage(cli);
	if (cli_note_first(cli) != 0)
		return 1;
	begin(&d, cli);
	d.what = argv[1];
	rc = db_snapshot(cli->db, read_session, &d);
	if (rc == RC_OK)
		print(&d, NULL);
	end(&d);
	return rc == RC_OK ? 0 : cli_fail(rc, NULL, argv[1]);
}
