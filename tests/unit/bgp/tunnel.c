/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bgp/tunnel: golden bytes laid out by hand from RFC 9012, RFC 5512 and RFC 5566; what section 13 of RFC 9012 says of bad ones. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bgp/tunnel.h"

#define BYTES(...)   (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Sub-TLVs */
#define NEXT_HOP  6, 6, 0, 0, 0, 0, 0, 0
#define ENDPOINT4 6, 10, 0, 0, 0, 0, 0, 1, 192, 0, 2, 1
#define ENDPOINT6 6, 22, 0, 0, 0, 0, 0, 2, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1
#define SESSION   1, 4, 0, 0, 0, 9
#define HASH(x)   x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x

struct row {
	const char *name;
	const uint8_t *value;
	size_t len;
	const char *texts[3]; /* of the tunnels in it */
	const char *why;      /* one was ignored, or NULL */
};

/* clang-format off */
/* Written again, these are the same octets. */
static const struct row good[] = {
	{"the next hop is the endpoint", BYTES(0, 7, 0, 8, NEXT_HOP), {"ipip endpoint next-hop"}, NULL},
	{"an IPv4 endpoint", BYTES(0, 7, 0, 12, ENDPOINT4), {"ipip endpoint 192.0.2.1"}, NULL},
	{"an IPv6 endpoint", BYTES(0, 7, 0, 24, ENDPOINT6), {"ipip endpoint 2001:db8::1"}, NULL},
	{"GRE without a key", BYTES(0, 2, 0, 8, NEXT_HOP), {"gre endpoint next-hop"}, NULL},
	{"GRE with key 7", BYTES(0, 2, 0, 14, 1, 4, 0, 0, 0, 7, NEXT_HOP), {"gre key 7 endpoint next-hop"}, NULL},
	{"GRE with key 0", BYTES(0, 2, 0, 14, 1, 4, 0, 0, 0, 0, NEXT_HOP), {"gre key 0 endpoint next-hop"}, NULL},
	{"L2TPv3 without a cookie", BYTES(0, 1, 0, 6, SESSION), {"l2tpv3 session 9"}, NULL},
	{"L2TPv3 with a cookie of 4 octets, IPv6 only", BYTES(0, 1, 0, 14, 1, 8, 0, 0, 0, 9, 1, 2, 3, 4, 2, 2, 0x86, 0xdd),
		{"l2tpv3 session 9 cookie of 4 octets protocol ipv6"}, NULL},
	{"L2TPv3 with a cookie of 8 octets", BYTES(0, 1, 0, 22, 1, 12, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5, 6, 7, 8, NEXT_HOP),
		{"l2tpv3 session 4294967295 cookie of 8 octets endpoint next-hop"}, NULL},
	{"MPLS in GRE", BYTES(0, 11, 0, 14, 1, 4, 0, 0, 0, 5, NEXT_HOP), {"mpls-in-gre key 5 endpoint next-hop"}, NULL},
	{"MPLS in UDP, to another port", BYTES(0, 13, 0, 12, NEXT_HOP, 8, 2, 0x19, 0xeb), {"mpls-in-udp endpoint next-hop port 6635"}, NULL},
	{"MPLS with two labels", BYTES(0, 10, 0, 18, NEXT_HOP, 10, 8, 0, 0x06, 0x40, 0xff, 0, 0x0c, 0x81, 0xff),
		{"mpls endpoint next-hop label 100 label 200"}, NULL},
	{"two colors", BYTES(0, 7, 0, 28, 4, 8, 3, 0xb, 0, 0, 0, 0, 0, 100, 4, 8, 3, 0xb, 0, 0, 0, 0, 0, 200, NEXT_HOP),
		{"ipip endpoint next-hop color 100 color 200"}, NULL},
	{"DS field and embedded label handling", BYTES(0, 2, 0, 14, NEXT_HOP, 7, 1, 0x2e, 9, 1, 2), {"gre endpoint next-hop ds 0x2e embedded-label 2"}, NULL},
	{"three in the egress's order", BYTES(0, 2, 0, 14, 1, 4, 0, 0, 0, 7, NEXT_HOP, 0, 7, 0, 8, NEXT_HOP, 0, 1, 0, 14, SESSION, NEXT_HOP),
		{"gre key 7 endpoint next-hop", "ipip endpoint next-hop", "l2tpv3 session 9 endpoint next-hop"}, NULL},
	{"RFC 5512: no endpoint", BYTES(0, 7, 0, 0), {"ipip"}, NULL},
	{"RFC 5566: IPsec with two public keys", BYTES(0, 4, 0, 48, 3, 22, 0, 1, HASH(1), 3, 22, 0, 1, HASH(2)), {"ipsec 2 public keys"}, NULL},
	{"RFC 5566: the other types", BYTES(0, 5, 0, 0, 0, 6, 0, 0), {"ipip-ipsec", "mpls-ipsec"}, NULL},
};
/* Understood, though not what we would write; or passed over. */
static const struct row odd[] = {
	{"unknown sub-TLVs, short and long", BYTES(0, 7, 0, 22, 127, 1, 9, 128, 0, 1, 9, 255, 0, 0, 200, 0, 1, 9, NEXT_HOP), {"ipip endpoint next-hop"}, NULL},
	{"the length of a long sub-TLV has two octets", BYTES(0, 7, 0, 13, 130, 0, 2, 6, 99, NEXT_HOP), {"ipip endpoint next-hop"}, NULL},
	{"endpoint: reserved octets are ignored", BYTES(0, 7, 0, 8, 6, 6, 1, 2, 3, 4, 0, 0), {"ipip endpoint next-hop"}, NULL},
	{"twice: the first key, DS field and label stack count", BYTES(0, 2, 0, 38, 1, 4, 0, 0, 0, 1, 1, 4, 0, 0, 0, 2, 7, 1, 3, 7, 1, 4, 10, 4, 0, 0, 0x10, 0, 10, 4, 0, 0, 0x20, 0, NEXT_HOP),
		{"gre key 1 endpoint next-hop ds 0x03 label 1"}, NULL},
	{"twice, the first malformed: neither counts", BYTES(0, 2, 0, 19, 1, 3, 0, 0, 1, 1, 4, 0, 0, 0, 2, NEXT_HOP), {"gre endpoint next-hop"}, NULL},
	{"two payloads: two tunnels", BYTES(0, 2, 0, 16, 2, 2, 8, 0, 2, 2, 0x86, 0xdd, NEXT_HOP), {"gre protocol ipv4 endpoint next-hop", "gre protocol ipv6 endpoint next-hop"}, NULL},
	{"other payloads by number", BYTES(0, 2, 0, 12, 2, 2, 0x65, 0x58, NEXT_HOP), {"gre protocol 0x6558 endpoint next-hop"}, NULL},
	{"the reserved payload 0xffff", BYTES(0, 2, 0, 12, 2, 2, 0xff, 0xff, NEXT_HOP), {"gre endpoint next-hop"}, NULL},
	{"payload of 3 octets", BYTES(0, 2, 0, 13, 2, 3, 8, 0, 0, NEXT_HOP), {"gre endpoint next-hop"}, NULL},
	{"X-in-Y: another payload is ignored", BYTES(0, 11, 0, 12, 2, 2, 8, 0, NEXT_HOP), {"mpls-in-gre endpoint next-hop"}, NULL},
	{"a key of 3 octets", BYTES(0, 2, 0, 13, 1, 3, 0, 0, 7, NEXT_HOP), {"gre endpoint next-hop"}, NULL},
	{"a key of 5 octets", BYTES(0, 2, 0, 15, 1, 5, 0, 0, 0, 0, 7, NEXT_HOP), {"gre endpoint next-hop"}, NULL},
	{"IP in IP has no parameters", BYTES(0, 7, 0, 14, 1, 4, 0, 0, 0, 7, NEXT_HOP), {"ipip endpoint next-hop"}, NULL},
	{"color of 7 octets", BYTES(0, 7, 0, 17, 4, 7, 3, 0xb, 0, 0, 0, 0, 1, NEXT_HOP), {"ipip endpoint next-hop"}, NULL},
	{"color that is another community", BYTES(0, 7, 0, 18, 4, 8, 3, 0xc, 0, 0, 0, 0, 0, 1, NEXT_HOP), {"ipip endpoint next-hop"}, NULL},
	{"color with flags", BYTES(0, 7, 0, 18, 4, 8, 3, 0xb, 0xff, 0xff, 0, 0, 0, 1, NEXT_HOP), {"ipip endpoint next-hop color 1"}, NULL},
	{"UDP port 0", BYTES(0, 13, 0, 12, 8, 2, 0, 0, NEXT_HOP), {"mpls-in-udp endpoint next-hop"}, NULL},
	{"UDP port without UDP", BYTES(0, 2, 0, 12, 8, 2, 0, 9, NEXT_HOP), {"gre endpoint next-hop"}, NULL},
	{"DS field without an outer IP header", BYTES(0, 10, 0, 11, 7, 1, 9, NEXT_HOP), {"mpls endpoint next-hop"}, NULL},
	{"DS field of 2 octets", BYTES(0, 2, 0, 12, 7, 2, 9, 9, NEXT_HOP), {"gre endpoint next-hop"}, NULL},
	{"embedded label handling 3", BYTES(0, 2, 0, 11, 9, 1, 3, NEXT_HOP), {"gre endpoint next-hop"}, NULL},
	{"label stack of 5 octets", BYTES(0, 10, 0, 15, 10, 5, 0, 0, 0x10, 0, 0, NEXT_HOP), {"mpls endpoint next-hop"}, NULL},
	{"a key of another kind for IPsec", BYTES(0, 4, 0, 5, 3, 3, 0, 2, 9), {"ipsec"}, NULL},
	{"a key hash of 19 octets", BYTES(0, 4, 0, 5, 3, 3, 0, 1, 9), {"ipsec"}, NULL},
	{"no IPsec, no keys", BYTES(0, 2, 0, 24, 3, 22, 0, 1, HASH(1)), {"gre"}, NULL},
	{"unknown type beside a known one", BYTES(0, 8, 0, 8, NEXT_HOP, 0, 7, 0, 8, NEXT_HOP), {"ipip endpoint next-hop"}, "type is unknown"},
	{"unknown type alone", BYTES(0, 15, 0, 8, NEXT_HOP), {NULL}, "type is unknown"},
	{"RFC 5566: who only transmits", BYTES(0, 3, 0, 0), {NULL}, "type is unknown"},
	{"L2TPv3 without a session", BYTES(0, 1, 0, 8, NEXT_HOP), {NULL}, "no session"},
	{"L2TPv3 with session 0", BYTES(0, 1, 0, 14, 1, 4, 0, 0, 0, 0, NEXT_HOP), {NULL}, "no session"},
	{"L2TPv3 with a cookie of 5 octets", BYTES(0, 1, 0, 19, 1, 9, 0, 0, 0, 9, 1, 2, 3, 4, 5, NEXT_HOP), {NULL}, "no session"},
	{"L2TPv3 with 13 octets", BYTES(0, 1, 0, 23, 1, 13, 0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, NEXT_HOP), {NULL}, "no session"},
	{"L2TPv3 with 3 octets", BYTES(0, 1, 0, 13, 1, 3, 0, 0, 9, NEXT_HOP), {NULL}, "no session"},
	{"payload of EtherType 0", BYTES(0, 2, 0, 12, 2, 2, 0, 0, NEXT_HOP), {NULL}, "EtherType 0"},
	{"an endpoint that is neither IPv4 nor IPv6", BYTES(0, 7, 0, 14, 6, 12, 0, 0, 0, 0, 0, 6, 2, 0, 0, 0, 0, 1), {NULL}, "neither IPv4 nor IPv6"},
	{"five labels", BYTES(0, 10, 0, 22, 10, 20, 0, 0, 16, 0, 0, 0, 16, 0, 0, 0, 16, 0, 0, 0, 16, 0, 0, 0, 16, 0), {NULL}, "more labels than are supported"},
	{"a malformed endpoint beside a good tunnel", BYTES(0, 2, 0, 9, 6, 7, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 8, NEXT_HOP), {"ipip endpoint next-hop"}, "length of its endpoint"},
};
/* Malformed: the routes are treated as withdrawn. The reason is in texts[0]. */
static const struct row bad[] = {
	{"nothing", NULL, 0, {"no tunnel"}, NULL},
	{"half a type", BYTES(0), {"does not fit"}, NULL},
	{"no length", BYTES(0, 7, 0), {"does not fit"}, NULL},
	{"a tunnel that is too long", BYTES(0, 7, 0, 9, NEXT_HOP), {"does not fit"}, NULL},
	{"octets behind the last tunnel", BYTES(0, 7, 0, 8, NEXT_HOP, 0, 7), {"does not fit"}, NULL},
	{"a sub-TLV without a length", BYTES(0, 7, 0, 9, NEXT_HOP, 6), {"parts of a tunnel"}, NULL},
	{"a sub-TLV that is too long", BYTES(0, 7, 0, 3, 7, 2, 0), {"parts of a tunnel"}, NULL},
	{"a long sub-TLV with a length of one octet", BYTES(0, 7, 0, 3, 128, 1, 0), {"parts of a tunnel"}, NULL},
	{"a long sub-TLV that is too long", BYTES(0, 7, 0, 5, 128, 1, 1, 0, 0), {"parts of a tunnel"}, NULL},
	{"an unknown type whose sub-TLVs do not fit", BYTES(0, 99, 0, 1, 0, 0, 7, 0, 8, NEXT_HOP), {"parts of a tunnel"}, NULL},
	{"endpoint of 5 octets", BYTES(0, 7, 0, 7, 6, 5, 0, 0, 0, 0, 0), {"length of its endpoint"}, NULL},
	{"next hop with an address", BYTES(0, 7, 0, 12, 6, 10, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1), {"length of its endpoint"}, NULL},
	{"IPv4 of 5 octets", BYTES(0, 7, 0, 13, 6, 11, 0, 0, 0, 0, 0, 1, 192, 0, 2, 1, 0), {"length of its endpoint"}, NULL},
	{"IPv6 of 4 octets", BYTES(0, 7, 0, 12, 6, 10, 0, 0, 0, 0, 0, 2, 192, 0, 2, 1), {"length of its endpoint"}, NULL},
	{"endpoint 127.0.0.1", BYTES(0, 7, 0, 12, 6, 10, 0, 0, 0, 0, 0, 1, 127, 0, 0, 1), {"nothing is forwarded to"}, NULL},
	{"endpoint 0.0.0.0", BYTES(0, 7, 0, 12, 6, 10, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0), {"nothing is forwarded to"}, NULL},
	{"endpoint 255.255.255.255", BYTES(0, 7, 0, 12, 6, 10, 0, 0, 0, 0, 0, 1, 255, 255, 255, 255), {"nothing is forwarded to"}, NULL},
	{"endpoint ::1", BYTES(0, 7, 0, 24, 6, 22, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), {"nothing is forwarded to"}, NULL},
	{"endpoint fe80::1", BYTES(0, 7, 0, 24, 6, 22, 0, 0, 0, 0, 0, 2, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), {"nothing is forwarded to"}, NULL},
	{"endpoint ::ffff:192.0.2.1", BYTES(0, 7, 0, 24, 6, 22, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1), {"nothing is forwarded to"}, NULL},
	{"two endpoints", BYTES(0, 7, 0, 16, NEXT_HOP, NEXT_HOP), {"two endpoints"}, NULL},
};
/* clang-format on */

