/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See world.h. */
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aaa/aaa.h"
#include "hub/trace.h"
#include "inside.h"
#include "network.h"

void world_broken(struct world *w, uint32_t user, const char *what)
{
	if (!*w->failure)
		snprintf(w->failure, sizeof(w->failure), "t=%llu user=%u: %s", (unsigned long long)w->now,
			user, what);
}

void world_send(
	struct world *w, uint8_t direction, uint32_t user, uint32_t port, const uint8_t *data, size_t len)
{
	network_send(&w->network, &w->rng, w->now, direction, user, port, data, len);
}

/* ---- secrets ---- */

static size_t secret_of(uint32_t account, char buf[32])
{
	return (size_t)snprintf(buf, 32, "secret-of-%u", account);
}

size_t world_name_of(uint32_t account, char buf[32])
{
	return (size_t)snprintf(buf, 32, "user%u", account);
}

/* ---- who holds what: never two the same ---- */

static uint32_t held_hash(const struct prefix *p)
{
	return hash_bytes(p, sizeof(*p), 1);
}

static bool held_match(const void *item, const void *key)
{
	return prefix_equal(&((const struct held *)item)->prefix, key);
}

static void hold(struct server_side *side, const struct prefix *p)
{
	struct world *w = side->world;
	struct held *h = hash_find(&w->held, held_hash(p), held_match, p);
	char text[PREFIX_TEXT], what[128];

	if (h) {
		snprintf(what, sizeof(what), "%s is held by user %u, too", prefix_print(p, text),
			h->side->user);
		world_broken(w, side->user, what);
		return;
	}
	h = calloc(1, sizeof(*h));
	h->prefix = *p;
	h->side = side;
	hash_insert(&w->held, held_hash(p), h);
	side->held[side->held_count++] = h;
}

static void let_go(struct server_side *side)
{
	while (side->held_count) {
		struct held *h = side->held[--side->held_count];

		hash_remove(&side->world->held, held_hash(&h->prefix), h);
		free(h);
	}
}

/* ---- the concentrator ---- */

static struct server_side *side_of(struct softwire *s)
{
	return container_of(container_of(s, struct softwire_sc, softwire), struct server_side, engine);
}

static void sc_send(struct softwire *s, const uint8_t *payload, size_t len)
{
	struct server_side *side = side_of(s);

	world_send(side->world, TO_USER, side->user, side->port, payload, len);
}

static void no_tunnel_secret(struct softwire *s, const char *host)
{
	softwire_tunnel_secret(s, NULL, 0, s->now);
}

static void sc_authenticate(struct softwire *s, const struct ppp_claim *claim)
{
	struct server_side *side = side_of(s);
	char secret[32];
	/* All initiators share one configuration, and with it a name; the secret is the user's own. */
	bool ok = aaa_chap_md5_ok(claim->id, secret, secret_of(side->account, secret), claim->challenge,
		claim->challenge_len, claim->response, claim->response_len);

	side->known = ok;
	softwire_verified(s, ok, ok ? "welcome" : "no", s->now);
}

static void sc_no_secret(struct softwire *s, const char *name)
{
	softwire_ppp_secret(s, NULL, 0, s->now);
}

static void side_leave(struct server_side *side)
{
	struct world *w = side->world;
	char name[32];

	let_go(side);
	if (w->by_account[side->account] != side)
		return;
	w->by_account[side->account] = NULL;
	world_name_of(side->account, name);
	lease_idle(w->leases, name, 0);
}

static void hold_lease(struct server_side *side, const struct lease *lease)
{
	struct prefix address = prefix_of(&lease->address4, 32);

	if (!prefix_is_none(&lease->link6))
		hold(side, &lease->link6);
	for (unsigned i = 0; i < lease->prefix_count && i < 1; i++)
		hold(side, &lease->delegated[i]);
	if (!addr_is_none(&lease->address4))
		hold(side, &address);
	for (unsigned i = 0; i < lease->subnet_count && i < 1; i++)
		hold(side, &lease->subnets[i]);
}

