/* An EAP server and an EAP peer that talk to each other in memory. */
#ifndef TEST_EAP_PAIR_H
#define TEST_EAP_PAIR_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "eap/method.h"

enum { PAIR_PACKETS = 300 };

struct pair {
	struct rng rng;
	struct eap_server_config server_config;
	struct eap_peer_config peer_config;
	struct eap_server *server;
	struct eap_peer *peer;
	const char *secret; /* the user's, as the server knows it; NULL: no such user */
	/* What came of it. */
	enum eap_verdict server_verdict, peer_verdict;
	char server_why[EAP_WHY], peer_why[EAP_WHY];
	unsigned trips, secrets; /* requests; how often a secret was asked for */
	size_t longest;
	/* Everything that was sent. */
	unsigned count;
	struct eap_reply packets[PAIR_PACKETS];
	bool server_done;
};

static inline void pair_init(struct pair *p)
{
	memset(p, 0, sizeof(*p));
	rng_init_seed(&p->rng, 1);
	p->server_config =
		(struct eap_server_config){.methods = {EAP_MD5}, .rng = &p->rng, .name = "sc.example.net"};
	p->peer_config = (struct eap_peer_config){.identity = "alice"};
}

static inline void pair_done(struct pair *p)
{
	eap_server_free(p->server);
	eap_peer_free(p->peer);
	p->server = NULL;
	p->peer = NULL;
}

static inline const struct eap_reply *pair_note(struct pair *p, const struct eap_reply *r)
{
	assert_true(p->count < PAIR_PACKETS);
	if (r->len > p->longest)
		p->longest = r->len;
	p->packets[p->count] = *r;
	return &p->packets[p->count++];
}

/* A packet to the server, or NULL: begin; RET is its request, or Success or Failure as the lower layer sends it. */
static inline enum eap_verdict pair_serve(
	struct pair *p, const struct eap_reply *packet, struct eap_reply *ret)
{
	uint8_t *exact = packet ? malloc(packet->len) : NULL;
	enum eap_verdict v;

	if (packet)
		memcpy(exact, packet->packet, packet->len);
	v = eap_server_input(p->server, exact, packet ? packet->len : 0, ret, p->server_why);
	free(exact);
	if (v == EAP_WANT_SECRET) {
		p->secrets++;
		v = eap_server_secret(
			p->server, p->secret, p->secret ? strlen(p->secret) : 0, ret, p->server_why);
	}
	if (v == EAP_OK || v == EAP_REFUSED) {
		assert_int_equal(ret->len, 0);
		p->server_done = true;
		ret->len = 4;
		memcpy(ret->packet,
			(uint8_t[]){v == EAP_OK ? EAP_SUCCESS : EAP_FAILURE, packet ? packet->packet[1] : 0,
				0, 4},
			4);
	}
	return v;
}

/* Until both have a verdict, or one has nothing to say. */
static inline void pair_run(struct pair *p)
{
	const struct eap_reply *packet = NULL;
	struct eap_reply reply;

	pair_done(p);
	p->count = p->trips = p->secrets = 0;
	p->longest = 0;
	p->server_done = false;
	p->server_why[0] = p->peer_why[0] = '\0';
	p->server = eap_server_new(&p->server_config);
	p->peer = eap_peer_new(&p->peer_config);
	assert_non_null(p->server);
	assert_non_null(p->peer);
	for (;;) {
		p->server_verdict = pair_serve(p, packet, &reply);
		if (!reply.len)
			return;
		packet = pair_note(p, &reply);
		p->trips += packet->packet[0] == EAP_REQUEST;
		p->peer_verdict = eap_peer_input(p->peer, packet->packet, packet->len, &reply, p->peer_why);
		if (p->server_done || !reply.len)
			return;
		packet = pair_note(p, &reply);
	}
}

#endif
