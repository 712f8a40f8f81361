/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bgp/parts.h"

#include <stdio.h>
#include <string.h>

static void window_clear(struct window *v, size_t room)
{
	v->net_count = v->group_count = 0;
	v->withdrawn_first = v->withdrawn_last = v->recent = 0;
	v->withdrawn_used = v->need = 0;
	v->room = room;
	memset(v->buckets, 0, sizeof v->buckets);
}

/* ---- filling ---- */

static unsigned bucket_of(const struct bgp_set *set, uint16_t source)
{
	return (set->number ^ (uint32_t)source * 0x9e3779b1u) & (WINDOW_BUCKETS - 1);
}

/* A new group; it is not yet found by anybody. NULL: no room. */
static struct window_group *group_new(struct window *v)
{
	struct window_group *g;

	if (v->group_count == WINDOW_NETS)
		return NULL;
	g = &v->groups[v->group_count++];
	*g = (struct window_group){.told = false};
	return g;
}

/* The group of all routes with SET from SOURCE: its head, which knows whether they may go there at all. */
static struct window_group *group_find(
	struct window *v, const struct exporter *e, const struct rib_path *best)
{
	uint16_t *bucket = &v->buckets[bucket_of(best->set, best->source)];
	struct window_group *g = v->recent ? &v->groups[v->recent - 1] : NULL;

	if (g && g->route.set == best->set && g->route.source == best->source)
		return g;
	for (uint16_t i = *bucket; i; i = v->groups[i - 1].bucket_next) {
		g = &v->groups[i - 1];
		if (g->route.set == best->set && g->route.source == best->source) {
			v->recent = i;
			return g;
		}
	}
	g = group_new(v);
	if (!g)
		return NULL;
	g->told = export_admits(e, best->set, best->source, &g->route, (struct export_reason){NULL, 0});
	if (g->told && !e->policy)
		g->told = export_next_hop(e, &g->route, (struct export_reason){NULL, 0});
	g->bucket_next = *bucket;
	*bucket = v->recent = (uint16_t)v->group_count;
	return g;
}

/* With a policy: the group of those that it treats as ROUTE has it. */
static struct window_group *variant_find(struct window *v, const struct exporter *e,
	struct window_group *head, const struct export_route *route)
{
	struct window_group *g;

	for (uint16_t i = head->variant_next; i; i = g->variant_next) {
		g = &v->groups[i - 1];
		if (policy_result_equal(&g->route.policy, &route->policy))
			return g;
	}
	g = group_new(v);
	if (!g)
		return NULL;
	g->route = *route;
	g->told = export_next_hop(e, &g->route, (struct export_reason){NULL, 0});
	g->variant_next = head->variant_next;
	head->variant_next = (uint16_t)v->group_count;
	return g;
}

/* What is told of a net with the best path BEST: a group, or *ret_withdraw. NULL and not that: the window is full. */
static struct window_group *group_of(struct window *v, const struct exporter *e, rib_id net,
	const struct rib_path *best, bool *ret_withdraw)
{
	struct window_group *g = group_find(v, e, best);
	struct export_route route;
	struct prefix prefix;

	*ret_withdraw = g && !g->told;
	if (!g || !g->told || !e->policy)
		return g;
	prefix = rib_prefix(&e->bgp->ribs[e->family], net);
	route = g->route;
	if (!export_judge(e, &prefix, best, &route, (struct export_reason){NULL, 0})) {
		*ret_withdraw = true;
		return g;
	}
	g = variant_find(v, e, g, &route);
	*ret_withdraw = g && !g->told;
	return g;
}

/* Promises room for one prefix more, in a message that holds USED bytes, or in a new one that begins with BOUND. False: there is none. */
static bool promise(struct window *v, const struct exporter *e, size_t *used, size_t bound, size_t prefix)
{
	size_t max = e->form->max_message, need = prefix;

	if (!*used || *used + prefix > max) {
		if (bound > max - prefix)
			bound = max - prefix;
		need += bound;
		*used = bound;
	}
	if (v->need + need > v->room)
		return false;
	*used += prefix;
	v->need += need;
	return true;
}

static void chain(struct window *v, uint16_t *first, uint16_t *last, uint16_t at)
{
	v->nets[at - 1].next = 0;
	if (*last)
		v->nets[*last - 1].next = at;
	else
		*first = at;
	*last = at;
}

