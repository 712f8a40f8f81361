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

	printf("seed=%llu loss=%u%% users=%u rounds=%llu packets=%llu lost=%llu replaced=%llu vanished=%llu "
	       "moved=%llu "
	       "failed_attempts=%llu no_address=%llu resumed=%llu told=%llu noticed=%llu "
	       "virtual_seconds=%llu: %s\n",
		(unsigned long long)c->seed, c->loss, c->users, (unsigned long long)world.rounds_done,
		(unsigned long long)world.stage.network.sent, (unsigned long long)world.stage.network.lost,
		(unsigned long long)world.carrier.replaced, (unsigned long long)world.vanished,
		(unsigned long long)world.moved, (unsigned long long)world.failed_attempts,
		(unsigned long long)world.carrier.no_address, (unsigned long long)world.carrier.resumed,
		(unsigned long long)world.carrier.told, (unsigned long long)world.noticed,
		(unsigned long long)world.stage.now / 1000,
		ok ? "all promises held" : world.stage.failure);
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
	assert_true(run(&(struct world_config){.seed = 2,
		.users = 10000,
		.rounds = 2,
		.loss = 5,
		.duplicate = 5,
		.reorder = 10,
		.start_ms = 20000}));
}

/* proves: HS-L2TP-32, HS-PROV-1 partial */
static void ten_thousand_softwires_keep_their_prefixes_at_20_percent_loss(void **state)
{
	assert_true(run(&(struct world_config){.seed = 3,
		.users = 10000,
		.rounds = 2,
		.loss = 20,
		.duplicate = 10,
		.reorder = 30,
		.start_ms = 20000}));
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
	assert_true(world.carrier.cut_off > 5000);
}

/* Both families on one link, with 10 % of everything lost. */
/* proves: HS-PPP-15 partial, HS-PROV-1, HS-DHCP-13 partial */
static void dual_stack_softwires_keep_addresses_and_subnets(void **state)
{
	assert_true(run(&(struct world_config){.seed = 6,
		.users = 4000,
		.rounds = 2,
		.loss = 10,
		.duplicate = 5,
		.reorder = 20,
		.start_ms = 20000,
		.ipv4 = true}));
}

/* proves: HS-PPP-19, HS-DHCP-7 */
static void addresses_by_dhcp_stay_the_same_on_a_bad_network(void **state)
{
	assert_true(run(&(struct world_config){.seed = 7,
		.users = 3000,
		.rounds = 2,
		.loss = 20,
		.duplicate = 10,
		.reorder = 30,
		.start_ms = 20000,
		.no_ipv6 = true,
		.ipv4 = true,
		.dhcp4 = true}));
}

/* Lifetimes of two minutes: everybody renews several times, while the concentrator is killed and reads its database again. */
/* proves: HS-PROV-1, HS-DHCP-3 partial */
static void renewals_go_on_across_restarts_of_the_concentrator(void **state)
{
	assert_true(run(&(struct world_config){.seed = 8,
		.users = 300,
		.rounds = 3,
		.loss = 5,
		.reorder = 10,
		.start_ms = 20000,
		.hold_ms = 600000,
		.restart_ms = 150000,
		.restarts = 4,
		.on_disk = true,
		.ipv4 = true,
		.dhcp4 = true,
		.lifetime_s = 120}));
	assert_true(world.carrier.cut_off > 300);
	assert_true(world.carrier.counters.dhcp6.by_type[DHCP6_RENEW] > 1000);
	assert_true(world.carrier.counters.dhcp4.by_type[DHCP4_REQUEST] > 1000);
}

/* Five crashes, each a second and a half without a process; lifetimes of two minutes, so that renewals fall into it. Users who were just connecting are
 * told; of the others nobody loses a softwire, nor what it holds. */
