/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bgp: a BGP-4 speaker for softwires, as an engine.
 *
 * Sans-I/O: the owner opens TCP connections, hands in what they read, takes out what they are to write, and says what time it is. Everything hangs off
 * struct bgp; a program may have many (tests/sim has dozens).
 *
 * Parts, lowest first
 *   protocol.h   numbers
 *   message.c    header, OPEN, NOTIFICATION, KEEPALIVE, ROUTE-REFRESH: bytes <-> structs; error.c their errors' names; capability.c
 *   nlri.c attribute.c aspath.c community.c edit.c update.c update_write.c   UPDATE: bytes <-> canonical sets (update.h)
 *   tunnel.c tunnel_text.c   the Tunnel Encapsulation attribute; community_text.c: communities as people write them
 *   set.c        attribute sets and next hops, shared
 *   decision.c   the best of several paths, and why
 *   rib.c feed.c one table of routes, and its readers
 *   policy.c policy_index.c policy_judge.c policy_text.c policy_explain.c   the operator's rules
 *   session.c    one TCP connection's state machine (RFC 4271 section 8); neighbor.c a neighbour, its connections and its timers; neighbors.c all of them;
 *   receive.c    from UPDATE to tables; send.c from tables to UPDATE, with window.c (what shares a message) and export.c (how it is told, or why not);
 *   restart.c    graceful restart and route refresh; originate.c our own routes; bgp.c the whole, its tables, next hops, jobs;
 *   explain.c    why this path is the best (explain.h); mrt.c (mrt.h) what others' tools read
 *
 * Data. A table (rib.h) per family. A neighbour has an Adj-RIB-In in it (its paths), and a feed (its Adj-RIB-Out). Policies run when a route comes in and
 * when it goes out: what is stored is the route after import.
 *
 * Connections. The owner asks (bgp_accept()) or is asked (ops->connect()); either way a struct bgp_connection is the handle of one TCP connection until
 * ops->close(). Input: bgp_input(). Output is pulled: ops->wake() says that there is something, bgp_output() fills the owner's buffer, as often as the
 * socket takes more. So nothing ever queues for a neighbour that does not read: its messages are made when they can be sent, from the newest state. Between
 * two calls an engine keeps for it only what does not wait: OPEN, KEEPALIVE, ROUTE-REFRESH, a few hundred bytes.
 *
 * Work that takes long (a neighbour with a million routes is gone; next hops changed) is done in slices: bgp_work(). A neighbour whose old routes are still
 * being removed is not connected again before they are.
 *
 * Time: `now` is monotonic milliseconds. Timers are on the owner's wheel, one per neighbour. Between two calls of wheel_advance() the owner looks at all
 * sockets, and hands in what it finds: a hold time that is over is judged only at the second of them, so that no session dies because we were busy. Before
 * it says that a connection ended, it hands in what had come: there may be a NOTIFICATION among it.
 *
 * A peer that does not read: bgp_output() is called when everything that it gave before has been taken by the socket. That is how the send hold timer
 * (RFC 9687: 8 minutes, or twice the hold time) knows.
 *
 * Trust. A neighbour can harm its own session only: no error in what it sends touches another's, its memory is bounded by max-prefix, by the four octets of
 * the message length, and by DECISION_PATHS. It always hears why.
 *
 * Standards: RFC 1997, 2385 (the owner), 2545, 2918, 4271, 4360, 4456, 4486, 4724, 4760, 4798, 5082 (the owner), 5492, 5512, 6286, 6396, 6608, 6793, 7313,
 * 7606, 7607, 8092, 8212, 8277 (one label), 8538, 8654, 8950, 9003, 9012, 9687.
 */
#ifndef BGP_BGP_H
#define BGP_BGP_H

#include "bgp/policy.h"
#include "bgp/rib.h"
#include "bgp/tunnel.h"
#include "lib/rng.h"
#include "lib/wheel.h"

