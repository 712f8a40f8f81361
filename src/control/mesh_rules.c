/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The `afbr` group: defaults that depend on others, and what one setting alone cannot tell. (Policies: mesh_policies.c. Softwires: mesh_softwires.c.) */
#include <stdio.h>

#include "control/mesh.h"

enum { MAIN_TABLE = 254, LOCAL_TABLE = 255, INTERVAL_EXTERNAL = 5000 };

/* RFC 7607 (0 cannot be written), RFC 6793, RFC 7300. */
static void check_as(struct problems *r, const config_setting_t *group, const char *key, uint32_t as)
{
	if (!rule_is_set(group, key))
		return;
	if (as == BGP_AS_TRANS)
		problem_at(r, true, rule_at(group, key),
			"`%s` is 23456, which stands for AS numbers of four octets and is nobody's: it must "
			"be your own",
			key);
	else if (as == UINT16_MAX || as == UINT32_MAX)
		problem_at(r, true, rule_at(group, key),
			"`%s` is %u, which is reserved (RFC 7300): private ones are 64512 to 65534 and "
			"4200000000 to 4294967294",
			key, as);
}

/* ---- neighbors ---- */

/* One neighbour, its settings, and what is around it. */
struct here {
	struct problems *r;
	const config_setting_t *group;
	const struct afbr_config *a;
	bool external;
};

static bool is_link_local6(const struct addr *a)
{
	return a->family == AF_INET6 && addr_is_link_local(a);
}

static bool is_labeled(const struct bgp_neighbor_config *n)
{
	return n->families & (BGP_FAMILY_BIT(BGP_IPV4_LABELED) | BGP_FAMILY_BIT(BGP_IPV6_LABELED));
}

static void derive_neighbor(const struct here *h, struct bgp_neighbor_config *n)
{
	if (!n->families && n->address.family)
		n->families = BGP_FAMILY_BIT(n->address.family == AF_INET ? BGP_IPV4 : BGP_IPV6);
	if (!rule_is_set(h->group, "advertisement-interval"))
		n->min_interval = h->external ? INTERVAL_EXTERNAL : 0;
	n->tunnels &= n->tunnel_way != BGP_TUNNEL_NONE;
	n->next_hop_self |= n->next_hop_self_all;
	/* It is what others know us by, and what their routes to us lead to. Link-local neighbours have one on their link. */
	if (!rule_is_set(h->group, "local-address") && h->a->core.family == n->address.family &&
		!is_link_local6(&n->address) && (!h->external || n->multihop))
		n->local_address = h->a->core;
	n->default_local = !h->external || (n->has_import && n->has_export);
	for (unsigned f = 1; f < BGP_FAMILIES; f++)
		n->limits[f].warn_percent = n->limits[0].warn_percent;
}

static void check_addresses(const struct here *h, const struct bgp_neighbor_config *n)
{
	const struct addr *local = &n->local_address;
	char text[ADDR_TEXT];

	if (is_link_local6(&n->address) && !n->interface[0])
		problem_at(h->r, true, rule_at(h->group, "address"),
			"`address` is a link-local address: `interface` must say where it is");
	else if (!is_link_local6(&n->address) && n->interface[0])
		problem_at(h->r, false, rule_at(h->group, "interface"),
			"`interface` has no effect: `address` is not link-local");
	if (local->family && n->address.family && local->family != n->address.family)
		problem_at(h->r, true, rule_at(h->group, "local-address"),
			"`local-address` is an IPv%d address: it must be of the family of `address`",
			local->family == AF_INET ? 4 : 6);
	if (n->address.family && (addr_equal(&n->address, &h->a->core) || addr_equal(&n->address, local)))
		problem_at(h->r, true, rule_at(h->group, "address"),
			"`address` is %s, which is our own: it must be the neighbor's",
			addr_print(&n->address, text));
}

static void check_twice(const struct here *h, const struct bgp_neighbor_config *n)
{
	for (const struct bgp_neighbor_config *o = h->a->neighbors; o < n && n->address.family; o++)
		if (addr_equal(&o->address, &n->address) &&
			(!is_link_local6(&n->address) || !strcmp(o->interface, n->interface)))
			problem_at(h->r, true, rule_at(h->group, "address"),
				"`address` is also that of the neighbor `%s`: each must have its own",
				o->name);
}

