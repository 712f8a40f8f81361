/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links: what they are, and their settings.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>

#include "netlink/link.h"

enum { IN6_GEN_MODE_NONE = 1 };

static bool is_device_name(const char *device)
{
	return *device && strlen(device) < IFNAMSIZ;
}

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
