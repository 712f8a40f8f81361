/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "peer.h"

static const uint32_t path_ce[] = {64512};
static const char NET[] = "198.51.100.0/24", NET6[] = "2001:db8:1::/48";

/* What bgp_export() says of the best path of PREFIX towards P: NULL when it is told, or why not. */
static const char *why_not(struct peer *p, enum bgp_family f, const char *prefix)
{
	static char why[256];
	static uint8_t set[BGP_SET_MAX];
	struct writer w = writer_of(set, sizeof set);
	struct rib *r = bgp_rib(p->stage->b, f);
	struct prefix x = prefix_from(prefix);
	rib_id net = rib_find(r, &x);
	struct bgp_next_hop_value next_hop;
	uint32_t label;

	why[0] = 0;
	assert_int_not_equal(net, 0);
	if (!bgp_export(p->neighbor, f, net, rib_best(r, net), &w, &next_hop, &label, why, sizeof why)) {
		assert_true(why[0]);
		return why;
	}
	/* The explanation is the truth. */
	if (!p->deaf) {
		const struct told *t = peer_has(p, f, prefix);

		assert_non_null(t);
		assert_true(addr_equal(&t->next_hop.global, &next_hop.global));
		assert_int_equal(t->nlri.label, label);
		if (p->form.as4 && writer_len(&w) == t->set_len)
			assert_memory_equal(t->set, set, t->set_len);
	}
	return NULL;
}

static void assert_untold(struct peer *p, enum bgp_family f, const char *prefix, const char *because)
{
	const char *why = why_not(p, f, prefix);

	assert_null(peer_has(p, f, prefix));
	assert_non_null(why);
	if (!strstr(why, because))
		fail_msg("\"%s\" does not say \"%s\"", why, because);
}

static bool told_has(const struct told *t, enum bgp_attribute_type type)
{
	struct bgp_attribute a;

	return bgp_attribute_find(told_set(t), type, &a);
}

/* ---- reflection ---- */

static struct peer *plain_internal(struct stage *s, const char *name, const char *address)
{
	struct bgp_neighbor_config c = peer_config(name, 65000, address);

	return peer_up(s, &c, NULL);
}

/* RFC 4456 section 6 */
/* proves: MESH-BGP-6 partial */
static void internal_routes_go_to_internal_neighbours_only_by_reflection(void **state)
{
	struct stage s;
	struct peer *client, *client2, *plain, *plain2;

	stage_open(&s);
	client = peer_internal(&s, "client", "2001:db8::2");
	client2 = peer_internal(&s, "client2", "2001:db8::3");
	plain = plain_internal(&s, "plain", "2001:db8::4");
	plain2 = plain_internal(&s, "plain2", "2001:db8::5");
	peer_tells_one(client, BGP_IPV4, peer_set(client, path_ce, 1, NULL), "2001:db8::2", NET);
	stage_run(&s);
	assert_null(why_not(client2, BGP_IPV4, NET));
	assert_null(why_not(plain, BGP_IPV4, NET));
	assert_untold(client, BGP_IPV4, NET, "came from this neighbor");
	peer_withdraws(client, BGP_IPV4, NET);
	peer_tells_one(plain, BGP_IPV4, peer_set(plain, path_ce, 1, NULL), "2001:db8::4", NET);
	stage_run(&s);
	assert_null(why_not(client, BGP_IPV4, NET));
	assert_null(why_not(client2, BGP_IPV4, NET));
	assert_untold(plain2, BGP_IPV4, NET, "RFC 4456");
	stage_close(&s);
}

/* proves: MESH-BGP-10, MESH-BGP-12 partial */
static void reflection_adds_originator_and_cluster_and_leaves_the_rest(void **state)
{
	struct bgp_edit more = {.set_med = true, .med = 7, .set_local_pref = true, .local_pref = 300};
	struct stage s;
	struct peer *a, *b;
	const struct told *t;
	struct bgp_attribute list;

	stage_open(&s);
	a = peer_internal(&s, "a", "2001:db8::2");
	b = peer_internal(&s, "b", "2001:db8::3");
	peer_tells_one(a, BGP_IPV4, peer_set(a, path_ce, 1, &more), "2001:db8:9::9", NET);
	stage_run(&s);
	t = peer_has(b, BGP_IPV4, NET);
	assert_int_equal(t->facts.originator_id, a->open.id);
	assert_true(bgp_attribute_find(told_set(t), BGP_CLUSTER_LIST, &list));
	assert_int_equal(reader_u32(&list.value), 0x0a000001);
	assert_int_equal(t->facts.med, 7);
	assert_int_equal(t->facts.local_pref, 300);
	assert_int_equal(t->facts.path_length, 1);
	assert_true(addr_equal(&t->next_hop.global,
		&(struct addr){addr_from("2001:db8:9::9").family, {0x20, 1, 0xd, 0xb8, 0, 9, [15] = 9}}));
	stage_close(&s);
}

