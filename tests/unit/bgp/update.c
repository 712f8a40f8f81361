/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole UPDATEs: their frame, where prefixes may stand, what is missing, several faults at once, End-of-RIB, AS numbers of two octets. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bgp/update.h"

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

enum { EVERY = (1 << BGP_FAMILIES) - 1 };

/* Attributes as they should be. */
#define ORIGIN_IGP 0x40, 1, 1, 0
#define PATH_65000 0x40, 2, 6, 2, 1, 0, 0, 0xfd, 0xe8
#define HOP        0x40, 3, 4, 192, 0, 2, 1
#define REACH_V6                                                                                             \
	0x80, 14, 26, 0, 2, 1, 16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 32, 0x20, 1,   \
		0xd, 0xb8
#define UNREACH_V6 0x80, 15, 8, 0, 2, 1, 32, 0x20, 1, 0xd, 0xb8
#define BAD_ORIGIN 0x40, 1, 1, 9
#define NLRI       24, 198, 51, 100

static const struct row {
	const char *name;
	const uint8_t *bytes;
	size_t len;
	int result; /* 0: outcome; else the subcode */
	enum bgp_outcome outcome;
	const char *reason;
} rows[] = {
	{"a route", BYTES(0, 0, 0, 20, ORIGIN_IGP, PATH_65000, HOP, NLRI), 0, BGP_ACCEPT, ""},
	{"a route, and another withdrawn", BYTES(0, 3, 16, 10, 1, 0, 20, ORIGIN_IGP, PATH_65000, HOP, NLRI),
		0, BGP_ACCEPT, ""},
	{"attributes in any order", BYTES(0, 0, 0, 20, HOP, PATH_65000, ORIGIN_IGP, NLRI), 0, BGP_ACCEPT, ""},
	{"IPv6 behind the others", BYTES(0, 0, 0, 42, ORIGIN_IGP, PATH_65000, REACH_V6), 0, BGP_ACCEPT, ""},
	{"IPv6 and IPv4 in one", BYTES(0, 0, 0, 49, REACH_V6, ORIGIN_IGP, PATH_65000, HOP, NLRI), 0,
		BGP_ACCEPT, ""},
	{"attributes and no route", BYTES(0, 0, 0, 20, ORIGIN_IGP, PATH_65000, HOP), 0, BGP_ACCEPT, ""},
	{"withdrawn only", BYTES(0, 4, NLRI, 0, 0), 0, BGP_ACCEPT, ""},
	{"IPv6 withdrawn only", BYTES(0, 0, 0, 11, UNREACH_V6), 0, BGP_ACCEPT, ""},
	/* the frame */
	{"nothing", BYTES(0), BGP_UPDATE_ATTRIBUTES, 0,
		"withdrawn routes (0 octets) and attributes (0) are longer than the message"},
	{"no length of attributes", BYTES(0, 0, 0), BGP_UPDATE_ATTRIBUTES, 0,
		"withdrawn routes (0 octets) and attributes (0) are longer than the message"},
	{"withdrawn routes too long", BYTES(0, 5, NLRI, 0, 0), BGP_UPDATE_ATTRIBUTES, 0,
		"withdrawn routes (5 octets) and attributes (0) are longer than the message"},
	{"withdrawn routes much too long", BYTES(0xff, 0xff, NLRI, 0, 0), BGP_UPDATE_ATTRIBUTES, 0,
		"withdrawn routes (65535 octets) and attributes (0) are longer than the message"},
	{"attributes too long", BYTES(0, 0, 0, 21, ORIGIN_IGP, PATH_65000, HOP), BGP_UPDATE_ATTRIBUTES, 0,
		"withdrawn routes (0 octets) and attributes (21) are longer than the message"},
	{"a withdrawn prefix of 33 bits", BYTES(0, 6, 33, 1, 2, 3, 4, 5, 0, 0), BGP_UPDATE_NETWORK, 0,
		"withdrawn routes: a prefix is longer than an address"},
	{"a withdrawn prefix cut short", BYTES(0, 2, 16, 1, 0, 0), BGP_UPDATE_NETWORK, 0,
		"withdrawn routes: the last prefix is cut short"},
	{"a prefix of 33 bits", BYTES(0, 0, 0, 20, ORIGIN_IGP, PATH_65000, HOP, 33, 1, 2, 3, 4, 5),
		BGP_UPDATE_NETWORK, 0, "NLRI: a prefix is longer than an address"},
	{"a prefix cut short", BYTES(0, 0, 0, 20, ORIGIN_IGP, PATH_65000, HOP, 24, 198, 51),
		BGP_UPDATE_NETWORK, 0, "NLRI: the last prefix is cut short"},
	/* RFC 7606 section 4 */
	{"the last attribute too long", BYTES(0, 0, 0, 24, ORIGIN_IGP, PATH_65000, HOP, 0x80, 4, 4, 0, NLRI),
		0, BGP_WITHDRAW, "MED: the last 4 octets of the attributes are not one"},
	{"one octet left over", BYTES(0, 0, 0, 21, ORIGIN_IGP, PATH_65000, HOP, 0x80, NLRI), 0, BGP_WITHDRAW,
		"the last 1 octets of the attributes are not one"},
	{"two octets left over", BYTES(0, 0, 0, 22, ORIGIN_IGP, PATH_65000, HOP, 0xc0, 8, NLRI), 0,
		BGP_WITHDRAW, "COMMUNITIES: the last 2 octets of the attributes are not one"},
	{"three octets of an extended length left over",
		BYTES(0, 0, 0, 23, ORIGIN_IGP, PATH_65000, HOP, 0xd0, 8, 0, NLRI), 0, BGP_WITHDRAW,
		"COMMUNITIES: the last 3 octets of the attributes are not one"},
	{"an extended length that is too long",
		BYTES(0, 0, 0, 24, ORIGIN_IGP, PATH_65000, HOP, 0xd0, 99, 0xff, 0xff, NLRI), 0, BGP_WITHDRAW,
		"attribute 99: the last 4 octets of the attributes are not one"},
	{"one octet left over, and no route", BYTES(0, 0, 0, 21, ORIGIN_IGP, PATH_65000, HOP, 0x80),
		BGP_UPDATE_ATTRIBUTES, 0, "the last 1 octets of the attributes are not one"},
	{"one octet behind MP_UNREACH", BYTES(0, 0, 0, 12, UNREACH_V6, 0x80), BGP_UPDATE_ATTRIBUTES, 0,
		"the last 1 octets of the attributes are not one"},
	{"MP_REACH too long, and IPv4 routes",
		BYTES(0, 0, 0, 27, ORIGIN_IGP, PATH_65000, HOP, 0x80, 14, 200, 0, 2, 1, 16, NLRI),
		BGP_UPDATE_ATTRIBUTES, 0, "MP_REACH: the last 7 octets of the attributes are not one"},
	{"MP_UNREACH too long, and IPv4 routes",
		BYTES(0, 0, 0, 27, ORIGIN_IGP, PATH_65000, HOP, 0x80, 15, 200, 0, 2, 1, 16, NLRI),
		BGP_UPDATE_ATTRIBUTES, 0, "MP_UNREACH: the last 7 octets of the attributes are not one"},
	{"one octet left over behind MP_REACH", BYTES(0, 0, 0, 43, REACH_V6, ORIGIN_IGP, PATH_65000, 0x80), 0,
		BGP_WITHDRAW, "the last 1 octets of the attributes are not one"},
	/* RFC 7606 section 3 d */
	{"no ORIGIN", BYTES(0, 0, 0, 16, PATH_65000, HOP, NLRI), 0, BGP_WITHDRAW, "ORIGIN: missing"},
	{"no AS_PATH", BYTES(0, 0, 0, 11, ORIGIN_IGP, HOP, NLRI), 0, BGP_WITHDRAW, "AS_PATH: missing"},
	{"no NEXT_HOP", BYTES(0, 0, 0, 13, ORIGIN_IGP, PATH_65000, NLRI), 0, BGP_WITHDRAW,
		"NEXT_HOP: missing"},
	{"a route and no attributes", BYTES(0, 0, 0, 0, NLRI), 0, BGP_WITHDRAW, "ORIGIN: missing"},
	{"IPv6 and no AS_PATH", BYTES(0, 0, 0, 33, REACH_V6, ORIGIN_IGP), 0, BGP_WITHDRAW,
		"AS_PATH: missing"},
	/* RFC 7606 section 3 h, 3 j, 5.2 */
	{"a discarded one before a bad one",
		BYTES(0, 0, 0, 25, BAD_ORIGIN, PATH_65000, 0x40, 3, 4, 192, 0, 2, 1, 0x40, 6, 2, 0, 0, NLRI),
		0, BGP_WITHDRAW, "ORIGIN: value 9, 2 is the last one"},
	{"two bad ones", BYTES(0, 0, 0, 17, BAD_ORIGIN, 0x40, 2, 3, 2, 0, 0, HOP, NLRI), 0, BGP_WITHDRAW,
		"ORIGIN: value 9, 2 is the last one"},
	{"a bad one and a bad prefix", BYTES(0, 0, 0, 20, BAD_ORIGIN, PATH_65000, HOP, 99, 1),
		BGP_UPDATE_NETWORK, 0, "NLRI: a prefix is longer than an address"},
	{"a bad one, and only IPv6 routes", BYTES(0, 0, 0, 42, REACH_V6, BAD_ORIGIN, PATH_65000), 0,
		BGP_WITHDRAW, "ORIGIN: value 9, 2 is the last one"},
	{"a bad one, and only withdrawn routes", BYTES(0, 4, NLRI, 0, 4, BAD_ORIGIN), BGP_UPDATE_ORIGIN, 0,
		"ORIGIN: value 9, 2 is the last one"},
	{"a bad one beside MP_UNREACH", BYTES(0, 0, 0, 15, UNREACH_V6, BAD_ORIGIN), BGP_UPDATE_ORIGIN, 0,
		"ORIGIN: value 9, 2 is the last one"},
	{"a bad one beside MP_REACH without prefixes",
		BYTES(0, 0, 0, 28, 0x80, 14, 21, 0, 2, 1, 16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0,
			0, 0, 1, 0, BAD_ORIGIN),
		BGP_UPDATE_ORIGIN, 0, "ORIGIN: value 9, 2 is the last one"},
	{"a bad one, and MP_REACH of a family that is ignored",
		BYTES(0, 0, 0, 13, 0x80, 14, 6, 0, 25, 65, 0, 0, 1, BAD_ORIGIN), 0, BGP_WITHDRAW,
		"ORIGIN: value 9, 2 is the last one"},
	{"a discarded one, and no route", BYTES(0, 0, 0, 4, 0x40, 6, 1, 0), 0, BGP_DISCARD,
		"ATOMIC_AGGREGATE: length 1, at most 0"},
};

