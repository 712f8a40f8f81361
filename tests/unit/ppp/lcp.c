/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LCP's options and codes, one end alone: the test plays the peer, byte by byte. */
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
	*state = &p;
	return 0;
}

static int teardown(void **state)
{
	pair_done(*state);
	return 0;
}

/* proves: HS-PPP-4 */
static void concentrator_asks_for_mru_authentication_and_magic(void **state)
{
	struct pair *p = *state;
	uint32_t m;

	pair_open(p);
	m = p->sc.link.magic;
	assert_int_not_equal(m, 0);
	ASSERT_FRAME(end_last(&p->sc, 0, 0), 0xff, 0x03, 0xc0, 0x21, 1, 0, 0, 19, 1, 4, 0x05, 0xb4, 3, 5,
		0xc2, 0x23, 5, 5, 6, (uint8_t)(m >> 24), (uint8_t)(m >> 16), (uint8_t)(m >> 8), (uint8_t)m);
}

/* proves: HS-PPP-14 partial, HS-PPP-8 */
static void anonymous_concentrator_does_not_ask_for_authentication(void **state)
{
	struct pair *p = *state;
	uint32_t m;

	p->sc.config.demand_auth = false;
	pair_open(p);
	m = p->sc.link.magic;
	ASSERT_FRAME(end_last(&p->sc, 0, 0), 0xff, 0x03, 0xc0, 0x21, 1, 0, 0, 14, 1, 4, 0x05, 0xb4, 5, 6,
		(uint8_t)(m >> 24), (uint8_t)(m >> 16), (uint8_t)(m >> 8), (uint8_t)m);
}

/* proves: HS-PPP-6 */
static void rejects_pfc_and_acfc(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	end_packet_of(&p->sc, PPP_LCP, PPP_CONFIGURE_REQUEST, 7, 1, 4, 0x05, 0xdc, 7, 2, 8, 2);
	ASSERT_FRAME(end_last(&p->sc, 0, 0), 0xff, 0x03, 0xc0, 0x21, 4, 7, 0, 8, 7, 2, 8, 2);
	assert_int_equal(p->sc.link.lcp.state, PPP_REQ_SENT);
}

/* proves: HS-PPP-7 */
static void rejects_quality_and_never_asks_for_it(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	assert_null(memchr(end_last(&p->sc, 0, 0)->bytes + 8, LCP_QUALITY, 1));
	end_packet_of(&p->sc, PPP_LCP, PPP_CONFIGURE_REQUEST, 7, 4, 8, 0xc0, 0x25, 0, 0, 1, 0);
	ASSERT_FRAME(
		end_last(&p->sc, 0, 0), 0xff, 0x03, 0xc0, 0x21, 4, 7, 0, 12, 4, 8, 0xc0, 0x25, 0, 0, 1, 0);
}

static void rejects_unknown_options(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	end_packet_of(
		&p->sc, PPP_LCP, PPP_CONFIGURE_REQUEST, 7, 17, 4, 5, 5, 5, 6, 1, 2, 3, 4, 19, 3, 1, 0, 2);
	ASSERT_FRAME(
		end_last(&p->sc, 0, 0), 0xff, 0x03, 0xc0, 0x21, 4, 7, 0, 13, 17, 4, 5, 5, 19, 3, 1, 0, 2);
}

/* proves: HS-PPP-9 */
static void mru_is_1500_unless_negotiated(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	assert_int_equal(p->sc.link.peer_mru, 1500);
	end_packet_of(&p->sc, PPP_LCP, PPP_CONFIGURE_REQUEST, 7, 5, 6, 1, 2, 3, 4);
	assert_int_equal(p->sc.link.peer_mru, 1500);
	end_packet_of(&p->sc, PPP_LCP, PPP_CONFIGURE_REQUEST, 8, 5, 6, 1, 2, 3, 4, 1, 4, 0x05, 0x78);
	assert_int_equal(p->sc.link.peer_mru, 1400);
	end_packet_of(&p->sc, PPP_LCP, PPP_CONFIGURE_REQUEST, 9, 5, 6, 1, 2, 3, 4);
	assert_int_equal(p->sc.link.peer_mru, 1500);
}

