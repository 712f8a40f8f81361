/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit tests of bgp/decision: each step by itself, the traps of MED, and 100,000 random route sets against a model that follows the pseudo-code of
 * RFC 4271 section 9.1.2.2 and the rules of RFC 4456 section 9 word by word.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bgp/rib.h"
#include "lib/rng.h"

enum { MOST = DECISION_PATHS, SOURCES = 1000, US = 0, INTERNAL = 1, EXTERNAL = 500 };

/* A path with what its set has. */
struct route {
	struct rib_path path;
	struct bgp_facts facts;
	struct bgp_next_hop next_hop;
};

static struct decision_source sources[SOURCES];

static const struct decision_source *source_of(const struct decision_ops *ops, uint16_t source)
{
	assert_in_range(source, 0, SOURCES - 1);
	return &sources[source];
}

static const struct decision_ops ops = {source_of};

/* The I-th set, made from R. */
static const struct bgp_set *set_of(unsigned i, struct route *r)
{
	static _Alignas(struct bgp_set) uint8_t memory[MOST + 1][sizeof(struct bgp_set)];
	struct bgp_set *set = (struct bgp_set *)memory[i];

	set->next_hop = &r->next_hop;
	set->facts = r->facts;
	return set;
}

/* A route of nothing special from SOURCE. */
static struct route plain(uint16_t source)
{
	struct route r = {.path.source = source, .next_hop = {.answered = true, .reached = true}};

	r.facts = (struct bgp_facts){.local_pref = BGP_LOCAL_PREF, .neighbor_as = 65001, .path_length = 1};
	return r;
}

/* The first are internal, with rising identifiers and addresses; those from EXTERNAL on are external. */
static int set_up(void **state)
{
	sources[US] = (struct decision_source){.ours = true, .id = 0xffffffff};
	for (unsigned i = 1; i < SOURCES; i++)
		sources[i] = (struct decision_source){.external = i >= EXTERNAL,
			.id = i,
			.address = addr4(192, 0, (uint8_t)(i >> 8), (uint8_t)i)};
	return 0;
}

static int choose(struct route *routes, unsigned count, enum decision_step *steps)
{
	static const struct rib_path *paths[MOST + 1];

	for (unsigned i = 0; i < count; i++) {
		routes[i].path.set = set_of(i, &routes[i]);
		paths[i] = &routes[i].path;
	}
	return decision_choose(&ops, paths, count, steps);
}

/* A wins over B at STEP, in whichever order they stand, and also where a third one, which is worse than both, is between them. */
static void check_wins(struct route a, struct route b, enum decision_step step)
{
	struct route worse = plain(400), there[] = {a, b}, back[] = {b, a}, three[] = {b, worse, a};
	enum decision_step steps[3];

	assert_int_equal(choose(there, 2, steps), 0);
	assert_int_equal(steps[0], step);
	assert_int_equal(steps[1], step);
	assert_int_equal(choose(back, 2, steps), 1);
	assert_int_equal(steps[0], step);
	three[1].facts.local_pref = 1;
	assert_int_equal(choose(three, 3, steps), 2);
	assert_int_equal(steps[0], step);
	assert_int_equal(steps[1], DECISION_LOCAL_PREF);
	assert_int_equal(steps[2], step);
	assert_int_equal(choose(three, 3, NULL), 2);
}

static void each_step_decides_when_those_before_do_not(void **state)
{
	struct route a = plain(2), b = plain(1);

	check_wins(b, a, DECISION_IDENTIFIER);
	b.facts.originator_id = 9; /* instead of the identifier */
	check_wins(a, b, DECISION_IDENTIFIER);
	a.facts.originator_id = 9;
	check_wins(b, a, DECISION_ADDRESS);
	b.facts.cluster_length = 1;
	check_wins(a, b, DECISION_CLUSTER);
	a.next_hop.metric = 1;
	check_wins(b, a, DECISION_METRIC);
	a.path.source = EXTERNAL;
	check_wins(a, b, DECISION_EXTERNAL);
	a.facts.med = 1;
	check_wins(b, a, DECISION_MED);
	b.facts.origin = BGP_ORIGIN_INCOMPLETE;
	check_wins(a, b, DECISION_ORIGIN);
	a.facts.path_length = 2;
	check_wins(b, a, DECISION_AS_PATH);
	a.path.source = US;
	check_wins(a, b, DECISION_OURS);
	b.facts.local_pref = 101;
	check_wins(b, a, DECISION_LOCAL_PREF);
}

