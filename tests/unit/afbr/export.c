/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Best routes in the kernel's tables: which ones, by which gateway, and what becomes of them when next hops, policies, links and processes change.
 */
#include <errno.h>
#include <jansson.h>

#include "afbr/export.h"
#include "kernel.h"

static const char ipv4[] = "ip -4 route show table all", ipv6[] = "ip -6 route show table all";

static struct stage *begin(void)
{
	struct stage *s = stage_new();

	stage_export(s);
	stage_begin(s);
	return s;
}

/* proves: MESH-BGP-18 partial */
static void what_can_be_forwarded_natively_is_there(void **state)
{
	struct stage *s = begin();

	administer("ip route add 10.0.0.0/8 via 198.18.0.9 && ip -6 route add 2001:db8:ff::/48 via fe80::9 "
		   "dev lan1");
	learn(s, "198.51.100.0/24", "192.0.2.5", NULL, NULL);
	learn(s, "198.51.101.0/24", "10.1.1.1", NULL, NULL);
	learn(s, "198.51.102.0/24", "2001:db8::5", NULL, NULL);
	learn(s, "198.51.103.0/24", NULL, "fe80::5", "lan1");
	learn(s, "2001:db8:100::/40", "2001:db8:ff::5", NULL, NULL);
	learn(s, "2001:db8:200::/40", "2001:db8::5", NULL, NULL);
	/* not these: their next hops are across the core */
	learn(s, "198.51.104.0/24", "2001:db8:ff::5", NULL, NULL);
	learn(s, "2001:db8:300::/40", "10.1.1.1", NULL, NULL);
	learn(s, "2001:db8:400::/40", "192.0.2.5", NULL, NULL);
	stage_shows(s, ipv4, "proto 172", "", 4);
	stage_shows(s, ipv6, "proto 172", "", 2);
	assert_int_equal(shown(ipv4, "198.51.100.0/24 via 192.0.2.5 dev lan0 proto 172 metric 20", ""), 1);
	assert_int_equal(shown(ipv4, "198.51.101.0/24 via 198.18.0.9 dev lan1 proto 172 metric 20", ""), 1);
	assert_int_equal(
		shown(ipv4, "198.51.102.0/24 via inet6 2001:db8::5 dev lan0 proto 172 metric 20", ""), 1);
	assert_int_equal(
		shown(ipv4, "198.51.103.0/24 via inet6 fe80::5 dev lan1 proto 172 metric 20", ""), 1);
	assert_int_equal(shown(ipv6, "2001:db8:100::/40 via fe80::9 dev lan1 proto 172 metric 20", ""), 1);
	assert_int_equal(
		shown(ipv6, "2001:db8:200::/40 via 2001:db8::5 dev lan0 proto 172 metric 20", ""), 1);
	assert_int_equal(s->forwards, FORWARDS_IPV4 | FORWARDS_IPV6);
	assert_string_equal(state_of(s, "198.51.100.0/24"), "in the kernel's table 254, via 192.0.2.5");
	assert_non_null(
		strstr(state_of(s, "198.51.104.0/24"), "its next hop is of the other address family"));
	assert_non_null(
		strstr(state_of(s, "2001:db8:400::/40"), "its next hop is of the other address family"));
	stage_free(s);
}

/* proves: MESH-BGP-3 partial */
static void no_ipv4_goes_into_an_ipv6_core(void **state)
{
	struct stage *s = stage_new();

	stage_export(s);
	s->config->core = to_addr("2001:db8::1");
	s->config->tunnel = AFBR_TUNNEL_NEXT_HOP;
	stage_begin(s);
	learn(s, "198.51.100.0/24", "2001:db8::5", NULL, NULL); /* from a CE router */
	stage_shows(s, ipv4, "198.51.100.0/24 via inet6 2001:db8::5", "", 1);
	unlearn(s, "198.51.100.0/24");
	stage_shows(s, ipv4, "proto 172", "", 0);
	s->bgp.internal = true;
	learn(s, "198.51.100.0/24", "2001:db8::5", NULL, NULL); /* from another AFBR */
	learn(s, "198.51.101.0/24", "192.0.2.5", NULL, NULL);
	learn(s, "2001:db8:100::/40", "2001:db8::5", NULL, NULL);
	stage_shows(s, ipv6, "2001:db8:100::/40 via 2001:db8::5", "", 1);
	stage_shows(s, ipv4, "proto 172", "", 1);
	assert_string_equal(state_of(s, "198.51.100.0/24"),
		"not in the kernel: its next hop is an address of the core's family, and there is no "
		"softwire: the softwires "
		"are not up");
	stage_free(s);
}

