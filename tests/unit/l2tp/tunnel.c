/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Both ends wired together: set-up, authentication, keepalive, probes and teardown. */
#include "pipe.h"

#include <string.h>

static struct pipe p;

static int setup(void **state)
{
	pipe_init(&p);
	return 0;
}

static int teardown(void **state)
{
	pipe_done(&p);
	return 0;
}

/* ---- set-up ---- */

/* proves: HS-L2TP-1 partial, HS-L2TP-4 partial, HS-L2TP-5, HS-L2TP-12 partial, HS-L2TP-15, HS-L2TP-17 */
static void comes_up_in_the_order_of_figures_11_and_12(void **state)
{
	pipe_open(&p);
	pipe_run(&p, p.now);
	pipe_expect(&p, ">SCCRQ <SCCRP >SCCCN >ICRQ <ZLB <ICRP >ICCN <ZLB");
	assert_int_equal(p.si.established, 1);
	assert_int_equal(p.sc.established, 1);
	/* PPP may only begin behind what establishes the session */
	assert_string_equal(p.si.up_after, ">ICCN");
	assert_string_equal(p.sc.up_after, "<ZLB");
	assert_string_equal(p.si.host_name, "");
	assert_string_equal(p.sc.host_name, "alice@si.example");
	assert_int_equal(p.si.t.peer_tunnel, 0x2222);
	assert_int_equal(p.si.t.peer_session, 0x4444);
	assert_int_equal(p.sc.t.peer_tunnel, 0x1111);
	assert_int_equal(p.sc.t.peer_session, 0x3333);
	assert_string_equal(l2tp_tunnel_state(&p.sc.t), "established");
	/* what set-up needed is gone */
	assert_null(p.si.t.setup);
	assert_null(p.sc.t.setup);
	assert_null(p.si.t.outgoing);
	assert_null(p.sc.t.outgoing);
}

/* proves: HS-L2TP-5 */
static void the_concentrator_sends_nothing_unasked(void **state)
{
	pipe_open(&p);
	p.sc.wait_secret = true;
	pipe_run(&p, p.now + 500);
	pipe_expect(&p, ">SCCRQ <ZLB");
	l2tp_tunnel_secret(&p.sc.t, NULL, 0, p.now);
	pipe_run(&p, p.now);
	pipe_expect(&p, "<SCCRP >SCCCN >ICRQ <ZLB <ICRP >ICCN <ZLB");
}

static void any_single_loss_is_repaired(void **state)
{
	for (unsigned i = 0; i < 5; i++) {
		for (unsigned end = 0; end < 2; end++) {
			pipe_init(&p);
			(end ? &p.sc : &p.si)->lose = 1ull << i;
			pipe_open(&p);
			pipe_run(&p, p.now + 10000);
			assert_int_equal(p.si.established, 1);
			assert_int_equal(p.sc.established, 1);
			assert_null(p.si.t.outgoing);
			assert_null(p.sc.t.outgoing);
			pipe_done(&p);
		}
	}
	pipe_init(&p);
}

static void retransmissions_back_off_and_give_up(void **state)
{
	static const msec at[] = {0, 1000, 3000, 7000, 15000, 23000};
	msec start = p.now;

	p.sc.deaf = true;
	pipe_open(&p);
	for (unsigned i = 0; i < 6; i++) {
		pipe_run(&p, start + at[i]);
		assert_int_equal(p.si.sent, i + 1);
	}
	pipe_run(&p, start + 23999);
	assert_int_equal(p.si.closed, 0);
	pipe_run(&p, start + 24000);
	assert_int_equal(p.si.closed, 1);
	assert_int_equal(p.si.released, 1);
	assert_int_equal(p.si.sent, 6);
	assert_int_equal(p.si.counters.retransmits, 5);
	assert_int_equal(p.si.why.cause, L2TP_CAUSE_TIMEOUT);
	assert_string_equal(p.si.why.text, "no answer to SCCRQ after 5 tries");
}

