/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of inet/offload. What is merged is merged here, as the kernel does it, and must become what it was. */
#include <string.h>

#include "build.h"
#include "check.h"
#include "inet/offload.h"
#include "lib/rng.h"

#define HERE4  "198.51.100.7"
#define THERE4 "203.0.113.9"
#define HERE6  "2001:db8:1::7"
#define THERE6 "2001:db8:2::9"

enum { ACK = 0x10, PSH = 0x08, FIN = 0x01, ECE = 0x40, CWR = 0x80, MAX = 20000, MARGIN = 32 };

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static unsigned get16(const uint8_t *p)
{
	return (unsigned)(p[0] << 8 | p[1]);
}

static const uint8_t *addresses(const uint8_t *packet)
{
	return packet + (packet[0] >> 4 == 6 ? 8 : 12);
}

static size_t header_of(const uint8_t *packet)
{
	return packet[0] >> 4 == 6 ? 40 : 20;
}

/* What TCP or UDP and the pseudo-header sum up to. */
static uint32_t upper(const uint8_t *packet, size_t len, uint8_t protocol)
{
	size_t header = header_of(packet);

	return plain_upper_sum(
		addresses(packet), header == 40 ? 32 : 8, protocol, packet + header, len - header);
}

/* A segment with timestamps. */
static size_t segment(
	uint8_t *packet, bool six, uint32_t seq, uint8_t flags, const uint8_t *data, size_t len, unsigned id)
{
	static const uint8_t head[32] = {0x30, 0x39, 0, 80, 0, 0, 0, 0, 0, 0, 0, 1, 0x80, 0, 0x10, 0, 0, 0, 0,
		0, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2};
	static uint8_t tcp[MAX];
	size_t n, header = six ? 40 : 20;

	memcpy(tcp, head, sizeof(head));
	put16(tcp + 4, seq >> 16);
	put16(tcp + 6, seq & 0xffff);
	tcp[13] = flags;
	memcpy(tcp + 32, data, len);
	n = packet_build(packet, six ? HERE6 : HERE4, six ? THERE6 : THERE4, 6, tcp, 32 + len);
	if (!six) {
		put16(packet + 4, id);
		put16(packet + 10, 0);
		put16(packet + 10, (uint16_t)~plain_sum(packet, 20, 0));
	}
	put16(packet + header + 16, (uint16_t)~upper(packet, n, 6));
	return n;
}

/* As tcp_gro_complete() leaves it: the checksum of the pseudo-header, not inverted. */
static void begin_checksum(uint8_t *packet, size_t len, uint8_t protocol)
{
	size_t header = header_of(packet), at = header + (protocol == 6 ? 16 : 6);
	const uint8_t rest[] = {
		0, 0, (uint8_t)((len - header) >> 8), (uint8_t)(len - header), 0, 0, 0, protocol};

	put16(packet + at,
		plain_sum(rest, sizeof(rest), plain_sum(addresses(packet), header == 40 ? 32 : 8, 0)));
}

static struct inner inner_of(const uint8_t *packet, size_t len)
{
	struct inner i;

	assert_true(inner_read(inner_family(packet, len), packet, len, &i));
	return i;
}

static void knows_a_begun_checksum_from_others(void **state)
{
	static const uint8_t data[100] = {9, 8, 7};
	uint8_t packet[500];

	for (unsigned six = 0; six < 2; six++) {
		size_t len = segment(packet, six, 1, ACK, data, sizeof(data), 1), header = six ? 40 : 20;
		struct inner i = inner_of(packet, len);

		assert_false(transport_is_begun(packet, &i));
		packet[len - 1] ^= 1; /* wrong is not begun */
		assert_false(transport_is_begun(packet, &i));
		begin_checksum(packet, len, 6);
		assert_true(transport_is_begun(packet, &i));
		transport_complete(packet, &i);
		assert_int_equal(upper(packet, len, 6), 0xffff);
		assert_false(transport_is_begun(packet, &i));

		begin_checksum(packet, len, 6);
		if (!six) {
			packet[6] = 0x20; /* a fragment has no checksum of its own */
			assert_false(transport_is_begun(packet, &i));
			packet[6] = 0;
		}
		packet[six ? 6 : 9] = 47;
		assert_false(transport_is_begun(packet, &i));

		len = packet_build(
			packet, six ? HERE6 : HERE4, six ? THERE6 : THERE4, 17, "\0\1\0\2\0\x0a\0\0xy", 10);
		i = inner_of(packet, len);
		assert_false(transport_is_begun(packet, &i)); /* none at all */
		begin_checksum(packet, len, 17);
		assert_true(transport_is_begun(packet, &i));
		transport_complete(packet, &i);
		assert_int_equal(upper(packet, len, 17), 0xffff);
		assert_int_not_equal(get16(packet + header + 6), 0);
	}
}

