/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Next hops against the kernel's own tables: reached or not, why not, at what cost, and what follows from a change.
 */
#include "kernel.h"

static struct stage *begin(void)
{
	struct stage *s = stage_new();

	stage_begin(s);
	return s;
}

static void assert_reached(struct stage *s, const char *prefix, uint32_t metric)
{
	const struct bgp_next_hop *n = next_hop_of(s, prefix);

	if (!n->reached)
		fail_msg("%s: %s", prefix, n->why);
	assert_true(n->answered);
	assert_int_equal(n->metric, metric);
}

static void assert_lost(struct stage *s, const char *prefix, const char *why)
{
	const struct bgp_next_hop *n = next_hop_of(s, prefix);

	assert_true(n->answered);
	assert_false(n->reached);
	assert_string_equal(n->why, why);
}

static void is_answered_at_once_and_in_words(void **state)
{
	struct stage *s = begin();

	administer("ip route add 10.0.0.0/8 via 192.0.2.9 metric 7 && ip route add blackhole 10.9.0.0/16 && "
		   "ip route add 10.8.0.0/16 via 192.0.2.9 proto 172 metric 20 && "
		   "ip -6 route add 2001:db8:ff::/48 via fe80::9 dev lan0 metric 33");
	learn(s, "198.51.100.0/24", "192.0.2.5", NULL, NULL);
	assert_reached(s, "198.51.100.0/24", 0);
	learn(s, "198.51.101.0/24", "10.1.1.1", NULL, NULL);
	assert_reached(s, "198.51.101.0/24", 7);
	learn(s, "198.51.102.0/24", "10.9.1.1", NULL, NULL);
	assert_lost(s, "198.51.102.0/24", "there is no route to it");
	learn(s, "198.51.103.0/24", "10.8.1.1", NULL, NULL);
	assert_lost(s, "198.51.103.0/24", "only a route of BGP itself leads there");
	learn(s, "198.51.104.0/24", "192.0.2.1", NULL, NULL);
	assert_lost(s, "198.51.104.0/24", "it is one of our own addresses");
	learn(s, "198.51.105.0/24", "2001:db8:ff::1", NULL, NULL);
	assert_reached(s, "198.51.105.0/24", 33);
	learn(s, "198.51.106.0/24", "203.0.113.1", NULL, NULL);
	assert_lost(s, "198.51.106.0/24", "there is no route to it");
	learn(s, "198.51.107.0/24", "fe80::7", NULL, NULL);
	assert_lost(s, "198.51.107.0/24", "a link-local address, and no interface is known for it");
	learn(s, "198.51.107.0/24", "fe80::7", NULL, "lan1");
	assert_reached(s, "198.51.107.0/24", 0);
	learn(s, "198.51.108.0/24", NULL, "fe80::7", "lan1"); /* there are peers that tell this one only */
	assert_reached(s, "198.51.108.0/24", 0);
	learn(s, "198.51.109.0/24", "2001:db8:dead::7", "fe80::7", "lan1");
	assert_reached(s, "198.51.109.0/24", 0);
	stage_free(s);
}

static void no_next_hop_lies_behind_a_softwire(void **state)
{
	struct stage *s = stage_new();

	strcpy(s->config->devices[s->config->device_count++], "si-none");
	strcpy(s->config->devices[s->config->device_count++], "lan1");
	stage_begin(s);
	learn(s, "198.51.100.0/24", "198.18.0.5", NULL, NULL);
	assert_lost(s, "198.51.100.0/24", "only a softwire leads there");
	learn(s, "198.51.101.0/24", "192.0.2.5", NULL, NULL);
	assert_reached(s, "198.51.101.0/24", 0);
	stage_free(s);
}

static bool is_behind_a_softwire(void *arg)
{
	const struct bgp_next_hop *n = next_hop_of(arg, "198.51.100.0/24");

	return !n->reached && !strcmp(n->why, "only a softwire leads there");
}

