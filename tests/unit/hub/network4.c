/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv4 on a softwire as seen from both ends: IPCP, DHCPv4 where IPCP gives no address, subnets, and what is dropped. */
#include "pair.h"

#include "dhcp4/packet.h"

static void run_up(struct pair *p)
{
	pair_open(p);
	pair_run(p, 10000);
	assert_int_equal(p->sc.ups4, 1);
	assert_int_equal(p->si.ups4, 1);
	assert_int_equal(p->sc.downs + p->si.downs, 0);
}

static void check_address(const struct pair *p, bool by_dhcp)
{
	const struct softwire_si_state *state = &p->si.state;

	assert_true(addr_equal(&state->address4, &p->lease.address4));
	assert_int_equal(state->address4_by_dhcp, by_dhcp);
	assert_true(addr_equal(&state->peer4, &p->sc.config.local4));
}

static void check_dns(const struct pair *p)
{
	assert_int_equal(p->si.state.dns4_count, 1);
	assert_true(addr_equal(&p->si.state.dns4[0], &p->lease.dns[1]));
}

static void check_subnet(const struct pair *p)
{
	assert_true(p->si.state.has_binding4);
	assert_int_equal(p->si.state.binding4.subnet_count, 1);
	assert_true(prefix_equal(&p->si.state.binding4.subnets[0].prefix, &p->lease.delegated4[0]));
}

/* ---- IPCP ---- */

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
	"SC ppp LCP Configure-Request ",
	"SC ppp LCP Configure-Ack ",
	"SI ppp LCP Configure-Ack ",
	"SC ppp CHAP Challenge ",
	"SI ppp CHAP Response ",
	"SC ppp CHAP Success ",
	"SC ppp IPCP Configure-Request ",
	"SI ppp IPCP Configure-Request ",
	"SI ppp IPCP Configure-Ack ",
	"SC ppp IPCP ",
	"SI ppp IPCP Configure-Request ",
	"SC ppp IPCP ",
};

/* The address in the initiator's first IPCP Configure-Request. */
static bool note_first_request(struct pair *p, struct side *from, uint8_t *packet, size_t *len)
{
	static const uint8_t ask[] = {
		1, 0, 0, 22, 3, 6, 0, 0, 0, 0}; /* code, id, length, IP-Address 0.0.0.0 */

	if (from != &p->si || !pair_is_data(packet, *len, PPP_IPCP) || packet[10] != 1)
		return true;
	if (p->hooked++ == 0)
		assert_memory_equal(packet + 10, ask, sizeof(ask));
	return true;
}

/* proves: HS-L2TP-12, HS-PPP-15, HS-PPP-18, HS-PPP-21, HS-ND-7, HS-SCEN-5 partial, HS-SCEN-7 partial, HS-PROV-8 partial */
static void ipcp_gives_address_and_dns_and_nothing_else_is_said(void **state)
{
	struct pair *p = pair_new();

	pair_ipv4_only(p);
	p->hook = note_first_request;
	run_up(p);
	assert_true(p->hooked > 1);
	for (size_t i = 0; i < sizeof(golden) / sizeof(*golden); i++) {
		assert_true(i < p->line_count);
		if (strncmp(p->lines[i], golden[i], strlen(golden[i])) != 0)
			fail_msg("line %zu is \"%s\", not \"%s\"", i, p->lines[i], golden[i]);
	}
	check_address(p, false);
	check_dns(p);
	assert_int_equal(pair_sent(p, 0, "IPV6CP"), 0);
	assert_int_equal(pair_sent(p, 0, " ip6 ") + pair_sent(p, 0, " ip4 "), 0); /* no RS, no RA, no DHCP */
	assert_int_equal(p->si.counters.nd.tx + p->sc.counters.nd.tx, 0);
	assert_int_equal(p->sc.delegated4, 0);
	/* Nothing of IPv6 is due: the next thing is HELLO. */
	assert_true(p->sc.softwire->timer.deadline > p->now + 40000);
	assert_true(p->si.softwire->timer.deadline > p->now + 40000);
	pair_run(p, 10000u * 1000);
	assert_int_equal(pair_sent(p, 0, " ip6 ") + pair_sent(p, 0, " ip4 "), 0);
	assert_int_equal(p->sc.downs + p->si.downs, 0);
	pair_free(p);
}

