/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inet_packet: the first byte is an ICMP type, the second a code, two more an MTU; the rest is a packet, which is read (as IPv6 and as
 * IPv4), answered by ICMP errors, cut into pieces, has its ECN field merged and its MSS clamped.
 */
#include <stdlib.h>
#include <string.h>

#include "inet/fragment.h"
#include "inet/inner.h"
#include "inet/packet.h"
#include "inet/tos.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void try_udp(const struct ip6 *h, struct reader payload)
{
	uint16_t src_port = 0, dst_port = 0;
	static uint8_t buf[66000];
	struct writer w = writer_of(buf, sizeof(buf));
	struct reader udp, again;
	const char *why = NULL;
	struct ip6 header;

	if (!ip6_udp_read(h, payload, &src_port, &dst_port, &udp, &why)) {
		require(why && src_port == 0 && dst_port == 0);
		return;
	}
	/* Written again it is the same but for the IPv6 header's fields and bytes behind it. */
	ip6_udp_write(&w, &h->src, &h->dst, src_port, dst_port, udp.pos, reader_left(&udp));
	require(writer_ok(&w));
	again = reader_of(buf, writer_len(&w));
	ip6_read(&again, &header);
	require(reader_ok(&again) && reader_left(&again) <= reader_left(&payload));
	require(!memcmp(again.pos, payload.pos, reader_left(&again)));
}

static void try_read(const uint8_t *packet, size_t len)
{
	struct reader r = reader_of(packet, len);
	struct ip6 h = {.payload_len = 4711};

	ip6_read(&r, &h);
	if (!reader_ok(&r)) {
		require(h.payload_len == 4711);
		return;
	}
	require(len >= IP6_HEADER && reader_left(&r) == h.payload_len);
	try_udp(&h, r);
}

static void try_udp4(const struct ip4 *h, struct reader payload)
{
	uint16_t src_port = 0, dst_port = 0;
	static uint8_t buf[66000];
	struct writer w = writer_of(buf, sizeof(buf));
	struct reader udp, again;
	const char *why = NULL;
	struct ip4 header;

	if (!ip4_udp_read(h, payload, &src_port, &dst_port, &udp, &why)) {
		require(why && src_port == 0 && dst_port == 0);
		return;
	}
	/* Written again it is the same but for the header's fields, a checksum where there was none, and bytes behind it. */
	ip4_udp_write(&w, &h->src, &h->dst, src_port, dst_port, udp.pos, reader_left(&udp));
	require(writer_ok(&w));
	again = reader_of(buf, writer_len(&w));
	ip4_read(&again, &header);
	require(reader_ok(&again) && reader_left(&again) <= reader_left(&payload));
	require(addr_equal(&header.src, &h->src) && addr_equal(&header.dst, &h->dst));
	require(!memcmp(again.pos, payload.pos, 6));
	require(!memcmp(again.pos + UDP_HEADER, payload.pos + UDP_HEADER, reader_left(&again) - UDP_HEADER));
}

static void try_read4(const uint8_t *packet, size_t len)
{
	struct reader r = reader_of(packet, len);
	struct ip4 h = {.payload_len = 4711};

	ip4_read(&r, &h);
	if (!reader_ok(&r)) {
		require(h.payload_len == 4711);
		return;
	}
	require(len >= IP4_HEADER && reader_left(&r) == h.payload_len);
	try_udp4(&h, r);
}

