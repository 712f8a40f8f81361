/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit tests of bgp/feed: feeds are told everything once, in the order of changes, and what they have is known. Prefixes are small numbers (table.h), and
 * prefix I gets net I + 1 where nothing else is in the table.
 */
#include <errno.h>
#include <string.h>

#include "../lib/scarce.h"
#include "bgp/net.h"
#include "table.h"

static struct table t;
static struct rib_feed a, b;

static int open(void **state)
{
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	table_open(&t, BGP_IPV4);
	return 0;
}

static int close(void **state)
{
	table_close(&t);
	return 0;
}

/* The nets of prefixes FROM to TO - 1, from source 1. */
static void tell_all(uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		assert_int_equal(table_tell(&t, i, 1, 0, BGP_BAR_NONE), 1);
}

static int add(struct rib_feed *f)
{
	return rib_feed_add(&t.rib, f);
}

/* The next one of F is prefix I, and F has it now if there is a best path. */
static void expect(struct rib_feed *f, uint32_t i)
{
	rib_id net = rib_feed_next(f);

	assert_int_equal(net, table_net(&t, i));
	assert_int_not_equal(net, 0);
	assert_int_equal(rib_feed_set(f, net, rib_best(&t.rib, net) != NULL), 0);
}

static void expect_end(struct rib_feed *f)
{
	assert_true(rib_feed_at_end(f));
	assert_int_equal(rib_feed_next(f), 0);
	assert_true(rib_feed_at_end(f));
}

static void a_new_feed_hears_everything_in_the_order_of_changes(void **state)
{
	tell_all(0, 3);
	assert_int_equal(table_tell(&t, 1, 1, 4, BGP_BAR_NONE), 1);
	assert_int_equal(add(&a), 0);
	assert_false(rib_feed_passed(&a));
	assert_false(rib_feed_at_end(&a));
	expect(&a, 0);
	expect(&a, 2);
	assert_false(rib_feed_passed(&a));
	expect(&a, 1);
	assert_true(rib_feed_passed(&a));
	expect_end(&a);
	assert_int_equal(a.count, 3);
}

static void an_empty_table_is_passed_at_once(void **state)
{
	assert_int_equal(add(&a), 0);
	assert_true(rib_feed_passed(&a));
	expect_end(&a);
	tell_all(0, 1);
	assert_true(rib_feed_passed(&a));
	assert_false(rib_feed_at_end(&a));
	expect(&a, 0);
	expect_end(&a);
}

static void a_net_that_changes_before_at_and_behind_places_is_told_once_more_or_not(void **state)
{
	tell_all(0, 5);
	assert_int_equal(add(&a), 0);
	assert_int_equal(add(&b), 0);
	expect(&a, 0);
	expect(&a, 1);
	expect(&a, 2);
	expect(&b, 0);
	assert_int_equal(table_tell(&t, 0, 1, 2, BGP_BAR_NONE), 1); /* behind both */
	assert_int_equal(table_tell(&t, 1, 1, 2, BGP_BAR_NONE), 1); /* behind a, next of b */
	assert_int_equal(table_tell(&t, 2, 1, 2, BGP_BAR_NONE), 1); /* just behind a */
	assert_int_equal(table_tell(&t, 3, 1, 2, BGP_BAR_NONE), 1); /* next of a */
	expect(&a, 4);
	expect(&a, 0);
	expect(&a, 1);
	expect(&a, 2);
	expect(&a, 3);
	expect_end(&a);
	expect(&b, 4);
	expect(&b, 0);
	expect(&b, 1);
	expect(&b, 2);
	expect(&b, 3);
	expect_end(&b);
}

static void ten_changes_are_told_once(void **state)
{
	assert_int_equal(add(&a), 0);
	tell_all(0, 2);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(table_tell(&t, 0, 1, 2 + i % 2, BGP_BAR_NONE), 1);
	expect(&a, 1);
	expect(&a, 0);
	expect_end(&a);
}

