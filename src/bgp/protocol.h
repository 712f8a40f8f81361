/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bgp/protocol: the numbers of the protocol, with the RFC that gave them.
 */
#ifndef BGP_PROTOCOL_H
#define BGP_PROTOCOL_H

#include <stdint.h>

enum {
	BGP_PORT = 179,
	BGP_VERSION = 4,
	BGP_HEADER = 19, /* RFC 4271 section 4.1: marker 16, length 2, type 1 */
	BGP_MESSAGE_MAX = 4096,
	BGP_EXTENDED_MAX = 65535, /* RFC 8654 */
	BGP_AS_TRANS = 23456,     /* RFC 6793 */
	BGP_LOCAL_PREF = 100,     /* of a route that says nothing */
	BGP_HOLD_LARGE = 240,     /* seconds until OPEN has to come: RFC 4271 section 8.2.2 */
};

/* RFC 4271 section 4.1, RFC 2918 */
enum bgp_type { BGP_OPEN = 1, BGP_UPDATE, BGP_NOTIFICATION, BGP_KEEPALIVE, BGP_REFRESH };

/* What the routes of one table are about: an AFI and a SAFI. */
enum bgp_family {
	BGP_IPV4,         /* 1/1 */
	BGP_IPV6,         /* 2/1 */
	BGP_IPV4_LABELED, /* 1/4, RFC 8277 */
	BGP_IPV6_LABELED, /* 2/4, RFC 8277, RFC 4798 */
	BGP_IPV4_ENCAP,   /* 1/7, RFC 5512 section 5 */
	BGP_IPV6_ENCAP,   /* 2/7 */
	BGP_FAMILIES
};
typedef uint8_t bgp_families; /* a bit for each */
#define BGP_FAMILY_BIT(f) ((bgp_families)(1u << (f)))

enum { BGP_AFI_IPV4 = 1, BGP_AFI_IPV6 = 2 };
enum { BGP_SAFI_UNICAST = 1, BGP_SAFI_LABELED = 4, BGP_SAFI_ENCAP = 7 };

/* RFC 4271 section 4.5, RFC 7313, RFC 5492, RFC 6608, RFC 9687 */
enum bgp_error_code {
	BGP_ERROR_HEADER = 1,
	BGP_ERROR_OPEN,
	BGP_ERROR_UPDATE,
	BGP_ERROR_HOLD_TIMER,
	BGP_ERROR_FSM,
	BGP_ERROR_CEASE,
	BGP_ERROR_REFRESH,
	BGP_ERROR_SEND_HOLD_TIMER,
};
enum { BGP_HEADER_SYNC = 1, BGP_HEADER_LENGTH, BGP_HEADER_TYPE };
enum {
	BGP_OPEN_VERSION = 1,
	BGP_OPEN_AS,
	BGP_OPEN_ID,
	BGP_OPEN_PARAMETER,
	BGP_OPEN_HOLD_TIME = 6,
	BGP_OPEN_CAPABILITY,
};
enum {
	BGP_UPDATE_ATTRIBUTES = 1,
	BGP_UPDATE_WELL_KNOWN_UNKNOWN,
	BGP_UPDATE_MISSING,
	BGP_UPDATE_FLAGS,
	BGP_UPDATE_LENGTH,
	BGP_UPDATE_ORIGIN,
	BGP_UPDATE_NEXT_HOP = 8,
	BGP_UPDATE_OPTIONAL,
	BGP_UPDATE_NETWORK,
	BGP_UPDATE_AS_PATH,
};
enum { BGP_FSM_OPEN_SENT = 1, BGP_FSM_OPEN_CONFIRM, BGP_FSM_ESTABLISHED }; /* RFC 6608 */
enum bgp_cease {                                                           /* RFC 4486; 9: RFC 8538 */
	BGP_CEASE_MAX_PREFIX = 1,
	BGP_CEASE_SHUTDOWN,
	BGP_CEASE_UNCONFIGURED,
	BGP_CEASE_RESET,
	BGP_CEASE_REJECTED,
	BGP_CEASE_CHANGED,
	BGP_CEASE_COLLISION,
	BGP_CEASE_RESOURCES,
	BGP_CEASE_HARD_RESET,
};
enum { BGP_REFRESH_LENGTH = 1 }; /* RFC 7313 section 5 */

