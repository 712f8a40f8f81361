/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Batched UDP; see port.h. A generator that loses packets measures itself, so it waits for room instead. */
#include "port.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void wait_for_room(const struct port *p)
{
	struct pollfd f = {.fd = p->fd, .events = POLLOUT};

	poll(&f, 1, 100);
}

static void send_all(struct port *p)
{
	unsigned done = 0;

	while (done < p->queued) {
		int n = sendmmsg(p->fd, p->tx->headers + done, p->queued - done, 0);

		if (n > 0)
			done += (unsigned)n;
		else if (errno == EAGAIN || errno == ENOBUFS)
			wait_for_room(p);
		else if (errno != EINTR)
			done++; /* an ICMP error about an earlier packet, or this one cannot be sent: timers mend it */
	}
	p->queued = 0;
}

void port_send(struct port *p, const struct endpoint *to, const void *data, size_t len)
{
	struct port_batch *b = p->tx;
	unsigned i = p->queued;

	if (len > PORT_BYTES)
		return;
	memcpy(b->bytes[i], data, len);
	b->vectors[i] = (struct iovec){b->bytes[i], len};
	b->headers[i].msg_hdr =
		(struct msghdr){.msg_name = &b->addresses[i], .msg_iov = &b->vectors[i], .msg_iovlen = 1};
	b->headers[i].msg_hdr.msg_namelen = endpoint_to_sockaddr(to, &b->addresses[i]);
	if (++p->queued == PORT_BATCH)
		send_all(p);
}

static void port_flush(struct loop_flush *f)
{
	send_all(container_of(f, struct port, flush));
}

static void port_ready(struct loop_watch *w, int events)
{
	struct port *p = container_of(w, struct port, watch);
	struct port_batch *b = p->rx;
	struct endpoint from;
	int n;

	for (unsigned i = 0; i < PORT_BATCH; i++) {
		b->vectors[i] = (struct iovec){b->bytes[i], PORT_BYTES};
		b->headers[i].msg_hdr = (struct msghdr){.msg_name = &b->addresses[i],
			.msg_namelen = sizeof(b->addresses[i]),
			.msg_iov = &b->vectors[i],
			.msg_iovlen = 1};
	}
	n = recvmmsg(p->fd, b->headers, PORT_BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++)
		if (endpoint_from_sockaddr((struct sockaddr *)&b->addresses[i], &from) == 0)
			p->input(p, &from, b->bytes[i], b->headers[i].msg_len);
}

static bool failed(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	return false;
}

bool port_open(struct port *p, struct loop *l, const struct endpoint *local)
{
	const int size = 16 << 20;
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(local, &ss);

	p->rx = calloc(1, sizeof(*p->rx));
	p->tx = calloc(1, sizeof(*p->tx));
	if (!p->rx || !p->tx)
		return failed("memory");
	p->fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (p->fd < 0)
		return failed("socket");
	if (setsockopt(p->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
		setsockopt(p->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		return failed("socket buffers (root is needed)");
	if (bind(p->fd, (struct sockaddr *)&ss, len))
		return failed("bind");
	p->watch.ready = port_ready;
	p->flush.run = port_flush;
	if (loop_watch_start(l, &p->watch, p->fd, UV_READABLE))
		return failed("watch");
	loop_flush_add(l, &p->flush);
	return true;
}
