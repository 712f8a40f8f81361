/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two links wired in memory: a concentrator and an initiator, with loss, doubled frames, wrong secrets
 * and early closing. */
#include "pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ppp/protocol.h"

static int setup(void **state)
{
	static struct pair p;

	pair_init(&p, 1);
	*state = &p;
	return 0;
}

static int teardown(void **state)
{
	pair_done(*state);
	return 0;
}

static void assert_up(const struct pair *p)
{
	assert_true(ppp_link_ncp_open(&p->sc.link, PPP_IPV6CP));
	assert_true(ppp_link_ncp_open(&p->si.link, PPP_IPV6CP));
	assert_string_equal(ppp_link_phase(&p->sc.link), "network");
	assert_int_equal(p->sc.link.peer_iid, p->si.link.iid);
	assert_int_equal(p->si.link.peer_iid, p->sc.link.iid);
	assert_int_not_equal(p->sc.link.iid, p->si.link.iid);
	assert_int_equal(p->sc.downs + p->si.downs, 0);
	assert_null(p->sc.link.auth);
	assert_null(p->si.link.auth);
}

/* proves: HS-PPP-3, HS-PPP-10, HS-PPP-13 */
static void both_ends_come_up_in_one_go(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	assert_string_equal(ppp_link_phase(&p->sc.link), "establish");
	pair_run(p, 20);
	assert_int_equal(p->sc.authenticated + p->si.authenticated, 0);
	assert_string_equal(ppp_link_phase(&p->sc.link), "authenticate");
	assert_null(end_last(&p->sc, PPP_IPV6CP, 0));
	assert_null(end_last(&p->si, PPP_IPV6CP, 0));
	pair_run(p, 480);
	assert_up(p);
	assert_int_equal(p->sc.ups, 1);
	assert_int_equal(p->si.ups, 1);
	assert_int_equal(p->sc.verifies, 1);
	assert_int_equal(p->sc.authenticated, 1);
	assert_int_equal(p->si.authenticated, 1);
	assert_string_equal(p->si.peer_name, "concentrator");
	assert_int_equal(p->sc.link.peer_mru, 1460);
	assert_int_equal(p->si.link.peer_mru, 1460);
	assert_int_equal(ppp_link_deadline(&p->sc.link), MSEC_NEVER); /* no echoes: nothing periodic */
	assert_int_equal(p->sc.counters.bad_phase + p->si.counters.bad_phase, 0);
}

/* proves: HS-PPP-14 partial, HS-PPP-5 */
static void anonymous_service_comes_up(void **state)
{
	struct pair *p = *state;

	p->sc.config.demand_auth = false;
	pair_open(p);
	pair_run(p, 500);
	assert_up(p);
	assert_int_equal(p->sc.verifies, 0);
	assert_null(end_last(&p->sc, PPP_CHAP, 0));
	assert_null(end_last(&p->si, PPP_CHAP, 0));
}

static void initiator_may_insist_on_authentication(void **state)
{
	struct pair *p = *state;

	p->sc.config.demand_auth = false;
	p->si.config.insist_auth = true;
	pair_open(p);
	pair_run(p, 10000);
	assert_int_equal(p->si.downs, 1);
	assert_int_equal(p->si.why.cause, PPP_CAUSE_NEGOTIATION);
	assert_string_equal(p->si.why.text, "LCP: peer does not ask for authentication");
	assert_int_equal(p->si.ups, 0);
	assert_int_equal(p->sc.downs, 1);
	assert_int_equal(p->sc.why.cause, PPP_CAUSE_PEER);
}

/* proves: SEC-HS-16, HS-PPP-12 */
static void mutual_authentication_is_complete_when_both_directions_are(void **state)
{
	struct pair *p = *state;

	p->sc.config.give_auth = true;
	p->sc.own_secret = "the concentrator's";
	p->si.config.demand_auth = true;
	p->si.accept_name = "concentrator";
	p->si.accept_secret = "the concentrator's";
	p->si.later = true;
	pair_open(p);
	pair_run(p, 1000);
	assert_int_equal(p->si.verifies, 1);
	ppp_link_secret(&p->si.link, "secret", 6, p->now);
	pair_run(p, 1000);
	assert_true(p->sc.link.peer_ok);
	assert_int_equal(p->sc.authenticated + p->si.authenticated, 0);
	ppp_link_verified(&p->si.link, p->si.claim_ok, "", p->now);
	pair_run(p, 1000);
	assert_int_equal(p->sc.authenticated, 1);
	assert_int_equal(p->si.authenticated, 1);
	assert_up(p);
}

