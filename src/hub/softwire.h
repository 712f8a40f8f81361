/*
 * hub/softwire: one hub-and-spoke softwire as an engine, for either end: L2TPv2 + PPP + Neighbor Discovery + DHCPv6 + DHCPv4 wired once.
 *
 * Sans-I/O. Both roles, the simulation, the fuzzers and the load generator use it. The owner embeds struct
 * softwire_sc or softwire_si (both begin with struct softwire), feeds UDP payloads and answers, and gets packets, requests and
 * events through typed ops. The engine arms its one timer in the wheel that its configuration names.
 *
 * Order of set-up (HS-L2TP-12): SCCRQ SCCRP SCCCN, ICRQ ICRP ICCN, LCP, authentication, NCPs, RS/RA and DHCPv6 (IPv6), DHCPv4 (IPv4).
 *   SC: ops->want_tunnel_secret -> ops->authenticate -> ops->want_lease (once the user is known) -> NCPs -> ops->up for each family
 *   SI: ops->up when IPV6CP or IPCP is open; ops->configured with every change of what RA, DHCPv6, IPCP and DHCPv4 gave
 * One or both payload families (c->ppp.ipv6, c->ppp.ipv4): each has its own NCP, comes and goes by itself; the softwire stays as long as
 * one is up, or may still come (RFC 1661 section 3.5). When all have been refused it ends (CAUSE_NO_ADDRESS); what was up once may come again.
 * While one family is up the initiator tries the other one again, after a minute first and then ever more seldom, up to once an hour: a negotiation
 * may have died of a machine that slept. (Not IPv4 where IPCP is not known to the peer.)
 * IPv4 at the SI: IPCP gives an address and DNS servers; where it gives no address (0.0.0.0, or the option or IPCP itself is rejected), DHCPv4 asks
 * for one (HS-PPP-19, 20); after a Protocol-Reject of IPCP its packets go without an NCP, for dhcp4_wait_ms at most. A router asks for subnets by
 * DHCPv4 in any case, a host with an address from IPCP for DNS servers only if IPCP gave none.
 *   either: ops->down(why) once, when PPP is gone or never came; ops->released when the memory may go (after softwire_done()).
 *
 * Payload packets never come here once the softwire is up: the data plane takes them. What it cannot handle itself
 * (control messages, PPP control protocols, link-local and multicast IPv6, DHCPv4) it hands to softwire_input().
 * RFC 5571.
 */
#ifndef HUB_SOFTWIRE_H
#define HUB_SOFTWIRE_H

#include "dhcp4/server.h"
#include "dhcp6/client.h"
#include "dhcp6/server.h"
#include "l2tp/tunnel.h"
#include "lib/container.h"
#include "nd/host.h"
#include "nd/node.h"
#include "nd/router.h"
#include "ppp/link.h"

enum softwire_step { /* how far set-up has come; also names the step in failure logs */
	STEP_TUNNEL, STEP_LCP, STEP_AUTH, STEP_LEASE, STEP_NCP, STEP_UP, STEP_CLOSING, STEP_CLOSED,
};

/* Why a softwire ended or never came up: step, a stable word for metrics, and a sentence for people. */
enum softwire_cause {
	CAUSE_LOCAL, CAUSE_PEER, CAUSE_DEAD_PEER, CAUSE_NO_ANSWER, CAUSE_TUNNEL_AUTH, CAUSE_USER_AUTH, CAUSE_NO_ADDRESS, CAUSE_PROTOCOL,
	CAUSE_REPLACED, CAUSE_SHUTDOWN, CAUSE_RESOURCES, CAUSE_LOOP, CAUSE_MOVED, CAUSE_MAX,
};

struct softwire_why {
	enum softwire_cause cause;
	enum softwire_step step; /* where it ended */
	uint16_t result, error;	 /* L2TP codes where there were any */
	char text[160];
	char said[L2TP_MESSAGE_MAX]; /* the peer's own words, printable; "": none */
};

struct softwire;

struct softwire_counters {
	struct l2tp_counters l2tp;
	struct ppp_counters ppp;
	struct nd_counters nd;
	struct dhcp6_counters dhcp6;
	struct dhcp4_counters dhcp4;
	uint64_t bad_header, bad_session, bad_frame, bad_payload; /* packets that came up and were dropped, by reason */
	uint64_t up, down[CAUSE_MAX];
};

/*
 * What a user was given; the answer to want_lease. Lifetimes in seconds; DHCPv4's lease is `valid`. dns[] has both families: RA and DHCPv6 tell
 * the IPv6 ones, IPCP and DHCPv4 the IPv4 ones.
 * The engine's own copy ends behind the last delegated prefix, so it must not be copied as a whole.
 */
