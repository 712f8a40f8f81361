/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Best routes go into the kernel's table: those that it can forward natively (nexthop.c), and that the policy lets pass.
 *
 * A feed of each unicast table is read when the keeper has room for more: EXPORT_BATCHES requests at a time, so that nothing queues but what the keeper is
 * about to do, and a route that changes often is written as it is in the end. The feed's bit says that the kernel was told; what the kernel did not take is
 * kept beside (refusal.c) and tried again.
 *
 * A way that changes without the engine's knowing (a gateway of the same cost, a link that was down for a moment) is followed by a walk through the
 * tables, in slices, in which all routes by moved next hops are written once more.
 *
 * Restart. What an earlier process has put into the kernel stays until the engine tells of routes: then all neighbours have told theirs. Those that are the
 * same cost the keeper a look each, and what is not in the feeds when everything has been written is removed (sweep.c, which also looks now and then whether all
 * is still there).
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "afbr/export.h"

enum { STEPS = 1024 };

static const enum bgp_family families[EXPORT_FEEDS] = {BGP_IPV4, BGP_IPV6};

/* ---- may it be there? ---- */

enum verdict {
	VERDICT_GONE,
	VERDICT_OURS,
	VERDICT_FAMILY,
	VERDICT_POLICY,
	VERDICT_UNREACHED,
	VERDICT_SOFTWIRE,
	VERDICT_LINK,
	VERDICT_HIDES,
	VERDICT_NEVER,
	VERDICT_YES,
};

static bool policy_lets_pass(const struct exporter *e, enum bgp_family family, const struct prefix *prefix,
	const struct rib_path *path)
{
	const struct policy_subject subject = {.family = family,
		.prefix = prefix,
		.set = bgp_set_reader(path->set),
		.facts = &path->set->facts,
		.next_hop = &path->set->next_hop->value,
		.source = bgp_source_name(e->afbr->bgp, path)};
	struct policy_result result;

	if (!e->policy)
		return !*e->config.policy;
	policy_judge(e->policy, &subject, &result);
	return result.verdict == POLICY_ACCEPT;
}

/* The kernel's own route to one of our links may have a higher metric than ours, and must not lose to it. */
static bool is_our_link(const struct afbr *a, const struct prefix *p)
{
	for (unsigned i = 0; i < a->own_count; i++)
		if (a->own[i].prefix_len == p->len && prefix_contains_addr(p, &a->own[i].addr))
			return true;
	return false;
}

/*
 * Where there is a core, what another AFBR tells us with a next hop of the core's family goes through a softwire, even to one that is next to us: only the
 * core's own family is to be seen there (RFC 5565 section 4.1). A CE router's IPv6 next hop of IPv4 routes (RFC 8950) is on a link of the client network.
 */
static bool is_across_the_core(const struct exporter *e, enum bgp_family family, const struct prefix *prefix,
	const struct rib_path *path)
{
	const struct decision_ops *decision = bgp_rib(e->afbr->bgp, family)->decision;
	const struct bgp_next_hop_value *v = &path->set->next_hop->value;
	uint8_t to = addr_is_none(&v->global) ? v->link_local.family : v->global.family;

	return !addr_is_none(&e->afbr->config->core) && to != prefix->addr.family &&
	       !decision->source(decision, path->source)->external;
}

static enum verdict judge(struct exporter *e, enum bgp_family family, const struct prefix *prefix,
	const struct rib_path *path, struct keeper_bgp_route *ret, struct addr *hidden)
{
	*ret = (struct keeper_bgp_route){.dst = *prefix, .add = 1};
	if (!path)
		return VERDICT_GONE;
	if (!path->source || !path->set->next_hop)
		return VERDICT_OURS;
	if (!(e->config.families & BGP_FAMILY_BIT(family)))
		return VERDICT_FAMILY;
	switch (nexthop_route(e->afbr, path->set->next_hop, prefix->addr.family, ret)) {
	case NEXTHOP_UNREACHED:
		return VERDICT_UNREACHED;
	case NEXTHOP_SOFTWIRE:
		return VERDICT_SOFTWIRE;
	case NEXTHOP_NATIVE:
		break;
	}
	if (is_across_the_core(e, family, prefix, path))
		return VERDICT_SOFTWIRE;
	if (keeper_bgp_route_check(ret))
		return VERDICT_NEVER;
	if (is_our_link(e->afbr, prefix))
		return VERDICT_LINK;
	if (nexthop_hidden_by(e->afbr, prefix, e->config.metric, hidden))
		return VERDICT_HIDES;
	return policy_lets_pass(e, family, prefix, path) ? VERDICT_YES : VERDICT_POLICY;
}

