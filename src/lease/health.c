/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The database and its troubles, as the loop sees them: whether changes may be queued, when it is tried again, and what is said of
 * it: once when it begins, a reminder every some minutes, once when it is over.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lease/store.h"

/* ms. A relapse within RELAPSE goes on with the intervals where they were. */
enum {
	TRY_FIRST = 250,
	TRY_LAST = 10000,
	RELAPSE = 60000,
	REMIND = 300000,
	STUCK = 10000,
	STUCK_LOOK = 1000
};

static const struct state no_state;

static msec now_of(const struct lease_store *s)
{
	return s->loop ? loop_clock() : 0;
}

static void arm(struct lease_store *s, msec delay)
{
	if (s->loop)
		wheel_arm(&s->loop->wheel, &s->health.timer, loop_clock() + delay);
}

bool health_may_write(const struct lease_store *s)
{
	return !s->health.down;
}

const char *health_why(struct lease_store *s)
{
	return s->health.why;
}

bool health_needs_rewrite(const struct lease_store *s)
{
	return s->health.rewrite;
}

void health_refused(struct lease_store *s)
{
	s->health.refused++;
	s->health.total.refused++;
}

/* ---- what is said ---- */

static void tell(struct lease_store *s, enum log_level level, const char *event, msec now)
{
	struct health *h = &s->health;
	struct log_line l;

	if (!log_begin(s->log, &l, level, event))
		return;
	log_text(&l, "reason", h->why);
	log_uint(&l, "seconds", (now - h->since) / 1000);
	log_uint(&l, "refused", h->refused);
	if (level == LEVEL_ERROR)
		log_text(&l, "effect",
			"no new leases; softwires that are up, and users who come back for an unchanged "
			"lease, are served");
	log_end(&l);
}

static void go_down(struct lease_store *s, const char *why)
{
	struct health *h = &s->health;
	msec now = now_of(s);
	bool first = !h->down;

	h->down = true;
	snprintf(h->why, sizeof(h->why), "%s", why);
	if (!first)
		return;
	h->since = now;
	h->refused = 0;
	h->remind_at = now + REMIND;
	h->total.outages++;
	if (now - h->up_since > RELAPSE || !h->interval)
		h->interval = TRY_FIRST;
	tell(s, LEVEL_ERROR, "leases-read-only", now);
}

static void come_up(struct lease_store *s)
{
	struct health *h = &s->health;
	msec now = now_of(s);

	if (!h->down)
		return;
	h->down = h->stuck = false;
	h->up_since = now;
	tell(s, LEVEL_WARN, "leases-writable", now);
}

/* ---- failures ---- */

/*
 * What is tried next. A file that is lost needs a new one. Where reading or writing fails, a probe and a new file take turns: either may
 * be what helps.
 */
static void choose_try(struct health *h, enum db_trouble trouble)
{
	h->lost = h->lost || trouble == DB_DAMAGED || trouble == DB_MOVED;
	h->rewrite = h->lost || (trouble == DB_IO && h->trying && !h->rewrite);
}

void health_failed(struct lease_store *s, enum db_trouble trouble, const char *why)
{
	struct health *h = &s->health;
	bool was_rewrite = h->rewrite;

	h->stuck = false;
	go_down(s, why);
	choose_try(h, trouble);
	if (h->rewrite && !was_rewrite) { /* mend it at once */
		arm(s, 0);
		return;
	}
	arm(s, h->interval);
	h->interval = msec_min(h->interval * 2, TRY_LAST);
}

void health_backup(struct lease_store *s, bool done, bool damaged, const char *why)
{
	struct health *h = &s->health;

	if (done) {
		h->total.backups++;
		return;
	}
	h->total.backups_failed++;
	if (damaged)
		health_failed(s, DB_DAMAGED, why);
	else if (!h->down)
		log_message(s->log, LEVEL_WARN, "leases-backup",
			"the copy of the lease database could not be made: %s", why);
}

/* ---- a disk that does not answer ---- */

void health_submitted(struct lease_store *s)
{
	if (!wheel_armed(&s->health.timer))
		arm(s, STUCK);
}

static bool is_stuck(struct lease_store *s, msec now)
{
	msec since = committer_stuck_since(s->committer);

	return since != MSEC_NEVER && now >= since + STUCK;
}

void health_look(struct lease_store *s)
{
	if (s->health.stuck && !is_stuck(s, loop_clock()))
		come_up(s);
}

static void look_stuck(struct lease_store *s, msec now)
{
	struct health *h = &s->health;
	char why[64];

	if (!is_stuck(s, now)) {
		if (!committer_is_idle(s->committer))
			arm(s, STUCK);
		return;
	}
	snprintf(why, sizeof(why), "database: the disk has not answered for %llu s",
		(unsigned long long)((now - committer_stuck_since(s->committer)) / 1000));
	go_down(s, why);
	h->stuck = true;
	arm(s, STUCK_LOOK);
}

/* ---- trying again ---- */

static void tried(void *owner, int result, const struct lease *lease, const char *why)
{
	struct lease_store *s = owner;
	struct health *h = &s->health;
	h->trying = false;
	if (result)
		return;
	if (h->rewrite) {
		h->rewrite = h->lost = false;
		h->total.rewritten++;
		log_message(s->log, LEVEL_WARN, "leases-rewritten",
			"all %zu leases are in a new database; the old file, if there was one, is kept as "
			".damaged-",
			s->count);
	}
	come_up(s);
}

/* Every row as it is: what waits in the queue before it, and what is being written, is in it. */
static void note_all(struct lease_store *s, struct op *op)
{
	uint32_t cursor = 0;
	struct row *row;

	while ((row = hash_next(&s->rows, &cursor)))
		if (row->now.present)
			change_note(op, row, &no_state);
}

void health_try(struct lease_store *s)
{
	struct health *h = &s->health;
	struct op *op = h->trying ? NULL : op_new(s, h->rewrite ? s->count : 0, tried, s);

	if (!op) {
		arm(s, h->interval);
		return;
	}
	h->trying = true;
	op->kind = h->rewrite ? OP_REWRITE : OP_PROBE;
	if (h->rewrite)
		note_all(s, op);
	op_submit(s, op);
}

static void on_timer(struct wheel_timer *t, msec fired)
{
	struct lease_store *s = container_of(t, struct lease_store, health.timer);
	struct health *h = &s->health;
	msec now = now_of(s); /* the clock of the committing thread, which the wheel's may have left behind */

	if (h->down && now >= h->remind_at) {
		tell(s, LEVEL_ERROR, "leases-read-only", now);
		h->remind_at = now + REMIND;
	}
	if (h->down && !h->stuck && !h->trying)
		health_try(s);
	else
		look_stuck(s, now);
}

void health_try_now(struct lease_store *s)
{
	if (s->loop || !s->health.down)
		return;
	health_try(s);
	if (s->health.rewrite)
		health_try(s);
}

void health_recover(struct lease_store *s)
{
	s->health.rewrite = s->health.lost = true;
	health_try(s);
}

void health_init(struct lease_store *s)
{
	s->health.timer.fire = on_timer;
	s->health.interval = TRY_FIRST;
}

void health_stop(struct lease_store *s)
{
	if (s->loop)
		wheel_disarm(&s->loop->wheel, &s->health.timer);
}

void lease_store_health(const struct lease_store *s, struct lease_health *ret)
{
	const struct health *h = &s->health;

	*ret = h->total;
	ret->writable = !h->down;
	ret->why[0] = '\0';
	if (!h->down)
		return;
	memcpy(ret->why, h->why, sizeof(ret->why));
	ret->seconds = (now_of(s) - h->since) / 1000;
}
