/*
 * dataplane/tun: the plane that works everywhere: one TUN device for all softwires of a role, and batched UDP
 * sockets.
 *
 *   softwire -> device:  recvmmsg, session look-up, peer and inner source checked, written to the TUN
 *                        (socket.c, up.c)
 *   device -> softwire:  read from the TUN, inner destination look-up, MTU and MSS, L2TP/PPP header, sendmmsg
 *                        (down.c, queue.c, socket.c)
 *
 * Hop limit: the kernel routes between the device and the other interfaces and decrements it there, once; this
 * plane does not.
 * Everything that is not payload of an open family goes up to the role: control messages, PPP control
 * protocols, packets to or from link-local and multicast addresses.
 * ICMP errors go out from the configured source address, limited in rate per softwire and per plane (icmp.c):
 * Packet Too Big / Fragmentation Needed for the row's MTU, address unreachable for an inner destination
 * without a row, ingress policy for a spoofed source.
 *
 * Memory: everything is allocated with the plane; no packet allocates. Buffers are touched only when traffic
 * needs them.
 * Fairness: one wake-up of the device handles one batch, one of a socket some more, for a millisecond at most; behind the first full one all that is not of a
 * softwire that is up waits until later, and is worked on in portions (late.c). What is queued goes out before the loop
 * sleeps, or when a batch is full. A queue that a socket does not take (DP_QUEUE_MAX packets) drops data first:
 * control messages have a reserve of their own.
 * Outer packets carry DF (RFC 1191, 8201). One that the path does not take is told to the role (outer_error
 * with the path's MTU), and is itself sent in fragments, so that a path too narrow for the smallest inner MTU
 * is slow but not black.
 *
 * Inner packets that do not fit a softwire's MTU: IPv6 and IPv4 with DF are answered (Packet Too Big, Fragmentation Needed), IPv4 without
 * DF is cut (fragment.c). DHCP between the ends (to local4, or broadcast) goes to the role.
 *
 * DSCP and ECN (RFC 2983, RFC 6040; always on). Into a softwire: the inner packet's DSCP is copied to the outer header, and its ECN field where
 * the far end is known to look at it when it comes out (row->copy_ecn: RFC 6040's normal mode, else its compatibility mode); what tun_plane_send() sends has CS6. Out of one: the inner DSCP stays
 * as it is, whatever was made of the outer one on the way; the ECN fields are merged as RFC 6040 section 4.2 says, so
 * that congestion between the ends reaches the transport inside: CE is set in an ECN-capable inner packet, and one
 * that is not is dropped. The merge comes behind the check of the source. Combinations that nobody should send are
 * logged (debug, one line a second).
 *
 * Known limits: the device is read and written with a system call per packet. Outer packets
 * larger than DP_PACKET_MAX bytes are dropped.
 *
 * RFC 2661 section 3.1, RFC 5571, RFC 4443, RFC 6040, RFC 2983.
 */
#ifndef DATAPLANE_TUN_H
#define DATAPLANE_TUN_H

#include "dataplane/table.h"
#include "lib/log.h"
#include "lib/loop.h"

enum { DP_PACKET_MAX = 9216, DP_BATCH = 64, DP_QUEUE_MAX = 512 };

struct tun_plane;

/* Drops that belong to no row, and sums of those that do, by reason. */
struct dp_counters {
	uint64_t rx_packets, tx_packets; /* outer */
	uint64_t drop_short;             /* ends before its header or its Length field says, or was cut */
	uint64_t drop_header;            /* not L2TP version 2, or a Length field shorter than the header */
	uint64_t drop_no_session;        /* data for a tunnel or session id that is not ours */
	uint64_t drop_wrong_peer;        /* data or control for a row from another address or port */
	uint64_t drop_spoofed;           /* inner source not within the row's prefixes */
	uint64_t drop_not_up;            /* from the device, for a row whose NCP of that family is not open */
	uint64_t drop_no_destination;    /* from the device, no row */
	uint64_t drop_too_big;           /* from the device, larger than the row's MTU */
	uint64_t drop_bad_inner;         /* not a whole IPv6 or IPv4 packet */
	uint64_t drop_send_queue, drop_device;
	uint64_t drop_late; /* of no softwire that is up, while more came than can be worked on */
	uint64_t icmp_sent, icmp_suppressed, socket_errors, mss_clamped;
	uint64_t drop_local_scope; /* from the device: multicast and link-local; the kernel's own chatter */
	uint64_t outer_fragmented; /* sent without DF after the path refused it */
	uint64_t inner_fragmented; /* IPv4 packets without DF that did not fit */
	uint64_t ecn_ce;           /* out of a softwire: congestion of the way there, marked in the inner packet */
	uint64_t drop_ecn;         /* the same, of a packet that cannot be marked (RFC 6040 section 4.2) */
};

