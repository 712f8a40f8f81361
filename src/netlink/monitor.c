/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor: a subscription to what changes in the kernel, boiled down to "something that matters to you changed".
 *
 * Nothing is kept of the messages but the most telling word since the last loop iteration. Our own devices are known by name, and by
 * the index that the kernel announces with the name, so that address and route messages need no look-up.
 */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "netlink/request.h"

#ifndef IFA_PROTO
#define IFA_PROTO 11
#endif

enum { ROUNDS = 16 };
enum change { CHANGE_NONE, CHANGE_ROUTE, CHANGE_ADDRESS, CHANGE_LINK, CHANGE_OVERRUN };

struct ignored {
	struct ignored *next;
	unsigned index; /* 0: not seen yet */
	char name[IFNAMSIZ];
};

struct netlink_monitor {
	struct loop *loop;
	struct mnl_socket *socket;
	struct loop_watch watch;
	struct loop_flush flush;
	struct ignored *ignored;
	enum change pending;
	void (*changed)(void *owner, const char *what);
	void *owner;
	char buffer[4 * NETLINK_BUFFER] __attribute__((aligned(8)));
};

static bool is_ignored(const struct netlink_monitor *m, unsigned index)
{
	for (const struct ignored *i = m->ignored; i; i = i->next)
		if (i->index && i->index == index)
			return true;
	return false;
}

/* The attributes that decide, of all three kinds of message. */
struct facts {
	uint16_t type;
	const char *name; /* IFLA_IFNAME */
	bool wireless;
	unsigned oif;     /* RTA_OIF */
	uint32_t table;   /* RTA_TABLE */
	uint8_t protocol; /* IFA_PROTO */
};

static int take_link_fact(const struct nlattr *a, void *arg)
{
	struct facts *f = arg;

	if (mnl_attr_get_type(a) == IFLA_IFNAME && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0)
		f->name = mnl_attr_get_str(a);
	else if (mnl_attr_get_type(a) == IFLA_WIRELESS)
		f->wireless = true;
	return MNL_CB_OK;
}

static int take_address_fact(const struct nlattr *a, void *arg)
{
	struct facts *f = arg;

	if (mnl_attr_get_type(a) == IFA_PROTO && mnl_attr_validate(a, MNL_TYPE_U8) >= 0)
		f->protocol = mnl_attr_get_u8(a);
	return MNL_CB_OK;
}

static int take_route_fact(const struct nlattr *a, void *arg)
{
	struct facts *f = arg;

	if (mnl_attr_validate(a, MNL_TYPE_U32) < 0)
		return MNL_CB_OK;
	if (mnl_attr_get_type(a) == RTA_OIF)
		f->oif = mnl_attr_get_u32(a);
	else if (mnl_attr_get_type(a) == RTA_TABLE)
		f->table = mnl_attr_get_u32(a);
	return MNL_CB_OK;
}

/* A device of ours may have come (or come again) with a new index. */
static void learn_index(struct netlink_monitor *m, const char *name, unsigned index)
{
	for (struct ignored *i = m->ignored; i; i = i->next)
		if (!strcmp(i->name, name))
			i->index = index;
}

static enum change judge_link(struct netlink_monitor *m, const struct nlmsghdr *h)
{
	const struct ifinfomsg *i = mnl_nlmsg_get_payload(h);
	struct facts f = {0};

	if (mnl_nlmsg_get_payload_len(h) < sizeof(*i) || i->ifi_family == AF_BRIDGE)
		return CHANGE_NONE;
	(void)mnl_attr_parse(h, sizeof(*i), take_link_fact, &f);
	if (f.name)
		learn_index(m, f.name, (unsigned)i->ifi_index);
	/* A wireless event (scan results, for instance) says nothing about the link as such. */
	return f.wireless || is_ignored(m, (unsigned)i->ifi_index) ? CHANGE_NONE : CHANGE_LINK;
}

static enum change judge_address(const struct netlink_monitor *m, const struct nlmsghdr *h)
{
	const struct ifaddrmsg *a = mnl_nlmsg_get_payload(h);
	struct facts f = {0};

	if (mnl_nlmsg_get_payload_len(h) < sizeof(*a))
		return CHANGE_NONE;
	(void)mnl_attr_parse(h, sizeof(*a), take_address_fact, &f);
	return f.protocol == NETLINK_PROTOCOL || is_ignored(m, a->ifa_index) ? CHANGE_NONE : CHANGE_ADDRESS;
}

static enum change judge_route(const struct netlink_monitor *m, const struct nlmsghdr *h)
{
	const struct rtmsg *r = mnl_nlmsg_get_payload(h);
	struct facts f = {0};

