/*
 * ppp/protocol: what the folder's files share and nobody else sees: the options of a control protocol as
 * tables, the part of a link that only set-up needs, and the functions between link, LCP, authentication and NCPs.
 */
#ifndef PPP_PROTOCOL_H
#define PPP_PROTOCOL_H

#include "ppp/automaton.h"
#include "ppp/link.h"
#include "ppp/mschap.h"

/* ---- options ---- */

enum ppp_verdict {
	PPP_VERDICT_ACK,
	PPP_VERDICT_NAK,      /* Reject after Max-Failure Naks */
	PPP_VERDICT_NAK_ONLY, /* Nak whatever else is wrong, and always Nak: a Magic-Number that may be our own */
	PPP_VERDICT_REJECT,
};

/* One option. DATA is what follows type and length; it may have any length. */
struct ppp_option {
	uint8_t type;
	/* Ours: is it wanted now, and its data. NULL: we never ask for it. */
	bool (*wanted)(const struct ppp_automaton *a);
	void (*write)(const struct ppp_automaton *a, struct writer *w);
	void (*nak)(
		struct ppp_automaton *a, struct reader data, msec now); /* the peer would rather have DATA */
	void (*reject)(struct ppp_automaton *a, msec now); /* may be NULL: going without is all */
	/* The peer's: judge it without changing anything that counts (HINT: data of the Nak), and use
	 * it once acknowledged. */
	enum ppp_verdict (*judge)(struct ppp_automaton *a, struct reader data, struct writer *hint);
	void (*apply)(struct ppp_automaton *a, struct reader data);
};

struct ppp_protocol_ops {
	uint16_t protocol;
	const char *name;
	uint16_t codes;                   /* bit (1 << code) for each code that the protocol has */
	const struct ppp_option *options; /* those that are not here are rejected */
	size_t option_count;              /* at most PPP_MAX_OPTIONS */

	const struct ppp_config *(*config)(const struct ppp_automaton *a);
	void (*send)(struct ppp_automaton *a, const uint8_t *frame, size_t len);
	size_t (*peer_mru)(const struct ppp_automaton *a); /* at least PPP_MIN_MRU */
	void (*reset)(struct ppp_automaton *a); /* the peer's options to their defaults, before apply() */
	/* Options that we want to see and that the peer has left out (SEEN: bits by place in the
	 * table): append to the Nak. May be NULL. */
	void (*missing)(struct ppp_automaton *a, uint8_t seen, struct writer *nak);
	void (*up)(struct ppp_automaton *a, msec now);
	void (*down)(struct ppp_automaton *a, const char *reason, msec now);
	void (*finished)(struct ppp_automaton *a, const char *reason, msec now);
	void (*stuck)(struct ppp_automaton *a, msec now); /* PPP_MAX_REFUSALS */
	const char *(*farewell)(
		const struct ppp_automaton *a); /* data of our Terminate-Request; may be NULL */
	/* The peer asks to terminate and says TEXT (printable, may be empty); before the event. May be
	 * NULL. */
	void (*terminated)(struct ppp_automaton *a, const char *text);
	/* Event RXJ-: the peer does without what we cannot do without; before the event. May be NULL. */
	void (*broken)(struct ppp_automaton *a, const char *reason);
	/* Codes beyond 1..7; returns whether they are Echo or Discard (event RXR). May be NULL. */
	bool (*extra)(struct ppp_automaton *a, const struct ppp_packet *p, msec now);
	void (*echo_reply)(struct ppp_automaton *a, const struct ppp_packet *p);
	void (*code_rejected)(
		struct ppp_automaton *a, uint8_t code); /* a code that we can do without. May be NULL */
};

/* ---- link ---- */

enum ppp_phase {
	PPP_PHASE_DEAD,
	PPP_PHASE_ESTABLISH,
	PPP_PHASE_AUTHENTICATE,
	PPP_PHASE_NETWORK,
	PPP_PHASE_TERMINATE
};

enum ppp_ncp { PPP_NCP_NONE, PPP_NCP_IPV6 = 1, PPP_NCP_IPV4 = 2, PPP_NCP_BOTH = 3 };

enum {
	CHAP_CHALLENGE_LEN = 24, /* of ours for MD5 */
	CHAP_MD5_LEN = 16,
	CHAP_MSCHAPV2_LEN = 49, /* of the response */
	CHAP_NAME_MAX = 255,
	PPP_EAP_MAX = 1400,
	PPP_EARLY_MAX = 64,
	PPP_LOOP_LIMIT = 3, /* equal Magic-Numbers in a row: by chance once in 2^96 */
	PPP_REOPEN_MAX = 10,
	PPP_REOPEN_MS = 60000,
	PPP_MIN_MRU6 = 1280,
	PPP_MIN_MRU = 68,
};

/* An NCP's Configure-Request that came before ppp_link_network(). */
struct ppp_early {
	uint8_t len; /* 0: none */
	uint8_t bytes[PPP_EARLY_MAX];
};

/* Texts of ppp_link_close_ncp(), until it is done: IPV6CP, IPCP. */
struct ppp_ncp_why {
	char text[2][128];
};

