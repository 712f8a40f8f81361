/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CHAP and MS-CHAPv2, each direction alone: the test plays the peer. */
#include "pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ppp/protocol.h"

/* MD5 over 07, "secret" and 00 01 .. 0f, by another implementation. */
#define GOLDEN 0x82, 0x16, 0x43, 0x66, 0x5b, 0x43, 0x03, 0x59, 0xe5, 0x2a, 0xc5, 0x24, 0xd2, 0x9c, 0x8f, 0x95

enum { ID = 1 }; /* of the first challenge: Configure-Request had 0 */

static int setup(void **state)
{
	static struct pair p;

	pair_init(&p, 1);
	p.alone = true;
	*state = &p;
	return 0;
}

static int teardown(void **state)
{
	pair_done(*state);
	return 0;
}

/* The concentrator, which has sent its first challenge. */
static struct end *authenticator(struct pair *p)
{
	pair_open(p);
	end_lcp_open(&p->sc, false);
	assert_non_null(end_last(&p->sc, PPP_CHAP, CHAP_CHALLENGE));
	return &p->sc;
}

/* The right answer to its last challenge, unless ID_OFF or SECRET is wrong. */
static void respond(struct end *e, int id_off, const char *secret)
{
	const struct sent *s = end_last(e, PPP_CHAP, CHAP_CHALLENGE);
	uint8_t data[1 + 16 + 5] = {16};
	uint8_t id = s->bytes[5];

	assert_true(ppp_chap_md5(id, secret, strlen(secret), s->bytes + 9, s->bytes[8], data + 1));
	memcpy(data + 17, "alice", 5);
	end_packet(e, PPP_CHAP, CHAP_RESPONSE, (uint8_t)(id + id_off), data, sizeof(data));
}

/* The initiator's side, which has agreed to authenticate. */
static struct end *authenticatee(struct pair *p)
{
	p->sc.config.demand_auth = false;
	p->sc.config.give_auth = true;
	p->sc.config.name = "alice";
	p->sc.own_secret = "secret";
	pair_open(p);
	end_lcp_open(&p->sc, true);
	assert_int_equal(p->sc.authenticated, 0);
	return &p->sc;
}

static void digest_is_md5_of_identifier_secret_challenge(void **state)
{
	static const uint8_t want[16] = {GOLDEN};
	uint8_t challenge[16], got[16];

	for (uint8_t i = 0; i < 16; i++)
		challenge[i] = i;
	assert_true(ppp_chap_md5(7, "secret", 6, challenge, 16, got));
	assert_memory_equal(got, want, 16);
}

/* proves: HS-PPP-10 partial */
static void challenge_has_the_rfcs_form_and_changes_each_time(void **state)
{
	struct end *e = authenticator(*state);
	struct sent first = *end_last(e, PPP_CHAP, CHAP_CHALLENGE);
	const struct sent *second;

	assert_int_equal(first.len, 8 + 1 + 24 + 12);
	assert_int_equal(first.bytes[2], 0xc2);
	assert_int_equal(first.bytes[3], 0x23);
	assert_int_equal(first.bytes[8], 24);
	assert_memory_equal(first.bytes + 33, "concentrator", 12);
	pair_run(e->pair, 3000);
	assert_int_equal(end_count(e, PPP_CHAP, CHAP_CHALLENGE), 2);
	second = end_last(e, PPP_CHAP, CHAP_CHALLENGE);
	assert_int_not_equal(second->bytes[5], first.bytes[5]);
	assert_memory_not_equal(second->bytes + 9, first.bytes + 9, 24);
}

static void challenge_is_given_up_after_max_configure(void **state)
{
	struct end *e = authenticator(*state);

	e->config.auth_ms = 100000;
	e->link.auth->phase_at = MSEC_NEVER;
	pair_run(e->pair, 60000);
	assert_int_equal(end_count(e, PPP_CHAP, CHAP_CHALLENGE), 10);
	assert_int_equal(e->why.cause, PPP_CAUSE_TIMEOUT);
	assert_string_equal(e->why.text, "CHAP: no answer to 10 challenges");
}

