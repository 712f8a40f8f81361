/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routes of the kernel become routes of BGP: which ones, with what, when they come, change and go.
 */
#include <jansson.h>
#include <linux/rtnetlink.h>

#include "kernel.h"

static struct stage *begin(uint8_t protocol)
{
	struct stage *s = stage_new();

	stage_import(s, protocol);
	stage_begin(s);
	assert_int_equal(import_start(&s->role), 0);
	return s;
}

struct wish {
	struct stage *stage;
	const char *prefix;
	bool there;
};

static bool is_so(void *arg)
{
	const struct wish *w = arg;
	const struct originated *o = originated(w->stage, w->prefix);

	return (o && o->there) == w->there;
}

static void becomes(struct stage *s, const char *prefix, bool there)
{
	struct wish w = {s, prefix, there};

	if (!stage_run(s, is_so, &w))
		fail_msg("%s is %s", prefix, there ? "missing" : "there");
}

static uint32_t med_of(const struct stage *s, const char *prefix)
{
	const struct originated *o = originated(s, prefix);
	struct bgp_facts facts;

	assert_non_null(o);
	bgp_facts_of(reader_of(o->set, o->len), &facts);
	return facts.has_med ? facts.med : 0;
}

/* proves: MESH-BGP-5 partial */
static void routes_of_the_protocol_come_and_go(void **state)
{
	struct stage *s;
	const struct originated *o;
	struct bgp_facts facts;
	json_t *shown_json = json_object();

	s = stage_new();
	administer("ip route add 10.1.0.0/16 via 192.0.2.9 proto bird metric 5 && ip route add 10.2.0.0/16 "
		   "via 192.0.2.9 proto static");
	stage_import(s, RTPROT_BIRD);
	stage_begin(s);
	assert_int_equal(import_start(&s->role), 0);
	becomes(s, "10.1.0.0/16", true);
	o = originated(s, "10.1.0.0/16");
	assert_int_equal(o->family, BGP_IPV4);
	bgp_facts_of(reader_of(o->set, o->len), &facts);
	assert_int_equal(facts.origin, BGP_ORIGIN_INCOMPLETE);
	assert_int_equal(facts.path_length, 0);
	assert_int_equal(facts.med, 5);
	administer("ip -6 route add 2001:db8:100::/40 via fe80::9 dev lan0 proto bird && ip route add "
		   "blackhole 10.3.0.0/16 proto bird");
	becomes(s, "2001:db8:100::/40", true);
	assert_int_equal(originated(s, "2001:db8:100::/40")->family, BGP_IPV6);
	becomes(s, "10.3.0.0/16", true); /* how an aggregate is anchored */
	assert_null(originated(s, "10.2.0.0/16"));
	administer("ip route del 10.1.0.0/16 && ip -6 route del 2001:db8:100::/40");
	becomes(s, "10.1.0.0/16", false);
	becomes(s, "2001:db8:100::/40", false);
	assert_true(originated(s, "10.3.0.0/16")->there);
	import_show(&s->role, shown_json);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(shown_json, "import"), "found")), 1);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(shown_json, "import"), "told")), 1);
	json_decref(shown_json);
	stage_free(s);
}

/* A network of the configuration had its place, and has it no more: the engine had passed over it. */
static void a_route_is_told_again_when_the_engine_asks_for_it(void **state)
{
	struct stage *s = begin(RTPROT_STATIC);
	struct prefix known, unknown;

	assert_int_equal(prefix_parse("10.1.0.0/16", &known), 0);
	assert_int_equal(prefix_parse("10.2.0.0/16", &unknown), 0);
	administer("ip route add 10.1.0.0/16 via 192.0.2.9 proto static");
	becomes(s, "10.1.0.0/16", true);
	assert_int_equal(originated(s, "10.1.0.0/16")->times, 1);
	import_again(&s->role, &known);
	import_again(&s->role, &unknown);
	assert_int_equal(originated(s, "10.1.0.0/16")->times, 2);
	assert_int_equal(s->bgp.originated_count, 1);
	stage_free(s);
}

static void some_are_never_imported(void **state)
{
	struct stage *s = begin(RTPROT_STATIC);

	s->config->import.protocols[s->config->import.protocol_count++] = 172;
	administer("ip route add default via 192.0.2.9 proto static && ip route add 10.1.0.0/16 via "
		   "192.0.2.9 proto 172 metric 20 &&"
		   "ip route add multicast 239.0.0.0/8 dev lan0 proto static && ip -6 route add fe80:1::/64 "
		   "dev lan0 proto static &&"
		   "ip route add 10.2.0.0/16 via 192.0.2.9 proto static");
	becomes(s, "10.2.0.0/16", true);
	stage_wait(s, 50);
	assert_int_equal(s->bgp.originated_count, 1);
	stage_free(s);
}

