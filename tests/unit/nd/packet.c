/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nd/packet: golden bytes laid out by hand from RFC 4861 section 4, RFC 7527 and RFC 8106; every refusal by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "nd/packet.h"

/* clang-format off */
static const uint8_t rs[] = {
	0x60, 0x00, 0x00, 0x00, 0x00, 0x08, 0x3a, 0xff,
	0xfe, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
	0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
	0x85, 0x00, 0x7d, 0x35, 0x00, 0x00, 0x00, 0x00,
};
static const uint8_t ra[] = {
	0x60, 0x00, 0x00, 0x00, 0x00, 0x50, 0x3a, 0xff,
	0xfe, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01,
	0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01,
	0x86, 0x00, 0xa7, 0x17, 0x40, 0xc0, 0x23, 0x28, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	/* MTU 1400 */
	0x05, 0x01, 0x00, 0x00, 0x00, 0x00, 0x05, 0x78,
	/* Prefix Information: /64, on-link and autonomous, valid 86400, preferred 14400, 2001:db8:100:: */
	0x03, 0x04, 0x40, 0xc0, 0x00, 0x01, 0x51, 0x80, 0x00, 0x00, 0x38, 0x40, 0x00, 0x00, 0x00, 0x00,
	0x20, 0x01, 0x0d, 0xb8, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	/* RDNSS: 9000 s, 2001:db8::53 */
	0x19, 0x03, 0x00, 0x00, 0x00, 0x00, 0x23, 0x28, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x53,
};
static const uint8_t dad[] = {
	0x60, 0x00, 0x00, 0x00, 0x00, 0x20, 0x3a, 0xff,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0xff, 0x00, 0x00, 0x02,
	0x87, 0x00, 0x65, 0x0e, 0x00, 0x00, 0x00, 0x00, 0xfe, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
	/* Nonce */
	0x0e, 0x01, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06,
};
static const uint8_t na[] = {
	0x60, 0x00, 0x00, 0x00, 0x00, 0x18, 0x3a, 0xff,
	0xfe, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
	0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01,
	0x88, 0x00, 0xdb, 0xa2, 0xa0, 0x00, 0x00, 0x00, 0xfe, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
};
static const uint8_t redirect[] = {
	0x60, 0x00, 0x00, 0x00, 0x00, 0x28, 0x3a, 0xff,
	0xfe, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01,
	0xfe, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
	0x89, 0x00, 0x4d, 0x56, 0x00, 0x00, 0x00, 0x00, 0xfe, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01,
	0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x07,
};
/* clang-format on */

