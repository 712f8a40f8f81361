/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mesh/table: the rows that forwarding reads (RFC 5565; one table for all planes).
 *
 *   path        what a route of the kernel's points to, by number: `198.51.100.0/24 via inet6 fe80::7 dev softwire0` is path 7. For each traffic class a slot:
 *               endpoint, the backup when that one cannot be used, labels. path.c
 *   endpoint    an egress AFBR and how packets are packed for it: template, MTU, counters. endpoint.c
 *   acceptance  what we decapsulate. accept.c
 *   transmitter who may send to us. transmitter.c
 *
 * Failover costs the same for one route and for a million: endpoint->usable becomes false, and every path by it goes to its backup with the next packet.
 * A path whose slots all lead nowhere rejects: ICMP, until BGP says otherwise.
 *
 * One writer: the role's loop. Rows do not move while in use. Numbers are 24 bits and 1 or more, and come back late.
 * Ownership: the role holds references; a path holds those of its endpoints.
 */
#ifndef MESH_TABLE_H
#define MESH_TABLE_H

#include "lib/hash.h"
#include "lib/log.h"
#include "lib/lpm.h"
#include "lib/pool.h"
#include "mesh/encap.h"

enum { MESH_SLOTS = 4, MESH_DSCPS = 64, MESH_ACCEPTS = 32, MESH_PATH_MAX = 0xffffff };
enum { MESH_PATH_PAGE = 4096, MESH_PATH_PAGES = (MESH_PATH_MAX + 1) / MESH_PATH_PAGE };
enum { MESH_SENDERS = 4096 }; /* rows of transmitters that only a prefix names */

struct mesh_family_counters {
	uint64_t packets, bytes; /* inner bytes */
};

struct mesh_endpoint {
	uint32_t refs;
	struct addr address; /* the egress: the outermost destination may be another one (levels) */
	struct addr outer;   /* that one */
	struct mesh_template template;
	uint16_t mtu;     /* of inner packets */
	bool usable;      /* reached, parameters known, not shut down */
	bool set_dscp;    /* the outer DSCP is `dscp`; else that of the inner packet */
	bool copy_ecn;    /* RFC 6040 normal mode; else compatibility mode */
	bool clamp_mss;
	uint8_t dscp;
	struct mesh_family_counters tx4, tx6;
	uint32_t drop_too_big, drop_queue;
	struct limit icmp; /* errors about its packets */
	void *owner;       /* the role's */
	struct mesh_endpoint *next, **link; /* among all; endpoint.c's */
};

struct mesh_leg {
	struct mesh_endpoint *endpoint; /* or NULL */
	uint32_t label;                 /* where the endpoint's template has one */
};
struct mesh_slot {
	struct mesh_leg primary, backup;
};
struct mesh_path {
	uint32_t number;
	uint32_t refs;
	struct mesh_slot slots[MESH_SLOTS];
	struct mesh_family_counters tx4, tx6;
	uint64_t rejected; /* packets for which no leg was usable */
	struct limit icmp;
	void *owner;
};

/* Paths by number; path.c's. Those without a path are not there. */
struct mesh_path_page {
	uint32_t used;
	struct mesh_path *paths[MESH_PATH_PAGE];
};

/* What we decapsulate. */
struct mesh_acceptance {
	struct mesh_encapsulation how; /* GRE without a key, IP-in-IP: one row each; GRE by key, L2TPv3 by session */
	bool in_use;
	bool old; /* has been replaced (a roll), and is still taken for a while */
	struct mesh_family_counters rx4, rx6;
	uint64_t drop_cookie; /* the session is right, the cookie is not */
};

/* An address that may send to us. */
struct mesh_transmitter {
	struct addr address;
	uint32_t refs; /* 0: only a prefix of the operator's names it */
	struct mesh_family_counters rx4, rx6;
};

/* Drops that belong to no row, and sums of those that do, by reason. */
struct mesh_counters {
	uint64_t rx_packets, tx_packets; /* outer */
	/* into the core */
	uint64_t drop_no_path, drop_rejected, drop_too_big, drop_bad_inner, drop_local_scope, drop_send_queue;
	uint64_t drop_loop;     /* a packet of our own softwires, which was to go into one once more */
	uint64_t drop_unsent;   /* refused by the kernel: no route, a firewall */
	uint64_t socket_errors; /* what kernel and core said of packets, be they lost or not */
	uint64_t outer_fragmented, inner_fragmented, mss_clamped, failed_over; /* the last: packets by a backup */
	/* out of the core, in the order in which it is looked */
	uint64_t drop_interface;   /* did not come by an interface of the core */
	uint64_t drop_transmitter; /* SEC-MESH-7 */
	uint64_t drop_header;      /* cannot be read */
	uint64_t drop_encapsulation; /* a kind, or payload, that we do not accept */
	uint64_t drop_key, drop_session, drop_cookie, drop_label;
	uint64_t drop_payload;     /* not a whole packet of a family that we take out of softwires, or of one link */
	uint64_t drop_checksum;    /* of GRE */
	uint64_t drop_ecn, ecn_ce, drop_device;
	uint64_t rx_merged; /* segments that the interface had made one packet of: cut again (in.c) */
	uint64_t icmp_sent, icmp_suppressed;
};

