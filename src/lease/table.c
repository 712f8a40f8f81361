/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows: one per user and slot, found by a hash; their spans in the ordered set; which of them may be evicted, oldest first. */
#include "lease/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

void row_release_if_gone(struct lease_store *s, struct row *row)
{
	if (row->now.present || row->refs || row->holders)
		return;
	hash_remove(&s->rows, row_hash(s, row->user, row->slot), row);
	free(row);
}

void row_drop_ref(struct lease_store *s, struct row *row)
{
	row->refs--;
	row_release_if_gone(s, row);
}

static void unlist(struct row *row)
{
	struct pool_name *pool = row->now.pool;

	if (!row->listed)
		return;
	*(row->older ? &row->older->newer : &pool->oldest) = row->newer;
	*(row->newer ? &row->newer->older : &pool->newest) = row->older;
	row->older = row->newer = NULL;
	row->listed = false;
}

/* Before NEXT, or as the last when that is NULL. */
static void list_before(struct row *row, struct row *next)
{
	struct pool_name *pool = row->now.pool;

	row->newer = next;
	row->older = next ? next->older : pool->newest;
	*(row->older ? &row->older->newer : &pool->oldest) = row;
	*(next ? &next->older : &pool->newest) = row;
	row->listed = true;
}

/* What comes back was evicted, so its place is near the old end. */
static void list_restore(struct row *row)
{
	struct row *next = row->now.pool->oldest;

	while (next && next->order < row->order)
		next = next->newer;
	list_before(row, next);
}

/* Whether taking it from its user would give the pool something back. */
static bool is_evictable(const struct row *row)
{
	const struct state *st = &row->now;

	return st->present && !row->holders && st->pool &&
	       ((st->link && !st->link_fixed) || (st->count && !st->delegated_fixed));
}

void row_relist(struct lease_store *s, struct row *row, bool restore)
{
	if (row->listed == is_evictable(row))
		return;
	if (row->listed) {
		unlist(row);
	} else if (restore) {
		list_restore(row);
	} else {
		row->order = ++s->last_order;
		list_before(row, NULL);
	}
}

void row_hold(struct lease_store *s, struct row *row)
{
	if (row->holders == UINT16_MAX)
		return;
	if (!row->holders++ && row->now.present)
		s->active++;
	row_relist(s, row, false);
}

void row_unhold(struct lease_store *s, struct row *row)
{
	if (!row->holders)
		return;
	if (!--row->holders && row->now.present)
		s->active--;
	row_relist(s, row, false);
}

void row_leave(struct lease_store *s, struct row *row)
{
	row_unhold(s, row);
	if (row->now.present)
		row_touch(s, row, time(NULL));
	else
		row_release_if_gone(s, row);
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

void row_present(const struct row *row, const struct state *state, int64_t used_at, struct lease *ret)
{
	memset(ret, 0, sizeof(*ret));
	snprintf(ret->user, sizeof(ret->user), "%s", row->user);
	ret->slot = row->slot;
	snprintf(ret->pool, sizeof(ret->pool), "%s", state->pool ? state->pool->text : "");
	if (state->link)
		ret->link6 = span_prefix(state->link);
	ret->prefix_count = state->count;
	for (unsigned i = 0; i < state->count; i++)
		ret->delegated[i] = span_prefix(state->delegated[i]);
	if (state->duid) {
		memcpy(ret->duid, state->duid->bytes, state->duid->len);
		ret->duid_len = state->duid->len;
	}
	ret->iaid = state->iaid;
	ret->granted_at = state->granted_at;
	ret->used_at = used_at;
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

bool state_equal(const struct state *a, const struct state *b)
{
	return a->link == b->link && !memcmp(a->delegated, b->delegated, sizeof(a->delegated)) &&
	       a->duid == b->duid && a->pool == b->pool && a->granted_at == b->granted_at &&
	       a->iaid == b->iaid && a->count == b->count && a->present == b->present &&
	       a->link_fixed == b->link_fixed && a->delegated_fixed == b->delegated_fixed;
}

void state_spans(const struct state *st, struct span *ret[LEASE_PREFIXES + 1])
{
	memcpy(ret, st->delegated, sizeof(st->delegated));
	ret[LEASE_PREFIXES] = st->link;
}

bool state_owns_span(const struct state *st, const struct span *n)
{
	struct span *spans[LEASE_PREFIXES + 1];

	state_spans(st, spans);
	for (unsigned i = 0; i <= LEASE_PREFIXES; i++)
		if (spans[i] == n)
			return true;
	return false;
}

void row_become(struct lease_store *s, struct row *row, const struct state *to, bool restore)
{
	struct span *old[LEASE_PREFIXES + 1], *new[LEASE_PREFIXES + 1];

	unlist(row);
	state_spans(&row->now, old);
	state_spans(to, new);
	for (unsigned i = 0; i <= LEASE_PREFIXES; i++)
		if (old[i] && !state_owns_span(to, old[i]))
			span_vacate(s, &s->leased, old[i]);
	for (unsigned i = 0; i <= LEASE_PREFIXES; i++)
		if (new[i] && !state_owns_span(&row->now, new[i]))
			span_occupy(s, &s->leased, new[i]);
	if (row->now.present != to->present) {
		s->count += to->present ? 1 : (size_t)-1;
		if (row->holders)
			s->active += to->present ? 1 : (size_t)-1;
	}
	row->now = *to;
	row_relist(s, row, restore);
}

void state_free_rest(struct state *gone, const struct state *kept)
{
	struct span *spans[LEASE_PREFIXES + 1];

	state_spans(gone, spans);
	for (unsigned i = 0; i <= LEASE_PREFIXES; i++)
		if (spans[i] && !state_owns_span(kept, spans[i]))
			free(spans[i]);
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

		row_become(s, row, &c->before, true);
		state_free_rest(&c->after, &c->before);
		row->changing--;
		row_drop_ref(s, row);
	}
}

void table_free(struct lease_store *s)
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
}

