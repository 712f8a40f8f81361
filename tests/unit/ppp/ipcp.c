/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPCP, one end alone: the test plays the peer. */
#include "pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
	static struct pair p;

	pair_init(&p, 1);
	pair_ipv4(&p, true);
	p.alone = true;
	p.sc.config.demand_auth = false;
	*state = &p;
	return 0;
}

static int teardown(void **state)
{
	pair_done(*state);
	return 0;
}

#define ASSERT_4(a, ...) assert_memory_equal(a, ((const uint8_t[]){__VA_ARGS__}), 4)

/* The concentrator of pair_ipv4(), with 192.0.2.1, which assigns 198.51.100.7. */
static struct end *giver(struct pair *p)
{
	pair_open(p);
	end_lcp_open(&p->sc, false);
	return &p->sc;
}

/* The same end as the one that asks. */
static struct end *asker(struct pair *p)
{
	p->sc.network = p->si.network;
	return giver(p);
}

static void request(struct end *e, uint8_t id, uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	end_packet_of(e, PPP_IPCP, PPP_CONFIGURE_REQUEST, id, 3, 6, a, b, c, d);
}

static void nak(struct end *e, uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	end_packet_of(e, PPP_IPCP, PPP_CONFIGURE_NAK, end_last(e, PPP_IPCP, 1)->bytes[5], 3, 6, a, b, c, d);
}

static unsigned answer(const struct end *e)
{
	return end_last(e, 0, 0)->bytes[4];
}

/* ---- the side with addresses ---- */

/* proves: HS-PPP-15 partial */
static void says_its_own_address_and_negotiates_ipv4_only(void **state)
{
	struct end *e = giver(*state);

	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x21, 1, 0, 0, 10, 3, 6, 192, 0, 2, 1);
	assert_null(end_last(e, PPP_IPV6CP, 0));
	end_packet_of(e, PPP_IPV6CP, PPP_CONFIGURE_REQUEST, 1, 1, 10, 0, 0, 0, 0, 0, 0, 0, 5);
	assert_int_equal(answer(e), PPP_PROTOCOL_REJECT);
}

/* proves: HS-PROV-8 partial */
static void assigns_the_address_by_nak(void **state)
{
	struct end *e = giver(*state);

	request(e, 5, 0, 0, 0, 0);
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x21, 3, 5, 0, 10, 3, 6, 198, 51, 100, 7);
	request(e, 6, 198, 51, 100, 7);
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x21, 2, 6, 0, 10, 3, 6, 198, 51, 100, 7);
	assert_int_equal(e->ups4, 0);
	end_ack(e, PPP_IPCP);
	assert_int_equal(e->ups4, 1);
	assert_int_equal(e->ups, 0);
	assert_true(ppp_link_ncp_open(&e->link, PPP_IPCP));
	assert_false(ppp_link_ncp_open(&e->link, PPP_IPV6CP));
	ASSERT_4(e->link.local4, 192, 0, 2, 1);
	ASSERT_4(e->link.peer4, 198, 51, 100, 7);
	assert_null(e->link.auth);
}

static void a_peer_that_insists_on_another_address_never_gets_it(void **state)
{
	struct end *e = giver(*state);

	for (uint8_t i = 0; i < 5; i++) {
		request(e, i, 198, 51, 100, 8);
		assert_int_equal(answer(e), PPP_CONFIGURE_NAK);
	}
	request(e, 9, 198, 51, 100, 8);
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x21, 4, 9, 0, 10, 3, 6, 198, 51, 100, 8);
	end_packet_of(e, PPP_IPCP, PPP_CONFIGURE_REQUEST, 10);
	assert_int_equal(answer(e), PPP_CONFIGURE_ACK);
	end_ack(e, PPP_IPCP);
	assert_int_equal(e->ups4, 1);
	ASSERT_4(e->link.peer4, 0, 0, 0, 0);
}

static void a_left_out_address_is_asked_for_once(void **state)
{
	struct end *e = giver(*state);

	end_packet_of(e, PPP_IPCP, PPP_CONFIGURE_REQUEST, 5);
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x21, 3, 5, 0, 10, 3, 6, 198, 51, 100, 7);
	end_packet_of(e, PPP_IPCP, PPP_CONFIGURE_REQUEST, 6);
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x21, 2, 6, 0, 4);
}

