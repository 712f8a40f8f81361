/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of bgp/explain: the words for each step, and that they are the same in whichever order paths came. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bgp/explain.h"
#include "lib/rng.h"

enum { SOURCES = 20 };

static struct decision_source sources[SOURCES];
static struct bgp_sets sets;
static struct rib rib;
static struct explain explained;
static struct bgp_nlri nlri;

static const struct decision_source *source_of(const struct decision_ops *ops, uint16_t source)
{
	return &sources[source];
}

static const struct decision_ops ops = {source_of};

static int open(void **state)
{
	sources[0] = (struct decision_source){.ours = true, .id = 1};
	for (unsigned i = 1; i < SOURCES; i++)
		sources[i] = (struct decision_source){
			.id = 0x0a000000 + i, .address = addr4(192, 0, 2, (uint8_t)i)};
	assert_int_equal(prefix_parse("198.51.100.0/24", &nlri.prefix), 0);
	bgp_sets_init(&sets, 1, NULL);
	rib_init(&rib, BGP_IPV4, &sets, &ops, 2, NULL);
	return 0;
}

static int close(void **state)
{
	rib_done(&rib);
	bgp_sets_done(&sets);
	return 0;
}

/* Nothing special, by way of AS 65001. */
static const struct bgp_facts plain = {.local_pref = 100, .neighbor_as = 65001, .path_length = 2};

/* Each with a set and a next hop of its own: 203.0.113.SOURCE. */
static struct bgp_next_hop *tell(uint16_t source, struct bgp_facts facts, enum bgp_bar bar)
{
	struct bgp_next_hop_value hop = {.global = addr4(203, 0, 113, (uint8_t)source)};
	const struct bgp_set *set;

	if (!source)
		memset(&hop, 0, sizeof(hop));
	set = bgp_set_get(&sets, reader_of(&facts, sizeof(facts)), &facts, &hop, 0);
	assert_non_null(set);
	set->next_hop->answered = set->next_hop->reached = true;
	assert_true(rib_update(&rib, &nlri, source, set, bar, 1, NULL) >= 0);
	return set->next_hop;
}

static void explain(void)
{
	explain_net(&rib, rib_find(&rib, &nlri.prefix), &explained);
}

/* The N-th path is that of SOURCE, and this is said of it. */
static void expect(unsigned n, uint16_t source, enum decision_step step, const char *why)
{
	assert_in_range(n, 0, explained.count - 1);
	assert_string_equal(explained.paths[n].why, why);
	assert_int_equal(explained.paths[n].path->source, source);
	assert_int_equal(explained.paths[n].step, step);
	assert_int_equal(explained.paths[n].best, n == 0);
}

/* Source 1 is worse than source 2, at STEP. */
static void expect_two(enum decision_step step, const char *of_best, const char *of_other)
{
	explain();
	assert_int_equal(explained.count, 2);
	assert_false(explained.pending);
	expect(0, 2, step, of_best);
	expect(1, 1, step, of_other);
	assert_ptr_equal(explained.paths[0].rival, explained.paths[1].path);
	assert_ptr_equal(explained.paths[1].rival, explained.paths[0].path);
}

static void the_only_path_is_so(void **state)
{
	tell(1, plain, BGP_BAR_NONE);
	explain();
	assert_int_equal(explained.count, 1);
	expect(0, 1, DECISION_ONLY, "it is the only path");
	assert_null(explained.paths[0].rival);
}

static void what_cannot_be_chosen_says_why(void **state)
{
	struct bgp_next_hop *away = tell(3, plain, BGP_BAR_NONE), *asked = tell(4, plain, BGP_BAR_NONE);
	struct bgp_next_hop *own = tell(5, plain, BGP_BAR_NONE), *silent = tell(6, plain, BGP_BAR_NONE);

	away->reached = asked->reached = asked->answered = silent->reached = false;
	own->ours = true;
	snprintf(away->why, sizeof(away->why), "no route");
	tell(1, plain, BGP_BAR_AS_LOOP);
	tell(2, plain, BGP_BAR_NONE);
	assert_int_equal(rib_decide(&rib, rib_find(&rib, &nlri.prefix)), 0);
	explain();
	assert_int_equal(explained.count, 6);
	expect(0, 2, DECISION_ONLY, "it is the only path that can be chosen");
	expect(1, 3, DECISION_UNREACHED, "its next hop 203.0.113.3 is not reached: no route");
	expect(2, 4, DECISION_UNREACHED, "its next hop 203.0.113.4 is still being looked for");
	expect(3, 5, DECISION_UNREACHED, "its next hop 203.0.113.5 is one of our own addresses");
	expect(4, 6, DECISION_UNREACHED, "its next hop 203.0.113.6 is not reached");
	expect(5, 1, DECISION_BARRED, "it cannot be chosen: our own AS is in its path");
}

