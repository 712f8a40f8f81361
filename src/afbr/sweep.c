/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's table beside what ought to be in it. First: is there anything that an earlier process has left, which says that this is a restart. Then, when
 * all that is to stay is in place, and again now and then (`scan`): away with what nobody has told (again); and what is missing, for somebody has deleted it, or
 * the kernel has on its own, is put there once more.
 *
 * Nothing is remembered of those routes: the table is read, what the feeds do not have is deleted, and what was not found of theirs is written again: a bit for
 * each net. What changes meanwhile may be written or deleted twice, which harms nobody.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "afbr/export.h"
#include "afbr/softwires.h"

enum { SCAN_SHARE = 20 }; /* reading takes no more than one part in so many of the time */

static const uint8_t ours[] = {NETLINK_BGP};

static bool is_ours(const struct exporter *e, const struct netlink_fib_route *r)
{
	return r->protocol == NETLINK_BGP && r->table == e->config.table && r->metric == e->config.metric;
}

static void nothing(void *owner)
{
}

static int read_table(struct exporter *e, const struct netlink_reader_ops *ops)
{
	e->reader = netlink_reader_new(e->afbr->loop, &e->config.table, 1, ours, 1, false, ops, e);
	return e->reader ? 0 : -errno;
}

static void forget_seen(struct exporter *e)
{
	for (unsigned feed = 0; feed < EXPORT_FEEDS; feed++)
		free(e->seen[feed].bits);
	memset(e->seen, 0, sizeof(e->seen));
}

void sweep_end(struct exporter *e)
{
	netlink_reader_free(e->reader);
	e->reader = NULL;
	e->sweep = SWEEP_NONE;
	forget_seen(e);
	wheel_disarm(&e->afbr->loop->wheel, &e->scan);
}

/* ---- is there any? ---- */

static void looked(struct exporter *e, bool left)
{
	void (*found)(struct afbr * a, int result, bool left) = e->found;

	sweep_end(e);
	if (!e->afbr->stopping)
		found(e->afbr, 0, left);
}

static void saw(void *owner, enum netlink_news news, const struct netlink_fib_route *r)
{
	if (is_ours(owner, r))
		looked(owner, true);
}

static void saw_none(void *owner)
{
	looked(owner, false);
}

int sweep_look(struct exporter *e, void (*found)(struct afbr *a, int result, bool left))
{
	static const struct netlink_reader_ops ops = {nothing, saw, saw_none};

	e->found = found;
	return read_table(e, &ops);
}

/* ---- away with it ---- */

/* Without memory nothing will be missing. */
static void expect_all(struct exporter *e)
{
	for (unsigned feed = 0; feed < EXPORT_FEEDS; feed++) {
		struct export_seen *s = &e->seen[feed];

		s->bits = calloc(e->feeds[feed].words + 1, sizeof(*s->bits));
		s->words = s->bits ? e->feeds[feed].words : 0;
	}
}

static bool see_in(struct exporter *e, unsigned feed, const struct prefix *p)
{
	const struct rib_feed *f = &e->feeds[feed];
	struct export_seen *s = &e->seen[feed];
	rib_id net = f->rib->net_count ? rib_find(f->rib, p) : 0;

	if (net && net / 64 < s->words)
		s->bits[net / 64] |= UINT64_C(1) << net % 64;
	return net && rib_feed_has(f, net);
}

/* Is it one that we have told the kernel? Then it is not missing. */
static bool see(struct exporter *e, const struct prefix *p)
{
	unsigned feed = p->addr.family == AF_INET ? 0 : 1;
	bool unicast = see_in(e, feed, p), labeled = see_in(e, feed + EXPORT_UNICAST, p);

	return unicast || labeled;
}

static void judge(void *owner, enum netlink_news news, const struct netlink_fib_route *r)
{
	struct exporter *e = owner;
	struct keeper_bgp_route route = {.dst = r->dst};

	if (!is_ours(e, r) || see(e, &r->dst) || keeper_bgp_route_check(&route))
		return;
	e->stale += export_put(e, &route, NULL);
	if (!export_has_room(e))
		netlink_reader_pause(e->reader, true);
}

