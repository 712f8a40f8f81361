/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv6 and IPv4 on one softwire: each comes, is refused, goes and comes again by itself. */
#include "pair.h"

/* Both ends have both, in the words of a host: addresses, DNS servers, prefix. */
static void check_both(const struct pair *p)
{
	assert_true(p->sc.softwire->up6 && p->sc.softwire->up4);
	assert_true(p->si.softwire->up6 && p->si.softwire->up4);
	assert_true(p->si.state.has_address && p->si.state.has_binding);
	assert_true(addr_equal(&p->si.state.address4, &p->lease.address4));
	assert_true(addr_equal(&p->si.state.peer4, &p->sc.config.local4));
	assert_int_equal(p->si.state.dns_count, 1);
	assert_int_equal(p->si.state.dns4_count, 1);
	assert_true(addr_equal(&p->si.state.dns4[0], &p->lease.dns[1]));
	assert_int_equal(p->sc.downs + p->si.downs, 0);
}

/* Lines that only this family brings. */
static unsigned sent_of(const struct pair *p, uint8_t family)
{
	if (family == AF_INET6)
		return pair_sent(p, 0, "IPV6CP Configure-Request") + pair_sent(p, 0, " ip6 ");
	return pair_sent(p, 0, "IPCP Configure-Request") + pair_sent(p, 0, " ip4 ");
}

/* ---- coming up ---- */

/* proves: HS-PPP-15 partial, HS-L2TP-12 partial */
static void both_families_come_up_on_one_softwire(void **state)
{
	struct pair *p = pair_new();

	pair_ipv4(p);
	pair_up(p);
	check_both(p);
	for (int n = 0; n < 2; n++) {
		const struct side *side = n ? &p->si : &p->sc;

		assert_int_equal(side->ups, 1);
		assert_int_equal(side->ups4, 1);
		assert_int_equal(side->counters.up, 1);
		assert_int_equal(side->family_downs + side->family_downs4, 0);
		assert_true(side->softwire->up_at - side->softwire->started_at <
			    500); /* of the first, nobody waits for RA or DHCP */
	}
	assert_int_equal(p->sc.asked[ASK_LEASE], 1);
	pair_free(p);
}

static bool lose_every_fourth(struct pair *p, struct side *from, uint8_t *packet, size_t *len)
{
	return rng_below(&p->rng, 4) != 0;
}

static void both_families_come_up_over_a_path_that_loses_packets(void **state)
{
	unsigned ended = 0;

	for (unsigned n = 0; n < 50; n++) {
		struct pair *p = pair_new();

		rng_init_seed(&p->rng, n);
		pair_ipv4(p);
		pair_subnet(p, "203.0.113.0/28");
		p->lease.dhcp4 = n % 2;
		p->hook = lose_every_fourth;
		pair_open(p);
		pair_run(p, 300000);
		if (p->si.downs || p->sc.downs) { /* so much may be lost that an end gives up; not often */
			ended++;
			assert_int_equal(p->si.downs, 1);
		} else {
			check_both(p);
			assert_int_equal(p->si.state.binding4.subnet_count, 1);
			assert_true(p->sc.delegated4 > p->sc.released_subnets);
		}
		pair_free(p);
	}
	assert_true(ended <= 5);
}

