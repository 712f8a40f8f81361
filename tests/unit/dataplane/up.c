/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dataplane/up: what comes out of a softwire reaches the device, the role, or a counter, and nothing else. */
#include "fixture.h"

#include <stdlib.h>
#include <unistd.h>

#define US            "2001:db8:1::5" /* within the softwire's prefix */
#define WORLD         "2001:db8:ffff::9"
#define US4           "192.0.2.8"
#define WORLD4        "203.0.113.9"
#define COUNTER(name) offsetof(struct dp_counters, name)

static uint64_t counter(const struct fixture *f, size_t offset)
{
	uint64_t v;

	memcpy(&v, (const char *)f->counters + offset, sizeof(v));
	return v;
}

/* Over IPv4 and over IPv6 transport each: the four encapsulations. */
/* proves: HS-L2TP-8, HS-L2TP-9, HS-L2TP-10, HS-L2TP-11, PS-29 partial */
static void forwards_both_families_unchanged(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[1500], out[2048], body[1000];
	size_t len;

	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 7);
	len = packet_build(packet, US, WORLD, 17, body, sizeof(body));
	peer_sends_inner(f, 0x0057, packet, len);
	assert_int_equal(device_gets(f, out, sizeof(out)), len);
	assert_memory_equal(out, packet, len);
	assert_int_equal(f->row->v6.rx_packets, 1);
	assert_int_equal(f->row->v6.rx_bytes, len);
	assert_int_equal(f->row->v4.rx_packets, 0);

	len = packet_build(packet, US4, WORLD4, 17, body, 99);
	peer_sends_inner(f, 0x0021, packet, len);
	assert_int_equal(device_gets(f, out, sizeof(out)), len);
	assert_memory_equal(out, packet, len);
	assert_int_equal(f->row->v4.rx_packets, 1);
	assert_int_equal(f->row->v4.rx_bytes, len);
	assert_int_equal(f->counters->rx_packets, 2);
	assert_int_equal(f->input.count + f->stray.count, 0);
}

/* Every form of header in front of the same inner packet: RFC 2661 section 3.1, RFC 1661 section 6.5 and 6.6. */
static void forwards_behind_every_header(void **state)
{
	static const struct {
		const char *name;
		uint8_t len;
		uint8_t bytes[24];
	} headers[] = {
		{"plain", 10, {0, 2, 1, 2, 3, 4, 0xff, 3, 0, 0x57}},
		{"no address and control", 8, {0, 2, 1, 2, 3, 4, 0, 0x57}},
		{"one byte of protocol", 7, {0, 2, 1, 2, 3, 4, 0x57}},
		{"sequence", 14, {8, 2, 1, 2, 3, 4, 0, 1, 0, 0, 0xff, 3, 0, 0x57}},
		{"offset", 13, {2, 2, 1, 2, 3, 4, 0, 1, 0xee, 0xff, 3, 0, 0x57}},
		{"length", 12, {0x40, 2, 0, 56, 1, 2, 3, 4, 0xff, 3, 0, 0x57}},
	};
	struct fixture *f = *state;
	uint8_t packet[100], out[200], sent[200];
	size_t len = packet_build(packet, US, WORLD, 59, "data", 4);

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		print_message("%s\n", headers[i].name);
		memcpy(sent, headers[i].bytes, headers[i].len);
		memcpy(sent + headers[i].len, packet, len);
		peer_sends(f, sent, headers[i].len + len);
		assert_int_equal(device_gets(f, out, sizeof(out)), len);
		assert_memory_equal(out, packet, len);
	}
}

static void drops_padding_behind_the_inner_packet(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[200] = {0}, out[200];
	size_t len = packet_build(packet, US, WORLD, 59, "data", 4);

	peer_sends_inner(f, 0x0057, packet, len + 30);
	assert_int_equal(device_gets(f, out, sizeof(out)), len);
	len = packet_build(packet, US4, WORLD4, 17, "data", 4);
	peer_sends_inner(f, 0x0021, packet, len + 30);
	assert_int_equal(device_gets(f, out, sizeof(out)), len);
}

