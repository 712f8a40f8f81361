/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of tcp_mss_clamp(). */
#include <string.h>

#include "check.h"
#include "inet/packet.h"
#include "lib/rng.h"

enum { SYN = 0x02, ACK = 0x10 };

struct packet {
	uint8_t bytes[256];
	size_t len, tcp; /* all, and where the TCP header starts */
};

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint32_t tcp_sum(const struct packet *p)
{
	bool v4 = p->bytes[0] >> 4 == 4;

	return plain_upper_sum(
		p->bytes + (v4 ? 12 : 8), v4 ? 8 : 32, PROTO_TCP, p->bytes + p->tcp, p->len - p->tcp);
}

/* A TCP segment with OPTIONS behind EXTENSIONS (IPv6: extension headers; IPv4: IP options), and a right checksum. */
static struct packet make(int version, const uint8_t *extensions, size_t extensions_len, uint8_t first_header,
	uint8_t flags, const uint8_t *options, size_t options_len, size_t data_len)
{
	struct packet p = {0};
	uint8_t *tcp;

	p.tcp = (version == 4 ? 20 : 40) + extensions_len;
	p.len = p.tcp + 20 + options_len + data_len;
	for (size_t i = 0; i < p.len; i++)
		p.bytes[i] = (uint8_t)(i * 3);
	if (version == 4) {
		p.bytes[0] = (uint8_t)(0x45 + extensions_len / 4);
		put16(p.bytes + 2, p.len);
		put16(p.bytes + 6, 0x4000);
		p.bytes[9] = PROTO_TCP;
	} else {
		p.bytes[0] = 0x60;
		put16(p.bytes + 4, p.len - 40);
		p.bytes[6] = first_header;
	}
	if (extensions_len)
		memcpy(p.bytes + p.tcp - extensions_len, extensions, extensions_len);
	tcp = p.bytes + p.tcp;
	tcp[12] = (uint8_t)((20 + options_len) / 4 << 4);
	tcp[13] = flags;
	if (options_len)
		memcpy(tcp + 20, options, options_len);
	put16(tcp + 16, 0);
	put16(tcp + 16, (uint16_t)~tcp_sum(&p));
	return p;
}

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static const uint8_t mss1460[] = {2, 4, 0x05, 0xb4};

