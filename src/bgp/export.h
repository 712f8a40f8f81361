/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bgp/export: how a route is told to a neighbour, or why it is not. send.c tells by it and bgp_export() explains by it, so that the explanation is the truth.
 *
 * Almost all of it is the same for all prefixes with one set from one source, and is found out once for a group of them (window.c); only the operator's policy
 * may look at the prefix. The order: export_admits(), export_judge(), export_next_hop(), and at last export_set().
 */
#ifndef BGP_EXPORT_H
#define BGP_EXPORT_H

#include "bgp/bgp.h"

enum { EXPORT_TUNNEL = 1024, EXPORT_COMMUNITIES = BGP_TUNNELS + BGP_TUNNEL_COLORS };

/* What is the same for all routes of a family that a neighbour is told. */
struct exporter {
	struct bgp *bgp;
	const struct bgp_neighbor *neighbor;
	enum bgp_family family;
	const struct bgp_form *form;
	const struct policy *policy; /* or NULL */
	bool external;
	uint32_t as; /* ours, as it knows us */
	struct bgp_next_hop_value self;
	bool tunnels; /* it may be told of tunnels at all (RFC 9012 section 11) */
	/* What we decapsulate, as it is to have it. */
	size_t tunnel_len; /* 0: no attribute */
	uint8_t tunnel[EXPORT_TUNNEL];
	unsigned community_count;
	uint64_t communities[EXPORT_COMMUNITIES];
	size_t growth; /* a set becomes no longer than by so much */
};

/* A decision that holds for a group of prefixes. */
struct export_route {
	const struct bgp_set *set;
	uint16_t source;
	bool reflected; /* from one internal neighbour to another (RFC 4456) */
	bool own;       /* its next hop is ourselves */
	struct policy_result policy;
	struct bgp_next_hop_value next_hop;
};

/* Where the reason goes, of which nobody may want to hear: text NULL. */
struct export_reason {
	char *text;
	size_t size;
};

/* N has a session with F in it. POLICY is n->export, or the one before. */
void exporter_init(
	struct exporter *e, const struct bgp_neighbor *n, enum bgp_family f, const struct policy *policy);
/* May routes with SET from SOURCE go there at all? Fills *ret, all but policy and next hop. */
bool export_admits(const struct exporter *e, const struct bgp_set *set, uint16_t source,
	struct export_route *ret, struct export_reason why);
/* Does the operator's policy let the route pass? Sets route->policy. */
bool export_judge(const struct exporter *e, const struct prefix *prefix, const struct rib_path *path,
	struct export_route *route, struct export_reason why);
/* Sets own and next_hop; false: it cannot be told there. */
bool export_next_hop(const struct exporter *e, struct export_route *route, struct export_reason why);
/* The set as it is told, canonical: 0 or -EMSGSIZE. Uses scratch_policy. */
int export_set(const struct exporter *e, const struct export_route *route, struct writer *ret);
/* The label that goes with it. */
uint32_t export_label(const struct exporter *e, const struct export_route *route, uint32_t label);
/* No message with this set and no prefix is longer. */
size_t export_bound(const struct exporter *e, const struct bgp_set *set);

#endif