static uint8_t scratch[BGP_SET_MAX];

static struct bgp_form form(void)
{
	return (struct bgp_form){.as4 = true, .families = EVERY, .max_message = BGP_MESSAGE_MAX};
}

static int read_bytes(const uint8_t *bytes, size_t len, const struct bgp_form *f, struct bgp_update *ret,
	struct bgp_error *e)
{
	/* Of exactly this length, so that a sanitizer sees what is read behind it. */
	static uint8_t *copy;

	free(copy);
	copy = malloc(len ? len : 1);
	assert_non_null(copy);
	memcpy(copy, bytes, len);
	return bgp_update_read(reader_of(copy, len), f, scratch, sizeof(scratch), ret, e);
}

static void every_fault_of_the_whole_has_its_outcome(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct bgp_form f = form();
		struct bgp_error e = {0};
		struct bgp_update u = {.discarded = 99};
		int r = read_bytes(row->bytes, row->len, &f, &u, &e);

		if (row->result) {
			if (r != -EPROTO || e.code != BGP_ERROR_UPDATE || e.subcode != row->result ||
				strcmp(e.reason, row->reason) != 0)
				fail_msg("%s: %d %u/%u %s", row->name, r, e.code, e.subcode, e.reason);
			assert_int_equal(u.discarded, 99);
		} else if (r || u.outcome != row->outcome || strcmp(u.reason, row->reason) != 0) {
			fail_msg("%s: %d, outcome %d, %s%s", row->name, r, u.outcome, u.reason, e.reason);
		}
	}
}

