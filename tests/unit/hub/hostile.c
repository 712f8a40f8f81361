/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a peer may try: second sessions, outgoing calls, other protocols, malformed packets of every layer. And memory. */
#include <errno.h>
#include <stddef.h>

#include "pair.h"

#include "dataplane/table.h"

static void check_still_up(const struct pair *p)
{
	assert_int_equal(p->sc.downs + p->si.downs, 0);
	assert_int_equal(
		p->sc.family_downs + p->si.family_downs + p->sc.family_downs4 + p->si.family_downs4, 0);
	assert_true(p->sc.softwire->up6 && p->si.softwire->up6);
	assert_int_equal(p->sc.softwire->step, STEP_UP);
	assert_int_equal(p->si.softwire->step, STEP_UP);
}

/* ---- L2TP ---- */

static const uint8_t icrq[] = {
	0x80, 8, 0, 0, 0, 0, 0, 10,        /* Message Type: ICRQ */
	0x80, 8, 0, 0, 0, 14, 0x77, 0x77,  /* Assigned Session ID */
	0x80, 10, 0, 0, 0, 15, 0, 0, 0, 2, /* Call Serial Number */
};

/* proves: HS-L2TP-4 */
static void a_second_session_is_refused_while_the_first_lives(void **state)
{
	struct pair *p = pair_new();
	size_t start;

	pair_up(p);
	start = p->line_count;
	pair_control(&p->sc, 0, icrq, sizeof(icrq));
	assert_int_equal(pair_sent(p, start, "SC l2tp CDN"), 1);
	assert_int_equal(pair_sent(p, start, "ICRP"), 0);
	assert_int_equal(p->sc.softwire->tunnel.peer_session, 0x5102);
	check_still_up(p);
	pair_free(p);
}

/* proves: HS-L2TP-5, HS-L2TP-1 partial */
static void an_initiator_accepts_no_session(void **state)
{
	struct pair *p = pair_new();
	size_t start;

	pair_up(p);
	start = p->line_count;
	pair_control(&p->si, 0, icrq, sizeof(icrq));
	assert_int_equal(pair_sent(p, start, "SI l2tp CDN"), 1);
	assert_int_equal(pair_sent(p, start, "ICRP"), 0);
	check_still_up(p);
	pair_free(p);
}

/* proves: HS-L2TP-6 */
static void outgoing_calls_are_refused(void **state)
{
	static const uint8_t ocrq[] = {
		0x80, 8, 0, 0, 0, 0, 0, 7,           /* Message Type: OCRQ */
		0x80, 8, 0, 0, 0, 14, 0x77, 0x77,    /* Assigned Session ID */
		0x80, 10, 0, 0, 0, 15, 0, 0, 0, 2,   /* Call Serial Number */
		0x80, 10, 0, 0, 0, 16, 0, 0, 0, 0,   /* Minimum BPS */
		0x80, 10, 0, 0, 0, 17, 0, 1, 0, 0,   /* Maximum BPS */
		0x80, 10, 0, 0, 0, 18, 0, 0, 0, 1,   /* Bearer Type */
		0x80, 10, 0, 0, 0, 19, 0, 0, 0, 1,   /* Framing Type */
		0x80, 9, 0, 0, 0, 21, '5', '5', '5', /* Called Number */
	};

	for (int n = 0; n < 2; n++) {
		struct pair *p = pair_new();
		size_t start;

		pair_up(p);
		start = p->line_count;
		pair_control(n ? &p->si : &p->sc, 0, ocrq, sizeof(ocrq));
		assert_int_equal(pair_sent(p, start, n ? "SI l2tp CDN" : "SC l2tp CDN"), 1);
		assert_int_equal(pair_sent(p, start, "OCRP"), 0);
		check_still_up(p);
		pair_free(p);
	}
}

