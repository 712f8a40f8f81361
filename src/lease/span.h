/*
 * span: an ordered set of disjoint IPv6 prefixes of at most 64 bits: a skip list over their first /64.
 *
 * It answers what a table of leases asks all the time: does anything overlap this, who covers that address, and what comes
 * next (so that a gap is found). Spans are allocated apart from being linked: taking one out and putting it back allocates
 * nothing, so that undoing a change cannot fail.
 */
#ifndef LEASE_SPAN_H
#define LEASE_SPAN_H

#include "lib/addr.h"

enum { SPAN_LEVELS = 12 };

struct span {
	uint64_t first; /* upper 64 bits of the address */
	void *owner;
	uint8_t len;    /* 1..64 */
	uint8_t levels; /* links it has, 1..SPAN_LEVELS */
	struct span *next[];
};

struct span_set {
	struct span *head[SPAN_LEVELS];
	uint64_t
		seed; /* keys the draw of levels, so that nobody can choose prefixes that make a list of it */
	size_t count;
};

/* The upper 64 bits of an IPv6 address, and back. */
uint64_t span_key(const struct addr *a);
struct prefix span_prefix(const struct span *n);
/* The last /64 of a prefix of LEN bits that starts at FIRST. */
static inline uint64_t span_end(uint64_t first, unsigned len)
{
	return len >= 64 ? first : first | UINT64_MAX >> len;
}
static inline uint64_t span_last(const struct span *n)
{
	return span_end(n->first, n->len);
}

/* Not linked yet; P is IPv6 of 1 to 64 bits. NULL: no memory. free() it while it is not linked. */
struct span *span_new(const struct span_set *set, const struct prefix *p, void *owner);
/* The caller has seen that nothing in the set overlaps it. */
void span_link(struct span_set *set, struct span *n);
void span_unlink(struct span_set *set, struct span *n);
/* One that overlaps FIRST..LAST, or NULL. */
struct span *span_overlap(const struct span_set *set, uint64_t first, uint64_t last);
/* The first one that ends at KEY or behind it, or NULL. */
struct span *span_from(const struct span_set *set, uint64_t key);

#endif
