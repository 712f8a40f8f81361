/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows: one per user and slot, found by a hash; their spans in the ordered set; which of them are idle, longest first. */
#include "lease/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const struct part_rule part_rules[PARTS] = {
	[PART_LINK] = {AF_INET6, 64, 64, 1},
	[PART_DELEGATED] = {AF_INET6, 48, 64, LEASE_PREFIXES}, /* RFC 5571 section 6.2.1 */
	[PART_ADDRESS4] = {AF_INET, 32, 32, 1},
	[PART_SUBNET4] = {AF_INET, 8, 30, LEASE_SUBNETS}, /* RFC 5571 section 6.2.2 */
};

struct row_key {
	const char *user;
	uint16_t slot;
};

static bool row_matches(const void *item, const void *key)
{
	const struct row *row = item;
	const struct row_key *k = key;

	return row->slot == k->slot && !strcmp(row->user, k->user);
}

static uint32_t row_hash(const struct lease_store *s, const char *user, uint16_t slot)
{
	return hash_bytes(user, strlen(user), s->seed + slot);
}

struct row *row_find(const struct lease_store *s, const char *user, uint16_t slot)
{
	struct row_key key = {user, slot};

	return hash_find(&s->rows, row_hash(s, user, slot), row_matches, &key);
}

struct row *row_get(struct lease_store *s, const char *user, uint16_t slot)
{
	struct row *row = row_find(s, user, slot);
	size_t len = strlen(user);

	if (row)
		return row;
	row = calloc(1, sizeof(*row) + len + 1);
	if (!row)
		return NULL;
	memcpy(row->user, user, len + 1);
	row->slot = slot;
	if (hash_insert(&s->rows, row_hash(s, user, slot), row)) {
		free(row);
		return NULL;
	}
	return row;
}

void row_drop_ref(struct lease_store *s, struct row *row)
{
	row->refs--;
	if (row->now.present || row->refs || row->holders)
		return;
	hash_remove(&s->rows, row_hash(s, row->user, row->slot), row);
	free(row);
}

/* The parts that its pool would get back with it. What is fixed is reserved or nobody else's. */
static unsigned state_gives(const struct state *st)
{
	unsigned parts = 0;

	for (unsigned i = 0; i < st->span_count; i++)
		if (!st->spans[i]->fixed)
			parts |= 1U << st->spans[i]->part;
	return parts;
}

static struct idle_list *row_list(const struct row *row)
{
	return &row->now.pool->idle[state_gives(&row->now)];
}

bool row_is_older(const struct row *a, const struct row *b)
{
	return a->order != b->order ? a->order < b->order : a->used_at < b->used_at;
}

static void unlist(struct row *row)
{
	struct idle_list *l;

	if (!row->listed)
		return;
	l = row_list(row);
	*(row->older ? &row->older->newer : &l->oldest) = row->newer;
	*(row->newer ? &row->newer->older : &l->newest) = row->older;
	row->older = row->newer = NULL;
	row->listed = false;
}

/* At its place. What was used now belongs to the one end; what was evicted and comes back, or lost a part, is near the other end
 * or newer than all that lost it before: so it is looked for from both. */
static void list(struct row *row)
{
	struct idle_list *l = row_list(row);
	struct row *next = l->oldest, *before = l->newest;

	while (next && row_is_older(next, row) && row_is_older(row, before)) {
		next = next->newer;
		before = before->older;
	}
	if (next && row_is_older(next, row))
		next = before->newer;
	row->newer = next;
	row->older = next ? next->older : l->newest;
	*(row->older ? &row->older->newer : &l->oldest) = row;
	*(next ? &next->older : &l->newest) = row;
	row->listed = true;
}

void row_relist(struct row *row)
{
	bool idle = row->now.present && !row->holders;

	if (idle && !row->listed)
		list(row);
	else if (!idle)
		unlist(row);
}

void row_hold(struct lease_store *s, struct row *row)
{
	if (row->holders == UINT16_MAX)
		return;
	if (!row->holders++ && row->now.present)
		s->active++;
	row->order = ++s->last_order;
	row_relist(row);
}

void row_leave(struct lease_store *s, struct row *row)
{
	if (!row->holders)
		return;
	row->refs++; /* forgetting it may be the end of it */
	if (!--row->holders) {
		row->order = ++s->last_order;
		if (row->now.present)
			s->active--;
		row_relist(row);
	}
	if (row->now.present)
		row_touch(s, row, time(NULL));
	if (row_is_left_over(row))
		row_forget(s, row);
	row_drop_ref(s, row);
}

static int touched_push(struct lease_store *s, struct row *row)
{
	if (s->touched_count == s->touched_size) {
		size_t size = s->touched_size ? s->touched_size * 2 : 256;
		struct row **rows = reallocarray(s->touched, size, sizeof(struct row *));

		if (!rows)
			return -ENOMEM;
		s->touched = rows;
		s->touched_size = size;
	}
	s->touched[s->touched_count++] = row;
	row->touched = true;
	row->refs++;
	return 0;
}

void row_touch(struct lease_store *s, struct row *row, int64_t now)
{
	row->used_at = now;
	/* Without memory the time of last use stays the older one on disk: no harm worth an error. */
	if (!row->touched)
		(void)touched_push(s, row);
}

_Static_assert(1 << PART_LINK == LEASE_FIXED_LINK && 1 << PART_DELEGATED == LEASE_FIXED_DELEGATED &&
		       1 << PART_ADDRESS4 == LEASE_FIXED_ADDRESS4 && 1 << PART_SUBNET4 == LEASE_FIXED_SUBNETS,
	"a bit for each part");

