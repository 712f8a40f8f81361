/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reliable delivery: order, windows, numbers modulo 65536, congestion. The concentrator's end is driven by hand. */
#include "pipe.h"

#include <stdio.h>
#include <string.h>

#include "l2tp/channel.h"
#include "l2tp/message.h"

static const uint8_t hello[] = {0x80, 8, 0, 0, 0, 0, 0, 6};

static struct pipe p;

static int setup(void **state)
{
	pipe_init(&p);
	pipe_up(&p);
	p.si.deaf = true; /* what the concentrator sends is only looked at */
	return 0;
}

static int teardown(void **state)
{
	pipe_done(&p);
	return 0;
}

static uint16_t sent_ns(void)
{
	return (uint16_t)(p.sc.last.data[8] << 8 | p.sc.last.data[9]);
}

static uint16_t sent_nr(void)
{
	return (uint16_t)(p.sc.last.data[10] << 8 | p.sc.last.data[11]);
}

static void queue_hello(void)
{
	uint8_t buf[64];
	struct writer w = writer_of(buf, sizeof(buf));

	message_write_hello(&w, p.sc.t.peer_tunnel);
	assert_int_equal(channel_queue(&p.sc.t, L2TP_HELLO, buf, writer_len(&w)), 0);
}

static void acknowledge(uint16_t nr)
{
	pipe_inject(&p.sc, 0, p.sc.t.nr, nr, NULL, 0);
}

static void duplicates_are_acknowledged_and_not_delivered(void **state)
{
	uint16_t ns = p.sc.t.nr;

	pipe_inject(&p.sc, 0, ns, p.sc.t.ns, hello, sizeof(hello));
	pipe_expect(&p, "<ZLBx");
	assert_int_equal(sent_nr(), ns + 1);
	for (unsigned i = 0; i < 3; i++) {
		pipe_inject(&p.sc, 0, ns, p.sc.t.ns, hello, sizeof(hello));
		pipe_expect(&p, "<ZLBx");
	}
	assert_int_equal(p.sc.counters.hello_rx, 1);
	assert_int_equal(p.sc.counters.duplicates, 3);
	/* 32768 behind is still a duplicate, 32767 ahead is not */
	pipe_inject(&p.sc, 0, (uint16_t)(p.sc.t.nr - 32768), p.sc.t.ns, hello, sizeof(hello));
	pipe_expect(&p, "<ZLBx");
	pipe_inject(&p.sc, 0, (uint16_t)(p.sc.t.nr + 32767), p.sc.t.ns, hello, sizeof(hello));
	pipe_expect(&p, "");
}

static void a_zlb_is_not_acknowledged_and_takes_no_number(void **state)
{
	uint16_t nr = p.sc.t.nr, ns = p.sc.t.ns;

	for (int i = 0; i < 3; i++)
		acknowledge(p.sc.t.ns);
	pipe_expect(&p, "");
	assert_int_equal(p.sc.t.nr, nr);
	pipe_inject(&p.sc, 0, nr, ns, hello, sizeof(hello));
	pipe_expect(&p, "<ZLBx");
	assert_int_equal(p.sc.t.ns, ns);
}

static void early_messages_wait_for_their_turn(void **state)
{
	uint16_t ns = p.sc.t.nr;

	pipe_inject(&p.sc, 0, (uint16_t)(ns + 2), p.sc.t.ns, hello, sizeof(hello));
	pipe_inject(&p.sc, 0, (uint16_t)(ns + 1), p.sc.t.ns, hello, sizeof(hello));
	pipe_inject(&p.sc, 0, (uint16_t)(ns + 2), p.sc.t.ns, hello, sizeof(hello));
	assert_int_equal(p.sc.counters.hello_rx, 0);
	pipe_expect(&p, "");
	pipe_inject(&p.sc, 0, ns, p.sc.t.ns, hello, sizeof(hello));
	pipe_expect(&p, "<ZLBx");
	assert_int_equal(sent_nr(), ns + 3);
	assert_int_equal(p.sc.counters.hello_rx, 3);
	assert_int_equal(p.sc.counters.out_of_order, 3);
	assert_null(p.sc.t.early);
}