static void assert_next(struct reader *list, enum bgp_family family, const char *text)
{
	char buf[PREFIX_TEXT];
	struct bgp_nlri n;
	const char *why;

	assert_int_equal(bgp_nlri_read(list, family, false, &n, &why), 1);
	assert_string_equal(prefix_print(&n.prefix, buf), text);
}

static void prefixes_are_found_in_all_four_places(void **state)
{
	static const uint8_t bytes[] = {
		0, 4, 24, 203, 0, 113, 0, 60, REACH_V6, UNREACH_V6, ORIGIN_IGP, PATH_65000, HOP, NLRI};
	struct bgp_form f = form();
	struct bgp_error e;
	struct bgp_update u;
	char text[ADDR_TEXT];

	assert_int_equal(read_bytes(bytes, sizeof(bytes), &f, &u, &e), 0);
	assert_true(u.has_reach && u.has_unreach);
	assert_int_equal(u.reach_family, BGP_IPV6);
	assert_int_equal(u.unreach_family, BGP_IPV6);
	assert_next(&u.withdrawn, BGP_IPV4, "203.0.113.0/24");
	assert_next(&u.announced, BGP_IPV4, "198.51.100.0/24");
	assert_next(&u.reach, BGP_IPV6, "2001:db8::/32");
	assert_next(&u.unreach, BGP_IPV6, "2001:db8::/32");
	assert_string_equal(addr_print(&u.next_hop.global, text), "192.0.2.1");
	assert_string_equal(addr_print(&u.reach_next_hop.global, text), "2001:db8::1");
	assert_false(u.end_of_rib);
	assert_int_equal(u.facts.path_length, 1);
	assert_int_equal(u.facts.neighbor_as, 65000);
}

