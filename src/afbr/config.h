/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * afbr/config: what the operator wants of the mesh, as read by control/. Immutable once it is read, and shared by references.
 */
#ifndef AFBR_CONFIG_H
#define AFBR_CONFIG_H

#include "bgp/bgp.h"
#include "mesh/encap.h"

enum { AFBR_DEVICES = 32 };
enum { AFBR_LISTEN = 16, AFBR_POLICIES = 256, AFBR_NETWORKS = 4096, AFBR_TABLES = 16, AFBR_PROTOCOLS = 16 };

/* A class as it is written: "color:100", which goes out as a Color extended community, or "65000:100", a community. */
struct afbr_class {
	bool is_color;
	uint32_t value;
};

/* A route of our own that is always told. */
struct afbr_network {
	struct prefix prefix;
};

/* Routes of the kernel that are told as ours: static ones, and those of BIRD, FRR or a person. */
struct afbr_import {
	bool present;
	unsigned table_count;
	uint32_t tables[AFBR_TABLES]; /* 254 (main) where none is given */
	unsigned protocol_count;
	uint8_t protocols
		[AFBR_PROTOCOLS]; /* rtm_protocol: "static", "bird", "zebra", "kernel", "ra", ...; required */
	char policy[POLICY_NAME]; /* "": all */
};

/* Best routes that are put into the kernel. */
struct afbr_export {
	bool present;
	uint32_t table;           /* 254 */
	uint32_t metric;          /* 20 */
	uint32_t scan;            /* ms until the table is looked at again: is all there, and no more? 60,000; 0: never */
	bgp_families families;    /* of unicast */
	char policy[POLICY_NAME]; /* "": all */
};

/* ---- softwires ---- */

#define AFBR_DEVICE "softwire0"

enum {
	AFBR_INTERFACES = 16,
	AFBR_SETS = 16,
	AFBR_ACCEPTS = 8,
	AFBR_RULES = 64,
	AFBR_RULE_CLASSES = 8,
	AFBR_RULE_PREFIXES = 64,
	AFBR_SLOTS = 4, /* of traffic: MESH_SLOTS */
	AFBR_DSCPS = 64,
	AFBR_USES = 4,
};

/* A word of `accept`, in the order of preference that others are told. Parameters are made at random, and kept over restarts. */
enum afbr_accept {
	AFBR_ACCEPT_IPIP,
	AFBR_ACCEPT_GRE,
	AFBR_ACCEPT_GRE_KEY,
	AFBR_ACCEPT_L2TPV3, /* with a cookie of 64 bits */
	AFBR_ACCEPT_MPLS_IN_IP,
	AFBR_ACCEPT_MPLS_IN_GRE,
	AFBR_ACCEPT_MPLS_IN_L2TPV3,
};

/* When a route is for softwires (RFC 5565 section 7, MESH-FWD-5): bits of `tunnel`. Default: AFBR_TUNNEL_NEXT_HOP. */
enum afbr_tunnel {
	AFBR_TUNNEL_CORE_INTERFACE = 1, /* a) natively it would leave by an interface of the core */
	AFBR_TUNNEL_CORE_ONLY = 2,      /* b) by an interface that has no address of its family */
	AFBR_TUNNEL_NEXT_HOP = 4,       /* c) its next hop is an address of the core's family */
	AFBR_TUNNEL_BGP = 8,            /* d) it is a route of BGP, of an internal neighbour */
};

/* What a rule may ask for. The payload follows from the route: with a label it is MPLS; the key, from what the egress tells. */
enum afbr_use { AFBR_USE_IPIP, AFBR_USE_GRE, AFBR_USE_L2TPV3, AFBR_USE_NONE };

/*
 * A rule of `encapsulate`: routes (and packets) that meet all its conditions are packed in the first way of `use` that the egress takes; where it takes none of
 * them, or "none" comes first, they are rejected: no later rule is asked.
 */
struct afbr_rule {
	unsigned class_count; /* the route, or what its egress tells of itself, has one of these */
	struct afbr_class classes[AFBR_RULE_CLASSES];
	unsigned prefix_count;
	struct prefix *prefixes; /* the route is within one of these */
	unsigned next_hop_count;
	struct prefix *next_hops; /* the egress is in one of these */
	unsigned dscp_count;
	uint8_t dscps[AFBR_DSCPS];
	uint64_t dscp; /* the same: bit D for packets of DSCP D; all bits: any; computed */
	unsigned use_count;
	uint8_t use[AFBR_USES]; /* enum afbr_use */
	uint8_t hop_limit;         /* outer TTL or hop limit; 64 */
	bool set_dscp;             /* the outer DSCP is always `outer_dscp`; else the inner one's */
	uint8_t outer_dscp;
	bool copy_ecn; /* the egress merges ECN when it unpacks (RFC 6040) */
};

