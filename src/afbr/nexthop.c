/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is a next hop reached, and how: by the kernel's routing tables, as they are now (way.c), or by what BGP itself knows of the core (recurse.c).
 *
 * Asked is when the engine gets to know a next hop (and answered at once), and for all of them again a moment after something has changed, some at a time;
 * nexthops.h says when. The other way round a route is not put into the kernel that would hide the way to a next hop: nexthop_hidden_by().
 *
 * What a next hop means for the kernel's table: a gateway on a link. An IPv6 one also takes IPv4 packets where it is on a common link (RFC 8950); if it is
 * further away, or reached by recursion only, it is the far end of a softwire.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "afbr/nexthops.h"
#include "afbr/softwires.h"

/* ---- in order ---- */

static struct nexthop *at_place(const struct treap_node *n)
{
	return n ? container_of((struct treap_node *)n, struct nexthop, place) : NULL;
}

static int compare_target(const struct treap_node *n, const void *key)
{
	return addr_compare(&at_place(n)->target, key);
}

static struct nexthop *first_from(const struct nexthops *h, const struct addr *a)
{
	return at_place(treap_first(&h->places, a));
}

static struct nexthop *next_of(const struct nexthop *t)
{
	return at_place(treap_next(&t->place));
}

static struct nexthop *first_of_family(const struct nexthops *h, uint8_t family)
{
	struct addr lowest = {.family = family};

	return first_from(h, &lowest);
}

/* Of those for ADDRESS the best: they may differ in their link-local addresses. NULL: there is none. */
static struct nexthop *find(const struct nexthops *h, const struct addr *address)
{
	struct nexthop *found = NULL;

	for (struct nexthop *t = first_from(h, address); t && addr_equal(&t->target, address); t = next_of(t))
		if (!found || (!found->way.ifindex && (t->way.ifindex || t->via)))
			found = t;
	return found;
}

/* ---- as the softwires see it ---- */

bool nexthop_is_core(const struct nexthops *h, const struct addr *target)
{
	return target->family && target->family == h->afbr->config->core.family &&
	       !(target->family == AF_INET6 && addr_is_link_local(target));
}

static bool is_reached(const struct nexthop *t)
{
	return t->way.ifindex || t->via;
}

static void say_why(struct nexthop_core *ret, const char *why)
{
	snprintf(ret->why, sizeof(ret->why), "%s", why);
}

static void describe(const struct nexthop *t, struct nexthop_core *ret)
{
	*ret = (struct nexthop_core){.reached = is_reached(t) && !t->way.local_only};
	if (t->way.local_only) {
		say_why(ret, "only its link-local address is reached");
	} else if (!ret->reached) {
		say_why(ret, t->way.why);
	} else {
		ret->via = t->via ? t->via->target : (struct addr){0};
		ret->ifindex = t->via ? t->via->way.ifindex : t->way.ifindex;
		ret->mtu = t->mtu;
	}
}

/*
 * Of an address that nobody asked about: the engine has no route by this one (any more), or does not check next hops. Then all count as reached here, too, for nobody
 * would say when this one is.
 */
static void describe_stranger(struct nexthops *h, const struct addr *address, struct nexthop_core *ret)
{
	const struct bgp_next_hop *via = NULL;
	struct way way;
	const char *why;

	way_find(h, address, 0, &way);
	why = way.why;
	if (way.elsewhere && nexthop_is_core(h, address))
		via = recurse_find(h, address, &way, &why);
	*ret = (struct nexthop_core){
		.reached = !way.why || !h->afbr->config->check_next_hops, .ifindex = way.ifindex};
	if (via)
		ret->via = via->value.global;
	if (ret->reached)
		ret->mtu = way_mtu(h, via ? &via->value.global : address);
	else
		say_why(ret, why);
}

