/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/scarce.h"
#include "peer.h"

static const uint32_t path_ce[] = {64512}, path_long[] = {64512, 64513, 64514};

static enum bgp_bar bar_of(const struct peer *p, const char *prefix)
{
	const struct rib_path *path = peer_path(p, BGP_IPV4, prefix);

	assert_non_null(path);
	return (enum bgp_bar)path->bar;
}

static void a_route_comes_into_the_table_and_goes_again(void **state)
{
	struct stage s;
	struct peer *a;

	stage_open(&s);
	a = peer_internal(&s, "a", "2001:db8::2");
	peer_tells_one(a, BGP_IPV4, peer_set(a, path_ce, 1, NULL), "2001:db8::2", "198.51.100.0/24");
	assert_int_equal(bar_of(a, "198.51.100.0/24"), BGP_BAR_NONE);
	assert_true(addr_equal(
		&peer_path(a, BGP_IPV4, "198.51.100.0/24")->set->next_hop->value.global, &a->remote.addr));
	assert_int_equal(a->neighbor->table[BGP_IPV4].received, 1);
	assert_int_equal(a->neighbor->table[BGP_IPV4].accepted, 1);
	peer_withdraws(a, BGP_IPV4, "198.51.100.0/24");
	assert_null(peer_path(a, BGP_IPV4, "198.51.100.0/24"));
	assert_int_equal(a->neighbor->table[BGP_IPV4].received, 0);
	assert_int_equal(a->neighbor->table[BGP_IPV4].accepted, 0);
	peer_withdraws(a, BGP_IPV4, "198.51.100.0/24");
	assert_int_equal(a->neighbor->table[BGP_IPV4].received, 0);
	stage_close(&s);
}

static void every_family_has_its_table(void **state)
{
	static const char *const prefix[BGP_FAMILIES] = {"198.51.100.0/24", "2001:db8:1::/48",
		"198.51.100.0/24", "2001:db8:1::/48", "192.0.2.7/32", "2001:db8::7/128"};
	struct stage s;
	struct peer *a;

	stage_open(&s);
	a = peer_internal(&s, "a", "2001:db8::2");
	for (unsigned f = 0; f < BGP_FAMILIES; f++) {
		peer_tells_one(a, (enum bgp_family)f, peer_set(a, path_ce, 1, NULL),
			f == BGP_IPV4_ENCAP ? "192.0.2.7" : "2001:db8::2", prefix[f]);
		assert_non_null(peer_path(a, (enum bgp_family)f, prefix[f]));
		assert_int_equal(peer_path(a, (enum bgp_family)f, prefix[f])->label,
			bgp_family_labeled((enum bgp_family)f) ? 77 : 0);
		assert_int_equal(a->neighbor->table[f].received, 1);
	}
	stage_close(&s);
}

/* proves: MESH-BGP-11 partial */
static void an_ipv6_route_over_ipv4_has_an_ipv4_next_hop(void **state)
{
	struct stage s;
	struct peer *a, *b;
	const struct told *t;

	stage_open(&s);
	a = peer_internal(&s, "a", "192.0.2.2");
	b = peer_internal(&s, "b", "192.0.2.3");
	peer_tells_one(a, BGP_IPV6, peer_set(a, path_ce, 1, NULL), "192.0.2.2", "2001:db8:1::/48");
	stage_run(&s);
	t = peer_has(b, BGP_IPV6, "2001:db8:1::/48");
	assert_non_null(t);
	assert_true(addr_equal(&t->next_hop.global, &a->remote.addr));
	stage_close(&s);
}