static void the_lowest_metric_speaks_for_the_prefix(void **state)
{
	struct stage *s = begin(RTPROT_STATIC);

	administer("ip route add 10.1.0.0/16 via 192.0.2.9 proto static metric 50");
	becomes(s, "10.1.0.0/16", true);
	assert_int_equal(med_of(s, "10.1.0.0/16"), 50);
	administer("ip route add 10.1.0.0/16 via 192.0.2.8 proto static metric 5 && ip route add 10.1.0.0/16 "
		   "via 192.0.2.7 proto static metric 70 &&"
		   "ip route add 10.2.0.0/16 via 192.0.2.9 proto static");
	becomes(s, "10.2.0.0/16", true);
	assert_int_equal(med_of(s, "10.1.0.0/16"), 5);
	administer(
		"ip route del 10.1.0.0/16 metric 5 && ip route add 10.3.0.0/16 via 192.0.2.9 proto static");
	becomes(s, "10.3.0.0/16", true);
	assert_int_equal(med_of(s, "10.1.0.0/16"), 50);
	assert_int_equal(originated(s, "10.1.0.0/16")->withdrawn, 0);
	administer("ip route del 10.1.0.0/16 metric 50 && ip route del 10.1.0.0/16 metric 70");
	becomes(s, "10.1.0.0/16", false);
	assert_int_equal(originated(s, "10.1.0.0/16")->withdrawn, 1);
	stage_free(s);
}

static void what_takes_its_place_counts(void **state)
{
	struct stage *s = begin(RTPROT_STATIC);

	administer("ip route add 10.1.0.0/16 via 192.0.2.9 proto static && ip -6 route add 2001:db8:100::/40 "
		   "via fe80::9 dev lan0 proto static");
	becomes(s, "10.1.0.0/16", true);
	becomes(s, "2001:db8:100::/40", true);
	/* by one of the same protocol: nobody notices */
	administer("ip route replace 10.1.0.0/16 via 192.0.2.8 proto static && ip -6 route replace "
		   "2001:db8:100::/40 via fe80::8 dev lan0 proto static &&"
		   "ip route add 10.2.0.0/16 via 192.0.2.9 proto static");
	becomes(s, "10.2.0.0/16", true);
	assert_int_equal(
		originated(s, "10.1.0.0/16")->withdrawn + originated(s, "2001:db8:100::/40")->withdrawn, 0);
	/* by another's */
	administer("ip route replace 10.1.0.0/16 via 192.0.2.7 proto boot && ip -6 route replace "
		   "2001:db8:100::/40 via fe80::7 dev lan0 proto boot");
	becomes(s, "10.1.0.0/16", false);
	becomes(s, "2001:db8:100::/40", false);
	administer("ip route replace 10.1.0.0/16 via 192.0.2.7 proto static && ip -6 route replace "
		   "2001:db8:100::/40 via fe80::7 dev lan0 proto static");
	becomes(s, "10.1.0.0/16", true);
	becomes(s, "2001:db8:100::/40", true);
	stage_free(s);
}

static void of_several_gateways_one_may_go(void **state)
{
	struct stage *s = begin(RTPROT_STATIC);

	administer("ip route add 10.1.0.0/16 via 192.0.2.9 proto static && ip route append 10.1.0.0/16 via "
		   "192.0.2.8 proto static &&"
		   "ip -6 route add 2001:db8:100::/40 via fe80::9 dev lan0 proto static && ip -6 route "
		   "append 2001:db8:100::/40 via fe80::8 dev lan0 proto static &&"
		   "ip -6 route add 2001:db8:200::/40 proto static nexthop via fe80::9 dev lan0 nexthop via "
		   "fe80::8 dev lan0");
	becomes(s, "2001:db8:200::/40", true);
	administer("ip route del 10.1.0.0/16 via 192.0.2.9 && ip -6 route del 2001:db8:100::/40 via fe80::9 "
		   "dev lan0 &&"
		   "ip -6 route del 2001:db8:200::/40");
	becomes(s, "2001:db8:200::/40", false);
	assert_true(originated(s, "10.1.0.0/16")->there);
	assert_true(originated(s, "2001:db8:100::/40")->there);
	administer("ip route del 10.1.0.0/16 && ip -6 route del 2001:db8:100::/40");
	becomes(s, "10.1.0.0/16", false);
	becomes(s, "2001:db8:100::/40", false);
	stage_free(s);
}