static void what_is_withdrawn_goes(void **state)
{
	struct stage *s = begin();

	learn(s, "198.51.100.0/24", "192.0.2.5", NULL, NULL);
	learn(s, "198.51.101.0/24", "192.0.2.5", NULL, NULL);
	stage_shows(s, ipv4, "proto 172", "", 2);
	learn(s, "198.51.100.0/24", "192.0.2.6", NULL, NULL);
	unlearn(s, "198.51.101.0/24");
	stage_shows(s, ipv4, "198.51.100.0/24 via 192.0.2.6", "", 1);
	stage_shows(s, ipv4, "proto 172", "", 1);
	unlearn(s, "198.51.100.0/24");
	stage_shows(s, ipv4, "proto 172", "", 0);
	assert_int_equal(s->bgp.ribs[BGP_IPV4].net_count, 0);
	stage_free(s);
}

static void a_lost_next_hop_takes_its_routes_along(void **state)
{
	struct stage *s = begin();

	administer("ip route add 10.0.0.0/8 via 198.18.0.9");
	learn(s, "198.51.100.0/24", "10.1.1.1", NULL, NULL);
	learn(s, "198.51.101.0/24", "192.0.2.5", NULL, NULL);
	stage_shows(s, ipv4, "proto 172", "", 2);
	administer("ip route del 10.0.0.0/8");
	stage_shows(s, ipv4, "proto 172", "", 1);
	assert_string_equal(state_of(s, "198.51.100.0/24"), "not in the kernel: no path can be chosen");
	administer("ip route add 10.0.0.0/8 via 198.18.0.8");
	stage_shows(s, ipv4, "198.51.100.0/24 via 198.18.0.8", "", 1);
	stage_free(s);
}

/* The engine does not notice: the next hop stays reached, at the same cost. */
static void routes_follow_their_next_hop_to_another_gateway(void **state)
{
	struct stage *s = begin();

	administer("ip route add 10.0.0.0/8 via 198.18.0.9 && ip -6 route add 2001:db8:ff::/48 via fe80::9 "
		   "dev lan1");
	learn(s, "198.51.100.0/24", "10.1.1.1", NULL, NULL);
	learn(s, "2001:db8:100::/40", "2001:db8:ff::5", NULL, NULL);
	learn(s, "198.51.101.0/24", "2001:db8:ff::5", NULL, NULL);
	stage_shows(s, ipv4, "198.51.100.0/24 via 198.18.0.9", "", 1);
	stage_shows(s, ipv6, "2001:db8:100::/40 via fe80::9 dev lan1", "", 1);
	administer("ip route replace 10.0.0.0/8 via 192.0.2.9 && ip -6 route replace 2001:db8:ff::/48 via "
		   "fe80::8 dev lan0");
	stage_shows(s, ipv4, "198.51.100.0/24 via 192.0.2.9 dev lan0", "", 1);
	stage_shows(s, ipv6, "2001:db8:100::/40 via fe80::8 dev lan0", "", 1);
	/* What was across the core is a neighbour now. */
	administer("ip -6 addr add 2001:db8:ff::1/64 dev lan0 nodad");
	stage_shows(s, ipv4, "198.51.101.0/24 via inet6 2001:db8:ff::5 dev lan0", "", 1);
	stage_free(s);
}

/* The kernel takes routes away with their link, says nothing of it, and does not bring them back. */
static void a_link_that_was_down_for_a_moment_gets_its_routes_again(void **state)
{
	struct stage *s = begin();

	learn(s, "198.51.100.0/24", "198.18.0.5", NULL, NULL);
	learn(s, "198.51.101.0/24", "192.0.2.5", NULL, NULL);
	stage_shows(s, ipv4, "proto 172", "", 2);
	administer("ip link set lan1 down && ip link set lan1 up");
	assert_int_equal(shown(ipv4, "proto 172", ""), 1);
	stage_shows(s, ipv4, "198.51.100.0/24 via 198.18.0.5", "", 1);
	stage_free(s);
}