/* RFC 5565 section 12, option 3: the next hop is an AFBR further away than the neighbour, on one hop as on many. */
/* proves: MESH-AS-3 */
static void the_next_hop_of_an_asbr_that_left_it_unchanged_is_taken_as_it_is(void **state)
{
	static const char AFBR[] = "2001:db8:b::1";
	struct stage s;
	struct peer *asbr;

	for (unsigned multihop = 0; multihop < 2; multihop++) {
		struct bgp_neighbor_config c = peer_external_config("asbr", "2001:db8::2");
		struct addr afbr = addr_from(AFBR);

		stage_open(&s);
		c.multihop = multihop;
		asbr = peer_up(&s, &c, NULL);
		peer_tells_one(asbr, BGP_IPV4, peer_set(asbr, path_ce, 1, NULL), AFBR, "198.51.100.0/24");
		peer_tells_one(asbr, BGP_IPV6, peer_set(asbr, path_ce, 1, NULL), AFBR, "2001:db8:b::/48");
		assert_int_equal(bar_of(asbr, "198.51.100.0/24"), BGP_BAR_NONE);
		assert_true(addr_equal(
			&peer_path(asbr, BGP_IPV4, "198.51.100.0/24")->set->next_hop->value.global, &afbr));
		assert_true(addr_equal(
			&peer_path(asbr, BGP_IPV6, "2001:db8:b::/48")->set->next_hop->value.global, &afbr));
		stage_close(&s);
	}
}

static void our_own_as_in_the_path_bars_it(void **state)
{
	static const uint32_t loop[] = {64512, 65000, 64513};
	struct bgp_neighbor_config c = peer_external_config("ce", "192.0.2.2");
	struct stage s;
	struct peer *p;

	stage_open(&s);
	p = peer_up(&s, &c, NULL);
	peer_tells_one(p, BGP_IPV4, peer_set(p, loop, 3, NULL), "192.0.2.2", "198.51.100.0/24");
	assert_int_equal(bar_of(p, "198.51.100.0/24"), BGP_BAR_AS_LOOP);
	assert_int_equal(p->neighbor->table[BGP_IPV4].received, 1);
	assert_int_equal(p->neighbor->table[BGP_IPV4].accepted, 0);
	stage_close(&s);
}

static void the_as_that_we_show_a_neighbour_bars_too(void **state)
{
	static const uint32_t loop[] = {64512, 65010};
	struct bgp_neighbor_config c = peer_external_config("ce", "192.0.2.2");
	struct stage s;
	struct peer *p;

	stage_open(&s);
	c.local_as = 65010;
	p = peer_up(&s, &c, NULL);
	peer_tells_one(p, BGP_IPV4, peer_set(p, loop, 2, NULL), "192.0.2.2", "198.51.100.0/24");
	assert_int_equal(bar_of(p, "198.51.100.0/24"), BGP_BAR_AS_LOOP);
	stage_close(&s);
}

static void an_external_path_begins_with_the_neighbours_as(void **state)
{
	static const uint32_t other[] = {64513};
	struct bgp_neighbor_config c = peer_external_config("ce", "192.0.2.2");
	struct stage s;
	struct peer *p;

	stage_open(&s);
	p = peer_up(&s, &c, NULL);
	peer_tells_one(p, BGP_IPV4, peer_set(p, other, 1, NULL), "192.0.2.2", "198.51.100.0/24");
	assert_int_equal(bar_of(p, "198.51.100.0/24"), BGP_BAR_FIRST_AS);
	peer_tells_one(p, BGP_IPV4, peer_set(p, NULL, 0, NULL), "192.0.2.2", "203.0.113.0/24");
	assert_int_equal(bar_of(p, "203.0.113.0/24"), BGP_BAR_FIRST_AS);
	peer_tells_one(p, BGP_IPV4, peer_set(p, path_long, 3, NULL), "192.0.2.2", "198.51.100.0/24");
	assert_int_equal(bar_of(p, "198.51.100.0/24"), BGP_BAR_NONE);
	assert_int_equal(p->neighbor->table[BGP_IPV4].accepted, 1);
	stage_close(&s);
}

static void what_was_reflected_round_a_circle_is_barred(void **state)
{
	struct bgp_edit ours = {.reflect = true, .originator_id = 0x0a000001, .cluster_id = 99},
			cluster = {.reflect = true, .originator_id = 0x0a000009, .cluster_id = 0x0a000001};
	struct stage s;
	struct peer *a;

	stage_open(&s);
	a = peer_internal(&s, "a", "2001:db8::2");
	peer_tells_one(a, BGP_IPV4, peer_set(a, path_ce, 1, &ours), "2001:db8::2", "198.51.100.0/24");
	assert_int_equal(bar_of(a, "198.51.100.0/24"), BGP_BAR_ORIGINATOR);
	peer_tells_one(a, BGP_IPV4, peer_set(a, path_ce, 1, &cluster), "2001:db8::2", "198.51.100.0/24");
	assert_int_equal(bar_of(a, "198.51.100.0/24"), BGP_BAR_CLUSTER);
	stage_close(&s);
}

