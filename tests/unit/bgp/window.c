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

/* A set that differs from all others by NUMBER. */
static struct reader numbered_set(const struct peer *p, uint32_t number)
{
	return peer_set(p, (uint32_t[]){64512, 70000 + number}, 2, NULL);
}

/* One UPDATE with COUNT prefixes from FIRST on, each STEP further. */
static void tells_many(struct peer *p, struct reader set, unsigned first, unsigned step, unsigned count)
{
	static uint8_t buf[BGP_OUTPUT];
	struct bgp_next_hop_value next_hop = {.global = addr_from("2001:db8::2")};
	struct writer w = writer_of(buf, sizeof buf);
	struct bgp_update_writer u;

	assert_int_equal(bgp_update_begin(&u, &w, &p->form, BGP_IPV4, set, &next_hop), 0);
	for (unsigned i = 0; i < count; i++) {
		unsigned n = first + i * step;
		struct addr a = addr4(10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n);
		struct bgp_nlri nlri = {.prefix = prefix_of(&a, 32)};

		assert_true(bgp_update_add(&u, &nlri));
	}
	bgp_update_end(&u);
	peer_says(p, buf, writer_len(&w));
}

static void routes_go_out_in_as_few_messages_as_they_came_in(void **state)
{
	enum { SETS = 3000 };
	struct stage s;
	struct peer *a, *b;
	unsigned total = 0;

	stage_open(&s);
	a = peer_internal(&s, "a", "2001:db8::2");
	b = peer_internal(&s, "b", "2001:db8::3");
	b->counts = true;
	peer_forget(b);
	for (unsigned i = 0; i < SETS; i++) {
		unsigned count = i % 10 == 0 ? 6 : 3; /* 3.3 */

		tells_many(a, numbered_set(a, i), total, 1, count);
		total += count;
	}
	stage_run(&s);
	assert_int_equal(b->prefixes, total);
	assert_true(b->updates >= SETS);
	assert_true(b->updates <= SETS + SETS / 50);
	/* Also for a neighbour that comes later. */
	b = peer_internal(&s, "c", "2001:db8::4");
	assert_int_equal(b->prefixes, total);
	assert_true(b->updates <= SETS + SETS / 50 + BGP_FAMILIES);
	stage_close(&s);
}

static void prefixes_of_one_set_find_each_other_though_others_lie_between(void **state)
{
	enum { SETS = 100, EACH = 20 };
	struct stage s;
	struct peer *a, *b;

	stage_open(&s);
	a = peer_internal(&s, "a", "2001:db8::2");
	b = peer_internal(&s, "b", "2001:db8::3");
	b->counts = b->deaf = true;
	for (unsigned i = 0; i < EACH; i++)
		for (unsigned j = 0; j < SETS; j++)
			tells_many(a, numbered_set(a, j), i * SETS + j, 1, 1);
	b->deaf = false;
	peer_forget(b);
	stage_run(&s);
	assert_int_equal(b->prefixes, SETS * EACH);
	assert_true(b->updates <= SETS + SETS / 10);
	/* A thousand withdrawals in two messages. */
	peer_forget(b);
	bgp_disconnected(a->connection, "reset by peer", s.now);
	while (bgp_work(s.b, 100000, s.now))
		;
	stage_run(&s);
	assert_int_equal(b->withdrawn, SETS * EACH);
	assert_true(b->updates <= 5);
	stage_close(&s);
}

static void what_a_policy_treats_differently_does_not_share_a_message(void **state)
{
	struct policy_prefix half = {prefix_from("10.0.0.0/25"), 25, 32};
	uint32_t community = 65000u << 16 | 1;
	struct policy_rule rules[] = {
		{.prefix_count = 1,
			.prefixes = &half,
			.then = POLICY_ACCEPT,
			.add_count = 1,
			.add = &community},
		{.then = POLICY_ACCEPT},
	};
	struct policy policy = {.name = "half", .rule_count = 2, .rules = rules};
	struct bgp_neighbor_config c = peer_config("b", 65000, "2001:db8::3");
	struct stage s;
	struct peer *a, *b;

	stage_open(&s);
	c.client = c.has_export = true;
	c.export_policy = &policy;
	a = peer_internal(&s, "a", "2001:db8::2");
	b = peer_up(&s, &c, NULL);
	peer_forget(b);
	tells_many(a, peer_set(a, path_ce, 1, NULL), 0, 1, 256);
	stage_run(&s);
	assert_int_equal(b->told_count, 256);
	assert_int_equal(b->updates, 2);
	for (unsigned i = 0; i < b->told_count; i++)
		assert_int_equal(bgp_community_has(told_set(&b->told[i]), community),
			b->told[i].nlri.prefix.addr.bytes[3] < 128);
	stage_close(&s);
}

/* ---- lengths ---- */

static struct bgp_neighbor_config long_config(const char *name, const char *address)
{
	struct bgp_neighbor_config c = peer_config(name, 65000, address);

	c.client = c.extended_messages = true;
	return c;
}

/* A set with an attribute that nobody knows, of LEN bytes. */
static struct reader long_set(size_t len)
{
	static struct attributes a;
	static uint8_t value[BGP_SET_MAX];

	(void)attributes_of(&a, path_ce, 1, true);
	bgp_attribute_put(&a.w, BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE | BGP_FLAG_PARTIAL, 99, value, len);
	assert_true(writer_ok(&a.w));
	return reader_of(a.bytes, writer_len(&a.w));
}

