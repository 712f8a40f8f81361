/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routes that the kernel did not take: known by name, told in the log, and tried again, at first after some seconds, later less often. If there are very
 * many, all native routes are written again instead, and what is missing of the others (sweep.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "afbr/export.h"
#include "afbr/softwires.h"

enum { RETRY_FIRST = 10000, RETRY_MAX = 160000, LINES_PER_SECOND = 1, LINES_BURST = 5 };

struct refusal {
	struct prefix prefix;
	uint32_t hash;
	int error;
};

static uint32_t hash_of(const struct prefix *p)
{
	return hash_bytes(p, sizeof(*p), 0);
}

static bool has_prefix(const void *item, const void *key)
{
	return prefix_equal(&((const struct refusal *)item)->prefix, key);
}

const char *refusal_text(int error)
{
	switch (error) {
	case -EEXIST:
		return "somebody else has a route with this destination and metric";
	case -ENETUNREACH:
	case -EHOSTUNREACH:
		return "the kernel does not see the gateway on a link of ours";
	case -ENODEV:
	case -ENETDOWN:
		return "the interface is gone, or down";
	default:
		return strerror(-error);
	}
}

static void tell(struct exporter *e, const struct keeper_bgp_route *route, int error)
{
	struct log_line l;

	if (!limit_ok(&e->lines, loop_clock(), LINES_PER_SECOND, LINES_BURST) ||
		!log_begin(e->afbr->log, &l, LEVEL_WARN, "kernel-route-failed"))
		return;
	log_prefix(&l, "prefix", &route->dst);
	log_text(&l, "do", route->add ? "add" : "delete");
	log_uint(&l, "table", e->config.table);
	log_uint(&l, "metric", e->config.metric);
	log_text(&l, "reason", refusal_text(error));
	if (e->lines.suppressed)
		log_uint(&l, "suppressed", e->lines.suppressed);
	e->lines.suppressed = 0;
	log_end(&l);
}

static void remember(struct exporter *e, const struct prefix *p, int error)
{
	uint32_t hash = hash_of(p);
	struct refusal *f = hash_find(&e->failures, hash, has_prefix, p);

	if (f) {
		f->error = error;
		return;
	}
	f = e->failures.count < EXPORT_FAILURES ? calloc(1, sizeof(*f)) : NULL;
	if (f && hash_insert(&e->failures, hash, f)) {
		free(f);
		f = NULL;
	}
	if (f)
		*f = (struct refusal){.prefix = *p, .hash = hash, .error = error};
	else
		e->failures_more = true;
}

void refusal_note(struct exporter *e, const struct keeper_bgp_route *route, int error)
{
	tell(e, route, error);
	if (!route->add)
		return;
	remember(e, &route->dst, error);
	if (!wheel_armed(&e->retry))
		wheel_arm(&e->afbr->loop->wheel, &e->retry, loop_now(e->afbr->loop) + e->retry_in);
}

void refusal_forget(struct exporter *e, const struct prefix *p)
{
	uint32_t hash;
	struct refusal *f;

	if (!e->failures.count)
		return;
	hash = hash_of(p);
	f = hash_find(&e->failures, hash, has_prefix, p);
	if (f && hash_remove(&e->failures, hash, f))
		free(f);
}

void refusal_forget_all(struct exporter *e)
{
	struct refusal *f;
	uint32_t cursor = 0;

	while ((f = hash_next(&e->failures, &cursor)))
		free(f);
	hash_free(&e->failures);
	e->failures = (struct hash){0};
	e->failures_more = false;
	e->retry_in = RETRY_FIRST;
	wheel_disarm(&e->afbr->loop->wheel, &e->retry);
}

int refusal_of(const struct exporter *e, const struct prefix *p)
{
	const struct refusal *f = hash_find(&e->failures, hash_of(p), has_prefix, p);

	return f ? f->error : 0;
}

unsigned refusal_count(const struct exporter *e)
{
	return e->failures.count;
}

/* By a copy: telling may change the table. */
static void try_all(struct exporter *e)
{
	struct prefix *all = calloc(e->failures.count + 1, sizeof(*all));
	const struct refusal *f;
	uint32_t cursor = 0;
	unsigned count = 0;

	while (all && (f = hash_next(&e->failures, &cursor)))
		all[count++] = f->prefix;
	export_submit(e);
	choice_forget(e->afbr->softwires); /* the engine has changed since */
	for (unsigned i = 0; i < count; i++)
		export_tell_prefix(e, &all[i]);
	export_submit(e);
	free(all);
}

static void retry(struct wheel_timer *t, msec now)
{
	struct exporter *e = container_of(t, struct exporter, retry);

	if (!e->failures.count && !e->failures_more) {
		e->retry_in = RETRY_FIRST;
		return;
	}
	e->retry_in = e->retry_in < RETRY_MAX ? 2 * e->retry_in : RETRY_MAX;
	wheel_arm(&e->afbr->loop->wheel, t, now + e->retry_in);
	if (!e->fed || e->flushing || e->afbr->stopping)
		return;
	if (e->failures_more) {
		e->recheck_all = true;
		sweep_now(e);
	}
	e->failures_more = false;
	try_all(e);
	export_pump(e);
}

void refusal_try(struct exporter *e)
{
	e->retry_in = RETRY_FIRST;
	if (wheel_armed(&e->retry))
		wheel_arm(&e->afbr->loop->wheel, &e->retry, loop_now(e->afbr->loop));
}

void refusal_init(struct exporter *e)
{
	e->retry.fire = retry;
	e->retry_in = RETRY_FIRST;
}

void refusal_done(struct exporter *e)
{
	refusal_forget_all(e);
}