/* RFC 8212: nothing goes over an external session that was not asked for. */
static void check_policy_there(const struct here *h, const char *key, bool has, const char *what)
{
	if (!has && h->external)
		problem_at(h->r, false, h->group,
			"`%s` is left out, so %s this external neighbor (RFC 8212): write %s = \"all\"; "
			"with  all = ( { then = \"accept\"; } );  in `policies` for everything, or name what "
			"may pass",
			key, what, key);
}

static void check_neighbor_policies(const struct here *h, const struct bgp_neighbor_config *n)
{
	check_policy_name(h->r, h->group, "import", n->import, h->a);
	check_policy_name(h->r, h->group, "export", n->export, h->a);
	check_policy_there(h, "import", n->has_import, "no route is taken from");
	check_policy_there(h, "export", n->has_export, "no route is told");
}

static void no_effect(const struct here *h, const char *key, bool is, const char *why)
{
	if (is && rule_is_set(h->group, key))
		problem_at(h->r, false, rule_at(h->group, key), "`%s` has no effect %s", key, why);
}

static void check_kind(const struct here *h, const struct bgp_neighbor_config *n)
{
	static const char internal[] = "with an internal neighbor: `as` is ours, or left out";

	if (n->client && h->external)
		problem_at(h->r, true, rule_at(h->group, "client"),
			"`client` is true, but the neighbor is external: route reflection is for internal "
			"ones "
			"(RFC 4456)");
	no_effect(h, "multihop", n->multihop && !h->external, internal);
	no_effect(h, "next-hop-unchanged", n->next_hop_unchanged && !h->external, internal);
	no_effect(h, "ttl", !n->multihop, "without `multihop`");
	if (n->ttl_security && n->multihop)
		problem_at(h->r, true, rule_at(h->group, "ttl-security"),
			"`ttl-security` and `multihop` exclude each other: ttl-security = %u says already "
			"how "
			"far away the neighbor may be",
			n->ttl_security);
	if (rule_is_set(h->group, "local-as") && !rule_is_set(h->group, "as"))
		problem_at(h->r, true, rule_at(h->group, "local-as"),
			"`local-as` needs `as`: it is for external neighbors");
	no_effect(h, "local-as", n->local_as == h->a->as, "where it is `as` of `bgp`");
	if (n->passive && !h->a->port)
		problem_at(h->r, true, rule_at(h->group, "passive"),
			"`passive` is true, but `port` of `bgp` is 0: nobody would ever connect");
}

static void check_next_hops(const struct here *h, const struct bgp_neighbor_config *n)
{
	if (n->next_hop_unchanged && n->next_hop_self)
		problem_at(h->r, true, rule_at(h->group, "next-hop-unchanged"),
			"`next-hop-unchanged` and `next-hop-self` exclude each other");
	if (n->next_hop_self_all)
		problem_at(h->r, false, rule_at(h->group, "next-hop-self-all"),
			"`next-hop-self-all` is true: reflected routes lead to us instead of to the border "
			"router where their softwires end");
	if (is_labeled(n) && n->next_hop_self)
		problem_at(h->r, true,
			rule_at(h->group, rule_is_set(h->group, "next-hop-self") ? "next-hop-self"
										 : "next-hop-self-all"),
			"we do not switch labels, so routes with labels must keep their next hops: leave "
			"`next-hop-self` out, or ipv4-labeled and ipv6-labeled of `families`");
	else if (is_labeled(n) && h->external && !n->next_hop_unchanged)
		problem_at(h->r, true, rule_at(h->group, "families"),
			"we do not switch labels, so an external neighbor with ipv4-labeled or ipv6-labeled "
			"needs next-hop-unchanged = true");
}

