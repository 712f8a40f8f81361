/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Encapsulations as bytes: encap.h. A template is written once with the cursor; what is new in a packet then goes to places that are known from there.
 *
 * Lengths: a level's IP header counts what is between it and the end of the packet, so each level has its own. IPv4 header checksums are summed over what
 * stays the same once (`sum`), and the three words that change are added for each packet (RFC 1071 section 2).
 */
#include "mesh/encap.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "inet/packet.h"
#include "lib/writer.h"

enum {
	GRE_CHECKSUM = 0x8000,
	GRE_ROUTING = 0x4000,
	GRE_KEY = 0x2000,
	GRE_SEQUENCE = 0x1000,
	GRE_RFC1701 = 0x0c00,
	GRE_VERSION = 0x0007
};
enum { LABEL_SIZE = 4, LABEL_BOTTOM = 0x100, LABEL_NULL4 = 0, LABEL_NULL6 = 2, LABEL_DEPTH = 8 };
enum { IP4_DF = 0x4000, IP4_AT_TOS = 1, IP4_AT_LENGTH = 2, IP4_AT_PROTOCOL = 9, IP4_AT_CHECKSUM = 10 };
enum { IP6_AT_LENGTH = 4, IP6_AT_NEXT_HEADER = 6 };

const char *mesh_kind_name(enum mesh_kind k)
{
	static const char *const names[MESH_KINDS] = {"ipip", "gre", "l2tpv3"};

	return names[k];
}

bool mesh_encapsulation_equal(const struct mesh_encapsulation *a, const struct mesh_encapsulation *b)
{
	if (a->kind != b->kind || a->mpls != b->mpls)
		return false;
	switch (a->kind) {
	case MESH_GRE:
		return a->has_key == b->has_key && (!a->has_key || a->key == b->key);
	case MESH_L2TPV3:
		return a->session == b->session && a->cookie_len == b->cookie_len &&
		       !memcmp(a->cookie, b->cookie, a->cookie_len);
	default:
		return true;
	}
}

bool mesh_encapsulation_valid(const struct mesh_encapsulation *e)
{
	if (e->kind != MESH_L2TPV3)
		return e->kind < MESH_KINDS;
	return e->session && (e->cookie_len == 0 || e->cookie_len == 4 || e->cookie_len == MESH_COOKIE);
}

const char *mesh_encapsulation_print(const struct mesh_encapsulation *e, char *buf, size_t size)
{
	const char *mpls = e->mpls ? "mpls-in-" : "";

	if (e->kind == MESH_L2TPV3 && e->cookie_len)
		(void)snprintf(buf, size, "%sl2tpv3 session 0x%" PRIx32 " cookie of %u octets", mpls,
			e->session, e->cookie_len);
	else if (e->kind == MESH_L2TPV3)
		(void)snprintf(buf, size, "%sl2tpv3 session 0x%" PRIx32 " no cookie", mpls, e->session);
	else if (e->kind == MESH_GRE && e->has_key)
		(void)snprintf(buf, size, "%sgre key %" PRIu32, mpls, e->key);
	else if (e->kind == MESH_GRE)
		(void)snprintf(buf, size, "%sgre", mpls);
	else
		(void)snprintf(buf, size, "%s", e->mpls ? "mpls-in-ip" : "ipip");
	return buf;
}

unsigned mesh_encapsulation_size(const struct mesh_encapsulation *e)
{
	unsigned label = e->mpls ? LABEL_SIZE : 0;

	switch (e->kind) {
	case MESH_GRE:
		return label + (e->has_key ? 8 : 4);
	case MESH_L2TPV3:
		return label + 4 + e->cookie_len;
	default:
		return label;
	}
}

/* ---- templates ---- */

static bool levels_agree(const struct mesh_level *levels, unsigned count)
{
	uint8_t family = levels[0].src.family;

	if (!addr_bits(family))
		return false;
	for (unsigned i = 0; i < count; i++) {
		const struct mesh_level *l = &levels[i];

		if (l->src.family != family || l->dst.family != family || !l->hop_limit ||
			!mesh_encapsulation_valid(&l->how))
			return false;
		if (i && l->how.mpls) /* what is in there is no labeled packet */
			return false;
	}
	return true;
}

/* The protocol of an outer header; 0 where the packet says it. PAYLOAD: EtherType, 0 where the packet says that. */
static uint8_t protocol_of(const struct mesh_encapsulation *how, uint16_t payload)
{
	switch (how->kind) {
	case MESH_GRE:
		return MESH_PROTO_GRE;
	case MESH_L2TPV3:
		return MESH_PROTO_L2TP;
	default:
		break;
	}
	if (how->mpls)
		return MESH_PROTO_MPLS;
	return payload == MESH_IP4 ? MESH_PROTO_IP4 : payload == MESH_IP6 ? MESH_PROTO_IP6 : 0;
}