static void what_changes_nothing_is_not_told(void **state)
{
	assert_int_equal(add(&a), 0);
	tell_all(0, 1);
	expect(&a, 0);
	assert_int_equal(table_tell(&t, 0, 1, 0, BGP_BAR_NONE), 0);   /* the same */
	assert_int_equal(table_tell(&t, 0, 2, 0, BGP_BAR_NONE), 0);   /* not better */
	assert_int_equal(table_tell(&t, 0, 3, 8, BGP_BAR_POLICY), 0); /* better, but barred */
	assert_int_equal(table_withdraw(&t, 0, 2), 0);
	expect_end(&a);
}

static void a_feed_that_had_reached_the_end_is_woken_once(void **state)
{
	assert_int_equal(add(&a), 0);
	assert_int_equal(add(&b), 0);
	expect_end(&a);
	t.changed = 0;
	tell_all(0, 3);
	assert_int_equal(t.changed, 1);
	expect(&a, 0);
	tell_all(3, 4);
	assert_int_equal(t.changed, 1); /* it has not been at the end since */
	expect(&a, 1);
	expect(&a, 2);
	expect(&a, 3);
	expect_end(&a);
	assert_int_equal(table_tell(&t, 9, 1, 0, BGP_BAR_CLUSTER), 0);
	assert_int_equal(t.changed, 1); /* nobody wants to hear of that */
	assert_int_equal(table_withdraw(&t, 0, 1), 1);
	assert_int_equal(t.changed, 2);
}

/* The one in front of which it has stood goes, and leaves behind it a net that it does not want. */
static void a_feed_at_the_end_is_woken_also_when_the_last_one_there_has_gone(void **state)
{
	static struct rib_feed c;

	assert_int_equal(add(&a), 0);
	assert_int_equal(rib_feed_mark(&a), 0);
	expect_end(&a);
	assert_int_equal(add(&b), 0);
	assert_int_equal(add(&c), 0);
	tell_all(0, 1);
	expect(&c, 0);
	assert_int_equal(table_withdraw(&t, 0, 1), 1);
	expect_end(&b);
	expect_end(&a);
	rib_feed_remove(&b);
	t.changed = 0;
	tell_all(1, 2);
	assert_int_equal(t.changed, 1);
}

static void a_net_without_a_best_path_is_told_to_those_who_have_it(void **state)
{
	assert_int_equal(add(&a), 0);
	tell_all(0, 2);
	expect(&a, 0);
	expect(&a, 1);
	assert_int_equal(add(&b), 0);
	assert_int_equal(table_tell(&t, 0, 1, 0, BGP_BAR_POLICY), 1);
	assert_int_equal(table_withdraw(&t, 1, 1), 1);
	expect(&a, 0);
	assert_false(rib_feed_has(&a, table_net(&t, 0)));
	expect(&a, 1);
	expect_end(&a);
	expect_end(&b);
	assert_int_equal(t.rib.lookup.live, 1);
}

static void a_net_without_paths_stays_exactly_as_long_as_a_feed_has_it(void **state)
{
	rib_id net;
	struct prefix p = table_prefix(&t, 0);

	tell_all(0, 1);
	net = table_net(&t, 0);
	assert_int_equal(add(&a), 0);
	assert_int_equal(add(&b), 0);
	expect(&a, 0);
	expect(&b, 0);
	assert_int_equal(table_withdraw(&t, 0, 1), 1);
	assert_int_equal(rib_find(&t.rib, &p), 0);
	assert_int_equal(rib_walk(&t.rib, 0), 0);
	assert_int_equal(t.rib.net_count, 0);
	assert_null(rib_best(&t.rib, net));
	assert_null(rib_first_path(&t.rib, net));
	expect(&b, 0);
	assert_int_equal(table_net(&t, 0), net);
	expect(&a, 0);
	assert_int_equal(table_net(&t, 0), 0);
	assert_int_equal(t.rib.lookup.live, 0);
	expect_end(&a);
	expect_end(&b);
}