/* RFC 4760 section 7: they are passed over, and that is told. */
static void families_that_were_not_agreed_on_are_ignored(void **state)
{
	static const uint8_t bytes[] = {0, 0, 0, 49, REACH_V6, ORIGIN_IGP, PATH_65000, HOP, NLRI};
	struct bgp_form f = form();
	struct bgp_error e;
	struct bgp_update u;

	f.families = BGP_FAMILY_BIT(BGP_IPV4);
	assert_int_equal(read_bytes(bytes, sizeof(bytes), &f, &u, &e), 0);
	assert_false(u.has_reach);
	assert_int_equal(u.outcome, BGP_DISCARD);
	assert_string_equal(u.reason, "MP_REACH: family 2/1 was not agreed on");
	assert_int_equal(reader_left(&u.announced), 4);
	f.families = BGP_FAMILY_BIT(BGP_IPV6);
	assert_int_equal(read_bytes(bytes, sizeof(bytes), &f, &u, &e), 0);
	assert_true(u.has_reach);
	assert_int_equal(u.outcome, BGP_DISCARD);
	assert_string_equal(u.reason, "prefixes of ipv4, which was not agreed on");
	assert_int_equal(reader_left(&u.announced), 0);
}

static const struct {
	const char *name;
	const uint8_t *bytes;
	size_t len;
	bool end;
	enum bgp_family family;
} ends[] = {
	{"the empty UPDATE", BYTES(0, 0, 0, 0), true, BGP_IPV4},
	{"IPv4, as of other families", BYTES(0, 0, 0, 6, 0x80, 15, 3, 0, 1, 1), true, BGP_IPV4},
	{"IPv6", BYTES(0, 0, 0, 6, 0x80, 15, 3, 0, 2, 1), true, BGP_IPV6},
	{"with an extended length", BYTES(0, 0, 0, 7, 0x90, 15, 0, 3, 0, 2, 4), true, BGP_IPV6_LABELED},
	{"an endpoint's family", BYTES(0, 0, 0, 6, 0x80, 15, 3, 0, 1, 7), true, BGP_IPV4_ENCAP},
	{"nobody's family", BYTES(0, 0, 0, 6, 0x80, 15, 3, 0, 25, 65), false, 0},
	{"an attribute beside it", BYTES(0, 0, 0, 10, 0x80, 15, 3, 0, 2, 1, ORIGIN_IGP), false, 0},
	{"a withdrawn route beside it", BYTES(0, 4, NLRI, 0, 6, 0x80, 15, 3, 0, 2, 1), false, 0},
	{"a withdrawn route", BYTES(0, 4, NLRI, 0, 0), false, 0},
};

