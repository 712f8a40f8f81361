/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is asked, when, and that only the one who answers first goes on. */
#include "fixture.h"

static struct fixture *at_both(const char *names)
{
	struct fixture *f = fixture_new();

	f->names = names;
	snprintf(f->config.servers[0], sizeof(f->config.servers[0]), "both.example:%u", f->servers[0].at.port);
	return f;
}

static msec now(const struct fixture *f)
{
	return loop_now(&f->loop);
}

/* ---- both families ---- */

/* proves: PS-21 partial */
static void a_black_hole_costs_less_than_a_second(void **state)
{
	static const struct {
		const char *names;
		bool ipv6, ipv4;
		unsigned dead, alive;
	} cases[] = {
		{"6 4", true, true, 2, 0},  /* the resolver's first */
		{"4 6", true, true, 0, 2},
		{"6 4", true, false, 0, 2}, /* IPv4 first: it is not what the softwire brings */
		{"4 6", false, true, 2, 0},
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct fixture *f = at_both(cases[n].names);
		struct server *dead = &f->servers[cases[n].dead], *alive = &f->servers[cases[n].alive];
		msec start;

		f->config.ipv6 = f->config.want_prefix = cases[n].ipv6;
		f->config.ipv4 = cases[n].ipv4;
		assert_int_equal(addr_parse("198.51.100.7", &alive->lease.address4), 0);
		dead->mute = true;
		fixture_start(f);
		fixture_until(f, dead->requests == 1);
		start = now(f);
		assert_int_equal(alive->requests, 0);
		fixture_pass(f, 200);
		assert_int_equal(alive->requests, 0); /* the first has its chance */
		fixture_pass_until(f, f->i->state == INITIATOR_UP, 800);
		assert_true(now(f) - start < 1000);
		assert_true(alive->ups > 0);
		assert_true(dead->stops > 0); /* told that it is over, should it have heard of us */
		assert_int_equal(f->i->failures, 0);
		fixture_free(f);
	}
}

/* Both have heard us, one a moment before the other. */
static void the_second_to_answer_is_closed_before_anything_is_said(void **state)
{
	struct fixture *f = at_both("6 4");

	f->config.ipv4 = true;
	f->servers[2].mute = f->servers[0].mute = true;
	fixture_start(f);
	fixture_pass_until(f, f->servers[0].requests && f->servers[2].requests, 2000);
	f->servers[2].mute = f->servers[0].mute = false;
	/* Their copies of the SCCRQ come within a third of a second. */
	fixture_pass_until(f, f->servers[0].ups + f->servers[2].ups == 1, 3000);
	fixture_pass(f, 3000);
	assert_int_equal(f->servers[0].ups + f->servers[2].ups, 1);
	for (int n = 0; n <= 2; n += 2) {
		struct server *s = &f->servers[n];

		if (s->ups)
			continue;
		assert_int_equal(s->packets, 0); /* no PPP, and no password */
		assert_true(s->stops > 0);
		assert_true(!s->softwire || s->softwire->step >= STEP_CLOSING);
	}
	assert_int_equal(f->i->state, INITIATOR_UP);
	fixture_free(f);
}

static void a_first_that_answers_is_the_only_one_asked(void **state)
{
	struct fixture *f = at_both("6 4");

	fixture_up(f);
	fixture_pass(f, 5000);
	assert_int_equal(f->servers[0].requests, 1);
	assert_int_equal(f->servers[2].requests, 0);
	fixture_free(f);
}

/* ---- several servers ---- */

static struct fixture *with_two(void)
{
	struct fixture *f = fixture_new();

	f->config.server_count = 2;
	return f;
}

/* proves: PS-7 partial */
static void the_next_server_is_asked_after_3_seconds(void **state)
{
	struct fixture *f = with_two();
	msec start;

	f->servers[0].mute = true;
	fixture_start(f);
	fixture_until(f, f->servers[0].requests == 1);
	start = now(f);
	fixture_pass(f, 2500);
	assert_int_equal(f->servers[1].requests, 0);
	fixture_pass_until(f, f->i->state == INITIATOR_UP, 1500);
	assert_in_range(now(f) - start, 2900, 4000);
	assert_int_equal(f->servers[1].ups, 1);
	assert_true(f->servers[0].stops > 0);
	fixture_free(f);
}

