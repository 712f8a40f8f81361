/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An IPv4 packet without DF that does not fit into a softwire is cut, as a router has to (RFC 791 section 3.2, RFC 1812
 * section 4.2.2.7). It may be a fragment already. The first piece has all options, the others those with the copied flag.
 */
#include "dataplane/plane.h"

#include <string.h>

#include "inet/packet.h"
#include "ppp/packet.h"

enum { DF = 0x40, MF = 0x20, COPIED = 0x80, OPTION_END = 0, OPTION_NOP = 1, HEADER_MAX = 60, LEAST_MTU = 68 };

bool dp_may_fragment(uint8_t family, const uint8_t *packet)
{
	return family == AF_INET && !(packet[6] & DF);
}

/* The header that the second piece and those behind it have; returns its length, a multiple of 4. Options that make no sense end the list. */
static size_t later_header(const uint8_t *packet, size_t header, uint8_t ret[HEADER_MAX])
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

static void patch(uint8_t *packet, size_t header, size_t len, unsigned flags_and_offset)
{
	uint16_t checksum;

	packet[2] = (uint8_t)(len >> 8);
	packet[3] = (uint8_t)len;
	packet[6] = (uint8_t)(flags_and_offset >> 8);
	packet[7] = (uint8_t)flags_and_offset;
	packet[10] = packet[11] = 0;
	checksum = inet_fold(inet_sum(packet, header, 0));
	packet[10] = (uint8_t)(checksum >> 8);
	packet[11] = (uint8_t)checksum;
}

bool dp_send_fragments(
	struct tun_plane *p, struct dp_row *row, const uint8_t *packet, const struct dp_inner *inner)
{
	unsigned word = (unsigned)packet[6] << 8 | packet[7], offset = word & 0x1fff;
	const uint8_t *data = packet + inner->header, *end = packet + inner->len;
	uint8_t later[HEADER_MAX];
	size_t later_len = later_header(packet, inner->header, later);

	if (row->mtu < LEAST_MTU)
		return false;
	for (const uint8_t *at = data; at < end;) {
		bool first = at == data;
		size_t header = first ? inner->header : later_len, room = (row->mtu - header) & ~(size_t)7;
		size_t left = (size_t)(end - at), piece = left < room ? left : room;
		struct dp_slot *slot = dp_slot_take(p);
		uint8_t *out;

		if (!slot) {
			p->counters.drop_send_queue++;
			return !first;
		}
		out = slot->bytes + DP_HEADROOM;
		memcpy(out, first ? packet : later, header);
		memcpy(out + header, at, piece);
		patch(out, header, header + piece,
			(word & 0xc000) | (piece < left || (word & (MF << 8)) ? MF << 8 : 0) |
				(offset + (unsigned)(at - data) / 8));
		if (!dp_send_inner(p, row, PPP_IP, slot, header + piece)) {
			dp_slot_give(p, slot);
			return !first;
		}
		at += piece;
	}
	p->counters.inner_fragmented++;
	return true;
}