static void present_span(const struct span *n, struct lease *ret)
{
	struct prefix p = span_prefix(n);

	if (n->fixed)
		ret->fixed |= (uint8_t)(1U << n->part);
	switch ((enum part)n->part) {
	case PART_LINK:
		ret->link6 = p;
		break;
	case PART_DELEGATED:
		ret->delegated[ret->prefix_count++] = p;
		break;
	case PART_ADDRESS4:
		ret->address4 = p.addr;
		break;
	case PART_SUBNET4:
		ret->subnets[ret->subnet_count++] = p;
		break;
	case PARTS:
		break;
	}
}

void row_present(const struct row *row, const struct state *state, int64_t used_at, struct lease *ret)
{
	memset(ret, 0, sizeof(*ret));
	snprintf(ret->user, sizeof(ret->user), "%s", row->user);
	ret->slot = row->slot;
	snprintf(ret->pool, sizeof(ret->pool), "%s", state->pool ? state->pool->text : "");
	for (unsigned i = 0; i < state->span_count; i++)
		present_span(state->spans[i], ret);
	if (state->duid) {
		memcpy(ret->duid, state->duid->bytes, state->duid->len);
		ret->duid_len = state->duid->len;
	}
	ret->iaid = state->iaid;
	ret->granted_at = state->granted_at;
	ret->used_at = used_at;
	ret->used_order = row->order;
	ret->active = row->holders > 0;
}

struct pool_name *pool_name_get(struct lease_store *s, const char *text)
{
	struct pool_name *name = s->names;

	while (name && strcmp(name->text, text) != 0)
		name = name->next;
	if (name)
		return name;
	name = calloc(1, sizeof(*name));
	if (!name)
		return NULL;
	snprintf(name->text, sizeof(name->text), "%s", text);
	name->next = s->names;
	s->names = name;
	return name;
}

static bool same_spans(const struct state *a, const struct state *b)
{
	return a->span_count == b->span_count &&
	       (!a->span_count || !memcmp(a->spans, b->spans, a->span_count * sizeof(struct span *)));
}

bool state_equal(const struct state *a, const struct state *b)
{
	return same_spans(a, b) && a->duid == b->duid && a->pool == b->pool &&
	       a->granted_at == b->granted_at && a->iaid == b->iaid && a->present == b->present;
}

bool state_owns_span(const struct state *st, const struct span *n)
{
	for (unsigned i = 0; i < st->span_count; i++)
		if (st->spans[i] == n)
			return true;
	return false;
}

int state_set_spans(struct state *st, struct span *const *spans, unsigned count)
{
	struct span **copy = NULL;

	if (count) {
		copy = calloc(count, sizeof(struct span *));
		if (!copy)
			return -ENOMEM;
		memcpy(copy, spans, count * sizeof(struct span *));
	}
	st->spans = copy;
	st->span_count = (uint8_t)count;
	return 0;
}

void row_become(struct lease_store *s, struct row *row, const struct state *to)
{
	unlist(row);
	for (unsigned i = 0; i < row->now.span_count; i++)
		if (!state_owns_span(to, row->now.spans[i]))
			span_vacate(s, &s->leased, row->now.spans[i]);
	for (unsigned i = 0; i < to->span_count; i++)
		if (!state_owns_span(&row->now, to->spans[i]))
			span_occupy(s, &s->leased, to->spans[i]);
	row_adopt(s, row, to);
}

void row_adopt(struct lease_store *s, struct row *row, const struct state *to)
{
	unlist(row);
	if (row->now.present != to->present) {
		s->count += to->present ? 1 : (size_t)-1;
		if (row->holders)
			s->active += to->present ? 1 : (size_t)-1;
	}
	row->now = *to;
	row_relist(row);
}

void state_free_rest(struct state *gone, const struct state *kept)
{
	for (unsigned i = 0; i < gone->span_count; i++)
		if (!state_owns_span(kept, gone->spans[i]))
			free(gone->spans[i]);
	if (gone->spans != kept->spans)
		free(gone->spans);
	if (gone->duid != kept->duid)
		free(gone->duid);
}

void change_note(struct op *op, struct row *row, const struct state *before)
{
	op->changes[op->change_count++] = (struct change){
		.row = row,
		.before = *before,
		.after = row->now,
		.used_at = row->used_at,
		.order = row->order,
		.in_use = row->holders > 0,
	};
	row->refs++;
	row->changing++;
}

void op_undo(struct lease_store *s, struct op *op)
{
	while (op->change_count) {
		struct change *c = &op->changes[--op->change_count];
		struct row *row = c->row;

		if (op->kind == OP_LEASES) { /* a rewrite has changed nothing in memory */
			row_become(s, row, &c->before);
			state_free_rest(&c->after, &c->before);
		}
		row->changing--;
		row_drop_ref(s, row);
	}
}

void table_clear(struct lease_store *s)
{
	uint32_t cursor = 0;
	struct row *row;
	struct pool_name *name;

	while ((row = hash_next(&s->rows, &cursor))) {
		static const struct state nothing;

		state_free_rest(&row->now, &nothing);
		free(row);
	}
	hash_free(&s->rows);
	while ((name = s->names)) {
		s->names = name->next;
		free(name);
	}
	free(s->touched);
	s->touched = NULL;
	s->touched_count = s->touched_size = 0;
	s->leased = (struct span_set){.seed = s->leased.seed};
	s->count = s->active = 0;
	s->last_order = 0;
}
