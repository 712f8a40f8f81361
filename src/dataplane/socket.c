/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UDP sockets: batches in both directions, and what the network says about packets that we sent.
 *
 * Errors (lib/datagram.h). A call that fails is repeated once the error queue has been read: only what fails again
 * is the packet's own fault. EMSGSIZE means that the packet is larger than the path (DF is set): the queue
 * then has the MTU for the role, and the packet itself goes out once more with fragmentation allowed.
 */
#include "dataplane/plane.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int socket_check(int fd, struct endpoint *ret_bound)
{
	struct sockaddr_storage ss = {0};
	socklen_t len = sizeof(ss), value_len = sizeof(int);
	int value = 0;

	if (getsockname(fd, (struct sockaddr *)&ss, &len) ||
		getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &value_len))
		return -errno;
	if (value != SOCK_DGRAM || (ss.ss_family != AF_INET && ss.ss_family != AF_INET6))
		return -EINVAL;
	if (ss.ss_family == AF_INET6 &&
		(getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, &value_len) || !value))
		return -EINVAL;
	return endpoint_from_sockaddr((struct sockaddr *)&ss, ret_bound);
}

int dp_socket_open(struct dp_socket *s, int fd)
{
	/* Packet information last: only where all addresses are listened to. */
	static const struct datagram_option options4[] = {{SOL_SOCKET, SO_SELECT_ERR_QUEUE, 1},
		{IPPROTO_IP, IP_RECVERR, 1}, {IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO},
		{IPPROTO_IP, IP_RECVTOS, 1}, {IPPROTO_IP, IP_PKTINFO, 1}};
	static const struct datagram_option options6[] = {{SOL_SOCKET, SO_SELECT_ERR_QUEUE, 1},
		{IPPROTO_IPV6, IPV6_RECVERR, 1}, {IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO},
		{IPPROTO_IPV6, IPV6_RECVTCLASS, 1}, {IPPROTO_IPV6, IPV6_RECVPKTINFO, 1}};
	struct endpoint bound = {0};
	int r = socket_check(fd, &bound);

	if (r < 0)
		return r;
	s->fd = fd;
	s->family = bound.addr.family;
	s->wildcard = addr_is_unspecified(&bound.addr);
	s->tail = &s->head;
	datagram_enlarge_receive(fd);
	datagram_enlarge_send(fd);
	return datagram_set(fd, s->family == AF_INET6 ? options6 : options4, s->wildcard ? 5 : 4);
}

/* --- receiving --- */

