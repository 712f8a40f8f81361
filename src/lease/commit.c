/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Group commit. The loop queues operations; the thread takes all that are there, writes them in one transaction, and puts them
 * on the done list; uv_async wakes the loop, which settles and answers them in order. store.h tells how failures are undone.
 * Without a loop (tests) the same steps happen inside op_submit().
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lease/store.h"

struct op_list {
	struct op *head, *tail;
	size_t count;
};

struct committer {
	struct lease_store *store;
	struct db *db;
	struct op *oldest, *newest; /* not answered yet; the loop's own list */
	size_t in_flight;
	bool full_told;
	bool threaded;
	uv_thread_t thread;
	uv_async_t *async; /* apart: it outlives us until the loop has closed it */
	uv_mutex_t mutex;  /* for what follows */
	uv_cond_t wake;
	struct op_list queue, done;
	bool failed; /* the thread waits until the loop has undone */
	bool stop;
	char why[256];
};

static void list_append(struct op_list *l, struct op *op)
{
	op->next = NULL;
	if (l->tail)
		l->tail->next = op;
	else
		l->head = op;
	l->tail = op;
	l->count++;
}

static void list_move(struct op_list *to, struct op_list *from)
{
	if (!from->head)
		return;
	if (to->tail)
		to->tail->next = from->head;
	else
		to->head = from->head;
	to->tail = from->tail;
	to->count += from->count;
	*from = (struct op_list){0};
}

/* The first BATCH_OPS of FROM. */
static struct op_list list_take(struct op_list *from)
{
	struct op_list l = {0};

	while (from->head && l.count < BATCH_OPS) {
		struct op *op = from->head;

		from->head = op->next;
		from->count--;
		list_append(&l, op);
	}
	if (!from->head)
		from->tail = NULL;
	return l;
}

/* Writing: runs in the thread. */

/* Both: what of ST the other one has not. */

static int put_prefixes(
	struct db *db, const struct row *row, const struct state *st, const struct state *before)
{
	int rc = 0;

	for (unsigned i = 0; i < st->span_count && !rc; i++) {
		const struct span *n = st->spans[i];
		struct db_prefix p = {
			.user = row->user,
			.slot = row->slot,
			.prefix = span_prefix(n),
			.part = n->part,
			.position = n->position,
			.fixed = n->fixed,
		};

		if (!state_owns_span(before, n))
			rc = db_put_prefix(db, &p);
	}
	return rc;
}

static int delete_prefixes(struct db *db, const struct state *st, const struct state *after)
{
	int rc = 0;

	for (unsigned i = 0; i < st->span_count && !rc; i++) {
		struct prefix p = span_prefix(st->spans[i]);

		if (!state_owns_span(after, st->spans[i]))
			rc = db_delete_prefix(db, &p);
	}
	return rc;
}

static int write_change(struct db *db, const struct change *c)
{
	const struct state *st = &c->after;
	struct db_lease l = {
		.user = c->row->user,
		.slot = c->row->slot,
		.pool = st->pool ? st->pool->text : "",
		.duid = st->duid ? st->duid->bytes : NULL,
		.duid_len = st->duid ? st->duid->len : 0,
		.iaid = st->iaid,
		.granted_at = st->granted_at,
		.used_at = c->used_at,
		.used_order = c->order,
		.in_use = c->in_use,
	};
	int rc = delete_prefixes(db, &c->before, st);

	if (!rc)
		rc = st->present ? db_put_lease(db, &l) : db_delete_lease(db, l.user, l.slot);
	return rc ? rc : put_prefixes(db, c->row, st, &c->before);
}

static int write_op(struct db *db, const struct op *op)
{
	int rc = 0;

	for (unsigned i = 0; i < op->change_count && !rc; i++)
		rc = write_change(db, &op->changes[i]);
	for (unsigned i = 0; i < op->touch_count && !rc; i++) {
		const struct touch *t = &op->touches[i];
		struct db_touch touch = {t->row->user, t->row->slot, t->used_at, t->order, t->in_use};

		rc = db_touch_lease(db, &touch);
	}
	return rc;
}

static bool op_writes(const struct op *op)
{
	return op->change_count || op->touch_count;
}

static int write_batch(struct db *db, const struct op_list *batch)
{
	bool writes = false;
	int rc;

	for (const struct op *op = batch->head; op; op = op->next)
		writes = writes || op_writes(op);
	if (!writes)
		return 0;
	rc = db_begin(db);
	for (const struct op *op = batch->head; op && !rc; op = op->next)
		rc = write_op(db, op);
	if (!rc)
		rc = db_commit(db);
	if (rc)
		db_rollback(db);
	return rc;
}

static void mark_failed(struct op_list *batch)
{
	for (struct op *op = batch->head; op; op = op->next)
		op->result = -EIO;
}

