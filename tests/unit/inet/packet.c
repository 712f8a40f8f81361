/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of inet/packet: checksums, IPv6 and UDP headers, ICMP errors. The MSS clamp has a file of its own. */
#include <string.h>

#include "check.h"
#include "inet/packet.h"
#include "lib/rng.h"

static struct addr addr_of(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

/* RFC 1071 section 3 sums these eight bytes up to ddf2. */
static void sums_the_example_of_rfc1071(void **state)
{
	static const uint8_t example[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	assert_int_equal(inet_sum(example, sizeof(example), 0), 0xddf2);
	assert_int_equal(inet_fold(0x2ddf0), 0x220d);
}

static void sum_agrees_with_the_plain_one(void **state)
{
	uint8_t data[2048];
	struct rng rng;

	rng_init_seed(&rng, 1);
	for (int round = 0; round < 3000; round++) {
		size_t at = rng_below(&rng, 16), len = rng_below(&rng, 2000),
		       first = rng_below(&rng, (uint32_t)len + 1) & ~1u;
		uint16_t expected;

		rng_bytes(&rng, data, sizeof(data));
		if (round % 8 == 0)
			memset(data, 0xff, sizeof(data));
		expected = (uint16_t)~plain_sum(data + at, len, 0);
		assert_int_equal(inet_fold(inet_sum(data + at, len, 0)), expected);
		assert_true(inet_sum(data + at, len, 0) <= 0xffff);
		assert_int_equal(
			inet_fold(inet_sum(data + at + first, len - first, inet_sum(data + at, first, 0))),
			expected);
		if (len) /* adding ones turns a sum of 0 into its other form, 0xffff */
			assert_int_equal(inet_fold(inet_sum(data + at, len, 0xffff0000)), expected);
	}
}

static void update_agrees_with_a_new_checksum(void **state)
{
	uint8_t data[20];
	struct rng rng;

	rng_init_seed(&rng, 2);
	for (int round = 0; round < 100000; round++) {
		uint16_t before, old_word, new_word = (uint16_t)rng_u32(&rng);
		size_t at = rng_below(&rng, 10) * 2;

		rng_bytes(&rng, data, sizeof(data));
		before = inet_fold(inet_sum(data, sizeof(data), 0));
		old_word = (uint16_t)(data[at] << 8 | data[at + 1]);
		data[at] = (uint8_t)(new_word >> 8);
		data[at + 1] = (uint8_t)new_word;
		assert_int_equal(inet_checksum_update(before, old_word, new_word),
			inet_fold(inet_sum(data, sizeof(data), 0)));
	}
	/* RFC 1624 section 4: the example that the earlier equation got wrong */
	assert_int_equal(inet_checksum_update(0xdd2f, 0x5555, 0x3285), 0x0000);
}

/* An IPv6 packet: header, and four bytes of an unknown protocol. */
static const uint8_t plain6[] = {0x6a, 0xb0, 0x12, 0x34, 0x00, 0x04, 0xfd, 0x40, /* */
	0x20, 0x01, 0x0d, 0xb8, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x05, /* src */
	0x20, 0x01, 0x0d, 0xb8, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x06, /* dst */
	1, 2, 3, 4};

static void reads_an_ipv6_header(void **state)
{
	uint8_t longer[sizeof(plain6) + 3] = {0};
	struct addr src = addr_of("2001:db8:1::5"), dst = addr_of("2001:db8:2::6");
	struct reader r = reader_of(longer, sizeof(longer));
	struct ip6 h;

	memcpy(longer, plain6, sizeof(plain6));
	ip6_read(&r, &h);
	assert_true(reader_ok(&r));
	assert_int_equal(h.traffic_class, 0xab);
	assert_int_equal(h.payload_len, 4);
	assert_int_equal(h.next_header, 253);
	assert_int_equal(h.hop_limit, 64);
	assert_true(addr_equal(&h.src, &src));
	assert_true(addr_equal(&h.dst, &dst));
	assert_int_equal(reader_left(&r), 4); /* without what came behind it */
	assert_int_equal(reader_u32(&r), 0x01020304);
}

static void refuses_malformed_ipv6_headers(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		uint8_t first, payload_high, payload_low;
		const char *why;
	} cases[] = {
		{"nothing", 0, 0x60, 0, 4, "truncated"},
		{"one byte", 1, 0x60, 0, 4, "truncated"},
		{"one byte short of a header", 39, 0x60, 0, 0, "truncated"},
		{"short and not IPv6", 20, 0x45, 0, 0, "truncated"},
		{"IPv4", 44, 0x45, 0, 4, "not IPv6"},
		{"version 0", 44, 0x00, 0, 4, "not IPv6"},
		{"version 7", 44, 0x70, 0, 4, "not IPv6"},
		{"version 15", 44, 0xf0, 0, 4, "not IPv6"},
		{"payload missing", 40, 0x60, 0, 4, "shorter than its payload length"},
		{"payload one byte short", 43, 0x60, 0, 4, "shorter than its payload length"},
		{"length by 256 too large", 44, 0x60, 1, 4, "shorter than its payload length"},
		{"largest length", 44, 0x60, 255, 255, "shorter than its payload length"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t packet[sizeof(plain6)];
		struct ip6 h = {.hop_limit = 77};
		struct reader r = reader_of(packet, cases[i].len);

		memcpy(packet, plain6, sizeof(packet));
		packet[0] = cases[i].first;
		packet[4] = cases[i].payload_high;
		packet[5] = cases[i].payload_low;
		ip6_read(&r, &h);
		if (reader_ok(&r) || strcmp(r.error, cases[i].why) != 0)
			fail_msg("%s: %s", cases[i].name, r.error ? r.error : "accepted");
		assert_int_equal(h.hop_limit, 77);
	}
}

static void write_and_read_agree(void **state)
{
	struct ip6 h = {.src = addr_of("2001:db8:1::5"),
		.dst = addr_of("2001:db8:2::6"),
		.next_header = 253,
		.hop_limit = 64,
		.traffic_class = 0xab};
	uint8_t buf[64];
	struct writer w = writer_of(buf, sizeof(buf));
	size_t at;

	writer_u8(&w, 0xee); /* a header need not stand at the start */
	at = ip6_begin(&w, &h);
	assert_int_equal(at, 1);
	writer_u32(&w, 0x01020304);
	ip6_finish(&w, at);
	assert_int_equal(writer_len(&w), 1 + sizeof(plain6));
	buf[3] = 0x12; /* the flow label, which is not ours to set */
	buf[4] = 0x34;
	assert_memory_equal(buf + 1, plain6, sizeof(plain6));
}

static void finish_refuses_what_has_no_room_for_its_checksum(void **state)
{
	struct ip6 h = {.src = addr_of("::1"), .dst = addr_of("::2"), .next_header = PROTO_UDP};
	static uint8_t buf[70000];
	struct writer w = writer_of(buf, sizeof(buf));

	ip6_begin(&w, &h);
	writer_zeros(&w, 7);
	ip6_finish(&w, 0);
	assert_false(writer_ok(&w));
	w = writer_of(buf, sizeof(buf));
	h.next_header = 253;
	ip6_begin(&w, &h);
	writer_zeros(&w, 65535);
	ip6_finish(&w, 0);
	assert_true(writer_ok(&w));
	writer_u8(&w, 0);
	ip6_finish(&w, 0);
	assert_false(writer_ok(&w));
	w = writer_of(buf, 39);
	ip6_finish(&w, ip6_begin(&w, &h));
	assert_false(writer_ok(&w));
}

/* From fe80::1 port 546 to ff02::1:2 port 547, "abc". */
static const uint8_t udp6[] = {0x60, 0, 0, 0, 0, 11, 17, 64,  /* */
	0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, /* */
	0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, /* */
	0x02, 0x22, 0x02, 0x23, 0, 11, 0x39, 0xa9, 'a', 'b', 'c'};

static void writes_udp(void **state)
{
	struct addr src = addr_of("fe80::1"), dst = addr_of("ff02::1:2");
	uint8_t buf[64];
	struct writer w = writer_of(buf, sizeof(buf));

	assert_int_equal(plain_upper_sum(udp6 + 8, 32, 17, udp6 + 40, 11), 0xffff);
	ip6_udp_write(&w, &src, &dst, 546, 547, "abc", 3);
	assert_true(writer_ok(&w));
	assert_int_equal(writer_len(&w), sizeof(udp6));
	assert_memory_equal(buf, udp6, sizeof(udp6));
	w = writer_of(buf, sizeof(udp6) - 1);
	ip6_udp_write(&w, &src, &dst, 546, 547, "abc", 3);
	assert_false(writer_ok(&w));
}

static const char *udp_refusal(const uint8_t *packet, size_t len, struct reader *ret)
{
	struct reader r = reader_of(packet, len);
	uint16_t src_port = 0, dst_port = 0;
	const char *why = NULL;
	struct ip6 h;

	ip6_read(&r, &h);
	assert_true(reader_ok(&r));
	if (!ip6_udp_read(&h, r, &src_port, &dst_port, ret, &why)) {
		assert_int_equal(src_port | dst_port, 0);
		return why;
	}
	assert_int_equal(src_port, 546);
	assert_int_equal(dst_port, 547);
	return NULL;
}

static void reads_udp(void **state)
{
	uint8_t padded[sizeof(udp6) + 2] = {0};
	struct reader data;

	assert_null(udp_refusal(udp6, sizeof(udp6), &data));
	assert_int_equal(reader_left(&data), 3);
	assert_memory_equal(data.pos, "abc", 3);

	memcpy(padded, udp6, sizeof(udp6));
	padded[5] = 13; /* bytes behind the datagram, inside the packet */
	assert_null(udp_refusal(padded, sizeof(padded), &data));
	assert_int_equal(reader_left(&data), 3);
}

static void refuses_malformed_udp(void **state)
{
	static const struct {
		const char *name;
		size_t at;
		uint8_t value;
		const char *why;
	} cases[] = {
		{"TCP", 6, 6, "not UDP"},
		{"fragment", 6, 44, "not UDP"},
		{"empty payload", 5, 0, "UDP header truncated"},
		{"header one byte short", 5, 7, "UDP header truncated"},
		{"length 0", 45, 0, "UDP length shorter than its header"},
		{"length 7", 45, 7, "UDP length shorter than its header"},
		{"length one too many", 45, 12, "UDP length beyond the packet"},
		{"length by 256 too large", 44, 1, "UDP length beyond the packet"},
		{"length one less than was summed up", 45, 10, "wrong UDP checksum"},
		{"a flipped bit in the data", 50, 'd', "wrong UDP checksum"},
		{"another port", 41, 0x23, "wrong UDP checksum"},
		{"another source", 23, 2, "wrong UDP checksum"},
		{"another destination", 39, 3, "wrong UDP checksum"},
		{"another checksum", 47, 0xaa, "wrong UDP checksum"},
	};
	uint8_t packet[sizeof(udp6)];
	struct reader data;
	const char *why;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memcpy(packet, udp6, sizeof(packet));
		packet[cases[i].at] = cases[i].value;
		why = udp_refusal(packet, sizeof(packet), &data);
		if (!why || strcmp(why, cases[i].why) != 0)
			fail_msg("%s: %s", cases[i].name, why ? why : "accepted");
	}
	memcpy(packet, udp6, sizeof(packet)); /* RFC 8200 section 8.1 */
	packet[46] = packet[47] = 0;
	assert_string_equal(udp_refusal(packet, sizeof(packet), &data), "no UDP checksum");
}

static void udp_checksum_of_zero_is_written_as_ones(void **state)
{
	struct addr src = addr_of("fe80::1"), dst = addr_of("ff02::1:2");
	uint8_t buf[64], data[] = {0, 0};
	struct reader ret;
	bool seen = false;

	for (unsigned i = 0; i < 0x10000; i++) {
		struct writer w = writer_of(buf, sizeof(buf));

		data[0] = (uint8_t)(i >> 8);
		data[1] = (uint8_t)i;
		ip6_udp_write(&w, &src, &dst, 546, 547, data, 2);
		assert_false(buf[46] == 0 && buf[47] == 0);
		seen |= buf[46] == 0xff && buf[47] == 0xff;
		if (buf[46] == 0xff && buf[47] == 0xff)
			assert_null(udp_refusal(buf, writer_len(&w), &ret));
	}
	assert_true(seen);
}

static void round_trips_udp_at_random(void **state)
{
	uint8_t data[600], buf[700];
	struct rng rng;

	rng_init_seed(&rng, 3);
	for (int i = 0; i < 2000; i++) {
		size_t len = rng_below(&rng, sizeof(data)), flip;
		struct addr src = addr_of("::"), dst = addr_of("::");
		struct writer w = writer_of(buf, sizeof(buf));
		struct reader ret;
		const char *why;

		rng_bytes(&rng, data, sizeof(data));
		rng_bytes(&rng, src.bytes, 16);
		rng_bytes(&rng, dst.bytes, 16);
		ip6_udp_write(&w, &src, &dst, 546, 547, data, len);
		assert_int_equal(plain_upper_sum(buf + 8, 32, 17, buf + 40, len + 8), 0xffff);
		assert_null(udp_refusal(buf, writer_len(&w), &ret));
		assert_int_equal(reader_left(&ret), len);
		assert_memory_equal(ret.pos, data, len);
		flip = 8 + rng_below(&rng, (uint32_t)writer_len(&w) - 8);
		buf[flip] ^= (uint8_t)(1 << rng_below(&rng, 8));
		why = udp_refusal(buf, writer_len(&w), &ret);
		assert_non_null(why);
	}
}

/* ---- ICMPv6 errors ---- */

/* RFC 4443 section 3.2: Packet Too Big, MTU 1400, from 2001:db8::1 about plain6. */
static const uint8_t too_big[] = {0x60, 0, 0, 0, 0, 52, 58, 64,     /* */
	0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, /* */
	0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, /* */
	2, 0, 0xc2, 0xf0, 0x00, 0x00, 0x05, 0x78,                   /* */
	0x6a, 0xb0, 0x12, 0x34, 0x00, 0x04, 0xfd, 0x40,             /* */
	0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, /* */
	0x20, 0x01, 0x0d, 0xb8, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 1, 2, 3, 4};

static void writes_packet_too_big(void **state)
{
	struct addr src = addr_of("2001:db8::1");
	uint8_t buf[IP6_MIN_MTU];
	struct writer w = writer_of(buf, sizeof(buf));

	assert_int_equal(plain_upper_sum(too_big + 8, 32, 58, too_big + 40, sizeof(too_big) - 40), 0xffff);
	assert_true(icmp6_error_write(&w, &src, ICMP6_TOO_BIG, 0, 1400, plain6, sizeof(plain6)));
	assert_int_equal(writer_len(&w), sizeof(too_big));
	assert_memory_equal(buf, too_big, sizeof(too_big));
}

/* An IPv6 packet with NEXT_HEADER and what follows it; the addresses of plain6. */
static size_t make6(uint8_t *buf, uint8_t next_header, const uint8_t *payload, size_t len)
{
	memcpy(buf, plain6, 40);
	buf[4] = (uint8_t)(len >> 8);
	buf[5] = (uint8_t)len;
	buf[6] = next_header;
	if (len)
		memcpy(buf + 40, payload, len);
	return 40 + len;
}

static void quotes_as_much_as_the_minimum_mtu_takes(void **state)
{
	static const size_t lengths[] = {0, 1, 1191, 1192, 1193, 1460, 8952};
	struct addr src = addr_of("2001:db8::1");
	static uint8_t payload[9000], packet[9100];
	uint8_t buf[IP6_MIN_MTU + 1];

	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		size_t len = make6(packet, PROTO_TCP, payload, lengths[i]), quoted = len < 1232 ? len : 1232;
		struct writer w = writer_of(buf, sizeof(buf));

		packet[len] = 0xee; /* behind the packet: not part of it */
		assert_true(
			icmp6_error_write(&w, &src, ICMP6_UNREACHABLE, ICMP6_NO_ROUTE, 0, packet, len + 1));
		assert_int_equal(writer_len(&w), 48 + quoted);
		assert_memory_equal(buf + 48, packet, quoted);
		assert_int_equal(plain_upper_sum(buf + 8, 32, 58, buf + 40, 8 + quoted), 0xffff);
	}
}

