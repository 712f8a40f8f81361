/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Twenty speakers and two reflectors in memory, and everything that can happen to them: routes that come and go, sessions and speakers that die, other policies,
 * refreshes, neighbours that do not read, streams that are cut at every byte.
 *
 *        CE17   CE18   CE19   CE20   CE21   CE22        each an AS of its own
 *        /  \    |     /  \    |     /  \    |
 *       3    4   4    5    6   7    7    8   9   10 ... 16      AS 65000, clients of both
 *       +----+---+----+----+---+----+----+---+---+------+
 *                 RR1 ------------------- RR2
 *
 * When it has been quiet for long enough, Loc-RIB and Adj-RIB-In of all must be what a naive model says (bgp_model.h); and when all is taken down,
 * no net, path or set may be left.
 *
 *   bgp                          the seeds below
 *   bgp SEED [EVENTS]            one run
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../unit/bgp/wire.h"
#include "bgp_model.h"

enum { NODES = 22, REFLECTORS = 2, LAST_CLIENT = 16, SEEDS = 25, EVENTS = 400, QUIET = 600000, FAMILIES = 2 };

static const uint32_t community_of[] = {65000u << 16 | 7, 65000u << 16 | 9, 65000u << 16 | 2, BGP_NO_EXPORT};

struct world {
	struct wire wire;
	struct rng rng;
	struct wire_node *node[NODES + 1];
	struct model model;
	bool graceful, next_hop_self[NODES + 1];
	uint32_t min_interval[NODES + 1];
	uint64_t happened;
	char failure[300];
};

static bool __attribute__((format(printf, 2, 3))) fails(struct world *w, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(w->failure, sizeof w->failure, format, args);
	va_end(args);
	return false;
}

/* ---- policies ---- */

static struct policy policies[MODEL_POLICIES];

static void make_policies(void)
{
	static struct policy_prefix odd[MODEL_PREFIXES];
	static struct policy_rule rules[MODEL_POLICIES][2];
	static uint32_t two = 65000u << 16 | 2, seven = 65000u << 16 | 7;
	static const char *const names[] = {"none", "all", "odd", "mark", "prefer", "not-seven", "prepend"};

	for (unsigned p = 0; p < MODEL_PREFIXES; p++) {
		struct addr a4 = addr4(10, (uint8_t)p, 0, 0),
			    a6 = {.family = AF_INET6, .bytes = {0x20, 1, 0xd, 0xb8, 0, (uint8_t)p}};

		odd[p].prefix = p & 2 ? prefix_of(&a6, 48) : prefix_of(&a4, 16);
		odd[p].min = odd[p].max = odd[p].prefix.len;
	}
	/* Those with odd numbers only. */
	for (unsigned p = 0; p < MODEL_PREFIXES / 2; p++)
		odd[p] = odd[2 * p + 1];
	for (unsigned i = 0; i < MODEL_POLICIES; i++) {
		policies[i] = (struct policy){.rule_count = 1, .rules = rules[i]};
		(void)snprintf(policies[i].name, sizeof policies[i].name, "%s", names[i]);
		rules[i][0] = (struct policy_rule){.then = POLICY_ACCEPT};
	}
	rules[MODEL_ODD][0].prefix_count = MODEL_PREFIXES / 2;
	rules[MODEL_ODD][0].prefixes = odd;
	rules[MODEL_MARK][0].add_count = 1;
	rules[MODEL_MARK][0].add = &two;
	rules[MODEL_PREFER][0].set_local_pref = true;
	rules[MODEL_PREFER][0].local_pref = 200;
	policies[MODEL_NOT_SEVEN].rule_count = 2;
	rules[MODEL_NOT_SEVEN][0] =
		(struct policy_rule){.community_count = 1, .communities = &seven, .then = POLICY_REJECT};
	rules[MODEL_NOT_SEVEN][1] = (struct policy_rule){.then = POLICY_ACCEPT};
	rules[MODEL_PREPEND][0].prepend = 2;
}

