/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bytes of DHCP messages. */
#include "dhcp4/packet.h"

const char *dhcp4_type_name(uint8_t type)
{
	static const char *const names[DHCP4_TYPES] = {
		[DHCP4_DISCOVER] = "DISCOVER",
		[DHCP4_OFFER] = "OFFER",
		[DHCP4_REQUEST] = "REQUEST",
		[DHCP4_DECLINE] = "DECLINE",
		[DHCP4_ACK] = "ACK",
		[DHCP4_NAK] = "NAK",
		[DHCP4_RELEASE] = "RELEASE",
		[DHCP4_INFORM] = "INFORM",
	};

	return type < DHCP4_TYPES && names[type] ? names[type] : "unknown";
}