static void set_up_has_a_limit(void **state)
{
	p.sc.wait_secret = true;
	pipe_open(&p);
	pipe_run(&p, p.now + 59999);
	assert_int_equal(p.si.closed, 0);
	pipe_run(&p, p.now + 1);
	assert_int_equal(p.si.closed, 1);
	assert_int_equal(p.si.why.cause, L2TP_CAUSE_TIMEOUT);
	assert_string_equal(p.si.why.text, "not established after 60 s (wait-ctl-reply)");
	assert_int_equal(p.sc.closed, 1);
}

static void closing_before_the_secret_is_known_says_nothing(void **state)
{
	p.si.wait_secret = true;
	pipe_open(&p);
	l2tp_tunnel_close(&p.si.t, L2TP_STOP_CLEAR, 0, "no", p.now);
	assert_int_equal(p.si.closed, 1);
	pipe_run(&p, p.now);
	assert_int_equal(p.si.released, 1);
	pipe_expect(&p, "");
}

static void an_initiator_that_has_said_nothing_hears_nothing(void **state)
{
	static const uint8_t hello[] = {0x80, 8, 0, 0, 0, 0, 0, 6};

	p.si.wait_secret = true;
	pipe_open(&p);
	pipe_inject(&p.si, 0, 0, 0, hello, sizeof(hello));
	pipe_expect(&p, "");
	l2tp_tunnel_secret(&p.si.t, NULL, 0, p.now);
	pipe_run(&p, p.now);
	assert_int_equal(p.si.established, 1);
}

static void a_stopccn_before_the_sccrp_finds_its_tunnel(void **state)
{
	p.sc.wait_secret = true;
	pipe_open(&p);
	pipe_run(&p, p.now);
	l2tp_tunnel_close(&p.si.t, L2TP_STOP_CLEAR, 0, "no", p.now);
	pipe_run(&p, p.now);
	pipe_expect(&p, ">SCCRQ <ZLB >StopCCN <ZLB");
	assert_int_equal(p.sc.closed, 1);
	assert_int_equal(p.sc.why.cause, L2TP_CAUSE_PEER);
}

/* The SCCRP comes when we have given up; our first StopCCN, which could not name the peer's tunnel, is lost. */
static void an_sccrp_that_comes_too_late_tells_where_to_say_goodbye(void **state)
{
	p.sc.wait_secret = true;
	pipe_open(&p);
	pipe_run(&p, p.now);
	p.si.lose = 1ull << p.si.sent;
	l2tp_tunnel_close(&p.si.t, L2TP_STOP_CLEAR, 0, "no", p.now);
	l2tp_tunnel_secret(&p.sc.t, NULL, 0, p.now);
	pipe_run(&p, p.now);
	assert_int_equal(p.si.t.peer_tunnel, 0x2222);
	assert_int_equal(p.sc.closed, 0);
	pipe_run(&p, p.now + 1000);
	assert_int_equal(p.sc.closed, 1);
	assert_memory_equal(p.si.last.data + 4, "\x22\x22", 2);
	assert_int_equal(p.si.established + p.sc.established, 0);
}

static void may_be_closed_from_inside_established(void **state)
{
	p.sc.close_when_up = true;
	pipe_open(&p);
	pipe_run(&p, p.now + 40000);
	assert_int_equal(p.sc.closed, 1);
	assert_int_equal(p.si.closed, 1);
	assert_int_equal(p.sc.released, 1);
	assert_int_equal(p.si.released, 1);
}

static void another_protocol_version_is_refused(void **state)
{
	pipe_open(&p);
	p.si.queue[0].data[12 + 8 + 6] = 2; /* Ver */
	pipe_run(&p, p.now);
	pipe_expect(&p, ">SCCRQ <StopCCN >ZLB");
	assert_int_equal(p.sc.closed, 0);
	assert_int_equal(p.si.closed, 1);
	assert_int_equal(p.si.why.result, L2TP_STOP_VERSION);
	assert_int_equal(p.si.why.error, 0x0100);
	assert_string_equal(p.si.why.text, "peer: StopCCN result 5 (protocol version not supported): L2TP "
					   "protocol version 2.0 is not supported");
}

