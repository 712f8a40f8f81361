/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/scarce.h"
#include "peer.h"

static const char NET[] = "198.51.100.0/24", NEXT[] = "203.0.113.0/24";
static const uint32_t path_ce[] = {64512}, path_other[] = {64513, 64514};

static void tell(struct peer *p, const char *prefix, const uint32_t *path, unsigned count)
{
	peer_tells_one(p, BGP_IPV4, peer_set(p, path, count, NULL), "2001:db8::2", prefix);
}

/* The place of the first such entry in what came, or -1. */
static int position(const struct peer *p, char what, enum bgp_family f)
{
	for (unsigned i = 0; i < p->log_count; i++)
		if (p->log[i].what == what && p->log[i].family == f)
			return (int)i;
	return -1;
}

/* ---- order ---- */

static void end_of_rib_follows_the_routes_of_each_family(void **state)
{
	struct stage s;
	struct peer *a, *b;

	stage_open(&s);
	a = peer_internal(&s, "a", "2001:db8::2");
	tell(a, NET, path_ce, 1);
	b = peer_internal(&s, "b", "2001:db8::3");
	for (unsigned f = 0; f < BGP_FAMILIES; f++) {
		assert_true(position(b, 'e', (enum bgp_family)f) >= 0);
		assert_true(b->neighbor->table[f].end_of_rib_out);
	}
	assert_true(position(b, 'u', BGP_IPV4) < position(b, 'e', BGP_IPV4));
	stage_close(&s);
}

/* proves: MESH-SIG-12 */
static void how_to_reach_next_hops_is_told_before_the_routes_over_them(void **state)
{
	struct stage s;
	struct peer *a, *b;

	stage_open(&s);
	a = peer_internal(&s, "a", "2001:db8::2");
	tell(a, NET, path_ce, 1);
	peer_tells_one(a, BGP_IPV6_ENCAP, peer_set(a, path_ce, 1, NULL), "2001:db8::2", "2001:db8::2/128");
	b = peer_internal(&s, "b", "2001:db8::3");
	assert_true(position(b, 'u', BGP_IPV6_ENCAP) >= 0);
	assert_true(position(b, 'u', BGP_IPV6_ENCAP) < position(b, 'u', BGP_IPV4));
	/* Also when both are new at once. */
	peer_forget(b);
	tell(a, NEXT, path_ce, 1);
	peer_tells_one(a, BGP_IPV6_ENCAP, peer_set(a, path_ce, 1, NULL), "2001:db8::2", "2001:db8::9/128");
	stage_run(&s);
	assert_true(position(b, 'u', BGP_IPV6_ENCAP) >= 0);
	assert_true(position(b, 'u', BGP_IPV6_ENCAP) < position(b, 'u', BGP_IPV4));
	stage_close(&s);
}

/* A long table is under way, and does not hold up what comes meanwhile of how to reach its next hops. */
/* proves: MESH-SIG-12 */
static void how_to_reach_next_hops_overtakes_a_long_table(void **state)
{
	enum { NETS = 3000 };
	static uint8_t buf[BGP_OUTPUT];
	struct stage s;
	struct peer *a, *b;

	stage_open(&s);
	a = peer_internal(&s, "a", "2001:db8::2");
	b = peer_internal(&s, "b", "2001:db8::3");
	b->deaf = true;
	for (unsigned i = 0; i < NETS; i++) {
		char text[PREFIX_TEXT];

		(void)snprintf(text, sizeof text, "10.%u.%u.0/24", i >> 8, i & 255);
		tell(a, text, (uint32_t[]){64512, 1 + i}, 2);
	}
	stage_run(&s);
	assert_true(bgp_output(b->connection, buf, sizeof buf, s.now) > 0);
	peer_tells_one(a, BGP_IPV6_ENCAP, peer_set(a, path_ce, 1, NULL), "2001:db8::2", "2001:db8::2/128");
	peer_forget(b);
	b->deaf = false;
	stage_run(&s);
	assert_int_equal(position(b, 'u', BGP_IPV6_ENCAP), 0);
	assert_int_equal(position(b, 'u', BGP_IPV4), 1);
	assert_true(b->told_count > NETS / 4);
	stage_close(&s);
}

