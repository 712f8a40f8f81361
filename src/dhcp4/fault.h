/* dhcp4/fault: what of a server's gifts cannot be used, and why. Not for other folders. */
#ifndef DHCP4_FAULT_H
#define DHCP4_FAULT_H

#include "dhcp4/client.h"

/* One host, somewhere else: neither none nor of this network, loopback, link-local, multicast or above. */
bool dhcp4_is_unicast(const struct addr *a);
/* Why the address (and lease) in M cannot be used, or NULL. */
const char *dhcp4_address_fault(const struct dhcp4_message *m);
/* Can P be delegated at all (HS-PROV-14)? Why not, or NULL. */
const char *dhcp4_prefix_fault(const struct prefix *p);

/* What a message gives of subnets. */
struct dhcp4_gain {
	unsigned count;
	struct dhcp4_subnet subnets[DHCP4_SUBNET_MAX];
};
/*
 * Why the subnet P of M cannot be used, or NULL. OWN: our address of the softwire, or none; LONGEST: prefix length that is acceptable,
 * 0: any; OTHERS: what M has given so far.
 */
const char *dhcp4_subnet_fault(const struct prefix *p, const struct dhcp4_message *m, const struct addr *own,
	uint8_t longest, const struct dhcp4_gain *others);

#endif
