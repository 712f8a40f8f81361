/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Regions and their units. A region is one part of a pool (link6, delegate_from, ipv4 or delegate4_from), cut into units of
 * one length; unit numbers follow addresses. What is used is counted exactly, block by block (whatever leases and
 * reservations of other lengths lie in a region), so that looking for a free unit skips what is full.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lease/store.h"

static uint64_t unit_first(const struct region *g, uint64_t unit)
{
	return g->first + (unit << (64 - g->unit));
}

static uint64_t unit_of(const struct region *g, uint64_t key)
{
	return (key - g->first) >> (64 - g->unit);
}

static uint64_t region_end(const struct region *g)
{
	return span_end(g->first, g->len);
}

/* The units that FIRST..LAST touches; false when none. */
static bool region_units(
	const struct region *g, uint64_t first, uint64_t last, uint64_t *ret_from, uint64_t *ret_to)
{
	uint64_t end = region_end(g);

	if (!g->total || last < g->first || first > end)
		return false;
	*ret_from = first <= g->first ? 0 : unit_of(g, first);
	*ret_to = last >= end ? g->total - 1 : unit_of(g, last);
	return true;
}

/* Walks leases, reservations and edges together in the order of their addresses; a lease may be skipped. */
struct walk {
	const struct span *at[3], *skip;
};

static struct walk walk_from(const struct lease_store *s, uint64_t key, const struct span *skip)
{
	return (struct walk){
		{span_from(&s->leased, key), span_from(&s->reserved, key), span_from(&s->edges, key)}, skip};
}

/* The next span that ends at KEY or behind it and starts at or before LAST; keys must not go down between calls. */
static const struct span *walk_next(struct walk *w, uint64_t key, uint64_t last)
{
	const struct span *next = NULL;

	for (unsigned i = 0; i < 3; i++) {
		const struct span *n = w->at[i];

		while (n && (span_last(n) < key || n == w->skip))
			n = n->next[0];
		w->at[i] = n;
		if (n && (!next || n->first < next->first))
			next = n;
	}
	return next && next->first <= last ? next : NULL;
}

/* How many units of FROM..TO anything overlaps, apart from SKIP. */
static uint64_t region_used_in(const struct lease_store *s, const struct region *g, uint64_t from,
	uint64_t to, const struct span *skip)
{
	uint64_t last = span_end(unit_first(g, to), g->unit), used = 0;
	struct walk w = walk_from(s, unit_first(g, from), skip);
	const struct span *n;

	while (from <= to && (n = walk_next(&w, unit_first(g, from), last))) {
		uint64_t a = n->first <= unit_first(g, from) ? from : unit_of(g, n->first);
		uint64_t b = span_last(n) >= last ? to : unit_of(g, span_last(n));

		used += b - a + 1;
		from = b + 1;
	}
	return used;
}

/* The first free unit of FROM..TO; g->total when there is none. */
static uint64_t region_free_in(
	const struct lease_store *s, const struct region *g, uint64_t from, uint64_t to)
{
	struct walk w = walk_from(s, unit_first(g, from), NULL);
	const struct span *n;

	while (from <= to) {
		n = walk_next(&w, unit_first(g, from), span_end(unit_first(g, from), g->unit));
		if (!n)
			return from;
		if (span_last(n) >= region_end(g))
			break;
		from = unit_of(g, span_last(n)) + 1;
	}
	return g->total;
}

/* The first free unit at FROM or behind it, going round; there is one. */
static uint64_t region_free_from(const struct lease_store *s, const struct region *g, uint64_t from)
{
	for (;;) {
		uint64_t block = from >> g->block_shift, end = ((block + 1) << g->block_shift) - 1, unit;

		if (g->blocks[block] <= end - (block << g->block_shift)) {
			unit = region_free_in(s, g, from, end);
			if (unit < g->total)
				return unit;
		}
		from = end + 1 < g->total ? end + 1 : 0;
	}
}

int region_init(struct region *g, const struct prefix *base, unsigned len)
{
	uint64_t count;

	*g = (struct region){0};
	if (prefix_is_none(base))
		return 0;
	g->first = span_key(&base->addr);
	g->len = span_bits(base->addr.family, base->len);
	g->unit = span_bits(base->addr.family, (uint8_t)len);
	g->total = (uint64_t)1 << (g->unit - g->len);
	for (count = g->total; count > REGION_BLOCKS; count /= 2)
		g->block_shift++;
	g->blocks = calloc(count, sizeof(*g->blocks));
	return g->blocks ? 0 : -ENOMEM;
}

/* Counts N's units, which is not linked: those that nothing else uses. */
static void region_add(const struct lease_store *s, struct region *g, const struct span *n, bool occupy)
{
	uint64_t from, to, end;

	if (!region_units(g, n->first, span_last(n), &from, &to))
		return;
	for (; from <= to; from = end + 1) {
		uint64_t block = from >> g->block_shift, own;

		end = ((block + 1) << g->block_shift) - 1;
		if (end > to)
			end = to;
		own = end - from + 1 - region_used_in(s, g, from, end, NULL);
		g->blocks[block] += occupy ? own : -own;
		g->used += occupy ? own : -own;
	}
}

void region_count(const struct lease_store *s, struct region *g)
{
	uint64_t size = (uint64_t)1 << g->block_shift, from, to, last = UINT64_MAX;

	for (uint64_t at = 0; at < g->total; at += size) {
		uint64_t used = region_used_in(s, g, at, at + size - 1, NULL);

		g->blocks[at / size] = used;
		g->used += used;
	}
	for (const struct span *n = s->edges.head[0]; n; n = n->next[0]) {
		if (!region_units(g, n->first, n->first, &from, &to))
			continue;
		g->edges += from != last;
		last = from;
	}
}

