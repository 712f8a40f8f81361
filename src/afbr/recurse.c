/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Next hops that only BGP knows a way to (RFC 5565 section 12): B1 is in another AS, and the interior has no route to it; but a neighbour has told a route to B1 in
 * the core's own family, with a next hop B2 that the interior reaches.
 *
 * Which route: the longest prefix that has B1 in it and a path that can be used, its best path if that one can be used, else the best of those. A path can be used if
 * it is not barred and its next hop is an address of the core's family, neither B1 itself nor ourselves, that the interior reaches: RFC 4271 section 9.1.2.1
 * lets routes count only if they can be resolved, and not through themselves. What the table has chosen as its best path is not asked otherwise, because it may
 * hang on the answer.
 *
 * When it is looked for again: nexthops.h. A feed of each of the core's tables says which prefixes have changed; next hops within them that are adrift are due. Where
 * those are many, all that are adrift are asked in one round, and what changes meanwhile makes one more: however many changes come, there is one round at a time. A
 * feed tells of best paths; where one of those could not be used, what was taken instead may change without a word, and is looked at again each REVIEW.
 */
#include <errno.h>

#include "afbr/nexthops.h"

enum { NETS_SLICE = 1024, MARKS = 64, RETRY = 1000, POLL = 50, REVIEW = 10000 };

/* ---- in order ---- */

static struct nexthop *at_adrift(const struct treap_node *n)
{
	return n ? container_of((struct treap_node *)n, struct nexthop, adrift_place) : NULL;
}

static int compare_target(const struct treap_node *n, const void *key)
{
	return addr_compare(&at_adrift(n)->target, key);
}

static struct nexthop *next_adrift(const struct nexthop *t)
{
	return at_adrift(treap_next(&t->adrift_place));
}

/* ---- the tables ---- */

static struct rib *table_of(const struct nexthops *h, unsigned feed)
{
	static const enum bgp_family families[2][RECURSE_FEEDS] = {
		{BGP_IPV4, BGP_IPV4_LABELED}, {BGP_IPV6, BGP_IPV6_LABELED}};

	return bgp_rib(h->afbr->bgp, families[h->family == AF_INET6][feed]);
}

static void interior_way(struct nexthops *h, const struct bgp_next_hop *n, struct way *ret)
{
	const struct nexthop *t = n->tracker;

	if (t)
		*ret = t->way;
	else
		way_find(h, &n->value.global, 0, ret);
}

/* What is there for TARGET, from nothing to something that leads there. */
enum finding { FINDING_NOTHING, FINDING_CIRCLE, FINDING_FAR, FINDING_WAY };

static enum finding judge(
	struct nexthops *h, const struct addr *target, const struct rib_path *p, struct way *ret)
{
	const struct bgp_next_hop *n = p->set->next_hop;
	struct way way;

	if (p->bar || !p->source || n->ours || n->value.global.family != h->family)
		return FINDING_NOTHING;
	if (addr_equal(&n->value.global, target))
		return FINDING_CIRCLE;
	interior_way(h, n, &way);
	if (!way.ifindex || way.local_only)
		return FINDING_FAR;
	*ret = way;
	return FINDING_WAY;
}

struct search {
	struct nexthops *h;
	const struct addr *target;
	struct way way;
	enum finding most; /* of all that was seen */
	bool unsure;       /* a best path could not be used */
};

/* The path of NET to be taken, or NULL. */
static const struct rib_path *search_net(struct search *s, const struct rib *r, rib_id net)
{
	const struct rib_path *paths[DECISION_PATHS];
	unsigned count = 0;
	int chosen;

	for (const struct rib_path *p = rib_first_path(r, net); p && count < DECISION_PATHS;
		p = rib_next_path(r, p)) {
		enum finding f = judge(s->h, s->target, p, &s->way);

		if (f > s->most)
			s->most = f;
		s->unsure = s->unsure || (f == FINDING_FAR && p == rib_best(r, net));
		if (f != FINDING_WAY)
			continue;
		if (p == rib_best(r, net))
			return p;
		paths[count++] = p;
	}
	chosen = count ? decision_choose(r->decision, paths, count, NULL) : -1;
	if (chosen < 0)
		return NULL;
	(void)judge(s->h, s->target, paths[chosen], &s->way);
	return paths[chosen];
}

