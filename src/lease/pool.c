/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Regions and their units. A region is link6 or delegate_from of a pool, cut into units of one length; unit numbers
 * follow addresses. The number of used units is kept exact (whatever leases and reservations of other lengths lie in a
 * region), so that a full one is known without a search.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lease/store.h"

enum { DRAWS = 16, DRAW_STEPS = 256, REGION_LEN_MIN = 8 };

static uint64_t unit_first(const struct region *g, uint64_t unit)
{
	return g->first + (unit << (64 - g->unit));
}

static uint64_t unit_of(const struct region *g, uint64_t key)
{
	return (key - g->first) >> (64 - g->unit);
}

/* The units that FIRST..LAST touches; false when none. */
static bool region_units(
	const struct region *g, uint64_t first, uint64_t last, uint64_t *ret_from, uint64_t *ret_to)
{
	uint64_t end = span_end(g->first, g->len);

	if (!g->total || last < g->first || first > end)
		return false;
	*ret_from = first <= g->first ? 0 : unit_of(g, first);
	*ret_to = last >= end ? g->total - 1 : unit_of(g, last);
	return true;
}

/* Walks leases and reservations together in the order of their addresses. */
struct walk {
	const struct span *leased, *reserved;
};

static struct walk walk_from(const struct lease_store *s, uint64_t key)
{
	return (struct walk){span_from(&s->leased, key), span_from(&s->reserved, key)};
}

/* The next span that ends at KEY or behind it and starts at or before LAST; keys must not go down between calls. */
static const struct span *walk_next(struct walk *w, uint64_t key, uint64_t last)
{
	const struct span *n;

	while (w->leased && span_last(w->leased) < key)
		w->leased = w->leased->next[0];
	while (w->reserved && span_last(w->reserved) < key)
		w->reserved = w->reserved->next[0];
	n = w->leased;
	if (!n || (w->reserved && w->reserved->first < n->first))
		n = w->reserved;
	return n && n->first <= last ? n : NULL;
}

/* How many units of FROM..TO a lease or a reservation overlaps. */
static uint64_t region_used_in(
	const struct lease_store *s, const struct region *g, uint64_t from, uint64_t to)
{
	uint64_t last = span_end(unit_first(g, to), g->unit), used = 0;
	struct walk w = walk_from(s, unit_first(g, from));
	const struct span *n;

	while (from <= to && (n = walk_next(&w, unit_first(g, from), last))) {
		uint64_t a = n->first <= unit_first(g, from) ? from : unit_of(g, n->first);
		uint64_t b = span_last(n) >= last ? to : unit_of(g, span_last(n));

		used += b - a + 1;
		from = b + 1;
	}
	return used;
}

/* The first free unit at FROM or behind it, looking at no more than STEPS spans; g->total when there is none. */
static uint64_t region_next_free(
	const struct lease_store *s, const struct region *g, uint64_t from, uint64_t steps)
{
	struct walk w;
	const struct span *n;

	if (from >= g->total)
		return g->total;
	w = walk_from(s, unit_first(g, from));
	while (from < g->total && steps--) {
		n = walk_next(&w, unit_first(g, from), span_end(unit_first(g, from), g->unit));
		if (!n)
			return from;
		if (span_last(n) >= span_end(g->first, g->len))
			break;
		from = unit_of(g, span_last(n)) + 1;
	}
	return g->total;
}

static struct region *store_region(const struct lease_store *s, size_t i)
{
	return i % 2 ? &s->pools[i / 2].delegate : &s->pools[i / 2].link;
}

void span_occupy(struct lease_store *s, struct span_set *set, struct span *n)
{
	uint64_t from, to;

	for (size_t i = 0; i < 2 * s->pool_count; i++) {
		struct region *g = store_region(s, i);

		if (region_units(g, n->first, span_last(n), &from, &to))
			g->used += to - from + 1 - region_used_in(s, g, from, to);
	}
	span_link(set, n);
}

void span_vacate(struct lease_store *s, struct span_set *set, struct span *n)
{
	uint64_t from, to;

	span_unlink(set, n);
	for (size_t i = 0; i < 2 * s->pool_count; i++) {
		struct region *g = store_region(s, i);

		if (!region_units(g, n->first, span_last(n), &from, &to))
			continue;
		g->used -= to - from + 1 - region_used_in(s, g, from, to);
		g->cursor = from;
	}
}

bool region_has_unit(const struct region *g, const struct span *n)
{
	return g->total && n->len == g->unit && n->first >= g->first &&
	       n->first <= span_end(g->first, g->len);
}

const char *reserved_for_other(const struct lease_store *s, uint64_t first, uint64_t last, const char *user)
{
	const struct span *n = span_from(&s->reserved, first);

	for (; n && n->first <= last; n = n->next[0])
		if (strcmp(n->owner, user) != 0)
			return n->owner;
	return NULL;
}