static struct addr address(const char *text)
{
	struct addr a = {0};

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct prefix prefix(const char *text)
{
	struct prefix p = {0};

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static struct nd_message decode(const void *packet, size_t len)
{
	struct nd_message m = {0};
	const char *why = "";
	int err = nd_packet_read(packet, len, &m, &why);

	if (err)
		fail_msg("%d: %s", err, why);
	return m;
}

/* Makes length field and checksum right again after a change, so that only the change itself can be refused. */
static void mend(uint8_t *packet, size_t len)
{
	struct addr src = addr6_of(packet + 8), dst = addr6_of(packet + 24);
	uint16_t sum;

	packet[4] = (uint8_t)((len - 40) >> 8);
	packet[5] = (uint8_t)(len - 40);
	if (len < 44)
		return;
	packet[42] = packet[43] = 0;
	sum = ip6_checksum(&src, &dst, PROTO_ICMP6, packet + 40, len - 40);
	packet[42] = (uint8_t)(sum >> 8);
	packet[43] = (uint8_t)sum;
}

static void reads_a_router_solicitation(void **state)
{
	struct nd_message m = decode(rs, sizeof(rs));
	struct addr src = address("fe80::2"), dst = nd_all_routers();

	(void)state;
	assert_int_equal(m.type, ND_RS);
	assert_true(addr_equal(&m.src, &src));
	assert_true(addr_equal(&m.dst, &dst));
}

static void reads_everything_an_advertisement_says(void **state)
{
	struct nd_message m = decode(ra, sizeof(ra));
	struct prefix link = prefix("2001:db8:100::/64");
	struct addr dns = address("2001:db8::53");

	(void)state;
	assert_int_equal(m.type, ND_RA);
	assert_int_equal(m.advert.hop_limit, 64);
	assert_true(m.advert.managed);
	assert_true(m.advert.other);
	assert_int_equal(m.advert.router_lifetime, 9000);
	assert_int_equal(m.advert.mtu, 1400);
	assert_int_equal(m.advert.prefix_count, 1);
	assert_true(prefix_equal(&m.advert.prefixes[0].prefix, &link));
	assert_int_equal(m.advert.prefixes[0].valid, 86400);
	assert_int_equal(m.advert.prefixes[0].preferred, 14400);
	assert_true(m.advert.prefixes[0].on_link);
	assert_true(m.advert.prefixes[0].autonomous);
	assert_int_equal(m.advert.dns_count, 1);
	assert_true(addr_equal(&m.advert.dns[0], &dns));
	assert_int_equal(m.advert.dns_lifetime, 9000);
	assert_false(m.advert.has_lladdr);
}

static void reads_a_dad_probe_with_its_nonce(void **state)
{
	struct nd_message m = decode(dad, sizeof(dad));
	struct addr target = address("fe80::2");

	(void)state;
	assert_int_equal(m.type, ND_NS);
	assert_true(addr_is_unspecified(&m.src));
	assert_true(addr_equal(&m.target, &target));
	assert_true(m.has_nonce);
	assert_memory_equal(m.nonce, "\1\2\3\4\5\6", 6);
}

static void reads_a_neighbor_advertisement(void **state)
{
	struct nd_message m = decode(na, sizeof(na));
	struct addr target = address("fe80::2");

	(void)state;
	assert_int_equal(m.type, ND_NA);
	assert_true(m.router);
	assert_false(m.solicited);
	assert_true(m.override);
	assert_true(addr_equal(&m.target, &target));
}

static void reads_a_redirect(void **state)
{
	struct nd_message m = decode(redirect, sizeof(redirect));
	struct addr target = address("fe80::1");

	(void)state;
	assert_int_equal(m.type, ND_REDIRECT);
	assert_true(addr_equal(&m.target, &target));
}

static void writes_the_golden_bytes(void **state)
{
	uint8_t buf[256];
	struct writer w;
	struct addr host = address("fe80::2"), router = address("fe80::1"), none = address("::");
	struct addr all = nd_all_nodes(), group = nd_solicited_node(&host);
	struct nd_message m = decode(ra, sizeof(ra));

	(void)state;
	w = writer_of(buf, sizeof(buf));
	nd_rs_write(&w, &host);
	assert_int_equal(writer_len(&w), sizeof(rs));
	assert_memory_equal(buf, rs, sizeof(rs));
	w = writer_of(buf, sizeof(buf));
	nd_ra_write(&w, &router, &all, &m.advert);
	assert_int_equal(writer_len(&w), sizeof(ra));
	assert_memory_equal(buf, ra, sizeof(ra));
	w = writer_of(buf, sizeof(buf));
	nd_ns_write(&w, &none, &group, &host, (const uint8_t *)"\1\2\3\4\5\6");
	assert_int_equal(writer_len(&w), sizeof(dad));
	assert_memory_equal(buf, dad, sizeof(dad));
	w = writer_of(buf, sizeof(buf));
	nd_na_write(&w, &host, &all, &host, true, false, true);
	assert_int_equal(writer_len(&w), sizeof(na));
	assert_memory_equal(buf, na, sizeof(na));
}

static void a_full_advertisement_survives_the_round_trip(void **state)
{
	struct addr router = address("fe80::1"), host = address("fe80::2");
	struct nd_advert a = {.hop_limit = 255,
		.other = true,
		.router_lifetime = 1800,
		.reachable_ms = 30000,
		.retrans_ms = 1000,
		.mtu = 1280,
		.prefix_count = ND_PREFIX_MAX,
		.dns_count = ND_DNS_MAX,
		.dns_lifetime = 600,
		.lladdr = {2, 0, 0, 0, 0, 7},
		.has_lladdr = true};
	uint8_t buf[1280];
	struct writer w = writer_of(buf, sizeof(buf));
	struct nd_message m;

	(void)state;
	for (unsigned i = 0; i < ND_PREFIX_MAX; i++) {
		a.prefixes[i] = (struct nd_prefix){.prefix = prefix("2001:db8::/64"),
			.valid = ND_INFINITE,
			.preferred = i,
			.autonomous = i & 1};
		a.prefixes[i].prefix.addr.bytes[7] = (uint8_t)i;
	}
	for (unsigned i = 0; i < ND_DNS_MAX; i++) {
		a.dns[i] = address("2001:db8::53");
		a.dns[i].bytes[7] = (uint8_t)i;
	}
	nd_ra_write(&w, &router, &host, &a);
	assert_true(writer_ok(&w));
	m = decode(buf, writer_len(&w));
	assert_memory_equal(&m.advert, &a, sizeof(a));
}

static void a_writer_too_small_overflows_and_nothing_else(void **state)
{
	struct addr router = address("fe80::1"), all = nd_all_nodes();
	struct nd_message m = decode(ra, sizeof(ra));
	uint8_t buf[sizeof(ra)];

	(void)state;
	for (size_t size = 0; size < sizeof(ra); size++) {
		struct writer w = writer_of(buf, size);

		nd_ra_write(&w, &router, &all, &m.advert);
		assert_false(writer_ok(&w));
	}
}

/* A golden packet, changed in up to two places, cut or extended, and refused with exactly this reason. */
static const struct bad {
	const char *name;
	const uint8_t *packet;
	size_t packet_len;
	size_t cut;        /* bytes of the packet that stay; 0: all */
	uint8_t extra[24]; /* put behind it */
	size_t extra_len;
	struct {
		size_t at; /* 0: none */
		uint8_t value;
	} patch[2];
	bool raw; /* do not mend length and checksum */
	const char *why;
} bad[] = {
#define P(x) x, sizeof(x)
	{"no bytes at all", P(rs), 1, {0}, 0, {{0}}, true, "truncated"},
	{"half an IPv6 header", P(rs), 39, {0}, 0, {{0}}, true, "truncated"},
	{"payload cut", P(ra), 60, {0}, 0, {{0}}, true, "shorter than its payload length"},
	{"RS hop limit 254", P(rs), 0, {0}, 0, {{7, 254}}, false, "hop limit is not 255"},
	{"RA hop limit 64", P(ra), 0, {0}, 0, {{7, 64}}, false, "hop limit is not 255"},
	{"NS hop limit 1", P(dad), 0, {0}, 0, {{7, 1}}, false, "hop limit is not 255"},
	{"NA hop limit 254", P(na), 0, {0}, 0, {{7, 254}}, false, "hop limit is not 255"},
	{"Redirect hop limit 254", P(redirect), 0, {0}, 0, {{7, 254}}, false, "hop limit is not 255"},
	{"RS wrong checksum", P(rs), 0, {0}, 0, {{43, 0x36}}, true, "wrong checksum"},
	{"RA flipped bit", P(ra), 0, {0}, 0, {{100, 0xff}}, true, "wrong checksum"},
	{"RS code 1", P(rs), 0, {0}, 0, {{41, 1}}, false, "code is not 0"},
	{"RA code 1", P(ra), 0, {0}, 0, {{41, 1}}, false, "code is not 0"},
	{"NS code 255", P(dad), 0, {0}, 0, {{41, 255}}, false, "code is not 0"},
	{"NA code 1", P(na), 0, {0}, 0, {{41, 1}}, false, "code is not 0"},
	{"RS of 1 byte", P(rs), 41, {0}, 0, {{0}}, false, "shorter than its type demands"},
	{"RS of 7 bytes", P(rs), 47, {0}, 0, {{0}}, false, "shorter than its type demands"},
	{"RA of 15 bytes", P(ra), 55, {0}, 0, {{0}}, false, "shorter than its type demands"},
	{"NS of 23 bytes", P(dad), 63, {0}, 0, {{0}}, false, "shorter than its type demands"},
	{"NA of 23 bytes", P(na), 63, {0}, 0, {{0}}, false, "shorter than its type demands"},
	{"Redirect of 39 bytes", P(redirect), 79, {0}, 0, {{0}}, false, "shorter than its type demands"},
	{"RS option of length 0", P(rs), 0, {1, 0}, 8, {{0}}, false, "option of length 0"},
	{"RA option of length 0", P(ra), 0, {200, 0}, 8, {{0}}, false, "option of length 0"},
	{"NS option of length 0", P(dad), 0, {0}, 0, {{65, 0}}, false, "option of length 0"},
	{"NA option of length 0", P(na), 0, {2, 0}, 8, {{0}}, false, "option of length 0"},
	{"option header cut", P(rs), 0, {1}, 1, {{0}}, false, "truncated option header"},
	{"option beyond the end", P(rs), 0, {1, 2}, 8, {{0}}, false, "option longer than the message"},
	{"prefix option cut by one", P(ra), 95, {0}, 0, {{0}}, false, "option longer than the message"},
	{"NS unspecified with SLLAO", P(dad), 0, {1, 1, 2, 0, 0, 0, 0, 7}, 8, {{0}}, false,
		"source link-layer address without a source"},
	{"NS unspecified with long SLLAO", P(dad), 0, {1, 2}, 16, {{0}}, false,
		"source link-layer address without a source"},
	{"RA from a global address", P(ra), 0, {0}, 0, {{8, 0x20}, {9, 0x01}}, false,
		"source is not link-local"},
	{"Redirect from a global address", P(redirect), 0, {0}, 0, {{8, 0x20}}, false,
		"source is not link-local"},
	{"NS for a multicast target", P(dad), 0, {0}, 0, {{48, 0xff}}, false, "target is multicast"},
	{"NA of a multicast target", P(na), 0, {0}, 0, {{48, 0xff}}, false, "target is multicast"},
	{"NA to all with the S flag", P(na), 0, {0}, 0, {{44, 0x40}}, false,
		"solicited flag in a multicast advertisement"},
	{"DAD probe to all nodes", P(dad), 0, {0}, 0, {{35, 0x00}, {36, 0x00}}, false,
		"DAD probe to other than a solicited-node group"},
	{"DAD probe to a unicast address", P(dad), 0, {0}, 0, {{24, 0xfe}, {25, 0x80}}, false,
		"DAD probe to other than a solicited-node group"},
	{"RS from a multicast source", P(rs), 0, {0}, 0, {{8, 0xff}, {9, 0x02}}, false,
		"source is multicast"},
	{"Redirect of multicast", P(redirect), 0, {0}, 0, {{64, 0xff}}, false,
		"redirect of a multicast destination"},
	{"Redirect to a stranger", P(redirect), 0, {0}, 0, {{48, 0x20}}, false,
		"redirect to neither a link-local address nor the destination"},
#undef P
};

static void refuses_what_the_validity_checks_refuse(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct bad *b = &bad[i];
		size_t len = b->cut ? b->cut : b->packet_len;
		uint8_t buf[256];
		struct nd_message m;
		const char *why = NULL;

		memset(&m, 0x5a, sizeof(m));
		memcpy(buf, b->packet, len);
		memcpy(buf + len, b->extra, b->extra_len);
		len += b->extra_len;
		for (size_t k = 0; k < 2; k++)
			if (b->patch[k].at)
				buf[b->patch[k].at] = b->patch[k].value;
		if (!b->raw)
			mend(buf, len);
		if (nd_packet_read(buf, len, &m, &why) != -EBADMSG)
			fail_msg("%s: not refused", b->name);
		if (strcmp(why, b->why) != 0)
			fail_msg("%s: %s", b->name, why);
		assert_int_equal(m.type, 0x5a); /* the output is untouched */
	}
}

static void refuses_an_rs_from_nowhere_with_a_link_layer_address(void **state)
{
	uint8_t buf[sizeof(rs) + 8];
	struct nd_message m;
	const char *why = NULL;

	(void)state;
	memcpy(buf, rs, sizeof(rs));
	memset(buf + 8, 0, 16);
	memcpy(buf + sizeof(rs), "\1\1\2\0\0\0\0\7", 8);
	mend(buf, sizeof(buf));
	assert_int_equal(nd_packet_read(buf, sizeof(buf), &m, &why), -EBADMSG);
	assert_string_equal(why, "source link-layer address without a source");
	mend(buf, sizeof(rs)); /* without the option it is fine */
	assert_int_equal(nd_packet_read(buf, sizeof(rs), &m, &why), 0);
}

static void refuses_another_ip_version(void **state)
{
	uint8_t buf[sizeof(rs)];
	struct nd_message m;
	const char *why = NULL;

	(void)state;
	memcpy(buf, rs, sizeof(rs));
	buf[0] = 0x45;
	assert_int_equal(nd_packet_read(buf, sizeof(buf), &m, &why), -EBADMSG);
	assert_string_equal(why, "not IPv6");
}

static void leaves_other_packets_to_others(void **state)
{
	uint8_t buf[sizeof(rs)];
	struct nd_message m;
	const char *why = NULL;

	(void)state;
	memcpy(buf, rs, sizeof(rs));
	buf[40] = 128; /* echo request */
	assert_int_equal(nd_packet_read(buf, sizeof(buf), &m, &why), -ENOMSG);
	buf[40] = 138;
	assert_int_equal(nd_packet_read(buf, sizeof(buf), &m, &why), -ENOMSG);
	buf[40] = 133;
	buf[6] = PROTO_UDP;
	assert_int_equal(nd_packet_read(buf, sizeof(buf), &m, &why), -ENOMSG);
}

static void refuses_every_truncation(void **state)
{
	static const struct {
		const uint8_t *packet;
		size_t len;
	} all[] = {{rs, sizeof(rs)}, {ra, sizeof(ra)}, {dad, sizeof(dad)}, {na, sizeof(na)}};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		for (size_t len = 0; len < all[i].len; len++) {
			struct nd_message m;
			const char *why = NULL;

			assert_int_equal(nd_packet_read(all[i].packet, len, &m, &why), -EBADMSG);
			assert_non_null(why);
		}
}

static void skips_options_that_do_not_concern_it(void **state)
{
	static const uint8_t options[][16] = {
		{200, 2, 1, 2, 3},                      /* unknown */
		{25, 2, 0, 0, 0, 0, 1, 0},              /* RDNSS too short for an address */
		{5, 2, 0, 0, 0, 0, 0xff, 0xff},         /* MTU of the wrong length */
		{14, 1, 9, 9, 9, 9, 9, 9, 31, 1, 0, 0}, /* nonce: not in an RA */
	};
	struct nd_message plain = decode(ra, sizeof(ra));
	uint8_t buf[sizeof(ra) + 16];

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		memcpy(buf, ra, sizeof(ra));
		memcpy(buf + sizeof(ra), options[i], 16);
		mend(buf, sizeof(buf));
		struct nd_message m = decode(buf, sizeof(buf));

		assert_memory_equal(&m, &plain, sizeof(m));
	}
}

