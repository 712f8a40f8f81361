/*
 * span: an ordered set of disjoint prefixes of both families: a skip list over their first addresses.
 *
 * It answers what a table of leases asks all the time: does anything overlap this, who covers that address, and what comes
 * next (so that a gap is found). Spans are allocated apart from being linked: taking one out and putting it back allocates
 * nothing, so that undoing a change cannot fail.
 *
 * Keys have 64 bits. IPv6 prefixes have at most 64 bits here, and their key is the upper half of the address. IPv4 stands
 * where IPv6 has ::/32, which is nobody's (0000::/8 is reserved, RFC 4291 section 4): 192.0.2.1/32 is kept as if it were
 * 0:0:c000:201::/64. So one set holds both families, and nothing that works on keys needs to know of it.
 */
#ifndef LEASE_SPAN_H
#define LEASE_SPAN_H

#include "lib/addr.h"

enum { SPAN_LEVELS = 12, SPAN_IPV4_BITS = 32 };

struct span {
	uint64_t first;
	void *owner;
	uint8_t len;    /* bits of the key, 1..64 */
	uint8_t levels; /* links it has, 1..SPAN_LEVELS */
	/* The owner's own notes: which part of a lease it is, its place among several, whether it is from the users file. */
	uint8_t part, position;
	bool fixed;
	struct span *next[];
};

struct span_set {
	struct span *head[SPAN_LEVELS];
	uint64_t
		seed; /* keys the draw of levels, so that nobody can choose prefixes that make a list of it */
	size_t count;
};

/* Whether a set can hold it: IPv4, or IPv6 of 1 to 64 bits outside of ::/32. */
bool span_holds(const struct prefix *p);
/* The key of an address of either family. */
uint64_t span_key(const struct addr *a);
/* How many bits of the key a prefix of LEN bits fixes. */
static inline uint8_t span_bits(uint8_t family, uint8_t len)
{
	return family == AF_INET ? SPAN_IPV4_BITS + len : len;
}
struct prefix span_prefix(const struct span *n);
/* The last key of a prefix of LEN bits that starts at FIRST. */
static inline uint64_t span_end(uint64_t first, unsigned len)
{
	return len >= 64 ? first : first | UINT64_MAX >> len;
}
static inline uint64_t span_last(const struct span *n)
{
	return span_end(n->first, n->len);
}

/* Not linked yet; span_holds(P). NULL: no memory. free() it while it is not linked. */
struct span *span_new(const struct span_set *set, const struct prefix *p, void *owner);
/* The caller has seen that nothing in the set overlaps it. */
void span_link(struct span_set *set, struct span *n);
void span_unlink(struct span_set *set, struct span *n);
/* One that overlaps FIRST..LAST, or NULL. */
struct span *span_overlap(const struct span_set *set, uint64_t first, uint64_t last);
/* The first one that ends at KEY or behind it, or NULL. */
struct span *span_from(const struct span_set *set, uint64_t key);

#endif
