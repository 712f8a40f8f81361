/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What may be asked of rtnetlink: addresses, routes, link settings, and where a packet would go.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>

#include "netlink/request.h"

enum { IP6_DEFAULT_METRIC = 1024, IN6_GEN_MODE_NONE = 1 };

#ifndef IFA_PROTO /* Linux 5.18; older kernels ignore it */
#define IFA_PROTO 11
#endif

struct link_info {
	unsigned index;
	unsigned short type; /* ARPHRD_* */
	uint32_t mtu;
	bool has_lladdr;
	uint8_t lladdr[6];
};

static int take_link_attribute(const struct nlattr *a, void *arg)
{
	struct link_info *info = arg;

	if (mnl_attr_get_type(a) == IFLA_MTU && mnl_attr_validate(a, MNL_TYPE_U32) >= 0) {
		info->mtu = mnl_attr_get_u32(a);
	} else if (mnl_attr_get_type(a) == IFLA_ADDRESS &&
		   mnl_attr_get_payload_len(a) == sizeof(info->lladdr)) {
		memcpy(info->lladdr, mnl_attr_get_payload(a), sizeof(info->lladdr));
		info->has_lladdr = true;
	}
	return MNL_CB_OK;
}

static int take_link(const struct nlmsghdr *h, void *arg)
{
	struct link_info *info = arg;
	const struct ifinfomsg *m = mnl_nlmsg_get_payload(h);

	if (h->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(h) < sizeof(*m))
		return -EBADMSG;
	info->index = (unsigned)m->ifi_index;
	info->type = m->ifi_type;
	return mnl_attr_parse(h, sizeof(*m), take_link_attribute, info) < 0 ? -EBADMSG : 0;
}

/* By DEVICE's name, or by index when that is NULL. */
static int get_link(struct netlink *n, const char *device, unsigned index, struct link_info *ret)
{
	struct link_info info = {0};
	void *family;
	struct nlmsghdr *h = request_begin(n, RTM_GETLINK, 0, sizeof(struct ifinfomsg), &family);
	struct ifinfomsg *m = family;
	int r;

	m->ifi_index = (int)index;
	if (device && (!*device || strlen(device) >= IFNAMSIZ))
		return -ENODEV;
	if (device)
		mnl_attr_put_strz(h, IFLA_IFNAME, device);
	r = request_run(n, h, take_link, &info);
	if (!r)
		*ret = info;
	return r;
}

static void put_addr(struct nlmsghdr *h, uint16_t type, const struct addr *a)
{
	mnl_attr_put(h, type, addr_size(a->family), a->bytes);
}

/* ---- addresses ---- */

static uint32_t address_flags(const struct link_info *link, const struct addr *a)
{
	uint32_t flags = 0;

	if (link->type != ARPHRD_NONE)
		return 0;
	if (a->family == AF_INET6)
		flags |= IFA_F_NODAD;
	if (!(a->family == AF_INET6 && addr_is_link_local(a)))
		flags |= IFA_F_NOPREFIXROUTE;
	return flags;
}

static void put_lifetimes(struct nlmsghdr *h, uint32_t valid, uint32_t preferred)
{
	struct ifa_cacheinfo life = {.ifa_valid = valid, .ifa_prefered = preferred};

	mnl_attr_put(h, IFA_CACHEINFO, sizeof(life), &life);
}

int netlink_address(struct netlink *n, bool add, const char *device, const struct addr *a, uint8_t prefix_len,
	uint32_t valid, uint32_t preferred)
{
	struct link_info link;
	struct nlmsghdr *h;
	struct ifaddrmsg *m;
	void *family;
	int r;

	if (addr_is_none(a) || prefix_len > addr_bits(a->family) || (add && (!valid || preferred > valid)))
		return -EINVAL;
	r = get_link(n, device, 0, &link);
	if (r)
		return r == -ENODEV && !add ? 0 : r;
	h = request_begin(n, add ? RTM_NEWADDR : RTM_DELADDR, add ? NLM_F_CREATE | NLM_F_REPLACE : 0,
		sizeof(*m), &family);
	m = family;
	m->ifa_family = a->family;
	m->ifa_prefixlen = prefix_len;
	m->ifa_index = link.index;
	m->ifa_scope = a->family == AF_INET6 && addr_is_link_local(a) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	put_addr(h, IFA_LOCAL, a);
	put_addr(h, IFA_ADDRESS, a);
	if (add) {
		mnl_attr_put_u32(h, IFA_FLAGS, address_flags(&link, a));
		mnl_attr_put_u8(h, IFA_PROTO, NETLINK_PROTOCOL);
		put_lifetimes(h, valid, preferred);
	}
	r = request_run(n, h, NULL, NULL);
	return !add && (r == -EADDRNOTAVAIL || r == -ENODEV) ? 0 : r;
}

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
		put_addr(h, RTA_DST, &r->dst->addr);
	if (r->ifindex)
		mnl_attr_put_u32(h, RTA_OIF, r->ifindex);
	if (r->metric)
		mnl_attr_put_u32(h, RTA_PRIORITY, r->metric);
	if (r->source && !addr_is_none(r->source))
		put_addr(h, RTA_PREFSRC, r->source);
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
	result = get_link(n, r->unreachable ? "lo" : device, 0, &link);
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