static void skips_prefixes_longer_than_an_address(void **state)
{
	uint8_t buf[sizeof(ra)];

	(void)state;
	memcpy(buf, ra, sizeof(ra));
	buf[66] = 129;
	mend(buf, sizeof(buf));
	assert_int_equal(decode(buf, sizeof(buf)).advert.prefix_count, 0);
}

static void skips_dns_servers_that_cannot_be_or_were_withdrawn(void **state)
{
	struct addr dns = address("2001:db8::53");
	uint8_t buf[sizeof(ra)];

	(void)state;
	memcpy(buf, ra, sizeof(ra));
	buf[104] = 0xff; /* multicast */
	mend(buf, sizeof(buf));
	assert_int_equal(decode(buf, sizeof(buf)).advert.dns_count, 0);
	memcpy(buf, ra, sizeof(ra));
	assert_int_equal(decode(buf, sizeof(buf)).advert.dns_withdrawn_count, 0);
	memset(buf + 100, 0, 4); /* lifetime 0 */
	mend(buf, sizeof(buf));
	assert_int_equal(decode(buf, sizeof(buf)).advert.dns_count, 0);
	assert_int_equal(decode(buf, sizeof(buf)).advert.dns_withdrawn_count, 1);
	assert_true(addr_equal(&decode(buf, sizeof(buf)).advert.dns_withdrawn[0], &dns));
}