/* RFC 2918, RFC 7313 */
static void a_refresh_sends_everything_between_begin_and_end(void **state)
{
	struct stage s;
	struct peer *a, *b;

	stage_open(&s);
	a = peer_internal(&s, "a", "2001:db8::2");
	b = peer_internal(&s, "b", "2001:db8::3");
	tell(a, NET, path_ce, 1);
	stage_run(&s);
	peer_forget(b);
	peer_refreshes(b, BGP_IPV4, BGP_REFRESH_REQUEST);
	stage_run(&s);
	assert_int_equal(peer_has(b, BGP_IPV4, NET)->times, 2);
	assert_true(position(b, 'b', BGP_IPV4) >= 0);
	assert_true(position(b, 'b', BGP_IPV4) < position(b, 'u', BGP_IPV4));
	assert_true(position(b, 'u', BGP_IPV4) < position(b, 'R', BGP_IPV4));
	assert_int_equal(position(b, 'e', BGP_IPV4), -1);
	stage_close(&s);
}

static void who_does_not_know_begin_and_end_gets_the_routes_only(void **state)
{
	struct bgp_capabilities old = {.families = BGP_FAMILY_BIT(BGP_IPV4),
		.extended_next_hop = BGP_FAMILY_BIT(BGP_IPV4),
		.as4 = true,
		.refresh = true};
	struct bgp_neighbor_config c = peer_config("b", 65000, "2001:db8::3");
	struct stage s;
	struct peer *a, *b;

	stage_open(&s);
	c.client = true;
	a = peer_internal(&s, "a", "2001:db8::2");
	b = peer_up(&s, &c, &old);
	tell(a, NET, path_ce, 1);
	stage_run(&s);
	peer_forget(b);
	peer_refreshes(b, BGP_IPV4, BGP_REFRESH_REQUEST);
	stage_run(&s);
	assert_int_equal(peer_has(b, BGP_IPV4, NET)->times, 2);
	assert_int_equal(position(b, 'b', BGP_IPV4), -1);
	assert_int_equal(position(b, 'R', BGP_IPV4), -1);
	stage_close(&s);
}

/* ---- the advertisement interval ---- */

/* RFC 4271 section 9.2.1.1 */
static void between_two_routes_to_a_prefix_is_the_interval(void **state)
{
	enum { INTERVAL = 30000 };
	struct bgp_neighbor_config c = peer_config("b", 65000, "2001:db8::3");
	struct stage s;
	struct peer *a, *b;
	msec last, slowest = 0;

	stage_open(&s);
	c.client = true;
	c.min_interval = INTERVAL;
	c.hold_time = 0;
	a = peer_internal(&s, "a", "2001:db8::2");
	b = peer_up(&s, &c, NULL);
	stage_pass(&s, 2 * INTERVAL);
	tell(a, NET, path_ce, 1);
	stage_run(&s);
	assert_int_equal(peer_has(b, BGP_IPV4, NET)->times, 1); /* the first one does not wait */
	last = s.now;
	for (unsigned i = 0; i < 200; i++) {
		unsigned times = peer_has(b, BGP_IPV4, NET)->times;

		tell(a, NET, i % 2 ? path_ce : path_other, i % 2 ? 1 : 2);
		stage_pass(&s, 1000);
		if (peer_has(b, BGP_IPV4, NET)->times == times)
			continue;
		assert_int_equal(peer_has(b, BGP_IPV4, NET)->times, times + 1);
		assert_true(peer_has(b, BGP_IPV4, NET)->at - last >= INTERVAL * 3 / 4);
		if (peer_has(b, BGP_IPV4, NET)->at - last > slowest)
			slowest = peer_has(b, BGP_IPV4, NET)->at - last;
		last = peer_has(b, BGP_IPV4, NET)->at;
	}
	assert_true(peer_has(b, BGP_IPV4, NET)->times >= 6);
	assert_true(slowest <= INTERVAL + 1000);
	/* The newest state is what is told at last. */
	stage_pass(&s, 2 * INTERVAL);
	assert_int_equal(peer_has(b, BGP_IPV4, NET)->facts.path_length, 1);
	stage_close(&s);
}

