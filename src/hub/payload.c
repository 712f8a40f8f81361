/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPv6 packets that end at the softwire itself: Neighbor Discovery, DHCPv6, echo requests to our addresses.
 *
 * The data plane sends everything here whose source or destination is link-local or multicast. What nobody here knows is
 * counted and dropped.
 */
#include "hub/engine.h"

#include <errno.h>
#include <stdio.h>

/* ---- our addresses on the link ---- */

static void node_send(struct nd_node *n, const uint8_t *packet, size_t len)
{
	softwire_send_packet(container_of(n, struct softwire, node), PPP_IPV6, packet, len);
}

static void node_duplicate(struct nd_node *n, const struct addr *a)
{
	struct softwire *s = container_of(n, struct softwire, node);
	char text[128], buf[ADDR_TEXT];

	snprintf(text, sizeof(text), "duplicate address %s: the peer uses it too", addr_print(a, buf));
	softwire_note(s, text);
	softwire_close(s, CAUSE_PROTOCOL, L2TP_STOP_CLEAR, 0, text, s->now);
}

const struct nd_node_ops softwire_node_ops = {.send = node_send, .duplicate = node_duplicate};

/* ---- sending ---- */

void softwire_send_dhcp6(struct softwire *s, const struct addr *dst, uint16_t src_port, uint16_t dst_port,
	const void *message, size_t len)
{
	uint8_t buf[IP6_HEADER + UDP_HEADER + DHCP6_MESSAGE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct addr src = nd_link_local(s->ppp.iid);

	ip6_udp_write(&w, &src, dst, src_port, dst_port, message, len);
	if (writer_ok(&w))
		softwire_send_packet(s, PPP_IPV6, buf, writer_len(&w));
}

/* ---- receiving ---- */

void softwire_drop_payload(struct softwire *s, const char *why)
{
	s->config->counters->bad_payload++;
	if (why)
		softwire_note(s, why);
}

static void input_nd(struct softwire *s, const struct nd_message *m, const uint8_t *packet, size_t len)
{
	switch (m->type) {
	case ND_RS:
		if (!softwire_is_initiator(s))
			nd_router_input(&softwire_as_sc(s)->router, m, s->now);
		return;
	case ND_RA:
		if (softwire_is_initiator(s))
			nd_host_input(&softwire_as_si(s)->host, m, s->now);
		return;
	default:
		if (!nd_node_input(&s->node, m, packet, len, s->now))
			softwire_drop_payload(s, NULL);
	}
}

/* RFC 8415 section 16: a server discards these when they come to a unicast address. */
static bool multicast_only(struct reader message)
{
	switch (reader_u8(&message)) {
	case DHCP6_SOLICIT:
	case DHCP6_CONFIRM:
	case DHCP6_REBIND:
	case DHCP6_INFORMATION_REQUEST:
		return true;
	default:
		return false;
	}
}

/*
 * RFC 8415 section 7.2: clients listen on 546, servers on 547. Clients talk from their link-local address,
 * and servers answer to it, so nobody beyond the link can. Where a server answers from is its own affair.
 */
static void input_dhcp6(struct softwire *s, const struct ip6 *h, uint16_t dst_port, struct reader data)
{
	bool initiator = softwire_is_initiator(s);

	if (!addr_is_link_local(initiator ? &h->dst : &h->src) ||
		dst_port != (initiator ? DHCP6_CLIENT_PORT : DHCP6_SERVER_PORT))
		softwire_drop_payload(s, NULL);
	else if (initiator)
		softwire_si_dhcp6(softwire_as_si(s), data.pos, reader_left(&data));
	else if (!addr_is_multicast(&h->dst) && multicast_only(data))
		softwire_drop_payload(s, "DHCPv6 message to a unicast address that belongs to all servers");
	else
		softwire_sc_dhcp6(softwire_as_sc(s), data.pos, reader_left(&data), &h->src);
}

static void input_udp(struct softwire *s, const struct ip6 *h, struct reader payload)
{
	uint16_t src_port, dst_port;
	struct reader data;
	const char *why;

	if (!ip6_udp_read(h, payload, &src_port, &dst_port, &data, &why)) {
		softwire_drop_payload(s, why);
		return;
	}
	input_dhcp6(s, h, dst_port, data);
}

void softwire_input_ip6(struct softwire *s, const uint8_t *packet, size_t len)
{
	struct reader r = reader_of(packet, len);
	struct nd_message m;
	const char *why;
	struct ip6 h;
	int err;

	err = nd_packet_read(packet, len, &m, &why);
	if (err == 0) {
		input_nd(s, &m, packet, len);
		return;
	}
	if (err == -EBADMSG) {
		s->config->counters->nd.bad_packet++;
		softwire_drop_payload(s, why);
		return;
	}
	ip6_read(&r, &h);
	if (!reader_ok(&r))
		softwire_drop_payload(s, r.error);
	else if (h.next_header == PROTO_UDP)
		input_udp(s, &h, r);
	else if (!nd_node_input(&s->node, NULL, packet, len, s->now))
		softwire_drop_payload(s, NULL);
}
