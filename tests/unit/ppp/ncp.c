/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPV6CP and IPCP side by side on two links wired in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pair.h"
#include "ppp/protocol.h"

static int setup(void **state)
{
	static struct pair p;

	pair_init(&p, 1);
	pair_ipv4(&p, false);
	*state = &p;
	return 0;
}

static int teardown(void **state)
{
	pair_done(*state);
	return 0;
}

#define ASSERT_4(a, ...) assert_memory_equal(a, ((const uint8_t[]){__VA_ARGS__}), 4)

static void assert_up4(const struct pair *p)
{
	assert_true(ppp_link_ncp_open(&p->sc.link, PPP_IPCP));
	assert_true(ppp_link_ncp_open(&p->si.link, PPP_IPCP));
	ASSERT_4(p->sc.link.local4, 192, 0, 2, 1);
	ASSERT_4(p->sc.link.peer4, 198, 51, 100, 7);
	ASSERT_4(p->si.link.local4, 198, 51, 100, 7);
	ASSERT_4(p->si.link.peer4, 192, 0, 2, 1);
	ASSERT_4(p->si.link.dns4[0], 192, 0, 2, 53);
	ASSERT_4(p->si.link.dns4[1], 192, 0, 2, 54);
	assert_null(p->sc.link.auth);
	assert_null(p->si.link.auth);
	assert_int_equal(ppp_link_deadline(&p->sc.link), MSEC_NEVER);
	assert_int_equal(p->sc.downs + p->si.downs, 0);
}

static void assert_up6(const struct pair *p, bool up)
{
	assert_int_equal(ppp_link_ncp_open(&p->sc.link, PPP_IPV6CP), up);
	assert_int_equal(ppp_link_ncp_open(&p->si.link, PPP_IPV6CP), up);
}

/* proves: HS-PPP-18 partial, HS-PPP-21, HS-PROV-8 partial */
static void both_come_up_on_one_link(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	pair_run(p, 500);
	assert_up4(p);
	assert_up6(p, true);
	assert_int_equal(p->sc.ups + p->si.ups, 2);
	assert_int_equal(p->sc.ups4 + p->si.ups4, 2);
	assert_int_equal(p->sc.verifies, 1);
	assert_int_equal(p->sc.counters.bad_phase + p->si.counters.bad_phase, 0);
	assert_int_equal(p->sc.counters.protocol_rejects_tx + p->si.counters.protocol_rejects_tx, 0);
}

/* proves: HS-PPP-15 */
static void one_family_means_one_ncp(void **state)
{
	struct pair *p = *state;

	pair_ipv4(p, true);
	pair_open(p);
	pair_run(p, 500);
	assert_up4(p);
	assert_int_equal(end_count(&p->sc, PPP_IPV6CP, 0) + end_count(&p->si, PPP_IPV6CP, 0), 0);
	pair_done(p);

	pair_init(p, 2);
	pair_open(p);
	pair_run(p, 500);
	assert_up6(p, true);
	assert_int_equal(end_count(&p->sc, PPP_IPCP, 0) + end_count(&p->si, PPP_IPCP, 0), 0);
}

/* proves: HS-PPP-20 partial */
static void a_peer_without_ipcp_keeps_ipv6(void **state)
{
	struct pair *p = *state;

	p->sc.config.ipv4 = false;
	pair_open(p);
	pair_run(p, 5000);
	assert_up6(p, true);
	assert_int_equal(p->si.ncp_downs4, 1);
	assert_string_equal(p->si.ncp_why4, "IPCP: peer does not know it (Protocol-Reject)");
	assert_true(p->si.ipcp_unknown);
	assert_int_equal(p->si.ncp_downs, 0);
	assert_int_equal(p->sc.ups4 + p->sc.ncp_downs4, 0);
	assert_null(p->si.link.auth); /* nothing is kept for what will not come */
	pair_run(p, 100000);
	assert_int_equal(p->si.ncp_downs4, 1);
	assert_int_equal(end_count(&p->si, PPP_IPCP, 0), 1);
}

