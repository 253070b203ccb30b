#ifndef DEEDS_H
#define DEEDS_H

/*
 * For tests of what the service does: each deed in a transaction of its own,
 * and short words for what most stories are made of. MASK_TEST gives a test a
 * store whose service has MASK_1 and MASK_2, at NOW.
 */

#include "leg.h"
#include "store.h"

/* Arguments of a deed, for the transaction it runs in. */
struct deed {
	enum {
		OPEN,
		CLOSE,
		CHANGE,
		ANNOUNCE,
		ADD,
		ROUTE_CODE,
		ROUTE_INTENT,
		RECORD,
		DISPUTE,
		PLACE,
		HANG_UP,
		LEARN,
		ANSWER,
		REPORT
	} kind;
	struct store *s;
	const char *service_id, *text, *role;
	const struct session_request *request;
	const struct session_change *change;
	struct session_closing closing;
	struct session *session;
	struct fault fault;
	const struct mask_dialled *dialled;
	struct mask_route *route;
	int64_t expires_at;
	const struct mask_report *report;
	struct call_summary *call;
	struct call row;
};

static inline enum rc
act(struct db *db, void *cookie)
{
	struct deed *d = cookie;
	const struct mask *mask = &d->s->mask;

	(void)db;
	switch (d->kind) {
	case OPEN:
		return mask_open(
		    mask, d->service_id, d->request, d->session, &d->fault);
	case CLOSE:
		return mask_close(mask, d->service_id, d->text, &d->closing,
		    d->session, &d->fault);
	case CHANGE:
		return mask_change(mask, d->service_id, d->text, d->change,
		    d->session, &d->fault);
	case ANNOUNCE:
		return mask_announce(mask, d->service_id, d->text, d->role,
		    &d->expires_at, &d->fault);
	case ADD:
		return mask_add_number(mask, d->service_id, d->text, &d->fault);
	case ROUTE_CODE:
		return mask_route_code(mask, d->dialled, d->route);
	case ROUTE_INTENT:
		return mask_route_intent(mask, d->dialled, d->route);
	case DISPUTE:
		return mask_dispute(mask, d->text, d->role);
	case PLACE:
		return mask_place(
		    mask, d->service_id, d->text, d->role, d->call, &d->fault);
	case HANG_UP:
		return mask_hang_up(mask, d->service_id, d->text, d->call);
	case LEARN:
		return mask_learn(mask, d->text, d->role, &d->row);
	case ANSWER:
		return mask_answer(mask, d->text, d->role, d->route);
	case RECORD:
		return mask_record(mask, d->dialled, d->route);
	default:
		return mask_report(mask, d->report);
	}
}

static inline enum rc
transact(struct deed *d)
{
	if (d->service_id == NULL)
		d->service_id = d->s->service.id;
	return db_transact(d->s->db, DB_WAIT_MS, act, d);
}

/* Sets the time of the deeds that follow, late in that second. */
static inline void
at(struct store *s, int64_t now)
{
	s->mask.now_ms = now * 1000 + 999;
}

static inline struct session_request
ask(const char *reference, const char *a, const char *b)
{
	struct session_request request = { .voice = "both",
		.text = "both",
		.parties = { { .role = "customer" }, { .role = "driver" } } };

	strcpy(request.reference, reference);
	strcpy(request.parties[0].phone, a);
	strcpy(request.parties[1].phone, b);
	return request;
}

static inline enum rc
try_open(
    struct store *s, const struct session_request *request, struct session *out)
{
	return transact(
	    &(struct deed){ OPEN, .s = s, .request = request, .session = out });
}

/* Opens a session that must open. */
static inline struct session
open_session(
    struct store *s, const char *reference, const char *a, const char *b)
{
	struct session_request request = ask(reference, a, b);
	struct session session;

	must(try_open(s, &request, &session));
	return session;
}

/* Checks that a session is refused, for what and because of which field, and
 * that nothing but an event is left of it. */
static inline void
check_open_refused(struct store *s, const char *service_id,
    const struct session_request *request, enum rc rc, const char *field)
{
	struct session session = { .reference = "untouched" };
	struct deed d = { OPEN, .s = s, .service_id = service_id,
		.request = request, .session = &session };
	static const char count[] =
	    "SELECT (SELECT count(*) FROM session) +"
	    " (SELECT count(*) FROM party) + (SELECT count(*) FROM leg)";
	int64_t rows = store_int(s, count);

	assert_int_equal(transact(&d), rc);
	assert_string_equal(d.fault.field, field);
	assert_true(d.fault.detail[0] != '\0');
	assert_null(strstr(d.fault.detail, "555"));
	assert_string_equal(session.reference, "untouched");
	assert_int_equal(store_int(s, count), rows);
}

static inline enum rc
close_session(struct store *s, const char *id, struct session *session)
{
	return transact(
	    &(struct deed){ CLOSE, .s = s, .text = id, .session = session });
}