static void commit_thread(void *arg)
{
	struct committer *c = arg;

	uv_mutex_lock(&c->mutex);
	for (;;) {
		struct op_list batch;
		int rc;

		while (c->failed || (!c->queue.head && !c->stop)) {
			if (c->failed && c->stop)
				break;
			uv_cond_wait(&c->wake, &c->mutex);
		}
		if (c->failed || !c->queue.head)
			break;
		batch = list_take(&c->queue);
		uv_mutex_unlock(&c->mutex);
		rc = write_batch(c->db, &batch);
		uv_mutex_lock(&c->mutex);
		if (rc) {
			mark_failed(&batch);
			c->failed = true;
			snprintf(c->why, sizeof(c->why), "%s", db_why(c->db));
		}
		list_move(&c->done, &batch);
		uv_async_send(c->async);
	}
	uv_mutex_unlock(&c->mutex);
}

/* Settling: runs in the loop. */

static void op_settle_touches(struct lease_store *s, struct op *op)
{
	for (unsigned i = 0; i < op->touch_count; i++) {
		struct row *row = op->touches[i].row;

		/* Not written: later, then. */
		if (op->result && row->now.present)
			row_touch(s, row, row->used_at);
		row_drop_ref(s, row);
	}
	op->touch_count = 0;
}

static void op_settle_changes(struct lease_store *s, struct op *op)
{
	for (unsigned i = 0; i < op->change_count; i++) {
		struct change *c = &op->changes[i];

		state_free_rest(&c->before, &c->after);
		c->row->changing--;
		row_drop_ref(s, c->row);
	}
	op->change_count = 0;
}

static void op_unlink(struct committer *c, struct op *op)
{
	*(op->older ? &op->older->newer : &c->oldest) = op->newer;
	*(op->newer ? &op->newer->older : &c->newest) = op->older;
	c->in_flight--;
}

static void op_free(struct lease_store *s, struct op *op)
{
	if (op->row)
		row_drop_ref(s, op->row);
	free(op->touches);
	free(op->why);
	free(op);
}

void op_hold(struct op *op, struct row *row)
{
	if (row->pending == UINT16_MAX) /* then the lease stays in use until a restart */
		return;
	op->held = row;
	row->pending++;
}

/* The hold is not OP's any more. The row, if there was one: somebody has to end its hold now, or to have it. */
static struct row *op_unhold(struct op *op)
{
	struct row *row = op->held;

	op->held = NULL;
	if (row)
		row->pending--;
	return row;
}

static void op_deliver(struct committer *c, struct op *op, const char *why)
{
	struct lease_store *s = c->store;
	struct lease lease;
	struct row *held;
	bool granted = !op->result && op->row && op->grant.present;

	op_settle_touches(s, op);
	if (granted)
		row_present(op->row, &op->grant, op->used_at, &lease);
	op_settle_changes(s, op);
	held = op_unhold(op);
	if (held && op->result) /* 0: from now on it is the caller's */
		row_leave(s, held);
	op_unlink(c, op);
	if (op->answer)
		op->answer(op->owner, op->result, granted ? &lease : NULL,
			!op->result             ? ""
			: op->why               ? op->why
			: op->result == -ENOMEM ? "out of memory"
						: why);
	op_free(s, op);
}

/* Newest first, so that each finds what it left behind. */
static void undo_failed(struct committer *c)
{
	for (struct op *op = c->newest; op; op = op->older)
		if (op->result == -EIO)
			op_undo(c->store, op);
}

static void deliver_all(struct committer *c, struct op_list *done, const char *why)
{
	struct op *op;

	while ((op = done->head)) {
		done->head = op->next;
		op_deliver(c, op, why);
	}
}

static void on_done(uv_async_t *async)
{
	struct committer *c = async->data;
	struct op_list done = {0};
	char why[256] = "";

	uv_mutex_lock(&c->mutex);
	list_move(&done, &c->done);
	if (c->failed) {
		mark_failed(&c->queue);
		list_move(&done, &c->queue);
		snprintf(why, sizeof(why), "%s", c->why);
		undo_failed(c);
		c->failed = false;
		uv_cond_signal(&c->wake);
	}
	uv_mutex_unlock(&c->mutex);
	if (why[0]) {
		log_message(c->store->log, LEVEL_ERROR, "lease-database", "%s", why);
		/* What nobody waits for is not tried all the time while the database fails. */
		if (wheel_armed(&c->store->timer))
			wheel_arm(&c->store->loop->wheel, &c->store->timer,
				loop_now(c->store->loop) + TOUCH_INTERVAL);
	}
	deliver_all(c, &done, why);
}

struct op *op_new(struct lease_store *s, size_t changes, lease_answer *answer, void *owner)
{
	struct committer *c = s->committer;
	struct op *op = calloc(1, sizeof(*op) + changes * sizeof(op->changes[0]));