enum { BGP_NAME = 64, BGP_NEIGHBORS = RIB_SOURCES - 1, BGP_OUTPUT = 65536 };

struct bgp;
struct bgp_neighbor;
struct bgp_connection;

/* ---- configuration ---- */

enum bgp_tunnel_way {    /* what a neighbour is told of tunnels: FRR 8.4 resets its sessions over two TLVs */
	BGP_TUNNEL_FULL, /* the attribute as it is */
	BGP_TUNNEL_ONE,  /* of several tunnels the first that is plain to everybody */
	BGP_TUNNEL_NONE, /* no attribute: the Encapsulation and Color extended communities have to do */
};

struct bgp_family_limits {
	uint32_t max_prefix;  /* 0: no limit */
	uint8_t warn_percent; /* of it: an event */
};

struct bgp_neighbor_config {
	char name[BGP_NAME];
	struct addr address; /* link-local ones with INTERFACE */
	char interface[16];
	unsigned interface_index;  /* of it, as far as the owner knows; 0: any. A change of it resets nothing */
	struct addr local_address; /* none: the kernel's choice */
	uint16_t port;
	uint32_t as;
	uint32_t local_as; /* the speaker's, unless it shows another one here; 0 */
	bgp_families families;
	bool passive;  /* never connects */
	bool shutdown; /* configured, but down */
	char shutdown_text[BGP_SHUTDOWN_TEXT + 1];
	char description[80]; /* the operator's word for people; a change of it resets nothing */
	bool client;        /* of ours, the route reflector (RFC 4456) */
	bool next_hop_self; /* towards it; never for reflected routes unless `next-hop-self-all` */
	bool next_hop_self_all;
	bool next_hop_unchanged; /* external: others' next hops are passed on (RFC 5565 section 12, option 3); else it is ourselves */
	bool tunnels; /* external: the Tunnel Encapsulation attribute and its community come and go; internal ones always (RFC 9012 section 11) */
	bool multihop;            /* external, not on a common link */
	uint8_t ttl;              /* of multihop: what we send; 0: 64 */
	uint8_t ttl_security;     /* GTSM: at most so many hops away; 0: off */
	char password_file[4096]; /* TCP-MD5; "": none */
	bool has_import, has_export;
	char import[POLICY_NAME], export[POLICY_NAME];      /* names; resolved into: */
	const struct policy *import_policy, *export_policy; /* the engine copies them */
	uint32_t hold_time, connect_retry,
		idle_hold; /* ms; hold_time in whole seconds; idle_hold: after an error, doubled up to 2 minutes */
	uint32_t min_interval; /* ms between two advertisements of a route (MRAI) */
	struct bgp_family_limits limits[BGP_FAMILIES];
	uint32_t max_prefix_restart; /* ms after max-prefix was exceeded; 0: until `softwire bgp clear` */
	bool extended_messages, graceful_restart, extended_next_hop, refresh,
		as4;           /* capabilities offered; all true by default */
	uint32_t restart_time; /* seconds that our own restart may take */
	enum bgp_tunnel_way tunnel_way;
	bool default_local; /* (RFC 8212) true: internal, or policies are there: computed, not configured */
};

struct bgp_config {
	uint32_t as, id, cluster_id; /* cluster_id 0: id */
	bool restarting; /* RFC 4724: we come back after a restart; selection waits for End-of-RIB, at most restart_wait */
	bool preserved;        /* forwarding went on meanwhile */
	uint32_t restart_wait; /* ms */
	bool check_next_hops; /* false: every next hop counts as reached at metric 0, without asking the owner */
};

/* ---- what the owner does ---- */