static void a_gap_that_fills_in_another_order_leaves_nothing(void **state)
{
	uint16_t ns = p.sc.t.nr;

	pipe_inject(&p.sc, 0, (uint16_t)(ns + 1), p.sc.t.ns, hello, sizeof(hello));
	pipe_inject(&p.sc, 0, (uint16_t)(ns + 3), p.sc.t.ns, hello, sizeof(hello));
	pipe_inject(&p.sc, 0, ns, p.sc.t.ns, hello, sizeof(hello));
	assert_int_equal(p.sc.t.nr, ns + 2);
	assert_non_null(p.sc.t.early);
	pipe_inject(&p.sc, 0, (uint16_t)(ns + 2), p.sc.t.ns, hello, sizeof(hello));
	assert_int_equal(p.sc.t.nr, ns + 4);
	assert_null(p.sc.t.early);
}

/* proves: SEC-HS-22 partial */
static void what_is_outside_the_window_is_dropped(void **state)
{
	uint16_t ns = p.sc.t.nr;
	uint8_t large[L2TP_PACKET_MAX - 12] = {0};

	pipe_inject(&p.sc, 0, (uint16_t)(ns + 4), p.sc.t.ns, hello, sizeof(hello));
	assert_null(p.sc.t.early);
	assert_int_equal(p.sc.counters.bad_sequence, 1);
	for (unsigned round = 0; round < 100; round++)
		for (uint16_t i = 1; i < 1000; i++)
			pipe_inject(&p.sc, 0, (uint16_t)(ns + i), p.sc.t.ns, large, sizeof(large));
	unsigned kept = 0;
	for (const struct l2tp_queued *q = p.sc.t.early; q; q = q->next)
		kept++;
	assert_int_equal(kept, 3);
	pipe_expect(&p, "");
}

/* proves: SEC-HS-22 partial */
static void what_was_never_sent_cannot_be_acknowledged(void **state)
{
	queue_hello();
	channel_flush(&p.sc.t, p.now);
	pipe_expect(&p, "<HELLOx");
	acknowledge((uint16_t)(p.sc.t.ns + 1));
	assert_non_null(p.sc.t.outgoing);
	assert_int_equal(p.sc.counters.bad_sequence, 1);
	acknowledge((uint16_t)(p.sc.t.ns - 1));
	assert_non_null(p.sc.t.outgoing);
	acknowledge(p.sc.t.ns);
	assert_null(p.sc.t.outgoing);
	assert_int_equal(p.sc.t.retransmit_at, MSEC_NEVER);
}

static void a_message_carries_the_acknowledgement(void **state)
{
	uint16_t ns = p.sc.t.nr;

	queue_hello();
	pipe_inject(&p.sc, 0, ns, p.sc.t.ns - 1, hello, sizeof(hello));
	pipe_expect(&p, "<HELLOx");
	assert_int_equal(sent_nr(), ns + 1);
}

static void a_retransmission_has_the_old_ns_and_the_new_nr(void **state)
{
	uint16_t ns = p.sc.t.ns, nr = p.sc.t.nr;

	queue_hello();
	channel_flush(&p.sc.t, p.now);
	assert_int_equal(sent_ns(), ns);
	assert_int_equal(sent_nr(), nr);
	pipe_inject(&p.sc, 0, nr, ns, hello, sizeof(hello));
	pipe_run(&p, p.now + 1000);
	pipe_expect(&p, "<HELLOx <ZLBx <HELLOx");
	assert_int_equal(sent_ns(), ns);
	assert_int_equal(sent_nr(), nr + 1);
}

