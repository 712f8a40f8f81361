/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Endpoints: when one can be used, who is told, and how large packets to it may be. */
#include "mesh.h"

#include <errno.h>

static struct stage *begin(void)
{
	struct stage *s = stage_new();

	stage_way(s, "2001:db8:ff::1", NULL, 1500, NULL);
	stage_way(s, "2001:db8:ff::2", NULL, 1500, NULL);
	stage_begin(s, false);
	return s;
}

static const struct mesh_path *route(struct stage *s)
{
	(void)learn(s, BGP_IPV4, 2, "198.51.100.0/24", "2001:db8:ff::2", 0, NULL, 0);
	return path_of(s, BGP_IPV4, learn(s, BGP_IPV4, 1, "198.51.100.0/24", "2001:db8:ff::1", 0, NULL, 0));
}

static bool takes_backup(struct stage *s, const struct mesh_path *p)
{
	bool backup;

	assert_non_null(mesh_path_leg(&s->table, p, 0, &backup));
	return backup;
}

static struct softwire_endpoint *endpoint_of(const struct mesh_path *p)
{
	return p->slots[0].primary.endpoint->owner;
}

static void paths_flip_when_the_core_loses_the_way_and_back_when_it_finds_it(void **state)
{
	struct stage *s = begin();
	const struct mesh_path *p = route(s);
	struct addr one = to_addr("2001:db8:ff::1");
	char text[LOGGED];

	assert_false(takes_backup(s, p));
	assert_non_null(strstr(stage_log(s, text),
		"event=endpoint-up endpoint=2001:db8:ff::1 encapsulation=ipip mtu=1460 because="));
	stage_way(s, "2001:db8:ff::1", NULL, 0, "there is no route to it");
	endpoint_way_changed(&s->role, &one);
	assert_true(takes_backup(s, p));
	assert_string_equal(endpoint_of(p)->state_why, "there is no route to it");
	assert_string_equal(endpoint_state_name(endpoint_of(p)->state), "unreached");
	assert_non_null(strstr(stage_log(s, text),
		"event=endpoint-down endpoint=2001:db8:ff::1 encapsulation=ipip state=unreached flaps=1 "
		"reason=\"there is no route to it\""));
	stage_way(s, "2001:db8:ff::1", NULL, 1500, NULL);
	endpoint_way_changed(&s->role, &one);
	assert_false(takes_backup(s, p));
	assert_int_equal(endpoint_of(p)->flaps, 1);
	stage_free(s);
}

/* One that flaps is counted, and does not fill the log. */
static void flapping_is_counted_and_told_with_measure(void **state)
{
	struct stage *s = begin();
	const struct mesh_path *p = route(s);
	struct addr one = to_addr("2001:db8:ff::1");
	static char text[LOGGED];
	unsigned lines = 0;

	for (unsigned i = 0; i < 500; i++) {
		stage_way(s, "2001:db8:ff::1", NULL, 1500, i % 2 ? NULL : "there is no route to it");
		endpoint_way_changed(&s->role, &one);
	}
	assert_false(takes_backup(s, p));
	assert_int_equal(endpoint_of(p)->flaps, 250);
	for (const char *at = stage_log(s, text); (at = strstr(at, "event=endpoint-")); at++)
		lines++;
	assert_in_range(lines, 10, 70);
	stage_free(s);
}

static void only_endpoints_of_that_address_are_looked_at(void **state)
{
	struct stage *s = begin();
	struct addr one = to_addr("2001:db8:ff::1"), other = to_addr("2001:db8:ff::9");

	(void)route(s);
	s->core_questions = 0;
	endpoint_way_changed(&s->role, &one);
	assert_int_equal(s->core_questions, 1);
	endpoint_way_changed(&s->role, &other);
	assert_int_equal(s->core_questions, 1);
	stage_free(s);
}

