/*
 * nd/node: what both ends of an IPv6 link do: own addresses, Duplicate Address Detection, answering solicitations and echoes.
 *
 * RFC 5571 section 5.3 demands DAD on the softwire. It runs optimistically (RFC 4429): the address is used at once,
 * because IPV6CP has already made the interface identifiers differ, and a duplicate is told through ops->duplicate().
 * Probes carry a nonce (RFC 7527), so a looped-back probe of our own is not a duplicate.
 * The node also answers Neighbor Solicitations and ICMPv6 echo requests for its addresses on this link, so that
 * a softwire with link-local addresses only can be pinged (PS-25).
 */
#ifndef ND_NODE_H
#define ND_NODE_H

#include "lib/rng.h"
#include "lib/wheel.h"
#include "nd/packet.h"

struct nd_node;

struct nd_node_ops {
	void (*send)(struct nd_node *n, const uint8_t *packet, size_t len);
	/* Another node has this address: stop using it. */
	void (*duplicate)(struct nd_node *n, const struct addr *a);
};

struct nd_counters {
	uint64_t rx, tx; /* messages taken in and sent by node, router and host together, echoes included */
	uint64_t rs_rx, ra_rx, ns_rx, na_rx, rs_tx, ra_tx, ns_tx, na_tx, echo_rx;
	/* Dropped, by reason. bad_packet: refused by nd_packet_read() (counted by its caller), or an echo request with a
	 * bad checksum. */
	uint64_t bad_packet;
	uint64_t bad_source; /* our own address, or one that cannot be answered */
	uint64_t ignored;    /* valid, but nothing to us: another target, too many solicitations */
	uint64_t duplicates; /* addresses of ours that another node has */
};

struct nd_node_config {
	const struct nd_node_ops *ops;
	struct rng *rng;
	struct nd_counters *counters;
	bool router;           /* the R flag of our advertisements */
	uint8_t dad_transmits; /* DupAddrDetectTransmits: 1, at most 63; 0 switches DAD off (HS-ND-5) */
	uint32_t retrans_ms;   /* 1,000 */
};

enum { ND_NODE_ADDRS = 2 }; /* link-local and one global */

struct nd_node_addr {
	struct addr addr; /* family 0: free */
	uint8_t nonce[6];
	uint8_t probes_left : 6;
	bool tentative : 1, duplicate : 1;
	msec dad_at; /* next probe, or the end of DAD */
};

struct nd_node {
	const struct nd_node_config *config;
	struct nd_node_addr addrs[ND_NODE_ADDRS];
};

void nd_node_open(struct nd_node *n, const struct nd_node_config *c);
/* Starts DAD for an address of ours: the first probe goes out at once. -ENOSPC when ND_NODE_ADDRS are in use; 0 when it
 * was there already (a duplicate stays one: remove it first to try again). */
int nd_node_add(struct nd_node *n, const struct addr *a, msec now);
void nd_node_remove(struct nd_node *n, const struct addr *a);
/* NS, NA and echo requests. True when the packet was for us (handled or dropped); M is the decoded ND message or NULL.
 * Solicitations and advertisements are always for us: they never leave the link. */
bool nd_node_input(struct nd_node *n, const struct nd_message *m, const void *packet, size_t len, msec now);
void nd_node_tick(struct nd_node *n, msec now);
/* Is DAD still running for A? */
bool nd_node_tentative(const struct nd_node *n, const struct addr *a);
msec nd_node_deadline(const struct nd_node *n);
/* The node as bytes, for another process to go on with; resume calls no op. 0, or -EBADMSG: R has the reason. */
void nd_node_save(const struct nd_node *n, struct writer *w);
int nd_node_resume(struct nd_node *n, const struct nd_node_config *c, struct reader *r, msec now);

#endif
