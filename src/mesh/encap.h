/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mesh: the data plane of a softwire mesh.
 *
 * Parts: encap.c (bytes of a softwire's headers, both ways), table.c, endpoint.c, path.c, accept.c, transmitter.c (the tables; table.h), plane.c (life, TAP
 * device, public functions), out.c (a frame of the TAP into the core), in.c (a packet of the core into the TAP), queue.c, socket.c (raw sockets), error.c (ICMP).
 *
 * encap.h: encapsulations as bytes. Pure functions. A softwire's header is made once, as a template (what does not change from packet to packet), and
 * completed for each packet: lengths, payload type, traffic class, flow label, label. What carries whom:
 *
 *                         payload IPv4          payload IPv6          payload MPLS (labeled routes)
 *   IP-in-IP              protocol 4            protocol 41           protocol 137 (RFC 4023)
 *   GRE (RFC 2784, 2890)  0x0800                0x86dd                0x8847 (RFC 4023)
 *   L2TPv3 (RFC 3931)     by its first nibble   by its first nibble   a Session ID of its own (RFC 4817)
 *
 * Outer headers are of the core's family, either one. GRE is sent without a checksum and a sequence number; with a key where the egress has told one. One
 * that comes with a checksum is taken when it is right (RFC 2784 section 2.2, RFC 7676 section 2.1). L2TPv3 is directly
 * over IP (protocol 115), without a sublayer: Session ID and cookie are all. A second level may be around the first (RFC 5565 section 12): a softwire in
 * another, whose payload is a packet of the core's own family.
 *
 * RFC 2473, 4213 (IP-in-IP), 2784, 2890, 7676 (GRE), 3931, 4719 not, 4817 (L2TPv3), 4023, 3032 (MPLS), 6438 (flow label), 791, 8200.
 */
#ifndef MESH_ENCAP_H
#define MESH_ENCAP_H

#include "lib/addr.h"
#include "lib/reader.h"

enum mesh_kind { MESH_IPIP, MESH_GRE, MESH_L2TPV3, MESH_KINDS };
enum { MESH_COOKIE = 8, MESH_LEVELS = 2 };
/* Payloads: EtherTypes. */
enum { MESH_IP4 = 0x0800, MESH_IP6 = 0x86dd, MESH_MPLS = 0x8847 };
/* Protocol numbers of outer headers. */
enum {
	MESH_PROTO_IP4 = 4,
	MESH_PROTO_IP6 = 41,
	MESH_PROTO_GRE = 47,
	MESH_PROTO_L2TP = 115,
	MESH_PROTO_MPLS = 137,
};

/* How packets are packed: what an egress wants, or what we accept. Members that a kind does not have are 0. */
struct mesh_encapsulation {
	uint8_t kind; /* enum mesh_kind */
	bool mpls;    /* the payload is MPLS: a label is between */
	bool has_key; /* GRE */
	uint32_t key;
	uint32_t session; /* L2TPv3 */
	uint8_t cookie_len; /* 0, 4 or 8 */
	uint8_t cookie[MESH_COOKIE];
};

const char *mesh_kind_name(enum mesh_kind k); /* "ipip", "gre", "l2tpv3" */
bool mesh_encapsulation_equal(const struct mesh_encapsulation *a, const struct mesh_encapsulation *b);
/* Can packets be packed like this at all? An L2TPv3 session is not 0, and its cookie has 0, 4 or 8 octets (RFC 3931 section 4.1). */
bool mesh_encapsulation_valid(const struct mesh_encapsulation *e);
/* "l2tpv3 session 0x1234 cookie of 8 octets", "mpls-in-gre key 7", "mpls-in-ip", "ipip". Never the cookie itself. Returns BUF. */
const char *mesh_encapsulation_print(const struct mesh_encapsulation *e, char *buf, size_t size);
/* Octets that it puts between outer header and payload; a label is 4 of them. */
unsigned mesh_encapsulation_size(const struct mesh_encapsulation *e);

