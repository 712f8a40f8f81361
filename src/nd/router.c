/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nd/router: when to advertise.
 *
 * Timer: next_at: the next multicast advertisement, be it unsolicited or the answer to solicitations.
 * Unicast answers go out at once and are bounded by a bucket (answer_tat), so that a peer cannot make us build
 * advertisements as fast as it can send.
 */
#include "nd/router.h"

enum {
	ANSWER_EVERY_MS = 200,  /* answers at most five a second ... */
	ANSWER_BURST_MS = 1000, /* ... after a burst of five */
	REFRESH_MIN_MS = 3000,  /* MIN_DELAY_BETWEEN_RAS: also for lifetimes of a few seconds */
};

static msec random_between(struct nd_router *r, msec min, msec max)
{
	msec span = max > min ? max - min : 0;

	return min + rng_below(r->config->rng, (uint32_t)span + 1);
}

static void shorten(msec *limit, uint32_t seconds)
{
	msec third = (msec)seconds * 1000 / 3;

	if (seconds && seconds != ND_INFINITE && third < *limit)
		*limit = third;
}

/* The longest time until the next advertisement that leaves three chances before a lifetime of A runs out. */
static msec refresh_limit(const struct nd_advert *a)
{
	msec limit = MSEC_NEVER;

	shorten(&limit, a->router_lifetime);
	for (unsigned i = 0; i < a->prefix_count; i++)
		shorten(&limit, a->prefixes[i].preferred ? a->prefixes[i].preferred : a->prefixes[i].valid);
	if (a->dns_count)
		shorten(&limit, a->dns_lifetime);
	return limit < REFRESH_MIN_MS ? REFRESH_MIN_MS : limit;
}

/* Section 6.2.4, with A's lifetimes as a limit (NULL: unknown). */
static msec next_unsolicited(struct nd_router *r, const struct nd_advert *a, msec now)
{
	const struct nd_router_config *c = r->config;
	msec min = c->min_interval_ms, max = c->max_interval_ms, wait;

	if (!max)
		return MSEC_NEVER;
	if (a)
		max = msec_min(max, refresh_limit(a));
	wait = random_between(r, msec_min(min, max), max);
	if (r->initial_left && wait > c->initial_interval_ms)
		wait = c->initial_interval_ms;
	return now + wait;
}

static bool advertise(struct nd_router *r, const struct addr *dst, struct nd_advert *a)
{
	uint8_t buf[IP6_MIN_MTU];
	struct writer w = writer_of(buf, sizeof(buf));

	nd_ra_write(&w, &r->link_local, dst, a);
	if (!writer_ok(&w))
		return false;
	r->config->counters->tx++;
	r->config->counters->ra_tx++;
	r->config->ops->send(r, buf, writer_len(&w));
	return true;
}

static void multicast(struct nd_router *r, msec now)
{
	struct addr dst = nd_all_nodes();
	struct nd_advert a = {0};
	bool any = r->config->ops->describe(r, now, &a);

	r->answer_pending = false;
	if (r->initial_left)
		r->initial_left--;
	r->next_at = next_unsolicited(r, any ? &a : NULL, now);
	if (any) {
		r->last_at = now;
		advertise(r, &dst, &a);
	}
}

static void unicast(struct nd_router *r, const struct addr *dst, msec now)
{
	struct nd_advert a = {0};

	if (!r->config->ops->describe(r, now, &a))
		return;
	/* What was promised now must be refreshed in time, also when the timer was set on longer lifetimes. */
	if (r->next_at != MSEC_NEVER && r->next_at - now > refresh_limit(&a))
		r->next_at = next_unsolicited(r, &a, now);
	advertise(r, dst, &a);
}

/* The earliest time for a multicast advertisement that wants to go at AT. */
static msec after_min_delay(const struct nd_router *r, msec at)
{
	if (r->last_at == MSEC_NEVER || at >= r->last_at + r->config->min_delay_ms)
		return at;
	return r->last_at + r->config->min_delay_ms;
}

void nd_router_open(
	struct nd_router *r, const struct nd_router_config *c, const struct addr *link_local, msec now)
{
	*r = (struct nd_router){
		.config = c, .link_local = *link_local, .last_at = MSEC_NEVER, .initial_left = c->initial};
	r->next_at = c->initial ? now : next_unsolicited(r, NULL, now);
}

static bool answer_allowed(struct nd_router *r, msec now)
{
	msec from = r->answer_tat > now ? r->answer_tat : now;

	if (from > now + ANSWER_BURST_MS - ANSWER_EVERY_MS)
		return false;
	r->answer_tat = from + ANSWER_EVERY_MS;
	return true;
}

/* Section 6.2.6: schedules the multicast answer. One advertisement may answer many solicitations. */
static void answer_all(struct nd_router *r, msec now)
{
	msec delay = r->config->answer_delay_ms ? random_between(r, 0, r->config->answer_delay_ms) : 0;
	msec at = now + delay;

	if (r->answer_pending)
		return;
	if (after_min_delay(r, now) > now)
		at = after_min_delay(r, now) + delay;
	r->answer_pending = true;
	r->next_at = msec_min(r->next_at, at);
	if (r->next_at <= now)
		multicast(r, now);
}

void nd_router_input(struct nd_router *r, const struct nd_message *m, msec now)
{
	struct nd_counters *counters = r->config->counters;

	if (m->type != ND_RS)
		return;
	counters->rx++;
	counters->rs_rx++;
	if (addr_equal(&m->src, &r->link_local)) {
		counters->bad_source++;
		return;
	}
	if (!answer_allowed(r, now)) {
		counters->ignored++;
		return;
	}
	if (r->config->reply_unicast && !addr_is_unspecified(&m->src))
		unicast(r, &m->src, now);
	else
		answer_all(r, now);
}

void nd_router_changed(struct nd_router *r, msec now)
{
	r->initial_left = r->config->initial;
	r->next_at = msec_min(r->next_at, after_min_delay(r, now));
}

void nd_router_close(struct nd_router *r, msec now)
{
	struct addr dst = nd_all_nodes();
	struct nd_advert a = {0};

	r->next_at = MSEC_NEVER;
	r->answer_pending = false;
	if (!r->config->ops->describe(r, now, &a))
		return;
	a.router_lifetime = 0;
	advertise(r, &dst, &a);
}

void nd_router_tick(struct nd_router *r, msec now)
{
	if (now >= r->next_at)
		multicast(r, now);
}

msec nd_router_deadline(const struct nd_router *r)
{
	return r->next_at;
}
