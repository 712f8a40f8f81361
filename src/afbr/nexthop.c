/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is a next hop reached, and how: by the kernel's routing tables, as they are now.
 *
 * Asked is when the engine gets to know a next hop (and answered at once), and for all of them again a moment after something has changed, some at a time.
 * A route through a softwire of ours is no answer, for what is to cross the core would run in circles; nor is one that BGP has put there itself, which
 * could keep itself alive. The other way round a route is not put into the kernel that would hide the way to a next hop: nexthop_hidden_by().
 *
 * What a next hop means for the kernel's table: a gateway on a link. An IPv6 one also takes IPv4 packets where it is on a common link (RFC 8950); if it is
 * further away it is the far end of a softwire.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "afbr/parts.h"
#include "netlink/fib.h"

enum { ASK_SOON = 50, ASK_SLICE = 64 };

static const char no_route[] = "there is no route to it";

struct way {
	struct prefix route; /* that leads there */
	struct addr gateway;
	unsigned ifindex;
	uint32_t route_metric;
	uint32_t metric; /* what it costs to get there: 0 on a link of ours */
	bool direct;     /* the gateway is the next hop itself */
	bool on_link;
};

struct nexthop {
	struct nexthop *next, **link;
	struct bgp_next_hop *hop;
	struct addr target;
	struct way way;
	bool moved; /* routes may be in the kernel by another way than this */
	bool lost;  /* its link was down, and routes by it are gone */
};

struct nexthops {
	struct afbr *afbr;
	struct netlink *netlink;
	struct netlink_monitor *monitor;
	struct wheel_timer timer;
	bool asking, again; /* a round is under way; it has to be followed by another one */
	struct nexthop *first, *at;
	struct nexthop **sorted; /* by target */
	unsigned count, room;
	unsigned devices[AFBR_DEVICES]; /* our own softwires */
	unsigned device_count;
};

/* ---- our own devices ---- */

static void look_at_devices(struct nexthops *h)
{
	const struct afbr_config *c = h->afbr->config;

	h->device_count = 0;
	for (unsigned i = 0; i < c->device_count; i++) {
		unsigned index = if_nametoindex(c->devices[i]);

		if (index)
			h->devices[h->device_count++] = index;
	}
}

static bool is_softwire(const struct nexthops *h, unsigned index)
{
	for (unsigned i = 0; i < h->device_count; i++)
		if (h->devices[i] == index)
			return true;
	return false;
}

/* ---- one question ---- */

/* NULL, or why not. */
static const char *find_way(
	struct nexthops *h, const struct addr *target, unsigned interface, struct way *ret)
{
	struct netlink_way w;
	int r;

	if (addr_is_link_local(target) && !interface)
		return "a link-local address, and no interface is known for it";
	r = netlink_way(h->netlink, target, interface, &w);
	if (r)
		return r == -ENETUNREACH ? no_route : strerror(-r);
	if (w.local)
		return "it is one of our own addresses";
	if (w.protocol == NETLINK_BGP)
		return "only a route of BGP itself leads there";
	if (is_softwire(h, w.ifindex))
		return "only a softwire leads there";
	if (w.down)
		return "the link to it is down";
	*ret = (struct way){.route = w.route,
		.gateway = w.gateway,
		.ifindex = w.ifindex,
		.route_metric = w.metric,
		.metric = w.metric,
		.on_link = w.on_link,
		.direct = addr_is_none(&w.gateway)};
	if (ret->direct) {
		ret->gateway = *target;
		ret->metric = 0;
	}
	return NULL;
}

static const char *resolve(struct nexthops *h, const struct bgp_next_hop *n, struct way *ret)
{
	const struct bgp_next_hop_value *v = &n->value;
	const char *why = "it is none";

	if (!addr_is_none(&v->global))
		why = find_way(h, &v->global, n->interface, ret);
	if (why && !addr_is_none(&v->link_local) && n->interface)
		why = find_way(h, &v->link_local, n->interface, ret) ? why : NULL;
	return why;
}