/* proves: HS-PPP-20 */
static void both_ways_to_say_no_address_are_said_and_understood(void **state)
{
	struct pair *p = *state;

	p->sc.network.assign4 = (struct addr){0}; /* DHCP has the addresses */
	p->si.network.hint4 = addr4(198, 51, 100, 9);
	pair_open(p);
	pair_run(p, 500);
	assert_true(ppp_link_ncp_open(&p->si.link, PPP_IPCP));
	assert_true(ppp_link_ncp_open(&p->sc.link, PPP_IPCP));
	ASSERT_4(p->si.link.local4, 0, 0, 0, 0);
	ASSERT_4(p->sc.link.peer4, 0, 0, 0, 0);
	ASSERT_4(p->si.link.peer4, 192, 0, 2, 1);
	assert_false(p->si.ipcp_unknown);
	pair_done(p);

	pair_init(p, 2);
	pair_ipv4(p, false);
	p->sc.network.ipv4 = false; /* there is no IPv4 for this user */
	pair_open(p);
	pair_run(p, 500);
	assert_int_equal(p->si.ups4, 0);
	assert_int_equal(p->si.ncp_downs4, 1);
	assert_true(p->si.ipcp_unknown);
	assert_up6(p, true);
}

static void a_peer_without_ipv6cp_keeps_ipv4(void **state)
{
	struct pair *p = *state;

	p->si.config.ipv6 = false;
	pair_open(p);
	pair_run(p, 5000);
	assert_up4(p);
	assert_int_equal(p->sc.ncp_downs, 1);
	assert_int_equal(p->sc.ncp_downs4, 0);
	assert_false(p->sc.ipcp_unknown);
}

/* proves: HS-PPP-20 partial */
static void a_user_without_ipv4_is_told_by_protocol_reject(void **state)
{
	struct pair *p = *state;

	p->sc.no_network = true;
	pair_open(p);
	pair_run(p, 1000);
	assert_int_equal(p->sc.counters.protocol_rejects_tx, 0); /* not decided */
	p->sc.network.ipv4 = false;
	end_network(&p->sc);
	assert_int_equal(p->sc.counters.protocol_rejects_tx, 1); /* at once: the request was kept */
	pair_run(p, 1000);
	assert_up6(p, true);
	assert_int_equal(p->si.ncp_downs4, 1);
	assert_true(p->si.ipcp_unknown);
	assert_null(end_last(&p->sc, PPP_IPCP, 0));
	end_frame(&p->sc, (const uint8_t[]){0x21, 0x45}, 2);
	assert_int_equal(p->sc.counters.protocol_rejects_tx, 2);

	p->sc.network.ipv4 = true; /* and now may */
	end_network(&p->sc);
	end_network(&p->si);
	pair_run(p, 1000);
	assert_up4(p);
	assert_int_equal(p->sc.ups, 1); /* IPV6CP was left alone */
	assert_int_equal(p->si.ups, 1);
	assert_int_equal(p->sc.ncp_downs + p->si.ncp_downs, 0);
	assert_false(p->si.link.ipcp_unknown);
}

static void packets_of_a_closed_ncp_are_dropped(void **state)
{
	struct pair *p = *state;

	p->sc.no_network = true;
	pair_open(p);
	pair_run(p, 1000);
	end_frame(&p->sc, (const uint8_t[]){0x21, 0x45}, 2);
	end_frame(&p->sc, (const uint8_t[]){0x57, 0x60}, 2);
	assert_int_equal(p->sc.counters.bad_phase, 2);
	end_network(&p->sc);
	end_frame(&p->sc, (const uint8_t[]){0x21, 0x45}, 2);
	assert_int_equal(p->sc.counters.bad_phase, 3);
	assert_int_equal(p->sc.counters.protocol_rejects_tx, 0);
}

static void early_requests_of_both_wait_for_the_lease(void **state)
{
	struct pair *p = *state;

	p->sc.no_network = true;
	p->sc.assign = 0x99;
	pair_open(p);
	pair_run(p, 1000);
	assert_null(end_last(&p->sc, PPP_IPCP, 0));
	end_network(&p->sc);
	pair_run(p, 100); /* not a retransmission's 3 s */
	assert_up4(p);
	assert_up6(p, true);
	assert_int_equal(p->si.link.iid, 0x99);
}

static void closing_one_keeps_the_other(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	pair_run(p, 500);
	ppp_link_close_ncp(&p->sc.link, PPP_IPCP, "no addresses left", p->now);
	assert_int_equal(p->sc.ncp_downs4, 1);
	assert_string_equal(p->sc.ncp_why4, "no addresses left");
	pair_run(p, 5000);
	assert_int_equal(p->si.ncp_downs4, 1);
	assert_string_equal(p->si.ncp_why4, "IPCP terminated by peer");
	assert_int_equal(p->sc.ncp_downs + p->si.ncp_downs, 0);
	assert_up6(p, true);

	end_network(&p->sc); /* opens what is closed, and only that */
	pair_run(p, 5000);
	assert_up4(p);
	assert_int_equal(p->sc.ups, 1);
	assert_int_equal(p->sc.ups4, 2);
}

