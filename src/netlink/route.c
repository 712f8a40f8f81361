/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routes, and where a packet would go.
 */
#include <errno.h>
#include <string.h>

#include "netlink/link.h"

enum { IP6_DEFAULT_METRIC = 1024 };

/* ---- routes ---- */

struct route {
	const struct prefix *dst;
	const struct addr *source;
	bool unreachable;
	unsigned ifindex;
	uint32_t metric;
};

static struct nlmsghdr *put_route(struct netlink *n, uint16_t type, uint16_t flags, const struct route *r)
{
	void *family;
	struct nlmsghdr *h = request_begin(n, type, flags, sizeof(struct rtmsg), &family);
	struct rtmsg *m = family;

	m->rtm_family = r->dst->addr.family;
	m->rtm_dst_len = r->dst->len;
	m->rtm_table = RT_TABLE_MAIN;
	m->rtm_protocol = NETLINK_PROTOCOL;
	m->rtm_type = r->unreachable ? RTN_UNREACHABLE : RTN_UNICAST;
	m->rtm_scope = r->dst->addr.family == AF_INET && !r->unreachable ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	if (r->dst->len)
		request_put_addr(h, RTA_DST, &r->dst->addr);
	if (r->ifindex)
		mnl_attr_put_u32(h, RTA_OIF, r->ifindex);
	if (r->metric)
		mnl_attr_put_u32(h, RTA_PRIORITY, r->metric);
	if (r->source && !addr_is_none(r->source))
		request_put_addr(h, RTA_PREFSRC, r->source);
	return h;
}

static int delete_route(struct netlink *n, const struct route *r)
{
	struct route key = *r;

	key.source = NULL;
	return request_run(n, put_route(n, RTM_DELROUTE, 0, &key), NULL, NULL);
}

/*
 * NLM_F_REPLACE would take the place of any route with our destination and metric, for instance of the default route that the
 * host has learnt from an RA. So: exclusively; when that fails, after deleting our own (the kernel compares the protocol).
 */
static int add_route(struct netlink *n, const struct route *r)
{
	int result = request_run(n, put_route(n, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, r), NULL, NULL);

	if (result != -EEXIST || delete_route(n, r))
		return result;
	return request_run(n, put_route(n, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, r), NULL, NULL);
}

static int route_device(struct netlink *n, const char *device, struct route *r)
{
	struct link_info link;
	int result;

	/* The kernel hangs IPv6 unreachable routes on lo; naming it keeps a delete from matching anything else. */
	if (r->unreachable && r->dst->addr.family == AF_INET)
		return 0;
	result = link_get(n, r->unreachable ? "lo" : device, 0, &link);
	if (!result)
		r->ifindex = link.index;
	return result;
}

int netlink_route(struct netlink *n, bool add, const struct prefix *dst, bool unreachable, const char *device,
	const struct addr *source, uint32_t metric)
{
	struct route route = {.dst = dst,
		.source = unreachable ? NULL : source,
		.unreachable = unreachable,
		.metric = metric};
	int r;

	if (addr_is_none(&dst->addr) || dst->len > addr_bits(dst->addr.family) || (!unreachable && !device))
		return -EINVAL;
	if (!metric && dst->addr.family == AF_INET6)
		route.metric = IP6_DEFAULT_METRIC; /* said, because 0 in a delete means "any" */
	r = route_device(n, device, &route);
	if (r)
		return r == -ENODEV && !add ? 0 : r;
	if (add)
		return add_route(n, &route);
	r = delete_route(n, &route);
	return r == -ESRCH || r == -ENODEV ? 0 : r;
}

/* ---- where a packet would go ---- */

struct path {
	uint8_t family, type;
	unsigned ifindex;
	uint32_t mtu;
	struct addr source;
};

static int take_metric(const struct nlattr *a, void *arg)
{
	struct path *p = arg;

	if (mnl_attr_get_type(a) == RTAX_MTU && mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
		p->mtu = mnl_attr_get_u32(a);
	return MNL_CB_OK;
}

static int take_route_attribute(const struct nlattr *a, void *arg)
{
	struct path *p = arg;

	switch (mnl_attr_get_type(a)) {
	case RTA_OIF:
		if (mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
			p->ifindex = mnl_attr_get_u32(a);
		break;
	case RTA_PREFSRC:
		if (mnl_attr_get_payload_len(a) == addr_size(p->family)) {
			p->source.family = p->family;
			memcpy(p->source.bytes, mnl_attr_get_payload(a), addr_size(p->family));
		}
		break;
	case RTA_METRICS:
		if (mnl_attr_parse_nested(a, take_metric, p) < 0)
			return MNL_CB_ERROR;
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int take_route(const struct nlmsghdr *h, void *arg)
{
	struct path *p = arg;
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);

	if (h->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(h) < sizeof(*m))
		return -EBADMSG;
	p->type = m->rtm_type;
	return mnl_attr_parse(h, sizeof(*m), take_route_attribute, p) < 0 ? -EBADMSG : 0;
}

static int get_path(
	struct netlink *n, const struct addr *dst, unsigned ifindex, unsigned flags, struct path *p)
{
	void *family;
	struct nlmsghdr *h = request_begin(n, RTM_GETROUTE, 0, sizeof(struct rtmsg), &family);
	struct rtmsg *m = family;
	int r;

	m->rtm_family = dst->family;
	m->rtm_dst_len = (uint8_t)addr_bits(dst->family);
	m->rtm_flags = flags;
	request_put_addr(h, RTA_DST, dst);
	if (ifindex)
		mnl_attr_put_u32(h, RTA_OIF, ifindex);
	p->family = dst->family;
	r = request_run(n, h, take_route, p);
	/* The answer is the error of an unreachable, prohibit or blackhole route, or (IPv6) the route itself. */
	if (r == -EHOSTUNREACH || r == -EACCES || r == -EINVAL || r == -ESRCH)
		return -ENETUNREACH;
	if (!r && ((p->type != RTN_UNICAST && p->type != RTN_LOCAL) || !p->ifindex))
		return -ENETUNREACH;
	return r;
}

/* Without a route out of it the kernel takes an IPv4 destination for a neighbour on the interface. Only the routing table itself is honest. */
static int check_table(struct netlink *n, const struct addr *dst, unsigned ifindex)
{
	struct path ignored = {0};

	if (!ifindex || dst->family != AF_INET)
		return 0;
	return get_path(n, dst, ifindex, RTM_F_FIB_MATCH, &ignored);
}

int netlink_path_mtu_by(struct netlink *n, const struct addr *dst, unsigned ifindex, uint32_t *ret_mtu,
	struct addr *ret_source, unsigned *ret_ifindex)
{
	struct path path = {0};
	struct link_info link;
	int r;

	if (addr_is_none(dst))
		return -EINVAL;
	r = check_table(n, dst, ifindex);
	if (!r)
		r = get_path(n, dst, ifindex, 0, &path);
	if (!r)
		r = link_get(n, NULL, path.ifindex, &link);
	if (r)
		return r;
	if (ret_mtu)
		*ret_mtu = path.mtu && path.mtu < link.mtu ? path.mtu : link.mtu;
	if (ret_source)
		*ret_source = path.source;
	if (ret_ifindex)
		*ret_ifindex = path.ifindex;
	return 0;
}

int netlink_path_mtu(struct netlink *n, const struct addr *dst, uint32_t *ret_mtu, struct addr *ret_source,
	unsigned *ret_ifindex)
{
	return netlink_path_mtu_by(n, dst, 0, ret_mtu, ret_source, ret_ifindex);
}
