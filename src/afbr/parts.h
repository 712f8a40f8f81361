/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * afbr/parts: what the files of the role share. Not for other folders.
 *
 * Life. afbr_start(): passwords (key.c), listening sockets (listen.c), then softwire_start(), where there is a core: the device that routes lead to, what the
 * process before had there, and the sockets; then export_start(), which finds out whether that process has left routes
 * in the kernel; with that answer the engine is made (a->bgp; before that it is NULL), and next hops, imports and neighbours begin. afbr_stop(): import_stop(),
 * bgp_shutdown(), connections that still have words to say, export_stop() (no route leads to the device any more), softwire_stop(). afbr_leave(): only sockets are
 * closed; device, routes and records stay for the next process. Each file keeps its own state behind its
 * pointer in struct afbr, made by its start and freed by its free; a free function takes NULL, and what has not started.
 *
 * Time. What takes long is done in slices: no function here works longer than about AFBR_SLICE without giving the loop its turn.
 */
#ifndef AFBR_PARTS_H
#define AFBR_PARTS_H

#include "afbr/afbr.h"
#include "lib/container.h"
#include "netlink/route.h"

enum { AFBR_SLICE_US = 2000, AFBR_INPUT = 2 * 65536, AFBR_OUTPUT = 65536 };

struct afbr_listener;
struct afbr_connection;
struct afbr_change;
struct nexthops;
struct importer;
struct exporter;
struct mrt_files;
struct softwires;

/* What was counted outside the engine: `softwire show counters`. */
struct afbr_counters {
	uint64_t connects, connects_failed, accepts;
	uint64_t strangers;   /* connections from addresses that are no neighbour's */
	uint64_t unwanted;    /* from a neighbour that has one already, or is held down, or is behind a softwire */
	uint64_t too_far;     /* GTSM: the first packet had too few hops left */
	uint64_t unprotected; /* from a neighbour whose password could not be set */
	uint64_t bytes_in, bytes_out;
	uint64_t signatures_wrong; /* segments that the kernel has thrown away meanwhile */
	uint64_t mrt_written, mrt_lost; /* messages and states, for other people's tools */
};

/* The interfaces' own addresses, as they are now. */
struct afbr_own {
	struct addr addr;
	uint8_t prefix_len;
	unsigned interface;
};

/* Of a neighbour, what the engine does not know. */
struct afbr_peer {
	struct limit lines, session_lines; /* in the log */
	bool unprotected; /* its password could not be set on the listening sockets: who connects is refused */
};

struct afbr {
	struct loop *loop;
	struct log *log;
	struct keeper_client *keeper;
	struct rng *rng;
	struct afbr_config *config; /* a reference */
	struct bgp *bgp;
	struct netlink_monitor *monitor;
	struct afbr_own *own;
	unsigned own_count;
	struct afbr_listener *listeners;
	struct afbr_connection *connections;
	struct afbr_connection *due; /* with something to write, or to tell; who has waited longest is the first */
	struct afbr_connection **due_end; /* where the next one goes, if there are any */
	unsigned busy, busy_before;  /* how many had something to read in this turn of the loop, and in the one before */
	uint8_t *input, *output;     /* of whichever connection has its turn */
	void (*drained)(struct afbr *a);
	struct loop_flush flush; /* connections with something to write are served before the loop sleeps */
	uv_idle_t idle; /* runs while bgp_work() or `due` has something to do; its closing makes afbr_free() asynchronous */
	struct wheel_timer own_timer; /* the network has changed */
	struct wheel_timer key_timer; /* looks whether the kernel throws wrongly signed segments away */
	struct nexthops *nexthops;
	struct importer *importer;
	struct exporter *exporter;
	struct mrt_files *mrt;
	struct softwires *softwires; /* softwires.h; NULL: no core */
	struct afbr_change *changing;
	struct afbr_counters counters;
	struct afbr_peer peers[BGP_NEIGHBORS + 1]; /* by bgp_neighbor_source() */
	struct limit stranger_lines, key_lines;
	uint64_t wrong_before; /* key_wrong() */
	bool left;             /* the kernel had routes of ours: we come back after a restart */
	bool running;          /* the engine has its neighbours */
	bool stopping;
	void (*started)(void *owner, int result);
	void (*stopped)(void *owner);
	void *owner;
};

