/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of bgp/policy_judge: each condition, each change, and a comparison at random with a judge that is slow and plain. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bgp/policy.h"
#include "lib/rng.h"

/* ---- routes ---- */

struct route {
	enum bgp_family family;
	struct prefix prefix;
	uint8_t bytes[1024];
	size_t len;
	struct bgp_facts facts;
	struct bgp_next_hop_value next_hop;
	const char *source;
};

static struct reader set_of(const struct route *r)
{
	return reader_of(r->bytes, r->len);
}

/* PATH: segments as on the wire, with AS numbers of four octets. */
static void make_route(struct route *r, const char *prefix, const void *path, size_t path_len,
	const uint32_t *communities, unsigned count)
{
	struct writer w = writer_of(r->bytes, sizeof(r->bytes)), list;
	uint8_t origin = BGP_ORIGIN_IGP, values[256];

	assert_int_equal(prefix_parse(prefix, &r->prefix), 0);
	bgp_attribute_put(&w, BGP_FLAG_TRANSITIVE, BGP_ORIGIN, &origin, 1);
	bgp_attribute_put(&w, BGP_FLAG_TRANSITIVE, BGP_AS_PATH, path, path_len);
	list = writer_of(values, sizeof(values));
	for (unsigned i = 0; i < count; i++)
		writer_u32(&list, communities[i]);
	if (count)
		bgp_attribute_put(&w, BGP_FLAG_TRANSITIVE | BGP_FLAG_OPTIONAL, BGP_COMMUNITIES, values,
			writer_len(&list));
	assert_true(writer_ok(&w));
	r->len = writer_len(&w);
	bgp_facts_of(set_of(r), &r->facts);
	r->family = r->prefix.addr.family == AF_INET ? BGP_IPV4 : BGP_IPV6;
	r->next_hop = (struct bgp_next_hop_value){.global = addr4(192, 0, 2, 1)};
	r->source = "ce1";
}

static struct policy_result judge(const struct policy *p, const struct route *r)
{
	struct policy_subject s = {.family = r->family,
		.prefix = &r->prefix,
		.set = set_of(r),
		.facts = &r->facts,
		.next_hop = &r->next_hop,
		.source = r->source};
	struct policy_result result;

	policy_judge(p, &s, &result);
	return result;
}

static bool accepts(const struct policy_rule *rule, const struct route *r)
{
	struct policy_rule copy = *rule;
	struct policy p = {.name = "p", .rule_count = 1, .rules = &copy};

	copy.then = POLICY_ACCEPT;
	return judge(&p, r).verdict == POLICY_ACCEPT;
}

#define SEQUENCE(n) 2, (n)
#define AS_SET(n)   1, (n)
#define AS(n)       (uint8_t)((n) >> 24), (uint8_t)((n) >> 16), (uint8_t)((n) >> 8), (uint8_t)(n)

/* ---- conditions ---- */

