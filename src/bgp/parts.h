/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bgp/parts: what the files of the engine share. Not for other folders.
 *
 * Who writes what: session.c the connection; neighbor.c the neighbour's state, timers and which of two connections stays (RFC 4271 section 6.8); receive.c
 * paths of neighbours; send.c feeds and what is queued in `pending`; restart.c staleness; bgp.c everything of struct bgp. A file calls the others by the functions at the end.
 */
#ifndef BGP_PARTS_H
#define BGP_PARTS_H

#include "bgp/window.h"
#include "lib/container.h"

enum { BGP_PENDING = 1024 };

/* What is to be written before any UPDATE: whole messages. */
struct bgp_pending {
	uint16_t len;
	uint8_t bytes[BGP_PENDING];
};

/* One TCP connection (RFC 4271 section 8.2.1). */
struct bgp_connection {
	struct bgp_neighbor *neighbor;
	void *owner;
	bool incoming;
	bool up;              /* TCP is there */
	bool awake;           /* ops->wake() was called, bgp_output() has not yet returned 0 */
	bool closing;         /* ops->close() is being called */
	enum bgp_state state; /* CONNECT until TCP is there, then OPEN_SENT, OPEN_CONFIRM, ESTABLISHED */
	struct endpoint local, remote;
	struct addr link_local; /* ours, on a link with the peer; or none */
	unsigned interface;
	struct bgp_open sent, received;
	struct bgp_form form;
	uint16_t max_in;            /* longest message that the peer may send */
	uint16_t hold_time;         /* s, agreed; 0: none */
	msec hold_at, keepalive_at; /* deadlines, or MSEC_NEVER */
	msec send_hold_at;          /* RFC 9687 */
	bool hold_over, send_over;  /* the one or the other was reached: once more, and the session ends */
	struct bgp_pending pending;
};

/* A neighbour's part in one table. */
struct bgp_neighbor_table {
	bool on;  /* agreed on in this session */
	bool fed; /* the feed is in the table */
	struct rib_feed feed;
	uint32_t received, accepted;        /* paths in the table; of these not barred */
	uint32_t stale;                     /* of these */
	uint32_t marks;                     /* rib_mark_stale() since there was none that is stale */
	bool warned;                        /* of max-prefix */
	bool end_of_rib_in, end_of_rib_out; /* has come, has been sent */
	bool refreshing_in;  /* between Begin- and End-of-RR of the peer: what is not told again goes */
	msec refresh_until;  /* RFC 7313: an End-of-RR that never comes */
	bool refreshing_out; /* we send everything again, and End-of-RR (if it knows it) behind */
	bool begin_due;      /* Begin-of-RR goes before the next UPDATE */
	bool end_due;        /* End-of-RIB or End-of-RR goes when the feed has passed its restart */
	struct policy *old_export; /* send_policy(): until the feed has passed its restart, only what differs is sent; send.c's */
	bool old_none, own_only;   /* the old policy was none; send_own(): only routes with ourselves as next hop are sent; both until then */
	bool sweep;                /* a job removes stale paths, and stands at: */
	rib_id sweep_at;
	msec stale_until;    /* graceful restart: no longer */
};

struct bgp_neighbor {
	struct bgp *bgp;
	uint16_t source;
	struct bgp_neighbor_config config; /* policies point to copies below */
	struct policy *import, *export;
	struct decision_source facts; /* for route selection */
	enum bgp_state state;
	msec since;
	bool started, removed;
	bool held;   /* down until the operator clears it: max-prefix without restart */
	bool ending; /* a connection has ended, and others with it */
	struct bgp_connection *connections[2]; /* not yet established; [1]: incoming */
	struct bgp_connection *up;             /* the established one; not among those */
	struct wheel_timer timer;              /* for the earliest of all deadlines: neighbor_schedule() */
	msec connect_at, idle_until;
	uint32_t idle_ms;  /* how long the next idle hold is */
	uint32_t young;    /* sessions in a row that did not last */
	msec advertise_at; /* MRAI: the next pass of the feeds may begin then */
	bool passing;      /* a pass is under way */
	bool flushing;     /* a job removes all its paths */
	rib_id flush_at;
	enum bgp_family flush_family;
	bgp_families retained; /* of this session, or the last: kept when it breaks */
	bool notification;     /* RFC 8538 was agreed on: a NOTIFICATION need not be the end of them */
	bool restarting;       /* the peer restarts, and its paths are stale */
	msec restart_until;
	struct bgp_neighbor_table table[BGP_FAMILIES];
	bgp_families ask;          /* ROUTE-REFRESH requests that are to be sent */
	struct bgp_open last_open; /* of the last session, for graceful restart */
	struct bgp_error last_error, last_notification; /* the latter: since the last session began */
	bool last_error_sent, last_notification_sent;
	msec last_error_at;
	uint64_t messages_in, messages_out, updates_in, updates_out; /* counted in session.c */
	uint64_t withdrawn_updates, discarded_attributes;            /* in receive.c */
	uint64_t established;                                        /* sessions so far */
	uint32_t flaps;
};

