/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine as a whole: next hops, work in slices, who is told, and the end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "told.h"

/* ---- next hops ---- */

/* What the test's owner says of next hops, which it remembers. */
struct owner {
	struct bgp_next_hop *hops[8];
	unsigned count;
};

static void remember(struct wire_node *n, struct bgp_next_hop *h, bool wanted)
{
	struct owner *o = n->owner;

	for (unsigned i = 0; i < o->count; i++)
		if (o->hops[i] == h) {
			assert_false(wanted);
			o->hops[i] = o->hops[--o->count];
			return;
		}
	assert_true(wanted && o->count < 8);
	o->hops[o->count++] = h;
}

static struct bgp_next_hop *hop_of(const struct owner *o, const struct addr *a)
{
	for (unsigned i = 0; i < o->count; i++)
		if (addr_equal(&o->hops[i]->value.global, a))
			return o->hops[i];
	return NULL;
}

/* One that is there. */
static struct bgp_next_hop *hop(const struct owner *o, const struct addr *a)
{
	struct bgp_next_hop *h = hop_of(o, a);

	if (!h)
		abort();
	return h;
}

static void client(struct wire_node *of, struct bgp_neighbor_config *c)
{
	(void)of;
	c->client = true;
}

static void originate(struct wire_node *n, const char *prefix)
{
	struct bgp_nlri nlri = {.prefix = told_prefix(prefix)};
	struct bgp_next_hop_value ourselves = {0};

	assert_int_equal(bgp_originate(n->bgp, told_family(&nlri.prefix), &nlri, reader_of(NULL, 0),
				 &ourselves, BGP_NETWORK, n->wire->now),
		0);
}

/* The source of the best path at N: a neighbour's number, or nothing. */
static const struct wire_node *best(struct wire_node *n, const char *prefix)
{
	struct prefix p = told_prefix(prefix);
	struct rib *r = bgp_rib(n->bgp, told_family(&p));
	rib_id net = rib_find(r, &p);
	const struct rib_path *path = net ? rib_best(r, net) : NULL;
	struct bgp_neighbor *from = path ? bgp_source_neighbor(n->bgp, path->source) : NULL;

	for (unsigned i = 0; from && i < n->wire->node_count; i++)
		if (addr_equal(&n->wire->nodes[i]->address, &from->config.address))
			return n->wire->nodes[i];
	return path ? n : NULL;
}

/*   A --- S --- C, B --- S: A and B tell the same prefix; S reflects to C */
struct fork {
	struct wire w;
	struct wire_node *s, *a, *b, *c;
	struct owner owner;
};

static const char *const here = "198.51.100.0/24";

static void fork_init(struct fork *t)
{
	memset(t, 0, sizeof(*t));
	wire_init(&t->w, 1);
	t->s = wire_speaker(&t->w, 65000, 1);
	t->a = wire_speaker(&t->w, 65000, 2);
	t->b = wire_speaker(&t->w, 65000, 3);
	t->c = wire_speaker(&t->w, 65000, 4);
	t->s->owner = &t->owner;
	t->s->next_hop = remember;
	wire_meet(t->s, t->a, client);
	wire_meet(t->s, t->b, client);
	wire_meet(t->s, t->c, client);
	originate(t->a, here);
	originate(t->b, here);
	wire_run(&t->w, 5000);
}

/* And told to the reflector's other client */
/* proves: MESH-BGP-6 partial */
static void a_route_is_used_only_while_its_next_hop_is_reached(void **state)
{
	struct bgp_next_hop *a, *b;
	struct fork t;

	(void)state;
	fork_init(&t);
	a = hop(&t.owner, &t.a->address);
	b = hop(&t.owner, &t.b->address);
	assert_int_equal(t.owner.count, 2);
	assert_null(best(t.s, here)); /* nobody has said that they are */
	assert_null(best(t.c, here));
	bgp_next_hop_answer(t.s->bgp, b, true, 10, NULL);
	wire_run(&t.w, 100);
	assert_ptr_equal(best(t.s, here), t.b);
	assert_ptr_equal(best(t.c, here), t.s);
	bgp_next_hop_answer(t.s->bgp, a, true, 20, NULL);
	wire_run(&t.w, 100);
	assert_ptr_equal(best(t.s, here), t.b);
	bgp_next_hop_answer(t.s->bgp, a, true, 5, NULL); /* nearer now */
	wire_run(&t.w, 100);
	assert_ptr_equal(best(t.s, here), t.a);
	bgp_next_hop_answer(t.s->bgp, a, false, 5, "no route");
	assert_string_equal(a->why, "no route");
	assert_int_equal(a->metric, 0);
	wire_run(&t.w, 100);
	assert_ptr_equal(best(t.s, here), t.b);
	bgp_next_hop_answer(t.s->bgp, b, false, 0,
		"a reason that is much longer than the place for it, which is why it is cut somewhere behind "
		"this word");
	assert_int_equal(strlen(b->why), sizeof(b->why) - 1);
	wire_run(&t.w, 100);
	assert_null(best(t.s, here));
	assert_null(best(t.c, here));
	wire_free(&t.w);
}