/* RFC 791 section 3.1. Type of Service, lengths and checksum come with the packet. */
static void ip4_begin(struct writer *w, const struct mesh_level *l, uint8_t protocol)
{
	writer_u16(w, 0x4500);
	writer_u16(w, 0);
	writer_u16(w, 0); /* an atomic datagram: RFC 6864 section 4.1 */
	writer_u16(w, IP4_DF);
	writer_u8(w, l->hop_limit);
	writer_u8(w, protocol);
	writer_u16(w, 0);
	writer_bytes(w, l->src.bytes, 4);
	writer_bytes(w, l->dst.bytes, 4);
}

/* RFC 8200 section 3. */
static void ip6_header(struct writer *w, const struct mesh_level *l, uint8_t protocol)
{
	writer_u32(w, 0x60000000);
	writer_u16(w, 0);
	writer_u8(w, protocol);
	writer_u8(w, l->hop_limit);
	writer_bytes(w, l->src.bytes, 16);
	writer_bytes(w, l->dst.bytes, 16);
}

/* RFC 2784 section 2.1, RFC 2890 section 2. */
static void gre_begin(struct writer *w, const struct mesh_encapsulation *how, uint16_t payload)
{
	writer_u16(w, how->has_key ? GRE_KEY : 0);
	writer_u16(w, how->mpls ? MESH_MPLS : payload);
	if (how->has_key)
		writer_u32(w, how->key);
}

/* PAYLOAD: EtherType of what this level carries, 0 where the packet says it. */
static void level_write(struct writer *w, const struct mesh_level *l, uint16_t payload)
{
	uint8_t protocol = protocol_of(&l->how, payload);

	if (l->src.family == AF_INET)
		ip4_begin(w, l, protocol);
	else
		ip6_header(w, l, protocol);
	if (l->how.kind == MESH_GRE)
		gre_begin(w, &l->how, payload);
	if (l->how.kind == MESH_L2TPV3) {
		writer_u32(w, l->how.session);
		writer_bytes(w, l->how.cookie, l->how.cookie_len);
	}
	if (l->how.mpls)
		writer_u32(w, 0);
}

int mesh_template_make(struct mesh_template *ret, const struct mesh_level *levels, unsigned count)
{
	struct mesh_template t = {.levels = (uint8_t)count};
	struct writer w = writer_of(t.bytes, sizeof(t.bytes));
	bool four;

	if (!count || count > MESH_LEVELS || !levels_agree(levels, count))
		return -EINVAL;
	t.family = levels[0].src.family;
	t.mpls = levels[0].how.mpls;
	four = t.family == AF_INET;
	for (unsigned i = count; i-- > 0;) {
		t.at[i] = (uint8_t)writer_len(&w);
		t.kind[i] = levels[i].how.kind;
		/* What is in an outer level is a packet of the level within: of the core's own family. */
		level_write(&w, &levels[i], i ? (four ? MESH_IP4 : MESH_IP6) : 0);
		if (four)
			t.sum[i] = (uint16_t)inet_sum(t.bytes + t.at[i], IP4_HEADER, 0);
	}
	if (!writer_ok(&w))
		return -EINVAL;
	t.len = (uint8_t)writer_len(&w);
	*ret = t;
	return 0;
}

static void put16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static void put32(uint8_t *at, uint32_t v)
{
	put16(at, (uint16_t)(v >> 16));
	put16(at + 2, (uint16_t)v);
}

/* PROTOCOL: 0 where the template has it. */
static void ip4_complete(uint8_t *header, uint16_t sum, uint16_t len, uint8_t tos, uint8_t protocol)
{
	header[IP4_AT_TOS] = tos;
	put16(header + IP4_AT_LENGTH, len);
	if (protocol)
		header[IP4_AT_PROTOCOL] = protocol;
	put16(header + IP4_AT_CHECKSUM, inet_fold((uint32_t)sum + tos + len + protocol));
}

static void ip6_complete(uint8_t *header, uint16_t len, uint8_t tos, uint32_t flow, uint8_t protocol)
{
	put32(header, 0x60000000 | (uint32_t)tos << 20 | (flow & 0xfffff));
	put16(header + IP6_AT_LENGTH, (uint16_t)(len - IP6_HEADER));
	if (protocol)
		header[IP6_AT_NEXT_HEADER] = protocol;
}