/*
 * Which may stand where. Only AS 65000 prefers what comes from outside: if a customer preferred what it hears from there to its own, each side could
 * do what the other wants or not, and there would be two states of rest, or none.
 */
static enum model_policy some_policy(struct world *w, unsigned x, bool external, bool import)
{
	static const enum model_policy inside[] = {
		MODEL_NO_POLICY, MODEL_ALL, MODEL_ODD, MODEL_MARK, MODEL_NOT_SEVEN};
	static const enum model_policy outside[] = {MODEL_NO_POLICY, MODEL_ALL, MODEL_ALL, MODEL_ODD,
		MODEL_MARK, MODEL_NOT_SEVEN, MODEL_PREPEND, MODEL_PREFER};
	unsigned count = sizeof outside / sizeof *outside;

	if (!external)
		return inside[rng_below(&w->rng, sizeof inside / sizeof *inside)];
	return outside[rng_below(&w->rng, import && x <= LAST_CLIENT ? count : count - 1)];
}

/* ---- neighbours ---- */

static struct bgp_neighbor_config config_of(const struct world *w, unsigned x, unsigned y)
{
	const struct model_link *l = &w->model.link[x][y];
	struct bgp_neighbor_config c = wire_config(w->node[x], w->node[y], w->model.as[y]);

	c.client = l->client;
	c.next_hop_self = l->next_hop_self;
	c.has_import = l->import != MODEL_NO_POLICY;
	c.has_export = l->export != MODEL_NO_POLICY;
	c.import_policy = c.has_import ? &policies[l->import] : NULL;
	c.export_policy = c.has_export ? &policies[l->export] : NULL;
	c.graceful_restart = w->graceful;
	c.restart_time = 30;
	c.min_interval = w->min_interval[x];
	return c;
}

static void add_neighbors(struct world *w, unsigned x)
{
	for (unsigned y = 1; y <= NODES; y++) {
		struct bgp_neighbor_config c;
		struct bgp_neighbor *n;

		if (!w->model.link[x][y].there)
			continue;
		c = config_of(w, x, y);
		assert_int_equal(bgp_neighbor_add(w->node[x]->bgp, &c, &n), 0);
		bgp_neighbor_start(n);
	}
}

static void link_nodes(struct world *w, unsigned x, unsigned y)
{
	bool external = w->model.as[x] != w->model.as[y];

	for (unsigned i = 0; i < 2; i++) {
		unsigned a = i ? y : x, b = i ? x : y;

		w->model.link[a][b] = (struct model_link){
			.there = true,
			.client = a <= REFLECTORS && b > REFLECTORS,
			.next_hop_self = w->next_hop_self[a],
			.import = external ? MODEL_ALL : MODEL_NO_POLICY,
			.export = external ? MODEL_ALL : MODEL_NO_POLICY,
		};
	}
}

/* ---- routes of their own ---- */

static enum bgp_family family_of(unsigned p)
{
	return p & 2 ? BGP_IPV6 : BGP_IPV4;
}

static struct prefix prefix_number(unsigned p)
{
	struct addr a4 = addr4(10, (uint8_t)p, 0, 0),
		    a6 = {.family = AF_INET6, .bytes = {0x20, 1, 0xd, 0xb8, 0, (uint8_t)p}};

	return p & 2 ? prefix_of(&a6, 48) : prefix_of(&a4, 16);
}

