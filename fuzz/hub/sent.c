/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whatever an end sends must be acceptable to the decoders of this house. */
#include <errno.h>
#include <stdlib.h>

#include "harness.h"
#include "l2tp/avp.h"

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void check_ip6(struct reader r)
{
	const uint8_t *packet = r.pos;
	size_t len = reader_left(&r);
	uint16_t src_port, dst_port;
	struct dhcp6_message d;
	struct nd_message m;
	struct reader data;
	const char *why;
	struct ip6 h;

	require(nd_packet_read(packet, len, &m, &why) != -EBADMSG);
	ip6_read(&r, &h);
	require(reader_ok(&r));
	if (h.next_header == PROTO_ICMP6)
		require(ip6_checksum(&h.src, &h.dst, PROTO_ICMP6, r.pos, reader_left(&r)) == 0);
	if (h.next_header != PROTO_UDP)
		return;
	require(ip6_udp_read(&h, r, &src_port, &dst_port, &data, &why));
	require(dhcp6_message_read(data.pos, reader_left(&data), &d, &why) == 0);
}

static void check_ip4(struct reader r)
{
	uint16_t src_port, dst_port;
	struct dhcp4_message d;
	struct reader data;
	const char *why;
	struct ip4 h;

	ip4_read(&r, &h);
	require(reader_ok(&r) && h.protocol == PROTO_UDP);
	require(ip4_udp_read(&h, r, &src_port, &dst_port, &data, &why));
	require(dhcp4_message_read(data.pos, reader_left(&data), &d, &why) == 0);
	require((dst_port == DHCP4_SERVER_PORT) == !d.reply);
}

static void check_control(struct reader body)
{
	uint8_t scratch[L2TP_PACKET_MAX];
	struct l2tp_message m;
	struct l2tp_fault f;

	if (reader_left(&body))
		require(l2tp_message_read(body, NULL, scratch, &m, &f) == 0);
}

void harness_check_sent(const uint8_t *payload, size_t len)
{
	struct reader r = reader_of(payload, len);
	struct ppp_packet packet;
	struct l2tp_header h;
	uint16_t protocol;

	l2tp_header_read(&r, &h);
	require(reader_ok(&r));
	if (h.control) {
		check_control(reader_rest(&r));
		return;
	}
	r = reader_rest(&r);
	protocol = ppp_frame_read(&r);
	require(reader_ok(&r));
	if (protocol == PPP_IPV6) {
		check_ip6(reader_rest(&r));
		return;
	}
	if (protocol == PPP_IP) {
		check_ip4(reader_rest(&r));
		return;
	}
	ppp_packet_read(&r, &packet);
	require(reader_ok(&r));
}
