/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of lib/lpm: a comparison at random with a list of prefixes that is searched from end to end. */
#include <errno.h>
#include <string.h>

#include "check.h"
#include "lib/lpm.h"
#include "lib/rng.h"

enum { ENTRIES = 200 };

struct entry {
	struct prefix prefix;
	bool in;
};

static const struct entry *model_lookup(const struct entry *entries, const struct addr *a)
{
	const struct entry *best = NULL;

	for (size_t i = 0; i < ENTRIES; i++)
		if (entries[i].in && prefix_contains_addr(&entries[i].prefix, a) &&
			(!best || entries[i].prefix.len > best->prefix.len))
			best = &entries[i];
	return best;
}

static struct entry *model_exact(struct entry *entries, const struct prefix *p)
{
	for (size_t i = 0; i < ENTRIES; i++)
		if (entries[i].in && prefix_equal(&entries[i].prefix, p))
			return &entries[i];
	return NULL;
}

/* Few distinct bits, so that prefixes nest, fork and collide; all lengths. */
static struct addr random_addr(struct rng *rng)
{
	struct addr a = {.family = rng_below(rng, 2) ? AF_INET : AF_INET6};

	for (unsigned i = 0; i < addr_size(a.family); i++)
		a.bytes[i] = rng_below(rng, 3) ? 0 : (uint8_t)(1 << rng_below(rng, 8));
	return a;
}

static struct prefix random_prefix(struct rng *rng)
{
	struct addr a = random_addr(rng);
	unsigned bits = addr_bits(a.family);

	return prefix_of(&a, rng_below(rng, 4) ? rng_below(rng, bits + 1) : rng_below(rng, 12));
}

static void change_one(struct lpm *t, struct entry *entries, struct rng *rng)
{
	struct entry *e = &entries[rng_below(rng, ENTRIES)], *same;

	if (e->in) {
		assert_ptr_equal(lpm_remove(t, &e->prefix), e);
		assert_null(lpm_remove(t, &e->prefix));
		e->in = false;
		return;
	}
	e->prefix = random_prefix(rng);
	same = model_exact(entries, &e->prefix);
	assert_int_equal(lpm_insert(t, &e->prefix, e), same ? -EEXIST : 0);
	e->in = !same;
}

static void agrees_with_a_list(void **state)
{
	static struct entry entries[ENTRIES];
	struct lpm t = {0};
	struct rng rng;

	rng_init_seed(&rng, 5);
	for (int step = 0; step < 30000; step++) {
		struct addr a = random_addr(&rng);
		struct prefix p = random_prefix(&rng), found;
		const struct entry *expected;

		change_one(&t, entries, &rng);
		expected = model_lookup(entries, &a);
		assert_ptr_equal(lpm_lookup(&t, &a, &found), expected);
		if (expected)
			assert_true(prefix_equal(&found, &expected->prefix));
		assert_ptr_equal(lpm_exact(&t, &p), model_exact(entries, &p));
	}
	for (size_t i = 0; i < ENTRIES; i++)
		if (entries[i].in)
			assert_ptr_equal(lpm_remove(&t, &entries[i].prefix), &entries[i]);
	assert_int_equal(t.count, 0);
	assert_null(t.root4); /* forks went with the values that needed them */
	assert_null(t.root6);
}

static void free_takes_a_deep_trie(void **state)
{
	static const uint8_t ones[16] = {
		255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
	struct addr a = addr6_of(ones), b;
	struct lpm t = {0};

	for (unsigned len = 0; len <= 128; len++) {
		struct prefix p = prefix_of(&a, len);

		assert_int_equal(lpm_insert(&t, &p, &t), 0);
		if (!len)
			continue;
		b = p.addr;
		b.bytes[(len - 1) / 8] ^= (uint8_t)(0x80 >> (len - 1) % 8);
		p = prefix_of(&b, 128);
		assert_int_equal(lpm_insert(&t, &p, &t), 0);
	}
	lpm_free(&t);
	assert_int_equal(t.count, 0);
	assert_null(lpm_lookup(&t, &a, NULL));
}

static void families_do_not_meet(void **state)
{
	struct prefix all4 = {.addr = addr4(0, 0, 0, 0)}, all6 = {.addr = {.family = AF_INET6}}, none = {0};
	struct addr a4 = addr4(192, 0, 2, 1), a6 = {.family = AF_INET6};
	struct lpm t = {0};
	int x, y;

	assert_int_equal(lpm_insert(&t, &all4, &x), 0);
	assert_null(lpm_lookup(&t, &a6, NULL));
	assert_int_equal(lpm_insert(&t, &all6, &y), 0);
	assert_ptr_equal(lpm_lookup(&t, &a4, NULL), &x);
	assert_ptr_equal(lpm_lookup(&t, &a6, NULL), &y);
	assert_int_equal(lpm_insert(&t, &none, &x), -EINVAL);
	assert_null(lpm_exact(&t, &none));
	assert_null(lpm_remove(&t, &none));
	assert_null(lpm_lookup(&t, &none.addr, NULL));
	lpm_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_a_list),
		cmocka_unit_test(free_takes_a_deep_trie),
		cmocka_unit_test(families_do_not_meet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
