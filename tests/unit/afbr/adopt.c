/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of the process before: they go on with their numbers, until BGP has told everything again; and what cannot be read does no harm. */
#include "mesh.h"

#include <errno.h>

static const struct bgp_tunnel l2tpv3 = {.type = BGP_TUNNEL_L2TPV3,
	.has_encapsulation = true,
	.session = 77,
	.cookie_len = 8,
	.cookie = {1, 2, 3, 4, 5, 6, 7, 8}};

static struct stage *begin(void)
{
	struct stage *s = stage_new();

	stage_way(s, "2001:db8:ff::1", NULL, 1500, NULL);
	stage_way(s, "2001:db8:ff::2", NULL, 1400, NULL);
	stage_begin(s, true);
	return s;
}

static rib_id tell(struct stage *s)
{
	(void)learn(s, BGP_IPV4, 2, "198.51.100.0/24", "2001:db8:ff::2", 0, NULL, 0);
	return learn(s, BGP_IPV4, 1, "198.51.100.0/24", "2001:db8:ff::1", 0, &l2tpv3, 1);
}

static void forget_routes(struct stage *s)
{
	unlearn(s, BGP_IPV4, 2, "198.51.100.0/24");
	unlearn(s, BGP_IPV4, 1, "198.51.100.0/24");
}

static void a_row_goes_on_with_its_number(void **state)
{
	struct stage *s = begin();
	struct mesh_template template;
	const struct mesh_path *p;
	uint32_t number;
	bool backup;
	char text[LOGGED];

	assert_false(adopt_kept(&s->role)); /* there was nothing */
	(void)path_of(s, BGP_IPV4, learn(s, BGP_IPV4, 1, "198.51.101.0/24", "2001:db8:ff::1", 0, NULL, 0));
	p = path_of(s, BGP_IPV4, tell(s));
	number = p->number;
	template = p->slots[0].primary.endpoint->template;
	forget_routes(s);
	stage_end(s);
	stage_way(s, "2001:db8:ff::1", NULL, 0, "nobody has asked yet");
	stage_begin(s, true);
	assert_true(adopt_kept(&s->role));
	p = mesh_path_find(&s->table, number);
	assert_non_null(p);
	assert_memory_equal(&p->slots[0].primary.endpoint->template, &template, sizeof(template));
	assert_non_null(mesh_path_leg(&s->table, p, 0, &backup));
	assert_false(backup);
	assert_int_equal(p->slots[0].backup.endpoint->mtu, 1360);
	stage_pass(s, 1);
	assert_true(has_neighbour(s, number));
	assert_non_null(strstr(stage_log(s, text), "event=mesh-adopted endpoints=3 paths=2"));
	/* The same route has the same row; the other one was not told again. */
	stage_way(s, "2001:db8:ff::1", NULL, 1500, NULL);
	assert_ptr_equal(path_of(s, BGP_IPV4, tell(s)), p);
	adopt_settle(s->softwires);
	stage_pass(s, 1);
	assert_int_equal(s->softwires->paths.count, 1);
	assert_int_equal(s->softwires->endpoint_count, 2);
	assert_non_null(strstr(stage_log(s, text), "event=mesh-stale-removed paths=1"));
	/* New ones do not take what is taken. */
	assert_int_not_equal(
		path_of(s, BGP_IPV4, learn(s, BGP_IPV4, 1, "198.51.102.0/24", "2001:db8:ff::2", 0, NULL, 0))
			->number,
		number);
	stage_free(s);
}

static void what_was_shut_down_stays_so(void **state)
{
	struct stage *s = begin();
	struct addr one = to_addr("2001:db8:ff::1");
	uint32_t number = path_of(s, BGP_IPV4, tell(s))->number;
	bool backup;

	assert_int_equal(endpoint_shut(&s->role, &one, true), 1);
	forget_routes(s);
	stage_end(s);
	stage_begin(s, true);
	assert_non_null(mesh_path_leg(&s->table, mesh_path_find(&s->table, number), 0, &backup));
	assert_true(backup);
	assert_int_equal(endpoint_shut(&s->role, &one, false), 1);
	assert_non_null(mesh_path_leg(&s->table, mesh_path_find(&s->table, number), 0, &backup));
	assert_false(backup);
	stage_free(s);
}

/* Its next hop is known before its route may be chosen: then the core's routing counts again. */
static void an_adopted_endpoint_follows_the_core_as_soon_as_its_next_hop_is_known(void **state)
{
	struct stage *s = begin();
	struct addr one = to_addr("2001:db8:ff::1");
	uint32_t number = path_of(s, BGP_IPV4, tell(s))->number;
	bool backup;

	forget_routes(s);
	stage_end(s);
	stage_way(s, "2001:db8:ff::1", NULL, 0, "there is no route to it");
	stage_begin(s, true);
	endpoint_way_changed(&s->role, &one);
	assert_non_null(mesh_path_leg(&s->table, mesh_path_find(&s->table, number), 0, &backup));
	assert_true(backup);
	stage_free(s);
}

