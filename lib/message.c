/* Texts: what was sent by whom to whom, and what became of it. */

#include "message.h"

#include <stdio.h>
#include <string.h>

static const char *const names[MESSAGE__MAX] = {
	[MESSAGE_WAITING] = "waiting",
	[MESSAGE_QUEUED] = "queued",
	[MESSAGE_SENDING] = "sending",
	[MESSAGE_SENT] = "sent",
	[MESSAGE_DELIVERED] = "delivered",
	[MESSAGE_UNDELIVERED] = "undelivered",
	[MESSAGE_FAILED] = "failed",
	[MESSAGE_REFUSED] = "refused",
};

/* Further words of Twilio's (docs:messaging/api/message-resource), as far as
 * what we send can have them. */
static const struct {
	const char *word;
	enum message_status status;
} others[] = {
	{ "accepted", MESSAGE_QUEUED },
	{ "scheduled", MESSAGE_QUEUED },
	{ "read", MESSAGE_DELIVERED },
	{ "canceled", MESSAGE_FAILED },
};

enum rc
message_parse_status(enum message_status *status, const char *text)
{
	size_t i;

	for (i = MESSAGE_QUEUED; i < MESSAGE_REFUSED; i++) {
		if (strcmp(text, names[i]) == 0) {
			*status = (enum message_status)i;
			return RC_OK;
		}
	}
	for (i = 0; i < sizeof others / sizeof others[0]; i++) {
		if (strcmp(text, others[i].word) == 0) {
			*status = others[i].status;
			return RC_OK;
		}
	}
	return RC_INVALID;
}

const char *
message_status_name(enum message_status status)
{
	return names[status];
}

bool
message_is_final(enum message_status status)
{
	return status >= MESSAGE_DELIVERED;
}

bool
message_sid_valid(const char *text)
{
	return strlen(text) == MESSAGE_SID_SIZE - 1 &&
	       (text[0] == 'S' || text[0] == 'M') && text[1] == 'M' &&
	       strspn(text + 2, "0123456789abcdefABCDEF") ==
		   MESSAGE_SID_SIZE - 3;
}

bool
message_url_valid(const char *text)
{
	const char *p;

	for (p = text; *p > ' ' && *p < 0x7f; p++)
		;
	return *p == '\0' && p - text < MESSAGE_URL_SIZE &&
	       (strncmp(text, "https://", 8) == 0 ||
		   strncmp(text, "http://", 7) == 0);
}

bool
message_apply(struct message *message, enum message_status status,
    int64_t error, int64_t at)
{
	if (message_is_final(message->status) || status <= message->status)
		return false;
	message->status = status;
	message->error = error;
	if (message_is_final(status))
		message->ended_at = at;
	return true;
}

/* NULL for an empty text, so that the column is NULL as well. */
static const char *
text_or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

/* What is sealed with the message's id. */
static void
make_context(char out[64], const char *id)
{
	snprintf(out, 64, "%s:%s", MESSAGE_SEALED, id);
}

/* Appends what was written, sealed: a line for each medium, then the text. */
static enum rc
seal(struct buf *sealed, const struct crypto_keys *keys,
    const struct message *message, const struct message_content *content)
{
	char context[64];
	struct buf text;
	enum rc rc;
	int i;

	buf_init(&text, 0);
	for (i = 0; i < content->media_len; i++)
		buf_printf(&text, "%s\n", content->media[i]);
	buf_puts(&text, content->body);
	make_context(context, message->id);
	rc = buf_ok(&text) ? crypto_seal(sealed, keys, context, buf_text(&text))
			   : RC_MEMORY;
	if (text.data != NULL)
		crypto_wipe(text.data, text.size);
	buf_free(&text);
	return rc;
}

