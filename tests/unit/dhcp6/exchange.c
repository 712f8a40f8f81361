/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Client and server of DHCPv6 wired together in memory, over a link that loses, with a clock of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dhcp6/server.h"
#include "lib/container.h"

enum { QUEUE = 16, DELAY_MS = 20 };

struct link {
	struct dhcp6_client client;
	struct dhcp6_server server;
	struct dhcp6_client_config client_config;
	struct dhcp6_server_config server_config;
	struct dhcp6_counters client_counters, server_counters;
	struct rng rng, loss_rng;
	struct dhcp6_offer offer;
	unsigned loss; /* per cent */
	bool dead;     /* the server answers nothing */
	msec now, bind_delay, bind_at;
	unsigned bound, lost, in_use, released, binds, messages;
	struct dhcp6_binding binding;
	struct {
		msec at;
		bool to_server;
		size_t len;
		uint8_t data[DHCP6_MESSAGE_MAX];
	} queue[QUEUE];
	unsigned queued;
};

static void transmit(struct link *l, bool to_server, const uint8_t *message, size_t len)
{
	l->messages++;
	if (rng_below(&l->loss_rng, 100) < l->loss || l->dead)
		return;
	assert_true(l->queued < QUEUE);
	l->queue[l->queued].at = l->now + DELAY_MS;
	l->queue[l->queued].to_server = to_server;
	l->queue[l->queued].len = len;
	memcpy(l->queue[l->queued].data, message, len);
	l->queued++;
}

static void client_send(struct dhcp6_client *c, const uint8_t *message, size_t len)
{
	transmit(container_of(c, struct link, client), true, message, len);
}

static void note_bound(struct dhcp6_client *c, const struct dhcp6_binding *binding, msec now)
{
	struct link *l = container_of(c, struct link, client);

	(void)now;
	l->bound++;
	l->binding = *binding;
}

static void note_lost(struct dhcp6_client *c, const char *why)
{
	(void)why;
	container_of(c, struct link, client)->lost++;
}

static void server_send(struct dhcp6_server *s, const uint8_t *message, size_t len)
{
	transmit(container_of(s, struct link, server), false, message, len);
}

static void describe(struct dhcp6_server *s, struct dhcp6_offer *ret)
{
	*ret = container_of(s, struct link, server)->offer;
}

static void bind_duid(struct dhcp6_server *s, const struct dhcp6_duid *duid, uint32_t iaid)
{
	struct link *l = container_of(s, struct link, server);

	(void)duid;
	(void)iaid;
	l->binds++;
	l->bind_at = l->now + l->bind_delay;
}

static void note_released(struct dhcp6_server *s)
{
	container_of(s, struct link, server)->released++;
}

static void note_in_use(struct dhcp6_server *s)
{
	container_of(s, struct link, server)->in_use++;
}

static const struct dhcp6_client_ops client_ops = {
	.send = client_send, .bound = note_bound, .lost = note_lost};
static const struct dhcp6_server_ops server_ops = {.send = server_send,
	.describe = describe,
	.bind = bind_duid,
	.released = note_released,
	.in_use = note_in_use};

static void prepare(struct link *l, uint64_t seed)
{
	memset(l, 0, sizeof(*l));
	rng_init_seed(&l->rng, seed);
	rng_init_seed(&l->loss_rng, seed + 1000);
	l->bind_at = MSEC_NEVER;
	l->client_config = (struct dhcp6_client_config){.ops = &client_ops,
		.rng = &l->rng,
		.counters = &l->client_counters,
		.duid = {0, 3, 0, 1, 2, 0, 0, 0, 0, 2},
		.duid_len = 10,
		.iaid = 1,
		.want_prefix = true};
	l->server_config = (struct dhcp6_server_config){.ops = &server_ops,
		.counters = &l->server_counters,
		.duid = {0, 3, 0, 1, 2, 0, 0, 0, 0, 1},
		.duid_len = 10};
	l->offer.prefix_count = 1;
	l->offer.prefixes[0] = (struct dhcp6_prefix){.preferred = 3600, .valid = 7200};
	assert_int_equal(prefix_parse("2001:db8:8000:100::/56", &l->offer.prefixes[0].prefix), 0);
	l->offer.dns_count = 1;
	assert_int_equal(addr_parse("2001:db8::53", &l->offer.dns[0]), 0);
	dhcp6_server_open(&l->server, &l->server_config);
}