/* proves: PS-2 partial, HS-PROV-1 partial */
static void nobody_notices_a_concentrator_that_takes_up_its_softwires(void **state)
{
	assert_true(run(&(struct world_config){.seed = 12,
		.users = 1000,
		.rounds = 2,
		.loss = 2,
		.duplicate = 5,
		.reorder = 10,
		.start_ms = 30000,
		.hold_ms = 300000,
		.restart_ms = 20000,
		.restarts = 5,
		.resume = true,
		.down_ms = 1500,
		.on_disk = true,
		.ipv4 = true,
		.lifetime_s = 120}));
	assert_true(world.carrier.resumed > 2500);
	assert_true(world.carrier.told > 0);
	assert_int_equal(world.noticed, 0);
}

/* 126 addresses for 400 users: who finds none tries again, and everybody gets a turn. */
/* proves: HS-PROV-1 partial */
static void pool_that_is_too_small_is_never_given_twice(void **state)
{
	assert_true(run(&(struct world_config){.seed = 9,
		.users = 400,
		.rounds = 3,
		.loss = 5,
		.duplicate = 5,
		.reorder = 20,
		.start_ms = 5000,
		.ipv4 = true,
		.ipv4_len = 25,
		.may_run_out = true}));
	assert_true(world.carrier.no_address > 100);
}

/* The newer softwire replaces the older one; both routers go on trying, and both finish in the end. */
static void two_routers_with_one_account_never_hold_its_addresses_together(void **state)
{
	assert_true(run(&(struct world_config){.seed = 10,
		.users = 400,
		.rounds = 3,
		.loss = 10,
		.duplicate = 10,
		.reorder = 30,
		.start_ms = 5000,
		.hold_ms = 5000,
		.per_account = 2,
		.ipv4 = true}));
	assert_true(world.carrier.replaced > 200);
}

/* An hour is gone at once: timers, lifetimes and retransmissions are all overdue. */
static void a_leap_in_time_harms_nobody(void **state)
{
	assert_true(run(&(struct world_config){.seed = 11,
		.users = 500,
		.rounds = 3,
		.loss = 5,
		.reorder = 10,
		.start_ms = 5000,
		.hold_ms = 60000,
		.leap_ms = 30000,
		.leap_by_ms = 3600000,
		.ipv4 = true,
		.lifetime_s = 600}));
}

/* Same seed, same run: a failing seed can be replayed. */
static void a_seed_is_reproducible(void **state)
{
	const struct world_config c = {.seed = 4,
		.users = 200,
		.rounds = 3,
		.loss = 20,
		.duplicate = 10,
		.reorder = 30,
		.start_ms = 2000};
	uint64_t sent;
	msec end;

	assert_true(run(&c));
	sent = world.stage.network.sent;
	end = world.stage.now;
	assert_true(run(&c));
	assert_int_equal(world.stage.network.sent, sent);
	assert_int_equal(world.stage.now, end);
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
			.restart_ms = seed % 3 ? 0 : 15000,
			.resume = seed % 2,
			.down_ms = 1000,
			.ipv4 = seed % 2,
			.dhcp4 = seed % 5 == 1,
			.no_ipv6 = seed % 4 == 3,
			.per_account = 1 + seed % 2}));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_thousand_softwires_keep_their_prefixes_on_a_good_network),
		cmocka_unit_test(ten_thousand_softwires_keep_their_prefixes_at_5_percent_loss),
		cmocka_unit_test(ten_thousand_softwires_keep_their_prefixes_at_20_percent_loss),
		cmocka_unit_test(a_concentrator_that_is_killed_loses_no_prefix),
		cmocka_unit_test(dual_stack_softwires_keep_addresses_and_subnets),
		cmocka_unit_test(addresses_by_dhcp_stay_the_same_on_a_bad_network),
		cmocka_unit_test(renewals_go_on_across_restarts_of_the_concentrator),
		cmocka_unit_test(nobody_notices_a_concentrator_that_takes_up_its_softwires),
		cmocka_unit_test(pool_that_is_too_small_is_never_given_twice),
		cmocka_unit_test(two_routers_with_one_account_never_hold_its_addresses_together),
		cmocka_unit_test(a_leap_in_time_harms_nobody),
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