static void numbers_wrap(void **state)
{
	p.sc.t.ns = p.si.t.nr = 65534;
	p.sc.t.nr = p.si.t.ns = 65534;
	for (unsigned i = 0; i < 4; i++) {
		queue_hello();
		channel_flush(&p.sc.t, p.now);
		assert_int_equal(sent_ns(), (uint16_t)(65534 + i));
		acknowledge((uint16_t)(65535 + i));
		assert_null(p.sc.t.outgoing);
	}
	assert_int_equal(p.sc.t.ns, 2);
	pipe_inject(&p.sc, 0, 0, 2, hello, sizeof(hello)); /* early, across the wrap */
	pipe_inject(&p.sc, 0, 65535, 2, hello, sizeof(hello));
	pipe_inject(&p.sc, 0, 65534, 2, hello, sizeof(hello));
	assert_int_equal(p.sc.t.nr, 1);
	assert_int_equal(p.sc.counters.hello_rx, 3);
	pipe_inject(&p.sc, 0, 65535, 2, hello, sizeof(hello));
	assert_int_equal(p.sc.counters.duplicates, 1);
}

/* Appendix A: 1, 2, 4 ... up to SSTHRESH, then one more per window. */
static void the_congestion_window_starts_slowly(void **state)
{
	struct l2tp_tunnel *t = &p.sc.t;
	uint16_t ns = t->ns;

	t->peer_window = 8;
	t->cwnd = 1;
	t->ssthresh = 4;
	for (int i = 0; i < 20; i++)
		queue_hello();
	channel_flush(t, p.now);
	assert_int_equal(t->in_flight, 1);
	acknowledge((uint16_t)(ns + 1));
	assert_int_equal(t->in_flight, 2);
	acknowledge((uint16_t)(ns + 2));
	acknowledge((uint16_t)(ns + 3));
	assert_int_equal(t->cwnd, 4);
	assert_int_equal(t->in_flight, 4);
	for (uint16_t i = 4; i < 7; i++)
		acknowledge((uint16_t)(ns + i));
	assert_int_equal(t->cwnd, 4);
	acknowledge((uint16_t)(ns + 7));
	assert_int_equal(t->cwnd, 5);
	assert_int_equal(t->in_flight, 5);
}

static void congestion_shuts_the_window_to_one(void **state)
{
	struct l2tp_tunnel *t = &p.sc.t;
	uint16_t ns = t->ns;

	t->peer_window = t->cwnd = 6;
	for (int i = 0; i < 8; i++)
		queue_hello();
	channel_flush(t, p.now);
	assert_int_equal(t->in_flight, 6);
	p.trace[0] = '\0';
	pipe_run(&p, p.now + 1000);
	pipe_expect(&p, "<HELLOx");
	assert_int_equal(sent_ns(), ns);
	assert_int_equal(t->cwnd, 1);
	assert_int_equal(t->ssthresh, 3);
	assert_int_equal(t->in_flight, 1);
	/* the peer had the others: one acknowledgement takes all that were ever sent */
	acknowledge((uint16_t)(ns + 6));
	assert_int_equal(t->cwnd, 2);
	pipe_expect(&p, "<HELLOx <HELLOx");
	assert_int_equal(t->in_flight, 2);
}

static void the_peers_window_is_never_exceeded(void **state)
{
	struct l2tp_tunnel *t = &p.sc.t;

	t->peer_window = 1;
	t->cwnd = 1;
	t->ssthresh = 1;
	for (int i = 0; i < 5; i++)
		queue_hello();
	for (unsigned i = 0; i < 5; i++) {
		channel_flush(t, p.now);
		assert_int_equal(t->in_flight, 1);
		acknowledge((uint16_t)(t->outgoing->ns + 1));
	}
	assert_null(t->outgoing);
	p.trace[0] = '\0';
	l2tp_tunnel_close(t, L2TP_STOP_CLEAR, 0, "", p.now);
	pipe_expect(&p, "<CDNx");
	acknowledge((uint16_t)(t->outgoing->ns + 1));
	pipe_expect(&p, "<StopCCNx");
}