static void naks_an_mru_too_small_for_ipv6(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	end_packet_of(&p->sc, PPP_LCP, PPP_CONFIGURE_REQUEST, 7, 1, 4, 0x04, 0xff);
	ASSERT_FRAME(end_last(&p->sc, 0, 0), 0xff, 0x03, 0xc0, 0x21, 3, 7, 0, 8, 1, 4, 0x05, 0x00);
	assert_int_equal(p->sc.link.peer_mru, 1500);
	end_packet_of(&p->sc, PPP_LCP, PPP_CONFIGURE_REQUEST, 8, 1, 4, 0x05, 0x00);
	assert_int_equal(end_last(&p->sc, 0, 0)->bytes[4], PPP_CONFIGURE_ACK);
}

static void options_of_wrong_length_are_naked_with_a_right_one(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	end_packet_of(&p->sc, PPP_LCP, PPP_CONFIGURE_REQUEST, 7, 1, 3, 0x05);
	ASSERT_FRAME(end_last(&p->sc, 0, 0), 0xff, 0x03, 0xc0, 0x21, 3, 7, 0, 8, 1, 4, 0x05, 0xdc);
	end_packet_of(&p->sc, PPP_LCP, PPP_CONFIGURE_REQUEST, 8, 5, 3, 9);
	assert_int_equal(end_last(&p->sc, 0, 0)->bytes[4], PPP_CONFIGURE_NAK);
	assert_int_equal(end_last(&p->sc, 0, 0)->len, 14);
	end_packet_of(&p->sc, PPP_LCP, PPP_CONFIGURE_REQUEST, 9, 5, 6, 0, 0, 0,
		0); /* zero is illegal: section 6.4 */
	assert_int_equal(end_last(&p->sc, 0, 0)->bytes[4], PPP_CONFIGURE_NAK);
}

static void takes_a_smaller_mru_that_the_peer_suggests(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	end_packet_of(&p->sc, PPP_LCP, PPP_CONFIGURE_NAK, 0, 1, 4, 0x05, 0x78);
	assert_int_equal(p->sc.link.mru, 1400);
	assert_int_equal(end_last(&p->sc, 0, 0)->bytes[5], 1);
	end_packet_of(&p->sc, PPP_LCP, PPP_CONFIGURE_NAK, 1, 1, 4, 0x05, 0xdc); /* larger: cannot */
	end_packet_of(&p->sc, PPP_LCP, PPP_CONFIGURE_NAK, 2, 1, 4, 0x00, 0x40); /* IPv6 would not fit */
	assert_int_equal(p->sc.link.mru, 1400);
	end_packet_of(&p->sc, PPP_LCP, PPP_CONFIGURE_REJECT, 3, 1, 4, 0x05, 0x78);
	assert_int_equal(end_last(&p->sc, 0, 0)->bytes[8], LCP_AUTH); /* asked no more */
}

/* proves: HS-PPP-10 partial */
static void other_authentication_is_naked_with_chap_md5(void **state)
{
	static const struct {
		const char *name;
		uint8_t data[6];
		size_t len;
	} table[] = {
		{"PAP", {3, 4, 0xc0, 0x23}, 4},
		{"EAP", {3, 4, 0xc2, 0x27}, 4},
		{"MS-CHAPv1", {3, 5, 0xc2, 0x23, 0x80}, 5},
		{"MS-CHAPv2", {3, 5, 0xc2, 0x23, 0x81}, 5},
		{"CHAP without algorithm", {3, 4, 0xc2, 0x23}, 4},
		{"no protocol", {3, 2}, 2},
	};
	struct pair *p = *state;

	p->sc.config.give_auth = true;
	p->sc.config.max_failure = 20;
	pair_open(p);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		end_packet(&p->sc, PPP_LCP, PPP_CONFIGURE_REQUEST, 7, table[i].data, table[i].len);
		ASSERT_FRAME(end_last(&p->sc, 0, 0), 0xff, 0x03, 0xc0, 0x21, 3, 7, 0, 9, 3, 5, 0xc2, 0x23, 5);
	}
	end_packet_of(&p->sc, PPP_LCP, PPP_CONFIGURE_REQUEST, 8, 3, 5, 0xc2, 0x23, 5);
	assert_int_equal(end_last(&p->sc, 0, 0)->bytes[4], PPP_CONFIGURE_ACK);
}

