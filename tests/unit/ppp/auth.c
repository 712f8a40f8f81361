/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which method LCP agrees on, one end alone; and every pair of methods on two links wired in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pair.h"
#include "ppp/protocol.h"

#define ALL_METHODS                                                                                          \
	(1 << PPP_METHOD_CHAP_MD5 | 1 << PPP_METHOD_MSCHAPV2 | 1 << PPP_METHOD_EAP | 1 << PPP_METHOD_PAP)

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

static void demand(struct end *e, enum ppp_method a, enum ppp_method b, enum ppp_method c)
{
	e->config.demand[0] = a;
	e->config.demand[1] = b;
	e->config.demand[2] = c;
}

/* The method in its last Configure-Request. */
static enum ppp_method asked(const struct end *e)
{
	const struct sent *s = end_last(e, PPP_LCP, PPP_CONFIGURE_REQUEST);
	struct reader r = reader_of(s->bytes + 8, s->len - 8);

	while (reader_left(&r)) {
		uint8_t type = reader_u8(&r), len = reader_u8(&r);
		struct reader data = reader_sub(&r, (size_t)len - 2);

		if (type == LCP_AUTH)
			return ppp_auth_option_read(data);
	}
	return 0;
}

static void nak(struct end *e, const uint8_t *option, size_t len)
{
	end_packet(e, PPP_LCP, PPP_CONFIGURE_NAK, end_last(e, PPP_LCP, 1)->bytes[5], option, len);
}

#define NAK(e, ...) nak(e, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* proves: HS-PPP-11 partial */
static void asks_for_the_first_method_of_its_list(void **state)
{
	static const struct {
		enum ppp_method method;
		uint8_t option[5];
		size_t len;
	} table[] = {
		{PPP_METHOD_CHAP_MD5, {3, 5, 0xc2, 0x23, 5}, 5},
		{PPP_METHOD_MSCHAPV2, {3, 5, 0xc2, 0x23, 0x81}, 5},
		{PPP_METHOD_EAP, {3, 4, 0xc2, 0x27}, 4},
		{PPP_METHOD_PAP, {3, 4, 0xc0, 0x23}, 4},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct pair *p = *state;

		teardown(state);
		setup(state);
		demand(&p->sc, table[i].method, 0, 0);
		pair_open(p);
		assert_memory_equal(end_last(&p->sc, 0, 0)->bytes + 12, table[i].option, table[i].len);
	}
}

/* proves: HS-PPP-11 partial */
static void a_nak_that_names_one_of_the_list_gets_it(void **state)
{
	struct pair *p = *state;
	struct end *e = &p->sc;

	demand(e, PPP_METHOD_EAP, PPP_METHOD_CHAP_MD5, PPP_METHOD_PAP);
	pair_open(p);
	NAK(e, 3, 4, 0xc0, 0x23);
	assert_int_equal(asked(e), PPP_METHOD_PAP);
	NAK(e, 3, 5, 0xc2, 0x23, 5); /* a peer that changes its mind */
	assert_int_equal(asked(e), PPP_METHOD_CHAP_MD5);
	NAK(e, 3, 4, 0xc2, 0x27);
	assert_int_equal(asked(e), PPP_METHOD_EAP);
	NAK(e, 3, 4, 0xc2, 0x27); /* what was asked for */
	assert_int_equal(asked(e), PPP_METHOD_EAP);
	assert_false(e->link.failing);
}

static void a_nak_with_something_else_gets_the_next_until_there_is_none(void **state)
{
	struct pair *p = *state;
	struct end *e = &p->sc;

	demand(e, PPP_METHOD_EAP, PPP_METHOD_MSCHAPV2, PPP_METHOD_CHAP_MD5);
	pair_open(p);
	NAK(e, 3, 4, 0xc0, 0x23);
	assert_int_equal(asked(e), PPP_METHOD_MSCHAPV2);
	NAK(e, 3, 5, 0xc2, 0x23, 0x80);
	assert_int_equal(asked(e), PPP_METHOD_CHAP_MD5);
	NAK(e, 3, 5, 0xc2, 0x23, 0x80);
	pair_run(p, 10000);
	assert_int_equal(e->why.cause, PPP_CAUSE_NEGOTIATION);
	assert_string_equal(e->why.text,
		"LCP: peer would authenticate by CHAP algorithm 128, not by EAP or MS-CHAPv2 or CHAP");
}

