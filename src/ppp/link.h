/*
 * ppp/link: one PPP link for either end: LCP, authentication, network control protocols, and what they
 * share.
 *
 * Sans-I/O, typed ops as in l2tp/tunnel.h. Frames go in and out with their Address and Control fields (FF
 * 03) when sent by us, and with or without them when received (HS-PPP-6); no HDLC framing and no FCS (RFC
 * 2661 section 5.3).
 *
 * Life: ppp_link_open() -> LCP -> authentication in either or both directions (ops->verify /
 * ops->want_secret)
 *   -> ops->authenticated() -> (owner) ppp_link_network() when it has addresses -> NCPs
 *   -> ops->ncp_up(protocol) ... ncp_down(protocol) -> ops->down(why): once per link; then only ppp_link_done() is allowed.
 * Closing one NCP never closes the link (RFC 1661 section 3.5); losing LCP or authentication does. A peer
 * may negotiate LCP again at any time: then NCPs go down, and authenticated() comes again after the same
 * steps as before. A peer that does so more than ten times in a row within a minute of opening is closed
 * (PPP_CAUSE_NEGOTIATION): it costs a verification each time. Callbacks may call back into the link; what
 * closes it or an NCP is done when the outermost call returns. ops->down() is the last thing of a call, so
 * ppp_link_done() is allowed in it.
 *
 * Authentication: each direction has its own method, agreed on in LCP. CHAP with MD5 and MS-CHAPv2, PAP and EAP. What EAP carries is
 * not the link's affair: whole EAP packets go to ops->eap and come back by ppp_link_eap(); the link repeats lost requests and
 * responses. So the method behind it may be here, or in a RADIUS server.
 * Network protocols: IPV6CP and IPCP, one or both on the same link, each with its own life.
 *
 * RFC 1661 (PPP), RFC 1994 (CHAP), RFC 2759 (MS-CHAPv2), RFC 1334 (PAP), RFC 3748 (EAP), RFC 5072 (IPV6CP), RFC 1332 and RFC 1877 (IPCP),
 * RFC 5571 section 5.2.
 */
#ifndef PPP_LINK_H
#define PPP_LINK_H

#include "lib/addr.h"
#include "lib/rng.h"
#include "lib/wheel.h"
#include "ppp/packet.h"

struct ppp_link;

enum ppp_cause {
	PPP_CAUSE_LOCAL,	/* ppp_link_close() */
	PPP_CAUSE_PEER,		/* LCP Terminate-Request */
	PPP_CAUSE_TIMEOUT,	/* negotiation or echo unanswered */
	PPP_CAUSE_AUTH_PEER,	/* the peer did not prove its identity to us */
	PPP_CAUSE_AUTH_SELF,	/* the peer refused ours */
	PPP_CAUSE_NEGOTIATION,	/* no agreement on an option that we cannot do without */
	PPP_CAUSE_LOOP,		/* the link is looped back */
};

struct ppp_why {
	enum ppp_cause cause;
	char text[128]; /* printable: "CHAP: concentrator says: wrong password" */
};

/* Ways to prove an identity. */
enum ppp_method { PPP_METHOD_CHAP_MD5 = 1, PPP_METHOD_MSCHAPV2, PPP_METHOD_EAP, PPP_METHOD_PAP, PPP_METHODS };

/*
 * What a CHAP or PAP peer claims: everything that a verifier, local or RADIUS, needs. Borrowed during the call. PAP has neither
 * challenge nor algorithm; its response is the password. MS-CHAPv2 has a challenge of 16 bytes and a response of 49 (RFC 2759 section 4).
 */
struct ppp_claim {
	uint16_t protocol;	/* PPP_CHAP, PPP_PAP */
	uint8_t algorithm;	/* CHAP_MD5, CHAP_MSCHAPV2 */
	uint8_t id;
	const uint8_t *name;
	size_t name_len;
	const uint8_t *challenge;
	size_t challenge_len;
	const uint8_t *response;
	size_t response_len;
};

struct ppp_ops {
	void (*send)(struct ppp_link *l, const uint8_t *frame, size_t len);
	/* Is this claim true? Answer each call once with ppp_link_verified(), at once or later. There
	 * is no second call before the answer, also when the peer has begun anew meanwhile (the answer
	 * is then ignored). */
	void (*verify)(struct ppp_link *l, const struct ppp_claim *claim);
	/* Our secret to answer the peer's challenge, or for PAP; PEER_NAME is as in the challenge, "" for PAP. Answer with
	 * ppp_link_secret(). */
	void (*want_secret)(struct ppp_link *l, const char *peer_name);
	/*
	 * EAP. AUTHENTICATOR: we are that; PACKET is the peer's response, or NULL: begin. Answer each call once, at once or later, with
	 * ppp_link_eap() (the next request) or ppp_link_verified(). Otherwise PACKET is a request, or Success or Failure (RFC 3748
	 * section 4.2): answer with ppp_link_eap() (our response) or ppp_link_eap_result(); no answer: the packet is ignored.
	 * A repeated request is answered by the link itself. A Success that was lost is made up for by the link as soon as the peer sends a
	 * packet of an NCP. In the network phase only what begins with Identity comes up. May be NULL when EAP is neither demanded nor given.
	 */
	void (*eap)(struct ppp_link *l, bool authenticator, const uint8_t *packet, size_t len);
	/* All authentication that was asked for is done, in both directions. */
	void (*authenticated)(struct ppp_link *l);
	/* PPP_IPV6CP: iid and peer_iid are valid; PPP_IPCP: local4 and the like are. */
	void (*ncp_up)(struct ppp_link *l, uint16_t protocol);
	/* Once for each ncp_up(), or when what ppp_link_network() began came to nothing. The peer may
	 * still open it later: ncp_up(). */
	void (*ncp_down)(struct ppp_link *l, uint16_t protocol, const char *why);
	void (*down)(struct ppp_link *l, const struct ppp_why *why);
	void (*note)(struct ppp_link *l, const char *text); /* may be NULL */
};