struct bgp {
	struct bgp_config config;
	const struct bgp_ops *ops;
	void *owner;
	struct wheel *wheel;
	struct rng *rng;
	struct bgp_sets sets;
	struct rib ribs[BGP_FAMILIES];
	struct decision_ops decision;
	struct decision_source ourselves;
	struct bgp_neighbor *neighbors[BGP_NEIGHBORS + 1]; /* by source; [0] is NULL */
	unsigned neighbor_count;
	const struct bgp_next_hop *asking; /* the owner is just asked about it: nobody has it yet */
	struct addr *own;
	unsigned own_count;
	/* jobs */
	bool leaving; /* nobody is told anything any more, and what is in the tables stays */
	bool next_hops_changed, working; /* working: ops->work() was called, bgp_work() has not yet returned false */
	bgp_families routes_due;         /* bgp_routes_changed() said so: bgp_work() tells */
	rib_id rescan_at;
	enum bgp_family rescan_family;
	bool rescanning;
	bool deferring; /* our own restart: nothing is sent, no route is told the owner before all End-of-RIBs are in, or the time is over */
	msec defer_until;
	struct wheel_timer timer;
	/* what we decapsulate */
	struct addr tunnel_endpoint;
	struct bgp_tunnel tunnels[BGP_TUNNELS];
	unsigned tunnel_count;
	struct bgp_classes classes;
	/* one at a time: what is being sent; canonical sets under construction */
	struct window window;
	uint8_t scratch_in[BGP_SET_MAX], scratch_policy[BGP_SET_MAX], scratch_out[BGP_SET_MAX],
		scratch_edit[BGP_SET_MAX];
};

static inline bool neighbor_is_external(const struct bgp_neighbor *n)
{
	return n->config.as != (n->config.local_as ? n->config.local_as : n->bgp->config.as);
}

/* ---- session.c ---- */

struct bgp_connection *session_new(struct bgp_neighbor *n, bool incoming); /* NULL: no memory */
/* TCP is there: OPEN is sent. */
void session_begin(struct bgp_connection *c, msec now);
/* Ends C: ERROR goes to the peer if its code is not 0 and TCP is there. Tells neighbor_lost(). */
void session_end(struct bgp_connection *c, const struct bgp_error *error, bool sent, msec now);
/* Of its timers; MSEC_NEVER. session_time() does what is due; C may be gone afterwards. */
msec session_deadline(const struct bgp_connection *c);
void session_time(struct bgp_connection *c, msec now);
/* One whole message; false: C is gone. */
bool session_message(struct bgp_connection *c, const struct bgp_header *h, const uint8_t *message, msec now);
/* There is something for bgp_output(): ops->wake(), once. */
void session_wake(struct bgp_connection *c);

/* ---- neighbor.c ---- */

void neighbor_schedule(struct bgp_neighbor *n);
/* A connection of N is in another state, or may N now connect or not: what is N's state? */
void neighbor_progress(struct bgp_neighbor *n, msec now);
/* It may connect, and be connected to, from now on. */
void neighbor_begin(struct bgp_neighbor *n, msec now);
/* Configuration or operator want it down. */
bool neighbor_is_down(const struct bgp_neighbor *n);
/* Its paths go, kept ones too. */
void neighbor_forget(struct bgp_neighbor *n);
/* An OPEN has come on C and is acceptable: which of two connections stays? False: C is gone (RFC 4271 section 6.8). */
bool neighbor_collide(struct bgp_connection *c, msec now);
/* False: C is gone. */
bool neighbor_established(struct bgp_connection *c, msec now);
/* C is over (ops->close() comes next); ERROR says why. */
void neighbor_lost(struct bgp_connection *c, const struct bgp_error *error, bool sent, msec now);
/* Ends the session, if there is one, and connections that are not yet one: error as for session_end(). */
void neighbor_reset(struct bgp_neighbor *n, const struct bgp_error *error, msec now);
void neighbor_event(struct bgp_neighbor *n, const struct bgp_event *e);
/* All of its old paths are gone. */
void neighbor_flushed(struct bgp_neighbor *n, msec now);
void neighbor_fire(struct wheel_timer *t, msec now);
/* neighbors.c: without connections and paths. */
void neighbor_free(struct bgp_neighbor *n);