	if (mnl_nlmsg_get_payload_len(h) < sizeof(*r))
		return CHANGE_NONE;
	/* RTPROT_KERNEL routes follow an address or link, of which there is word already; clones are a cache. */
	if (r->rtm_protocol == NETLINK_PROTOCOL || r->rtm_protocol == RTPROT_KERNEL ||
		r->rtm_table == RT_TABLE_LOCAL || (r->rtm_flags & RTM_F_CLONED))
		return CHANGE_NONE;
	(void)mnl_attr_parse(h, sizeof(*r), take_route_fact, &f);
	return f.table == RT_TABLE_LOCAL || is_ignored(m, f.oif) ? CHANGE_NONE : CHANGE_ROUTE;
}

static enum change judge(struct netlink_monitor *m, const struct nlmsghdr *h)
{
	switch (h->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return judge_link(m, h);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return judge_address(m, h);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return judge_route(m, h);
	default:
		return CHANGE_NONE;
	}
}

static void note(struct netlink_monitor *m, enum change c)
{
	if (c > m->pending)
		m->pending = c;
}

/* At most a few hundred messages at a time: a route flap of a full table must not hold up the loop. */
static void read_messages(struct netlink_monitor *m)
{
	for (int round = 0; round < ROUNDS; round++) {
		ssize_t len = mnl_socket_recvfrom(m->socket, m->buffer, sizeof(m->buffer));
		int left = (int)len;

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0 && errno == ENOBUFS) {
			note(m, CHANGE_OVERRUN);
			continue;
		}
		if (len <= 0)
			return;
		for (const struct nlmsghdr *h = (const struct nlmsghdr *)m->buffer; mnl_nlmsg_ok(h, left);
			h = mnl_nlmsg_next(h, &left))
			note(m, judge(m, h));
	}
}

static void ready(struct loop_watch *w, int events)
{
	struct netlink_monitor *m = container_of(w, struct netlink_monitor, watch);

	read_messages(m);
	/* An overrun raises POLLERR, on which libuv stops watching; reading has cleared it. */
	if (events < 0)
		(void)loop_watch_change(&m->watch, UV_READABLE);
}

static void tell(struct loop_flush *f)
{
	static const char *const words[] = {
		[CHANGE_ROUTE] = "route",
		[CHANGE_ADDRESS] = "address",
		[CHANGE_LINK] = "link",
		[CHANGE_OVERRUN] = "overrun",
	};
	struct netlink_monitor *m = container_of(f, struct netlink_monitor, flush);
	enum change c = m->pending;

	m->pending = CHANGE_NONE;
	if (c)
		m->changed(m->owner, words[c]);
}

static struct mnl_socket *subscribe(void)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (!s)
		return NULL;
	if (mnl_socket_bind(s,
		    RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
			    RTMGRP_IPV6_ROUTE,
		    MNL_SOCKET_AUTOPID) < 0) {
		int error = errno;

		mnl_socket_close(s);
		errno = error;
		return NULL;
	}
	return s;
}

struct netlink_monitor *netlink_monitor_new(
	struct loop *loop, void (*changed)(void *owner, const char *what), void *owner)
{
	struct netlink_monitor *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return NULL;
	m->loop = loop;
	m->changed = changed;
	m->owner = owner;
	m->socket = subscribe();
	if (!m->socket) {
		free(m);
		return NULL;
	}
	m->watch.ready = ready;
	r = loop_watch_start(loop, &m->watch, mnl_socket_get_fd(m->socket), UV_READABLE);
	if (r) {
		mnl_socket_close(m->socket);
		free(m);
		errno = -r;
		return NULL;
	}
	m->flush.run = tell;
	loop_flush_add(loop, &m->flush);
	return m;
}

int netlink_monitor_ignore(struct netlink_monitor *m, const char *device)
{
	struct ignored *i;

	if (!*device || strlen(device) >= IFNAMSIZ)
		return -EINVAL;
	for (i = m->ignored; i; i = i->next)
		if (!strcmp(i->name, device))
			break;
	if (!i) {
		i = calloc(1, sizeof(*i));
		if (!i)
			return -ENOMEM;
		memcpy(i->name, device, strlen(device));
		i->next = m->ignored;
		m->ignored = i;
	}
	i->index = if_nametoindex(device);
	return 0;
}

static void closed(struct loop_watch *w)
{
	struct netlink_monitor *m = container_of(w, struct netlink_monitor, watch);

	mnl_socket_close(m->socket);
	while (m->ignored) {
		struct ignored *i = m->ignored;

		m->ignored = i->next;
		free(i);
	}
	free(m);
}

void netlink_monitor_free(struct netlink_monitor *m)
{
	if (!m)
		return;
	loop_flush_remove(m->loop, &m->flush);
	m->watch.closed = closed;
	loop_watch_stop(&m->watch);
}
