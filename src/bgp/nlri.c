/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prefixes in UPDATEs: RFC 4271 section 4.3, RFC 4760 section 5; with a label, RFC 8277; tunnel endpoints, RFC 5512 section 3. */
#include <errno.h>
#include <string.h>

#include "bgp/attributes.h"

enum { LABEL_BITS = 24 };

/* How many bits an NLRI may have, label included. */
static const struct {
	uint8_t min, max;
	uint8_t label;
} shapes[BGP_FAMILIES] = {
	[BGP_IPV4] = {0, 32, 0},
	[BGP_IPV6] = {0, 128, 0},
	[BGP_IPV4_LABELED] = {LABEL_BITS, LABEL_BITS + 32, LABEL_BITS},
	[BGP_IPV6_LABELED] = {LABEL_BITS, LABEL_BITS + 128, LABEL_BITS},
	[BGP_IPV4_ENCAP] = {32, 32, 0},
	[BGP_IPV6_ENCAP] = {128, 128, 0},
};

static inline size_t octets(unsigned bits)
{
	return (bits + 7) / 8;
}

/* Why BITS are none of FAMILY. */
static const char *misfit(enum bgp_family family, unsigned bits)
{
	if (bgp_family_encap(family))
		return "an endpoint's length is not that of an address";
	if (bits < shapes[family].min)
		return "a prefix has no label";
	return "a prefix is longer than an address";
}

const char *bgp_nlri_fault(struct reader list, enum bgp_family family)
{
	unsigned min = shapes[family].min, max = shapes[family].max;

	while (reader_left(&list)) {
		unsigned bits = reader_u8(&list);

		if (bits < min || bits > max)
			return misfit(family, bits);
		reader_skip(&list, octets(bits));
	}
	return reader_ok(&list) ? NULL : "the last prefix is cut short";
}

size_t bgp_nlri_max(enum bgp_family family)
{
	return 1 + octets(shapes[family].max);
}

int bgp_nlri_read(
	struct reader *list, enum bgp_family family, bool withdrawn, struct bgp_nlri *ret, const char **why)
{
	struct bgp_nlri n = {.prefix.addr.family = bgp_family_af(family)};
	unsigned bits;
	const uint8_t *p;

	if (!reader_left(list))
		return 0;
	bits = reader_u8(list);
	if (bits < shapes[family].min || bits > shapes[family].max) {
		*why = misfit(family, bits);
		return -EPROTO;
	}
	if (shapes[family].label) {
		uint32_t label = reader_u16(list);

		/* One label: reserved bits and bottom of stack are not looked at (RFC 8277 section 2.2), a withdrawn one not at all. */
		label = label << 4 | reader_u8(list) >> 4;
		n.label = withdrawn ? 0 : label;
		bits -= LABEL_BITS;
	}
	p = reader_bytes(list, octets(bits));
	if (!reader_ok(list)) {
		*why = "the last prefix is cut short";
		return -EPROTO;
	}
	n.prefix.len = (uint8_t)bits;
	if (bits)
		memcpy(n.prefix.addr.bytes, p, octets(bits));
	if (bits % 8)
		n.prefix.addr.bytes[bits / 8] &= (uint8_t)(0xff00 >> bits % 8);
	*ret = n;
	return 1;
}

bool bgp_nlri_is_routable(const struct bgp_nlri *n)
{
	const struct addr *a = &n->prefix.addr;
	uint8_t first = a->bytes[0], len = n->prefix.len;

	if (a->family == AF_INET && first != 127 && first != 169)
		return first < 224 && (first || len < 8); /* 0.0.0.0/8 is nobody's, the default route is */
	if (a->family == AF_INET6 && first && first < 0xfe)
		return true;
	return !addr_is_multicast(a) && !addr_is_loopback(a) && !addr_is_link_local(a) &&
	       !(len == 128 && addr_is_unspecified(a));
}

size_t bgp_nlri_size(enum bgp_family family, const struct bgp_nlri *n)
{
	return 1 + octets(shapes[family].label) + octets(n->prefix.len);
}

void bgp_nlri_write(struct writer *w, enum bgp_family family, bool withdrawn, const struct bgp_nlri *n)
{
	writer_u8(w, (uint8_t)(shapes[family].label + n->prefix.len));
	if (shapes[family].label) {
		/* The bottom of the stack is set; what is withdrawn has no label (RFC 8277 section 2.4). */
		uint32_t entry = withdrawn ? 0x800000 : n->label << 4 | 1;

		writer_u8(w, (uint8_t)(entry >> 16));
		writer_u16(w, (uint16_t)entry);
	}
	writer_bytes(w, n->prefix.addr.bytes, octets(n->prefix.len));
}