static void an_impossible_next_hop_bars_it(void **state)
{
	static const char *const bad[] = {"0.0.0.0", "224.0.0.1", "127.0.0.1", "::", "ff02::1", "::1"};
	struct stage s;
	struct peer *a;

	stage_open(&s);
	a = peer_internal(&s, "a", "2001:db8::2");
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		peer_tells_one(a, BGP_IPV4, peer_set(a, path_ce, 1, NULL), "2001:db8::2", "198.51.100.0/24");
		peer_tells_one(a, BGP_IPV4, peer_set(a, path_ce, 1, NULL), bad[i], "198.51.100.0/24");
		if (peer_path(a, BGP_IPV4, "198.51.100.0/24"))
			assert_int_equal(bar_of(a, "198.51.100.0/24"), BGP_BAR_NEXT_HOP);
	}
	stage_close(&s);
}

/* RFC 4271 section 6.3: it is ignored, and the others of its UPDATE are not. */
static void an_impossible_destination_bars_it(void **state)
{
	struct stage s;
	struct peer *a;

	stage_open(&s);
	a = peer_internal(&s, "a", "2001:db8::2");
	peer_tells_one(a, BGP_IPV4, peer_set(a, path_ce, 1, NULL), "2001:db8::2", "224.0.0.0/4");
	peer_tells_one(a, BGP_IPV4, peer_set(a, path_ce, 1, NULL), "2001:db8::2", "0.0.0.0/0");
	assert_int_equal(bar_of(a, "224.0.0.0/4"), BGP_BAR_PREFIX);
	assert_int_equal(bar_of(a, "0.0.0.0/0"), BGP_BAR_NONE);
	assert_int_equal(a->neighbor->table[BGP_IPV4].received, 2);
	assert_int_equal(a->neighbor->table[BGP_IPV4].accepted, 1);
	stage_close(&s);
}

static void routes_with_ourselves_as_next_hop_are_not_used(void **state)
{
	struct addr own = addr_from("2001:db8::1");
	struct prefix prefix = prefix_from("198.51.100.0/24");
	struct stage s;
	struct peer *a;
	struct rib *r;

	stage_open(&s);
	r = bgp_rib(s.b, BGP_IPV4);
	a = peer_internal(&s, "a", "2001:db8::2");
	assert_int_equal(bgp_set_own_addresses(s.b, &own, 1), 0);
	peer_tells_one(a, BGP_IPV4, peer_set(a, path_ce, 1, NULL), "2001:db8::1", "198.51.100.0/24");
	assert_null(rib_best(r, rib_find(r, &prefix)));
	assert_int_equal(bgp_set_own_addresses(s.b, NULL, 0), 0);
	stage_run(&s);
	assert_non_null(rib_best(r, rib_find(r, &prefix)));
	assert_int_equal(bgp_set_own_addresses(s.b, &own, 1), 0);
	stage_run(&s);
	assert_null(rib_best(r, rib_find(r, &prefix)));
	stage_close(&s);
}

/* RFC 8212 section 3 */
static void without_an_import_policy_nothing_external_is_used(void **state)
{
	struct bgp_neighbor_config c = peer_config("ce", 64512, "192.0.2.2");
	struct stage s;
	struct peer *p;

	stage_open(&s);
	p = peer_up(&s, &c, NULL);
	peer_tells_one(p, BGP_IPV4, peer_set(p, path_ce, 1, NULL), "192.0.2.2", "198.51.100.0/24");
	assert_int_equal(bar_of(p, "198.51.100.0/24"), BGP_BAR_NO_POLICY);
	stage_close(&s);
}