/* MESH-BGP-9, MESH-BGP-13: our next hops are addresses of the session's family. */
static void check_families(const struct here *h, const struct bgp_neighbor_config *n)
{
	bgp_families ipv4 = BGP_FAMILY_BIT(BGP_IPV4) | BGP_FAMILY_BIT(BGP_IPV4_LABELED);
	bgp_families other = h->a->core.family == AF_INET ? BGP_FAMILY_BIT(BGP_IPV6_ENCAP)
							  : BGP_FAMILY_BIT(BGP_IPV4_ENCAP);

	if (n->address.family == AF_INET6 && (n->families & ipv4) && !n->extended_next_hop)
		problem_at(h->r, false, rule_at(h->group, "extended-next-hop"),
			"`extended-next-hop` is false, and `address` is an IPv6 address: IPv4 routes that "
			"lead "
			"to us cannot be told to this neighbor (RFC 8950)");
	if (h->a->core.family && (n->families & other))
		problem_at(h->r, false, rule_at(h->group, "families"),
			"`families` has \"ipv%d-encap\", but `address` of `core` is an IPv%d address: we "
			"have "
			"nothing to tell there",
			h->a->core.family == AF_INET ? 6 : 4, h->a->core.family == AF_INET ? 4 : 6);
}

static void check_timers(const struct here *h, const struct bgp_neighbor_config *n)
{
	if (n->hold_time % 1000 || (n->hold_time && n->hold_time < 3000))
		problem_at(h->r, true, rule_at(h->group, "hold-time"),
			"`hold-time` is %g: it must be 0 (never), or a whole number from 3 to 65535",
			n->hold_time / 1000.0);
	else if (!n->hold_time)
		problem_at(h->r, false, rule_at(h->group, "hold-time"),
			"`hold-time` is 0: a neighbor that died silently is not noticed");
	no_effect(h, "restart-time", !n->graceful_restart, "where `graceful-restart` is false");
	no_effect(h, "shutdown-text", !n->shutdown, "unless `shutdown` is true");
}

static void check_limits(const struct here *h, const struct bgp_neighbor_config *n)
{
	const config_setting_t *group = rule_group(h->group, "max-prefix");
	bool limited = false;

	for (unsigned f = 0; group && f < BGP_FAMILIES; f++) {
		const char *name = bgp_family_name((enum bgp_family)f);

		limited |= n->limits[f].max_prefix > 0;
		if (n->limits[f].max_prefix && !(n->families & BGP_FAMILY_BIT(f)))
			problem_at(h->r, false, rule_at(group, name),
				"`%s` of `max-prefix` has no effect: `families` does not have it", name);
	}
	if (group && !limited)
		problem_at(h->r, false, rule_at(h->group, "max-prefix"),
			"`max-prefix` limits nothing: it must have a limit for a family, like ipv4 = 1000;");
}

static void check_neighbor(const struct here *h, struct bgp_neighbor_config *n)
{
	if (!strcmp(n->name, "kernel") || !strcmp(n->name, "network") || !strcmp(n->name, "tunnel"))
		problem_at(h->r, true, h->group,
			"a neighbor cannot be called `%s`: that is where our own routes come from", n->name);
	derive_neighbor(h, n);
	check_as(h->r, h->group, "as", n->as);
	check_as(h->r, h->group, "local-as", n->local_as);
	check_addresses(h, n);
	check_twice(h, n);
	check_neighbor_policies(h, n);
	check_kind(h, n);
	check_next_hops(h, n);
	check_families(h, n);
	check_timers(h, n);
	check_limits(h, n);
}

static void check_neighbors(struct problems *r, const config_setting_t *group, struct afbr_config *a)
{
	for (unsigned i = 0; group && i < a->neighbor_count; i++) {
		struct bgp_neighbor_config *n = &a->neighbors[i];
		struct here h = {.r = r, .group = rule_group(group, n->name), .a = a};

		if (h.group && rule_is_set(h.group, "as"))
			h.external = n->as != (n->local_as ? n->local_as : a->as);
		else
			n->as = a->as;
		if (h.group) /* else its name was refused */
			check_neighbor(&h, n);
	}
	if (group && !a->neighbor_count)
		problem_at(r, false, group, "`neighbors` is empty: there is nobody to speak to");
}

/* ---- what a border router's neighbors are for ---- */

static bool is_external(const struct afbr_config *a, const struct bgp_neighbor_config *n)
{
	return n->as != (n->local_as ? n->local_as : a->as);
}

