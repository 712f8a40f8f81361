/*
 * rng: random numbers, injected so that a simulation can be replayed.
 *
 * A seeded generator is reproducible (xoshiro256**) and good for tests only. The system generator reads
 * getrandom(2) through a small buffer; identifiers, challenges and nonces of a running daemon come from it.
 */
#ifndef LIB_RNG_H
#define LIB_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rng {
	bool seeded;
	uint64_t state[4];
	uint8_t pool[256];
	size_t left; /* unread bytes at the end of pool */
};

void rng_init_system(struct rng *r);
void rng_init_seed(struct rng *r, uint64_t seed);
uint32_t rng_u32(struct rng *r);
uint64_t rng_u64(struct rng *r);
/* Evenly in 0..bound-1; bound > 0. */
uint32_t rng_below(struct rng *r, uint32_t bound);
void rng_bytes(struct rng *r, void *dst, size_t n);

#endif
