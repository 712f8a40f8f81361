/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit tests of bgp/rib: paths and the best of them, references, memory, and 200,000 random operations of sources, next hops and feeds against a model
 * of arrays.
 */
#include <errno.h>
#include <string.h>

#include "../lib/scarce.h"
#include "bgp/net.h"
#include "lib/rng.h"
#include "table.h"

static struct table t;

static int open4(void **state)
{
	table_open(&t, BGP_IPV4);
	return 0;
}

static int open6(void **state)
{
	table_open(&t, BGP_IPV6_LABELED);
	return 0;
}

static int close(void **state)
{
	table_close(&t);
	return 0;
}

static rib_id net_of(uint32_t i)
{
	struct prefix p = table_prefix(&t, i);

	return rib_find(&t.rib, &p);
}

/* The sources of the paths of prefix I, best first. */
static void expect_paths(uint32_t i, unsigned count, const uint16_t *sources)
{
	rib_id net = net_of(i);
	const struct rib_path *p = net ? rib_first_path(&t.rib, net) : NULL;

	unsigned n = 0;

	for (; p && n < count; p = rib_next_path(&t.rib, p), n++)
		assert_int_equal(p->source, sources[n]);
	assert_int_equal(n, count);
	assert_null(p);
}
#define PATHS(i, ...)                                                                                        \
	expect_paths(i, sizeof((uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t), (uint16_t[]){__VA_ARGS__})

static void the_best_path_is_the_first(void **state)
{
	assert_int_equal(table_tell(&t, 0, 3, 0, BGP_BAR_NONE), 1);
	assert_int_equal(table_tell(&t, 0, 5, 0, BGP_BAR_NONE), 0);
	PATHS(0, 3, 5);
	assert_int_equal(table_tell(&t, 0, 4, 2, BGP_BAR_NONE), 1);
	assert_int_equal(rib_best(&t.rib, net_of(0))->source, 4);
	PATHS(0, 4, 3, 5);
	assert_int_equal(table_tell(&t, 0, 5, 4, BGP_BAR_NONE), 1);
	PATHS(0, 5, 4, 3);
	assert_int_equal(table_withdraw(&t, 0, 4), 0);
	assert_int_equal(table_withdraw(&t, 0, 4), -ENOENT);
	PATHS(0, 5, 3);
	assert_int_equal(
		table_tell(&t, 0, 5, 2, BGP_BAR_NONE), 1); /* still the best, but it says something else */
	PATHS(0, 5, 3);
	assert_int_equal(table_withdraw(&t, 0, 5), 1);
	PATHS(0, 3);
	assert_int_equal(t.rib.path_count, 1);
	assert_int_equal(table_withdraw(&t, 0, 3), 1);
	assert_int_equal(net_of(0), 0);
	assert_int_equal(t.rib.net_count + t.rib.path_count + t.rib.lookup.live, 0);
	assert_int_equal(table_withdraw(&t, 0, 3), -ENOENT);
}

static void barred_and_unreached_paths_are_kept_and_never_best(void **state)
{
	struct bgp_next_hop *hop = t.set[2]->next_hop; /* of sets 2 and 6 and 10 */

	assert_int_equal(table_tell(&t, 0, 1, 11, BGP_BAR_AS_LOOP), 0);
	assert_null(rib_best(&t.rib, net_of(0)));
	PATHS(0, 1);
	assert_int_equal(table_tell(&t, 0, 2, 10, BGP_BAR_NONE), 1);
	assert_int_equal(table_tell(&t, 0, 3, 0, BGP_BAR_NONE), 0);
	PATHS(0, 2, 1, 3);
	hop->reached = false;
	assert_int_equal(rib_best(&t.rib, net_of(0))->source, 2); /* until it is decided again */
	assert_int_equal(rib_decide(&t.rib, net_of(0)), 1);
	assert_int_equal(rib_best(&t.rib, net_of(0))->source, 3);
	assert_int_equal(rib_decide(&t.rib, net_of(0)), 0);
	hop->reached = true;
	assert_int_equal(rib_decide(&t.rib, net_of(0)), 1);
	assert_int_equal(rib_best(&t.rib, net_of(0))->source, 2);
	assert_int_equal(table_tell(&t, 0, 2, 10, BGP_BAR_NEXT_HOP), 1);
	assert_int_equal(rib_best(&t.rib, net_of(0))->source, 3);
	assert_int_equal(table_tell(&t, 0, 3, 0, BGP_BAR_POLICY), 1);
	assert_null(rib_best(&t.rib, net_of(0)));
	assert_int_equal(t.rib.path_count, 3);
	assert_int_equal(table_withdraw(&t, 0, 3), 0);
}

static void what_a_source_had_said_is_told(void **state)
{
	struct bgp_nlri nlri = {.prefix = table_prefix(&t, 0), .label = 16};
	struct rib_was was = {true, true, true};
	struct rib_path *p;

	assert_int_equal(rib_update(&t.rib, &nlri, 7, bgp_set_ref(t.set[0]), BGP_BAR_NONE, 50, &was), 1);
	assert_false(was.there || was.barred || was.stale);
	p = rib_first_path(&t.rib, net_of(0));
	rib_mark_stale(&t.rib, 7);
	p->origin = 2;
	assert_int_equal(p->since, 50);
	assert_int_equal(p->label, 16);
	assert_int_equal(rib_update(&t.rib, &nlri, 7, bgp_set_ref(t.set[0]), BGP_BAR_NONE, 60, &was), 0);
	assert_true(was.there && !was.barred && was.stale);
	assert_int_equal(p->since, 50);
	assert_false(rib_is_stale(&t.rib, p));
	assert_int_equal(p->origin, 2);
	nlri.label = 17;
	assert_int_equal(rib_update(&t.rib, &nlri, 7, bgp_set_ref(t.set[0]), BGP_BAR_POLICY, 70, &was), 1);
	assert_true(was.there && !was.barred && !was.stale);
	assert_int_equal(p->since, 70);
	assert_int_equal(p->label, 17);
	rib_mark_stale(&t.rib, 7);
	assert_int_equal(rib_withdraw(&t.rib, &nlri.prefix, 8, &was), -ENOENT);
	assert_true(was.there && !was.barred && !was.stale); /* untouched */
	assert_int_equal(rib_drop(&t.rib, net_of(0), 8, &was), -ENOENT);
	assert_int_equal(rib_drop(&t.rib, net_of(0), 7, &was), 0);
	assert_true(was.there && was.barred && was.stale);
}

static void no_more_paths_than_route_selection_looks_at(void **state)
{
	struct bgp_nlri nlri = {.prefix = table_prefix(&t, 0)};

	for (unsigned source = 0; source < DECISION_PATHS; source++)
		assert_int_equal(table_tell(&t, 0, (uint16_t)source, 0, BGP_BAR_NONE), source == 0);
	assert_int_equal(
		rib_update(&t.rib, &nlri, 299, bgp_set_ref(t.set[5]), BGP_BAR_NONE, 1, NULL), -ENOSPC);
	assert_int_equal(t.set[5]->refs, 1);
	assert_int_equal(t.rib.path_count, DECISION_PATHS);
	assert_int_equal(table_tell(&t, 0, 200, 5, BGP_BAR_NONE), 1); /* in place of one */
	assert_int_equal(table_withdraw(&t, 0, 17), 0);
	assert_int_equal(table_tell(&t, 0, 299, 7, BGP_BAR_NONE), 1);
	assert_int_equal(rib_best(&t.rib, net_of(0))->source, 299);
}

static void prefixes_of_the_other_family_are_refused(void **state)
{
	struct addr a = addr6_of((const uint8_t[16]){0x20, 1});
	struct bgp_nlri nlri = {.prefix = prefix_of(&a, 16)};

	assert_int_equal(rib_update(&t.rib, &nlri, 1, bgp_set_ref(t.set[0]), BGP_BAR_NONE, 1, NULL), -EINVAL);
	assert_int_equal(rib_withdraw(&t.rib, &nlri.prefix, 1, NULL), -ENOENT);
	assert_int_equal(rib_find(&t.rib, &nlri.prefix), 0);
	assert_int_equal(rib_longest(&t.rib, &a), 0);
	nlri.prefix = (struct prefix){.addr = addr4(10, 0, 0, 0), .len = 33};
	assert_int_equal(rib_update(&t.rib, &nlri, 1, bgp_set_ref(t.set[0]), BGP_BAR_NONE, 1, NULL), -EINVAL);
}

static void tell_text(const char *prefix, enum bgp_bar bar)
{
	struct bgp_nlri nlri = {0};

	assert_int_equal(prefix_parse(prefix, &nlri.prefix), 0);
	assert_true(rib_update(&t.rib, &nlri, 1, bgp_set_ref(t.set[0]), bar, 1, NULL) >= 0);
}

static void expect_longest(const char *address, const char *expected)
{
	char text[PREFIX_TEXT] = "";
	struct prefix p;
	struct addr a;
	rib_id net;

	assert_int_equal(addr_parse(address, &a), 0);
	net = rib_longest(&t.rib, &a);
	if (net) {
		p = rib_prefix(&t.rib, net);
		prefix_print(&p, text);
	}
	assert_string_equal(text, expected);
}

static void the_longest_prefix_with_a_best_path_is_found(void **state)
{
	expect_longest("192.0.2.1", "");
	tell_text("192.0.2.0/24", BGP_BAR_NONE);
	tell_text("192.0.2.0/25", BGP_BAR_POLICY);
	tell_text("192.0.0.0/16", BGP_BAR_NONE);
	tell_text("192.0.2.255/32", BGP_BAR_NONE);
	expect_longest("192.0.2.1", "192.0.2.0/24");
	expect_longest("192.0.2.255", "192.0.2.255/32");
	expect_longest("192.0.3.1", "192.0.0.0/16");
	expect_longest("193.0.0.1", "");
	tell_text("0.0.0.0/0", BGP_BAR_NONE);
	expect_longest("193.0.0.1", "0.0.0.0/0");
}

static void the_longest_ipv6_prefix_is_found(void **state)
{
	tell_text("2001:db8::/32", BGP_BAR_NONE);
	tell_text("2001:db8::/64", BGP_BAR_NONE);
	tell_text("2001:db8::1/128", BGP_BAR_NONE);
	expect_longest("2001:db8::1", "2001:db8::1/128");
	expect_longest("2001:db8::2", "2001:db8::/64");
	expect_longest("2001:db8:0:1::2", "2001:db8::/32");
}

static void a_walk_sees_all_nets_and_may_be_interrupted(void **state)
{
	static struct rib_feed f;
	unsigned seen = 0;

	assert_int_equal(rib_feed_add(&t.rib, &f), 0);
	for (uint32_t i = 0; i < 2500; i++)
		assert_int_equal(table_tell(&t, i, 1, 0, BGP_BAR_NONE), 1);
	for (rib_id net = rib_walk(&t.rib, 0); net; net = rib_walk(&t.rib, net)) {
		assert_non_null(rib_best(&t.rib, net));
		assert_int_equal(rib_drop(&t.rib, net, 1, NULL), 1);
		seen++;
	}
	assert_int_equal(seen, 2500);
	assert_int_equal(rib_walk(&t.rib, 0), 0);
}

/* All of them there, gone, and a number of them there again. */
static void fill_and_empty(uint32_t count, size_t limit)
{
	size_t bytes;

	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(table_tell(&t, i, 1, i % TABLE_SETS, BGP_BAR_NONE), 1);
	bytes = arena_bytes(&t.rib.nets) + arena_bytes(&t.rib.paths) + lookup_bytes(&t.rib.lookup);
	assert_true(bytes <= count * limit);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(rib_best(&t.rib, net_of(i))->set->bytes[7], i % TABLE_SETS);
	assert_int_equal(net_of(count), 0);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(table_withdraw(&t, (uint32_t)((uint64_t)i * 7919 % count), 1), 1);
	assert_int_equal(t.rib.lookup.live, 0);
	assert_int_equal(t.rib.lookup.mask, 7);
	bytes = arena_bytes(&t.rib.nets) + arena_bytes(&t.rib.paths);
	assert_true(bytes <= (size_t)ARENA_CHUNK * 60 + count / 2);
}

static void memory_per_route_is_bounded_and_goes_back(void **state)
{
	fill_and_empty(100000, 60);
	fill_and_empty(50000, 60);
}

static void memory_per_ipv6_route_is_bounded_and_goes_back(void **state)
{
	fill_and_empty(100000, 72);
}

static void refused_memory_leaves_the_table_as_it_was(void **state)
{
	static const uint32_t steps[] = {
		0, 6, 1024}; /* all is new; the slots are full; the chunks are full */
	static const unsigned refusals_expected[] = {7, 1, 2};

	for (unsigned s = 0; s < 3; s++) {
		unsigned refusals = 0;

		for (uint32_t i = 0; i < steps[s]; i++)
			assert_int_equal(table_tell(&t, i, 1, 0, BGP_BAR_NONE), 1);
		for (unsigned n = 1;; n++, refusals++) {
			int rc;

			scarce_at(n);
			rc = table_tell(&t, steps[s], 1, 3, BGP_BAR_NONE);
			if (!scarce_happened())
				break;
			assert_int_equal(rc, -ENOMEM);
			assert_int_equal(t.set[3]->refs, 1);
			assert_int_equal(t.rib.net_count, steps[s]);
			assert_int_equal(t.rib.lookup.live, steps[s]);
			assert_int_equal(t.rib.nets.used, steps[s]);
			assert_int_equal(t.rib.paths.used, steps[s]);
			close(NULL);
			open4(NULL);
			for (uint32_t i = 0; i < steps[s]; i++)
				assert_int_equal(table_tell(&t, i, 1, 0, BGP_BAR_NONE), 1);
		}
		assert_int_equal(refusals, refusals_expected[s]);
		close(NULL);
		open4(NULL);
	}
}

/* A net that was only kept for a feed stays so when its path is refused. */
static void refused_memory_keeps_what_a_feed_has(void **state)
{
	static struct rib_feed f;

	assert_int_equal(rib_feed_add(&t.rib, &f), 0);
	assert_int_equal(table_tell(&t, 0, 1, 0, BGP_BAR_NONE), 1);
	assert_int_equal(rib_feed_set(&f, rib_feed_next(&f), true), 0);
	assert_int_equal(table_withdraw(&t, 0, 1), 1);
	for (uint32_t i = 1; i <= ARENA_CHUNK; i++)
		assert_true(table_tell(&t, i, 1, 0, BGP_BAR_NONE) > 0);
	scarce_at(1);
	assert_int_equal(table_tell(&t, 0, 1, 3, BGP_BAR_NONE), -ENOMEM);
	assert_true(scarce_happened());
	assert_int_equal(t.set[3]->refs, 1);
	assert_int_equal(rib_feed_next(&f), table_net(&t, 0));
	assert_int_equal(rib_feed_set(&f, table_net(&t, 0), false), 0);
	assert_int_equal(table_net(&t, 0), 0);
}

/* ---- the model ---- */

enum { PREFIXES = 40, TELLERS = 6, FEEDS = 5, MANY_FEEDS = 50, STEPS = 200000, MANY_STEPS = 40000 };

struct said {
	bool there, stale;
	unsigned set, label, bar, since;
};

struct model_feed {
	struct rib_feed feed;
	bool there, has[PREFIXES], marked;
	uint64_t place, end, mark; /* times of changes: what is later comes */
	bool woken;                /* it has not been seen at the end since it was */
};

static struct {
	struct said said[PREFIXES][TELLERS];
	int best[PREFIXES]; /* teller, or -1 */
	uint64_t now, changed_at[PREFIXES];
	struct model_feed feeds[MANY_FEEDS];
	unsigned feed_count;
	rib_id net[PREFIXES];  /* as check_all() found them */
	unsigned rib_changed;  /* t.changed as last seen */
	unsigned labels, told; /* what the test has seen happen */
	unsigned marks[TELLERS];
} m;

static uint16_t teller_source(unsigned teller)
{
	return (uint16_t)(teller * 3); /* the first is ourselves */
}

static int model_best(unsigned prefix)
{
	struct rib_path paths[TELLERS];
	const struct rib_path *pointers[TELLERS];
	int teller[TELLERS], best;
	unsigned count = 0;

	for (int i = TELLERS - 1; i >= 0; i--) { /* not the order of the table */
		const struct said *s = &m.said[prefix][i];

		if (!s->there)
			continue;
		paths[count] = (struct rib_path){
			.set = t.set[s->set], .bar = s->bar & 0xf, .source = teller_source((unsigned)i)};
		pointers[count] = &paths[count];
		teller[count++] = i;
	}
	best = decision_choose(t.rib.decision, pointers, count, NULL);
	return best < 0 ? -1 : teller[best];
}

static bool model_had(unsigned prefix)
{
	for (unsigned f = 0; f < m.feed_count; f++)
		if (m.feeds[f].there && m.feeds[f].has[prefix])
			return true;
	return false;
}

/* After a change of PREFIX; TOUCHED: the teller who says something else. Returns what the rib has to. */
static int model_decide(unsigned prefix, int touched)
{
	int best = model_best(prefix), was = m.best[prefix];

	m.best[prefix] = best;
	if (best == was && (best < 0 || best != touched))
		return 0;
	m.changed_at[prefix] = ++m.now;
	return 1;
}

static bool model_wants(const struct model_feed *f, unsigned prefix)
{
	return m.best[prefix] >= 0 || f->has[prefix];
}

/* The first prefix that F wants which changed after its place and until UNTIL, or -1. */
static int model_look(const struct model_feed *f, uint64_t until)
{
	int first = -1;

	for (int p = 0; p < PREFIXES; p++)
		if (model_wants(f, (unsigned)p) && m.changed_at[p] > f->place && m.changed_at[p] <= until &&
			(first < 0 || m.changed_at[p] < m.changed_at[first]))
			first = p;
	return first;
}

static void step_tell(struct rng *rng)
{
	unsigned prefix = rng_below(rng, PREFIXES), teller = rng_below(rng, TELLERS);
	struct said *s = &m.said[prefix][teller],
		    new = {.there = true,
			    .set = rng_below(rng, TABLE_SETS),
			    .label = rng_below(rng, 20) ? 0 : 16,
			    .bar = rng_below(rng, 5) ? 0 : 1 + rng_below(rng, 7),
			    .since = rng_below(rng, 1000)};
	struct bgp_nlri nlri = {.prefix = table_prefix(&t, prefix), .label = new.label};
	bool same = s->there && s->set == new.set && s->label == new.label && s->bar == new.bar;
	struct said old = *s;
	struct rib_was was;
	int rc;

	if (same)
		new.since = s->since;
	*s = new;
	rc = rib_update(&t.rib, &nlri, teller_source(teller), bgp_set_ref(t.set[new.set]),
		(enum bgp_bar) new.bar, new.since, &was);
	assert_int_equal(was.there, old.there);
	assert_int_equal(was.barred, old.there && old.bar);
	assert_int_equal(was.stale, old.there && old.stale);
	assert_int_equal(rc, same ? 0 : model_decide(prefix, (int)teller));
}

static void step_withdraw(struct rng *rng)
{
	unsigned prefix = rng_below(rng, PREFIXES), teller = rng_below(rng, TELLERS);
	struct said *s = &m.said[prefix][teller];
	struct prefix p = table_prefix(&t, prefix);
	struct rib_was was = {0};
	int rc = rib_withdraw(&t.rib, &p, teller_source(teller), &was);

	assert_int_equal(was.there, s->there);
	if (!s->there) {
		assert_int_equal(rc, -ENOENT);
		return;
	}
	*s = (struct said){0};
	assert_int_equal(rc, model_decide(prefix, -1));
}

/* All paths of one source, by a walk. */
static void step_flush(struct rng *rng)
{
	unsigned teller = rng_below(rng, TELLERS);

	for (rib_id net = rib_walk(&t.rib, 0); net; net = rib_walk(&t.rib, net)) {
		struct prefix at = rib_prefix(&t.rib, net);

		for (unsigned prefix = 0; prefix < PREFIXES; prefix++) {
			struct prefix p = table_prefix(&t, prefix);
			int rc;

			if (!prefix_equal(&p, &at))
				continue;
			rc = rib_drop(&t.rib, net, teller_source(teller), NULL);
			assert_int_equal(rc >= 0, m.said[prefix][teller].there);
			m.said[prefix][teller] = (struct said){0};
			if (rc >= 0)
				assert_int_equal(rc, model_decide(prefix, -1));
			break;
		}
	}
}

/* As often as there are rounds, if nothing that is stale is left of the first. */
static void step_stale(struct rng *rng)
{
	unsigned teller = rng_below(rng, TELLERS);
	bool any = false;

	for (unsigned prefix = 0; prefix < PREFIXES; prefix++)
		any |= m.said[prefix][teller].there && m.said[prefix][teller].stale;
	if (!any)
		m.marks[teller] = 0;
	if (m.marks[teller] == RIB_ROUNDS - 1)
		return;
	m.marks[teller]++;
	rib_mark_stale(&t.rib, teller_source(teller));
	for (unsigned prefix = 0; prefix < PREFIXES; prefix++)
		m.said[prefix][teller].stale = true;
}

/* A next hop changes, and some or all nets are decided again. */
static void step_next_hop(struct rng *rng)
{
	struct bgp_next_hop *n = t.set[rng_below(rng, 4)]->next_hop;

	n->reached = rng_below(rng, 4) > 0;
	n->metric = rng_below(rng, 3);
	for (rib_id net = rib_walk(&t.rib, 0); net; net = rib_walk(&t.rib, net)) {
		struct prefix at = rib_prefix(&t.rib, net);

		for (unsigned prefix = 0; prefix < PREFIXES; prefix++) {
			struct prefix p = table_prefix(&t, prefix);

			if (prefix_equal(&p, &at) && rng_below(rng, 3))
				assert_int_equal(rib_decide(&t.rib, net), model_decide(prefix, -1));
		}
	}
}

static void add_feed(struct model_feed *f)
{
	memset(f, 0, sizeof(*f));
	assert_int_equal(rib_feed_add(&t.rib, &f->feed), 0);
	f->there = f->woken = true;
	f->end = m.now;
}

static void step_feed_life(struct rng *rng)
{
	struct model_feed *f = &m.feeds[rng_below(rng, m.feed_count)];

	if (!f->there) {
		add_feed(f);
	} else if (rng_below(rng, 3)) {
		rib_feed_restart(&f->feed);
		f->place = 0;
		f->end = m.now;
		f->woken = true;
	} else {
		rib_feed_remove(&f->feed);
		f->there = false;
	}
}

static unsigned prefix_of_net(rib_id net)
{
	struct prefix at = rib_prefix(&t.rib, net);

	for (unsigned prefix = 0; prefix < PREFIXES; prefix++) {
		struct prefix p = table_prefix(&t, prefix);

		if (prefix_equal(&p, &at))
			return prefix;
	}
	fail_msg("a net that nobody told");
	return 0;
}

/* Few are equally fast; of many the first are a hundred times as fast as the last. */
static unsigned choose_feed(struct rng *rng)
{
	return rng_below(rng, m.feed_count > FEEDS ? 1 + rng_below(rng, m.feed_count) : m.feed_count);
}

/* One feed takes some. */
static void step_feed(struct rng *rng)
{
	struct model_feed *f = &m.feeds[choose_feed(rng)];

	if (!f->there)
		return;
	if (!rng_below(rng, 4)) {
		assert_int_equal(rib_feed_mark(&f->feed), 0);
		f->marked = true;
		f->mark = m.now;
	}
	for (unsigned n = rng_below(rng, 8); n; n--) {
		rib_id net = rib_feed_next(&f->feed);
		int expected = model_look(f, f->marked ? f->mark : UINT64_MAX);
		uint64_t before = f->place;
		bool has;

		if (expected < 0) {
			assert_int_equal(net, 0);
			f->place = f->marked && f->mark > f->place ? f->mark : f->marked ? f->place : m.now;
			break;
		}
		assert_int_equal(prefix_of_net(net), expected);
		assert_int_equal(rib_feed_has(&f->feed, net), f->has[expected]);
		f->place = m.changed_at[expected];
		m.told++;
		if (!rng_below(rng, 6)) { /* it cannot be told now */
			if (rng_below(rng, 2))
				(void)rib_feed_passed(&f->feed);
			rib_feed_again(&f->feed, net);
			f->place = before;
			continue;
		}
		has = m.best[expected] >= 0 && rng_below(rng, 5); /* policy may keep it */
		assert_int_equal(rib_feed_set(&f->feed, net, has), 0);
		f->has[expected] = has;
	}
}

/* For speed only: whatever is expected, and whether it comes or not. */
static void step_expect(struct rng *rng)
{
	struct bgp_nlri nlri[RIB_EXPECT + 1] = {0};
	unsigned count = rng_below(rng, RIB_EXPECT + 2);

	for (unsigned i = 0; i < count; i++)
		nlri[i].prefix = table_prefix(&t, rng_below(rng, 2 * PREFIXES));
	rib_expect(&t.rib, nlri, count);
}

static void check_wakes(void)
{
	for (unsigned i = 0; i < m.feed_count; i++) {
		struct model_feed *f = &m.feeds[i];

		if (t.changed != m.rib_changed)
			f->woken = true;
		if (f->there && model_look(f, UINT64_MAX) >= 0)
			assert_true(f->woken);
	}
	m.rib_changed = t.changed;
}

static void check_feed(struct model_feed *f)
{
	unsigned count = 0;

	assert_int_equal(rib_feed_passed(&f->feed), model_look(f, f->end) < 0);
	assert_int_equal(rib_feed_at_mark(&f->feed), model_look(f, f->marked ? f->mark : UINT64_MAX) < 0);
	assert_int_equal(rib_feed_at_end(&f->feed), model_look(f, UINT64_MAX) < 0);
	if (rib_feed_at_end(&f->feed))
		f->woken = false;
	for (unsigned p = 0; p < PREFIXES; p++) {
		rib_id net = m.net[p];

		count += f->has[p];
		if (f->has[p])
			assert_int_not_equal(net, 0);
		if (net)
			assert_int_equal(rib_feed_has(&f->feed, net), f->has[p]);
	}
	assert_int_equal(f->feed.count, count);
}

/* Places, ends and marks of feeds that are there. */
static unsigned count_at(rib_id mark)
{
	unsigned count = 0;

	for (unsigned i = 0; i < m.feed_count; i++) {
		const struct rib_feed *f = &m.feeds[i].feed;

		count += (f->place == mark) + (f->end == mark) + (f->mark == mark);
	}
	return count;
}

/* What is in the list for feeds: each of them is counted where it stands, and nobody stands anywhere else. */
static void check_marks(void)
{
	unsigned stand = 3 * m.feed_count - count_at(0);

	for (rib_id id = t.rib.first; id; id = net_at(&t.rib, id)->next) {
		const struct rib_net *n = net_at(&t.rib, id);

		if (n->marks) {
			assert_in_range(n->refs, 1, stand);
			assert_int_equal(n->refs, count_at(id));
			stand -= n->refs;
		}
	}
	assert_int_equal(stand, 0);
}

/* Returns how many paths there are. */
static unsigned check_net(unsigned prefix)
{
	unsigned there = 0, seen = 0;
	rib_id net = net_of(prefix);

	for (unsigned i = 0; i < TELLERS; i++)
		there += m.said[prefix][i].there;
	assert_int_equal(net != 0, there > 0);
	assert_int_equal(table_net(&t, prefix) != 0, there > 0 || model_had(prefix));
	if (!net)
		return 0;
	for (struct rib_path *p = rib_first_path(&t.rib, net); p; p = rib_next_path(&t.rib, p), seen++) {
		const struct said *s = &m.said[prefix][p->source / 3];

		assert_true(s->there);
		assert_ptr_equal(p->set, t.set[s->set]);
		assert_int_equal(p->bar, s->bar);
		assert_int_equal(p->label, s->label);
		assert_int_equal(rib_is_stale(&t.rib, p), s->stale);
		assert_int_equal(p->since, s->since);
	}
	assert_int_equal(seen, there);
	assert_int_equal(rib_best(&t.rib, net) != NULL, m.best[prefix] >= 0);
	if (m.best[prefix] >= 0) {
		assert_int_equal(rib_best(&t.rib, net)->source, teller_source((unsigned)m.best[prefix]));
		assert_ptr_equal(rib_best(&t.rib, net), rib_first_path(&t.rib, net));
	}
	return there;
}

static void check_all(void)
{
	unsigned refs[TABLE_SETS], paths = 0, nets = 0, live = 0, marks = 0;

	for (unsigned i = 0; i < TABLE_SETS; i++)
		refs[i] = 1;
	for (unsigned p = 0; p < PREFIXES; p++) {
		unsigned there = check_net(p);

		m.net[p] = table_net(&t, p);
		paths += there;
		nets += there > 0;
		live += there || model_had(p);
		for (unsigned i = 0; i < TELLERS; i++)
			if (m.said[p][i].there)
				refs[m.said[p][i].set]++;
	}
	for (unsigned i = 0; i < TABLE_SETS; i++)
		assert_int_equal(t.set[i]->refs, refs[i]);
	check_marks();
	for (unsigned i = 0; i < m.feed_count; i++)
		if (m.feeds[i].there) {
			check_feed(&m.feeds[i]);
			marks += 2 + m.feeds[i].marked;
		}
	assert_int_equal(t.rib.path_count, paths);
	assert_int_equal(t.rib.paths.used, paths);
	assert_int_equal(t.rib.net_count, nets);
	assert_int_equal(t.rib.lookup.live, live);
	assert_int_equal(t.rib.nets.used, live + marks);
}

static void compare(unsigned feeds, unsigned steps)
{
	struct rng rng;

	memset(&m, 0, sizeof(m));
	m.feed_count = feeds;
	for (unsigned i = FEEDS; i < feeds; i++)
		add_feed(&m.feeds[i]);
	for (unsigned p = 0; p < PREFIXES; p++)
		m.best[p] = -1;
	rng_init_seed(&rng, 1771);
	for (unsigned step = 0; step < steps; step++) {
		unsigned what = rng_below(&rng, 1000);

		/* Now there are more, now there are fewer. */
		if (what < (step / 20000 % 2 ? 200 : 500))
			step_tell(&rng);
		else if (what < 700)
			step_withdraw(&rng);
		else if (what < 980)
			step_feed(&rng);
		else if (what < 985)
			step_feed_life(&rng);
		else if (what < 990)
			step_next_hop(&rng);
		else if (what < 995)
			step_stale(&rng);
		else if (what < 996)
			step_flush(&rng);
		else
			step_expect(&rng);
		check_wakes();
		if (rng_below(&rng, 20) == 0)
			check_all();
	}
	assert_true(m.told > steps / 10);
}

static void agrees_with_a_model_of_arrays(void **state)
{
	compare(FEEDS, STEPS);
}

static void agrees_with_a_model_of_many_feeds_of_different_speeds(void **state)
{
	compare(MANY_FEEDS, MANY_STEPS);
}

#define TEST4(name) cmocka_unit_test_setup_teardown(name, open4, close)
#define TEST6(name) cmocka_unit_test_setup_teardown(name, open6, close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST4(the_best_path_is_the_first),
		TEST4(barred_and_unreached_paths_are_kept_and_never_best),
		TEST6(what_a_source_had_said_is_told),
		TEST4(no_more_paths_than_route_selection_looks_at),
		TEST4(prefixes_of_the_other_family_are_refused),
		TEST4(the_longest_prefix_with_a_best_path_is_found),
		TEST6(the_longest_ipv6_prefix_is_found),
		TEST4(a_walk_sees_all_nets_and_may_be_interrupted),
		TEST4(memory_per_route_is_bounded_and_goes_back),
		TEST6(memory_per_ipv6_route_is_bounded_and_goes_back),
		TEST4(refused_memory_leaves_the_table_as_it_was),
		TEST4(refused_memory_keeps_what_a_feed_has),
		TEST4(agrees_with_a_model_of_arrays),
		TEST6(agrees_with_a_model_of_arrays),
		TEST4(agrees_with_a_model_of_many_feeds_of_different_speeds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
