#ifndef TEXTS_H
#define TEXTS_H

/* For tests of texts: short words for what their stories are made of. */

#include "deeds.h"
#include "message.h"
#include "outbox.h"

#define SM(digit) "SM0000000000000000000000000000000" digit

/* Arguments of a deed about texts, for the transaction it runs in. */
struct text_deed {
	enum {
		RELAY,
		SEND,
		SENT,
		UNSENT,
		REPORT_TEXT
	} kind;
	struct store *s;
	const struct mask_texted *texted;
	const char *answer;
	const char *service_id, *id, *sid;
	const struct mask_note *note;
	struct message *out;
	int len;
	struct fault fault;
	struct message *message;
	enum message_status status;
	int64_t error;
};

static inline enum rc
act_text(struct db *db, void *cookie)
{
	struct text_deed *d = cookie;
	const struct mask *mask = &d->s->mask;

	(void)db;
	switch (d->kind) {
	case RELAY:
		return mask_relay(mask, d->texted, &d->answer);
	case SEND:
		return mask_send(mask, d->service_id, d->id, d->note, d->out,
		    &d->len, &d->fault);
	case SENT:
		return mask_sent(mask, d->message, d->sid, d->status);
	case UNSENT:
		return mask_unsent(mask, d->message, d->error, d->id);
	default:
		return mask_report_text(
		    mask, d->id, d->sid, d->status, d->error);
	}
}

static inline enum rc
transact_text(struct text_deed *d)
{
	if (d->service_id == NULL)
		d->service_id = d->s->service.id;
	return db_transact(d->s->db, DB_WAIT_MS, act_text, d);
}

/* A text from one number to another. */
static inline struct mask_texted
texted(const char *sid, const char *from, const char *to, const char *body)
{
	return (struct mask_texted){
		.sid = sid, .from = from, .to = to, .content = { .body = body }
	};
}

/* Brings a text and returns what is answered. */
static inline const char *
bring(struct store *s, const struct mask_texted *text)
{
	struct text_deed d = { RELAY, .s = s, .texted = text };

	must(transact_text(&d));
	return d.answer;
}

/* Brings Anna's text to MASK_1; nothing is answered. Reads it into *out. */
static inline void
anna_texts(
    struct store *s, const char *sid, const char *body, struct message *out)
{
	struct mask_texted text = texted(sid, ANNA, MASK_1, body);

	assert_string_equal(bring(s, &text), "");
	must(message_find_sid(s->db, out, sid));
}

#endif
