/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes become rows of the data plane: which endpoint, which backup, who shares a row, and what the kernel is asked for before and after. */
#include "mesh.h"

#include <errno.h>

static const struct bgp_tunnel gre = {.type = BGP_TUNNEL_GRE};

static struct stage *begin(void)
{
	struct stage *s = stage_new();

	for (unsigned i = 1; i <= 4; i++) {
		char text[ADDR_TEXT];

		snprintf(text, sizeof(text), "2001:db8:ff::%u", i);
		stage_way(s, text, NULL, 1500, NULL);
	}
	stage_begin(s, false);
	return s;
}

static const struct mesh_leg *leg(struct stage *s, const struct mesh_path *p, uint8_t dscp)
{
	bool backup;

	return mesh_path_leg(&s->table, p, dscp, &backup);
}

/* proves: MESH-SIG-1, MESH-SIG-5, MESH-SIG-11 partial, MESH-FWD-1 partial, MESH-FWD-3, MESH-BGP-15 partial */
static void a_route_leads_to_its_next_hop_without_anything_configured(void **state)
{
	struct stage *s = begin();
	rib_id net = learn(s, BGP_IPV4, 1, "198.51.100.0/24", "2001:db8:ff::1", 0, NULL, 0);
	const struct mesh_path *p = path_of(s, BGP_IPV4, net);
	const struct mesh_leg *l = leg(s, p, 0);
	struct addr egress = to_addr("2001:db8:ff::1");

	assert_non_null(l);
	assert_true(addr_equal(&l->endpoint->address, &egress));
	assert_int_equal(l->endpoint->template.len, 40);
	assert_memory_equal(l->endpoint->template.bytes + 24, egress.bytes, 16);
	assert_memory_equal(l->endpoint->template.bytes + 8, s->config->core.bytes, 16);
	assert_int_equal(l->endpoint->template.bytes[7], 64);
	assert_true(l->endpoint->usable);
	assert_int_equal(l->endpoint->mtu, 1460);
	stage_free(s);
}

/* proves: MESH-SIG-10 partial, MESH-SIG-2 partial */
static void the_neighbour_entry_is_asked_for_once_and_goes_with_the_last_route(void **state)
{
	struct stage *s = begin();
	rib_id one = learn(s, BGP_IPV4, 1, "198.51.100.0/24", "2001:db8:ff::1", 0, NULL, 0);
	rib_id two = learn(s, BGP_IPV4, 1, "198.51.101.0/24", "2001:db8:ff::1", 0, NULL, 0);
	const struct mesh_path *p = path_of(s, BGP_IPV4, one);
	uint32_t number = p->number;

	path_flush(&s->role); /* as export.c does before it asks for routes */
	assert_true(has_neighbour(s, number));
	assert_ptr_equal(path_of(s, BGP_IPV4, two), p);
	path_flush(&s->role);
	assert_int_equal(s->asked_count, 1);
	stage_answer(s, 0);
	path_release(&s->role, number);
	stage_pass(s, 1);
	assert_true(has_neighbour(s, number));
	assert_int_equal(s->drained_paths, 0);
	path_release(&s->role, number);
	assert_int_equal(s->drained_paths, 1); /* what is in the device by it is sent first */
	stage_pass(s, 1);
	assert_false(has_neighbour(s, number));
	assert_null(mesh_path_find(&s->table, number));
	assert_int_equal(s->softwires->endpoint_count, 0);
	assert_int_not_equal(path_of(s, BGP_IPV4, one)->number, number); /* numbers come back late */
	stage_free(s);
}

static void one_that_comes_and_goes_at_once_costs_the_kernel_nothing(void **state)
{
	struct stage *s = begin();
	rib_id net = learn(s, BGP_IPV4, 1, "198.51.100.0/24", "2001:db8:ff::1", 0, NULL, 0);

	path_release(&s->role, path_of(s, BGP_IPV4, net)->number);
	stage_pass(s, 1);
	assert_int_equal(s->asked_count, 0);
	stage_free(s);
}

static void many_entries_are_asked_for_in_full_requests(void **state)
{
	struct stage *s = begin();

	for (unsigned i = 0; i < 600; i++) {
		const struct bgp_tunnel keyed = {
			.type = BGP_TUNNEL_GRE, .has_encapsulation = true, .has_key = true, .key = i};
		char text[PREFIX_TEXT];

		snprintf(text, sizeof(text), "20.%u.%u.0/24", i >> 8, i & 255);
		(void)path_of(s, BGP_IPV4, learn(s, BGP_IPV4, 1, text, "2001:db8:ff::1", 0, &keyed, 1));
	}
	path_flush(&s->role);
	assert_int_equal(s->asked_count, 3);
	assert_int_equal(s->asked[0].count, KEEPER_NEIGHBOURS);
	stage_free(s);
}