static void paths_match_patterns(void **state)
{
	static const uint8_t empty[] = {0}, one[] = {SEQUENCE(1), AS(65001u)},
			     thrice[] = {SEQUENCE(2), AS(65001u), AS(65001u), SEQUENCE(1), AS(65001u)},
			     two[] = {SEQUENCE(2), AS(65001u), AS(65002u)},
			     set[] = {SEQUENCE(1), AS(65001u), AS_SET(2), AS(65002u), AS(65003u)},
			     set_alone[] = {AS_SET(1), AS(65001u)},
			     confederation[] = {3, 1, AS(65009u), SEQUENCE(1), AS(65001u)};
	static const struct {
		const char *pattern;
		bool matches[7];
	} rows[] = {
		/*               empty one thrice two set set_alone confederation */
		{"^$", {true, false, false, false, false, false, false}},
		{"65001", {false, true, true, true, true, true, true}},
		{"65002", {false, false, false, true, true, false, false}},
		{"65003", {false, false, false, false, true, false, false}},
		{"65009", {false, false, false, false, false, false, true}},
		{"^65001", {false, true, true, true, true, false, true}},
		{"65001$", {false, true, true, false, false, false, true}},
		{"65002$", {false, false, false, true, false, false, false}},
		{"^65001$", {false, true, true, false, false, false, true}},
	};
	const struct {
		const uint8_t *bytes;
		size_t len;
	} paths[] = {{empty, 0}, {one, sizeof(one)}, {thrice, sizeof(thrice)}, {two, sizeof(two)},
		{set, sizeof(set)}, {set_alone, sizeof(set_alone)}, {confederation, sizeof(confederation)}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t k = 0; k < 7; k++) {
			struct policy_as pattern[2] = {{.as = 7}};
			struct policy_rule rule = {.as_count = 2, .as_path = pattern};
			struct route r;

			assert_int_equal(policy_as_parse(rows[i].pattern, &pattern[1]), 0);
			make_route(&r, "198.51.100.0/24", paths[k].bytes, paths[k].len, NULL, 0);
			if (accepts(&rule, &r) != rows[i].matches[k])
				fail_msg("%s and path %zu", rows[i].pattern, k);
		}
}

static void communities_of_all_sizes_match(void **state)
{
	static const uint32_t has[] = {65000u << 16 | 1, 65000u << 16 | 2};
	uint32_t communities[] = {7, 65000u << 16 | 2}, large[][3] = {{1, 2, 3}};
	uint64_t extended[] = {0x030b000000000064};
	struct policy_rule community = {.community_count = 2, .communities = communities},
			   ext = {.extended_count = 1, .extended = extended},
			   big = {.large_count = 1, .large = large};
	static const uint8_t extended_value[] = {0, 2, 0, 0, 0, 0, 0, 1, 3, 0x0b, 0, 0, 0, 0, 0, 0x64},
			     large_value[] = {0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3};
	struct writer w;
	struct route r;

	make_route(&r, "198.51.100.0/24", NULL, 0, has, 2);
	assert_true(accepts(&community, &r));
	assert_false(accepts(&ext, &r));
	assert_false(accepts(&big, &r));
	w = writer_of(r.bytes + r.len, sizeof(r.bytes) - r.len);
	bgp_attribute_put(&w, 0xc0, BGP_EXTENDED_COMMUNITIES, extended_value, sizeof(extended_value));
	bgp_attribute_put(&w, 0xc0, BGP_LARGE_COMMUNITIES, large_value, sizeof(large_value));
	r.len += writer_len(&w);
	assert_true(accepts(&ext, &r));
	assert_true(accepts(&big, &r));
	extended[0]++;
	large[0][1]++;
	communities[1]++;
	assert_false(accepts(&ext, &r));
	assert_false(accepts(&big, &r));
	assert_false(accepts(&community, &r));
}

static void families_sources_and_next_hops_match(void **state)
{
	char sources[2][POLICY_NAME] = {"ce1", "kernel"};
	struct prefix hops[2];
	struct policy_rule family = {.families = BGP_FAMILY_BIT(BGP_IPV4)},
			   source = {.source_count = 2, .sources = sources},
			   hop = {.next_hop_count = 2, .next_hops = hops};
	struct route r;

	assert_int_equal(prefix_parse("192.0.2.0/24", &hops[0]), 0);
	assert_int_equal(prefix_parse("fe80::/10", &hops[1]), 0);
	make_route(&r, "198.51.100.0/24", NULL, 0, NULL, 0);
	assert_true(accepts(&family, &r) && accepts(&source, &r) && accepts(&hop, &r));
	r.family = BGP_IPV4_LABELED;
	r.source = "ce2";
	r.next_hop.global = addr4(192, 0, 3, 1);
	assert_false(accepts(&family, &r) || accepts(&source, &r) || accepts(&hop, &r));
	r.source = "kernel";
	assert_int_equal(addr_parse("fe80::1", &r.next_hop.link_local), 0);
	assert_true(accepts(&source, &r) && accepts(&hop, &r));
	r.next_hop = (struct bgp_next_hop_value){0}; /* ourselves */
	assert_false(accepts(&hop, &r));
}

