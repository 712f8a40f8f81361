/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory is refused once, at every place in turn, while speakers do what they do. Nothing breaks, nobody else is harmed, and some time later everything is as if
 * nothing had been: who could not be served is told so (Cease/Out of Resources), and comes again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../lib/scarce.h"
#include "told.h"

enum { ROUTES = 40, PLACES = 20000 };

void *__real_realloc(void *old, size_t size);

/*   B --- S --- C     S reflects; D is nobody's concern but S's */
struct scene {
	struct wire w;
	struct wire_node *s, *b, *c, *d;
};

static void client(struct wire_node *of, struct bgp_neighbor_config *c)
{
	(void)of;
	c->client = true;
}

static void originate(struct wire_node *n, unsigned i)
{
	struct bgp_nlri nlri = {.prefix = {addr4(10, (uint8_t)n->number, (uint8_t)i, 0), 24}};
	struct bgp_next_hop_value ourselves = {0};

	while (bgp_originate(
		n->bgp, BGP_IPV4, &nlri, reader_of(NULL, 0), &ourselves, BGP_NETWORK, n->wire->now))
		; /* its owner tries again */
}

static void originate_all(struct wire_node *n)
{
	for (unsigned i = 0; i < ROUTES; i++)
		originate(n, i);
}

static void scene_init(struct scene *t)
{
	wire_init(&t->w, 1);
	t->s = wire_speaker(&t->w, 65000, 1);
	t->b = wire_speaker(&t->w, 65000, 2);
	t->c = wire_speaker(&t->w, 65000, 3);
	t->d = wire_speaker(&t->w, 65000, 4);
	wire_meet(t->s, t->d, client);
	wire_run(&t->w, 1000);
}

static unsigned best_from(struct wire_node *n, unsigned number)
{
	unsigned count = 0;

	for (unsigned i = 0; i < ROUTES; i++) {
		struct prefix p = {addr4(10, (uint8_t)number, (uint8_t)i, 0), 24};
		struct rib *r = bgp_rib(n->bgp, BGP_IPV4);
		rib_id net = rib_find(r, &p);

		count += net && rib_best(r, net);
	}
	return count;
}

/* ---- what they do ---- */

static void meet_and_tell(struct scene *t)
{
	wire_run(&t->w, 3000);
}

static void prepare_to_meet(struct scene *t)
{
	wire_meet(t->s, t->b, client);
	wire_meet(t->s, t->c, client);
	originate_all(t->b);
	originate_all(t->c);
}

static void prepare_routes(struct scene *t)
{
	prepare_to_meet(t);
	wire_run(&t->w, 5000);
}

static void refresh(struct scene *t)
{
	(void)bgp_neighbor_refresh(wire_neighbor(t->s, t->b), true, true);
	(void)bgp_neighbor_refresh(wire_neighbor(t->s, t->c), true, true);
	wire_run(&t->w, 3000);
}

static void change(struct scene *t)
{
	struct policy_rule rule = {.then = POLICY_ACCEPT, .set_med = true, .med = 7};
	struct policy p = {.name = "p", .rule_count = 1, .rules = &rule};
	struct bgp_neighbor *n = wire_neighbor(t->s, t->b);
	struct bgp_neighbor_config c = n->config;
	int r;

	c.import_policy = c.export_policy = &p;
	c.has_import = c.has_export = true;
	while ((r = bgp_neighbor_change(n, &c)) == -ENOMEM)
		assert_null(n->import); /* nothing changed */
	assert_true(r >= 0);
	wire_run(&t->w, 3000);
}

static void break_off(struct scene *t)
{
	wire_close(wire_end_of(t->b, t->s));
	wire_run(&t->w, 3000);
}

static void next_hops(struct scene *t)
{
	struct addr own = addr4(203, 0, 113, 1);

	while (bgp_set_own_addresses(t->s->bgp, &own, 1))
		;
	wire_run(&t->w, 3000);
}

static void one_more(struct scene *t)
{
	struct wire_node *e = wire_hand(&t->w, 9);
	struct bgp_neighbor_config c = wire_config(t->s, e, 65000);
	struct bgp_neighbor *n = NULL;
	struct policy p = {.name = "p"};

	c.import_policy = c.export_policy = &p;
	if (bgp_neighbor_add(t->s->bgp, &c, &n) == -ENOMEM) {
		assert_null(n);
		assert_null(bgp_neighbor_find(t->s->bgp, c.name));
		assert_int_equal(bgp_neighbor_add(t->s->bgp, &c, &n), 0);
	}
	bgp_neighbor_start(n);
	wire_run(&t->w, 3000);
	bgp_neighbor_remove(n);
}

static const struct {
	const char *name;
	void (*prepare)(struct scene *t);
	void (*run)(struct scene *t);
} scenes[] = {
	{"meet and tell", prepare_to_meet, meet_and_tell},
	{"refresh", prepare_routes, refresh},
	{"change", prepare_routes, change},
	{"break off", prepare_routes, break_off},
	{"next hops", prepare_routes, next_hops},
	{"one more", prepare_routes, one_more},
};

/* False: there is no N-th place any more. */
static bool run_scene(unsigned which, unsigned n)
{
	struct scene t;
	bool happened;

	scene_init(&t);
	scenes[which].prepare(&t);
	scarce_at(n);
	scenes[which].run(&t);
	happened = scarce_happened();
	wire_run(&t.w, 300000);
	if (best_from(t.s, 2) != ROUTES || best_from(t.c, 2) != ROUTES || best_from(t.b, 3) != ROUTES ||
		best_from(t.d, 3) != ROUTES)
		fail_msg("%s, %u: %u %u %u %u", scenes[which].name, n, best_from(t.s, 2), best_from(t.c, 2),
			best_from(t.b, 3), best_from(t.d, 3));
	assert_int_equal(wire_state(t.s, t.b), BGP_ESTABLISHED);
	assert_int_equal(wire_state(t.s, t.c), BGP_ESTABLISHED);
	wire_free(&t.w);
	return happened;
}

static void run_all(unsigned which)
{
	unsigned n;

	for (n = 1; n < PLACES && run_scene(which, n); n++)
		;
	assert_true(n < PLACES);
}

#define SCENE(number, name)                                                                                  \
	static void name(void **state)                                                                       \
	{                                                                                                    \
		(void)state;                                                                                 \
		run_all(number);                                                                             \
	}

SCENE(0, sessions_begin_and_routes_come)
SCENE(1, everything_is_told_again)
SCENE(2, policies_change)
SCENE(3, a_session_breaks)
SCENE(4, own_addresses_change)
SCENE(5, a_neighbour_comes_and_goes)

static void without_memory_there_is_no_speaker(void **state)
{
	struct wire w;
	struct bgp_config config = {.as = 65000, .id = 1};
	struct bgp_ops ops = {0};

	(void)state;
	wire_init(&w, 1);
	scarce_at(1);
	assert_null(bgp_new(&config, &ops, &w.wheel, &w.rng, NULL));
	assert_true(scarce_happened());
	wire_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_memory_there_is_no_speaker),
		cmocka_unit_test(sessions_begin_and_routes_come),
		cmocka_unit_test(everything_is_told_again),
		cmocka_unit_test(policies_change),
		cmocka_unit_test(a_session_breaks),
		cmocka_unit_test(own_addresses_change),
		cmocka_unit_test(a_neighbour_comes_and_goes),
	};

	wire_memory = __real_realloc;
	return cmocka_run_group_tests_name("bgp shortage", tests, NULL, NULL);
}