/* An SCCRQ to an initiator, and one that is not acceptable at a concentrator, leave nothing behind. */
static void an_sccrq_that_is_refused_costs_nothing(void **state)
{
	static const struct {
		const char *name;
		uint8_t bytes[64];
		size_t len;
		bool answered;
	} cases[] = {
		{"a data packet", {0x00, 0x02, 0, 0, 0, 0}, 6, false},
		{"cut in the header", {0xc8, 0x02, 0, 12, 0, 0}, 6, false},
		{"length beyond the packet", {0xc8, 0x02, 0, 99, 0, 0, 0, 0, 0, 0, 0, 0}, 12, false},
		{"wrong version", {0xc8, 0x03, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0}, 12, false},
		{"an AVP of length 0", {0xc8, 0x02, 0, 18, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0}, 18,
			true},
		{"nothing but a Message Type",
			{0xc8, 0x02, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 8, 0, 0, 0, 0, 0, 1}, 20, true},
		{"Message Type is not first",
			{0xc8, 0x02, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 8, 0, 0, 0, 9, 0, 1}, 20, true},
		{"a HELLO", {0xc8, 0x02, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 8, 0, 0, 0, 0, 0, 6}, 20, true},
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct pair *p = pair_new();

		p->sc_engine.softwire.tracing = true;
		if (softwire_sc_accept(&p->sc_engine, &p->sc.config, 1, 2, cases[n].bytes, cases[n].len,
			    PAIR_MTU, p->now) != -EBADMSG)
			fail_msg("%s was accepted", cases[n].name);
		if ((p->tail != p->head) != cases[n].answered)
			fail_msg("%s: answered %d", cases[n].name, !cases[n].answered);
		assert_int_equal(p->wheel.armed, 0);
		assert_int_equal(p->sc.downs + p->sc.released, 0);
		assert_int_equal(p->sc.asked[ASK_TUNNEL_SECRET], 0);
		assert_true(p->sc.notes > 0);
		pair_free(p);
	}
}

/* ---- PPP ---- */

/* proves: HS-PPP-15, HS-PPP-20 partial */
static void other_network_protocols_are_rejected(void **state)
{
	static const uint16_t protocols[] = {
		PPP_IPCP, 0x80fd /* CCP */, 0x8053 /* ECP */, 0x8281 /* MPLSCP */};
	struct pair *p = pair_new();

	pair_up(p);
	for (size_t n = 0; n < sizeof(protocols) / sizeof(*protocols); n++) {
		size_t start = p->line_count;

		pair_frame_of(&p->sc, protocols[n], 1, 1, 0, 10, 3, 6, 0, 0, 0, 0);
		assert_int_equal(pair_sent(p, start, "SC ppp LCP Protocol-Reject"), 1);
	}
	assert_int_equal(p->sc.counters.ppp.protocol_rejects_tx, 4);
	check_still_up(p);
	pair_free(p);
}

static void an_ipv4_packet_is_rejected_too(void **state)
{
	struct pair *p = pair_new();
	size_t start;

	pair_up(p);
	start = p->line_count;
	pair_frame_of(&p->sc, PPP_IP, 0x45, 0, 0, 20);
	assert_int_equal(pair_sent(p, start, "Protocol-Reject"), 1);
	check_still_up(p);
	pair_free(p);
}

/* ---- data frames ---- */

struct bad_frame {
	const char *name;
	uint16_t protocol;
	uint8_t bytes[48];
	size_t len;
};