static void tell_count(const struct exporter *e, const char *event, uint64_t count)
{
	struct log_line l;

	if (!count || !log_begin(e->afbr->log, &l, LEVEL_INFO, event))
		return;
	log_uint(&l, "routes", count);
	log_uint(&l, "table", e->config.table);
	log_end(&l);
}

static void swept(void *owner)
{
	struct exporter *e = owner;

	export_submit(e);
	netlink_reader_free(e->reader);
	e->reader = NULL;
	tell_count(e, "kernel-stale-removed", e->stale);
	e->swept += e->stale;
	e->sweep = SWEEP_MENDS;
	path_renew(e->afbr); /* routes are nothing without them */
	e->mend_feed = e->mend_word = 0;
	e->missing = 0;
	export_soon(e);
}

void sweep_begin(struct exporter *e)
{
	static const struct netlink_reader_ops ops = {nothing, judge, swept};

	if (e->sweep != SWEEP_WAITS || !export_is_idle(e) || read_table(e, &ops))
		return;
	e->sweep = SWEEP_RUNS;
	e->sweep_begun = loop_clock();
	e->stale = 0;
	expect_all(e);
}

void sweep_resume(struct exporter *e)
{
	if (e->reader && export_has_room(e))
		netlink_reader_pause(e->reader, false);
}

/* ---- here with it ---- */

static void scan_due(struct wheel_timer *t, msec now)
{
	struct exporter *e = container_of(t, struct exporter, scan);

	e->sweep = SWEEP_WAITS;
	export_soon(e);
}

void sweep_schedule(struct exporter *e)
{
	msec took = e->sweep_took * SCAN_SHARE;

	if (e->sweep != SWEEP_NONE)
		return;
	wheel_disarm(&e->afbr->loop->wheel, &e->scan);
	e->scan.fire = scan_due;
	if (e->config.scan)
		wheel_arm(&e->afbr->loop->wheel, &e->scan,
			loop_now(e->afbr->loop) + (took > e->config.scan ? took : e->config.scan));
}

void sweep_now(struct exporter *e)
{
	e->sweep_again = e->sweep == SWEEP_RUNS || e->sweep == SWEEP_MENDS;
	if (e->sweep_again)
		return; /* and then here again */
	wheel_disarm(&e->afbr->loop->wheel, &e->scan);
	e->sweep = SWEEP_WAITS;
	export_soon(e);
}

void export_scan(struct afbr *a)
{
	struct exporter *e = a->exporter;

	if (!e || !e->fed)
		return;
	refusal_try(e);
	sweep_now(e);
}

static void finish(struct exporter *e)
{
	tell_count(e, "kernel-missing-restored", e->missing);
	e->restored += e->missing;
	forget_seen(e);
	e->sweep = SWEEP_NONE;
	e->restarted = true;
	export_soon(e);
	e->sweep_took = loop_clock() - e->sweep_begun;
	sweep_schedule(e);
	if (e->sweep_again)
		sweep_now(e);
}

/* What the kernel has refused is not there, and has its own time. */
static void mend(struct exporter *e, const struct rib *rib, rib_id net)
{
	struct prefix p = rib_prefix(rib, net);

	if (e->failures_more || refusal_of(e, &p))
		return;
	export_tell_prefix(e, &p);
	e->missing++;
}

static void mend_word(struct exporter *e)
{
	const struct rib_feed *f = &e->feeds[e->mend_feed];
	const struct export_seen *s = &e->seen[e->mend_feed];
	unsigned word = e->mend_word++;

	if (word >= f->words || word >= s->words) {
		e->mend_word = 0;
		if (++e->mend_feed == EXPORT_FEEDS)
			finish(e);
		return;
	}
	for (uint64_t bits = f->bits[word] & ~s->bits[word]; bits; bits &= bits - 1)
		mend(e, f->rib, word * 64 + (rib_id)__builtin_ctzll(bits));
}

void sweep_mend(struct exporter *e, unsigned *budget)
{
	for (; e->sweep == SWEEP_MENDS && *budget && export_has_room(e); --*budget)
		mend_word(e);
}