/* The kernel says nothing of IPv4 routes that go with a link; and what is read again does not flap. */
static void a_link_takes_its_routes_with_it_and_no_others(void **state)
{
	struct stage *s = begin(RTPROT_STATIC);

	administer("ip route add 10.1.0.0/16 via 192.0.2.9 proto static && ip route add 10.2.0.0/16 via "
		   "198.18.0.9 proto static");
	becomes(s, "10.1.0.0/16", true);
	becomes(s, "10.2.0.0/16", true);
	administer("ip link set lan1 down");
	becomes(s, "10.2.0.0/16", false);
	assert_int_equal(originated(s, "10.1.0.0/16")->withdrawn, 0);
	assert_int_equal(originated(s, "10.1.0.0/16")->times, 1);
	stage_free(s);
}

static void the_policy_decides_and_changes(void **state)
{
	struct policy_prefix one = {.min = 16, .max = 16}, all = {.min = 0, .max = 0};
	struct policy_rule rules[] = {
		{.prefix_count = 1, .prefixes = &one, .then = POLICY_ACCEPT, .set_med = true, .med = 77},
		{.prefix_count = 1, .prefixes = &all, .then = POLICY_ACCEPT}};
	struct policy policies[] = {{.name = "in", .rule_count = 2, .rules = rules}};
	struct stage *s = stage_new();

	one.prefix = to_prefix("10.1.0.0/16");
	all.prefix = to_prefix("0.0.0.0/0");
	stage_import(s, RTPROT_STATIC);
	strcpy(s->config->import.policy, "in");
	s->config->policies = policies;
	s->config->policy_count = 1;
	stage_begin(s);
	assert_int_equal(import_start(&s->role), 0);
	administer("ip route add 10.2.0.0/16 via 192.0.2.9 proto static && ip route add 10.1.0.0/16 via "
		   "192.0.2.9 proto static &&"
		   "ip route add default via 192.0.2.9 proto static");
	becomes(s, "10.1.0.0/16", true);
	becomes(s, "0.0.0.0/0", true); /* it was named */
	assert_int_equal(med_of(s, "10.1.0.0/16"), 77);
	assert_null(originated(s, "10.2.0.0/16"));
	s->config->policies = NULL;
	s->config->policy_count = 0;
	stage_free(s);
}

static struct afbr_config *another(struct stage *s)
{
	struct afbr_config *old = s->config, *c = afbr_config_new();

	c->import = old->import;
	c->export = old->export;
	s->config = s->role.config = c;
	return old;
}

static void another_configuration_takes_back_what_it_does_not_name(void **state)
{
	struct stage *s = begin(RTPROT_STATIC);
	struct afbr_config *old;

	administer("ip route add 10.1.0.0/16 via 192.0.2.9 proto static && ip route add 10.2.0.0/16 via "
		   "192.0.2.9 proto bird");
	becomes(s, "10.1.0.0/16", true);
	old = another(s);
	s->config->import.protocols[s->config->import.protocol_count++] = RTPROT_BIRD;
	import_change(&s->role, old);
	afbr_config_unref(old);
	becomes(s, "10.2.0.0/16", true);
	old = another(s);
	s->config->import.protocols[0] = RTPROT_BIRD;
	s->config->import.protocol_count = 1;
	import_change(&s->role, old);
	afbr_config_unref(old);
	becomes(s, "10.1.0.0/16", false);
	assert_true(originated(s, "10.2.0.0/16")->there);
	old = another(s);
	s->config->import = (struct afbr_import){0};
	import_change(&s->role, old);
	afbr_config_unref(old);
	becomes(s, "10.2.0.0/16", false);
	assert_int_equal(originated(s, "10.2.0.0/16")->withdrawn, 1);
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_of_the_protocol_come_and_go),
		cmocka_unit_test(a_route_is_told_again_when_the_engine_asks_for_it),
		cmocka_unit_test(some_are_never_imported),
		cmocka_unit_test(the_lowest_metric_speaks_for_the_prefix),
		cmocka_unit_test(what_takes_its_place_counts),
		cmocka_unit_test(of_several_gateways_one_may_go),
		cmocka_unit_test(a_link_takes_its_routes_with_it_and_no_others),
		cmocka_unit_test(the_policy_decides_and_changes),
		cmocka_unit_test(another_configuration_takes_back_what_it_does_not_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
