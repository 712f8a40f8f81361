/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of inet/ip4: IPv4 headers, and UDP in them. */
#include <string.h>

#include "check.h"
#include "inet/packet.h"
#include "lib/rng.h"

/* From 192.0.2.1 port 67 to 198.51.100.7 port 68, "abc". */
static const uint8_t udp4[] = {0x45, 0, 0, 31, 0, 0, 0, 0, 64, 17, 0x8e, 0x92, 192, 0, 2, 1, 198, 51, 100,
	7, /* */
	0, 67, 0, 68, 0, 11, 0x4e, 0xb2, 'a', 'b', 'c'};

/* The sum of the header at PACKET as it should be, written into it. */
static void mend_header(uint8_t *packet, size_t header_len)
{
	uint16_t sum;

	packet[10] = packet[11] = 0;
	sum = (uint16_t)~plain_sum(packet, header_len, 0);
	packet[10] = (uint8_t)(sum >> 8);
	packet[11] = (uint8_t)sum;
}

static void reads_an_ipv4_header(void **state)
{
	uint8_t packet[] = {0x47, 0xb8, 0, 32, 0x12, 0x34, 0x40, 0x05, 63, 253, 0, 0, 10, 0, 0, 1, 10, 0, 0,
		2,
		/* options */ 1, 1, 1, 1, 1, 1, 1, 0, /* payload */ 1, 2, 3, 4, /* behind it */ 9, 9};
	struct addr src = addr4(10, 0, 0, 1), dst = addr4(10, 0, 0, 2);
	struct reader r = reader_of(packet, sizeof(packet));
	struct ip4 h;

	mend_header(packet, 28);
	ip4_read(&r, &h);
	assert_true(reader_ok(&r));
	assert_true(addr_equal(&h.src, &src));
	assert_true(addr_equal(&h.dst, &dst));
	assert_int_equal(h.tos, 0xb8);
	assert_int_equal(h.id, 0x1234);
	assert_int_equal(h.fragment, 0x4005);
	assert_int_equal(h.ttl, 63);
	assert_int_equal(h.protocol, 253);
	assert_int_equal(h.payload_len, 4);
	assert_int_equal(reader_left(&r), 4); /* without what came behind it */
	assert_int_equal(reader_u32(&r), 0x01020304);
}

static void refuses_malformed_ipv4_headers(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		uint8_t first, total_high, total_low;
		const char *why;
	} cases[] = {
		{"nothing", 0, 0x45, 0, 31, "truncated"},
		{"one byte", 1, 0x45, 0, 31, "truncated"},
		{"one byte short of a header", 19, 0x45, 0, 19, "truncated"},
		{"IPv6", 31, 0x60, 0, 31, "not IPv4"},
		{"version 0", 31, 0x05, 0, 31, "not IPv4"},
		{"version 15", 31, 0xf5, 0, 31, "not IPv4"},
		{"header of 0 bytes", 31, 0x40, 0, 31, "bad header length"},
		{"header of 16 bytes", 31, 0x44, 0, 31, "bad header length"},
		{"header longer than the packet says it is", 31, 0x48, 0, 31, "bad header length"},
		{"total length 0", 31, 0x45, 0, 0, "bad header length"},
		{"total length shorter than the header", 31, 0x45, 0, 19, "bad header length"},
		{"header longer than the input", 31, 0x4f, 0, 60, "shorter than its total length"},
		{"payload one byte short", 30, 0x45, 0, 31, "shorter than its total length"},
		{"length by 256 too large", 31, 0x45, 1, 31, "shorter than its total length"},
		{"largest length", 31, 0x45, 255, 255, "shorter than its total length"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t packet[sizeof(udp4)];
		struct ip4 h = {.ttl = 77};
		struct reader r = reader_of(packet, cases[i].len);

		memcpy(packet, udp4, sizeof(packet));
		packet[0] = cases[i].first;
		packet[2] = cases[i].total_high;
		packet[3] = cases[i].total_low;
		mend_header(packet, 20);
		ip4_read(&r, &h);
		if (reader_ok(&r) || strcmp(r.error, cases[i].why) != 0)
			fail_msg("%s: %s", cases[i].name, r.error ? r.error : "accepted");
		assert_int_equal(h.ttl, 77);
	}
}

