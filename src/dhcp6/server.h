/*
 * dhcp6/server: the concentrator's end of DHCPv6 on one softwire.
 *
 * Its only client is the initiator at the far end, whose prefixes the role has already leased; so the server keeps
 * hardly any state. What it gives is asked for at the moment of answering (ops->describe). Before the first Reply
 * that grants something, the client's DUID and IAID are recorded with the user's lease (ops->bind), which may take
 * time: retransmissions are ignored meanwhile. A DUID that differs from the recorded one is told to the role
 * through the same call, which may refuse; so is another IAID.
 *   granted by: Request, Renew, Rebind, Solicit with Rapid Commit. Plain Solicits and Information-requests wait for nobody.
 *   The first IA_PD gets every prefix and the first IA_NA the address; further ones get NoPrefixAvail or NoAddrsAvail.
 *   T1 and T2 are 0.5 and 0.8 of the shortest preferred lifetime. Renewing what is not theirs gets it back with lifetimes 0.
 *   DNS servers are sent when the client asks for them. RFC 8415 section 18.3; RFC 3646; HS-DHCP-1..6, HS-AAA-9.
 */
#ifndef DHCP6_SERVER_H
#define DHCP6_SERVER_H

#include "dhcp6/client.h"
#include "dhcp6/packet.h"
#include "lib/wheel.h"

struct dhcp6_server;
struct dhcp6_pending; /* private: a request that waits for bound() */

/* What this client may have. */
struct dhcp6_offer {
	unsigned prefix_count;
	struct dhcp6_prefix prefixes[DHCP6_PREFIX_MAX];
	bool has_address; /* for IA_NA (HS-ND-6) */
	struct dhcp6_prefix address;
	unsigned dns_count;
	struct addr dns[DHCP6_DNS_MAX];
};

struct dhcp6_server_ops {
	void (*send)(struct dhcp6_server *s, const uint8_t *message, size_t len);
	void (*describe)(struct dhcp6_server *s, struct dhcp6_offer *ret);
	/* Record this DUID and IAID with the lease; answer with dhcp6_server_bound(). */
	void (*bind)(struct dhcp6_server *s, const struct dhcp6_duid *duid, uint32_t iaid);
	/* The client has released its prefixes: stop routing them (the lease stays the user's). */
	void (*released)(struct dhcp6_server *s);
	/* The prefixes are in use from now on: route them. Called with the first Reply and after a release. */
	void (*in_use)(struct dhcp6_server *s);
	/* A Renew or Rebind was granted. May be NULL. */
	void (*renewed)(struct dhcp6_server *s);
	void (*note)(struct dhcp6_server *s, const char *text); /* may be NULL */
};

struct dhcp6_server_config {
	const struct dhcp6_server_ops *ops;
	struct dhcp6_counters *counters;
	uint8_t duid[DHCP6_DUID_MAX]; /* ours */
	size_t duid_len;
	bool rapid_commit;
	uint8_t preference; /* 255: clients ask at once; sent when not 0 */
	uint32_t refresh;   /* Information Refresh Time, seconds; 0: not sent */
};

struct dhcp6_server {
	const struct dhcp6_server_config *config;
	bool bound; /* the DUID is recorded */
	bool using_prefixes;
	uint32_t duid_hash; /* of the recorded DUID and IAID */
	struct dhcp6_pending *pending;
};

void dhcp6_server_open(struct dhcp6_server *s, const struct dhcp6_server_config *c);
/* The owner has discarded Solicit, Confirm, Rebind and Information-request with a unicast destination (section 16). */
void dhcp6_server_input(struct dhcp6_server *s, const uint8_t *message, size_t len, msec now);
/* The answer to ops->bind, also from inside it. OK false: the client gets NoPrefixAvail with TEXT (may be NULL). */
void dhcp6_server_bound(struct dhcp6_server *s, bool ok, const char *text, msec now);
/* The server as bytes, for another process to go on with; a request that waits for bound() is not part of it: the client sends it again. 0, or
 * -EBADMSG: R has the reason. */
void dhcp6_server_save(const struct dhcp6_server *s, struct writer *w);
int dhcp6_server_resume(struct dhcp6_server *s, const struct dhcp6_server_config *c, struct reader *r);
/* Frees what is pending; sends and calls nothing. */
void dhcp6_server_done(struct dhcp6_server *s);

#endif