static void an_import_policy_rejects_and_changes(void **state)
{
	struct policy_prefix wanted = {prefix_from("198.51.100.0/22"), 22, 24},
			     better = {prefix_from("198.51.101.0/24"), 24, 24};
	uint32_t community = 65000u << 16 | 1;
	struct policy_rule rules[] = {
		{.prefix_count = 1,
			.prefixes = &better,
			.then = POLICY_ACCEPT,
			.set_local_pref = true,
			.local_pref = 200},
		{.prefix_count = 1,
			.prefixes = &wanted,
			.then = POLICY_ACCEPT,
			.add_count = 1,
			.add = &community,
			.prepend = 2},
		{.then = POLICY_REJECT},
	};
	struct policy policy = {.name = "from-ce", .rule_count = 3, .rules = rules};
	struct bgp_neighbor_config c = peer_external_config("ce", "192.0.2.2");
	static const char *const prefixes[] = {
		"198.51.100.0/24", "198.51.101.0/24", "198.51.102.0/24", "203.0.113.0/24", NULL};
	const struct rib_path *p100, *p101, *p102;
	struct stage s;
	struct peer *p;

	stage_open(&s);
	c.import_policy = &policy;
	p = peer_up(&s, &c, NULL);
	peer_tells(p, BGP_IPV4, peer_set(p, path_ce, 1, NULL), "192.0.2.2", prefixes);
	assert_int_equal(bar_of(p, "203.0.113.0/24"), BGP_BAR_POLICY);
	p100 = peer_path(p, BGP_IPV4, "198.51.100.0/24");
	p101 = peer_path(p, BGP_IPV4, "198.51.101.0/24");
	p102 = peer_path(p, BGP_IPV4, "198.51.102.0/24");
	assert_int_equal(p101->set->facts.local_pref, 200);
	assert_false(bgp_community_has(bgp_set_reader(p101->set), community));
	assert_true(bgp_community_has(bgp_set_reader(p100->set), community));
	assert_int_equal(p100->set->facts.path_length, 3);
	/* The neighbour's AS: with our own in its path nobody else here would take the route. */
	assert_int_equal(bgp_path_count(bgp_set_reader(p100->set), 64512), 3);
	assert_int_equal(p100->set->facts.neighbor_as, 64512);
	assert_ptr_equal(p100->set, p102->set);
	assert_int_equal(p->neighbor->table[BGP_IPV4].received, 4);
	assert_int_equal(p->neighbor->table[BGP_IPV4].accepted, 3);
	stage_close(&s);
}

/* RFC 9012 section 11 */
static void tunnels_of_external_neighbours_are_left_out_unless_they_are_trusted(void **state)
{
	static const uint8_t tunnel[] = {0, 2, 0, 14, 1, 4, 0, 0, 0, 7, 6, 6, 0, 0, 0, 0, 0, 0};
	uint64_t communities[] = {bgp_encapsulation_community(BGP_TUNNEL_GRE), bgp_color_community(0, 100)};
	struct bgp_edit more = {
		.extended = communities, .extended_count = 2, .tunnel = tunnel, .tunnel_len = sizeof tunnel};
	struct bgp_attribute a;

	for (unsigned trusted = 0; trusted < 2; trusted++) {
		struct bgp_neighbor_config c = peer_external_config("ce", "192.0.2.2");
		struct stage s;
		struct peer *p;
		struct reader set;

		stage_open(&s);
		c.tunnels = trusted;
		p = peer_up(&s, &c, NULL);
		peer_tells_one(p, BGP_IPV4, peer_set(p, path_ce, 1, &more), "192.0.2.2", "198.51.100.0/24");
		set = bgp_set_reader(peer_path(p, BGP_IPV4, "198.51.100.0/24")->set);
		assert_int_equal(bgp_attribute_find(set, BGP_TUNNEL_ENCAP, &a), trusted);
		assert_int_equal(bgp_extended_community_has(set, communities[0]), trusted);
		assert_true(bgp_extended_community_has(set, communities[1]));
		assert_int_equal(peer_path(p, BGP_IPV4, "198.51.100.0/24")->set->facts.has_tunnel, trusted);
		/* Else it could take the place of who really decapsulates there. */
		peer_tells_one(
			p, BGP_IPV6_ENCAP, peer_set(p, path_ce, 1, &more), "2001:db8::7", "2001:db8::7/128");
		assert_int_equal(peer_path(p, BGP_IPV6_ENCAP, "2001:db8::7/128")->bar,
			trusted ? BGP_BAR_NONE : BGP_BAR_TUNNELS);
		stage_close(&s);
	}
}

