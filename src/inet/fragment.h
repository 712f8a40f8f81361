/*
 * inet/fragment: packets that do not fit are cut into pieces, one after the other into a buffer of the caller's.
 *
 *   struct ip_pieces f;
 *   if (ip4_pieces_begin(&f, packet, header, len, mtu))
 *           while ((n = ip_pieces_next(&f, buffer)))
 *                   send(buffer, n);
 *
 * RFC 791 section 3.2, RFC 1812 section 4.2.2.7 (IPv4), RFC 8200 section 4.5 (IPv6).
 */
#ifndef INET_FRAGMENT_H
#define INET_FRAGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IP4_HEADER_MAX = 60, IP4_LEAST_MTU = 68, IP6_FRAGMENT_HEADER = 8 };

struct ip_pieces {
	const uint8_t *packet, *data, *at, *end;
	size_t mtu, first_len, later_len; /* of the headers */
	uint32_t id;                      /* IPv6 */
	uint16_t word;                    /* IPv4: flags and offset of the packet itself */
	uint8_t later[IP4_HEADER_MAX];    /* IPv4: the header of all pieces but the first */
};

/* Does this IPv4 packet allow to be cut? */
bool ip4_may_fragment(const uint8_t *packet);
/*
 * An IPv4 packet, whole, of LEN octets with a header of HEADER; it may be a fragment already. The first piece has all options, the others those with the
 * copied flag. DF, where it is set, stays so. False: MTU is less than what every link takes.
 */
bool ip4_pieces_begin(struct ip_pieces *ret, const uint8_t *packet, size_t header, size_t len, size_t mtu);
/* An IPv6 packet without extension headers, by its source (nobody else may). Pieces have ID. False: MTU has no room for a piece. */
bool ip6_pieces_begin(struct ip_pieces *ret, const uint8_t *packet, size_t len, size_t mtu, uint32_t id);
/* The next piece, at most MTU octets, at OUT; how many; 0: that was all. */
size_t ip_pieces_next(struct ip_pieces *f, uint8_t *out);

#endif
