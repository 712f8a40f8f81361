/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables a page at a time, and one route with its reasons, over the engine itself. */
#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "afbr/parts.h"

struct scene {
	struct wheel wheel;
	struct rng rng;
	struct afbr role;
};

static void nothing(struct bgp *b, struct bgp_connection *c)
{
}

static void nothing_is_closed(struct bgp *b, struct bgp_connection *c, const uint8_t *last, size_t len)
{
}

static void nothing_is_tracked(struct bgp *b, struct bgp_next_hop *n, bool wanted)
{
}

static void nothing_is_told(struct bgp *b, const struct bgp_event *e)
{
}

static void nothing_is_exported(struct bgp *b, enum bgp_family family)
{
}

static void no_work(struct bgp *b)
{
}

static struct scene *scene_new(void)
{
	static const struct bgp_ops ops = {.connect = nothing,
		.wake = nothing,
		.close = nothing_is_closed,
		.next_hop = nothing_is_tracked,
		.event = nothing_is_told,
		.routes = nothing_is_exported,
		.work = no_work};
	const struct bgp_config config = {.as = 65000, .id = 1};
	struct scene *x = calloc(1, sizeof(*x));

	assert_non_null(x);
	wheel_init(&x->wheel, 1000);
	rng_init_system(&x->rng);
	x->role.config = afbr_config_new();
	x->role.bgp = bgp_new(&config, &ops, &x->wheel, &x->rng, &x->role);
	x->role.running = true;
	assert_non_null(x->role.bgp);
	return x;
}

static void scene_end(struct scene *x)
{
	bgp_free(x->role.bgp);
	afbr_config_unref(x->role.config);
	free(x);
}

/* 10.A.B.0/24 */
static void originate(struct scene *x, unsigned n)
{
	const struct addr a = addr4(10, (uint8_t)(n >> 8), (uint8_t)n, 0);
	const struct bgp_nlri nlri = {.prefix = prefix_of(&a, 24)};
	const struct bgp_next_hop_value ourselves = {0};

	assert_int_equal(bgp_originate(x->role.bgp, BGP_IPV4, &nlri, reader_of(NULL, 0), &ourselves,
				 BGP_NETWORK, 1000),
		0);
}

static void originate6(struct scene *x, const char *text)
{
	struct bgp_nlri nlri = {0};
	const struct bgp_next_hop_value ourselves = {0};

	assert_int_equal(prefix_parse(text, &nlri.prefix), 0);
	assert_int_equal(bgp_originate(x->role.bgp, BGP_IPV6, &nlri, reader_of(NULL, 0), &ourselves,
				 BGP_NETWORK, 1000),
		0);
}

/* Over all pages; how many there were. Each prefix once. */
static unsigned read_all(struct scene *x, struct afbr_route_query q, size_t *ret_rows)
{
	json_t *seen = json_object();
	unsigned pages = 0;

	do {
		const char *why = NULL;
		uint64_t next = 0;
		json_t *rows = afbr_show_routes(&x->role, &q, &next, &why), *row;
		size_t i;

		assert_non_null(rows);
		assert_true(json_array_size(rows) <= q.limit);
		json_array_foreach(rows, i, row)
		{
			const char *prefix = json_string_value(json_object_get(row, "prefix"));

			assert_null(json_object_get(seen, prefix));
			json_object_set_new(seen, prefix, json_true());
		}
		json_decref(rows);
		pages++;
		q.after = next;
	} while (q.after);
	*ret_rows = json_object_size(seen);
	json_decref(seen);
	return pages;
}