static void every_flipped_bit_of_a_header_is_seen(void **state)
{
	for (size_t bit = 0; bit < IP4_HEADER * 8; bit++) {
		uint8_t packet[sizeof(udp4)];
		struct reader r = reader_of(packet, sizeof(packet));
		struct ip4 h = {.ttl = 77};

		memcpy(packet, udp4, sizeof(packet));
		packet[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		ip4_read(&r, &h);
		assert_false(reader_ok(&r));
		assert_int_equal(h.ttl, 77);
		if (bit / 8 >= 4) /* where no length or version is touched, it is the checksum that tells */
			assert_string_equal(r.error, "bad header checksum");
	}
}

static void writes_udp(void **state)
{
	struct addr src = addr4(192, 0, 2, 1), dst = addr4(198, 51, 100, 7);
	uint8_t buf[64];
	struct writer w = writer_of(buf, sizeof(buf));

	assert_int_equal(plain_sum(udp4, 20, 0), 0xffff);
	assert_int_equal(plain_upper_sum(udp4 + 12, 8, 17, udp4 + 20, 11), 0xffff);
	writer_u16(&w, 0xbeef); /* whatever stands before it */
	ip4_udp_write(&w, &src, &dst, 67, 68, "abc", 3);
	assert_true(writer_ok(&w));
	assert_int_equal(writer_len(&w), 2 + sizeof(udp4));
	assert_memory_equal(buf + 2, udp4, sizeof(udp4));
	w = writer_of(buf, sizeof(udp4) - 1);
	ip4_udp_write(&w, &src, &dst, 67, 68, "abc", 3);
	assert_false(writer_ok(&w));
}

static void no_address_is_this_host_and_everybody(void **state)
{
	static const uint8_t addresses[] = {0, 0, 0, 0, 255, 255, 255, 255};
	struct addr none = {0};
	uint8_t buf[64];
	struct writer w = writer_of(buf, sizeof(buf));

	ip4_udp_write(&w, &none, &none, 68, 67, "abc", 3);
	assert_int_equal(writer_len(&w), sizeof(udp4));
	assert_memory_equal(buf + 12, addresses, sizeof(addresses));
	assert_int_equal(plain_sum(buf, 20, 0), 0xffff);
	assert_int_equal(plain_upper_sum(buf + 12, 8, 17, buf + 20, 11), 0xffff);
}

static void does_not_write_what_is_longer_than_a_packet(void **state)
{
	static uint8_t data[65536], buf[70000];
	struct addr src = addr4(192, 0, 2, 1), dst = addr4(198, 51, 100, 7);
	struct writer w = writer_of(buf, sizeof(buf));

	ip4_udp_write(&w, &src, &dst, 1, 2, data, 65507);
	assert_true(writer_ok(&w));
	assert_int_equal(writer_len(&w), 65535);
	w = writer_of(buf, sizeof(buf));
	ip4_udp_write(&w, &src, &dst, 1, 2, data, 65508);
	assert_false(writer_ok(&w));
	assert_int_equal(writer_len(&w), 0);
}

static const char *udp_refusal(const uint8_t *packet, size_t len, struct reader *ret)
{
	struct reader r = reader_of(packet, len);
	uint16_t src_port = 0, dst_port = 0;
	const char *why = NULL;
	struct ip4 h;

	ip4_read(&r, &h);
	assert_true(reader_ok(&r));
	if (!ip4_udp_read(&h, r, &src_port, &dst_port, ret, &why)) {
		assert_int_equal(src_port | dst_port, 0);
		return why;
	}
	assert_int_equal(src_port, 67);
	assert_int_equal(dst_port, 68);
	return NULL;
}

static void reads_udp(void **state)
{
	uint8_t padded[sizeof(udp4) + 2] = {0};
	struct reader data;

	assert_null(udp_refusal(udp4, sizeof(udp4), &data));
	assert_int_equal(reader_left(&data), 3);
	assert_memory_equal(data.pos, "abc", 3);

	memcpy(padded, udp4, sizeof(udp4));
	padded[3] += 2; /* bytes behind the datagram, inside the packet */
	mend_header(padded, 20);
	assert_null(udp_refusal(padded, sizeof(padded), &data));
	assert_int_equal(reader_left(&data), 3);

	memcpy(padded, udp4, sizeof(udp4));
	padded[6] = 0x40; /* DF makes no fragment */
	mend_header(padded, 20);
	assert_null(udp_refusal(padded, sizeof(udp4), &data));
}

static void udp_without_a_checksum_is_read(void **state)
{
	uint8_t packet[sizeof(udp4)];
	struct reader data;

	memcpy(packet, udp4, sizeof(packet));
	packet[26] = packet[27] = 0; /* RFC 768 */
	packet[30] = 'd';
	assert_null(udp_refusal(packet, sizeof(packet), &data));
	assert_memory_equal(data.pos, "abd", 3);
}

static void refuses_malformed_udp(void **state)
{
	static const struct {
		const char *name;
		size_t at;
		uint8_t value;
		const char *why;
	} cases[] = {
		{"TCP", 9, 6, "not UDP"},
		{"ICMP", 9, 1, "not UDP"},
		{"the first fragment of several", 6, 0x20, "fragment"},
		{"a later fragment", 7, 1, "fragment"},
		{"the last byte of a far fragment offset", 6, 0x10, "fragment"},
		{"empty payload", 3, 20, "UDP header truncated"},
		{"header one byte short", 3, 27, "UDP header truncated"},
		{"length 0", 25, 0, "UDP length shorter than its header"},
		{"length 7", 25, 7, "UDP length shorter than its header"},
		{"length one too many", 25, 12, "UDP length beyond the packet"},
		{"length by 256 too large", 24, 1, "UDP length beyond the packet"},
		{"length one less than was summed up", 25, 10, "wrong UDP checksum"},
		{"a flipped bit in the data", 30, 'b', "wrong UDP checksum"},
		{"another port", 21, 68, "wrong UDP checksum"},
		{"another source", 15, 2, "wrong UDP checksum"},
		{"another destination", 19, 8, "wrong UDP checksum"},
		{"another checksum", 27, 1, "wrong UDP checksum"},
	};
	uint8_t packet[sizeof(udp4)];
	struct reader data;
	const char *why;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memcpy(packet, udp4, sizeof(packet));
		packet[cases[i].at] = cases[i].value;
		mend_header(packet, 20);
		why = udp_refusal(packet, sizeof(packet), &data);
		if (!why || strcmp(why, cases[i].why) != 0)
			fail_msg("%s: %s", cases[i].name, why ? why : "accepted");
	}
}

