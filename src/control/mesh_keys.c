/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of the `afbr` group. The order is the order of the manual page. */
#include <stddef.h>

#include "control/mesh.h"

#define COUNT CONFIG_COUNT
#define INTO  CONFIG_INTO
#define LIST  CONFIG_LIST
#define HEAP  CONFIG_HEAP

static const char *const families[] = {"ipv4", "ipv6", "ipv4-labeled", "ipv6-labeled", "ipv4-encap",
	"ipv6-encap", NULL}; /* as enum bgp_family */
static const char *const unicast_families[] = {"ipv4", "ipv6", NULL};
static const char *const tunnel_ways[] = {"full", "one", "none", NULL};   /* as enum bgp_tunnel_way */
static const char *const verdicts[] = {"next", "accept", "reject", NULL}; /* as enum policy_verdict */
static const char *const next_hops[] = {"keep", "self", NULL};            /* as enum policy_next_hop */
static const char *const origins[] = {"igp", "egp", "incomplete", NULL};  /* as RFC 4271 numbers them */

enum { CONNECT_RETRY_MAX = 3600000, MS = 1000 };

/* ---- policies ---- */

static const struct config_key set_keys[] = {
	{"local-pref", TYPE_UINT, INTO(policy_rule, local_pref), .max = UINT32_MAX,
		.given_offset = offsetof(struct policy_rule, set_local_pref),
		.help = "the local preference: of several routes the one with the highest is used"},
	{"med", TYPE_UINT, INTO(policy_rule, med), .max = UINT32_MAX,
		.given_offset = offsetof(struct policy_rule, set_med),
		.help = "the multi-exit discriminator: lower is better, among routes of one neighboring AS"},
	{"origin", TYPE_WORD, INTO(policy_rule, origin), .words = origins,
		.given_offset = offsetof(struct policy_rule, set_origin), .help = "the origin"},
	{"prepend", TYPE_UINT, INTO(policy_rule, prepend), .min = 0, .max = 20, .preset = "0",
		.help = "how often our own AS is put in front of the path, beside what is usual"},
	{"next-hop", TYPE_WORD, INTO(policy_rule, next_hop), .words = next_hops, .preset = "keep",
		.help = "leave the next hop as it is, or put ourselves there"},
	{"communities", TYPE_PARSED, HEAP(policy_rule, add, add_count, POLICY_VALUES),
		.syntax = &mesh_community, .given_offset = offsetof(struct policy_rule, clear_communities),
		.help = "these communities instead of those that it has; an empty list: none"},
	{"add-communities", TYPE_PARSED, HEAP(policy_rule, add, add_count, POLICY_VALUES),
		.syntax = &mesh_community, .help = "these communities beside those that it has"},
	{"remove-communities", TYPE_PARSED, HEAP(policy_rule, remove, remove_count, POLICY_VALUES),
		.syntax = &mesh_community, .help = "none of these communities"},
	{"extended-communities", TYPE_PARSED,
		HEAP(policy_rule, add_extended, add_extended_count, POLICY_VALUES),
		.syntax = &mesh_extended_community,
		.given_offset = offsetof(struct policy_rule, clear_extended),
		.help = "these extended communities instead of those that it has"},
	{"add-extended-communities", TYPE_PARSED,
		HEAP(policy_rule, add_extended, add_extended_count, POLICY_VALUES),
		.syntax = &mesh_extended_community,
		.help = "these extended communities beside those that it has"},
	{"large-communities", TYPE_PARSED, HEAP(policy_rule, add_large, add_large_count, POLICY_VALUES),
		.syntax = &mesh_large_community, .given_offset = offsetof(struct policy_rule, clear_large),
		.help = "these large communities instead of those that it has"},
	{"add-large-communities", TYPE_PARSED, HEAP(policy_rule, add_large, add_large_count, POLICY_VALUES),
		.syntax = &mesh_large_community, .help = "these large communities beside those that it has"},
};
static const struct config_section set_section = {"`set` of a rule", set_keys, COUNT(set_keys), EFFECT_LIVE};