static void batch_prepare(struct dp_rx_batch *b)
{
	for (unsigned i = 0; i < DP_BATCH; i++) {
		b->vectors[i] = (struct iovec){.iov_base = b->bytes[i], .iov_len = DP_RX_BYTES};
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

static void received(struct dp_socket *s, struct dp_rx_batch *b, unsigned i)
{
	struct msghdr *m = &b->headers[i].msg_hdr;
	struct dp_arrival arrival = {0};
	struct datagram_arrival said;

	s->plane->counters.rx_packets++;
	if (m->msg_flags & MSG_TRUNC) {
		s->plane->counters.drop_short++;
		return;
	}
	if (endpoint_from_sockaddr((struct sockaddr *)&b->from[i], &arrival.from) < 0)
		return;
	datagram_arrival_read(m, &said);
	arrival.local = said.local;
	arrival.ecn = said.tos & TOS_ECN;
	dp_up_packet(s, &arrival, b->bytes[i], b->headers[i].msg_len);
}

unsigned dp_socket_receive(struct dp_socket *s)
{
	struct dp_rx_batch *b = s->plane->rx;
	int n;

	batch_prepare(b);
	n = recvmmsg(s->fd, b->headers, DP_BATCH, MSG_DONTWAIT, NULL);
	if (n < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return 0;
		dp_socket_errors(s); /* the failure was that of an earlier packet of ours */
		return 1;
	}
	for (int i = 0; i < n && !s->closing; i++)
		received(s, b, (unsigned)i);
	return (unsigned)n;
}

/* --- errors --- */

static void report_to(struct dp_socket *s, const struct endpoint *peer, int error, uint32_t mtu)
{
	s->plane->counters.socket_errors++;
	if (!s->closing && s->plane->ops->outer_error && !addr_is_none(&peer->addr))
		s->plane->ops->outer_error(s->plane, s->listener, peer, error, mtu);
}

static void report(struct dp_socket *s, const struct sockaddr_storage *to, int error, uint32_t mtu)
{
	struct endpoint peer = {0};

	(void)endpoint_from_sockaddr((const struct sockaddr *)to, &peer);
	report_to(s, &peer, error, mtu);
}

unsigned dp_socket_errors(struct dp_socket *s)
{
	struct datagram_error e;
	unsigned count = 0;

	for (; count < DP_BATCH && !s->closing && datagram_error_next(s->fd, &e); count++) {
		if (e.local) /* about the call that just failed; without the port */
			s->local_mtu = e.mtu;
		else if (e.error)
			report_to(s, &e.to, e.error, e.mtu);
	}
	return count;
}

/* --- sending --- */

static void control_add(struct msghdr *m, int level, int type, const void *data, size_t len)
{
	struct cmsghdr *c = (struct cmsghdr *)((uint8_t *)m->msg_control + m->msg_controllen);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	m->msg_controllen += CMSG_SPACE(len);
}

static void control_add_local(struct msghdr *m, const struct addr *local)
{
	struct in_pktinfo info4 = {0};
	struct in6_pktinfo info6 = {0};

	memcpy(&info4.ipi_spec_dst, local->bytes, 4);
	memcpy(&info6.ipi6_addr, local->bytes, 16);
	if (local->family == AF_INET6)
		control_add(m, IPPROTO_IPV6, IPV6_PKTINFO, &info6, sizeof(info6));
	else
		control_add(m, IPPROTO_IP, IP_PKTINFO, &info4, sizeof(info4));
}

static void control_add_tos(struct msghdr *m, int tos, uint8_t family)
{
	if (family == AF_INET6)
		control_add(m, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
	else
		control_add(m, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
}

struct tx_message {
	struct iovec vector;
	_Alignas(struct cmsghdr) uint8_t control[DATAGRAM_CONTROL];
};

static void message_prepare(struct msghdr *m, struct tx_message *t, struct dp_slot *slot, uint8_t family)
{
	t->vector = (struct iovec){.iov_base = slot->bytes + slot->at, .iov_len = slot->len};
	*m = (struct msghdr){
		.msg_name = &slot->to, .msg_namelen = slot->to_len, .msg_iov = &t->vector, .msg_iovlen = 1};
	if (slot->local.family != family && !slot->tos) /* the socket's own, 0, needs no word */
		return;
	memset(t->control, 0, sizeof(t->control));
	m->msg_control = t->control;
	if (slot->local.family == family)
		control_add_local(m, &slot->local);
	if (slot->tos)
		control_add_tos(m, slot->tos, family);
}

/* Sends one batch from the head of the queue; how many went, or -errno about the first. */
static int send_batch(struct dp_socket *s)
{
	struct mmsghdr headers[DP_BATCH];
	struct tx_message messages[DP_BATCH];
	unsigned n = 0;
	int sent;

	for (struct dp_slot *slot = s->head; slot && n < DP_BATCH; slot = slot->next, n++)
		message_prepare(&headers[n].msg_hdr, &messages[n], slot, s->family);
	sent = sendmmsg(s->fd, headers, n, MSG_DONTWAIT);
	if (sent < 0)
		return -errno;
	s->plane->counters.tx_packets += (unsigned)sent;
	for (int i = 0; i < sent; i++)
		dp_slot_give(s->plane, dp_queue_pop(s));
	return sent;
}

static void allow_fragments(const struct dp_socket *s, bool allow)
{
	bool six = s->family == AF_INET6;
	int value = six ? (allow ? IPV6_PMTUDISC_WANT : IPV6_PMTUDISC_DO)
			: (allow ? IP_PMTUDISC_WANT : IP_PMTUDISC_DO);

	setsockopt(s->fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, &value,
		sizeof(value));
}

/* One packet that the path does not take whole. */
static void send_in_fragments(struct dp_socket *s, struct dp_slot *slot)
{
	struct tx_message t;
	struct msghdr m;

	message_prepare(&m, &t, slot, s->family);
	allow_fragments(s, true);
	if (sendmsg(s->fd, &m, MSG_DONTWAIT) < 0) {
		s->plane->counters.socket_errors++;
	} else {
		s->plane->counters.tx_packets++;
		s->plane->counters.outer_fragmented++;
	}
	allow_fragments(s, false);
}

/* The first packet of the queue was refused with ERROR. */
static void send_refused(struct dp_socket *s, int error)
{
	struct tun_plane *p = s->plane;
	struct dp_slot *slot = dp_queue_pop(s); /* out of the queue: what is called below may clear it */
	unsigned errors;

	if (error == ENOBUFS) { /* the interface's own queue is full: the packet is lost there */
		p->counters.drop_send_queue++;
		dp_slot_give(p, slot);
		return;
	}
	s->local_mtu = 0;
	errors = dp_socket_errors(s);
	if (error == EMSGSIZE && !s->closing) {
		send_in_fragments(s, slot);
		if (s->local_mtu)
			report(s, &slot->to, EMSGSIZE, s->local_mtu);
	} else if (errors && !slot->tried && !s->closing) {
		slot->tried = true;
		dp_queue_unpop(s, slot);
		return;
	} else {
		report(s, &slot->to, error, 0);
	}
	dp_slot_give(p, slot);
}

void dp_socket_send(struct dp_socket *s)
{
	while (s->head && !s->blocked && !s->closing) {
		int r = send_batch(s);

		if (r == -EAGAIN) {
			s->blocked = true;
			dp_socket_watch(s);
		} else if (r < 0 && r != -EINTR) {
			send_refused(s, -r);
		}
	}
}

void dp_socket_push(struct dp_socket *s)
{
	if (s->head && !s->blocked)
		send_batch(s);
}

void dp_socket_watch(struct dp_socket *s)
{
	/* UV_PRIORITIZED: the error queue, by SO_SELECT_ERR_QUEUE. Without it libuv takes POLLERR for a
	 * broken descriptor. */
	loop_watch_change(&s->watch, UV_READABLE | UV_PRIORITIZED | (s->blocked ? UV_WRITABLE : 0));
}