static bool is_same_way(const struct way *a, const struct way *b)
{
	return addr_equal(&a->gateway, &b->gateway) && a->ifindex == b->ifindex && a->on_link == b->on_link;
}

static void ask(struct nexthops *h, struct nexthop *t)
{
	struct bgp_next_hop *n = t->hop;
	struct way way = {0};
	const char *why = resolve(h, n, &way);
	bool found = !t->way.ifindex != !way.ifindex || t->way.route.len != way.route.len;
	bool moved = !why && (t->lost || !is_same_way(&way, &t->way));

	t->lost = false;
	t->way = way;
	t->moved = t->moved || moved;
	if (n->answered && (found || moved))
		export_moved(h->afbr, &t->target, t->moved);
	if (!n->answered || n->reached != !why || n->metric != way.metric ||
		(why && strcmp(n->why, why) != 0))
		bgp_next_hop_answer(h->afbr->bgp, n, !why, way.metric, why);
}

/* ---- all of them, a few at a time ---- */

static void slice(struct wheel_timer *timer, msec now)
{
	struct nexthops *h = container_of(timer, struct nexthops, timer);

	if (!h->asking) {
		h->asking = true;
		h->again = false;
		h->at = h->first;
		look_at_devices(h);
	}
	for (unsigned i = 0; i < ASK_SLICE && h->at; i++) {
		struct nexthop *t = h->at;

		h->at = t->next;
		ask(h, t);
	}
	h->asking = h->at != NULL;
	if (h->asking)
		wheel_arm(&h->afbr->loop->wheel, timer, now);
	else if (h->again)
		wheel_arm(&h->afbr->loop->wheel, timer, now + ASK_SOON);
}

static void changed(void *owner, const char *what)
{
	struct nexthops *h = owner;

	/* Those that were asked already in a round that is under way have to be asked again; but not before the others. */
	if (h->asking)
		h->again = true;
	else if (!wheel_armed(&h->timer))
		wheel_arm(&h->afbr->loop->wheel, &h->timer, loop_now(h->afbr->loop) + ASK_SOON);
}

/*
 * With a link go the kernel's routes by it, and they do not come back when it does. The question follows: a link that goes down is told as a change, too.
 */
static void link_down(void *owner, unsigned index)
{
	struct nexthops *h = owner;

	for (struct nexthop *t = h->first; t; t = t->next)
		if (t->way.ifindex && (!index || t->way.ifindex == index))
			t->lost = true;
}

/* ---- which there are ---- */