static void originate(struct world *w, unsigned x, unsigned p)
{
	const struct model_route *r = &w->model.own[x][p];
	struct bgp_nlri nlri = {.prefix = prefix_number(p)};
	uint32_t communities[4];
	struct bgp_edit edit = {.communities = communities};
	uint8_t plain[16], set[256];
	struct writer from = writer_of(plain, sizeof plain), to = writer_of(set, sizeof set);

	bgp_attribute_put(&from, BGP_FLAG_TRANSITIVE, BGP_ORIGIN, &r->origin, 1);
	bgp_attribute_put(&from, BGP_FLAG_TRANSITIVE, BGP_AS_PATH, NULL, 0);
	for (unsigned i = 0; i < 4; i++)
		if (r->communities & 1u << i)
			communities[edit.community_count++] = community_of[i];
	assert_int_equal(bgp_set_edit(reader_of(plain, writer_len(&from)), &edit, &to), 0);
	assert_int_equal(bgp_originate(w->node[x]->bgp, family_of(p), &nlri, reader_of(set, writer_len(&to)),
				 NULL, BGP_NETWORK, w->wire.now),
		0);
}

static void toggle_route(struct world *w)
{
	unsigned x = 1 + rng_below(&w->rng, NODES), p = rng_below(&w->rng, MODEL_PREFIXES);
	struct model_route *r = &w->model.own[x][p];
	struct prefix prefix = prefix_number(p);

	if (r->there && rng_below(&w->rng, 2)) {
		r->there = false;
		*r = (struct model_route){0};
		if (w->node[x]->bgp)
			bgp_unoriginate(w->node[x]->bgp, family_of(p), &prefix, BGP_NETWORK);
		return;
	}
	*r = (struct model_route){
		.there = true,
		.from = x,
		.local_pref = BGP_LOCAL_PREF,
		.origin = (uint8_t)rng_below(&w->rng, 3),
		.communities = rng_below(&w->rng, 2) ? rng_below(&w->rng, 16) & ~(unsigned)MODEL_TWO : 0,
		.next_hop = x,
	};
	if (w->node[x]->bgp)
		originate(w, x, p);
}

/* ---- what happens ---- */

/* Two that are neighbours. */
static void some_link(struct world *w, unsigned *ret_x, unsigned *ret_y)
{
	do {
		*ret_x = 1 + rng_below(&w->rng, NODES);
		*ret_y = 1 + rng_below(&w->rng, NODES);
	} while (!w->model.link[*ret_x][*ret_y].there);
}

static void change_policy(struct world *w)
{
	unsigned x, y;
	bool external, import = rng_below(&w->rng, 2);
	struct bgp_neighbor_config c;

	some_link(w, &x, &y);
	external = w->model.as[x] != w->model.as[y];
	*(import ? &w->model.link[x][y].import : &w->model.link[x][y].export) =
		some_policy(w, x, external, import);
	if (!w->node[x]->bgp)
		return;
	c = config_of(w, x, y);
	assert_true(bgp_neighbor_change(wire_neighbor(w->node[x], w->node[y]), &c) >= 0);
}

static void clear_session(struct world *w)
{
	unsigned x, y;

	some_link(w, &x, &y);
	if (w->node[x]->bgp)
		bgp_neighbor_clear(wire_neighbor(w->node[x], w->node[y]), "at random");
}

/* TCP breaks: the session may be kept by graceful restart. */
static void break_session(struct world *w)
{
	unsigned x, y;
	struct wire_end *e;

	some_link(w, &x, &y);
	e = wire_end_of(w->node[x], w->node[y]);
	if (e && e->c)
		bgp_disconnected(e->c, "broken at random", w->wire.now);
}

static void refresh(struct world *w)
{
	unsigned x, y;

	some_link(w, &x, &y);
	if (w->node[x]->bgp)
		(void)bgp_neighbor_refresh(
			wire_neighbor(w->node[x], w->node[y]), rng_below(&w->rng, 2), rng_below(&w->rng, 2));
}

static void boot(struct world *w, unsigned x)
{
	wire_boot(w->node[x]);
	add_neighbors(w, x);
	for (unsigned p = 0; p < MODEL_PREFIXES; p++)
		if (w->model.own[x][p].there)
			originate(w, x, p);
}

