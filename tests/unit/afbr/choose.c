/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which encapsulation: rules of the operator against what egresses tell, as tables. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "afbr/choose.h"

enum { TUNNELS = 4, RULES = 3, COMMUNITIES = 3, EF = 46 };

#define EGRESS "2001:db8::e"

static struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct prefix prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

/* ---- what routes tell ---- */

struct told {
	struct bgp_tunnel tunnels[TUNNELS]; /* of the attribute; a type of 0: no more */
	uint32_t community;                 /* 0: none */
	uint64_t extended[COMMUNITIES];     /* 0: none */
	const char *raw;                    /* instead of `tunnels`: the attribute's value */
	size_t raw_len;
};

struct set {
	uint8_t bytes[1024];
	struct reader reader;
};

static void make_set(struct set *set, const struct told *told)
{
	struct writer w = writer_of(set->bytes, sizeof(set->bytes));
	uint8_t value[512], four[4], eights[8 * COMMUNITIES];
	struct writer v = writer_of(value, sizeof(value)), e = writer_of(eights, sizeof(eights)),
		      c = writer_of(four, sizeof(four));
	unsigned count = 0;

	while (count < TUNNELS && told->tunnels[count].type)
		count++;
	bgp_tunnels_write(&v, told->tunnels, count, false);
	writer_bytes(&v, told->raw, told->raw_len);
	writer_u32(&c, told->community);
	for (unsigned i = 0; i < COMMUNITIES && told->extended[i]; i++)
		writer_u64(&e, told->extended[i]);
	bgp_attribute_put(&w, BGP_FLAG_TRANSITIVE, BGP_ORIGIN, "\0", 1);
	if (told->community)
		bgp_attribute_put(&w, BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE, BGP_COMMUNITIES, four, 4);
	if (writer_len(&e))
		bgp_attribute_put(&w, BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE, BGP_EXTENDED_COMMUNITIES,
			eights, writer_len(&e));
	if (writer_len(&v))
		bgp_attribute_put(
			&w, BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE, BGP_TUNNEL_ENCAP, value, writer_len(&v));
	assert_true(writer_ok(&w) && writer_ok(&v) && writer_ok(&e));
	set->reader = reader_of(set->bytes, writer_len(&w));
}

/* Each with more in it, or nothing. */
#define IPIP(...)                                                                                            \
	{                                                                                                    \
		.type = BGP_TUNNEL_IPIP, __VA_ARGS__                                                         \
	}
#define GRE(...)                                                                                             \
	{                                                                                                    \
		.type = BGP_TUNNEL_GRE, __VA_ARGS__                                                          \
	}
#define MPLS_GRE(...)                                                                                        \
	{                                                                                                    \
		.type = BGP_TUNNEL_MPLS_GRE, __VA_ARGS__                                                     \
	}
#define KEY(number) .has_encapsulation = true, .has_key = true, .key = (number)
#define L2TPV3(...)                                                                                          \
	{                                                                                                    \
		.type = BGP_TUNNEL_L2TPV3, .has_encapsulation = true, .session = 0x1234, .cookie_len = 8,    \
		.cookie = {0xc0, 0x0c, 1, 2, 3, 4, 5, 6}, __VA_ARGS__                                        \
	}

/* Extended communities, as RFC 9012 sections 4.1 and 4.3 lay them out. */
#define ENCAPSULATION(type) (0x030c000000000000 | (type))
#define COLOR(value)        (0x030b000000000000 | (value))

/* ---- rules ---- */

#define USE(...)        .use = {__VA_ARGS__}, .use_count = sizeof((uint8_t[]){__VA_ARGS__}), .hop_limit = 64
#define CLASS(of, what) .class_count = 1, .classes = {{.is_color = (of), .value = (what)}}
#define FOR(code)       .dscp = (uint64_t)1 << (code)

static void make_config(struct afbr_config *c, const struct afbr_rule *rules, struct afbr_rule copies[RULES])
{
	memcpy(copies, rules, RULES * sizeof(*rules));
	*c = (struct afbr_config){.rules = copies};
	for (; c->rule_count < RULES && rules[c->rule_count].use_count; c->rule_count++)
		if (!copies[c->rule_count].dscp)
			copies[c->rule_count].dscp = UINT64_MAX;
	assert_int_equal(choose_slots(c), 0);
}

/* ---- the table ---- */