/* ---- nexthop.c, way.c, recurse.c, sessions.c (nexthops.h): is a next hop reached, and how ---- */

/* Before the first neighbour. 0 or -errno. */
int nexthop_start(struct afbr *a);
void nexthop_free(struct afbr *a);
/* ops->next_hop(): from now on bgp_next_hop_answer() whenever it changes, until WANTED is false. The first answer comes from inside. */
void nexthop_wanted(struct bgp *b, struct bgp_next_hop *n, bool wanted);
/* a->config is another one now. */
void nexthop_change(struct afbr *a);
/* ops->routes(): the table of FAMILY has something new. Before export.c hears of it. */
void nexthop_routes(struct afbr *a, enum bgp_family family);
/* How packets of FAMILY (AF_INET, AF_INET6) to a route with next hop N leave: gateway, interface and on_link of *RET where that is natively. What is reached by
 * recursion only, is reached by softwires; the interface is that of the way to the next hop then, or left as it is where there is no way but a softwire. */
enum nexthop_state { NEXTHOP_UNREACHED, NEXTHOP_SOFTWIRE, NEXTHOP_NATIVE };
enum nexthop_state nexthop_route(struct afbr *a, const struct bgp_next_hop *n, uint8_t family, struct keeper_bgp_route *ret);
/* Would a route to P with METRIC take the place of the one by which some next hop in it is reached? *RET is one. */
bool nexthop_hidden_by(const struct afbr *a, const struct prefix *p, uint32_t metric, struct addr *ret);
/*
 * The way of the core to the egress ADDRESS, a next hop that is known. REACHED: by a route of the core's own (IGP); or, where the interior has none, by
 * recursion: the I-IP route of BGP to it has the next hop *ret->via, which the interior reaches; then packets are packed twice (RFC 5565 section 12).
 */
struct nexthop_core {
	bool reached;
	struct addr via; /* none: one level */
	unsigned ifindex;
	uint32_t mtu;    /* of the path to `via`, or to ADDRESS: the kernel's view; 0: not known */
	char why[96];    /* where it is not reached */
};
void nexthop_core(struct afbr *a, const struct addr *address, struct nexthop_core *ret);
/*
 * sessions.c: would a route to P with METRIC, through a softwire, take the session with some neighbour along? *RET is its address. When the answer may be another one,
 * export_moved() of that address is called.
 */
bool nexthop_session_in(const struct afbr *a, const struct prefix *p, uint32_t metric, struct addr *ret);
/* way.c: why BGP is not to run with PEER now: NULL, or a clause. */
const char *nexthop_session_refusal(struct afbr *a, const struct addr *peer, unsigned interface);
/* N is reached by another way, or routes by it have gone with their link, since nexthop_settle(). */
bool nexthop_moved(const struct bgp_next_hop *n);
void nexthop_settle(struct afbr *a);

/* ---- import.c: the kernel's routes become ours (bgp_originate(), BGP_KERNEL) ---- */

/* By a->config->import; 0 or -errno, nothing where nothing is to be imported. What is there already comes in slices. */
int import_start(struct afbr *a);
/* a->config is another one now, OLD is what it was: what is not imported any more is taken back. */
void import_change(struct afbr *a, const struct afbr_config *old);
/* PREFIX was a network, before which the kernel's routes stand back (bgp_originate()), and is none any more: what the kernel has for it is told. */
void import_again(struct afbr *a, const struct prefix *prefix);
/* Nothing is told any more; the engine's routes stay. */
void import_stop(struct afbr *a);
void import_free(struct afbr *a);

/* ---- export.c: best routes go into the kernel ---- */

/*
 * By a->config->export. FOUND is called once, maybe from inside: 0 and whether there are routes in the kernel that an earlier process of ours has put there,
 * or -errno after a logged reason. Nothing of the engine is used before export_begin(). Routes that were found are removed when they were not put there again
 * until the engine has told that its restart is over (RFC 4724), and where nothing is to be exported any more, at once.
 */
