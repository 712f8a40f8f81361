/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bgp/capability: golden bytes laid out by hand from RFC 5492 and the RFC of each capability. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bgp/capability.h"

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define IPV4       BGP_FAMILY_BIT(BGP_IPV4)
#define IPV6       BGP_FAMILY_BIT(BGP_IPV6)
#define LABELED4   BGP_FAMILY_BIT(BGP_IPV4_LABELED)
#define ENCAP4     BGP_FAMILY_BIT(BGP_IPV4_ENCAP)
#define ENCAP6     BGP_FAMILY_BIT(BGP_IPV6_ENCAP)

struct row {
	const char *name;
	const uint8_t *list;
	size_t len;
	struct bgp_capabilities expected;
	uint32_t as;
	bool families_said;
};

/* clang-format off */
/* Written in this order and form by us, too. */
static const struct row good[] = {
	{"IPv6 unicast", BYTES(1, 4, 0, 2, 0, 1), {.families = IPV6}, 0, true},
	{"IPv4 Encapsulation SAFI", BYTES(1, 4, 0, 1, 0, 7), {.families = ENCAP4}, 0, true},
	{"two families", BYTES(1, 4, 0, 1, 0, 1, 1, 4, 0, 2, 0, 7), {.families = IPV4 | ENCAP6}, 0, true},
	{"route refresh", BYTES(2, 0), {.refresh = true}, 0, false},
	{"IPv6 next hops for IPv4 and IPv4 labeled", BYTES(5, 12, 0, 1, 0, 1, 0, 2, 0, 1, 0, 4, 0, 2),
		{.extended_next_hop = IPV4 | LABELED4}, 0, false},
	{"extended message", BYTES(6, 0), {.extended_message = true}, 0, false},
	{"graceful restart as a helper only", BYTES(64, 2, 0, 0), {.graceful = true}, 0, false},
	{"graceful restart: restarted, N, 120 s, IPv4 preserved, IPv6 not", BYTES(64, 10, 0xc0, 120, 0, 1, 1, 0x80, 0, 2, 1, 0),
		{.graceful = true, .restarted = true, .notification = true, .restart_time = 120, .graceful_families = IPV4 | IPV6, .preserved = IPV4}, 0, false},
	{"graceful restart: 4095 s", BYTES(64, 2, 0x0f, 0xff), {.graceful = true, .restart_time = 4095}, 0, false},
	{"four-octet AS number", BYTES(65, 4, 0, 1, 0, 0), {.as4 = true}, 65536, false},
	{"enhanced route refresh", BYTES(70, 0), {.enhanced_refresh = true}, 0, false},
	{"nothing", NULL, 0, {0}, 0, false},
};
/* Understood, but not what we would write. */
static const struct row odd[] = {
	{"reserved octet set", BYTES(1, 4, 0, 2, 9, 1), {.families = IPV6}, 0, true},
	{"a family that is unknown", BYTES(1, 4, 0, 25, 0, 70), {0}, 0, true},
	{"Multiprotocol of 3 octets", BYTES(1, 3, 0, 1, 1), {.unknown = 1}, 0, false},
	{"Multiprotocol of 5 octets", BYTES(1, 5, 0, 1, 0, 1, 0, 2, 0), {.unknown = 1, .refresh = true}, 0, false},
	{"a family twice", BYTES(1, 4, 0, 2, 0, 1, 1, 4, 0, 2, 0, 1), {.families = IPV6}, 0, true},
	{"the old route refresh", BYTES(128, 0), {.refresh = true}, 0, false},
	{"route refresh of 1 octet", BYTES(2, 1, 0), {.unknown = 1}, 0, false},
	{"extended next hop: unknown triples among known", BYTES(5, 24, 0, 1, 0, 128, 0, 2, 0, 1, 1, 1, 0, 2, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 2),
		{.extended_next_hop = IPV4}, 0, false},
	{"extended next hop: IPv6 prefixes and the Encapsulation SAFI need none", BYTES(5, 12, 0, 2, 0, 1, 0, 2, 0, 1, 0, 7, 0, 2), {0}, 0, false},
	{"extended next hop of 5 octets", BYTES(5, 5, 0, 1, 0, 1, 0), {.unknown = 1}, 0, false},
	{"extended next hop twice: merged", BYTES(5, 6, 0, 1, 0, 1, 0, 2, 5, 6, 0, 1, 0, 4, 0, 2), {.extended_next_hop = IPV4 | LABELED4}, 0, false},
	{"graceful restart of 1 octet", BYTES(64, 1, 0), {.unknown = 1}, 0, false},
	{"graceful restart of 5 octets", BYTES(64, 5, 0, 0, 0, 1, 1), {.unknown = 1}, 0, false},
	{"graceful restart twice: the last one counts", BYTES(64, 6, 0xc0, 9, 0, 1, 1, 0x80, 64, 6, 0, 7, 0, 2, 1, 0),
		{.graceful = true, .restart_time = 7, .graceful_families = IPV6}, 0, false},
	{"graceful restart: reserved flags, a family that is unknown", BYTES(64, 10, 0x30, 5, 0, 1, 128, 0x80, 0, 1, 1, 0x7f),
		{.graceful = true, .restart_time = 5, .graceful_families = IPV4}, 0, false},
	{"AS number of 2 octets", BYTES(65, 2, 0xfd, 0xe8), {.unknown = 1}, 0, false},
	{"AS number twice: the last one counts", BYTES(65, 4, 0, 0, 0, 1, 65, 4, 0, 0, 0, 2), {.as4 = true}, 2, false},
	{"others are counted", BYTES(73, 3, 1, 'a', 0, 69, 4, 0, 1, 1, 3, 9, 0, 6, 0), {.unknown = 3, .extended_message = true}, 0, false},
};
/* clang-format on */

