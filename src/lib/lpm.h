/*
 * lpm: longest-prefix match for one address family, a path-compressed binary trie.
 *
 * Values are pointers that the caller owns. Used for policy and configuration (peers, filters, pools); the
 * forwarding path uses hashes per prefix length instead.
 */
#ifndef LIB_LPM_H
#define LIB_LPM_H

#include "lib/addr.h"

struct lpm_node;

struct lpm {
	struct lpm_node *root4;
	struct lpm_node *root6;
	size_t count;
};

void lpm_free(struct lpm *t); /* a zeroed struct is an empty table */
/* 0; -EEXIST when the prefix is there already; -ENOMEM. VALUE is not NULL. */
int lpm_insert(struct lpm *t, const struct prefix *p, void *value);
/* The removed value, or NULL. */
void *lpm_remove(struct lpm *t, const struct prefix *p);
/* Longest match, or NULL. ret_prefix may be NULL. */
void *lpm_lookup(const struct lpm *t, const struct addr *a, struct prefix *ret_prefix);
/* Exact match, or NULL. */
void *lpm_exact(const struct lpm *t, const struct prefix *p);

#endif