static void an_initiator_refuses_an_sccrq(void **state)
{
	p.sc.config.end = L2TP_LAC;
	pipe_open(&p);
	pipe_run(&p, p.now);
	pipe_expect(&p, ">SCCRQ <StopCCN >ZLB");
	assert_false(p.sc.live);
	assert_int_equal(p.si.why.result, L2TP_STOP_UNAUTHORIZED);
}

/* ---- tunnel authentication ---- */

/* proves: HS-L2TP-24 partial */
static void both_ends_authenticate_each_other(void **state)
{
	char line[400];

	p.si.secret = p.sc.secret = "open sesame";
	pipe_open(&p);
	l2tp_packet_print(p.si.last.data, p.si.last.len, line, sizeof(line));
	assert_non_null(strstr(line, "challenge=(16 bytes)"));
	pipe_run(&p, p.now);
	assert_int_equal(p.si.established, 1);
	assert_int_equal(p.sc.established, 1);
	pipe_expect(&p, ">SCCRQ <SCCRP >SCCCN >ICRQ <ZLB <ICRP >ICCN <ZLB");
}

/* proves: HS-L2TP-24 partial */
static void the_initiator_refuses_a_wrong_secret(void **state)
{
	p.si.secret = "one";
	p.sc.secret = "two";
	pipe_open(&p);
	pipe_run(&p, p.now);
	pipe_expect(&p, ">SCCRQ <SCCRP >StopCCN <ZLB");
	assert_int_equal(p.si.why.cause, L2TP_CAUSE_AUTH);
	assert_int_equal(p.si.why.result, L2TP_STOP_UNAUTHORIZED);
	assert_string_equal(p.si.why.text, "tunnel authentication: the Challenge Response is wrong");
	assert_int_equal(p.si.counters.bad_auth, 1);
	assert_int_equal(p.sc.why.cause, L2TP_CAUSE_PEER);
}

static void the_initiator_refuses_a_challenge_without_a_secret(void **state)
{
	p.sc.secret = "right";
	pipe_open(&p);
	pipe_run(&p, p.now);
	pipe_expect(&p, ">SCCRQ <SCCRP >StopCCN <ZLB");
	assert_int_equal(p.sc.established, 0);
	assert_string_equal(p.si.why.text, "peer asks for tunnel authentication, but no secret is shared");
}

/* proves: HS-L2TP-24 partial, HS-L2TP-25 */
static void a_wrong_response_ends_it_before_the_session(void **state)
{
	static const uint8_t scccn[] = {0x80, 8, 0, 0, 0, 0, 0, 3, 0x80, 22, 0, 0, 0, 13, 0, 1, 2, 3, 4, 5, 6,
		7, 8, 9, 10, 11, 12, 13, 14, 15};
	static const uint8_t bare[] = {0x80, 8, 0, 0, 0, 0, 0, 3};

	for (int i = 0; i < 2; i++) {
		pipe_init(&p);
		p.sc.secret = "right";
		p.si.secret = "right";
		p.si.deaf = true;
		pipe_open(&p);
		pipe_run(&p, p.now);
		p.si.deaf = false;
		pipe_inject(&p.sc, 0, 1, 1, i ? bare : scccn, i ? sizeof(bare) : sizeof(scccn));
		pipe_expect(&p, ">SCCRQ <SCCRPx <StopCCN");
		assert_int_equal(p.sc.t.peer_session, 0);
		assert_null(p.sc.t.setup);
		assert_int_equal(p.sc.established, 0);
		assert_int_equal(p.sc.why.cause, L2TP_CAUSE_AUTH);
		assert_int_equal(p.sc.why.result, L2TP_STOP_UNAUTHORIZED);
		assert_string_equal(
			p.sc.why.text, i ? "tunnel authentication: SCCCN lacks a Challenge Response"
					 : "tunnel authentication: the Challenge Response is wrong");
		pipe_done(&p);
	}
	pipe_init(&p);
}

