/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * afbr/nexthops: how next hops are reached: what way.c (one question to the kernel), nexthop.c (the next hops, when they are asked, and what follows),
 * recurse.c (ways that only BGP knows) and sessions.c (BGP itself stays out of softwires) share. Not for others.
 *
 * The interior: the kernel's routes that are neither BGP's nor through a softwire. A next hop of the core's family that the interior does not reach is *adrift*. It may
 * be reached all the same, by recursion (RFC 5565 section 12): a route of BGP in the core's own family leads to it, and its next hop is reached by the
 * interior. There is one such step, no more; so a next hop depends on the kernel and on what neighbours have told, never on the answer for another one that is adrift,
 * and no circle of routes can make answers flap. The kernel is asked for the route that it would take: what it has of the interior's below a route of BGP's own, shorter
 * or of a higher metric than that, is not seen, and such a next hop counts as adrift.
 *
 * When. All next hops are asked again ASK_SOON after something has changed, some at a time; and those of the core's family, which are the endpoints of softwires,
 * before that and at once, at most every ASK_PAUSE. Those that are adrift also when a route that has them in it changes (a feed of the core's tables), and
 * when a next hop that they need is reached, or is not any more.
 */
#ifndef AFBR_NEXTHOPS_H
#define AFBR_NEXTHOPS_H

#include "afbr/parts.h"
#include "lib/treap.h"

enum { ASK_SOON = 50, ASK_PAUSE = 5, ASK_SLICE = 64 };
enum { WAY_DEVICES = 16, RECURSE_FEEDS = 2 };

/* How the interior gets there; or `why` not, and no ifindex. */
struct way {
	const char *why;
	bool elsewhere;      /* where it does not: BGP may know a way */
	bool softwire;       /* ... and a softwire leads there */
	struct prefix route; /* that leads there */
	struct addr gateway;
	unsigned ifindex;
	uint32_t route_metric;
	uint32_t metric; /* what it costs to get there: 0 on a link of ours */
	bool direct;     /* the gateway is the next hop itself */
	bool on_link;
	bool local_only; /* of two addresses it is the link-local one that is reached */
};

struct session;

struct nexthop {
	struct treap_node place; /* among all, by target; its value: way_value() */
	struct bgp_next_hop *hop;
	struct addr target;
	struct way way;
	uint32_t
		mtu; /* of the core's path, to `via` or to the target itself; 0: not known, or none of the core's family */
	bool moved; /* routes may be in the kernel by another way than this */
	bool lost;  /* its link was down, and routes by it are gone */
	/* recurse.c */
	bool adrift, due;
	struct treap_node adrift_place;
	struct nexthop *due_next, **due_link;
	struct nexthop *via;   /* which the interior reaches; NULL: none */
	struct nexthop *users; /* that have this one as `via` */
	struct nexthop *user_next, **user_link;
};

/* A walk through next hops, some at a time. */
struct asking {
	struct wheel_timer timer;
	bool core;      /* those of the core's family only */
	bool on, again; /* it is under way; it has to be followed by another one */
	struct nexthop *at;
	msec begun;
};

struct nexthops {
	struct afbr *afbr;
	struct netlink *netlink;
	struct netlink_monitor *monitor;
	struct treap places;
	struct asking all, core;
	struct {
		unsigned index; /* 0: nothing is known */
		bool softwire;
	} devices[WAY_DEVICES];
	/* recurse.c */
	struct wheel_timer timer;
	struct treap adrift;
	struct nexthop *due, **due_end;
	struct nexthop *adrift_at; /* all of them are asked: where that is */
	bool adrift_again;         /* and once more from the start */
	bool unsure;               /* something was found that may change without a word: look again at: */
	msec review_at;
	uint8_t family;                       /* of the feeds; 0: there are none */
	struct rib_feed feeds[RECURSE_FEEDS]; /* unicast, labeled */
	/* sessions.c */
	struct wheel_timer session_timer;
	struct treap sessions;
	struct session *session_list, *session_at;
	bool session_again;
};

/* ---- way.c ---- */

/* The kernel's devices may be others now. */
void way_forget_devices(struct nexthops *h);
/* INTERFACE: of link-local targets. */
void way_find(struct nexthops *h, const struct addr *target, unsigned interface, struct way *ret);
/* To whichever address of N it can be. */
void way_resolve(struct nexthops *h, const struct bgp_next_hop *n, struct way *ret);
bool way_equal(const struct way *a, const struct way *b);
/* The smaller, the shorter the route and the higher its metric: way_limit() of a route's length and metric is the highest value of ways that it would take over. */
uint64_t way_value(const struct way *w);
uint64_t way_limit(unsigned len, uint32_t metric);
/* 0: it is not known. */
uint32_t way_mtu(struct nexthops *h, const struct addr *target);

/* ---- nexthop.c ---- */

/* T's way is asked for, and what is new is told. QUICKLY: but not its MTU, if the way is the same; that has time until all are asked. */
void nexthop_ask(struct nexthops *h, struct nexthop *t, bool quickly);
/* Are such next hops endpoints of softwires? */
bool nexthop_is_core(const struct nexthops *h, const struct addr *target);

/* ---- recurse.c ---- */

int recurse_start(struct nexthops *h);
void recurse_change(struct nexthops *h); /* a->config is another one */
void recurse_free(struct nexthops *h);
/* A table of the core's may have something new. */
void recurse_routes(struct nexthops *h, enum bgp_family family);
/* T is adrift, or is not (any more). */
void recurse_note(struct nexthops *h, struct nexthop *t, bool adrift);
/* The next hop of BGP's route to TARGET, which the interior reaches: *ret is its way. NULL: none, and *why says more than before if there is more to say. */
const struct bgp_next_hop *recurse_find(
	struct nexthops *h, const struct addr *target, struct way *ret, const char **why);
/* T is reached through VIA from now on; NULL: through nobody. */
void recurse_by(struct nexthop *t, struct nexthop *via);
/* The interior's way to T is another one: who depends on it is asked again, soon. GAINED: there was none. */
void recurse_changed(struct nexthops *h, struct nexthop *t, bool gained);
/* T will be gone. */
void recurse_forget(struct nexthops *h, struct nexthop *t);

/* ---- sessions.c ---- */

void session_start(struct nexthops *h);
void session_change(struct nexthops *h); /* a->config is another one */
/* How neighbours are reached is asked again, soon. */
void session_ask(struct nexthops *h);
void session_free(struct nexthops *h);

#endif