/* ---- receive.c ---- */

/* An UPDATE; false: the session was ended, C is gone. */
bool receive_update(struct bgp_connection *c, struct reader body, msec now);
/* Has N told no more than max-prefix lets it, which may have been changed? Else *ret is why its session has to end. */
bool receive_is_within_limits(struct bgp_neighbor *n, struct bgp_error *ret);
/* Removes paths of N: all, or only stale ones, of one table, in slices from *AT; false when it is done. */
bool receive_flush(
	struct bgp_neighbor *n, enum bgp_family f, bool stale_only, rib_id *at, unsigned *budget);

/* ---- send.c ---- */

/* Feeds of the agreed families are added, everything is sent, End-of-RIB behind. 0 or -ENOMEM. */
int send_begin(struct bgp_neighbor *n, msec now);
void send_end(struct bgp_neighbor *n);
/* Everything of F again (refresh asked by the peer, by the operator, or policy). */
void send_again(struct bgp_neighbor *n, enum bgp_family f, msec now);
/* N's export policy was OLD (NULL: none), and is n->export now; OLD becomes send.c's. Only what becomes different by it is told again. */
void send_policy(struct bgp_neighbor *n, struct policy *old, msec now);
/* Routes whose next hop is ourselves are told again: what we decapsulate has changed. */
void send_own(struct bgp_neighbor *n, msec now);
/* Fills W with UPDATEs, BoRR, EoRR, End-of-RIB; nothing when there is nothing, or MRAI says later (then neighbor_schedule()). What is
 * written is counted, and told ops->message(), by the caller. */
void send_updates(struct bgp_neighbor *n, struct writer *w, msec now);
bool send_has_something(struct bgp_neighbor *n, msec now);
msec send_deadline(struct bgp_neighbor *n);

/* ---- restart.c: graceful restart (RFC 4724, RFC 8538) and route refresh (RFC 2918, RFC 7313) ---- */

/* The session is lost: are the paths kept? True: they are stale now, else they have to be flushed. */
bool restart_keep(struct bgp_neighbor *n, const struct bgp_error *error, bool sent, msec now);
/* The session is back: families that were not preserved are flushed. SAME: with the identifier that it had; else all are. */
void restart_back(struct bgp_neighbor *n, struct bgp_connection *c, bool same, msec now);
void restart_end_of_rib(struct bgp_neighbor *n, enum bgp_family f, msec now);
/* A ROUTE-REFRESH of any kind. */
void restart_refresh(struct bgp_neighbor *n, enum bgp_family f, enum bgp_refresh_kind kind, msec now);
/* Asks N to send F again. -EOPNOTSUPP */
int restart_ask(struct bgp_neighbor *n, enum bgp_family f, msec now);
/* A slice of the job that removes stale paths. */
void restart_sweep(struct bgp_neighbor *n, enum bgp_family f, unsigned *budget);
/* What is stale goes now, for there is more of F than there may be. */
void restart_make_room(struct bgp_neighbor *n, enum bgp_family f);
/* Where RFC 8538 was agreed on, and E is to end more than the session: E becomes a Hard Reset. */
void restart_harden(const struct bgp_connection *c, struct bgp_error *e);
msec restart_deadline(const struct bgp_neighbor *n);
void restart_time(struct bgp_neighbor *n, msec now);

/* ---- bgp.c ---- */

/* T, shortened at random by up to a quarter: RFC 4271 section 10. */
msec bgp_jitter(struct bgp *b, msec t);
void bgp_want_work(struct bgp *b);
bool bgp_is_own(const struct bgp *b, const struct addr *a);
/* A best path of F changed: feeds of neighbours and of the owner have something. They hear of it in the next bgp_work(). The tables' `changed` calls it. */
void bgp_routes_changed(struct bgp *b, enum bgp_family f);
/* During our own restart: is everything in? Then selection's results may go out. */
void bgp_check_deferral(struct bgp *b, msec now);

#endif
