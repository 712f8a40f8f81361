/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading whole routing tables without holding up the loop, and hearing of what changes.
 *
 * One socket for both, so that news and what is read stay in order. A reading is a row of lists, one for each family, table and protocol: the kernel picks,
 * and a list of static routes stays short beside a million others. It is read a few buffers per loop iteration; the kernel makes the rest of a list only
 * when there is room for it.
 *
 * Readings are paced: a moment after what made them necessary, and never more than a fifth of the time, however much changes.
 */
#include <errno.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hash.h"
#include "netlink/fib.h"
#include "netlink/request.h"

enum { READER_ROUNDS = 4, READER_BUFFER = 32768, READER_TABLES = 16, READER_PROTOCOLS = 16 };
enum { AGAIN_SOON = 50, AGAIN_SHARE = 4, RECEIVE_BUFFER = 4 << 20 };
enum { GROUP = 1 }; /* the identity of an IPv6 route of several gateways */

struct netlink_reader {
	struct loop *loop;
	struct mnl_socket *socket;
	struct loop_watch watch;
	struct wheel_timer timer;
	unsigned table_count, protocol_count;
	uint32_t tables[READER_TABLES];
	uint8_t protocols[READER_PROTOCOLS];
	bool watching, paused, again, reading, told_begin;
	unsigned list; /* of the reading */
	uint32_t sequence;
	msec began, next; /* the reading; the earliest time for another one */
	bool *freed;      /* of whoever calls ops */
	const struct netlink_reader_ops *ops;
	void *owner;
	char buffer[READER_BUFFER] __attribute__((aligned(8)));
};

/* ---- one route ---- */

struct reading {
	struct netlink_fib_route *route;
	uint8_t family;
	bool gateway;
	uint32_t digest; /* of what makes it another one than its neighbour */
};

static void digest(struct reading *r, uint32_t what, const void *data, size_t len)
{
	r->digest = hash_bytes(data, len, (uint64_t)r->digest << 32 | what);
}

static int take_hop_attribute(const struct nlattr *a, void *arg)
{
	struct reading *r = arg;
	uint16_t type = mnl_attr_get_type(a);

	r->gateway = r->gateway || type == RTA_GATEWAY || type == RTA_VIA;
	if (type == RTA_GATEWAY || type == RTA_VIA)
		digest(r, type, mnl_attr_get_payload(a), mnl_attr_get_payload_len(a));
	return MNL_CB_OK;
}

static void take_hops(struct reading *r, const struct nlattr *a)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(a);
	int left = mnl_attr_get_payload_len(a);

	r->route->hops = 0;
	for (; RTNH_OK(hop, left); left -= (int)RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop)) {
		r->route->hops++;
		digest(r, hop->rtnh_hops, &hop->rtnh_ifindex, sizeof(hop->rtnh_ifindex));
		(void)mnl_attr_parse_payload(
			RTNH_DATA(hop), hop->rtnh_len - sizeof(*hop), take_hop_attribute, r);
	}
}

static int take_attribute(const struct nlattr *a, void *arg)
{
	struct reading *r = arg;
	uint16_t type = mnl_attr_get_type(a);
	bool number = mnl_attr_validate(a, MNL_TYPE_U32) >= 0;

	if (type == RTA_DST && mnl_attr_get_payload_len(a) == addr_size(r->family))
		memcpy(r->route->dst.addr.bytes, mnl_attr_get_payload(a), addr_size(r->family));
	else if (type == RTA_TABLE && number)
		r->route->table = mnl_attr_get_u32(a);
	else if (type == RTA_PRIORITY && number)
		r->route->metric = mnl_attr_get_u32(a);
	else if (type == RTA_MULTIPATH)
		take_hops(r, a);
	else if (type == RTA_OIF || type == RTA_PREFSRC || type == RTA_NH_ID)
		digest(r, type, mnl_attr_get_payload(a), mnl_attr_get_payload_len(a));
	else
		return take_hop_attribute(a, arg);
	return MNL_CB_OK;
}

/*
 * IPv4 routes of one destination and metric differ by anything about them. IPv6 routes with gateways are one route of several hops; those without
 * stand by themselves, one a device.
 */
static uint32_t identity_of(const struct reading *r, const struct rtmsg *m)
{
	struct reading all = *r;
	uint8_t kind[] = {m->rtm_protocol, m->rtm_type, m->rtm_scope, m->rtm_tos};

	if (r->family == AF_INET6 && r->gateway)
		return GROUP;
	if (r->family == AF_INET)
		digest(&all, 0, kind, sizeof(kind));
	return all.digest == GROUP ? GROUP + 1 : all.digest;
}