static void a_challenge_without_a_secret_is_refused(void **state)
{
	p.si.secret = "one";
	pipe_open(&p);
	pipe_run(&p, p.now);
	pipe_expect(&p, ">SCCRQ <StopCCN >ZLB");
	assert_int_equal(p.sc.why.cause, L2TP_CAUSE_AUTH);
	assert_string_equal(p.sc.why.text, "peer asks for tunnel authentication, but no secret is shared");
	assert_string_equal(p.si.why.text,
		"peer: StopCCN result 4 (not authorized): peer asks for tunnel authentication, but no "
		"secret is shared");
}

static void a_required_secret_must_be_there(void **state)
{
	p.sc.config.require_secret = true;
	pipe_open(&p);
	pipe_run(&p, p.now);
	pipe_expect(&p, ">SCCRQ <StopCCN >ZLB");
	assert_string_equal(p.sc.why.text, "no tunnel secret is shared with this peer");
	pipe_init(&p);
	p.si.config.require_secret = true;
	pipe_open(&p);
	pipe_run(&p, p.now);
	pipe_expect(&p, "");
	assert_int_equal(p.si.why.cause, L2TP_CAUSE_AUTH);
	assert_int_equal(p.si.released, 1);
}

static void a_secret_that_does_not_fit_is_no_secret(void **state)
{
	uint8_t secret[L2TP_SECRET_MAX + 1] = {1};

	p.si.wait_secret = true;
	pipe_open(&p);
	l2tp_tunnel_secret(&p.si.t, secret, sizeof(secret), p.now);
	assert_int_equal(p.si.closed, 1);
	assert_int_equal(p.si.why.cause, L2TP_CAUSE_RESOURCES);
}

/* ---- keepalive ---- */

/* proves: HS-L2TP-29, HS-L2TP-30 */
static void hello_follows_silence(void **state)
{
	pipe_up(&p);
	pipe_run(&p, p.now + 59999);
	pipe_expect(&p, "");
	pipe_run(&p, p.now + 1);
	assert_int_equal(p.si.counters.hello_tx + p.sc.counters.hello_tx, 1);
	assert_int_equal(p.si.counters.hello_rx + p.sc.counters.hello_rx, 1);
	p.trace[0] = '\0';
	pipe_run(&p, p.now + 59999);
	pipe_expect(&p, "");
	pipe_run(&p, p.now + 1);
	assert_int_equal(p.si.counters.hello_tx + p.sc.counters.hello_tx, 2);
	assert_int_equal(p.si.closed + p.sc.closed, 0);
}

/* proves: HS-L2TP-29, HS-L2TP-30 */
static void either_end_alone_keeps_the_tunnel(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct end *quiet = i ? &p.si : &p.sc, *active = i ? &p.sc : &p.si;

		pipe_init(&p);
		quiet->config.hello_ms = 0;
		pipe_up(&p);
		pipe_run(&p, p.now + 600000);
		assert_int_equal(active->counters.hello_tx, 10);
		assert_int_equal(quiet->counters.hello_tx, 0);
		assert_int_equal(p.si.closed + p.sc.closed, 0);
		pipe_done(&p);
	}
	pipe_init(&p);
}

/* Data heard says that the peer lives, but says nothing to a NAT about our own direction: HELLO stays. */
static void data_alone_does_not_silence_hello(void **state)
{
	pipe_up(&p);
	p.sc.config.hello_ms = 0;
	for (int i = 0; i < 12; i++) {
		pipe_run(&p, p.now + 10000);
		l2tp_tunnel_heard(&p.si.t, p.now);
	}
	assert_int_equal(p.si.counters.hello_tx, 2);
}

