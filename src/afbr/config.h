/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * afbr/config: what the operator wants of the mesh, as read by control/. Immutable once it is read, and shared by references.
 */
#ifndef AFBR_CONFIG_H
#define AFBR_CONFIG_H

#include "bgp/bgp.h"

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
	unsigned tunnel_count;
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

#endif
