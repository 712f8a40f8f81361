/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who gets in when many want to: windows, half-open tunnels, floods, storms. */
#include "fixture.h"

/* Somebody who never reads what we say. */
static struct peer *knock(struct fixture *f, uint8_t host)
{
	struct peer *p = peer_new(f, host, "alice");

	p->mute = true;
	peer_open(p);
	return p;
}

static void go_away(struct peer *p)
{
	softwire_done(p->softwire);
	p->softwire = NULL;
}

static uint32_t waiting(const struct fixture *f)
{
	return waiting_count(&f->c->admission.waiting);
}

static unsigned crowd(const struct fixture *f, enum crowd_name name)
{
	return f->c->admission.crowds[name].count;
}

static unsigned logged(const struct fixture *f, const char *text)
{
	unsigned n = 0;

	for (const char *at = f->lines; (at = strstr(at, text)); at++)
		n++;
	return n;
}

/* It is let in within MS of virtual time, and comes up. (The database takes its time in real time.) */
static void expect_up(struct fixture *f, struct peer *p, msec ms)
{
	for (msec t = 0; t < ms && !p->engine.softwire.tunnel.peer_tunnel; t += 50)
		fixture_pass(f, 50);
	if (!p->engine.softwire.tunnel.peer_tunnel)
		fail_msg("not let in after %u ms, waiting %u, half open %u", (unsigned)ms, waiting(f),
			concentrator_half_open(f->c));
	fixture_until(f, p->up6 || p->downs);
	assert_int_equal(p->downs, 0);
}

static void no_more_are_under_way_than_the_window(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *bob;

	f->config.setup_window = 2;
	fixture_start(f);
	for (uint8_t i = 0; i < 5; i++)
		knock(f, (uint8_t)(10 + i));
	fixture_until(f, f->c->role_counters.sccrq == 5);
	fixture_round(f);
	assert_int_equal(concentrator_half_open(f->c), 2);
	assert_int_equal(waiting(f), 3);
	bob = peer_new(f, 3, "bob");
	peer_open(bob);
	expect_up(f, bob, 1500); /* those who do not answer hold it for 300 ms */
	fixture_free(f);
}

/* proves: SEC-HS-22 partial */
static void who_never_answers_leaves_when_others_wait(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *bob;

	f->config.max_half_open = 1;
	fixture_start(f);
	go_away(knock(f, 2));
	fixture_until(f, concentrator_half_open(f->c) == 1);
	bob = peer_new(f, 3, "bob");
	peer_open(bob);
	fixture_pass(f, 1200);
	assert_int_equal(f->c->role_counters.abandoned, 0); /* the SCCRP may have been lost: its second copy has its chance */
	assert_int_equal(waiting(f), 1);
	expect_up(f, bob, 1500);
	assert_int_equal(f->c->role_counters.abandoned, 1);
	fixture_free(f);
}

static void who_never_answers_stays_for_the_second_copy_while_nobody_waits(void **state)
{
	struct fixture *f = fixture_new();

	f->config.max_half_open = 1;
	fixture_start(f);
	go_away(knock(f, 2));
	fixture_until(f, concentrator_half_open(f->c) == 1);
	fixture_pass(f, 3000);
	assert_int_equal(f->c->role_counters.abandoned, 0);
	assert_int_equal(concentrator_half_open(f->c), 1);
	fixture_free(f);
}

/* proves: SEC-HS-22 partial */
static void who_answers_and_stops_leaves_later_when_others_wait(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *p, *bob;

	f->config.max_half_open = 1;
	fixture_start(f);
	p = peer_new(f, 2, "alice");
	peer_open(p);
	fixture_until(f, crowd(f, CROWD_BUSY) == 1);
	p->mute = true;
	bob = peer_new(f, 3, "bob");
	peer_open(bob);
	fixture_pass(f, 8000);
	assert_int_equal(f->c->role_counters.abandoned, 0);
	assert_int_equal(crowd(f, CROWD_SLOW), 1);
	expect_up(f, bob, 4000);
	assert_int_equal(f->c->role_counters.abandoned, 1);
	p->mute = false;
	fixture_until(f, p->downs);
	assert_non_null(strstr(p->why.text, "too long"));
	fixture_free(f);
}