static void a_net_that_comes_back_before_its_withdrawal_was_told_is_told_as_it_is(void **state)
{
	assert_int_equal(add(&a), 0);
	tell_all(0, 1);
	expect(&a, 0);
	assert_int_equal(table_withdraw(&t, 0, 1), 1);
	tell_all(0, 1);
	expect(&a, 0);
	assert_true(rib_feed_has(&a, table_net(&t, 0)));
	expect_end(&a);
}

static void a_net_that_nobody_was_given_is_gone_at_once(void **state)
{
	assert_int_equal(add(&a), 0);
	tell_all(0, 2);
	assert_int_equal(table_withdraw(&t, 0, 1), 1);
	assert_int_equal(t.rib.lookup.live, 1);
	expect(&a, 1);
	expect_end(&a);
}

static void numbers_that_are_given_again_inherit_no_bits(void **state)
{
	rib_id net;

	assert_int_equal(add(&a), 0);
	assert_int_equal(add(&b), 0);
	tell_all(0, 1);
	net = table_net(&t, 0);
	expect(&a, 0);
	expect(&b, 0);
	assert_int_equal(table_withdraw(&t, 0, 1), 1);
	expect(&a, 0);
	rib_feed_remove(&b); /* its bit goes with it */
	assert_int_equal(t.rib.lookup.live, 0);
	for (uint32_t i = 7; !arena_has(&t.rib.nets, net); i++)
		tell_all(i, i + 1);
	assert_int_equal(add(&b), 0);
	assert_false(rib_feed_has(&a, net));
	assert_false(rib_feed_has(&b, net));
}

static void again_gives_the_same_net_again(void **state)
{
	rib_id net;

	tell_all(0, 3);
	assert_int_equal(add(&a), 0);
	assert_int_equal(add(&b), 0);
	expect(&a, 0);
	net = rib_feed_next(&a);
	expect(&b, 0);
	expect(&b, 1); /* another place between the net and ours */
	rib_feed_again(&a, net);
	assert_int_equal(rib_feed_next(&a), net);
	assert_false(rib_feed_at_end(&a)); /* looking does not lose it */
	assert_false(rib_feed_passed(&a));
	rib_feed_again(&a, net);
	expect(&a, 1);
	expect(&a, 2);
	expect_end(&a);
	expect(&b, 2);
	expect_end(&b);
}

static void again_of_a_net_that_changed_meanwhile_skips_nothing(void **state)
{
	rib_id net;

	tell_all(0, 3);
	assert_int_equal(add(&a), 0);
	expect(&a, 0);
	net = rib_feed_next(&a);
	assert_int_equal(table_tell(&t, 1, 1, 2, BGP_BAR_NONE), 1);
	rib_feed_again(&a, net);
	expect(&a, 2);
	expect(&a, 1);
	expect_end(&a);
}

static void again_of_the_last_is_not_passed(void **state)
{
	rib_id net;

	tell_all(0, 1);
	assert_int_equal(add(&a), 0);
	net = rib_feed_next(&a);
	assert_true(rib_feed_passed(&a));
	rib_feed_again(&a, net);
	assert_false(rib_feed_passed(&a));
	assert_false(rib_feed_at_end(&a));
	expect(&a, 0);
	assert_true(rib_feed_passed(&a));
}

/* What another feed still has stands between, and this one does not want it. */
static void again_goes_back_over_what_is_not_wanted(void **state)
{
	rib_id net;

	assert_int_equal(add(&a), 0);
	tell_all(1, 4);
	expect(&a, 1);
	expect(&a, 2);
	expect(&a, 3);
	tell_all(0, 1);
	for (uint32_t i = 1; i < 4; i++)
		assert_int_equal(table_withdraw(&t, i, 1), 1);
	assert_int_equal(add(&b), 0);
	net = rib_feed_next(&b);
	assert_int_equal(net, table_net(&t, 0));
	assert_true(rib_feed_at_end(&b));
	rib_feed_again(&b, net);
	expect(&b, 0);
	expect_end(&b);
}