static void what_changes_during_a_pass_waits_for_the_next(void **state)
{
	struct bgp_neighbor_config c = peer_config("b", 65000, "2001:db8::3");
	static uint8_t buf[BGP_OUTPUT];
	struct stage s;
	struct peer *a, *b;
	size_t n;

	stage_open(&s);
	c.client = true;
	c.min_interval = 5000;
	a = peer_internal(&s, "a", "2001:db8::2");
	b = peer_up(&s, &c, NULL);
	stage_pass(&s, 10000);
	b->deaf = true;
	for (unsigned i = 0; i < 20000; i++) {
		char text[PREFIX_TEXT];

		(void)snprintf(text, sizeof text, "10.%u.%u.0/24", i >> 8, i & 255);
		tell(a, text, (uint32_t[]){64512, 1 + i % 5000}, 2);
	}
	b->counts = true;
	stage_run(&s);
	assert_true(b->awake);
	n = bgp_output(b->connection, buf, sizeof buf, s.now);
	assert_true(n > 0);
	assert_true(b->neighbor->passing);
	/* The first one, which has been told in this pass, changes. */
	tell(a, "10.0.0.0/24", path_other, 2);
	stage_run(&s);
	while (n) {
		n = bgp_output(b->connection, buf, sizeof buf, s.now);
		for (size_t at = 0; at < n; at += (size_t)(buf[at + 16] << 8 | buf[at + 17]))
			assert_true((buf[at + 16] << 8 | buf[at + 17]) <= b->form.max_message);
	}
	b->awake = b->deaf = false;
	assert_false(b->neighbor->passing);
	assert_false(rib_feed_at_end(&b->neighbor->table[BGP_IPV4].feed));
	peer_forget(b);
	stage_pass(&s, 6000);
	assert_int_equal(b->prefixes, 1);
	stage_close(&s);
}

/* ---- who does not read ---- */

static void a_million_changes_cost_nothing_for_who_does_not_read(void **state)
{
	enum { NETS = 1000, ROUNDS = 1000 };
	static uint8_t update[2][NETS / 100][BGP_MESSAGE_MAX];
	size_t len[2][NETS / 100];
	struct mallinfo2 before, after;
	struct stage s;
	struct peer *a, *b, *c;

	stage_open(&s);
	a = peer_internal(&s, "a", "2001:db8::2");
	b = peer_internal(&s, "b", "2001:db8::3");
	c = peer_internal(&s, "c", "2001:db8::4");
	c->counts = true;
	for (unsigned which = 0; which < 2; which++)
		for (unsigned i = 0; i < NETS / 100; i++) {
			struct writer w = writer_of(update[which][i], BGP_MESSAGE_MAX);
			struct bgp_next_hop_value next_hop = {.global = addr_from("2001:db8::2")};
			struct bgp_update_writer u;

			assert_int_equal(
				bgp_update_begin(&u, &w, &a->form, BGP_IPV4,
					peer_set(a, which ? path_ce : path_other, which ? 1 : 2, NULL),
					&next_hop),
				0);
			for (unsigned j = 0; j < 100; j++) {
				struct addr x = addr4(10, (uint8_t)i, (uint8_t)j, 0);
				struct bgp_nlri nlri = {.prefix = prefix_of(&x, 24)};

				assert_true(bgp_update_add(&u, &nlri));
			}
			bgp_update_end(&u);
			len[which][i] = writer_len(&w);
		}
	for (unsigned i = 0; i < NETS / 100; i++)
		peer_says(a, update[1][i], len[1][i]);
	stage_run(&s);
	assert_int_equal(b->told_count, NETS);
	b->deaf = true;
	before = mallinfo2();
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < NETS / 100; i++)
			peer_says(a, update[round & 1][i], len[round & 1][i]);
		if (round % 100 == 0)
			stage_run(&s);
	}
	stage_run(&s);
	after = mallinfo2();
	assert_true(after.uordblks < before.uordblks + 4096);
	/* And then it hears of each once, as it is now. */
	b->deaf = false;
	peer_forget(b);
	b->counts = true;
	peer_says(a, update[0][0], len[0][0]);
	stage_run(&s);
	assert_int_equal(b->prefixes, NETS);
	stage_close(&s);
}

/* ---- policies ---- */

static struct policy *policy_that_rejects(
	struct policy *p, struct policy_rule rules[2], struct policy_prefix *prefix, const char *text)
{
	*prefix = (struct policy_prefix){prefix_from(text), 0, 32};
	prefix->min = prefix->prefix.len;
	rules[0] = (struct policy_rule){.prefix_count = 1, .prefixes = prefix, .then = POLICY_REJECT};
	rules[1] = (struct policy_rule){.then = POLICY_ACCEPT};
	*p = (struct policy){.name = "but-one", .rule_count = 2, .rules = rules};
	return p;
}

