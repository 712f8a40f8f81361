/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows by tunnel id and by inner prefix. The hashes of prefixes hold the prefixes inside the rows, so that a
 * match is one comparison in the line that is needed next anyway. Prefix hashes are keyed, because a user may
 * choose the addresses that are looked up.
 */
#include "dataplane/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inet/packet.h"
#include "lib/container.h"

int dp_table_init(struct dp_table *t, uint64_t seed)
{
	*t = (struct dp_table){.seed = seed};
	pool_init(&t->rows, sizeof(struct dp_row));
	return 0;
}

static void row_free(struct dp_table *t, struct dp_row *row)
{
	free(row->more);
	pool_free(&t->rows, row);
}

static void index_free(struct dp_table *t, struct dp_tunnel_index *index)
{
	for (unsigned i = 0; i < DP_PAGES; i++) {
		if (!index->pages[i])
			continue;
		for (unsigned j = 0; j < DP_PAGE_ROWS; j++)
			if (index->pages[i][j])
				row_free(t, index->pages[i][j]);
		free(index->pages[i]);
	}
	free(index);
}

void dp_table_done(struct dp_table *t)
{
	for (unsigned i = 0; i < DP_LISTENERS_MAX; i++)
		if (t->by_tunnel[i])
			index_free(t, t->by_tunnel[i]);
	for (unsigned i = 0; i <= 128; i++)
		hash_free(&t->prefixes6[i]);
	for (unsigned i = 0; i <= 32; i++)
		hash_free(&t->prefixes4[i]);
	pool_done(&t->rows);
	*t = (struct dp_table){0};
}

int dp_table_add_listener(struct dp_table *t, uint8_t listener)
{
	if (listener >= DP_LISTENERS_MAX)
		return -EINVAL;
	if (!t->by_tunnel[listener])
		t->by_tunnel[listener] = calloc(1, sizeof(struct dp_tunnel_index));
	return t->by_tunnel[listener] ? 0 : -ENOMEM;
}

/* Where the row of this tunnel id is noted; NULL: no listener, or no memory for the page. */
static struct dp_row **row_place(struct dp_table *t, uint8_t listener, uint16_t local_tunnel)
{
	struct dp_row ***page = &t->by_tunnel[listener]->pages[local_tunnel / DP_PAGE_ROWS];

	if (!*page)
		*page = calloc(DP_PAGE_ROWS, sizeof(struct dp_row *));
	return *page ? &(*page)[local_tunnel % DP_PAGE_ROWS] : NULL;
}

int dp_row_add(struct dp_table *t, uint8_t listener, uint16_t local_tunnel, uint16_t local_session,
	const struct endpoint *peer, struct dp_row **ret)
{
	struct dp_row **place;
	struct dp_row *row;

	if (listener >= DP_LISTENERS_MAX || !t->by_tunnel[listener] || !local_tunnel)
		return -EINVAL;
	place = row_place(t, listener, local_tunnel);
	if (!place)
		return -ENOMEM;
	if (*place)
		return -EEXIST;
	row = pool_alloc(&t->rows);
	if (!row)
		return -ENOMEM;
	row->listener = listener;
	row->local_tunnel = local_tunnel;
	row->local_session = local_session;
	row->peer = *peer;
	row->mtu = IP6_MIN_MTU;
	t->generation += 2;
	row->generation = t->generation | 1;
	*place = row;
	*ret = row;
	return 0;
}

static struct hash *prefix_hash(const struct dp_table *t, uint8_t family, unsigned len)
{
	return (struct hash *)(family == AF_INET6 ? &t->prefixes6[len] : &t->prefixes4[len]);
}

static uint32_t prefix_key(const struct dp_table *t, const struct prefix *p)
{
	uint64_t high;

	if (p->len > 64)
		return hash_bytes(p->addr.bytes, sizeof(p->addr.bytes), t->seed);
	memcpy(&high, p->addr.bytes, sizeof(high));
	return hash_u64(high, t->seed);
}

static bool prefix_matches(const void *item, const void *key)
{
	const struct dp_row_prefix *slot = item;

	return prefix_equal(&slot->prefix, key);
}

static struct dp_row *row_of(struct dp_row_prefix *slot)
{
	if (slot->index < DP_ROW_INLINE)
		return container_of(slot - slot->index, struct dp_row, prefixes);
	return container_of(slot - (slot->index - DP_ROW_INLINE), struct dp_row_more, prefixes)->row;
}

/* Keeps the list of lengths in use sorted, longest first. */
static void length_used(uint8_t *lengths, unsigned *count, uint8_t len)
{
	unsigned i = *count;

	for (; i > 0 && lengths[i - 1] < len; i--)
		lengths[i] = lengths[i - 1];
	lengths[i] = len;
	(*count)++;
}

static void length_unused(uint8_t *lengths, unsigned *count, uint8_t len)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < *count; i++)
		if (lengths[i] != len)
			lengths[kept++] = lengths[i];
	*count = kept;
}

static void note_length(
	struct dp_table *t, const struct prefix *p, void (*note)(uint8_t *, unsigned *, uint8_t))
{
	if (p->addr.family == AF_INET6)
		note(t->lengths6, &t->length6_count, p->len);
	else
		note(t->lengths4, &t->length4_count, p->len);
}