/* ---- verdicts ---- */

static void the_first_that_accepts_or_rejects_decides(void **state)
{
	struct policy_prefix inside, all;
	struct policy_rule rules[] = {
		{.prefix_count = 1, .prefixes = &inside, .then = POLICY_NEXT, .set_med = true, .med = 7},
		{.prefix_count = 1, .prefixes = &inside, .then = POLICY_NEXT}, /* changes nothing */
		{.families = BGP_FAMILY_BIT(BGP_IPV6), .then = POLICY_REJECT},
		{.prefix_count = 1,
			.prefixes = &all,
			.then = POLICY_ACCEPT,
			.prepend = 2,
			.next_hop = POLICY_NEXT_HOP_SELF},
	};
	struct policy p = {.name = "p", .rule_count = 4, .rules = rules};
	struct policy_result result;
	struct route r;

	assert_int_equal(policy_prefix_parse("198.51.100.0/22+", &inside), 0);
	assert_int_equal(policy_prefix_parse("198.0.0.0/8+", &all), 0);
	make_route(&r, "198.51.101.0/24", NULL, 0, NULL, 0);
	result = judge(&p, &r);
	assert_int_equal(result.verdict, POLICY_ACCEPT);
	assert_int_equal(result.rule, 4);
	assert_int_equal(result.applied_count, 2);
	assert_int_equal(result.applied[0], 1);
	assert_int_equal(result.applied[1], 4);
	assert_int_equal(result.prepend, 2);
	assert_true(result.next_hop_self);
	make_route(&r, "198.1.0.0/16", NULL, 0, NULL, 0);
	result = judge(&p, &r);
	assert_int_equal(result.applied_count, 1);
	make_route(&r, "2001:db8::/32", NULL, 0, NULL, 0);
	result = judge(&p, &r);
	assert_int_equal(result.verdict, POLICY_REJECT);
	assert_int_equal(result.rule, 3);
	make_route(&r, "10.0.0.0/8", NULL, 0, NULL, 0);
	result = judge(&p, &r);
	assert_int_equal(result.verdict, POLICY_REJECT);
	assert_int_equal(result.rule, 0);
	assert_int_equal(result.applied_count, 0);
}

static void equal_results_mean_equal_changes(void **state)
{
	struct policy_result a = {.verdict = POLICY_ACCEPT, .rule = 3, .applied_count = 1, .applied = {2}},
			     b = a;

	b.rule = 4; /* another rule decided, but changed nothing */
	b.applied[1] = 9;
	assert_true(policy_result_equal(&a, &b));
	b.applied[0] = 1;
	assert_false(policy_result_equal(&a, &b));
	b = a;
	b.verdict = POLICY_REJECT;
	assert_false(policy_result_equal(&a, &b));
}

static void more_changes_than_there_is_room_for_reject(void **state)
{
	struct policy_rule rules[POLICY_APPLIED + 1];
	struct policy p = {.name = "p", .rule_count = POLICY_APPLIED, .rules = rules};
	struct route r;

	for (unsigned i = 0; i <= POLICY_APPLIED; i++)
		rules[i] = (struct policy_rule){.then = POLICY_NEXT, .prepend = 200};
	make_route(&r, "198.51.100.0/24", NULL, 0, NULL, 0);
	rules[POLICY_APPLIED - 1].then = POLICY_ACCEPT;
	assert_int_equal(judge(&p, &r).verdict, POLICY_ACCEPT);
	assert_int_equal(judge(&p, &r).prepend, 255);
	rules[POLICY_APPLIED - 1].then = POLICY_NEXT;
	rules[POLICY_APPLIED].then = POLICY_ACCEPT;
	p.rule_count++;
	assert_int_equal(judge(&p, &r).verdict, POLICY_REJECT);
	assert_int_equal(judge(&p, &r).rule, POLICY_APPLIED + 1);
}

/* ---- changes ---- */