static const struct config_key rule_keys[] = {
	{"prefixes", TYPE_PARSED, HEAP(policy_rule, prefixes, prefix_count, POLICY_PREFIXES),
		.syntax = &mesh_policy_prefix, .min = 1, .help = "the route's prefix is one of these"},
	{"as-path", TYPE_PARSED, HEAP(policy_rule, as_path, as_count, POLICY_VALUES),
		.syntax = &mesh_as_pattern, .min = 1, .help = "its AS path has one of these"},
	{"communities", TYPE_PARSED, HEAP(policy_rule, communities, community_count, POLICY_VALUES),
		.syntax = &mesh_community, .min = 1, .help = "it has one of these communities"},
	{"extended-communities", TYPE_PARSED, HEAP(policy_rule, extended, extended_count, POLICY_VALUES),
		.syntax = &mesh_extended_community, .min = 1,
		.help = "it has one of these extended communities"},
	{"large-communities", TYPE_PARSED, HEAP(policy_rule, large, large_count, POLICY_VALUES),
		.syntax = &mesh_large_community, .min = 1, .help = "it has one of these large communities"},
	{"families", TYPE_SET, INTO(policy_rule, families), .words = families, .min = 1,
		.help = "it is of one of these families"},
	{"next-hops", TYPE_PARSED, HEAP(policy_rule, next_hops, next_hop_count, POLICY_VALUES),
		.syntax = &mesh_prefix, .min = 1, .help = "its next hop is in one of these prefixes"},
	{"from", TYPE_TEXT, HEAP(policy_rule, sources, source_count, POLICY_VALUES), .min = 1,
		.help = "one of these neighbors told it; or it is our own, of \"network\" or of \"kernel\""},
	{"then", TYPE_WORD, INTO(policy_rule, then), .words = verdicts, .required = true,
		.help = "what is done with a route that meets all conditions of the rule; \"next\": it is "
			"changed as `set` says, and the rules behind this one decide"},
	{"set", TYPE_GROUP, .section = &set_section, .help = "what is changed in such a route"},
};
static const struct config_section rule_section = {"a rule", rule_keys, COUNT(rule_keys), EFFECT_LIVE};

/* In struct policy. */
static const struct config_key policy_rows = {
	"policy", TYPE_ROWS, HEAP(policy, rules, rule_count, POLICY_RULES), .section = &rule_section};

static bool same_policy(const void *a, const void *b)
{
	return policy_equal(a, b);
}

/* ---- neighbors ---- */

#define LIMIT(name, family)                                                                                  \
	{                                                                                                    \
		name, TYPE_UINT, INTO(bgp_neighbor_config, limits[family].max_prefix),                       \
			.max = UINT32_MAX, .preset = "0", .help = "of the family " name "; 0: no limit"      \
	}

static const struct config_key max_prefix_keys[] = {
	LIMIT("ipv4", BGP_IPV4),
	LIMIT("ipv6", BGP_IPV6),
	LIMIT("ipv4-labeled", BGP_IPV4_LABELED),
	LIMIT("ipv6-labeled", BGP_IPV6_LABELED),
	LIMIT("ipv4-encap", BGP_IPV4_ENCAP),
	LIMIT("ipv6-encap", BGP_IPV6_ENCAP),
	{"warning", TYPE_UINT, INTO(bgp_neighbor_config, limits[0].warn_percent), .min = 0, .max = 100,
		.preset = "75", .help = "percentage of a limit at which the log warns; 0: it does not"},
	{"restart", TYPE_SECONDS, INTO(bgp_neighbor_config, max_prefix_restart), .min = 0, .max = 86400000,
		.preset = "0",
		.help = "how long the neighbor stays down after it has sent too many; 0: until `softwire bgp "
			"clear`"},
};
static const struct config_section max_prefix_section = {
	"`max-prefix`", max_prefix_keys, COUNT(max_prefix_keys), EFFECT_LIVE};

