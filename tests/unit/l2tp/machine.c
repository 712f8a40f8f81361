/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages that do not belong where they come: refused, ignored or the end, as RFC 2661 section 7 and RFC 5571 have it. */
#include "pipe.h"

#include <string.h>

#define TYPE(t)         0x80, 0x08, 0, 0, 0, 0, 0, (t)
#define SESSION(hi, lo) 0x80, 0x08, 0, 0, 0, 14, (hi), (lo)
#define SERIAL          0x80, 0x0a, 0, 0, 0, 15, 0, 0, 0, 1
#define SIZED(...)      (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static struct pipe p;

static int setup(void **state)
{
	pipe_init(&p);
	pipe_up(&p);
	return 0;
}

static int teardown(void **state)
{
	pipe_done(&p);
	return 0;
}

static const char *last_line(const struct end *e)
{
	static char line[400];

	l2tp_packet_print(e->last.data, e->last.len, line, sizeof(line));
	return line;
}

/* proves: HS-L2TP-4 */
static void a_second_session_is_refused_and_the_first_lives(void **state)
{
	pipe_forge(&p.si, 0, SIZED(TYPE(10), SESSION(0x55, 0x55), SERIAL));
	pipe_expect(&p, "<CDN");
	assert_non_null(strstr(last_line(&p.sc), "session=21845"));
	assert_non_null(
		strstr(last_line(&p.sc), "result=5 error=0 message=\"one session per tunnel (RFC 5571)\""));
	assert_null(strstr(last_line(&p.sc), "assigned-session=17476")); /* 0x4444 is the first one's */
	pipe_run(&p, p.now);
	assert_true(l2tp_tunnel_is_established(&p.sc.t));
	assert_true(l2tp_tunnel_is_established(&p.si.t));
	assert_int_equal(p.sc.t.peer_session, 0x3333);
	/* the initiator may end the refused one, and it changes nothing */
	pipe_forge(&p.si, 0, SIZED(TYPE(14), 0x80, 8, 0, 0, 0, 1, 0, 3, SESSION(0x55, 0x55)));
	assert_true(l2tp_tunnel_is_established(&p.sc.t));
	pipe_forge(&p.si, 0, SIZED(TYPE(10), SESSION(0x55, 0x55), SERIAL, 0x80, 6, 0, 0, 0, 99));
	assert_non_null(strstr(last_line(&p.sc), "result=2 error=8"));
	assert_true(l2tp_tunnel_is_established(&p.sc.t));
}

/* proves: HS-L2TP-6 */
static void outgoing_calls_are_refused(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct end *from = i ? &p.si : &p.sc, *to = i ? &p.sc : &p.si;

		pipe_forge(from, 0, SIZED(TYPE(7), SESSION(0x55, 0x55), SERIAL));
		pipe_expect(&p, i ? "<CDN" : ">CDN");
		assert_non_null(strstr(last_line(to), "message=\"no outgoing calls (RFC 5571)\""));
		pipe_forge(from, 0x5555, SIZED(TYPE(8), SESSION(0x55, 0x55)));
		pipe_forge(from, 0x5555, SIZED(TYPE(9)));
		pipe_run(&p, p.now);
		p.trace[0] = '\0';
		assert_true(l2tp_tunnel_is_established(&to->t));
	}
}

/* proves: HS-L2TP-5 */
static void the_initiator_refuses_a_session_of_the_concentrators(void **state)
{
	pipe_forge(&p.sc, 0, SIZED(TYPE(10), SESSION(0x55, 0x55), SERIAL));
	pipe_expect(&p, ">CDN");
	assert_non_null(strstr(last_line(&p.si), "only the initiator opens a session (RFC 5571)"));
	assert_true(l2tp_tunnel_is_established(&p.si.t));
}