static void quotes_a_packet_that_was_cut_short(void **state)
{
	struct addr src = addr_of("2001:db8::1");
	uint8_t packet[140], payload[100] = {0}, buf[IP6_MIN_MTU];
	struct writer w = writer_of(buf, sizeof(buf));

	make6(packet, PROTO_TCP, payload, sizeof(payload));
	assert_true(icmp6_error_write(&w, &src, ICMP6_TIME_EXCEEDED, 0, 0, packet, 60));
	assert_int_equal(writer_len(&w), 48 + 60);
}

static void error_that_does_not_fit_is_told(void **state)
{
	struct addr src = addr_of("2001:db8::1");
	uint8_t buf[sizeof(too_big) - 1];
	struct writer w = writer_of(buf, sizeof(buf));

	assert_false(icmp6_error_write(&w, &src, ICMP6_TOO_BIG, 0, 1400, plain6, sizeof(plain6)));
	assert_false(writer_ok(&w));
}

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

/* RFC 4443 section 2.4 (e): what is behind the IPv6 header decides. */
static void no_icmp6_error_about_errors_and_redirects(void **state)
{
	const struct {
		const char *name;
		uint8_t next_header;
		const uint8_t *payload;
		size_t len;
		bool answered;
	} cases[] = {
		{"UDP", 17, BYTES(0, 1, 0, 2, 0, 8, 0, 0), true},
		{"echo request", 58, BYTES(128, 0, 0, 0), true},
		{"echo reply", 58, BYTES(129, 0, 0, 0), true},
		{"no next header", 59, BYTES(0), true},
		{"destination unreachable", 58, BYTES(1, 0, 0, 0), false},
		{"packet too big", 58, BYTES(2, 0, 0, 0), false},
		{"parameter problem", 58, BYTES(4, 0, 0, 0), false},
		{"unknown error 127", 58, BYTES(127, 0, 0, 0), false},
		{"redirect", 58, BYTES(137, 0, 0, 0), false},
		{"hop-by-hop, then echo", 0, BYTES(58, 0, 1, 4, 0, 0, 0, 0, 128), true},
		{"hop-by-hop, then error", 0, BYTES(58, 0, 1, 4, 0, 0, 0, 0, 1), false},
		{"two headers, then error", 60, BYTES(43, 0, 1, 4, 0, 0, 0, 0, 58, 0, 0, 0, 0, 0, 0, 0, 3),
			false},
		{"long header, then error", 60, BYTES(58, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3),
			false},
		{"authentication, then error", 51, BYTES(58, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3), false},
		{"authentication, then UDP", 51, BYTES(17, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3), true},
		{"first fragment of an error", 44, BYTES(58, 0, 0, 1, 0, 0, 0, 9, 1), false},
		{"first fragment of an echo", 44, BYTES(58, 0, 0, 1, 0, 0, 0, 9, 128), true},
		{"later fragment of ICMPv6", 44, BYTES(58, 0, 1, 0, 0, 0, 0, 9, 128), false},
		{"later fragment of UDP", 44, BYTES(17, 0, 1, 0, 0, 0, 0, 9, 1), true},
		{"ICMPv6 without a type", 58, NULL, 0, false},
		{"header cut short", 0, BYTES(58, 0, 1, 4), false},
		{"header beyond the packet", 0, BYTES(58, 9, 1, 4, 0, 0, 0, 0), false},
		{"more headers than anybody sends", 60,
			BYTES(60, 0, 1, 4, 0, 0, 0, 0, 60, 0, 1, 4, 0, 0, 0, 0, 60, 0, 1, 4, 0, 0, 0, 0, 60,
				0, 1, 4, 0, 0, 0, 0, 60, 0, 1, 4, 0, 0, 0, 0, 60, 0, 1, 4, 0, 0, 0, 0, 60, 0,
				1, 4, 0, 0, 0, 0, 60, 0, 1, 4, 0, 0, 0, 0, 58, 0, 1, 4, 0, 0, 0, 0, 1),
			false},
	};
	struct addr src = addr_of("2001:db8::1");
	uint8_t packet[200], buf[IP6_MIN_MTU];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct writer w = writer_of(buf, sizeof(buf));
		size_t len = make6(packet, cases[i].next_header, cases[i].payload, cases[i].len);

		if (icmp6_error_write(&w, &src, ICMP6_TOO_BIG, 0, 1280, packet, len) != cases[i].answered)
			fail_msg("%s", cases[i].name);
		assert_int_equal(writer_len(&w), cases[i].answered ? 48 + len : 0);
	}
}

