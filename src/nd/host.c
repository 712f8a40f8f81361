/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nd/host: soliciting and listening.
 *
 * Timers: solicit_at, the next Router Solicitation, running while no router is known (RFC 7559: intervals double to an
 * hour, with jitter, and go on for ever); router_until, the end of the Router Lifetime.
 */
#include "nd/host.h"

/* X with RAND of -10 to +10 per cent (RFC 7559 section 2, which takes it from DHCPv6). */
static msec jitter(struct nd_host *h, uint32_t base, uint32_t x)
{
	return (msec)base + x - x / 10 + rng_below(h->config->rng, x / 5 + 1);
}

static void solicit(struct nd_host *h, msec now)
{
	const struct nd_host_config *c = h->config;
	uint8_t buf[64];
	struct writer w = writer_of(buf, sizeof(buf));
	msec wait = h->interval_ms ? jitter(h, h->interval_ms, h->interval_ms) : jitter(h, 0, c->solicit_ms);

	if (wait > c->solicit_max_ms)
		wait = jitter(h, 0, c->solicit_max_ms);
	h->interval_ms = (uint32_t)wait;
	h->solicit_at = now + wait;
	nd_rs_write(&w, &h->link_local);
	c->counters->tx++;
	c->counters->rs_tx++;
	c->ops->send(h, buf, writer_len(&w));
}

void nd_host_open(struct nd_host *h, const struct nd_host_config *c, const struct addr *link_local, msec now)
{
	*h = (struct nd_host){.config = c, .link_local = *link_local, .router_until = MSEC_NEVER};
	solicit(h, now);
}

/* Leaves out what a host must ignore: RFC 4861 section 6.3.4, RFC 4862 section 5.5.3. */
static void filter(struct nd_advert *a)
{
	unsigned count = 0;

	for (unsigned i = 0; i < a->prefix_count; i++) {
		const struct nd_prefix *p = &a->prefixes[i];

		if (addr_is_link_local(&p->prefix.addr) || addr_is_multicast(&p->prefix.addr) ||
			p->preferred > p->valid)
			continue;
		a->prefixes[count++] = *p;
	}
	a->prefix_count = count;
	if (a->mtu < IP6_MIN_MTU)
		a->mtu = 0;
}

static void router_gone(struct nd_host *h)
{
	h->router = (struct addr){0};
	h->router_until = MSEC_NEVER;
	h->interval_ms = 0;
}

void nd_host_input(struct nd_host *h, const struct nd_message *m, msec now)
{
	struct nd_counters *counters = h->config->counters;
	struct nd_advert a = m->advert;
	bool ours = addr_equal(&m->src, &h->router), lost = false;

	if (m->type != ND_RA)
		return;
	counters->rx++;
	counters->ra_rx++;
	if (!addr_is_link_local(&m->src) || addr_equal(&m->src, &h->link_local)) {
		counters->bad_source++;
		return;
	}
	if (!ours && !addr_is_none(&h->router) && !a.router_lifetime) {
		counters->ignored++; /* somebody else's farewell */
		return;
	}
	if (a.router_lifetime) {
		h->router = m->src;
		h->router_until = now + a.router_lifetime * 1000ull;
		h->solicit_at = MSEC_NEVER;
		h->interval_ms = 0;
	} else if (ours) {
		lost = true;
		router_gone(h);
		h->solicit_at = now + jitter(h, 0, h->config->solicit_ms); /* it is going: not at once */
	}
	filter(&a);
	h->config->ops->advertised(h, &a, now);
	if (lost)
		h->config->ops->router_lost(h);
}

void nd_host_slept(struct nd_host *h, msec slept, msec now)
{
	if (h->router_until != MSEC_NEVER)
		h->router_until = h->router_until > slept ? h->router_until - slept : 0;
	h->interval_ms = h->config->solicit_ms;
	h->solicit_at = now;
}

void nd_host_tick(struct nd_host *h, msec now)
{
	if (now >= h->router_until) {
		router_gone(h);
		h->solicit_at = now;
		h->config->ops->router_lost(h);
	}
	if (now >= h->solicit_at)
		solicit(h, now);
}

msec nd_host_deadline(const struct nd_host *h)
{
	return msec_min(h->solicit_at, h->router_until);
}
