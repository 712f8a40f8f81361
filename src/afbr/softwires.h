/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * afbr/softwires: from best routes to rows of the mesh data plane. What softwires.c (life: device, sockets, plane), wants.c (is a route for softwires?),
 * choices.c (which endpoint for a path of BGP), paths.c (a path row for a route), endpoints.c (egresses: reached? MTU? shut down?), accept.c (what we take, and
 * tell), transmitters.c (who may send), adopt.c (rows of the process before), show_mesh.c and show_fib.c (JSON, and words) share; export.c asks them for paths. Not for other folders.
 *
 * A route is for softwires or not: softwire_wants(), by config->tunnel. If so, export.c asks for its path: path_for(), which chooses an encapsulation for each
 * slot of traffic (choose.h) for the best path's next hop, and for the next best usable path with another next hop as backup; and puts
 * `PREFIX via fe80::NUMBER dev softwire0` into the kernel. Routes with the same answers share the row. A route for which the rules, or what its egress
 * takes, leave no encapsulation has a path all the same, which rejects its packets: a shorter route would lead them elsewhere. One whose next hop is no end of softwires
 * has none, with a reason; it is not in the kernel then, and packets find what else the kernel has. A prefix that the labeled table has, too, goes by its labeled route where that leads to a
 * softwire (RFC 5565 section 9), or where neither does, else by the other one.
 *
 * Endpoints are shared by (address, stack, encapsulation with its parameters, outer header policy), and held by paths. An endpoint is usable while the core has a
 * way to its address (nexthop.c says so, at once), the BGP session with it has not just ended, and the operator has not shut it down. What is not usable is
 * passed over by the data plane with the next packet: routes stay as they are.
 *
 * Order. A row is complete, and its neighbour entry asked for, before the keeper is asked for the first route by it. It is freed when the kernel has no route
 * to it any more (the keeper has answered), and its neighbour entry goes with it. Endpoints without paths go a little later (endpoint_tidy()), so that what
 * looks at many routes in a row may point to them meanwhile.
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

/* What tells endpoints apart. */
struct endpoint_key {
	struct addr address; /* BGP next hop of the route: the egress */
	struct addr outer;   /* of the second level (RFC 5565 section 12), or none */
	struct mesh_encapsulation how, outer_how;
	uint8_t hop_limit, outer_dscp;
	bool set_dscp, copy_ecn;
};

/* The last: nobody holds it; it can be seen for a while, and is there again if a route leads to it meanwhile. */
enum endpoint_state { ENDPOINT_UP, ENDPOINT_UNREACHED, ENDPOINT_SHUT, ENDPOINT_PEER_DOWN, ENDPOINT_UNUSED };

struct softwire_egress; /* endpoints.c's: what endpoints with one address have in common */

struct softwire_endpoint {
	struct softwire_endpoint *next, **link;               /* among softwires' */
	struct softwire_endpoint *next_of_egress, **egress_link;
	struct softwire_egress *egress;
	struct endpoint_key key;
	struct mesh_endpoint *row; /* its owner is this */
	uint32_t hash, number, record; /* of the key; of the record, and its place */
	uint32_t refs;             /* of paths */
	enum endpoint_state state;
	msec since;             /* of the state */
	uint32_t path_mtu;      /* of the core towards it, outer packet; 0: not known */
	uint32_t learned_mtu;   /* what the core has said of a packet, until learned_until; or 0 */
	msec learned_until;
	bool adopted;           /* of the process before, and not chosen again yet */
	bool known;             /* BGP has named its next hop: nexthop_core() can be asked */
	bool told;              /* the log has had a line about its state */
	bool too_narrow;        /* the core's MTU is too small for IPv6, which is carried, and the log has said so */
	uint32_t flaps;
	uint32_t hints;         /* how often the core said that it cannot be reached */
	char why[192];          /* of the choice; choose_result.why */
	char state_why[96];     /* of the state: "there is no route to it" ...; or "" */
};

/* What tells paths apart: the primary (0) and the backup (1) of each slot. Zeroed before it is filled. */
struct path_key {
	struct {
		struct softwire_endpoint *endpoint; /* or NULL */
		uint64_t label;
	} leg[MESH_SLOTS][2];
};

