/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mesh/transmitter: who may send to us, against a plain list at random; rows of counters; memory. */
#include "check.h"

#include <errno.h>

#include "lib/rng.h"
#include "mesh/table.h"

#include "../lib/scarce.h"

static struct mesh_table *table_new(void)
{
	struct mesh_table *t = malloc(sizeof(*t));

	assert_non_null(t);
	assert_int_equal(mesh_table_init(t, 0x1234), 0);
	return t;
}

static void table_free(struct mesh_table *t)
{
	mesh_table_done(t);
	free(t);
}

static struct prefix prefix(const char *text)
{
	struct prefix p = {0};

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static void add(struct mesh_table *t, const char *text)
{
	struct addr a = address(text);

	assert_int_equal(mesh_transmitter_add(t, &a), 0);
}

static void drop(struct mesh_table *t, const char *text)
{
	struct addr a = address(text);

	mesh_transmitter_remove(t, &a);
}

/* Its row, if there is one. */
static bool may_send(struct mesh_table *t, const char *text, struct mesh_transmitter **ret_row)
{
	struct addr a = address(text);
	struct mesh_transmitter *row = NULL;

	if (!mesh_transmitter_find(t, &a, &row)) {
		assert_null(row);
		return false;
	}
	if (row)
		assert_true(addr_equal(&row->address, &a));
	if (ret_row)
		*ret_row = row;
	return true;
}

static unsigned row_count(const struct mesh_table *t)
{
	uint32_t cursor = 0;
	unsigned n = 0;

	while (mesh_transmitter_next(t, &cursor))
		n++;
	return n;
}

/* proves: SEC-MESH-4 partial, SEC-MESH-7 partial */
static void who_is_named_may_send(void **state)
{
	struct mesh_table *t = table_new();
	struct mesh_transmitter none = {0}, *row = &none, *again = &none;

	assert_false(may_send(t, "2001:db8::1", NULL));
	add(t, "2001:db8::1");
	add(t, "192.0.2.1");
	assert_true(may_send(t, "2001:db8::1", &row));
	assert_int_equal(row->refs, 1);
	row->rx4.packets = 3;
	assert_true(may_send(t, "192.0.2.1", NULL));
	assert_false(may_send(t, "2001:db8::2", NULL));
	assert_false(may_send(t, "192.0.2.2", NULL));
	assert_false(may_send(t, "c000:201::", NULL)); /* the same first bytes, of the other family */
	/* As often as it was named. */
	add(t, "2001:db8::1");
	drop(t, "2001:db8::1");
	assert_true(may_send(t, "2001:db8::1", &again));
	assert_ptr_equal(again, row);
	assert_int_equal(again->rx4.packets, 3);
	drop(t, "2001:db8::1");
	assert_false(may_send(t, "2001:db8::1", NULL));
	drop(t, "2001:db8::1");
	drop(t, "2001:db8::99");
	assert_int_equal(row_count(t), 1);
	table_free(t);
	(void)state;
}

/* proves: SEC-MESH-4 partial, SEC-MESH-7 partial */
static void who_is_in_a_prefix_may_send(void **state)
{
	const struct prefix first[] = {
		prefix("2001:db8:a::/48"), prefix("192.0.2.0/24"), prefix("2001:db8:a::/48")};
	const struct prefix second[] = {prefix("2001:db8:b::/48")};
	struct mesh_transmitter none = {0}, *row = &none, *again = &none;
	struct mesh_table *t = table_new();

	assert_int_equal(mesh_transmitter_set_prefixes(t, first, 3), 0);
	assert_int_equal(row_count(t), 0);
	assert_true(may_send(t, "2001:db8:a::5", &row));
	assert_ptr_not_equal(row, &none);
	assert_non_null(row);
	assert_int_equal(row->refs, 0);
	row->rx6.packets = 1;
	assert_true(may_send(t, "2001:db8:a::5", &again));
	assert_ptr_equal(again, row);
	assert_true(may_send(t, "192.0.2.77", NULL));
	assert_false(may_send(t, "2001:db8:b::5", NULL));
	assert_false(may_send(t, "192.0.3.1", NULL));
	assert_int_equal(t->senders, 2);
	/* Named as well: it stays when the prefix goes, and is a sender of the prefix again when it is not named any more. */
	add(t, "2001:db8:a::5");
	assert_int_equal(t->senders, 1);
	drop(t, "2001:db8:a::5");
	assert_int_equal(t->senders, 2);
	assert_int_equal(row->rx6.packets, 1);
	add(t, "2001:db8:a::5");
	assert_int_equal(mesh_transmitter_set_prefixes(t, second, 1), 0);
	assert_int_equal(t->senders, 0);
	assert_true(may_send(t, "2001:db8:a::5", NULL));
	assert_false(may_send(t, "192.0.2.77", NULL));
	assert_false(may_send(t, "2001:db8:a::6", NULL));
	assert_true(may_send(t, "2001:db8:b::5", NULL));
	drop(t, "2001:db8:a::5");
	assert_false(may_send(t, "2001:db8:a::5", NULL));
	assert_int_equal(mesh_transmitter_set_prefixes(t, NULL, 0), 0);
	assert_false(may_send(t, "2001:db8:b::5", NULL));
	assert_int_equal(row_count(t), 0);
	assert_null(t->transmitter_prefixes);
	table_free(t);
	(void)state;
}

/* A flood of sources within a prefix costs a limited number of rows; whoever has none may send all the same. */
static void rows_of_senders_are_limited(void **state)
{
	const struct prefix all = prefix("2001:db8::/32");
	struct addr a = address("2001:db8::");
	struct mesh_table *t = table_new();

	assert_int_equal(mesh_transmitter_set_prefixes(t, &all, 1), 0);
	for (unsigned i = 0; i < MESH_SENDERS + 500; i++) {
		struct mesh_transmitter *row = NULL;

		a.bytes[14] = (uint8_t)(i >> 8);
		a.bytes[15] = (uint8_t)i;
		assert_true(mesh_transmitter_find(t, &a, &row));
		assert_int_equal(row != NULL, i < MESH_SENDERS);
	}
	assert_int_equal(t->senders, MESH_SENDERS);
	assert_int_equal(row_count(t), MESH_SENDERS);
	/* Who is named has a row in any case; and none to keep when it is not named any more. */
	assert_int_equal(mesh_transmitter_add(t, &a), 0);
	assert_int_equal(row_count(t), MESH_SENDERS + 1);
	mesh_transmitter_remove(t, &a);
	assert_int_equal(row_count(t), MESH_SENDERS);
	assert_int_equal(t->senders, MESH_SENDERS);
	/* Prefixes that still cover them let them be; others take them away. */
	assert_int_equal(mesh_transmitter_set_prefixes(t, &all, 1), 0);
	assert_int_equal(row_count(t), MESH_SENDERS);
	assert_int_equal(mesh_transmitter_set_prefixes(t, NULL, 0), 0);
	assert_int_equal(row_count(t), 0);
	assert_int_equal(t->senders, 0);
	table_free(t);
	(void)state;
}

enum { ADDRESSES = 64, PREFIXES = 4 };

struct model {
	unsigned named[ADDRESSES];
	struct prefix prefixes[PREFIXES];
	unsigned prefix_count;
};

static struct addr nth_address(unsigned i)
{
	struct addr four = addr4(192, 0, 2, (uint8_t)i),
		    six = {.family = AF_INET6, .bytes = {0x20, 0x01, [15] = (uint8_t)i}};

