/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of bgp/policy.c: a copy is equal, is one's own, and every difference is seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bgp/policy.h"

enum { PREFIXES = 20 };

/* One rule that has something of everything. */
struct full {
	struct policy policy;
	struct policy_rule rules[2];
	struct policy_prefix prefixes[PREFIXES];
	struct policy_as as_path[1];
	uint32_t communities[1], add[1], remove[1], large[1][3], add_large[1][3];
	uint64_t extended[1], add_extended[1];
	struct prefix next_hops[1];
	char sources[1][POLICY_NAME];
};

static void make_full(struct full *f)
{
	*f = (struct full){.policy = {.name = "from-ce", .rule_count = 2, .rules = f->rules}};
	for (unsigned i = 0; i < PREFIXES; i++) {
		struct addr a = addr4(198, 51, (uint8_t)i, 0);

		f->prefixes[i] = (struct policy_prefix){.prefix = prefix_of(&a, 24), .min = 24, .max = 28};
	}
	memset(f->as_path, 0xa5, sizeof(f->as_path)); /* what lies between the members does not count */
	f->as_path[0].as = 65001;
	f->as_path[0].first = f->as_path[0].last = true;
	f->communities[0] = f->add[0] = f->remove[0] = 65000u << 16 | 1;
	f->extended[0] = f->add_extended[0] = 0x030b000000000064;
	f->large[0][2] = f->add_large[0][2] = 7;
	f->next_hops[0] = f->prefixes[0].prefix;
	memcpy(f->sources[0], "ce1", 4);
	f->rules[0] = (struct policy_rule){.prefix_count = PREFIXES,
		.prefixes = f->prefixes,
		.as_count = 1,
		.as_path = f->as_path,
		.community_count = 1,
		.communities = f->communities,
		.extended_count = 1,
		.extended = f->extended,
		.large_count = 1,
		.large = f->large,
		.families = 3,
		.next_hop_count = 1,
		.next_hops = f->next_hops,
		.source_count = 1,
		.sources = f->sources,
		.then = POLICY_ACCEPT,
		.set_local_pref = true,
		.local_pref = 200,
		.set_med = true,
		.med = 5,
		.set_origin = true,
		.origin = 2,
		.prepend = 3,
		.next_hop = POLICY_NEXT_HOP_SELF,
		.add_count = 1,
		.add = f->add,
		.remove_count = 1,
		.remove = f->remove,
		.add_extended_count = 1,
		.add_extended = f->add_extended,
		.add_large_count = 1,
		.add_large = f->add_large};
	f->rules[1] = (struct policy_rule){.then = POLICY_REJECT};
}

static void a_copy_is_equal_and_does_not_follow_the_original(void **state)
{
	struct full f, other;
	struct policy *copy;

	make_full(&f);
	make_full(&other);
	memset(&other.as_path[0], 0x5a, sizeof(other.as_path[0]));
	other.as_path[0].as = 65001;
	other.as_path[0].first = other.as_path[0].last = true;
	strncpy(other.sources[0], "ce1\0rest", 8);
	assert_true(policy_equal(&f.policy, &other.policy));
	copy = policy_copy(&f.policy);
	assert_non_null(copy);
	assert_true(policy_equal(copy, &f.policy));
	assert_string_equal(copy->rules[0].sources[0], "ce1");
	assert_non_null(copy->rules[0].index);
	assert_null(copy->rules[1].index);
	f.communities[0]++;
	assert_false(policy_equal(copy, &f.policy));
	assert_true(policy_equal(copy, &other.policy));
	policy_free(copy);
}

static void a_copy_of_a_copy_outlives_it(void **state)
{
	struct policy *first, *second;
	struct full f;

	make_full(&f);
	first = policy_copy(&f.policy);
	assert_non_null(first);
	second = policy_copy(first);
	assert_non_null(second);
	assert_ptr_not_equal(first->rules[0].index, second->rules[0].index);
	policy_free(first);
	assert_true(policy_equal(second, &f.policy));
	policy_free(second);
	policy_free(NULL);
}

#define DIFFERENCE(name, statement)                                                                          \
	do {                                                                                                 \
		struct full a, b;                                                                            \
                                                                                                             \
		make_full(&a);                                                                               \
		make_full(&b);                                                                               \
		statement;                                                                                   \
		if (policy_equal(&a.policy, &b.policy) || policy_equal(&b.policy, &a.policy))                \
			fail_msg("not seen: %s", name);                                                      \
	} while (0)

static void every_difference_is_seen(void **state)
{
	DIFFERENCE("name", b.policy.name[0] = 'x');
	DIFFERENCE("a rule less", b.policy.rule_count--);
	DIFFERENCE("length of a prefix", b.prefixes[19].max++);
	DIFFERENCE("a prefix less", b.rules[0].prefix_count--);
	DIFFERENCE("as", b.as_path[0].as++);
	DIFFERENCE("as at the end", b.as_path[0].last = false);
	DIFFERENCE("community", b.communities[0]++);
	DIFFERENCE("extended community", b.extended[0]++);
	DIFFERENCE("large community", b.large[0][1]++);
	DIFFERENCE("families", b.rules[0].families = 1);
	DIFFERENCE("next hops", b.next_hops[0].len--);
	DIFFERENCE("source", b.sources[0][2] = '2');
	DIFFERENCE("verdict", b.rules[1].then = POLICY_NEXT);
	DIFFERENCE("local preference", b.rules[0].local_pref++);
	DIFFERENCE("no local preference", b.rules[0].set_local_pref = false);
	DIFFERENCE("med", b.rules[0].med++);
	DIFFERENCE("origin", b.rules[0].origin = 0);
	DIFFERENCE("prepending", b.rules[0].prepend++);
	DIFFERENCE("next hop", b.rules[0].next_hop = POLICY_NEXT_HOP_KEEP);
	DIFFERENCE("communities replaced", b.rules[0].clear_communities = true);
	DIFFERENCE("extended replaced", b.rules[0].clear_extended = true);
	DIFFERENCE("large replaced", b.rules[0].clear_large = true);
	DIFFERENCE("added", b.add[0]++);
	DIFFERENCE("removed", b.remove[0]++);
	DIFFERENCE("added extended", b.add_extended[0]++);
	DIFFERENCE("added large", b.add_large[0][0]++);
}

static void none_is_equal_to_none_alone(void **state)
{
	struct full f;

	make_full(&f);
	assert_true(policy_equal(NULL, NULL));
	assert_false(policy_equal(&f.policy, NULL));
	assert_false(policy_equal(NULL, &f.policy));
}

/* What is not set does not differ. */
static void values_that_are_not_set_do_not_count(void **state)
{
	struct full a, b;

	make_full(&a);
	make_full(&b);
	a.rules[0].set_med = b.rules[0].set_med = false;
	b.rules[0].med++;
	assert_true(policy_equal(&a.policy, &b.policy));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_is_equal_and_does_not_follow_the_original),
		cmocka_unit_test(a_copy_of_a_copy_outlives_it),
		cmocka_unit_test(every_difference_is_seen),
		cmocka_unit_test(none_is_equal_to_none_alone),
		cmocka_unit_test(values_that_are_not_set_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
