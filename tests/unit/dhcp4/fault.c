/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp4/fault, as the client uses it: what it refuses, and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"

static void addresses_that_are_none_are_refused(void **state)
{
	static const struct {
		const char *name;
		uint8_t bytes[4];
		uint32_t lease;
		const char *note;
	} cases[] = {
		{"0.0.0.0", {0, 0, 0, 0}, 60, "none: no address"},
		{"this network", {0, 1, 2, 3}, 60, "0.1.2.3: not a unicast address"},
		{"loopback", {127, 0, 0, 1}, 60, "127.0.0.1: not a unicast address"},
		{"the end of loopback", {127, 255, 255, 254}, 60, "127.255.255.254: not a unicast address"},
		{"link-local", {169, 254, 7, 7}, 60, "169.254.7.7: not a unicast address"},
		{"multicast", {224, 0, 0, 1}, 60, "224.0.0.1: not a unicast address"},
		{"the end of multicast", {239, 255, 255, 255}, 60, "239.255.255.255: not a unicast address"},
		{"reserved", {240, 0, 0, 1}, 60, "240.0.0.1: not a unicast address"},
		{"broadcast", {255, 255, 255, 255}, 60, "255.255.255.255: not a unicast address"},
		{"the server's", {198, 51, 100, 1}, 60, "198.51.100.1: the server's own address"},
		{"without a lease", {198, 51, 100, 7}, 0, "198.51.100.7: no lease time"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct addr a = addr4_of(cases[i].bytes);
		struct bench b;
		struct dhcp4_message m;

		setup(&b);
		open_client(&b);
		for (int type = DHCP4_OFFER; type <= DHCP4_ACK; type += DHCP4_ACK - DHCP4_OFFER) {
			m = answer(&b, (uint8_t)type);
			m.yiaddr = addr_is_unspecified(&a) ? none : a;
			m.lease = cases[i].lease;
			give(&b, &m);
			if (strcmp(b.note, cases[i].note) != 0)
				fail_msg("%s: %s", cases[i].name, b.note);
			b.note[0] = '\0';
			if (type == DHCP4_OFFER) {
				assert_string_equal(dhcp4_client_state(&b.client), "selecting");
				assert_int_equal(b.sends, 1);
				reply(&b, DHCP4_OFFER);
			}
		}
		assert_int_equal(b.bounds, 0);
		assert_int_equal(b.counters.refused, 2);
		reply(&b, DHCP4_ACK); /* a good one is still welcome */
		assert_int_equal(b.bounds, 1);
	}
}

/* proves: HS-PROV-14 partial */
static void subnets_that_cannot_be_used_are_refused(void **state)
{
	static const struct {
		const char *name;
		struct prefix prefix;
		const char *note;
	} cases[] = {
		{"/7", {{AF_INET, {10}}, 7}, "10.0.0.0/7: not a /8 to /30"},
		{"/1", {{AF_INET, {128}}, 1}, "128.0.0.0/1: not a /8 to /30"},
		{"this network", {{AF_INET, {0}}, 8}, "0.0.0.0/8: not unicast addresses"},
		{"loopback", {{AF_INET, {127}}, 8}, "127.0.0.0/8: not unicast addresses"},
		{"a part of loopback", {{AF_INET, {127, 0, 1}}, 24}, "127.0.1.0/24: not unicast addresses"},
		{"link-local", {{AF_INET, {169, 254}}, 16}, "169.254.0.0/16: not unicast addresses"},
		{"more than link-local", {{AF_INET, {169}}, 8}, "169.0.0.0/8: not unicast addresses"},
		{"multicast", {{AF_INET, {224, 1}}, 16}, "224.1.0.0/16: not unicast addresses"},
		{"reserved", {{AF_INET, {240}}, 8}, "240.0.0.0/8: not unicast addresses"},
		{"the end of all", {{AF_INET, {255, 255, 255, 252}}, 30},
			"255.255.255.252/30: not unicast addresses"},
		{"with our own address", {{AF_INET, {198, 51, 100, 0}}, 28},
			"198.51.100.0/28: our address of the softwire is part of it"},
		{"with the server", {{AF_INET, {203, 0, 113, 0}}, 24},
			"203.0.113.0/24: the server is part of it"},
		{"smaller than what is acceptable", {{AF_INET, {10}}, 29},
			"10.0.0.0/29: smaller than what is acceptable"},
		{"part of another one", {{AF_INET, {10, 9, 0, 64}}, 28},
			"10.9.0.64/28: overlaps another one"},
		{"around another one", {{AF_INET, {10}}, 8}, "10.0.0.0/8: overlaps another one"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bench b;
		struct dhcp4_message m;

		setup(&b);
		b.config.subnet_len = 28;
		open_router(&b);
		for (int type = DHCP4_OFFER; type <= DHCP4_ACK; type += DHCP4_ACK - DHCP4_OFFER) {
			m = answer(&b, (uint8_t)type);
			m.server = addr4(203, 0, 113, 1);
			m.subnet_information = true;
			m.subnet_count = 2;
			m.subnets[0] = (struct dhcp4_subnet){.prefix = {addr4(10, 9, 0, 0), 24}};
			m.subnets[1] = (struct dhcp4_subnet){.prefix = cases[i].prefix};
			give(&b, &m);
			if (strcmp(b.note, cases[i].note) != 0)
				fail_msg("%s: %s", cases[i].name, b.note);
			b.note[0] = '\0';
		}
		assert_int_equal(b.counters.refused, 2);
		assert_int_equal(b.binding.subnet_count, 1); /* the good one */
		assert_int_equal(b.binding.subnets[0].prefix.len, 24);
	}
}

/* proves: HS-PROV-14 partial */
static void subnets_of_all_lengths_from_8_to_30_are_taken(void **state)
{
	for (uint8_t len = 8; len <= 30; len++) {
		struct bench b;

		setup(&b);
		open_router(&b);
		reply_subnet(&b, DHCP4_OFFER, 0, len);
		reply_subnet(&b, DHCP4_ACK, 0, len);
		assert_int_equal(b.binding.subnet_count, 1);
		assert_int_equal(b.binding.subnets[0].prefix.len, len);
		assert_int_equal(b.counters.refused, 0);
	}
}

static void subnets_without_a_lease_are_refused(void **state)
{
	struct dhcp4_message m;
	struct bench b;

	setup(&b);
	open_router(&b);
	m = answer(&b, DHCP4_OFFER);
	add_subnet(&m, 0, 24);
	m.lease = 0;
	give(&b, &m);
	assert_int_equal(b.counters.refused, 2);
	assert_int_equal(b.counters.by_type[DHCP4_OFFER], 1);
	assert_int_equal(b.sent.type, DHCP4_INFORM); /* the rest may be of use */
}

enum counter { BAD_XID, BAD_CLIENT, BAD_SERVER, UNEXPECTED, BAD_MESSAGE };

static uint64_t counted(const struct bench *b, enum counter which)
{
	const struct dhcp4_counters *c = &b->counters;
	const uint64_t all[] = {c->bad_xid, c->bad_client, c->bad_server, c->unexpected, c->bad_message};

	return all[which];
}

static void other_transaction(struct dhcp4_message *m)
{
	m->xid++;
}

static void other_client(struct dhcp4_message *m)
{
	m->client_id_len = 4;
	memcpy(m->client_id, "\xff\x01\x02\x04", 4);
}

static void longer_client(struct dhcp4_message *m)
{
	m->client_id_len = 5;
	memcpy(m->client_id, "\xff\x01\x02\x03\x00", 5);
}

static void no_server(struct dhcp4_message *m)
{
	m->server = none;
}

static void multicast_server(struct dhcp4_message *m)
{
	m->server = addr4(224, 0, 0, 1);
}

static void broadcast_server(struct dhcp4_message *m)
{
	m->server = addr4(255, 255, 255, 255);
}

static void loopback_server(struct dhcp4_message *m)
{
	m->server = addr4(127, 0, 0, 1);
}

static void other_server(struct dhcp4_message *m)
{
	m->server = addr4(198, 51, 100, 2);
}

static void rapid(struct dhcp4_message *m)
{
	m->rapid_commit = true;
}

static void same(struct dhcp4_message *m)
{
	(void)m;
}

/* In each state, what must not move it, and how it is counted. */
static void what_does_not_belong_is_dropped(void **state)
{
	static const struct {
		const char *name, *state;
		uint8_t type;
		void (*change)(struct dhcp4_message *m);
		enum counter counter;
	} cases[] = {
		{"OFFER of another transaction", "selecting", DHCP4_OFFER, other_transaction, BAD_XID},
		{"OFFER for another client", "selecting", DHCP4_OFFER, other_client, BAD_CLIENT},
		{"OFFER for a client that is called longer", "selecting", DHCP4_OFFER, longer_client,
			BAD_CLIENT},
		{"OFFER of nobody", "selecting", DHCP4_OFFER, no_server, BAD_SERVER},
		{"OFFER of a group", "selecting", DHCP4_OFFER, multicast_server, BAD_SERVER},
		{"OFFER of everybody", "selecting", DHCP4_OFFER, broadcast_server, BAD_SERVER},
		{"OFFER of ourselves", "selecting", DHCP4_OFFER, loopback_server, BAD_SERVER},
		{"ACK without OFFER", "selecting", DHCP4_ACK, same, UNEXPECTED},
		{"NAK without REQUEST", "selecting", DHCP4_NAK, same, UNEXPECTED},
		{"DISCOVER", "selecting", DHCP4_DISCOVER, same, UNEXPECTED},
		{"REQUEST", "selecting", DHCP4_REQUEST, same, UNEXPECTED},
		{"RELEASE", "bound", DHCP4_RELEASE, same, UNEXPECTED},
		{"rapid ACK that was not asked for", "selecting", DHCP4_ACK, rapid, UNEXPECTED},
		{"a second OFFER", "requesting", DHCP4_OFFER, other_server, UNEXPECTED},
		{"REQUEST in REQUESTING", "requesting", DHCP4_REQUEST, same, UNEXPECTED},
		{"RELEASE in REQUESTING", "requesting", DHCP4_RELEASE, same, UNEXPECTED},
		{"ACK of another server", "requesting", DHCP4_ACK, other_server, BAD_SERVER},
		{"NAK of another server", "requesting", DHCP4_NAK, other_server, BAD_SERVER},
		{"ACK of nobody", "requesting", DHCP4_ACK, no_server, BAD_SERVER},
		{"ACK of another transaction", "requesting", DHCP4_ACK, other_transaction, BAD_XID},
		{"NAK of another transaction", "requesting", DHCP4_NAK, other_transaction, BAD_XID},
		{"ACK for another client", "requesting", DHCP4_ACK, other_client, BAD_CLIENT},
		{"ACK again", "bound", DHCP4_ACK, same, UNEXPECTED},
		{"NAK while nothing is asked", "bound", DHCP4_NAK, same, UNEXPECTED},
		{"OFFER while nothing is asked", "bound", DHCP4_OFFER, same, UNEXPECTED},
		{"ACK of another server in RENEWING", "renewing", DHCP4_ACK, other_server, BAD_SERVER},
		{"NAK of another server in RENEWING", "renewing", DHCP4_NAK, other_server, BAD_SERVER},
		{"NAK of nobody in REBINDING", "rebinding", DHCP4_NAK, no_server, BAD_SERVER},
		{"NAK of another transaction in REBINDING", "rebinding", DHCP4_NAK, other_transaction,
			BAD_XID},
		{"NAK in INFORMING", "informing", DHCP4_NAK, same, UNEXPECTED},
		{"OFFER in INFORMING", "informing", DHCP4_OFFER, same, UNEXPECTED},
		{"anything after the end", "stopped", DHCP4_ACK, same, BAD_XID},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct dhcp4_message m;
		struct bench b;
		unsigned sends, bounds;
		msec deadline;

		setup(&b);
		if (!strcmp(cases[i].state, "informing"))
			dhcp4_client_open(&b.client, &b.config, &address, NULL, b.now);
		else
			open_client(&b);
		if (!strcmp(cases[i].state, "requesting"))
			reply(&b, DHCP4_OFFER);
		else if (strcmp(cases[i].state, "selecting") != 0 && strcmp(cases[i].state, "informing") != 0)
			bind_address(&b);
		while ((cases[i].state[0] == 'r' && strcmp(cases[i].state, "requesting") != 0) &&
			strcmp(dhcp4_client_state(&b.client), cases[i].state) != 0)
			step(&b);
		if (!strcmp(cases[i].state, "stopped"))
			dhcp4_client_release(&b.client, b.now);
		assert_string_equal(dhcp4_client_state(&b.client), cases[i].state);
		sends = b.sends;
		bounds = b.bounds;
		deadline = dhcp4_client_deadline(&b.client);
		m = answer(&b, cases[i].type);
		cases[i].change(&m);
		give(&b, &m);
		if (counted(&b, cases[i].counter) != 1)
			fail_msg("%s: not counted", cases[i].name);
		if (strcmp(dhcp4_client_state(&b.client), cases[i].state) != 0 || b.sends != sends ||
			b.bounds != bounds || b.losses || dhcp4_client_deadline(&b.client) != deadline)
			fail_msg("%s: had an effect", cases[i].name);
	}
}

static void malformed_messages_are_counted(void **state)
{
	struct bench b;

	setup(&b);
	open_client(&b);
	dhcp4_client_input(&b.client, b.raw, 239, b.now);
	assert_int_equal(b.counters.bad_message, 1);
	assert_int_equal(b.counters.rx, 1);
	assert_string_equal(b.note, "shorter than a message");
}

/* A server that refuses, offers and refuses as fast as it can. */
static void a_hostile_server_cannot_make_us_shout(void **state)
{
	struct bench b;

	setup(&b);
	open_client(&b);
	for (int i = 0; i < 20000; i++) {
		reply(&b, DHCP4_OFFER);
		reply(&b, DHCP4_ACK);
		reply(&b, DHCP4_NAK);
		if (dhcp4_client_deadline(&b.client) <= b.now)
			dhcp4_client_tick(&b.client, b.now);
		b.now += 10;
	}
	assert_true(b.sends <= 20 + 200);

	setup(&b); /* leases of a second */
	open_client(&b);
	for (int i = 0; i < 20000; i++) {
		struct dhcp4_message m = answer(&b, i % 2 ? DHCP4_ACK : DHCP4_OFFER);

		m.lease = 1;
		give(&b, &m);
		while (dhcp4_client_deadline(&b.client) <= b.now)
			dhcp4_client_tick(&b.client, b.now);
		b.now += 10;
	}
	assert_true(b.sends <= 20 + 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_that_are_none_are_refused),
		cmocka_unit_test(subnets_that_cannot_be_used_are_refused),
		cmocka_unit_test(subnets_of_all_lengths_from_8_to_30_are_taken),
		cmocka_unit_test(subnets_without_a_lease_are_refused),
		cmocka_unit_test(what_does_not_belong_is_dropped),
		cmocka_unit_test(malformed_messages_are_counted),
		cmocka_unit_test(a_hostile_server_cannot_make_us_shout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
