/*
 * One softwire_sc and one softwire_si wired in memory: a virtual clock, 10 ms between them, and hooks that lose or change packets.
 *
 * The owners' answers come from inside the request, a second later, or never. Everything that the engines tell is counted and kept.
 */
#ifndef TESTS_HUB_PAIR_H
#define TESTS_HUB_PAIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hub/save.h"
#include "hub/softwire.h"

enum { PAIR_QUEUE = 256, PAIR_PACKET = 2048, PAIR_LINES = 512, PAIR_DELAY = 10, PAIR_MTU = 1460 };

struct pair;

enum question { ASK_TUNNEL_SECRET, ASK_VERIFY, ASK_PPP_SECRET, ASK_LEASE, ASK_BIND, ASK_EAP, ASK_MAX };

struct answer {
	struct wheel_timer timer;
	struct side *side;
	enum question question;
};

struct side {
	struct pair *pair;
	struct softwire *softwire; /* NULL once it is released */
	struct side *peer;
	struct softwire_config config;
	struct softwire_counters counters;
	const char *name, *tunnel_secret, *ppp_secret;
	struct answer answers[ASK_MAX];
	uint32_t answer_ms; /* 0: from inside the request; MSEC_NEVER: not at all */
	bool never[ASK_MAX];
	bool claim_ok;

	bool close_on_up; /* the owner closes it from inside up() */
	unsigned asked[ASK_MAX];
	unsigned delegated, released_prefixes, renewed, ups, family_downs;	/* IPv6 */
	unsigned delegated4, released_subnets, renewed4, ups4, family_downs4; /* IPv4 */
	unsigned configured, downs, released, notes, refusals;
	struct softwire_why why;
	char family_why[160], note[160];
	struct softwire_si_state state; /* of the last configured() */
	bool dead;                      /* sends nothing, hears nothing */
	msec data_heard, data_sent; /* by the data plane */

	/* What changed() wrote last: empty, a head, or more. */
	uint8_t record[SOFTWIRE_RECORD_MAX];
	size_t record_len;
	unsigned changes, resumed;

	/* A method of nobody's: two requests, and a response must have the password. */
	bool eap_authenticator;
	unsigned eap_requests;
	uint8_t eap[64]; /* what the question is about */
	size_t eap_len;
};

struct pair {
	msec now;
	struct wheel wheel;
	struct rng rng;
	struct softwire_sc sc_engine;
	struct softwire_si si_engine;
	struct side sc, si;
	struct softwire_lease lease;
	const char *no_lease; /* why there is none */
	bool no_bind;
	const struct dhcp6_binding *hint;
	const struct dhcp4_binding *hint4;

	/* After every packet, answer and timer. May be NULL. */
	void (*each)(struct pair *p);
	/* False: lost. It may change the packet. */
	bool (*hook)(struct pair *p, struct side *from, uint8_t *packet, size_t *len);
	unsigned hooked; /* for the hook's own use */
	struct {
		struct side *to;
		msec at;
		size_t len;
		uint8_t data[PAIR_PACKET];
	} queue[PAIR_QUEUE];
	size_t head, tail;
	char lines[PAIR_LINES][160]; /* "SI l2tp SCCRQ ...": everything that was sent, in words */
	size_t line_count;
};

/* SC with CHAP for "alice"/"wonderland", a lease of a /64 and a /56; SI as a router. */
struct pair *pair_new(void);
/* SCCRQ goes out. */
void pair_open(struct pair *p);
void pair_run(struct pair *p, msec duration);
/* Runs event by event until STEP is reached by SIDE, at most a minute. */
void pair_until(struct pair *p, const struct side *side, enum softwire_step step);
/* Set up, with addresses and prefix. */
void pair_up(struct pair *p);
/* Both ends have IPv4, too: 198.51.100.7 for "alice", 192.0.2.1 is the SC's, 192.0.2.53 a DNS server. */
void pair_ipv4(struct pair *p);
/* And no IPv6. */
void pair_ipv4_only(struct pair *p);
/* "alice" has this subnet, and the SI asks for one. */
void pair_subnet(struct pair *p, const char *subnet);
/* The SC wants EAP, and the SI does nothing else. */
void pair_eap(struct pair *p);
/* The engine of SIDE crashes, and is taken up again from its record. False: it has none to go on with, and nothing has happened. */
bool pair_resume(struct side *side);
/* Ends what lives, and checks that no timer is left and that every end was told once. */
void pair_free(struct pair *p);

/* A packet as if from the peer of TO: UDP payload, PPP frame behind the data header, IPv6 packet. */
void pair_payload(struct side *to, const void *payload, size_t len);
void pair_frame(struct side *to, uint16_t protocol, const void *packet, size_t len);
#define pair_frame_of(to, protocol, ...)                                                                     \
	pair_frame(to, protocol, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))
/* A control message from the peer of TO with the next sequence number that TO expects. */
void pair_control(struct side *to, uint16_t session, const void *avps, size_t len);

/* A UDP datagram in IPv4. Addresses NULL: 0.0.0.0, 255.255.255.255. */
void pair_udp4(struct side *to, const char *src, uint16_t src_port, const char *dst, uint16_t dst_port, const void *data, size_t len);
/* Is this the UDP payload of a softwire's packet with this PPP protocol? */
bool pair_is_data(const uint8_t *packet, size_t len, uint16_t protocol);

/* How many lines since START contain TEXT. */
unsigned pair_sent(const struct pair *p, size_t start, const char *text);

#endif
