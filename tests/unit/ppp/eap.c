/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EAP on the link, each direction alone: the test plays the peer; the method of two packets is that of pair.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pair.h"
#include "ppp/protocol.h"

enum { ID = 10 }; /* of the first request that pair.c makes; then one more each time */

static int setup(void **state)
{
	static struct pair p;

	pair_init(&p, 1);
	p.alone = true;
	p.sc.config.demand[0] = PPP_METHOD_EAP;
	p.sc.config.give = 1 << PPP_METHOD_EAP;
	*state = &p;
	return 0;
}

static int teardown(void **state)
{
	pair_done(*state);
	return 0;
}

#define EAP_FRAME(code, id, len, ...) 0xff, 0x03, 0xc2, 0x27, code, id, 0, len, __VA_ARGS__

static struct end *authenticator(struct pair *p)
{
	pair_open(p);
	end_lcp_open(&p->sc, false);
	return &p->sc;
}

static void respond(struct end *e, uint8_t id, uint8_t type, const char *text)
{
	uint8_t data[64];
	struct writer w = writer_of(data, sizeof(data));

	writer_u8(&w, type);
	writer_bytes(&w, text, strlen(text));
	end_packet(e, PPP_EAP, PPP_EAP_RESPONSE, id, data, writer_len(&w));
}

static struct end *authenticatee(struct pair *p)
{
	p->sc.config.demand_auth = false;
	p->sc.config.give_auth = true;
	p->sc.config.name = "alice";
	p->sc.own_secret = "secret";
	pair_open(p);
	end_lcp_open_by(&p->sc, PPP_METHOD_EAP);
	assert_null(end_last(&p->sc, PPP_EAP, 0)); /* a peer begins nothing */
	return &p->sc;
}

static void ask(struct end *e, uint8_t id, uint8_t type)
{
	end_packet_of(e, PPP_EAP, PPP_EAP_REQUEST, id, type);
}

static void result(struct end *e, uint8_t code, uint8_t id)
{
	end_packet(e, PPP_EAP, code, id, "", 0);
}

static void ipv6cp_request(struct end *e)
{
	end_packet_of(e, PPP_IPV6CP, PPP_CONFIGURE_REQUEST, 1, 1, 10, 0, 0, 0, 0, 0, 0, 0, 9);
}

/* ---- the authenticator ---- */

/* proves: HS-PPP-11 partial */
static void carries_requests_and_responses_and_says_success(void **state)
{
	struct end *e = authenticator(*state);

	ASSERT_FRAME(end_last(e, 0, 0), EAP_FRAME(1, ID, 5, 1));
	respond(e, ID, 1, "alice");
	assert_memory_equal(e->eap_last, ((const uint8_t[]){2, ID, 0, 10, 1, 'a', 'l', 'i', 'c', 'e'}), 10);
	ASSERT_FRAME(end_last(e, 0, 0), EAP_FRAME(1, ID + 1, 13, 4, 'p', 'r', 'o', 'v', 'e', ' ', 'i', 't'));
	assert_int_equal(e->authenticated, 0);
	respond(e, ID + 1, 4, "secret");
	assert_int_equal(e->authenticated, 1);
	ASSERT_FRAME(end_last(e, PPP_EAP, 0), 0xff, 0x03, 0xc2, 0x27, 3, ID + 1, 0, 4);
	assert_int_equal(e->eap_responses, 2);
	assert_int_equal(e->verifies, 0);
}

static void failure_has_the_identifier_of_the_last_response(void **state)
{
	struct end *e = authenticator(*state);

	respond(e, ID, 1, "alice");
	respond(e, ID + 1, 4, "guess");
	ASSERT_FRAME(end_last(e, PPP_EAP, 0), 0xff, 0x03, 0xc2, 0x27, 4, ID + 1, 0, 4);
	pair_run(e->pair, 10000);
	assert_int_equal(e->why.cause, PPP_CAUSE_AUTH_PEER);
	assert_string_equal(e->why.text, "EAP: we refused the peer: wrong password");
	assert_int_equal(e->authenticated, 0);
}

