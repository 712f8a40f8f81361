/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other networks, other addresses, and sleep: how soon there is a softwire again, and that the LAN does not notice. */
#include "fixture.h"

static msec now(const struct fixture *f)
{
	return loop_now(&f->loop);
}

/* Up, with the LAN told, and no withdrawal so far. */
static struct fixture *settled_with(unsigned servers)
{
	struct fixture *f = fixture_new();

	f->config.server_count = servers;
	fixture_up(f);
	fixture_pass(f, 20000);
	assert_true(f->adverts > 0);
	assert_int_equal(f->withdrawals, 0);
	return f;
}

static struct fixture *settled(void)
{
	return settled_with(1);
}

static void assert_lan_has_seen_nothing(const struct fixture *f)
{
	assert_int_equal(f->withdrawals, 0);
	assert_int_equal(f->default_metric, 1024);
	assert_true(fixture_address(f, "lan0", "2001:db8:8000:700::1")->preferred > 0);
	assert_true(fixture_unreachable(f, "2001:db8:8000:700::/56"));
	assert_false(fixture_logged(f, "event=withdrawn"));
	assert_false(fixture_logged(f, "event=prefix-deprecated"));
}

/* ---- our address ---- */

/* proves: PS-13, PS-15, HS-PROV-1 partial */
static void an_address_that_is_gone_is_left_at_once(void **state)
{
	struct fixture *f = settled();
	unsigned stops = f->servers[0].stops;
	msec start = now(f);

	f->moved = true;
	f->source = "127.0.0.7"; /* the new one */
	initiator_hint(f->i, "the host's address changed");
	fixture_pass_until(f, f->servers[0].ups == 2, 600);
	assert_true(now(f) - start < 700);
	assert_int_equal(f->servers[0].stops, stops); /* nothing was said from the wrong address */
	assert_true(fixture_logged(f, "our address 127.0.0.1 is gone"));
	assert_int_equal(f->i->failures, 0);
	fixture_pass(f, 10000);
	assert_int_equal(f->i->state, INITIATOR_UP);
	assert_lan_has_seen_nothing(f);
	fixture_free(f);
}

static void an_address_may_be_away_for_a_moment(void **state)
{
	struct fixture *f = settled();

	f->moved = true;
	initiator_hint(f->i, "the host's address changed");
	fixture_pass(f, 80);
	f->moved = false;
	initiator_hint(f->i, "the host's address changed");
	fixture_pass(f, 3000);
	assert_int_equal(f->servers[0].requests, 1);
	assert_int_equal(f->i->reconnects, 0);
	fixture_free(f);
}

/* Between two networks there is neither address nor route; then both come. */
/* proves: PS-14 partial, PS-15 partial */
static void a_gap_between_two_networks_is_bridged(void **state)
{
	struct fixture *f = settled();
	msec start;

	f->moved = f->no_route = true;
	initiator_hint(f->i, "the host's address changed");
	fixture_pass(f, 12000);
	assert_null(f->i->current);
	assert_lan_has_seen_nothing(f);
	f->no_route = false;
	f->source = "127.0.0.7";
	start = now(f);
	initiator_hint(f->i, "the host's route changed");
	fixture_pass_until(f, f->servers[0].ups == 2, 500);
	assert_true(now(f) - start < 600);
	fixture_pass(f, 5000);
	assert_lan_has_seen_nothing(f);
	fixture_free(f);
}

/* The old address is still there, but new packets would come from another one. */
static void another_way_is_tried_beside_the_old_one(void **state)
{
	struct fixture *f = settled();
	msec start = now(f);

	f->source = "127.0.0.7";
	f->servers[0].mute = true;
	initiator_hint(f->i, "the host's route changed");
	fixture_pass_until(f, f->servers[0].requests == 2, 300);
	assert_int_equal(f->i->state, INITIATOR_UP); /* the old one has not been given up */
	f->servers[0].mute = false;
	server_restart(&f->servers[0]);
	fixture_pass_until(f, f->servers[0].ups == 2, 3000);
	assert_true(now(f) - start < 3500);
	fixture_pass(f, 3000);
	assert_lan_has_seen_nothing(f);
	fixture_free(f);
}

static void racers_from_an_address_that_is_gone_begin_again(void **state)
{
	struct fixture *f = fixture_new();

	f->servers[0].mute = true;
	fixture_start(f);
	fixture_until(f, f->servers[0].requests == 1);
	f->moved = true;
	f->source = "127.0.0.7";
	initiator_hint(f->i, "the host's address changed");
	f->servers[0].mute = false;
	fixture_pass_until(f, f->i->state == INITIATOR_UP, 700);
	assert_int_equal(f->i->failures, 0);
	fixture_free(f);
}

/* ---- suspicion ---- */

/* A NAT has another mapping for us, or the server has lost its memory. */
/* proves: PS-15 partial */
static void a_server_that_does_not_know_us_is_asked_anew_within_two_seconds(void **state)
{
	struct fixture *f = settled();
	msec start = now(f);

	server_restart(&f->servers[0]);
	initiator_hint(f->i, "the server does not know this tunnel");
	fixture_pass_until(f, f->servers[0].ups == 2, 2400);
	assert_in_range(now(f) - start, 1400, 2500);
	fixture_pass(f, 2000);
	assert_int_equal(f->i->state, INITIATOR_UP);
	assert_int_equal(f->i->reconnects, 1);
	assert_false(fixture_logged(f, "event=waiting"));
	assert_lan_has_seen_nothing(f);
	fixture_free(f);
}