static void authentication_is_over_in_time_or_not_at_all(void **state)
{
	struct pair *p = *state;
	struct end *e = authenticator(p);

	e->later = true;
	respond(e, 0, "secret");
	assert_int_equal(e->verifies, 1);
	pair_run(p, 29000);
	assert_int_equal(end_count(e, PPP_CHAP, CHAP_CHALLENGE), 1); /* the verifier has it */
	pair_run(p, 10000);
	assert_int_equal(e->why.cause, PPP_CAUSE_TIMEOUT);
	assert_string_equal(e->why.text, "CHAP: not done within 30 s");
	ppp_link_verified(&e->link, true, "late", p->now); /* nobody cares */
	assert_int_equal(e->authenticated, 0);
}

static void right_response_gets_success(void **state)
{
	struct end *e = authenticator(*state);
	uint8_t id = end_last(e, PPP_CHAP, CHAP_CHALLENGE)->bytes[5];

	respond(e, 0, "secret");
	assert_int_equal(e->authenticated, 1);
	assert_true(e->claim_ok);
	ASSERT_FRAME(end_last(e, PPP_CHAP, 0), 0xff, 0x03, 0xc2, 0x23, 3, id, 0, 11, 'w', 'e', 'l', 'c', 'o',
		'm', 'e');
}

static void wrong_response_gets_failure_and_ends_the_link(void **state)
{
	struct end *e = authenticator(*state);
	uint8_t id = end_last(e, PPP_CHAP, CHAP_CHALLENGE)->bytes[5];

	respond(e, 0, "guess");
	ASSERT_FRAME(end_last(e, PPP_CHAP, 0), 0xff, 0x03, 0xc2, 0x23, 4, id, 0, 18, 'w', 'r', 'o', 'n', 'g',
		' ', 'p', 'a', 's', 's', 'w', 'o', 'r', 'd');
	assert_int_equal(end_last(e, 0, 0)->bytes[4], PPP_TERMINATE_REQUEST);
	respond(e, 0, "secret"); /* no second try */
	assert_int_equal(e->verifies, 1);
	pair_run(e->pair, 10000);
	assert_int_equal(e->downs, 1);
	assert_int_equal(e->why.cause, PPP_CAUSE_AUTH_PEER);
	assert_string_equal(e->why.text, "CHAP: we refused the peer: wrong password");
	assert_int_equal(e->authenticated, 0);
}

static void repeated_response_after_success_gets_success_without_verifying(void **state)
{
	struct end *e = authenticator(*state);

	respond(e, 0, "secret");
	respond(e, 0, "secret");
	respond(e, 0, "nonsense"); /* section 4.1: the same reply code, whatever it says */
	assert_int_equal(e->verifies, 1);
	assert_int_equal(e->authenticated, 1);
	assert_int_equal(end_count(e, PPP_CHAP, CHAP_SUCCESS), 3);
	respond(e, 1, "secret");
	assert_int_equal(e->counters.bad_id, 1);
	assert_int_equal(end_count(e, PPP_CHAP, CHAP_SUCCESS), 3);
}

static void pending_verification_is_not_asked_twice(void **state)
{
	struct pair *p = *state;
	struct end *e = authenticator(p);

	e->later = true;
	for (int i = 0; i < 3; i++)
		respond(e, 0, "secret");
	assert_int_equal(e->verifies, 1);
	ppp_link_verified(&e->link, true, "", p->now);
	ppp_link_verified(&e->link, false, "twice", p->now);
	assert_int_equal(e->authenticated, 1);
	assert_int_equal(e->link.failing, 0);
}

static void verdict_for_an_earlier_negotiation_does_not_count(void **state)
{
	struct pair *p = *state;
	struct end *e = authenticator(p);

	e->later = true;
	respond(e, 0, "secret");
	/* the peer starts again while the verifier is at work, and now claims to be somebody else */
	end_packet_of(e, PPP_LCP, PPP_CONFIGURE_REQUEST, 99, 5, 6, 9, 9, 9, 9);
	end_ack(e, PPP_LCP);
	assert_int_equal(end_count(e, PPP_CHAP, CHAP_CHALLENGE), 2);
	respond(e, 0, "guess");
	assert_int_equal(e->verifies, 1);
	ppp_link_verified(&e->link, true, "welcome", p->now);
	assert_int_equal(e->authenticated, 0);
	respond(e, 0, "guess");
	assert_int_equal(e->verifies, 2);
	assert_false(e->claim_ok);
}