/* The kernel takes the routes with the last address of the link. */
static void a_link_that_had_no_address_for_a_moment_gets_its_routes_again(void **state)
{
	struct stage *s = begin();

	learn(s, "198.51.100.0/24", "198.18.0.5", NULL, NULL);
	learn(s, "198.51.101.0/24", "192.0.2.5", NULL, NULL);
	stage_shows(s, ipv4, "proto 172", "", 2);
	administer("ip addr del 198.18.0.1/24 dev lan1 && ip addr add 198.18.0.1/24 dev lan1");
	assert_int_equal(shown(ipv4, "proto 172", ""), 1);
	stage_shows(s, ipv4, "198.51.100.0/24 via 198.18.0.5", "", 1);
	stage_free(s);
}

static void no_route_hides_the_way_to_a_next_hop(void **state)
{
	struct stage *s = begin();

	administer("ip route add default via 192.0.2.9 && ip -6 route add 2001:db8:ff::/48 via fe80::9 dev "
		   "lan1");
	learn(s, "203.0.113.0/24", "10.1.1.1", NULL, NULL);
	stage_shows(s, ipv4, "203.0.113.0/24 via 192.0.2.9", "", 1);
	learn(s, "10.1.0.0/16", "10.1.1.1", NULL, NULL);
	learn(s, "10.1.1.1/32", "10.1.1.1", NULL, NULL);
	learn(s, "10.2.0.0/16", "10.1.1.1", NULL, NULL);
	learn(s, "192.0.2.0/25", "10.1.1.1", NULL, NULL); /* a part of our own link, where no next hop is */
	learn(s, "2001:db8:ff::/48", "2001:db8:ff::5", NULL,
		NULL); /* its metric is lower than that of the route to the next hop */
	stage_shows(s, ipv4, "10.2.0.0/16 via 192.0.2.9", "", 1);
	stage_wait(s, 50);
	assert_int_equal(shown(ipv4, "10.1.", "proto 172"), 0);
	assert_int_equal(shown(ipv6, "proto 172", ""), 0);
	assert_string_equal(state_of(s, "10.1.1.1/32"),
		"not in the kernel: it would hide the way to the next hop 10.1.1.1");
	assert_string_equal(state_of(s, "2001:db8:ff::/48"),
		"not in the kernel: it would hide the way to the next hop 2001:db8:ff::5");
	/* Reached by a longer route it is not hidden any more. */
	administer("ip route add 10.1.1.0/24 via 192.0.2.9");
	stage_shows(s, ipv4, "10.1.0.0/16 via 192.0.2.9", "", 1);
	assert_int_equal(shown(ipv4, "10.1.1.1 via", "proto 172"), 0);
	/* And when nobody names it as a next hop, either. */
	administer("ip route del 10.1.1.0/24");
	stage_shows(s, ipv4, "10.1.0.0/16 via 192.0.2.9", "", 0);
	learn(s, "10.1.0.0/16", "192.0.2.5", NULL, NULL);
	unlearn(s, "203.0.113.0/24");
	unlearn(s, "10.1.1.1/32");
	unlearn(s, "10.2.0.0/16");
	unlearn(s, "192.0.2.0/25");
	stage_shows(s, ipv4, "10.1.0.0/16 via 192.0.2.5", "", 1);
	stage_free(s);
}

static void our_own_links_are_not_taken_over(void **state)
{
	struct stage *s = begin();

	s->role.own = calloc(1, sizeof(*s->role.own));
	s->role.own[0] = (struct afbr_own){.addr = to_addr("2001:db8:1::1"), .prefix_len = 64};
	s->role.own_count = 1;
	learn(s, "2001:db8:1::/64", "2001:db8::5", NULL, NULL);
	learn(s, "2001:db8:2::/64", "2001:db8::5", NULL, NULL);
	stage_shows(s, ipv6, "2001:db8:2::/64", "proto 172", 1);
	assert_int_equal(shown(ipv6, "2001:db8:1::/64", "proto 172"), 0);
	assert_string_equal(state_of(s, "2001:db8:1::/64"),
		"not in the kernel: it is the prefix of one of our own links");
	stage_free(s);
}

static bool has_failed(void *arg)
{
	return strstr(state_of(arg, "198.51.100.0/24"), "somebody else") != NULL;
}

/* Sets T to fire now. */
static void pass_time(struct stage *s, msec ms)
{
	struct wheel *w = &s->loop.wheel;

	(void)wheel_advance(w, w->now + ms);
}