static void ipcp_tells_two_dns_servers_of_ipv4(void **state)
{
	struct pair *p = pair_new();

	pair_ipv4_only(p);
	p->lease.dns_count = 4;
	assert_int_equal(addr_parse("2001:db8::53", &p->lease.dns[0]), 0);
	p->lease.dns[1] = addr4(192, 0, 2, 53);
	p->lease.dns[2] = addr4(192, 0, 2, 54);
	p->lease.dns[3] = addr4(192, 0, 2, 55);
	run_up(p);
	assert_int_equal(p->si.state.dns4_count, 2);
	assert_true(addr_equal(&p->si.state.dns4[0], &p->lease.dns[1]));
	assert_true(addr_equal(&p->si.state.dns4[1], &p->lease.dns[2]));
	pair_free(p);
}

/* proves: HS-DHCP-6 partial */
static void a_host_that_ipcp_told_no_dns_server_asks_dhcp(void **state)
{
	struct pair *p = pair_new();

	pair_ipv4_only(p);
	p->lease.dns_count = 1; /* of IPv6 */
	run_up(p);
	assert_true(pair_sent(p, 0, "SI ip4 INFORM") > 0);
	assert_int_equal(p->si.state.dns4_count, 0);
	check_address(p, false);
	pair_free(p);
}

/* ---- DHCPv4 ---- */

/* proves: HS-PPP-19, HS-PPP-20 partial, HS-DHCP-7, HS-SCEN-5 partial */
static void dhcp_gives_the_address_that_ipcp_does_not(void **state)
{
	struct pair *p = pair_new();

	pair_ipv4_only(p);
	p->lease.dhcp4 = true;
	run_up(p);
	assert_int_equal(memcmp(p->sc.softwire->ppp.peer4, "\0\0\0\0", 4), 0); /* 0.0.0.0 was acknowledged */
	check_address(p, true);
	check_dns(p);
	assert_true(p->si.state.has_binding4 && p->si.state.binding4.has_address);
	assert_in_range(p->si.state.binding4.lease, p->lease.valid - 1, p->lease.valid);
	assert_int_equal(p->si.state.binding4.mtu, PAIR_MTU);
	assert_true(pair_sent(p, 0, "SI ip4 DISCOVER") > 0);
	assert_int_equal(p->si.ups4, 1); /* IPCP's; the address came later */
	pair_free(p);
}