static void where_nothing_can_be_chosen_nothing_is_best(void **state)
{
	tell(1, plain, BGP_BAR_CLUSTER);
	explain();
	assert_int_equal(explained.count, 1);
	assert_false(explained.paths[0].best || explained.pending);
	assert_string_equal(explained.paths[0].why, "it cannot be chosen: it has been through our cluster");
}

static void each_step_is_told_with_both_values(void **state)
{
	struct bgp_facts one = plain, two = plain;

	sources[2].address = addr4(192, 0, 2, 0);
	sources[2].id = sources[1].id;
	tell(2, two, BGP_BAR_NONE);
	tell(1, one, BGP_BAR_NONE);
	expect_two(DECISION_ADDRESS,
		"a lower peer address: peer address 192.0.2.0, the path from 192.0.2.1 has 192.0.2.1",
		"peer address 192.0.2.1, the best has 192.0.2.0");
	one.cluster_length = 2;
	tell(1, one, BGP_BAR_NONE);
	expect_two(DECISION_CLUSTER,
		"a shorter cluster list: a cluster list of 0, the path from 192.0.2.1 has one of 2",
		"a cluster list of 2, the best has one of 0");
	one.originator_id = 0x0a010101;
	tell(1, one, BGP_BAR_NONE);
	expect_two(DECISION_IDENTIFIER,
		"a lower BGP identifier: BGP identifier 10.0.0.1, the path from 192.0.2.1 has 10.1.1.1 (its "
		"originator's)",
		"BGP identifier 10.1.1.1 (its originator's), the best has 10.0.0.1");
	tell(1, one, BGP_BAR_NONE)->metric = 20;
	expect_two(DECISION_METRIC,
		"a nearer next hop: a next hop at metric 0, the path from 192.0.2.1 has one at 20",
		"a next hop at metric 20, the best has one at 0");
	sources[2].external = true;
	expect_two(DECISION_EXTERNAL, "it is external: external, the path from 192.0.2.1 is internal",
		"internal, the best is external");
	one.med = 10;
	tell(1, one, BGP_BAR_NONE);
	expect_two(DECISION_MED,
		"a lower MED from the same neighboring AS: MED 0, the path from 192.0.2.1 has 10",
		"MED 10, the path from 192.0.2.0 has 0 by way of the same neighboring AS 65001");
	one.neighbor_as = two.neighbor_as = 0;
	tell(1, one, BGP_BAR_NONE);
	tell(2, two, BGP_BAR_NONE);
	expect_two(DECISION_MED,
		"a lower MED from the same neighboring AS: MED 0, the path from 192.0.2.1 has 10",
		"MED 10, the path from 192.0.2.0 has 0, and neither has a neighboring AS");
	one.origin = BGP_ORIGIN_INCOMPLETE;
	tell(1, one, BGP_BAR_NONE);
	expect_two(DECISION_ORIGIN, "a lower origin: origin IGP, the path from 192.0.2.1 has incomplete",
		"origin incomplete, the best has IGP");
	one.path_length = 3;
	tell(1, one, BGP_BAR_NONE);
	expect_two(DECISION_AS_PATH,
		"a shorter AS path: an AS path of 2, the path from 192.0.2.1 has one of 3",
		"an AS path of 3, the best has one of 2");
	two.local_pref = 200;
	tell(2, two, BGP_BAR_NONE);
	expect_two(DECISION_LOCAL_PREF,
		"a higher local preference: local preference 200, the path from 192.0.2.1 has 100",
		"local preference 100, the best has 200");
}

static void our_own_path_is_told_as_that(void **state)
{
	tell(0, plain, BGP_BAR_NONE);
	tell(1, plain, BGP_BAR_NONE);
	explain();
	expect(0, 0, DECISION_OURS, "it is our own: our own, the path from 192.0.2.1 is a neighbor's");
	expect(1, 1, DECISION_OURS, "a neighbor's, the best is our own");
}

static void equal_addresses_are_on_two_links(void **state)
{
	sources[2] = sources[1];
	tell(2, plain, BGP_BAR_NONE);
	tell(1, plain, BGP_BAR_NONE);
	explain();
	expect(1, 2, DECISION_ADDRESS,
		"peer address 192.0.2.1, the best has 192.0.2.1 on another link, and the neighbor that was "
		"there first wins");
}