struct lease_pool *pool_find(const struct lease_store *s, const struct pool_name *name)
{
	for (size_t i = 0; i < s->pool_count; i++)
		if (s->pools[i].name == name)
			return &s->pools[i];
	return NULL;
}

/* The DRAW-th place to start at. The seed is fixed: a user is to get the same unit again when the database was lost. */
static uint64_t draw_unit(const struct region *g, const struct row *row, unsigned draw)
{
	size_t len = strlen(row->user);
	uint64_t seed = (uint64_t)row->slot << 32 | draw;
	uint64_t h = (uint64_t)hash_bytes(row->user, len, seed) << 32 | hash_bytes(row->user, len, ~seed);

	return (uint64_t)((unsigned __int128)h * g->total >> 64);
}

/* g->total when there is none. */
static uint64_t region_search(const struct lease_store *s, struct region *g, const struct row *row)
{
	uint64_t unit = g->total;

	if (g->used >= g->total)
		return g->total;
	/* Nearly full: draws would only hit what is taken. The cursor stands where something became free, or where
	 * the last search ended, so that filling the rest of a region costs one walk over it altogether. */
	if (g->used < g->total - g->total / 16)
		for (unsigned draw = 0; draw < DRAWS && unit == g->total; draw++)
			unit = region_next_free(s, g, draw_unit(g, row, draw), DRAW_STEPS);
	if (unit == g->total)
		unit = region_next_free(s, g, g->cursor, UINT64_MAX);
	if (unit == g->total)
		unit = region_next_free(s, g, 0, UINT64_MAX);
	g->cursor = unit;
	return unit;
}

