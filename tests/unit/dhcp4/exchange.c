/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Client and server of DHCPv4 wired together in memory, over a link that loses, with a clock of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dhcp4/server.h"
#include "lib/container.h"

enum { QUEUE = 16, DELAY_MS = 20 };

struct link {
	struct dhcp4_client client;
	struct dhcp4_server server;
	struct dhcp4_client_config client_config;
	struct dhcp4_server_config server_config;
	struct dhcp4_counters client_counters, server_counters;
	struct rng rng, loss_rng;
	struct dhcp4_offer offer;
	unsigned loss;     /* per cent */
	bool dead;         /* the server answers nothing */
	bool knows_no_220; /* it is a server that has never heard of subnets */
	msec now;
	unsigned bound, lost, changes, messages;
	char why[100];
	bool address_in_use, subnets_in_use;
	struct dhcp4_binding binding;
	struct dhcp4_message last_sent; /* by the client */
	struct addr last_src, last_dst, last_reply_dst;
	unsigned requests, queries,
		named; /* Subnet-Requests; with i = 1; with Subnet-Information, c = s = 0 */
	struct {
		msec at;
		bool to_server;
		size_t len;
		uint8_t data[DHCP4_MESSAGE_MAX];
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

/* As a server reads it that does not know the option. */
static size_t without_220(const uint8_t *message, size_t len, uint8_t *buf)
{
	struct writer w = writer_of(buf, DHCP4_MESSAGE_MAX);
	struct dhcp4_message m;
	const char *why;

	assert_int_equal(dhcp4_message_read(message, len, &m, &why), 0);
	m.subnet_request = m.subnet_information = false;
	dhcp4_message_write(&w, &m);
	return writer_len(&w);
}

static void count_requests(struct link *l, const struct dhcp4_message *m)
{
	if (!m->subnet_request)
		return;
	assert_true(m->request_hierarchical);
	l->requests++;
	l->queries += m->request_information;
	l->named += m->subnet_information && !m->information_c && !m->information_s &&
		    prefix_equal(&m->subnets[0].prefix, &l->offer.subnets[0]);
}

static void client_send(struct dhcp4_client *c, const struct addr *src, const struct addr *dst,
	const uint8_t *message, size_t len)
{
	struct link *l = container_of(c, struct link, client);
	uint8_t buf[DHCP4_MESSAGE_MAX];
	const char *why;

	assert_int_equal(dhcp4_message_read(message, len, &l->last_sent, &why), 0);
	l->last_src = *src;
	l->last_dst = *dst;
	count_requests(l, &l->last_sent);
	if (l->knows_no_220)
		transmit(l, true, buf, without_220(message, len, buf));
	else
		transmit(l, true, message, len);
}

static void note_bound(struct dhcp4_client *c, const struct dhcp4_binding *binding, msec now)
{
	struct link *l = container_of(c, struct link, client);

	assert_int_equal(now, l->now);
	l->binding = *binding;
	l->bound++;
}

static void note_lost(struct dhcp4_client *c, const char *why)
{
	struct link *l = container_of(c, struct link, client);

	memset(&l->binding, 0, sizeof(l->binding));
	snprintf(l->why, sizeof(l->why), "%s", why);
	l->lost++;
}

static void server_send(struct dhcp4_server *s, const struct addr *dst, const uint8_t *message, size_t len)
{
	struct link *l = container_of(s, struct link, server);

	l->last_reply_dst = *dst;
	transmit(l, false, message, len);
}

static void describe(struct dhcp4_server *s, struct dhcp4_offer *ret)
{
	*ret = container_of(s, struct link, server)->offer;
}

static void in_use(struct dhcp4_server *s, bool address, bool subnets)
{
	struct link *l = container_of(s, struct link, server);

	assert_true(address != l->address_in_use || subnets != l->subnets_in_use);
	l->address_in_use = address;
	l->subnets_in_use = subnets;
	l->changes++;
}

static const struct dhcp4_client_ops client_ops = {
	.send = client_send, .bound = note_bound, .lost = note_lost};
static const struct dhcp4_server_ops server_ops = {
	.send = server_send, .describe = describe, .in_use = in_use};

static void setup(struct link *l, uint64_t seed)
{
	memset(l, 0, sizeof(*l));
	rng_init_seed(&l->rng, seed);
	rng_init_seed(&l->loss_rng, seed + 1000);
	l->now = 1000000;
	l->client_config = (struct dhcp4_client_config){.ops = &client_ops,
		.rng = &l->rng,
		.counters = &l->client_counters,
		.client_id = {255, 0, 0, 0, 1, 0, 3, 0, 1, 2, 0, 0, 0, 0, 2},
		.client_id_len = 15};
	l->server_config = (struct dhcp4_server_config){
		.ops = &server_ops, .counters = &l->server_counters, .rapid_commit = true};
	l->offer = (struct dhcp4_offer){.address = addr4(198, 51, 100, 7),
		.server = addr4(198, 51, 100, 1),
		.lease = 3600,
		.mtu = 1400,
		.dns_count = 2,
		.dns = {addr4(192, 0, 2, 53), addr4(192, 0, 2, 54)}};
	dhcp4_server_open(&l->server, &l->server_config);
}

static void offer_subnet(struct link *l)
{
	l->client_config.want_subnet = true;
	l->offer.subnets[l->offer.subnet_count++] = (struct prefix){addr4(203, 0, 113, 16), 28};
}

static void open_client(struct link *l, const struct dhcp4_binding *hint)
{
	struct addr none = {0};

	dhcp4_client_open(&l->client, &l->client_config, &none, hint, l->now);
}

/* The address comes by IPCP. */
static void open_with_address(struct link *l, const struct dhcp4_binding *hint)
{
	l->offer.ipcp = true;
	dhcp4_client_open(&l->client, &l->client_config, &l->offer.address, hint, l->now);
}

static void deliver(struct link *l)
{
	unsigned first = 0;
	uint8_t data[DHCP4_MESSAGE_MAX];
	bool to_server;
	size_t len;

	for (unsigned i = 1; i < l->queued; i++)
		if (l->queue[i].at < l->queue[first].at)
			first = i;
	to_server = l->queue[first].to_server;
	len = l->queue[first].len;
	memcpy(data, l->queue[first].data, len);
	l->now = l->queue[first].at;
	l->queue[first] = l->queue[--l->queued];
	if (to_server)
		dhcp4_server_input(&l->server, data, len, l->now);
	else
		dhcp4_client_input(&l->client, data, len, l->now);
}

static msec next_delivery(const struct link *l)
{
	msec at = MSEC_NEVER;

	for (unsigned i = 0; i < l->queued; i++)
		at = msec_min(at, l->queue[i].at);
	return at;
}

/* Lets MS milliseconds go by. */
static void run(struct link *l, msec ms)
{
	msec end = l->now + ms;

	for (unsigned steps = 0;; steps++) {
		msec timer = dhcp4_client_deadline(&l->client), packet = next_delivery(l);

		assert_true(steps < 1000000);
		if (msec_min(timer, packet) > end)
			break;
		if (packet <= timer) {
			deliver(l);
			continue;
		}
		l->now = timer > l->now ? timer : l->now;
		dhcp4_client_tick(&l->client, l->now);
	}
	l->now = end;
}

static void assert_has_address(const struct link *l)
{
	assert_true(l->binding.has_address);
	assert_true(addr_equal(&l->binding.address, &l->offer.address));
	assert_true(addr_equal(&l->binding.server, &l->offer.server));
	assert_true(addr_equal(&l->binding.router, &l->offer.server));
	assert_int_equal(l->binding.mask_len, 32);
	assert_true(l->address_in_use);
}

static void assert_has_subnet(const struct link *l)
{
	assert_int_equal(l->binding.subnet_count, l->offer.subnet_count);
	for (unsigned i = 0; i < l->offer.subnet_count; i++)
		assert_true(prefix_equal(&l->binding.subnets[i].prefix, &l->offer.subnets[i]));
	assert_true(l->subnets_in_use);
}

/* proves: HS-DHCP-7 partial, HS-PPP-19 partial, HS-PPP-21 partial */
static void address_and_dns_servers_come_over_the_softwire(void **state)
{
	struct link l;

	setup(&l, 1);
	open_client(&l, NULL);
	assert_string_equal(dhcp4_client_state(&l.client), "selecting");
	run(&l, 1000);
	assert_string_equal(dhcp4_client_state(&l.client), "bound");
	assert_has_address(&l);
	assert_int_equal(l.messages, 4);
	assert_int_equal(l.binding.lease, 3599); /* counted from the REQUEST, 40 ms ago */
	assert_int_equal(l.binding.mtu, 1400);
	assert_int_equal(l.binding.dns_count, 2);
	assert_true(addr_equal(&l.binding.dns[1], &l.offer.dns[1]));
	assert_false(l.subnets_in_use);
}

static void rapid_commit_saves_two_messages(void **state)
{
	struct link l;

	setup(&l, 2);
	l.client_config.rapid_commit = true;
	open_client(&l, NULL);
	run(&l, 1000);
	assert_has_address(&l);
	assert_int_equal(l.messages, 2);

	setup(&l, 2); /* a server that does not know it */
	l.client_config.rapid_commit = true;
	l.server_config.rapid_commit = false;
	open_client(&l, NULL);
	run(&l, 1000);
	assert_has_address(&l);
	assert_int_equal(l.messages, 4);
}

/* proves: HS-DHCP-8 partial, HS-DHCP-9 partial, HS-DHCP-10 */
static void subnet_comes_after_the_address(void **state)
{
	struct link l;

	setup(&l, 3);
	offer_subnet(&l);
	open_client(&l, NULL);
	run(&l, 1000);
	assert_has_address(&l);
	assert_has_subnet(&l);
	assert_true(l.binding.subnets[0].hierarchical);
	assert_int_equal(l.messages, 8);
	assert_int_equal(l.requests, 1);
	assert_int_equal(l.queries + l.named, 0);
	assert_int_equal(l.bound, 2);
	assert_int_equal(l.lost, 0);
}

/* proves: HS-DHCP-8 partial, HS-DHCP-9 partial */
static void subnet_comes_to_an_address_of_ipcp(void **state)
{
	struct link l;

	setup(&l, 4);
	offer_subnet(&l);
	l.offer.subnets[l.offer.subnet_count++] = (struct prefix){addr4(10, 0, 0, 0), 8};
	open_with_address(&l, NULL);
	run(&l, 1000);
	assert_has_subnet(&l);
	assert_false(l.binding.has_address);
	assert_false(l.address_in_use); /* it is not DHCP's */
	assert_int_equal(l.binding.dns_count, 2);
	assert_int_equal(l.messages, 4);
	assert_true(addr_equal(&l.last_src, &l.offer.address));
	assert_true(addr_equal(&l.last_sent.ciaddr, &l.offer.address));
	assert_true(addr_equal(&l.last_reply_dst, &l.offer.address));
	assert_string_equal(dhcp4_client_state(&l.client), "bound");
}

/* proves: HS-PPP-21 partial */
static void inform_asks_for_dns_servers_alone(void **state)
{
	struct link l;

	setup(&l, 5);
	open_with_address(&l, NULL);
	assert_string_equal(dhcp4_client_state(&l.client), "informing");
	run(&l, 1000);
	assert_string_equal(dhcp4_client_state(&l.client), "informed");
	assert_int_equal(l.messages, 2);
	assert_int_equal(l.binding.dns_count, 2);
	assert_int_equal(l.binding.lease, DHCP4_INFINITE);
	assert_false(l.binding.has_address);
	assert_int_equal(l.changes, 0);
	assert_int_equal(dhcp4_client_deadline(&l.client), MSEC_NEVER);
	dhcp4_client_release(&l.client, l.now); /* nothing to give back */
	assert_int_equal(l.messages, 2);
	assert_string_equal(dhcp4_client_state(&l.client), "stopped");
}

static void nobody_answers_inform(void **state)
{
	struct link l;

	setup(&l, 6);
	l.dead = true;
	open_with_address(&l, NULL);
	run(&l, 10 * 3600 * 1000);
	assert_int_equal(l.messages, 5);
	assert_string_equal(dhcp4_client_state(&l.client), "stopped");
	assert_int_equal(dhcp4_client_deadline(&l.client), MSEC_NEVER);
}

static void leases_are_renewed_for_a_week(void **state)
{
	struct link l;

	setup(&l, 7);
	offer_subnet(&l);
	open_client(&l, NULL);
	for (int hour = 0; hour < 7 * 24; hour++) {
		run(&l, 3600 * 1000);
		assert_has_address(&l);
		assert_has_subnet(&l);
	}
	assert_int_equal(l.lost, 0);
	assert_int_equal(l.changes, 2);
	assert_true(l.bound > 2 * 7 * 24 * 2 - 10 && l.bound < 2 * 7 * 24 * 2 * 12 / 10);
	assert_int_equal(l.client_counters.retransmits, 0);
}

static void an_infinite_lease_is_never_renewed(void **state)
{
	struct link l;

	setup(&l, 8);
	l.offer.lease = 0;
	open_client(&l, NULL);
	run(&l, 1000);
	assert_has_address(&l);
	assert_int_equal(l.binding.lease, DHCP4_INFINITE);
	assert_int_equal(dhcp4_client_deadline(&l.client), MSEC_NEVER);
}

/* The server is away from before T1 until after T2: the client asks anybody, and keeps all. */
static void rebinds_after_a_silence(void **state)
{
	struct link l;

	setup(&l, 9);
	offer_subnet(&l);
	open_client(&l, NULL);
	run(&l, 1000);
	l.dead = true;
	run(&l, 3200 * 1000);
	assert_string_equal(dhcp4_client_state(&l.client), "rebinding");
	assert_int_equal(l.lost, 0);
	l.dead = false;
	run(&l, 300 * 1000);
	assert_string_equal(dhcp4_client_state(&l.client), "bound");
	assert_has_address(&l);
	assert_has_subnet(&l);
	assert_int_equal(l.lost, 0);
}

/* proves: HS-DHCP-11, HS-DHCP-13 */
static void everything_is_asked_for_again_after_it_was_lost(void **state)
{
	struct link l;

	setup(&l, 10);
	offer_subnet(&l);
	open_client(&l, NULL);
	run(&l, 1000);
	l.dead = true;
	run(&l, 3700 * 1000);
	assert_true(l.lost >= 1);
	assert_string_equal(l.why, "the lease is over");
	assert_int_equal(l.last_sent.type, DHCP4_DISCOVER);
	assert_true(addr_equal(&l.last_sent.requested, &l.offer.address));
	assert_int_equal(l.requests, 1); /* subnets not before there is an address again */
	assert_int_equal(l.queries, 0);
	l.dead = false;
	run(&l, 80 * 1000);
	assert_has_address(&l);
	assert_has_subnet(&l);
	assert_int_equal(l.requests, 2);
	assert_int_equal(l.queries, 1);
	assert_int_equal(l.named, 1);
}

/* A server that was restarted knows nothing of what is in use, and learns it by the renewal. */
static void a_restarted_server_goes_on(void **state)
{
	struct link l;

	setup(&l, 11);
	offer_subnet(&l);
	open_client(&l, NULL);
	run(&l, 1000);
	dhcp4_server_open(&l.server, &l.server_config);
	l.address_in_use = l.subnets_in_use = false;
	run(&l, 1900 * 1000);
	assert_has_address(&l);
	assert_has_subnet(&l);
	assert_int_equal(l.lost, 0);
}

/* The user has got another address and subnet meanwhile. */
static void what_is_no_longer_ours_is_refused_and_replaced(void **state)
{
	struct link l;

	setup(&l, 12);
	offer_subnet(&l);
	open_client(&l, NULL);
	run(&l, 1000);
	l.offer.address = addr4(198, 51, 100, 8);
	l.offer.subnets[0] = (struct prefix){addr4(203, 0, 113, 64), 26};
	run(&l, 1900 * 1000);
	assert_int_equal(l.lost, 1);
	assert_string_equal(l.why, "refused by the server: not the address of this client");
	assert_has_address(&l);
	assert_has_subnet(&l);
}

static void release_gives_back_both(void **state)
{
	struct link l;

	setup(&l, 13);
	offer_subnet(&l);
	open_client(&l, NULL);
	run(&l, 1000);
	l.messages = 0;
	dhcp4_client_release(&l.client, l.now);
	assert_int_equal(l.messages, 2);
	assert_true(addr_equal(&l.last_dst, &l.offer.server));
	assert_true(addr_equal(&l.last_src, &l.offer.address));
	assert_string_equal(dhcp4_client_state(&l.client), "stopped");
	assert_int_equal(dhcp4_client_deadline(&l.client), MSEC_NEVER);
	run(&l, 3600 * 1000);
	assert_false(l.address_in_use || l.subnets_in_use);
	assert_int_equal(l.messages, 2);
	assert_int_equal(l.lost, 0);
}

/* proves: HS-DHCP-11, HS-DHCP-13 */
static void a_new_softwire_gets_what_the_old_one_had(void **state)
{
	struct dhcp4_binding hint;
	struct link l;

	setup(&l, 14);
	offer_subnet(&l);
	open_client(&l, NULL);
	run(&l, 1000);
	hint = l.binding;
	dhcp4_server_open(&l.server, &l.server_config);
	l.address_in_use = l.subnets_in_use = false;
	l.messages = 0;
	open_client(&l, &hint);
	assert_true(addr_equal(&l.last_sent.requested, &l.offer.address));
	run(&l, 1000);
	assert_has_address(&l);
	assert_has_subnet(&l);
	assert_int_equal(l.queries, 1);
	assert_int_equal(l.named, 1);
	assert_int_equal(l.messages, 8); /* the query is answered with what is reserved: no detour */
}

static void a_server_without_subnets_is_asked_again_at_renewals(void **state)
{
	struct link l;
	unsigned asked;

	setup(&l, 15);
	offer_subnet(&l);
	l.knows_no_220 = true;
	open_client(&l, NULL);
	run(&l, 1000);
	assert_has_address(&l);
	assert_int_equal(l.binding.subnet_count, 0);
	asked = l.messages;
	run(&l, 1500 * 1000); /* T1 is at 1620 s at the earliest */
	assert_int_equal(l.messages, asked);
	run(&l, 400 * 1000);
	assert_int_equal(l.messages, asked + 4); /* REQUEST, ACK; DISCOVER, OFFER */
	assert_has_address(&l);
	l.knows_no_220 = false;
	run(&l, 1900 * 1000);
	assert_has_subnet(&l);
	assert_int_equal(l.lost, 0);
}

/* With an address of IPCP there are no renewals: DNS servers by INFORM, subnets after an hour. */
static void a_server_without_subnets_gives_dns_to_an_address_of_ipcp(void **state)
{
	struct link l;

	setup(&l, 16);
	offer_subnet(&l);
	l.knows_no_220 = true;
	open_with_address(&l, NULL);
	run(&l, 10 * 1000);
	assert_int_equal(l.bound, 1);
	assert_int_equal(l.binding.dns_count, 2);
	assert_int_equal(l.messages, 4);
	run(&l, 3500 * 1000);
	assert_int_equal(l.messages, 4);
	run(&l, 600 * 1000);
	assert_int_equal(l.messages, 6);
	l.knows_no_220 = false;
	run(&l, 2 * 3600 * 1000);
	assert_has_subnet(&l);
}

static void the_mtu_is_renewed_too(void **state)
{
	struct link l;

	setup(&l, 17);
	open_client(&l, NULL);
	run(&l, 1000);
	assert_int_equal(l.binding.mtu, 1400);
	l.offer.mtu = 1300;
	run(&l, 1900 * 1000);
	assert_int_equal(l.binding.mtu, 1300);
	l.offer.mtu = 0;
	run(&l, 1900 * 1000);
	assert_int_equal(l.binding.mtu, 0);
}

static void converges_whatever_is_lost(void **state)
{
	for (uint64_t seed = 100; seed < 300; seed++) {
		struct link l;

		setup(&l, seed);
		offer_subnet(&l);
		l.loss = 30;
		l.client_config.rapid_commit = seed % 2;
		if (seed % 3)
			open_client(&l, NULL);
		else
			open_with_address(&l, NULL);
		run(&l, 1200 * 1000);
		if (!l.offer.ipcp)
			assert_has_address(&l);
		assert_has_subnet(&l);
		run(&l, 24 * 3600 * 1000);
		assert_true(l.client_counters.tx < 24 * 2 * 20);
		l.loss = 0;
		run(&l, 4000 * 1000);
		if (!l.offer.ipcp)
			assert_has_address(&l);
		assert_has_subnet(&l);
		dhcp4_client_release(&l.client, l.now);
		run(&l, 1000);
		assert_false(l.address_in_use || l.subnets_in_use);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(address_and_dns_servers_come_over_the_softwire),
		cmocka_unit_test(rapid_commit_saves_two_messages),
		cmocka_unit_test(subnet_comes_after_the_address),
		cmocka_unit_test(subnet_comes_to_an_address_of_ipcp),
		cmocka_unit_test(inform_asks_for_dns_servers_alone),
		cmocka_unit_test(nobody_answers_inform),
		cmocka_unit_test(leases_are_renewed_for_a_week),
		cmocka_unit_test(an_infinite_lease_is_never_renewed),
		cmocka_unit_test(rebinds_after_a_silence),
		cmocka_unit_test(everything_is_asked_for_again_after_it_was_lost),
		cmocka_unit_test(a_restarted_server_goes_on),
		cmocka_unit_test(what_is_no_longer_ours_is_refused_and_replaced),
		cmocka_unit_test(release_gives_back_both),
		cmocka_unit_test(a_new_softwire_gets_what_the_old_one_had),
		cmocka_unit_test(a_server_without_subnets_is_asked_again_at_renewals),
		cmocka_unit_test(a_server_without_subnets_gives_dns_to_an_address_of_ipcp),
		cmocka_unit_test(the_mtu_is_renewed_too),
		cmocka_unit_test(converges_whatever_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
