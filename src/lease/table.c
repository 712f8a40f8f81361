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

/* Puts it into its pool's list or takes it out, whichever is right now. */
static void relist(struct row *row)
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
	relist(row);
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
		relist(row);
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

static void present_span(const struct span *n, struct lease *ret)
{
	struct prefix p = span_prefix(n);

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
	relist(row);
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

		row_become(s, row, &c->before);
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
	row->order = l->used_order;
	if (s->last_order < row->order)
		s->last_order = row->order;
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

static const char *bad_prefix(const struct lease_store *s, const struct row *row, const struct db_prefix *p)
{
	uint64_t first = span_key(&p->prefix.addr);

	if (!row)
		return "belongs to no lease";
	if (p->position >= part_rules[p->part].count)
		return "has a place that no prefix has";
	for (unsigned i = 0; i < row->now.span_count; i++)
		if (row->now.spans[i]->part == p->part && row->now.spans[i]->position == p->position)
			return "has a place that another one has";
	if (!span_holds(&p->prefix) || p->prefix.addr.family != part_rules[p->part].family ||
		p->prefix.len < part_rules[p->part].min || p->prefix.len > part_rules[p->part].max)
		return "has an impossible length or family";
	if (span_overlap(&s->leased, first, span_end(first, span_bits(p->prefix.addr.family, p->prefix.len))))
		return "overlaps another one";
	return NULL;
}

/* Puts N among the spans of ST, which nobody has seen yet, by part and position. */
static int add_span(struct state *st, struct span *n)
{
	struct span **spans = reallocarray(st->spans, st->span_count + 1U, sizeof(struct span *));
	unsigned at = st->span_count;

	if (!spans)
		return -ENOMEM;
	for (; at && (spans[at - 1]->part > n->part ||
			     (spans[at - 1]->part == n->part && spans[at - 1]->position > n->position));
		at--)
		spans[at] = spans[at - 1];
	spans[at] = n;
	st->spans = spans;
	st->span_count++;
	return 0;
}

static int load_prefix(void *owner, const struct db_prefix *p, char why[256])
{
	struct lease_store *s = owner;
	struct row *row = row_find(s, p->user, p->slot);
	const char *problem = bad_prefix(s, row, p);
	struct span *n;
	char text[PREFIX_TEXT];

	if (problem) {
		snprintf(why, 256, "prefix %s of user %.60s %s", prefix_print(&p->prefix, text), p->user,
			problem);
		return -EIO;
	}
	n = span_new(&s->leased, &p->prefix, row);
	if (n) {
		n->part = p->part;
		n->position = p->position;
		n->fixed = p->fixed;
	}
	if (!n || add_span(&row->now, n)) {
		free(n);
		snprintf(why, 256, "out of memory");
		return -ENOMEM;
	}
	span_link(&s->leased, n);
	return 0;
}

/* The one that is not there although a later one is; span_count when none. */
static unsigned missing_position(const struct state *st)
{
	unsigned position = 0;

	for (unsigned i = 0; i < st->span_count; i++, position++) {
		if (i && st->spans[i]->part != st->spans[i - 1]->part)
			position = 0;
		if (st->spans[i]->position != position)
			return i;
	}
	return st->span_count;
}

/* Who was in use when the daemon ended was used until now, and so after all others. */
static int by_last_use(const void *a, const void *b)
{
	const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;

	if (x->touched != y->touched)
		return x->touched ? 1 : -1;
	return row_is_older(x, y) ? -1 : row_is_older(y, x);
}

/* Checks that nothing is missing, and lists all rows in the order of their last use. */
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
		unsigned at = missing_position(&row->now);
		char text[PREFIX_TEXT];

		if (at < row->now.span_count) {
			struct prefix p = span_prefix(row->now.spans[at]);

			snprintf(why, 256, "lease of user %.100s: the prefix before %s is missing", row->user,
				prefix_print(&p, text));
			free(rows);
			return -EIO;
		}
		rows[count++] = row;
	}
	qsort(rows, count, sizeof(struct row *), by_last_use);
	for (size_t i = 0; i < count; i++) {
		if (rows[i]->touched)
			rows[i]->order = ++s->last_order;
		relist(rows[i]);
	}
	free(rows);
	return 0;
}

int table_load(struct lease_store *s, struct db *db, char why[256])
{
	int rc = db_load(db, load_lease, load_prefix, s, why);

	return rc ? rc : finish_load(s, why);
}
