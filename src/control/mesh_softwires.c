/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core, client, accept, tunnels and encapsulate of the `afbr` group: defaults that depend on others, and what contradicts itself. */
#include <stdio.h>

#include "afbr/choose.h"
#include "control/mesh.h"

/* The whole group, and its settings. */
struct here {
	struct problems *r;
	const config_setting_t *group;
	struct afbr_config *a;
};

static int version_of(uint8_t family)
{
	return family == AF_INET ? 4 : 6;
}

/* The Nth group of a list, which may be a single one without brackets; NULL: something else stands there, which has been told. */
static const config_setting_t *row_at(const config_setting_t *list, unsigned n)
{
	const config_setting_t *row = list;

	if (list && !config_setting_is_group(list))
		row = config_setting_get_elem(list, n);
	return row && config_setting_is_group(row) ? row : NULL;
}

/* ---- what needs a core ---- */

static void needs_core(const struct here *h, const char *key, const char *why)
{
	if (rule_is_set(h->group, key))
		problem_at(
			h->r, true, rule_at(h->group, key), "`%s` needs `address` of `core`: %s", key, why);
}

/* A speaker without an address in the core, like a route reflector, has no softwires at all. */
static void check_without_core(const struct here *h)
{
	const config_setting_t *core = rule_group(h->group, "core");
	static const char ends[] = "it is where they end", none[] = "there are no softwires without it";

	if (core && rule_is_set(core, "address"))
		return; /* a wrong one, told already */
	if (core)
		problem_at(
			h->r, true, core, "`core` lacks `address`: our address there, where softwires end");
	needs_core(h, "tunnels", ends);
	needs_core(h, "accept", ends);
	needs_core(h, "client", none);
	needs_core(h, "encapsulate", none);
	needs_core(h, "tunnel-when", none);
	needs_core(h, "roll-interval", none);
}

/* ---- core, client ---- */

/* Next hops, endpoints and transmitters are what outer headers have. */
static void check_outer(const struct here *h, const config_setting_t *group, const char *key,
	const struct prefix *list, unsigned count)
{
	char text[PREFIX_TEXT];

	for (unsigned i = 0; i < count; i++)
		if (list[i].addr.family != h->a->core.family)
			problem_at(h->r, true, rule_at(group, key),
				"`%s` has %s, but `address` of `core` is an IPv%d address: outer headers "
				"have "
				"addresses of that family only",
				key, prefix_print(&list[i], text), version_of(h->a->core.family));
}

/* Who means everything leaves it out, and knows that then. */
static void check_everything(const struct here *h, const config_setting_t *group, const char *key,
	const struct prefix *list, unsigned count, const char *instead)
{
	char text[PREFIX_TEXT];

	for (unsigned i = 0; i < count; i++)
		if (!list[i].len)
			problem_at(h->r, true, rule_at(group, key), "`%s` has %s, which is everything: %s",
				key, prefix_print(&list[i], text), instead);
}

static void check_interfaces(const struct here *h, const config_setting_t *group, const char *title,
	const char (*names)[16], unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!strcmp(names[i], AFBR_DEVICE))
			problem_at(h->r, true, rule_at(group, "interfaces"),
				"`interfaces` of `%s` has " AFBR_DEVICE
				", the device of softwires itself: it must have those of links",
				title);
}

static bool contains_core(const struct afbr_config *a)
{
	for (unsigned i = 0; i < a->endpoint_count; i++)
		if (prefix_contains_addr(&a->endpoints[i], &a->core))
			return true;
	return false;
}

static void check_core(const struct here *h)
{
	const config_setting_t *core = rule_group(h->group, "core");
	const struct afbr_config *a = h->a;
	char text[ADDR_TEXT];

	check_outer(h, core, "endpoints", a->endpoints, a->endpoint_count);
	check_outer(h, core, "transmitters", a->transmitters, a->transmitter_count);
	check_everything(h, core, "endpoints", a->endpoints, a->endpoint_count, "leave `endpoints` out");
	check_everything(h, core, "transmitters", a->transmitters, a->transmitter_count,
		"it must say who may send to us");
	check_interfaces(h, core, "core", a->core_interfaces, a->core_interface_count);
	if (a->endpoint_count && !contains_core(a))
		problem_at(h->r, false, rule_at(core, "endpoints"),
			"`endpoints` does not have our own `address`, %s: border routers with the same "
			"`endpoints` will not send to us",
			addr_print(&a->core, text));
}