static void counts_every_drop_by_reason(void **state)
{
	static const struct {
		const char *name;
		size_t counter;
		unsigned stray;
		uint8_t len;
		uint8_t bytes[60];
	} cases[] = {
		{"empty datagram", COUNTER(drop_short), 0, 0, {0}},
		{"truncated header", COUNTER(drop_short), 0, 5, {0, 2, 1, 2, 3}},
		{"length beyond the datagram", COUNTER(drop_short), 0, 10,
			{0x40, 2, 0, 99, 1, 2, 3, 4, 0, 0x57}},
		{"version 3", COUNTER(drop_header), 0, 10, {0, 3, 1, 2, 3, 4, 0xff, 3, 0, 0x57}},
		{"length shorter than the header", COUNTER(drop_header), 0, 10,
			{0x40, 2, 0, 6, 1, 2, 3, 4, 0, 0x57}},
		{"unknown tunnel", COUNTER(drop_no_session), 1, 10, {0, 2, 9, 9, 3, 4, 0xff, 3, 0, 0x57}},
		{"tunnel zero", COUNTER(drop_no_session), 1, 10, {0, 2, 0, 0, 0, 0, 0xff, 3, 0, 0x57}},
		{"unknown session", COUNTER(drop_no_session), 1, 10, {0, 2, 1, 2, 9, 9, 0xff, 3, 0, 0x57}},
		{"no inner packet", COUNTER(drop_bad_inner), 0, 10, {0, 2, 1, 2, 3, 4, 0xff, 3, 0, 0x57}},
		{"short IPv6", COUNTER(drop_bad_inner), 0, 20, {0, 2, 1, 2, 3, 4, 0xff, 3, 0, 0x57, 0x60}},
		{"IPv4 as IPv6", COUNTER(drop_bad_inner), 0, 52,
			{0, 2, 1, 2, 3, 4, 0xff, 3, 0, 0x57, 0x45, 0, 0, 42}},
		{"IPv6 longer than its packet", COUNTER(drop_bad_inner), 0, 50,
			{0, 2, 1, 2, 3, 4, 0xff, 3, 0, 0x57, 0x60, 0, 0, 0, 0, 1}},
		{"short IPv4", COUNTER(drop_bad_inner), 0, 29,
			{0, 2, 1, 2, 3, 4, 0xff, 3, 0, 0x21, 0x45, 0, 0, 20}},
		{"IPv6 as IPv4", COUNTER(drop_bad_inner), 0, 50,
			{0, 2, 1, 2, 3, 4, 0xff, 3, 0, 0x21, 0x60, 0, 0, 20}},
		{"IPv4 header of 16 bytes", COUNTER(drop_bad_inner), 0, 40,
			{0, 2, 1, 2, 3, 4, 0xff, 3, 0, 0x21, 0x44, 0, 0, 30}},
		{"IPv4 shorter than its header", COUNTER(drop_bad_inner), 0, 40,
			{0, 2, 1, 2, 3, 4, 0xff, 3, 0, 0x21, 0x46, 0, 0, 20}},
		{"IPv4 longer than its packet", COUNTER(drop_bad_inner), 0, 30,
			{0, 2, 1, 2, 3, 4, 0xff, 3, 0, 0x21, 0x45, 0, 0, 21}},
	};
	struct fixture *f = *state;
	uint8_t out[100];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dp_counters before = *f->counters;
		uint64_t was = counter(f, cases[i].counter);

		print_message("%s\n", cases[i].name);
		f->stray.count = 0;
		peer_sends(f, cases[i].bytes, cases[i].len);
		assert_int_equal(counter(f, cases[i].counter), was + 1);
		assert_int_equal(f->counters->rx_packets, before.rx_packets + 1);
		assert_int_equal(f->stray.count, cases[i].stray);
		assert_int_equal(f->input.count, 0);
		assert_int_equal(device_gets(f, out, sizeof(out)), 0);
	}
	assert_int_equal(f->row->drop_other, 9);
}

static void counts_packets_that_no_device_takes(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[100];
	size_t len = packet_build(packet, US, WORLD, 59, NULL, 0);

	close(f->device);
	f->device = dup(f->peer);
	peer_sends_inner(f, 0x0057, packet, len);
	peer_sends_inner(f, 0x0057, packet, len);
	assert_int_equal(f->counters->drop_device, 2);
}