static void an_end_of_rib_is_what_has_nothing_in_it(void **state)
{
	struct bgp_form f = form();

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct bgp_error e;
		struct bgp_update u;

		assert_int_equal(read_bytes(ends[i].bytes, ends[i].len, &f, &u, &e), 0);
		if (u.end_of_rib != ends[i].end || (u.end_of_rib && u.end_family != ends[i].family))
			fail_msg("%s: %d", ends[i].name, u.end_of_rib);
	}
}

/* An MP_REACH of FAMILY with this next hop and one prefix. */
static int read_next_hop(
	enum bgp_family family, bgp_families extended, const uint8_t *hop, size_t len, struct bgp_update *u)
{
	static const uint8_t rest[] = {ORIGIN_IGP, PATH_65000}, endpoint[33] = {128, 0x20, 1};
	struct bgp_form f = form();
	struct bgp_error e;
	uint8_t buf[256];
	struct writer w = writer_of(buf, sizeof(buf));
	size_t total, at;
	static const size_t sizes[] = {2, 2, 5, 5, 5, 17};

	writer_u16(&w, 0);
	total = writer_begin16(&w);
	writer_u16(&w, 0x900e);
	at = writer_begin16(&w);
	writer_u16(&w, bgp_family_afi(family));
	writer_u8(&w, bgp_family_safi(family));
	writer_u8(&w, (uint8_t)len);
	writer_bytes(&w, hop, len);
	writer_u8(&w, 77); /* reserved, and not looked at */
	writer_u8(&w, bgp_family_encap(family)     ? (uint8_t)(8 * (sizes[family] - 1))
		      : bgp_family_labeled(family) ? 32
						   : 8);
	writer_bytes(&w, endpoint + 1, sizes[family] - 1);
	writer_end16(&w, at, 0);
	writer_bytes(&w, rest, sizeof(rest));
	writer_end16(&w, total, 0);
	f.extended_next_hop = extended;
	return read_bytes(buf, writer_len(&w), &f, u, &e);
}

#define V6_GLOBAL 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1
#define V6_LOCAL  0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1
#define V6_NONE   0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define V6_MAPPED 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1

static const struct {
	const char *name;
	enum bgp_family family;
	const uint8_t *bytes;
	size_t len;
	bool extended;
	int result;
	enum bgp_outcome outcome;
	const char *global, *link_local;
} hops[] = {
	{"IPv4", BGP_IPV4, BYTES(192, 0, 2, 1), true, 0, 0, "192.0.2.1", "none"},
	{"IPv4 with a label", BGP_IPV4_LABELED, BYTES(192, 0, 2, 1), false, 0, 0, "192.0.2.1", "none"},
	{"an IPv4 endpoint", BGP_IPV4_ENCAP, BYTES(192, 0, 2, 1), false, 0, 0, "192.0.2.1", "none"},
	{"IPv4 through IPv6", BGP_IPV4, BYTES(V6_GLOBAL), true, 0, 0, "2001:db8::1", "none"},
	{"IPv4 with a label through IPv6", BGP_IPV4_LABELED, BYTES(V6_GLOBAL, V6_LOCAL), true, 0, 0,
		"2001:db8::1", "fe80::1"},
	{"IPv4 through IPv6, not agreed on", BGP_IPV4, BYTES(V6_GLOBAL), false, -EPROTO, 0, NULL, NULL},
	{"a mapped one of IPv4 stays IPv6", BGP_IPV4, BYTES(V6_MAPPED), true, 0, 0, "::ffff:192.0.2.1",
		"none"},
	{"IPv6", BGP_IPV6, BYTES(V6_GLOBAL), false, 0, 0, "2001:db8::1", "none"},
	{"IPv6 with a link-local one", BGP_IPV6, BYTES(V6_GLOBAL, V6_LOCAL), false, 0, 0, "2001:db8::1",
		"fe80::1"},
	{"6PE", BGP_IPV6_LABELED, BYTES(V6_MAPPED), false, 0, 0, "192.0.2.1", "none"},
	{"IPv6 through IPv4 without a label", BGP_IPV6, BYTES(V6_MAPPED), false, 0, 0, "192.0.2.1", "none"},
	{"an IPv6 endpoint", BGP_IPV6_ENCAP, BYTES(V6_GLOBAL), false, 0, 0, "2001:db8::1", "none"},
	{"a link-local one alone", BGP_IPV6, BYTES(V6_LOCAL), false, 0, 0, "none", "fe80::1"},
	{"a link-local one twice", BGP_IPV6, BYTES(V6_LOCAL, V6_LOCAL), false, 0, 0, "none", "fe80::1"},
	{"a link-local one behind none", BGP_IPV6, BYTES(V6_NONE, V6_LOCAL), false, 0, 0, "none", "fe80::1"},
	{"a second one that is not link-local", BGP_IPV6, BYTES(V6_GLOBAL, V6_GLOBAL), false, 0, 0,
		"2001:db8::1", "none"},
	{"none twice", BGP_IPV6, BYTES(V6_NONE, V6_NONE), false, 0, BGP_WITHDRAW, "::", "none"},
	{"a group", BGP_IPV6, BYTES(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), false, 0,
		BGP_WITHDRAW, "ff02::1", "none"},
	{"loopback", BGP_IPV6, BYTES(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), false, 0, BGP_WITHDRAW,
		"::1", "none"},
	{"an IPv4 group", BGP_IPV4, BYTES(239, 1, 1, 1), false, 0, BGP_WITHDRAW, "239.1.1.1", "none"},
	{"with a route distinguisher", BGP_IPV6, BYTES(V6_GLOBAL, 0, 0, 0, 0, 0, 0, 0, 0), false, -EPROTO, 0,
		NULL, NULL},
	{"five octets", BGP_IPV4, BYTES(192, 0, 2, 1, 0), true, -EPROTO, 0, NULL, NULL},
	{"31 octets", BGP_IPV6, BYTES(V6_GLOBAL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), false, -EPROTO,
		0, NULL, NULL},
};