static void a_refusal_before_any_response_is_no_eap_packet(void **state)
{
	struct pair *p = *state;
	struct end *e = &p->sc;

	e->later = true;
	authenticator(p);
	ppp_link_verified(&e->link, false, "EAP is off", p->now);
	assert_null(end_last(e, PPP_EAP, 0));
	pair_run(p, 10000);
	assert_string_equal(e->why.text, "EAP: we refused the peer: EAP is off");
}

static void requests_are_repeated_unchanged_until_max_configure(void **state)
{
	struct end *e = authenticator(*state);
	struct sent first = *end_last(e, PPP_EAP, 0);

	e->link.auth->phase_at = MSEC_NEVER;
	pair_run(e->pair, 7000);
	assert_int_equal(end_count(e, PPP_EAP, PPP_EAP_REQUEST), 3);
	assert_frame(end_last(e, 0, 0), first.bytes, first.len);
	respond(e, ID, 1, "alice"); /* counts from anew */
	pair_run(e->pair, 60000);
	assert_int_equal(end_count(e, PPP_EAP, PPP_EAP_REQUEST), 3 + 10);
	assert_int_equal(e->why.cause, PPP_CAUSE_TIMEOUT);
	assert_string_equal(e->why.text, "EAP: no answer to 10 requests");
}

static void one_response_is_with_the_owner_at_a_time(void **state)
{
	struct pair *p = *state;
	struct end *e = &p->sc;

	e->later = true;
	authenticator(p);
	respond(e, ID, 1, "alice"); /* nothing was asked yet */
	assert_int_equal(e->counters.bad_phase, 1);
	end_eap_server(e, NULL, 0);
	respond(e, ID, 1, "alice");
	respond(e, ID, 1, "alice");
	respond(e, ID, 1, "bob");
	assert_int_equal(e->eap_responses, 1);
	pair_run(p, 9000);
	assert_int_equal(end_count(e, PPP_EAP, PPP_EAP_REQUEST), 1); /* not repeated meanwhile */
	end_eap_server(e, e->eap_last, 10);
	respond(e, ID, 1, "alice"); /* an old one */
	assert_int_equal(e->counters.bad_id, 1);
	assert_int_equal(e->eap_responses, 1);
	respond(e, ID + 1, 4, "secret");
	assert_int_equal(e->eap_responses, 2);
	end_eap_server(e, e->eap_last, 11);
	assert_int_equal(e->authenticated, 1);
}

static void a_repeated_response_after_success_gets_success_again(void **state)
{
	struct end *e = authenticator(*state);

	respond(e, ID, 1, "alice");
	respond(e, ID + 1, 4, "secret");
	respond(e, ID + 1, 4, "secret");
	assert_int_equal(end_count(e, PPP_EAP, PPP_EAP_SUCCESS), 2);
	respond(e, ID, 1, "alice");
	assert_int_equal(e->counters.bad_id, 1);
	ipv6cp_request(e);
	end_ack(e, PPP_IPV6CP);
	assert_null(e->link.auth);
	respond(e, ID + 1, 4, "secret");
	assert_int_equal(end_count(e, PPP_EAP, PPP_EAP_SUCCESS), 3);
	assert_int_equal(e->eap_responses, 2);
	assert_int_equal(e->authenticated, 1);
}

