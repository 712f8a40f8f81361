/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nets by prefix, their paths, and which is the best. */
#include <errno.h>
#include <string.h>

#include "bgp/net.h"

/* Six bits of a net's hash are looked at before the net itself is. */
enum { NET_BITS = 26 };

const char *bgp_bar_text(enum bgp_bar bar)
{
	static const char *const texts[] = {
		[BGP_BAR_NONE] = "nothing bars it",
		[BGP_BAR_POLICY] = "the import policy rejects it",
		[BGP_BAR_NO_POLICY] = "the neighbor is external and has no import policy (RFC 8212)",
		[BGP_BAR_AS_LOOP] = "our own AS is in its path",
		[BGP_BAR_ORIGINATOR] = "we are its originator",
		[BGP_BAR_CLUSTER] = "it has been through our cluster",
		[BGP_BAR_NEXT_HOP] = "its next hop is no address of a host",
		[BGP_BAR_FIRST_AS] = "its path does not begin with the neighbor's AS",
		[BGP_BAR_TUNNELS] = "the neighbor is external, and is not to tell of tunnels (RFC 9012 section 11)",
		[BGP_BAR_PREFIX] =
			"no packet can be routed to its prefix: multicast, loopback, link-local or reserved",
	};

	return texts[bar];
}

/* ---- by prefix ---- */

static uint32_t prefix_hash(const struct rib *r, const uint8_t *key, uint8_t len)
{
	uint64_t words[2] = {0};

	memcpy(words, key, r->key_size == 4 ? 4 : 16);
	if (r->key_size == 4)
		return hash_u64(words[0] << 8 | len, r->seed);
	return hash_u64(words[1] ^ len, hash_u64(words[0], r->seed) | (r->seed & ~0xffffffffull));
}

static bool net_has_key(const struct rib *r, const struct rib_net *n, const uint8_t *key, uint8_t len)
{
	return n->len == len && (r->key_size == 4 ? !memcmp(n->key, key, 4) : !memcmp(n->key, key, 16));
}

static rib_id net_search(const struct rib *r, uint32_t hash, const struct prefix *p)
{
	uint32_t cursor = 0;
	rib_id id;

	while ((id = lookup_next(&r->lookup, hash, &cursor)))
		if (net_has_key(r, net_at(r, id), p->addr.bytes, p->len))
			break;
	return id;
}

/* Nets on their way into a table, some at a time, so that memory is waited for once for all of them. */
struct batch {
	unsigned count;
	rib_id net[RIB_EXPECT];
	uint32_t hash[RIB_EXPECT];
};

static void batch_add(struct lookup *to, struct batch *b)
{
	for (unsigned i = 0; i < b->count; i++)
		lookup_add(to, b->hash[i], b->net[i]);
	b->count = 0;
}

/* All nets by number, which is how they lie in memory. */
static int lookup_renew(struct rib *r)
{
	struct batch b = {0};
	struct lookup fresh;

	if (lookup_make(&fresh, NET_BITS, r->lookup.live))
		return -ENOMEM;
	for (rib_id id = arena_next(&r->nets, 0); id; id = arena_next(&r->nets, id)) {
		const struct rib_net *n = net_at(r, id);

		if (n->marks)
			continue;
		b.net[b.count] = id;
		b.hash[b.count] = prefix_hash(r, n->key, n->len);
		lookup_expect(&fresh, b.hash[b.count]);
		if (++b.count == RIB_EXPECT)
			batch_add(&fresh, &b);
	}
	batch_add(&fresh, &b);
	lookup_free(&r->lookup);
	r->lookup = fresh;
	return 0;
}

/* ---- nets ---- */

/* A new net without paths, in the table and not in the list; 0: no memory. */
static rib_id net_new(struct rib *r, uint32_t hash, const struct prefix *p)
{
	void *memory;
	struct rib_net *n;
	rib_id id;

	if (lookup_is_full(&r->lookup) && lookup_renew(r))
		return 0;
	id = arena_alloc(&r->nets, &memory);
	if (!id)
		return 0;
	if (id >> NET_BITS) {
		arena_free(&r->nets, id);
		return 0;
	}
	n = memory;
	n->len = p->len;
	memcpy(n->key, p->addr.bytes, r->key_size);
	lookup_add(&r->lookup, hash, id);
	return id;
}

