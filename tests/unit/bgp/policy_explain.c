/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of bgp/policy_explain: what people read about a rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bgp/policy.h"
#include "bgp/tunnel.h"

static const char *explain(const struct policy_rule *rules, unsigned count,
	const struct policy_result *result, char *buf, size_t size)
{
	struct policy p = {.name = "p", .rule_count = count, .rules = (struct policy_rule *)rules};

	return policy_explain(&p, result, buf, size);
}

static void rules_are_told_with_their_conditions(void **state)
{
	struct policy_prefix prefixes[5];
	struct policy_as as_path[2];
	struct prefix next_hops[1];
	uint32_t communities[] = {65000u << 16 | 1, BGP_NO_EXPORT}, large[][3] = {{1, 2, 3}};
	uint64_t extended[] = {bgp_color_community(0, 100)};
	char sources[1][POLICY_NAME] = {"ce1"}, buf[512];
	struct policy_rule rules[] = {
		{.prefix_count = 1, .prefixes = prefixes, .then = POLICY_ACCEPT},
		{.prefix_count = 5,
			.prefixes = prefixes,
			.as_count = 2,
			.as_path = as_path,
			.community_count = 2,
			.communities = communities,
			.extended_count = 1,
			.extended = extended,
			.large_count = 1,
			.large = large,
			.families = BGP_FAMILY_BIT(BGP_IPV4) | BGP_FAMILY_BIT(BGP_IPV6_LABELED),
			.next_hop_count = 1,
			.next_hops = next_hops,
			.source_count = 1,
			.sources = sources,
			.then = POLICY_REJECT},
		{.then = POLICY_ACCEPT},
		{.families = BGP_FAMILY_BIT(BGP_IPV6), .then = POLICY_ACCEPT},
	};
	static const char *const texts[] = {
		"198.51.100.0/22+", "10.0.0.0/8", "10.1.0.0/16{17,24}", "::/0", "192.0.2.0/24"};
	static const struct {
		struct policy_result result;
		const char *told;
	} rows[] = {
		{{.verdict = POLICY_ACCEPT, .rule = 1}, "rule 1 (prefixes 198.51.100.0/22+) accepts"},
		{{.verdict = POLICY_REJECT, .rule = 2},
			"rule 2 (prefixes 198.51.100.0/22+, 10.0.0.0/8, 10.1.0.0/16{17,24} and 2 more; "
			"as-path "
			"^65001$, ^$; communities 65000:1, no-export; extended-communities color:100; "
			"large-communities 1:2:3; families ipv4, ipv6-labeled; next-hops 2001:db8::/32; from "
			"ce1) "
			"rejects"},
		{{.verdict = POLICY_ACCEPT, .rule = 3, .applied_count = 3, .applied = {1, 2, 3}},
			"rule 3 (everything) accepts, after changes by rule 1, 2"},
		{{.verdict = POLICY_ACCEPT, .rule = 4}, "rule 4 (families ipv6) accepts"},
		{{.verdict = POLICY_REJECT}, "no rule accepts it"},
	};

	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(policy_prefix_parse(texts[i], &prefixes[i]), 0);
	assert_int_equal(policy_as_parse("^65001$", &as_path[0]), 0);
	assert_int_equal(policy_as_parse("^$", &as_path[1]), 0);
	assert_int_equal(prefix_parse("2001:db8::/32", &next_hops[0]), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(explain(rules, 4, &rows[i].result, buf, sizeof(buf)), rows[i].told);
}

static void what_does_not_fit_is_cut(void **state)
{
	struct policy_rule rule = {.then = POLICY_ACCEPT};
	struct policy_result result = {.verdict = POLICY_ACCEPT, .rule = 1};
	char buf[16], whole[64];

	explain(&rule, 1, &result, whole, sizeof(whole));
	for (size_t size = 1; size <= sizeof(buf); size++) {
		memset(buf, 'x', sizeof(buf));
		explain(&rule, 1, &result, buf, size);
		assert_int_equal(strlen(buf), size - 1);
		assert_memory_equal(buf, whole, size - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_are_told_with_their_conditions),
		cmocka_unit_test(what_does_not_fit_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
