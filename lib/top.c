/* How an installation is doing this moment. */

#include "top.h"

#include <string.h>

#include "metrics.h"

#define DAY_S 86400
/* How long something may be due before it is late. */
#define LATE_MS 60000

const char *const top_states[TOP_STATES] = { "active", "reserved", "draining",
	"retired" };

static const char *const channels[OUTBOX_CHANNEL__MAX] = {
	[OUTBOX_APP] = "app",
	[OUTBOX_TWILIO] = "twilio",
};

/* What is read, as of when. */
struct reading {
	const char *service_id;
	int64_t now_ms;
	struct top *top;
};

/* Reads the one number that a statement returns. */
static enum rc
read_count(struct db *db, enum sql sql, int64_t *out, const struct db_arg *args)
{
	enum rc rc;

	if ((rc = db_first(db, sql, args)) == RC_OK)
		*out = db_column_int(db, sql, 0);
	db_done(db, sql);
	return rc;
}

/* That of all services needs no row, only an index. */
static enum rc
read_sessions(struct db *db, const struct reading *r)
{
	const struct db_arg now = DB_INT(r->now_ms / 1000);

	if (r->service_id[0] == '\0')
		return read_count(
		    db, SQL_METRICS_OPEN, &r->top->sessions, DB_ARGS(now));
	return read_count(db, SQL_TOP_SESSIONS, &r->top->sessions,
	    DB_ARGS(now, DB_TEXT(r->service_id)));
}

/* One that began a day ago is over, whatever we have heard of it. */
static enum rc
read_calls(struct db *db, const struct reading *r)
{
	const enum sql sql = SQL_TOP_CALLS;
	enum call_status status;
	enum rc rc;

	rc = db_first(db, sql,
	    DB_ARGS(DB_INT(r->now_ms / 1000 - DAY_S), DB_TEXT(r->service_id)));
	for (; rc == RC_OK; rc = db_next(db, sql))
		if (call_parse_status(&status, db_column_text(db, sql, 0)) ==
			RC_OK &&
		    !call_is_final(status))
			r->top->calls[status]++;
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
read_numbers(struct db *db, struct top_service *service)
{
	const enum sql sql = SQL_METRICS_NUMBERS;
	const char *state;
	enum rc rc;
	int i;

	rc = db_first(db, sql, DB_ARGS(DB_TEXT(service->id)));
	for (; rc == RC_OK; rc = db_next(db, sql)) {
		state = db_column_text(db, sql, 0);
		for (i = 0; i < TOP_STATES; i++)
			if (strcmp(state, top_states[i]) == 0)
				service->numbers[i] +=
				    db_column_int(db, sql, 2);
	}
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
read_receiver(struct db *db, const char *id, enum outbox_channel channel,
    int64_t now_ms, struct top_receiver *receiver)
{
	const char *name = channels[channel];
	enum rc rc;

	rc = read_count(db, SQL_METRICS_WAITING, &receiver->waiting,
	    DB_ARGS(DB_TEXT(id), DB_TEXT(name)));
	if (rc == RC_OK)
		rc = read_count(db, SQL_TOP_LATE, &receiver->late,
		    DB_ARGS(
			DB_TEXT(id), DB_TEXT(name), DB_INT(now_ms - LATE_MS)));
	if (rc == RC_OK)
		rc = read_count(db, SQL_TOP_PARKED, &receiver->parked,
		    DB_ARGS(DB_TEXT(id), DB_TEXT(name)));
	return rc == RC_OK
		   ? metrics_late(db, id, channel, now_ms, &receiver->lag_ms)
		   : rc;
}

static enum rc
read_service(struct db *db, int64_t now_ms, struct top_service *service)
{
	enum rc rc;
	int i;

	if ((rc = read_numbers(db, service)) != RC_OK ||
	    ((rc = metrics_room(
		  db, service->id, now_ms, &service->free_ratio)) != RC_OK &&
		rc != RC_NONE) ||
	    (rc = call_usage(db, &service->talk_s, service->id,
		 now_ms / 1000 / DAY_S)) != RC_OK)
		return rc;
	for (i = 0; rc == RC_OK && i < OUTBOX_CHANNEL__MAX; i++)
		rc = read_receiver(db, service->id, (enum outbox_channel)i,
		    now_ms, &service->receivers[i]);
	return rc;
}

static enum rc
read_all(struct db *db, void *cookie)
{
	const struct reading *r = cookie;
	struct top *top = r->top;
	char id[ID_SIZE] = "", name[64];
	struct top_service *service;
	enum rc rc;

	rc = read_sessions(db, r);
	if (rc == RC_OK)
		rc = read_calls(db, r);
	while (
	    rc == RC_OK && (rc = metrics_next_service(db, id, name)) == RC_OK) {
		if (r->service_id[0] != '\0' && strcmp(id, r->service_id) != 0)
			continue;
		if ((top->more = top->services_len == TOP_SERVICES_MAX))
			break;
		service = &top->services[top->services_len++];
		strcpy(service->id, id);
		strcpy(service->name, name);
		rc = read_service(db, r->now_ms, service);
	}
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
top_read(struct db *db, const char *service_id, int64_t now_ms, struct top *top)
{
	struct reading reading = { service_id, now_ms, top };

	*top = (struct top){ .more = false };
	return db_snapshot(db, read_all, &reading);
}