static void check_tunnels(const struct row *row, const struct bgp_tunnels *all)
{
	char text[200];
	unsigned n = 0;

	for (; n < 3 && row->texts[n]; n++) {
		if (n >= all->count)
			fail_msg("%s: only %u tunnels", row->name, all->count);
		if (strcmp(bgp_tunnel_print(&all->tunnel[n], text, sizeof(text)), row->texts[n]) != 0)
			fail_msg("%s: %s", row->name, text);
	}
	if (all->count != n)
		fail_msg("%s: %u tunnels", row->name, all->count);
	if (all->ignored != (row->why != NULL) || (row->why && !strstr(all->why, row->why)))
		fail_msg("%s: ignored %u: %s", row->name, all->ignored, all->why ? all->why : "nothing");
}

/* proves: MESH-SIG-6 partial, MESH-SIG-7 partial, MESH-SIG-8 partial */
static void tunnels_are_read_and_written_as_the_rfcs_have_them(void **state)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		struct bgp_tunnels all;
		const char *why = "";
		uint8_t buf[256];
		struct writer w = writer_of(buf, sizeof(buf));

		if (bgp_tunnels_read(reader_of(good[i].value, good[i].len), &all, &why))
			fail_msg("%s: %s", good[i].name, why);
		check_tunnels(&good[i], &all);
		bgp_tunnels_write(&w, all.tunnel, all.count, false);
		if (writer_len(&w) != good[i].len || memcmp(buf, good[i].value, good[i].len) != 0)
			fail_msg("%s: written otherwise", good[i].name);
	}
}

