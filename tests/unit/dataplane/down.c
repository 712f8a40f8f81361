/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dataplane/down: what the device gives reaches the right softwire with the right header, or is answered and counted. */
#include "fixture.h"

#include <stdlib.h>
#include <unistd.h>

#define US      "2001:db8:1::5" /* within the softwire's prefix */
#define WORLD   "2001:db8:ffff::9"
#define NOBODY  "2001:db8:2::5"
#define US4     "192.0.2.8"
#define WORLD4  "203.0.113.9"
#define NOBODY4 "192.0.2.9"

/* Over IPv4 and over IPv6 transport each: the four encapsulations. */
/* proves: HS-L2TP-8, HS-L2TP-9, HS-L2TP-10, HS-L2TP-11, PS-29 partial */
static void encapsulates_both_families_unchanged(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[1500], out[2048], body[1000];
	size_t len;

	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 5);
	len = packet_build(packet, WORLD, US, 17, body, sizeof(body));
	device_sends(f, packet, len);
	assert_int_equal(peer_gets(f, out, sizeof(out)), len + 10);
	assert_memory_equal(out, "\x00\x02\x11\x12\x13\x14\xff\x03\x00\x57", 10);
	assert_memory_equal(out + 10, packet, len);
	assert_int_equal(f->row->v6.tx_packets, 1);
	assert_int_equal(f->row->v6.tx_bytes, len);
	assert_int_equal(f->row->last_tx, loop_now(&f->loop));

	len = packet_build(packet, WORLD4, US4, 17, body, 99);
	device_sends(f, packet, len);
	assert_int_equal(peer_gets(f, out, sizeof(out)), len + 10);
	assert_memory_equal(out, "\x00\x02\x11\x12\x13\x14\xff\x03\x00\x21", 10);
	assert_memory_equal(out + 10, packet, len);
	assert_int_equal(f->row->v4.tx_packets, 1);
	assert_int_equal(f->row->v4.tx_bytes, len);
	assert_int_equal(f->counters->tx_packets, 2);
}

static void takes_bursts_larger_than_a_batch(void **state)
{
	enum { BURST = 3 * DP_BATCH + 5 };
	struct fixture *f = *state;
	uint8_t packet[100], out[100];
	size_t len;

	for (uint8_t i = 0; i < BURST; i++) {
		len = packet_build(packet, WORLD, US, 59, &i, 1);
		assert_int_equal(write(f->device, packet, len), (ssize_t)len);
	}
	tun_plane_flush(f->plane);
	for (uint8_t i = 0; i < BURST; i++) {
		assert_int_equal(peer_gets(f, out, sizeof(out)), 51);
		assert_int_equal(out[50], i);
	}
}

static void one_wake_up_takes_one_batch(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[100];
	size_t len = packet_build(packet, WORLD, US, 59, NULL, 0);

	for (unsigned i = 0; i < 2 * DP_BATCH; i++)
		assert_int_equal(write(f->device, packet, len), (ssize_t)len);
	while (!f->row->v6.tx_packets)
		uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	assert_int_equal(f->row->v6.tx_packets, DP_BATCH);
	while (f->counters->tx_packets <
		2 * DP_BATCH) /* and what is queued goes out without being asked for */
		uv_run(&f->loop.uv, UV_RUN_NOWAIT);
}

static void picks_the_row_of_the_longest_prefix(void **state)
{
	struct fixture *f = *state;
	struct prefix narrow = prefix("2001:db8:1::80/121");
	struct dp_row *other;
	uint8_t packet[100], out[100];
	size_t len = packet_build(packet, WORLD, "2001:db8:1::81", 59, NULL, 0);

	assert_int_equal(dp_row_add(f->table, f->listener, 77, 78, &f->peer_at, &other), 0);
	other->peer_tunnel = 0x2122;
	other->peer_session = 0x2324;
	other->up6 = true;
	assert_int_equal(dp_row_add_prefix(f->table, other, &narrow), 0);
	device_sends(f, packet, len);
	assert_int_equal(peer_gets(f, out, sizeof(out)), len + 10);
	assert_memory_equal(out, "\x00\x02\x21\x22\x23\x24", 6);
	dp_row_remove(f->table, other);
	device_sends(f, packet, len);
	assert_int_equal(peer_gets(f, out, sizeof(out)), len + 10);
	assert_memory_equal(out, "\x00\x02\x11\x12\x13\x14", 6);
}

