/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BGP itself does not go through softwires (RFC 5565 section 4.2): who are its neighbours, and which routes through softwires would take their sessions along.
 *
 * A route is not put into the kernel that would take over from the one by which the interior reaches a neighbour. What counts is how it was reached last, so that a link
 * or an IGP that is away for a moment changes no routes. Of a neighbour that was not reached yet, nothing is known, but for those that can only be across the core: of the core's
 * family, and not on a link of ours. No softwire may lead to them at all. And where one does, because there is nothing better, nobody is connected to, nor
 * let in: nexthop_session_refusal().
 */
#include <errno.h>
#include <stdlib.h>

#include "afbr/nexthops.h"

struct session {
	struct session *next;
	struct treap_node place; /* its value: as that of a next hop's way */
	struct addr address;
	unsigned ifindex; /* by which it was reached last */
	bool wanted;
};

static struct session *at_place(const struct treap_node *n)
{
	return n ? container_of((struct treap_node *)n, struct session, place) : NULL;
}

static int compare_address(const struct treap_node *n, const void *key)
{
	return addr_compare(&at_place(n)->address, key);
}

/* ---- whose they are ---- */

static bool is_across(const struct nexthops *h, const struct bgp_neighbor_config *n)
{
	return nexthop_is_core(h, &n->address) && (n->as == h->afbr->config->as || n->multihop);
}

static int want(struct nexthops *h, const struct bgp_neighbor_config *n)
{
	struct session *s = at_place(treap_first(&h->sessions, &n->address));
	uint64_t nothing = is_across(h, n) ? 0 : UINT64_MAX;

	if (s && addr_equal(&s->address, &n->address)) {
		s->wanted = true;
		if (!s->place.value || s->place.value == UINT64_MAX)
			treap_set_value(&s->place, nothing);
		return 0;
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->address = n->address;
	s->wanted = true;
	treap_insert(&h->sessions, &s->place, &s->address, nothing);
	s->next = h->session_list;
	h->session_list = s;
	return 0;
}

static void tidy(struct nexthops *h)
{
	for (struct session **link = &h->session_list, *s; (s = *link);) {
		if (s->wanted) {
			s->wanted = false;
			link = &s->next;
			continue;
		}
		*link = s->next;
		treap_remove(&h->sessions, &s->place);
		free(s);
	}
	h->session_at = NULL;
}

void session_change(struct nexthops *h)
{
	const struct afbr_config *c = h->afbr->config;
	int r = 0;

	for (unsigned i = 0; i < c->neighbor_count; i++)
		if (!addr_is_link_local(&c->neighbors[i].address))
			r |= want(h, &c->neighbors[i]);
	tidy(h);
	if (r)
		log_message(h->afbr->log, LEVEL_ERROR, "bgp",
			"not enough memory to keep sessions out of softwires");
	session_ask(h);
}

/* ---- how they are reached ---- */

/* A softwire has taken over already. Is there a way of the interior's below it? */
static void look_below(struct nexthops *h, const struct session *s, struct way *ret)
{
	const struct afbr *a = h->afbr;

	if (s->ifindex)
		way_find(h, &s->address, s->ifindex, ret);
	for (unsigned i = 0; i < a->own_count && !ret->ifindex; i++)
		way_find(h, &s->address, a->own[i].interface, ret);
}

static void ask(struct nexthops *h, struct session *s)
{
	struct way way;
	uint64_t value;

	way_find(h, &s->address, 0, &way);
	if (way.softwire)
		look_below(h, s, &way);
	if (!way.ifindex)
		return;
	s->ifindex = way.ifindex;
	value = way_value(&way);
	if (value == s->place.value)
		return;
	treap_set_value(&s->place, value);
	export_moved(h->afbr, &s->address, false);
}

static void slice(struct wheel_timer *timer, msec now)
{
	struct nexthops *h = container_of(timer, struct nexthops, session_timer);

	if (!h->session_at) {
		h->session_at = h->session_list;
		h->session_again = false;
	}
	for (unsigned i = 0; i < ASK_SLICE && h->session_at; i++) {
		ask(h, h->session_at);
		h->session_at = h->session_at->next;
	}
	if (h->session_at)
		wheel_arm(&h->afbr->loop->wheel, timer, now);
	else if (h->session_again)
		wheel_arm(&h->afbr->loop->wheel, timer, now + ASK_SOON);
}

void session_ask(struct nexthops *h)
{
	if (h->session_at)
		h->session_again = true;
	else if (!wheel_armed(&h->session_timer))
		wheel_arm(&h->afbr->loop->wheel, &h->session_timer, loop_now(h->afbr->loop) + ASK_SOON);
}

/* ---- what follows ---- */

bool nexthop_session_in(const struct afbr *a, const struct prefix *p, uint32_t metric, struct addr *ret)
{
	const struct treap_node *first = treap_first(&a->nexthops->sessions, &p->addr);
	const struct session *s = at_place(treap_at_most(first, way_limit(p->len, metric)));

	if (!s || !prefix_contains_addr(p, &s->address))
		return false;
	*ret = s->address;
	return true;
}

/* ---- life ---- */

void session_start(struct nexthops *h)
{
	treap_init(&h->sessions, compare_address, h->places.state + 1);
	h->session_timer.fire = slice;
	session_change(h);
}

void session_free(struct nexthops *h)
{
	for (struct session *s = h->session_list; s; s = s->next)
		s->wanted = false;
	tidy(h);
	wheel_disarm(&h->afbr->loop->wheel, &h->session_timer);
}