static void refuses_to_authenticate_when_told_so(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	end_packet_of(&p->sc, PPP_LCP, PPP_CONFIGURE_REQUEST, 7, 3, 5, 0xc2, 0x23, 5);
	ASSERT_FRAME(end_last(&p->sc, 0, 0), 0xff, 0x03, 0xc0, 0x21, 4, 7, 0, 9, 3, 5, 0xc2, 0x23, 5);
}

/* proves: HS-PPP-13 partial */
static void peer_that_rejects_authentication_is_refused(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	end_packet_of(&p->sc, PPP_LCP, PPP_CONFIGURE_REJECT, 0, 3, 5, 0xc2, 0x23, 5);
	assert_int_equal(end_last(&p->sc, 0, 0)->bytes[4], PPP_TERMINATE_REQUEST);
	end_packet_of(&p->sc, PPP_LCP, PPP_TERMINATE_ACK, end_last(&p->sc, 0, 0)->bytes[5], 0);
	assert_int_equal(p->sc.downs, 1);
	assert_int_equal(p->sc.why.cause, PPP_CAUSE_NEGOTIATION);
	assert_string_equal(p->sc.why.text, "LCP: peer refuses to authenticate");
}

static void peer_that_offers_pap_only_is_refused(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	end_packet_of(&p->sc, PPP_LCP, PPP_CONFIGURE_NAK, 0, 3, 4, 0xc0, 0x23);
	pair_run(p, 10000);
	assert_int_equal(p->sc.why.cause, PPP_CAUSE_NEGOTIATION);
	assert_non_null(strstr(p->sc.why.text, "PAP"));
	assert_int_equal(end_count(&p->sc, PPP_LCP, PPP_TERMINATE_REQUEST), 2); /* Max-Terminate */
}

static void malformed_requests_change_nothing(void **state)
{
	static const struct {
		const char *name;
		uint8_t frame[24];
		size_t len;
	} table[] = {
		{"no header", {0xc0, 0x21}, 2},
		{"half a header", {0xc0, 0x21, 1, 1}, 4},
		{"length below the header", {0xc0, 0x21, 1, 1, 0, 3}, 6},
		{"length beyond the frame", {0xc0, 0x21, 1, 1, 0, 9, 1, 4, 5}, 9},
		{"option without length", {0xc0, 0x21, 1, 1, 0, 5, 1}, 7},
		{"option of length 0", {0xc0, 0x21, 1, 1, 0, 6, 1, 0}, 8},
		{"option of length 1", {0xc0, 0x21, 1, 1, 0, 6, 1, 1}, 8},
		{"option beyond the packet", {0xc0, 0x21, 1, 1, 0, 8, 1, 5, 5, 0xb4}, 10},
		{"option beyond the packet, into the padding", {0xc0, 0x21, 1, 1, 0, 6, 1, 4, 5, 0xb4}, 10},
		{"second option cut", {0xc0, 0x21, 1, 1, 0, 11, 1, 4, 5, 0xb4, 5, 6, 1}, 13},
		{"octet left over", {0xc0, 0x21, 1, 1, 0, 9, 1, 4, 5, 0xb4, 5}, 11},
		{"Ack with a cut option", {0xc0, 0x21, 2, 0, 0, 6, 1, 4}, 8},
		{"Nak with a cut option", {0xc0, 0x21, 3, 0, 0, 6, 1, 4}, 8},
		{"Nak without options", {0xc0, 0x21, 3, 0, 0, 4}, 6},
		{"Reject with a cut option", {0xc0, 0x21, 4, 0, 0, 6, 1, 4}, 8},
		{"Reject without options", {0xc0, 0x21, 4, 0, 0, 4}, 6},
		{"empty Code-Reject", {0xc0, 0x21, 7, 0, 0, 4}, 6},
	};
	struct pair *p = *state;
	struct ppp_counters *c = &p->sc.counters;

	pair_open(p);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		end_frame(&p->sc, table[i].frame, table[i].len);
		if (p->sc.sent_count != 1 || p->sc.link.lcp.state != PPP_REQ_SENT ||
			c->bad_frame + c->bad_option + c->bad_code != i + 1)
			fail_msg("%s", table[i].name);
	}
	end_ack(&p->sc, PPP_LCP);
	assert_int_equal(p->sc.link.lcp.state, PPP_ACK_RCVD);
}