static void deliver_first(struct link *l)
{
	uint8_t data[DHCP6_MESSAGE_MAX];
	size_t len = l->queue[0].len;
	bool to_server = l->queue[0].to_server;

	memcpy(data, l->queue[0].data, len);
	l->queued--;
	memmove(&l->queue[0], &l->queue[1], l->queued * sizeof(l->queue[0]));
	if (to_server)
		dhcp6_server_input(&l->server, data, len, l->now);
	else
		dhcp6_client_input(&l->client, data, len, l->now);
}

static void run(struct link *l, msec until)
{
	for (;;) {
		msec next = msec_min(dhcp6_client_deadline(&l->client), l->bind_at);

		if (l->queued)
			next = msec_min(next, l->queue[0].at);
		if (next > until)
			break;
		if (next > l->now)
			l->now = next;
		if (l->queued && l->queue[0].at <= l->now) {
			deliver_first(l);
		} else if (l->bind_at <= l->now) {
			l->bind_at = MSEC_NEVER;
			dhcp6_server_bound(&l->server, true, NULL, l->now);
		} else {
			dhcp6_client_tick(&l->client, l->now);
		}
	}
	l->now = until;
}

/* proves: HS-DHCP-1 partial, HS-DHCP-3 partial */
static void a_prefix_takes_four_messages(void **state)
{
	struct link l;

	(void)state;
	prepare(&l, 1);
	dhcp6_client_open(&l.client, &l.client_config, true, false, NULL, 0);
	run(&l, 900);
	assert_int_equal(l.messages, 4);
	assert_int_equal(l.bound, 1);
	assert_int_equal(l.binds, 1);
	assert_int_equal(l.in_use, 1);
	assert_true(prefix_equal(&l.binding.prefixes[0].prefix, &l.offer.prefixes[0].prefix));
	assert_int_equal(l.binding.dns_count, 1);
	dhcp6_server_done(&l.server);
}

static void with_rapid_commit_two(void **state)
{
	struct link l;

	(void)state;
	prepare(&l, 1);
	l.client_config.rapid_commit = l.server_config.rapid_commit = true;
	dhcp6_client_open(&l.client, &l.client_config, true, false, NULL, 0);
	run(&l, 900);
	assert_int_equal(l.messages, 2);
	assert_int_equal(l.bound, 1);
}

static void a_slow_record_is_waited_for(void **state)
{
	struct link l;

	(void)state;
	prepare(&l, 1);
	l.bind_delay = 5000;
	dhcp6_client_open(&l.client, &l.client_config, true, false, NULL, 0);
	run(&l, 20000);
	assert_int_equal(l.binds, 1);
	assert_int_equal(l.bound, 1);
	assert_int_equal(l.lost, 0);
}

static void converges_over_a_link_that_loses_a_third(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct link l;

		prepare(&l, seed);
		l.loss = 33;
		l.bind_delay = seed % 3 * 700;
		l.client_config.rapid_commit = l.server_config.rapid_commit = seed & 1;
		dhcp6_client_open(&l.client, &l.client_config, true, false, NULL, 0);
		run(&l, 86400000);
		if (!l.bound)
			fail_msg("seed %u: not bound in a day", (unsigned)seed);
		assert_int_equal(l.binds, 1);
		dhcp6_server_done(&l.server);
	}
}

static void a_year_costs_two_messages_every_half_hour_and_loses_nothing(void **state)
{
	struct link l;

	(void)state;
	prepare(&l, 5);
	dhcp6_client_open(&l.client, &l.client_config, true, false, NULL, 0);
	run(&l, 365ull * 86400 * 1000);
	assert_int_equal(l.lost, 0);
	assert_int_equal(l.in_use, 1);
	assert_in_range(l.messages, 35000, 35100);
	assert_int_equal(l.client_counters.retransmits, 0);
}

static void renewing_survives_loss(void **state)
{
	struct link l;

	(void)state;
	prepare(&l, 6);
	dhcp6_client_open(&l.client, &l.client_config, true, false, NULL, 0);
	run(&l, 1000);
	l.loss = 30;
	run(&l, 30ull * 86400 * 1000);
	assert_int_equal(l.lost, 0);
}

static void a_dead_server_costs_the_prefix_when_it_is_over_and_no_sooner(void **state)
{
	struct link l;

	(void)state;
	prepare(&l, 7);
	dhcp6_client_open(&l.client, &l.client_config, true, false, NULL, 0);
	run(&l, 1000);
	assert_int_equal(l.bound, 1);
	l.dead = true;
	run(&l, 7200000);
	assert_int_equal(l.lost, 0);
	run(&l, 7200000 + 100);
	assert_int_equal(l.lost, 1);
	l.dead = false;
	run(&l, 7200000 + 5000);
	assert_int_equal(l.bound, 2);
	assert_true(prefix_equal(&l.binding.prefixes[0].prefix, &l.offer.prefixes[0].prefix));
}