static void a_reflected_route_keeps_its_originator(void **state)
{
	struct bgp_edit more = {.reflect = true, .originator_id = 77, .cluster_id = 88};
	struct stage s;
	struct peer *a, *b;
	struct bgp_attribute list;

	stage_open(&s);
	a = peer_internal(&s, "a", "2001:db8::2");
	b = peer_internal(&s, "b", "2001:db8::3");
	peer_tells_one(a, BGP_IPV4, peer_set(a, path_ce, 1, &more), "2001:db8::2", NET);
	stage_run(&s);
	assert_int_equal(peer_has(b, BGP_IPV4, NET)->facts.originator_id, 77);
	assert_true(bgp_attribute_find(told_set(peer_has(b, BGP_IPV4, NET)), BGP_CLUSTER_LIST, &list));
	assert_int_equal(reader_left(&list.value), 8);
	assert_int_equal(reader_u32(&list.value), 0x0a000001);
	assert_int_equal(reader_u32(&list.value), 88);
	stage_close(&s);
}

static void nothing_is_reflected_to_its_originator(void **state)
{
	struct stage s;
	struct peer *a, *b;
	struct bgp_edit more = {.reflect = true, .originator_id = 0x0a000003, .cluster_id = 88};

	stage_open(&s);
	a = peer_internal(&s, "a", "2001:db8::2");
	b = peer_internal(&s, "b", "2001:db8::3");
	assert_int_equal(b->open.id, 0x0a000003);
	peer_tells_one(a, BGP_IPV4, peer_set(a, path_ce, 1, &more), "2001:db8::2", NET);
	stage_run(&s);
	assert_untold(b, BGP_IPV4, NET, "originator");
	stage_close(&s);
}

/* proves: MESH-BGP-10 */
static void a_reflector_never_changes_the_family_of_a_next_hop(void **state)
{
	struct bgp_neighbor_config c = peer_config("b", 65000, "192.0.2.3");
	struct stage s;
	struct peer *a, *b;

	stage_open(&s);
	c.client = c.next_hop_self = c.next_hop_self_all = true;
	a = peer_internal(&s, "a", "2001:db8::2");
	b = peer_up(&s, &c, NULL);
	peer_tells_one(a, BGP_IPV4, peer_set(a, path_ce, 1, NULL), "2001:db8::2", NET);
	peer_tells_one(a, BGP_IPV4, peer_set(a, path_ce, 1, NULL), "192.0.2.2", "203.0.113.0/24");
	stage_run(&s);
	assert_true(addr_equal(&peer_has(b, BGP_IPV4, NET)->next_hop.global, &a->remote.addr));
	/* Of the same family it is ourselves: that is what next-hop-self-all is for. */
	assert_true(addr_equal(&peer_has(b, BGP_IPV4, "203.0.113.0/24")->next_hop.global, &b->local.addr));
	stage_close(&s);
}

static void next_hop_self_is_not_for_reflected_routes(void **state)
{
	struct bgp_neighbor_config c = peer_config("b", 65000, "2001:db8::3");
	struct stage s;
	struct peer *a, *b, *ce;

	stage_open(&s);
	c.client = c.next_hop_self = true;
	a = peer_internal(&s, "a", "2001:db8::2");
	ce = peer_external(&s, "ce", "192.0.2.4");
	b = peer_up(&s, &c, NULL);
	peer_tells_one(a, BGP_IPV4, peer_set(a, path_ce, 1, NULL), "2001:db8::2", NET);
	peer_tells_one(ce, BGP_IPV4, peer_set(ce, path_ce, 1, NULL), "192.0.2.4", "203.0.113.0/24");
	stage_run(&s);
	assert_true(addr_equal(&peer_has(b, BGP_IPV4, NET)->next_hop.global, &a->remote.addr));
	assert_true(addr_equal(&peer_has(b, BGP_IPV4, "203.0.113.0/24")->next_hop.global, &b->local.addr));
	/* A neighbour without it gets the next hop that is outside. */
	assert_true(addr_equal(&peer_has(a, BGP_IPV4, "203.0.113.0/24")->next_hop.global, &ce->remote.addr));
	stage_close(&s);
}

/* ---- capabilities ---- */

