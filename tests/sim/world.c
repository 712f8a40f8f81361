/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See world.h. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aaa/aaa.h"
#include "hub/trace.h"

enum { TO_SERVER, TO_USER };

struct packet {
	msec at;
	uint64_t order; /* equal times keep their order */
	uint8_t direction;
	uint32_t user, port;
	size_t len;
	uint8_t data[];
};

static void promise_broken(struct world *w, uint32_t user, const char *what)
{
	if (!*w->failure)
		snprintf(w->failure, sizeof(w->failure), "t=%llu user=%u: %s", (unsigned long long)w->now, user, what);
}

/* ---- the network: a heap of packets by time ---- */

static bool earlier(const struct packet *a, const struct packet *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void heap_push(struct network *n, struct packet *p)
{
	size_t i;

	if (n->count == n->room) {
		n->room = n->room ? 2 * n->room : 1024;
		n->heap = realloc(n->heap, n->room * sizeof(*n->heap));
	}
	for (i = n->count++; i && earlier(p, n->heap[(i - 1) / 2]); i = (i - 1) / 2)
		n->heap[i] = n->heap[(i - 1) / 2];
	n->heap[i] = p;
}

static struct packet *heap_pop(struct network *n)
{
	struct packet *top = n->heap[0], *last = n->heap[--n->count];
	size_t i = 0;

	while (2 * i + 1 < n->count) {
		size_t child = 2 * i + 1;

		if (child + 1 < n->count && earlier(n->heap[child + 1], n->heap[child]))
			child++;
		if (!earlier(n->heap[child], last))
			break;
		n->heap[i] = n->heap[child];
		i = child;
	}
	n->heap[i] = last;
	return top;
}

static bool percent(struct world *w, unsigned chance)
{
	return chance && rng_below(&w->rng, 100) < chance;
}

static void network_send(struct world *w, uint8_t direction, uint32_t user, uint32_t port, const uint8_t *data, size_t len)
{
	struct network *n = &w->network;
	unsigned copies = percent(w, n->duplicate) ? 2 : 1;

	n->sent++;
	if (percent(w, n->loss)) {
		n->lost++;
		return;
	}
	while (copies--) {
		struct packet *p = malloc(sizeof(*p) + len);

		*p = (struct packet){.at = w->now + 1 + n->delay_ms / 2 + rng_below(&w->rng, n->delay_ms / 2 + 1),
			.order = n->order++,
			.direction = direction,
			.user = user,
			.port = port,
			.len = len};
		if (percent(w, n->reorder))
			p->at += rng_below(&w->rng, 4 * n->delay_ms + 1);
		memcpy(p->data, data, len);
		heap_push(n, p);
	}
}

/* ---- secrets ---- */

static size_t secret_of(uint32_t user, char buf[32])
{
	return (size_t)snprintf(buf, 32, "secret-of-%u", user);
}

static size_t name_of(uint32_t user, char buf[32])
{
	return (size_t)snprintf(buf, 32, "user%u", user);
}

/* ---- the concentrator ---- */

static struct server_side *side_of(struct softwire *s)
{
	return container_of(container_of(s, struct softwire_sc, softwire), struct server_side, engine);
}

static void sc_send(struct softwire *s, const uint8_t *payload, size_t len)
{
	struct server_side *side = side_of(s);

	network_send(side->world, TO_USER, side->user, side->port, payload, len);
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
	bool ok = aaa_chap_md5_ok(claim->id, secret, secret_of(side->user, secret), claim->challenge, claim->challenge_len,
		claim->response, claim->response_len);

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

	if (w->by_user[side->user] != side)
		return;
	w->by_user[side->user] = NULL;
	name_of(side->user, name);
	lease_idle(w->leases, name, 0);
}

static void sc_leased(void *owner, int result, const struct lease *lease, const char *why)
{
	struct server_side *side = owner;
	struct softwire_lease given;

	if (result) {
		promise_broken(side->world, side->user, why);
		softwire_sc_lease(&side->engine, NULL, why, side->world->now);
		return;
	}
	given = (struct softwire_lease){.link6 = lease->link6, .prefix_count = lease->prefix_count, .preferred = 3600, .valid = 7200};
	memcpy(given.delegated, lease->delegated, sizeof(lease->delegated));
	softwire_sc_lease(&side->engine, &given, NULL, side->world->now);
}

static void sc_want_lease(struct softwire *s)
{
	struct server_side *side = side_of(s), *old = side->world->by_user[side->user];
	struct lease_request r = {.pool = "default", .want_link = true, .want_delegated = true};

	if (!side->known)
		promise_broken(side->world, side->user, "a lease for somebody who is not authenticated");
	if (old) {
		side->world->replaced++;
		softwire_close(&old->engine.softwire, CAUSE_REPLACED, L2TP_STOP_EXISTS, 0, "replaced", s->now);
	}
	side->world->by_user[side->user] = side;
	name_of(side->user, r.user);
	lease_acquire(side->world->leases, &r, sc_leased, side);
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

	name_of(side->user, name);
	lease_bind(side->world->leases, name, 0, duid->data, duid->len, iaid, sc_bound, side);
}

static void sc_delegated(struct softwire *s, uint8_t family, bool in_use)
{
	side_of(s)->routed = in_use;
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

static void sc_released(struct softwire *s)
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
	printf("%10llu %s %-4s %-8s %s\n", (unsigned long long)s->now, softwire_is_initiator(s) ? "SI" : "SC", words.dir, words.layer,
		words.text);
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
	.released = sc_released,
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
	network_send(w, TO_USER, p->user, p->port, buf, writer_len(&out));
}

static void accept_request(struct world *w, const struct packet *p, struct reader body, const struct l2tp_header *h)
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
	if (softwire_sc_accept(&side->engine, &w->sc_config, id, (uint16_t)(1 + rng_below(&w->rng, 65535)), p->data, p->len, 1460, w->now))
		promise_broken(w, p->user, "an honest SCCRQ was refused");
}

