/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp4/client: what it sends and when, and what it takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"

/* clang-format off */
#define XID 0, 0, 0, 0 /* random: not compared */
#define COOKIE [236] = 0x63, 0x82, 0x53, 0x63
#define CLIENT_ID 61, 4, 255, 1, 2, 3
static const uint8_t golden_discover[300] = {
	1, 20, 0, 0, XID, 0, 0, 0x80, 0, COOKIE,
	53, 1, 1, CLIENT_ID, 55, 4, 1, 3, 6, 26, 80, 0, 255,
};
static const uint8_t golden_request[300] = {
	1, 20, 0, 0, XID, 0, 3, 0x80, 0, COOKIE,
	53, 1, 3, 54, 4, 198, 51, 100, 1, CLIENT_ID, 50, 4, 198, 51, 100, 7, 55, 4, 1, 3, 6, 26, 255,
};
static const uint8_t golden_renew[300] = {
	1, 20, 0, 0, XID, 0, 0, 0, 0, 198, 51, 100, 7, COOKIE,
	53, 1, 3, CLIENT_ID, 55, 4, 1, 3, 6, 26, 255,
};
static const uint8_t golden_release[300] = {
	1, 20, 0, 0, XID, 0, 0, 0, 0, 198, 51, 100, 7, COOKIE,
	53, 1, 7, 54, 4, 198, 51, 100, 1, CLIENT_ID, 255,
};
static const uint8_t golden_inform[300] = {
	1, 20, 0, 0, XID, 0, 0, 0, 0, 198, 51, 100, 7, COOKIE,
	53, 1, 8, CLIENT_ID, 55, 2, 6, 26, 255,
};
static const uint8_t golden_subnet_discover[300] = {
	1, 20, 0, 0, XID, 0, 0, 0, 0, 198, 51, 100, 7, COOKIE,
	53, 1, 1, CLIENT_ID, 55, 3, 6, 26, 220, 220, 5, 0, 1, 2, 1, 0, 255,
};
static const uint8_t golden_subnet_query[300] = {
	1, 20, 0, 0, XID, 0, 0, 0, 0, 198, 51, 100, 7, COOKIE,
	53, 1, 1, CLIENT_ID, 55, 3, 6, 26, 220, 220, 15, 0, 1, 2, 3, 0, 2, 8, 0, 10, 0, 0, 0, 24, 2, 0, 255,
};
static const uint8_t golden_subnet_request[300] = {
	1, 20, 0, 0, XID, 0, 0, 0, 0, 198, 51, 100, 7, COOKIE,
	53, 1, 3, 54, 4, 198, 51, 100, 1, CLIENT_ID, 55, 3, 6, 26, 220, 220, 11, 0, 2, 8, 0, 10, 0, 0, 0, 24, 2, 0, 255,
};
static const uint8_t golden_subnet_renew[300] = {
	1, 20, 0, 0, XID, 0, 0, 0, 0, 198, 51, 100, 7, COOKIE,
	53, 1, 3, CLIENT_ID, 55, 3, 6, 26, 220, 220, 11, 0, 2, 8, 0, 10, 0, 0, 0, 24, 2, 0, 255,
};
static const uint8_t golden_subnet_release[300] = {
	1, 20, 0, 0, XID, 0, 0, 0, 0, 198, 51, 100, 7, COOKIE,
	53, 1, 7, 54, 4, 198, 51, 100, 1, CLIENT_ID, 220, 11, 0, 2, 8, 0, 10, 0, 0, 0, 24, 2, 0, 255,
};
/* clang-format on */

static void assert_sent(const struct bench *b, const uint8_t golden[300])
{
	uint8_t bytes[DHCP4_MESSAGE_MAX];

	assert_int_equal(b->raw_len, 300);
	memcpy(bytes, b->raw, 300);
	memset(bytes + 4, 0, 4);
	assert_memory_equal(bytes, golden, 300);
}