static void response_with_another_identifier_is_dropped(void **state)
{
	struct end *e = authenticator(*state);

	respond(e, 1, "secret");
	respond(e, -1, "secret");
	assert_int_equal(e->counters.bad_id, 2);
	assert_int_equal(e->verifies, 0);
}

static void malformed_packets_are_dropped(void **state)
{
	const struct {
		const char *name;
		uint8_t frame[32];
		size_t len;
	} table[] = {
		{"no header", {0xc2, 0x23}, 2},
		{"half a header", {0xc2, 0x23, 2, 1, 0}, 5},
		{"length below the header", {0xc2, 0x23, 2, 1, 0, 2}, 6},
		{"length beyond the frame", {0xc2, 0x23, 2, 1, 0, 40, 16}, 7},
		{"code 0", {0xc2, 0x23, 0, 1, 0, 4}, 6},
		{"code 5", {0xc2, 0x23, 5, 1, 0, 4}, 6},
		{"response without value size", {0xc2, 0x23, 2, ID, 0, 4}, 6},
		{"value beyond the packet", {0xc2, 0x23, 2, ID, 0, 9, 16, 1, 2, 3, 4}, 11},
		{"value beyond the packet, into the padding", {0xc2, 0x23, 2, ID, 0, 7, 16, 1, 2}, 25},
		{"value of 0", {0xc2, 0x23, 2, ID, 0, 10, 0, 'a', 'l', 'i', 'c', 'e'}, 12},
		{"value of 15", {0xc2, 0x23, 2, ID, 0, 20, 15}, 22},
		{"value of 17", {0xc2, 0x23, 2, ID, 0, 22, 17}, 24},
		{"challenge that nobody agreed to", {0xc2, 0x23, 1, ID, 0, 6, 1, 9}, 8},
		{"success that nobody waits for", {0xc2, 0x23, 3, ID, 0, 4}, 6},
		{"failure that nobody waits for", {0xc2, 0x23, 4, ID, 0, 4}, 6},
	};
	struct end *e = authenticator(*state);
	size_t sent = e->sent_count;
	struct ppp_counters *c = &e->counters;

	assert_int_equal(end_last(e, PPP_CHAP, CHAP_CHALLENGE)->bytes[5], ID);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		end_frame(e, table[i].frame, table[i].len);
		if (e->sent_count != sent || c->bad_frame + c->bad_code + c->bad_auth + c->bad_phase != i + 1)
			fail_msg("%s", table[i].name);
	}
	assert_int_equal(e->verifies, 0);
	respond(e, 0, "secret");
	assert_int_equal(e->authenticated, 1);
}

/* proves: HS-PPP-10 partial */
static void answers_a_challenge_with_the_right_digest(void **state)
{
	struct end *e = authenticatee(*state);

	end_packet_of(e, PPP_CHAP, CHAP_CHALLENGE, 7, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
		15, 's', 'c', '1');
	ASSERT_FRAME(
		end_last(e, 0, 0), 0xff, 0x03, 0xc2, 0x23, 2, 7, 0, 26, 16, GOLDEN, 'a', 'l', 'i', 'c', 'e');
	assert_string_equal(e->peer_name, "sc1");
	assert_int_equal(e->authenticated, 0);
	end_packet_of(e, PPP_CHAP, CHAP_SUCCESS, 7, 'h', 'i');
	assert_int_equal(e->authenticated, 1);
}

static void response_is_repeated_until_there_is_a_verdict(void **state)
{
	struct end *e = authenticatee(*state);

	e->config.auth_ms = 100000;
	e->link.auth->phase_at = MSEC_NEVER;
	end_packet_of(e, PPP_CHAP, CHAP_CHALLENGE, 7, 1, 9);
	pair_run(e->pair, 7000);
	assert_int_equal(end_count(e, PPP_CHAP, CHAP_RESPONSE), 3);
	end_packet_of(e, PPP_CHAP, CHAP_CHALLENGE, 7, 1, 9); /* the same again */
	assert_int_equal(end_count(e, PPP_CHAP, CHAP_RESPONSE), 4);
	assert_int_equal(e->secrets, 1);
	pair_run(e->pair, 60000);
	assert_int_equal(e->why.cause, PPP_CAUSE_TIMEOUT);
	assert_string_equal(e->why.text, "CHAP: no verdict after 10 responses");
}