/* proves: SEC-HS-20 */
static void drops_sources_that_the_softwire_was_not_given(void **state)
{
	static const struct {
		const char *src, *dst;
		uint16_t protocol;
	} spoofed[] = {
		{"2001:db8:1:1::5", WORLD, 0x0057}, /* the neighbour's */
		{WORLD, US, 0x0057},                /* the world's, to the softwire itself */
		{"2001:db8::1", WORLD, 0x0057},     /* the concentrator's own */
		{"::1", WORLD, 0x0057},
		{"::ffff:192.0.2.8", WORLD, 0x0057},
		{"192.0.2.9", WORLD4, 0x0021},
		{"127.0.0.1", WORLD4, 0x0021},
	};
	struct fixture *f = *state;
	uint8_t packet[100], out[100];
	size_t count = sizeof(spoofed) / sizeof(spoofed[0]);

	tun_plane_set_sources(f->plane, NULL, NULL);
	for (size_t i = 0; i < count; i++) {
		size_t len = packet_build(packet, spoofed[i].src, spoofed[i].dst, 17, "12345678", 8);

		peer_sends_inner(f, spoofed[i].protocol, packet, len);
		assert_int_equal(device_gets(f, out, sizeof(out)), 0);
	}
	assert_int_equal(f->counters->drop_spoofed, count);
	assert_int_equal(f->row->drop_spoofed, count);
	assert_int_equal(f->input.count, 0);
	assert_int_equal(f->row->v6.rx_packets + f->row->v4.rx_packets, 0);
}

/* proves: SEC-HS-20 */
static void tells_a_spoofer_about_the_policy(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[100], out[1500];
	struct addr us = address("2001:db8::1"), them = address("2001:db8:1:1::5");
	size_t len = packet_build(packet, "2001:db8:1:1::5", WORLD, 17, "12345678", 8), n;

	peer_sends_inner(f, 0x0057, packet, len);
	n = peer_gets(f, out, sizeof(out));
	assert_int_equal(n, 10 + 40 + 8 + len);
	assert_memory_equal(out, "\x00\x02\x11\x12\x13\x14\xff\x03\x00\x57", 10);
	assert_memory_equal(out + 10 + 8, us.bytes, 16);
	assert_memory_equal(out + 10 + 24, them.bytes, 16);
	assert_int_equal(out[10 + 6], 58);
	assert_int_equal(
		out[50], 1); /* RFC 4443 section 3.1: destination unreachable, source address failed policy */
	assert_int_equal(out[51], 5);
	assert_memory_equal(out + 58, packet, len);
	assert_true(packet_checksum_ok(out + 10, n - 10));

	len = packet_build(packet, "192.0.2.9", WORLD4, 17, "12345678", 8);
	peer_sends_inner(f, 0x0021, packet, len);
	n = peer_gets(f, out, sizeof(out));
	assert_int_equal(n, 10 + 20 + 8 + len);
	assert_memory_equal(out + 8, "\x00\x21", 2);
	assert_int_equal(out[30], 3); /* RFC 1812 section 5.2.7.1: administratively prohibited */
	assert_int_equal(out[31], 13);
	assert_memory_equal(out + 38, packet, len);
	assert_true(packet_checksum_ok(out + 10, n - 10));
	assert_int_equal(f->counters->icmp_sent, 2);
}

static void answers_spoofers_at_a_limited_rate(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[100], out[1500];
	size_t len = packet_build(packet, "2001:db8:1:1::5", WORLD, 17, "12345678", 8);
	unsigned answers = 0;

	for (unsigned i = 0; i < 500; i++) {
		peer_sends_inner(f, 0x0057, packet, len);
		if (peer_gets(f, out, sizeof(out)))
			answers++;
	}
	assert_int_equal(f->counters->drop_spoofed, 500);
	assert_int_equal(f->counters->icmp_sent, answers);
	assert_int_equal(f->counters->icmp_suppressed, 500 - answers);
	assert_in_range(answers, 1, 100);
}

/* proves: PS-9 */
static void forwards_on_the_header_directly_inside(void **state)
{
	struct fixture *f = *state;
	uint8_t innermost[100], packet[200], out[200];
	size_t len = packet_build(innermost, WORLD, US, 59, "data", 4);

	/* Ours outside, anything inside: the inside is somebody else's. */
	len = packet_build(packet, US, WORLD, 41, innermost, len);
	peer_sends_inner(f, 0x0057, packet, len);
	assert_int_equal(device_gets(f, out, sizeof(out)), len);
	assert_memory_equal(out, packet, len);
	/* IPv4 inside IPv6 the same. */
	len = packet_build(innermost, "10.0.0.1", "10.0.0.2", 17, "12345678", 8);
	len = packet_build(packet, US, WORLD, 4, innermost, len);
	peer_sends_inner(f, 0x0057, packet, len);
	assert_int_equal(device_gets(f, out, sizeof(out)), len);
	assert_memory_equal(out, packet, len);
	/* A permitted source further inside permits nothing. */
	len = packet_build(innermost, US, WORLD, 59, "data", 4);
	len = packet_build(packet, WORLD, US, 41, innermost, len);
	peer_sends_inner(f, 0x0057, packet, len);
	assert_int_equal(device_gets(f, out, sizeof(out)), 0);
	assert_int_equal(f->counters->drop_spoofed, 1);
}

