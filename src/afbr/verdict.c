/* SPDX-License-Identifier: GPL-2.0-or-later */
/* May a best route be in the kernel's table, and how: natively, or by a softwire. And what people are told about it. */
#include <stdio.h>

#include "afbr/export.h"
#include "afbr/softwires.h"

static bool policy_lets_pass(const struct exporter *e, enum bgp_family family, const struct prefix *prefix,
	const struct rib_path *path)
{
	const struct policy_subject subject = {.family = family,
		.prefix = prefix,
		.set = bgp_set_reader(path->set),
		.facts = &path->set->facts,
		.next_hop = &path->set->next_hop->value,
		.source = bgp_source_name(e->afbr->bgp, path)};
	struct policy_result result;

	if (!e->policy)
		return !*e->config.policy;
	policy_judge(e->policy, &subject, &result);
	return result.verdict == POLICY_ACCEPT;
}

/* The kernel's own route to one of our links may have a higher metric than ours, and must not lose to it. */
static bool is_our_link(const struct afbr *a, const struct prefix *p)
{
	for (unsigned i = 0; i < a->own_count; i++)
		if (a->own[i].prefix_len == p->len && prefix_contains_addr(p, &a->own[i].addr))
			return true;
	return false;
}

static bool is_labeled(unsigned feed)
{
	return feed >= EXPORT_UNICAST;
}

/*
 * Where there is a core, only its own family is to be seen there (RFC 5565 section 4.1): what is for softwires goes through one or not at all, and what would
 * leave by an interface of the core natively does not.
 */
static enum verdict find_way(struct exporter *e, unsigned feed, const struct prefix *prefix,
	const struct rib_path *path, struct keeper_bgp_route *ret, const char **why)
{
	enum nexthop_state state = nexthop_route(e->afbr, path->set->next_hop, prefix->addr.family, ret);
	bool native = state == NEXTHOP_NATIVE;

	if (state == NEXTHOP_UNREACHED)
		return VERDICT_UNREACHED;
	if (softwire_wants(e->afbr, export_families[feed], prefix, path, ret->ifindex, native, why))
		return VERDICT_SOFTWIRE;
	if (is_labeled(feed))
		return VERDICT_LABELED;
	if (!native)
		return VERDICT_ACROSS;
	return softwire_forbids(e->afbr, prefix, ret) ? VERDICT_CORE : VERDICT_NATIVE;
}

/* The way itself is looked at elsewhere. */
static bool is_destination(const struct prefix *prefix)
{
	const struct keeper_bgp_route r = {.dst = *prefix};

	return !keeper_bgp_route_check(&r);
}

enum verdict verdict_of(struct exporter *e, unsigned feed, const struct prefix *prefix,
	const struct rib_path *path, struct keeper_bgp_route *ret, struct addr *hidden, const char **why)
{
	enum bgp_family unicast = export_families[feed % EXPORT_UNICAST];
	enum verdict way;

	*ret = (struct keeper_bgp_route){.dst = *prefix, .add = 1};
	if (!path)
		return VERDICT_GONE;
	if (!path->source || !path->set->next_hop)
		return VERDICT_OURS;
	if (!(e->config.families & BGP_FAMILY_BIT(unicast)))
		return VERDICT_FAMILY;
	way = find_way(e, feed, prefix, path, ret, why);
	if (way != VERDICT_NATIVE && way != VERDICT_SOFTWIRE)
		return way;
	if (way == VERDICT_NATIVE ? keeper_bgp_route_check(ret) != NULL : !is_destination(prefix))
		return VERDICT_NEVER;
	if (is_our_link(e->afbr, prefix))
		return VERDICT_LINK;
	if (nexthop_hidden_by(e->afbr, prefix, e->config.metric, hidden))
		return VERDICT_HIDES;
	if (way == VERDICT_SOFTWIRE && nexthop_session_in(e->afbr, prefix, e->config.metric, hidden))
		return VERDICT_SESSION;
	return policy_lets_pass(e, export_families[feed], prefix, path) ? way : VERDICT_POLICY;
}

/* ---- for people ---- */

static const char across[] =
	"not in the kernel: its next hop is of the other address family and not near, and it is not "
	"for softwires";
static const char into_core[] =
	"not in the kernel: natively it would leave by an interface of the core, which does not "
	"know its address family";

