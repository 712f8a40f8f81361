/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The calls of lease.h. What makes them safe is told in store.h. */
#include "lease/store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lease/check.h"
#include "lib/rng.h"

static const struct state no_state;

static void on_timer(struct wheel_timer *t, msec now)
{
	struct lease_store *s = container_of(t, struct lease_store, timer);
	bool more = false;

	/* A little at a time: a million of them, as after a restart, must not keep requests waiting. What nobody waits for can wait until
	 * the database can be written. */
	if (health_may_write(s)) {
		more = temporary_sweep(s);
		(void)touches_submit(s);
		more = more || s->touched_count;
	}
	wheel_arm(&s->loop->wheel, t, now + (more ? TOUCH_PAUSE : TOUCH_INTERVAL));
}

static void on_look(struct wheel_timer *t, msec now)
{
	struct lease_store *s = container_of(t, struct lease_store, look_timer);
	bool copy = now >= s->backup_at;

	if (copy)
		s->backup_at = now + BACKUP_INTERVAL;
	if (health_may_write(s))
		committer_look(s->committer, copy);
	wheel_arm(&s->loop->wheel, t, now + LOOK_INTERVAL);
}

static void free_tables(struct lease_store *s)
{
	lease_store_clear_reserved(s);
	table_clear(s);
	pools_free(s);
	free(s);
}

struct lease_store *lease_store_open(struct loop *loop, const char *path, struct log *log, char why[256])
{
	struct lease_store *s = calloc(1, sizeof(*s));
	struct db *db;

	if (!s) {
		snprintf(why, 256, "%.200s: out of memory", path);
		return NULL;
	}
	rng_init_system(&s->rng);
	s->loop = loop;
	s->log = log;
	s->seed = rng_u64(&s->rng);
	s->leased.seed = s->reserved.seed = s->edges.seed = rng_u64(&s->rng);
	health_init(s);
	if (recover_open(s, path, &db, why)) {
		free_tables(s);
		return NULL;
	}
	s->committer = committer_new(s, db, path, why);
	if (!s->committer) {
		free_tables(s);
		return NULL;
	}
	if (!db)
		health_recover(s);
	if (committer_start(s->committer, why)) {
		committer_free(s->committer);
		health_stop(s);
		free_tables(s);
		return NULL;
	}
	s->timer.fire = on_timer;
	s->look_timer.fire = on_look;
	if (loop) {
		s->backup_at = loop_now(loop) + BACKUP_FIRST;
		wheel_arm(&loop->wheel, &s->timer, loop_now(loop) + TOUCH_INTERVAL);
		wheel_arm(&loop->wheel, &s->look_timer, loop_now(loop) + LOOK_INTERVAL);
	}
	return s;
}

void lease_store_close(struct lease_store *s)
{
	size_t batches = s->touched_count / TOUCH_BATCH + 1;

	if (s->loop) {
		wheel_disarm(&s->loop->wheel, &s->timer);
		wheel_disarm(&s->loop->wheel, &s->look_timer);
	}
	health_try_now(s);
	while (health_may_write(s) && batches-- && s->touched_count && !touches_submit(s))
		;
	committer_free(s->committer);
	health_stop(s);
	s->committer = NULL;
	free_tables(s);
}

void op_why(struct op *op, const char *format, ...)
{
	va_list args;

	free(op->why);
	va_start(args, format);
	if (vasprintf(&op->why, format, args) < 0)
		op->why = NULL;
	va_end(args);
}

void op_refuse(struct lease_store *s, struct op *op, int result)
{
	op->result = result;
	op_finish(s, op);
}

/* A new operation for ROW, or NULL after having told why not. The answer is early then: there is no memory to delay it. */
static struct op *op_begin(struct lease_store *s, lease_answer *answer, void *owner)
{
	struct op *op;

	health_try_now(s);
	if (committer_is_full(s->committer)) {
		answer(owner, -EIO, NULL, "the database does not keep up: too many requests wait for it");
		return NULL;
	}
	op = op_new(s, OP_CHANGES, answer, owner);
	if (!op)
		answer(owner, -ENOMEM, NULL, "out of memory");
	return op;
}

void op_grant(struct lease_store *s, struct op *op, struct row *row, bool changed)
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

static bool request_is_valid(const struct lease_request *r)
{
	return memchr(r->user, 0, sizeof(r->user)) && r->user[0] && memchr(r->pool, 0, sizeof(r->pool)) &&
	       r->fixed_count <= LEASE_PREFIXES && r->fixed_subnet_count <= LEASE_SUBNETS;
}

void lease_acquire(struct lease_store *s, const struct lease_request *r, lease_answer *answer, void *owner)
{
	struct op *op = op_begin(s, answer, owner);
	struct pool_name *pool;
	struct row *row;

	if (!op)
		return;
	if (!request_is_valid(r)) {
		op_why(op, "impossible request: user, pool or number of prefixes");
		op_refuse(s, op, -EINVAL);
		return;
	}
	pool = pool_name_get(s, r->pool[0] ? r->pool : "default");
	row = pool ? row_get(s, r->user, r->slot) : NULL;
	if (!row) {
		op_refuse(s, op, -ENOMEM);
		return;
	}
	acquire_run(s, r, pool, row, op);
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
	row_become(s, row, &no_state);
	change_note(op, row, &before);
	op_grant(s, op, row, true);
}

static void checked(void *owner, int result, const struct lease *lease, const char *why)
{
	check_end(owner, result, why);
}

void lease_check(
	struct lease_store *s, bool (*knows)(void *owner, const char *user), lease_checked *done, void *owner)
{
	static const char *const no_memory[] = {"out of memory"};
	struct check *k = check_begin(s, knows, done, owner);
	struct op *op = k ? op_new(s, 0, checked, k) : NULL;

	if (op) {
		op->kind = OP_CHECK;
		op->check = k;
		op_submit(s, op);
		return;
	}
	check_free(k);
	done(owner, &(struct lease_findings){.problems = no_memory, .problem_count = 1});
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
	struct prefix p = prefix_of(a, a->family == AF_INET ? 32 : 64);
	const struct span *n;

	if (!span_holds(&p))
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