static const struct row {
	const char *name;
	struct told route, egress; /* the second: the Encapsulation SAFI route, if it has anything */
	struct afbr_rule rules[RULES];
	bool labeled;
	const char *how; /* NULL: nothing */
	enum choose_source source;
	int rule; /* from 0; -1: none */
	const char *why;
} rows[] = {
	/* Nothing is told. */
	{.name = "no rule, nothing told",
		.how = "ipip",
		.source = CHOOSE_NOTHING,
		.rule = -1,
		.why = "no rule of `encapsulate` fits: ipip, because the egress tells nothing of tunnels, "
		       "and this needs no telling"},
	{.name = "gre needs no telling",
		.rules = {{USE(AFBR_USE_GRE)}},
		.how = "gre",
		.source = CHOOSE_NOTHING,
		.why = "rule 1 of `encapsulate` wants gre: gre, because the egress tells nothing of tunnels, "
		       "and this needs no telling"},
	{.name = "l2tpv3 does",
		.rules = {{USE(AFBR_USE_L2TPV3)}},
		.source = CHOOSE_NOTHING,
		.why = "rule 1 of `encapsulate` wants l2tpv3, but the egress tells nothing of tunnels, and "
		       "L2TPv3 cannot be used before it has told a Session ID"},
	{.name = "what comes next in the rule",
		.rules = {{USE(AFBR_USE_L2TPV3, AFBR_USE_IPIP)}},
		.how = "ipip",
		.source = CHOOSE_NOTHING,
		.why = "rule 1 of `encapsulate` wants l2tpv3, ipip: ipip, because the egress tells nothing "
		       "of tunnels, and this needs no telling"},
	{.name = "MPLS in IP needs none either",
		.labeled = true,
		.how = "mpls-in-ip",
		.source = CHOOSE_NOTHING,
		.rule = -1,
		.why = "no rule of `encapsulate` fits: mpls-in-ip, because the egress tells nothing of "
		       "tunnels, and this needs no telling"},
	{.name = "nor MPLS in GRE",
		.labeled = true,
		.rules = {{USE(AFBR_USE_GRE)}},
		.how = "mpls-in-gre",
		.source = CHOOSE_NOTHING,
		.why = "rule 1 of `encapsulate` wants gre: mpls-in-gre, because the egress tells nothing of "
		       "tunnels, and this needs no telling"},

	/* The attribute. */
	{.name = "the egress's order",
		.route = {.tunnels = {L2TPV3(), GRE(), IPIP()}},
		.how = "l2tpv3 session 0x1234 cookie of 8 octets",
		.source = CHOOSE_ATTRIBUTE,
		.rule = -1,
		.why = "no rule of `encapsulate` fits: l2tpv3, because the egress likes it best (its route "
		       "tells it)"},
	{.name = "the rule's order",
		.route = {.tunnels = {L2TPV3(), GRE(KEY(7)), IPIP()}},
		.rules = {{USE(AFBR_USE_GRE, AFBR_USE_L2TPV3)}},
		.how = "gre key 7",
		.source = CHOOSE_ATTRIBUTE,
		.why = "rule 1 of `encapsulate` wants gre, l2tpv3: gre, because the egress takes it (its "
		       "route tells it)"},
	{.name = "only what the rule names",
		.route = {.tunnels = {IPIP(), GRE(KEY(7))}},
		.rules = {{USE(AFBR_USE_L2TPV3)}, {USE(AFBR_USE_IPIP)}},
		.source = CHOOSE_ATTRIBUTE,
		.why = "rule 1 of `encapsulate` wants l2tpv3, but the egress takes ipip, gre with a key"},
	{.name = "only what the egress names",
		.route = {.tunnels = {L2TPV3()}},
		.rules = {{USE(AFBR_USE_IPIP, AFBR_USE_GRE)}},
		.source = CHOOSE_ATTRIBUTE,
		.why = "rule 1 of `encapsulate` wants ipip, gre, but the egress takes l2tpv3"},
	{.name = "none is none",
		.route = {.tunnels = {IPIP()}},
		.rules = {{USE(AFBR_USE_NONE)}},
		.source = CHOOSE_ATTRIBUTE,
		.why = "rule 1 of `encapsulate` says \"none\": packets are rejected"},
	{.name = "none at the end",
		.route = {.tunnels = {IPIP()}},
		.rules = {{USE(AFBR_USE_GRE, AFBR_USE_NONE)}},
		.source = CHOOSE_ATTRIBUTE,
		.why = "rule 1 of `encapsulate` wants gre, but the egress takes ipip"},
	{.name = "several of one type: the first that can be used",
		.route = {.tunnels = {GRE(KEY(7), .protocol = MESH_IP6), GRE(KEY(8)), GRE(KEY(9))}},
		.rules = {{USE(AFBR_USE_GRE)}},
		.how = "gre key 8",
		.source = CHOOSE_ATTRIBUTE,
		.why = "rule 1 of `encapsulate` wants gre: gre, because the egress takes it (its route tells "
		       "it)"},
	{.name = "what is made for the payload is better",
		.route = {.tunnels = {GRE(KEY(7)), GRE(KEY(8), .protocol = MESH_IP4)}},
		.how = "gre key 8",
		.source = CHOOSE_ATTRIBUTE,
		.rule = -1,
		.why = "no rule of `encapsulate` fits: gre, because the egress likes it best (its route "
		       "tells it)"},

	/* What cannot be used. */
	{.name = "no Session ID",
		.route = {.raw = "\0\1\0\0\0\7\0\0", .raw_len = 8},
		.rules = {{USE(AFBR_USE_L2TPV3)}},
		.source = CHOOSE_ATTRIBUTE,
		.why = "rule 1 of `encapsulate` wants l2tpv3, but the egress takes ipip; a tunnel that it "
		       "tells cannot be used: it has no session"},
	{.name = "only types that nobody knows",
		.route = {.raw = "\0\x63\0\0\0\x64\0\0", .raw_len = 8},
		.source = CHOOSE_ATTRIBUTE,
		.rule = -1,
		.why = "the egress takes nothing that fits packets of this route; a tunnel that it tells "
		       "cannot be used: its type is unknown"},
	{.name = "only types that cannot be built",
		.route = {.tunnels = {{.type = BGP_TUNNEL_MPLS_UDP}}},
		.rules = {{USE(AFBR_USE_IPIP, AFBR_USE_GRE)}},
		.source = CHOOSE_ATTRIBUTE,
		.why = "rule 1 of `encapsulate` wants ipip, gre, but the egress takes nothing that fits "
		       "packets of this route; its mpls-in-udp cannot be used: it is of a type that cannot "
		       "be built here"},
	{.name = "IPsec is not taken for less",
		.route = {.tunnels = {{.type = BGP_TUNNEL_IPIP_IPSEC}, {.type = BGP_TUNNEL_IPSEC_TUNNEL}}},
		.source = CHOOSE_ATTRIBUTE,
		.rule = -1,
		.why = "the egress takes nothing that fits packets of this route; its ipip-ipsec cannot be "
		       "used: it is of a type that cannot be built here"},
	{.name = "an attribute that cannot be read",
		.route = {.raw = "\0\1\0", .raw_len = 3},
		.source = CHOOSE_ATTRIBUTE,
		.rule = -1,
		.why = "the egress takes nothing that fits packets of this route; a tunnel that it tells "
		       "cannot be used: a tunnel does not fit"},
	{.name = "it ends elsewhere",
		.route = {.tunnels = {GRE(.has_endpoint = true,
				  .endpoint = {AF_INET6, {0x20, 1, 0xd, 0xb8, [15] = 0xf}})}},
		.source = CHOOSE_ATTRIBUTE,
		.rule = -1,
		.why = "the egress takes nothing that fits packets of this route; its gre cannot be used: it "
		       "ends at another address than the next hop"},
	{.name = "it ends in the other family",
		.route = {.tunnels = {IPIP(.has_endpoint = true, .endpoint = {AF_INET, {192, 0, 2, 1}}),
				  GRE()}},
		.rules = {{USE(AFBR_USE_IPIP)}},
		.source = CHOOSE_ATTRIBUTE,
		.why = "rule 1 of `encapsulate` wants ipip, but the egress takes gre; its ipip cannot be "
		       "used: it ends at another address than the next hop"},
	{.name = "it ends at the next hop, which is named",
		.route = {.tunnels = {GRE(.has_endpoint = true,
				  .endpoint = {AF_INET6, {0x20, 1, 0xd, 0xb8, [15] = 0xe}})}},
		.how = "gre",
		.source = CHOOSE_ATTRIBUTE,
		.rule = -1,
		.why = "no rule of `encapsulate` fits: gre, because the egress likes it best (its route "
		       "tells it)"},
	{.name = "it ends at the next hop, which is not named",
		.route = {.tunnels = {GRE(.has_endpoint = true)}},
		.how = "gre",
		.source = CHOOSE_ATTRIBUTE,
		.rule = -1,
		.why = "no rule of `encapsulate` fits: gre, because the egress likes it best (its route "
		       "tells it)"},
	{.name = "labels that nobody asked us for",
		.route = {.tunnels = {GRE(.label_count = 1, .labels = {0x64000})}},
		.source = CHOOSE_ATTRIBUTE,
		.rule = -1,
		.why = "the egress takes nothing that fits packets of this route; its gre cannot be used: it "
		       "wants labels of its own around packets"},
	{.name = "another payload",
		.route = {.tunnels = {IPIP(.protocol = MESH_IP6), L2TPV3(.protocol = 0x6558)}},
		.rules = {{USE(AFBR_USE_L2TPV3, AFBR_USE_IPIP)}},
		.source = CHOOSE_ATTRIBUTE,
		.why = "rule 1 of `encapsulate` wants l2tpv3, ipip, but the egress takes nothing that fits "
		       "packets of this route; its ipip cannot be used: it is for IPv6 packets only"},

	/* Labels. */
	{.name = "a label goes into what is for MPLS",
		.route = {.tunnels = {IPIP(.protocol = MESH_IP4), L2TPV3(.protocol = MESH_MPLS)}},
		.labeled = true,
		.how = "mpls-in-l2tpv3 session 0x1234 cookie of 8 octets",
		.source = CHOOSE_ATTRIBUTE,
		.rule = -1,
		.why = "no rule of `encapsulate` fits: mpls-in-l2tpv3, because the egress likes it best (its "
		       "route tells it)"},
	{.name = "by name",
		.route = {.tunnels = {GRE(KEY(7)), MPLS_GRE()}},
		.labeled = true,
		.rules = {{USE(AFBR_USE_GRE)}},
		.how = "mpls-in-gre",
		.source = CHOOSE_ATTRIBUTE,
		.why = "rule 1 of `encapsulate` wants gre: mpls-in-gre, because the egress takes it (its "
		       "route tells it)"},
	{.name = "by name, with a key",
		.route = {.tunnels = {MPLS_GRE(KEY(9))}},
		.labeled = true,
		.how = "mpls-in-gre key 9",
		.source = CHOOSE_ATTRIBUTE,
		.rule = -1,
		.why = "no rule of `encapsulate` fits: mpls-in-gre, because the egress likes it best (its "
		       "route tells it)"},
	{.name = "GRE's header names MPLS",
		.route = {.tunnels = {GRE(KEY(7))}},
		.labeled = true,
		.how = "mpls-in-gre key 7",
		.source = CHOOSE_ATTRIBUTE,
		.rule = -1,
		.why = "no rule of `encapsulate` fits: mpls-in-gre, because the egress likes it best (its "
		       "route tells it)"},
	{.name = "IP-in-IP for MPLS",
		.route = {.tunnels = {IPIP(.protocol = MESH_MPLS)}},
		.labeled = true,
		.how = "mpls-in-ip",
		.source = CHOOSE_ATTRIBUTE,
		.rule = -1,
		.why = "no rule of `encapsulate` fits: mpls-in-ip, because the egress likes it best (its "
		       "route tells it)"},
	{.name = "IP-in-IP and L2TPv3 are for IP unless they say more",
		.route = {.tunnels = {IPIP(), L2TPV3()}},
		.labeled = true,
		.source = CHOOSE_ATTRIBUTE,
		.rule = -1,
		.why = "the egress takes nothing that fits packets of this route; its ipip cannot be used: "
		       "it is not for MPLS packets, and the route has a label"},
	{.name = "no label in what is for MPLS",
		.route = {.tunnels = {MPLS_GRE(), IPIP(.protocol = MESH_MPLS)}},
		.rules = {{USE(AFBR_USE_IPIP, AFBR_USE_GRE)}},
		.source = CHOOSE_ATTRIBUTE,
		.why = "rule 1 of `encapsulate` wants ipip, gre, but the egress takes nothing that fits "
		       "packets of this route; its mpls-in-gre cannot be used: it is for MPLS packets, and "
		       "the route has no label"},

	/* The Encapsulation SAFI. */
	{.name = "told apart from its routes",
		.egress = {.tunnels = {L2TPV3(), IPIP()}},
		.rules = {{USE(AFBR_USE_L2TPV3)}},
		.how = "l2tpv3 session 0x1234 cookie of 8 octets",
		.source = CHOOSE_ENCAP_ROUTE,
		.why = "rule 1 of `encapsulate` wants l2tpv3: l2tpv3, because the egress takes it (it tells "
		       "so by its Encapsulation SAFI route)"},
	{.name = "the route knows better",
		.route = {.tunnels = {GRE()}},
		.egress = {.tunnels = {L2TPV3()}},
		.rules = {{USE(AFBR_USE_L2TPV3)}},
		.source = CHOOSE_ATTRIBUTE,
		.why = "rule 1 of `encapsulate` wants l2tpv3, but the egress takes gre"},
	{.name = "a route of it without tunnels tells nothing",
		.egress = {.community = 7},
		.how = "ipip",
		.source = CHOOSE_NOTHING,
		.rule = -1,
		.why = "no rule of `encapsulate` fits: ipip, because the egress tells nothing of tunnels, "
		       "and this needs no telling"},

	/* Communities. */
	{.name = "a community",
		.route = {.extended = {ENCAPSULATION(BGP_TUNNEL_GRE)}},
		.how = "gre",
		.source = CHOOSE_COMMUNITY,
		.rule = -1,
		.why = "no rule of `encapsulate` fits: gre, because the egress likes it best (its route "
		       "tells it by an extended community)"},
	{.name = "takes that only",
		.route = {.extended = {ENCAPSULATION(BGP_TUNNEL_GRE)}},
		.rules = {{USE(AFBR_USE_IPIP)}},
		.source = CHOOSE_COMMUNITY,
		.why = "rule 1 of `encapsulate` wants ipip, but the egress takes gre"},
	{.name = "has no Session ID",
		.route = {.extended = {ENCAPSULATION(BGP_TUNNEL_L2TPV3)}},
		.source = CHOOSE_COMMUNITY,
		.rule = -1,
		.why = "the egress takes nothing that fits packets of this route; its l2tpv3 cannot be used: "
		       "its Session ID has not been told"},
	{.name = "of a type that nobody knows",
		.route = {.extended = {ENCAPSULATION(99)}},
		.source = CHOOSE_COMMUNITY,
		.rule = -1,
		.why = "the egress takes nothing that fits packets of this route; its tunnel of type 99 "
		       "cannot be used: it is of a type that cannot be built here"},
	{.name = "one for MPLS",
		.route = {.extended = {ENCAPSULATION(BGP_TUNNEL_MPLS_GRE)}},
		.labeled = true,
		.how = "mpls-in-gre",
		.source = CHOOSE_COMMUNITY,
		.rule = -1,
		.why = "no rule of `encapsulate` fits: mpls-in-gre, because the egress likes it best (its "
		       "route tells it by an extended community)"},
	{.name = "one for MPLS, and no label",
		.route = {.extended = {ENCAPSULATION(BGP_TUNNEL_MPLS_GRE)}},
		.source = CHOOSE_COMMUNITY,
		.rule = -1,
		.why = "the egress takes nothing that fits packets of this route; its mpls-in-gre cannot be "
		       "used: it is for MPLS packets, and the route has no label"},
	{.name = "beside an attribute: one more",
		.route = {.tunnels = {L2TPV3()}, .extended = {ENCAPSULATION(BGP_TUNNEL_IPIP)}},
		.rules = {{USE(AFBR_USE_IPIP)}},
		.how = "ipip",
		.source = CHOOSE_COMMUNITY,
		.why = "rule 1 of `encapsulate` wants ipip: ipip, because the egress takes it (its route "
		       "tells it by an extended community)"},
	{.name = "beside an attribute that is about the same: nothing new",
		.route = {.tunnels = {GRE(KEY(7), .protocol = MESH_IP6)},
			.extended = {ENCAPSULATION(BGP_TUNNEL_GRE)}},
		.source = CHOOSE_ATTRIBUTE,
		.rule = -1,
		.why = "the egress takes nothing that fits packets of this route; its gre cannot be used: it "
		       "is for IPv6 packets only"},
	{.name = "beside an attribute of types that nobody knows",
		.route = {.raw = "\0\x63\0\0", .raw_len = 4, .extended = {ENCAPSULATION(BGP_TUNNEL_IPIP)}},
		.how = "ipip",
		.source = CHOOSE_COMMUNITY,
		.rule = -1,
		.why = "no rule of `encapsulate` fits: ipip, because the egress likes it best (its route "
		       "tells it by an extended community)"},
	{.name = "parameters from the SAFI, not from the community",
		.route = {.extended = {ENCAPSULATION(BGP_TUNNEL_GRE)}},
		.egress = {.tunnels = {GRE(KEY(7))}},
		.how = "gre key 7",
		.source = CHOOSE_ENCAP_ROUTE,
		.rule = -1,
		.why = "no rule of `encapsulate` fits: gre, because the egress likes it best (it tells so by "
		       "its Encapsulation SAFI route)"},

	/* Colors. */
	{.name = "colors meet",
		.route = {.tunnels = {GRE(KEY(7)), GRE(KEY(8), .color_count = 2, .colors = {99, 100})},
			.extended = {COLOR(100)}},
		.how = "gre key 8",
		.source = CHOOSE_ATTRIBUTE,
		.rule = -1,
		.why = "no rule of `encapsulate` fits: gre, because the egress likes it best (its route "
		       "tells it, for the route's color)"},
	{.name = "colors do not meet",
		.route = {.tunnels = {GRE(KEY(7), .color_count = 1, .colors = {99})},
			.extended = {COLOR(100)}},
		.source = CHOOSE_ATTRIBUTE,
		.rule = -1,
		.why = "the egress takes nothing that fits packets of this route; its gre cannot be used: "
		       "its color is none of the route's"},
	{.name = "a route without color",
		.egress = {.tunnels = {GRE(KEY(7), .color_count = 1, .colors = {99}), IPIP()}},
		.how = "ipip",
		.source = CHOOSE_ENCAP_ROUTE,
		.rule = -1,
		.why = "no rule of `encapsulate` fits: ipip, because the egress likes it best (it tells so "
		       "by its Encapsulation SAFI route)"},
	{.name = "the flags of a color do not count",
		.route = {.tunnels = {IPIP(.color_count = 1, .colors = {100})},
			.extended = {COLOR(100) | 0xc000ull << 32}},
		.how = "ipip",
		.source = CHOOSE_ATTRIBUTE,
		.rule = -1,
		.why = "no rule of `encapsulate` fits: ipip, because the egress likes it best (its route "
		       "tells it, for the route's color)"},

	/* Classes. */
	{.name = "a community is a class",
		.route = {.community = 65000u << 16 | 100},
		.rules = {{CLASS(false, 65000u << 16 | 100), USE(AFBR_USE_GRE)}, {USE(AFBR_USE_IPIP)}},
		.how = "gre",
		.source = CHOOSE_NOTHING,
		.why = "rule 1 of `encapsulate` wants gre: gre, because the egress tells nothing of tunnels, "
		       "and this needs no telling"},
	{.name = "another class",
		.route = {.community = 65000u << 16 | 101, .extended = {COLOR(7)}},
		.rules = {{CLASS(false, 65000u << 16 | 100), USE(AFBR_USE_GRE)},
			{CLASS(true, 8), USE(AFBR_USE_GRE)}, {USE(AFBR_USE_IPIP)}},
		.how = "ipip",
		.source = CHOOSE_NOTHING,
		.rule = 2,
		.why = "rule 3 of `encapsulate` wants ipip: ipip, because the egress tells nothing of "
		       "tunnels, and this needs no telling"},
	{.name = "a color is a class",
		.route = {.tunnels = {L2TPV3(), GRE()}, .extended = {COLOR(7)}},
		.rules = {{CLASS(true, 8), USE(AFBR_USE_L2TPV3)}, {CLASS(true, 7), USE(AFBR_USE_GRE)}},
		.how = "gre",
		.source = CHOOSE_ATTRIBUTE,
		.rule = 1,
		.why = "rule 2 of `encapsulate` wants gre: gre, because the egress takes it (its route tells "
		       "it)"},
	{.name = "the egress's own class",
		.egress = {.tunnels = {L2TPV3(), GRE()}, .community = 7},
		.rules = {{CLASS(false, 7), USE(AFBR_USE_L2TPV3)}, {USE(AFBR_USE_GRE)}},
		.how = "l2tpv3 session 0x1234 cookie of 8 octets",
		.source = CHOOSE_ENCAP_ROUTE,
		.why = "rule 1 of `encapsulate` wants l2tpv3: l2tpv3, because the egress takes it (it tells "
		       "so by its Encapsulation SAFI route)"},
	{.name = "of no class",
		.route = {.tunnels = {L2TPV3(), GRE()}},
		.rules = {{CLASS(false, 7), USE(AFBR_USE_GRE)}},
		.how = "l2tpv3 session 0x1234 cookie of 8 octets",
		.source = CHOOSE_ATTRIBUTE,
		.rule = -1,
		.why = "no rule of `encapsulate` fits: l2tpv3, because the egress likes it best (its route "
		       "tells it)"},
};

