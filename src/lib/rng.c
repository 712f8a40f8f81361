/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rng: the system's generator through a small buffer, or a seeded one (xoshiro256** by Blackman and Vigna, seeded by
 * splitmix64) for tests. Bytes that were handed out are wiped from the buffer, so a later leak of
 * memory does not tell earlier nonces.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/rng.h"

static uint64_t rotate(uint64_t v, unsigned by)
{
	return v << by | v >> (64 - by);
}

static uint64_t seeded_next(uint64_t s[4])
{
	uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

void rng_init_system(struct rng *r)
{
	*r = (struct rng){.seeded = false};
}

void rng_init_seed(struct rng *r, uint64_t seed)
{
	*r = (struct rng){.seeded = true};
	for (size_t i = 0; i < 4; i++) {
		uint64_t z = seed += 0x9e3779b97f4a7c15;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
		z = (z ^ z >> 27) * 0x94d049bb133111eb;
		r->state[i] = z ^ z >> 31;
	}
}

/* A daemon without random numbers must not go on: predictable identifiers are worse than none. */
static void refill(struct rng *r)
{
	size_t have = 0;

	while (have < sizeof(r->pool)) {
		ssize_t n = getrandom(r->pool + have, sizeof(r->pool) - have, 0);

		if (n > 0)
			have += (size_t)n;
		else if (n < 0 && errno != EINTR)
			abort();
	}
	r->left = sizeof(r->pool);
}

static void system_bytes(struct rng *r, uint8_t *dst, size_t n)
{
	while (n) {
		size_t take = n;
		uint8_t *from;

		if (!r->left)
			refill(r);
		if (take > r->left)
			take = r->left;
		from = r->pool + sizeof(r->pool) - r->left;
		memcpy(dst, from, take);
		explicit_bzero(from, take);
		r->left -= take;
		dst += take;
		n -= take;
	}
}

uint64_t rng_u64(struct rng *r)
{
	uint64_t v;

	if (r->seeded)
		return seeded_next(r->state);
	system_bytes(r, (uint8_t *)&v, sizeof(v));
	return v;
}

uint32_t rng_u32(struct rng *r)
{
	return (uint32_t)(rng_u64(r) >> 32);
}

uint32_t rng_below(struct rng *r, uint32_t bound)
{
	/* Multiply and shift maps 2^32 values to BOUND ones; the first 2^32 mod BOUND fractions would be too frequent. */
	uint32_t reject = bound ? -bound % bound : 0;
	uint64_t product;

	do
		product = (uint64_t)rng_u32(r) * bound;
	while ((uint32_t)product < reject);
	return (uint32_t)(product >> 32);
}

void rng_bytes(struct rng *r, void *dst, size_t n)
{
	uint8_t *p = dst;

	if (!r->seeded) {
		system_bytes(r, p, n);
		return;
	}
	while (n) {
		uint64_t v = seeded_next(r->state);
		size_t take = n < sizeof(v) ? n : sizeof(v);

		memcpy(p, &v, take);
		p += take;
		n -= take;
	}
}
