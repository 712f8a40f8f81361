/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Next hops that the interior has no route to, but BGP has (RFC 5565 section 12): an IPv6 core, with B1 in another AS. What the kernel has stands for the interior.
 */
#include "kernel.h"

#include <netinet/in.h>

#include "../netlink/namespace.h"
#include "afbr/softwires.h"

#define E_IP  "198.51.100.0/24" /* has B1 as its next hop */
#define B1    "2001:db8:b::1"
#define TO_B1 "2001:db8:b::/48"   /* the route of BGP to it */
#define B2    "2001:db8:f::2"     /* an ASBR of ours */
#define B3    "2001:db8:f:0:1::3" /* another one */
#define INTERIOR                                                                                             \
	"ip -6 route add 2001:db8:f::/80 via fe80::9 dev lan0 metric 7 && "                                  \
	"ip -6 route add 2001:db8:f:0:1::/80 via fe80::8 dev lan1 metric 8"

static struct stage *begin(void)
{
	struct stage *s = stage_new();

	s->config->core = to_addr("2001:db8::1");
	stage_begin(s);
	administer(INTERIOR);
	return s;
}

static void learn_in(
	struct stage *s, enum bgp_family family, uint16_t source, const char *prefix, const char *to)
{
	static const uint8_t origin_and_path[] = {0x40, 1, 0, 1, 0, 0x40, 2, 0, 0};
	const struct bgp_next_hop_value value = to_next_hop(to, NULL);
	const struct bgp_nlri nlri = {.prefix = to_prefix(prefix), .label = 100};
	const struct bgp_set *set = bgp_set_get(
		&s->bgp.sets, reader_of(origin_and_path, sizeof(origin_and_path)), NULL, &value, 0);

	assert_non_null(set);
	assert_true(rib_update(bgp_rib(&s->bgp, family), &nlri, source, set, BGP_BAR_NONE, 0, NULL) >= 0);
}

static struct nexthop_core core_of(struct stage *s, const char *address)
{
	struct addr a = to_addr(address);
	struct nexthop_core core;

	nexthop_core(&s->role, &a, &core);
	return core;
}

struct expected {
	struct stage *stage;
	const char *address; /* a next hop */
	const char *via;     /* "none": one level; NULL: it is not reached */
};

static bool is_as_expected(void *arg)
{
	const struct expected *e = arg;
	struct nexthop_core core = core_of(e->stage, e->address);
	struct addr via = e->via && strcmp(e->via, "none") != 0 ? to_addr(e->via) : (struct addr){0};

	return core.reached == (e->via != NULL) && addr_equal(&core.via, &via);
}

static void assert_via(struct stage *s, const char *address, const char *via)
{
	struct expected e = {s, address, via};
	struct nexthop_core core;
	char text[ADDR_TEXT];

	if (stage_run(s, is_as_expected, &e))
		return;
	core = core_of(s, address);
	fail_msg("%s: reached %d via %s: %s", address, core.reached, addr_print(&core.via, text), core.why);
}

static void assert_why(struct stage *s, const char *address, const char *why)
{
	assert_via(s, address, NULL);
	assert_string_equal(core_of(s, address).why, why);
}

static bool engine_has_it(void *arg)
{
	return next_hop_of(arg, E_IP)->reached;
}

static bool engine_has_lost_it(void *arg)
{
	return !engine_has_it(arg);
}

static enum nexthop_state state_for(struct stage *s, const char *prefix, uint8_t family)
{
	struct keeper_bgp_route route;

	return nexthop_route(&s->role, next_hop_of(s, prefix), family, &route);
}