static void check_both_sides(const struct here *h, const config_setting_t *client)
{
	const struct afbr_config *a = h->a;

	for (unsigned i = 0; i < a->client_interface_count; i++)
		for (unsigned n = 0; n < a->core_interface_count; n++)
			if (!strcmp(a->client_interfaces[i], a->core_interfaces[n]))
				problem_at(h->r, true, rule_at(client, "interfaces"),
					"`interfaces` of `client` has %s, which is an interface of `core`: "
					"it "
					"must be one or the other",
					a->client_interfaces[i]);
}

/* What the core speaks is not in softwires, unless they are for transit. */
static void check_local(const struct here *h, const config_setting_t *client)
{
	const char *key = h->a->core.family == AF_INET ? "local4" : "local6";

	if (!h->a->transit && rule_is_set(client, key))
		problem_at(h->r, false, rule_at(client, key),
			"`%s` has no effect: packets in softwires are IPv%d ones, as long as `transit` of "
			"`core` is false",
			key, h->a->core.family == AF_INET ? 6 : 4);
}

static void check_client(const struct here *h)
{
	const config_setting_t *client = rule_group(h->group, "client");

	if (!client)
		return;
	if (rule_is_set(client, "interfaces") && !h->a->core_interface_count)
		problem_at(h->r, false, rule_at(client, "interfaces"),
			"`core` has no `interfaces`: packets of softwires are taken from any, be it one of "
			"`client`");
	if (rule_is_set(client, "filter") && h->a->filter && !rule_is_set(client, "interfaces"))
		problem_at(h->r, true, rule_at(client, "filter"),
			"`filter` needs `interfaces`: what comes in there is looked at");
	check_interfaces(h, client, "client", h->a->client_interfaces, h->a->client_interface_count);
	check_both_sides(h, client);
	check_local(h, client);
}

/* ---- what others may send us ---- */

static void check_tunnel(struct problems *r, const config_setting_t *group, struct bgp_tunnel *t)
{
	bool l2tp = t->type == BGP_TUNNEL_L2TPV3;

	t->has_encapsulation = l2tp || t->has_key;
	if (!t->type)
		return; /* told already */
	if (t->has_key && t->type != BGP_TUNNEL_GRE && t->type != BGP_TUNNEL_MPLS_GRE)
		problem_at(r, true, rule_at(group, "key"),
			"`key` is for \"gre\" and \"mpls-in-gre\" alone: leave it out");
	if (!l2tp && (rule_is_set(group, "session") || rule_is_set(group, "cookie")))
		problem_at(r, true, rule_at(group, rule_is_set(group, "session") ? "session" : "cookie"),
			"`session` and `cookie` are for \"l2tpv3\" alone: leave them out");
	if (l2tp && !t->session && !rule_is_set(group, "session"))
		problem_at(r, true, group,
			"\"l2tpv3\" needs `session`: the Session ID that others are to write into each "
			"packet");
	if (l2tp && !rule_is_set(group, "cookie"))
		problem_at(r, false, group,
			"\"l2tpv3\" without a `cookie`: whoever can send packets to us can send them into "
			"the "
			"tunnel (RFC 3931 section 4.1.1)");
}

static void check_payload(const struct here *h, const config_setting_t *group, const struct bgp_tunnel *t)
{
	uint16_t own = h->a->core.family == AF_INET ? MESH_IP4 : MESH_IP6;

	if (t->type == BGP_TUNNEL_MPLS_GRE && t->protocol && t->protocol != MESH_MPLS)
		problem_at(h->r, true, rule_at(group, "payload"),
			"`payload` of \"mpls-in-gre\" is MPLS, as its name says: leave it out");
	else if (t->protocol == own && h->a->core.family && !h->a->transit)
		problem_at(h->r, false, rule_at(group, "payload"),
			"`payload` is \"ipv%d\", which the core carries as it is: packets of this tunnel are "
			"dropped, unless `transit` of `core` is true",
			version_of(h->a->core.family));
}

static bool is_gre(const struct bgp_tunnel *t)
{
	return t->type == BGP_TUNNEL_GRE || t->type == BGP_TUNNEL_MPLS_GRE;
}

static bool is_for_mpls(const struct bgp_tunnel *t)
{
	return t->protocol == MESH_MPLS || bgp_tunnel_is_for_mpls(t->type);
}

/* Packets of one cannot be told from packets of the other. */
static bool is_same_tunnel(const struct bgp_tunnel *a, const struct bgp_tunnel *b)
{
	if (!a->type || (a->type != b->type && !(is_gre(a) && is_gre(b))))
		return false;
	if (a->type == BGP_TUNNEL_L2TPV3)
		return a->session && a->session == b->session;
	return is_for_mpls(a) == is_for_mpls(b) && a->has_key == b->has_key && a->key == b->key &&
	       (!a->protocol || !b->protocol || a->protocol == b->protocol);
}