static void pages_have_everything_once(void **state)
{
	struct scene *x = scene_new();
	struct prefix within;
	size_t rows;

	for (unsigned n = 0; n < 3000; n++)
		originate(x, n);
	originate6(x, "2001:db8::/32");
	assert_int_equal(
		read_all(x, (struct afbr_route_query){.family = BGP_FAMILIES, .limit = 100}, &rows), 31);
	assert_int_equal(rows, 3001);
	/* However many somebody wants, it is some milliseconds of everybody's time. */
	assert_int_equal(read_all(x, (struct afbr_route_query){.family = BGP_FAMILIES, .limit = 10000}, &rows),
		3001 / AFBR_PAGE + 1);
	assert_int_equal(rows, 3001);
	assert_int_equal(read_all(x, (struct afbr_route_query){.family = BGP_IPV6, .limit = 1000}, &rows), 1);
	assert_int_equal(rows, 1);
	assert_int_equal(prefix_parse("10.1.0.0/16", &within), 0);
	read_all(x, (struct afbr_route_query){.family = BGP_FAMILIES, .limit = 7, .within = &within}, &rows);
	assert_int_equal(rows, 256);
	scene_end(x);
}

/* However long the table, one request does not hold up the daemon. */
static void a_page_looks_at_no_more_than_a_slice(void **state)
{
	struct scene *x = scene_new();
	struct prefix within;
	size_t rows;

	for (unsigned n = 0; n < 40000; n++)
		originate(x, n);
	assert_int_equal(prefix_parse("10.0.0.0/22", &within), 0);
	assert_true(
		read_all(x, (struct afbr_route_query){.family = BGP_IPV4, .limit = 1000, .within = &within},
			&rows) >= 40000 / AFBR_LOOKED_AT);
	assert_int_equal(rows, 4);
	scene_end(x);
}

static void who_is_no_neighbour_has_no_routes(void **state)
{
	struct scene *x = scene_new();
	const char *why = NULL;
	uint64_t next;

	assert_null(afbr_show_routes(
		&x->role, &(struct afbr_route_query){.received = "nobody", .limit = 1}, &next, &why));
	assert_string_equal(why, AFBR_NO_NEIGHBOR);
	x->role.running = false;
	assert_null(afbr_show_routes(&x->role, &(struct afbr_route_query){.limit = 1}, &next, &why));
	assert_string_equal(why, "the mesh is not up yet");
	x->role.running = true;
	scene_end(x);
}

static void add_neighbor(struct scene *x, const char *name, const char *address)
{
	struct bgp_neighbor_config config = {
		.as = 65000, .families = BGP_FAMILY_BIT(BGP_IPV4), .hold_time = 90000};
	struct bgp_neighbor *n;

	snprintf(config.name, sizeof(config.name), "%s", name);
	assert_int_equal(addr_parse(address, &config.address), 0);
	assert_int_equal(bgp_neighbor_add(x->role.bgp, &config, &n), 0);
}

static const char *name_of_only(struct scene *x, const char *asked, char text[64])
{
	const char *why;
	json_t *rows = afbr_show_neighbors(&x->role, asked, &why);

	assert_int_equal(json_array_size(rows), 1);
	snprintf(text, 64, "%s", json_string_value(json_object_get(json_array_get(rows, 0), "name")));
	json_decref(rows);
	return text;
}

static void a_neighbour_is_asked_for_by_name_or_by_address(void **state)
{
	struct scene *x = scene_new();
	const char *why;
	char text[64];

	add_neighbor(x, "rr", "2001:db8::1");
	add_neighbor(x, "ce", "203.0.113.2");
	assert_string_equal(name_of_only(x, "rr", text), "rr");
	assert_string_equal(name_of_only(x, "203.0.113.2", text), "ce");
	assert_string_equal(name_of_only(x, "2001:db8:0::1", text), "rr");
	assert_null(afbr_show_neighbors(&x->role, "203.0.113.3", &why));
	assert_string_equal(why, AFBR_NO_NEIGHBOR);
	assert_null(afbr_show_neighbors(&x->role, "rr2", &why));
	assert_int_equal(afbr_clear(&x->role, "203.0.113.2", NULL, &why), 1);
	assert_int_equal(afbr_clear(&x->role, NULL, NULL, &why), 2);
	assert_int_equal(afbr_clear(&x->role, "203.0.113.3", NULL, &why), -ENOENT);
	assert_int_equal(afbr_refresh(&x->role, "2001:db8::1", true, true, &why), -ENOTCONN);
	assert_string_equal(why, "it has no session");
	scene_end(x);
}

