/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pool: slabs come from mmap at addresses that are multiples of their 64 KiB, so the slab of an object is found
 * by clearing the low bits of its address, and an object has no header. Objects are cut from a slab one by one:
 * memory that nobody asked for yet is not touched. A list head for each state: partial, full, and one spare.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/pool.h"

#if defined(__SANITIZE_ADDRESS__)
#define POOL_SEPARATE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOL_SEPARATE 1
#endif
#endif
#ifndef POOL_SEPARATE
#define POOL_SEPARATE 0
#endif

enum { SLAB = 64 * 1024, ALIGN = 16 };

struct pool_slab {
	struct pool_slab *next, **link;
	void *freed;    /* objects that were given back, each holding a pointer to the next */
	uint32_t used;  /* objects in use */
	uint32_t cut;   /* objects ever cut */
	uint32_t total; /* objects that fit */
	size_t mapped;  /* bytes */
	uint8_t objects[] __attribute__((aligned(ALIGN)));
};

void pool_init(struct pool *p, size_t size)
{
	if (size < sizeof(void *))
		size = sizeof(void *);
	*p = (struct pool){.size = POOL_SEPARATE ? size : (size + ALIGN - 1) / ALIGN * ALIGN};
}

#if POOL_SEPARATE

void *pool_alloc(struct pool *p)
{
	void *object = calloc(1, p->size);

	if (object)
		p->used++;
	return object;
}

void pool_free(struct pool *p, void *object)
{
	if (!object)
		return;
	p->used--;
	free(object);
}

size_t pool_done(struct pool *p)
{
	return p->used;
}

#else

static void list_add(struct pool_slab **head, struct pool_slab *s)
{
	s->next = *head;
	s->link = head;
	if (s->next)
		s->next->link = &s->next;
	*head = s;
}

static void list_remove(struct pool_slab *s)
{
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
}

/* SIZE bytes at a multiple of SLAB: as the kernel gives them, or else cut out of a larger piece. */
static void *map_aligned(size_t size)
{
	uint8_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t before;

	if (p == MAP_FAILED)
		return NULL;
	if ((uintptr_t)p % SLAB == 0)
		return p;
	munmap(p, size);
	p = mmap(NULL, size + SLAB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	before = (SLAB - (uintptr_t)p % SLAB) % SLAB;
	if (before)
		munmap(p, before);
	if (before < SLAB)
		munmap(p + before + size, SLAB - before);
	return p + before;
}

static struct pool_slab *slab_new(size_t size)
{
	size_t total = (SLAB - sizeof(struct pool_slab)) / size;
	size_t mapped = total ? SLAB : (sizeof(struct pool_slab) + size + 4095) / 4096 * 4096;
	struct pool_slab *s = map_aligned(mapped);

	if (!s)
		return NULL;
	s->total = total ? (uint32_t)total : 1;
	s->mapped = mapped;
	return s;
}

static struct pool_slab *slab_of(void *object)
{
	return (struct pool_slab *)((uint8_t *)object - (uintptr_t)object % SLAB);
}

/* A slab with room, first in p->partial. */
static struct pool_slab *slab_ready(struct pool *p)
{
	struct pool_slab *s = p->partial;

	if (s)
		return s;
	s = p->spare;
	p->spare = NULL;
	if (!s)
		s = slab_new(p->size);
	if (s)
		list_add(&p->partial, s);
	return s;
}

void *pool_alloc(struct pool *p)
{
	struct pool_slab *s = slab_ready(p);
	void *object;

	if (!s)
		return NULL;
	object = s->freed;
	if (object) {
		memcpy(&s->freed, object, sizeof(s->freed));
		memset(object, 0, p->size);
	} else {
		object = s->objects + s->cut++ * p->size; /* fresh from mmap, hence zero */
	}
	p->used++;
	if (++s->used == s->total) {
		list_remove(s);
		list_add(&p->full, s);
	}
	return object;
}

void pool_free(struct pool *p, void *object)
{
	struct pool_slab *s;

	if (!object)
		return;
	s = slab_of(object);
	assert(s->used && ((uint8_t *)object - s->objects) % p->size == 0);
	memcpy(object, &s->freed, sizeof(s->freed));
	s->freed = object;
	p->used--;
	if (s->used-- == s->total) {
		list_remove(s);
		list_add(&p->partial, s);
	}
	if (s->used)
		return;
	list_remove(s);
	if (p->spare)
		munmap(s, s->mapped);
	else
		p->spare = s;
}

static void slabs_free(struct pool_slab *s)
{
	while (s) {
		struct pool_slab *next = s->next;

		munmap(s, s->mapped);
		s = next;
	}
}

size_t pool_done(struct pool *p)
{
	size_t leaked = p->used;

	slabs_free(p->partial);
	slabs_free(p->full);
	if (p->spare)
		munmap(p->spare, p->spare->mapped);
	*p = (struct pool){.size = p->size};
	return leaked;
}

#endif
