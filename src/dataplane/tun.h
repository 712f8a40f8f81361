/*
 * dataplane/tun: the plane that works everywhere: one TUN device for all softwires of a role, and batched UDP sockets.
 *
 *   softwire -> device:  recvmmsg, session look-up, peer and inner source checked, written to the TUN
 *   device -> softwire:  read from the TUN, inner destination look-up, MTU and MSS, L2TP/PPP header, sendmmsg
 * Hop limit: the kernel routes between the device and the other interfaces and decrements it there, once; this plane does not.
 * Everything that is not payload of an open family goes up to the role: control messages, PPP control protocols, packets
 * to or from link-local and multicast addresses.
 * The plane answers with ICMP errors from the configured source address, limited in rate: Packet Too Big / Fragmentation Needed for the
 * row's MTU, address unreachable for an inner destination without a row, ingress policy for a spoofed source.
 */
#ifndef DATAPLANE_TUN_H
#define DATAPLANE_TUN_H

#include "dataplane/table.h"
#include "lib/log.h"
#include "lib/loop.h"

struct tun_plane;

/* Drops that belong to no row, and sums of those that do, by reason. */
struct dp_counters {
	uint64_t rx_packets, tx_packets; /* outer */
	uint64_t drop_short, drop_header, drop_no_session, drop_wrong_peer, drop_spoofed, drop_not_up, drop_no_destination, drop_too_big,
		drop_bad_inner, drop_send_queue, drop_device;
	uint64_t icmp_sent, icmp_suppressed, socket_errors, mss_clamped;
};

struct tun_ops {
	/* Control message, or data for the engine, of a known row and from its peer. */
	void (*input)(struct tun_plane *p, struct dp_row *row, const uint8_t *payload, size_t len);
	/* A packet of no row (SCCRQ with tunnel id 0, a stray), or of ROW but from another source (then ROW is not NULL). */
	void (*stray)(struct tun_plane *p, uint8_t listener, struct dp_row *row, const struct endpoint *from, const uint8_t *payload,
		size_t len);
	/* ICMP error for something that we sent to PEER (errno as the kernel says: ECONNREFUSED, EHOSTUNREACH, EMSGSIZE with MTU). */
	void (*outer_error)(struct tun_plane *p, uint8_t listener, const struct endpoint *peer, int error, uint32_t mtu);
};

struct tun_plane *tun_plane_new(struct loop *loop, struct log *log, const struct tun_ops *ops, void *owner, uint64_t seed);
void *tun_plane_owner(const struct tun_plane *p);
struct dp_table *tun_plane_table(struct tun_plane *p);
struct dp_counters *tun_plane_counters(struct tun_plane *p);
/* FD is a TUN device (IFF_TUN | IFF_NO_PI); the plane owns it from now on. FDs are non-blocking. */
int tun_plane_set_device(struct tun_plane *p, int fd);
/* A bound UDP socket becomes a listener; its index. The plane owns it and sets what it needs (IP_RECVERR, buffers, PMTU discovery). */
int tun_plane_add_socket(struct tun_plane *p, int fd, uint8_t *ret_listener);
void tun_plane_remove_socket(struct tun_plane *p, uint8_t listener);
/* Sources of ICMP errors; none: no errors of that family. */
void tun_plane_set_sources(struct tun_plane *p, const struct addr *local6, const struct addr *local4);
/* Queues a UDP payload; it goes out in the batch of this loop iteration. -ENOBUFS when the queue is full. */
int tun_plane_send(struct tun_plane *p, uint8_t listener, const struct endpoint *to, const uint8_t *payload, size_t len);
/* Handles what is readable and sends what is queued until nothing is left or WORK packets are done: also for tests. */
void tun_plane_flush(struct tun_plane *p);
/* Asynchronous: FREED is called when the loop has let go of the handles. */
void tun_plane_close(struct tun_plane *p, void (*freed)(void *owner));

#endif
