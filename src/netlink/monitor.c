/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor: a subscription to what changes in the kernel, boiled down to "something that matters to you changed".
 *
 * Nothing is kept of the messages but the most telling word since the last loop iteration, and of each link what matters of it: the kernel announces
 * a link, too, when somebody listens to it (promiscuous mode) or a counter of its has turned. Our own devices are known by name, and by
 * the index that the kernel announces with the name, so that address and route messages need no look-up.
 */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "netlink/fib.h"
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

enum { LLADDR_MAX = 32, TRIES = 5 };

/* What matters of a link; unused bytes are zero, so that two compare with memcmp(). */
struct link_state {
	unsigned flags; /* IFF_UP, IFF_RUNNING */
	uint32_t mtu;
	uint32_t master;
	uint32_t lladdr_len;
	uint8_t lladdr[LLADDR_MAX];
	char name[IFNAMSIZ];
	uint32_t carrier;
};

struct known_link {
	struct known_link *next;
	unsigned index;
	struct link_state state;
};

struct netlink_monitor {
	struct loop *loop;
	struct mnl_socket *socket;
	struct loop_watch watch;
	struct loop_flush flush;
	struct ignored *ignored;
	struct known_link *links;
	enum change pending;
	void (*changed)(void *owner, const char *what);
	void (*down)(void *owner, unsigned index, bool link); /* or NULL */
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

/* The attributes that decide about addresses and routes. */
struct facts {
	unsigned oif;     /* RTA_OIF */
	uint32_t table;   /* RTA_TABLE */
	uint8_t protocol; /* IFA_PROTO */
};

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

/* ---- links ---- */

struct link_reading {
	struct link_state state;
	bool wireless;
};

static uint32_t number_of(const struct nlattr *a)
{
	if (mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
		return mnl_attr_get_u32(a);
	return mnl_attr_validate(a, MNL_TYPE_U8) >= 0 ? mnl_attr_get_u8(a) : 0;
}

static int take_link_fact(const struct nlattr *a, void *arg)
{
	struct link_reading *r = arg;
	struct link_state *s = &r->state;
	size_t len = mnl_attr_get_payload_len(a);

	switch (mnl_attr_get_type(a)) {
	case IFLA_IFNAME:
		if (mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0 && len <= sizeof(s->name))
			memcpy(s->name, mnl_attr_get_str(a), strlen(mnl_attr_get_str(a)));
		break;
	case IFLA_ADDRESS:
		s->lladdr_len = (uint32_t)(len < sizeof(s->lladdr) ? len : sizeof(s->lladdr));
		memcpy(s->lladdr, mnl_attr_get_payload(a), s->lladdr_len);
		break;
	case IFLA_MTU:
		s->mtu = number_of(a);
		break;
	case IFLA_MASTER:
		s->master = number_of(a);
		break;
	case IFLA_CARRIER:
		s->carrier = number_of(a);
		break;
	case IFLA_WIRELESS:
		r->wireless = true;
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static struct known_link **find_link(struct netlink_monitor *m, unsigned index)
{
	struct known_link **link = &m->links;

	while (*link && (*link)->index != index)
		link = &(*link)->next;
	return link;
}

/* Is there anything new in it? */
static bool learn_link(struct netlink_monitor *m, unsigned index, const struct link_state *s)
{
	struct known_link **link = find_link(m, index), *k = *link;

	if (k && !memcmp(&k->state, s, sizeof(*s)))
		return false;
	if (!k) {
		k = calloc(1, sizeof(*k));
		if (!k)
			return true;
		k->index = index;
		*link = k;
	}
	k->state = *s;
	return true;
}

static void forget_link(struct netlink_monitor *m, unsigned index)
{
	struct known_link **link = find_link(m, index), *k = *link;

	if (!k)
		return;
	*link = k->next;
	free(k);
}

static void tell_down(const struct netlink_monitor *m, unsigned index, bool link)
{
	if (m->down)
		m->down(m->owner, index, link);
}

static bool was_up(struct netlink_monitor *m, unsigned index)
{
	const struct known_link *k = *find_link(m, index);

	return k && k->state.flags & IFF_UP;
}

static enum change judge_link(struct netlink_monitor *m, const struct nlmsghdr *h)
{
	const struct ifinfomsg *i = mnl_nlmsg_get_payload(h);
	struct link_reading r = {0};
	bool changed = true;

	/* Other families tell of ports (AF_BRIDGE) or of how a protocol sees the link. */
	if (mnl_nlmsg_get_payload_len(h) < sizeof(*i) || i->ifi_family != AF_UNSPEC)
		return CHANGE_NONE;
	r.state.flags = i->ifi_flags & (IFF_UP | IFF_RUNNING);
	(void)mnl_attr_parse(h, sizeof(*i), take_link_fact, &r);
	if (r.wireless) /* scan results, for instance: it says nothing about the link as such */
		return CHANGE_NONE;
	if (was_up(m, (unsigned)i->ifi_index) && (h->nlmsg_type == RTM_DELLINK || !(i->ifi_flags & IFF_UP)))
		tell_down(m, (unsigned)i->ifi_index, true);
	if (r.state.name[0])
		learn_index(m, r.state.name, (unsigned)i->ifi_index);
	if (h->nlmsg_type == RTM_DELLINK)
		forget_link(m, (unsigned)i->ifi_index);
	else
		changed = learn_link(m, (unsigned)i->ifi_index, &r.state);
	return !changed || is_ignored(m, (unsigned)i->ifi_index) ? CHANGE_NONE : CHANGE_LINK;
}

static int take_first_sight(const struct nlmsghdr *h, void *arg)
{
	if (h->nlmsg_type == RTM_NEWLINK)
		(void)judge_link(arg, h);
	return 0;
}

/* The links that are there already, so that what does not matter of them is not news. */
static int look_around(struct netlink_monitor *m)
{
	struct netlink *n = netlink_open();
	int r = n ? -EAGAIN : -errno;

	for (int i = 0; i < TRIES && r == -EAGAIN; i++) {
		void *family;
		struct nlmsghdr *h =
			request_begin(n, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg), &family);

		r = request_run(n, h, take_first_sight, m);
	}
	netlink_close(n);
	return r == -EAGAIN ? 0 : r; /* some have come or gone meanwhile, which will be told */
}

/* ---- addresses and routes ---- */

/* With a link's last IPv4 address its routes go, and with its IPv6 link-local address (disable_ipv6) those of IPv6: without a word. */
static bool takes_routes(const struct nlmsghdr *h, const struct ifaddrmsg *a)
{
	return h->nlmsg_type == RTM_DELADDR && (a->ifa_family == AF_INET || a->ifa_scope == RT_SCOPE_LINK);
}

static enum change judge_address(const struct netlink_monitor *m, const struct nlmsghdr *h)
{
	const struct ifaddrmsg *a = mnl_nlmsg_get_payload(h);
	struct facts f = {0};

	if (mnl_nlmsg_get_payload_len(h) < sizeof(*a))
		return CHANGE_NONE;
	(void)mnl_attr_parse(h, sizeof(*a), take_address_fact, &f);
	if (takes_routes(h, a))
		tell_down(m, a->ifa_index, false);
	return f.protocol == NETLINK_PROTOCOL || is_ignored(m, a->ifa_index) ? CHANGE_NONE : CHANGE_ADDRESS;
}

static enum change judge_route(const struct netlink_monitor *m, const struct nlmsghdr *h)
{
	const struct rtmsg *r = mnl_nlmsg_get_payload(h);
	struct facts f = {0};

	if (mnl_nlmsg_get_payload_len(h) < sizeof(*r))
		return CHANGE_NONE;
	/* RTPROT_KERNEL routes follow an address or link, of which there is word already; clones are a cache. */
	if (r->rtm_protocol == NETLINK_PROTOCOL || r->rtm_protocol == NETLINK_BGP ||
		r->rtm_protocol == RTPROT_KERNEL ||
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
			tell_down(m, 0, false);
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
	(void)request_mute_bgp(s); /* where that does not work, judge_route() does it */
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

static void free_lists(struct netlink_monitor *m)
{
	while (m->ignored) {
		struct ignored *i = m->ignored;

		m->ignored = i->next;
		free(i);
	}
	while (m->links)
		forget_link(m, m->links->index);
}

static int begin(struct netlink_monitor *m)
{
	int r;

	m->socket = subscribe();
	if (!m->socket)
		return -errno;
	r = look_around(m);
	m->watch.ready = ready;
	if (!r)
		r = loop_watch_start(m->loop, &m->watch, mnl_socket_get_fd(m->socket), UV_READABLE);
	if (r)
		mnl_socket_close(m->socket);
	return r;
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
	r = begin(m);
	if (r) {
		free_lists(m);
		free(m);
		errno = -r;
		return NULL;
	}
	m->flush.run = tell;
	loop_flush_add(loop, &m->flush);
	return m;
}

void netlink_monitor_tell_down(
	struct netlink_monitor *m, void (*down)(void *owner, unsigned index, bool link))
{
	m->down = down;
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
	free_lists(m);
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
