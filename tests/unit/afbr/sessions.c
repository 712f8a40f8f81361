/* SPDX-License-Identifier: GPL-2.0-or-later */
/* BGP's own sessions stay out of softwires: routes that would take them along, and neighbours that only a softwire leads to. */
#include "kernel.h"

#define REFLECTOR "2001:db8:9::9" /* internal, in the core */
#define FAR       "2001:db8:f::f" /* external, multihop, in another AS */
#define CE        "192.0.2.9"     /* external, on a link */
#define REFUSAL   "only a softwire leads to it, and BGP does not go through softwires (RFC 5565 section 4.2)"

static struct bgp_neighbor_config neighbor(const char *address, uint32_t as, bool multihop)
{
	return (struct bgp_neighbor_config){.address = to_addr(address), .as = as, .multihop = multihop};
}

static struct stage *begin(void)
{
	struct stage *s = stage_new();

	s->config->as = 65000;
	s->config->core = to_addr("2001:db8::1");
	s->config->neighbors = calloc(3, sizeof(*s->config->neighbors));
	assert_non_null(s->config->neighbors);
	s->config->neighbors[s->config->neighbor_count++] = neighbor(REFLECTOR, 65000, false);
	s->config->neighbors[s->config->neighbor_count++] = neighbor(FAR, 65001, true);
	s->config->neighbors[s->config->neighbor_count++] = neighbor(CE, 65002, false);
	stage_begin(s);
	return s;
}

static bool takes_along(struct stage *s, const char *prefix, const char *expected)
{
	struct prefix p = to_prefix(prefix);
	struct addr neighbor_address, wanted = to_addr(expected);

	return nexthop_session_in(&s->role, &p, 20, &neighbor_address) &&
	       addr_equal(&neighbor_address, &wanted);
}

static bool takes_none(struct stage *s, const char *prefix)
{
	struct prefix p = to_prefix(prefix);
	struct addr ignored;

	return !nexthop_session_in(&s->role, &p, 20, &ignored);
}

static bool reflector_is_safe_below(void *arg)
{
	return takes_none(arg, "2001:db8::/32");
}

static bool reflector_is_hidden(void *arg)
{
	return takes_along(arg, "2001:db8::/32", REFLECTOR);
}

/* proves: MESH-BGP-7 partial */
static void a_route_that_would_take_a_session_along_is_known(void **state)
{
	struct stage *s = begin();

	/* Nothing is known of the way to any of them: those in the core may be reached by nothing but softwires. */
	assert_true(takes_along(s, "2001:db8:9::/48", REFLECTOR));
	assert_true(takes_along(s, "2001:db8:f::/64", FAR));
	assert_true(takes_none(s, "2001:db8:a::/48"));
	assert_true(takes_none(s, "0.0.0.0/0"));
	administer("ip -6 route add 2001:db8:9::/48 via fe80::9 dev lan0 metric 10 && "
		   "ip -6 route add 2001:db8:f::/48 via fe80::9 dev lan0 metric 30");
	assert_true(stage_run(s, reflector_is_safe_below, s));
	/* The longer route wins, and of equal ones that of the lower metric. */
	assert_true(takes_none(s, "2001:db8:9::/48"));
	assert_true(takes_along(s, "2001:db8:9::/64", REFLECTOR));
	assert_true(takes_along(s, "2001:db8:f::/48", FAR));
	assert_true(takes_along(s, "192.0.2.9/32", CE));
	assert_true(takes_none(s, "192.0.2.0/24"));
	assert_true(takes_none(s, "0.0.0.0/0"));
	/* Away for a moment: nothing changes. */
	administer("ip -6 route del 2001:db8:9::/48 && ip link set lan0 down");
	stage_wait(s, 150);
	assert_true(takes_none(s, "2001:db8:9::/48"));
	assert_true(takes_none(s, "0.0.0.0/0"));
	/* Another way. */
	administer("ip -6 route add ::/0 via fe80::9 dev lan1");
	assert_true(stage_run(s, reflector_is_hidden, s));
	stage_free(s);
}