/* proves: MESH-BGP-17 partial */
static void the_backup_is_what_bgp_would_choose_next(void **state)
{
	struct stage *s = begin();
	const struct mesh_path *p;
	struct addr one = to_addr("2001:db8:ff::1"), two = to_addr("2001:db8:ff::2");
	rib_id net;
	bool backup = false;

	(void)learn(s, BGP_IPV4, 4, "198.51.100.0/24", "2001:db8:ff::1", 0, NULL,
		0); /* the same egress is no backup */
	(void)learn(s, BGP_IPV4, 3, "198.51.100.0/24", "2001:db8:ff::3", 0, NULL, 0);
	(void)learn(s, BGP_IPV4, 2, "198.51.100.0/24", "2001:db8:ff::2", 0, NULL, 0);
	net = learn(s, BGP_IPV4, 1, "198.51.100.0/24", "2001:db8:ff::1", 0, NULL, 0);
	p = path_of(s, BGP_IPV4, net);
	assert_true(addr_equal(&p->slots[0].primary.endpoint->address, &one));
	assert_true(addr_equal(&p->slots[0].backup.endpoint->address, &two));
	stage_way(s, "2001:db8:ff::1", NULL, 0, "there is no route to it");
	endpoint_way_changed(&s->role, &one);
	assert_true(addr_equal(&mesh_path_leg(&s->table, p, 0, &backup)->endpoint->address, &two));
	assert_true(backup);
	stage_free(s);
}

static void a_next_hop_that_no_softwire_leads_to_is_no_backup(void **state)
{
	struct stage *s = begin();
	const struct bgp_tunnel l2tpv3 = {.type = BGP_TUNNEL_L2TPV3}; /* without a session */
	struct addr three = to_addr("2001:db8:ff::3");
	rib_id net;

	(void)learn(s, BGP_IPV4, 3, "198.51.100.0/24", "2001:db8:ff::3", 0, NULL, 0);
	(void)learn(s, BGP_IPV4, 2, "198.51.100.0/24", "2001:db8:ff::2", 0, &l2tpv3, 1);
	net = learn(s, BGP_IPV4, 1, "198.51.100.0/24", "2001:db8:ff::1", 0, NULL, 0);
	assert_true(addr_equal(&path_of(s, BGP_IPV4, net)->slots[0].backup.endpoint->address, &three));
	unlearn(s, BGP_IPV4, 3, "198.51.100.0/24");
	assert_null(path_of(s, BGP_IPV4, net)->slots[0].backup.endpoint);
	stage_free(s);
}

/* proves: MESH-SIG-6 partial */
static void without_a_softwire_there_is_a_reason(void **state)
{
	struct stage *s = begin();
	const struct bgp_tunnel l2tpv3 = {.type = BGP_TUNNEL_L2TPV3};
	rib_id net = learn(s, BGP_IPV4, 1, "198.51.100.0/24", "192.0.2.1", 0, NULL, 0);

	assert_non_null(strstr(no_path(s, BGP_IPV4, net), "no address of the core's family"));
	net = learn(s, BGP_IPV4, 1, "198.51.100.0/24", "2001:db8:ff::1", 0, &l2tpv3, 1);
	/* The core's end may be one, and says nothing that can be used: what the rules do not let through is rejected, and goes no other way. */
	assert_true(path_rejects(&s->role, path_of(s, BGP_IPV4, net)->number));
	s->config->endpoint_count = 1;
	s->config->endpoints[0] = to_prefix("2001:db8:fe::/48");
	net = learn(s, BGP_IPV4, 1, "198.51.100.0/24", "2001:db8:ff::1", 0, NULL, 0);
	assert_non_null(strstr(no_path(s, BGP_IPV4, net), "in none of `endpoints`"));
	s->softwires->up = false;
	assert_non_null(strstr(no_path(s, BGP_IPV4, net), "not up"));
	stage_free(s);
}

static const struct bgp_tunnel mpls_in_gre = {.type = BGP_TUNNEL_GRE, .protocol = MESH_MPLS};

