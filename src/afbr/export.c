/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Best routes go into the kernel's table: those that it can forward natively (nexthop.c), or that lead to a softwire (softwires.h), and that the policy lets pass
 * (verdict.c).
 *
 * A feed of each unicast table, and of each labeled one, is read when the keeper has room for more: EXPORT_BATCHES requests at a time, so that nothing queues but what the keeper is
 * about to do, and a route that changes often is written as it is in the end. The feed's bit says that the kernel was told; what the kernel did not take is
 * kept beside (refusal.c) and tried again.
 *
 * A prefix that both tables of a family have is in the kernel once: by its labeled route if that leads to a softwire (RFC 5565 section 9, MESH-FWD-12), else
 * by the other. Either feed's news are about both, and of the two only the one whose route it is has the bit.
 *
 * Beside the bits stands, for each net, the number of the path row that its route in the kernel leads to. What has the same path as before is not written again;
 * and who had another one lets go of that when the keeper has answered.
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
#include "afbr/softwires.h"

enum { STEPS = 1024, PATHS_MIN = 1024 };

const enum bgp_family export_families[EXPORT_FEEDS] = {
	BGP_IPV4, BGP_IPV6, BGP_IPV4_LABELED, BGP_IPV6_LABELED};

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

static void release(struct exporter *e, const uint32_t old[2])
{
	path_release(e->afbr, old[0]);
	path_release(e->afbr, old[1]);
}

static unsigned count_of(const uint32_t paths[2])
{
	return (unsigned)(paths[0] != 0) + (unsigned)(paths[1] != 0);
}

static bool hand_on_to(struct export_batch *b, const struct prefix *p, const uint32_t old[2])
{
	for (unsigned i = 0; b && i < b->count; i++) {
		uint32_t *theirs = b->old[i];

		if (!prefix_equal(&b->routes[i].dst, p) || count_of(theirs) + count_of(old) > 2)
			continue;
		for (unsigned k = 0; k < 2; k++)
			if (old[k])
				theirs[theirs[0] != 0] = old[k];
		return true;
	}
	return false;
}

/* Has the keeper been asked for something else for P meanwhile? Then it counts what becomes of that, and OLD is its business. */
static bool hand_on(struct exporter *e, const struct prefix *p, const uint32_t old[2])
{
	bool done = hand_on_to(e->current, p, old);

	for (struct export_batch *b = e->batches; b && !done; b = b->next)
		done = hand_on_to(b, p, old);
	return done;
}

/* What was to be instead of it has failed, and it may still be there: nobody may go on by it, for people are told that there is no route. */
static void take_out(struct exporter *e, const struct prefix *p, const uint32_t old[2])
{
	const struct keeper_bgp_route route = {.dst = *p};

	if ((!old[0] && !old[1]) || hand_on(e, p, old))
		return;
	if (!export_put(e, &route, old))
		release(e, old);
}

/* Is there to be a route to P? */
static bool is_told(const struct exporter *e, const struct prefix *p)
{
	for (unsigned feed = p->addr.family == AF_INET ? 0 : 1; feed < EXPORT_FEEDS; feed += EXPORT_UNICAST) {
		rib_id net = rib_find(e->feeds[feed].rib, p);

		if (net && rib_feed_has(&e->feeds[feed], net))
			return true;
	}
	return false;
}

static void answer_one(struct exporter *e, const struct export_batch *b, unsigned i, int result)
{
	if (!result) {
		/* What has only been taken out is refused all the same. */
		if (refusal_count(e) && (b->routes[i].add || !is_told(e, &b->routes[i].dst)))
			refusal_forget(e, &b->routes[i].dst);
		release(e, b->old[i]);
		return;
	}
	refusal_note(e, &b->routes[i], result);
	if (b->routes[i].add)
		take_out(e, &b->routes[i].dst, b->old[i]);
	else
		release(e, b->old[i]);
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
	for (unsigned i = 0; i < b->count; i++)
		if (e->fed)
			answer_one(e, b, i, all || failed[i / 64] >> i % 64 & 1 ? result : 0);
		else
			release(e, b->old[i]);
	free(b);
	export_submit(e);
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
	path_flush(e->afbr); /* neighbour entries go before the routes by them */
	keeper_bgp_routes(
		e->afbr->keeper, e->config.table, e->config.metric, b->routes, b->count, answered, b);
}

