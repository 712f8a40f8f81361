/*
 * dhcp4/client: the initiator's end of DHCP on a softwire: an IPv4 address where IPCP gave none (HS-PPP-19), DNS servers, and subnets
 * for the networks behind it (RFC 6656, HS-DHCP-9 to 13).
 *
 * Sans-I/O; messages are UDP payloads, the owner adds the headers. RFC 2131 section 4.4.
 *   an address to get: DISCOVER -> OFFER -> REQUEST -> ACK, then REQUEST at T1 (to the server) and T2 (to anybody), RELEASE on close.
 *   subnets wanted: a second exchange of the same kind, with its own lease, once there is an address (of IPCP, or by the first one), which
 *   is its ciaddr. They are two because RFC 6656 section 4.2 wants it: a server that sees a Subnet Allocation option gives no address.
 *   an address from IPCP and no subnets wanted, or none to be had: INFORM -> ACK, for DNS servers; no answer to five of them ends it.
 * The Subnet Allocation option has one Subnet-Request with h = 1, i = 0 where nothing was allocated and 1 in queries about what is held
 * already, and length 0 or the longest that is acceptable; a prefix that was held before is named in Subnet-Information, c and s 0.
 * (RFC 6656 section 3.1: i = 1 only asks and ends with the OFFER; hs-01 wants it once a prefix was allocated. So a client that held
 * one asks with i = 1 first, and takes what the OFFER names by a REQUEST; when it names none, or nobody answers, it asks with i = 0.)
 * A server that knows no such option is asked again when the address is renewed, or after an hour where IPCP gave it. Subnets that
 * the server deprecates (d = 1) are given up at once, and released. That it has still more (s = 1) is only noted.
 *
 * On a softwire there is one server, so the first acceptable OFFER is taken. Retransmission: RFC 2131 section 4.1 (4 s doubling to 64 s, ±1 s);
 * the first is earlier (2 s), because a softwire loses nothing to collisions; while only subnets are missing the doubling goes on to an hour.
 * All sending is bounded to 20 messages in 20 s. Ops are called last (but for note): they may call any function here, open included.
 */
#ifndef DHCP4_CLIENT_H
#define DHCP4_CLIENT_H

#include "dhcp4/packet.h"
#include "lib/log.h"
#include "lib/rng.h"
#include "lib/wheel.h"

struct dhcp4_client;

struct dhcp4_binding {
	bool has_address; /* by DHCP, not by IPCP */
	struct addr address;
	uint8_t mask_len;   /* 32 on a softwire, whatever the server says is for show */
	struct addr server; /* its identifier */
	struct addr router; /* or none */
	uint32_t lease;     /* seconds from now until the first of it ends; DHCP4_INFINITE: never */
	uint16_t mtu;       /* 0: none */
	unsigned subnet_count;
	struct dhcp4_subnet subnets[DHCP4_SUBNET_MAX];
	unsigned dns_count;
	struct addr dns[DHCP4_DNS_MAX];
};

struct dhcp4_client_ops {
	/* SRC: our address, or none: 0.0.0.0. DST: the server, or none: 255.255.255.255. */
	void (*send)(struct dhcp4_client *c, const struct addr *src, const struct addr *dst,
		const uint8_t *message, size_t len);
	/* Bound, renewed or changed; subnets that are gone, or deprecated, have disappeared from BINDING. */
	void (*bound)(struct dhcp4_client *c, const struct dhcp4_binding *binding, msec now);
	/* Address and subnets are all over: the lease ended, or NAK. The client starts again by itself. */
	void (*lost)(struct dhcp4_client *c, const char *why);
	void (*note)(struct dhcp4_client *c, const char *text); /* may be NULL */
};

struct dhcp4_counters {
	uint64_t rx, tx, retransmits;
	uint64_t by_type[DHCP4_TYPES]; /* received, by message type */
	/* Dropped or refused, by reason. */
	uint64_t bad_message, bad_xid, bad_client, bad_server, refused, unexpected;
};

struct dhcp4_client_config {
	const struct dhcp4_client_ops *ops;
	struct rng *rng;
	struct dhcp4_counters *counters;
	uint8_t client_id[DHCP4_CLIENT_ID_MAX]; /* option 61, type byte included */
	size_t client_id_len;
	bool want_subnet;   /* a router: Subnet Allocation option (HS-DHCP-9) */
	uint8_t subnet_len; /* the longest (smallest) subnet that is acceptable; 0: any (HS-DHCP-12) */
	bool rapid_commit;  /* RFC 4039 */
};

/* Private: one exchange and the lease that it brought. */
struct dhcp4_exchange {
	uint8_t state;
	bool querying;    /* i = 1 */
	bool known;       /* what HINT names was given once, not only offered */
	uint8_t failures; /* in a row: how long to wait before the next */
	uint16_t tries;
	uint32_t xid;
	struct addr server;
	uint16_t mtu;
	unsigned dns_count;
	struct addr dns[DHCP4_DNS_MAX];
	msec started_at, asked_at; /* the exchange; the first of the message that is being repeated */
	msec retransmit_at, renew_at, rebind_at, expires_at;
};

struct dhcp4_client {
	const struct dhcp4_client_config *config;
	struct addr own; /* IPCP's, or none */
	struct dhcp4_exchange address, subnets;
	struct dhcp4_binding binding; /* address, mask, router and subnets; the rest is in the exchanges */
	struct dhcp4_binding hint;    /* to ask for: from earlier, or what was offered */
	unsigned dropped_count;       /* deprecated: to be released at drop_at */
	struct dhcp4_subnet dropped[DHCP4_SUBNET_MAX];
	msec drop_at;
	struct limit limit;
};

/* OWN: the address that IPCP agreed on, or none. HINT may be NULL: a binding from earlier, whose address and subnets are asked for again. */
void dhcp4_client_open(struct dhcp4_client *c, const struct dhcp4_client_config *config,
	const struct addr *own, const struct dhcp4_binding *hint, msec now);
void dhcp4_client_input(struct dhcp4_client *c, const uint8_t *message, size_t len, msec now);
void dhcp4_client_tick(struct dhcp4_client *c, msec now);
msec dhcp4_client_deadline(const struct dhcp4_client *c);
/* The clock has stood still for SLEPT milliseconds, and leases have not: tells bound() what is left; what is over ends with the next tick. */
void dhcp4_client_slept(struct dhcp4_client *c, msec slept, msec now);
/* Sends RELEASE once for the address and once for the subnets, where they are held, and stops. */
void dhcp4_client_release(struct dhcp4_client *c, msec now);
/*
 * The client as bytes, for another process to go on with: both exchanges, the binding, its times. Resume calls no op. 0, or -EBADMSG: R has the reason,
 * and *C is stopped. A binding by itself, too, for owners that keep one.
 */
void dhcp4_client_save(const struct dhcp4_client *c, struct writer *w);
int dhcp4_client_resume(
	struct dhcp4_client *c, const struct dhcp4_client_config *config, struct reader *r, msec now);
void dhcp4_binding_save(const struct dhcp4_binding *b, struct writer *w);
int dhcp4_binding_resume(struct dhcp4_binding *b, struct reader *r);
/*
 * "stopped", "selecting", "requesting", "bound", "renewing", "rebinding", "informing", "informed": of the exchange for the address
 * (INFORM included) where there is one, else of that for subnets.
 */
const char *dhcp4_client_state(const struct dhcp4_client *c);

#endif
