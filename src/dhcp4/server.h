/*
 * dhcp4/server: the concentrator's end of DHCP on one softwire.
 *
 * Its only client is the initiator at the far end, whose address and subnets the role has leased and committed already; so the server
 * keeps hardly any state. What it gives is asked for at the moment of answering (ops->describe).
 *   DISCOVER -> OFFER, or with Rapid Commit ACK. REQUEST -> ACK; NAK when it asks for what is not its own, so that it starts again.
 *   INFORM -> ACK without address and lease. RELEASE ends the use of what it names; DECLINE is noted (there is nobody else on the link).
 *   Subnets go to clients that ask for them by the Subnet Allocation option, in an exchange without an address (RFC 6656 section 4.2):
 *   all that the role has for them, in OFFER and, as far as the REQUEST names them, in ACK. h is 1 whatever was asked for: relayed requests for
 *   addresses of the subnet are not served here. A query (i = 1) is answered by an OFFER with c = 1 and what is reserved for the client
 *   (section 3.1), which is the same. A client that asks for a smaller subnet gets ours (section 3.1 wants at least what was asked for; less is
 *   noted). A DISCOVER for subnets where there are none is answered by an OFFER of the address. Only /8 to /30 are given (HS-PROV-14).
 * A client with its address from IPCP (offer.ipcp) gets no other address: OFFER and ACK name the one that it has.
 * RFC 2131 section 4.3; RFC 2132; RFC 6656; HS-DHCP-7 to 13.
 */
#ifndef DHCP4_SERVER_H
#define DHCP4_SERVER_H

#include "dhcp4/client.h"

struct dhcp4_server;

/* What this client may have. */
struct dhcp4_offer {
	struct addr address; /* none: nothing to give but DNS servers */
	bool ipcp;           /* the client has that address by IPCP already */
	struct addr server;  /* our identifier and the client's router: our end of the softwire */
	uint32_t lease;      /* seconds; 0: for ever */
	uint16_t mtu;        /* 0: not told */
	unsigned subnet_count;
	struct prefix subnets[DHCP4_SUBNET_MAX];
	unsigned dns_count;
	struct addr dns[DHCP4_DNS_MAX];
};

struct dhcp4_server_ops {
	/* DST: none: 255.255.255.255. The source is offer.server. */
	void (*send)(struct dhcp4_server *s, const struct addr *dst, const uint8_t *message, size_t len);
	void (*describe)(struct dhcp4_server *s, struct dhcp4_offer *ret);
	/* The address (unless it is IPCP's) or the subnets are in use from now on, or no longer: route them, or stop. Told when it changes. */
	void (*in_use)(struct dhcp4_server *s, bool address, bool subnets);
	/* A REQUEST that renews or rebinds (ciaddr is set, RFC 2131 section 4.3.2) was acknowledged. May be NULL. */
	void (*renewed)(struct dhcp4_server *s);
	void (*note)(struct dhcp4_server *s, const char *text); /* may be NULL */
};

struct dhcp4_server_config {
	const struct dhcp4_server_ops *ops;
	struct dhcp4_counters *counters;
	bool rapid_commit;
};

struct dhcp4_server {
	const struct dhcp4_server_config *config;
	bool using_address, using_subnets;
};

void dhcp4_server_open(struct dhcp4_server *s, const struct dhcp4_server_config *c);
void dhcp4_server_input(struct dhcp4_server *s, const uint8_t *message, size_t len, msec now);
/* The server as bytes, for another process to go on with. 0, or -EBADMSG: R has the reason. */
void dhcp4_server_save(const struct dhcp4_server *s, struct writer *w);
int dhcp4_server_resume(struct dhcp4_server *s, const struct dhcp4_server_config *c, struct reader *r);

#endif
