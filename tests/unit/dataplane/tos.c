/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dataplane/tos, queue and socket: DSCP and ECN on their way between the inner header and the outer one that is really on the wire. */
#include "dataplane/plane.h"
#include "fixture.h"

#include <netinet/in.h>
#include <unistd.h>

#define US     "2001:db8:1::5"
#define WORLD  "2001:db8:ffff::9"
#define US4    "192.0.2.8"
#define WORLD4 "203.0.113.9"

enum { NOT_ECT = 0, ECT1 = 1, ECT0 = 2, CE = 3, DROP = 4 };

/* The peer sees TOS or Traffic Class of what it gets. */
static void peer_watches(struct fixture *f)
{
	bool six = f->peer_at.addr.family == AF_INET6;
	int on = 1;

	assert_int_equal(setsockopt(f->peer, six ? IPPROTO_IPV6 : IPPROTO_IP,
				 six ? IPV6_RECVTCLASS : IP_RECVTOS, &on, sizeof(on)),
		0);
}

static int watching(int (*setup)(void **state), void **state)
{
	int r = setup(state);

	peer_watches(*state);
	return r;
}

static int setup4(void **state)
{
	return watching(fixture_setup, state);
}

static int setup6(void **state)
{
	return watching(fixture_setup6, state);
}

static int setup_any4(void **state)
{
	return watching(fixture_setup_any4, state);
}

static int setup_any6(void **state)
{
	return watching(fixture_setup_any6, state);
}

/* TOS or Traffic Class of the packet that the peer gets next, -1 when there is none; its payload in BUF. */
static int peer_gets_tos(struct fixture *f, uint8_t *buf, size_t size, size_t *ret_len)
{
	_Alignas(struct cmsghdr) uint8_t control[128];
	struct iovec v = {.iov_base = buf, .iov_len = size};
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(f->peer, &m, MSG_DONTWAIT);

	if (n < 0)
		return -1;
	*ret_len = (size_t)n;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		int tclass;

		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS)
			return *CMSG_DATA(c);
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS) {
			memcpy(&tclass, CMSG_DATA(c), sizeof(tclass));
			return tclass;
		}
	}
	fail_msg("no TOS");
	return -1;
}

static void peer_sends_with_tos(struct fixture *f, int tos)
{
	bool six = f->peer_at.addr.family == AF_INET6;

	assert_int_equal(setsockopt(f->peer, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_TCLASS : IP_TOS,
				 &tos, sizeof(tos)),
		0);
}

