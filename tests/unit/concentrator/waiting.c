/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Turns, room and patience of requests that wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "concentrator/waiting.h"
#include "lib/rng.h"

static const struct waiting_limits generous = {1000, 500, 100, 32, 56};

struct fixture {
	struct wheel wheel;
	struct waiting w;
	msec now;
};

static void begin(struct fixture *f, const struct waiting_limits *limits)
{
	f->now = 1000;
	wheel_init(&f->wheel, f->now);
	assert_int_equal(waiting_init(&f->w, &f->wheel, 42, limits), 0);
}

static void end(struct fixture *f)
{
	waiting_done(&f->w);
	assert_int_equal(f->wheel.armed, 0);
}

static void pass(struct fixture *f, msec ms)
{
	f->now += ms;
	wheel_advance(&f->wheel, f->now);
}

static struct endpoint host(uint32_t number, uint16_t port)
{
	return (struct endpoint){addr4(10, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number), port};
}

/* A request of N bytes, first byte HOST. */
static enum waiting_verdict put_sized(struct fixture *f, uint32_t number, uint16_t tunnel, size_t len)
{
	struct endpoint peer = host(number, 1701);
	uint8_t packet[2048] = {(uint8_t)number};

	return waiting_put(&f->w, &peer, tunnel, 3, NULL, packet, len, f->now);
}

static enum waiting_verdict put(struct fixture *f, uint32_t number, uint16_t tunnel)
{
	return put_sized(f, number, tunnel, 100);
}

/* Takes one; the last byte of its address. -1: nobody. */
static int take(struct fixture *f)
{
	struct request *r = waiting_take(&f->w);
	int number;

	if (!r)
		return -1;
	number = r->peer.addr.bytes[3];
	assert_int_equal(r->packet[0], number);
	assert_int_equal(r->listener, 3);
	free(r);
	return number;
}

static void know(struct fixture *f, uint32_t number)
{
	struct endpoint peer = host(number, 1701);
	struct source *s = waiting_hold(&f->w, &peer.addr);

	waiting_know(&f->w, s);
	waiting_release(&f->w, s);
}

/* proves: SEC-HS-22 partial */
static void sources_are_served_in_turn(void **state)
{
	static const int order[] = {1, 2, 3, 1, 3, 1, 1, -1};
	struct fixture f;

	begin(&f, &generous);
	for (uint16_t i = 0; i < 4; i++)
		assert_int_equal(put(&f, 1, i), WAITING_PUT);
	put(&f, 2, 0);
	put(&f, 3, 0);
	put(&f, 3, 1);
	assert_int_equal(f.w.waiting_sources, 3);
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		assert_int_equal(take(&f), order[i]);
	assert_int_equal(waiting_count(&f.w), 0);
	assert_int_equal(f.w.waiting_sources, 0);
	assert_int_equal(f.w.places, 0);
	end(&f);
}

/* Whoever has answered before has three turns of four, and strangers the fourth. */
static void known_sources_come_first_and_strangers_are_not_forgotten(void **state)
{
	static const int order[] = {1, 1, 1, 2, 1, 1, 1, 2, 2};
	struct fixture f;

	begin(&f, &generous);
	know(&f, 1);
	for (uint16_t i = 0; i < 6; i++) {
		put(&f, 2, i);
		put(&f, 1, i);
	}
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		assert_int_equal(take(&f), order[i]);
	end(&f);
}

static void who_answers_while_others_wait_changes_rings(void **state)
{
	struct endpoint peer = host(2, 1701);
	struct source *s;
	struct fixture f;

	begin(&f, &generous);
	for (uint16_t i = 0; i < 4; i++) {
		put(&f, 1, i);
		put(&f, 2, i);
	}
	assert_int_equal(f.w.unknown.count, 2);
	s = waiting_hold(&f.w, &peer.addr);
	waiting_know(&f.w, s);
	assert_int_equal(f.w.known.count, 1);
	assert_int_equal(take(&f), 2);
	assert_int_equal(take(&f), 2);
	assert_int_equal(take(&f), 2);
	assert_int_equal(take(&f), 1);
	waiting_release(&f.w, s);
	end(&f);
}