/* proves: HS-DHCP-7 partial */
static void messages_for_an_address_are_what_rfc2131_has(void **state)
{
	struct bench b;
	uint32_t xid;

	setup(&b);
	b.config.rapid_commit = true;
	open_client(&b);
	assert_sent(&b, golden_discover);
	assert_true(addr_is_none(&b.src) && addr_is_none(&b.dst));
	xid = b.sent.xid;
	b.now += 3700;
	reply(&b, DHCP4_OFFER);
	assert_sent(&b, golden_request);
	assert_true(addr_is_none(&b.src) && addr_is_none(&b.dst));
	assert_int_equal(b.sent.xid, xid);
	reply(&b, DHCP4_ACK);
	assert_int_equal(b.bounds, 1);

	step_until_sent(&b); /* T1: to the server */
	assert_string_equal(dhcp4_client_state(&b.client), "renewing");
	assert_sent(&b, golden_renew);
	assert_addr(&b.src, &address);
	assert_addr(&b.dst, &server);
	assert_int_not_equal(b.sent.xid, xid);
	do
		step_until_sent(&b);
	while (b.sent.secs);
	assert_string_equal(dhcp4_client_state(&b.client), "rebinding"); /* T2: to anybody */
	assert_sent(&b, golden_renew);
	assert_addr(&b.src, &address);
	assert_true(addr_is_none(&b.dst));

	reply(&b, DHCP4_ACK);
	dhcp4_client_release(&b.client, b.now);
	assert_sent(&b, golden_release);
	assert_addr(&b.src, &address);
	assert_addr(&b.dst, &server);
}

/* proves: HS-DHCP-9 partial, HS-DHCP-10, HS-DHCP-11, HS-DHCP-12, HS-DHCP-13 */
static void messages_for_subnets_are_what_the_draft_has(void **state)
{
	struct dhcp4_binding hint;
	struct bench b;

	setup(&b);
	open_router(&b); /* h = 1, i = 0, length 0 */
	assert_sent(&b, golden_subnet_discover);
	assert_addr(&b.src, &address);
	assert_true(addr_is_none(&b.dst));
	reply_subnet(&b, DHCP4_OFFER, 0, 24);
	assert_sent(&b, golden_subnet_request);
	reply_subnet(&b, DHCP4_ACK, 0, 24);
	assert_int_equal(b.bounds, 1);
	step_until_sent(&b);
	assert_sent(&b, golden_subnet_renew);
	assert_addr(&b.dst, &server);
	reply_subnet(&b, DHCP4_ACK, 0, 24);
	hint = b.binding;
	dhcp4_client_release(&b.client, b.now);
	assert_sent(&b, golden_subnet_release);

	dhcp4_client_open(&b.client, &b.config, &address, &hint, b.now);
	assert_sent(&b, golden_subnet_query); /* i = 1, what it had, c = s = 0 */
	assert_true(b.sent.request_information && !b.sent.information_c && !b.sent.information_s);
}

/* proves: HS-DHCP-12 */
static void the_longest_acceptable_length_is_asked_for(void **state)
{
	struct bench b;

	setup(&b);
	b.config.subnet_len = 28;
	open_router(&b);
	assert_int_equal(b.sent.request_len, 28);
	reply_subnet(&b, DHCP4_OFFER, 0, 29);
	assert_string_equal(b.note, "the server offers no subnet");
	assert_int_equal(b.counters.refused, 2);
	setup(&b);
	b.config.subnet_len = 28;
	open_router(&b);
	reply_subnet(&b, DHCP4_OFFER, 0, 27);
	reply_subnet(&b, DHCP4_ACK, 0, 27);
	assert_int_equal(b.binding.subnets[0].prefix.len, 27);
}

/* A query that nobody answers, or that names nothing, is followed by a request for a new allocation. */
static void a_query_in_vain_becomes_a_request(void **state)
{
	struct dhcp4_binding hint = {.subnet_count = 1, .subnets = {{.prefix = {addr4(10, 0, 0, 0), 24}}}};
	struct bench b;
	uint32_t xid;

	setup(&b);
	b.config.want_subnet = true;
	dhcp4_client_open(&b.client, &b.config, &address, &hint, b.now);
	assert_true(b.sent.request_information);
	xid = b.sent.xid;
	reply(&b, DHCP4_OFFER);
	assert_true(b.sent.subnet_request && !b.sent.request_information && b.sent.subnet_count == 1);
	assert_int_not_equal(b.sent.xid, xid);
	reply_subnet(&b, DHCP4_OFFER, 5, 24);
	assert_int_equal(b.sent.type, DHCP4_REQUEST);

	setup(&b);
	b.config.want_subnet = true;
	dhcp4_client_open(&b.client, &b.config, &address, &hint, b.now);
	step_until_sent(&b);
	assert_true(b.sent.request_information);
	step_until_sent(&b);
	assert_true(b.sent.subnet_request && !b.sent.request_information);
}

/* proves: HS-DHCP-11 */
static void what_was_only_offered_is_not_queried(void **state)
{
	struct bench b;

	setup(&b);
	open_router(&b);
	reply_subnet(&b, DHCP4_OFFER, 0, 24);
	reply(&b, DHCP4_NAK);
	assert_int_equal(b.losses, 0);
	step_until_sent(&b);
	assert_true(b.sent.subnet_request && !b.sent.request_information && !b.sent.subnet_information);
	reply_subnet(&b, DHCP4_OFFER, 0, 24);
	do
		step_until_sent(&b);
	while (b.sent.type == DHCP4_REQUEST);
	assert_true(b.sent.subnet_request && !b.sent.request_information);
}