static void sc_leased(void *owner, int result, const struct lease *lease, const char *why)
{
	struct server_side *side = owner;
	const struct world_config *config = side->world->config;
	uint32_t valid = config->lifetime_s ? config->lifetime_s : 7200;
	struct softwire_lease given;

	if (result) {
		if (result != -ENOSPC || !config->may_run_out)
			world_broken(side->world, side->user, why);
		side->world->no_address++;
		side->world->by_account[side->account] = NULL;
		softwire_sc_lease(&side->engine, NULL, why, side->world->now);
		return;
	}
	given = (struct softwire_lease){.link6 = lease->link6,
		.no_ipv6 = config->no_ipv6,
		.prefix_count = (uint8_t)lease->prefix_count,
		.address4 = lease->address4,
		.prefix4_count = (uint8_t)lease->subnet_count,
		.dhcp4 = config->dhcp4,
		.preferred = valid / 2,
		.valid = valid};
	memcpy(given.delegated, lease->delegated, sizeof(lease->delegated));
	memcpy(given.delegated4, lease->subnets, sizeof(lease->subnets));
	hold_lease(side, lease);
	softwire_sc_lease(&side->engine, &given, NULL, side->world->now);
}

void world_acquire(struct server_side *side, lease_answer *answer)
{
	const struct world_config *config = side->world->config;
	struct lease_request r = {.pool = "default",
		.want_link = !config->no_ipv6,
		.want_delegated = !config->no_ipv6,
		.want_ipv4 = config->ipv4,
		.want_subnet = config->ipv4};

	world_name_of(side->account, r.user);
	lease_acquire(side->world->leases, &r, answer, side);
}

static void sc_want_lease(struct softwire *s)
{
	struct server_side *side = side_of(s), *old = side->world->by_account[side->account];

	if (!side->known)
		world_broken(side->world, side->user, "a lease for somebody who is not authenticated");
	if (old) {
		side->world->replaced++;
		softwire_close(
			&old->engine.softwire, CAUSE_REPLACED, L2TP_STOP_EXISTS, 0, "replaced", s->now);
	}
	side->world->by_account[side->account] = side;
	world_acquire(side, sc_leased);
}

static void sc_bound(void *owner, int result, const struct lease *lease, const char *why)
{
	struct server_side *side = owner;

	softwire_sc_bound(&side->engine, result == 0, why, side->world->now);
}

static void sc_bind_duid(struct softwire *s, const struct dhcp6_duid *duid, uint32_t iaid)
{
	struct server_side *side = side_of(s);
	char name[32];

	world_name_of(side->account, name);
	lease_bind(side->world->leases, name, 0, duid->data, duid->len, iaid, sc_bound, side);
}

static void sc_delegated(struct softwire *s, uint8_t family, bool in_use)
{
	if (in_use && !side_of(s)->held_count)
		world_broken(side_of(s)->world, side_of(s)->user, "a prefix is used that is not held");
}

static void sc_up(struct softwire *s, uint8_t family)
{
}

static void any_family_down(struct softwire *s, uint8_t family, const char *why)
{
}

static void sc_down(struct softwire *s, const struct softwire_why *why)
{
	side_leave(side_of(s));
}

void world_forget(struct softwire *s)
{
	struct server_side *side = side_of(s);
	struct world *w = side->world;

	side_leave(side);
	lease_cancel(w->leases, side);
	softwire_done(s);
	w->by_tunnel[side->local_tunnel] = NULL;
	*side->link = side->next;
	if (side->next)
		side->next->link = side->link;
	w->side_count--;
	pool_free(&w->sides, side);
}

static void any_trace(struct softwire *s, enum softwire_trace what, const void *data, size_t len)
{
	struct softwire_trace_words words;

	softwire_trace_describe(what, data, len, &words);
	printf("%10llu %s %-4s %-8s %s\n", (unsigned long long)s->now, softwire_is_initiator(s) ? "SI" : "SC",
		words.dir, words.layer, words.text);
}

static void any_note(struct softwire *s, const char *text)
{
}

static const struct softwire_ops sc_ops = {
	.send = sc_send,
	.want_tunnel_secret = no_tunnel_secret,
	.authenticate = sc_authenticate,
	.want_ppp_secret = sc_no_secret,
	.want_lease = sc_want_lease,
	.bind_duid = sc_bind_duid,
	.delegated = sc_delegated,
	.up = sc_up,
	.family_down = any_family_down,
	.down = sc_down,
	.changed = restart_save,
	.released = world_forget,
	.trace = any_trace,
	.note = any_note,
};

