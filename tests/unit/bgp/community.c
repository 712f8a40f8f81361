/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bgp/attributes.h"
#include "lib/rng.h"

static void members_are_found_and_others_are_not(void **state)
{
	static const uint8_t two[] = {0xfd, 0xe8, 0, 1, 0xff, 0xff, 0xff, 1};
	static const uint8_t extended[] = {3, 0x0b, 0, 0, 0, 0, 0, 100},
			     large[] = {0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3};
	static const uint8_t clusters[] = {192, 0, 2, 1, 192, 0, 2, 2};
	uint8_t buf[128];
	struct writer w = writer_of(buf, sizeof(buf));
	struct reader set, empty = reader_of(NULL, 0);

	bgp_attribute_put(&w, 0xc0, BGP_COMMUNITIES, two, sizeof(two));
	bgp_attribute_put(&w, 0x80, BGP_CLUSTER_LIST, clusters, sizeof(clusters));
	bgp_attribute_put(&w, 0xc0, BGP_EXTENDED_COMMUNITIES, extended, sizeof(extended));
	bgp_attribute_put(&w, 0xc0, BGP_LARGE_COMMUNITIES, large, sizeof(large));
	set = reader_of(buf, writer_len(&w));
	assert_true(bgp_community_has(set, 65000u << 16 | 1));
	assert_true(bgp_community_has(set, BGP_NO_EXPORT));
	assert_false(bgp_community_has(set, 1));
	assert_false(bgp_community_has(set, 0x0001ffff)); /* in between */
	assert_true(bgp_extended_community_has(set, UINT64_C(0x030b000000000064)));
	assert_false(bgp_extended_community_has(set, UINT64_C(0x030b000000000065)));
	assert_true(bgp_large_community_has(set, 1, 2, 3));
	assert_false(bgp_large_community_has(set, 1, 2, 4));
	assert_true(bgp_cluster_list_has(set, 0xc0000202));
	assert_false(bgp_cluster_list_has(set, 0xc0000203));
	assert_false(bgp_community_has(empty, 1) || bgp_extended_community_has(empty, 1) ||
		     bgp_large_community_has(empty, 1, 2, 3) || bgp_cluster_list_has(empty, 1));
}

static size_t compare_width;

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, compare_width);
}

/* Against qsort(). */
static void values_are_sorted_and_there_once(void **state)
{
	static const size_t widths[] = {4, 8, 12, 20};
	struct rng rng;

	rng_init_seed(&rng, 8092);
	for (unsigned round = 0; round < 400; round++) {
		size_t width = widths[round % 4], count = 1 + rng_u32(&rng) % 50, len, wanted = 0;
		uint8_t data[50 * 20], naive[50 * 20];

		for (size_t i = 0; i < count * width; i++)
			data[i] = i % width ? rng_u32(&rng) % 2 : 0;
		memcpy(naive, data, sizeof(naive));
		compare_width = width;
		qsort(naive, count, width, compare);
		for (size_t i = 0; i < count; i++)
			if (!wanted || memcmp(naive + wanted - width, naive + i * width, width) != 0) {
				memmove(naive + wanted, naive + i * width, width);
				wanted += width;
			}
		len = bgp_values_canonical(data, count * width, width);
		assert_int_equal(len, wanted);
		assert_memory_equal(data, naive, len);
		assert_int_equal(bgp_values_canonical(data, len, width), len);
		for (size_t i = 0; i < len; i += width)
			assert_true(bgp_values_has(reader_of(data, len), naive + i, width));
		assert_int_equal(bgp_values_remove(data, len, naive, width), len - width);
		assert_false(bgp_values_has(reader_of(data, len - width), naive, width));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_found_and_others_are_not),
		cmocka_unit_test(values_are_sorted_and_there_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