/* proves: SEC-HS-22 partial */
static void hints_that_are_forged_set_up_nothing(void **state)
{
	struct fixture *f = settled();

	for (int n = 0; n < 100; n++) {
		initiator_hint(f->i, "forged");
		fixture_pass(f, 130);
	}
	assert_int_equal(f->servers[0].requests, 1);
	fixture_free(f);
}

/* It answers after two seconds: the other one, which has not come to our password, is taken back. */
static void a_slow_answer_is_an_answer(void **state)
{
	struct fixture *f = settled();

	f->config.server_count = 1;
	f->servers[0].mute = true;
	initiator_hint(f->i, "route");
	fixture_pass_until(f, f->i->race.purpose == RACE_SUSPECT, 2000);
	f->servers[0].deaf_to_requests = true;
	f->servers[0].mute = false;
	fixture_pass_until(f, f->i->race.purpose == RACE_NONE, 3000);
	fixture_pass(f, 3000);
	assert_int_equal(f->i->state, INITIATOR_UP);
	assert_int_equal(f->i->reconnects, 0);
	assert_null(f->i->follower);
	assert_null(f->i->racing);
	assert_true(f->servers[0].stops > 0);
	fixture_free(f);
}

/* The way was broken for both; the new one is answered first, and the old one is asked once more before it is given up. */
static void a_way_that_is_back_saves_the_old_softwire(void **state)
{
	struct fixture *f = settled_with(2);

	f->servers[0].mute = true;
	initiator_hint(f->i, "route");
	fixture_pass(f, 4000);
	assert_int_equal(f->servers[1].requests, 0);
	f->servers[0].deaf_to_requests = true;
	f->servers[0].mute = false;
	fixture_pass_until(f, f->servers[1].requests, 1000);
	fixture_pass(f, 1500); /* its next HELLO would come later */
	assert_int_equal(f->i->state, INITIATOR_UP);
	assert_true(endpoint_equal(&f->i->current->server, &f->servers[0].at));
	assert_null(f->i->follower);
	assert_int_equal(f->servers[1].ups, 0);
	fixture_free(f);
}

/* ---- sleep ---- */

static void after_sleep_the_server_is_probed(void **state)
{
	struct fixture *f = settled();
	uint64_t hellos = f->i->counters.l2tp.hello_tx;

	fixture_slept += 30000;
	fixture_pass(f, 1250);
	assert_true(f->i->counters.l2tp.hello_tx > hellos);
	assert_true(fixture_logged(f, "event=resumed"));
	assert_true(fixture_logged(f, "asleep_seconds=30"));
	fixture_pass(f, 5000);
	assert_int_equal(f->i->reconnects, 0);
	assert_lan_has_seen_nothing(f);
	fixture_free(f);
}

/* proves: PS-15 partial */
static void a_softwire_that_died_in_sleep_is_replaced_at_once(void **state)
{
	struct fixture *f = settled();

	server_restart(&f->servers[0]);
	fixture_slept += 1800000;
	fixture_pass_until(f, f->servers[0].ups == 2, 3800);
	fixture_pass(f, 5000);
	assert_lan_has_seen_nothing(f);
	assert_in_range(fixture_address(f, "lan0", "2001:db8:8000:700::1")->valid, 10700, 10800);
	fixture_free(f);
}

/* 3600 s of preferred lifetime and 10800 of valid lifetime go on; the server gives nothing new. */
static void lifetimes_go_on_in_sleep(void **state)
{
	struct fixture *f = settled();

	f->servers[0].mute = true;
	fixture_slept += 1000000;
	fixture_pass(f, 1250);
	assert_in_range(fixture_address(f, "lan0", "2001:db8:8000:700::1")->preferred, 2500, 2600);
	assert_in_range(fixture_address(f, "lan0", "2001:db8:8000:700::1")->valid, 9700, 9800);
	fixture_slept += 10000000;
	fixture_pass(f, 2250);
	assert_null(fixture_address(f, "lan0", "2001:db8:8000:700::1"));
	assert_true(fixture_logged(f, "prefix-expired"));
	fixture_free(f);
}

/* The process alone was stopped: its clock has gone on. */
static void a_process_that_was_stopped_has_time_to_look_around(void **state)
{
	struct fixture *f = settled();

	initiator_clear(f->i); /* down, when it is stopped */
	f->servers[0].mute = true;
	fixture_pass(f, 1000);
	fixture_skipped += 600000;
	f->servers[0].mute = false;
	server_restart(&f->servers[0]);
	fixture_pass_until(f, f->servers[0].ups == 2, 2500);
	fixture_pass(f, 5000);
	assert_true(fixture_logged(f, "event=resumed"));
	assert_int_equal(f->withdrawals, 0);
	assert_false(fixture_logged(f, "event=withdrawn"));
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_that_is_gone_is_left_at_once),
		cmocka_unit_test(an_address_may_be_away_for_a_moment),
		cmocka_unit_test(a_gap_between_two_networks_is_bridged),
		cmocka_unit_test(another_way_is_tried_beside_the_old_one),
		cmocka_unit_test(racers_from_an_address_that_is_gone_begin_again),
		cmocka_unit_test(a_server_that_does_not_know_us_is_asked_anew_within_two_seconds),
		cmocka_unit_test(hints_that_are_forged_set_up_nothing),
		cmocka_unit_test(a_slow_answer_is_an_answer),
		cmocka_unit_test(a_way_that_is_back_saves_the_old_softwire),
		cmocka_unit_test(after_sleep_the_server_is_probed),
		cmocka_unit_test(a_softwire_that_died_in_sleep_is_replaced_at_once),
		cmocka_unit_test(lifetimes_go_on_in_sleep),
		cmocka_unit_test(a_process_that_was_stopped_has_time_to_look_around),
	};

	return cmocka_run_group_tests_name("roam", tests, NULL, NULL);
}
