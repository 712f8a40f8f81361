/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/treap.h"

#include <stddef.h>

void treap_init(struct treap *t, treap_compare *compare, uint64_t seed)
{
	*t = (struct treap){.compare = compare, .state = seed | 1}; /* zero would stay zero */
}

/* xorshift64* */
static uint32_t priority_of_next(struct treap *t)
{
	t->state ^= t->state >> 12;
	t->state ^= t->state << 25;
	t->state ^= t->state >> 27;
	return (uint32_t)(t->state * UINT64_C(0x2545f4914f6cdd1d) >> 32);
}

static void refresh(struct treap_node *n)
{
	n->least = n->value;
	for (unsigned i = 0; i < 2; i++)
		if (n->child[i] && n->child[i]->least < n->least)
			n->least = n->child[i]->least;
}

/* From N upwards, as far as something changes. */
static void refresh_up(struct treap_node *n)
{
	for (; n; n = n->parent) {
		uint64_t before = n->least;

		refresh(n);
		if (n->least == before)
			break;
	}
}

/* Where the tree refers to N. */
static struct treap_node **link_of(struct treap *t, struct treap_node *n)
{
	return n->parent ? &n->parent->child[n->parent->child[1] == n] : &t->root;
}

/* N takes the place of its parent, which goes below it. */
static void lift(struct treap *t, struct treap_node *n)
{
	struct treap_node *p = n->parent;
	unsigned side = p->child[1] == n;

	*link_of(t, p) = n;
	n->parent = p->parent;
	p->child[side] = n->child[!side];
	if (p->child[side])
		p->child[side]->parent = p;
	n->child[!side] = p;
	p->parent = n;
	refresh(p);
	refresh(n);
}

void treap_insert(struct treap *t, struct treap_node *n, const void *key, uint64_t value)
{
	struct treap_node **link = &t->root, *parent = NULL;

	while (*link) {
		parent = *link;
		link = &parent->child[t->compare(parent, key) <= 0];
	}
	*n = (struct treap_node){
		.parent = parent, .priority = priority_of_next(t), .value = value, .least = value};
	*link = n;
	t->count++;
	refresh_up(parent);
	while (n->parent && n->parent->priority < n->priority)
		lift(t, n);
}

void treap_remove(struct treap *t, struct treap_node *n)
{
	while (n->child[0] && n->child[1])
		lift(t, n->child[n->child[1]->priority > n->child[0]->priority]);
	*link_of(t, n) = n->child[0] ? n->child[0] : n->child[1];
	for (unsigned i = 0; i < 2; i++)
		if (n->child[i])
			n->child[i]->parent = n->parent;
	refresh_up(n->parent);
	t->count--;
}

void treap_set_value(struct treap_node *n, uint64_t value)
{
	n->value = value;
	refresh_up(n);
}

/* The first of the subtree of N. */
static struct treap_node *leftmost(const struct treap_node *n)
{
	while (n && n->child[0])
		n = n->child[0];
	return (struct treap_node *)n;
}

struct treap_node *treap_first(const struct treap *t, const void *key)
{
	struct treap_node *n = t->root, *found = NULL;

	while (n) {
		bool before = t->compare(n, key) < 0;

		if (!before)
			found = n;
		n = n->child[before];
	}
	return found;
}

struct treap_node *treap_start(const struct treap *t)
{
	return leftmost(t->root);
}

/* The first ancestor that N's subtree stands before. */
static struct treap_node *climb(const struct treap_node *n)
{
	while (n->parent && n->parent->child[1] == n)
		n = n->parent;
	return n->parent;
}

struct treap_node *treap_next(const struct treap_node *n)
{
	return n->child[1] ? leftmost(n->child[1]) : climb(n);
}

/* The first of N's subtree whose value is small enough: there is one. */
static struct treap_node *descend(const struct treap_node *n, uint64_t most)
{
	for (;;) {
		if (n->child[0] && n->child[0]->least <= most)
			n = n->child[0];
		else if (n->value <= most)
			return (struct treap_node *)n;
		else
			n = n->child[1];
	}
}

struct treap_node *treap_at_most(const struct treap_node *n, uint64_t most)
{
	for (; n; n = climb(n)) {
		if (n->value <= most)
			return (struct treap_node *)n;
		if (n->child[1] && n->child[1]->least <= most)
			return descend(n->child[1], most);
	}
	return NULL;
}