static void med_counts_among_paths_of_one_neighbouring_as_only(void **state)
{
	struct route a = plain(1), b = plain(2);

	a.facts.med = 10;
	b.facts.neighbor_as = 65002;
	check_wins(a, b, DECISION_IDENTIFIER);
	a.facts.neighbor_as = b.facts.neighbor_as = 0; /* our own: empty paths */
	check_wins(b, a, DECISION_MED);
}

/* Pairwise comparison goes round in a circle here: A beats B by identifier, B beats C by identifier, C beats A by MED. */
static void a_circle_of_meds_has_one_winner(void **state)
{
	static const uint8_t orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	struct route routes[3] = {plain(1), plain(2), plain(3)};

	routes[0].facts.med = 10;
	routes[1].facts.neighbor_as = 65002;
	for (unsigned o = 0; o < 6; o++) {
		struct route ordered[3];
		enum decision_step steps[3];
		int best;

		for (unsigned i = 0; i < 3; i++)
			ordered[i] = routes[orders[o][i]];
		best = choose(ordered, 3, steps);
		assert_int_equal(ordered[best].path.source, 2);
		assert_int_equal(steps[best], DECISION_IDENTIFIER);
		for (unsigned i = 0; i < 3; i++)
			if (ordered[i].path.source == 1)
				assert_int_equal(steps[i], DECISION_MED);
	}
}

static void barred_and_unreached_paths_are_never_chosen(void **state)
{
	struct route routes[3] = {plain(1), plain(2), plain(3)};
	enum decision_step steps[3];

	assert_int_equal(choose(routes, 0, steps), -1);
	for (unsigned bar = BGP_BAR_POLICY; bar <= BGP_BAR_PREFIX; bar++) {
		routes[0].path.bar = bar & 0xf;
		assert_int_equal(choose(routes, 3, steps), 1);
		assert_int_equal(steps[0], DECISION_BARRED);
		assert_int_equal(steps[1], DECISION_IDENTIFIER);
	}
	routes[1].next_hop.reached = false;
	assert_int_equal(choose(routes, 3, steps), 2);
	assert_int_equal(steps[1], DECISION_UNREACHED);
	assert_int_equal(steps[2], DECISION_ONLY);
	routes[2].next_hop.reached = false;
	assert_int_equal(choose(routes, 3, steps), -1);
	assert_int_equal(steps[2], DECISION_UNREACHED);
	routes[2].path.bar = BGP_BAR_CLUSTER;
	assert_int_equal(choose(routes, 3, steps), -1);
	assert_int_equal(steps[2], DECISION_BARRED);
	assert_int_equal(choose(&routes[2], 1, NULL), -1);
}

static void our_own_route_needs_no_next_hop_that_is_reached(void **state)
{
	struct route ours = plain(US);
	enum decision_step step;

	ours.next_hop.reached = false;
	assert_int_equal(choose(&ours, 1, &step), 0);
	assert_int_equal(step, DECISION_ONLY);
}

static void equal_addresses_on_two_links_are_told_apart(void **state)
{
	struct route a = plain(1), b = plain(2);

	sources[2] = sources[1];
	check_wins(a, b, DECISION_ADDRESS);
	set_up(NULL);
}