bool export_put(struct exporter *e, const struct keeper_bgp_route *route, const uint32_t old[2])
{
	if (!e->current) {
		e->current = calloc(1, sizeof(*e->current));
		if (!e->current)
			return false;
		e->current->exporter = e;
	}
	e->current->routes[e->current->count] = *route;
	if (old)
		memcpy(e->current->old[e->current->count], old, sizeof(e->current->old[0]));
	e->current->count++;
	if (e->current->count == KEEPER_BGP_ROUTES)
		export_submit(e);
	return true;
}

/* ---- the path of each route ---- */

static uint32_t path_of(const struct exporter *e, unsigned feed, rib_id net)
{
	return net < e->paths[feed].room ? e->paths[feed].numbers[net] : 0;
}

static int path_reserve(struct exporter *e, unsigned feed, rib_id net)
{
	struct export_paths *p = &e->paths[feed];
	uint32_t room = p->room ? p->room : PATHS_MIN, *numbers;

	while (room <= net)
		room *= 2;
	if (room == p->room)
		return 0;
	numbers = reallocarray(p->numbers, room, sizeof(*numbers));
	if (!numbers)
		return -ENOMEM;
	memset(numbers + p->room, 0, (room - p->room) * sizeof(*numbers));
	p->numbers = numbers;
	p->room = room;
	return 0;
}

static void path_set(struct exporter *e, unsigned feed, rib_id net, uint32_t number)
{
	if (net < e->paths[feed].room)
		e->paths[feed].numbers[net] = number;
}

/* RELEASED: the kernel has none of these routes any more. */
static void forget_paths(struct exporter *e, bool released)
{
	for (unsigned feed = 0; feed < EXPORT_FEEDS; feed++) {
		struct export_paths *p = &e->paths[feed];

		for (uint32_t net = 0; released && net < p->room; net++)
			path_release(e->afbr, p->numbers[net]);
		free(p->numbers);
		*p = (struct export_paths){0};
	}
}

/* ---- one route ---- */

/* A prefix in both tables of its family: 0 unicast, 1 labeled. */
struct export_pair {
	struct prefix prefix;
	unsigned feed[2];
	rib_id net[2]; /* or 0 */
};

static void pair_of(const struct exporter *e, unsigned feed, rib_id net, struct export_pair *ret)
{
	unsigned is_labeled = feed / EXPORT_UNICAST;

	ret->prefix = rib_prefix(e->feeds[feed].rib, net);
	ret->feed[0] = feed % EXPORT_UNICAST;
	ret->feed[1] = ret->feed[0] + EXPORT_UNICAST;
	ret->net[is_labeled] = net;
	feed = ret->feed[!is_labeled];
	ret->net[!is_labeled] =
		e->feeds[feed].rib->net_count ? rib_find(e->feeds[feed].rib, &ret->prefix) : 0;
}

static bool pair_has(const struct exporter *e, const struct export_pair *p, unsigned i)
{
	return p->net[i] && rib_feed_has(&e->feeds[p->feed[i]], p->net[i]);
}

/* Is the route of table I to be there? *ret_path: a reference to its softwire, or 0. */
static bool is_wanted(struct exporter *e, const struct export_pair *p, unsigned i,
	struct keeper_bgp_route *ret, uint32_t *ret_path)
{
	unsigned feed = p->feed[i];
	const struct rib_path *best = p->net[i] ? rib_best(e->feeds[feed].rib, p->net[i]) : NULL;
	struct addr hidden;
	const char *reason;
	char why[192];

	*ret_path = 0;
	switch (verdict_of(e, feed, &p->prefix, best, ret, &hidden, &reason)) {
	case VERDICT_NATIVE:
		return true;
	case VERDICT_SOFTWIRE:
		*ret_path = path_for(e->afbr, export_families[feed], p->net[i], why, sizeof(why));
		if (*ret_path)
			path_route(e->afbr, *ret_path, ret);
		return *ret_path;
	default:
		return false;
	}
}