static void restart_tells_everything_once_more_and_says_when_it_has_passed(void **state)
{
	tell_all(0, 3);
	assert_int_equal(add(&a), 0);
	expect(&a, 0);
	expect(&a, 1);
	expect(&a, 2);
	expect_end(&a);
	assert_int_equal(table_withdraw(&t, 0, 1), 1);
	rib_feed_restart(&a);
	rib_feed_restart(&a);
	assert_false(rib_feed_passed(&a));
	assert_false(rib_feed_at_end(&a));
	tell_all(3, 4); /* after the restart */
	expect(&a, 1);
	rib_feed_restart(&a); /* in the middle of it */
	expect(&a, 1);
	expect(&a, 2);
	assert_false(rib_feed_passed(&a));
	expect(&a, 0); /* the withdrawal */
	assert_false(rib_feed_passed(&a));
	expect(&a, 3);
	assert_true(rib_feed_passed(&a));
	expect_end(&a);
}

static void a_restart_has_passed_though_what_was_last_has_changed(void **state)
{
	tell_all(0, 2);
	assert_int_equal(add(&a), 0);
	expect(&a, 0);
	assert_int_equal(table_tell(&t, 1, 1, 2, BGP_BAR_NONE), 1); /* now behind the end of then */
	assert_true(rib_feed_passed(&a));
	assert_false(rib_feed_at_end(&a));
	expect(&a, 1);
	expect_end(&a);
}

static void nothing_behind_the_mark_is_given(void **state)
{
	assert_int_equal(add(&a), 0);
	tell_all(0, 2);
	assert_int_equal(rib_feed_mark(&a), 0);
	tell_all(2, 3);
	assert_false(rib_feed_at_mark(&a));
	expect(&a, 0);
	assert_int_equal(table_tell(&t, 1, 1, 2, BGP_BAR_NONE), 1); /* belongs to the next pass now */
	assert_true(rib_feed_at_mark(&a));
	assert_int_equal(rib_feed_next(&a), 0);
	assert_int_equal(rib_feed_next(&a), 0);
	assert_false(rib_feed_at_end(&a));
	assert_int_equal(rib_feed_mark(&a), 0);
	assert_false(rib_feed_at_mark(&a));
	expect(&a, 2);
	expect(&a, 1);
	assert_true(rib_feed_at_mark(&a));
	expect_end(&a);
	t.changed = 0;
	tell_all(3, 4);
	assert_int_equal(t.changed, 1);
	assert_true(rib_feed_at_mark(&a));
	assert_false(rib_feed_at_end(&a));
	assert_int_equal(rib_feed_next(&a), 0);
}

static void a_restart_with_a_mark_passes_in_two_passes(void **state)
{
	assert_int_equal(add(&a), 0);
	tell_all(0, 1);
	assert_int_equal(rib_feed_mark(&a), 0);
	expect(&a, 0);
	tell_all(1, 2);
	rib_feed_restart(&a);
	expect(&a, 0);
	assert_int_equal(rib_feed_next(&a), 0);
	assert_false(rib_feed_passed(&a));
	assert_int_equal(rib_feed_mark(&a), 0);
	expect(&a, 1);
	assert_true(rib_feed_passed(&a));
	expect_end(&a);
}

static void a_feed_that_goes_takes_with_it_what_only_it_had(void **state)
{
	assert_int_equal(add(&a), 0);
	assert_int_equal(add(&b), 0);
	tell_all(0, 3);
	for (uint32_t i = 0; i < 3; i++)
		expect(&a, i);
	expect(&b, 0);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(table_withdraw(&t, i, 1), 1);
	tell_all(3, 4);
	assert_int_equal(t.rib.lookup.live, 4);
	rib_feed_remove(&a);
	assert_null(a.rib);
	assert_null(a.bits);
	assert_int_equal(t.rib.lookup.live, 2);
	expect(&b, 0);
	expect(&b, 3);
	expect_end(&b);
	rib_feed_remove(&b);
	assert_int_equal(t.rib.nets.used, 1);
	assert_int_equal(t.rib.feed_count, 0);
	assert_int_equal(add(&a), 0); /* may be added again */
	expect(&a, 3);
	expect_end(&a);
}

