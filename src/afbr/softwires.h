/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * afbr/softwires: from best routes to rows of the mesh data plane. What softwires.c (life, devices, sockets, the plane), paths.c (a path row for a route),
 * endpoints.c (egresses: reached? MTU? shut down?), accept.c (what we take, and tell), transmitters.c (who may send), adopt.c (rows of the process before) and
 * show_mesh.c (JSON) share. Not for other folders.
 *
 * A route is for softwires or not: softwire_wants(), by config->tunnel. If so, export.c asks for its path: path_for(), which chooses an encapsulation for each
 * slot of traffic (choose.h) for the best path's next hop, and for the next best usable path with another next hop as backup; and puts
 * `PREFIX via fe80::NUMBER dev softwire0` into the kernel. Routes with the same answers share the row. A route whose best path leads to no usable softwire has none, with a reason; it
 * is not in the kernel then, and packets find what else the kernel has.
 *
 * Endpoints are shared by (address, stack, encapsulation with its parameters, outer header policy), and held by paths. An endpoint is usable while the core has a
 * way to its address (nexthop.c says so, at once), and the operator has not shut it down.
 *
 * A row is freed when the kernel has no route to it any more (the keeper has answered), then its neighbour entry goes.
 *
 * Restart. Paths, endpoints and our own keys, Session IDs and cookies stand in the memory that the keeper holds for the device (state/store.h). The next
 * process takes them up before it reads packets: routes that are in the kernel go on leading where they led, until BGP has told everything again; a route that is the same then has
 * the same row.
 */
#ifndef AFBR_SOFTWIRES_H
#define AFBR_SOFTWIRES_H

#include "afbr/choose.h"
#include "afbr/parts.h"
#include "mesh/plane.h"
#include "state/store.h"

struct acceptor;
struct transmitters;
struct softwire_path;

/* What tells endpoints apart. Zeroed before it is filled: compared and hashed as bytes. */
struct endpoint_key {
	struct addr address; /* BGP next hop of the route: the egress */
	struct addr outer;   /* of the second level (RFC 5565 section 12), or none */
	struct mesh_encapsulation how, outer_how;
	uint8_t hop_limit, outer_dscp;
	bool set_dscp, copy_ecn;
};

enum endpoint_state { ENDPOINT_UP, ENDPOINT_UNREACHED, ENDPOINT_SHUT, ENDPOINT_PEER_DOWN };

struct softwire_endpoint {
	struct softwire_endpoint *next, **link; /* among softwires' */
	struct endpoint_key key;
	struct mesh_endpoint *row; /* its owner is this */
	uint32_t refs;             /* of paths */
	enum endpoint_state state;
	msec since;             /* of the state */
	uint32_t path_mtu;      /* of the core towards it, outer packet; 0: not known */
	uint32_t learned_mtu;   /* what the core has said of a packet, until learned_until; or 0 */
	msec learned_until;
	bool adopted;           /* of the process before, and not chosen again yet */
	uint32_t flaps;
	char why[192];          /* of the choice; choose_result.why */
	char state_why[96];     /* of the state: "there is no route to it" ...; or "" */
};

struct softwires {
	struct afbr *afbr;
	struct mesh_plane *plane;
	struct mesh_table *table; /* the plane's */
	unsigned ifindex;         /* of AFBR_DEVICE */
	uint8_t core_family;
	struct store *store;      /* NULL: nothing is kept over a restart, and the log has said why */
	struct hash by_key;       /* endpoints */
	struct softwire_endpoint *endpoints;
	unsigned endpoint_count;
	struct hash paths;        /* paths.c's */
	struct acceptor *acceptor;
	struct transmitters *transmitters;
	struct limit refused_lines, endpoint_lines, mtu_lines;
	/* the rest is softwires.c's */
	unsigned pending;
	void (*started)(struct afbr *a, int result);
};

/* Record ids in the store. */
enum { SOFTWIRE_RECORD_ACCEPT = 1, SOFTWIRE_RECORD_ENDPOINT = 0x40000000, SOFTWIRE_RECORD_PATH = (int)0x80000000 };

/* ---- softwires.c ---- */

/*
 * Where config->core has an address: forwarding on, device, sockets, plane, records of the process before; then DONE: 0, or -errno after a logged reason. Without a core address: DONE at
 * once, and a->softwires stays NULL.
 */
void softwire_start(struct afbr *a, void (*done)(struct afbr *a, int result));
/* config is another one: sockets, interfaces, sources, rules. */
void softwire_change(struct afbr *a, const struct afbr_config *old);
void softwire_free(struct afbr *a);
/* Is the best path PATH of a route to PREFIX for softwires (config->tunnel)? NATIVE: the way that it has natively, or NULL. *ret_why: a clause, for people. */
bool softwire_wants(struct afbr *a, enum bgp_family family, const struct prefix *prefix, const struct rib_path *path,
	const struct keeper_bgp_route *native, const char **ret_why);

/* ---- paths.c ---- */

/* For NET of FAMILY (unicast or labeled): a reference and its number; or 0 and WHY: there is none that can be used. */
uint32_t path_for(struct afbr *a, enum bgp_family family, rib_id net, char *why, size_t size);
/* The kernel has been told of no route to it any more; it may go when it has answered. */
void path_release(struct afbr *a, uint32_t number);
void path_keep(struct afbr *a, uint32_t number); /* one more reference */

/* ---- endpoints.c ---- */

/* The one of KEY, with a reference for the caller; made if there is none. NULL: no memory. */
struct softwire_endpoint *endpoint_get(struct softwires *s, const struct endpoint_key *key, const char *why);
void endpoint_put(struct softwires *s, struct softwire_endpoint *e);
/* nexthop.c: the way of the core to ADDRESS is another one, or there is none any more. At once, from inside whatever happens. */
void endpoint_way_changed(struct afbr *a, const struct addr *address);
/* The session with the neighbour at ADDRESS has ended, and its routes are not kept (or it is there again): its endpoints are not usable any more. */
void endpoint_peer(struct afbr *a, const struct addr *address, bool up);
/* The operator: `softwire mesh shutdown ADDRESS`, `start`. How many softwires; or -ENOENT. */
int endpoint_shut(struct afbr *a, const struct addr *address, bool shut);

/* ---- accept.c ---- */

int accept_start(struct softwires *s); /* parameters from the store, or at random; rows; bgp_set_tunnels() when a->bgp is there: accept_tell() */
void accept_tell(struct softwires *s);
void accept_change(struct softwires *s, const struct afbr_config *old);
/* Others from now on; the old ones for roll_overlap. How many. */
int accept_roll(struct softwires *s);
void accept_free(struct softwires *s);

/* ---- transmitters.c ---- */

int transmitter_start(struct softwires *s);
void transmitter_change(struct softwires *s, const struct afbr_config *old);
/* nexthop.c: ADDRESS is a next hop of routes that others tell, or is none any more. */
void transmitter_next_hop(struct afbr *a, const struct addr *address, bool wanted);
void transmitter_free(struct softwires *s);

/* ---- adopt.c ---- */

/* What the store has becomes rows, marked `adopted`; they go when export.c says that its restart is over (adopt_settle()), unless they were chosen again. */
int adopt_rows(struct softwires *s);
void adopt_settle(struct softwires *s);
void adopt_save_endpoint(struct softwires *s, const struct softwire_endpoint *e);
void adopt_save_path(struct softwires *s, const struct mesh_path *p);
void adopt_drop(struct softwires *s, uint32_t id);

#endif