/* ---- batches ---- */

bool export_has_room(const struct exporter *e)
{
	return e->in_flight < EXPORT_BATCHES;
}

void export_soon(struct exporter *e)
{
	if (!wheel_armed(&e->timer))
		wheel_arm(&e->afbr->loop->wheel, &e->timer, loop_now(e->afbr->loop));
}

static void answered(void *owner, int result, const uint64_t failed[2])
{
	struct export_batch *b = owner;
	struct exporter *e = b->exporter;
	bool all = result && !failed[0] && !failed[1];

	*b->link = b->next;
	if (b->next)
		b->next->link = b->link;
	e->in_flight--;
	for (unsigned i = 0; i < b->count && e->fed; i++)
		if (all || failed[i / 64] >> i % 64 & 1)
			refusal_note(e, &b->routes[i], result);
		else
			refusal_forget(e, &b->routes[i].dst);
	free(b);
	sweep_resume(e);
	export_soon(e); /* in another turn of the loop: the keeper may answer as fast as it is asked */
}

void export_submit(struct exporter *e)
{
	struct export_batch *b = e->current;

	e->current = NULL;
	if (!b)
		return;
	b->next = e->batches;
	b->link = &e->batches;
	if (b->next)
		b->next->link = &b->next;
	e->batches = b;
	e->in_flight++;
	e->written += b->count;
	keeper_bgp_routes(
		e->afbr->keeper, e->config.table, e->config.metric, b->routes, b->count, answered, b);
}

bool export_put(struct exporter *e, const struct keeper_bgp_route *route)
{
	if (!e->current) {
		e->current = calloc(1, sizeof(*e->current));
		if (!e->current)
			return false;
		e->current->exporter = e;
	}
	e->current->routes[e->current->count++] = *route;
	if (e->current->count == KEEPER_BGP_ROUTES)
		export_submit(e);
	return true;
}

/* ---- one route ---- */

/* False: no memory; nothing has changed. */
static bool tell(struct exporter *e, unsigned feed, rib_id net)
{
	struct rib_feed *f = &e->feeds[feed];
	struct rib *rib = f->rib;
	struct prefix prefix = rib_prefix(rib, net);
	bool has = rib_feed_has(f, net);
	struct keeper_bgp_route route;
	struct addr hidden;

	if (judge(e, families[feed], &prefix, rib_best(rib, net), &route, &hidden) == VERDICT_YES) {
		if (!has && rib_feed_set(f, net, true))
			return false;
		if (export_put(e, &route))
			return true;
		if (!has)
			(void)rib_feed_set(f, net, false);
		return false;
	}
	if (!has)
		return true;
	route = (struct keeper_bgp_route){.dst = prefix};
	if (!export_put(e, &route))
		return false;
	refusal_forget(e, &prefix);
	(void)rib_feed_set(f, net, false);
	return true;
}

void export_tell_prefix(struct exporter *e, const struct prefix *p)
{
	unsigned feed = p->addr.family == AF_INET ? 0 : 1;
	rib_id net = rib_find(e->feeds[feed].rib, p);

	if (net && !tell(e, feed, net))
		refusal_note(e, &(struct keeper_bgp_route){.dst = *p, .add = 1}, -ENOMEM);
}

/* ---- what has to be told ---- */

static void read_feed(struct exporter *e, unsigned feed, unsigned *budget)
{
	struct rib_feed *f = &e->feeds[feed];
	rib_id net;

	while (*budget && export_has_room(e) && (net = rib_feed_next(f))) {
		--*budget;
		if (tell(e, feed, net))
			continue;
		rib_feed_again(f, net);
		e->starved = true;
		break;
	}
}