struct ppp_eap_packet {
	uint16_t len;
	uint8_t bytes[PPP_EAP_MAX];
};

/* What only negotiation and authentication need. Wiped and freed when the network layer is up. */
struct ppp_auth {
	msec phase_at;	  /* negotiation or authentication must be over by then */
	uint64_t nak_iid; /* in our last Configure-Nak */
	bool asked_iid, asked_address; /* we have asked for what was left out, once */
	struct { /* we are the authenticator */
		uint8_t id, tries, challenge_len;
		msec at; /* challenge or request again */
		uint8_t challenge[CHAP_CHALLENGE_LEN];
		bool live;	/* a challenge or request is out and no response has been taken */
		bool responded; /* EAP: there has been one, so Success and Failure are due */
		bool begin;	/* EAP is to begin when the owner has answered for an earlier negotiation */
		char message[128]; /* MS-CHAPv2: of our Success; the peer needs it */
		struct ppp_eap_packet *request;
	} out;
	struct { /* we are the peer that authenticates itself */
		uint8_t id, tries;
		msec at;       /* response or request again; EAP after authentication: the end of the exchange */
		bool held;     /* until the peer has proven itself: prove_last */
		bool waiting;  /* for the secret; EAP: a request is with the owner */
		bool answered; /* the response below has been sent, or PAP's request */
		uint8_t value_len;
		uint8_t value[255]; /* the peer's challenge, or our password for PAP */
		uint8_t response_len;
		uint8_t response[CHAP_MSCHAPV2_LEN];
		char success[MSCHAP_SUCCESS + 1]; /* what the peer has to say to prove itself: MS-CHAPv2 */
		char name[CHAP_NAME_MAX + 1];	  /* the peer's, in its challenge */
		struct ppp_eap_packet *packet;	  /* EAP: our last response, or the request that is held */
	} in;
	struct ppp_early early[2]; /* IPV6CP, IPCP */
	struct ppp_ncp_why *ncp_why;
};

extern const struct ppp_protocol_ops ppp_lcp_ops, ppp_ipv6cp_ops, ppp_ipcp_ops;

/* Every public function is between these two. Nothing may touch L after the second. */
void ppp_link_enter(struct ppp_link *l);
void ppp_link_leave(struct ppp_link *l, msec now);

