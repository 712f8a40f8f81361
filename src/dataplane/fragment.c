/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An IPv4 packet without DF that does not fit into a softwire is cut, as a router has to (RFC 791 section 3.2, RFC 1812
 * section 4.2.2.7).
 */
#include "dataplane/plane.h"

#include "inet/fragment.h"
#include "ppp/packet.h"

bool dp_send_fragments(
	struct tun_plane *p, struct dp_row *row, const uint8_t *packet, const struct inner *inner)
{
	struct ip_pieces pieces;
	struct dp_slot *slot;
	bool sent = false;

	if (!ip4_pieces_begin(&pieces, packet, inner->header, inner->len, row->mtu))
		return false;
	for (;; sent = true) {
		size_t len;

		slot = dp_slot_take(p);
		if (!slot) {
			p->counters.drop_send_queue++;
			return sent;
		}
		len = ip_pieces_next(&pieces, slot->bytes + DP_HEADROOM);
		if (!len)
			break;
		if (!dp_send_inner(p, row, PPP_IP, slot, len)) {
			dp_slot_give(p, slot);
			return sent;
		}
	}
	dp_slot_give(p, slot);
	p->counters.inner_fragmented++;
	return true;
}
