/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Router Advertisements, Duplicate Address Detection and DHCPv6 on a softwire, as seen from both ends. */
#include "pair.h"

#include "dhcp6/packet.h"
#include "nd/packet.h"

/* ---- packets from the test ---- */

static void send_ip6(struct side *to, const struct writer *w)
{
	assert_true(writer_ok(w));
	pair_frame(to, PPP_IPV6, w->start, writer_len(w));
}

static struct addr link_local(const struct side *side)
{
	return nd_link_local(side->softwire->ppp.iid);
}

static struct nd_advert advert(const struct pair *p)
{
	return (struct nd_advert){.hop_limit = 64,
		.other = true,
		.router_lifetime = 9000,
		.prefix_count = 1,
		.prefixes[0] = {.prefix = p->lease.link6,
			.valid = 7200,
			.preferred = 3600,
			.on_link = true,
			.autonomous = true}};
}

static void send_advert(struct pair *p, const struct nd_advert *a)
{
	uint8_t buf[PAIR_PACKET];
	struct writer w = writer_of(buf, sizeof(buf));
	struct addr src = link_local(&p->sc), dst = nd_all_nodes();

	nd_ra_write(&w, &src, &dst, a);
	send_ip6(&p->si, &w);
}

static void send_dhcp6(struct pair *p, uint8_t type, const char *dst_text)
{
	uint8_t message[256], buf[PAIR_PACKET], duid[18];
	struct writer m = writer_of(message, sizeof(message)), w = writer_of(buf, sizeof(buf));
	struct addr src = link_local(&p->si), dst = link_local(&p->sc);
	struct dhcp6_message d;

	memset(duid, 0x11, sizeof(duid));
	dhcp6_message_init(&d, type, 0x123456);
	d.client = (struct dhcp6_duid){duid, sizeof(duid)};
	d.wants_dns = true;
	dhcp6_message_write(&m, &d);
	if (dst_text)
		assert_int_equal(addr_parse(dst_text, &dst), 0);
	ip6_udp_write(&w, &src, &dst, DHCP6_CLIENT_PORT, DHCP6_SERVER_PORT, message, writer_len(&m));
	send_ip6(&p->sc, &w);
}

/* ---- DAD ---- */

/* proves: HS-ND-4 */
static void every_address_is_probed_at_both_ends(void **state)
{
	struct pair *p = pair_new();
	char line[96], text[ADDR_TEXT];

	pair_up(p);
	assert_int_equal(p->sc.counters.nd.ns_tx, 1); /* link-local */
	assert_int_equal(p->si.counters.nd.ns_tx, 2); /* link-local and global */
	snprintf(line, sizeof(line), "target %s nonce", addr_print(&p->si.state.address, text));
	assert_int_equal(pair_sent(p, 0, line), 1);
	pair_free(p);
}

/* proves: HS-ND-5 */
static void dad_may_be_off(void **state)
{
	struct pair *p = pair_new();

	p->sc.config.nd.dad_transmits = p->si.config.nd.dad_transmits = 0;
	pair_up(p);
	assert_int_equal(p->sc.counters.nd.ns_tx + p->si.counters.nd.ns_tx, 0);
	pair_free(p);
}

/* proves: HS-ND-4 */
static void a_duplicate_address_ends_the_softwire(void **state)
{
	struct pair *p = pair_new();
	uint8_t buf[PAIR_PACKET];
	struct writer w = writer_of(buf, sizeof(buf));
	struct addr dst = nd_all_nodes(), a;

	pair_open(p);
	pair_until(p, &p->si, STEP_UP);
	a = link_local(&p->si);
	nd_na_write(&w, &a, &dst, &a, false, false, true);
	send_ip6(&p->si, &w);
	assert_int_equal(p->si.downs, 1);
	assert_int_equal(p->si.why.cause, CAUSE_PROTOCOL);
	assert_non_null(strstr(p->si.why.text, "duplicate address fe80::"));
	pair_run(p, 100000);
	assert_int_equal(p->sc.downs, 1);
	pair_free(p);
}

/* ---- Router Advertisements ---- */

static bool lose_adverts(struct pair *p, struct side *from, uint8_t *packet, size_t *len)
{
	/* L2TP data header 6, FF 03, 00 57, IPv6 40: the ICMPv6 type is at 50. */
	bool is_ra = from == &p->sc && *len > 50 && packet[1] == 2 && packet[0] == 0 && packet[8] == 0 &&
		     packet[9] == 0x57 && packet[16] == PROTO_ICMP6 && packet[50] == ND_RA;

	return !(is_ra && p->hooked++ < 2);
}