static const char *text_of(enum verdict v)
{
	static const char *const texts[] = {
		[VERDICT_GONE] = "not in the kernel: no path can be chosen",
		[VERDICT_OURS] = "not put into the kernel: it is a route of our own",
		[VERDICT_FAMILY] = "not in the kernel: routes of this family are not exported",
		[VERDICT_POLICY] = "not in the kernel: the policy rejects it",
		[VERDICT_UNREACHED] = "not in the kernel: its next hop is not reached",
		[VERDICT_ACROSS] = across,
		[VERDICT_CORE] = into_core,
		[VERDICT_LABELED] = "not in the kernel: it has a label, and is not for softwires",
		[VERDICT_LINK] = "not in the kernel: it is the prefix of one of our own links",
		[VERDICT_NEVER] = "not in the kernel: it is no destination for unicast routes",
	};

	return texts[v];
}

static int feed_of(enum bgp_family family)
{
	for (int feed = 0; feed < EXPORT_FEEDS; feed++)
		if (export_families[feed] == family)
			return feed;
	return -1;
}

bool export_path(const struct afbr *a, enum bgp_family family, rib_id net, uint32_t *ret_path)
{
	const struct exporter *e = a->exporter;
	int feed = feed_of(family);

	if (!e || !e->fed || feed < 0 || !rib_feed_has(&e->feeds[feed], net))
		return false;
	*ret_path = net < e->paths[feed].room ? e->paths[feed].numbers[net] : 0;
	return true;
}

static void tell_rejecting(
	struct exporter *e, unsigned feed, rib_id net, uint32_t path, char *buf, size_t size)
{
	char why[192] = "";

	choice_forget(e->afbr->softwires);
	path_release(e->afbr, path_for(e->afbr, export_families[feed], net, why, sizeof(why)));
	snprintf(buf, size, "in the kernel's table %u, by path %u, which rejects its packets: %s",
		e->config.table, path, why);
}

static const char *tell_softwire(
	struct exporter *e, unsigned feed, rib_id net, const char *reason, char *buf, size_t size)
{
	uint32_t path = 0;
	char why[192];

	if (export_path(e->afbr, export_families[feed], net, &path) && path) {
		if (path_rejects(e->afbr, path))
			tell_rejecting(e, feed, net, path, buf, size);
		else
			snprintf(buf, size, "in the kernel's table %u, by the softwire path %u: %s",
				e->config.table, path, reason);
		return buf;
	}
	choice_forget(e->afbr->softwires);
	path = path_for(e->afbr, export_families[feed], net, why, sizeof(why));
	path_release(e->afbr, path);
	if (!path) {
		snprintf(buf, size, "not in the kernel: %s, and there is no softwire: %s", reason, why);
		return buf;
	}
	return is_labeled(feed) ? "on its way into the kernel, by a softwire"
				: "on its way into the kernel, by a softwire; or its labeled route is there";
}

const char *export_state(struct afbr *a, enum bgp_family family, rib_id net, char *buf, size_t size)
{
	struct exporter *e = a->exporter;
	int feed = feed_of(family), error;
	struct keeper_bgp_route route;
	char text[ADDR_TEXT];
	struct prefix prefix;
	struct addr hidden;
	enum verdict v;
	const char *why = "";

	if (!e || !e->fed || feed < 0)
		return NULL;
	prefix = rib_prefix(e->feeds[feed].rib, net);
	v = verdict_of(e, (unsigned)feed, &prefix, rib_best(e->feeds[feed].rib, net), &route, &hidden, &why);
	error = refusal_of(e, &prefix);
	if (v == VERDICT_HIDES)
		snprintf(buf, size, "not in the kernel: it would hide the way to the next hop %s",
			addr_print(&hidden, text));
	else if (v == VERDICT_SESSION)
		snprintf(buf, size,
			"not in the kernel: the BGP session with %s would go through its softwire",
			addr_print(&hidden, text));
	else if (v != VERDICT_NATIVE && v != VERDICT_SOFTWIRE)
		return text_of(v);
	else if (error)
		snprintf(buf, size, "not in the kernel: %s", refusal_text(error));
	else if (v == VERDICT_SOFTWIRE)
		return tell_softwire(e, (unsigned)feed, net, why, buf, size);
	else if (!rib_feed_has(&e->feeds[feed], net))
		return "on its way into the kernel";
	else
		snprintf(buf, size, "in the kernel's table %u, via %s", e->config.table,
			addr_print(&route.gateway, text));
	return buf;
}