static inline enum rc
add_number(struct store *s, const char *number, const char *field)
{
	struct deed d = { ADD, .s = s, .text = number };
	enum rc rc = transact(&d);

	assert_string_equal(d.fault.field, field);
	return rc;
}

/* A call from one number to another, without anything else. */
static inline struct mask_dialled
dialled(const char *sid, const char *from, const char *to)
{
	return (struct mask_dialled){ sid, from, to, "", "" };
}

/* Checks what was decided; the call goes nowhere unless it is connected or
 * forwarded. */
static inline void
check_route(const struct mask_route *out, enum policy_action action,
    enum policy_reason reason)
{
	assert_string_equal(policy_reason_name(out->decision.reason),
	    policy_reason_name(reason));
	assert_string_equal(policy_action_name(out->decision.action),
	    policy_action_name(action));
	if (action != POLICY_CONNECT) {
		assert_string_equal(out->peer_id, "");
		assert_false(out->screen);
	}
	if (action != POLICY_CONNECT && action != POLICY_FORWARD) {
		assert_string_equal(out->to, "");
		assert_string_equal(out->caller_id, "");
	}
}

/* Routes a call and checks what is decided. */
static inline struct mask_route
route_as(struct store *s, const char *from, const char *to,
    enum policy_action action, enum policy_reason reason)
{
	struct mask_dialled call = dialled(SID_1, from, to);
	struct mask_route out;

	memset(&out, 'x', sizeof out);
	must(mask_route(&s->mask, &call, &out));
	check_route(&out, action, reason);
	return out;
}

/* The same for a call that is connected or refused. */
static inline struct mask_route
route(struct store *s, const char *from, const char *to,
    enum policy_reason reason)
{
	return route_as(s, from, to,
	    reason == POLICY_CONNECTED ? POLICY_CONNECT : POLICY_REFUSE,
	    reason);
}

/* Routes a call, which must be connected to whom, for limit seconds. */
static inline void
check_connected(struct store *s, const char *from, const char *to,
    const char *whom, int64_t limit_s)
{
	struct mask_route out = route(s, from, to, POLICY_CONNECTED);

	assert_string_equal(out.to, whom);
	assert_string_equal(out.caller_id, to);
	assert_int_equal(out.limit_s, limit_s);
}

/* Records a call that was routed. */
static inline void
record(struct store *s, const struct mask_dialled *call, struct mask_route *out)
{
	must(transact(
	    &(struct deed){ RECORD, .s = s, .dialled = call, .route = out }));
}

/* Routes and records a call. */
static inline void
dial(struct store *s, const char *sid, const char *from, const char *to,
    enum policy_reason reason)
{
	struct mask_route out = route(s, from, to, reason);
	struct mask_dialled call = dialled(sid, from, to);

	record(s, &call, &out);
}

static inline enum rc
report_leg(struct store *s, const struct mask_report *report)
{
	return transact(&(struct deed){ REPORT, .s = s, .report = report });
}

/* Reports on a leg between MASK_1 and a person, in second sequence. */
static inline enum rc
report(struct store *s, const char *sid, const char *parent_sid,
    const char *person, enum call_status status, int64_t sequence)
{
	return report_leg(
	    s, &(struct mask_report){ sid, parent_sid, MASK_1, person,
		   { status, sequence, NOW + sequence,
		       call_is_final(status) ? 5 : -1 },
		   NULL });
}

/* Reports on the leg that rings Boris. */
static inline void
ring(struct store *s, enum call_status status, int64_t sequence)
{
	must(report(s, SID_2, SID_1, BORIS, status, sequence));
}

/* Changes settings of the service. */
static inline void
set(struct store *s, const char *settings)
{
	char sql[256];

	snprintf(sql, sizeof sql, "UPDATE service SET %s WHERE name = 'taxi'",
	    settings);
	store_run(s, sql);
}

/* Checks the numbers, types and details of the service's events. */
static inline void
check_events(struct store *s, const char *expected)
{
	store_check(s,
	    "SELECT coalesce(group_concat(seq || ' ' || type"
	    " || coalesce(' ' || detail, ''), ', '), '')"
	    " FROM (SELECT * FROM event JOIN service ON service_id = service.id"
	    " WHERE name = 'taxi' ORDER BY seq)",
	    expected);
}

static inline int
setup(void **state)
{
	struct store *s;

	store_setup(state);
	s = *state;
	store_number(s, s->service.id, MASK_1);
	store_number(s, s->service.id, MASK_2);
	/* Most stories are shorter without the question for the code. */
	store_run(s, "UPDATE service SET ask_code = 0");
	at(s, NOW);
	return 0;
}

#define MASK_TEST(test)                                                        \
	cmocka_unit_test_setup_teardown(test, setup, store_teardown)

#endif