static void no_icmp6_error_about_groups_and_to_sources_that_are_no_node(void **state)
{
	static const struct {
		const char *src, *dst;
		uint8_t type, code;
		bool answered;
	} cases[] = {
		{"2001:db8::5", "2001:db8::6", 1, 0, true},
		{"fe80::5", "2001:db8::6", 1, 0, true},
		{"::", "2001:db8::6", 1, 0, false},
		{"ff02::1", "2001:db8::6", 2, 0, false},
		{"2001:db8::5", "ff02::1", 1, 0, false},
		{"2001:db8::5", "ff0e::1", 3, 0, false},
		{"2001:db8::5", "ff0e::1", 2, 0, true}, /* (e.3) exception 1 */
		{"2001:db8::5", "ff02::1", 4, 2, true}, /* (e.3) exception 2 */
		{"2001:db8::5", "ff02::1", 4, 1, false},
		{"::", "ff02::1", 2, 0, false},
	};
	struct addr about = addr_of("2001:db8::1");
	uint8_t packet[44], buf[IP6_MIN_MTU];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct addr src = addr_of(cases[i].src), dst = addr_of(cases[i].dst);
		struct writer w = writer_of(buf, sizeof(buf));

		memcpy(packet, plain6, sizeof(packet));
		memcpy(packet + 8, src.bytes, 16);
		memcpy(packet + 24, dst.bytes, 16);
		if (icmp6_error_write(&w, &about, cases[i].type, cases[i].code, 0, packet, sizeof(packet)) !=
			cases[i].answered)
			fail_msg("from %s to %s, type %u", cases[i].src, cases[i].dst, cases[i].type);
	}
}

