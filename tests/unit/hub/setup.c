/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a softwire comes up: order of messages, answers early, late and too late, refusals, and who may begin what. */
#include "pair.h"

/* The messages of RFC 5571 section 5, figures 9 and 10 of the draft; each is the beginning of a line of the trace. */
static const char *const golden[] = {
	"SI l2tp SCCRQ ",
	"SC l2tp SCCRP ",
	"SI l2tp SCCCN ",
	"SI l2tp ICRQ ",
	"SC l2tp ZLB ",
	"SC l2tp ICRP ",
	"SI l2tp ICCN ",
	"SI ppp LCP Configure-Request ",
	"SC l2tp ZLB ",
	"SC ppp LCP Configure-Request id=0 mru=1460 auth=CHAP-MD5 magic=",
	"SC ppp LCP Configure-Ack ",
	"SI ppp LCP Configure-Ack ",
	"SC ppp CHAP Challenge ",
	"SI ppp CHAP Response ",
	"SC ppp CHAP Success ",
	"SC ppp IPV6CP Configure-Request ",
	"SI ppp IPV6CP Configure-Request ",
	"SI ppp IPV6CP Configure-Ack ",
	"SC ppp IPV6CP Configure-Ack ",
	"SC ip6 NS :: ",
	"SI ip6 NS :: ",
	"SI ip6 RS ",
	"SC ip6 RA ",
	"SI ip6 NS :: ",
	"SI ip6 Solicit ",
	"SC ip6 Reply ",
};

/* proves: HS-L2TP-12, HS-L2TP-5, HS-PPP-3, HS-PPP-4 partial, HS-PPP-13, HS-PPP-16 partial, HS-PPP-17 partial, HS-ND-1,
 * HS-ND-2, HS-ND-3, HS-ND-4, HS-DHCP-4 */
static void messages_come_in_the_order_of_the_rfc(void **state)
{
	struct pair *p = pair_new();

	pair_up(p);
	for (size_t i = 0; i < sizeof(golden) / sizeof(*golden); i++) {
		assert_true(i < p->line_count);
		if (strncmp(p->lines[i], golden[i], strlen(golden[i])) != 0)
			fail_msg("line %zu is \"%s\", not \"%s\"", i, p->lines[i], golden[i]);
	}
	assert_int_equal(p->line_count, sizeof(golden) / sizeof(*golden));
	assert_non_null(strstr(p->lines[24], "IA_PD"));
	pair_free(p);
}

static void check_configured(const struct pair *p)
{
	struct addr a = addr6_with_iid(&p->lease.link6.addr, p->si_engine.softwire.ppp.iid);
	const struct softwire_si_state *state = &p->si.state;

	assert_true(state->has_address && addr_equal(&state->address, &a));
	assert_true(state->default_router);
	assert_int_equal(state->address_valid, 7200);
	assert_int_equal(state->address_preferred, 3600);
	assert_true(state->has_binding);
	assert_int_equal(state->binding.prefix_count, 1);
	assert_true(prefix_equal(&state->binding.prefixes[0].prefix, &p->lease.delegated[0]));
	assert_int_equal(state->dns_count, 1);
	assert_true(addr_equal(&state->dns[0], &p->lease.dns[0]));
	assert_int_equal(p->sc.delegated, 1);
	assert_int_equal(p->sc.released_prefixes, 0);
}

/* proves: HS-DHCP-1, HS-DHCP-5 partial, HS-DHCP-6 partial, HS-ND-3, HS-SCEN-2 partial, HS-SCEN-4 partial */
static void the_initiator_learns_everything(void **state)
{
	struct pair *p = pair_new();

	pair_up(p);
	check_configured(p);
	assert_int_equal(p->sc.asked[ASK_BIND], 1);
	assert_int_equal(p->sc.asked[ASK_LEASE], 1);
	assert_int_equal(p->sc.counters.up, 1);
	assert_int_equal(p->si.counters.up, 1);
	assert_int_equal(p->sc.downs + p->si.downs, 0);
	assert_true(p->sc_engine.softwire.ppp.peer_iid == p->si_engine.softwire.ppp.iid);
	assert_true(addr_equal(&p->si.state.peer_link_local, &(struct addr){0}) == false);
	pair_free(p);
}