static void failure_ends_the_link_with_the_peers_words(void **state)
{
	struct end *e = authenticatee(*state);

	end_packet_of(e, PPP_CHAP, CHAP_CHALLENGE, 7, 1, 9);
	end_packet_of(e, PPP_CHAP, CHAP_FAILURE, 8, 'n', 'o');
	assert_int_equal(e->counters.bad_id, 1);
	end_packet_of(e, PPP_CHAP, CHAP_FAILURE, 7, 'w', 'r', 'o', 'n', 'g', 0, '!', 0xff);
	pair_run(e->pair, 10000);
	assert_int_equal(e->why.cause, PPP_CAUSE_AUTH_SELF);
	assert_string_equal(e->why.text, "CHAP: peer says: wrong?!?");
}

static void challenges_that_are_refused(void **state)
{
	struct end *e = authenticatee(*state);

	end_packet_of(e, PPP_CHAP, CHAP_CHALLENGE, 7, 0, 's', 'c');
	end_packet_of(e, PPP_CHAP, CHAP_CHALLENGE, 7, 1, 9, 's', 0, 'c');
	end_packet_of(e, PPP_CHAP, CHAP_SUCCESS, 7);
	assert_int_equal(e->counters.bad_auth, 2);
	assert_int_equal(e->counters.bad_phase, 1);
	assert_int_equal(e->secrets, 0);
	assert_int_equal(e->authenticated, 0);
}

/* proves: SEC-HS-16 partial */
static void reflected_challenge_is_refused(void **state)
{
	struct pair *p = *state;
	struct end *e = &p->sc;
	struct sent own;

	p->sc.config.give_auth = true; /* mutual, and with the same secret in both directions */
	p->sc.own_secret = "secret";
	pair_open(p);
	end_lcp_open(e, true);
	own = *end_last(e, PPP_CHAP, CHAP_CHALLENGE);
	end_packet(e, PPP_CHAP, CHAP_CHALLENGE, own.bytes[5], own.bytes + 8, own.len - 8);
	assert_int_equal(e->counters.bad_auth, 1);
	assert_int_equal(e->secrets, 0);
	assert_null(end_last(e, PPP_CHAP, CHAP_RESPONSE));
}

/* The concentrator of mutual authentication, asked for its proof by a peer that has proven nothing: twice, as without an answer. */
static struct end *challenged(struct pair *p, const char *own_secret)
{
	struct end *e = &p->sc;

	e->config.give_auth = e->config.prove_last = true;
	e->own_secret = own_secret;
	pair_open(p);
	end_lcp_open(e, true);
	end_packet_of(e, PPP_CHAP, CHAP_CHALLENGE, 6, 1, 9, 'e', 'v', 'e');
	end_packet_of(e, PPP_CHAP, CHAP_CHALLENGE, 7, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
		15, 's', 'i');
	end_packet_of(e, PPP_CHAP, CHAP_CHALLENGE, 7, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
		15, 's', 'i');
	return e;
}

/* proves: SEC-HS-16 partial */
static void a_stranger_gets_no_proof_and_learns_nothing(void **state)
{
	struct end *e = challenged(*state, NULL);

	assert_int_equal(e->secrets, 0);
	assert_null(end_last(e, PPP_CHAP, CHAP_RESPONSE));
	pair_run(e->pair, 20000); /* with a secret or without one: only our own challenges */
	assert_int_equal(e->secrets, 0);
	assert_null(end_last(e, PPP_CHAP, CHAP_RESPONSE));
	assert_null(end_last(e, PPP_CHAP, CHAP_FAILURE));
	assert_int_equal(e->downs, 0);
	respond(e, 0, "wrong");
	pair_run(e->pair, 20000);
	assert_int_equal(e->secrets, 0);
	assert_null(end_last(e, PPP_CHAP, CHAP_RESPONSE));
	assert_int_equal(e->why.cause, PPP_CAUSE_AUTH_PEER);
}

