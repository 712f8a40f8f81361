/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
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

/* ---- memory of sets ---- */

/*
 * A set's number is which arena it is in, and its number there. Sizes are steps of sixteen octets from that of an empty set on; nearly all sets are
 * shorter than the last step.
 */
enum { SET_BITS = 28, ID_BITS = 23, ID_MASK = (1 << ID_BITS) - 1, STEP = 16, LONG = BGP_SET_SIZES - 1 };

static size_t set_size(size_t len)
{
	size_t size = offsetof(struct bgp_set, bytes) + len;

	return size < sizeof(struct bgp_set) ? sizeof(struct bgp_set) : size;
}

static unsigned size_class(size_t len)
{
	size_t steps = (set_size(len) - sizeof(struct bgp_set) + STEP - 1) / STEP;

	return steps < LONG ? (unsigned)steps : LONG;
}

/* What a set of LEN octets takes. */
static size_t memory_size(size_t len)
{
	unsigned class = size_class(len);

	return class == LONG ? set_size(len) + sizeof(void *)
			     : sizeof(struct bgp_set) + (size_t) class * STEP;
}

static struct bgp_set *set_at(const struct bgp_sets *s, uint32_t number)
{
	void *object = arena_at(&s->sizes[number >> ID_BITS], number & ID_MASK);

	return number >> ID_BITS == LONG ? *(struct bgp_set **)object : object;
}

/* Memory for a set of LEN octets, with its number in it. NULL: none. */
static struct bgp_set *memory_take(struct bgp_sets *s, size_t len)
{
	unsigned class = size_class(len);
	struct bgp_set *set = NULL;
	void *object;
	uint32_t id = arena_alloc(&s->sizes[class], &object);

	if (!id)
		return NULL;
	if (id <= ID_MASK)
		set = class == LONG ? malloc(set_size(len)) : object;
	if (!set) {
		arena_free(&s->sizes[class], id);
		return NULL;
	}
	if (class == LONG)
		*(struct bgp_set **)object = set;
	set->number = class << ID_BITS | id;
	s->bytes += memory_size(len);
	return set;
}

static void memory_give(struct bgp_sets *s, struct bgp_set *set)
{
	uint32_t number = set->number;

	s->bytes -= memory_size(set->len);
	if (number >> ID_BITS == LONG)
		free(set);
	arena_free(&s->sizes[number >> ID_BITS], number & ID_MASK);
}

/* The next number of all sets, or 0. */
static uint32_t number_next(const struct bgp_sets *s, uint32_t after)
{
	for (unsigned class = after >> ID_BITS; class < BGP_SET_SIZES; class ++) {
		uint32_t id = arena_next(&s->sizes[class], class == after >> ID_BITS ? after & ID_MASK : 0);

		if (id)
			return class << ID_BITS | id;
	}
	return 0;
}

/* ---- sets ---- */

/* A next hop's place in memory is its name as long as it has sets. */
static uint32_t set_hash(const struct bgp_sets *s, struct reader bytes, const struct bgp_next_hop *n)
{
	return hash_bytes(bytes.pos, reader_left(&bytes), s->seed ^ (uintptr_t)n);
}

static struct bgp_set *set_search(
	const struct bgp_sets *s, uint32_t hash, struct reader bytes, const struct bgp_next_hop *n)
{
	size_t len = reader_left(&bytes);
	uint32_t cursor = 0, number;

	while ((number = lookup_next(&s->lookup, hash, &cursor))) {
		struct bgp_set *set = set_at(s, number);

		if (set->next_hop == n && set->len == len && (!len || !memcmp(set->bytes, bytes.pos, len)))
			return set;
	}
	return NULL;
}

static int lookup_renew(struct bgp_sets *s)
{
	struct lookup fresh;

	if (lookup_make(&fresh, SET_BITS, s->lookup.live))
		return -ENOMEM;
	for (uint32_t number = number_next(s, 0); number; number = number_next(s, number)) {
		const struct bgp_set *set = set_at(s, number);

		lookup_add(&fresh, set_hash(s, bgp_set_reader(set), set->next_hop), number);
	}
	lookup_free(&s->lookup);
	s->lookup = fresh;
	return 0;
}

void bgp_sets_init(struct bgp_sets *s, uint64_t seed,
	void (*wanted)(struct bgp_sets *s, struct bgp_next_hop *n, bool wanted))
{
	*s = (struct bgp_sets){.seed = seed, .wanted = wanted};
	for (unsigned class = 0; class < BGP_SET_SIZES; class ++)
		arena_init(&s->sizes[class],
			class == LONG ? sizeof(void *) : sizeof(struct bgp_set) + (size_t) class * STEP);
}

void bgp_sets_done(struct bgp_sets *s)
{
	uint32_t cursor = 0;
	void *item;

	for (uint32_t number = number_next(s, LONG << ID_BITS); number; number = number_next(s, number))
		free(set_at(s, number));
	for (unsigned class = 0; class < BGP_SET_SIZES; class ++)
		arena_done(&s->sizes[class]);
	lookup_free(&s->lookup);
	while ((item = hash_next(&s->next_hops, &cursor)))
		free(item);
	hash_free(&s->next_hops);
	s->bytes = 0;
}

static struct bgp_set *set_new(struct bgp_sets *s, uint32_t hash, struct reader bytes,
	const struct bgp_facts *facts, struct bgp_next_hop *next_hop)
{
	size_t len = reader_left(&bytes);
	struct bgp_set *set;

	if (lookup_is_full(&s->lookup) && lookup_renew(s))
		return NULL;
	set = memory_take(s, len);
	if (!set)
		return NULL;
	set->refs = 1;
	set->next_hop = next_hop;
	set->len = (uint16_t)len;
	if (len)
		memcpy(set->bytes, bytes.pos, len);
	if (facts)
		set->facts = *facts;
	else
		bgp_facts_of(bgp_set_reader(set), &set->facts);
	lookup_add(&s->lookup, hash, set->number);
	return set;
}

const struct bgp_set *bgp_set_get(struct bgp_sets *s, struct reader set, const struct bgp_facts *facts,
	const struct bgp_next_hop_value *next_hop, unsigned interface)
{
	static const struct bgp_next_hop_value nowhere;
	struct bgp_next_hop *n;
	struct bgp_set *found;
	uint32_t hash;

	if (reader_left(&set) > BGP_SET_MAX)
		return NULL;
	n = next_hop_get(s, next_hop ? next_hop : &nowhere, interface);
	if (!n)
		return NULL;
	hash = set_hash(s, set, n);
	found = set_search(s, hash, set, n);
	if (found) {
		found->refs++;
		return found;
	}
	found = set_new(s, hash, set, facts, n);
	if (found && !n->refs++)
		tell_wanted(s, n, true);
	else if (!found && !n->refs)
		next_hop_free(s, n);
	return found;
}

const struct bgp_set *bgp_sets_next(const struct bgp_sets *s, uint32_t *cursor)
{
	*cursor = number_next(s, *cursor);
	return *cursor ? set_at(s, *cursor) : NULL;
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
	(void)lookup_remove(&s->lookup, set_hash(s, bgp_set_reader(mine), n), mine->number);
	memory_give(s, mine);
	if (lookup_is_sparse(&s->lookup))
		(void)lookup_renew(s); /* without memory it stays large */
	if (--n->refs)
		return;
	tell_wanted(s, n, false);
	next_hop_free(s, n);
}