/* What each end is configured for, and what the user has; the NCP of anything else is not even begun. */
/* proves: HS-PPP-15, HS-ND-7 */
static void only_the_ncps_of_configured_families_are_negotiated(void **state)
{
	static const struct {
		const char *name;
		bool sc6, sc4, si6, si4, lease6, lease4;
		bool up6, up4;
	} cases[] = {
		{"IPv6 at both ends", true, false, true, false, true, false, true, false},
		{"IPv4 at both ends", false, true, false, true, false, true, false, true},
		{"both", true, true, true, true, true, true, true, true},
		{"IPv4 at the initiator only", true, false, true, true, true, false, true, false},
		{"IPv6 at the initiator only", false, true, true, true, false, true, false, true},
		{"IPv4 at the concentrator only", true, true, true, false, true, true, true, false},
		{"IPv6 at the concentrator only", true, true, false, true, true, true, false, true},
		{"a user without IPv4", true, true, true, true, true, false, true, false},
		{"a user without IPv6", true, true, true, true, false, true, false, true},
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct pair *p = pair_new();

		pair_ipv4(p);
		p->sc.config.ppp.ipv6 = cases[n].sc6;
		p->sc.config.ppp.ipv4 = cases[n].sc4;
		p->si.config.ppp.ipv6 = cases[n].si6;
		p->si.config.ppp.ipv4 = cases[n].si4;
		p->lease.no_ipv6 = !cases[n].lease6;
		if (!cases[n].lease4)
			p->lease.address4 = (struct addr){0};
		pair_open(p);
		pair_run(p, 30000);
		for (int end = 0; end < 2; end++) {
			const struct side *side = end ? &p->si : &p->sc;
			char line[32];

			if (side->ups != cases[n].up6 || side->ups4 != cases[n].up4 || side->downs)
				fail_msg("%s: %s has IPv6 %u, IPv4 %u, %s", cases[n].name, side->name,
					side->ups, side->ups4, side->why.text);
			snprintf(line, sizeof(line), "%s ppp IPV6CP Configure-Request", side->name);
			if (pair_sent(p, 0, line) && !(end ? cases[n].si6 : cases[n].sc6 && cases[n].lease6))
				fail_msg("%s: %s begins IPV6CP", cases[n].name, side->name);
			snprintf(line, sizeof(line), "%s ppp IPCP Configure-Request", side->name);
			if (pair_sent(p, 0, line) && !(end ? cases[n].si4 : cases[n].sc4 && cases[n].lease4))
				fail_msg("%s: %s begins IPCP", cases[n].name, side->name);
		}
		if (!cases[n].up6 && pair_sent(p, 0, " ip6 "))
			fail_msg("%s: IPv6 packets without IPv6", cases[n].name);
		pair_free(p);
	}
}

static void a_softwire_of_one_family_knows_nothing_of_the_other(void **state)
{
	struct pair *p = pair_new();

	pair_up(p);
	assert_int_equal(sent_of(p, AF_INET), 0);
	pair_free(p);

	p = pair_new();
	pair_ipv4_only(p);
	pair_open(p);
	pair_run(p, 10000);
	assert_int_equal(p->si.ups4, 1);
	assert_int_equal(sent_of(p, AF_INET6), 0);
	pair_free(p);
}

/* ---- refusals ---- */

static void when_all_families_are_refused_it_ends_and_says_which(void **state)
{
	static const struct {
		const char *name;
		bool sc6, sc4, si6, si4;
		const char *text;
	} cases[] = {
		{"IPv4 only, at a concentrator for IPv6", true, false, false, true, "IPv4 was refused: "},
		{"IPv6 only, at a concentrator for IPv4", false, true, true, false,
			"IPv6 was refused: IPV6CP: peer does not know it"},
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct pair *p = pair_new();

		pair_ipv4(p);
		p->sc.config.ppp.ipv6 = cases[n].sc6;
		p->sc.config.ppp.ipv4 = cases[n].sc4;
		p->si.config.ppp.ipv6 = cases[n].si6;
		p->si.config.ppp.ipv4 = cases[n].si4;
		pair_open(p);
		pair_run(p, 60000);
		assert_int_equal(p->sc.ups + p->si.ups + p->sc.ups4 + p->si.ups4, 0);
		assert_int_equal(p->si.downs, 1);
		assert_int_equal(p->sc.downs, 1);
		/* Who hears of it first ends it; the other one is told. */
		if (p->si.why.cause == CAUSE_NO_ADDRESS)
			assert_non_null(strstr(p->si.why.text, cases[n].text));
		else
			assert_int_equal(p->sc.why.cause, CAUSE_NO_ADDRESS);
		pair_free(p);
	}
}