static const struct config_key neighbor_keys[] = {
	{"description", TYPE_TEXT, INTO(bgp_neighbor_config, description), .effect = EFFECT_LIVE,
		.help = "who that is, for people"},
	{"address", TYPE_PARSED, INTO(bgp_neighbor_config, address), .syntax = &mesh_address,
		.required = true, .help = "its address"},
	{"interface", TYPE_NAME, INTO(bgp_neighbor_config, interface),
		.help = "where a link-local address is"},
	{"as", TYPE_UINT, INTO(bgp_neighbor_config, as), .min = 1, .max = UINT32_MAX,
		.derived = "our own: it is an internal neighbor", .help = "its AS number"},
	{"remote-as", TYPE_ABSENT, .help = "the key is called `as`"},
	{"peer-as", TYPE_ABSENT, .help = "the key is called `as`"},
	{"local-as", TYPE_UINT, INTO(bgp_neighbor_config, local_as), .min = 1, .max = UINT32_MAX,
		.derived = "`as` of `bgp`", .help = "the AS number that we show to this neighbor"},
	{"local-address", TYPE_PARSED, INTO(bgp_neighbor_config, local_address), .syntax = &mesh_address,
		.derived = "`address` of `core` where that is of the same family and the neighbor is "
			   "internal, or external with `multihop`; else what the kernel takes",
		.help = "our address of the connection"},
	{"update-source", TYPE_ABSENT, .help = "the key is called `local-address`"},
	{"port", TYPE_UINT, INTO(bgp_neighbor_config, port), .min = 1, .max = 65535, .preset = "179",
		.help = "the TCP port that it listens on"},
	{"families", TYPE_SET, INTO(bgp_neighbor_config, families), .words = families, .min = 1,
		.derived = "unicast routes of the family of `address`",
		.help = "which routes are exchanged, if it agrees"},
	{"import", TYPE_TEXT, INTO(bgp_neighbor_config, import), .effect = EFFECT_LIVE,
		.given_offset = offsetof(struct bgp_neighbor_config, has_import),
		.derived = "all routes of an internal neighbor, none of an external one",
		.help = "the policy for routes that it tells"},
	{"export", TYPE_TEXT, INTO(bgp_neighbor_config, export), .effect = EFFECT_LIVE,
		.given_offset = offsetof(struct bgp_neighbor_config, has_export),
		.derived = "all routes to an internal neighbor, none to an external one",
		.help = "the policy for routes that it is told"},
	{"client", TYPE_BOOL, INTO(bgp_neighbor_config, client), .preset = "false", .effect = EFFECT_LIVE,
		.help = "it is a client of ours, the route reflector"},
	{"route-reflector-client", TYPE_ABSENT, .help = "the key is called `client`"},
	{"next-hop-self", TYPE_BOOL, INTO(bgp_neighbor_config, next_hop_self), .preset = "false",
		.effect = EFFECT_LIVE,
		.help = "tell it ourselves as the next hop of routes of external neighbors; an external one "
			"is told so anyway"},
	{"next-hop-self-all", TYPE_BOOL, INTO(bgp_neighbor_config, next_hop_self_all), .preset = "false",
		.effect = EFFECT_LIVE, .help = "the same, and of routes that are reflected, too"},
	{"next-hop-unchanged", TYPE_BOOL, INTO(bgp_neighbor_config, next_hop_unchanged), .preset = "false",
		.effect = EFFECT_LIVE,
		.help = "pass on next hops to this external neighbor as they are (RFC 5565 section 12)"},
	{"passive", TYPE_BOOL, INTO(bgp_neighbor_config, passive), .preset = "false", .effect = EFFECT_LIVE,
		.help = "wait for its connection, never connect"},
	{"shutdown", TYPE_BOOL, INTO(bgp_neighbor_config, shutdown), .preset = "false", .effect = EFFECT_LIVE,
		.help = "keep the session down"},
	{"shutdown-text", TYPE_TEXT, INTO(bgp_neighbor_config, shutdown_text), .effect = EFFECT_LIVE,
		.help = "what it is told then (RFC 9003)"},
	{"multihop", TYPE_BOOL, INTO(bgp_neighbor_config, multihop), .preset = "false",
		.help = "this external neighbor is not on a link of ours"},
	{"ttl", TYPE_UINT, INTO(bgp_neighbor_config, ttl), .min = 1, .max = 255, .derived = "64",
		.help = "TTL or hop limit of what `multihop` sends"},
	{"ttl-security", TYPE_UINT, INTO(bgp_neighbor_config, ttl_security), .min = 0, .max = 254,
		.preset = "0",
		.help = "it is at most so many hops away, and what comes from further is ignored (RFC 5082); "
			"both ends need it; 0: off"},
	{"password-file", TYPE_PATH, INTO(bgp_neighbor_config, password_file),
		.help = "a file of one line with the TCP MD5 password (RFC 2385), readable by root only"},
	{"hold-time", TYPE_SECONDS, INTO(bgp_neighbor_config, hold_time), .min = 0,
		.max = 65535 * (int64_t)MS, .preset = "90", .effect = EFFECT_SESSION,
		.help = "silence after which it is gone, 3 or more; the lower one of both ends counts; 0: "
			"never"},
	{"connect-retry", TYPE_SECONDS, INTO(bgp_neighbor_config, connect_retry), .min = 1 * MS,
		.max = CONNECT_RETRY_MAX, .preset = "30", .effect = EFFECT_SESSION,
		.help = "wait between two attempts to connect"},
	{"idle-hold", TYPE_SECONDS, INTO(bgp_neighbor_config, idle_hold), .min = 100, .max = 120 * MS,
		.preset = "5", .effect = EFFECT_SESSION,
		.help = "wait after a session that ended with an error; it doubles up to 120"},
	{"advertisement-interval", TYPE_SECONDS, INTO(bgp_neighbor_config, min_interval), .min = 0,
		.max = 600 * MS, .derived = "0 for an internal neighbor, 5 for an external one",
		.effect = EFFECT_LIVE, .help = "the least time between two rounds of news"},
	{"max-prefix", TYPE_GROUP, .section = &max_prefix_section,
		.help = "how many routes it may tell before its session is ended"},
	{"graceful-restart", TYPE_BOOL, INTO(bgp_neighbor_config, graceful_restart), .preset = "true",
		.help = "keep its routes while it restarts, and ask it to keep ours (RFC 4724)"},
	{"restart-time", TYPE_UINT, INTO(bgp_neighbor_config, restart_time), .min = 1, .max = 4095,
		.preset = "120", .effect = EFFECT_SESSION, .help = "seconds that our own restart may take"},
	{"extended-next-hop", TYPE_BOOL, INTO(bgp_neighbor_config, extended_next_hop), .preset = "true",
		.help = "offer IPv6 next hops of IPv4 routes (RFC 8950)"},
	{"extended-messages", TYPE_BOOL, INTO(bgp_neighbor_config, extended_messages), .preset = "true",
		.help = "offer messages of up to 65535 bytes (RFC 8654)"},
	{"route-refresh", TYPE_BOOL, INTO(bgp_neighbor_config, refresh), .preset = "true",
		.help = "offer to tell everything again when asked (RFC 2918, RFC 7313)"},
	{"four-octet-as", TYPE_BOOL, INTO(bgp_neighbor_config, as4), .preset = "true",
		.help = "offer AS numbers of four octets (RFC 6793)"},
	{"tunnels", TYPE_WORD, INTO(bgp_neighbor_config, tunnel_way), .words = tunnel_ways,
		.given_offset = offsetof(struct bgp_neighbor_config, tunnels),
		.derived = "full; nothing for an external neighbor", .effect = EFFECT_LIVE,
		.help = "what it is told of our tunnels: the Tunnel Encapsulation attribute with all of "
			"them, with one, or without the attribute only extended communities"},
};
static const struct config_section neighbor_section = {
	"a neighbor", neighbor_keys, COUNT(neighbor_keys), EFFECT_RESET};