static void crash_or_boot(struct world *w)
{
	unsigned x = 1 + rng_below(&w->rng, NODES);

	if (!w->node[x]->bgp)
		boot(w, x);
	else if (rng_below(&w->rng, 2))
		wire_crash(w->node[x]);
	else
		wire_stop(w->node[x], rng_below(&w->rng, 2) ? "at random" : NULL);
}

static void block_or_not(struct world *w)
{
	unsigned x, y;
	struct wire_end *e;

	some_link(w, &x, &y);
	e = wire_end_of(w->node[x], w->node[y]);
	if (e)
		e->blocked = !e->blocked;
}

static void cut_streams(struct world *w)
{
	static const size_t pieces[] = {0, 0, 1, 2, 18, 19, 20, 100};

	w->wire.piece = pieces[rng_below(&w->rng, sizeof pieces / sizeof *pieces)];
}

static void something(struct world *w)
{
	uint32_t dice = rng_below(&w->rng, 100);

	w->happened++;
	if (dice < 60)
		toggle_route(w);
	else if (dice < 72)
		change_policy(w);
	else if (dice < 77)
		clear_session(w);
	else if (dice < 83)
		break_session(w);
	else if (dice < 88)
		refresh(w);
	else if (dice < 91)
		crash_or_boot(w);
	else if (dice < 96)
		block_or_not(w);
	else
		cut_streams(w);
}

/* Everybody is there, and reads. */
static void calm(struct world *w)
{
	w->wire.piece = 0;
	for (struct wire_tcp *t = w->wire.tcps; t; t = t->next)
		t->end[0].blocked = t->end[1].blocked = false;
	for (unsigned x = 1; x <= NODES; x++)
		if (!w->node[x]->bgp)
			boot(w, x);
	wire_run(&w->wire, QUIET);
}

/* ---- is it as it should be? ---- */

static unsigned communities_in(struct reader set)
{
	unsigned bits = 0;

	for (unsigned i = 0; i < 4; i++)
		if (bgp_community_has(set, community_of[i]))
			bits |= 1u << i;
	return bits;
}

static bool path_is(struct reader set, const struct model_route *r)
{
	struct bgp_attribute a;
	unsigned n = 0;

	if (!bgp_attribute_find(set, BGP_AS_PATH, &a))
		return false;
	while (reader_left(&a.value)) {
		if (reader_u8(&a.value) != BGP_AS_SEQUENCE)
			return false;
		for (unsigned i = reader_u8(&a.value); i; i--, n++)
			if (n >= r->path_length || reader_u32(&a.value) != r->path[n])
				return false;
	}
	return n == r->path_length;
}

static bool clusters_are(struct reader set, const struct model_route *r)
{
	struct bgp_attribute a;

	if (!bgp_attribute_find(set, BGP_CLUSTER_LIST, &a))
		return !r->cluster_count;
	for (unsigned i = 0; i < r->cluster_count; i++)
		if (reader_u32(&a.value) != r->clusters[i])
			return false;
	return reader_ok(&a.value) && !reader_left(&a.value);
}

/* What is wrong with the path, or NULL. */
static const char *difference(
	const struct world *w, unsigned x, const struct rib_path *p, const struct model_route *r)
{
	struct reader set = bgp_set_reader(p->set);
	const struct bgp_neighbor *from = bgp_source_neighbor(w->node[x]->bgp, p->source);
	struct addr next_hop = addr4(192, 0, 2, (uint8_t)r->next_hop);

	if (r->from == x ? p->source != 0
			 : !from || !addr_equal(&from->config.address, &w->node[r->from]->address))
		return "who told it";
	if (!path_is(set, r))
		return "path";
	if (p->set->facts.local_pref != r->local_pref)
		return "local preference";
	if (p->set->facts.origin != r->origin)
		return "origin";
	if (communities_in(set) != r->communities)
		return "communities";
	if (p->set->facts.originator_id != r->originator)
		return "originator";
	if (!clusters_are(set, r))
		return "cluster list";
	if (r->from != x && !addr_equal(&p->set->next_hop->value.global, &next_hop))
		return "next hop";
	return NULL;
}