static void stray(struct world *w, const struct packet *p, const struct l2tp_header *h, struct reader body)
{
	uint8_t buf[L2TP_PACKET_MAX];
	struct writer out = writer_of(buf, sizeof(buf));

	if (h->control && !reader_left(&body))
		return;
	l2tp_stray_reply(&out, h->tunnel_id, 0, L2TP_STOP_CLEAR, "no such tunnel");
	world_send(w, TO_USER, p->user, p->port, buf, writer_len(&out));
}

static void accept_request(
	struct world *w, const struct packet *p, struct reader body, const struct l2tp_header *h)
{
	uint8_t scratch[L2TP_PACKET_MAX];
	struct l2tp_message m;
	struct l2tp_fault fault;
	struct server_side *side;
	uint16_t id;

	if (l2tp_message_read(body, NULL, scratch, &m, &fault) || m.type != L2TP_SCCRQ) {
		stray(w, p, h, body);
		return;
	}
	for (side = w->of_user[p->user]; side; side = side->next)
		if (side->port == p->port && side->peer_tunnel == m.assigned_tunnel)
			break;
	if (side) {
		softwire_input(&side->engine.softwire, p->data, p->len, w->now);
		return;
	}
	do {
		id = (uint16_t)(1 + rng_below(&w->rng, 65535));
	} while (w->by_tunnel[id]);
	side = pool_alloc(&w->sides);
	side->world = w;
	side->user = p->user;
	side->account = w->users[p->user].account;
	side->port = p->port;
	side->peer_tunnel = m.assigned_tunnel;
	side->local_tunnel = id;
	side->next = w->of_user[p->user];
	side->link = &w->of_user[p->user];
	if (side->next)
		side->next->link = &side->next;
	w->of_user[p->user] = side;
	w->side_count++;
	w->by_tunnel[id] = side;
	side->engine.softwire.tracing = w->tracing;
	if (softwire_sc_accept(&side->engine, &w->sc_config, id, (uint16_t)(1 + rng_below(&w->rng, 65535)),
		    p->data, p->len, 1460, w->now))
		world_broken(w, p->user, "an honest SCCRQ was refused");
}

static void server_input(struct world *w, const struct packet *p)
{
	struct reader r = reader_of(p->data, p->len);
	struct server_side *side;
	struct l2tp_header h;

	l2tp_header_read(&r, &h);
	if (!reader_ok(&r)) {
		world_broken(w, p->user, "the initiator sent a malformed header");
		return;
	}
	side = w->by_tunnel[h.tunnel_id];
	if (!h.tunnel_id)
		accept_request(w, p, reader_rest(&r), &h);
	else if (!side || side->port != p->port)
		stray(w, p, &h, reader_rest(&r));
	else
		softwire_input(&side->engine.softwire, p->data, p->len, w->now);
}

/* ---- users ---- */

static struct user *user_of(struct softwire *s)
{
	return container_of(container_of(s, struct softwire_si, softwire), struct user, engine);
}

static void si_send(struct softwire *s, const uint8_t *payload, size_t len)
{
	struct user *u = user_of(s);

	world_send(u->world, TO_SERVER, u->index, u->port, payload, len);
}

static void si_authenticate(struct softwire *s, const struct ppp_claim *claim)
{
	softwire_verified(s, false, "nobody asked for it", s->now);
}

static void si_secret(struct softwire *s, const char *peer_name)
{
	char secret[32];

	softwire_ppp_secret(s, secret, secret_of(user_of(s)->account, secret), s->now);
}

static void sc_only(struct softwire *s)
{
	world_broken(user_of(s)->world, user_of(s)->index, "a concentrator's request at an initiator");
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
		world_broken(u->world, u->index, "not exactly one prefix");
		return;
	}
	if (u->seen && !u->world->config->may_run_out && !prefix_equal(&u->prefix, &b->prefixes[0].prefix))
		world_broken(u->world, u->index, "another prefix than before");
	u->prefix = b->prefixes[0].prefix;
}

static void check_ipv4(struct user *u, const struct softwire_si_state *state)
{
	bool same = addr_equal(&u->address4, &state->address4) &&
		    prefix_equal(&u->subnet, &state->binding4.subnets[0].prefix);

	if (u->seen && !u->world->config->may_run_out && !same)
		world_broken(u->world, u->index, "another IPv4 address or subnet than before");
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
	wheel_arm(&u->world->wheel, &u->timer, u->world->now + u->attempt_at);
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
	wheel_arm(&u->world->wheel, &u->timer, u->world->now + delay);
}