static void net_free(struct rib *r, rib_id id)
{
	const struct rib_net *n = net_at(r, id);

	(void)lookup_remove(&r->lookup, prefix_hash(r, n->key, n->len), id);
	list_remove(r, id);
	arena_free(&r->nets, id);
	if (lookup_is_sparse(&r->lookup))
		(void)lookup_renew(r); /* without memory it stays large */
}

void net_forget(struct rib *r, rib_id id)
{
	if (net_at(r, id)->paths)
		list_remove(r, id);
	else
		net_free(r, id);
}

bool net_changed(struct rib *r, rib_id id)
{
	struct rib_net *n = net_at(r, id);
	bool waited = r->last && net_at(r, r->last)->marks;

	if (!n->best && !n->had) {
		net_forget(r, id);
		return false;
	}
	if (r->last != id) {
		list_remove(r, id);
		list_insert(r, id, 0);
	}
	return waited;
}

/* ---- paths ---- */

/* The paths of one net, in order. */
struct row {
	unsigned count;
	struct rib_path *path[DECISION_PATHS];
	rib_id id[DECISION_PATHS];
};

static struct rib_path *path_at(const struct rib *r, rib_id id)
{
	return arena_at(&r->paths, id);
}

static void row_read(const struct rib *r, const struct rib_net *n, struct row *ret)
{
	ret->count = 0;
	for (rib_id id = n->paths; id; id = ret->path[ret->count++]->next) {
		ret->path[ret->count] = path_at(r, id);
		ret->id[ret->count] = id;
	}
}

/* Index, or -1. */
static int row_find(const struct row *row, uint16_t source)
{
	for (unsigned i = 0; i < row->count; i++)
		if (row->path[i]->source == source)
			return (int)i;
	return -1;
}

static void row_remove(struct rib_net *n, struct row *row, unsigned at)
{
	if (at)
		row->path[at - 1]->next = row->path[at]->next;
	else
		n->paths = row->path[at]->next;
	n->path_count--;
	row->count--;
	for (; at < row->count; at++) {
		row->path[at] = row->path[at + 1];
		row->id[at] = row->id[at + 1];
	}
}

enum { NONE = -1, GONE = -2 };

/*
 * Route selection among ROW, the paths of a net. WAS: the place of the best so far in it, NONE when there was none, GONE when it is not
 * there any more; TOUCHED: the place of a path that says something else now, or NONE. 1: the best path changed, 0: it did not.
 */
static int decide(struct rib *r, rib_id id, struct row *row, int was, int touched)
{
	struct rib_net *n = net_at(r, id);
	int now = decision_choose(r->decision, (const struct rib_path *const *)row->path, row->count, NULL);

	if (now > 0) {
		row->path[now - 1]->next = row->path[now]->next;
		row->path[now]->next = n->paths;
		n->paths = row->id[now];
	}
	n->best = now >= 0;
	if (now == was && (now == NONE || now != touched)) {
		if (!n->paths && !n->had)
			net_forget(r, id);
		return 0;
	}
	if (net_changed(r, id) && r->changed)
		r->changed(r);
	return 1;
}

static void was_note(const struct rib *r, struct rib_was *ret, const struct rib_path *p)
{
	if (ret)
		*ret = p ? (struct rib_was){true, p->bar != BGP_BAR_NONE, rib_is_stale(r, p)}
			 : (struct rib_was){0};
}

static void path_fill(
	struct rib_path *p, const struct bgp_set *set, uint32_t label, enum bgp_bar bar, uint32_t now_s)
{
	p->set = set;
	p->label = label & BGP_LABEL_MAX;
	p->bar = bar;
	p->since = now_s;
}

/* A path of a source that has none yet, at the end of ROW. NULL: no memory. */
static struct rib_path *path_add(struct rib *r, struct rib_net *n, struct row *row, uint16_t source)
{
	void *memory;
	rib_id id = arena_alloc(&r->paths, &memory);
	struct rib_path *p = memory;

	if (!id)
		return NULL;
	p->source = source;
	p->round = r->rounds[source] % RIB_ROUNDS;
	*(row->count ? &row->path[row->count - 1]->next : &n->paths) = id;
	row->path[row->count] = p;
	row->id[row->count++] = id;
	if (!n->path_count++)
		r->net_count++;
	r->path_count++;
	return p;
}

