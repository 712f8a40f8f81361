/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bgp/net: what rib.c and feed.c share: a net, and the list of nets. Not for other files.
 *
 * Who is in the list: nets with a best path, nets that some feed still has, and marks, which are nets without a prefix: where feeds have their place, end and
 * mark (feed.c). A net without a best path that no feed has is in none: nobody wants to hear of it.
 */
#ifndef BGP_NET_H
#define BGP_NET_H

#include "bgp/rib.h"

struct rib_net {
	rib_id previous, next; /* in the list */
	union {
		rib_id paths;
		uint32_t refs; /* of a mark: places, ends and marks of feeds */
	};
	uint32_t len : 8;
	uint32_t path_count : 9;
	uint32_t had : 12; /* how many feeds have it */
	uint32_t best : 1; /* the first path is */
	uint32_t marks : 1;
	uint32_t listed : 1;
	uint8_t key[]; /* the address */
};

static inline struct rib_net *net_at(const struct rib *r, rib_id id)
{
	return arena_at(&r->nets, id);
}

static inline void list_insert(struct rib *r, rib_id id, rib_id before) /* 0: at the end */
{
	struct rib_net *n = net_at(r, id);
	rib_id after = before ? net_at(r, before)->previous : r->last;

	n->previous = after;
	n->next = before;
	n->listed = 1;
	*(after ? &net_at(r, after)->next : &r->first) = id;
	*(before ? &net_at(r, before)->previous : &r->last) = id;
}

static inline void list_remove(struct rib *r, rib_id id)
{
	struct rib_net *n = net_at(r, id);

	if (!n->listed)
		return;
	*(n->previous ? &net_at(r, n->previous)->next : &r->first) = n->next;
	*(n->next ? &net_at(r, n->next)->previous : &r->last) = n->previous;
	n->listed = 0;
}

/* It changed, or somebody has or has not got it: it moves to the end, or leaves the list, or is freed. True: feeds that were at the end have something. */
bool net_changed(struct rib *r, rib_id id);
/* Nobody has NET any more that has no best path. */
void net_forget(struct rib *r, rib_id id);

#endif
