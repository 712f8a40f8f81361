/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Out of a softwire: header, tunnel and session id, peer, inner packet, inner source, device. Who sent it is
 * checked before anything inside it is looked at.
 *
 * The packet is forwarded on the header directly inside the softwire, whatever is inside that (RFC 4925
 * section 1.1).
 */
#include "dataplane/plane.h"

#include "inet/packet.h"
#include "ppp/packet.h"

enum { DHCP_SERVER = 67, DHCP_CLIENT = 68 };

/* DHCP between the ends of the softwire; what routers behind it relay elsewhere is payload like any other. */
static bool is_dhcp4(const struct tun_plane *p, const uint8_t *packet, const struct inner *inner)
{
	const uint8_t *udp = packet + inner->header;
	unsigned src, dst;

	if (!inner->header || packet[9] != PROTO_UDP || inner->len < inner->header + UDP_HEADER ||
		((packet[6] & 0x3f) | packet[7]) || !addr_equal(&inner->dst, &p->local4))
		return false;
	src = (unsigned)udp[0] << 8 | udp[1];
	dst = (unsigned)udp[2] << 8 | udp[3];
	return (src == DHCP_CLIENT && dst == DHCP_SERVER) || (src == DHCP_SERVER && dst == DHCP_CLIENT);
}

/* Nobody else has our own address, also where nothing is filtered. */
static bool is_ours(const struct tun_plane *p, const struct addr *src)
{
	return addr_equal(src, src->family == AF_INET6 ? &p->local6 : &p->local4);
}

static void count_spoofed(struct tun_plane *p, struct dp_row *row, const uint8_t *packet, size_t len)
{
	p->counters.drop_spoofed++;
	row->drop_spoofed++;
	dp_icmp_to_softwire(p, DP_ICMP_INGRESS, row, packet, len);
}

/* An inner packet of an open family; true when it is one that the engine should see instead. */
static bool forward(
	struct tun_plane *p, struct dp_row *row, uint8_t family, uint8_t *packet, size_t len, uint8_t ecn)
{
	struct inner inner;
	struct dp_family_counters *c = dp_row_family(row, family);

	if (!inner_read(family, packet, len, &inner)) {
		p->counters.drop_bad_inner++;
		row->drop_other++;
		return false;
	}
	if (inner_is_local(&inner) || is_dhcp4(p, packet, &inner))
		return !ecn || dp_ecn_decapsulate(p, row, packet, ecn);
	if (is_ours(p, &inner.src) || (!row->any_source && !dp_row_permits_source(row, &inner.src))) {
		count_spoofed(p, row, packet, inner.len);
		return false;
	}
	if (ecn && !dp_ecn_decapsulate(p, row, packet, ecn))
		return false;
	if (row->mss_mtu && tcp_mss_clamp(packet, inner.len, row->mss_mtu))
		p->counters.mss_clamped++;
	c->rx_packets++;
	c->rx_bytes += inner.len;
	dp_device_write(p, packet, inner.len);
	return false;
}

/* The family that PROTOCOL carries when it is open on this softwire, else 0. */
static uint8_t open_family(const struct dp_row *row, uint16_t protocol)
{
	if (protocol == PPP_IPV6 && row->up6)
		return AF_INET6;
	if (protocol == PPP_IP && row->up4)
		return AF_INET;
	return 0;
}

/* From the right peer, with the right ids. */
static void up_accepted(struct tun_plane *p, struct dp_row *row, const struct dp_header *h,
	struct reader inner, uint8_t *payload, size_t len, uint8_t ecn)
{
	uint8_t family = h->control ? 0 : open_family(row, h->protocol);
	uint8_t *packet = payload + (inner.pos - payload);

	row->last_rx = loop_now(p->loop);
	if (!family || forward(p, row, family, packet, reader_left(&inner), ecn))
		p->ops->input(p, row, payload, len);
}

void dp_up_packet(struct dp_socket *s, const struct dp_arrival *arrival, uint8_t *payload, size_t len)
{
	struct tun_plane *p = s->plane;
	struct reader r = reader_of(payload, len);
	struct dp_header h;
	enum dp_header_result result = dp_header_read(&r, &h);
	struct dp_row *row;
	bool known;

	if (result != DP_HEADER_OK) {
		*(result == DP_HEADER_SHORT ? &p->counters.drop_short : &p->counters.drop_header) += 1;
		return;
	}
	row = dp_find_session(&p->table, s->listener, h.tunnel);
	known = row && endpoint_equal(&row->peer, &arrival->from);
	if (p->deferring && !(known && (row->up6 || row->up4))) {
		dp_late_put(s, arrival, payload, len, known);
		return;
	}
	if (row && !known)
		p->counters.drop_wrong_peer++;
	else if (!h.control && (!row || row->local_session != h.session))
		p->counters.drop_no_session++;
	else if (row)
		return up_accepted(p, row, &h, r, payload, len, arrival->ecn);
	p->ops->stray(p, s->listener, row, &arrival->from, &arrival->local, payload, len);
}
