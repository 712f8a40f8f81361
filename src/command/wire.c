/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connected UDP socket whose error queue tells who says what (ip(7), IP_RECVERR). */
#include "command/wire.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static void set(const struct wire *w, int option4, int option6, int value)
{
	if (w->family == AF_INET6)
		(void)setsockopt(w->fd, IPPROTO_IPV6, option6, &value, sizeof(value));
	else
		(void)setsockopt(w->fd, IPPROTO_IP, option4, &value, sizeof(value));
}

int wire_open(struct wire *w, const struct endpoint *server)
{
	struct sockaddr_storage sa;
	socklen_t len = endpoint_to_sockaddr(server, &sa);

	*w = (struct wire){.family = server->addr.family};
	w->fd = socket(w->family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (w->fd < 0)
		return -errno;
	set(w, IP_RECVERR, IPV6_RECVERR, 1);
	if (connect(w->fd, (struct sockaddr *)&sa, len) == 0)
		return 0;
	len = (socklen_t)errno;
	wire_close(w);
	return -(int)len;
}

void wire_close(struct wire *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

/* ---- complaints ---- */

static const char *words4(uint8_t code)
{
	switch (code) {
	case ICMP_NET_UNREACH:
		return "network unreachable";
	case ICMP_HOST_UNREACH:
		return "host unreachable";
	case ICMP_PORT_UNREACH:
		return "port unreachable";
	case ICMP_NET_ANO:
	case ICMP_HOST_ANO:
	case ICMP_PKT_FILTERED:
		return "administratively prohibited";
	default:
		return "unreachable";
	}
}

static const char *words6(uint8_t code)
{
	switch (code) {
	case ICMP6_DST_UNREACH_NOROUTE:
		return "no route";
	case ICMP6_DST_UNREACH_ADMIN:
		return "administratively prohibited";
	case ICMP6_DST_UNREACH_ADDR:
		return "address unreachable";
	case ICMP6_DST_UNREACH_NOPORT:
		return "port unreachable";
	default:
		return "unreachable";
	}
}

static void complain(struct wire *w, const struct sock_extended_err *e)
{
	struct endpoint who = {0};
	char buf[ADDR_TEXT];
	const char *words;

	if (e->ee_errno == EMSGSIZE) {
		w->narrow = e->ee_info;
		return;
	}
	w->error = (int)e->ee_errno;
	w->here = e->ee_origin == SO_EE_ORIGIN_LOCAL;
	if (w->here || endpoint_from_sockaddr(SO_EE_OFFENDER(e), &who)) {
		snprintf(w->complaint, sizeof(w->complaint), "%s", strerror((int)e->ee_errno));
		return;
	}
	if (e->ee_origin == SO_EE_ORIGIN_ICMP6)
		words = e->ee_type == ICMP6_DST_UNREACH ? words6(e->ee_code) : "discarded";
	else
		words = e->ee_type == ICMP_DEST_UNREACH ? words4(e->ee_code) : "discarded";
	snprintf(w->complaint, sizeof(w->complaint), "%s, says %s", words, addr_print(&who.addr, buf));
}

static void take_complaints(struct wire *w)
{
	_Alignas(struct cmsghdr) uint8_t control[512];
	uint8_t data[64];

	for (;;) {
		struct iovec vector = {data, sizeof(data)};
		struct msghdr m = {.msg_iov = &vector,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control)};

		if (recvmsg(w->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			return;
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
			if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
				(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
				complain(w, (const struct sock_extended_err *)(const void *)CMSG_DATA(c));
	}
}

/* ---- packets ---- */

void wire_send(struct wire *w, const void *data, size_t len, bool fragments)
{
	set(w, IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, fragments ? IP_PMTUDISC_WANT : IP_PMTUDISC_DO);
	if (send(w->fd, data, len, MSG_NOSIGNAL) >= 0)
		return;
	if (errno == ECONNREFUSED || errno == EHOSTUNREACH || errno == ENETUNREACH) /* of an earlier one */
		(void)send(w->fd, data, len, MSG_NOSIGNAL);
	take_complaints(w);
}

size_t wire_receive(struct wire *w, uint8_t *buf, size_t size)
{
	ssize_t n;

	take_complaints(w);
	do
		n = recv(w->fd, buf, size, MSG_DONTWAIT);
	while (n < 0 &&
		(errno == ECONNREFUSED || errno == EHOSTUNREACH || errno == ENETUNREACH || errno == EINTR));
	return n > 0 ? (size_t)n : 0;
}

uint32_t wire_mtu(const struct wire *w)
{
	int mtu = 0;
	socklen_t len = sizeof(mtu);
	int result = w->family == AF_INET6 ? getsockopt(w->fd, IPPROTO_IPV6, IPV6_MTU, &mtu, &len)
					   : getsockopt(w->fd, IPPROTO_IP, IP_MTU, &mtu, &len);

	return result || mtu < 0 ? 0 : (uint32_t)mtu;
}
