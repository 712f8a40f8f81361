/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of the `afbr` group that are about softwires: core, client, tunnels by hand, rules of `encapsulate`. */
#include <stddef.h>

#include "control/mesh.h"

#define COUNT CONFIG_COUNT
#define INTO  CONFIG_INTO
#define LIST  CONFIG_LIST
#define HEAP  CONFIG_HEAP

const char *const mesh_accepts[] = {
	"ipip", "gre", "gre-key", "l2tpv3", "mpls-in-ip", "mpls-in-gre", "mpls-in-l2tpv3", NULL};
const char *const mesh_whens[] = {"core-interface", "core-only-interface", "core-next-hop", "bgp", NULL};
static const char *const uses[] = {"ipip", "gre", "l2tpv3", "none", NULL}; /* as enum afbr_use */

static const struct config_key core_keys[] = {
	{"address", TYPE_ADDR, INTO(afbr_config, core), .effect = EFFECT_RESTART,
		.help = "our address in the core: where softwires to us end"},
	{"interfaces", TYPE_NAME, LIST(afbr_config, core_interfaces, core_interface_count), .min = 1,
		.derived = "any", .help = "packets of softwires are taken from these interfaces only"},
	{"endpoints", TYPE_PARSED, LIST(afbr_config, endpoints, endpoint_count), .syntax = &mesh_prefix,
		.min = 1, .derived = "anywhere", .help = "softwires end in these prefixes, and nowhere else"},
	{"transmitters", TYPE_PARSED, LIST(afbr_config, transmitters, transmitter_count),
		.syntax = &mesh_prefix,
		.help = "who may send to us, beside those who are next hops of BGP routes"},
	{"transit", TYPE_BOOL, INTO(afbr_config, transit), .preset = "false",
		.help = "packets of the core's own family come out of softwires, too"},
};
const struct config_section mesh_core_section = {"`core`", core_keys, COUNT(core_keys), EFFECT_LIVE};

static const struct config_key client_keys[] = {
	{"interfaces", TYPE_NAME, LIST(afbr_config, client_interfaces, client_interface_count), .min = 1,
		.help = "where they are attached"},
	{"filter", TYPE_BOOL, INTO(afbr_config, filter), .preset = "true",
		.help = "addresses of the core (`endpoints`, and our own) are neither source nor destination "
			"of what comes in by `interfaces`"},
	{"local4", TYPE_ADDR4, INTO(afbr_config, local4), .derived = "an address of this host",
		.help = "where ICMP errors about IPv4 packets come from"},
	{"local6", TYPE_ADDR6, INTO(afbr_config, local6), .derived = "an address of this host",
		.help = "where ICMP errors about IPv6 packets come from"},
};
const struct config_section mesh_client_section = {"`client`", client_keys, COUNT(client_keys), EFFECT_LIVE};

static const struct config_key tunnel_keys[] = {
	{"type", TYPE_PARSED, INTO(bgp_tunnel, type), .syntax = &mesh_tunnel_type, .required = true,
		.help = "the encapsulation"},
	{"key", TYPE_UINT, INTO(bgp_tunnel, key), .min = 0, .max = UINT32_MAX,
		.given_offset = offsetof(struct bgp_tunnel, has_key), .help = "GRE: the key of each packet"},
	{"session", TYPE_UINT, INTO(bgp_tunnel, session), .min = 1, .max = UINT32_MAX,
		.help = "L2TPv3: the Session ID, which it needs"},
	{"cookie", TYPE_PARSED, .offset = offsetof(struct bgp_tunnel, cookie_len),
		.size = sizeof(struct mesh_cookie), .syntax = &mesh_cookie,
		.help = "L2TPv3: the cookie of each packet, which keeps out who cannot know it"},
	{"payload", TYPE_PARSED, INTO(bgp_tunnel, protocol), .syntax = &mesh_payload,
		.derived = "IPv4 and IPv6; MPLS for \"mpls-in-gre\"", .help = "what the tunnel is for"},
};
const struct config_section mesh_tunnel_section = {"a tunnel", tunnel_keys, COUNT(tunnel_keys), EFFECT_LIVE};

static const struct config_key encapsulate_keys[] = {
	{"class", TYPE_PARSED, LIST(afbr_rule, classes, class_count), .syntax = &mesh_class, .min = 1,
		.derived = "any", .help = "the route has one of these, or its egress does"},
	{"prefixes", TYPE_PARSED, HEAP(afbr_rule, prefixes, prefix_count, AFBR_RULE_PREFIXES),
		.syntax = &mesh_prefix, .min = 1, .derived = "any",
		.help = "the route is one of these, or inside one"},
	{"next-hops", TYPE_PARSED, HEAP(afbr_rule, next_hops, next_hop_count, AFBR_RULE_PREFIXES),
		.syntax = &mesh_prefix, .min = 1, .derived = "any", .help = "the egress is in one of these"},
	{"dscp", TYPE_PARSED, LIST(afbr_rule, dscps, dscp_count), .syntax = &mesh_dscp, .min = 1,
		.derived = "any", .help = "packets of these traffic classes"},
	{"use", TYPE_WORD, LIST(afbr_rule, use, use_count), .words = uses, .min = 1, .required = true,
		.help = "of these encapsulations the first that the egress takes; where it takes none of "
			"them, and with \"none\", packets are rejected"},
	{"ttl", TYPE_UINT, INTO(afbr_rule, hop_limit), .min = 1, .max = 255, .preset = "64",
		.help = "TTL or hop limit of the outer header"},
	{"hop-limit", TYPE_ABSENT, .help = "the key is called `ttl`"},
	{"outer-dscp", TYPE_PARSED, .offset = offsetof(struct afbr_rule, set_dscp),
		.size = sizeof(struct mesh_outer_dscp), .syntax = &mesh_outer_dscp, .derived = "\"copy\"",
		.help = "DSCP of the outer header: that of the packet, or always this one"},
	{"ecn", TYPE_BOOL, INTO(afbr_rule, copy_ecn), .preset = "false",
		.help = "let routers of the core mark congestion instead of dropping packets (RFC 6040); the "
			"egress must pass such marks on"},
};
const struct config_section mesh_encapsulate_section = {
	"a rule of `encapsulate`", encapsulate_keys, COUNT(encapsulate_keys), EFFECT_LIVE};
