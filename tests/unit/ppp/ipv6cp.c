/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPV6CP, one end alone: the test plays the peer. */
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
	p.alone = true;
	p.sc.config.demand_auth = false;
	p.sc.iid = 0x0201020304050607;
	*state = &p;
	return 0;
}

static int teardown(void **state)
{
	pair_done(*state);
	return 0;
}

static struct end *network(struct pair *p)
{
	pair_open(p);
	end_lcp_open(&p->sc, false);
	return &p->sc;
}

static void request(struct end *e, uint8_t id, uint64_t iid)
{
	uint8_t data[10] = {1, 10};

	for (int i = 0; i < 8; i++)
		data[2 + i] = (uint8_t)(iid >> (56 - 8 * i));
	end_packet(e, PPP_IPV6CP, PPP_CONFIGURE_REQUEST, id, data, sizeof(data));
}

static uint64_t iid_in(const struct sent *s)
{
	struct reader r = reader_of(s->bytes + 10, 8);

	assert_int_equal(s->len, 18);
	return reader_u64(&r);
}

/* proves: HS-PPP-16 partial, HS-PPP-15 partial */
static void asks_for_an_interface_identifier_once_authentication_is_over(void **state)
{
	struct end *e = network(*state);

	assert_int_equal(e->authenticated, 1);
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x57, 1, 0, 0, 14, 1, 10, 2, 1, 2, 3, 4, 5, 6, 7);
	assert_null(end_last(e, PPP_IPCP, 0));
}

/* proves: HS-PPP-17 */
static void another_identifier_than_ours_is_acknowledged(void **state)
{
	struct end *e = network(*state);

	request(e, 5, 0x1122334455667788);
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x57, 2, 5, 0, 14, 1, 10, 0x11, 0x22, 0x33, 0x44,
		0x55, 0x66, 0x77, 0x88);
	assert_int_equal(e->ups, 0);
	end_ack(e, PPP_IPV6CP);
	assert_int_equal(e->ups, 1);
	assert_true(ppp_link_ncp_open(&e->link, PPP_IPV6CP));
	assert_false(ppp_link_ncp_open(&e->link, PPP_IPCP));
	assert_int_equal(e->link.peer_iid, 0x1122334455667788);
	assert_null(e->link.auth);
	assert_null(e->link.why);
	assert_true(sizeof(e->link) <= 176); /* one for each softwire, for as long as it lives */
}

static void zero_is_naked_with_a_usable_one(void **state)
{
	struct end *e = network(*state);
	uint64_t suggested;

	request(e, 5, 0);
	assert_int_equal(end_last(e, 0, 0)->bytes[4], PPP_CONFIGURE_NAK);
	suggested = iid_in(end_last(e, 0, 0));
	assert_int_not_equal(suggested, 0);
	assert_int_not_equal(suggested, e->link.iid);
	assert_int_equal(suggested >> 57 & 1, 0);
	request(e, 6, suggested);
	assert_int_equal(end_last(e, 0, 0)->bytes[4], PPP_CONFIGURE_ACK);
}

static void our_own_is_naked_with_another(void **state)
{
	struct end *e = network(*state);

	request(e, 5, e->link.iid);
	assert_int_equal(end_last(e, 0, 0)->bytes[4], PPP_CONFIGURE_NAK);
	assert_int_not_equal(iid_in(end_last(e, 0, 0)), e->link.iid);
	assert_int_not_equal(iid_in(end_last(e, 0, 0)), 0);
}

/* proves: HS-SCEN-11 partial */
static void assigned_identifier_is_suggested(void **state)
{
	struct pair *p = *state;
	struct end *e = &p->sc;

	e->assign = 0xabcd;
	network(p);
	request(e, 5, 0);
	assert_int_equal(iid_in(end_last(e, 0, 0)), 0xabcd);
	request(e, 6, 0x1234);
	ASSERT_FRAME(
		end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x57, 3, 6, 0, 14, 1, 10, 0, 0, 0, 0, 0, 0, 0xab, 0xcd);
	request(e, 7, 0xabcd);
	assert_int_equal(end_last(e, 0, 0)->bytes[4], PPP_CONFIGURE_ACK);
	end_ack(e, PPP_IPV6CP);
	assert_int_equal(e->link.peer_iid, 0xabcd);
}

static void stubborn_peer_keeps_its_unique_identifier_after_max_failure(void **state)
{
	struct pair *p = *state;
	struct end *e = &p->sc;

	e->assign = 0xabcd;
	network(p);
	for (uint8_t i = 0; i < 5; i++) {
		request(e, i, 0x1234);
		assert_int_equal(end_last(e, 0, 0)->bytes[4], PPP_CONFIGURE_NAK);
	}
	request(e, 9, 0x1234);
	assert_int_equal(end_last(e, 0, 0)->bytes[4], PPP_CONFIGURE_ACK);
	end_ack(e, PPP_IPV6CP);
	assert_int_equal(e->link.peer_iid, 0x1234);
}