static void somebody_elses_route_stays_and_ours_comes_when_it_goes(void **state)
{
	struct stage *s = begin();
	char text[LOGGED];
	json_t *shown_json = json_object();
	const json_t *group;

	administer("ip route add 198.51.100.0/24 via 192.0.2.3 proto bgp metric 20");
	learn(s, "198.51.100.0/24", "192.0.2.5", NULL, NULL);
	learn(s, "198.51.101.0/24", "192.0.2.5", NULL, NULL);
	assert_true(stage_run(s, has_failed, s));
	stage_shows(s, ipv4, "proto 172", "", 1);
	assert_non_null(strstr(stage_log(s, text),
		"event=kernel-route-failed prefix=198.51.100.0/24 do=add table=254 metric=20 "
		"reason=\"somebody else has a route with this destination and metric\""));
	assert_string_equal(state_of(s, "198.51.100.0/24"),
		"not in the kernel: somebody else has a route with this destination and metric");
	export_show(&s->role, shown_json);
	group = json_object_get(shown_json, "export");
	assert_int_equal(json_integer_value(json_object_get(group, "routes")), 1);
	assert_int_equal(json_integer_value(json_object_get(group, "refused")), 1);
	assert_int_equal(json_integer_value(json_object_get(group, "written")), 2);
	json_decref(shown_json);
	assert_int_equal(shown(ipv4, "198.51.100.0/24 via 192.0.2.3 dev lan0 proto bgp metric 20", ""), 1);
	administer("ip route del 198.51.100.0/24 proto bgp");
	pass_time(s, 10001);
	stage_shows(s, ipv4, "198.51.100.0/24 via 192.0.2.5 dev lan0 proto 172", "", 1);
	stage_wait(s, 20);
	assert_string_equal(state_of(s, "198.51.100.0/24"), "in the kernel's table 254, via 192.0.2.5");
	stage_free(s);
}

static void learn_many(struct stage *s, unsigned count)
{
	struct bgp_next_hop_value v = to_next_hop("192.0.2.5", NULL);

	for (unsigned i = 0; i < count; i++) {
		struct prefix p = {addr4(20, (uint8_t)(i >> 8), (uint8_t)i, 0), 24};

		learn_prefix(s, &p, &v, 0);
	}
}

static void many_go_in_full_requests_a_few_at_a_time(void **state)
{
	struct stage *s = begin();

	learn_many(s, 5000);
	stage_shows(s, ipv4, "proto 172", "", 5000);
	assert_in_range(s->requests, 50, 56);
	assert_in_range(s->most_in_flight, 2, 8);
	stage_free(s);
}

static void when_all_fail_all_are_tried_again(void **state)
{
	struct stage *s = begin();

	s->fails = -ENOBUFS;
	learn_many(s, 2000); /* more than are kept by name */
	stage_wait(s, 100);
	assert_int_equal(s->routes, 2000);
	s->fails = 0;
	pass_time(s, 10001);
	stage_shows(s, ipv4, "proto 172", "", 2000);
	stage_free(s);
}

/* ---- restart ---- */

static void what_a_process_before_has_left_stays_until_all_is_told_and_then_goes(void **state)
{
	struct stage *s = stage_new();
	char text[LOGGED];

	administer("ip route add 198.51.100.0/24 via 192.0.2.5 proto 172 metric 20 && ip route add "
		   "198.51.101.0/24 via 192.0.2.5 proto 172 metric 20 &&"
		   "ip -6 route add 2001:db8:100::/40 via 2001:db8::5 proto 172 metric 20 && ip route add "
		   "198.51.102.0/24 via 192.0.2.5 proto 172 metric 20 &&"
		   "ip route add 198.51.103.0/24 via 192.0.2.5 proto static metric 20");
	stage_export(s);
	stage_begin(s);
	assert_true(s->left);
	learn(s, "198.51.100.0/24", "192.0.2.5", NULL, NULL);
	learn(s, "198.51.101.0/24", "192.0.2.6", NULL, NULL);
	administer("ip -6 route add 2001:db8:ff::/48 via fe80::9 dev lan1");
	stage_wait(s, 100);
	assert_int_equal(s->requests, 0);
	assert_int_equal(shown(ipv4, "via 192.0.2.5 dev lan0 proto 172", ""), 3);
	assert_int_equal(shown(ipv6, "proto 172", ""), 1);
	stage_restarted(s);
	stage_shows(s, ipv4, "proto 172", "", 2);
	stage_shows(s, ipv6, "proto 172", "", 0);
	assert_int_equal(shown(ipv4, "198.51.100.0/24 via 192.0.2.5", ""), 1);
	assert_int_equal(shown(ipv4, "198.51.101.0/24 via 192.0.2.6", ""), 1);
	assert_int_equal(shown(ipv4, "198.51.103.0/24", "proto static"), 1);
	assert_non_null(strstr(stage_log(s, text), "event=kernel-stale-removed"));
	stage_free(s);
}

