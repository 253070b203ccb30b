#ifndef SESSIONS_H
#define SESSIONS_H

/*
 * For tests of sessions as they are kept: a store with two masked numbers, and
 * sessions of Anna and Boris in it.
 */

#include "store.h"

static const struct session_request good = {
	.parties = { { "customer", ANNA }, { "driver", BORIS } },
};

static inline void
check_same(const struct session *a, const struct session *b)
{
	int i;

	assert_string_equal(a->id, b->id);
	assert_string_equal(a->reference, b->reference);
	assert_int_equal(a->created_at, b->created_at);
	assert_int_equal(a->expires_at, b->expires_at);
	assert_int_equal(a->closed_at, b->closed_at);
	assert_int_equal(a->closed_by_expiry, b->closed_by_expiry);
	for (i = 0; i < SESSION_PARTIES; i++) {
		assert_string_equal(a->parties[i].id, b->parties[i].id);
		assert_string_equal(a->parties[i].role, b->parties[i].role);
		assert_string_equal(a->parties[i].number, b->parties[i].number);
		assert_string_equal(a->parties[i].code, b->parties[i].code);
	}
}

/* Inserts a session of a service with a reference, made `age` ms before NOW,
 * which keeps the ids in order. */
static inline enum rc
insert(struct store *s, const char *service_id, struct session *session,
    const char *reference, int64_t age)
{
	struct session_request request = good;
	int i;

	*session =
	    (struct session){ .created_at = NOW - 9, .expires_at = NOW + 9 };
	strcpy(session->reference, reference);
	strcpy(request.reference, reference);
	id_make(session->id, "ses", NOW * 1000 - age);
	for (i = 0; i < SESSION_PARTIES; i++) {
		id_make(session->parties[i].id, "pty", NOW * 1000);
		strcpy(session->parties[i].role, request.parties[i].role);
		strcpy(session->parties[i].number, i == 0 ? MASK_1 : MASK_2);
	}
	return session_insert(s->db, &s->keys, service_id, session, &request);
}

static inline void
must_insert(struct store *s, struct session *session, const char *reference,
    int64_t age)
{
	must(insert(s, s->service.id, session, reference, age));
}

static inline int
sessions_setup(void **state)
{
	store_setup(state);
	store_number(*state, ((struct store *)*state)->service.id, MASK_1);
	store_number(*state, ((struct store *)*state)->service.id, MASK_2);
	return 0;
}

#define SESSION_TEST(test)                                                     \
	cmocka_unit_test_setup_teardown(test, sessions_setup, store_teardown)

#endif