/* The device of the mesh needs no configuration, and may come when the next hops are there already. */
/* proves: MESH-BGP-8 partial */
static void the_device_of_the_mesh_is_no_way_whenever_it_comes(void **state)
{
	struct stage *s = begin();
	struct bgp_next_hop_value value = to_next_hop("2001:db8:ff::1", NULL);
	struct nexthop_core core;
	int tap;

	administer("ip -6 route add 2001:db8:ff::/48 via fe80::9 dev lan0 metric 50");
	learn(s, "198.51.100.0/24", "2001:db8:ff::1", NULL, NULL);
	assert_reached(s, "198.51.100.0/24", 50);
	tap = namespace_device(AFBR_DEVICE, IFF_TAP);
	assert_true(tap >= 0);
	administer("ip link set " AFBR_DEVICE
		   " up && ip -6 route add 2001:db8:ff::/64 via fe80::1 dev " AFBR_DEVICE);
	assert_true(stage_run(s, is_behind_a_softwire, s));
	nexthop_core(&s->role, &value.global, &core);
	assert_false(core.reached);
	assert_string_equal(core.why, "only a softwire leads there");
	/* What BGP has put there itself. */
	administer("ip -6 route add 2001:db8:fe::/64 via fe80::1 dev " AFBR_DEVICE " proto 172");
	learn(s, "198.51.101.0/24", "2001:db8:fe::1", NULL, NULL);
	assert_lost(s, "198.51.101.0/24", "only a softwire leads there");
	close(tap);
	stage_free(s);
}

static bool has_lost(void *arg)
{
	return !next_hop_of(arg, "198.51.100.0/24")->reached;
}

static bool has_metric_9(void *arg)
{
	const struct bgp_next_hop *n = next_hop_of(arg, "198.51.100.0/24");

	return n->reached && n->metric == 9;
}

/* proves: MESH-BGP-18 partial */
static void what_changes_is_told(void **state)
{
	struct stage *s = begin();
	unsigned answers;

	learn(s, "198.51.100.0/24", "10.1.1.1", NULL, NULL);
	assert_lost(s, "198.51.100.0/24", "there is no route to it");
	administer("ip route add 10.0.0.0/8 via 192.0.2.9 metric 9");
	assert_true(stage_run(s, has_metric_9, s));
	answers = s->bgp.answers;
	administer("ip route add 11.0.0.0/8 via 192.0.2.9"); /* is nobody's way */
	stage_wait(s, 150);
	assert_int_equal(s->bgp.answers, answers);
	administer("ip route del 10.0.0.0/8");
	assert_true(stage_run(s, has_lost, s));
	administer("ip route add 10.0.0.0/8 via 192.0.2.9 metric 9");
	assert_true(stage_run(s, has_metric_9, s));
	administer("ip link set lan0 down");
	assert_true(stage_run(s, has_lost, s));
	stage_free(s);
}

static bool link_is_lost(void *arg)
{
	return has_lost(arg) && !strcmp(next_hop_of(arg, "198.51.100.0/24")->why, "the link to it is down");
}

static void a_link_without_carrier_leads_nowhere(void **state)
{
	struct stage *s = begin();

	learn(s, "198.51.100.0/24", "192.0.2.5", NULL, NULL);
	assert_reached(s, "198.51.100.0/24", 0);
	administer("ip link set lan0 carrier off");
	assert_true(stage_run(s, link_is_lost, s));
	stage_free(s);
}