/* proves: HS-PPP-20 partial */
static void without_an_address_to_give_only_none_is_acknowledged(void **state)
{
	struct pair *p = *state;
	struct end *e = &p->sc;

	e->network.assign4 = (struct addr){0};
	giver(p);
	request(e, 5, 198, 51, 100, 8);
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x21, 3, 5, 0, 10, 3, 6, 0, 0, 0, 0);
	for (uint8_t i = 0; i < 5; i++)
		request(e, i, 198, 51, 100, 8);
	assert_int_equal(answer(e), PPP_CONFIGURE_REJECT);
	request(e, 6, 0, 0, 0, 0);
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x21, 2, 6, 0, 10, 3, 6, 0, 0, 0, 0);
	end_ack(e, PPP_IPCP);
	assert_int_equal(e->ups4, 1);
	ASSERT_4(e->link.peer4, 0, 0, 0, 0);
}

static void its_own_address_is_not_negotiable(void **state)
{
	struct end *e = giver(*state);

	nak(e, 10, 0, 0, 1);
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x21, 1, 1, 0, 10, 3, 6, 192, 0, 2, 1);
	end_packet_of(e, PPP_IPCP, PPP_CONFIGURE_REJECT, 1, 3, 6, 192, 0, 2, 1);
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x21, 1, 2, 0, 4);
	ASSERT_4(e->link.local4, 192, 0, 2, 1);
}

/* proves: HS-PPP-21 partial */
static void tells_dns_servers_to_a_peer_that_asks(void **state)
{
	struct end *e = giver(*state);

	end_packet_of(e, PPP_IPCP, PPP_CONFIGURE_REQUEST, 5, 3, 6, 198, 51, 100, 7, 129, 6, 0, 0, 0, 0, 131,
		6, 9, 9, 9, 9);
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x21, 3, 5, 0, 16, 129, 6, 192, 0, 2, 53, 131, 6,
		192, 0, 2, 54);
	end_packet_of(e, PPP_IPCP, PPP_CONFIGURE_REQUEST, 6, 3, 6, 198, 51, 100, 7, 129, 6, 192, 0, 2, 53,
		131, 6, 192, 0, 2, 54);
	assert_int_equal(answer(e), PPP_CONFIGURE_ACK);
}

static void dns_servers_that_it_does_not_know_are_rejected(void **state)
{
	struct pair *p = *state;
	struct end *e = &p->sc;

	e->network.dns4_count = 1;
	giver(p);
	end_packet_of(e, PPP_IPCP, PPP_CONFIGURE_REQUEST, 5, 3, 6, 0, 0, 0, 0, 129, 6, 0, 0, 0, 0, 131, 6, 0,
		0, 0, 0);
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x21, 4, 5, 0, 10, 131, 6, 0, 0, 0, 0);
}

static void everything_else_is_rejected(void **state)
{
	static const struct {
		const char *name;
		uint8_t option[12];
		size_t len;
	} table[] = {
		{"IP-Addresses", {1, 10, 0, 0, 0, 0, 192, 0, 2, 1}, 10},
		{"Van Jacobson compression", {2, 6, 0, 0x2d, 15, 1}, 6},
		{"header compression of RFC 2507", {2, 4, 0, 0x61}, 4},
		{"Mobile-IPv4", {4, 6, 192, 0, 2, 9}, 6},
		{"primary NBNS", {130, 6, 0, 0, 0, 0}, 6},
		{"secondary NBNS", {132, 6, 0, 0, 0, 0}, 6},
		{"unknown", {99, 2}, 2},
		{"twice", {3, 6, 198, 51, 100, 7, 3, 6, 198, 51, 100, 7}, 12},
	};
	struct end *e = giver(*state);

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t rejected = table[i].len == 12 ? 6 : table[i].len;

		end_packet(e, PPP_IPCP, PPP_CONFIGURE_REQUEST, (uint8_t)i, table[i].option, table[i].len);
		if (answer(e) != PPP_CONFIGURE_REJECT || end_last(e, 0, 0)->len != 8 + rejected ||
			memcmp(end_last(e, 0, 0)->bytes + 8, table[i].option, rejected) != 0)
			fail_msg("%s", table[i].name);
	}
}

