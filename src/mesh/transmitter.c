/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may send to us: table.h. Addresses that the role names are rows with references; who is within a prefix of the operator's gets a row without any,
 * for its counters, while there is room. So a row that is there says yes, and only an address without one is looked up among the prefixes.
 */
#include <errno.h>
#include <stdlib.h>

#include "mesh/table.h"

static uint32_t address_key(const struct mesh_table *t, const struct addr *a)
{
	return hash_bytes(a->bytes, addr_size(a->family), t->seed + a->family);
}

static bool address_matches(const void *item, const void *key)
{
	const struct mesh_transmitter *row = item;

	return addr_equal(&row->address, key);
}

static struct mesh_transmitter *row_find(const struct mesh_table *t, const struct addr *a)
{
	return hash_find(&t->transmitters, address_key(t, a), address_matches, a);
}

static struct mesh_transmitter *row_new(struct mesh_table *t, const struct addr *a)
{
	struct mesh_transmitter *row = pool_alloc(&t->transmitter_rows);

	if (!row)
		return NULL;
	row->address = *a;
	if (hash_insert(&t->transmitters, address_key(t, a), row) < 0) {
		pool_free(&t->transmitter_rows, row);
		return NULL;
	}
	return row;
}

static void row_free(struct mesh_table *t, struct mesh_transmitter *row)
{
	hash_remove(&t->transmitters, address_key(t, &row->address), row);
	pool_free(&t->transmitter_rows, row);
}

static bool is_covered(const struct lpm *prefixes, const struct addr *a)
{
	return prefixes && lpm_lookup(prefixes, a, NULL);
}

int mesh_transmitter_add(struct mesh_table *t, const struct addr *a)
{
	struct mesh_transmitter *row = row_find(t, a);

	if (row && !row->refs)
		t->senders--;
	if (!row)
		row = row_new(t, a);
	if (!row)
		return -ENOMEM;
	row->refs++;
	return 0;
}

void mesh_transmitter_remove(struct mesh_table *t, const struct addr *a)
{
	struct mesh_transmitter *row = row_find(t, a);

	if (!row || !row->refs || --row->refs)
		return;
	if (is_covered(t->transmitter_prefixes, a) && t->senders < MESH_SENDERS)
		t->senders++;
	else
		row_free(t, row);
}

/* NULL: no memory. */
static struct lpm *prefixes_new(const struct prefix *prefixes, unsigned count)
{
	static const char here;
	struct lpm *l = calloc(1, sizeof(*l));

	for (unsigned i = 0; l && i < count; i++) {
		if (lpm_insert(l, &prefixes[i], (void *)&here) != -ENOMEM) /* -EEXIST: named twice */
			continue;
		lpm_free(l);
		free(l);
		return NULL;
	}
	return l;
}

/* Some of the rows that nobody names any more; how many. A table must not change while it is walked through. */
static unsigned uncovered(const struct mesh_table *t, struct mesh_transmitter **rows, unsigned room)
{
	struct mesh_transmitter *row;
	uint32_t cursor = 0;
	unsigned n = 0;

	while (n < room && (row = mesh_transmitter_next(t, &cursor)))
		if (!row->refs && !is_covered(t->transmitter_prefixes, &row->address))
			rows[n++] = row;
	return n;
}

static void forget_uncovered(struct mesh_table *t)
{
	struct mesh_transmitter *rows[128];
	unsigned n;

	while ((n = uncovered(t, rows, sizeof(rows) / sizeof(rows[0])))) {
		t->senders -= n;
		for (unsigned i = 0; i < n; i++)
			row_free(t, rows[i]);
	}
}

int mesh_transmitter_set_prefixes(struct mesh_table *t, const struct prefix *prefixes, unsigned count)
{
	struct lpm *l = count ? prefixes_new(prefixes, count) : NULL;

	if (count && !l)
		return -ENOMEM;
	if (t->transmitter_prefixes)
		lpm_free(t->transmitter_prefixes);
	free(t->transmitter_prefixes);
	t->transmitter_prefixes = l;
	forget_uncovered(t);
	return 0;
}

bool mesh_transmitter_find(struct mesh_table *t, const struct addr *a, struct mesh_transmitter **ret_row)
{
	struct mesh_transmitter *row = row_find(t, a);

	if (!row) {
		if (!is_covered(t->transmitter_prefixes, a))
			return false;
		if (t->senders < MESH_SENDERS)
			row = row_new(t, a);
		if (row)
			t->senders++;
	}
	*ret_row = row;
	return true;
}

struct mesh_transmitter *mesh_transmitter_next(const struct mesh_table *t, uint32_t *cursor)
{
	return hash_next(&t->transmitters, cursor);
}
