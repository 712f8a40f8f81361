/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables that are always empty, for tests that are about sessions only. */
#include "bgp/parts.h"

void bgp_sets_init(struct bgp_sets *s, uint64_t seed,
	void (*wanted)(struct bgp_sets *s, struct bgp_next_hop *n, bool wanted))
{
	s->seed = seed;
	s->wanted = wanted;
}

void bgp_sets_done(struct bgp_sets *s)
{
	(void)s;
}

void rib_init(struct rib *r, enum bgp_family family, struct bgp_sets *sets,
	const struct decision_ops *decision, uint64_t seed, void (*changed)(struct rib *r))
{
	*r = (struct rib){
		.family = family, .sets = sets, .decision = decision, .seed = seed, .changed = changed};
}

void rib_done(struct rib *r)
{
	(void)r;
}

int rib_decide(struct rib *r, rib_id net)
{
	(void)r;
	(void)net;
	return 0;
}

struct rib_path *rib_first_path(const struct rib *r, rib_id net)
{
	(void)r;
	(void)net;
	return NULL;
}

struct rib_path *rib_next_path(const struct rib *r, const struct rib_path *p)
{
	(void)r;
	(void)p;
	return NULL;
}

rib_id rib_walk(const struct rib *r, rib_id after)
{
	(void)r;
	(void)after;
	return 0;
}

bool receive_update(struct bgp_connection *c, struct reader body, msec now)
{
	(void)c;
	(void)body;
	(void)now;
	return true;
}

bool receive_flush(
	struct bgp_neighbor *n, enum bgp_family f, bool stale_only, rib_id *at, unsigned *budget, msec now)
{
	(void)n;
	(void)f;
	(void)stale_only;
	(void)at;
	(void)budget;
	(void)now;
	return false;
}

int send_begin(struct bgp_neighbor *n, msec now)
{
	(void)n;
	(void)now;
	return 0;
}

void send_end(struct bgp_neighbor *n)
{
	(void)n;
}

void send_again(struct bgp_neighbor *n, enum bgp_family f, msec now)
{
	(void)n;
	(void)f;
	(void)now;
}

void send_policy(struct bgp_neighbor *n, struct policy *old, msec now)
{
	(void)n;
	(void)now;
	policy_free(old);
}

void send_updates(struct bgp_neighbor *n, struct writer *w, msec now)
{
	(void)n;
	(void)w;
	(void)now;
}

bool send_has_something(const struct bgp_neighbor *n, msec now)
{
	(void)n;
	(void)now;
	return false;
}

msec send_deadline(const struct bgp_neighbor *n)
{
	(void)n;
	return MSEC_NEVER;
}