static void many_are_asked_again_in_slices(void **state)
{
	struct stage *s = begin();
	unsigned first;

	for (unsigned i = 0; i < 1000; i++) {
		struct prefix p = {addr4(100, (uint8_t)(i >> 8), (uint8_t)i, 0), 24};
		struct bgp_next_hop_value v = {.global = addr4(10, 0, (uint8_t)(i >> 8), (uint8_t)i)};

		learn_prefix(s, &p, &v, 0);
	}
	learn(s, "198.51.100.0/24", "10.1.1.1", NULL, NULL);
	assert_lost(s, "198.51.100.0/24", "there is no route to it");
	first = s->bgp.answers;
	assert_int_equal(first, 1001);
	/* By name, so that the routes may go while the round is on. */
	administer("ip route add 10.0.0.0/8 via 192.0.2.9 metric 9");
	assert_true(stage_run(s, has_metric_9, s));
	for (unsigned i = 0; i < 500; i++) {
		struct prefix p = {addr4(100, (uint8_t)(i >> 8), (uint8_t)i, 0), 24};

		assert_true(rib_withdraw(bgp_rib(&s->bgp, BGP_IPV4), &p, 1, NULL) >= 0);
	}
	stage_wait(s, 100);
	assert_in_range(s->bgp.answers, first + 501, first + 1001);
	for (unsigned i = 500; i < 1000; i++) {
		struct prefix p = {addr4(100, (uint8_t)(i >> 8), (uint8_t)i, 0), 24};

		assert_true(rib_best(bgp_rib(&s->bgp, BGP_IPV4), rib_find(bgp_rib(&s->bgp, BGP_IPV4), &p)));
	}
	stage_free(s);
}

/* ---- of the core's family ---- */

static struct stage *begin_with_core(void)
{
	struct stage *s = stage_new();

	s->config->core = to_addr("2001:db8::1");
	stage_begin(s);
	return s;
}

static struct nexthop_core core_of(struct stage *s, const char *address)
{
	struct addr a = to_addr(address);
	struct nexthop_core core;

	nexthop_core(&s->role, &a, &core);
	return core;
}

/* An address, however many next hops have it; not those of other families, nor what is known on one link only. */
static void who_may_send_follows_from_next_hops(void **state)
{
	struct stage *s = begin_with_core();
	struct addr egress = to_addr("2001:db8:ff::1");

	learn(s, "198.51.100.0/24", "192.0.2.5", NULL, NULL);
	learn(s, "198.51.101.0/24", NULL, "fe80::7", "lan1");
	assert_int_equal(s->transmitters_come, 0);
	learn(s, "198.51.102.0/24", "2001:db8:ff::1", NULL, NULL);
	assert_int_equal(s->transmitters_come, 1);
	assert_true(addr_equal(&s->transmitter, &egress));
	learn(s, "198.51.103.0/24", "2001:db8:ff::1", "fe80::7", "lan1");
	learn(s, "198.51.104.0/24", "2001:db8:ff::1", NULL, NULL);
	assert_int_equal(s->transmitters_come, 1);
	unlearn(s, "198.51.102.0/24");
	unlearn(s, "198.51.104.0/24");
	unlearn(s, "198.51.100.0/24");
	assert_int_equal(s->transmitters_gone, 0);
	unlearn(s, "198.51.103.0/24");
	assert_int_equal(s->transmitters_gone, 1);
	assert_int_equal(s->transmitters_come, 1);
	stage_free(s);
}

static bool has_1400(void *arg)
{
	return core_of(arg, "2001:db8:ff::1").mtu == 1400;
}

static void the_mtu_of_the_path_comes_with_the_way(void **state)
{
	struct stage *s = begin_with_core();
	struct nexthop_core core;

	administer("ip -6 route add 2001:db8:ff::/48 via fe80::9 dev lan0");
	learn(s, "198.51.100.0/24", "2001:db8:ff::1", NULL, NULL);
	core = core_of(s, "2001:db8:ff::1");
	assert_true(core.reached && addr_is_none(&core.via));
	assert_int_equal(core.mtu, 1500);
	assert_int_equal(core.ifindex, if_nametoindex("lan0"));
	administer("ip -6 route change 2001:db8:ff::/48 via fe80::9 dev lan0 mtu 1400");
	assert_true(stage_run(s, has_1400, s));
	/* What nobody has asked for is asked for on the spot. */
	core = core_of(s, "2001:db8:ff::2");
	assert_true(core.reached);
	assert_int_equal(core.mtu, 1400);
	stage_free(s);
}

/* Packets of softwires have the global address, which no route leads to. */
static void a_link_local_address_is_no_endpoint(void **state)
{
	struct stage *s = begin_with_core();

	learn(s, "198.51.100.0/24", "2001:db8:dead::7", "fe80::7", "lan1");
	assert_reached(s, "198.51.100.0/24", 0);
	assert_false(core_of(s, "2001:db8:dead::7").reached);
	assert_string_equal(core_of(s, "2001:db8:dead::7").why, "only its link-local address is reached");
	stage_free(s);
}