/* Capabilities: RFC 5492 and the RFC beside each */
enum bgp_capability {
	BGP_CAP_MULTIPROTOCOL = 1,     /* 4760 */
	BGP_CAP_REFRESH = 2,           /* 2918 */
	BGP_CAP_EXTENDED_NEXT_HOP = 5, /* 8950 */
	BGP_CAP_EXTENDED_MESSAGE = 6,  /* 8654 */
	BGP_CAP_GRACEFUL_RESTART = 64, /* 4724, 8538 */
	BGP_CAP_AS4 = 65,              /* 6793 */
	BGP_CAP_ENHANCED_REFRESH = 70, /* 7313 */
	BGP_CAP_REFRESH_OLD = 128,
};

/* The second octet of ROUTE-REFRESH: RFC 7313 */
enum bgp_refresh_kind { BGP_REFRESH_REQUEST, BGP_REFRESH_BEGIN, BGP_REFRESH_END };

/* Path attributes */
enum {
	BGP_FLAG_OPTIONAL = 0x80,
	BGP_FLAG_TRANSITIVE = 0x40,
	BGP_FLAG_PARTIAL = 0x20,
	BGP_FLAG_EXTENDED = 0x10
};
enum bgp_attribute_type {
	BGP_ORIGIN = 1,
	BGP_AS_PATH,
	BGP_NEXT_HOP,
	BGP_MED,
	BGP_LOCAL_PREFERENCE,
	BGP_ATOMIC_AGGREGATE,
	BGP_AGGREGATOR,
	BGP_COMMUNITIES,            /* 1997 */
	BGP_ORIGINATOR_ID,          /* 4456 */
	BGP_CLUSTER_LIST,           /* 4456 */
	BGP_MP_REACH = 14,          /* 4760 */
	BGP_MP_UNREACH,             /* 4760 */
	BGP_EXTENDED_COMMUNITIES,   /* 4360 */
	BGP_AS4_PATH,               /* 6793 */
	BGP_AS4_AGGREGATOR,         /* 6793 */
	BGP_TUNNEL_ENCAP = 23,      /* 9012, 5512 */
	BGP_IPV6_COMMUNITIES = 25,  /* 5701 */
	BGP_LARGE_COMMUNITIES = 32, /* 8092 */
};
enum { BGP_ORIGIN_IGP, BGP_ORIGIN_EGP, BGP_ORIGIN_INCOMPLETE };
enum { BGP_AS_SET = 1, BGP_AS_SEQUENCE, BGP_AS_CONFED_SEQUENCE, BGP_AS_CONFED_SET }; /* 4271, 5065 */

/* Well-known communities: RFC 1997; 65535:65281 .. 65283 */
enum { BGP_NO_EXPORT = 0xffffff01u, BGP_NO_ADVERTISE = 0xffffff02u, BGP_NO_EXPORT_SUBCONFED = 0xffffff03u };

/* Labels with a meaning of their own: RFC 3032 section 2.1 */
enum {
	BGP_LABEL_EXPLICIT_NULL4 = 0,
	BGP_LABEL_EXPLICIT_NULL6 = 2,
	BGP_LABEL_IMPLICIT_NULL = 3,
	BGP_LABEL_MAX = 0xfffff
};

/* Tunnel Encapsulation attribute: RFC 9012 sections 2 and 3 and the IANA registries it names */
enum bgp_tunnel_type {
	BGP_TUNNEL_L2TPV3 = 1,
	BGP_TUNNEL_GRE = 2,
	BGP_TUNNEL_IPSEC_TRANSPORT_OLD = 3, /* transmit tunnel endpoint (5566) */
	BGP_TUNNEL_IPSEC_TUNNEL = 4,        /* IPsec in tunnel mode (5566) */
	BGP_TUNNEL_IPIP_IPSEC = 5,          /* IP in IP with IPsec transport mode (5566) */
	BGP_TUNNEL_MPLS_IPSEC = 6,          /* MPLS in IP with IPsec transport mode (5566) */
	BGP_TUNNEL_IPIP = 7,
	BGP_TUNNEL_MPLS = 10,
	BGP_TUNNEL_MPLS_GRE = 11,
	BGP_TUNNEL_MPLS_UDP = 13,
};
enum bgp_subtlv {
	BGP_SUB_ENCAPSULATION = 1,
	BGP_SUB_PROTOCOL = 2,
	BGP_SUB_IPSEC_AUTHENTICATOR = 3, /* 5566 */
	BGP_SUB_COLOR = 4,
	BGP_SUB_ENDPOINT = 6,
	BGP_SUB_DS = 7,
	BGP_SUB_UDP_PORT = 8,
	BGP_SUB_EMBEDDED_LABEL = 9,
	BGP_SUB_LABEL_STACK = 10,
};

#endif