static void malformed_packets_are_dropped(void **state)
{
	static const struct {
		const char *name;
		uint8_t frame[24];
		size_t len;
	} table[] = {
		{"no header", {0xc2, 0x27}, 2},
		{"half a header", {0xc2, 0x27, 2, ID, 0}, 5},
		{"length below the header", {0xc2, 0x27, 2, ID, 0, 3}, 6},
		{"length beyond the frame", {0xc2, 0x27, 2, ID, 0, 11, 1, 'a', 'l', 'i', 'c', 'e'}, 12},
		{"code 0", {0xc2, 0x27, 0, ID, 0, 5, 1}, 7},
		{"code 5", {0xc2, 0x27, 5, ID, 0, 5, 1}, 7},
		{"response without type", {0xc2, 0x27, 2, ID, 0, 4}, 6},
		{"response whose type is padding", {0xc2, 0x27, 2, ID, 0, 4, 1}, 7},
		{"response to another request", {0xc2, 0x27, 2, ID - 1, 0, 5, 1}, 7},
		{"request that nobody agreed to", {0xc2, 0x27, 1, ID, 0, 5, 1}, 7},
		{"request without type", {0xc2, 0x27, 1, ID, 0, 4}, 6},
		{"success that nobody waits for", {0xc2, 0x27, 3, ID, 0, 4}, 6},
		{"failure that nobody waits for", {0xc2, 0x27, 4, ID, 0, 4}, 6},
	};
	struct end *e = authenticator(*state);
	struct ppp_counters *c = &e->counters;
	size_t sent = e->sent_count;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		end_frame(e, table[i].frame, table[i].len);
		if (e->sent_count != sent ||
			c->bad_frame + c->bad_code + c->bad_auth + c->bad_id + c->bad_phase != i + 1)
			fail_msg("%s", table[i].name);
	}
	assert_int_equal(e->eap_responses + e->eap_requests, 0);
	respond(e, ID, 1, "alice");
	assert_int_equal(e->eap_responses, 1);
}

static void padding_does_not_reach_the_method(void **state)
{
	struct end *e = authenticator(*state);

	end_frame(e, (const uint8_t[]){0xc2, 0x27, 2, ID, 0, 10, 1, 'a', 'l', 'i', 'c', 'e', 0, 0, 0}, 15);
	respond(e, ID + 1, 4, "secret");
	assert_int_equal(e->authenticated, 1);
}

static void what_cannot_be_sent_ends_the_link(void **state)
{
	static const struct {
		const char *name;
		uint8_t packet[8];
		size_t len;
	} table[] = {
		{"nothing", {0}, 0},
		{"no type", {1, 7, 0, 4}, 4},
		{"a response", {2, 7, 0, 5, 1}, 5},
		{"another length", {1, 7, 0, 6, 1}, 5},
		{"more than its length", {1, 7, 0, 5, 1, 1}, 6},
		{"success", {3, 7, 0, 4}, 4},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct pair *p = *state;

		teardown(state);
		setup(state);
		p->sc.later = true;
		authenticator(p);
		ppp_link_eap(&p->sc.link, true, table[i].packet, table[i].len, p->now);
		pair_run(p, 10000);
		if (p->sc.why.cause != PPP_CAUSE_LOCAL || end_last(&p->sc, PPP_EAP, 0))
			fail_msg("%s: %s", table[i].name, p->sc.why.text);
	}
}

static void packets_of_1400_bytes_fit_and_larger_ones_do_not(void **state)
{
	static const size_t lengths[] = {1400, 1401, 1281};
	uint8_t packet[1500] = {1, 7};

	for (size_t i = 0; i < 3; i++) {
		struct pair *p = *state;

		teardown(state);
		setup(state);
		p->sc.later = true;
		pair_open(p);
		if (i == 2) { /* a small MRU */
			end_packet_of(&p->sc, PPP_LCP, PPP_CONFIGURE_REQUEST, 77, 1, 4, 0x05, 0x00);
			end_ack(&p->sc, PPP_LCP);
		} else {
			end_lcp_open(&p->sc, false);
		}
		packet[2] = (uint8_t)(lengths[i] >> 8);
		packet[3] = (uint8_t)lengths[i];
		ppp_link_eap(&p->sc.link, true, packet, lengths[i], p->now);
		assert_int_equal(p->sc.link.failing, i != 0);
		if (i)
			continue;
		assert_int_equal(end_last(&p->sc, PPP_EAP, 0)->len, 1404);
		assert_non_null(p->sc.link.auth->out.request);
	}
}