/* proves: SEC-HS-22 partial */
static void a_source_with_enough_tunnels_stands_aside(void **state)
{
	struct waiting_limits limits = generous;
	struct endpoint peer = host(1, 9);
	struct source *s;
	struct fixture f;

	limits.half_open_per_source = 2;
	begin(&f, &limits);
	put(&f, 1, 1);
	s = waiting_hold(&f.w, &peer.addr);
	assert_false(waiting_is_busy(&f.w, &peer.addr));
	waiting_hold(&f.w, &peer.addr);
	assert_true(waiting_is_busy(&f.w, &peer.addr));
	assert_false(waiting_ready(&f.w));
	put(&f, 1, 2);
	put(&f, 2, 1);
	assert_int_equal(take(&f), 2);
	assert_int_equal(take(&f), -1);
	waiting_release(&f.w, s);
	assert_int_equal(take(&f), 1);
	assert_int_equal(take(&f), 1);
	waiting_release(&f.w, s);
	assert_int_equal(f.w.sources.count, 0);
	end(&f);
}

/* ---- patience ---- */

/* Sent at 0, 1, 3, 7, 15, 23 s, as RFC 2661 section 5.8 wants it, and the second copy is lost. */
static void an_initiator_that_repeats_itself_keeps_its_place(void **state)
{
	static const msec pauses[] = {1000, 2000, 4000, 8000, 8000};
	struct endpoint peer = host(1, 1701);
	struct fixture f;

	begin(&f, &generous);
	put(&f, 1, 7);
	for (size_t i = 0; i < sizeof(pauses) / sizeof(*pauses); i++) {
		pass(&f, pauses[i]);
		assert_non_null(waiting_again(&f.w, &peer, 7, f.now));
	}
	assert_int_equal(waiting_count(&f.w), 1);
	assert_int_equal(f.w.places, 1);
	assert_null(waiting_again(&f.w, &peer, 8, f.now));
	pass(&f, 9999);
	assert_int_equal(waiting_count(&f.w), 1);
	pass(&f, 2);
	assert_int_equal(waiting_count(&f.w), 0);
	assert_int_equal(f.w.expired, 1);
	end(&f);
}

/* proves: SEC-HS-22 partial */
static void one_that_is_never_repeated_is_forgotten_soon(void **state)
{
	struct fixture f;

	begin(&f, &generous);
	for (uint16_t i = 0; i < 100; i++)
		put(&f, i, i);
	pass(&f, 1900);
	assert_int_equal(waiting_count(&f.w), 100);
	pass(&f, 101);
	assert_int_equal(waiting_count(&f.w), 0);
	assert_int_equal(f.w.expired, 100);
	assert_int_equal(f.w.sources.count, 0);
	assert_int_equal(take(&f), -1);
	end(&f);
}

static void an_initiator_can_take_it_back(void **state)
{
	struct endpoint peer = host(1, 1701);
	struct fixture f;

	begin(&f, &generous);
	put(&f, 1, 1);
	put(&f, 1, 2);
	put(&f, 1, 3);
	waiting_withdraw(&f.w, waiting_again(&f.w, &peer, 2, f.now));
	assert_int_equal(waiting_count(&f.w), 2);
	assert_int_equal(take(&f), 1);
	assert_int_equal(take(&f), 1);
	assert_int_equal(take(&f), -1);
	end(&f);
}

/* ---- room ---- */

/* proves: SEC-HS-22 partial */
static void a_source_has_no_more_room_than_it_may(void **state)
{
	struct waiting_limits limits = generous;
	struct fixture f;

	limits.places_per_source = 4;
	begin(&f, &limits);
	assert_int_equal(put_sized(&f, 1, 1, 255), WAITING_PUT);
	assert_int_equal(put_sized(&f, 1, 2, 700), WAITING_PUT); /* three places */
	assert_int_equal(put(&f, 1, 3), WAITING_SOURCE_FULL);
	assert_int_equal(put(&f, 2, 3), WAITING_PUT);
	assert_int_equal(f.w.places, 5);
	take(&f);
	assert_int_equal(put(&f, 1, 3), WAITING_PUT);
	end(&f);
}