static void initiator_takes_any_source(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[100], out[100];
	size_t len = packet_build(packet, WORLD, US, 17, "12345678", 8);

	f->row->any_source = true;
	peer_sends_inner(f, 0x0057, packet, len);
	assert_int_equal(device_gets(f, out, sizeof(out)), len);
	assert_int_equal(f->counters->drop_spoofed, 0);

	/* but not our own address */
	peer_sends_inner(f, 0x0057, packet, packet_build(packet, "2001:db8::1", US, 17, "12345678", 8));
	peer_sends_inner(f, 0x0021, packet, packet_build(packet, "198.51.100.1", US4, 17, "12345678", 8));
	assert_int_equal(device_gets(f, out, sizeof(out)), 0);
	assert_int_equal(f->counters->drop_spoofed, 2);
}

static void gives_link_local_and_multicast_to_the_engine(void **state)
{
	static const struct {
		const char *src, *dst;
		uint16_t protocol;
	} cases[] = {
		{"fe80::1", "ff02::2", 0x0057},   /* Router Solicitation */
		{"::", "ff02::1:ff00:1", 0x0057}, /* duplicate address detection */
		{"fe80::1", "ff02::1:2", 0x0057}, /* DHCPv6 */
		{"fe80::1", "fe80::2", 0x0057},
		{US, "fe80::2", 0x0057},
		{"fe80::1", WORLD, 0x0057}, /* never forwarded: RFC 4291 section 2.5.6 */
		{US, "ff0e::1", 0x0057},
		{"::", WORLD, 0x0057},
		{"0.0.0.0", "255.255.255.255", 0x0021},
		{US4, "224.0.0.1", 0x0021},
		{"169.254.0.1", WORLD4, 0x0021},
	};
	struct fixture *f = *state;
	uint8_t packet[100], out[100];

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = packet_build(packet, cases[i].src, cases[i].dst, 17, "12345678", 8);

		peer_sends_inner(f, cases[i].protocol, packet, len);
		assert_int_equal(f->input.count, i + 1);
		assert_ptr_equal(f->input.row, f->row);
		assert_int_equal(f->input.len, len + 10);
		assert_memory_equal(f->input.payload + 10, packet, len);
		assert_int_equal(device_gets(f, out, sizeof(out)), 0);
	}
	assert_int_equal(f->counters->drop_spoofed, 0);
}

/* Between the ends of the softwire only: relays and clients behind a router may talk DHCP to servers elsewhere. */
static void gives_dhcp_to_our_end_to_the_engine(void **state)
{
	static const struct {
		const char *name, *dst;
		uint8_t protocol, word[2], udp[4];
		bool up;
	} cases[] = {
		{"renewal to us", "198.51.100.1", 17, {0, 0}, {0, 68, 0, 67}, true},
		{"answer to us", "198.51.100.1", 17, {0x40, 0}, {0, 67, 0, 68}, true},
		{"a relay", "198.51.100.1", 17, {0, 0}, {0, 67, 0, 67}, false},
		{"another port", "198.51.100.1", 17, {0, 0}, {0, 68, 0, 53}, false},
		{"another server", WORLD4, 17, {0, 0}, {0, 68, 0, 67}, false},
		{"a fragment", "198.51.100.1", 17, {0x20, 0}, {0, 68, 0, 67}, false},
		{"a later fragment", "198.51.100.1", 17, {0, 9}, {0, 68, 0, 67}, false},
		{"TCP", "198.51.100.1", 6, {0, 0}, {0, 68, 0, 67}, false},
	};
	struct fixture *f = *state;
	uint8_t packet[100], out[100];
	unsigned up = 0;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = packet_build(
			packet, US4, cases[i].dst, cases[i].protocol, "\0\0\0\0\0\x0c\0\0data", 12);

		memcpy(packet + 6, cases[i].word, 2);
		memcpy(packet + 20, cases[i].udp, 4);
		peer_sends_inner(f, 0x0021, packet, len);
		up += cases[i].up;
		if (f->input.count != up || (device_gets(f, out, sizeof(out)) != 0) == cases[i].up)
			fail_msg("%s", cases[i].name);
	}
	packet_build(packet, US4, "198.51.100.1", 17, "\0\x44\0", 3); /* too short for ports */
	peer_sends_inner(f, 0x0021, packet, 23);
	assert_int_equal(f->input.count, up);
}