/* ---- what the neighbour knows already ---- */

static bool route_make(
	const struct exporter *e, rib_id net, const struct rib_path *best, struct export_route *ret)
{
	struct export_reason nobody = {NULL, 0};
	struct prefix prefix = rib_prefix(&e->bgp->ribs[e->family], net);

	return export_admits(e, best->set, best->source, ret, nobody) &&
	       export_judge(e, &prefix, best, ret, nobody) && export_next_hop(e, ret, nobody);
}

static bool sets_equal(const struct exporter *a, const struct export_route *ra, const struct exporter *b,
	const struct export_route *rb)
{
	struct writer wa = writer_of(a->bgp->scratch_out, sizeof a->bgp->scratch_out);
	struct writer wb = writer_of(a->bgp->scratch_edit, sizeof a->bgp->scratch_edit);

	if (!ra->policy.applied_count && !rb->policy.applied_count &&
		ra->policy.prepend == rb->policy.prepend)
		return true;
	if (export_set(a, ra, &wa) || export_set(b, rb, &wb))
		return false;
	return writer_len(&wa) == writer_len(&wb) && !memcmp(wa.start, wb.start, writer_len(&wa));
}

/* Is a net that has not changed told as it was? */
static bool is_told(const struct exporter *e, const struct exporter *old, const struct bgp_neighbor_table *t,
	rib_id net, const struct rib_path *best)
{
	struct export_route now, before;
	bool told = route_make(e, net, best, &now);

	if (!old)
		return told == rib_feed_has(&t->feed, net) && !(told && now.own);
	if (told != route_make(old, net, best, &before))
		return false;
	return !told || (now.own == before.own && sets_equal(e, &now, old, &before));
}

/* ---- */

enum { HEADER_WITHDRAW = BGP_HEADER + 2 + 2 + 4 + 3 };

struct window_source {
	const struct exporter *now, *old;
	struct bgp_neighbor_table *table;
	bool unchanged; /* the net has not changed since the neighbour was told: the feed only passes it again */
};

enum taking {
	TAKEN,   /* it is in the window, or needs nothing */
	CROWDED, /* there is no place for one more group */
	NO_ROOM,
	NO_MEMORY,
};

static enum taking window_take(struct window *v, const struct window_source *s, rib_id net)
{
	const struct exporter *e = s->now;
	struct bgp_neighbor_table *t = s->table;
	struct rib *r = &e->bgp->ribs[e->family];
	const struct rib_path *best = rib_best(r, net);
	bool had = rib_feed_has(&t->feed, net), withdraw = true;
	size_t prefix = bgp_family_af(e->family) == AF_INET ? 8 : 20;
	struct window_group *g;
	struct window_net *entry;
	size_t used;

	if (best && s->unchanged && is_told(e, s->old, t, net, best))
		return TAKEN;
	g = best ? group_of(v, e, net, best, &withdraw) : NULL;
	if (!g && !withdraw)
		return CROWDED;
	if (withdraw && !had)
		return TAKEN;
	used = withdraw ? v->withdrawn_used : g->used;
	if (!promise(v, e, &used, withdraw ? HEADER_WITHDRAW : export_bound(e, g->route.set), prefix))
		return NO_ROOM;
	if (!withdraw && !had && rib_feed_set(&t->feed, net, true))
		return NO_MEMORY;
	entry = &v->nets[v->net_count++];
	*entry = (struct window_net){.net = net, .label = best ? best->label : 0, .had = had};
	if (withdraw) {
		v->withdrawn_used = used;
		chain(v, &v->withdrawn_first, &v->withdrawn_last, (uint16_t)v->net_count);
	} else {
		g->used = used;
		chain(v, &g->first, &g->last, (uint16_t)v->net_count);
	}
	return TAKEN;
}

/* ---- emptying ---- */

struct emptying {
	struct window *v;
	const struct exporter *e;
	struct bgp_neighbor *n;
	struct bgp_neighbor_table *t;
	struct writer *w;
	bool said;
};