/* proves: HS-DHCP-8, HS-DHCP-9, HS-DHCP-10 partial, HS-DHCP-5 partial, HS-SCEN-6 partial, HS-SCEN-8 partial */
static void a_router_gets_a_subnet_and_it_is_routed(void **state)
{
	for (int dhcp = 0; dhcp < 2; dhcp++) {
		struct pair *p = pair_new();

		pair_ipv4_only(p);
		pair_subnet(p, "203.0.113.0/28");
		p->lease.dhcp4 = dhcp;
		run_up(p);
		check_address(p, dhcp);
		check_subnet(p);
		check_dns(p);
		assert_int_equal(p->sc.delegated4, 1);
		assert_int_equal(p->sc.released_subnets, 0);
		softwire_close(p->si.softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", p->now);
		pair_run(p, 100);
		assert_true(pair_sent(p, 0, "SI ip4 RELEASE") >= 1);
		assert_int_equal(p->sc.released_subnets, 1);
		pair_free(p);
	}
}

static void a_router_of_a_user_without_subnets_has_an_address_all_the_same(void **state)
{
	for (int dhcp = 0; dhcp < 2; dhcp++) {
		struct pair *p = pair_new();

		pair_ipv4_only(p);
		p->si.config.dhcp4_client.want_subnet = true;
		p->lease.dhcp4 = dhcp;
		pair_open(p);
		pair_run(p, 60000);
		check_address(p, dhcp);
		check_dns(p);
		assert_int_equal(p->si.state.binding4.subnet_count, 0);
		assert_int_equal(p->sc.delegated4, 0);
		assert_int_equal(p->si.downs, 0);
		pair_free(p);
	}
}

static void what_dhcp_gave_is_renewed_in_time(void **state)
{
	struct pair *p = pair_new();

	pair_ipv4_only(p);
	pair_subnet(p, "203.0.113.0/28");
	p->lease.dhcp4 = true;
	p->lease.valid = 600;
	run_up(p);
	pair_run(p, 3600u * 1000);
	check_address(p, true);
	check_subnet(p);
	assert_true(p->sc.renewed4 >= 5);
	assert_int_equal(p->sc.renewed, 0);
	assert_int_equal(p->sc.delegated4, 1);
	assert_int_equal(p->si.downs + p->sc.downs, 0);
	pair_free(p);
}

/* proves: HS-DHCP-13 partial */
static void what_was_held_before_is_asked_for_again(void **state)
{
	struct dhcp4_binding hint = {.subnet_count = 1};
	struct pair *p = pair_new();
	size_t asked = 0;

	assert_int_equal(prefix_parse("203.0.113.0/28", &hint.subnets[0].prefix), 0);
	p->hint4 = &hint;
	pair_ipv4_only(p);
	pair_subnet(p, "203.0.113.0/28");
	pair_open(p);
	pair_run(p, 20000);
	check_subnet(p);
	for (size_t i = 0; i < p->line_count && !asked; i++)
		asked = strstr(p->lines[i], "SI ip4 DISCOVER") && strstr(p->lines[i], "203.0.113.0/28");
	assert_true(asked);
	pair_free(p);
}

static bool lose_ip4(struct pair *p, struct side *from, uint8_t *packet, size_t *len)
{
	return !pair_is_data(packet, *len, PPP_IP);
}

static void an_address_by_dhcp_goes_with_its_lease_and_ipcp_stays(void **state)
{
	struct pair *p = pair_new();

	pair_ipv4_only(p);
	p->lease.dhcp4 = true;
	p->lease.valid = 200;
	run_up(p);
	check_address(p, true);
	p->hook = lose_ip4;
	pair_run(p, 180000);
	check_address(p, true);
	pair_run(p, 20000);
	assert_true(addr_is_none(&p->si.state.address4));
	assert_false(p->si.state.has_binding4 || p->si.state.address4_by_dhcp);
	check_dns(p); /* IPCP's own */
	assert_true(p->si.softwire->up4);
	assert_int_equal(p->si.family_downs4, 0);
	p->hook = NULL;
	pair_run(p, 100000);
	check_address(p, true);
	pair_free(p);
}

static void answers_of_dhcp_may_be_lost(void **state)
{
	struct pair *p = pair_new();

	pair_ipv4_only(p);
	pair_subnet(p, "203.0.113.0/28");
	p->lease.dhcp4 = true;
	p->hook = lose_ip4;
	pair_open(p);
	pair_run(p, 30000);
	assert_int_equal(p->si.ups4, 1);
	assert_true(addr_is_none(&p->si.state.address4));
	p->hook = NULL;
	pair_run(p, 150000);
	check_address(p, true);
	check_subnet(p);
	pair_free(p);
}

static size_t write_message(uint8_t buf[DHCP4_MESSAGE_MAX], const struct dhcp4_message *m)
{
	struct writer w = writer_of(buf, DHCP4_MESSAGE_MAX);

	dhcp4_message_write(&w, m);
	assert_true(writer_ok(&w));
	return writer_len(&w);
}

/* An initiator that takes no address by IPCP: the lease is what counts. */
static void dhcp_gives_the_address_also_to_one_that_did_not_take_it_by_ipcp(void **state)
{
	struct dhcp4_message request = {.type = DHCP4_REQUEST,
		.xid = 77,
		.client_id_len = 4,
		.client_id = {0, 1, 2, 3},
		.requested = addr4(198, 51, 100, 7)};
	uint8_t message[DHCP4_MESSAGE_MAX];
	size_t len = write_message(message, &request), start;
	struct pair *p = pair_new();

	pair_ipv4_only(p);
	run_up(p);
	pair_udp4(&p->sc, NULL, DHCP4_CLIENT_PORT, NULL, DHCP4_SERVER_PORT, message, len);
	assert_false(p->sc_engine.dhcp4.using_address); /* it has that address by IPCP */
	/* It negotiates again, without the option: RFC 1332 section 3.3 allows that. */
	pair_frame_of(&p->sc, PPP_IPCP, 1, 50, 0, 4);
	pair_frame_of(&p->sc, PPP_IPCP, 1, 51, 0, 4);
	for (unsigned id = 0; id < 8;
		id++) /* whatever the id of our request was: all of it is acknowledged */
		pair_frame_of(&p->sc, PPP_IPCP, 2, (uint8_t)id, 0, 10, 3, 6, 192, 0, 2, 1);
	assert_int_equal(p->sc.ups4, 2);
	assert_memory_equal(p->sc.softwire->ppp.peer4, "\0\0\0\0", 4);
	start = p->line_count;
	pair_udp4(&p->sc, NULL, DHCP4_CLIENT_PORT, NULL, DHCP4_SERVER_PORT, message, len);
	assert_int_equal(pair_sent(p, start, "SC ip4 ACK"), 1);
	assert_int_equal(pair_sent(p, start, "yiaddr 198.51.100.7"), 1);
	assert_true(p->sc_engine.dhcp4.using_address);
	pair_free(p);
}

/* ---- what is dropped ---- */

static size_t discover(uint8_t buf[DHCP4_MESSAGE_MAX])
{
	struct dhcp4_message m = {
		.type = DHCP4_DISCOVER, .xid = 77, .client_id_len = 4, .client_id = {0, 1, 2, 3}};

	return write_message(buf, &m);
}

static void dhcp_is_only_between_the_two_ends(void **state)
{
	static const struct {
		const char *name, *src, *dst;
		uint16_t port;
		bool taken;
	} cases[] = {
		{"from nobody yet, to everybody", NULL, NULL, DHCP4_SERVER_PORT, true},
		{"from the initiator, to everybody", "198.51.100.7", NULL, DHCP4_SERVER_PORT, true},
		{"from the initiator, to us", "198.51.100.7", "192.0.2.1", DHCP4_SERVER_PORT, true},
		{"from nobody yet, to us", NULL, "192.0.2.1", DHCP4_SERVER_PORT, true},
		{"from another address", "198.51.100.8", NULL, DHCP4_SERVER_PORT, false},
		{"from the initiator's subnet", "203.0.113.1", "192.0.2.1", DHCP4_SERVER_PORT, false},
		{"from ourselves", "192.0.2.1", "192.0.2.1", DHCP4_SERVER_PORT, false},
		{"to somebody else", "198.51.100.7", "192.0.2.99", DHCP4_SERVER_PORT, false},
		{"to a group", "198.51.100.7", "224.0.0.1", DHCP4_SERVER_PORT, false},
		{"to a client's port", NULL, NULL, DHCP4_CLIENT_PORT, false},
		{"to another port", "198.51.100.7", "192.0.2.1", 53, false},
	};
	uint8_t message[DHCP4_MESSAGE_MAX];
	size_t len = discover(message);
	struct pair *p = pair_new();

	pair_ipv4_only(p);
	pair_subnet(p, "203.0.113.0/28");
	p->si.config.dhcp4_client.want_subnet = false;
	run_up(p);
	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		uint64_t rx = p->sc.counters.dhcp4.rx, bad = p->sc.counters.bad_payload;

		pair_udp4(&p->sc, cases[n].src, DHCP4_CLIENT_PORT, cases[n].dst, cases[n].port, message, len);
		if ((p->sc.counters.dhcp4.rx == rx + 1) != cases[n].taken)
			fail_msg("%s: taken %d", cases[n].name, !cases[n].taken);
		if ((p->sc.counters.bad_payload == bad + 1) == cases[n].taken)
			fail_msg("%s: counted %d", cases[n].name, cases[n].taken);
	}
	assert_int_equal(p->sc.downs, 0);
	pair_free(p);
}

