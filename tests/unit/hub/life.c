/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happens to a softwire while it is up, and how it ends: keepalives, probes, renegotiation, close at every step. */
#include "pair.h"

/* ---- ends ---- */

static void check_ended(const struct pair *p, const struct side *closer)
{
	assert_int_equal(p->sc.downs, p->sc.softwire || p->sc.released ? 1 : 0);
	assert_int_equal(p->si.downs, 1);
	assert_int_equal(p->si.released, 1);
	assert_null(p->si.softwire);
	assert_null(p->sc.softwire);
	assert_string_equal(closer->why.text, "enough");
	assert_int_equal(closer->why.cause, CAUSE_LOCAL);
	assert_int_equal(p->wheel.armed, 0);
}

static void close_at(struct pair *p, struct side *closer, enum softwire_step step)
{
	p->sc.answer_ms = p->si.answer_ms = 100;
	pair_open(p);
	pair_until(p, closer, step);
	softwire_close(closer->softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", p->now);
	assert_int_equal(closer->downs, 1); /* at once: the owner's resources are free again */
	assert_int_equal(closer->why.step, step);
	assert_int_equal(closer->counters.down[CAUSE_LOCAL], 1);
	pair_run(p, 120000);
	check_ended(p, closer);
	if (closer->peer->released)
		assert_int_equal(closer->peer->why.cause, CAUSE_PEER);
}

/* proves: HS-L2TP-33, HS-L2TP-32 partial */
static void either_end_may_close_at_any_step(void **state)
{
	static const enum softwire_step sc_steps[] = {
		STEP_TUNNEL, STEP_LCP, STEP_AUTH, STEP_LEASE, STEP_NCP, STEP_UP};
	static const enum softwire_step si_steps[] = {STEP_TUNNEL, STEP_LCP, STEP_AUTH, STEP_NCP, STEP_UP};

	for (size_t n = 0; n < sizeof(sc_steps) / sizeof(*sc_steps); n++) {
		struct pair *p = pair_new();

		close_at(p, &p->sc, sc_steps[n]);
		pair_free(p);
	}
	for (size_t n = 0; n < sizeof(si_steps) / sizeof(*si_steps); n++) {
		struct pair *p = pair_new();

		close_at(p, &p->si, si_steps[n]);
		pair_free(p);
	}
}

static void closing_twice_is_closing_once(void **state)
{
	struct pair *p = pair_new();

	pair_up(p);
	softwire_close(p->si.softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", p->now);
	softwire_close(p->si.softwire, CAUSE_SHUTDOWN, L2TP_STOP_SHUTDOWN, 0, "again", p->now);
	pair_run(p, 100000);
	assert_int_equal(p->si.downs, 1);
	assert_string_equal(p->si.why.text, "enough");
	assert_int_equal(pair_sent(p, 0, "SI l2tp StopCCN"), 1);
	pair_free(p);
}

/* proves: HS-L2TP-33, HS-DHCP-5 partial */
static void a_good_end_releases_the_prefix_first(void **state)
{
	struct pair *p = pair_new();
	size_t start;

	pair_up(p);
	start = p->line_count;
	softwire_close(p->si.softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", p->now);
	pair_run(p, 100);
	assert_true(pair_sent(p, start, "SI ip6 Release") == 1);
	assert_true(pair_sent(p, start, "SI ppp LCP Terminate-Request") == 1);
	assert_true(pair_sent(p, start, "SI l2tp CDN") == 1);
	assert_true(pair_sent(p, start, "SI l2tp StopCCN") == 1);
	assert_int_equal(p->sc.released_prefixes, 1);
	assert_true(softwire_is_quiet(p->si.softwire));
	pair_free(p);
}

static void the_reason_reaches_the_peer(void **state)
{
	struct pair *p = pair_new();

	pair_up(p);
	softwire_close(
		p->sc.softwire, CAUSE_SHUTDOWN, L2TP_STOP_SHUTDOWN, 0, "the concentrator shuts down", p->now);
	pair_run(p, 1000);
	assert_int_equal(p->si.downs, 1);
	assert_non_null(strstr(p->si.why.text, "the concentrator shuts down"));
	pair_free(p);
}

static void memory_may_go_at_every_step(void **state)
{
	for (unsigned events = 0; events < 60; events++) {
		struct pair *p = pair_new();

		p->sc.answer_ms = p->si.answer_ms = 35;
		pair_open(p);
		pair_run(p, events * 10);
		pair_free(p);
	}
}

/* ---- keepalive ---- */

/* proves: HS-L2TP-29, HS-L2TP-30, HS-OAM-2 partial */
static void both_ends_say_hello_when_idle(void **state)
{
	struct pair *p = pair_new();
	uint64_t sc, si;

	pair_up(p);
	sc = p->sc.counters.l2tp.hello_tx;
	si = p->si.counters.l2tp.hello_tx;
	pair_run(p, 50000);
	assert_int_equal(p->sc.counters.l2tp.hello_tx, sc);
	assert_int_equal(p->si.counters.l2tp.hello_tx, si);
	pair_run(p, 20000);
	assert_true(p->sc.counters.l2tp.hello_tx + p->si.counters.l2tp.hello_tx > sc + si);
	pair_run(p, 600000);
	/* An end whose peer's HELLO it has just acknowledged has sent, and waits for another minute. */
	assert_true(p->sc.counters.l2tp.hello_tx + p->si.counters.l2tp.hello_tx >= 10);
	assert_int_equal(p->sc.downs + p->si.downs, 0);
	pair_free(p);
}

/* Each end by itself: its peer's HELLO is switched off. */
/* 60 days without a packet of anybody's: longer than 32 bits of milliseconds, and than anything that a peer or a timer could mean by "long". */
/* proves: PS-2 */
static void nothing_ends_because_time_passes_until_somebody_says_so(void **state)
{
	struct pair *p = pair_new();
	uint16_t tunnel;

	pair_up(p);
	tunnel = p->sc.softwire->tunnel.local_tunnel;
	for (unsigned day = 0; day < 60; day++)
		pair_run(p, 86400000);
	assert_int_equal(p->sc.downs + p->si.downs, 0);
	assert_int_equal(p->sc.family_downs + p->si.family_downs, 0);
	assert_int_equal(p->sc.softwire->tunnel.local_tunnel, tunnel);
	assert_int_equal(p->si.softwire->step, STEP_UP);
	assert_int_equal(p->si.asked[ASK_PPP_SECRET], 1);
	assert_true(p->si.state.has_binding && p->sc.renewed > 60);
	softwire_close(p->si.softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", p->now);
	pair_run(p, 120000);
	check_ended(p, &p->si);
	pair_free(p);
}

/* proves: HS-L2TP-29, HS-L2TP-30, HS-OAM-1 partial */
static void the_period_is_configurable_and_hello_may_be_off(void **state)
{
	for (int n = 0; n < 2; n++) {
		struct pair *p = pair_new();
		struct side *side = n ? &p->si : &p->sc;

		side->config.l2tp.hello_ms = 20000;
		side->peer->config.l2tp.hello_ms = 0;
		pair_up(p);
		pair_run(p, 200000);
		assert_in_range(side->counters.l2tp.hello_tx, 9, 11);
		assert_int_equal(side->peer->counters.l2tp.hello_tx, 0);
		assert_int_equal(side->downs + side->peer->downs, 0);
		pair_free(p);
	}
}

/* 60 s of silence, then 1, 2, 4, 8, 8 s and 1 s: RFC 5571 section 5.1.2 allows 83 s. */
/* proves: HS-L2TP-32, HS-OAM-2, HS-L2TP-30 */
static void a_dead_peer_is_found_by_hello(void **state)
{
	for (int n = 0; n < 2; n++) {
		struct pair *p = pair_new();
		struct side *alive = n ? &p->si : &p->sc;
		msec start;

		pair_up(p);
		alive->peer->dead = true;
		start = p->now;
		while (!alive->downs && p->now - start < 200000)
			pair_run(p, 100);
		assert_in_range(p->now - start, 60000, 86000);
		assert_int_equal(alive->why.cause, CAUSE_DEAD_PEER);
		assert_int_equal(alive->counters.down[CAUSE_DEAD_PEER], 1);
		pair_run(p, 60000);
		assert_int_equal(alive->released, 1);
		pair_free(p);
	}
}

/* What is heard says nothing about what the NAT lets through: an end that only hears still says HELLO. */
/* proves: HS-L2TP-29 */
static void traffic_keeps_hello_away_only_while_both_talk(void **state)
{
	struct pair *p = pair_new();

	p->si.config.l2tp.hello_ms = 0;
	pair_up(p);
	for (int n = 0; n < 100; n++) {
		pair_run(p, 5000);
		softwire_heard(p->sc.softwire, p->now); /* the data plane at the SC has heard the SI */
	}
	assert_true(p->sc.counters.l2tp.hello_tx > 0);
	assert_int_equal(p->sc.downs, 0);
	pair_free(p);
}

/* "Sent when nothing else was": data in both directions makes HELLO needless, and its end brings it back. */
/* proves: HS-L2TP-30 */
static void data_in_both_directions_makes_hello_needless(void **state)
{
	struct pair *p = pair_new();

	pair_up(p);
	for (int n = 0; n < 60; n++) {
		pair_run(p, 10000);
		p->sc.data_heard = p->sc.data_sent = p->si.data_heard = p->si.data_sent = p->now;
	}
	assert_int_equal(p->sc.counters.l2tp.hello_tx + p->si.counters.l2tp.hello_tx, 0);
	pair_run(p, 65000);
	assert_true(p->sc.counters.l2tp.hello_tx + p->si.counters.l2tp.hello_tx > 0);
	assert_int_equal(p->sc.downs + p->si.downs, 0);
	pair_free(p);
}

/* A data plane that has heard nothing for long does not make what the control channel heard older than it is. */
static void an_idle_data_plane_hides_no_sign_of_life(void **state)
{
	struct pair *p = pair_new();

	pair_up(p);
	p->sc.data_heard = p->si.data_heard = 1;
	pair_run(p, 600000);
	assert_true(p->sc.counters.l2tp.hello_tx + p->si.counters.l2tp.hello_tx <= 22);
	assert_int_equal(p->sc.downs + p->si.downs, 0);
	pair_free(p);
}

/* proves: HS-L2TP-31 */
static void lcp_echo_runs_beside_hello(void **state)
{
	struct pair *p = pair_new();

	p->si.config.ppp.echo_ms = 30000;
	pair_up(p);
	pair_run(p, 301000);
	assert_in_range(p->si.counters.ppp.echo_tx, 9, 11);
	assert_int_equal(p->sc.counters.ppp.echo_rx, p->si.counters.ppp.echo_tx);
	assert_int_equal(p->sc.counters.ppp.echo_tx, 0);
	assert_int_equal(p->sc.downs + p->si.downs, 0);
	p->sc.dead = true;
	pair_run(p, 121000);
	assert_int_equal(p->si.downs, 1);
	assert_int_equal(p->si.why.cause, CAUSE_DEAD_PEER);
	pair_free(p);
}

/* ---- probes ---- */

static void a_hint_alone_ends_nothing(void **state)
{
	struct pair *p = pair_new();

	pair_up(p);
	for (int n = 0; n < 50; n++) {
		softwire_probe(p->si.softwire, p->now);
		pair_run(p, 200);
	}
	pair_run(p, 20000);
	assert_int_equal(p->si.downs + p->sc.downs, 0);
	assert_true(p->si.counters.l2tp.hello_tx >= 50);
	pair_free(p);
}

static void a_probed_peer_that_is_silent_is_dead_in_8_seconds(void **state)
{
	for (int n = 0; n < 2; n++) {
		struct pair *p = pair_new();
		struct side *alive = n ? &p->si : &p->sc;
		msec start;

		pair_up(p);
		alive->peer->dead = true;
		start = p->now;
		softwire_probe(alive->softwire, p->now);
		while (!alive->downs && p->now - start < 60000)
			pair_run(p, 50);
		assert_in_range(p->now - start, 7000, 8100);
		assert_int_equal(alive->why.cause, CAUSE_DEAD_PEER);
		pair_free(p);
	}
}

static void a_probe_before_it_is_established_is_ignored(void **state)
{
	struct pair *p = pair_new();

	pair_open(p);
	softwire_probe(p->si.softwire, p->now);
	pair_run(p, 5000);
	assert_int_equal(p->si.ups, 1);
	softwire_close(p->si.softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", p->now);
	softwire_probe(p->si.softwire, p->now);
	pair_run(p, 100000);
	assert_int_equal(p->si.downs, 1);
	assert_int_equal(p->si.counters.l2tp.hello_tx, 0);
	pair_free(p);
}

/* ---- NCP and LCP while up ---- */

static void close_ncp_of(struct side *side)
{
	softwire_probe(side->softwire, side->pair->now); /* nothing to do with it, but enters the engine */
	ppp_link_close_ncp(&side->softwire->ppp, PPP_IPV6CP, "not now", side->pair->now);
}

static void a_closed_ncp_leaves_the_link_up(void **state)
{
	for (int n = 0; n < 2; n++) {
		struct pair *p = pair_new();
		struct side *closer = n ? &p->si : &p->sc;

		pair_up(p);
		p->sc.softwire->now = p->si.softwire->now = p->now;
		close_ncp_of(closer);
		pair_run(p, 20000);
		assert_int_equal(p->sc.family_downs, 1);
		assert_int_equal(p->si.family_downs, 1);
		assert_int_equal(p->sc.downs + p->si.downs, 0);
		assert_false(p->sc.softwire->up6);
		assert_false(p->si.softwire->up6);
		assert_true(l2tp_tunnel_is_established(&p->sc.softwire->tunnel));
		assert_int_equal(p->sc.softwire->ppp.lcp.state, PPP_OPENED);
		pair_free(p);
	}
}

static void a_closed_ncp_can_come_up_again(void **state)
{
	struct pair *p = pair_new();
	struct addr before;

	pair_up(p);
	before = p->si.state.address;
	close_ncp_of(&p->si);
	pair_run(p, 20000);
	assert_int_equal(p->sc.family_downs, 1);
	ppp_link_network(&p->si.softwire->ppp, &(struct ppp_network){.ipv6 = true, .iid = p->si.softwire->ppp.iid, .assign_iid = 0}, p->now);
	softwire_probe(p->si.softwire, p->now); /* arms the timer */
	ppp_link_network(&p->sc.softwire->ppp, &(struct ppp_network){.ipv6 = true, .iid = p->sc.softwire->ppp.iid, .assign_iid = p->lease.iid}, p->now);
	softwire_probe(p->sc.softwire, p->now);
	pair_run(p, 20000);
	assert_int_equal(p->sc.ups, 2);
	assert_int_equal(p->si.ups, 2);
	assert_true(p->si.state.has_address && addr_equal(&p->si.state.address, &before));
	assert_true(p->si.state.has_binding);
	assert_int_equal(p->sc.delegated, 2);
	assert_int_equal(p->sc.counters.up, 1); /* one softwire, however often its family came and went */
	pair_free(p);
}

/* A peer of no manners: a new LCP Configure-Request in the middle of it. */
static void renegotiate(struct side *to)
{
	pair_frame_of(to, PPP_LCP, 1, 99, 0, 14, 1, 4, 5, 0xb4, 5, 6, 1, 2, 3, 4);
}

/* proves: HS-PPP-13 */
static void a_new_lcp_authenticates_again_and_keeps_the_lease(void **state)
{
	for (int n = 0; n < 2; n++) {
		struct pair *p = pair_new();
		struct addr before;
		uint64_t sc_iid;

		pair_up(p);
		before = p->si.state.address;
		sc_iid = p->sc.softwire->ppp.iid;
		renegotiate(n ? &p->si : &p->sc);
		pair_run(p, 30000);
		assert_int_equal(p->sc.downs + p->si.downs, 0);
		assert_true(p->sc.softwire->up6 && p->si.softwire->up6);
		assert_true(p->sc.family_downs >= 1);
		assert_true(p->sc.asked[ASK_VERIFY] >= 2);
		assert_int_equal(p->sc.asked[ASK_LEASE], 1);
		assert_true(p->sc.softwire->ppp.iid == sc_iid);
		assert_true(p->si.state.has_address && addr_equal(&p->si.state.address, &before));
		assert_int_equal(p->sc.softwire->step, STEP_UP);
		assert_int_equal(p->si.softwire->step, STEP_UP);
		pair_free(p);
	}
}

/* The lease is on its way when the peer begins anew: asked for once, and it serves. */
static void a_new_lcp_while_the_lease_is_on_its_way_asks_once(void **state)
{
	struct pair *p = pair_new();

	p->sc.never[ASK_LEASE] = true;
	pair_open(p);
	pair_until(p, &p->sc, STEP_LEASE);
	renegotiate(&p->sc);
	pair_run(p, 10000);
	assert_true(p->sc.asked[ASK_VERIFY] >= 2);
	assert_int_equal(p->sc.asked[ASK_LEASE], 1);
	softwire_sc_lease(&p->sc_engine, &p->lease, NULL, p->now);
	pair_run(p, 20000);
	assert_int_equal(p->sc.ups, 1);
	assert_int_equal(p->si.ups, 1);
	pair_free(p);
}

/* And when the answer comes in the middle of the new LCP. */
static void a_lease_that_comes_during_a_new_lcp_is_kept(void **state)
{
	struct pair *p = pair_new();

	p->sc.never[ASK_LEASE] = true;
	pair_open(p);
	pair_until(p, &p->sc, STEP_LEASE);
	renegotiate(&p->sc);
	softwire_sc_lease(&p->sc_engine, &p->lease, NULL, p->now);
	softwire_sc_lease(&p->sc_engine, NULL, "a second answer", p->now);
	pair_run(p, 20000);
	assert_int_equal(p->sc.ups, 1);
	assert_int_equal(p->si.ups, 1);
	assert_int_equal(p->sc.asked[ASK_LEASE], 1);
	assert_int_equal(p->sc.downs, 0);
	pair_free(p);
}

static void a_wrong_password_the_second_time_ends_it(void **state)
{
	struct pair *p = pair_new();

	pair_up(p);
	p->si.ppp_secret = "looking-glass";
	renegotiate(&p->sc);
	pair_run(p, 60000);
	assert_int_equal(p->sc.downs, 1);
	assert_int_equal(p->sc.why.cause, CAUSE_USER_AUTH);
	assert_int_equal(p->si.downs, 1);
	pair_free(p);
}

/* LCP Terminate-Request from the peer ends the whole softwire. */
static void a_terminated_link_takes_the_tunnel_with_it(void **state)
{
	struct pair *p = pair_new();

	pair_up(p);
	pair_frame_of(&p->sc, PPP_LCP, 5, 7, 0, 4);
	pair_run(p, 100000);
	assert_int_equal(p->sc.downs, 1);
	assert_int_equal(p->sc.why.cause, CAUSE_PEER);
	assert_int_equal(p->si.downs, 1);
	assert_int_equal(p->sc.released, 1);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(either_end_may_close_at_any_step),
		cmocka_unit_test(closing_twice_is_closing_once),
		cmocka_unit_test(a_good_end_releases_the_prefix_first),
		cmocka_unit_test(the_reason_reaches_the_peer),
		cmocka_unit_test(memory_may_go_at_every_step),
		cmocka_unit_test(both_ends_say_hello_when_idle),
		cmocka_unit_test(nothing_ends_because_time_passes_until_somebody_says_so),
		cmocka_unit_test(the_period_is_configurable_and_hello_may_be_off),
		cmocka_unit_test(a_dead_peer_is_found_by_hello),
		cmocka_unit_test(traffic_keeps_hello_away_only_while_both_talk),
		cmocka_unit_test(data_in_both_directions_makes_hello_needless),
		cmocka_unit_test(an_idle_data_plane_hides_no_sign_of_life),
		cmocka_unit_test(lcp_echo_runs_beside_hello),
		cmocka_unit_test(a_hint_alone_ends_nothing),
		cmocka_unit_test(a_probed_peer_that_is_silent_is_dead_in_8_seconds),
		cmocka_unit_test(a_probe_before_it_is_established_is_ignored),
		cmocka_unit_test(a_closed_ncp_leaves_the_link_up),
		cmocka_unit_test(a_closed_ncp_can_come_up_again),
		cmocka_unit_test(a_new_lcp_authenticates_again_and_keeps_the_lease),
		cmocka_unit_test(a_new_lcp_while_the_lease_is_on_its_way_asks_once),
		cmocka_unit_test(a_lease_that_comes_during_a_new_lcp_is_kept),
		cmocka_unit_test(a_wrong_password_the_second_time_ends_it),
		cmocka_unit_test(a_terminated_link_takes_the_tunnel_with_it),
	};

	return cmocka_run_group_tests_name("hub life", tests, NULL, NULL);
}