static void ignores_reserved_bits_and_what_follows_the_packet(void **state)
{
	uint8_t buf[sizeof(rs) + 3];

	(void)state;
	memcpy(buf, rs, sizeof(rs));
	memset(buf + sizeof(rs), 0xee, 3);
	buf[44] = 0xff;
	mend(buf, sizeof(rs));
	assert_int_equal(decode(buf, sizeof(buf)).type, ND_RS);
}

static void makes_the_well_known_addresses(void **state)
{
	struct addr target = address("2001:db8::12:3456"), group = address("ff02::1:ff12:3456");
	struct addr made = nd_solicited_node(&target), local = nd_link_local(0x0102030405060708),
		    expected = address("fe80::102:304:506:708");

	(void)state;
	assert_true(addr_equal(&made, &group));
	assert_true(addr_equal(&local, &expected));
}

static void prints_one_line_and_never_beyond_its_buffer(void **state)
{
	char line[256], tiny[8];

	(void)state;
	nd_packet_print(ra, sizeof(ra), line, sizeof(line));
	assert_string_equal(line, "RA fe80::1 > ff02::1 lifetime 9000 managed other mtu 1400 prefix "
				  "2001:db8:100::/64 (on-link autonomous 14400/86400) dns 2001:db8::53");
	nd_packet_print(dad, sizeof(dad), line, sizeof(line));
	assert_string_equal(line, "NS :: > ff02::1:ff00:2 target fe80::2 nonce");
	nd_packet_print(ra, 20, line, sizeof(line));
	assert_string_equal(line, "malformed: truncated");
	for (size_t size = 0; size <= sizeof(tiny); size++) {
		memset(tiny, '#', sizeof(tiny));
		nd_packet_print(ra, sizeof(ra), tiny, size);
		for (size_t i = size; i < sizeof(tiny); i++)
			assert_int_equal(tiny[i], '#');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_router_solicitation),
		cmocka_unit_test(reads_everything_an_advertisement_says),
		cmocka_unit_test(reads_a_dad_probe_with_its_nonce),
		cmocka_unit_test(reads_a_neighbor_advertisement),
		cmocka_unit_test(reads_a_redirect),
		cmocka_unit_test(writes_the_golden_bytes),
		cmocka_unit_test(a_full_advertisement_survives_the_round_trip),
		cmocka_unit_test(a_writer_too_small_overflows_and_nothing_else),
		cmocka_unit_test(refuses_what_the_validity_checks_refuse),
		cmocka_unit_test(refuses_an_rs_from_nowhere_with_a_link_layer_address),
		cmocka_unit_test(refuses_another_ip_version),
		cmocka_unit_test(leaves_other_packets_to_others),
		cmocka_unit_test(refuses_every_truncation),
		cmocka_unit_test(skips_options_that_do_not_concern_it),
		cmocka_unit_test(skips_prefixes_longer_than_an_address),
		cmocka_unit_test(skips_dns_servers_that_cannot_be_or_were_withdrawn),
		cmocka_unit_test(ignores_reserved_bits_and_what_follows_the_packet),
		cmocka_unit_test(makes_the_well_known_addresses),
		cmocka_unit_test(prints_one_line_and_never_beyond_its_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