static void the_initiator_takes_only_what_is_for_a_client(void **state)
{
	uint8_t message[DHCP4_MESSAGE_MAX];
	size_t len = discover(message);
	struct pair *p = pair_new();
	uint64_t bad, rx;

	pair_ipv4_only(p);
	run_up(p); /* with DNS from IPCP: it has nothing to ask */
	bad = p->si.counters.bad_payload;
	pair_udp4(&p->si, "192.0.2.1", DHCP4_SERVER_PORT, "198.51.100.7", DHCP4_CLIENT_PORT, message, len);
	assert_int_equal(p->si.counters.bad_payload, bad + 1);
	pair_free(p);

	p = pair_new();
	pair_ipv4_only(p);
	p->lease.dhcp4 = true;
	run_up(p);
	bad = p->si.counters.bad_payload;
	rx = p->si.counters.dhcp4.rx;
	pair_udp4(&p->si, "192.0.2.1", DHCP4_SERVER_PORT, "198.51.100.7", DHCP4_SERVER_PORT, message, len);
	assert_int_equal(p->si.counters.bad_payload, bad + 1);
	assert_int_equal(p->si.counters.dhcp4.rx, rx);
	pair_udp4(&p->si, "192.0.2.1", DHCP4_SERVER_PORT, "198.51.100.7", DHCP4_CLIENT_PORT, message, len);
	assert_int_equal(p->si.counters.bad_payload, bad + 1);
	check_address(p, true); /* that was a client's message, which the client knows */
	pair_free(p);
}

