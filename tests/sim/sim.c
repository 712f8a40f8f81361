/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulation as a test: 10,000 softwires are set up, run, reconnect and close under loss, duplication and reordering.
 *
 *   sim                                the seeds below
 *   sim SEED [LOSS [USERS [ROUNDS]]]   one run, to look at a seed that failed
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "world.h"

static struct world world; /* half a megabyte: not on the stack */

static bool run(const struct world_config *c)
{
	bool ok = world_run(&world, c);

	printf("seed=%llu loss=%u%% users=%u rounds=%llu packets=%llu lost=%llu replaced=%llu vanished=%llu moved=%llu "
	       "failed_attempts=%llu virtual_seconds=%llu: %s\n",
		(unsigned long long)c->seed, c->loss, c->users, (unsigned long long)world.rounds_done,
		(unsigned long long)world.network.sent, (unsigned long long)world.network.lost, (unsigned long long)world.replaced,
		(unsigned long long)world.vanished, (unsigned long long)world.moved, (unsigned long long)world.failed_attempts,
		(unsigned long long)world.now / 1000, ok ? "all promises held" : world.failure);
	return ok;
}

/* proves: HS-L2TP-3 partial, HS-L2TP-32, HS-PROV-1 partial, PS-2 partial, PS-11 partial, PS-15 partial */
static void ten_thousand_softwires_keep_their_prefixes_on_a_good_network(void **state)
{
	assert_true(run(&(struct world_config){.seed = 1, .users = 10000, .rounds = 2, .start_ms = 20000}));
}

/* proves: HS-L2TP-32, HS-PROV-1 partial */
static void ten_thousand_softwires_keep_their_prefixes_at_5_percent_loss(void **state)
{
	assert_true(run(&(struct world_config){
		.seed = 2, .users = 10000, .rounds = 2, .loss = 5, .duplicate = 5, .reorder = 10, .start_ms = 20000}));
}

/* proves: HS-L2TP-32, HS-PROV-1 partial */
static void ten_thousand_softwires_keep_their_prefixes_at_20_percent_loss(void **state)
{
	assert_true(run(&(struct world_config){
		.seed = 3, .users = 10000, .rounds = 2, .loss = 20, .duplicate = 10, .reorder = 30, .start_ms = 20000}));
}

/* Everybody who was up is back, with the prefix from before. */
/* proves: HS-L2TP-32, HS-PROV-1 partial */
static void a_concentrator_that_is_killed_loses_no_prefix(void **state)
{
	assert_true(run(&(struct world_config){.seed = 5,
		.users = 10000,
		.rounds = 2,
		.loss = 5,
		.duplicate = 5,
		.reorder = 10,
		.start_ms = 20000,
		.restart_ms = 25000}));
	assert_true(world.cut_off > 5000);
}

/* Same seed, same run: a failing seed can be replayed. */
static void a_seed_is_reproducible(void **state)
{
	const struct world_config c = {.seed = 4, .users = 200, .rounds = 3, .loss = 20, .duplicate = 10, .reorder = 30, .start_ms = 2000};
	uint64_t sent;
	msec end;

	assert_true(run(&c));
	sent = world.network.sent;
	end = world.now;
	assert_true(run(&c));
	assert_int_equal(world.network.sent, sent);
	assert_int_equal(world.now, end);
}

static void many_small_worlds(void **state)
{
	for (uint64_t seed = 100; seed < 160; seed++)
		assert_true(run(&(struct world_config){.seed = seed,
			.users = 50,
			.rounds = 4,
			.loss = (unsigned)(seed % 4) * 10,
			.duplicate = 20,
			.reorder = 50,
			.start_ms = 3000,
			.restart_ms = seed % 3 ? 0 : 15000}));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_thousand_softwires_keep_their_prefixes_on_a_good_network),
		cmocka_unit_test(ten_thousand_softwires_keep_their_prefixes_at_5_percent_loss),
		cmocka_unit_test(ten_thousand_softwires_keep_their_prefixes_at_20_percent_loss),
		cmocka_unit_test(a_concentrator_that_is_killed_loses_no_prefix),
		cmocka_unit_test(a_seed_is_reproducible),
		cmocka_unit_test(many_small_worlds),
	};

	if (argc > 1)
		return !run(&(struct world_config){.seed = strtoull(argv[1], NULL, 0),
			.loss = argc > 2 ? (unsigned)atoi(argv[2]) : 0,
			.users = argc > 3 ? (uint32_t)atoi(argv[3]) : 1000,
			.rounds = argc > 4 ? (uint16_t)atoi(argv[4]) : 2,
			.duplicate = 10,
			.reorder = 30,
			.start_ms = 20000});
	return cmocka_run_group_tests_name("sim", tests, NULL, NULL);
}