static bool check_prefix(struct world *w, unsigned x, unsigned p)
{
	struct rib *rib = bgp_rib(w->node[x]->bgp, family_of(p));
	struct prefix prefix = prefix_number(p);
	rib_id net = rib_find(rib, &prefix);
	const struct rib_path *best = net ? rib_best(rib, net) : NULL;
	const struct model_route *r = &w->model.best[x][p];
	const char *what;

	if (!best != !r->there)
		return fails(w, "n%u: prefix %u: %s, and should %sbe", x, p, best ? "there" : "not there",
			best ? "not " : "");
	what = best ? difference(w, x, best, r) : NULL;
	if (what)
		return fails(w, "n%u: prefix %u: the wrong %s (best is from n%u)", x, p, what, r->from);
	/* Adj-RIB-In */
	for (unsigned y = 1; y <= NODES; y++) {
		const struct bgp_neighbor *n =
			w->model.link[x][y].there ? wire_neighbor(w->node[x], w->node[y]) : NULL;
		bool told = model_told(&w->model, y, x, p).there, has = false;

		for (const struct rib_path *path = net ? rib_first_path(rib, net) : NULL; path && n;
			path = rib_next_path(rib, path))
			has |= path->source == bgp_neighbor_source(n);
		if (n && told != has)
			return fails(w, "n%u: prefix %u: %s from n%u, and should %sbe", x, p,
				has ? "there" : "not there", y, has ? "not " : "");
	}
	return true;
}

/* Counters and marks are as if nothing had happened. */
static bool check_neighbors(struct world *w, unsigned x)
{
	struct bgp *b = w->node[x]->bgp;

	for (struct bgp_neighbor *n = bgp_neighbor_next(b, NULL); n; n = bgp_neighbor_next(b, n)) {
		if (!n->up)
			return fails(w, "n%u: %s is not up: %s", x, n->config.name, n->last_error.reason);
		for (unsigned f = 0; f < FAMILIES; f++) {
			struct bgp_neighbor_table *t = &n->table[f];
			struct rib *r = bgp_rib(b, (enum bgp_family)f);
			uint32_t received = 0, accepted = 0;

			for (rib_id net = rib_walk(r, 0); net; net = rib_walk(r, net))
				for (const struct rib_path *p = rib_first_path(r, net); p;
					p = rib_next_path(r, p)) {
					received += p->source == n->source;
					accepted += p->source == n->source && !p->bar;
					if (p->source == n->source && rib_is_stale(r, p))
						return fails(w, "n%u: %s: a stale path", x, n->config.name);
				}
			if (t->received != received || t->accepted != accepted || t->stale)
				return fails(w, "n%u: %s counts %u %u %u, there are %u %u 0", x,
					n->config.name, t->received, t->accepted, t->stale, received,
					accepted);
			if (!rib_feed_at_end(&t->feed) || !t->end_of_rib_in || !t->end_of_rib_out)
				return fails(w, "n%u: %s has not been told everything", x, n->config.name);
		}
	}
	return true;
}

static bool check_all(struct world *w)
{
	if (!model_settle(&w->model))
		return fails(w, "the model does not come to rest");
	for (unsigned x = 1; x <= NODES; x++) {
		if (!check_neighbors(w, x))
			return false;
		for (unsigned p = 0; p < MODEL_PREFIXES; p++)
			if (!check_prefix(w, x, p))
				return false;
	}
	return true;
}