/* Sets TOS or Traffic Class, and IPv4's checksum over the whole header anew. */
static void mark(uint8_t *packet, uint8_t tos)
{
	unsigned sum = 0;

	if (packet[0] >> 4 == 6) {
		packet[0] = (uint8_t)(0x60 | tos >> 4);
		packet[1] = (uint8_t)((packet[1] & 15) | tos << 4);
		return;
	}
	packet[1] = tos;
	packet[10] = packet[11] = 0;
	for (size_t i = 0; i < 20; i += 2)
		sum += (unsigned)packet[i] << 8 | packet[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	packet[10] = (uint8_t)(~sum >> 8);
	packet[11] = (uint8_t)~sum;
}

static size_t build(uint8_t *packet, bool six, bool out, uint8_t tos)
{
	const char *us = six ? US : US4, *world = six ? WORLD : WORLD4;
	size_t len = packet_syn(packet, out ? us : world, out ? world : us, 1000);

	if (six) {
		packet[1] = 0x0a; /* a flow label around it */
		packet[2] = 0xbc;
	}
	mark(packet, tos);
	return len;
}

/* RFC 6040 section 4.1, normal mode; RFC 2983. All 256 values, so all DSCPs with all ECN fields. */
/* proves: PS-8 partial */
static void copies_dscp_and_ecn_to_the_outer_header(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[100], out[200];

	for (unsigned i = 0; i < 512; i++) {
		size_t len = build(packet, i & 1, false, (uint8_t)(i >> 1)), n = 0;

		device_sends(f, packet, len);
		assert_int_equal(peer_gets_tos(f, out, sizeof(out), &n), i >> 1);
		assert_int_equal(n, len + 10);
		assert_memory_equal(out + 10, packet, len); /* the inner one stays as it is */
	}
}

/* In one batch, each packet has its own; also where every packet has a word for the kernel about its source. */
/* proves: PS-8 partial */
static void every_packet_of_a_batch_has_its_own(void **state)
{
	static const uint8_t values[] = {0, 0xb8, 0, 0x02, 0x03, 0, 0x28, 0xff};
	struct fixture *f = *state;
	uint8_t packet[100], out[200];
	size_t n = 0, len;

	f->row->local = f->listen.addr;
	for (unsigned i = 0; i < 40; i++) {
		len = build(packet, i & 8, false, values[i % 8]);
		assert_int_equal(write(f->device, packet, len), (ssize_t)len);
	}
	tun_plane_flush(f->plane);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(peer_gets_tos(f, out, sizeof(out), &n), values[i % 8]);
}

/* RFC 6040 section 4.3, compatibility mode: nobody at the far end would look at a mark. */
/* proves: PS-8 partial */
static void ecn_is_not_copied_for_a_peer_that_may_ignore_it(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[100], out[200];
	size_t n = 0, len;

	f->row->copy_ecn = false;
	for (unsigned ecn = 0; ecn < 4; ecn++) {
		len = build(packet, ecn & 1, false, (uint8_t)(0xb8 | ecn));
		assert_int_equal(write(f->device, packet, len), (ssize_t)len);
		tun_plane_flush(f->plane);
		assert_int_equal(peer_gets_tos(f, out, sizeof(out), &n), 0xb8);
		assert_memory_equal(out + 10, packet, len);
	}
}

/* proves: PS-8 partial */
static void control_messages_have_cs6(void **state)
{
	static const uint8_t hello[] = {0xc8, 2, 0, 20, 1, 2, 0, 0, 0, 1, 0, 1, 0x80, 8, 0, 0, 0, 0, 0, 6};
	struct fixture *f = *state;
	uint8_t packet[100], out[200];
	size_t n = 0, len = build(packet, true, false, 0);

	assert_int_equal(tun_plane_send(f->plane, f->listener, NULL, &f->peer_at, hello, sizeof(hello)), 0);
	assert_int_equal(write(f->device, packet, len), (ssize_t)len);
	assert_int_equal(
		tun_plane_send(f->plane, f->listener, &f->listen.addr, &f->peer_at, hello, sizeof(hello)), 0);
	tun_plane_flush(f->plane);
	for (unsigned i = 0; i < 3; i++) {
		int tos = peer_gets_tos(f, out, sizeof(out), &n);

		assert_int_equal(n, out[0] == 0xc8 ? sizeof(hello) : len + 10);
		assert_int_equal(tos, out[0] == 0xc8 ? 0xc0 : 0);
	}
}

/* proves: PS-8 partial */
static void fragments_of_an_inner_packet_have_its_own(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[1500], body[1200] = {1}, out[1500];
	size_t len = packet_build(packet, WORLD4, US4, 17, body, sizeof(body)), n = 0;

	packet[6] = 0; /* no DF */
	mark(packet, 0x88 | ECT0);
	f->row->mtu = 600;
	device_sends(f, packet, len);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(peer_gets_tos(f, out, sizeof(out), &n), 0x88 | ECT0);
		assert_int_equal(out[11], 0x88 | ECT0);
	}
	assert_int_equal(peer_gets_tos(f, out, sizeof(out), &n), -1);
	assert_int_equal(f->counters->inner_fragmented, 1);
}