static void a_query_is_never_committed_at_once(void **state)
{
	struct dhcp4_binding hint = {.subnet_count = 1, .subnets = {{.prefix = {addr4(10, 0, 0, 0), 24}}}};
	struct dhcp4_message m;
	struct bench b;

	setup(&b);
	b.config.want_subnet = b.config.rapid_commit = true;
	dhcp4_client_open(&b.client, &b.config, &address, &hint, b.now);
	assert_false(b.sent.rapid_commit);
	m = answer(&b, DHCP4_ACK);
	m.rapid_commit = true;
	add_subnet(&m, 0, 24);
	give(&b, &m);
	assert_int_equal(b.counters.unexpected, 1);
	assert_int_equal(b.bounds, 0);
}

static void discover_is_repeated_after_2_4_8_to_64_seconds(void **state)
{
	static const unsigned seconds[] = {2, 4, 8, 16, 32, 64, 64, 64, 64, 64, 64, 64, 64, 64};
	struct bench b;

	setup(&b);
	open_client(&b);
	for (size_t i = 0; i < COUNT(seconds); i++) {
		msec before = b.now;
		uint32_t xid = b.sent.xid;

		step_until_sent(&b);
		assert_true(b.now - before >= seconds[i] * 1000 - 1000);
		assert_true(b.now - before <= seconds[i] * 1000 + 1000);
		assert_int_equal(b.sent.xid, xid);
		assert_int_equal(b.sent.secs, (b.now - START) / 1000);
	}
	assert_int_equal(b.counters.retransmits, COUNT(seconds));
}

static void not_all_clients_repeat_at_the_same_time(void **state)
{
	msec low = MSEC_NEVER, high = 0;

	for (uint64_t seed = 1; seed < 200; seed++) {
		struct bench b;
		msec at;

		setup(&b);
		rng_init_seed(&b.rng, seed);
		open_client(&b);
		at = dhcp4_client_deadline(&b.client) - START;
		low = at < low ? at : low;
		high = at > high ? at : high;
	}
	assert_true(low >= 1000 && low < 1100);
	assert_true(high > 2900 && high <= 3000);
}

/* Nothing hangs on subnets, and a concentrator that has none should be left in peace. */
static void discover_for_subnets_slows_down_to_an_hour(void **state)
{
	struct bench b;

	setup(&b);
	open_router(&b);
	for (int i = 0; i < 12; i++)
		step_until_sent(&b);
	for (int i = 0; i < 5; i++) {
		msec before = b.now;

		step_until_sent(&b);
		assert_true(b.now - before >= 3599000 && b.now - before <= 3601000);
	}
}

static void a_request_that_is_not_answered_starts_again(void **state)
{
	struct bench b;
	msec before;

	setup(&b);
	open_client(&b);
	reply(&b, DHCP4_OFFER);
	before = b.now;
	for (int i = 0; i < 4; i++) {
		step_until_sent(&b);
		assert_int_equal(b.sent.type, DHCP4_REQUEST);
	}
	step_until_sent(&b);
	assert_int_equal(b.sent.type, DHCP4_DISCOVER);
	assert_addr(&b.sent.requested, &address);
	assert_true(b.now - before > 55000 && b.now - before < 75000);
	assert_string_equal(b.note, "the server does not answer requests");
}

/* Section 4.4.5: half of what is left, at least a minute. */
static void renewals_are_repeated_after_half_of_the_rest(void **state)
{
	struct bench b;
	msec end, before;

	setup(&b);
	bind_address(&b);
	end = b.now + 3600000;
	step_until_sent(&b);
	before = b.now;
	step_until_sent(&b);
	assert_int_equal(b.now - before, (end - 450000 - before) / 2);
	while (strcmp(dhcp4_client_state(&b.client), "rebinding") != 0)
		step_until_sent(&b);
	assert_int_equal(b.now, end - 450000);
	step_until_sent(&b);
	assert_int_equal(b.now, end - 225000);
	step_until_sent(&b);
	step_until_sent(&b);
	assert_int_equal(b.now, end - 225000 + 112500 + 60000);
	assert_int_equal(b.losses, 0);
	step(&b);
	assert_int_equal(b.losses, 1);
	assert_int_equal(b.now, end);
	assert_string_equal(b.why, "the lease is over");
	assert_string_equal(dhcp4_client_state(&b.client), "selecting");
}

