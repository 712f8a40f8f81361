/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The homes of week.h: an initiator's engine, and the policy around it in short: try, wait, try the other one, come home. */
#include <stdlib.h>
#include <string.h>

#include "week.h"

enum {
	ANSWER_MS = 7000,	/* without a word: the next one */
	SETUP_MS = 60000,	/* not complete by then */
	WAIT_FIRST = 1000,
	WAIT_LAST = 60000,
	MINUTE = 60000,
	HOUR = 60 * MINUTE,
	DAY = 24 * HOUR
};

static struct home *home_of(struct softwire *s)
{
	return container_of(container_of(s, struct softwire_si, softwire), struct home, engine);
}

static void arm(struct home *h, msec delay)
{
	wheel_arm(&h->week->stage.wheel, &h->timer, h->week->stage.now + delay);
}

/* ---- the engine ---- */

static void si_send(struct softwire *s, const uint8_t *payload, size_t len)
{
	struct home *h = home_of(s);

	if (!fault_cuts(&h->week->sites[h->at], h->index))
		stage_send(&h->week->stage, TO_SERVER, h->index, h->port, payload, len);
}

static void si_authenticate(struct softwire *s, const struct ppp_claim *claim)
{
	softwire_verified(s, false, "nobody asked for it", s->now);
}

static void si_secret(struct softwire *s, const char *peer_name)
{
	char secret[32];

	softwire_ppp_secret(s, secret, stage_secret(home_of(s)->index, secret), s->now);
}

static void si_up(struct softwire *s, uint8_t family)
{
}

static bool is_complete(const struct softwire_si_state *state)
{
	return state->has_binding && state->has_address && state->binding.prefix_count == 1 && !addr_is_none(&state->address4) &&
	       state->has_binding4 && state->binding4.subnet_count == 1;
}

/* The same for ever, from this concentrator. */
static void compare(struct home *h)
{
	const struct softwire_si_state *state = &h->engine.state;
	struct home_past *past = &h->past[h->at];

	if (past->seen && (!prefix_equal(&past->prefix, &state->binding.prefixes[0].prefix) ||
				  !addr_equal(&past->address4, &state->address4) ||
				  !prefix_equal(&past->subnet, &state->binding4.subnets[0].prefix)))
		stage_broken(&h->week->stage, h->index, "another prefix or address than before from the same concentrator");
	past->seen = true;
	past->prefix = state->binding.prefixes[0].prefix;
	past->subnet = state->binding4.subnets[0].prefix;
	past->address4 = state->address4;
	past->hint = state->binding;
	past->hint4 = state->binding4;
}

static msec next_event(struct week *w)
{
	return week_some(w, 4 * (msec)HOUR);
}

static void si_configured(struct softwire *s)
{
	struct home *h = home_of(s);

	if (h->state != HOME_CONNECTING || !is_complete(&h->engine.state))
		return;
	compare(h);
	h->state = HOME_UP;
	h->since = h->week->stage.now;
	h->failures = 0;
	h->week->ups++;
	arm(h, next_event(h->week));
}

static void go_wait(struct home *h, msec delay)
{
	if (h->state == HOME_UP || h->state == HOME_LEAVING)
		h->since = h->week->stage.now;
	h->state = HOME_WAITING;
	arm(h, delay);
}

static void si_down(struct softwire *s, const struct softwire_why *why)
{
	struct home *h = home_of(s);

	if (h->state == HOME_CONNECTING)
		h->failures++;
	if (h->state == HOME_UP)
		h->since = h->week->stage.now;
	h->state = HOME_LEAVING;
	wheel_disarm(&h->week->stage.wheel, &h->timer);
}

/* Its socket is gone as soon as it is down: what lingers is told nothing more. */
static void si_released(struct softwire *s)
{
	struct home *h = home_of(s);
	msec delay = WAIT_FIRST << (h->failures < 6 ? h->failures : 6);

	softwire_done(s);
	if (delay > WAIT_LAST)
		delay = WAIT_LAST;
	go_wait(h, delay / 2 + rng_below(&h->week->stage.rng, (uint32_t)delay / 2 + 1));
}

static void sc_only(struct softwire *s)
{
	stage_broken(&home_of(s)->week->stage, home_of(s)->index, "a concentrator's request at an initiator");
}

static void sc_only_bind(struct softwire *s, const struct dhcp6_duid *duid, uint32_t iaid)
{
	sc_only(s);
}

static void sc_only_delegated(struct softwire *s, uint8_t family, bool in_use)
{
	sc_only(s);
}

