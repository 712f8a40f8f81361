/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lpm: a binary trie in which every node stands for a prefix and nodes without a value have two children.
 * Children are longer than their parent and inside it, so a walk visits at most 129 nodes.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/lpm.h"

struct lpm_node {
	struct prefix prefix;
	void *value; /* NULL: only a fork */
	struct lpm_node *child[2];
};

enum { MAX_DEPTH = 130 };

static unsigned bit(const struct addr *a, unsigned at)
{
	return a->bytes[at / 8] >> (7 - at % 8) & 1;
}

static struct lpm_node **root_of(struct lpm *t, uint8_t family)
{
	return family == AF_INET ? &t->root4 : family == AF_INET6 ? &t->root6 : NULL;
}

static const struct lpm_node *first_of(const struct lpm *t, uint8_t family)
{
	return family == AF_INET ? t->root4 : family == AF_INET6 ? t->root6 : NULL;
}

static struct lpm_node *node_new(const struct prefix *p, void *value)
{
	struct lpm_node *n = calloc(1, sizeof(*n));

	if (n) {
		n->prefix = *p;
		n->value = value;
	}
	return n;
}

static void free_tree(struct lpm_node *root)
{
	struct lpm_node *stack[MAX_DEPTH];
	size_t depth = 0;

	if (root)
		stack[depth++] = root;
	while (depth) {
		struct lpm_node *n = stack[--depth];

		for (int i = 0; i < 2; i++)
			if (n->child[i])
				stack[depth++] = n->child[i];
		free(n);
	}
}

void lpm_free(struct lpm *t)
{
	free_tree(t->root4);
	free_tree(t->root6);
	*t = (struct lpm){0};
}

/* Puts NODE where *LINK is; what stands there shares only COMMON bits with it and becomes its child or neighbour. */
static int split(struct lpm_node **link, struct lpm_node *node, unsigned common)
{
	struct lpm_node *old = *link, *fork = node;

	if (common < node->prefix.len) {
		struct prefix shared = prefix_of(&node->prefix.addr, common);

		fork = node_new(&shared, NULL);
		if (!fork)
			return -ENOMEM;
		fork->child[bit(&node->prefix.addr, common)] = node;
	}
	fork->child[bit(&old->prefix.addr, common)] = old;
	*link = fork;
	return 0;
}

int lpm_insert(struct lpm *t, const struct prefix *p, void *value)
{
	struct lpm_node **link = root_of(t, p->addr.family), *node;
	unsigned common = 0;

	if (!link || !value || p->len > addr_bits(p->addr.family))
		return -EINVAL;
	for (; *link; link = &(*link)->child[bit(&p->addr, common)]) {
		common = addr_common_bits(&(*link)->prefix.addr, &p->addr);
		if (common > p->len)
			common = p->len;
		if (common > (*link)->prefix.len)
			common = (*link)->prefix.len;
		if (common < (*link)->prefix.len || common == p->len)
			break;
	}
	if (*link && (*link)->prefix.len == p->len && common == p->len) {
		if ((*link)->value)
			return -EEXIST;
		(*link)->value = value;
		t->count++;
		return 0;
	}
	node = node_new(p, value);
	if (!node)
		return -ENOMEM;
	if (!*link) {
		*link = node;
	} else if (split(link, node, common)) {
		free(node);
		return -ENOMEM;
	}
	t->count++;
	return 0;
}

/* Takes the node at LINK out when it is neither a value nor a fork any more; true when it is gone. */
static bool prune(struct lpm_node **link)
{
	struct lpm_node *n = *link;

	if (n->value || (n->child[0] && n->child[1]))
		return false;
	*link = n->child[0] ? n->child[0] : n->child[1];
	free(n);
	return true;
}

void *lpm_remove(struct lpm *t, const struct prefix *p)
{
	struct lpm_node **link = root_of(t, p->addr.family), **parent = NULL;
	void *value;

	if (!link)
		return NULL;
	while (*link && (*link)->prefix.len < p->len) {
		parent = link;
		link = &(*link)->child[bit(&p->addr, (*link)->prefix.len)];
	}
	if (!*link || !prefix_equal(&(*link)->prefix, p) || !(*link)->value)
		return NULL;
	value = (*link)->value;
	(*link)->value = NULL;
	t->count--;
	if (prune(link) && parent)
		prune(parent);
	return value;
}

void *lpm_lookup(const struct lpm *t, const struct addr *a, struct prefix *ret_prefix)
{
	const struct lpm_node *n = first_of(t, a->family), *best = NULL;

	while (n && prefix_contains_addr(&n->prefix, a)) {
		if (n->value)
			best = n;
		if (n->prefix.len == addr_bits(a->family))
			break;
		n = n->child[bit(a, n->prefix.len)];
	}
	if (!best)
		return NULL;
	if (ret_prefix)
		*ret_prefix = best->prefix;
	return best->value;
}

void *lpm_exact(const struct lpm *t, const struct prefix *p)
{
	const struct lpm_node *n = first_of(t, p->addr.family);

	while (n && n->prefix.len < p->len)
		n = n->child[bit(&p->addr, n->prefix.len)];
	return n && prefix_equal(&n->prefix, p) ? n->value : NULL;
}