/* The peer may begin again at any time, and gets the same again. */
static void a_peer_that_negotiates_again_gets_the_same(void **state)
{
	struct end *e = giver(*state);

	request(e, 6, 198, 51, 100, 7);
	end_ack(e, PPP_IPCP);
	assert_int_equal(e->ups4, 1);
	end_packet_of(e, PPP_IPCP, PPP_CONFIGURE_REQUEST, 7, 3, 6, 0, 0, 0, 0, 129, 6, 0, 0, 0, 0);
	assert_int_equal(e->ncp_downs4, 1);
	assert_string_equal(e->ncp_why4, "IPCP: the peer negotiates again");
	ASSERT_FRAME(end_last(e, PPP_IPCP, 3), 0xff, 0x03, 0x80, 0x21, 3, 7, 0, 16, 3, 6, 198, 51, 100, 7,
		129, 6, 192, 0, 2, 53);
	end_packet_of(e, PPP_IPCP, PPP_CONFIGURE_REQUEST, 8, 3, 6, 198, 51, 100, 7, 129, 6, 192, 0, 2, 53);
	end_ack(e, PPP_IPCP);
	assert_int_equal(e->ups4, 2);
	ASSERT_4(e->link.peer4, 198, 51, 100, 7);
}

/* ---- the side that asks ---- */

/* proves: HS-PPP-18 */
static void asks_for_an_address_with_0_0_0_0(void **state)
{
	struct end *e = asker(*state);

	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x21, 1, 0, 0, 22, 3, 6, 0, 0, 0, 0, 129, 6, 0, 0,
		0, 0, 131, 6, 0, 0, 0, 0);
}

static void asks_for_the_address_that_it_had(void **state)
{
	struct pair *p = *state;
	struct end *e = &p->sc;

	p->si.network.hint4 = addr4(198, 51, 100, 9);
	p->si.network.ask_dns4 = false;
	asker(p);
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x21, 1, 0, 0, 10, 3, 6, 198, 51, 100, 9);
	nak(e, 198, 51, 100, 10);
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x21, 1, 1, 0, 10, 3, 6, 198, 51, 100, 10);
}

/* proves: HS-PPP-21 partial */
static void takes_what_the_peer_suggests(void **state)
{
	struct end *e = asker(*state);

	request(e, 9, 192, 0, 2, 1);
	assert_int_equal(answer(e), PPP_CONFIGURE_ACK);
	end_packet_of(e, PPP_IPCP, PPP_CONFIGURE_NAK, 0, 3, 6, 198, 51, 100, 7, 129, 6, 192, 0, 2, 53, 131, 6,
		192, 0, 2, 54);
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x21, 1, 1, 0, 22, 3, 6, 198, 51, 100, 7, 129, 6,
		192, 0, 2, 53, 131, 6, 192, 0, 2, 54);
	end_ack(e, PPP_IPCP);
	assert_int_equal(e->ups4, 1);
	ASSERT_4(e->link.local4, 198, 51, 100, 7);
	ASSERT_4(e->link.peer4, 192, 0, 2, 1);
	ASSERT_4(e->link.dns4[0], 192, 0, 2, 53);
	ASSERT_4(e->link.dns4[1], 192, 0, 2, 54);
}

static void useless_suggestions_are_not_taken(void **state)
{
	static const struct {
		const char *name;
		uint8_t address[4];
	} table[] = {
		{"loopback", {127, 0, 0, 1}},
		{"multicast", {224, 0, 0, 1}},
		{"reserved", {240, 0, 0, 1}},
		{"broadcast", {255, 255, 255, 255}},
		{"this network", {0, 0, 0, 1}},
		{"the peer's own", {192, 0, 2, 1}},
	};
	struct pair *p = *state;
	struct end *e = asker(p);

	request(e, 9, 192, 0, 2, 1);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const uint8_t *a = table[i].address;

		nak(e, a[0], a[1], a[2], a[3]);
		if (memcmp(end_last(e, PPP_IPCP, 1)->bytes + 10, "\0\0\0\0", 4) != 0 ||
			memcmp(e->link.local4, "\0\0\0\0", 4) != 0)
			fail_msg("%s", table[i].name);
	}
	end_packet_of(e, PPP_IPCP, PPP_CONFIGURE_NAK, end_last(e, PPP_IPCP, 1)->bytes[5], 3, 5, 198, 51, 100);
	assert_memory_equal(end_last(e, PPP_IPCP, 1)->bytes + 10, "\0\0\0\0", 4);
	nak(e, 198, 51, 100, 7);
	end_ack(e, PPP_IPCP);
	ASSERT_4(e->link.local4, 198, 51, 100, 7);
}