/* proves: HS-L2TP-31 partial */
static void echo_is_answered_in_opened_only(void **state)
{
	struct pair *p = *state;
	uint32_t m;

	pair_open(p);
	m = p->sc.link.magic;
	end_packet_of(&p->sc, PPP_LCP, PPP_ECHO_REQUEST, 5, 1, 2, 3, 4);
	assert_null(end_last(&p->sc, PPP_LCP, PPP_ECHO_REPLY));
	assert_int_equal(p->sc.counters.bad_phase, 1);
	end_lcp_open(&p->sc, false);
	end_packet_of(&p->sc, PPP_LCP, PPP_ECHO_REQUEST, 5, 1, 2, 3, 4, 'd', 'a', 't', 'a');
	ASSERT_FRAME(end_last(&p->sc, 0, 0), 0xff, 0x03, 0xc0, 0x21, 10, 5, 0, 12, (uint8_t)(m >> 24),
		(uint8_t)(m >> 16), (uint8_t)(m >> 8), (uint8_t)m, 'd', 'a', 't', 'a');
	end_packet_of(&p->sc, PPP_LCP, PPP_ECHO_REQUEST, 6, 0, 0, 0,
		0); /* a peer that did not negotiate Magic-Number */
	assert_int_equal(end_last(&p->sc, 0, 0)->bytes[5], 6);
	assert_int_equal(p->sc.counters.echo_rx, 2);
}

static void echo_and_discard_without_magic_are_malformed(void **state)
{
	struct pair *p = *state;
	size_t n;

	pair_open(p);
	end_lcp_open(&p->sc, false);
	n = p->sc.sent_count;
	end_packet_of(&p->sc, PPP_LCP, PPP_ECHO_REQUEST, 6, 1, 2, 3);
	end_packet(&p->sc, PPP_LCP, PPP_ECHO_REPLY, 6, "", 0);
	end_packet_of(&p->sc, PPP_LCP, PPP_DISCARD_REQUEST, 6, 1);
	assert_int_equal(p->sc.counters.bad_frame, 3);
	end_packet_of(&p->sc, PPP_LCP, PPP_DISCARD_REQUEST, 6, 1, 2, 3, 4);
	end_packet_of(&p->sc, PPP_LCP, PPP_ECHO_REPLY, 6, 1, 2, 3, 4); /* we have not asked */
	assert_int_equal(p->sc.counters.bad_id, 1);
	assert_int_equal(p->sc.sent_count, n);
}

static void echo_reply_fits_the_peers_mru(void **state)
{
	struct pair *p = *state;
	uint8_t data[1500] = {0};

	pair_open(p);
	end_packet_of(&p->sc, PPP_LCP, PPP_CONFIGURE_REQUEST, 7, 1, 4, 0x05, 0x00);
	end_ack(&p->sc, PPP_LCP);
	end_packet(&p->sc, PPP_LCP, PPP_ECHO_REQUEST, 5, data, sizeof(data));
	assert_int_equal(end_last(&p->sc, PPP_LCP, PPP_ECHO_REPLY)->len, 1280 + 4);
}