/* How many slots there are now. */
static unsigned slot_count(const struct dp_row *row)
{
	return row->more ? DP_ROW_PREFIXES : DP_ROW_INLINE;
}

static struct dp_row_prefix *slot_at(const struct dp_row *row, unsigned i)
{
	struct dp_row *of =
		(struct dp_row *)row; /* who only reads has a const row, and does not write to the slot */

	return i < DP_ROW_INLINE ? &of->prefixes[i] : &of->more->prefixes[i - DP_ROW_INLINE];
}

/* A free slot, or NULL and *ret_error. */
static struct dp_row_prefix *slot_free(struct dp_row *row, int *ret_error)
{
	*ret_error = -ENOSPC;
	if (row->prefix_count >= DP_ROW_INLINE && !row->more) {
		row->more = calloc(1, sizeof(*row->more));
		if (!row->more) {
			*ret_error = -ENOMEM;
			return NULL;
		}
		row->more->row = row;
	}
	for (unsigned i = 0; i < slot_count(row); i++) {
		struct dp_row_prefix *slot = slot_at(row, i);

		if (!prefix_is_none(&slot->prefix))
			continue;
		slot->index = (uint8_t)i;
		return slot;
	}
	return NULL;
}

/* The block of further prefixes goes with the last of them. */
static void more_trim(struct dp_row *row)
{
	for (unsigned i = 0; row->more && i < DP_ROW_MORE; i++)
		if (!prefix_is_none(&row->more->prefixes[i].prefix))
			return;
	free(row->more);
	row->more = NULL;
}

int dp_row_add_prefix(struct dp_table *t, struct dp_row *row, const struct prefix *p)
{
	struct dp_row_prefix *slot;
	struct hash *h;
	uint32_t key;
	int r;

	if (prefix_is_none(p) || p->len > addr_bits(p->addr.family))
		return -EINVAL;
	h = prefix_hash(t, p->addr.family, p->len);
	key = prefix_key(t, p);
	if (hash_find(h, key, prefix_matches, p))
		return -EEXIST;
	slot = slot_free(row, &r);
	if (!slot)
		return r;
	r = hash_insert(h, key, slot);
	if (r < 0) {
		more_trim(row);
		return r;
	}
	if (h->count == 1)
		note_length(t, p, length_used);
	slot->prefix = *p;
	row->prefix_count++;
	return 0;
}

static void slot_clear(struct dp_table *t, struct dp_row *row, struct dp_row_prefix *slot)
{
	struct prefix *p = &slot->prefix;
	struct hash *h = prefix_hash(t, p->addr.family, p->len);

	hash_remove(h, prefix_key(t, p), slot);
	if (!h->count)
		note_length(t, p, length_unused);
	*p = (struct prefix){0};
	row->prefix_count--;
}

void dp_row_remove_prefix(struct dp_table *t, struct dp_row *row, const struct prefix *p)
{
	for (unsigned i = 0; i < slot_count(row); i++) {
		struct dp_row_prefix *slot = slot_at(row, i);

		if (prefix_is_none(&slot->prefix) || !prefix_equal(&slot->prefix, p))
			continue;
		slot_clear(t, row, slot);
		more_trim(row);
		return;
	}
}

void dp_row_remove(struct dp_table *t, struct dp_row *row)
{
	row->generation &= ~1U;
	for (unsigned i = 0; i < slot_count(row); i++)
		if (!prefix_is_none(&slot_at(row, i)->prefix))
			slot_clear(t, row, slot_at(row, i));
	if (t->any == row)
		t->any = NULL;
	*row_place(t, row->listener, row->local_tunnel) = NULL;
	row_free(t, row);
}

void dp_table_set_default(struct dp_table *t, struct dp_row *row)
{
	t->any = row;
}

struct dp_row *dp_find_session(const struct dp_table *t, uint8_t listener, uint16_t local_tunnel)
{
	const struct dp_tunnel_index *index = listener < DP_LISTENERS_MAX ? t->by_tunnel[listener] : NULL;
	struct dp_row *const *page = index ? index->pages[local_tunnel / DP_PAGE_ROWS] : NULL;

	return page ? page[local_tunnel % DP_PAGE_ROWS] : NULL;
}

struct dp_row *dp_find_inner(const struct dp_table *t, const struct addr *dst)
{
	bool six = dst->family == AF_INET6;
	const uint8_t *lengths = six ? t->lengths6 : t->lengths4;
	unsigned count = six ? t->length6_count : t->length4_count;

	for (unsigned i = 0; i < count; i++) {
		struct prefix p = prefix_of(dst, lengths[i]);
		struct dp_row_prefix *slot =
			hash_find(prefix_hash(t, dst->family, p.len), prefix_key(t, &p), prefix_matches, &p);

		if (slot)
			return row_of(slot);
	}
	return t->any;
}

bool dp_row_permits_source(const struct dp_row *row, const struct addr *src)
{
	for (unsigned i = 0; i < slot_count(row); i++)
		if (prefix_contains_addr(&slot_at(row, i)->prefix, src))
			return true;
	return false;
}

unsigned dp_row_list(const struct dp_row *row, struct prefix ret[DP_ROW_PREFIXES])
{
	unsigned n = 0;

	for (unsigned i = 0; i < slot_count(row); i++)
		if (!prefix_is_none(&slot_at(row, i)->prefix))
			ret[n++] = slot_at(row, i)->prefix;
	return n;
}