static void both_refused_names_both(void **state)
{
	struct pair *p = pair_new();

	pair_ipv4(p);
	p->si.config.ppp.ipv6 = p->si.config.ppp.ipv4 = false; /* of no use, but a peer may be so */
	pair_open(p);
	pair_run(p, 60000);
	assert_int_equal(p->si.downs, 1);
	assert_int_equal(p->si.why.cause, CAUSE_NO_ADDRESS);
	pair_free(p);

	p = pair_new();
	pair_ipv4(p);
	p->si.config.dhcp4_wait_ms = 0;
	pair_open(p);
	pair_until(p, &p->si, STEP_NCP);
	/* The peer says Protocol-Reject to both. */
	pair_frame_of(&p->si, PPP_LCP, 8, 70, 0, 10, 0x80, 0x57, 1, 1, 0, 4);
	assert_int_equal(p->si.downs, 0);
	assert_string_equal(p->si.note, "IPv6 was refused: IPV6CP: peer does not know it (Protocol-Reject)");
	assert_int_equal(p->si.refusals, 1);
	assert_string_equal(p->si.family_why, "IPV6CP: peer does not know it (Protocol-Reject)");
	pair_frame_of(&p->si, PPP_LCP, 8, 71, 0, 10, 0x80, 0x21, 1, 1, 0, 4);
	assert_int_equal(p->si.downs, 1);
	assert_int_equal(p->si.refusals, 1); /* the last one is told by down() */
	assert_int_equal(p->si.why.cause, CAUSE_NO_ADDRESS);
	assert_int_equal(p->si.why.step, STEP_NCP);
	assert_string_equal(p->si.why.text,
		"IPv6 and IPv4 were refused, at last IPv4: IPCP: peer does not know it (Protocol-Reject)");
	pair_run(p, 100000);
	assert_int_equal(p->sc.downs, 1);
	pair_free(p);
}

static void a_lease_without_any_address_ends_it(void **state)
{
	for (int n = 0; n < 2; n++) {
		struct pair *p = pair_new();

		pair_ipv4(p);
		p->lease.no_ipv6 = true;
		if (n) /* an address, but no end of our own to talk to */
			p->sc.config.local4 = (struct addr){0};
		else
			p->lease.address4 = (struct addr){0};
		pair_open(p);
		pair_run(p, 60000);
		assert_int_equal(p->sc.downs, 1);
		assert_int_equal(p->sc.why.cause, CAUSE_NO_ADDRESS);
		assert_string_equal(p->sc.why.text, "neither an IPv6 nor an IPv4 address for this user");
		assert_int_equal(p->si.downs, 1);
		assert_non_null(strstr(p->si.why.text, "neither an IPv6 nor an IPv4 address"));
		assert_int_equal(pair_sent(p, 0, "SC ppp IPCP Configure-Request"), 0);
		pair_free(p);
	}
}

/* The peer may change its mind: RFC 1661 section 3.5. */
static void a_refused_family_may_come_later(void **state)
{
	struct pair *p = pair_new();

	pair_ipv4(p);
	p->si.config.dhcp4_wait_ms = 0;
	pair_open(p);
	pair_until(p, &p->si, STEP_NCP);
	pair_frame_of(&p->si, PPP_LCP, 8, 71, 0, 10, 0x80, 0x21, 1, 1, 0, 4);
	assert_string_equal(p->si.note, "IPv4 was refused: IPCP: peer does not know it (Protocol-Reject)");
	pair_run(p, 20000); /* the concentrator does know it, and goes on asking */
	check_both(p);
	assert_int_equal(p->si.family_downs4, 0);
	pair_free(p);
}

