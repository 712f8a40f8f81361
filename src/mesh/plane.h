/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mesh/plane: the plane that works everywhere: a TAP device for the routes of the kernel, raw sockets for the core.
 *
 *   kernel -> core   a frame of the TAP: its destination address is the path's number; path, slot by DSCP, leg, MTU, MSS, outer header, sendmmsg (out.c)
 *   core -> kernel   recvmmsg; is it for us at all: interface, transmitter, encapsulation, key, Session ID, cookie, label, payload: in that order, the cheapest
 *                    first, and nothing of the payload is looked at before (SEC-MESH-11); ECN; written to the TAP (in.c)
 *
 * Hop limit: the kernel decrements it when it forwards into the TAP, and again when it forwards what came out: a softwire is one hop. The outer one is the
 * operator's (MESH-FWD-11).
 * Never through a softwire: multicast, link-local, what is not IPv4 or IPv6 (ARP and neighbour discovery of the TAP included): no routing protocol sees one as
 * a link (MESH-BGP-8).
 * Nor what a softwire of ours has packed already, if the core's way to an egress ever leads through a softwire (RFC 2473 section 4.1.2, 4.1.3).
 * Too big: IPv6, and IPv4 with DF, are answered with the endpoint's MTU; IPv4 without DF is cut before it is packed. Where the core takes not even an
 * inner packet of 1280 octets (IPv6's least), the outer packet is fragmented, which the egress's kernel puts together; counted, and told in the log by the role.
 * So is one that the kernel refuses, until the role has made the endpoint's MTU smaller.
 * ICMP errors come from the sources that were set; limited by endpoint, path and plane.
 * DSCP and ECN: RFC 2983, RFC 6040. Flow label: RFC 6438, from a hash of the inner addresses, protocol and ports.
 *
 * Memory: allocated with the plane; no packet allocates (but for counters of a new sender: transmitter.c). Fairness: batches, as dataplane/tun.h.
 *
 * Known limits: the device is read and written with a system call per packet. The core's first hop is chosen by outer addresses alone: the flow label is for
 * the routers behind it. Packets of the device that are larger than MESH_PACKET_MAX are dropped. Interfaces that merge what comes (GRO) do so inside of IP-in-IP and GRE, too: TCP
 * is cut again, to 1280 octets, because a raw socket does not tell how large it was; `ethtool -K INTERFACE gro off` avoids both, and the log says so.
 */
#ifndef MESH_PLANE_H
#define MESH_PLANE_H

#include "lib/loop.h"
#include "mesh/table.h"

enum { MESH_PACKET_MAX = 9216, MESH_BATCH = 64, MESH_QUEUE_MAX = 512, MESH_INTERFACES = 16 };

struct mesh_plane;

struct mesh_ops {
	/* The core, or our own kernel, said of a packet to OUTER: it takes no more than MTU octets (outer packet; a hint, may be forged: at least 1280, of IPv4 576). What names less: of IPv6 nothing is said. */
	void (*path_mtu)(struct mesh_plane *p, const struct addr *outer, uint32_t mtu);
	/*
	 * OUTER cannot be reached now: errno of a send, or ICMP, which is a hint. ENOPROTOOPT: it does not take the protocol. ECONNREFUSED says nothing: kernels whose
	 * own tunnels do not want a packet say so, though somebody else there has taken it.
	 */
	void (*unreachable)(struct mesh_plane *p, const struct addr *outer, int error);
	/* A stranger's packet, or one that is not as we advertised: for a log line limited in rate. REASON is a static clause. */
	void (*refused)(struct mesh_plane *p, const struct addr *from, const char *reason);
	/* The device has been deleted, or cannot be read any more: there may be another one (mesh_plane_set_device()), in a later turn of the loop. */
	void (*device_lost)(struct mesh_plane *p);
};

/* NULL: no memory. LOG may be NULL. */
struct mesh_plane *mesh_plane_new(struct loop *loop, struct log *log, const struct mesh_ops *ops, void *owner, uint64_t seed);
void *mesh_plane_owner(const struct mesh_plane *p);
struct mesh_table *mesh_plane_table(struct mesh_plane *p);
struct mesh_counters *mesh_plane_counters(struct mesh_plane *p);
/* FD is a TAP (IFF_TAP | IFF_NO_PI), non-blocking; LLADDR is the device's. The plane owns FD from now on, unless this fails. 0 or -errno; -EBUSY: the loop has not let go of the one before yet */
int mesh_plane_set_device(struct mesh_plane *p, int fd, const uint8_t lladdr[6]);
/*
 * FD is a raw socket bound to our address in the core that receives PROTOCOL (MESH_PROTO_...). One each: else -EEXIST. Sets what it needs (packet information,
 * errors). Owned, unless this fails. ICMP errors come to the socket of the protocol and address that a packet had: what is only sent needs a receiver, too.
 */
int mesh_plane_add_receiver(struct mesh_plane *p, int fd, uint8_t protocol);
void mesh_plane_remove_receivers(struct mesh_plane *p);
/* FD sends whole packets of FAMILY (IPPROTO_RAW). Replaces the one before. Owned, unless this fails. */
int mesh_plane_set_sender(struct mesh_plane *p, int fd, uint8_t family);
/* Packets of the core are taken from these interfaces only; COUNT 0: from any. */
void mesh_plane_set_interfaces(struct mesh_plane *p, const unsigned *indexes, unsigned count);
/* Sources of ICMP errors; none or NULL: no errors of that family. */
void mesh_plane_set_sources(struct mesh_plane *p, const struct addr *local6, const struct addr *local4);
/* What the kernel has put into the device so far is on its way: to be called before a path goes, for it may be by that. Nothing from inside an op. */
void mesh_plane_drain(struct mesh_plane *p);
/* Asynchronous, as tun_plane_close(): no op any more; FREED when the loop has let go. Descriptors are closed. */
void mesh_plane_close(struct mesh_plane *p, void (*freed)(void *owner));

#endif