static struct reader apply(const struct policy *p, const struct route *r, uint8_t *out, size_t size)
{
	struct policy_result result = judge(p, r);
	struct writer w = writer_of(out, size);

	assert_int_equal(policy_apply(p, &result, set_of(r), &w), 0);
	return reader_of(out, writer_len(&w));
}

static void changes_of_several_rules_come_together(void **state)
{
	static const uint32_t has[] = {1, 2, 3};
	uint32_t add1[] = {10, 11}, remove1[] = {1}, add2[] = {1, 12}, remove2[] = {10};
	struct policy_rule rules[] = {
		{.then = POLICY_NEXT,
			.add_count = 2,
			.add = add1,
			.remove_count = 1,
			.remove = remove1,
			.set_local_pref = true,
			.local_pref = 50,
			.set_med = true,
			.med = 9},
		{.then = POLICY_ACCEPT,
			.add_count = 2,
			.add = add2,
			.remove_count = 1,
			.remove = remove2,
			.set_local_pref = true,
			.local_pref = 200,
			.set_origin = true,
			.origin = BGP_ORIGIN_INCOMPLETE},
	};
	struct policy p = {.name = "p", .rule_count = 2, .rules = rules};
	static const uint32_t after[] = {1, 2, 3, 11, 12};
	struct bgp_facts facts;
	uint8_t out[1024];
	struct reader set;
	struct route r;

	make_route(&r, "198.51.100.0/24", NULL, 0, has, 3);
	set = apply(&p, &r, out, sizeof(out));
	bgp_facts_of(set, &facts);
	assert_int_equal(facts.local_pref, 200);
	assert_int_equal(facts.med, 9);
	assert_int_equal(facts.origin, BGP_ORIGIN_INCOMPLETE);
	for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++)
		assert_true(bgp_community_has(set, after[i]));
	assert_false(bgp_community_has(set, 10));
	rules[1].clear_communities = true;
	set = apply(&p, &r, out, sizeof(out));
	assert_true(bgp_community_has(set, 1) && bgp_community_has(set, 12));
	assert_false(bgp_community_has(set, 2) || bgp_community_has(set, 11));
}

static void other_communities_are_replaced_and_added(void **state)
{
	uint64_t one[] = {0x0002000000000001}, two[] = {0x0002000000000002};
	uint32_t large1[][3] = {{1, 1, 1}}, large2[][3] = {{2, 2, 2}};
	struct policy_rule rules[] = {
		{.then = POLICY_NEXT,
			.add_extended_count = 1,
			.add_extended = one,
			.add_large_count = 1,
			.add_large = large1},
		{.then = POLICY_ACCEPT,
			.add_extended_count = 1,
			.add_extended = two,
			.add_large_count = 1,
			.add_large = large2},
	};
	struct policy p = {.name = "p", .rule_count = 2, .rules = rules};
	uint8_t out[1024];
	struct reader set;
	struct route r;

	make_route(&r, "198.51.100.0/24", NULL, 0, NULL, 0);
	set = apply(&p, &r, out, sizeof(out));
	assert_true(bgp_extended_community_has(set, one[0]) && bgp_extended_community_has(set, two[0]));
	assert_true(bgp_large_community_has(set, 1, 1, 1) && bgp_large_community_has(set, 2, 2, 2));
	rules[1].clear_extended = rules[1].clear_large = true;
	set = apply(&p, &r, out, sizeof(out));
	assert_false(bgp_extended_community_has(set, one[0]) || bgp_large_community_has(set, 1, 1, 1));
	assert_true(bgp_extended_community_has(set, two[0]) && bgp_large_community_has(set, 2, 2, 2));
}

