/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bgp/decision: which of several paths is the best, and why (RFC 4271 section 9.1.2, RFC 4456 section 9). Pure.
 *
 * Deterministic: the answer follows from the paths alone, not from the order in which they came; MED is compared among paths of one neighbouring
 * AS only, by elimination, as section 9.1.2.2 says, so that adding a path never makes two others change places in a circle. Paths
 * whose AS path is empty or begins with a set have a neighbouring AS in common: our own (section 9.1.2.2 c).
 */
#ifndef BGP_DECISION_H
#define BGP_DECISION_H

#include "bgp/set.h"

enum decision_step {
	DECISION_ONLY,       /* there is no other that can be chosen */
	DECISION_BARRED,     /* cannot be chosen: enum bgp_bar */
	DECISION_UNREACHED,  /* its next hop is not reached, or is ourselves; never our own routes */
	DECISION_LOCAL_PREF, /* a) higher wins */
	DECISION_OURS,       /* told by ourselves */
	DECISION_AS_PATH,    /* shorter wins */
	DECISION_ORIGIN,     /* lower wins */
	DECISION_MED,        /* of one neighbouring AS: lower wins */
	DECISION_EXTERNAL,   /* external before internal */
	DECISION_METRIC,     /* nearer next hop */
	DECISION_IDENTIFIER, /* lower BGP identifier, or originator */
	DECISION_CLUSTER,    /* shorter cluster list */
	DECISION_ADDRESS,    /* lower peer address; of equal ones, on two links, the lower source */
};
/* "a higher local preference", "it is external" ...: what the winner had. */
const char *decision_step_text(enum decision_step step);

struct rib_path;

/* What is known of who told a path. */
struct decision_source {
	bool ours, external;
	uint32_t id; /* BGP identifier */
	struct addr address;
};
struct decision_ops {
	const struct decision_source *(*source)(const struct decision_ops *ops, uint16_t source);
};

/* More than that many for one prefix are not looked at, and rib_update() refuses them. */
enum { DECISION_PATHS = 256 };

/* The index of the best of COUNT, or -1 when none can be chosen. RET_STEPS (may be NULL; COUNT of them): at which step each one but the winner was left
 * behind; the winner's is the step that decided against the last rival. */
int decision_choose(const struct decision_ops *ops, const struct rib_path *const *paths, unsigned count,
	enum decision_step *ret_steps);

#endif
