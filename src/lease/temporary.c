/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leases of temporary pools end with the last hold. What is still there without one was left over: by a daemon that ended while
 * softwires were up, by a pool that was permanent before, by a database that failed. It is swept away bit by bit; until then it
 * counts for nothing: its user gets something else, and so may others (acquire.c, region.c).
 */
#include "lease/store.h"

static const struct state no_state;

bool row_is_left_over(const struct row *row)
{
	return row->now.present && !row->holders && row->now.pool->temporary;
}

static void forget(struct lease_store *s, struct op *op, struct row *row)
{
	struct state before = row->now;

	row_become(s, row, &no_state);
	change_note(op, row, &before);
}

void row_forget(struct lease_store *s, struct row *row)
{
	struct op *op = op_new(s, 1, NULL, NULL);

	if (!op)
		return;
	forget(s, op, row);
	op_submit(s, op);
}

/* The next one that is left over, from NAME's lists on; moves them on. */
static struct row *next_left_over(struct pool_name **name, unsigned *set)
{
	for (; *name; *name = (*name)->next, *set = 0)
		for (; (*name)->temporary && *set < 1U << PARTS; ++*set)
			if ((*name)->idle[*set].oldest)
				return (*name)->idle[*set].oldest;
	return NULL;
}

/* Forgets up to SWEEP_BATCH. Whether more may be there. */
static bool sweep(struct lease_store *s)
{
	struct pool_name *name = s->names;
	unsigned set = 0;
	struct row *row = next_left_over(&name, &set);
	struct op *op = row ? op_new(s, SWEEP_BATCH, NULL, NULL) : NULL;

	if (!op)
		return false;
	for (; row && op->change_count < SWEEP_BATCH; row = next_left_over(&name, &set))
		forget(s, op, row);
	op_submit(s, op);
	return row != NULL;
}

bool temporary_sweep(struct lease_store *s)
{
	bool more = sweep(s);
	size_t rounds = s->count / SWEEP_BATCH + 1;

	/* Tests have no timer; nor do they wait for a database that fails. */
	while (more && !s->loop && rounds--)
		more = sweep(s);
	return more;
}

void temporary_begin(struct lease_store *s)
{
	if (temporary_sweep(s) && s->loop)
		wheel_arm(&s->loop->wheel, &s->timer, loop_now(s->loop) + TOUCH_PAUSE);
}