/* proves: HS-PPP-20 partial */
static void no_address_may_be_said_in_each_way(void **state)
{
	static const char *const ways[] = {"Ack of 0.0.0.0", "Nak with 0.0.0.0", "Reject"};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct pair *p = *state;
		struct end *e;

		teardown(state);
		setup(state);
		p->si.network.ask_dns4 = false;
		p->si.network.hint4 = i ? addr4(198, 51, 100, 9) : (struct addr){0};
		e = asker(p);
		request(e, 9, 192, 0, 2, 1);
		if (i == 1) {
			nak(e, 0, 0, 0, 0);
			ASSERT_FRAME(
				end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x21, 1, 1, 0, 10, 3, 6, 0, 0, 0, 0);
			nak(e, 0, 0, 0, 0); /* once more: there really is none */
			ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x21, 1, 2, 0, 4);
		} else if (i == 2) {
			end_packet_of(e, PPP_IPCP, PPP_CONFIGURE_REJECT, 0, 3, 6, 198, 51, 100, 9);
			ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x21, 1, 1, 0, 4);
		}
		end_ack(e, PPP_IPCP);
		if (e->ups4 != 1 || memcmp(e->link.local4, "\0\0\0\0", 4) != 0)
			fail_msg("%s", ways[i]);
		ASSERT_4(e->link.peer4, 192, 0, 2, 1);
	}
}

static void goes_without_dns_servers_that_the_peer_does_not_have(void **state)
{
	struct end *e = asker(*state);

	request(e, 9, 192, 0, 2, 1);
	end_packet_of(e, PPP_IPCP, PPP_CONFIGURE_REJECT, 0, 131, 6, 0, 0, 0, 0);
	end_packet_of(e, PPP_IPCP, PPP_CONFIGURE_NAK, 1, 3, 6, 198, 51, 100, 7, 129, 6, 192, 0, 2, 53);
	end_packet_of(e, PPP_IPCP, PPP_CONFIGURE_NAK, 2, 129, 6, 127, 0, 0, 1); /* changes its mind */
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x21, 1, 3, 0, 10, 3, 6, 198, 51, 100, 7);
	end_ack(e, PPP_IPCP);
	assert_int_equal(e->ups4, 1);
	ASSERT_4(e->link.dns4[0], 0, 0, 0, 0);
	ASSERT_4(e->link.dns4[1], 0, 0, 0, 0);
}

static void a_nak_with_servers_that_it_has_not_asked_for_is_ignored(void **state)
{
	struct pair *p = *state;
	struct end *e = &p->sc;

	p->si.network.ask_dns4 = false;
	asker(p);
	end_packet_of(e, PPP_IPCP, PPP_CONFIGURE_NAK, 0, 3, 6, 198, 51, 100, 7, 129, 6, 192, 0, 2, 53);
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x21, 1, 1, 0, 10, 3, 6, 198, 51, 100, 7);
	end_ack(e, PPP_IPCP);
	request(e, 9, 192, 0, 2, 1);
	ASSERT_4(e->link.dns4[0], 0, 0, 0, 0);
}

static void a_peer_without_address_is_fine_and_one_with_a_useless_one_is_not(void **state)
{
	struct end *e = asker(*state);

	nak(e, 198, 51, 100, 7);
	request(e, 9, 127, 0, 0, 1);
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x21, 3, 9, 0, 10, 3, 6, 0, 0, 0, 0);
	request(e, 10, 198, 51, 100, 7); /* ours */
	assert_int_equal(answer(e), PPP_CONFIGURE_NAK);
	end_packet_of(e, PPP_IPCP, PPP_CONFIGURE_REQUEST, 11, 3, 5, 192, 0, 2);
	assert_int_equal(answer(e), PPP_CONFIGURE_NAK);
	request(e, 12, 0, 0, 0, 0);
	assert_int_equal(answer(e), PPP_CONFIGURE_ACK);
	end_packet_of(e, PPP_IPCP, PPP_CONFIGURE_REQUEST, 13); /* nothing at all: not asked for */
	assert_int_equal(answer(e), PPP_CONFIGURE_ACK);
}

/* ---- both ---- */

