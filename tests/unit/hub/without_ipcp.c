/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A peer that does not know IPCP, but DHCPv4: IPv4 without a network control protocol of its own. */
#include "pair.h"

#include "dhcp4/packet.h"

static void check_address(const struct pair *p, bool by_dhcp)
{
	const struct softwire_si_state *state = &p->si.state;

	assert_true(addr_equal(&state->address4, &p->lease.address4));
	assert_int_equal(state->address4_by_dhcp, by_dhcp);
	assert_true(addr_equal(&state->peer4, &p->sc.config.local4));
}

/* Somebody else's concentrator: answers DHCPv4 though it has rejected IPCP. */
static struct foreign {
	struct pair *pair;
	struct dhcp4_server server;
	struct dhcp4_server_config config;
	struct dhcp4_counters counters;
	struct dhcp4_offer offer;
	struct wheel_timer timer;
	uint8_t message[PAIR_PACKET];
	size_t len;
	bool silent;
	unsigned heard;
} foreign;

static void foreign_send(struct dhcp4_server *s, const struct addr *dst, const uint8_t *message, size_t len)
{
	char to[ADDR_TEXT];

	pair_udp4(&foreign.pair->si, "192.0.2.1", DHCP4_SERVER_PORT,
		addr_is_none(dst) ? NULL : addr_print(dst, to), DHCP4_CLIENT_PORT, message, len);
}

static void foreign_describe(struct dhcp4_server *s, struct dhcp4_offer *ret)
{
	*ret = foreign.offer;
}

static void foreign_in_use(struct dhcp4_server *s, bool address, bool subnets)
{
}

static const struct dhcp4_server_ops foreign_ops = {
	.send = foreign_send, .describe = foreign_describe, .in_use = foreign_in_use};

static void foreign_answer(struct wheel_timer *t, msec now)
{
	if (!foreign.silent)
		dhcp4_server_input(&foreign.server, foreign.message, foreign.len, now);
}

static bool catch_ip4(struct pair *p, struct side *from, uint8_t *packet, size_t *len)
{
	size_t at = SOFTWIRE_DATA_HEADER + IP4_HEADER + UDP_HEADER;

	if (from != &p->si)
		return true;
	if (pair_is_data(packet, *len,
		    PPP_LCP)) /* our concentrator would go if it heard that IPv6 is not wanted */
		return packet[10] != PPP_PROTOCOL_REJECT;
	if (!pair_is_data(packet, *len, PPP_IP))
		return true;
	assert_true(*len > at);
	foreign.heard++;
	foreign.len = *len - at;
	memcpy(foreign.message, packet + at, foreign.len);
	wheel_arm(&p->wheel, &foreign.timer, p->now + PAIR_DELAY);
	return false;
}

static struct pair *foreign_new(void)
{
	struct pair *p = pair_new();

	pair_ipv4(p);
	p->sc.config.ppp.ipv4 = false; /* Protocol-Reject of IPCP */
	foreign = (struct foreign){.pair = p,
		.config = {.ops = &foreign_ops, .counters = &foreign.counters},
		.offer = {.address = addr4(198, 51, 100, 7),
			.server = addr4(192, 0, 2, 1),
			.lease = 200,
			.dns_count = 1,
			.dns = {addr4(192, 0, 2, 53)}},
		.timer.fire = foreign_answer};
	dhcp4_server_open(&foreign.server, &foreign.config);
	p->hook = catch_ip4;
	return p;
}

static void foreign_free(struct pair *p)
{
	wheel_disarm(&p->wheel, &foreign.timer);
	pair_free(p);
}

