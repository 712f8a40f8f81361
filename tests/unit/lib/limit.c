/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the token buckets of lib/log. */
#include <string.h>

#include "check.h"
#include "lib/log.h"
#include "lib/rng.h"

static void zeroed_limit_starts_full_at_any_time(void **state)
{
	static const msec starts[] = {0, 1, 1000000, UINT64_MAX - 10};

	for (size_t s = 0; s < ARRAY_SIZE(starts); s++) {
		struct limit l = {0};

		for (int i = 0; i < 5; i++)
			assert_true(limit_ok(&l, starts[s], 1, 5));
		assert_false(limit_ok(&l, starts[s], 1, 5));
		assert_false(limit_ok(&l, starts[s], 1, 5));
		assert_int_equal(l.suppressed, 2);
	}
}

static void refills_at_its_rate_up_to_its_burst(void **state)
{
	struct limit l = {0};

	for (int i = 0; i < 10; i++)
		assert_true(limit_ok(&l, 0, 4, 10));
	assert_false(limit_ok(&l, 249, 4, 10));
	assert_true(limit_ok(&l, 250, 4, 10));
	assert_false(limit_ok(&l, 250, 4, 10));
	for (int i = 0; i < 10; i++) /* an hour fills it, not more */
		assert_true(limit_ok(&l, 3600000, 4, 10));
	assert_false(limit_ok(&l, 3600000, 4, 10));
}

static void clock_that_goes_back_gives_nothing(void **state)
{
	struct limit l = {0};

	assert_true(limit_ok(&l, 5000, 1, 1));
	assert_false(limit_ok(&l, 0, 1, 1));
	assert_false(limit_ok(&l, 5999, 1, 1));
	assert_true(limit_ok(&l, 6000, 1, 1));
}

static void rate_and_burst_of_zero_mean_none(void **state)
{
	struct limit l = {0};

	assert_false(limit_ok(&l, 1000, 10, 0));
	l = (struct limit){0};
	assert_true(limit_ok(&l, 1000, 0, 1));
	assert_false(limit_ok(&l, UINT64_MAX, 0, 1));
}

static void largest_values_do_not_overflow(void **state)
{
	struct limit l = {0};

	for (int i = 0; i < 1000; i++)
		assert_true(limit_ok(&l, 1, UINT32_MAX, UINT32_MAX));
	assert_true(limit_ok(&l, UINT64_MAX, UINT32_MAX, UINT32_MAX));
	assert_int_equal(l.spent, 1000);
}

/* In the long run RATE per second pass, however often one asks. */
static void long_run_keeps_the_rate(void **state)
{
	struct limit l = {0};
	unsigned passed = 0;
	struct rng rng;
	msec now = 0;

	rng_init_seed(&rng, 1);
	while (now < 1000000) {
		now += rng_below(&rng, 20);
		passed += limit_ok(&l, now, 30, 7);
	}
	assert_in_range(passed, 29900, 30007);
}

static void peers_do_not_share_a_bucket(void **state)
{
	struct limit_table *t = limit_table_new(10, 1, 2);
	struct addr a = addr4(192, 0, 2, 1), b = addr4(192, 0, 2, 2);
	uint32_t suppressed = 99;

	assert_non_null(t);
	assert_true(limit_table_ok(t, 0, &a, NULL));
	assert_true(limit_table_ok(t, 0, &a, &suppressed));
	assert_int_equal(suppressed, 0);
	suppressed = 99;
	assert_false(limit_table_ok(t, 0, &a, &suppressed));
	assert_false(limit_table_ok(t, 0, &a, &suppressed));
	assert_int_equal(suppressed, 99);
	assert_true(limit_table_ok(t, 0, &b, NULL));
	assert_true(limit_table_ok(t, 1000, &a, &suppressed));
	assert_int_equal(suppressed, 2);
	assert_true(limit_table_ok(t, 2000, &a, &suppressed));
	assert_int_equal(suppressed, 0);
	limit_table_free(t);
}

static void ipv6_site_counts_as_one(void **state)
{
	struct limit_table *t = limit_table_new(10, 1, 1);
	struct addr a, b, c;

	assert_int_equal(addr_parse("2001:db8:0:1::1", &a), 0);
	assert_int_equal(addr_parse("2001:db8:0:1:ffff::2", &b), 0);
	assert_int_equal(addr_parse("2001:db8:0:2::1", &c), 0);
	assert_true(limit_table_ok(t, 0, &a, NULL));
	assert_false(limit_table_ok(t, 0, &b, NULL));
	assert_true(limit_table_ok(t, 0, &c, NULL));
	limit_table_free(t);
}

static void full_table_forgets_the_least_recently_used(void **state)
{
	struct limit_table *t = limit_table_new(3, 0, 1);
	struct addr a = addr4(10, 0, 0, 1), b = addr4(10, 0, 0, 2), c = addr4(10, 0, 0, 3),
		    d = addr4(10, 0, 0, 4);

	assert_true(limit_table_ok(t, 0, &a, NULL));
	assert_true(limit_table_ok(t, 0, &b, NULL));
	assert_true(limit_table_ok(t, 0, &c, NULL));
	assert_false(limit_table_ok(t, 0, &a, NULL)); /* used again: now b is the oldest */
	assert_true(limit_table_ok(t, 0, &d, NULL));
	assert_false(limit_table_ok(t, 0, &a, NULL));
	assert_false(limit_table_ok(t, 0, &c, NULL));
	assert_true(limit_table_ok(t, 0, &b, NULL)); /* was forgotten; d goes */
	limit_table_free(t);
}

static void many_peers_stay_bounded(void **state)
{
	struct limit_table *t = limit_table_new(100, 1, 1);
	struct rng rng;

	rng_init_seed(&rng, 2);
	for (int i = 0; i < 100000; i++) {
		struct addr a = addr4(10, 0, (uint8_t)rng_below(&rng, 4), (uint8_t)rng_below(&rng, 256));

		limit_table_ok(t, (msec)i / 50, &a, NULL);
	}
	limit_table_free(t);
	limit_table_free(NULL);
	assert_null(limit_table_new(0, 1, 1));
	assert_null(limit_table_new(SIZE_MAX, 1, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zeroed_limit_starts_full_at_any_time),
		cmocka_unit_test(refills_at_its_rate_up_to_its_burst),
		cmocka_unit_test(clock_that_goes_back_gives_nothing),
		cmocka_unit_test(rate_and_burst_of_zero_mean_none),
		cmocka_unit_test(largest_values_do_not_overflow),
		cmocka_unit_test(long_run_keeps_the_rate),
		cmocka_unit_test(peers_do_not_share_a_bucket),
		cmocka_unit_test(ipv6_site_counts_as_one),
		cmocka_unit_test(full_table_forgets_the_least_recently_used),
		cmocka_unit_test(many_peers_stay_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