/* T1 < T2 < lease, or the defaults. */
static void times_of_the_server_are_taken_if_possible(void **state)
{
	static const struct {
		const char *name;
		uint32_t lease, t1, t2, renew, rebind; /* seconds */
		bool noted;
	} cases[] = {
		{"none", 1000, 0, 0, 500, 875, false},
		{"both", 1000, 100, 200, 100, 200, false},
		{"T1 alone", 1000, 800, 0, 800, 875, false},
		{"T2 alone", 1000, 0, 600, 500, 600, false},
		{"T1 is T2", 1000, 300, 300, 500, 875, true},
		{"T1 after T2", 1000, 700, 300, 500, 875, true},
		{"T2 is the lease", 1000, 100, 1000, 500, 875, true},
		{"T2 after the lease", 1000, 100, 2000, 500, 875, true},
		{"T1 after the default T2", 1000, 900, 0, 500, 875, true},
		{"T2 before the default T1", 1000, 0, 400, 500, 875, true},
		{"both infinite", 1000, DHCP4_INFINITE, DHCP4_INFINITE, 500, 875, true},
		{"a lease of nearly for ever", 0xfffffff8, 0, 0, 2147483644, 3758096377u, false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bench b;
		struct dhcp4_message m;
		msec renew = cases[i].renew * 1000ull;

		setup(&b);
		open_client(&b);
		reply(&b, DHCP4_OFFER);
		m = answer(&b, DHCP4_ACK);
		m.lease = cases[i].lease;
		m.t1 = cases[i].t1;
		m.t2 = cases[i].t2;
		b.now += 20; /* all counts from the REQUEST */
		give(&b, &m);
		assert_int_equal(b.bounds, 1);
		assert_int_equal(b.notes, cases[i].noted);
		if (dhcp4_client_deadline(&b.client) > START + renew ||
			dhcp4_client_deadline(&b.client) < START + renew - renew / 10)
			fail_msg("%s: T1 %ju", cases[i].name, (uintmax_t)dhcp4_client_deadline(&b.client));
		b.now = START + cases[i].rebind * 1000ull - 1000;
		dhcp4_client_tick(&b.client, b.now);
		assert_string_equal(dhcp4_client_state(&b.client), "renewing");
		b.now += 1000;
		dhcp4_client_tick(&b.client, b.now);
		if (strcmp(dhcp4_client_state(&b.client), "rebinding") != 0)
			fail_msg("%s: T2", cases[i].name);
		b.now = START + cases[i].lease * 1000ull - 1;
		dhcp4_client_tick(&b.client, b.now);
		assert_int_equal(b.losses, 0);
		b.now++;
		dhcp4_client_tick(&b.client, b.now);
		assert_int_equal(b.losses, 1);
	}
}

static void not_all_clients_renew_at_the_same_time(void **state)
{
	msec first = 0;
	unsigned different = 0;

	for (uint64_t seed = 1; seed < 20; seed++) {
		struct bench b;

		setup(&b);
		rng_init_seed(&b.rng, seed);
		bind_address(&b);
		if (!first)
			first = dhcp4_client_deadline(&b.client);
		different += dhcp4_client_deadline(&b.client) != first;
	}
	assert_true(different > 10);
}

static void the_own_identifier_comes_back(void **state)
{
	struct dhcp4_message m;
	struct bench b;

	setup(&b);
	open_client(&b);
	m = answer(&b, DHCP4_OFFER);
	m.client_id_len = 4;
	memcpy(m.client_id, "\xff\x01\x02\x03", 4);
	give(&b, &m);
	assert_string_equal(dhcp4_client_state(&b.client), "requesting");
}

static void a_nak_starts_again_later_each_time(void **state)
{
	struct bench b;
	msec last = 0;

	setup(&b);
	open_client(&b);
	for (int i = 0; i < 10; i++) {
		struct dhcp4_message m;
		msec before = b.now;

		reply(&b, DHCP4_OFFER);
		m = answer(&b, DHCP4_NAK);
		memcpy(m.text, "not today", 10);
		give(&b, &m);
		assert_string_equal(b.note, "refused by the server: not today");
		step_until_sent(&b);
		assert_int_equal(b.sent.type, DHCP4_DISCOVER);
		assert_true(addr_is_none(&b.sent.requested)); /* that was refused */
		assert_true(b.now - before >= last && b.now - before <= 71000);
		if (i < 6)
			last = b.now - before;
	}
	assert_true(last >= 32000);
	assert_int_equal(b.losses, 0);
	assert_int_equal(b.counters.refused, 10);
}

static void a_nak_to_a_renewal_takes_the_address_away(void **state)
{
	struct bench b;

	setup(&b);
	b.config.want_subnet = true;
	bind_address(&b);
	step_until_sent(&b); /* at once: subnets */
	assert_true(b.sent.subnet_request);
	reply_subnet(&b, DHCP4_OFFER, 0, 24);
	reply_subnet(&b, DHCP4_ACK, 0, 24);
	assert_int_equal(b.binding.subnet_count, 1);
	assert_true(b.binding.has_address);
	while (strcmp(dhcp4_client_state(&b.client), "renewing") != 0)
		step_until_sent(&b);
	if (b.sent.subnet_information) { /* both may come at the same time */
		reply_subnet(&b, DHCP4_ACK, 0, 24);
		step_until_sent(&b);
	}
	reply(&b, DHCP4_NAK);
	assert_int_equal(b.losses, 1);
	assert_string_equal(b.why, "refused by the server");
	assert_string_equal(dhcp4_client_state(&b.client), "selecting");
	step_until_sent(&b);
	assert_int_equal(b.sent.type, DHCP4_DISCOVER);
	assert_true(addr_is_none(&b.sent.requested) && addr_is_none(&b.src));
	assert_false(b.sent.subnet_request);
	reply(&b, DHCP4_OFFER);
	reply(&b, DHCP4_ACK);
	assert_int_equal(b.binding.subnet_count, 0);
	step_until_sent(&b); /* the subnet is asked for again, as what we had */
	assert_true(b.sent.request_information && b.sent.subnet_count == 1);
}

static void an_ack_may_change_the_address(void **state)
{
	struct addr other = addr4(198, 51, 100, 99);
	struct dhcp4_message m;
	struct bench b;

	setup(&b);
	bind_address(&b);
	step_until_sent(&b);
	m = answer(&b, DHCP4_ACK);
	m.yiaddr = other;
	give(&b, &m);
	assert_int_equal(b.bounds, 2);
	assert_int_equal(b.losses, 0);
	assert_addr(&b.binding.address, &other);
	assert_string_equal(b.note, "198.51.100.99: the server has changed our address");
	step_until_sent(&b);
	assert_addr(&b.sent.ciaddr, &other);
	assert_addr(&b.src, &other);
}

/* An ACK that cannot be used is as good as none. */
static void a_bad_renewal_is_no_renewal(void **state)
{
	struct dhcp4_message m;
	struct bench b;

	setup(&b);
	bind_address(&b);
	step_until_sent(&b);
	m = answer(&b, DHCP4_ACK);
	m.lease = 0;
	give(&b, &m);
	m = answer(&b, DHCP4_ACK);
	m.yiaddr = none;
	give(&b, &m);
	assert_int_equal(b.counters.refused, 2);
	assert_string_equal(dhcp4_client_state(&b.client), "renewing");
	assert_int_equal(b.bounds, 1);
}

static void what_the_ack_says_reaches_the_owner(void **state)
{
	struct addr router = addr4(198, 51, 100, 2), dns = addr4(192, 0, 2, 53);
	struct dhcp4_message m;
	struct bench b;

	setup(&b);
	open_client(&b);
	reply(&b, DHCP4_OFFER);
	m = answer(&b, DHCP4_ACK);
	m.router = router;
	m.mask_len = 24;
	m.mtu = 1380;
	m.dns_count = 1;
	m.dns[0] = dns;
	b.now += 500;
	give(&b, &m);
	assert_true(b.binding.has_address);
	assert_addr(&b.binding.address, &address);
	assert_addr(&b.binding.server, &server);
	assert_addr(&b.binding.router, &router);
	assert_int_equal(b.binding.mask_len, 24);
	assert_int_equal(b.binding.mtu, 1380);
	assert_int_equal(b.binding.dns_count, 1);
	assert_addr(&b.binding.dns[0], &dns);
	assert_int_equal(b.binding.lease, 3599);

	setup(&b);
	open_client(&b);
	reply(&b, DHCP4_OFFER);
	m = answer(&b, DHCP4_ACK);
	m.router = addr4(224, 0, 0, 2);
	give(&b, &m);
	assert_true(addr_is_none(&b.binding.router));
	assert_int_equal(b.binding.mask_len, 32);
}

/* RFC 2131 section 4.3.5: whatever an ACK to INFORM says of leases, there are none. */
static void inform_gets_parameters_only(void **state)
{
	struct dhcp4_message m;
	struct bench b;

	setup(&b);
	dhcp4_client_open(&b.client, &b.config, &address, NULL, b.now);
	assert_sent(&b, golden_inform);
	assert_addr(&b.src, &address);
	m = answer(&b, DHCP4_ACK);
	m.dns_count = 1;
	m.dns[0] = addr4(192, 0, 2, 53);
	give(&b, &m);
	assert_string_equal(dhcp4_client_state(&b.client), "informed");
	assert_false(b.binding.has_address);
	assert_int_equal(b.binding.dns_count, 1);
	assert_int_equal(b.binding.lease, DHCP4_INFINITE);
	assert_int_equal(dhcp4_client_deadline(&b.client), MSEC_NEVER);
}

static void the_first_lease_that_ends_is_told(void **state)
{
	struct dhcp4_message m;
	struct bench b;

	setup(&b);
	b.config.want_subnet = true;
	bind_address(&b);
	step_until_sent(&b);
	reply_subnet(&b, DHCP4_OFFER, 0, 24);
	m = answer(&b, DHCP4_ACK);
	add_subnet(&m, 0, 24);
	m.lease = 600;
	give(&b, &m);
	assert_int_equal(b.binding.lease, 600);
	/* The subnet ends by itself; the address stays, and the owner learns both. */
	b.now += 600000;
	b.bounds = 0;
	dhcp4_client_tick(&b.client, b.now);
	assert_int_equal(b.bounds, 1);
	assert_int_equal(b.losses, 0);
	assert_true(b.binding.has_address);
	assert_int_equal(b.binding.subnet_count, 0);
	assert_int_equal(b.binding.lease, 3000);
	assert_string_equal(b.note, "the lease is over");
}

/* RFC 6656 section 5.2. */
static void deprecated_subnets_are_given_up_and_released(void **state)
{
	struct dhcp4_message m;
	struct bench b;

	setup(&b);
	open_router(&b);
	m = answer(&b, DHCP4_OFFER);
	add_subnet(&m, 0, 24);
	add_subnet(&m, 1, 24);
	give(&b, &m);
	m = answer(&b, DHCP4_ACK);
	add_subnet(&m, 0, 24);
	add_subnet(&m, 1, 24);
	give(&b, &m);
	assert_int_equal(b.binding.subnet_count, 2);
	step_until_sent(&b);
	assert_int_equal(b.sent.subnet_count, 2);
	m = answer(&b, DHCP4_ACK);
	add_subnet(&m, 0, 24);
	add_subnet(&m, 1, 24);
	m.subnets[0].deprecated = true;
	give(&b, &m);
	assert_int_equal(b.binding.subnet_count, 1);
	assert_int_equal(b.binding.subnets[0].prefix.addr.bytes[2], 1);
	assert_int_equal(dhcp4_client_deadline(&b.client), b.now);
	step_until_sent(&b);
	assert_sent(&b, golden_subnet_release);
	assert_addr(&b.dst, &server);
	/* The rest is withdrawn, too. */
	step_until_sent(&b);
	assert_int_equal(b.sent.type, DHCP4_REQUEST);
	assert_int_equal(b.sent.subnet_count, 1);
	m = answer(&b, DHCP4_ACK);
	add_subnet(&m, 1, 24);
	m.subnets[0].deprecated = true;
	give(&b, &m);
	assert_int_equal(b.losses, 1);
	assert_string_equal(b.why, "the server has withdrawn the subnets");
	step_until_sent(&b);
	assert_int_equal(b.sent.type, DHCP4_RELEASE);
	assert_false(b.sent.subnets[0].deprecated);
	step_until_sent(&b);
	assert_int_equal(b.sent.type, DHCP4_DISCOVER);
	assert_true(!b.sent.request_information && !b.sent.subnet_information);
}

static void a_subnet_that_is_not_renewed_is_gone(void **state)
{
	struct dhcp4_message m;
	struct bench b;

	setup(&b);
	bind_subnet(&b);
	step_until_sent(&b);
	m = answer(&b, DHCP4_ACK);
	give(&b, &m); /* of the address, as a server that has forgotten the option */
	assert_int_equal(b.losses, 1);
	assert_string_equal(b.why, "the server has withdrawn the subnets");
}

/* An ACK without a lease is none; one without subnets says that they are not to be had. */
static void an_ack_of_nothing_is_no_gain(void **state)
{
	struct dhcp4_message m;
	struct bench b;

	setup(&b);
	bind_subnet(&b);
	step_until_sent(&b);
	m = answer(&b, DHCP4_ACK);
	add_subnet(&m, 0, 24);
	m.lease = 0;
	give(&b, &m);
	assert_int_equal(b.losses, 0);
	assert_int_equal(b.counters.refused, 1);
	assert_string_equal(dhcp4_client_state(&b.client), "renewing");

	setup(&b);
	open_router(&b);
	reply_subnet(&b, DHCP4_OFFER, 0, 24);
	reply(&b, DHCP4_ACK);
	assert_int_equal(b.bounds + b.losses, 0);
	assert_int_equal(b.counters.refused, 1);
	assert_string_equal(dhcp4_client_state(&b.client), "selecting");
	step_until_sent(&b);
	assert_false(b.sent.subnet_information);
}

/* And what came with them. */
static void a_nak_takes_subnets_away(void **state)
{
	struct dhcp4_message m;
	struct bench b;

	setup(&b);
	bind_subnet(&b);
	step_until_sent(&b);
	m = answer(&b, DHCP4_ACK);
	add_subnet(&m, 0, 24);
	m.mtu = 1300;
	give(&b, &m);
	assert_int_equal(b.binding.mtu, 1300);
	step_until_sent(&b);
	reply(&b, DHCP4_NAK);
	assert_int_equal(b.losses, 1);
	step_until_sent(&b);
	assert_true(b.sent.subnet_request && !b.sent.request_information && !b.sent.subnet_information);
	reply(&b, DHCP4_OFFER);
	assert_int_equal(b.sent.type, DHCP4_INFORM);
	reply(&b, DHCP4_ACK);
	assert_int_equal(b.binding.subnet_count, 0);
	assert_int_equal(b.binding.mtu, 0);
}

static void more_subnets_are_noted(void **state)
{
	struct dhcp4_message m;
	struct bench b;

	setup(&b);
	open_router(&b);
	m = answer(&b, DHCP4_OFFER);
	add_subnet(&m, 0, 24);
	m.information_s = true;
	give(&b, &m);
	assert_string_equal(b.note, "the server has more subnets");
	assert_int_equal(b.sent.type, DHCP4_REQUEST);
	assert_false(b.sent.information_s);
}

static void rapid_commit_is_taken_where_it_was_asked_for(void **state)
{
	struct dhcp4_message m;
	struct bench b;

	setup(&b);
	b.config.rapid_commit = true;
	open_client(&b);
	assert_true(b.sent.rapid_commit);
	reply(&b, DHCP4_ACK); /* without the option: RFC 4039 section 3.1 has it dropped */
	assert_int_equal(b.counters.unexpected, 1);
	m = answer(&b, DHCP4_ACK);
	m.rapid_commit = true;
	give(&b, &m);
	assert_int_equal(b.bounds, 1);
	assert_string_equal(dhcp4_client_state(&b.client), "bound");

	setup(&b);
	b.config.rapid_commit = true;
	open_router(&b);
	m = answer(&b, DHCP4_ACK);
	m.rapid_commit = true;
	add_subnet(&m, 0, 24);
	give(&b, &m);
	assert_int_equal(b.binding.subnet_count, 1);

	setup(&b);
	b.config.rapid_commit = true;
	open_router(&b);
	m = answer(&b, DHCP4_ACK);
	m.rapid_commit = true;
	give(&b, &m); /* it knows Rapid Commit, but no subnets */
	assert_int_equal(b.bounds, 0);
	assert_string_equal(b.note, "the server offers no subnet");
	assert_int_equal(b.sent.type, DHCP4_INFORM);
}

static void reopen(struct bench *b)
{
	b->from_bound = b->from_lost = NULL;
	dhcp4_client_open(&b->client, &b->config, &none, &b->client.binding, b->now);
}

static void release(struct bench *b)
{
	b->from_bound = b->from_lost = NULL;
	dhcp4_client_release(&b->client, b->now);
}

static void ops_may_call_everything(void **state)
{
	struct bench b;

	setup(&b);
	b.config.want_subnet = true;
	open_client(&b);
	reply(&b, DHCP4_OFFER);
	b.from_bound = reopen;
	reply(&b, DHCP4_ACK);
	assert_string_equal(dhcp4_client_state(&b.client), "selecting");
	assert_addr(&b.sent.requested, &address);

	setup(&b);
	open_client(&b);
	reply(&b, DHCP4_OFFER);
	b.from_bound = release;
	reply(&b, DHCP4_ACK);
	assert_string_equal(dhcp4_client_state(&b.client), "stopped");
	assert_int_equal(b.sent.type, DHCP4_RELEASE);

	setup(&b);
	bind_address(&b);
	step_until_sent(&b);
	b.from_lost = release;
	reply(&b, DHCP4_NAK);
	assert_string_equal(dhcp4_client_state(&b.client), "stopped");
	assert_int_equal(b.sent.type, DHCP4_REQUEST); /* nothing is held any more */
	assert_int_equal(dhcp4_client_deadline(&b.client), MSEC_NEVER);
}

static void nothing_held_is_released_in_silence(void **state)
{
	struct bench b;

	setup(&b);
	open_client(&b);
	dhcp4_client_release(&b.client, b.now);
	assert_int_equal(b.sends, 1);
	setup(&b);
	open_client(&b);
	reply(&b, DHCP4_OFFER);
	dhcp4_client_release(&b.client, b.now);
	assert_int_equal(b.sends, 2);
	dhcp4_client_release(&b.client, b.now);
	assert_int_equal(b.sends, 2);
	dhcp4_client_tick(&b.client, b.now + 100000000);
	assert_int_equal(b.sends, 2);
	assert_string_equal(dhcp4_client_state(&b.client), "stopped");
}

static void notes_are_optional(void **state)
{
	struct dhcp4_client_ops silent;
	struct bench b;

	setup(&b);
	silent = *b.config.ops;
	silent.note = NULL;
	b.config.ops = &silent;
	open_client(&b);
	dhcp4_client_input(&b.client, b.raw, 10, b.now);
	reply(&b, DHCP4_OFFER);
	reply(&b, DHCP4_NAK);
	assert_int_equal(b.notes, 0);
}

static void a_lease_goes_on_while_the_machine_sleeps(void **state)
{
	struct bench b;

	setup(&b);
	dhcp4_client_open(&b.client, &b.config, &(struct addr){0}, NULL, b.now);
	b.bounds = 0;
	dhcp4_client_slept(&b.client, 1000, b.now); /* nothing is held */
	assert_int_equal(b.bounds, 0);
	setup(&b);
	bind_address(&b);
	b.bounds = 0;
	dhcp4_client_slept(&b.client, 600000, b.now);
	assert_int_equal(b.bounds, 1);
	assert_in_range(b.binding.lease, 2990, 3000);
	dhcp4_client_slept(&b.client, 1500000, b.now); /* T1 has gone by */
	dhcp4_client_tick(&b.client, b.now);
	assert_string_equal(dhcp4_client_state(&b.client), "renewing");
	assert_int_equal(b.losses, 0);
	dhcp4_client_slept(&b.client, 3600000, b.now);
	dhcp4_client_tick(&b.client, b.now);
	assert_int_equal(b.losses, 1);
	assert_string_equal(b.why, "the lease is over");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_for_an_address_are_what_rfc2131_has),
		cmocka_unit_test(messages_for_subnets_are_what_the_draft_has),
		cmocka_unit_test(the_longest_acceptable_length_is_asked_for),
		cmocka_unit_test(a_query_in_vain_becomes_a_request),
		cmocka_unit_test(what_was_only_offered_is_not_queried),
		cmocka_unit_test(a_query_is_never_committed_at_once),
		cmocka_unit_test(discover_is_repeated_after_2_4_8_to_64_seconds),
		cmocka_unit_test(not_all_clients_repeat_at_the_same_time),
		cmocka_unit_test(discover_for_subnets_slows_down_to_an_hour),
		cmocka_unit_test(a_request_that_is_not_answered_starts_again),
		cmocka_unit_test(renewals_are_repeated_after_half_of_the_rest),
		cmocka_unit_test(times_of_the_server_are_taken_if_possible),
		cmocka_unit_test(not_all_clients_renew_at_the_same_time),
		cmocka_unit_test(the_own_identifier_comes_back),
		cmocka_unit_test(a_nak_starts_again_later_each_time),
		cmocka_unit_test(a_nak_to_a_renewal_takes_the_address_away),
		cmocka_unit_test(an_ack_may_change_the_address),
		cmocka_unit_test(a_bad_renewal_is_no_renewal),
		cmocka_unit_test(what_the_ack_says_reaches_the_owner),
		cmocka_unit_test(inform_gets_parameters_only),
		cmocka_unit_test(the_first_lease_that_ends_is_told),
		cmocka_unit_test(deprecated_subnets_are_given_up_and_released),
		cmocka_unit_test(a_subnet_that_is_not_renewed_is_gone),
		cmocka_unit_test(an_ack_of_nothing_is_no_gain),
		cmocka_unit_test(a_nak_takes_subnets_away),
		cmocka_unit_test(more_subnets_are_noted),
		cmocka_unit_test(rapid_commit_is_taken_where_it_was_asked_for),
		cmocka_unit_test(ops_may_call_everything),
		cmocka_unit_test(nothing_held_is_released_in_silence),
		cmocka_unit_test(notes_are_optional),
		cmocka_unit_test(a_lease_goes_on_while_the_machine_sleeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