static int update_replace(struct rib *r, rib_id net, struct row *row, unsigned at, const struct rib_path *new)
{
	struct rib_path *p = row->path[at];
	const struct bgp_set *old = p->set;
	int was = net_at(r, net)->best ? 0 : NONE, rc = 0;

	p->round = r->rounds[p->source] % RIB_ROUNDS;
	if (p->set != new->set || p->label != new->label || p->bar != new->bar) {
		path_fill(p, new->set, new->label, (enum bgp_bar) new->bar, new->since);
		rc = decide(r, net, row, was, (int)at);
	}
	bgp_set_unref(r->sets, old);
	return rc;
}

static int update_add(struct rib *r, rib_id net, struct row *row, uint16_t source, const struct rib_path *new)
{
	struct rib_net *n = net_at(r, net);
	struct rib_path *p;

	if (row->count == DECISION_PATHS)
		return -ENOSPC;
	p = path_add(r, n, row, source);
	if (!p)
		return -ENOMEM;
	path_fill(p, new->set, new->label, (enum bgp_bar) new->bar, new->since);
	return decide(r, net, row, n->best ? 0 : NONE, NONE);
}

static bool prefix_fits(const struct rib *r, const struct prefix *p)
{
	return addr_size(p->addr.family) == r->key_size && p->len <= r->key_size * 8;
}

static rib_id net_find(const struct rib *r, const struct prefix *p)
{
	return prefix_fits(r, p) ? net_search(r, prefix_hash(r, p->addr.bytes, p->len), p) : 0;
}

static int net_update(struct rib *r, const struct prefix *prefix, uint16_t source, const struct rib_path *new,
	struct rib_was *ret_was)
{
	uint32_t hash = prefix_hash(r, prefix->addr.bytes, prefix->len);
	rib_id net = net_search(r, hash, prefix);
	struct row row;
	int at, rc;

	if (!net)
		net = net_new(r, hash, prefix);
	if (!net)
		return -ENOMEM;
	row_read(r, net_at(r, net), &row);
	at = row_find(&row, source);
	if (at >= 0) {
		was_note(r, ret_was, row.path[at]);
		return update_replace(r, net, &row, (unsigned)at, new);
	}
	rc = update_add(r, net, &row, source, new);
	if (rc >= 0)
		was_note(r, ret_was, NULL);
	else if (!row.count && !net_at(r, net)->had)
		net_free(r, net);
	return rc;
}

int rib_update(struct rib *r, const struct bgp_nlri *nlri, uint16_t source, const struct bgp_set *set,
	enum bgp_bar bar, uint32_t now_s, struct rib_was *ret_was)
{
	struct rib_path new = {0};
	int rc = -EINVAL;

	path_fill(&new, set, nlri->label, bar, now_s);
	if (prefix_fits(r, &nlri->prefix))
		rc = net_update(r, &nlri->prefix, source, &new, ret_was);
	if (rc < 0)
		bgp_set_unref(r->sets, set);
	return rc;
}

int rib_drop(struct rib *r, rib_id net, uint16_t source, struct rib_was *ret_was)
{
	struct rib_net *n = net_at(r, net);
	const struct bgp_set *set;
	struct row row;
	rib_id id;
	int at, was, rc;

	row_read(r, n, &row);
	at = row_find(&row, source);
	if (at < 0)
		return -ENOENT;
	was_note(r, ret_was, row.path[at]);
	set = row.path[at]->set;
	id = row.id[at];
	was = !n->best ? NONE : at ? 0 : GONE;
	row_remove(n, &row, (unsigned)at);
	arena_free(&r->paths, id);
	r->path_count--;
	if (!row.count)
		r->net_count--;
	rc = decide(r, net, &row, was, NONE);
	bgp_set_unref(r->sets, set);
	return rc;
}

int rib_withdraw(struct rib *r, const struct prefix *prefix, uint16_t source, struct rib_was *ret_was)
{
	rib_id net = net_find(r, prefix);

	return net ? rib_drop(r, net, source, ret_was) : -ENOENT;
}

int rib_decide(struct rib *r, rib_id net)
{
	const struct rib_net *n = net_at(r, net);
	struct row row;

	row_read(r, n, &row);
	return decide(r, net, &row, n->best ? 0 : NONE, NONE);
}