static void si_released(struct softwire *s)
{
	struct user *u = user_of(s);

	softwire_done(s);
	user_again(u, 1 + rng_below(&u->world->rng, 2000));
}

static const struct softwire_ops si_ops = {
	.send = si_send,
	.want_tunnel_secret = no_tunnel_secret,
	.authenticate = si_authenticate,
	.want_ppp_secret = si_secret,
	.want_lease = sc_only,
	.bind_duid = sc_only_bind,
	.delegated = sc_only_delegated,
	.up = si_up,
	.family_down = any_family_down,
	.configured = si_configured,
	.down = si_down,
	.released = si_released,
	.trace = any_trace,
	.note = any_note,
};

static void user_connect(struct user *u)
{
	struct world *w = u->world;

	memset(&u->engine, 0, sizeof(u->engine));
	u->running = true;
	u->engine.softwire.tracing = w->tracing;
	u->port = ++w->next_port;
	u->attempt_at = 1 + rng_below(&w->rng, w->config->hold_ms ? w->config->hold_ms : 30000);
	if (softwire_si_open(&u->engine, &w->si_config, (uint16_t)(1 + rng_below(&w->rng, 65535)),
		    (uint16_t)(1 + rng_below(&w->rng, 65535)), 1, 1460,
		    u->seen && !w->config->no_ipv6 ? &u->hint : NULL,
		    u->seen && w->config->ipv4 ? &u->hint4 : NULL, w->now))
		world_broken(w, u->index, "out of memory");
}