/* proves: MESH-BGP-11, MESH-BGP-12 */
static void the_length_of_a_next_hop_tells_its_family(void **state)
{
	for (size_t i = 0; i < sizeof(hops) / sizeof(hops[0]); i++) {
		char global[ADDR_TEXT], local[ADDR_TEXT];
		struct bgp_update u;
		int r = read_next_hop(hops[i].family, hops[i].extended ? BGP_FAMILY_BIT(hops[i].family) : 0,
			hops[i].bytes, hops[i].len, &u);

		if (r != hops[i].result)
			fail_msg("%s: %d", hops[i].name, r);
		if (r)
			continue;
		if (u.outcome != hops[i].outcome ||
			strcmp(addr_print(&u.reach_next_hop.global, global), hops[i].global) != 0 ||
			strcmp(addr_print(&u.reach_next_hop.link_local, local), hops[i].link_local) != 0)
			fail_msg("%s: %s %s %s", hops[i].name, u.reason,
				addr_print(&u.reach_next_hop.global, global),
				addr_print(&u.reach_next_hop.link_local, local));
	}
}

static const struct {
	const char *name;
	const uint8_t *bytes;
	size_t len;
	const char *path;
	uint32_t aggregator;
} paths[] = {
	{"two octets are enough", BYTES(0x40, 2, 6, 2, 2, 0xfd, 0xe8, 0xfd, 0xe9), "65000 65001", 0},
	{"all of it is known better",
		BYTES(0x40, 2, 6, 2, 2, 0x5b, 0xa0, 0x5b, 0xa0, 0xc0, 17, 10, 2, 2, 0xfa, 0x56, 0xea, 0, 0xfa,
			0x56, 0xea, 1),
		"4200000000 4200000001", 0},
	{"two have gone in front",
		BYTES(0x40, 2, 8, 2, 3, 0xfd, 0xe8, 0xfd, 0xe9, 0x5b, 0xa0, 0xc0, 17, 6, 2, 1, 0xfa, 0x56,
			0xea, 0),
		"65000 65001 4200000000", 0},
	{"AS4_PATH in front of AS_PATH",
		BYTES(0xc0, 17, 6, 2, 1, 0xfa, 0x56, 0xea, 0, 0x40, 2, 6, 2, 2, 0xfd, 0xe8, 0x5b, 0xa0),
		"65000 4200000000", 0},
	{"AS4_PATH is the longer one",
		BYTES(0x40, 2, 4, 2, 1, 0xfd, 0xe8, 0xc0, 17, 10, 2, 2, 0xfa, 0x56, 0xea, 0, 0xfa, 0x56, 0xea,
			1),
		"65000", 0},
	{"a set counts one",
		BYTES(0x40, 2, 14, 2, 2, 0xfd, 0xe8, 0x5b, 0xa0, 1, 3, 0xfd, 0xe9, 0xfd, 0xea, 0xfd, 0xeb,
			0xc0, 17, 12, 2, 1, 0xfa, 0x56, 0xea, 0, 1, 1, 0xfa, 0x56, 0xea, 1),
		"65000 4200000000 {4200000001}", 0},
	{"a set is kept whole",
		BYTES(0x40, 2, 10, 1, 2, 0xfd, 0xe8, 0xfd, 0xe9, 2, 1, 0x5b, 0xa0, 0xc0, 17, 6, 2, 1, 0xfa,
			0x56, 0xea, 0),
		"{65000 65001} 4200000000", 0},
	{"a confederation in front stays",
		BYTES(0x40, 2, 10, 3, 1, 0xfd, 0xf0, 2, 2, 0xfd, 0xe8, 0x5b, 0xa0, 0xc0, 17, 6, 2, 1, 0xfa,
			0x56, 0xea, 0),
		"(65008) 65000 4200000000", 0},
	{"a confederation in front of what is all known better stays",
		BYTES(0x40, 2, 8, 3, 1, 0xfd, 0xf0, 2, 1, 0x5b, 0xa0, 0xc0, 17, 6, 2, 1, 0xfa, 0x56, 0xea, 0),
		"(65008) 4200000000", 0},
	{"a confederation in AS4_PATH goes",
		BYTES(0x40, 2, 6, 2, 2, 0xfd, 0xe8, 0x5b, 0xa0, 0xc0, 17, 12, 3, 1, 0xfa, 0x56, 0xea, 7, 2, 1,
			0xfa, 0x56, 0xea, 0),
		"65000 4200000000", 0},
	{"a malformed AS4_PATH goes",
		BYTES(0x40, 2, 6, 2, 2, 0xfd, 0xe8, 0x5b, 0xa0, 0xc0, 17, 6, 2, 9, 0xfa, 0x56, 0xea, 0),
		"65000 23456", 0},
	{"an aggregator of two octets", BYTES(0x40, 2, 0, 0xc0, 7, 6, 0xfd, 0xe8, 192, 0, 2, 1), "", 65000},
	{"the aggregator is known better",
		BYTES(0x40, 2, 0, 0xc0, 7, 6, 0x5b, 0xa0, 192, 0, 2, 1, 0xc0, 18, 8, 0xfa, 0x56, 0xea, 0, 192,
			0, 2, 2),
		"", 4200000000u},
	{"somebody else aggregated since",
		BYTES(0x40, 2, 6, 2, 2, 0xfd, 0xe8, 0x5b, 0xa0, 0xc0, 7, 6, 0xfd, 0xe8, 192, 0, 2, 1, 0xc0,
			17, 6, 2, 1, 0xfa, 0x56, 0xea, 0, 0xc0, 18, 8, 0xfa, 0x56, 0xea, 0, 192, 0, 2, 2),
		"65000 23456", 65000},
	{"AS4_AGGREGATOR alone", BYTES(0x40, 2, 0, 0xc0, 18, 8, 0xfa, 0x56, 0xea, 0, 192, 0, 2, 2), "", 0},
};