static void check_tunnels(const struct here *h)
{
	const config_setting_t *list = config_setting_get_member(h->group, "tunnels");
	struct afbr_config *a = h->a;

	for (unsigned i = 0; list && i < a->tunnel_count; i++) {
		const config_setting_t *row = row_at(list, i);

		if (!row)
			return;
		check_tunnel(h->r, row, &a->tunnels[i]);
		check_payload(h, row, &a->tunnels[i]);
		for (unsigned n = 0; n < i; n++)
			if (is_same_tunnel(&a->tunnels[n], &a->tunnels[i]))
				problem_at(h->r, true, row,
					"this tunnel cannot be told from the one of line %u: it needs "
					"another "
					"%s",
					config_setting_source_line(row_at(list, n)),
					a->tunnels[i].type == BGP_TUNNEL_L2TPV3 ? "`session`"
					: is_gre(&a->tunnels[i])                ? "`key`, or `payload`"
										: "`payload`");
	}
}

static bool rolls(const struct afbr_config *a)
{
	for (unsigned i = 0; i < a->accept_count; i++)
		if (a->accept[i] == AFBR_ACCEPT_GRE_KEY || a->accept[i] == AFBR_ACCEPT_L2TPV3 ||
			a->accept[i] == AFBR_ACCEPT_MPLS_IN_L2TPV3)
			return true;
	return false;
}

static void check_roll(const struct here *h)
{
	const struct afbr_config *a = h->a;

	if (a->roll_interval && !rolls(a))
		problem_at(h->r, false, rule_at(h->group, "roll-interval"),
			"`roll-interval` has no effect: `accept` has nothing with parameters, like "
			"\"gre-key\" or \"l2tpv3\"");
	if (a->roll_interval && a->roll_overlap >= a->roll_interval)
		problem_at(h->r, true, rule_at(h->group, "roll-interval"),
			"`roll-interval` is %g, and `roll-overlap` is %g: it must be longer, or old "
			"parameters would never end",
			a->roll_interval / 1000.0, a->roll_overlap / 1000.0);
}

static void check_accept(const struct here *h)
{
	struct afbr_config *a = h->a;

	if (rule_is_set(h->group, "accept") && rule_is_set(h->group, "tunnels"))
		problem_at(h->r, true, rule_at(h->group, "tunnels"),
			"`tunnels` and `accept` exclude each other: `accept` makes its parameters at random "
			"and replaces them, in `tunnels` they are yours");
	else if (!rule_is_set(h->group, "accept") && !rule_is_set(h->group, "tunnels"))
		a->accept[a->accept_count++] = AFBR_ACCEPT_IPIP;
	check_roll(h);
}

/* ---- how we send ---- */

static bool within(const struct prefix *inner, const struct prefix *list, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (prefix_contains(&list[i], inner))
			return true;
	return false;
}

static bool all_within(
	const struct prefix *inner, unsigned inner_count, const struct prefix *list, unsigned count)
{
	if (!count)
		return true; /* no condition */
	for (unsigned i = 0; i < inner_count; i++)
		if (!within(&inner[i], list, count))
			return false;
	return inner_count;
}

static bool has_class(const struct afbr_rule *r, const struct afbr_class *class)
{
	for (unsigned i = 0; i < r->class_count; i++)
		if (r->classes[i].is_color == class->is_color && r->classes[i].value == class->value)
			return true;
	return false;
}

/* Every route that meets the conditions of LATER meets those of RULE. */
static bool covers(const struct afbr_rule *rule, const struct afbr_rule *later)
{
	for (unsigned i = 0; rule->class_count && i < later->class_count; i++)
		if (!has_class(rule, &later->classes[i]))
			return false;
	return (!rule->class_count || later->class_count) &&
	       all_within(later->prefixes, later->prefix_count, rule->prefixes, rule->prefix_count) &&
	       all_within(later->next_hops, later->next_hop_count, rule->next_hops, rule->next_hop_count);
}

static void check_reached(const struct here *h, const config_setting_t *row, unsigned n)
{
	const struct afbr_rule *rules = h->a->rules;
	uint64_t left = rules[n].dscp;

	for (unsigned i = 0; i < n; i++)
		if (covers(&rules[i], &rules[n]))
			left &= ~rules[i].dscp;
	if (!left)
		problem_at(h->r, true, row,
			"nothing comes as far as this rule of `encapsulate`: whatever meets its conditions "
			"meets those of one before it, which decides");
}