static void round_over(struct user *u)
{
	struct world *w = u->world;
	unsigned fate = rng_below(&w->rng, 3);

	w->rounds_done++;
	u->rounds_left--;
	u->leaving = true;
	if (!u->rounds_left)
		w->users_done++;
	if (fate == 0) { /* power cut */
		w->vanished++;
		softwire_done(&u->engine.softwire);
		user_again(u, 1 + rng_below(&w->rng, 5000));
	} else if (fate ==
		   1) { /* the NAT gives another address: the concentrator does not follow, HELLO finds out */
		w->moved++;
		u->port = ++w->next_port;
		softwire_probe(&u->engine.softwire, w->now);
	} else {
		softwire_close(&u->engine.softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", w->now);
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
		world_broken(w, p->user, "the concentrator sent a malformed header");
	else if (h.tunnel_id == u->engine.softwire.tunnel.local_tunnel)
		softwire_input(&u->engine.softwire, p->data, p->len, w->now);
	else if (l2tp_stray_matches(&u->engine.softwire.tunnel, p->data, p->len))
		softwire_probe(&u->engine.softwire, w->now);
}

/* ---- the run ---- */

static void world_step(struct world *w)
{
	struct network *n = &w->network;
	msec next = wheel_next(&w->wheel);

	if (n->count && n->heap[0]->at < next)
		next = n->heap[0]->at;
	if (next == MSEC_NEVER)
		return;
	if (next > w->now)
		w->now = next;
	wheel_advance(&w->wheel, w->now);
	while (n->count && n->heap[0]->at <= w->now) {
		struct packet *p = network_take(n);

		if (p->direction == TO_USER)
			user_input(w, p);
		else if (!w->dead)
			server_input(w, p);
		free(p);
	}
}

/* A machine that slept: everything is due at once. */
static void leap_fire(struct wheel_timer *t, msec now)
{
	struct world *w = container_of(t, struct world, leap);

	w->now = now + w->config->leap_by_ms;
}

static bool world_open(struct world *w, const struct world_config *config)
{
	memset(w, 0, sizeof(*w));
	w->config = config;
	w->tracing = getenv("SIM_TRACE") != NULL;
	w->now = 1000;
	wheel_init(&w->wheel, w->now);
	rng_init_seed(&w->rng, config->seed);
	w->network = (struct network){.loss = config->loss,
		.duplicate = config->duplicate,
		.reorder = config->reorder,
		.delay_ms = 40};
	softwire_config_init(&w->sc_config, L2TP_LNS, &sc_ops, &w->wheel, &w->rng, &w->sc_counters);
	softwire_config_init(&w->si_config, L2TP_LAC, &si_ops, &w->wheel, &w->rng, &w->si_counters);
	w->si_config.dhcp6_client.want_prefix = true;
	w->si_config.dhcp6_client.duid_len = 18;
	rng_bytes(&w->rng, w->si_config.dhcp6_client.duid, 18);
	w->sc_config.dhcp6_server.duid_len = 18;
	rng_bytes(&w->rng, w->sc_config.dhcp6_server.duid, 18);
	pool_init(&w->sides, sizeof(struct server_side));
	w->sc_config.ppp.ipv4 = w->si_config.ppp.ipv4 = config->ipv4;
	w->sc_config.ppp.ipv6 = w->si_config.ppp.ipv6 = !config->no_ipv6;
	w->sc_config.local4 = config->ipv4 ? addr4(198, 51, 100, 1) : (struct addr){0};
	w->si_config.dhcp4_client.want_subnet = true;
	w->si_config.dhcp4_client.client_id_len = 19;
	rng_bytes(&w->rng, w->si_config.dhcp4_client.client_id, 19);
	if (config->on_disk) {
		snprintf(w->directory, sizeof(w->directory), "/tmp/softwire-sim-XXXXXX");
		if (!mkdtemp(w->directory))
			return false;
	}
	return restart_open_leases(w);
}

static void users_start(struct world *w, const struct world_config *config)
{
	w->user_count = config->users;
	w->users = calloc(config->users, sizeof(*w->users));
	w->by_account = calloc(config->users, sizeof(*w->by_account));
	w->of_user = calloc(config->users, sizeof(*w->of_user));
	w->leap.fire = leap_fire;
	if (config->leap_ms)
		wheel_arm(&w->wheel, &w->leap, w->now + config->leap_ms);
	restart_init(w);
	for (uint32_t i = 0; i < config->users; i++) {
		struct user *u = &w->users[i];

		u->world = w;
		u->index = i;
		u->account = i / (config->per_account ? config->per_account : 1);
		u->rounds_left = config->rounds;
		u->timer.fire = user_fire;
		wheel_arm(&w->wheel, &u->timer, w->now + 1 + rng_below(&w->rng, config->start_ms));
	}
}

static void check_end(struct world *w)
{
	size_t active = 0;

	if (w->users_done != w->user_count)
		world_broken(w, 0, "not every user finished its rounds");
	if (w->side_count)
		world_broken(w, 0, "a softwire is left at the concentrator");
	if (lease_count(w->leases, &active) !=
			w->user_count / (w->config->per_account ? w->config->per_account : 1) &&
		!w->config->may_run_out)
		world_broken(w, 0, "a lease was lost");
	if (w->held.count)
		world_broken(w, 0, "something is held by nobody");
	if (active)
		world_broken(w, 0, "a lease is still active");
	if (w->wheel.armed)
		world_broken(w, 0, "a timer is stuck");
}

static void directory_remove(const struct world *w)
{
	static const char *const files[] = {"leases.db", "leases.db-wal", "leases.db-shm"};
	char path[96];

	if (!*w->directory)
		return;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", w->directory, files[i]);
		unlink(path);
	}
	rmdir(w->directory);
}

bool world_run(struct world *w, const struct world_config *config)
{
	msec limit;

	if (!world_open(w, config)) {
		world_broken(w, 0, "the lease store could not be opened");
		return false;
	}
	users_start(w, config);
	limit = w->now + 24 * 3600 * 1000ULL;
	while ((w->network.count || w->wheel.armed) && w->now < limit && !*w->failure)
		world_step(w);
	if (!*w->failure)
		check_end(w);
	for (uint32_t i = 0; i < w->user_count; i++)
		if (w->users[i].running)
			softwire_done(&w->users[i].engine.softwire);
	for (uint32_t i = 0; i < w->user_count; i++)
		while (w->of_user[i])
			world_forget(&w->of_user[i]->engine.softwire);
	while (w->network.count)
		free(network_take(&w->network));
	free(w->network.heap);
	free(w->users);
	free(w->by_account);
	hash_free(&w->held);
	free(w->of_user);
	if (w->leases)
		lease_store_close(w->leases);
	directory_remove(w);
	if (pool_done(&w->sides) && !*w->failure)
		world_broken(w, 0, "memory was leaked");
	return !*w->failure;
}
