/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list, sorted by address and length, so that a prefix stands before all that is inside it. What contains a given prefix is then the last entry not
 * behind it or one of those around that entry: a chain that each entry begins by naming the next larger one.
 */
#include "bgp/policy_index.h"

#include <stdlib.h>

enum { NOBODY = UINT16_MAX };

struct entry {
	struct policy_prefix of;
	uint16_t
		around; /* the nearest entry before it that contains it, or the same prefix once more; NOBODY */
};

struct policy_index {
	unsigned count;
	struct entry entries[];
};

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return prefix_compare(&x->of.prefix, &y->of.prefix);
}

/* From entry AT outwards to the first one that contains P. */
static uint16_t find_around(const struct policy_index *i, uint16_t at, const struct prefix *p)
{
	while (at != NOBODY && !prefix_contains(&i->entries[at].of.prefix, p))
		at = i->entries[at].around;
	return at;
}

struct policy_index *policy_index_new(const struct policy_prefix *prefixes, unsigned count)
{
	struct policy_index *i = calloc(1, sizeof(*i) + count * sizeof(i->entries[0]));

	if (!i)
		return NULL;
	i->count = count;
	for (unsigned n = 0; n < count; n++)
		i->entries[n].of = prefixes[n];
	qsort(i->entries, count, sizeof(i->entries[0]), compare_entries);
	for (unsigned n = 0; n < count; n++)
		i->entries[n].around =
			find_around(i, n ? (uint16_t)(n - 1) : NOBODY, &i->entries[n].of.prefix);
	return i;
}

void policy_index_free(struct policy_index *i)
{
	free(i);
}

/* The last entry that is not behind P. */
static uint16_t find_last(const struct policy_index *i, const struct prefix *p)
{
	unsigned low = 0, high = i->count;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (prefix_compare(&i->entries[middle].of.prefix, p) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? (uint16_t)(low - 1) : NOBODY;
}

bool policy_index_has(const struct policy_index *i, const struct prefix *p)
{
	for (uint16_t at = find_around(i, find_last(i, p), p); at != NOBODY; at = i->entries[at].around)
		if (p->len >= i->entries[at].of.min && p->len <= i->entries[at].of.max)
			return true;
	return false;
}