static void gives_what_is_not_payload_to_the_engine(void **state)
{
	static const uint16_t protocols[] = {0xc021, 0xc223, 0x8057, 0x8021, 0x002b, 0xc025};
	struct fixture *f = *state;
	uint8_t packet[100], out[100];
	size_t len = packet_build(packet, US, WORLD, 59, "data", 4);

	for (unsigned i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		peer_sends_inner(f, protocols[i], packet, len);
		assert_int_equal(f->input.count, i + 1);
	}
	f->input.count = 0;
	f->row->up6 = f->row->up4 = false; /* and payload of a family whose NCP is not open */
	peer_sends_inner(f, 0x0057, packet, len);
	len = packet_build(packet, US4, WORLD4, 17, "12345678", 8);
	peer_sends_inner(f, 0x0021, packet, len);
	assert_int_equal(f->input.count, 2);
	assert_int_equal(device_gets(f, out, sizeof(out)), 0);
}

static void gives_control_messages_to_the_engine(void **state)
{
	static const uint8_t hello[] = {0xc8, 2, 0, 12, 1, 2, 0, 0, 0, 1, 0, 1};
	struct fixture *f = *state;

	peer_sends(f, hello, sizeof(hello)); /* session id 0 is right in a control message of the tunnel */
	assert_int_equal(f->input.count, 1);
	assert_ptr_equal(f->input.row, f->row);
	assert_int_equal(f->input.len, sizeof(hello));
	assert_memory_equal(f->input.payload, hello, sizeof(hello));
	assert_int_equal(f->stray.count, 0);
}

static void gives_control_messages_of_no_row_as_strays(void **state)
{
	static const uint8_t sccrq[] = {0xc8, 2, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0};
	static const uint8_t unknown[] = {0xc8, 2, 0, 12, 9, 9, 0, 0, 0, 0, 0, 0};
	struct fixture *f = *state;

	peer_sends(f, sccrq, sizeof(sccrq));
	assert_int_equal(f->stray.count, 1);
	assert_null(f->stray.row);
	assert_true(endpoint_equal(&f->stray.from, &f->peer_at));
	assert_int_equal(f->stray.listener, f->listener);
	assert_true(addr_is_none(&f->stray.local));
	assert_memory_equal(f->stray.payload, sccrq, sizeof(sccrq));
	peer_sends(f, unknown, sizeof(unknown));
	assert_int_equal(f->stray.count, 2);
	assert_int_equal(f->input.count, 0);
	assert_int_equal(f->counters->drop_no_session, 0); /* nothing was dropped here */
}

static void takes_nothing_from_another_address_or_port(void **state)
{
	static const uint8_t hello[] = {0xc8, 2, 0, 12, 1, 2, 0, 0, 0, 1, 0, 1};
	static const char *const others[] = {"127.0.0.1", "127.0.0.2"};
	struct fixture *f = *state;
	struct endpoint right = f->peer_at, port = right, host = right;
	uint8_t packet[100], out[100];
	size_t len = packet_build(packet, US, WORLD, 59, "data", 4);

	port.port ^= 1;
	host.addr = address(others[1]);
	for (unsigned i = 0; i < 2; i++) {
		f->row->peer = i ? host : port;
		f->row->last_rx = 0;
		peer_sends_inner(f, 0x0057, packet, len);
		peer_sends(f, hello, sizeof(hello));
		assert_int_equal(f->stray.count, 2 * (i + 1));
		assert_ptr_equal(f->stray.row, f->row);
		assert_true(endpoint_equal(&f->stray.from, &right));
		assert_int_equal(f->counters->drop_wrong_peer, 2 * (i + 1));
		assert_int_equal(f->row->last_rx, 0);
		assert_int_equal(device_gets(f, out, sizeof(out)), 0);
	}
	assert_int_equal(f->input.count, 0);
}

static void remembers_when_the_peer_was_heard(void **state)
{
	static const uint8_t hello[] = {0xc8, 2, 0, 12, 1, 2, 0, 0, 0, 1, 0, 1};
	struct fixture *f = *state;
	uint8_t packet[100];
	size_t len = packet_build(packet, US, WORLD, 59, "data", 4);

	assert_true(loop_now(&f->loop) > 0);
	peer_sends(f, hello, sizeof(hello));
	assert_int_equal(f->row->last_rx, loop_now(&f->loop));
	f->row->last_rx = 0;
	peer_sends_inner(f, 0x0057, packet, len);
	assert_int_equal(f->row->last_rx, loop_now(&f->loop));
}