/* proves: SEC-HS-22 partial */
static void malformed_frames_change_nothing(void **state)
{
	static const struct bad_frame cases[] = {
		{"LCP without a header", PPP_LCP, {9}, 1},
		{"LCP whose length is beyond the frame", PPP_LCP, {9, 1, 0, 200, 0, 0, 0, 0}, 8},
		{"LCP whose length is below its header", PPP_LCP, {9, 1, 0, 3}, 4},
		{"LCP Configure-Ack that nobody asked for", PPP_LCP, {2, 77, 0, 4}, 4},
		{"LCP Configure-Nak that nobody asked for", PPP_LCP, {3, 77, 0, 4}, 4},
		{"LCP Configure-Reject that nobody asked for", PPP_LCP, {4, 77, 0, 4}, 4},
		{"LCP Configure-Request with an option of length 0", PPP_LCP, {1, 9, 0, 8, 1, 0, 5, 0xb4}, 8},
		{"LCP Echo-Reply with a foreign id", PPP_LCP, {10, 200, 0, 8, 1, 2, 3, 4}, 8},
		{"LCP Discard-Request", PPP_LCP, {11, 1, 0, 8, 1, 2, 3, 4}, 8},
		{"CHAP without a header", PPP_CHAP, {2}, 1},
		{"CHAP Response with a foreign id", PPP_CHAP, {2, 99, 0, 22, 16, 1, 2, 3}, 22},
		{"CHAP Challenge whose value is beyond it", PPP_CHAP, {1, 9, 0, 8, 200, 1, 2, 3}, 8},
		{"CHAP Failure", PPP_CHAP, {4, 1, 0, 4}, 4},
		{"CHAP Success again", PPP_CHAP, {3, 1, 0, 4}, 4},
		{"IPV6CP without a header", PPP_IPV6CP, {1, 2}, 2},
		{"IPV6CP Configure-Request cut in its option", PPP_IPV6CP, {1, 9, 0, 8, 1, 10, 0, 0}, 8},
		{"IPV6CP Configure-Ack that nobody asked for", PPP_IPV6CP, {2, 88, 0, 4}, 4},
		{"IPCP without a header", PPP_IPCP, {1, 2}, 2},
		{"IPCP Configure-Request cut in its option", PPP_IPCP, {1, 9, 0, 8, 3, 6, 192, 0}, 8},
		{"IPCP Configure-Request with an option of length 0", PPP_IPCP, {1, 9, 0, 8, 3, 0, 0, 0}, 8},
		{"IPCP Configure-Ack that nobody asked for", PPP_IPCP, {2, 88, 0, 4}, 4},
		{"IPCP Configure-Nak that nobody asked for", PPP_IPCP, {3, 88, 0, 10, 3, 6, 10, 0, 0, 1}, 10},
		{"IPv4 of no bytes", PPP_IP, {0}, 0},
		{"IPv4 cut in the header", PPP_IP, {0x45, 0, 0, 20, 0, 0}, 6},
		{"IPv6 in an IPv4 frame", PPP_IP, {0x60, 0, 0, 0, 0, 0, 58, 255}, 40},
		{"IPv4 whose payload is beyond the frame", PPP_IP, {0x45, 0, 0, 99, 0, 0, 0, 0, 64, 17}, 20},
		{"IPv6 of no bytes", PPP_IPV6, {0}, 0},
		{"IPv6 cut in the header", PPP_IPV6, {0x60, 0, 0, 0, 0, 0}, 6},
		{"IPv4 in an IPv6 frame", PPP_IPV6, {0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17}, 20},
		{"IPv6 whose payload is beyond the frame", PPP_IPV6,
			{0x60, 0, 0, 0, 0, 99, 58, 255, 0xfe, 0x80}, 40},
	};

	for (int end = 0; end < 2; end++) {
		struct pair *p = pair_new();
		struct side *to = end ? &p->si : &p->sc;

		pair_ipv4(p);
		pair_up(p);
		for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
			struct softwire_counters before = to->counters;
			msec deadline = to->softwire->timer.deadline;

			pair_frame(to, cases[n].protocol, cases[n].bytes, cases[n].len);
			if (to->downs || to->family_downs || to->family_downs4 || !to->softwire->up6 ||
				!to->softwire->up4)
				fail_msg("%s ended the softwire", cases[n].name);
			if (memcmp(&before, &to->counters, sizeof(before)) == 0)
				fail_msg("%s was not counted", cases[n].name);
			if (to->softwire->timer.deadline < deadline)
				fail_msg("%s armed a timer", cases[n].name);
		}
		pair_run(p, 300000);
		check_still_up(p);
		pair_free(p);
	}
}

static void payloads_that_are_not_for_this_session_are_counted(void **state)
{
	static const uint8_t short_header[] = {0x00, 0x02, 0x5c};
	static const uint8_t version_3[] = {0x00, 0x03, 0x5c, 0x01, 0x5c, 0x02, 0xff, 0x03, 0, 0x57};
	static const uint8_t other_session[] = {0x00, 0x02, 0x5c, 0x01, 0x00, 0x07, 0xff, 0x03, 0, 0x57};
	static const uint8_t no_protocol[] = {0x00, 0x02, 0x5c, 0x01, 0x5c, 0x02, 0xff, 0x03};
	static const uint8_t empty[] = {0x00, 0x02, 0x5c, 0x01, 0x5c, 0x02};
	struct pair *p = pair_new();

	pair_up(p);
	pair_payload(&p->sc, short_header, sizeof(short_header));
	pair_payload(&p->sc, version_3, sizeof(version_3));
	pair_payload(&p->sc, short_header, 0);
	assert_int_equal(p->sc.counters.bad_header, 3);
	pair_payload(&p->sc, other_session, sizeof(other_session));
	assert_int_equal(p->sc.counters.bad_session, 1);
	pair_payload(&p->sc, no_protocol, sizeof(no_protocol));
	pair_payload(&p->sc, empty, sizeof(empty));
	assert_int_equal(p->sc.counters.bad_frame, 2);
	check_still_up(p);
	pair_free(p);
}

/* ND and DHCPv6 that lie about lengths, checksums and hop limits. */
static void malformed_link_local_packets_change_nothing(void **state)
{
	struct pair *p = pair_new();
	struct addr src, dst = nd_all_nodes();
	uint8_t buf[PAIR_PACKET];

	pair_up(p);
	src = nd_link_local(p->sc.softwire->ppp.iid);
	for (int damage = 0; damage < 6; damage++) {
		struct writer w = writer_of(buf, sizeof(buf));
		struct nd_advert a = {.hop_limit = 64, .router_lifetime = 0};
		struct softwire_si_state before = p->si_engine.state;
		uint64_t bad = p->si.counters.nd.bad_packet;
		size_t len;

		nd_ra_write(&w, &src, &dst, &a);
		len = writer_len(&w);
		if (damage == 0)
			buf[7] = 64; /* came through a router */
		else if (damage == 1)
			buf[42] ^= 1; /* checksum */
		else if (damage == 2)
			buf[41] = 1; /* code */
		else if (damage == 3)
			buf[5] = 8; /* shorter than an RA */
		else if (damage == 4)
			buf[8] = 0x20; /* not from a link-local address */
		else
			len = 44;
		pair_frame(&p->si, PPP_IPV6, buf, len);
		assert_memory_equal(&before, &p->si_engine.state, sizeof(before));
		assert_true(p->si.counters.nd.bad_packet > bad || p->si.counters.bad_payload > 0);
	}
	check_still_up(p);
	pair_free(p);
}