/* proves: SEC-HS-22 partial, HS-L2TP-25 partial */
static void a_flood_from_everywhere_keeps_nobody_out_and_fills_no_log(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *alice, *bob;

	f->config.setup_window = 4;
	f->config.max_half_open = 20;
	fixture_start(f);
	alice = peer_up(f, 3, "alice");
	for (unsigned i = 0; i < 200; i++)
		go_away(knock(f, (uint8_t)(10 + i)));
	bob = peer_new(f, 4, "bob");
	peer_open(bob);
	fixture_until(f, f->c->role_counters.sccrq == 202);
	assert_true(waiting(f) > 150);
	expect_up(f, bob, 7000); /* in its turn, before it loses patience */
	assert_true(concentrator_half_open(f->c) <= 20);
	fixture_pass(f, 20000);
	assert_int_equal(waiting(f), 0);
	assert_int_equal(f->c->admission.waiting.sources.count, 0);
	assert_int_equal(concentrator_half_open(f->c), 0);
	assert_true(f->c->admission.waiting.expired > 50);
	assert_int_equal(f->c->count, 2);
	assert_int_equal(alice->downs, 0);
	assert_int_equal(logged(f, "event=storm-begin"), 1);
	assert_int_equal(logged(f, "event=storm-end"), 1);
	assert_true(logged(f, "event=setup-failed") + logged(f, "event=stray") <= 80);
	fixture_free(f);
}

/* proves: SEC-HS-22 partial */
static void a_flood_from_one_address_has_one_turn_of_two(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *bob;

	f->config.setup_window = 4;
	f->config.half_open_per_source = 10;
	f->config.waiting_per_source = 50;
	f->config.request_rate = 40;
	fixture_start(f);
	for (unsigned i = 0; i < 150; i++)
		go_away(knock(f, 2));
	fixture_until(f, f->c->role_counters.sccrq == 150);
	assert_true(waiting(f) <= 50);
	assert_true(f->c->role_counters.refused_rate > 0);
	assert_true(f->c->role_counters.refused_source > 0);
	bob = peer_new(f, 3, "bob");
	peer_open(bob);
	expect_up(f, bob, 1500);
	fixture_free(f);
}

static void a_copy_of_one_that_waits_costs_nothing(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *bob;

	f->config.max_half_open = 1;
	fixture_start(f);
	knock(f, 2);
	fixture_until(f, concentrator_half_open(f->c) == 1);
	bob = peer_new(f, 3, "bob");
	bob->mute = true;
	peer_open(bob);
	fixture_until(f, waiting(f) == 1);
	for (int i = 0; i < 10; i++)
		peer_send(bob, bob->first, bob->first_len);
	fixture_until(f, f->c->role_counters.sccrq_again == 10);
	assert_int_equal(waiting(f), 1);
	assert_int_equal(f->c->role_counters.sccrq, 2);
	fixture_free(f);
}

static void who_gives_up_is_not_served(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *bob;

	f->config.max_half_open = 1;
	fixture_start(f);
	knock(f, 2);
	fixture_until(f, concentrator_half_open(f->c) == 1);
	bob = peer_new(f, 3, "bob");
	peer_open(bob);
	fixture_until(f, waiting(f) == 1);
	softwire_close(bob->softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", loop_now(&f->loop));
	fixture_until(f, f->c->role_counters.withdrawn == 1);
	assert_int_equal(waiting(f), 0);
	fixture_free(f);
}

static void limits_follow_a_reload(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *bob;

	f->config.max_half_open = 1;
	fixture_start(f);
	knock(f, 2);
	fixture_until(f, concentrator_half_open(f->c) == 1);
	bob = peer_new(f, 3, "bob");
	peer_open(bob);
	fixture_until(f, waiting(f) == 1);
	f->config.max_half_open = 10;
	f->config.source_prefix4 = 24;
	assert_int_equal(fixture_reload(f, &f->config), 0);
	fixture_until(f, bob->up6);
	fixture_free(f);
}

static void it_may_stop_while_others_wait(void **state)
{
	struct fixture *f = fixture_new();

	f->config.max_half_open = 1;
	fixture_start(f);
	for (uint8_t i = 0; i < 20; i++)
		knock(f, (uint8_t)(2 + i));
	fixture_until(f, waiting(f) == 19);
	fixture_stop(f);
	fixture_free(f);
}

/* A request that is read by the last flush, when all softwires are gone already. */
static void who_knocks_while_the_door_closes_is_told(void **state)
{
	struct fixture *f = fixture_new();

	fixture_start(f);
	knock(f, 10);
	fixture_stop(f);
	assert_int_equal(logged(f, "shutting down"), 1);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_knocks_while_the_door_closes_is_told),
		cmocka_unit_test(no_more_are_under_way_than_the_window),
		cmocka_unit_test(who_never_answers_leaves_when_others_wait),
		cmocka_unit_test(who_never_answers_stays_for_the_second_copy_while_nobody_waits),
		cmocka_unit_test(who_answers_and_stops_leaves_later_when_others_wait),
		cmocka_unit_test(a_flood_from_everywhere_keeps_nobody_out_and_fills_no_log),
		cmocka_unit_test(a_flood_from_one_address_has_one_turn_of_two),
		cmocka_unit_test(a_copy_of_one_that_waits_costs_nothing),
		cmocka_unit_test(who_gives_up_is_not_served),
		cmocka_unit_test(limits_follow_a_reload),
		cmocka_unit_test(it_may_stop_while_others_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
