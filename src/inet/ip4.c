/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inet: IPv4 headers, and UDP in them. */
#include "inet/packet.h"

enum { IP4_MF = 0x2000, IP4_OFFSET = 0x1fff, IP4_TTL = 64 };

/* The fixed part of the header. */
static struct ip4 read_fixed(struct reader *in, uint8_t *ret_first, uint16_t *ret_total_len)
{
	uint8_t addresses[8];
	struct ip4 h = {0};

	*ret_first = reader_u8(in);
	h.tos = reader_u8(in);
	*ret_total_len = reader_u16(in);
	h.id = reader_u16(in);
	h.fragment = reader_u16(in);
	h.ttl = reader_u8(in);
	h.protocol = reader_u8(in);
	reader_skip(in, 2);
	reader_copy(in, addresses, sizeof(addresses));
	h.src = addr4_of(addresses);
	h.dst = addr4_of(addresses + 4);
	return h;
}

void ip4_read(struct reader *r, struct ip4 *ret)
{
	struct reader in = *r, whole = *r;
	uint16_t total_len;
	uint8_t first;
	struct ip4 h = read_fixed(&in, &first, &total_len);
	size_t header_len = (size_t)(first & 15) * 4;
	const uint8_t *header = reader_bytes(&whole, header_len);

	if (!reader_ok(&in))
		return reader_fail(r, "truncated");
	if (first >> 4 != 4)
		return reader_fail(r, "not IPv4");
	if (header_len < IP4_HEADER || header_len > total_len)
		return reader_fail(r, "bad header length");
	if (!header || reader_left(&whole) < total_len - header_len)
		return reader_fail(r, "shorter than its total length");
	if (inet_fold(inet_sum(header, header_len, 0)))
		return reader_fail(r, "bad header checksum");
	h.payload_len = (uint16_t)(total_len - header_len);
	*r = reader_sub(&whole, h.payload_len);
	*ret = h;
}

/* RFC 768: the checksum with the pseudo-header; over a datagram that carries its checksum already: 0 when it is right. */
static uint16_t udp_checksum(const struct addr *src, const struct addr *dst, const void *datagram, size_t len)
{
	uint32_t sum = inet_sum(src->bytes, 4, PROTO_UDP + (uint32_t)len);

	return inet_fold(inet_sum(datagram, len, inet_sum(dst->bytes, 4, sum)));
}

bool ip4_udp_read(const struct ip4 *h, struct reader payload, uint16_t *src_port, uint16_t *dst_port,
	struct reader *ret_data, const char **why)
{
	struct reader whole = payload, in;
	uint16_t from = reader_u16(&payload), to = reader_u16(&payload), len = reader_u16(&payload);
	uint16_t checksum = reader_u16(&payload);
	const char *error = NULL;

	if (h->protocol != PROTO_UDP)
		error = "not UDP";
	else if (h->fragment & (IP4_MF | IP4_OFFSET))
		error = "fragment";
	else if (!reader_ok(&payload))
		error = "UDP header truncated";
	else if (len < UDP_HEADER)
		error = "UDP length shorter than its header";
	else if (len > reader_left(&whole))
		error = "UDP length beyond the packet";
	else if (checksum && udp_checksum(&h->src, &h->dst, whole.pos, len))
		error = "wrong UDP checksum";
	if (error) {
		*why = error;
		return false;
	}
	in = reader_sub(&whole, len);
	reader_skip(&in, UDP_HEADER);
	*src_port = from;
	*dst_port = to;
	*ret_data = in;
	return true;
}

void ip4_udp_write(struct writer *w, const struct addr *src, const struct addr *dst, uint16_t src_port,
	uint16_t dst_port, const void *data, size_t len)
{
	struct addr from = addr_is_none(src) ? addr4(0, 0, 0, 0) : *src;
	struct addr to = addr_is_none(dst) ? addr4(255, 255, 255, 255) : *dst;
	size_t at = writer_len(w), udp = at + IP4_HEADER;
	uint16_t checksum;

	if (len > UINT16_MAX - IP4_HEADER - UDP_HEADER) {
		w->overflow = true;
		return;
	}
	writer_u16(w, 0x4500);
	writer_u16(w, (uint16_t)(IP4_HEADER + UDP_HEADER + len));
	writer_u32(w, 0); /* identification, flags, offset */
	writer_u8(w, IP4_TTL);
	writer_u8(w, PROTO_UDP);
	writer_u16(w, 0);
	writer_bytes(w, from.bytes, 4);
	writer_bytes(w, to.bytes, 4);
	writer_u16(w, src_port);
	writer_u16(w, dst_port);
	writer_u16(w, (uint16_t)(UDP_HEADER + len));
	writer_u16(w, 0);
	writer_bytes(w, data, len);
	if (!writer_ok(w))
		return;
	writer_patch16(w, at + 10, inet_fold(inet_sum(w->start + at, IP4_HEADER, 0)));
	checksum = udp_checksum(&from, &to, w->start + udp, UDP_HEADER + len);
	writer_patch16(w, udp + 6, checksum ? checksum : 0xffff); /* RFC 768: 0 would mean none */
}
