/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bgp_model: what the tables of some speakers have to look like when everything is quiet, found out in the most naive way.
 *
 * Each speaker looks at what its neighbours use, applies policies and the rules of RFC 4271 and RFC 4456, and takes the best; this is repeated until nothing
 * changes. There are no sessions, messages, sets or times in it. Medium: no MED, all next hops equally near, so that there is only one such state.
 */
#ifndef SIM_BGP_MODEL_H
#define SIM_BGP_MODEL_H

#include <stdbool.h>
#include <stdint.h>

enum { MODEL_NODES = 23, MODEL_PREFIXES = 48, MODEL_PATH = 24, MODEL_CLUSTERS = 6 };

/* Communities that occur, as bits. */
enum { MODEL_SEVEN = 1, MODEL_NINE = 2, MODEL_TWO = 4, MODEL_NO_EXPORT = 8 };

/* The policies that occur. */
enum model_policy {
	MODEL_NO_POLICY,
	MODEL_ALL,
	MODEL_ODD,       /* rejects prefixes with even numbers */
	MODEL_MARK,      /* adds MODEL_TWO */
	MODEL_PREFER,    /* local preference 200 */
	MODEL_NOT_SEVEN, /* rejects what has MODEL_SEVEN */
	MODEL_PREPEND,   /* our own AS, on import the neighbour's, twice more */
	MODEL_POLICIES
};

struct model_route {
	bool there;
	unsigned from; /* the node that told it; itself: its own */
	bool external;
	uint32_t local_pref;
	uint8_t origin;
	unsigned path_length;
	uint32_t path[MODEL_PATH];
	uint32_t originator; /* 0: none */
	unsigned cluster_count;
	uint32_t clusters[MODEL_CLUSTERS];
	unsigned communities;
	unsigned next_hop; /* the number of a node */
};

/* How X treats its neighbour Y. */
struct model_link {
	bool there;
	bool client, next_hop_self;
	enum model_policy import, export;
};

struct model {
	unsigned nodes; /* numbers 1 ... */
	uint32_t as[MODEL_NODES];
	struct model_link link[MODEL_NODES][MODEL_NODES]; /* [x][y] */
	struct model_route own[MODEL_NODES][MODEL_PREFIXES];
	struct model_route best[MODEL_NODES][MODEL_PREFIXES];
};

/* False: it does not come to rest. */
bool model_settle(struct model *m);
/* What X tells Y of prefix P: not there, if nothing. */
struct model_route model_told(const struct model *m, unsigned x, unsigned y, unsigned p);

#endif