static void sends_everything_to_the_default_row(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[100], out[1500];
	size_t len = packet_build(packet, US, NOBODY, 59, NULL, 0);

	dp_table_set_default(f->table, f->row);
	device_sends(f, packet, len);
	assert_int_equal(peer_gets(f, out, sizeof(out)), len + 10);
}

static void ignores_the_chatter_of_the_kernel(void **state)
{
	static const struct {
		const char *src, *dst;
	} cases[] = {{"fe80::1", "ff02::2"}, {"fe80::1", "ff02::16"}, {"fe80::1", "fe80::2"},
		{WORLD, "ff0e::1"}, {WORLD, "fe80::2"}, {"::", "ff02::1:ff00:1"}, {WORLD4, "224.0.0.22"},
		{WORLD4, "255.255.255.255"}, {WORLD4, "169.254.1.1"}};
	struct fixture *f = *state;
	uint8_t packet[100], out[1500];
	size_t count = sizeof(cases) / sizeof(cases[0]);

	dp_table_set_default(f->table, f->row);
	for (size_t i = 0; i < count; i++) {
		device_sends(f, packet, packet_build(packet, cases[i].src, cases[i].dst, 17, "12345678", 8));
		assert_int_equal(peer_gets(f, out, sizeof(out)), 0);
		assert_int_equal(device_gets(f, out, sizeof(out)), 0);
	}
	assert_int_equal(f->counters->drop_local_scope, count);
}

static void drops_what_is_not_ip(void **state)
{
	static const uint8_t arp[] = {0, 1, 8, 0, 6, 4}, half[30] = {0x60};
	struct fixture *f = *state;

	device_sends(f, arp, sizeof(arp));
	device_sends(f, half, sizeof(half));
	assert_int_equal(f->counters->drop_bad_inner, 2);
}

/* The ICMP error that answers PACKET on the device: type, code, parameter, quote, addresses and checksum. */
static void expect_error(
	struct fixture *f, const uint8_t *packet, size_t len, uint8_t type, uint8_t code, uint32_t param)
{
	bool six = packet[0] >> 4 == 6;
	struct addr us = address(six ? "2001:db8::1" : "198.51.100.1");
	size_t header = six ? 40 : 20, quoted = six ? 1280 - 48 : 576 - 28, n;
	uint8_t out[2048];
	uint32_t got;

	if (quoted > len)
		quoted = len;
	n = device_gets(f, out, sizeof(out));
	assert_in_range(n, header + 8, six ? 1280 : 576);
	assert_int_equal(out[0] >> 4, six ? 6 : 4);
	assert_int_equal(six ? out[6] : out[9], six ? 58 : 1);
	assert_memory_equal(out + (six ? 8 : 12), us.bytes, six ? 16 : 4);
	assert_memory_equal(out + (six ? 24 : 16), packet + (six ? 8 : 12), six ? 16 : 4);
	assert_int_equal(out[header], type);
	assert_int_equal(out[header + 1], code);
	got = (uint32_t)out[header + 4] << 24 | (uint32_t)out[header + 5] << 16 |
	      (uint32_t)out[header + 6] << 8 | out[header + 7];
	assert_int_equal(got, param);
	assert_int_equal(n, header + 8 + quoted);
	assert_memory_equal(out + header + 8, packet, quoted);
	assert_true(packet_checksum_ok(out, n));
	assert_int_equal(peer_gets(f, out, sizeof(out)), 0);
}