/* LCP is negotiated again while the owner thinks: it begins again, and what it says about the first exchange does not count. */
static void begins_again_when_the_owner_has_answered_for_the_first_time(void **state)
{
	struct pair *p = *state;
	struct end *e = &p->sc;

	for (int verdict = 0; verdict < 2; verdict++) {
		teardown(state);
		setup(state);
		e->later = true;
		authenticator(p);
		assert_int_equal(e->eap_begun, 1);
		end_packet_of(e, PPP_LCP, PPP_CONFIGURE_REQUEST, 99, 5, 6, 9, 9, 9, 9);
		end_ack(e, PPP_LCP);
		assert_int_equal(e->eap_begun, 1);
		if (verdict)
			ppp_link_verified(&e->link, true, "", p->now);
		else
			end_eap_server(e, NULL, 0);
		assert_int_equal(e->eap_begun, 2);
		assert_null(end_last(e, PPP_EAP, 0));
		assert_int_equal(e->authenticated, 0);
		end_eap_server(e, NULL, 0);
		assert_int_equal(end_last(e, PPP_EAP, 0)->bytes[5], 2 * ID);
	}
}

/* ---- the peer ---- */

/* proves: HS-PPP-11 partial */
static void answers_and_takes_success(void **state)
{
	struct end *e = authenticatee(*state);

	ask(e, 70, 1);
	ASSERT_FRAME(end_last(e, 0, 0), EAP_FRAME(2, 70, 10, 1, 'a', 'l', 'i', 'c', 'e'));
	ask(e, 71, 4);
	ASSERT_FRAME(end_last(e, 0, 0), EAP_FRAME(2, 71, 11, 4, 's', 'e', 'c', 'r', 'e', 't'));
	assert_int_equal(e->authenticated, 0);
	result(e, PPP_EAP_SUCCESS, 71);
	assert_int_equal(e->authenticated, 1);
	assert_int_equal(e->secrets, 0);
	result(e, PPP_EAP_FAILURE, 71); /* too late */
	assert_int_equal(e->counters.bad_phase, 1);
	assert_int_equal(e->eap_results, 1);
}

static void failure_ends_the_link(void **state)
{
	struct end *e = authenticatee(*state);

	ask(e, 70, 1);
	result(e, PPP_EAP_FAILURE, 70);
	pair_run(e->pair, 10000);
	assert_int_equal(e->why.cause, PPP_CAUSE_AUTH_SELF);
	assert_string_equal(e->why.text, "EAP: peer says no");
}

static void the_method_may_give_up(void **state)
{
	struct end *e = authenticatee(*state);

	e->eap_wrong = true;
	ask(e, 70, 1);
	pair_run(e->pair, 10000);
	assert_int_equal(e->why.cause, PPP_CAUSE_AUTH_SELF);
	assert_string_equal(e->why.text, "EAP: no method fits");
}

static void requests_that_are_too_long_are_dropped(void **state)
{
	struct end *e = authenticatee(*state);
	uint8_t data[1400] = {1};

	end_packet(e, PPP_EAP, PPP_EAP_REQUEST, 70, data, 1397);
	assert_int_equal(e->counters.bad_auth, 1);
	assert_int_equal(e->eap_requests, 0);
	end_packet(e, PPP_EAP, PPP_EAP_REQUEST, 70, data, 1396);
	assert_int_equal(e->eap_requests, 1);
	end_packet_of(e, PPP_EAP, PPP_EAP_RESPONSE, 70, 1); /* we are no authenticator */
	assert_int_equal(e->counters.bad_phase, 1);
}