static void another_policy_sends_exactly_what_it_makes_different(void **state)
{
	struct policy_prefix p1, p2;
	struct policy_rule r1[2], r2[3];
	struct policy first, second;
	struct bgp_neighbor_config c = peer_config("b", 65000, "2001:db8::3");
	uint32_t community = 65000u << 16 | 1;
	struct policy_prefix marked = {prefix_from("10.3.0.0/16"), 16, 24};
	struct stage s;
	struct peer *a, *b;

	stage_open(&s);
	c.client = c.has_export = true;
	c.export_policy = policy_that_rejects(&first, r1, &p1, "10.1.0.0/16");
	a = peer_internal(&s, "a", "2001:db8::2");
	b = peer_up(&s, &c, NULL);
	tell(a, "10.0.0.0/16", path_ce, 1);
	tell(a, "10.1.0.0/16", path_ce, 1);
	tell(a, "10.2.0.0/16", path_ce, 1);
	tell(a, "10.3.0.0/16", path_ce, 1);
	stage_run(&s);
	assert_int_equal(b->told_count, 3);
	peer_forget(b);
	policy_that_rejects(&second, r2, &p2, "10.2.0.0/16");
	r2[2] = r2[1];
	r2[1] = (struct policy_rule){.prefix_count = 1,
		.prefixes = &marked,
		.then = POLICY_ACCEPT,
		.add_count = 1,
		.add = &community};
	second.rule_count = 3;
	c.export_policy = &second;
	assert_int_equal(bgp_neighbor_change(b->neighbor, &c), 0);
	/* What comes meanwhile is told, too. */
	tell(a, "10.0.0.0/16", path_other, 2);
	tell(a, "10.4.0.0/16", path_ce, 1);
	stage_run(&s);
	assert_int_equal(peer_has(b, BGP_IPV4, "10.0.0.0/16")->times, 2);
	assert_int_equal(peer_has(b, BGP_IPV4, "10.0.0.0/16")->facts.path_length, 2);
	assert_int_equal(peer_has(b, BGP_IPV4, "10.1.0.0/16")->times, 1);
	assert_null(peer_has(b, BGP_IPV4, "10.2.0.0/16"));
	assert_int_equal(peer_has(b, BGP_IPV4, "10.3.0.0/16")->times, 2);
	assert_true(bgp_community_has(told_set(peer_has(b, BGP_IPV4, "10.3.0.0/16")), community));
	assert_int_equal(peer_has(b, BGP_IPV4, "10.4.0.0/16")->times, 1);
	/* The same policy under another name makes no difference. */
	peer_forget(b);
	(void)snprintf(second.name, sizeof second.name, "renamed");
	assert_int_equal(bgp_neighbor_change(b->neighbor, &c), 0);
	stage_run(&s);
	assert_int_equal(b->prefixes + b->withdrawn, 0);
	/* None: all. */
	c.has_export = false;
	c.export_policy = NULL;
	assert_int_equal(bgp_neighbor_change(b->neighbor, &c), 0);
	stage_run(&s);
	assert_int_equal(b->told_count, 5);
	assert_int_equal(b->prefixes, 2);
	assert_false(bgp_community_has(told_set(peer_has(b, BGP_IPV4, "10.3.0.0/16")), community));
	stage_close(&s);
}

static void a_policy_that_changes_before_all_was_told_loses_nothing(void **state)
{
	struct policy_prefix p1;
	struct policy_rule r1[2];
	struct policy first;
	struct bgp_neighbor_config c = peer_config("b", 65000, "2001:db8::3");
	struct stage s;
	struct peer *a, *b;

	stage_open(&s);
	c.client = true;
	a = peer_internal(&s, "a", "2001:db8::2");
	b = peer_up(&s, &c, NULL);
	tell(a, "10.0.0.0/16", path_ce, 1);
	tell(a, "10.1.0.0/16", path_ce, 1);
	stage_run(&s);
	b->deaf = true;
	tell(a, "10.0.0.0/16", path_other, 2);
	stage_run(&s);
	c.has_export = true;
	c.export_policy = policy_that_rejects(&first, r1, &p1, "10.1.0.0/16");
	assert_int_equal(bgp_neighbor_change(b->neighbor, &c), 0);
	stage_run(&s);
	b->deaf = false;
	stage_run(&s);
	assert_int_equal(peer_has(b, BGP_IPV4, "10.0.0.0/16")->facts.path_length, 2);
	assert_null(peer_has(b, BGP_IPV4, "10.1.0.0/16"));
	stage_close(&s);
}

/* ---- slices ---- */