static void more_paths_than_allowed_are_not_looked_at(void **state)
{
	static struct route routes[MOST + 1];

	for (unsigned i = 0; i <= MOST; i++)
		routes[i] = plain((uint16_t)(i + 1));
	routes[MOST].facts.local_pref = 1000;
	routes[MOST - 1].facts.local_pref = 200;
	assert_int_equal(choose(routes, MOST + 1, NULL), MOST - 1);
}

static void each_step_has_its_words(void **state)
{
	for (unsigned a = DECISION_ONLY; a <= DECISION_ADDRESS; a++)
		for (unsigned b = DECISION_ONLY; b < a; b++)
			assert_string_not_equal(decision_step_text((enum decision_step)a),
				decision_step_text((enum decision_step)b));
}

/* ---- the model ---- */

struct model {
	const struct route *routes;
	unsigned count;
	bool in[MOST];
	enum decision_step out_at[MOST];
};

static void model_remove(struct model *m, unsigned i, enum decision_step step)
{
	m->in[i] = false;
	m->out_at[i] = step;
}

static uint32_t model_identifier(const struct route *r)
{
	return r->facts.originator_id ? r->facts.originator_id : sources[r->path.source].id;
}

/* Is N better than M at STEP? */
static bool model_better(const struct route *n, const struct route *m, enum decision_step step)
{
	const struct bgp_facts *fn = &n->facts, *fm = &m->facts;
	const struct decision_source *sn = &sources[n->path.source], *sm = &sources[m->path.source];

	switch (step) {
	case DECISION_LOCAL_PREF:
		return fn->local_pref > fm->local_pref;
	case DECISION_OURS:
		return sn->ours && !sm->ours;
	case DECISION_AS_PATH:
		return fn->path_length < fm->path_length;
	case DECISION_ORIGIN:
		return fn->origin < fm->origin;
	case DECISION_MED:
		return fn->neighbor_as == fm->neighbor_as && fn->med < fm->med;
	case DECISION_EXTERNAL:
		return sn->external && !sm->external;
	case DECISION_METRIC:
		return n->next_hop.metric < m->next_hop.metric;
	case DECISION_IDENTIFIER:
		return model_identifier(n) < model_identifier(m);
	case DECISION_CLUSTER:
		return fn->cluster_length < fm->cluster_length;
	default:
		return memcmp(sn->address.bytes, sm->address.bytes, 16) < 0;
	}
}

/* "for m = all routes still under consideration, for n = all ..., remove route m from consideration" */
static void model_step(struct model *m, enum decision_step step)
{
	bool doomed[MOST] = {false};

	for (unsigned i = 0; i < m->count; i++)
		for (unsigned j = 0; j < m->count; j++)
			if (m->in[i] && m->in[j] && model_better(&m->routes[j], &m->routes[i], step))
				doomed[i] = true;
	for (unsigned i = 0; i < m->count; i++)
		if (doomed[i])
			model_remove(m, i, step);
}

static int model_choose(struct model *m)
{
	int best = -1;

	for (unsigned i = 0; i < m->count; i++) {
		m->in[i] = true;
		if (m->routes[i].path.bar)
			model_remove(m, i, DECISION_BARRED);
		else if (m->routes[i].path.source != US && !m->routes[i].next_hop.reached)
			model_remove(m, i, DECISION_UNREACHED);
	}
	for (unsigned step = DECISION_LOCAL_PREF; step <= DECISION_ADDRESS; step++)
		model_step(m, (enum decision_step)step);
	for (unsigned i = 0; i < m->count; i++)
		if (m->in[i]) {
			assert_int_equal(best, -1);
			best = (int)i;
		}
	return best;
}

/* Few values, so that all steps are reached. */
static struct route random_route(struct rng *rng, uint16_t source)
{
	struct route r = plain(source);
	struct bgp_facts *f = &r.facts;