/* The answer that comes while the tables are being looked through is not forgotten. */
static void an_answer_in_the_middle_of_a_pass_counts(void **state)
{
	struct bgp_next_hop *a, *b;
	struct fork t;

	(void)state;
	fork_init(&t);
	for (unsigned i = 0; i < 50; i++) {
		char prefix[PREFIX_TEXT];

		snprintf(prefix, sizeof(prefix), "10.0.%u.0/24", i);
		originate(t.a, prefix);
		originate(t.b, prefix);
	}
	wire_run(&t.w, 1000);
	a = hop(&t.owner, &t.a->address);
	b = hop(&t.owner, &t.b->address);
	t.s->slice = 0;
	bgp_next_hop_answer(t.s->bgp, a, true, 20, NULL);
	for (unsigned i = 0; i < 25; i++)
		assert_true(bgp_work(t.s->bgp, 1, t.w.now));
	bgp_next_hop_answer(t.s->bgp, b, true, 10, NULL);
	t.s->slice = 3;
	wire_run(&t.w, 1000);
	for (unsigned i = 0; i < 50; i++) {
		char prefix[PREFIX_TEXT];

		snprintf(prefix, sizeof(prefix), "10.0.%u.0/24", i);
		assert_ptr_equal(best(t.s, prefix), t.b);
		assert_non_null(best(t.c, prefix));
	}
	assert_false(a->changed || b->changed);
	wire_free(&t.w);
}

static void the_same_answer_again_makes_no_work(void **state)
{
	struct bgp_next_hop *a;
	struct fork t;

	(void)state;
	fork_init(&t);
	a = hop(&t.owner, &t.a->address);
	bgp_next_hop_answer(t.s->bgp, a, true, 20, NULL);
	wire_run(&t.w, 100);
	bgp_next_hop_answer(t.s->bgp, a, true, 20, NULL);
	assert_false(t.s->works);
	bgp_next_hop_answer(t.s->bgp, a, true, 21, NULL);
	assert_true(t.s->works);
	wire_free(&t.w);
}

static void next_hops_are_wanted_as_long_as_routes_have_them(void **state)
{
	struct fork t;

	(void)state;
	fork_init(&t);
	assert_int_equal(t.owner.count, 2);
	bgp_unoriginate(t.a->bgp, BGP_IPV4, &(struct prefix){addr4(198, 51, 100, 0), 24}, BGP_NETWORK);
	wire_run(&t.w, 100);
	assert_int_equal(t.owner.count, 1);
	assert_null(hop_of(&t.owner, &t.a->address));
	wire_free(&t.w);
}

static void who_does_not_check_next_hops_asks_nobody(void **state)
{
	struct fork t;

	(void)state;
	memset(&t, 0, sizeof(t));
	wire_init(&t.w, 1);
	t.s = wire_speaker(&t.w, 65000, 1);
	wire_stop(t.s, NULL);
	t.s->config.check_next_hops = false;
	wire_boot(t.s);
	t.s->owner = &t.owner;
	t.s->next_hop = remember;
	t.a = wire_speaker(&t.w, 65000, 2);
	wire_meet(t.s, t.a, NULL);
	originate(t.a, here);
	wire_run(&t.w, 3000);
	assert_int_equal(t.owner.count, 0);
	assert_ptr_equal(best(t.s, here), t.a);
	wire_free(&t.w);
}

/* RFC 4271 section 5.1.3: a route whose next hop is ourselves is none. */
static void routes_through_ourselves_are_not_used(void **state)
{
	struct fork t;

	(void)state;
	fork_init(&t);
	bgp_next_hop_answer(t.s->bgp, hop(&t.owner, &t.a->address), true, 1, NULL);
	bgp_next_hop_answer(t.s->bgp, hop(&t.owner, &t.b->address), true, 2, NULL);
	wire_run(&t.w, 100);
	assert_ptr_equal(best(t.s, here), t.a);
	assert_int_equal(bgp_set_own_addresses(t.s->bgp, &t.a->address, 1), 0);
	wire_run(&t.w, 100);
	assert_ptr_equal(best(t.s, here), t.b);
	assert_true(bgp_is_own(t.s->bgp, &t.a->address) && !bgp_is_own(t.s->bgp, &t.b->address));
	assert_int_equal(bgp_set_own_addresses(t.s->bgp, NULL, 0), 0);
	wire_run(&t.w, 100);
	assert_ptr_equal(best(t.s, here), t.a);
	wire_free(&t.w);
}