struct softwire_lease {
	uint64_t iid;	      /* of the initiator, by Configure-Nak; 0: any (HS-SCEN-11) */
	uint32_t preferred, valid;
	struct prefix link6;  /* the softwire's /64; none: link-local only */
	struct addr address4; /* the initiator's; none: no IPv4, IPCP is Protocol-Rejected */
	bool managed;	      /* set the M flag: the address comes by DHCPv6 */
	bool no_ipv6;	      /* this user has no IPv6: IPV6CP is Protocol-Rejected */
	bool dhcp4;	      /* DHCPv4 gives the address; IPCP then acknowledges 0.0.0.0 */
	uint8_t dns_count, prefix4_count, prefix_count;
	struct addr dns[DHCP6_DNS_MAX];
	struct prefix delegated4[DHCP4_SUBNET_MAX];
	struct prefix delegated[DHCP6_PREFIX_MAX];
};

enum softwire_trace { TRACE_RX_CONTROL, TRACE_TX_CONTROL, TRACE_RX_PPP, TRACE_TX_PPP, TRACE_RX_IP6, TRACE_TX_IP6, TRACE_RX_IP4, TRACE_TX_IP4, TRACE_NOTE };

struct softwire_ops {
	/* UDP payload for the peer. */
	void (*send)(struct softwire *s, const uint8_t *payload, size_t len);
	/* SC: answer with softwire_tunnel_secret(). SI: the same. */
	void (*want_tunnel_secret)(struct softwire *s, const char *peer_host_name);
	/* The peer's CHAP or PAP claim: answer with softwire_verified(). */
	void (*authenticate)(struct softwire *s, const struct ppp_claim *claim);
	/* Our own CHAP or PAP secret: answer with softwire_ppp_secret(). */
	void (*want_ppp_secret)(struct softwire *s, const char *peer_name);
	/* As in struct ppp_ops: answer with softwire_eap(), softwire_verified() (authenticator) or softwire_eap_result() (peer). May be NULL. */
	void (*eap)(struct softwire *s, bool authenticator, const uint8_t *packet, size_t len);
	/* SC only: the user is known, or nobody has to be (s->ppp.peer_anonymous, or demand_auth is off): answer with softwire_sc_lease(). */
	void (*want_lease)(struct softwire *s);
	/* SC only: record DUID with the lease: answer with softwire_sc_bound(). */
	void (*bind_duid)(struct softwire *s, const struct dhcp6_duid *duid, uint32_t iaid);
	/* SC only: delegated prefixes (subnets) of FAMILY are to be routed to this softwire, or no longer (also when FAMILY goes down while the
	 * softwire stays). Told when it changes; down() ends both. */
	void (*delegated)(struct softwire *s, uint8_t family, bool in_use);
	/* SC only: the peer has renewed what it has of FAMILY (DHCPv6 Renew and Rebind; DHCPv4 REQUEST with its address in ciaddr), and got it. May be NULL. */
	void (*renewed)(struct softwire *s, uint8_t family);
	/* Data may flow: the NCP of FAMILY is open. SI, AF_INET: where IPCP gave no address configured() follows when DHCPv4 has; where the peer does
	 * not know IPCP, DHCPv4's address is what brings the family up. */
	void (*up)(struct softwire *s, uint8_t family);
	/* That family stopped (NCP closed) while the softwire stays. */
	void (*family_down)(struct softwire *s, uint8_t family, const char *why);
	/* That family came to nothing, while the other one is up or may still come. May be NULL. */
	void (*family_refused)(struct softwire *s, uint8_t family, const char *why);
	/* SI only: addresses, prefixes, DNS or default router changed: see struct softwire_si_state. */
	void (*configured)(struct softwire *s);
	void (*down)(struct softwire *s, const struct softwire_why *why);
	void (*released)(struct softwire *s);
	/* What softwire_sc_save() or softwire_si_save() writes is not what it was when this was told last: hub/save.h. May be NULL. */
	void (*changed)(struct softwire *s);
	/* When the data plane last heard the peer, and sent something to it: asked before the timers are looked at, so that HELLO is sent only
	 * when nothing else was (HS-L2TP-30). May be NULL. */
	void (*activity)(struct softwire *s, msec *ret_heard, msec *ret_sent);
	/* Every control packet and note, when tracing is on for this softwire. Data as on the wire: UDP payload, PPP frame, IPv6 or IPv4
	 * packet, text. */
	void (*trace)(struct softwire *s, enum softwire_trace what, const void *data, size_t len);
	/* Something was refused or dropped; a peer can cause it. */
	void (*note)(struct softwire *s, const char *text);
};

