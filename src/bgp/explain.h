/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bgp/explain: why a path is the best of its net, or to what it lost, in words: `softwire show route`. Pure.
 *
 * The words follow from the paths alone: in whichever order they came, they are explained in one order, and with the same words. They are clauses
 * about the path: "local preference 100, the best has 200".
 */
#ifndef BGP_EXPLAIN_H
#define BGP_EXPLAIN_H

#include "bgp/rib.h"

enum { EXPLAIN_TEXT = 200 };

struct explain_path {
	const struct rib_path *path;
	bool best;
	enum decision_step step; /* of the best: what decided against its last rival */
	/* Whom it is compared with: of the best, its last rival; of one that lost, the best, or by MED the one of the same neighbouring AS. Or NULL. */
	const struct rib_path *rival;
	char why[EXPLAIN_TEXT];
};

struct explain {
	unsigned count;
	bool pending; /* next hops have changed since the best path was chosen: it is about to be chosen again, as is said here */
	/* The best first, then those that lost, the last first; then those without a next hop that is reached; then those that are barred. */
	struct explain_path paths[DECISION_PATHS];
};

/* All paths of NET. */
void explain_net(const struct rib *r, rib_id net, struct explain *ret);
/* "local-preference", "med" ...: for programs. */
const char *explain_step_name(enum decision_step step);

#endif