static void what_does_not_fit_is_refused(void **state)
{
	uint32_t add[POLICY_VALUES + 1] = {0};
	struct policy_rule rule = {.then = POLICY_ACCEPT, .set_med = true};
	struct policy p = {.name = "p", .rule_count = 1, .rules = &rule};
	struct policy_result result;
	uint8_t out[8];
	struct writer w = writer_of(out, sizeof(out));
	struct route r;

	make_route(&r, "198.51.100.0/24", NULL, 0, NULL, 0);
	result = judge(&p, &r);
	assert_int_equal(policy_apply(&p, &result, set_of(&r), &w), -EMSGSIZE);
	rule.add = add;
	rule.add_count = POLICY_VALUES + 1;
	assert_int_equal(policy_apply(&p, &result, set_of(&r), &w), -EMSGSIZE);
}

/* ---- at random ---- */

enum { POLICIES = 400, ROUTES = 40, RULES = 6, LONG = 40 };

static bool model_prefix(const struct policy_rule *r, const struct prefix *p)
{
	bool any = !r->prefix_count;

	for (unsigned i = 0; i < r->prefix_count; i++) {
		const struct policy_prefix *x = &r->prefixes[i];
		unsigned common = addr_common_bits(&x->prefix.addr, &p->addr);

		any |= x->prefix.addr.family == p->addr.family && common >= x->prefix.len &&
		       p->len >= x->prefix.len && p->len >= x->min && p->len <= x->max;
	}
	return any;
}

static bool model_communities(const struct policy_rule *r, struct reader set)
{
	bool any = !r->community_count;

	for (unsigned i = 0; i < r->community_count; i++)
		any |= bgp_community_has(set, r->communities[i]);
	return any;
}

static bool model_path(const struct policy_rule *r, const struct route *route)
{
	bool any = !r->as_count;

	for (unsigned i = 0; i < r->as_count; i++) { /* paths here are one sequence */
		const struct policy_as *a = &r->as_path[i];
		unsigned times = bgp_path_count(set_of(route), a->as), length = route->facts.path_length;

		if (!a->as)
			any |= !length;
		else if (a->first && a->last)
			any |= times && times == length;
		else if (a->first)
			any |= route->facts.neighbor_as == a->as;
		else if (a->last)
			any |= route->facts.origin_as == a->as;
		else
			any |= times > 0;
	}
	return any;
}

static struct policy_result model_judge(const struct policy *p, const struct route *route)
{
	struct policy_result result = {.verdict = POLICY_REJECT};

	for (unsigned n = 0; n < p->rule_count; n++) {
		const struct policy_rule *r = &p->rules[n];

		if ((r->families && !(r->families >> route->family & 1)) ||
			!model_prefix(r, &route->prefix) || !model_path(r, route) ||
			!model_communities(r, set_of(route)))
			continue;
		if (r->then == POLICY_REJECT)
			return (struct policy_result){.verdict = POLICY_REJECT, .rule = (uint16_t)(n + 1)};
		if (r->set_med)
			result.applied[result.applied_count++] = (uint16_t)(n + 1);
		if (r->then == POLICY_ACCEPT) {
			result.verdict = POLICY_ACCEPT;
			result.rule = (uint16_t)(n + 1);
			return result;
		}
	}
	return (struct policy_result){.verdict = POLICY_REJECT};
}

/* Few values, so that much matches. */
static struct prefix random_prefix(struct rng *rng)
{
	struct addr a = {.family = rng_below(rng, 4) ? AF_INET : AF_INET6};

	a.bytes[0] = (uint8_t)(rng_below(rng, 2) << 7);
	a.bytes[1] = (uint8_t)rng_below(rng, 4);
	return prefix_of(&a, rng_below(rng, 18));
}

struct random_rule {
	struct policy_prefix prefixes[LONG];
	struct policy_as as_path[2];
	uint32_t communities[2];
};

static struct policy_rule random_rule(struct rng *rng, struct random_rule *space)
{
	struct policy_rule r = {
		.prefixes = space->prefixes, .as_path = space->as_path, .communities = space->communities};