/* RFC 8950 section 4 */
/* proves: MESH-BGP-14 */
static void ipv6_next_hops_go_only_to_who_said_that_it_knows_them(void **state)
{
	struct bgp_capabilities old = {
		.families = BGP_FAMILY_BIT(BGP_IPV4) | BGP_FAMILY_BIT(BGP_IPV6), .as4 = true};
	struct bgp_neighbor_config c = peer_config("b", 65000, "2001:db8::3");
	struct stage s;
	struct peer *a, *b;

	stage_open(&s);
	c.client = true;
	a = peer_internal(&s, "a", "2001:db8::2");
	b = peer_up(&s, &c, &old);
	peer_tells_one(a, BGP_IPV4, peer_set(a, path_ce, 1, NULL), "2001:db8::2", NET);
	peer_tells_one(a, BGP_IPV4, peer_set(a, path_ce, 1, NULL), "192.0.2.9", "203.0.113.0/24");
	stage_run(&s);
	assert_untold(b, BGP_IPV4, NET, "RFC 8950");
	assert_null(why_not(b, BGP_IPV4, "203.0.113.0/24"));
	/* What it had with the other next hop, it does not keep. */
	peer_tells_one(a, BGP_IPV4, peer_set(a, path_ce, 1, NULL), "2001:db8::2", "203.0.113.0/24");
	stage_run(&s);
	assert_untold(b, BGP_IPV4, "203.0.113.0/24", "RFC 8950");
	stage_close(&s);
}

static void a_family_that_was_not_agreed_on_is_not_told(void **state)
{
	struct bgp_capabilities only4 = {.families = BGP_FAMILY_BIT(BGP_IPV4), .as4 = true};
	struct bgp_neighbor_config c = peer_config("b", 65000, "2001:db8::3");
	struct stage s;
	struct peer *a, *b;

	stage_open(&s);
	c.client = true;
	a = peer_internal(&s, "a", "2001:db8::2");
	b = peer_up(&s, &c, &only4);
	peer_tells_one(a, BGP_IPV6, peer_set(a, path_ce, 1, NULL), "2001:db8::2", NET6);
	stage_run(&s);
	assert_untold(b, BGP_IPV6, NET6, "not agreed");
	stage_close(&s);
}

/* ---- our own next hop ---- */

/* RFC 8950, RFC 4798 */
/* proves: MESH-BGP-9, MESH-BGP-11, MESH-BGP-12 */
static void our_own_next_hop_is_of_the_family_of_the_session(void **state)
{
	struct bgp_nlri net4 = {.prefix = prefix_from(NET)}, net6 = {.prefix = prefix_from(NET6)};
	struct stage s;
	struct peer *over4, *over6;

	stage_open(&s);
	over4 = peer_internal(&s, "over4", "192.0.2.2");
	over6 = peer_internal(&s, "over6", "2001:db8::2");
	assert_int_equal(
		bgp_originate(s.b, BGP_IPV4, &net4, reader_of(NULL, 0), NULL, BGP_NETWORK, s.now), 0);
	assert_int_equal(
		bgp_originate(s.b, BGP_IPV6, &net6, reader_of(NULL, 0), NULL, BGP_NETWORK, s.now), 0);
	stage_run(&s);
	assert_true(addr_equal(&peer_has(over4, BGP_IPV4, NET)->next_hop.global, &over4->local.addr));
	assert_true(addr_equal(&peer_has(over4, BGP_IPV6, NET6)->next_hop.global, &over4->local.addr));
	assert_true(addr_equal(&peer_has(over6, BGP_IPV4, NET)->next_hop.global, &over6->local.addr));
	assert_true(addr_equal(&peer_has(over6, BGP_IPV6, NET6)->next_hop.global, &over6->local.addr));
	stage_close(&s);
}

/* proves: MESH-BGP-15 partial */
static void inside_it_is_the_end_of_the_tunnels(void **state)
{
	struct bgp_tunnel gre = {.type = BGP_TUNNEL_GRE};
	struct addr endpoint = addr_from("2001:db8:e::1"), endpoint4 = addr_from("192.0.2.99");
	struct bgp_nlri net = {.prefix = prefix_from(NET)};
	struct bgp_classes none = {0};
	struct stage s;
	struct peer *in, *out;

	stage_open(&s);
	in = peer_internal(&s, "in", "2001:db8::2");
	out = peer_external(&s, "out", "2001:db8::3");
	assert_int_equal(bgp_originate(s.b, BGP_IPV4, &net, reader_of(NULL, 0), NULL, BGP_NETWORK, s.now), 0);
	assert_int_equal(bgp_set_tunnels(s.b, &endpoint, &gre, 1, &none, s.now), 0);
	stage_run(&s);
	assert_true(addr_equal(&peer_has(in, BGP_IPV4, NET)->next_hop.global, &endpoint));
	assert_true(addr_equal(&peer_has(out, BGP_IPV4, NET)->next_hop.global, &out->local.addr));
	/* Not of the session's family: the session's own end (MESH-BGP-9). */
	assert_int_equal(bgp_set_tunnels(s.b, &endpoint4, &gre, 1, &none, s.now), 0);
	stage_run(&s);
	assert_true(addr_equal(&peer_has(in, BGP_IPV4, NET)->next_hop.global, &in->local.addr));
	stage_close(&s);
}

