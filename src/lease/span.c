/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ordered set of prefixes. A span is on the next level up with a chance of 1 in 4, so that it has 4/3 links on average. */
#include "lease/span.h"

#include <stdlib.h>

#include "lib/hash.h"

uint64_t span_key(const struct addr *a)
{
	uint64_t key = 0;

	for (unsigned i = 0; i < (a->family == AF_INET ? 4 : 8); i++)
		key = key << 8 | a->bytes[i];
	return key;
}

static bool is_ipv4(uint64_t key)
{
	return key >> (64 - SPAN_IPV4_BITS) == 0;
}

bool span_holds(const struct prefix *p)
{
	if (p->addr.family == AF_INET)
		return p->len <= 32;
	return p->addr.family == AF_INET6 && p->len >= 1 && p->len <= 64 && !is_ipv4(span_key(&p->addr));
}

struct prefix span_prefix(const struct span *n)
{
	bool v4 = is_ipv4(n->first);
	unsigned size = v4 ? 4 : 8;
	struct prefix p = {
		.addr.family = v4 ? AF_INET : AF_INET6, .len = v4 ? n->len - SPAN_IPV4_BITS : n->len};

	for (unsigned i = 0; i < size; i++)
		p.addr.bytes[i] = (uint8_t)(n->first >> (8 * (size - 1 - i)));
	return p;
}

static uint8_t draw_levels(const struct span_set *set, uint64_t first)
{
	uint32_t h = hash_u64(first, set->seed);
	uint8_t levels = 1;

	while (levels < SPAN_LEVELS && (h & 3) == 0) {
		h >>= 2;
		levels++;
	}
	return levels;
}

struct span *span_new(const struct span_set *set, const struct prefix *p, void *owner)
{
	uint64_t first = span_key(&p->addr);
	uint8_t levels = draw_levels(set, first);
	struct span *n = calloc(1, sizeof(*n) + levels * sizeof(struct span *));

	if (!n)
		return NULL;
	n->first = first;
	n->len = span_bits(p->addr.family, p->len);
	n->owner = owner;
	n->levels = levels;
	return n;
}

/*
 * The last span that starts before KEY (NULL: none). RET_LINKS, when given, gets for every level the link that
 * leads to the first span at KEY or behind it.
 */
static struct span *search(const struct span_set *set, uint64_t key, struct span **ret_links[SPAN_LEVELS])
{
	struct span *const *links = set->head;
	struct span *before = NULL;

	for (unsigned level = SPAN_LEVELS; level-- > 0;) {
		while (links[level] && links[level]->first < key) {
			before = links[level];
			links = before->next;
		}
		if (ret_links)
			ret_links[level] = (struct span **)&links[level];
	}
	return before;
}

void span_link(struct span_set *set, struct span *n)
{
	struct span **links[SPAN_LEVELS];

	search(set, n->first, links);
	for (unsigned level = 0; level < n->levels; level++) {
		n->next[level] = *links[level];
		*links[level] = n;
	}
	set->count++;
}

void span_unlink(struct span_set *set, struct span *n)
{
	struct span **links[SPAN_LEVELS];

	search(set, n->first, links);
	for (unsigned level = 0; level < n->levels; level++)
		*links[level] = n->next[level];
	set->count--;
}

struct span *span_from(const struct span_set *set, uint64_t key)
{
	struct span *before = search(set, key, NULL);

	if (before && span_last(before) >= key)
		return before;
	return before ? before->next[0] : set->head[0];
}

struct span *span_overlap(const struct span_set *set, uint64_t first, uint64_t last)
{
	struct span *n = span_from(set, first);

	return n && n->first <= last ? n : NULL;
}