/* After 1, 2, 4 ... minutes, and the other family is left alone. */
static void a_missing_family_is_tried_again_ever_more_seldom(void **state)
{
	static const msec due[] = {60000, 180000, 420000};
	struct pair *p = pair_new();
	msec began;

	pair_ipv4(p);
	p->sc.config.ppp.ipv6 = false; /* Protocol-Reject */
	pair_open(p);
	pair_until(p, &p->si, STEP_UP);
	pair_run(p, 1000);
	began = p->now;
	assert_true(p->si.softwire->up4 && !p->si.softwire->up6);
	for (unsigned i = 0; i < sizeof(due) / sizeof(*due); i++) {
		uint64_t rejects = p->si.counters.ppp.protocol_rejects_rx;

		pair_run(p, began + due[i] - 5000 - p->now);
		assert_int_equal(p->si.counters.ppp.protocol_rejects_rx, rejects);
		pair_run(p, 8000);
		assert_int_equal(p->si.counters.ppp.protocol_rejects_rx, rejects + 1);
	}
	assert_int_equal(p->si.family_downs + p->si.family_downs4 + p->si.downs, 0);
	assert_true(p->si.softwire->up4);
	pair_free(p);
}

/* A negotiation that died of silence, as on a machine that slept, is made up for. */
static void a_family_that_was_not_agreed_on_in_time_comes_later(void **state)
{
	struct pair *p = pair_new();

	pair_ipv4(p);
	pair_up(p);
	check_both(p);
	softwire_probe(p->si.softwire, p->now);
	ppp_link_close_ncp(&p->si.softwire->ppp, PPP_IPCP, "not now", p->now);
	softwire_probe(p->si.softwire, p->now);
	pair_run(p, 30000);
	assert_true(p->si.softwire->up6 && !p->si.softwire->up4);
	pair_run(p, 40000);
	check_both(p);
	pair_free(p);
}

static uint16_t lost_protocol; /* by the hook below */

static bool lose_protocol(struct pair *p, struct side *from, uint8_t *packet, size_t *len)
{
	return !pair_is_data(packet, *len, lost_protocol);
}

/* LCP Protocol-Reject of an NCP. */
static void reject_ncp(struct side *to, uint16_t protocol)
{
	pair_frame_of(to, PPP_LCP, 8, 77, 0, 10, (uint8_t)(protocol >> 8), (uint8_t)protocol, 1, 1, 0, 4);
}

static void a_refusal_is_forgotten_when_the_family_comes_after_all(void **state)
{
	struct pair *p = pair_new();

	pair_ipv4(p);
	p->si.config.dhcp4_wait_ms = 0;
	p->hook = lose_protocol;
	lost_protocol = PPP_IPV6CP;
	pair_open(p);
	pair_until(p, &p->si, STEP_NCP);
	reject_ncp(&p->si, PPP_IPCP);
	pair_run(p, 5000);
	assert_true(p->si.softwire->up4);
	reject_ncp(&p->si, PPP_IPV6CP);
	assert_int_equal(p->si.downs, 0);
	assert_string_equal(p->si.note, "IPv6 was refused: IPV6CP: peer does not know it (Protocol-Reject)");
	pair_free(p);
}

static void refusals_are_forgotten_when_lcp_begins_anew(void **state)
{
	struct pair *p = pair_new();

	pair_ipv4(p);
	p->si.config.dhcp4_wait_ms = 0;
	p->hook = lose_protocol;
	lost_protocol = PPP_IPCP;
	pair_open(p);
	pair_until(p, &p->si, STEP_NCP);
	reject_ncp(&p->si, PPP_IPCP);
	pair_run(p, 5000);
	assert_true(p->si.softwire->up6 && !p->si.softwire->up4);
	pair_frame_of(&p->si, PPP_LCP, 1, 99, 0, 14, 1, 4, 5, 0xb4, 5, 6, 1, 2, 3, 4);
	lost_protocol = PPP_IPV6CP;
	while (p->si.softwire->ppp.ipcp.state < PPP_REQ_SENT && p->now < 60000)
		pair_run(p, 10);
	reject_ncp(&p->si, PPP_IPV6CP);
	assert_int_equal(p->si.downs, 0); /* IPv4 may still come */
	pair_run(p, 20000);
	assert_true(p->si.softwire->up4);
	pair_free(p);
}

/* ---- going and coming again ---- */

static void close_ncp(struct side *side, uint16_t protocol)
{
	softwire_probe(side->softwire, side->pair->now); /* brings the time into the engine */
	ppp_link_close_ncp(&side->softwire->ppp, protocol, "not now", side->pair->now);
}

