/*
 * inet/inner: what forwarding looks at of an IP packet inside another: is it a whole one, from where, to where, what flow.
 * The bytes are a stranger's; nothing before their end is trusted.
 */
#ifndef INET_INNER_H
#define INET_INNER_H

#include "lib/addr.h"

struct inner {
	struct addr src, dst;
	size_t len;    /* of the whole packet, without padding */
	size_t header; /* IPv4: of its header */
};

/* AF_INET, AF_INET6 or 0, as its first nibble says. */
uint8_t inner_family(const uint8_t *packet, size_t len);
/* False unless PACKET is a whole packet of FAMILY. */
bool inner_read(uint8_t family, const uint8_t *packet, size_t len, struct inner *ret);
/* Addresses that are not to be forwarded: link-local and multicast ones, broadcast, an unspecified source. */
bool inner_is_local(const struct inner *inner);
/* TTL or hop limit of a whole packet. */
uint8_t inner_ttl(const uint8_t *packet);
/* Makes it TTL if it is greater; IPv4's checksum is mended. */
void inner_lower_ttl(uint8_t *packet, uint8_t ttl);
/*
 * A hash of the flow that a whole packet belongs to: addresses, protocol, IPv6's own flow label, and the ports of TCP and UDP where they are known (RFC 6437
 * section 3, RFC 6438), keyed with SEED, so that nobody outside knows what meets. Fragments of one packet have the same: without ports. Ports behind
 * extension headers of IPv6 are not looked for.
 */
uint32_t inner_flow(const uint8_t *packet, const struct inner *inner, uint64_t seed);

#endif