/* proves: SEC-HS-22 partial */
static void when_all_is_full_the_greedy_give_way(void **state)
{
	struct waiting_limits limits = generous;
	struct fixture f;

	limits.places = 100;
	begin(&f, &limits);
	for (uint16_t i = 0; i < 100; i++)
		assert_int_equal(put(&f, 1, i), WAITING_PUT);
	assert_int_equal(put(&f, 1, 100), WAITING_FULL);
	for (uint16_t i = 0; i < 51; i++) /* up to its share */
		assert_int_equal(put(&f, 2, i), i < 50 ? WAITING_PUT : WAITING_FULL);
	assert_int_equal(f.w.displaced, 50);
	assert_int_equal(f.w.places, 100);
	assert_int_equal(put(&f, 3, 1), WAITING_PUT);
	assert_int_equal(f.w.places, 100);
	end(&f);
}

/* Who has all the tunnels that it may have does not hold the room, too. */
/* proves: SEC-HS-22 partial */
static void who_stands_aside_gives_way_like_the_others(void **state)
{
	struct waiting_limits limits = generous;
	struct endpoint one = host(1, 9), two = host(2, 9);
	struct source *s[2];
	struct fixture f;

	limits.places = 100;
	limits.half_open_per_source = 1;
	begin(&f, &limits);
	for (uint16_t i = 0; i < 50; i++) {
		put(&f, 1, i);
		put(&f, 2, i);
	}
	s[0] = waiting_hold(&f.w, &one.addr);
	s[1] = waiting_hold(&f.w, &two.addr);
	waiting_know(&f.w, s[1]);
	assert_false(waiting_ready(&f.w));
	assert_int_equal(put(&f, 3, 1), WAITING_PUT);
	know(&f, 4);
	assert_int_equal(put(&f, 4, 1), WAITING_PUT);
	assert_int_equal(f.w.places, 100);
	assert_int_equal(f.w.displaced, 2);
	assert_int_equal(take(&f), 4);
	assert_int_equal(take(&f), 3);
	assert_int_equal(take(&f), -1);
	for (uint16_t i = 100; i < 140; i++) /* no more than they have */
		assert_int_equal(put(&f, 2, i), i < 102 ? WAITING_PUT : WAITING_FULL);
	waiting_release(&f.w, s[0]);
	waiting_release(&f.w, s[1]);
	end(&f);
}

/* The greedy stranger, not those who are known and have little. */
/* proves: SEC-HS-22 partial */
static void a_stranger_gets_room_from_a_greedy_one(void **state)
{
	struct waiting_limits limits = generous;
	struct fixture f;

	limits.places = 100;
	begin(&f, &limits);
	know(&f, 1);
	put(&f, 1, 1);
	for (uint16_t i = 0; i < 99; i++)
		put(&f, 2, i);
	assert_int_equal(put(&f, 3, 1), WAITING_PUT);
	assert_int_equal(f.w.displaced, 1);
	assert_int_equal(take(&f), 1);
	end(&f);
}

/* Forged addresses, each seen once, fill everything: who is known gets in all the same. */
/* proves: SEC-HS-22 partial */
static void strangers_give_way_to_those_who_are_known(void **state)
{
	struct waiting_limits limits = generous;
	struct fixture f;

	limits.places = 100;
	begin(&f, &limits);
	know(&f, 1);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(put(&f, 1000 + i, 1), WAITING_PUT);
	assert_int_equal(put(&f, 2, 1), WAITING_FULL);
	for (uint16_t i = 0; i < 40; i++)
		assert_int_equal(put(&f, 1, i), WAITING_PUT);
	assert_int_equal(f.w.places, 100);
	assert_int_equal(take(&f), 1);
	assert_int_equal(take(&f), 1);
	end(&f);
}