enum rc
message_insert(struct db *db, const struct crypto_keys *keys,
    struct message *message, const struct message_content *content,
    int64_t now_ms)
{
	const struct db_arg null = DB_NULL;
	struct buf sealed;
	enum rc rc = RC_OK;

	id_make(message->id, "msg", now_ms);
	message->created_at = now_ms / 1000;
	buf_init(&sealed, 0);
	if (content != NULL)
		rc = seal(&sealed, keys, message, content);
	if (rc == RC_OK) {
		struct db_arg body = DB_BLOB(sealed.data, sealed.len);

		rc = db_first(db, SQL_MESSAGE_INSERT,
		    DB_ARGS(DB_TEXT(message->id),
			DB_TEXT(text_or_null(message->sid)),
			DB_TEXT(text_or_null(message->service_id)),
			DB_TEXT(text_or_null(message->session_id)),
			DB_TEXT(text_or_null(message->from_party)),
			DB_TEXT(text_or_null(message->to_party)),
			DB_TEXT(text_or_null(message->number)),
			DB_TEXT(message->reason),
			DB_TEXT(names[message->status]), DB_INT(message->media),
			content != NULL ? body : null,
			DB_INT(message->created_at)));
		db_done(db, SQL_MESSAGE_INSERT);
	}
	buf_free(&sealed);
	return rc == RC_NONE ? RC_EXISTS : rc;
}

void
message_read_row(struct db *db, enum sql sql, struct message *message)
{
	const char *word = db_column_text(db, sql, 11);
	int status;

	for (status = 0; status < MESSAGE_REFUSED; status++)
		if (strcmp(word, names[status]) == 0)
			break;
	*message = (struct message){
		.status = (enum message_status)status,
		.error = db_column_int(db, sql, 12),
		.media = db_column_int(db, sql, 13),
		.created_at = db_column_int(db, sql, 14),
		.sent_at = db_column_int(db, sql, 15),
		.ended_at = db_column_int(db, sql, 16),
	};
	db_column_copy(db, sql, 0, message->id, sizeof message->id);
	db_column_copy(db, sql, 1, message->sid, sizeof message->sid);
	db_column_copy(db, sql, 2, message->sent_sid, sizeof message->sent_sid);
	db_column_copy(
	    db, sql, 3, message->service_id, sizeof message->service_id);
	db_column_copy(
	    db, sql, 4, message->session_id, sizeof message->session_id);
	db_column_copy(
	    db, sql, 5, message->from_party, sizeof message->from_party);
	db_column_copy(db, sql, 6, message->to_party, sizeof message->to_party);
	db_column_copy(db, sql, 7, message->from, sizeof message->from);
	db_column_copy(db, sql, 8, message->to, sizeof message->to);
	db_column_copy(db, sql, 9, message->number, sizeof message->number);
	db_column_copy(db, sql, 10, message->reason, sizeof message->reason);
}

static enum rc
find(struct db *db, enum sql sql, struct message *message, const char *name)
{
	enum rc rc;

	rc = db_first(db, sql, DB_ARGS(DB_TEXT(name)));
	if (rc == RC_OK)
		message_read_row(db, sql, message);
	db_done(db, sql);
	return rc == RC_NONE ? RC_NOT_FOUND : rc;
}

enum rc
message_find(struct db *db, struct message *message, const char *id)
{
	return find(db, SQL_MESSAGE_FIND, message, id);
}

enum rc
message_find_sid(struct db *db, struct message *message, const char *sid)
{
	return find(db, SQL_MESSAGE_FIND_SID, message, sid);
}

enum rc
message_find_sent(struct db *db, char id[ID_SIZE], const char *sid)
{
	enum rc rc;

	rc = db_first(db, SQL_MESSAGE_SENT, DB_ARGS(DB_TEXT(sid)));
	if (rc == RC_OK)
		db_column_copy(db, SQL_MESSAGE_SENT, 0, id, ID_SIZE);
	db_done(db, SQL_MESSAGE_SENT);
	return rc == RC_NONE ? RC_NOT_FOUND : rc;
}