/* RFC 3748 section 4.2: a rogue must not get by with a Success out of nowhere. */
static void success_counts_only_as_the_answer_to_our_response(void **state)
{
	struct end *e = authenticatee(*state);

	result(e, PPP_EAP_SUCCESS, 0);
	result(e, PPP_EAP_SUCCESS, 70);
	assert_int_equal(e->counters.bad_phase, 2);
	ask(e, 70, 1);
	result(e, PPP_EAP_SUCCESS, 69);
	result(e, PPP_EAP_SUCCESS, 71);
	assert_int_equal(e->counters.bad_id, 2);
	assert_int_equal(e->eap_results, 0);
	result(e, PPP_EAP_SUCCESS, 70); /* up to the method, which has not proven anything */
	assert_int_equal(e->eap_results, 1);
	assert_int_equal(e->authenticated, 0);
	ppp_link_eap_result(&e->link, true, NULL, e->pair->now);
	assert_int_equal(e->authenticated, 1);
}

static void a_repeated_request_is_answered_without_the_method(void **state)
{
	struct end *e = authenticatee(*state);
	struct sent first;

	ask(e, 70, 1);
	first = *end_last(e, 0, 0);
	ask(e, 70, 1);
	ask(e, 70, 4); /* the Identifier tells (section 4.1) */
	assert_int_equal(end_count(e, PPP_EAP, PPP_EAP_RESPONSE), 3);
	assert_frame(end_last(e, 0, 0), first.bytes, first.len);
	assert_int_equal(e->eap_requests, 1);
	ask(e, 71, 4);
	result(e, PPP_EAP_SUCCESS, 71);
	ask(e, 71, 4);
	assert_int_equal(e->eap_requests, 2);
	assert_int_equal(end_last(e, 0, 0)->bytes[5], 71);
	pair_run(e->pair, 10000);
	assert_int_equal(end_count(e, PPP_EAP, PPP_EAP_RESPONSE), 5); /* never by itself */
}

static void a_method_that_takes_its_time_gets_each_request_once(void **state)
{
	static const uint8_t late[] = {2, 70, 0, 5, 1}, right[] = {2, 71, 0, 5, 4};
	struct end *e = authenticatee(*state);

	e->own_secret = NULL; /* no answer to type 4 */
	ask(e, 70, 4);
	ask(e, 70, 4);
	assert_int_equal(e->eap_requests, 1);
	ask(e, 71, 4); /* the peer goes on */
	assert_int_equal(e->eap_requests, 2);
	ppp_link_eap(&e->link, false, late, sizeof(late), e->pair->now);
	assert_null(end_last(e, PPP_EAP, 0));
	ppp_link_eap(&e->link, false, right, sizeof(right), e->pair->now);
	ppp_link_eap(&e->link, false, right, sizeof(right), e->pair->now);
	assert_int_equal(end_count(e, PPP_EAP, PPP_EAP_RESPONSE), 1);
}

/* RFC 3748 sections 3.4 and 7.12. */
static void a_lost_success_is_made_up_for_by_an_ncp_packet(void **state)
{
	struct end *e = authenticatee(*state);

	ipv6cp_request(e); /* before anything was said it means nothing */
	ask(e, 70, 1);
	ipv6cp_request(e); /* the method has proven nothing */
	assert_int_equal(e->authenticated, 0);
	assert_int_equal(e->counters.bad_phase, 2);
	ask(e, 71, 4);
	ipv6cp_request(e);
	assert_int_equal(e->authenticated, 1);
	assert_non_null(end_last(e, PPP_IPV6CP, PPP_CONFIGURE_ACK)); /* and it was not lost */
}

/* proves: SEC-HS-16 partial */
static void requests_are_held_until_the_peer_has_proven_itself(void **state)
{
	struct pair *p = *state;
	struct end *e = &p->sc;

	e->config.give_auth = e->config.prove_last = true;
	e->own_secret = "ours";
	pair_open(p);
	end_lcp_open_by(e, PPP_METHOD_EAP);
	ask(e, 69, 4);
	ask(e, 70, 1);
	ask(e, 70, 1);
	assert_int_equal(e->eap_requests, 0);
	respond(e, ID, 1, "alice");
	assert_int_equal(e->eap_requests, 0);
	respond(e, ID + 1, 4, "secret");
	assert_int_equal(e->eap_requests, 1); /* the newest, at once */
	ASSERT_FRAME(end_last(e, 0, 0),
		EAP_FRAME(2, 70, 17, 1, 'c', 'o', 'n', 'c', 'e', 'n', 't', 'r', 'a', 't', 'o', 'r'));
	ask(e, 71, 4);
	result(e, PPP_EAP_SUCCESS, 71);
	assert_int_equal(e->authenticated, 1);
}