/* proves: HS-OAM-1 partial */
static void hello_can_be_turned_off(void **state)
{
	p.si.config.hello_ms = p.sc.config.hello_ms = 0;
	pipe_up(&p);
	assert_int_equal(l2tp_tunnel_deadline(&p.si.t), MSEC_NEVER);
	pipe_run(&p, p.now + 3600000);
	pipe_expect(&p, "");
}

/* proves: HS-L2TP-32, HS-OAM-2 */
static void an_undelivered_hello_ends_the_tunnel(void **state)
{
	msec start;

	pipe_up(&p);
	start = p.now;
	p.si.deaf = p.sc.deaf = true;
	pipe_run(&p, start + 83999);
	assert_int_equal(p.si.closed + p.sc.closed, 0);
	pipe_run(&p, start + 84000);
	assert_int_equal(p.si.closed, 1);
	assert_int_equal(p.sc.closed, 1);
	assert_int_equal(p.si.released, 1);
	assert_int_equal(p.sc.released, 1);
	assert_int_equal(p.si.why.cause, L2TP_CAUSE_TIMEOUT);
	assert_string_equal(p.si.why.text, "no answer to HELLO after 5 tries");
}

/* ---- probes ---- */

static void a_probe_of_a_dead_peer_takes_eight_seconds(void **state)
{
	static const msec at[] = {0, 1000, 3000, 7000};
	msec start;
	unsigned sent;

	pipe_up(&p);
	pipe_run(&p, p.now + 5000);
	start = p.now;
	sent = p.si.sent;
	p.sc.deaf = true;
	l2tp_tunnel_probe(&p.si.t, p.now);
	for (unsigned i = 0; i < 4; i++) {
		pipe_run(&p, start + at[i]);
		assert_int_equal(p.si.sent, sent + i + 1);
		l2tp_tunnel_probe(&p.si.t, p.now); /* a second hint does not restart the clock */
	}
	pipe_run(&p, start + 7999);
	assert_int_equal(p.si.closed, 0);
	pipe_run(&p, start + 8000);
	assert_int_equal(p.si.closed, 1);
	assert_int_equal(p.si.released, 1);
	assert_int_equal(p.si.why.cause, L2TP_CAUSE_TIMEOUT);
	assert_string_equal(p.si.why.text, "no answer to HELLO after 3 tries");
}

/* proves: SEC-HS-22 partial */
static void a_probe_that_is_answered_changes_nothing(void **state)
{
	pipe_up(&p);
	for (int i = 0; i < 100; i++) {
		l2tp_tunnel_probe(&p.si.t, p.now);
		pipe_run(&p, p.now + 10);
	}
	assert_int_equal(p.si.closed, 0);
	assert_false(p.si.t.probing);
	pipe_run(&p, p.now + 3600000);
	assert_int_equal(p.si.closed, 0);
}

static void an_answered_probe_restores_patience(void **state)
{
	msec start;

	pipe_up(&p);
	p.si.lose = 7ull << p.si.sent;
	l2tp_tunnel_probe(&p.si.t, p.now);
	pipe_run(&p, p.now + 7000);
	assert_false(p.si.t.probing);
	start = p.now;
	p.sc.deaf = p.si.deaf = true;
	pipe_run(&p, start + 83999);
	assert_int_equal(p.si.closed, 0);
	pipe_run(&p, start + 84000);
	assert_int_equal(p.si.closed, 1);
}

static void a_probe_hastens_what_is_unanswered_already(void **state)
{
	msec start;

	pipe_up(&p);
	start = p.now;
	p.sc.deaf = p.si.deaf = true;
	pipe_run(&p, start + 60000 + 7500); /* HELLO, retransmitted three times, next due at 75 s */
	l2tp_tunnel_probe(&p.si.t, p.now);
	pipe_run(&p, start + 60000 + 8500);
	assert_int_equal(p.si.closed, 1);
	assert_int_equal(p.sc.closed, 0);
}

