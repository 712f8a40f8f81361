/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine as a whole: its life, its tables and next hops, and the work that is done in slices.
 *
 * Jobs, in the order in which bgp_work() does them: who has something new is told; paths of neighbours that are gone, and paths that nobody told again,
 * are removed; routes are chosen again where next hops have changed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/parts.h"

msec bgp_jitter(struct bgp *b, msec t)
{
	uint32_t quarter = (uint32_t)(t / 4);

	return t - rng_below(b->rng, quarter + 1);
}

void bgp_want_work(struct bgp *b)
{
	if (b->working)
		return;
	b->working = true;
	b->ops->work(b);
}

/* ---- next hops ---- */

bool bgp_is_own(const struct bgp *b, const struct addr *a)
{
	for (unsigned i = 0; i < b->own_count; i++)
		if (addr_equal(&b->own[i], a))
			return true;
	return false;
}

static void next_hop_changed(struct bgp *b, struct bgp_next_hop *n)
{
	n->changed = true;
	b->next_hops_changed = true;
	bgp_want_work(b);
}

/* An answer from inside is no reason to look through the tables. */
static void ask_owner(struct bgp *b, struct bgp_next_hop *n, bool wanted)
{
	b->asking = n;
	b->ops->next_hop(b, n, wanted);
	b->asking = NULL;
}

static void next_hop_wanted(struct bgp_sets *s, struct bgp_next_hop *n, bool wanted)
{
	struct bgp *b = container_of(s, struct bgp, sets);

	n->ours = bgp_is_own(b, &n->value.global);
	if (b->config.check_next_hops)
		ask_owner(b, n, wanted);
	else
		n->answered = n->reached = true;
}

void bgp_next_hop_answer(
	struct bgp *b, struct bgp_next_hop *n, bool reached, uint32_t metric, const char *why)
{
	bool changed = n->reached != reached || (reached && n->metric != metric);

	n->answered = true;
	n->reached = reached;
	n->metric = reached ? metric : 0;
	n->why[0] = 0;
	if (!reached && why)
		strncat(n->why, why, sizeof(n->why) - 1);
	if (changed && b->asking != n)
		next_hop_changed(b, n);
}

int bgp_set_own_addresses(struct bgp *b, const struct addr *addresses, unsigned count)
{
	struct addr *own = NULL;
	struct bgp_next_hop *n;
	uint32_t cursor = 0;

	if (count) {
		own = calloc(count, sizeof(*own));
		if (!own)
			return -ENOMEM;
		memcpy(own, addresses, count * sizeof(*own));
	}
	free(b->own);
	b->own = own;
	b->own_count = count;
	while ((n = hash_next(&b->sets.next_hops, &cursor))) {
		bool ours = bgp_is_own(b, &n->value.global);

		if (ours == n->ours)
			continue;
		n->ours = ours;
		next_hop_changed(b, n);
	}
	return 0;
}

static bool net_concerned(const struct rib *r, rib_id net)
{
	for (const struct rib_path *p = rib_first_path(r, net); p; p = rib_next_path(r, p))
		if (p->set->next_hop && p->set->next_hop->changed)
			return true;
	return false;
}

/* A pass is through: what changed meanwhile may have been missed, and needs another one. */
static void pass_done(struct bgp *b)
{
	struct bgp_next_hop *n;
	uint32_t cursor = 0;

	b->rescanning = false;
	if (b->next_hops_changed)
		return;
	while ((n = hash_next(&b->sets.next_hops, &cursor)))
		n->changed = false;
}

static void rescan(struct bgp *b, unsigned *budget)
{
	if (!b->rescanning && b->next_hops_changed) {
		b->rescanning = true;
		b->next_hops_changed = false;
		b->rescan_family = 0;
		b->rescan_at = 0;
	}
	while (b->rescanning && *budget) {
		struct rib *r = &b->ribs[b->rescan_family];
		rib_id net = rib_walk_some(r, &b->rescan_at, budget);

		if (net) {
			if (net_concerned(r, net))
				(void)rib_decide(r, net);
		} else if (b->rescan_at) {
			return;
		} else if (++b->rescan_family == BGP_FAMILIES) {
			pass_done(b);
		}
	}
}

/* ---- telling ---- */

void bgp_routes_changed(struct bgp *b, enum bgp_family f)
{
	b->routes_due |= BGP_FAMILY_BIT(f);
	bgp_want_work(b);
}

static void rib_changed(struct rib *r)
{
	struct bgp *b = container_of(r - r->family, struct bgp, ribs[0]);

	bgp_routes_changed(b, r->family);
}

static void tell_neighbor(struct bgp_neighbor *n, bgp_families due, msec now)
{
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		if (n->table[f].on && due & BGP_FAMILY_BIT(f)) {
			if (send_has_something(n, now))
				session_wake(n->up);
			else
				neighbor_schedule(n);
			return;
		}
}

static void tell(struct bgp *b, msec now)
{
	bgp_families due = b->routes_due;

	if (!due || b->deferring)
		return;
	b->routes_due = 0;
	for (unsigned i = 1; i <= BGP_NEIGHBORS; i++)
		if (b->neighbors[i] && b->neighbors[i]->up)
			tell_neighbor(b->neighbors[i], due, now);
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		if (due & BGP_FAMILY_BIT(f))
			b->ops->routes(b, (enum bgp_family)f);
}

/* ---- our own restart (RFC 4724 section 4.1) ---- */