static void nothing_left_is_no_restart(void **state)
{
	struct stage *s = stage_new();

	administer("ip route add 198.51.100.0/24 via 192.0.2.5 proto 172 metric 21 && ip route add "
		   "198.51.101.0/24 via 192.0.2.5 proto bgp metric 20");
	stage_export(s);
	stage_begin(s);
	assert_false(s->left); /* another metric is another set */
	stage_wait(s, 50);
	assert_int_equal(shown(ipv4, "proto 172", ""), 1);
	stage_free(s);
}

/* Of each kind one that is gone, and one that is nobody's. */
static void what_somebody_else_has_deleted_comes_back(void **state)
{
	struct stage *s = stage_new();
	char text[LOGGED];

	stage_export(s);
	s->config->export.scan = 100;
	stage_begin(s);
	learn(s, "198.51.100.0/24", "192.0.2.5", NULL, NULL);
	learn(s, "198.51.101.0/24", "192.0.2.5", NULL, NULL);
	learn(s, "2001:db8:100::/40", "2001:db8::5", NULL, NULL);
	administer("ip route add 198.51.102.0/24 via 192.0.2.9 metric 20 proto static");
	learn(s, "198.51.102.0/24", "192.0.2.5", NULL, NULL); /* refused, which is another matter */
	stage_shows(s, ipv4, "proto 172", "", 2);
	stage_shows(s, ipv6, "proto 172", "", 1);
	stage_wait(s, 50);
	administer("ip route del 198.51.100.0/24 && ip -6 route del 2001:db8:100::/40 &&"
		   "ip route add 198.51.103.0/24 via 192.0.2.5 proto 172 metric 20");
	stage_shows(s, ipv4, "198.51.100.0/24 via 192.0.2.5 dev lan0 proto 172", "", 1);
	stage_shows(s, ipv6, "2001:db8:100::/40", "proto 172", 1);
	stage_shows(s, ipv4, "198.51.103.0/24", "", 0);
	stage_wait(s, 50);
	assert_non_null(strstr(
		stage_log(s, text), "event=kernel-missing-restored routes=")); /* in one round, or two */
	assert_int_equal(s->role.exporter->restored, 2);
	assert_non_null(strstr(text, "event=kernel-stale-removed routes=1 table=254"));
	/* One that is withdrawn does not come back. */
	unlearn(s, "198.51.100.0/24");
	stage_shows(s, ipv4, "198.51.100.0/24", "", 0);
	stage_wait(s, 250);
	assert_int_equal(shown(ipv4, "198.51.100.0/24", ""), 0);
	assert_int_equal(shown(ipv4, "198.51.102.0/24 via 192.0.2.9", ""), 1);
	stage_free(s);
}

/* ---- configuration, end ---- */

static struct afbr_config *another(struct stage *s)
{
	struct afbr_config *old = s->config, *c = afbr_config_new();

	c->check_next_hops = true;
	c->export = old->export;
	s->config = s->role.config = c;
	return old;
}