static bool lose_all_adverts(struct pair *p, struct side *from, uint8_t *packet, size_t *len)
{
	p->hooked = 0;
	return lose_adverts(p, from, packet, len);
}

/* RFC 7559: solicitations go on. */
static void a_lost_advertisement_is_asked_for_again(void **state)
{
	struct pair *p = pair_new();

	p->hook = lose_adverts;
	pair_open(p);
	pair_run(p, 3000);
	assert_int_equal(p->si.ups, 1);
	assert_false(p->si.state.has_address);
	pair_run(p, 27000);
	assert_true(p->si.state.has_address);
	assert_true(p->si.state.default_router);
	assert_int_equal(p->si.counters.nd.rs_tx, 3);
	assert_true(p->si.state.has_binding);
	pair_free(p);
}

/* proves: PS-25 partial */
static void dhcp6_waits_for_an_advertisement_but_not_for_ever(void **state)
{
	struct pair *p = pair_new();

	p->hook = lose_all_adverts;
	p->si.config.dhcp6_wait_ms = 4000;
	pair_open(p);
	pair_until(p, &p->si, STEP_UP);
	pair_run(p, 3900);
	assert_int_equal(p->si.counters.dhcp6.tx, 0);
	pair_run(p, 2000);
	assert_true(p->si.state.has_binding);
	assert_false(p->si.state.has_address);
	assert_true(addr_is_link_local(&p->si.state.link_local));
	pair_free(p);
}

/* No /64 for the link: addresses are link-local only, DHCPv6 gives the prefix. */
/* proves: HS-ND-2, PS-25 partial */
static void a_softwire_may_have_link_local_addresses_only(void **state)
{
	struct pair *p = pair_new();

	p->lease.link6 = (struct prefix){0};
	pair_open(p);
	pair_run(p, 10000);
	assert_true(p->si.state.default_router);
	assert_false(p->si.state.has_address);
	assert_true(p->si.state.has_binding);
	pair_free(p);
}

static void the_router_may_say_farewell(void **state)
{
	struct pair *p = pair_new();
	struct nd_advert a = advert(p);

	pair_up(p);
	a.router_lifetime = 0;
	send_advert(p, &a);
	assert_false(p->si.state.default_router);
	assert_true(p->si.state.has_address); /* the address lives by its own lifetime */
	pair_run(p, 10000);
	assert_true(p->si.state.default_router); /* asked again, and answered */
	pair_free(p);
}

static void the_initiator_follows_a_new_prefix(void **state)
{
	struct pair *p = pair_new();
	struct nd_advert a = advert(p);
	struct addr old;

	pair_up(p);
	old = p->si.state.address;
	/* The old one first and on its way out, the new one behind it. */
	a.prefixes[0].preferred = 0;
	a.prefixes[0].valid = 600;
	a.prefixes[1] = advert(p).prefixes[0];
	assert_int_equal(prefix_parse("2001:db8:200:8::/64", &a.prefixes[1].prefix), 0);
	a.prefix_count = 2;
	send_advert(p, &a);
	assert_true(prefix_contains(&a.prefixes[1].prefix, &(struct prefix){p->si.state.address, 128}));
	assert_false(addr_equal(&old, &p->si.state.address));
	/* What is withdrawn is not ours any more: the new one stays. */
	a.prefixes[0].valid = 0;
	a.prefix_count = 1;
	send_advert(p, &a);
	assert_true(p->si.state.has_address);
	a.prefixes[0] = a.prefixes[1];
	a.prefixes[0].valid = a.prefixes[0].preferred = 0;
	send_advert(p, &a);
	assert_false(p->si.state.has_address);
	pair_free(p);
}

static void prefixes_that_are_no_use_are_ignored(void **state)
{
	static const struct {
		const char *prefix;
		bool autonomous;
		uint32_t valid, preferred;
	} cases[] = {
		{"2001:db8:1::/64", false, 7200, 3600},
		{"2001:db8:1::/56", true, 7200, 3600},
		{"fe80::/64", true, 7200, 3600},
		{"2001:db8:1::/64", true, 3600, 7200},
		{"2001:db8:1::/64", true, 0, 0},
	};
	struct pair *p = pair_new();
	struct addr before;

	pair_up(p);
	before = p->si.state.address;
	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct nd_advert a = advert(p);

		assert_int_equal(prefix_parse(cases[n].prefix, &a.prefixes[0].prefix), 0);
		a.prefixes[0].autonomous = cases[n].autonomous;
		a.prefixes[0].valid = cases[n].valid;
		a.prefixes[0].preferred = cases[n].preferred;
		send_advert(p, &a);
		assert_true(p->si.state.has_address);
		assert_true(addr_equal(&p->si.state.address, &before));
	}
	pair_free(p);
}