/* RFC 2545 section 3 */
static void on_a_link_an_external_neighbour_gets_the_link_local_address_too(void **state)
{
	struct bgp_nlri net = {.prefix = prefix_from(NET6)};
	struct addr link_local = addr_from("fe80::1");
	struct stage s;
	struct peer *out, *in;

	stage_open(&s);
	out = peer_external(&s, "out", "2001:db8::2");
	in = peer_internal(&s, "in", "2001:db8::3");
	bgp_connection_set_link_local(out->connection, &link_local);
	bgp_connection_set_link_local(in->connection, &link_local);
	assert_int_equal(bgp_originate(s.b, BGP_IPV6, &net, reader_of(NULL, 0), NULL, BGP_NETWORK, s.now), 0);
	stage_run(&s);
	assert_true(addr_equal(&peer_has(out, BGP_IPV6, NET6)->next_hop.link_local, &link_local));
	assert_true(addr_equal(&peer_has(out, BGP_IPV6, NET6)->next_hop.global, &out->local.addr));
	assert_true(addr_is_none(&peer_has(in, BGP_IPV6, NET6)->next_hop.link_local));
	stage_close(&s);
}

static void a_link_local_next_hop_does_not_leave_its_link(void **state)
{
	struct bgp_neighbor_config c = peer_external_config("ce", "fe80::2");
	struct stage s;
	struct peer *ce, *in;

	stage_open(&s);
	c.local_address = addr_from("fe80::1");
	ce = peer_up(&s, &c, NULL);
	in = peer_internal(&s, "in", "2001:db8::2");
	peer_tells_one(ce, BGP_IPV6, peer_set(ce, path_ce, 1, NULL), "fe80::2", NET6);
	stage_run(&s);
	assert_true(addr_equal(&peer_has(in, BGP_IPV6, NET6)->next_hop.global, &in->local.addr));
	peer_tells_one(
		in, BGP_IPV6, peer_set(in, (uint32_t[]){64999}, 1, NULL), "2001:db8::2", "2001:db8:2::/48");
	stage_run(&s);
	assert_true(
		addr_equal(&peer_has(ce, BGP_IPV6, "2001:db8:2::/48")->next_hop.link_local, &ce->local.addr));
	stage_close(&s);
}

static void a_route_over_the_neighbour_itself_is_not_told_to_it(void **state)
{
	struct stage s;
	struct peer *a, *b;

	stage_open(&s);
	a = peer_internal(&s, "a", "2001:db8::2");
	b = peer_internal(&s, "b", "2001:db8::3");
	peer_tells_one(a, BGP_IPV4, peer_set(a, path_ce, 1, NULL), "2001:db8::3", NET);
	stage_run(&s);
	assert_untold(b, BGP_IPV4, NET, "neighbor itself");
	stage_close(&s);
}

/* ---- external ---- */

static void to_the_outside_our_as_is_in_front_and_inner_attributes_stay_behind(void **state)
{
	uint64_t communities[] = {
		0x0002fde800000001ull /* rt:65000:1 */, 0x4004fde800000001ull /* non-transitive */};
	struct bgp_edit more = {.set_med = true,
		.med = 7,
		.set_local_pref = true,
		.local_pref = 300,
		.reflect = true,
		.originator_id = 9,
		.cluster_id = 9,
		.extended = communities,
		.extended_count = 2};
	struct stage s;
	struct peer *in, *out;
	const struct told *t;

	stage_open(&s);
	in = peer_internal(&s, "in", "2001:db8::2");
	out = peer_external(&s, "out", "192.0.2.3");
	peer_tells_one(in, BGP_IPV4, peer_set(in, (uint32_t[]){64999}, 1, &more), "2001:db8::2", NET);
	stage_run(&s);
	t = peer_has(out, BGP_IPV4, NET);
	assert_non_null(t);
	assert_int_equal(t->facts.neighbor_as, 65000);
	assert_int_equal(t->facts.path_length, 2);
	assert_false(told_has(t, BGP_LOCAL_PREFERENCE));
	assert_false(told_has(t, BGP_ORIGINATOR_ID));
	assert_false(told_has(t, BGP_CLUSTER_LIST));
	assert_false(t->facts.has_med);
	assert_true(bgp_extended_community_has(told_set(t), communities[0]));
	assert_false(bgp_extended_community_has(told_set(t), communities[1]));
	assert_true(addr_equal(&t->next_hop.global, &out->local.addr));
	stage_close(&s);
}