void nexthop_core(struct afbr *a, const struct addr *address, struct nexthop_core *ret)
{
	struct nexthops *h = a->nexthops;
	const struct nexthop *t = h ? find(h, address) : NULL;

	*ret = (struct nexthop_core){0};
	if (t)
		describe(t, ret);
	else if (h)
		describe_stranger(h, address, ret);
	else
		say_why(ret, "the mesh is not up yet");
}

static bool core_equal(const struct nexthop_core *a, const struct nexthop_core *b)
{
	return a->reached == b->reached && addr_equal(&a->via, &b->via) && a->ifindex == b->ifindex &&
	       a->mtu == b->mtu;
}

/* ---- one answer ---- */

/* What there is to say of T's way. */
struct answer {
	struct way way;
	struct nexthop *via;
	uint32_t mtu;
};

static void tell_engine(struct nexthops *h, const struct nexthop *t)
{
	struct bgp_next_hop *n = t->hop;
	bool reached = is_reached(t);
	uint32_t metric = t->via ? t->via->way.metric : t->way.metric;

	if (!n->answered || n->reached != reached || n->metric != metric ||
		(!reached && strcmp(n->why, t->way.why) != 0))
		bgp_next_hop_answer(h->afbr->bgp, n, reached, metric, reached ? NULL : t->way.why);
}

/* Those that depend on it. */
static void tell_users(struct nexthops *h, struct nexthop *t, const struct way *before, uint32_t mtu)
{
	bool had = before->ifindex, has = t->way.ifindex;

	if (!had && has)
		recurse_changed(h, t, t->hop->answered);
	else if (had &&
		 (!has || !way_equal(before, &t->way) || before->metric != t->way.metric || mtu != t->mtu))
		recurse_changed(h, t, false);
}

/* The endpoints of softwires hear first what is new: there are packets under way. */
static void take(struct nexthops *h, struct nexthop *t, const struct answer *new)
{
	bool core = nexthop_is_core(h, &t->target), was = is_reached(t), found, moved;
	struct nexthop_core earlier, now;
	struct way before = t->way;
	uint32_t mtu = t->mtu;

	describe(t, &earlier);
	moved = t->via != new->via || (new->way.ifindex && (t->lost || !way_equal(&new->way, &before)));
	t->lost = false;
	t->way = new->way;
	t->mtu = new->mtu;
	recurse_by(t, new->via);
	recurse_note(h, t, core && !t->way.ifindex);
	treap_set_value(&t->place, way_value(&t->way));
	describe(t, &now);
	if (core && (!t->hop->answered || !core_equal(&earlier, &now)))
		endpoint_way_changed(h->afbr, &t->target);
	moved = moved && is_reached(t);
	found = was != is_reached(t) || before.route.len != t->way.route.len;
	t->moved = t->moved || moved;
	if (t->hop->answered && (found || moved))
		export_moved(h->afbr, &t->target, t->moved);
	if (core)
		tell_users(h, t, &before, mtu);
	tell_engine(h, t);
}

void nexthop_ask(struct nexthops *h, struct nexthop *t, bool quickly)
{
	bool core = nexthop_is_core(h, &t->target);
	const struct bgp_next_hop *via = NULL;
	struct answer new = {0};
	struct way other;

	way_resolve(h, t->hop, &new.way);
	if (core && new.way.elsewhere)
		via = recurse_find(h, &t->target, &other, &new.way.why);
	new.via = via ? via->tracker : NULL;
	if (quickly && t->mtu && t->way.ifindex && way_equal(&new.way, &t->way))
		new.mtu = t->mtu;
	else if (core && (new.way.ifindex || new.via))
		new.mtu = way_mtu(h, new.via ? &new.via->target : &t->target);
	take(h, t, &new);
}

/* ---- all of them, a few at a time ---- */

static struct nexthops *owner_of(struct asking *q)
{
	return q->core ? container_of(q, struct nexthops, core) : container_of(q, struct nexthops, all);
}

static bool is_asked(const struct nexthops *h, const struct asking *q, const struct nexthop *t)
{
	return t && (!q->core || t->target.family == h->afbr->config->core.family);
}

