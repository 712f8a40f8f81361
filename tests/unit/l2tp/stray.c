/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hints from an end that has lost its state: recognised, and never more than hints. */
#include "pipe.h"

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

static size_t make(uint8_t *buf, size_t size, uint16_t stray, uint16_t peer)
{
	struct writer w = writer_of(buf, size);

	l2tp_stray_reply(&w, stray, peer, L2TP_STOP_ERROR, "unknown tunnel");
	assert_true(writer_ok(&w));
	return writer_len(&w);
}

static void an_honest_peer_recognises_its_tunnel(void **state)
{
	uint8_t buf[L2TP_PACKET_MAX];
	char line[200];
	size_t len = make(buf, sizeof(buf), 0x2222, 0);

	l2tp_packet_print(buf, len, line, sizeof(line));
	assert_string_equal(line,
		"StopCCN tunnel=0 session=0 ns=0 nr=0 assigned-tunnel=8738 result=2 error=1 "
		"message=\"unknown tunnel\"");
	assert_true(l2tp_stray_matches(&p.si.t, buf, len));
	assert_false(l2tp_stray_matches(&p.sc.t, buf, len));
	for (size_t cut = 0; cut < len; cut++)
		assert_false(l2tp_stray_matches(&p.si.t, buf, cut));
	len = make(buf, sizeof(buf), 0x2223, 0);
	assert_false(l2tp_stray_matches(&p.si.t, buf, len));
	len = make(buf, sizeof(buf), 0x2222, 0x1111);
	assert_false(l2tp_stray_matches(&p.si.t, buf, len));
}

static void other_messages_are_no_hints(void **state)
{
	static const uint8_t hello[] = {0xc8, 0x02, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 8, 0, 0, 0, 0, 0, 6};
	struct l2tp_tunnel fresh = {.config = &p.si.config};
	uint8_t buf[L2TP_PACKET_MAX];
	size_t len = make(buf, sizeof(buf), 0, 0);

	assert_false(l2tp_stray_matches(&p.si.t, hello, sizeof(hello)));
	assert_false(l2tp_stray_matches(&fresh, buf, len)); /* a tunnel without a peer matches nothing */
}

/* proves: SEC-HS-22 partial */
static void a_forged_hint_ends_nothing(void **state)
{
	uint8_t buf[L2TP_PACKET_MAX];
	size_t len = make(buf, sizeof(buf), 0x2222, 0);

	for (int i = 0; i < 50; i++) {
		l2tp_tunnel_input(&p.si.t, buf, len, p.now); /* an owner that does not even look */
		if (l2tp_stray_matches(&p.si.t, buf, len))
			l2tp_tunnel_probe(&p.si.t, p.now);
		pipe_run(&p, p.now + 100);
	}
	assert_true(l2tp_tunnel_is_established(&p.si.t));
	assert_true(l2tp_tunnel_is_established(&p.sc.t));
}

/* An SCCRQ that cannot be accepted is refused without state; its sender sees a StopCCN of its tunnel. */
static void ends_an_attempt_to_open(void **state)
{
	uint8_t buf[L2TP_PACKET_MAX];
	size_t len;

	pipe_done(&p);
	pipe_init(&p);
	p.sc.deaf = true;
	pipe_open(&p);
	len = make(buf, sizeof(buf), 0, 0x1111);
	l2tp_tunnel_input(&p.si.t, buf, len, p.now);
	assert_int_equal(p.si.closed, 1);
	assert_string_equal(p.si.why.text,
		"peer: StopCCN result 2 (general error), error 4 (insufficient resources): unknown tunnel");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_honest_peer_recognises_its_tunnel),
		TEST(other_messages_are_no_hints),
		TEST(a_forged_hint_ends_nothing),
		TEST(ends_an_attempt_to_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