/* ---- ahead of time ---- */

/* A step for all of them, then the next: so memory is waited for once a step, and not once for each prefix in each. */
void rib_expect(const struct rib *r, const struct bgp_nlri *nlri, unsigned count)
{
	uint32_t hash[RIB_EXPECT];
	rib_id net[RIB_EXPECT];
	const struct rib_path *path[RIB_EXPECT];

	count = count < RIB_EXPECT ? count : RIB_EXPECT;
	for (unsigned i = 0; i < count; i++) {
		hash[i] = prefix_hash(r, nlri[i].prefix.addr.bytes, nlri[i].prefix.len);
		lookup_expect(&r->lookup, hash[i]);
	}
	for (unsigned i = 0; i < count; i++) {
		uint32_t cursor = 0;

		net[i] = lookup_next(&r->lookup, hash[i], &cursor); /* very probably the right one */
		if (net[i])
			__builtin_prefetch(net_at(r, net[i]));
	}
	for (unsigned i = 0; i < count; i++) {
		path[i] = net[i] ? rib_first_path(r, net[i]) : NULL;
		if (path[i])
			__builtin_prefetch(path[i]);
	}
	for (unsigned i = 0; i < count; i++)
		if (path[i])
			__builtin_prefetch(path[i]->set);
}

/* ---- life ---- */

void rib_init(struct rib *r, enum bgp_family family, struct bgp_sets *sets,
	const struct decision_ops *decision, uint64_t seed, void (*changed)(struct rib *r))
{
	*r = (struct rib){
		.family = family, .sets = sets, .decision = decision, .seed = seed, .changed = changed};
	r->key_size = addr_size(bgp_family_af(family));
	arena_init(&r->nets, sizeof(struct rib_net) + r->key_size);
	arena_init(&r->paths, sizeof(struct rib_path));
}

void rib_done(struct rib *r)
{
	while (r->feeds)
		rib_feed_remove(r->feeds);
	for (rib_id id = arena_next(&r->paths, 0); id; id = arena_next(&r->paths, id))
		bgp_set_unref(r->sets, path_at(r, id)->set);
	arena_done(&r->nets);
	arena_done(&r->paths);
	lookup_free(&r->lookup);
	rib_init(r, r->family, r->sets, r->decision, r->seed, r->changed);
}

/* ---- to look at ---- */

rib_id rib_find(const struct rib *r, const struct prefix *prefix)
{
	rib_id net = net_find(r, prefix);

	return net && net_at(r, net)->paths ? net : 0;
}

rib_id rib_longest(const struct rib *r, const struct addr *a)
{
	for (int len = (int)addr_bits(a->family); len >= 0; len--) {
		struct prefix p = prefix_of(a, (unsigned)len);
		rib_id net = rib_find(r, &p);

		if (net && net_at(r, net)->best)
			return net;
	}
	return 0;
}

struct prefix rib_prefix(const struct rib *r, rib_id net)
{
	const struct rib_net *n = net_at(r, net);
	struct prefix p = {.addr.family = bgp_family_af(r->family), .len = n->len};

	memcpy(p.addr.bytes, n->key, r->key_size);
	return p;
}

struct rib_path *rib_first_path(const struct rib *r, rib_id net)
{
	rib_id id = net_at(r, net)->paths;

	return id ? path_at(r, id) : NULL;
}

struct rib_path *rib_next_path(const struct rib *r, const struct rib_path *p)
{
	return p->next ? path_at(r, p->next) : NULL;
}

const struct rib_path *rib_best(const struct rib *r, rib_id net)
{
	const struct rib_net *n = net_at(r, net);

	return n->best ? path_at(r, n->paths) : NULL;
}

rib_id rib_walk(const struct rib *r, rib_id after)
{
	rib_id id = arena_next(&r->nets, after);

	while (id && (net_at(r, id)->marks || !net_at(r, id)->paths))
		id = arena_next(&r->nets, id);
	return id;
}

rib_id rib_walk_some(const struct rib *r, rib_id *at, unsigned *nets)
{
	while (*nets) {
		*at = arena_next(&r->nets, *at);
		if (!*at)
			break;
		(*nets)--;
		if (!net_at(r, *at)->marks && net_at(r, *at)->paths)
			return *at;
	}
	return 0;
}
