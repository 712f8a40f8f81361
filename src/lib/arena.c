/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/pages.h"

/* The address sanitizer knows malloc(), and has to be told of this: what is free is not to be touched. It thinks in units of eight octets. */
#if defined(__has_feature)
#define HAS_SANITIZER __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define HAS_SANITIZER 1
#else
#define HAS_SANITIZER 0
#endif
#if HAS_SANITIZER
#include <sanitizer/asan_interface.h>
#define FORBID(p, size) ((size) % 8 ? (void)0 : __asan_poison_memory_region(p, size))
#define PERMIT(p, size) __asan_unpoison_memory_region(p, size)
#else
#define FORBID(p, size) ((void)0)
#define PERMIT(p, size) ((void)0)
#endif

enum { WORDS = ARENA_CHUNK / 64, FIRST_CHUNKS = 4 };

static size_t memory_size(const struct arena *a)
{
	return a->size * ARENA_CHUNK;
}

static uint8_t *memory_map(const struct arena *a)
{
	uint8_t *memory = pages_map(memory_size(a));

	if (memory)
		FORBID(memory, memory_size(a));
	return memory;
}

static void memory_unmap(const struct arena *a, uint8_t *memory)
{
	if (memory)
		PERMIT(memory, memory_size(a));
	pages_unmap(memory, memory_size(a));
}

void arena_init(struct arena *a, size_t size)
{
	*a = (struct arena){.size = size};
}

void arena_done(struct arena *a)
{
	for (uint32_t c = 0; c < a->chunk_count; c++)
		memory_unmap(a, a->objects[c]);
	memory_unmap(a, a->spare);
	free(a->objects);
	free(a->chunks);
	arena_init(a, a->size);
}

/* Room for the book-keeping of one more chunk. */
static bool reserve(struct arena *a)
{
	uint32_t room = a->chunk_room ? a->chunk_room * 2 : FIRST_CHUNKS;
	uint8_t **objects;
	struct arena_chunk *chunks;

	if (a->chunk_count < a->chunk_room)
		return true;
	if (room >= ARENA_CHUNKS)
		return false;
	objects = reallocarray(a->objects, room, sizeof(*objects));
	if (!objects)
		return false;
	a->objects = objects;
	chunks = reallocarray(a->chunks, room, sizeof(*chunks));
	if (!chunks)
		return false;
	a->chunks = chunks;
	a->chunk_room = room;
	return true;
}

/* Makes chunk C, the lowest that is not full, one with memory. */
static bool provide(struct arena *a, uint32_t c)
{
	uint8_t *memory;

	if (c == a->chunk_count && !reserve(a))
		return false;
	if (c < a->chunk_count && a->objects[c])
		return true;
	memory = a->spare ? a->spare : memory_map(a);
	if (!memory)
		return false;
	a->spare = NULL;
	if (c == a->chunk_count) {
		a->chunks[c] = (struct arena_chunk){0};
		a->chunk_count++;
	}
	a->objects[c] = memory;
	return true;
}

uint32_t arena_alloc(struct arena *a, void **ret)
{
	uint32_t c = a->hint, w = 0, bit;
	struct arena_chunk *chunk;

	while (c < a->chunk_count && a->chunks[c].count == ARENA_CHUNK)
		c++;
	a->hint = c;
	if (!provide(a, c))
		return 0;
	chunk = &a->chunks[c];
	while (!~chunk->used[w])
		w++;
	bit = (uint32_t)__builtin_ctzll(~chunk->used[w]);
	chunk->used[w] |= 1ull << bit;
	chunk->count++;
	a->used++;
	*ret = a->objects[c] + (w * 64 + bit) * a->size;
	PERMIT(*ret, a->size);
	memset(*ret, 0, a->size);
	return (c << ARENA_SHIFT) + w * 64 + bit + 1;
}

/* Chunk C is empty. */
static void release(struct arena *a, uint32_t c)
{
	if (a->spare)
		memory_unmap(a, a->objects[c]);
	else
		a->spare = a->objects[c];
	a->objects[c] = NULL;
	while (a->chunk_count && !a->objects[a->chunk_count - 1])
		a->chunk_count--;
}

void arena_free(struct arena *a, uint32_t id)
{
	uint32_t index = id - 1, c = index >> ARENA_SHIFT;
	struct arena_chunk *chunk;

	if (!arena_has(a, id))
		return;
	chunk = &a->chunks[c];
	FORBID(arena_at(a, id), a->size);
	chunk->used[(index & (ARENA_CHUNK - 1)) / 64] &= ~(1ull << index % 64);
	a->used--;
	if (!--chunk->count)
		release(a, c);
	if (c < a->hint)
		a->hint = c;
	if (a->hint > a->chunk_count)
		a->hint = a->chunk_count;
}

uint32_t arena_next(const struct arena *a, uint32_t after)
{
	/* AFTER as an index is where to go on. */
	uint64_t mask = ~0ull << after % 64;

	for (uint32_t c = after >> ARENA_SHIFT, w = (after & (ARENA_CHUNK - 1)) / 64; c < a->chunk_count;
		c++, w = 0)
		for (; w < WORDS; w++, mask = ~0ull) {
			uint64_t word = a->chunks[c].used[w] & mask;

			if (word)
				return (c << ARENA_SHIFT) + w * 64 + (uint32_t)__builtin_ctzll(word) + 1;
		}
	return 0;
}

size_t arena_bytes(const struct arena *a)
{
	size_t chunks = a->spare != NULL;

	for (uint32_t c = 0; c < a->chunk_count; c++)
		chunks += a->objects[c] != NULL;
	return chunks * memory_size(a) + a->chunk_room * (sizeof(*a->objects) + sizeof(*a->chunks));
}