static void no_icmp6_error_about_what_is_no_ipv6_packet(void **state)
{
	struct addr src = addr_of("2001:db8::1");
	uint8_t packet[44], buf[IP6_MIN_MTU];

	memcpy(packet, plain6, sizeof(packet));
	for (size_t len = 0; len < 40; len++) {
		struct writer w = writer_of(buf, sizeof(buf));

		assert_false(icmp6_error_write(&w, &src, 2, 0, 1280, packet, len));
	}
	for (unsigned version = 0; version < 16; version++) {
		struct writer w = writer_of(buf, sizeof(buf));

		packet[0] = (uint8_t)(version << 4);
		assert_int_equal(
			icmp6_error_write(&w, &src, 2, 0, 1280, packet, sizeof(packet)), version == 6);
	}
}

/* ---- ICMP errors ---- */

/* 20 bytes of header, 8 of UDP. */
static const uint8_t plain4[] = {0x45, 0x00, 0x00, 0x1c, 0x12, 0x34, 0x40, 0x00, 0x40, 0x11, 0x3c, 0x5e, /* */
	192, 0, 2, 5, 198, 51, 100, 6, 0x04, 0x00, 0x00, 0x35, 0x00, 0x08, 0x00, 0x00};

/* RFC 792 and RFC 1191: fragmentation needed, next-hop MTU 1400, from 192.0.2.1. */
static const uint8_t needed4[] = {0x45, 0xc0, 0x00, 0x38, 0x00, 0x00, 0x40, 0x00, 0x40, 0x01, 0xb5,
	0xfe,                                                                 /* */
	192, 0, 2, 1, 192, 0, 2, 5, 3, 4, 0xf3, 0x46, 0x00, 0x00, 0x05, 0x78, /* */
	0x45, 0x00, 0x00, 0x1c, 0x12, 0x34, 0x40, 0x00, 0x40, 0x11, 0x3c, 0x5e, 192, 0, 2, 5, 198, 51, 100,
	6, /* */
	0x04, 0x00, 0x00, 0x35, 0x00, 0x08, 0x00, 0x00};