/* ---- the kernel, files ---- */

static const struct config_key import_keys[] = {
	{"protocols", TYPE_PARSED, LIST(afbr_import, protocols, protocol_count), .syntax = &mesh_protocol,
		.min = 1, .required = true,
		.help = "who put the route into the kernel, as `ip route` tells it behind `proto`"},
	{"tables", TYPE_UINT, LIST(afbr_import, tables, table_count), .min = 1, .max = UINT32_MAX,
		.derived = "254, the main table", .help = "the kernel's routing tables"},
	{"policy", TYPE_TEXT, INTO(afbr_import, policy), .derived = "all routes but default ones",
		.help = "the policy for these routes"},
};
static const struct config_section import_section = {
	"`import` of `kernel`", import_keys, COUNT(import_keys), EFFECT_LIVE};

static const struct config_key export_keys[] = {
	{"table", TYPE_UINT, INTO(afbr_export, table), .min = 1, .max = UINT32_MAX, .preset = "254",
		.help = "the kernel's routing table; 254 is the main one"},
	{"metric", TYPE_UINT, INTO(afbr_export, metric), .min = 1, .max = UINT32_MAX, .preset = "20",
		.help = "the metric of the routes there"},
	{"families", TYPE_SET, INTO(afbr_export, families), .words = unicast_families, .min = 1,
		.derived = "both", .help = "which routes"},
	{"policy", TYPE_TEXT, INTO(afbr_export, policy), .derived = "all routes",
		.help = "the policy for these routes"},
	{"scan-interval", TYPE_SECONDS, INTO(afbr_export, scan), .min = 0, .max = 86400 * MS, .preset = "60",
		.help = "how often the kernel's table is compared with what is to be there; 0: never"},
};
const struct config_section mesh_export_section = {
	"`export` of `kernel`", export_keys, COUNT(export_keys), EFFECT_LIVE};