/* An end does only its own part: solicitations to an SI, advertisements to an SC. */
static void each_end_ignores_the_other_ends_messages(void **state)
{
	struct pair *p = pair_new();
	uint8_t buf[PAIR_PACKET];
	struct writer w = writer_of(buf, sizeof(buf));
	struct nd_advert a = advert(p);
	struct addr src, dst = nd_all_nodes();
	size_t lines;

	pair_up(p);
	lines = p->line_count;
	src = link_local(&p->sc);
	nd_rs_write(&w, &src);
	send_ip6(&p->si, &w);
	w = writer_of(buf, sizeof(buf));
	src = link_local(&p->si);
	nd_ra_write(&w, &src, &dst, &a);
	send_ip6(&p->sc, &w);
	assert_int_equal(p->line_count, lines);
	pair_free(p);
}

static void the_sc_advertises_again_before_lifetimes_end(void **state)
{
	struct pair *p = pair_new();
	uint64_t before;

	pair_up(p);
	before = p->sc.counters.nd.ra_tx;
	pair_run(p, 9000u * 1000);
	assert_true(p->sc.counters.nd.ra_tx >= before + 2);
	assert_true(p->si.state.default_router);
	assert_int_equal(p->sc.downs + p->si.downs, 0);
	pair_free(p);
}

/* ---- DHCPv6 ---- */

/* proves: HS-ND-6 */
static void the_m_flag_makes_dhcp6_give_the_address(void **state)
{
	struct pair *p = pair_new();

	p->lease.managed = true;
	pair_open(p);
	pair_run(p, 5000);
	assert_true(p->si.state.has_binding);
	assert_true(p->si.state.binding.has_address);
	assert_true(p->si.state.has_address);
	assert_true(addr_equal(&p->si.state.address, &p->si.state.binding.address.prefix.addr));
	assert_true(pair_sent(p, 0, "RA ") > 0);
	assert_true(pair_sent(p, 0, "managed") > 0);
	assert_int_equal(pair_sent(p, 0, "autonomous"), 0); /* one way to an address, not two */
	assert_true(pair_sent(p, 0, "IA_NA") > 0);
	pair_free(p);
}

/* A router that also has an autonomous prefix: DHCPv6's address stays the one in use. */
static void dhcp6s_address_comes_before_slaacs(void **state)
{
	struct pair *p = pair_new();
	struct nd_advert a;
	struct addr before;

	p->lease.managed = true;
	pair_open(p);
	pair_run(p, 5000);
	before = p->si.state.address;
	a = advert(p);
	a.managed = true;
	assert_int_equal(prefix_parse("2001:db8:200:8::/64", &a.prefixes[0].prefix), 0);
	send_advert(p, &a);
	assert_true(p->si.state.has_address && addr_equal(&p->si.state.address, &before));
	pair_free(p);
}

static bool lose_dhcp6(struct pair *p, struct side *from, uint8_t *packet, size_t *len)
{
	return !(*len > 50 && packet[1] == 2 && packet[8] == 0 && packet[9] == 0x57 &&
		 packet[16] == PROTO_UDP);
}

static void an_address_by_dhcp6_goes_with_its_lease(void **state)
{
	struct pair *p = pair_new();

	p->lease.managed = true;
	p->lease.preferred = 100;
	p->lease.valid = 200;
	pair_open(p);
	pair_run(p, 5000);
	assert_true(p->si.state.has_address);
	p->hook = lose_dhcp6;
	pair_run(p, 190000);
	assert_true(p->si.state.has_address);
	pair_run(p, 20000);
	assert_false(p->si.state.has_binding);
	assert_false(p->si.state.has_address);
	assert_int_equal(p->si.downs, 0);
	pair_free(p);
}

static void an_address_that_is_not_renewed_goes_alone(void **state)
{
	struct pair *p = pair_new();

	p->lease.managed = true;
	p->lease.preferred = 600;
	p->lease.valid = 900;
	pair_open(p);
	pair_run(p, 5000);
	assert_true(p->si.state.binding.has_address);
	p->sc_engine.lease->managed = false;
	p->hook = lose_all_adverts; /* or SLAAC would take over */
	pair_run(p, 400000);
	assert_true(p->si.state.has_binding);
	assert_int_equal(p->si.state.binding.prefix_count, 1);
	assert_false(p->si.state.binding.has_address);
	assert_false(p->si.state.has_address);
	pair_free(p);
}