/* The kernel has no route of table I any more, or will have none. */
static void clear(struct exporter *e, const struct export_pair *p, unsigned i)
{
	if (!p->net[i])
		return;
	path_set(e, p->feed[i], p->net[i], 0);
	(void)rib_feed_set(&e->feeds[p->feed[i]], p->net[i], false);
}

static void old_paths(const struct exporter *e, const struct export_pair *p, uint32_t ret[2])
{
	for (unsigned i = 0; i < 2; i++)
		ret[i] = p->net[i] ? path_of(e, p->feed[i], p->net[i]) : 0;
}

/* False: no memory; nothing has changed. */
static bool tell_none(struct exporter *e, const struct export_pair *p)
{
	const struct keeper_bgp_route route = {.dst = p->prefix};
	uint32_t old[2];

	if (!pair_has(e, p, 0) && !pair_has(e, p, 1))
		return true;
	old_paths(e, p, old);
	if (!export_put(e, &route, old))
		return false;
	refusal_forget(e, &p->prefix);
	clear(e, p, 0);
	clear(e, p, 1);
	return true;
}

/* By table I, and not by the other one. The reference to PATH is ours. */
static bool tell_route(struct exporter *e, const struct export_pair *p, unsigned i,
	const struct keeper_bgp_route *route, uint32_t path, bool again)
{
	struct rib_feed *f = &e->feeds[p->feed[i]];
	rib_id net = p->net[i];
	bool has = pair_has(e, p, i);
	uint32_t old[2];

	old_paths(e, p, old);
	if (has && path && path == old[i] && !pair_has(e, p, !i) && !again && !refusal_of(e, &p->prefix)) {
		path_release(e->afbr, path);
		return true;
	}
	if ((path && path_reserve(e, p->feed[i], net)) || (!has && rib_feed_set(f, net, true))) {
		path_release(e->afbr, path);
		return false;
	}
	if (!export_put(e, route, old)) {
		if (!has)
			(void)rib_feed_set(f, net, false);
		path_release(e->afbr, path);
		return false;
	}
	path_set(e, p->feed[i], net, path);
	clear(e, p, !i);
	return true;
}

/* The labeled route, unless it rejects its packets and the other one does not. -1: neither. */
static int choose_table(
	struct exporter *e, const struct export_pair *p, struct keeper_bgp_route *ret, uint32_t *ret_path)
{
	struct keeper_bgp_route other;
	uint32_t path;
	bool labeled = p->net[1] && is_wanted(e, p, 1, ret, ret_path);

	if (labeled && !path_rejects(e->afbr, *ret_path))
		return 1;
	if (!p->net[0] || !is_wanted(e, p, 0, &other, &path))
		return labeled ? 1 : -1;
	if (labeled && path_rejects(e->afbr, path)) {
		path_release(e->afbr, path);
		return 1;
	}
	if (labeled)
		path_release(e->afbr, *ret_path);
	*ret = other;
	*ret_path = path;
	return 0;
}

/* AGAIN: also where the kernel should have it already. False: no memory; nothing has changed. */
static bool tell(struct exporter *e, unsigned feed, rib_id net, bool again)
{
	struct keeper_bgp_route route;
	struct export_pair p;
	uint32_t path;
	int i;

	pair_of(e, feed, net, &p);
	if (feed < EXPORT_UNICAST)
		choice_route_told(e->afbr, &p.prefix);
	i = choose_table(e, &p, &route, &path);
	return i < 0 ? tell_none(e, &p) : tell_route(e, &p, (unsigned)i, &route, path, again);
}

void export_tell_prefix(struct exporter *e, const struct prefix *p)
{
	unsigned feed = p->addr.family == AF_INET ? 0 : 1;
	rib_id net = rib_find(e->feeds[feed].rib, p);

	if (!net && e->feeds[feed + EXPORT_UNICAST].rib->net_count) {
		feed += EXPORT_UNICAST;
		net = rib_find(e->feeds[feed].rib, p);
	}
	if (net && !tell(e, feed, net, true))
		refusal_note(e, &(struct keeper_bgp_route){.dst = *p, .add = 1}, -ENOMEM);
}

/* ---- what has to be told ---- */

static void read_feed(struct exporter *e, unsigned feed, unsigned *budget)
{
	struct rib_feed *f = &e->feeds[feed];
	rib_id net;

	while (*budget && export_has_room(e) && (net = rib_feed_next(f))) {
		--*budget;
		if (tell(e, feed, net, false))
			continue;
		rib_feed_again(f, net);
		e->starved = true;
		break;
	}
}

