/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Into a softwire: a packet is read from the device behind a headroom, finds its row by its destination, gets
 * its header in front of it, and waits in the queue of the row's socket. It is not copied.
 */
#include "dataplane/plane.h"

#include <errno.h>
#include <unistd.h>

#include "inet/fragment.h"
#include "inet/packet.h"
#include "ppp/packet.h"

/* The row that takes this packet; NULL when none does: it has been counted and answered. */
static struct dp_row *down_row(
	struct tun_plane *p, uint8_t family, const struct inner *inner, const uint8_t *packet)
{
	struct dp_row *row = dp_find_inner(&p->table, &inner->dst);

	if (!row) {
		p->counters.drop_no_destination++;
		dp_icmp_to_device(p, DP_ICMP_ADDRESS, NULL, packet, inner->len);
		return NULL;
	}
	if (!dp_row_up(row, family)) {
		p->counters.drop_not_up++;
		row->drop_other++;
		/* Where everything goes into one softwire, it is the route that is missing, not one address
		 * behind it. */
		dp_icmp_to_device(
			p, row == p->table.any ? DP_ICMP_NO_ROUTE : DP_ICMP_ADDRESS, row, packet, inner->len);
		return NULL;
	}
	if (inner->len > row->mtu && !ip4_may_fragment(packet)) {
		p->counters.drop_too_big++;
		row->drop_too_big++;
		dp_icmp_to_device(p, DP_ICMP_TOO_BIG, row, packet, inner->len);
		return NULL;
	}
	return row;
}

static void count_sent(struct tun_plane *p, struct dp_row *row, uint8_t family, size_t len)
{
	struct dp_family_counters *c = dp_row_family(row, family);

	c->tx_packets++;
	c->tx_bytes += len;
	row->last_tx = loop_now(p->loop);
}

/* True when SLOT, with LEN bytes from the device behind its headroom, is now in a queue. */
static bool down_packet(struct tun_plane *p, struct dp_slot *slot, size_t len)
{
	uint8_t *packet = slot->bytes + DP_HEADROOM;
	uint8_t family = inner_family(packet, len);
	struct inner inner;
	struct dp_row *row;

	if (!family || !inner_read(family, packet, len, &inner)) {
		p->counters.drop_bad_inner++;
		return false;
	}
	if (inner_is_local(&inner)) { /* the kernel's own chatter on the device: nothing is answered */
		p->counters.drop_local_scope++;
		return false;
	}
	row = down_row(p, family, &inner, packet);
	if (!row)
		return false;
	if (inner.len > row->mtu) { /* copies: the slot stays the caller's */
		if (dp_send_fragments(p, row, packet, &inner))
			count_sent(p, row, family, inner.len);
		return false;
	}
	if (row->mss_mtu && tcp_mss_clamp(packet, inner.len, row->mss_mtu))
		p->counters.mss_clamped++;
	if (!dp_send_inner(p, row, family == AF_INET6 ? PPP_IPV6 : PPP_IP, slot, inner.len))
		return false;
	count_sent(p, row, family, inner.len);
	return true;
}

/* A device that is gone reads as an error or as its end for ever, and would keep the loop awake. */
static void read_failed(struct tun_plane *p, int error)
{
	if (error != EAGAIN && error != EINTR && error != ENOMEM && error != ENOBUFS)
		dp_device_lost(p, error);
}

unsigned dp_down_batch(struct tun_plane *p)
{
	struct dp_slot *slot = NULL;
	unsigned count = 0;

	while (count < DP_BATCH && p->device_fd >= 0) {
		ssize_t n;

		if (!slot)
			slot = dp_slot_take(
				p); /* there always is one: neither kind of packet may queue the last */
		n = read(p->device_fd, slot->bytes + DP_HEADROOM, DP_PACKET_MAX);
		if (n <= 0) {
			read_failed(p, n < 0 ? errno : ENODEV);
			break;
		}
		count++;
		if (down_packet(p, slot, (size_t)n))
			slot = NULL;
	}
	if (slot)
		dp_slot_give(p, slot);
	return count;
}
