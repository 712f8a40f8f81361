/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hash: linear probing with backward-shift deletion, so there are no tombstones and a look-up ends at the
 * first free slot.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hash.h"

enum { MIN_SLOTS = 8 };

void hash_free(struct hash *h)
{
	free(h->slots);
	*h = (struct hash){0};
}

void *hash_find(const struct hash *h, uint32_t hash, hash_match *match, const void *key)
{
	if (!h->slots)
		return NULL;
	for (uint32_t i = hash & h->mask; h->slots[i].item; i = (i + 1) & h->mask)
		if (h->slots[i].hash == hash && match(h->slots[i].item, key))
			return h->slots[i].item;
	return NULL;
}

static void place(struct hash_slot *slots, uint32_t mask, struct hash_slot slot)
{
	uint32_t i = slot.hash & mask;

	while (slots[i].item)
		i = (i + 1) & mask;
	slots[i] = slot;
}

static int resize(struct hash *h, size_t n)
{
	struct hash_slot *slots = calloc(n, sizeof(*slots));
	uint32_t mask = (uint32_t)(n - 1);

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; h->slots && i <= h->mask; i++)
		if (h->slots[i].item)
			place(slots, mask, h->slots[i]);
	free(h->slots);
	h->slots = slots;
	h->mask = mask;
	return 0;
}

int hash_insert(struct hash *h, uint32_t hash, void *item)
{
	size_t n = h->slots ? (size_t)h->mask + 1 : 0;

	if (h->count + 1 > n - n / 4) {
		size_t larger = n ? n * 2 : MIN_SLOTS;
		int rc = larger > (size_t)1 << 31 ? -ENOMEM : resize(h, larger);

		if (rc)
			return rc;
	}
	place(h->slots, h->mask, (struct hash_slot){.item = item, .hash = hash});
	h->count++;
	return 0;
}

/* Empties slot HOLE and moves back the items behind it that would no longer be found past a free slot. */
static void close_gap(struct hash *h, uint32_t hole)
{
	for (uint32_t i = (hole + 1) & h->mask; h->slots[i].item; i = (i + 1) & h->mask) {
		uint32_t probed = (i - h->slots[i].hash) & h->mask; /* steps from its own slot to i */

		if (probed >= ((i - hole) & h->mask)) {
			h->slots[hole] = h->slots[i];
			hole = i;
		}
	}
	h->slots[hole] = (struct hash_slot){0};
}

bool hash_remove(struct hash *h, uint32_t hash, const void *item)
{
	uint32_t i = hash & h->mask;
	size_t n = (size_t)h->mask + 1;

	if (!h->slots || !item)
		return false;
	while (h->slots[i].item != item) {
		if (!h->slots[i].item)
			return false;
		i = (i + 1) & h->mask;
	}
	close_gap(h, i);
	h->count--;
	if (n > MIN_SLOTS && h->count < n / 8)
		(void)resize(h, n / 2); /* without memory it stays large */
	return true;
}

void *hash_next(const struct hash *h, uint32_t *cursor)
{
	if (!h->slots)
		return NULL;
	while (*cursor <= h->mask) {
		void *item = h->slots[(*cursor)++].item;

		if (item)
			return item;
	}
	return NULL;
}

/* The product of two words folded to one: each bit of the result depends on nearly all bits of both. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	memcpy(&v, p, n);
	return v;
}

static const uint64_t odd[] = {0xa0761d6478bd642f, 0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3};

uint32_t hash_bytes(const void *data, size_t n, uint64_t seed)
{
	const uint8_t *p = data;
	uint64_t a = 0, b = 0, state = mix(seed ^ odd[0], odd[1]) ^ n;

	for (; n > 16; n -= 16, p += 16)
		state = mix(load(p, 8) ^ odd[1] ^ seed, load(p + 8, 8) ^ state);
	if (n > 8) {
		a = load(p, 8);
		b = load(p + 8, n - 8);
	} else if (n) {
		a = load(p, n);
	}
	state = mix(a ^ odd[1] ^ seed, b ^ state);
	state = mix(state ^ odd[2], odd[0] ^ seed);
	return (uint32_t)(state ^ state >> 32);
}

uint32_t hash_u64(uint64_t v, uint64_t seed)
{
	uint64_t state = mix(v ^ odd[1] ^ seed, seed ^ odd[0]);

	state = mix(state ^ odd[2], odd[1]);
	return (uint32_t)(state ^ state >> 32);
}
