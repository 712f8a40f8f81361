/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inet: checksums, headers, ICMP errors and MSS clamping. Only the checksum and the MSS clamp, which the data plane runs for
 * each packet, look at bytes without a cursor.
 */
#include <string.h>

#include "inet/packet.h"

enum {
	HOP_BY_HOP = 0,
	ROUTING = 43,
	FRAGMENT = 44,
	AUTHENTICATION = 51,
	DESTINATION_OPTIONS = 60,
	MAX_EXTENSIONS = 8, /* headers looked at; more than any honest packet has */
};

enum {
	ICMP6_PARAMETER_PROBLEM = 4,
	ICMP6_UNRECOGNIZED_OPTION = 2,
	ICMP6_REDIRECT = 137,
	ICMP6_INFORMATIONAL = 128
};
enum { IP4_DF = 0x4000, IP4_MF = 0x2000, IP4_OFFSET = 0x1fff, ICMP4_MAX = 576, ICMP_HEADER = 8 };
enum { ERROR_HOP_LIMIT = 64 };

uint32_t inet_sum(const void *data, size_t len, uint32_t initial)
{
	const uint8_t *p = data;
	uint64_t sum = 0;
	uint16_t folded, tail = 0;

	/*
	 * RFC 1071 section 2: the sum may be taken in the machine's byte order, in any width, and swapped once at the end. 32-bit
	 * halves into 64 bits cannot overflow.
	 */
	for (; len >= 8; len -= 8, p += 8) {
		uint64_t v;

		memcpy(&v, p, 8);
		sum += (v & UINT32_MAX) + (v >> 32);
	}
	for (; len >= 2; len -= 2, p += 2) {
		uint16_t v;

		memcpy(&v, p, 2);
		sum += v;
	}
	if (len)
		memcpy(&tail, p, 1); /* as if a zero byte followed */
	sum += tail;
	sum = (sum & UINT32_MAX) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	folded = (uint16_t)sum;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	folded = __builtin_bswap16(folded);
#endif
	sum = (uint64_t)folded + initial;
	return (uint32_t)((sum & UINT32_MAX) + (sum >> 32));
}

uint16_t inet_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

uint16_t ip6_checksum(
	const struct addr *src, const struct addr *dst, uint8_t next_header, const void *data, size_t len)
{
	uint32_t sum = inet_sum(src->bytes, 16, next_header);

	sum = inet_sum(dst->bytes, 16, sum);
	sum += (uint32_t)(len >> 16 & 0xffff) + (uint32_t)(len & 0xffff);
	return inet_fold(inet_sum(data, len, sum));
}

uint16_t inet_checksum_update(uint16_t checksum, uint16_t old_word, uint16_t new_word)
{
	/* RFC 1624, equation 3: HC' = ~(~HC + ~m + m') */
	return inet_fold((uint32_t)(uint16_t)~checksum + (uint16_t)~old_word + new_word);
}

void ip6_read(struct reader *r, struct ip6 *ret)
{
	struct reader in = *r;
	uint32_t first = reader_u32(&in);
	struct ip6 h = {.traffic_class = (uint8_t)(first >> 20)};
	const uint8_t *addresses;

	h.payload_len = reader_u16(&in);
	h.next_header = reader_u8(&in);
	h.hop_limit = reader_u8(&in);
	addresses = reader_bytes(&in, 32);
	if (!addresses)
		return reader_fail(r, "truncated");
	if (first >> 28 != 6)
		return reader_fail(r, "not IPv6");
	if (reader_left(&in) < h.payload_len)
		return reader_fail(r, "shorter than its payload length");
	h.src = addr6_of(addresses);
	h.dst = addr6_of(addresses + 16);
	*r = reader_sub(&in, h.payload_len);
	*ret = h;
}

size_t ip6_begin(struct writer *w, const struct ip6 *h)
{
	size_t at = writer_len(w);

	writer_u32(w, UINT32_C(6) << 28 | (uint32_t)h->traffic_class << 20);
	writer_u16(w, h->payload_len);
	writer_u8(w, h->next_header);
	writer_u8(w, h->hop_limit);
	writer_bytes(w, h->src.bytes, 16);
	writer_bytes(w, h->dst.bytes, 16);
	return at;
}

/* Where the checksum stands in an upper-layer header; 0 for protocols whose checksum is not ours. */
static size_t checksum_offset(uint8_t protocol)
{
	return protocol == PROTO_UDP ? 6 : protocol == PROTO_ICMP6 ? 2 : 0;
}