/* proves: MESH-AS-4 partial, MESH-AS-5 partial */
static void bgp_leads_to_what_the_interior_does_not_know_and_packets_are_packed_twice(void **state)
{
	struct stage *s = begin();
	struct nexthop_core core;

	learn(s, E_IP, B1, NULL, NULL);
	assert_why(s, B1, "there is no route to it");
	assert_int_equal(state_for(s, E_IP, AF_INET), NEXTHOP_UNREACHED);
	learn(s, TO_B1, B2, NULL, NULL);
	assert_via(s, B1, B2);
	core = core_of(s, B1);
	assert_int_equal(core.ifindex, if_nametoindex("lan0"));
	assert_int_equal(core.mtu, 1500);
	assert_true(stage_run(s, engine_has_it, s));
	assert_int_equal(next_hop_of(s, E_IP)->metric, 7);
	assert_int_equal(state_for(s, E_IP, AF_INET), NEXTHOP_SOFTWIRE);
	assert_true(s->core_told.reached);
	/* The interior has learnt it: once. */
	administer("ip -6 route add 2001:db8:b::/64 via fe80::8 dev lan1 metric 5");
	assert_via(s, B1, "none");
	assert_int_equal(core_of(s, B1).ifindex, if_nametoindex("lan1"));
	assert_int_equal(next_hop_of(s, E_IP)->metric, 5);
	administer("ip -6 route del 2001:db8:b::/64");
	assert_via(s, B1, B2);
	assert_int_equal(next_hop_of(s, E_IP)->metric, 7);
	unlearn(s, TO_B1);
	assert_why(s, B1, "there is no route to it");
	assert_true(stage_run(s, engine_has_lost_it, s));
	stage_free(s);
}

/* Whether or not the kernel has it: the P routers need not. */
static void a_route_that_bgp_has_put_there_is_not_the_interiors(void **state)
{
	struct stage *s = begin();

	administer("ip -6 route add " TO_B1 " via fe80::8 dev lan1 proto 172 metric 20");
	learn(s, E_IP, B1, NULL, NULL);
	assert_why(s, B1, "only a route of BGP itself leads there");
	learn(s, TO_B1, B2, NULL, NULL);
	assert_via(s, B1, B2);
	stage_free(s);
}

static void labeled_routes_lead_there_too_and_the_longest_prefix_counts(void **state)
{
	struct stage *s = begin();

	learn(s, E_IP, B1, NULL, NULL);
	learn_in(s, BGP_IPV6_LABELED, 1, "2001:db8:b::1/128", B3);
	assert_via(s, B1, B3);
	learn(s, TO_B1, B2, NULL, NULL);
	stage_wait(s, 100);
	assert_via(s, B1, B3);
	assert_int_equal(next_hop_of(s, E_IP)->metric, 8);
	unlearn(s, TO_B1);
	learn(s, "2001:db8:b::1/128", B2, NULL, NULL);
	assert_via(s, B1, B2);
	stage_free(s);
}

/* Not from the next hop of the other family, nor where there is no core. */
static void only_routes_of_the_cores_family_lead_there(void **state)
{
	struct stage *s = stage_new();

	administer(INTERIOR " && ip route add 10.0.0.0/8 via 192.0.2.9");
	s->config->core = to_addr("2001:db8::1");
	stage_begin(s);
	learn(s, "2001:db8:e::/48", "203.0.113.1", NULL, NULL);
	learn(s, "203.0.113.0/24", "10.0.0.1", NULL, NULL);
	learn(s, E_IP, "fe80::7", NULL, NULL);
	learn(s, "::/0", B2, NULL, NULL);
	stage_wait(s, 100);
	assert_why(s, "203.0.113.1", "there is no route to it");
	assert_why(s, "fe80::7", "a link-local address, and no interface is known for it");
	stage_free(s);
}

static void nothing_is_looked_for_without_a_core(void **state)
{
	struct stage *s = stage_new();

	stage_begin(s);
	administer(INTERIOR);
	learn(s, E_IP, B1, NULL, NULL);
	learn(s, TO_B1, B2, NULL, NULL);
	stage_wait(s, 100);
	assert_why(s, B1, "there is no route to it");
	assert_int_equal(s->ways_told, 0);
	stage_free(s);
}

static void there_is_one_step_and_no_more(void **state)
{
	struct stage *s = begin();

	learn(s, E_IP, B1, NULL, NULL);
	learn(s, TO_B1, "2001:db8:d::1", NULL, NULL);
	learn(s, "2001:db8:d::/48", B2, NULL, NULL);
	assert_via(s, "2001:db8:d::1", B2);
	assert_why(s, B1, "no IGP route to it, nor to the next hop of BGP's route to it");
	stage_free(s);
}