static const struct softwire_ops si_ops = {
	.send = si_send,
	.want_tunnel_secret = stage_no_tunnel_secret,
	.authenticate = si_authenticate,
	.want_ppp_secret = si_secret,
	.want_lease = sc_only,
	.bind_duid = sc_only_bind,
	.delegated = sc_only_delegated,
	.up = si_up,
	.family_down = stage_family_down,
	.configured = si_configured,
	.down = si_down,
	.released = si_released,
	.trace = stage_trace,
	.note = stage_note,
};

/* ---- its life ---- */

static uint8_t preferred(const struct home *h)
{
	return (uint8_t)(h->index % CARRIERS);
}

static void go_to(struct home *h, uint8_t at)
{
	struct week *w = h->week;
	const struct home_past *past = &h->past[at];

	memset(&h->engine, 0, sizeof(h->engine));
	h->state = HOME_CONNECTING;
	h->at = at;
	h->port = 2 * ++w->next_port + at;
	h->engine.softwire.tracing = w->stage.tracing;
	w->attempts++;
	arm(h, ANSWER_MS);
	if (softwire_si_open(&h->engine, &w->si_config, (uint16_t)(1 + rng_below(&w->stage.rng, 65535)),
		    (uint16_t)(1 + rng_below(&w->stage.rng, 65535)), 1, 1460, past->seen ? &past->hint : NULL,
		    past->seen ? &past->hint4 : NULL, w->stage.now))
		stage_broken(&w->stage, h->index, "out of memory");
}

static void look_at_answer(struct home *h, msec now)
{
	struct softwire *s = &h->engine.softwire;

	if (s->tunnel.last_heard <= s->started_at || now >= s->started_at + SETUP_MS)
		softwire_close(s, CAUSE_NO_ANSWER, L2TP_STOP_CLEAR, 0, "no answer", now);
	else
		arm(h, s->started_at + SETUP_MS - now);
}

/* What homes do. */
static void live(struct home *h, msec now)
{
	struct week *w = h->week;
	unsigned what = rng_below(&w->stage.rng, 8);

	arm(h, next_event(w));
	if (h->at != preferred(h)) {
		w->came_home++;
		softwire_close(&h->engine.softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "coming home", now);
	} else if (what == 0) {
		w->power_cuts++;
		softwire_done(&h->engine.softwire);
		go_wait(h, week_some(w, 2 * MINUTE));
	} else if (what < 4) { /* the concentrator does not follow */
		w->moved++;
		h->port = 2 * ++w->next_port + h->at;
		softwire_probe(&h->engine.softwire, now);
	} else if (what == 4) {
		w->restarts++;
		softwire_close(&h->engine.softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", now);
	}
}

static void home_fire(struct wheel_timer *t, msec now)
{
	struct home *h = container_of(t, struct home, timer);

	if (h->state == HOME_WAITING)
		go_to(h, (uint8_t)((preferred(h) + h->failures) % CARRIERS));
	else if (h->state == HOME_CONNECTING)
		look_at_answer(h, now);
	else if (h->state == HOME_UP && now < h->week->quiet_at)
		live(h, now);
}

void home_input(struct home *h, const struct packet *p)
{
	struct reader r = reader_of(p->data, p->len);
	struct l2tp_header header;

	if (h->state == HOME_WAITING || h->port != p->port || fault_cuts(&h->week->sites[h->at], h->index))
		return;
	l2tp_header_read(&r, &header);
	if (!reader_ok(&r))
		stage_broken(&h->week->stage, h->index, "the concentrator sent a malformed header");
	else if (header.tunnel_id == h->engine.softwire.tunnel.local_tunnel)
		softwire_input(&h->engine.softwire, p->data, p->len, h->week->stage.now);
	else if (l2tp_stray_matches(&h->engine.softwire.tunnel, p->data, p->len))
		softwire_probe(&h->engine.softwire, h->week->stage.now);
}

void home_init(struct week *w)
{
	struct softwire_config *c = &w->si_config;

	softwire_config_init(c, L2TP_LAC, &si_ops, &w->stage.wheel, &w->stage.rng, &w->si_counters);
	c->dhcp6_client.want_prefix = true;
	c->dhcp6_client.duid_len = 18;
	rng_bytes(&w->stage.rng, c->dhcp6_client.duid, 18);
	c->dhcp4_client.want_subnet = true;
	c->dhcp4_client.client_id_len = 19;
	rng_bytes(&w->stage.rng, c->dhcp4_client.client_id, 19);
	c->ppp.ipv4 = c->ppp.ipv6 = true;
}

void home_begin(struct home *h, struct week *w, uint32_t index)
{
	h->week = w;
	h->index = index;
	h->timer.fire = home_fire;
	h->since = w->stage.now;
	arm(h, 1 + rng_below(&w->stage.rng, 5 * MINUTE));
}