/* proves: HS-ND-6 partial */
static void a_host_asks_for_its_address_when_m_is_set(void **state)
{
	struct pair *p = pair_new();

	p->lease.managed = true;
	p->si.config.dhcp6_client.want_prefix = false;
	pair_open(p);
	pair_run(p, 5000);
	assert_true(p->si.state.has_address);
	assert_int_equal(p->si.state.binding.prefix_count, 0);
	assert_int_equal(p->sc.delegated, 0);
	pair_free(p);
}

/* proves: HS-ND-6 partial */
static void an_m_flag_that_comes_later_is_followed(void **state)
{
	struct pair *p = pair_new();
	struct nd_advert a;

	pair_up(p);
	assert_false(p->si.state.binding.has_address);
	p->sc_engine.lease->managed = true;
	a = advert(p);
	a.managed = true;
	a.prefixes[0].autonomous = false;
	send_advert(p, &a);
	pair_run(p, 5000);
	assert_true(p->si.state.binding.has_address);
	assert_true(p->si.state.has_address);
	assert_int_equal(p->si.state.binding.prefix_count, 1);
	assert_true(prefix_equal(&p->si.state.binding.prefixes[0].prefix, &p->lease.delegated[0]));
	pair_free(p);
}

/* RFC 8106 section 5.1: with a lifetime of 0 a server is to be used no longer; an advertisement without servers says nothing. */
static void dns_servers_are_withdrawn_by_advertisements(void **state)
{
	struct pair *p = pair_new();
	struct nd_advert a;
	struct addr servers[2];

	p->hook = lose_dhcp6;
	pair_open(p);
	pair_until(p, &p->si, STEP_UP);
	a = advert(p);
	a.dns_count = 2;
	a.dns_lifetime = 600;
	assert_int_equal(addr_parse("2001:db8::53", &servers[0]), 0);
	assert_int_equal(addr_parse("2001:db8::54", &servers[1]), 0);
	memcpy(a.dns, servers, sizeof(servers));
	send_advert(p, &a);
	assert_int_equal(p->si.state.dns_count, 2);

	a.dns_count = 1;
	a.dns_lifetime = 0;
	send_advert(p, &a);
	assert_int_equal(p->si.state.dns_count, 1);
	assert_true(addr_equal(&p->si.state.dns[0], &servers[1]));

	a.dns_count = 0;
	send_advert(p, &a);
	assert_int_equal(p->si.state.dns_count, 1);

	a.dns_count = 1;
	a.dns[0] = servers[1];
	send_advert(p, &a);
	assert_int_equal(p->si.state.dns_count, 0);
	assert_true(p->si.state.dns_told);
	pair_free(p);
}

/* A host: DNS servers by an Information-request, whatever the flags say (RFC 5571 section 5.4.1). */
/* proves: HS-DHCP-1, HS-DHCP-2 partial, HS-DHCP-6 partial, HS-SCEN-1 partial, HS-SCEN-3 partial */
static void a_host_asks_for_information(void **state)
{
	for (int other = 0; other < 2; other++) {
		struct pair *p = pair_new();
		struct nd_advert a;

		p->si.config.dhcp6_client.want_prefix = false;
		p->hook = lose_all_adverts;
		p->si.config.dhcp6_wait_ms = 100000;
		pair_open(p);
		pair_until(p, &p->si, STEP_UP);
		a = advert(p);
		a.other = other;
		send_advert(p, &a);
		pair_run(p, 5000);
		assert_true(pair_sent(p, 0, "Information-request") > 0);
		assert_int_equal(pair_sent(p, 0, "IA_PD"), 0);
		assert_int_equal(p->si.state.dns_count, 1);
		assert_int_equal(p->sc.asked[ASK_BIND], 0);
		assert_int_equal(p->sc.delegated, 0);
		pair_free(p);
	}
}