/* What a neighbour is not concerned with holds nothing up, and is passed over in slices. */
static void many_routes_that_do_not_concern_it_are_passed_over_in_slices(void **state)
{
	enum { NETS = 65536, SETS = 5000 };
	struct bgp_neighbor_config plain = peer_config("plain", 65000, "2001:db8::2"),
				   other = peer_config("other", 65000, "2001:db8::3");
	static uint8_t buf[BGP_OUTPUT];
	struct stage s;
	struct peer *a, *b, *client;

	stage_open(&s);
	a = peer_up(&s, &plain, NULL);
	client = peer_internal(&s, "client", "2001:db8::4");
	client->counts = true;
	for (unsigned i = 0; i < NETS; i++) {
		char text[PREFIX_TEXT];

		(void)snprintf(text, sizeof text, "10.%u.%u.0/24", i >> 8, i & 255);
		tell(a, text, (uint32_t[]){64512, 1 + i % SETS}, 2);
	}
	tell(client, NET, path_ce, 1);
	b = peer_up(&s, &other, NULL);
	assert_false(b->neighbor->table[BGP_IPV4].end_of_rib_out);
	assert_int_equal(bgp_output(b->connection, buf, sizeof buf, s.now), 0);
	stage_pass(&s, 10);
	assert_true(b->neighbor->table[BGP_IPV4].end_of_rib_out);
	assert_int_equal(b->told_count, 1);
	assert_non_null(peer_has(b, BGP_IPV4, NET));
	stage_close(&s);
}

/* ---- memory ---- */

/* Whatever is refused: it is told later, or the session ends and says why; and others are told. */
static void without_memory_routes_are_told_later(void **state)
{
	for (unsigned n = 1;; n++) {
		struct stage s;
		struct peer *a, *b;
		bool refused;

		stage_open(&s);
		a = peer_internal(&s, "a", "2001:db8::2");
		b = peer_internal(&s, "b", "2001:db8::3");
		b->deaf = true;
		tell(a, NET, path_ce, 1);
		stage_run(&s);
		b->told = calloc(b->told_room = 4, sizeof *b->told);
		assert_non_null(b->told);
		b->deaf = false;
		scarce_at(n);
		stage_run(&s);
		refused = scarce_happened();
		if (refused)
			assert_null(peer_has(b, BGP_IPV4, NET));
		stage_pass(&s, 2000);
		assert_non_null(b->connection);
		assert_non_null(peer_has(b, BGP_IPV4, NET));
		stage_close(&s);
		if (!refused)
			break;
	}
}

/* ---- our own restart ---- */

static void nothing_is_told_before_our_own_restart_is_over(void **state)
{
	struct bgp_capabilities graceful = {.families = BGP_FAMILY_BIT(BGP_IPV4),
		.extended_next_hop = BGP_FAMILY_BIT(BGP_IPV4),
		.as4 = true,
		.graceful = true,
		.graceful_families = BGP_FAMILY_BIT(BGP_IPV4)};
	struct bgp_neighbor_config ca = peer_config("a", 65000, "2001:db8::2"),
				   cb = peer_config("b", 65000, "2001:db8::3");
	struct stage s;
	struct peer *a, *b;

	stage_open(&s);
	s.b->deferring = true;
	s.b->defer_until = s.now + 100000;
	ca.client = cb.client = ca.graceful_restart = cb.graceful_restart = true;
	a = peer_up(&s, &ca, &graceful);
	b = peer_up(&s, &cb, &graceful);
	tell(a, NET, path_ce, 1);
	stage_run(&s);
	assert_int_equal(b->updates, 0);
	bgp_check_deferral(s.b, s.now + 100000);
	stage_run(&s);
	assert_non_null(peer_has(b, BGP_IPV4, NET));
	assert_true(position(b, 'u', BGP_IPV4) < position(b, 'e', BGP_IPV4));
	stage_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(end_of_rib_follows_the_routes_of_each_family),
		cmocka_unit_test(how_to_reach_next_hops_is_told_before_the_routes_over_them),
		cmocka_unit_test(how_to_reach_next_hops_overtakes_a_long_table),
		cmocka_unit_test(a_refresh_sends_everything_between_begin_and_end),
		cmocka_unit_test(who_does_not_know_begin_and_end_gets_the_routes_only),
		cmocka_unit_test(between_two_routes_to_a_prefix_is_the_interval),
		cmocka_unit_test(what_changes_during_a_pass_waits_for_the_next),
		cmocka_unit_test(a_million_changes_cost_nothing_for_who_does_not_read),
		cmocka_unit_test(another_policy_sends_exactly_what_it_makes_different),
		cmocka_unit_test(a_policy_that_changes_before_all_was_told_loses_nothing),
		cmocka_unit_test(many_routes_that_do_not_concern_it_are_passed_over_in_slices),
		cmocka_unit_test(without_memory_routes_are_told_later),
		cmocka_unit_test(nothing_is_told_before_our_own_restart_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
