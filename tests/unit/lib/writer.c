/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of lib/writer. */
#include <string.h>

#include "check.h"
#include "lib/writer.h"

static void writes_integers_in_network_order(void **state)
{
	static const uint8_t expected[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 'x', 0, 0};
	uint8_t buf[sizeof(expected)];
	struct writer w = writer_of(buf, sizeof(buf));

	writer_u8(&w, 1);
	writer_u16(&w, 0x0203);
	writer_u32(&w, 0x04050607);
	writer_u64(&w, 0x08090a0b0c0d0e0f);
	writer_bytes(&w, "x", 1);
	writer_zeros(&w, 2);
	assert_true(writer_ok(&w));
	assert_int_equal(writer_len(&w), sizeof(expected));
	assert_memory_equal(buf, expected, sizeof(expected));
}

static void overflow_sticks_and_writes_nothing_more(void **state)
{
	uint8_t buf[4] = {0, 0, 0, 0xee};
	struct writer w = writer_of(buf, 3);

	writer_u16(&w, 0x0102);
	writer_u16(&w, 0x0304);
	assert_false(writer_ok(&w));
	writer_u8(&w, 5);
	assert_false(writer_ok(&w));
	assert_memory_equal(buf, "\1\2\0\xee", 4);
	assert_null(writer_reserve(&w, 0));
}

static void length_field_counts_what_follows_and_extra(void **state)
{
	uint8_t buf[16];
	struct writer w = writer_of(buf, sizeof(buf));
	size_t outer, inner;

	writer_u8(&w, 7);
	outer = writer_begin16(&w);
	inner = writer_begin16(&w);
	writer_zeros(&w, 3);
	writer_end16(&w, inner, 0);
	writer_end16(&w, outer, 3);
	assert_true(writer_ok(&w));
	assert_memory_equal(buf, "\7\0\10\0\3\0\0\0", 8);
}

static void length_that_the_field_cannot_hold_is_an_overflow(void **state)
{
	static uint8_t buf[0x10010];
	struct writer w = writer_of(buf, sizeof(buf));
	size_t at = writer_begin16(&w);

	writer_zeros(&w, 0xffff);
	writer_end16(&w, at, 0);
	assert_true(writer_ok(&w));
	assert_memory_equal(buf, "\xff\xff", 2);
	writer_end16(&w, at, 1);
	assert_false(writer_ok(&w));
}

static void patch_stays_inside_what_was_written(void **state)
{
	uint8_t buf[4] = {0};
	struct writer w = writer_of(buf, sizeof(buf));

	writer_patch16(&w, 0, 0xffff);
	writer_u8(&w, 0);
	writer_patch16(&w, 0, 0xffff);
	writer_u16(&w, 0);
	writer_patch16(&w, 2, 0xffff);
	writer_patch16(&w, SIZE_MAX, 0xffff);
	assert_memory_equal(buf, "\0\0\0\0", 4);
	writer_patch16(&w, 1, 0x0102);
	assert_memory_equal(buf, "\0\1\2\0", 4);
}

static void length_field_that_did_not_fit_patches_nothing(void **state)
{
	uint8_t buf[3] = {9, 9, 9};
	struct writer w = writer_of(buf, sizeof(buf));
	size_t at;

	writer_u16(&w, 0x0909);
	at = writer_begin16(&w);
	writer_end16(&w, at, 0);
	assert_false(writer_ok(&w));
	assert_memory_equal(buf, "\11\11\11", 3);
}

static void buffer_of_no_size_takes_nothing(void **state)
{
	struct writer w = writer_of(NULL, 0);

	writer_bytes(&w, NULL, 0);
	writer_zeros(&w, 0);
	assert_true(writer_ok(&w));
	writer_u8(&w, 1);
	assert_false(writer_ok(&w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_integers_in_network_order),
		cmocka_unit_test(overflow_sticks_and_writes_nothing_more),
		cmocka_unit_test(length_field_counts_what_follows_and_extra),
		cmocka_unit_test(length_that_the_field_cannot_hold_is_an_overflow),
		cmocka_unit_test(patch_stays_inside_what_was_written),
		cmocka_unit_test(length_field_that_did_not_fit_patches_nothing),
		cmocka_unit_test(buffer_of_no_size_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