static void choose_row(const struct row *row, struct choose_result *ret)
{
	struct prefix p = prefix("198.51.100.0/24");
	struct afbr_rule rules[RULES];
	struct set route, egress;
	struct afbr_config c;
	struct choose_subject s = {.prefix = &p, .egress = address(EGRESS), .labeled = row->labeled};

	make_set(&route, &row->route);
	make_set(&egress, &row->egress);
	make_config(&c, row->rules, rules);
	s.set = route.reader;
	s.encap_set = egress.reader;
	choose(&c, &s, 0, ret);
}

/* proves: MESH-FWD-3 partial, MESH-FWD-6, MESH-FWD-7 partial, MESH-FWD-8 partial, MESH-SIG-5 partial, MESH-SIG-6 partial */
static void the_first_that_rule_and_egress_name(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct choose_result r;
		char how[80];

		memset(&r, 0xa5, sizeof(r));
		choose_row(row, &r);
		mesh_encapsulation_print(&r.how, how, sizeof(how));
		if (r.chosen != (row->how != NULL) || (row->how && strcmp(how, row->how) != 0))
			fail_msg("%s: %s, %s", row->name, r.chosen ? how : "nothing", r.why);
		if (strcmp(r.why, row->why) != 0)
			fail_msg("%s:\n%s\ninstead of\n%s", row->name, r.why, row->why);
		if (r.source != row->source || r.rule != row->rule)
			fail_msg("%s: source %u, rule %d", row->name, r.source, r.rule);
		if (r.chosen && r.hop_limit != 64)
			fail_msg("%s: a hop limit of %u", row->name, r.hop_limit);
		if (strstr(r.why, "c00c") || strstr(r.why, "1234"))
			fail_msg("%s: a secret is told: %s", row->name, r.why);
	}
}

