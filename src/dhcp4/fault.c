/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp4/fault: the rules for addresses and subnets. */
#include "dhcp4/fault.h"

enum { SUBNET_LEN_MIN = 8, SUBNET_LEN_MAX = 30 }; /* HS-PROV-14 */

static bool is_reserved(const struct prefix *p)
{
	static const struct prefix reserved[] = {
		{{AF_INET, {0}}, 8},
		{{AF_INET, {127}}, 8},
		{{AF_INET, {169, 254}}, 16},
		{{AF_INET, {224}}, 3},
	};

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (prefix_overlaps(p, &reserved[i]))
			return true;
	return false;
}

bool dhcp4_is_unicast(const struct addr *a)
{
	struct prefix p = prefix_of(a, 32);

	return a->family == AF_INET && !is_reserved(&p);
}

const char *dhcp4_address_fault(const struct dhcp4_message *m)
{
	if (addr_is_none(&m->yiaddr))
		return "no address";
	if (!dhcp4_is_unicast(&m->yiaddr))
		return "not a unicast address";
	if (addr_equal(&m->yiaddr, &m->server))
		return "the server's own address";
	return m->lease ? NULL : "no lease time";
}

const char *dhcp4_prefix_fault(const struct prefix *p)
{
	if (p->addr.family != AF_INET || p->len < SUBNET_LEN_MIN || p->len > SUBNET_LEN_MAX)
		return "not a /8 to /30";
	return is_reserved(p) ? "not unicast addresses" : NULL;
}

const char *dhcp4_subnet_fault(const struct prefix *p, const struct dhcp4_message *m, const struct addr *own,
	uint8_t longest, const struct dhcp4_gain *others)
{
	const char *fault = m->lease ? dhcp4_prefix_fault(p) : "no lease time";

	if (fault)
		return fault;
	if (longest && p->len > longest)
		return "smaller than what is acceptable";
	if (prefix_contains_addr(p, own))
		return "our address of the softwire is part of it";
	if (prefix_contains_addr(p, &m->server))
		return "the server is part of it";
	for (unsigned i = 0; i < others->count; i++)
		if (prefix_overlaps(p, &others->subnets[i].prefix))
			return "overlaps another one";
	return NULL;
}
