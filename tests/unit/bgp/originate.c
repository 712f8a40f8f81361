/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "peer.h"

static const char NET[] = "198.51.100.0/24";

static struct reader nothing(void)
{
	return reader_of(NULL, 0);
}

static int originate(struct stage *s, const char *prefix, enum bgp_origin_kind kind)
{
	struct bgp_nlri nlri = {.prefix = prefix_from(prefix)};

	return bgp_originate(s->b, BGP_IPV4, &nlri, nothing(), NULL, kind, s->now);
}

static void unoriginate(struct stage *s, const char *prefix, enum bgp_origin_kind kind)
{
	struct prefix p = prefix_from(prefix);

	bgp_unoriginate(s->b, BGP_IPV4, &p, kind);
}

static void our_own_route_is_told_and_withdrawn(void **state)
{
	struct stage s;
	struct peer *in, *out;

	stage_open(&s);
	in = peer_internal(&s, "in", "2001:db8::2");
	out = peer_external(&s, "out", "192.0.2.3");
	assert_int_equal(originate(&s, NET, BGP_NETWORK), 0);
	stage_run(&s);
	assert_int_equal(peer_has(in, BGP_IPV4, NET)->facts.path_length, 0);
	assert_int_equal(peer_has(in, BGP_IPV4, NET)->facts.origin, BGP_ORIGIN_IGP);
	assert_int_equal(peer_has(out, BGP_IPV4, NET)->facts.path_length, 1);
	unoriginate(&s, NET, BGP_NETWORK);
	stage_run(&s);
	assert_null(peer_has(in, BGP_IPV4, NET));
	assert_null(peer_has(out, BGP_IPV4, NET));
	stage_close(&s);
}

static const char *source_of(struct stage *s, const char *prefix)
{
	struct prefix x = prefix_from(prefix);
	struct rib *r = bgp_rib(s->b, BGP_IPV4);
	rib_id net = rib_find(r, &x);

	return net ? bgp_source_name(s->b, rib_best(r, net)) : "none";
}

static void a_network_stands_before_a_route_of_the_kernel(void **state)
{
	struct stage s;

	stage_open(&s);
	assert_int_equal(originate(&s, NET, BGP_KERNEL), 0);
	assert_string_equal(source_of(&s, NET), "kernel");
	assert_int_equal(originate(&s, NET, BGP_NETWORK), 0);
	assert_string_equal(source_of(&s, NET), "network");
	assert_int_equal(originate(&s, NET, BGP_KERNEL), 0);
	assert_string_equal(source_of(&s, NET), "network");
	unoriginate(&s, NET, BGP_KERNEL);
	assert_string_equal(source_of(&s, NET), "network");
	unoriginate(&s, NET, BGP_NETWORK);
	assert_string_equal(source_of(&s, NET), "none");
	unoriginate(&s, NET, BGP_NETWORK);
	stage_close(&s);
}

/* An export policy lets networks pass, and nothing else. */
static void another_origin_is_another_route(void **state)
{
	static char network[1][POLICY_NAME] = {"network"};
	struct policy_rule rule = {.then = POLICY_ACCEPT, .source_count = 1, .sources = network};
	struct policy networks = {.name = "networks", .rule_count = 1, .rules = &rule};
	struct bgp_neighbor_config c = peer_config("out", 65000, "192.0.2.3");
	struct stage s;
	struct peer *out;

	stage_open(&s);
	c.has_export = true;
	c.export_policy = &networks;
	out = peer_up(&s, &c, NULL);
	assert_int_equal(originate(&s, NET, BGP_KERNEL), 0);
	stage_run(&s);
	assert_null(peer_has(out, BGP_IPV4, NET));
	assert_int_equal(originate(&s, NET, BGP_NETWORK), 0);
	stage_run(&s);
	assert_non_null(peer_has(out, BGP_IPV4, NET));
	stage_close(&s);
}

/* ---- what we decapsulate ---- */

static const struct bgp_tunnel l2tpv3 = {.type = BGP_TUNNEL_L2TPV3,
	.has_encapsulation = true,
	.session = 0x01020304,
	.cookie_len = 8,
	.cookie = {1, 2, 3, 4, 5, 6, 7, 8}};
static const struct bgp_tunnel gre = {.type = BGP_TUNNEL_GRE}, ipip = {.type = BGP_TUNNEL_IPIP};

static struct bgp_tunnels tunnels_of(const struct told *t)
{
	struct bgp_tunnels ret = {0};
	struct bgp_attribute a;
	const char *why;

	if (bgp_attribute_find(told_set(t), BGP_TUNNEL_ENCAP, &a))
		assert_int_equal(bgp_tunnels_read(a.value, &ret, &why), 0);
	return ret;
}

static void set_tunnels(
	struct stage *s, const struct bgp_tunnel *tunnels, unsigned count, const struct bgp_classes *classes)
{
	static const struct bgp_classes none;
	struct addr endpoint = addr_from("2001:db8::1");

	assert_int_equal(
		bgp_set_tunnels(s->b, &endpoint, tunnels, count, classes ? classes : &none, s->now), 0);
	stage_run(s);
}