/* proves: SEC-HS-16 partial */
static void a_concentrator_that_proves_itself_last_costs_no_time(void **state)
{
	struct pair *p = *state;

	p->sc.config.give_auth = p->sc.config.prove_last = true;
	p->sc.own_secret = "the concentrator's";
	p->si.config.demand_auth = true;
	p->si.accept_name = "concentrator";
	p->si.accept_secret = "the concentrator's";
	pair_open(p);
	pair_run(p, 1000);
	assert_up(p);
	assert_int_equal(end_count(&p->si, PPP_CHAP, CHAP_CHALLENGE), 1);
	assert_int_equal(end_count(&p->sc, PPP_CHAP, CHAP_CHALLENGE), 1);
	assert_int_equal(p->sc.authenticated, 1);
	assert_int_equal(p->si.authenticated, 1);
}

static void nor_does_a_slow_verifier_or_a_lossy_path_defeat_it(void **state)
{
	struct pair *p = *state;

	for (unsigned seed = 1; seed <= 20; seed++) {
		pair_done(p);
		pair_init(p, seed);
		p->sc.config.give_auth = p->sc.config.prove_last = true;
		p->sc.own_secret = "the concentrator's";
		p->sc.later = true;
		p->si.config.demand_auth = true;
		p->si.accept_name = "concentrator";
		p->si.accept_secret = "the concentrator's";
		pair_open(p);
		pair_run(p, 7000);
		assert_int_equal(p->sc.verifies, 1);
		assert_int_equal(p->sc.secrets, 0);
		p->loss = 15;
		p->twice = 15;
		p->sc.later = false;
		ppp_link_verified(&p->sc.link, p->sc.claim_ok, "", p->now);
		assert_int_equal(p->sc.secrets, 1);
		pair_run(p, 60000);
		assert_true(p->sc.authenticated >= 1 && p->si.authenticated >= 1);
	}
}

/* proves: SEC-HS-16 */
static void rogue_concentrator_is_refused(void **state)
{
	struct pair *p = *state;

	p->sc.config.give_auth = true;
	p->sc.own_secret = "a guess";
	p->si.config.demand_auth = true;
	p->si.accept_name = "concentrator";
	p->si.accept_secret = "the concentrator's";
	pair_open(p);
	pair_run(p, 10000);
	assert_int_equal(p->si.why.cause, PPP_CAUSE_AUTH_PEER);
	assert_int_equal(p->sc.why.cause, PPP_CAUSE_AUTH_SELF);
	assert_string_equal(p->sc.why.text, "CHAP: peer says: wrong password");
	assert_int_equal(p->si.authenticated + p->si.ups, 0);
}

/* proves: SEC-HS-16 partial */
static void concentrator_that_refuses_to_prove_itself_is_refused(void **state)
{
	struct pair *p = *state;

	p->si.config.demand_auth = true;
	pair_open(p);
	pair_run(p, 10000);
	assert_int_equal(p->si.why.cause, PPP_CAUSE_NEGOTIATION);
	assert_string_equal(p->si.why.text, "LCP: peer refuses to authenticate");
	assert_int_equal(p->si.ups, 0);
}

static void wrong_password_ends_both_ends_with_the_reason(void **state)
{
	struct pair *p = *state;

	p->si.own_secret = "guess";
	pair_open(p);
	pair_run(p, 10000);
	assert_int_equal(p->sc.downs, 1);
	assert_int_equal(p->si.downs, 1);
	assert_int_equal(p->sc.why.cause, PPP_CAUSE_AUTH_PEER);
	assert_int_equal(p->si.why.cause, PPP_CAUSE_AUTH_SELF);
	assert_string_equal(p->si.why.text, "CHAP: peer says: wrong password");
	assert_int_equal(p->sc.ups + p->si.ups + p->sc.ncp_downs + p->si.ncp_downs, 0);
	assert_string_equal(ppp_link_phase(&p->sc.link), "dead");
}

