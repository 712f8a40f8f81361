/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inet: fragmentation. */
#include "inet/fragment.h"

#include <string.h>

#include "inet/packet.h"

enum { DF = 0x40, MF = 0x2000, IP4_FLAGS = 0xc000, IP4_OFFSET = 0x1fff };
enum { COPIED = 0x80, OPTION_END = 0, OPTION_NOP = 1 };
enum { IP6_FRAGMENT = 44, MORE = 1 };

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

bool ip4_may_fragment(const uint8_t *packet)
{
	return packet[0] >> 4 == 4 && !(packet[6] & DF);
}

/* The header that the second piece and those behind it have; returns its length, a multiple of 4. Options that make no sense end the list. */
static size_t later_header(const uint8_t *packet, size_t header, uint8_t ret[IP4_HEADER_MAX])
{
	size_t n = IP4_HEADER, at = IP4_HEADER;

	memcpy(ret, packet, IP4_HEADER);
	while (at < header && packet[at] != OPTION_END) {
		size_t len = packet[at] == OPTION_NOP ? 1 : at + 1 < header ? packet[at + 1] : 0;

		if (!len || (len < 2 && packet[at] != OPTION_NOP) || len > header - at)
			break;
		if (packet[at] & COPIED) {
			memcpy(ret + n, packet + at, len);
			n += len;
		}
		at += len;
	}
	while (n % 4)
		ret[n++] = OPTION_END;
	ret[0] = (uint8_t)(0x40 | n / 4);
	return n;
}

bool ip4_pieces_begin(struct ip_pieces *ret, const uint8_t *packet, size_t header, size_t len, size_t mtu)
{
	if (mtu < IP4_LEAST_MTU)
		return false;
	*ret = (struct ip_pieces){.packet = packet, .at = packet + header, .end = packet + len, .mtu = mtu};
	ret->data = ret->at;
	ret->word = (uint16_t)(packet[6] << 8 | packet[7]);
	ret->first_len = header;
	ret->later_len = later_header(packet, header, ret->later);
	return true;
}

bool ip6_pieces_begin(struct ip_pieces *ret, const uint8_t *packet, size_t len, size_t mtu, uint32_t id)
{
	if (mtu < IP6_HEADER + IP6_FRAGMENT_HEADER + 8)
		return false;
	*ret = (struct ip_pieces){
		.packet = packet, .at = packet + IP6_HEADER, .end = packet + len, .mtu = mtu};
	ret->data = ret->at;
	ret->id = id;
	ret->first_len = ret->later_len = IP6_HEADER + IP6_FRAGMENT_HEADER;
	return true;
}

/* Header of a piece whose data begins OFFSET units of 8 octets into the packet's; MORE are behind it. */
static void write_header4(
	const struct ip_pieces *f, uint8_t *out, size_t header, size_t data, size_t offset, bool more)
{
	more = more || f->word & MF;
	memcpy(out, offset ? f->later : f->packet, header);
	put16(out + 2, header + data);
	put16(out + 6, (f->word & IP4_FLAGS) | (more ? MF : 0) | ((f->word & IP4_OFFSET) + offset));
	put16(out + 10, 0);
	put16(out + 10, inet_fold(inet_sum(out, header, 0)));
}

static void write_header6(const struct ip_pieces *f, uint8_t *out, size_t data, size_t offset, bool more)
{
	memcpy(out, f->packet, IP6_HEADER);
	put16(out + 4, IP6_FRAGMENT_HEADER + data);
	out[6] = IP6_FRAGMENT;
	out[IP6_HEADER] = f->packet[6];
	out[IP6_HEADER + 1] = 0;
	put16(out + IP6_HEADER + 2, offset << 3 | (more ? MORE : 0));
	put16(out + IP6_HEADER + 4, f->id >> 16);
	put16(out + IP6_HEADER + 6, f->id & 0xffff);
}

size_t ip_pieces_next(struct ip_pieces *f, uint8_t *out)
{
	bool first = f->at == f->data;
	size_t header = first ? f->first_len : f->later_len, room = (f->mtu - header) & ~(size_t)7;
	size_t left = (size_t)(f->end - f->at), data = left < room ? left : room;
	size_t offset = (size_t)(f->at - f->data) / 8;

	if (!left)
		return 0;
	if (f->packet[0] >> 4 == 6)
		write_header6(f, out, data, offset, data < left);
	else
		write_header4(f, out, header, data, offset, data < left);
	memcpy(out + header, f->at, data);
	f->at += data;
	return header + data;
}