/* The first that is not before A. */
static unsigned place_of(const struct nexthops *h, const struct addr *a)
{
	unsigned low = 0, high = h->count;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (addr_compare(&h->sorted[middle]->target, a) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int sort_in(struct nexthops *h, struct nexthop *t)
{
	unsigned at = place_of(h, &t->target);

	if (h->count == h->room) {
		unsigned room = h->room ? 2 * h->room : 16;
		struct nexthop **sorted = realloc(h->sorted, room * sizeof(struct nexthop *));

		if (!sorted)
			return -ENOMEM;
		h->sorted = sorted;
		h->room = room;
	}
	memmove(h->sorted + at + 1, h->sorted + at, (h->count - at) * sizeof(struct nexthop *));
	h->sorted[at] = t;
	h->count++;
	return 0;
}

static void sort_out(struct nexthops *h, const struct nexthop *t)
{
	unsigned at = place_of(h, &t->target);

	while (h->sorted[at] != t)
		at++;
	h->count--;
	memmove(h->sorted + at, h->sorted + at + 1, (h->count - at) * sizeof(struct nexthop *));
}

static void forget(struct nexthops *h, struct nexthop *t)
{
	if (h->at == t)
		h->at = t->next;
	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	sort_out(h, t);
	if (t->way.ifindex)
		export_moved(h->afbr, &t->target, false);
	t->hop->tracker = NULL;
	free(t);
}

void nexthop_wanted(struct bgp *b, struct bgp_next_hop *n, bool wanted)
{
	struct nexthops *h = afbr_of(b)->nexthops;
	struct nexthop *t = n->tracker;

	if (!wanted) {
		if (t)
			forget(h, t);
		return;
	}
	t = calloc(1, sizeof(*t));
	if (t) {
		t->hop = n;
		t->target = addr_is_none(&n->value.global) ? n->value.link_local : n->value.global;
	}
	if (!t || sort_in(h, t)) {
		free(t);
		bgp_next_hop_answer(b, n, false, 0, "not enough memory to look for a way");
		return;
	}
	t->next = h->first;
	t->link = &h->first;
	if (t->next)
		t->next->link = &t->next;
	h->first = t;
	n->tracker = t;
	ask(h, t);
	t->moved = false; /* nothing was put into the kernel by any other way */
}

/* ---- what it means for a route ---- */

enum nexthop_state nexthop_route(
	struct afbr *a, const struct bgp_next_hop *n, uint8_t family, struct keeper_bgp_route *ret)
{
	uint8_t to = addr_is_none(&n->value.global) ? n->value.link_local.family : n->value.global.family;
	const struct nexthop *t = n->tracker;
	struct way way = {0};

	if (t)
		way = t->way;
	else if (resolve(a->nexthops, n,
			 &way)) /* next hops are not checked: the engine does not ask about them */
		return NEXTHOP_UNREACHED;
	if (!way.ifindex)
		return NEXTHOP_UNREACHED;
	/* The kernel has no IPv6 routes by IPv4 gateways; the other way round it has, where the next hop is on a link of ours. */
	if (family == AF_INET6 ? way.gateway.family == AF_INET || to == AF_INET
			       : to == AF_INET6 && !way.direct)
		return NEXTHOP_SOFTWIRE;
	ret->gateway = way.gateway;
	ret->ifindex = way.ifindex;
	ret->on_link = way.on_link;
	return NEXTHOP_NATIVE;
}

bool nexthop_hidden_by(const struct afbr *a, const struct prefix *p, uint32_t metric, struct addr *ret)
{
	const struct nexthops *h = a->nexthops;

	for (unsigned i = place_of(h, &p->addr); i < h->count; i++) {
		const struct nexthop *t = h->sorted[i];

		if (!prefix_contains_addr(p, &t->target))
			break;
		if (!t->way.ifindex || t->way.route.len > p->len)
			continue;
		if (t->way.route.len == p->len && t->way.route_metric < metric)
			continue; /* which the kernel prefers */
		*ret = t->target;
		return true;
	}
	return false;
}

bool nexthop_moved(const struct bgp_next_hop *n)
{
	const struct nexthop *t = n->tracker;

	return t && t->moved && t->way.ifindex;
}

void nexthop_settle(struct afbr *a)
{
	for (struct nexthop *t = a->nexthops->first; t; t = t->next)
		t->moved = false;
}

/* ---- life ---- */

int nexthop_start(struct afbr *a)
{
	struct nexthops *h = calloc(1, sizeof(*h));
	int error;

	if (!h)
		return -ENOMEM;
	h->afbr = a;
	h->timer.fire = slice;
	h->netlink = netlink_open();
	h->monitor = h->netlink ? netlink_monitor_new(a->loop, changed, h) : NULL;
	if (!h->monitor) {
		error = -errno;
		netlink_close(h->netlink);
		free(h);
		return error;
	}
	netlink_monitor_tell_down(h->monitor, link_down);
	a->nexthops = h;
	look_at_devices(h);
	return 0;
}

void nexthop_change(struct afbr *a)
{
	if (a->nexthops)
		changed(a->nexthops, "configuration");
}

void nexthop_free(struct afbr *a)
{
	struct nexthops *h = a->nexthops;

	if (!h)
		return;
	while (h->first) {
		struct nexthop *t = h->first;

		h->first = t->next;
		free(t);
	}
	wheel_disarm(&a->loop->wheel, &h->timer);
	netlink_monitor_free(h->monitor);
	netlink_close(h->netlink);
	free(h->sorted);
	free(h);
	a->nexthops = NULL;
}