/* RFC 6793 section 4.2.3. Attributes of a peer with AS numbers of two octets, behind ORIGIN and NEXT_HOP. */
static void paths_of_two_octets_are_completed(void **state)
{
	static const uint8_t others[] = {ORIGIN_IGP, HOP};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct bgp_form f = form();
		struct bgp_error e;
		struct bgp_update u;
		struct bgp_attribute a;
		uint8_t buf[256];
		char text[256];
		struct writer w = writer_of(buf, sizeof(buf));
		static const uint8_t prefix[] = {NLRI};

		f.as4 = false;
		writer_u16(&w, 0);
		writer_u16(&w, (uint16_t)(sizeof(others) + paths[i].len));
		writer_bytes(&w, others, sizeof(others));
		writer_bytes(&w, paths[i].bytes, paths[i].len);
		writer_bytes(&w, prefix, sizeof(prefix));
		assert_int_equal(read_bytes(buf, writer_len(&w), &f, &u, &e), 0);
		if (u.outcome > BGP_DISCARD ||
			strcmp(bgp_path_print(u.set, text, sizeof(text)), paths[i].path) != 0)
			fail_msg("%s: %s %s", paths[i].name, u.reason, text);
		assert_int_equal(bgp_attribute_find(u.set, BGP_AGGREGATOR, &a), paths[i].aggregator != 0);
		if (paths[i].aggregator)
			assert_int_equal(reader_u32(&a.value), paths[i].aggregator);
		assert_false(bgp_attribute_find(u.set, BGP_AS4_PATH, &a) ||
			     bgp_attribute_find(u.set, BGP_AS4_AGGREGATOR, &a));
	}
}