void ip6_finish(struct writer *w, size_t at)
{
	size_t len = writer_len(w), payload_len, offset;
	struct addr src, dst;
	uint8_t *header;
	uint16_t checksum;

	if (!writer_ok(w) || len < IP6_HEADER || at > len - IP6_HEADER)
		return;
	header = w->start + at;
	payload_len = len - at - IP6_HEADER;
	offset = checksum_offset(header[6]);
	if (payload_len > UINT16_MAX || (offset && payload_len < offset + 2)) {
		w->overflow = true;
		return;
	}
	writer_patch16(w, at + 4, (uint16_t)payload_len);
	if (!offset)
		return;
	src = addr6_of(header + 8);
	dst = addr6_of(header + 24);
	writer_patch16(w, at + IP6_HEADER + offset, 0);
	checksum = ip6_checksum(&src, &dst, header[6], header + IP6_HEADER, payload_len);
	if (!checksum && header[6] == PROTO_UDP)
		checksum = 0xffff; /* RFC 8200 section 8.1: 0 would mean none */
	writer_patch16(w, at + IP6_HEADER + offset, checksum);
}

bool ip6_udp_read(const struct ip6 *h, struct reader payload, uint16_t *src_port, uint16_t *dst_port,
	struct reader *ret_data, const char **why)
{
	struct reader whole = payload, in;
	uint16_t from = reader_u16(&payload), to = reader_u16(&payload), len = reader_u16(&payload);
	uint16_t checksum = reader_u16(&payload);
	const char *error = NULL;