static void another_policy_table_or_none(void **state)
{
	struct policy_prefix one = {.min = 24, .max = 24, .prefix = to_prefix("198.51.101.0/24")};
	struct policy_rule rules[] = {{.prefix_count = 1, .prefixes = &one, .then = POLICY_ACCEPT}};
	struct policy policies[] = {{.name = "out", .rule_count = 1, .rules = rules}};
	struct stage *s = begin();
	struct afbr_config *old;

	learn(s, "198.51.100.0/24", "192.0.2.5", NULL, NULL);
	learn(s, "198.51.101.0/24", "192.0.2.5", NULL, NULL);
	learn(s, "2001:db8:100::/40", "2001:db8::5", NULL, NULL);
	stage_shows(s, ipv4, "proto 172", "", 2);
	stage_shows(s, ipv6, "proto 172", "", 1);
	old = another(s); /* no IPv6 */
	s->config->export.families = BGP_FAMILY_BIT(BGP_IPV4);
	s->forwards = 0;
	export_change(&s->role, old);
	assert_int_equal(s->forwards, FORWARDS_IPV4);
	afbr_config_unref(old);
	stage_shows(s, ipv6, "proto 172", "", 0);
	old = another(s); /* a policy */
	strcpy(s->config->export.policy, "out");
	s->config->policies = policies;
	s->config->policy_count = 1;
	export_change(&s->role, old);
	afbr_config_unref(old);
	stage_shows(s, ipv4, "proto 172", "", 1);
	assert_string_equal(state_of(s, "198.51.100.0/24"), "not in the kernel: the policy rejects it");
	assert_int_equal(shown(ipv4, "198.51.101.0/24", "proto 172"), 1);
	old = another(s); /* another metric, no policy */
	old->policies = NULL;
	old->policy_count = 0;
	s->config->export.policy[0] = 0;
	s->config->export.metric = 30;
	s->config->export.table = 1000;
	export_change(&s->role, old);
	afbr_config_unref(old);
	stage_shows(s, ipv4, "table 1000 proto 172 metric 30", "", 2);
	stage_shows(s, ipv4, "proto 172", "", 2);
	old = another(s); /* none */
	s->config->export.present = false;
	export_change(&s->role, old);
	afbr_config_unref(old);
	stage_shows(s, ipv4, "proto 172", "", 0);
	old = another(s); /* again */
	stage_export(s);
	export_change(&s->role, old);
	afbr_config_unref(old);
	stage_shows(s, ipv4, "proto 172 metric 20", "", 2);
	stage_free(s);
}

static void stopped(struct afbr *a)
{
	container_of(a, struct stage, role)->stopped = true;
}

static bool is_stopped(void *arg)
{
	return ((struct stage *)arg)->stopped;
}

static void the_end_takes_all_away_and_leaving_takes_nothing(void **state)
{
	struct stage *s = begin();

	learn_many(s, 500);
	learn(s, "2001:db8:100::/40", "2001:db8::5", NULL, NULL);
	stage_shows(s, ipv4, "proto 172", "", 500);
	stage_shows(s, ipv6, "proto 172", "", 1);
	s->role.stopping =
		true; /* the engine withdraws what neighbours told: nobody has to delete it one by one */
	unlearn(s, "2001:db8:100::/40");
	stage_wait(s, 30);
	assert_int_equal(shown(ipv6, "proto 172", ""), 1);
	export_stop(&s->role, stopped);
	assert_true(stage_run(s, is_stopped, s));
	assert_int_equal(shown(ipv4, "proto 172", "") + shown(ipv6, "proto 172", ""), 0);
	stage_free(s);
	s = begin();
	learn(s, "198.51.100.0/24", "192.0.2.5", NULL, NULL);
	stage_shows(s, ipv4, "proto 172", "", 1);
	export_free(&s->role);
	assert_int_equal(shown(ipv4, "proto 172", ""), 1);
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_can_be_forwarded_natively_is_there),
		cmocka_unit_test(no_ipv4_goes_into_an_ipv6_core),
		cmocka_unit_test(what_is_withdrawn_goes),
		cmocka_unit_test(a_lost_next_hop_takes_its_routes_along),
		cmocka_unit_test(routes_follow_their_next_hop_to_another_gateway),
		cmocka_unit_test(a_link_that_was_down_for_a_moment_gets_its_routes_again),
		cmocka_unit_test(a_link_that_had_no_address_for_a_moment_gets_its_routes_again),
		cmocka_unit_test(no_route_hides_the_way_to_a_next_hop),
		cmocka_unit_test(our_own_links_are_not_taken_over),
		cmocka_unit_test(somebody_elses_route_stays_and_ours_comes_when_it_goes),
		cmocka_unit_test(many_go_in_full_requests_a_few_at_a_time),
		cmocka_unit_test(when_all_fail_all_are_tried_again),
		cmocka_unit_test(what_a_process_before_has_left_stays_until_all_is_told_and_then_goes),
		cmocka_unit_test(nothing_left_is_no_restart),
		cmocka_unit_test(what_somebody_else_has_deleted_comes_back),
		cmocka_unit_test(another_policy_table_or_none),
		cmocka_unit_test(the_end_takes_all_away_and_leaving_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
