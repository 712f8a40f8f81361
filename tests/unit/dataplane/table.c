/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dataplane/table: look-ups by session and by inner prefix, also at random against a model that cannot be wrong. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/table.h"
#include "lib/rng.h"

static struct prefix prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static const struct endpoint peer = {{AF_INET, {192, 0, 2, 1}}, 1701};

static int setup(void **state)
{
	struct dp_table *t = malloc(sizeof(*t));

	assert_non_null(t);
	assert_int_equal(dp_table_init(t, 0x1234), 0);
	assert_int_equal(dp_table_add_listener(t, 0), 0);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	dp_table_done(*state);
	free(*state);
	return 0;
}

static struct dp_row *add_row(struct dp_table *t, uint8_t listener, uint16_t tunnel)
{
	struct dp_row *row = NULL;

	assert_int_equal(dp_row_add(t, listener, tunnel, 7, &peer, &row), 0);
	return row;
}

static void finds_row_by_listener_and_tunnel(void **state)
{
	struct dp_table *t = *state;
	struct dp_row *a = add_row(t, 0, 5), *b, *none = NULL;

	assert_int_equal(dp_table_add_listener(t, 3), 0);
	b = add_row(t, 3, 5);
	assert_ptr_equal(dp_find_session(t, 0, 5), a);
	assert_ptr_equal(dp_find_session(t, 3, 5), b);
	assert_null(dp_find_session(t, 0, 6));
	assert_null(dp_find_session(t, 1, 5));
	assert_null(dp_find_session(t, 255, 5));
	assert_int_equal(dp_row_add(t, 0, 5, 9, &peer, &none), -EEXIST);
	assert_int_equal(dp_row_add(t, 1, 5, 9, &peer, &none), -EINVAL);
	assert_int_equal(dp_row_add(t, 0, 0, 9, &peer, &none), -EINVAL);
	assert_int_equal(dp_table_add_listener(t, DP_LISTENERS_MAX), -EINVAL);
	assert_null(none);
	dp_row_remove(t, a);
	assert_null(dp_find_session(t, 0, 5));
}

static void reused_row_has_another_generation(void **state)
{
	struct dp_table *t = *state;
	struct dp_row *row = add_row(t, 0, 5);
	uint32_t first = row->generation;

	assert_true(first & 1);
	dp_row_remove(t, row);
	row = add_row(t, 0, 5);
	assert_true(row->generation & 1);
	assert_int_not_equal(row->generation, first);
}

static void longest_prefix_wins(void **state)
{
	struct dp_table *t = *state;
	struct dp_row *wide = add_row(t, 0, 1), *narrow = add_row(t, 0, 2), *any = add_row(t, 0, 3);
	struct prefix p48 = prefix("2001:db8:1::/48"), p64 = prefix("2001:db8:1:2::/64"),
		      p24 = prefix("192.0.2.0/24");
	struct addr in64 = address("2001:db8:1:2::5"), in48 = address("2001:db8:1:3::5"),
		    out = address("2001:db8:2::5");
	struct addr in24 = address("192.0.2.77");

	assert_int_equal(dp_row_add_prefix(t, wide, &p48), 0);
	assert_int_equal(dp_row_add_prefix(t, narrow, &p64), 0);
	assert_int_equal(dp_row_add_prefix(t, narrow, &p24), 0);
	assert_ptr_equal(dp_find_inner(t, &in64), narrow);
	assert_ptr_equal(dp_find_inner(t, &in48), wide);
	assert_ptr_equal(dp_find_inner(t, &in24), narrow);
	assert_null(dp_find_inner(t, &out));
	dp_table_set_default(t, any);
	assert_ptr_equal(dp_find_inner(t, &out), any);
	dp_row_remove_prefix(t, narrow, &p64);
	assert_ptr_equal(dp_find_inner(t, &in64), wide);
	dp_row_remove(t, any);
	assert_null(dp_find_inner(t, &out));
}

