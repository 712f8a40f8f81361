/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bgp/rib: one table of routes: Adj-RIB-In of all sources, Loc-RIB, and what is left of Adj-RIB-Out. rib.c has nets and paths, feed.c those who read
 * them, net.h what the two share.
 *
 * A *net* is a prefix with the *paths* that sources have told for it, at most one each; the best is the first. Nets and paths are numbered (lib/arena), so
 * that a reference costs four bytes. A source is a number, too: 0 is ourselves, the others are neighbours.
 *
 * The log of changes. Nets with a best path stand in one list, ordered by when their best path last changed; a net whose best changes moves to the end. A
 * *feed* is a place in that list: a neighbour that is to hear of routes, the kernel's table, a role. It takes nets from its place onwards, whenever it can. So
 * a slow reader costs nothing but staleness: no queue grows, a net that changes ten times is told once, and a new neighbour simply begins at the start.
 * Places are entries of the list, too, and feeds that stand between the same two nets share one: a thousand neighbours that have heard everything are one entry
 * at the end, and none of them has to walk over the others when a net changes. Every feed brings as many entries as it can ever need with it, and those that it
 * shares are spare meanwhile: so there always is one for a feed that goes on alone, and reading never fails.
 * For each feed a bitmap keeps which nets it has been given and not withdrawn (Adj-RIB-Out is that bit: the attributes follow from best path and policy).
 * A net without a best path stays in the list until no feed has it any more; one without any path is freed then.
 *
 * What is best is decided when something is told, and by rib_decide(); next hops that change meanwhile change nothing here before that.
 *
 * Memory of a million IPv4 routes: net 20 bytes (IPv6: 32), path 24, look-up 8, a bit per feed; sets are shared.
 */
#ifndef BGP_RIB_H
#define BGP_RIB_H

#include "bgp/decision.h"
#include "bgp/set.h"
#include "lib/arena.h"
#include "lib/lookup.h"

typedef uint32_t rib_id; /* of a net or path; 0: none */

/* Why a path cannot be chosen. It stays, so that the operator can see it. */
enum bgp_bar {
	BGP_BAR_NONE,
	BGP_BAR_POLICY,     /* an import rule rejects it */
	BGP_BAR_NO_POLICY,  /* external, and there is no import policy: RFC 8212 */
	BGP_BAR_AS_LOOP,    /* our AS is in its path */
	BGP_BAR_ORIGINATOR, /* we are its originator: RFC 4456 */
	BGP_BAR_CLUSTER,    /* it has been through our cluster */
	BGP_BAR_NEXT_HOP,   /* its next hop is none at all: multicast, loopback, link-local of no link */
	BGP_BAR_FIRST_AS,   /* external, and its path does not begin with the neighbour's AS */
	BGP_BAR_TUNNELS,    /* Encapsulation SAFI, external, and is not to tell of tunnels: RFC 9012 section 11 */
	BGP_BAR_PREFIX,     /* no unicast packet has a destination in it: RFC 4271 section 6.3 */
};
const char *bgp_bar_text(enum bgp_bar bar); /* a clause: "our own AS is in its path" */

struct rib_path {
	const struct bgp_set *set; /* after import policy; as received where it is barred */
	rib_id next;
	uint32_t since; /* seconds, the owner's clock */
	uint32_t label : 20;
	uint32_t bar : 4;    /* enum bgp_bar */
	uint32_t origin : 2; /* of our own: enum bgp_origin_kind (bgp/bgp.h) */
	uint32_t round : 6;  /* of its source, when it was told last: rib_is_stale() */
	uint16_t source;
};

struct rib_net; /* by accessors: its size follows the family */

struct rib_feed {
	struct rib *rib;
	rib_id place; /* a net of no prefix in the list, perhaps also of other feeds, or what END and MARK are; what follows it is new */
	rib_id end;   /* such a one: where the end was at the last restart; 0 once it is passed */
	rib_id mark;  /* such a one: where the end was when rib_feed_mark() was called; or 0 */
	uint64_t *bits;
	uint32_t words;
	uint32_t count;                /* of bits */
	struct rib_feed *next, **link; /* among the rib's */
};

enum { RIB_SOURCES = 1025, RIB_ROUNDS = 64 };

struct rib {
	enum bgp_family family;
	struct bgp_sets *sets;
	const struct decision_ops *decision; /* what is known of sources */
	struct arena nets, paths;
	struct lookup lookup; /* nets by prefix */
	uint32_t key_size;    /* bytes of an address */
	uint32_t net_count;   /* nets with paths */
	uint32_t path_count;
	rib_id first, last;
	rib_id spare; /* places that are not in the list: the first; their `next` leads on */
	uint64_t seed;
	struct rib_feed *feeds;
	uint32_t feed_count;
	uint8_t rounds[RIB_SOURCES]; /* in which each source is */
	/* Something is there for feeds that had reached the end (rib_feed_next() without a mark, or rib_feed_at_end(), said so); perhaps for none. May be
	 * NULL. Not called by the functions of feeds. */
	void (*changed)(struct rib *r);
};