static const struct rib_path *search_tables(struct search *s)
{
	for (unsigned len = addr_bits(s->target->family) + 1; len--;) {
		struct prefix p = prefix_of(s->target, len);

		for (unsigned feed = 0; feed < RECURSE_FEEDS; feed++) {
			const struct rib *r = table_of(s->h, feed);
			rib_id net = r->net_count ? rib_find(r, &p) : 0;
			const struct rib_path *path = net ? search_net(s, r, net) : NULL;

			if (path)
				return path;
		}
	}
	return NULL;
}

const struct bgp_next_hop *recurse_find(
	struct nexthops *h, const struct addr *target, struct way *ret, const char **why)
{
	struct search s = {.h = h, .target = target};
	const struct rib_path *path;

	if (h->family != target->family)
		return NULL;
	path = search_tables(&s);
	if (s.unsure && !h->unsure) {
		h->unsure = true;
		h->review_at = loop_now(h->afbr->loop) + REVIEW;
	}
	if (path) {
		*ret = s.way;
		return path->set->next_hop;
	}
	if (s.most == FINDING_CIRCLE)
		*why = "no IGP route, and BGP's route to it leads through itself";
	else if (s.most >= FINDING_FAR)
		*why = "no IGP route to it, nor to the next hop of BGP's route to it";
	return NULL;
}

/* ---- who has to be asked again ---- */

static void soon(struct nexthops *h)
{
	/* However late it was to come. */
	wheel_arm(&h->afbr->loop->wheel, &h->timer, loop_now(h->afbr->loop));
}

static void mark(struct nexthops *h, struct nexthop *t)
{
	if (t->due)
		return;
	t->due = true;
	t->due_next = NULL;
	t->due_link = h->due_end;
	*h->due_end = t;
	h->due_end = &t->due_next;
}

static void unmark(struct nexthops *h, struct nexthop *t)
{
	if (!t->due)
		return;
	t->due = false;
	*t->due_link = t->due_next;
	if (t->due_next)
		t->due_next->due_link = t->due_link;
	else
		h->due_end = t->due_link;
}

static void mark_all(struct nexthops *h)
{
	h->adrift_again = h->adrift.count != 0;
}

static void mark_within(struct nexthops *h, const struct prefix *p)
{
	struct nexthop *t = at_adrift(treap_first(&h->adrift, &p->addr));
	unsigned count = 0;

	if (h->adrift_again)
		return;
	for (; t && prefix_contains_addr(p, &t->target); t = next_adrift(t)) {
		if (count++ == MARKS) {
			mark_all(h);
			return;
		}
		mark(h, t);
	}
}

void recurse_by(struct nexthop *t, struct nexthop *via)
{
	if (t->via == via)
		return;
	if (t->via) {
		*t->user_link = t->user_next;
		if (t->user_next)
			t->user_next->user_link = t->user_link;
	}
	t->via = via;
	if (!via)
		return;
	t->user_next = via->users;
	t->user_link = &via->users;
	if (t->user_next)
		t->user_next->user_link = &t->user_next;
	via->users = t;
}

/* After our own restart the engine tells of no table before all neighbours have told theirs; then it is better to know already. */
static void come_back(struct nexthops *h)
{
	if (!h->adrift.count || wheel_armed(&h->timer))
		return;
	if (bgp_is_deferring(h->afbr->bgp))
		wheel_arm(&h->afbr->loop->wheel, &h->timer, loop_now(h->afbr->loop) + POLL);
	else if (h->unsure)
		wheel_arm(&h->afbr->loop->wheel, &h->timer, h->review_at);
}

void recurse_note(struct nexthops *h, struct nexthop *t, bool adrift)
{
	if (t->adrift == adrift)
		return;
	t->adrift = adrift;
	if (adrift) {
		treap_insert(&h->adrift, &t->adrift_place, &t->target, 0);
		come_back(h);
		return;
	}
	if (h->adrift_at == t)
		h->adrift_at = next_adrift(t);
	treap_remove(&h->adrift, &t->adrift_place);
	unmark(h, t);
}