/* RFC 4271 section 9.2, RFC 8654 section 4 */
static void what_is_longer_than_a_message_is_not_told_and_an_event_says_so(void **state)
{
	struct bgp_neighbor_config ca = long_config("a", "2001:db8::2"), cc = long_config("c", "2001:db8::4");
	struct prefix x = prefix_from("10.0.0.1/32");
	struct stage s;
	struct peer *a, *b, *c;
	char why[200] = "";
	static uint8_t set[BGP_SET_MAX];
	struct writer w = writer_of(set, sizeof set);
	struct bgp_next_hop_value next_hop;
	uint32_t label;
	struct rib *r;

	stage_open(&s);
	r = bgp_rib(s.b, BGP_IPV4);
	a = peer_up(&s, &ca, NULL);
	b = peer_internal(&s, "b", "2001:db8::3");
	c = peer_up(&s, &cc, NULL);
	assert_int_equal(a->form.max_message, BGP_EXTENDED_MAX);
	tells_many(a, peer_set(a, path_ce, 1, NULL), 0, 1, 3);
	stage_run(&s);
	assert_int_equal(b->told_count, 3);
	peer_forget(b);
	tells_many(a, long_set(60000), 1, 1, 2);
	stage_run(&s);
	assert_int_equal(c->told_count, 3);
	assert_true(c->longest > 60000);
	assert_non_null(peer_has(c, BGP_IPV4, "10.0.0.1/32"));
	/* What it had of them, it does not keep; the rest stays, and so does the session. */
	assert_null(peer_has(b, BGP_IPV4, "10.0.0.1/32"));
	assert_null(peer_has(b, BGP_IPV4, "10.0.0.2/32"));
	assert_non_null(peer_has(b, BGP_IPV4, "10.0.0.0/32"));
	assert_int_equal(b->withdrawn, 2);
	assert_non_null(b->connection);
	assert_non_null(stage_find(&s, BGP_EVENT_UNTOLD));
	assert_ptr_equal(stage_find(&s, BGP_EVENT_UNTOLD)->neighbor, b->neighbor);
	assert_non_null(strstr(stage_find(&s, BGP_EVENT_UNTOLD)->error.reason, "4096"));
	assert_int_equal(stage_find(&s, BGP_EVENT_UNTOLD)->prefix.len, 32);
	assert_false(bgp_export(b->neighbor, BGP_IPV4, rib_find(r, &x), rib_best(r, rib_find(r, &x)), &w,
		&next_hop, &label, why, sizeof why));
	assert_non_null(strstr(why, "4096"));
	/* Short again: told again. */
	tells_many(a, peer_set(a, path_ce, 1, NULL), 1, 1, 2);
	stage_run(&s);
	assert_int_equal(b->told_count, 3);
	assert_true(b->longest <= BGP_MESSAGE_MAX);
	stage_close(&s);
}

/* At the limit a byte decides, and no message is longer than agreed on. */
static void a_message_may_be_as_long_as_agreed_on_and_not_longer(void **state)
{
	struct bgp_neighbor_config ca = long_config("a", "2001:db8::2");
	struct stage s;
	struct peer *a, *b;
	bool fitted = true;

	stage_open(&s);
	a = peer_up(&s, &ca, NULL);
	b = peer_internal(&s, "b", "2001:db8::3");
	for (size_t len = 3900; len < 4096; len++) {
		bool told;

		peer_forget(b);
		tells_many(a, long_set(len), 0, 1, 3);
		stage_run(&s);
		told = b->told_count > 0;
		assert_true(b->longest <= BGP_MESSAGE_MAX);
		assert_true(told <= fitted);
		if (told && len > 4000)
			assert_true(b->updates >= 1);
		if (fitted && !told)
			assert_int_equal(peer_path(a, BGP_IPV4, "10.0.0.0/32")->set->len,
				long_set(len).end - long_set(len).pos);
		fitted = told;
	}
	assert_false(fitted);
	stage_close(&s);
}

/* The reader of an output buffer is never given more than fits into it, whatever the sets look like. */
static void long_and_short_sets_mixed_fill_buffers_without_a_loss(void **state)
{
	struct bgp_neighbor_config ca = long_config("a", "2001:db8::2"), cb = long_config("b", "2001:db8::3");
	struct stage s;
	struct peer *a, *b, *c;
	struct rng rng;
	unsigned fitting = 0;

	rng_init_seed(&rng, 7);
	stage_open(&s);
	a = peer_up(&s, &ca, NULL);
	b = peer_up(&s, &cb, NULL);
	c = peer_internal(&s, "c", "2001:db8::4");
	b->deaf = c->deaf = true;
	for (unsigned i = 0; i < 300; i++) {
		size_t len = rng_below(&rng, 4) ? rng_below(&rng, 300) : rng_below(&rng, 65000);

		tells_many(a, long_set(len), i * 3, 1, 1 + rng_below(&rng, 3));
		stage_run(&s);
	}
	b->deaf = c->deaf = false;
	peer_forget(c);
	stage_run(&s);
	assert_int_equal(b->told_count, bgp_rib(s.b, BGP_IPV4)->net_count);
	for (unsigned i = 0; i < b->told_count; i++)
		fitting += b->told[i].set_len < 2000;
	assert_true(c->told_count >= fitting);
	assert_true(c->longest <= BGP_MESSAGE_MAX);
	assert_int_equal(c->neighbor->table[BGP_IPV4].feed.count, c->told_count);
	stage_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_go_out_in_as_few_messages_as_they_came_in),
		cmocka_unit_test(prefixes_of_one_set_find_each_other_though_others_lie_between),
		cmocka_unit_test(what_a_policy_treats_differently_does_not_share_a_message),
		cmocka_unit_test(what_is_longer_than_a_message_is_not_told_and_an_event_says_so),
		cmocka_unit_test(a_message_may_be_as_long_as_agreed_on_and_not_longer),
		cmocka_unit_test(long_and_short_sets_mixed_fill_buffers_without_a_loss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