/* proves: MESH-FWD-12 partial, MESH-BGP-16 partial */
static void a_labeled_route_takes_its_label_along(void **state)
{
	struct stage *s = begin();
	rib_id net = learn(s, BGP_IPV4_LABELED, 1, "198.51.100.0/24", "2001:db8:ff::1", 100, &mpls_in_gre, 1);
	rib_id other =
		learn(s, BGP_IPV4_LABELED, 1, "198.51.101.0/24", "2001:db8:ff::1", 101, &mpls_in_gre, 1);
	const struct mesh_path *p = path_of(s, BGP_IPV4_LABELED, net),
			       *q = path_of(s, BGP_IPV4_LABELED, other);

	assert_true(p->slots[0].primary.endpoint->template.mpls);
	assert_int_equal(p->slots[0].primary.label, 100);
	assert_int_equal(q->slots[0].primary.label, 101);
	assert_ptr_not_equal(p, q);
	assert_ptr_equal(p->slots[0].primary.endpoint, q->slots[0].primary.endpoint);
	stage_free(s);
}

/* RFC 3032 section 2.1: 3 never stands in a packet; 0 and 2 say of which family it is. */
static void null_labels_mean_what_they_say(void **state)
{
	struct stage *s = begin();
	rib_id net = learn(s, BGP_IPV4_LABELED, 1, "198.51.100.0/24", "2001:db8:ff::1", 3, &gre, 1);
	const struct mesh_path *p = path_of(s, BGP_IPV4_LABELED, net);

	assert_false(p->slots[0].primary.endpoint->template.mpls);
	net = learn(s, BGP_IPV4_LABELED, 1, "198.51.101.0/24", "2001:db8:ff::1", 0, &mpls_in_gre, 1);
	p = path_of(s, BGP_IPV4_LABELED, net);
	assert_true(p->slots[0].primary.endpoint->template.mpls);
	assert_int_equal(p->slots[0].primary.label, 0);
	net = learn(s, BGP_IPV4_LABELED, 1, "198.51.102.0/24", "2001:db8:ff::1", 2, &mpls_in_gre, 1);
	assert_non_null(strstr(no_path(s, BGP_IPV4_LABELED, net), "says that it is IPv6"));
	net = learn(s, BGP_IPV6_LABELED, 1, "2001:db8:100::/40", "2001:db8:ff::1", 0, &mpls_in_gre, 1);
	assert_non_null(strstr(no_path(s, BGP_IPV6_LABELED, net), "says that it is IPv4"));
	net = learn(s, BGP_IPV4_LABELED, 1, "198.51.103.0/24", "2001:db8:ff::1", 1, &mpls_in_gre, 1);
	assert_non_null(strstr(no_path(s, BGP_IPV4_LABELED, net), "reserved"));
	stage_free(s);
}

static void two_rules(struct stage *s)
{
	struct afbr_rule *r = calloc(2, sizeof(*r));

	r[0] = (struct afbr_rule){
		.dscp = UINT64_C(1) << 46, .use_count = 1, .use = {AFBR_USE_GRE}, .hop_limit = 32};
	r[1] = (struct afbr_rule){.dscp = UINT64_MAX,
		.use_count = 1,
		.use = {AFBR_USE_IPIP},
		.hop_limit = 64,
		.set_dscp = true,
		.outer_dscp = 8};
	s->config->rules = r;
	s->config->rule_count = 2;
	assert_int_equal(choose_slots(s->config), 0);
	memcpy(s->table.slot_of, s->config->slot_of, sizeof(s->table.slot_of));
	choice_change(s->softwires);
}

/* proves: MESH-FWD-9 partial, MESH-FWD-11 partial */
static void classes_of_traffic_have_slots_of_their_own(void **state)
{
	struct stage *s = begin();
	const struct mesh_path *p;
	rib_id net;

	two_rules(s);
	net = learn(s, BGP_IPV4, 1, "198.51.100.0/24", "2001:db8:ff::1", 0, NULL, 0);
	p = path_of(s, BGP_IPV4, net);
	assert_int_equal(leg(s, p, 46)->endpoint->template.kind[0], MESH_GRE);
	assert_int_equal(leg(s, p, 46)->endpoint->template.bytes[7], 32);
	assert_false(leg(s, p, 46)->endpoint->set_dscp);
	assert_int_equal(leg(s, p, 0)->endpoint->template.kind[0], MESH_IPIP);
	assert_true(leg(s, p, 0)->endpoint->set_dscp);
	assert_int_equal(leg(s, p, 0)->endpoint->dscp, 8);
	assert_int_equal(s->softwires->endpoint_count, 2);
	stage_free(s);
}