static void a_method_that_is_not_in_the_list_is_never_taken(void **state)
{
	static const struct {
		const char *name;
		uint8_t option[8];
		size_t len;
		const char *text;
	} table[] = {
		{"PAP", {3, 4, 0xc0, 0x23}, 4, "PAP (0xc023)"},
		{"EAP", {3, 4, 0xc2, 0x27}, 4, "EAP (0xc227)"},
		{"MS-CHAPv2", {3, 5, 0xc2, 0x23, 0x81}, 5, "MS-CHAPv2"},
		{"MS-CHAPv1", {3, 5, 0xc2, 0x23, 0x80}, 5, "CHAP algorithm 128"},
		{"SHA-1", {3, 5, 0xc2, 0x23, 6}, 5, "CHAP algorithm 6"},
		{"CHAP without algorithm", {3, 4, 0xc2, 0x23}, 4, "CHAP algorithm 0"},
		{"CHAP with more", {3, 6, 0xc2, 0x23, 5, 0}, 6, "CHAP algorithm 5"},
		{"PAP with more", {3, 5, 0xc0, 0x23, 0}, 5, "PAP (0xc023)"},
		{"half a protocol", {3, 3, 0xc2}, 3, "unknown (0x0000)"},
		{"nothing", {3, 2}, 2, "unknown (0x0000)"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct pair *p = *state;
		char text[128];

		teardown(state);
		setup(state);
		pair_open(p);
		nak(&p->sc, table[i].option, table[i].len);
		pair_run(p, 10000);
		snprintf(
			text, sizeof(text), "LCP: peer would authenticate by %s, not by CHAP", table[i].text);
		if (strcmp(text, p->sc.why.text) != 0)
			fail_msg("%s: %s", table[i].name, p->sc.why.text);
	}
}

static void a_nak_about_what_nobody_asked_for_is_ignored(void **state)
{
	struct pair *p = *state;

	p->sc.config.demand_auth = false;
	pair_open(p);
	NAK(&p->sc, 3, 4, 0xc0, 0x23);
	assert_false(p->sc.link.failing);
	assert_int_equal(asked(&p->sc), 0);
}

/* proves: HS-PPP-11 partial */
static void gives_what_it_may_and_names_its_best_otherwise(void **state)
{
	static const struct {
		const char *name;
		unsigned give;
		enum ppp_method ask, best; /* best 0: acknowledged */
	} table[] = {
		{"EAP", ALL_METHODS, PPP_METHOD_EAP, 0},
		{"MS-CHAPv2", ALL_METHODS, PPP_METHOD_MSCHAPV2, 0},
		{"CHAP", ALL_METHODS, PPP_METHOD_CHAP_MD5, 0},
		{"PAP", ALL_METHODS, PPP_METHOD_PAP, 0},
		{"the default", 0, PPP_METHOD_CHAP_MD5, 0},
		{"not the default", 0, PPP_METHOD_PAP, PPP_METHOD_CHAP_MD5},
		{"EAP is best", ALL_METHODS & ~(1 << PPP_METHOD_PAP), PPP_METHOD_PAP, PPP_METHOD_EAP},
		{"then MS-CHAPv2", 1 << PPP_METHOD_MSCHAPV2 | 1 << PPP_METHOD_CHAP_MD5, PPP_METHOD_PAP,
			PPP_METHOD_MSCHAPV2},
		{"then CHAP", 1 << PPP_METHOD_CHAP_MD5 | 1 << PPP_METHOD_PAP, PPP_METHOD_EAP,
			PPP_METHOD_CHAP_MD5},
		{"then PAP", 1 << PPP_METHOD_PAP, PPP_METHOD_CHAP_MD5, PPP_METHOD_PAP},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct pair *p = *state;
		uint8_t option[8] = {3}, want[8] = {3};
		struct writer w = writer_of(option + 2, 6), h = writer_of(want + 2, 6);
		const struct sent *s;

		teardown(state);
		setup(state);
		p->sc.config.give_auth = true;
		p->sc.config.give = (uint8_t)table[i].give;
		ppp_auth_option_write(table[i].ask, &w);
		ppp_auth_option_write(table[i].best ? table[i].best : table[i].ask, &h);
		option[1] = (uint8_t)(2 + writer_len(&w));
		want[1] = (uint8_t)(2 + writer_len(&h));
		pair_open(p);
		end_packet(&p->sc, PPP_LCP, PPP_CONFIGURE_REQUEST, 7, option, option[1]);
		s = end_last(&p->sc, 0, 0);
		if (s->bytes[4] != (table[i].best ? PPP_CONFIGURE_NAK : PPP_CONFIGURE_ACK) ||
			s->len != (size_t)8 + want[1] || memcmp(s->bytes + 8, want, want[1]) != 0)
			fail_msg("%s", table[i].name);
		assert_int_equal(p->sc.link.self_method, table[i].best ? 0 : table[i].ask);
	}
}

/* proves: HS-PPP-14 partial */
static void refusal_is_anonymous_service_only_where_it_may_be(void **state)
{
	struct pair *p = *state;
	struct end *e = &p->sc;

	e->config.demand_optional = true;
	pair_open(p);
	end_packet_of(e, PPP_LCP, PPP_CONFIGURE_REJECT, 0, 3, 5, 0xc2, 0x23, 5);
	assert_int_equal(asked(e), 0);
	assert_false(e->link.peer_anonymous); /* LCP is not open */
	end_lcp_open(e, false);
	assert_true(e->link.peer_anonymous);
	assert_int_equal(e->authenticated, 1);
	assert_null(end_last(e, PPP_CHAP, 0));
	teardown(state);

	setup(state);
	pair_open(p);
	end_packet_of(e, PPP_LCP, PPP_CONFIGURE_REJECT, 0, 3, 5, 0xc2, 0x23, 5);
	pair_run(p, 10000);
	assert_false(e->link.peer_anonymous);
	assert_string_equal(e->why.text, "LCP: peer refuses to authenticate");
	teardown(state);

	setup(state); /* one that does not refuse has to do it */
	e->config.demand_optional = true;
	pair_open(p);
	end_lcp_open(e, false);
	assert_false(e->link.peer_anonymous);
	assert_int_equal(e->authenticated, 0);
	assert_non_null(end_last(e, PPP_CHAP, CHAP_CHALLENGE));
}

/* proves: SEC-HS-16 partial */
static void an_anonymous_peer_gets_no_proof_from_who_proves_itself_last(void **state)
{
	struct pair *p = *state;
	struct end *e = &p->sc;

	e->config.demand_optional = e->config.give_auth = e->config.prove_last = true;
	e->own_secret = "secret";
	pair_open(p);
	end_packet_of(e, PPP_LCP, PPP_CONFIGURE_REJECT, 0, 3, 5, 0xc2, 0x23, 5);
	end_packet_of(e, PPP_LCP, PPP_CONFIGURE_REQUEST, 77, 3, 5, 0xc2, 0x23, 5);
	end_ack(e, PPP_LCP);
	end_packet_of(e, PPP_CHAP, CHAP_CHALLENGE, 7, 1, 9);
	pair_run(p, 10000);
	assert_int_equal(e->authenticated + e->secrets, 0);
	assert_null(end_last(e, PPP_CHAP, CHAP_RESPONSE));
	assert_string_equal(
		e->why.text, "LCP: peer wants us to authenticate, and refuses to authenticate itself");
}

static void texts_name_the_method(void **state)
{
	static const struct {
		enum ppp_method method;
		const char *late, *rejected;
		uint8_t protocol[2];
	} table[] = {
		{PPP_METHOD_CHAP_MD5, "CHAP: not done within 20 s",
			"CHAP: peer does not know it (Protocol-Reject)", {0xc2, 0x23}},
		{PPP_METHOD_MSCHAPV2, "MS-CHAPv2: not done within 20 s",
			"MS-CHAPv2: peer does not know it (Protocol-Reject)", {0xc2, 0x23}},
		{PPP_METHOD_EAP, "EAP: not done within 20 s", "EAP: peer does not know it (Protocol-Reject)",
			{0xc2, 0x27}},
		{PPP_METHOD_PAP, "PAP: not done within 20 s", "PAP: peer does not know it (Protocol-Reject)",
			{0xc0, 0x23}},
	};

	for (size_t i = 0; i < 4 * sizeof(table) / sizeof(table[0]); i++) {
		const bool self = i & 1, rejected = i & 2;
		struct pair *p = *state;
		struct end *e = &p->sc;

		teardown(state);
		setup(state);
		e->config.demand_auth = !self;
		e->config.give_auth = self;
		e->config.give = ALL_METHODS;
		e->config.auth_ms = 20000;
		e->own_secret = "secret";
		demand(e, table[i / 4].method, 0, 0);
		pair_open(p);
		end_lcp_open_by(e, self ? table[i / 4].method : 0);
		if (rejected)
			end_packet(e, PPP_LCP, PPP_PROTOCOL_REJECT, 1, table[i / 4].protocol, 2);
		pair_run(p, 30000);
		assert_string_equal(e->why.text, rejected ? table[i / 4].rejected : table[i / 4].late);
		assert_int_equal(e->why.cause, !rejected ? PPP_CAUSE_TIMEOUT
					       : self    ? PPP_CAUSE_AUTH_SELF
							 : PPP_CAUSE_AUTH_PEER);
	}
}

static void protocols_that_were_not_agreed_on_are_rejected(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	end_lcp_open(&p->sc, false);
	end_packet_of(&p->sc, PPP_PAP, PAP_REQUEST, 1, 1, 'a', 1, 'b');
	end_packet_of(&p->sc, PPP_EAP, PPP_EAP_RESPONSE, 1, 1, 'a');
	assert_int_equal(p->sc.counters.protocol_rejects_tx, 2);
	assert_int_equal(p->sc.verifies + p->sc.eap_responses, 0);
}

/* ---- two ends ---- */

static void mutual(struct pair *p, enum ppp_method of_si, enum ppp_method of_sc)
{
	demand(&p->sc, of_si, 0, 0);
	p->si.config.give = ALL_METHODS;
	if (!of_sc)
		return;
	demand(&p->si, of_sc, 0, 0);
	p->sc.config.give = ALL_METHODS;
	p->sc.config.give_auth = p->sc.config.prove_last = true;
	p->sc.own_secret = "the concentrator's";
	p->si.config.demand_auth = true;
	p->si.accept_name = "concentrator";
	p->si.accept_secret = "the concentrator's";
}

static bool is_up(const struct pair *p)
{
	return ppp_link_ncp_open(&p->sc.link, PPP_IPV6CP) && ppp_link_ncp_open(&p->si.link, PPP_IPV6CP) &&
	       !p->sc.link.auth && !p->si.link.auth;
}

/* proves: HS-PPP-11, HS-PPP-12 partial, HS-PPP-13 partial */
static void each_direction_has_its_own_method(void **state)
{
	struct pair *p = *state;

	for (int i = 0; i < 20; i++) {
		enum ppp_method of_si = 1 + i % 4, of_sc = (enum ppp_method)(i / 4);

		pair_done(p);
		pair_init(p, (uint64_t)i + 1);
		mutual(p, of_si, of_sc);
		pair_open(p);
		pair_run(p, 1000); /* nothing waits for a retransmission */
		if (!is_up(p) || p->si.link.self_method != of_si || p->sc.link.self_method != of_sc)
			fail_msg("%s and %s: %s, %s", ppp_auth_name(of_si), ppp_auth_name(of_sc),
				p->sc.why.text, p->si.why.text);
		assert_int_equal(p->sc.authenticated, 1);
		assert_int_equal(p->si.authenticated, 1);
		assert_int_equal(p->sc.verifies, of_si != PPP_METHOD_EAP);
		assert_int_equal(p->sc.eap_begun, of_si == PPP_METHOD_EAP);
	}
}

/* proves: HS-PPP-13 partial, SEC-HS-16 partial */
static void a_wrong_password_ends_it_in_each_direction(void **state)
{
	struct pair *p = *state;

	for (int i = 0; i < 8; i++) {
		enum ppp_method method = 1 + i % 4;
		bool of_sc = i / 4;
		struct end *refuser = of_sc ? &p->si : &p->sc, *refused = of_sc ? &p->sc : &p->si;
		const char *name = ppp_auth_name(method);
		char text[128];

		pair_done(p);
		pair_init(p, (uint64_t)i + 1);
		mutual(p, of_sc ? PPP_METHOD_CHAP_MD5 : method, of_sc ? method : 0);
		refused->own_secret = "guess";
		pair_open(p);
		pair_run(p, 10000);
		assert_int_equal(refuser->why.cause, PPP_CAUSE_AUTH_PEER);
		assert_int_equal(refused->why.cause, PPP_CAUSE_AUTH_SELF);
		snprintf(text, sizeof(text), "%s: we refused the peer: %s", name,
			method == PPP_METHOD_MSCHAPV2
				? "wrong user name or password (error 691): wrong password"
				: "wrong password");
		assert_string_equal(refuser->why.text, text);
		snprintf(text, sizeof(text), "%s: peer says%s", name,
			method == PPP_METHOD_EAP ? " no"
			: method == PPP_METHOD_MSCHAPV2
				? ": wrong user name or password (error 691): wrong password"
				: ": wrong password");
		assert_string_equal(refused->why.text, text);
		assert_int_equal(p->sc.ups + p->si.ups + p->sc.authenticated, 0);
	}
}

static void ends_agree_on_what_both_can(void **state)
{
	static const struct {
		const char *name;
		enum ppp_method demand[3];
		unsigned give;
		enum ppp_method agreed; /* 0: none */
	} table[] = {
		{"the second", {PPP_METHOD_EAP, PPP_METHOD_CHAP_MD5, 0}, 1 << PPP_METHOD_CHAP_MD5,
			PPP_METHOD_CHAP_MD5},
		{"the third", {PPP_METHOD_EAP, PPP_METHOD_MSCHAPV2, PPP_METHOD_PAP}, 1 << PPP_METHOD_PAP,
			PPP_METHOD_PAP},
		{"not the peer's best", {PPP_METHOD_PAP, PPP_METHOD_CHAP_MD5, 0},
			1 << PPP_METHOD_EAP | 1 << PPP_METHOD_CHAP_MD5, PPP_METHOD_CHAP_MD5},
		{"none", {PPP_METHOD_EAP, PPP_METHOD_CHAP_MD5, 0}, 1 << PPP_METHOD_PAP, 0},
	};
	struct pair *p = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		pair_done(p);
		pair_init(p, i + 1);
		demand(&p->sc, table[i].demand[0], table[i].demand[1], table[i].demand[2]);
		p->si.config.give = (uint8_t)table[i].give;
		pair_open(p);
		pair_run(p, 20000);
		if (table[i].agreed ? !is_up(p) || p->si.link.self_method != table[i].agreed
				    : p->sc.why.cause != PPP_CAUSE_NEGOTIATION)
			fail_msg("%s: %s", table[i].name, p->sc.why.text);
	}
}