	if (!op)
		return NULL;
	op->answer = answer;
	op->owner = owner;
	op->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = op;
	c->newest = op;
	c->in_flight++;
	return op;
}

static void submit_now(struct committer *c, struct op *op)
{
	struct op_list batch = {0};
	char why[256] = "";

	list_append(&batch, op);
	if (write_batch(c->db, &batch)) {
		snprintf(why, sizeof(why), "%s", db_why(c->db));
		mark_failed(&batch);
		op_undo(c->store, op);
		log_message(c->store->log, LEVEL_ERROR, "lease-database", "%s", why);
	}
	op_deliver(c, op, why);
}

void op_submit(struct lease_store *s, struct op *op)
{
	struct committer *c = s->committer;

	if (c->stop) { /* closing: what an answer that was not wanted any more would still have changed */
		op->result = -EIO;
		op_undo(s, op);
		op_deliver(c, op, "");
		return;
	}
	if (!c->threaded) {
		submit_now(c, op);
		return;
	}
	uv_mutex_lock(&c->mutex);
	list_append(&c->queue, op);
	uv_cond_signal(&c->wake);
	uv_mutex_unlock(&c->mutex);
}

void op_finish(struct lease_store *s, struct op *op)
{
	struct committer *c = s->committer;

	if (!c->threaded) {
		op_deliver(c, op, "");
		return;
	}
	uv_mutex_lock(&c->mutex);
	list_append(&c->done, op);
	uv_mutex_unlock(&c->mutex);
	uv_async_send(c->async);
}

void committer_cancel(struct committer *c, void *owner)
{
	for (struct op *op = c->oldest; op; op = op->newer) {
		struct row *held;

		if (!op->answer || op->owner != owner)
			continue;
		op->answer = NULL;
		held = op_unhold(op);
		if (held)
			row_leave(c->store, held);
	}
}

bool committer_is_full(const struct committer *c)
{
	return c->in_flight >= IN_FLIGHT_MAX;
}

int touches_submit(struct lease_store *s)
{
	size_t count = s->touched_count < TOUCH_BATCH ? s->touched_count : TOUCH_BATCH;
	struct op *op;

	if (!count)
		return 0;
	op = op_new(s, 0, NULL, NULL);
	if (!op)
		return -ENOMEM;
	op->touches = calloc(count, sizeof(struct touch));
	if (!op->touches) {
		op_finish(s, op);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		struct row *row = s->touched[--s->touched_count];

		/* The list's reference goes over to the operation. */
		op->touches[op->touch_count++] = (struct touch){
			.row = row, .used_at = row->used_at, .order = row->order, .in_use = row->holders > 0};
		row->touched = false;
	}
	op_submit(s, op);
	return 0;
}

static int start_thread(struct committer *c)
{
	int rc;

	c->async = calloc(1, sizeof(*c->async));
	if (!c->async)
		return -ENOMEM;
	rc = uv_async_init(&c->store->loop->uv, c->async, on_done);
	if (rc) {
		free(c->async);
		c->async = NULL;
		return rc;
	}
	c->async->data = c;
	rc = uv_thread_create(&c->thread, commit_thread, c);
	c->threaded = rc == 0;
	return rc;
}

static void async_closed(uv_handle_t *h)
{
	free(h);
}

static void committer_done(struct committer *c)
{
	if (c->async)
		uv_close((uv_handle_t *)c->async, async_closed);
	uv_cond_destroy(&c->wake);
	uv_mutex_destroy(&c->mutex);
	db_close(c->db);
	free(c);
}

struct committer *committer_new(struct lease_store *s, struct db *db, char why[256])
{
	struct committer *c = calloc(1, sizeof(*c));
	int rc;

	if (!c) {
		snprintf(why, 256, "out of memory");
		db_close(db);
		return NULL;
	}
	c->store = s;
	c->db = db;
	uv_mutex_init(&c->mutex);
	uv_cond_init(&c->wake);
	rc = s->loop ? start_thread(c) : 0;
	if (rc) {
		snprintf(why, 256, "cannot start the committing thread: %s", uv_strerror(rc));
		committer_done(c);
		return NULL;
	}
	return c;
}

void committer_free(struct committer *c)
{
	struct op_list left = {0};

	for (struct op *op = c->oldest; op; op = op->newer)
		op->answer = NULL;
	uv_mutex_lock(&c->mutex);
	c->stop = true;
	uv_cond_signal(&c->wake);
	uv_mutex_unlock(&c->mutex);
	if (c->threaded)
		uv_thread_join(&c->thread);
	list_move(&left, &c->done);
	if (c->failed) {
		log_message(c->store->log, LEVEL_ERROR, "lease-database", "%s", c->why);
		mark_failed(&c->queue);
		list_move(&left, &c->queue);
		undo_failed(c);
	}
	deliver_all(c, &left, "");
	committer_done(c);
}