enum rc
message_update(struct db *db, const struct message *message)
{
	const struct db_arg null = DB_NULL;
	struct db_arg error = DB_INT(message->error);
	struct db_arg sent = DB_INT(message->sent_at);
	struct db_arg ended = DB_INT(message->ended_at);

	return db_run(db, SQL_MESSAGE_UPDATE,
	    DB_ARGS(DB_TEXT(message->id),
		DB_TEXT(text_or_null(message->sent_sid)),
		DB_TEXT(names[message->status]),
		message->error != 0 ? error : null,
		message->sent_at != 0 ? sent : null,
		message->ended_at != 0 ? ended : null));
}

/* Finds media and body in out->text. */
static enum rc
take_apart(struct message_text *out, int64_t media)
{
	char *p = out->text, *end;

	out->content = (struct message_content){ .body = "" };
	if (media > MESSAGE_MEDIA_MAX)
		return RC_CORRUPT;
	while (out->content.media_len < media) {
		if ((end = strchr(p, '\n')) == NULL)
			return RC_CORRUPT;
		*end = '\0';
		out->content.media[out->content.media_len++] = p;
		p = end + 1;
	}
	out->content.body = p;
	return RC_OK;
}

enum rc
message_read(struct db *db, const struct crypto_keys *keys,
    const struct message *message, struct message_text *out)
{
	const enum sql sql = SQL_MESSAGE_BODY;
	char context[64];
	const void *sealed;
	size_t len;
	enum rc rc;

	make_context(context, message->id);
	rc = db_first(db, sql, DB_ARGS(DB_TEXT(message->id)));
	if (rc == RC_OK) {
		sealed = db_column_blob(db, sql, 0, &len);
		rc = len == 0 ? RC_NOT_FOUND
			      : crypto_unseal(out->text, sizeof out->text, keys,
				    context, sealed, len);
	}
	db_done(db, sql);
	if (rc == RC_OK)
		rc = take_apart(out, message->media);
	return rc == RC_NONE ? RC_NOT_FOUND : rc;
}

enum rc
message_wipe(struct db *db, const char *id)
{
	return db_run(db, SQL_MESSAGE_WIPE, DB_ARGS(DB_TEXT(id)));
}

enum rc
message_forget(struct db *db, const char *service_id, int64_t before, int limit,
    int64_t *count)
{
	const enum sql sql = SQL_MESSAGE_FORGET;
	enum rc rc;

	*count = 0;
	rc = db_first(db, sql,
	    DB_ARGS(DB_TEXT(service_id), DB_INT(before), DB_INT(limit)));
	for (; rc == RC_OK; rc = db_next(db, sql))
		(*count)++;
	return rc == RC_NONE ? RC_OK : rc;
}

/* Reads the one number that a statement returns. */
static enum rc
read_number(
    struct db *db, enum sql sql, int64_t *out, const struct db_arg *args)
{
	enum rc rc;

	if ((rc = db_first(db, sql, args)) == RC_OK)
		*out = db_column_int(db, sql, 0);
	db_done(db, sql);
	return rc;
}

enum rc
message_count_relayed(struct db *db, int64_t *count, const char *party_id,
    int64_t since, const char *sid)
{
	return read_number(db, SQL_MESSAGE_COUNT_RELAYED, count,
	    DB_ARGS(DB_TEXT(party_id), DB_INT(since), DB_TEXT(sid)));
}

enum rc
message_count_refused(
    struct db *db, int64_t *count, const struct message *message, int64_t since)
{
	return read_number(db, SQL_MESSAGE_COUNT_REFUSED, count,
	    DB_ARGS(DB_TEXT(message->from_party), DB_INT(since),
		DB_TEXT(message->reason), DB_TEXT(message->id)));
}

enum rc
message_list(struct db *db, const char *session_id, int limit,
    void (*each)(void *cookie, const struct message *message), void *cookie)
{
	const enum sql sql = SQL_MESSAGE_LIST;
	struct message message;
	enum rc rc;

	rc = db_first(db, sql, DB_ARGS(DB_TEXT(session_id), DB_INT(limit)));
	for (; rc == RC_OK; rc = db_next(db, sql)) {
		message_read_row(db, sql, &message);
		each(cookie, &message);
	}
	return rc == RC_NONE ? RC_OK : rc;
}
