/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * afbr/choose: which encapsulation for the packets of a route, by the operator's rules and by what the egress tells. Pure functions: no state, no I/O.
 *
 * What the egress tells, in this order; the first that says anything is believed and nothing else is:
 *   1. the Tunnel Encapsulation attribute of the route itself (RFC 9012)
 *   2. that of the egress's Encapsulation SAFI route (RFC 5512)
 *   3. Encapsulation extended communities of the route (RFC 9012 section 4.1): types without parameters
 *   4. nothing: then IP-in-IP and GRE without options need no signalling (MESH-SIG-5), and the others cannot be used (MESH-SIG-6)
 * A tunnel counts only if its endpoint is the next hop (or none is given): RFC 5565 section 9, MESH-FWD-3; if it takes the payload; if it has what its type
 * needs (L2TPv3: a Session ID); and if its colors, where it has any, meet the route's (RFC 9012 section 8).
 *
 * Rules (config.h): the first whose conditions are met decides; of its `use`, the first that the egress takes. Where no rule fits, or there are none: the
 * egress's own order; IP-in-IP where it tells nothing. Never a fall-back that the rule does not name.
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
	struct reader encap_set;     /* of the egress's Encapsulation SAFI route; empty: there is none */
};

struct choose_result {
	bool chosen;
	struct mesh_encapsulation how;
	enum choose_source source;
	int rule;      /* index in config->rules; -1: none fits */
	uint8_t hop_limit;
	bool set_dscp, copy_ecn;
	uint8_t outer_dscp;
	bool color_matched;
	char why[192]; /* a sentence for people: why this one, or why none; names what the egress takes and what the rule wants. No cookie. */
};

/* For packets of slot SLOT (config->slot_dscp). */
void choose(const struct afbr_config *c, const struct choose_subject *s, unsigned slot, struct choose_result *ret);

/* Slots of traffic from the rules' `dscp`: fills slot_count, slot_of and slot_dscp. -ENOSPC: the rules tell more than AFBR_SLOTS classes apart. */
int choose_slots(struct afbr_config *c);

#endif
