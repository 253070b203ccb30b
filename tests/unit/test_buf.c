/* A growable run of bytes: appending, its bound, what failing leaves. */

#include "test.h"

#include <malloc.h>
#include <string.h>

#include "buf.h"

/* The sanitizer's allocator is to say no like any other. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void
check_text(const struct buf *buf, const char *text)
{
	assert_int_equal(buf->len, strlen(text));
	assert_string_equal(buf_text(buf), text);
}

static void
test_init_is_empty_without_memory(void **state)
{
	struct buf buf;

	(void)state;
	memset(&buf, 0xff, sizeof buf);
	buf_init(&buf, 10);
	assert_null(buf.data);
	assert_int_equal(buf.max, 10);
	assert_true(buf_ok(&buf));
	check_text(&buf, "");
}

static void
test_add_appends_bytes(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 0);
	buf_add(&buf, "ab", 2);
	buf_add(&buf, "\0c", 2);
	assert_int_equal(buf.len, 4);
	assert_memory_equal(buf.data, "ab\0c\0", 5);
	assert_true(buf_ok(&buf));
	buf_free(&buf);
}

static void
test_add_of_nothing(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 0);
	buf_add(&buf, NULL, 0);
	check_text(&buf, "");
	buf_puts(&buf, "a");
	buf_add(&buf, NULL, 0);
	buf_puts(&buf, "");
	buf_printf(&buf, "%s", "");
	check_text(&buf, "a");
	assert_true(buf_ok(&buf));
	buf_free(&buf);
}

static void
test_puts_and_printf_append(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 0);
	buf_puts(&buf, "one ");
	buf_printf(&buf, "%d%%, ", 2);
	buf_puts(&buf, "three");
	check_text(&buf, "one 2%, three");
	buf_free(&buf);
}

/* Each length once, so that every step of growth is met by each append. */
static void
test_nul_follows_at_every_length(void **state)
{
	struct buf added, put, printed;
	size_t i;

	(void)state;
	buf_init(&added, 0);
	buf_init(&put, 0);
	buf_init(&printed, 0);
	for (i = 1; i <= 5000; i++) {
		buf_add(&added, "x", 1);
		buf_puts(&put, "x");
		buf_printf(&printed, "%c", 'x');
		if (strlen(added.data) != i || strlen(put.data) != i ||
		    strlen(printed.data) != i)
			fail_msg("at %zu", i);
	}
	buf_free(&added);
	buf_free(&put);
	buf_free(&printed);
}

static void
test_bound_is_met_exactly(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 4);
	buf_add(&buf, "abcd", 4);
	assert_true(buf_ok(&buf));
	check_text(&buf, "abcd");
	buf_free(&buf);
	buf_printf(&buf, "%s", "efgh");
	assert_true(buf_ok(&buf));
	check_text(&buf, "efgh");
	buf_free(&buf);
}

static void
test_beyond_the_bound_is_refused(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 4);
	buf_add(&buf, "abcde", 5);
	assert_false(buf_ok(&buf));
	check_text(&buf, "");
	buf_reset(&buf);
	buf_puts(&buf, "abcde");
	assert_false(buf_ok(&buf));
	check_text(&buf, "");
	buf_reset(&buf);
	buf_printf(&buf, "%d", 12345);
	assert_false(buf_ok(&buf));
	check_text(&buf, "");
	buf_free(&buf);
}

/* What would fit by itself is refused as well, or there would be a hole. */
static void
test_failure_keeps_what_was_there(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 4);
	buf_puts(&buf, "abc");
	buf_puts(&buf, "de");
	assert_false(buf_ok(&buf));
	check_text(&buf, "abc");
	buf_puts(&buf, "d");
	buf_add(&buf, "d", 1);
	buf_printf(&buf, "d");
	assert_int_equal(buf_reserve(&buf, 0), RC_MEMORY);
	assert_false(buf_ok(&buf));
	check_text(&buf, "abc");
	buf_free(&buf);
}

static void
test_no_bound_means_the_default(void **state)
{
	struct buf buf;
	char kilo[1024];
	int i;

	(void)state;
	memset(kilo, 'x', sizeof kilo);
	buf_init(&buf, 0);
	for (i = 0; i < BUF_MAX / 1024; i++)
		buf_add(&buf, kilo, sizeof kilo);
	assert_true(buf_ok(&buf));
	assert_int_equal(buf.len, BUF_MAX);
	buf_add(&buf, "x", 1);
	assert_false(buf_ok(&buf));
	assert_int_equal(buf.len, BUF_MAX);
	buf_free(&buf);
}

