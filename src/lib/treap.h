/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * treap: items in order, in a binary search tree that is balanced by random priorities: whatever keys come, and in whatever order, a step costs the logarithm
 * of their number (as long as nobody who chooses keys knows the seed).
 *
 * Nodes are embedded in their owner's items. Each has a value, and of each subtree the least one is known: so the next item whose value is small enough is
 * found without looking at those in between.
 */
#ifndef LIB_TREAP_H
#define LIB_TREAP_H

#include <stdbool.h>
#include <stdint.h>

struct treap_node {
	struct treap_node *parent, *child[2];
	uint32_t priority;
	uint64_t value, least; /* of the node; of all that are below it, too */
};

/* As memcmp(): where the item of N stands towards KEY. */
typedef int treap_compare(const struct treap_node *n, const void *key);

struct treap {
	struct treap_node *root;
	treap_compare *compare;
	uint64_t state; /* of the priorities */
	uint32_t count;
};

void treap_init(struct treap *t, treap_compare *compare, uint64_t seed);
/* KEY is that of N's item, which comes behind others with the same key. */
void treap_insert(struct treap *t, struct treap_node *n, const void *key, uint64_t value);
void treap_remove(struct treap *t, struct treap_node *n);
void treap_set_value(struct treap_node *n, uint64_t value);

/* The first that is not before KEY, or NULL. */
struct treap_node *treap_first(const struct treap *t, const void *key);
struct treap_node *treap_start(const struct treap *t); /* the first of all, or NULL */
struct treap_node *treap_next(const struct treap_node *n);
/* N or the first behind it with a value of at most MOST; or NULL, also for NULL. */
struct treap_node *treap_at_most(const struct treap_node *n, uint64_t most);

#endif