static void refuses_prefix_that_another_row_has(void **state)
{
	struct dp_table *t = *state;
	struct dp_row *a = add_row(t, 0, 1), *b = add_row(t, 0, 2);
	struct prefix p = prefix("2001:db8:1::/48"), none = {0};

	assert_int_equal(dp_row_add_prefix(t, a, &p), 0);
	assert_int_equal(dp_row_add_prefix(t, a, &p), -EEXIST);
	assert_int_equal(dp_row_add_prefix(t, b, &p), -EEXIST);
	assert_int_equal(dp_row_add_prefix(t, b, &none), -EINVAL);
	dp_row_remove_prefix(t, b, &p); /* not its own: nothing happens */
	assert_ptr_equal(dp_find_inner(t, &p.addr), a);
	dp_row_remove(t, a);
	assert_int_equal(dp_row_add_prefix(t, b, &p), 0);
	assert_ptr_equal(dp_find_inner(t, &p.addr), b);
}

static void refuses_a_prefix_too_many(void **state)
{
	struct dp_table *t = *state;
	struct dp_row *row = add_row(t, 0, 1);
	struct prefix all = prefix("2001:db8::/48"), p;

	for (unsigned i = 0; i <= DP_ROW_PREFIXES; i++) {
		assert_int_equal(prefix_nth(&all, 64, i, &p), 0);
		assert_int_equal(dp_row_add_prefix(t, row, &p), i < DP_ROW_PREFIXES ? 0 : -ENOSPC);
	}
	assert_null(dp_find_inner(t, &p.addr));
}

static void permits_sources_of_own_prefixes_only(void **state)
{
	struct dp_table *t = *state;
	struct dp_row *row = add_row(t, 0, 1);
	struct prefix link = prefix("2001:db8:1::/64"), four = prefix("192.0.2.8/30"),
		      zero = prefix("2001:db8:ff00::/40");
	struct addr yes = address("2001:db8:1::9"), no = address("2001:db8:1:1::9"),
		    yes4 = address("192.0.2.11"), no4 = address("192.0.2.12"),
		    yes40 = address("2001:db8:ffff::1");

	assert_false(dp_row_permits_source(row, &yes));
	assert_int_equal(dp_row_add_prefix(t, row, &link), 0);
	assert_int_equal(dp_row_add_prefix(t, row, &four), 0);
	assert_int_equal(dp_row_add_prefix(t, row, &zero), 0);
	assert_true(dp_row_permits_source(row, &yes));
	assert_true(dp_row_permits_source(row, &yes4));
	assert_true(dp_row_permits_source(row, &yes40));
	assert_false(dp_row_permits_source(row, &no));
	assert_false(dp_row_permits_source(row, &no4));
}

static void row_stays_small(void **state)
{
	assert_true(sizeof(struct dp_row) <= 320);
}

/* The model: a plain list of what was added. */
enum { MODEL_ROWS = 40, MODEL_STEPS = 30000 };

struct model {
	struct dp_row *row[MODEL_ROWS];
	uint16_t tunnel[MODEL_ROWS];
	unsigned count[MODEL_ROWS];
	struct prefix prefixes[MODEL_ROWS][DP_ROW_PREFIXES];
};

/* Few bits are free, so that prefixes nest and collide often. */
static struct prefix random_prefix(struct rng *rng)
{
	static const uint8_t lengths6[] = {0, 32, 48, 56, 63, 64, 65, 127, 128},
			     lengths4[] = {0, 8, 24, 30, 32};
	struct addr a = {0};

	if (rng_below(rng, 3)) {
		a.family = AF_INET6;
		for (unsigned i = 3; i < 16; i += 4)
			a.bytes[i] = (uint8_t)rng_below(rng, 3);
		a.bytes[7] = (uint8_t)rng_below(rng, 4);
		return prefix_of(&a, lengths6[rng_below(rng, sizeof(lengths6))]);
	}
	a.family = AF_INET;
	for (unsigned i = 0; i < 4; i++)
		a.bytes[i] = (uint8_t)rng_below(rng, 3);
	return prefix_of(&a, lengths4[rng_below(rng, sizeof(lengths4))]);
}