static void writes_fragmentation_needed(void **state)
{
	struct addr src = addr4(192, 0, 2, 1);
	uint8_t buf[576];
	struct writer w = writer_of(buf, sizeof(buf));

	assert_int_equal(plain_sum(needed4, 20, 0), 0xffff);
	assert_int_equal(plain_sum(needed4 + 20, sizeof(needed4) - 20, 0), 0xffff);
	assert_true(icmp4_error_write(&w, &src, 3, 4, 1400, plain4, sizeof(plain4)));
	assert_int_equal(writer_len(&w), sizeof(needed4));
	assert_memory_equal(buf, needed4, sizeof(needed4));
}

static void quotes_at_most_576_bytes_in_all(void **state)
{
	static const size_t lengths[] = {28, 547, 548, 549, 1500};
	struct addr src = addr4(192, 0, 2, 1);
	static uint8_t packet[1600];
	uint8_t buf[700];

	for (size_t i = 0; i < sizeof(packet); i++)
		packet[i] = (uint8_t)(i * 5);
	memcpy(packet, plain4, sizeof(plain4));
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		size_t quoted = lengths[i] < 548 ? lengths[i] : 548;
		struct writer w = writer_of(buf, sizeof(buf));

		packet[2] = (uint8_t)(lengths[i] >> 8);
		packet[3] = (uint8_t)lengths[i];
		assert_true(icmp4_error_write(&w, &src, 11, 0, 0, packet, lengths[i] + 4));
		assert_int_equal(writer_len(&w), 28 + quoted);
		assert_int_equal(buf[2] << 8 | buf[3], 28 + quoted);
		assert_memory_equal(buf + 28, packet, quoted);
		assert_int_equal(plain_sum(buf, 20, 0), 0xffff);
		assert_int_equal(plain_sum(buf + 20, 8 + quoted, 0), 0xffff);
	}
}