/* Each question is answered a second later: tunnel secret twice, claim, password, lease, DUID. */
static void answers_may_come_late(void **state)
{
	struct pair *p = pair_new();

	p->sc.answer_ms = p->si.answer_ms = 1000;
	pair_open(p);
	pair_run(p, 20000);
	check_configured(p);
	for (int q = 0; q < ASK_EAP; q++)
		assert_true(p->sc.asked[q] + p->si.asked[q] > 0);
	assert_int_equal(p->sc.asked[ASK_LEASE], 1);
	assert_int_equal(p->sc.asked[ASK_VERIFY], 1);
	pair_free(p);
}

/* An answer while the engine says goodbye, when the peer has gone, is for nobody. */
static void an_answer_after_the_end_changes_nothing(void **state)
{
	for (int q = 0; q < ASK_MAX; q++) {
		struct pair *p = pair_new();
		struct side *side = q == ASK_PPP_SECRET ? &p->si : &p->sc;

		side->answer_ms = 1000;
		if (q == ASK_EAP)
			pair_eap(p);
		pair_open(p);
		while (!side->asked[q] && p->now < 100000)
			pair_run(p, 10);
		assert_true(side->asked[q]);
		softwire_close(side->softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", p->now);
		assert_int_equal(side->downs, 1);
		pair_run(p, 5000);
		if (q ==
			ASK_TUNNEL_SECRET) { /* nobody has proven to be there: the concentrator keeps nothing */
			assert_int_equal(p->sc.released, 1);
			pair_free(p);
			continue;
		}
		assert_non_null(side->softwire); /* it lingers: the answer did come to it */
		assert_int_equal(side->softwire->step, STEP_CLOSED);
		assert_int_equal(side->downs, 1);
		assert_int_equal(side->why.cause, CAUSE_LOCAL);
		if (q == ASK_LEASE)
			assert_null(p->sc_engine.lease);
		pair_run(p, 60000);
		assert_int_equal(p->sc.released, 1);
		assert_int_equal(p->si.released, 1);
		pair_free(p);
	}
}

/* Nobody ever answers: set-up is ended by time, at both ends. */
static void an_answer_that_never_comes_ends_set_up(void **state)
{
	static const enum question questions[] = {ASK_TUNNEL_SECRET, ASK_VERIFY, ASK_LEASE};

	for (size_t n = 0; n < sizeof(questions) / sizeof(*questions); n++) {
		struct pair *p = pair_new();

		p->sc.never[questions[n]] = true;
		pair_open(p);
		pair_run(p, 200000);
		assert_int_equal(p->sc.downs, 1);
		assert_int_equal(p->si.downs, 1);
		assert_int_equal(p->sc.released, 1);
		assert_int_equal(p->si.released, 1);
		assert_int_equal(p->sc.ups + p->si.ups, 0);
		pair_free(p);
	}
}

/* Both ends are patient, but there is a limit to set-up. */
static void set_up_has_a_limit_of_its_own(void **state)
{
	struct pair *p = pair_new();
	msec start = p->now;

	p->sc.never[ASK_LEASE] = true;
	p->si.config.ppp.max_configure = 255;
	p->si.config.setup_ms = 1000000;
	pair_open(p);
	while (!p->sc.downs && p->now - start < 300000)
		pair_run(p, 100);
	assert_in_range(p->now - start, 89000, 91000);
	assert_int_equal(p->sc.why.cause, CAUSE_NO_ANSWER);
	assert_int_equal(p->sc.why.step, STEP_LEASE);
	assert_string_equal(p->sc.why.text, "set-up took too long");
	pair_run(p, 1000);
	assert_int_equal(p->si.downs, 1);
	pair_free(p);
}

/* The only family never came up: nothing to wait for. */
static void a_peer_that_answers_no_ipv6cp_is_left(void **state)
{
	struct pair *p = pair_new();

	p->sc.never[ASK_LEASE] = true;
	p->si.config.ppp.max_configure = 3;
	pair_open(p);
	pair_run(p, 30000);
	assert_int_equal(p->si.downs, 1);
	assert_int_equal(p->si.why.cause, CAUSE_NO_ADDRESS);
	assert_int_equal(p->si.why.step, STEP_NCP);
	assert_int_equal(p->si.family_downs, 0);
	assert_int_equal(p->sc.downs, 1);
	pair_free(p);
}

/* proves: HS-PPP-10 partial, HS-PPP-13 */
static void a_wrong_password_says_so_at_both_ends(void **state)
{
	struct pair *p = pair_new();

	p->si.ppp_secret = "looking-glass";
	pair_open(p);
	pair_run(p, 60000);
	assert_int_equal(p->sc.downs, 1);
	assert_int_equal(p->sc.why.cause, CAUSE_USER_AUTH);
	assert_int_equal(p->sc.why.step, STEP_AUTH);
	assert_int_equal(p->sc.why.result, L2TP_STOP_UNAUTHORIZED);
	assert_int_equal(p->si.downs, 1);
	assert_int_equal(p->si.why.cause, CAUSE_USER_AUTH);
	assert_int_equal(p->si.why.step, STEP_AUTH);
	assert_non_null(strstr(p->si.why.text, "wrong user name or password"));
	assert_true(p->sc.why.text[0] != '\0');
	assert_int_equal(p->sc.asked[ASK_LEASE], 0);
	assert_int_equal(pair_sent(p, 0, "IPV6CP"), 0);
	assert_int_equal(p->sc.counters.down[CAUSE_USER_AUTH], 1);
	pair_free(p);
}

static void no_address_says_why_at_both_ends(void **state)
{
	struct pair *p = pair_new();

	p->no_lease = "the pool is empty";
	pair_open(p);
	pair_run(p, 60000);
	assert_int_equal(p->sc.why.cause, CAUSE_NO_ADDRESS);
	assert_int_equal(p->sc.why.step, STEP_LEASE);
	assert_string_equal(p->sc.why.text, "the pool is empty");
	assert_int_equal(p->si.downs, 1);
	assert_non_null(strstr(p->si.why.text, "the pool is empty"));
	assert_int_equal(p->sc.ups + p->si.ups, 0);
	assert_null(p->sc_engine.lease);
	assert_int_equal(p->si.configured, 0);
	assert_int_equal(pair_sent(p, 0, "SC ppp IPV6CP"), 0); /* no address has left */
	pair_free(p);
}

/* proves: HS-PPP-5, HS-PPP-14 partial */
static void an_sc_that_asks_for_no_password_is_anonymous(void **state)
{
	struct pair *p = pair_new();

	p->sc.config.ppp.demand_auth = false;
	pair_open(p);
	pair_run(p, 5000);
	check_configured(p);
	assert_int_equal(p->sc.asked[ASK_VERIFY], 0);
	assert_int_equal(pair_sent(p, 0, "CHAP"), 0);
	pair_free(p);
}

/* proves: HS-PPP-5 partial */
static void unless_the_initiator_insists(void **state)
{
	struct pair *p = pair_new();

	p->sc.config.ppp.demand_auth = false;
	p->si.config.ppp.insist_auth = true;
	pair_open(p);
	pair_run(p, 60000);
	assert_int_equal(p->si.ups, 0);
	assert_int_equal(p->si.why.cause, CAUSE_PROTOCOL);
	assert_non_null(strstr(p->si.why.text, "does not ask for authentication"));
	pair_free(p);
}

/* proves: HS-PPP-12 */
static void both_ends_may_authenticate(void **state)
{
	struct pair *p = pair_new();

	p->sc.config.ppp.give_auth = true;
	p->si.config.ppp.demand_auth = true;
	pair_up(p);
	assert_int_equal(p->si.asked[ASK_VERIFY], 1);
	assert_int_equal(p->sc.asked[ASK_VERIFY], 1);
	pair_free(p);
}

/* proves: HS-PPP-11 partial */
static void a_password_may_come_by_pap(void **state)
{
	struct pair *p = pair_new();

	p->sc.config.ppp.demand[0] = PPP_METHOD_PAP;
	p->si.config.ppp.give = 1 << PPP_METHOD_PAP;
	pair_up(p);
	assert_int_equal(p->sc.asked[ASK_VERIFY], 1);
	assert_int_equal(p->si.asked[ASK_PPP_SECRET], 1);
	assert_int_equal(pair_sent(p, 0, "CHAP"), 0);
	pair_free(p);
}

/* Whatever is inside EAP, the owners' answers come at once or late; the engine only carries it. */
/* proves: HS-PPP-11 partial */
static void eap_is_passed_through_to_the_owners(void **state)
{
	for (int late = 0; late < 2; late++) {
		struct pair *p = pair_new();

		pair_eap(p);
		p->sc.answer_ms = p->si.answer_ms = late ? 500 : 0;
		pair_open(p);
		pair_until(p, &p->sc, STEP_AUTH);
		pair_run(p, 20000);
		check_configured(p);
		assert_int_equal(p->sc.asked[ASK_EAP], 3); /* begin, and two responses */
		assert_true(p->si.asked[ASK_EAP] >=
			    3); /* two requests, and Success, which an NCP packet means, too */
		assert_int_equal(p->sc.asked[ASK_VERIFY], 0);
		assert_int_equal(p->sc.asked[ASK_LEASE], 1);
		assert_int_equal(pair_sent(p, 0, "CHAP"), 0);
		pair_free(p);
	}
}

/* proves: HS-PPP-13 partial */
static void an_eap_method_that_fails_ends_it_at_both_ends(void **state)
{
	struct pair *p = pair_new();

	pair_eap(p);
	p->si.ppp_secret = "looking-glass";
	pair_open(p);
	pair_run(p, 60000);
	assert_int_equal(p->sc.downs, 1);
	assert_int_equal(p->sc.why.cause, CAUSE_USER_AUTH);
	assert_int_equal(p->sc.why.step, STEP_AUTH);
	assert_int_equal(p->si.downs, 1);
	assert_int_equal(p->si.why.cause, CAUSE_USER_AUTH);
	assert_int_equal(p->sc.asked[ASK_LEASE], 0);
	assert_int_equal(pair_sent(p, 0, "IPV6CP"), 0);
	pair_free(p);
}

/* proves: HS-L2TP-24, HS-L2TP-25 partial */
static void tunnel_secrets_must_be_the_same(void **state)
{
	struct pair *p = pair_new();

	p->sc.tunnel_secret = p->si.tunnel_secret = "rabbit";
	pair_up(p);
	pair_free(p);

	p = pair_new();
	p->sc.tunnel_secret = "rabbit";
	p->si.tunnel_secret = "hatter";
	pair_open(p);
	pair_run(p, 60000);
	assert_int_equal(p->sc.ups + p->si.ups, 0);
	assert_int_equal(p->sc.downs, 1);
	assert_int_equal(p->si.downs, 1);
	assert_int_equal(p->sc.why.cause, CAUSE_TUNNEL_AUTH);
	assert_int_equal(p->si.why.cause, CAUSE_TUNNEL_AUTH);
	assert_int_equal(pair_sent(p, 0, "LCP"), 0);
	assert_int_equal(pair_sent(p, 0, "ICRP"), 0);
	pair_free(p);
}

/* proves: HS-L2TP-5, HS-ND-7 partial, HS-PPP-15 partial */
static void the_concentrator_begins_nothing(void **state)
{
	struct pair *p = pair_new();

	pair_up(p);
	assert_int_equal(pair_sent(p, 0, "SC l2tp SCCRQ"), 0);
	assert_int_equal(pair_sent(p, 0, "SC l2tp ICRQ"), 0);
	assert_int_equal(pair_sent(p, 0, "OCRQ"), 0);
	assert_int_equal(pair_sent(p, 0, "IPCP "), 0);
	assert_int_equal(pair_sent(p, 0, "SI l2tp SCCRQ"), 1);
	assert_int_equal(pair_sent(p, 0, "SI l2tp ICRQ"), 1);
	pair_free(p);
}

static void the_owner_may_close_it_from_inside_up(void **state)
{
	for (int n = 0; n < 2; n++) {
		struct pair *p = pair_new();
		struct side *closer = n ? &p->si : &p->sc;

		closer->close_on_up = true;
		pair_open(p);
		pair_run(p, 60000);
		assert_int_equal(closer->ups, 1);
		assert_int_equal(closer->downs, 1);
		assert_int_equal(closer->peer->downs, 1);
		if (n) /* nothing is configured, and nothing is sent into the link after the end */
			assert_int_equal(p->si.configured, 0);
		assert_int_equal(pair_sent(p, 0, n ? "SI ip6" : "SC ip6"), 0);
		assert_int_equal(p->sc.released + p->si.released, 2);
		pair_free(p);
	}
}

/* proves: HS-SCEN-11, HS-PPP-17 partial */
static void the_concentrator_may_choose_the_interface_identifier(void **state)
{
	struct pair *p = pair_new();
	struct addr a;

	p->lease.iid = 0x1122334455667788;
	pair_up(p);
	assert_true(p->si_engine.softwire.ppp.iid == 0x1122334455667788);
	assert_true(p->sc_engine.softwire.ppp.peer_iid == 0x1122334455667788);
	a = addr6_with_iid(&p->lease.link6.addr, 0x1122334455667788);
	assert_true(addr_equal(&p->si.state.address, &a));
	assert_true(pair_sent(p, 0, "SC ppp IPV6CP Configure-Nak") > 0);
	pair_free(p);
}

/* The user's identifier is the one that the concentrator would have taken: the user's counts. */
static void the_users_identifier_comes_first(void **state)
{
	struct pair *p = pair_new();

	p->sc.config.iid = 1;
	p->lease.iid = 1;
	pair_up(p);
	assert_true(p->si_engine.softwire.ppp.iid == 1);
	assert_true(p->sc_engine.softwire.ppp.iid != 1);
	pair_free(p);
}

/* Both ends want the same one: RFC 5072 section 4.1. */
static void equal_identifiers_are_made_different(void **state)
{
	struct pair *p = pair_new();

	p->sc.config.iid = p->si.config.iid = 0x200;
	pair_up(p);
	assert_true(p->si_engine.softwire.ppp.iid != p->sc_engine.softwire.ppp.iid);
	assert_true(p->si_engine.softwire.ppp.peer_iid == p->sc_engine.softwire.ppp.iid);
	pair_free(p);
}

static void mtu_case(uint16_t sc, uint16_t si)
{
	struct pair *p = pair_new();

	p->sc_engine.softwire.tracing = true;
	assert_int_equal(softwire_si_open(&p->si_engine, &p->si.config, 1, 2, 1, si, NULL, NULL, p->now), 0);
	p->si.softwire = &p->si_engine.softwire;
	pair_until(p, &p->sc, STEP_TUNNEL);
	p->sc_engine.softwire.mtu = sc;
	pair_run(p, 5000);
	assert_int_equal(p->sc_engine.softwire.mtu, sc < si ? sc : si);
	assert_int_equal(p->si_engine.softwire.mtu, sc < si ? sc : si);
	assert_int_equal(p->si.state.mtu, sc < si ? sc : si);
	pair_free(p);
}

/* proves: HS-PPP-1 partial, HS-PPP-9 partial */
static void mtu_is_the_smaller_of_path_and_peer(void **state)
{
	mtu_case(1460, 1460);
	mtu_case(1400, 1460);
	mtu_case(1460, 1300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_come_in_the_order_of_the_rfc),
		cmocka_unit_test(the_initiator_learns_everything),
		cmocka_unit_test(answers_may_come_late),
		cmocka_unit_test(an_answer_after_the_end_changes_nothing),
		cmocka_unit_test(an_answer_that_never_comes_ends_set_up),
		cmocka_unit_test(set_up_has_a_limit_of_its_own),
		cmocka_unit_test(a_peer_that_answers_no_ipv6cp_is_left),
		cmocka_unit_test(a_wrong_password_says_so_at_both_ends),
		cmocka_unit_test(no_address_says_why_at_both_ends),
		cmocka_unit_test(an_sc_that_asks_for_no_password_is_anonymous),
		cmocka_unit_test(unless_the_initiator_insists),
		cmocka_unit_test(both_ends_may_authenticate),
		cmocka_unit_test(a_password_may_come_by_pap),
		cmocka_unit_test(eap_is_passed_through_to_the_owners),
		cmocka_unit_test(an_eap_method_that_fails_ends_it_at_both_ends),
		cmocka_unit_test(tunnel_secrets_must_be_the_same),
		cmocka_unit_test(the_concentrator_begins_nothing),
		cmocka_unit_test(the_owner_may_close_it_from_inside_up),
		cmocka_unit_test(the_concentrator_may_choose_the_interface_identifier),
		cmocka_unit_test(the_users_identifier_comes_first),
		cmocka_unit_test(equal_identifiers_are_made_different),
		cmocka_unit_test(mtu_is_the_smaller_of_path_and_peer),
	};

	return cmocka_run_group_tests_name("hub setup", tests, NULL, NULL);
}
