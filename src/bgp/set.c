/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "bgp/set.h"

/* ---- next hops ---- */

struct next_hop_key {
	struct bgp_next_hop_value value;
	unsigned interface;
};

static bool next_hop_matches(const void *item, const void *key)
{
	const struct bgp_next_hop *n = item;
	const struct next_hop_key *k = key;

	return n->interface == k->interface && addr_equal(&n->value.global, &k->value.global) &&
	       addr_equal(&n->value.link_local, &k->value.link_local);
}

static uint32_t next_hop_hash(
	const struct bgp_sets *s, const struct bgp_next_hop_value *value, unsigned interface)
{
	return hash_bytes(value, sizeof(*value), s->seed ^ interface);
}

static bool has_address(const struct bgp_next_hop_value *value)
{
	return !addr_is_none(&value->global) || !addr_is_none(&value->link_local);
}

/* Found or made; without a reference. */
static struct bgp_next_hop *next_hop_get(
	struct bgp_sets *s, const struct bgp_next_hop_value *value, unsigned interface)
{
	struct next_hop_key key = {*value, interface};
	uint32_t hash = next_hop_hash(s, value, interface);
	struct bgp_next_hop *n = hash_find(&s->next_hops, hash, next_hop_matches, &key);

	if (n)
		return n;
	n = calloc(1, sizeof(*n));
	if (!n)
		return NULL;
	n->value = *value;
	n->interface = interface;
	n->answered = n->reached = !has_address(value);
	if (hash_insert(&s->next_hops, hash, n)) {
		free(n);
		return NULL;
	}
	return n;
}

static void next_hop_free(struct bgp_sets *s, struct bgp_next_hop *n)
{
	hash_remove(&s->next_hops, next_hop_hash(s, &n->value, n->interface), n);
	free(n);
}

static void tell_wanted(struct bgp_sets *s, struct bgp_next_hop *n, bool wanted)
{
	if (s->wanted && has_address(&n->value))
		s->wanted(s, n, wanted);
}

/* ---- sets ---- */

struct set_key {
	struct reader bytes;
	const struct bgp_next_hop *next_hop;
};

static bool set_matches(const void *item, const void *key)
{
	const struct bgp_set *set = item;
	const struct set_key *k = key;
	size_t len = reader_left(&k->bytes);

	return set->next_hop == k->next_hop && set->len == len &&
	       (!len || !memcmp(set->bytes, k->bytes.pos, len));
}

void bgp_sets_init(struct bgp_sets *s, uint64_t seed,
	void (*wanted)(struct bgp_sets *s, struct bgp_next_hop *n, bool wanted))
{
	*s = (struct bgp_sets){.seed = seed, .wanted = wanted};
}

void bgp_sets_done(struct bgp_sets *s)
{
	uint32_t cursor = 0;
	void *item;

	while ((item = hash_next(&s->sets, &cursor)))
		free(item);
	cursor = 0;
	while ((item = hash_next(&s->next_hops, &cursor)))
		free(item);
	hash_free(&s->sets);
	hash_free(&s->next_hops);
	s->bytes = 0;
}

static size_t set_size(size_t len)
{
	size_t size = offsetof(struct bgp_set, bytes) + len;

	return size < sizeof(struct bgp_set) ? sizeof(struct bgp_set) : size;
}

static struct bgp_set *set_new(struct bgp_sets *s, const struct set_key *key, uint32_t hash,
	const struct bgp_facts *facts, struct bgp_next_hop *next_hop)
{
	size_t len = reader_left(&key->bytes);
	struct bgp_set *set = malloc(set_size(len));

	if (!set)
		return NULL;
	set->refs = 1;
	set->hash = hash;
	set->next_hop = next_hop;
	set->len = (uint16_t)len;
	if (len)
		memcpy(set->bytes, key->bytes.pos, len);
	if (facts)
		set->facts = *facts;
	else
		bgp_facts_of(bgp_set_reader(set), &set->facts);
	if (hash_insert(&s->sets, hash, set)) {
		free(set);
		return NULL;
	}
	s->bytes += set_size(len);
	return set;
}

const struct bgp_set *bgp_set_get(struct bgp_sets *s, struct reader set, const struct bgp_facts *facts,
	const struct bgp_next_hop_value *next_hop, unsigned interface)
{
	static const struct bgp_next_hop_value nowhere;
	struct set_key key = {.bytes = set};
	struct bgp_next_hop *n;
	struct bgp_set *found;
	uint32_t hash;

	if (reader_left(&set) > BGP_SET_MAX)
		return NULL;
	n = next_hop_get(s, next_hop ? next_hop : &nowhere, interface);
	if (!n)
		return NULL;
	key.next_hop = n;
	/* A next hop's place in memory is its name as long as it has sets. */
	hash = hash_bytes(set.pos, reader_left(&set), s->seed ^ (uintptr_t)n);
	found = hash_find(&s->sets, hash, set_matches, &key);
	if (found) {
		found->refs++;
		return found;
	}
	found = set_new(s, &key, hash, facts, n);
	if (found && !n->refs++)
		tell_wanted(s, n, true);
	else if (!found && !n->refs)
		next_hop_free(s, n);
	return found;
}

const struct bgp_set *bgp_set_ref(const struct bgp_set *set)
{
	((struct bgp_set *)set)->refs++;
	return set;
}

void bgp_set_unref(struct bgp_sets *s, const struct bgp_set *set)
{
	struct bgp_set *mine = (struct bgp_set *)set;
	struct bgp_next_hop *n;

	if (!mine || --mine->refs)
		return;
	n = mine->next_hop;
	hash_remove(&s->sets, mine->hash, mine);
	s->bytes -= set_size(mine->len);
	free(mine);
	if (--n->refs)
		return;
	tell_wanted(s, n, false);
	next_hop_free(s, n);
}
