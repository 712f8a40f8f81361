/*
 * netlink/route: addresses, routes and links of the kernel, written synchronously (the keeper) and watched (the engine process).
 *
 * libmnl, RFC 3549 in spirit, the kernel's rtnetlink in fact. Routes that we add carry protocol NETLINK_PROTOCOL, so that they can be found again.
 */
#ifndef NETLINK_ROUTE_H
#define NETLINK_ROUTE_H

#include "lib/addr.h"
#include "lib/loop.h"

enum { NETLINK_PROTOCOL = 171 };

struct netlink; /* a socket of one's own; blocking */
struct netlink *netlink_open(void); /* NULL and errno */
void netlink_close(struct netlink *n);

/* All return 0 or -errno. Adding replaces; deleting what is not there is 0. */
int netlink_address(struct netlink *n, bool add, const char *device, const struct addr *a, uint8_t prefix_len, uint32_t valid,
	uint32_t preferred);
/* UNREACHABLE routes have no device. SOURCE may be none. */
int netlink_route(struct netlink *n, bool add, const struct prefix *dst, bool unreachable, const char *device, const struct addr *source,
	uint32_t metric);
int netlink_link_up(struct netlink *n, const char *device, bool up);
int netlink_link_mtu(struct netlink *n, const char *device, uint32_t mtu);
/* No SLAAC link-local address on a TUN (addr_gen_mode none): the daemon sets its own. */
int netlink_link_no_autoconf(struct netlink *n, const char *device);
/* MTU of the interface that a packet to DST would leave by, and the route's own MTU if smaller; -ENETUNREACH. Unprivileged. */
int netlink_path_mtu(struct netlink *n, const struct addr *dst, uint32_t *ret_mtu, struct addr *ret_source, unsigned *ret_ifindex);
int netlink_interface_lladdr(struct netlink *n, const char *device, uint8_t ret[6], unsigned *ret_ifindex);

/* Watching: an address, route or link changed; WHAT is a short word for logs ("address", "route", "link"). Bursts are merged (once per loop iteration). */
struct netlink_monitor;
struct netlink_monitor *netlink_monitor_new(struct loop *loop, void (*changed)(void *owner, const char *what), void *owner);
void netlink_monitor_free(struct netlink_monitor *m);

#endif
