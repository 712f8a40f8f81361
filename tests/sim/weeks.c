/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Weeks as a test (week.h): many short ones with few homes, and a whole one.
 *
 *   weeks                              the seeds below
 *   weeks SEED [HOMES [HOURS [LOSS]]]  one run; the full size is `weeks 1 1000 168`
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "week.h"

enum { WEEK_HOURS = 168, SEEDS = 50 };

static struct week week; /* a megabyte: not on the stack */

static bool run(const struct week_config *c)
{
	bool ok = week_run(&week, c);

	printf("seed=%llu homes=%u hours=%u packets=%llu attempts=%llu ups=%llu moved=%llu power-cuts=%llu came-home=%llu", (unsigned long long)c->seed,
		c->homes, c->hours, (unsigned long long)week.stage.network.sent, (unsigned long long)week.attempts,
		(unsigned long long)week.ups, (unsigned long long)week.moved, (unsigned long long)week.power_cuts,
		(unsigned long long)week.came_home);
	for (unsigned i = 0; i < FAULTS; i++)
		printf(" %s=%llu", week_fault_name((enum fault)i), (unsigned long long)week.faults[i]);
	printf(" memory=%zu/%zu", week.memory_end, week.memory);
	printf(" resumed=%llu: %s\n", (unsigned long long)(week.sites[0].carrier.resumed + week.sites[1].carrier.resumed),
		ok ? "all promises held" : week.stage.failure);
	return ok;
}

/* proves: PS-2 partial, PS-7 partial, PS-18 partial, HS-PROV-1, PS-15 partial */
static void half_days_with_two_concentrators_end_well(void **state)
{
	uint64_t faults[FAULTS] = {0};

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		assert_true(run(&(struct week_config){.seed = seed, .homes = 100, .hours = 12, .loss = (unsigned)(seed % 4)}));
		for (unsigned i = 0; i < FAULTS; i++)
			faults[i] += week.faults[i];
	}
	for (unsigned i = 0; i < FAULTS; i++)
		assert_true(faults[i] > 0);
}

/* proves: PS-2 partial, PS-7 partial, HS-PROV-1 */
static void a_week_ends_well(void **state)
{
	assert_true(run(&(struct week_config){.seed = 1000, .homes = 100, .hours = WEEK_HOURS, .loss = 1}));
	assert_true(week.sites[0].carrier.resumed > 100);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(half_days_with_two_concentrators_end_well),
		cmocka_unit_test(a_week_ends_well),
	};

	if (argc > 1 && !(argv[1][0] >= '0' && argv[1][0] <= '9'))
		cmocka_set_test_filter(argv[1]);
	else if (argc > 1)
		return !run(&(struct week_config){.seed = strtoull(argv[1], NULL, 0),
			.homes = argc > 2 ? (uint32_t)atoi(argv[2]) : 100,
			.hours = argc > 3 ? (uint32_t)atoi(argv[3]) : WEEK_HOURS,
			.loss = argc > 4 ? (unsigned)atoi(argv[4]) : 1});
	return cmocka_run_group_tests_name("weeks", tests, NULL, NULL);
}
