/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is a route for softwires? The four policies of RFC 5565 section 7 (MESH-FWD-5), of which any that is on decides for it. They are about packets of the family
 * that the core lacks; with `transit` also about the core's own, for routes of other AFBRs that its interior does not know (section 12).
 *
 * None of them makes a softwire to a router that is on a link with us and of another AS: that is a CE router, which may well be named by an address of the core's
 * family (RFC 8950).
 */
#include "afbr/softwires.h"

static bool is_core_interface(const struct afbr *a, unsigned ifindex)
{
	const struct softwires *s = a->softwires;

	for (unsigned i = 0; s && i < s->interface_count; i++)
		if (s->interfaces[i] == ifindex)
			return true;
	return false;
}

/* Link-local addresses do not count: the kernel gives them to every interface. */
static bool has_family(const struct afbr *a, unsigned ifindex, uint8_t family)
{
	for (unsigned i = 0; i < a->own_count; i++)
		if (a->own[i].interface == ifindex && a->own[i].addr.family == family &&
			!addr_is_link_local(&a->own[i].addr))
			return true;
	return false;
}

uint32_t softwire_families(const struct afbr *a)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < a->own_count; i++)
		if (!addr_is_link_local(&a->own[i].addr))
			sum += (a->own[i].interface * 2 + (a->own[i].addr.family == AF_INET6)) * 2654435761u;
	return sum;
}

static uint8_t next_hop_family(const struct rib_path *path)
{
	const struct bgp_next_hop_value *v = &path->set->next_hop->value;

	return addr_is_none(&v->global) ? v->link_local.family : v->global.family;
}

bool softwire_forbids(struct afbr *a, const struct prefix *prefix, const struct keeper_bgp_route *native)
{
	return !addr_is_none(&a->config->core) && prefix->addr.family != a->config->core.family &&
	       is_core_interface(a, native->ifindex);
}

static const char *find_reason(struct afbr *a, const struct prefix *prefix, const struct rib_path *path,
	bool external, unsigned ifindex, bool native)
{
	const struct afbr_config *c = a->config;

	if (c->tunnel & AFBR_TUNNEL_NEXT_HOP && next_hop_family(path) == c->core.family &&
		prefix->addr.family != c->core.family && !(native && external))
		return "its next hop is an address of the core's family";
	if (c->tunnel & AFBR_TUNNEL_BGP && !external)
		return "it is a route of BGP, of an internal neighbor";
	if (!ifindex)
		return NULL;
	if (c->tunnel & AFBR_TUNNEL_CORE_INTERFACE && is_core_interface(a, ifindex))
		return "natively it would leave by an interface of the core";
	if (c->tunnel & AFBR_TUNNEL_CORE_ONLY && !has_family(a, ifindex, prefix->addr.family))
		return "natively it would leave by an interface that has no address of its family";
	return NULL;
}

bool softwire_wants(struct afbr *a, enum bgp_family family, const struct prefix *prefix,
	const struct rib_path *path, unsigned ifindex, bool native, const char **ret_why)
{
	const struct afbr_config *c = a->config;
	const struct decision_ops *decision = bgp_rib(a->bgp, family)->decision;
	bool external = decision->source(decision, path->source)->external;
	const char *why;

	if (addr_is_none(&c->core) || (prefix->addr.family == c->core.family && !c->transit))
		return false;
	why = find_reason(a, prefix, path, external, ifindex, native);
	if (!why)
		return false;
	*ret_why = why;
	return true;
}
