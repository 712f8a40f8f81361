/*
 * hash: a hash table of pointers to items that the caller owns.
 *
 * Open addressing with linear probing, the 32-bit hash stored beside the pointer; grows at 3/4 and shrinks
 * when an eighth is used. Keys stay inside the items: a look-up gives the hash of its key and a function
 * that says whether an item has it. Hash functions are keyed (hash_seed) where a stranger chooses the key.
 */
#ifndef LIB_HASH_H
#define LIB_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hash_slot {
	void *item; /* NULL: free */
	uint32_t hash;
};

struct hash {
	struct hash_slot *slots;
	uint32_t mask; /* number of slots - 1, or 0 while slots is NULL */
	uint32_t count;
};

typedef bool hash_match(const void *item, const void *key);

/* A zeroed struct hash is an empty table. */
void hash_free(struct hash *h); /* frees the slots, never the items */
/* The item whose hash is HASH and for which MATCH says yes, or NULL. */
void *hash_find(const struct hash *h, uint32_t hash, hash_match *match, const void *key);
/* 0 or -ENOMEM. Does not look for duplicates. */
int hash_insert(struct hash *h, uint32_t hash, void *item);
/* Removes exactly ITEM (by pointer); false when it is not there. */
bool hash_remove(struct hash *h, uint32_t hash, const void *item);
/* Walks over all items: start with *cursor = 0; NULL at the end. The table must not change meanwhile. */
void *hash_next(const struct hash *h, uint32_t *cursor);

/* A keyed hash of N bytes (wyhash or murmur class quality, not cryptographic). */
uint32_t hash_bytes(const void *data, size_t n, uint64_t seed);
uint32_t hash_u64(uint64_t v, uint64_t seed);

#endif