static void begin_asking(struct nexthops *h, struct asking *q, msec now)
{
	q->on = true;
	q->again = false;
	q->begun = now;
	q->at = q->core ? first_of_family(h, h->afbr->config->core.family)
			: at_place(treap_start(&h->places));
}

static void slice(struct wheel_timer *timer, msec now)
{
	struct asking *q = container_of(timer, struct asking, timer);
	struct nexthops *h = owner_of(q);

	if (!q->on)
		begin_asking(h, q, now);
	for (unsigned i = 0; i < ASK_SLICE && is_asked(h, q, q->at); i++) {
		struct nexthop *t = q->at;

		q->at = next_of(t);
		nexthop_ask(h, t, q->core);
	}
	q->on = is_asked(h, q, q->at);
	if (q->on)
		wheel_arm(&h->afbr->loop->wheel, timer, now);
	else if (q->again)
		wheel_arm(&h->afbr->loop->wheel, timer, now + (q->core ? ASK_PAUSE : ASK_SOON));
}

static void want(struct nexthops *h, struct asking *q, msec at)
{
	/* Those that were asked already in a round that is under way have to be asked again; but not before the others. */
	if (q->on)
		q->again = true;
	else if (!wheel_armed(&q->timer))
		wheel_arm(&h->afbr->loop->wheel, &q->timer, at);
}

static void changed(void *owner, const char *what)
{
	struct nexthops *h = owner;
	msec now = loop_now(h->afbr->loop), next = h->core.begun + ASK_PAUSE;

	way_forget_devices(h);
	if (h->afbr->config->core.family)
		want(h, &h->core, now < next ? next : now);
	want(h, &h->all, now + ASK_SOON);
	session_ask(h);
}

/* There is nothing to ask: the link is down, also if the kernel's tables are not through with it yet. */
static void lose(struct nexthops *h, struct nexthop *t)
{
	const struct answer none = {.way = {.why = "the link to it is down", .elsewhere = true}};

	take(h, t, &none);
	t->lost = true;
}

/*
 * With a link go the kernel's routes by it, and they do not come back when it does. The question follows: a link that goes down is told as a change, too; and
 * a moment after it, for the kernel tells it before it looks through its tables.
 */
static void link_down(void *owner, unsigned index, bool link)
{
	struct nexthops *h = owner;

	softwire_link_down(h->afbr, index);
	for (struct nexthop *t = at_place(treap_start(&h->places)); t; t = next_of(t)) {
		if (!t->way.ifindex || (index && t->way.ifindex != index))
			continue;
		if (link && nexthop_is_core(h, &t->target))
			lose(h, t);
		else
			t->lost = true;
	}
	if (link && h->afbr->config->core.family)
		want(h, &h->core, loop_now(h->afbr->loop) + ASK_PAUSE);
}

/* ---- which there are ---- */

/* Is there another one for the same address? */
static bool has_namesake(const struct nexthops *h, const struct nexthop *t)
{
	const struct nexthop *first = first_from(h, &t->target), *next = next_of(first);

	return first != t || (next && addr_equal(&next->target, &t->target));
}

static void pass_over(struct asking *q, const struct nexthop *t)
{
	if (q->at == t)
		q->at = next_of(t);
}