/* Attributes of every type there is, in an order that is as bad as can be. */
static void the_set_is_sorted_whatever_the_order(void **state)
{
	static uint8_t buf[8192];
	struct writer w = writer_of(buf, sizeof(buf));
	struct bgp_form f = form();
	struct bgp_error e;
	struct bgp_update u;
	struct bgp_attribute a;
	unsigned count = 0, last = 0;
	size_t total;

	writer_u16(&w, 0);
	total = writer_begin16(&w);
	for (unsigned type = 255; type > 32; type--) {
		writer_u8(&w, 0xc0);
		writer_u8(&w, (uint8_t)type);
		writer_u8(&w, 2);
		writer_u16(&w, (uint16_t)type);
	}
	writer_end16(&w, total, 0);
	assert_int_equal(read_bytes(buf, writer_len(&w), &f, &u, &e), 0);
	for (; bgp_attribute_next(&u.set, &a); count++) {
		assert_true(a.type > last);
		last = a.type;
		assert_int_equal(reader_u16(&a.value), a.type);
	}
	assert_int_equal(count, 255 - 32);
}

/* A path of two octets may be too long in four. */
static void attributes_that_are_too_long_withdraw_their_routes(void **state)
{
	static uint8_t buf[BGP_EXTENDED_MAX];
	static const uint8_t others[] = {ORIGIN_IGP, HOP}, prefix[] = {NLRI};
	struct writer w = writer_of(buf, sizeof(buf));
	struct bgp_form f = form();
	struct bgp_error e;
	struct bgp_update u;
	size_t total, path;

	f.as4 = false;
	writer_u16(&w, 0);
	total = writer_begin16(&w);
	writer_bytes(&w, others, sizeof(others));
	writer_u16(&w, 0x5002);
	path = writer_begin16(&w);
	for (unsigned i = 0; i < 100; i++) {
		writer_u16(&w, 0x02ff);
		for (unsigned k = 0; k < 255; k++)
			writer_u16(&w, 65000);
	}
	writer_end16(&w, path, 0);
	writer_end16(&w, total, 0);
	writer_bytes(&w, prefix, sizeof(prefix));
	assert_true(writer_ok(&w));
	assert_int_equal(read_bytes(buf, writer_len(&w), &f, &u, &e), 0);
	assert_int_equal(u.outcome, BGP_WITHDRAW);
	assert_string_equal(u.reason, "attributes are longer than 65535 octets with AS numbers of four");
	assert_int_equal(reader_left(&u.set), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fault_of_the_whole_has_its_outcome),
		cmocka_unit_test(prefixes_are_found_in_all_four_places),
		cmocka_unit_test(families_that_were_not_agreed_on_are_ignored),
		cmocka_unit_test(an_end_of_rib_is_what_has_nothing_in_it),
		cmocka_unit_test(the_length_of_a_next_hop_tells_its_family),
		cmocka_unit_test(paths_of_two_octets_are_completed),
		cmocka_unit_test(the_set_is_sorted_whatever_the_order),
		cmocka_unit_test(attributes_that_are_too_long_withdraw_their_routes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