static void stubborn_peer_without_usable_identifier_is_rejected_after_max_failure(void **state)
{
	struct pair *p = *state;
	struct end *e = network(p);

	for (uint8_t i = 0; i < 5; i++)
		request(e, i, 0);
	request(e, 9, 0);
	assert_int_equal(end_last(e, 0, 0)->bytes[4], PPP_CONFIGURE_REJECT);
	end_packet(e, PPP_IPV6CP, PPP_CONFIGURE_REQUEST, 10, "", 0);
	assert_int_equal(end_last(e, 0, 0)->bytes[4], PPP_CONFIGURE_ACK);
	end_ack(e, PPP_IPV6CP);
	assert_int_equal(e->ups, 1);
	assert_int_equal(e->link.peer_iid, 0);
}

static void a_left_out_identifier_is_asked_for_once(void **state)
{
	struct end *e = network(*state);

	end_packet(e, PPP_IPV6CP, PPP_CONFIGURE_REQUEST, 5, "", 0);
	assert_int_equal(end_last(e, 0, 0)->bytes[4], PPP_CONFIGURE_NAK);
	assert_int_not_equal(iid_in(end_last(e, 0, 0)), 0);
	end_packet(e, PPP_IPV6CP, PPP_CONFIGURE_REQUEST, 6, "", 0);
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x57, 2, 6, 0, 4);
}

static void takes_the_identifier_that_the_peer_assigns(void **state)
{
	struct end *e = network(*state);

	end_packet_of(e, PPP_IPV6CP, PPP_CONFIGURE_NAK, 0, 1, 10, 0, 0, 0, 0, 0, 0, 0x12, 0x34);
	assert_int_equal(e->link.iid, 0x1234);
	ASSERT_FRAME(
		end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x57, 1, 1, 0, 14, 1, 10, 0, 0, 0, 0, 0, 0, 0x12, 0x34);
}

static void useless_suggestions_are_replaced_by_a_random_identifier(void **state)
{
	struct end *e = network(*state);
	uint64_t first = e->link.iid;

	end_packet_of(e, PPP_IPV6CP, PPP_CONFIGURE_NAK, 0, 1, 10, 0, 0, 0, 0, 0, 0, 0, 0);
	assert_int_not_equal(e->link.iid, first);
	assert_int_not_equal(e->link.iid, 0);
	request(e, 9, 0x77);
	end_packet_of(
		e, PPP_IPV6CP, PPP_CONFIGURE_NAK, 1, 1, 10, 0, 0, 0, 0, 0, 0, 0, 0x77); /* the peer's own */
	assert_int_not_equal(e->link.iid, 0x77);
	end_packet_of(e, PPP_IPV6CP, PPP_CONFIGURE_NAK, 2, 1, 4, 0, 1); /* of another length */
	assert_int_not_equal(e->link.iid, 0);
	assert_int_equal(end_last(e, 0, 0)->bytes[5], 3);
}

/* Section 4.1: a Nak with what we have just suggested ourselves says that the link echoes. */
static void our_own_suggestion_come_back_is_not_taken(void **state)
{
	struct end *e = network(*state);
	struct sent nak;

	request(e, 0, e->link.iid);
	nak = *end_last(e, PPP_IPV6CP, PPP_CONFIGURE_NAK);
	end_frame(e, nak.bytes, nak.len);
	assert_int_not_equal(e->link.iid, iid_in(&nak));
}

static void peer_that_rejects_the_option_is_served_without_it(void **state)
{
	struct end *e = network(*state);
	uint64_t iid = e->link.iid;

	end_packet_of(e, PPP_IPV6CP, PPP_CONFIGURE_REJECT, 0, 1, 10, 2, 1, 2, 3, 4, 5, 6, 7);
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x57, 1, 1, 0, 4);
	request(e, 5, 9);
	end_ack(e, PPP_IPV6CP);
	assert_int_equal(e->ups, 1);
	assert_int_equal(e->link.iid, iid);
}

static void compression_and_unknown_options_are_rejected(void **state)
{
	struct end *e = network(*state);

	end_packet_of(
		e, PPP_IPV6CP, PPP_CONFIGURE_REQUEST, 5, 1, 10, 0, 0, 0, 0, 0, 0, 0, 9, 2, 4, 0, 0x4f, 99, 2);
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x57, 4, 5, 0, 10, 2, 4, 0, 0x4f, 99, 2);
}