/* All is taken down. */
static bool check_leaks(struct world *w)
{
	for (unsigned x = 1; x <= NODES; x++) {
		struct bgp *b = w->node[x]->bgp;

		for (struct bgp_neighbor *n = bgp_neighbor_next(b, NULL), *next; n; n = next) {
			next = bgp_neighbor_next(b, n);
			bgp_neighbor_remove(n);
		}
		for (unsigned p = 0; p < MODEL_PREFIXES; p++) {
			struct prefix prefix = prefix_number(p);

			bgp_unoriginate(b, family_of(p), &prefix, BGP_NETWORK);
		}
	}
	wire_run(&w->wire, 1000);
	for (unsigned x = 1; x <= NODES; x++) {
		struct bgp *b = w->node[x]->bgp;

		for (unsigned f = 0; f < BGP_FAMILIES; f++) {
			const struct rib *r = bgp_rib(b, (enum bgp_family)f);

			if (r->nets.used || r->paths.used || r->path_count || r->feeds)
				return fails(w, "n%u: %u nets and %u paths of %s are left", x, r->nets.used,
					r->paths.used, bgp_family_name((enum bgp_family)f));
		}
		if (b->sets.bytes || b->sets.next_hops.count)
			return fails(w, "n%u: %zu bytes of sets and %u next hops are left", x, b->sets.bytes,
				b->sets.next_hops.count);
	}
	return true;
}

/* ---- a run ---- */

static void open_world(struct world *w, uint64_t seed)
{
	static const unsigned customers[][2] = {
		{17, 3}, {17, 4}, {18, 4}, {19, 5}, {19, 6}, {20, 7}, {21, 7}, {21, 8}, {22, 9}};
	static const uint32_t intervals[] = {0, 0, 100, 2000};

	memset(w, 0, sizeof *w);
	wire_init(&w->wire, seed);
	rng_init_seed(&w->rng, seed * 7919);
	w->graceful = seed % 2;
	w->model.nodes = NODES;
	for (unsigned x = 1; x <= NODES; x++) {
		w->model.as[x] = x > LAST_CLIENT ? 64500 + x : 65000;
		w->node[x] = wire_speaker(&w->wire, w->model.as[x], x);
		w->next_hop_self[x] = x > REFLECTORS && rng_below(&w->rng, 2);
		w->min_interval[x] = intervals[rng_below(&w->rng, 4)];
	}
	link_nodes(w, 1, 2);
	for (unsigned x = REFLECTORS + 1; x <= LAST_CLIENT; x++)
		for (unsigned r = 1; r <= REFLECTORS; r++)
			link_nodes(w, r, x);
	for (unsigned i = 0; i < sizeof customers / sizeof *customers; i++)
		link_nodes(w, customers[i][0], customers[i][1]);
	for (unsigned x = 1; x <= NODES; x++)
		add_neighbors(w, x);
}

static bool run(uint64_t seed, unsigned events)
{
	static struct world w;
	bool ok;

	open_world(&w, seed);
	for (unsigned i = 0; i < events; i++) {
		something(&w);
		wire_run(&w.wire, rng_below(&w.rng, 8) ? rng_below(&w.rng, 50) : rng_below(&w.rng, 3000));
	}
	calm(&w);
	ok = check_all(&w) && check_leaks(&w);
	printf("seed=%llu events=%llu seconds=%llu bytes=%llu: %s\n", (unsigned long long)seed,
		(unsigned long long)w.happened, (unsigned long long)(w.wire.now / 1000 - 1000),
		(unsigned long long)w.wire.bytes, ok ? "all tables are as the model says" : w.failure);
	wire_free(&w.wire);
	return ok;
}

/* proves: MESH-BGP-6 partial, MESH-BGP-17 partial */
static void all_tables_agree_with_the_model_in_the_end(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		assert_true(run(seed, EVENTS));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_tables_agree_with_the_model_in_the_end),
	};

	make_policies();
	if (argc > 1)
		return !run(strtoull(argv[1], NULL, 0), argc > 2 ? (unsigned)atoi(argv[2]) : EVENTS);
	return cmocka_run_group_tests_name("bgp", tests, NULL, NULL);
}