struct ppp_counters {
	uint64_t rx, tx, echo_rx, echo_tx, protocol_rejects_rx, protocol_rejects_tx;
	uint64_t bad_frame, bad_code, bad_option, bad_id, bad_phase, bad_auth, loops; /* dropped or refused, by reason */
};

struct ppp_config {
	const struct ppp_ops *ops;
	struct rng *rng;
	struct ppp_counters *counters;
	const char *name;		/* in our CHAP messages: host name at the SC, user name at the SI */
	bool demand_auth;		/* the peer must authenticate to us (SC; SI with mutual authentication) */
	bool demand_optional;		/* but one that refuses to (Configure-Reject) goes on without: anonymous service (HS-PPP-14) */
	uint8_t demand[PPP_METHODS];	/* enum ppp_method: how it may, best first, 0 behind the last. The first is asked for; a Nak
					 * that names another one of these gets that one. None: CHAP with MD5 (HS-PPP-10) */
	bool give_auth;			/* we authenticate when the peer asks; false: refuse */
	uint8_t give;			/* bits 1 << enum ppp_method: how we are willing to. None: CHAP with MD5 */
	bool prove_last;		/* with demand_auth: we answer a Challenge only once the peer has proven itself (SC). Of two
					 * ends that demand it one must not, or both wait for the other. */
	bool insist_auth;		/* SI: a peer that does not ask for authentication is treated as an error; false: go on (HS-PPP-5) */
	bool ipv6, ipv4;		/* offer IPV6CP, IPCP; others get a Protocol-Reject */
	uint32_t restart_ms;		/* 3,000 */
	uint8_t max_configure, max_terminate, max_failure; /* 10, 2, 5; at most 63 */
	uint32_t echo_ms;		/* LCP Echo-Request interval; 0: none */
	uint8_t echo_failures;		/* unanswered echoes until the link is down; 3 */
	uint32_t auth_ms;		/* authentication must be over by then; 30,000 */
};

/* What the network protocols are to agree on; the argument of ppp_link_network(). */
struct ppp_network {
	bool ipv6, ipv4;       /* which NCPs may open now, of those that the configuration offers; the other one is Protocol-Rejected */
	uint64_t iid;          /* our interface identifier; not 0 where IPv6 is on */
	uint64_t assign_iid;   /* the peer's, by Configure-Nak; 0: any */
	struct addr local4;    /* our IPv4 address; none: we ask the peer for one (0.0.0.0), and take what it suggests */
	struct addr hint4;     /* with local4 none: the address that we had before, asked for first (may be none) */
	struct addr assign4;   /* the peer's, by Configure-Nak; none: we have none to give, 0.0.0.0 is acknowledged (HS-PPP-20) */
	bool ask_dns4;         /* ask for DNS servers (RFC 1877) */
	unsigned dns4_count;   /* at most 2: what a peer that asks is told; not with ask_dns4 */
	struct addr dns4[2];
};

/* One RFC 1661 automaton; see automaton.h. Embedded per control protocol. */
#include "ppp/automaton.h"

struct ppp_auth; /* private: exists during negotiation and authentication only */