static void malformed_packets_change_nothing(void **state)
{
	static const struct {
		const char *name;
		uint8_t frame[24];
		size_t len;
	} table[] = {
		{"no header", {0x80, 0x21}, 2},
		{"half a header", {0x80, 0x21, 1, 1, 0}, 5},
		{"length below the header", {0x80, 0x21, 1, 1, 0, 1}, 6},
		{"length beyond the frame", {0x80, 0x21, 1, 1, 0, 10, 3, 6, 1, 2, 3}, 11},
		{"option without length", {0x80, 0x21, 1, 1, 0, 5, 3}, 7},
		{"option of length 0", {0x80, 0x21, 1, 1, 0, 10, 3, 0, 1, 2, 3, 4}, 12},
		{"option of length 1", {0x80, 0x21, 1, 1, 0, 10, 3, 1, 1, 2, 3, 4}, 12},
		{"option one octet beyond the packet", {0x80, 0x21, 1, 1, 0, 10, 3, 7, 1, 2, 3, 4}, 12},
		{"option that ends in the padding", {0x80, 0x21, 1, 1, 0, 9, 3, 6, 1, 2, 3, 4}, 12},
		{"octet left over", {0x80, 0x21, 1, 1, 0, 11, 3, 6, 1, 2, 3, 4, 5}, 13},
		{"second option cut", {0x80, 0x21, 1, 1, 0, 14, 3, 6, 1, 2, 3, 4, 129, 6, 0, 0}, 16},
		{"Nak cut", {0x80, 0x21, 3, 0, 0, 8, 3, 6, 0, 0}, 10},
		{"empty Nak", {0x80, 0x21, 3, 0, 0, 4}, 6},
		{"Reject of another value", {0x80, 0x21, 4, 0, 0, 10, 3, 6, 1, 2, 3, 4}, 12},
		{"Ack of another value", {0x80, 0x21, 2, 0, 0, 10, 3, 6, 1, 2, 3, 4}, 12},
		{"Ack of less", {0x80, 0x21, 2, 0, 0, 4}, 6},
	};
	struct end *e = giver(*state);
	size_t sent = e->sent_count;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		end_frame(e, table[i].frame, table[i].len);
		if (e->sent_count != sent || e->link.ipcp.state != PPP_REQ_SENT ||
			e->counters.bad_frame + e->counters.bad_option != i + 1)
			fail_msg("%s", table[i].name);
	}
	ASSERT_4(e->link.local4, 192, 0, 2, 1);
}

static void echo_is_an_unknown_code(void **state)
{
	struct end *e = giver(*state);

	end_packet_of(e, PPP_IPCP, PPP_ECHO_REQUEST, 5, 0, 0, 0, 0);
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x21, 7, 1, 0, 12, 9, 5, 0, 8, 0, 0, 0, 0);
}

static void peer_that_refuses_without_end_loses_ipcp_and_not_the_link(void **state)
{
	struct end *e = asker(*state);

	for (int i = 0; i < 30 && !e->ncp_downs4; i++)
		nak(e, 127, 0, 0, 1);
	assert_int_equal(e->ncp_downs4, 1);
	assert_string_equal(e->ncp_why4, "IPCP: peer refuses every Configure-Request");
	pair_run(e->pair, 60000);
	assert_int_equal(e->ncp_downs4, 1);
	assert_int_equal(e->downs, 0);
	assert_int_equal(e->link.lcp.state, PPP_OPENED);
}

static void silence_ends_ipcp_and_not_the_link(void **state)
{
	struct end *e = giver(*state);

	pair_run(e->pair, 60000);
	assert_int_equal(e->ncp_downs4, 1);
	assert_string_equal(e->ncp_why4, "IPCP: no answer after 10 Configure-Requests");
	assert_int_equal(e->link.lcp.state, PPP_OPENED);
	request(e, 5, 198, 51, 100, 7); /* the peer wakes up */
	end_ack(e, PPP_IPCP);
	assert_int_equal(e->ups4, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(says_its_own_address_and_negotiates_ipv4_only),
		TEST(assigns_the_address_by_nak),
		TEST(a_peer_that_insists_on_another_address_never_gets_it),
		TEST(a_left_out_address_is_asked_for_once),
		TEST(without_an_address_to_give_only_none_is_acknowledged),
		TEST(its_own_address_is_not_negotiable),
		TEST(tells_dns_servers_to_a_peer_that_asks),
		TEST(dns_servers_that_it_does_not_know_are_rejected),
		TEST(everything_else_is_rejected),
		TEST(a_peer_that_negotiates_again_gets_the_same),
		TEST(asks_for_an_address_with_0_0_0_0),
		TEST(asks_for_the_address_that_it_had),
		TEST(takes_what_the_peer_suggests),
		TEST(useless_suggestions_are_not_taken),
		TEST(no_address_may_be_said_in_each_way),
		TEST(goes_without_dns_servers_that_the_peer_does_not_have),
		TEST(a_nak_with_servers_that_it_has_not_asked_for_is_ignored),
		TEST(a_peer_without_address_is_fine_and_one_with_a_useless_one_is_not),
		TEST(malformed_packets_change_nothing),
		TEST(echo_is_an_unknown_code),
		TEST(peer_that_refuses_without_end_loses_ipcp_and_not_the_link),
		TEST(silence_ends_ipcp_and_not_the_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