static void ipv4_packets_before_ipcp_is_open_are_dropped(void **state)
{
	uint8_t message[DHCP4_MESSAGE_MAX];
	size_t len = discover(message);

	for (int n = 0; n < 2; n++) {
		struct pair *p = pair_new();
		struct side *to = n ? &p->si : &p->sc;
		uint64_t bad;

		pair_ipv4(p);
		p->hook = lose_ip4;
		pair_open(p);
		pair_until(p, to, STEP_NCP);
		assert_false(to->softwire->up4);
		bad = to->counters.ppp.bad_phase;
		pair_udp4(to, NULL, DHCP4_CLIENT_PORT, NULL, n ? DHCP4_CLIENT_PORT : DHCP4_SERVER_PORT,
			message, len);
		assert_int_equal(to->counters.ppp.bad_phase, bad + 1);
		assert_int_equal(to->counters.dhcp4.rx, 0);
		assert_int_equal(pair_sent(p, 0, "Protocol-Reject"), 0);
		pair_run(p, 10000);
		assert_true(to->softwire->up4);
		pair_free(p);
	}
}

static void malformed_ipv4_packets_change_nothing(void **state)
{
	static const struct {
		const char *name, *reason;
		size_t at;
		uint8_t value;
		size_t len; /* 0: all of it */
	} cases[] = {
		{"no byte", "truncated", 0, 0x45, 1},
		{"cut in the header", "truncated", 0, 0x45, 19},
		{"IPv6", "not IPv4", 0, 0x65, 0},
		{"a header of 16 bytes", "bad header length", 0, 0x44, 0},
		{"a header longer than the packet", "", 0, 0x4f, 40},
		{"longer than the frame", "shorter than its total length", 2, 0x7f, 0},
		{"a total length within the header", "", 2, 0, 0},
		{"a wrong header checksum", "bad header checksum", 10, 0xff, 0},
		{"another time to live than the checksum knows", "bad header checksum", 8, 1, 0},
		{"a wrong UDP checksum", "", 26, 0xee, 0},
		{"a UDP length beyond the packet", "", 24, 0x7f, 0},
		{"a UDP length below its header", "", 24, 0, 0},
	};
	uint8_t message[DHCP4_MESSAGE_MAX], packet[PAIR_PACKET];
	size_t message_len = discover(message);

	for (int n = 0; n < 2; n++) {
		struct pair *p = pair_new();
		struct side *to = n ? &p->si : &p->sc;

		pair_ipv4(p);
		p->lease.dhcp4 = true;
		pair_up(p);
		for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
			uint64_t bad = to->counters.bad_payload, rx = to->counters.dhcp4.rx;
			struct writer w = writer_of(packet, sizeof(packet));
			struct addr none = {0};

			ip4_udp_write(&w, &none, &none, DHCP4_CLIENT_PORT,
				n ? DHCP4_CLIENT_PORT : DHCP4_SERVER_PORT, message, message_len);
			packet[cases[c].at] = cases[c].value;
			if (cases[c].at == 24 || cases[c].at == 2)
				packet[cases[c].at + 1] = 4;
			pair_frame(to, PPP_IP, packet, cases[c].len ? cases[c].len : writer_len(&w));
			if (to->counters.bad_payload != bad + 1 || to->counters.dhcp4.rx != rx)
				fail_msg("%s was taken", cases[c].name);
			if (*cases[c].reason && strcmp(to->note, cases[c].reason) != 0)
				fail_msg("%s: \"%s\"", cases[c].name, to->note);
		}
		assert_int_equal(to->downs + to->family_downs4, 0);
		assert_true(to->softwire->up4);
		pair_free(p);
	}
}