static void echo_with_our_own_magic_is_a_loop(void **state)
{
	struct pair *p = *state;
	uint32_t m;
	uint8_t magic[4];

	pair_open(p);
	end_lcp_open(&p->sc, false);
	m = p->sc.link.magic;
	for (int i = 0; i < 4; i++)
		magic[i] = (uint8_t)(m >> (24 - 8 * i));
	end_packet(&p->sc, PPP_LCP, PPP_ECHO_REQUEST, 5, magic, 4);
	assert_int_equal(p->sc.downs, 1);
	assert_int_equal(p->sc.why.cause, PPP_CAUSE_LOOP);
	assert_null(end_last(&p->sc, PPP_LCP, PPP_ECHO_REPLY));
}

static void equal_magic_numbers_in_between_are_no_loop(void **state)
{
	struct pair *p = *state;
	uint32_t m;

	pair_open(p);
	m = p->sc.link.magic;
	for (uint8_t i = 0; i < 6; i++) {
		end_packet_of(&p->sc, PPP_LCP, PPP_CONFIGURE_REQUEST, i, 5, 6, (uint8_t)(m >> 24),
			(uint8_t)(m >> 16), (uint8_t)(m >> 8), (uint8_t)m);
		assert_int_equal(end_last(&p->sc, 0, 0)->bytes[4], PPP_CONFIGURE_NAK);
		end_packet_of(&p->sc, PPP_LCP, PPP_CONFIGURE_REQUEST, i, 5, 6, 1, 2, 3, 4);
		assert_int_equal(end_last(&p->sc, 0, 0)->bytes[4], PPP_CONFIGURE_ACK);
	}
	assert_false(p->sc.link.failing);
	assert_int_equal(p->sc.counters.loops, 6);
}

/* The digest that tells a retransmission is short and no secret: two requests that have the same one are easily found. */
static uint16_t digest(uint8_t id, const uint8_t *options, size_t len)
{
	uint32_t h = (2166136261u ^ id) * 16777619u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ options[i]) * 16777619u;
	return (uint16_t)(h ^ h >> 16);
}

static void another_request_with_the_same_digest_is_not_in_force(void **state)
{
	static const uint8_t first[] = {1, 4, 0x05, 0xb4, 5, 6, 1, 2, 3, 4};
	uint8_t other[] = {1, 4, 0, 1, 5, 6, 0, 0, 0, 0};
	struct pair *p = *state;

	p->sc.config.demand_auth = false;
	pair_open(p);
	end_lcp_open(&p->sc, false);
	assert_memory_equal(end_last(&p->sc, PPP_LCP, PPP_CONFIGURE_ACK)->bytes + 8, first, sizeof(first));
	for (uint32_t i = 1; digest(77, other, sizeof(other)) != digest(77, first, sizeof(first)); i++) {
		other[7] = (uint8_t)(i >> 16);
		other[8] = (uint8_t)(i >> 8);
		other[9] = (uint8_t)i;
	}
	end_packet(&p->sc, PPP_LCP, PPP_CONFIGURE_REQUEST, 77, other, sizeof(other));
	assert_int_equal(p->sc.link.lcp.state, PPP_OPENED);
	assert_int_equal(p->sc.link.peer_mru, 1460);
}

/* proves: HS-L2TP-31 partial */
static void unanswered_echoes_end_the_link(void **state)
{
	struct pair *p = *state;
	const struct sent *s;

	p->sc.config.demand_auth = false;
	p->sc.config.echo_ms = 30000;
	pair_open(p);
	end_lcp_open(&p->sc, false);
	pair_run(p, 30000);
	s = end_last(&p->sc, PPP_LCP, PPP_ECHO_REQUEST);
	assert_non_null(s);
	pair_run(p, 40000);
	assert_int_equal(end_count(&p->sc, PPP_LCP, PPP_ECHO_REQUEST), 2);
	s = end_last(&p->sc, PPP_LCP, PPP_ECHO_REQUEST);
	end_packet_of(&p->sc, PPP_LCP, PPP_ECHO_REPLY, s->bytes[5], 1, 2, 3, 4); /* counts from anew */
	pair_run(p, 90000);
	assert_int_equal(p->sc.downs, 0);
	pair_run(p, 25000);
	assert_int_equal(p->sc.downs, 1);
	assert_int_equal(p->sc.why.cause, PPP_CAUSE_TIMEOUT);
	assert_string_equal(p->sc.why.text, "LCP: 3 Echo-Requests unanswered");
	assert_int_equal(p->sc.counters.echo_tx, 5);
}