static void the_as_that_is_shown_is_in_front(void **state)
{
	struct bgp_nlri net = {.prefix = prefix_from(NET)};
	struct bgp_neighbor_config c = peer_external_config("out", "192.0.2.3");
	struct stage s;
	struct peer *out;

	stage_open(&s);
	c.local_as = 65010;
	out = peer_up(&s, &c, NULL);
	assert_int_equal(bgp_originate(s.b, BGP_IPV4, &net, reader_of(NULL, 0), NULL, BGP_NETWORK, s.now), 0);
	stage_run(&s);
	assert_int_equal(peer_has(out, BGP_IPV4, NET)->facts.neighbor_as, 65010);
	stage_close(&s);
}

static void our_own_med_leaves_and_so_does_that_of_an_export_policy(void **state)
{
	struct policy_rule rule = {.then = POLICY_ACCEPT, .set_med = true, .med = 42};
	struct policy with_med = {.name = "med", .rule_count = 1, .rules = &rule};
	struct bgp_neighbor_config c = peer_external_config("b", "192.0.2.4");
	struct bgp_nlri net = {.prefix = prefix_from(NET)};
	struct attributes attributes;
	struct bgp_edit more = {.set_med = true, .med = 5};
	static uint8_t set[256];
	struct writer w = writer_of(set, sizeof set);
	struct stage s;
	struct peer *a, *b, *in;

	stage_open(&s);
	c.export_policy = &with_med;
	a = peer_external(&s, "a", "192.0.2.3");
	b = peer_up(&s, &c, NULL);
	in = peer_internal(&s, "in", "192.0.2.5");
	assert_int_equal(bgp_set_edit(attributes_of(&attributes, NULL, 0, false), &more, &w), 0);
	assert_int_equal(
		bgp_originate(s.b, BGP_IPV4, &net, reader_of(set, writer_len(&w)), NULL, BGP_NETWORK, s.now),
		0);
	peer_tells_one(
		in, BGP_IPV4, peer_set(in, (uint32_t[]){64999}, 1, &more), "192.0.2.5", "203.0.113.0/24");
	stage_run(&s);
	assert_int_equal(peer_has(a, BGP_IPV4, NET)->facts.med, 5);
	assert_false(peer_has(a, BGP_IPV4, "203.0.113.0/24")->facts.has_med);
	assert_int_equal(peer_has(b, BGP_IPV4, NET)->facts.med, 42);
	assert_int_equal(peer_has(b, BGP_IPV4, "203.0.113.0/24")->facts.med, 42);
	stage_close(&s);
}

static void inside_a_route_has_a_local_preference(void **state)
{
	struct stage s;
	struct peer *ce, *in;

	stage_open(&s);
	ce = peer_external(&s, "ce", "192.0.2.3");
	in = peer_internal(&s, "in", "2001:db8::2");
	peer_tells_one(ce, BGP_IPV4, peer_set(ce, path_ce, 1, NULL), "192.0.2.3", NET);
	stage_run(&s);
	assert_true(told_has(peer_has(in, BGP_IPV4, NET), BGP_LOCAL_PREFERENCE));
	assert_int_equal(peer_has(in, BGP_IPV4, NET)->facts.local_pref, BGP_LOCAL_PREF);
	assert_int_equal(peer_has(in, BGP_IPV4, NET)->facts.path_length, 1);
	assert_false(told_has(peer_has(in, BGP_IPV4, NET), BGP_CLUSTER_LIST));
	stage_close(&s);
}

/* RFC 8212 section 3 */
static void without_an_export_policy_nothing_leaves_the_as(void **state)
{
	struct bgp_neighbor_config c = peer_config("out", 64512, "192.0.2.3");
	struct bgp_nlri net = {.prefix = prefix_from(NET)};
	struct stage s;
	struct peer *out;

	stage_open(&s);
	out = peer_up(&s, &c, NULL);
	assert_int_equal(bgp_originate(s.b, BGP_IPV4, &net, reader_of(NULL, 0), NULL, BGP_NETWORK, s.now), 0);
	stage_run(&s);
	assert_untold(out, BGP_IPV4, NET, "RFC 8212");
	stage_close(&s);
}