	return i % 2 ? four : six;
}

static bool model_covers(const struct model *m, const struct addr *a)
{
	for (unsigned i = 0; i < m->prefix_count; i++)
		if (prefix_contains_addr(&m->prefixes[i], a))
			return true;
	return false;
}

static void change_prefixes(struct mesh_table *t, struct model *m, struct rng *rng)
{
	m->prefix_count = rng_below(rng, PREFIXES + 1);
	for (unsigned i = 0; i < m->prefix_count; i++) {
		struct addr a = nth_address(rng_below(rng, ADDRESSES));

		m->prefixes[i] = prefix_of(&a, addr_bits(a.family) - rng_below(rng, 6));
	}
	assert_int_equal(mesh_transmitter_set_prefixes(t, m->prefixes, m->prefix_count), 0);
}

static void change_one(struct mesh_table *t, struct model *m, struct rng *rng)
{
	unsigned i = rng_below(rng, ADDRESSES);
	struct addr a = nth_address(i);

	if (rng_below(rng, 2)) {
		assert_int_equal(mesh_transmitter_add(t, &a), 0);
		m->named[i]++;
	} else {
		mesh_transmitter_remove(t, &a);
		m->named[i] -= m->named[i] > 0;
	}
}

/* The rows that there are agree with the model, too. */
static void assert_rows(const struct mesh_table *t, const struct model *m)
{
	struct mesh_transmitter *row;
	uint32_t cursor = 0, senders = 0;

	while ((row = mesh_transmitter_next(t, &cursor))) {
		unsigned i = row->address.bytes[row->address.family == AF_INET ? 3 : 15];

		assert_int_equal(row->refs, m->named[i]);
		assert_true(row->refs || model_covers(m, &row->address));
		senders += !row->refs;
	}
	assert_int_equal(t->senders, senders);
}

static void agrees_with_a_list(void **state)
{
	struct mesh_table *t = table_new();
	struct model m = {0};
	struct rng rng;

	rng_init_seed(&rng, 7);
	for (unsigned step = 0; step < 40000; step++) {
		unsigned i = rng_below(&rng, ADDRESSES);
		struct addr a = nth_address(i);
		struct mesh_transmitter *row = NULL;
		bool may = m.named[i] || model_covers(&m, &a);

		assert_int_equal(mesh_transmitter_find(t, &a, &row), may);
		assert_int_equal(row != NULL, may);
		change_one(t, &m, &rng);
		if (!rng_below(&rng, 50))
			change_prefixes(t, &m, &rng);
		if (!rng_below(&rng, 20))
			assert_rows(t, &m);
	}
	table_free(t);
	(void)state;
}

static void short_memory_changes_nothing(void **state)
{
	const struct prefix before = prefix("2001:db8:a::/48");
	const struct prefix after[] = {
		prefix("2001:db8:b::/48"), prefix("2001:db8:c::/48"), prefix("192.0.2.0/24")};
	struct addr a = address("2001:db8:b::5");
	struct mesh_transmitter *row = NULL;
	struct mesh_table *t = table_new();
	unsigned n = 0;

	assert_int_equal(mesh_transmitter_set_prefixes(t, &before, 1), 0);
	for (scarce_at(++n); mesh_transmitter_add(t, &a) == -ENOMEM; scarce_at(++n)) {
		assert_true(scarce_happened());
		assert_int_equal(row_count(t), 0);
	}
	assert_false(scarce_happened());
	assert_true(n > 2);
	mesh_transmitter_remove(t, &a);
	n = 0;
	for (scarce_at(++n); mesh_transmitter_set_prefixes(t, after, 3) == -ENOMEM; scarce_at(++n)) {
		assert_true(scarce_happened());
		assert_false(may_send(t, "2001:db8:b::5", NULL));
		assert_true(may_send(t, "2001:db8:a::5", NULL));
	}
	assert_false(scarce_happened());
	assert_true(n > 4);
	assert_false(may_send(t, "2001:db8:a::5", NULL));
	table_free(t);
	/* Who comes while there is no memory for its row may send without one. */
	t = table_new();
	assert_int_equal(mesh_transmitter_set_prefixes(t, after, 3), 0);
	scarce_at(1);
	assert_true(mesh_transmitter_find(t, &a, &row));
	assert_true(scarce_happened());
	assert_null(row);
	assert_int_equal(t->senders, 0);
	assert_true(mesh_transmitter_find(t, &a, &row));
	assert_non_null(row);
	table_free(t);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_named_may_send),
		cmocka_unit_test(who_is_in_a_prefix_may_send),
		cmocka_unit_test(rows_of_senders_are_limited),
		cmocka_unit_test(agrees_with_a_list),
		cmocka_unit_test(short_memory_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