static void unknown_code_is_rejected(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	end_frame(&p->sc, (const uint8_t[]){0xc0, 0x21, 12, 3, 0, 6, 'i', 'd', 0, 0},
		10); /* two octets of padding */
	ASSERT_FRAME(end_last(&p->sc, 0, 0), 0xff, 0x03, 0xc0, 0x21, 7, 1, 0, 10, 12, 3, 0, 6, 'i', 'd');
	assert_int_equal(p->sc.counters.bad_code, 1);
}

static void code_reject_fits_the_peers_mru(void **state)
{
	struct pair *p = *state;
	uint8_t data[1500] = {0};

	pair_open(p);
	end_packet_of(&p->sc, PPP_LCP, PPP_CONFIGURE_REQUEST, 7, 1, 4, 0x05, 0x00);
	end_packet(&p->sc, PPP_LCP, 12, 5, data, sizeof(data));
	assert_int_equal(end_last(&p->sc, PPP_LCP, PPP_CODE_REJECT)->len, 1280 + 4);
}

static void code_reject_of_echo_stops_echoes_and_of_request_the_link(void **state)
{
	struct pair *p = *state;

	p->sc.config.demand_auth = false;
	p->sc.config.echo_ms = 10000;
	pair_open(p);
	end_lcp_open(&p->sc, false);
	end_packet_of(&p->sc, PPP_LCP, PPP_CODE_REJECT, 1, PPP_ECHO_REQUEST, 1, 0, 8, 0, 0, 0, 0);
	pair_run(p, 40000);
	assert_int_equal(p->sc.counters.echo_tx, 0);
	end_packet_of(&p->sc, PPP_LCP, PPP_CODE_REJECT, 2, PPP_CONFIGURE_REQUEST, 1, 0, 4);
	pair_run(p, 10000);
	assert_int_equal(p->sc.why.cause, PPP_CAUSE_NEGOTIATION);
	assert_string_equal(p->sc.why.text, "LCP: the peer does not know Configure-Request");
}

static void peer_that_naks_without_end_is_given_up(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	for (unsigned i = 0; i < 40 && !p->sc.link.failing; i++)
		end_packet_of(&p->sc, PPP_LCP, PPP_CONFIGURE_NAK, end_last(&p->sc, PPP_LCP, 1)->bytes[5], 1,
			4, 0x05, 0xdc);
	pair_run(p, 10000);
	assert_int_equal(p->sc.why.cause, PPP_CAUSE_NEGOTIATION);
	assert_string_equal(p->sc.why.text, "LCP: peer has refused 20 Configure-Requests");
}

static void peer_that_only_acknowledges_is_given_up(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	for (int i = 0; i < 100 && !p->sc.downs; i++) {
		end_ack(&p->sc, PPP_LCP);
		pair_run(p, 1500);
	}
	assert_int_equal(p->sc.why.cause, PPP_CAUSE_NEGOTIATION);
	assert_string_equal(p->sc.why.text, "LCP: no agreement within 66 s");
}

static void silence_is_given_up(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	pair_run(p, 60000);
	assert_int_equal(p->sc.downs, 1);
	assert_int_equal(p->sc.why.cause, PPP_CAUSE_TIMEOUT);
	assert_string_equal(p->sc.why.text, "LCP: no answer after 10 Configure-Requests");
	assert_int_equal(end_count(&p->sc, PPP_LCP, PPP_CONFIGURE_REQUEST), 10);
	assert_int_equal(ppp_link_deadline(&p->sc.link), MSEC_NEVER);
}