static void
test_lengths_do_not_wrap_around(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 100);
	buf_puts(&buf, "abc");
	assert_int_equal(buf_reserve(&buf, SIZE_MAX), RC_MEMORY);
	assert_false(buf_ok(&buf));
	buf_reset(&buf);
	buf_puts(&buf, "abc");
	assert_int_equal(buf_reserve(&buf, SIZE_MAX - 2), RC_MEMORY);
	check_text(&buf, "abc");
	buf_free(&buf);
}

static void
test_no_memory_is_remembered(void **state)
{
	/* More than a process can address. */
	const size_t all = (size_t)1 << 46;
	struct buf buf;

	(void)state;
	buf_init(&buf, 2 * all);
	buf_puts(&buf, "abc");
	assert_int_equal(buf_reserve(&buf, all), RC_MEMORY);
	assert_false(buf_ok(&buf));
	buf_puts(&buf, "d");
	check_text(&buf, "abc");
	buf_free(&buf);
}

static void
test_reserve_lets_append_stay_in_place(void **state)
{
	struct buf buf;
	const char *at;
	int i;

	(void)state;
	buf_init(&buf, 0);
	buf_puts(&buf, "x");
	assert_int_equal(buf_reserve(&buf, 1023), RC_OK);
	assert_int_equal(buf.len, 1);
	assert_true(buf.size >= 1025);
	at = buf.data;
	for (i = 0; i < 1023; i++)
		buf_add(&buf, "y", 1);
	assert_ptr_equal(buf.data, at);
	assert_int_equal(buf.len, 1024);
	buf_free(&buf);
}

static void
test_reserve_counts_towards_the_bound(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 4);
	assert_int_equal(buf_reserve(&buf, 4), RC_OK);
	assert_true(buf_ok(&buf));
	assert_int_equal(buf_reserve(&buf, 5), RC_MEMORY);
	assert_false(buf_ok(&buf));
	buf_free(&buf);
}

/* Room is not content: the bytes are followed by a NUL also while there are
 * none. */
static void
test_reserve_leaves_the_text_empty(void **state)
{
	struct buf buf;

	(void)state;
	/* Memory that is not zero by chance. */
	mallopt(M_PERTURB, 0x55);
	buf_init(&buf, 0);
	assert_int_equal(buf_reserve(&buf, 3000), RC_OK);
	assert_int_equal(buf.len, 0);
	assert_int_equal(buf_text(&buf)[0], '\0');
	buf_free(&buf);
	mallopt(M_PERTURB, 0);
}

static void
test_reset_keeps_memory_and_bound(void **state)
{
	struct buf buf;
	const char *at;

	(void)state;
	buf_init(&buf, 4);
	buf_puts(&buf, "abcd");
	at = buf.data;
	buf_puts(&buf, "e");
	buf_reset(&buf);
	assert_true(buf_ok(&buf));
	check_text(&buf, "");
	assert_int_equal(buf.max, 4);
	buf_puts(&buf, "efg");
	assert_ptr_equal(buf.data, at);
	check_text(&buf, "efg");
	buf_puts(&buf, "hi");
	assert_false(buf_ok(&buf));
	buf_free(&buf);
}

static void
test_free_leaves_an_empty_usable_one(void **state)
{
	struct buf buf;

	(void)state;
	buf_free(NULL);
	buf_init(&buf, 4);
	buf_free(&buf);
	buf_puts(&buf, "abcde");
	buf_puts(&buf, "abc");
	buf_free(&buf);
	assert_null(buf.data);
	assert_int_equal(buf.size, 0);
	assert_true(buf_ok(&buf));
	check_text(&buf, "");
	buf_puts(&buf, "abc");
	check_text(&buf, "abc");
	buf_puts(&buf, "de"); /* its bound is still there */
	assert_false(buf_ok(&buf));
	buf_free(&buf);
	buf_free(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init_is_empty_without_memory),
		cmocka_unit_test(test_add_appends_bytes),
		cmocka_unit_test(test_add_of_nothing),
		cmocka_unit_test(test_puts_and_printf_append),
		cmocka_unit_test(test_nul_follows_at_every_length),
		cmocka_unit_test(test_bound_is_met_exactly),
		cmocka_unit_test(test_beyond_the_bound_is_refused),
		cmocka_unit_test(test_failure_keeps_what_was_there),
		cmocka_unit_test(test_no_bound_means_the_default),
		cmocka_unit_test(test_lengths_do_not_wrap_around),
		cmocka_unit_test(test_no_memory_is_remembered),
		cmocka_unit_test(test_reserve_lets_append_stay_in_place),
		cmocka_unit_test(test_reserve_counts_towards_the_bound),
		cmocka_unit_test(test_reserve_leaves_the_text_empty),
		cmocka_unit_test(test_reset_keeps_memory_and_bound),
		cmocka_unit_test(test_free_leaves_an_empty_usable_one),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