static void new_values_renegotiate_only_what_changed(void **state)
{
	static const struct {
		const char *name;
		unsigned ups, ups4;
	} table[] = {
		{"nothing", 0, 0},
		{"address to assign", 0, 1},
		{"DNS servers", 0, 1},
		{"interface identifier to assign", 1, 0},
		{"our address", 0, 1},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct pair *p = *state;

		teardown(state);
		setup(state);
		pair_open(p);
		pair_run(p, 500);
		if (i == 1)
			p->sc.network.assign4 = addr4(198, 51, 100, 8);
		if (i == 2)
			p->sc.network.dns4_count = 1;
		if (i == 3)
			p->sc.assign = 0x77;
		if (i == 4)
			p->sc.network.local4 = addr4(192, 0, 2, 2);
		end_network(&p->sc);
		pair_run(p, 10000);
		if (p->sc.ups != 1 + table[i].ups || p->sc.ups4 != 1 + table[i].ups4 ||
			p->si.ups != p->sc.ups || p->si.ups4 != p->sc.ups4 ||
			p->sc.ncp_downs != table[i].ups || p->sc.ncp_downs4 != table[i].ups4)
			fail_msg("%s", table[i].name);
		assert_memory_equal(p->si.link.local4, p->sc.network.assign4.bytes, 4);
		assert_memory_equal(p->si.link.peer4, p->sc.network.local4.bytes, 4);
	}
}

static bool eat_ipcp(struct pair *p, struct end *from, const uint8_t *frame, size_t len)
{
	return frame[2] == 0x80 && frame[3] == 0x21;
}

static bool eat_ipcp_acks(struct pair *p, struct end *from, const uint8_t *frame, size_t len)
{
	return eat_ipcp(p, from, frame, len) && frame[4] == PPP_CONFIGURE_ACK;
}

static void an_ncp_that_does_not_come_is_told_and_the_other_one_stays(void **state)
{
	struct pair *p = *state;

	p->eat = eat_ipcp_acks;
	pair_open(p);
	pair_run(p, 10000);
	assert_up6(p, true);
	pair_run(p, 100000);
	assert_up6(p, true);
	assert_int_equal(p->sc.ncp_downs4, 1);
	assert_int_equal(p->si.ncp_downs4, 1);
	assert_int_equal(p->sc.ncp_downs + p->si.ncp_downs, 0);
}

static void agreement_that_takes_too_long_is_given_up(void **state)
{
	struct pair *p = *state;
	struct end *e = &p->sc;

	p->alone = true;
	e->config.demand_auth = false;
	pair_open(p);
	end_lcp_open(e, false);
	end_packet_of(e, PPP_IPV6CP, PPP_CONFIGURE_REQUEST, 1, 1, 10, 0, 0, 0, 0, 0, 0, 0, 9);
	end_ack(e, PPP_IPV6CP);
	assert_int_equal(e->ups, 1);
	for (int i = 0; i < 60 && !e->ncp_downs4; i++) {
		end_ack(e, PPP_IPCP); /* and no request of its own */
		pair_run(p, 1500);
	}
	assert_int_equal(e->ncp_downs4, 1);
	assert_string_equal(e->ncp_why4, "IPCP: no agreement in time");
	assert_int_equal(e->ncp_downs, 0);
	assert_null(e->link.auth);
	end_packet_of(e, PPP_IPCP, PPP_CONFIGURE_REQUEST, 1, 3, 6, 198, 51, 100, 7); /* at last */
	end_ack(e, PPP_IPCP);
	assert_int_equal(e->ups4, 1);
	assert_int_equal(e->ncp_downs4, 1);
}

static void an_ncp_that_is_taken_back_closes(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	pair_run(p, 500);
	p->sc.network.ipv6 = false;
	end_network(&p->sc);
	pair_run(p, 5000);
	assert_up6(p, false);
	assert_up4(p);
	assert_string_equal(p->sc.ncp_why, "IPV6CP: not offered any more");
	assert_int_equal(p->sc.ncp_downs, 1);
	assert_int_equal(p->si.ncp_downs, 1);
	end_network(&p->si); /* tries again: no */
	pair_run(p, 5000);
	assert_int_equal(p->sc.counters.protocol_rejects_tx, 1);
	assert_int_equal(p->si.ncp_downs, 2);
	assert_string_equal(p->si.ncp_why, "IPV6CP: peer does not know it (Protocol-Reject)");
	assert_up4(p);
}