static void server_input(struct world *w, const struct packet *p)
{
	struct reader r = reader_of(p->data, p->len);
	struct server_side *side;
	struct l2tp_header h;

	l2tp_header_read(&r, &h);
	if (!reader_ok(&r)) {
		promise_broken(w, p->user, "the initiator sent a malformed header");
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

/* Killed and started again: the lease store is all that is left. Who was up notices that nothing comes back. */
static void restart_fire(struct wheel_timer *t, msec now)
{
	struct world *w = container_of(t, struct world, restart);

	for (uint32_t i = 0; i < w->user_count; i++)
		while (w->of_user[i]) {
			w->cut_off += w->of_user[i]->engine.softwire.up6;
			sc_released(&w->of_user[i]->engine.softwire);
		}
	for (uint32_t i = 0; i < w->user_count; i++)
		if (w->users[i].running && w->users[i].bound)
			softwire_probe(&w->users[i].engine.softwire, now);
}

/* ---- users ---- */

static struct user *user_of(struct softwire *s)
{
	return container_of(container_of(s, struct softwire_si, softwire), struct user, engine);
}

static void si_send(struct softwire *s, const uint8_t *payload, size_t len)
{
	struct user *u = user_of(s);

	network_send(u->world, TO_SERVER, u->index, u->port, payload, len);
}

static void si_authenticate(struct softwire *s, const struct ppp_claim *claim)
{
	softwire_verified(s, false, "nobody asked for it", s->now);
}

static void si_secret(struct softwire *s, const char *peer_name)
{
	char secret[32];

	softwire_ppp_secret(s, secret, secret_of(user_of(s)->index, secret), s->now);
}

static void sc_only(struct softwire *s)
{
	promise_broken(user_of(s)->world, user_of(s)->index, "a concentrator's request at an initiator");
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
		promise_broken(u->world, u->index, "not exactly one prefix");
		return;
	}
	if (u->seen && !prefix_equal(&u->prefix, &b->prefixes[0].prefix))
		promise_broken(u->world, u->index, "another prefix than before");
	u->seen = true;
	u->prefix = b->prefixes[0].prefix;
}

/* Bound: stay for a while; what happens then is decided when the time is over. */
static void si_configured(struct softwire *s)
{
	struct user *u = user_of(s);

	if (u->bound || !u->engine.state.has_binding || !u->engine.state.has_address)
		return;
	u->bound = true;
	u->hint = u->engine.state.binding;
	check_prefix(u, &u->hint);
	wheel_arm(&u->world->wheel, &u->timer, u->world->now + u->attempt_at);
}

static void si_down(struct softwire *s, const struct softwire_why *why)
{
	struct user *u = user_of(s);

	if (!u->bound) {
		u->failures++;
		u->world->failed_attempts++;
	}
}

static void user_again(struct user *u, msec delay)
{
	u->running = false;
	u->up = u->bound = false;
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
	u->attempt_at = 1 + rng_below(&w->rng, 30000);
	if (softwire_si_open(&u->engine, &w->si_config, (uint16_t)(1 + rng_below(&w->rng, 65535)),
		    (uint16_t)(1 + rng_below(&w->rng, 65535)), 1, 1460, u->seen ? &u->hint : NULL, NULL, w->now))
		promise_broken(w, u->index, "out of memory");
}

static void round_over(struct user *u)
{
	struct world *w = u->world;
	unsigned fate = rng_below(&w->rng, 3);

	w->rounds_done++;
	u->rounds_left--;
	if (!u->rounds_left)
		w->users_done++;
	if (fate == 0) { /* power cut */
		w->vanished++;
		softwire_done(&u->engine.softwire);
		user_again(u, 1 + rng_below(&w->rng, 5000));
	} else if (fate == 1) { /* the NAT gives another address: the concentrator does not follow, HELLO finds out */
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
		promise_broken(w, p->user, "the concentrator sent a malformed header");
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
		struct packet *p = heap_pop(n);

		if (p->direction == TO_SERVER)
			server_input(w, p);
		else
			user_input(w, p);
		free(p);
	}
}

static bool world_open(struct world *w, const struct world_config *config)
{
	static const char *const pool_text[2] = {"2001:db8:100::/40", "2001:db8:8000::/36"};
	struct lease_pool_config pool = {.name = "default", .delegate_len = 60};
	char why[256] = "";

	memset(w, 0, sizeof(*w));
	w->tracing = getenv("SIM_TRACE") != NULL;
	w->now = 1000;
	wheel_init(&w->wheel, w->now);
	rng_init_seed(&w->rng, config->seed);
	w->network = (struct network){.loss = config->loss, .duplicate = config->duplicate, .reorder = config->reorder, .delay_ms = 40};
	softwire_config_init(&w->sc_config, L2TP_LNS, &sc_ops, &w->wheel, &w->rng, &w->sc_counters);
	softwire_config_init(&w->si_config, L2TP_LAC, &si_ops, &w->wheel, &w->rng, &w->si_counters);
	w->si_config.dhcp6_client.want_prefix = true;
	w->si_config.dhcp6_client.duid_len = 18;
	rng_bytes(&w->rng, w->si_config.dhcp6_client.duid, 18);
	w->sc_config.dhcp6_server.duid_len = 18;
	rng_bytes(&w->rng, w->sc_config.dhcp6_server.duid, 18);
	pool_init(&w->sides, sizeof(struct server_side));
	if (prefix_parse(pool_text[0], &pool.link6) || prefix_parse(pool_text[1], &pool.delegate_from))
		return false;
	w->leases = lease_store_open(NULL, ":memory:", NULL, why);
	return w->leases && lease_store_set_pools(w->leases, &pool, 1, why) == 0;
}

static void users_start(struct world *w, const struct world_config *config)
{
	w->user_count = config->users;
	w->users = calloc(config->users, sizeof(*w->users));
	w->by_user = calloc(config->users, sizeof(*w->by_user));
	w->of_user = calloc(config->users, sizeof(*w->of_user));
	w->restart.fire = restart_fire;
	if (config->restart_ms)
		wheel_arm(&w->wheel, &w->restart, w->now + config->restart_ms);
	for (uint32_t i = 0; i < config->users; i++) {
		struct user *u = &w->users[i];

		u->world = w;
		u->index = i;
		u->rounds_left = config->rounds;
		u->timer.fire = user_fire;
		wheel_arm(&w->wheel, &u->timer, w->now + 1 + rng_below(&w->rng, config->start_ms));
	}
}

static void check_end(struct world *w)
{
	size_t active = 0;

	if (w->users_done != w->user_count)
		promise_broken(w, 0, "not every user finished its rounds");
	if (w->side_count)
		promise_broken(w, 0, "a softwire is left at the concentrator");
	if (lease_count(w->leases, &active) != w->user_count)
		promise_broken(w, 0, "a lease was lost");
	if (active)
		promise_broken(w, 0, "a lease is still active");
	if (w->wheel.armed)
		promise_broken(w, 0, "a timer is stuck");
}

bool world_run(struct world *w, const struct world_config *config)
{
	msec limit;

	if (!world_open(w, config)) {
		promise_broken(w, 0, "the lease store could not be opened");
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
			sc_released(&w->of_user[i]->engine.softwire);
	while (w->network.count)
		free(heap_pop(&w->network));
	free(w->network.heap);
	free(w->users);
	free(w->by_user);
	free(w->of_user);
	lease_store_close(w->leases);
	if (pool_done(&w->sides) && !*w->failure)
		promise_broken(w, 0, "memory was leaked");
	return !*w->failure;
}