/* proves: HS-PPP-14 partial */
static void anonymous_and_known_users_on_one_configuration(void **state)
{
	struct pair *p = *state;

	for (int known = 0; known < 2; known++) {
		pair_done(p);
		pair_init(p, 1);
		p->sc.config.demand_optional = p->sc.config.prove_last = true;
		p->si.config.give_auth = known;
		pair_open(p);
		pair_run(p, 1000);
		assert_true(is_up(p));
		assert_int_equal(p->sc.link.peer_anonymous, !known);
		assert_int_equal(p->sc.verifies, known);
	}
}

/* The verifier's answer for what was before does not count, whatever the method. */
static void a_verdict_for_an_earlier_negotiation_does_not_count(void **state)
{
	struct pair *p = *state;

	for (int i = 0; i < 4; i++) {
		enum ppp_method method = 1 + i;

		pair_done(p);
		pair_init(p, (uint64_t)i + 1);
		mutual(p, method, 0);
		p->sc.later = true;
		pair_open(p);
		pair_run(p, 100);
		assert_int_equal(p->sc.verifies + p->sc.eap_begun, 1);
		ppp_automaton_restart(&p->si.link.lcp, "test", p->now);
		pair_run(p, 1000);
		assert_int_equal(p->sc.verifies + p->sc.eap_begun, 1); /* one at a time */
		p->sc.later = false;
		ppp_link_verified(&p->sc.link, true, "for the first", p->now);
		assert_int_equal(p->sc.authenticated, 0);
		pair_run(p, 5000);
		assert_int_equal(p->sc.verifies + p->sc.eap_begun, 2);
		assert_int_equal(p->sc.authenticated, 1);
		assert_true(is_up(p));
	}
}