enum bgp_event_kind {
	BGP_EVENT_STATE,      /* the neighbour's state changed: `from`, `to`; error: why, if it went down */
	BGP_EVENT_CONNECTION, /* one of its TCP connections ended or failed: error */
	BGP_EVENT_UPDATE,     /* an UPDATE was not as it should be: error.reason, outcome */
	BGP_EVENT_MAX_PREFIX, /* `count` of family; a warning, or the end (then STATE follows) */
	BGP_EVENT_END_OF_RIB, /* of family, from the neighbour */
	BGP_EVENT_REFRESH,    /* the neighbour wants family again */
	BGP_EVENT_STALE,      /* count routes of family are kept (a restart), or were dropped */
	BGP_EVENT_ROUTES,     /* convergence: count routes accepted from it when its End-of-RIB came */
	BGP_EVENT_UNTOLD,     /* a route cannot be told to the neighbour, e.g. its set is longer than a message: error.reason, nlri */
};

enum bgp_state { BGP_IDLE, BGP_CONNECT, BGP_ACTIVE, BGP_OPEN_SENT, BGP_OPEN_CONFIRM, BGP_ESTABLISHED };
const char *bgp_state_name(enum bgp_state s); /* "idle" ... */

struct bgp_event {
	enum bgp_event_kind kind;
	const struct bgp_neighbor *neighbor;
	enum bgp_state from, to;
	enum bgp_family family;
	enum bgp_outcome outcome;
	uint64_t count;
	bool sent;                     /* the NOTIFICATION was ours */
	bool final;                    /* MAX_PREFIX: exceeded; STALE: dropped */
	const struct bgp_error *error; /* or NULL */
	const struct bgp_nlri *nlri;   /* UPDATE, UNTOLD: the first one concerned, or NULL */
};

struct bgp_ops {
	/* Begin a TCP connection to the neighbour of C; then bgp_connected() or bgp_disconnected(). */
	void (*connect)(struct bgp *b, struct bgp_connection *c);
	/* bgp_output() has something for C. Not called again before bgp_output() returned 0. */
	void (*wake)(struct bgp *b, struct bgp_connection *c);
	/* C is over: write LAST (LEN bytes, may be 0: a NOTIFICATION) if the socket takes it, close it, forget C, which is freed behind this call. */
	void (*close)(struct bgp *b, struct bgp_connection *c, const uint8_t *last, size_t len);
	/* Tell bgp_next_hop_answer() whether N is reached, now and whenever that changes, until WANTED is false. */
	void (*next_hop)(struct bgp *b, struct bgp_next_hop *n, bool wanted);
	/* Not the place to change, clear or remove neighbours: the engine is in the middle of something. */
	void (*event)(struct bgp *b, const struct bgp_event *e);
	/* A table has something new for feeds of the owner (never called from inside rib_feed functions). */
	void (*routes)(struct bgp *b, enum bgp_family family);
	/* bgp_work() wants to be called, when there is time; not from inside this. */
	void (*work)(struct bgp *b);
	/* Every message, for MRT; may be NULL. MESSAGE with its header. */
	void (*message)(
		struct bgp *b, const struct bgp_connection *c, bool sent, const uint8_t *message, size_t len);
};

/* ---- life ---- */

/* WHEEL is the owner's, and the engine's timers are on it. NULL: no memory. */
struct bgp *bgp_new(const struct bgp_config *config, const struct bgp_ops *ops, struct wheel *wheel,
	struct rng *rng, void *owner);
void *bgp_owner(const struct bgp *b);
const struct bgp_config *bgp_config(const struct bgp *b);
/* After our own restart: nothing is told yet (RFC 4724). */
bool bgp_is_deferring(const struct bgp *b);
/* Every session ends with Cease/Administrative Shutdown and WORDS (may be NULL); ops->close() for each. */
void bgp_shutdown(struct bgp *b, const char *words);
/* Connections end without a word: the peer that knows graceful restart keeps our routes. */
void bgp_leave(struct bgp *b);
void bgp_free(struct bgp *b);

