/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "lib/lookup.h"
#include "lib/pages.h"

enum { SLOTS_MIN = 8 };

/* What stands where something was removed: a look-up goes on behind it. Its number is 0, so it is never taken for one. */
static uint32_t removed(const struct lookup *x)
{
	return x->numbers + 1;
}

int lookup_make(struct lookup *ret, unsigned bits, uint32_t count)
{
	uint64_t size = SLOTS_MIN;
	uint32_t *slots;

	while (size * 3 / 8 < count)
		size *= 2;
	slots = pages_map(size * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	*ret = (struct lookup){.slots = slots, .mask = (uint32_t)(size - 1), .numbers = (1u << bits) - 1};
	return 0;
}

size_t lookup_bytes(const struct lookup *x)
{
	return x->slots ? ((size_t)x->mask + 1) * sizeof(*x->slots) : 0;
}

void lookup_free(struct lookup *x)
{
	pages_unmap(x->slots, lookup_bytes(x));
	*x = (struct lookup){0};
}

bool lookup_is_full(const struct lookup *x)
{
	uint64_t size = (uint64_t)x->mask + 1;

	return !x->slots || x->occupied + 1 > size - size / 4;
}

bool lookup_is_sparse(const struct lookup *x)
{
	uint64_t size = (uint64_t)x->mask + 1;

	return size > SLOTS_MIN && x->live < size / 8;
}

void lookup_add(struct lookup *x, uint32_t hash, uint32_t number)
{
	uint32_t i = hash & x->mask;

	while (x->slots[i] & x->numbers)
		i = (i + 1) & x->mask;
	x->occupied += !x->slots[i];
	x->live++;
	x->slots[i] = (hash & ~x->numbers) | number;
}

/* Where a look-up would end behind it anyway, nothing has to be kept in mind. */
static void clear(struct lookup *x, uint32_t i)
{
	x->live--;
	x->slots[i] = removed(x);
	if (x->slots[(i + 1) & x->mask])
		return;
	for (; x->slots[i] == removed(x); i = (i - 1) & x->mask) {
		x->slots[i] = 0;
		x->occupied--;
	}
}

bool lookup_remove(struct lookup *x, uint32_t hash, uint32_t number)
{
	uint32_t cursor = 0, found;

	while ((found = lookup_next(x, hash, &cursor)))
		if (found == number) {
			clear(x, (hash + cursor - 1) & x->mask);
			return true;
		}
	return false;
}