static void only_an_established_tunnel_is_probed(void **state)
{
	p.sc.wait_secret = true;
	pipe_open(&p);
	l2tp_tunnel_probe(&p.si.t, p.now);
	pipe_run(&p, p.now);
	pipe_expect(&p, ">SCCRQ <ZLB");
}

/* ---- teardown ---- */

/* proves: HS-L2TP-33, HS-L2TP-32 partial */
static void teardown_from_either_side(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct end *closer = i ? &p.sc : &p.si, *peer = i ? &p.si : &p.sc;
		msec start;

		pipe_init(&p);
		pipe_up(&p);
		start = p.now;
		l2tp_tunnel_close(&closer->t, L2TP_STOP_ERROR, L2TP_ERROR_VENDOR, "user limit", p.now);
		pipe_expect(&p, i ? "<CDN <StopCCN" : ">CDN >StopCCN");
		assert_int_equal(closer->closed, 1);
		assert_false(l2tp_tunnel_is_quiet(&closer->t));
		pipe_run(&p, p.now);
		pipe_expect(&p, i ? ">ZLB >ZLB" : "<ZLB <ZLB");
		assert_true(l2tp_tunnel_is_quiet(&closer->t));
		assert_int_equal(closer->why.cause, L2TP_CAUSE_LOCAL);
		assert_int_equal(peer->closed, 1);
		assert_int_equal(peer->why.cause, L2TP_CAUSE_PEER);
		assert_int_equal(peer->why.result, L2TP_STOP_ERROR);
		assert_int_equal(peer->why.error, L2TP_ERROR_VENDOR);
		assert_string_equal(peer->why.text,
			"peer: CDN result 2 (general error), error 6 (vendor-specific error): user limit");
		pipe_run(&p, start + 30999);
		assert_int_equal(p.si.released + p.sc.released, 0);
		pipe_run(&p, start + 31000);
		assert_int_equal(p.si.released, 1);
		assert_int_equal(p.sc.released, 1);
		pipe_expect(&p, "");
	}
	pipe_init(&p);
}

/* proves: HS-L2TP-33 */
static void a_stopccn_alone_is_accepted(void **state)
{
	static const uint8_t stopccn[] = {0x80, 8, 0, 0, 0, 0, 0, 4, 0x80, 8, 0, 0, 0, 9, 0x11, 0x11, 0x80,
		20, 0, 0, 0, 1, 0, 2, 0, 6, 'u', 's', 'e', 'r', ' ', 'l', 'i', 'm', 'i', 't'};

	pipe_up(&p);
	pipe_forge(&p.si, 0, stopccn, sizeof(stopccn));
	pipe_expect(&p, "<ZLB");
	assert_int_equal(p.sc.closed, 1);
	assert_string_equal(p.sc.why.text,
		"peer: StopCCN result 2 (general error), error 6 (vendor-specific error): user limit");
	/* its retransmission is acknowledged as long as we linger, and told nobody */
	for (int i = 0; i < 3; i++) {
		pipe_inject(&p.sc, 0, (uint16_t)(p.si.t.ns - 1), p.si.t.nr, stopccn, sizeof(stopccn));
		pipe_expect(&p, "<ZLB");
	}
	assert_int_equal(p.sc.closed, 1);
}

static void a_lost_goodbye_is_repeated(void **state)
{
	pipe_up(&p);
	p.si.lose = 3ull << p.si.sent;
	l2tp_tunnel_close(&p.si.t, L2TP_STOP_CLEAR, 0, "bye", p.now);
	pipe_run(&p, p.now + 5000);
	pipe_expect(&p, ">CDNx >StopCCNx >CDN <ZLB >StopCCN <ZLB");
	assert_int_equal(p.sc.closed, 1);
}

static void a_peer_that_is_gone_does_not_hold_the_closer(void **state)
{
	pipe_up(&p);
	p.sc.deaf = true;
	l2tp_tunnel_close(&p.si.t, L2TP_STOP_CLEAR, 0, "bye", p.now);
	pipe_run(&p, p.now + 24000);
	assert_int_equal(p.si.closed, 1);
	assert_int_equal(p.si.released, 1);
	assert_int_equal(p.si.why.cause, L2TP_CAUSE_LOCAL);
}