/* ORIGIN 7 for 198.51.100.0/24 */
static const uint8_t bad_origin[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0, 23 + 4 + 3 + 7 + 7 + 4, BGP_UPDATE, 0, 0, 0, 4 + 3 + 7 + 7,
	BGP_FLAG_TRANSITIVE, BGP_ORIGIN, 1, 7, BGP_FLAG_TRANSITIVE, BGP_AS_PATH, 0, BGP_FLAG_TRANSITIVE,
	BGP_NEXT_HOP, 4, 192, 0, 2, 2, BGP_FLAG_TRANSITIVE, BGP_LOCAL_PREFERENCE, 4, 0, 0, 0, 100, 24, 198,
	51, 100};

/* RFC 7606 section 2 */
static void an_attribute_that_is_wrong_withdraws_the_routes_and_harms_nobody_else(void **state)
{
	struct stage s;
	struct peer *a, *b;
	const struct stage_event *e;

	stage_open(&s);
	a = peer_internal(&s, "a", "192.0.2.2");
	b = peer_internal(&s, "b", "192.0.2.3");
	peer_tells_one(a, BGP_IPV4, peer_set(a, path_ce, 1, NULL), "192.0.2.2", "198.51.100.0/24");
	peer_tells_one(b, BGP_IPV4, peer_set(b, path_long, 3, NULL), "192.0.2.3", "198.51.100.0/24");
	stage_run(&s);
	stage_forget_events(&s);
	peer_says(a, bad_origin, sizeof bad_origin);
	stage_run(&s);
	assert_null(peer_path(a, BGP_IPV4, "198.51.100.0/24"));
	assert_non_null(peer_path(b, BGP_IPV4, "198.51.100.0/24"));
	assert_non_null(a->connection);
	assert_non_null(b->connection);
	e = stage_find(&s, BGP_EVENT_UPDATE);
	assert_non_null(e);
	assert_int_equal(e->outcome, BGP_WITHDRAW);
	assert_true(e->error.reason[0]);
	assert_int_equal(e->prefix.len, 24);
	assert_int_equal(a->neighbor->withdrawn_updates, 1);
	/* The worse route of b has taken its place. */
	assert_int_equal(peer_has(a, BGP_IPV4, "198.51.100.0/24")->facts.path_length, 3);
	stage_close(&s);
}

static void an_update_that_cannot_be_read_ends_that_session_with_the_reason(void **state)
{
	static uint8_t broken[sizeof bad_origin];
	struct stage s;
	struct peer *a, *b;

	stage_open(&s);
	a = peer_internal(&s, "a", "192.0.2.2");
	b = peer_internal(&s, "b", "192.0.2.3");
	peer_tells_one(a, BGP_IPV4, peer_set(a, path_ce, 1, NULL), "192.0.2.2", "198.51.100.0/24");
	stage_run(&s);
	memcpy(broken, bad_origin, sizeof broken);
	broken[20] = 200; /* more withdrawn routes than there are bytes */
	peer_says(a, broken, sizeof broken);
	stage_run(&s);
	assert_null(a->connection);
	assert_int_equal(a->notification.code, BGP_ERROR_UPDATE);
	assert_non_null(b->connection);
	assert_null(peer_has(b, BGP_IPV4, "198.51.100.0/24"));
	stage_close(&s);
}