/* proves: MESH-SIG-7 */
static void internal_neighbours_hear_parameters_and_order_of_our_tunnels(void **state)
{
	struct bgp_tunnel ours[3] = {l2tpv3, gre, ipip};
	struct stage s;
	struct peer *in, *out;
	struct bgp_tunnels t;

	stage_open(&s);
	ours[0].protocol = 0x0800;
	in = peer_internal(&s, "in", "2001:db8::2");
	out = peer_external(&s, "out", "192.0.2.3");
	assert_int_equal(originate(&s, NET, BGP_NETWORK), 0);
	set_tunnels(&s, ours, 3, NULL);
	t = tunnels_of(peer_has(in, BGP_IPV4, NET));
	assert_int_equal(t.count, 3);
	assert_int_equal(t.tunnel[0].type, BGP_TUNNEL_L2TPV3);
	assert_int_equal(t.tunnel[0].session, 0x01020304);
	assert_int_equal(t.tunnel[0].cookie_len, 8);
	assert_int_equal(t.tunnel[0].protocol, 0x0800);
	assert_int_equal(t.tunnel[1].type, BGP_TUNNEL_GRE);
	assert_int_equal(t.tunnel[2].type, BGP_TUNNEL_IPIP);
	assert_false(peer_has(out, BGP_IPV4, NET)->facts.has_tunnel);
	/* Nothing more: gone from the route. */
	set_tunnels(&s, NULL, 0, NULL);
	assert_false(peer_has(in, BGP_IPV4, NET)->facts.has_tunnel);
	stage_close(&s);
}

/* RFC 9012 section 4.1: what a community can say, a community says. */
static void a_tunnel_without_parameters_is_a_community(void **state)
{
	struct stage s;
	struct peer *in;
	const struct told *t;

	stage_open(&s);
	in = peer_internal(&s, "in", "2001:db8::2");
	assert_int_equal(originate(&s, NET, BGP_NETWORK), 0);
	set_tunnels(&s, &ipip, 1, NULL);
	t = peer_has(in, BGP_IPV4, NET);
	assert_false(t->facts.has_tunnel);
	assert_true(bgp_extended_community_has(told_set(t), bgp_encapsulation_community(BGP_TUNNEL_IPIP)));
	stage_close(&s);
}

/* Reflectors that take the attribute off pass communities on. But of MPLS as payload they cannot say anything. */
static void a_payload_is_no_parameter_unless_it_is_mpls(void **state)
{
	struct bgp_tunnel ours[2] = {ipip, gre};
	struct stage s;
	struct peer *in;
	struct reader set;

	stage_open(&s);
	in = peer_internal(&s, "in", "2001:db8::2");
	assert_int_equal(originate(&s, NET, BGP_NETWORK), 0);
	ours[0].protocol = 0x8847;
	ours[1].protocol = 0x0800;
	set_tunnels(&s, ours, 2, NULL);
	assert_int_equal(tunnels_of(peer_has(in, BGP_IPV4, NET)).count, 2);
	set = told_set(peer_has(in, BGP_IPV4, NET));
	assert_true(bgp_extended_community_has(set, bgp_encapsulation_community(BGP_TUNNEL_GRE)));
	assert_false(bgp_extended_community_has(set, bgp_encapsulation_community(BGP_TUNNEL_IPIP)));
	stage_close(&s);
}

/* FRR 8.4 resets its sessions over two TLVs. */
static void a_neighbour_hears_of_one_tunnel_or_of_none_where_it_is_configured_so(void **state)
{
	struct bgp_tunnel ours[3] = {l2tpv3, gre, ipip};
	struct bgp_neighbor_config one = peer_config("one", 65000, "2001:db8::2"),
				   none = peer_config("none", 65000, "2001:db8::3");
	struct stage s;
	struct peer *p1, *p0;
	struct bgp_tunnels t;
	struct reader set;

	stage_open(&s);
	ours[0].has_ds = true; /* not plain */
	ours[1].has_key = ours[1].has_encapsulation = true;
	ours[1].key = 7;
	one.tunnel_way = BGP_TUNNEL_ONE;
	none.tunnel_way = BGP_TUNNEL_NONE;
	p1 = peer_up(&s, &one, NULL);
	p0 = peer_up(&s, &none, NULL);
	assert_int_equal(originate(&s, NET, BGP_NETWORK), 0);
	set_tunnels(&s, ours, 3, NULL);
	t = tunnels_of(peer_has(p1, BGP_IPV4, NET));
	assert_int_equal(t.count, 1);
	assert_int_equal(t.tunnel[0].key, 7);
	assert_false(peer_has(p0, BGP_IPV4, NET)->facts.has_tunnel);
	/* Only what needs no parameters may be said by a community: nobody could send the others anything that arrives. */
	set = told_set(peer_has(p0, BGP_IPV4, NET));
	assert_true(bgp_extended_community_has(set, bgp_encapsulation_community(BGP_TUNNEL_IPIP)));
	assert_false(bgp_extended_community_has(set, bgp_encapsulation_community(BGP_TUNNEL_GRE)));
	assert_false(bgp_extended_community_has(set, bgp_encapsulation_community(BGP_TUNNEL_L2TPV3)));
	stage_close(&s);
}