static bool same(const struct bgp_capabilities *a, const struct bgp_capabilities *b)
{
	return a->families == b->families && a->extended_next_hop == b->extended_next_hop &&
	       a->as4 == b->as4 && a->refresh == b->refresh && a->enhanced_refresh == b->enhanced_refresh &&
	       a->extended_message == b->extended_message && a->graceful == b->graceful &&
	       a->restarted == b->restarted && a->notification == b->notification &&
	       a->restart_time == b->restart_time && a->graceful_families == b->graceful_families &&
	       a->preserved == b->preserved && a->unknown == b->unknown;
}

static struct bgp_open read_row(const struct row *row)
{
	struct bgp_open open = {0};
	bool said = false;

	if (bgp_capabilities_read(reader_of(row->list, row->len), &open, &said, NULL))
		fail_msg("%s: refused", row->name);
	if (!same(&open.capabilities, &row->expected) || open.as != row->as || said != row->families_said)
		fail_msg("%s: reads otherwise", row->name);
	return open;
}

/* proves: MESH-BGP-13 partial */
static void capabilities_read_and_write_as_their_rfcs_have_them(void **state)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct bgp_open open = read_row(&good[i]);
		uint8_t buf[BGP_CAPABILITIES];
		struct writer w = writer_of(buf, sizeof(buf));

		bgp_capabilities_write(&w, &open);
		if (writer_len(&w) != good[i].len ||
			(good[i].len && memcmp(buf, good[i].list, good[i].len) != 0))
			fail_msg("%s: written otherwise", good[i].name);
	}
}

static void what_is_odd_is_passed_over_or_merged(void **state)
{
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		read_row(&odd[i]);
}

static void only_families_of_rfc8950_are_offered_other_next_hops(void **state)
{
	struct bgp_open open = {.capabilities.extended_next_hop = (1u << BGP_FAMILIES) - 1};
	uint8_t buf[BGP_CAPABILITIES];
	struct writer w = writer_of(buf, sizeof(buf));

	bgp_capabilities_write(&w, &open);
	assert_int_equal(writer_len(&w), good[4].len);
	assert_memory_equal(buf, good[4].list, good[4].len);
}

static void a_restart_time_of_more_than_12_bits_is_the_longest(void **state)
{
	struct bgp_open open = {.capabilities = {.graceful = true, .restart_time = 5000}};
	uint8_t buf[BGP_CAPABILITIES];
	struct writer w = writer_of(buf, sizeof(buf));

	bgp_capabilities_write(&w, &open);
	assert_int_equal(writer_len(&w), good[8].len);
	assert_memory_equal(buf, good[8].list, good[8].len);
}

static void one_that_does_not_fit_is_refused(void **state)
{
	const struct {
		const uint8_t *list;
		size_t len;
		const char *named;
	} rows[] = {
		{BYTES(2), "capability 2 of 0"},
		{BYTES(2, 0, 65, 4, 0, 0, 1), "capability 65 of 4"},
		{BYTES(200, 1), "capability 200 of 1"},
		{BYTES(64, 255, 0, 0), "capability 64 of 255"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bgp_open open = {0};
		struct bgp_error e;
		bool said = false;

		assert_int_equal(
			bgp_capabilities_read(reader_of(rows[i].list, rows[i].len), &open, &said, &e),
			-EPROTO);
		assert_int_equal(e.code, BGP_ERROR_OPEN);
		assert_int_equal(e.subcode, 0);
		assert_int_equal(e.data_len, 0);
		assert_non_null(strstr(e.reason, rows[i].named));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(capabilities_read_and_write_as_their_rfcs_have_them),
		cmocka_unit_test(what_is_odd_is_passed_over_or_merged),
		cmocka_unit_test(only_families_of_rfc8950_are_offered_other_next_hops),
		cmocka_unit_test(a_restart_time_of_more_than_12_bits_is_the_longest),
		cmocka_unit_test(one_that_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
