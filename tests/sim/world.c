/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See world.h. */
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- users ---- */

static struct user *user_of(struct softwire *s)
{
	return container_of(container_of(s, struct softwire_si, softwire), struct user, engine);
}

static void si_send(struct softwire *s, const uint8_t *payload, size_t len)
{
	struct user *u = user_of(s);

	stage_send(&u->world->stage, TO_SERVER, u->index, u->port, payload, len);
}

static void si_authenticate(struct softwire *s, const struct ppp_claim *claim)
{
	softwire_verified(s, false, "nobody asked for it", s->now);
}

static void si_secret(struct softwire *s, const char *peer_name)
{
	char secret[32];

	softwire_ppp_secret(s, secret, stage_secret(user_of(s)->account, secret), s->now);
}

static void sc_only(struct softwire *s)
{
	stage_broken(&user_of(s)->world->stage, user_of(s)->index, "a concentrator's request at an initiator");
}

static void sc_only_bind(struct softwire *s, const struct dhcp6_duid *duid, uint32_t iaid)
{
	sc_only(s);
}

static void sc_only_delegated(struct softwire *s, uint8_t family, bool in_use)
{
	sc_only(s);
}

static void si_up(struct softwire *s, uint8_t family)
{
	user_of(s)->up = true;
}

static void check_prefix(struct user *u, const struct dhcp6_binding *b)
{
	if (b->prefix_count != 1) {
		stage_broken(&u->world->stage, u->index, "not exactly one prefix");
		return;
	}
	if (u->seen && !u->world->config->may_run_out && !prefix_equal(&u->prefix, &b->prefixes[0].prefix))
		stage_broken(&u->world->stage, u->index, "another prefix than before");
	u->prefix = b->prefixes[0].prefix;
}

static void check_ipv4(struct user *u, const struct softwire_si_state *state)
{
	bool same = addr_equal(&u->address4, &state->address4) &&
		    prefix_equal(&u->subnet, &state->binding4.subnets[0].prefix);

	if (u->seen && !u->world->config->may_run_out && !same)
		stage_broken(&u->world->stage, u->index, "another IPv4 address or subnet than before");
	u->address4 = state->address4;
	u->subnet = state->binding4.subnets[0].prefix;
}

/* Everything that was asked for is there. */
static bool is_complete(const struct user *u)
{
	const struct softwire_si_state *state = &u->engine.state;
	const struct world_config *config = u->world->config;

	if (!config->no_ipv6 && (!state->has_binding || !state->has_address))
		return false;
	return !config->ipv4 ||
	       (!addr_is_none(&state->address4) && state->has_binding4 && state->binding4.subnet_count);
}

/* Bound: stay for a while; what happens then is decided when the time is over. */
static void si_configured(struct softwire *s)
{
	struct user *u = user_of(s);

	if (u->bound || !is_complete(u))
		return;
	u->bound = true;
	u->hint = u->engine.state.binding;
	u->hint4 = u->engine.state.binding4;
	if (!u->world->config->no_ipv6)
		check_prefix(u, &u->hint);
	if (u->world->config->ipv4)
		check_ipv4(u, &u->engine.state);
	u->seen = true;
	wheel_arm(&u->world->stage.wheel, &u->timer, u->world->stage.now + u->attempt_at);
}

static void si_down(struct softwire *s, const struct softwire_why *why)
{
	struct user *u = user_of(s);

	if (!u->bound) {
		u->failures++;
		u->world->failed_attempts++;
	} else if (!u->leaving) {
		u->world->noticed++;
	}
}

static void user_again(struct user *u, msec delay)
{
	u->running = false;
	u->up = u->bound = u->leaving = false;
	wheel_arm(&u->world->stage.wheel, &u->timer, u->world->stage.now + delay);
}