/* proves: SEC-HS-16 partial */
static void the_newest_challenge_is_answered_once_the_peer_has_proven_itself(void **state)
{
	struct end *e = challenged(*state, "secret");
	msec asked = e->pair->now;

	respond(e, 0, "secret");
	assert_int_equal(e->pair->now, asked);
	assert_int_equal(e->secrets, 1);
	assert_string_equal(e->peer_name, "si");
	assert_non_null(end_last(e, PPP_CHAP, CHAP_SUCCESS));
	assert_int_equal(end_count(e, PPP_CHAP, CHAP_RESPONSE), 1);
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0xc2, 0x23, 2, 7, 0, 33, 16, GOLDEN, 'c', 'o', 'n', 'c',
		'e', 'n', 't', 'r', 'a', 't', 'o', 'r');
	assert_int_equal(e->authenticated, 0);
	end_packet_of(e, PPP_CHAP, CHAP_SUCCESS, 7);
	assert_int_equal(e->authenticated, 1);
}

/* The peer that was let in before, and negotiates again, has to begin again. */
static void proof_is_held_again_after_a_new_negotiation(void **state)
{
	struct pair *p = *state;
	struct end *e = challenged(p, "secret");

	respond(e, 0, "secret");
	end_packet_of(e, PPP_CHAP, CHAP_SUCCESS, 7);
	assert_int_equal(e->authenticated, 1);
	end_packet_of(e, PPP_LCP, PPP_CONFIGURE_REQUEST, 99, 5, 6, 9, 9, 9, 9, 3, 5, 0xc2, 0x23, 5);
	end_ack(e, PPP_LCP);
	end_packet_of(e, PPP_CHAP, CHAP_CHALLENGE, 8, 1, 9, 's', 'i');
	assert_int_equal(e->secrets, 1);
	assert_int_equal(end_count(e, PPP_CHAP, CHAP_RESPONSE), 1);
	respond(e, 0, "secret");
	assert_int_equal(e->secrets, 2);
	assert_int_equal(end_count(e, PPP_CHAP, CHAP_RESPONSE), 2);
}

static void no_secret_ends_the_link(void **state)
{
	struct end *e = authenticatee(*state);

	e->own_secret = NULL;
	end_packet_of(e, PPP_CHAP, CHAP_CHALLENGE, 7, 1, 9);
	pair_run(e->pair, 10000);
	assert_int_equal(e->why.cause, PPP_CAUSE_AUTH_SELF);
	assert_string_equal(e->why.text, "CHAP: we have no secret for this peer");
}

