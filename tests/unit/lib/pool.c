/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of lib/pool: objects of any size, at random, keep what was written to them and come back zeroed. */
#include <string.h>

#include "check.h"
#include "lib/pool.h"
#include "lib/rng.h"

enum { OBJECTS = 3000 };

static bool is_filled(const uint8_t *p, size_t n, uint8_t with)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != with)
			return false;
	return true;
}

static void allocate_one(struct pool *p, uint8_t **object, size_t size, uint8_t with)
{
	*object = pool_alloc(p);
	assert_non_null(*object);
	assert_int_equal((uintptr_t)*object % 16, 0);
	assert_true(is_filled(*object, size, 0));
	memset(*object, with, size);
}

static void exercise(size_t size, int steps, size_t objects)
{
	static uint8_t *held[OBJECTS];
	size_t used = 0;
	struct pool p;
	struct rng rng;

	rng_init_seed(&rng, size);
	pool_init(&p, size);
	memset(held, 0, sizeof(held));
	for (int step = 0; step < steps; step++) {
		size_t i = rng_below(&rng, (uint32_t)objects);
		bool fill = rng_below(&rng, 10) < (step / (steps / 4) % 2 ? 1 : 9);

		if (fill && !held[i]) {
			allocate_one(&p, &held[i], size, (uint8_t)i);
			used++;
		} else if (!fill && held[i]) {
			assert_true(is_filled(held[i], size, (uint8_t)i));
			pool_free(&p, held[i]);
			held[i] = NULL;
			used--;
		}
		assert_int_equal(p.used, used);
	}
	for (size_t i = 0; i < objects; i++)
		if (held[i]) {
			assert_true(is_filled(held[i], size, (uint8_t)i));
			pool_free(&p, held[i]);
		}
	assert_int_equal(p.used, 0);
	assert_int_equal(pool_done(&p), 0);
}

static void objects_of_any_size_keep_their_bytes(void **state)
{
	static const size_t sizes[] = {1, 8, 24, 100, 1000, 1024, 20000, 32700, 65536 - 64};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		exercise(sizes[i], sizes[i] > 2000 ? 2000 : 20000, sizes[i] > 2000 ? 50 : OBJECTS);
}

static void objects_larger_than_a_slab_have_one_each(void **state)
{
	exercise(65536, 300, 20);
	exercise(200000, 300, 10);
}

static void freeing_nothing_is_fine(void **state)
{
	struct pool p;

	pool_init(&p, 10);
	pool_free(&p, NULL);
	assert_int_equal(pool_done(&p), 0);
}

static void done_tells_what_is_still_in_use(void **state)
{
	struct pool p;
	void *a, *b;

	pool_init(&p, 10);
	a = pool_alloc(&p);
	b = pool_alloc(&p);
	pool_free(&p, a);
	assert_int_equal(p.used, 1);
	assert_int_equal(pool_done(&p), 1);
	if (p.used) /* a sanitizer build, where it would be reported as the leak that it is */
		pool_free(&p, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_of_any_size_keep_their_bytes),
		cmocka_unit_test(objects_larger_than_a_slab_have_one_each),
		cmocka_unit_test(freeing_nothing_is_fine),
		cmocka_unit_test(done_tells_what_is_still_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