/* RFC 1812 section 4.3.2.7 */
static void no_icmp4_error_where_rfc1812_forbids_it(void **state)
{
	static const struct {
		const char *name;
		size_t at;
		uint8_t value[4];
		size_t n;
		bool answered;
	} cases[] = {
		{"UDP", 9, {17}, 1, true}, {"first fragment", 6, {0x20, 0}, 2, true},
		{"later fragment", 6, {0x00, 1}, 2, false}, {"last fragment", 6, {0x1f, 0xff}, 2, false},
		{"source 0.0.0.0", 12, {0, 0, 0, 0}, 4, false},
		{"source on network 0", 12, {0, 1, 2, 3}, 4, false},
		{"source loopback", 12, {127, 0, 0, 1}, 4, false},
		{"source multicast", 12, {224, 0, 0, 5}, 4, false},
		{"source reserved", 12, {240, 0, 0, 1}, 4, false},
		{"source broadcast", 12, {255, 255, 255, 255}, 4, false},
		{"destination multicast", 16, {239, 1, 1, 1}, 4, false},
		{"destination broadcast", 16, {255, 255, 255, 255}, 4, false},
		{"not IPv4", 0, {0x65}, 1, false}, {"header length 4 words", 0, {0x44}, 1, false},
		{"header longer than the packet", 0, {0x48}, 1, false},
		{"total length shorter than the header", 2, {0, 19}, 2, false},
		{"total length larger than what is here", 2, {5, 0}, 2,
			true}, /* cut short on the way to us */
	};
	struct addr src = addr4(192, 0, 2, 1);
	uint8_t packet[sizeof(plain4)], buf[576];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct writer w = writer_of(buf, sizeof(buf));

		memcpy(packet, plain4, sizeof(packet));
		memcpy(packet + cases[i].at, cases[i].value, cases[i].n);
		if (icmp4_error_write(&w, &src, 3, 0, 0, packet, sizeof(packet)) != cases[i].answered)
			fail_msg("%s", cases[i].name);
		assert_int_equal(writer_len(&w) > 0, cases[i].answered);
	}
	for (size_t len = 0; len < 20; len++) {
		struct writer w = writer_of(buf, sizeof(buf));

		assert_false(icmp4_error_write(&w, &src, 3, 0, 0, plain4, len));
	}
}