static void forget(struct nexthops *h, struct nexthop *t)
{
	pass_over(&h->all, t);
	pass_over(&h->core, t);
	recurse_forget(h, t);
	if (nexthop_is_core(h, &t->target) && !has_namesake(h, t))
		transmitter_next_hop(h->afbr, &t->target, false);
	treap_remove(&h->places, &t->place);
	if (is_reached(t))
		export_moved(h->afbr, &t->target, false);
	recurse_by(t, NULL);
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
	if (!t) {
		bgp_next_hop_answer(b, n, false, 0, "not enough memory to look for a way");
		return;
	}
	t->hop = n;
	t->target = addr_is_none(&n->value.global) ? n->value.link_local : n->value.global;
	t->way.why = "it has not been asked for yet";
	treap_insert(&h->places, &t->place, &t->target, way_value(&t->way));
	n->tracker = t;
	if (nexthop_is_core(h, &t->target) && !has_namesake(h, t))
		transmitter_next_hop(h->afbr, &t->target, true);
	nexthop_ask(h, t, false);
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
	else /* next hops are not checked: the engine does not ask about them */
		way_resolve(a->nexthops, n, &way);
	if (!way.ifindex)
		return t && t->via ? NEXTHOP_SOFTWIRE : NEXTHOP_UNREACHED;
	ret->ifindex = way.ifindex;
	/* The kernel has no IPv6 routes by IPv4 gateways; the other way round it has, where the next hop is on a link of ours. */
	if (family == AF_INET6 ? way.gateway.family == AF_INET || to == AF_INET
			       : to == AF_INET6 && !way.direct)
		return NEXTHOP_SOFTWIRE;
	ret->gateway = way.gateway;
	ret->on_link = way.on_link;
	return NEXTHOP_NATIVE;
}

bool nexthop_hidden_by(const struct afbr *a, const struct prefix *p, uint32_t metric, struct addr *ret)
{
	const struct treap_node *first = treap_first(&a->nexthops->places, &p->addr);
	const struct nexthop *t = at_place(treap_at_most(first, way_limit(p->len, metric)));

	if (!t || !prefix_contains_addr(p, &t->target))
		return false;
	*ret = t->target;
	return true;
}

bool nexthop_moved(const struct bgp_next_hop *n)
{
	const struct nexthop *t = n->tracker;

	return t && t->moved && is_reached(t);
}

void nexthop_settle(struct afbr *a)
{
	for (struct nexthop *t = at_place(treap_start(&a->nexthops->places)); t; t = next_of(t))
		t->moved = false;
}

/* ---- life ---- */

static int open_kernel(struct nexthops *h)
{
	int error;

	h->netlink = netlink_open();
	h->monitor = h->netlink ? netlink_monitor_new(h->afbr->loop, changed, h) : NULL;
	if (h->monitor) {
		netlink_monitor_tell_down(h->monitor, link_down);
		return 0;
	}
	error = -errno;
	netlink_close(h->netlink);
	return error;
}

int nexthop_start(struct afbr *a)
{
	struct nexthops *h = calloc(1, sizeof(*h));
	struct rng rng;
	int r;

	if (!h)
		return -ENOMEM;
	h->afbr = a;
	h->all.timer.fire = h->core.timer.fire = slice;
	h->core.core = true;
	rng_init_system(&rng);
	treap_init(&h->places, compare_target, rng_u64(&rng));
	r = open_kernel(h);
	if (r) {
		free(h);
		return r;
	}
	a->nexthops = h;
	session_start(h);
	r = recurse_start(h);
	if (r)
		nexthop_free(a);
	return r;
}

void nexthop_change(struct afbr *a)
{
	struct nexthops *h = a->nexthops;

	if (!h)
		return;
	recurse_change(h);
	session_change(h);
	changed(h, "configuration");
}

void nexthop_routes(struct afbr *a, enum bgp_family family)
{
	if (a->nexthops)
		recurse_routes(a->nexthops, family);
}

void nexthop_free(struct afbr *a)
{
	struct nexthops *h = a->nexthops;
	struct treap_node *n;

	if (!h)
		return;
	recurse_free(h);
	session_free(h);
	while ((n = h->places.root)) {
		treap_remove(&h->places, n);
		free(at_place(n));
	}
	wheel_disarm(&a->loop->wheel, &h->all.timer);
	wheel_disarm(&a->loop->wheel, &h->core.timer);
	netlink_monitor_free(h->monitor);
	netlink_close(h->netlink);
	free(h);
	a->nexthops = NULL;
}