/* 0; -EEXIST: there is one of that name or address; -ENOSPC; -ENOMEM. It begins to connect after bgp_neighbor_start(). */
int bgp_neighbor_add(struct bgp *b, const struct bgp_neighbor_config *config, struct bgp_neighbor **ret);
void bgp_neighbor_start(struct bgp_neighbor *n);
/* Cease/De-configured; it is gone for everybody at once, and freed when its routes are. */
void bgp_neighbor_remove(struct bgp_neighbor *n);
/*
 * Another configuration. What can be changed with the session up is: policies (routes are sent again, and asked for again; without the refresh capability the
 * session is reset, and an event says so), max-prefix, MRAI, timers for the next session, client and next hop. All else resets it: Cease/Other Configuration Change.
 * The name stays. 0; 1: it was reset; -ENOMEM: nothing is changed; -EEXIST: another one has that address.
 */
int bgp_neighbor_change(struct bgp_neighbor *n, const struct bgp_neighbor_config *config);
struct bgp_neighbor *bgp_neighbor_find(const struct bgp *b, const char *name);
struct bgp_neighbor *bgp_neighbor_by_address(const struct bgp *b, const struct addr *a, unsigned interface);
struct bgp_neighbor *bgp_neighbor_next(
	const struct bgp *b, const struct bgp_neighbor *after); /* NULL: the first; NULL: the end */

/* The operator's `bgp clear`: reset (Cease/Administrative Reset, with WORDS); it starts again at once, whatever held it down. */
void bgp_neighbor_clear(struct bgp_neighbor *n, const char *words);
/* `bgp refresh`: IN: ask for everything again; OUT: send everything again. -ENOTCONN; -EOPNOTSUPP: the peer cannot. */
int bgp_neighbor_refresh(struct bgp_neighbor *n, bool in, bool out);

/* ---- connections ---- */

/* A TCP connection from N's address has come: NULL: not wanted now (close it). INTERFACE is that of a link-local peer. */
struct bgp_connection *bgp_accept(struct bgp_neighbor *n, msec now);
struct bgp_neighbor *bgp_connection_neighbor(const struct bgp_connection *c);
bool bgp_connection_incoming(const struct bgp_connection *c);
void *bgp_connection_owner(
	const struct bgp_connection *c); /* what bgp_connection_set_owner() said; NULL at first */
void bgp_connection_set_owner(struct bgp_connection *c, void *owner);
/* It is there; LOCAL and REMOTE are its ends (LOCAL is our next hop). Also to be called after bgp_accept(). */
void bgp_connected(struct bgp_connection *c, const struct endpoint *local, const struct endpoint *remote,
	unsigned interface, msec now);
/* Our link-local address where the peer is on a common link: the second next hop of IPv6 routes to an external peer (RFC 2545). Before bgp_connected(). */
void bgp_connection_set_link_local(struct bgp_connection *c, const struct addr *link_local);
/* It failed, or ended: errno text. ops->close() follows. */
void bgp_disconnected(struct bgp_connection *c, const char *why, msec now);
/* Bytes of the stream; returns how many were taken: what is left is the beginning of a message, to be handed in again with more. C may be gone
 * afterwards: then ops->close() has been called, and the result is LEN. */
size_t bgp_input(struct bgp_connection *c, const uint8_t *data, size_t len, msec now);
/* Up to SIZE bytes to be written, SIZE at least BGP_OUTPUT; 0: nothing now. */
size_t bgp_output(struct bgp_connection *c, uint8_t *buf, size_t size, msec now);

/* ---- work, next hops ---- */

/* A slice of about BUDGET steps; false: nothing is left to do. */
bool bgp_work(struct bgp *b, unsigned budget, msec now);
/* WHY (static or copied, 63 bytes) where it is not reached. */
void bgp_next_hop_answer(
	struct bgp *b, struct bgp_next_hop *n, bool reached, uint32_t metric, const char *why);
/* Our own addresses: routes with such a next hop are not used. Replaces what was told before. 0 or -ENOMEM */
int bgp_set_own_addresses(struct bgp *b, const struct addr *addresses, unsigned count);

/* ---- routes ---- */

