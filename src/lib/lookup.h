/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lookup: which objects of an arena (lib/arena) may have a hash: numbers in an open table, four octets each. lib/hash for those whose pointers would
 * take too much.
 *
 * Linear probing; in the bits above a number are bits of the hash, so that nearly nothing else than what is looked for is looked at. What was removed
 * leaves a mark until the table is made anew. The table does not grow by itself, as it does not know the hashes: where it is full or sparse, the
 * owner makes another, and adds everything to it. Its memory is that of lib/pages.
 */
#ifndef LIB_LOOKUP_H
#define LIB_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lookup {
	uint32_t *slots;         /* NULL: none, and it is full */
	uint32_t mask;           /* number of slots - 1 */
	uint32_t live, occupied; /* slots with a number; these and those of which one was removed */
	uint32_t numbers;        /* the highest one: all bits that numbers may have */
};

/* An empty one with room for COUNT, and as many more, of numbers of BITS bits. 0 or -ENOMEM; *ret untouched then. */
int lookup_make(struct lookup *ret, unsigned bits, uint32_t count);
void lookup_free(struct lookup *x);
bool lookup_is_full(const struct lookup *x);   /* another has to be made before something is added */
bool lookup_is_sparse(const struct lookup *x); /* another would be smaller */
void lookup_add(struct lookup *x, uint32_t hash, uint32_t number);
bool lookup_remove(struct lookup *x, uint32_t hash, uint32_t number);
size_t lookup_bytes(const struct lookup *x);

/* The next number that may have HASH: begin with *cursor = 0; 0: no more. */
static inline uint32_t lookup_next(const struct lookup *x, uint32_t hash, uint32_t *cursor)
{
	while (x->slots) {
		uint32_t slot = x->slots[(hash + *cursor) & x->mask];
		uint32_t number =
			slot ^
			(hash & ~x->numbers); /* nothing above it only where the bits of the hash are the same */

		if (!slot)
			break;
		++*cursor;
		if (number - 1 < x->numbers)
			return number;
	}
	return 0;
}

/* HASH will be looked for soon. */
static inline void lookup_expect(const struct lookup *x, uint32_t hash)
{
	if (x->slots)
		__builtin_prefetch(&x->slots[hash & x->mask]);
}

#endif