/* The set-up part, allocated when it is missing; NULL: no memory. */
struct ppp_auth *ppp_link_auth(struct ppp_link *l);
void ppp_link_send(struct ppp_link *l, const uint8_t *frame, size_t len);
void ppp_link_note(struct ppp_link *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The link ends. The first cause is the one that is told. Done when the engine is left, so it may be
 * called from anywhere inside. */
void ppp_link_fail(struct ppp_link *l, enum ppp_cause cause, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same without waiting for an answer to our Terminate-Request: nobody is there. */
void ppp_link_fail_now(struct ppp_link *l, enum ppp_cause cause, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void ppp_link_lcp_up(struct ppp_link *l, msec now);
void ppp_link_lcp_down(struct ppp_link *l, const char *reason, msec now);
void ppp_link_lcp_finished(struct ppp_link *l, const char *reason);
/* The phase must be over in MS; 0: no limit. Without memory there is none either, but each request has its own. */
void ppp_link_limit(struct ppp_link *l, msec ms, msec now);
/* How long a negotiation may take. */
msec ppp_link_negotiation_ms(const struct ppp_link *l);
void ppp_link_protocol_rejected(struct ppp_link *l, uint16_t protocol, msec now);
/* Authentication in one or both directions has moved: goes on to the network phase when all is done. */
void ppp_link_auth_progress(struct ppp_link *l, msec now);

void ppp_lcp_echo(struct ppp_link *l, msec now);
void ppp_lcp_reject(struct ppp_link *l, uint16_t protocol, struct reader information);

/* ---- NCPs ---- */

/* What ppp_link_network() says, for each of them; returns whether it differs from what was said before. */
bool ppp_ipv6cp_set(struct ppp_link *l, const struct ppp_network *n);
bool ppp_ipcp_set(struct ppp_link *l, const struct ppp_network *n);

/* For the tables of both. */
struct ppp_link *ppp_ncp_link(const struct ppp_automaton *a);
const struct ppp_config *ppp_ncp_config(const struct ppp_automaton *a);
void ppp_ncp_send(struct ppp_automaton *a, const uint8_t *frame, size_t len);
size_t ppp_ncp_peer_mru(const struct ppp_automaton *a);
void ppp_ncp_up(struct ppp_automaton *a, msec now);
void ppp_ncp_down(struct ppp_automaton *a, const char *reason, msec now);
void ppp_ncp_finished(struct ppp_automaton *a, const char *reason, msec now);
void ppp_ncp_stuck(struct ppp_automaton *a, msec now);

/* Whether packets of this NCP, or of its network protocol, mean something to us now. */
bool ppp_ncp_known(const struct ppp_link *l, uint16_t protocol);
void ppp_ncp_input(struct ppp_link *l, uint16_t protocol, struct reader packet, msec now);
/* The peer does not know PROTOCOL. False: it is none of ours, or we have not sent it. */
bool ppp_ncp_rejected(struct ppp_link *l, uint16_t protocol, msec now);
bool ppp_ncp_negotiates(const struct ppp_link *l); /* or may begin at any time */
void ppp_ncp_phase_over(struct ppp_link *l, msec now);
void ppp_ncp_lcp_down(struct ppp_link *l, const char *reason, msec now);
/* Does what was put off until the engine is left. */
void ppp_ncp_settle(struct ppp_link *l, msec now);

/* ---- authentication, either direction ---- */

/* Whether the peer has to authenticate, and whether by PROTOCOL; whether we have to by PROTOCOL. */
bool ppp_auth_demands(const struct ppp_link *l);
bool ppp_auth_peer_by(const struct ppp_link *l, uint16_t protocol);
bool ppp_auth_self_by(const struct ppp_link *l, uint16_t protocol);
const char *ppp_auth_name(enum ppp_method method); /* "CHAP", "MS-CHAPv2" ... */

/* LCP's option: the data behind type and length. */
void ppp_auth_option_write(enum ppp_method method, struct writer *w);
enum ppp_method ppp_auth_option_read(struct reader data); /* 0: none of ours */
const char *ppp_auth_option_print(struct reader data, char *buf, size_t size); /* "CHAP algorithm 128", "PAP" */
enum ppp_method ppp_auth_first(const struct ppp_config *c);		 /* what we ask for first */
enum ppp_method ppp_auth_instead(const struct ppp_config *c, enum ppp_method asked, struct reader nak); /* and then; 0: nothing fits */
enum ppp_method ppp_auth_best(const struct ppp_config *c);		 /* the best that we give */
bool ppp_auth_gives(const struct ppp_config *c, enum ppp_method method);
const char *ppp_auth_demand_print(const struct ppp_config *c, char *buf, size_t size); /* "CHAP or EAP" */

/* The authentication phase begins. */
void ppp_auth_start(struct ppp_link *l, msec now);
/* False: no protocol of ours, or none that was agreed on. */
bool ppp_auth_input(struct ppp_link *l, uint16_t protocol, struct reader packet, msec now);
/* The peer does not know PROTOCOL. False: we do not use it now. */
bool ppp_auth_rejected(struct ppp_link *l, uint16_t protocol);
void ppp_auth_phase_over(struct ppp_link *l);
void ppp_auth_tick(struct ppp_link *l, msec now);
msec ppp_auth_deadline(const struct ppp_link *l);

/* For the methods. Asks the owner to verify CLAIM: not twice before there is an answer. */
void ppp_auth_verify(struct ppp_link *l, const struct ppp_claim *claim);
/* Our secret is needed; PPP_AUTH's in.name is whom for. */
void ppp_auth_ask_secret(struct ppp_link *l);
/* The verdict of the other end about us. */
void ppp_auth_accepted(struct ppp_link *l, msec now);

/* Each method: to begin as the authenticator, a packet, the owner's verdict, our secret, the timers. */
void ppp_chap_challenge(struct ppp_link *l, msec now);
void ppp_chap_input(struct ppp_link *l, struct reader packet, msec now);
void ppp_chap_verdict(struct ppp_link *l, bool ok, const char *message);
void ppp_chap_secret(struct ppp_link *l, const void *secret, size_t len, msec now);
void ppp_chap_response(struct ppp_link *l, msec now);
/* The words of an MS-CHAPv2 Failure ("E=691 R=0 ..."), or the text as it is when it is no such thing. */
const char *ppp_chap_failure_print(struct reader text, char *buf, size_t size);
void ppp_pap_input(struct ppp_link *l, struct reader packet, msec now);
void ppp_pap_verdict(struct ppp_link *l, bool ok, const char *message);
void ppp_pap_secret(struct ppp_link *l, const void *secret, size_t len, msec now);
void ppp_pap_request(struct ppp_link *l, msec now);
void ppp_eap_begin(struct ppp_link *l);
void ppp_eap_input(struct ppp_link *l, struct reader packet, msec now);
void ppp_eap_verdict(struct ppp_link *l, bool ok);
void ppp_eap_request(struct ppp_link *l, msec now);
void ppp_eap_unhold(struct ppp_link *l, msec now);
/* An NCP packet has come while we still wait for Success. */
void ppp_eap_implied_success(struct ppp_link *l);
void ppp_eap_forget(struct ppp_link *l);
void ppp_eap_free(struct ppp_auth *auth);
/* MD5 over identifier, secret and challenge (RFC 1994 section 4.1). false: the library has no MD5. */
bool ppp_chap_md5(uint8_t id, const void *secret, size_t secret_len, const uint8_t *challenge,
	size_t challenge_len, uint8_t ret[CHAP_MD5_LEN]);

/* Text from the peer as printable ASCII: at most SIZE - 1 bytes, what does not print becomes '?'. */
const char *ppp_printable(struct reader text, char *buf, size_t size);

#endif