/* One per role (or per set of equal softwires); built by softwire_config_init() and constant while softwires live. */
struct softwire_config {
	const struct softwire_ops *ops;
	struct wheel *wheel;
	struct rng *rng;
	struct softwire_counters *counters;
	struct l2tp_config l2tp;
	struct ppp_config ppp;
	struct nd_node_config nd;
	struct nd_router_config router;	     /* SC */
	struct nd_host_config host;	     /* SI */
	struct dhcp6_server_config dhcp6_server; /* SC */
	struct dhcp6_client_config dhcp6_client; /* SI */
	struct dhcp4_server_config dhcp4_server; /* SC */
	struct dhcp4_client_config dhcp4_client; /* SI */
	struct addr local4;		     /* SC: our end of every softwire; none: no IPv4 is offered */
	uint32_t dhcp4_wait_ms;		     /* SI: how long to look for a DHCPv4 server where IPCP is unknown to the peer; 15,000 */
	uint32_t router_lifetime;	     /* SC: seconds, at most 9000 */
	uint64_t iid;			     /* our interface identifier; 0: random */
	uint32_t setup_ms;		     /* a softwire without any open NCP by then is ended; 90,000 */
	uint32_t dhcp6_wait_ms;		     /* SI: DHCPv6 starts with the first RA, or after this time without one; 4,000 */
};

/* Fills in every default for END: ops tables of the engines below, timers of the RFCs. The owner then changes what it wants. */
void softwire_config_init(struct softwire_config *c, enum l2tp_end end, const struct softwire_ops *ops, struct wheel *wheel,
	struct rng *rng, struct softwire_counters *counters);

struct softwire {
	const struct softwire_config *config;
	struct wheel_timer timer;
	struct l2tp_tunnel tunnel;
	struct ppp_link ppp;
	struct nd_node node;
	uint8_t step;	 /* enum softwire_step */
	uint8_t depth;	 /* calls into the engine that are on the stack: released() waits for the last */
	bool tracing;	 /* ops->trace is wanted; the owner sets and clears it */
	bool ppp_open, ppp_dead, up6, up4, down_told, finished;
	bool delegated4; /* SC: what ops->delegated() was told last about IPv4 */
	uint8_t asked, refused; /* families whose NCP was begun, and those of them that came to nothing; private */
	uint16_t mtu;	 /* of the inner link; from the path, lowered by the peer's MRU */
	msec now;	 /* of the call that is on the stack */
	msec started_at; /* for set-up time and for the limit on it */
	msec up_at;	 /* first time up; 0 before */
	uint64_t saved;	 /* digest of the record that ops->changed() was told about; private */
	struct softwire_why *why; /* set when it is ending: the first reason counts */
};

struct softwire_sc {
	struct softwire softwire; /* first */
	struct nd_router router;
	struct dhcp6_server dhcp6;
	struct dhcp4_server dhcp4;
	struct softwire_lease *lease; /* NULL until granted; owned by the engine */
};

/* What the initiator has learned, to be put into the kernel by its role. */
struct softwire_si_state {
	struct addr link_local, peer_link_local;
	bool has_address;
	struct addr address; /* in the softwire's /64 */
	uint32_t address_valid, address_preferred; /* seconds from learned_at */
	msec learned_at;
	bool router_known; /* an advertisement was here, since the link is up */
	bool default_router;
	uint32_t mtu; /* from RA; 0: none */
	bool has_binding;
	struct dhcp6_binding binding; /* delegated prefixes, lifetimes from bound_at */
	msec bound_at;
	bool dns_told;	    /* somebody has said which servers there are, maybe none any more (RFC 8106 section 5.1) */
	unsigned dns_count; /* IPv6: DHCPv6's, else the RA's */
	struct addr dns[DHCP6_DNS_MAX];
	/* IPv4 */
	struct addr address4; /* ours, by IPCP or DHCPv4; none: not known (yet) */
	struct addr peer4;    /* the concentrator's end; may be none */
	bool address4_by_dhcp;
	bool has_binding4;
	struct dhcp4_binding binding4; /* subnets and lease, from bound4_at */
	msec bound4_at;
	unsigned dns4_count; /* DHCPv4's, else IPCP's */
	struct addr dns4[DHCP4_DNS_MAX];
};