/* One level: from whom to whom, and how. */
struct mesh_level {
	struct addr src, dst;
	struct mesh_encapsulation how;
	uint8_t hop_limit; /* of the outer header: TTL or hop limit */
};

enum { MESH_TEMPLATE = MESH_LEVELS * (40 + 4 + MESH_COOKIE + 4) };
/* A softwire's header with all that stays the same; the fields are encap.c's own. */
struct mesh_template {
	uint8_t len;    /* of all levels, with the label if there is one */
	uint8_t levels; /* 1 or 2 */
	uint8_t family; /* of the outermost header */
	uint8_t kind[MESH_LEVELS];
	bool mpls;                /* of the innermost level: the payload is MPLS */
	uint8_t at[MESH_LEVELS];  /* where each level's IP header begins; level 0 is the innermost */
	uint16_t sum[MESH_LEVELS]; /* of an IPv4 header's words that stay the same */
	uint8_t bytes[MESH_TEMPLATE];
};
/*
 * LEVELS[0] is next to the payload; COUNT 1 or 2, all addresses of one family. 0; -EINVAL: contradictory (families, a hop limit of 0, a second level with MPLS, or not
 * mesh_encapsulation_valid()).
 */
int mesh_template_make(struct mesh_template *ret, const struct mesh_level *levels, unsigned count);
/* What is new in each packet. */
struct mesh_cargo {
	uint16_t payload;  /* MESH_IP4, MESH_IP6: of the inner packet */
	uint16_t len;      /* octets of the inner packet */
	uint8_t tos;       /* outer TOS or Traffic Class */
	uint32_t flow;     /* 20 bits: the outer flow label (RFC 6438); of IPv4 outer headers nothing */
	uint32_t label;    /* where the template has one: 20 bits, bottom of stack */
	uint8_t ttl;       /* of the label: the inner packet's (RFC 3443) */
};
/*
 * Writes t->len octets that end before PACKET, which has as much headroom; with c->len they are at most 65535. IPv4 outer headers: DF, identification 0,
 * checksum right. Traffic class and flow label are those of all levels, so that whoever takes the outer one off goes on as the core did.
 */
void mesh_template_write(const struct mesh_template *t, const struct mesh_cargo *c, uint8_t *packet);

/* ---- what comes in ---- */

/* What stands behind the outer header, as far as it can be read without knowing what we accept. */
struct mesh_heading {
	uint8_t kind;
	bool has_key;
	bool has_checksum; /* of GRE: mesh_checksum_ok() */
	uint32_t key, session;
	uint16_t payload; /* EtherType; 0: L2TPv3, which does not say */
};
/*
 * R is behind the outer IP header, whose protocol is PROTOCOL; afterwards behind GRE header or Session ID. NULL; or why not, a static clause: "a GRE header
 * with routing", "... a sequence number", "... flags of RFC 1701" (RFC 2784 section 2.3 wants them discarded), "GRE version 1", "a GRE version that nobody knows", "an L2TPv3 control message" (Session ID 0), "ends within its header", "a payload that is
 * none of ours" (EtherType), "a protocol that is none of ours". *ret is untouched then.
 */
const char *mesh_heading_read(struct reader *r, uint8_t protocol, struct mesh_heading *ret);
/* Is the checksum right that a GRE header says there is? Over the LEN octets from the header to the payload's end (RFC 2784 section 2.5): all of them are looked at. */
bool mesh_checksum_ok(const uint8_t *gre, size_t len);
/*
 * The label stack at R is popped, to its bottom. NULL; or why not: "ends within its labels", "a label that is not ours" (only explicit null is, 0 and 2, and above
 * another one it says nothing: RFC 4182), "a label stack that is too deep". *ret_payload: what the last label says, MESH_IP4 or MESH_IP6; *ret_ttl: the least
 * of theirs, beyond which the packet does not go (RFC 3032 section 2.4.3). Both are untouched on failure.
 */
const char *mesh_labels_read(struct reader *r, uint16_t *ret_payload, uint8_t *ret_ttl);

#endif