static void methods_work_in_spite_of_loss_and_doubles(void **state)
{
	struct pair *p = *state;
	unsigned up = 0, rounds = 400;

	for (unsigned seed = 1; seed <= rounds; seed++) {
		pair_done(p);
		pair_init(p, seed);
		mutual(p, 1 + seed % 4, (enum ppp_method)(seed / 4 % 5));
		p->loss = seed % 3 * 10;
		p->twice = seed % 5 * 10;
		p->sc.config.auth_ms = p->si.config.auth_ms = 60000;
		pair_open(p);
		pair_run(p, 60000);
		p->loss = p->twice = 0;
		pair_run(p, 60000);
		assert_true(p->sc.downs <= 1 && p->si.downs <= 1);
		up += is_up(p);
	}
	assert_true(up >= rounds * 98 / 100);
}

static void names_are_stable(void **state)
{
	assert_string_equal(ppp_auth_name(PPP_METHOD_CHAP_MD5), "CHAP");
	assert_string_equal(ppp_auth_name(PPP_METHOD_MSCHAPV2), "MS-CHAPv2");
	assert_string_equal(ppp_auth_name(PPP_METHOD_EAP), "EAP");
	assert_string_equal(ppp_auth_name(PPP_METHOD_PAP), "PAP");
}

/* Those of two ends begin with a pair of their own. */
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(asks_for_the_first_method_of_its_list),
		TEST(a_nak_that_names_one_of_the_list_gets_it),
		TEST(a_nak_with_something_else_gets_the_next_until_there_is_none),
		TEST(a_method_that_is_not_in_the_list_is_never_taken),
		TEST(a_nak_about_what_nobody_asked_for_is_ignored),
		TEST(gives_what_it_may_and_names_its_best_otherwise),
		TEST(refusal_is_anonymous_service_only_where_it_may_be),
		TEST(an_anonymous_peer_gets_no_proof_from_who_proves_itself_last),
		TEST(texts_name_the_method),
		TEST(protocols_that_were_not_agreed_on_are_rejected),
		TEST(each_direction_has_its_own_method),
		TEST(a_wrong_password_ends_it_in_each_direction),
		TEST(ends_agree_on_what_both_can),
		TEST(anonymous_and_known_users_on_one_configuration),
		TEST(a_verdict_for_an_earlier_negotiation_does_not_count),
		TEST(methods_work_in_spite_of_loss_and_doubles),
		cmocka_unit_test(names_are_stable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
