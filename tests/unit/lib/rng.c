/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of lib/rng. */
#include <string.h>

#include "check.h"
#include "lib/rng.h"

/* The reference implementation's first outputs for the state that splitmix64 makes of seed 0. */
static void seeded_is_xoshiro256starstar(void **state)
{
	static const uint64_t words[] = {
		0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f, 0xf88bb8a8724c81ec};
	struct rng r;

	rng_init_seed(&r, 0);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		assert_true(r.state[i] == words[i]);
	assert_true(rng_u64(&r) == 0x99ec5f36cb75f2b4);
	assert_true(rng_u64(&r) == 0xbf6e1f784956452a);
}

static void seeded_repeats_itself(void **state)
{
	struct rng a, b, c;
	uint8_t x[100], y[100], z[100];

	rng_init_seed(&a, 7);
	rng_init_seed(&b, 7);
	rng_init_seed(&c, 8);
	rng_bytes(&a, x, sizeof(x));
	rng_bytes(&b, y, sizeof(y));
	rng_bytes(&c, z, sizeof(z));
	assert_memory_equal(x, y, sizeof(x));
	assert_memory_not_equal(x, z, sizeof(x));
	assert_int_equal(rng_u32(&a), rng_u32(&b));
}

static void system_gives_any_amount_and_wipes_it(void **state)
{
	static const uint8_t zeros[256];
	struct rng r;
	uint8_t x[1000], y[1000];

	rng_init_system(&r);
	rng_bytes(&r, x, sizeof(x));
	rng_bytes(&r, y, sizeof(y));
	assert_memory_not_equal(x, y, sizeof(x));
	assert_memory_not_equal(x, x + 256, 256);
	rng_bytes(&r, x, r.left);
	assert_memory_equal(r.pool, zeros, sizeof(r.pool));
	assert_true(rng_u64(&r) != rng_u64(&r));
}

static void below_is_even_and_within_bounds(void **state)
{
	static const uint32_t bounds[] = {1, 2, 3, 7, 1000, 0x80000001, UINT32_MAX};
	unsigned counts[7] = {0};
	struct rng r;

	rng_init_seed(&r, 3);
	for (size_t i = 0; i < ARRAY_SIZE(bounds); i++)
		for (int n = 0; n < 1000; n++)
			assert_true(rng_below(&r, bounds[i]) < bounds[i]);
	for (int n = 0; n < 70000; n++)
		counts[rng_below(&r, 7)]++;
	for (size_t i = 0; i < 7; i++)
		assert_in_range(counts[i], 9600, 10400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seeded_is_xoshiro256starstar),
		cmocka_unit_test(seeded_repeats_itself),
		cmocka_unit_test(system_gives_any_amount_and_wipes_it),
		cmocka_unit_test(below_is_even_and_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