/* proves: HS-SCEN-11 */
static void identifier_is_assigned_or_only_checked(void **state)
{
	struct pair *p = *state;

	p->sc.assign = 0x1234;
	pair_open(p);
	pair_run(p, 500);
	assert_up(p);
	assert_int_equal(p->si.link.iid, 0x1234);
	pair_done(p);

	pair_init(p, 2);
	pair_open(p);
	pair_run(p, 500);
	assert_up(p);
	assert_int_equal(p->si.link.iid, 0x0211223344556677); /* unique: kept */
}

/* proves: HS-PPP-17 partial */
static void equal_identifiers_are_resolved(void **state)
{
	for (uint64_t seed = 1; seed < 30; seed++) {
		struct pair *p = *state;

		pair_done(p);
		pair_init(p, seed);
		p->si.iid = p->sc.iid;
		p->sc.assign = seed & 1 ? 0x1234 : 0;
		pair_open(p);
		pair_run(p, 4000);
		assert_up(p);
	}
}

static void closing_the_ncp_keeps_the_link(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	pair_run(p, 500);
	ppp_link_close_ncp(&p->sc.link, PPP_IPV6CP, "no addresses left", p->now);
	assert_int_equal(p->sc.ncp_downs, 1);
	assert_string_equal(p->sc.ncp_why, "no addresses left");
	pair_run(p, 5000);
	assert_int_equal(p->sc.ncp_downs, 1);
	assert_int_equal(p->si.ncp_downs, 1);
	assert_string_equal(p->si.ncp_why, "IPV6CP terminated by peer");
	assert_int_equal(p->sc.link.lcp.state, PPP_OPENED);
	assert_int_equal(p->si.link.lcp.state, PPP_OPENED);
	assert_int_equal(p->sc.downs + p->si.downs, 0);

	ppp_link_network(&p->sc.link, &(struct ppp_network){.ipv6 = true, .iid = p->sc.iid, .assign_iid = 0}, p->now); /* and it can come back */
	pair_run(p, 5000);
	assert_up(p);
	assert_int_equal(p->sc.ups, 2);
	assert_int_equal(p->si.ups, 2);
}

static bool eat_ipv6cp_requests_of_the_initiator(
	struct pair *p, struct end *from, const uint8_t *frame, size_t len)
{
	return from == &p->si && frame[2] == 0x80 && frame[4] == PPP_CONFIGURE_REQUEST;
}

static void ncp_that_is_closed_before_it_is_up_is_told_once(void **state)
{
	struct pair *p = *state;

	p->eat = eat_ipv6cp_requests_of_the_initiator;
	pair_open(p);
	pair_run(p, 1000);
	assert_int_equal(p->sc.ups, 0);
	ppp_link_close_ncp(&p->sc.link, PPP_IPV6CP, "enough", p->now);
	assert_int_equal(p->sc.ncp_downs, 1);
	pair_run(p, 20000);
	assert_int_equal(p->sc.ncp_downs, 1);
	assert_int_equal(p->sc.downs, 0);
}

static void peer_without_ipv6_rejects_the_protocol_and_the_link_stays(void **state)
{
	struct pair *p = *state;

	p->si.config.ipv6 = false;
	pair_open(p);
	pair_run(p, 1000);
	assert_int_equal(p->sc.ncp_downs, 1);
	assert_string_equal(p->sc.ncp_why, "IPV6CP: peer does not know it (Protocol-Reject)");
	assert_int_equal(p->sc.downs, 0);
	assert_int_equal(p->sc.link.lcp.state, PPP_OPENED);
	assert_int_equal(p->sc.counters.protocol_rejects_rx, 1);
	assert_int_equal(p->si.counters.protocol_rejects_tx, 1);
	assert_int_equal(end_count(&p->sc, PPP_IPV6CP, 0), 1);
	pair_run(p, 60000);
	assert_int_equal(end_count(&p->sc, PPP_IPV6CP, 0), 1); /* stopped sending */
	assert_int_equal(p->sc.ncp_downs, 1);
}