/* RFC 1997 */
static void well_known_communities_hold_a_route_back(void **state)
{
	static const uint32_t no_export = BGP_NO_EXPORT, no_advertise = BGP_NO_ADVERTISE;
	struct bgp_edit inside = {.communities = &no_export, .community_count = 1},
			nowhere = {.communities = &no_advertise, .community_count = 1};
	struct stage s;
	struct peer *a, *b, *out;

	stage_open(&s);
	a = peer_internal(&s, "a", "2001:db8::2");
	b = peer_internal(&s, "b", "2001:db8::3");
	out = peer_external(&s, "out", "192.0.2.3");
	peer_tells_one(a, BGP_IPV4, peer_set(a, path_ce, 1, &inside), "2001:db8::2", NET);
	peer_tells_one(a, BGP_IPV4, peer_set(a, path_ce, 1, &nowhere), "2001:db8::2", "203.0.113.0/24");
	stage_run(&s);
	assert_null(why_not(b, BGP_IPV4, NET));
	assert_untold(out, BGP_IPV4, NET, "no-export");
	assert_untold(b, BGP_IPV4, "203.0.113.0/24", "no-advertise");
	assert_untold(out, BGP_IPV4, "203.0.113.0/24", "no-advertise");
	stage_close(&s);
}

/* RFC 5565 section 12, option 3 */
/* proves: MESH-AS-3 */
static void an_asbr_can_leave_the_next_hop_unchanged(void **state)
{
	struct bgp_neighbor_config c = peer_external_config("out", "2001:db8::3");
	struct bgp_nlri net = {.prefix = prefix_from("203.0.113.0/24")};
	struct stage s;
	struct peer *in, *out;

	stage_open(&s);
	c.next_hop_unchanged = true;
	in = peer_internal(&s, "in", "2001:db8::2");
	out = peer_up(&s, &c, NULL);
	peer_tells_one(in, BGP_IPV4, peer_set(in, (uint32_t[]){64999}, 1, NULL), "2001:db8:9::9", NET);
	assert_int_equal(bgp_originate(s.b, BGP_IPV4, &net, reader_of(NULL, 0), NULL, BGP_NETWORK, s.now), 0);
	stage_run(&s);
	assert_true(addr_equal(&peer_has(out, BGP_IPV4, NET)->next_hop.global,
		&peer_path(in, BGP_IPV4, NET)->set->next_hop->value.global));
	assert_true(
		addr_equal(&peer_has(out, BGP_IPV4, "203.0.113.0/24")->next_hop.global, &out->local.addr));
	stage_close(&s);
}

/* ---- policy ---- */

static void an_export_policy_rejects_with_its_name_and_changes(void **state)
{
	struct policy_prefix wanted = {prefix_from("198.51.100.0/22"), 22, 24};
	uint32_t community = 65000u << 16 | 1;
	struct policy_rule rules[] = {
		{.prefix_count = 1,
			.prefixes = &wanted,
			.then = POLICY_ACCEPT,
			.add_count = 1,
			.add = &community,
			.prepend = 2},
		{.then = POLICY_REJECT},
	};
	struct policy policy = {.name = "to-ce", .rule_count = 2, .rules = rules};
	struct bgp_neighbor_config c = peer_external_config("ce", "192.0.2.2");
	struct stage s;
	struct peer *in, *ce;

	stage_open(&s);
	c.export_policy = &policy;
	ce = peer_up(&s, &c, NULL);
	in = peer_internal(&s, "in", "2001:db8::2");
	peer_tells_one(in, BGP_IPV4, peer_set(in, (uint32_t[]){64999}, 1, NULL), "2001:db8::2", NET);
	peer_tells_one(
		in, BGP_IPV4, peer_set(in, (uint32_t[]){64999}, 1, NULL), "2001:db8::2", "203.0.113.0/24");
	stage_run(&s);
	assert_null(why_not(ce, BGP_IPV4, NET));
	assert_true(bgp_community_has(told_set(peer_has(ce, BGP_IPV4, NET)), community));
	assert_int_equal(peer_has(ce, BGP_IPV4, NET)->facts.path_length, 4);
	assert_untold(ce, BGP_IPV4, "203.0.113.0/24", "to-ce");
	stage_close(&s);
}

static void a_policy_makes_ourselves_the_next_hop(void **state)
{
	struct policy_rule rule = {.then = POLICY_ACCEPT, .next_hop = POLICY_NEXT_HOP_SELF};
	struct policy policy = {.name = "self", .rule_count = 1, .rules = &rule};
	struct bgp_neighbor_config c = peer_config("in", 65000, "2001:db8::2");
	struct stage s;
	struct peer *in, *ce;

	stage_open(&s);
	c.export_policy = &policy;
	c.has_export = true;
	ce = peer_external(&s, "ce", "192.0.2.2");
	in = peer_up(&s, &c, NULL);
	peer_tells_one(ce, BGP_IPV4, peer_set(ce, path_ce, 1, NULL), "192.0.2.2", NET);
	stage_run(&s);
	assert_true(addr_equal(&peer_has(in, BGP_IPV4, NET)->next_hop.global, &in->local.addr));
	stage_close(&s);
}

/* ---- labels ---- */

