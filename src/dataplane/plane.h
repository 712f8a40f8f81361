/*
 * dataplane/plane: what the files of the tun plane share and nobody else sees.
 *
 *   tun.c     the plane: life, device, the public functions
 *   queue.c   slots and the send queues of the sockets
 *   socket.c  UDP sockets: options, receiving, sending, errors
 *   late.c   packets that can wait while there are many
 *   up.c      one packet out of a softwire
 *   down.c    packets from the device into softwires
 *   fragment.c  IPv4 packets that may be cut, and do not fit
 *   tos.c     ECN out of a softwire: what is counted and logged of it
 *   icmp.c    ICMP errors
 *
 * Calls into the role (ops) may remove sockets and close the plane: the memory of both stays until the loop
 * has let go, so a batch only has to look at `closing` after each call. A row must not be touched after a call.
 */
#ifndef DATAPLANE_PLANE_H
#define DATAPLANE_PLANE_H

#include "dataplane/header.h"
#include "dataplane/tun.h"
#include "inet/inner.h"
#include "inet/tos.h"
#include "lib/datagram.h"

enum {
	DP_HEADROOM = 16, /* before an inner packet, for the header */
	DP_SLOTS = 1024,  /* packets in all send queues of a plane */
	DP_RESERVE = 128, /* of those and of DP_QUEUE_MAX more, for control messages only */
	DP_RX_BYTES = DP_PACKET_MAX + 64,
};

/* A packet that waits to be sent. */
struct dp_slot {
	struct dp_slot *next;
	struct sockaddr_storage to;
	socklen_t to_len;
	bool tried; /* it met an error that was not its own */
	struct addr local;
	uint8_t tos;      /* of the outer header, also as Traffic Class */
	uint32_t at, len; /* of the UDP payload in bytes */
	uint8_t bytes[DP_HEADROOM + DP_PACKET_MAX];
};

struct dp_socket {
	struct loop_watch watch;
	struct tun_plane *plane;
	int fd;
	uint8_t listener, family;
	bool wildcard; /* bound to all addresses */
	bool blocked;  /* the kernel takes no more: wait until it is writable */
	bool closing;
	uint32_t local_mtu; /* what the kernel said about the packet that it has just refused */
	unsigned queued;
	struct dp_slot *head, **tail;
};

/* What is known of a packet that has come. */
struct dp_arrival {
	struct endpoint from;
	struct addr local; /* that it was sent to, where the socket has many; else none */
	uint8_t ecn;       /* of the outer header */
};

struct dp_rx_batch {
	struct mmsghdr headers[DP_BATCH];
	struct iovec vectors[DP_BATCH];
	struct sockaddr_storage from[DP_BATCH];
	_Alignas(struct cmsghdr) uint8_t control[DP_BATCH][DATAGRAM_CONTROL];
	uint8_t bytes[DP_BATCH][DP_RX_BYTES];
};

/* A ring of packets of no softwire that is up: used bytes from head, then free ones from tail. */
struct dp_late {
	uint8_t *bytes; /* NULL: never needed yet */
	uint32_t head, tail, used;
};

enum dp_icmp { DP_ICMP_NO_ROUTE, DP_ICMP_ADDRESS, DP_ICMP_TOO_BIG, DP_ICMP_INGRESS, DP_ICMP_MAX };

struct tun_plane {
	struct loop *loop;
	struct log *log;
	const struct tun_ops *ops;
	void *owner;
	void (*freed)(void *owner);
	struct dp_table table;
	struct dp_counters counters;
	struct addr local6, local4;
	struct limit icmp[DP_ICMP_MAX], device_log, ecn_log;
	struct loop_flush flush;
	uv_idle_t idle; /* runs while packets wait in `late`; its closing makes tun_plane_close() asynchronous in every case */
	struct loop_watch device;
	int device_fd; /* -1: none */
	struct dp_socket *sockets[DP_LISTENERS_MAX];
	unsigned socket_end; /* highest listener + 1 */
	unsigned handles;    /* which the loop has not let go of yet */
	bool busy;           /* a batch is being worked on */
	bool behind;         /* a batch was full since the last flush */
	bool crowded;        /* a batch was full when a socket was read last */
	bool deferring;      /* what can wait is put aside now */
	struct dp_late late;
	bool closing;
	struct dp_rx_batch *rx;
	struct dp_slot *slots;
	struct dp_slot
		*free_slots[DP_SLOTS]; /* a stack, so that few slots are hot and the others untouched */
	unsigned free_count;
};

