/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arena: many objects of one size, named by numbers of 32 bits.
 *
 * Where millions of objects refer to each other, a number costs half a pointer. Numbers begin at 1 and are given again, the lowest chunk with a free place
 * first; objects come zeroed and never move. Chunks (ARENA_CHUNK objects) go back to the system when all their objects are free, but for one spare
 * (lib/pages): nothing that others have allocated keeps them.
 *
 * A size that is a multiple of four fills whole pages. What is known of a chunk lies apart from its objects, so that arena_at() touches only a
 * row of pointers before the object itself.
 */
#ifndef LIB_ARENA_H
#define LIB_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ARENA_SHIFT = 10, ARENA_CHUNK = 1 << ARENA_SHIFT, ARENA_CHUNKS = 1 << (32 - ARENA_SHIFT) };

/* Which objects of a chunk are used. */
struct arena_chunk {
	uint64_t used[ARENA_CHUNK / 64];
	uint32_t count;
};

struct arena {
	size_t size;       /* of an object */
	uint8_t **objects; /* of each chunk; NULL: it has no memory now */
	struct arena_chunk *chunks;
	uint32_t chunk_count, chunk_room;
	uint32_t hint;  /* no chunk below has a free place */
	uint8_t *spare; /* memory of a chunk, or NULL */
	uint32_t used;
};

void arena_init(struct arena *a, size_t size);
void arena_done(struct arena *a);                  /* frees all objects; A may be used again */
uint32_t arena_alloc(struct arena *a, void **ret); /* 0: no memory */
void arena_free(struct arena *a, uint32_t id);     /* 0 and what is free: nothing */
/* The smallest used number above AFTER; 0: none. */
uint32_t arena_next(const struct arena *a, uint32_t after);
size_t arena_bytes(const struct arena *a); /* of memory, all in all */

/* ID has to be that of a used object. */
static inline void *arena_at(const struct arena *a, uint32_t id)
{
	return a->objects[(id - 1) >> ARENA_SHIFT] + (size_t)((id - 1) & (ARENA_CHUNK - 1)) * a->size;
}

static inline bool arena_has(const struct arena *a, uint32_t id)
{
	uint32_t index = id - 1, chunk = index >> ARENA_SHIFT;

	return id && chunk < a->chunk_count &&
	       (a->chunks[chunk].used[(index & (ARENA_CHUNK - 1)) / 64] >> (index % 64) & 1);
}

/* NULL for 0 and for what is free. */
static inline void *arena_get(const struct arena *a, uint32_t id)
{
	return arena_has(a, id) ? arena_at(a, id) : NULL;
}

#endif
