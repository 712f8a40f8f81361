/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bgp/attributes.h"

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static const struct good {
	enum bgp_family family;
	bool withdrawn;
	const uint8_t *bytes;
	size_t len;
	const char *prefix;
	uint32_t label;
} good[] = {
	{BGP_IPV4, false, BYTES(0), "0.0.0.0/0", 0},
	{BGP_IPV4, false, BYTES(1, 0x80), "128.0.0.0/1", 0},
	{BGP_IPV4, false, BYTES(24, 198, 51, 100), "198.51.100.0/24", 0},
	{BGP_IPV4, false, BYTES(32, 198, 51, 100, 7), "198.51.100.7/32", 0},
	{BGP_IPV6, false, BYTES(0), "::/0", 0},
	{BGP_IPV6, false, BYTES(32, 0x20, 1, 0x0d, 0xb8), "2001:db8::/32", 0},
	{BGP_IPV6, false, BYTES(47, 0x20, 1, 0x0d, 0xb8, 0, 2), "2001:db8:2::/47", 0},
	{BGP_IPV6, false, BYTES(128, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
		"2001:db8::1/128", 0},
	{BGP_IPV4_LABELED, false, BYTES(48, 0x00, 0x06, 0x41, 198, 51, 100), "198.51.100.0/24", 100},
	{BGP_IPV4_LABELED, false, BYTES(24, 0xff, 0xff, 0xf1), "0.0.0.0/0", BGP_LABEL_MAX},
	{BGP_IPV4_LABELED, true, BYTES(48, 0x80, 0, 0, 198, 51, 100), "198.51.100.0/24", 0},
	{BGP_IPV6_LABELED, false, BYTES(56, 0, 0, 0x31, 0x20, 1, 0x0d, 0xb8), "2001:db8::/32",
		BGP_LABEL_IMPLICIT_NULL},
	{BGP_IPV4_ENCAP, false, BYTES(32, 192, 0, 2, 1), "192.0.2.1/32", 0},
	{BGP_IPV6_ENCAP, false, BYTES(128, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
		"2001:db8::1/128", 0},
};

static struct prefix prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

/* proves: MESH-BGP-16 partial */
static void what_is_read_is_what_was_meant_and_is_written_the_same(void **state)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const struct good *g = &good[i];
		struct reader r = reader_of(g->bytes, g->len);
		struct prefix wanted = prefix(g->prefix);
		const char *why = NULL;
		struct bgp_nlri n;
		uint8_t buf[32];
		struct writer w = writer_of(buf, sizeof(buf));

		assert_null(bgp_nlri_fault(r, g->family));
		assert_int_equal(bgp_nlri_read(&r, g->family, g->withdrawn, &n, &why), 1);
		assert_memory_equal(&n.prefix, &wanted, sizeof(wanted));
		assert_int_equal(n.label, g->label);
		assert_int_equal(bgp_nlri_read(&r, g->family, g->withdrawn, &n, &why), 0);
		assert_null(why);

		bgp_nlri_write(&w, g->family, g->withdrawn, &n);
		assert_true(writer_ok(&w));
		assert_int_equal(bgp_nlri_size(g->family, &n), g->len);
		assert_true(g->len <= bgp_nlri_max(g->family));
		assert_int_equal(writer_len(&w), g->len);
		assert_memory_equal(buf, g->bytes, g->len);
	}
}

static const struct bad {
	const char *name;
	enum bgp_family family;
	const uint8_t *bytes;
	size_t len;
	const char *why;
} bad[] = {
	{"33 bits of IPv4", BGP_IPV4, BYTES(33, 1, 2, 3, 4, 5), "a prefix is longer than an address"},
	{"255 bits of IPv4", BGP_IPV4, BYTES(255), "a prefix is longer than an address"},
	{"129 bits of IPv6", BGP_IPV6, BYTES(129), "a prefix is longer than an address"},
	{"three of four octets", BGP_IPV4, BYTES(25, 1, 2, 3), "the last prefix is cut short"},
	{"a length and nothing else", BGP_IPV4, BYTES(8), "the last prefix is cut short"},
	{"IPv6 without an end", BGP_IPV6, BYTES(64, 0x20, 1, 0x0d, 0xb8, 0, 0, 0),
		"the last prefix is cut short"},
	{"no room for a label", BGP_IPV4_LABELED, BYTES(16, 1, 2), "a prefix has no label"},
	{"half a label", BGP_IPV6_LABELED, BYTES(23, 1, 2, 3), "a prefix has no label"},
	{"a label that is cut short", BGP_IPV4_LABELED, BYTES(24, 1, 2), "the last prefix is cut short"},
	{"33 bits behind a label", BGP_IPV4_LABELED, BYTES(57, 0, 0, 1, 1, 2, 3, 4, 5),
		"a prefix is longer than an address"},
	{"129 bits behind a label", BGP_IPV6_LABELED, BYTES(153), "a prefix is longer than an address"},
	{"an endpoint that is a network", BGP_IPV4_ENCAP, BYTES(24, 192, 0, 2),
		"an endpoint's length is not that of an address"},
	{"an IPv6 endpoint of 32 bits", BGP_IPV6_ENCAP, BYTES(32, 192, 0, 2, 1),
		"an endpoint's length is not that of an address"},
	{"half an endpoint", BGP_IPV6_ENCAP, BYTES(128, 0x20, 1, 0x0d, 0xb8), "the last prefix is cut short"},
};