/* ---- conditions ---- */

static struct choose_result ask(struct afbr_config *c, const char *to, const char *egress, uint8_t dscp)
{
	struct prefix p = prefix(to);
	struct choose_subject s = {.prefix = &p, .egress = address(egress)};
	struct choose_result r;

	choose(c, &s, c->slot_of[dscp], &r);
	return r;
}

/* proves: MESH-FWD-10 */
static void conditions_on_prefix_and_egress(void **state)
{
	struct prefix to[] = {prefix("198.51.100.0/24"), prefix("10.0.0.0/8")},
		      at = prefix("2001:db8:1::/48");
	struct afbr_rule rules[RULES] = {
		{.prefix_count = 2, .prefixes = to, .next_hop_count = 1, .next_hops = &at, USE(AFBR_USE_GRE)},
		{.prefix_count = 1, .prefixes = to, USE(AFBR_USE_NONE)},
	};
	struct afbr_rule copies[RULES];
	struct afbr_config c;

	make_config(&c, rules, copies);
	assert_int_equal(ask(&c, "198.51.100.0/24", "2001:db8:1::1", 0).rule, 0);
	assert_int_equal(ask(&c, "198.51.100.128/25", "2001:db8:1::1", 0).rule, 0);
	assert_int_equal(ask(&c, "10.7.0.0/16", "2001:db8:1::1", 0).rule, 0);
	assert_int_equal(ask(&c, "198.51.0.0/16", "2001:db8:1::1", 0).rule, -1);
	assert_int_equal(ask(&c, "198.51.100.0/24", "2001:db8:2::1", 0).rule, 1);
	assert_false(ask(&c, "198.51.100.0/24", "2001:db8:2::1", 0).chosen);
	assert_int_equal(ask(&c, "10.7.0.0/16", "2001:db8:2::1", 0).rule, -1);
	assert_int_equal(ask(&c, "10.7.0.0/16", "2001:db8:2::1", 0).how.kind, MESH_IPIP);
}