static void what_is_odd_makes_a_sub_tlv_or_a_tunnel_ignored(void **state)
{
	for (size_t i = 0; i < COUNT(odd); i++) {
		struct bgp_tunnels all;
		const char *why = "";

		if (bgp_tunnels_read(reader_of(odd[i].value, odd[i].len), &all, &why))
			fail_msg("%s: %s", odd[i].name, why);
		check_tunnels(&odd[i], &all);
	}
}

static void malformed_attributes_are_refused(void **state)
{
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct bgp_tunnels all = {.count = 7};
		const char *why = "";

		if (bgp_tunnels_read(reader_of(bad[i].value, bad[i].len), &all, &why) != -EPROTO)
			fail_msg("%s: accepted", bad[i].name);
		if (!strstr(why, bad[i].texts[0]))
			fail_msg("%s: %s", bad[i].name, why);
		assert_int_equal(all.count, 7);
	}
}

static void cookies_and_key_hashes_are_whole(void **state)
{
	static const uint8_t value[] = {
		0, 1, 0, 14, 1, 12, 0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 0, 5, 0, 24, 3, 22, 0, 1, HASH(0xab)};
	static const uint8_t cookie[] = {1, 2, 3, 4, 5, 6, 7, 8}, hash[] = {HASH(0xab)};
	struct bgp_tunnels all;
	const char *why;

	assert_int_equal(bgp_tunnels_read(reader_of(value, sizeof(value)), &all, &why), 0);
	assert_memory_equal(all.tunnel[0].cookie, cookie, sizeof(cookie));
	assert_memory_equal(all.tunnel[1].keys[0], hash, sizeof(hash));
}

