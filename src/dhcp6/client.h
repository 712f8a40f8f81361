/*
 * dhcp6/client: the initiator's end of DHCPv6: a delegated prefix and DNS servers, or DNS servers alone (stateless).
 *
 * Sans-I/O; messages are UDP payloads, the owner adds the headers. RFC 8415 sections 15, 18.2; RFC 7084 W-requirements where
 * they touch a router; RFC 7083 (SOL_MAX_RT).
 *   stateful: Solicit (with Rapid Commit) -> [Advertise -> Request] -> Reply -> Renew at T1, Rebind at T2, Release on close.
 *   stateless: Information-Request -> Reply, again when the refresh time is over.
 * A client that held a prefix before (open with HINT) asks for it again.
 *
 * A softwire has one server, so the first Advertise that offers something is taken, without waiting for others
 * (section 18.2.1 collects for a second). All sending is bounded to 20 messages in 20 s (section 14.1).
 * Ops are called last: they may call any function here, open included.
 */
#ifndef DHCP6_CLIENT_H
#define DHCP6_CLIENT_H

#include "dhcp6/packet.h"
#include "lib/log.h"
#include "lib/rng.h"
#include "lib/wheel.h"

struct dhcp6_client;

struct dhcp6_binding {
	unsigned prefix_count;
	struct dhcp6_prefix prefixes[DHCP6_PREFIX_MAX];
	bool has_address; /* IA_NA, asked for when the RA's M flag was set (HS-ND-6) */
	struct dhcp6_prefix address;
	unsigned dns_count;
	struct addr dns[DHCP6_DNS_MAX];
};

struct dhcp6_client_ops {
	void (*send)(struct dhcp6_client *c, const uint8_t *message, size_t len);
	/* Bound, renewed or changed; prefixes that are gone have disappeared from BINDING. */
	void (*bound)(struct dhcp6_client *c, const struct dhcp6_binding *binding, msec now);
	/* The binding is over: valid lifetime ended, or the server said so. The client starts again by itself. */
	void (*lost)(struct dhcp6_client *c, const char *why);
	void (*note)(struct dhcp6_client *c, const char *text); /* may be NULL */
};

struct dhcp6_counters {
	uint64_t rx, tx, retransmits;
	uint64_t by_type[14]; /* received, by message type */
	/* Dropped or refused, by reason. */
	uint64_t bad_message, bad_xid, bad_duid, bad_server, refused, unexpected;
};

struct dhcp6_client_config {
	const struct dhcp6_client_ops *ops;
	struct rng *rng;
	struct dhcp6_counters *counters;
	uint8_t duid[DHCP6_DUID_MAX];
	size_t duid_len;
	uint32_t iaid;
	bool want_prefix;    /* a router: IA_PD in the Solicit (HS-DHCP-4) */
	uint8_t prefix_hint; /* length to ask for; 0: any */
	bool rapid_commit;
};

struct dhcp6_client {
	const struct dhcp6_client_config *config;
	uint8_t state;
	bool want_address, stateful;
	uint32_t xid;
	uint8_t server[DHCP6_DUID_MAX];
	size_t server_len;
	struct dhcp6_binding binding;
	struct dhcp6_binding hint; /* what to ask for: from earlier, or what was advertised */
	uint32_t t1, t2;           /* as in use, in seconds */
	uint32_t rt_ms, max_rt_s, inf_max_rt_s;
	uint16_t tries;
	uint8_t failures; /* exchanges in a row that gave nothing: how long to wait before the next */
	msec started_at, retransmit_at; /* of the exchange that is going on */
	msec bound_at;                  /* what the lifetimes in BINDING count from */
	msec renew_at, rebind_at, expires_at;
	struct limit limit;
};

/* STATEFUL: Solicit; else Information-Request. ADDRESS: also IA_NA. HINT may be NULL: a binding from earlier to ask for again. */
void dhcp6_client_open(struct dhcp6_client *c, const struct dhcp6_client_config *config, bool stateful,
	bool address, const struct dhcp6_binding *hint, msec now);
void dhcp6_client_input(struct dhcp6_client *c, const uint8_t *message, size_t len, msec now);
void dhcp6_client_tick(struct dhcp6_client *c, msec now);
msec dhcp6_client_deadline(const struct dhcp6_client *c);
/* The clock has stood still for SLEPT milliseconds, and lifetimes have not: tells bound() or lost() what is left. */
void dhcp6_client_slept(struct dhcp6_client *c, msec slept, msec now);
/* Sends Release once (RFC 8415 section 18.2.7 without waiting) and stops. */
void dhcp6_client_release(struct dhcp6_client *c, msec now);
/*
 * The client as bytes, for another process to go on with: the exchange that is going on, the binding, its times. Resume calls no op. 0, or -EBADMSG: R
 * has the reason, and *C is stopped. A binding by itself, too, for owners that keep one.
 */
void dhcp6_client_save(const struct dhcp6_client *c, struct writer *w);
int dhcp6_client_resume(
	struct dhcp6_client *c, const struct dhcp6_client_config *config, struct reader *r, msec now);
void dhcp6_binding_save(const struct dhcp6_binding *b, struct writer *w);
int dhcp6_binding_resume(struct dhcp6_binding *b, struct reader *r);
/* "stopped", "soliciting", "requesting", "bound", "renewing", "rebinding", "asking" or "informed" (stateless). */
const char *dhcp6_client_state(const struct dhcp6_client *c);

#endif
