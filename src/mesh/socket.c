/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Raw sockets: batches in both directions, and what the network says about packets that we sent (lib/datagram.h).
 *
 * Receivers. Theirs are the ICMP errors, too: the kernel gives those to sockets of the protocol and the local address that the packet had, so a protocol that
 * is only sent needs a receiver all the same.
 *
 * Senders. The kernel refuses a packet that is larger than the interface (the error queue then has its MTU), or than the path as far as it knows that: it answers
 * itself with an ICMP error, which the receiver gets. The role is told; the packet itself goes out in pieces, so that a path that has become too narrow is slow
 * until the endpoint's MTU is right, but not black.
 */
#include "mesh/parts.h"

#include <errno.h>
#include <linux/filter.h>

#include "inet/packet.h"

/* Whatever is said of a path: RFC 8200 section 5; what every host takes, RFC 791 section 3.1. */
static uint32_t least_mtu(uint8_t family)
{
	return family == AF_INET6 ? IP6_MIN_MTU : 576;
}

/* A raw socket; its family and protocol. */
static int socket_check(int fd, uint8_t *ret_family, uint8_t *ret_protocol)
{
	int type = 0, domain = 0, protocol = 0;
	socklen_t len = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) ||
		getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) ||
		getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len))
		return -errno;
	if (type != SOCK_RAW || (domain != AF_INET && domain != AF_INET6))
		return -EINVAL;
	*ret_family = (uint8_t)domain;
	*ret_protocol = (uint8_t)protocol;
	return 0;
}

static int socket_open(struct mesh_socket *s, int fd, uint8_t protocol)
{
	uint8_t its_protocol = 0;
	int r = socket_check(fd, &s->family, &its_protocol);

	if (r < 0)
		return r;
	if (its_protocol != protocol)
		return -EINVAL;
	s->fd = fd;
	s->protocol = protocol;
	s->tail = &s->head;
	return 0;
}

int mesh_socket_open_receiver(struct mesh_socket *s, int fd, uint8_t protocol)
{
	static const struct datagram_option options4[] = {{SOL_SOCKET, SO_SELECT_ERR_QUEUE, 1},
		{IPPROTO_IP, IP_RECVERR, 1}, {IPPROTO_IP, IP_PKTINFO, 1}};
	static const struct datagram_option options6[] = {{SOL_SOCKET, SO_SELECT_ERR_QUEUE, 1},
		{IPPROTO_IPV6, IPV6_RECVERR, 1}, {IPPROTO_IPV6, IPV6_RECVPKTINFO, 1},
		{IPPROTO_IPV6, IPV6_RECVTCLASS, 1}};
	int r = socket_open(s, fd, protocol);

	if (r < 0)
		return r;
	datagram_enlarge_receive(fd);
	return s->family == AF_INET6 ? datagram_set(fd, options6, 4) : datagram_set(fd, options4, 3);
}

/* What comes to a socket that is never read would fill its buffer: nothing may. */
static int take_nothing(int fd)
{
	struct sock_filter nothing = {.code = BPF_RET | BPF_K, .k = 0};
	struct sock_fprog program = {.len = 1, .filter = &nothing};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ? -errno : 0;
}

int mesh_socket_open_sender(struct mesh_socket *s, int fd, uint8_t family)
{
	static const struct datagram_option options4[] = {
		{SOL_SOCKET, SO_SELECT_ERR_QUEUE, 1}, {IPPROTO_IP, IP_RECVERR, 1}};
	static const struct datagram_option options6[] = {
		{SOL_SOCKET, SO_SELECT_ERR_QUEUE, 1}, {IPPROTO_IPV6, IPV6_RECVERR, 1}};
	int r = socket_open(s, fd, MESH_ANY_PROTOCOL);

	if (r == 0 && s->family != family)
		r = -EINVAL;
	if (r == 0)
		r = take_nothing(fd);
	if (r < 0)
		return r;
	datagram_enlarge_send(fd);
	return datagram_set(fd, family == AF_INET6 ? options6 : options4, 2);
}

/* --- receiving --- */

static void batch_prepare(struct mesh_rx_batch *b)
{
	for (unsigned i = 0; i < MESH_BATCH; i++) {
		b->vectors[i] =
			(struct iovec){.iov_base = b->bytes[i] + MESH_MARGIN, .iov_len = MESH_RX_BYTES};
		b->headers[i].msg_hdr = (struct msghdr){
			.msg_name = &b->from[i],
			.msg_namelen = sizeof(b->from[i]),
			.msg_iov = &b->vectors[i],
			.msg_iovlen = 1,
			.msg_control = b->control[i],
			.msg_controllen = DATAGRAM_CONTROL,
		};
	}
}

static void received(struct mesh_socket *s, struct mesh_rx_batch *b, unsigned i)
{
	struct msghdr *m = &b->headers[i].msg_hdr;
	struct mesh_arrival a = {
		.family = s->family, .protocol = s->protocol, .cut = m->msg_flags & MSG_TRUNC};
	struct datagram_arrival said;
	struct endpoint from = {0};

	(void)endpoint_from_sockaddr((struct sockaddr *)&b->from[i], &from); /* none may send */
	datagram_arrival_read(m, &said);
	a.from = from.addr;
	a.ifindex = said.ifindex;
	a.tos = said.tos;
	mesh_in_packet(s->plane, &a, b->bytes[i] + MESH_MARGIN, b->headers[i].msg_len);
}