static void clamps_the_mss_of_syns(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[100], out[100];
	size_t len = packet_syn(packet, US, WORLD, 1440);

	assert_true(packet_checksum_ok(packet, len));
	peer_sends_inner(f, 0x0057, packet, len); /* not asked for */
	assert_int_equal(device_gets(f, out, sizeof(out)), len);
	assert_memory_equal(out, packet, len);
	f->row->mss_mtu = 1280;
	peer_sends_inner(f, 0x0057, packet, len);
	assert_int_equal(device_gets(f, out, sizeof(out)), len);
	assert_int_equal(packet_syn_mss(out), 1280 - 60);
	assert_true(packet_checksum_ok(out, len));
	len = packet_syn(packet, US4, WORLD4, 1440);
	peer_sends_inner(f, 0x0021, packet, len);
	assert_int_equal(device_gets(f, out, sizeof(out)), len);
	assert_int_equal(packet_syn_mss(out), 1280 - 40);
	assert_true(packet_checksum_ok(out, len));
	assert_int_equal(f->counters->mss_clamped, 2);
}

static void takes_bursts_larger_than_a_batch(void **state)
{
	enum { BURST = 3 * DP_BATCH + 5 };
	struct fixture *f = *state;
	struct sockaddr_storage ss;
	socklen_t ss_len = endpoint_to_sockaddr(&f->listen, &ss);
	uint8_t packet[100], out[100];
	size_t len;

	data_header(packet, LOCAL_TUNNEL, LOCAL_SESSION, 0x0057);
	for (uint8_t i = 0; i < BURST; i++) {
		len = 10 + packet_build(packet + 10, US, WORLD, 59, &i, 1);
		assert_int_equal(
			sendto(f->peer, packet, len, 0, (struct sockaddr *)&ss, ss_len), (ssize_t)len);
	}
	tun_plane_flush(f->plane);
	for (uint8_t i = 0; i < BURST; i++) {
		assert_int_equal(device_gets(f, out, sizeof(out)), 41);
		assert_int_equal(out[40], i);
	}
	assert_int_equal(f->row->v6.rx_packets, BURST);
}

static void role_may_remove_the_row_in_the_middle(struct fixture *f)
{
	if (f->row)
		dp_row_remove(f->table, f->row);
	f->row = NULL;
}

static void survives_a_row_removed_by_the_role(void **state)
{
	static const uint8_t stop[] = {0xc8, 2, 0, 12, 1, 2, 0, 0, 0, 1, 0, 1};
	struct fixture *f = *state;

	f->on_call = role_may_remove_the_row_in_the_middle;
	peer_sends(f, stop, sizeof(stop));
	peer_sends(f, stop, sizeof(stop));
	assert_int_equal(f->input.count, 1);
	assert_int_equal(f->stray.count, 1);
}

int main(void)
{
#define BOTH(test)                                                                                           \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown),                              \
		cmocka_unit_test_setup_teardown(test, fixture_setup6, fixture_teardown)
#define ONE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		BOTH(forwards_both_families_unchanged),
		ONE(forwards_behind_every_header),
		ONE(drops_padding_behind_the_inner_packet),
		BOTH(counts_every_drop_by_reason),
		ONE(counts_packets_that_no_device_takes),
		ONE(drops_sources_that_the_softwire_was_not_given),
		BOTH(tells_a_spoofer_about_the_policy),
		ONE(answers_spoofers_at_a_limited_rate),
		ONE(forwards_on_the_header_directly_inside),
		ONE(initiator_takes_any_source),
		ONE(gives_link_local_and_multicast_to_the_engine),
		ONE(gives_dhcp_to_our_end_to_the_engine),
		ONE(gives_what_is_not_payload_to_the_engine),
		ONE(gives_control_messages_to_the_engine),
		BOTH(gives_control_messages_of_no_row_as_strays),
		ONE(takes_nothing_from_another_address_or_port),
		ONE(remembers_when_the_peer_was_heard),
		ONE(clamps_the_mss_of_syns),
		BOTH(takes_bursts_larger_than_a_batch),
		ONE(survives_a_row_removed_by_the_role),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