/* Prefixes that have an address which is a next hop, or was one, or is reached by a longer or shorter route now. */
static void recheck(struct exporter *e)
{
	unsigned count = e->recheck_count;

	e->recheck_count = 0;
	for (unsigned i = 0; i < count; i++)
		for (unsigned len = 0; len <= addr_bits(e->recheck[i].family); len++) {
			struct prefix p = prefix_of(&e->recheck[i], len);

			export_tell_prefix(e, &p);
		}
	if (!e->recheck_all)
		return;
	e->recheck_all = false;
	for (unsigned feed = 0; feed < EXPORT_FEEDS; feed++)
		(void)rib_feed_restart(&e->feeds[feed]);
}

static bool is_by_moved(const struct exporter *e, unsigned feed, rib_id net)
{
	const struct rib_path *path = rib_best(e->feeds[feed].rib, net);

	return path && path->set->next_hop && nexthop_moved(path->set->next_hop);
}

static void walk_one(struct exporter *e)
{
	e->walk_at = rib_walk(e->feeds[e->walk_feed].rib, e->walk_at);
	if (e->walk_at) {
		if (is_by_moved(e, e->walk_feed, e->walk_at))
			(void)tell(e, e->walk_feed, e->walk_at);
	} else if (++e->walk_feed == EXPORT_FEEDS) {
		e->walking = false;
		/* What moved while we walked may have been passed already. */
		if (!e->moved)
			nexthop_settle(e->afbr);
	}
}

static void walk(struct exporter *e, unsigned *budget)
{
	if (e->moved && !e->walking) {
		e->moved = false;
		e->walking = true;
		e->walk_feed = 0;
		e->walk_at = 0;
	}
	for (; e->walking && *budget && export_has_room(e); --*budget)
		walk_one(e);
}

static bool is_ready(const struct exporter *e)
{
	return e->fed && e->told && !e->flushing && !e->afbr->stopping;
}

bool export_is_idle(struct exporter *e)
{
	return !e->in_flight && !e->current && rib_feed_at_end(&e->feeds[0]) && rib_feed_at_end(&e->feeds[1]);
}

void export_pump(struct exporter *e)
{
	unsigned budget = STEPS;

	if (!is_ready(e))
		return;
	e->starved = false;
	/* A destination may be in a batch but once: each part has batches of its own. */
	export_submit(e);
	recheck(e);
	export_submit(e);
	for (unsigned feed = 0; feed < EXPORT_FEEDS; feed++)
		read_feed(e, feed, &budget);
	export_submit(e);
	walk(e, &budget);
	export_submit(e);
	sweep_mend(e, &budget);
	export_submit(e);
	if (e->starved)
		wheel_arm(&e->afbr->loop->wheel, &e->timer, loop_now(e->afbr->loop) + 1000);
	else if (!budget || e->moved)
		wheel_arm(&e->afbr->loop->wheel, &e->timer, loop_now(e->afbr->loop));
	sweep_begin(e);
}

static void due(struct wheel_timer *t, msec now)
{
	export_pump(container_of(t, struct exporter, timer));
}

void export_routes(struct bgp *b, enum bgp_family family)
{
	struct exporter *e = afbr_of(b)->exporter;

	if (!e)
		return;
	e->told = true;
	export_soon(e);
}

void export_moved(struct afbr *a, const struct addr *target, bool moved)
{
	struct exporter *e = a->exporter;

	if (!e)
		return;
	e->moved = e->moved || moved;
	if (e->recheck_count < EXPORT_RECHECKS)
		e->recheck[e->recheck_count++] = *target;
	else
		e->recheck_all = true;
	export_soon(e);
}

/* ---- from one configuration to the next ---- */

static void reconcile(struct exporter *e);

static void remove_feeds(struct exporter *e)
{
	for (unsigned feed = 0; feed < EXPORT_FEEDS && e->fed; feed++)
		rib_feed_remove(&e->feeds[feed]);
	e->fed = e->walking = e->moved = e->recheck_all = false;
	e->recheck_count = 0;
	free(e->current);
	e->current = NULL;
	refusal_forget_all(e);
	sweep_end(e);
}