static void messages_about_a_line_are_ignored(void **state)
{
	pipe_forge(&p.sc, 0x3333, SIZED(TYPE(16), 0x80, 16, 0, 0, 0, 35, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
	pipe_forge(&p.si, 0x4444, SIZED(TYPE(15), 0x80, 10, 0, 0, 0, 34, 0, 0, 0, 0));
	pipe_expect(&p, ">ZLB <ZLB");
	assert_true(l2tp_tunnel_is_established(&p.si.t));
	assert_true(l2tp_tunnel_is_established(&p.sc.t));
}

static void unknown_messages_by_their_m_bit(void **state)
{
	pipe_forge(&p.si, 0, SIZED(0, 8, 0, 0, 0, 0, 0, 99));
	pipe_expect(&p, "<ZLB");
	assert_true(l2tp_tunnel_is_established(&p.sc.t));
	assert_string_equal(p.sc.note, "unknown message type 99 ignored");
	pipe_forge(&p.si, 0, SIZED(0x80, 8, 0, 0, 0, 0, 0, 99));
	pipe_expect(&p, "<CDN <StopCCN");
	assert_int_equal(p.sc.why.cause, L2TP_CAUSE_PROTOCOL);
	assert_string_equal(p.sc.why.text, "unknown message type 99");
	assert_int_equal(p.sc.counters.bad_message, 2);
}

/* proves: HS-L2TP-3 partial */
static void what_ends_the_tunnel(void **state)
{
	const struct {
		const char *name;
		uint16_t session;
		const uint8_t *body;
		size_t len;
		uint16_t result, error;
		const char *text;
	} bad[] = {
		{"unknown mandatory AVP", 0, SIZED(TYPE(6), 0x80, 6, 0, 0, 0, 99), 2, 8,
			"unknown mandatory AVP 99 of vendor 0 in HELLO"},
		{"the same in a message of the session", 0x4444, SIZED(TYPE(15), 0x80, 6, 0, 0, 0, 99), 2, 8,
			"unknown mandatory AVP 99 of vendor 0 in WEN"},
		{"broken AVP list", 0, SIZED(TYPE(6), 0x80), 2, 2, "HELLO: AVP list is truncated"},
		{"SCCCN again", 0, SIZED(TYPE(3)), 7, 0, "SCCCN in state established"},
		{"SCCRP at the concentrator", 0,
			SIZED(TYPE(2), 0x80, 8, 0, 0, 0, 2, 1, 0, 0x80, 7, 0, 0, 0, 7, 'x', 0x80, 10, 0, 0, 0,
				3, 0, 0, 0, 1, 0x80, 8, 0, 0, 0, 9, 1, 1),
			7, 0, "SCCRP in state established"},
		{"ICRP at the concentrator", 0x4444, SIZED(TYPE(11), SESSION(1, 1)), 7, 0,
			"ICRP in state established"},
		{"ICCN again", 0x4444,
			SIZED(TYPE(12), 0x80, 10, 0, 0, 0, 24, 0, 0, 0, 0, 0x80, 10, 0, 0, 0, 19, 0, 0, 0, 1),
			7, 0, "ICCN in state established"},
		{"ICCN without its AVPs", 0x4444, SIZED(TYPE(12)), 2, 3, "ICCN lacks AVP 19 (Framing Type)"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		pipe_done(&p);
		setup(state);
		pipe_forge(&p.si, bad[i].session, bad[i].body, bad[i].len);
		pipe_expect(&p, "<CDN <StopCCN");
		if (p.sc.closed != 1)
			fail_msg("%s did not end it", bad[i].name);
		assert_string_equal(p.sc.why.text, bad[i].text);
		assert_int_equal(p.sc.why.cause, L2TP_CAUSE_PROTOCOL);
		assert_int_equal(p.sc.why.result, bad[i].result);
		assert_int_equal(p.sc.why.error, bad[i].error);
	}
}

static void what_names_no_session_of_ours_is_ignored(void **state)
{
	pipe_forge(&p.si, 0x9999, SIZED(TYPE(12)));
	pipe_forge(&p.si, 0x9999, SIZED(TYPE(11), SESSION(1, 1)));
	pipe_forge(&p.si, 0x9999, SIZED(TYPE(14), 0x80, 8, 0, 0, 0, 1, 0, 3, SESSION(0x33, 0x33)));
	assert_int_equal(p.sc.counters.unexpected, 3);
	assert_true(l2tp_tunnel_is_established(&p.sc.t));
}

/* proves: SEC-HS-22 partial, HS-L2TP-23 partial */
static void a_teardown_must_name_the_peers_id(void **state)
{
	uint16_t nr = p.sc.t.nr;

	pipe_inject(&p.sc, 0, nr, p.sc.t.ns,
		SIZED(TYPE(4), 0x80, 8, 0, 0, 0, 9, 0x99, 0x99, 0x80, 8, 0, 0, 0, 1, 0, 1));
	pipe_inject(&p.sc, 0, nr, p.sc.t.ns, SIZED(TYPE(4)));
	pipe_inject(&p.sc, 0x4444, nr, p.sc.t.ns,
		SIZED(TYPE(14), 0x80, 8, 0, 0, 0, 1, 0, 3, SESSION(0x99, 0x99)));
	pipe_expect(&p, "");
	assert_true(l2tp_tunnel_is_established(&p.sc.t));
	assert_int_equal(p.sc.counters.bad_message, 3);
	/* and its number is still the honest peer's */
	assert_int_equal(p.sc.t.nr, nr);
	pipe_forge(&p.si, 0, SIZED(TYPE(6)));
	pipe_expect(&p, "<ZLB");
}

/* proves: SEC-HS-22 partial */
static void floods_of_bogus_packets_change_nothing(void **state)
{
	struct rng rng;
	uint8_t packet[64];

	rng_init_seed(&rng, 7);
	for (int i = 0; i < 20000; i++) {
		rng_bytes(&rng, packet, sizeof(packet));
		packet[0] = 0xc8;
		packet[1] = 0x02;
		packet[2] = 0;
		packet[3] = 64;
		if (packet[4] == 0x22 && packet[5] == 0x22)
			continue;
		l2tp_tunnel_input(&p.sc.t, packet, sizeof(packet), p.now);
	}
	assert_true(l2tp_tunnel_is_established(&p.sc.t));
	assert_null(p.sc.t.early);
	assert_int_equal(p.sc.counters.bad_header, p.sc.notes);
}

static void tunnel_id_zero_is_only_for_beginners(void **state)
{
	/* StopCCN with header tunnel id 0, the right AVP and the right numbers: not from a peer that must know our id */
	uint8_t stop[] = {0xc8, 0x02, 0, 36, 0, 0, 0, 0, 0, (uint8_t)p.sc.t.nr, 0, (uint8_t)p.sc.t.ns,
		TYPE(4), 0x80, 8, 0, 0, 0, 9, 0x11, 0x11, 0x80, 8, 0, 0, 0, 1, 0, 1};
	/* a late copy of the SCCRQ is acknowledged */
	uint8_t sccrq[] = {0xc8, 0x02, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, TYPE(1)};

	l2tp_tunnel_input(&p.sc.t, stop, sizeof(stop), p.now);
	pipe_expect(&p, "");
	assert_true(l2tp_tunnel_is_established(&p.sc.t));
	l2tp_tunnel_input(&p.sc.t, sccrq, sizeof(sccrq), p.now);
	pipe_expect(&p, "<ZLB");
	l2tp_tunnel_input(&p.si.t, sccrq, sizeof(sccrq), p.now);
	pipe_expect(&p, "");
	assert_true(l2tp_tunnel_is_established(&p.si.t));
}

static void a_session_message_before_the_tunnel_is_improper(void **state)
{
	pipe_done(&p);
	pipe_init(&p);
	p.si.deaf = true;
	pipe_open(&p);
	pipe_run(&p, p.now);
	pipe_inject(&p.sc, 0, 1, 1, SIZED(TYPE(10), SESSION(1, 1), SERIAL));
	pipe_expect(&p, ">SCCRQ <SCCRPx <StopCCNx");
	assert_string_equal(p.sc.why.text, "ICRQ in state wait-ctl-conn");
	assert_int_equal(p.sc.why.result, L2TP_STOP_FSM);
}

static void a_bad_first_icrq_gets_a_cdn_and_may_be_repeated(void **state)
{
	pipe_done(&p);
	pipe_init(&p);
	p.si.deaf = true;
	pipe_open(&p);
	pipe_run(&p, p.now);
	pipe_inject(&p.sc, 0, 1, 1, SIZED(TYPE(3)));
	pipe_inject(&p.sc, 0, 2, 1, SIZED(TYPE(10), SESSION(0, 9)));
	pipe_expect(&p, ">SCCRQ <SCCRPx <ZLBx <CDNx");
	assert_non_null(strstr(last_line(&p.sc), "ICRQ lacks AVP 15 (Call Serial Number)"));
	pipe_inject(&p.sc, 0, 3, 2, SIZED(TYPE(10), SESSION(0, 9), SERIAL));
	pipe_expect(&p, "<ICRPx");
}

static void a_refused_session_ends_the_initiators_tunnel(void **state)
{
	pipe_done(&p);
	pipe_init(&p);
	p.sc.deaf = true;
	p.si.config.setup_ms = 0;
	pipe_open(&p);
	p.sc.deaf = false;
	pipe_inject(&p.si, 0, 0, 1,
		SIZED(TYPE(2), 0x80, 8, 0, 0, 0, 2, 1, 0, 0x80, 7, 0, 0, 0, 7, 'x', 0x80, 10, 0, 0, 0, 3, 0,
			0, 0, 1, 0x80, 8, 0, 0, 0, 9, 1, 1));
	pipe_inject(&p.si, 0x3333, 1, 3, SIZED(TYPE(14), 0x80, 8, 0, 0, 0, 1, 0, 4, SESSION(0, 5)));
	assert_int_equal(p.si.closed, 1);
	assert_int_equal(p.si.why.cause, L2TP_CAUSE_PEER);
	/* CDN's 4 is not StopCCN's 4 */
	assert_int_equal(p.si.why.result, L2TP_STOP_ERROR);
	assert_int_equal(p.si.why.error, L2TP_ERROR_RESOURCES);
	assert_string_equal(p.si.why.text, "peer: CDN result 4 (no facilities, temporary)");
}

/* proves: HS-L2TP-2 partial, HS-L2TP-20, HS-L2TP-21, HS-L2TP-22, HS-L2TP-27 */
static void irrelevant_avps_do_not_disturb_set_up(void **state)
{
	pipe_done(&p);
	pipe_init(&p);
	p.si.deaf = true;
	pipe_open(&p);
	assert_int_equal(p.si.queue[0].data[12 + 8 + 8 + 22 + 9], 3);
	p.si.queue[0].data[12 + 8 + 8 + 22 + 9] = 0; /* Framing Capabilities: none */
	pipe_run(&p, p.now);
	pipe_inject(&p.sc, 0, 1, 1, SIZED(TYPE(3)));
	pipe_inject(&p.sc, 0, 2, 1,
		SIZED(TYPE(10), SESSION(0x33, 0x33), SERIAL, 0x80, 10, 0, 0, 0, 18, 0, 0, 0, 2, 0x80, 8, 0, 0,
			0, 21, '4', '2', 0x80, 8, 0, 0, 0, 22, '4', '2', 0x80, 7, 0, 0, 0, 23, 'x'));
	pipe_inject(&p.sc, 0x4444, 3, 2,
		SIZED(TYPE(12), 0x80, 10, 0, 0, 0, 24, 0xff, 0xff, 0xff, 0xff, 0x80, 10, 0, 0, 0, 19, 0, 0, 0,
			2, 0x80, 6, 0, 0, 0, 39, 0, 10, 0, 0, 0, 26, 1, 4, 5, 6, 0, 8, 0, 0, 0, 29, 0, 2, 0,
			9, 0, 0, 0, 30, 'b', 'o', 'b'));
	pipe_expect(&p, ">SCCRQ <SCCRPx <ZLBx <ICRPx <ZLBx");
	assert_int_equal(p.sc.established, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_second_session_is_refused_and_the_first_lives),
		TEST(outgoing_calls_are_refused),
		TEST(the_initiator_refuses_a_session_of_the_concentrators),
		TEST(messages_about_a_line_are_ignored),
		TEST(unknown_messages_by_their_m_bit),
		TEST(what_ends_the_tunnel),
		TEST(what_names_no_session_of_ours_is_ignored),
		TEST(a_teardown_must_name_the_peers_id),
		TEST(floods_of_bogus_packets_change_nothing),
		TEST(tunnel_id_zero_is_only_for_beginners),
		TEST(a_session_message_before_the_tunnel_is_improper),
		TEST(a_bad_first_icrq_gets_a_cdn_and_may_be_repeated),
		TEST(a_refused_session_ends_the_initiators_tunnel),
		TEST(irrelevant_avps_do_not_disturb_set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