static void an_ncp_that_is_taken_back_before_it_is_up_is_told_once(void **state)
{
	struct pair *p = *state;

	p->eat = eat_ipcp;
	pair_open(p);
	pair_run(p, 500);
	p->sc.network.ipv4 = false;
	end_network(&p->sc);
	assert_int_equal(p->sc.ncp_downs4, 1);
	pair_run(p, 20000);
	assert_int_equal(p->sc.ncp_downs4, 1);
	assert_up6(p, true);
}

static void negotiating_lcp_again_takes_both_down(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	pair_run(p, 500);
	p->sc.no_network = true;
	ppp_automaton_restart(&p->si.link.lcp, "test", p->now);
	pair_run(p, 500);
	assert_int_equal(p->sc.ncp_downs, 1);
	assert_int_equal(p->sc.ncp_downs4, 1);
	assert_int_equal(p->sc.authenticated, 2);
	assert_int_equal(end_count(&p->sc, PPP_IPCP, PPP_CONFIGURE_REQUEST), 1); /* waits to be told again */
	assert_int_equal(p->sc.counters.protocol_rejects_tx, 0);
	end_network(&p->sc);
	pair_run(p, 5000);
	assert_up4(p);
	assert_up6(p, true);
}

/* From inside ncp_down(): the wish of the last call counts, and automata are not disturbed. */
static struct pair *wishes;
static unsigned wish;

static void ncp_down_and_wish(struct ppp_link *l, uint16_t protocol, const char *why)
{
	struct end *e = container_of(l, struct end, link);

	e->ncp_downs4 += protocol == PPP_IPCP;
	if (protocol != PPP_IPCP || e->ncp_downs4 > 1)
		return;
	if (wish != 0)
		ppp_link_close_ncp(l, PPP_IPCP, "closed in ncp_down()", wishes->now);
	if (wish != 1)
		end_network(e);
	if (wish == 3)
		ppp_link_close_ncp(l, PPP_IPV6CP, "closed with it", wishes->now);
}

static void owner_may_open_and_close_from_inside(void **state)
{
	static const bool up4[] = {true, false, true, true};
	struct ppp_ops ops;
	struct pair *p = *state;

	for (wish = 0; wish < 4; wish++) {
		teardown(state);
		setup(state);
		wishes = p;
		ops = *p->sc.config.ops;
		ops.ncp_down = ncp_down_and_wish;
		p->sc.config.ops = &ops;
		pair_open(p);
		pair_run(p, 500);
		ppp_automaton_restart(&p->si.link.ipcp, "test", p->now);
		pair_run(p, 10000);
		assert_int_equal(ppp_link_ncp_open(&p->sc.link, PPP_IPCP), up4[wish]);
		assert_up6(p, wish != 3);
	}
}

static void both_come_up_in_spite_of_loss_and_doubles(void **state)
{
	struct pair *p = *state;
	unsigned up = 0, rounds = 200;

	for (uint64_t seed = 1; seed <= rounds; seed++) {
		pair_done(p);
		pair_init(p, seed);
		pair_ipv4(p, seed % 5 == 0);
		p->loss = (unsigned)(seed % 4) * 10;
		p->twice = (unsigned)(seed % 3) * 15;
		p->sc.assign = seed & 2 ? 0x77 : 0;
		if (seed % 7 == 0)
			p->si.network.hint4 = addr4(198, 51, 100, 99);
		pair_open(p);
		pair_run(p, 60000);
		p->loss = p->twice = 0;
		pair_run(p, 60000);
		if (p->sc.downs || p->si.downs || p->sc.ncp_downs4 > p->sc.ups4)
			continue;
		assert_up4(p);
		up++;
	}
	assert_true(up >= rounds * 98 / 100);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_come_up_on_one_link),
		TEST(one_family_means_one_ncp),
		TEST(a_peer_without_ipcp_keeps_ipv6),
		TEST(both_ways_to_say_no_address_are_said_and_understood),
		TEST(a_peer_without_ipv6cp_keeps_ipv4),
		TEST(a_user_without_ipv4_is_told_by_protocol_reject),
		TEST(packets_of_a_closed_ncp_are_dropped),
		TEST(early_requests_of_both_wait_for_the_lease),
		TEST(closing_one_keeps_the_other),
		TEST(new_values_renegotiate_only_what_changed),
		TEST(an_ncp_that_does_not_come_is_told_and_the_other_one_stays),
		TEST(agreement_that_takes_too_long_is_given_up),
		TEST(an_ncp_that_is_taken_back_closes),
		TEST(an_ncp_that_is_taken_back_before_it_is_up_is_told_once),
		TEST(negotiating_lcp_again_takes_both_down),
		TEST(owner_may_open_and_close_from_inside),
		TEST(both_come_up_in_spite_of_loss_and_doubles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