static void a_tunnel_for_mpls_says_so(void **state)
{
	static const uint8_t value[] = {0, 11, 0, 0, 0, 13, 0, 0, 0, 10, 0, 0};
	struct bgp_tunnels all;
	const char *why;

	assert_int_equal(bgp_tunnels_read(reader_of(value, sizeof(value)), &all, &why), 0);
	assert_int_equal(all.tunnel[0].protocol, 0x8847);
	assert_int_equal(all.tunnel[1].protocol, 0x8847);
	assert_int_equal(all.tunnel[2].protocol, 0);
	assert_true(bgp_tunnel_is_for_mpls(BGP_TUNNEL_MPLS_IPSEC));
	assert_false(bgp_tunnel_is_for_mpls(BGP_TUNNEL_GRE));
	assert_false(bgp_tunnel_is_for_mpls(99));
}

static void the_form_of_rfc5512_has_what_rfc5512_knows(void **state)
{
	static const uint8_t value[] = {0, 2, 0, 36, 1, 4, 0, 0, 0, 7, 4, 8, 3, 0xb, 0, 0, 0, 0, 0, 100,
		NEXT_HOP, 7, 1, 9, 10, 4, 0, 0, 16, 0, 9, 1, 1};
	static const uint8_t expected[] = {0, 2, 0, 16, 1, 4, 0, 0, 0, 7, 4, 8, 3, 0xb, 0, 0, 0, 0, 0, 100};
	struct bgp_tunnels all;
	const char *why = "";
	uint8_t buf[256];
	struct writer w = writer_of(buf, sizeof(buf));

	if (bgp_tunnels_read(reader_of(value, sizeof(value)), &all, &why))
		fail_msg("%s", why);
	bgp_tunnels_write(&w, all.tunnel, all.count, true);
	assert_int_equal(writer_len(&w), sizeof(expected));
	assert_memory_equal(buf, expected, sizeof(expected));
}