void export_start(struct afbr *a, void (*found)(struct afbr *a, int result, bool left));
/* a->bgp is there: feeds may be added. 0 or -errno */
int export_begin(struct afbr *a);
/* ops->routes(): the table of FAMILY has something new. */
void export_routes(struct bgp *b, enum bgp_family family);
void export_change(struct afbr *a, const struct afbr_config *old);
/* What we have put there is removed; then DONE. */
void export_stop(struct afbr *a, void (*done)(struct afbr *a));
/* Feeds are taken away (the engine is about to be freed); routes stay in the kernel. Also after export_stop(). */
void export_free(struct afbr *a);
/* Groups `export` and `import` of OBJECT, as doc/control.md has them. */
struct json_t;
void export_show(const struct afbr *a, struct json_t *object);
/* What became of the best path of NET: "it is in the kernel's table 254", "it waits for the softwire data plane": a clause. NULL: nothing is exported. */
const char *export_state(struct afbr *a, enum bgp_family family, rib_id net, char *buf, size_t size);
/*
 * nexthop.c: the way to TARGET has changed, or TARGET is no next hop any more: may routes to prefixes that have it be in the kernel? MOVED: routes by it have to be
 * written again. Only notes it down: the engine may be in the middle of something.
 */
void export_moved(struct afbr *a, const struct addr *target, bool moved);
/* Softwires: what leads to a softwire, and what might, may have another answer now (choice_is_moved()): those routes are looked at again. */
void export_again(struct afbr *a);
/* Nothing that the engine has told waits to be told to the kernel. */
bool export_is_quiet(const struct afbr *a);
/* The kernel may have lost routes that lead to the softwires' device: what is missing is written again, at once. */
void export_scan(struct afbr *a);
/* All routes are looked at once more: another configuration. */
void export_restart(struct afbr *a);
/* Was the kernel told of NET's route (and not of another table's to the same prefix)? *RET_PATH: the softwire path that it goes by; 0: it goes natively. */
bool export_path(const struct afbr *a, enum bgp_family family, rib_id net, uint32_t *ret_path);
void import_show(const struct afbr *a, struct json_t *object);

/* ---- mrt.c: files for others' tools (RFC 6396) ---- */

/* By a->config->mrt; 0 or -errno. */
int mrt_start(struct afbr *a);
void mrt_change(struct afbr *a, const struct afbr_config *old);
/* ops->message() */
void mrt_message(
	struct bgp *b, const struct bgp_connection *c, bool sent, const uint8_t *message, size_t len);
/* A change of state, for the same file. */
void mrt_state(struct afbr *a, const struct bgp_event *e);
void mrt_free(struct afbr *a);

/* ---- afbr.c ---- */

/* The host's addresses and interfaces may have changed: the engine is told. */
void afbr_look_at_network(struct afbr *a);
/* ops->work() */
void afbr_work(struct bgp *b);
static inline struct afbr *afbr_of(const struct bgp *b)
{
	return bgp_owner(b);
}

/* ---- key.c: TCP-MD5 (RFC 2385) ---- */

enum { AFBR_KEY = 80 }; /* TCP_MD5SIG_MAXKEYLEN */
struct afbr_key {
	uint8_t len; /* 0: none */
	char text[AFBR_KEY];
};
/* The file's only line. FD is read and closed; its owner and mode are looked at. 0 or -errno with WHY. key_wipe() when it has been used. */
int key_read(int fd, struct afbr_key *ret, char why[128]);
void key_wipe(struct afbr_key *k);
/* Segments between FD, of PEER's family, and PEER are signed from now on; a key of length 0: not any more. 0 or -errno with WHY */
int key_set(int fd, const struct addr *peer, const struct afbr_key *key, char why[128]);
/* Segments that this host has thrown away for their signatures, or for having none. */
uint64_t key_wrong(void);

/* ---- listen.c: who connects to us ---- */