struct softwire_path {
	struct softwires *softwires;
	struct path_key key;
	struct mesh_path *row; /* its owner is this */
	uint32_t hash, record;
	uint32_t refs; /* of routes in the kernel, or on their way there and back; and one while `adopted`, and while `error` */
	bool adopted;  /* of the process before: the kernel may have routes by it that nobody has told again yet */
	int error;     /* of its neighbour entry: there are no routes by it */
};

/* What was chosen for a path of BGP: choices.c. */
struct softwire_choice {
	bool usable;  /* there is an endpoint for some slot */
	bool rejects; /* some slot has none because of what the rules say, or of what the egress takes */
	struct softwire_endpoint *endpoint[MESH_SLOTS];
	char why[192]; /* of the first slot that has none */
};
struct choice_cell;
struct softwire_asked;

enum { SOFTWIRE_MOVED = 16, SOFTWIRE_MTU = 9000, SOFTWIRE_NEIGHBOURS = 256 };

struct softwires {
	struct afbr *afbr;
	struct mesh_plane *plane;
	struct mesh_table *table; /* the plane's */
	unsigned ifindex;         /* of AFBR_DEVICE */
	uint8_t core_family;
	unsigned interfaces[AFBR_INTERFACES]; /* of the core, those that are there now */
	unsigned interface_count;
	uint32_t families;        /* softwire_families(), where the policy asks for it */
	bool up;                  /* all that softwire_start() opens is there */
	struct store *store;      /* NULL: nothing is kept over a restart, and the log has said why */
	struct hash by_key;       /* endpoints */
	struct hash egresses;     /* endpoints.c's */
	struct softwire_endpoint *endpoints;
	unsigned endpoint_count, unused_count, stacked_count; /* without those that are unused; of those; of two levels, of both */
	uint32_t next_endpoint;
	struct hash paths; /* paths.c's */
	struct acceptor *acceptor;
	struct transmitters *transmitters;
	struct limit refused_lines, path_lines, endpoint_lines, mtu_lines, store_lines;
	struct wheel_timer tidy, mtu_timer, peer_timer;
	/* choices.c */
	struct choice_cell *choices;
	uint64_t choices_round;
	bool prefix_rules; /* a rule asks for prefixes */
	bool stacks;       /* there has been an egress that the core's interior has no way to */
	struct rib_feed encap_feed; /* of the core's Encapsulation SAFI table */
	struct addr moved[SOFTWIRE_MOVED]; /* egresses whose routes have to be told again */
	unsigned moved_count;
	bool moved_all;
	/* paths.c */
	uint32_t asking[SOFTWIRE_NEIGHBOURS], letting[SOFTWIRE_NEIGHBOURS]; /* neighbour entries that are to come, and to go */
	unsigned asking_count, letting_count;
	struct softwire_asked *asked;
	struct wheel_timer retry; /* of those that were refused */
	/* adopt.c */
	int store_fd;
	struct wheel_timer settle;
	bool kept; /* what the process before has left was taken up, or there was nothing */
	bool settled;
	/* softwires.c */
	struct wheel_timer again; /* the device is still somebody's, or has been lost */
	bool lost, lost_told;     /* the device; that it cannot be made again */
	bool device_up;           /* nobody has set it down */
	bool device_forgot;       /* it was down, or away, for a moment at least */
	struct wheel_timer receive; /* sockets that could not be opened */
	bool opening, open_again;   /* sockets; and all of them once more */
	unsigned tries, next_protocol;
	bool filters; /* keeper_borders() has been asked for */
	void (*started)(struct afbr *a, int result);
	void (*stopped)(struct afbr *a);
};

/* Record ids in the store. */
enum { SOFTWIRE_RECORD_ACCEPT = 1, SOFTWIRE_RECORD_TRANSMITTERS = 0x1000, SOFTWIRE_RECORD_ENDPOINT = 0x40000000, SOFTWIRE_RECORD_PATH = (int)0x80000000 };

/* ---- softwires.c ---- */

/*
 * Where config->core has an address: forwarding on, records of the process before, sockets, device, plane; then DONE: 0, or -errno after a logged reason. Without a core address: DONE at
 * once, and a->softwires stays NULL.
 */