/* proves: HS-L2TP-33 partial */
static void congestion_does_not_hold_the_goodbye(void **state)
{
	p.sc.t.cwnd = 1;
	p.sc.t.ssthresh = 2;
	l2tp_tunnel_close(&p.sc.t, L2TP_STOP_CLEAR, 0, "", p.now);
	pipe_expect(&p, "<CDNx <StopCCNx");
}

static void the_goodbye_goes_before_what_was_never_sent(void **state)
{
	struct l2tp_tunnel *t = &p.sc.t;
	uint16_t ns = t->ns;

	t->peer_window = t->cwnd = 1;
	for (int i = 0; i < 3; i++)
		queue_hello();
	channel_flush(t, p.now);
	l2tp_tunnel_close(t, L2TP_STOP_CLEAR, 0, "", p.now);
	pipe_expect(&p, "<HELLOx");
	acknowledge((uint16_t)(ns + 1));
	pipe_expect(&p, "<CDNx");
	assert_int_equal(sent_ns(), ns + 1);
	acknowledge((uint16_t)(ns + 2));
	pipe_expect(&p, "<StopCCNx");
	assert_int_equal(sent_ns(), ns + 2);
}

static void one_hello_at_a_time(void **state)
{
	p.si.config.hello_ms = 0;
	pipe_run(&p, p.now + 60000);
	assert_int_equal(p.sc.counters.hello_tx, 1);
	p.sc.config.hello_ms = 1;
	pipe_run(&p, p.now + 500);
	assert_int_equal(p.sc.counters.hello_tx, 1);
}

/* Whatever a pipe with loss, repetition and bad order does, what goes in comes out, once and in order. */
static void delivers_through_a_bad_pipe(void **state)
{
	for (uint64_t seed = 1; seed <= 30; seed++) {
		struct rng rng;
		unsigned hellos = 0;

		pipe_done(&p);
		pipe_init(&p);
		pipe_up(&p);
		rng_init_seed(&rng, seed);
		p.si.config.retransmit_tries = p.sc.config.retransmit_tries = 200;
		p.si.config.hello_ms = p.sc.config.hello_ms = 0;
		for (int i = 0; i < 400; i++) {
			struct end *e = rng_below(&rng, 2) ? &p.si : &p.sc;

			if (i < 100) {
				queue_hello();
				hellos++;
				channel_flush(&p.sc.t, p.now);
			}
			if (e->queued > 1) {
				struct packet first = e->queue[0];
				size_t at = rng_below(&rng, (uint32_t)e->queued);

				e->queue[0] = e->queue[at];
				e->queue[at] = first;
			}
			if (e->queued && rng_below(&rng, 4) == 0)
				e->queued--;
			else if (e->queued && e->queued < 20 && rng_below(&rng, 4) == 0)
				e->queue[e->queued++] = e->queue[0];
			if (rng_below(&rng, 3) == 0)
				pipe_run(&p, p.now + rng_below(&rng, 2000));
		}
		pipe_run(&p, p.now + 60000);
		assert_int_equal(p.si.counters.hello_rx, hellos);
		assert_null(p.sc.t.outgoing);
		assert_null(p.si.t.early);
		assert_int_equal(p.si.closed + p.sc.closed, 0);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(duplicates_are_acknowledged_and_not_delivered),
		TEST(a_zlb_is_not_acknowledged_and_takes_no_number),
		TEST(early_messages_wait_for_their_turn),
		TEST(a_gap_that_fills_in_another_order_leaves_nothing),
		TEST(what_is_outside_the_window_is_dropped),
		TEST(what_was_never_sent_cannot_be_acknowledged),
		TEST(a_message_carries_the_acknowledgement),
		TEST(a_retransmission_has_the_old_ns_and_the_new_nr),
		TEST(numbers_wrap),
		TEST(the_congestion_window_starts_slowly),
		TEST(congestion_shuts_the_window_to_one),
		TEST(the_peers_window_is_never_exceeded),
		TEST(congestion_does_not_hold_the_goodbye),
		TEST(the_goodbye_goes_before_what_was_never_sent),
		TEST(one_hello_at_a_time),
		TEST(delivers_through_a_bad_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
