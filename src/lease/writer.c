/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operations into the database: runs in the committing thread. */
#include "lease/writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lease/check.h"
#include "lease/file.h"

int writer_init(struct writer *w, struct db *db, const char *path)
{
	w->db = db;
	if (!strcmp(path, ":memory:"))
		return 0;
	w->path = strdup(path);
	return w->path ? 0 : -ENOMEM;
}

static void drop_copy(struct writer *w)
{
	char tmp[FILE_NAME];

	if (!w->copy)
		return;
	db_copy_end(w->copy);
	w->copy = NULL;
	unlink(file_name(tmp, w->path, ".backup.tmp"));
}

void writer_done(struct writer *w)
{
	drop_copy(w);
	if (w->db)
		db_close(w->db);
	w->db = NULL;
	free(w->path);
}

static int fail(struct writer *w, enum db_trouble trouble)
{
	w->failure.trouble = trouble;
	return -EIO;
}

/* ---- changes ---- */

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

static int write_ops(struct db *db, const struct op_list *batch)
{
	int rc = db_begin(db);

	for (const struct op *op = batch->head; op && !rc; op = op->next)
		rc = write_op(db, op);
	if (!rc)
		rc = db_commit(db);
	if (rc)
		db_rollback(db);
	return rc;
}

static int db_failed(struct writer *w, const struct db *db)
{
	snprintf(w->failure.why, sizeof(w->failure.why), "%s", db_why(db));
	return fail(w, db_trouble(db));
}

static int write_batch(struct writer *w, const struct op_list *batch)
{
	bool writes = false;

	for (const struct op *op = batch->head; op; op = op->next)
		writes = writes || op_writes(op);
	if (!writes)
		return 0;
	if (write_ops(w->db, batch))
		return db_failed(w, w->db);
	w->commits++;
	return 0;
}

/* ---- a new file ---- */

/* All rows, from memory, into PATH.tmp. */
static int write_new(struct writer *w, const struct op *op)
{
	struct op_list all = {.head = (struct op *)op, .count = 1};
	char tmp[FILE_NAME];
	struct db *db = db_create(file_name(tmp, w->path, ".tmp"), w->failure.why);
	int rc;

	if (!db)
		return fail(w, DB_WAIT);
	rc = write_ops(db, &all) ? db_failed(w, db) : 0;
	db_close(db);
	if (rc)
		unlink(tmp);
	return rc;
}

/* Once the old file is let go there is no way back to it: what fails then is tried again with another new one. */
static int rewrite(struct writer *w, const struct op *op)
{
	enum db_trouble ignored;
	int rc;

	if (!w->path) {
		snprintf(w->failure.why, sizeof(w->failure.why), "database: it is in memory only");
		return fail(w, DB_WAIT);
	}
	drop_copy(w);
	rc = write_new(w, op);
	if (rc)
		return rc;
	if (w->db)
		db_abandon(w->db);
	w->db = NULL;
	if (!file_replace(w->path, w->failure.why))
		w->db = db_open(w->path, &ignored, w->failure.why);
	w->commits++;
	w->has_backup = false; /* it may be of the old one */
	return w->db ? 0 : fail(w, DB_WAIT);
}

/* ---- batches ---- */

bool writer_wants_alone(const struct op *op)
{
	return op->kind != OP_LEASES;
}

int writer_run(struct writer *w, const struct op_list *batch)
{
	struct op *op = batch->head;

	if (op->kind == OP_REWRITE)
		return rewrite(w, op);
	if (!w->db)
		return fail(w, DB_DAMAGED);
	switch (op->kind) {
	case OP_PROBE:
		return db_probe(w->db) ? db_failed(w, w->db) : 0;
	case OP_CHECK:
		return check_database(w->db, op->check, w->failure.why) ? fail(w, DB_DAMAGED) : 0;
	default:
		return write_batch(w, batch);
	}
}

/* ---- the backup ---- */

bool writer_backup_is_old(const struct writer *w)
{
	return w->path && w->db && (!w->has_backup || w->saved != w->commits);
}

/* It came to nothing; what there was before stays. */
static enum backup_state backup_end(struct writer *w, enum backup_state state)
{
	drop_copy(w);
	w->has_backup = false;
	return state;
}

static enum backup_state backup_complete(struct writer *w)
{
	if (!db_copy_is_sound(w->copy, w->failure.why)) {
		w->failure.trouble = DB_DAMAGED;
		return backup_end(w, BACKUP_DAMAGED);
	}
	db_copy_end(w->copy);
	w->copy = NULL;
	if (file_keep_backup(w->path, w->failure.why))
		return backup_end(w, BACKUP_FAILED);
	w->has_backup = true;
	return BACKUP_DONE;
}

int writer_look(struct writer *w)
{
	return w->db && db_is_gone(w->db) ? db_failed(w, w->db) : 0;
}

enum backup_state writer_backup_step(struct writer *w)
{
	char tmp[FILE_NAME];
	int rc;

	if (!w->copy) {
		if (!writer_backup_is_old(w))
			return BACKUP_NONE;
		w->copy = db_copy_begin(w->db, file_name(tmp, w->path, ".backup.tmp"), w->failure.why);
		if (!w->copy)
			return backup_end(w, BACKUP_FAILED);
	}
	w->saved = w->commits; /* the last step has all that was committed until then */
	rc = db_copy_step(w->copy, BACKUP_STEP_PAGES, w->failure.why);
	if (rc > 0)
		return BACKUP_RUNNING;
	if (!rc)
		return backup_complete(w);
	w->failure.trouble = DB_DAMAGED;
	return backup_end(w, rc == -EBADMSG ? BACKUP_DAMAGED : BACKUP_FAILED);
}
