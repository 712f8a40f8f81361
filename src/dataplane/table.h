/*
 * dataplane/table: the rows that forwarding reads: softwires by session and by inner prefix.
 *
 * A softwire is a row. Rows live in slabs and never move while in use. Two look-ups:
 *   up:   (listening address index, local tunnel id) -> row, an array per listening address indexed by the ids
 *         that we assign (in pages of 256, so that an initiator's one row does not cost half a megabyte);
 *         session id, peer address and port are compared in full.
 *   down: inner prefix -> the same row, one hash per family and configured prefix length; the longest
 *         configured length first.
 * A row names its own few prefixes inline (link, one delegated prefix, IPv4 address: what most have), and further ones in a block apart;
 * they are also what its inner sources are checked against.
 * One writer (the worker that owns the row). A generation field, odd while the row is valid and never used
 * twice, is for readers beyond that worker: it tells them that a row is being removed, or was reused.
 *
 * Known limits: at most DP_ROW_PREFIXES prefixes per row; pages of tunnel ids are given back only by
 * dp_table_done().
 */
#ifndef DATAPLANE_TABLE_H
#define DATAPLANE_TABLE_H

#include "lib/addr.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "lib/pool.h"
#include "lib/reader.h"
#include "lib/wheel.h"
#include "lib/writer.h"

enum { DP_ROW_INLINE = 3, DP_ROW_MORE = 5, DP_ROW_PREFIXES = DP_ROW_INLINE + DP_ROW_MORE };
enum { DP_LISTENERS_MAX = 64, DP_PAGE_ROWS = 256, DP_PAGES = 65536 / DP_PAGE_ROWS };

struct dp_family_counters {
	uint64_t rx_packets, rx_bytes; /* out of the softwire; bytes are inner bytes */
	uint64_t tx_packets, tx_bytes;
};

/* What the hashes hold: INDEX leads back to the row. */
struct dp_row_prefix {
	struct prefix prefix; /* none: free */
	uint8_t index;
};

/* The block of further prefixes; there while one of them is. */
struct dp_row_more {
	struct dp_row *row;
	struct dp_row_prefix prefixes[DP_ROW_MORE];
};

struct dp_row {
	uint32_t generation; /* odd: valid */
	uint8_t listener;    /* index of the local address and socket */
	uint8_t prefix_count;
	bool any_source; /* no ingress filter: the initiator's end, which takes what the SC forwards */
	bool up6, up4;   /* NCP open: payload may flow */
	bool copy_ecn;   /* the far end merges the outer ECN field into the inner one (RFC 6040) */
	uint16_t local_tunnel, local_session, peer_tunnel, peer_session;
	uint16_t mtu;     /* of inner packets; dp_row_add() sets 1280 */
	uint16_t mss_mtu; /* TCP MSS is clamped to this MTU; 0: no clamping */
	struct endpoint peer;
	struct addr local; /* what the peer talks to, where the socket is bound to all addresses; else none */
	struct dp_row_prefix prefixes[DP_ROW_INLINE]; /* any may be free */
	struct dp_row_more *more;                     /* or NULL */
	struct dp_family_counters v6, v4;
	uint32_t drop_spoofed, drop_too_big, drop_other;
	msec last_rx;      /* any valid packet from the right peer */
	msec last_tx;      /* data in either family; the role looks at both for hints and for HELLO */
	struct limit icmp; /* errors about this softwire's packets */
	void *owner;       /* the role's softwire */
};

/* Rows of one listening address by local tunnel id; pages come with their first row. */
struct dp_tunnel_index {
	struct dp_row **pages[DP_PAGES];
};

struct dp_table {
	struct pool rows;
	struct dp_tunnel_index *by_tunnel[DP_LISTENERS_MAX]; /* allocated with the listener */
	struct dp_row *any;                                  /* the initiator's default row, or NULL */
	struct hash prefixes6[129], prefixes4[33];
	uint8_t lengths6[129], lengths4[33]; /* lengths in use, longest first */
	unsigned length6_count, length4_count;
	uint32_t generation; /* of the newest row */
	uint64_t seed;
};

int dp_table_init(struct dp_table *t, uint64_t seed); /* 0 or -ENOMEM */
/* Frees everything, rows included. */
void dp_table_done(struct dp_table *t);
int dp_table_add_listener(
	struct dp_table *t, uint8_t listener); /* 0 (also when it is there already), -EINVAL, -ENOMEM */
/* A new row, valid for session look-up; no prefixes yet, nothing up. -EEXIST when the id is taken, -EINVAL
 * without the listener. */
int dp_row_add(struct dp_table *t, uint8_t listener, uint16_t local_tunnel, uint16_t local_session,
	const struct endpoint *peer, struct dp_row **ret);
/* Also removes its prefixes, and the default route to it. */
void dp_row_remove(struct dp_table *t, struct dp_row *row);
/* -EEXIST when a row (also this one) has exactly this prefix, -ENOSPC when the row is full, -EINVAL for
 * "none", -ENOMEM. */
int dp_row_add_prefix(struct dp_table *t, struct dp_row *row, const struct prefix *p);
void dp_row_remove_prefix(struct dp_table *t, struct dp_row *row, const struct prefix *p);
/* All that it has; how many. */
unsigned dp_row_list(const struct dp_row *row, struct prefix ret[DP_ROW_PREFIXES]);
/* All traffic without a better row goes here: the initiator's end has one row. NULL: nowhere. */
void dp_table_set_default(struct dp_table *t, struct dp_row *row);

struct dp_row *dp_find_session(const struct dp_table *t, uint8_t listener, uint16_t local_tunnel);
struct dp_row *dp_find_inner(const struct dp_table *t, const struct addr *dst);
/* Its counters as bytes, and back: 0 or -EBADMSG, and nothing has changed. (save.c) */
void dp_row_save_counters(const struct dp_row *row, struct writer *w);
int dp_row_resume_counters(struct dp_row *row, struct reader *r);
bool dp_row_permits_source(const struct dp_row *row, const struct addr *src);

#endif
