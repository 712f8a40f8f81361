/*
 * A core for tests: a network namespace whose only way out is a TUN, core0, which the test holds: what would be on the core's wire comes out of it, whole, and
 * what is written to it comes from there. Needs root (NAMESPACE_OR_SKIP before).
 */
#ifndef TESTS_UNIT_MESH_CORE_H
#define TESTS_UNIT_MESH_CORE_H

#include "../netlink/namespace.h"
#include "fixture.h"
#include "netlink/route.h"

struct core {
	struct netlink *netlink; /* of the namespace */
	int wire;
	unsigned ifindex;
	bool merges;
};

/* In the namespace that we are in: core0 up, with these addresses, and routes by it to 2001:db8:c::/64 and 192.0.2.0/24. */
void core_make(struct core *c, const char *local6, const char *local4);
/* IPv6 addresses are in force only when a worker of the kernel has been at them. */
void core_await_address(struct core *c, const char *local);
/* core0 merges what comes (GRO), as the interfaces of real machines do. False: this kernel does not let us. Before core_make(). */
bool core_merges(struct core *c);
void core_done(struct core *c);
/* A raw socket; PROTOCOL 255: not bound. */
int core_socket(const char *local, uint8_t protocol);
/* The next packet of FAMILY on the wire, without what the kernel says by itself (neighbours, groups); or 0. */
size_t core_wire(struct core *c, uint8_t family, uint8_t *buf, size_t size);
/* The same, which must come. */
size_t core_await(struct core *c, uint8_t family, uint8_t *buf, size_t size);
void core_inject(struct core *c, const void *packet, size_t len);

#endif