struct rib *bgp_rib(struct bgp *b, enum bgp_family family);
enum bgp_origin_kind { BGP_NETWORK, BGP_KERNEL, BGP_TUNNEL_ENDPOINT };
/*
 * A route of our own (source 0). SET is canonical (an empty reader: ORIGIN IGP, empty path); NEXT_HOP none: ourselves, whoever is told.
 * The same again replaces; a kernel's route does not replace a network's (which is told then, and 0 the result). 0 or -ENOMEM.
 */
int bgp_originate(struct bgp *b, enum bgp_family family, const struct bgp_nlri *nlri, struct reader set,
	const struct bgp_next_hop_value *next_hop, enum bgp_origin_kind kind, msec now);
void bgp_unoriginate(
	struct bgp *b, enum bgp_family family, const struct prefix *prefix, enum bgp_origin_kind kind);

/* The classes that we belong to (RFC 5565 section 8), as others read them. */
struct bgp_classes {
	unsigned color_count;
	uint64_t colors[BGP_TUNNEL_COLORS]; /* Color extended communities */
	unsigned community_count;
	uint32_t communities[BGP_TUNNEL_COLORS];
};

/*
 * What we decapsulate, and our classes: goes with every route whose next hop is ourselves, to internal neighbours: Tunnel Encapsulation
 * attribute (as the neighbour's tunnel_way has it), Encapsulation and Color extended communities, the classes' communities; and as an Encapsulation SAFI
 * route of ENDPOINT to neighbours with that family. COUNT 0: nothing. Sent again to all when it changes. MESH-SIG-7, MESH-SIG-9. 0 or -ENOMEM
 */
int bgp_set_tunnels(struct bgp *b, const struct addr *endpoint, const struct bgp_tunnel *tunnels,
	unsigned count, const struct bgp_classes *classes, msec now);

/* ---- to look at ---- */

struct bgp_neighbor_view {
	const struct bgp_neighbor_config *config;
	enum bgp_state state;
	bool flushing;               /* its old routes are being removed */
	msec since;                  /* of the state */
	struct bgp_error last_error; /* why it went down last; code and reason "" at first */
	bool last_error_sent;
	msec last_error_at;                 /* 0: never */
	struct bgp_error last_notification; /* since the last session began: says more than the failed connections that may follow it */
	bool last_notification_sent;
	const char *waiting; /* idle: for what, as a clause; or NULL */
	msec next_try;       /* MSEC_NEVER */
	uint32_t remote_id;
	uint16_t hold_time; /* s, agreed */
	struct endpoint local, remote;
	struct bgp_form form; /* established: agreed */
	struct bgp_capabilities theirs;
	uint64_t messages_in, messages_out, updates_in, updates_out, withdrawn_updates, discarded_attributes,
		established;
	uint32_t flaps;
	struct {
		bool on;
		uint32_t received, accepted, advertised, stale;
		bool end_of_rib_in, end_of_rib_out;
	} family[BGP_FAMILIES];
};
void bgp_neighbor_view(const struct bgp_neighbor *n, struct bgp_neighbor_view *ret);
uint16_t bgp_neighbor_source(const struct bgp_neighbor *n);
const char *bgp_neighbor_name(const struct bgp_neighbor *n);
/* Of a path's source: the neighbour's name, "network", "kernel", "tunnel". */
const char *bgp_source_name(const struct bgp *b, const struct rib_path *p);
struct bgp_neighbor *bgp_source_neighbor(const struct bgp *b, uint16_t source); /* NULL for our own */

/*
 * How PATH of NET would be told to neighbour N: true, with the set in W (canonical) and its next hop; or false and why not, in words ("it came from a
 * neighbour that is no client, and this one is none either: RFC 4456").
 */
bool bgp_export(struct bgp_neighbor *n, enum bgp_family family, rib_id net, const struct rib_path *path,
	struct writer *ret_set, struct bgp_next_hop_value *ret_next_hop, uint32_t *ret_label, char *why,
	size_t why_size);

#endif
