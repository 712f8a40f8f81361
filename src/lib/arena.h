/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arena: many objects of one size, named by numbers of 32 bits.
 *
 * Where millions of objects refer to each other, a number costs half a pointer. Numbers begin at 1 and are given again, the lowest chunk with a free place
 * first; objects come zeroed and never move. Chunks (ARENA_CHUNK objects) go back to the system when all their objects are free, but for one spare.
 */
#ifndef LIB_ARENA_H
#define LIB_ARENA_H

#include <stddef.h>
#include <stdint.h>

enum { ARENA_SHIFT = 10, ARENA_CHUNK = 1 << ARENA_SHIFT };

struct arena_chunk;

struct arena {
	size_t size; /* of an object */
	struct arena_chunk **chunks;
	uint32_t chunk_count, chunk_room;
	uint32_t hint; /* no chunk below has a free place */
	uint32_t used;
};

void arena_init(struct arena *a, size_t size);
void arena_done(struct arena *a);
uint32_t arena_alloc(struct arena *a, void **ret); /* 0: no memory */
void arena_free(struct arena *a, uint32_t id);
void *arena_get(const struct arena *a, uint32_t id); /* NULL for 0 and for what is free */
/* The smallest used number above AFTER; 0: none. */
uint32_t arena_next(const struct arena *a, uint32_t after);
size_t arena_bytes(const struct arena *a);

#endif
