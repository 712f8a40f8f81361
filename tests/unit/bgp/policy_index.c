/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of bgp/policy_index: compared at random with a list that is looked through from end to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bgp/policy_index.h"
#include "lib/rng.h"

enum { MOST = 200, LISTS = 200, QUESTIONS = 500 };

static bool model_has(const struct policy_prefix *list, unsigned count, const struct prefix *p)
{
	for (unsigned i = 0; i < count; i++)
		if (prefix_contains(&list[i].prefix, p) && p->len >= list[i].min && p->len <= list[i].max)
			return true;
	return false;
}

/* Few distinct bits, so that prefixes nest, fork and are there twice; all lengths. */
static struct prefix random_prefix(struct rng *rng)
{
	struct addr a = {.family = rng_below(rng, 2) ? AF_INET : AF_INET6};

	for (unsigned i = 0; i < addr_size(a.family); i++)
		a.bytes[i] = rng_below(rng, 3) ? 0 : (uint8_t)(1 << rng_below(rng, 8));
	return prefix_of(&a, rng_below(rng, rng_below(rng, 4) ? addr_bits(a.family) + 1 : 12));
}

static struct policy_prefix random_entry(struct rng *rng)
{
	struct policy_prefix p = {.prefix = random_prefix(rng)};
	unsigned bits = addr_bits(p.prefix.addr.family), len = p.prefix.len;

	p.min = (uint8_t)(len + rng_below(rng, bits - len + 1));
	p.max = (uint8_t)(p.min + rng_below(rng, bits - p.min + 1));
	if (!rng_below(rng, 3))
		p.min = p.max = p.prefix.len;
	return p;
}

static void the_index_agrees_with_the_list(void **state)
{
	struct policy_prefix list[MOST];
	unsigned yes = 0, no = 0;
	struct rng rng;

	rng_init_seed(&rng, 5);
	for (unsigned l = 0; l < LISTS; l++) {
		unsigned count = 1 + rng_below(&rng, MOST);
		struct policy_index *index;

		for (unsigned i = 0; i < count; i++)
			list[i] = random_entry(&rng);
		index = policy_index_new(list, count);
		assert_non_null(index);
		for (unsigned q = 0; q < QUESTIONS; q++) {
			struct prefix p = rng_below(&rng, 3) ? random_prefix(&rng)
							     : list[rng_below(&rng, count)].prefix;
			bool expected = model_has(list, count, &p);

			assert_int_equal(policy_index_has(index, &p), expected);
			yes += expected;
			no += !expected;
		}
		policy_index_free(index);
	}
	assert_true(yes > LISTS * QUESTIONS / 10 && no > LISTS * QUESTIONS / 10);
}

static void an_empty_index_has_nothing(void **state)
{
	struct policy_index *index = policy_index_new(NULL, 0);
	struct prefix p;

	assert_non_null(index);
	assert_int_equal(prefix_parse("0.0.0.0/0", &p), 0);
	assert_false(policy_index_has(index, &p));
	policy_index_free(index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_index_agrees_with_the_list),
		cmocka_unit_test(an_empty_index_has_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