	f->local_pref = rng_below(rng, 6) ? 100 : 100 + rng_below(rng, 3);
	f->path_length = (uint16_t)(rng_below(rng, 5) ? 2 : rng_below(rng, 4));
	f->origin = (uint8_t)(rng_below(rng, 5) ? 0 : rng_below(rng, 3));
	f->neighbor_as = rng_below(rng, 4);
	f->med = rng_below(rng, 3);
	f->originator_id = rng_below(rng, 3) ? 0 : 1 + rng_below(rng, 3);
	f->cluster_length = (uint8_t)rng_below(rng, 3);
	r.next_hop.metric = rng_below(rng, 3) ? 10 : rng_below(rng, 20);
	r.next_hop.reached = rng_below(rng, 15) > 0;
	r.path.bar = rng_below(rng, 15) ? 0 : (1 + rng_below(rng, 7)) & 0xf;
	return r;
}

static void swap(struct route *a, struct route *b)
{
	struct route c = *a;

	*a = *b;
	*b = c;
}

static void shuffle(struct rng *rng, struct route *routes, unsigned count)
{
	for (unsigned i = count; i > 1; i--)
		swap(&routes[i - 1], &routes[rng_below(rng, i)]);
}

/* The winner's source, or -1; steps agree with the model's. */
static int check_against_model(struct route *routes, unsigned count)
{
	enum decision_step steps[MOST], last = DECISION_ONLY;
	struct model m = {.routes = routes, .count = count};
	int best = choose(routes, count, steps), expected = model_choose(&m);

	assert_int_equal(best, expected);
	assert_int_equal(choose(routes, count, NULL), expected);
	for (unsigned i = 0; i < count; i++) {
		if ((int)i == best)
			continue;
		assert_int_equal(steps[i], m.out_at[i]);
		if (steps[i] > last && steps[i] > DECISION_UNREACHED)
			last = steps[i];
	}
	if (best >= 0)
		assert_int_equal(steps[best], last);
	return best < 0 ? -1 : routes[best].path.source;
}

/* Sources of their own for each route set; identifiers and addresses agree now and then. */
static unsigned random_set(struct rng *rng, struct route *routes)
{
	unsigned count = rng_below(rng, 500) ? 1 + rng_below(rng, 9) : 1 + rng_below(rng, MOST - 1);
	uint16_t first = (uint16_t)rng_below(rng, SOURCES - count);

	for (unsigned i = 0; i < count; i++) {
		uint16_t source = (uint16_t)(first + i);

		if (source) {
			sources[source].external = rng_below(rng, 2);
			sources[source].id = 1 + rng_below(rng, 4);
		}
		routes[i] = random_route(rng, source);
	}
	return count;
}

static void agrees_with_the_model_in_any_order_and_as_paths_come_and_go(void **state)
{
	static struct route routes[MOST];
	struct rng rng;

	rng_init_seed(&rng, 4271);
	for (unsigned round = 0; round < 100000; round++) {
		unsigned count = random_set(&rng, routes);
		int winner = check_against_model(routes, count);

		shuffle(&rng, routes, count);
		assert_int_equal(check_against_model(routes, count), winner);
		if (count < 2)
			continue;
		/* One less, and it again. */
		(void)check_against_model(routes, count - 1);
		swap(&routes[0], &routes[count - 1]);
		assert_int_equal(check_against_model(routes, count), winner);
	}
	set_up(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_step_decides_when_those_before_do_not),
		cmocka_unit_test(med_counts_among_paths_of_one_neighbouring_as_only),
		cmocka_unit_test(a_circle_of_meds_has_one_winner),
		cmocka_unit_test(barred_and_unreached_paths_are_never_chosen),
		cmocka_unit_test(our_own_route_needs_no_next_hop_that_is_reached),
		cmocka_unit_test(equal_addresses_on_two_links_are_told_apart),
		cmocka_unit_test(more_paths_than_allowed_are_not_looked_at),
		cmocka_unit_test(each_step_has_its_words),
		cmocka_unit_test(agrees_with_the_model_in_any_order_and_as_paths_come_and_go),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