static void max_prefix_warns_and_then_ends_the_session(void **state)
{
	static const char *const three[] = {"198.51.100.0/24", "198.51.101.0/24", "198.51.102.0/24", NULL};
	static const char *const two[] = {"198.51.104.0/24", "198.51.105.0/24", NULL};
	struct bgp_neighbor_config c = peer_config("a", 65000, "192.0.2.2");
	struct stage s;
	struct peer *a, *b;

	stage_open(&s);
	c.limits[BGP_IPV4] = (struct bgp_family_limits){.max_prefix = 4, .warn_percent = 75};
	a = peer_up(&s, &c, NULL);
	b = peer_internal(&s, "b", "192.0.2.3");
	peer_tells(a, BGP_IPV4, peer_set(a, path_ce, 1, NULL), "192.0.2.2", three);
	assert_non_null(stage_find(&s, BGP_EVENT_MAX_PREFIX));
	assert_int_equal(stage_find(&s, BGP_EVENT_MAX_PREFIX)->count, 3);
	assert_false(stage_find(&s, BGP_EVENT_MAX_PREFIX)->final);
	/* The same again is not more. */
	peer_tells(a, BGP_IPV4, peer_set(a, path_long, 3, NULL), "192.0.2.2", three);
	assert_non_null(a->connection);
	peer_tells(a, BGP_IPV4, peer_set(a, path_ce, 1, NULL), "192.0.2.2", two);
	assert_null(a->connection);
	assert_int_equal(a->notification.code, BGP_ERROR_CEASE);
	assert_int_equal(a->notification.subcode, BGP_CEASE_MAX_PREFIX);
	assert_true(stage_find(&s, BGP_EVENT_MAX_PREFIX)->final);
	stage_run(&s);
	assert_non_null(b->connection);
	assert_int_equal(b->told_count, 0);
	assert_int_equal(bgp_rib(s.b, BGP_IPV4)->net_count, 0);
	stage_close(&s);
}

static struct bgp_neighbor_config long_config(const char *name, const char *address)
{
	struct bgp_neighbor_config c = peer_config(name, 65000, address);

	c.client = c.extended_messages = true;
	return c;
}

/* A path of as many segments as fit, and as many communities: all sessions bear it; who cannot be told is not. */
static void an_endless_path_and_endless_communities_are_only_long(void **state)
{
	static struct attributes a;
	static uint8_t path[10000], communities[48000];
	struct bgp_neighbor_config cp = long_config("a", "192.0.2.2"), cq = long_config("b", "192.0.2.3");
	struct writer w = writer_of(path, sizeof path), v = writer_of(communities, sizeof communities);
	struct stage s;
	struct peer *p, *q, *small;

	for (unsigned i = 0; i < 8; i++) {
		writer_u8(&w, BGP_AS_SEQUENCE);
		writer_u8(&w, 255);
		for (unsigned j = 0; j < 255; j++)
			writer_u32(&w, 64512 + j);
	}
	for (unsigned i = 0; i < sizeof communities / 4; i++)
		writer_u32(&v, i);
	stage_open(&s);
	p = peer_up(&s, &cp, NULL);
	q = peer_up(&s, &cq, NULL);
	small = peer_internal(&s, "c", "192.0.2.4");
	a.w = writer_of(a.bytes, sizeof a.bytes);
	bgp_attribute_put(&a.w, BGP_FLAG_TRANSITIVE, BGP_ORIGIN, "", 1);
	bgp_attribute_put(&a.w, BGP_FLAG_TRANSITIVE, BGP_AS_PATH, path, writer_len(&w));
	bgp_attribute_put(&a.w, BGP_FLAG_TRANSITIVE, BGP_LOCAL_PREFERENCE, "\0\0\0\x64", 4);
	bgp_attribute_put(
		&a.w, BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE, BGP_COMMUNITIES, communities, writer_len(&v));
	peer_tells_one(p, BGP_IPV4, reader_of(a.bytes, writer_len(&a.w)), "192.0.2.2", "198.51.100.0/24");
	stage_run(&s);
	assert_int_equal(peer_path(p, BGP_IPV4, "198.51.100.0/24")->set->facts.path_length, 8 * 255);
	assert_int_equal(peer_has(q, BGP_IPV4, "198.51.100.0/24")->facts.path_length, 8 * 255);
	assert_null(peer_has(small, BGP_IPV4, "198.51.100.0/24"));
	assert_non_null(p->connection);
	assert_non_null(q->connection);
	assert_non_null(small->connection);
	stage_close(&s);
}