/* proves: MESH-FWD-9 partial */
static void packets_of_one_route_by_their_class(void **state)
{
	struct afbr_rule rules[RULES] = {
		{FOR(EF), USE(AFBR_USE_GRE), .set_dscp = true, .outer_dscp = 40},
		{.dscp = (uint64_t)1 << 8 | (uint64_t)1 << 10, USE(AFBR_USE_NONE)},
		{USE(AFBR_USE_IPIP), .copy_ecn = true},
	};
	struct afbr_rule copies[RULES];
	struct choose_result r;
	struct afbr_config c;

	rules[0].hop_limit = 9;
	make_config(&c, rules, copies);
	assert_int_equal(c.slot_count, 3);
	r = ask(&c, "198.51.100.0/24", EGRESS, EF);
	assert_true(r.chosen && r.how.kind == MESH_GRE && r.hop_limit == 9 && r.set_dscp &&
		    r.outer_dscp == 40 && !r.copy_ecn);
	assert_false(ask(&c, "198.51.100.0/24", EGRESS, 8).chosen);
	assert_false(ask(&c, "198.51.100.0/24", EGRESS, 10).chosen);
	r = ask(&c, "198.51.100.0/24", EGRESS, 0);
	assert_true(r.chosen && r.how.kind == MESH_IPIP && r.hop_limit == 64 && !r.set_dscp && r.copy_ecn);
	assert_int_equal(ask(&c, "198.51.100.0/24", EGRESS, 9).rule, 2);
}