/* proves: MESH-BGP-16 partial */
static void a_label_is_passed_on_and_is_explicit_null_where_we_are_the_next_hop(void **state)
{
	struct bgp_neighbor_config c = peer_config("self", 65000, "192.0.2.4");
	struct stage s;
	struct peer *a, *b, *ce, *self;

	stage_open(&s);
	c.next_hop_self = true;
	a = peer_internal(&s, "a", "192.0.2.2");
	b = peer_internal(&s, "b", "192.0.2.3");
	ce = peer_external(&s, "ce", "192.0.2.5");
	self = peer_up(&s, &c, NULL);
	peer_tells_one(a, BGP_IPV6_LABELED, peer_set(a, path_ce, 1, NULL), "192.0.2.2", NET6);
	peer_tells_one(ce, BGP_IPV6_LABELED, peer_set(ce, path_ce, 1, NULL), "192.0.2.5", "2001:db8:2::/48");
	peer_tells_one(ce, BGP_IPV4_LABELED, peer_set(ce, path_ce, 1, NULL), "192.0.2.5", NET);
	stage_run(&s);
	assert_int_equal(peer_has(b, BGP_IPV6_LABELED, NET6)->nlri.label, 77);
	assert_int_equal(peer_has(b, BGP_IPV4_LABELED, NET)->nlri.label, 77);
	assert_int_equal(
		peer_has(self, BGP_IPV6_LABELED, "2001:db8:2::/48")->nlri.label, BGP_LABEL_EXPLICIT_NULL6);
	assert_int_equal(peer_has(self, BGP_IPV4_LABELED, NET)->nlri.label, BGP_LABEL_EXPLICIT_NULL4);
	stage_close(&s);
}

/* ---- tunnels of others ---- */

/* GRE with key 7, and one with a sub-TLV that RFC 9012 does not have (type 200). */
static const uint8_t two_tunnels[] = {0, 7, 0, 13, 200, 0, 2, 1, 2, 6, 6, 0, 0, 0, 0, 0, 0, 0, 2, 0, 14, 1, 4,
	0, 0, 0, 7, 6, 6, 0, 0, 0, 0, 0, 0};

static void others_tunnels_are_passed_on_as_the_neighbour_can_bear_them(void **state)
{
	struct bgp_edit more = {.tunnel = two_tunnels, .tunnel_len = sizeof two_tunnels};
	static const struct {
		enum bgp_tunnel_way way;
		size_t from, len;
	} ways[] = {
		{BGP_TUNNEL_FULL, 0, sizeof two_tunnels}, {BGP_TUNNEL_ONE, 17, 18}, {BGP_TUNNEL_NONE, 0, 0}};
	struct stage s;
	struct peer *a, *b;

	for (unsigned i = 0; i < 3; i++) {
		struct bgp_neighbor_config c = peer_config("b", 65000, "2001:db8::3");
		struct bgp_attribute t;

		stage_open(&s);
		c.client = true;
		c.tunnel_way = ways[i].way;
		a = peer_internal(&s, "a", "2001:db8::2");
		b = peer_up(&s, &c, NULL);
		peer_tells_one(a, BGP_IPV4, peer_set(a, path_ce, 1, &more), "2001:db8::2", NET);
		stage_run(&s);
		assert_int_equal(
			bgp_attribute_find(told_set(peer_has(b, BGP_IPV4, NET)), BGP_TUNNEL_ENCAP, &t),
			ways[i].len != 0);
		if (ways[i].len) {
			assert_int_equal(reader_left(&t.value), ways[i].len);
			assert_memory_equal(t.value.pos, two_tunnels + ways[i].from, ways[i].len);
		}
		stage_close(&s);
	}
}

/* RFC 9012 section 11 */
static void tunnels_do_not_leave_the_as_unless_the_neighbour_is_trusted(void **state)
{
	uint64_t communities[] = {bgp_encapsulation_community(BGP_TUNNEL_IPIP), bgp_color_community(0, 100)};
	struct bgp_edit more = {.extended = communities,
		.extended_count = 2,
		.tunnel = two_tunnels,
		.tunnel_len = sizeof two_tunnels};
	struct stage s;
	struct peer *in, *out;

	for (unsigned trusted = 0; trusted < 2; trusted++) {
		struct bgp_neighbor_config c = peer_external_config("out", "2001:db8::3");
		const struct told *t;

		stage_open(&s);
		c.tunnels = trusted;
		c.next_hop_unchanged = true;
		in = peer_internal(&s, "in", "2001:db8::2");
		out = peer_up(&s, &c, NULL);
		peer_tells_one(in, BGP_IPV4, peer_set(in, (uint32_t[]){64999}, 1, &more), "2001:db8::2", NET);
		peer_tells_one(in, BGP_IPV6_ENCAP, peer_set(in, (uint32_t[]){64999}, 1, &more), "2001:db8::2",
			"2001:db8::2/128");
		stage_run(&s);
		t = peer_has(out, BGP_IPV4, NET);
		assert_int_equal(t->facts.has_tunnel, trusted);
		assert_int_equal(bgp_extended_community_has(told_set(t), communities[0]), trusted);
		assert_true(bgp_extended_community_has(told_set(t), communities[1]));
		if (trusted)
			assert_null(why_not(out, BGP_IPV6_ENCAP, "2001:db8::2/128"));
		else
			assert_untold(out, BGP_IPV6_ENCAP, "2001:db8::2/128", "RFC 9012");
		stage_close(&s);
	}
}