/* ---- slices ---- */

static void originate_many(struct wire_node *n, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct bgp_nlri nlri = {.prefix = {addr4(10, (uint8_t)(i >> 8), (uint8_t)i, 0), 24}};
		struct bgp_next_hop_value ourselves = {0};

		assert_int_equal(bgp_originate(n->bgp, BGP_IPV4, &nlri, reader_of(NULL, 0), &ourselves,
					 BGP_NETWORK, n->wire->now),
			0);
	}
}

static void no_restart(struct wire_node *of, struct bgp_neighbor_config *c)
{
	(void)of;
	c->graceful_restart = false;
	c->client = true;
}

static void routes_of_who_is_gone_are_removed_slice_by_slice(void **state)
{
	struct wire w;
	struct wire_node *s, *a, *b;
	const struct rib *r;
	uint32_t before;
	unsigned slices = 0;

	(void)state;
	wire_init(&w, 1);
	s = wire_speaker(&w, 65000, 1);
	a = wire_speaker(&w, 65000, 2);
	b = wire_speaker(&w, 65000, 3);
	wire_meet(s, a, no_restart);
	wire_meet(s, b, no_restart);
	originate_many(a, 5000);
	wire_run(&w, 5000);
	r = bgp_rib(s->bgp, BGP_IPV4);
	assert_int_equal(r->path_count, 5000);
	assert_int_equal(bgp_rib(b->bgp, BGP_IPV4)->path_count, 5000);
	a->refuses = true;
	s->slice = 0;
	bgp_shutdown(a->bgp, NULL);
	wire_run(&w, 5);
	for (before = r->path_count; before; before = r->path_count, slices++) {
		(void)bgp_work(s->bgp, 100, w.now);
		assert_true(before - r->path_count <= 100);
		assert_true(slices < 200);
	}
	s->slice = 100;
	wire_run(&w, 1000);
	assert_int_equal(bgp_rib(b->bgp, BGP_IPV4)->path_count, 0);
	assert_int_equal(wire_state(s, b), BGP_ESTABLISHED);
	assert_false(wire_neighbor(s, a)->flushing);
	wire_free(&w);
}

/* A table that takes long to be written: nothing of it makes the peer wait longer than for a KEEPALIVE. */
static void keepalives_come_in_the_middle_of_many_routes(void **state)
{
	static uint8_t buf[BGP_OUTPUT];
	struct bgp_connection *c;
	unsigned outputs = 0, keepalives = 0;
	struct hand t;
	size_t len;

	(void)state;
	hand_init(&t);
	originate_many(t.s, 60000);
	t.config.hold_time = 90000;
	hand_reach(&t, BGP_OPEN_CONFIRM);
	((struct wire_end *)t.n->connections[0]->owner)->blocked = true;
	hand_send_keepalive(&t);
	wire_run(&t.w, 5);
	c = t.n->up;
	assert_non_null(c);
	/* The socket takes a little only every half minute; then a KEEPALIVE is due, and is there. */
	while ((len = bgp_output(c, buf, sizeof(buf), t.w.now)) > BGP_HEADER && outputs < 100) {
		for (size_t at = 0; at < len; at += (size_t)(buf[at + 16] << 8 | buf[at + 17]))
			keepalives += buf[at + 18] == BGP_KEEPALIVE;
		outputs++;
		t.w.now += 31000;
	}
	assert_in_range(outputs, 3, 99);
	assert_in_range(keepalives, outputs - 1, outputs + 1);
	hand_done(&t);
}

/* ---- who is told ---- */

static void the_owner_hears_of_routes_but_not_in_the_middle_of_things(void **state)
{
	struct wire w;
	struct wire_node *s, *a;
	struct rib_feed feed = {0};
	unsigned told;

	(void)state;
	wire_init(&w, 1);
	s = wire_speaker(&w, 65000, 1);
	a = wire_speaker(&w, 65000, 2);
	wire_meet(s, a, NULL);
	wire_run(&w, 3000);
	assert_int_equal(rib_feed_add(bgp_rib(s->bgp, BGP_IPV4), &feed), 0);
	assert_true(rib_feed_at_end(&feed));
	told = s->routes[BGP_IPV4];
	originate(a, here);
	wire_run(&w, 100);
	assert_int_equal(s->routes[BGP_IPV4], told + 1);
	assert_true(rib_feed_next(&feed) != 0);
	rib_feed_remove(&feed);
	wire_free(&w);
}