struct mesh_table {
	struct pool endpoints, paths, transmitter_rows;
	struct mesh_endpoint *first_endpoint;
	struct mesh_path_page **pages; /* MESH_PATH_PAGES of them */
	uint32_t next_number;          /* the next path's, if it is free */
	uint8_t slot_of[MESH_DSCPS]; /* which slot packets of a DSCP take: the same for all paths */
	struct mesh_acceptance accept[MESH_ACCEPTS];
	struct hash transmitters; /* rows; keyed, because strangers choose what is looked up */
	uint32_t senders;         /* those of them without a reference */
	struct lpm *transmitter_prefixes; /* the operator's; NULL: none */
	bool take4, take6;                /* families that come out of softwires: the one that the core lacks; both for transit */
	uint64_t seed;
};

int mesh_table_init(struct mesh_table *t, uint64_t seed); /* 0 or -ENOMEM */
void mesh_table_done(struct mesh_table *t);               /* frees all rows */

/* One reference for the caller, not usable yet, MTU 1280. NULL: no memory. */
struct mesh_endpoint *mesh_endpoint_new(struct mesh_table *t, const struct addr *address, const struct addr *outer,
	const struct mesh_template *template);
struct mesh_endpoint *mesh_endpoint_ref(struct mesh_endpoint *e); /* NULL stays NULL */
void mesh_endpoint_unref(struct mesh_table *t, struct mesh_endpoint *e);

/*
 * One reference; legs' endpoints are referenced. NUMBER 0: a free one, the one that has not been used for longest; else -EEXIST if it is taken (a path of an earlier
 * process), -EINVAL if it is none. 0, -ENOMEM, -ENOSPC.
 */
int mesh_path_new(struct mesh_table *t, uint32_t number, const struct mesh_slot slots[MESH_SLOTS], struct mesh_path **ret);
struct mesh_path *mesh_path_ref(struct mesh_path *p);
void mesh_path_unref(struct mesh_table *t, struct mesh_path *p);
struct mesh_path *mesh_path_find(const struct mesh_table *t, uint32_t number); /* NULL: none */
struct mesh_path *mesh_path_next(const struct mesh_table *t, uint32_t after);  /* by number; NULL: the end */
/* The leg that a packet of DSCP takes now, or NULL; *ret_backup says which. */
const struct mesh_leg *mesh_path_leg(const struct mesh_table *t, const struct mesh_path *p, uint8_t dscp, bool *ret_backup);
/* The number <-> its gateway fe80::N and link-layer address 02:00:00:N. */
struct addr mesh_path_gateway(uint32_t number);
uint32_t mesh_gateway_path(const struct addr *gateway); /* 0: it is none */
void mesh_path_lladdr(uint32_t number, uint8_t ret[6]);
uint32_t mesh_lladdr_path(const uint8_t lladdr[6]); /* 0: it is none */

/*
 * 0; -EEXIST: one of that kind, payload (MPLS or not) and key, or of that session, is there (with another cookie: give it another session); -ENOSPC; -EINVAL: not
 * mesh_encapsulation_valid().
 */
int mesh_accept_add(struct mesh_table *t, const struct mesh_encapsulation *how, struct mesh_acceptance **ret);
void mesh_accept_remove(struct mesh_table *t, struct mesh_acceptance *a);
/*
 * NULL and the counter of *C that says why; the cookie at R is compared in constant time, and passed. Whether a payload of L2TPv3 is what it should be, R says
 * afterwards: labels if a->how.mpls, else a packet.
 */
struct mesh_acceptance *mesh_accept_find(
	struct mesh_table *t, const struct mesh_heading *h, struct reader *r, struct mesh_counters *c);

/* Counted references by address; 0 or -ENOMEM. */
int mesh_transmitter_add(struct mesh_table *t, const struct addr *a);
void mesh_transmitter_remove(struct mesh_table *t, const struct addr *a);
/*
 * The operator's prefixes instead of those before. 0, or -ENOMEM (nothing has changed). Senders within them get a row of counters when they come for the first
 * time (the one thing that a packet may allocate), up to MESH_SENDERS.
 */
int mesh_transmitter_set_prefixes(struct mesh_table *t, const struct prefix *prefixes, unsigned count);
/* May A send to us? *ret_row (its counters) may stay NULL. */
bool mesh_transmitter_find(struct mesh_table *t, const struct addr *a, struct mesh_transmitter **ret_row);
struct mesh_transmitter *mesh_transmitter_next(const struct mesh_table *t, uint32_t *cursor); /* NULL: the end */

#endif