/* Loading: rows first, then their prefixes; what is read is checked as if a stranger had written it. */

static int load_lease(void *owner, const struct db_lease *l, char why[256])
{
	struct lease_store *s = owner;
	struct row *row;
	int64_t now = time(NULL);

	if (strlen(l->user) > LEASE_USER_MAX || !l->user[0] || strlen(l->pool) >= sizeof(s->names->text) ||
		l->duid_len > LEASE_DUID_MAX) {
		snprintf(why, 256, "lease of user \"%.60s\": name, pool or DUID is too long or empty",
			l->user);
		return -EIO;
	}
	row = row_get(s, l->user, l->slot);
	if (!row)
		goto no_memory;
	row->now.pool = pool_name_get(s, l->pool);
	if (l->duid_len) {
		row->now.duid = malloc(sizeof(struct duid) + l->duid_len);
		if (!row->now.duid)
			goto no_memory;
		row->now.duid->len = (uint8_t)l->duid_len;
		memcpy(row->now.duid->bytes, l->duid, l->duid_len);
	}
	row->now.iaid = l->iaid;
	row->now.granted_at = l->granted_at;
	row->used_at = l->used_at;
	row->now.present = true;
	s->count++;
	/* In use when the daemon ended: nobody knows until when, so until now. */
	if (l->in_use)
		row_touch(s, row, now);
	if (row->now.pool)
		return 0;
no_memory:
	snprintf(why, 256, "out of memory");
	return -ENOMEM;
}

static int load_prefix(void *owner, const struct db_prefix *p, char why[256])
{
	struct lease_store *s = owner;
	struct row *row = row_find(s, p->user, p->slot);
	const char *problem = NULL;
	uint64_t first = span_key(&p->prefix.addr);
	struct span *n, **place = NULL;
	char text[PREFIX_TEXT];

	if (row)
		place = p->link                        ? &row->now.link
			: p->position < LEASE_PREFIXES ? &row->now.delegated[p->position]
						       : NULL;
	if (!row)
		problem = "belongs to no lease";
	else if (!place || *place)
		problem = "has a place that another one has";
	else if (p->prefix.len < 1 || p->prefix.len > 64 || (p->link && p->prefix.len != 64))
		problem = "has an impossible length";
	else if (span_overlap(&s->leased, first, span_end(first, p->prefix.len)))
		problem = "overlaps another one";
	if (problem) {
		snprintf(why, 256, "prefix %s of user %.60s %s", prefix_print(&p->prefix, text), p->user,
			problem);
		return -EIO;
	}
	n = span_new(&s->leased, &p->prefix, row);
	if (!n) {
		snprintf(why, 256, "out of memory");
		return -ENOMEM;
	}
	span_link(&s->leased, n);
	*place = n;
	if (p->link) {
		row->now.link_fixed = p->fixed;
	} else {
		row->now.delegated_fixed = p->fixed;
		row->now.count++;
	}
	return 0;
}

static int by_last_use(const void *a, const void *b)
{
	int64_t x = (*(struct row *const *)a)->used_at, y = (*(struct row *const *)b)->used_at;

	return x < y ? -1 : x > y;
}

/* Checks that delegated prefixes have no gaps in their positions, and lists all rows in the order of their last use. */
static int finish_load(struct lease_store *s, char why[256])
{
	struct row **rows = calloc(s->count + 1, sizeof(struct row *)), *row;
	uint32_t cursor = 0;
	size_t count = 0;

	if (!rows) {
		snprintf(why, 256, "out of memory");
		return -ENOMEM;
	}
	while ((row = hash_next(&s->rows, &cursor))) {
		for (unsigned i = 0; i < row->now.count; i++) {
			if (row->now.delegated[i])
				continue;
			snprintf(why, 256, "lease of user %.100s: delegated prefix %u is missing", row->user,
				i);
			free(rows);
			return -EIO;
		}
		rows[count++] = row;
	}
	qsort(rows, count, sizeof(struct row *), by_last_use);
	for (size_t i = 0; i < count; i++)
		row_relist(s, rows[i], false);
	free(rows);
	return 0;
}

int table_load(struct lease_store *s, struct db *db, char why[256])
{
	int rc = db_load(db, load_lease, load_prefix, s, why);

	return rc ? rc : finish_load(s, why);
}