static void a_renumbered_user_moves_with_the_next_renew(void **state)
{
	struct link l;

	(void)state;
	prepare(&l, 8);
	dhcp6_client_open(&l.client, &l.client_config, true, false, NULL, 0);
	run(&l, 1000);
	assert_int_equal(prefix_parse("2001:db8:9000:200::/56", &l.offer.prefixes[0].prefix), 0);
	run(&l, 1900000);
	assert_int_equal(l.bound, 2);
	assert_int_equal(l.lost, 0);
	assert_int_equal(l.binding.prefix_count, 1);
	assert_true(prefix_equal(&l.binding.prefixes[0].prefix, &l.offer.prefixes[0].prefix));
}

static void a_user_without_prefix_keeps_asking_and_gets_one_when_there_is_one(void **state)
{
	struct link l;

	(void)state;
	prepare(&l, 9);
	l.offer.prefix_count = 0;
	dhcp6_client_open(&l.client, &l.client_config, true, false, NULL, 0);
	run(&l, 600000);
	assert_int_equal(l.bound, 0);
	assert_in_range(l.messages, 16, 24);
	l.offer.prefix_count = 1;
	run(&l, 7200000);
	assert_true(l.bound >= 1);
	assert_int_equal(l.lost, 0);
}

/* proves: HS-DHCP-5 partial */
static void a_release_reaches_the_server(void **state)
{
	struct link l;

	(void)state;
	prepare(&l, 10);
	dhcp6_client_open(&l.client, &l.client_config, true, false, NULL, 0);
	run(&l, 1000);
	dhcp6_client_release(&l.client, l.now);
	run(&l, 100000);
	assert_int_equal(l.released, 1);
	assert_int_equal(l.messages, 6);
	assert_int_equal(l.lost, 0);
	/* a new softwire asks for the same again */
	dhcp6_client_open(&l.client, &l.client_config, true, false, &l.binding, l.now);
	run(&l, 101000);
	assert_int_equal(l.bound, 2);
	assert_int_equal(l.in_use, 2);
}

/* proves: HS-DHCP-6 partial */
static void a_host_learns_its_dns_servers(void **state)
{
	struct link l;

	(void)state;
	prepare(&l, 11);
	l.server_config.refresh = 3600;
	dhcp6_client_open(&l.client, &l.client_config, false, false, NULL, 0);
	run(&l, 10000);
	assert_int_equal(l.bound, 1);
	assert_int_equal(l.binding.prefix_count, 0);
	assert_true(addr_equal(&l.binding.dns[0], &l.offer.dns[0]));
	assert_int_equal(l.binds, 0);
	run(&l, 3700000);
	assert_int_equal(l.bound, 2);
}

/* proves: HS-ND-6 partial */
static void a_managed_host_gets_its_address(void **state)
{
	struct link l;

	(void)state;
	prepare(&l, 12);
	l.client_config.want_prefix = false;
	l.offer.has_address = true;
	l.offer.address = (struct dhcp6_prefix){.preferred = 600, .valid = 1200};
	assert_int_equal(prefix_parse("2001:db8:100::2/128", &l.offer.address.prefix), 0);
	dhcp6_client_open(&l.client, &l.client_config, true, true, NULL, 0);
	run(&l, 10 * 3600000);
	assert_true(l.binding.has_address);
	assert_true(prefix_equal(&l.binding.address.prefix, &l.offer.address.prefix));
	assert_int_equal(l.binding.prefix_count, 0);
	assert_int_equal(l.in_use, 0);
	assert_int_equal(l.lost, 0);
	assert_int_equal(l.bound, 120); /* every 300 s, T1, and the round trips between */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_prefix_takes_four_messages),
		cmocka_unit_test(with_rapid_commit_two),
		cmocka_unit_test(a_slow_record_is_waited_for),
		cmocka_unit_test(converges_over_a_link_that_loses_a_third),
		cmocka_unit_test(a_year_costs_two_messages_every_half_hour_and_loses_nothing),
		cmocka_unit_test(renewing_survives_loss),
		cmocka_unit_test(a_dead_server_costs_the_prefix_when_it_is_over_and_no_sooner),
		cmocka_unit_test(a_renumbered_user_moves_with_the_next_renew),
		cmocka_unit_test(a_user_without_prefix_keeps_asking_and_gets_one_when_there_is_one),
		cmocka_unit_test(a_release_reaches_the_server),
		cmocka_unit_test(a_host_learns_its_dns_servers),
		cmocka_unit_test(a_managed_host_gets_its_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