/* ---- links ---- */

static struct nlmsghdr *put_link(struct netlink *n, const char *device, struct ifinfomsg **ret)
{
	void *family;
	struct nlmsghdr *h = request_begin(n, RTM_NEWLINK, 0, sizeof(struct ifinfomsg), &family);

	*ret = family;
	mnl_attr_put_strz(h, IFLA_IFNAME, device);
	return h;
}

static bool is_device_name(const char *device)
{
	return *device && strlen(device) < IFNAMSIZ;
}

int netlink_link_up(struct netlink *n, const char *device, bool up)
{
	struct ifinfomsg *m;
	struct nlmsghdr *h;

	if (!is_device_name(device))
		return -ENODEV;
	h = put_link(n, device, &m);
	m->ifi_change = IFF_UP;
	m->ifi_flags = up ? IFF_UP : 0;
	return request_run(n, h, NULL, NULL);
}

static int set_link(struct netlink *n, const char *device, uint16_t attribute, uint32_t value)
{
	struct ifinfomsg *m;
	struct nlmsghdr *h;

	if (!is_device_name(device))
		return -ENODEV;
	h = put_link(n, device, &m);
	mnl_attr_put_u32(h, attribute, value);
	return request_run(n, h, NULL, NULL);
}

int netlink_link_mtu(struct netlink *n, const char *device, uint32_t mtu)
{
	return set_link(n, device, IFLA_MTU, mtu);
}

int netlink_link_queue(struct netlink *n, const char *device, uint32_t packets)
{
	return set_link(n, device, IFLA_TXQLEN, packets);
}

int netlink_link_no_autoconf(struct netlink *n, const char *device)
{
	struct ifinfomsg *m;
	struct nlmsghdr *h;
	struct nlattr *spec, *inet6;

	if (!is_device_name(device))
		return -ENODEV;
	h = put_link(n, device, &m);
	spec = mnl_attr_nest_start(h, IFLA_AF_SPEC);
	inet6 = mnl_attr_nest_start(h, AF_INET6);
	mnl_attr_put_u8(h, IFLA_INET6_ADDR_GEN_MODE, IN6_GEN_MODE_NONE);
	mnl_attr_nest_end(h, inet6);
	mnl_attr_nest_end(h, spec);
	return request_run(n, h, NULL, NULL);
}

int netlink_interface_lladdr(struct netlink *n, const char *device, uint8_t ret[6], unsigned *ret_ifindex)
{
	struct link_info link;
	int r = get_link(n, device, 0, &link);

	if (r)
		return r;
	if (!link.has_lladdr)
		return -ENODATA;
	memcpy(ret, link.lladdr, sizeof(link.lladdr));
	if (ret_ifindex)
		*ret_ifindex = link.index;
	return 0;
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

static int get_path(struct netlink *n, const struct addr *dst, struct path *p)
{
	void *family;
	struct nlmsghdr *h = request_begin(n, RTM_GETROUTE, 0, sizeof(struct rtmsg), &family);
	struct rtmsg *m = family;
	int r;

	m->rtm_family = dst->family;
	m->rtm_dst_len = (uint8_t)addr_bits(dst->family);
	put_addr(h, RTA_DST, dst);
	p->family = dst->family;
	r = request_run(n, h, take_route, p);
	/* IPv4 answers an unreachable route with its error, IPv6 with the route itself. */
	if (r == -EHOSTUNREACH || r == -EACCES || r == -ESRCH)
		return -ENETUNREACH;
	if (!r && ((p->type != RTN_UNICAST && p->type != RTN_LOCAL) || !p->ifindex))
		return -ENETUNREACH;
	return r;
}

int netlink_path_mtu(struct netlink *n, const struct addr *dst, uint32_t *ret_mtu, struct addr *ret_source,
	unsigned *ret_ifindex)
{
	struct path path = {0};
	struct link_info link;
	int r;

	if (addr_is_none(dst))
		return -EINVAL;
	r = get_path(n, dst, &path);
	if (!r)
		r = get_link(n, NULL, path.ifindex, &link);
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