/* proves: MESH-FWD-11 partial */
/* RFC 9012 section 3.3.1: the egress may ask for a code point; the operator has the last word. */
static void the_outer_dscp(void **state)
{
	const struct told told = {.tunnels = {GRE(.has_ds = true, .ds = 0xb8)}};
	struct afbr_rule rules[2][RULES] = {
		{{USE(AFBR_USE_GRE)}}, {{USE(AFBR_USE_GRE), .set_dscp = true, .outer_dscp = 0}}};
	struct prefix p = prefix("198.51.100.0/24");
	struct choose_subject s = {.prefix = &p, .egress = address(EGRESS)};
	struct afbr_rule copies[RULES];
	struct choose_result r;
	struct afbr_config c;
	struct set set;

	make_set(&set, &told);
	s.set = set.reader;
	make_config(&c, rules[0], copies);
	choose(&c, &s, 0, &r);
	assert_true(r.set_dscp && r.outer_dscp == EF);
	make_config(&c, rules[1], copies);
	choose(&c, &s, 0, &r);
	assert_true(r.set_dscp && r.outer_dscp == 0);
}

static void both_payloads_over_both_cores(void **state)
{
	const struct told told = {
		.tunnels = {GRE(KEY(4), .protocol = MESH_IP4), GRE(KEY(6), .protocol = MESH_IP6)}};
	struct prefix four = prefix("198.51.100.0/24"), six = prefix("2001:db8:100::/40");
	struct choose_subject s = {.prefix = &four, .egress = address(EGRESS)};
	struct choose_result r;
	struct afbr_config c = {0};
	struct set set;

	assert_int_equal(choose_slots(&c), 0);
	make_set(&set, &told);
	s.set = set.reader;
	choose(&c, &s, 0, &r);
	assert_int_equal(r.how.key, 4);
	s.prefix = &six;
	s.egress = address("192.0.2.1");
	choose(&c, &s, 0, &r);
	assert_int_equal(r.how.key, 6);
}