/* The span of ROW whose loss would free a unit of the region, or NULL. */
static const struct span *evictable_span(
	const struct lease_store *s, const struct region *g, const struct row *row)
{
	struct span *spans[LEASE_PREFIXES + 1];

	state_spans(&row->now, spans);
	for (unsigned i = 0; i <= LEASE_PREFIXES; i++) {
		bool fixed = i == LEASE_PREFIXES ? row->now.link_fixed : row->now.delegated_fixed;

		if (spans[i] && !fixed && region_has_unit(g, spans[i]) &&
			!span_overlap(&s->reserved, spans[i]->first, span_last(spans[i])))
			return spans[i];
	}
	return NULL;
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

/* Takes the least recently used lease that helps from its user; the unit that became free, or g->total. */
static uint64_t region_evict(
	struct lease_store *s, struct region *g, struct pool_name *pool, const struct row *row, struct op *op)
{
	static const struct state nothing;
	const struct span *n = NULL;
	struct row *victim = pool->oldest;
	struct state before;
	uint64_t unit;

	/* Not the row itself: it is being changed, and may be listed with what it keeps. */
	while (victim && (victim == row || !(n = evictable_span(s, g, victim))))
		victim = victim->newer;
	if (!victim)
		return g->total;
	unit = unit_of(g, n->first);
	log_eviction(s, victim, n, row);
	before = victim->now;
	row_become(s, victim, &nothing, false);
	change_note(op, victim, &before);
	return unit;
}

struct span *region_take(struct lease_store *s, struct region *g, struct pool_name *pool, struct row *row,
	struct op *op, int *ret_error)
{
	uint64_t unit = region_search(s, g, row);
	struct span at = {.len = g->unit}, *n;
	struct prefix p;

	*ret_error = -ENOSPC;
	if (unit == g->total)
		unit = region_evict(s, g, pool, row, op);
	if (unit == g->total)
		return NULL;
	at.first = unit_first(g, unit);
	p = span_prefix(&at);
	n = span_new(&s->leased, &p, row);
	*ret_error = -ENOMEM;
	if (n)
		span_occupy(s, &s->leased, n);
	return n;
}

/* Configuration. */

static const char *bad_base(const struct prefix *p)
{
	if (p->addr.family != AF_INET6)
		return "is not IPv6";
	if (p->len < REGION_LEN_MIN)
		return "is too large to be a pool";
	if (p->addr.bytes[0] == 0 || p->addr.bytes[0] == 0xff || addr_is_link_local(&p->addr))
		return "is not global unicast or unique local (RFC 5571 section 6.1.1)";
	return NULL;
}

static int refuse(
	char why[256], const struct lease_pool_config *c, const struct prefix *p, const char *problem)
{
	char text[PREFIX_TEXT];

	snprintf(why, 256, "pool %s: %s %s", c->name, prefix_print(p, text), problem);
	return -EINVAL;
}

static int check_pool(const struct lease_pool_config *c, char why[256])
{
	bool link = !prefix_is_none(&c->link6), delegate = !prefix_is_none(&c->delegate_from);
	const char *problem;

	if (!memchr(c->name, 0, sizeof(c->name)) || !c->name[0]) {
		snprintf(why, 256, "a pool has no name, or one of more than %zu characters",
			sizeof(c->name) - 1);
		return -EINVAL;
	}
	if (!link && !delegate) {
		snprintf(why, 256, "pool %s has neither link6 nor delegate: it could hand out nothing",
			c->name);
		return -EINVAL;
	}
	if (link && (problem = bad_base(&c->link6)))
		return refuse(why, c, &c->link6, problem);
	if (link && c->link6.len > 64)
		return refuse(why, c, &c->link6,
			"cannot be cut into /64s, one per softwire: it must be /64 or shorter");
	if (!delegate)
		return 0;
	if ((problem = bad_base(&c->delegate_from)))
		return refuse(why, c, &c->delegate_from, problem);
	if (c->delegate_len < 48 || c->delegate_len > 64) {
		snprintf(why, 256,
			"pool %s: delegated prefixes are /48 to /64 (RFC 5571 section 6.2.1), not /%u",
			c->name, c->delegate_len);
		return -EINVAL;
	}
	if (c->delegate_from.len > c->delegate_len) {
		char text[PREFIX_TEXT];

		snprintf(why, 256, "pool %s: no /%u fits into %s", c->name, c->delegate_len,
			prefix_print(&c->delegate_from, text));
		return -EINVAL;
	}
	return 0;
}

static const struct prefix *config_base(const struct lease_pool_config *pools, size_t i)
{
	return i % 2 ? &pools[i / 2].delegate_from : &pools[i / 2].link6;
}

static int check_overlaps(const struct lease_pool_config *pools, size_t count, char why[256])
{
	char a[PREFIX_TEXT], b[PREFIX_TEXT];

	for (size_t i = 0; i < 2 * count; i++) {
		for (size_t j = 0; j < i; j++) {
			const struct prefix *p = config_base(pools, i), *q = config_base(pools, j);

			if (i / 2 != j / 2 && !strcmp(pools[i / 2].name, pools[j / 2].name)) {
				snprintf(why, 256, "pool %s is there twice", pools[i / 2].name);
				return -EINVAL;
			}
			if (prefix_is_none(p) || prefix_is_none(q) || !prefix_overlaps(p, q))
				continue;
			snprintf(why, 256, "pool %s: %s overlaps %s of pool %s", pools[i / 2].name,
				prefix_print(p, a), prefix_print(q, b), pools[j / 2].name);
			return -EINVAL;
		}
	}
	return 0;
}

static struct region make_region(const struct lease_store *s, const struct prefix *base, uint8_t unit)
{
	struct region g = {0};

	if (prefix_is_none(base))
		return g;
	g.first = span_key(&base->addr);
	g.len = base->len;
	g.unit = unit;
	g.total = (uint64_t)1 << (unit - base->len);
	g.used = region_used_in(s, &g, 0, g.total - 1);
	return g;
}

int lease_store_set_pools(
	struct lease_store *s, const struct lease_pool_config *pools, size_t count, char why[256])
{
	struct lease_pool *new = calloc(count + 1, sizeof(*new));
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++)
		rc = check_pool(&pools[i], why);
	if (!rc)
		rc = check_overlaps(pools, count, why);
	for (size_t i = 0; i < count && !rc && new; i++) {
		new[i].name = pool_name_get(s, pools[i].name);
		new[i].link = make_region(s, &pools[i].link6, 64);
		new[i].delegate = make_region(s, &pools[i].delegate_from, pools[i].delegate_len);
		if (!new[i].name)
			rc = -ENOMEM;
	}
	if (!rc && !new)
		rc = -ENOMEM;
	if (rc) {
		if (rc == -ENOMEM)
			snprintf(why, 256, "out of memory");
		free(new);
		return rc;
	}
	free(s->pools);
	s->pools = new;
	s->pool_count = count;
	return 0;
}

int lease_store_reserve(struct lease_store *s, const struct prefix *p, const char *user)
{
	uint64_t first = span_key(&p->addr);
	const struct span *held;
	struct span *n;
	char *name;

	if (p->addr.family != AF_INET6 || p->len < 1 || p->len > 64 || !user[0] ||
		strlen(user) > LEASE_USER_MAX)
		return -EINVAL;
	held = span_overlap(&s->reserved, first, span_end(first, p->len));
	if (held)
		return held->first == first && held->len == p->len && !strcmp(held->owner, user) ? 0
												 : -EEXIST;
	name = strdup(user);
	n = name ? span_new(&s->reserved, p, name) : NULL;
	if (!n) {
		free(name);
		return -ENOMEM;
	}
	span_occupy(s, &s->reserved, n);
	return 0;
}

void lease_store_clear_reserved(struct lease_store *s)
{
	struct span *n;

	while ((n = s->reserved.head[0])) {
		span_vacate(s, &s->reserved, n);
		free(n->owner);
		free(n);
	}
}