/* A net that cannot be told: what the neighbour had of it, it shall not keep. */
static void untell(struct emptying *m, uint16_t at, const struct bgp_nlri *nlri)
{
	struct window *v = m->v;
	struct bgp_error error = {0};
	struct bgp_event event = {
		.kind = BGP_EVENT_UNTOLD, .family = m->e->family, .error = &error, .nlri = nlri};

	if (v->nets[at - 1].had)
		chain(v, &v->withdrawn_first, &v->withdrawn_last, at);
	else
		(void)rib_feed_set(&m->t->feed, v->nets[at - 1].net, false);
	if (m->said)
		return;
	m->said = true;
	(void)snprintf(error.reason, sizeof error.reason,
		"its attributes do not fit into a message of %u bytes, the longest agreed on",
		m->e->form->max_message);
	neighbor_event(m->n, &event);
}

static void write_group(struct emptying *m, const struct window_group *g)
{
	struct bgp *b = m->e->bgp;
	struct rib *r = &b->ribs[m->e->family];
	struct writer set = writer_of(b->scratch_out, sizeof b->scratch_out);
	bool open = false, unfit = export_set(m->e, &g->route, &set) != 0;
	struct bgp_update_writer u;
	struct writer before;
	uint16_t next;

	m->said = false;
	for (uint16_t at = g->first; at; at = next) {
		const struct window_net *net = &m->v->nets[at - 1];
		struct bgp_nlri nlri = {rib_prefix(r, net->net), export_label(m->e, &g->route, net->label)};

		next = net->next;
		if (open && bgp_update_add(&u, &nlri))
			continue;
		if (open)
			bgp_update_end(&u);
		before = *m->w;
		open = !unfit && !bgp_update_begin(&u, m->w, m->e->form, m->e->family,
					 reader_of(set.start, writer_len(&set)), &g->route.next_hop);
		if (open && bgp_update_add(&u, &nlri))
			continue;
		*m->w = before;
		open = false;
		untell(m, at, &nlri);
	}
	if (open)
		bgp_update_end(&u);
}

static void write_withdrawn(struct emptying *m)
{
	struct bgp *b = m->e->bgp;
	struct rib *r = &b->ribs[m->e->family];
	struct bgp_update_writer u;
	bool open = false;

	for (uint16_t at = m->v->withdrawn_first; at; at = m->v->nets[at - 1].next) {
		rib_id net = m->v->nets[at - 1].net;
		struct bgp_nlri nlri = {.prefix = rib_prefix(r, net)};

		if (open && !bgp_update_add(&u, &nlri)) {
			bgp_update_end(&u);
			open = false;
		}
		if (!open) {
			(void)bgp_update_begin_withdraw(&u, m->w, m->e->form, m->e->family);
			(void)bgp_update_add(&u, &nlri);
			open = true;
		}
		(void)rib_feed_set(&m->t->feed, net, false);
	}
	if (open)
		bgp_update_end(&u);
}

static enum window_result fill(struct window *v, struct window_source *s, unsigned *budget)
{
	struct rib_feed *f = &s->table->feed;

	while (v->net_count < WINDOW_NETS) {
		rib_id net;
		enum taking t;

		s->unchanged = (s->old || s->table->own_only) && !rib_feed_passed(f);
		net = rib_feed_next(f);
		if (!net)
			return WINDOW_DONE;
		t = *budget ? window_take(v, s, net) : NO_ROOM;
		if (t != TAKEN)
			rib_feed_again(f, net);
		if (t == NO_MEMORY)
			return WINDOW_NO_MEMORY;
		/* What was promised to those in the window is more than they will need: there may be room again. */
		if (t == NO_ROOM)
			return v->net_count && *budget ? WINDOW_MORE : WINDOW_FULL;
		if (t == CROWDED)
			return WINDOW_MORE;
		--*budget;
	}
	return WINDOW_MORE;
}

enum window_result window_pass(struct window *v, const struct exporter *e, const struct exporter *old,
	struct bgp_neighbor *n, struct writer *w, unsigned *budget)
{
	struct window_source s = {e, old, &n->table[e->family], false};
	struct emptying m = {v, e, n, s.table, w, false};
	enum window_result result;

	window_clear(v, (size_t)(w->end - w->pos));
	result = fill(v, &s, budget);
	for (unsigned i = 0; i < v->group_count; i++)
		if (v->groups[i].first)
			write_group(&m, &v->groups[i]);
	write_withdrawn(&m);
	return result;
}