/* Routes that are for softwires. */
static bgp_families payload_of(const struct afbr_config *a)
{
	return a->core.family == AF_INET6 ? BGP_FAMILY_BIT(BGP_IPV4) | BGP_FAMILY_BIT(BGP_IPV4_LABELED)
					  : BGP_FAMILY_BIT(BGP_IPV6) | BGP_FAMILY_BIT(BGP_IPV6_LABELED);
}

/* Who has customers and hears no routes of their family from the core sends nothing through softwires. */
static void check_payload_told(struct problems *r, const config_setting_t *group, const config_setting_t *bgp,
	const struct afbr_config *a)
{
	int version = a->core.family == AF_INET6 ? 4 : 6;
	bool any = false;

	if (!rule_group(group, "client") || a->transit)
		return;
	for (unsigned i = 0; i < a->neighbor_count; i++) {
		if (a->neighbors[i].address.family != a->core.family)
			continue; /* a customer */
		if (a->neighbors[i].families & payload_of(a))
			return;
		any = true;
	}
	if (!any)
		return;
	problem_at(r, false, rule_group(bgp, "neighbors"),
		"no neighbor has \"ipv%d\" in `families`, so no route leads through a softwire: over "
		"sessions of "
		"the core's family it must be written, families = [ \"ipv%d\" ];",
		version, version);
}

/* A policy may do what `next-hop-self` does. */
static bool sets_next_hop(const struct afbr_config *a)
{
	for (unsigned i = 0; i < a->policy_count; i++)
		for (unsigned k = 0; k < a->policies[i].rule_count; k++)
			if (a->policies[i].rules[k].next_hop == POLICY_NEXT_HOP_SELF)
				return true;
	return false;
}

/* Next hops of customers' routes are on their links, where the core has no way to. */
static void check_customers_told(
	struct problems *r, const config_setting_t *neighbors, const struct afbr_config *a)
{
	const struct bgp_neighbor_config *customer = NULL;

	for (unsigned i = 0; i < a->neighbor_count && !customer; i++)
		if (is_external(a, &a->neighbors[i]) && a->neighbors[i].families & payload_of(a) &&
			!a->neighbors[i].multihop && !a->neighbors[i].next_hop_unchanged)
			customer = &a->neighbors[i];
	if (sets_next_hop(a))
		return;
	for (unsigned i = 0; customer && i < a->neighbor_count; i++) {
		const struct bgp_neighbor_config *n = &a->neighbors[i];

		if (!is_external(a, n) && n->address.family == a->core.family && !n->next_hop_self &&
			!n->has_export)
			problem_at(r, false, rule_group(neighbors, n->name),
				"`next-hop-self` is not true: routes of `%s` are told this neighbor with a "
				"next "
				"hop "
				"that is no end of a softwire",
				customer->name);
	}
}

/* ---- classes ---- */

static void derive_classes(struct afbr_config *a)
{
	for (unsigned i = 0; i < a->class_count; i++) {
		const struct afbr_class *class = &a->class_list[i];

		if (class->is_color)
			a->classes.colors[a->classes.color_count++] = bgp_color_community(0, class->value);
		else
			a->classes.communities[a->classes.community_count++] = class->value;
	}
}

/* ---- our own routes ---- */

static void check_networks(struct problems *r, const config_setting_t *group, const struct afbr_config *a)
{
	char text[PREFIX_TEXT];

	for (unsigned i = 0; i < a->network_count; i++) {
		const struct prefix *p = &a->networks[i].prefix;

		if (p->len && (addr_is_multicast(&p->addr) || addr_is_link_local(&p->addr) ||
				      addr_is_loopback(&p->addr)))
			problem_at(r, true, rule_at(group, "networks"),
				"`networks` has %s: multicast, link-local and loopback addresses are not for "
				"others",
				prefix_print(p, text));
	}
}

static void check_kernel(struct problems *r, const config_setting_t *group, struct afbr_config *a)
{
	const config_setting_t *import = rule_group(group, "import"), *export = rule_group(group, "export");

	if (import) {
		if (!rule_is_set(import, "tables"))
			a->import.tables[a->import.table_count++] = MAIN_TABLE;
		check_policy_name(r, import, "policy", a->import.policy, a);
	}
	if (!export)
		return;
	if (!rule_is_set(export, "families"))
		a->export.families = MESH_UNICAST;
	if (a->export.table == LOCAL_TABLE)
		problem_at(r, true, rule_at(export, "table"),
			"`table` is 255, where the kernel keeps its own addresses: 254 is the main table");
	check_policy_name(r, export, "policy", a->export.policy, a);
}

