/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a TCP socket of ours is like: how far its packets go, what they are marked with, whom it takes packets from. */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "afbr/parts.h"
#include "lib/reader.h"

#ifndef TCP_SAVED_SYN
#define TCP_SAVED_SYN 28
#endif

/* What waits in a socket tells old news: NOT_SENT is enough to keep the line busy while more is made. */
enum {
	CLASS = 0xc0,      /* CS6, network control: RFC 4271 appendix E, RFC 4594 section 3.1 */
	TTL_MAX = 255,     /* RFC 5082 */
	TTL_INTERNAL = 64, /* RFC 1700's default, for those who are somewhere in our own network */
	NOT_SENT = 256 * 1024,
};

unsigned socket_interface(const struct bgp_neighbor_config *n)
{
	return *n->interface ? if_nametoindex(n->interface) : 0;
}

static int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) ? -errno : 0;
}

struct socket_plan socket_plan_of(const struct bgp_neighbor_config *n, uint32_t as)
{
	bool external = n->as != (n->local_as ? n->local_as : as);

	if (n->ttl_security)
		return (struct socket_plan){
			.ttl = TTL_MAX, .min_ttl = (uint8_t)(TTL_MAX + 1 - n->ttl_security)};
	if (external && !n->multihop)
		return (struct socket_plan){.ttl = 1};
	return (struct socket_plan){.ttl = external && n->ttl ? n->ttl : TTL_INTERNAL};
}

static int set_hops(int fd, uint8_t family, struct socket_plan plan)
{
	bool v6 = family == AF_INET6;
	int r = v6 ? set_int(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, plan.ttl)
		   : set_int(fd, IPPROTO_IP, IP_TTL, plan.ttl);

	if (!r && plan.min_ttl)
		r = v6 ? set_int(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, plan.min_ttl)
		       : set_int(fd, IPPROTO_IP, IP_MINTTL, plan.min_ttl);
	return r;
}

static int set_class(int fd, uint8_t family)
{
	return family == AF_INET6 ? set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, CLASS)
				  : set_int(fd, IPPROTO_IP, IP_TOS, CLASS);
}

/* Buffers are the kernel's to size (net.ipv4.tcp_rmem, tcp_wmem): whoever sets them keeps it from doing so. */
int socket_tune(int fd, uint8_t family, struct socket_plan plan)
{
	int r = set_hops(fd, family, plan);

	(void)set_class(fd, family);
	(void)set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	(void)set_int(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, NOT_SENT);
	return r;
}

/* The answer to a first packet goes out before anybody knows from whom that is: it has to reach those with GTSM, too. */
int socket_tune_listener(int fd, uint8_t family)
{
	int r = set_hops(fd, family, (struct socket_plan){.ttl = TTL_MAX});

	(void)set_class(fd, family);
	(void)set_int(fd, IPPROTO_TCP, TCP_SAVE_SYN, 1);
	return r;
}

uint8_t socket_first_ttl(int fd)
{
	uint8_t bytes[128], version, ttl;
	socklen_t len = sizeof(bytes);
	struct reader r;

	if (getsockopt(fd, IPPROTO_TCP, TCP_SAVED_SYN, bytes, &len))
		return 0;
	r = reader_of(bytes, len);
	version = (uint8_t)(reader_u8(&r) >> 4);
	(void)reader_bytes(&r, version == 4 ? 7 : 6); /* RFC 791 section 3.1, RFC 8200 section 3 */
	ttl = reader_u8(&r);
	return reader_ok(&r) && (version == 4 || version == 6) ? ttl : 0;
}

/* INTERFACE counts for link-local addresses. */
static socklen_t to_sockaddr(const struct endpoint *e, unsigned interface, struct sockaddr_storage *ret)
{
	socklen_t len = endpoint_to_sockaddr(e, ret);

	if (e->addr.family == AF_INET6 && addr_is_link_local(&e->addr))
		((struct sockaddr_in6 *)ret)->sin6_scope_id = interface;
	return len;
}

int socket_ends(int fd, struct endpoint *ret_local, struct endpoint *ret_remote, unsigned *ret_interface)
{
	struct sockaddr_storage local = {0}, remote = {0};
	socklen_t local_len = sizeof(local), remote_len = sizeof(remote);

	if (getsockname(fd, (struct sockaddr *)&local, &local_len) ||
		getpeername(fd, (struct sockaddr *)&remote, &remote_len))
		return -errno;
	if (endpoint_from_sockaddr((struct sockaddr *)&local, ret_local) ||
		endpoint_from_sockaddr((struct sockaddr *)&remote, ret_remote))
		return -EAFNOSUPPORT;
	*ret_interface = remote.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&remote)->sin6_scope_id : 0;
	return 0;
}

static int set_local(int fd, const struct bgp_neighbor_config *n, unsigned interface, char why[128])
{
	const struct endpoint e = {.addr = n->local_address};
	struct sockaddr_storage sa;
	char text[ADDR_TEXT];
	socklen_t len;
	int r;

	if (addr_is_none(&n->local_address))
		return 0;
	len = to_sockaddr(&e, interface, &sa);
	r = bind(fd, (struct sockaddr *)&sa, len) ? -errno : 0;
	if (r == -EADDRNOTAVAIL)
		snprintf(why, 128, "no interface has the local address %s", addr_print(&e.addr, text));
	else if (r)
		snprintf(why, 128, "local address %s: %s", addr_print(&e.addr, text), strerror(-r));
	return r;
}

static int prepare(int fd, const struct bgp_neighbor_config *n, unsigned interface, struct socket_plan plan,
	const struct afbr_key *key, char why[128])
{
	int r = socket_tune(fd, n->address.family, plan);

	if (r) {
		snprintf(why, 128, "hop limit: %s", strerror(-r));
		return r;
	}
	r = set_local(fd, n, interface, why);
	if (!r && key->len)
		r = key_set(fd, &n->address, key, why);
	return r;
}

int socket_connect(const struct bgp_neighbor_config *n, struct socket_plan plan, const struct afbr_key *key,
	int *ret_fd, char why[128])
{
	const struct endpoint peer = {.addr = n->address, .port = n->port};
	unsigned interface = socket_interface(n);
	struct sockaddr_storage sa;
	socklen_t len = to_sockaddr(&peer, interface, &sa);
	int fd, r;

	if (*n->interface && !interface) {
		snprintf(why, 128, "there is no interface %s", n->interface);
		return -ENODEV;
	}
	fd = socket(n->address.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		r = -errno;
		snprintf(why, 128, "no socket: %s", strerror(-r));
		return r;
	}
	r = prepare(fd, n, interface, plan, key, why);
	if (!r && connect(fd, (struct sockaddr *)&sa, len) && errno != EINPROGRESS) {
		r = -errno;
		snprintf(why, 128, "%s", strerror(-r));
	}
	if (r)
		close(fd);
	else
		*ret_fd = fd;
	return r;
}
