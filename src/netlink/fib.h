/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink/fib: the kernel's routing tables as a routing protocol needs them: written many routes at a time (batch.c, the keeper), read and watched
 * (reader.c, the engine process), and asked how a next hop is reached (way.c); and rules that forbid before any table is asked (rule.c, the keeper).
 *
 * Protocol. BGP routes of ours carry NETLINK_BGP, a number of our own, which `ip route` shows as "proto 172". RTPROT_BGP (186) is what FRR gives its BGP
 * routes, with the same default metric, in the same table: a host may run both, and taking ours away would take theirs. Nothing of another protocol is ever
 * replaced or deleted. The kernel itself compares the protocol only when it deletes, so a route is added exclusively, and where the place is taken the
 * writer looks whose route is there before it replaces it.
 *
 * Routes of one table and metric are ours to manage as a set: that pair and the protocol are their mark, so that nobody has to remember a million of them.
 */
#ifndef NETLINK_FIB_H
#define NETLINK_FIB_H

#include "netlink/route.h"

enum { NETLINK_BGP = 172 };

/* ---- writing: batch.c ---- */

enum { NETLINK_BATCH = 128 };

struct netlink_bgp_route {
	bool add;     /* or replace ours of the same destination; else delete it */
	bool on_link; /* the gateway is on that link, whatever the tables say (RTNH_F_ONLINK) */
	struct prefix dst;
	struct addr
		gateway; /* of IPv4 destinations either family's (RFC 8950), of IPv6 ones IPv6; none for deleting */
	unsigned ifindex; /* 0 for deleting */
	int error;        /* 0 or what the kernel said: -EEXIST when somebody else's route has the place */
};
/*
 * Does all, each destination at most once; deleting what is not there succeeds. 0: look at `error` of each; -errno: nothing is known of any. METRIC is not 0. Routes that
 * are there already as they should be cost one look. Another one of ours is replaced without a gap, unless the table is none that a packet to the
 * destination would be looked up in, or a longer prefix hides it: then there is one of microseconds.
 */
int netlink_bgp_routes(
	struct netlink *n, uint32_t table, uint32_t metric, struct netlink_bgp_route *routes, unsigned count);
/* Removes up to MOST of our BGP routes with this table and metric, of both families, and says how many; 0: none is left. 0 or -errno. */
int netlink_bgp_flush(struct netlink *n, uint32_t table, uint32_t metric, unsigned most, unsigned *ret_count);

/* ---- forbidding: rule.c ---- */

/*
 * Our rules of the routing policy: behind the local table's (0), before those that people and programs make as a rule (32765 and down, 1000 for VRFs), and far before
 * the main table's (32766). `ip rule` shows them as "171: from ... iif ... prohibit proto 171".
 */
enum { NETLINK_RULE_PREFERENCE = 171 };

/* What comes in by INTERFACE, which need not be there, from (or else to) PREFIX is not forwarded: its sender hears that this is prohibited. */
struct netlink_rule {
	char interface[16];
	bool from;
	struct prefix prefix;
	bool hush; /* rule.c's own */
};
/*
 * Afterwards these are our rules of that form, and no others: new ones come before old ones go. What has another protocol or preference is left alone. 0 or -errno: then
 * the old ones are still there, and maybe some of the new. -EEXIST: somebody has made a rule with our protocol and preference that the kernel takes for one of these.
 */
int netlink_rules(struct netlink *n, const struct netlink_rule *rules, unsigned count);
enum { NETLINK_HUSHED = 4 };
/*
 * The kernel itself does not say "port unreachable" (ICMP) from the COUNT addresses at LOCALS, nor "prohibited" instead; not of UDP either. Afterwards of these, and
 * of no others. `ip rule` shows "171: from ... iif lo ipproto icmp dport 771 prohibit proto 171". As above; a kernel before 4.17: -EINVAL or -EOPNOTSUPP.
 */
int netlink_hush(struct netlink *n, const struct addr *locals, unsigned count);

/* ---- asking: way.c ---- */

/* How a packet to an address would leave, by the route that was found for it. */
struct netlink_way {
	struct prefix route; /* that matched */
	uint32_t table, metric;
	uint8_t protocol;
	bool local;   /* the address is one of our own */
	bool down;    /* its link has no carrier */
	bool on_link; /* RTNH_F_ONLINK */
	struct addr
		gateway; /* none: the destination is on the link itself. Of several the first whose link is up */
	unsigned ifindex;
};
/* Leaving by IFINDEX only; 0: any. 0; -ENETUNREACH: there is no route, or one that says so. Unprivileged, some microseconds. */
int netlink_way(struct netlink *n, const struct addr *dst, unsigned ifindex, struct netlink_way *ret);

/* ---- reading: reader.c ---- */

struct netlink_fib_route {
	struct prefix dst;
	uint32_t table, metric;
	uint32_t identity;      /* what tells routes of the same destination, table and metric apart */
	uint16_t hops;          /* IPv6 routes of several gateways lose them one by one; else 1 */
	uint8_t protocol, type; /* RTPROT_*, RTN_* */
};

enum netlink_news {
	NETLINK_READ, /* it is there */
	NETLINK_CAME,
	NETLINK_REPLACED, /* it came instead of one with its destination, table and metric; of whatever protocol */
	NETLINK_WENT,
};

struct netlink_reader_ops {
	/* All that is there is read; what is not told before end() is not there. */
	void (*begin)(void *owner);
	void (*route)(void *owner, enum netlink_news news, const struct netlink_fib_route *r);
	void (*end)(void *owner);
};

/*
 * Routes (unicast, blackhole, unreachable, prohibit; none that are for one TOS or source only) of some tables and protocols: what is there, and if WATCH, what comes and goes, until the reader is freed.
 * Everything is read again when the kernel had more to tell than fitted, and when a link went down or an IPv4 address was taken away, with which routes go
 * without a word. News come between begin() and end(), too, in the order in which they happened. Some hundred routes per loop iteration.
 * BGP routes of ours are told only to who does not watch.
 */
struct netlink_reader;
struct netlink_reader *netlink_reader_new(struct loop *loop, const uint32_t *tables, unsigned table_count,
	const uint8_t *protocols, unsigned protocol_count, bool watch, const struct netlink_reader_ops *ops,
	void *owner); /* NULL and errno */
/* Reads everything again, soon. */
void netlink_reader_again(struct netlink_reader *r);
/* While paused nothing is told (and with WATCH much may have to be read again afterwards). */
void netlink_reader_pause(struct netlink_reader *r, bool paused);
/* May be called from inside ops. */
void netlink_reader_free(struct netlink_reader *r);

#endif