static void the_operator_can_shut_one_down(void **state)
{
	struct stage *s = begin();
	const struct mesh_path *p = route(s);
	struct addr one = to_addr("2001:db8:ff::1"), other = to_addr("2001:db8:ff::9");

	assert_int_equal(endpoint_shut(&s->role, &other, true), -ENOENT);
	assert_int_equal(endpoint_shut(&s->role, &one, true), 1);
	assert_true(takes_backup(s, p));
	assert_int_equal(endpoint_of(p)->state, ENDPOINT_SHUT);
	endpoint_way_changed(&s->role, &one);
	assert_true(takes_backup(s, p));
	/* Also for those that come later. */
	path_release(&s->role, p->number);
	stage_pass(s, 1);
	assert_int_equal(s->softwires->endpoint_count, 0);
	p = route(s);
	assert_true(takes_backup(s, p));
	assert_int_equal(endpoint_shut(&s->role, &one, false), 1);
	assert_false(takes_backup(s, p));
	stage_free(s);
}

static void one_whose_session_has_ended_is_passed_over_until_its_routes_are_gone(void **state)
{
	struct stage *s = begin();
	const struct mesh_path *p = route(s);
	struct addr one = to_addr("2001:db8:ff::1");

	s->bgp.neighbors[1].flushing = true;
	endpoint_peer(&s->role, &one, false);
	assert_true(takes_backup(s, p));
	assert_int_equal(endpoint_of(p)->state, ENDPOINT_PEER_DOWN);
	stage_pass(s, 600);
	assert_true(takes_backup(s, p));
	s->bgp.neighbors[1].flushing = false;
	s->busy = true;
	stage_pass(s, 600);
	assert_true(takes_backup(s, p));
	/* What still leads to it was told by others, who see it. */
	s->busy = false;
	stage_pass(s, 600);
	assert_false(takes_backup(s, p));
	endpoint_peer(&s->role, &one, false);
	assert_true(takes_backup(s, p));
	endpoint_peer(&s->role, &one, true);
	assert_false(takes_backup(s, p));
	stage_free(s);
}

/* proves: MESH-FWD-13 partial */
static void what_the_core_says_of_sizes_counts_for_ten_minutes(void **state)
{
	struct stage *s = begin();
	const struct mesh_path *p = route(s);
	struct mesh_plane *plane = s->softwires->plane;
	struct addr one = to_addr("2001:db8:ff::1"), two = to_addr("2001:db8:ff::2");

	endpoint_path_mtu(plane, &one, 1400);
	assert_int_equal(p->slots[0].primary.endpoint->mtu, 1360);
	assert_int_equal(p->slots[0].backup.endpoint->mtu, 1460);
	endpoint_path_mtu(plane, &one, 1450); /* more than is known is no news */
	assert_int_equal(p->slots[0].primary.endpoint->mtu, 1360);
	endpoint_path_mtu(plane, &two, 100); /* no router of IPv6 takes so little */
	assert_int_equal(p->slots[0].backup.endpoint->mtu, 1240);
	stage_pass(s, 599000);
	assert_int_equal(p->slots[0].primary.endpoint->mtu, 1360);
	stage_pass(s, 2000);
	assert_int_equal(p->slots[0].primary.endpoint->mtu, 1460);
	assert_int_equal(p->slots[0].backup.endpoint->mtu, 1460);
	stage_free(s);
}

/* proves: MESH-FWD-13 partial */
static void a_core_that_is_too_narrow_for_ipv6_is_told_once(void **state)
{
	struct stage *s = begin();
	struct addr one = to_addr("2001:db8:ff::1");
	const struct mesh_path *p;
	const char *line;
	char text[LOGGED];

	stage_way(s, "2001:db8:ff::1", NULL, 1300, NULL);
	p = route(s);
	assert_int_equal(p->slots[0].primary.endpoint->mtu, 1260); /* what IPv4 with DF is told */
	assert_null(strstr(stage_log(s, text), "event=core-mtu")); /* it carries no IPv6 */
	s->softwires->table->take6 = true;
	endpoint_way_changed(&s->role, &one);
	endpoint_way_changed(&s->role, &one);
	line = strstr(stage_log(s, text), "event=core-mtu");
	assert_non_null(line);
	assert_non_null(strstr(line, "mtu=1300 wanted=1320"));
	assert_null(strstr(line + 1, "event=core-mtu"));
	stage_way(s, "2001:db8:ff::1", NULL, 65535, NULL);
	endpoint_way_changed(&s->role, &one);
	assert_int_equal(p->slots[0].primary.endpoint->mtu, SOFTWIRE_MTU);
	stage_way(s, "2001:db8:ff::1", NULL, 0, NULL); /* it is not known */
	endpoint_way_changed(&s->role, &one);
	assert_int_equal(p->slots[0].primary.endpoint->mtu, 1460);
	stage_free(s);
}