/* proves: SEC-HS-22 partial */
static void a_network_is_one_source_as_configured(void **state)
{
	struct waiting_limits limits = generous;
	struct addr a = addr4(10, 1, 2, 3), b;
	struct fixture f;

	limits.prefix4 = 24;
	begin(&f, &limits);
	put(&f, 0x10201, 1);
	put(&f, 0x102ff, 1);
	put(&f, 0x10301, 1);
	assert_int_equal(f.w.waiting_sources, 2);
	b = waiting_prefix(&f.w, &a);
	a = addr4(10, 1, 2, 0);
	assert_true(addr_equal(&a, &b));
	assert_int_equal(addr_parse("2001:db8:1:2ff::7", &a), 0);
	b = waiting_prefix(&f.w, &a);
	assert_int_equal(addr_parse("2001:db8:1:200::", &a), 0);
	assert_true(addr_equal(&a, &b));
	end(&f);
}

/* Against a count kept beside: whatever happens in whatever order, nothing is lost and nothing grows. */
static void whatever_happens_the_sums_are_right(void **state)
{
	struct waiting_limits limits = {200, 60, 10, 32, 56};
	struct source *held[100] = {0};
	struct fixture f;
	struct rng rng;

	rng_init_seed(&rng, 7);
	begin(&f, &limits);
	for (int round = 0; round < 200000; round++) {
		uint32_t number = rng_below(&rng, 40), slot = rng_below(&rng, 100);
		struct endpoint peer = host(number, 1701);
		uint16_t tunnel = (uint16_t)rng_below(&rng, 20);
		struct request *r = waiting_again(&f.w, &peer, tunnel, f.now);

		if (!r)
			put_sized(&f, number, tunnel, 1 + rng_below(&rng, 1023));
		else if (rng_below(&rng, 20) == 0)
			waiting_withdraw(&f.w, r);
		if (rng_below(&rng, 3) == 0)
			take(&f);
		if (held[slot])
			waiting_release(&f.w, held[slot]);
		held[slot] = rng_below(&rng, 2) ? waiting_hold(&f.w, &peer.addr) : NULL;
		if (held[slot] && rng_below(&rng, 8) == 0)
			waiting_know(&f.w, held[slot]);
		pass(&f, rng_below(&rng, 30));
		assert_true(f.w.places <= limits.places);
		assert_int_equal(f.w.known.count + f.w.unknown.count + f.w.aside.count, f.w.waiting_sources);
		assert_true(f.w.waiting_sources <= f.w.sources.count && f.w.sources.count <= 40);
	}
	for (int i = 0; i < 100; i++)
		if (held[i])
			waiting_release(&f.w, held[i]);
	pass(&f, 60000);
	assert_int_equal(f.w.places, 0);
	assert_int_equal(f.w.sources.count, 0);
	assert_int_equal(f.w.waiting_sources, 0);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sources_are_served_in_turn),
		cmocka_unit_test(known_sources_come_first_and_strangers_are_not_forgotten),
		cmocka_unit_test(who_answers_while_others_wait_changes_rings),
		cmocka_unit_test(a_source_with_enough_tunnels_stands_aside),
		cmocka_unit_test(an_initiator_that_repeats_itself_keeps_its_place),
		cmocka_unit_test(one_that_is_never_repeated_is_forgotten_soon),
		cmocka_unit_test(an_initiator_can_take_it_back),
		cmocka_unit_test(a_source_has_no_more_room_than_it_may),
		cmocka_unit_test(when_all_is_full_the_greedy_give_way),
		cmocka_unit_test(who_stands_aside_gives_way_like_the_others),
		cmocka_unit_test(a_stranger_gets_room_from_a_greedy_one),
		cmocka_unit_test(strangers_give_way_to_those_who_are_known),
		cmocka_unit_test(a_network_is_one_source_as_configured),
		cmocka_unit_test(whatever_happens_the_sums_are_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
