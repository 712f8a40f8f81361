/*
 * nd/packet: the wire format of Neighbor Discovery (RFC 4861 section 4, RFC 8106 RDNSS).
 *
 * Messages are whole IPv6 packets, since on a softwire there is no device below them. Decoding applies the
 * validity checks of RFC 4861 sections 6.1 and 7.1: hop limit 255, checksum, code 0, length, option lengths not 0.
 */
#ifndef ND_PACKET_H
#define ND_PACKET_H

#include <stdbool.h>

#include "inet/packet.h"
#include "lib/addr.h"

enum { ND_RS = 133, ND_RA = 134, ND_NS = 135, ND_NA = 136, ND_REDIRECT = 137 };
enum { ND_INFINITE = 0xffffffff };
enum { ND_PREFIX_MAX = 8, ND_DNS_MAX = 4 };

struct nd_prefix {
	struct prefix prefix;
	uint32_t valid, preferred; /* seconds; ND_INFINITE */
	bool on_link, autonomous;
};

/* Everything that a Router Advertisement says. */
struct nd_advert {
	uint8_t hop_limit;
	bool managed, other;      /* M and O flags */
	uint16_t router_lifetime; /* seconds; 0: not a default router */
	uint32_t reachable_ms, retrans_ms;
	uint32_t mtu; /* 0: no option */
	unsigned prefix_count, dns_count;
	struct nd_prefix prefixes[ND_PREFIX_MAX];
	struct addr dns[ND_DNS_MAX];
	/* Seconds; the shortest when several options differ. Received with 0, a server is in dns_withdrawn[], not in dns[]. */
	uint32_t dns_lifetime;
	unsigned dns_withdrawn_count;
	struct addr dns_withdrawn[ND_DNS_MAX];
	uint8_t lladdr[6];
	bool has_lladdr; /* Source Link-Layer Address: on Ethernet only, never on a softwire */
};

struct nd_message {
	uint8_t type; /* ND_RS ... */
	struct addr src, dst;
	struct addr target;               /* NS and NA */
	bool router, solicited, override; /* NA */
	bool has_nonce;
	uint8_t nonce[6]; /* RFC 7527: tells our own looped-back DAD probe; other sizes count as none */
	struct nd_advert advert; /* RA */
};

/*
 * Decodes a whole IPv6 packet. 0; -EBADMSG with *why a static text; -ENOMSG when it is valid IPv6 but not ND.
 * Options that are unknown, do not belong to the message, or have another length than their type demands are skipped, as are
 * prefixes and DNS servers that do not fit.
 */
int nd_packet_read(const void *packet, size_t len, struct nd_message *ret, const char **why);
void nd_rs_write(struct writer *w, const struct addr *src);
void nd_ra_write(struct writer *w, const struct addr *src, const struct addr *dst, const struct nd_advert *a);
/* NONCE may be NULL. For DAD src is unspecified and dst the solicited-node group. */
void nd_ns_write(struct writer *w, const struct addr *src, const struct addr *dst, const struct addr *target,
	const uint8_t nonce[6]);
void nd_na_write(struct writer *w, const struct addr *src, const struct addr *dst, const struct addr *target,
	bool router, bool solicited, bool override);

struct addr nd_all_nodes(void);
struct addr nd_all_routers(void);
struct addr nd_solicited_node(const struct addr *target);
struct addr nd_link_local(uint64_t iid);

/* One line for trace and debug logs. */
void nd_packet_print(const void *packet, size_t len, char *buf, size_t size);

#endif
