/*
 * inet/offload: what kernels leave undone in packets that stay within a machine, or that they have merged, and that somebody who sends them on has to do.
 *
 * A packet of this machine, or of the host of a virtual one, may have a transport checksum that is only begun: the sum of the pseudo-header, for an interface to
 * complete. And what comes from the wire is merged (GRO): TCP segments of a flow become one packet of up to 64 KiB, with such a checksum, also behind the outer header
 * of a tunnel that nobody has taken off yet. The kernel knows that, and how large the segments were; who reads a raw socket does not.
 */
#ifndef INET_OFFLOAD_H
#define INET_OFFLOAD_H

#include "inet/inner.h"

/* Is the checksum of TCP or UDP in a whole, unfragmented packet only begun? A right one, and a merely wrong one, is not. */
bool transport_is_begun(const uint8_t *packet, const struct inner *inner);
/* Completes it. */
void transport_complete(uint8_t *packet, const struct inner *inner);

enum { TCP_SEGMENT_HEADERS = 256 };

struct tcp_segments {
	uint8_t headers[TCP_SEGMENT_HEADERS]; /* of the packet: IP's and TCP's */
	size_t header_len, transport;         /* octets of both; where TCP's begins */
	uint8_t *data, *at, *end;
	size_t room; /* data of a segment */
	bool six;
};
/*
 * A whole TCP packet, unfragmented, as segments of at most MTU octets (all with IP header), each with the checksum completed. Made in place: a segment is over when the next one is
 * asked for. False: it is no TCP with data, or its headers leave no room.
 */
bool tcp_segments_begin(struct tcp_segments *ret, uint8_t *packet, const struct inner *inner, size_t mtu);
/* NULL: that was all. */
uint8_t *tcp_segments_next(struct tcp_segments *s, size_t *ret_len);

#endif