/* Says what softwire_start_network() says: to the peer a Configure-Request. */
static void open_ncp(struct pair *p, struct side *side)
{
	struct ppp_network n = {.ipv6 = true, .ipv4 = true, .iid = side->softwire->ppp.iid};

	if (side == &p->sc) {
		n.local4 = side->config.local4;
		n.assign4 = p->lease.address4;
		n.dns4_count = 1;
		n.dns4[0] = p->lease.dns[1];
	} else {
		n.ask_dns4 = true;
	}
	softwire_probe(side->softwire, p->now);
	ppp_link_network(&side->softwire->ppp, &n, p->now);
	softwire_probe(side->softwire, p->now); /* arms the timer */
}

static void one_family_closes_and_comes_again_and_the_other_stays(void **state)
{
	for (int n = 0; n < 4; n++) {
		uint16_t protocol = n & 1 ? PPP_IPCP : PPP_IPV6CP;
		struct pair *p = pair_new();
		struct side *closer = n & 2 ? &p->si : &p->sc;
		unsigned subnets;

		pair_ipv4(p);
		pair_subnet(p, "203.0.113.0/28");
		pair_up(p);
		check_both(p);
		subnets = p->sc.delegated4;
		assert_int_equal(subnets, 1);
		close_ncp(closer, protocol);
		pair_run(p, 20000);
		for (int end = 0; end < 2; end++) {
			const struct side *side = end ? &p->si : &p->sc;

			assert_int_equal(side->softwire->up6, protocol != PPP_IPV6CP);
			assert_int_equal(side->softwire->up4, protocol != PPP_IPCP);
			assert_int_equal(side->family_downs, protocol == PPP_IPV6CP);
			assert_int_equal(side->family_downs4, protocol == PPP_IPCP);
			assert_int_equal(side->downs, 0);
		}
		/* What was delegated is not routed meanwhile, and nothing of it is told. */
		assert_int_equal(p->sc.released_prefixes, protocol == PPP_IPV6CP);
		assert_int_equal(p->sc.released_subnets, protocol == PPP_IPCP);
		assert_int_equal(addr_is_none(&p->si_engine.state.address4), protocol == PPP_IPCP);
		assert_int_equal(p->si_engine.state.has_binding4, protocol != PPP_IPCP);
		assert_int_equal(p->si_engine.state.has_address, protocol != PPP_IPV6CP);
		assert_int_equal(p->si_engine.state.has_binding, protocol != PPP_IPV6CP);
		open_ncp(p, closer);
		pair_run(p, 20000);
		check_both(p);
		assert_int_equal(p->sc.counters.up, 1);
		assert_int_equal(p->sc.delegated4, protocol == PPP_IPCP ? 2 : 1);
		assert_int_equal(p->sc.delegated, protocol == PPP_IPV6CP ? 2 : 1);
		pair_free(p);
	}
}

static void what_was_up_once_may_come_again_even_if_nothing_else_is_up(void **state)
{
	struct pair *p = pair_new();

	pair_ipv4(p);
	pair_up(p);
	close_ncp(&p->sc, PPP_IPCP);
	close_ncp(&p->sc, PPP_IPV6CP);
	pair_run(p, 200000);
	assert_int_equal(p->sc.downs + p->si.downs, 0);
	assert_false(p->si.softwire->up6 || p->si.softwire->up4);
	open_ncp(p, &p->sc);
	pair_run(p, 20000);
	check_both(p);
	pair_free(p);
}

/* A peer of no manners: a new LCP Configure-Request in the middle of it. */
static void renegotiate(struct side *to)
{
	pair_frame_of(to, PPP_LCP, 1, 99, 0, 14, 1, 4, 5, 0xb4, 5, 6, 1, 2, 3, 4);
}