void mesh_template_write(const struct mesh_template *t, const struct mesh_cargo *c, uint8_t *packet)
{
	uint8_t *start = packet - t->len;
	bool four = t->family == AF_INET;

	memcpy(start, t->bytes, t->len);
	for (unsigned i = 0; i < t->levels; i++) {
		uint8_t *header = start + t->at[i];
		uint16_t len = (uint16_t)(t->len - t->at[i] + c->len);
		uint8_t protocol = 0;

		if (!i && !t->mpls && t->kind[0] == MESH_IPIP)
			protocol = c->payload == MESH_IP4 ? MESH_PROTO_IP4 : MESH_PROTO_IP6;
		if (!i && !t->mpls && t->kind[0] == MESH_GRE)
			put16(header + (four ? IP4_HEADER : IP6_HEADER) + 2, c->payload);
		if (four)
			ip4_complete(header, t->sum[i], len, c->tos, protocol);
		else
			ip6_complete(header, len, c->tos, c->flow, protocol);
	}
	if (t->mpls) /* RFC 3032 section 2.1; its traffic class stays 0: the outer header has the DSCP */
		put32(packet - LABEL_SIZE, c->label << 12 | LABEL_BOTTOM | c->ttl);
}

/* ---- what comes in ---- */

static const char *gre_read(struct reader *r, struct mesh_heading *h)
{
	uint16_t flags = reader_u16(r);

	h->kind = MESH_GRE;
	h->payload = reader_u16(r);
	h->has_key = flags & GRE_KEY;
	h->has_checksum = flags & GRE_CHECKSUM;
	if (!reader_ok(r))
		return "ends within its header";
	if (flags & GRE_VERSION) /* first: the flags of version 1 mean other things (RFC 2637 section 4.1) */
		return (flags & GRE_VERSION) == 1 ? "GRE version 1" : "a GRE version that nobody knows";
	if (flags & GRE_ROUTING)
		return "a GRE header with routing";
	if (flags & GRE_SEQUENCE)
		return "a GRE header with a sequence number";
	if (flags & GRE_RFC1701) /* of bits 1 to 5; those behind them do not matter (RFC 2784 section 2.3) */
		return "a GRE header with flags of RFC 1701";
	if (h->has_checksum)
		reader_skip(r, 4); /* and Reserved1 */
	if (h->has_key)
		h->key = reader_u32(r);
	if (!reader_ok(r))
		return "ends within its header";
	if (h->payload != MESH_IP4 && h->payload != MESH_IP6 && h->payload != MESH_MPLS)
		return "a payload that is none of ours";
	return NULL;
}

static const char *l2tp_read(struct reader *r, struct mesh_heading *h)
{
	h->kind = MESH_L2TPV3;
	h->session = reader_u32(r);
	if (!reader_ok(r))
		return "ends within its header";
	return h->session ? NULL : "an L2TPv3 control message"; /* RFC 3931 section 4.1.1.2 */
}

const char *mesh_heading_read(struct reader *r, uint8_t protocol, struct mesh_heading *ret)
{
	struct mesh_heading h = {.kind = MESH_IPIP};
	const char *why = NULL;

	switch (protocol) {
	case MESH_PROTO_IP4:
		h.payload = MESH_IP4;
		break;
	case MESH_PROTO_IP6:
		h.payload = MESH_IP6;
		break;
	case MESH_PROTO_MPLS:
		h.payload = MESH_MPLS;
		break;
	case MESH_PROTO_GRE:
		why = gre_read(r, &h);
		break;
	case MESH_PROTO_L2TP:
		why = l2tp_read(r, &h);
		break;
	default:
		why = "a protocol that is none of ours";
	}
	if (!why)
		*ret = h;
	return why;
}

bool mesh_checksum_ok(const uint8_t *gre, size_t len)
{
	return !inet_fold(inet_sum(gre, len, 0));
}

const char *mesh_labels_read(struct reader *r, uint16_t *ret_payload, uint8_t *ret_ttl)
{
	uint8_t least = UINT8_MAX;

	for (unsigned depth = 0; depth < LABEL_DEPTH; depth++) {
		uint32_t entry = reader_u32(r), label = entry >> 12;

		if (!reader_ok(r))
			return "ends within its labels";
		if (label != LABEL_NULL4 && label != LABEL_NULL6)
			return "a label that is not ours";
		least = (uint8_t)entry < least ? (uint8_t)entry : least;
		if (entry & LABEL_BOTTOM) {
			*ret_ttl = least;
			*ret_payload = label == LABEL_NULL4 ? MESH_IP4 : MESH_IP6;
			return NULL;
		}
	}
	return "a label stack that is too deep";
}