static void malformed_packets_change_nothing(void **state)
{
	static const struct {
		const char *name;
		uint8_t frame[24];
		size_t len;
	} table[] = {
		{"no header", {0x80, 0x57}, 2},
		{"half a header", {0x80, 0x57, 1, 1, 0}, 5},
		{"length below the header", {0x80, 0x57, 1, 1, 0, 1}, 6},
		{"length beyond the frame", {0x80, 0x57, 1, 1, 0, 14, 1, 10, 1, 2, 3, 4, 5, 6, 7}, 15},
		{"option without length", {0x80, 0x57, 1, 1, 0, 5, 1}, 7},
		{"option of length 0", {0x80, 0x57, 1, 1, 0, 14, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8}, 16},
		{"option of length 1", {0x80, 0x57, 1, 1, 0, 14, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8}, 16},
		{"option one octet beyond the packet",
			{0x80, 0x57, 1, 1, 0, 14, 1, 11, 1, 2, 3, 4, 5, 6, 7, 8}, 16},
		{"option that ends in the padding", {0x80, 0x57, 1, 1, 0, 13, 1, 10, 1, 2, 3, 4, 5, 6, 7, 8},
			16},
		{"octet left over", {0x80, 0x57, 1, 1, 0, 15, 1, 10, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 17},
		{"Nak cut", {0x80, 0x57, 3, 0, 0, 8, 1, 10, 0, 0}, 10},
		{"Reject of another value", {0x80, 0x57, 4, 0, 0, 14, 1, 10, 1, 2, 3, 4, 5, 6, 7, 8}, 16},
		{"Ack of another value", {0x80, 0x57, 2, 0, 0, 14, 1, 10, 1, 2, 3, 4, 5, 6, 7, 8}, 16},
	};
	struct end *e = network(*state);
	size_t sent = e->sent_count;
	uint64_t iid = e->link.iid;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		end_frame(e, table[i].frame, table[i].len);
		if (e->sent_count != sent || e->link.ipv6cp.state != PPP_REQ_SENT || e->link.iid != iid ||
			e->counters.bad_frame + e->counters.bad_option != i + 1)
			fail_msg("%s", table[i].name);
	}
}

/* Section 3: only codes 1 to 7. */
static void echo_is_an_unknown_code(void **state)
{
	struct end *e = network(*state);

	end_packet_of(e, PPP_IPV6CP, PPP_ECHO_REQUEST, 5, 0, 0, 0, 0);
	ASSERT_FRAME(end_last(e, 0, 0), 0xff, 0x03, 0x80, 0x57, 7, 1, 0, 12, 9, 5, 0, 8, 0, 0, 0, 0);
}

static void peer_that_refuses_without_end_loses_ipv6cp_and_not_the_link(void **state)
{
	struct end *e = network(*state);

	for (int i = 0; i < 30 && !e->ncp_downs; i++)
		end_packet_of(e, PPP_IPV6CP, PPP_CONFIGURE_NAK, end_last(e, PPP_IPV6CP, 1)->bytes[5], 1, 10,
			0, 0, 0, 0, 0, 0, 0, 0);
	assert_int_equal(e->ncp_downs, 1);
	assert_string_equal(e->ncp_why, "IPV6CP: peer refuses every Configure-Request");
	pair_run(e->pair, 60000);
	assert_int_equal(e->ncp_downs, 1);
	assert_int_equal(e->downs, 0);
	assert_int_equal(e->link.lcp.state, PPP_OPENED);
}

static void silence_ends_ipv6cp_and_not_the_link(void **state)
{
	struct end *e = network(*state);

	pair_run(e->pair, 60000);
	assert_int_equal(e->ncp_downs, 1);
	assert_string_equal(e->ncp_why, "IPV6CP: no answer after 10 Configure-Requests");
	assert_int_equal(e->link.lcp.state, PPP_OPENED);
	request(e, 5, 9); /* the peer wakes up */
	end_ack(e, PPP_IPV6CP);
	assert_int_equal(e->ups, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(asks_for_an_interface_identifier_once_authentication_is_over),
		TEST(another_identifier_than_ours_is_acknowledged),
		TEST(zero_is_naked_with_a_usable_one),
		TEST(our_own_is_naked_with_another),
		TEST(assigned_identifier_is_suggested),
		TEST(stubborn_peer_keeps_its_unique_identifier_after_max_failure),
		TEST(stubborn_peer_without_usable_identifier_is_rejected_after_max_failure),
		TEST(a_left_out_identifier_is_asked_for_once),
		TEST(takes_the_identifier_that_the_peer_assigns),
		TEST(useless_suggestions_are_replaced_by_a_random_identifier),
		TEST(our_own_suggestion_come_back_is_not_taken),
		TEST(peer_that_rejects_the_option_is_served_without_it),
		TEST(compression_and_unknown_options_are_rejected),
		TEST(malformed_packets_change_nothing),
		TEST(echo_is_an_unknown_code),
		TEST(peer_that_refuses_without_end_loses_ipv6cp_and_not_the_link),
		TEST(silence_ends_ipv6cp_and_not_the_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