static bool read_route(const struct nlmsghdr *h, struct netlink_fib_route *ret)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	struct reading r = {.route = ret, .digest = GROUP + 1};

	/* Those for some packets only (TOS, source) say nothing about the destination as such. */
	if (mnl_nlmsg_get_payload_len(h) < sizeof(*m) || m->rtm_flags & RTM_F_CLONED || m->rtm_tos ||
		m->rtm_src_len || !addr_size(m->rtm_family) || m->rtm_dst_len > addr_bits(m->rtm_family))
		return false;
	r.family = m->rtm_family;
	*ret = (struct netlink_fib_route){.dst = {.addr = {.family = m->rtm_family}, .len = m->rtm_dst_len},
		.table = m->rtm_table,
		.hops = 1,
		.protocol = m->rtm_protocol,
		.type = m->rtm_type};
	if (mnl_attr_parse(h, sizeof(*m), take_attribute, &r) < 0)
		return false;
	ret->identity = identity_of(&r, m);
	if (m->rtm_family == AF_INET)
		ret->hops = 1;
	return true;
}

/* ---- is it one of ours? ---- */

static bool has_table(const struct netlink_reader *r, uint32_t table)
{
	for (unsigned i = 0; i < r->table_count; i++)
		if (r->tables[i] == table)
			return true;
	return false;
}

static bool has_protocol(const struct netlink_reader *r, uint8_t protocol)
{
	for (unsigned i = 0; i < r->protocol_count; i++)
		if (r->protocols[i] == protocol)
			return true;
	return false;
}

static bool has_type(uint8_t type)
{
	return type == RTN_UNICAST || type == RTN_BLACKHOLE || type == RTN_UNREACHABLE ||
	       type == RTN_PROHIBIT;
}

static enum netlink_news news_of(const struct netlink_reader *r, const struct nlmsghdr *h)
{
	if (h->nlmsg_seq == r->sequence && h->nlmsg_flags & NLM_F_MULTI)
		return NETLINK_READ;
	if (h->nlmsg_type == RTM_DELROUTE)
		return NETLINK_WENT;
	return h->nlmsg_flags & NLM_F_REPLACE ? NETLINK_REPLACED : NETLINK_CAME;
}

static void take_route(struct netlink_reader *r, const struct nlmsghdr *h)
{
	enum netlink_news news = news_of(r, h);
	struct netlink_fib_route route;

	if (!read_route(h, &route) || !has_table(r, route.table) ||
		(news != NETLINK_READ && route.protocol == NETLINK_BGP))
		return;
	if (news == NETLINK_REPLACED || (has_protocol(r, route.protocol) && has_type(route.type)))
		r->ops->route(r->owner, news, &route);
}

/* ---- a reading ---- */

static unsigned lists_of(const struct netlink_reader *r)
{
	return 2 * r->table_count * r->protocol_count;
}

/* Asks for the next list. 0 or -errno. */
static int ask(struct netlink_reader *r)
{
	char buffer[128] __attribute__((aligned(8)));
	struct nlmsghdr *h = mnl_nlmsg_put_header(buffer);
	struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	unsigned n = r->list;

	h->nlmsg_type = RTM_GETROUTE;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = ++r->sequence;
	m->rtm_family = n % 2 ? AF_INET6 : AF_INET;
	n /= 2;
	m->rtm_protocol = r->protocols[n % r->protocol_count];
	mnl_attr_put_u32(h, RTA_TABLE, r->tables[n / r->protocol_count]);
	return mnl_socket_sendto(r->socket, h, h->nlmsg_len) < 0 ? -errno : 0;
}

static void schedule(struct netlink_reader *r)
{
	msec soon = loop_now(r->loop) + AGAIN_SOON;

	r->again = true;
	if (!r->reading && !wheel_armed(&r->timer))
		wheel_arm(&r->loop->wheel, &r->timer, r->next > soon ? r->next : soon);
}

static void end_reading(struct netlink_reader *r)
{
	msec now = loop_clock();

	r->reading = false;
	r->next = now + (now - r->began) * AGAIN_SHARE;
	if (r->again)
		schedule(r);
	r->ops->end(r->owner);
}

/* What could not be read once may be the next time; what was told so far is not all, so its end is not told. */
static void give_up(struct netlink_reader *r)
{
	r->reading = false;
	r->next = loop_clock() + 1000;
	schedule(r);
}

static void begin_reading(struct netlink_reader *r)
{
	r->again = false;
	r->reading = true;
	r->list = 0;
	r->began = loop_clock();
	r->told_begin = false;
	if (ask(r))
		give_up(r);
}

/*
 * With its first message, and not when it is asked for: what stands before that in the socket is older, and of it may be lost what came behind it. So a route that
 * came and went in an overrun is not taken for one that this reading has found.
 */
static void tell_begin(struct netlink_reader *r)
{
	if (r->told_begin)
		return;
	r->told_begin = true;
	r->ops->begin(r->owner);
}

static void due(struct wheel_timer *t, msec now)
{
	begin_reading(container_of(t, struct netlink_reader, timer));
}

/* A table that has never been used is not there (-ENOENT). */
static void list_ended(struct netlink_reader *r, int error, bool interrupted)
{
	if (error && error != -ENOENT) {
		give_up(r);
		return;
	}
	r->again = r->again || interrupted;
	if (++r->list == lists_of(r))
		end_reading(r);
	else if (ask(r))
		give_up(r);
}

/* ---- messages ---- */

static int error_of(const struct nlmsghdr *h)
{
	int error = 0;

	if (mnl_nlmsg_get_payload_len(h) >= sizeof(error))
		memcpy(&error, mnl_nlmsg_get_payload(h), sizeof(error));
	return error > 0 ? -error : error;
}