/* proves: HS-PPP-15 partial */
static void unknown_protocols_are_rejected_within_the_peers_mru(void **state)
{
	struct pair *p = *state;
	const uint8_t ipcp[] = {0xff, 0x03, 0x80, 0x21, 1, 1, 0, 10, 3, 6, 0, 0, 0, 0};
	const uint8_t want[] = {0xc0, 0x21, 8, 0, 0, 16, 0x80, 0x21, 1, 1, 0, 10, 3, 6, 0, 0, 0, 0};
	uint8_t big[1550] = {0x80, 0x21};
	const struct sent *s;

	pair_open(p);
	pair_run(p, 500);
	end_frame(&p->sc, ipcp, sizeof(ipcp));
	s = end_last(&p->sc, PPP_LCP, PPP_PROTOCOL_REJECT);
	assert_non_null(s);
	assert_int_equal(s->len, sizeof(want) + 2);
	assert_memory_equal(s->bytes + 2, want, 3);
	assert_memory_equal(s->bytes + 6, want + 4, sizeof(want) - 4);
	end_frame(&p->sc, big, sizeof(big));
	s = end_last(&p->sc, PPP_LCP, PPP_PROTOCOL_REJECT);
	assert_int_equal(s->len, 1460 + 4);
	end_frame(&p->sc, (const uint8_t[]){0x21, 0x45}, 2);    /* IPv4 itself */
	end_frame(&p->sc, (const uint8_t[]){0xc0, 0x25, 1}, 3); /* quality reports */
	assert_int_equal(p->sc.counters.protocol_rejects_tx, 4);
	pair_run(p, 1000);
	assert_up(p);
	assert_int_equal(p->si.counters.protocol_rejects_rx, 4); /* of what it never sent: ignored */
	assert_int_equal(p->si.notes, 4);
}

static void protocol_reject_of_lcp_ends_the_link(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	pair_run(p, 500);
	end_packet_of(&p->sc, PPP_LCP, PPP_PROTOCOL_REJECT, 1, 0xc0, 0x21);
	pair_run(p, 10000);
	assert_int_equal(p->sc.why.cause, PPP_CAUSE_NEGOTIATION);
	assert_int_equal(p->sc.ncp_downs, 1);
}

static bool eat_chap(struct pair *p, struct end *from, const uint8_t *frame, size_t len)
{
	return frame[2] == 0xc2;
}

static void protocol_reject_of_chap_ends_the_link(void **state)
{
	struct pair *p = *state;

	p->eat = eat_chap;
	pair_open(p);
	pair_run(p, 500);
	end_packet_of(&p->sc, PPP_LCP, PPP_PROTOCOL_REJECT, 1, 0xc2, 0x23, 1, 1, 0, 4);
	pair_run(p, 10000);
	assert_int_equal(p->sc.why.cause, PPP_CAUSE_AUTH_PEER);
	assert_string_equal(p->sc.why.text, "CHAP: peer does not know it (Protocol-Reject)");
}

static void malformed_protocol_reject_is_counted(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	end_packet_of(&p->sc, PPP_LCP, PPP_PROTOCOL_REJECT, 1, 0x80, 0x57);
	assert_int_equal(p->sc.counters.bad_phase, 1); /* section 5.7: only while LCP is open */
	pair_run(p, 500);
	end_packet_of(&p->sc, PPP_LCP, PPP_PROTOCOL_REJECT, 1, 0x80);
	assert_int_equal(p->sc.counters.bad_frame, 1);
	assert_up(p);
}

static void looped_link_is_seen(void **state)
{
	for (int anonymous = 0; anonymous < 2; anonymous++) {
		struct pair *p = *state;

		pair_done(p);
		pair_init(p, 7);
		p->loopback = true;
		p->sc.config.demand_auth = !anonymous;
		p->sc.config.max_failure = 1;
		assert_int_equal(ppp_link_open(&p->sc.link, &p->sc.config, 1460, p->now), 0);
		pair_run(p, 30000);
		assert_int_equal(p->sc.downs, 1);
		assert_int_equal(p->sc.why.cause, PPP_CAUSE_LOOP);
		assert_int_equal(p->sc.counters.loops, 3);
		assert_int_equal(p->sc.authenticated, 0);
	}
}

