/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links: what they are, their settings, and bridges of them.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>

#include "netlink/link.h"

enum { IN6_GEN_MODE_NONE = 1 };

static const char bridge_kind[] = "bridge";

static bool is_device_name(const char *device)
{
	return *device && strlen(device) < IFNAMSIZ;
}

static int take_kind(const struct nlattr *a, void *arg)
{
	struct link_info *info = arg;

	if (mnl_attr_get_type(a) == IFLA_INFO_KIND && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0)
		info->is_bridge = !strcmp(mnl_attr_get_str(a), bridge_kind);
	return MNL_CB_OK;
}

static int take_link_attribute(const struct nlattr *a, void *arg)
{
	struct link_info *info = arg;

	switch (mnl_attr_get_type(a)) {
	case IFLA_MTU:
		if (mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
			info->mtu = mnl_attr_get_u32(a);
		break;
	case IFLA_MASTER:
		if (mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
			info->master = mnl_attr_get_u32(a);
		break;
	case IFLA_ADDRESS:
		info->has_lladdr = mnl_attr_get_payload_len(a) == sizeof(info->lladdr);
		if (info->has_lladdr)
			memcpy(info->lladdr, mnl_attr_get_payload(a), sizeof(info->lladdr));
		break;
	case IFLA_LINKINFO:
		if (mnl_attr_parse_nested(a, take_kind, info) < 0)
			return MNL_CB_ERROR;
		break;
	default:
		break;
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

int link_get(struct netlink *n, const char *device, unsigned index, struct link_info *ret)
{
	struct link_info info = {0};
	void *family;
	struct nlmsghdr *h = request_begin(n, RTM_GETLINK, 0, sizeof(struct ifinfomsg), &family);
	struct ifinfomsg *m = family;
	int r;

	m->ifi_index = (int)index;
	if (device && !is_device_name(device))
		return -ENODEV;
	if (device)
		mnl_attr_put_strz(h, IFLA_IFNAME, device);
	r = request_run(n, h, take_link, &info);
	if (!r)
		*ret = info;
	return r;
}

/* ---- settings ---- */

static struct nlmsghdr *put_link(struct netlink *n, const char *device, struct ifinfomsg **ret)
{
	void *family;
	struct nlmsghdr *h = request_begin(n, RTM_NEWLINK, 0, sizeof(struct ifinfomsg), &family);

	*ret = family;
	mnl_attr_put_strz(h, IFLA_IFNAME, device);
	return h;
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

int netlink_link_lladdr(struct netlink *n, const char *device, const uint8_t lladdr[6])
{
	struct ifinfomsg *m;
	struct nlmsghdr *h;

	if (!is_device_name(device))
		return -ENODEV;
	h = put_link(n, device, &m);
	mnl_attr_put(h, IFLA_ADDRESS, 6, lladdr);
	return request_run(n, h, NULL, NULL);
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
	int r = link_get(n, device, 0, &link);

	if (r)
		return r;
	if (!link.has_lladdr)
		return -ENODATA;
	memcpy(ret, link.lladdr, sizeof(link.lladdr));
	if (ret_ifindex)
		*ret_ifindex = link.index;
	return 0;
}

/* ---- bridges ---- */

/* These are the values of a bridge that forwards from the first moment, said because defaults are the distribution's to choose. */
int netlink_bridge_add(struct netlink *n, const char *bridge, unsigned *ret_ifindex)
{
	struct nlattr *info, *data;
	struct link_info link;
	struct nlmsghdr *h;
	void *family;
	int r;

	if (!is_device_name(bridge))
		return -ENODEV;
	h = request_begin(n, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg), &family);
	mnl_attr_put_strz(h, IFLA_IFNAME, bridge);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, bridge_kind);
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u32(h, IFLA_BR_STP_STATE, 0);
	mnl_attr_put_u32(h, IFLA_BR_FORWARD_DELAY, 0);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	r = request_run(n, h, NULL, NULL);
	if (!r)
		r = link_get(n, bridge, 0, &link);
	if (!r)
		*ret_ifindex = link.index;
	return r;
}

int netlink_bridge_index(struct netlink *n, const char *device, unsigned *ret_ifindex)
{
	struct link_info link;
	int r = link_get(n, device, 0, &link);

	if (r)
		return r;
	if (!link.is_bridge)
		return -EEXIST;
	*ret_ifindex = link.index;
	return 0;
}

int netlink_bridge_delete(struct netlink *n, unsigned ifindex)
{
	struct link_info link;
	struct nlmsghdr *h;
	void *family;
	int r = link_get(n, NULL, ifindex, &link);

	if (r)
		return r == -ENODEV ? 0 : r;
	if (!link.is_bridge)
		return -EEXIST;
	h = request_begin(n, RTM_DELLINK, 0, sizeof(struct ifinfomsg), &family);
	((struct ifinfomsg *)family)->ifi_index = (int)ifindex;
	r = request_run(n, h, NULL, NULL);
	return r == -ENODEV ? 0 : r;
}

static int set_master(struct netlink *n, unsigned port, unsigned bridge)
{
	void *family;
	struct nlmsghdr *h = request_begin(n, RTM_NEWLINK, 0, sizeof(struct ifinfomsg), &family);

	((struct ifinfomsg *)family)->ifi_index = (int)port;
	mnl_attr_put_u32(h, IFLA_MASTER, bridge);
	return request_run(n, h, NULL, NULL);
}

int netlink_bridge_join(struct netlink *n, unsigned bridge, const char *port)
{
	struct link_info link;
	int r = link_get(n, port, 0, &link);

	if (r)
		return r;
	if (link.master)
		return link.master == bridge ? -EALREADY : -EBUSY;
	return set_master(n, link.index, bridge);
}

int netlink_bridge_leave(struct netlink *n, unsigned bridge, const char *port)
{
	struct link_info link;
	int r = link_get(n, port, 0, &link);

	if (!r && link.master == bridge)
		r = set_master(n, link.index, 0);
	return r == -ENODEV ? 0 : r;
}
