/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bgp_model.h"

#include <string.h>

enum { DEFAULT_PREFERENCE = 100, PREFERRED = 200, ROUNDS = 200 };

static uint32_t identifier(unsigned node)
{
	return 10u << 24 | node;
}

static bool is_external(const struct model *m, unsigned x, unsigned y)
{
	return m->as[x] != m->as[y];
}

static void prepend(struct model_route *r, uint32_t as)
{
	memmove(r->path + 1, r->path, sizeof r->path - sizeof r->path[0]);
	r->path[0] = as;
	if (r->path_length < MODEL_PATH)
		r->path_length++;
}

/* False: rejected. */
static bool apply(enum model_policy policy, struct model_route *r, unsigned p, uint32_t as)
{
	switch (policy) {
	case MODEL_ODD:
		return p % 2 == 1;
	case MODEL_MARK:
		r->communities |= MODEL_TWO;
		return true;
	case MODEL_PREFER:
		r->local_pref = PREFERRED;
		return true;
	case MODEL_NOT_SEVEN:
		return !(r->communities & MODEL_SEVEN);
	case MODEL_PREPEND:
		prepend(r, as);
		prepend(r, as);
		return true;
	default:
		return true;
	}
}

struct model_route model_told(const struct model *m, unsigned x, unsigned y, unsigned p)
{
	static const struct model_route nothing;
	const struct model_link *l = &m->link[x][y];
	struct model_route r = m->best[x][p];
	bool own = r.from == x, external = is_external(m, x, y), reflected = !own && !external && !r.external;

	if (!r.there || !l->there || r.from == y)
		return nothing;
	if (reflected && !m->link[x][r.from].client && !l->client)
		return nothing;
	if (reflected && r.originator == identifier(y))
		return nothing;
	if (external && (r.communities & MODEL_NO_EXPORT || l->export == MODEL_NO_POLICY))
		return nothing;
	if (!apply(l->export, &r, p, m->as[x]))
		return nothing;
	if (own || external || (l->next_hop_self && !reflected))
		r.next_hop = x;
	if (r.next_hop == y)
		return nothing;
	if (reflected) {
		if (!r.originator)
			r.originator = identifier(r.from);
		memmove(r.clusters + 1, r.clusters, sizeof r.clusters - sizeof r.clusters[0]);
		r.clusters[0] = identifier(x);
		if (r.cluster_count < MODEL_CLUSTERS)
			r.cluster_count++;
	}
	if (external) {
		prepend(&r, m->as[x]);
		r.local_pref = DEFAULT_PREFERENCE;
		r.originator = 0;
		r.cluster_count = 0;
	}
	r.from = x;
	r.external = external;
	return r;
}

/* What Y makes of it: false, if it does not use it. */
static bool take(const struct model *m, unsigned y, unsigned p, struct model_route *r)
{
	const struct model_link *l = &m->link[y][r->from];

	for (unsigned i = 0; i < r->path_length; i++)
		if (r->path[i] == m->as[y])
			return false;
	for (unsigned i = 0; i < r->cluster_count; i++)
		if (r->clusters[i] == identifier(y))
			return false;
	if (r->originator == identifier(y))
		return false;
	if (r->external && l->import == MODEL_NO_POLICY)
		return false;
	return apply(l->import, r, p, m->as[r->from]);
}

/* Negative: A is better. */
static int compare(unsigned node, const struct model_route *a, const struct model_route *b)
{
	uint32_t ida = a->originator ? a->originator : identifier(a->from),
		 idb = b->originator ? b->originator : identifier(b->from);

	if (a->local_pref != b->local_pref)
		return a->local_pref > b->local_pref ? -1 : 1;
	if ((a->from == node) != (b->from == node))
		return a->from == node ? -1 : 1;
	if (a->path_length != b->path_length)
		return a->path_length < b->path_length ? -1 : 1;
	if (a->origin != b->origin)
		return a->origin < b->origin ? -1 : 1;
	if (a->external != b->external)
		return a->external ? -1 : 1;
	if (ida != idb)
		return ida < idb ? -1 : 1;
	if (a->cluster_count != b->cluster_count)
		return a->cluster_count < b->cluster_count ? -1 : 1;
	return a->from < b->from ? -1 : 1;
}

static struct model_route choose(const struct model *m, unsigned y, unsigned p)
{
	struct model_route best = m->own[y][p];

	for (unsigned x = 1; x <= m->nodes; x++) {
		struct model_route r = model_told(m, x, y, p);

		if (r.there && take(m, y, p, &r) && (!best.there || compare(y, &r, &best) < 0))
			best = r;
	}
	return best;
}

static bool same(const struct model_route *a, const struct model_route *b)
{
	if (a->there != b->there)
		return false;
	if (!a->there)
		return true;
	return a->from == b->from && a->external == b->external && a->local_pref == b->local_pref &&
	       a->origin == b->origin && a->originator == b->originator && a->communities == b->communities &&
	       a->next_hop == b->next_hop && a->path_length == b->path_length &&
	       !memcmp(a->path, b->path, sizeof a->path) && a->cluster_count == b->cluster_count &&
	       !memcmp(a->clusters, b->clusters, sizeof a->clusters);
}

bool model_settle(struct model *m)
{
	memset(m->best, 0, sizeof m->best);
	for (unsigned round = 0; round < ROUNDS; round++) {
		bool changed = false;

		for (unsigned y = 1; y <= m->nodes; y++)
			for (unsigned p = 0; p < MODEL_PREFIXES; p++) {
				struct model_route r = choose(m, y, p);

				changed |= !same(&r, &m->best[y][p]);
				m->best[y][p] = r;
			}
		if (!changed)
			return true;
	}
	return false;
}