static void one_equal_magic_number_is_no_loop(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	p->si.link.magic = p->sc.link.magic; /* by chance, from the second request on */
	p->head = p->tail;
	pair_run(p, 10000);
	assert_up(p);
	assert_int_not_equal(p->sc.link.magic, p->si.link.magic);
	assert_true(p->sc.counters.loops + p->si.counters.loops > 0);
}

static void early_ncp_request_waits_for_the_lease(void **state)
{
	struct pair *p = *state;

	p->sc.no_network = true;
	pair_open(p);
	pair_run(p, 1000);
	assert_int_equal(p->sc.authenticated, 1);
	assert_non_null(p->sc.link.auth);
	assert_null(end_last(&p->sc, PPP_IPV6CP, 0));
	ppp_link_network(&p->sc.link, &(struct ppp_network){.ipv6 = true, .iid = 1, .assign_iid = 0x99}, p->now);
	pair_run(p, 100); /* not a retransmission's 3 s */
	assert_up(p);
	assert_int_equal(p->si.link.iid, 0x99);
}

static void early_packets_of_other_kinds_are_dropped(void **state)
{
	struct pair *p = *state;
	uint8_t big[200] = {0x80, 0x57, 1, 1, 0, 100};

	p->sc.no_network = true;
	p->alone = true;
	p->sc.config.demand_auth = false;
	pair_open(p);
	end_lcp_open(&p->sc, false);
	end_packet_of(&p->sc, PPP_IPV6CP, PPP_TERMINATE_REQUEST, 1, 1);
	end_frame(&p->sc, big, sizeof(big));
	end_frame(&p->sc, (const uint8_t[]){0x80, 0x57}, 2);
	end_frame(&p->sc, (const uint8_t[]){0x57, 0x60}, 2); /* an IPv6 packet while IPV6CP is down */
	assert_int_equal(p->sc.counters.bad_phase, 4);
	end_frame(&p->sc, (const uint8_t[]){0x80, 0x57, 1}, 3); /* kept, and refused when it is looked at */
	ppp_link_network(&p->sc.link, &(struct ppp_network){.ipv6 = true, .iid = 1, .assign_iid = 0}, p->now);
	assert_int_equal(p->sc.counters.bad_frame, 1);
	assert_int_equal(p->sc.link.ipv6cp.state, PPP_REQ_SENT);
}

/* proves: HS-PPP-13 partial */
static void ncp_before_authentication_is_dropped(void **state)
{
	struct pair *p = *state;

	p->eat = eat_chap;
	pair_open(p);
	pair_run(p, 100);
	assert_string_equal(ppp_link_phase(&p->sc.link), "authenticate");
	end_packet_of(&p->sc, PPP_IPV6CP, PPP_CONFIGURE_REQUEST, 1, 1, 10, 0, 0, 0, 0, 0, 0, 0, 5);
	end_frame(&p->sc, (const uint8_t[]){0x57, 0x60}, 2);
	end_frame(&p->sc, (const uint8_t[]){0x80, 0x21, 1, 1, 0, 4}, 6);
	assert_int_equal(p->sc.counters.bad_phase, 3);
	assert_null(end_last(&p->sc, PPP_IPV6CP, 0));
	assert_int_equal(p->sc.counters.protocol_rejects_tx, 0);
	ppp_link_network(&p->sc.link, &(struct ppp_network){.ipv6 = true, .iid = 1, .assign_iid = 0}, p->now); /* nor by the owner's mistake */
	assert_null(end_last(&p->sc, PPP_IPV6CP, 0));
	end_frame(&p->sc, (const uint8_t[]){0xc0, 0x23, 1, 1, 0, 4},
		6); /* PAP is of this phase: told that we have none */
	assert_int_equal(p->sc.counters.protocol_rejects_tx, 1);
}