static void sources_have_names(void **state)
{
	struct rib_path p = {.source = 0};
	struct hand t;

	(void)state;
	hand_init(&t);
	hand_start(&t);
	p.origin = BGP_NETWORK;
	assert_string_equal(bgp_source_name(t.s->bgp, &p), "network");
	p.origin = BGP_KERNEL;
	assert_string_equal(bgp_source_name(t.s->bgp, &p), "kernel");
	p.origin = BGP_TUNNEL_ENDPOINT;
	assert_string_equal(bgp_source_name(t.s->bgp, &p), "tunnel");
	p.source = t.n->source;
	assert_string_equal(bgp_source_name(t.s->bgp, &p), "n1");
	assert_ptr_equal(bgp_owner(t.s->bgp), t.s);
	assert_int_equal(bgp_config(t.s->bgp)->as, 65000);
	hand_done(&t);
}

static void jitter_is_between_three_quarters_and_all(void **state)
{
	msec least = MSEC_NEVER, most = 0;
	struct hand t;

	(void)state;
	hand_init(&t);
	assert_int_equal(bgp_jitter(t.s->bgp, 0), 0);
	for (unsigned i = 0; i < 20000; i++) {
		msec v = bgp_jitter(t.s->bgp, 1000);

		least = msec_min(least, v);
		most = v > most ? v : most;
	}
	assert_int_equal(least, 750);
	assert_int_equal(most, 1000);
	hand_done(&t);
}

/* ---- the end ---- */

/* What forwards by our routes goes on to do so while we are away. */
static void who_leaves_withdraws_nothing_from_its_owner(void **state)
{
	(void)state;
	for (unsigned words = 0; words < 2; words++) {
		struct fork t;
		unsigned told;

		fork_init(&t);
		bgp_next_hop_answer(t.s->bgp, hop(&t.owner, &t.a->address), true, 1, NULL);
		wire_run(&t.w, 100);
		told = t.s->routes[BGP_IPV4];
		if (words)
			bgp_shutdown(t.s->bgp, "for good");
		else
			bgp_leave(t.s->bgp);
		wire_run(&t.w, 1000);
		assert_int_equal(t.s->routes[BGP_IPV4], told);
		assert_ptr_equal(best(t.s, here), t.a);
		assert_false(rib_is_stale(bgp_rib(t.s->bgp, BGP_IPV4),
			told_path(t.s->bgp, here, wire_neighbor(t.s, t.a)->source)));
		wire_free(&t.w);
	}
}

/* In the middle of everything: no leak, no timer left (wire_free() looks). */
static void a_speaker_may_end_at_any_moment(void **state)
{
	(void)state;
	for (unsigned steps = 0; steps < 400; steps += 3) {
		struct wire w;
		struct wire_node *s, *a;

		wire_init(&w, steps);
		s = wire_speaker(&w, 65000, 1);
		a = wire_speaker(&w, 65000, 2);
		s->slice = 1;
		originate_many(s, 20);
		originate_many(a, 20);
		wire_meet(s, a, steps % 2 ? no_restart : NULL);
		wire_run(&w, steps < 60 ? steps / 3 : steps);
		if (steps % 4 == 1)
			wire_crash(a);
		if (steps % 5 == 1)
			bgp_neighbor_remove(wire_neighbor(s, a));
		wire_stop(s, steps % 3 ? "now" : NULL);
		wire_run(&w, 10);
		wire_free(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_route_is_used_only_while_its_next_hop_is_reached),
		cmocka_unit_test(an_answer_in_the_middle_of_a_pass_counts),
		cmocka_unit_test(the_same_answer_again_makes_no_work),
		cmocka_unit_test(next_hops_are_wanted_as_long_as_routes_have_them),
		cmocka_unit_test(who_does_not_check_next_hops_asks_nobody),
		cmocka_unit_test(routes_through_ourselves_are_not_used),
		cmocka_unit_test(routes_of_who_is_gone_are_removed_slice_by_slice),
		cmocka_unit_test(keepalives_come_in_the_middle_of_many_routes),
		cmocka_unit_test(the_owner_hears_of_routes_but_not_in_the_middle_of_things),
		cmocka_unit_test(sources_have_names),
		cmocka_unit_test(jitter_is_between_three_quarters_and_all),
		cmocka_unit_test(who_leaves_withdraws_nothing_from_its_owner),
		cmocka_unit_test(a_speaker_may_end_at_any_moment),
	};

	return cmocka_run_group_tests_name("bgp bgp", tests, NULL, NULL);
}