static void a_hint_that_it_is_not_reached_changes_nothing(void **state)
{
	struct stage *s = begin();
	const struct mesh_path *p = route(s);
	struct addr one = to_addr("2001:db8:ff::1");

	endpoint_unreachable(s->softwires->plane, &one, EHOSTUNREACH);
	assert_false(takes_backup(s, p));
	assert_int_equal(endpoint_of(p)->hints, 1);
	stage_free(s);
}

static void what_nobody_uses_goes(void **state)
{
	struct stage *s = begin();
	const struct mesh_path *p = route(s);
	char text[LOGGED];

	assert_int_equal(s->softwires->endpoint_count, 2);
	path_release(&s->role, p->number);
	stage_pass(s, 1);
	assert_int_equal(s->softwires->endpoint_count, 0);
	assert_non_null(strstr(stage_log(s, text), "event=endpoint-gone endpoint=2001:db8:ff::1"));
	stage_free(s);
}

static void what_was_used_can_be_seen_for_a_while_with_its_past(void **state)
{
	struct stage *s = begin();
	const struct mesh_path *p = route(s);
	struct softwire_endpoint *e = endpoint_of(p);

	path_release(&s->role, p->number);
	stage_pass(s, 1);
	assert_int_equal(s->softwires->unused_count, 2);
	assert_int_equal(e->state, ENDPOINT_UNUSED);
	assert_string_equal(e->state_why, "no route leads to it any more");
	assert_false(e->row->usable);
	p = route(s);
	assert_ptr_equal(endpoint_of(p), e);
	assert_int_equal(e->state, ENDPOINT_UP);
	assert_true(e->row->usable);
	assert_int_equal(e->flaps, 1);
	assert_int_equal(s->softwires->endpoint_count, 2);
	path_release(&s->role, p->number);
	stage_pass(s, 1);
	stage_pass(s, 61000);
	assert_null(s->softwires->endpoints);
	stage_free(s);
}

/* Two that differ in nothing but garbage between and behind members are one. */
static void keys_are_compared_by_what_they_say(void **state)
{
	struct stage *s = begin();
	struct endpoint_key a, b;

	memset(&a, 0x55, sizeof(a));
	memset(&b, 0xaa, sizeof(b));
	for (unsigned i = 0; i < 2; i++) {
		struct endpoint_key *k = i ? &b : &a;

		k->address = to_addr("2001:db8:ff::1");
		k->outer.family = 0;
		k->how.kind = MESH_L2TPV3;
		k->how.mpls = k->how.has_key = false;
		k->how.key = 0;
		k->how.session = 9;
		k->how.cookie_len = 4;
		memcpy(k->how.cookie, "abcd", 4);
		k->outer_how = (struct mesh_encapsulation){0};
		k->hop_limit = 64;
		k->set_dscp = k->copy_ecn = false;
	}
	assert_ptr_equal(endpoint_get(s->softwires, &a, "one"), endpoint_get(s->softwires, &b, "two"));
	b.how.cookie[3] = 'e';
	assert_ptr_not_equal(endpoint_get(s->softwires, &a, "one"), endpoint_get(s->softwires, &b, "two"));
	b.how.session = 0; /* contradictory */
	assert_null(endpoint_get(s->softwires, &b, "two"));
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_flip_when_the_core_loses_the_way_and_back_when_it_finds_it),
		cmocka_unit_test(flapping_is_counted_and_told_with_measure),
		cmocka_unit_test(only_endpoints_of_that_address_are_looked_at),
		cmocka_unit_test(the_operator_can_shut_one_down),
		cmocka_unit_test(one_whose_session_has_ended_is_passed_over_until_its_routes_are_gone),
		cmocka_unit_test(what_the_core_says_of_sizes_counts_for_ten_minutes),
		cmocka_unit_test(a_core_that_is_too_narrow_for_ipv6_is_told_once),
		cmocka_unit_test(a_hint_that_it_is_not_reached_changes_nothing),
		cmocka_unit_test(what_nobody_uses_goes),
		cmocka_unit_test(what_was_used_can_be_seen_for_a_while_with_its_past),
		cmocka_unit_test(keys_are_compared_by_what_they_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
