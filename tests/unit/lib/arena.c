/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of lib/arena: numbers, memory that goes back, a comparison at random with an array. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "lib/arena.h"
#include "lib/rng.h"
#include "scarce.h"

enum { SIZE = 20, MANY = 5 * ARENA_CHUNK };

static uint32_t take(struct arena *a)
{
	void *p = NULL;
	uint32_t id = arena_alloc(a, &p);

	assert_true(id > 0);
	assert_ptr_equal(p, arena_get(a, id));
	return id;
}

static void numbers_begin_at_one_and_are_given_again_from_below(void **state)
{
	struct arena a;

	arena_init(&a, SIZE);
	for (uint32_t i = 1; i <= MANY; i++)
		assert_int_equal(take(&a), i);
	assert_int_equal(a.used, MANY);
	arena_free(&a, 4000);
	arena_free(&a, 7);
	arena_free(&a, 3);
	arena_free(&a, 1024);
	assert_int_equal(take(&a), 3);
	assert_int_equal(take(&a), 7);
	assert_int_equal(take(&a), 1024);
	assert_int_equal(take(&a), 4000);
	assert_int_equal(take(&a), MANY + 1);
	arena_done(&a);
}

static void objects_come_zeroed_and_do_not_move(void **state)
{
	static void *at[MANY + 1];
	struct arena a;
	void *p;

	arena_init(&a, SIZE);
	for (uint32_t i = 1; i <= MANY; i++) {
		assert_int_equal(arena_alloc(&a, &at[i]), i);
		memset(at[i], (int)(i & 0xff), SIZE);
	}
	for (uint32_t i = 1; i <= MANY; i++)
		assert_ptr_equal(arena_at(&a, i), at[i]);
	for (uint32_t i = 1; i <= MANY; i++)
		for (int byte = 0; byte < SIZE; byte++)
			assert_int_equal(((uint8_t *)at[i])[byte], i & 0xff);
	arena_free(&a, 5);
	assert_int_equal(arena_alloc(&a, &p), 5);
	assert_ptr_equal(p, at[5]);
	for (int byte = 0; byte < SIZE; byte++)
		assert_int_equal(((uint8_t *)p)[byte], 0);
	arena_done(&a);
}

static void what_is_not_used_is_not_there(void **state)
{
	struct arena a;

	arena_init(&a, SIZE);
	assert_null(arena_get(&a, 0));
	assert_null(arena_get(&a, 1));
	assert_null(arena_get(&a, UINT32_MAX));
	assert_int_equal(arena_next(&a, 0), 0);
	assert_int_equal(take(&a), 1);
	assert_null(arena_get(&a, 2));
	assert_null(arena_get(&a, ARENA_CHUNK + 1));
	arena_free(&a, 0);
	arena_free(&a, 2);
	arena_free(&a, UINT32_MAX);
	assert_int_equal(a.used, 1);
	arena_free(&a, 1);
	arena_free(&a, 1);
	assert_null(arena_get(&a, 1));
	assert_int_equal(a.used, 0);
	arena_done(&a);
}

static void chunks_go_back_but_for_one(void **state)
{
	size_t book_keeping, chunk = (size_t)SIZE * ARENA_CHUNK;
	struct arena a;

	arena_init(&a, SIZE);
	assert_int_equal(arena_bytes(&a), 0);
	for (uint32_t i = 1; i <= MANY; i++)
		take(&a);
	book_keeping = arena_bytes(&a) - 5 * chunk;
	assert_true(book_keeping < 2000);
	for (uint32_t i = 1; i <= MANY; i++)
		if (i != 3000)
			arena_free(&a, i);
	assert_int_equal(arena_bytes(&a), 2 * chunk + book_keeping);
	arena_free(&a, 3000);
	assert_int_equal(arena_bytes(&a), chunk + book_keeping);
	assert_int_equal(a.chunk_count, 0);
	for (uint32_t i = 1; i <= ARENA_CHUNK; i++)
		assert_int_equal(take(&a), i);
	assert_int_equal(arena_bytes(&a), chunk + book_keeping); /* the spare is used first */
	arena_done(&a);
	assert_int_equal(arena_bytes(&a), 0);
}

static void refused_memory_changes_nothing(void **state)
{
	unsigned refusals = 0;
	struct arena a;
	void *p;

	arena_init(&a, SIZE);
	for (uint32_t i = 1; i <= MANY; i++) {
		uint32_t id;

		for (unsigned n = 1;; n++, refusals++) {
			scarce_at(n);
			id = arena_alloc(&a, &p);
			if (!scarce_happened())
				break;
			assert_int_equal(id, 0);
			assert_int_equal(a.used, i - 1);
			assert_null(arena_get(&a, i));
		}
		assert_int_equal(id, i);
	}
	assert_in_range(refusals, 5, 20); /* chunks, and room for them */
	arena_done(&a);
}

static uint32_t lowest_chunk_with_room(const bool *used)
{
	for (uint32_t i = 1; i <= MANY; i++)
		if (!used[i])
			return (i - 1) / ARENA_CHUNK;
	return MANY / ARENA_CHUNK;
}

static void check_against(const struct arena *a, const bool *used)
{
	uint32_t walked = arena_next(a, 0);

	for (uint32_t i = 1; i <= MANY; i++) {
		assert_int_equal(arena_has(a, i), used[i]);
		if (!used[i])
			continue;
		assert_int_equal(walked, i);
		walked = arena_next(a, walked);
	}
	assert_int_equal(walked, 0);
}

static void agrees_with_an_array(void **state)
{
	static bool used[MANY + 1];
	struct arena a;
	struct rng rng;
	uint32_t count = 0;

	rng_init_seed(&rng, 11);
	arena_init(&a, 36);
	for (unsigned step = 0; step < 60000; step++) { /* it fills and empties in waves */
		uint32_t id;

		if (count < MANY && rng_below(&rng, 10) < (step / 10000 % 2 ? 2 : 8)) {
			uint32_t chunk = step % 50 ? 0 : lowest_chunk_with_room(used);

			id = take(&a);
			assert_true(id <= MANY && !used[id]);
			if (step % 50 == 0)
				assert_int_equal((id - 1) / ARENA_CHUNK, chunk);
			used[id] = true;
			count++;
		} else if ((id = arena_next(&a, rng_below(&rng, MANY)))) {
			assert_true(used[id]);
			used[id] = false;
			arena_free(&a, id);
			count--;
		}
		assert_int_equal(a.used, count);
		if (step % 1000 == 0)
			check_against(&a, used);
	}
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_begin_at_one_and_are_given_again_from_below),
		cmocka_unit_test(objects_come_zeroed_and_do_not_move),
		cmocka_unit_test(what_is_not_used_is_not_there),
		cmocka_unit_test(chunks_go_back_but_for_one),
		cmocka_unit_test(refused_memory_changes_nothing),
		cmocka_unit_test(agrees_with_an_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