/* Do we wait for what N has to say? Not for one that restarts itself, nor for one that would not tell when it is through. */
static bool is_awaited(const struct bgp_neighbor *n)
{
	if (!n->started || n->removed || n->held || n->config.shutdown)
		return false;
	if (!n->up)
		return true;
	if (!n->last_open.capabilities.graceful || n->last_open.capabilities.restarted)
		return false;
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		if (n->table[f].on && !n->table[f].end_of_rib_in)
			return true;
	return false;
}

static void end_deferral(struct bgp *b)
{
	b->deferring = false;
	b->defer_until = MSEC_NEVER;
	wheel_disarm(b->wheel, &b->timer);
	b->routes_due = (1u << BGP_FAMILIES) - 1;
	bgp_want_work(b);
}

void bgp_check_deferral(struct bgp *b, msec now)
{
	if (!b->deferring || b->leaving)
		return;
	for (unsigned i = 1; i <= BGP_NEIGHBORS && now < b->defer_until; i++)
		if (b->neighbors[i] && is_awaited(b->neighbors[i]))
			return;
	end_deferral(b);
}

static void deferral_over(struct wheel_timer *t, msec now)
{
	bgp_check_deferral(container_of(t, struct bgp, timer), now);
}

/* ---- work ---- */

static void flush(struct bgp_neighbor *n, unsigned *budget, msec now)
{
	while (n->flushing && *budget) {
		--*budget;
		if (n->table[n->flush_family].received &&
			receive_flush(n, n->flush_family, false, &n->flush_at, budget))
			continue;
		n->flush_at = 0;
		if (++n->flush_family == BGP_FAMILIES)
			neighbor_flushed(n, now);
	}
}

static void sweep(struct bgp_neighbor *n, unsigned *budget)
{
	for (unsigned f = 0; f < BGP_FAMILIES && *budget; f++)
		if (n->table[f].sweep)
			restart_sweep(n, (enum bgp_family)f, budget);
}

static bool has_jobs(const struct bgp_neighbor *n)
{
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		if (n->table[f].sweep)
			return true;
	return n->flushing;
}

bool bgp_work(struct bgp *b, unsigned budget, msec now)
{
	bool more;

	tell(b, now);
	for (unsigned i = 1; i <= BGP_NEIGHBORS && budget; i++) {
		struct bgp_neighbor *n = b->neighbors[i];

		if (!n)
			continue;
		flush(n, &budget, now);
		sweep(n, &budget);
		if (n->removed && !n->flushing)
			neighbor_free(n);
	}
	rescan(b, &budget);
	more = (b->routes_due && !b->deferring) || b->rescanning || b->next_hops_changed;
	for (unsigned i = 1; i <= BGP_NEIGHBORS && !more; i++)
		more = b->neighbors[i] && (b->neighbors[i]->removed || has_jobs(b->neighbors[i]));
	b->working = more;
	return more;
}

/* ---- life ---- */

static const struct decision_source *source_facts(const struct decision_ops *ops, uint16_t source)
{
	const struct bgp *b = container_of(ops, struct bgp, decision);

	return source ? &b->neighbors[source]->facts : &b->ourselves;
}

struct bgp *bgp_new(const struct bgp_config *config, const struct bgp_ops *ops, struct wheel *wheel,
	struct rng *rng, void *owner)
{
	struct bgp *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->config = *config;
	b->ops = ops;
	b->owner = owner;
	b->wheel = wheel;
	b->rng = rng;
	b->decision.source = source_facts;
	b->ourselves = (struct decision_source){.ours = true, .id = config->id};
	bgp_sets_init(&b->sets, rng_u64(rng), next_hop_wanted);
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		rib_init(&b->ribs[f], (enum bgp_family)f, &b->sets, &b->decision, rng_u64(rng), rib_changed);
	b->timer.fire = deferral_over;
	b->deferring = config->restarting;
	b->defer_until = config->restarting ? wheel->now + config->restart_wait : MSEC_NEVER;
	wheel_arm(wheel, &b->timer, b->defer_until);
	return b;
}

void *bgp_owner(const struct bgp *b)
{
	return b->owner;
}

const struct bgp_config *bgp_config(const struct bgp *b)
{
	return &b->config;
}

bool bgp_is_deferring(const struct bgp *b)
{
	return b->deferring;
}

struct rib *bgp_rib(struct bgp *b, enum bgp_family family)
{
	return &b->ribs[family];
}

/* Nobody is connected to any more. ERROR: with a NOTIFICATION, or without. */
static void stop_all(struct bgp *b, const struct bgp_error *error)
{
	b->leaving = true;
	for (unsigned i = 1; i <= BGP_NEIGHBORS; i++) {
		struct bgp_neighbor *n = b->neighbors[i];

		if (!n || n->removed)
			continue;
		n->started = false;
		neighbor_reset(n, error, b->wheel->now);
	}
}

void bgp_shutdown(struct bgp *b, const char *words)
{
	struct bgp_error e;

	bgp_cease(&e, BGP_CEASE_SHUTDOWN, words);
	stop_all(b, &e);
}

void bgp_leave(struct bgp *b)
{
	struct bgp_error e = {0};

	bgp_error_set(&e, 0, 0, NULL, 0, "this speaker restarts");
	stop_all(b, &e);
}

void bgp_free(struct bgp *b)
{
	if (!b)
		return;
	bgp_leave(b);
	for (unsigned i = 1; i <= BGP_NEIGHBORS; i++)
		if (b->neighbors[i])
			neighbor_free(b->neighbors[i]);
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		rib_done(&b->ribs[f]);
	bgp_sets_done(&b->sets);
	wheel_disarm(b->wheel, &b->timer);
	free(b->own);
	free(b);
}