static void more_than_fits_is_counted_and_cut(void **state)
{
	uint8_t value[512];
	struct writer w = writer_of(value, sizeof(value));
	struct bgp_tunnels all;
	const char *why;
	size_t at;

	for (unsigned i = 0; i < BGP_TUNNELS + 2; i++)
		writer_u32(&w, BGP_TUNNEL_GRE << 16);
	assert_int_equal(bgp_tunnels_read(reader_of(value, writer_len(&w)), &all, &why), 0);
	assert_int_equal(all.count, BGP_TUNNELS);
	assert_int_equal(all.ignored, 2);
	assert_string_equal(all.why, "there are too many");

	w = writer_of(value, sizeof(value));
	writer_u16(&w, BGP_TUNNEL_GRE);
	at = writer_begin16(&w);
	for (unsigned i = 0; i < BGP_TUNNEL_COLORS + 1; i++) {
		writer_u16(&w, BGP_SUB_COLOR << 8 | 8);
		writer_u64(&w, bgp_color_community(0, i));
	}
	writer_end16(&w, at, 0);
	assert_int_equal(bgp_tunnels_read(reader_of(value, writer_len(&w)), &all, &why), 0);
	assert_int_equal(all.tunnel[0].color_count, BGP_TUNNEL_COLORS);
	assert_int_equal(all.tunnel[0].colors[BGP_TUNNEL_COLORS - 1], BGP_TUNNEL_COLORS - 1);
}