/* Fragments, other protocols, multicast: nobody here knows them. */
static void other_ipv4_packets_that_come_up_are_counted(void **state)
{
	struct pair *p = pair_new();
	uint8_t buf[PAIR_PACKET];
	uint64_t bad;

	pair_ipv4_only(p);
	run_up(p);
	for (int n = 0; n < 2; n++) {
		struct side *to = n ? &p->si : &p->sc;

		bad = to->counters.bad_payload;
		pair_udp4(to, "198.51.100.7", 5353, "224.0.0.251", 5353, "x", 1);
		assert_int_equal(to->counters.bad_payload, bad + 1);
		{ /* IGMP */
			static const uint8_t igmp[] = {0x45, 0, 0, 28, 0, 0, 0, 0, 1, 2, 0x38, 0xdd, 0, 0, 0,
				0, 224, 0, 0, 1, 0x11, 0, 0xee, 0xff, 0, 0, 0, 0};
			uint8_t packet[sizeof(igmp)];

			memcpy(packet, igmp, sizeof(igmp));
			packet[10] = packet[11] = 0;
			uint16_t sum = inet_fold(inet_sum(packet, IP4_HEADER, 0));

			packet[10] = (uint8_t)(sum >> 8);
			packet[11] = (uint8_t)sum;
			pair_frame(to, PPP_IP, packet, sizeof(packet));
			assert_int_equal(to->counters.bad_payload, bad + 2);
		}
		{ /* the second half of a datagram to the server's port */
			struct writer w = writer_of(buf, sizeof(buf));
			struct addr none = {0};

			ip4_udp_write(&w, &none, &none, 68, 67, "12345678", 8);
			buf[6] = 0x20;
			buf[10] = buf[11] = 0;
			uint16_t sum = inet_fold(inet_sum(buf, IP4_HEADER, 0));

			buf[10] = (uint8_t)(sum >> 8);
			buf[11] = (uint8_t)sum;
			pair_frame(to, PPP_IP, buf, writer_len(&w));
			assert_int_equal(to->counters.bad_payload, bad + 3);
		}
	}
	assert_int_equal(p->sc.counters.dhcp4.rx + p->si.counters.dhcp4.rx, 0);
	assert_int_equal(p->sc.downs + p->si.downs, 0);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipcp_gives_address_and_dns_and_nothing_else_is_said),
		cmocka_unit_test(ipcp_tells_two_dns_servers_of_ipv4),
		cmocka_unit_test(a_host_that_ipcp_told_no_dns_server_asks_dhcp),
		cmocka_unit_test(dhcp_gives_the_address_that_ipcp_does_not),
		cmocka_unit_test(a_router_gets_a_subnet_and_it_is_routed),
		cmocka_unit_test(a_router_of_a_user_without_subnets_has_an_address_all_the_same),
		cmocka_unit_test(what_dhcp_gave_is_renewed_in_time),
		cmocka_unit_test(what_was_held_before_is_asked_for_again),
		cmocka_unit_test(an_address_by_dhcp_goes_with_its_lease_and_ipcp_stays),
		cmocka_unit_test(answers_of_dhcp_may_be_lost),
		cmocka_unit_test(dhcp_gives_the_address_also_to_one_that_did_not_take_it_by_ipcp),
		cmocka_unit_test(dhcp_is_only_between_the_two_ends),
		cmocka_unit_test(the_initiator_takes_only_what_is_for_a_client),
		cmocka_unit_test(ipv4_packets_before_ipcp_is_open_are_dropped),
		cmocka_unit_test(malformed_ipv4_packets_change_nothing),
		cmocka_unit_test(other_ipv4_packets_that_come_up_are_counted),
	};

	return cmocka_run_group_tests_name("hub network4", tests, NULL, NULL);
}