static struct end *up(struct pair *p)
{
	struct end *e = authenticatee(p);

	ask(e, 70, 1);
	ask(e, 71, 4);
	result(e, PPP_EAP_SUCCESS, 71);
	ipv6cp_request(e);
	end_ack(e, PPP_IPV6CP);
	assert_int_equal(e->ups, 1);
	assert_null(e->link.auth);
	return e;
}

static void identity_may_be_asked_for_anew_in_the_network_phase(void **state)
{
	struct end *e = up(*state);

	ask(e, 72, 4); /* nothing that begins */
	assert_int_equal(e->counters.bad_phase, 1);
	assert_int_equal(e->eap_requests, 2);
	ask(e, 80, 1);
	ask(e, 81, 4);
	assert_int_equal(e->eap_requests, 4);
	result(e, PPP_EAP_SUCCESS, 81);
	assert_null(e->link.auth);
	assert_int_equal(e->authenticated, 1);
	assert_int_equal(e->ncp_downs, 0);
	ask(e, 90, 1);
	ask(e, 91, 4);
	result(e, PPP_EAP_FAILURE, 91);
	pair_run(e->pair, 10000);
	assert_string_equal(e->why.text, "EAP: peer says no");
}

static void what_was_begun_anew_and_not_finished_is_forgotten(void **state)
{
	struct end *e = up(*state);

	ask(e, 71, 1); /* as if it came from the first exchange */
	assert_non_null(e->link.auth);
	pair_run(e->pair, 30000);
	assert_null(e->link.auth);
	ppp_link_eap_result(&e->link, false, "nobody asks", e->pair->now);
	assert_int_equal(e->downs, 0);
	assert_int_equal(ppp_link_deadline(&e->link), MSEC_NEVER);
}

static void nothing_of_eap_is_kept_in_steady_state(void **state)
{
	struct pair *p = *state;

	p->alone = false;
	p->si.config.give = 1 << PPP_METHOD_EAP;
	pair_open(p);
	pair_run(p, 1000);
	assert_int_equal(p->sc.ups + p->si.ups, 2);
	assert_null(p->sc.link.auth);
	assert_null(p->si.link.auth);
	assert_int_equal(p->sc.counters.bad_phase + p->si.counters.bad_phase, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(carries_requests_and_responses_and_says_success),
		TEST(failure_has_the_identifier_of_the_last_response),
		TEST(a_refusal_before_any_response_is_no_eap_packet),
		TEST(requests_are_repeated_unchanged_until_max_configure),
		TEST(one_response_is_with_the_owner_at_a_time),
		TEST(a_repeated_response_after_success_gets_success_again),
		TEST(malformed_packets_are_dropped),
		TEST(padding_does_not_reach_the_method),
		TEST(what_cannot_be_sent_ends_the_link),
		TEST(packets_of_1400_bytes_fit_and_larger_ones_do_not),
		TEST(begins_again_when_the_owner_has_answered_for_the_first_time),
		TEST(answers_and_takes_success),
		TEST(failure_ends_the_link),
		TEST(the_method_may_give_up),
		TEST(requests_that_are_too_long_are_dropped),
		TEST(success_counts_only_as_the_answer_to_our_response),
		TEST(a_repeated_request_is_answered_without_the_method),
		TEST(a_method_that_takes_its_time_gets_each_request_once),
		TEST(a_lost_success_is_made_up_for_by_an_ncp_packet),
		TEST(requests_are_held_until_the_peer_has_proven_itself),
		TEST(identity_may_be_asked_for_anew_in_the_network_phase),
		TEST(what_was_begun_anew_and_not_finished_is_forgotten),
		TEST(nothing_of_eap_is_kept_in_steady_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