/* One in 65535 looks like it, and is right. */
static void a_right_checksum_that_looks_begun_is_right(void **state)
{
	uint8_t packet[200], data[2];
	unsigned met = 0;

	for (unsigned v = 0; v < 0x10000; v++) {
		size_t len;
		struct inner i;

		put16(data, v);
		len = segment(packet, false, 1, ACK, data, 2, 1);
		i = inner_of(packet, len);
		assert_false(transport_is_begun(packet, &i));
		begin_checksum(packet, len, 6);
		met += !transport_is_begun(packet, &i);
	}
	assert_in_range(met, 1, 2);
}

static void leaves_cut_and_strange_packets_alone(void **state)
{
	uint8_t packet[500];
	struct tcp_segments s;
	struct inner i;
	size_t len;

	for (size_t n = 0; n < 20; n++) { /* less than a TCP header */
		len = packet_build(packet, HERE4, THERE4, 6, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", n);
		i = inner_of(packet, len);
		assert_false(transport_is_begun(packet, &i));
		assert_false(tcp_segments_begin(&s, packet, &i, 100));
		transport_complete(packet, &i);
	}
	len = packet_build(packet, HERE6, THERE6, 60, "\6\x9\1\2\0\0\0\0", 8); /* options beyond the packet */
	i = inner_of(packet, len);
	assert_false(transport_is_begun(packet, &i));
	for (unsigned words = 0; words < 16; words++) {
		len = segment(packet, false, 1, ACK, (const uint8_t[100]){0}, 100, 1);
		packet[32] = (uint8_t)(words << 4);
		i = inner_of(packet, len);
		assert_int_equal(tcp_segments_begin(&s, packet, &i, 100), words >= 5);
		assert_false(tcp_segments_begin(&s, packet, &i, 20U + words * 4U));
	}
	for (unsigned flag = 1; flag; flag = flag << 1 & 0xff) { /* SYN, RST, URG */
		len = segment(packet, false, 1, (uint8_t)flag, (const uint8_t[100]){0}, 100, 1);
		i = inner_of(packet, len);
		assert_int_equal(tcp_segments_begin(&s, packet, &i, 100), !(flag & 0x26));
	}
	len = segment(packet, true, 1, ACK, (const uint8_t[1]){0}, 0, 1); /* no data */
	i = inner_of(packet, len);
	assert_false(tcp_segments_begin(&s, packet, &i, 100));
	len = packet_build(packet, HERE4, THERE4, 17, (const uint8_t[100]){0}, 100);
	i = inner_of(packet, len);
	assert_false(tcp_segments_begin(&s, packet, &i, 100));
}

/* Cut to the size that they had, merged segments are those again, octet by octet. */
static void merged_segments_become_what_they_were(void **state)
{
	static uint8_t buffer[MARGIN + MAX], data[MAX], expected[2000];
	struct rng rng;

	rng_init_seed(&rng, 7);
	for (unsigned round = 0; round < 200; round++) {
		bool six = round & 1;
		size_t headers = (six ? 40U : 20U) + 32, mtu = headers + 50 + rng_below(&rng, 1400);
		size_t room = mtu - headers, total = room + 1 + rng_below(&rng, (uint32_t)(8 * room)), len, n,
		       at = 0;
		uint8_t *packet = buffer + MARGIN, *piece,
			flags = (uint8_t)(ACK | PSH | (round & 2 ? FIN : 0) | (round & 4 ? ECE | CWR : 0));
		uint32_t seq = 0xffffffff - rng_below(&rng, (uint32_t)total);
		struct tcp_segments s;
		struct inner i;

		rng_bytes(&rng, data, total);
		len = segment(packet, six, seq, flags, data, total, 0xfffe);
		begin_checksum(packet, len, 6);
		i = inner_of(packet, len);
		assert_true(transport_is_begun(packet, &i));
		assert_true(tcp_segments_begin(&s, packet, &i, mtu));
		for (unsigned index = 0; (piece = tcp_segments_next(&s, &n)); index++) {
			size_t size = total - at < room ? total - at : room;
			uint8_t its = flags;

			if (at + size < total)
				its &= (uint8_t) ~(PSH | FIN);
			if (index)
				its &= (uint8_t)~CWR;
			assert_int_equal(segment(expected, six, seq + (uint32_t)at, its, data + at, size,
						 0xfffe + index),
				n);
			assert_memory_equal(piece, expected, n);
			assert_true(piece - buffer >= MARGIN);
			at += size;
			memset(piece - 14, 0xee,
				14 + n); /* the caller's own: a frame's header, and it may spoil the packet */
		}
		assert_int_equal(at, total);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_a_begun_checksum_from_others),
		cmocka_unit_test(a_right_checksum_that_looks_begun_is_right),
		cmocka_unit_test(leaves_cut_and_strange_packets_alone),
		cmocka_unit_test(merged_segments_become_what_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
