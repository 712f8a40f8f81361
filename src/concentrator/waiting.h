/*
 * concentrator/waiting: SCCRQs that wait for their turn, served fairly between the prefixes that they come from. Without I/O.
 *
 * A source is such a prefix, for as long as something of it is here: requests that wait, or tunnels that are half open. Sources whose requests wait
 * stand in a ring and are served in turn, one request each: a flood from one prefix makes its own queue longer and nobody
 * else's. A source with as many half-open tunnels as it may have stands aside until one of them is over.
 *
 * There are two rings. In the first are prefixes from which somebody has answered an SCCRP not long ago: addresses can be forged, but who forges
 * them never sees the answer. While both rings wait, KNOWN_TURNS of KNOWN_TURNS + 1 turns are the first one's. Which prefixes are known is kept in a
 * filter of fixed size, with the seed's hashes: newer ones take the places of older ones, and nobody can make it grow. It begins empty with the process: then the first answer from a prefix makes it known.
 *
 * Patience: an initiator sends its SCCRQ again after 1, 2, 4, 8 s (RFC 2661 section 5.8). A copy of a request that waits costs a look-up, and tells that
 * somebody is still there. A request is thrown away when its next copies are overdue: after 2 s without any, later after
 * twice the pause that is to be expected. Forged ones are so the first to go.
 *
 * Room is counted in places of 256 bytes, in all and per source. When all are taken, who has more than its share of them is refused; else the newest request
 * of a source that has more gives way, unknown sources' first; also of one that stands aside. Finding it looks at a few sources, not at all of them.
 */
#ifndef CONCENTRATOR_WAITING_H
#define CONCENTRATOR_WAITING_H

#include "lib/addr.h"
#include "lib/hash.h"
#include "lib/wheel.h"

struct waiting;
struct ring;

struct source {
	struct waiting *waiting;
	struct addr addr; /* of the prefix */
	uint32_t hash;
	uint32_t half_open; /* tunnels */
	uint32_t places;    /* of its requests */
	struct request *first, *last;
	struct ring *ring; /* NULL: none of its requests waits */
	struct source *next, *previous; /* in its ring */
	bool known;
};

/* One that waits. */
struct request {
	struct request *next, *previous; /* of its source */
	struct source *source;
	struct wheel_timer timer;
	msec first, last; /* when it was seen */
	struct endpoint peer;
	struct addr local; /* where it was sent to, or none */
	uint32_t hash;
	uint16_t tunnel; /* the initiator's */
	uint16_t len;
	uint8_t listener;
	uint8_t packet[];
};

struct waiting_limits {
	uint32_t places, places_per_source, half_open_per_source;
	uint8_t prefix4, prefix6; /* lengths of sources' prefixes */
};

struct ring {
	struct source *first, *last;
	uint32_t count;
};

struct waiting {
	struct wheel *wheel;
	struct waiting_limits limits; /* may change at any time */
	uint64_t seed;
	struct hash requests, sources;
	struct ring known, unknown, aside;
	unsigned turns;   /* that known sources have had in a row */
	uint32_t places;  /* taken */
	uint32_t waiting_sources; /* with requests: those of all rings */
	uint16_t *filter;
	uint64_t expired, displaced; /* requests that lost patience; that gave way to others */
};

enum waiting_verdict {
	WAITING_PUT,
	WAITING_FULL,	     /* no room, and this source has its share */
	WAITING_SOURCE_FULL, /* this source has no room */
	WAITING_NO_MEMORY,
};

int waiting_init(struct waiting *w, struct wheel *wheel, uint64_t seed, const struct waiting_limits *limits); /* 0 or -ENOMEM */
void waiting_done(struct waiting *w); /* with all that waits, and all sources */

/* A copy of a request that waits has come at NOW. NULL: there is none. */
struct request *waiting_again(struct waiting *w, const struct endpoint *peer, uint16_t tunnel, msec now);
/* LOCAL may be NULL. The packet is copied. */
enum waiting_verdict waiting_put(struct waiting *w, const struct endpoint *peer, uint16_t tunnel, uint8_t listener,
	const struct addr *local, const uint8_t *packet, size_t len, msec now);
/* Whose turn it is: out of the queue, and the caller's to free(). NULL: nobody waits who may have a tunnel more. */
struct request *waiting_take(struct waiting *w);
/* Its initiator does not want it any more. */
void waiting_withdraw(struct waiting *w, struct request *r);
static inline uint32_t waiting_count(const struct waiting *w)
{
	return w->requests.count;
}
/* Does somebody wait who may have a tunnel more? */
static inline bool waiting_ready(const struct waiting *w)
{
	return w->known.count || w->unknown.count;
}

/* One more half-open tunnel of this source, or one less. NULL: no memory. */
struct source *waiting_hold(struct waiting *w, const struct addr *peer);
void waiting_release(struct waiting *w, struct source *s);
/* Somebody has answered from there. */
void waiting_know(struct waiting *w, struct source *s);
/* Has PEER's source as many half-open tunnels as it may have? */
bool waiting_is_busy(const struct waiting *w, const struct addr *peer);
/* The prefix that PEER belongs to. */
struct addr waiting_prefix(const struct waiting *w, const struct addr *peer);

#endif