/* Answers are remembered; but not what the rules' prefixes tell apart, nor over a change. */
static void what_is_remembered_is_still_right(void **state)
{
	struct stage *s = begin();
	struct prefix inside = to_prefix("198.51.100.0/24");
	struct afbr_rule *r = calloc(2, sizeof(*r));
	rib_id one, two;
	const struct mesh_path *p;

	r[0] = (struct afbr_rule){.dscp = UINT64_MAX, .use_count = 1, .use = {AFBR_USE_GRE}, .hop_limit = 64};
	r[0].prefixes = calloc(1, sizeof(inside));
	r[0].prefixes[0] = inside;
	r[0].prefix_count = 1;
	r[1] = (struct afbr_rule){
		.dscp = UINT64_MAX, .use_count = 1, .use = {AFBR_USE_IPIP}, .hop_limit = 64};
	s->config->rules = r;
	s->config->rule_count = 2;
	assert_int_equal(choose_slots(s->config), 0);
	choice_change(s->softwires);
	one = learn(s, BGP_IPV4, 1, "198.51.100.0/24", "2001:db8:ff::1", 0, NULL, 0);
	two = learn(s, BGP_IPV4, 1, "198.51.101.0/24", "2001:db8:ff::1", 0, NULL, 0);
	p = path_of(s, BGP_IPV4, one);
	assert_int_equal(p->slots[0].primary.endpoint->template.kind[0], MESH_GRE);
	assert_int_equal(path_of(s, BGP_IPV4, two)->slots[0].primary.endpoint->template.kind[0], MESH_IPIP);
	s->core_questions = 0;
	assert_ptr_equal(path_of(s, BGP_IPV4, one), p);
	assert_int_equal(s->core_questions, 0);
	r[0].use[0] = AFBR_USE_IPIP;
	choice_change(s->softwires);
	assert_int_equal(path_of(s, BGP_IPV4, one)->slots[0].primary.endpoint->template.kind[0], MESH_IPIP);
	stage_free(s);
}

/* proves: MESH-SIG-6 partial */
static void what_an_egress_tells_of_itself_counts_for_routes_that_say_nothing(void **state)
{
	struct stage *s = begin();
	const struct bgp_tunnel l2tpv3 = {.type = BGP_TUNNEL_L2TPV3,
		.has_encapsulation = true,
		.session = 0x1234,
		.cookie_len = 8,
		.cookie = {1, 2, 3}};
	rib_id net = learn(s, BGP_IPV4, 2, "198.51.100.0/24", "2001:db8:ff::1", 0, NULL, 0);
	const struct mesh_path *p = path_of(s, BGP_IPV4, net);

	assert_int_equal(p->slots[0].primary.endpoint->template.kind[0], MESH_IPIP);
	assert_false(choice_is_moved(&s->role, &s->bgp.ribs[BGP_IPV4], net));
	(void)learn(s, BGP_IPV6_ENCAP, 1, "2001:db8:ff::1/128", "2001:db8:ff::1", 0, &l2tpv3, 1);
	assert_int_equal(s->again, 1);
	assert_true(choice_is_moved(&s->role, &s->bgp.ribs[BGP_IPV4], net));
	p = path_of(s, BGP_IPV4, net);
	assert_int_equal(p->slots[0].primary.endpoint->template.kind[0], MESH_L2TPV3);
	assert_int_equal(p->slots[0].primary.endpoint->template.len, 40 + 4 + 8);
	choice_settle(&s->role);
	assert_false(choice_is_moved(&s->role, &s->bgp.ribs[BGP_IPV4], net));
	unlearn(s, BGP_IPV6_ENCAP, 1, "2001:db8:ff::1/128");
	assert_true(choice_is_moved(&s->role, &s->bgp.ribs[BGP_IPV4], net));
	assert_int_equal(path_of(s, BGP_IPV4, net)->slots[0].primary.endpoint->template.kind[0], MESH_IPIP);
	stage_free(s);
}

