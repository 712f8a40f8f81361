/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The calls of lease.h. What makes them safe is told in store.h. */
#include "lease/store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/rng.h"

static const struct state no_state;

static void on_touch_timer(struct wheel_timer *t, msec now)
{
	struct lease_store *s = container_of(t, struct lease_store, touch_timer);
	/* A little at a time: a million of them, as after a restart, must not keep requests waiting. */
	(void)touches_submit(s);
	wheel_arm(&s->loop->wheel, t, now + (s->touched_count ? TOUCH_PAUSE : TOUCH_INTERVAL));
}

static void free_tables(struct lease_store *s)
{
	lease_store_clear_reserved(s);
	table_free(s);
	free(s->pools);
	free(s);
}

struct lease_store *lease_store_open(struct loop *loop, const char *path, struct log *log, char why[256])
{
	struct lease_store *s = calloc(1, sizeof(*s));
	struct rng rng;
	struct db *db;
	char problem[256];

	if (!s) {
		snprintf(why, 256, "%.200s: out of memory", path);
		return NULL;
	}
	rng_init_system(&rng);
	s->loop = loop;
	s->log = log;
	s->seed = rng_u64(&rng);
	s->leased.seed = s->reserved.seed = rng_u64(&rng);
	db = db_open(path, why);
	if (!db) {
		free_tables(s);
		return NULL;
	}
	if (table_load(s, db, problem)) {
		snprintf(why, 256, "%.100s: %.150s", path, problem);
		db_close(db);
		free_tables(s);
		return NULL;
	}
	s->committer = committer_new(s, db, why);
	if (!s->committer) {
		free_tables(s);
		return NULL;
	}
	s->touch_timer.fire = on_touch_timer;
	if (loop)
		wheel_arm(&loop->wheel, &s->touch_timer, loop_now(loop) + TOUCH_INTERVAL);
	return s;
}

void lease_store_close(struct lease_store *s)
{
	size_t batches = s->touched_count / TOUCH_BATCH + 1;

	if (s->loop)
		wheel_disarm(&s->loop->wheel, &s->touch_timer);
	while (batches-- && s->touched_count && !touches_submit(s))
		;
	committer_free(s->committer);
	s->committer = NULL;
	free_tables(s);
}

