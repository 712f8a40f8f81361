/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of servers, and what is known of their addresses when the resolver does not answer. */
#include "fixture.h"

enum { DRAWS = 200 };

/* ---- order ---- */

static struct fixture *with_servers(unsigned count, const bool beside[INITIATOR_SERVERS])
{
	struct fixture *f = fixture_new();

	f->config.server_count = count;
	for (unsigned n = 0; n < count; n++) {
		snprintf(f->config.servers[n], sizeof(f->config.servers[n]), "192.0.2.%u", n + 1);
		f->config.server_beside[n] = beside[n];
	}
	f->i = initiator_new(&f->loop, &f->log, (struct keeper_client *)(void *)f, &f->rng, &f->config);
	assert_non_null(f->i);
	return f;
}

static void done(struct fixture *f)
{
	initiator_free(f->i);
	f->i = NULL;
	fixture_free(f);
}

/* proves: PS-7 partial */
static void groups_come_in_order_and_their_members_at_random(void **state)
{
	static const bool beside[INITIATOR_SERVERS] = {false, true, false, true, true, false};
	struct fixture *f = with_servers(6, beside);
	unsigned first[6] = {0};
	uint8_t order[INITIATOR_SERVERS];

	for (unsigned n = 0; n < DRAWS; n++) {
		unsigned seen = 0;

		assert_int_equal(initiator_servers_order(f->i, UINT8_MAX, order), 6);
		for (unsigned k = 0; k < 6; k++)
			seen |= 1U << order[k];
		assert_int_equal(seen, 0x3f); /* each once */
		assert_true(order[0] < 2 && order[1] < 2);
		assert_true(order[2] >= 2 && order[2] < 5);
		assert_int_equal(order[5], 5);
		first[order[0]]++;
		first[order[2]]++;
	}
	for (unsigned n = 0; n < 2; n++)
		assert_in_range(first[n], DRAWS / 4, DRAWS);
	for (unsigned n = 2; n < 5; n++)
		assert_in_range(first[n], DRAWS / 8, DRAWS);
	assert_int_equal(initiator_servers_order(f->i, 1, order), 2);
	assert_int_equal(initiator_servers_order(f->i, 0, order), 0);
	done(f);
}

static void without_groups_the_order_is_that_of_the_configuration(void **state)
{
	static const bool beside[INITIATOR_SERVERS] = {false};
	struct fixture *f = with_servers(8, beside);
	uint8_t order[INITIATOR_SERVERS];

	for (unsigned n = 0; n < 20; n++) {
		assert_int_equal(initiator_servers_order(f->i, UINT8_MAX, order), 8);
		for (unsigned k = 0; k < 8; k++)
			assert_int_equal(order[k], k);
	}
	done(f);
}

static void one_that_has_failed_comes_last_for_a_while(void **state)
{
	static const bool beside[INITIATOR_SERVERS] = {false};
	struct fixture *f = with_servers(3, beside);
	uint8_t order[INITIATOR_SERVERS];
	msec before = 0;

	initiator_server_failed(f->i, 0);
	initiator_servers_order(f->i, UINT8_MAX, order);
	assert_int_equal(order[0] * 100 + order[1] * 10 + order[2], 120);
	fixture_skipped += 1100;
	initiator_servers_order(f->i, UINT8_MAX, order);
	assert_int_equal(order[0], 0);
	for (unsigned n = 0; n < 12; n++) { /* the longer, the more often */
		msec wait;

		initiator_server_failed(f->i, 0);
		wait = f->i->servers[0].again_at - loop_now(&f->loop);
		assert_true(wait <= 60000 && (wait >= before / 2 || wait >= 30000));
		before = wait;
	}
	assert_true(before >= 30000);
	initiator_server_works(f->i, 0);
	initiator_servers_order(f->i, UINT8_MAX, order);
	assert_int_equal(order[0], 0);
	done(f);
}

/* ---- names ---- */

static struct fixture *at_a_name(const char *names)
{
	struct fixture *f = fixture_new();

	f->names = names;
	snprintf(f->config.servers[0], sizeof(f->config.servers[0]), "both.example:%u", f->servers[0].at.port);
	return f;
}

static void lose_softwire(struct fixture *f)
{
	server_restart(&f->servers[0]);
	initiator_clear(f->i);
	fixture_until(f, !f->i->current);
}

/* proves: PS-21 partial */
static void a_silent_resolver_does_not_hold_up_a_reconnect(void **state)
{
	struct fixture *f = at_a_name("4 4");
	msec start;

	fixture_up(f);
	f->silent_resolver = true;
	start = loop_now(&f->loop);
	lose_softwire(f);
	fixture_pass_until(f, f->i->state == INITIATOR_UP, 3000);
	assert_true(loop_now(&f->loop) - start < 2600);
	assert_true(fixture_logged(f, "the addresses that it gave last are used"));
	/* What it says in the end is known for the next time, and harms nobody. */
	f->silent_resolver = false;
	fixture_pass(f, 1000);
	assert_false(initiator_server_resolving(f->i));
	assert_int_equal(f->i->state, INITIATOR_UP);
	fixture_free(f);
}

static void a_resolver_that_fails_does_no_harm_to_what_is_known(void **state)
{
	struct fixture *f = at_a_name("4 4");

	fixture_up(f);
	f->resolver_error = UV_EAI_AGAIN;
	lose_softwire(f);
	fixture_pass_until(f, f->i->state == INITIATOR_UP, 1500);
	fixture_free(f);
}

static void a_name_that_was_never_resolved_is_passed_over(void **state)
{
	struct fixture *f = at_a_name("4 4");
	msec start = loop_now(&f->loop);

	f->silent_resolver = true;
	f->config.server_count = 2;
	fixture_start(f);
	fixture_pass_until(f, f->i->state == INITIATOR_UP, 8000);
	assert_in_range(loop_now(&f->loop) - start, 4900, 6000);
	assert_int_equal(f->servers[1].ups, 1);
	assert_true(fixture_logged(f, "none is known"));
	fixture_free(f);
}

static void every_race_asks_again(void **state)
{
	struct fixture *f = at_a_name("6 6");

	f->config.ipv4 = f->config.want_subnet = false;
	fixture_start(f);
	fixture_pass_until(f, f->i->state == INITIATOR_UP, 5000);
	assert_int_equal(f->servers[2].ups, 1);
	f->names = "4 4"; /* it has moved */
	server_restart(&f->servers[2]);
	initiator_clear(f->i);
	fixture_until(f, !f->i->current);
	fixture_pass_until(f, f->i->state == INITIATOR_UP, 5000);
	assert_int_equal(f->servers[0].ups, 1);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_come_in_order_and_their_members_at_random),
		cmocka_unit_test(without_groups_the_order_is_that_of_the_configuration),
		cmocka_unit_test(one_that_has_failed_comes_last_for_a_while),
		cmocka_unit_test(a_silent_resolver_does_not_hold_up_a_reconnect),
		cmocka_unit_test(a_resolver_that_fails_does_no_harm_to_what_is_known),
		cmocka_unit_test(a_name_that_was_never_resolved_is_passed_over),
		cmocka_unit_test(every_race_asks_again),
	};

	return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
