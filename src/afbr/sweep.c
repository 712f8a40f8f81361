/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an earlier process has left in the kernel: is there any, which says that this is a restart; and away with what nobody told again.
 *
 * Nothing is remembered of those routes: in the end the kernel's table is read once more, and what the feeds do not have is deleted.
 */
#include <errno.h>

#include "afbr/export.h"

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

void sweep_end(struct exporter *e)
{
	netlink_reader_free(e->reader);
	e->reader = NULL;
	e->sweep = SWEEP_NONE;
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

static bool is_told(const struct exporter *e, const struct prefix *p)
{
	const struct rib_feed *f = &e->feeds[p->addr.family == AF_INET ? 0 : 1];
	rib_id net = rib_find(f->rib, p);

	return net && rib_feed_has(f, net);
}

static void judge(void *owner, enum netlink_news news, const struct netlink_fib_route *r)
{
	struct exporter *e = owner;
	struct keeper_bgp_route route = {.dst = r->dst};

	if (!is_ours(e, r) || is_told(e, &r->dst) || keeper_bgp_route_check(&route))
		return;
	if (export_put(e, &route))
		e->swept++;
	if (e->in_flight >= EXPORT_BATCHES)
		netlink_reader_pause(e->reader, true);
}

static void swept(void *owner)
{
	struct exporter *e = owner;
	struct log_line l;

	export_submit(e);
	sweep_end(e);
	if (!e->swept || !log_begin(e->afbr->log, &l, LEVEL_INFO, "kernel-stale-removed"))
		return;
	log_uint(&l, "routes", e->swept);
	log_uint(&l, "table", e->config.table);
	log_end(&l);
}

void sweep_begin(struct exporter *e)
{
	static const struct netlink_reader_ops ops = {nothing, judge, swept};

	if (e->sweep == SWEEP_WAITS && export_is_idle(e) && !read_table(e, &ops))
		e->sweep = SWEEP_RUNS;
}

void sweep_resume(struct exporter *e)
{
	if (e->reader && e->in_flight < EXPORT_BATCHES)
		netlink_reader_pause(e->reader, false);
}
