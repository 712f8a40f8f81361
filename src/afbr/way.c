/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One question to the kernel: how does the interior reach an address?
 *
 * A route through a softwire of ours is no answer, for what is to cross the core would run in circles; nor is one that BGP has put there itself, which
 * could keep itself alive.
 */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "afbr/nexthops.h"
#include "netlink/fib.h"

/* ---- our own devices ---- */

void way_forget_devices(struct nexthops *h)
{
	memset(h->devices, 0, sizeof(h->devices));
}

static bool is_named(const struct afbr_config *c, const char *device)
{
	for (unsigned i = 0; i < c->device_count; i++)
		if (!strcmp(c->devices[i], device))
			return true;
	return !strcmp(device, AFBR_DEVICE);
}

/* By the device's name, as it is when it is first seen: softwires come and go. */
static bool is_softwire(struct nexthops *h, unsigned index)
{
	unsigned slot = index % WAY_DEVICES;
	char name[IF_NAMESIZE];

	if (h->devices[slot].index != index) {
		if (!if_indextoname(index, name))
			return false;
		h->devices[slot].index = index;
		h->devices[slot].softwire = is_named(h->afbr->config, name);
	}
	return h->devices[slot].softwire;
}

/* ---- one question ---- */

static void refuse(struct way *ret, const char *why, bool elsewhere)
{
	*ret = (struct way){.why = why, .elsewhere = elsewhere};
}

static void take(const struct netlink_way *w, const struct addr *target, struct way *ret)
{
	*ret = (struct way){.route = w->route,
		.gateway = w->gateway,
		.ifindex = w->ifindex,
		.route_metric = w->metric,
		.metric = w->metric,
		.on_link = w->on_link,
		.direct = addr_is_none(&w->gateway)};
	if (ret->direct) {
		ret->gateway = *target;
		ret->metric = 0;
	}
}

void way_find(struct nexthops *h, const struct addr *target, unsigned interface, struct way *ret)
{
	struct netlink_way w;
	int r;

	if (addr_is_link_local(target) && !interface) {
		refuse(ret, "a link-local address, and no interface is known for it", false);
		return;
	}
	r = netlink_way(h->netlink, target, interface, &w);
	if (r)
		refuse(ret, r == -ENETUNREACH ? "there is no route to it" : strerror(-r), r == -ENETUNREACH);
	else if (w.local)
		refuse(ret, "it is one of our own addresses", false);
	else if (is_softwire(h, w.ifindex))
		*ret = (struct way){
			.why = "only a softwire leads there", .elsewhere = true, .softwire = true};
	else if (w.protocol == NETLINK_BGP)
		refuse(ret, "only a route of BGP itself leads there", true);
	else if (w.down)
		refuse(ret, "the link to it is down", true);
	else
		take(&w, target, ret);
}

void way_resolve(struct nexthops *h, const struct bgp_next_hop *n, struct way *ret)
{
	const struct bgp_next_hop_value *v = &n->value;
	struct way local;

	if (addr_is_none(&v->global))
		refuse(ret, "it is none", false);
	else
		way_find(h, &v->global, n->interface, ret);
	if (!ret->why || addr_is_none(&v->link_local) || !n->interface)
		return;
	way_find(h, &v->link_local, n->interface, &local);
	if (local.why)
		return;
	*ret = local;
	ret->local_only = true;
}

bool way_equal(const struct way *a, const struct way *b)
{
	return addr_equal(&a->gateway, &b->gateway) && a->ifindex == b->ifindex && a->on_link == b->on_link;
}

uint64_t way_limit(unsigned len, uint32_t metric)
{
	return (uint64_t)len << 32 | (UINT32_MAX - metric);
}

uint64_t way_value(const struct way *w)
{
	return w->ifindex ? way_limit(w->route.len, w->route_metric) : UINT64_MAX;
}

uint32_t way_mtu(struct nexthops *h, const struct addr *target)
{
	uint32_t mtu = 0;

	return netlink_path_mtu(h->netlink, target, &mtu, NULL, NULL) ? 0 : mtu;
}

const char *nexthop_session_refusal(struct afbr *a, const struct addr *peer, unsigned interface)
{
	struct way way;

	if (!a->nexthops)
		return NULL;
	way_find(a->nexthops, peer, addr_is_link_local(peer) ? interface : 0, &way);
	return way.softwire ? "only a softwire leads to it, and BGP does not go through softwires (RFC 5565 "
			      "section 4.2)"
			    : NULL;
}