static void both_closing_at_once_end_both(void **state)
{
	pipe_up(&p);
	l2tp_tunnel_close(&p.si.t, L2TP_STOP_CLEAR, 0, "bye", p.now);
	l2tp_tunnel_close(&p.sc.t, L2TP_STOP_SHUTDOWN, 0, "going down", p.now);
	l2tp_tunnel_close(&p.sc.t, L2TP_STOP_CLEAR, 0, "again", p.now);
	pipe_run(&p, p.now + 31000);
	assert_int_equal(p.si.closed, 1);
	assert_int_equal(p.sc.closed, 1);
	assert_string_equal(p.sc.why.text, "going down");
	assert_int_equal(p.si.released, 1);
	assert_int_equal(p.sc.released, 1);
}

/* proves: HS-L2TP-33 */
static void after_a_peers_cdn_we_stop_the_tunnel_if_it_does_not(void **state)
{
	static const uint8_t cdn[] = {
		0x80, 8, 0, 0, 0, 0, 0, 14, 0x80, 8, 0, 0, 0, 1, 0, 3, 0x80, 8, 0, 0, 0, 14, 0x33, 0x33};

	pipe_up(&p);
	pipe_forge(&p.si, 0x4444, cdn, sizeof(cdn));
	pipe_expect(&p, "<ZLB");
	assert_int_equal(p.sc.closed, 1);
	assert_string_equal(p.sc.why.text, "peer: CDN result 3 (administrative reasons)");
	assert_string_equal(l2tp_tunnel_state(&p.sc.t), "disconnected");
	pipe_run(&p, p.now + 1000);
	pipe_expect(&p, "<StopCCN >ZLB");
	assert_int_equal(p.sc.closed, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(comes_up_in_the_order_of_figures_11_and_12),
		TEST(the_concentrator_sends_nothing_unasked),
		TEST(any_single_loss_is_repaired),
		TEST(retransmissions_back_off_and_give_up),
		TEST(set_up_has_a_limit),
		TEST(closing_before_the_secret_is_known_says_nothing),
		TEST(an_initiator_that_has_said_nothing_hears_nothing),
		TEST(a_stopccn_before_the_sccrp_finds_its_tunnel),
		TEST(an_sccrp_that_comes_too_late_tells_where_to_say_goodbye),
		TEST(may_be_closed_from_inside_established),
		TEST(another_protocol_version_is_refused),
		TEST(an_initiator_refuses_an_sccrq),
		TEST(both_ends_authenticate_each_other),
		TEST(the_initiator_refuses_a_wrong_secret),
		TEST(the_initiator_refuses_a_challenge_without_a_secret),
		TEST(a_wrong_response_ends_it_before_the_session),
		TEST(a_challenge_without_a_secret_is_refused),
		TEST(a_required_secret_must_be_there),
		TEST(a_secret_that_does_not_fit_is_no_secret),
		TEST(hello_follows_silence),
		TEST(either_end_alone_keeps_the_tunnel),
		TEST(data_alone_does_not_silence_hello),
		TEST(hello_can_be_turned_off),
		TEST(an_undelivered_hello_ends_the_tunnel),
		TEST(a_probe_of_a_dead_peer_takes_eight_seconds),
		TEST(a_probe_that_is_answered_changes_nothing),
		TEST(an_answered_probe_restores_patience),
		TEST(a_probe_hastens_what_is_unanswered_already),
		TEST(only_an_established_tunnel_is_probed),
		TEST(teardown_from_either_side),
		TEST(a_stopccn_alone_is_accepted),
		TEST(a_lost_goodbye_is_repeated),
		TEST(a_peer_that_is_gone_does_not_hold_the_closer),
		TEST(both_closing_at_once_end_both),
		TEST(after_a_peers_cdn_we_stop_the_tunnel_if_it_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