/* The one that it lost to by MED is not the best. */
static void med_names_the_path_that_was_better(void **state)
{
	struct bgp_facts high = plain, low = plain, other = plain;

	high.med = 10;
	other.neighbor_as = 65002;
	tell(1, high, BGP_BAR_NONE);
	tell(2, other, BGP_BAR_NONE);
	tell(3, low, BGP_BAR_NONE);
	explain();
	expect(0, 2, DECISION_IDENTIFIER,
		"a lower BGP identifier: BGP identifier 10.0.0.2, the path from 192.0.2.3 has 10.0.0.3");
	expect(1, 3, DECISION_IDENTIFIER, "BGP identifier 10.0.0.3, the best has 10.0.0.2");
	expect(2, 1, DECISION_MED,
		"MED 10, the path from 192.0.2.3 has 0 by way of the same neighboring AS 65001");
}

static void a_choice_that_is_out_of_date_is_pending(void **state)
{
	struct bgp_next_hop *hop = tell(1, plain, BGP_BAR_NONE);

	tell(2, plain, BGP_BAR_NONE);
	hop->reached = false;
	explain();
	assert_true(explained.pending);
	expect(0, 2, DECISION_ONLY, "it is the only path that can be chosen");
	assert_int_equal(rib_decide(&rib, rib_find(&rib, &nlri.prefix)), 1);
	explain();
	assert_false(explained.pending);
}

static void the_longest_words_fit(void **state)
{
	struct bgp_facts f = plain;

	for (uint16_t i = 1; i < 3; i++)
		assert_int_equal(
			addr_parse("2001:db8:1111:2222:3333:4444:5555:6666", &sources[i].address), 0);
	f.neighbor_as = 4294967295;
	tell(1, f, BGP_BAR_NONE);
	f.med = 4294967295;
	tell(2, f, BGP_BAR_NONE);
	explain();
	assert_string_equal(explained.paths[1].why,
		"MED 4294967295, the path from 2001:db8:1111:2222:3333:4444:5555:6666 has 0 by way of the "
		"same neighboring AS "
		"4294967295");
	f.med = 0;
	tell(2, f, BGP_BAR_NONE);
	sources[2].id = sources[1].id;
	explain();
	assert_in_range(strlen(explained.paths[1].why), 100, EXPLAIN_TEXT - 2);
}

static void steps_have_names(void **state)
{
	for (unsigned a = DECISION_ONLY; a <= DECISION_ADDRESS; a++)
		for (unsigned b = DECISION_ONLY; b < a; b++)
			assert_string_not_equal(explain_step_name((enum decision_step)a),
				explain_step_name((enum decision_step)b));
}

static void the_order_in_which_paths_came_does_not_matter(void **state)
{
	static char first[SOURCES][EXPLAIN_TEXT];
	struct rng rng;

	rng_init_seed(&rng, 3);
	for (unsigned round = 0; round < 500; round++) {
		struct bgp_facts facts[SOURCES];
		enum bgp_bar bars[SOURCES];

		for (unsigned i = 0; i < SOURCES; i++) {
			facts[i] = plain;
			facts[i].neighbor_as = rng_below(&rng, 3);
			facts[i].med = rng_below(&rng, 3);
			facts[i].origin = (uint8_t)(rng_below(&rng, 8) == 0);
			bars[i] = rng_below(&rng, 8) ? BGP_BAR_NONE : BGP_BAR_POLICY;
		}
		for (unsigned shuffled = 0; shuffled < 3; shuffled++) {
			unsigned start = rng_below(&rng, SOURCES - 1);

			for (unsigned i = 0; i < SOURCES - 1; i++) {
				uint16_t source = (uint16_t)(1 + (start + i * 7) % (SOURCES - 1));

				tell(source, facts[source], bars[source]);
			}
			explain();
			assert_int_equal(explained.count, SOURCES - 1);
			for (unsigned i = 0; i < explained.count; i++)
				if (shuffled)
					assert_string_equal(explained.paths[i].why, first[i]);
				else
					memcpy(first[i], explained.paths[i].why, EXPLAIN_TEXT);
			for (unsigned i = 1; i < SOURCES; i++)
				assert_true(rib_withdraw(&rib, &nlri.prefix, (uint16_t)i, NULL) >= 0);
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open, close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_only_path_is_so),
		TEST(what_cannot_be_chosen_says_why),
		TEST(where_nothing_can_be_chosen_nothing_is_best),
		TEST(each_step_is_told_with_both_values),
		TEST(our_own_path_is_told_as_that),
		TEST(equal_addresses_are_on_two_links),
		TEST(med_names_the_path_that_was_better),
		TEST(a_choice_that_is_out_of_date_is_pending),
		TEST(the_longest_words_fit),
		TEST(steps_have_names),
		TEST(the_order_in_which_paths_came_does_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
