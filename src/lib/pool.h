/*
 * pool: a slab allocator for many objects of one size.
 *
 * Slabs are 64 KiB (or one object, when larger) and are returned to the system when all their objects are
 * free, except for one spare. Objects come zeroed. In sanitizer builds each object is a malloc of its own,
 * so that use after free is seen.
 */
#ifndef LIB_POOL_H
#define LIB_POOL_H

#include <stddef.h>

struct pool_slab;

struct pool {
	size_t size; /* of an object, in bytes */
	struct pool_slab *partial, *full, *spare;
	size_t used; /* objects in use */
};

void pool_init(struct pool *p, size_t size);
void *pool_alloc(struct pool *p); /* zeroed; NULL when memory is short */
void pool_free(struct pool *p, void *object);
/* Frees all slabs. Objects still in use are a leak: returns their number. */
size_t pool_done(struct pool *p);

#endif