static const struct config_key kernel_keys[] = {
	{"import", TYPE_GROUP, .section = &import_section,
		.count_offset = offsetof(struct afbr_config, import.present), .count_max = 1,
		INTO(afbr_config, import), .help = "routes of the kernel that are told as our own"},
	{"export", TYPE_GROUP, .section = &mesh_export_section,
		.count_offset = offsetof(struct afbr_config, export.present), .count_max = 1,
		INTO(afbr_config, export), .help = "the best routes are put into the kernel"},
};
static const struct config_section kernel_section = {
	"`kernel`", kernel_keys, COUNT(kernel_keys), EFFECT_LIVE};

static const struct config_key mrt_keys[] = {
	{"updates", TYPE_BOOL, INTO(afbr_mrt, updates), .preset = "false",
		.help = "write down each message that comes or goes"},
	{"table-interval", TYPE_SECONDS, INTO(afbr_mrt, table_interval), .min = 0, .max = 86400 * MS,
		.preset = "0", .help = "time between two dumps of the tables; 0: only those asked for"},
	{"rotate", TYPE_SECONDS, INTO(afbr_mrt, rotate), .min = 1 * MS, .max = 86400 * MS, .preset = "3600",
		.help = "time after which messages go to another file"},
	{"keep", TYPE_UINT, INTO(afbr_mrt, keep), .min = 1, .max = 10000, .preset = "24",
		.help = "files of each kind that are kept; the oldest goes"},
};
const struct config_section mesh_mrt_section = {"`mrt`", mrt_keys, COUNT(mrt_keys), EFFECT_LIVE};

/* ---- bgp ---- */

static const struct config_key bgp_keys[] = {
	{"as", TYPE_UINT, INTO(afbr_config, as), .min = 1, .max = UINT32_MAX, .required = true,
		.effect = EFFECT_RESTART, .help = "our AS number"},
	{"router-id", TYPE_PARSED, INTO(afbr_config, id), .syntax = &mesh_identifier,
		.derived = "`address` of `core`, where that is an IPv4 address", .effect = EFFECT_RESTART,
		.help = "the number by which speakers tell each other apart"},
	{"cluster-id", TYPE_PARSED, INTO(afbr_config, cluster_id), .syntax = &mesh_identifier,
		.derived = "`router-id`", .effect = EFFECT_RESTART,
		.help = "the number that the reflectors of one cluster share"},
	{"listen", TYPE_PARSED, LIST(afbr_config, listen, listen_count), .syntax = &mesh_address,
		.derived = "all addresses", .help = "addresses that neighbors connect to"},
	{"port", TYPE_UINT, INTO(afbr_config, port), .min = 0, .max = 65535, .preset = "179",
		.help = "the TCP port that we listen on; 0: none, and we connect to everybody"},
	{"restart-wait", TYPE_SECONDS, INTO(afbr_config, restart_wait), .min = 0, .max = 3600 * MS,
		.preset = "120", .effect = EFFECT_RESTART,
		.help = "how long we wait for all neighbors' routes after a restart, before we choose among "
			"them"},
	{"check-next-hops", TYPE_BOOL, INTO(afbr_config, check_next_hops), .preset = "true",
		.effect = EFFECT_RESTART,
		.help = "use a route only while the kernel has a route to its next hop; a reflector that "
			"forwards nothing can do without"},
	{"neighbors", TYPE_NAMED, HEAP(afbr_config, neighbors, neighbor_count, BGP_NEIGHBORS),
		.section = &neighbor_section, .name_offset = offsetof(struct bgp_neighbor_config, name),
		.name_size = sizeof(((struct bgp_neighbor_config *)0)->name), .required = true,
		.help = "whom we speak to, by name"},
	{"policies", TYPE_TABLES, HEAP(afbr_config, policies, policy_count, AFBR_POLICIES),
		.section = &rule_section, .rows = &policy_rows, .same = same_policy,
		.name_offset = offsetof(struct policy, name), .name_size = sizeof(((struct policy *)0)->name),
		.help = "lists of rules, by name. The first rule that accepts or rejects a route decides; a "
			"route that none of them accepts is rejected"},
	{"networks", TYPE_PARSED, HEAP(afbr_config, networks, network_count, AFBR_NETWORKS),
		.syntax = &mesh_prefix, .help = "prefixes that are always told as our own"},
	{"kernel", TYPE_GROUP, .section = &kernel_section,
		.help = "routes from and to the kernel's routing tables"},
	{"mrt", TYPE_GROUP, .offset = offsetof(struct afbr_config, mrt), .section = &mesh_mrt_section,
		.help = "files that other tools read (RFC 6396), in `mrt` of `state-directory`"},
};
static const struct config_section bgp_section = {"`bgp`", bgp_keys, COUNT(bgp_keys), EFFECT_LIVE};

