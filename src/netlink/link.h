/* netlink/link: what the kernel says of one device. Internal to this folder. */
#ifndef NETLINK_LINK_H
#define NETLINK_LINK_H

#include "netlink/request.h"

struct link_info {
	unsigned index;
	unsigned master;     /* the index of the device that this one is a port of; 0 */
	unsigned short type; /* ARPHRD_* */
	bool is_bridge;
	uint32_t mtu;
	bool has_lladdr;
	uint8_t lladdr[6];
};

/* By DEVICE's name, or by index when that is NULL. -ENODEV, also for what can be no name. */
int link_get(struct netlink *n, const char *device, unsigned index, struct link_info *ret);

#endif