static void answers_address_unreachable_without_a_row(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[100];
	size_t len = packet_build(packet, WORLD, NOBODY, 17, "12345678", 8);

	device_sends(f, packet, len);
	expect_error(f, packet, len, 1, 3, 0);
	len = packet_build(packet, WORLD4, NOBODY4, 17, "12345678", 8);
	device_sends(f, packet, len);
	expect_error(f, packet, len, 3, 1, 0);
	assert_int_equal(f->counters->drop_no_destination, 2);
	assert_int_equal(f->counters->icmp_sent, 2);
}

/* proves: PS-12 partial, HS-SCEN-9 partial */
static void encapsulates_no_family_that_is_not_up(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[100];
	size_t len = packet_build(packet, WORLD4, US4, 17, "12345678", 8);

	f->row->up4 = false; /* an IPv6-over-IPv4 softwire: IPv4 stays native */
	device_sends(f, packet, len);
	expect_error(f, packet, len, 3, 1, 0);
	dp_table_set_default(f->table, f->row);
	device_sends(f, packet, len);
	expect_error(f, packet, len, 3, 0, 0);
	f->row->up6 = false;
	len = packet_build(packet, WORLD, US, 17, "12345678", 8);
	device_sends(f, packet, len);
	expect_error(f, packet, len, 1, 0, 0);
	dp_table_set_default(f->table, NULL);
	device_sends(f, packet, len);
	expect_error(f, packet, len, 1, 3, 0);
	assert_int_equal(f->counters->drop_not_up, 4);
	assert_int_equal(f->row->drop_other, 4);
}

/* proves: HS-PPP-1 partial */
static void answers_packet_too_big_with_the_rows_mtu(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[2000], body[1500] = {1, 2, 3}, out[2000];
	size_t len = packet_build(packet, WORLD, US, 17, body, 1460 - 40);

	f->row->mtu = 1460; /* RFC 5571 section 5.2.1: 1500 less IPv4, UDP, L2TP and PPP */
	device_sends(f, packet, len);
	assert_int_equal(peer_gets(f, out, sizeof(out)), 1460 + 10);
	len = packet_build(packet, WORLD, US, 17, body, 1461 - 40);
	device_sends(f, packet, len);
	expect_error(f, packet, len, 2, 0, 1460);
	f->row->mtu = 1280; /* each row has its own */
	len = packet_build(packet, WORLD, US, 17, body, 1281 - 40);
	device_sends(f, packet, len);
	expect_error(f, packet, len, 2, 0, 1280);
	len = packet_build(packet, WORLD4, US4, 17, body, 1281 - 20);
	device_sends(f, packet, len);
	expect_error(f, packet, len, 3, 4, 1280);
	assert_int_equal(f->counters->drop_too_big, 3);
	assert_int_equal(f->row->drop_too_big, 3);
}

/* An IPv4 packet of HEADER bytes with OPTIONS (a multiple of 4), DATA, and WORD as flags and offset. */
static size_t packet_build4(
	uint8_t *buf, unsigned word, const void *options, size_t options_len, const void *data, size_t len)
{
	uint8_t plain[20];

	packet_build(plain, WORLD4, US4, 17, NULL, 0);
	memcpy(buf, plain, 20);
	if (options_len)
		memcpy(buf + 20, options, options_len);
	memcpy(buf + 20 + options_len, data, len);
	buf[0] = (uint8_t)(0x45 + options_len / 4);
	buf[2] = (uint8_t)((20 + options_len + len) >> 8);
	buf[3] = (uint8_t)(20 + options_len + len);
	buf[4] = 0xab;
	buf[5] = 0xcd;
	buf[6] = (uint8_t)(word >> 8);
	buf[7] = (uint8_t)word;
	return 20 + options_len + len;
}