static int model_add_prefix(struct model *m, unsigned at, const struct prefix *p)
{
	for (unsigned i = 0; i < MODEL_ROWS; i++)
		for (unsigned j = 0; m->row[i] && j < m->count[i]; j++)
			if (prefix_equal(&m->prefixes[i][j], p))
				return -EEXIST;
	if (m->count[at] == DP_ROW_PREFIXES)
		return -ENOSPC;
	m->prefixes[at][m->count[at]++] = *p;
	return 0;
}

static void model_remove_prefix(struct model *m, unsigned at, const struct prefix *p)
{
	for (unsigned j = 0; j < m->count[at]; j++)
		if (prefix_equal(&m->prefixes[at][j], p))
			m->prefixes[at][j] = m->prefixes[at][--m->count[at]];
}

static struct dp_row *model_find(const struct model *m, const struct addr *a)
{
	struct dp_row *best = NULL;
	int length = -1;

	for (unsigned i = 0; i < MODEL_ROWS; i++)
		for (unsigned j = 0; m->row[i] && j < m->count[i]; j++)
			if (prefix_contains_addr(&m->prefixes[i][j], a) && m->prefixes[i][j].len > length) {
				length = m->prefixes[i][j].len;
				best = m->row[i];
			}
	return best;
}

static void model_toggle_row(struct dp_table *t, struct model *m, unsigned at, struct rng *rng)
{
	if (m->row[at]) {
		dp_row_remove(t, m->row[at]);
		assert_null(dp_find_session(t, 0, m->tunnel[at]));
		m->row[at] = NULL;
		return;
	}
	do
		m->tunnel[at] = (uint16_t)(1 + rng_below(rng, 65535));
	while (dp_find_session(t, 0, m->tunnel[at]));
	m->row[at] = add_row(t, 0, m->tunnel[at]);
	m->count[at] = 0;
}

static void model_step(struct dp_table *t, struct model *m, struct rng *rng)
{
	unsigned at = rng_below(rng, MODEL_ROWS);
	struct prefix p = random_prefix(rng), any = random_prefix(rng);

	if (!m->row[at] || !rng_below(rng, 20))
		model_toggle_row(t, m, at, rng);
	else if (rng_below(rng, 3))
		assert_int_equal(dp_row_add_prefix(t, m->row[at], &p), model_add_prefix(m, at, &p));
	else {
		if (m->count[at])
			p = m->prefixes[at][rng_below(rng, m->count[at])];
		dp_row_remove_prefix(t, m->row[at], &p);
		model_remove_prefix(m, at, &p);
	}
	assert_ptr_equal(dp_find_inner(t, &any.addr), model_find(m, &any.addr));
	assert_ptr_equal(dp_find_inner(t, &p.addr), model_find(m, &p.addr));
	if (m->row[at])
		assert_ptr_equal(dp_find_session(t, 0, m->tunnel[at]), m->row[at]);
}

static void agrees_with_naive_model(void **state)
{
	struct dp_table *t = *state;
	struct model m = {0};
	struct rng rng;

	rng_init_seed(&rng, 20260101);
	for (unsigned i = 0; i < MODEL_STEPS; i++)
		model_step(t, &m, &rng);
	for (unsigned i = 0; i < MODEL_ROWS; i++)
		if (m.row[i])
			dp_row_remove(t, m.row[i]);
	assert_int_equal(t->length6_count + t->length4_count, 0);
	assert_int_equal(t->rows.used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(finds_row_by_listener_and_tunnel, setup, teardown),
		cmocka_unit_test_setup_teardown(reused_row_has_another_generation, setup, teardown),
		cmocka_unit_test_setup_teardown(longest_prefix_wins, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_prefix_that_another_row_has, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_a_prefix_too_many, setup, teardown),
		cmocka_unit_test_setup_teardown(permits_sources_of_own_prefixes_only, setup, teardown),
		cmocka_unit_test(row_stays_small),
		cmocka_unit_test_setup_teardown(agrees_with_naive_model, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