static void a_server_that_refuses_is_no_reason_to_wait(void **state)
{
	struct fixture *f = with_two();
	msec start = now(f);

	f->servers[0].config.l2tp.require_secret = true; /* which we have not */
	fixture_start(f);
	fixture_pass_until(f, f->i->state == INITIATOR_UP, 500);
	assert_true(now(f) - start < 600);
	assert_int_equal(f->servers[1].ups, 1);
	assert_int_equal(f->i->failures, 0);
	fixture_free(f);
}

/* It answers, and then has nothing for us. */
static void a_winner_that_fails_later_is_followed_by_the_next(void **state)
{
	struct fixture *f = with_two();
	msec start = now(f);

	f->servers[0].lease.no_ipv6 = true;
	fixture_start(f);
	fixture_pass_until(f, f->i->state == INITIATOR_UP, 2000);
	assert_true(now(f) - start < 2000);
	assert_int_equal(f->servers[0].ups, 0);
	assert_int_equal(f->servers[1].ups, 1);
	assert_true(f->i->servers[0].again_at > now(f));
	fixture_free(f);
}

/* The best one is asked again first, whatever it was that ended. */
static void a_server_that_shuts_down_is_left_for_the_next(void **state)
{
	struct fixture *f = with_two();

	fixture_up(f);
	softwire_close(f->servers[0].softwire, CAUSE_SHUTDOWN, L2TP_STOP_SHUTDOWN, 0, "maintenance", now(f));
	fixture_round(f);
	f->servers[0].mute = true;
	fixture_pass_until(f, f->servers[1].ups == 1, 4500);
	assert_int_equal(f->i->failures, 1); /* the softwire that was */
	fixture_pass(f, 5000);
	f->servers[0].mute = false;
	initiator_clear(f->i);
	fixture_pass_until(f, f->servers[0].ups == 2, 2000);
	fixture_free(f);
}

static void all_that_fail_are_a_round_and_then_there_is_a_wait(void **state)
{
	struct fixture *f = with_two();

	f->servers[0].mute = f->servers[1].mute = true;
	fixture_start(f);
	fixture_until(f, f->servers[0].requests == 1);
	fixture_pass(f, 9500);
	assert_int_equal(f->i->failures, 0);
	fixture_pass_until(f, f->i->state == INITIATOR_WAITING, 2000);
	assert_int_equal(f->i->failures, 1);
	assert_in_range(f->servers[1].requests, 3, 4);
	fixture_free(f);
}

/* ---- home ---- */

/* Up at the second one; the first one is back. */
static struct fixture *away(bool come_home)
{
	struct fixture *f = with_two();

	f->config.come_home = come_home;
	f->config.come_home_ms = 200000;
	f->servers[0].mute = true;
	fixture_start(f);
	fixture_pass_until(f, f->servers[1].ups == 1, 6000);
	fixture_pass(f, 35000); /* nothing is repeated any more */
	f->servers[0].mute = false;
	return f;
}

/* proves: PS-7 partial */
static void a_better_server_that_is_back_takes_over_without_a_gap(void **state)
{
	struct fixture *f = away(true);
	uint32_t requests = f->servers[0].requests;
	msec start = now(f);

	while (!f->servers[0].ups && now(f) - start < 300000) {
		assert_int_equal(f->i->state, INITIATOR_UP);
		assert_int_equal(f->servers[1].downs, 0);
		fixture_pass(f, 100);
	}
	assert_in_range(now(f) - start, 60000, 270000);
	assert_true(f->servers[0].requests > requests);
	fixture_pass_until(f, f->servers[1].downs == 1, 6000);
	assert_int_equal(f->i->state, INITIATOR_UP);
	assert_true(endpoint_equal(&f->i->current->server, &f->servers[0].at));
	assert_true(f->i->current->engine.state.has_binding); /* it had all before the old one went */
	assert_int_equal(f->default_metric, 1024);
	assert_true(fixture_logged(f, "event=moved"));
	assert_false(fixture_logged(f, "event=prefix-deprecated"));
	assert_false(fixture_logged(f, "event=waiting"));
	fixture_pass(f, 400000); /* there is no better one */
	assert_int_equal(f->servers[1].ups, 1);
	fixture_free(f);
}

