/*
 * inet/tos: DSCP and ECN, which IPv4's TOS and IPv6's Traffic Class have in one byte: six bits, and two.
 *
 * RFC 2983 (DSCP and tunnels), RFC 6040 (ECN and tunnels).
 */
#ifndef INET_TOS_H
#define INET_TOS_H

#include <stdbool.h>
#include <stdint.h>

enum {
	TOS_ECN = 3,    /* the bits that are ECN's */
	TOS_CS6 = 0xc0, /* network control (RFC 4594 section 3.2), Not-ECT */
};
enum ecn { ECN_NOT_ECT, ECN_ECT1, ECN_ECT0, ECN_CE };

/* TOS or Traffic Class of PACKET, which is an IP packet. */
uint8_t tos_read(const uint8_t *packet);

enum ecn_result {
	ECN_KEPT,   /* or changed to what is no congestion */
	ECN_MARKED, /* the packet has CE now, and had not */
	ECN_DROP,   /* it cannot be marked: it is to be dropped, and is untouched */
};
/*
 * Out of a tunnel: merges the OUTER header's ECN field (other bits do not matter) into the inner PACKET, as RFC 6040 section 4.2 says; IPv4's checksum is mended.
 * *ret_unexpected: a combination that no encapsulator and no router makes of anything, which SHOULD be logged. An OUTER of Not-ECT changes
 * nothing.
 */
enum ecn_result ecn_decapsulate(uint8_t *packet, uint8_t outer, bool *ret_unexpected);
const char *ecn_name(uint8_t tos); /* "ECT(0)" */

#endif
