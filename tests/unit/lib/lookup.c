/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of lib/lookup: a comparison at random with an array of hashes. */
#include <errno.h>
#include <string.h>

#include "check.h"
#include "lib/lookup.h"
#include "lib/rng.h"
#include "scarce.h"

enum { NUMBERS = 600, BITS = 12 };

static struct {
	bool in;
	uint32_t hash;
} model[NUMBERS + 1];

static void make_anew(struct lookup *x)
{
	struct lookup fresh;

	assert_int_equal(lookup_make(&fresh, BITS, x->live), 0);
	for (uint32_t n = 1; n <= NUMBERS; n++)
		if (model[n].in)
			lookup_add(&fresh, model[n].hash, n);
	assert_int_equal(fresh.live, x->live);
	lookup_free(x);
	*x = fresh;
}

static bool finds(const struct lookup *x, uint32_t hash, uint32_t number, unsigned *looked)
{
	uint32_t cursor = 0, found;

	for (; (found = lookup_next(x, hash, &cursor)); ++*looked) {
		assert_in_range(found, 1, NUMBERS);
		if (found == number)
			return true;
	}
	return false;
}

static void compare(const struct lookup *x)
{
	uint32_t count = 0;
	unsigned looked = 0;

	for (uint32_t n = 1; n <= NUMBERS; n++) {
		assert_int_equal(finds(x, model[n].hash, n, &looked), model[n].in);
		count += model[n].in;
	}
	assert_int_equal(x->live, count);
	assert_true(x->occupied >= x->live);
	if (x->slots)
		assert_true(x->occupied <= x->mask);
}

/* MASK: bits that hashes have. */
static void agree_with_model(uint32_t mask, uint64_t seed)
{
	struct lookup x = {0};
	struct rng rng;

	memset(model, 0, sizeof(model));
	rng_init_seed(&rng, seed);
	for (uint32_t n = 1; n <= NUMBERS; n++)
		model[n].hash = rng_u32(&rng) & mask;
	for (unsigned step = 0; step < 20000; step++) { /* it fills and empties in waves */
		uint32_t n = 1 + rng_below(&rng, NUMBERS);
		bool want = rng_below(&rng, 10) < (step / 4000 % 2 ? 1 : 9);

		if (want && !model[n].in) {
			if (lookup_is_full(&x))
				make_anew(&x);
			lookup_add(&x, model[n].hash, n);
			model[n].in = true;
		} else if (!want) {
			assert_int_equal(lookup_remove(&x, model[n].hash, n), model[n].in);
			model[n].in = false;
			if (lookup_is_sparse(&x))
				make_anew(&x);
		}
		if (step % 64 == 0)
			compare(&x);
	}
	compare(&x);
	lookup_free(&x);
	assert_int_equal(lookup_bytes(&x), 0);
}

static void agrees_with_a_model_for_good_and_bad_hashes(void **state)
{
	agree_with_model(0xffffffff, 1);
	agree_with_model(0xfffff00f, 2);
	agree_with_model(0x00000fff, 3);
	agree_with_model(0x80000001, 4);
	agree_with_model(0, 5);
}

static void one_that_was_never_made_is_empty_and_full(void **state)
{
	struct lookup x = {0};
	uint32_t cursor = 0;

	assert_int_equal(lookup_next(&x, 77, &cursor), 0);
	assert_false(lookup_remove(&x, 77, 1));
	assert_true(lookup_is_full(&x));
	assert_false(lookup_is_sparse(&x));
	lookup_expect(&x, 77);
	lookup_free(&x);
}

static void others_are_hardly_ever_looked_at(void **state)
{
	struct lookup x = {0};
	unsigned looked = 0;
	struct rng rng;

	memset(model, 0, sizeof(model));
	rng_init_seed(&rng, 9);
	for (uint32_t n = 1; n <= NUMBERS; n++) {
		if (lookup_is_full(&x))
			make_anew(&x);
		model[n].hash = rng_u32(&rng);
		model[n].in = true;
		lookup_add(&x, model[n].hash, n);
	}
	for (unsigned i = 0; i < 10000; i++)
		(void)finds(&x, rng_u32(&rng), 0, &looked);
	assert_true(looked < 10); /* 20 bits of the hash are compared */
	lookup_free(&x);
}

static void memory_per_number_is_bounded(void **state)
{
	for (uint32_t count = 100; count < 100000000; count = count * 7 / 5) {
		struct lookup x = {.live = 1};

		if (count > 100000)
			break;
		assert_int_equal(lookup_make(&x, 26, count), 0);
		assert_int_equal(x.live, 0);
		assert_true(lookup_bytes(&x) <= (size_t)count * 22);
		for (uint32_t n = 1; n <= 2 * count; n++) {
			assert_false(lookup_is_full(&x));
			lookup_add(&x, n * 0x9e3779b1u, n);
		}
		lookup_free(&x);
	}
}

static void refused_memory_is_told(void **state)
{
	struct lookup x = {.live = 7};

	scarce_at(1);
	assert_int_equal(lookup_make(&x, 26, 100), -ENOMEM);
	assert_true(scarce_happened());
	assert_int_equal(x.live, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_a_model_for_good_and_bad_hashes),
		cmocka_unit_test(one_that_was_never_made_is_empty_and_full),
		cmocka_unit_test(others_are_hardly_ever_looked_at),
		cmocka_unit_test(memory_per_number_is_bounded),
		cmocka_unit_test(refused_memory_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