static void si_released(struct softwire *s)
{
	struct user *u = user_of(s);

	softwire_done(s);
	user_again(u, 1 + rng_below(&u->world->stage.rng, 2000));
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

static void user_connect(struct user *u)
{
	struct world *w = u->world;

	memset(&u->engine, 0, sizeof(u->engine));
	u->running = true;
	u->engine.softwire.tracing = w->stage.tracing;
	u->port = ++w->next_port;
	u->attempt_at = 1 + rng_below(&w->stage.rng, w->config->hold_ms ? w->config->hold_ms : 30000);
	if (softwire_si_open(&u->engine, &w->si_config, (uint16_t)(1 + rng_below(&w->stage.rng, 65535)),
		    (uint16_t)(1 + rng_below(&w->stage.rng, 65535)), 1, 1460,
		    u->seen && !w->config->no_ipv6 ? &u->hint : NULL,
		    u->seen && w->config->ipv4 ? &u->hint4 : NULL, w->stage.now))
		stage_broken(&w->stage, u->index, "out of memory");
}

static void round_over(struct user *u)
{
	struct world *w = u->world;
	unsigned fate = rng_below(&w->stage.rng, 3);

	w->rounds_done++;
	u->rounds_left--;
	u->leaving = true;
	if (!u->rounds_left)
		w->users_done++;
	if (fate == 0) { /* power cut */
		w->vanished++;
		softwire_done(&u->engine.softwire);
		user_again(u, 1 + rng_below(&w->stage.rng, 5000));
	} else if (fate ==
		   1) { /* the NAT gives another address: the concentrator does not follow, HELLO finds out */
		w->moved++;
		u->port = ++w->next_port;
		softwire_probe(&u->engine.softwire, w->stage.now);
	} else {
		softwire_close(&u->engine.softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", w->stage.now);
	}
}

static void user_fire(struct wheel_timer *t, msec now)
{
	struct user *u = container_of(t, struct user, timer);

	if (u->running && u->rounds_left)
		round_over(u);
	else if (!u->running && u->rounds_left)
		user_connect(u);
}

static void user_input(struct world *w, const struct packet *p)
{
	struct user *u = &w->users[p->user];
	struct reader r = reader_of(p->data, p->len);
	struct l2tp_header h;

	if (!u->running || u->port != p->port)
		return; /* to a socket that is gone */
	l2tp_header_read(&r, &h);
	if (!reader_ok(&r))
		stage_broken(&w->stage, p->user, "the concentrator sent a malformed header");
	else if (h.tunnel_id == u->engine.softwire.tunnel.local_tunnel)
		softwire_input(&u->engine.softwire, p->data, p->len, w->stage.now);
	else if (l2tp_stray_matches(&u->engine.softwire.tunnel, p->data, p->len))
		softwire_probe(&u->engine.softwire, w->stage.now);
}

/* ---- the run ---- */

static void world_input(void *owner, const struct packet *p)
{
	struct world *w = owner;

	if (p->direction == TO_USER)
		user_input(w, p);
	else if (!w->carrier.dead)
		carrier_input(&w->carrier, p);
}

/* A machine that slept: everything is due at once. */
static void leap_fire(struct wheel_timer *t, msec now)
{
	struct world *w = container_of(t, struct world, leap);

	w->stage.now = now + w->config->leap_by_ms;
}

/* Who is up and is not answered any more looks whether the concentrator is there. */
static void probe_all(struct world *w, msec now)
{
	for (uint32_t i = 0; i < w->user_count; i++)
		if (w->users[i].running && w->users[i].bound)
			softwire_probe(&w->users[i].engine.softwire, now);
}

static void restart_fire(struct wheel_timer *t, msec now)
{
	struct world *w = container_of(t, struct world, restart);

	if (w->config->resume && !w->carrier.dead) {
		carrier_crash(&w->carrier);
		wheel_arm(&w->stage.wheel, &w->restart, now + w->config->down_ms);
		return;
	}
	if (w->config->resume) {
		carrier_come_back(&w->carrier);
	} else {
		carrier_kill(&w->carrier);
		probe_all(w, now);
	}
	if (--w->restarts_left)
		wheel_arm(&w->stage.wheel, &w->restart, now + w->config->restart_ms);
}

static bool pool_config(const struct world_config *config, struct lease_pool_config *ret)
{
	struct addr first = addr4(10, 64, 0, 0);

	*ret = (struct lease_pool_config){.name = "default", .delegate_len = 60, .delegate4_len = 28};
	if (!config->no_ipv6 && (prefix_parse("2001:db8:100::/40", &ret->link6) ||
					prefix_parse("2001:db8:8000::/36", &ret->delegate_from)))
		return false;
	if (!config->ipv4)
		return true;
	ret->ipv4 = prefix_of(&first, config->ipv4_len ? config->ipv4_len : 16);
	return prefix_parse("10.128.0.0/12", &ret->delegate4_from) == 0;
}

static bool open_carrier(struct world *w, const struct world_config *config)
{
	struct carrier_config c = {.users = config->users,
		.per_account = config->per_account,
		.ipv4 = config->ipv4,
		.no_ipv6 = config->no_ipv6,
		.dhcp4 = config->dhcp4,
		.may_refuse = config->may_run_out,
		.lifetime_s = config->lifetime_s,
		.record = config->resume};

	if (config->on_disk) {
		snprintf(w->directory, sizeof(w->directory), "/tmp/softwire-sim-XXXXXX");
		if (!mkdtemp(w->directory))
			return false;
		snprintf(w->path, sizeof(w->path), "%s/leases.db", w->directory);
		c.path = w->path;
	}
	return pool_config(config, &c.pool) && carrier_open(&w->carrier, &w->stage, &c);
}

static bool world_open(struct world *w, const struct world_config *config)
{
	memset(w, 0, sizeof(*w));
	w->config = config;
	stage_init(&w->stage, config->seed);
	w->stage.network = (struct network){.loss = config->loss,
		.duplicate = config->duplicate,
		.reorder = config->reorder,
		.delay_ms = 40};
	softwire_config_init(&w->si_config, L2TP_LAC, &si_ops, &w->stage.wheel, &w->stage.rng, &w->si_counters);
	w->si_config.dhcp6_client.want_prefix = true;
	w->si_config.dhcp6_client.duid_len = 18;
	rng_bytes(&w->stage.rng, w->si_config.dhcp6_client.duid, 18);
	w->si_config.ppp.ipv4 = config->ipv4;
	w->si_config.ppp.ipv6 = !config->no_ipv6;
	w->si_config.dhcp4_client.want_subnet = true;
	w->si_config.dhcp4_client.client_id_len = 19;
	rng_bytes(&w->stage.rng, w->si_config.dhcp4_client.client_id, 19);
	return open_carrier(w, config);
}

static void users_start(struct world *w, const struct world_config *config)
{
	w->user_count = config->users;
	w->users = calloc(config->users, sizeof(*w->users));
	w->leap.fire = leap_fire;
	w->restart.fire = restart_fire;
	w->restarts_left = config->restarts ? config->restarts : 1;
	if (config->restart_ms)
		wheel_arm(&w->stage.wheel, &w->restart, w->stage.now + config->restart_ms);
	if (config->leap_ms)
		wheel_arm(&w->stage.wheel, &w->leap, w->stage.now + config->leap_ms);
	for (uint32_t i = 0; i < config->users; i++) {
		struct user *u = &w->users[i];

		u->world = w;
		u->index = i;
		u->account = i / (config->per_account ? config->per_account : 1);
		u->rounds_left = config->rounds;
		u->timer.fire = user_fire;
		wheel_arm(&w->stage.wheel, &u->timer, w->stage.now + 1 + rng_below(&w->stage.rng, config->start_ms));
	}
}

static void check_end(struct world *w)
{
	const struct carrier *c = &w->carrier;
	size_t active = 0;

	if (w->users_done != w->user_count)
		stage_broken(&w->stage, 0, "not every user finished its rounds");
	if (c->count)
		stage_broken(&w->stage, 0, "a softwire is left at the concentrator");
	if (lease_count(c->leases, &active) != w->user_count / (w->config->per_account ? w->config->per_account : 1) &&
		!w->config->may_run_out)
		stage_broken(&w->stage, 0, "a lease was lost");
	if (c->held.count)
		stage_broken(&w->stage, 0, "something is held by nobody");
	if (active)
		stage_broken(&w->stage, 0, "a lease is still active");
	if (w->stage.wheel.armed)
		stage_broken(&w->stage, 0, "a timer is stuck");
}

bool world_run(struct world *w, const struct world_config *config)
{
	msec limit;

	if (!world_open(w, config)) {
		stage_broken(&w->stage, 0, "the lease store could not be opened");
		return false;
	}
	users_start(w, config);
	limit = w->stage.now + 24 * 3600 * 1000ULL;
	while ((w->stage.network.count || w->stage.wheel.armed) && w->stage.now < limit && !*w->stage.failure)
		stage_step(&w->stage, world_input, w);
	if (!*w->stage.failure)
		check_end(w);
	for (uint32_t i = 0; i < w->user_count; i++)
		if (w->users[i].running)
			softwire_done(&w->users[i].engine.softwire);
	carrier_done(&w->carrier);
	stage_done(&w->stage);
	free(w->users);
	stage_remove(w->directory);
	return !*w->stage.failure;
}