static struct region *store_region(const struct lease_store *s, size_t i)
{
	return &s->pools[i / PARTS].regions[i % PARTS];
}

void span_occupy(struct lease_store *s, struct span_set *set, struct span *n)
{
	for (size_t i = 0; i < PARTS * s->pool_count; i++)
		region_add(s, store_region(s, i), n, true);
	span_link(set, n);
}

void span_vacate(struct lease_store *s, struct span_set *set, struct span *n)
{
	span_unlink(set, n);
	for (size_t i = 0; i < PARTS * s->pool_count; i++)
		region_add(s, store_region(s, i), n, false);
}

bool region_has_unit(const struct region *g, const struct span *n)
{
	return g->total && n->len == g->unit && n->first >= g->first && n->first <= region_end(g);
}

/* Where to start looking. A user is to get the same unit again when the database was lost: nothing but his name decides. Only a
 * temporary pool gives him another one each time. */
static uint64_t draw_unit(
	struct lease_store *s, const struct region *g, const struct row *row, bool temporary)
{
	size_t len = strlen(row->user);
	uint64_t seed = (uint64_t)row->slot << 32, h;

	if (temporary)
		h = rng_u64(&s->rng);
	else
		h = (uint64_t)hash_bytes(row->user, len, seed) << 32 | hash_bytes(row->user, len, ~seed);
	return (uint64_t)((unsigned __int128)h * g->total >> 64);
}

/* The parts whose loss may free a unit of PART's region: itself, and both where a pool's addresses and subnets share room. */
static unsigned helpful_parts(const struct lease_pool *pool, enum part part)
{
	const struct region *a = &pool->regions[PART_ADDRESS4], *b = &pool->regions[PART_SUBNET4];
	bool shared = a->total && b->total && a->first <= region_end(b) && b->first <= region_end(a);

	if (shared && (part == PART_ADDRESS4 || part == PART_SUBNET4))
		return 1U << PART_ADDRESS4 | 1U << PART_SUBNET4;
	return 1U << part;
}

/* A span of ROW whose loss would free a unit of the region, or NULL. */
static const struct span *helpful_span(
	const struct lease_store *s, const struct region *g, const struct row *row, unsigned parts)
{
	uint64_t from, to;

	for (unsigned i = 0; i < row->now.span_count; i++) {
		const struct span *n = row->now.spans[i];

		if (!n->fixed && parts & 1U << n->part &&
			region_units(g, n->first, span_last(n), &from, &to) &&
			region_used_in(s, g, from, to, n) <= to - from)
			return n;
	}
	return NULL;
}

/* Who was idle longest of those who have what helps. */
static struct row *find_victim(const struct lease_store *s, const struct lease_pool *pool, enum part part,
	const struct span **ret_span)
{
	unsigned parts = helpful_parts(pool, part);
	struct row *victim = NULL;

	for (unsigned set = 1; set < 1U << PARTS; set++) {
		const struct span *n = NULL;
		struct row *row = set & parts ? pool->name->idle[set].oldest : NULL;

		while (row && (!victim || row_is_older(row, victim)) &&
			!(n = helpful_span(s, &pool->regions[part], row, parts)))
			row = row->newer;
		if (!n)
			continue;
		victim = row;
		*ret_span = n;
	}
	return victim;
}

static void log_eviction(
	struct lease_store *s, const struct row *victim, const struct span *n, const struct row *heir)
{
	struct log_line l;
	struct prefix p = span_prefix(n);

	if (!log_begin(s->log, &l, LEVEL_INFO, "lease-evicted"))
		return;
	log_text(&l, "user", victim->user);
	log_uint(&l, "slot", victim->slot);
	log_text(&l, "pool", victim->now.pool->text);
	log_prefix(&l, "prefix", &p);
	log_int(&l, "used_at", victim->used_at);
	log_text(&l, "for", heir->user);
	log_end(&l);
}

/* Takes all of one part from VICTIM that is not fixed; who has nothing left has no lease any more. */
static int take_from(struct lease_store *s, struct row *victim, uint8_t part, struct op *op)
{
	struct span *kept[LEASE_SPANS];
	struct state before = victim->now, after = victim->now;
	unsigned count = 0;

	for (unsigned i = 0; i < before.span_count; i++)
		if (before.spans[i]->part != part || before.spans[i]->fixed)
			kept[count++] = before.spans[i];
	if (!count)
		after = (struct state){0};
	else if (state_set_spans(&after, kept, count))
		return -ENOMEM;
	row_become(s, victim, &after);
	change_note(op, victim, &before);
	return 0;
}

/* Takes from its user what was not used for longest and helps. -ENOSPC: there is nobody. */
static int region_evict(struct lease_store *s, const struct lease_pool *pool, enum part part,
	const struct row *heir, struct op *op)
{
	const struct span *n = NULL;
	struct row *victim = find_victim(s, pool, part, &n);

	if (!victim)
		return -ENOSPC;
	log_eviction(s, victim, n, heir);
	return take_from(s, victim, n->part, op);
}

struct span *region_take(struct lease_store *s, struct lease_pool *pool, enum part part, struct row *row,
	struct op *op, int *ret_error)
{
	struct region *g = &pool->regions[part];
	struct span at = {.len = g->unit}, *n;
	struct prefix p;

	*ret_error = g->used < g->total ? 0 : region_evict(s, pool, part, row, op);
	if (*ret_error)
		return NULL;
	at.first = unit_first(g, region_free_from(s, g, draw_unit(s, g, row, pool->name->temporary)));
	p = span_prefix(&at);
	n = span_new(&s->leased, &p, row);
	if (!n) {
		*ret_error = -ENOMEM;
		return NULL;
	}
	span_occupy(s, &s->leased, n);
	return n;
}
