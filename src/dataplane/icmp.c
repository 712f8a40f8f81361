/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ICMP errors of the plane, limited in rate as RFC 4443 section 2.4 (f) asks: by kind for the whole plane, so
 * that spoofed sources or scans cannot silence Packet Too Big; and by softwire, so that the traffic of one
 * cannot silence those of the others.
 */
#include "dataplane/plane.h"

#include "inet/packet.h"
#include "ppp/packet.h"

enum { ROW_RATE = 50, ROW_BURST = 50 };

/* By enum dp_icmp. IPv4: RFC 792, RFC 1191, RFC 1812 section 5.2.7.1. */
static const struct {
	uint8_t type6, code6, type4, code4;
	uint16_t rate; /* per second, and burst */
} errors[DP_ICMP_MAX] = {
	[DP_ICMP_NO_ROUTE] = {ICMP6_UNREACHABLE, ICMP6_NO_ROUTE, 3, 0, 200},
	[DP_ICMP_ADDRESS] = {ICMP6_UNREACHABLE, ICMP6_ADDRESS, 3, 1, 200},
	[DP_ICMP_TOO_BIG] = {ICMP6_TOO_BIG, 0, 3, 4, 2000},
	[DP_ICMP_INGRESS] = {ICMP6_UNREACHABLE, ICMP6_INGRESS_POLICY, 3, 13, 200},
};

static bool icmp_allowed(struct tun_plane *p, enum dp_icmp what, struct dp_row *row)
{
	msec now = loop_now(p->loop);

	if ((!row || limit_ok(&row->icmp, now, ROW_RATE, ROW_BURST)) &&
		limit_ok(&p->icmp[what], now, errors[what].rate, errors[what].rate))
		return true;
	p->counters.icmp_suppressed++;
	return false;
}

static bool icmp_write(const struct tun_plane *p, struct writer *w, enum dp_icmp what,
	const struct dp_row *row, const uint8_t *about, size_t len)
{
	uint32_t param = what == DP_ICMP_TOO_BIG ? row->mtu : 0;

	if (about[0] >> 4 == 6)
		return icmp6_error_write(
			w, &p->local6, errors[what].type6, errors[what].code6, param, about, len);
	return icmp4_error_write(w, &p->local4, errors[what].type4, errors[what].code4, param, about, len);
}

static bool has_source(const struct tun_plane *p, const uint8_t *about)
{
	return !addr_is_none(about[0] >> 4 == 6 ? &p->local6 : &p->local4);
}

void dp_icmp_to_device(
	struct tun_plane *p, enum dp_icmp what, struct dp_row *row, const uint8_t *about, size_t len)
{
	uint8_t packet[IP6_MIN_MTU];
	struct writer w = writer_of(packet, sizeof(packet));

	if (!has_source(p, about) || !icmp_allowed(p, what, row) || !icmp_write(p, &w, what, row, about, len))
		return;
	if (dp_device_write(p, packet, writer_len(&w)))
		p->counters.icmp_sent++;
}

void dp_icmp_to_softwire(
	struct tun_plane *p, enum dp_icmp what, struct dp_row *row, const uint8_t *about, size_t len)
{
	uint16_t protocol = about[0] >> 4 == 6 ? PPP_IPV6 : PPP_IP;
	struct dp_slot *slot;
	struct writer w;

	if (!has_source(p, about) || !icmp_allowed(p, what, row))
		return;
	slot = dp_slot_take(p);
	if (!slot)
		return;
	w = writer_of(slot->bytes + DP_HEADROOM, IP6_MIN_MTU);
	if (icmp_write(p, &w, what, row, about, len) && dp_send_inner(p, row, protocol, slot, writer_len(&w)))
		p->counters.icmp_sent++;
	else
		dp_slot_give(p, slot);
}