static void a_new_lcp_brings_both_families_back_with_what_they_had(void **state)
{
	for (int n = 0; n < 2; n++) {
		struct pair *p = pair_new();
		struct addr before;

		pair_ipv4(p);
		pair_subnet(p, "203.0.113.0/28");
		p->lease.dhcp4 = n;
		pair_up(p);
		check_both(p);
		before = p->si.state.address;
		pair_run(p, 100000);
		renegotiate(n ? &p->si : &p->sc);
		pair_run(p, 30000);
		check_both(p);
		assert_true(p->sc.family_downs >= 1 && p->sc.family_downs4 >= 1);
		assert_int_equal(p->sc.asked[ASK_LEASE], 1);
		assert_true(addr_equal(&p->si.state.address, &before));
		assert_int_equal(p->si.state.binding4.subnet_count, 1);
		assert_int_equal(p->sc.delegated4, p->sc.released_subnets + 1);
		assert_int_equal(p->sc.delegated, p->sc.released_prefixes + 1);
		assert_int_equal(p->sc.counters.up, 1);
		assert_int_equal(p->sc.softwire->step, STEP_UP);
		pair_free(p);
	}
}

static void the_owner_may_close_it_from_inside_the_second_up(void **state)
{
	for (int n = 0; n < 2; n++) {
		struct pair *p = pair_new();
		struct side *closer = n ? &p->si : &p->sc;
		msec end;

		pair_ipv4(p);
		pair_open(p);
		end = p->now + 10000;
		while (!closer->ups && !closer->ups4 && p->now < end)
			pair_run(p, 1);
		if (closer->ups + closer->ups4 == 1)
			closer->close_on_up = true;
		else /* both NCPs opened in the same millisecond */
			softwire_close(
				closer->softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "not wanted", p->now);
		pair_run(p, 100000);
		assert_int_equal(closer->downs, 1);
		assert_int_equal(closer->peer->downs, 1);
		assert_int_equal(p->sc.released + p->si.released, 2);
		pair_free(p);
	}
}

/* ---- MTU ---- */

/* proves: HS-PPP-2 partial */
static void a_path_that_carries_less_is_told_to_the_peer(void **state)
{
	struct pair *p = pair_new();
	size_t start;

	pair_ipv4(p);
	pair_up(p);
	start = p->line_count;
	assert_true(softwire_lower_mtu(p->sc.softwire, 1400, p->now));
	assert_int_equal(p->sc.softwire->mtu, 1400);
	pair_run(p, 100);
	assert_int_equal(pair_sent(p, start, "SC ip6 RA"), 1);
	assert_int_equal(p->si.state.mtu, 1400);
	assert_false(softwire_lower_mtu(p->sc.softwire, 1400, p->now));
	assert_false(softwire_lower_mtu(p->sc.softwire, 1450, p->now));
	assert_int_equal(p->sc.softwire->mtu, 1400);
	/* Advertisements come at most every 3 s, however often the path changes. */
	for (uint16_t mtu = 1399; mtu > 1390; mtu--) {
		assert_true(softwire_lower_mtu(p->sc.softwire, mtu, p->now));
		pair_run(p, 100);
	}
	assert_int_equal(pair_sent(p, start, "SC ip6 RA"), 1);
	pair_run(p, 3000);
	assert_int_equal(pair_sent(p, start, "SC ip6 RA"), 2);
	assert_int_equal(p->si.state.mtu, 1391);
	/* Never below what IPv6 needs. */
	assert_true(softwire_lower_mtu(p->sc.softwire, 600, p->now));
	assert_int_equal(p->sc.softwire->mtu, 1280);
	assert_false(softwire_lower_mtu(p->sc.softwire, 600, p->now));
	pair_run(p, 10000);
	assert_int_equal(p->si.state.mtu, 1280);
	assert_int_equal(p->sc.downs + p->si.downs, 0);
	pair_free(p);
}

static void the_initiators_own_path_says_nothing(void **state)
{
	struct pair *p = pair_new();
	size_t lines;

	pair_ipv4(p);
	pair_up(p);
	lines = p->line_count;
	assert_true(softwire_lower_mtu(p->si.softwire, 1400, p->now));
	assert_int_equal(p->si.softwire->mtu, 1400);
	pair_run(p, 10000);
	assert_int_equal(p->line_count, lines);
	pair_free(p);
}