static void negotiating_lcp_again_authenticates_again(void **state)
{
	struct pair *p = *state;
	size_t notes;

	pair_open(p);
	pair_run(p, 500);
	notes = p->sc.notes;
	ppp_automaton_restart(&p->si.link.lcp, "test", p->now);
	pair_run(p, 5000);
	assert_up(p);
	assert_int_equal(p->sc.verifies, 2);
	assert_int_equal(p->sc.authenticated, 2);
	assert_int_equal(p->sc.ncp_downs, 1);
	assert_int_equal(p->sc.ups, 2);
	assert_int_equal(p->si.ncp_downs, 1);
	assert_true(p->sc.notes > notes);
	assert_string_equal(p->sc.note, "LCP: the peer negotiates again");
}

static void peer_that_negotiates_on_and_on_is_closed(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	for (int i = 0; i < 15; i++) { /* now and then is fine */
		pair_run(p, 61000);
		ppp_automaton_restart(&p->si.link.lcp, "test", p->now);
	}
	pair_run(p, 5000);
	assert_up(p);
	assert_int_equal(p->sc.verifies, 16);
	for (int i = 0; i < 15; i++) {
		ppp_automaton_restart(&p->si.link.lcp, "test", p->now);
		pair_run(p, 1000);
	}
	pair_run(p, 10000);
	assert_int_equal(p->sc.verifies, 16 + 9); /* the last of the fifteen was the first of ten */
	assert_int_equal(p->sc.downs, 1);
	assert_int_equal(p->sc.why.cause, PPP_CAUSE_NEGOTIATION);
	assert_string_equal(p->sc.why.text, "LCP: peer has negotiated again 10 times");
}

static void close_tells_the_peer_why(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	pair_run(p, 500);
	ppp_link_close(&p->sc.link, "shutting down", p->now);
	assert_string_equal(p->sc.ncp_why, "shutting down");
	assert_int_equal(p->sc.downs, 0);
	ppp_link_close(&p->sc.link, "again", p->now);
	pair_run(p, 10000);
	assert_int_equal(p->sc.downs, 1);
	assert_int_equal(p->sc.why.cause, PPP_CAUSE_LOCAL);
	assert_string_equal(p->sc.why.text, "shutting down");
	assert_int_equal(p->si.downs, 1);
	assert_int_equal(p->si.why.cause, PPP_CAUSE_PEER);
	assert_string_equal(p->si.why.text, "LCP terminated by peer: shutting down");
	assert_int_equal(p->si.ncp_downs, 1);
	ppp_link_close(&p->sc.link, "too late", p->now);
	ppp_link_tick(&p->sc.link, p->now + 100000);
	ppp_link_input(&p->sc.link, (const uint8_t *)"\xc0\x21", 2, p->now);
	assert_int_equal(p->sc.downs, 1);
}

static void owner_may_close_and_free_from_inside(void **state)
{
	struct pair *p = *state;

	p->sc.close_on_down = true;
	p->sc.done_on_down = true;
	p->si.done_on_down = true;
	pair_open(p);
	pair_run(p, 500);
	ppp_automaton_restart(&p->si.link.ipv6cp, "test",
		p->now); /* Configure-Request in Opened: tld, and we close in it */
	pair_run(p, 10000);
	assert_int_equal(p->sc.ncp_downs, 1);
	assert_int_equal(p->sc.downs, 1);
	assert_string_equal(p->sc.why.text, "owner has seen enough");
	/* IPV6CP's actions (Configure-Request, -Ack) were finished before LCP was closed, not after */
	assert_int_equal(end_last(&p->sc, 0, 0)->bytes[2] << 8 | end_last(&p->sc, 0, 0)->bytes[3], PPP_LCP);
	assert_int_equal(end_last(&p->sc, 0, 0)->bytes[4], PPP_TERMINATE_REQUEST);
	assert_int_equal(p->si.downs, 1);
}

/* proves: HS-L2TP-31 partial */
static void echoes_are_answered_and_keep_the_link(void **state)
{
	struct pair *p = *state;

	p->sc.config.echo_ms = 30000;
	pair_open(p);
	pair_run(p, 3600000);
	assert_up(p);
	assert_true(p->sc.counters.echo_tx >= 119);
	assert_int_equal(p->si.counters.echo_rx, p->sc.counters.echo_tx);
	assert_int_equal(p->sc.counters.bad_id, 0);
	p->loss = 100;
	pair_run(p, 125000);
	assert_int_equal(p->sc.downs, 1);
	assert_int_equal(p->sc.why.cause, PPP_CAUSE_TIMEOUT);
}