#define EGRESS "2001:db8:ff::1"

enum { OTHERS = 500 };

/* Five hundred others by the same link, and an egress of the core. */
static struct stage *begin_with_egress(void)
{
	struct stage *s = begin_with_core();

	administer("ip route add 10.0.0.0/8 via 192.0.2.9 && ip -6 route add 2001:db8:ff::/48 via fe80::9 "
		   "dev lan0");
	for (unsigned i = 0; i < OTHERS; i++) {
		struct prefix p = {addr4(100, (uint8_t)(i >> 8), (uint8_t)i, 0), 24};
		struct bgp_next_hop_value v = {.global = addr4(10, 0, (uint8_t)(i >> 8), (uint8_t)i)};

		learn_prefix(s, &p, &v, 0);
	}
	assert_int_equal(s->ways_told, 0);
	learn(s, "198.51.100.0/24", EGRESS, NULL, NULL);
	assert_int_equal(s->ways_told, 1);
	assert_true(s->core_told.reached);
	stage_wait(s, 100);
	assert_int_equal(s->ways_told, 1);
	return s;
}

static bool is_told(void *arg)
{
	return ((struct stage *)arg)->ways_told > 1;
}

static unsigned awaited;

static bool has_answered(void *arg)
{
	return ((struct stage *)arg)->bgp.answers >= awaited;
}

/* At once: before the engine hears of it, and before any of the others is asked. The engine gets NEWS answers then. */
static void assert_told_first(struct stage *s, bool reached, const char *why, unsigned news)
{
	unsigned answers = s->bgp.answers, ways = s->ways_told;
	struct addr egress = to_addr(EGRESS);

	s->ways_told = 1;
	assert_true(stage_run(s, is_told, s));
	assert_int_equal(s->ways_told, 2);
	assert_true(addr_equal(&s->way_told, &egress));
	assert_int_equal(s->core_told.reached, reached);
	assert_string_equal(s->core_told.why, why);
	assert_int_equal(s->answers_then, answers);
	awaited = answers + news;
	assert_true(stage_run(s, has_answered, s));
	stage_wait(s, 150);
	assert_int_equal(s->bgp.answers, awaited);
	s->ways_told = ways;
}

/* proves: MESH-BGP-18 partial */
static void the_endpoints_of_softwires_hear_first_and_at_once(void **state)
{
	struct stage *s = begin_with_egress();

	administer("ip route del 10.0.0.0/8 && ip -6 route del 2001:db8:ff::/48");
	assert_told_first(s, false, "there is no route to it", OTHERS + 1);
	administer("ip route add 10.0.0.0/8 via 192.0.2.9 && ip -6 route add 2001:db8:ff::/48 via fe80::9 "
		   "dev lan0");
	assert_told_first(s, true, "", OTHERS + 1);
	administer("ip -6 route change 2001:db8:ff::/48 via fe80::9 dev lan1");
	assert_told_first(s, true, "", 0); /* it is not the engine's business */
	assert_int_equal(s->core_told.ifindex, if_nametoindex("lan1"));
	administer("ip -6 route change 2001:db8:ff::/48 via fe80::9 dev lan1 mtu 1300");
	assert_told_first(s, true, "", 0);
	assert_int_equal(s->core_told.mtu, 1300);
	stage_free(s);
}

static void with_a_link_go_the_endpoints_behind_it(void **state)
{
	struct stage *s = begin_with_egress();

	administer("ip link set lan0 down");
	assert_told_first(
		s, false, "the link to it is down", OTHERS + 2); /* and then there is no route to it */
	stage_free(s);
}

static void an_endpoint_whose_link_has_lost_its_carrier_is_lost(void **state)
{
	struct stage *s = begin_with_egress();

	administer("ip link set lan0 carrier off");
	assert_told_first(s, false, "the link to it is down", OTHERS + 1);
	administer("ip link set lan0 carrier on");
	assert_told_first(s, true, "", OTHERS + 1);
	stage_free(s);
}