static void a_bit_for_what_has_no_best_path_is_told_to_be_taken_back(void **state)
{
	rib_id net;

	assert_int_equal(table_tell(&t, 0, 1, 0, BGP_BAR_POLICY), 0);
	net = table_net(&t, 0);
	assert_int_equal(add(&a), 0);
	expect_end(&a);
	assert_int_equal(rib_feed_set(&a, net, true), 0);
	assert_int_equal(rib_feed_set(&a, net, true), 0);
	assert_int_equal(a.count, 1);
	expect(&a, 0);
	assert_int_equal(a.count, 0);
	expect_end(&a);
}

static void bits_take_no_memory_when_nothing_is_told(void **state)
{
	assert_int_equal(add(&a), 0);
	tell_all(0, 3000);
	for (uint32_t i = 0; i < 3000; i++)
		assert_int_equal(rib_feed_set(&a, rib_feed_next(&a), true), 0);
	assert_int_equal(a.count, 3000);
	assert_in_range(a.words, 3000 / 64 + 1, 128);
	for (uint32_t i = 0; i < 3000; i++)
		assert_int_equal(table_withdraw(&t, i, 1), 1);
	for (uint32_t i = 0; i < 3000; i++)
		assert_int_equal(rib_feed_set(&a, rib_feed_next(&a), false), 0);
	assert_null(a.bits);
	assert_int_equal(t.rib.lookup.live, 0);
	expect_end(&a);
}

static void no_more_feeds_than_can_be_counted(void **state)
{
	static struct rib_feed feeds[RIB_FEEDS];

	tell_all(0, 1);
	for (unsigned i = 0; i < RIB_FEEDS; i++) {
		assert_int_equal(add(&feeds[i]), 0);
		assert_int_equal(rib_feed_set(&feeds[i], rib_feed_next(&feeds[i]), true), 0);
	}
	assert_int_equal(add(&a), -ENOSPC);
	assert_null(a.rib);
	assert_int_equal(table_withdraw(&t, 0, 1), 1);
	for (unsigned i = 0; i < RIB_FEEDS; i++) {
		assert_int_equal(t.rib.lookup.live, 1);
		assert_int_equal(rib_feed_set(&feeds[i], rib_feed_next(&feeds[i]), false), 0);
	}
	assert_int_equal(t.rib.lookup.live, 0);
}

/* What F takes out of the list before a net, where all nets have a best path. */
static unsigned steps_of(const struct rib_feed *f)
{
	unsigned steps = 0;

	for (rib_id id = f->place; id && net_at(&t.rib, id)->marks; id = net_at(&t.rib, id)->next)
		steps++;
	return steps;
}

/* F takes all there is; returns how many steps that were, and the most of them to one net. */
static unsigned drain(struct rib_feed *f, unsigned *most)
{
	unsigned all = 0, steps;
	rib_id net;

	if (f->mark)
		assert_int_equal(rib_feed_mark(f), 0);
	do {
		steps = steps_of(f);
		all += steps;
		*most = steps > *most ? steps : *most;
		net = rib_feed_next(f);
		if (net)
			assert_int_equal(rib_feed_set(f, net, true), 0);
	} while (net);
	assert_true(rib_feed_at_end(f));
	return all;
}

enum { MANY = 1000, SPEEDS = 4, CHANGING = 3, CHANGES = 20 * CHANGING };

/* COUNT feeds of different speeds, some of which tell in passes, and single changes. Returns how many steps they take, and the most of one to a net. */
static unsigned follow(unsigned count, unsigned *most)
{
	static struct rib_feed feeds[MANY];
	static unsigned round; /* of two: each says of every net what the other does not */
	unsigned all = 0;

	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(add(&feeds[i]), 0);
		if (i % 3 == 0)
			assert_int_equal(rib_feed_mark(&feeds[i]), 0);
		(void)drain(&feeds[i], &(unsigned){0});
	}
	for (unsigned c = 0; c < CHANGES; c++) {
		assert_int_equal(table_tell(&t, c * 7 % CHANGING, 1, 2 + round % 2, BGP_BAR_NONE), 1);
		round += (c + 1) % CHANGING == 0;
		for (unsigned i = 0; i < count; i++) {
			unsigned which = c % 2 ? i : count - 1 - i;

			if (c % (1 + which % SPEEDS) == 0)
				all += drain(&feeds[which], most);
		}
	}
	for (unsigned i = 0; i < count; i++)
		rib_feed_remove(&feeds[i]);
	return all;
}