/* proves: MESH-AS-4 partial, MESH-AS-5 partial, MESH-AS-6 partial */
static void an_egress_that_the_interior_does_not_know_is_packed_twice(void **state)
{
	struct stage *s = begin();
	struct addr far = to_addr("2001:db8:ee::1"), via = to_addr("2001:db8:ff::2");
	rib_id net = learn(s, BGP_IPV4, 1, "198.51.100.0/24", "2001:db8:ee::1", 0, &gre, 1);
	const struct mesh_path *p;
	const struct mesh_endpoint *e;

	(void)learn(s, BGP_IPV6, 2, "2001:db8:ee::/48", "2001:db8:ff::2", 0, NULL, 0);
	stage_way(s, "2001:db8:ee::1", "2001:db8:ff::2", 1500, NULL);
	p = path_of(s, BGP_IPV4, net);
	e = p->slots[0].primary.endpoint;
	assert_int_equal(e->template.levels, 2);
	assert_int_equal(e->template.len, 40 + 40 + 4);
	assert_memory_equal(e->template.bytes + 24, via.bytes, 16);
	assert_memory_equal(e->template.bytes + 64, far.bytes, 16);
	assert_true(addr_equal(&e->address, &far));
	assert_int_equal(e->mtu, 1500 - 84);
	/* The interior learns the way: once is enough then. */
	stage_way(s, "2001:db8:ee::1", NULL, 1500, NULL);
	endpoint_way_changed(&s->role, &far);
	assert_false(e->usable);
	assert_true(choice_is_moved(&s->role, &s->bgp.ribs[BGP_IPV4], net));
	p = path_of(s, BGP_IPV4, net);
	assert_int_equal(p->slots[0].primary.endpoint->template.levels, 1);
	assert_true(p->slots[0].primary.endpoint->usable);
	stage_free(s);
}

static void a_neighbour_entry_that_the_kernel_refuses_is_a_reason_and_is_tried_again(void **state)
{
	struct stage *s = begin();
	rib_id net = learn(s, BGP_IPV4, 1, "198.51.100.0/24", "2001:db8:ff::1", 0, NULL, 0);
	uint32_t number = path_of(s, BGP_IPV4, net)->number;
	char text[LOGGED];

	path_flush(&s->role);
	stage_answer(s, -ENOBUFS);
	assert_true(choice_is_moved(&s->role, &s->bgp.ribs[BGP_IPV4], net)); /* so it is taken out */
	assert_non_null(strstr(no_path(s, BGP_IPV4, net), "does not take its neighbor entry"));
	assert_non_null(strstr(stage_log(s, text), "event=path-failed path="));
	path_release(&s->role, number);
	choice_settle(&s->role);
	stage_pass(s, 10001);
	assert_true(choice_is_moved(&s->role, &s->bgp.ribs[BGP_IPV4], net));
	number = path_of(s, BGP_IPV4, net)->number;
	path_flush(&s->role);
	assert_true(has_neighbour(s, number));
	stage_free(s);
}

/* Of many, those that are in order stay. */
static void one_of_many_that_is_refused_does_not_take_the_others_along(void **state)
{
	struct stage *s = begin();
	rib_id one = learn(s, BGP_IPV4, 1, "198.51.100.0/24", "2001:db8:ff::1", 0, NULL, 0);
	rib_id two = learn(s, BGP_IPV4, 1, "198.51.101.0/24", "2001:db8:ff::2", 0, NULL, 0);

	(void)path_of(s, BGP_IPV4, one);
	(void)path_of(s, BGP_IPV4, two);
	path_flush(&s->role);
	assert_int_equal(s->asked_count, 1);
	stage_answer(s, -EINVAL);
	assert_int_equal(s->asked_count, 3);
	s->asked[1].answered = true;
	s->asked[1].answer(s->asked[1].owner, -EINVAL, -1);
	stage_answer(s, 0);
	assert_int_not_equal(strlen(no_path(s, BGP_IPV4, s->asked[1].numbers[0] == 1 ? one : two)), 0);
	(void)path_of(s, BGP_IPV4, s->asked[1].numbers[0] == 1 ? two : one);
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_route_leads_to_its_next_hop_without_anything_configured),
		cmocka_unit_test(the_neighbour_entry_is_asked_for_once_and_goes_with_the_last_route),
		cmocka_unit_test(one_that_comes_and_goes_at_once_costs_the_kernel_nothing),
		cmocka_unit_test(many_entries_are_asked_for_in_full_requests),
		cmocka_unit_test(the_backup_is_what_bgp_would_choose_next),
		cmocka_unit_test(a_next_hop_that_no_softwire_leads_to_is_no_backup),
		cmocka_unit_test(without_a_softwire_there_is_a_reason),
		cmocka_unit_test(a_labeled_route_takes_its_label_along),
		cmocka_unit_test(null_labels_mean_what_they_say),
		cmocka_unit_test(classes_of_traffic_have_slots_of_their_own),
		cmocka_unit_test(what_is_remembered_is_still_right),
		cmocka_unit_test(what_an_egress_tells_of_itself_counts_for_routes_that_say_nothing),
		cmocka_unit_test(an_egress_that_the_interior_does_not_know_is_packed_twice),
		cmocka_unit_test(a_neighbour_entry_that_the_kernel_refuses_is_a_reason_and_is_tried_again),
		cmocka_unit_test(one_of_many_that_is_refused_does_not_take_the_others_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