/* What others can read of what we saw (RFC 6396). */
struct afbr_mrt {
	bool updates;            /* each message, as it comes and goes */
	uint32_t table_interval; /* ms between dumps of the tables; 0: none but those that are asked for */
	uint32_t rotate;         /* ms until updates go to another file; 3,600,000 */
	uint32_t keep;           /* files of each kind; the oldest goes */
};

struct afbr_config {
	unsigned refs;
	uint32_t as, id, cluster_id; /* cluster_id 0: id */
	struct addr core;            /* our address in the core: endpoint of what we decapsulate; or none */
	unsigned listen_count;       /* 0: all addresses */
	struct addr listen[AFBR_LISTEN];
	uint16_t port;         /* BGP_PORT; 0: does not listen */
	uint32_t restart_wait; /* ms */
	bool check_next_hops;
	unsigned device_count;
	char devices[AFBR_DEVICES][16]; /* of the softwires of this host's other roles: no next hop is reached through them */
	unsigned neighbor_count;
	struct bgp_neighbor_config
		*neighbors; /* their import_policy and export_policy point into `policies` */
	unsigned policy_count;
	struct policy *policies;
	unsigned network_count;
	struct afbr_network *networks;
	struct afbr_import import;
	struct afbr_export export;
	unsigned core_interface_count; /* packets of softwires are taken from these only; 0: from any */
	char core_interfaces[AFBR_INTERFACES][16];
	unsigned endpoint_count; /* the core's endpoints are in these; 0: anywhere. No other next hop becomes a softwire (SEC-MESH-5, 6) */
	struct prefix endpoints[AFBR_SETS];
	unsigned transmitter_count; /* who may send to us, beside the next hops of BGP routes */
	struct prefix transmitters[AFBR_SETS];
	unsigned client_interface_count;
	char client_interfaces[AFBR_INTERFACES][16];
	bool filter;                /* core addresses (`endpoints`, and our own) are neither source nor destination of what comes in by client interfaces */
	struct addr local4, local6; /* sources of ICMP errors; none: an address of this host */
	uint8_t tunnel;             /* bits of enum afbr_tunnel */
	bool transit;               /* packets of the core's own family come out of softwires, too: RFC 5565 section 12 */
	bool mss_clamp;
	uint32_t roll_interval; /* ms until keys, sessions and cookies are others; 0: only by `softwire mesh roll` */
	uint32_t roll_overlap;  /* ms for which the old ones are still taken; 300,000 */
	unsigned accept_count;
	uint8_t accept[AFBR_ACCEPTS]; /* enum afbr_accept */
	unsigned rule_count;          /* 0: whatever the egress prefers; IP-in-IP where it tells nothing */
	struct afbr_rule *rules;
	uint8_t slot_count;             /* classes of traffic that the rules tell apart: at least 1 */
	uint8_t slot_of[AFBR_DSCPS];    /* by DSCP; computed */
	uint64_t slot_dscp[AFBR_SLOTS]; /* the inverse */
	unsigned tunnel_count; /* instead of `accept`: with parameters by hand */
	struct bgp_tunnel tunnels[BGP_TUNNELS]; /* what others may send us */
	unsigned class_count;
	struct afbr_class class_list[BGP_TUNNEL_COLORS]; /* that we belong to */
	struct bgp_classes classes;                      /* the same, as bgp_set_tunnels() wants them */
	struct afbr_mrt mrt;
	char directory[4096]; /* where MRT files go: mrt/ of the state directory */
};

/* A zeroed one with one reference. NULL: no memory. */
struct afbr_config *afbr_config_new(void);
struct afbr_config *afbr_config_ref(const struct afbr_config *c); /* NULL stays NULL */
void afbr_config_unref(struct afbr_config *c);
const struct policy *afbr_config_policy(
	const struct afbr_config *c, const char *name); /* NULL: there is none */
bool afbr_rule_equal(const struct afbr_rule *a, const struct afbr_rule *b);

#endif