static void neighbors_come_and_go_with_the_configuration(void **state)
{
	struct stage *s = begin();

	s->config->neighbor_count = 2;
	s->config->neighbors[0] = neighbor("2001:db8:8::8", 65000, false);
	s->config->neighbors[1] = neighbor("fe80::8", 65000, false);
	nexthop_change(&s->role);
	assert_true(takes_along(s, "::/0", "2001:db8:8::8"));
	assert_true(takes_none(s, "2001:db8:9::/48"));
	assert_true(takes_none(s, "192.0.2.9/32"));
	/* On a link, after all: nothing is known of it. */
	s->config->neighbors[0].as = 65001;
	nexthop_change(&s->role);
	assert_true(takes_none(s, "::/0"));
	stage_free(s);
}

/* proves: MESH-BGP-7 partial */
static void bgp_runs_with_nobody_behind_a_softwire(void **state)
{
	struct stage *s = begin();
	struct addr reflector = to_addr(REFLECTOR), local = to_addr("fe80::9");
	int tap = namespace_device(AFBR_DEVICE, IFF_TAP);

	assert_true(tap >= 0);
	assert_null(nexthop_session_refusal(&s->role, &reflector, 0)); /* no way: TCP says so itself */
	administer("ip link set " AFBR_DEVICE
		   " up && ip -6 route add 2001:db8:9::/48 via fe80::1 dev " AFBR_DEVICE " proto 172");
	assert_string_equal(nexthop_session_refusal(&s->role, &reflector, 0), REFUSAL);
	assert_string_equal(nexthop_session_refusal(&s->role, &local, if_nametoindex(AFBR_DEVICE)), REFUSAL);
	assert_null(nexthop_session_refusal(&s->role, &local, if_nametoindex("lan0")));
	administer("ip -6 route add 2001:db8:9::9/128 via fe80::9 dev lan0");
	assert_null(nexthop_session_refusal(&s->role, &reflector, 0));
	close(tap);
	stage_free(s);
}

static bool ce_is_known(void *arg)
{
	return takes_along(arg, "192.0.2.9/32", CE);
}

/* The route is there, and its softwire; but not for the neighbour's own address. */
/* proves: MESH-BGP-7 */
static void no_softwire_takes_a_session_along(void **state)
{
	struct stage *s = stage_new();

	administer("ip -6 route add 2001:db8:ff::/48 via fe80::9 dev lan1");
	s->config->as = 65000;
	s->config->neighbors = calloc(1, sizeof(*s->config->neighbors));
	assert_non_null(s->config->neighbors);
	s->config->neighbors[s->config->neighbor_count++] = neighbor(CE, 65002, false);
	stage_export(s);
	stage_core(s, "2001:db8:1::1");
	s->bgp.internal = true;
	stage_begin(s);
	assert_true(stage_run(s, ce_is_known, s));
	learn(s, "198.51.100.0/24", "2001:db8:ff::5", NULL, NULL);
	learn(s, "192.0.0.0/8", "2001:db8:ff::5", NULL, NULL);
	learn(s, "192.0.2.8/29", "2001:db8:ff::5", NULL, NULL);
	stage_shows(s, "ip -4 route", "198.51.100.0/24", "dev softwire0", 1);
	stage_shows(s, "ip -4 route", "192.0.0.0/8", "dev softwire0", 1);
	stage_wait(s, 50);
	assert_int_equal(shown("ip -4 route", "192.0.2.8/29", ""), 0);
	assert_string_equal(state_of(s, "192.0.2.8/29"),
		"not in the kernel: the BGP session with 192.0.2.9 would go through its softwire");
	/* Somebody knows a better way. */
	administer("ip route add 192.0.2.9/32 via 192.0.2.33");
	stage_shows(s, "ip -4 route", "192.0.2.8/29", "dev softwire0", 1);
	administer("ip route del 192.0.2.9/32");
	stage_shows(s, "ip -4 route", "192.0.2.8/29", "dev softwire0", 0);
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_route_that_would_take_a_session_along_is_known),
		cmocka_unit_test(neighbors_come_and_go_with_the_configuration),
		cmocka_unit_test(bgp_runs_with_nobody_behind_a_softwire),
		cmocka_unit_test(no_softwire_takes_a_session_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