static int add_feeds(struct exporter *e)
{
	int r = 0;

	memset(e->feeds, 0, sizeof(e->feeds));
	for (unsigned feed = 0; feed < EXPORT_FEEDS && !r; feed++) {
		r = rib_feed_add(bgp_rib(e->afbr->bgp, families[feed]), &e->feeds[feed]);
		if (r && feed)
			rib_feed_remove(&e->feeds[0]);
	}
	e->fed = !r;
	return r;
}

static void flushed(void *owner, int result, int fd)
{
	struct exporter *e = owner;
	void (*stopped)(struct afbr * a) = e->stopped;

	if (result == -EAGAIN) {
		keeper_bgp_flush(e->afbr->keeper, e->config.table, e->config.metric, flushed, e);
		return;
	}
	e->flushing = false;
	e->stopped = NULL;
	if (stopped)
		stopped(e->afbr);
	else
		reconcile(e);
}

static void flush(struct exporter *e)
{
	remove_feeds(e);
	e->flushing = true;
	keeper_bgp_flush(e->afbr->keeper, e->config.table, e->config.metric, flushed, e);
}

/* Who puts routes of a family into the kernel is a router for it; a reflector is none. */
static void forward(struct exporter *e)
{
	if (e->config.families & BGP_FAMILY_BIT(BGP_IPV4))
		keeper_forwarding(e->afbr->keeper, AF_INET, NULL, NULL);
	if (e->config.families & BGP_FAMILY_BIT(BGP_IPV6))
		keeper_forwarding(e->afbr->keeper, AF_INET6, NULL, NULL);
}

static int begin(struct exporter *e)
{
	const struct afbr_config *c = e->afbr->config;
	int r;

	e->config = c->export;
	e->policy = afbr_config_policy(c, c->export.policy);
	r = add_feeds(e);
	if (r)
		return r;
	e->sweep = SWEEP_WAITS;
	forward(e);
	export_soon(e);
	return 0;
}

/* What is done is not yet what is wanted. */
static void reconcile(struct exporter *e)
{
	const struct afbr_export *wanted = &e->afbr->config->export;

	if (e->flushing)
		return;
	if (e->fed &&
		(!wanted->present || wanted->table != e->config.table || wanted->metric != e->config.metric))
		flush(e); /* and then here again */
	else if (!e->fed && wanted->present && begin(e))
		log_message(
			e->afbr->log, LEVEL_ERROR, "bgp", "not enough memory to put routes into the kernel");
}

void export_change(struct afbr *a, const struct afbr_config *old)
{
	struct exporter *e = a->exporter;
	const struct policy *policy = afbr_config_policy(a->config, a->config->export.policy);
	bool same;

	if (!e)
		return;
	nexthop_change(a);
	same = a->config->export.families == e->config.families &&
	       policy_equal(policy, afbr_config_policy(old, old->export.policy));
	if (e->fed) {
		e->policy = policy;
		e->config.families = a->config->export.families;
		forward(e);
		e->config.scan = a->config->export.scan;
		sweep_schedule(e);
		snprintf(e->config.policy, sizeof(e->config.policy), "%s", a->config->export.policy);
	}
	for (unsigned feed = 0; feed < EXPORT_FEEDS && e->fed && !same; feed++)
		(void)rib_feed_restart(&e->feeds[feed]);
	reconcile(e);
	export_soon(e);
}

/* ---- life ---- */

void export_start(struct afbr *a, void (*found)(struct afbr *a, int result, bool left))
{
	struct exporter *e = calloc(1, sizeof(*e));
	int r;

	if (!e) {
		found(a, -ENOMEM, false);
		return;
	}
	e->afbr = a;
	e->timer.fire = due;
	refusal_init(e);
	e->config = a->config->export;
	a->exporter = e;
	if (!e->config.present) {
		found(a, 0, false);
		return;
	}
	r = sweep_look(e, found);
	if (!r)
		return;
	log_message(a->log, LEVEL_ERROR, "start-failed", "afbr: the kernel's routes cannot be read: %s",
		strerror(-r));
	found(a, r, false);
}

