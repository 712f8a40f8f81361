/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inet: begun checksums and merged segments. */
#include "inet/offload.h"

#include <string.h>

#include "inet/packet.h"

enum { HOP_BY_HOP = 0, DESTINATION_OPTIONS = 60, MAX_EXTENSIONS = 8 };
enum {
	TCP_HEADER = 20,
	TCP_AT_SEQ = 4,
	TCP_AT_OFFSET = 12,
	TCP_AT_FLAGS = 13,
	TCP_AT_CHECKSUM = 16,
	UDP_AT_CHECKSUM = 6
};
enum { TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_PSH = 0x08, TCP_URG = 0x20, TCP_CWR = 0x80 };

static uint16_t load16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void store16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint32_t load32(const uint8_t *p)
{
	return (uint32_t)load16(p) << 16 | load16(p + 2);
}

/* Where the transport's header begins; 0: it is a fragment, or not to be found. */
static size_t find_transport(const uint8_t *packet, const struct inner *inner, uint8_t *ret_protocol)
{
	size_t at = IP6_HEADER;
	uint8_t next = packet[6];

	if (inner->header) {
		*ret_protocol = packet[9];
		return (packet[6] & 0x3f) | packet[7] ? 0 : inner->header;
	}
	for (unsigned i = 0; next == HOP_BY_HOP || next == DESTINATION_OPTIONS; i++) {
		if (i == MAX_EXTENSIONS || inner->len - at < 8)
			return 0;
		next = packet[at];
		at += (size_t)packet[at + 1] * 8 + 8;
		if (at > inner->len)
			return 0;
	}
	*ret_protocol = next;
	return at;
}

/* Where TCP or UDP has its checksum; 0: it is another protocol, or is cut. */
static size_t find_checksum(
	const uint8_t *packet, const struct inner *inner, size_t *ret_transport, uint8_t *ret_protocol)
{
	size_t at = find_transport(packet, inner, ret_protocol);

	*ret_transport = at;
	if (at && *ret_protocol == PROTO_TCP && inner->len - at >= TCP_HEADER)
		return at + TCP_AT_CHECKSUM;
	if (at && *ret_protocol == PROTO_UDP && inner->len - at >= UDP_HEADER)
		return at + UDP_AT_CHECKSUM;
	return 0;
}

/* Of the addresses in an IP header, protocol and length; at most 16 bits and a bit. */
static uint32_t pseudo_sum(const uint8_t *packet, bool six, uint8_t protocol, size_t len)
{
	uint32_t sum = inet_sum(packet + (six ? 8 : 12), six ? 32 : 8, 0);

	return sum + protocol + (uint32_t)len;
}

bool transport_is_begun(const uint8_t *packet, const struct inner *inner)
{
	size_t transport, at;
	uint8_t protocol = 0;
	uint16_t begun;
	uint32_t pseudo;

	at = find_checksum(packet, inner, &transport, &protocol);
	if (!at)
		return false;
	pseudo = pseudo_sum(packet, !inner->header, protocol, inner->len - transport);
	begun = (uint16_t)~inet_fold(pseudo);
	if (load16(packet + at) != begun)
		return false;
	/* One in 65535 has this by chance, and is right. */
	return inet_fold(inet_sum(packet + transport, inner->len - transport, pseudo)) != 0;
}

void transport_complete(uint8_t *packet, const struct inner *inner)
{
	size_t transport, at;
	uint8_t protocol = 0;
	uint16_t checksum;

	at = find_checksum(packet, inner, &transport, &protocol);
	if (!at)
		return;
	store16(packet + at, 0);
	checksum = inet_fold(inet_sum(packet + transport, inner->len - transport,
		pseudo_sum(packet, !inner->header, protocol, inner->len - transport)));
	store16(packet + at,
		!checksum && protocol == PROTO_UDP ? 0xffff : checksum); /* RFC 768: 0 would mean none */
}

bool tcp_segments_begin(struct tcp_segments *ret, uint8_t *packet, const struct inner *inner, size_t mtu)
{
	size_t transport, headers;
	uint8_t protocol = 0;

	if (!find_checksum(packet, inner, &transport, &protocol) || protocol != PROTO_TCP)
		return false;
	headers = transport + (size_t)(packet[transport + TCP_AT_OFFSET] >> 4) * 4;
	if (headers < transport + TCP_HEADER || headers >= inner->len || headers > TCP_SEGMENT_HEADERS ||
		headers >= mtu)
		return false;
	if (packet[transport + TCP_AT_FLAGS] & (TCP_SYN | TCP_RST | TCP_URG)) /* nobody merges those */
		return false;
	*ret = (struct tcp_segments){.header_len = headers,
		.transport = transport,
		.data = packet + headers,
		.at = packet + headers,
		.end = packet + inner->len,
		.room = mtu - headers,
		.six = !inner->header};
	memcpy(ret->headers, packet, headers);
	return true;
}

static void write_ip(const struct tcp_segments *s, uint8_t *packet, size_t len, size_t index)
{
	size_t header = (packet[0] & 15U) * 4U;

	if (s->six) {
		store16(packet + 4, len - IP6_HEADER);
		return;
	}
	store16(packet + 2, len);
	store16(packet + 4, (load16(packet + 4) + index) & 0xffff);
	store16(packet + 10, 0);
	store16(packet + 10, inet_fold(inet_sum(packet, header, 0)));
}

static void write_tcp(const struct tcp_segments *s, uint8_t *packet, size_t len)
{
	uint8_t *tcp = packet + s->transport;
	uint32_t seq = load32(tcp + TCP_AT_SEQ) + (uint32_t)(s->at - s->data);
	size_t tcp_len = len - s->transport;

	store16(tcp + TCP_AT_SEQ, seq >> 16);
	store16(tcp + TCP_AT_SEQ + 2, seq & 0xffff);
	if (packet + len < s->end)
		tcp[TCP_AT_FLAGS] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	if (s->at != s->data) /* RFC 3168 section 6.1.2: once */
		tcp[TCP_AT_FLAGS] &= (uint8_t)~TCP_CWR;
	store16(tcp + TCP_AT_CHECKSUM, 0);
	store16(tcp + TCP_AT_CHECKSUM,
		inet_fold(inet_sum(tcp, tcp_len, pseudo_sum(packet, s->six, PROTO_TCP, tcp_len))));
}

uint8_t *tcp_segments_next(struct tcp_segments *s, size_t *ret_len)
{
	size_t left = (size_t)(s->end - s->at), data = left < s->room ? left : s->room,
	       len = s->header_len + data;
	uint8_t *packet = s->at - s->header_len;

	if (!left)
		return NULL;
	memcpy(packet, s->headers, s->header_len);
	write_ip(s, packet, len, (size_t)(s->at - s->data) / s->room);
	write_tcp(s, packet, len);
	s->at += data;
	*ret_len = len;
	return packet;
}
