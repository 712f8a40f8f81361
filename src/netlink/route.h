/*
 * netlink/route: addresses, routes and links of the kernel, written synchronously (the keeper) and watched (the engine process).
 *
 * libmnl, RFC 3549 in spirit, the kernel's rtnetlink in fact. Routes and addresses that we add carry protocol NETLINK_PROTOCOL, so that they
 * can be told from others': nothing of another protocol is ever replaced or deleted.
 * Parts: request.c (one request, one answer), address.c, link.c, neighbour.c, route.c (what may be asked), monitor.c (what changed); for whole routing tables,
 * with a header of their own (fib.h): batch.c, reader.c, rule.c, way.c.
 */
#ifndef NETLINK_ROUTE_H
#define NETLINK_ROUTE_H

#include "lib/addr.h"
#include "lib/loop.h"

enum { NETLINK_PROTOCOL = 171 };

struct netlink;                     /* a socket of one's own; blocking */
struct netlink *netlink_open(void); /* NULL and errno */
void netlink_close(struct netlink *n);
/* What the kernel said about the last failure (its extended acknowledgement), or "". For logs. */
const char *netlink_error(const struct netlink *n);

/* All return 0 or -errno; -ENODEV for a device that is not there. Adding replaces; deleting what is not there is 0. */

/*
 * An address with its lifetimes in seconds (0xffffffff: for ever; VALID 0 and PREFERRED > VALID are -EINVAL).
 * On a LAN (any device with link-layer addresses) the kernel does Duplicate Address Detection (IPv6) and adds the on-link route of the prefix;
 * IPv4 gets the broadcast address of its prefix (shorter than /31).
 * On a TUN (a device without link-layer addresses) nothing of that: the daemon has done DAD over the softwire, and its caller says
 * which routes lead there; only a link-local address brings its fe80::/64, which every link has.
 * -EEXIST when the device has the address from somebody else, for adding and for deleting (IPv4: with this prefix length).
 * Deleting an IPv4 address makes the kernel delete others of the same subnet that came after it, unless promote_secondaries is on.
 */
int netlink_address(struct netlink *n, bool add, const char *device, const struct addr *a, uint8_t prefix_len,
	uint32_t valid, uint32_t preferred);
/* Whose the address on DEVICE is; UNKNOWN, which netlink_address() takes for ours, where the kernel cannot tell (before Linux 5.18). */
enum netlink_owner { NETLINK_NOBODY, NETLINK_OURS, NETLINK_OTHERS, NETLINK_UNKNOWN };
int netlink_address_owner(struct netlink *n, const char *device, const struct addr *a, uint8_t prefix_len,
	enum netlink_owner *ret);
/*
 * UNREACHABLE routes have no device. SOURCE (the preferred source) may be none or NULL. METRIC 0: the family's default (IPv6 1024; IPv4 0, with
 * which the kernel deletes our route of any metric).
 * Replaces our own route of the same destination, metric, kind and device. When the place is taken by any other route: -EEXIST
 * (a higher metric lives beside it); nobody else's default route is lost to us.
 */
int netlink_route(struct netlink *n, bool add, const struct prefix *dst, bool unreachable, const char *device,
	const struct addr *source, uint32_t metric);
int netlink_link_up(struct netlink *n, const char *device, bool up);
int netlink_link_mtu(struct netlink *n, const char *device, uint32_t mtu);
int netlink_link_lladdr(struct netlink *n, const char *device, const uint8_t lladdr[6]);
int netlink_link_queue(struct netlink *n, const char *device, uint32_t packets); /* txqueuelen */
/* No SLAAC link-local address on a TUN (addr_gen_mode none): the daemon sets its own. */
int netlink_link_no_autoconf(struct netlink *n, const char *device);
/*
 * MTU of the interface that a packet to DST would leave by, and the route's own MTU if smaller (it includes what path MTU discovery
 * has learnt); -ENETUNREACH when it would not, be it without a route or by one that says so (unreachable, prohibit, blackhole). Each ret_* may be NULL. Unprivileged.
 */
int netlink_path_mtu(struct netlink *n, const struct addr *dst, uint32_t *ret_mtu, struct addr *ret_source,
	unsigned *ret_ifindex);
/* The same for packets that leave by interface IFINDEX only (IP_UNICAST_IF, IPV6_UNICAST_IF), though a better route leads elsewhere; 0: any. */
int netlink_path_mtu_by(struct netlink *n, const struct addr *dst, unsigned ifindex, uint32_t *ret_mtu,
	struct addr *ret_source, unsigned *ret_ifindex);
/* The MAC address; -ENODATA when the device has none. Unprivileged. */
int netlink_interface_lladdr(struct netlink *n, const char *device, uint8_t ret[6], unsigned *ret_ifindex);

/*
 * Permanent neighbours: nobody is asked for them, and no carrier that goes takes them away; they go with the device. COUNT of them, of one family each or mixed.
 * 0, or the first error there was: the others are done all the same. For deleting the link-layer addresses do not count.
 */
struct netlink_neighbour {
	struct addr address;
	uint8_t lladdr[6];
};
int netlink_neighbours(
	struct netlink *n, bool add, const char *device, const struct netlink_neighbour *list, unsigned count);

/*
 * Bridges. A new one has no ports, no spanning tree and no forward delay, so that a port works at once; it is down. -EEXIST: there is a device of
 * that name.
 */
int netlink_bridge_add(struct netlink *n, const char *bridge, unsigned *ret_ifindex);
/* -ENODEV: there is nothing of that name; -EEXIST: it is not a bridge. */
int netlink_bridge_index(struct netlink *n, const char *device, unsigned *ret_ifindex);
int netlink_bridge_delete(struct netlink *n, unsigned ifindex);
/* -EBUSY: PORT is one of another bridge (or bond ...), -EALREADY: of this one. */
int netlink_bridge_join(struct netlink *n, unsigned bridge, const char *port);
/* 0, too, when PORT is none of BRIDGE. */
int netlink_bridge_leave(struct netlink *n, unsigned bridge, const char *port);

/*
 * Watching: an address, route or link changed; WHAT is a short word for logs ("address", "route", "link"; "overrun" when the kernel had more
 * to say than fitted). Unprivileged. Routes of both families are told when they come and when they go: netlink_path_mtu() then says whether a
 * destination is still reached. Of links count name, up, running, carrier, MAC address, MTU and master, and that they come and go; that somebody listens
 * (promiscuous mode) does not. Bursts are merged (once per loop iteration). What we have set ourselves (NETLINK_PROTOCOL, NETLINK_BGP) and what only follows
 * an address (the kernel's local and on-link routes) is not told.
 */
struct netlink_monitor;
struct netlink_monitor *netlink_monitor_new(
	struct loop *loop, void (*changed)(void *owner, const char *what), void *owner);
/* Changes of DEVICE (our own TUN, present now or later) are not told. 0 or -errno. */
int netlink_monitor_ignore(struct netlink_monitor *m, const char *device);
/*
 * DOWN is called at once, before the merged word, when a link goes down or away, or loses an address with which the kernel may take routes by it, though all may
 * be as before by then. INDEX 0: it may be any (an overrun). LINK: it is the link itself, and nothing leaves by it any more, whatever the tables still say.
 */
void netlink_monitor_tell_down(
	struct netlink_monitor *m, void (*down)(void *owner, unsigned index, bool link));
void netlink_monitor_free(struct netlink_monitor *m);

#endif