/* RFC 6040 section 4.2, figure 4: rows and columns in its order. */
static const uint8_t order[4] = {NOT_ECT, ECT0, ECT1, CE};
static const uint8_t figure4[4][4] = {
	{NOT_ECT, NOT_ECT, NOT_ECT, DROP},
	{ECT0, ECT0, ECT1, CE},
	{ECT1, ECT1, ECT1, CE},
	{CE, CE, CE, CE},
};

/* The inner DSCP is kept (EF), whatever the outer one is (AF11). */
static void expect_out_of_softwire(struct fixture *f, bool six, uint8_t inner, uint8_t outer, uint8_t result)
{
	struct dp_counters before = *f->counters;
	uint32_t row_drops = f->row->drop_other;
	uint8_t packet[100], expected[100], out[200];
	size_t len = build(packet, six, true, 0xb8 | inner);

	build(expected, six, true, (uint8_t)(0xb8 | (result & 3)));
	peer_sends_with_tos(f, 0x28 | outer);
	peer_sends_inner(f, six ? 0x0057 : 0x0021, packet, len);
	if (result == DROP) {
		assert_int_equal(device_gets(f, out, sizeof(out)), 0);
		assert_int_equal(f->row->drop_other, row_drops + 1);
	} else {
		assert_int_equal(device_gets(f, out, sizeof(out)), len);
		assert_memory_equal(out, expected, len);
		assert_true(packet_checksum_ok(out, len));
	}
	assert_int_equal(f->counters->drop_ecn - before.drop_ecn, result == DROP);
	assert_int_equal(f->counters->ecn_ce - before.ecn_ce, result == CE && inner != CE);
}

/* proves: PS-8 partial */
static void merges_the_ecn_fields_on_the_way_out(void **state)
{
	for (unsigned row = 0; row < 4; row++)
		for (unsigned column = 0; column < 4; column++)
			for (unsigned six = 0; six < 2; six++)
				expect_out_of_softwire(
					*state, six, order[row], order[column], figure4[row][column]);
}

static char logged[256];

static void keep_line(struct log *log, const char *line, size_t len)
{
	(void)log;
	assert_true(len < sizeof(logged));
	memcpy(logged, line, len);
	logged[len] = '\0';
}

/* Figure 4 again, by its exclamation marks. */
static bool is_unexpected(uint8_t inner, uint8_t outer)
{
	return (inner == NOT_ECT && outer != NOT_ECT) || (inner == ECT1 && outer == ECT0) ||
	       (inner == CE && outer == ECT1);
}

/* RFC 6040 section 4.2: SHOULD be logged; the log is limited and can be turned off. */
static void logs_combinations_that_nobody_should_send(void **state)
{
	struct fixture *f = *state;
	struct log log;

	log_init(&log, -1, LEVEL_DEBUG);
	log.tap = keep_line;
	f->plane->log = &log;
	for (unsigned i = 0; i < 16; i++) {
		uint8_t inner = order[i / 4], outer = order[i % 4];

		logged[0] = '\0';
		f->plane->ecn_log = (struct limit){0};
		expect_out_of_softwire(f, true, inner, outer, figure4[i / 4][i % 4]);
		assert_int_equal(!!strstr(logged, "event=ecn-unexpected"), is_unexpected(inner, outer));
	}
	expect_out_of_softwire(f, true, NOT_ECT, CE, DROP);
	assert_non_null(strstr(logged, "inner=Not-ECT outer=CE"));
	logged[0] = '\0';
	expect_out_of_softwire(f, true, NOT_ECT, CE, DROP);
	assert_string_equal(logged, "");
	f->plane->ecn_log = (struct limit){0};
	log.level = LEVEL_INFO;
	expect_out_of_softwire(f, true, NOT_ECT, CE, DROP);
	assert_string_equal(logged, "");
}

