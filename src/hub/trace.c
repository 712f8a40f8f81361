/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words for trace events: picks the printer of the right protocol folder. */
#include "hub/trace.h"

#include <errno.h>
#include <stdio.h>

static void describe_ip6(const void *data, size_t len, char *buf, size_t size)
{
	struct reader r = reader_of(data, len), payload;
	char src[ADDR_TEXT], dst[ADDR_TEXT];
	uint16_t src_port, dst_port;
	struct nd_message m;
	const char *why;
	struct ip6 h;

	if (nd_packet_read(data, len, &m, &why) != -ENOMSG) {
		nd_packet_print(data, len, buf, size);
		return;
	}
	ip6_read(&r, &h);
	if (!reader_ok(&r)) {
		snprintf(buf, size, "bad packet: %s", r.error);
	} else if (h.next_header == PROTO_UDP && ip6_udp_read(&h, r, &src_port, &dst_port, &payload, &why) &&
		(dst_port == DHCP6_SERVER_PORT || dst_port == DHCP6_CLIENT_PORT)) {
		dhcp6_packet_print(payload.pos, reader_left(&payload), buf, size);
	} else {
		snprintf(buf, size, "%s > %s next-header=%u length=%u", addr_print(&h.src, src), addr_print(&h.dst, dst),
			h.next_header, h.payload_len);
	}
}

static void describe_ip4(const void *data, size_t len, char *buf, size_t size)
{
	struct reader r = reader_of(data, len), payload;
	char src[ADDR_TEXT], dst[ADDR_TEXT];
	uint16_t src_port, dst_port;
	const char *why;
	struct ip4 h;

	ip4_read(&r, &h);
	if (!reader_ok(&r))
		snprintf(buf, size, "bad packet: %s", r.error);
	else if (h.protocol == PROTO_UDP && ip4_udp_read(&h, r, &src_port, &dst_port, &payload, &why) &&
		 (dst_port == DHCP4_SERVER_PORT || dst_port == DHCP4_CLIENT_PORT))
		dhcp4_packet_print(payload.pos, reader_left(&payload), buf, size);
	else
		snprintf(buf, size, "%s > %s protocol=%u length=%u", addr_print(&h.src, src),
			addr_print(&h.dst, dst), h.protocol, h.payload_len);
}

void softwire_trace_describe(enum softwire_trace what, const void *data, size_t len, struct softwire_trace_words *ret)
{
	static const struct {
		const char *dir, *layer;
	} names[] = {
		[TRACE_RX_CONTROL] = {"rx", "l2tp"},
		[TRACE_TX_CONTROL] = {"tx", "l2tp"},
		[TRACE_RX_PPP] = {"rx", "ppp"},
		[TRACE_TX_PPP] = {"tx", "ppp"},
		[TRACE_RX_IP6] = {"rx", "ip6"},
		[TRACE_TX_IP6] = {"tx", "ip6"},
		[TRACE_RX_IP4] = {"rx", "ip4"},
		[TRACE_TX_IP4] = {"tx", "ip4"},
		[TRACE_NOTE] = {"note", "softwire"},
	};

	ret->dir = names[what].dir;
	ret->layer = names[what].layer;
	ret->text[0] = '\0';
	switch (what) {
	case TRACE_RX_CONTROL:
	case TRACE_TX_CONTROL:
		l2tp_packet_print(data, len, ret->text, sizeof(ret->text));
		break;
	case TRACE_RX_PPP:
	case TRACE_TX_PPP:
		ppp_frame_print(data, len, ret->text, sizeof(ret->text));
		break;
	case TRACE_RX_IP6:
	case TRACE_TX_IP6:
		describe_ip6(data, len, ret->text, sizeof(ret->text));
		break;
	case TRACE_RX_IP4:
	case TRACE_TX_IP4:
		describe_ip4(data, len, ret->text, sizeof(ret->text));
		break;
	case TRACE_NOTE:
		snprintf(ret->text, sizeof(ret->text), "%.*s", (int)len, (const char *)data);
		break;
	}
}
