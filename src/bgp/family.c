/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the families of routes are called, and their numbers (RFC 4760 section 3). */
#include <errno.h>
#include <string.h>

#include "bgp/message.h"

static const struct {
	const char *name;
	uint16_t afi;
	uint8_t safi;
} families[BGP_FAMILIES] = {
	[BGP_IPV4] = {"ipv4", BGP_AFI_IPV4, BGP_SAFI_UNICAST},
	[BGP_IPV6] = {"ipv6", BGP_AFI_IPV6, BGP_SAFI_UNICAST},
	[BGP_IPV4_LABELED] = {"ipv4-labeled", BGP_AFI_IPV4, BGP_SAFI_LABELED},
	[BGP_IPV6_LABELED] = {"ipv6-labeled", BGP_AFI_IPV6, BGP_SAFI_LABELED},
	[BGP_IPV4_ENCAP] = {"ipv4-encap", BGP_AFI_IPV4, BGP_SAFI_ENCAP},
	[BGP_IPV6_ENCAP] = {"ipv6-encap", BGP_AFI_IPV6, BGP_SAFI_ENCAP},
};

const char *bgp_family_name(enum bgp_family f)
{
	return families[f].name;
}

int bgp_family_parse(const char *name, enum bgp_family *ret)
{
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		if (!strcmp(name, families[f].name)) {
			*ret = (enum bgp_family)f;
			return 0;
		}
	return -EINVAL;
}

int bgp_family_of(uint16_t afi, uint8_t safi, enum bgp_family *ret)
{
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		if (families[f].afi == afi && families[f].safi == safi) {
			*ret = (enum bgp_family)f;
			return 0;
		}
	return -EAFNOSUPPORT;
}

uint16_t bgp_family_afi(enum bgp_family f)
{
	return families[f].afi;
}

uint8_t bgp_family_safi(enum bgp_family f)
{
	return families[f].safi;
}