/* The checksum is mended, not made: what was wrong on the way does not become right. And 0xffff and 0x0000 are the same to it. */
/* proves: PS-8 partial */
static void mends_every_checksum(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[100], out[200];

	peer_sends_with_tos(f, CE);
	for (unsigned id = 0; id < 0x10000; id += 257) {
		size_t len = build(packet, false, true, ECT0);

		packet[4] = (uint8_t)(id >> 8);
		packet[5] = (uint8_t)id;
		mark(packet, ECT0);
		peer_sends_inner(f, 0x0021, packet, len);
		assert_int_equal(device_gets(f, out, sizeof(out)), len);
		assert_int_equal(out[1], CE);
		assert_true(packet_checksum_ok(out, len));
		packet[10] ^= 0x55;
		peer_sends_inner(f, 0x0021, packet, len);
		assert_int_equal(device_gets(f, out, sizeof(out)), len);
		assert_false(packet_checksum_ok(out, len));
	}
}

/* Whoever sends from another's address is told that, and not that the network is congested. */
static void a_spoofed_source_is_not_congestion(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[100];
	size_t len = packet_syn(packet, "2001:db8:2::5", WORLD, 1000);

	peer_sends_with_tos(f, CE);
	peer_sends_inner(f, 0x0057, packet, len);
	assert_int_equal(f->counters->drop_spoofed, 1);
	assert_int_equal(f->counters->drop_ecn, 0);
}

/* Control messages and PPP have no inner ECN field: nothing is dropped. Inner packets for the engine have one. */
/* proves: PS-8 partial */
static void what_goes_to_the_engine_is_merged_as_well(void **state)
{
	static const uint8_t hello[] = {0xc8, 2, 0, 20, 1, 2, 0, 0, 0, 1, 0, 1, 0x80, 8, 0, 0, 0, 0, 0, 6};
	static const uint8_t echo[] = {9, 1, 0, 8, 0, 0, 0, 0};
	struct fixture *f = *state;
	uint8_t packet[100];
	size_t len = packet_build(packet, "fe80::5", "ff02::2", 58, "\x85\0\0\0\0\0\0\0", 8);

	peer_sends_with_tos(f, CE);
	peer_sends(f, hello, sizeof(hello));
	assert_int_equal(f->input.count, 1);
	peer_sends_inner(f, 0xc021, echo, sizeof(echo));
	assert_int_equal(f->input.count, 2);
	peer_sends_inner(f, 0x0057, packet, len);
	assert_int_equal(f->input.count, 2);
	assert_int_equal(f->counters->drop_ecn, 1);
	mark(packet, ECT0);
	peer_sends_inner(f, 0x0057, packet, len);
	assert_int_equal(f->input.count, 3);
	mark(packet, CE);
	assert_memory_equal(f->input.payload + 10, packet, len);
	assert_int_equal(f->counters->ecn_ce, 1);
}

#define OUTER_FAMILIES(test)                                                                                 \
	cmocka_unit_test_setup_teardown(test, setup4, fixture_teardown),                                     \
		cmocka_unit_test_setup_teardown(test, setup6, fixture_teardown),                             \
		cmocka_unit_test_setup_teardown(test, setup_any4, fixture_teardown),                         \
		cmocka_unit_test_setup_teardown(test, setup_any6, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OUTER_FAMILIES(copies_dscp_and_ecn_to_the_outer_header),
		OUTER_FAMILIES(ecn_is_not_copied_for_a_peer_that_may_ignore_it),
		OUTER_FAMILIES(every_packet_of_a_batch_has_its_own),
		OUTER_FAMILIES(control_messages_have_cs6),
		OUTER_FAMILIES(fragments_of_an_inner_packet_have_its_own),
		OUTER_FAMILIES(merges_the_ecn_fields_on_the_way_out),
		OUTER_FAMILIES(mends_every_checksum),
		cmocka_unit_test_setup_teardown(
			logs_combinations_that_nobody_should_send, setup4, fixture_teardown),
		OUTER_FAMILIES(a_spoofed_source_is_not_congestion),
		OUTER_FAMILIES(what_goes_to_the_engine_is_merged_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