void softwire_start(struct afbr *a, void (*done)(struct afbr *a, int result));
/* a->bgp and next hops are there. 0 or -errno */
int softwire_with_engine(struct afbr *a);
/* config is another one: sockets, interfaces, sources, rules. */
void softwire_change(struct afbr *a, const struct afbr_config *old);
/* Link INDEX (0: any) is down, or was; or has lost addresses and with them routes. */
void softwire_link_down(struct afbr *a, unsigned index);
/* The host's addresses or interfaces have changed. */
void softwire_look_at_network(struct afbr *a);
/* No route leads to the device any more: rows and device go; then DONE. softwire_free() has to follow all the same. */
void softwire_stop(struct afbr *a, void (*done)(struct afbr *a));
/* The process leaves: what the next one needs is in the store. */
void softwire_hand_over(struct afbr *a);
void softwire_free(struct afbr *a);

/* ---- wants.c ---- */

/* Is the path PATH of a route to PREFIX for softwires (config->tunnel)? IFINDEX: where the way to its next hop leaves, 0: there is none; NATIVE: the
 * packets themselves could go there, too. *ret_why: a clause, for people. */
bool softwire_wants(struct afbr *a, enum bgp_family family, const struct prefix *prefix, const struct rib_path *path,
	unsigned ifindex, bool native, const char **ret_why);
/* Which interfaces have addresses of which family, as one number: another one, where that has changed. */
uint32_t softwire_families(const struct afbr *a);
/* Does NATIVE, the way of a route to PREFIX, leave by an interface of the core, which is not to see this family (RFC 5565 section 4.1)? */
bool softwire_forbids(struct afbr *a, const struct prefix *prefix, const struct keeper_bgp_route *native);

/* ---- choices.c ---- */

/* a->bgp is there. 0 or -errno */
int choice_begin(struct softwires *s);
void choice_change(struct softwires *s);
void choice_free(struct softwires *s);
/* What was chosen before is not remembered any more: to be called before a row of choice_path() in which nothing of the engine changes. */
void choice_forget(struct softwires *s);
void choice_path(struct softwires *s, enum bgp_family family, const struct prefix *prefix, const struct rib_path *path,
	struct softwire_choice *ret);
/* ops->routes() of the core's Encapsulation SAFI table. */
void choice_routes(struct afbr *a, enum bgp_family family);
/* The core's own routes to PREFIX are others: packets to an egress in it may be packed in another way. */
void choice_route_told(struct afbr *a, const struct prefix *prefix);
/* Routes by ADDRESS (NULL: all) have to be told to export.c again. */
void choice_moved(struct softwires *s, const struct addr *address);
/* Is one of the paths of NET by such a one? */
bool choice_is_moved(const struct afbr *a, const struct rib *rib, rib_id net);
void choice_settle(struct afbr *a);

/* ---- paths.c ---- */

void path_start(struct softwires *s);
/*
 * For NET of FAMILY (unicast or labeled): a reference and its number; or 0 and WHY: there is none that can be used. What the rules do not let through gets a path
 * that rejects its packets, and WHY: without a route of its own it would take a shorter one, which leads elsewhere.
 */
uint32_t path_for(struct afbr *a, enum bgp_family family, rib_id net, char *why, size_t size);
/* Of any traffic: it leads nowhere. */
bool path_rejects(struct afbr *a, uint32_t number);
/* The kernel has been told of no route to it any more, and has answered. 0: nothing. */
void path_release(struct afbr *a, uint32_t number);
void path_keep(struct afbr *a, uint32_t number); /* one more reference */
/* The route by path NUMBER. */
void path_route(const struct afbr *a, uint32_t number, struct keeper_bgp_route *ret);
/* Neighbour entries that were not asked for yet are: before the routes by them. */
void path_flush(struct afbr *a);
/* All neighbour entries are asked for once more: somebody may have deleted them, or the kernel has, with the device. */
void path_renew(struct afbr *a);
/* A path of the process before, with a reference, marked `adopted`. 0; -EEXIST, -ENOMEM, -EINVAL */
int path_adopt(struct softwires *s, uint32_t number, const struct path_key *key, uint32_t record);
/* Nobody needs those that are still marked any more. How many. */
unsigned path_settle(struct softwires *s);
void path_free_all(struct softwires *s);