/* Whoever has customers forwards their packets. */
static void derive_export(const config_setting_t *group, const config_setting_t *bgp, struct afbr_config *a)
{
	if (!rule_group(group, "client") || rule_group(rule_group(bgp, "kernel"), "export"))
		return;
	config_presets(&mesh_export_section, &a->export);
	a->export.families = MESH_UNICAST;
	a->export.present = true;
}

/* ---- the whole ---- */

static void check_speaker(struct problems *r, const config_setting_t *bgp, struct afbr_config *a)
{
	const uint8_t *b = a->core.bytes;

	check_as(r, bgp, "as", a->as);
	if (!rule_is_set(bgp, "router-id") && a->core.family == AF_INET)
		a->id = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	else if (!rule_is_set(bgp, "router-id"))
		problem_at(r, true, bgp,
			"`bgp` lacks `router-id`, and `core` has no IPv4 address to take it from: it must be "
			"written like an IPv4 address, and differ from every other speaker's");
	if (!a->cluster_id)
		a->cluster_id = a->id;
	if (rule_is_set(bgp, "listen") && !a->port)
		problem_at(r, false, rule_at(bgp, "listen"), "`listen` has no effect where `port` is 0");
	for (unsigned i = 0; i < a->listen_count; i++)
		if (is_link_local6(&a->listen[i]))
			problem_at(r, true, rule_at(bgp, "listen"),
				"`listen` has a link-local address: leave `listen` out to be reached there");
}

/* Everything is in its place now, and stays there. */
static void resolve(struct problems *r, const config_setting_t *group, struct afbr_config *a)
{
	for (unsigned i = 0; i < a->policy_count; i++)
		if (policy_prepare(&a->policies[i]))
			problem_at(r, true, group, "not enough memory");
	for (unsigned i = 0; i < a->neighbor_count; i++) {
		struct bgp_neighbor_config *n = &a->neighbors[i];

		n->import_policy = n->has_import ? afbr_config_policy(a, n->import) : NULL;
		n->export_policy = n->has_export ? afbr_config_policy(a, n->export) : NULL;
	}
}

/* The softwires of our other roles, as they are called. */
static void name_devices(const struct config *c, struct afbr_config *a)
{
	_Static_assert((int)AFBR_DEVICES > (int)CONFIG_INITIATORS, "all roles have room");
	a->device_count = 0;
	if (c->concentrator.present)
		snprintf(a->devices[a->device_count++], sizeof(a->devices[0]), "%s", c->concentrator.device);
	for (unsigned i = 0; i < c->initiator_count; i++)
		snprintf(
			a->devices[a->device_count++], sizeof(a->devices[0]), "si-%s", c->initiators[i].name);
}

void check_afbr(
	struct problems *r, const config_setting_t *group, const struct config *c, struct afbr_config *a)
{
	const config_setting_t *bgp = rule_group(group, "bgp");

	if ((size_t)snprintf(a->directory, sizeof(a->directory), "%s/mrt", c->state_directory) >=
		sizeof(a->directory))
		problem_at(r, true, group, "`state-directory` is too long");
	name_devices(c, a);
	check_softwires(r, group, a);
	derive_classes(a);
	if (!bgp)
		return; /* told already */
	if (!rule_group(bgp, "mrt"))
		config_presets(&mesh_mrt_section, &a->mrt);
	check_speaker(r, bgp, a);
	check_neighbors(r, rule_group(bgp, "neighbors"), a);
	if (a->core.family) {
		check_payload_told(r, group, bgp, a);
		check_customers_told(r, rule_group(bgp, "neighbors"), a);
	}
	check_policies(r, rule_group(bgp, "policies"), a);
	check_networks(r, bgp, a);
	if (rule_group(bgp, "kernel"))
		check_kernel(r, rule_group(bgp, "kernel"), a);
	derive_export(group, bgp, a);
	resolve(r, group, a);
}
