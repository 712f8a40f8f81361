/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of inet/inner. */
#include <string.h>

#include "check.h"
#include "inet/inner.h"

static uint8_t four[24] = {
	0x45, 0, 0, 24, 1, 2, 0x40, 0, 61, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2, 1, 2, 3, 4};
static uint8_t six[44] = {0x60, 0, 0, 0, 0, 4, 17, 62, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
	0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 3, 4};

static void reads_whole_packets(void **state)
{
	uint8_t padded[64] = {0};
	struct inner i;

	memcpy(padded, four, sizeof(four));
	assert_int_equal(inner_family(padded, 1), AF_INET);
	assert_true(inner_read(AF_INET, padded, sizeof(padded), &i));
	assert_int_equal(i.len, 24);
	assert_int_equal(i.header, 20);
	assert_int_equal(i.src.family, AF_INET);
	assert_memory_equal(i.src.bytes, four + 12, 4);
	assert_memory_equal(i.dst.bytes, four + 16, 4);
	assert_int_equal(inner_ttl(padded), 61);

	memcpy(padded, six, sizeof(six));
	assert_int_equal(inner_family(padded, 1), AF_INET6);
	assert_true(inner_read(AF_INET6, padded, sizeof(padded), &i));
	assert_int_equal(i.len, 44);
	assert_int_equal(i.header, 0);
	assert_memory_equal(i.src.bytes, six + 8, 16);
	assert_memory_equal(i.dst.bytes, six + 24, 16);
	assert_int_equal(inner_ttl(padded), 62);
}

/* proves: MESH-ENC-11 partial */
static void a_ttl_is_lowered_and_never_raised(void **state)
{
	static const uint8_t limits[] = {255, 62, 60, 1, 0};
	uint8_t packet[44];

	for (size_t i = 0; i < sizeof(limits); i++)
		for (unsigned v6 = 0; v6 < 2; v6++) {
			uint8_t before = v6 ? 62 : 61;
			uint16_t checksum = 0x1234, expected;

			memcpy(packet, v6 ? six : four, v6 ? sizeof(six) : sizeof(four));
			packet[10] = v6 ? packet[10] : 0x12;
			packet[11] = v6 ? packet[11] : 0x34;
			inner_lower_ttl(packet, limits[i]);
			assert_int_equal(inner_ttl(packet), before < limits[i] ? before : limits[i]);
			if (v6)
				continue;
			/* What the field has lost, the sum has lost, and its complement has gained. */
			expected = (uint16_t)(checksum + ((before - inner_ttl(packet)) << 8));
			assert_int_equal(packet[10] << 8 | packet[11], expected);
		}
}

static void refuses_what_is_no_whole_packet(void **state)
{
	static const struct {
		const char *name;
		uint8_t family;
		size_t len;
		size_t at;
		uint8_t value;
	} cases[] = {
		{"nothing", AF_INET, 0, 0, 0x45},
		{"nothing of IPv6", AF_INET6, 0, 0, 0x60},
		{"a header that is cut", AF_INET, 19, 0, 0x45},
		{"an IPv6 header that is cut", AF_INET6, 39, 0, 0x60},
		{"IPv6 said to be IPv4", AF_INET, 24, 0, 0x65},
		{"IPv4 said to be IPv6", AF_INET6, 44, 0, 0x45},
		{"version 0", AF_INET, 24, 0, 0x05},
		{"a header of 4 words", AF_INET, 24, 0, 0x44},
		{"a header beyond the packet", AF_INET, 24, 0, 0x47},
		{"longer than it is", AF_INET, 24, 3, 25},
		{"shorter than its header", AF_INET, 24, 3, 19},
		{"by 256 longer", AF_INET, 24, 2, 1},
		{"IPv6 longer than it is", AF_INET6, 44, 5, 5},
		{"IPv6 by 256 longer", AF_INET6, 44, 4, 1},
		{"a payload that is cut", AF_INET, 23, 0, 0x45},
		{"an IPv6 payload that is cut", AF_INET6, 43, 0, 0x60},
	};

	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		struct inner i = {.len = 4711};
		uint8_t packet[44];

		print_message("%s\n", cases[n].name);
		if (cases[n].family == AF_INET)
			memcpy(packet, four, sizeof(four));
		else
			memcpy(packet, six, sizeof(six));
		packet[cases[n].at] = cases[n].value;
		assert_false(inner_read(cases[n].family, packet, cases[n].len, &i));
		assert_int_equal(i.len, 4711);
	}
	assert_int_equal(inner_family(four, 0), 0);
	assert_int_equal(inner_family((const uint8_t *)"\x54", 1), 0);
}

