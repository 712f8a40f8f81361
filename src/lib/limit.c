/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * limit: token buckets, alone and by peer. A bucket holds what was spent rather than what is left, so zeroed memory
 * is a full bucket of any size.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/container.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "lib/rng.h"

bool limit_ok(struct limit *l, msec now, uint32_t rate, uint32_t burst)
{
	uint64_t size =
		burst < UINT32_MAX / 1000 ? (uint64_t)burst * 1000 : UINT32_MAX / 1000 * UINT64_C(1000);
	uint64_t elapsed = now > l->last ? now - l->last : 0;

	/* RATE per second is RATE thousandths per millisecond. */
	if (rate && elapsed >= l->spent / rate + 1)
		l->spent = 0;
	else
		l->spent -= (uint32_t)(elapsed * rate < l->spent ? elapsed * rate : l->spent);
	if (now > l->last)
		l->last = now;
	if (l->spent + UINT64_C(1000) > size) {
		l->suppressed += l->suppressed < UINT32_MAX;
		return false;
	}
	l->spent += 1000;
	return true;
}

/* A peer, in the table's hash and in its list from the most to the least recently used. */
struct limit_peer {
	struct limit_peer *newer, *older;
	struct addr key;
	uint32_t hash;
	struct limit limit;
};

struct limit_table {
	struct hash hash;
	uint64_t seed;
	uint32_t rate, burst;
	size_t used, max;
	struct limit_peer *newest, *oldest;
	struct limit_peer peers[];
};

struct limit_table *limit_table_new(size_t max_peers, uint32_t rate, uint32_t burst)
{
	struct limit_table *t;
	struct rng rng;

	if (!max_peers || max_peers > (SIZE_MAX - sizeof(*t)) / sizeof(t->peers[0]))
		return NULL;
	t = calloc(1, sizeof(*t) + max_peers * sizeof(t->peers[0]));
	if (!t)
		return NULL;
	rng_init_system(&rng);
	t->seed = rng_u64(&rng);
	t->rate = rate;
	t->burst = burst;
	t->max = max_peers;
	return t;
}

void limit_table_free(struct limit_table *t)
{
	if (!t)
		return;
	hash_free(&t->hash);
	free(t);
}

static bool has_key(const void *item, const void *key)
{
	return addr_equal(&((const struct limit_peer *)item)->key, key);
}

static void list_remove(struct limit_table *t, struct limit_peer *p)
{
	if (p->newer)
		p->newer->older = p->older;
	else
		t->newest = p->older;
	if (p->older)
		p->older->newer = p->newer;
	else
		t->oldest = p->newer;
}

static void list_add(struct limit_table *t, struct limit_peer *p)
{
	p->newer = NULL;
	p->older = t->newest;
	if (p->older)
		p->older->newer = p;
	else
		t->oldest = p;
	t->newest = p;
}

/* A peer record that nobody uses: a fresh one, or that of the least recently used peer. Not in the list then. */
static struct limit_peer *peer_take(struct limit_table *t)
{
	struct limit_peer *p = t->oldest;

	if (t->used < t->max)
		return &t->peers[t->used++];
	list_remove(t, p);
	hash_remove(&t->hash, p->hash, p);
	return p;
}

static struct limit_peer *peer_new(struct limit_table *t, const struct addr *key, uint32_t hash)
{
	struct limit_peer *p = peer_take(t);

	*p = (struct limit_peer){.key = *key, .hash = hash};
	list_add(t, p);
	return hash_insert(&t->hash, hash, p) ? NULL
					      : p; /* not in the hash: forgotten when it is the oldest */
}

bool limit_table_ok(struct limit_table *t, msec now, const struct addr *peer, uint32_t *ret_suppressed)
{
	/* One IPv6 site has 2^64 addresses to send from, so it counts as one. */
	struct addr key = prefix_of(peer, peer->family == AF_INET6 ? 64 : 32).addr;
	uint32_t hash = hash_bytes(&key, sizeof(key), t->seed);
	struct limit_peer *p = hash_find(&t->hash, hash, has_key, &key);

	if (p) {
		list_remove(t, p);
		list_add(t, p);
	} else {
		p = peer_new(t, &key, hash);
	}
	if (!p || !limit_ok(&p->limit, now, t->rate, t->burst))
		return false;
	if (ret_suppressed)
		*ret_suppressed = p->limit.suppressed;
	p->limit.suppressed = 0;
	return true;
}
