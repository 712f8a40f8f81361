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

#include "lease/check.h"
#include "lease/writer.h"

/* In one iteration of the loop, which has other work, too: a batch may have a thousand of them. */
enum { ANSWERS = 16 };

struct committer {
	struct lease_store *store;
	struct writer writer;       /* the thread's while it runs */
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
	bool busy; /* the thread is at the disk, since: */
	msec busy_since;
	bool want_look, want_backup;
	enum backup_state backup; /* how the last one came out; NONE: told already */
	struct failure failure, backup_failure;
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

static void list_move_first(struct op_list *to, struct op_list *from)
{
	struct op *op = from->head;

	from->head = op->next;
	if (!from->head)
		from->tail = NULL;
	from->count--;
	list_append(to, op);
}

/* The first of FROM that go into one transaction. */
static struct op_list list_take(struct op_list *from)
{
	struct op_list l = {0};

	while (from->head && l.count < BATCH_OPS) {
		if (l.count && (writer_wants_alone(from->head) || writer_wants_alone(l.head)))
			break;
		list_move_first(&l, from);
	}
	return l;
}

static void mark_failed(struct op_list *batch)
{
	for (struct op *op = batch->head; op; op = op->next)
		op->result = -EIO;
}

/* ---- the thread ---- */

/* Lets go of the mutex while it works, and says since when. */
static void begin_work(struct committer *c)
{
	c->busy = true;
	c->busy_since = loop_clock();
	uv_mutex_unlock(&c->mutex);
}

static void end_work(struct committer *c)
{
	uv_mutex_lock(&c->mutex);
	c->busy = false;
	uv_async_send(c->async);
}

static void thread_commit(struct committer *c)
{
	struct op_list batch = list_take(&c->queue);
	int rc;

	begin_work(c);
	rc = writer_run(&c->writer, &batch);
	end_work(c);
	if (rc) {
		mark_failed(&batch);
		c->failed = true;
		c->failure = c->writer.failure;
	}
	list_move(&c->done, &batch);
}

static void thread_look(struct committer *c)
{
	bool copy = c->want_backup;
	enum backup_state state;

	begin_work(c);
	state = writer_look(&c->writer) ? BACKUP_DAMAGED : BACKUP_NONE;
	if (copy && state == BACKUP_NONE)
		state = writer_backup_step(&c->writer);
	end_work(c);
	c->want_look = false;
	if (state == BACKUP_RUNNING)
		return;
	c->want_backup = false;
	c->backup = state;
	c->backup_failure = c->writer.failure;
}

/* Requests come first; a backup goes on a little after each batch, and whenever there is nothing else to do. */
static void commit_thread(void *arg)
{
	struct committer *c = arg;

	uv_mutex_lock(&c->mutex);
	while (!c->stop || (c->queue.head && !c->failed)) {
		if (c->failed || (!c->queue.head && !c->want_backup && !c->want_look)) {
			uv_cond_wait(&c->wake, &c->mutex);
			continue;
		}
		if (c->queue.head)
			thread_commit(c);
		if ((c->want_backup || c->want_look) && !c->failed && !c->stop)
			thread_look(c);
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
	check_free(op->check);
	lease_import_free(op->import);
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
	if (op->result == -EIO && op->kind == OP_LEASES && op->answer)
		health_refused(s);
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

static void tell_backup(struct committer *c, enum backup_state state, const struct failure *f)
{
	if (state != BACKUP_NONE)
		health_backup(c->store, state == BACKUP_DONE, state == BACKUP_DAMAGED, f->why);
}

static void on_done(uv_async_t *async)
{
	struct committer *c = async->data;
	struct lease_store *s = c->store;
	struct op_list done = {0};
	struct failure failure, backup_failure;
	enum backup_state backup;
	bool failed;

	uv_mutex_lock(&c->mutex);
	failed = c->failed;
	while (c->done.head && (failed || done.count < ANSWERS))
		list_move_first(&done, &c->done);
	if (c->done.head)
		uv_async_send(async);
	if (failed) {
		mark_failed(&c->queue);
		list_move(&done, &c->queue);
		undo_failed(c);
		c->failed = false;
		uv_cond_signal(&c->wake);
	}
	failure = c->failure;
	backup = c->backup;
	backup_failure = c->backup_failure;
	c->backup = BACKUP_NONE;
	uv_mutex_unlock(&c->mutex);
	if (failed)
		health_failed(s, failure.trouble, failure.why);
	health_look(s);
	tell_backup(c, backup, &backup_failure);
	deliver_all(c, &done, failed ? failure.why : "");
}

msec committer_stuck_since(struct committer *c)
{
	msec since;

	uv_mutex_lock(&c->mutex);
	since = c->busy ? c->busy_since : MSEC_NEVER;
	uv_mutex_unlock(&c->mutex);
	return since;
}

bool committer_is_idle(const struct committer *c)
{
	return !c->in_flight;
}

void committer_look(struct committer *c, bool copy)
{
	uv_mutex_lock(&c->mutex);
	c->want_look = true;
	c->want_backup = c->want_backup || copy;
	uv_cond_signal(&c->wake);
	uv_mutex_unlock(&c->mutex);
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

/* Without a thread: in place of it. */
static void submit_now(struct committer *c, struct op *op)
{
	struct lease_store *s = c->store;
	struct op_list batch = {0};
	struct failure failure = {0};
	int rc;

	list_append(&batch, op);
	rc = writer_run(&c->writer, &batch);
	if (rc) {
		failure = c->writer.failure;
		mark_failed(&batch);
		op_undo(s, op);
		health_failed(s, failure.trouble, failure.why);
	}
	op_deliver(c, op, failure.why);
}

static void refuse_write(struct lease_store *s, struct op *op, const char *why)
{
	op->result = -EIO;
	op_why(op, "%s", why);
	op_undo(s, op);
}

void op_submit(struct lease_store *s, struct op *op)
{
	struct committer *c = s->committer;
	bool writes = op->kind == OP_LEASES && (op->change_count || op->touch_count);

	if (c->stop) { /* closing: what an answer that was not wanted any more would still have changed */
		refuse_write(s, op, "closing");
		op_deliver(c, op, "");
		return;
	}
	if (writes && !health_may_write(s)) {
		refuse_write(s, op, health_why(s));
		op_finish(s, op);
		return;
	}
	if (!c->threaded) {
		submit_now(c, op);
		return;
	}
	health_submitted(s);
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
	writer_done(&c->writer);
	free(c);
}

struct committer *committer_new(struct lease_store *s, struct db *db, const char *path, char why[256])
{
	struct committer *c = calloc(1, sizeof(*c));

	if (!c || writer_init(&c->writer, db, path)) {
		snprintf(why, 256, "out of memory");
		if (db)
			db_close(db);
		free(c);
		return NULL;
	}
	c->store = s;
	uv_mutex_init(&c->mutex);
	uv_cond_init(&c->wake);
	return c;
}

int committer_start(struct committer *c, char why[256])
{
	int rc = c->store->loop ? start_thread(c) : 0;

	if (rc)
		snprintf(why, 256, "cannot start the committing thread: %s", uv_strerror(rc));
	return rc;
}

/* What the thread has left undone. */
static void settle_rest(struct committer *c)
{
	struct op_list left = {0};

	list_move(&left, &c->done);
	if (c->failed) {
		health_failed(c->store, c->failure.trouble, c->failure.why);
		mark_failed(&c->queue);
		list_move(&left, &c->queue);
		undo_failed(c);
	}
	deliver_all(c, &left, "");
}

/* Whether the file is still there and can be written; if not, a new one; then the last backup, which tells whether it is sound. */
static void finish_files(struct committer *c)
{
	struct lease_store *s = c->store;
	enum backup_state state;

	if (!c->writer.path)
		return;
	health_try(s);
	if (health_needs_rewrite(s))
		health_try(s);
	if (!writer_backup_is_old(&c->writer))
		return;
	do
		state = writer_backup_step(&c->writer);
	while (state == BACKUP_RUNNING);
	tell_backup(c, state, &c->writer.failure);
	if (state == BACKUP_DAMAGED)
		health_try(s);
}

void committer_free(struct committer *c)
{
	for (struct op *op = c->oldest; op; op = op->newer)
		if (op->kind == OP_LEASES && !op->import) /* others have something to free, or are ours */
			op->answer = NULL;
	uv_mutex_lock(&c->mutex);
	c->stop = true;
	uv_cond_signal(&c->wake);
	uv_mutex_unlock(&c->mutex);
	if (c->threaded)
		uv_thread_join(&c->thread);
	settle_rest(c);
	c->threaded = c->stop = false; /* what is left to do is done here and now */
	finish_files(c);
	committer_done(c);
}
