/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bgp/mrt: what other people's tools read of a speaker (RFC 6396): its messages and states as they come (BGP4MP), its tables as they are (TABLE_DUMP_V2).
 * Bytes only; files and clocks are the owner's. TIME is in seconds since 1970.
 *
 * A dump of the tables is pulled, record by record, while the tables go on changing: it begins with the index of peers, then every net there is has its
 * record, or several where it has more paths than fit. All paths are told, also those that cannot be chosen. Who became a neighbour after the beginning is
 * not in the index, and its paths are left out. Labeled and Encapsulation families are RIB_GENERIC; the labeled ones have a record for each path, since labels are a path's own.
 */
#ifndef BGP_MRT_H
#define BGP_MRT_H

#include "bgp/bgp.h"

enum {
	MRT_MESSAGE = 12 + 44 + BGP_EXTENDED_MAX, /* room for every record of a message or state */
	MRT_RECORD =
		131072, /* room for at least one path of the longest set, and for the index of all peers */
	MRT_LOOKED_AT = 1024, /* nets that one call looks at, at most */
};

/* Between whom. */
struct mrt_session {
	uint32_t peer_as, local_as;
	unsigned interface;
	struct addr peer, local; /* local: or none */
	bool as4;                /* AS numbers in UPDATEs have four octets */
};
void mrt_session_of(const struct bgp_connection *c, struct mrt_session *ret);
/* For states: the addresses are those of its session, or what is known without one. */
void mrt_session_of_neighbor(const struct bgp_neighbor *n, struct mrt_session *ret);

/* BGP4MP_MESSAGE_AS4, _LOCAL where it was SENT; without AS4 only where AS numbers of two octets are in it. MESSAGE with its header. */
void mrt_message_write(struct writer *w, uint32_t time, const struct mrt_session *s, bool sent,
	const uint8_t *message, size_t len);
/* BGP4MP_STATE_CHANGE_AS4 */
void mrt_state_write(
	struct writer *w, uint32_t time, const struct mrt_session *s, enum bgp_state from, enum bgp_state to);

struct mrt_peer {
	bool there;
	uint16_t index;
	uint32_t id, as;
	struct addr address;
};

struct mrt_dump {
	struct bgp *bgp;
	uint32_t time;
	msec now; /* the engine's clock then */
	bool begun, done;
	enum bgp_family family;
	rib_id net;           /* the last one that was looked at */
	struct prefix prefix; /* of it, where it was told */
	unsigned told;        /* how many of its paths, while there are more */
	uint32_t sequence;
	uint64_t left_out; /* paths whose attributes do not fit into a record: longer than 65535 octets */
	struct mrt_peer peers[BGP_NEIGHBORS + 1]; /* by source */
};
void mrt_dump_begin(struct mrt_dump *d, struct bgp *b, uint32_t time, msec now);
/* The next record into BUF, of MRT_RECORD octets at least. Its length, or 0: that was all (d->done), or none was found so far. */
size_t mrt_dump_next(struct mrt_dump *d, uint8_t *buf, size_t size);

#endif
