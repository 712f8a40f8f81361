/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See datagram.h. */
#include "lib/datagram.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <string.h>

enum { BUFFER = 4 << 20 };

int datagram_set(int fd, const struct datagram_option *options, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(int)))
			return -errno;
	return 0;
}

static void enlarge(int fd, int force, int option)
{
	const int size = BUFFER;
	socklen_t len = sizeof(int);
	int now = 0;

	if (getsockopt(fd, SOL_SOCKET, option, &now, &len) == 0 && now >= size)
		return;
	if (setsockopt(fd, SOL_SOCKET, force, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, option, &size, sizeof(size));
}

void datagram_enlarge_receive(int fd)
{
	enlarge(fd, SO_RCVBUFFORCE, SO_RCVBUF);
}

void datagram_enlarge_send(int fd)
{
	enlarge(fd, SO_SNDBUFFORCE, SO_SNDBUF);
}

/* TOS comes as a byte, Traffic Class as an int. */
static uint8_t tclass_of(const struct cmsghdr *c)
{
	int tclass;

	memcpy(&tclass, CMSG_DATA(c), sizeof(tclass));
	return (uint8_t)tclass;
}

void datagram_arrival_read(struct msghdr *m, struct datagram_arrival *ret)
{
	struct in6_pktinfo info6;
	struct in_pktinfo info4;

	*ret = (struct datagram_arrival){0};
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
			ret->tos = *CMSG_DATA(c);
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS) {
			ret->tos = tclass_of(c);
		} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&info4, CMSG_DATA(c), sizeof(info4));
			ret->local = addr4_of((const uint8_t *)&info4.ipi_spec_dst);
			ret->ifindex = (unsigned)info4.ipi_ifindex;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&info6, CMSG_DATA(c), sizeof(info6));
			ret->local = addr6_of(info6.ipi6_addr.s6_addr);
			ret->ifindex = info6.ipi6_ifindex;
		}
	}
}

static void error_read(struct msghdr *m, struct datagram_error *ret)
{
	struct sock_extended_err ee;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (!(c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) &&
			!(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
			continue;
		memcpy(&ee, CMSG_DATA(c), sizeof(ee));
		ret->error = (int)ee.ee_errno;
		ret->mtu = ee.ee_errno == EMSGSIZE ? ee.ee_info : 0;
		ret->local = ee.ee_origin == SO_EE_ORIGIN_LOCAL;
	}
}

bool datagram_error_next(int fd, struct datagram_error *ret)
{
	_Alignas(struct cmsghdr) uint8_t control[512];
	struct sockaddr_storage to = {0};
	uint8_t quoted[64];
	struct iovec v = {.iov_base = quoted, .iov_len = sizeof(quoted)};
	struct msghdr m = {.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};

	if (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	*ret = (struct datagram_error){0};
	error_read(&m, ret);
	(void)endpoint_from_sockaddr(
		(struct sockaddr *)&to, &ret->to); /* none, where the kernel has not said */
	return true;
}
