/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * afbr/choose: which encapsulation for the packets of a route, by the operator's rules and by what the egress tells. Pure functions: no state, no I/O.
 *
 * What the egress tells:
 *   1. the Tunnel Encapsulation attribute of the route itself (RFC 9012); without one, that of the egress's Encapsulation SAFI route (RFC 5512)
 *   2. Encapsulation extended communities of the route: tunnels without parameters, beside those of the attribute (RFC 9012 section 4.1). One whose type the
 *      attribute has adds nothing: the attribute knows the parameters
 *   3. none of these: then IP-in-IP and GRE without options need no signalling (MESH-SIG-5), and the others cannot be used (MESH-SIG-6)
 * An egress that tells anything takes these only, also where none of them can be built here: nothing is sent then (RFC 9012 section 7.1).
 *
 * A tunnel counts only if its endpoint is the next hop (or none is given): RFC 5565 section 9, MESH-FWD-3; if it takes the payload; if it has what its type
 * needs (L2TPv3: a Session ID); if it wants no labels of its own; and if its colors, where it has any, meet the route's (RFC 9012 section 8). Of several that
 * count, those with the route's color are first, then those for this payload, then the order of the attribute.
 *
 * Payload: a route with a label is for tunnels that name MPLS as their payload, and GRE that names none; one without is for tunnels that name its family, or
 * no payload.
 *
 * Rules (config.h): the first whose conditions are met decides; of its `use`, the first that the egress takes. Where no rule fits, or there are none: the
 * egress's own order; IP-in-IP where it tells nothing. Never a fall-back that the rule does not name.
 *
 * Outer DSCP: the rule's; else the one that the tunnel's DS sub-TLV asks for (RFC 9012 section 3.3.1); else the packet's.
 */
#ifndef AFBR_CHOOSE_H
#define AFBR_CHOOSE_H

#include "afbr/config.h"

enum choose_source { CHOOSE_ATTRIBUTE, CHOOSE_ENCAP_ROUTE, CHOOSE_COMMUNITY, CHOOSE_NOTHING };
const char *choose_source_text(enum choose_source s); /* a clause: "its route tells it" */

struct choose_subject {
	const struct prefix *prefix; /* of the route: its family is the payload's */
	struct reader set;           /* canonical; of the route */
	struct addr egress;          /* the next hop */
	bool labeled;                /* packets carry the route's label: MPLS */
	struct reader encap_set;     /* canonical; of the egress's Encapsulation SAFI route; empty: there is none */
};

struct choose_result {
	bool chosen;
	struct mesh_encapsulation how;
	enum choose_source source; /* of the chosen one; else of what was told first */
	int rule;                  /* index in config->rules; -1: none fits */
	uint8_t hop_limit;
	bool set_dscp, copy_ecn;
	uint8_t outer_dscp;
	bool color_matched;
	char why[192]; /* a sentence for people: why this one, or why none, by what the rule wants and what the egress takes. No parameters */
};

/* For packets of slot SLOT: config->slot_dscp, which choose_slots() has filled. */
void choose(const struct afbr_config *c, const struct choose_subject *s, unsigned slot, struct choose_result *ret);

/* Slots of traffic from the rules' `dscp`: fills slot_count, slot_of and slot_dscp. -ENOSPC: the rules tell more than AFBR_SLOTS classes apart. */
int choose_slots(struct afbr_config *c);

#endif