static void terminate_request_ends_the_link_with_the_peers_words(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	end_lcp_open(&p->sc, false);
	end_packet_of(&p->sc, PPP_LCP, PPP_TERMINATE_REQUEST, 9, 'b', 'y', 'e', '\n');
	ASSERT_FRAME(end_last(&p->sc, 0, 0), 0xff, 0x03, 0xc0, 0x21, 6, 9, 0, 4);
	assert_int_equal(p->sc.downs, 0); /* a pause, so that the Ack may be asked for again */
	end_packet_of(&p->sc, PPP_LCP, PPP_TERMINATE_REQUEST, 10, 'b', 'y', 'e', '\n');
	assert_int_equal(end_last(&p->sc, 0, 0)->bytes[5], 10);
	pair_run(p, 1000);
	assert_int_equal(p->sc.downs, 1);
	assert_int_equal(p->sc.why.cause, PPP_CAUSE_PEER);
	assert_string_equal(p->sc.why.text, "LCP terminated by peer: bye?");
}

static void terminate_request_during_negotiation_ends_the_link(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	end_packet_of(&p->sc, PPP_LCP, PPP_TERMINATE_REQUEST, 9, 'n', 'o');
	assert_non_null(end_last(&p->sc, PPP_LCP, PPP_TERMINATE_ACK));
	assert_non_null(end_last(&p->sc, PPP_LCP, PPP_TERMINATE_REQUEST));
	end_packet_of(&p->sc, PPP_LCP, PPP_TERMINATE_ACK, 1, 0);
	assert_string_equal(p->sc.why.text, "LCP terminated by peer: no");
}

static void protocols_before_lcp_is_open_are_dropped(void **state)
{
	struct pair *p = *state;

	pair_open(p);
	end_packet_of(&p->sc, PPP_CHAP, CHAP_CHALLENGE, 1, 1, 1);
	end_packet_of(&p->sc, PPP_IPV6CP, PPP_CONFIGURE_REQUEST, 1, 1, 10, 0, 0, 0, 0, 0, 0, 0, 5);
	end_packet_of(&p->sc, 0xc025, 1, 1, 0);
	assert_int_equal(p->sc.counters.bad_phase, 3);
	assert_int_equal(p->sc.sent_count, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(concentrator_asks_for_mru_authentication_and_magic),
		TEST(anonymous_concentrator_does_not_ask_for_authentication),
		TEST(rejects_pfc_and_acfc),
		TEST(rejects_quality_and_never_asks_for_it),
		TEST(rejects_unknown_options),
		TEST(mru_is_1500_unless_negotiated),
		TEST(naks_an_mru_too_small_for_ipv6),
		TEST(options_of_wrong_length_are_naked_with_a_right_one),
		TEST(takes_a_smaller_mru_that_the_peer_suggests),
		TEST(other_authentication_is_naked_with_chap_md5),
		TEST(refuses_to_authenticate_when_told_so),
		TEST(peer_that_rejects_authentication_is_refused),
		TEST(peer_that_offers_pap_only_is_refused),
		TEST(malformed_requests_change_nothing),
		TEST(echo_is_answered_in_opened_only),
		TEST(echo_and_discard_without_magic_are_malformed),
		TEST(echo_reply_fits_the_peers_mru),
		TEST(echo_with_our_own_magic_is_a_loop),
		TEST(equal_magic_numbers_in_between_are_no_loop),
		TEST(another_request_with_the_same_digest_is_not_in_force),
		TEST(unanswered_echoes_end_the_link),
		TEST(unknown_code_is_rejected),
		TEST(code_reject_fits_the_peers_mru),
		TEST(code_reject_of_echo_stops_echoes_and_of_request_the_link),
		TEST(peer_that_naks_without_end_is_given_up),
		TEST(peer_that_only_acknowledges_is_given_up),
		TEST(silence_is_given_up),
		TEST(terminate_request_ends_the_link_with_the_peers_words),
		TEST(terminate_request_during_negotiation_ends_the_link),
		TEST(protocols_before_lcp_is_open_are_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