struct ppp_link {
	const struct ppp_config *config;
	struct ppp_automaton lcp, ipv6cp, ipcp;
	uint8_t phase; /* enum ppp_phase, private */
	uint8_t depth; /* calls into the engine that are not finished: ends and closings wait for the last */
	uint8_t echo_id, echo_missed, loops;
	uint8_t reopenings;	/* how often in a row LCP was negotiated again soon after it had opened */
	uint8_t proven_id;	/* of the response with which the peer has proven itself: a repeated one gets the same answer */
	/* One bit for each NCP: enum ppp_ncp, private. */
	uint8_t ncp_on : 2;	 /* which ones ppp_link_network() lets open */
	uint8_t ncp_waiting : 2; /* begun by it and not up since */
	uint8_t ncp_begin : 2, ncp_close : 2; /* to be done when the engine is left */
	uint8_t ncp_dormant : 2;	/* not agreed on in time: the peer's next Configure-Request wakes it */
	bool ncp_told : 1;	 /* ppp_link_network() was called since authentication */
	uint8_t self_method : 3;	/* enum ppp_method: how we prove who we are, as LCP has agreed; 0: the peer does not ask */
	uint8_t peer_method : 3;	/* the same for the peer: what we ask for; nobody does where demand_auth is off or peer_anonymous on */
	bool peer_ok : 1, self_ok : 1;			/* authentication done, per direction */
	bool verify_asked : 1, verify_stale : 1;	/* an answer of the verifier is due; it is for an earlier negotiation */
	bool secret_asked : 1;
	bool failing : 1, closing : 1;	/* the end is decided; LCP has been closed */
	bool hurry : 1;			/* nobody is there who could answer our Terminate-Request */
	bool finished : 1, down_told : 1;
	bool no_protocol_reject : 1;	/* the peer does not know this code */
	bool own4 : 1, ask_dns4 : 1;	/* as ppp_link_network() said: local4 is ours; we ask for DNS servers */
	bool peer_anonymous : 1;	/* it refused to authenticate, and may (demand_optional) */
	bool ipcp_unknown : 1;		/* the peer has answered IPCP by Protocol-Reject since ppp_link_network(); valid in ops->ncp_down() */
	uint16_t mru;			/* what we announce: largest packet we take */
	uint16_t peer_mru;		/* what the peer takes; 1500 unless it said otherwise */
	uint32_t magic;
	uint32_t opened_at;		/* LCP, last; the low half of the clock */
	uint64_t iid;			/* ours, 0 while unknown; the peer may have suggested another one than ppp_link_network() said */
	uint64_t peer_iid;		/* the peer's once IPV6CP is open; 0: it did not negotiate one */
	uint64_t assign_iid;		/* SC: the IID that the peer shall use, by Configure-Nak; 0: any that differs from ours */
	uint8_t local4[4], peer4[4];	/* once IPCP is open; 0.0.0.0: none was agreed on, DHCP may know one (HS-PPP-19) */
	uint8_t dns4[2][4];		/* once IPCP is open: what the peer told us, 0.0.0.0: none; or what it is told (no ask_dns4) */
	uint8_t assign4[4];		/* what the peer gets from us; it may negotiate again at any time */
	msec echo_at;
	struct ppp_auth *auth;
	struct ppp_why *why;		/* from the decision to end until ops->down() */
};

/* MRU: what we can take, from the path MTU. 0 or -ENOMEM. LCP starts at once. */
int ppp_link_open(struct ppp_link *l, const struct ppp_config *c, uint16_t mru, msec now);
/* The NCPs may start: the SC calls it when it has a lease, the SI from ops->authenticated(). A
 * Configure-Request that came between authentication and this is answered now, from a copy, not 3 seconds later when the peer
 * retransmits. Needed again after each ops->authenticated(); opens a closed NCP again, too. N is copied as far as it is needed. */
void ppp_link_network(struct ppp_link *l, const struct ppp_network *n, msec now);
/* An EAP packet: the next request (authenticator), or our response. */
void ppp_link_eap(struct ppp_link *l, bool authenticator, const uint8_t *packet, size_t len, msec now);
/* We are the EAP peer, and Success or Failure has come, or the method gives up: WHY for people when not OK. */
void ppp_link_eap_result(struct ppp_link *l, bool ok, const char *why, msec now);
/* MESSAGE goes to the peer as it is: for MS-CHAPv2 it has to be what RFC 2759 sections 5 and 6 want ("S=..."). */
void ppp_link_verified(struct ppp_link *l, bool ok, const char *message, msec now);
/* LEN 0: we have none for this peer; authentication then fails. Copied for the time of use and wiped. */
void ppp_link_secret(struct ppp_link *l, const void *secret, size_t len, msec now);
/* A PPP frame that is not a network packet of an open NCP. Network packets (PPP_IPV6, PPP_IP) are not
 * given here, but while their NCP is not open: they are then dropped and counted; unknown protocols are
 * answered by Protocol-Reject. */
void ppp_link_input(struct ppp_link *l, const uint8_t *frame, size_t len, msec now);
void ppp_link_tick(struct ppp_link *l, msec now);
msec ppp_link_deadline(const struct ppp_link *l);
/* Terminates LCP; ops->down() follows when the peer answered or did not for too long. */
void ppp_link_close(struct ppp_link *l, const char *why, msec now);
void ppp_link_close_ncp(struct ppp_link *l, uint16_t protocol, const char *why, msec now);
void ppp_link_done(struct ppp_link *l);

/* A link in its network phase can be saved, and taken up again by another process. 0; -EAGAIN: nothing was written, the link has not come that far,
 * or authenticates anew, or ends. */
int ppp_link_save(const struct ppp_link *l, struct writer *w);
/* A link that goes on where the other one was: no op is called. 0, -EBADMSG (R has the reason), -ENOMEM; nothing is held after an error. */
int ppp_link_resume(struct ppp_link *l, const struct ppp_config *c, struct reader *r, msec now);

const char *ppp_link_phase(const struct ppp_link *l); /* "establish", "authenticate", "network", ... */
bool ppp_link_ncp_open(const struct ppp_link *l, uint16_t protocol);

#endif