static void types_have_names_both_ways(void **state)
{
	unsigned known = 0;

	for (unsigned type = 0; type <= UINT16_MAX; type++) {
		const char *name = bgp_tunnel_type_name((uint16_t)type);
		uint16_t again = 0;

		if (!name)
			continue;
		assert_int_equal(bgp_tunnel_type_parse(name, &again), 0);
		assert_int_equal(again, type);
		known++;
	}
	assert_int_equal(known, 9);
	assert_int_equal(bgp_tunnel_type_parse("vxlan", &(uint16_t){0}), -EINVAL);
}

static void a_text_is_cut_to_its_buffer(void **state)
{
	const struct bgp_tunnel t = {.type = 99, .has_endpoint = true};
	char buf[16];

	assert_string_equal(bgp_tunnel_print(&t, buf, sizeof(buf)), "type 99 endpoin");
	assert_string_equal(bgp_tunnel_print(&t, buf, 1), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tunnels_are_read_and_written_as_the_rfcs_have_them),
		cmocka_unit_test(what_is_odd_makes_a_sub_tlv_or_a_tunnel_ignored),
		cmocka_unit_test(malformed_attributes_are_refused),
		cmocka_unit_test(cookies_and_key_hashes_are_whole),
		cmocka_unit_test(a_tunnel_for_mpls_says_so),
		cmocka_unit_test(the_form_of_rfc5512_has_what_rfc5512_knows),
		cmocka_unit_test(more_than_fits_is_counted_and_cut),
		cmocka_unit_test(types_have_names_both_ways),
		cmocka_unit_test(a_text_is_cut_to_its_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