unsigned mesh_socket_receive(struct mesh_socket *s)
{
	struct mesh_rx_batch *b = s->plane->rx;
	int n;

	batch_prepare(b);
	n = recvmmsg(s->fd, b->headers, MESH_BATCH, MSG_DONTWAIT, NULL);
	if (n < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return 0;
		mesh_socket_errors(s); /* the failure was that of an earlier packet of ours */
		return 1;
	}
	for (int i = 0; i < n && !s->closing; i++)
		received(s, b, (unsigned)i);
	return (unsigned)n;
}

/* --- errors --- */

/* RFC 8201 section 4: what names less than IPv6's least is discarded. Of IPv4, 0 is a router's from before RFC 1191. */
static void tell_mtu(struct mesh_socket *s, const struct addr *to, uint32_t mtu)
{
	uint32_t least = least_mtu(s->family);

	if (s->family == AF_INET6 && mtu < least)
		return;
	if (!s->closing && !addr_is_none(to))
		s->plane->ops->path_mtu(s->plane, to, mtu < least ? least : mtu);
}

static void tell_unreachable(struct mesh_socket *s, const struct addr *to, int error)
{
	s->plane->counters.socket_errors++;
	if (!s->closing && !addr_is_none(to))
		s->plane->ops->unreachable(s->plane, to, error);
}

unsigned mesh_socket_errors(struct mesh_socket *s)
{
	struct datagram_error e;
	unsigned count = 0;

	for (; count < MESH_BATCH && !s->closing && datagram_error_next(s->fd, &e); count++) {
		if (e.local) /* about the call that just failed */
			s->local_mtu = e.mtu;
		else if (e.error == EMSGSIZE)
			tell_mtu(s, &e.to.addr, e.mtu);
		else if (e.error)
			tell_unreachable(s, &e.to.addr, e.error);
	}
	return count;
}

/* --- sending --- */

/* Sends one batch from the head of the queue; how many went, or -errno about the first. */
static int send_batch(struct mesh_socket *s)
{
	struct mmsghdr headers[MESH_BATCH];
	struct iovec vectors[MESH_BATCH];
	struct sockaddr_storage to[MESH_BATCH];
	unsigned n = 0;
	int sent;

	for (struct mesh_parcel *parcel = s->head; parcel && n < MESH_BATCH; parcel = parcel->next, n++) {
		struct endpoint e = {.addr = parcel->to};

		vectors[n] = (struct iovec){.iov_base = parcel->bytes + parcel->at, .iov_len = parcel->len};
		headers[n].msg_hdr = (struct msghdr){.msg_name = &to[n],
			.msg_namelen = endpoint_to_sockaddr(&e, &to[n]),
			.msg_iov = &vectors[n],
			.msg_iovlen = 1};
	}
	sent = sendmmsg(s->fd, headers, n, MSG_DONTWAIT);
	if (sent < 0)
		return -errno;
	s->plane->counters.tx_packets += (unsigned)sent;
	for (int i = 0; i < sent; i++)
		mesh_parcel_give(s->plane, mesh_queue_pop(s));
	return sent;
}

/* The packet of PARCEL is larger than the path: by the interface's MTU, or as small as it gets, where the kernel has not said that here. */
static void send_too_big(struct mesh_socket *s, struct mesh_parcel *parcel)
{
	uint32_t mtu = s->local_mtu;

	if (parcel->piece)
		s->plane->counters.drop_too_big++;
	else
		(void)mesh_queue_pieces(s->plane, s->family, parcel, mtu ? mtu : least_mtu(s->family));
	if (mtu)
		tell_mtu(s, &parcel->to, mtu);
}

static void send_lost(struct mesh_socket *s, const struct mesh_parcel *parcel, int error)
{
	s->plane->counters.drop_unsent++;
	tell_unreachable(s, &parcel->to, error);
}

/* The first packet of the queue was refused with ERROR. */
static void send_refused(struct mesh_socket *s, int error)
{
	struct mesh_parcel *parcel =
		mesh_queue_pop(s); /* out of the queue: what is called below may clear it */

	s->local_mtu = 0;
	mesh_socket_errors(s);
	if (error == ENOBUFS ||
		error == ENOMEM) /* the interface's own queue is full: the packet is lost there */
		s->plane->counters.drop_send_queue++;
	else if (error == EMSGSIZE && !s->closing)
		send_too_big(s, parcel);
	else
		send_lost(s, parcel, error);
	mesh_parcel_give(s->plane, parcel);
}

void mesh_socket_send(struct mesh_socket *s)
{
	while (s->head && !s->blocked && !s->closing) {
		int r = send_batch(s);

		if (r == -EAGAIN) {
			s->blocked = true;
			mesh_socket_watch(s);
		} else if (r < 0 && r != -EINTR) {
			send_refused(s, -r);
		}
	}
}

void mesh_socket_watch(struct mesh_socket *s)
{
	int readable = s->protocol == MESH_ANY_PROTOCOL ? 0 : UV_READABLE;

	loop_watch_change(&s->watch, readable | UV_PRIORITIZED | (s->blocked ? UV_WRITABLE : 0));
}