struct softwire_si {
	struct softwire softwire; /* first */
	struct nd_host host;
	struct dhcp6_client dhcp6;
	bool dhcp6_open, dhcp6_stateful;
	msec dhcp6_at; /* when to start DHCPv6 without an RA */
	const struct dhcp6_binding *hint; /* the owner's; must stay valid while the softwire lives */
	struct dhcp4_client dhcp4;
	bool dhcp4_open;
	bool without_ipcp; /* the peer does not know IPCP: DHCPv4 may bring IPv4 all the same, until dhcp4_until */
	msec dhcp4_until;
	const struct dhcp4_binding *hint4; /* like hint */
	msec again_at; /* when a family that is missing is tried again */
	uint8_t again_tries;
	struct softwire_si_state state;
};

/* MTU is what the inner link can carry on this path (RFC 5571 section 5.2.1): link MTU - IP - 20. 0 or -ENOMEM. */
int softwire_si_open(struct softwire_si *s, const struct softwire_config *c, uint16_t tunnel_id, uint16_t session_id,
	uint32_t call_serial, uint16_t mtu, const struct dhcp6_binding *hint, const struct dhcp4_binding *hint4, msec now);
/* PACKET is an SCCRQ with header tunnel id 0. 0, or -EBADMSG: refused or malformed; what had to be said was sent, and no other op is called. */
int softwire_sc_accept(struct softwire_sc *s, const struct softwire_config *c, uint16_t tunnel_id, uint16_t session_id,
	const uint8_t *packet, size_t len, uint16_t mtu, msec now);

/* A UDP payload from this softwire's peer: a control message, or a data message that the data plane did not take. */
void softwire_input(struct softwire *s, const uint8_t *payload, size_t len, msec now);
void softwire_tunnel_secret(struct softwire *s, const void *secret, size_t len, msec now);
void softwire_ppp_secret(struct softwire *s, const void *secret, size_t len, msec now);
void softwire_verified(struct softwire *s, bool ok, const char *message, msec now);
void softwire_eap(struct softwire *s, bool authenticator, const uint8_t *packet, size_t len, msec now);
void softwire_eap_result(struct softwire *s, bool ok, const char *why, msec now);
/* The path to the peer carries less than was thought (never more): lowers s->mtu, and what RAs and DHCPv4 say from now on; an RA follows, at
 * most every 3 s. Not below 1280 as long as IPv6 is up or may come, else 576. False: nothing new. */
bool softwire_lower_mtu(struct softwire *s, uint16_t mtu, msec now);
/* NULL: no address to give, with WHY for the peer and the log. The lease is copied. */
void softwire_sc_lease(struct softwire_sc *s, const struct softwire_lease *lease, const char *why, msec now);
void softwire_sc_bound(struct softwire_sc *s, bool ok, const char *why, msec now);
/* The machine has slept, and the clock of NOW with it; leases have not. What is left of them is told by ops->configured(). */
void softwire_si_slept(struct softwire_si *s, msec slept, msec now);
/* A hint that the peer may be gone (design: it is probed, and only silence ends the softwire). */
void softwire_probe(struct softwire *s, msec now);
/* The path to the peer has just been seen to work: a probe that is under way is said once more. */
void softwire_repeat(struct softwire *s, msec now);
/* The data plane has heard the peer: for owners without ops->activity. */
static inline void softwire_heard(struct softwire *s, msec now)
{
	l2tp_tunnel_heard(&s->tunnel, now);
}
/* Ends it in good order: DHCPv6 Release (SI), LCP Terminate, CDN, StopCCN with RESULT and ERROR. CAUSE_MOVED: without LCP Terminate, at which
 * the peer would end the tunnel by itself and not read where to go. */
void softwire_close(struct softwire *s, enum softwire_cause cause, uint16_t result, uint16_t error, const char *text, msec now);
/* It is down, and the peer has acknowledged all that was said: nothing is lost if the memory goes before released(). */
bool softwire_is_quiet(const struct softwire *s);
/* Frees everything at once; sends nothing, calls nothing. */
void softwire_done(struct softwire *s);

bool softwire_is_initiator(const struct softwire *s);
const char *softwire_step_name(enum softwire_step step);
const char *softwire_cause_name(enum softwire_cause cause);
/* The data header that goes before the inner packet: L2TP (no length, no sequence), FF 03, protocol. Returns its length (10). */
enum { SOFTWIRE_DATA_HEADER = 10 };
size_t softwire_data_header(uint8_t buf[SOFTWIRE_DATA_HEADER], uint16_t peer_tunnel, uint16_t peer_session, uint16_t ppp_protocol);
/* The largest inner packet on a path that takes outer IP packets of PATH bytes, over FAMILY (RFC 5571 section 5.2.1): less IP, UDP, L2TP with
 * the Length field that a peer may send (8), and PPP (4). Between 1280, below which outer packets are fragmented, and what jumbo frames carry. */
uint16_t softwire_inner_mtu(uint8_t family, uint32_t path);

#endif