struct tun_ops {
	/* Control message, or data for the engine, of a known row and from its peer. PAYLOAD is the UDP
	 * payload. */
	void (*input)(struct tun_plane *p, struct dp_row *row, const uint8_t *payload, size_t len);
	/*
	 * A packet of no row (SCCRQ with tunnel id 0, a stray), or of ROW but not acceptable for it: from
	 * another source, or, when FROM is ROW's peer, with a session id that is not ROW's. LOCAL is the
	 * address that it was sent to, for tun_plane_send(), or "none" where the socket is bound to one
	 * address.
	 */
	void (*stray)(struct tun_plane *p, uint8_t listener, struct dp_row *row, const struct endpoint *from,
		const struct addr *local, const uint8_t *payload, size_t len);
	/*
	 * ICMP error for something that we sent to PEER, or a local refusal (errno as the kernel says:
	 * ECONNREFUSED, EHOSTUNREACH, EMSGSIZE with MTU, the largest outer IP packet of the path). A hint: it
	 * can be forged. May be NULL.
	 */
	void (*outer_error)(
		struct tun_plane *p, uint8_t listener, const struct endpoint *peer, int error, uint32_t mtu);
};

/* NULL: no memory. LOG may be NULL. Ops may call everything here, tun_plane_close() included. */
struct tun_plane *tun_plane_new(
	struct loop *loop, struct log *log, const struct tun_ops *ops, void *owner, uint64_t seed);
void *tun_plane_owner(const struct tun_plane *p);
struct dp_table *tun_plane_table(struct tun_plane *p);
struct dp_counters *tun_plane_counters(struct tun_plane *p);
/* FD is a TUN device (IFF_TUN | IFF_NO_PI); the plane owns it from now on, unless this fails. FDs are
 * non-blocking. */
int tun_plane_set_device(struct tun_plane *p, int fd);
/* A bound UDP socket becomes a listener; its index. The plane owns it, unless this fails, and sets what it
 * needs (IP_RECVERR, buffers, PMTU discovery, packet information where it is bound to all addresses). IPv6
 * sockets are IPV6_V6ONLY. -EINVAL: not such a socket. */
int tun_plane_add_socket(struct tun_plane *p, int fd, uint8_t *ret_listener);
/* The rows of the listener are the role's to remove. */
void tun_plane_remove_socket(struct tun_plane *p, uint8_t listener);
/* Sources of ICMP errors; none or NULL: no errors of that family. */
void tun_plane_set_sources(struct tun_plane *p, const struct addr *local6, const struct addr *local4);
/* Queues a UDP payload; it goes out in the batch of this loop iteration, from LOCAL (row->local or what
 * stray() said; NULL or none: the kernel chooses). -ENOBUFS when the queue is full, -EMSGSIZE, -ENOENT
 * without such a listener. */
int tun_plane_send(struct tun_plane *p, uint8_t listener, const struct addr *local, const struct endpoint *to,
	const uint8_t *payload, size_t len);
/* Has more come than was worked on in this iteration of the loop? To be asked before the loop sleeps, by whoever has work that can wait; flush functions
 * that were added after the plane see it. */
bool tun_plane_is_behind(const struct tun_plane *p);
/* Handles what is readable and sends what is queued until nothing is left, at most 16 batches each. From
 * inside an op it only sends. */
void tun_plane_flush(struct tun_plane *p);
/* Asynchronous: no op is called any more; FREED is called, with the owner, when the loop has let go of the
 * handles and the plane is gone. */
void tun_plane_close(struct tun_plane *p, void (*freed)(void *owner));

#endif