static void secret_that_comes_late_answers_the_latest_challenge(void **state)
{
	struct pair *p = *state;
	struct end *e = authenticatee(p);

	e->later = true;
	end_packet_of(e, PPP_CHAP, CHAP_CHALLENGE, 6, 1, 9);
	end_packet_of(
		e, PPP_CHAP, CHAP_CHALLENGE, 7, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	assert_int_equal(e->secrets, 1);
	ppp_link_secret(&e->link, "secret", 6, p->now);
	ppp_link_secret(&e->link, "another", 7, p->now);
	assert_int_equal(end_count(e, PPP_CHAP, CHAP_RESPONSE), 1);
	ASSERT_FRAME(end_last(e, PPP_CHAP, 0), 0xff, 0x03, 0xc2, 0x23, 2, 7, 0, 26, 16, GOLDEN, 'a', 'l', 'i',
		'c', 'e');
}

static void challenge_in_the_network_phase_is_answered(void **state)
{
	struct end *e = authenticatee(*state);

	end_packet_of(e, PPP_CHAP, CHAP_CHALLENGE, 7, 1, 9);
	end_packet_of(e, PPP_CHAP, CHAP_SUCCESS, 7);
	end_packet_of(e, PPP_IPV6CP, PPP_CONFIGURE_REQUEST, 1, 1, 10, 0, 0, 0, 0, 0, 0, 0, 9);
	end_ack(e, PPP_IPV6CP);
	assert_int_equal(e->ups, 1);
	assert_null(e->link.auth); /* steady state */
	end_packet_of(e, PPP_CHAP, CHAP_CHALLENGE, 8, 1, 9);
	assert_int_equal(end_last(e, 0, 0)->bytes[4], CHAP_RESPONSE);
	assert_int_equal(end_last(e, 0, 0)->bytes[5], 8);
	end_packet_of(e, PPP_CHAP, CHAP_SUCCESS, 8);
	assert_null(e->link.auth);
	assert_int_equal(e->authenticated, 1);
	assert_int_equal(e->ncp_downs, 0);
}

/* ---- MS-CHAPv2 ---- */

static void ms_setup(struct pair *p, bool authenticator)
{
	p->sc.config.demand_auth = authenticator;
	p->sc.config.demand[0] = PPP_METHOD_MSCHAPV2;
	p->sc.config.give_auth = !authenticator;
	p->sc.config.give = 1 << PPP_METHOD_MSCHAPV2;
	if (!authenticator)
		p->sc.config.name = "User";
	p->sc.own_secret = "clientPass";
	p->sc.accept_name = "User";
	p->sc.accept_secret = "clientPass";
	pair_open(p);
	end_lcp_open_by(&p->sc, authenticator ? 0 : PPP_METHOD_MSCHAPV2);
}

static const uint8_t ms_challenge[] = {16, 0x5b, 0x5d, 0x7c, 0x7d, 0x7b, 0x3f, 0x2f, 0x3e, 0x3c, 0x2c, 0x60,
	0x21, 0x32, 0x26, 0x26, 0x28, 's', 'c'};

/* As the peer, with the challenge of RFC 2759 section 9.2: what the right Success says. */
static void ms_answered(struct end *e, char ret[MSCHAP_SUCCESS + 1])
{
	const struct sent *s;

	end_packet(e, PPP_CHAP, CHAP_CHALLENGE, 7, ms_challenge, sizeof(ms_challenge));
	s = end_last(e, PPP_CHAP, CHAP_RESPONSE);
	assert_non_null(s);
	assert_true(mschap_v2_success(
		ms_challenge + 1, s->bytes + 9, "User", 4, "clientPass", 10, s->bytes + 33, ret));
}

/* proves: HS-PPP-11 partial */
static void mschapv2_response_has_the_rfcs_form_and_value(void **state)
{
	static const uint8_t zeros[8];
	struct pair *p = *state;
	struct end *e = &p->sc;
	char success[MSCHAP_SUCCESS + 1];
	uint8_t want[MSCHAP_NT_RESPONSE];
	const struct sent *s;

	ms_setup(p, false);
	ms_answered(e, success);
	s = end_last(e, 0, 0);
	assert_int_equal(s->len, 8 + 1 + 49 + 4);
	assert_int_equal(s->bytes[8], 49);
	assert_true(mschap_v2_response(ms_challenge + 1, s->bytes + 9, "User", 4, "clientPass", 10, want));
	assert_memory_equal(s->bytes + 9 + 16, zeros, 8);
	assert_memory_equal(s->bytes + 9 + 24, want, sizeof(want));
	assert_int_equal(s->bytes[9 + 48], 0);
	assert_memory_equal(s->bytes + 9 + 49, "User", 4);
	assert_string_equal(e->peer_name, "sc");
	end_packet(e, PPP_CHAP, CHAP_SUCCESS, 7, success, MSCHAP_SUCCESS);
	assert_int_equal(e->authenticated, 1);
}

/* RFC 2759 section 9.2, computed by others: our response to the challenge of that section with the peer challenge of that section. */
static void mschapv2_golden_claim_is_verified(void **state)
{
	static const uint8_t value[] = {49, 0x21, 0x40, 0x23, 0x24, 0x25, 0x5e, 0x26, 0x2a, 0x28, 0x29, 0x5f,
		0x2b, 0x3a, 0x33, 0x7c, 0x7e, 0, 0, 0, 0, 0, 0, 0, 0, 0x82, 0x30, 0x9e, 0xcd, 0x8d, 0x70,
		0x8b, 0x5e, 0xa0, 0x8f, 0xaa, 0x39, 0x81, 0xcd, 0x83, 0x54, 0x42, 0x33, 0x11, 0x4a, 0x3d,
		0x85, 0xd6, 0xdf, 0, 'U', 's', 'e', 'r'};
	struct pair *p = *state;
	struct end *e = &p->sc;
	const struct sent *s;

	ms_setup(p, true);
	s = end_last(e, PPP_CHAP, CHAP_CHALLENGE);
	assert_int_equal(s->bytes[8], 16);
	assert_int_equal(s->len, 8 + 1 + 16 + 12);
	memcpy(e->link.auth->out.challenge, ms_challenge + 1, 16);
	end_packet(e, PPP_CHAP, CHAP_RESPONSE, s->bytes[5], value, sizeof(value));
	assert_true(e->claim_ok);
	assert_int_equal(e->authenticated, 1);
	s = end_last(e, PPP_CHAP, CHAP_SUCCESS);
	assert_int_equal(s->len, 8 + 52);
	assert_memory_equal(s->bytes + 8, "S=407A5589115FD0D6209F510FE9C04566932CDA56 M=welcome", 52);
	/* the same again, as long as anybody may miss it; from then on the peer has shown that it has it */
	end_packet(e, PPP_CHAP, CHAP_RESPONSE, s->bytes[5], value, sizeof(value));
	assert_int_equal(end_count(e, PPP_CHAP, CHAP_SUCCESS), 2);
	assert_memory_equal(end_last(e, 0, 0)->bytes + 8, "S=407A5589115FD0D6209F510FE9C04566932CDA56", 42);
	end_packet_of(e, PPP_IPV6CP, PPP_CONFIGURE_REQUEST, 1, 1, 10, 0, 0, 0, 0, 0, 0, 0, 9);
	end_ack(e, PPP_IPV6CP);
	assert_null(e->link.auth);
	end_packet(e, PPP_CHAP, CHAP_RESPONSE, s->bytes[5], value, sizeof(value));
	assert_int_equal(end_count(e, PPP_CHAP, CHAP_SUCCESS), 2);
	assert_int_equal(e->verifies, 1);
}

static void mschapv2_success_without_proof_ends_the_link(void **state)
{
	static const char *const names[] = {
		"nothing", "a greeting", "too short", "one digit off", "lower case", "not at the start"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct pair *p = *state;
		struct end *e = &p->sc;
		char text[MSCHAP_SUCCESS + 20];
		size_t len = MSCHAP_SUCCESS;

		teardown(state);
		setup(state);
		ms_setup(p, false);
		ms_answered(e, text);
		if (i == 0)
			len = 0;
		else if (i == 1)
			len = (size_t)snprintf(
				text, sizeof(text), "welcome, and come in, whoever you are, friend");
		else if (i == 2)
			len--;
		else if (i == 3)
			text[41] = text[41] == '0' ? '1' : '0';
		else if (i == 4)
			text[0] = 's';
		else
			memmove(text + 1, text, len++);
		end_packet(e, PPP_CHAP, CHAP_SUCCESS, 7, text, len);
		pair_run(p, 10000);
		if (e->authenticated || e->why.cause != PPP_CAUSE_AUTH_PEER ||
			strcmp(e->why.text, "MS-CHAPv2: the peer did not prove that it knows the password") !=
				0)
			fail_msg("%s: %s", names[i], e->why.text);
	}
}

static void mschapv2_failures_are_told_in_words(void **state)
{
	static const struct {
		const char *message, *text;
	} table[] = {
		{"E=691 R=1 C=000102030405060708090A0B0C0D0E0F V=3 M=Go away",
			"wrong user name or password (error 691): Go away"},
		{"E=646 R=0 C=000102030405060708090A0B0C0D0E0F V=3 M=",
			"not at this time of the day (error 646): "},
		{"E=647 R=0", "the account is disabled (error 647)"},
		{"E=648", "the password has expired (error 648)"},
		{"E=649 R=0 C=00 V=3", "no permission to dial in (error 649)"},
		{"E=709 M=x", "the password could not be changed (error 709): x"},
		{"E=42 R=0 M=\x01", "refused (error 42): ?"},
		{"E= R=0", "E= R=0"},
		{"E=-1", "E=-1"},
		{"M=no", "M=no"},
		{"", "(nothing)"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct pair *p = *state;
		char success[MSCHAP_SUCCESS + 1], want[128];

		teardown(state);
		setup(state);
		ms_setup(p, false);
		ms_answered(&p->sc, success);
		end_packet(&p->sc, PPP_CHAP, CHAP_FAILURE, 7, table[i].message, strlen(table[i].message));
		pair_run(p, 10000);
		snprintf(want, sizeof(want), "MS-CHAPv2: peer says: %s", table[i].text);
		assert_string_equal(p->sc.why.text, want);
		assert_int_equal(p->sc.why.cause, PPP_CAUSE_AUTH_SELF);
	}
}

static void mschapv2_packets_of_another_size_are_dropped(void **state)
{
	static const uint8_t lengths[] = {0, 1, 15, 16, 17, 24, 48, 50, 255};
	struct pair *p = *state;
	struct end *e = &p->sc;
	uint8_t data[256];

	ms_setup(p, true);
	for (size_t i = 0; i < sizeof(lengths); i++) {
		memset(data, 0x11, sizeof(data));
		data[0] = lengths[i];
		end_packet(e, PPP_CHAP, CHAP_RESPONSE, ID, data, 1u + lengths[i]);
		assert_int_equal(e->counters.bad_auth, i + 1);
	}
	assert_int_equal(e->verifies, 0);
	teardown(state);

	setup(state);
	ms_setup(p, false);
	for (size_t i = 0; i < sizeof(lengths); i++) {
		data[0] = lengths[i];
		if (lengths[i] != 16)
			end_packet(e, PPP_CHAP, CHAP_CHALLENGE, 7, data, 1u + lengths[i]);
	}
	assert_int_equal(e->counters.bad_auth, sizeof(lengths) - 1);
	assert_int_equal(e->secrets, 0);
}

static void a_password_that_mschapv2_cannot_use_ends_the_link(void **state)
{
	static char password[MSCHAP_PASSWORD_MAX + 2];
	struct pair *p = *state;

	ms_setup(p, false);
	memset(password, 'x', sizeof(password) - 1);
	p->sc.own_secret = password;
	end_packet(&p->sc, PPP_CHAP, CHAP_CHALLENGE, 7, ms_challenge, sizeof(ms_challenge));
	pair_run(p, 10000);
	assert_int_equal(p->sc.why.cause, PPP_CAUSE_AUTH_SELF);
	assert_string_equal(p->sc.why.text, "MS-CHAPv2: our password is too long");
}

static void a_response_that_nobody_demands_is_dropped(void **state)
{
	struct end *e = authenticatee(*state);
	uint8_t data[17] = {16};

	end_packet(e, PPP_CHAP, CHAP_RESPONSE, 0, data, sizeof(data));
	end_packet(e, PPP_CHAP, CHAP_RESPONSE, 1, data, sizeof(data));
	assert_int_equal(e->counters.bad_phase, 2);
	assert_int_equal(e->verifies, 0);
	assert_null(end_last(e, PPP_CHAP, CHAP_SUCCESS));
}

/* Each direction its own algorithm, both in the same packets. */
static void responses_of_the_other_algorithm_are_dropped(void **state)
{
	struct end *e = authenticator(*state);
	uint8_t data[50] = {49};

	end_packet(e, PPP_CHAP, CHAP_RESPONSE, ID, data, sizeof(data));
	assert_int_equal(e->counters.bad_auth, 1);
	assert_int_equal(e->verifies, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digest_is_md5_of_identifier_secret_challenge),
		TEST(challenge_has_the_rfcs_form_and_changes_each_time),
		TEST(challenge_is_given_up_after_max_configure),
		TEST(authentication_is_over_in_time_or_not_at_all),
		TEST(right_response_gets_success),
		TEST(wrong_response_gets_failure_and_ends_the_link),
		TEST(repeated_response_after_success_gets_success_without_verifying),
		TEST(pending_verification_is_not_asked_twice),
		TEST(verdict_for_an_earlier_negotiation_does_not_count),
		TEST(response_with_another_identifier_is_dropped),
		TEST(malformed_packets_are_dropped),
		TEST(answers_a_challenge_with_the_right_digest),
		TEST(response_is_repeated_until_there_is_a_verdict),
		TEST(failure_ends_the_link_with_the_peers_words),
		TEST(challenges_that_are_refused),
		TEST(reflected_challenge_is_refused),
		TEST(a_stranger_gets_no_proof_and_learns_nothing),
		TEST(the_newest_challenge_is_answered_once_the_peer_has_proven_itself),
		TEST(proof_is_held_again_after_a_new_negotiation),
		TEST(no_secret_ends_the_link),
		TEST(secret_that_comes_late_answers_the_latest_challenge),
		TEST(challenge_in_the_network_phase_is_answered),
		TEST(mschapv2_response_has_the_rfcs_form_and_value),
		TEST(mschapv2_golden_claim_is_verified),
		TEST(mschapv2_success_without_proof_ends_the_link),
		TEST(mschapv2_failures_are_told_in_words),
		TEST(mschapv2_packets_of_another_size_are_dropped),
		TEST(a_password_that_mschapv2_cannot_use_ends_the_link),
		TEST(a_response_that_nobody_demands_is_dropped),
		TEST(responses_of_the_other_algorithm_are_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