static void knows_what_stays_on_its_link(void **state)
{
	static const struct {
		const char *src, *dst;
		bool local;
	} cases[] = {{"192.0.2.1", "198.51.100.2", false}, {"2001:db8::1", "2001:db8::2", false},
		{"fe80::1", "2001:db8::2", true}, {"2001:db8::1", "fe80::2", true},
		{"2001:db8::1", "ff0e::1", true}, {"2001:db8::1", "ff02::5", true},
		{"::", "2001:db8::1", true}, {"192.0.2.1", "224.0.0.5", true},
		{"192.0.2.1", "239.1.1.1", true}, {"192.0.2.1", "255.255.255.255", true},
		{"169.254.1.1", "192.0.2.1", true}, {"192.0.2.1", "169.254.1.1", true},
		{"0.0.0.0", "192.0.2.1", true}};

	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		struct inner i = {0};

		assert_int_equal(addr_parse(cases[n].src, &i.src), 0);
		assert_int_equal(addr_parse(cases[n].dst, &i.dst), 0);
		if (inner_is_local(&i) != cases[n].local)
			fail_msg("%s %s", cases[n].src, cases[n].dst);
	}
}

static uint32_t flow_of(const uint8_t *packet, size_t len, uint64_t seed)
{
	struct inner i;

	assert_true(inner_read(inner_family(packet, len), packet, len, &i));
	return inner_flow(packet, &i, seed);
}

/* Which bytes of the packet make another flow. */
static void expect_in_flow(const uint8_t *packet, size_t len, size_t at, bool in)
{
	uint8_t other[64];

	memcpy(other, packet, len);
	other[at] ^= 1;
	if ((flow_of(other, len, 7) != flow_of(packet, len, 7)) != in)
		fail_msg("octet %zu", at);
}

static void a_flow_is_addresses_protocol_ports_and_label(void **state)
{
	uint8_t fragment[24], later[24];

	for (size_t at = 12; at < 24; at++)
		expect_in_flow(four, sizeof(four), at, true);
	expect_in_flow(four, sizeof(four), 1, false); /* TOS, identification, TTL */
	expect_in_flow(four, sizeof(four), 5, false);
	expect_in_flow(four, sizeof(four), 8, false);
	for (size_t at = 8; at < 44; at++)
		expect_in_flow(six, sizeof(six), at, true);
	expect_in_flow(six, sizeof(six), 3, true);
	expect_in_flow(six, sizeof(six), 6, true);
	expect_in_flow(six, sizeof(six), 7, false);
	assert_int_not_equal(flow_of(four, sizeof(four), 7), flow_of(four, sizeof(four), 8));

	/* Fragments of one packet are of one flow, though only the first has ports. */
	memcpy(fragment, four, 24);
	memcpy(later, four, 24);
	fragment[6] = 0x20;
	later[6] = 0;
	later[7] = 1;
	later[20] = 99;
	assert_int_equal(flow_of(fragment, 24, 7), flow_of(later, 24, 7));
}

static void has_no_ports_where_there_are_none(void **state)
{
	uint8_t packet[64];

	memcpy(packet, four, 24);
	packet[9] = 47; /* what follows is no port */
	expect_in_flow(packet, 24, 20, false);
	memcpy(packet, four, 24);
	packet[3] = 23; /* ends within its ports */
	expect_in_flow(packet, 24, 20, false);
	memcpy(packet, six, 44);
	packet[6] = 44;
	expect_in_flow(packet, 44, 41, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ttl_is_lowered_and_never_raised),
		cmocka_unit_test(reads_whole_packets),
		cmocka_unit_test(refuses_what_is_no_whole_packet),
		cmocka_unit_test(knows_what_stays_on_its_link),
		cmocka_unit_test(a_flow_is_addresses_protocol_ports_and_label),
		cmocka_unit_test(has_no_ports_where_there_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
