/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ICMP errors of the plane, to the device, limited in rate as RFC 4443 section 2.4 (f) asks: by kind for the whole plane, so that scans of addresses without a
 * path cannot silence Packet Too Big; and by path and endpoint, so that the traffic of one cannot silence those of the others.
 */
#include "mesh/parts.h"

#include "inet/packet.h"

enum { PATH_RATE = 200, ENDPOINT_RATE = 500 }; /* per second, and burst */

/* By enum mesh_error. IPv4: RFC 792, RFC 1191, RFC 1812 section 5.2.7.1. */
static const struct {
	uint8_t type6, code6, type4, code4;
	uint16_t rate;
} errors[MESH_ERRORS] = {
	[MESH_ERROR_NO_ROUTE] = {ICMP6_UNREACHABLE, ICMP6_NO_ROUTE, 3, 0, 1000},
	[MESH_ERROR_TOO_BIG] = {ICMP6_TOO_BIG, 0, 3, 4, 2000},
};

static bool is_allowed(
	struct mesh_plane *p, enum mesh_error what, struct mesh_path *path, struct mesh_endpoint *endpoint)
{
	msec now = loop_now(p->loop);

	if ((!path || limit_ok(&path->icmp, now, PATH_RATE, PATH_RATE)) &&
		(!endpoint || limit_ok(&endpoint->icmp, now, ENDPOINT_RATE, ENDPOINT_RATE)) &&
		limit_ok(&p->icmp[what], now, errors[what].rate, errors[what].rate))
		return true;
	p->counters.icmp_suppressed++;
	return false;
}

void mesh_error_send(struct mesh_plane *p, enum mesh_error what, uint32_t mtu, struct mesh_path *path,
	struct mesh_endpoint *endpoint, const uint8_t *about, size_t len)
{
	bool six = about[0] >> 4 == 6;
	const struct addr *src = six ? &p->local6 : &p->local4;
	uint8_t frame[MESH_MARGIN + IP6_MIN_MTU], *packet = frame + MESH_MARGIN;
	struct writer w = writer_of(packet, IP6_MIN_MTU);
	bool written;

	if (addr_is_none(src) || !is_allowed(p, what, path, endpoint))
		return;
	if (six)
		written = icmp6_error_write(&w, src, errors[what].type6, errors[what].code6, mtu, about, len);
	else
		written = icmp4_error_write(&w, src, errors[what].type4, errors[what].code4, mtu, about, len);
	if (written && mesh_device_write(p, six ? AF_INET6 : AF_INET, packet, writer_len(&w)))
		p->counters.icmp_sent++;
}