static bool overlaps_any(const struct prefix *p, const struct prefix *list, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (prefix_overlaps(&list[i], p))
			return true;
	return !count;
}

static void check_conditions(const struct here *h, const config_setting_t *row, const struct afbr_rule *rule)
{
	const struct afbr_config *a = h->a;
	char text[PREFIX_TEXT];

	check_outer(h, row, "next-hops", rule->next_hops, rule->next_hop_count);
	for (unsigned i = 0; i < rule->next_hop_count; i++)
		if (!overlaps_any(&rule->next_hops[i], a->endpoints, a->endpoint_count))
			problem_at(h->r, false, rule_at(row, "next-hops"),
				"`next-hops` has %s, which is outside `endpoints` of `core`: no softwire "
				"ends "
				"there",
				prefix_print(&rule->next_hops[i], text));
	for (unsigned i = 0; i < rule->prefix_count; i++)
		if (rule->prefixes[i].addr.family == a->core.family && !a->transit)
			problem_at(h->r, false, rule_at(row, "prefixes"),
				"`prefixes` has %s, which the core carries as it is: routes for softwires "
				"are "
				"IPv%d ones, as long as `transit` of `core` is false",
				prefix_print(&rule->prefixes[i], text), a->core.family == AF_INET ? 6 : 4);
}

static void check_use(const struct here *h, const config_setting_t *row, const struct afbr_rule *rule)
{
	static const char *const outer[] = {"ttl", "outer-dscp", "ecn"};
	bool rejects = rule->use_count && rule->use[0] == AFBR_USE_NONE;

	for (unsigned i = 0; i + 1 < rule->use_count; i++)
		if (rule->use[i] == AFBR_USE_NONE)
			problem_at(h->r, true, rule_at(row, "use"),
				"`use` has \"none\" before others, which are never tried then: put it at the "
				"end, or leave it out");
	for (unsigned i = 0; rejects && i < CONFIG_COUNT(outer); i++)
		if (rule_is_set(row, outer[i]))
			problem_at(h->r, false, rule_at(row, outer[i]),
				"`%s` has no effect where `use` is \"none\"", outer[i]);
}

static void derive_dscp(struct afbr_rule *rule)
{
	rule->dscp = rule->dscp_count ? 0 : UINT64_MAX;
	for (unsigned i = 0; i < rule->dscp_count; i++)
		rule->dscp |= (uint64_t)1 << rule->dscps[i];
}

/* Up to the rule that tells one class of traffic too many apart. */
static void check_slots(const struct here *h, const config_setting_t *list)
{
	unsigned count = h->a->rule_count;
	bool fits = true;

	for (h->a->rule_count = 0; fits && h->a->rule_count <= count; h->a->rule_count++)
		fits = !choose_slots(h->a);
	if (!fits)
		problem_at(h->r, true, row_at(list, h->a->rule_count - 2),
			"with this `dscp` the rules of `encapsulate` tell more than %u classes of traffic "
			"apart: give several rules the same `dscp`",
			AFBR_SLOTS);
	h->a->rule_count = count;
}

static void check_encapsulate(const struct here *h)
{
	const config_setting_t *list = config_setting_get_member(h->group, "encapsulate");

	for (unsigned n = 0; n < h->a->rule_count; n++) {
		const config_setting_t *row = row_at(list, n);

		if (!row)
			return;
		derive_dscp(&h->a->rules[n]);
		check_conditions(h, row, &h->a->rules[n]);
		check_use(h, row, &h->a->rules[n]);
		check_reached(h, row, n);
	}
	check_slots(h, list);
}

static void check_when(const struct here *h)
{
	if (h->a->tunnel & AFBR_TUNNEL_CORE_INTERFACE && !h->a->core_interface_count)
		problem_at(h->r, true, rule_at(h->group, "tunnel-when"),
			"`tunnel-when` has \"core-interface\", and `core` has no `interfaces`: they must be "
			"named");
}

/* ---- the whole ---- */

void check_softwires(struct problems *r, const config_setting_t *group, struct afbr_config *a)
{
	struct here h = {r, group, a};

	if (!rule_group(group, "client"))
		config_presets(&mesh_client_section, a);
	if (!rule_is_set(group, "tunnel-when"))
		a->tunnel = AFBR_TUNNEL_NEXT_HOP;
	if (!a->core.family) {
		(void)choose_slots(a); /* one, or what is told below */
		check_tunnels(&h);
		check_without_core(&h);
		return;
	}
	check_core(&h);
	check_client(&h);
	check_tunnels(&h);
	check_accept(&h);
	check_encapsulate(&h);
	check_when(&h);
}