static void op_why(struct op *op, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void op_why(struct op *op, const char *format, ...)
{
	va_list args;

	free(op->why);
	va_start(args, format);
	if (vasprintf(&op->why, format, args) < 0)
		op->why = NULL;
	va_end(args);
}

static void op_refuse(struct lease_store *s, struct op *op, int result)
{
	op->result = result;
	op_finish(s, op);
}

/* A new operation for ROW, or NULL after having told why not. The answer is early then: there is no memory to delay it. */
static struct op *op_begin(struct lease_store *s, lease_answer *answer, void *owner)
{
	struct op *op;

	if (committer_is_full(s->committer)) {
		answer(owner, -EIO, NULL, "the database does not keep up: too many requests wait for it");
		return NULL;
	}
	op = op_new(s, answer, owner);
	if (!op)
		answer(owner, -ENOMEM, NULL, "out of memory");
	return op;
}

static void op_grant(struct lease_store *s, struct op *op, struct row *row, bool changed)
{
	op->row = row;
	row->refs++;
	op->grant = row->now;
	op->used_at = row->used_at;
	/* Unchanged, but granted by an operation that is not committed yet: after it, and with its fate. */
	if (changed || row->changing)
		op_submit(s, op);
	else
		op_finish(s, op);
}

/* Acquiring. The row is changed step by step; what a step drops stays allocated until the operation is settled. */

struct acquire {
	struct lease_store *s;
	struct op *op;
	const struct lease_request *r;
	struct row *row;
	struct state before;
	struct pool_name *pool_name;
	struct lease_pool *pool; /* NULL: there is none of that name */
};

static void drop_span(struct acquire *a, struct span **place)
{
	struct span *n = *place;

	*place = NULL;
	if (!n)
		return;
	span_vacate(a->s, &a->s->leased, n);
	if (!state_owns_span(&a->before, n))
		free(n);
}

static void drop_delegated(struct acquire *a)
{
	while (a->row->now.count)
		drop_span(a, &a->row->now.delegated[--a->row->now.count]);
	a->row->now.delegated_fixed = false;
}

static bool has_prefix(const struct span *n, const struct prefix *p)
{
	return n && n->len == p->len && n->first == span_key(&p->addr);
}

static int check_fixed(struct acquire *a, const struct prefix *p, unsigned min_len)
{
	char text[PREFIX_TEXT];

	if (p->addr.family == AF_INET6 && p->len >= min_len && p->len <= 64)
		return 0;
	op_why(a->op, "fixed prefix %s of user %s is not IPv6 of /%u to /64", prefix_print(p, text),
		a->row->user, min_len);
	return -EINVAL;
}

static int take_fixed(struct acquire *a, const struct prefix *p, struct span **ret)
{
	uint64_t first = span_key(&p->addr), last = span_end(first, p->len);
	const struct span *held = span_overlap(&a->s->leased, first, last);
	const char *other = reserved_for_other(a->s, first, last, a->row->user);
	char text[PREFIX_TEXT];
	struct span *n;

	prefix_print(p, text);
	if (held) {
		const struct row *holder = held->owner;

		op_why(a->op, "fixed prefix %s of user %s overlaps a lease of user %s, slot %u%s", text,
			a->row->user, holder->user, holder->slot,
			holder->holders ? "" : " (not in use: forget that lease to free it)");
		return holder == a->row ? -EINVAL : -EEXIST;
	}
	if (other) {
		op_why(a->op, "fixed prefix %s of user %s overlaps one that is fixed for user %s", text,
			a->row->user, other);
		return -EEXIST;
	}
	n = span_new(&a->s->leased, p, a->row);
	if (!n)
		return -ENOMEM;
	span_occupy(a->s, &a->s->leased, n);
	*ret = n;
	return 0;
}

static int take_from_pool(struct acquire *a, bool link, struct span **ret)
{
	struct region *g;
	int rc;

	if (!a->pool) {
		op_why(a->op, "there is no pool \"%s\"", a->pool_name->text);
		return -EINVAL;
	}
	g = link ? &a->pool->link : &a->pool->delegate;
	if (!g->total) /* this pool has no such thing: granted without */
		return 0;
	*ret = region_take(a->s, g, a->pool_name, a->row, a->op, &rc);
	if (*ret)
		return 0;
	if (rc == -ENOSPC)
		op_why(a->op, "pool %s: all %llu %s prefixes are in use or fixed", a->pool_name->text,
			(unsigned long long)g->total, link ? "link" : "delegated");
	return rc;
}

/* A prefix from a pool stays while the user's pool has the same name, or while it is one of the new pool's units. */
static bool may_keep(const struct acquire *a, const struct span *n, bool link)
{
	const struct region *g = !a->pool ? NULL : link ? &a->pool->link : &a->pool->delegate;

	if (reserved_for_other(a->s, n->first, span_last(n), a->row->user))
		return false;
	return a->before.pool == a->pool_name || (g && region_has_unit(g, n));
}

static bool has_fixed_delegated(const struct acquire *a)
{
	if (!a->row->now.delegated_fixed || a->row->now.count != a->r->fixed_count)
		return false;
	for (unsigned i = 0; i < a->r->fixed_count; i++)
		if (!has_prefix(a->row->now.delegated[i], &a->r->fixed[i]))
			return false;
	return true;
}

/* First what goes, of both kinds, so that what comes may overlap it; then what is fixed, then what the pool gives. */
static void drop_stale(struct acquire *a)
{
	struct state *now = &a->row->now;
	bool keep;

	if (now->link) {
		if (!prefix_is_none(&a->r->fixed_link))
			keep = now->link_fixed && has_prefix(now->link, &a->r->fixed_link);
		else
			keep = !now->link_fixed && may_keep(a, now->link, true);
		if (!keep)
			drop_span(a, &now->link);
	}
	if (now->count) {
		keep = a->r->fixed_count ? has_fixed_delegated(a) : !now->delegated_fixed;
		for (unsigned i = 0; keep && !a->r->fixed_count && i < now->count; i++)
			keep = may_keep(a, now->delegated[i], false);
		if (!keep)
			drop_delegated(a);
	}
	if (!now->link)
		now->link_fixed = false;
}

static int take_missing_fixed(struct acquire *a)
{
	struct state *now = &a->row->now;
	int rc = 0;

	if (!now->link && !prefix_is_none(&a->r->fixed_link)) {
		rc = check_fixed(a, &a->r->fixed_link, 64);
		if (!rc)
			rc = take_fixed(a, &a->r->fixed_link, &now->link);
		now->link_fixed = !rc;
	}
	if (rc || now->count)
		return rc;
	for (unsigned i = 0; i < a->r->fixed_count && !rc; i++) {
		rc = check_fixed(a, &a->r->fixed[i], 48);
		if (!rc)
			rc = take_fixed(a, &a->r->fixed[i], &now->delegated[i]);
		if (!rc)
			now->count++;
	}
	now->delegated_fixed = now->count > 0;
	return rc;
}

static int take_missing_pooled(struct acquire *a)
{
	struct state *now = &a->row->now;
	int rc = 0;

	if (a->r->want_link && !now->link)
		rc = take_from_pool(a, true, &now->link);
	if (!rc && a->r->want_delegated && !now->count) {
		rc = take_from_pool(a, false, &now->delegated[0]);
		now->count = now->delegated[0] != NULL;
	}
	return rc;
}

/* Brings the row from where it is to what the request asks; -errno: it is half-way then. */
static int acquire_steps(struct acquire *a)
{
	struct state *now = &a->row->now;
	int rc;

	drop_stale(a);
	now->pool = a->pool_name;
	rc = take_missing_fixed(a);
	if (!rc)
		rc = take_missing_pooled(a);
	if (rc)
		return rc;
	now->present = true;
	if (memcmp(now->delegated, a->before.delegated, sizeof(now->delegated)) != 0 ||
		now->link != a->before.link || !a->before.present)
		now->granted_at = time(NULL);
	return 0;
}

static void acquire_abandon(struct acquire *a)
{
	struct state half = a->row->now;

	half.present = a->row->now.present = a->before.present;
	row_become(a->s, a->row, &a->before, false);
	state_free_rest(&half, &a->before);
	op_undo(a->s, a->op);
}

static bool request_is_valid(const struct lease_request *r)
{
	return memchr(r->user, 0, sizeof(r->user)) && r->user[0] && memchr(r->pool, 0, sizeof(r->pool)) &&
	       r->fixed_count <= LEASE_PREFIXES;
}

static void acquire_run(struct acquire *a)
{
	bool changed;
	int rc;

	a->before = a->row->now;
	a->row->refs++; /* while it may be half-way */
	/* First of all, so that it leaves its pool's list while its state still says which. */
	row_hold(a->s, a->row);
	rc = acquire_steps(a);
	if (rc) {
		acquire_abandon(a);
		row_unhold(a->s, a->row);
		op_refuse(a->s, a->op, rc);
		row_drop_ref(a->s, a->row);
		return;
	}
	if (!a->before.present) {
		a->s->count++;
		a->s->active++;
	}
	row_touch(a->s, a->row, time(NULL));
	changed = !state_equal(&a->before, &a->row->now);
	if (changed)
		change_note(a->op, a->row, &a->before);
	op_hold(a->op, a->row);
	op_grant(a->s, a->op, a->row, changed);
	row_drop_ref(a->s, a->row);
}

void lease_acquire(struct lease_store *s, const struct lease_request *r, lease_answer *answer, void *owner)
{
	struct acquire a = {.s = s, .r = r, .op = op_begin(s, answer, owner)};

	if (!a.op)
		return;
	if (!request_is_valid(r)) {
		op_why(a.op, "impossible request: user, pool or number of prefixes");
		op_refuse(s, a.op, -EINVAL);
		return;
	}
	a.pool_name = pool_name_get(s, r->pool[0] ? r->pool : "default");
	a.row = a.pool_name ? row_get(s, r->user, r->slot) : NULL;
	if (!a.row) {
		op_refuse(s, a.op, -ENOMEM);
		return;
	}
	a.pool = pool_find(s, a.pool_name);
	acquire_run(&a);
}

static struct row *row_present_or_refuse(
	struct lease_store *s, struct op *op, const char *user, uint16_t slot)
{
	struct row *row = row_find(s, user, slot);

	if (row && row->now.present)
		return row;
	op_why(op, "user %s has no lease in slot %u", user, slot);
	op_refuse(s, op, -ENOENT);
	return NULL;
}

void lease_bind(struct lease_store *s, const char *user, uint16_t slot, const uint8_t *duid, size_t duid_len,
	uint32_t iaid, lease_answer *answer, void *owner)
{
	struct op *op = op_begin(s, answer, owner);
	struct row *row = op ? row_present_or_refuse(s, op, user, slot) : NULL;
	struct state before;
	struct duid *new;

	if (!row)
		return;
	before = row->now;
	if (!duid_len || duid_len > LEASE_DUID_MAX) {
		op_why(op, "a DUID of %zu bytes is impossible (RFC 8415 section 11.1)", duid_len);
		op_refuse(s, op, -EINVAL);
		return;
	}
	if (before.duid && before.duid->len == duid_len && !memcmp(before.duid->bytes, duid, duid_len)) {
		row->now.iaid = iaid;
	} else {
		new = malloc(sizeof(*new) + duid_len);
		if (!new) {
			op_refuse(s, op, -ENOMEM);
			return;
		}
		new->len = (uint8_t)duid_len;
		memcpy(new->bytes, duid, duid_len);
		row->now.duid = new;
		row->now.iaid = iaid;
	}
	if (!state_equal(&before, &row->now))
		change_note(op, row, &before);
	op_grant(s, op, row, op->change_count > 0);
}

void lease_idle(struct lease_store *s, const char *user, uint16_t slot)
{
	struct row *row = row_find(s, user, slot);

	if (row && row->holders > row->pending)
		row_leave(s, row);
}

void lease_forget(struct lease_store *s, const char *user, uint16_t slot, lease_answer *answer, void *owner)
{
	struct op *op = op_begin(s, answer, owner);
	struct row *row = op ? row_present_or_refuse(s, op, user, slot) : NULL;
	struct state before;

	if (!row)
		return;
	if (row->holders) {
		op_why(op, "the lease of user %s, slot %u is in use: disconnect it first", user, slot);
		op_refuse(s, op, -EBUSY);
		return;
	}
	before = row->now;
	row_become(s, row, &no_state, false);
	change_note(op, row, &before);
	op_grant(s, op, row, true);
}

void lease_cancel(struct lease_store *s, void *owner)
{
	committer_cancel(s->committer, owner);
}

static const struct lease *show(const struct lease_store *s, const struct row *row)
{
	/* The scratch is no part of what the store knows. */
	struct lease *scratch = (struct lease *)&s->scratch;

	if (!row || !row->now.present)
		return NULL;
	row_present(row, &row->now, row->used_at, scratch);
	return scratch;
}

const struct lease *lease_find(const struct lease_store *s, const char *user, uint16_t slot)
{
	return show(s, row_find(s, user, slot));
}

const struct lease *lease_find_by_addr(const struct lease_store *s, const struct addr *a)
{
	const struct span *n;

	if (a->family != AF_INET6)
		return NULL;
	n = span_overlap(&s->leased, span_key(a), span_key(a));
	return n ? show(s, n->owner) : NULL;
}

const struct lease *lease_next(const struct lease_store *s, uint32_t *cursor)
{
	const struct row *row;

	while ((row = hash_next(&s->rows, cursor)))
		if (row->now.present)
			return show(s, row);
	return NULL;
}

size_t lease_count(const struct lease_store *s, size_t *ret_active)
{
	if (ret_active)
		*ret_active = s->active;
	return s->count;
}
