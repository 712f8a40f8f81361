/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPv4 packets that end at the softwire itself: DHCPv4, and nothing else.
 *
 * The data plane sends everything here whose source or destination does not leave the link. What is not DHCP between the two
 * ends is counted and dropped.
 */
#include "hub/engine.h"

void softwire_send_dhcp4(struct softwire *s, const struct addr *src, const struct addr *dst,
	uint16_t src_port, uint16_t dst_port, const void *message, size_t len)
{
	uint8_t buf[IP4_HEADER + UDP_HEADER + DHCP4_MESSAGE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	ip4_udp_write(&w, src, dst, src_port, dst_port, message, len);
	if (writer_ok(&w))
		softwire_send_packet(s, PPP_IP, buf, writer_len(&w));
}

static void input_udp(struct softwire *s, const struct ip4 *h, struct reader payload)
{
	bool initiator = softwire_is_initiator(s);
	uint16_t src_port, dst_port;
	struct reader data;
	const char *why;

	if (!ip4_udp_read(h, payload, &src_port, &dst_port, &data, &why))
		softwire_drop_payload(s, why);
	else if (dst_port != (initiator ? DHCP4_CLIENT_PORT : DHCP4_SERVER_PORT))
		softwire_drop_payload(s, NULL);
	else if (initiator)
		softwire_si4_dhcp(softwire_as_si(s), data.pos, reader_left(&data));
	else
		softwire_sc4_dhcp(softwire_as_sc(s), h, data.pos, reader_left(&data));
}

void softwire_input_ip4(struct softwire *s, const uint8_t *packet, size_t len)
{
	struct reader r = reader_of(packet, len);
	struct ip4 h;

	ip4_read(&r, &h);
	if (!reader_ok(&r))
		softwire_drop_payload(s, r.error);
	else if (h.protocol == PROTO_UDP)
		input_udp(s, &h, r);
	else
		softwire_drop_payload(s, NULL);
}
