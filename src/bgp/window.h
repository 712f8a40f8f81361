/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bgp/window: some nets of a feed, grouped by what is told of them, so that prefixes of one set share messages though others lie between them in the feed.
 *
 * One is there for the whole engine: it is filled and emptied within one call, send_updates(). It takes no more from the feed than what is sure to fit
 * into the writer, because what was taken cannot be put back.
 */
#ifndef BGP_WINDOW_H
#define BGP_WINDOW_H

#include "bgp/export.h"

enum { WINDOW_NETS = 2048, WINDOW_BUCKETS = 4096 };

struct window_net {
	rib_id net;
	uint32_t label : 20;
	uint32_t had : 1; /* the neighbour has an older route to it */
	uint16_t next;    /* of its group, + 1; 0: the last */
};

struct window_group {
	struct export_route route;
	bool told;            /* or to be withdrawn */
	uint16_t first, last; /* nets, + 1 */
	uint16_t bucket_next,
		variant_next; /* groups, + 1: of the same hash; of the same set and source, with another policy result */
	size_t used; /* bytes of its last message, at most */
};

struct window {
	unsigned net_count, group_count;
	uint16_t withdrawn_first, withdrawn_last; /* nets, + 1 */
	size_t withdrawn_used;
	size_t room, need; /* of the writer; what of it is promised */
	uint16_t recent;   /* group, + 1, of the net before */
	struct window_net nets[WINDOW_NETS];
	struct window_group groups[WINDOW_NETS];
	uint16_t buckets[WINDOW_BUCKETS]; /* groups, + 1 */
};

enum window_result {
	WINDOW_MORE, /* there may be more, and room for it */
	WINDOW_DONE, /* the feed gives no more now */
	WINDOW_FULL, /* W is full, or enough has been looked at for one call */
	WINDOW_NO_MEMORY,
};

/*
 * Takes nets from N's feed of E's family, and writes them to W; looks at no more than *BUDGET, which it lowers. What could be taken is written in any case.
 * A route that the neighbour cannot be told is withdrawn, and an event says so.
 * OLD: not NULL while the feed goes again over what the neighbour knows as OLD had it: only what differs is told.
 */
enum window_result window_pass(struct window *v, const struct exporter *e, const struct exporter *old,
	struct bgp_neighbor *n, struct writer *w, unsigned *budget);

#endif