/* Whatever is refused: the session ends and says why, or all is well; and there is nothing in between. */
static void without_memory_a_session_ends_and_says_so(void **state)
{
	static const char *const prefixes[] = {"198.51.100.0/24", "198.51.101.0/24", NULL};
	bool refused = true;

	for (unsigned n = 1; refused; n++) {
		struct stage s;
		struct peer *a, *b;
		struct reader set;

		stage_open(&s);
		a = peer_internal(&s, "a", "192.0.2.2");
		b = peer_internal(&s, "b", "192.0.2.3");
		set = peer_set(a, path_ce, 1, NULL);
		scarce_at(n);
		peer_tells(a, BGP_IPV4, set, "192.0.2.2", prefixes);
		refused = scarce_happened();
		if (refused && !a->connection) {
			assert_int_equal(a->notification.code, BGP_ERROR_CEASE);
			assert_int_equal(a->notification.subcode, BGP_CEASE_RESOURCES);
		}
		if (!refused)
			assert_non_null(a->connection);
		stage_run(&s);
		assert_int_equal(b->told_count, a->connection ? 2 : 0);
		assert_int_equal(a->neighbor->table[BGP_IPV4].received, a->connection ? 2 : 0);
		stage_close(&s);
	}
}

static void a_lower_max_prefix_counts_at_once(void **state)
{
	static const char *const three[] = {"198.51.100.0/24", "198.51.101.0/24", "198.51.102.0/24", NULL};
	struct bgp_neighbor_config c = peer_config("a", 65000, "192.0.2.2");
	struct stage s;
	struct peer *a;

	stage_open(&s);
	a = peer_up(&s, &c, NULL);
	peer_tells(a, BGP_IPV4, peer_set(a, path_ce, 1, NULL), "192.0.2.2", three);
	c.limits[BGP_IPV4].max_prefix = 3;
	assert_int_equal(bgp_neighbor_change(a->neighbor, &c), 0);
	assert_non_null(a->connection);
	c.limits[BGP_IPV4].max_prefix = 2;
	assert_int_equal(bgp_neighbor_change(a->neighbor, &c), 1);
	assert_null(a->connection);
	assert_int_equal(a->notification.subcode, BGP_CEASE_MAX_PREFIX);
	assert_true(a->neighbor->held);
	assert_true(stage_find(&s, BGP_EVENT_MAX_PREFIX)->final);
	stage_run(&s);
	assert_int_equal(bgp_rib(s.b, BGP_IPV4)->net_count, 0);
	stage_close(&s);
}

/* It may have forgotten what it told before it broke off: that goes first, and does not count with what it tells now. */
static void stale_routes_make_room_for_new_ones_below_max_prefix(void **state)
{
	static const char *const before[] = {"198.51.100.0/24", "198.51.101.0/24", "198.51.102.0/24", NULL};
	static const char *const now[] = {"203.0.113.0/26", "203.0.113.64/26", "203.0.113.128/26", NULL};
	struct bgp_capabilities offers = {.families = BGP_FAMILY_BIT(BGP_IPV4),
		.as4 = true,
		.graceful = true,
		.restart_time = 120,
		.graceful_families = BGP_FAMILY_BIT(BGP_IPV4),
		.preserved = BGP_FAMILY_BIT(BGP_IPV4)};
	struct bgp_neighbor_config c = peer_config("a", 65000, "192.0.2.2");
	struct stage s;
	struct peer *a;

	stage_open(&s);
	c.graceful_restart = true;
	c.limits[BGP_IPV4] = (struct bgp_family_limits){.max_prefix = 3};
	a = peer_up(&s, &c, &offers);
	peer_tells(a, BGP_IPV4, peer_set(a, path_ce, 1, NULL), "192.0.2.2", before);
	bgp_disconnected(a->connection, "Connection reset by peer", s.now);
	assert_int_equal(a->neighbor->table[BGP_IPV4].stale, 3);
	peer_again(a);
	assert_int_equal(a->neighbor->table[BGP_IPV4].stale, 3);
	peer_tells(a, BGP_IPV4, peer_set(a, path_ce, 1, NULL), "192.0.2.2", now);
	stage_run(&s);
	assert_non_null(a->connection);
	assert_int_equal(a->neighbor->table[BGP_IPV4].received, 3);
	assert_null(peer_path(a, BGP_IPV4, "198.51.100.0/24"));
	assert_non_null(peer_path(a, BGP_IPV4, "203.0.113.0/26"));
	peer_tells_one(a, BGP_IPV4, peer_set(a, path_ce, 1, NULL), "192.0.2.2", "203.0.113.192/26");
	assert_null(a->connection);
	stage_close(&s);
}

