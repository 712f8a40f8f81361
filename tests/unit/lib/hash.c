/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of lib/hash: mostly a comparison at random with an array of flags. */
#include <string.h>

#include "check.h"
#include "lib/hash.h"
#include "lib/rng.h"

struct item {
	uint32_t key, hash;
	bool in;
};

static bool has_key(const void *item, const void *key)
{
	return ((const struct item *)item)->key == *(const uint32_t *)key;
}

enum { ITEMS = 500 };

static void compare(const struct hash *h, const struct item *items)
{
	uint32_t count = 0, walked = 0, cursor = 0;
	const struct item *it;

	for (uint32_t i = 0; i < ITEMS; i++) {
		const void *found = hash_find(h, items[i].hash, has_key, &i);

		assert_ptr_equal(found, items[i].in ? &items[i] : NULL);
		count += items[i].in;
	}
	while ((it = hash_next(h, &cursor))) {
		assert_true(it->in);
		walked++;
	}
	assert_int_equal(h->count, count);
	assert_int_equal(walked, count);
	if (h->slots)
		assert_true(h->count <= (h->mask + 1) / 4 * 3);
}

/* BITS: how many bits of hash there are; few make long clusters that wrap around the end. */
static void agree_with_model(unsigned bits, uint64_t seed)
{
	struct item items[ITEMS];
	struct hash h = {0};
	struct rng rng;

	rng_init_seed(&rng, seed);
	for (uint32_t i = 0; i < ITEMS; i++) /* the high end, so that probing wraps */
		items[i] = (struct item){
			.key = i, .hash = bits < 32 ? -1 - rng_below(&rng, 1u << bits) : rng_u32(&rng)};
	for (int step = 0; step < 20000; step++) {
		/* Fill and empty in waves, so that it grows and shrinks. */
		struct item *it = &items[rng_below(&rng, ITEMS)];
		bool want = rng_below(&rng, 10) < ((step / 4000) % 2 ? 1 : 9);

		if (want && !it->in)
			assert_int_equal(hash_insert(&h, it->hash, it), 0);
		else if (!want)
			assert_int_equal(hash_remove(&h, it->hash, it), it->in);
		else
			continue;
		it->in = want;
		if (step % 64 == 0)
			compare(&h, items);
	}
	compare(&h, items);
	hash_free(&h);
	assert_null(h.slots);
}

static void agrees_with_model_for_good_and_bad_hashes(void **state)
{
	agree_with_model(32, 1);
	agree_with_model(10, 2);
	agree_with_model(4, 3);
	agree_with_model(0, 4);
}

static void empty_table_needs_no_memory(void **state)
{
	struct hash h = {0};
	uint32_t key = 1, cursor = 0;

	assert_null(hash_find(&h, 1, has_key, &key));
	assert_false(hash_remove(&h, 1, &key));
	assert_null(hash_next(&h, &cursor));
	hash_free(&h);
}

static void shrinks_when_nearly_empty(void **state)
{
	static struct item items[10000];
	struct hash h = {0};

	for (uint32_t i = 0; i < ARRAY_SIZE(items); i++)
		assert_int_equal(hash_insert(&h, hash_u64(i, 5), &items[i]), 0);
	assert_int_equal(h.mask, 16383);
	for (uint32_t i = 0; i < ARRAY_SIZE(items); i++)
		assert_true(hash_remove(&h, hash_u64(i, 5), &items[i]));
	assert_int_equal(h.mask, 7);
	assert_int_equal(h.count, 0);
	hash_free(&h);
}

/* Every input bit changes each output bit about half of the time. */
static void every_bit_of_input_matters(void **state)
{
	static const size_t lengths[] = {1, 3, 8, 9, 16, 17, 24, 33};
	uint8_t data[33];
	struct rng rng;

	rng_init_seed(&rng, 9);
	for (size_t n = 0; n < ARRAY_SIZE(lengths); n++)
		for (size_t bit = 0; bit < lengths[n] * 8; bit++) {
			unsigned flips[32] = {0};

			for (int round = 0; round < 400; round++) {
				uint32_t before, changed;

				rng_bytes(&rng, data, sizeof(data));
				before = hash_bytes(data, lengths[n], 77);
				data[bit / 8] ^= (uint8_t)(1 << bit % 8);
				changed = before ^ hash_bytes(data, lengths[n], 77);
				for (int out = 0; out < 32; out++)
					flips[out] += changed >> out & 1;
			}
			for (int out = 0; out < 32; out++)
				assert_in_range(flips[out], 130, 270);
		}
}

static void length_and_seed_matter(void **state)
{
	static const uint8_t zeros[64];

	for (size_t n = 1; n < sizeof(zeros); n++)
		assert_int_not_equal(hash_bytes(zeros, n, 1), hash_bytes(zeros, n - 1, 1));
	assert_int_not_equal(hash_bytes(zeros, 8, 1), hash_bytes(zeros, 8, 2));
	assert_int_not_equal(hash_u64(1, 1), hash_u64(1, 2));
	assert_int_equal(hash_bytes(NULL, 0, 1), hash_bytes(zeros, 0, 1));
}

static void sequential_keys_spread(void **state)
{
	static uint16_t low[1 << 12];
	unsigned worst = 0;

	for (uint64_t i = 0; i < 1 << 16; i++) {
		unsigned n = ++low[hash_u64(i << 16, 3) & 0xfff];

		worst = n > worst ? n : worst;
	}
	assert_in_range(worst, 17, 45); /* 16 on average */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_model_for_good_and_bad_hashes),
		cmocka_unit_test(empty_table_needs_no_memory),
		cmocka_unit_test(shrinks_when_nearly_empty),
		cmocka_unit_test(every_bit_of_input_matters),
		cmocka_unit_test(length_and_seed_matter),
		cmocka_unit_test(sequential_keys_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