/* The I-th socket that CONFIG wants; false: there are no more. */
bool listen_wanted(const struct afbr_config *config, unsigned i, struct endpoint *ret);
struct afbr_listener *listen_find(const struct afbr *a, const struct endpoint *at);
/* FD, a listening socket from the keeper, is ours from now on, also after failure: 0 or -errno. */
int listen_add(struct afbr *a, int fd, const struct endpoint *at);
/* Sockets that a->config does not want any more are closed, here and in the keeper. */
void listen_tidy(struct afbr *a);
/* On all sockets of PEER's family; KEY of length 0: none. 0 or -errno with WHY */
int listen_set_key(struct afbr *a, const struct addr *peer, const struct afbr_key *key, char why[128]);
void listen_free(struct afbr *a);

/* ---- socket.c: what a TCP socket of ours is like ---- */

/* The index of the interface that N names; 0: it names none, or there is none. */
unsigned socket_interface(const struct bgp_neighbor_config *n);
/* How many hops what we send may take, and what we take must have left (RFC 5082). */
struct socket_plan {
	uint8_t ttl;
	uint8_t min_ttl; /* 0: any */
};
/* AS is ours. */
struct socket_plan socket_plan_of(const struct bgp_neighbor_config *n, uint32_t as);
/* Begins to connect: 0 and *ret_fd, or -errno with WHY. KEY of length 0: none. */
int socket_connect(const struct bgp_neighbor_config *n, struct socket_plan plan, const struct afbr_key *key,
	int *ret_fd, char why[128]);
/* Of a connection that was accepted: 0 or -errno. */
int socket_tune(int fd, uint8_t family, struct socket_plan plan);
int socket_tune_listener(int fd, uint8_t family);
/* How many hops the peer's first packet had left; 0: it is not known. */
uint8_t socket_first_ttl(int fd);
/* The ends of FD, and the interface of link-local ones (else 0). 0 or -errno */
int socket_ends(int fd, struct endpoint *ret_local, struct endpoint *ret_remote, unsigned *ret_interface);

/* ---- connection.c: one TCP connection ---- */

/* ops->connect(), wake(), close() */
void connection_connect(struct bgp *b, struct bgp_connection *c);
void connection_wake(struct bgp *b, struct bgp_connection *c);
void connection_close(struct bgp *b, struct bgp_connection *c, const uint8_t *last, size_t len);
/* FD has been accepted from N. Ours from now on. */
void connection_accepted(struct afbr *a, struct bgp_neighbor *n, int fd);
/* Interfaces may have gone: sessions over them have ended, which TCP would find out when their hold times are over, and one of that name may be back by then. */
void connection_look_at_links(struct afbr *a);
/* Those with something to write write. */
void connection_flush(struct loop_flush *f);
/* The engine has said all that it has to say: calls DONE when all last words have been read, or two seconds are over. */
void connection_drain(struct afbr *a, void (*done)(struct afbr *a));
/* The established session of N is signed with another key from now on; KEY as for key_set(). */
void connection_set_key(struct afbr *a, const struct bgp_neighbor *n, const struct afbr_key *key);
void connection_free_all(struct afbr *a);

/* ---- event.c: log lines ---- */

/* ops->event() */
void event_tell(struct bgp *b, const struct bgp_event *e);
/* Somebody connected to LOCAL who is no neighbour. */
void event_stranger(
	struct afbr *a, const struct endpoint *remote, const struct endpoint *local, unsigned interface);
/* N's connection from REMOTE was closed, because ... */
void event_refused(
	struct afbr *a, const struct bgp_neighbor *n, const struct endpoint *remote, const char *reason);

/* The kernel has thrown SEGMENTS away for their signatures. */
void event_wrong_signatures(struct afbr *a, uint64_t segments);

/* ---- reload.c: from one configuration to another ---- */

/* The first configuration: as afbr_prepare(), for a role that has nothing yet. */
void change_begin(struct afbr *a, const struct afbr_config *config, afbr_problem *problem,
	afbr_prepared *prepared, void *owner);
struct afbr *change_role(const struct afbr_change *h);
/* Keys are set, sockets listened on, neighbours added, changed, removed. SAY may be NULL. The change is gone. */
void change_apply(struct afbr_change *h, struct json_t *say);

#endif
