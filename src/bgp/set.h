/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bgp/set: attribute sets and next hops, each there once and shared by all paths that have them.
 *
 * A set is immutable: a canonical row of attributes (bgp/update.h), a next hop, and the facts that route selection asks about. Paths hold references.
 * Next hops are shared, too; whether one is reached, and at what cost, is told by the owner (bgp/bgp.h) and stands in it. A set always has one: that of
 * routes of our own, which have no address, counts as reached, at no cost, and nobody is asked.
 *
 * There may be hundreds of thousands of sets. They lie in arenas by size, found by number (lib/lookup): without the overhead of malloc(), and when they are
 * gone, their memory is the system's again.
 */
#ifndef BGP_SET_H
#define BGP_SET_H

#include "bgp/update.h"
#include "lib/arena.h"
#include "lib/hash.h"
#include "lib/lookup.h"

struct bgp_next_hop {
	struct bgp_next_hop_value value;
	unsigned interface; /* of the link-local address, and of what is reached over one link only; 0: any */
	uint32_t refs;      /* of sets */
	uint32_t metric;    /* the IGP's */
	bool answered;      /* the owner has said whether it is reached; until then it is not */
	bool reached;
	bool ours;     /* one of our own addresses */
	bool changed;  /* since the tables were looked through: bgp.c's */
	void *tracker; /* the owner's */
	char why[64];  /* where it is not reached: "no route", "through a softwire" */
};

struct bgp_set {
	uint32_t refs;
	uint32_t number; /* no other one has it now: set.c's */
	struct bgp_next_hop *next_hop;
	struct bgp_facts facts;
	uint16_t len;
	uint8_t bytes[]; /* canonical */
};
static inline struct reader bgp_set_reader(const struct bgp_set *s)
{
	return reader_of(s->bytes, s->len);
}

enum { BGP_SET_SIZES = 32 };

struct bgp_sets {
	struct lookup lookup;
	struct arena sizes[BGP_SET_SIZES]; /* sets of about equal length; the last: pointers to longer ones */
	struct hash next_hops;
	uint64_t seed;
	size_t bytes; /* of memory, all sets */
	/* A next hop came that nobody had, or the last set of one went (it is freed after that). Never for the one without an address. May be NULL. */
	void (*wanted)(struct bgp_sets *s, struct bgp_next_hop *n, bool wanted);
};

void bgp_sets_init(struct bgp_sets *s, uint64_t seed,
	void (*wanted)(struct bgp_sets *s, struct bgp_next_hop *n, bool wanted));
/* What is left is freed, referenced or not. */
void bgp_sets_done(struct bgp_sets *s);
/* The one with these contents, with a reference for the caller: found or made. FACTS (what bgp_facts_of() says) may be NULL; so may NEXT_HOP: no
 * address. NULL: no memory, or more than BGP_SET_MAX bytes. */
const struct bgp_set *bgp_set_get(struct bgp_sets *s, struct reader set, const struct bgp_facts *facts,
	const struct bgp_next_hop_value *next_hop, unsigned interface);
/* Walks over all sets: start with *cursor = 0; NULL at the end. */
const struct bgp_set *bgp_sets_next(const struct bgp_sets *s, uint32_t *cursor);
const struct bgp_set *bgp_set_ref(const struct bgp_set *set);
void bgp_set_unref(struct bgp_sets *s, const struct bgp_set *set); /* NULL: nothing */

#endif