static unsigned header_sum(const uint8_t *header, size_t len)
{
	unsigned sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += (unsigned)header[i] << 8 | header[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Collects the pieces at the peer into DATA; every one fits, has a right checksum and the same identification. Returns how many. */
static unsigned reassemble(struct fixture *f, unsigned first_offset, uint8_t *data, size_t len,
	bool last_has_more, size_t later_header)
{
	uint8_t out[2048], *packet = out + 10;
	unsigned count = 0;
	size_t done = 0, n;

	while (done < len && (n = peer_gets(f, out, sizeof(out)))) {
		size_t header = (packet[0] & 15U) * 4U, total = (size_t)packet[2] << 8 | packet[3];
		unsigned word = (unsigned)packet[6] << 8 | packet[7];

		assert_memory_equal(out, "\x00\x02\x11\x12\x13\x14\xff\x03\x00\x21", 10);
		assert_int_equal(n, total + 10);
		assert_true(total <= f->row->mtu);
		assert_int_equal(header_sum(packet, header), 0xffff);
		assert_memory_equal(packet + 4, "\xab\xcd", 2);
		assert_int_equal((word & 0x1fff) * 8, first_offset * 8 + done);
		if (count)
			assert_int_equal(header, later_header);
		memcpy(data + done, packet + header, total - header);
		done += total - header;
		assert_int_equal(!!(word & 0x2000), done < len || last_has_more);
		count++;
	}
	assert_int_equal(done, len);
	assert_int_equal(peer_gets(f, out, sizeof(out)), 0);
	return count;
}

/* RFC 791 section 3.2. */
static void cuts_ipv4_packets_that_may_be_cut(void **state)
{
	/* NOP, security (copied, 11 bytes), record route (not copied, 7 bytes), end */
	static const uint8_t options[20] = {1, 0x82, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9, 7, 7, 4, 0, 0, 0, 0, 0};
	struct fixture *f = *state;
	uint8_t body[1600], packet[2000], got[1600];

	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 7 + i / 256);
	f->row->mtu = 600;
	device_sends(f, packet, packet_build4(packet, 0, NULL, 0, body, 1472));
	assert_int_equal(reassemble(f, 0, got, 1472, false, 20), 3);
	assert_memory_equal(got, body, 1472);
	assert_int_equal(f->counters->inner_fragmented, 1);
	assert_int_equal(f->row->v4.tx_packets, 1);

	/* a piece in the middle of a larger packet */
	device_sends(f, packet, packet_build4(packet, 0x2000 | 100, NULL, 0, body, 800));
	assert_int_equal(reassemble(f, 100, got, 800, true, 20), 2);
	assert_memory_equal(got, body, 800);

	/* what is copied stands in every piece: 11 bytes, filled up to 12 */
	device_sends(f, packet, packet_build4(packet, 0, options, sizeof(options), body, 1472));
	assert_int_equal(reassemble(f, 0, got, 1472, false, 32), 3);
	assert_memory_equal(got, body, 1472);

	/* the smallest MTU that any link may have */
	f->row->mtu = 68;
	device_sends(f, packet, packet_build4(packet, 0, options, sizeof(options), body, 100));
	assert_int_equal(reassemble(f, 0, got, 100, false, 32), 4);
	assert_int_equal(f->counters->drop_too_big, 0);
}

static void options_that_make_no_sense_are_not_copied(void **state)
{
	static const uint8_t options[][4] = {
		{0x82, 0, 1, 1}, {0x82, 1, 1, 1}, {0x82, 5, 1, 1}, {1, 1, 1, 0x82}};
	struct fixture *f = *state;
	uint8_t body[400] = {1}, packet[500], got[400];

	f->row->mtu = 300;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		device_sends(f, packet, packet_build4(packet, 0, options[i], 4, body, 400));
		assert_int_equal(reassemble(f, 0, got, 400, false, 20), 2);
	}
}