/* An address that goes may have taken routes along, or not: there is no telling before it is asked. */
static void an_address_that_goes_from_a_link_loses_no_endpoint(void **state)
{
	struct stage *s = begin_with_egress();

	administer("ip -6 addr add 2001:db8:77::1/64 dev lan0 nodad && ip addr add 203.0.113.1/32 dev lan0");
	stage_wait(s, 100);
	administer("ip -6 addr del 2001:db8:77::1/64 dev lan0 && ip addr del 203.0.113.1/32 dev lan0");
	stage_wait(s, 150);
	assert_int_equal(s->ways_told, 1);
	stage_free(s);
}

/* ---- floods ---- */

struct flood {
	struct stage *stage;
	struct netlink *netlink;
	bool added;
	unsigned changes;
};

/* With each turn of the loop a route that concerns nobody comes or goes. */
static bool has_metric_9_in_a_flood(void *arg)
{
	const struct prefix nobodys = {addr4(11, 0, 0, 0), 8};
	struct flood *f = arg;

	f->added = !f->added;
	f->changes++;
	assert_int_equal(netlink_route(f->netlink, f->added, &nobodys, true, NULL, NULL, 1), 0);
	return has_metric_9(f->stage);
}

/* What the kernel tells while a round is under way makes another one necessary, but does not keep the last ones from being asked in this one. */
/* WALKS: how many may be under way at a time, each in slices. */
static void flood(struct stage *s, unsigned walks)
{
	struct flood f = {.stage = s, .netlink = netlink_open()};

	assert_non_null(f.netlink);
	learn(s, "198.51.100.0/24", "10.1.1.1", NULL, NULL);
	for (unsigned i = 0; i < 6000; i++) {
		struct prefix p = {addr4(100, (uint8_t)(i >> 8), (uint8_t)i, 0), 24};
		struct bgp_next_hop_value v = {.global = addr4(10, 0, (uint8_t)(i >> 8), (uint8_t)i)};

		learn_prefix(s, &p, &v, 0);
	}
	assert_lost(s, "198.51.100.0/24", "there is no route to it");
	administer("ip route add 10.0.0.0/8 via 192.0.2.9 metric 9");
	assert_true(stage_run(s, has_metric_9_in_a_flood, &f));
	assert_true(f.changes > 6000 / 64 / walks);
	netlink_close(f.netlink);
	stage_free(s);
}

static void a_flood_of_changes_keeps_nobody_from_being_asked(void **state)
{
	flood(begin(), 1);
}

/* All of them are asked at once, and again, and again; and still all. */
static void nor_does_it_where_they_are_endpoints_of_softwires(void **state)
{
	struct stage *s = stage_new();

	s->config->core = to_addr("192.0.2.1");
	stage_begin(s);
	flood(s, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_answered_at_once_and_in_words),
		cmocka_unit_test(no_next_hop_lies_behind_a_softwire),
		cmocka_unit_test(the_device_of_the_mesh_is_no_way_whenever_it_comes),
		cmocka_unit_test(what_changes_is_told),
		cmocka_unit_test(a_link_without_carrier_leads_nowhere),
		cmocka_unit_test(many_are_asked_again_in_slices),
		cmocka_unit_test(who_may_send_follows_from_next_hops),
		cmocka_unit_test(the_mtu_of_the_path_comes_with_the_way),
		cmocka_unit_test(a_link_local_address_is_no_endpoint),
		cmocka_unit_test(the_endpoints_of_softwires_hear_first_and_at_once),
		cmocka_unit_test(with_a_link_go_the_endpoints_behind_it),
		cmocka_unit_test(an_endpoint_whose_link_has_lost_its_carrier_is_lost),
		cmocka_unit_test(an_address_that_goes_from_a_link_loses_no_endpoint),
		cmocka_unit_test(a_flood_of_changes_keeps_nobody_from_being_asked),
		cmocka_unit_test(nor_does_it_where_they_are_endpoints_of_softwires),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