/* proves: HS-DHCP-2 partial, HS-DHCP-4 */
static void a_router_solicits_a_prefix_whatever_the_flags_say(void **state)
{
	struct pair *p = pair_new();
	struct nd_advert a;

	p->hook = lose_all_adverts;
	p->si.config.dhcp6_wait_ms = 100000;
	pair_open(p);
	pair_until(p, &p->si, STEP_UP);
	a = advert(p);
	a.other = a.managed = false;
	send_advert(p, &a);
	pair_run(p, 5000);
	assert_true(pair_sent(p, 0, "SI ip6 Solicit") > 0);
	assert_true(p->si.state.has_binding);
	pair_free(p);
}

static bool lose_first_dhcp6(struct pair *p, struct side *from, uint8_t *packet, size_t *len)
{
	bool is_udp =
		*len > 50 && packet[1] == 2 && packet[8] == 0 && packet[9] == 0x57 && packet[16] == PROTO_UDP;

	return !(is_udp && p->hooked++ < 3);
}

static void lost_dhcp6_is_sent_again(void **state)
{
	struct pair *p = pair_new();

	p->hook = lose_first_dhcp6;
	pair_open(p);
	pair_run(p, 60000);
	assert_true(p->si.state.has_binding);
	assert_int_equal(p->sc.delegated, 1);
	pair_free(p);
}

/* Replies come from fe02:7e::, whose one's complement sum is that of fe80::. */
static bool server_is_not_link_local(struct pair *p, struct side *from, uint8_t *packet, size_t *len)
{
	bool is_reply = *len > 60 && packet[1] == 2 && packet[8] == 0 && packet[9] == 0x57 &&
			packet[16] == PROTO_UDP && packet[50] == DHCP6_SERVER_PORT >> 8 &&
			packet[51] == (DHCP6_SERVER_PORT & 0xff);

	if (is_reply && from == &p->sc) {
		assert_int_equal(packet[19], 0x80);
		memcpy(packet + 18, (const uint8_t[]){0xfe, 0x02, 0, 0x7e}, 4);
		p->hooked++;
	}
	return true;
}

/* RFC 8415 tells servers which address to answer to, and not which one to answer from; l2tpns uses fe02::1:2. */
static void a_server_may_answer_from_any_address(void **state)
{
	struct pair *p = pair_new();

	p->hook = server_is_not_link_local;
	pair_open(p);
	pair_run(p, 10000);
	assert_true(p->hooked > 0);
	assert_true(p->si.state.has_binding);
	pair_free(p);
}

static void a_lease_that_cannot_be_recorded_is_not_given(void **state)
{
	struct pair *p = pair_new();

	p->no_bind = true;
	pair_open(p);
	pair_run(p, 10000);
	assert_false(p->si.state.has_binding);
	assert_int_equal(p->sc.delegated, 0);
	assert_true(p->si.state.has_address); /* the softwire itself is up */
	assert_int_equal(p->sc.downs, 0);
	pair_free(p);
}

static void the_prefix_is_renewed_in_time(void **state)
{
	struct pair *p = pair_new();

	p->lease.preferred = 600;
	p->lease.valid = 900;
	pair_up(p);
	pair_run(p, 3600u * 1000);
	assert_true(p->si.state.has_binding);
	assert_true(pair_sent(p, 0, "SI ip6 Renew") >= 5);
	assert_int_equal(pair_sent(p, 0, "SI ip6 Rebind"), 0);
	assert_int_equal(p->sc.asked[ASK_BIND], 1);
	assert_int_equal(p->sc.delegated, 1);
	pair_free(p);
}

/* A reconnecting router asks for what it had. */
static void what_was_held_before_is_asked_for_again(void **state)
{
	struct dhcp6_binding hint = {.prefix_count = 1};
	struct pair *p = pair_new();

	assert_int_equal(prefix_parse("2001:db8:8000:700::/56", &hint.prefixes[0].prefix), 0);
	p->hint = &hint;
	pair_up(p);
	assert_true(pair_sent(p, 0, "Solicit") > 0);
	assert_true(pair_sent(p, 0, "2001:db8:8000:700::/56") > 0);
	pair_free(p);
}

/* RFC 8415 section 16. */
static void messages_for_all_servers_are_not_taken_by_unicast(void **state)
{
	static const uint8_t types[] = {
		DHCP6_SOLICIT, DHCP6_CONFIRM, DHCP6_REBIND, DHCP6_INFORMATION_REQUEST};
	struct pair *p = pair_new();

	pair_up(p);
	for (size_t n = 0; n < sizeof(types); n++) {
		uint64_t rx = p->sc.counters.dhcp6.rx, bad = p->sc.counters.bad_payload;

		send_dhcp6(p, types[n], NULL);
		assert_int_equal(p->sc.counters.dhcp6.rx, rx);
		assert_int_equal(p->sc.counters.bad_payload, bad + 1);
		send_dhcp6(p, types[n], "ff02::1:2");
		assert_int_equal(p->sc.counters.dhcp6.rx, rx + 1);
	}
	pair_free(p);
}