static void what_went_does_not_come_back(void **state)
{
	struct stage *s = begin();
	uint32_t number = path_of(s, BGP_IPV4, tell(s))->number;

	path_release(&s->role, number);
	stage_pass(s, 1);
	assert_int_equal(store_use(s->softwires->store).records, 0);
	forget_routes(s);
	stage_end(s);
	stage_begin(s, true);
	assert_int_equal(s->softwires->paths.count, 0);
	assert_true(adopt_kept(&s->role));
	stage_free(s);
}

static void a_crash_loop_ends_with_nothing_adopted(void **state)
{
	struct stage *s = begin();

	(void)path_of(s, BGP_IPV4, tell(s));
	forget_routes(s);
	for (unsigned i = 0; i < 5; i++) {
		stage_end(s);
		stage_begin(s, true);
	}
	assert_int_equal(s->softwires->paths.count, 0);
	assert_false(adopt_kept(&s->role));
	stage_free(s);
}

/* ---- bad records ---- */

struct bad {
	const char *what;
	uint32_t id;
	uint8_t bytes[80];
	size_t len;
};

#define SECTION(n) 1, 1, 0, (n)
#define IPIP       0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define EGRESS     6, 0x20, 1, 0xd, 0xb8, 0, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1

static const struct bad bad[] = {
	{"nothing", 0x40000001, {0}, 0},
	{"another version", 0x40000001, {2, 1, 0, 0}, 4},
	{"no section", 0x40000001, {1}, 1},
	{"an empty section", 0x40000001, {SECTION(0)}, 4},
	{"a section that ends behind the record", 0x40000001, {SECTION(99), 4}, 5},
	{"unknown flags", 0x40000001, {SECTION(48), 0x80, 0, 0, 5, 0xdc, EGRESS, 0, IPIP, IPIP, 64, 0, 0},
		52},
	{"no address", 0x40000001, {SECTION(32), 4, 0, 0, 5, 0xdc, 0, 0, IPIP, IPIP, 64, 0, 0}, 36},
	{"an address of the other family", 0x40000001,
		{SECTION(36), 4, 0, 0, 5, 0xdc, 4, 192, 0, 2, 1, 0, IPIP, IPIP, 64, 0, 0}, 40},
	{"a kind that nobody knows", 0x40000001,
		{SECTION(48), 4, 0, 0, 5, 0xdc, EGRESS, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, IPIP, 64, 0, 0},
		52},
	{"L2TPv3 without a session", 0x40000001,
		{SECTION(48), 4, 0, 0, 5, 0xdc, EGRESS, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, IPIP, 64, 0, 0},
		52},
	{"a cookie of nine octets", 0x40000001,
		{SECTION(48), 4, 0, 0, 5, 0xdc, EGRESS, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9, IPIP, 64, 0, 0},
		52},
	{"no number", 0x40000000, {SECTION(48), 4, 0, 0, 5, 0xdc, EGRESS, 0, IPIP, IPIP, 64, 0, 0}, 52},
	{"half a path", 0x80000001, {SECTION(8), 0, 0, 0, 1, 0, 0, 0, 0}, 12},
	{"a label of 21 bits", 0x80000001, {SECTION(64), 0, 0, 0, 1, 0, 0x10, 0, 0}, 68},
	{"a path without a number", 0x80000000, {SECTION(64)}, 68},
};

static void what_cannot_be_read_is_dropped(void **state)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct stage *s = begin();
		uint32_t at = 0;

		assert_int_equal(store_put(s->softwires->store, &at, bad[i].id, bad[i].bytes, bad[i].len), 0);
		stage_end(s);
		stage_begin(s, true);
		if (s->softwires->endpoint_count || s->softwires->paths.count || adopt_kept(&s->role))
			fail_msg("%s was adopted", bad[i].what);
		assert_int_equal(store_use(s->softwires->store).records, 0);
		stage_free(s);
	}
}

/* As the table above has it, but right. */
static void the_record_that_the_bad_ones_are_made_of_is_good(void **state)
{
	static const uint8_t good[] = {SECTION(48), 4, 0, 0, 5, 0xdc, EGRESS, 0, IPIP, IPIP, 64, 0, 0};
	static const uint8_t path[68] = {SECTION(64), 0, 0, 0, 1};
	struct stage *s = begin();
	uint32_t at = 0, path_at = 0;

	assert_int_equal(store_put(s->softwires->store, &at, 0x40000001, good, sizeof(good)), 0);
	assert_int_equal(store_put(s->softwires->store, &path_at, 0x80000005, path, sizeof(path)), 0);
	stage_end(s);
	stage_begin(s, true);
	assert_int_equal(s->softwires->endpoint_count, 1);
	assert_non_null(mesh_path_find(&s->table, 5));
	assert_true(adopt_kept(&s->role));
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_goes_on_with_its_number),
		cmocka_unit_test(what_was_shut_down_stays_so),
		cmocka_unit_test(an_adopted_endpoint_follows_the_core_as_soon_as_its_next_hop_is_known),
		cmocka_unit_test(what_went_does_not_come_back),
		cmocka_unit_test(a_crash_loop_ends_with_nothing_adopted),
		cmocka_unit_test(what_cannot_be_read_is_dropped),
		cmocka_unit_test(the_record_that_the_bad_ones_are_made_of_is_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