static void a_circle_leads_nowhere_and_does_not_turn(void **state)
{
	struct stage *s = begin();
	unsigned answers;

	/* Through itself. */
	learn(s, TO_B1, B1, NULL, NULL);
	learn(s, E_IP, B1, NULL, NULL);
	/* Through each other. */
	learn(s, "2001:db8:a::/48", "2001:db8:d::1", NULL, NULL);
	learn(s, "2001:db8:d::/48", "2001:db8:a::1", NULL, NULL);
	learn(s, "198.51.101.0/24", "2001:db8:a::1", NULL, NULL);
	administer("ip -6 route add 2001:db8:9::/48 via fe80::9 dev lan0"); /* all are asked again */
	stage_wait(s, 100);
	assert_why(s, B1, "no IGP route, and BGP's route to it leads through itself");
	assert_why(s, "2001:db8:a::1", "no IGP route to it, nor to the next hop of BGP's route to it");
	assert_why(s, "2001:db8:d::1", "no IGP route to it, nor to the next hop of BGP's route to it");
	/* Where another route leads out of it, it is taken; and nothing swings. */
	learn(s, "2001:db8::/32", B2, NULL, NULL);
	assert_via(s, B1, B2);
	assert_via(s, "2001:db8:a::1", B2);
	assert_via(s, "2001:db8:d::1", B2);
	stage_wait(s, 50);
	answers = s->bgp.answers;
	stage_wait(s, 200);
	assert_int_equal(s->bgp.answers, answers);
	stage_free(s);
}

/* proves: MESH-AS-4 partial */
static void what_depends_on_a_next_hop_follows_it_at_once(void **state)
{
	struct stage *s = begin();

	learn(s, E_IP, B1, NULL, NULL);
	learn_in(s, BGP_IPV6, 1, TO_B1, B2);
	learn_in(s, BGP_IPV6, 2, TO_B1, B3);
	assert_via(s, B1, B2); /* which is nearer */
	administer("ip -6 route del 2001:db8:f::/80");
	assert_via(s, B1, B3);
	assert_int_equal(core_of(s, B1).ifindex, if_nametoindex("lan1"));
	administer("ip link set lan1 down");
	assert_why(s, B1, "no IGP route to it, nor to the next hop of BGP's route to it");
	assert_true(stage_run(s, engine_has_lost_it, s));
	administer("ip -6 route add 2001:db8:f::/80 via fe80::9 dev lan0 metric 7");
	assert_via(s, B1, B2);
	assert_true(stage_run(s, engine_has_it, s));
	/* Nobody has it as a next hop any more, while it is in use. */
	assert_true(rib_withdraw(bgp_rib(&s->bgp, BGP_IPV6), &(struct prefix){to_addr("2001:db8:b::"), 48}, 1,
			    NULL) >= 0);
	assert_why(s, B1, "no IGP route to it, nor to the next hop of BGP's route to it");
	stage_free(s);
}

static void a_path_that_the_policy_rejects_leads_nowhere(void **state)
{
	struct stage *s = begin();
	const struct bgp_next_hop_value value = to_next_hop(B2, NULL);
	const struct bgp_nlri nlri = {.prefix = to_prefix(TO_B1)};
	const struct bgp_set *set = bgp_set_get(&s->bgp.sets, reader_of(NULL, 0), NULL, &value, 0);

	learn(s, E_IP, B1, NULL, NULL);
	assert_true(rib_update(bgp_rib(&s->bgp, BGP_IPV6), &nlri, 1, set, BGP_BAR_POLICY, 0, NULL) >= 0);
	stage_wait(s, 100);
	assert_why(s, B1, "there is no route to it");
	stage_free(s);
}

