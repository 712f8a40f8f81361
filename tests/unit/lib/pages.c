/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of lib/pages: zeroed, aligned where it is large, and gone when it was given back. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "check.h"
#include "lib/pages.h"
#include "scarce.h"

static const size_t sizes[] = {1, 4096, 20480, PAGES_HUGE - 1, PAGES_HUGE, PAGES_HUGE + 1, 4 * PAGES_HUGE};

/* Is the page of P mapped? */
static bool is_mapped(void *p)
{
	uint8_t *page = (uint8_t *)p - (uintptr_t)p % 4096;
	unsigned char in;

	return mincore(page, 1, &in) == 0;
}

static void pages_are_zeroed_and_go_back(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint8_t *p = pages_map(sizes[i]);
		uint8_t *last = p + sizes[i] - 1;

		assert_non_null(p);
		for (size_t at = 0; at < sizes[i]; at += 97)
			assert_int_equal(p[at], 0);
		memset(p, 0xff, sizes[i]);
		assert_true(is_mapped(p) && is_mapped(last));
		pages_unmap(p, sizes[i]);
		assert_false(is_mapped(p) || is_mapped(last));
	}
	pages_unmap(NULL, 4096);
}

static void large_ones_stand_where_huge_pages_can(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		void *p = pages_map(sizes[i]);

		if (sizes[i] >= PAGES_HUGE)
			assert_int_equal((uintptr_t)p % PAGES_HUGE, 0);
		pages_unmap(p, sizes[i]);
	}
}

static void refused_memory_is_told(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		scarce_at(1);
		assert_null(pages_map(sizes[i]));
		assert_true(scarce_happened());
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_are_zeroed_and_go_back),
		cmocka_unit_test(large_ones_stand_where_huge_pages_can),
		cmocka_unit_test(refused_memory_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
