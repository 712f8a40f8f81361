/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a packet would leave. Not where the kernel would send it (which knows of redirects and path MTUs), but by which route of which table, and whose
 * that is: RTM_F_FIB_MATCH.
 */
#include <errno.h>
#include <string.h>

#include "netlink/fib.h"
#include "netlink/request.h"

struct reading {
	struct netlink_way *way;
	uint8_t family, type;
	bool chosen; /* one of several next hops */
};

static struct addr to_addr(uint8_t family, const void *bytes, size_t len)
{
	struct addr a = {0};

	if (len == addr_size(family) && len) {
		a.family = family;
		memcpy(a.bytes, bytes, len);
	}
	return a;
}

static uint32_t to_number(const struct nlattr *a)
{
	return mnl_attr_validate(a, MNL_TYPE_U32) < 0 ? 0 : mnl_attr_get_u32(a);
}

static struct addr to_via(const struct nlattr *a)
{
	const struct rtvia *via = mnl_attr_get_payload(a);
	size_t len = mnl_attr_get_payload_len(a);

	if (len < sizeof(*via))
		return (struct addr){0};
	return to_addr((uint8_t)via->rtvia_family, via->rtvia_addr, len - sizeof(*via));
}

static int take_hop_attribute(const struct nlattr *a, void *arg)
{
	struct reading *r = arg;

	if (mnl_attr_get_type(a) == RTA_GATEWAY)
		r->way->gateway = to_addr(r->family, mnl_attr_get_payload(a), mnl_attr_get_payload_len(a));
	else if (mnl_attr_get_type(a) == RTA_VIA)
		r->way->gateway = to_via(a);
	return MNL_CB_OK;
}

/* The first that is up, or else the first. */
static void take_hops(struct reading *r, const struct nlattr *a)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(a);
	int left = mnl_attr_get_payload_len(a);
	struct netlink_way *w = r->way;

	for (; RTNH_OK(hop, left); left -= (int)RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop)) {
		bool down = hop->rtnh_flags & (RTNH_F_LINKDOWN | RTNH_F_DEAD);
		size_t len = hop->rtnh_len - sizeof(*hop);

		if (r->chosen && (!w->down || down))
			continue;
		r->chosen = true;
		w->ifindex = (unsigned)hop->rtnh_ifindex;
		w->down = down;
		w->on_link = hop->rtnh_flags & RTNH_F_ONLINK;
		w->gateway = (struct addr){0};
		(void)mnl_attr_parse_payload(RTNH_DATA(hop), len, take_hop_attribute, r);
	}
}

static int take_attribute(const struct nlattr *a, void *arg)
{
	struct reading *r = arg;
	struct netlink_way *w = r->way;

	switch (mnl_attr_get_type(a)) {
	case RTA_DST:
		w->route.addr = to_addr(r->family, mnl_attr_get_payload(a), mnl_attr_get_payload_len(a));
		break;
	case RTA_TABLE:
		w->table = to_number(a);
		break;
	case RTA_PRIORITY:
		w->metric = to_number(a);
		break;
	case RTA_OIF:
		w->ifindex = to_number(a);
		break;
	case RTA_MULTIPATH:
		take_hops(r, a);
		break;
	default:
		return take_hop_attribute(a, arg);
	}
	return MNL_CB_OK;
}

static int take_way(const struct nlmsghdr *h, void *arg)
{
	struct reading *r = arg;
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);

	if (h->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(h) < sizeof(*m))
		return -EBADMSG;
	*r->way = (struct netlink_way){.route = {.addr = {.family = r->family}, .len = m->rtm_dst_len},
		.table = m->rtm_table,
		.protocol = m->rtm_protocol,
		.local = m->rtm_type == RTN_LOCAL,
		.down = m->rtm_flags & (RTNH_F_LINKDOWN | RTNH_F_DEAD),
		.on_link = m->rtm_flags & RTNH_F_ONLINK};
	r->type = m->rtm_type;
	return mnl_attr_parse(h, sizeof(*m), take_attribute, r) < 0 ? -EBADMSG : 0;
}

int netlink_way(struct netlink *n, const struct addr *dst, unsigned ifindex, struct netlink_way *ret)
{
	struct netlink_way way;
	struct reading reading = {.way = &way, .family = dst->family};
	struct nlmsghdr *h;
	struct rtmsg *m;
	void *family;
	int r;

	if (addr_is_none(dst))
		return -EINVAL;
	h = request_begin(n, RTM_GETROUTE, 0, sizeof(*m), &family);
	m = family;
	m->rtm_family = dst->family;
	m->rtm_dst_len = (uint8_t)addr_bits(dst->family);
	m->rtm_flags = RTM_F_FIB_MATCH;
	request_put_addr(h, RTA_DST, dst);
	if (ifindex)
		mnl_attr_put_u32(h, RTA_OIF, ifindex);
	r = request_run(n, h, take_way, &reading);
	/* The answer is the error of an unreachable, prohibit or blackhole route, or (IPv6) the route itself. */
	if (r == -EHOSTUNREACH || r == -EACCES || r == -EINVAL || r == -ESRCH || r == -ENODEV)
		return -ENETUNREACH;
	if (!r && ((reading.type != RTN_UNICAST && reading.type != RTN_LOCAL) || !way.ifindex))
		return -ENETUNREACH;
	if (!r)
		*ret = way;
	return r;
}