/* Every byte of every packet of set-up is damaged once: the engines recover, or end in good order; nothing else. */
static bool damage(struct pair *p, struct side *from, uint8_t *packet, size_t *len)
{
	unsigned target = p->hooked >> 8, offset = p->hooked & 0xff;

	if (p->tail == target && offset < *len)
		packet[offset] ^= (uint8_t)(1u << (offset % 8));
	return true;
}

static void damaged_packets_of_set_up_do_no_harm(void **state)
{
	unsigned up = 0, ended = 0;

	for (unsigned target = 0; target < 42; target++)
		for (unsigned offset = target % 4; offset < 120; offset += 4) {
			struct pair *p = pair_new();

			pair_ipv4(p);
			pair_subnet(p, "203.0.113.0/28");
			p->lease.dhcp4 = offset & 1;
			p->hooked = target << 8 | offset;
			p->hook = damage;
			pair_open(p);
			pair_run(p, 250000);
			assert_true(p->si.downs <= 1 && p->sc.downs <= 1);
			if (p->si.downs) {
				ended++;
				assert_int_equal(p->si.released, 1);
			} else {
				up++;
				assert_true(
					p->si.softwire->up6 ||
					p->si.softwire->up4); /* the other NCP was damaged into a refusal */
			}
			pair_free(p);
		}
	assert_true(up > ended); /* retransmission mends most of it */
}

/* ---- memory ---- */

/* Both families, with a /64, a delegated prefix and an IPv4 address, which is what most have; each further prefix costs sizeof(struct prefix). */
static void a_softwire_that_is_up_holds_nothing_of_set_up(void **state)
{
	struct pair *p = pair_new();
	size_t lease, held;

	pair_ipv4(p);
	p->sc.tunnel_secret = p->si.tunnel_secret = "rabbit";
	pair_up(p);
	pair_run(p, 10000);
	for (int n = 0; n < 2; n++) {
		const struct softwire *s = n ? p->si.softwire : p->sc.softwire;

		assert_null(s->tunnel.setup);
		assert_null(s->tunnel.outgoing);
		assert_null(s->tunnel.early);
		assert_null(s->ppp.auth);
		assert_null(s->ppp.why);
		assert_null(s->why);
	}
	assert_null(p->sc_engine.dhcp6.pending);
	assert_int_equal(p->lease.prefix_count, 1);
	lease = offsetof(struct softwire_lease, delegated) + sizeof(struct prefix);
	held = sizeof(struct softwire_sc) + lease + sizeof(struct dp_row);
	printf("bytes: softwire %zu (tunnel %zu, ppp %zu, node %zu), softwire_sc %zu, lease %zu, dp_row %zu, "
	       "all at the SC "
	       "%zu; softwire_si %zu\n",
		sizeof(struct softwire), sizeof(struct l2tp_tunnel), sizeof(struct ppp_link),
		sizeof(struct nd_node), sizeof(struct softwire_sc), lease, sizeof(struct dp_row), held,
		sizeof(struct softwire_si));
	assert_true(held <= 1024); /* doc/architecture.md */
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second_session_is_refused_while_the_first_lives),
		cmocka_unit_test(an_initiator_accepts_no_session),
		cmocka_unit_test(outgoing_calls_are_refused),
		cmocka_unit_test(an_sccrq_that_is_refused_costs_nothing),
		cmocka_unit_test(other_network_protocols_are_rejected),
		cmocka_unit_test(an_ipv4_packet_is_rejected_too),
		cmocka_unit_test(malformed_frames_change_nothing),
		cmocka_unit_test(payloads_that_are_not_for_this_session_are_counted),
		cmocka_unit_test(malformed_link_local_packets_change_nothing),
		cmocka_unit_test(damaged_packets_of_set_up_do_no_harm),
		cmocka_unit_test(a_softwire_that_is_up_holds_nothing_of_set_up),
	};

	return cmocka_run_group_tests_name("hub hostile", tests, NULL, NULL);
}