	if (h->next_header != PROTO_UDP)
		error = "not UDP";
	else if (!reader_ok(&payload))
		error = "UDP header truncated";
	else if (len < UDP_HEADER)
		error = "UDP length shorter than its header";
	else if (len > reader_left(&whole))
		error = "UDP length beyond the packet";
	else if (!checksum)
		error = "no UDP checksum";
	else if (ip6_checksum(&h->src, &h->dst, PROTO_UDP, whole.pos, len))
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

void ip6_udp_write(struct writer *w, const struct addr *src, const struct addr *dst, uint16_t src_port,
	uint16_t dst_port, const void *data, size_t len)
{
	struct ip6 h = {.src = *src, .dst = *dst, .next_header = PROTO_UDP, .hop_limit = 64};
	size_t at = ip6_begin(w, &h), udp;

	writer_u16(w, src_port);
	writer_u16(w, dst_port);
	udp = writer_begin16(w);
	writer_u16(w, 0);
	writer_bytes(w, data, len);
	writer_end16(w, udp, 6); /* the two ports and the field itself stand before what it counts from */
	ip6_finish(w, at);
}

static bool is_extension(uint8_t type)
{
	return type == HOP_BY_HOP || type == ROUTING || type == FRAGMENT || type == AUTHENTICATION ||
	       type == DESTINATION_OPTIONS;
}

/*
 * Walks over extension headers from *NEXT_HEADER, which becomes the first one that is none. False when they do not end within the
 * input or within the bound, or where this is not the first fragment, so that R does not stand at the named header.
 */
static bool skip_extensions(struct reader *r, uint8_t *next_header)
{
	for (int i = 0; i < MAX_EXTENSIONS; i++) {
		uint8_t type = *next_header, next, len;

		if (!is_extension(type))
			return true;
		next = reader_u8(r);
		len = reader_u8(r);
		*next_header = next;
		if (type == FRAGMENT) {
			bool first = !(reader_u16(r) & 0xfff8);

			reader_skip(r, 4);
			if (!first)
				return false;
		} else if (type == AUTHENTICATION) {
			reader_skip(r, len * 4 + 6); /* RFC 4302 section 2.2: words minus 2 */
		} else {
			reader_skip(r, len * 8 + 6);
		}
		if (!reader_ok(r))
			return false;
	}
	return false;
}

/* RFC 4443 section 2.4 (e.1), (e.2): is what follows the IPv6 header an ICMPv6 error or redirect, or may it be one? */
static bool is_icmp6_error(struct reader r, uint8_t next_header)
{
	bool found = skip_extensions(&r, &next_header);
	uint8_t type;

	if (found && next_header != PROTO_ICMP6)
		return false;
	if (!found) /* a later fragment of what is certainly something else is nothing to be silent about */
		return next_header == PROTO_ICMP6 || is_extension(next_header) || !reader_ok(&r);
	type = reader_u8(&r);
	return !reader_ok(&r) || type < ICMP6_INFORMATIONAL || type == ICMP6_REDIRECT;
}

/* RFC 4443 section 2.4 (e.3): the two errors that may be sent about a packet to a group. */
static bool allowed_for_multicast(uint8_t type, uint8_t code)
{
	return type == ICMP6_TOO_BIG ||
	       (type == ICMP6_PARAMETER_PROBLEM && code == ICMP6_UNRECOGNIZED_OPTION);
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

bool icmp6_error_write(struct writer *w, const struct addr *src, uint8_t type, uint8_t code, uint32_t param,
	const void *about, size_t about_len)
{
	struct ip6 h = {.src = *src, .next_header = PROTO_ICMP6, .hop_limit = ERROR_HOP_LIMIT};
	struct reader r = reader_of(about, about_len);
	uint32_t first = reader_u32(&r);
	uint16_t payload_len = reader_u16(&r);
	uint8_t next_header = reader_u8(&r);
	const uint8_t *addresses;
	struct addr dst;
	size_t at;

	reader_skip(&r, 1);
	addresses = reader_bytes(&r, 32);
	if (!addresses || first >> 28 != 6)
		return false;
	h.dst = addr6_of(addresses);
	dst = addr6_of(addresses + 16);
	if (addr_is_unspecified(&h.dst) || addr_is_multicast(&h.dst)) /* (e.6) */
		return false;
	if (addr_is_multicast(&dst) && !allowed_for_multicast(type, code))
		return false;
	if (is_icmp6_error(r, next_header))
		return false;

	/* Section 2.4 (c): as much as possible within the minimum MTU; but nothing that stood behind the packet. */
	about_len = smaller(about_len, (size_t)IP6_HEADER + payload_len);
	at = ip6_begin(w, &h);
	writer_u8(w, type);
	writer_u8(w, code);
	writer_u16(w, 0);
	writer_u32(w, param);
	writer_bytes(w, about, smaller(about_len, IP6_MIN_MTU - IP6_HEADER - ICMP_HEADER));
	ip6_finish(w, at);
	return writer_ok(w);
}

/* RFC 1812 section 5.3.7: what is no source of a single host. */
static bool is_host4(const uint8_t a[4])
{
	return a[0] != 0 && a[0] != 127 && a[0] < 224;
}

/* RFC 792 and RFC 1812 section 4.3.2.7: the messages that are errors, about which none is sent. */
static bool is_icmp4_error(uint8_t type)
{
	return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

/* Does RFC 1812 section 4.3.2.7 allow an error about this packet? If so, how long it is and whom to tell. */
static bool may_answer4(const void *about, size_t about_len, size_t *ret_len, struct addr *ret_source)
{
	struct reader r = reader_of(about, about_len);
	uint8_t first = reader_u8(&r), protocol;
	uint16_t total_len, fragment;
	const uint8_t *addresses;
	size_t header_len = (size_t)(first & 15) * 4;

	reader_skip(&r, 1);
	total_len = reader_u16(&r);
	reader_skip(&r, 2);
	fragment = reader_u16(&r);
	reader_skip(&r, 1);
	protocol = reader_u8(&r);
	reader_skip(&r, 2);
	addresses = reader_bytes(&r, 8);
	if (!addresses || first >> 4 != 4 || header_len < IP4_HEADER || total_len < header_len)
		return false;
	reader_skip(&r, header_len - IP4_HEADER);
	if (!reader_ok(&r) || fragment & IP4_OFFSET || !is_host4(addresses) || addresses[4] >= 224)
		return false;
	if (protocol == PROTO_ICMP) {
		uint8_t type = reader_u8(&r);

		if (!reader_ok(&r) || is_icmp4_error(type))
			return false;
	}
	*ret_len = smaller(about_len, total_len);
	*ret_source = addr4_of(addresses);
	return true;
}

bool icmp4_error_write(struct writer *w, const struct addr *src, uint8_t type, uint8_t code, uint32_t param,
	const void *about, size_t about_len)
{
	size_t at = writer_len(w), icmp = at + IP4_HEADER, len;
	struct addr dst;

	if (!may_answer4(about, about_len, &len, &dst))
		return false;
	len = smaller(len, ICMP4_MAX - IP4_HEADER - ICMP_HEADER);
	writer_u8(w, 0x45);
	writer_u8(w, 0xc0); /* RFC 1812 section 4.3.2.5: precedence 6, internetwork control */
	writer_u16(w, (uint16_t)(IP4_HEADER + ICMP_HEADER + len));
	writer_u16(w, 0); /* an identification is for fragments, and this is small enough never to be one */
	writer_u16(w, IP4_DF);
	writer_u8(w, ERROR_HOP_LIMIT);
	writer_u8(w, PROTO_ICMP);
	writer_u16(w, 0);
	writer_bytes(w, src->bytes, 4);
	writer_bytes(w, dst.bytes, 4);
	writer_u8(w, type);
	writer_u8(w, code);
	writer_u16(w, 0);
	writer_u32(w, param);
	writer_bytes(w, about, len);
	if (!writer_ok(w))
		return false;
	writer_patch16(w, at + 10, inet_fold(inet_sum(w->start + at, IP4_HEADER, 0)));
	writer_patch16(w, icmp + 2, inet_fold(inet_sum(w->start + icmp, ICMP_HEADER + len, 0)));
	return true;
}

enum { TCP_HEADER = 20, TCP_SYN = 0x02, OPTION_END = 0, OPTION_NOP = 1, OPTION_MSS = 2, MSS_LEN = 4 };

static uint16_t load16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void store16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* Where the MSS value stands among the LEN bytes of options; 0 when there is none or the options are malformed. */
static size_t find_mss(const uint8_t *options, size_t len)
{
	size_t found = 0, at = 0;

	while (at < len && options[at] != OPTION_END) {
		size_t n;

		if (options[at] == OPTION_NOP) {
			at++;
			continue;
		}
		if (len - at < 2)
			return 0;
		n = options[at + 1];
		if (n < 2 || n > len - at)
			return 0;
		if (options[at] == OPTION_MSS) {
			if (n != MSS_LEN || found) /* two of them: which one counts is anybody's guess */
				return 0;
			found = at + 2;
		}
		at += n;
	}
	return found;
}

static bool clamp_tcp(uint8_t *tcp, size_t len, uint16_t max)
{
	size_t header_len, at;
	uint16_t mss, from, to;

	if (len < TCP_HEADER || !(tcp[13] & TCP_SYN))
		return false;
	header_len = (size_t)(tcp[12] >> 4) * 4;
	if (header_len < TCP_HEADER || header_len > len)
		return false;
	at = find_mss(tcp + TCP_HEADER, header_len - TCP_HEADER);
	if (!at)
		return false;
	at += TCP_HEADER;
	mss = load16(tcp + at);
	if (mss <= max)
		return false;
	store16(tcp + at, max);
	/* At an odd offset the two bytes belong to two words, which sums up to the same as one swapped word (RFC 1071 section 2). */
	from = at % 2 ? __builtin_bswap16(mss) : mss;
	to = at % 2 ? __builtin_bswap16(max) : max;
	store16(tcp + 16, inet_checksum_update(load16(tcp + 16), from, to));
	return true;
}

static bool clamp4(uint8_t *packet, size_t len, uint16_t mtu)
{
	size_t header_len = (size_t)(packet[0] & 15) * 4,
	       total_len = len >= IP4_HEADER ? load16(packet + 2) : 0;

	if (header_len < IP4_HEADER || total_len < header_len || total_len > len ||
		mtu <= IP4_HEADER + TCP_HEADER)
		return false;
	if (packet[9] != PROTO_TCP || load16(packet + 6) & (IP4_MF | IP4_OFFSET))
		return false;
	return clamp_tcp(
		packet + header_len, total_len - header_len, (uint16_t)(mtu - IP4_HEADER - TCP_HEADER));
}

static bool clamp6(uint8_t *packet, size_t len, uint16_t mtu)
{
	size_t at = IP6_HEADER, end = len >= IP6_HEADER ? IP6_HEADER + (size_t)load16(packet + 4) : 0;
	uint8_t next_header;

	if (!end || end > len || mtu <= IP6_HEADER + TCP_HEADER)
		return false;
	next_header = packet[6];
	for (int i = 0; next_header == HOP_BY_HOP || next_header == DESTINATION_OPTIONS; i++) {
		if (i == MAX_EXTENSIONS || end - at < 8)
			return false;
		next_header = packet[at];
		at += (size_t)packet[at + 1] * 8 + 8;
		if (at > end)
			return false;
	}
	if (next_header != PROTO_TCP)
		return false;
	return clamp_tcp(packet + at, end - at, (uint16_t)(mtu - IP6_HEADER - TCP_HEADER));
}

bool tcp_mss_clamp(uint8_t *packet, size_t len, uint16_t mtu)
{
	if (!len)
		return false;
	switch (packet[0] >> 4) {
	case 4:
		return clamp4(packet, len, mtu);
	case 6:
		return clamp6(packet, len, mtu);
	default:
		return false;
	}
}