static void ipv4_alone_may_have_576(void **state)
{
	struct pair *p = pair_new();

	pair_ipv4_only(p);
	p->lease.dhcp4 = true;
	pair_open(p);
	pair_until(p, &p->sc, STEP_UP);
	assert_true(softwire_lower_mtu(p->sc.softwire, 100, p->now));
	assert_int_equal(p->sc.softwire->mtu, 576);
	pair_run(p, 20000);
	assert_int_equal(p->si.state.binding4.mtu, 576);
	assert_int_equal(pair_sent(p, 0, " ip6 "), 0);
	pair_free(p);
}

/* Set-up may still bring IPv6, and a refused one may come later: it gets its 1280. */
static void ipv6_that_comes_later_has_its_1280(void **state)
{
	struct pair *p = pair_new();

	pair_ipv4(p);
	pair_open(p);
	pair_until(p, &p->si, STEP_NCP);
	assert_true(softwire_lower_mtu(p->si.softwire, 600, p->now));
	assert_int_equal(p->si.softwire->mtu, 1280);
	pair_frame_of(&p->si, PPP_LCP, 8, 70, 0, 10, 0x80, 0x57, 1, 1, 0, 4);
	assert_true(softwire_lower_mtu(p->si.softwire, 600, p->now));
	assert_int_equal(p->si.softwire->mtu, 600);
	pair_run(p, 20000);
	check_both(p);
	assert_int_equal(p->si.softwire->mtu, 1280);
	pair_free(p);
}

static void before_it_is_up_the_mtu_is_what_lcp_says(void **state)
{
	struct pair *p = pair_new();

	pair_ipv4(p);
	pair_open(p);
	assert_true(softwire_lower_mtu(p->si.softwire, 1300, p->now));
	pair_run(p, 10000);
	check_both(p);
	assert_true(pair_sent(p, 0, "SI ppp LCP Configure-Request id=0 mru=1300") > 0);
	assert_int_equal(p->sc.softwire->mtu, 1300);
	assert_int_equal(p->si.state.mtu, 1300);
	softwire_close(p->sc.softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", p->now);
	assert_false(softwire_lower_mtu(p->sc.softwire, 1280, p->now));
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_families_come_up_on_one_softwire),
		cmocka_unit_test(both_families_come_up_over_a_path_that_loses_packets),
		cmocka_unit_test(only_the_ncps_of_configured_families_are_negotiated),
		cmocka_unit_test(a_softwire_of_one_family_knows_nothing_of_the_other),
		cmocka_unit_test(when_all_families_are_refused_it_ends_and_says_which),
		cmocka_unit_test(both_refused_names_both),
		cmocka_unit_test(a_lease_without_any_address_ends_it),
		cmocka_unit_test(a_refused_family_may_come_later),
		cmocka_unit_test(a_missing_family_is_tried_again_ever_more_seldom),
		cmocka_unit_test(a_family_that_was_not_agreed_on_in_time_comes_later),
		cmocka_unit_test(a_refusal_is_forgotten_when_the_family_comes_after_all),
		cmocka_unit_test(refusals_are_forgotten_when_lcp_begins_anew),
		cmocka_unit_test(one_family_closes_and_comes_again_and_the_other_stays),
		cmocka_unit_test(what_was_up_once_may_come_again_even_if_nothing_else_is_up),
		cmocka_unit_test(a_new_lcp_brings_both_families_back_with_what_they_had),
		cmocka_unit_test(the_owner_may_close_it_from_inside_the_second_up),
		cmocka_unit_test(a_path_that_carries_less_is_told_to_the_peer),
		cmocka_unit_test(the_initiators_own_path_says_nothing),
		cmocka_unit_test(ipv4_alone_may_have_576),
		cmocka_unit_test(ipv6_that_comes_later_has_its_1280),
		cmocka_unit_test(before_it_is_up_the_mtu_is_what_lcp_says),
	};

	return cmocka_run_group_tests_name("hub families", tests, NULL, NULL);
}
