/*
 * mesh/parts: what the files of the TAP plane share and nobody else sees.
 *
 *   plane.c   life, device, public functions
 *   out.c     a frame of the device into the core
 *   queue.c   parcels, and the queues of the sending sockets; outer packets in pieces
 *   in.c      a packet of the core into the device
 *   socket.c  raw sockets: options, receiving, sending, errors
 *   error.c   ICMP errors
 *
 * Calls into the role (ops) may remove sockets and close the plane: the memory of both stays until the loop has let go, so a batch only has to look at `closing`
 * after each call. A row must not be touched after a call.
 */
#ifndef MESH_PARTS_H
#define MESH_PARTS_H

#include "inet/inner.h"
#include "inet/tos.h"
#include "lib/datagram.h"
#include "mesh/plane.h"

enum {
	MESH_FRAME = 14, /* an Ethernet header */
	MESH_HEADROOM =
		128, /* before an inner packet from the device: for the outer headers, or what a frame has before it */
	MESH_MARGIN = 16,                      /* before what comes from the core: for the frame's header */
	MESH_RX_BYTES = 0x10000,               /* no packet is longer, merged or not */
	MESH_PARCELS = 2 * MESH_QUEUE_MAX + 2, /* both queues, one to read into, one to cut into */
	MESH_RECEIVERS = 10,                   /* protocols by families */
	MESH_ANY_PROTOCOL = 255,               /* IPPROTO_RAW: of a socket that sends */
};

/* An outer packet that waits to be sent. */
struct mesh_parcel {
	struct mesh_parcel *next;
	struct addr to;
	bool piece;       /* it has been cut as small as it gets */
	uint32_t at, len; /* of the packet in bytes */
	uint8_t bytes[MESH_HEADROOM + MESH_PACKET_MAX];
};

struct mesh_socket {
	struct loop_watch watch;
	struct mesh_plane *plane;
	int fd;
	uint8_t family, protocol;
	bool blocked; /* the kernel takes no more: wait until it is writable */
	bool closing;
	uint32_t local_mtu; /* what the kernel said about the packet that it has just refused */
	unsigned queued;
	struct mesh_parcel *head, **tail;
};

/* What is known of a packet of the core before one of its bytes is looked at. */
struct mesh_arrival {
	struct addr from;
	unsigned ifindex;
	uint8_t family, protocol, tos; /* of the outer header; TOS of IPv4 stands in the packet */
	bool cut;                      /* it is longer than what we take */
};

struct mesh_rx_batch {
	struct mmsghdr headers[MESH_BATCH];
	struct iovec vectors[MESH_BATCH];
	struct sockaddr_storage from[MESH_BATCH];
	_Alignas(struct cmsghdr) uint8_t control[MESH_BATCH][DATAGRAM_CONTROL];
	uint8_t bytes[MESH_BATCH][MESH_MARGIN + MESH_RX_BYTES];
};

enum mesh_error { MESH_ERROR_NO_ROUTE, MESH_ERROR_TOO_BIG, MESH_ERRORS };

struct mesh_plane {
	struct loop *loop;
	struct log *log;
	const struct mesh_ops *ops;
	void *owner;
	void (*freed)(void *owner);
	struct mesh_table table;
	struct mesh_counters counters;
	struct addr local6, local4; /* sources of ICMP errors */
	struct limit icmp[MESH_ERRORS], device_log, ecn_log;
	struct loop_flush flush;
	uv_idle_t idle; /* its closing makes mesh_plane_close() asynchronous in every case */
	struct loop_watch device;
	int device_fd;                  /* -1: none */
	uint8_t lladdr[6];              /* the device's */
	struct mesh_socket *senders[2]; /* IPv4, IPv6 */
	struct mesh_socket *receivers[MESH_RECEIVERS];
	unsigned interfaces[MESH_INTERFACES], interface_count;
	bool merged;      /* the log has said that packets come merged */
	unsigned handles; /* which the loop has not let go of yet */
	bool draining; /* a batch of the device is under way */
	bool closing;
	uint64_t seed;    /* of flow labels and identifications */
	uint32_t last_id; /* of an outer packet that was cut */
	struct mesh_rx_batch *rx;
	struct mesh_parcel *parcels;
	struct mesh_parcel
		*free_parcels[MESH_PARCELS]; /* a stack, so that few are hot and the others untouched */
	unsigned free_count;
};

/* plane.c: the packet of FAMILY at PACKET, which has MESH_FRAME octets of room before it, becomes a frame. */
bool mesh_device_write(struct mesh_plane *p, uint8_t family, uint8_t *packet, size_t len);
void mesh_device_lost(struct mesh_plane *p, int error); /* it cannot be read any more */

/* out.c */
unsigned mesh_out_batch(struct mesh_plane *p); /* how many frames */

/* in.c: MESH_MARGIN octets before PACKET are ours, too. */
void mesh_in_packet(struct mesh_plane *p, const struct mesh_arrival *arrival, uint8_t *packet, size_t len);

/* queue.c */
struct mesh_parcel *mesh_parcel_take(struct mesh_plane *p); /* NULL: all are queued */
void mesh_parcel_give(struct mesh_plane *p, struct mesh_parcel *parcel);
/* Puts PARCEL into the queue of the sender of FAMILY; false, counted, and it stays the caller's, when there is no room or no sender. */
bool mesh_queue_put(struct mesh_plane *p, uint8_t family, struct mesh_parcel *parcel);
struct mesh_parcel *mesh_queue_pop(struct mesh_socket *s);
void mesh_queue_clear(struct mesh_socket *s);
/* Queues the outer packet in PARCEL, which stays the caller's, in pieces of at most MTU octets (RFC 2473 section 7.1, 7.2). False, counted: not all of them. */
bool mesh_queue_pieces(struct mesh_plane *p, uint8_t family, struct mesh_parcel *parcel, size_t mtu);

/* socket.c */
int mesh_socket_open_receiver(struct mesh_socket *s, int fd, uint8_t protocol);
int mesh_socket_open_sender(struct mesh_socket *s, int fd, uint8_t family);
unsigned mesh_socket_receive(struct mesh_socket *s); /* one batch; how many packets */
unsigned mesh_socket_errors(struct mesh_socket *s);  /* reads the error queue; how many */
void mesh_socket_send(struct mesh_socket *s);  /* until the queue is empty or the socket takes no more */
void mesh_socket_watch(struct mesh_socket *s); /* tells the loop what to wait for */

/* error.c: about the inner packet at ABOUT, for PATH and ENDPOINT, which may be NULL. MTU of "too big". */
void mesh_error_send(struct mesh_plane *p, enum mesh_error what, uint32_t mtu, struct mesh_path *path,
	struct mesh_endpoint *endpoint, const uint8_t *about, size_t len);

static inline unsigned mesh_family_index(uint8_t family)
{
	return family == AF_INET6;
}

static inline void mesh_count(struct mesh_family_counters *c, size_t len)
{
	c->packets++;
	c->bytes += len;
}

#endif
