/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of lib/reader. */
#include <string.h>

#include "check.h"
#include "lib/reader.h"

static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static void reads_integers_in_network_order(void **state)
{
	struct reader r = reader_of(bytes, sizeof(bytes));

	assert_int_equal(reader_u8(&r), 1);
	assert_int_equal(reader_u16(&r), 0x0203);
	assert_int_equal(reader_u32(&r), 0x04050607);
	assert_true(reader_u64(&r) == 0x08090a0b0c0d0e0f);
	assert_int_equal(reader_left(&r), 0);
	assert_true(reader_ok(&r));
}

static void error_sticks_and_yields_zeros(void **state)
{
	struct reader r = reader_of(bytes, 3);

	assert_int_equal(reader_u32(&r), 0);
	assert_false(reader_ok(&r));
	assert_string_equal(r.error, "truncated");
	assert_int_equal(reader_left(&r), 0);
	assert_int_equal(reader_u8(&r), 0); /* though a byte would be there */
	assert_null(reader_bytes(&r, 0));
	reader_fail(&r, "later");
	assert_string_equal(r.error, "truncated");
}

static void failed_by_caller_reads_no_more(void **state)
{
	struct reader r = reader_of(bytes, sizeof(bytes));

	reader_fail(&r, "bad type");
	assert_int_equal(reader_u16(&r), 0);
	assert_string_equal(r.error, "bad type");
}

static void half_a_u64_is_no_value_beyond_the_end(void **state)
{
	struct reader r = reader_of(bytes, 6);

	assert_true((uint32_t)reader_u64(&r) == 0);
	assert_false(reader_ok(&r));
}

static void sub_cursor_cannot_leave_its_length(void **state)
{
	struct reader r = reader_of(bytes, sizeof(bytes)), sub = reader_sub(&r, 3);

	assert_int_equal(reader_u16(&sub), 0x0102);
	assert_int_equal(reader_u16(&sub), 0);
	assert_false(reader_ok(&sub));
	assert_true(reader_ok(&r));
	assert_int_equal(reader_u8(&r), 4);
}

static void sub_cursor_beyond_the_end_fails_both(void **state)
{
	struct reader r = reader_of(bytes, 4), sub = reader_sub(&r, 5);

	assert_string_equal(r.error, "truncated");
	assert_string_equal(sub.error, "truncated");
	sub = reader_sub(&r, 0);
	assert_string_equal(sub.error, "truncated");
}

static void rest_takes_everything(void **state)
{
	struct reader r = reader_of(bytes, 4), rest;

	reader_skip(&r, 1);
	rest = reader_rest(&r);
	assert_int_equal(reader_left(&r), 0);
	assert_int_equal(reader_left(&rest), 3);
	rest = reader_rest(&r);
	assert_true(reader_ok(&r) && reader_ok(&rest));
	assert_int_equal(reader_left(&rest), 0);
}

static void copy_fills_with_zeros_on_shortage(void **state)
{
	struct reader r = reader_of(bytes, 4);
	uint8_t dst[3] = {9, 9, 9};

	assert_true(reader_copy(&r, dst, 3));
	assert_memory_equal(dst, bytes, 3);
	assert_false(reader_copy(&r, dst, 3));
	assert_memory_equal(dst, "\0\0\0", 3);
	assert_false(reader_ok(&r));
}

static void empty_input_without_memory_is_fine(void **state)
{
	struct reader r = reader_of(NULL, 0), sub = reader_sub(&r, 0);

	assert_true(reader_ok(&r));
	assert_true(reader_ok(&sub));
	assert_true(reader_copy(&r, NULL, 0));
	assert_int_equal(reader_u8(&sub), 0);
	assert_false(reader_ok(&sub));
}

static void enormous_length_does_not_wrap(void **state)
{
	struct reader r = reader_of(bytes, sizeof(bytes));

	assert_null(reader_bytes(&r, SIZE_MAX));
	assert_false(reader_ok(&r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_integers_in_network_order),
		cmocka_unit_test(error_sticks_and_yields_zeros),
		cmocka_unit_test(failed_by_caller_reads_no_more),
		cmocka_unit_test(half_a_u64_is_no_value_beyond_the_end),
		cmocka_unit_test(sub_cursor_cannot_leave_its_length),
		cmocka_unit_test(sub_cursor_beyond_the_end_fails_both),
		cmocka_unit_test(rest_takes_everything),
		cmocka_unit_test(copy_fills_with_zeros_on_shortage),
		cmocka_unit_test(empty_input_without_memory_is_fine),
		cmocka_unit_test(enormous_length_does_not_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