static void what_cannot_be_read_is_refused_with_a_reason(void **state)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct bad *b = &bad[i];
		struct reader r = reader_of(b->bytes, b->len);
		struct bgp_nlri n = {.label = 77};
		const char *why = NULL;

		if (strcmp(bgp_nlri_fault(r, b->family), b->why) != 0)
			fail_msg("%s: %s", b->name, bgp_nlri_fault(r, b->family));
		assert_int_equal(bgp_nlri_read(&r, b->family, false, &n, &why), -EPROTO);
		assert_string_equal(why, b->why);
		assert_int_equal(n.label, 77);
	}
}

static void a_fault_is_found_behind_good_prefixes(void **state)
{
	static const uint8_t bytes[] = {24, 198, 51, 100, 0, 33, 1, 2, 3, 4, 5};
	struct reader r = reader_of(bytes, sizeof(bytes));
	struct bgp_nlri n;
	const char *why;

	assert_non_null(bgp_nlri_fault(r, BGP_IPV4));
	assert_int_equal(bgp_nlri_read(&r, BGP_IPV4, false, &n, &why), 1);
	assert_int_equal(bgp_nlri_read(&r, BGP_IPV4, false, &n, &why), 1);
	assert_int_equal(bgp_nlri_read(&r, BGP_IPV4, false, &n, &why), -EPROTO);
}

static void host_bits_are_cleared(void **state)
{
	static const uint8_t bytes[] = {20, 198, 51, 0xff};
	struct reader r = reader_of(bytes, sizeof(bytes));
	struct prefix wanted = prefix("198.51.240.0/20");
	struct bgp_nlri n;
	const char *why;

	assert_int_equal(bgp_nlri_read(&r, BGP_IPV4, false, &n, &why), 1);
	assert_memory_equal(&n.prefix, &wanted, sizeof(wanted));
}

static const struct {
	const char *prefix;
	bool routable;
} destinations[] = {
	{"0.0.0.0/0", true},
	{"0.0.0.0/1", true},
	{"0.0.0.0/8", false},
	{"0.0.0.0/32", false},
	{"10.0.0.0/8", true},
	{"127.0.0.0/8", false},
	{"127.0.0.1/32", false},
	{"126.0.0.0/8", true},
	{"169.0.0.0/8", true},
	{"169.254.0.0/16", false},
	{"169.253.0.0/16", true},
	{"223.255.255.0/24", true},
	{"224.0.0.0/4", false},
	{"239.1.2.3/32", false},
	{"240.0.0.0/4", false},
	{"255.255.255.255/32", false},
	{"::/0", true},
	{"::/128", false},
	{"::1/128", false},
	{"64:ff9b::/96", true},
	{"2001:db8::/32", true},
	{"fc00::/7", true},
	{"fe80::/64", false},
	{"fec0::/10", true},
	{"ff00::/8", false},
	{"ff02::1/128", false},
};

static void a_destination_that_no_packet_has_is_known(void **state)
{
	for (size_t i = 0; i < sizeof(destinations) / sizeof(destinations[0]); i++) {
		struct bgp_nlri n = {.prefix = prefix(destinations[i].prefix)};

		if (bgp_nlri_is_routable(&n) != destinations[i].routable)
			fail_msg("%s", destinations[i].prefix);
	}
}

/* RFC 8277 sections 2.2 and 2.4. */
static void reserved_bits_and_what_is_withdrawn_with_are_not_looked_at(void **state)
{
	static const uint8_t no_bottom[] = {32, 0x00, 0x06, 0x4e, 198},
			     anything[] = {32, 0x12, 0x34, 0x56, 198};
	struct reader r = reader_of(no_bottom, sizeof(no_bottom));
	struct bgp_nlri n;
	const char *why;

	assert_int_equal(bgp_nlri_read(&r, BGP_IPV4_LABELED, false, &n, &why), 1);
	assert_int_equal(n.label, 100);
	assert_int_equal(n.prefix.len, 8);
	r = reader_of(anything, sizeof(anything));
	assert_int_equal(bgp_nlri_read(&r, BGP_IPV4_LABELED, true, &n, &why), 1);
	assert_int_equal(n.label, 0);
	assert_int_equal(n.prefix.len, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_is_what_was_meant_and_is_written_the_same),
		cmocka_unit_test(what_cannot_be_read_is_refused_with_a_reason),
		cmocka_unit_test(a_fault_is_found_behind_good_prefixes),
		cmocka_unit_test(host_bits_are_cleared),
		cmocka_unit_test(a_destination_that_no_packet_has_is_known),
		cmocka_unit_test(reserved_bits_and_what_is_withdrawn_with_are_not_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