/* The table's best path needs two steps; the other one is taken. The feed says nothing when that one goes. */
static void what_no_feed_tells_is_looked_at_now_and_then(void **state)
{
	struct stage *s = begin();
	struct prefix p = to_prefix(TO_B1);

	learn(s, E_IP, B1, NULL, NULL);
	learn(s, "2001:db8:d::/48", B2, NULL, NULL);
	learn_in(s, BGP_IPV6, 1, TO_B1, "2001:db8:d::1");
	assert_via(s, "2001:db8:d::1", B2);
	assert_why(s, B1, "no IGP route to it, nor to the next hop of BGP's route to it");
	learn_in(s, BGP_IPV6, 2, TO_B1, B3); /* which is further away than B2 */
	wheel_advance(&s->loop.wheel, loop_now(&s->loop) + 10001);
	assert_via(s, B1, B3);
	assert_true(rib_withdraw(bgp_rib(&s->bgp, BGP_IPV6), &p, 2, NULL) >= 0);
	wheel_advance(&s->loop.wheel, loop_now(&s->loop) + 20002);
	wheel_advance(&s->loop.wheel, loop_now(&s->loop) + 20003);
	assert_via(s, B1, NULL);
	stage_free(s);
}

/* An egress of the process before, which no route has told yet. */
static void an_address_that_is_no_next_hop_is_found_the_same_way(void **state)
{
	struct stage *s = begin();

	learn(s, TO_B1, B2, NULL, NULL);
	assert_via(s, B1, B2);
	assert_int_equal(core_of(s, B1).mtu, 1500);
	assert_via(s, "2001:db8:f::9", "none");
	assert_why(s, "2001:db8:e::1", "there is no route to it");
	/* `check-next-hops` says that all are reached. */
	s->config->check_next_hops = false;
	assert_via(s, "2001:db8:e::1", "none");
	assert_via(s, B1, B2);
	stage_free(s);
}

/* RFC 4724: the engine tells of no table before its restart is over; its next hops are known by then. */
static void it_is_known_before_our_own_restart_is_over(void **state)
{
	struct stage *s = begin();

	s->bgp.deferring = true;
	learn(s, E_IP, B1, NULL, NULL);
	learn(s, TO_B1, B2, NULL, NULL);
	assert_via(s, B1, B2);
	assert_true(stage_run(s, engine_has_it, s));
	stage_free(s);
}

/* ---- on the wire ---- */

/* A frame of IPv6 in IPv6 to B2, IPv4 in IPv6 to B1; or, where B1 is reached by the interior, the latter only. */
static bool is_packed(const uint8_t *frame, ssize_t len, bool twice)
{
	const struct addr b1 = to_addr(B1), b2 = to_addr(B2), inner = to_addr("198.51.100.7");
	const uint8_t *ip = frame + 14;

	if (len < 14 + 40 + (twice ? 40 : 0) + 20 || frame[12] != 0x86 || frame[13] != 0xdd)
		return false;
	if (twice && (ip[6] != IPPROTO_IPV6 || memcmp(ip + 24, b2.bytes, 16) != 0))
		return false;
	ip += twice ? 40 : 0;
	return ip[6] == IPPROTO_IPIP && !memcmp(ip + 24, b1.bytes, 16) &&
	       !memcmp(ip + 40 + 16, inner.bytes, 4);
}

struct watching {
	struct stage *stage;
	bool twice;
};

/* Each time something is sent to E_IP, until it leaves as it should. */
static bool leaves_packed(void *arg)
{
	const struct watching *w = arg;
	struct endpoint to = {.addr = to_addr("198.51.100.7"), .port = 9};
	struct sockaddr_storage sa;
	socklen_t sa_len = endpoint_to_sockaddr(&to, &sa);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint8_t frame[2048];
	bool found = false;
	ssize_t len;

	(void)sendto(fd, "hello", 5, 0, (struct sockaddr *)&sa, sa_len);
	close(fd);
	stage_wait(w->stage, 5);
	while ((len = read(w->stage->lan1, frame, sizeof(frame))) > 0)
		found = found || is_packed(frame, len, w->twice);
	return found;
}

static void assert_packed(struct stage *s, bool twice)
{
	struct watching w = {s, twice};

	assert_true(stage_run(s, leaves_packed, &w));
}

