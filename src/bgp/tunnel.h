/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bgp/tunnel: the value of the Tunnel Encapsulation attribute (23), and the extended communities that stand for it or choose by it.
 * Pure functions. RFC 9012; RFC 5512 and RFC 5566 on receipt. tunnel.c; tunnel_text.c: types' names and printing; community_text.c: communities.
 *
 * A tunnel that we do not understand is kept in the attribute that is passed on (it is opaque bytes to the reflector), and left out here. A sub-TLV that
 * is malformed makes its tunnel unusable or is ignored, as section 13 says for each; the attribute is malformed only where its TLVs do not fit, or where
 * every one of them has a malformed endpoint. What is allowed once counts where it comes first.
 *
 * Endpoints in blocks that no packet is forwarded to are malformed (section 3.1). The blocks for documentation are not among them: laboratories use them.
 */
#ifndef BGP_TUNNEL_H
#define BGP_TUNNEL_H

#include "bgp/update.h"

enum {
	BGP_TUNNELS = 8,
	BGP_TUNNEL_COLORS = 8,
	BGP_TUNNEL_LABELS = 4,
	BGP_COOKIE = 8,
	BGP_TUNNEL_KEYS = 4,
	BGP_KEY_HASH = 20,
};

struct bgp_tunnel {
	uint16_t type; /* enum bgp_tunnel_type */
	/* Encapsulation sub-TLV */
	bool has_encapsulation;
	uint32_t session;   /* L2TPv3 Session ID, not 0 */
	uint8_t cookie_len; /* 0, 4 or 8 */
	uint8_t cookie[BGP_COOKIE];
	bool has_key; /* GRE */
	uint32_t key;
	/* Tunnel Egress Endpoint: none where the next hop is the endpoint (address family 0), or where the sub-TLV is missing (RFC 5512) */
	bool has_endpoint; /* the sub-TLV is there */
	struct addr endpoint;
	/* The EtherType that the tunnel is for; 0: any. MPLS where the type's name says so. A TLV with several is read as so many tunnels. */
	uint16_t protocol;
	unsigned color_count;
	uint32_t colors[BGP_TUNNEL_COLORS];
	bool has_ds;
	uint8_t ds;
	uint16_t udp_port; /* 0: the type's own */
	/* Embedded Label Handling: 0 none, 1, 2. To be shown only: it is about virtual network identifiers, which none of these types has (section 3.5). */
	uint8_t embedded_label;
	unsigned label_count;
	uint32_t labels[BGP_TUNNEL_LABELS]; /* whole entries, as on the wire; TTL 0 means 255 */
	unsigned
		key_count; /* IPsec: SHA-1 hashes of public keys, any of which the egress may use (RFC 5566 section 4) */
	uint8_t keys[BGP_TUNNEL_KEYS][BGP_KEY_HASH];
};

struct bgp_tunnels {
	unsigned count;
	struct bgp_tunnel tunnel
		[BGP_TUNNELS]; /* those that can be used, in the order of the attribute, which is the egress's preference */
	unsigned ignored; /* TLVs of types that we do not know, unusable, or one too many */
	const char *why;  /* the last one ignored; or NULL */
};

/* 0; -EPROTO and *why (a static text) for an attribute that is malformed: RFC 9012 section 13. */
int bgp_tunnels_read(struct reader value, struct bgp_tunnels *ret, const char **why);
/*
 * One TLV: 0, may be passed on, whether it is understood or not; -EINVAL and *why: its endpoint is malformed, it must not be; -EPROTO and *why: the whole
 * attribute is malformed (RFC 9012 section 13).
 */
int bgp_tunnel_check(uint16_t type, struct reader tlv, const char **why);
/* The value of the attribute: TLVs in the given order. LEGACY: without sub-TLVs that RFC 5512 does not know (the endpoint among them). */
void bgp_tunnels_write(struct writer *w, const struct bgp_tunnel *tunnels, unsigned count, bool legacy);
/* "l2tpv3", "gre", "ipip", "mpls", "mpls-in-gre", "mpls-in-udp"; of RFC 5566 "ipsec", "ipip-ipsec", "mpls-ipsec"; NULL. Those that are read, not
 * necessarily those that a role can build. */
const char *bgp_tunnel_type_name(uint16_t type);
int bgp_tunnel_type_parse(const char *name, uint16_t *ret); /* 0 or -EINVAL */
/* Must payload in a tunnel of TYPE be MPLS (RFC 9012 section 3.4.1)? */
bool bgp_tunnel_is_for_mpls(uint16_t type);
/* "gre key 7 endpoint 2001:db8::1 color 100"; of a cookie only the length. Returns BUF. */
const char *bgp_tunnel_print(const struct bgp_tunnel *t, char *buf, size_t size);

/* ---- extended communities, as 64-bit numbers with the type in the highest octets ---- */

uint64_t bgp_encapsulation_community(uint16_t tunnel_type); /* RFC 9012 section 4.1 */
bool bgp_is_encapsulation_community(uint64_t c, uint16_t *ret_tunnel_type);
uint64_t bgp_color_community(uint16_t flags, uint32_t color); /* RFC 9012 section 4.3 */
bool bgp_is_color_community(uint64_t c, uint16_t *ret_flags, uint32_t *ret_color);
/*
 * "color:100", "encapsulation:gre" ("encapsulation:8" without a name), "rt:65000:1", "rt:4200000000:1", "rt:192.0.2.1:1", "soo:..." likewise, and
 * "0x..." (16 digits) for all others; both ways. Numbers without leading zeros (RFC 8092 section 5), for all kinds of communities.
 */
const char *bgp_extended_community_print(uint64_t c, char buf[48]);
int bgp_extended_community_parse(const char *text, uint64_t *ret); /* 0 or -EINVAL */
/* "65000:1", "no-export", "no-advertise", "no-export-subconfed". */
const char *bgp_community_print(uint32_t c, char buf[24]);
int bgp_community_parse(const char *text, uint32_t *ret);
const char *bgp_large_community_print(const uint32_t c[3], char buf[36]);
int bgp_large_community_parse(const char *text, uint32_t ret[3]);

#endif
