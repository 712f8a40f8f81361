/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The format of EAP packets, RFC 3748 section 4. */
#include "eap/eap.h"

const char *eap_method_name(uint8_t type)
{
	switch (type) {
	case EAP_IDENTITY:
		return "Identity";
	case EAP_NOTIFICATION:
		return "Notification";
	case EAP_NAK:
		return "Nak";
	case EAP_MD5:
		return "MD5-Challenge";
	case EAP_TLS:
		return "TLS";
	default:
		return "unknown";
	}
}
