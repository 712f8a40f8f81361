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
	uint64_t rx, tx, rs_rx, ra_rx, ns_rx, na_rx, rs_tx, ra_tx, ns_tx, na_tx, echo_rx;
	uint64_t bad_packet, bad_source, ignored, duplicates; /* dropped, by reason */
};

struct nd_node_config {
	const struct nd_node_ops *ops;
	struct rng *rng;
	struct nd_counters *counters;
	bool router;	      /* the R flag of our advertisements */
	uint8_t dad_transmits; /* DupAddrDetectTransmits: 1; 0 switches DAD off (HS-ND-5) */
	uint32_t retrans_ms;  /* 1,000 */
};

enum { ND_NODE_ADDRS = 2 }; /* link-local and one global */

struct nd_node {
	const struct nd_node_config *config;
	struct {
		struct addr addr; /* family 0: free */
		uint8_t probes_left;
		uint8_t nonce[6];
		bool tentative, duplicate;
	} addrs[ND_NODE_ADDRS];
	msec dad_at;
};

void nd_node_open(struct nd_node *n, const struct nd_node_config *c);
/* Starts DAD for an address of ours. -ENOSPC when ND_NODE_ADDRS are in use; 0 when it was there already. */
int nd_node_add(struct nd_node *n, const struct addr *a, msec now);
void nd_node_remove(struct nd_node *n, const struct addr *a);
/* NS, NA and echo requests. True when the packet was for us (handled or dropped); M is the decoded ND message or NULL. */
bool nd_node_input(struct nd_node *n, const struct nd_message *m, const void *packet, size_t len, msec now);
void nd_node_tick(struct nd_node *n, msec now);
msec nd_node_deadline(const struct nd_node *n);

#endif