/* proves: HS-PPP-20, HS-PPP-19, HS-DHCP-7 */
static void a_peer_without_ipcp_may_give_an_address_by_dhcp(void **state)
{
	struct pair *p = foreign_new();

	pair_open(p);
	pair_run(p, 10000);
	assert_true(pair_sent(p, 0, "SC ppp LCP Protocol-Reject") > 0);
	assert_int_equal(p->si.ups, 1);
	assert_int_equal(p->si.ups4, 1);
	assert_true(p->si.softwire->up4);
	check_address(p, true);
	assert_int_equal(p->si.state.dns4_count, 1);
	assert_true(addr_equal(&p->si.state.dns4[0], &p->lease.dns[1]));
	assert_int_equal(p->sc.ups4, 0);
	/* Renewed, for as long as the peer answers. */
	pair_run(p, 1000000);
	assert_int_equal(p->si.ups4, 1);
	check_address(p, true);
	softwire_close(p->si.softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", p->now);
	assert_true(pair_sent(p, 0, "SI ip4 RELEASE") == 1);
	foreign_free(p);
}

static void subnets_come_without_ipcp_too(void **state)
{
	struct pair *p = foreign_new();

	pair_subnet(p, "203.0.113.0/28");
	foreign.offer.subnet_count = 1;
	foreign.offer.subnets[0] = p->lease.delegated4[0];
	pair_open(p);
	pair_run(p, 20000);
	check_address(p, true);
	assert_int_equal(p->si.state.binding4.subnet_count, 1);
	assert_true(prefix_equal(&p->si.state.binding4.subnets[0].prefix, &p->lease.delegated4[0]));
	foreign_free(p);
}

static void nobody_is_looked_for_longer_than_15_seconds(void **state)
{
	for (int both = 0; both < 2; both++) {
		struct pair *p = foreign_new();
		unsigned heard;

		foreign.silent = true;
		p->si.config.ppp.ipv6 = both;
		pair_open(p);
		pair_run(p, 14900);
		assert_int_equal(p->si.downs, 0);
		assert_true(foreign.heard >= 3);
		assert_int_equal(p->si.ups4, 0);
		pair_run(p, 1000);
		heard = foreign.heard;
		assert_int_equal(p->si.downs, !both);
		if (both) {
			assert_string_equal(p->si.note, "IPv4 was refused: the peer does not know IPCP, and "
							"no DHCPv4 server answers");
			assert_true(p->si.softwire->up6);
		} else {
			assert_int_equal(p->si.why.cause, CAUSE_NO_ADDRESS);
			assert_int_equal(p->si.why.step, STEP_NCP);
			assert_string_equal(p->si.why.text, "IPv4 was refused: the peer does not know IPCP, "
							    "and no DHCPv4 server answers");
		}
		pair_run(p, 300000);
		assert_int_equal(foreign.heard, heard);
		foreign_free(p);
	}
}

/* The lease is what keeps IPv4 up. */
static void without_ipcp_a_lost_lease_takes_ipv4_down(void **state)
{
	struct pair *p = foreign_new();

	pair_open(p);
	pair_run(p, 10000);
	check_address(p, true);
	foreign.silent = true;
	pair_run(p, 210000);
	assert_int_equal(p->si.family_downs4, 1);
	assert_false(p->si.softwire->up4);
	assert_true(addr_is_none(&p->si_engine.state.address4));
	assert_true(p->si.softwire->up6);
	assert_int_equal(p->si.downs, 0);
	foreign_free(p);

	p = foreign_new();
	pair_open(p);
	pair_run(p, 10000);
	foreign.silent = true;
	while (!p->si.family_downs4 && p->now < 400000)
		pair_run(p, 100);
	foreign.silent = false; /* in time */
	pair_run(p, 15000);
	assert_int_equal(p->si.ups4, 2);
	check_address(p, true);
	foreign_free(p);
}

static void a_new_lcp_begins_with_ipcp_again(void **state)
{
	struct pair *p = foreign_new();
	size_t start;

	pair_open(p);
	pair_run(p, 10000);
	start = p->line_count;
	pair_frame_of(&p->si, PPP_LCP, 1, 99, 0, 14, 1, 4, 5, 0xb4, 5, 6, 1, 2, 3, 4);
	assert_int_equal(p->si.family_downs4, 1); /* at once: nothing flows while LCP is not open */
	assert_string_equal(p->si.family_why, "LCP is not open any more");
	pair_run(p, 20000);
	assert_true(pair_sent(p, start, "SI ppp IPCP Configure-Request") > 0);
	assert_int_equal(p->si.ups4, 2);
	check_address(p, true);
	assert_true(p->si.softwire->up6);
	foreign_free(p);
}

/* A concentrator that could not say so before has IPv4 now. */
static void ipcp_takes_over_when_the_peer_opens_it(void **state)
{
	struct pair *p = foreign_new();

	pair_open(p);
	pair_run(p, 10000);
	assert_int_equal(p->si.ups4, 1);
	p->hook = NULL;
	p->sc.config.ppp.ipv4 = true;
	softwire_probe(p->sc.softwire, p->now);
	ppp_link_network(&p->sc.softwire->ppp,
		&(struct ppp_network){.ipv6 = true,
			.ipv4 = true,
			.iid = p->sc.softwire->ppp.iid,
			.local4 = p->sc.config.local4,
			.assign4 = p->lease.address4},
		p->now);
	softwire_probe(p->sc.softwire, p->now);
	pair_run(p, 20000);
	assert_int_equal(p->sc.ups4, 1);
	assert_int_equal(p->si.ups4, 2);
	assert_int_equal(p->si.family_downs4, 1);
	assert_false(p->si_engine.without_ipcp);
	check_address(p, false);
	foreign_free(p);
}

static void without_ipcp_nothing_but_dhcp_is_taken(void **state)
{
	static const uint8_t echo[] = {8, 0, 0xf7, 0xff, 0, 0, 0, 0};
	struct pair *p = foreign_new();
	uint64_t bad;

	foreign.silent = true;
	pair_open(p);
	pair_run(p, 5000);
	assert_true(p->si_engine.without_ipcp);
	bad = p->si.counters.bad_payload;
	pair_udp4(&p->si, "192.0.2.1", 53, "198.51.100.7", 5353, echo, sizeof(echo));
	assert_int_equal(p->si.counters.bad_payload, bad + 1);
	pair_frame(&p->si, PPP_IP, echo, sizeof(echo));
	assert_int_equal(p->si.counters.bad_payload, bad + 2);
	assert_int_equal(p->si.counters.dhcp4.rx, 0);
	foreign_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_peer_without_ipcp_may_give_an_address_by_dhcp),
		cmocka_unit_test(subnets_come_without_ipcp_too),
		cmocka_unit_test(nobody_is_looked_for_longer_than_15_seconds),
		cmocka_unit_test(without_ipcp_a_lost_lease_takes_ipv4_down),
		cmocka_unit_test(a_new_lcp_begins_with_ipcp_again),
		cmocka_unit_test(ipcp_takes_over_when_the_peer_opens_it),
		cmocka_unit_test(without_ipcp_nothing_but_dhcp_is_taken),
	};

	return cmocka_run_group_tests_name("hub without_ipcp", tests, NULL, NULL);
}