/* proves: MESH-AS-4, MESH-AS-5, MESH-AS-6 partial */
static void packets_leave_with_two_headers_and_with_one_when_the_interior_learns_the_way(void **state)
{
	struct stage *s = stage_new();

	administer("ip -6 route add 2001:db8:f::/80 via fe80::9 dev lan1 && ip -6 neigh add fe80::9 lladdr "
		   "02:09:09:09:09:09 dev lan1");
	stage_export(s);
	stage_core(s, "2001:db8:1::1");
	s->bgp.internal = true;
	stage_begin(s);
	learn(s, E_IP, B1, NULL, NULL);
	learn(s, TO_B1, B2, NULL, NULL);
	stage_shows(s, "ip -4 route", E_IP, "dev softwire0", 1);
	assert_packed(s, true);
	assert_int_equal(s->role.softwires->endpoints->row->mtu, 1500 - 40 - 40);
	administer("ip -6 route add 2001:db8:b::/48 via fe80::9 dev lan1 metric 5"); /* BGP's own has 20 */
	assert_packed(s, false);
	administer("ip -6 route del 2001:db8:b::/48 via fe80::9 dev lan1 metric 5");
	assert_packed(s, true);
	stage_free(s);
}

/* ---- many ---- */

enum { ADRIFT = 1000, CHANGES = 500 };

static bool last_is_reached(void *arg)
{
	return core_of(arg, "2001:db8:b::3e7").reached;
}

/* 500 changes of a route that leads to a thousand of them do not make half a million questions. */
static void many_changes_for_many_next_hops_are_one_round(void **state)
{
	struct stage *s = begin();
	unsigned before;

	for (unsigned i = 0; i < ADRIFT; i++) {
		struct prefix p = {addr4(100, (uint8_t)(i >> 8), (uint8_t)i, 0), 24};
		struct bgp_next_hop_value v = to_next_hop("2001:db8:b::", NULL);

		v.global.bytes[14] = (uint8_t)(i >> 8);
		v.global.bytes[15] = (uint8_t)i;
		learn_prefix(s, &p, &v, 0);
	}
	before = s->bgp.answers;
	assert_int_equal(before, ADRIFT);
	for (unsigned i = 0; i < CHANGES; i++) {
		learn(s, "::/0", i % 2 ? B2 : B3, NULL, NULL);
		assert_false(last_is_reached(s)); /* nothing is asked before the loop has its turn */
	}
	assert_true(stage_run(s, last_is_reached, s));
	stage_wait(s, 100);
	assert_in_range(s->bgp.answers - before, ADRIFT, 2 * ADRIFT + 8);
	assert_via(s, "2001:db8:b::1", B2);
	assert_via(s, "2001:db8:b::3e7", B2);
	/* All of them hang on it. */
	administer("ip -6 route del 2001:db8:f::/80");
	assert_via(s, "2001:db8:b::1", NULL);
	assert_via(s, "2001:db8:b::3e7", NULL);
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bgp_leads_to_what_the_interior_does_not_know_and_packets_are_packed_twice),
		cmocka_unit_test(a_route_that_bgp_has_put_there_is_not_the_interiors),
		cmocka_unit_test(labeled_routes_lead_there_too_and_the_longest_prefix_counts),
		cmocka_unit_test(only_routes_of_the_cores_family_lead_there),
		cmocka_unit_test(nothing_is_looked_for_without_a_core),
		cmocka_unit_test(there_is_one_step_and_no_more),
		cmocka_unit_test(a_circle_leads_nowhere_and_does_not_turn),
		cmocka_unit_test(what_depends_on_a_next_hop_follows_it_at_once),
		cmocka_unit_test(a_path_that_the_policy_rejects_leads_nowhere),
		cmocka_unit_test(what_no_feed_tells_is_looked_at_now_and_then),
		cmocka_unit_test(an_address_that_is_no_next_hop_is_found_the_same_way),
		cmocka_unit_test(it_is_known_before_our_own_restart_is_over),
		cmocka_unit_test(
			packets_leave_with_two_headers_and_with_one_when_the_interior_learns_the_way),
		cmocka_unit_test(many_changes_for_many_next_hops_are_one_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
