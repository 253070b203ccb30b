/* Results: names, what is final, words of a fault. */

#include "test.h"

#include <string.h>

#include "rc.h"

static void
test_ok_is_zero_and_success(void **state)
{
	(void)state;
	assert_int_equal(RC_OK, 0);
	assert_string_equal(rc_name(RC_OK), "ok");
}

/* Logs are searched by them: one word each, none twice. */
static void
test_name_of_every_result(void **state)
{
	const char *name;
	int i, j;

	(void)state;
	for (i = 0; i < RC__MAX; i++) {
		name = rc_name((enum rc)i);
		assert_non_null(name);
		assert_true(strlen(name) > 1);
		assert_int_equal(
		    strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
		for (j = 0; j < i; j++)
			assert_string_not_equal(name, rc_name((enum rc)j));
	}
}

static void
test_name_is_the_one_of_the_constant(void **state)
{
	(void)state;
	assert_string_equal(rc_name(RC_NONE), "none");
	assert_string_equal(rc_name(RC_METHOD), "method");
	assert_string_equal(rc_name(RC_PATH), "path");
	assert_string_equal(rc_name(RC_TYPE), "type");
	assert_string_equal(rc_name(RC_TOO_LARGE), "too_large");
	assert_string_equal(rc_name(RC_INCOMPLETE), "incomplete");
	assert_string_equal(rc_name(RC_UNSIGNED), "unsigned");
	assert_string_equal(rc_name(RC_UNAUTHORIZED), "unauthorized");
	assert_string_equal(rc_name(RC_SYNTAX), "syntax");
	assert_string_equal(rc_name(RC_INVALID), "invalid");
	assert_string_equal(rc_name(RC_NOT_FOUND), "not_found");
	assert_string_equal(rc_name(RC_SAME_PARTY), "same_party");
	assert_string_equal(rc_name(RC_OWN_NUMBER), "own_number");
	assert_string_equal(rc_name(RC_COUNTRY), "country");
	assert_string_equal(rc_name(RC_REFERENCE), "reference");
	assert_string_equal(rc_name(RC_POOL), "pool");
	assert_string_equal(rc_name(RC_KEY_REUSED), "key_reused");
	assert_string_equal(rc_name(RC_EXISTS), "exists");
	assert_string_equal(rc_name(RC_FORBIDDEN), "forbidden");
	assert_string_equal(rc_name(RC_LIMIT), "limit");
	assert_string_equal(rc_name(RC_ENDED), "ended");
	assert_string_equal(rc_name(RC_OFF), "off");
	assert_string_equal(rc_name(RC_BUSY), "busy");
	assert_string_equal(rc_name(RC_RETRY), "retry");
	assert_string_equal(rc_name(RC_UNAVAILABLE), "unavailable");
	assert_string_equal(rc_name(RC_VERSION), "version");
	assert_string_equal(rc_name(RC_CORRUPT), "corrupt");
	assert_string_equal(rc_name(RC_MEMORY), "memory");
	assert_string_equal(rc_name(RC_SYSTEM), "system");
}

static void
test_name_of_no_result(void **state)
{
	(void)state;
	assert_string_equal(rc_name(RC__MAX), "?");
	assert_string_equal(rc_name((enum rc) - 1), "?");
	assert_string_equal(rc_name((enum rc)1000), "?");
}

static void
test_success_and_refusals_are_final(void **state)
{
	static const enum rc final[] = { RC_OK, RC_NONE, RC_METHOD, RC_PATH,
		RC_TYPE, RC_TOO_LARGE, RC_INCOMPLETE, RC_UNSIGNED,
		RC_UNAUTHORIZED, RC_SYNTAX, RC_INVALID, RC_NOT_FOUND,
		RC_SAME_PARTY, RC_OWN_NUMBER, RC_COUNTRY, RC_REFERENCE, RC_POOL,
		RC_KEY_REUSED, RC_EXISTS, RC_FORBIDDEN, RC_LIMIT, RC_ENDED,
		RC_OFF, RC_REFUSED };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof final / sizeof final[0]; i++)
		if (!rc_final(final[i]))
			fail_msg("%s is not final", rc_name(final[i]));
}

static void
test_failures_are_not_final(void **state)
{
	static const enum rc failures[] = { RC_BUSY, RC_RETRY, RC_UNAVAILABLE,
		RC_VERSION, RC_CORRUPT, RC_MEMORY, RC_SYSTEM };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof failures / sizeof failures[0]; i++)
		if (rc_final(failures[i]))
			fail_msg("%s is final", rc_name(failures[i]));
	/* And together with those above that is all there are. */
	assert_int_equal(RC__MAX, 24 + 7);
}

static void
test_fault_says_where_and_what(void **state)
{
	struct fault fault = {
		.field = "old", .detail = "older", .code = "oldest"
	};

	(void)state;
	assert_int_equal(rc_fault(&fault, RC_INVALID, "parties[0].phone",
			     "%d of %s", 3, "four"),
	    RC_INVALID);
	assert_string_equal(fault.field, "parties[0].phone");
	assert_string_equal(fault.detail, "3 of four");
	assert_string_equal(fault.code, "");
}

static void
test_fault_is_cut_to_fit(void **state)
{
	char text[1000];
	struct {
		struct fault fault;
		char guard[8];
	} s;

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	memset(&s, '#', sizeof s);
	assert_int_equal(
	    rc_fault(&s.fault, RC_SYNTAX, text, "%s", text), RC_SYNTAX);
	assert_int_equal(strlen(s.fault.field), sizeof s.fault.field - 1);
	assert_int_equal(strlen(s.fault.detail), sizeof s.fault.detail - 1);
	assert_memory_equal(s.guard, "########", 8);
}

static void
test_fault_of_nobody_passes_the_result(void **state)
{
	(void)state;
	assert_int_equal(
	    rc_fault(NULL, RC_COUNTRY, "country", "%s", "x"), RC_COUNTRY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ok_is_zero_and_success),
		cmocka_unit_test(test_name_of_every_result),
		cmocka_unit_test(test_name_is_the_one_of_the_constant),
		cmocka_unit_test(test_name_of_no_result),
		cmocka_unit_test(test_success_and_refusals_are_final),
		cmocka_unit_test(test_failures_are_not_final),
		cmocka_unit_test(test_fault_says_where_and_what),
		cmocka_unit_test(test_fault_is_cut_to_fit),
		cmocka_unit_test(test_fault_of_nobody_passes_the_result),
	};

	return cmocka_run_group_tests_name("rc", tests, NULL, NULL);
}