/* The kernel takes IPv4 routes away without a word when their device goes down, and when the address that they name goes. */
static bool takes_routes(const struct nlmsghdr *h)
{
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(h);

	if (h->nlmsg_type == RTM_DELLINK || h->nlmsg_type == RTM_DELADDR)
		return true;
	return h->nlmsg_type == RTM_NEWLINK && mnl_nlmsg_get_payload_len(h) >= sizeof(*link) &&
	       !(link->ifi_flags & IFF_UP);
}

static void take(struct netlink_reader *r, const struct nlmsghdr *h)
{
	bool ours =
		r->reading && h->nlmsg_seq == r->sequence && h->nlmsg_pid == mnl_socket_get_portid(r->socket);

	if (ours)
		tell_begin(r);
	switch (h->nlmsg_type) {
	case NLMSG_ERROR:
	case NLMSG_DONE:
		if (ours)
			list_ended(r, error_of(h), h->nlmsg_flags & NLM_F_DUMP_INTR);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		/* What is left of a list that was given up is not looked at. */
		if (ours || !(h->nlmsg_flags & NLM_F_MULTI))
			take_route(r, h);
		break;
	default:
		if (takes_routes(h))
			schedule(r);
		break;
	}
}

/* False: nothing more is there, or the reader is gone. */
static bool read_buffer(struct netlink_reader *r, const bool *freed)
{
	ssize_t len = mnl_socket_recvfrom(r->socket, r->buffer, sizeof(r->buffer));
	int left = (int)len;

	if (len < 0 && errno == EINTR)
		return true;
	if (len < 0 && errno == ENOBUFS) {
		schedule(r);
		return true;
	}
	if (len <= 0)
		return false;
	for (const struct nlmsghdr *h = (const struct nlmsghdr *)r->buffer; mnl_nlmsg_ok(h, left);
		h = mnl_nlmsg_next(h, &left)) {
		take(r, h);
		if (*freed)
			return false;
	}
	return true;
}

static void ready(struct loop_watch *w, int events)
{
	struct netlink_reader *r = container_of(w, struct netlink_reader, watch);
	bool freed = false;

	r->freed = &freed;
	for (int round = 0; round < READER_ROUNDS && !r->paused && read_buffer(r, &freed); round++)
		if (freed)
			return;
	if (freed)
		return;
	r->freed = NULL;
	/* An overrun raises POLLERR, on which libuv stops watching; reading has cleared it. */
	if (events < 0 && !r->paused)
		(void)loop_watch_change(&r->watch, UV_READABLE);
}

/* ---- life ---- */

static int open_socket(struct netlink_reader *r)
{
	unsigned groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
	int on = 1, size = RECEIVE_BUFFER, fd;

	r->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!r->socket)
		return -errno;
	fd = mnl_socket_get_fd(r->socket);
	/* Or the kernel tells of more than we want to know, and take_route() picks. */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	(void)request_mute_bgp(r->socket);
	if (mnl_socket_bind(r->socket, r->watching ? groups : 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	return loop_watch_start(r->loop, &r->watch, fd, UV_READABLE);
}

struct netlink_reader *netlink_reader_new(struct loop *loop, const uint32_t *tables, unsigned table_count,
	const uint8_t *protocols, unsigned protocol_count, bool watch, const struct netlink_reader_ops *ops,
	void *owner)
{
	struct netlink_reader *r = NULL;
	int error = -EINVAL;

	if (table_count && table_count <= READER_TABLES && protocol_count &&
		protocol_count <= READER_PROTOCOLS) {
		r = calloc(1, sizeof(*r));
		error = -ENOMEM;
	}
	if (r) {
		r->loop = loop;
		r->table_count = table_count;
		memcpy(r->tables, tables, table_count * sizeof(*tables));
		r->protocol_count = protocol_count;
		memcpy(r->protocols, protocols, protocol_count);
		r->watching = watch;
		r->ops = ops;
		r->owner = owner;
		r->watch.ready = ready;
		r->timer.fire = due;
		error = open_socket(r);
		if (!error) {
			wheel_arm(&loop->wheel, &r->timer, loop_now(loop));
			return r;
		}
		if (r->socket)
			mnl_socket_close(r->socket);
		free(r);
	}
	errno = -error;
	return NULL;
}

void netlink_reader_again(struct netlink_reader *r)
{
	schedule(r);
}

void netlink_reader_pause(struct netlink_reader *r, bool paused)
{
	if (paused == r->paused)
		return;
	r->paused = paused;
	(void)loop_watch_change(&r->watch, paused ? 0 : UV_READABLE);
}

static void closed(struct loop_watch *w)
{
	struct netlink_reader *r = container_of(w, struct netlink_reader, watch);

	mnl_socket_close(r->socket);
	free(r);
}

void netlink_reader_free(struct netlink_reader *r)
{
	if (!r)
		return;
	if (r->freed)
		*r->freed = true;
	wheel_disarm(&r->loop->wheel, &r->timer);
	r->watch.closed = closed;
	loop_watch_stop(&r->watch);
}
