/*
 * Two PPP links wired to each other in memory, with a virtual clock, delay and loss; or one link and a test
 * that plays the peer.
 */
#ifndef TESTS_PPP_PAIR_H
#define TESTS_PPP_PAIR_H

#include "lib/container.h"
#include "ppp/link.h"

enum { PAIR_QUEUE = 256, PAIR_SENT = 512 };

struct sent {
	uint8_t bytes[PPP_FRAME_MAX];
	size_t len;
};

struct pair;

struct end {
	struct ppp_link link;
	struct ppp_config config;
	struct ppp_counters counters;
	struct pair *pair;
	const char *accept_name, *accept_secret; /* verify(): what is right; NULL: everything is wrong */
	const char *own_secret;                  /* want_secret(); NULL: none */
	bool later;                              /* verify() and want_secret() are answered by the test */
	bool no_network;                         /* ppp_link_network() is called by the test */
	bool close_on_down;                      /* the owner closes the link from inside ncp_down() */
	bool done_on_down;                       /* the owner frees the link from inside down() */
	uint64_t iid, assign;
	struct ppp_network network; /* the rest of what ppp_link_network() is told */

	/* EAP with a method of two packets: Identity, and one (of type 4) whose answer is the secret. */
	unsigned eap_begun, eap_responses, eap_requests, eap_results; /* ops->eap(), by what it was given */
	uint8_t eap_id;
	bool eap_answered; /* the second one, as the peer */
	bool eap_wrong;	   /* as the peer: refuses, whatever comes */
	uint8_t eap_last[64];

	struct ppp_claim claim; /* the last one, by value; its pointers are gone */
	unsigned verifies, secrets, authenticated, ups, ncp_downs, downs, notes;
	unsigned ups4, ncp_downs4; /* IPCP; the others are IPV6CP's */
	char peer_name[256], ncp_why[128], ncp_why4[128], note[128];
	bool ipcp_unknown; /* as in the last ncp_down() */
	struct ppp_why why;
	bool claim_ok;

	struct sent *sent; /* PAIR_SENT of them, in order; the oldest are forgotten */
	size_t sent_count;
};

struct pair {
	struct end sc, si;
	struct rng rng;
	msec now;
	unsigned loss;  /* per cent */
	unsigned twice; /* per cent of frames that arrive twice */
	bool (*eat)(struct pair *p, struct end *from, const uint8_t *frame, size_t len); /* true: lost */
	bool loopback; /* every frame comes back to its sender */
	bool alone;    /* there is no peer */
	struct {
		struct end *to;
		msec at;
		size_t len;
		uint8_t bytes[PPP_FRAME_MAX];
	} queue[PAIR_QUEUE];
	size_t head, tail;
};

/* An SC that demands CHAP of "alice"/"secret" and an SI that gives it. */
void pair_init(struct pair *p, uint64_t seed);
/* IPv4, too, or (ONLY) instead: the SC is 192.0.2.1 and assigns 198.51.100.7 with two DNS servers, the SI asks for all of it. */
void pair_ipv4(struct pair *p, bool only);
void pair_open(struct pair *p);
/* Tells the link what the end's iid, assign and network say. */
void end_network(struct end *e);
void pair_run(struct pair *p, msec duration);
void pair_done(struct pair *p);

/* The last frame that E has sent with this protocol and code (0: any), or NULL. */
const struct sent *end_last(const struct end *e, uint16_t protocol, uint8_t code);
size_t end_count(const struct end *e, uint16_t protocol, uint8_t code);
/* E as the authenticator of EAP: the request that its method makes of what came; NULL: begin. */
void end_eap_server(struct end *e, const uint8_t *packet, size_t len);
/* A packet from the test: FF 03 and the header are added. */
void end_packet(struct end *e, uint16_t protocol, uint8_t code, uint8_t id, const void *data, size_t len);
#define end_packet_of(e, protocol, code, id, ...)                                                            \
	end_packet(e, protocol, code, id, (const uint8_t[]){__VA_ARGS__},                                    \
		sizeof((const uint8_t[]){__VA_ARGS__}))
void end_frame(struct end *e, const void *frame, size_t len);
/* Acknowledges what E has asked for last, as it stands. */
void end_ack(struct end *e, uint16_t protocol);
/* One end alone: LCP opened with a peer that asks for MRU and magic 0x01020304 (and CHAP when AUTH). */
void end_lcp_open(struct end *e, bool auth);
/* The same with a peer that asks for METHOD; 0: for none. */
void end_lcp_open_by(struct end *e, enum ppp_method method);

void assert_frame(const struct sent *s, const void *want, size_t len);
#define ASSERT_FRAME(s, ...)                                                                                 \
	assert_frame(s, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

#endif