/* ---- slots ---- */

/* All rules' code points, and how many slots that makes; 0: too many. */
static const struct {
	uint64_t dscp[RULES];
	unsigned count;
} slots[] = {
	{{0}, 1},
	{{UINT64_MAX}, 1},
	{{(uint64_t)1 << EF}, 2},
	{{(uint64_t)1 << EF, UINT64_MAX}, 2},
	{{(uint64_t)1 << EF, (uint64_t)1 << EF}, 2},
	{{(uint64_t)3 << EF, (uint64_t)1 << EF}, 3},
	{{(uint64_t)1 << EF, (uint64_t)1 << 34, (uint64_t)1 << 63}, 4},
	{{(uint64_t)7 << 8, (uint64_t)3 << 8, (uint64_t)1 << 8}, 4},
	{{(uint64_t)3 << 8, (uint64_t)6 << 8, (uint64_t)1 << 20}, 0},
};

static void code_points_that_no_rule_tells_apart_share_a_slot(void **state)
{
	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
		struct afbr_rule rules[RULES] = {0};
		struct afbr_config c = {.rules = rules, .slot_count = 77};
		uint64_t all = 0;

		for (; c.rule_count < RULES && slots[i].dscp[c.rule_count]; c.rule_count++)
			rules[c.rule_count].dscp = slots[i].dscp[c.rule_count];
		if (!slots[i].count) {
			assert_int_equal(choose_slots(&c), -ENOSPC);
			assert_int_equal(c.slot_count, 77);
			continue;
		}
		assert_int_equal(choose_slots(&c), 0);
		assert_int_equal(c.slot_count, slots[i].count);
		assert_int_equal(c.slot_of[0], 0);
		for (unsigned s = 0; s < AFBR_SLOTS; s++) {
			assert_true(!(all & c.slot_dscp[s]) && !c.slot_dscp[s] == (s >= c.slot_count));
			all |= c.slot_dscp[s];
		}
		assert_true(all == UINT64_MAX);
		for (unsigned d = 0; d < AFBR_DSCPS; d++)
			assert_true(c.slot_dscp[c.slot_of[d]] >> d & 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_that_rule_and_egress_name),
		cmocka_unit_test(conditions_on_prefix_and_egress),
		cmocka_unit_test(packets_of_one_route_by_their_class),
		cmocka_unit_test(the_outer_dscp),
		cmocka_unit_test(both_payloads_over_both_cores),
		cmocka_unit_test(code_points_that_no_rule_tells_apart_share_a_slot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