/* proves: HS-PPP-3 partial */
static void links_come_up_in_spite_of_loss_and_doubles(void **state)
{
	struct pair *p = *state;
	unsigned up = 0, rounds = 300;

	for (uint64_t seed = 1; seed <= rounds; seed++) {
		pair_done(p);
		pair_init(p, seed);
		p->loss = (unsigned)(seed % 4) * 10;
		p->twice = (unsigned)(seed % 3) * 15;
		if (seed & 1) {
			p->sc.config.give_auth = true;
			p->sc.own_secret = "other";
			p->si.config.demand_auth = true;
			p->si.accept_name = "concentrator";
			p->si.accept_secret = "other";
		}
		p->sc.assign = seed & 2 ? 0x77 : 0;
		pair_open(p);
		pair_run(p, 60000);
		p->loss = p->twice = 0;
		pair_run(p, 60000);
		assert_true(p->sc.downs <= 1 && p->si.downs <= 1);
		assert_true(p->sc.authenticated >= p->sc.ups || p->sc.ups <= p->sc.ncp_downs + 1);
		if (p->sc.downs || p->si.downs)
			continue;
		assert_up(p);
		up++;
	}
	assert_true(up >= rounds * 99 / 100);
}

static void doubled_frames_alone_never_take_a_link_down(void **state)
{
	struct pair *p = *state;

	for (uint64_t seed = 1; seed <= 50; seed++) {
		pair_done(p);
		pair_init(p, seed);
		p->twice = 100;
		pair_open(p);
		pair_run(p, 60000);
		assert_up(p);
		assert_int_equal(p->sc.ups, 1);
		assert_int_equal(p->si.ups, 1);
	}
}

static void memory_of_the_setup_part_is_wiped_and_freed(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	assert_non_null(p->sc.link.auth);
	ppp_link_done(&p->sc.link);
	assert_null(p->sc.link.auth);
	ppp_link_done(&p->sc.link); /* twice does no harm */
	assert_int_equal(p->sc.downs, 0);
	assert_int_equal(ppp_link_deadline(&p->sc.link), MSEC_NEVER);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_ends_come_up_in_one_go),
		TEST(anonymous_service_comes_up),
		TEST(initiator_may_insist_on_authentication),
		TEST(mutual_authentication_is_complete_when_both_directions_are),
		TEST(a_concentrator_that_proves_itself_last_costs_no_time),
		TEST(nor_does_a_slow_verifier_or_a_lossy_path_defeat_it),
		TEST(rogue_concentrator_is_refused),
		TEST(concentrator_that_refuses_to_prove_itself_is_refused),
		TEST(wrong_password_ends_both_ends_with_the_reason),
		TEST(identifier_is_assigned_or_only_checked),
		TEST(equal_identifiers_are_resolved),
		TEST(closing_the_ncp_keeps_the_link),
		TEST(ncp_that_is_closed_before_it_is_up_is_told_once),
		TEST(peer_without_ipv6_rejects_the_protocol_and_the_link_stays),
		TEST(unknown_protocols_are_rejected_within_the_peers_mru),
		TEST(protocol_reject_of_lcp_ends_the_link),
		TEST(protocol_reject_of_chap_ends_the_link),
		TEST(malformed_protocol_reject_is_counted),
		TEST(looped_link_is_seen),
		TEST(one_equal_magic_number_is_no_loop),
		TEST(early_ncp_request_waits_for_the_lease),
		TEST(early_packets_of_other_kinds_are_dropped),
		TEST(ncp_before_authentication_is_dropped),
		TEST(negotiating_lcp_again_authenticates_again),
		TEST(peer_that_negotiates_on_and_on_is_closed),
		TEST(close_tells_the_peer_why),
		TEST(owner_may_close_and_free_from_inside),
		TEST(echoes_are_answered_and_keep_the_link),
		TEST(links_come_up_in_spite_of_loss_and_doubles),
		TEST(doubled_frames_alone_never_take_a_link_down),
		TEST(memory_of_the_setup_part_is_wiped_and_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
