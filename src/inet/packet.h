/*
 * inet: the bytes of IPv6, IPv4, UDP and ICMPv6 that the engines and the data plane build and read themselves.
 *
 * Parts: packet.c (checksums, IPv6, ICMP errors, MSS) and ip4.c, below; inner.h (a packet inside another), tos.h (DSCP and ECN), fragment.h (pieces), offload.h (what kernels leave undone).
 * Pure functions. Nothing here keeps state, knows a softwire, or does I/O.
 * RFC 8200 (IPv6), RFC 4443 (ICMPv6), RFC 768 (UDP), RFC 1071/1624 (checksum), RFC 791 (IPv4), RFC 792 (ICMP).
 */
#ifndef INET_PACKET_H
#define INET_PACKET_H

#include "lib/addr.h"
#include "lib/reader.h"
#include "lib/writer.h"

enum { IP6_HEADER = 40, IP4_HEADER = 20, UDP_HEADER = 8, IP6_MIN_MTU = 1280 };
enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58 };

struct ip6 {
	struct addr src, dst;
	uint8_t next_header;
	uint8_t hop_limit;
	uint8_t traffic_class;
	uint16_t payload_len;
};

/*
 * One's complement sum of big-endian words, to be folded later; INITIAL chains calls (every chunk but the last of even
 * length). With INITIAL 0 the result has at most 16 bits, so a few words may be added to it by hand.
 */
uint32_t inet_sum(const void *data, size_t len, uint32_t initial);
/* Folds and inverts. */
uint16_t inet_fold(uint32_t sum);
/*
 * The checksum of an upper-layer packet with its IPv6 pseudo-header (RFC 8200 section 8.1). Over a packet that carries its
 * checksum already: 0 when it is right.
 */
uint16_t ip6_checksum(
	const struct addr *src, const struct addr *dst, uint8_t next_header, const void *data, size_t len);
/* RFC 1624: the checksum after one 16-bit word changed. */
uint16_t inet_checksum_update(uint16_t checksum, uint16_t old_word, uint16_t new_word);

/*
 * Reads an IPv6 header and leaves R at its payload, cut to payload_len (trailing bytes are dropped).
 * Fails with "truncated", "not IPv6", or "shorter than its payload length"; *ret is untouched then.
 */
void ip6_read(struct reader *r, struct ip6 *ret);
/* Writes the header; payload_len is patched by ip6_finish(). Returns the header's offset. */
size_t ip6_begin(struct writer *w, const struct ip6 *h);
/*
 * Sets the payload length and, for UDP and ICMPv6, the checksum of what follows the header at AT. (UDP's own length field
 * is the caller's.) A payload that is too long for the field or too short for the checksum is an overflow.
 */
void ip6_finish(struct writer *w, size_t at);

/* UDP inside IPv6, as DHCPv6 on a softwire needs it: false (with *why set to a static text) unless it is a whole
 * UDP datagram with the right checksum. Bytes behind the datagram are dropped. */
bool ip6_udp_read(const struct ip6 *h, struct reader payload, uint16_t *src_port, uint16_t *dst_port,
	struct reader *ret_data, const char **why);
/* Writes IPv6 + UDP headers and DATA. */
void ip6_udp_write(struct writer *w, const struct addr *src, const struct addr *dst, uint16_t src_port,
	uint16_t dst_port, const void *data, size_t len);

struct ip4 {
	struct addr src, dst;
	uint8_t protocol, ttl, tos;
	uint16_t id;
	uint16_t fragment; /* flags and offset as on the wire: 0x4000 DF, 0x2000 MF, 8-byte units */
	uint16_t payload_len;
};

/*
 * Reads an IPv4 header (options are skipped, the header checksum is verified) and leaves R at its payload, cut to the total length.
 * Fails with "truncated", "not IPv4", "bad header length", "shorter than its total length", "bad header checksum"; *ret is untouched then.
 */
void ip4_read(struct reader *r, struct ip4 *ret);
/* UDP inside IPv4, as DHCP on a softwire needs it: false (with *why set to a static text) unless it is a whole UDP datagram, no fragment, with
 * the right checksum or none. */
bool ip4_udp_read(const struct ip4 *h, struct reader payload, uint16_t *src_port, uint16_t *dst_port, struct reader *ret_data,
	const char **why);
/* Writes IPv4 (TTL 64, no DF, identification 0) + UDP headers and DATA, with both checksums. SRC and DST none: 0.0.0.0, 255.255.255.255. */
void ip4_udp_write(struct writer *w, const struct addr *src, const struct addr *dst, uint16_t src_port, uint16_t dst_port,
	const void *data, size_t len);

/*
 * An ICMPv6 error about the packet ABOUT (RFC 4443: as much of it as fits into 1280 bytes), from SRC to its source.
 * Writes nothing and returns false where RFC 4443 section 2.4 (e) forbids one: about ICMPv6 errors and redirects,
 * multicast destinations (but for Packet Too Big and Parameter Problem code 2), sources that are not one node; nor
 * about what may be one of these and cannot be told (type not in ABOUT, or in another fragment). Link-layer
 * broadcast is for the caller to know. Rate limits (2.4 (f)) are the caller's. ABOUT may be cut short, and need not fit.
 */
bool icmp6_error_write(struct writer *w, const struct addr *src, uint8_t type, uint8_t code, uint32_t param,
	const void *about, size_t about_len);
/*
 * The same for IPv4 (RFC 792, RFC 1812 section 4.3.2.7), at most 576 bytes in all. None about fragments but the first and
 * about sources or destinations that are no unicast address either. PARAM is the second word of the message (RFC 1191: the MTU).
 */
bool icmp4_error_write(struct writer *w, const struct addr *src, uint8_t type, uint8_t code, uint32_t param,
	const void *about, size_t about_len);

enum {
	ICMP6_UNREACHABLE = 1,
	ICMP6_TOO_BIG = 2,
	ICMP6_TIME_EXCEEDED = 3,
	ICMP6_ECHO_REQUEST_T = 128,
	ICMP6_ECHO_REPLY_T = 129,
	ICMP6_NO_ROUTE = 0,
	ICMP6_PROHIBITED = 1,
	ICMP6_ADDRESS = 3,
	ICMP6_INGRESS_POLICY = 5,
	ICMP6_REJECT_ROUTE = 6,
};

/*
 * Lowers the MSS option of a TCP SYN inside the IPv4 or IPv6 packet at PACKET to what fits MTU, and mends the checksum.
 * Leaves alone: fragments, other packets, SYNs whose MSS is not larger or absent, malformed options, an MTU without room
 * for a segment. In IPv6 the TCP header is found behind hop-by-hop and destination options only. A checksum that was wrong stays
 * wrong; one that is to be completed later (checksum offload) must not be mended, so such packets are not for here.
 * True when it changed something.
 */
bool tcp_mss_clamp(uint8_t *packet, size_t len, uint16_t mtu);

#endif