void recurse_changed(struct nexthops *h, struct nexthop *t, bool gained)
{
	for (struct nexthop *u = t->users; u; u = u->user_next)
		mark(h, u);
	if (gained)
		mark_all(h);
	if (h->due || h->adrift_again)
		soon(h);
}

void recurse_forget(struct nexthops *h, struct nexthop *t)
{
	recurse_changed(h, t, false);
	while (t->users)
		recurse_by(t->users, NULL);
	recurse_note(h, t, false);
}

/* ---- in slices ---- */

/* False: no memory to go on now. */
static bool read_net(struct nexthops *h, struct rib_feed *f, rib_id net)
{
	struct prefix p = rib_prefix(f->rib, net);

	if (rib_feed_set(f, net, rib_best(f->rib, net) != NULL)) {
		rib_feed_again(f, net);
		return false;
	}
	mark_within(h, &p);
	return true;
}

/* True: there is more. */
static bool read_feeds(struct nexthops *h, unsigned *delay)
{
	unsigned budget = NETS_SLICE;
	rib_id net;

	for (unsigned feed = 0; feed < RECURSE_FEEDS && h->family; feed++)
		while (budget && (net = rib_feed_next(&h->feeds[feed]))) {
			budget--;
			if (!read_net(h, &h->feeds[feed], net)) {
				*delay = RETRY;
				return true;
			}
		}
	return !budget;
}

static struct nexthop *take_due(struct nexthops *h)
{
	struct nexthop *t = h->due;

	if (t) {
		unmark(h, t);
		return t;
	}
	if (!h->adrift_at && h->adrift_again) {
		h->adrift_again = false;
		h->adrift_at = at_adrift(treap_start(&h->adrift));
	}
	t = h->adrift_at;
	if (t)
		h->adrift_at = next_adrift(t);
	return t;
}

static void slice(struct wheel_timer *timer, msec now)
{
	struct nexthops *h = container_of(timer, struct nexthops, timer);
	unsigned delay = 0;
	bool more = read_feeds(h, &delay);
	struct nexthop *t;

	if (h->unsure && now >= h->review_at) {
		h->unsure = false;
		mark_all(h);
	}

	for (unsigned i = 0; i < ASK_SLICE && (t = take_due(h)); i++)
		nexthop_ask(h, t, true);
	if (h->due || h->adrift_at || h->adrift_again)
		wheel_arm(&h->afbr->loop->wheel, timer, now);
	else if (more)
		wheel_arm(&h->afbr->loop->wheel, timer, now + delay);
	come_back(h);
}

void recurse_routes(struct nexthops *h, enum bgp_family family)
{
	if (h->family && bgp_family_afi(family) == (h->family == AF_INET ? 1 : 2))
		soon(h);
}

/* ---- life ---- */

static void remove_feeds(struct nexthops *h)
{
	for (unsigned feed = 0; feed < RECURSE_FEEDS; feed++)
		if (h->feeds[feed].rib) /* not gone with its table */
			rib_feed_remove(&h->feeds[feed]);
	h->family = 0;
}

static int add_feeds(struct nexthops *h)
{
	int r = 0;

	h->family = h->afbr->config->core.family;
	for (unsigned feed = 0; feed < RECURSE_FEEDS && h->family && !r; feed++)
		r = rib_feed_add(table_of(h, feed), &h->feeds[feed]);
	if (r)
		remove_feeds(h);
	return r;
}

int recurse_start(struct nexthops *h)
{
	uint64_t seed = h->places.state * UINT64_C(0x9e3779b97f4a7c15);

	treap_init(&h->adrift, compare_target, seed);
	h->due_end = &h->due;
	h->timer.fire = slice;
	return add_feeds(h);
}

void recurse_change(struct nexthops *h)
{
	if (h->family == h->afbr->config->core.family)
		return;
	remove_feeds(h);
	if (add_feeds(h))
		log_message(h->afbr->log, LEVEL_ERROR, "bgp",
			"not enough memory to look for next hops across the core's borders");
	soon(h);
}

void recurse_free(struct nexthops *h)
{
	remove_feeds(h);
	wheel_disarm(&h->afbr->loop->wheel, &h->timer);
}