static void who_becomes_the_next_hop_takes_anothers_tunnels_off(void **state)
{
	uint64_t community = bgp_encapsulation_community(BGP_TUNNEL_IPIP);
	struct bgp_edit more = {.extended = &community,
		.extended_count = 1,
		.tunnel = two_tunnels,
		.tunnel_len = sizeof two_tunnels};
	struct bgp_neighbor_config far = peer_external_config("far", "2001:db8::3"),
				   c = peer_config("in", 65000, "2001:db8::2");
	struct stage s;
	struct peer *in, *out;
	const struct told *t;

	stage_open(&s);
	far.tunnels = true;
	c.next_hop_self = true;
	out = peer_up(&s, &far, NULL);
	in = peer_up(&s, &c, NULL);
	peer_tells_one(out, BGP_IPV4, peer_set(out, path_ce, 1, &more), "2001:db8::3", NET);
	stage_run(&s);
	t = peer_has(in, BGP_IPV4, NET);
	assert_true(addr_equal(&t->next_hop.global, &in->local.addr));
	assert_false(t->facts.has_tunnel);
	assert_false(bgp_extended_community_has(told_set(t), community));
	stage_close(&s);
}

static void without_a_session_it_says_so(void **state)
{
	struct stage s;
	struct peer *a, *b;

	stage_open(&s);
	a = peer_internal(&s, "a", "2001:db8::2");
	b = peer_internal(&s, "b", "2001:db8::3");
	peer_tells_one(a, BGP_IPV4, peer_set(a, path_ce, 1, NULL), "2001:db8::2", NET);
	stage_run(&s);
	bgp_disconnected(b->connection, "reset by peer", s.now);
	assert_string_equal(why_not(b, BGP_IPV4, NET), "there is no session with it");
	stage_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(internal_routes_go_to_internal_neighbours_only_by_reflection),
		cmocka_unit_test(reflection_adds_originator_and_cluster_and_leaves_the_rest),
		cmocka_unit_test(a_reflected_route_keeps_its_originator),
		cmocka_unit_test(nothing_is_reflected_to_its_originator),
		cmocka_unit_test(a_reflector_never_changes_the_family_of_a_next_hop),
		cmocka_unit_test(next_hop_self_is_not_for_reflected_routes),
		cmocka_unit_test(ipv6_next_hops_go_only_to_who_said_that_it_knows_them),
		cmocka_unit_test(a_family_that_was_not_agreed_on_is_not_told),
		cmocka_unit_test(our_own_next_hop_is_of_the_family_of_the_session),
		cmocka_unit_test(inside_it_is_the_end_of_the_tunnels),
		cmocka_unit_test(on_a_link_an_external_neighbour_gets_the_link_local_address_too),
		cmocka_unit_test(a_link_local_next_hop_does_not_leave_its_link),
		cmocka_unit_test(a_route_over_the_neighbour_itself_is_not_told_to_it),
		cmocka_unit_test(to_the_outside_our_as_is_in_front_and_inner_attributes_stay_behind),
		cmocka_unit_test(the_as_that_is_shown_is_in_front),
		cmocka_unit_test(our_own_med_leaves_and_so_does_that_of_an_export_policy),
		cmocka_unit_test(inside_a_route_has_a_local_preference),
		cmocka_unit_test(without_an_export_policy_nothing_leaves_the_as),
		cmocka_unit_test(well_known_communities_hold_a_route_back),
		cmocka_unit_test(an_asbr_can_leave_the_next_hop_unchanged),
		cmocka_unit_test(an_export_policy_rejects_with_its_name_and_changes),
		cmocka_unit_test(a_policy_makes_ourselves_the_next_hop),
		cmocka_unit_test(a_label_is_passed_on_and_is_explicit_null_where_we_are_the_next_hop),
		cmocka_unit_test(others_tunnels_are_passed_on_as_the_neighbour_can_bear_them),
		cmocka_unit_test(tunnels_do_not_leave_the_as_unless_the_neighbour_is_trusted),
		cmocka_unit_test(who_becomes_the_next_hop_takes_anothers_tunnels_off),
		cmocka_unit_test(without_a_session_it_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