int export_begin(struct afbr *a)
{
	return a->config->export.present ? begin(a->exporter) : 0;
}

static void forget_batches(struct exporter *e)
{
	while (e->batches) {
		struct export_batch *b = e->batches;

		e->batches = b->next;
		if (b->next)
			b->next->link = &e->batches;
		keeper_forget(e->afbr->keeper, b);
		free(b);
	}
	e->in_flight = 0;
}

void export_stop(struct afbr *a, void (*done)(struct afbr *a))
{
	struct exporter *e = a->exporter;

	if (e)
		wheel_disarm(&a->loop->wheel, &e->timer);
	if (!e || (!e->fed && !e->flushing)) {
		done(a);
		return;
	}
	e->stopped = done;
	if (!e->flushing)
		flush(e);
}

void export_free(struct afbr *a)
{
	struct exporter *e = a->exporter;

	if (!e)
		return;
	remove_feeds(e);
	forget_batches(e);
	keeper_forget(a->keeper, e);
	wheel_disarm(&a->loop->wheel, &e->timer);
	refusal_done(e);
	free(e);
	a->exporter = NULL;
}

/* ---- to look at ---- */

const char *export_state(struct afbr *a, enum bgp_family family, rib_id net, char *buf, size_t size)
{
	struct exporter *e = a->exporter;
	unsigned feed = family == BGP_IPV4 ? 0 : 1;
	struct keeper_bgp_route route;
	char text[ADDR_TEXT];
	struct prefix prefix;
	struct addr hidden;
	int error;

	if (!e || !e->fed || (family != BGP_IPV4 && family != BGP_IPV6))
		return NULL;
	prefix = rib_prefix(e->feeds[feed].rib, net);
	switch (judge(e, family, &prefix, rib_best(e->feeds[feed].rib, net), &route, &hidden)) {
	case VERDICT_GONE:
		return "not in the kernel: no path can be chosen";
	case VERDICT_OURS:
		return "not put into the kernel: it is a route of our own";
	case VERDICT_FAMILY:
		return "not in the kernel: routes of this family are not exported";
	case VERDICT_POLICY:
		return "not in the kernel: the policy rejects it";
	case VERDICT_UNREACHED:
		return "not in the kernel: its next hop is not reached";
	case VERDICT_SOFTWIRE:
		return "not in the kernel: its next hop is across the core, and there is no softwire data "
		       "plane yet";
	case VERDICT_LINK:
		return "not in the kernel: it is the prefix of one of our own links";
	case VERDICT_NEVER:
		return "not in the kernel: it is no destination for unicast routes";
	case VERDICT_HIDES:
		snprintf(buf, size, "not in the kernel: it would hide the way to the next hop %s",
			addr_print(&hidden, text));
		return buf;
	case VERDICT_YES:
		break;
	}
	error = refusal_of(e, &prefix);
	if (error)
		snprintf(buf, size, "not in the kernel: %s", refusal_text(error));
	else if (!rib_feed_has(&e->feeds[feed], net))
		return "on its way into the kernel";
	else
		snprintf(buf, size, "in the kernel's table %u, via %s", e->config.table,
			addr_print(&route.gateway, text));
	return buf;
}

void export_show(const struct afbr *a, struct json_t *object)
{
	const struct exporter *e = a->exporter;
	unsigned waiting = 0, routes = 0;
	json_t *group;

	if (!e || !e->fed)
		return;
	for (const struct export_batch *b = e->batches; b; b = b->next)
		waiting += b->count;
	for (unsigned feed = 0; feed < EXPORT_FEEDS; feed++)
		routes += e->feeds[feed].count;
	group = json_object();
	json_object_set_new(group, "routes", json_integer(routes - refusal_count(e)));
	json_object_set_new(group, "waiting", json_integer(waiting));
	json_object_set_new(group, "refused", json_integer(refusal_count(e)));
	json_object_set_new(group, "written", json_integer((json_int_t)e->written));
	json_object_set_new(group, "stale_removed", json_integer((json_int_t)e->swept));
	json_object_set_new(group, "restored", json_integer((json_int_t)e->restored));
	json_object_set_new(object, "export", group);
}