/* Those that have reached the same place are not in each other's way. */
static void a_change_costs_a_feed_the_same_however_many_others_there_are(void **state)
{
	enum { FEW = 3 * SPEEDS };
	unsigned most_few = 0, most_many = 0, few, many;

	tell_all(0, CHANGING);
	few = follow(FEW, &most_few);
	many = follow(MANY, &most_many);
	assert_in_range(most_few, 1, 2 * SPEEDS);
	assert_int_equal(most_many, most_few);
	assert_in_range(many / MANY, 1, few / FEW + 1);
}

static void refused_memory_leaves_feeds_as_they_were(void **state)
{
	unsigned refusals = 0;
	rib_id net;

	for (unsigned n = 1;; n++, refusals++) {
		scarce_at(n);
		if (add(&a) == 0)
			break;
		assert_true(scarce_happened());
		assert_null(t.rib.feeds);
		assert_int_equal(t.rib.nets.used, 0);
		close(NULL);
		open(NULL);
	}
	(void)scarce_happened();
	assert_int_equal(refusals, 3); /* the first chunk */
	tell_all(0, 1);
	net = rib_feed_next(&a);
	scarce_at(1);
	assert_int_equal(rib_feed_set(&a, net, true), -ENOMEM);
	assert_false(rib_feed_has(&a, net));
	assert_int_equal(a.count, 0);
	rib_feed_again(&a, net);
	expect(&a, 0);
	tell_all(1, 1022); /* the chunk is full */
	assert_int_equal(t.rib.nets.used, 1024);
	scarce_at(1);
	assert_int_equal(add(&b), -ENOMEM);
	scarce_at(1);
	assert_int_equal(rib_feed_mark(&a), -ENOMEM);
	assert_int_equal(a.mark, 0);
	assert_int_equal(rib_feed_mark(&a), 0);
	scarce_at(1);
	assert_int_equal(rib_feed_mark(&a), 0);
	(void)scarce_happened();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open, close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_feed_hears_everything_in_the_order_of_changes),
		TEST(an_empty_table_is_passed_at_once),
		TEST(a_net_that_changes_before_at_and_behind_places_is_told_once_more_or_not),
		TEST(ten_changes_are_told_once),
		TEST(what_changes_nothing_is_not_told),
		TEST(a_feed_that_had_reached_the_end_is_woken_once),
		TEST(a_feed_at_the_end_is_woken_also_when_the_last_one_there_has_gone),
		TEST(a_net_without_a_best_path_is_told_to_those_who_have_it),
		TEST(a_net_without_paths_stays_exactly_as_long_as_a_feed_has_it),
		TEST(a_net_that_comes_back_before_its_withdrawal_was_told_is_told_as_it_is),
		TEST(a_net_that_nobody_was_given_is_gone_at_once),
		TEST(numbers_that_are_given_again_inherit_no_bits),
		TEST(again_gives_the_same_net_again),
		TEST(again_of_a_net_that_changed_meanwhile_skips_nothing),
		TEST(again_of_the_last_is_not_passed),
		TEST(again_goes_back_over_what_is_not_wanted),
		TEST(restart_tells_everything_once_more_and_says_when_it_has_passed),
		TEST(a_restart_has_passed_though_what_was_last_has_changed),
		TEST(nothing_behind_the_mark_is_given),
		TEST(a_restart_with_a_mark_passes_in_two_passes),
		TEST(a_feed_that_goes_takes_with_it_what_only_it_had),
		TEST(a_bit_for_what_has_no_best_path_is_told_to_be_taken_back),
		TEST(bits_take_no_memory_when_nothing_is_told),
		TEST(no_more_feeds_than_can_be_counted),
		TEST(a_change_costs_a_feed_the_same_however_many_others_there_are),
		TEST(refused_memory_leaves_feeds_as_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