static void udp_checksum_of_zero_is_written_as_ones(void **state)
{
	struct addr src = addr4(192, 0, 2, 1), dst = addr4(198, 51, 100, 7);
	uint8_t buf[64], data[] = {0, 0};
	struct reader ret;
	bool seen = false;

	for (unsigned i = 0; i < 0x10000; i++) {
		struct writer w = writer_of(buf, sizeof(buf));

		data[0] = (uint8_t)(i >> 8);
		data[1] = (uint8_t)i;
		ip4_udp_write(&w, &src, &dst, 67, 68, data, 2);
		assert_false(buf[26] == 0 && buf[27] == 0);
		seen |= buf[26] == 0xff && buf[27] == 0xff;
		if (buf[26] == 0xff && buf[27] == 0xff)
			assert_null(udp_refusal(buf, writer_len(&w), &ret));
	}
	assert_true(seen);
}

static void round_trips_udp_at_random(void **state)
{
	uint8_t data[600], buf[700];
	struct rng rng;

	rng_init_seed(&rng, 4);
	for (int i = 0; i < 2000; i++) {
		size_t len = rng_below(&rng, sizeof(data)), flip;
		struct addr src = addr4(0, 0, 0, 0), dst = addr4(0, 0, 0, 0);
		struct writer w = writer_of(buf, sizeof(buf));
		struct reader ret;

		rng_bytes(&rng, data, sizeof(data));
		rng_bytes(&rng, src.bytes, 4);
		rng_bytes(&rng, dst.bytes, 4);
		ip4_udp_write(&w, &src, &dst, 67, 68, data, len);
		assert_int_equal(plain_sum(buf, 20, 0), 0xffff);
		assert_int_equal(plain_upper_sum(buf + 12, 8, 17, buf + 20, len + 8), 0xffff);
		assert_null(udp_refusal(buf, writer_len(&w), &ret));
		assert_int_equal(reader_left(&ret), len);
		assert_memory_equal(ret.pos, data, len);
		flip = 24 + rng_below(&rng, (uint32_t)writer_len(&w) - 24);
		buf[flip] ^= (uint8_t)(1 << rng_below(&rng, 8));
		if (buf[26] || buf[27]) /* a flip that leaves 0 there makes it one without a checksum */
			assert_non_null(udp_refusal(buf, writer_len(&w), &ret));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_an_ipv4_header),
		cmocka_unit_test(refuses_malformed_ipv4_headers),
		cmocka_unit_test(every_flipped_bit_of_a_header_is_seen),
		cmocka_unit_test(writes_udp),
		cmocka_unit_test(no_address_is_this_host_and_everybody),
		cmocka_unit_test(does_not_write_what_is_longer_than_a_packet),
		cmocka_unit_test(reads_udp),
		cmocka_unit_test(udp_without_a_checksum_is_read),
		cmocka_unit_test(refuses_malformed_udp),
		cmocka_unit_test(udp_checksum_of_zero_is_written_as_ones),
		cmocka_unit_test(round_trips_udp_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