	if (rng_below(rng, 2))
		r.prefix_count = rng_below(rng, 2) ? 1 + rng_below(rng, 3) : LONG - rng_below(rng, LONG / 2);
	for (unsigned i = 0; i < r.prefix_count; i++) {
		struct policy_prefix *p = &r.prefixes[i];

		p->prefix = random_prefix(rng);
		p->min = (uint8_t)(p->prefix.len + rng_below(rng, 3));
		p->max = (uint8_t)(p->min + rng_below(rng, 6));
	}
	r.as_count = rng_below(rng, 2) ? 0 : 1 + rng_below(rng, 2);
	for (unsigned i = 0; i < r.as_count; i++) {
		r.as_path[i] = (struct policy_as){
			.as = rng_below(rng, 4), .first = rng_below(rng, 2), .last = rng_below(rng, 2)};
		if (!r.as_path[i].as)
			r.as_path[i].first = r.as_path[i].last = true;
	}
	r.community_count = rng_below(rng, 2) ? 0 : 1 + rng_below(rng, 2);
	for (unsigned i = 0; i < r.community_count; i++)
		r.communities[i] = rng_below(rng, 4);
	r.families = rng_below(rng, 4) ? 0 : (bgp_families)(1 + rng_below(rng, 3));
	r.then = (enum policy_verdict)rng_below(rng, 3);
	r.set_med = rng_below(rng, 2);
	return r;
}

static void random_route(struct rng *rng, struct route *r)
{
	uint8_t path[2 + 4 * 3] = {BGP_AS_SEQUENCE, (uint8_t)rng_below(rng, 4)};
	uint32_t communities[3];
	unsigned count = rng_below(rng, 4);
	struct prefix p = random_prefix(rng);
	char text[PREFIX_TEXT];

	for (unsigned i = 0; i < path[1]; i++)
		path[2 + 4 * i + 3] = (uint8_t)(1 + rng_below(rng, 3));
	for (unsigned i = 0; i < count; i++)
		communities[i] = rng_below(rng, 6);
	make_route(
		r, prefix_print(&p, text), path, path[1] ? 2 + (size_t)path[1] * 4 : 0, communities, count);
}

static void it_judges_as_the_plain_judge_does(void **state)
{
	struct random_rule *space = calloc(RULES, sizeof(*space));
	unsigned accepted = 0, rejected = 0;
	struct policy_rule rules[RULES];
	struct rng rng;

	assert_non_null(space);
	rng_init_seed(&rng, 5);
	for (unsigned i = 0; i < POLICIES; i++) {
		struct policy written = {.name = "p",
				      .rule_count = 1 + rng_below(&rng, RULES),
				      .rules = rules},
			      *p;

		for (unsigned n = 0; n < written.rule_count; n++)
			rules[n] = random_rule(&rng, &space[n]);
		p = policy_copy(&written);
		assert_non_null(p);
		for (unsigned k = 0; k < ROUTES; k++) {
			struct policy_result is, plain, should;
			struct route r;

			random_route(&rng, &r);
			is = judge(p, &r);
			plain = judge(&written, &r); /* without indexes */
			should = model_judge(&written, &r);
			assert_int_equal(is.verdict, should.verdict);
			assert_int_equal(is.rule, should.rule);
			assert_true(
				policy_result_equal(&is, &should) && policy_result_equal(&plain, &should));
			accepted += is.verdict == POLICY_ACCEPT;
			rejected += is.verdict == POLICY_REJECT && is.rule;
		}
		policy_free(p);
	}
	assert_true(accepted > POLICIES * ROUTES / 10 && rejected > POLICIES * ROUTES / 10);
	free(space);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_match_patterns),
		cmocka_unit_test(communities_of_all_sizes_match),
		cmocka_unit_test(families_sources_and_next_hops_match),
		cmocka_unit_test(the_first_that_accepts_or_rejects_decides),
		cmocka_unit_test(equal_results_mean_equal_changes),
		cmocka_unit_test(more_changes_than_there_is_room_for_reject),
		cmocka_unit_test(changes_of_several_rules_come_together),
		cmocka_unit_test(other_communities_are_replaced_and_added),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(it_judges_as_the_plain_judge_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