static void end_of_rib_is_told(void **state)
{
	struct stage s;
	struct peer *a;

	stage_open(&s);
	a = peer_internal(&s, "a", "192.0.2.2");
	peer_ends_rib(a, BGP_IPV6);
	assert_non_null(stage_find(&s, BGP_EVENT_END_OF_RIB));
	assert_int_equal(stage_find(&s, BGP_EVENT_END_OF_RIB)->family, BGP_IPV6);
	stage_close(&s);
}

static void routes_go_with_their_session_in_slices(void **state)
{
	struct stage s;
	struct peer *a, *b;

	stage_open(&s);
	a = peer_internal(&s, "a", "192.0.2.2");
	b = peer_internal(&s, "b", "192.0.2.3");
	for (unsigned i = 0; i < 100; i++) {
		char text[PREFIX_TEXT];

		(void)snprintf(text, sizeof text, "10.0.%u.0/24", i);
		peer_tells_one(a, BGP_IPV4, peer_set(a, path_ce, 1, NULL), "192.0.2.2", text);
	}
	peer_tells_one(b, BGP_IPV4, peer_set(b, path_ce, 1, NULL), "192.0.2.3", "10.0.0.0/24");
	stage_run(&s);
	assert_int_equal(b->told_count, 100 - 1 + (peer_has(b, BGP_IPV4, "10.0.0.0/24") != NULL));
	bgp_disconnected(a->connection, "reset by peer", s.now);
	assert_true(bgp_work(s.b, 10, s.now));
	assert_true(a->neighbor->table[BGP_IPV4].received > 80);
	stage_run(&s);
	assert_int_equal(a->neighbor->table[BGP_IPV4].received, 0);
	assert_int_equal(bgp_rib(s.b, BGP_IPV4)->net_count, 1);
	assert_int_equal(b->told_count, 0);
	stage_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_route_comes_into_the_table_and_goes_again),
		cmocka_unit_test(every_family_has_its_table),
		cmocka_unit_test(an_ipv6_route_over_ipv4_has_an_ipv4_next_hop),
		cmocka_unit_test(the_next_hop_of_an_asbr_that_left_it_unchanged_is_taken_as_it_is),
		cmocka_unit_test(our_own_as_in_the_path_bars_it),
		cmocka_unit_test(the_as_that_we_show_a_neighbour_bars_too),
		cmocka_unit_test(an_external_path_begins_with_the_neighbours_as),
		cmocka_unit_test(what_was_reflected_round_a_circle_is_barred),
		cmocka_unit_test(an_impossible_next_hop_bars_it),
		cmocka_unit_test(an_impossible_destination_bars_it),
		cmocka_unit_test(routes_with_ourselves_as_next_hop_are_not_used),
		cmocka_unit_test(without_an_import_policy_nothing_external_is_used),
		cmocka_unit_test(an_import_policy_rejects_and_changes),
		cmocka_unit_test(tunnels_of_external_neighbours_are_left_out_unless_they_are_trusted),
		cmocka_unit_test(an_attribute_that_is_wrong_withdraws_the_routes_and_harms_nobody_else),
		cmocka_unit_test(an_update_that_cannot_be_read_ends_that_session_with_the_reason),
		cmocka_unit_test(max_prefix_warns_and_then_ends_the_session),
		cmocka_unit_test(an_endless_path_and_endless_communities_are_only_long),
		cmocka_unit_test(without_memory_a_session_ends_and_says_so),
		cmocka_unit_test(a_lower_max_prefix_counts_at_once),
		cmocka_unit_test(stale_routes_make_room_for_new_ones_below_max_prefix),
		cmocka_unit_test(end_of_rib_is_told),
		cmocka_unit_test(routes_go_with_their_session_in_slices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