/* proves: HS-AAA-9 partial */
static void dhcp6_from_another_address_than_the_peers_is_refused(void **state)
{
	struct pair *p = pair_new();
	uint8_t buf[PAIR_PACKET], message[] = {DHCP6_INFORMATION_REQUEST, 1, 2, 3};
	struct writer w = writer_of(buf, sizeof(buf));
	struct addr src, dst;
	uint64_t rx;

	pair_up(p);
	rx = p->sc.counters.dhcp6.rx;
	assert_int_equal(addr_parse("fe80::bad", &src), 0);
	assert_int_equal(addr_parse("ff02::1:2", &dst), 0);
	ip6_udp_write(&w, &src, &dst, DHCP6_CLIENT_PORT, DHCP6_SERVER_PORT, message, sizeof(message));
	send_ip6(&p->sc, &w);
	assert_int_equal(p->sc.counters.dhcp6.rx, rx);
	assert_int_equal(p->sc.counters.nd.bad_source, 1);
	pair_free(p);
}

/* proves: PS-25 partial */
static void link_local_addresses_can_be_pinged(void **state)
{
	struct pair *p = pair_new();

	pair_up(p);
	for (int n = 0; n < 2; n++) {
		struct side *to = n ? &p->si : &p->sc;
		struct ip6 h = {.src = link_local(to->peer),
			.dst = link_local(to),
			.next_header = PROTO_ICMP6,
			.hop_limit = 64};
		uint8_t buf[PAIR_PACKET];
		struct writer w = writer_of(buf, sizeof(buf));
		size_t at = ip6_begin(&w, &h), lines = p->line_count;

		writer_u8(&w, ICMP6_ECHO_REQUEST_T);
		writer_zeros(&w, 3);
		writer_u32(&w, 0x12340001);
		ip6_finish(&w, at);
		send_ip6(to, &w);
		assert_int_equal(to->counters.nd.echo_rx, 1);
		assert_int_equal(p->line_count, lines + 1);
	}
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_address_is_probed_at_both_ends),
		cmocka_unit_test(dad_may_be_off),
		cmocka_unit_test(a_duplicate_address_ends_the_softwire),
		cmocka_unit_test(a_lost_advertisement_is_asked_for_again),
		cmocka_unit_test(dhcp6_waits_for_an_advertisement_but_not_for_ever),
		cmocka_unit_test(a_softwire_may_have_link_local_addresses_only),
		cmocka_unit_test(the_router_may_say_farewell),
		cmocka_unit_test(the_initiator_follows_a_new_prefix),
		cmocka_unit_test(prefixes_that_are_no_use_are_ignored),
		cmocka_unit_test(each_end_ignores_the_other_ends_messages),
		cmocka_unit_test(the_sc_advertises_again_before_lifetimes_end),
		cmocka_unit_test(the_m_flag_makes_dhcp6_give_the_address),
		cmocka_unit_test(a_host_asks_for_its_address_when_m_is_set),
		cmocka_unit_test(dhcp6s_address_comes_before_slaacs),
		cmocka_unit_test(an_address_by_dhcp6_goes_with_its_lease),
		cmocka_unit_test(an_address_that_is_not_renewed_goes_alone),
		cmocka_unit_test(an_m_flag_that_comes_later_is_followed),
		cmocka_unit_test(dns_servers_are_withdrawn_by_advertisements),
		cmocka_unit_test(a_host_asks_for_information),
		cmocka_unit_test(a_router_solicits_a_prefix_whatever_the_flags_say),
		cmocka_unit_test(lost_dhcp6_is_sent_again),
		cmocka_unit_test(a_server_may_answer_from_any_address),
		cmocka_unit_test(a_lease_that_cannot_be_recorded_is_not_given),
		cmocka_unit_test(the_prefix_is_renewed_in_time),
		cmocka_unit_test(what_was_held_before_is_asked_for_again),
		cmocka_unit_test(messages_for_all_servers_are_not_taken_by_unicast),
		cmocka_unit_test(dhcp6_from_another_address_than_the_peers_is_refused),
		cmocka_unit_test(link_local_addresses_can_be_pinged),
	};

	return cmocka_run_group_tests_name("hub network", tests, NULL, NULL);
}