static void answers_nothing_without_a_source(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[100], out[100];

	tun_plane_set_sources(f->plane, NULL, NULL);
	device_sends(f, packet, packet_build(packet, WORLD, NOBODY, 17, "12345678", 8));
	device_sends(f, packet, packet_build(packet, WORLD4, NOBODY4, 17, "12345678", 8));
	assert_int_equal(device_gets(f, out, sizeof(out)), 0);
	assert_int_equal(f->counters->drop_no_destination, 2);
	assert_int_equal(f->counters->icmp_sent, 0);
}

/* RFC 4443 section 2.4 (e). */
static void answers_no_icmp_error_with_another(void **state)
{
	static const uint8_t unreachable[48] = {1, 3};
	struct fixture *f = *state;
	uint8_t packet[100], out[100];

	device_sends(f, packet, packet_build(packet, WORLD, NOBODY, 58, unreachable, sizeof(unreachable)));
	assert_int_equal(device_gets(f, out, sizeof(out)), 0);
	assert_int_equal(f->counters->drop_no_destination, 1);
	assert_int_equal(f->counters->icmp_sent, 0);
}

static unsigned answers_to(struct fixture *f, const uint8_t *packet, size_t len, unsigned times)
{
	uint8_t out[2000];
	unsigned answers = 0;

	for (unsigned i = 0; i < times; i++) {
		device_sends(f, packet, len);
		if (device_gets(f, out, sizeof(out)))
			answers++;
	}
	return answers;
}

static void answers_at_a_limited_rate(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[2000], body[1500] = {0};
	size_t len = packet_build(packet, WORLD, NOBODY, 17, body, 8);
	unsigned answers = answers_to(f, packet, len, 1000);

	assert_in_range(answers, 1, 300);
	assert_int_equal(f->counters->icmp_suppressed, 1000 - answers);
	/* A scan has used up its kind; Packet Too Big still works, within the limit of its own softwire. */
	len = packet_build(packet, WORLD, US, 17, body, sizeof(body));
	assert_in_range(answers_to(f, packet, len, 500), 1, 100);
}

static void clamps_the_mss_of_syns(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[100], out[100];
	size_t len = packet_syn(packet, WORLD, US, 1440);

	f->row->mss_mtu = 1280;
	device_sends(f, packet, len);
	assert_int_equal(peer_gets(f, out, sizeof(out)), len + 10);
	assert_int_equal(packet_syn_mss(out + 10), 1280 - 60);
	assert_true(packet_checksum_ok(out + 10, len));
	len = packet_syn(packet, WORLD, US, 1000);
	device_sends(f, packet, len);
	assert_int_equal(peer_gets(f, out, sizeof(out)), len + 10);
	assert_memory_equal(out + 10, packet, len);
	assert_int_equal(f->counters->mss_clamped, 1);
}

int main(void)
{
#define BOTH(test)                                                                                           \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown),                              \
		cmocka_unit_test_setup_teardown(test, fixture_setup6, fixture_teardown)
#define ONE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		BOTH(encapsulates_both_families_unchanged),
		BOTH(takes_bursts_larger_than_a_batch),
		ONE(one_wake_up_takes_one_batch),
		ONE(picks_the_row_of_the_longest_prefix),
		ONE(sends_everything_to_the_default_row),
		ONE(ignores_the_chatter_of_the_kernel),
		ONE(drops_what_is_not_ip),
		ONE(answers_address_unreachable_without_a_row),
		ONE(encapsulates_no_family_that_is_not_up),
		BOTH(answers_packet_too_big_with_the_rows_mtu),
		BOTH(cuts_ipv4_packets_that_may_be_cut),
		ONE(options_that_make_no_sense_are_not_copied),
		ONE(answers_nothing_without_a_source),
		ONE(answers_no_icmp_error_with_another),
		ONE(answers_at_a_limited_rate),
		BOTH(clamps_the_mss_of_syns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