static void no_icmp4_error_about_errors(void **state)
{
	static const uint8_t errors[] = {3, 4, 5, 11, 12};
	struct addr src = addr4(192, 0, 2, 1);
	uint8_t packet[sizeof(plain4)], buf[576];
	struct writer w;

	memcpy(packet, plain4, sizeof(packet));
	packet[9] = PROTO_ICMP;
	for (unsigned type = 0; type < 256; type++) {
		bool error = memchr(errors, (int)type, sizeof(errors));

		packet[20] = (uint8_t)type;
		w = writer_of(buf, sizeof(buf));
		assert_int_equal(icmp4_error_write(&w, &src, 3, 0, 0, packet, sizeof(packet)), !error);
	}
	w = writer_of(buf, sizeof(buf));
	assert_false(icmp4_error_write(&w, &src, 3, 0, 0, packet, 20)); /* the type was cut off */
	packet[0] = 0x46;                                               /* with an option */
	packet[20] = 8;
	packet[24] = 3;
	assert_false(icmp4_error_write(&w, &src, 3, 0, 0, packet, sizeof(packet)));
	packet[24] = 8;
	assert_true(icmp4_error_write(&w, &src, 3, 0, 0, packet, sizeof(packet)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_the_example_of_rfc1071),
		cmocka_unit_test(sum_agrees_with_the_plain_one),
		cmocka_unit_test(update_agrees_with_a_new_checksum),
		cmocka_unit_test(reads_an_ipv6_header),
		cmocka_unit_test(refuses_malformed_ipv6_headers),
		cmocka_unit_test(write_and_read_agree),
		cmocka_unit_test(finish_refuses_what_has_no_room_for_its_checksum),
		cmocka_unit_test(writes_udp),
		cmocka_unit_test(reads_udp),
		cmocka_unit_test(refuses_malformed_udp),
		cmocka_unit_test(udp_checksum_of_zero_is_written_as_ones),
		cmocka_unit_test(round_trips_udp_at_random),
		cmocka_unit_test(writes_packet_too_big),
		cmocka_unit_test(quotes_as_much_as_the_minimum_mtu_takes),
		cmocka_unit_test(quotes_a_packet_that_was_cut_short),
		cmocka_unit_test(error_that_does_not_fit_is_told),
		cmocka_unit_test(no_icmp6_error_about_errors_and_redirects),
		cmocka_unit_test(no_icmp6_error_about_groups_and_to_sources_that_are_no_node),
		cmocka_unit_test(no_icmp6_error_about_what_is_no_ipv6_packet),
		cmocka_unit_test(writes_fragmentation_needed),
		cmocka_unit_test(quotes_at_most_576_bytes_in_all),
		cmocka_unit_test(no_icmp4_error_where_rfc1812_forbids_it),
		cmocka_unit_test(no_icmp4_error_about_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