/* ---- afbr ---- */

static bool same_rule(const void *a, const void *b)
{
	return afbr_rule_equal(a, b);
}

static const struct config_key afbr_keys[] = {
	{"core", TYPE_GROUP, .section = &mesh_core_section, .help = "the network that the softwires cross"},
	{"client", TYPE_GROUP, .section = &mesh_client_section, .help = "the networks behind us"},
	{"bgp", TYPE_GROUP, .section = &bgp_section, .required = true, .help = "the BGP speaker"},
	{"accept", TYPE_WORD, LIST(afbr_config, accept, accept_count), .words = mesh_accepts,
		.derived = "\"ipip\", where `core` has an `address` and there are no `tunnels`",
		.help = "how others may send to us, what we like best first; what is needed for it they are "
			"told"},
	{"tunnels", TYPE_ROWS, LIST(afbr_config, tunnels, tunnel_count), .section = &mesh_tunnel_section,
		.help = "the same by hand, instead of `accept`"},
	{"classes", TYPE_PARSED, LIST(afbr_config, class_list, class_count), .syntax = &mesh_class,
		.help = "what we belong to: others choose by it how they send to us"},
	{"encapsulate", TYPE_ROWS, HEAP(afbr_config, rules, rule_count, AFBR_RULES),
		.section = &mesh_encapsulate_section, .same = same_rule,
		.help = "how we send to others. The first rule whose conditions are all met decides; without "
			"one, the egress does: what it likes best, and IP-in-IP where it says nothing"},
	{"tunnel-when", TYPE_SET, INTO(afbr_config, tunnel), .words = mesh_whens, .min = 1,
		.derived = "\"core-next-hop\"", .help = "which routes lead through softwires"},
	{"mss-clamp", TYPE_BOOL, INTO(afbr_config, mss_clamp), .preset = "true",
		.help = "TCP connections agree on segments that fit into the softwire"},
	{"roll-interval", TYPE_SECONDS, INTO(afbr_config, roll_interval), .min = 0,
		.max = 30 * 86400 * (int64_t)MS, .preset = "0",
		.help = "time after which our GRE keys, Session IDs and cookies are replaced by others; 0: "
			"only by `softwire mesh roll`"},
	{"roll-overlap", TYPE_SECONDS, INTO(afbr_config, roll_overlap), .min = 0, .max = 86400 * MS,
		.preset = "300", .help = "how long the old ones are taken then, too"},
};
const struct config_section config_afbr_section = {"`afbr`", afbr_keys, COUNT(afbr_keys), EFFECT_LIVE};

static void *make_afbr(void)
{
	return afbr_config_new();
}

static void *ref_afbr(const void *group)
{
	return afbr_config_ref(group);
}

static void unref_afbr(void *group)
{
	afbr_config_unref(group);
}

const struct config_life config_afbr_life = {make_afbr, ref_afbr, unref_afbr};