static void restart_feeds(struct exporter *e)
{
	for (unsigned feed = 0; feed < EXPORT_FEEDS && e->fed; feed++)
		(void)rib_feed_restart(&e->feeds[feed]);
	export_soon(e);
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
	restart_feeds(e);
}

static bool is_by_moved(const struct exporter *e, unsigned feed, rib_id net)
{
	const struct rib_path *path = rib_best(e->feeds[feed].rib, net);

	return (path && path->set->next_hop && nexthop_moved(path->set->next_hop)) ||
	       choice_is_moved(e->afbr, e->feeds[feed].rib, net);
}

static void walk_one(struct exporter *e)
{
	e->walk_at = rib_walk(e->feeds[e->walk_feed].rib, e->walk_at);
	if (e->walk_at) {
		if (is_by_moved(e, e->walk_feed, e->walk_at))
			(void)tell(e, e->walk_feed, e->walk_at, false);
		return;
	}
	export_submit(e); /* the next table may have the same prefixes */
	if (++e->walk_feed < EXPORT_FEEDS)
		return;
	e->walking = false;
	/* What moved while we walked may have been passed already. */
	if (e->moved)
		return;
	nexthop_settle(e->afbr);
	choice_settle(e->afbr);
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
	bool idle = !e->in_flight && !e->current;

	for (unsigned feed = 0; feed < EXPORT_FEEDS && idle; feed++)
		idle = rib_feed_at_end(&e->feeds[feed]);
	return idle;
}

bool export_is_quiet(const struct afbr *a)
{
	struct exporter *e = a->exporter;

	return !e || !e->fed || (export_is_idle(e) && !e->walking && !e->moved);
}

void export_pump(struct exporter *e)
{
	unsigned budget = STEPS;

	if (!is_ready(e))
		return;
	e->starved = false;
	choice_forget(e->afbr->softwires);
	/* A destination may be in a batch but once: each part has batches of its own. */
	export_submit(e);
	recheck(e);
	export_submit(e);
	for (unsigned feed = 0; feed < EXPORT_FEEDS; feed++) {
		read_feed(e, feed, &budget);
		if (feed % EXPORT_UNICAST)
			export_submit(e);
	}
	walk(e, &budget);
	export_submit(e);
	sweep_mend(e, &budget);
	export_submit(e);
	if (e->starved)
		wheel_arm(&e->afbr->loop->wheel, &e->timer, loop_now(e->afbr->loop) + 1000);
	else if (!budget || e->moved)
		wheel_arm(&e->afbr->loop->wheel, &e->timer, loop_now(e->afbr->loop));
	sweep_begin(e);
	if (e->restarted && !e->in_flight) /* stale routes have gone */
		adopt_settle(e->afbr->softwires);
}

static void due(struct wheel_timer *t, msec now)
{
	export_pump(container_of(t, struct exporter, timer));
}

void export_routes(struct bgp *b, enum bgp_family family)
{
	struct exporter *e = afbr_of(b)->exporter;

	choice_routes(afbr_of(b), family);
	transmitter_routes(afbr_of(b), family);
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

void export_again(struct afbr *a)
{
	struct exporter *e = a->exporter;

	if (!e)
		return;
	e->moved = true;
	export_soon(e);
}

void export_restart(struct afbr *a)
{
	if (a->exporter)
		restart_feeds(a->exporter);
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
		r = rib_feed_add(bgp_rib(e->afbr->bgp, export_families[feed]), &e->feeds[feed]);
		for (unsigned added = feed; r && added--;)
			rib_feed_remove(&e->feeds[added]);
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
	forget_paths(e, true);
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
	if (!same)
		restart_feeds(e);
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
	if (a->config->export.present)
		return begin(a->exporter);
	adopt_settle(a->softwires);
	return 0;
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
	forget_paths(e, false); /* the next process finds the routes, and their paths in the store */
	keeper_forget(a->keeper, e);
	wheel_disarm(&a->loop->wheel, &e->timer);
	refusal_done(e);
	free(e);
	a->exporter = NULL;
}

/* ---- to look at ---- */

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