/* ---- endpoints.c ---- */

void endpoint_start(struct softwires *s);
/* The one of KEY; made if there is none. It stays until endpoint_tidy(), or as long as it is held. NULL: no memory, or what KEY says cannot be packed. */
struct softwire_endpoint *endpoint_get(struct softwires *s, const struct endpoint_key *key, const char *why);
void endpoint_hold(struct softwire_endpoint *e);
void endpoint_put(struct softwires *s, struct softwire_endpoint *e);
/* One of the process before. NULL: as above, or it is there. */
struct softwire_endpoint *endpoint_adopt(struct softwires *s, const struct endpoint_key *key, const char *why, enum endpoint_state state,
	uint32_t path_mtu);
/* Those that nobody holds are unused from now on, and go when they have been that for a minute. */
void endpoint_tidy(struct softwires *s);
/* config or core address are others. */
void endpoint_change(struct softwires *s);
void endpoint_free_all(struct softwires *s);
const char *endpoint_state_name(enum endpoint_state state); /* "up", "unreached", "shut", "peer-down", "unused" */
/* nexthop.c: the way of the core to ADDRESS is another one, or there is none any more. At once, from inside whatever happens. */
void endpoint_way_changed(struct afbr *a, const struct addr *address);
/* The session with the neighbour at ADDRESS has ended, and its routes are not kept (or it is there again): its endpoints are not usable until those are gone. */
void endpoint_peer(struct afbr *a, const struct addr *address, bool up);
/* The operator: `softwire mesh shutdown ADDRESS`, `start`. How many softwires; or -ENOENT. */
int endpoint_shut(struct afbr *a, const struct addr *address, bool shut);
/* ops->path_mtu, ops->unreachable of the plane */
void endpoint_path_mtu(struct mesh_plane *p, const struct addr *outer, uint32_t mtu);
void endpoint_unreachable(struct mesh_plane *p, const struct addr *outer, int error);

/* ---- accept.c ---- */

int accept_start(struct softwires *s); /* parameters from the store, or at random; rows; bgp_set_tunnels() when a->bgp is there: accept_tell() */
void accept_tell(struct softwires *s);
void accept_change(struct softwires *s, const struct afbr_config *old);
/* Others from now on; the old ones for roll_overlap. How many. */
int accept_roll(struct softwires *s);
void accept_free(struct softwires *s);

/* ---- transmitters.c ---- */

/* Those of the process before, and the endpoints of adopt_rows(), may send, too, until transmitter_settle(): the restart is over (with adopt_settle()). */
int transmitter_start(struct softwires *s);
/* a->bgp is there: routes of the Encapsulation SAFI are read. 0 or -ENOMEM */
int transmitter_begin(struct softwires *s);
void transmitter_settle(struct softwires *s);
void transmitter_change(struct softwires *s, const struct afbr_config *old);
/* ops->routes(): only notes it down. Nothing where there is no core. */
void transmitter_routes(struct afbr *a, enum bgp_family family);
/* nexthop.c: ADDRESS is a next hop of routes that others tell, or is none any more. */
void transmitter_next_hop(struct afbr *a, const struct addr *address, bool wanted);
/* mesh_ops.refused(): a line in the log, if there were not too many. */
void transmitter_refused(struct softwires *s, const struct addr *from, const char *reason);
void transmitter_free(struct softwires *s);

/* ---- adopt.c ---- */

/* FD is memory of the keeper's; ours from now on. */
void adopt_open(struct softwires *s, int fd);
/* What the store has becomes rows, marked `adopted`; they go when export.c says that its restart is over (adopt_settle()), unless they were chosen again. */
int adopt_rows(struct softwires *s);
void adopt_settle(struct softwires *s);
/* Did routes that the kernel still has go on leading somewhere (RFC 4724: forwarding state was preserved)? */
bool adopt_kept(const struct afbr *a);
void adopt_save_endpoint(struct softwires *s, struct softwire_endpoint *e);
void adopt_save_path(struct softwires *s, struct softwire_path *p);
void adopt_drop(struct softwires *s, uint32_t *record);
/* Nothing is left for a next process. */
void adopt_clear(struct softwires *s);
void adopt_close(struct softwires *s);

#endif