static void lowers_the_mss_and_mends_the_checksum(void **state)
{
	const struct {
		const char *name;
		const uint8_t *options;
		size_t len, at; /* where the MSS value is */
		uint8_t flags;
	} cases[] = {
		{"alone", BYTES(2, 4, 0x05, 0xb4), 2, SYN},
		{"SYN ACK", BYTES(2, 4, 0x05, 0xb4), 2, SYN | ACK},
		{"first of Linux's options",
			BYTES(2, 4, 0x05, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7), 2, SYN},
		{"behind a no-operation, at an odd place", BYTES(1, 2, 4, 0x05, 0xb4, 1, 1, 1), 3, SYN},
		{"behind a window scale", BYTES(3, 3, 7, 2, 4, 0x05, 0xb4, 0), 5, SYN},
		{"last", BYTES(1, 1, 4, 2, 2, 4, 0x05, 0xb4), 6, SYN},
		{"garbage behind the end", BYTES(2, 4, 0x05, 0xb4, 0, 2, 99, 99), 2, SYN},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (int version = 4; version <= 6; version += 2)
			for (size_t data = 0; data < 2; data++) {
				struct packet p = make(version, NULL, 0, PROTO_TCP, cases[i].flags,
						      cases[i].options, cases[i].len, data),
					      before = p;
				unsigned expected = version == 4 ? 1360 : 1340;
				uint8_t *mss = p.bytes + p.tcp + 20 + cases[i].at;

				if (!tcp_mss_clamp(p.bytes, p.len, 1400))
					fail_msg("%s", cases[i].name);
				assert_int_equal(mss[0] << 8 | mss[1], expected);
				assert_int_equal(tcp_sum(&p), 0xffff);
				assert_false(tcp_mss_clamp(p.bytes, p.len, 1400)); /* once is enough */
				/* Nothing else changed. */
				memcpy(mss, before.bytes + (mss - p.bytes), 2);
				memcpy(p.bytes + p.tcp + 16, before.bytes + p.tcp + 16, 2);
				assert_memory_equal(p.bytes, before.bytes, p.len);
			}
}

static void expect_untouched(const char *name, struct packet *p, size_t len, uint16_t mtu)
{
	struct packet before = *p;

	if (tcp_mss_clamp(p->bytes, len, mtu) || memcmp(&before, p, sizeof(before)) != 0)
		fail_msg("%s", name);
}

static void leaves_other_segments_and_options_alone(void **state)
{
	const struct {
		const char *name;
		const uint8_t *options;
		size_t len;
		uint8_t flags;
	} cases[] = {
		{"no SYN", mss1460, 4, ACK},
		{"no options", NULL, 0, SYN},
		{"no MSS", BYTES(1, 1, 4, 2), SYN},
		{"MSS behind the end", BYTES(0, 0, 0, 0, 2, 4, 5, 0xb4), SYN},
		{"MSS that fits exactly", BYTES(2, 4, 0x05, 0x3c), SYN},
		{"small MSS", BYTES(2, 4, 0x02, 0x18), SYN},
		{"MSS of length 3", BYTES(2, 3, 5, 1), SYN},
		{"MSS of length 6", BYTES(2, 6, 5, 0xb4, 0, 0, 1, 1), SYN},
		{"MSS beyond the header", BYTES(1, 1, 2, 4), SYN},
		{"MSS with half a value", BYTES(1, 2, 4, 5), SYN},
		{"kind without length", BYTES(1, 1, 1, 2), SYN},
		{"length 0", BYTES(3, 0, 2, 4, 5, 0xb4, 1, 1), SYN},
		{"length 1", BYTES(3, 1, 2, 4, 5, 0xb4, 1, 1), SYN},
		{"length beyond the header", BYTES(3, 9, 2, 4, 5, 0xb4, 1, 1), SYN},
		{"malformed option behind the MSS", BYTES(2, 4, 5, 0xb4, 3, 0, 1, 1), SYN},
		{"two MSS", BYTES(2, 4, 5, 0xb4, 2, 4, 5, 0xb4), SYN},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (int version = 4; version <= 6; version += 2) {
			struct packet p = make(version, NULL, 0, PROTO_TCP, cases[i].flags, cases[i].options,
				cases[i].len, 0);

			expect_untouched(cases[i].name, &p, p.len, version == 4 ? 1380 : 1400);
		}
}

static void leaves_malformed_packets_alone(void **state)
{
	static const struct {
		const char *name;
		int version;
		size_t at;
		uint8_t value;
	} cases[] = {
		{"version 5", 4, 0, 0x55},
		{"IPv4 header of 4 words", 4, 0, 0x44},
		{"IPv4 header beyond the packet", 4, 0, 0x4f},
		{"IPv4 longer than what is here", 4, 3, 45},
		{"IPv4 without room for TCP", 4, 3, 39},
		{"IPv4 total length within its header", 4, 3, 19},
		{"IPv4 more fragments", 4, 6, 0x20},
		{"IPv4 later fragment", 4, 7, 1},
		{"IPv4 UDP", 4, 9, 17},
		{"IPv6 longer than what is here", 6, 5, 25},
		{"IPv6 by 256 longer", 6, 4, 1},
		{"IPv6 without room for TCP", 6, 5, 19},
		{"IPv6 empty", 6, 5, 0},
		{"IPv6 fragment", 6, 6, 44},
		{"IPv6 UDP", 6, 6, 17},
		{"IPv6 routing header", 6, 6, 43},
		{"IPv6 hop-by-hop that is none", 6, 6, 0},
		{"TCP header of 4 words", 4, 20 + 12, 0x40},
		{"TCP header beyond the packet", 4, 20 + 12, 0x70},
		{"TCP header beyond the packet (IPv6)", 6, 40 + 12, 0xf0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct packet p = make(cases[i].version, NULL, 0, PROTO_TCP, SYN, mss1460, 4, 0);

		p.bytes[cases[i].at] = cases[i].value;
		expect_untouched(cases[i].name, &p, p.len, 1000);
	}
}

static void leaves_packets_that_were_cut_alone(void **state)
{
	for (int version = 4; version <= 6; version += 2) {
		struct packet p = make(version, NULL, 0, PROTO_TCP, SYN, mss1460, 4, 0);

		for (size_t len = 0; len < p.len; len++)
			expect_untouched("cut", &p, len, 1000);
		for (unsigned mtu = 0; mtu <= (version == 4 ? 40u : 60u); mtu++)
			expect_untouched("MTU without room for a segment", &p, p.len, (uint16_t)mtu);
		assert_true(tcp_mss_clamp(p.bytes, p.len, 61));
		assert_int_equal(tcp_sum(&p), 0xffff);
	}
}

static void walks_over_options_of_ip(void **state)
{
	struct packet p = make(4, BYTES(0x94, 4, 0, 0), 0, SYN, mss1460, 4, 0);

	assert_true(tcp_mss_clamp(p.bytes, p.len, 1400));
	assert_int_equal(tcp_sum(&p), 0xffff);
	p = make(6, BYTES(PROTO_TCP, 0, 5, 2, 0, 0, 1, 0), 0, SYN, mss1460, 4, 0);
	assert_true(tcp_mss_clamp(p.bytes, p.len, 1400));
	assert_int_equal(tcp_sum(&p), 0xffff);
	p = make(6, BYTES(60, 0, 5, 2, 0, 0, 1, 0, PROTO_TCP, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
		0, SYN, mss1460, 4, 0);
	assert_true(tcp_mss_clamp(p.bytes, p.len, 1400));
	assert_int_equal(tcp_sum(&p), 0xffff);
	p = make(6, BYTES(PROTO_TCP, 9, 5, 2, 0, 0, 1, 0), 0, SYN, mss1460, 4, 0);
	expect_untouched("extension header beyond the packet", &p, p.len, 1400);
}

static void checksum_is_right_for_any_values(void **state)
{
	struct rng rng;

	rng_init_seed(&rng, 4);
	for (int i = 0; i < 50000; i++) {
		uint16_t mss = (uint16_t)rng_u32(&rng), mtu = (uint16_t)rng_u32(&rng);
		uint8_t odd = (uint8_t)rng_below(&rng, 2);
		uint8_t options[8] = {1, 1, 1, 1, 1, 1, 1, 1};
		struct packet p;
		uint8_t *value;

		options[odd] = 2;
		options[odd + 1] = 4;
		put16(options + odd + 2, mss);
		p = make(rng_below(&rng, 2) ? 4 : 6, NULL, 0, PROTO_TCP, SYN, options, 8, rng_below(&rng, 5));
		value = p.bytes + p.tcp + 20 + odd + 2;
		tcp_mss_clamp(p.bytes, p.len, mtu);
		assert_int_equal(tcp_sum(&p), 0xffff);
		if (mtu > 60)
			assert_true((value[0] << 8 | value[1]) <= mtu - 40);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lowers_the_mss_and_mends_the_checksum),
		cmocka_unit_test(leaves_other_segments_and_options_alone),
		cmocka_unit_test(leaves_malformed_packets_alone),
		cmocka_unit_test(leaves_packets_that_were_cut_alone),
		cmocka_unit_test(walks_over_options_of_ip),
		cmocka_unit_test(checksum_is_right_for_any_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