static void a_better_server_that_stays_away_disturbs_nobody(void **state)
{
	struct fixture *f = away(true);
	uint32_t requests = f->servers[0].requests;

	f->servers[0].mute = true;
	fixture_pass(f, 1500000);
	assert_in_range(f->servers[0].requests - requests, 4 * 3, 14 * 7);
	assert_int_equal(f->servers[1].downs, 0);
	assert_int_equal(f->i->state, INITIATOR_UP);
	assert_int_equal(f->i->failures, 0);
	/* One that answers, and refuses then, neither. */
	f->servers[0].mute = false;
	f->servers[0].lease.no_ipv6 = true;
	requests = f->servers[0].requests;
	fixture_pass(f, 600000);
	assert_true(f->servers[0].requests > requests);
	assert_int_equal(f->servers[1].downs, 0);
	assert_int_equal(f->i->state, INITIATOR_UP);
	fixture_free(f);
}

static void who_does_not_want_to_come_home_stays(void **state)
{
	struct fixture *f = away(false);
	uint32_t requests = f->servers[0].requests;

	fixture_pass(f, 600000);
	assert_int_equal(f->servers[0].requests, requests);
	fixture_free(f);
}

/* What was planned by the old values is planned anew. */
static void another_interval_and_another_back_off_count_at_once(void **state)
{
	struct fixture *f = with_two();

	f->config.come_home = true;
	f->config.come_home_ms = 86400000;
	f->config.backoff_first_ms = f->config.backoff_max_ms = 86400000;
	f->servers[0].mute = f->servers[1].mute = true;
	fixture_start(f);
	fixture_until(f, f->servers[0].requests == 1);
	fixture_pass(f, 350000); /* at first it tries every few seconds, whatever is configured */
	assert_int_equal(f->i->state, INITIATOR_WAITING);
	f->servers[1].mute = false;
	f->config.backoff_first_ms = f->config.backoff_max_ms = 5000;
	assert_true(initiator_reload(f->i, &f->config));
	fixture_pass_until(f, f->servers[1].ups == 1, 12000);
	fixture_pass(f, 35000);
	f->servers[0].mute = false;
	f->config.come_home_ms = 10000;
	assert_true(initiator_reload(f->i, &f->config));
	fixture_pass_until(f, f->servers[0].ups == 1, 20000);
	fixture_free(f);
}

/* The one that it was at ends while the better one is being asked: that one leads. */
static void the_old_one_may_end_on_the_way_home(void **state)
{
	struct fixture *f = away(true);

	fixture_pass_until(f, f->i->follower, 310000);
	softwire_close(f->servers[1].softwire, CAUSE_SHUTDOWN, L2TP_STOP_SHUTDOWN, 0, "maintenance", now(f));
	fixture_pass_until(f, f->servers[0].ups == 1 && f->i->state == INITIATOR_UP, 3000);
	assert_null(f->i->follower);
	assert_false(fixture_logged(f, "event=waiting"));
	fixture_free(f);
}

static void it_may_stop_on_the_way_home(void **state)
{
	struct fixture *f = away(true);

	fixture_pass_until(f, f->i->follower || f->i->racing, 310000);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_black_hole_costs_less_than_a_second),
		cmocka_unit_test(the_second_to_answer_is_closed_before_anything_is_said),
		cmocka_unit_test(a_first_that_answers_is_the_only_one_asked),
		cmocka_unit_test(the_next_server_is_asked_after_3_seconds),
		cmocka_unit_test(a_server_that_refuses_is_no_reason_to_wait),
		cmocka_unit_test(a_winner_that_fails_later_is_followed_by_the_next),
		cmocka_unit_test(a_server_that_shuts_down_is_left_for_the_next),
		cmocka_unit_test(all_that_fail_are_a_round_and_then_there_is_a_wait),
		cmocka_unit_test(a_better_server_that_is_back_takes_over_without_a_gap),
		cmocka_unit_test(a_better_server_that_stays_away_disturbs_nobody),
		cmocka_unit_test(who_does_not_want_to_come_home_stays),
		cmocka_unit_test(another_interval_and_another_back_off_count_at_once),
		cmocka_unit_test(the_old_one_may_end_on_the_way_home),
		cmocka_unit_test(it_may_stop_on_the_way_home),
	};

	return cmocka_run_group_tests_name("race", tests, NULL, NULL);
}
