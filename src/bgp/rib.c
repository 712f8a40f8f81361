/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nets by prefix, their paths, and which is the best. */
#include <errno.h>
#include <string.h>

#include "bgp/net.h"
#include "lib/pages.h"

/*
 * A slot is 0, or the number of a net with bits of its hash above. With a number of 0 it is a slot of which the net is gone: a look-up goes on
 * behind it.
 */
enum { ID_BITS = 26, SLOTS_MIN = 8 };
#define ID_MASK  ((1u << ID_BITS) - 1)
#define TAG_MASK (~ID_MASK)
#define DELETED  (1u << ID_BITS)

const char *bgp_bar_text(enum bgp_bar bar)
{
	static const char *const texts[] = {
		[BGP_BAR_NONE] = "nothing bars it",
		[BGP_BAR_POLICY] = "the import policy rejects it",
		[BGP_BAR_NO_POLICY] = "the neighbour is external and has no import policy (RFC 8212)",
		[BGP_BAR_AS_LOOP] = "our own AS is in its path",
		[BGP_BAR_ORIGINATOR] = "we are its originator",
		[BGP_BAR_CLUSTER] = "it has been through our cluster",
		[BGP_BAR_NEXT_HOP] = "its next hop is no address of a host",
		[BGP_BAR_FIRST_AS] = "its path does not begin with the neighbour's AS",
		[BGP_BAR_PREFIX] = "no packet can be routed to its prefix: multicast, loopback, link-local or reserved",
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

/* The slot of the net, or NULL. */
static uint32_t *slot_find(const struct rib *r, uint32_t hash, const struct prefix *p)
{
	uint32_t tag = hash & TAG_MASK;

	if (!r->slots)
		return NULL;
	for (uint32_t i = hash & r->mask; r->slots[i]; i = (i + 1) & r->mask) {
		uint32_t id = r->slots[i] ^ tag; /* nothing above the number only where the tags are equal */

		if (id - 1 < ID_MASK && net_has_key(r, net_at(r, id), p->addr.bytes, p->len))
			return &r->slots[i];
	}
	return NULL;
}

/* The first net with the tag of HASH: very probably the one that is looked for, without a look at it. */
static rib_id slot_guess(const struct rib *r, uint32_t hash)
{
	for (uint32_t i = hash & r->mask; r->slots[i]; i = (i + 1) & r->mask) {
		uint32_t id = r->slots[i] ^ (hash & TAG_MASK);

		if (id - 1 < ID_MASK)
			return id;
	}
	return 0;
}

/* True: the slot was free, and not that of something deleted. */
static bool slot_put(uint32_t *slots, uint32_t mask, uint32_t hash, rib_id id)
{
	uint32_t i = hash & mask;
	bool was_free;

	while (slots[i] & ID_MASK)
		i = (i + 1) & mask;
	was_free = !slots[i];
	slots[i] = (hash & TAG_MASK) | id;
	return was_free;
}

static void slots_free(struct rib *r)
{
	pages_unmap(r->slots, ((size_t)r->mask + 1) * sizeof(*r->slots));
}

/* All nets by number, which is how they lie in memory, into a table with room for twice as many. */
static int slots_renew(struct rib *r)
{
	size_t size = SLOTS_MIN;
	uint32_t *slots;

	while (size * 3 / 8 < r->live)
		size *= 2;
	slots = pages_map(size * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (rib_id id = arena_next(&r->nets, 0); id; id = arena_next(&r->nets, id)) {
		const struct rib_net *n = net_at(r, id);

		if (!n->marks)
			(void)slot_put(slots, (uint32_t)size - 1, prefix_hash(r, n->key, n->len), id);
	}
	slots_free(r);
	r->slots = slots;
	r->mask = (uint32_t)size - 1;
	r->occupied = r->live;
	return 0;
}

static bool slots_are_full(const struct rib *r)
{
	uint64_t size = r->slots ? (uint64_t)r->mask + 1 : 0;

	return r->occupied + 1 > size - size / 4;
}

/* Removes what is in slot S. Where a look-up would end behind it anyway, nothing has to be kept in mind. */
static void slot_clear(struct rib *r, uint32_t *s)
{
	uint32_t i = (uint32_t)(s - r->slots);

	r->live--;
	r->slots[i] = DELETED;
	if (r->slots[(i + 1) & r->mask])
		return;
	for (; r->slots[i] == DELETED; i = (i - 1) & r->mask) {
		r->slots[i] = 0;
		r->occupied--;
	}
}

/* ---- nets ---- */

/* A new net without paths, in the table and not in the list; 0: no memory. */
static rib_id net_new(struct rib *r, uint32_t hash, const struct prefix *p)
{
	void *memory;
	struct rib_net *n;
	rib_id id;

	if (slots_are_full(r) && slots_renew(r))
		return 0;
	id = arena_alloc(&r->nets, &memory);
	if (!id)
		return 0;
	if (id > ID_MASK) {
		arena_free(&r->nets, id);
		return 0;
	}
	n = memory;
	n->len = p->len;
	memcpy(n->key, p->addr.bytes, r->key_size);
	r->occupied += slot_put(r->slots, r->mask, hash, id);
	r->live++;
	return id;
}

static void net_free(struct rib *r, rib_id id)
{
	const struct rib_net *n = net_at(r, id);
	struct prefix p = rib_prefix(r, id);
	uint64_t size = (uint64_t)r->mask + 1;

	slot_clear(r, slot_find(r, prefix_hash(r, n->key, n->len), &p));
	list_remove(r, id);
	arena_free(&r->nets, id);
	if (size > SLOTS_MIN && r->live < size / 8)
		(void)slots_renew(r); /* without memory it stays large */
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

static void was_note(struct rib_was *ret, const struct rib_path *p)
{
	if (ret)
		*ret = p ? (struct rib_was){true, p->bar != BGP_BAR_NONE, p->stale} : (struct rib_was){0};
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

	p->stale = 0;
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
	const uint32_t *slot;

	if (!prefix_fits(r, p))
		return 0;
	slot = slot_find(r, prefix_hash(r, p->addr.bytes, p->len), p);
	return slot ? *slot & ID_MASK : 0;
}

static int net_update(struct rib *r, const struct prefix *prefix, uint16_t source, const struct rib_path *new,
	struct rib_was *ret_was)
{
	uint32_t hash = prefix_hash(r, prefix->addr.bytes, prefix->len);
	const uint32_t *slot = slot_find(r, hash, prefix);
	rib_id net = slot ? *slot & ID_MASK : net_new(r, hash, prefix);
	struct row row;
	int at, rc;

	if (!net)
		return -ENOMEM;
	row_read(r, net_at(r, net), &row);
	at = row_find(&row, source);
	if (at >= 0) {
		was_note(ret_was, row.path[at]);
		return update_replace(r, net, &row, (unsigned)at, new);
	}
	rc = update_add(r, net, &row, source, new);
	if (rc >= 0)
		was_note(ret_was, NULL);
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
	was_note(ret_was, row.path[at]);
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
	const struct rib_path *path[RIB_EXPECT];

	if (!r->slots)
		return;
	count = count < RIB_EXPECT ? count : RIB_EXPECT;
	for (unsigned i = 0; i < count; i++) {
		hash[i] = prefix_hash(r, nlri[i].prefix.addr.bytes, nlri[i].prefix.len);
		__builtin_prefetch(&r->slots[hash[i] & r->mask]);
	}
	for (unsigned i = 0; i < count; i++) {
		hash[i] = slot_guess(r, hash[i]);
		if (hash[i])
			__builtin_prefetch(net_at(r, hash[i]));
	}
	for (unsigned i = 0; i < count; i++) {
		path[i] = hash[i] ? rib_first_path(r, hash[i]) : NULL;
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
	slots_free(r);
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
