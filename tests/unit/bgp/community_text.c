/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bgp/community_text.c: communities as people write them, both ways; the numbers are those of the RFCs. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bgp/tunnel.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void communities_have_one_text_and_it_reads_back(void **state)
{
	static const struct {
		uint32_t community;
		const char *text;
	} rows[] = {
		{0xfde80001, "65000:1"},
		{0, "0:0"},
		{0xffff0000, "65535:0"},
		{0xffffffff, "65535:65535"},
		{0xffffff01, "no-export"},
		{0xffffff02, "no-advertise"},
		{0xffffff03, "no-export-subconfed"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char buf[24];
		uint32_t c;

		assert_string_equal(bgp_community_print(rows[i].community, buf), rows[i].text);
		assert_int_equal(bgp_community_parse(rows[i].text, &c), 0);
		assert_int_equal(c, rows[i].community);
	}
}

/* proves: MESH-SIG-9 partial */
static void extended_communities_have_one_text_and_it_reads_back(void **state)
{
	static const struct {
		uint64_t community;
		const char *text;
	} rows[] = {
		{0x030b000000000064, "color:100"},
		{0x030b0000ffffffff, "color:4294967295"},
		{0x030b400000000064, "0x030b400000000064"}, /* with flags */
		{0x030c000000000002, "encapsulation:gre"},
		{0x030c000000000001, "encapsulation:l2tpv3"},
		{0x030c000000000007, "encapsulation:ipip"},
		{0x030c000000000008, "encapsulation:8"},
		{0x030c00000000000d, "encapsulation:mpls-in-udp"},
		{0x030c000000010002, "0x030c000000010002"}, /* reserved octets */
		{0x0002fde800000001, "rt:65000:1"},
		{0x0002fde8ffffffff, "rt:65000:4294967295"},
		{0x0202fa56ea000001, "rt:4200000000:1"},
		{0x0102c00002010007, "rt:192.0.2.1:7"},
		{0x0003fde800000001, "soo:65000:1"},
		{0x0203fa56ea00ffff, "soo:4200000000:65535"},
		{0x0103ffffffffffff, "soo:255.255.255.255:65535"},
		{0x02020000fde80001, "0x02020000fde80001"}, /* a small AS number in four octets */
		{0x4002fde800000001, "0x4002fde800000001"}, /* not transitive */
		{0x0004fde800000001, "0x0004fde800000001"},
		{0, "0x0000000000000000"},
		{0xffffffffffffffff, "0xffffffffffffffff"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char buf[48];
		uint64_t c;

		assert_string_equal(bgp_extended_community_print(rows[i].community, buf), rows[i].text);
		assert_int_equal(bgp_extended_community_parse(rows[i].text, &c), 0);
		assert_int_equal(c, rows[i].community);
	}
}

static void large_communities_have_one_text_and_it_reads_back(void **state)
{
	static const struct {
		uint32_t community[3];
		const char *text;
	} rows[] = {
		{{64496, 4294967295, 2}, "64496:4294967295:2"}, /* the examples of RFC 8092 section 5 */
		{{64496, 0, 0}, "64496:0:0"},
		{{4294967295, 4294967295, 4294967295}, "4294967295:4294967295:4294967295"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char buf[36];
		uint32_t c[3];

		assert_string_equal(bgp_large_community_print(rows[i].community, buf), rows[i].text);
		assert_int_equal(bgp_large_community_parse(rows[i].text, c), 0);
		assert_memory_equal(c, rows[i].community, sizeof(c));
	}
}

static void what_is_no_community_is_refused(void **state)
{
	static const char *const plain[] = {"", ":", "1", "1:", ":1", "65536:1", "1:65536", "1:1 ", " 1:1",
		"01:1", "1:00", "1:1:1", "-1:1", "1:+1", "0x1:1", "no-export ", "NO-EXPORT", "no",
		"99999999999999999999:1"};
	static const char *const extended[] = {"", "color", "color:", "color:-1", "color:4294967296",
		"color:1 ", "color:01", "colour:1", "encapsulation:", "encapsulation:vxlan",
		"encapsulation:65536", "encapsulation:gre ", "rt:", "rt:1", "rt:1:", "rt::1",
		"rt:4294967296:1", "rt:4200000000:65536", "rt:192.0.2.1:65536", "rt:192.0.2.256:1",
		"rt:2001:db8::1:1", "rt:1:2:3", "soo:1:1x", "0x", "0x1", "0x030b00000000006",
		"0x030b0000000000644", "0x030b00000000006g", "65000:1",
		"rt:111111111111111111111111111111111111111111111111111:1"};
	static const char *const large[] = {"", "1", "1:1", "1:1:", "1::1", ":1:1", "4294967296:1:1",
		"1:4294967296:1", "1:1:4294967296", "01:1:1", "1:1:1:1", "1:1:1 ", "a:1:1"};
	uint32_t c = 7, l[3] = {7, 7, 7};
	uint64_t e = 7;

	for (size_t i = 0; i < COUNT(plain); i++)
		if (bgp_community_parse(plain[i], &c) != -EINVAL)
			fail_msg("\"%s\"", plain[i]);
	for (size_t i = 0; i < COUNT(extended); i++)
		if (bgp_extended_community_parse(extended[i], &e) != -EINVAL)
			fail_msg("\"%s\"", extended[i]);
	for (size_t i = 0; i < COUNT(large); i++)
		if (bgp_large_community_parse(large[i], l) != -EINVAL)
			fail_msg("\"%s\"", large[i]);
	assert_int_equal(c, 7);
	assert_int_equal(e, 7);
	assert_int_equal(l[0], 7);
}

static void encapsulation_and_color_are_told_from_others(void **state)
{
	uint32_t color = 7;
	uint16_t type = 7, flags = 7;

	assert_true(bgp_encapsulation_community(BGP_TUNNEL_MPLS_UDP) == 0x030c00000000000d);
	assert_true(
		bgp_is_encapsulation_community(0x030cffffffff0002, &type)); /* reserved octets are ignored */
	assert_int_equal(type, BGP_TUNNEL_GRE);
	assert_false(bgp_is_encapsulation_community(0x030b000000000002, &type));
	assert_false(bgp_is_encapsulation_community(
		0x430c000000000002, &type)); /* not transitive: RFC 9012 section 4.1 */
	assert_true(bgp_color_community(0x4000, 9) == 0x030b400000000009);
	assert_true(bgp_is_color_community(0x030b400000000009, &flags, &color));
	assert_int_equal(flags, 0x4000);
	assert_int_equal(color, 9);
	assert_false(bgp_is_color_community(0x030c000000000002, &flags, &color));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(communities_have_one_text_and_it_reads_back),
		cmocka_unit_test(extended_communities_have_one_text_and_it_reads_back),
		cmocka_unit_test(large_communities_have_one_text_and_it_reads_back),
		cmocka_unit_test(what_is_no_community_is_refused),
		cmocka_unit_test(encapsulation_and_color_are_told_from_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
