/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of lib/treap: a comparison at random with a sorted array, and what a step costs among 300,000 items. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "lib/container.h"
#include "lib/rng.h"
#include "lib/treap.h"

struct item {
	struct treap_node node;
	uint32_t key;
	bool in;
};

static uint64_t comparisons;

static int compare(const struct treap_node *n, const void *key)
{
	uint32_t a = container_of((struct treap_node *)n, struct item, node)->key, b = *(const uint32_t *)key;

	comparisons++;
	return (a > b) - (a < b);
}

static struct item *item_of(struct treap_node *n)
{
	return n ? container_of(n, struct item, node) : NULL;
}

/* ---- as a sorted array would do ---- */

enum { ITEMS = 200, KEYS = 120, VALUES = 50 };

/* Those that are in, in order; of equal keys who came first. */
struct model {
	struct item *sorted[ITEMS];
	unsigned count;
};

static void model_add(struct model *m, struct item *i)
{
	unsigned at = m->count++;

	for (; at && m->sorted[at - 1]->key > i->key; at--)
		m->sorted[at] = m->sorted[at - 1];
	m->sorted[at] = i;
}

static void model_drop(struct model *m, const struct item *i)
{
	unsigned at = 0;

	while (m->sorted[at] != i)
		at++;
	m->count--;
	memmove(&m->sorted[at], &m->sorted[at + 1], (m->count - at) * sizeof(struct item *));
}

static void change_one(struct treap *t, struct model *m, struct item *items, struct rng *rng)
{
	struct item *i = &items[rng_below(rng, ITEMS)];

	if (!i->in) {
		i->key = rng_below(rng, KEYS);
		treap_insert(t, &i->node, &i->key, rng_below(rng, VALUES));
		model_add(m, i);
		i->in = true;
	} else if (rng_below(rng, 3)) {
		treap_set_value(&i->node, rng_below(rng, VALUES));
	} else {
		treap_remove(t, &i->node);
		model_drop(m, i);
		i->in = false;
	}
}

static void assert_like(const struct treap *t, const struct model *m, struct rng *rng)
{
	uint32_t key = rng_below(rng, KEYS + 2), most = rng_below(rng, VALUES);
	unsigned at = 0, small;
	struct item *first;

	while (at < m->count && m->sorted[at]->key < key)
		at++;
	first = item_of(treap_first(t, &key));
	assert_ptr_equal(first, at < m->count ? m->sorted[at] : NULL);
	for (small = at; small < m->count && m->sorted[small]->node.value > most;)
		small++;
	assert_ptr_equal(item_of(treap_at_most(first ? &first->node : NULL, most)),
		small < m->count ? m->sorted[small] : NULL);
}

static void assert_whole(const struct treap *t, const struct model *m)
{
	struct treap_node *n = treap_start(t);

	assert_int_equal(t->count, m->count);
	for (unsigned i = 0; i < m->count; i++, n = treap_next(n))
		assert_ptr_equal(item_of(n), m->sorted[i]);
	assert_null(n);
}

static void agrees_with_a_sorted_array(void **state)
{
	static struct item items[ITEMS];
	struct model m = {0};
	struct treap t;
	struct rng rng;

	rng_init_seed(&rng, 7);
	treap_init(&t, compare, 7);
	assert_null(treap_start(&t));
	assert_whole(&t, &m);
	for (int step = 0; step < 40000; step++) {
		change_one(&t, &m, items, &rng);
		assert_like(&t, &m, &rng);
		if (step % 100 == 0)
			assert_whole(&t, &m);
	}
}

/* ---- what it costs ---- */

enum {
	MANY = 300000,
	STEPS = 60
}; /* the binary logarithm is 18, and a random tree is at most some times as deep */

static unsigned depth_of(const struct treap_node *n)
{
	unsigned depth = 0;

	for (; n; n = n->parent)
		depth++;
	return depth;
}

/* In the order that is the worst for a tree without balance, and for an array: each before all others. */
static void a_step_among_300000_costs_their_logarithm(void **state)
{
	struct item *items = calloc(MANY, sizeof(*items));
	uint32_t last = MANY - 1;
	struct treap t;

	assert_non_null(items);
	treap_init(&t, compare, 1);
	comparisons = 0;
	for (uint32_t i = 0; i < MANY; i++) {
		items[i].key = MANY - 1 - i;
		treap_insert(&t, &items[i].node, &items[i].key, MANY);
		assert_in_range(depth_of(&items[i].node), 1, STEPS);
	}
	assert_in_range(comparisons, MANY, (uint64_t)MANY * STEPS / 2);
	/* The only one that is wanted is the last; nothing is compared on the way to it. */
	treap_set_value(treap_first(&t, &last), 5);
	comparisons = 0;
	assert_int_equal(item_of(treap_at_most(treap_start(&t), 5))->key, last);
	assert_null(treap_at_most(treap_start(&t), 4));
	assert_int_equal(comparisons, 0);
	for (uint32_t i = 0; i < MANY; i++) {
		assert_in_range(depth_of(&items[i].node), 1, STEPS);
		treap_remove(&t, &items[i].node);
	}
	assert_null(treap_start(&t));
	free(items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_a_sorted_array),
		cmocka_unit_test(a_step_among_300000_costs_their_logarithm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