static void ourselves_are_told_with_what_the_tables_have(void **state)
{
	struct scene *x = scene_new();
	json_t *speaker;
	char *text;

	for (unsigned n = 0; n < 3; n++)
		originate(x, n);
	speaker = afbr_show_speaker(&x->role);
	text = json_dumps(speaker, JSON_COMPACT);
	assert_string_equal(text,
		"{\"as\":65000,\"router_id\":\"0.0.0.1\",\"cluster_id\":\"0.0.0.1\",\"restarting\":false,"
		"\"tables\":[{\"family\":\"ipv4\",\"prefixes\":3,\"paths\":3}]}");
	free(text);
	json_decref(speaker);
	scene_end(x);
}

/* Whether the kernel has a way to us does not matter. */
static void our_own_routes_are_reached_whatever_their_next_hop(void **state)
{
	struct scene *x = scene_new();
	const struct addr own = addr4(192, 0, 2, 1);
	const struct bgp_next_hop_value here = {.global = own};
	struct bgp_nlri nlri = {.prefix = prefix_of(&own, 32)};
	const char *why = NULL;
	json_t *list;

	assert_int_equal(bgp_set_own_addresses(x->role.bgp, &own, 1), 0);
	assert_int_equal(
		bgp_originate(x->role.bgp, BGP_IPV4, &nlri, reader_of(NULL, 0), &here, BGP_NETWORK, 1000), 0);
	list = afbr_show_route(&x->role, &nlri.prefix, true, &why);
	assert_non_null(list);
	{
		const json_t *path = json_array_get(json_object_get(json_array_get(list, 0), "paths"), 0);

		assert_true(json_is_true(json_object_get(path, "reached")));
		assert_true(json_is_null(json_object_get(path, "unreached_because")));
	}
	json_decref(list);
	scene_end(x);
}

static void the_most_shared_sets_come_first(void **state)
{
	struct scene *x = scene_new();
	json_t *sets;

	for (unsigned n = 0; n < 5; n++)
		originate(x, n);
	sets = afbr_show_attributes(&x->role, 10);
	assert_true(json_array_size(sets) >= 1);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(sets, 0), "routes")), 5);
	json_decref(sets);
	scene_end(x);
}

static void a_route_is_found_by_address_and_by_prefix(void **state)
{
	struct scene *x = scene_new();
	struct prefix p;
	const char *why = NULL;
	json_t *routes, *row;

	originate(x, 7);
	assert_int_equal(prefix_parse("10.0.7.9/32", &p), 0);
	routes = afbr_show_route(&x->role, &p, false, &why);
	row = json_array_get(routes, 0);
	assert_string_equal(json_string_value(json_object_get(row, "prefix")), "10.0.7.0/24");
	row = json_array_get(json_object_get(row, "paths"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "from")), "network");
	assert_true(json_is_true(json_object_get(row, "best")));
	assert_non_null(json_string_value(json_object_get(row, "why")));
	json_decref(routes);
	assert_null(afbr_show_route(&x->role, &p, true, &why)); /* not exactly that */
	assert_string_equal(why, "no table has this prefix");
	scene_end(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_have_everything_once),
		cmocka_unit_test(a_page_looks_at_no_more_than_a_slice),
		cmocka_unit_test(who_is_no_neighbour_has_no_routes),
		cmocka_unit_test(a_neighbour_is_asked_for_by_name_or_by_address),
		cmocka_unit_test(ourselves_are_told_with_what_the_tables_have),
		cmocka_unit_test(our_own_routes_are_reached_whatever_their_next_hop),
		cmocka_unit_test(the_most_shared_sets_come_first),
		cmocka_unit_test(a_route_is_found_by_address_and_by_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