/* tun.c */
bool dp_device_write(struct tun_plane *p, const uint8_t *packet, size_t len);
void dp_device_lost(struct tun_plane *p, int error); /* it cannot be read any more */

/* queue.c */
struct dp_slot *dp_slot_take(struct tun_plane *p); /* NULL: all are queued */
void dp_slot_give(struct tun_plane *p, struct dp_slot *slot);
/* Puts SLOT into the queue; false, and the slot stays the caller's, when there is no room. */
bool dp_queue_data(struct dp_socket *s, struct dp_slot *slot);
bool dp_queue_control(struct dp_socket *s, struct dp_slot *slot);
struct dp_slot *dp_queue_pop(struct dp_socket *s);
void dp_queue_unpop(struct dp_socket *s, struct dp_slot *slot);
void dp_queue_clear(struct dp_socket *s);
/* Adds the header of ROW before the inner packet of LEN bytes at DP_HEADROOM and queues it; on false the slot
 * stays the caller's. */
bool dp_send_inner(
	struct tun_plane *p, struct dp_row *row, uint16_t protocol, struct dp_slot *slot, size_t len);

/* socket.c */
int dp_socket_open(struct dp_socket *s, int fd);
unsigned dp_socket_receive(struct dp_socket *s); /* one batch; how many packets */
unsigned dp_socket_errors(struct dp_socket *s);  /* reads the error queue; how many */
void dp_socket_send(struct dp_socket *s);        /* until the queue is empty or the socket takes no more */
void dp_socket_push(struct dp_socket *s);  /* one batch, calling no op; errors are left to dp_socket_send() */
void dp_socket_watch(struct dp_socket *s); /* tells the loop what to wait for */

/* late.c */
/* Puts a packet aside; KNOWN: of a row, from its peer. False: there is no room. */
bool dp_late_put(struct dp_socket *s, const struct dp_arrival *arrival, const uint8_t *payload, size_t len, bool known);
unsigned dp_late_work(struct tun_plane *p, bool all); /* a portion, or ALL; how many */
void dp_late_free(struct dp_late *l);

/* up.c */
void dp_up_packet(struct dp_socket *s, const struct dp_arrival *arrival, uint8_t *payload, size_t len);

/* tos.c: merges the OUTER header's ECN field into the inner PACKET of ROW. False: it is to be dropped, and has been
 * counted. An OUTER of 0, Not-ECT, changes nothing: there is no need to call. */
bool dp_ecn_decapsulate(struct tun_plane *p, struct dp_row *row, uint8_t *packet, uint8_t outer);

/* fragment.c */
/* Sends INNER of PACKET into ROW in fragments that fit its MTU. False: nothing was sent (no room for fragments, or in the queue). */
bool dp_send_fragments(struct tun_plane *p, struct dp_row *row, const uint8_t *packet, const struct inner *inner);

/* down.c */
unsigned dp_down_batch(struct tun_plane *p);

/* icmp.c: about the inner packet at ABOUT, which belongs to ROW (may be NULL for the first). */
void dp_icmp_to_device(
	struct tun_plane *p, enum dp_icmp what, struct dp_row *row, const uint8_t *about, size_t len);
void dp_icmp_to_softwire(
	struct tun_plane *p, enum dp_icmp what, struct dp_row *row, const uint8_t *about, size_t len);

static inline struct dp_family_counters *dp_row_family(struct dp_row *row, uint8_t family)
{
	return family == AF_INET6 ? &row->v6 : &row->v4;
}

static inline bool dp_row_up(const struct dp_row *row, uint8_t family)
{
	return family == AF_INET6 ? row->up6 : row->up4;
}

#endif