/* Whatever an error is about: the error itself is well-formed, within its bound, quotes the packet, and provokes no other one. */
static void try_errors(uint8_t type, uint8_t code, const uint8_t *packet, size_t len)
{
	uint8_t buf[IP6_MIN_MTU], second[IP6_MIN_MTU];
	struct addr src6 = {.family = AF_INET6, .bytes = {0x20, 1}}, src4 = addr4(192, 0, 2, 1);
	struct writer w = writer_of(buf, sizeof(buf)), w2 = writer_of(second, sizeof(second));

	if (icmp6_error_write(&w, &src6, type & 0x7f, code, 1400, packet, len)) {
		struct reader r = reader_of(buf, writer_len(&w));
		struct ip6 h;

		ip6_read(&r, &h);
		require(reader_ok(&r) && h.next_header == PROTO_ICMP6 && addr_equal(&h.src, &src6));
		require(!ip6_checksum(&h.src, &h.dst, PROTO_ICMP6, r.pos, reader_left(&r)));
		require(!memcmp(r.pos + 8, packet, reader_left(&r) - 8));
		require(!icmp6_error_write(&w2, &src6, 1, 0, 0, buf, writer_len(&w)));
	} else {
		require(writer_len(&w) == 0);
	}
	w = writer_of(buf, sizeof(buf));
	if (icmp4_error_write(&w, &src4, 3, code, 1400, packet, len)) {
		require(writer_len(&w) <= 576 && !inet_fold(inet_sum(buf, IP4_HEADER, 0)));
		require(!inet_fold(inet_sum(buf + IP4_HEADER, writer_len(&w) - IP4_HEADER, 0)));
		require(!memcmp(buf + 28, packet, writer_len(&w) - 28));
		require(!icmp4_error_write(&w2, &src4, 3, 0, 0, buf, writer_len(&w)));
	} else {
		require(writer_len(&w) == 0);
	}
	require(writer_len(&w2) == 0);
}

/* The pieces of a whole packet fit, and have its data, each octet once and in order. */
static void try_pieces(const uint8_t *packet, size_t len, size_t mtu)
{
	uint8_t family = inner_family(packet, len), *out = malloc(mtu ? mtu : 1);
	struct ip_pieces f;
	struct inner inner;
	size_t n, at, header;

	if (out && inner_read(family, packet, len, &inner) &&
		(inner.header ? ip4_pieces_begin(&f, packet, inner.header, inner.len, mtu)
			      : ip6_pieces_begin(&f, packet, inner.len, mtu, 1))) {
		for (at = inner.header ? inner.header : IP6_HEADER; (n = ip_pieces_next(&f, out)); at += n - header) {
			header = inner.header ? (out[0] & 15U) * 4U : IP6_HEADER + IP6_FRAGMENT_HEADER;
			require(n <= mtu && n > header && n - header <= inner.len - at);
			require(!memcmp(out + header, packet + at, n - header));
		}
		require(at == inner.len);
	}
	free(out);
}

/* At most the two bits change, and IPv4's checksum. */
static void try_ecn(uint8_t *packet, size_t len, uint8_t outer)
{
	struct inner inner;
	bool unexpected;
	uint8_t tos;

	if (!inner_read(inner_family(packet, len), packet, len, &inner))
		return;
	tos = tos_read(packet);
	(void)inner_flow(packet, &inner, 1);
	if (ecn_decapsulate(packet, outer, &unexpected) == ECN_MARKED)
		require((tos_read(packet) & TOS_ECN) == ECN_CE && (tos & TOS_ECN) != ECN_CE);
	require((tos_read(packet) | TOS_ECN) == (tos | TOS_ECN));
}

/* The clamp changes at most the value and the checksum, is content with its own work, and keeps the sum of the packet. */
static void try_clamp(uint8_t *packet, size_t len, uint16_t mtu)
{
	uint8_t *before = malloc(len ? len : 1);
	size_t changed = 0;

	if (!before)
		return;
	if (len)
		memcpy(before, packet, len);
	if (!tcp_mss_clamp(packet, len, mtu)) {
		require(!len || !memcmp(before, packet, len));
	} else {
		for (size_t i = 0; i < len; i++)
			changed += before[i] != packet[i];
		require(changed >= 1 && changed <= 4);
		/* 0 and ffff are the same number in one's complement. */
		require(inet_fold(inet_sum(before, len, 0)) % 0xffff ==
			inet_fold(inet_sum(packet, len, 0)) % 0xffff);
		require(!tcp_mss_clamp(packet, len, mtu));
	}
	free(before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *packet;
	uint16_t mtu;

	if (size < 4)
		return 0;
	mtu = (uint16_t)(data[2] << 8 | data[3]);
	size -= 4;
	packet = malloc(size ? size : 1); /* of its own size, so that a write past the end is seen */
	if (!packet)
		return 0;
	if (size)
		memcpy(packet, data + 4, size);
	try_read(packet, size);
	try_read4(packet, size);
	try_errors(data[0], data[1], packet, size);
	try_pieces(packet, size, mtu);
	try_clamp(packet, size, mtu);
	try_ecn(packet, size, data[1]);
	free(packet);
	return 0;
}