/* Everything is the rib's; a zeroed feed may be added at any time. rib_done() leaves feeds zeroed, too. */
void rib_init(struct rib *r, enum bgp_family family, struct bgp_sets *sets,
	const struct decision_ops *decision, uint64_t seed, void (*changed)(struct rib *r));
void rib_done(struct rib *r);

/* COUNT prefixes that are to be told or withdrawn next: memory for them is fetched meanwhile. For speed only; up to RIB_EXPECT of them. */
enum { RIB_EXPECT = 16 };
void rib_expect(const struct rib *r, const struct bgp_nlri *nlri, unsigned count);

/*
 * All paths of SOURCE are stale from now on: it restarts, or is sending everything again. They are like others in everything else. Costs nothing, however many
 * there are: each path has the round of its source in which it was told last, and a new round begins. There are RIB_ROUNDS of them, so after RIB_ROUNDS - 1
 * calls no path may be left that is stale.
 */
static inline void rib_mark_stale(struct rib *r, uint16_t source)
{
	r->rounds[source] = (r->rounds[source] + 1) % RIB_ROUNDS;
}

static inline bool rib_is_stale(const struct rib *r, const struct rib_path *p)
{
	return p->round != r->rounds[p->source];
}

/* What a source had said of a prefix before: for its counters. */
struct rib_was {
	bool there, barred, stale;
};
/*
 * What a source says of a prefix; takes the caller's reference to SET, whatever comes of it. 1: the best path changed, or what it says; 0: it did not;
 * -ENOMEM; -ENOSPC: DECISION_PATHS sources have told this prefix already (and this is another one); -EINVAL: a prefix of the other family. After an error all
 * is as before. The path is not stale any more. The same again changes nothing else, not even `since`. *ret_was may be NULL.
 */
int rib_update(struct rib *r, const struct bgp_nlri *nlri, uint16_t source, const struct bgp_set *set,
	enum bgp_bar bar, uint32_t now_s, struct rib_was *ret_was);
/* 1, 0 as above; -ENOENT: there was none. */
int rib_withdraw(struct rib *r, const struct prefix *prefix, uint16_t source, struct rib_was *ret_was);
/* The same by number, for walks. */
int rib_drop(struct rib *r, rib_id net, uint16_t source, struct rib_was *ret_was);
/* Route selection again for one net: 1 or 0. For changed next hops. */
int rib_decide(struct rib *r, rib_id net);

rib_id rib_find(const struct rib *r, const struct prefix *prefix); /* 0: none, or without paths */
rib_id rib_longest(const struct rib *r,
	const struct addr *a); /* the longest net with a best path that has A; slow: for people */
struct prefix rib_prefix(const struct rib *r, rib_id net);
/* The first of its paths; the best where rib_best() is not NULL. */
struct rib_path *rib_first_path(const struct rib *r, rib_id net);
struct rib_path *rib_next_path(const struct rib *r, const struct rib_path *p); /* NULL: none */
const struct rib_path *rib_best(const struct rib *r, rib_id net);              /* NULL: none can be chosen */
/* Walks over all nets with paths by number, in slices: start with 0; 0 at the end. Tables may change between calls. Places of feeds are passed over. */
rib_id rib_walk(const struct rib *r, rib_id after);
/* The same in steps: looks at no more than *NETS behind *AT, and takes from *NETS those that it has looked at. 0: *AT is where to go on, or 0 at the end. */
rib_id rib_walk_some(const struct rib *r, rib_id *at, unsigned *nets);

/* ---- feeds ---- */

enum { RIB_FEEDS = 4000 };

int rib_feed_add(struct rib *r, struct rib_feed *f); /* from the start: everything. 0, -ENOMEM, -ENOSPC */
void rib_feed_remove(struct rib_feed *f); /* forgets its bits; nets that only it had are freed. F is zeroed */
/* The next net that changed, or 0 at the end. Its bit says whether the feed has it. Nets without a best path that it does not have are passed over. */
rib_id rib_feed_next(struct rib_feed *f);
/* Puts the feed in front of NET again, the one that rib_feed_next() gave last: it could not be told now. (Where it has changed since, it comes anyway.) */
void rib_feed_again(struct rib_feed *f, rib_id net);
bool rib_feed_at_end(struct rib_feed *f);
bool rib_feed_has(const struct rib_feed *f, rib_id net);
/* It has been given NET, or it was withdrawn from it: then a net without paths may be freed at once. -ENOMEM only for true. */
int rib_feed_set(struct rib_feed *f, rib_id net, bool has);
/* Everything from the start once more (route refresh, another policy). */
void rib_feed_restart(struct rib_feed *f);
/* Has it passed all that was there at the last restart (or at rib_feed_add())? */
bool rib_feed_passed(struct rib_feed *f);
/* A pass of the minimum advertisement interval: what is in the list now belongs to it, what changes later to the next one. Once there is a mark,
 * rib_feed_next() gives nothing behind it; the next call moves it to the end. 0 or -ENOMEM (of the first) */
int rib_feed_mark(struct rib_feed *f);
/* Nothing is left that rib_feed_next() would give (but nets that it passes over): the mark or the end is reached. */
bool rib_feed_at_mark(struct rib_feed *f);

#endif