/* proves: MESH-SIG-9 */
static void our_classes_go_with_our_routes(void **state)
{
	struct bgp_classes classes = {
		.color_count = 1, .community_count = 1, .communities = {65000u << 16 | 100}};
	struct bgp_nlri other = {.prefix = prefix_from("203.0.113.0/24")};
	struct bgp_next_hop_value far = {.global = addr_from("2001:db8::77")};
	struct stage s;
	struct peer *in, *out;
	const struct told *t;

	stage_open(&s);
	classes.colors[0] = bgp_color_community(0, 100);
	in = peer_internal(&s, "in", "2001:db8::2");
	out = peer_external(&s, "out", "192.0.2.3");
	assert_int_equal(originate(&s, NET, BGP_NETWORK), 0);
	assert_int_equal(bgp_originate(s.b, BGP_IPV4, &other, nothing(), &far, BGP_NETWORK, s.now), 0);
	set_tunnels(&s, &ipip, 1, &classes);
	t = peer_has(in, BGP_IPV4, NET);
	assert_true(bgp_extended_community_has(told_set(t), classes.colors[0]));
	assert_true(bgp_community_has(told_set(t), classes.communities[0]));
	/* Of another's routes we say nothing. */
	t = peer_has(in, BGP_IPV4, "203.0.113.0/24");
	assert_false(bgp_extended_community_has(told_set(t), classes.colors[0]));
	assert_false(bgp_community_has(told_set(t), classes.communities[0]));
	t = peer_has(out, BGP_IPV4, NET);
	assert_false(bgp_extended_community_has(told_set(t), classes.colors[0]));
	assert_false(bgp_community_has(told_set(t), classes.communities[0]));
	stage_close(&s);
}

/* RFC 5512 */
/* proves: MESH-SIG-7 partial */
static void the_endpoint_is_told_in_the_encapsulation_safi(void **state)
{
	struct bgp_tunnel ours[2] = {l2tpv3, gre};
	struct addr other = addr_from("2001:db8::9");
	struct bgp_classes none = {0};
	struct stage s;
	struct peer *in, *out;
	const struct told *told;
	struct bgp_tunnels t;

	stage_open(&s);
	in = peer_internal(&s, "in", "2001:db8::2");
	out = peer_external(&s, "out", "192.0.2.3");
	set_tunnels(&s, ours, 2, NULL);
	told = peer_has(in, BGP_IPV6_ENCAP, "2001:db8::1/128");
	assert_non_null(told);
	assert_true(addr_equal(&told->next_hop.global, &in->local.addr));
	t = tunnels_of(told);
	assert_int_equal(t.count, 2);
	assert_int_equal(t.tunnel[0].session, 0x01020304);
	assert_false(t.tunnel[0].has_endpoint);
	assert_null(peer_has(out, BGP_IPV6_ENCAP, "2001:db8::1/128"));
	assert_int_equal(bgp_set_tunnels(s.b, &other, ours, 2, &none, s.now), 0);
	stage_run(&s);
	assert_null(peer_has(in, BGP_IPV6_ENCAP, "2001:db8::1/128"));
	assert_non_null(peer_has(in, BGP_IPV6_ENCAP, "2001:db8::9/128"));
	set_tunnels(&s, NULL, 0, NULL);
	assert_null(peer_has(in, BGP_IPV6_ENCAP, "2001:db8::9/128"));
	stage_close(&s);
}

static void other_tunnels_send_only_our_own_routes_again(void **state)
{
	struct stage s;
	struct peer *a, *b;

	stage_open(&s);
	a = peer_internal(&s, "a", "2001:db8::2");
	b = peer_internal(&s, "b", "2001:db8::3");
	assert_int_equal(originate(&s, NET, BGP_NETWORK), 0);
	peer_tells_one(
		a, BGP_IPV4, peer_set(a, (uint32_t[]){64512}, 1, NULL), "2001:db8::2", "203.0.113.0/24");
	stage_run(&s);
	set_tunnels(&s, &gre, 1, NULL);
	assert_int_equal(peer_has(b, BGP_IPV4, NET)->times, 2);
	assert_int_equal(peer_has(b, BGP_IPV4, "203.0.113.0/24")->times, 1);
	stage_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_own_route_is_told_and_withdrawn),
		cmocka_unit_test(a_network_stands_before_a_route_of_the_kernel),
		cmocka_unit_test(another_origin_is_another_route),
		cmocka_unit_test(internal_neighbours_hear_parameters_and_order_of_our_tunnels),
		cmocka_unit_test(a_tunnel_without_parameters_is_a_community),
		cmocka_unit_test(a_payload_is_no_parameter_unless_it_is_mpls),
		cmocka_unit_test(a_neighbour_hears_of_one_tunnel_or_of_none_where_it_is_configured_so),
		cmocka_unit_test(our_classes_go_with_our_routes),
		cmocka_unit_test(the_endpoint_is_told_in_the_encapsulation_safi),
		cmocka_unit_test(other_tunnels_send_only_our_own_routes_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
